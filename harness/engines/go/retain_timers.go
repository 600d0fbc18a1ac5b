package main

import (
	"container/heap"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Entries that a timer each is to delete: ttlKeys keys are set over and over.
const ttlKeys = 16

var timerScenarios = []retainScenario{
	{name: "ttl_timers", recordedAs: "afterfunc", run: runTTLTimers,
		liveIs: "key and value, 32 bytes an entry", liveEach: 16 + 16,
		variants: variantsOf(builtinMap, "leaky", "stop", "one_heap")},
	{name: "ttl_premature", recordedAs: "afterfunc_fire", run: runTTLPremature,
		liveIs: "key and value, 32 bytes an entry, none at the end", liveEach: 16 + 16,
		variants: variantsOf(builtinMap, "unchecked", "checked", "refreshed", "refreshed_checked")},
	{name: "burst_residue", run: runBurstResidue,
		liveIs: "nothing once the timers have fired", liveEach: 0,
		variants: variantsOf(noMap, "burst", "batched")},
}

type ttlEntry struct {
	value string
	timer *time.Timer
}

// A global variable, as a cache would be: the function of a timer holds nothing but the key (and is 24 bytes for it).
var ttlCache struct {
	lock    sync.Mutex
	entries map[string]*ttlEntry
}

func runTTLTimers(c *retainCase) {
	if c.is("one_heap") {
		runDeadlineHeap(c)
		return
	}
	ttlCache.entries = map[string]*ttlEntry{}
	c.start()
	c.each("set", c.n, lastKept(ttlKeys), func(i int) {
		k := key(i % ttlKeys)
		ttlCache.lock.Lock()
		defer ttlCache.lock.Unlock()
		if old := ttlCache.entries[k]; old != nil && c.is("stop") {
			old.timer.Stop()
		}
		e := &ttlEntry{value: key(i)}
		e.timer = time.AfterFunc(time.Hour, func() {
			ttlCache.lock.Lock()
			delete(ttlCache.entries, k)
			ttlCache.lock.Unlock()
		})
		ttlCache.entries[k] = e
	})
	ttlCache.entries = nil
	c.checkpoint("map_dropped_timers_pending", c.n, 0)
}

type deadline struct {
	key, value string
	at         time.Time
	place      int
}

type deadlines []*deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}
func (d *deadlines) Push(x any) {
	entry := x.(*deadline)
	entry.place = len(*d)
	*d = append(*d, entry)
}
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	entry := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return entry
}

func runDeadlineHeap(c *retainCase) {
	type cache struct {
		lock    sync.Mutex
		entries map[string]*deadline
		due     deadlines
	}
	m := &cache{entries: map[string]*deadline{}}
	c.keep(m)
	c.start()
	timer := time.AfterFunc(time.Hour, func() {
		m.lock.Lock()
		for len(m.due) > 0 && !m.due[0].at.After(time.Now()) {
			delete(m.entries, heap.Pop(&m.due).(*deadline).key)
		}
		m.lock.Unlock()
	})
	c.each("set", c.n, lastKept(ttlKeys), func(i int) {
		k, at := key(i%ttlKeys), time.Now().Add(time.Hour)
		m.lock.Lock()
		defer m.lock.Unlock()
		if old := m.entries[k]; old != nil {
			old.value, old.at = key(i), at
			heap.Fix(&m.due, old.place)
			return
		}
		entry := &deadline{key: k, value: key(i), at: at}
		m.entries[k] = entry
		heap.Push(&m.due, entry)
	})
	m.lock.Lock()
	m.entries, m.due = nil, nil
	m.lock.Unlock()
	c.checkpoint("map_dropped_timers_pending", c.n, 0)
	timer.Stop()
}

