"""Bytes per entry while a map grows: the saw-tooth, drawn with gnuplot, one panel per map before all others in grey."""
from plots.draw import gnuplot, style
from plots.rows.numbers import format_n
from plots.rows.points import one_page_setting
from plots.rows.originals import port_among
from plots.rows.run import BASELINE, entry_bytes, original, shorten

PREFIX = "memory-"
LIBRARY = "gnuplot"
NEEDS = ("memory",)
TITLE = "Bytes per entry while growing"
READING = ("Live bytes of the map's own allocations, divided by the entries, from the first to the last; dashed: what key and "
           "value alone take. A size is one point of this saw-tooth, and rarely a typical one.")
INTERACTIVE = "memory"

PANELS_MAX = 20


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("memory").items():
        curves = {run.label(r): points(r) for r in largest(rows) if r["map"] != BASELINE and points(r)}
        order = sorted(curves, key=lambda label: last_beside(label, curves))
        for part in range(0, len(order), PANELS_MAX):
            number = f"-{part // PANELS_MAX + 1}" if len(order) > PANELS_MAX else ""
            name = f"{PREFIX}{style.family_slug(family)}{number}"
            last = max(curve[-1][0] for curve in curves.values())
            title = f"Bytes per entry while growing: {run.title(family)}, 1 to {format_n(last)} entries"
            used = [r for r in rows if run.label(r) in curves]
            draw_part(run, run_looks, used, family, curves, order[part:part + PANELS_MAX], name, title, folder)
            figures.append((name, title))
    return figures


def design(label, maps):
    """Returns the port, among the maps, that a map is the original of, of its release; or the map itself."""
    return original(label) and port_among(original(label), maps) or label


def last_beside(label, curves):
    """Returns a key that sorts by the last point, originals behind their port."""
    port = design(label, curves)
    return curves.get(port, curves[label])[-1][1], port, original(label) is not None, curves[label][-1][1]


def largest(rows):
    """Returns of each map the row that grew to the largest n, on pages as the machine is set where it was measured on
    others too."""
    found = {}
    for row in one_page_setting(rows):
        label = (row["map"], row["hash"], row["engine"])
        if row["curve"] and (label not in found or row["n"] > found[label]["n"]):
            found[label] = row
    return found.values()


def points(row):
    """Returns [(entries, bytes live per entry, resident bytes per entry or NaN)]"""
    return [(e, live / e, rss / e if rss else float("nan")) for e, live, rss in row["curve"] if e and live is not None]


def ceiling(curves, floor):
    """Returns the top of the vertical axis. Small maps cost hundreds of bytes an entry; what matters is the saw-tooth once a
    map has some size, so only the last six doublings decide."""
    last = [live for curve in curves.values() for e, live, _rss in curve if e >= curve[-1][0] / 64]
    return 1.12 * max(last + [floor or 0])


def draw_part(run, run_looks, rows, family, curves, order, name, title, folder):
    floor, last = entry_bytes(family.shape), max(curve[-1][0] for curve in curves.values())
    first = 8 if last >= 512 else 1
    top = ceiling(curves, floor)
    note = ("Thick: live in the map's own allocations; thin: resident memory of the process, its floor subtracted; grey: "
            "the other maps. " + (f"Dashed floor: key + value, {floor} bytes." if floor else "")
            + "\nEntries logarithmic. What lies above the top of a panel, very small maps mostly, is cut off. Sorted by "
            "the last point" + (", originals behind their port.\nreal_*: what the runtime says of its heap after a forced "
                                "collection. Dashed black in a panel of a port: its originals; of an original: its port."
                                if any(original(label) for label in curves) else "."))
    grid = gnuplot.Grid(len(order), 1.9 if len(order) <= 9 else 1.5, title, style.subtitle(run, rows), note)
    names, types = list(curves), sorted(run_looks)
    body = [f"set xrange [{first}:{max(last * 1.05, first + 1):.10g}]", f"set yrange [0:{top:.6g}]", "set logscale x",
            "unset key", gnuplot.tics("x", entry_tics(first, last))]
    for i, label in enumerate(names):
        body += gnuplot.datablock(f"curve{i}", curves[label])
    body += [*grid.labels("entries", "bytes per entry (lower is better)"), "set multiplot"]
    for index, label in enumerate(order):
        own, line_type = f"$curve{names.index(label)}", types.index(label) + 1
        lines = [f"$curve{i} using 1:2 with lines linecolor rgb faint linewidth 0.8 dashtype solid"
                 for i in range(len(names)) if names[i] != label]
        if floor:
            lines.append(f"{floor} with lines linecolor rgb grey linewidth 1 dashtype (6,4)")
        if any(rss == rss for _e, _live, rss in curves[label]):
            lines.append(f"{own} using 1:3 with lines linetype {line_type} linewidth 0.7 dashtype solid")
        mark = "linespoints" if len(curves[label]) == 1 else "lines"
        lines.append(f"{own} using 1:2 with {mark} linetype {line_type} linewidth 2.2 dashtype solid")
        lines += [f"$curve{i} using 1:2 with lines linecolor rgb ink linewidth 0.8 dashtype (10,7)"
                  for i in range(len(names)) if related(names[i], label, curves)]
        body += grid.panel(index, shorten(label, 30))
        body.append("set ytics autofreq; set format y '%g'" if grid.is_left(index) else "set format y ''")
        body.append("plot " + ", \\\n  ".join(lines))
        if index == 0:  # the texts of the picture belong to no panel
            body.append("unset label")
    gnuplot.draw(folder, name, grid, body + ["unset multiplot"])


def related(label, other, maps):
    """Tells whether one is a port and the other an original of it."""
    return label != other and design(label, maps) == design(other, maps) and bool(original(label)) != bool(original(other))


def entry_tics(low, high):
    doublings = 2 if high < 1 << 12 else 3 if high < 1 << 18 else 4  # from a tick to the next
    values = [1 << e for e in range(0, 44, doublings) if low <= 1 << e <= high]
    if len(values) < 2:
        values = sorted({low, high})
    return [gnuplot.Tic(format_n(v), v) for v in values]
