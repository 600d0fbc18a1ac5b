package main

import "runtime"

const documentBytes = 64 << 10

var keyScenarios = []retainScenario{
	{number: 3, name: "substring_key", recordedAs: "substring", n: 256, run: runSubstringKey,
		liveIs: "the 16 bytes of each key", liveEach: 16,
		variants: []retainVariant{
			{name: "leaky", role: leaky, summary: "the key is 16 bytes of a document of 64 KiB"},
			{name: "clone", role: fixed, summary: "the key is a copy"},
		}},
	{number: 4, name: "key_replaced", n: 1, run: runKeyReplaced,
		liveIs: "the 3 bytes of each key", liveEach: 3,
		variants: []retainVariant{
			{name: "leaky", role: leaky, summary: "overwrites with an equal key cut from a buffer of 1 MiB"},
			{name: "clone", role: fixed, summary: "overwrites with a copy of the key"},
		}},
	{number: 5, name: "pointer_key", recordedAs: "ptrkey", n: 256, run: runPointerKey,
		liveIs: "an id of 8 bytes a key", liveEach: 8,
		variants: []retainVariant{
			{name: "global_leaky", role: leaky, summary: "the keys of a global map are pointers to 64 KiB each"},
			{name: "global_delete", role: fixed, summary: "deleted when done"},
			{name: "id_key", role: fixed, summary: "the key is the payload's id"},
			{name: "weak_key", role: fixed, weak: true, summary: "the key is a weak pointer: the entry stays, the payload goes"},
			{name: "local_as_written", role: reference, summary: "the map is a local variable: gone when the function returns"},
		}},
	{number: 6, name: "interface_key", recordedAs: "ifacekey", n: 1000, run: runInterfaceKey,
		liveIs: "an id of 8 bytes a key", liveEach: 8,
		variants: []retainVariant{
			{name: "boxed_struct_leaky", role: leaky, summary: "an array of 4 KiB in an interface: every key is a copy on the heap"},
			{name: "pointer_leaky", role: leaky, summary: "a pointer to 64 KiB in an interface"},
			{name: "int_leaky", role: reference, summary: "an int in an interface: 8 bytes on the heap"},
			{name: "boxed_struct_delete", role: fixed, summary: "deleted when done"},
			{name: "plain_key", role: fixed, summary: "the id itself as key"},
		}},
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
