"""compare BASE NEW: two revisions, source trees, build folders or maps measured as a pair; two stored runs side by side.

The order of things: what the words mean, the plan (asked of the program), the shared objects, the processes, the checks
of validity, the verdicts. judge/verdict.py says the rule, judge/report_pairs.py how it is shown."""
import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy

from judge.base import selection
from judge.base.common import NO_TIME, Refused, ask, executable, say, write_text
from judge.base.revisions import git
from judge.compare import builds, compare_runs, pairing, report_pairs, validity
from judge.compare.defaults import SELECTION
from judge.compare.verdict import SLOWER
from plots.rows.exits import CANNOT, NOTHING, OK, REGRESSION, UNTRUSTWORTHY

def plan(options, maps=None):
    """Returns the cells that the selection names: list of the program's objects, and what it skips."""
    given = {"maps": maps} if maps else {}
    planned, skipped = selection.plan(executable(), options, SELECTION, **given)
    named = (maps or options.maps or "").replace(" ", "").split(",")
    cells = [c for c in planned if not c["baseline"] or c["map"] in named]
    for c in cells:
        if c["engine"]:
            raise Refused(f"{c['map']} runs in a program of its own and cannot be paired: leave it out of --maps")
    return cells, skipped


def pairs_of_maps(planned, base, new):
    """Returns pairs of two maps' cells that differ in nothing else."""
    def same(c):
        return tuple(c[f] for f in ("shape", "workload", "keys", "n", "heap"))
    bases = {same(c): c for c in planned if c["map"] == base}
    pairs = [pairing.Cell(new, base, c["shape"], c["workload"], c["keys"], c["n"], c["hash"], bases[same(c)]["hash"], c["heap"])
             for c in planned if c["map"] == new and same(c) in bases]
    return list(dict.fromkeys(pairs))


def pairs_of_sides(planned):
    """Returns each cell with itself."""
    return [pairing.Cell(c["map"], c["map"], c["shape"], c["workload"], c["keys"], c["n"], c["hash"], c["hash"], c["heap"])
            for c in planned]


def split_by_sides(cells, base, new):
    """Returns (cells that both sides have, [(cell, why the others have not)])."""
    both, rest = [], []
    for cell in cells:
        whys = [w for w in (base.why_not(cell.base_unit), new.why_not(cell.new_unit)) if w]
        if whys:
            rest.append((cell, " and ".join(whys)))
        else:
            both.append(cell)
    return both, rest


class Objects:
    """The shared objects of both sides, and BASE's moved ones."""

    def __init__(self, base, new, cells, log_folder):
        self.base_side, self.log_folder, self.moved = base, log_folder, {}
        self.base = base.build(sorted({c.base_unit for c in cells}), log_folder)
        self.new = new.build(sorted({c.new_unit for c in cells}), log_folder)

    def relinked(self, unit):
        if unit not in self.moved:
            self.moved.update(self.base_side.build([unit], self.log_folder, moved=True))
        return self.moved[unit]

    def cell(self, cell):
        return pairing.CellSeries(cell, self.base[cell.base_unit], self.new[cell.new_unit])

    def check(self, role, cell):
        """Returns a check of validity on a cell: BASE against itself."""
        unit = cell.base_unit
        other = self.relinked(unit) if role == pairing.RELINK else self.base[unit]
        extra = pairing.CONTROL_PERCENT if role == pairing.CONTROL else 0.0
        return pairing.CheckSeries(cell, self.base[unit], other, role, extra_percent=extra)


def lookups(cells):
    """Returns the cells that only look up; all where there is none. Where the allocator decides how nodes come to lie,
    a cell may be too noisy to show 5 % on the soundest machine."""
    return [c for c in cells if c.workload.startswith(("get", "mix")) and c.workload != "get_cold"] or cells


def checked_cells(cells, seed):
    """Returns the cells on which validity is checked: one of the smallest n and one of the largest, the same but for n
    where there is one."""
    random = numpy.random.default_rng([seed, 1])
    low, high = min(c.n for c in cells), max(c.n for c in cells)
    small = lookups([c for c in cells if c.n == low])
    chosen = small[random.integers(len(small))]
    if low == high:
        return [chosen]
    large = [c for c in cells if c.n == high]
    twins = [c for c in large if (c.base_unit, c.workload, c.keys) == (chosen.base_unit, chosen.workload, chosen.keys)]
    return [chosen, (twins or lookups(large))[0]]


