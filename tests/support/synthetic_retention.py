"""Writes run folders with retention scenarios that nobody ran: fixtures for the tests of plots/, as synthetic_run.py does
for rows.

    python3 tests/support/synthetic_retention.py CASE FOLDER     (python3 tests/support/synthetic_retention.py list: the cases)

The curves of real Go are recorded ones (fixtures/go/retention.txt); what stands for the simulation, and for other maps, is
made from them by small deviations that the names decide.
"""
import json
import pathlib
import sys

import synthetic_run

RECORDED = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "go" / "retention.txt"
ENGINES = {"g123": "go1.23.5", "g124": "go1.24.4"}
# How much of what Go's maps keep beyond the live bytes others do; None: the scenario cannot be expressed.
OTHERS = {"linear": 1.3, "chained": 0.4, "swiss_flat": 1.1, "judy": None}
CANNOT = "its keys are integers: they hold no pointers"
PAYLOAD_BYTES, KEY_BYTES = 1152, 16

# recorded scenario: number, about, verdict's phase, claim, fix, references, variants [(name, role, summary)], live bytes
# of (n, label, step), path of the leaky variant
STORIES = {
    "subslice_many": dict(
        number=1, verdict_label="fill", claim="A map that keeps one element of a slice keeps the whole array behind it.",
        fix="Copy what is kept: append([]string{}, data[:1]...).", references="", path="global cache -> hmap.buckets -> "
        "bucket[3].value -> []string (156 KiB, 1 of 10000 elements in use)", dominator="[10000]string, 156 KiB each",
        variants=[("leaky", "leaky", "keeps data[:1]"), ("capped", "no_fix", "keeps data[:1:1]: capacity is not memory"),
                  ("append_copy", "fixed", "keeps a copy"), ("make_copy", "fixed", "keeps a copy made by hand")],
        live=lambda n, label, step: 0 if label in ("base", "dropped") else 32 * step),
    "pointer_value": dict(
        number=7, verdict_label="after", claim="A cache that is never cleared keeps every value it ever had.",
        fix="Delete what is no longer needed; make a new map to get rid of the table too.", references="go#20135, redis#354",
        path="global cache -> hmap.buckets -> bucket[0].value -> *User (1.13 KiB)", dominator="the map, 11.6 MiB",
        variants=[("leaky", "leaky", "nothing is deleted"), ("delete_all", "fixed", "deletes every key"),
                  ("clear", "fixed", "clear(m)"), ("set_nil", "fixed", "m = nil"), ("remake", "fixed", "a new map")],
        live=lambda n, label, step: 0 if label != "fill" else step * (PAYLOAD_BYTES + KEY_BYTES)),
    "stalled_rehash": dict(
        number=14, verdict_label="growth_started_then_idle", release=11404,
        claim="A map that begins to grow and is then only read keeps both of its arrays.",
        fix="Write to it, or grow at once.", variants=[("insert", "leaky", "only reads after growth")],
        references="redis#13605", path="global cache -> hmap.oldbuckets -> [16384]bucket (2.25 MiB)", dominator="hmap",
        live=lambda n, label, step: 0 if label in ("base", "dropped") else 16 * step),
    "tombstones": dict(
        number=15, verdict_label="churn",
        claim="A map of constant length under a sliding window of keys keeps its tombstones.",
        fix="Rebuild it in place, or copy it to a new map now and then.", references="go#70886, go#16070", path=None,
        dominator=None, variants=[("u64u64", "leaky", "integers"), ("strptr", "reference", "strings to pointers")],
        live=lambda n, label, step: 0 if label == "base" else 16 * n),
    "iterator_growth": dict(
        number=17, verdict_label="grown_and_deleted_iterator_parked", references="",
        claim="An iterator parked while its map grows keeps the arrays it began with.",
        fix="Iterate over a copy of the keys.",
        path="goroutine 18 stack -> hiter.buckets -> [4096]bucket", dominator="hiter",
        variants=[("iterating", "leaky", "parked"), ("none", "fixed", "no iterator")],
        live=lambda n, label, step: 0 if label == "base" else n * (PAYLOAD_BYTES + 16) if label == "filled" else n * 48),
    "ttl_timers": dict(
        number=20, verdict_label="set", claim="A timer for every set, never stopped, keeps its entry until it fires.",
        fix="Stop the old timer, or keep one heap of deadlines.", references="",
        path="timer heap -> timer.f -> closure -> *entry", dominator="timers, 2.2 MiB", variants=[("leaky", "leaky", "AfterFunc per set"), ("stop", "fixed", "Stop first")],
        live=lambda n, label, step: 16 * 160 if label == "set" else 0),
}
NAMES = list(STORIES)


