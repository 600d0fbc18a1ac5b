#!/usr/bin/env bash
# The retention scenarios over the ports of Go's maps, each on the heap that keeps its release's books, against what real Go kept:
# every checkpoint of tests/fixtures/go/retention.txt (Go 1.23.5, 1.24.4) and retention_newer.txt (1.25.12, 1.27.4) that
# retention_names.txt there gives a case for. Processor time: at most 300 s.
#   tests/test_retention_go.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
mapbench=$(realpath "${1:?usage: test_retention_go.sh BUILD}")/mapbench || exit 1
[[ -x $mapbench ]] || { echo "no $mapbench: make"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mapfile -t recorded < <(sed '/^#/d; s/ .*//' tests/fixtures/go/retention_names.txt | sort -u)
# Scenarios without a map run only where no map is named.
with_map=() without_map=()
for scenario in "${recorded[@]}"; do
    if "$mapbench" explain "$scenario" | grep -q '^  maps  '; then with_map+=("$scenario"); else without_map+=("$scenario"); fi
done
[[ ${#with_map[@]} -gt 0 && ${#without_map[@]} -gt 0 ]] || { echo "FAILED: recorded with a map: ${with_map[*]}, without: ${without_map[*]}"; exit 1; }

# retained FOLDER ARGS...: of scenarios on gosim.
retained() {
    "$mapbench" retain "${@:2}" --heap gosim --figures no --out "$scratch/$1" >"$scratch/log" 2>&1 ||
        { tail -n 5 "$scratch/log"; echo "FAILED: retain ${*:2}"; exit 1; }
}
retained maps "${with_map[@]}" --maps go_hmap,go_swiss@1.24,go_swiss@1.25,go_swiss
for release in 1.23 1.24 1.25 1.27; do retained "none$release" "${without_map[@]}" --go "$release"; done

"${MAPBENCH_PYTHON:-python3}" -B - "$scratch" <<'PYTHON'
import collections
import json
import pathlib
import sys

FIXTURES = pathlib.Path("tests/fixtures/go")
RELEASE_OF = {"go_hmap": "1.23", "go_swiss@1.24": "1.24"}  # of retention_names.txt
OF_TAG = {"g123": "1.23", "g124": "1.24"}
NEWER = ("1.25", "1.27")  # in the order of the columns of retention_newer.txt
# inuse: HeapInuse above the base, None where it was not recorded.
Point = collections.namedtuple("Point", "step label n recorded_as least most fewest greatest inuse")
# Bytes that no seed decides: the classic map's arrays and the program's own objects.
EXACT = [("pointer_value", "leaky", "fill", 12_138_824), ("pointer_value", "leaky", "after", 12_138_824),
         ("prealloc_trim", "leaky", "fill", 11_137_304), ("prealloc_trim", "copy", "fill", 1_057_304)]
EXACT_WITHIN = 100
# HeapInuse: seeds decide which tables split, and so how full their spans are.
INUSE_SLACK, INUSE_SHARE = 14 * 8192, 0.02
# What newer releases changed about memory kept. Elsewhere the thirteen runs of 1.24 show more of what seeds and the times of
# natural collections do than the three of a newer release.
CHANGED = {("tombstones", "u64u64"), ("tombstones", "strptr"), ("tombstones_long", "u64u64"), ("blocked_consumer", "leaky")}
scratch = pathlib.Path(sys.argv[1])
failures = []


def fail(what):
    failures.append(what)
    print("FAILED:", what)


def rows_of(name):
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def recorded_curves():
    """{(release, scenario, variant): [Point]}, of the newer releases under the recording's names."""
    curves = collections.defaultdict(list)
    for tag, scenario, variant, step, label, _, _, n, old_name, *spread in rows_of("retention.txt"):
        curves[OF_TAG[tag], scenario, variant].append(Point(int(step), label, int(n), old_name, *map(int, spread), None))
    for scenario, variant, step, label, *numbers in rows_of("retention_newer.txt"):
        for i, release in enumerate(NEWER):
            least, most, objects = map(int, numbers[i * 4:i * 4 + 3])
            inuse = numbers[i * 4 + 3]
            curves[release, scenario, variant].append(
                Point(int(step), label, None, scenario, least, most, objects, objects, None if inuse == "-" else int(inuse)))
    return curves


def measured_cases():
    """{(scenario, variant, release): lines}, HeapInuse above the base added to them."""
    cases = collections.defaultdict(list)
    for folder in scratch.iterdir():
        if not folder.is_dir():
            continue
        for text in (folder / "retention.jsonl").open(encoding="utf-8"):
            line = json.loads(text)
            if line["label"] == "verdict":
                continue
            lines = cases[line["scenario"], line["variant"], line["release"]]
            lines.append(line)
            line["d_heap_inuse"] = line["heap_inuse"] - lines[0]["heap_inuse"]
    return cases


def outside(value, least, most, slack, share=0.01):
    """As the engine's own test has it: 13 runs of real Go do not show the whole range of its seeds."""
    margin = max(slack, share * max(abs(least), abs(most))) + (most - least) / 2
    return not least - margin <= value <= most + margin


def disagreement(line, point):
    if point.n is not None and line["n"] != point.n:
        return f"n {line['n']}, recorded {point.n}"
    if outside(line["d_heap_alloc"], point.least, point.most, 8192):
        return f"{line['d_heap_alloc']} bytes, recorded {point.least}..{point.most}"
    if outside(line["d_heap_objects"], point.fewest, point.greatest, 12):
        return f"{line['d_heap_objects']} objects, recorded {point.fewest}..{point.greatest}"
    if point.inuse is not None and outside(line["d_heap_inuse"], point.inuse, point.inuse, INUSE_SLACK, INUSE_SHARE):
        return f"{line['d_heap_inuse']} bytes of spans in use, recorded {point.inuse}"
    return ""


def is_saw(key):
    """The classic map under churn; the Swiss one only grows."""
    return key[0] == "1.23" and key[1] in ("tombstones", "tombstones_long")


def with_neighbours(curve):
    """The curve of a saw: a seed decides at which side of a checkpoint a reset comes, so that each has the range of those
    before and after it too."""
    wide = []
    for i, point in enumerate(curve):
        near = [p for p in curve[max(i - 1, 0):i + 2] if p.label == point.label]
        wide.append(point._replace(least=min(p.least for p in near), most=max(p.most for p in near),
                                   fewest=min(p.fewest for p in near), greatest=max(p.greatest for p in near)))
    return wide


def with_older(curve, scenario, variant):
    """A newer release's curve, with the ranges of 1.24 where it keeps the same."""
    if (scenario, variant) in CHANGED:
        return curve
    return [point._replace(least=min(point.least, older.least), most=max(point.most, older.most),
                           fewest=min(point.fewest, older.fewest), greatest=max(point.greatest, older.greatest))
            for point, older in zip(curve, curves["1.24", scenario, variant])]


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
compared = {}  # key of the curve: key of the case
# Of each newer release: HeapInuse within 1 % or a page of the recorded one; HeapAlloc within 1 % or 8 KiB of its own three runs.
near, strict = collections.defaultdict(list), collections.defaultdict(list)


def check(release, names):
    scenario, variant, old_name, old_variant = names
    key = (release, old_name, old_variant) if release in NEWER else (release, scenario, variant)
    case = scenario, variant, release
    curve, lines = curves.get(key), cases.get(case)
    name = f"{scenario} {variant} {release}"
    repeated = key in compared and release not in NEWER
    if repeated or not curve or curve[0].recorded_as != old_name or variant != old_variant:
        fail(f"{name}: retention_names.txt and the recordings do not fit together")
        return 0
    compared[key] = case
    for line, point in zip(lines or [], curve):
        if point.inuse is not None:
            near[release].append(not outside(line["d_heap_inuse"], point.inuse, point.inuse, 8192))
        if release in NEWER:
            margin = max(8192, 0.01 * max(abs(point.least), abs(point.most)))
            strict[release].append(point.least - margin <= line["d_heap_alloc"] <= point.most + margin)
    if not lines:
        fail(f"{name}: there is no such case")
        return 0
    wrong, between = compare(lines, with_older(curve, scenario, variant) if release in NEWER else curve, is_saw(key))
    total[scenario] += len(curve)
    agreed[scenario] += len(curve) - len(wrong)
    if wrong:
        fail(f"{name}: {len(wrong)} of {len(curve)} checkpoints disagree, first {wrong[0]}")
    return between


for *names, map_name in rows_of("retention_names.txt"):
    release = RELEASE_OF[map_name]
    for each in (release, *NEWER) if release == "1.24" else (release,):
        between_all += check(each, names)

not_compared = sorted(curves.keys() - compared.keys())
if not_compared:
    fail(f"not compared: {not_compared}")

has_aes = "aes" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
for scenario, variant, label, expected in EXACT if has_aes else []:
    found = [line["d_heap_alloc"] for line in cases[scenario, variant, "1.23"] if line["label"] == label]
    if not found or abs(found[-1] - expected) > EXACT_WITHIN:
        fail(f"{scenario} {variant} go_hmap {label}: {found[-1:]} bytes, expected {expected}")
if not has_aes:
    print("exact sizes not compared: without AES instructions Go's other hash decides about overflow buckets")

# The margins are worth something only if they tell one Go from the other.
for scenario, variant in ("never_shrinks", "u64u64"), ("tombstones", "u64u64"), ("syncmap_deleted", "syncmap"):
    for release, other in ("1.23", "1.24"), ("1.24", "1.23"):
        if not compare(cases[scenario, variant, release], curves[other, scenario, variant], is_saw((other, scenario)))[0]:
            fail(f"{scenario} {variant}: {release} passes for {other}")
# Newer collectors too: 48 bytes of each blocked goroutine, which every checkpoint of the curve shows; and the same objects in
# fewer to a span.
for release, other in ("1.25", "1.27"), ("1.27", "1.25"):
    curve = curves[other, "goroutine_chan", "leaky"]
    lines = cases["blocked_consumer", "leaky", release]
    if len(compare(lines, curve)[0]) != len(curve) - 1:
        fail(f"blocked_consumer leaky: {release} passes for {other} at some checkpoint")
    inuse = [outside(line["d_heap_inuse"], point.inuse, point.inuse, 8192) for line, point in zip(lines, curve)]
    if sum(inuse) != len(curve) - 1:
        fail(f"blocked_consumer leaky: {release} passes for {other}'s HeapInuse at some checkpoint")

# Margins for seeds must not hide that everything is a little off.
for release in NEWER:
    for what, within, share in ("HeapAlloc", strict[release], 0.98), ("HeapInuse", near[release], 0.75):
        print(f"{release}: {what} near the three runs at {sum(within)} of {len(within)} checkpoints")
        if sum(within) < share * len(within):
            fail(f"{release}: {what} is too often far from the three runs")

for scenario, points in total.items():
    print(f"{scenario:24} {agreed[scenario]:4} of {points:4} checkpoints agree")
print(f"{len(compared)} curves, {sum(agreed.values())} of {sum(total.values())} checkpoints agree, "
      f"{between_all} between the least and the most of real Go; {len(failures)} failed")
sys.exit(bool(failures))
PYTHON
