"""`mapbench gate count`: what every map executes and allocates per operation, against the committed baseline."""
import json
import signal
import sys
import time
from pathlib import Path

from judge.base import junit, selection
from judge.base.arguments import Parser
from judge.base.common import Refused, executable, project_root, refuse_unwritable, say, utc_now, write_text
from judge.gate import baseline, callgrind, counting
from judge.gate.baseline import FEWER, MISSING, MORE, NEW, SAME
from plots.rows.exits import BAD_INPUT, CANNOT, INTERRUPTED, NOTHING, OK, REGRESSION

USAGE = """usage: mapbench gate count [selection] [--update] [--exact] [--baseline FILE] [--json FILE] [--junit FILE]

Counts instructions, data references, simulated cache misses and branch mispredictions, allocations and bytes per
operation, and compares them with a baseline. Exit code 3 if a cell needs more of anything.

selection     --maps --releases --shapes --workloads --keys --n --hash --heap --seed --filter, as of run
              [ours, and the ports of every release; u64_u64,str_u64; put_grow,put,get,get_miss,overwrite,del,churn,scan; n 48000]
--update      write what was counted into the baseline, with a summary of what that changes
--exact       simulated misses and branch mispredictions must be the same, too: for two runs of one build
--baseline F  the baseline [results/baselines/count.json]
--json F      every cell with its counts, as docs/counting.md describes
--junit F     a test case per cell, as CI systems read it
"""
# The selection, with what is counted where it is not given: options of `mapbench plan`. The size: arrays of a power of two of
# slots are 73 % full, so that a change in probing shows, and maps exceed the simulated last-level cache.
SELECTION = {"maps": "ours", "releases": "all", "shapes": "u64_u64,str_u64", "workloads": "put_grow,put,get,get_miss,overwrite,del,churn,scan",
             "keys": "uniform", "n": "48000", "hash": "common", "heap": "malloc", "seed": "1", "filter": None}
ROWS_MOST = 40


def parse(argv):
    """Returns the options; None: help is asked for."""
    if not argv or argv[0] in ("--help", "-h"):
        return None
    if argv[0] != "count":
        raise Refused(f"gate has no '{argv[0]}': mapbench gate count")
    parser = Parser(prog="mapbench gate count", add_help=False, allow_abbrev=False)
    selection.add_options(parser, SELECTION)
    for flag in ("--update", "--exact", "--help"):
        parser.add_argument(flag, action="store_true")
    for option in ("--baseline", "--json", "--junit"):
        parser.add_argument(option)
    options = parser.parse_args(argv[1:])
    if options.update and options.exact:
        raise Refused("gate count takes --update or --exact, not both")
    if options.update and (options.json or options.junit):
        raise Refused("gate count --update writes the baseline; compare with it for --json and --junit")
    refuse_unwritable(options.json, options.junit)
    if options.maps is not None and options.releases is None:
        options.releases = ""  # maps that are named are not all
    return None if options.help else options


# --- showing -----------------------------------------------------------------------------------------------------


def number(value):
    return f"{value:.0f}" if value >= 1e5 else f"{value:.4g}" if value < 100 else f"{value:.1f}"


def percent(change):
    return f"{change['percent']:+.2f} %" if change["percent"] is not None else "from 0"


def rows(judged):
    """Returns one row a change, the largest growth first."""
    found = [(cell, change) for cell in judged for change in cell["changes"]]
    infinite = float("inf")
    found.sort(key=lambda row: -(infinite if row[1]["percent"] is None else row[1]["percent"]))
    return found


def print_changes(judged):
    found = rows(judged)
    if not found:
        return
    print(f"{'map':14} {'shape':8} {'workload':10} {'per operation':14} {'baseline':>10} {'now':>10}  change")
    for cell, change in found[:ROWS_MOST]:
        print(f"{cell['map']:14} {cell['shape']:8} {cell['workload']:10} {change['what']:14} {number(change['base']):>10} "
              f"{number(change['now']):>10}  {percent(change)}")
    if len(found) > ROWS_MOST:
        print(f"... and {len(found) - ROWS_MOST} more changes: --json FILE has all")


