"""What the history takes: run folders, comparisons (`compare --json`) and counts (`gate count --json`), read into Result.

Whatever is not whole, not of this schema or not comparable over time is Refused, with the reason.
"""
import hashlib
import json
import re
from collections import namedtuple
from datetime import datetime, timezone
from pathlib import Path

from judge.base.cells import Cell, cells_of, map_of, text_of
from judge.base.common import Refused
from judge.base.stored import open_run, result_id
from plots.rows import fields

# value with its 95 % interval or None; stable: the row may be quoted
Raw = namedtuple("Raw", "cell metric value low high stable")
Ratio = namedtuple("Ratio", "cell base ratio low high verdict")
Count = namedtuple("Count", "cell what value")
# kind: "run", "paired", "count". revision: the commit measured or None. time: UTC, ISO 8601. machine: (key, facts).
# raw, ratios, counts: lists. left_out: rows without a number (errors, cells that are only on one side).
Result = namedtuple("Result", "source result_id kind name revision time machine trustworthy build raw ratios counts left_out")

# Times are only compared where all of these are equal. What changes with every update (microcode, library, compiler)
# is left out: that a time changed then is what the history is for. The facts are stored whole.
MACHINE_KEY = ("cpu", "cores", "threads_per_core", "cpus_usable", "cpu_quota", "caches", "virtual", "thp", "governor")

COUNT_WHAT = re.compile(r"[a-z][a-z0-9_]*")
# Fields of a counted cell that say which cell it is, or what became of it; every other number is a count.
NOT_COUNTS = {"map", "shape", "workload", "keys", "n", "hash", "heap", "seed", "ops", "segments", "checksum", "verdict", "changes"}


def read(source, revision=None):
    """Returns the Result of a run folder or of a JSON file. revision: the commit, where the file does not say it."""
    path = Path(source)
    if path.is_dir():
        return read_run(path, revision)
    if not path.exists():
        raise Refused(f"{path}: no such file or folder")
    try:
        text = path.read_text(encoding="utf-8")
        document = fields.parse(text, path)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read ({error})") from None
    except fields.BadRun as bad:
        raise Refused(str(bad)) from None
    kinds = {"paired": read_paired, "count": read_count}
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind not in kinds:
        raise Refused(f"{path}: neither a run folder nor what `compare --json` or `gate count --json` writes"
                      + (f" (kind '{str(kind)[:40]}')" if kind is not None else ""))
    if document.get("schema") != 1:
        raise Refused(f"{path}: schema {json.dumps(document.get('schema'))[:20]}, this version reads schema 1: update mapbench")
    try:
        return kinds[kind](path, document, revision)
    except fields.BadRun as bad:
        raise Refused(str(bad)) from None


def digest(value):
    """Digests anything that is JSON: the same for the same content, whatever its spacing and the order of fields."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def machine_of(machine):
    """Returns (key, facts as JSON) of the `machine` of a run or comparison."""
    facts = {name: machine.get(name) for name in MACHINE_KEY}
    facts["kernel_major"] = str(machine.get("kernel") or "").split(".", maxsplit=1)[0]
    return digest(facts)[:16], json.dumps(machine, sort_keys=True)


def utc(text, where):
    """Returns the time in the one form that sorts as text."""
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        raise Refused(f"{where}: '{str(text)[:40]}' is not a time in ISO 8601") from None
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- run folders ----------------------------------------------------------------------------------------------------

def read_run(folder, revision):
    run = open_run(folder, "a point of a series")
    info = run.info
    rows = [row for row in run.rows if row["error"] is None]
    raw = [Raw(cell, *value) for row, cell in zip(rows, cells_of(rows)) for value in row_values(row)]
    raw += retention_values(run.retention.verdicts if run.retention else {})
    refuse_twins(raw, folder)
    if not raw:
        raise Refused(f"{folder}: the run has no row with a result")
    build = info["build"]
    return Result(str(folder), result_id(folder), "run", info["id"], known_revision(build.get("commit")) or revision,
                  utc(info["started"], folder / "run.json"), machine_of(info["machine"]), True, json.dumps(build, sort_keys=True), raw, [], [], len(run.rows) - len(rows))


def known_revision(commit):
    return commit if isinstance(commit, str) and re.match("[0-9a-f]{7}", commit) else None


def row_values(row):
    """Returns (metric, value, low, high, stable) of all that a row is worth remembering for."""
    low, high = row["ci95"] or (None, None)
    found = {"time": lambda: [("ns_per_op", row["median"], low, high)],
             "latency": lambda: [(f"{name}_ns", row["latency"].get(name), None, None) for name in ("p99", "p999", "max")],
             "memory": lambda: [(name, row.get(name), None, None) for name in ("bytes_per_entry", "bytes_peak")],
             "counters": lambda: [(f"{event}_per_op", value, None, None) for event, value in row["counters"].items()],
             "structure": lambda: [(name, row.get(name), None, None) for name in ("probe_mean", "load_factor")],
             "scaling": lambda: [("exponent", row["exponent"], *(row["exponent_ci95"] or (None, None)))]}
    return [(*value, bool(row["stable"])) for value in found[row["kind"]]() if value[1] is not None]


def retention_values(verdicts):
    """Returns bytes that the leaky and the worst fixed variant keep. The workload of such a cell is `retain:SCENARIO`; its map
    names the release it follows, or is the collector's of a release where the scenario has no map: none@1.24."""
    found = []
    for subject, line in verdicts.items():
        engine = subject.engine if subject.engine != "c" else ""
        no_map = f"none@{subject.release}" if subject.release else "none"
        cell = Cell(subject.map or no_map, "", f"retain:{subject.scenario}", "", subject.n or 0, "", subject.heap, engine)
        found += [Raw(cell, name, line[name], None, None, True) for name in ("leaky_bytes", "fixed_bytes")
                  if line.get(name) is not None]
    return found


