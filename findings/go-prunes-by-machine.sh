#!/usr/bin/env bash
# Go 1.25 to 1.27: whether a map with [8]byte keys ever drops its tombstones depends on the processor it is compiled for.
#
# Only the fast assignments prune. A key of 8 plain bytes gets one if it may be read as a word: [8]byte does on amd64 and arm64,
# which read words at any address, and does not on riscv64 and 32-bit arm; struct{ a, b uint32 } does on arm, and not on riscv64.
# So the same program, under the same churn, keeps 1.0 to 1.5 times its size on one machine and 4 times on another, and a leak
# that is found on a board does not show on the developer's machine. uint64 keys are fast on all four.
#
# Seen with golang-1.27 1.27.4, cross-compiled to assembly: which runtime.mapassign* the compiler calls.
#                             amd64     arm64     arm       riscv64
#   map[[8]byte]int           fast64    fast64    generic   generic
#   map[struct{a,b uint32}]int  fast64  fast64    fast64    generic
#   map[uint64]int            fast64    fast64    fast64    fast64
# Expected before: that the map type alone decides.
# shellcheck source-path=SCRIPTDIR source=support/go.bash
source "$(dirname "${BASH_SOURCE[0]}")/support/go.bash"

mkdir "$work/program"
printf 'module assign\n\ngo 1.23\n' >"$work/program/go.mod"
cat >"$work/program/main.go" <<'GO'
package main

type pair struct{ a, b uint32 }

//go:noinline
func bytes(m map[[8]byte]int, k [8]byte) { m[k] = 1 }

//go:noinline
func words(m map[pair]int, k pair) { m[k] = 1 }

//go:noinline
func number(m map[uint64]int, k uint64) { m[k] = 1 }

func main() {
	bytes(map[[8]byte]int{}, [8]byte{})
	words(map[pair]int{}, pair{})
	number(map[uint64]int{}, 0)
}
GO

unpack_go 1.27 1.27.4-1~bpo13+1
# assignment MACHINE FUNCTION: the runtime's function that a function of the program calls.
assignment() {
    (cd "$work/program" && HOME=$work GOTOOLCHAIN=local GOPROXY=off GOOS=linux GOARCH=$1 \
        "$work/go-1.27/usr/lib/go-1.27/bin/go" build -gcflags=-S -o /dev/null . 2>&1) |
        awk -v begin="^main\\\\.$2 STEXT" '$0 ~ begin { on = 1; next } / STEXT / { on = 0 }
            on && match($0, /runtime\.mapassign[a-z0-9_]*/) { print substr($0, RSTART + 17, RLENGTH - 17); exit }'
}
while read -r machine bytes words number; do
    for function in bytes:"$bytes" words:"$words" number:"$number"; do
        called=$(assignment "$machine" "${function%:*}")
        wanted=${function#*:}
        [[ $wanted != generic ]] || wanted=""
        expect "$machine, ${function%:*}" "${called:-generic}" test "$called" = "${wanted:+_$wanted}"
    done
done <<'TABLE'
amd64 fast64 fast64 fast64
arm64 fast64 fast64 fast64
arm generic fast64 fast64
riscv64 generic generic fast64
TABLE
exit $changed
