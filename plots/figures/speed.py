"""Time per operation against n, one panel per workload; with one or two sizes, a dot per map instead of a line."""
from plots.draw import canvas, style
from plots.rows import stats
from plots.rows.numbers import format_n
from plots.rows.points import cache_fills
from plots.rows.run import BASELINE

PREFIX = "speed-"
LIBRARY = "matplotlib"
NEEDS = ("time",)
TITLE = "Time against size"
READING = ("Median time per operation; the bar at a point is its 95 % interval, a hollow point is unstable. Dashed verticals: "
           "where the keys and values alone would fill a cache. Point at a name in the legend to bring its line forward, click "
           "it to hide the line.")
INTERACTIVE = "speed"

PANELS_MAX = 12


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("time").items():
        workloads = list(dict.fromkeys(r["workload"] for r in rows))
        for part in range(0, len(workloads), PANELS_MAX):
            chosen = workloads[part:part + PANELS_MAX]
            number = f"-{part // PANELS_MAX + 1}" if len(workloads) > PANELS_MAX else ""
            name = f"{PREFIX}{style.family_slug(family)}{number}"
            used = [r for r in rows if r["workload"] in chosen]
            sizes = sorted({r["n"] for r in used})
            kind = draw_curves if len(sizes) > 2 else draw_dots
            title = f"Time per operation: {run.title(family)}" + (f", part {number[1:]}" if number else "")
            figure = kind(run, run_looks, family, used, chosen, sizes, title)
            canvas.save(figure, folder, name)
            figures.append((name, title))
    return figures


def is_octave(sizes):
    return len(sizes) >= 3 and sizes[-1] <= 2 * sizes[0]


def order_of(run, rows):
    """Returns labels from the slowest to the fastest over the panels, as lines lie from top to bottom; the baseline last."""
    times = {}
    for row in rows:
        times.setdefault(run.label(row), []).append(row["median"])
    return sorted(times, key=lambda label: (label == BASELINE, -stats.geomean(times[label])))


def grid(count):
    return count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4


def draw_curves(run, run_looks, family, rows, workloads, sizes, title):
    columns = grid(len(workloads))
    lines = -(-len(workloads) // columns)
    octave, logarithmic = is_octave(sizes), needs_log(rows)
    note = ("Line: median of all batches; band: its 95 % interval; dotted: the null map (what the loop itself costs); "
            "hollow: unstable, see the table.\nHorizontal: " +
            ("entries n within one octave, linear; a tick for each size measured." if octave else
             "entries n, logarithmic; L1, L2, L3: where the keys and values alone would fill that cache.")
            + (" Times logarithmic." if logarithmic else ""))
    order = order_of(run, rows)
    beside = canvas.legend_inches(order)
    figure, area = canvas.frame(0.85 + beside + columns * (4.6 if columns == 1 else 3.35 if columns < 4 else 2.9),
                                max(2.75 * lines, canvas.legend_height(order)), title, style.subtitle(run, rows), note)
    grid_axes = canvas.panels(figure, area, len(workloads), columns, legend=beside + 0.1)
    for axes, workload in zip(grid_axes, workloads):
        panel_rows = [r for r in rows if r["workload"] == workload]
        for label in reversed(order):
            curve = sorted((r for r in panel_rows if run.label(r) == label), key=lambda r: r["n"])
            if curve:
                draw_curve(axes, run_looks[label], curve, label == BASELINE)
        axes.set_title(workload)
        scale_time(axes, panel_rows, logarithmic)
        scale_sizes(axes, run, family, sizes, octave)
    for i in range(0, len(workloads), columns):
        figure.axes[i].set_ylabel("ns per operation (lower is better)")
    for i in range(len(workloads)):
        if i + columns >= len(workloads):
            figure.axes[i].set_xlabel("entries n (one octave, linear)" if octave else "entries n")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=label, **canvas.line_style(run_looks[label]))
                                 for label in order], "slowest to fastest", beside)
    return figure


def draw_curve(axes, look, curve, baseline):
    n = [r["n"] for r in curve]
    axes.plot(n, [r["median"] for r in curve], **canvas.line_style(look), linewidth=1.1 if baseline else 1.5,
              markersize=4, zorder=2 if baseline else 3)
    banded = [r for r in curve if r["ci95"]]
    axes.fill_between([r["n"] for r in banded], [r["ci95"][0] for r in banded], [r["ci95"][1] for r in banded],
                      color=look.colour, alpha=0.13, linewidth=0, zorder=1)
    shaky = [r for r in curve if not r["stable"]]
    if shaky and not baseline:
        axes.plot([r["n"] for r in shaky], [r["median"] for r in shaky], linestyle="none", marker=look.marker.mpl,
                  markersize=5.5, markerfacecolor=style.PAPER, markeredgecolor=look.colour, zorder=4)


def needs_log(rows):
    """Tells whether an axis is logarithmic: linear from zero while that can be read; logarithmic, in all panels alike, when
    in one of them the slowest time is more than 12 times the fastest."""
    panels = {}
    for row in rows:
        if row["map"] != BASELINE:
            panels.setdefault(row["workload"], []).append(row["median"])
    return any(max(times) > 12 * min(times) for times in panels.values())


