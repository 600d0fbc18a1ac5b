"""Closed and open loop side by side: the tail when operations wait for the last one, and when they arrive at a fixed rate;
and, while a map grows, the queue that each growth leaves behind."""
from plots.draw import canvas, style
from plots.figures.latency import draw_ends, draw_line, scale
from plots.rows.numbers import format_n, format_ns
from plots.rows.points import percentile_points
from plots.rows.run import BASELINE

PREFIX = ("open-", "queue-")
LIBRARY = "matplotlib"
NEEDS = ("open",)
TITLE = "Closed and open loop"
READING = ""

QUEUES_MAX = 20  # panels of one figure


def draw(run, run_looks, folder):
    figures = []
    for family, opened in run.families("open").items():
        closed = run.families("latency").get(family, [])
        largest = {}
        for row in opened:  # the page has the others
            largest[row["workload"], row["rate"]] = max(row["n"], largest.get((row["workload"], row["rate"]), 0))
        for (workload, rate), n in largest.items():
            rows = [r for r in opened if (r["workload"], r["rate"], r["n"]) == (workload, rate, n)]
            beside = [r for r in closed if (r["workload"], r["n"]) == (workload, n)]
            rate_name = rate.replace("%", "pct").replace("/s", "_per_s")
            ending = f"{style.family_slug(family)}-{style.slug(workload)}-{n}-{style.slug(rate_name)}"
            where = f"{workload}, {run.title(family)}, n = {format_n(n)}"
            title = f"Closed and open loop: {where}"
            canvas.save(draw_pair(run, run_looks, beside, rows, title), folder, f"{PREFIX[0]}{ending}")
            figures.append((f"{PREFIX[0]}{ending}", title))
            queues = [r for r in rows if r.get("timeline") and r["growth_events"] and r["map"] != BASELINE]
            queues = sorted(queues, key=lambda r: -r["latency"]["max"])[:QUEUES_MAX]
            if queues:
                title = f"What growth leaves behind: {where}"
                calm = [run.label(r) for r in rows if r not in queues and r["map"] != BASELINE]
                canvas.save(draw_queues(run, run_looks, beside, queues, calm, title), folder, f"{PREFIX[1]}{ending}")
                figures.append((f"{PREFIX[1]}{ending}", title))
    return figures


def rate_in_words(row):
    if row["rate"].startswith("same:"):
        return f"{row['rate'][5:]} of what the slowest map does in the closed loop, the same number for all maps"
    return f"{row['rate']} of what the map itself does in the closed loop" if row["rate"].endswith("%") else row["rate"]


def overloaded(rows):
    names = [row["map"] for row in rows if row.get("overload")]
    return f" More had arrived than was done at the end: {', '.join(names)}." if names else ""


def draw_pair(run, run_looks, closed, opened, title):
    steps = [r["latency"]["timer_step_ns"] for r in opened + closed if r["latency"].get("timer_step_ns")]
    note = (f"Closed: an operation starts when the last has ended. Open: operations arrive at a fixed rate "
            f"({rate_in_words(opened[0])}), and their time counts from their arrival, so those behind a slow one are slow too."
            + overloaded(opened)
            + "\nGrey: the same recorder over operations that do nothing. "
            + (f"The counter moves in steps of {format_ns(max(steps))}. " if steps else "")
            + "Where a line is near the grey one it shows the timer: no map is faster for it. The marker after a line is its "
            "largest value. Hollow: unstable, see the table.")
    order = sorted({run.label(r): r["latency"]["max"] for r in opened}.items(), key=lambda item: (item[0] == BASELINE, -item[1]))
    order = [label for label, _worst in order]
    beside = canvas.legend_inches(order)
    figure, area = canvas.frame(max(canvas.WIDTH_MIN, 1.0 + beside + 2 * 4.4), max(3.8, canvas.legend_height(order)), title,
                                style.subtitle(run, opened + closed), note)
    panels = canvas.panels(figure, area, 2, 2, legend=beside + 0.1, left=1.0)
    every = opened + closed
    top = max(r["latency"]["max"] for r in every) * 1.7
    lowest = min(max(1, y) for r in every for _x, y in percentile_points(r["latency"])[:1]) / 2
    for axes, rows, name in zip(panels, (closed, opened), ("closed loop", f"open loop, {opened[0]['rate']}")):
        axes.set_title(name)
        if not rows:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=style.GREY)
            continue
        draw_panel(run, run_looks, axes, rows, (lowest, top))
    panels[0].set_ylabel("time of one operation\n(lower is better)")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=label, **canvas.line_style(run_looks[label])) for label in order],
                  "worst to best when open", beside)
    return figure


