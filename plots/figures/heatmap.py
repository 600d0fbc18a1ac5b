"""Ratios to the best map, one column per workload and n, as numbers on colours."""
from plots.draw import canvas, style
from plots.rows import stats
from plots.rows.numbers import format_n

PREFIX = "ratios-"
LIBRARY = "matplotlib"
NEEDS = ("time",)
TITLE = "Ratios to the best"
READING = ("<b>1</b>: the best of its column. <b>~</b>: not significantly slower than the best (paired t test over rounds, "
           "Holm-corrected over the whole table, 5 %). <b>?</b>: too few rounds to test. A corner mark: unstable. The null map is "
           "left out. Point at a cell for its time.")

COLUMNS_MAX = 24
# White through blue to near black: one hue, so that lightness alone carries the order.
RAMP = ("#f4f9fd", "#bcd9ee", "#6fadd8", "#2b77b5", "#0d3f7a", "#081f44")


def draw(run, run_looks, folder):
    figures = []
    for family, rows in run.families("time").items():
        columns, verdicts = stats.compared(run, rows)
        if not columns:
            continue
        ranked, shared = stats.rank(columns, verdicts)
        keys = list(columns)
        keys.sort(key=lambda c: (list(dict.fromkeys(w for w, _ in columns)).index(c[0]), c[1]))
        parts = split(keys)
        for number, part in enumerate(parts, 1):
            suffix = f"-{number}" if len(parts) > 1 else ""
            name = f"{PREFIX}{style.family_slug(family)}{suffix}"
            title = f"Time relative to the best map: {run.title(family)}" + (f", part {number}" if suffix else "")
            canvas.save(draw_part(run, rows, title, part, columns, verdicts, ranked, shared), folder, name)
            figures.append((name, title))
    return figures


def split(keys):
    """Returns columns in parts of at most COLUMNS_MAX, broken between workloads where possible."""
    parts, part = [], []
    for workload in dict.fromkeys(w for w, _ in keys):
        block = [k for k in keys if k[0] == workload]
        if part and len(part) + len(block) > COLUMNS_MAX:
            parts.append(part)
            part = []
        while len(block) > COLUMNS_MAX:
            parts.append(block[:COLUMNS_MAX])
            block = block[COLUMNS_MAX:]
        part = part + block
    return parts + [part]


def draw_part(run, rows, title, keys, columns, verdicts, ranked, shared):
    cell_w, cell_h, left = 0.56, 0.27, canvas.names_inches([label for label, _mean in ranked])
    width = max(8.2, left + cell_w * (len(keys) + 1.4) + 0.4)
    over = "all columns" if len(shared) == len(columns) else f"the {len(shared)} columns every map has" if shared \
        else "the columns each map has"
    note = (f"1: the best of its column; ~: not significantly slower than the best (paired t test over rounds, Holm-"
            f"corrected over all columns, 5 %); ?: too few rounds to test.\nCorner mark: unstable row. Lower is better. "
            f"Mean: geometric, over {over}; maps are sorted by it.")
    figure, area = canvas.frame(width, 0.75 + cell_h * len(ranked), title, style.subtitle(run, rows), note)
    total = figure.get_size_inches()[1]
    axes = figure.add_axes([left / width, area[1] + 0.12 / total, cell_w * (len(keys) + 1.4) / width,
                            cell_h * len(ranked) / total])
    axes.set_xlim(0, len(keys) + 1.4)
    axes.set_ylim(len(ranked), 0)
    axes.set_axis_off()
    for y, (label, mean) in enumerate(ranked):
        axes.text(-0.15, y + 0.5, label, ha="right", va="center", size=style.SIZE_TEXT)
        for x, key in enumerate(keys):
            draw_cell(axes, x, y, columns[key].get(label), verdicts.get((key, label)))
        axes.text(len(keys) + 0.85, y + 0.5, f"{mean:.2f}", ha="center", va="center", weight="bold", size=8)
    axes.text(len(keys) + 0.85, -0.3, "mean", ha="center", va="bottom", size=8, color=style.GREY)
    for x, (_workload, n) in enumerate(keys):
        axes.text(x + 0.5, -0.3, format_n(n), ha="center", va="bottom", size=8, color=style.GREY)
    for workload in dict.fromkeys(w for w, _ in keys):
        xs = [x for x, key in enumerate(keys) if key[0] == workload]
        axes.text(xs[0] + 0.06, -1.35, workload, ha="left", va="bottom", size=style.SIZE_TEXT, weight="bold")
        axes.plot([xs[0] + 0.06, xs[-1] + 0.94], [-1.22, -1.22], color=style.GREY, linewidth=0.8, clip_on=False)
    return figure


def draw_cell(axes, x, y, row, verdict):
    if row is None:
        axes.text(x + 0.5, y + 0.5, "–", ha="center", va="center", size=8, color=style.GREY)
        return
    amount = stats.shade(verdict.ratio)
    best = verdict.verdict == "best"
    colour = "#fff1cc" if best else canvas.ramp(RAMP)(amount)
    axes.add_patch(canvas.Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor=colour, linewidth=0))
    axes.text(x + 0.5, y + 0.5, stats.ratio_text(verdict), ha="center", va="center", size=8,
              weight="bold" if best else "normal", color=style.PAPER if amount > 0.45 else style.INK)
    if not row["stable"]:
        axes.add_patch(canvas.Polygon([(x + 0.75, y + 0.05), (x + 0.97, y + 0.05), (x + 0.97, y + 0.45)], facecolor="#d55e00",
                                      linewidth=0))
