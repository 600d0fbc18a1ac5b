"""Baselines of the counting gate: the file, and comparing cells with it. results/baselines/count.json is committed; a
line a cell, sorted, so that a change of it can be reviewed.
"""
import json
import math
from dataclasses import dataclass
from pathlib import Path

from judge.base.cells import map_of
from judge.base.common import Refused, write_text
from plots.rows.exits import BAD_INPUT, CANNOT

SCHEMA = 1
KIND = "count-baseline"
SAME, MORE, FEWER, NEW, MISSING = "same", "more", "fewer", "new", "missing"

# The things that a count depends on. EXECUTED: the same whenever the same code runs on the same keys. SIMULATED: also on addresses,
# which any edit of the program may move. PLACED: so much on them that it cannot be judged but between runs of one build: the
# simulated branch predictor has no tags, and which branches share an entry is the linker's doing. MEMORY: what the map
# asks of the allocator, and its structure.
EXECUTED, SIMULATED, PLACED, MEMORY = "executed", "simulated", "placed", "memory"
COUNTS = {
    "instructions": EXECUTED, "data_reads": EXECUTED, "data_writes": EXECUTED,
    "d1_misses": SIMULATED, "ll_misses": SIMULATED, "mispredicts": PLACED,
    "allocations": MEMORY, "bytes": MEMORY,
    "array_bytes": MEMORY, "capacity": MEMORY, "tombstones": MEMORY, "probe_max": MEMORY, "probe_mean": MEMORY,
}
# Counts that are sums over operations, and are shown per operation.
SUMS = tuple(name for name in COUNTS if name not in ("array_bytes", "capacity", "tombstones", "probe_max", "probe_mean"))
KEY_WORDS = ("map", "shape", "workload", "keys", "n", "hash", "heap")


@dataclass(frozen=True)
class Tolerance:
    """By what share a count may differ, or by how much per operation, whichever is larger, and still be the same."""
    share: float
    per_op: float = 0.0


ANY = Tolerance(math.inf)
EXACT = dict.fromkeys((EXECUTED, SIMULATED, PLACED, MEMORY), Tolerance(0))
# docs/counting.md says what moving the program does to simulated counts.
SAME_TOOLCHAIN = {EXECUTED: Tolerance(0), SIMULATED: Tolerance(0.02, 0.01), PLACED: ANY, MEMORY: Tolerance(0)}
OTHER_VERSIONS = {EXECUTED: Tolerance(0.03), SIMULATED: Tolerance(0.10, 0.02), PLACED: ANY, MEMORY: Tolerance(0.01)}

# Facts of the toolchain without which counts have nothing in common.
MUST_AGREE = ("arch", "unit_flags", "caches", "tunables")
TOOLCHAIN = ("arch", "cc", "cxx", "unit_flags", "libc", "libstdcxx", "valgrind", "caches", "tunables")


def key_of(cell):
    return "/".join(str(cell[word]) for word in KEY_WORDS)


def _key_now(key):
    name, slash, rest = key.partition("/")
    return map_of(name) + slash + rest


# --- the file ----------------------------------------------------------------------------------------------------


def _check_cell(key, cell, where):
    if not isinstance(cell, dict) or not isinstance(cell.get("checksum"), str):
        raise Refused(f"{where}: cell {key} has no checksum")
    for name in ("ops", *COUNTS):
        value = cell.get(name)
        if name in cell and (isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0):
            raise Refused(f"{where}: cell {key}: {name} is {value!r}, no count")
    lacking = [name for name in ("ops", *SUMS) if name not in cell]
    if lacking:
        raise Refused(f"{where}: cell {key} has no {lacking[0]}")
    unknown = sorted(set(cell) - {"ops", "checksum", *COUNTS})
    if unknown:
        raise Refused(f"{where}: cell {key} has {unknown[0]}, which this version does not know")
    if cell["ops"] == 0:
        raise Refused(f"{where}: cell {key} has no operations")


def load(path):
    """Returns the baseline, checked in all its parts. Refused: one line with what is wrong."""
    advice = "restore it from git, or remove it and make it again: mapbench gate count --update"
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Refused(f"there is no baseline {path}: make it with mapbench gate count --update") from error
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}", CANNOT) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is no text: {advice}") from error
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is not JSON: {error}; {advice}") from error
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise Refused(f"{path} is not a baseline of gate count (no \"kind\": \"{KIND}\"): {advice}")
    if found.get("schema") != SCHEMA:
        raise Refused(f"{path} has schema {found.get('schema')!r}, this version reads {SCHEMA}: use the mapbench that wrote it, or {advice}")
    tools, cells = found.get("toolchain"), found.get("cells")
    if not isinstance(tools, dict) or not all(isinstance(tools.get(fact), str) for fact in TOOLCHAIN):
        raise Refused(f"{path}: its toolchain is incomplete: {advice}")
    if isinstance(found.get("seed"), bool) or not isinstance(found.get("seed"), int):
        raise Refused(f"{path}: it has no seed: {advice}")
    if not isinstance(cells, dict) or not cells:
        raise Refused(f"{path}: it has no cells: {advice}")
    for key, cell in cells.items():
        if key.count("/") < len(KEY_WORDS) - 1:
            raise Refused(f"{path}: '{key}' names no cell: {advice}")
        _check_cell(key, cell, path)
    found["cells"] = {_key_now(key): cell for key, cell in cells.items()}
    return found