def measure(options, seed, base, new, cells, out, log_folder):
    objects = Objects(base, new, cells, log_folder)
    measured = [objects.cell(cell) for cell in cells]
    checks = [objects.check(role, cell) for cell in checked_cells(cells, seed)
              for role in (pairing.AA, pairing.CONTROL, pairing.RELINK)]
    smallest = {}
    for cell in cells:
        key = (cell.base_unit, cell.workload, cell.keys)
        smallest[key] = min(smallest.get(key, cell), cell, key=lambda c: c.n)

    def relink_of(m):
        return objects.check(pairing.RELINK, smallest[m.cell.base_unit, m.cell.workload, m.cell.keys])
    raw = open(out / "processes.jsonl", "w", encoding="utf-8") if out else None
    try:
        def log(m, output):
            if raw:
                raw.write(json.dumps({"role": m.role, "cell": m.cell.name} | output) + "\n")
        say(f"comparing {len(cells)} cells of {base.label} and {new.label}: {options.processes} processes each")
        left_out = pairing.measure(pairing.Runner(pairing.Worker([executable()]), seed, log), measured, checks,
                                   options.processes, relink_of, options.seconds_left())
    finally:
        if raw:
            raw.close()
    measured = [m for m in measured if m not in left_out]
    if not measured:
        raise Refused(f"nothing was compared: --budget {options.budget:g} has no time for a cell", NOTHING)
    return measured, validity.judge(measured, checks), [(m.cell, why_left_out(m, options.budget)) for m in left_out]


def why_left_out(m, budget):
    looks = {0: "", 1: " to confirm that it is slower", -1: " to confirm that it is faster"}
    return f"{NO_TIME} {budget:g}{looks[m.series.alarmed]}"


def exit_code(kind, measured, valid):
    if not valid["trustworthy"]:
        return UNTRUSTWORTHY
    # which of two maps is faster is an answer, not a regression
    slower = kind != "maps" and any(m.series.verdict() == SLOWER for m in measured)
    return REGRESSION if slower else OK


def resolve_maps(options):
    """Returns the options, names of maps resolved, and whether both words name maps; refuses a map beside something else."""
    if Path(options.base).is_dir() or Path(options.new).is_dir():
        return options, False
    known = {name: m["name"] for m in ask(executable(), "list", "maps", "--json") for name in [m["name"], *m["aliases"]]}
    for word in (options.base, options.new):
        if word not in known and word.partition("@")[0] in known:
            ask(executable(), "plan", "--json", f"--maps={word}")  # refuses it and says which releases there are
    options = replace(options, base=known.get(options.base, options.base), new=known.get(options.new, options.new))
    maps = [word for word in (options.base, options.new) if word in known]
    if len(maps) == 2 and options.maps:
        raise Refused("--maps does not go with two maps to compare: they are named already")
    if len(maps) == 1 and git("rev-parse", "--verify", "-q", "--end-of-options", maps[0]).returncode != 0:
        other = options.new if maps[0] == options.base else options.base
        raise Refused(f"{maps[0]} is a map and {other} is none: see mapbench list maps")
    return options, len(maps) == 2


def sides_of(options, maps, scratch):
    if not maps:
        return builds.side_of("base", options.base, scratch), builds.side_of("new", options.new, scratch)
    folder = executable().resolve().parent
    return tuple(builds.Build(name, scratch, folder, word, {"kind": "map", "name": word, "commit": None}, own=True)
                 for name, word in (("base", options.base), ("new", options.new)))


def run(options, out):
    options, maps = resolve_maps(options)
    planned, skipped = plan(options, f"{options.base},{options.new}" if maps else None)
    cells = pairs_of_maps(planned, options.base, options.new) if maps else pairs_of_sides(planned)
    with builds.scratch_folder() as scratch:
        base, new = sides_of(options, maps, scratch)
        both, rest = split_by_sides(cells, base, new)
        for cell, why in rest:
            say(f"not compared: {cell.name}: {why}")
        if not both:
            raise Refused(f"nothing to compare: no cell of the selection is on both sides{reason_of(skipped, rest)}", NOTHING)
        log_folder = out or executable().resolve().parent
        measured, valid, left_out = measure(options, planned[0]["seed"], base, new, both, out, log_folder)
        if left_out:
            say(f"left out: {len(left_out)} of {len(both)} cells, for which --budget {options.budget:g} has no time")
        rest += left_out
        code = exit_code("maps" if maps else "sides", measured, valid)
        return report_pairs.Comparison(options.started, base, new, measured, rest, skipped, valid, code)


def reason_of(skipped, rest):
    first = rest[0][1] if rest else skipped[0]["reason"] if skipped else None
    return f" ({first})" if first else ""


def out_folder(options):
    if not options.out:
        return None
    folder = Path(options.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot make {folder}: {error.strerror}", CANNOT) from error
    return folder


def compare(options):
    """Runs the whole command; returns the exit code."""
    if compare_runs.is_run(options.base) and compare_runs.is_run(options.new):
        return compare_runs.compare(options.base, options.new, options.json)
    # the scratch folder and its worktrees go however this ends
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = out_folder(options)
    comparison = run(options, out)
    text = report_pairs.table(comparison)
    print(text)
    record = json.dumps(report_pairs.record(comparison), indent=1) + "\n"
    for path in [options.json] + ([out / "compare.json"] if out else []):
        if path:
            write_text(path, record)
    for path in [options.junit] + ([out / "junit.xml"] if out else []):
        if path:
            report_pairs.write_junit(path, comparison)
    if out:
        write_text(out / "table.txt", text + "\n")
    return comparison.code
