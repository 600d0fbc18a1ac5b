package main

import "unsafe"

// Looks into a live map for its capacity: what the measured loops of a plain map need to list growth events. A map
// variable is a pointer to the runtime's struct.

func address[M any](m *M) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(m)) }

// Notices growth between operations, outside their clocked time. Adding up the tables of a large Swiss map costs more
// than most operations, so it is done where growth is possible: every time while the map is small, afterwards only
// after operations too slow not to have grown a table (a table of 512 slots and more takes several microseconds).
type mapWatch struct {
	m    unsafe.Pointer
	last uint64
}

const (
	smallSlots    = 4096
	growthTicks   = 1000 // half a microsecond of a counter that runs at 2 GHz; slower counters look more often
	classicDesign = "classic"
)

func watchMap(m unsafe.Pointer) *mapWatch { return &mapWatch{m, mapCapacity(m)} }

func (w *mapWatch) after(ticks uint64) uint64 {
	if w == nil {
		return 0
	}
	if mapDesign == classicDesign || w.last <= smallSlots || ticks > growthTicks {
		w.last = mapCapacity(w.m)
	}
	return w.last
}
