package main

import (
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
)

var gcWorkScenarios = []retainScenario{
	{name: "gc_work", run: runGCWork,
		liveIs: "key and value, and of the variant distinct the 16 bytes behind each pointer", liveEach: 8 + 8,
		variants: variantsOf(builtinMap, "pointer_free", "zero_size", "same", "distinct")},
}

func runGCWork(c *retainCase) {
	switch {
	case c.is("zero_size"):
		markSizes(c, func() *struct{} { return &struct{}{} })
	case c.is("same"):
		only := &pair{1, 1}
		markSizes(c, func() *pair { return only })
	case c.is("distinct"):
		c.liveEach += 16
		markSizes(c, func() *pair { return &pair{1, 1} })
	default:
		markSizes(c, func() uint64 { return 1 })
	}
}

// Four times the entries from one checkpoint to the next.
func markSizes[V any](c *retainCase, value func() V) {
	const first = 1 << 10
	times := newCollectionTimes()
	table := hold(c, map[uint64]V(nil))
	c.start()
	table.it = map[uint64]V{}
	for entries := first; entries <= c.n; entries *= 4 {
		for i := len(table.it); i < entries; i++ {
			table.it[uint64(i)] = value()
		}
		times.measure(c)
		c.checkpoint("marked", entries, entries)
	}
}

const collectionSamples = 7

// The runtime's numbers of a collection. Made before a case's base: reading allocates no more.
type collectionTimes struct {
	wall, cpu [collectionSamples]float64
	metric    [4]metrics.Sample
}

func newCollectionTimes() *collectionTimes {
	t := &collectionTimes{}
	for i, name := range []string{"/cpu/classes/gc/mark/assist:cpu-seconds", "/cpu/classes/gc/mark/dedicated:cpu-seconds",
		"/cpu/classes/gc/mark/idle:cpu-seconds", "/gc/scan/heap:bytes"} {
		t.metric[i].Name = name
	}
	metrics.Read(t.metric[:])
	return t
}

func (t *collectionTimes) markSeconds() float64 {
	metrics.Read(t.metric[:])
	return t.metric[0].Value.Float64() + t.metric[1].Value.Float64() + t.metric[2].Value.Float64()
}

// Notes medians of a few forced collections, the first of which also sweeps what building left and does not count:
// collection_ns_median from the call of runtime.GC to its return, sweep included; mark_ns_median what all that marked
// spent on it. scanned_bytes: of the last one, what a collection reads for pointers.
func (t *collectionTimes) measure(c *retainCase) {
	runtime.GC()
	before := t.markSeconds()
	for i := range collectionSamples {
		start := wallNs()
		runtime.GC()
		t.wall[i] = float64(wallNs() - start)
		after := t.markSeconds()
		t.cpu[i] = math.Round((after - before) * 1e9)
		before = after
	}
	slices.Sort(t.wall[:])
	slices.Sort(t.cpu[:])
	c.note("collection_ns_median", t.wall[collectionSamples/2])
	c.note("mark_ns_median", t.cpu[collectionSamples/2])
	c.note("scanned_bytes", t.metric[3].Value.Uint64())
}
