#!/bin/bash
# tests/test_disassembly.sh BUILD_DIR
#
# A unit's lookup loop must contain the map, not call it, and must not read a clock: a call per operation changes the
# ranks of maps (docs/method.md). Read from the object code of one C unit. So that a search that never finds anything
# cannot pass, the same search must find the call in run_get_call and the clock in run_put_timed and run_get_timed.
# Exempt are the ports of Go's plain maps: they are called, as Go's are (docs/go-ports.md), and must stay so.
set -u -o pipefail
fail() { echo "disassembly: $*" >&2; exit 1; }

[ $# -eq 1 ] || { echo "usage: tests/test_disassembly.sh BUILD_DIR" >&2; exit 2; }
"$1/mapbench" units '^(linear-u64_u64-common|go_(hmap|swiss)-u64_u64-native)-malloc$' > /dev/null || fail "its units cannot be built"
object=$1/units/linear-u64_u64-common-malloc.o
command -v objdump > /dev/null || fail "objdump is missing: make deps-test (binutils)"

case $(uname -m) in
x86_64) calls='[[:space:]](call|callq)[[:space:]]' clock='[[:space:]]rdtscp?$' tail_jump='[[:space:]]jmpq?[[:space:]]' ;;
aarch64) calls='[[:space:]]blr?[[:space:]]' clock='cntvct_el0' tail_jump='[[:space:]]b[[:space:]]' ;;
*) echo "disassembly: skipped, not known how to read $(uname -m) code"; exit 0 ;;
esac

list() { listing=$(objdump --disassemble --reloc --no-show-raw-insn "$1") || fail "objdump cannot read $1"; }
list "$object"

# The instructions and relocations of one function, and of the cold part that the compiler may have split from it.
body() {
    awk -v name="$1" '
        /^[0-9a-f]+ <.*>:$/ {
            symbol = $2
            gsub(/[<>:]/, "", symbol)
            inside = symbol == name || index(symbol, name ".") == 1
            next
        }
        inside && NF' <<< "$listing"
}

# Jumps that leave the function are calls too. A jump within it names the function itself, or its cold part.
calls_of() {
    local code=$1 name=$2
    {
        grep -E "$calls" <<< "$code"
        grep -E "$tail_jump" <<< "$code" | grep -E "<" | grep -vE "<$name(\.[a-z0-9.]+)?(\+0x[0-9a-f]+)?>"
        grep -E "R_(X86_64_PLT32|AARCH64_CALL26|AARCH64_JUMP26)" <<< "$code"
    } | sort -u
}

counts() { # counts FUNCTION: sets n_instructions, n_calls, n_clocks
    local code
    code=$(body "$1")
    n_instructions=$(grep -c . <<< "$code")
    [ -n "$code" ] || fail "no function $1 in $object"
    [ "$n_instructions" -ge 10 ] || fail "$1 has $n_instructions lines of code: too few to be a loop over a map"
    n_calls=$(calls_of "$code" "$1" | grep -c .)
    n_clocks=$(grep -cE "$clock" <<< "$code")
    echo "disassembly: $1: $n_instructions lines, $n_calls calls, $n_clocks clock reads"
}

counts run_get_call
[ "$n_calls" -gt 0 ] || fail "run_get_call shows no call: this test cannot see calls"
counts run_put_timed
[ "$n_calls" -gt 0 ] || fail "run_put_timed shows no call although growth is out of line: this test cannot see calls"
[ "$n_clocks" -gt 0 ] || fail "run_put_timed shows no clock: this test cannot see clocks"
counts run_get_timed
[ "$n_clocks" -gt 0 ] || fail "run_get_timed shows no clock: this test cannot see clocks"
counts run_get
[ "$n_calls" -eq 0 ] || fail "run_get calls: $(calls_of "$(body run_get)" run_get | tr -s '[:space:]' ' ')"
[ "$n_clocks" -eq 0 ] || fail "run_get reads a clock"

for port in go_hmap go_swiss; do
    object=$1/units/$port-u64_u64-native-malloc.o
    list "$object"
    for loop in run_get run_put run_del run_scan; do
        counts "$loop"
        [ "$n_calls" -gt 0 ] || fail "$loop of $port calls nothing: the port's functions must be called, as in Go"
    done
    counts run_get
    [ "$n_clocks" -eq 0 ] || fail "run_get of $port reads a clock"
done
