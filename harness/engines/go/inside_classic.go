//go:build !goexperiment.swissmap && !go1.26

package main

import "unsafe"

const mapDesign = "classic"

// The beginning of runtime.hmap (runtime/map.go).
type hmap struct {
	count      int
	flags      uint8
	b          uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
	nevacuate  uintptr
}

func mapCapacity(m unsafe.Pointer) uint64 {
	if m == nil {
		return 0
	}
	return 8 << (*hmap)(m).b
}