def recorded():
    """{(tag, scenario, variant): [(step, label, d_heap_alloc, d_heap_objects, n)]}"""
    found = {}
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            tag, scenario, variant, step, label, heap, objects, n = line.split()[:8]
            points = found.setdefault((tag, scenario, variant), [])
            if not points or points[0][4] == int(n):  # of several n the catalogue's, the first
                points.append((int(step), label, int(heap), int(objects), int(n)))
    return found


def deviation(*parts):
    """A number in [-1, 1) that depends on the parts only."""
    return 2 * synthetic_run.stable_unit(*map(str, parts)) - 1


def point(scenario, variant, role, name, heap, engine, n, step, label, live, kept, objects, **more):
    line = {"scenario": scenario, "variant": variant, "role": role, "map": name, "heap": heap, "engine": engine, "n": n,
            "shape": "str_ptr", "seed": 1, "step": step, "label": label, "semantic_live_bytes": live,
            "heap_alloc": 66744 + kept, "heap_objects": 291 + objects, "d_heap_alloc": kept, "d_heap_objects": objects,
            "rss": None, "amplification": kept / live if live else None, "path": None, "dominator": None, "events": [],
            "extra": {"mark_ns": 1000.0 + kept / 20, "scanned_bytes": max(0.0, kept / 2)}, "error": None}
    if engine != "c":  # what an engine does not say
        for field in "shape", "seed", "path", "dominator", "events", "error":
            del line[field]
        line["extra"] = {}
    return line | more


