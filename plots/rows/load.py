"""Reads a run folder and refuses a broken one with one line: which file, which line, what is wrong.

results/README.md describes the fields. Fields this version does not know are kept and ignored, so that a run made by
a later version of the same schema can still be drawn.
"""
import pathlib

from plots.rows import retention
from plots.rows.fields import (COUNT, FLAG, LIST, NUMBER, OBJECT, TESTS, TEXT, BadRun, check_fields, check_numbers, parse,
                               read_lines, read_text)
from plots.rows.run import Run

SCHEMA = 1
KINDS = ("time", "latency", "memory", "counters", "structure")

# field: (type, may be null)
RUN_FIELDS = {"id": (TEXT, False), "command": (TEXT, False), "profile": (OBJECT, True), "options": (OBJECT, False),
              "machine": (OBJECT, False), "build": (OBJECT, False), "timers": (OBJECT, True), "keys": (LIST, False),
              "maps": (LIST, False), "warnings": (LIST, False), "skipped": (LIST, False), "started": (TEXT, False),
              "duration_s": (NUMBER, True), "complete": (FLAG, False)}
# Absent in runs made before the field was.
RUN_EXTRA_FIELDS = {"resumed": (COUNT, True), "scenarios": (LIST, True)}
ROW_FIELDS = {"kind": (TEXT, False), "job": (TEXT, False), "map": (TEXT, False), "shape": (TEXT, False),
              "workload": (TEXT, False), "keys": (TEXT, False), "n": (COUNT, False), "heap": (TEXT, False), "hash": (TEXT, False),
              "threads": (COUNT, False), "seed": (NUMBER, False), "engine": (TEXT, False), "ns_per_op": (LIST, True),
              "median": (NUMBER, True), "ci95": (LIST, True), "stable": (FLAG, False), "why_unstable": (TEXT, True),
              "null_ns_per_op": (NUMBER, True), "error": (TEXT, True)}
# Records within lists of run.json.
RECORD_FIELDS = {
    "keys": {"name": (TEXT, False), "shape": (TEXT, False), "mean_key_bytes": (NUMBER, True)},
    "maps": {"name": (TEXT, False)},
    "warnings": {"text": (TEXT, False), "advice": (TEXT, True)},
    "skipped": {"cell": (TEXT, False), "reason": (TEXT, False)},
}
CACHE_FIELDS = {"level": (COUNT, False), "type": (TEXT, False), "bytes": (COUNT, True)}
# What a row that was measured must bring besides, by kind.
KIND_FIELDS = {
    "time": {"median": (NUMBER, False), "round_medians": (LIST, False)},
    "latency": {"latency": (OBJECT, False), "growth_events": (LIST, False)},
    "memory": {"bytes_per_entry": (NUMBER, True), "curve": (LIST, True)},
    "counters": {"counters": (OBJECT, False)},
    "structure": {},
}
# What it may bring, and then of this type or null.
EXTRA_FIELDS = dict.fromkeys(("capacity", "load_factor", "tombstones", "probe_mean", "probe_max", "array_bytes",
                              "bytes_live", "bytes_peak", "rss_delta", "rss_peak_delta", "blocks_live", "allocations",
                              "growth_events_total", "p50", "p90", "p99", "p999", "p9999", "old_capacity",
                              "new_capacity", "mean", "min", "max", "limit", "files", "duplicates", "with_nul",
                              "preempted_share", "cpu_per_wall", "timer_share", "timer_step_ns", "offered_per_s",
                              "achieved_per_s", "closed_per_s", "utilisation", "late_share"), (NUMBER, True)) | {
    "octave": (OBJECT, True), "counters_why": (OBJECT, True), "order": (TEXT, True), "cell": (TEXT, True),
    "layers": (LIST, True), "events": (LIST, True), "thp": (FLAG, True),
    "pages": (TEXT, True), "loop": (TEXT, True), "rate": (TEXT, True), "overload": (FLAG, True),
    "no_open_loop": (TEXT, True), "timeline": (OBJECT, True), "empty": (OBJECT, True)}


def check_extra(record, where):
    check_fields(record, {name: rule for name, rule in EXTRA_FIELDS.items() if name in record}, where)


