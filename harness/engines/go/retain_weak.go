package main

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

var weakScenarios = []retainScenario{
	{name: "wrapper_cleanup", run: runWrapperCleanup,
		liveIs: "1 KiB a wrapper, nothing once they are dropped", liveEach: 1024,
		variants: slices.Concat(variantsOf(noMap, "finalizer", "finalizer_cycle", "close"),
			needWeak(variantsOf(noMap, "cleanup_captures", "cleanup")))},
	{name: "weak_values", run: runWeakValues,
		liveIs: "1032 bytes a value, nothing once they are dropped", liveEach: 1032,
		variants: needWeak(variantsOf(builtinMap, "unswept", "cleanup"))},
	{name: "weak_key_cycle", run: runWeakKeyCycle,
		liveIs: "1032 bytes a key, nothing once they are dropped", liveEach: 1032,
		variants: needWeak(variantsOf(builtinMap, "strong_back", "weak_back", "inside_key"))},
}

// Something that stands for a resource outside the heap.
type wrapper struct {
	peer   *wrapper
	buffer [1024]byte
}

func runWrapperCleanup(c *retainCase) {
	var open atomic.Int64
	c.start()
	wrappers := hold(c, openWrappers(c, &open))
	c.note("unreclaimed", open.Load())
	c.checkpoint("open", c.n, c.n)
	if c.is("close") {
		open.Add(-int64(len(wrappers.it)))
	}
	wrappers.it = nil
	for collections := 1; collections <= 4; collections++ {
		runtime.GC()
		settle(func() int64 { return open.Load() })
		c.note("unreclaimed", open.Load())
		c.checkpointRaw("collected", collections, 0)
	}
}

//go:noinline
func openWrappers(c *retainCase, open *atomic.Int64) []*wrapper {
	wrappers := make([]*wrapper, c.n)
	for i := range wrappers {
		w := &wrapper{}
		switch {
		case c.is("finalizer"):
			runtime.SetFinalizer(w, func(*wrapper) { open.Add(-1) })
		case c.is("finalizer_cycle"):
			w.peer = &wrapper{peer: w}
			runtime.SetFinalizer(w, func(*wrapper) { open.Add(-1) })
		case c.is("cleanup"):
			closeWhenGone(w, open)
		case c.is("cleanup_captures"):
			closeWhenGoneCapturing(w, open)
		}
		open.Add(1)
		wrappers[i] = w
	}
	return wrappers
}

// Waits until a number that finalizers or cleanups count down to 0 is there, or no longer changes: they run in a goroutine
// after the collection. Only where some can never run does the calm decide.
func settle(number func() int64) {
	const pause, calm = time.Millisecond, 300
	last, still := number(), 0
	for last != 0 && still < calm {
		time.Sleep(pause)
		if now := number(); now == last {
			still++
		} else {
			last, still = now, 0
		}
	}
}

// A map that cleanups, which run in a goroutine of their own, delete from.
type sweptMap[K comparable, V any] struct {
	lock    sync.Mutex
	entries map[K]V
}

func newSweptMap[K comparable, V any](c *retainCase) *sweptMap[K, V] {
	m := &sweptMap[K, V]{entries: map[K]V{}}
	c.keep(m)
	return m
}

func (m *sweptMap[K, V]) put(k K, v V) {
	m.lock.Lock()
	m.entries[k] = v
	m.lock.Unlock()
}

func (m *sweptMap[K, V]) del(k K) {
	m.lock.Lock()
	delete(m.entries, k)
	m.lock.Unlock()
}

func (m *sweptMap[K, V]) length() int64 {
	m.lock.Lock()
	defer m.lock.Unlock()
	return int64(len(m.entries))
}

// After the strong references are gone: entries and bytes left when everything that can run has run.
func recordSwept(c *retainCase, length func() int64) {
	runtime.GC()
	settle(length)
	c.note("len", length())
	c.checkpoint("strong_dropped", c.n, 0)
	for range 3 {
		runtime.GC()
		settle(length)
	}
	c.note("len", length())
	c.checkpoint("collected_again", c.n, 0)
}
