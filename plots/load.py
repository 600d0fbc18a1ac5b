"""Reads a run folder and refuses a broken one with one line: which file, which line, what is wrong.

results/README.md describes the fields. Fields this version does not know are kept and ignored, so that a run made by
a later version of the same schema can still be drawn.
"""
import json
import math
import pathlib
from collections import namedtuple

SCHEMA = 1
KINDS = ("time", "latency", "memory", "counters", "structure")
BASELINE = "null"

# What belongs in one comparison: rows that differ in nothing but map, workload and n. policy is the hash policy of the
# cell and job the section of the profile; both are "" unless the run has several of them.
Family = namedtuple("Family", "shape keys heap threads order policy job")


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
ROW_FIELDS = {"kind": (TEXT, False), "job": (TEXT, False), "map": (TEXT, False), "shape": (TEXT, False), "workload": (TEXT, False),
              "keys": (TEXT, False), "n": (COUNT, False), "heap": (TEXT, False), "hash": (TEXT, False),
              "threads": (COUNT, False), "seed": (NUMBER, False), "engine": (TEXT, False), "ns_per_op": (LIST, True),
              "median": (NUMBER, True), "ci95": (LIST, True), "stable": (FLAG, False), "why_unstable": (TEXT, True),
              "null_ns_per_op": (NUMBER, True), "error": (TEXT, True)}
# What a row that was measured must bring besides, by kind.
KIND_FIELDS = {
    "time": {"median": (NUMBER, False), "round_medians": (LIST, False)},
    "latency": {"latency": (OBJECT, False), "growth_events": (LIST, False)},
    "memory": {"bytes_per_entry": (NUMBER, True), "curve": (LIST, True)},
    "counters": {"counters": (OBJECT, False)},
    "structure": {},
}


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


def check_numbers(values, width, where, name):
    """A list of numbers (width 0; null entries allowed) or of `width` numbers each."""
    for value in values or []:
        if width and (not isinstance(value, list) or len(value) != width):
            raise BadRun(f"{where}: '{name}' must hold lists of {width} numbers")
        for number in value if width else [value]:
            if number is not None and not TESTS[NUMBER](number):
                raise BadRun(f"{where}: '{name}' holds {json.dumps(number)[:40]}, which is not a number")


def check_row(row, where):
    check_fields(row, ROW_FIELDS, where)
    if row["kind"] not in KINDS:
        raise BadRun(f"{where}: unknown kind '{row['kind'][:40]}' (known: {', '.join(KINDS)})")
    if row["n"] == 0:
        raise BadRun(f"{where}: 'n' is 0; a cell has at least one entry")
    check_numbers(row["ns_per_op"], 0, where, "ns_per_op")
    check_numbers([row["ci95"]] if row["ci95"] else [], 2, where, "ci95")
    if row["error"] is not None:
        return
    check_fields(row, KIND_FIELDS[row["kind"]], where)
    if row["kind"] == "time":
        check_numbers(row["round_medians"], 0, where, "round_medians")
    elif row["kind"] == "memory":
        check_numbers(row["curve"], 3, where, "curve")
    elif row["kind"] == "latency":
        check_fields(row["latency"], {"buckets": (LIST, False), "max": (NUMBER, False), "count": (COUNT, False),
                                      "above": (COUNT, False), "timer_cost_ns": (NUMBER, True)}, where)
        check_numbers(row["latency"]["buckets"], 3, where, "buckets")
        for event in row["growth_events"]:
            check_fields(event, {"op": (COUNT, False), "ns": (NUMBER, False)}, where)


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


