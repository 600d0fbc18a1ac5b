"""The section of a page that holds ports against the originals a real runtime ran."""
from plots.draw import style
from plots.page.tables import digits, table, text
from plots.rows import originals, stats
from plots.rows.numbers import format_n
from plots.rows.run import shorten

NOTE = ("<p class='note'>Ratio: median over the rounds of the port's time by the original's, round by round; below 1 the "
        "port is faster. <b>~</b>: not shown to differ from 1 (paired t test over rounds, Holm-corrected over the table, 5 %). "
        "<b>?</b>: too few rounds to test. Interval: 95 %, t over the rounds.</p>")
SHAPE_NOTE = (f"<p class='note'>Whether a design is faster than the one it replaced should come out alike in the ports and "
              f"in the originals: <b>agreement</b> divides the two ratios, and should lie within 1 ± {originals.BAND:g}. "
              "<b>~</b> outside, but its interval reaches the band.</p>")
RATIO_WORDS = {"above": "slower", "below": "faster", "same": "not shown to differ", "untested": "too few rounds"}
SHAPE_WORDS = {"within": "yes", "unsure": "not shown", "outside": "no"}


def compared(run):
    """Returns the section, or "" without a port beside its original."""
    parts, ratio_rows, shape_rows = [], [], []
    for family, rows in run.families("time").items():
        ratios, shapes = originals.ratios(rows), originals.shapes(rows)
        if ratios:
            parts.append(words(run, family, rows, ratios, shapes))
            ratio_rows += ratio_cells(family, rows, ratios)
            shape_rows += shape_cells(family, rows, shapes)
    if not parts:
        return ""
    out = [f"<p>The originals were run by {text(style.engine_line(run.rows))}.</p>", *parts, ratio_table(ratio_rows), NOTE]
    return "".join(out + ([shape_table(shape_rows), SHAPE_NOTE] if shape_rows else []))


def words(run, family, rows, ratios, shapes):
    means = ", ".join(f"{port} / {other} {stats.ratio_digits(stats.geomean(r.value for r in of.values()))}"
                      for (port, other), of in ratios.items())
    lines = [f"Geometric mean over the workloads and sizes: {means}.", originals.above_in_words(ratios),
             originals.outside_in_words(shapes), originals.hashes_in_words(rows, ratios)]
    items = "".join(f"<li>{text(line)}</li>" for line in lines if line)
    return f"<h3>{text(run.title(family))}</h3><ul>{items}</ul>"


def place_cells(family, cell):
    workload, n = cell
    return [text(family.shape), text(workload),
            f'<span title="{text(family.keys)}">{text(shorten(family.keys))}</span>', (format_n(n), n)]


PLACE = [("shape", ""), ("workload", ""), ("keys", ""), ("n", "num")]


def interval_cell(ratio):
    if ratio.interval is None:
        return "–", ""
    low, high = ratio.interval
    return f"{stats.ratio_digits(low)} – {stats.ratio_digits(high)}", high - low


def stable_cell(rows):
    """Writes yes, or no with the reasons to point at; the results table spells them out."""
    shaky = [f"{row['map']}: {row['why_unstable']}" for row in rows if not row["stable"]]
    return f'<span class="bad" title="{text("; ".join(shaky))}">no</span>' if shaky else "yes"


def ratio_cells(family, rows, ratios):
    found, of_map = [], originals.by_cell(rows)
    for (port, other), cells in ratios.items():
        for cell, ratio in cells.items():
            own, real = of_map[cell][port], of_map[cell][other]
            found.append([text(port), text(other), text(real["engine"]), *place_cells(family, cell),
                          (digits(own["median"]), own["median"]), (digits(real["median"]), real["median"]),
                          (originals.ratio_text(ratio), ratio.value, "bad" if ratio.verdict == "above" else ""),
                          interval_cell(ratio), RATIO_WORDS[ratio.verdict], stable_cell((own, real))])
    return found


def ratio_table(rows):
    columns = [("port", ""), ("original", ""), ("engine", ""), *PLACE, ("port, ns", "num"), ("original, ns", "num"),
               ("ratio", "num"), ("95 % interval", "num"), ("the port is", ""), ("stable", "")]
    return table(f"Time of ports by the time of their originals, {len(rows)} ratios; lower is better", columns, rows)


def shape_cells(family, rows, shapes):
    found, of_map = [], originals.by_cell(rows)
    for (older, newer, older_real, newer_real), cells in shapes.items():
        for cell, shape in cells.items():
            agreed = shape.agreement
            found.append([f"{text(newer)} / {text(older)}", f"{text(newer_real)} / {text(older_real)}",
                          *place_cells(family, cell), (originals.ratio_text(shape.ports), shape.ports.value),
                          (originals.ratio_text(shape.originals), shape.originals.value),
                          (originals.ratio_text(agreed), agreed.value, "bad" if agreed.verdict == "outside" else ""),
                          interval_cell(agreed), SHAPE_WORDS[agreed.verdict],
                          stable_cell([of_map[cell][name] for name in (newer, older, newer_real, older_real)])])
    return found


def shape_table(rows):
    columns = [("designs, ports", ""), ("designs, originals", ""), *PLACE, ("ports", "num"), ("originals", "num"),
               ("agreement", "num"), ("95 % interval", "num"), ("within the band", ""), ("stable", "")]
    return table("A design by the one it replaced, in the ports and in the originals", columns, rows)
