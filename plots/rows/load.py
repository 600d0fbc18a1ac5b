"""Reads a run folder and refuses a broken one with one line: which file, which line, what is wrong.

results/schema.json lists the fields, results/README.md describes them. Fields this version does not know are kept and
ignored, so that a run made by a later version of the same schema can still be drawn.
"""
import pathlib

from plots.rows import retention, schema
from plots.rows.fields import (COUNT, LIST, NUMBER, TESTS, TEXT, BadRun, check_fields, check_numbers, parse,
                               read_lines, read_text)
from plots.rows.run import Run

SCHEMA = 1
RUN, ROW, LATENCY = schema.fields("run"), schema.fields("row"), schema.fields("latency")
# Fields that a run made by any version has; others are checked where they are.
RUN_FIELDS = schema.needed(RUN, ("id", "command", "options", "machine", "build", "keys", "maps", "warnings", "skipped", "started",
                                 "complete")) | schema.needed(RUN, ("profile", "timers", "duration_s"), nullable=True)
RUN_EXTRA_FIELDS = schema.needed(RUN, ("resumed", "scenarios"), nullable=True)
ROW_FIELDS = schema.needed(ROW, ("kind", "job", "map", "shape", "workload", "keys", "n", "heap", "hash", "threads", "seed", "engine",
                                 "median", "ci95", "stable", "why_unstable", "null_ns_per_op", "error")) \
    | schema.needed(ROW, ("ns_per_op",), nullable=True)
ROW_EXTRA_FIELDS = schema.needed(ROW, [name for name in ROW if name not in ROW_FIELDS], nullable=True)
# Records within lists of run.json: what they must have.
RECORD_FIELDS = {"keys": ("name", "shape"), "maps": ("name",), "warnings": ("text",), "skipped": ("cell", "reason")}
CACHE_FIELDS = schema.needed(schema.fields("run", "machine", "caches"), ("level", "type")) \
    | schema.needed(schema.fields("run", "machine", "caches"), ("bytes",), nullable=True)
# Fields that a row that was measured must bring besides, by kind.
KIND_FIELDS = {
    "time": {"median": (NUMBER, False)} | schema.needed(ROW, ("round_medians",)),
    "latency": schema.needed(ROW, ("latency", "growth_events")),
    "memory": schema.needed(ROW, ("bytes_per_entry", "curve"), nullable=True),
    "counters": schema.needed(ROW, ("counters",)),
    "structure": {},
    "scaling": schema.needed(ROW, ("points",)) | schema.needed(ROW, ("exponent", "exponent_ci95", "given_up_at"), nullable=True),
}
KINDS = tuple(KIND_FIELDS)


def check_extra(record, fields, where):
    """Checks those of the fields that are there; null passes, which an earlier version may have written."""
    check_fields(record, {name: (kind, True) for name, (kind, _null) in fields.items() if name in record}, where)


def check_row(row, where):
    check_fields(row, ROW_FIELDS, where)
    check_extra(row, ROW_EXTRA_FIELDS, where)
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
    elif row["kind"] == "scaling":
        check_numbers(row["points"], 3, where, "points", nullable=False)
        check_numbers([row["exponent_ci95"]] if row["exponent_ci95"] else [], 2, where, "exponent_ci95", nullable=False)


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
        check_extra(event, schema.fields("row", "growth_events"), where)


def check_histogram(histogram, where):
    check_fields(histogram, {"buckets": (LIST, False), "max": (NUMBER, False), "count": (COUNT, False),
                             "above": (COUNT, False)}, where)
    check_extra(histogram, LATENCY, where)
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
    for name, names in RECORD_FIELDS.items():
        fields = schema.fields("run", name)
        for record in info[name]:
            check_fields(record, schema.needed(fields, names), f"{path}: '{name}'")
            check_extra(record, fields, f"{path}: '{name}'")
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
