//go:build goexperiment.swissmap || go1.26

package main

import "unsafe"

const mapDesign = "swiss"

// The beginnings of maps.Map and its table (internal/runtime/maps/map.go, table.go).
type swissMap struct {
	used        uint64
	seed        uintptr
	dirPtr      unsafe.Pointer
	dirLen      int
	globalDepth uint8
}

type swissTable struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
	groups                     swissGroups
}

// Where the groups are, and their number less one (group.go: groupsReference).
type swissGroups struct {
	data unsafe.Pointer
	mask uint64
}

// A table stands in the directory once for every value of the hash bits it does not use; `index` is its first place.
func mapCapacity(m unsafe.Pointer) uint64 {
	if m == nil {
		return 0
	}
	s := (*swissMap)(m)
	if s.dirLen == 0 {
		return 8 // one group, without a table
	}
	var slots uint64
	for i, t := range unsafe.Slice((**swissTable)(s.dirPtr), s.dirLen) {
		if t.index == i {
			slots += uint64(t.capacity)
		}
	}
	return slots
}
