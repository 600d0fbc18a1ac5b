#!/usr/bin/env bash
# Random scripts - presized maps, deletions down to nearly nothing and to nothing, clear, refills, windows - as the real
# runtime ran them, and what trace says of a map that became empty.
#   tests/test_go_trace_scripts.sh BUILD
set -euo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
mapbench=$(realpath "${1:-build}")/mapbench
failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# --- recorded scripts -------------------------------------------------------------------------------------------
replayed=0
while IFS='|' read -r map key seed form script lines sum; do
    [[ $map == \#* ]] && continue
    got=$("$mapbench" trace "$map" --hashkey "$key" --seed "$seed" --ops "$script" "--$form" | sed 's/,"seed_redrawn":true//'; echo .)
    got=${got%.}
    [[ $(printf %s "$got" | wc -l) == "$lines" ]] || fail "$map: $script --$form: not $lines lines"
    [[ $(printf %s "$got" | sha256sum) == "$sum"* ]] || fail "$map: $script --$form: not what the runtime shows"
    replayed=$((replayed + 1))
done <tests/fixtures/go/trace_scripts.txt
[[ $replayed -ge 140 ]] || fail "only $replayed scripts replayed"

# --- a map that became empty ------------------------------------------------------------------------------------
for map in go_hmap go_swiss; do
    digests() { "$mapbench" trace "$map" --seed 7 --digest --ops "$1"; }
    marked() { # SCRIPT LINE: is the digest marked, and is its layout withheld
        digests "$1" | sed -n "$2p" | awk '{ printf "%s %s", /"seed_redrawn":true/ ? "marked" : "plain", /"layout_fnv1a64":null/ ? "withheld" : "given" }'
    }
    # The layout of an empty map does not depend on the new seed; that of what is inserted then does.
    while IFS='|' read -r script line expected; do
        got=$(marked "$script" "$line")
        [[ $got == "$expected" ]] || fail "$map: digest $line of '$script' is $got, not $expected"
    done <<'END'
insert 0..99; delete 0..98|2|plain given
insert 0..99; delete 0..99|2|marked given
insert 0..99; delete 0..99; insert 0..9|3|marked withheld
insert 0..99; clear; insert 0..9; clear|4|marked withheld
insert 0..99; clear; seed 7; insert 0..9|4|plain given
insert 0..99; clear; insert 0..9; clear; seed 7|5|marked withheld
insert 0..99; clear; insert 0..9; make 20; insert 0..9|5|plain given
clear; delete 0..9; insert 0..9|3|plain given
END
    [[ $(digests "insert 0..99; clear; seed 7; insert 0..9" | tail -n 1) == "$(digests "insert 0..99; clear; seed 0x7; insert 0..9" | tail -n 1)" ]] ||
        fail "$map: two notations of a seed differ"
    [[ $(digests "seed 8; insert 0..99" | tail -n 1) != "$(digests "insert 0..99")" ]] || fail "$map: seed changes nothing"
    status=0
    said=$(digests "insert 0..3; seed 1" 2>&1 >/dev/null) || status=$?
    [[ $status != 0 && $said == *seed* && $(wc -l <<<"$said") == 1 ]] || fail "$map: a full map is given a seed: status $status, '$said'"
    status=0
    said=$("$mapbench" trace "$map" --ops "seed x" 2>&1 >/dev/null) || status=$?
    [[ $status == 2 && $said == *"seed x"* ]] || fail "$map: 'seed x': status $status, '$said'"
done
status=0
said=$("$mapbench" trace go_hmap --ops "seed 0x100000000" 2>&1 >/dev/null) || status=$?
[[ $status == 2 && $said == *0x100000000* ]] || fail "a seed of 33 bits: status $status, '$said'"

# --- bytes as Go's allocator counts them: test_go_memcurve.sh has the curves, of maps without header and first bucket ---
bytes() { "$mapbench" trace "$1" --bytes --ops "make 8; insert 0..7; insert 8..8; make 65536" | sed 's/.*"bytes":\([0-9]*\).*/\1/' | paste -sd ' '; }
# hmap 48; a bucket of 144; an array of two; one for 2^14 with its spare buckets, in whole pages, and mapextra.
got=$(bytes go_hmap)
[[ $got == "48 192 336 $((48 + 306 * 8192 + 24))" ]] || fail "go_hmap: bytes $got"
# Map 48; a group of 136 in a block of 144; a directory of 8 and a table of 32 with 288 for two groups; 128 tables of
# 1024 slots and their directory, which has a header.
got=$(bytes go_swiss)
[[ $got == "48 192 376 $((48 + 128 * (32 + 18432) + 1152))" ]] || fail "go_swiss: bytes $got"
status=0
said=$("$mapbench" trace go_syncmap --bytes --ops "store 1" 2>&1 >/dev/null) || status=$?
[[ $status == 2 && $said == *--bytes* ]] || fail "bytes of go_syncmap: status $status, '$said'"

[[ $failures == 0 ]] || exit 1
echo "$replayed scripts replayed bit for bit"
