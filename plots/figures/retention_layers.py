"""The memory of a map in four layers over its operations: live, requested, what the allocator took, resident; with huge
pages off and on side by side."""
from plots.draw import canvas, events, style
from plots.rows.numbers import format_bytes, format_n
from plots.rows.run import BASELINE, shorten

PREFIX = "layers-"
LIBRARY = "matplotlib"
NEEDS = ("memory",)
TITLE = "Layers of memory"
READING = ""

LAYERS = ["live entries", "requested by the map", "usable at the allocator", "resident beyond that"]
COLOURS = ["#2f7d6d", "#7fc4b0", "#f2c879", "#d9dee4"]
RESIDENT = "#1c2430"
HUGE_PAGE = 2 << 20  # bytes
LINES_MAX = 6  # maps in one figure


def draw(run, _run_looks, folder):
    figures = []
    for family, rows in run.families("memory").items():
        found = by_map(run, [r for r in rows if r.get("layers") and r["map"] != BASELINE])
        names = list(found)
        for part in range(0, len(names), LINES_MAX):
            number = f"-{part // LINES_MAX + 1}" if len(names) > LINES_MAX else ""
            name = f"{PREFIX}{style.family_slug(family)}{number}"
            title = f"Four layers of memory: {run.title(family)}"
            chosen = {label: found[label] for label in names[part:part + LINES_MAX]}
            canvas.save(draw_maps(run, chosen, title), folder, name)
            figures.append((name, title))
    return figures


def by_map(run, rows):
    """Returns {label: {huge pages on: row}}, of each the largest n. Unknown counts as off."""
    found = {}
    for row in rows:
        of = found.setdefault(run.label(row), {})
        on = bool(row.get("thp"))
        if on not in of or row["n"] > of[on]["n"]:
            of[on] = row
    return found


def draw_maps(run, found, title):
    columns = sorted({on for of in found.values() for on in of})
    rows = [row for of in found.values() for row in of.values()]
    looks = events.looks(e["what"] for row in rows for e in row.get("events") or [])
    beside = canvas.legend_inches(LAYERS)
    figure, area = canvas.frame(1.0 + 4.2 * len(columns) + beside + 0.3, 2.35 * len(found), title, style.subtitle(run, rows),
                                note(found))
    panels = canvas.panels(figure, area, len(found) * len(columns), len(columns), legend=beside + 0.1, left=0.95, gap_y=0.7)
    for i, (label, of) in enumerate(found.items()):
        top = max(max(v for point in row["layers"] for v in point[1:] if v is not None) for row in of.values())
        top = top * (1.06 + 0.07 * len(looks)) or 1  # room for a row of marks of each kind
        for j, on in enumerate(columns):
            axes = panels[i * len(columns) + j]
            axes.set_title(f"{shorten(label, 26)}, huge pages {'on' if on else 'off'}")
            axes.set_ylim(0, top)
            if on in of:
                draw_layers(axes, of[on], looks)
            else:
                axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=style.GREY)
            axes.set_yticks(style.round_sizes(int(top), 5))
            canvas.format_axis(axes.yaxis, lambda v: format_bytes(v) if v else "0")
            if i == len(found) - 1:
                axes.set_xlabel("operations")
    canvas.legend(figure, area, handles(rows, looks), "from below", beside)
    return figure


def draw_layers(axes, row, looks):
    ops = [point[0] for point in row["layers"]]
    steps = heights(row["layers"])
    below = [0] * len(ops)
    for height, colour in zip(steps, COLOURS):
        axes.fill_between(ops, below, height, color=colour, linewidth=0, step="post")
        below = height
    known = [(point[0], point[4]) for point in row["layers"] if point[4] is not None]
    axes.plot([x for x, _ in known], [y for _, y in known], color=RESIDENT, linewidth=1, drawstyle="steps-post")
    axes.set_xlim(0, ops[-1])
    for number, (kind, look) in enumerate(looks.items()):  # a row below the upper edge for each kind
        places = [event["op"] for event in row.get("events") or [] if event["what"] == kind]
        axes.plot(places, [0.965 - 0.06 * number] * len(places), transform=axes.get_xaxis_transform(), clip_on=False,
                  zorder=4, **mark_style(look))
    axes.set_xticks(style.round_sizes(ops[-1], 6))
    canvas.format_axis(axes.xaxis, lambda n: format_n(round(n)))


def heights(layers):
    """Returns the upper edges of the four layers. Each lies on the one below: what was not touched yet is requested but not
    resident, and then the last layer is empty; the line says what is resident."""
    edges, below = [], [0] * len(layers)
    for number in range(1, 5):
        below = [max(low, point[number] or 0) for low, point in zip(below, layers)]
        edges.append(below)
    return edges


def mark_style(look):
    return {"linestyle": "none", "marker": look.mpl, "markersize": 4.5, "color": look.colour, "markeredgewidth": 0.9,
            "markerfacecolor": look.colour if look.filled else style.PAPER}


def handles(rows, looks):
    """Returns the handles of the layers that are known of any row: a collecting heap does not tell what was asked for."""
    found = [canvas.Patch(facecolor=colour, label=name) for number, (name, colour) in enumerate(zip(LAYERS, COLOURS), 1)
             if any(point[number] is not None for row in rows for point in row["layers"])]
    found.append(canvas.Line2D([], [], color=RESIDENT, linewidth=1, label="resident"))
    return found + [canvas.Line2D([], [], label=kind, **mark_style(look)) for kind, look in looks.items()]


def resident_words(resident, live, usable):
    """Returns what is resident at last. Nothing, where the map found room on a page that was there before its first entry."""
    if resident > 0:
        return f"{format_bytes(resident)} resident, {resident / live:.2f} times what is live,"
    if usable is not None and 0 < usable < HUGE_PAGE:
        return f"{format_bytes(usable)}, less than a huge page, and no page more resident than before,"
    return "no page more resident than before the first entry"


def note(found):
    """Returns what the last operation left, and how much of it is the map's."""
    lines = []
    for label, of in found.items():
        parts = []
        for on, row in sorted(of.items()):
            _op, live, _requested, usable, resident = row["layers"][-1]
            if live and resident is not None:
                parts.append(resident_words(resident, live, usable) + f" with huge pages {'on' if on else 'off'}")
        if parts:
            lines.append(f"{label}: {'; '.join(parts)}.")
    if any(event["what"] == "evacuate" for of in found.values() for row in of.values() for event in row.get("events") or []):
        lines.append(events.EVACUATION)
    return "\n".join([*lines, "Lower is better. Where the line runs below an upper edge, memory was asked for and never "
                      "touched."])
