#!/usr/bin/env python3
"""Trials of the paired comparison on this machine with real processes, against its targets; by hand, as they take long:

  make bench-compare                              everything
  tests/trial_compare.py [null] [extra] [plants]  parts: identical code in 200 cells; 2 % more operations at n = 10k and
                                                  3 % more at n = 1m, ten times each; a longer probe in the source
  --cells N --tries N --processes P --build DIR   smaller or larger trials

Exit code 1: a target is missed."""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import judge_test_tools as tools

import numpy
from judge.compare import builds, command, compare, paired, pairing
from judge.compare.verdict import SLOWER

CONFIRMED_LEAST = 0.9
SECONDS_MOST = 20
# A plant: instructions more in each step of a lookup, for which the address of the slot waits. x86, as the names say.
PLANT_FILE, PLANT_AT = "maps/linear.h", "        struct slot *slot = &map->slots[at];\n        if (slot_holds"
PLANTS = {"a multiplication more in each step": "imul $1, %0, %0", "three additions more": "add $0, %0\\n\\t" * 3}


def cells_of(workloads, n, shapes="u64_u64", maps="ours"):
    given = {"workloads": workloads, "n": n, "shapes": shapes, "maps": maps}
    options = SimpleNamespace(**(dict.fromkeys(command.SELECTION) | given))
    return compare.pairs_of_sides(compare.plan(options)[0])


class Trial:
    """Units of this build, each twice."""

    def __init__(self, scratch, build, cells):
        side = builds.Build("base", scratch, build, "this build", {}, own=True)
        self.objects = compare.Objects(side, builds.Build("new", scratch, build, "its copy", {}, own=True), cells, scratch)

    def measurement(self, cell, extra):
        m = self.objects.cell(cell)
        m.extra_percent = extra
        return m


def measure(build, cells, extra, processes, seed):
    """A measurement of every cell (one twice in the list is measured twice), all interleaved."""
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(pathlib.Path(scratch), build, cells)
        measured = [trial.measurement(cell, extra) for cell in cells]
        runner = pairing.Runner(pairing.Worker([build / "mapbench"]), seed)
        pairing.measure(runner, measured, [], processes)
    return measured


def figures(title, measured):
    values = [m.series.estimate() for m in measured]
    seconds = sorted(m.series.seconds for m in measured)
    print(f"{title}: {len(measured)} cells, {sum(m.series.alarmed != 0 for m in measured)} alarms, "
          f"{sum(m.series.confirmed() for m in measured)} confirmed")
    for name, numbers in (("ratio", [paired.ratio(e) for e in values]), ("sd of processes, %", [100 * e.sd for e in values]),
                          ("bound, %", [paired.bound_percent(e) for e in values]),
                          ("MDE, %", [paired.mde_percent(e) for e in values]), ("seconds", seconds)):
        low, middle, high = numpy.quantile(numbers, [0.05, 0.5, 0.95])
        print(f"  {name}: median {middle:.4g}, 5 % to 95 % {low:.4g} to {high:.4g}, largest {max(numbers):.4g}")
    for m in measured:
        if m.series.alarmed:
            first, fresh = paired.estimate(m.series.first), paired.estimate(m.series.confirming)
            print(f"  alarm: {m.cell.name}: {paired.ratio(first):.4f}, then {paired.ratio(fresh):.4f}: {m.series.verdict()}")
    sys.stdout.flush()


def null(a):
    cells = cells_of("get,get_miss,put_grow,del", "10k")
    cells = [cells[i % len(cells)] for i in range(a.cells)]
    measured = measure(a.build, cells, 0.0, a.processes, a.seed)
    figures("identical code", measured)
    return not any(m.series.confirmed() for m in measured)


def extra(a):
    sound = True
    for percent, n in ((2.0, "10k"), (3.0, "1m")):
        cells = cells_of("get", n, maps="linear") * a.tries
        measured = measure(a.build, cells, percent, a.processes, a.seed)
        figures(f"{percent:g} % more operations at n = {n}", measured)
        found = sum(m.series.verdict() == SLOWER for m in measured)
        slowest = max(m.series.seconds for m in measured)
        sound &= found >= CONFIRMED_LEAST * a.tries and slowest <= SECONDS_MOST
        print(f"  found in {found} of {a.tries}, at most {slowest:.1f} s a cell with its confirmation")
    return sound


