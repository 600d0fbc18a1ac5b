#!/usr/bin/env bash
# Go 1.27: a map held by an iterator that was pulled once and never stopped is not found by the goroutine leak profile.
#
# iter.Pull2(maps.All(m)) runs the iterator in a goroutine of its own; without stop, or reading to the end, that goroutine
# waits for ever and holds the map. Nothing can wake it once next and stop are gone, so it is a leak by the definition of the
# goroutineleak profile (always there since 1.27), which reports goroutines blocked for good: it reports none. The plain
# goroutine profile has it, in state "coroutine", and its stack names iter and maps only, not the function that left it behind.
#
# Seen with golang-1.27 1.27.4, amd64: 2,370,816 bytes kept by a map of 100,000 uint64 pairs, 2 goroutines, 0 leaks reported.
# Expected before: that a coroutine nobody can resume counts as leaked.
# shellcheck source-path=SCRIPTDIR source=support/go.bash
source "$(dirname "${BASH_SOURCE[0]}")/support/go.bash"

mkdir "$work/program"
printf 'module pull\n\ngo 1.23\n' >"$work/program/go.mod"
cat >"$work/program/main.go" <<'GO'
package main

import (
	"fmt"
	"iter"
	"maps"
	"runtime"
	"runtime/pprof"
	"strings"
)

func heapAlloc() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

//go:noinline
func abandonAnIterator() {
	m := make(map[uint64]uint64)
	for i := range uint64(100000) {
		m[i] = i
	}
	next, _ := iter.Pull2(maps.All(m))
	next()
}

//go:noinline
func abandonAReceiver() {
	go func() { <-make(chan int) }()
}

func report(name string) string {
	var text strings.Builder
	pprof.Lookup(name).WriteTo(&text, 2)
	return text.String()
}

func main() {
	base := heapAlloc()
	abandonAnIterator()
	abandonAReceiver() // what the profile is for
	runtime.Gosched()
	leaks := report("goroutineleak")
	fmt.Println("kept", heapAlloc()-base)
	fmt.Println("goroutines", runtime.NumGoroutine())
	fmt.Println("leaks", pprof.Lookup("goroutineleak").Count())
	fmt.Println("coroutines", strings.Count(report("goroutine"), "[coroutine"))
	fmt.Println("leaked-coroutines", strings.Count(leaks, "[coroutine (leaked"))
}
GO

output=$(run_go 1.27 1.27.4-1~bpo13+1 "$work/program")
value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$output"; }
expect "bytes that the map keeps" "$(value kept)" between "$(value kept)" 2300000 2450000
expect "goroutines that wait as coroutines" "$(value coroutines)" test "$(value coroutines)" = 1
expect "leaks reported (the receiver of a channel alone)" "$(value leaks)" test "$(value leaks)" = 1
expect "coroutines among them" "$(value leaked-coroutines)" test "$(value leaked-coroutines)" = 0
exit $changed
