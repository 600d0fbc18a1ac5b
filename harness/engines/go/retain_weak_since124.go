//go:build go1.24

package main

import (
	"runtime"
	"sync/atomic"
	"weak"
)

const weakMissing = ""

func closeWhenGone(w *wrapper, open *atomic.Int64) {
	runtime.AddCleanup(w, func(open *atomic.Int64) { open.Add(-1) }, open)
}

func closeWhenGoneCapturing(w *wrapper, open *atomic.Int64) {
	runtime.AddCleanup(w, func(open *atomic.Int64) {
		w.buffer[0] = 0
		open.Add(-1)
	}, open)
}

func runWeakPointerKey(c *retainCase) {
	seen := hold(c, map[weak.Pointer[payload]]bool{})
	c.each("fill", c.n, allKept, func(int) {
		p := &payload{}
		seen.it[weak.Make(p)] = true
	})
	seen.it = nil
	c.checkpoint("dropped", c.n, 0)
}

func runWeakValues(c *retainCase) {
	values := newSweptMap[string, weak.Pointer[user]](c)
	c.start()
	strong := hold(c, make([]*user, c.n))
	for i := range c.n {
		u := &user{id: i}
		strong.it[i] = u
		values.put(key(i), weak.Make(u))
		if c.is("cleanup") {
			runtime.AddCleanup(u, func(i int) { values.del(key(i)) }, i)
		}
	}
	c.checkpoint("filled", c.n, c.n)
	strong.it = nil
	recordSwept(c, values.length)
}

type owner struct {
	user
	note *note
}

type note struct {
	strong *owner
	weak   weak.Pointer[owner]
	text   [64]byte
}

func runWeakKeyCycle(c *retainCase) {
	notes := newSweptMap[weak.Pointer[owner], *note](c)
	c.start()
	strong := hold(c, make([]*owner, c.n))
	for i := range c.n {
		o := &owner{user: user{id: i}}
		strong.it[i] = o
		switch k := weak.Make(o); {
		case c.is("strong_back"):
			notes.put(k, &note{strong: o})
		case c.is("weak_back"):
			notes.put(k, &note{weak: k})
			runtime.AddCleanup(o, notes.del, k)
		default:
			o.note = &note{strong: o}
		}
	}
	c.checkpoint("filled", c.n, c.n)
	strong.it = nil
	recordSwept(c, notes.length)
}
