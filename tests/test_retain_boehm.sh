#!/usr/bin/env bash
# The scenarios about collectors on the Boehm collector, at their own sizes: leaky variants keep what their story says,
# fixed ones let go of it, whatever the map; bounds hold and are bounds; what cannot be told there is skipped with a reason.
#   tests/test_retain_boehm.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath "${1:?usage: test_retain_boehm.sh BUILD}")
python=${MAPBENCH_PYTHON:-/usr/bin/python3}
# shellcheck source=tests/support/shell_tools.sh
source tests/support/shell_tools.sh

# expect CODE PATTERN ARGS...: what retain gives. Leaves a new run folder in $folder.
expect() {
    folder=$(mktemp -d -p "$scratch")
    gives "$1" "$2" "$build/mapbench" retain "${@:3}" --figures no --out "$folder"
}

expect 6 "skipped: wrapper_cleanup cycle_unordered on gosim: Go's finalizers know one order only" \
    wrapper_cleanup --variant cycle_unordered --heap gosim
"$build/mapbench" retain wrapper_cleanup --heap boehm --n 10 --figures no --out "$scratch/probe" >"$scratch/output" 2>&1
if grep -q "on boehm: libgc-dev was not installed" "$scratch/output"; then
    [[ $failed == 0 ]] || exit 1
    echo "libgc-dev is not installed: nothing runs on boehm"
    exit 77
fi

expect 6 "skipped: weak_values go_swiss: the map is not compiled for boehm" weak_values --heap boehm --maps go_swiss
# Bounds are those of boehm and are looked at: ten times the entries are more than they allow.
expect 1 "cleanup keeps more than its bound of 1.31 MB" weak_values --heap boehm --maps linear --variant cleanup --n 100k --assert
expect 1 "close keeps more than its bound|finalizer keeps|cycle_unordered keeps|cleanup keeps more than its bound of 49.2 kB" \
    wrapper_cleanup --heap boehm --n 20k --variant fixed --assert
expect 0 "weak_key_cycle +dense on boehm" --heap boehm wrapper_cleanup weak_values weak_key_cycle pool_keeps_giants --assert
PYTHONPATH=tests/support "$python" -B - "$folder" <<'PYTHON'
import json, pathlib, sys

STRAYS = 20  # objects that a word which is no pointer may hold in a conservative collector; as a rule there are none
MAPS = {"linear", "robin_hood", "chained", "tagline", "swiss_flat", "dense"}
folder = pathlib.Path(sys.argv[1])
points, verdicts = {}, []
for line in map(json.loads, open(folder / "retention.jsonl")):
    assert line["heap"] == "boehm", line
    if line["label"] == "verdict":
        verdicts.append(line)
    else:
        points.setdefault((line["scenario"], line["variant"]), {}).setdefault(line["map"], []).append(line)
assert len(verdicts) == 2 * len(MAPS) + 2 and all(v["passed"] for v in verdicts), verdicts

def curve(scenario, variant, label, map_name=None):
    return [(p["d_heap_alloc"], p["d_heap_objects"], p["extra"]) for p in points[scenario, variant][map_name] if p["label"] == label]

def expect(what, fact):
    if not fact:
        sys.exit(f"{what}: not so")

# 2,000 wrappers of 1,040 bytes; in a cycle each with a peer.
for variant, closed_after, gone_after, held in [("finalizer_cycle", None, None, 4000), ("cleanup_captures", None, None, 2000),
                                                ("finalizer", 1, 2, 2000), ("cleanup", 1, 1, 2000), ("close", 1, 1, 2000),
                                                ("cycle_unordered", 1, 2, 4000)]:
    for done, (size, objects, extra) in enumerate(curve("wrapper_cleanup", variant, "collected"), 1):
        what = f"wrapper_cleanup {variant} after collection {done}, {size} bytes in {objects} objects, {extra}"
        closed = closed_after is not None and done >= closed_after
        gone = gone_after is not None and done >= gone_after
        expect(what, extra["unreclaimed"] <= STRAYS if closed else extra["unreclaimed"] == 2000)
        expect(what, size < held * 100 if gone else size > held * 1040)  # what is left are tables and their entries

# 10,000 values of 1,032 bytes go, whoever deletes the entries.
for name in MAPS:
    for variant in ("unswept", "cleanup"):
        (size, objects, extra), = curve("weak_values", variant, "collected_again", name)
        what = f"weak_values {variant} with {name}, {size} bytes in {objects} objects, {extra}"
        expect(what, extra["len"] == 10_000 if variant == "unswept" else extra["len"] <= STRAYS)
        expect(what, size < 10_000 * 1032 / 5)
    for variant in ("strong_back", "weak_back", "inside_key", "ephemeron"):
        (filled, _, _), = curve("weak_key_cycle", variant, "filled", name)
        (size, objects, extra), = curve("weak_key_cycle", variant, "collected_again", name)
        what = f"weak_key_cycle {variant} with {name}, {size} bytes in {objects} objects, {extra}"
        expect(what, filled > 10_000 * (1032 + 80))  # an ephemeron keeps its value for as long as its key is there
        if variant == "strong_back":
            expect(what, extra["len"] == 10_000 and size > 10_000 * (1032 + 80))
        else:
            expect(what, extra["len"] <= STRAYS and size < 10_000 * 1032 / 5)
# A map that frees its entries leaves nothing: its array and libgc's tables. Records that were freed do not count.
for scenario, variant in [("weak_values", "cleanup"), ("weak_key_cycle", "weak_back"), ("weak_key_cycle", "ephemeron")]:
    (_, objects, _), = curve(scenario, variant, "collected_again", "chained")
    expect(f"{scenario} {variant} with chained leaves {objects} objects", objects <= 4 + STRAYS)

# Of 64 pooled buffers nearly all are giants of 1 MiB in the end; a stray may hold one that the capped pool left.
size, objects, _ = curve("pool_keeps_giants", "leaky", "rounds")[-1]
expect(f"pool_keeps_giants leaky: {size} bytes in {objects} objects", size > 60 << 20 and 64 <= objects <= 66 + STRAYS)
for variant in ("capped", "sync_pool"):
    collected = curve("pool_keeps_giants", variant, "rounds")
    between = curve("pool_keeps_giants", variant, "rounds_uncollected")
    expect(f"pool_keeps_giants {variant}: {collected}", len(collected) == 8 and max(p[0] for p in collected) < 2 << 20)
    expect(f"pool_keeps_giants {variant}: {between}", min(p[0] for p in between) > 30 << 20)  # the garbage of 64 rounds

try:
    import validate_run
except ImportError as missing:
    print(f"not checked against the schema: {missing} (make deps-test: python3-jsonschema)")
    sys.exit(77)
checker, faults = validate_run.validator("retention"), validate_run.faults(folder)
for number, line in enumerate(open(folder / "retention.jsonl"), 1):
    faults += validate_run.faults_of(json.loads(line), checker, f"retention.jsonl:{number}")
assert not faults, "\n".join(faults[:5])
PYTHON
status=$?
[[ $status == 0 || $status == 77 ]] || fail "what the scenarios keep on boehm"
[[ $failed == 0 ]] || exit 1
exit $status
