#!/usr/bin/env bash
# tests/test_scaling.sh BUILD: workloads that may turn slow, as a user sees them: their budget, the sizes that were done, the
# exponent, and the map that is walked.
set -u -o pipefail
build=$(realpath "${1:?usage: tests/test_scaling.sh BUILD}")
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
mapbench=$build/mapbench
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

selection=(--maps "linear,dense" --repeat 2 --figures no)
for budget in 0 -1 soon 1s nan inf ""; do
    expect 2 "budget takes a number of seconds above 0, not '$budget'" run "${selection[@]}" --workloads drain --budget "$budget" --out "$scratch/refused"
done
expect 2 "get walks no other map" run "${selection[@]}" --workloads get:linear --out "$scratch/refused"
expect 2 "all walks no other map" run "${selection[@]}" --workloads all:linear --out "$scratch/refused"
expect 2 "name a map behind the colon" run "${selection[@]}" --workloads put_walk: --out "$scratch/refused"
expect 2 "unknown map 'lineer': did you mean 'linear'" run "${selection[@]}" --workloads put_walk:lineer --out "$scratch/refused"
expect 2 "unknown workload 'drian': did you mean 'drain'" run "${selection[@]}" --workloads drian:linear --out "$scratch/refused"
[ ! -e "$scratch/refused" ] || fail "a refused selection left a run folder"
expect 6 "baseline has no entries" run "${selection[@]}" --workloads put_walk:null --out "$scratch/null"

# With a budget for no size but the smallest, which has none, that one is reported, and nothing counts as failed.
expect 0 "gave up at 4k: budget of 1e-09 s" run "${selection[@]}" --workloads drain --n 64k --budget 1e-9 --out "$scratch/one"
expect 0 "grew like" run "${selection[@]}" --workloads put_walk,put_walk:dense,drain,get --n 4k --budget 1e6 --limit 1000 --out "$scratch/all"
expect 0 "grew like" run "${selection[@]}" --workloads get --n 1k --record scaling --out "$scratch/get"

python=$(command -v /usr/bin/python3 || command -v python3)
for run in one all get; do
    "$python" tests/support/validate_run.py "$scratch/$run" || fail "the run '$run' does not fit results/schema.json"
done
"$python" - "$scratch" << 'PYTHON' || fail "the rows are not what they must be"
import json, sys

def rows(run):
    found = {}
    for row in map(json.loads, open(f"{sys.argv[1]}/{run}/rows.jsonl")):
        assert (row["kind"], row["map"], row["workload"]) not in found
        found[row["kind"], row["map"], row["workload"]] = row
    return found

one = rows("one")
for name in ("linear", "dense"):
    time, scaling = one["time", name, "drain"], one["scaling", name, "drain"]
    assert time["beyond_budget"] and "longer than the budget of 1e-9 s (--budget)" in time["error"], time
    assert scaling["error"] is None and scaling["given_up_at"] == 4096 and scaling["exponent"] is None, scaling
    assert [n for n, _ns, _slowest in scaling["points"]] == [1024], scaling

everything = rows("all")
assert {key[1:] for key in everything if key[0] == "scaling"} == {
    (name, workload) for name in ("linear", "dense") for workload in ("put_walk", "put_walk:dense", "drain")}
for (kind, name, workload), row in everything.items():
    assert row["error"] is None, row
    if kind != "scaling":
        continue
    assert [n for n, _ns, _slowest in row["points"]] == [64, 256, 1024, 4096], row
    assert all(n / 2 < slowest <= n and ns > 0 for n, ns, slowest in row["points"]), row
    assert row["given_up_at"] is None and row["rounds"] == 2
    assert row["exponent_ci95"][0] <= row["exponent"] <= row["exponent_ci95"][1]
for workload in ("put_walk", "put_walk:dense", "drain", "get"):
    assert everything["time", "linear", workload]["checksum"] == everything["time", "dense", workload]["checksum"]

assert set(key[0] for key in rows("get")) == {"scaling"}
PYTHON
finish
