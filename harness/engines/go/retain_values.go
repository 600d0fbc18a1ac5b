package main

import "slices"

var valueScenarios = []retainScenario{
	{name: "pointer_value", recordedAs: "ptrvalue", run: runPointerValue,
		liveIs: "1032 bytes an entry, none at the end", liveEach: 1032,
		variants: variantsOf(builtinMap, "leaky", "delete_all", "clear", "set_nil", "remake")},
	{name: "delete_leaves_value", recordedAs: "delete_structval", run: runDeleteLeavesValue,
		liveIs: "1 KiB an entry, none at the end", liveEach: 1024,
		variants: slices.Concat(variantsOf(noMap, "marked_only"), variantsOf(builtinMap, "plain", "cleared_first", "local_var_alive"))},
	{name: "zero_size_value", recordedAs: "structptr", run: runZeroSizeValue,
		liveIs: "the 16 bytes of each key", liveEach: 16,
		variants: variantsOf(builtinMap, "ptr_empty", "empty", "ptr_byte")},
	{name: "map_of_maps", recordedAs: "mapofmaps", run: runMapOfMaps,
		liveIs: "20 entries of 17 bytes in every inner map, none at the end", liveEach: innerEntries * 17,
		variants: variantsOf(builtinMap, "delete_inner", "delete_outer")},
	{name: "map_vs_pointer", recordedAs: "map_vs_ptrmap", run: runMapVsPointer,
		liveIs: "a reference of 8 bytes to each empty map", liveEach: 8,
		variants: variantsOf(builtinMap, "ptrmap", "map")},
}

func runPointerValue(c *retainCase) {
	users := hold(c, map[string]*user{})
	c.start()
	c.each("fill", c.n, allKept, func(i int) { users.it[key(i)] = &user{id: i} })
	switch {
	case c.is("delete_all"):
		for k := range users.it {
			delete(users.it, k)
		}
	case c.is("clear"):
		clear(users.it)
	case c.is("set_nil"):
		users.it = nil
	case c.is("remake"):
		users.it = map[string]*user{}
	}
	c.checkpoint("after", c.n, 0)
}

func newCacheItem() cacheItem {
	return cacheItem{data: make([]byte, 1024), config: map[string]string{"mode": "fast"}, log: make(chan string, 1)}
}

func runDeleteLeavesValue(c *retainCase) {
	if c.is("marked_only") {
		runMarkedOnly(c)
		return
	}
	items := hold(c, map[string]cacheItem{})
	last := hold(c, cacheItem{})
	kept := 0
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		item := newCacheItem()
		items.it[key(i)] = item
		if c.is("local_var_alive") {
			last.it, kept = item, 1
		}
	})
	if c.is("cleared_first") {
		for i := range c.n {
			items.it[key(i)] = cacheItem{}
		}
	}
	for i := range c.n {
		delete(items.it, key(i))
	}
	c.checkpoint("deleted", c.n, kept)
}

// Linear probing with a mark a slot: what many tables written by hand do.
type markedTable struct {
	slots []markedSlot
}

type markedSlot struct {
	used, dead bool
	key        string
	value      cacheItem
}

// FNV-1a, 64 bits.
func (t *markedTable) find(k string) int {
	hash := uint64(14695981039346656037)
	for i := range len(k) {
		hash = (hash ^ uint64(k[i])) * 1099511628211
	}
	for at := int(hash>>1) % len(t.slots); ; at = (at + 1) % len(t.slots) {
		if s := &t.slots[at]; !s.used || !s.dead && s.key == k {
			return at
		}
	}
}

func (t *markedTable) put(k string, value cacheItem) {
	t.slots[t.find(k)] = markedSlot{used: true, key: k, value: value}
}

func (t *markedTable) del(k string) {
	if s := &t.slots[t.find(k)]; s.used {
		s.dead = true
	}
}

func runMarkedOnly(c *retainCase) {
	table := hold(c, markedTable{})
	c.start()
	table.it.slots = make([]markedSlot, 2*c.n)
	c.each("fill", c.n, allKept, func(i int) { table.it.put(key(i), newCacheItem()) })
	for i := range c.n {
		table.it.del(key(i))
	}
	c.checkpoint("deleted", c.n, 0)
}

func runZeroSizeValue(c *retainCase) {
	times := newCollectionTimes()
	c.start()
	switch {
	case c.is("ptr_empty"):
		fillSet(c, times, func() *struct{} { return &struct{}{} })
	case c.is("ptr_byte"):
		fillSet(c, times, func() *byte { return new(byte) })
	default:
		fillSet(c, times, func() struct{} { return struct{}{} })
	}
}

func fillSet[V any](c *retainCase, times *collectionTimes, value func() V) {
	set := hold(c, map[string]V{})
	c.each("fill", c.n, allKept, func(i int) {
		set.it[key(i)] = value()
		if i == c.n-1 {
			times.measure(c)
		}
	})
}

const innerEntries = 20

func runMapOfMaps(c *retainCase) {
	outer := hold(c, map[string]map[string]string{})
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		inner := map[string]string{}
		for j := range innerEntries {
			inner[key(j)] = "v"
		}
		outer.it[key(i)] = inner
	})
	for i := range c.n {
		if c.is("delete_outer") {
			delete(outer.it, key(i))
			continue
		}
		for j := range innerEntries {
			delete(outer.it[key(i)], key(j))
		}
	}
	c.checkpoint("after", c.n, 0)
}

func runMapVsPointer(c *retainCase) {
	maps := hold[[]map[string]string](c, nil)
	pointers := hold[[]*map[string]string](c, nil)
	times := newCollectionTimes()
	c.start()
	if c.is("map") {
		maps.it = make([]map[string]string, c.n)
		for i := range maps.it {
			maps.it[i] = map[string]string{}
		}
	} else {
		pointers.it = make([]*map[string]string, c.n)
		for i := range pointers.it {
			m := map[string]string{}
			pointers.it[i] = &m
		}
	}
	c.checkpoint("filled", c.n, c.n)
	times.measure(c)
	c.note("us_per_gc", times.wall[collectionSamples/2]/1000) // as the simulation names it
	c.checkpoint("gc_time", c.n, c.n)
}