def print_named(judged, verdict, what):
    names = [" ".join(str(cell[word]) for word in ("map", "shape", "workload")) for cell in judged if cell["verdict"] == verdict]
    if names:
        print(f"{what}: {', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}")


def describe_exactness(allowed, different):
    if allowed is baseline.EXACT:
        return "every number exact"
    simulated = f"simulated misses within {100 * allowed[baseline.SIMULATED].share:.0f} %, mispredictions not judged"
    if not different:
        return f"same toolchain: executed counts and memory exact, {simulated}"
    facts = ", ".join(f"{fact} {now} (baseline: {base})" for fact, base, now in different)
    return (f"another toolchain - {facts}: executed counts within {100 * allowed[baseline.EXECUTED].share:.0f} %, memory within "
            f"{100 * allowed[baseline.MEMORY].share:.0f} %, {simulated}")


# --- results -----------------------------------------------------------------------------------------------------


def tally(judged):
    return {verdict: sum(cell["verdict"] == verdict for cell in judged) for verdict in (SAME, MORE, FEWER, NEW, MISSING)}


def exit_code(judged):
    counted = tally(judged)
    if counted[MORE]:
        return REGRESSION
    if counted[MISSING]:
        return CANNOT
    return OK if counted[SAME] + counted[FEWER] else NOTHING


def public(cell):
    """Returns a cell as --json has it: sums per operation, and the counts themselves."""
    sums = {name: cell["counts"][name] / cell["ops"] for name in baseline.SUMS if name in cell["counts"]}
    beside = {name: value for name, value in cell["counts"].items() if name not in baseline.SUMS}
    return {**cell, **sums, **beside}


def write_json(path, head, judged, code, seconds):
    """Writes the JSON. head: what the cells were counted with, when, and against what."""
    compared = sum(cell["verdict"] in (SAME, MORE, FEWER) for cell in judged)
    result = {"schema": 1, "kind": "count", **head, "seconds": round(seconds, 1),
              "cells": [public(cell) for cell in judged], "compared": compared, "exit": code}
    write_text(path, json.dumps(result, indent=1) + "\n")


def write_junit(path, judged, seconds):
    cases = []
    for cell in judged:
        state = {MORE: junit.FAILURE, MISSING: junit.ERROR, NEW: junit.SKIPPED}.get(cell["verdict"], junit.PASSED)
        changes = "; ".join(f"{change['what']} {number(change['base'])} -> {number(change['now'])} ({percent(change)})" for change in cell["changes"])
        cases.append((baseline.key_of(cell), state, changes or f"{cell['verdict']}: not in both", seconds / len(judged)))
    junit.write(path, [junit.suite("gate count", cases)])


# --- the two ways ------------------------------------------------------------------------------------------------


def one_seed(cells):
    return cells[0]["seed"]


def kept(before, now, tolerances):
    """Returns what is to be stored: of cells that are the same within the tolerances the old line, so that a review sees what
    changed and not where the linker has put it."""
    def same(key):
        return (tolerances and key in before and not baseline.incomparable(before[key], now[key])
                and not baseline.changes_of(before[key], now[key], tolerances))
    return {key: before[key] if same(key) else now[key] for key in now}


def print_update(before, now):
    for key in sorted(now):
        if key not in before or before[key] == now[key]:
            continue
        names = [name for name in baseline.SUMS if before[key].get(name) != now[key].get(name)]
        shown = (f"{name} {number(before[key][name] / before[key]['ops'])} -> {number(now[key][name] / now[key]['ops'])}" for name in names)
        print(f"{key}: {', '.join(shown) or 'structure or checksum'}")


