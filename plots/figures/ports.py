"""Ports beside their originals: how long a port takes of its original's time, and whether two designs relate to each other
in the ports as they do in the originals. One column of panels per workload, their numbers in a table below them."""
import math

from plots.draw import canvas, style
from plots.figures.heatmap import split
from plots.rows import originals
from plots.rows.numbers import format_n

PREFIX = "ports-"
LIBRARY = "matplotlib"
NEEDS = ("time",)
TITLE = "Ports beside the real runtime"
READING = ""

CELL, PANEL_MIN, GAP, LINE = 0.56, 1.0, 0.2, 0.235  # inches: a size of a panel, a panel, between panels, a line of a table
RATIO_HEIGHT, SHAPE_HEIGHT, TICK = 2.1, 1.7, 0.17
AMISS, UNSURE = "#ffd9c7", "#fff1cc"  # the ground of a cell that is above or outside; of one that is not shown to be
MARKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100]


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("time").items():
        ratios, shapes = originals.ratios(rows), originals.shapes(rows)
        if not ratios:
            continue
        cells = list(dict.fromkeys(cell for of in ratios.values() for cell in of))
        order = list(originals.by_cell(rows))
        parts = split(sorted(cells, key=order.index))
        for number, part in enumerate(parts, 1):
            suffix = f"-{number}" if len(parts) > 1 else ""
            name = f"{PREFIX}{style.family_slug(family)}{suffix}"
            title = f"Ports beside their originals: {run.title(family)}" + (f", part {number}" if suffix else "")
            canvas.save(draw_part(run, run_looks, rows, title, part, ratios, shapes), folder, name)
            figures.append((name, title))
    return figures


def note_of(rows, ratios, shapes):
    lines = [originals.above_in_words(ratios), originals.outside_in_words(shapes), originals.hashes_in_words(rows, ratios),
             "Ratio: median over the rounds of one time by the other, paired; bar: its 95 % interval (t over the rounds). "
             "~: not shown to differ from 1 (Holm-corrected over the table, 5 %); below, outside the band, but not shown to "
             "be. ?: too few rounds to test. Hollow, corner mark: an unstable row is part of it."]
    if shapes:
        lines.append("Solid: the ports; dashed: the originals, with the band around them in which the ports should lie.")
    return "\n".join(line for line in lines if line)


def draw_part(run, run_looks, rows, title, cells, ratios, shapes):
    workloads = {}
    for workload, n in cells:
        workloads.setdefault(workload, []).append(n)
    names = [pair_text(pair) for pair in ratios] + [text for four in shapes for text, _ in lines_of(four)]
    left = 0.9 + 0.066 * max(map(len, names))
    width = left + sum(panel_inches(sizes) + GAP for sizes in workloads.values()) + 0.15
    height = (0.35 + RATIO_HEIGHT + 0.55 + LINE * len(ratios)
              + len(shapes) * (0.6 + SHAPE_HEIGHT) + 3 * LINE * len(shapes) + 0.1)
    width = max(width, canvas.WIDTH_MIN)
    figure, area = canvas.frame(width, height, title, style.subtitle(run, rows), note_of(rows, ratios, shapes))
    total = figure.get_size_inches()[1]
    top = (area[1] + area[3]) * total - 0.35
    draw_ratios(figure, left, top, workloads, ratios, run_looks)
    top -= RATIO_HEIGHT + 0.55 + LINE * len(ratios)
    for four, of in shapes.items():
        draw_shape(figure, left, top - 0.35, workloads, four, of, run_looks)
        top -= 0.6 + SHAPE_HEIGHT + 3 * LINE
    return figure


def panel_inches(sizes):
    return max(PANEL_MIN, CELL * len(sizes))


def pair_text(pair):
    return f"{pair[0]} / {pair[1]}"


def lines_of(four):
    """Returns the lines of a table of shapes: (text, field of Shape)."""
    older, newer, older_real, newer_real = four
    return [(f"{newer} / {older}", "ports"), (f"{newer_real} / {older_real}", "originals"),
            ("ports / originals", "agreement")]


