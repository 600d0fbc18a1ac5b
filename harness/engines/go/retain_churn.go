package main

import (
	"maps"
	"runtime"
	"strings"
)

// What later releases of Go changed about tombstones, clear, maps.Clone and small maps. The map is there before the first
// checkpoint, as recorded.
var churnScenarios = []retainScenario{
	{name: "churn_kinds", run: runChurnKinds,
		liveIs: "key and value of each entry in the window", liveEach: 16,
		variants: variantsOf(builtinMap, "struct", "iface", "float", "big", "ptr", "u64", "struct_text", "float_bits",
			"big_pointer", "struct_remake")},
	{name: "delete_clear", run: runDeleteClear,
		liveIs: "16 bytes an entry, none once emptied", liveEach: 16,
		variants: variantsOf(builtinMap, "plain", "clear", "clear_full", "remake")},
	{name: "refill", run: runRefill,
		liveIs: "16 bytes an entry", liveEach: 16,
		variants: variantsOf(builtinMap, "same_keys", "one_stays", "overwrite", "clear")},
	{name: "half_churn", run: runHalfChurn,
		liveIs: "16 bytes an entry, 8 of the list of keys", liveEach: 24,
		variants: variantsOf(builtinMap, "u64", "remake")},
	{name: "clone", run: runClone,
		liveIs: "16 bytes for each of the entries left", liveEach: 16,
		variants: variantsOf(builtinMap, "clone", "loop", "collect")},
	{name: "small_overwrite", run: runSmallOverwrite,
		liveIs: "nothing: no entry is new", liveEach: 0,
		variants: variantsOf(builtinMap, "u64", "delete_first", "pointer")},
}

const (
	refillRounds    = 8
	halfRounds      = 20
	halfRemadeEvery = 4
	cloneLeft       = 10
	smallEntries    = 8
)

type twoWords struct{ first, second uint64 }

// Interface keys. Those that are only looked for stay on the stack: on the heap they would share the blocks of others.
type boxedInts struct{ numbered[any, uint64] }

const boxedFrom = 1000 // smaller ints have no block of their own

func (t *boxedInts) del(i int) { delete(t.m, any(i+boxedFrom)) }

// The map of a variant of churn_kinds. cells: what pointer keys point into, a byte for each key there ever is.
func churnKind(variant string, cells []byte) numberedMap {
	one := func(int) uint64 { return 1 }
	switch strings.TrimSuffix(variant, remakeSuffix) {
	case "struct":
		return numberedBy(24, func(i int) twoWords { return twoWords{uint64(i), 1} }, one)
	case "iface":
		return &boxedInts{numbered[any, uint64]{key: func(i int) any { return i + boxedFrom }, bytes: 16,
			value: func(int, any) uint64 { return 1 }}}
	case "float":
		return numberedBy(16, func(i int) float64 { return float64(i) }, one)
	case "big":
		return numberedOf("u64_129")
	case "ptr":
		return numberedBy(16, func(i int) *byte { return &cells[i] }, one)
	case "struct_text":
		return numberedBy(24, key, one)
	case "big_pointer":
		return numberedBy(8+129, plainKey, func(int) *[129]byte { return &[129]byte{1} })
	}
	return numberedOf("u64u64")
}

func numberedBy[K comparable, V any](bytes int, key func(i int) K, value func(i int) V) numberedMap {
	return &numbered[K, V]{key: key, value: func(i int, _ K) V { return value(i) }, bytes: bytes}
}

func runChurnKinds(c *retainCase) {
	const turnovers, checkpoints = 40, 20
	var cells []byte
	if c.is("ptr") {
		cells = make([]byte, c.n+turnovers*c.n)
	}
	table := churnKind(c.variant.name, cells)
	c.keep(table)
	c.liveEach = table.entryBytes()
	table.replace()
	c.start()
	for i := range c.n {
		table.put(i)
	}
	c.checkpoint("filled", c.n, c.n)
	moves := turnovers * c.n
	for i := range moves {
		table.del(i)
		table.put(c.n + i)
		if c.is("struct_remake") && (i+1)%c.n == 0 {
			table.remake()
		}
		if (i+1)%(moves/checkpoints) == 0 {
			c.checkpoint("churn", i+1, c.n)
		}
	}
	runtime.KeepAlive(cells)
}

