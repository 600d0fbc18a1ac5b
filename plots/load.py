"""Reads a run folder and refuses a broken one with one line: which file, which line, what is wrong.

results/README.md describes the fields. Fields this version does not know are kept and ignored, so that a run made by
a later version of the same schema can still be drawn.
"""
import json
import math
import pathlib

from run import Run

SCHEMA = 1
KINDS = ("time", "latency", "memory", "counters", "structure")


class BadRun(Exception):
    """The folder is not a run this version can read; the message is the whole line for the user."""


NUMBER, COUNT, TEXT, FLAG, LIST, OBJECT = "number", "count", "text", "true or false", "list", "object"
TESTS = {
    NUMBER: lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v),
    COUNT: lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0,
    TEXT: lambda v: isinstance(v, str),
    FLAG: lambda v: isinstance(v, bool),
    LIST: lambda v: isinstance(v, list),
    OBJECT: lambda v: isinstance(v, dict),
}
# field: (type, may be null)
RUN_FIELDS = {"id": (TEXT, False), "command": (TEXT, False), "profile": (OBJECT, True), "options": (OBJECT, False),
              "machine": (OBJECT, False), "build": (OBJECT, False), "timers": (OBJECT, True), "keys": (LIST, False),
              "maps": (LIST, False), "warnings": (LIST, False), "skipped": (LIST, False), "started": (TEXT, False),
              "duration_s": (NUMBER, True), "complete": (FLAG, False)}
# Absent in runs made before the field was.
RUN_EXTRA_FIELDS = {"resumed": (COUNT, True)}
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
                              "preempted_share", "cpu_per_wall", "timer_share"), (NUMBER, True)) | {
    "octave": (OBJECT, True), "counters_why": (OBJECT, True), "order": (TEXT, True), "cell": (TEXT, True)}


def check_fields(record, fields, where):
    if not isinstance(record, dict):
        raise BadRun(f"{where}: expected an object")
    for name, (kind, nullable) in fields.items():
        if name not in record:
            raise BadRun(f"{where}: field '{name}' is missing")
        value = record[name]
        if not (value is None and nullable) and not TESTS[kind](value):
            raise BadRun(f"{where}: field '{name}' must be a {kind}{' or null' if nullable else ''}, "
                         f"not {json.dumps(value)[:40]}")


def check_extra(record, where):
    check_fields(record, {name: rule for name, rule in EXTRA_FIELDS.items() if name in record}, where)


def check_numbers(values, width, where, name, nullable=True):
    """A list of numbers (width 0) or of lists of `width` numbers each; nullable: some of them may be null."""
    for value in values or []:
        if width and (not isinstance(value, list) or len(value) != width):
            raise BadRun(f"{where}: '{name}' must hold lists of {width} numbers")
        for number in value if width else [value]:
            if not (number is None and nullable) and not TESTS[NUMBER](number):
                raise BadRun(f"{where}: '{name}' holds {json.dumps(number)[:40]}, which is not a number")


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
        if row.get("octave"):
            check_fields(row["octave"], dict.fromkeys(("mean", "min", "max"), (NUMBER, False)), where)
    elif row["kind"] == "counters":
        check_numbers(row["counters"].values(), 0, where, "counters")
    elif row["kind"] == "latency":
        check_latency(row, where)


def check_latency(row, where):
    check_fields(row["latency"], {"buckets": (LIST, False), "max": (NUMBER, False), "count": (COUNT, False),
                                  "above": (COUNT, False), "timer_cost_ns": (NUMBER, True)}, where)
    check_extra(row["latency"], where)
    check_numbers(row["latency"]["buckets"], 3, where, "buckets", nullable=False)
    for event in row["growth_events"]:
        check_fields(event, {"op": (COUNT, False), "ns": (NUMBER, False)}, where)
        check_extra(event, where)


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text, where):
    try:
        return without_surprises(json.loads(text, parse_constant=refuse_constant))
    except (ValueError, RecursionError) as error:
        raise BadRun(f"{where}: not valid JSON ({error}); the file is damaged: measure again or restore it") from None


def without_surprises(value):
    """Control characters and halves of surrogate pairs become visible marks: no figure format can hold them."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c in " \n\t" else "\ufffd" for c in value)
    if isinstance(value, list):
        return [without_surprises(v) for v in value]
    if isinstance(value, dict):
        return {without_surprises(k): without_surprises(v) for k, v in value.items()}
    return value


def read_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadRun(f"{path.parent}: not a run folder (no {path.name}); give a folder that `mapbench run` wrote") \
            from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRun(f"{path}: cannot be read ({error})") from None


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

    path, cells, repeated = folder / "rows.jsonl", {}, 0
    *lines, rest = read_text(path).split("\n")
    # A run that was killed may leave half a line: only there, and only in an incomplete run, is it no fault.
    torn = bool(rest.strip()) and not info["complete"]
    for number, line in enumerate(lines if torn else [*lines, rest], 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        row = parse(line, where)
        check_row(row, where)
        cell = tuple(row[f] for f in ("kind", "job", "map", "shape", "workload", "keys", "n", "heap", "hash", "threads",
                                      "engine")) + (row.get("cell"), row.get("order"))
        repeated += cell in cells
        cells[cell] = row
    return Run(folder, info, list(cells.values()), repeated, torn)
