#!/usr/bin/env bash
# The retention scenarios of the real-Go engine: each recorded curve again (tests/fixtures/go/retention.txt: Go 1.23.5 and
# 1.24.4; 1.25.12 and 1.27.4 of what they changed), the other scenarios against what their leaks and fixes
# promise and in which releases; names against the catalogue, lines, bad input, missing parts.
#   tests/test_engine_retain.sh BUILD
set -u
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." || exit 1
engines=$(realpath "${1:?usage: test_engine_retain.sh BUILD}")/engines || exit 1
for version in go1.23 go1.24 go1.25 go1.27; do
    [[ -x $engines/$version ]] || { echo "no real-Go engine $engines/$version: make engines"; exit 77; }
done
exec "${MAPBENCH_PYTHON:-/usr/bin/python3}" -B - "$engines" <<'PYTHON'
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

ENGINES = {"g123": "go1.23", "g124": "go1.24", "g125": "go1.25", "g127": "go1.27"}
ALL_STORIES = "g123", "g124"  # of the newer releases only what they changed: the curves recorded of them, and statements
CHANGED = "churn_kinds", "delete_clear", "refill", "half_churn", "clone", "small_overwrite"
# What one side has and the other has not, beside what a version of Go lacks.
ONLY_ENGINE = {("ttl_premature", "refreshed"), ("ttl_premature", "refreshed_checked")}
ONLY_CATALOGUE = {("wrapper_cleanup", "cycle_unordered"), ("weak_key_cycle", "ephemeron")}
# What is there before a collection depends on when the last natural one was; how many goroutines timers started at once,
# on what else the machine does.
TIMED = {"end_no_forced_gc", "all_fired"}
TOO_SLOW = "a timer fired before all were set"  # of a busy machine: nothing that Go keeps
ATTEMPTS = 3  # a map draws a seed, goroutines run as they come
folder = pathlib.Path(sys.argv[1])
CATALOGUE = {scenario["name"]: scenario for scenario in json.loads(subprocess.run(
    [folder.parent / "mapbench", "list", "scenarios", "--json"], capture_output=True, text=True, check=True).stdout)}
passed, failures = 0, []


def check(ok, what):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(what)
        print("FAILED:", what)