def events_of(scenario, label, before, step):
    if scenario == "stalled_rehash" and label == "growth_started_then_idle":
        return [{"what": "grow", "step": step}, {"what": "evacuate", "step": step}]
    if scenario == "stalled_rehash" and label == "after_reads_range_10gc":
        return [{"what": "collect", "step": step}]
    if scenario == "stalled_rehash" and label == "continue_writes" and step > before > 0:
        return [{"what": "evacuated", "step": step}]
    if label in ("fill", "churn") and step > before:
        return [{"what": "grow", "step": before + (step - before) // 3},
                {"what": "collect", "step": before + (step - before) // 2}]
    return []


def curve(scenario, variant, role, points, name, heap, engine, factor=None, off=0.0):
    """The lines of a case made from a recorded curve: `factor` of it, or all but for what `off` allows."""
    story, lines, before = STORIES[scenario], [], 0
    for step, label, kept, objects, n in points:
        if factor is not None:
            kept, objects = round(kept * factor), round(objects * factor)
        if label != "base":
            kept += round(off * max(8000, abs(kept) * 0.01) * deviation(scenario, variant, step, label))
        events = events_of(scenario, label, before, step) if engine == "c" and role == "leaky" else []
        leaks = role == "leaky" and heap == "gosim" and label == story["verdict_label"]
        lines.append(point(scenario, variant, role, name, heap, engine, n, step, label, story["live"](n, label, step), kept,
                           objects, events=events, path=story["path"] if leaks else None, dominator=story["dominator"] if leaks else None))
        before = step
    return lines


def verdict(scenario, name, heap, engine, lines):
    """From a subject's lines as mapbench works it out: at the last checkpoint of the verdict's phase."""
    story = STORIES[scenario]

    def at(role):
        found = {}
        for line in lines:
            if line["role"] == role and line["label"] == story["verdict_label"]:
                found[line["variant"]] = line
        return max(found.values(), key=lambda line: line["d_heap_alloc"], default=None)
    leaky, fixed = at("leaky"), at("fixed")
    if leaky is None:
        return None
    live = leaky["semantic_live_bytes"]
    bound = 2 * live + 1000000
    passed = None if fixed is None else fixed["d_heap_alloc"] <= bound and name != "swiss_flat"
    return {"scenario": scenario, "map": name, "heap": heap, "engine": engine, "label": "verdict",
            "leaky_variant": leaky["variant"], "fixed_variant": fixed and fixed["variant"], "semantic_live_bytes": live,
            "dominator": story["dominator"], "leaky_bytes": leaky["d_heap_alloc"],
            "fixed_bytes": fixed and fixed["d_heap_alloc"],
            "amplification": leaky["d_heap_alloc"] / live if live else None, "release_operations": story.get("release"),
            "path": story["path"], "fix": story["fix"], "bound_bytes": bound, "passed": passed}


def scenarios_info(names):
    return [{"number": STORIES[s]["number"], "name": s, "claim": STORIES[s]["claim"], "fix": STORIES[s]["fix"],
             "references": STORIES[s]["references"],
             "variants": [{"name": v, "role": r, "summary": text} for v, r, text in STORIES[s]["variants"]]} for s in names]


def subjects(others):
    """[(map, heap, engine, tag of the curve, factor, deviation)]"""
    own = [("go_hmap", "gosim", "c", "g123", None, 0.6), ("go_swiss", "gosim", "c", "g124", None, 0.6),
           ("real_go_hmap", "go_gc", ENGINES["g123"], "g123", None, 0.0),
           ("real_go_swiss", "go_gc", ENGINES["g124"], "g124", None, 0.0)]
    return own + [(name, "gosim", "c", "g123", factor, 0.0) for name, factor in OTHERS.items() if others and factor]


def lines_of(names, others=True, verdicts=True):
    curves, out = recorded(), []
    for scenario in names:
        for name, heap, engine, tag, factor, off in subjects(others):
            lines = []
            for variant, role, _summary in STORIES[scenario]["variants"]:
                fixed = 1.0 if role == "fixed" else factor
                lines += curve(scenario, variant, role, curves[tag, scenario, variant], name, heap, engine,
                               factor and fixed, off)
            out += lines
            found = verdict(scenario, name, heap, engine, lines) if verdicts else None
            out += [found] if found else []
    return out


def gc_work():
    out = []
    for engine, heap in (("c", "gosim"), (ENGINES["g124"], "go_gc")):
        name = "go_hmap" if engine == "c" else "real_go_hmap"
        for variant, ns, scanned in (("pointer_free", 0.0002, 0.0), ("same", 5.6, 16.0), ("distinct", 11.0, 24.0)):
            out.append(point("gc_work", variant, "reference", name, heap, engine, 1 << 20, 0, "base", 0, 0, 0))
            for n in (1 << 10, 1 << 13, 1 << 16, 1 << 20):
                more = 1.0 if engine == "c" else 0.94
                extra = {"mark_ns": 1.0, "mark_ns_median": 9000 + ns * n * more, "scanned_bytes": 4096 + scanned * n}
                if engine != "c":
                    extra["collection_ns_median"] = 4.25e6
                out.append(point("gc_work", variant, "reference", name, heap, engine, 1 << 20, n, "marked", 16 * n, 40 * n,
                                 n, extra=extra))
        out.append({"scenario": "gc_work", "map": name, "heap": heap, "engine": engine, "label": "verdict", "passed": None,
                    "leaky_bytes": None, "fixed_bytes": None, "amplification": None, "release_operations": None})
    return out


def resident():
    """A scenario without a map on malloc: only the kernel can say."""
    out = []
    for variant, role, left in (("glibc", "leaky", 0.85), ("slab", "fixed", 0.14)):
        fill = [(k, "fill", 1600 * k, 1740 * k) for k in range(25000, 200001, 25000)]
        delete = [(k, "delete", 1600 * (200000 - k), round(1740 * (200000 - k * (1 - left))))
                  for k in range(22500, 180001, 22500)]
        for step, label, live, rss in [(0, "base", 0, 0), *fill, *delete]:
            out.append(point("fragmentation", variant, role, None, "malloc", "c", 200000, step, label, live, 0, 0,
                             heap_alloc=None, heap_objects=None, d_heap_alloc=None, d_heap_objects=None, rss=rss, extra={}))
    return out


def layers(name, thp, n=200000):
    """A memory row with the four layers of a map that doubles; huge pages make the last one a step."""
    maker, curve_, events, capacity = synthetic_run.Maker(1, 3), [], [], 16
    for op in sorted({1, n, *(round(n * i / 160) for i in range(1, 160))}):
        while capacity * 0.8 < op:
            events += [{"op": round(capacity * 0.8), "what": "grow"}, {"op": round(capacity * 0.8), "what": "evacuate"},
                       {"op": capacity, "what": "evacuated"}]
            capacity *= 2
        requested = 17 * capacity + 64
        usable = (requested + 4111) // 4096 * 4096 if requested > 131072 else requested + 8
        page = 2 << 20 if thp else 4096
        curve_.append([op, 16 * op, requested, usable, (max(16 * op * 1.05, 0.7 * usable) // page + 1) * page])
    events = [event for event in events if event["op"] <= n]
    if name == "linear":  # a kind that only some panels have
        events += [{"op": n // 3, "what": "collect"}, {"op": n // 2, "what": "fork"}]
    row = maker.row("memory", name, "u64_u64", "put_grow", "uniform", n, bytes_live=16 * n, bytes_per_entry=26.0,
                    bytes_peak=40 * n, rss_delta=27 * n, rss_peak_delta=42 * n, blocks_live=2, allocations=40,
                    curve=[[op, requested, resident_] for op, _live, requested, _usable, resident_ in curve_],
                    octave={"mean": 30.0, "min": 21.0, "max": 42.0})
    return row | {"layers": curve_, "events": events, "thp": thp}


def info_of(names, **more):
    skipped = [{"scenario": s, "what": name, "reason": CANNOT} for s in names
               for name, factor in OTHERS.items() if factor is None]
    info = synthetic_run.run_info(["go_hmap", "go_swiss", *OTHERS], [], [], 1, 1, scenarios=scenarios_info(names),
                                  skipped_cases=skipped, profile=None,
                                  command="build/mapbench retain --variant all --out DIR")
    return info | more


HOSTILE = '</script><b>x</b> $a_1 & `touch pwned` \'q\' "d" %s'


def garbage():
    """Keeps nothing, allocates for nothing; more phases than their names have room."""
    labels = ["base"] + ["rounds_uncollected", "rounds"] * 7
    return [point("log_fields", variant, role, None, "gosim", "c", 100, 100 * i, label, 0, 0, 0, total_alloc=5000 + bytes_each * i)
            for variant, role, bytes_each in (("naive", "leaky", 224 << 10), ("pooled", "fixed", 0)) for i, label in enumerate(labels)]


def simulated(names):
    return [line for line in lines_of(names, others=False, verdicts=False) if line["engine"] == "c"]


def hostile():
    lines = [line | {"scenario": HOSTILE, "map": HOSTILE, "variant": f"{HOSTILE}{line.get('variant')}", "path": HOSTILE,
                     "dominator": HOSTILE} for line in simulated(["subslice_many"])]
    story = {"number": 1, "name": HOSTILE, "claim": HOSTILE, "fix": HOSTILE, "references": HOSTILE, "variants": []}
    return info_of([], scenarios=[story]), lines, []


def failed():
    """A case that broke off, one that never began, and a scenario of which only the leaky variant is there."""
    lines = [line for line in simulated(["subslice_many", "ttl_timers"]) if (line["scenario"], line["variant"]) != ("ttl_timers", "stop")]
    head = {"heap": "gosim", "engine": "c", "n": 64, "shape": "str_ptr", "role": "fixed", "label": "error",
            "error": "ended by SIGKILL"}
    return info_of(NAMES[:1], complete=False), lines + [
        head | {"scenario": "subslice_many", "map": "go_hmap", "variant": "make_copy"},
        head | {"scenario": "never_ran", "map": "linear", "variant": "leaky", "role": "leaky",
                "error": "out of memory: wanted 1 GiB"}], []


CASES = {
    "full": lambda: (info_of(NAMES), lines_of(NAMES) + resident() + gc_work(),
                     [layers(name, thp) for name in ("linear", "swiss_flat") for thp in (False, True)]),
    "bare": lambda: ({k: v for k, v in info_of([]).items() if k != "scenarios"},
                     lines_of(["subslice_many", "ttl_timers"], others=False, verdicts=False), None),
    "verdicts": lambda: (info_of(NAMES), [line for line in lines_of(NAMES) if line["label"] == "verdict"], None),
    "work": lambda: (info_of([]), gc_work(), []),
    "garbage": lambda: (info_of([]), garbage(), []),
    "mallocs": lambda: (info_of([]), resident(), []),
    "failed": failed,
    "hostile": hostile,
}


def write(case, folder):
    info, lines, rows = CASES[case]()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
    if rows is not None:  # a run of scenarios may come without the file
        (folder / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (folder / "retention.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in CASES:
        print("cases:", *CASES)
        sys.exit(0 if sys.argv[1:] == ["list"] else 2)
    write(sys.argv[1], sys.argv[2])
