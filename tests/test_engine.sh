#!/usr/bin/env bash
# Engines: absent, honest, and going wrong in every way; whatever they do, all else is measured. The engine here is a
# Python program (tests/support/fake_engine.py); real Go is tested by test_engine_go.sh.   usage: test_engine.sh BUILD
set -u
build=${1:?usage: tests/test_engine.sh BUILD}
mapbench=$build/mapbench
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh
here=$(dirname "$(realpath "$0")")

text_has() { grep -qE -- "$2" "$1" || { cat "$1"; return 1; }; }

# measure NAME WANTED_CODE [OPTION...]: a small run of a C map and an engine's; rows in $scratch/NAME/rows.jsonl.
measure() {
    local name=$1 wanted=$2 got
    shift 2
    "$mapbench" run --maps linear,real_go_swiss,real_go_hmap --n 512 --workloads put_grow,get,del,scan --repeat 2 --batches 2 \
        --figures no --out "$scratch/$name" "$@" >"$scratch/$name.out" 2>&1
    got=$?
    if [ "$got" -eq "$wanted" ]; then pass; else fail "$name: exit $got, not $wanted: $(cat "$scratch/$name.out")"; fi
}
# rows NAME MAP: how many rows of the map have a number, and how many have an error.
rows() {
    awk -v map="\"map\": \"$2\"|\"map\":\"$2\"" '$0 ~ map { if (/"error": ?null/) good++; else bad++ } END { print good + 0, bad + 0 }' \
        "$scratch/$1/rows.jsonl"
}
rows_are() { [ "$(rows "$1" "$2")" = "$3" ] || { echo "rows of $2: $(rows "$1" "$2"), not $3"; cat "$scratch/$1.out"; return 1; }; }
reason_is() { grep -E "\"map\": ?\"real_go_swiss\"" "$scratch/$1/rows.jsonl" | grep -qE "\"error\": ?\"[^\"]*$2" || { grep -oE '"error": ?"[^"]*"' "$scratch/$1/rows.jsonl"; return 1; }; }

# --- absent -----------------------------------------------------------------------------------------------------------
mkdir "$scratch/none" "$scratch/engines"
export MAPBENCH_ENGINES=$scratch/none
"$mapbench" list maps --json >"$scratch/list.json"
check "an absent engine's maps are listed with the reason" text_has "$scratch/list.json" 'not built: make engines'
measure absent 0
check "an absent engine is a skip" text_has "$scratch/absent.out" 'skipped: real_go_swiss: not built: make engines'
check "an absent engine leaves the rest alone" rows_are absent linear "4 0"
"$mapbench" run --maps real_go_swiss --n 512 --out "$scratch/only" >"$scratch/only.out" 2>&1
[ $? -eq 4 ] || fail "only an absent engine: not exit 4: $(cat "$scratch/only.out")"

# --- honest -----------------------------------------------------------------------------------------------------------
export MAPBENCH_ENGINES=$scratch/engines
for name in go1.27 go1.24 go1.24-classic go1.23; do cp "$here/support/fake_engine.py" "$scratch/engines/$name"; done
export FAKE_ENGINE=honest
measure honest 0
check "an honest engine is measured" rows_are honest real_go_swiss "4 0"
check "its version is in the rows" text_has "$scratch/honest/rows.jsonl" '"engine": ?"go1.27-fake"'
check "checksums of all maps agree" bash -c \
    "[ \$(grep -E '\"workload\": ?\"scan\"' '$scratch/honest/rows.jsonl' | grep -vE '\"map\": ?\"null\"' | grep -oE '\"checksum\": ?\"0x[0-9a-f]*\"' | sort -u | wc -l) = 1 ]"
"$mapbench" list engines >"$scratch/engines.out"
check "list engines names it" text_has "$scratch/engines.out" 'go1.24-classic'
check "an engine's map is explained" bash -c "'$mapbench' explain real_go_swiss | grep -q 'fairness.*process of its own'"
check "engines can be selected as a group" bash -c "'$mapbench' plan --maps engines --n 1k | grep -q real_go_hashtrie_gc"
check "ours leaves engines out" bash -c "! '$mapbench' plan --maps ours --n 1k | grep -q real_go"