def run(tag, *words):
    done = subprocess.run([folder / ENGINES[tag], "retain", *map(str, words)], capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def run_case(tag, scenario, variant, n=None):
    return run(tag, scenario, variant, n or CATALOGUE[scenario]["n"])


def recorded_curves():
    curves = collections.defaultdict(list)
    for line in open("tests/fixtures/go/retention.txt", encoding="utf-8"):
        if line.startswith("#"):
            continue
        tag, scenario, variant, step, label, _, _, n, old_name, *spread = line.split()
        if tag not in ENGINES:
            continue
        curves[tag, scenario, variant, int(n)].append((int(step), label, int(n), old_name, *map(int, spread)))
    return curves


def outside(value, least, most, share, slack):
    margin = max(slack, share * max(abs(least), abs(most))) + (most - least) / 2
    return not least - margin <= value <= most + margin


def differences(lines, curve):
    """What of a run is not as recorded: heap bytes within 1 % or 8 KB, objects within 1 % or 12. A verdict may need a
    checkpoint "end" that was not recorded."""
    if len(lines) == len(curve) + 1 and lines[-1]["label"] == "end":
        lines = lines[:-1]
    if [(line["step"], line["label"]) for line in lines] != [(point[0], point[1]) for point in curve]:
        return ["other checkpoints: " + str([(line["step"], line["label"]) for line in lines])]
    found = []
    late = any(line["extra"].get("fired_by_all_set") for line in lines)
    for line, (step, label, n, old_name, least, most, fewest, greatest) in zip(lines, curve):
        if line["n"] != n or line.get("recorded_as", line["scenario"]) != old_name:
            found.append(f"n {line['n']}, recorded as {line.get('recorded_as')}")
        if label == "all_set" and late:
            found.append(TOO_SLOW)
            continue
        if label == "all_fired":
            residue = 300_000 < line["d_heap_alloc"] < 2_000_000
            if not residue or line["extra"]["fired"] != n or line["extra"]["len"] != 0:
                found.append(f"all_fired: {line}")
        if label not in TIMED and outside(line["d_heap_alloc"], least, most, 0.01, 8192):
            found.append(f"{label} {step}: {line['d_heap_alloc']} bytes, recorded {least}..{most}")
        if label not in TIMED and outside(line["d_heap_objects"], fewest, greatest, 0.01, 12):
            found.append(f"{label} {step}: {line['d_heap_objects']} objects, recorded {fewest}..{greatest}")
    return found


def release_of(engine):
    """The release without its patch, of which a machine may have another than was recorded: what Go keeps has been the same."""
    return ".".join(engine.split(".")[:2])


def well_formed(tag, lines):
    base = lines[0]
    for line in lines:
        live, kept = line["semantic_live_bytes"], line["d_heap_alloc"]
        if (line["heap"], release_of(line["engine"])) != ("go_gc", ENGINES[tag]):
            return f"heap or engine of {line}"
        objects = line["heap_objects"] - base["heap_objects"]
        if kept != line["heap_alloc"] - base["heap_alloc"] or line["d_heap_objects"] != objects:
            return f"differences of {line}"
        ratio = line["amplification"]
        if (ratio is None) != (live == 0) or live and abs(ratio * live - kept) > 1e-6 * abs(kept):
            return f"amplification of {line}"
        # Pages that were never touched are not resident.
        if not line["rss"] > 1 << 20 or not line["heap_inuse"] >= line["heap_alloc"]:
            return f"resident or in-use bytes of {line}"
    return "" if base["label"] == "base" and base["d_heap_alloc"] == 0 else "no base"


def listed_variants(tag):
    """The engine's variants; their names must be those of the catalogue."""
    _, listed, _ = run(tag, "list")
    variants = {(line["scenario"], line["variant"]) for line in listed}
    known = {(name, variant["name"]) for name, scenario in CATALOGUE.items() if scenario["on_real_go"]
             for variant in scenario["variants"]}
    check(len(variants) == len(listed), f"{tag}: a variant is listed twice")
    check(variants - known == ONLY_ENGINE, f"{tag}: not in the catalogue: {sorted((variants - known) ^ ONLY_ENGINE)}")
    check(known - variants == ONLY_CATALOGUE, f"{tag}: not in the engine: {sorted((known - variants) ^ ONLY_CATALOGUE)}")
    return variants


def compare_recorded(tag, curves):
    variants = listed_variants(tag)
    again = 0
    for (of_tag, scenario, variant, n), curve in curves.items():
        if of_tag != tag:
            continue
        check((scenario, variant) in variants, f"{tag}: {scenario} {variant} is not listed")
        for attempt in range(ATTEMPTS):
            _, lines, errors = run_case(tag, scenario, variant, n)
            wrong = differences(lines, curve) if lines else [errors]
            if not wrong:
                break
            again += attempt == 0 and wrong != [TOO_SLOW]
        if wrong == [TOO_SLOW]:
            print(f"{tag} {scenario} {variant}: {TOO_SLOW}, that checkpoint is not compared")
            wrong = []
        check(not wrong, f"{tag} {scenario} {variant}: {'; '.join(wrong[:3])}")
        if lines:
            check(not well_formed(tag, lines), f"{tag} {scenario} {variant}: {well_formed(tag, lines)}")
    print(f"{tag}: {sum(key[0] == tag for key in curves)} curves, {again} run again")
    check(again <= 8, f"{tag}: {again} curves were outside what was recorded at first")


class Story:
    """A run of a scenario that was not recorded."""

    def __init__(self, tag, scenario, variant, n=None):
        _, lines, errors = run_case(tag, scenario, variant, n)
        self.name = f"{tag} {scenario} {variant}"
        self.lines = lines
        check(bool(lines) and not well_formed(tag, lines), f"{self.name}: {errors or well_formed(tag, lines)}")

    def at(self, label):
        return [line for line in self.lines if line["label"] == label][-1]

    def bytes(self, label):
        return self.at(label)["d_heap_alloc"]

    def extra(self, label, name):
        return self.at(label)["extra"][name]

    def promises(self, ok, what):
        seen = [(line["label"], line["step"], line["d_heap_alloc"], line["extra"]) for line in self.lines]
        check(ok, f"{self.name}: not {what}: {seen}")


NOISE = 16 << 10
RUNTIME_OWN = 8 << 10  # what the runtime may take between two checkpoints: recorded runs of one program differ by up to 5,248 bytes


def same(a, b):
    return abs(a - b) < RUNTIME_OWN


def tables(tag):
    classic = tag == "g123"
    for variant, leaks in ("leaky", True), ("clone", False):
        s = Story(tag, "key_replaced", variant)
        s.promises(s.bytes("replaced") >= 1 << 20 if leaks else s.bytes("replaced") < NOISE, "1 MiB only for the cut key")
    for variant in "clear", "remake":
        s = Story(tag, "clear_keeps", variant)
        kept = s.bytes("after") / s.bytes("fill")
        s.promises(kept > 0.85 if variant == "clear" else kept < 0.01, "the table kept by clear alone")
    for variant, least, most in ("u64_128", 0.99, 1.01), ("u64_129", 0.12, 0.20):
        s = Story(tag, "inline_cliff", variant, 100_000)
        s.promises(least < s.bytes("deleted") / s.bytes("filled") < most, f"{least} to {most} kept")
    for variant in "growing", "presized":
        s = Story(tag, "growth_peak", variant)
        doubles = classic and variant == "growing"
        peak = s.extra("growing_insert", "peak_over_steady")
        s.promises(2.6 < peak < 2.8 if doubles else peak < 1.05, "a peak for the growing classic map alone")
        steady = s.bytes("steady") / s.bytes("before_growth")
        s.promises(steady < 1.02 or variant == "growing", "room for all from the beginning")
    s = Story(tag, "pointer_key", "id_key")
    s.promises(s.bytes("fill") < 32 << 10, "no payload kept by its id")
    s = Story(tag, "stalled_rehash", "tick")
    idle, ticked = s.bytes("growth_started_then_idle"), s.bytes("ticked")
    s.promises(0.6 < ticked / idle < 0.66 if classic else 0.99 < ticked / idle < 1.01, "the old array gone after the tick")
    s = Story(tag, "tombstones", "u64u64_remake")
    s.promises(max(l["d_heap_alloc"] for l in s.lines) < 1.03 * s.bytes("filled"), "a table that stays as it was")
    s = Story(tag, "delete_leaves_value", "marked_only")
    s.promises(same(s.bytes("deleted"), s.bytes("fill")), "all values kept by marks")
    s = Story(tag, "delete_leaves_value", "cleared_first")
    s.promises(s.bytes("deleted") < 0.1 * s.bytes("fill"), "all values gone that were stored over")
    s = Story(tag, "prealloc_trim", "reused_buffer")
    s.promises(s.extra("fill", "wrong_values") == 9999, "9999 of 10,000 values overwritten")
    s = Story(tag, "never_shrinks", "u64_128_remake")
    s.promises(s.bytes("remade") < NOISE and s.bytes("end") < NOISE, "all gone with the old map")
    s = Story(tag, "never_shrinks", "u64u64")
    s.promises(same(s.bytes("end"), s.bytes("delete")), "the table kept to the end")


def log_fields(tag):
    for variant, size, blocks in ("naive", 224, 3), ("prealloc", 96, 1), ("pooled", 0, 0):
        s = Story(tag, "log_fields", variant)
        s.promises(abs(s.extra("end", "bytes_per_call") - size) < 1, f"{size} bytes a call")
        s.promises(abs(s.extra("end", "mallocs_per_call") - blocks) < 0.1, f"{blocks} blocks a call")


def timers(tag):
    s = Story(tag, "ttl_timers", "one_heap")
    s.promises(s.bytes("set") < NOISE and s.bytes("map_dropped_timers_pending") < NOISE, "one timer for all")
    for variant in "burst", "batched":
        s = Story(tag, "burst_residue", variant)
        each = s.extra("ten_collections_later", "bytes_per_goroutine")
        s.promises(400 < each < 520 if variant == "burst" else each < 2, "a goroutine's record kept for each of the burst")
        s.promises(s.extra("all_fired", "goroutines_at_once") == (20_000 if variant == "burst" else 0), "all at once")
    for variant in "refreshed", "refreshed_checked":
        s = Story(tag, "ttl_premature", variant)
        missed = s.extra("refreshed", "missed")
        s.promises(missed > 0 if variant == "refreshed" else missed == 0, "entries missed only where stale timers delete")
    s = Story(tag, "blocked_consumer", "leaky")
    s.promises(s.at("end")["goroutines"] == 5001, "5000 parked goroutines")
    s.promises(s.at("end")["stack_inuse"] > 10_000_000, "a stack each")


def owners(tag):
    for variant, amplification in ("shared_backing", 37), ("clone_text", 38), ("clone", 2):
        s = Story(tag, "header_cache", variant)
        s.promises(abs(s.at("end")["amplification"] - amplification) < 1.5, f"{amplification} times the value wanted")
    for variant, changed in ("json_round_trip", 0), ("gob_round_trip", 500):
        s = Story(tag, "header_cache", variant)
        s.promises(s.extra("end", "values_changed") == changed, f"{changed} values changed")
    first_collection = {"finalizer": (0, True), "finalizer_cycle": (2000, True), "close": (0, False)}
    if tag == "g124":
        first_collection |= {"cleanup": (0, False), "cleanup_captures": (2000, True)}
    for variant, (unreclaimed, kept) in first_collection.items():
        s = Story(tag, "wrapper_cleanup", variant)
        first, last = s.lines[2], s.lines[-1]
        counts = [line["extra"]["unreclaimed"] for line in (first, last)]
        s.promises(counts == [unreclaimed] * 2, f"{unreclaimed} unreclaimed")
        s.promises((first["d_heap_alloc"] > 2_000_000) == kept, "memory as promised after one collection")
        s.promises((last["d_heap_alloc"] > 2_000_000) == (unreclaimed > 0), "memory as promised at last")
    for variant, len_kept in ("leaky", 20_000), ("lru", 1000), ("ttl_wheel", 1000):
        s = Story(tag, "unbounded_cache", variant)
        s.promises(s.extra("end", "len") == len_kept, f"{len_kept} kept")
        s.promises((s.at("end")["amplification"] > 20) == (variant == "leaky"), "amplified only without a bound")
    for variant in "leaky", "capped", "sync_pool":
        s = Story(tag, "pool_keeps_giants", variant)
        s.promises((s.bytes("rounds") > 64 << 20) == (variant == "leaky"), "64 giants kept by the free list alone")
        s.promises(variant == "capped" or s.bytes("rounds_uncollected") > 32 << 20, "giants in the pool before a collection")


def collector_work(tag):
    sizes = [1 << 10, 1 << 12, 1 << 14, 1 << 16]
    slots = {}
    for variant in "pointer_free", "zero_size", "same", "distinct":
        s = Story(tag, "gc_work", variant, sizes[-1])
        s.promises([line["step"] for line in s.lines[1:]] == sizes, "a checkpoint for each size")
        s.promises(all(line["label"] == "marked" and line["extra"][f"{what}_ns_median"] > 0
                       for line in s.lines[1:] for what in ("mark", "collection")), "two times at each")
        slots[variant] = s.extra("marked", "scanned_bytes") - s.lines[1]["extra"]["scanned_bytes"]
        objects = s.at("marked")["d_heap_objects"] - s.lines[1]["d_heap_objects"]
        s.promises((objects > 60_000) == (variant == "distinct"), "an object an entry only where they are distinct")
        each = 32 if variant == "distinct" else 16
        s.promises(s.at("marked")["semantic_live_bytes"] == each * sizes[-1], f"{each} bytes live an entry")
    # 1 MiB of slots of 16 bytes, a little of it in the smallest map; directories and span records are all that a map
    # without pointers adds.
    check(slots["pointer_free"] < 64 << 10 and all(slots[v] > 1 << 20 for v in slots if v != "pointer_free"),
          f"{tag} gc_work: every slot scanned where it has pointers, and only there: {slots}")


def verdicts_pair(tag):
    """The leaky and the fixed variants of a runtime are one case, whatever kind of map each uses."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([folder.parent / "mapbench", "retain", "syncmap_deleted", "--engine", ENGINES[tag], "--n", "5000",
                               "--figures", "no", "--out", f"{scratch}/run"], capture_output=True, text=True)
        lines = [json.loads(line) for line in open(f"{scratch}/run/retention.jsonl", encoding="utf-8")] \
            if done.returncode == 0 else []
    found = [line for line in lines if line["label"] == "verdict"]
    paired = [(v["map"], v["leaky_variant"], v["fixed_variant"]) for v in found]
    expected = "real_go_hmap" if tag == "g123" else "real_go_swiss"
    check(paired == [(expected, "syncmap_promoted", "rwmutex")], f"{tag} syncmap_deleted: {paired} {done.stderr}")
    roles = {variant["name"]: variant["role"] for variant in CATALOGUE["syncmap_deleted"]["variants"]}
    found = {line["variant"]: line["role"] for line in lines if line["label"] != "verdict"}
    check(found == roles, f"{tag} syncmap_deleted: roles {found}, in the catalogue {roles}")


def cannot(tag):
    """What a version of Go does not have is skipped with the reason, not a failure."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([folder.parent / "mapbench", "retain", "weak_key_cycle", "wrapper_cleanup", "--engine", ENGINES[tag],
                               "--variant", "fixed", "--n", "100", "--figures", "no", "--out", f"{scratch}/run"],
                              capture_output=True, text=True)
        ran, skipped = set(), {}
        if done.returncode == 0:
            valid = subprocess.run([sys.executable, "tests/support/validate_run.py", f"{scratch}/run"], capture_output=True, text=True)
            check(valid.returncode == 0, f"{tag}: a run with skipped cases: {valid.stdout}")
            lines = [json.loads(line) for line in open(f"{scratch}/run/retention.jsonl", encoding="utf-8")]
            ran = {line["variant"] for line in lines if line["label"] != "verdict"}
            skipped = {entry["what"]: entry["reason"] for entry in json.load(open(f"{scratch}/run/run.json"))["skipped_cases"]}
    expected = {"close"} if tag == "g123" else {"close", "cleanup", "weak_back", "inside_key"}
    whats = {"cleanup on go1.23", "weak_back with real_go_hmap", "inside_key with real_go_hmap"} if tag == "g123" else set()
    check(ran == expected and set(skipped) == whats and all("needs Go 1.24" in reason for reason in skipped.values()),
          f"{tag} unavailable variants: {ran} {skipped} {done.stderr}")


