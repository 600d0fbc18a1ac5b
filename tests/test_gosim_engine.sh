#!/usr/bin/env bash
# gosim by release beside real Go of that release: HeapAlloc, HeapObjects and HeapInuse of scenarios in which no natural collection
# decides what spans hold; that the collector of another release would be told; and the sizes of harness/heaps/gosim/releases.def
# in the DWARF of the engines.
#   tests/test_gosim_engine.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
build=$(realpath "${1:?usage: test_gosim_engine.sh BUILD}") || exit 1
releases=()
for release in 1.24 1.25 1.26 1.27; do
    [[ ! -x $build/engines/go$release ]] || releases+=("$release")
done
[[ ${#releases[@]} -gt 0 ]] || { echo "no real-Go engine in $build/engines: make engines"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for release in "${releases[@]}"; do
    # Goroutines are all alive in the one, an allocation keeps its place in the others.
    "$build/mapbench" retain blocked_consumer append_value map_of_maps --variant leaky --heap gosim \
        --releases "$release" --engine "c,go$release" --figures no --out "$scratch/$release" >"$scratch/log" 2>&1 ||
        { tail -n 5 "$scratch/log"; echo "FAILED: retain --releases $release"; exit 1; }
done
# Sizes of Go's types by release: FACT(NAME, 1.23, 1.24, ...).
failed=0
if ! command -v gdb >/dev/null; then
    echo "skipped: sizes in the DWARF of the engines: gdb is not installed"
else
    columns=(1.23 1.24 1.25 1.26 1.27)
    for pair in goroutine:g waiter:sudog channel:hchan timer:timeTimer; do
        read -ra sizes < <(sed -n "s/^FACT(${pair%:*}, \\(.*\\))/\\1/p" harness/heaps/gosim/releases.def | tr -d ,)
        for i in "${!columns[@]}"; do
            engine=$build/engines/go${columns[i]}
            [[ -x $engine ]] || continue
            real=$(gdb -nx -batch -ex "set language c" -ex "print sizeof('runtime.${pair#*:}')" "$engine" 2>&1 | sed -n 's/^[$]1 = //p')
            [[ $real == "${sizes[i]}" ]] || { echo "FAILED: ${pair%:*} of ${columns[i]}: ${sizes[i]} bytes, runtime.${pair#*:} has ${real:-none}"; failed=1; }
        done
    done
fi
"${MAPBENCH_PYTHON:-python3}" -B - "$scratch" "${releases[@]}" <<'PYTHON' || failed=1
import collections
import json
import pathlib
import sys

PAGE, SPANS_BEFORE, SEEDS = 8192, 14, 0.02  # as tests/test_retention_go.sh has them
OBJECTS = 12
BLOCKED = "blocked_consumer leaky"
scratch, releases = pathlib.Path(sys.argv[1]), sys.argv[2:]
curves = collections.defaultdict(list)  # (release, scenario and variant, real): lines
failures = 0
for release in releases:
    for line in map(json.loads, (scratch / release / "retention.jsonl").open(encoding="utf-8")):
        if line["label"] != "verdict":
            curves[line["release"], f"{line['scenario']} {line['variant']}", line["engine"] != "c"].append(line)


def above_base(lines):
    """[(HeapAlloc, HeapObjects, HeapInuse)] above the base."""
    names = "heap_alloc", "heap_objects", "heap_inuse"
    return [[line[name] - lines[0][name] for name in names] for line in lines]


def differences(ours, real):
    """How many checkpoints differ."""
    slack = PAGE, OBJECTS, SPANS_BEFORE * PAGE
    return sum(any(abs(a - b) > max(by, SEEDS * abs(b)) for a, b, by in zip(one, other, slack))
               for one, other in zip(above_base(ours), above_base(real)))


for (release, scenario, is_real), lines in curves.items():
    if is_real:
        continue
    real = curves[release, scenario, True]
    if [line["step"] for line in lines] != [line["step"] for line in real] or len(lines) < 10:
        print(f"FAILED: {scenario} {release}: {len(lines)} checkpoints, {len(real)} of real Go")
        failures += 1
    elif differences(lines, real):
        print(f"FAILED: {scenario} {release}: {above_base(lines)}, real Go {above_base(real)}")
        failures += 1
    else:
        print(f"{scenario} {release}: {len(lines)} checkpoints agree")
for release, other in (("1.25", "1.26"), ("1.26", "1.25"), ("1.24", "1.27")):
    if {release, other} <= set(releases) and \
            differences(curves[release, BLOCKED, False], curves[other, BLOCKED, True]) < 5:
        print(f"FAILED: {BLOCKED}: the collector of {release} passes for Go {other}")
        failures += 1
sys.exit(bool(failures))
PYTHON
exit "$failed"
