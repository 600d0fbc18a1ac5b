#!/usr/bin/env bash
# maps/gdb_mapbench.py on live maps: stops selftest and trace in the middle of growth, and compares what the commands
# and printers show with what gdb finds by walking the map value by value, or by calling the program's own functions.
# Then it breaks the map in memory and expects a line that says so. Needs gdb with Python, and leave to trace.
#   tests/test_gdb.sh BUILD
set -uo pipefail
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
mapbench=$(realpath "${1:-build}")/mapbench
within=$(realpath "${1:-build}")/tests/within
command -v gdb >/dev/null || { echo "gdb is not installed (make deps-test)"; exit 77; }
[[ $(gdb -nx -batch -ex 'python print(6 * 7)' 2>&1) == 42 ]] || { echo "this gdb has no Python"; exit 77; }
# Beforehand: gdb is to follow the process that a unit is tested in, not one that builds it.
"$mapbench" units {go_hmap,go_swiss,go_swiss_split,go_hashtrie}-u64_u64-native-malloc go_hmap-str_u64-common-malloc || exit 1
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

# scenario FUNCTION ARGUMENTS ...: the program's; a selftest's unit is in UNIT
scenario() {
    local name=$1 said status=0
    shift
    said=$(SCENARIO=$name SHELL=/bin/sh "$within" 90 1800 "$scratch/used" gdb -nx -batch -x tests/support/gdb_driver.py --args "$mapbench" "$@" \
        2>&1 </dev/null) || status=$?
    if grep -q '^SKIP ' <<<"$said"; then
        sed -n 's/^SKIP //p' <<<"$said"
        exit 77
    fi
    if ! grep -qE '^[1-9][0-9]* checks, 0 failures$' <<<"$said" || grep -q 'Traceback' <<<"$said"; then
        fail "$name (gdb ended with $status): $(tail -n 60 <<<"$said")"
    else
        pass
        echo "$name: $(grep -E '^[0-9]+ checks' <<<"$said")"
        grep '^not tested: ' <<<"$said"
    fi
}

UNIT=go_hmap/u64_u64/native/malloc scenario hmap_selftest selftest --filter '^(go_hmap|go_hashtrie)/u64_u64/native/malloc$'
scenario hmap_strings selftest --filter '^go_hmap/str_u64/common/malloc$'
export LIVE=$scratch/live
scenario hmap_same_size trace go_hmap --ops "insert 0..12; slide 13 520" --digest
# In what is inlined into the function a newer gcc does not keep the argument.
gdb -nx -batch -ex 'source maps/gdb_mapbench.py' -ex 'frame function go_assign' -ex 'mapbench-map map' "$mapbench" "$scratch/core" \
    >"$scratch/dead" 2>&1 </dev/null || echo "gdb does not open the core file"
sed -n '/^go_hmap at/,$p' "$scratch/dead" | diff "$LIVE" - || fail "the core file shows another map"
scenario swiss_selftest selftest --filter '^go_swiss/u64_u64/native/malloc$'
scenario swiss_selftest selftest --filter '^go_swiss_split/u64_u64/native/malloc$'
scenario swiss_tombstones trace go_swiss@1.24 --ops "insert 0..999; slide 1000 20000" --digest
finish
