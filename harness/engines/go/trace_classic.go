//go:build trace && !goexperiment.swissmap && !go1.26

package main

import (
	"fmt"
	"maps"
	"strings"
	"unsafe"
)

const rowHeader = "op,key,count,B,flags,noverflow,nevacuate,growing,actual_overflow"

const bucketSlots = 8

func cloneMap[K comparable, V any](m map[K]V) map[K]V { return maps.Clone(m) }

func setSeed(m unsafe.Pointer, seed uint64) { (*hmap)(m).hash0 = uint32(seed) }

// runtime.bmap with its keys, elements and the pointer to the next bucket of the chain.
type bucket[K comparable, V any] struct {
	top      [bucketSlots]uint8
	keys     [bucketSlots]K
	elems    [bucketSlots]V
	overflow *bucket[K, V]
}

// Below it, a slot is empty or its entry has moved.
const minTopHash = 5

func (t *traced[K, V]) buckets() []bucket[K, V] {
	h := (*hmap)(t.header())
	if h.buckets == nil {
		return nil
	}
	return unsafe.Slice((*bucket[K, V])(h.buckets), 1<<h.b)
}

func (t *traced[K, V]) overflows() int {
	n := 0
	for i := range t.buckets() {
		for b := t.buckets()[i].overflow; b != nil; b = b.overflow {
			n++
		}
	}
	return n
}

// As was recorded: the overflow buckets are counted after each of the first operations, then after every so many.
func (t *tracer) printRow(op byte, key uint64) {
	const each, every = 4096, 256
	h := (*hmap)(t.m.header())
	overflows := -1
	if t.ops < each || t.ops%every == 0 {
		overflows = t.m.(interface{ overflows() int }).overflows()
	}
	fmt.Fprintf(t.out, "%c,%d,%d,%d,%d,%d,%d,%d,%d\n", op, key, h.count, h.b, h.flags, h.noverflow, h.nevacuate,
		truth(h.oldbuckets != nil), overflows)
}

func histogram(counts []int) string { return strings.ReplaceAll(fmt.Sprint(counts), " ", ",") }

func counted(counts []int, i int) []int {
	for len(counts) <= i {
		counts = append(counts, 0)
	}
	counts[i]++
	return counts
}

func (t *traced[K, V]) digest() string {
	h := (*hmap)(t.header())
	sum := uint64(fnvStart)
	var occupancy, chains []int
	for i := range t.buckets() {
		live, length := 0, 0
		for b := &t.buckets()[i]; b != nil; b = b.overflow {
			length++
			for _, top := range b.top {
				sum = fnvByte(sum, top)
			}
			for slot, top := range b.top {
				if top >= minTopHash {
					sum = fnvWord(fnvWord(sum, *(*uint64)(unsafe.Pointer(&b.keys[slot]))), t.word(&b.elems[slot]))
					live++
				}
			}
		}
		occupancy, chains = counted(occupancy, live), counted(chains, length)
	}
	return fmt.Sprintf(`{"count":%d,"B":%d,"noverflow":%d,"actual_overflow":%d,"nevacuate":%d,"growing":%t,"occupancy_hist":%s,`+
		`"chain_hist":%s,"layout_fnv1a64":"%016x"}`,
		h.count, h.b, h.noverflow, t.overflows(), h.nevacuate, h.oldbuckets != nil, histogram(occupancy), histogram(chains), sum)
}