def loop_instructions(callgrind_file):
    """{shared object: instructions that its loop of lookups executed}, from callgrind's file."""
    names, costs, at = {}, {}, {}
    called = False  # the line behind calls= is what the callee cost
    for line in pathlib.Path(callgrind_file).read_text().splitlines():
        named = re.fullmatch(r"c?(ob|fn)=\((\d+)\)(?: (.*))?", line)
        if named:
            kind, number, text = named.groups()
            names.setdefault((kind, number), text)
            if not line.startswith("c"):
                at[kind] = names[kind, number]
        elif line.startswith("calls="):
            called = True
        elif line[:1] in "0123456789+-*" and line:
            if not called and at.get("fn") == "run_get":
                costs[at["ob"]] = costs.get(at["ob"], 0) + int(line.split()[1])
            called = False
    return costs


def instructions_ratio(a, base, new, scratch):
    """New / base of the instructions that the loops of one process executed, which do the same operations."""
    out, unit = scratch / "callgrind.out", "linear-u64_u64-common-malloc"
    subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", a.build / "mapbench", "pair-worker",
                    "--base", base, "--base-unit", unit, "--new", new, "--new-unit", unit, "--workload", "get", "--keys",
                    "uniform", "--n", "1k", "--seed", "3", "--placements", "free", "--batches", "3", "--batch-us", "200"],
                   check=True, stdout=subprocess.DEVNULL)
    costs = loop_instructions(out)
    return costs[str(new)] / costs[str(base)]


def plants(a):
    """The whole command on a tree with a plant: it must name the map, and nothing else."""
    sound = True
    for what, code in PLANTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            tree = pathlib.Path(scratch) / "planted"
            subprocess.run(["git", "-C", tools.ROOT, "worktree", "add", "-q", "--detach", tree, "HEAD"], check=True)
            try:
                sound &= planted(a, what, code, tree, pathlib.Path(scratch))
            finally:
                subprocess.run(["git", "-C", tools.ROOT, "worktree", "remove", "--force", tree], check=True)
    return sound


def planted(a, what, code, tree, scratch):
    source = (tree / PLANT_FILE).read_text()
    assert source.count(PLANT_AT) == 1, f"{PLANT_FILE} has changed: where does a lookup compare now?"
    line = f'        __asm__ volatile("{code}" : "+r"(at) : : "cc");\n'
    (tree / PLANT_FILE).write_text(source.replace(PLANT_AT, line + PLANT_AT, 1))
    (tree / "deps").symlink_to((tools.ROOT / "deps").resolve())
    command = [a.build / "mapbench", "compare", "HEAD", tree, "--maps=linear,chained", "--shapes=u64_u64", "--workloads=get",
               "--n=10k", f"--processes={a.processes}", f"--json={scratch / 'found.json'}", f"--seed={a.seed}"]
    status = subprocess.run(command, check=False).returncode
    found = json.loads((scratch / "found.json").read_text())
    name = "linear-u64_u64-common-malloc.so"
    subprocess.run(["make", "-s", "-C", tools.ROOT, "pair-units", f"UNITS={name.removesuffix('.so')}", "SKIP_DEPS=1"], check=True)
    more = instructions_ratio(a, a.build / "pair" / name, tree / "build" / "pair" / name, scratch)
    print(f"{what}: exit {status}, instructions of the loop times {more:.4f}, "
          + ", ".join(f"{c['map']} {c['ratio']:.4f} {c['verdict']}" for c in found["cells"]), flush=True)
    slower = {c["map"] for c in found["cells"] if c["verdict"] == SLOWER}
    return more > 1 and status == 3 and slower == {"linear"}


PARTS = {"null": null, "extra": extra, "plants": plants}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    for name, value in (("cells", 200), ("tries", 10), ("processes", command.PROCESSES), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--build", type=pathlib.Path, default=tools.ROOT / "build")
    a = parser.parse_args()
    a.build = a.build.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # worktrees go however this ends
    os.environ["MAPBENCH"] = str(a.build / "mapbench")
    missed = [name for name in (a.parts or PARTS) if not PARTS[name](a)]
    print("missed: " + ", ".join(missed) if missed else "all targets are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
