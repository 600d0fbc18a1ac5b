package main

import (
	"container/list"
	"math/rand/v2"
	"sync"
)

const (
	workingSet   = 1000 // of the last so many keys the program still asks
	pooledAtOnce = 64
	giantBytes   = 1 << 20
	usualBytes   = 1 << 10
	pooledMost   = 64 << 10 // the capped pool takes nothing larger
)

var cacheScenarios = []retainScenario{
	{name: "unbounded_cache", run: runUnboundedCache,
		liveIs: "the last 1000 entries of 1 KiB", liveEach: 1024,
		variants: variantsOf(builtinMap, "leaky", "lru", "ttl_wheel")},
	{name: "pool_keeps_giants", run: runPoolKeepsGiants,
		liveIs: "64 buffers of 1 KiB", liveEach: usualBytes,
		variants: variantsOf(noMap, "leaky", "capped", "sync_pool")},
}

type cachedBlock struct {
	key  string
	data []byte
}

func runUnboundedCache(c *retainCase) {
	entries := hold(c, map[string]*list.Element{})
	order := hold(c, list.New())
	evict := func(oldest *list.Element) {
		delete(entries.it, oldest.Value.(*cachedBlock).key)
		order.it.Remove(oldest)
	}
	const slots = 10
	var wheel [slots][]*list.Element // a slot: what came in a tenth of the time to live
	c.start()
	c.each("requests", c.n, lastKept(workingSet), func(i int) {
		if c.is("ttl_wheel") && i%(workingSet/slots) == 0 {
			slot := &wheel[i/(workingSet/slots)%slots]
			for _, expired := range *slot {
				evict(expired)
			}
			clear(*slot)
			*slot = (*slot)[:0]
		}
		element := order.it.PushBack(&cachedBlock{key(i), make([]byte, 1024)})
		entries.it[element.Value.(*cachedBlock).key] = element
		if c.is("lru") && len(entries.it) > workingSet {
			evict(order.it.Front())
		}
		if c.is("ttl_wheel") {
			slot := &wheel[i/(workingSet/slots)%slots]
			*slot = append(*slot, element)
		}
	})
	c.note("len", len(entries.it))
	c.checkpoint("end", c.n, min(c.n, workingSet))
}

type bufferPool interface {
	get() []byte
	put(buffer []byte)
}

type freeList struct {
	free [][]byte
	most int // bytes of a buffer that it takes; 0: any
}

func (l *freeList) get() []byte {
	if len(l.free) == 0 {
		return make([]byte, 0, usualBytes)
	}
	last := len(l.free) - 1
	buffer := l.free[last]
	l.free[last] = nil
	l.free = l.free[:last]
	return buffer[:0]
}

func (l *freeList) put(buffer []byte) {
	if l.most == 0 || cap(buffer) <= l.most {
		l.free = append(l.free, buffer)
	}
}

type syncPool struct{ pool sync.Pool }

func (p *syncPool) get() []byte {
	if buffer, ok := p.pool.Get().(*[]byte); ok {
		return (*buffer)[:0]
	}
	return make([]byte, 0, usualBytes)
}

func (p *syncPool) put(buffer []byte) { p.pool.Put(&buffer) }

// Rounds of pooledAtOnce requests at once; in each round one of them, by chance, needs a giant buffer.
func runPoolKeepsGiants(c *retainCase) {
	var pool bufferPool
	switch {
	case c.is("capped"):
		pool = &freeList{most: pooledMost}
	case c.is("sync_pool"):
		pool = &syncPool{}
	default:
		pool = &freeList{}
	}
	c.keep(pool)
	const seed = 39
	random := rand.New(rand.NewPCG(seed, seed))
	var taken [pooledAtOnce][]byte
	c.note("seed", seed)
	c.start()
	round := func() {
		giant := random.IntN(pooledAtOnce)
		for j := range taken {
			taken[j] = pool.get()
			if j == giant && cap(taken[j]) < giantBytes {
				taken[j] = make([]byte, 0, giantBytes)
			}
		}
		for j := range taken {
			pool.put(taken[j])
			taken[j] = nil
		}
	}
	for i := range c.n {
		round()
		if eighth := max(c.n/8, 1); (i+1)%eighth == 0 {
			c.checkpointRaw("rounds_uncollected", i+1, pooledAtOnce)
			c.checkpoint("rounds", i+1, pooledAtOnce)
		}
	}
}
