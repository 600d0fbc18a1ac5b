//go:build trace && (goexperiment.swissmap || go1.26)

package main

import (
	"fmt"
	"maps"
	"math/bits"
	"sort"
	"strconv"
	"strings"
	"unsafe"
)

const rowHeader = "op,key,count,dirLen,globalDepth,tables,slots,growthLeft_total"

const groupSlots = 8

func cloneMap[K comparable, V any](m map[K]V) map[K]V { return maps.Clone(m) }

func setSeed(m unsafe.Pointer, seed uint64) { (*swissMap)(m).seed = uintptr(seed) }

// What internal/abi/map.go makes of a group (map_swiss.go up to 1.25). An element above 128 bytes is stored apart.
type swissGroup[K comparable, V any] struct {
	ctrl  [groupSlots]uint8
	slots [groupSlots]struct {
		key  K
		elem V
	}
}

const elemInlineMax = 128

type swissTotals struct {
	tables, slots, growthLeft, tombstones int
	byCapacity, byLocalDepth              map[int]int
}

func totalsOf(s *swissMap) swissTotals {
	t := swissTotals{byCapacity: map[int]int{}, byLocalDepth: map[int]int{}}
	if s.dirLen == 0 && s.dirPtr != nil {
		t.slots = groupSlots
	}
	s.each(func(table *swissTable) {
		t.tables++
		t.slots += int(table.capacity)
		t.growthLeft += int(table.growthLeft)
		t.tombstones += int(table.capacity)*7/8 - int(table.used) - int(table.growthLeft)
		t.byCapacity[int(table.capacity)]++
		t.byLocalDepth[int(table.localDepth)]++
	})
	return t
}

func (s *swissMap) each(visit func(table *swissTable)) {
	if s.dirLen == 0 {
		return
	}
	for i, table := range unsafe.Slice((**swissTable)(s.dirPtr), s.dirLen) {
		if table.index == i {
			visit(table)
		}
	}
}

func (t *tracer) printRow(op byte, key uint64) {
	s := (*swissMap)(t.m.header())
	n := totalsOf(s)
	fmt.Fprintf(t.out, "%c,%d,%d,%d,%d,%d,%d,%d\n", op, key, s.used, s.dirLen, s.globalDepth, n.tables, n.slots, n.growthLeft)
}

func isFull(ctrl uint8) bool { return ctrl&0x80 == 0 }

// "NAME":{"LABEL":COUNT,...} in the order of the labels as texts.
func counts(name string, of map[int]int) string {
	labels := make([]string, 0, len(of))
	for label := range of {
		labels = append(labels, strconv.Itoa(label))
	}
	sort.Strings(labels)
	for i, label := range labels {
		number, _ := strconv.Atoi(label)
		labels[i] = fmt.Sprintf("%q:%d", label, of[number])
	}
	return fmt.Sprintf("%q:{%s}", name, strings.Join(labels, ","))
}

func (t *traced[K, V]) digest() string {
	const empty = 0x80
	s := (*swissMap)(t.header())
	sum, full := uint64(fnvStart), 0
	var live [groupSlots + 1]int
	var val V
	apart := unsafe.Sizeof(val) > elemInlineMax
	look := func(ctrl [groupSlots]uint8, slot func(i int) (key *K, val *V)) {
		entries, empties := 0, 0
		for _, c := range ctrl {
			sum = fnvByte(sum, c)
		}
		for i, c := range ctrl {
			if c == empty {
				empties++
			}
			if !isFull(c) {
				continue
			}
			entries++
			key, val := slot(i)
			sum = fnvWord(fnvWord(sum, *(*uint64)(unsafe.Pointer(key))), t.word(val))
		}
		live[entries]++
		if empties == 0 {
			full++
		}
	}
	groups := func(data unsafe.Pointer, number uint64) {
		for i := uint64(0); i < number; i++ {
			if apart {
				g := &unsafe.Slice((*swissGroup[K, *V])(data), number)[i]
				look(g.ctrl, func(i int) (*K, *V) { return &g.slots[i].key, g.slots[i].elem })
			} else {
				g := &unsafe.Slice((*swissGroup[K, V])(data), number)[i]
				look(g.ctrl, func(i int) (*K, *V) { return &g.slots[i].key, &g.slots[i].elem })
			}
		}
	}
	if s.dirLen == 0 && s.dirPtr != nil {
		groups(s.dirPtr, 1)
	}
	s.each(func(table *swissTable) {
		if bits.OnesCount64(table.groups.mask+1) != 1 {
			panic("the tables of this release are laid out in another way")
		}
		groups(table.groups.data, table.groups.mask+1)
	})
	n := totalsOf(s)
	hist := strings.ReplaceAll(fmt.Sprint(live), " ", ",")
	return fmt.Sprintf(`{"count":%d,"dirLen":%d,"globalDepth":%d,"tables":%d,"slots":%d,"growthLeft":%d,"tombstones":%d,%s,%s,`+
		`"full_groups":%d,"group_live_hist":%s,"layout_fnv1a64":"%016x"}`,
		s.used, s.dirLen, s.globalDepth, n.tables, n.slots, n.growthLeft, n.tombstones, counts("tables_by_capacity", n.byCapacity),
		counts("tables_by_localDepth", n.byLocalDepth), full, hist, sum)
}