def panels_of(figure, left, top, height, workloads, titled):
    """Returns {workload: axes}, a column each, their upper edge at `top` inches; sizes have equal room, as the table has."""
    width, total = figure.get_size_inches()
    x, found = left, {}
    for workload, sizes in workloads.items():
        wide = panel_inches(sizes)
        axes = figure.add_axes([x / width, (top - height) / total, wide / width, height / total])
        axes.set_xlim(-0.5, len(sizes) - 0.5)
        axes.set_xticks(range(len(sizes)), [format_n(n) for n in sizes])
        axes.tick_params(axis="x", length=0)
        if titled:
            axes.set_title(workload)
        found[workload] = axes
        x += wide + GAP
    return found


def ticks_between(low, high, height):
    """Returns the marks of a logarithmic axis of that many inches: 1, and outwards from it each that has room."""
    room = TICK * math.log(high / low) / height
    kept = [1]
    for direction in (1, -1):
        last = 1
        for mark in sorted((v for v in MARKS if low <= v <= high and (v - 1) * direction > 0), reverse=direction < 0):
            if abs(math.log(mark / last)) >= room:
                kept.append(mark)
                last = mark
    return sorted(kept)


def scale(panels, values, height):
    """Sets one logarithmic axis for all panels, 1.00 on it, named on the left one."""
    low, high = min([*values, 0.95]) / 1.06, max([*values, 1.05]) * 1.06
    ticks = ticks_between(low, high, height)
    for place, axes in enumerate(panels.values()):
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, [f"{v:g}" for v in ticks] if place == 0 else [""] * len(ticks))
        axes.yaxis.set_minor_locator(canvas.ticker.NullLocator())


def reach(found):
    """Returns the values an axis has to show: all points, and intervals as far as twice beyond them."""
    values = []
    for ratio in found:
        low, high = ratio.interval or (ratio.value, ratio.value)
        values += [ratio.value, max(low, ratio.value / 2), min(high, ratio.value * 2)]
    return values


def draw_line(axes, sizes, found, look, shift=0.0):
    """Draws a line. found: {n: Ratio}. A point per size with its interval, hollow when unstable."""
    at = [(i + shift, found[n]) for i, n in enumerate(sizes) if n in found]
    axes.plot([x for x, _ in at], [ratio.value for _, ratio in at], color=look.colour, linewidth=1.4,
              linestyle=(0, look.dash) if look.dash else "-", zorder=3)
    for x, ratio in at:
        if ratio.interval:
            axes.plot([x, x], ratio.interval, color=look.colour, linewidth=3.4, alpha=0.3, zorder=2, solid_capstyle="butt")
        axes.plot(x, ratio.value, marker=look.marker.mpl or "o", color=look.colour, markersize=4.5, zorder=4,
                  markerfacecolor=look.colour if ratio.stable else style.PAPER)


def of_workload(found, workload):
    return {n: value for (w, n), value in found.items() if w == workload}


def draw_ratios(figure, left, top, workloads, ratios, run_looks):
    panels = panels_of(figure, left, top, RATIO_HEIGHT, workloads, True)
    shown = [ratio for of in ratios.values() for (w, n), ratio in of.items() if n in workloads.get(w, ())]
    scale(panels, reach(shown), RATIO_HEIGHT)
    step = 0.5 / max(4, len(ratios))
    for workload, axes in panels.items():
        axes.axhline(1, color=style.INK, linewidth=1.1, zorder=1)
        for i, (pair, of) in enumerate(ratios.items()):
            draw_line(axes, workloads[workload], of_workload(of, workload), style.look_of(run_looks, pair[1]),
                      (i - (len(ratios) - 1) / 2) * step)
    name_axis(figure, panels, "time of the port / the original\n(lower is better)")
    lines = [(pair_text(pair), style.look_of(run_looks, pair[1]), True, of) for pair, of in ratios.items()]
    draw_table(figure, left, top - RATIO_HEIGHT - 0.28, workloads, lines)


def name_axis(figure, panels, text):
    next(iter(panels.values())).set_ylabel(text, size=8)


