#!/usr/bin/env bash
# Replays on go_hmap what was recorded from the real runtime, and asks trace for the impossible.
#   tests/test_go_hmap.sh BUILD
set -euo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."
mapbench=$(realpath "${1:-build}")/mapbench
fixtures=tests/fixtures/go
key=1841c60b5c51c71c,275cbe316e16f17f,4cccb7aec6d00dac,4c97b073dc2c319b
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

trace() { "$mapbench" trace go_hmap --hashkey "$key" --seed 0x12345678 --ops "$@"; }

# From B = 16 on the overflow buckets are counted by chance: the count is dropped there.
without_chance() {
    awk '/"B(_to)?":(1[6-9]|[2-9][0-9])[,}]/ {
        sub(/"noverflow":[0-9]+,/, ""); sub(/,"noverflow":[0-9]+/, ""); sub(/,"noverflow_after":[0-9]+/, "") } { print }'
}

# --- recorded traces --------------------------------------------------------------------------------------------
replayed=0
while IFS='|' read -r script output lines sum; do
    [[ $script == \#* ]] && continue
    case $output in
    slide-events) got=$(trace "$script" --events | { grep '"churn_op"' || true; } | without_chance; echo .) ;;
    rows) got=$(trace "$script" --rows; echo .) ;;
    *) got=$(trace "$script" "--$output" | without_chance; echo .) ;;
    esac
    got=${got%.}
    [[ $(printf %s "$got" | wc -l) == "$lines" ]] || fail "$script --$output: not $lines lines"
    [[ $(printf %s "$got" | sha256sum) == "$sum "* ]] || fail "$script --$output: not what the runtime printed"
    replayed=$((replayed + 1))
done <"$fixtures/classic_traces.txt"
[[ $replayed -ge 27 ]] || fail "only $replayed traces replayed"

# A few lines in full, to see where a difference begins.
trace "insert 0..119" --rows | diff "$fixtures/classic_w1_head.csv" - || fail "the first rows differ"
trace "insert 0..12; slide 13 520" --digest | diff "$fixtures/classic_w3_13.digest" - || fail "the digests of a window of 13 differ"

# --- words that have no recording -------------------------------------------------------------------------------
[[ $(trace "make 100" --digest) == '{"count":0,"B":4,'* ]] || fail "make 100 has not 16 buckets"
[[ $(trace "make 8" --digest) == *'"occupancy_hist":[],"chain_hist":[]'* ]] || fail "make 8 has buckets"
[[ $(trace "insert 0..9; get 0..4" --rows | tail -n 1) == G,4,10,* ]] || fail "get prints no row"
trace "insert 0..9; delete 0..9" --rows | grep -qx '# seed re-drawn at op 19' || fail "rows do not tell of the new seed"
trace "insert 0..9; clear" --events | grep -q '"ev":"seed_redrawn"' || fail "events do not tell of the new seed"
trace "insert 0..9; clear; insert 0..9" --digest | tail -n 1 | grep -q '"seed_redrawn":true' || fail "digests do not tell of the new seed"
if trace "insert 0..9; delete 0..8" --digest | grep -q seed_redrawn; then fail "a map that was never empty has a new seed"; fi

# --- bad input ----------------------------------------------------------------------------------------------------
refused inzert trace go_hmap --ops "inzert 0..9"
refused "9..0" trace go_hmap --ops "insert 0..3; delete 9..0"
refused "0..x" trace go_hmap --ops "get 0..x"
refused "slide 3" trace go_hmap --ops "slide 3"
refused "clear 3" trace go_hmap --ops "clear 3"
refused "make -1" trace go_hmap --ops "make -1"
refused store trace go_hmap --ops "store 1"
refused "--ops" trace go_hmap --ops ""
refused "1,2,3" trace go_hmap --ops clear --hashkey 1,2,3
refused "1,2,3,12345678901234567" trace go_hmap --ops clear --hashkey 1,2,3,12345678901234567
refused "12z" trace go_hmap --ops clear --seed 12z
refused 0x100000000 trace go_hmap --ops clear --seed 0x100000000
refused go_hmpa trace go_hmpa --ops clear
refused row trace go_hmap --ops clear --row

[[ $failed == 0 ]] || exit 1
echo "$replayed recorded traces replayed bit for bit"
