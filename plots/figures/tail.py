"""The tail of ports and originals while growing: latency percentiles of the same design in one panel, with the operations
that changed the capacity marked on each line."""
from bisect import bisect_left

from plots.draw import canvas, style
from plots.figures.latency import draw_ends, draw_line, scale
from plots.rows.numbers import format_n, format_ns
from plots.rows.originals import pairs
from plots.rows.points import percentile_points

PREFIX = "tail-"
LIBRARY = "matplotlib"
NEEDS = ("latency",)
TITLE = "The tail of ports and originals"
READING = ""

WORKLOADS = ("put_grow",)  # the others either make room first or do not grow
FACTOR = 2.0  # a port's p99.9 and longest operation should be within this factor of its original's


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("latency").items():
        for workload, n in dict.fromkeys((r["workload"], r["n"]) for r in rows if r["workload"] in WORKLOADS):
            found = {r["map"]: r for r in rows if (r["workload"], r["n"]) == (workload, n)}
            designs = {}
            for port, original in pairs(list(found)):
                designs.setdefault(port, [found[port]]).append(found[original])
            if designs:
                name = f"{PREFIX}{style.family_slug(family)}-{style.slug(workload)}-{n}"
                title = f"The tail of ports and originals: {workload}, {run.title(family)}, n = {format_n(n)}"
                canvas.save(draw_designs(run, run_looks, designs, title), folder, name)
                figures.append((name, title))
    return figures


def quotients(port, original):
    """Returns [(which, port's by original's)] of p99.9 and the longest operation, without those that are not known."""
    found = []
    for which, text in (("p999", "p99.9"), ("max", "longest")):
        own, other = port["latency"].get(which), original["latency"].get(which)
        if own and other:
            found.append((text, own / other))
    return found


def in_words(designs):
    lines = []
    for rows in designs.values():
        for other in rows[1:]:
            parts = [f"{text} {quotient:.2f}"
                     + ("" if 1 / FACTOR <= quotient <= FACTOR else f" (beyond a factor of {FACTOR:g})")
                     for text, quotient in quotients(rows[0], other)]
            lines.append(f"{rows[0]['map']} / {other['map']}: {', '.join(parts)}")
    return "; ".join(lines) + "."


def draw_designs(run, run_looks, designs, title):
    rows = [row for of in designs.values() for row in of]
    columns = min(2, len(designs))
    lines = -(-len(designs) // columns)
    note = (in_words(designs)
            + "\nEvery operation timed by itself; the timer's own cost (dotted floor) is part of each value. The marker "
            "after a line is at its largest value; a ring on a line: an operation that changed the capacity (where it ranks "
            "by its duration). Hollow end: unstable, see the table."
            + cut_in_words(rows))
    order = [run.label(row) for row in rows]
    beside = canvas.legend_inches(order)
    height = max(3.5 * lines, canvas.legend_height(order))
    figure, area = canvas.frame(max(canvas.WIDTH_MIN, 1.0 + beside + columns * 4.6), height, title,
                                style.subtitle(run, rows), note)
    panels = canvas.panels(figure, area, len(designs), columns, legend=beside + 0.1, left=1.0)
    for axes, (port, of) in zip(panels, designs.items()):
        draw_panel(axes, [(run_looks[run.label(row)], row) for row in of], rows, port)
    for i, axes in enumerate(panels):
        if i % columns == 0:
            axes.set_ylabel("duration of one operation\n(lower is better)")
        if i + columns >= len(panels):
            axes.set_xlabel("share of operations at or below")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=run.label(row), **canvas.line_style(run_looks[run.label(row)]))
                                 for row in rows], "ports and originals", beside)
    return figure


def draw_panel(axes, drawn, every, title):
    """Draws a panel. drawn: [(look, row)]. The axes are those of all designs, so that they can be compared."""
    for look, row in reversed(drawn):
        draw_line(axes, look, row)
        ranked = growth_points(row)
        axes.plot([x for x, _ in ranked], [y for _, y in ranked], linestyle="none", marker="o",
                  markersize=4.5 if len(ranked) < 50 else 3, markerfacecolor="none", markeredgecolor=look.colour,
                  markeredgewidth=0.7, alpha=0.8 if len(ranked) < 50 else 0.5, zorder=4)
    costs = [row["latency"]["timer_cost_ns"] for _, row in drawn if row["latency"]["timer_cost_ns"]]
    if costs:
        axes.axhline(max(costs), color=style.GREY, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        axes.text(0.99, max(costs), f"timer {format_ns(max(costs))}", transform=axes.get_yaxis_transform(),
                  size=style.SIZE_SMALL, color=style.GREY, va="bottom", ha="right")
    axes.set_title(title)
    axes.set_ylim(10, max(row["latency"]["max"] for row in every) * 1.7)
    scale(axes, [row for _, row in drawn])
    draw_ends(axes, drawn)


def growth_points(row):
    """Returns [(1/(1-share), ns)]: the growth events of a row at the place on its line where their durations rank."""
    line = percentile_points(row["latency"])
    heights = [y for _, y in line]
    return [(line[min(bisect_left(heights, event["ns"]), len(line) - 1)][0], event["ns"]) for event in row["growth_events"]
            if line]


def cut_in_words(rows):
    cut = [row["map"] for row in rows if (row.get("growth_events_total") or 0) > len(row["growth_events"])]
    return f" Of {', '.join(cut)} only the first growths are kept." if cut else ""
