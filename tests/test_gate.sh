#!/usr/bin/env bash
# The counting gate: runs of one build agree in every number, planted changes are found and named, and nothing that is not
# a baseline passes. usage: test_gate.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=${1:?usage: test_gate.sh BUILD}
build=$(realpath --relative-to=. "$build")
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
[[ -e /usr/include/valgrind/callgrind.h ]] || { echo "valgrind's header is not installed"; exit 77; }
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh
# shellcheck source=tests/mutants/program.sh
source tests/mutants/program.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILD

# ask CODE: Python that knows `cell`, the cells of $scratch/gate.json by (map, workload), and `result`, all of it.
ask() {
    if "${MAPBENCH_PYTHON:-/usr/bin/python3}" - "$scratch/gate.json" "$1" <<'PY'; then pass; else fail "see above: $1"; fi
import json, sys
result = json.load(open(sys.argv[1], encoding="utf-8"))
cell = {(c["map"], c["workload"]): c for c in result["cells"]}
def change(map, workload, what):
    return next((c["now"] - c["base"] for c in cell[map, workload]["changes"] if c["what"] == what), 0)
exec(sys.argv[2])
PY
}

mapbench=$build/mapbench
base=$scratch/base.json
# shellcheck disable=SC2054 # the commas are the program's
selection=(--maps linear,chained,robin_hood --shapes u64_u64 --workloads get,get_miss,put_grow,scan --n 3000)

# --- one build ---
gives 2 "there is no baseline .*--update" "$mapbench" gate count "${selection[@]}" --baseline "$base"
gives 0 "16 cells: 0 changed, 16 added" "$mapbench" gate count "${selection[@]}" --baseline "$base" --update
# From another folder, with another environment and another selection before each cell: the same in every number.
gives 0 "16 cells compared.*every number exact.*16 same" env -C / SOMETHING="$(printf '%5000s' x)" "$(realpath "$mapbench")" gate count \
    "${selection[@]}" --baseline "$base" --exact --json "$scratch/gate.json" --junit "$scratch/gate.xml"
# And the program in another folder.
mkdir -p "$scratch/another folder with a long name, and blanks"
cp -r "$build/mapbench" "$build/libmemcount.so" "$build/units" "$scratch/another folder with a long name, and blanks"
gives 0 "16 cells compared.*every number exact.*16 same" gate_of "$scratch/another folder with a long name, and blanks/mapbench" \
    "${selection[@]}" --baseline "$base" --exact
gives 0 " 2 cells compared.*2 same" "$mapbench" gate count --maps chained --shapes u64_u64 --workloads put_grow --n 3000 --baseline "$base" --exact
ask 'assert result["exit"] == 0 and result["compared"] == 16 and result["exact"] and result["kind"] == "count", result["exit"]'
ask 'assert result["commit"] == "'"$(sed -n 's/^#define BUILD_COMMIT "\(.*\)"$/\1/p' "$build/gen/build_info.h")"'", result["commit"]'
ask 'import datetime as d; t = d.datetime.fromisoformat(result["started"].replace("Z", "+00:00")); assert 0 <= (d.datetime.now(d.timezone.utc) - t).total_seconds() < 600'
ask 'assert all(cell["null", w]["counts"]["bytes"] == 16 and cell["null", w]["allocations"] == 0 for w in ("get", "scan"))'
# A node has 24 bytes, a bucket 8, the map itself 32; what was requested is exact.
ask 'c = cell["chained", "get"]; assert c["counts"]["bytes"] == 3000 * 24 + c["capacity"] * 8 + 32 and c["capacity"] == 4096, c["counts"]'
ask 'c = cell["chained", "put_grow"]; assert 3000 < c["counts"]["allocations"] < 3030, c["counts"]'
ask 'assert 1 < cell["linear", "get"]["probe_mean"] < 3 and 5 < cell["linear", "get"]["instructions"] < 60'
gives 0 'tests="16" failures="0" errors="0"' cat "$scratch/gate.xml"

# --- planted changes ---
# shellcheck disable=SC2015 # fail, if any of them failed
overlay nop harness/unit/loops.inc "$(in_lookups nop)" &&
    program nop "$scratch/nop.include" linear-u64_u64-common-malloc chained-u64_u64-common-malloc || fail "cannot build"
gives 3 "^linear +u64_u64 +get +instructions" gate_of "$scratch/nop/mapbench" "${selection[@]}" --baseline "$base" --json "$scratch/gate.json"
ask 'assert all(change(m, w, "instructions") >= 1 for m in ("linear", "chained") for w in ("get", "get_miss")), result["cells"]'
ask 'assert [c["verdict"] for c in result["cells"]].count("more") == 4 and cell["linear", "scan"]["verdict"] == "same"'
gives 0 "2 same" gate_of "$scratch/nop/mapbench" --maps robin_hood --shapes u64_u64 --workloads get --n 3000 --baseline "$base"

# shellcheck disable=SC2015
overlay plants maps/linear.h 's/if (!slot_in_use(slot)) return NULL;/if (!slot_in_use(slot) \&\& !slot_in_use(\&map->slots[(at + 1) \& map->mask])) return NULL;/' &&
    overlay plants maps/chained.h 's/^struct node {$/&\n    uint64_t spare;/' &&
    overlay plants maps/robin_hood.h 's/^ *__builtin_prefetch(&map->slots\[.*/    (void)map;/' &&
    program plants "$scratch/plants.include" {linear,chained,robin_hood}-u64_u64-common-malloc || fail "cannot build"
