"""A figure of series over time: values with their intervals, levels between changes, changes marked."""
from pathlib import Path

from judge.base.cells import text_of
from judge.base.common import Refused
from judge.history import changepoints, changes, show
from judge.history.series import RATIO
from plots.draw import canvas, style
from plots.rows.exits import CANNOT
from plots.rows.run import shorten

PANELS_MAX, LABELS_MAX = 12, 14
WIDTH, PANEL_HEIGHT = 11.0, 1.75
LINE, MARK = "#0072b2", "#d55e00"


def draw(all_series, base, path):
    """Writes the figure; returns what to print about it."""
    if len(all_series) > PANELS_MAX:  # those that changed first
        changed = {(r["machine"], r["metric"], *r["cell"].values()) for r in changes.find_changes(all_series)[0]}
        all_series = sorted(all_series, key=lambda s: (s.machine[0], s.metric, *s.cell) not in changed)
    chosen = all_series[:PANELS_MAX]
    left = len(all_series) - len(chosen)
    columns = 1 if len(chosen) == 1 else 2
    rows = -(-len(chosen) // columns)
    note = ("Dot: one result, oldest to the left, equal steps whatever the time between; bar: its 95 % interval; hollow: unstable, not "
            "used to find changes. Horizontal: the median of a level; dashed: a change, with the first commit of the new level on the axis. "
            "Lower is better.")
    note += f"\n{left} more series are not drawn (those that changed come first): choose with a regular expression." if left else ""
    where = sorted({show.where_text(s.machine) for s in chosen})
    subtitle = " · ".join([*where, f"{chosen[0].points[0].time[:10]} to {max(s.points[-1].time for s in chosen)[:10]}"])
    figure, area = canvas.frame(WIDTH, (PANEL_HEIGHT + 1.1) * rows + 0.25, "History: " + ", ".join(dict.fromkeys(s.metric for s in chosen)),
                                subtitle, note)
    panels = canvas.panels(figure, area, len(chosen), columns, left=0.95, right=0.35, gap_x=0.95, gap_y=1.1, bottom=0.95,
                           top=0.4, legend=0)
    several = len({s.machine[0] for s in chosen}) > 1
    for axes, series in zip(panels, chosen):
        draw_series(axes, series, base, several)
    try:
        figure.savefig(Path(path), metadata={"Date": None} if Path(path).suffix == ".svg" else None)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}", CANNOT) from error
    finally:
        canvas.pyplot.close(figure)
    return f"{path}: {len(chosen)} series" + (f", {left} more left out: choose with a regular expression" if left else "")


def draw_series(axes, series, base, several_machines):
    points = series.points
    places = range(len(points))
    values = [p.value for p in points]
    for i, p in enumerate(points):
        if p.low is not None and p.high is not None:
            axes.plot([i, i], [p.low, p.high], color=LINE, linewidth=1, alpha=0.5)
    axes.plot(places, values, color=LINE, linewidth=0.7, alpha=0.6)
    for stable, face in ((True, LINE), (False, style.PAPER)):
        axes.plot([i for i in places if points[i].stable is stable], [p.value for p in points if p.stable is stable], "o", markersize=4,
                  markerfacecolor=face, markeredgecolor=LINE, markeredgewidth=0.9)
    marked = draw_changes(axes, points)
    title = text_of(series.cell) + (f" ({series.machine[0][:8]})" if several_machines else "")
    axes.set_title(shorten(title, 56), fontsize=9)
    unit = show.unit_of(series.metric)
    axes.set_ylabel(f"ratio to {base}" if series.metric == RATIO else unit or series.metric)
    low = min([p.low if p.low is not None else p.value for p in points])
    high = max([p.high if p.high is not None else p.value for p in points])
    room = max(high - low, show.SPARK_SPAN * abs(high)) * 0.18
    axes.set_ylim(low - room, high + 1.6 * room)
    axes.set_xlim(-0.6, len(points) - 0.4)
    label_commits(axes, points, marked)


def draw_changes(axes, points):
    """Draws levels and changes; returns the places of the changes."""
    used = [i for i, p in enumerate(points) if p.stable and p.value > 0]
    found = changepoints.find([points[i].value for i in used]) or []
    for change in found:
        first, at, last = used[change.first], used[change.at], used[change.last]
        if change.kind == changepoints.DRIFT:
            axes.plot([first, last], [change.before, change.after], color=MARK, linewidth=1.6)
            axes.annotate(f"drift {show.percent((change.ratio - 1) * 100)}", ((first + last) / 2, 1), xycoords=axes.get_xaxis_transform(),
                          xytext=(0, -2), textcoords="offset points", ha="center", va="top", fontsize=8, color=MARK)
            continue
        axes.hlines([change.before, change.after], [first - 0.4, at - 0.4], [at - 0.6, last + 0.4], color=MARK, linewidth=1.6)
        axes.axvline(at - 0.5, color=MARK, linewidth=1, linestyle=(0, (4, 3)))
        right = at < 0.75 * len(points)
        axes.annotate(show.percent((change.ratio - 1) * 100), (at - 0.5, 1), xycoords=axes.get_xaxis_transform(),
                      xytext=(3 if right else -3, -2), textcoords="offset points", ha="left" if right else "right", va="top", fontsize=8, color=MARK)
    return [used[c.at] for c in found if c.kind == changepoints.STEP]


def label_commits(axes, points, marked):
    """Writes short commit ids below the points, as many as fit; those of changes always."""
    every = -(-len(points) // LABELS_MAX)
    apart = max(1, every // 2 + 1)
    places = set(marked) | {i for i in range(0, len(points), every) if all(abs(i - m) >= apart for m in marked)}
    places = sorted(places)
    axes.set_xticks(places, [show.short(points[i].revision)[:7] for i in places], rotation=60, ha="right", rotation_mode="anchor",
                    fontsize=7.5)
    for place, label in zip(places, axes.get_xticklabels()):
        if place in marked:
            label.set_color(MARK)
