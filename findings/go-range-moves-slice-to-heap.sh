#!/usr/bin/env bash
# Go 1.26 and 1.27: a slice that is appended to and does not escape is allocated if `for _, x := range s` reads it.
#
# Since 1.25 a slice that starts empty and stays in its function gets its first 32 bytes on the stack: four appended ints cost
# no allocation, whatever reads them. From 1.26 on the same function allocates 32 bytes once its loop is written with range
# and the element; read by index over len(s) it still costs nothing. So code that was free of allocations in 1.25 is not in
# 1.26, and a counter of allocations on a hot path of a map's client may move with nothing but the toolchain.
#
# Seen with golang-1.25 1.25.12, golang-1.26 1.26.11 and golang-1.27 1.27.4, amd64; bytes and allocations of a call:
#             for _, x := range s      for i := range len(s)
#   1.25.12          0 / 0                    0 / 0
#   1.26.11         32 / 1                    0 / 0
#   1.27.4          32 / 1                    0 / 0
# Expected before: that a newer release keeps on the stack what an older one did.
# shellcheck source-path=SCRIPTDIR source=support/go.bash
source "$(dirname "${BASH_SOURCE[0]}")/support/go.bash"

mkdir "$work/program"
printf 'module appended\n\ngo 1.23\n' >"$work/program/go.mod"
cat >"$work/program/main.go" <<'GO'
package main

import (
	"fmt"
	"runtime"
)

//go:noinline
func readByRange(n int) (sum int) {
	var s []int
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	for _, x := range s {
		sum += x
	}
	return sum
}

//go:noinline
func readByIndex(n int) (sum int) {
	var s []int
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	for i := 0; i < len(s); i++ {
		sum += s[i]
	}
	return sum
}

func cost(name string, f func(n int) int) {
	const calls = 10000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f(4)
	}
	runtime.ReadMemStats(&after)
	fmt.Println(name, (after.TotalAlloc-before.TotalAlloc)/calls, (after.Mallocs-before.Mallocs)/calls)
}

func main() {
	runtime.GOMAXPROCS(1)
	cost("range", readByRange)
	cost("index", readByIndex)
}
GO

for release in 1.25=1.25.12-1~bpo13+1 1.26=1.26.11-1~bpo13+1 1.27=1.27.4-1~bpo13+1; do
    output=$(run_go "${release%=*}" "${release#*=}" "$work/program")
    of() { awk -v name="$1" '$1 == name { print $2, $3 }' <<<"$output"; }
    wanted="32 1"
    [[ $release != 1.25=* ]] || wanted="0 0"
    expect "Go ${release%=*}, four ints read by range cost (bytes, allocations)" "$(of range)" test "$(of range)" = "$wanted"
    expect "Go ${release%=*}, read by index" "$(of index)" test "$(of index)" = "0 0"
done
exit $changed
