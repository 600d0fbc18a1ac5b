package main

// The shapes of harness/shapes, written for Go: the loops of loops_map.go.in and loops_sync.go.in are made for each of
// them. A value is made from a number; a word of it is what a loop adds up.

type (
	key_u32_u32 = uint32
	val_u32_u32 = uint32
	key_u64_u64 = uint64
	val_u64_u64 = uint64
	key_u64_b56 = uint64
	val_u64_b56 = [7]uint64
	key_str_u64 = string
	val_str_u64 = uint64
)

func make_u32_u32(number uint64) uint32 { return uint32(number) }
func make_u64_u64(number uint64) uint64 { return number }
func make_str_u64(number uint64) uint64 { return number }
func make_u64_b56(n uint64) [7]uint64   { return [7]uint64{n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6} }

func word_u32_u32(val *uint32) uint64    { return uint64(*val) }
func word_u64_u64(val *uint64) uint64    { return *val }
func word_str_u64(val *uint64) uint64    { return *val }
func word_u64_b56(val *[7]uint64) uint64 { return val[0] + val[6] }

func keyWord_u32_u32(key uint32) uint64 { return uint64(key) }
func keyWord_u64_u64(key uint64) uint64 { return key }
func keyWord_u64_b56(key uint64) uint64 { return key }
func keyWord_str_u64(key string) uint64 { return uint64(len(key)) }
