package main

import (
	"runtime"
	"slices"
)

const documentBytes = 64 << 10

var keyScenarios = []retainScenario{
	{name: "substring_key", recordedAs: "substring", run: runSubstringKey,
		liveIs: "the 16 bytes of each key", liveEach: 16,
		variants: variantsOf(builtinMap, "leaky", "clone")},
	{name: "key_replaced", run: runKeyReplaced,
		liveIs: "the 3 bytes of each key", liveEach: 3,
		variants: variantsOf(builtinMap, "leaky", "clone")},
	{name: "pointer_key", recordedAs: "ptrkey", run: runPointerKey,
		liveIs: "an id of 8 bytes a key", liveEach: 8,
		variants: slices.Concat(variantsOf(builtinMap, "global_leaky", "global_delete", "id_key", "local_as_written"),
			needWeak(variantsOf(builtinMap, "weak_key")))},
	{name: "interface_key", recordedAs: "ifacekey", run: runInterfaceKey,
		liveIs: "an id of 8 bytes a key", liveEach: 8,
		variants: variantsOf(builtinMap, "boxed_struct_leaky", "pointer_leaky", "int_leaky", "boxed_struct_delete", "plain_key")},
}

func runSubstringKey(c *retainCase) {
	lines := hold(c, map[string]int{})
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		text := make([]byte, documentBytes)
		copy(text, key(i))
		lines.it[c.pieceOf(string(text), 16)] = i
	})
	lines.it = nil
	c.checkpoint("dropped", c.n, 0)
}

func runKeyReplaced(c *retainCase) {
	const buffer = 1 << 20
	const digits = "0123456789abcdefghijklmnopqrstuv"
	small := func(i int) []byte { return []byte{digits[i>>10&31], digits[i>>5&31], digits[i&31]} }
	seen := hold(c, map[string]int{})
	c.n = min(c.n, 1<<15)
	c.start()
	for i := range c.n {
		seen.it[string(small(i))] = 0
	}
	c.checkpoint("small_keys", c.n, c.n)
	for i := range c.n {
		text := make([]byte, buffer)
		copy(text, small(i))
		seen.it[c.pieceOf(string(text), 3)]++
	}
	c.note("len", len(seen.it))
	c.checkpoint("replaced", c.n, c.n)
	seen.it = nil
	c.checkpoint("dropped", c.n, 0)
}

func runPointerKey(c *retainCase) {
	c.start()
	switch {
	case c.is("local_as_written"):
		runLocalPointerKey(c)
	case c.is("id_key"):
		ids := hold(c, map[uint64]bool{})
		made := hold[*payload](c, nil) // on the heap, for as long as its id is put in
		c.each("fill", c.n, allKept, func(i int) {
			made.it = &payload{}
			ids.it[uint64(i)] = true
			made.it = nil
		})
		ids.it = nil
		c.checkpoint("dropped", c.n, 0)
	case c.is("weak_key"):
		runWeakPointerKey(c)
	default:
		seen := hold(c, map[*payload]bool{})
		kept := allKept
		if c.is("global_delete") {
			kept = noneKept
		}
		c.each("fill", c.n, kept, func(i int) {
			p := &payload{}
			seen.it[p] = true
			if c.is("global_delete") {
				delete(seen.it, p)
			}
		})
		seen.it = nil
		c.checkpoint("dropped", c.n, 0)
	}
}

func runLocalPointerKey(c *retainCase) {
	seen := map[*payload]bool{}
	for range c.n {
		seen[&payload{}] = true
	}
	c.checkpoint("inside_live", c.n, c.n)
	runtime.KeepAlive(seen)
	fillLocalMap(c.n)
	c.checkpoint("after_return", c.n, 0)
}

//go:noinline
func fillLocalMap(n int) {
	seen := map[*payload]bool{}
	for range n {
		seen[&payload{}] = true
	}
}

func runInterfaceKey(c *retainCase) {
	seen := hold(c, map[any]bool{})
	ids := hold(c, map[uint64]bool{})
	kept := allKept
	if c.is("boxed_struct_delete") {
		kept = noneKept
	}
	c.start()
	c.each("fill", c.n, kept, func(i int) {
		switch {
		case c.is("pointer_leaky"):
			seen.it[&payload{}] = true
		case c.is("int_leaky"):
			seen.it[i+1000] = true // the runtime has the numbers up to 255 boxed already
		case c.is("plain_key"):
			ids.it[uint64(i)] = true
		default:
			var words [512]uint64
			words[0] = uint64(i)
			seen.it[words] = true
			if c.is("boxed_struct_delete") {
				delete(seen.it, words)
			}
		}
	})
	seen.it, ids.it = nil, nil
	c.checkpoint("dropped", c.n, 0)
}
