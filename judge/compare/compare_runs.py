"""Two stored runs side by side: ratios with intervals, never a verdict: no test here could tell a regression from noise."""
import json
from pathlib import Path

from judge.base.cells import cells_of, text_of
from judge.base.common import Refused, write_text
from judge.base.stored import cell_text, open_run
from judge.compare import paired, unpaired
from plots.rows.exits import NOTHING, OK
from plots.rows.run import BASELINE

# Fields of run.json's machine that make it another one; absent on both sides counts as equal.
MACHINE_FIELDS = ("cpu", "cores", "cpus", "threads_per_core", "caches", "virtual")
# Conditions that may change on one machine, and then change times: said, not refused. (part of run.json, field)
CONDITIONS = (("machine", "kernel"), ("machine", "libc"), ("machine", "thp"), ("machine", "governor"), ("build", "cc"),
              ("build", "cxx"), ("build", "unit_flags"), ("build", "allocator"))


def is_run(word):
    return (Path(word) / "run.json").is_file()


def refuse_unlike(base, new):
    """Refuses runs of different machines and of different shapes."""
    ours, theirs = base.info["machine"], new.info["machine"]
    for name in MACHINE_FIELDS:
        if ours.get(name) != theirs.get(name):
            raise Refused(f"the runs are of different machines ({name}: {json.dumps(ours.get(name))[:60]} and "
                          f"{json.dumps(theirs.get(name))[:60]}): their times cannot be compared")
    shapes = [{row["shape"] for row in run.measured("time")} for run in (base, new)]
    if all(shapes) and not shapes[0] & shapes[1]:
        raise Refused(f"the runs have no shape in common ({', '.join(sorted(shapes[0]))} and {', '.join(sorted(shapes[1]))})")


def notes(base, new):
    """Returns what else differs between the runs, one line each."""
    pairs = ((part, name, base.info[part].get(name), new.info[part].get(name)) for part, name in CONDITIONS)
    return [f"differs too: {name} of the {part}: {ours} and {theirs}" for part, name, ours, theirs in pairs if ours != theirs]


def rows_by_cell(run):
    rows = [row for row in run.measured("time") if row["map"] != BASELINE and row["median"] > 0]
    return dict(zip(cells_of(rows), rows))


def compare(base_folder, new_folder, json_path):
    base, new = (open_run(folder, "compared") for folder in (base_folder, new_folder))
    refuse_unlike(base, new)
    ours, theirs = rows_by_cell(base), rows_by_cell(new)
    common = [key for key in ours if key in theirs]
    if not common:
        raise Refused("nothing to compare: the runs have no cell in common", NOTHING)
    cells = []
    for key in common:
        ratio, ci95 = unpaired.ratio(ours[key], theirs[key])
        cells.append(key._asdict() | {"ratio": round(ratio, 6), "ci95": ci95 and [round(x, 6) for x in ci95], "verdict": None})
    differing = notes(base, new)
    for run, cells_here, others in ((base, ours, theirs), (new, theirs, ours)):
        alone = [key for key in cells_here if key not in others]
        if alone:
            differing.append(f"only in {run.folder}: {len(alone)} cell{'s' * (len(alone) != 1)}, the first {text_of(alone[0])}")
    mean = paired.geomean(c["ratio"] for c in cells)
    record = {"schema": 1, "kind": "unpaired", "base": {"kind": "run", "name": base.info["id"]},
              "new": {"kind": "run", "name": new.info["id"]}, "notes": differing, "cells": cells,
              "geomean": round(mean, 6), "exit": OK}
    print(table(base, new, cells, mean, differing))
    if json_path:
        write_text(json_path, json.dumps(record, indent=1) + "\n")
    return OK


def table(base, new, cells, mean, differing):
    lines = [f"base: {base.folder}", f"new:  {new.folder}",
             "UNPAIRED: measured at different times, in different processes. No verdict can be drawn from these ratios;",
             "identical code differs by 10 % and more like this. To judge: mapbench compare REVISION REVISION.", *differing, ""]
    names = [cell_text(c) + "".join(f"/{c[f]}" for f, usual in (("hash", "common"), ("heap", "malloc"), ("variant", ""))
                                    if c[f] != usual) for c in cells]
    width = max(map(len, names))
    lines.append(f"{'cell'.ljust(width)}  new/base  95 % interval")
    for name, c in zip(names, cells):
        interval = "{:.3f}..{:.3f}".format(*c["ci95"]) if c["ci95"] else "too few rounds"
        lines.append(f"{name.ljust(width)}  {c['ratio']:8.3f}  {interval}")
    return "\n".join(lines + ["", f"geomean of the {len(cells)} cells {mean:.3f}"])
