"""The simulated collector against the real one: every checkpoint that both have, as the simulation's bytes and objects
relative to the real ones, with the band within which they agree."""
import statistics

from plots.draw import canvas, labels, style
from plots.rows import retention
from plots.rows.numbers import format_bytes
from plots.rows.retention_pairs import BYTES, OBJECTS, QUANTITIES, SHARE, agreement, pairs_of, share_used, values

PREFIX = "simulated-"
LIBRARY = "matplotlib"
NEEDS = ("retention",)
TITLE = "Simulated against real Go"
READING = ""

NAMED_MAX = 5
HUES = ["#0072b2", "#c4342d", "#009e73", "#e69f00", "#7e57c2", "#6b6b6b"]
MARKERS = "osD^vP"
LINEAR = 1.0  # per cent: closer to 0 the vertical axis is linear


def draw(run, _run_looks, folder):
    pairs = pairs_of(run.retention) if run.retention else []
    if not pairs:
        return []
    name, title = PREFIX + "real", "Simulated against real Go: every checkpoint of both"
    canvas.save(draw_pairs(run, pairs, title), folder, name)
    return [(name, title)]


def pair_name(pair):
    return f"{pair.scenario} {retention.words(pair.variant)}"


def draw_pairs(run, pairs, title):
    kinds = list(dict.fromkeys((p.map, p.engine) for p in pairs))
    names = [kind_name(*kind) for kind in kinds]
    beside = canvas.legend_inches(names)
    figure, area = canvas.frame(11.2 + beside - 1.6, max(4.0, canvas.legend_height(names)), title, subtitle(run, pairs),
                                in_words(pairs))
    panels = canvas.panels(figure, area, 2, 2, legend=beside + 0.1, left=0.9, gap_x=0.85)
    for axes, (quantity, name, absolute) in zip(panels, QUANTITIES):
        draw_quantity(axes, pairs, kinds, quantity, absolute)
        axes.set_title(name)
        axes.set_xlabel(f"{name} kept by real Go")
        if name == "bytes":
            canvas.ticks_of_bytes(axes.xaxis, *axes.get_xlim())
        canvas.format_axis(axes.xaxis, format_bytes if name == "bytes" else canvas.plain)
    panels[0].set_ylabel("simulated − real, % of real (0 is best)")
    canvas.legend(figure, area, [canvas.Line2D([], [], label=kind_name(*kind), linestyle="none", **look(kinds, kind))
                                 for kind in kinds],
                  "map and engine", beside)
    return figure


def kind_name(name, engine):
    return f"{name}, {engine}" if name else engine


def look(kinds, kind):
    number = kinds.index(kind)
    return {"marker": MARKERS[number % len(MARKERS)], "color": HUES[number % len(HUES)]}


def draw_quantity(axes, pairs, kinds, quantity, absolute):
    """Draws each value against what is real; a difference of a value next to nothing is a difference by the allowance's
    base."""
    low = absolute / 8
    points = {}
    for pair in pairs:
        both = values(pair, quantity)
        if both is not None:
            base = max(abs(both[1]), low)
            points.setdefault((pair.map, pair.engine), []).append((base, 100 * (both[0] - both[1]) / base, pair))
    every = [p for of in points.values() for p in of]
    right = max([x for x, _, _ in every] + [100 * low]) * 1.6
    grid = [low / 1.5 * (right * 1.5 / low) ** (i / 200) for i in range(201)]
    band = [100 * max(SHARE, absolute / max(x, low)) for x in grid]
    axes.fill_between(grid, [-b for b in band], band, color="#dff0e3", linewidth=0, zorder=0)
    axes.plot(grid, band, color="#7fb08d", linewidth=0.8, zorder=1)
    axes.plot(grid, [-b for b in band], color="#7fb08d", linewidth=0.8, zorder=1)
    axes.axhline(0, color=style.GREY, linewidth=0.7, zorder=1)
    for kind, of in points.items():
        axes.plot([x for x, _, _ in of], [y for _, y, _ in of], linestyle="none", markersize=4.2, alpha=0.75,
                  markeredgewidth=0, zorder=3, **look(kinds, kind))
    axes.set_xscale("log")
    axes.set_xlim(low / 1.5, right)
    axes.set_yscale("symlog", linthresh=LINEAR, linscale=1.2)
    most = max([abs(y) for _, y, _ in every] + [100 * absolute / low])
    axes.set_ylim(-most * 2, most * 2)
    ticks = [t for t in (0.5, 1, 10, 100, 1000, 10000, 100000) if t < most * 2]
    axes.set_yticks([-t for t in reversed(ticks)] + [0] + ticks)
    canvas.format_axis(axes.yaxis, lambda v: "0" if v == 0 else f"{v:+,g}")
    name_far(axes, [p for p in every if share_used(p[2], quantity, absolute) > 1], kinds, quantity, absolute)


def name_far(axes, far, kinds, quantity, absolute):
    """Names the farthest point of each case, of as many cases as there is room for."""
    named, seen = {}, set()
    for x, y, pair in sorted(far, key=lambda p: -share_used(p[2], quantity, absolute)):
        if len(named) < NAMED_MAX and (pair.scenario, pair.variant) not in seen:
            seen.add((pair.scenario, pair.variant))
            named[pair_name(pair)] = (x, y), look(kinds, (pair.map, pair.engine))["color"]
    if named:
        labels.place(axes, named)


def in_words(pairs):
    found, parts = agreement(pairs), []
    for quantity, name, _absolute in QUANTITIES:
        agreeing, compared = found[quantity]
        if compared:
            parts.append(f"{name}: {agreeing:,} of {compared:,} checkpoints agree")
    errors = [abs(v[0] - v[1]) / abs(v[1]) for v in (values(p, "d_heap_alloc") for p in pairs)
              if v is not None and abs(v[1]) > BYTES / SHARE]
    median = f" Median difference where more than {format_bytes(BYTES / SHARE)} are kept: " \
             f"{100 * statistics.median(errors):.2g} %, worst {100 * max(errors):.2g} %." if errors else ""
    return (f"Band: within {100 * SHARE:g} % of the real value, or {format_bytes(BYTES)}, or {OBJECTS} objects. "
            + "; ".join(parts) + "." + median + "\nHorizontal: what real Go keeps beyond the base checkpoint, at least an "
            "eighth of the allowance. Vertical axis linear to 1 %, logarithmic beyond. Of the cases outside the band the farthest "
            f"{NAMED_MAX} are named. Checkpoints after a forced collection; two maps with other seeds differ in overflow buckets "
            "and in when a table splits, as real ones do from run to run.")


def subtitle(run, pairs):
    engines = sorted({p.engine for p in pairs})
    return " · ".join([style.machine_line(run), run.info["started"][:10], "heap gosim", f"real Go: {', '.join(engines)}"])