def draw_panel(run, run_looks, axes, rows, limits):
    drawn = [(run_looks[run.label(row)], row) for row in rows]
    for i, row in enumerate(rows):
        if row["latency"].get("empty"):
            line = percentile_points(row["latency"]["empty"])
            axes.plot([x for x, _ in line], [y for _, y in line], color=style.GREY, linewidth=0.8, alpha=0.6, zorder=1,
                      label="_nothing" if i else "nothing")
    for look, row in drawn:
        draw_line(axes, look, row)
    axes.set_ylim(*limits)
    scale(axes, rows)
    axes.set_ylim(*limits)
    draw_ends(axes, drawn)
    axes.set_xlabel("share of operations at or below")


def draw_queues(run, run_looks, closed, opened, calm, title):
    """Draws a panel a map, the worst first: the slowest of each stretch of operations, over the operations."""
    columns = min(3, len(opened))
    lines = -(-len(opened) // columns)
    note = (f"Each step is the slowest of {format_n(opened[0]['timeline']['ops_per_slot'])} stores in a row. Colour: open "
            f"loop ({rate_in_words(opened[0])}), timed from the arrival. Grey: closed loop. The slope after a growth is the "
            "queue that drains: every store in it is late." + overloaded(opened)
            + "\nTicks at the top: stores that changed the capacity."
            + (f" Without a panel: {', '.join(calm)}." if calm else ""))
    figure, area = canvas.frame(max(canvas.WIDTH_MIN, 1.1 + columns * 3.6), 2.3 * lines + 0.3, title,
                                style.subtitle(run, opened), note)
    panels = canvas.panels(figure, area, len(opened), columns, legend=0.2, left=0.85)
    beside = {run.label(r): r for r in closed if r.get("timeline")}
    values = [v for r in [*opened, *beside.values()] for v in r["timeline"]["max_ns"] if v > 0]
    for axes, row in zip(panels, opened):
        axes.set_yscale("log")
        axes.set_ylim(min(values) / 2, max(values) * 3)
        if run.label(row) in beside:
            steps(axes, beside[run.label(row)], color=style.GREY, linewidth=0.8, alpha=0.8, zorder=2)
        steps(axes, row, color=run_looks[run.label(row)].colour, linewidth=1.1, zorder=3)
        for event in row["growth_events"]:
            axes.axvline(event["op"], ymin=0.95, color=style.GREY, linewidth=0.7)
        axes.set_title(run.label(row) + ("" if row["stable"] else " (unstable)"))
        axes.set_xlim(0, row["n"])
        axes.xaxis.set_major_locator(canvas.ticker.FixedLocator([0, row["n"] // 2, row["n"]]))
        axes.yaxis.set_major_locator(canvas.ticker.LogLocator(base=10))
        canvas.format_axis(axes.xaxis, lambda op: format_n(int(op)))
        canvas.format_axis(axes.yaxis, format_ns)
    for i, axes in enumerate(panels):
        if i % columns == 0:
            axes.set_ylabel("lower is better")
        if i + columns >= len(panels):
            axes.set_xlabel("store")
    return figure


def steps(axes, row, **how):
    width, values = row["timeline"]["ops_per_slot"], row["timeline"]["max_ns"]
    axes.step([i * width for i in range(len(values))], [max(1, v) for v in values], where="post", **how)
