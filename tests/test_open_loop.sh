#!/usr/bin/env bash
# tests/test_open_loop.sh BUILD: the closed and the open loops of --record latency, as a user sees them.
set -u -o pipefail
build=$(realpath "${1:?usage: tests/test_open_loop.sh BUILD}")
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
mapbench=$build/mapbench
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

selection=(--maps "linear,chained" --n 1000 --record latency --repeat 1 --figures no)
for rate in fast 50 0% -5% 401% 2m 2g/s same:2m/s closed:50% "50%,oops" ","; do
    expect 2 "rate: '" run "${selection[@]}" --workloads get --rate "$rate" --out "$scratch/refused"
done
[ ! -e "$scratch/refused" ] || fail "a refused rate left a run folder"
expect 4 "longer than the limit" run "${selection[@]}" --workloads put --rate 1/s --limit 5 --out "$scratch/slow"
expect 4 "no open loop" run "${selection[@]}" --workloads del --rate 50% --out "$scratch/del"

expect 0 "mixed, open same:50%" run "${selection[@]}" --workloads put_grow,mixed,del \
    --rate closed,50%,same:50%,400%,2m/s,500m/s --out "$scratch/run"
python=$(command -v /usr/bin/python3 || command -v python3)
"$python" tests/support/validate_run.py "$scratch/run" || fail "the run does not fit results/schema.json"
"$python" - "$scratch/run/rows.jsonl" << 'PYTHON' || fail "the rows are not what they must be"
import json, sys
rows = {}
for row in map(json.loads, open(sys.argv[1])):
    assert row["error"] is None, row
    assert (row["map"], row["workload"], row["rate"]) not in rows
    rows[row["map"], row["workload"], row["rate"]] = row
maps = ("null", "linear", "chained")
for workload in ("put_grow", "mixed", "del"):
    for name in maps:
        closed = rows[name, workload, "closed"]
        assert closed["loop"] == "closed" and closed["offered_per_s"] is None and closed["overload"] is None
        assert closed["latency"]["empty"]["count"] > 0 and closed["achieved_per_s"] == closed["closed_per_s"] > 0
        assert (closed["no_open_loop"] is not None) == (workload == "del")
        assert ("timeline" in closed) == (workload == "put_grow")
        for rate in ("50%", "same:50%", "400%", "2m/s", "500m/s"):
            if workload == "del":
                assert (name, workload, rate) not in rows
                continue
            row = rows[name, workload, rate]
            assert row["loop"] == "open" and 0 <= row["utilisation"] <= 1 and 0 <= row["late_share"] <= 1
            assert row["latency"]["count"] == closed["latency"]["count"] and row["latency"]["empty"]["count"] > 0
            # What is done cannot be more than what arrives: up to the last operation, and the rounding of a tick.
            assert row["achieved_per_s"] <= row["offered_per_s"] * 1.02
            assert row["overload"] == (row["achieved_per_s"] < 0.98 * row["offered_per_s"])
            if row["overload"]:
                assert not row["stable"] and "overload" in row["why_unstable"]
            if rate == "50%":
                assert abs(row["offered_per_s"] / row["closed_per_s"] - 0.5) < 1e-6
            if rate == "2m/s":
                assert abs(row["offered_per_s"] - 2e6) < 4
            events = [(e["op"], e["new_capacity"]) for e in row["growth_events"]]
            assert events == [(e["op"], e["new_capacity"]) for e in closed["growth_events"]]
        if workload != "del":  # an operation in 2 ns, timer and all: nothing keeps up, whatever else runs and slowed the closed loop
            row = rows[name, workload, "500m/s"]
            assert row["overload"] and row["late_share"] > 0.5, row
    if workload != "del":
        same = {rows[name, workload, "same:50%"]["offered_per_s"] for name in maps}
        slowest = min(rows[name, workload, "closed"]["closed_per_s"] for name in maps)
        # the rate is that of the closed loops that were measured, which are the rows beside it
        assert len(same) == 1 and abs(same.pop() / slowest - 0.5) < 1e-6
PYTHON

# Every map does the same mixture: time rows carry one checksum, the baseline's apart.
expect 0 "mixed" run --maps ours --workloads mixed --shapes u64_u64,str_u64 --n 1,2,777 --repeat 1 --batches 1 --figures no \
    --out "$scratch/mixed"
"$python" - "$scratch/mixed/rows.jsonl" << 'PYTHON' || fail "maps do not agree on the mixture"
import json, sys
sums = {}
for row in map(json.loads, open(sys.argv[1])):
    if row["map"] != "null":
        sums.setdefault((row["shape"], row["n"]), set()).add(row["checksum"])
assert len(sums) == 6 and all(len(found) == 1 for found in sums.values()), sums
PYTHON
finish