gives 3 "^chained +u64_u64 +put_grow +bytes" gate_of "$scratch/plants/mapbench" "${selection[@]}" --baseline "$base" --json "$scratch/gate.json" \
    --junit "$scratch/gate.xml"
# An extra step of probing: misses read one slot more.
ask 'assert cell["linear", "get_miss"]["verdict"] == "more" and change("linear", "get_miss", "data_reads") >= 1'
# A larger node: 8 bytes an entry.
ask 'assert abs(change("chained", "get", "bytes") - 8) < 1e-9, change("chained", "get", "bytes")'
# A lost prefetch is less to execute: it is named, but only time can call it a loss.
ask 'assert cell["robin_hood", "put_grow"]["verdict"] == "fewer" and change("robin_hood", "put_grow", "instructions") <= -1'
gives 0 '<failure message="[^"]*bytes 34.93 -&gt; 42.93' cat "$scratch/gate.xml"
gives 0 "fewer.*" gate_of "$scratch/plants/mapbench" --maps robin_hood --shapes u64_u64 --workloads put_grow --n 3000 --baseline "$base"
# Updating with a selection replaces its cells only.
cp "$base" "$scratch/updated.json"
gives 0 "chained/u64_u64/get/.*bytes .*" gate_of "$scratch/plants/mapbench" --maps chained --shapes u64_u64 --workloads get --n 3000 \
    --baseline "$scratch/updated.json" --update
if [[ $(diff "$base" "$scratch/updated.json" | grep '^<') == *chained/u64_u64/get/* && $(diff "$base" "$scratch/updated.json" | grep -c '^<') == 1 ]]; then
    pass
else
    fail "update: $(diff "$base" "$scratch/updated.json")"
fi

# A map with one hash policy is counted once (and the null map), whichever are asked for.
gives 0 "counting under callgrind: 2 cells" "$mapbench" gate count --filter '^go_hmap_load6/' --maps go_hmap_load6 --hash common,native --shapes u64_u64 --workloads scan \
    --n 512 --baseline "$scratch/native.json" --update
# Ended from outside, it leaves no worker behind.
"$mapbench" gate count --baseline "$base" >/dev/null 2>&1 &
gate=$!
children=()
while [[ -e /proc/$gate/exe ]]; do
    read -ra children < <(cat /proc/"$gate"/task/*/children 2>/dev/null)
    [[ ${#children[@]} != 0 ]] && grep -q count-worker "/proc/${children[0]}/cmdline" 2>/dev/null && break
    sleep 0.1
done
[[ ${#children[@]} != 0 ]] || fail "no worker was started"
kill -TERM "$gate"
wait "$gate"
got=$?
if [[ $got == 130 ]]; then pass; else fail "ended from outside: exit $got, expected 130"; fi
for child in "${children[@]}"; do
    for _ in $(seq 6000); do [[ -e /proc/$child ]] || break; sleep 0.1; done
    if [[ -e /proc/$child ]]; then fail "worker $child is left"; else pass; fi
done

# --- what is refused ---
tiny=(--maps linear --shapes u64_u64 --workloads get --n 512)
gives 2 "unknown map 'liner': did you mean 'linear'" "$mapbench" gate count --maps liner
gives 2 "unrecognized arguments: --repeat 3: see mapbench gate count --help" "$mapbench" gate count --repeat 3
gives 2 "gate has no 'time'" "$mapbench" gate time
gives 2 "compare with it for --json" "$mapbench" gate count --update --json "$scratch/x.json"
# Before it counts: that takes minutes.
gives 4 "cannot write /proc/none/x.json" "$build/tests/within" 20 600 "$scratch/used" "$mapbench" gate count --json /proc/none/x.json
gives 2 "see mapbench gate count --help" "$mapbench" gate count --baseline
gives 2 "not both" "$mapbench" gate count --update --exact
gives 2 "with --seed 1" "$mapbench" gate count "${tiny[@]}" --seed 2 --baseline "$base"
gives 2 "cannot take a selection: its seed" "$mapbench" gate count "${tiny[@]}" --seed 2 --baseline "$base" --update
gives 6 "nothing matches" "$mapbench" gate count --maps go_hmap_notop --shapes u64_u64 --baseline "$base"
gives 6 "nothing was compared" "$mapbench" gate count "${tiny[@]}" --baseline "$base"
head -c 2000 "$base" >"$scratch/torn.json"
gives 2 "torn.json is not JSON" "$mapbench" gate count "${tiny[@]}" --baseline "$scratch/torn.json"
sed 's/"arch": "[^"]*"/"arch": "vax"/' "$base" >"$scratch/vax.json"
gives 2 "another toolchain: arch is .* and 'vax'" "$mapbench" gate count "${tiny[@]}" --baseline "$scratch/vax.json"
sed 's/"valgrind": "[^"]*"/"valgrind": "valgrind-3.18.0"/' "$base" >"$scratch/older.json"
gives 0 "another toolchain - valgrind .*within 3 %" "$mapbench" gate count --maps linear --shapes u64_u64 --workloads get --n 3000 \
    --baseline "$scratch/older.json"
gives 4 "valgrind is not installed: make deps" env PATH=/nowhere "$(realpath "$mapbench")" gate count "${tiny[@]}" --baseline "$base"
gives 4 "cannot write" "$mapbench" gate count "${tiny[@]}" --baseline /proc/none/base.json --update
gives 2 "internal command; line 1" "$mapbench" count-worker <<<"linear u64_u64"

finish