# --- comparisons and counts -----------------------------------------------------------------------------------------

CELL_FIELDS = {"map": (fields.TEXT, False), "shape": (fields.TEXT, False), "workload": (fields.TEXT, False), "n": (fields.COUNT, False)}
CELL_MORE = {"keys": (fields.TEXT, True), "hash": (fields.TEXT, True), "heap": (fields.TEXT, True)}


def json_cell(record, where):
    fields.check_fields(record, CELL_FIELDS, where)
    fields.check_fields(record, {name: rule for name, rule in CELL_MORE.items() if name in record}, where)
    return Cell(map_of(record["map"]), record["shape"], record["workload"], record.get("keys") or "uniform", record["n"],
                record.get("hash") or "common", record.get("heap") or "malloc", "")




def time_of(document, path):
    """Returns when it was measured, by its own word; else, of files of old, when the file was written."""
    if "started" in document:
        return utc(document["started"], path)
    return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_paired(path, document, revision):
    fields.check_fields(document, {"base": (fields.OBJECT, False), "new": (fields.OBJECT, False), "machine": (fields.OBJECT, False),
                                   "validity": (fields.OBJECT, False), "cells": (fields.LIST, False)}, path)
    base = known_revision(document["base"].get("commit"))
    new = known_revision(document.get("commit") or document["new"].get("commit")) or revision
    if not base or not new:
        raise Refused(f"{path}: its {'new side' if base else 'base'} is no commit; the history takes comparisons of two revisions")
    trustworthy = document["validity"].get("trustworthy")
    if not isinstance(trustworthy, bool):
        raise Refused(f"{path}: 'validity' does not say whether it is trustworthy; the file is damaged: compare again")
    ratios = []
    for record in document["cells"]:
        cell = json_cell(record, f"{path}: 'cells'")
        fields.check_fields(record, {"ratio": (fields.NUMBER, True), "ci95": (fields.LIST, True), "verdict": (fields.TEXT, True)},
                            f"{path}: 'cells'")
        if record["ratio"] is None:
            continue
        if not record["ratio"] > 0:
            raise Refused(f"{path}: the ratio {record['ratio']} of {text_of(cell)} is not one; the file is damaged: compare again")
        fields.check_numbers([record["ci95"]] if record["ci95"] else [], 2, path, "ci95", nullable=False)
        ratios.append(Ratio(cell, base, record["ratio"], *(record["ci95"] or (None, None)), record["verdict"] or ""))
    if not ratios:
        raise Refused(f"{path}: the comparison has no cell with a ratio")
    refuse_twins(ratios, path)
    name = f"{base[:12]} {new[:12]}"
    return Result(str(path), digest(document), "paired", name, new, time_of(document, path), machine_of(document["machine"]),
                  trustworthy, json.dumps({"base": document["base"], "new": document["new"]}, sort_keys=True), [], ratios, [],
                  len(document["cells"]) - len(ratios))


def read_count(path, document, revision):
    """Reads counts. They depend on the toolchain and not on the machine: its identity is the key."""
    fields.check_fields(document, {"toolchain": (fields.OBJECT, False), "cells": (fields.LIST, False)}, path)
    counts, left_out = [], 0
    for record in document["cells"]:
        cell = json_cell(record, f"{path}: 'cells'")
        found = [Count(cell, what, value) for what, value in count_numbers(record)]
        left_out += not found or record.get("verdict") == "missing"
        counts += found if record.get("verdict") != "missing" else []
    if not counts:
        raise Refused(f"{path}: the gate counted nothing")
    refuse_twins(counts, path)
    revision = known_revision(document.get("commit")) or revision
    toolchain = document["toolchain"]
    return Result(str(path), digest([document, revision]), "count", f"count {(revision or '')[:12]}".strip(), revision,
                  time_of(document, path), (f"toolchain-{digest(toolchain)[:16]}", json.dumps(toolchain, sort_keys=True)), True, "{}",
                  [], [], counts, left_out)


def count_numbers(record):
    """Returns (name, number) of a counted cell's numbers, which are per operation."""
    return [(name, value) for name, value in record.items()
            if name not in NOT_COUNTS and COUNT_WHAT.fullmatch(name) and fields.TESTS[fields.NUMBER](value)]


def refuse_twins(values, path):
    seen = set()
    for value in values:
        name = (value.cell, getattr(value, "what", getattr(value, "metric", "")))
        if name in seen:
            raise Refused(f"{path}: has {text_of(value.cell)} twice; the file is damaged: make it again")
        seen.add(name)
