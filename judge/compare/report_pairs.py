"""How a paired comparison is shown: a table on the terminal, JSON, JUnit."""
import os
import platform
from collections import namedtuple

from judge.base import junit
from judge.compare import paired
from judge.compare.verdict import FLOOR_PERCENT, SAME, SLOWER, UNDERPOWERED
from plots.rows.exits import OK, REGRESSION, UNTRUSTWORTHY
from plots.rows.numbers import size_text

SCHEMA = 1

# started: UTC. measured: measurements of the cells. one_sided: [(cell, why it was not compared)]. skipped: of the plan.
Comparison = namedtuple("Comparison", "started base new measured one_sided skipped validity code")


def machine():
    """Returns what a ratio may depend on."""
    model = None
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), None)
    except OSError:
        pass
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "architecture": platform.machine()}


def verdict_of(comparison, m):
    """Returns the verdict; None where the comparison is not to be trusted."""
    return m.series.verdict() if comparison.validity["trustworthy"] else None


def cell_record(comparison, m):
    cell, series, e = m.cell, m.series, m.series.estimate()
    rounds, batches = m.shape_of_process()
    own = {"map": cell.map, "shape": cell.shape, "workload": cell.workload, "keys": cell.keys, "n": cell.n, "hash": cell.hash,
           "heap": cell.heap, "base_map": cell.base_map}
    numbers = {"ratio": e and round(paired.ratio(e), 6), "ci95": e and [round(x, 6) for x in paired.interval(e)],
               "processes": len(series.first) + len(series.confirming), "confirming": len(series.confirming),
               "rounds": rounds, "batches": batches, "mde_percent": e and round(paired.mde_percent(e), 4),
               "bound_percent": e and round(paired.bound_percent(e), 4), "floor_percent": round(series.floor_percent, 4)}
    return own | numbers | {"verdict": verdict_of(comparison, m), "seconds": round(series.seconds, 3)}


def geomean(measured):
    estimates = [m.series.estimate() for m in measured]
    return paired.geomean(paired.ratio(e) for e in estimates if e)


def record(comparison):
    mean = geomean(comparison.measured)
    return {"schema": SCHEMA, "kind": "paired", "started": comparison.started, "commit": comparison.new.commit,
            "base": comparison.base.record, "new": comparison.new.record,
            "machine": machine(), "validity": comparison.validity,
            "cells": [cell_record(comparison, m) for m in comparison.measured],
            "not_compared": [{"cell": cell.name, "reason": why} for cell, why in comparison.one_sided]
            + [{"cell": s["cell"], "reason": s["reason"]} for s in comparison.skipped],
            "geomean": mean and round(mean, 6), "exit": comparison.code}


def verdict_text(comparison, m):
    verdict, e = verdict_of(comparison, m), m.series.estimate()
    if verdict is None:
        return "none"
    return f"~ within {paired.bound_percent(e):.1f} %" if verdict == SAME else verdict


def table(comparison):
    """Returns the whole answer for a terminal: cells, geomean, validity, and a last line that says what it comes to."""
    head = ("cell", "new/base", "95 % interval", "processes", "MDE", "verdict")
    rows = [head]
    for m in comparison.measured:
        e, (rounds, batches) = m.series.estimate(), m.shape_of_process()
        counted = f"{len(m.series.first) + len(m.series.confirming)}x{rounds}x{batches}"
        if e is None:
            rows.append((m.cell.name, "-", "-", counted, "-", verdict_text(comparison, m)))
            continue
        low, high = paired.interval(e)
        rows.append((m.cell.name, f"{paired.ratio(e):.4f}", f"{low:.4f}..{high:.4f}", counted,
                     f"{paired.mde_percent(e):.1f} %", verdict_text(comparison, m)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [f"base: {comparison.base.label}", f"new:  {comparison.new.label}", ""]
    for row in rows:
        lines.append("  ".join(word.ljust(width) if i in (0, 5) else word.rjust(width)
                               for i, (word, width) in enumerate(zip(row, widths))).rstrip())
    lines += [f"not compared: {cell.name}: {why}" for cell, why in comparison.one_sided]
    mean = geomean(comparison.measured)
    count = len(comparison.measured)
    lines += ["", f"processes x rounds x batches of each variant; geomean of the {count} cells {mean:.4f}" if mean else ""]
    return "\n".join(lines + validity_lines(comparison.validity) + [conclusion(comparison)])


def ratio_text(ratio):
    return "-" if ratio is None else f"{ratio:.4f}"


def validity_lines(validity):
    def ratios(name):
        return ", ".join(f"n:{size_text(c['n'])} {ratio_text(c['ratio'])}" + (f" ({c['verdict']})" if c["verdict"] else "") for c in validity[name]["cells"])
    seen = validity["conditions"]
    pressure = "unknown" if seen["pressure_cpu_avg10"] is None else f"{seen['pressure_cpu_avg10']:.0f} %"
    wall = "unknown" if seen["cpu_per_wall"] is None else f"{seen['cpu_per_wall']:.2f}"
    return [f"identical code: {ratios('aa')}", f"{validity['control']['extra_percent']:g} % more work: {ratios('control')}",
            f"the same code moved: {ratios('relink')}; floor {max(FLOOR_PERCENT, validity['relink']['floor_percent']):.1f} %",
            f"batches preempted: {100 * seen['preempted_share']:.1f} %; processor per wall time: {wall}; pressure: {pressure}"]


def conclusion(comparison):
    if comparison.code == UNTRUSTWORTHY:
        return "NOT TRUSTWORTHY, no verdict: " + "; ".join(comparison.validity["reasons"])
    slower = [m for m in comparison.measured if m.series.verdict() == SLOWER]
    unclear = sum(m.series.verdict() == UNDERPOWERED for m in comparison.measured)
    extra = f"; {unclear} underpowered" if unclear else ""
    if slower:
        names = ", ".join(f"{m.cell.name} ({100 * (paired.ratio(m.series.estimate()) - 1):+.1f} %)" for m in slower)
        return ("slowdown confirmed: " if comparison.code == REGRESSION else "slower: ") + names + extra
    assert comparison.code == OK
    return f"no slowdown confirmed in {len(comparison.measured)} cells{extra}"


def junit_case(comparison, m):
    verdict, e = verdict_of(comparison, m), m.series.estimate()
    if verdict is None:
        return m.cell.name, junit.SKIPPED, "no verdict: the comparison is not trustworthy", m.series.seconds
    if verdict == UNDERPOWERED or e is None:
        return m.cell.name, junit.SKIPPED, "underpowered", m.series.seconds
    if verdict == SLOWER and comparison.code == REGRESSION:
        low, high = paired.interval(e)
        return m.cell.name, junit.FAILURE, f"slower: {paired.ratio(e):.4f} [{low:.4f}, {high:.4f}]", m.series.seconds
    return m.cell.name, junit.PASSED, None, m.series.seconds


def write_junit(path, comparison):
    valid = comparison.validity
    cases = [junit_case(comparison, m) for m in comparison.measured]
    cases += [(cell.name, junit.SKIPPED, why, 0.0) for cell, why in comparison.one_sided]
    cases.append(("validity", junit.PASSED if valid["trustworthy"] else junit.ERROR, "; ".join(valid["reasons"]), 0.0))
    junit.write(path, [junit.suite(f"compare {comparison.base.label} {comparison.new.label}", cases)])
