#!/usr/bin/env bash
# The real-Go engine: every kind of its maps against a model and every loop against its reference checksum; all
# workloads and recorders in one run with the ports.   usage: test_engine_go.sh BUILD
set -u
build=${1:?usage: tests/test_engine_go.sh BUILD}
mapbench=$build/mapbench
if [ ! -x "$build/engines/go1.24" ]; then
    echo "no real-Go engine in $build/engines: make engines"
    exit 77
fi
# shellcheck source=tests/support/shell_tools.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")"/support/shell_tools.sh
check "model and loops of a Swiss map" "$mapbench" selftest --filter '^real_go_swiss/u64_u64/'
check "model and loops of a sync.Map" "$mapbench" selftest --filter '^real_go_hashtrie_gc/str_u64/'

maps=go_hmap,go_swiss,go_syncmap,go_hashtrie,engines
# All that engines run. What shows cliffs at four sizes is of maps compiled into the program.
workloads=put,put_grow,overwrite,get,get_miss,mix0,mix25,mix50,mix75,mix100,get_chain,get_call,get_batch,get_cold,del,churn,mixed,scan,clear,copy,small_put,small_get
check "all workloads and shapes" "$mapbench" run --maps $maps --shapes all --workloads $workloads --n 1k --repeat 1 --batches 1 \
    --figures no --out "$scratch/all"
check "all recorders" "$mapbench" run --maps $maps --workloads put_grow,small_put --n 1k --record latency,memory,counters,structure \
    --figures no --out "$scratch/recorders"
check "real key sets" "$mapbench" run --maps real_go_hmap,real_go_swiss --shapes str_u64 --keys words --workloads put_grow,get,get_miss \
    --n 10k --repeat 1 --batches 1 --figures no --out "$scratch/words"
check "no row went wrong" bash -c "! grep -hE '\"error\": ?\"' '$scratch'/*/rows.jsonl"
for run in all recorders; do
    check "the run is as the schema says" "${MAPBENCH_PYTHON:-/usr/bin/python3}" tests/support/validate_run.py "$scratch/$run"
done
# One checksum a workload and shape for all maps, C and Go.
check "checksums agree" "${MAPBENCH_PYTHON:-/usr/bin/python3}" - "$scratch/all/rows.jsonl" <<'PYTHON'
import collections, json, sys
sums = collections.defaultdict(set)
for row in map(json.loads, open(sys.argv[1])):
    if row["kind"] == "time" and row["map"] != "null":
        sums[row["shape"], row["workload"]].add(row["checksum"])
wrong = {cell: found for cell, found in sums.items() if len(found) != 1}
assert len(sums) >= 80, len(sums)
assert not wrong, wrong
PYTHON
check "growth of both real maps is seen" "${MAPBENCH_PYTHON:-/usr/bin/python3}" - "$scratch/recorders/rows.jsonl" <<'PYTHON'
import json, sys
rows = [r for r in map(json.loads, open(sys.argv[1])) if r["kind"] == "latency" and r["workload"] == "put_grow" and r["shape"] == "u64_u64"]
capacities = {r["map"]: [e["new_capacity"] for e in r["growth_events"]] for r in rows}
assert capacities["real_go_hmap"] == capacities["go_hmap"] == [16, 32, 64, 128, 256, 512, 1024, 2048], capacities["real_go_hmap"]
assert capacities["real_go_swiss"][:7] == [16, 32, 64, 128, 256, 512, 1024], capacities["real_go_swiss"]
PYTHON
finish