def scale_time(axes, rows, logarithmic):
    times = [r["median"] for r in rows if r["map"] != BASELINE] or [r["median"] for r in rows]
    floor = [r["median"] for r in rows if r["map"] == BASELINE]
    if logarithmic:
        axes.set_yscale("log")
        low, high = min(times) * 0.7, max(times) * 1.25
        if floor and min(floor) > low / 4:
            low = min(low, min(floor) * 0.8)
        elif floor:  # decades below: drawing it would flatten all others
            time = stats.geomean(floor)
            axes.text(0.015, 0.015, f"null: {f'{time:.2g}' if time >= 0.01 else '< 0.01'} ns ↓", transform=axes.transAxes,
                      size=style.SIZE_SMALL, color=style.GREY, va="bottom")
        axes.set_ylim(low, high)
        canvas.ticks_1_2_5(axes.yaxis, low, high)
    else:
        axes.set_ylim(0, max(times) * 1.08)
    canvas.format_axis(axes.yaxis, canvas.plain)


def named_sizes(axes, sizes):
    """Returns the sizes whose names fit below the axis: the first, and others down from the last."""
    def span(n):
        middle = axes.transData.transform((n, 1))[0] / axes.figure.dpi
        half = len(format_n(n)) * 0.034 + 0.05
        return middle - half, middle + half
    named = [sizes[0]]
    edge = float("inf")
    for n in reversed(sizes[1:]):
        if span(n)[1] <= edge and span(n)[0] >= span(sizes[0])[1]:
            named.append(n)
            edge = span(n)[0]
    return named


def scale_sizes(axes, run, family, sizes, octave):
    if octave:
        named = named_sizes(axes, sizes)
        axes.set_xticks(sizes, [format_n(n) if n in named else "" for n in sizes])
    else:
        axes.set_xscale("log")
        axes.set_xticks(named_sizes(axes, sizes))
        canvas.format_axis(axes.xaxis, lambda n: format_n(round(n)))
    low, high = axes.get_xlim()
    for level, n in cache_fills(run, family):
        if low < n < high:
            axes.axvline(n, color=style.GREY, linewidth=0.7, linestyle=(0, (1, 3)), zorder=0)
            near_edge = axes.transAxes.inverted().transform(axes.transData.transform((n, 1)))[0] > 0.92
            axes.text(n, 0.995, f"L{level} " if near_edge else f" L{level}", transform=axes.get_xaxis_transform(),
                      size=style.SIZE_SMALL, color=style.GREY, va="top", ha="right" if near_edge else "left")
    axes.set_xlim(low, high)


def draw_dots(run, run_looks, family, rows, workloads, sizes, title):
    """Draws one or two sizes: maps from the fastest to the slowest, a dot for each size."""
    order = [label for label in order_of(run, rows) if label != BASELINE] or [BASELINE]
    columns = min(5, len(workloads))
    lines = -(-len(workloads) // columns)
    shown = " and ".join(format_n(n) for n in sizes)
    note = ("Dot: median of all batches; bar: its 95 % interval; hollow: unstable, see the table; dotted line: the null "
            "map (what the loop itself costs).\n"
            + ("Small dot: the smaller n, large dot: the larger. " if len(sizes) == 2 else "")
            + "Maps are sorted by their geometric mean over all panels.")
    left = canvas.names_inches(order)
    figure, area = canvas.frame(max(canvas.WIDTH_MIN, left + 0.3 + columns * 2.45),
                                lines * (0.85 + 0.21 * len(order)), f"{title}, n = {shown}",
                                style.subtitle(run, rows), note)
    logarithmic = needs_log(rows)
    places = {label: i for i, label in enumerate(order)}
    grid_axes = canvas.panels(figure, area, len(workloads), columns, left=left, right=0.3, gap_x=0.25, gap_y=0.72,
                              legend=0, bottom=0.5)
    for i, (axes, workload) in enumerate(zip(grid_axes, workloads)):
        panel_rows = [r for r in rows if r["workload"] == workload]
        dots = [r for r in panel_rows if run.label(r) in places]
        for label in order:
            draw_dumbbell(axes, places[label], run_looks[label],
                          sorted((r for r in dots if run.label(r) == label), key=lambda r: r["n"]), sizes)
        for row in panel_rows:
            if row["map"] == BASELINE:
                axes.axvline(row["median"], color=style.INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        axes.set_title(workload)
        axes.set_ylim(-0.7, len(order) - 0.3)
        axes.grid(True, axis="both")
        axes.set_yticks(range(len(order)), order if i % columns == 0 else [""] * len(order))
        axes.tick_params(axis="y", length=0, labelcolor=style.INK)
        axes.spines["left"].set_visible(False)
        scale_dots(axes, dots or panel_rows, logarithmic)
        if i + columns >= len(workloads):
            axes.set_xlabel("ns per operation\n(lower is better)")
    return figure


def draw_dumbbell(axes, place, look, dots, sizes):
    if len(dots) == 2:
        axes.plot([r["median"] for r in dots], [place, place], color=look.colour, alpha=0.45, linewidth=1.4, zorder=2)
    for row in dots:
        if row["ci95"]:
            axes.plot(row["ci95"], [place, place], color=look.colour, linewidth=3.2, alpha=0.35, zorder=2,
                      solid_capstyle="butt")
        axes.plot(row["median"], place, marker=look.marker.mpl or "o", color=look.colour, zorder=3,
                  markersize=6 if row["n"] == sizes[-1] else 3.6,
                  markerfacecolor=look.colour if row["stable"] else style.PAPER)


def scale_dots(axes, rows, logarithmic):
    times = [r["median"] for r in rows]
    if logarithmic:
        axes.set_xscale("log")
        low, high = min(times) * 0.8, max(times) * 1.25
        axes.set_xlim(low, high)
        canvas.ticks_1_2_5(axes.xaxis, low, high)
    else:
        axes.set_xlim(0, max(times) * 1.1)
        axes.locator_params(axis="x", nbins=4)
    canvas.format_axis(axes.xaxis, canvas.plain)