class Run:
    def __init__(self, folder, info, rows, repeated):
        self.folder, self.info, self.rows, self.repeated_rows = folder, info, rows, repeated
        self.maps = list(dict.fromkeys([m.get("name") for m in info["maps"]] + [r["map"] for r in rows]))
        self.maps = [m for m in self.maps if any(r["map"] == m for r in rows)]
        self.several_policies = len({policy(r) for r in rows}) > 1
        # A map appears twice in one comparison only when rows do not say which cell they belong to.
        self.hashes, self.jobs = {}, {}
        self.compared = {}  # what stats.compared has worked out
        for row in rows:
            self.hashes.setdefault((row["map"], policy(row)), set()).add(row["hash"])
            self.jobs.setdefault(self.basis(row), set()).add(row["job"])

    def basis(self, row):
        return (row["kind"], row["shape"], row["keys"], row["heap"], row["threads"], row.get("order"), policy(row))

    def family_of(self, row):
        job = row["job"] if len(self.jobs[self.basis(row)]) > 1 else ""
        return Family(row["shape"], row["keys"], row["heap"], row["threads"], row.get("order") or "shuffled",
                      policy(row) if self.several_policies else "", job)

    def measured(self, kind):
        """Rows with a result. Of time rows those with a positive median: ratios need one."""
        return [r for r in self.rows if r["kind"] == kind and r["error"] is None
                and (kind != "time" or r["median"] > 0)]

    def failed(self):
        return [r for r in self.rows if r["error"] is not None]

    def families(self, kind):
        """The comparisons among measured rows of a kind, {Family: rows}, in the order they were measured."""
        found = {}
        for row in self.measured(kind):
            found.setdefault(self.family_of(row), []).append(row)
        return found

    def label(self, row):
        """The name of a row's line in a figure: the map, with whatever else distinguishes two lines of this run."""
        label = row["map"]
        if len(self.hashes[row["map"], policy(row)]) > 1:
            label += f" ({row['hash']} hash)"
        if row["engine"] != "c":
            label += f" [{row['engine']}]"
        return label

    def title(self, family):
        """'u64_u64, uniform keys' and whatever is not as usual."""
        text = f"{family.shape}, {shorten(family.keys)} keys"
        return text + "".join(f", {extra}" for extra in unusual(family))


def policy(row):
    """The hash policy a row was measured under, from its cell (job/shape/keys/n:SIZE/policy/heap); "" if unsaid. It
    is not the row's hash: a map that has only its own is measured with that under either policy."""
    parts = row["cell"].rsplit("/", 2) if isinstance(row.get("cell"), str) else []
    return parts[1] if len(parts) == 3 else ""


def unusual(family):
    """What a title has to say besides shape and keys."""
    return [text for text, wanted in (
        (f"heap {family.heap}", family.heap != "malloc"), (f"{family.threads} threads", family.threads != 1),
        (f"{family.order} order", family.order != "shuffled"), (f"hash policy {family.policy}", family.policy),
        (f"job {shorten(family.job)}", family.job)) if wanted]


def shorten(text, longest=40):
    """A name that fits into a title; a path keeps its end, which tells more than its beginning."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest // 4] + "…" + text[-(longest - longest // 4 - 1):]


def entry_bytes(shape):
    """Bytes of a key and of a value of a shape, from its name (u64: 8, b56: 56, str: pointer and length), or None."""
    sizes = []
    for part in shape.split("_"):
        if part == "str":
            sizes.append(16)
        elif part[:1] == "u" and part[1:] in ("8", "16", "32", "64", "128"):
            sizes.append(int(part[1:]) // 8)
        elif part[:1] == "b" and part[1:].isdecimal():
            sizes.append(int(part[1:]))
        else:
            return None
    return sum(sizes) if len(sizes) == 2 else None


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
    check_fields(info, RUN_FIELDS, path)
    for name in ("keys", "maps", "warnings", "skipped"):
        for record in info[name]:
            check_fields(record, {}, f"{path}: '{name}'")

    path, cells, repeated = folder / "rows.jsonl", {}, 0
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        row = parse(line, where)
        check_row(row, where)
        cell = tuple(row[f] for f in ("kind", "job", "map", "shape", "workload", "keys", "n", "heap", "hash", "threads",
                                      "engine")) + (row.get("cell"), row.get("order"))
        repeated += cell in cells
        cells[cell] = row
    return Run(folder, info, list(cells.values()), repeated)