def draw_shape(figure, left, top, workloads, four, found, run_looks):
    panels = panels_of(figure, left, top, SHAPE_HEIGHT, workloads, True)
    shown = [shape for (w, n), shape in found.items() if n in workloads.get(w, ())]
    scale(panels, reach([s.ports for s in shown] + [s.originals for s in shown])
          + [s.originals.value * (1 + sign * originals.BAND) for s in shown for sign in (-1, 1)], SHAPE_HEIGHT)
    port, real = style.look_of(run_looks, four[1]), style.look_of(run_looks, four[3])
    for workload, axes in panels.items():
        axes.axhline(1, color=style.GREY, linewidth=0.8, zorder=1)
        mine = of_workload(found, workload)
        at = [(i, mine[n].originals.value) for i, n in enumerate(workloads[workload]) if n in mine]
        if len(at) == 1:  # a band needs some width
            at = [(at[0][0] + side, at[0][1]) for side in (-0.3, 0.3)]
        xs, ys = [x for x, _ in at], [y for _, y in at]
        axes.fill_between(xs, [y * (1 - originals.BAND) for y in ys], [y * (1 + originals.BAND) for y in ys],
                          color=real.colour, alpha=0.13, linewidth=0, zorder=1)
        draw_line(axes, workloads[workload], {n: s.originals for n, s in mine.items()}, real, 0.06)
        draw_line(axes, workloads[workload], {n: s.ports for n, s in mine.items()}, port, -0.06)
    name_axis(figure, panels, f"{four[1]} / {four[0]}\n(lower is better for {four[1]})")
    looks = {"ports": port, "originals": real, "agreement": None}
    lines = [(text, looks[field], field == "agreement", {cell: getattr(shape, field) for cell, shape in found.items()})
             for text, field in lines_of(four)]
    draw_table(figure, left, top - SHAPE_HEIGHT - 0.28, workloads, lines)


def ground(ratio, judged):
    """Returns the colour under a number that calls for attention."""
    return {"above": AMISS, "outside": AMISS, "unsure": UNSURE}.get(ratio.verdict) if judged else None


def draw_table(figure, left, top, workloads, lines):
    """Draws a table. lines: [(text, look or None, whether its numbers are judged, {(workload, n): Ratio})], in columns
    below the panels' sizes."""
    width, total = figure.get_size_inches()
    height = LINE * len(lines)
    axes = figure.add_axes([0, (top - height) / total, 1, height / total])
    axes.set_xlim(0, width)
    axes.set_ylim(len(lines), 0)
    axes.set_axis_off()
    for i, (text, look, judged, of) in enumerate(lines):
        axes.text(left - 0.72, i + 0.5, text, ha="right", va="center", size=8,
                  weight="normal" if look else "bold")
        if look:
            axes.plot([left - 0.64, left - 0.2], [i + 0.5, i + 0.5], **canvas.line_style(look), markersize=4.2,
                      markevery=[0], linewidth=1.4)
        x = left
        for workload, sizes in workloads.items():
            cell = panel_inches(sizes) / len(sizes)
            for k, n in enumerate(sizes):
                draw_number(axes, x + k * cell, cell, i, of.get((workload, n)), judged)
            x += panel_inches(sizes) + GAP


def draw_number(axes, x, wide, line, ratio, judged):
    if ratio is None:
        axes.text(x + wide / 2, line + 0.5, "–", ha="center", va="center", size=8, color=style.GREY)
        return
    colour = ground(ratio, judged)
    if colour:
        axes.add_patch(canvas.Rectangle((x + 0.02, line + 0.05), wide - 0.04, 0.9, facecolor=colour, linewidth=0))
    axes.text(x + wide / 2, line + 0.5, originals.ratio_text(ratio), ha="center", va="center", size=8,
              weight="bold" if colour == AMISS else "normal")
    if not ratio.stable:
        axes.add_patch(canvas.Polygon([(x + wide - 0.11, line + 0.05), (x + wide - 0.02, line + 0.05),
                                       (x + wide - 0.02, line + 0.4)], facecolor="#d55e00", linewidth=0))
