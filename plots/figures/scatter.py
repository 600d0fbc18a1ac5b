"""Speed against memory: one point per map, the maps that no other beats on both marked as the Pareto front."""
from plots.draw import canvas, labels, style
from plots.rows.numbers import format_n
from plots.rows.points import front, mean_points, stairs, trade_offs
from plots.rows.run import entry_bytes

PREFIX = "trade-off-"
LIBRARY = "matplotlib"
NEEDS = ("time", "memory")
TITLE = "Speed against memory"
READING = ("Left and low is good. The line joins the Pareto front: maps that no other beats on both axes. Choose the workload "
           "that is yours.")
INTERACTIVE = "tradeoff"



def draw(run, run_looks, folder):
    figures = []
    for family, n, workloads, times in trade_offs(run):
        points = mean_points(times)
        name = f"{PREFIX}{style.family_slug(family)}"
        title = f"Speed against memory: {run.title(family)}, n = {format_n(n)}"
        rows = [r for r in run.measured("time") if r["shape"] == family.shape and run.label(r) in points]
        canvas.save(draw_one(run, run_looks, rows, family, workloads, points, title), folder, name)
        figures.append((name, title))
    return figures


def draw_one(run, run_looks, rows, family, workloads, points, title):
    best = front(points)
    note = (f"ns per operation: geometric mean over {', '.join(workloads)}. Bytes per entry: live in the map's own "
            f"allocations, at this n (the saw-tooth figure shows how it moves).\n"
            f"Ringed and joined: the Pareto front, maps that no other beats on both.")
    figure, area = canvas.frame(8.6, 5.2, title, style.subtitle(run, rows), note)
    axes = canvas.panels(figure, area, 1, 1, legend=0, left=0.8, right=0.4, bottom=0.5, top=0.1)[0]
    axes.grid(True, axis="both")
    axes.set_xlabel("bytes per entry (lower is better)")
    axes.set_ylabel("ns per operation (lower is better)")
    scale(axes, [p[0] for p in points.values()], "x")
    scale(axes, [p[1] for p in points.values()], "y")
    floor = entry_bytes(family.shape)
    if floor and axes.get_xlim()[0] < floor:
        axes.axvline(floor, color=style.GREY, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        axes.text(floor, 0.01, f" key + value: {floor} B", transform=axes.get_xaxis_transform(), rotation=90,
                  size=style.SIZE_SMALL, color=style.GREY, va="bottom", ha="right")
    corners = stairs([points[label] for label in best])
    axes.plot([x for x, _ in corners], [y for _, y in corners], color=style.GREY, linewidth=1, alpha=0.7, zorder=2)
    for label, (size, ns) in points.items():
        look = run_looks[label]
        axes.plot(size, ns, marker=look.marker.mpl, color=look.colour, markersize=8, zorder=4)
        if label in best:
            axes.plot(size, ns, marker="o", markersize=15, markerfacecolor="none", markeredgecolor=style.GREY, zorder=3)
    labels.place(axes, {label: (point, run_looks[label].colour) for label, point in points.items()}, corners)
    return figure


def scale(axes, values, which):
    set_scale, set_lim, axis = ((axes.set_xscale, axes.set_xlim, axes.xaxis) if which == "x" else
                                (axes.set_yscale, axes.set_ylim, axes.yaxis))
    if max(values) > 8 * min(values):
        set_scale("log")
        set_lim(min(values) / 1.4, max(values) * 1.4)
        canvas.ticks_1_2_5(axis, min(values) / 1.4, max(values) * 1.4)
    else:
        set_lim(0 if which == "x" else min(values) * 0.6, max(values) * 1.12)
    canvas.format_axis(axis, canvas.plain)