def update(path, tools, cells, whole):
    """Writes the baseline and says what changed. A selection replaces its own cells and leaves the others."""
    base = baseline.load(path) if path.exists() else None
    before = base["cells"] if base else {}
    different = baseline.differences(base["toolchain"], tools) if base else []
    other_seed = bool(base) and base["seed"] != one_seed(cells)
    if not whole and (different or other_seed):
        what = f"{different[0][0]} is '{different[0][2]}' here and '{different[0][1]}' there" if different else "its seed is another"
        raise Refused(f"{path} cannot take a selection: {what}; leave the selection out to count all of it again")
    now = {baseline.key_of(cell): baseline.stored(cell) for cell in cells}
    now = kept(before, now, None if different or other_seed else baseline.SAME_TOOLCHAIN)
    after = now if whole else {**before, **now}
    print_update(before, now)
    for fact, old, new in different:
        print(f"toolchain: {fact} '{old}' -> '{new}'")
    baseline.save(path, tools, one_seed(cells), after)
    changed, added = sum(key in before and now[key] != before[key] for key in now), sum(key not in before for key in now)
    removed = sum(key not in after for key in before)
    print(f"{path}: {len(after)} cells: {changed} changed, {added} added, {removed} removed; review with git diff and commit it")
    return OK


def compare(options, path, base, head, cells, whole):
    tools = head["toolchain"]
    allowed = baseline.tolerances(base["toolchain"], tools, path)
    different = baseline.differences(base["toolchain"], tools)
    if options.exact:
        if different:
            raise Refused(f"--exact compares runs of one build, but {path} is of another toolchain: {different[0][0]} was '{different[0][1]}'")
        allowed = baseline.EXACT
    judged = baseline.compare(base["cells"], cells, allowed, whole)
    code, count, seconds = exit_code(judged), tally(judged), time.monotonic() - options.begin
    print_changes(judged)
    print_named(judged, NEW, "new, not in the baseline")
    print_named(judged, MISSING, "missing: in the baseline, not counted (removed on purpose? --update)")
    compared = count[SAME] + count[MORE] + count[FEWER]
    print(f"gate count: {compared} cells compared with {path} ({describe_exactness(allowed, different)}): "
          + ", ".join(f"{number_of} {verdict}" for verdict, number_of in count.items()) + f"; {seconds:.0f} s")
    if count[MORE]:
        print("A cell needs more than before. If that is wanted: mapbench gate count --update, and commit the difference.")
    elif count[FEWER]:
        print("Improved. Keep it: mapbench gate count --update, and commit the difference.")
    if not compared:
        say("mapbench: nothing was compared: no cell counted is in the baseline")
    if options.json:
        write_json(options.json, {**head, "baseline": str(path), "exact": not different}, judged, code, seconds)
    if options.junit:
        write_junit(options.junit, judged, seconds)
    return code


def main(argv):
    options = parse(argv)
    if not options:
        print(USAGE, end="")
        return OK if argv else BAD_INPUT
    # Ended as by Ctrl-C, so that no worker is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    options.begin, started = time.monotonic(), utc_now()
    path = Path(options.baseline) if options.baseline else project_root() / "results" / "baselines" / "count.json"
    program = executable().resolve()
    whole = not selection.is_given(options, SELECTION)
    facts = counting.facts(program)
    planned, skips = counting.plan(program, options, SELECTION)
    base = None if options.update else baseline.load(path)
    valgrind = callgrind.find_valgrind()
    tools = counting.toolchain(program, facts["built"], valgrind)
    if base:
        baseline.tolerances(base["toolchain"], tools, path)
        if base["seed"] != one_seed(planned):
            raise Refused(f"{path} was made with --seed {base['seed']}: counts of other keys cannot be compared")
    for what, why in skips:
        say(f"not counted: {what}: {why}")
    built, lost = counting.build(program, planned)
    for what, why in lost:
        say(f"not counted: {what}: {why}")
    if options.update and lost:
        raise Refused(f"{path} is as it was: some units could not be built", CANNOT)
    cells = counting.count(program, valgrind, built)
    if options.update:
        return update(path, tools, cells, whole)
    head = {"started": started, "commit": facts["commit"], "toolchain": tools}
    code = compare(options, path, base, head, cells, whole)
    return CANNOT if lost and code == OK else code
