"""Latency percentiles of single operations: the tail, on a scale that gives every further nine the same room."""
import math

from plots.draw import canvas, style
from plots.rows.numbers import format_n, format_ns
from plots.rows.points import percentile_points
from plots.rows.run import BASELINE

PREFIX = "latency-"
LIBRARY = "matplotlib"
NEEDS = ("latency",)
TITLE = "Latency of single operations"
READING = ("Every operation timed by itself, so the timer's own cost (dashed) is part of each value: read the tail, never the "
           "median. Each further nine has the same room. A hollow end is an unstable row.")
INTERACTIVE = "latency"

PANELS_MAX = 9
END_INCHES = 0.085  # from one end marker to the next
SHARES = [(0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"), (0.99999, "99.999 %"),
          (0.999999, "99.9999 %"), (0.9999999, "99.99999 %")]


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("latency").items():
        cells = list(dict.fromkeys((r["workload"], r["n"]) for r in rows))
        for part in range(0, len(cells), PANELS_MAX):
            number = f"-{part // PANELS_MAX + 1}" if len(cells) > PANELS_MAX else ""
            name = f"{PREFIX}{style.family_slug(family)}{number}"
            title = f"Latency percentiles of one operation: {run.title(family)}" + \
                    (f", part {number[1:]}" if number else "")
            canvas.save(draw_part(run, run_looks, rows, cells[part:part + PANELS_MAX], title), folder, name)
            figures.append((name, title))
    return figures


def draw_part(run, run_looks, rows, cells, title):
    columns = min(3, len(cells))
    lines = -(-len(cells) // columns)
    note = ("Every operation timed by itself; the timer's own cost (dotted floor) is part of each value, so read the tail, "
            "never the median.\nClosed loop: an operation that had to wait for its predecessor does not show. The marker "
            "after a line is at its largest value; markers that would hide each other stand side by side. Hollow: unstable, "
            "see the table.")
    labels = {}
    for row in rows:
        if (row["workload"], row["n"]) in cells:
            labels[run.label(row)] = max(labels.get(run.label(row), 0), row["latency"]["max"])
    order = sorted(labels, key=lambda label: (label == BASELINE, -labels[label]))
    beside = canvas.legend_inches(order)
    figure, area = canvas.frame(max(canvas.WIDTH_MIN, 0.85 + beside + columns * 3.9),
                                max(3.3 * lines, canvas.legend_height(order)), title, style.subtitle(run, rows), note)
    grid_axes = canvas.panels(figure, area, len(cells), columns, legend=beside + 0.1, left=0.85)
    for axes, (workload, n) in zip(grid_axes, cells):
        panel = [r for r in rows if (r["workload"], r["n"]) == (workload, n)]
        for row in sorted(panel, key=lambda r: -order.index(run.label(r))):
            draw_line(axes, run_looks[run.label(row)], row)
        costs = [r["latency"]["timer_cost_ns"] for r in panel if r["latency"]["timer_cost_ns"]]
        if costs:
            axes.axhline(max(costs), color=style.GREY, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
            axes.text(0.99, max(costs), "timer", transform=axes.get_yaxis_transform(), size=style.SIZE_SMALL,
                      color=style.GREY, va="bottom", ha="right")
        axes.set_title(f"{workload}, n = {format_n(n)}")
        scale(axes, panel)
        draw_ends(axes, [(run_looks[run.label(r)], r) for r in panel])
    for i in range(0, len(cells), columns):
        figure.axes[i].set_ylabel("ns (lower is better)")
    for i in range(len(cells)):
        if i + columns >= len(cells):
            figure.axes[i].set_xlabel("share of operations at or below")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=label, **canvas.line_style(run_looks[label]))
                                 for label in order], "worst to best tail", beside)
    return figure


def draw_line(axes, look, row):
    points = percentile_points(row["latency"])
    drawn = canvas.line_style(look)
    drawn["marker"] = None
    axes.plot([x for x, _ in points], [y for _, y in points], **drawn, linewidth=1.4, zorder=3)


def columns_of(heights, apart):
    """Returns a column for each height, the first in which no other is nearer than `apart`."""
    columns = []
    for i, height in enumerate(heights):
        near = {columns[j] for j in range(i) if abs(heights[j] - height) < apart}
        columns.append(min(set(range(len(heights))) - near))
    return columns


def draw_ends(axes, drawn):
    """Draws the largest value of each line as a marker to the right of all lines, joined to its end by a hair."""
    ends = sorted(((look, row["stable"], row["latency"]["count"], row["latency"]["max"]) for look, row in drawn
                   if look.marker.mpl), key=lambda end: -end[3])
    if not ends:
        return
    low, right = axes.get_xlim()
    heights = [axes.transData.transform((right, ns))[1] / axes.figure.dpi for *_rest, ns in ends]
    columns = columns_of(heights, END_INCHES)
    width = axes.get_position().width * axes.figure.get_size_inches()[0]
    room = min(0.6, END_INCHES * (max(columns) + 1) / width)  # the share of the axis that the markers take
    decades = math.log10(right / low) / (1 - room)
    axes.set_xlim(low, low * 10**decades)
    for (look, stable, count, ns), column in zip(ends, columns):
        x = right * 10 ** ((column + 0.4) * END_INCHES / width * decades)
        axes.plot([count, x], [ns, ns], color=look.colour, linewidth=0.5, alpha=0.6, zorder=2)
        axes.plot(x, ns, marker=look.marker.mpl, color=look.colour, markersize=4.2, zorder=4,
                  markerfacecolor=look.colour if stable else style.PAPER, markeredgewidth=0.9)


def scale(axes, panel):
    axes.set_xscale("log")
    axes.set_yscale("log")
    right = max(r["latency"]["count"] for r in panel) * 1.2
    ticks = [(1 / (1 - share), text) for share, text in SHARES if 1 / (1 - share) <= right] or [(1, "0 %")]
    axes.set_xlim(1, max(right, 2))
    axes.set_xticks([x for x, _ in ticks], [text for _, text in ticks], size=7)
    axes.xaxis.set_minor_locator(canvas.ticker.NullLocator())
    low, high = axes.get_ylim()
    low = min([r["latency"]["timer_cost_ns"] for r in panel if r["latency"]["timer_cost_ns"]] + [low]) * 0.9
    axes.set_ylim(max(low, 0.5), high)
    axes.yaxis.set_major_locator(canvas.ticker.LogLocator(base=10))
    canvas.format_axis(axes.yaxis, format_ns)
