"""Whether a comparison may be believed: identical code must look identical, a known slowdown must be seen, and the
machine must have let the processes work."""
from judge.compare import paired
from judge.compare.pairing import AA, CONTROL, CONTROL_PERCENT, relink_floor_percent
from judge.compare.verdict import SLOWER, UNDERPOWERED

PREEMPTED_SHARE_MOST = 0.4  # each takes three differences with it: a fifth of them is left
CPU_PER_WALL_LEAST = 0.1    # thread-CPU time copes with a part of a processor, not with scraps of one
LOST_SHARE_MOST = 0.25       # processes without a single undisturbed batch


def check_of(measurement):
    s, e = measurement.series, measurement.series.estimate()
    record = {"cell": measurement.cell.name, "n": measurement.cell.n, "processes": len(s.first) + len(s.confirming),
              "ratio": e and round(paired.ratio(e), 6), "ci95": e and [round(x, 6) for x in paired.interval(e)],
              # moved code has no verdict: it raises the floor, and no alarm of it is confirmed
              "verdict": s.verdict() if measurement.may_alarm else None}
    return record


def conditions(measurements):
    """Returns what the machine did to the processes, over all of them."""
    outputs = [o for m in measurements for o in m.outputs]
    lost = [p for o in outputs for r in o["rounds"] for p in r["preempted"]]
    wall, cpu = sum(o["wall_ns"] for o in outputs), sum(o["cpu_ns"] for o in outputs)
    pressure = [o["pressure_cpu_avg10"] for o in outputs if o["pressure_cpu_avg10"] is not None]
    values = [v for m in measurements for v in m.series.first + m.series.confirming]
    return {"processes": len(outputs), "preempted_share": round(sum(map(bool, lost)) / len(lost), 5),
            "cpu_per_wall": round(cpu / wall, 4) if wall else None,
            "pressure_cpu_avg10": round(max(pressure), 2) if pressure else None,
            "involuntary_switches": sum(o["involuntary_switches"] for o in outputs),
            "steal_ticks": sum(o["steal_ticks"] for o in outputs),
            "lost_processes": sum(v is None for v in values)}


def judge(cells, checks):
    """Returns the "validity" of the JSON: every check, whether all hold, and the reasons why not."""
    reasons, seen = [], conditions(cells + checks)
    for m in checks:
        verdict, record = m.series.verdict(), check_of(m)
        if m.role == AA and m.series.confirmed():
            reasons.append(f"identical code was called {verdict} on {m.cell.name} (ratio {record['ratio']:.3f})")
        if m.role == CONTROL and verdict != SLOWER:
            ratio = "no ratio" if record["ratio"] is None else f"ratio {record['ratio']:.3f}"
            reasons.append(f"{CONTROL_PERCENT:g} % more work was not seen on {m.cell.name} ({ratio})")
    if seen["preempted_share"] > PREEMPTED_SHARE_MOST:
        reasons.append(f"{100 * seen['preempted_share']:.0f} % of the batches lost their processor")
    if seen["cpu_per_wall"] is not None and seen["cpu_per_wall"] < CPU_PER_WALL_LEAST:
        reasons.append(f"the processes had a processor for {100 * seen['cpu_per_wall']:.0f} % of the time only")
    if seen["lost_processes"] > LOST_SHARE_MOST * seen["processes"]:
        reasons.append(f"{seen['lost_processes']} of {seen['processes']} processes had no undisturbed batch")
    if cells and all(m.series.verdict() == UNDERPOWERED for m in cells):
        reasons.append("no cell could be measured well enough: see bound and MDE; use more --processes")
    return {"aa": {"cells": [check_of(m) for m in checks if m.role == AA]},
            "control": {"extra_percent": CONTROL_PERCENT, "cells": [check_of(m) for m in checks if m.role == CONTROL]},
            "relink": {"floor_percent": round(relink_floor_percent(checks), 4),
                       "cells": [check_of(m) for m in checks if m.raises_floor]},
            "conditions": seen, "trustworthy": not reasons, "reasons": reasons}