def weak(tag):
    cells = {("weak_values", "unswept"): (10_000, False), ("weak_values", "cleanup"): (0, False),
             ("weak_key_cycle", "strong_back"): (10_000, True), ("weak_key_cycle", "weak_back"): (0, False),
             ("weak_key_cycle", "inside_key"): (0, False)}
    for (scenario, variant), (entries, payloads) in cells.items():
        if tag == "g123":
            status, lines, errors = run_case(tag, scenario, variant)
            check(status == 4 and not lines and "needs Go 1.24" in errors, f"{tag} {scenario} {variant}: {status} {errors}")
            continue
        s = Story(tag, scenario, variant)
        s.promises(s.extra("collected_again", "len") == entries, f"{entries} entries left")
        s.promises((s.bytes("collected_again") > 10_000_000) == payloads, "values kept only by the cycle")
    if tag == "g124":
        s = Story(tag, "pointer_key", "weak_key")
        s.promises(s.bytes("fill") < 32 << 10, "payloads gone, entries left")


def statements():
    """What the catalogue says of each release of the scenarios that later ones changed, against the bytes that it keeps."""
    names = {engine.removeprefix("go"): tag for tag, engine in ENGINES.items()}
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([folder.parent / "mapbench", "retain", *CHANGED, "--engine", ",".join(ENGINES.values()),
                               "--figures", "no", "--out", f"{scratch}/run"], capture_output=True, text=True)
        lines = [json.loads(line) for line in open(f"{scratch}/run/retention.jsonl", encoding="utf-8")] \
            if done.returncode == 0 else []
    check(bool(lines), f"retain of {CHANGED}: {done.stderr}")
    judged = {(verdict["scenario"], v["name"], verdict["release"]): v for verdict in lines if verdict["label"] == "verdict"
              for v in verdict["variants"]}
    expected = {(scenario, variant["name"], release) for scenario in CHANGED for variant in CATALOGUE[scenario]["variants"]
                for release in names}
    check(set(judged) == expected, f"variants that did not run: {sorted(expected - set(judged))}")
    for scenario, variant, release in sorted(expected & set(judged)):
        says = {v["name"]: v["affected_in"] for v in CATALOGUE[scenario]["variants"]}[variant]
        v = judged[scenario, variant, release]
        check((release in says) == (not v["within"]), f"{scenario} {variant}, affected in {says}: Go {release} keeps "
              f"{v['bytes']:.0f} bytes, bound {v['bound_bytes']:.0f}")
    engines = {(release_of(line["engine"]), line["release"]) for line in lines if line["label"] != "verdict"}
    check(engines == {(ENGINES[tag], release) for release, tag in names.items()}, f"releases of the lines: {engines}")