def stored(cell):
    """Returns what the baseline keeps of a counted cell."""
    return {"ops": cell["ops"], "checksum": cell["checksum"], **cell["counts"]}


def save(path, tools, seed, cells):
    """Writes the baseline. cells: {key: stored cell}."""
    head = json.dumps({"schema": SCHEMA, "kind": KIND, "seed": seed, "toolchain": dict(sorted(tools.items()))}, indent=1)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(dict(sorted(cells[key].items())))}" for key in sorted(cells))
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}", CANNOT) from error
    write_text(path, f"{head.removesuffix(chr(10) + '}')},\n \"cells\": {{\n{lines}\n }}\n}}\n")


# --- toolchains --------------------------------------------------------------------------------------------------


def _family(compiler):
    return "clang" if "clang" in compiler.lower() else compiler.split(" ")[0]


def differences(base, now):
    """Returns [(fact, base, now)] of two toolchains."""
    return [(fact, base[fact], now[fact]) for fact in TOOLCHAIN if base[fact] != now[fact]]


def tolerances(base, now, path):
    """Returns how exactly counts can be compared between two toolchains; refuses those that have nothing in common."""
    different = differences(base, now)
    for fact, before, present in different:
        if fact in MUST_AGREE or (fact in ("cc", "cxx") and _family(before) != _family(present)):
            raise Refused(f"{path} is of another toolchain: {fact} is '{present}' here and '{before}' there; "
                          "make one of your own: mapbench gate count --update --baseline FILE", BAD_INPUT)
    return OTHER_VERSIONS if different else SAME_TOOLCHAIN


# --- comparing ---------------------------------------------------------------------------------------------------


def _differs(name, base, now, ops, allowed):
    tolerance = allowed[COUNTS[name]]
    if tolerance is ANY:
        return False
    per_op = tolerance.per_op * ops if name in SUMS else 0
    # Mean probe lengths are quotients: the last bit is the compiler's.
    least = 1e-9 * base if isinstance(base, float) or isinstance(now, float) else 0
    return abs(now - base) > max(tolerance.share * base, per_op, least)


def incomparable(base, now):
    """Returns None, or why a stored cell is no measure for another."""
    if base["ops"] != now["ops"] or base["checksum"] != now["checksum"]:
        return (f"the baseline is of other operations ({base['ops']}, checksum {base['checksum']}; now {now['ops']}, "
                f"{now['checksum']}): keys or loops changed")
    lacking = [name for name in COUNTS if (name in base) != (name in now)]
    return f"{lacking[0]} is only in {'the baseline' if lacking[0] in base else 'what was counted'}" if lacking else None


def changes_of(base, now, allowed):
    """Returns what differs by more than is allowed, in numbers as they are shown."""
    changes = []
    for name in COUNTS:
        if name in base and _differs(name, base[name], now[name], now["ops"], allowed):
            scale = now["ops"] if name in SUMS else 1
            changes.append({"what": name, "base": base[name] / scale, "now": now[name] / scale,
                            "percent": 100 * (now[name] / base[name] - 1) if base[name] else None})
    return changes


def compare_cell(base, cell, allowed):
    """Returns (verdict, changes) of a counted cell against its line of the baseline. More of anything is more."""
    now = stored(cell)
    why = incomparable(base, now)
    if why:
        raise Refused(f"{key_of(cell)}: {why}; mapbench gate count --update")
    changes = changes_of(base, now, allowed)
    if not changes:
        return SAME, changes
    return MORE if any(change["now"] > change["base"] for change in changes) else FEWER, changes


def compare(base_cells, cells, allowed, whole):
    """Returns the cells with "verdict" and "changes", and with `whole` those of the baseline that were not counted."""
    judged, seen = [], set()
    for cell in cells:
        key = key_of(cell)
        seen.add(key)
        verdict, changes = compare_cell(base_cells[key], cell, allowed) if key in base_cells else (NEW, [])
        judged.append({**cell, "verdict": verdict, "changes": changes})
    for key in sorted(set(base_cells) - seen) if whole else ():
        words = split_key(key)
        judged.append({**words, "ops": base_cells[key]["ops"], "checksum": base_cells[key]["checksum"], "counts": {},
                       "verdict": MISSING, "changes": []})
    return judged


def split_key(key):
    """Returns the words of a key; that of the key stream may contain slashes."""
    before, after = key.split("/", 3), key.rsplit("/", 3)
    keys = before[3].rsplit("/", 3)[0]
    number = int(after[1]) if after[1].isdigit() else 0
    return dict(zip(KEY_WORDS, (*before[:3], keys, number, after[2], after[3])))
