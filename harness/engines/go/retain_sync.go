package main

import (
	"fmt"
	"slices"
	"sync"
)

var syncScenarios = []retainScenario{
	{name: "syncmap_deleted", recordedAs: "syncmap_delete", run: runSyncmapDeleted,
		liveIs: "key and value, 1048 bytes an entry, none at the end", liveEach: 16 + 1032,
		variants: slices.Concat(variantsOf(syncMap, "syncmap", "syncmap_promoted"), variantsOf(builtinMap, "rwmutex"))},
	{name: "syncmap_overwrite", run: runSyncmapOverwrite,
		liveIs: "key and value, 24 bytes an entry", liveEach: 16 + 8,
		variants: slices.Concat(variantsOf(syncMap, "syncmap"), variantsOf(builtinMap, "rwmutex", "rwmutex_int"))},
	{name: "syncmap_overwrite_nogc", run: runSyncmapOverwriteUncollected,
		liveIs: "key and value, 24 bytes an entry", liveEach: 16 + 8,
		variants: slices.Concat(variantsOf(syncMap, "syncmap"), variantsOf(builtinMap, "rwmutex"))},
}

// Either a sync.Map or a map behind a mutex.
type sharedMap[V any] struct {
	lock   sync.RWMutex
	plain  map[string]V
	shared sync.Map
	isSync bool
}

func newSharedMap[V any](c *retainCase) *sharedMap[V] {
	m := &sharedMap[V]{plain: map[string]V{}, isSync: c.variant.kind == syncMap}
	c.keep(m)
	return m
}

func (m *sharedMap[V]) store(k string, v V) {
	if m.isSync {
		m.shared.Store(k, v)
		return
	}
	m.lock.Lock()
	m.plain[k] = v
	m.lock.Unlock()
}

func (m *sharedMap[V]) remove(k string) {
	if m.isSync {
		m.shared.Delete(k)
		return
	}
	m.lock.Lock()
	delete(m.plain, k)
	m.lock.Unlock()
}

func (m *sharedMap[V]) load(k string) {
	if m.isSync {
		m.shared.Load(k)
		return
	}
	m.lock.RLock()
	_ = m.plain[k]
	m.lock.RUnlock()
}

func (m *sharedMap[V]) length() int {
	n := len(m.plain)
	m.shared.Range(func(any, any) bool { n++; return true })
	return n
}

func runSyncmapDeleted(c *retainCase) {
	c.start()
	users := newSharedMap[*user](c)
	c.each("fill", c.n, allKept, func(i int) { users.store(key(i), &user{id: i}) })
	if c.is("syncmap_promoted") {
		users.shared.Range(func(any, any) bool { return false })
	}
	c.checkpoint("filled", c.n, c.n)
	for i := range c.n {
		users.remove(key(i))
	}
	c.checkpoint("deleted_all", c.n, 0)
	users.store("x", nil)
	c.checkpoint("one_store_after", c.n, 0)
	for range 2 { // misses, of which so many make the next promotion
		users.load("x")
	}
	c.checkpoint("promoted", c.n, 0)
}

const overwrittenKeys = 100

func runSyncmapOverwrite(c *retainCase) {
	if c.is("rwmutex_int") {
		overwrite[int](c)
	} else {
		overwrite[any](c)
	}
}

func overwrite[V any](c *retainCase) {
	values := newSharedMap[V](c)
	c.start()
	c.each("overwrite", c.n, lastKept(overwrittenKeys), func(i int) {
		values.store(key(i%overwrittenKeys), any(i).(V))
	})
	c.note("len", values.length())
	c.checkpoint("end", c.n, min(c.n, overwrittenKeys))
}

func runSyncmapOverwriteUncollected(c *retainCase) {
	values := newSharedMap[any](c)
	kept := min(c.n, overwrittenKeys)
	c.start()
	for i := range c.n {
		values.store(fmt.Sprintf("key_%d", i%overwrittenKeys), i)
	}
	c.checkpointRaw("end_no_forced_gc", c.n, kept)
	c.checkpoint("end_after_gc", c.n, kept)
}
