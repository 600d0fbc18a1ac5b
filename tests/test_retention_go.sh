#!/usr/bin/env bash
# The retention scenarios over the ports of Go's maps, on the heap that keeps Go's books, against what real Go kept: every
# checkpoint of tests/fixtures/go/retention.txt (Go 1.23.5 and 1.24.4; 1.25.12 and 1.27.4 where they differ) that retention_names.txt there gives a case for.
#   tests/test_retention_go.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
mapbench=$(realpath "${1:?usage: test_retention_go.sh BUILD}")/mapbench || exit 1
[[ -x $mapbench ]] || { echo "no $mapbench: make"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Scenarios without a map run only where no map is named, so by their own names.
mapfile -t without_map < <("$mapbench" list scenarios --json | "${MAPBENCH_PYTHON:-python3}" -B -c '
import json, subprocess, sys
recorded = {line.split()[0] for line in open("tests/fixtures/go/retention_names.txt") if not line.startswith("#")}
for scenario in json.load(sys.stdin):
    explained = subprocess.run([sys.argv[1], "explain", scenario["name"]], capture_output=True, text=True).stdout
    if scenario["name"] in recorded and "\n  maps  " not in explained:
        print(scenario["name"])
' "$mapbench")
"$mapbench" retain --maps go_hmap,go_swiss@1.24 --heap gosim --figures no --out "$scratch/maps" >"$scratch/log" 2>&1 ||
    { tail -n 5 "$scratch/log"; echo "FAILED: retain --maps go_hmap,go_swiss@1.24"; exit 1; }
"$mapbench" retain tombstones tombstones_long --releases 1.25,1.27 --heap gosim --figures no --out "$scratch/newer" >"$scratch/log" 2>&1 ||
    { tail -n 5 "$scratch/log"; echo "FAILED: retain --releases 1.25,1.27"; exit 1; }
[[ ${#without_map[@]} -gt 0 ]] || { echo "FAILED: no recorded scenario without a map"; exit 1; }
"$mapbench" retain "${without_map[@]}" --heap gosim --figures no --out "$scratch/rest" >"$scratch/log" 2>&1 ||
    { tail -n 5 "$scratch/log"; echo "FAILED: retain ${without_map[*]}"; exit 1; }

"${MAPBENCH_PYTHON:-python3}" -B - "$scratch" "${without_map[@]}" <<'PYTHON'
import collections
import json
import pathlib
import sys

FIXTURES = pathlib.Path("tests/fixtures/go")
TAG_OF = {"go_hmap": "g123", "go_swiss@1.24": "g124", "go_swiss@1.25": "g125", "go_swiss": "g127"}
Point = collections.namedtuple("Point", "step label n recorded_as least most fewest greatest")
# Bytes that no seed decides: the classic map's arrays and the program's own objects.
EXACT = [("pointer_value", "leaky", "fill", 12_138_824), ("pointer_value", "leaky", "after", 12_138_824),
         ("prealloc_trim", "leaky", "fill", 11_137_304), ("prealloc_trim", "copy", "fill", 1_057_304)]
EXACT_WITHIN = 100
scratch, without_map = pathlib.Path(sys.argv[1]), set(sys.argv[2:])
failures = []


def fail(what):
    failures.append(what)
    print("FAILED:", what)


def rows_of(name):
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def recorded_curves():
    curves = collections.defaultdict(list)
    for tag, scenario, variant, step, label, _, _, n, old_name, *spread in rows_of("retention.txt"):
        curves[tag, scenario, variant].append(Point(int(step), label, int(n), old_name, *map(int, spread)))
    return curves


def measured_cases():
    cases = collections.defaultdict(list)
    for folder in "maps", "newer", "rest":
        for text in (scratch / folder / "retention.jsonl").open(encoding="utf-8"):
            line = json.loads(text)
            named_by_mistake = folder == "rest" and line["scenario"] not in without_map
            if line["label"] != "verdict" and not named_by_mistake:
                cases[line["scenario"], line["variant"], line["map"]].append(line)
    return cases


def outside(value, least, most, slack):
    """As the engine's own test has it: 13 runs of real Go do not show the whole range of its seeds."""
    margin = max(slack, 0.01 * max(abs(least), abs(most))) + (most - least) / 2
    return not least - margin <= value <= most + margin


def disagreement(line, point):
    if line["n"] != point.n:
        return f"n {line['n']}, recorded {point.n}"
    if outside(line["d_heap_alloc"], point.least, point.most, 8192):
        return f"{line['d_heap_alloc']} bytes, recorded {point.least}..{point.most}"
    if outside(line["d_heap_objects"], point.fewest, point.greatest, 12):
        return f"{line['d_heap_objects']} objects, recorded {point.fewest}..{point.greatest}"
    return ""


def is_saw(key):
    """The classic map under churn; the Swiss one only grows."""
    return key[0] == "g123" and key[1] in ("tombstones", "tombstones_long")


def with_neighbours(curve):
    """The curve of a saw: a seed decides at which side of a checkpoint a reset comes, so that each has the range of those
    before and after it too."""
    wide = []
    for i, point in enumerate(curve):
        near = [p for p in curve[max(i - 1, 0):i + 2] if p.label == point.label]
        wide.append(point._replace(least=min(p.least for p in near), most=max(p.most for p in near),
                                   fewest=min(p.fewest for p in near), greatest=max(p.greatest for p in near)))
    return wide


def compare(lines, curve, saw=False):
    """The disagreements, and how many checkpoints are between the least and the most of real Go. A verdict may
    need a checkpoint "end" that was not recorded. saw: the map grows and is reset, over and over."""
    if len(lines) == len(curve) + 1 and lines[-1]["label"] == "end":
        lines = lines[:-1]
    at = [(line.get("step"), line["label"]) for line in lines]
    if at != [(point.step, point.label) for point in curve]:
        return [f"other checkpoints than recorded: {at}"] * len(curve), 0
    allowed = with_neighbours(curve) if saw else curve
    wrong = [(line, point, disagreement(line, point)) for line, point in zip(lines, allowed)]
    between = sum(point.least <= line["d_heap_alloc"] <= point.most for line, point in zip(lines, curve))
    return [f"{point.label} {point.step}: {why}" for _, point, why in wrong if why], between


curves, cases = recorded_curves(), measured_cases()
agreed, between_all, total = collections.Counter(), 0, collections.Counter()
compared = set()
for scenario, variant, old_name, old_variant, map_name in rows_of("retention_names.txt"):
    key = TAG_OF[map_name], scenario, variant
    curve = curves.get(key)
    lines = cases.get((scenario, variant, map_name)) or cases.get((scenario, variant, None))
    name = f"{scenario} {variant} {map_name}"
    if key in compared or not curve or curve[0].recorded_as != old_name or variant != old_variant:
        fail(f"{name}: retention_names.txt and retention.txt do not fit together")
        continue
    compared.add(key)
    if not lines:
        fail(f"{name}: there is no such case")
        continue
    wrong, between = compare(lines, curve, is_saw(key))
    total[scenario] += len(curve)
    agreed[scenario] += len(curve) - len(wrong)
    between_all += between
    if wrong:
        fail(f"{name}: {len(wrong)} of {len(curve)} checkpoints disagree, first {wrong[0]}")

not_compared = sorted({key[1] for key in curves.keys() - compared})
if not_compared:
    fail(f"not compared: {not_compared}")

has_aes = "aes" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
for scenario, variant, label, expected in EXACT if has_aes else []:
    found = [line["d_heap_alloc"] for line in cases[scenario, variant, "go_hmap"] if line["label"] == label]
    if not found or abs(found[-1] - expected) > EXACT_WITHIN:
        fail(f"{scenario} {variant} go_hmap {label}: {found[-1:]} bytes, expected {expected}")
if not has_aes:
    print("exact sizes not compared: without AES instructions Go's other hash decides about overflow buckets")

# The margins are worth something only if they tell one Go from the other.
for scenario, variant in ("never_shrinks", "u64u64"), ("tombstones", "u64u64"), ("syncmap_deleted", "syncmap"):
    for map_name, other in ("go_hmap", "g124"), ("go_swiss@1.24", "g123"), ("go_swiss@1.24", "g127"), ("go_swiss", "g124"):
        key = other, scenario, variant
        if key not in curves or not cases.get((scenario, variant, map_name)):
            continue
        if not compare(cases[scenario, variant, map_name], curves[key], is_saw(key))[0]:
            fail(f"{scenario} {variant}: {map_name} passes for {other}")

for scenario, points in total.items():
    print(f"{scenario:24} {agreed[scenario]:4} of {points:4} checkpoints agree")
print(f"{len(compared)} curves, {sum(agreed.values())} of {sum(total.values())} checkpoints agree, "
      f"{between_all} between the least and the most of real Go; {len(failures)} failed")
sys.exit(bool(failures))
PYTHON
