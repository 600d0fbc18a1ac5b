package main

import (
	"strings"
)

// A map with what the scenarios about its table do to it: entries by number.
type numberedMap interface {
	put(i int)
	del(i int)
	get(i int) bool
	walk() int
	length() int
	remake()  // copies the entries to a new map
	replace() // takes a new, empty one
	drop()    // has none
	presize(n int)
	clear()
	entryBytes() int // of key and value, with the 16 bytes behind a string or pointer
}

type numbered[K comparable, V any] struct {
	m     map[K]V
	key   func(i int) K
	value func(i int, k K) V
	bytes int
}

func (t *numbered[K, V]) put(i int)       { k := t.key(i); t.m[k] = t.value(i, k) }
func (t *numbered[K, V]) del(i int)       { delete(t.m, t.key(i)) }
func (t *numbered[K, V]) get(i int) bool  { _, ok := t.m[t.key(i)]; return ok }
func (t *numbered[K, V]) length() int     { return len(t.m) }
func (t *numbered[K, V]) replace()        { t.m = map[K]V{} }
func (t *numbered[K, V]) drop()           { t.m = nil }
func (t *numbered[K, V]) presize(n int)   { t.m = make(map[K]V, n) }
func (t *numbered[K, V]) clear()          { clear(t.m) }
func (t *numbered[K, V]) entryBytes() int { return t.bytes }

func (t *numbered[K, V]) remake() {
	entries := make(map[K]V, len(t.m))
	for k, v := range t.m {
		entries[k] = v
	}
	t.m = entries
}

func (t *numbered[K, V]) walk() int {
	n := 0
	for range t.m {
		n++
	}
	return n
}

func plainKey(i int) uint64 { return uint64(i) }

// Makes a table that is there until the case ends; its map is made by replace or presize.
func newNumbered(c *retainCase, types string) numberedMap {
	table := numberedOf(types)
	c.keep(table)
	return table
}

func numberedOf(types string) numberedMap {
	switch types {
	case "strstr":
		return &numbered[string, string]{key: key, value: func(_ int, k string) string { return k }, bytes: 16 + 16}
	case "strptr":
		return &numbered[string, *pair]{key: key, value: func(i int, _ string) *pair { return &pair{i, i} }, bytes: 16 + 16}
	case "u64_128":
		return &numbered[uint64, [128]byte]{key: plainKey, bytes: 8 + 128,
			value: func(int, uint64) [128]byte { return [128]byte{1} }}
	case "u64_129":
		return &numbered[uint64, [129]byte]{key: plainKey, bytes: 8 + 129,
			value: func(int, uint64) [129]byte { return [129]byte{1} }}
	}
	return &numbered[uint64, uint64]{key: plainKey, value: func(int, uint64) uint64 { return 1 }, bytes: 8 + 8}
}

const remakeSuffix = "_remake"

var tableScenarios = []retainScenario{
	{name: "never_shrinks", recordedAs: "shrink", run: runNeverShrinks,
		liveIs: "key and value of each entry", liveEach: 16,
		variants: variantsOf(builtinMap, "u64u64", "strstr", "strptr", "u64_128", "u64_129",
			"u64u64_remake", "strstr_remake", "strptr_remake", "u64_128_remake", "u64_129_remake")},
	{name: "clear_keeps", run: runClearKeeps,
		liveIs: "16 bytes an entry, none at the end", liveEach: 16,
		variants: variantsOf(builtinMap, "clear", "remake")},
	{name: "inline_cliff", run: runInlineCliff,
		liveIs: "key and value of each entry, none at the end", liveEach: 8 + 128,
		variants: variantsOf(builtinMap, "u64_128", "u64_129")},
	{name: "growth_peak", run: runGrowthPeak,
		liveIs: "16 bytes an entry", liveEach: 16,
		variants: variantsOf(builtinMap, "growing", "presized")},
}

func runNeverShrinks(c *retainCase) {
	types, remade := strings.CutSuffix(c.variant.name, remakeSuffix)
	table := newNumbered(c, types)
	c.liveEach = table.entryBytes()
	c.start()
	table.replace()
	c.each("fill", c.n, allKept, table.put)
	c.each("delete", c.n, func(done int) int { return c.n - done }, table.del)
	if remade {
		table.remake()
		c.checkpoint("remade", c.n, 0)
	}
	c.checkpoint("end", c.n, 0)
}

func runClearKeeps(c *retainCase) {
	table := newNumbered(c, "u64u64")
	c.start()
	table.replace()
	c.each("fill", c.n, allKept, table.put)
	if c.is("clear") {
		table.clear()
	} else {
		table.replace()
	}
	c.checkpoint("after", c.n, 0)
}

// Makes the map and puts n entries, with one checkpoint when all are in.
func fillAtOnce(c *retainCase, table numberedMap) {
	c.start()
	table.replace()
	for i := range c.n {
		table.put(i)
	}
	c.checkpoint("filled", c.n, c.n)
}

func runInlineCliff(c *retainCase) {
	table := newNumbered(c, c.variant.name)
	c.liveEach = table.entryBytes()
	fillAtOnce(c, table)
	for i := range c.n {
		table.del(i)
	}
	c.checkpoint("deleted", c.n, 0)
}

// The heap before the insert at which the classic map doubles, with both arrays after it, and when a quarter more is in.
func runGrowthPeak(c *retainCase) {
	table := newNumbered(c, "u64u64")
	c.start()
	if table.replace(); c.is("presized") {
		table.presize(c.n + c.n/4)
	}
	for i := range c.n - 1 {
		table.put(i)
	}
	c.checkpoint("before_growth", c.n-1, c.n-1)
	before := readHeap().alloc - c.base.alloc
	table.put(c.n - 1)
	c.note("peak_over_steady", float64(readHeap().alloc-c.base.alloc)/float64(before))
	c.checkpointRaw("growing_insert", c.n, c.n)
	for i := range c.n / 4 {
		table.put(c.n + i)
	}
	c.checkpoint("steady", c.n+c.n/4, c.n+c.n/4)
}
