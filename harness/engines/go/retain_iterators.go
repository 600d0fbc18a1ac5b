package main

import "runtime"

var iteratorScenarios = []retainScenario{
	{name: "iterator_pins", recordedAs: "hiter", run: runIteratorPins,
		liveIs: "key and value, 32 bytes an entry; then the text and header of each key that was copied", liveEach: 32,
		variants: variantsOf(builtinMap, "leaky", "snapshot_keys", "no_iterator")},
	{name: "iterator_growth", recordedAs: "iter_growth", run: runIteratorGrowth,
		liveIs: "the 16 bytes of each key, and 1032 of each value", liveEach: 16,
		variants: variantsOf(builtinMap, "iterating", "none")},
}

// A goroutine that does its work, says that it is parked in it, and ends when told.
type parked struct {
	at, release, done chan bool
}

func newParked() parked {
	return parked{make(chan bool), make(chan bool), make(chan bool)}
}

func (p parked) park() {
	p.at <- true
	<-p.release
}

func (p parked) finish() {
	p.release <- true
	<-p.done
}

// Never inlined, so that its map is no variable of another frame.
//
//go:noinline
func runIteratorPins(c *retainCase) {
	c.start()
	entries := map[string]*pair{}
	for i := range c.n {
		entries[key(i)] = &pair{i, i}
	}
	c.checkpoint("filled", c.n, c.n)
	p := newParked()
	switch {
	case c.is("leaky"):
		go iterateParked(p, entries)
	case c.is("snapshot_keys"):
		go snapshotParked(p, entries)
	default:
		go func() { p.park(); p.done <- true }()
	}
	<-p.at
	entries = nil
	wanted := 0
	if c.is("snapshot_keys") {
		wanted = c.n
	}
	c.checkpoint("m_nil_iterator_parked", c.n, wanted)
	p.finish()
	c.checkpoint("iterator_done", c.n, 0)
}

func iterateParked[V any](p parked, entries map[string]V) {
	first := true
	for range entries {
		if first {
			entries = nil
			p.park()
			first = false
		}
	}
	p.done <- true
}

func snapshotParked(p parked, entries map[string]*pair) {
	keys := make([]string, 0, len(entries))
	for k := range entries {
		keys = append(keys, k)
	}
	entries = nil
	p.park()
	p.done <- true
	runtime.KeepAlive(keys)
}

//go:noinline
func runIteratorGrowth(c *retainCase) {
	const grownBy = 4
	c.start()
	entries := map[string]*user{}
	for i := range c.n {
		entries[key(i)] = &user{id: i}
	}
	for i := range c.n { // ends a growth that is under way
		entries[key(i)] = entries[key(i)]
	}
	c.liveEach = 16 + 1032
	c.checkpoint("filled", c.n, c.n)
	p := newParked()
	if c.is("iterating") {
		go iterateParked(p, entries)
	} else {
		go func() { p.park(); p.done <- true }()
	}
	<-p.at
	for i := c.n; i < grownBy*c.n; i++ {
		entries[key(i)] = nil
	}
	for i := range c.n {
		delete(entries, key(i))
	}
	c.liveEach = 16
	c.checkpoint("grown_and_deleted_iterator_parked", c.n, (grownBy-1)*c.n)
	p.finish()
	c.checkpoint("iterator_done", c.n, (grownBy-1)*c.n)
	runtime.KeepAlive(entries)
}