# --- going wrong ------------------------------------------------------------------------------------------------------
# MODE REASON: the run goes on without the engine, its rows say why, exit 4; the other engine has the same fault.
while IFS='|' read -r mode reason; do
    export FAKE_ENGINE=$mode
    limit=()
    case $mode in hang) limit=(--limit 1) ;; esac # ten times that by the clock
    measure "$mode" 4 "${limit[@]}"
    check "$mode: all C rows are there" rows_are "$mode" linear "4 0"
    check "$mode: every row of the engine is marked" bash -c "[ '$(rows "$mode" real_go_swiss)' != '4 0' ]"
    check "$mode: the reason" reason_is "$mode" "$reason"
done <<'MODES'
die|it exited with code 3: fatal error: invented by the test
latin1|it exited with code 3: caf\?
garbage|it printed .*Segmentation fault.* instead of an answer
wrong|refused: .* is 1, must be
hang|time limit|limit
error|it says: no more
silent|it exited with code 0
noise|it printed .*hello, world.* instead of its name
protocol|it speaks protocol 2, this program 1
design|built with other and other maps, not swiss and hashtrie
release|engine go1.27: it was built with go1.22.9, not with go1.27: build it again with make engines
MODES
printf '#!/bin/sh\nkill -9 $$\n' >"$scratch/engines/go1.27"
export FAKE_ENGINE=honest
measure killed 4
check "killed: the reason" reason_is killed 'SIGKILL'
check "killed: the other engine goes on" rows_are killed real_go_hmap "4 0"
"$mapbench" list engines >"$scratch/engines.out"
check "list engines says why one does not run" text_has "$scratch/engines.out" 'SIGKILL'
printf 'not a program\n' >"$scratch/engines/go1.27"
measure no_program 4
check "no program: the reason" reason_is no_program 'cannot be started|exited'

# --- a release behind another's name, the rest is measured -------------------------------------------------------------
export FAKE_ENGINE=honest
cat >"$scratch/engines/go1.27" <<ENGINE
#!/bin/sh
exec "$scratch/engines/go1.24" "\$@"
ENGINE
measure renamed 4
check "renamed: the reason" reason_is renamed 'it was built with go1.24-fake, not with go1.27'
check "renamed: the other engine goes on" rows_are renamed real_go_hmap "4 0"
check "renamed: the C map's rows are there" rows_are renamed linear "4 0"
"$mapbench" list engines >"$scratch/engines.out"
check "list engines says it, too" text_has "$scratch/engines.out" 'go1.27.*built with go1.24-fake, not with go1.27'
cp "$here/support/fake_engine.py" "$scratch/engines/go1.27"

# --- a release newer than the ports -----------------------------------------------------------------------------------
cp "$here/support/fake_engine.py" "$scratch/engines/go1.28"
unchecked='port not checked against this release'
"$mapbench" run --maps linear,real_go128_swiss,real_go128_hashtrie --n 512 --workloads get,del --repeat 2 --batches 2 --figures no \
    --out "$scratch/newer" >"$scratch/newer.out" 2>&1 || fail "newer: exit $?: $(cat "$scratch/newer.out")"
check "newer: it is measured" rows_are newer real_go128_swiss "2 0"
check "newer: every row is marked" bash -c "! grep real_go128 '$scratch/newer/rows.jsonl' | grep -v '\"engine\": \?\"go1.28-fake ($unchecked)\"'"
"$mapbench" list engines >"$scratch/engines.out"
check "newer: list engines marks it" text_has "$scratch/engines.out" "go1.28 .*$unchecked"
check "newer: the others are not marked" bash -c "[ \$(grep -c '$unchecked' '$scratch/engines.out') = 1 ]"
"$mapbench" list maps >"$scratch/maps.out"
check "newer: list maps marks both maps" bash -c "[ \$(grep real_go128 '$scratch/maps.out' | grep -c '$unchecked') = 2 ]"
check "newer: explain marks the map" bash -c "'$mapbench' explain real_go128_swiss | grep -q '$unchecked'"
check "newer: explain marks the engine" bash -c "'$mapbench' explain go1.28 | grep -q 'version .*$unchecked'"
rm "$scratch/engines/go1.28"
refused "did you mean 'real_go12" run --maps real_go128_swiss --n 512 --out "$scratch/gone"

finish