func runDeleteClear(c *retainCase) {
	table := newNumbered(c, "u64u64")
	table.replace()
	c.start()
	for round := 1; round <= refillRounds; round++ {
		from := (round - 1) * c.n
		for i := range c.n {
			table.put(from + i)
		}
		c.checkpoint("filled", round, c.n)
		switch {
		case c.is("clear_full"):
			table.clear()
		case c.is("remake"):
			table.replace()
		default:
			for i := range c.n {
				table.del(from + i)
			}
			if c.is("clear") {
				table.clear()
			}
		}
		c.checkpoint("emptied", round, 0)
	}
	table.drop()
	c.checkpoint("dropped", refillRounds, 0)
}

func runRefill(c *retainCase) {
	table := newNumbered(c, "u64u64")
	table.replace()
	c.start()
	stays := 0
	if c.is("one_stays") {
		stays = 1
	}
	for round := 1; round <= refillRounds; round++ {
		for i := range c.n {
			table.put(i)
		}
		c.checkpoint("filled", round, c.n)
		switch {
		case c.is("overwrite"):
		case c.is("clear"):
			table.clear()
		default:
			for i := stays; i < c.n; i++ {
				table.del(i)
			}
		}
	}
	table.drop()
	c.checkpoint("dropped", refillRounds, 0)
}

func runHalfChurn(c *retainCase) {
	table := newNumbered(c, "u64u64")
	table.replace()
	c.start()
	c.liveEach = table.entryBytes()
	for i := range c.n {
		table.put(i)
	}
	c.checkpoint("filled", c.n, c.n)
	keys := hold(c, make([]uint64, c.n))
	for i := range keys.it {
		keys.it[i] = uint64(i)
	}
	c.liveEach += 8
	c.checkpoint("slice_made", c.n, c.n)
	next := c.n
	for round := 1; round <= halfRounds; round++ {
		for i := round & 1; i < c.n; i += 2 {
			table.del(int(keys.it[i]))
			keys.it[i] = uint64(next)
			table.put(next)
			next++
		}
		if c.is("remake") && round%halfRemadeEvery == 0 {
			table.remake()
		}
		c.checkpoint("round", round, c.n)
	}
}

func runClone(c *retainCase) {
	m := hold(c, map[uint64]uint64{})
	for i := range c.n {
		m.it[uint64(i)] = uint64(i)
	}
	for i := cloneLeft; i < c.n; i++ {
		delete(m.it, uint64(i))
	}
	copied := hold[map[uint64]uint64](c, nil)
	c.start()
	switch c.variant.name {
	case "clone":
		copied.it = maps.Clone(m.it)
	case "loop":
		copied.it = make(map[uint64]uint64, len(m.it))
		for k, v := range m.it {
			copied.it[k] = v
		}
	case "collect":
		copied.it = maps.Collect(maps.All(m.it))
	}
	c.checkpoint("copied", len(copied.it), len(copied.it))
	m.it = nil
	c.checkpoint("source_dropped", len(copied.it), len(copied.it))
}

func runSmallOverwrite(c *retainCase) {
	if c.is("pointer") {
		all := smallMaps(c, func(k uint64) *uint64 { v := k; return &v })
		c.start()
		for _, m := range all {
			*m[3] = 300
		}
	} else {
		all := smallMaps(c, func(k uint64) uint64 { return k })
		c.start()
		for _, m := range all {
			if c.is("delete_first") {
				delete(m, 3)
			}
			m[3] = 300
		}
	}
	c.checkpoint("overwritten", c.n, 0)
}

// n maps, each with the 8 entries that its one group has room for.
func smallMaps[V any](c *retainCase, value func(k uint64) V) []map[uint64]V {
	all := make([]map[uint64]V, c.n)
	c.keep(all)
	for i := range all {
		all[i] = make(map[uint64]V)
		for k := range uint64(smallEntries) {
			all[i][k] = value(k)
		}
	}
	return all
}
