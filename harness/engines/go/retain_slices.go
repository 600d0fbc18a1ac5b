package main

import (
	"bytes"
	"strings"
	"sync"
)

const stringHeader = 16

var sliceScenarios = []retainScenario{
	{name: "subslice", recordedAs: "subslice3", run: runSubslice,
		liveIs: "the one string kept", liveEach: stringHeader,
		variants: variantsOf(builtinMap, "leaky", "capped", "append_copy", "make_copy", "strings_filled_leaky")},
	{name: "subslice_capped", recordedAs: "subslice3", run: runSubslice,
		liveIs: "the one string kept", liveEach: stringHeader,
		variants: variantsOf(builtinMap, "capped", "append_copy", "make_copy")},
	{name: "subslice_many", recordedAs: "subslice", run: runSubsliceMany,
		liveIs: "a string per slice", liveEach: stringHeader,
		variants: variantsOf(builtinMap, "leaky", "capped", "append_copy", "make_copy")},
	{name: "append_value", recordedAs: "append_growth", run: runAppendValue,
		liveIs: "the last 64 lines of 16 bytes", liveEach: 16,
		variants: variantsOf(builtinMap, "leaky", "window_reslice", "window_copydown")},
	{name: "log_fields", recordedAs: "logfields", run: runLogFields,
		liveIs: "nothing after a call", liveEach: 0,
		variants: variantsOf(noMap, "naive", "prealloc", "pooled")},
	{name: "prealloc_trim", recordedAs: "prealloc_trunc", run: runPreallocTrim,
		liveIs: "16 bytes an entry", liveEach: 16,
		variants: variantsOf(builtinMap, "leaky", "copy", "reused_buffer")},
}

// The piece of data that a variant of the subslice scenarios keeps.
func (c *retainCase) firstOf(data []string) []string {
	switch {
	case c.is("capped"):
		return data[:1:1]
	case c.is("append_copy"):
		return append([]string{}, data[:1]...)
	case c.is("make_copy"):
		one := make([]string, 1)
		copy(one, data)
		return one
	}
	return data[:1]
}

func runSubslice(c *retainCase) {
	cache := hold(c, map[string][]string{})
	c.start()
	fillFromOneArray(c, cache.it)
	c.checkpoint("after", c.n, 1)
	cache.it = nil
	c.checkpoint("dropped", c.n, 0)
}

// A frame of its own, so that the array is not held by a variable.
//
//go:noinline
func fillFromOneArray(c *retainCase, cache map[string][]string) {
	data := make([]string, c.n)
	if c.is("strings_filled_leaky") {
		for i := range data {
			data[i] = key(i)
		}
	}
	cache["key"] = c.firstOf(data)
}

func runSubsliceMany(c *retainCase) {
	const each = 10_000
	cache := hold(c, map[string][]string{})
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		cache.it[key(i)] = c.firstOf(make([]string, each))
	})
	cache.it = nil
	c.checkpoint("dropped", c.n, 0)
}

func runAppendValue(c *retainCase) {
	const window = 64
	const device = "device-0"
	lines := hold(c, map[string][]string{})
	c.start()
	c.each("append", c.n, lastKept(window), func(i int) {
		value := lines.it[device]
		switch {
		case c.is("window_reslice"):
			if value = append(value, key(i)); len(value) > window {
				value = value[1:]
			}
		case c.is("window_copydown") && len(value) == window:
			copy(value, value[1:])
			value = append(value[:window-1], key(i))
		default:
			value = append(value, key(i))
		}
		lines.it[device] = value
	})
	c.note("len", len(lines.it[device]))
	c.note("cap", cap(lines.it[device]))
	c.checkpoint("end", c.n, min(c.n, window))
}

func runLogFields(c *retainCase) {
	const id = "0123456789abcdef"
	fields := func(to []any) []any {
		to = append(to, "ts", int64(1700000000000))
		to = append(to, "trace_id", id)
		return append(to, "span_id", id)
	}
	line := hold[[]any](c, nil)
	pool := sync.Pool{New: func() any { s := make([]any, 0, 16); return &s }}
	c.start()
	before := readHeap()
	for range c.n {
		switch {
		case c.is("naive"):
			line.it = fields([]any{})
		case c.is("prealloc"):
			line.it = fields(make([]any, 0, 6))
		default:
			s := pool.Get().(*[]any)
			*s = fields((*s)[:0])
			line.it = *s
			pool.Put(s)
		}
	}
	after := readHeap()
	line.it = nil
	c.note("bytes_per_call", float64(after.total-before.total)/float64(c.n))
	c.note("mallocs_per_call", float64(after.mallocs-before.mallocs)/float64(c.n))
	c.checkpoint("end", c.n, 0)
}

func runPreallocTrim(c *retainCase) {
	const room, kept = 1024, 16
	texts := hold(c, map[string][]byte{})
	shared := hold(c, make([]byte, 0, room))
	c.start()
	c.each("fill", c.n, allKept, func(i int) {
		k := key(i)
		if c.is("reused_buffer") {
			shared.it = append(shared.it[:0], k...)
			texts.it[k] = shared.it[:kept]
		} else {
			buffer := append(make([]byte, 0, room), k...)
			if c.is("copy") {
				texts.it[k] = bytes.Clone(buffer[:kept])
			} else {
				texts.it[k] = buffer[:kept]
			}
		}
		if i == c.n-1 {
			c.note("wrong_values", countWrong(texts.it))
		}
	})
}

// Entries whose text is no longer the key's.
func countWrong(texts map[string][]byte) int {
	wrong := 0
	for k, text := range texts {
		if k != string(text) {
			wrong++
		}
	}
	return wrong
}

// The piece of text that a variant keeps: of the document, or a copy.
func (c *retainCase) pieceOf(document string, length int) string {
	if c.is("clone") {
		return strings.Clone(document[:length])
	}
	return document[:length]
}
