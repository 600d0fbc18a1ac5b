package main

// A unit drives the maps of one kind and shape. Maps are known to the runner by number.
type unit interface {
	create(hint int) uint32
	drop(id uint32)
	take(b *block, n int, stored storing) // reads n keys into memory of its own, text included
	length(id uint32) int
	capacity(id uint32) uint64 // slots of all arrays; 0: not to be seen from outside
	get(id uint32, val *block) bool
	put(id uint32, val *block)
	collect(id uint32) int
	chunk(b *block, from, count int)
	run(loop string, id uint32, a *loopArgs) func() uint64 // nil: there is no such loop
}

type unitName struct{ kind, shape string }

var units = map[unitName]func() unit{}

func register(kind, shape string, make func() unit) { units[unitName{kind, shape}] = make }

// What a loop is given besides its map and keys, see struct run_args of harness/unit/map.h.
type loopArgs struct {
	keys  int    // keys of the block
	n     int    // operations, scans or maps
	first uint64 // the first value's number
	zero  uint64 // 0, but the compiler cannot know
	ids   []uint32
	of    []uint32
	ticks []uint64 // the timed loops: what each operation took
	caps  []uint64 // and the capacity after it
	done  func()   // called after the loop: keeps the maps it made
	made  []uint32
}

func (a *loopArgs) record(i int, ticks uint64, watch *mapWatch) {
	a.ticks[i] = ticks
	a.caps[i] = watch.after(ticks)
}

// Maps by number; numbers of dropped ones are used again.
type table[M any] struct {
	at   []M
	free []uint32
}

func (t *table[M]) add(m M) uint32 {
	if last := len(t.free) - 1; last >= 0 {
		id := t.free[last]
		t.free = t.free[:last]
		t.at[id] = m
		return id
	}
	t.at = append(t.at, m)
	return uint32(len(t.at) - 1)
}

func (t *table[M]) addAll(maps []M) []uint32 {
	ids := make([]uint32, len(maps))
	for i, m := range maps {
		ids[i] = t.add(m)
	}
	return ids
}

func (t *table[M]) choose(ids []uint32) []M {
	maps := make([]M, len(ids))
	for i, id := range ids {
		maps[i] = t.at[id]
	}
	return maps
}

func (t *table[M]) drop(id uint32) {
	var none M
	t.at[id] = none
	t.free = append(t.free, id)
}