def check_row(row, where):
    check_fields(row, ROW_FIELDS, where)
    check_extra(row, where)
    if row["kind"] not in KINDS:
        raise BadRun(f"{where}: unknown kind '{row['kind'][:40]}' (known: {', '.join(KINDS)})")
    if row["n"] == 0:
        raise BadRun(f"{where}: 'n' is 0; a cell has at least one entry")
    check_numbers(row["ns_per_op"], 0, where, "ns_per_op")
    check_numbers([row["ci95"]] if row["ci95"] else [], 2, where, "ci95", nullable=False)
    if row["error"] is not None:
        return
    check_fields(row, KIND_FIELDS[row["kind"]], where)
    if row["kind"] == "time":
        check_numbers(row["round_medians"], 0, where, "round_medians")
    elif row["kind"] == "memory":
        check_numbers(row["curve"], 3, where, "curve")
        check_numbers(row.get("layers"), 5, where, "layers")
        for event in row.get("events") or []:
            check_fields(event, {"op": (COUNT, False), "what": (TEXT, False)}, where)
        if row.get("octave"):
            check_fields(row["octave"], dict.fromkeys(("mean", "min", "max"), (NUMBER, False)), where)
    elif row["kind"] == "counters":
        check_numbers(row["counters"].values(), 0, where, "counters")
    elif row["kind"] == "latency":
        check_latency(row, where)


def check_latency(row, where):
    check_histogram(row["latency"], where)
    check_fields(row["latency"], {"timer_cost_ns": (NUMBER, True)}, where)
    if row["latency"].get("empty"):
        check_histogram(row["latency"]["empty"], where)
    if row.get("loop") == "open":
        check_fields(row, dict.fromkeys(("offered_per_s", "achieved_per_s", "late_share"), (NUMBER, False))
                     | {"rate": (TEXT, False)}, where)
    if row.get("timeline"):
        check_fields(row["timeline"], {"ops_per_slot": (COUNT, False), "max_ns": (LIST, False)}, where)
        check_numbers(row["timeline"]["max_ns"], 0, where, "max_ns", nullable=False)
    for event in row["growth_events"]:
        check_fields(event, {"op": (COUNT, False), "ns": (NUMBER, False)}, where)
        check_extra(event, where)


def check_histogram(histogram, where):
    check_fields(histogram, {"buckets": (LIST, False), "max": (NUMBER, False), "count": (COUNT, False),
                             "above": (COUNT, False)}, where)
    check_extra(histogram, where)
    check_numbers(histogram["buckets"], 3, where, "buckets", nullable=False)


def load(folder):
    folder = pathlib.Path(folder)
    path = folder / "run.json"
    if not folder.is_dir():
        raise BadRun(f"{folder}: no such folder; give a folder that `mapbench run` wrote")
    info = parse(read_text(path), path)
    version = info.get("schema") if isinstance(info, dict) else None
    if not TESTS[COUNT](version):
        raise BadRun(f"{path}: no schema version; this is not a run of mapbench")
    if version != SCHEMA:
        advice = "update mapbench" if version > SCHEMA else "measure again"
        raise BadRun(f"{path}: schema {version}, this version reads schema {SCHEMA}: {advice}")
    check_fields(info, RUN_FIELDS | {name: rule for name, rule in RUN_EXTRA_FIELDS.items() if name in info}, path)
    for name, fields in RECORD_FIELDS.items():
        for record in info[name]:
            check_fields(record, fields, f"{path}: '{name}'")
            check_extra(record, f"{path}: '{name}'")
    check_fields(info["machine"], {"caches": (LIST, True)} if "caches" in info["machine"] else {}, f"{path}: 'machine'")
    for cache in info["machine"].get("caches") or []:
        check_fields(cache, CACHE_FIELDS, f"{path}: 'caches'")

    kept = retention.read(folder / "retention.jsonl", info)
    path, cells, repeated = folder / "rows.jsonl", {}, 0
    # a run of nothing but scenarios may come without rows
    records, torn = read_lines(path, info["complete"]) if path.exists() or kept is None else ([], False)
    for where, row in records:
        check_row(row, where)
        cell = tuple(row[f] for f in ("kind", "job", "map", "shape", "workload", "keys", "n", "heap", "hash", "threads",
                                      "engine")) + (row.get("cell"), row.get("order"), row.get("thp"), row.get("pages"), row.get("rate"))
        repeated += cell in cells
        cells[cell] = row
    return Run(folder, info, list(cells.values()), repeated, torn, kept)