func runTTLPremature(c *retainCase) {
	const ttl = 300 * time.Millisecond
	const pauseEvery = 100
	if strings.HasPrefix(c.variant.name, "refreshed") {
		runRefreshed(c)
		return
	}
	ttlCache.entries = map[string]*ttlEntry{}
	var fired, premature, busiest atomic.Int64
	checked := c.is("checked")
	c.start()
	begin, goroutines := time.Now(), runtime.NumGoroutine()
	for i := range c.n {
		k := key(i % ttlKeys)
		ttlCache.lock.Lock()
		e := &ttlEntry{value: key(i)}
		mine := e
		e.timer = time.AfterFunc(ttl, func() {
			if now := int64(runtime.NumGoroutine()); now > busiest.Load() {
				busiest.Store(now)
			}
			ttlCache.lock.Lock()
			defer ttlCache.lock.Unlock()
			fired.Add(1)
			if current := ttlCache.entries[k]; current != nil && current != mine {
				premature.Add(1)
				if checked {
					return
				}
			}
			delete(ttlCache.entries, k)
		})
		ttlCache.entries[k] = e
		ttlCache.lock.Unlock()
		if i%pauseEvery == pauseEvery-1 {
			time.Sleep(time.Millisecond)
		}
	}
	c.note("ms", time.Since(begin).Milliseconds())
	noteTTL(c, &fired, &premature)
	c.checkpoint("all_set", c.n, min(c.n, ttlKeys))
	c.note("fired_by_all_set", fired.Load()) // while that checkpoint was made: it then saw fewer timers
	for fired.Load() < int64(c.n) || runtime.NumGoroutine() > goroutines {
		time.Sleep(time.Millisecond)
	}
	noteTTL(c, &fired, &premature)
	c.note("max_goroutines_seen", busiest.Load())
	c.checkpoint("all_fired", c.n, 0)
}

// An entry that is refreshed before its time is over should never be missed.
func runRefreshed(c *retainCase) {
	const every, ttl, most = 10 * time.Millisecond, 95 * time.Millisecond, 119
	const k = "session"
	c.n = min(c.n, most)
	checked := c.is("refreshed_checked")
	ttlCache.entries = map[string]*ttlEntry{}
	missed := 0 // that is gone although its time is not over
	var fired atomic.Int64
	var set time.Time
	c.start()
	for refresh := range c.n {
		ttlCache.lock.Lock()
		if _, found := ttlCache.entries[k]; !found && refresh > 0 && time.Since(set) < ttl {
			missed++
		}
		e := &ttlEntry{value: key(refresh)}
		set = time.Now()
		e.timer = time.AfterFunc(ttl, func() {
			ttlCache.lock.Lock()
			defer ttlCache.lock.Unlock()
			fired.Add(1)
			if !checked || ttlCache.entries[k] == e {
				delete(ttlCache.entries, k)
			}
		})
		ttlCache.entries[k] = e
		ttlCache.lock.Unlock()
		time.Sleep(every)
	}
	c.note("missed", missed)
	c.note("refreshes", c.n)
	c.checkpoint("refreshed", c.n, 1)
	for fired.Load() < int64(c.n) {
		time.Sleep(time.Millisecond)
	}
	c.checkpoint("expired", c.n, 0)
}

// premature: firings that found a newer entry; a checked timer leaves it alone.
func noteTTL(c *retainCase, fired, premature *atomic.Int64) {
	ttlCache.lock.Lock()
	defer ttlCache.lock.Unlock()
	c.note("len", len(ttlCache.entries))
	c.note("fired", fired.Load())
	c.note("premature", premature.Load())
}

func runBurstResidue(c *retainCase) {
	var fired sync.WaitGroup
	gate := make(chan bool)
	c.start()
	before := runtime.NumGoroutine()
	timers := hold(c, make([]*time.Timer, 0, c.n))
	work := func() { fired.Done() }
	if c.is("burst") {
		work = func() { fired.Done(); <-gate }
	}
	fired.Add(c.n)
	if c.is("burst") {
		at := time.Now().Add(50 * time.Millisecond)
		for range c.n {
			timers.it = append(timers.it, time.AfterFunc(time.Until(at), work))
		}
	} else {
		timers.it = append(timers.it, time.AfterFunc(time.Millisecond, func() {
			for range c.n {
				work()
			}
		}))
	}
	fired.Wait()
	c.note("goroutines_at_once", runtime.NumGoroutine()-before)
	close(gate)
	for runtime.NumGoroutine() > before {
		time.Sleep(time.Millisecond)
	}
	timers.it = nil
	c.checkpoint("all_fired", c.n, 0)
	for range 8 {
		runtime.GC()
	}
	c.note("bytes_per_goroutine", float64(int64(readHeap().alloc-c.base.alloc))/float64(c.n))
	c.checkpoint("ten_collections_later", c.n, 0)
}
