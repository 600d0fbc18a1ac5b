#!/usr/bin/env bash
# Plants faults into a map (tests/mutants/*.h) and into the measured loops (tests/mutants/loops.txt) and demands that
# the selftest finds each, with the message that names it; the unharmed map must pass.
#   tests/test_mutants.sh BUILD [PATTERN]
set -euo pipefail

self=$(realpath "${BASH_SOURCE[0]}")
cd "$(dirname "$self")/.."
build=$(realpath "${1:?usage: tests/test_mutants.sh BUILD [PATTERN]}")
# shellcheck source=tests/mutants/unit.sh
source tests/mutants/unit.sh

# judge NAME EXPECTED, then unit_run's arguments after the name. Prints the verdict.
judge() {
    local name=$1 expected=$2 output status=0
    shift 2
    output=$(unit_run "$name" "$@" 2>&1) || status=$?
    if [[ $expected == passed ]]; then
        [[ $status == 0 && $output == passed ]] && { echo "ok    $name passes"; return; }
    elif [[ $status == 1 && $output =~ ^FAILED:\ .*($expected) ]]; then
        echo "ok    $name: ${output#FAILED: }"
        return
    fi
    echo "FAIL  $name: status $status, expected \"$expected\", got: $output"
}

# field NAME FILE: from the head of a mutant's file.
field() { sed -n "s/^ \* $1: //p" "$2"; }

map_mutant() {
    local file=tests/mutants/$1.h
    judge "$1" "$(field Expect "$file")" "$file" "$(field Shape "$file")"
}

loop_mutant() {
    local name=$1 line edit expected
    line=$(grep -E "^$name +\|" tests/mutants/loops.txt)
    read -r edit <<<"$(cut -d '|' -f 2 <<<"$line")"
    read -r expected <<<"$(cut -d '|' -f 3- <<<"$line")"
    mkdir -p "$scratch/$name.include/harness/unit"
    sed "$edit" harness/unit/loops.inc >"$scratch/$name.include/harness/unit/loops.inc"
    if cmp -s harness/unit/loops.inc "$scratch/$name.include/harness/unit/loops.inc"; then
        echo "FAIL  $name: its sed expression changes nothing in harness/unit/loops.inc"
        return
    fi
    judge "$name" "$expected" maps/linear.h u64_u64 "-I$scratch/$name.include"
}

if [[ ${MUTANTS_SCRATCH:-} ]]; then # called by xargs below, for one mutant
    scratch=$MUTANTS_SCRATCH
    if [[ -f tests/mutants/$2.h ]]; then map_mutant "$2"; else loop_mutant "$2"; fi
    exit
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unit_runner
names=$({
    basename -s .h tests/mutants/*.h
    sed -n 's/^\([a-z_]*\) *|.*/\1/p' tests/mutants/loops.txt
} | grep -E "${2:-.}") || { echo "mutants: nothing matches ${2:-}"; exit 1; }
MUTANTS_SCRATCH=$scratch xargs -P 2 -I{} "$self" "$build" {} <<<"$names" >"$scratch/results"
sort -k 2 "$scratch/results"
ok=$(grep -c '^ok ' "$scratch/results") || true
total=$(wc -l <<<"$names")
echo "$ok of $total as expected"
[[ $ok == "$total" ]]