def bad_input(tag):
    for words, text in ((["nothing", "leaky", "1"], "no scenario nothing"), (["subslice", "nothing", "1"], "no variant nothing"),
                        (["subslice", "leaky", "0"], "at least 1"), (["subslice", "leaky", "many"], "not many"),
                        ([], "usage"), (["subslice"], "usage"), (["subslice", "leaky"], "usage"),
                        (["subslice", "leaky", "1", "2"], "usage")):
        status, lines, errors = run(tag, *words)
        refused = status == 2 and not lines and text in errors and errors.count("\n") == 1
        check(refused, f"{tag} {words}: {status} {errors}")
    _, lines, _ = run(tag, "ptrvalue", "clear", 100)
    names = {(line["scenario"], line["n"]) for line in lines}
    check(names == {("pointer_value", 100)}, f"{tag}: the recorded name ptrvalue with n 100: {names}")


curves = recorded_curves()
check(len(curves) == 2 * 75 + 2 * 3 + 4 * 14, f"{len(curves)} recorded curves")
for tag in ENGINES:
    compare_recorded(tag, curves)
    for stories in (tables, log_fields, timers, owners, collector_work, verdicts_pair, cannot, weak) if tag in ALL_STORIES else ():
        stories(tag)
    bad_input(tag)
statements()
print(f"{passed} passed, {len(failures)} failed")
sys.exit(bool(failures))
PYTHON
