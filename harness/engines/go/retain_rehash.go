package main

import "runtime"

// The first two begin where a classic map grows from 2^14 to 2^15 buckets, at 6.5 entries a bucket (runtime/map.go): the
// catalogue's n.
var rehashScenarios = []retainScenario{
	{name: "stalled_rehash", recordedAs: "oldbuckets", run: runStalledRehash,
		liveIs: "16 bytes an entry", liveEach: 16,
		variants: variantsOf(builtinMap, "insert", "tick")},
	{name: "stalled_rehash_strptr", recordedAs: "oldbuckets_strptr", run: runStalledRehashPointers,
		liveIs: "key and value, 32 bytes an entry", liveEach: 32,
		variants: variantsOf(builtinMap, "insert", "delete")},
	{name: "tombstones", recordedAs: "churn", run: runTombstones,
		liveIs: "key and value of each entry in the window", liveEach: 16,
		variants: variantsOf(builtinMap, "u64u64", "strptr", "u64u64_remake")},
	{name: "tombstones_long", recordedAs: "churn_long", run: runTombstonesLong,
		liveIs: "16 bytes an entry in the window", liveEach: 16,
		variants: variantsOf(builtinMap, "u64u64")},
}

// Entries between two checkpoints while the growth is worked off, and how many such steps: classic maps are done after
// 0.69 writes an old bucket.
const drainStep, drainSteps = 2048, 8

// Fills up to the insert that starts the growth, with a checkpoint on either side of it.
func fillToGrowth(c *retainCase, table numberedMap) {
	c.start()
	table.replace()
	for i := range c.n - 1 {
		table.put(i)
	}
	c.checkpoint("before_growth", c.n-1, c.n-1)
	table.put(c.n - 1)
	c.checkpoint("growth_started_then_idle", c.n, c.n)
}

func runStalledRehash(c *retainCase) {
	table := newNumbered(c, "u64u64")
	fillToGrowth(c, table)
	if c.is("tick") {
		for i := range min(c.n, drainStep*drainSteps) {
			table.put(i)
		}
		c.checkpoint("ticked", c.n, c.n)
	}
	found := 0
	for range 4 {
		for i := range c.n {
			if table.get(i) {
				found++
			}
		}
	}
	found += table.walk()
	for range 10 {
		runtime.GC()
	}
	c.note("s", found)
	c.checkpoint("after_reads_range_10gc", c.n, c.n)
	for i := range drainStep * drainSteps {
		table.put(c.n + i)
		if done := i + 1; done%drainStep == 0 {
			c.checkpoint("continue_writes", c.n+done, c.n+done)
		}
	}
	table.drop()
	c.checkpoint("dropped", c.n, 0)
}

func runStalledRehashPointers(c *retainCase) {
	table := newNumbered(c, "strptr")
	fillToGrowth(c, table)
	for i := range drainStep * drainSteps {
		kept := c.n
		if c.is("delete") {
			table.del(i)
			kept -= i + 1
		} else {
			table.put(c.n + i)
			kept += i + 1
		}
		if done := i + 1; done%drainStep == 0 {
			c.checkpoint("continue_"+c.variant.name, c.n+done, max(kept, 0))
		}
	}
	table.drop()
	c.checkpoint("dropped", c.n, 0)
}

func runTombstones(c *retainCase) {
	const turnovers, checkpoints = 40, 20
	types, remade := c.variant.name, c.is("u64u64_remake")
	table := newNumbered(c, types)
	c.liveEach = table.entryBytes()
	fillAtOnce(c, table)
	moves := turnovers * c.n
	for i := range moves {
		table.del(i)
		table.put(c.n + i)
		if remade && (i+1)%c.n == 0 {
			table.remake()
		}
		if (i+1)%(moves/checkpoints) == 0 {
			c.checkpoint("churn", i+1, c.n)
		}
	}
}

func runTombstonesLong(c *retainCase) {
	const last = 84_096_000
	table := newNumbered(c, "u64u64")
	fillAtOnce(c, table)
	next := 1000
	for done := 1; done <= last; done++ {
		table.del(done - 1)
		table.put(c.n + done - 1)
		if done == next {
			c.checkpoint("churn", done, c.n)
			if next < 4_000_000 {
				next *= 2
			} else {
				next += 16_000_000
			}
		}
	}
}
