"""Growth spikes: which operations changed a map's capacity, and how long each of them took; gnuplot, one panel per map,
the largest n of each workload (the page has the others)."""
from plots.draw import gnuplot, style
from plots.rows.numbers import format_n, format_ns
from plots.rows.run import BASELINE, shorten

PREFIX = "growth-"
LIBRARY = "gnuplot"
NEEDS = ("latency",)
TITLE = "Growth spikes"
READING = ("The operations that changed a map's capacity, and how long each of them took. Percentiles hide these: there are "
           "only a few dozen of them. Hollow: an unstable row.")
INTERACTIVE = "growth"

PANELS_MAX = 20


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("latency").items():
        cells = dict.fromkeys((r["workload"], r["n"]) for r in rows if r["growth_events"] and r["map"] != BASELINE)
        largest = {workload: max(n for w, n in cells if w == workload) for workload, _n in cells}
        for workload, n in largest.items():
            chosen = [r for r in rows if (r["workload"], r["n"]) == (workload, n) and r["map"] != BASELINE]
            grown = sorted((r for r in chosen if r["growth_events"]), key=worst, reverse=True)
            calm = [run.label(r) for r in chosen if not r["growth_events"]]
            for part in range(0, len(grown), PANELS_MAX):
                number = f"-{part // PANELS_MAX + 1}" if len(grown) > PANELS_MAX else ""
                name = f"{PREFIX}{style.family_slug(family)}-{style.slug(workload)}-{n}{number}"
                title = (f"Operations that changed the capacity: {workload}, {run.title(family)}, "
                         f"n = {format_n(n)}")
                draw_part(run, run_looks, chosen, grown[part:part + PANELS_MAX], calm, name, title, folder)
                figures.append((name, title))
    return figures


def worst(row):
    return max(event["ns"] for event in row["growth_events"])


def draw_part(run, run_looks, rows, grown, calm, name, title, folder):
    events = [event for row in grown for event in row["growth_events"]]
    last, shortest = max(event["op"] for event in events), min(max(1, event["ns"]) for event in events)
    low, high = 10 ** (len(str(int(shortest))) - 1) / 2, max(10, max(event["ns"] for event in events)) * 6
    shaky = [row for row in grown if not row["stable"]]
    cut = [run.label(r) for r in grown if (r.get("growth_events_total") or 0) > len(r["growth_events"])]
    note = ("A stem for each operation that changed the capacity of the map; its height is the duration of that one "
            "operation, logarithmic. The longest is named; maps are sorted by it."
            + ("\nHollow, and named so: unstable, see the table." if shaky else "")
            + (f"\nNo change of capacity seen: {', '.join(calm)}." if calm else "")
            + (f"\nOnly the first events kept: {', '.join(cut)}." if cut else ""))
    grid = gnuplot.Grid(len(grown), 1.8 if len(grown) <= 9 else 1.45, title, style.subtitle(run, rows), note)
    types = sorted(run_looks)
    body = [f"set xrange [{-0.03 * last - 0.5:.8g}:{last * 1.05 + 0.5:.8g}]", f"set yrange [{low:.6g}:{high:.6g}]",
            "set logscale y", "unset key", gnuplot.tics("x", operation_tics(last))]
    for index, row in enumerate(grown):
        body += gnuplot.datablock(f"events{index}", [(e["op"], max(1, e["ns"])) for e in row["growth_events"]])
    body += [*grid.labels("operation", "duration (lower is better)"), "set multiplot"]
    for index, row in enumerate(grown):
        line_type = types.index(run.label(row)) + 1
        top = max(row["growth_events"], key=lambda event: event["ns"])
        side = "right" if top["op"] > last / 2 else "left"
        longest = gnuplot.label(format_ns(top["ns"]), f"{top['op']},{max(1, top['ns']):.6g} {side}", 8, style.INK,
                                more="offset 0,0.75")
        panel_title = shorten(run.label(row), 30) + ("" if row["stable"] else " (unstable)")
        body += [*grid.panel(index, panel_title), longest.replace("set label", "set label 91", 1),
                 gnuplot.tics("y", time_tics(low, high), grid.is_left(index)),
                 f"plot $events{index} with impulses linetype {line_type} linewidth 1.5 dashtype solid, "
                 f"$events{index} with points linetype {line_type} pointtype 7 pointsize 0.5"
                 + ("" if row["stable"] else f", $events{index} with points linecolor rgb '{style.PAPER}' pointtype 7 "
                    "pointsize 0.3")]
        if index == 0:  # the texts of the picture belong to no panel
            body.append("unset label")
    gnuplot.draw(folder, name, grid, body + ["unset multiplot"])


def time_tics(low, high):
    powers = [10**e for e in range(0, 13) if low <= 10**e <= high]
    step = -(-len(powers) // 5)
    return [gnuplot.Tic(format_ns(v), v) for v in powers[::step]]


def operation_tics(last):
    return [gnuplot.Tic(format_n(v), v) for v in style.round_sizes(last, 5)]
