#!/usr/bin/env bash
# Go 1.25 to 1.27: maps.Clone of an empty map can take megabytes.
#
# Since 1.25 Clone copies the tables of a map as they are, its capacity and its tombstones too. A map that once held 100,000
# entries and was emptied, by clear or by deleting them all, is cloned with all its slots: 2,364,832 bytes for len 0. In 1.24
# the same call took 48 bytes. Copying a map before handing it out is meant to be safe; for pools and caches of cleared maps
# it doubles what was to be saved. maps.Collect(maps.All(m)), or a loop, takes what the entries need.
#
# Seen with golang-1.24 1.24.4, golang-1.25 1.25.12 and golang-1.27 1.27.4, amd64.
# Expected before: that a clone of nothing is small, as everywhere else.
# shellcheck source-path=SCRIPTDIR source=support/go.bash
source "$(dirname "${BASH_SOURCE[0]}")/support/go.bash"

mkdir "$work/program"
printf 'module clone\n\ngo 1.23\n' >"$work/program/go.mod"
cat >"$work/program/main.go" <<'GO'
package main

import (
	"fmt"
	"maps"
	"runtime"
)

var kept any

func heapAlloc() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func cost(name string, empty func(m map[uint64]uint64), duplicate func(m map[uint64]uint64) map[uint64]uint64) {
	m := make(map[uint64]uint64)
	for i := range uint64(100000) {
		m[i] = i
	}
	empty(m)
	kept = nil
	base := heapAlloc()
	kept = duplicate(m)
	fmt.Println(name, heapAlloc()-base, len(m))
	runtime.KeepAlive(m)
}

func main() {
	cleared := func(m map[uint64]uint64) { clear(m) }
	deleted := func(m map[uint64]uint64) { maps.DeleteFunc(m, func(_, _ uint64) bool { return true }) }
	collect := func(m map[uint64]uint64) map[uint64]uint64 { return maps.Collect(maps.All(m)) }
	cost("warm-up", cleared, collect)
	cost("clone-cleared", cleared, maps.Clone[map[uint64]uint64])
	cost("clone-deleted", deleted, maps.Clone[map[uint64]uint64])
	cost("collect-cleared", cleared, collect)
}
GO

for release in 1.24=1.24.4-1 1.25=1.25.12-1~bpo13+1 1.27=1.27.4-1~bpo13+1; do
    output=$(run_go "${release%=*}" "${release#*=}" "$work/program")
    kept() { awk -v name="$1" '$1 == name { print $2 }' <<<"$output"; }
    least=2300000 most=2450000
    [[ $release != 1.24=* ]] || least=-4096 most=4096
    for how in clone-cleared clone-deleted; do
        expect "Go ${release%=*}, $how of an empty map takes" "$(kept $how)" between "$(kept $how)" "$least" "$most"
    done
    expect "Go ${release%=*}, collect-cleared takes" "$(kept collect-cleared)" between "$(kept collect-cleared)" -4096 4096
done
exit $changed
