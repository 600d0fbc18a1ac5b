"""Changes of series, as records and as text."""
from judge.base.cells import text_of
from judge.history import changepoints, show


def change_record(series, points, change):
    """Returns a change as `changes --json` has it. commit: the first at the new level; last_before: the last at the old
    one."""
    at, before = points[change.at], points[change.at - 1] if change.at else None
    return {"cell": dict(series.cell._asdict()), "metric": series.metric, "machine": series.machine[0], "base": series.base,
            "kind": change.kind, "commit": at.revision, "time": at.time, "last_before": before and before.revision,
            "last_before_time": before and before.time, "until": points[change.last].time, "before": change.before,
            "after": change.after, "percent": round((change.ratio - 1) * 100, 3), "p": change.p, "points": len(points)}


def find_changes(all_series):
    """Returns ([record], {points: [series with too few]}, series that were tested). Only points that may be quoted count."""
    found, few, tested = [], {}, 0
    for series in all_series:
        points = [p for p in series.points if p.stable and p.value > 0]
        changes = changepoints.find([p.value for p in points])
        if changes is None:
            few.setdefault(len(points), []).append(series)
            continue
        tested += 1
        found += [change_record(series, points, change) for change in changes]
    return sorted(found, key=lambda record: record["time"]), few, tested


def cell_text(record):
    return "/".join(str(part) for part in record["cell"].values() if part not in ("", 0))


def text(found, few, tested):
    """Returns the text of `history changes`."""
    lines = []
    if found:
        rows = [("cell", "metric", "where", "since", "before", "after", "change", "p")]
        for r in found:
            where = (f"drift {r['time'][:10]}..{r['until'][:10]}" if r["kind"] == changepoints.DRIFT
                     else f"{show.short(r['last_before'])}..{show.short(r['commit'])}")
            rows.append((cell_text(r), r["metric"], where, r["time"][:16].replace("T", " "), show.number(r["before"], r["metric"]),
                         show.number(r["after"], r["metric"]), show.percent(r["percent"]), f"{r['p']:.2g}"))
        lines += show.table(rows, right=(4, 5, 6, 7)) + [""]
    steps = sum(r["kind"] == changepoints.STEP for r in found)
    drifts = len(found) - steps
    lines.append(f"{steps} change{'s' * (steps != 1)} and {drifts} drift{'s' * (drifts != 1)} in {tested} series; noise alone would show "
                 f"{tested * changepoints.LEVEL:.1f} (level {changepoints.LEVEL:g}, from {changepoints.EFFECT:.0%} on)")
    for points, series in sorted(few.items()):
        names = text_of(series[0].cell) + (f" and {len(series) - 1} more" if len(series) > 1 else "")
        lines.append(f"too few points ({points} of {changepoints.POINTS_MIN}): {names}")
    return lines
