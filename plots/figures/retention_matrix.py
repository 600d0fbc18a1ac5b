"""Which map forgives which bug: retention amplification of every map in every scenario, as numbers on colours."""
from plots.draw import canvas, style
from plots.figures.retention import subtitle as subtitle_of_scenario
from plots.rows import retention
from plots.rows.retention_matrix import DEEPEST, cell_text, matrices, reasons, shade, shown

PREFIX = "forgiveness-"
LIBRARY = "matplotlib"
NEEDS = ("retention",)
TITLE = "Which map forgives which bug"
READING = ""

RAMP = ("#fff8ef", "#fddcb5", "#f8ab6b", "#dd6a2b", "#a3350f", "#561404")
PAPER_NA = "#eef1f4"
REASONS_MAX = 6


def draw(run, _run_looks, folder):
    figures = []
    for matrix in matrices(run.retention) if run.retention else []:
        name = f"{PREFIX}{style.slug(matrix.heap)}"
        title = f"Which map forgives which bug: retention amplification, heap {matrix.heap}"
        canvas.save(draw_matrix(run, matrix, title), folder, name)
        figures.append((name, title))
    return figures


def draw_matrix(run, matrix, title):
    cell_w, cell_h = 0.62, 0.34
    left = canvas.names_inches(matrix.rows)
    above = 0.25 + 0.052 * max(map(len, matrix.scenarios))  # names at 45 degrees
    width = max(8.2, left + cell_w * len(matrix.scenarios) + 0.5 + above)
    why = reasons(matrix)
    note = ("Kept by the leaky variant, divided by what is semantically live; 1 is perfect, lower is better. ∞: nothing was "
            "live any more, with the bytes kept, 0: and next to nothing kept; ?: what is live is not said. –: not run. Corner mark: even the fixed variant keeps more than its bound.\n"
            "Sorted by the mean logarithm over the scenarios with a number for every map, the forgiving first." + na_words(why))
    cases = [c for c in run.retention.cases.values()
             if retention.family_heap(c.subject.heap) == retention.family_heap(matrix.heap)]
    figure, area = canvas.frame(width, above + 0.55 + cell_h * len(matrix.rows), title, subtitle(run, matrix, cases), note)
    total = figure.get_size_inches()[1]
    axes = figure.add_axes([left / width, area[1] + 0.5 / total, cell_w * len(matrix.scenarios) / width,
                            cell_h * len(matrix.rows) / total])
    axes.set_xlim(0, len(matrix.scenarios))
    axes.set_ylim(len(matrix.rows), 0)
    axes.set_axis_off()
    for y, name in enumerate(matrix.rows):
        axes.text(-0.12, y + 0.5, name, ha="right", va="center", size=style.SIZE_TEXT)
        for x, scenario in enumerate(matrix.scenarios):
            draw_cell(axes, x, y, matrix.answers.get((name, scenario)), why)
    for x, scenario in enumerate(matrix.scenarios):
        axes.text(x + 0.4, -0.15, scenario, ha="left", va="bottom", size=8, rotation=45, rotation_mode="anchor")
    legend(figure, left, area[1], total, width)
    return figure


def subtitle(run, matrix, cases):
    if cases:
        return subtitle_of_scenario(run, cases)
    return f"{style.machine_line(run)} · {run.info['started'][:10]} · heap {matrix.heap}"


def na_words(why):
    if not why:
        return ""
    listed = "; ".join(f"{letter}: {reason}" for reason, letter in list(why.items())[:REASONS_MAX])
    return f"\nn/a, the map cannot express it. {listed}" + ("; the others: see the page." if len(why) > REASONS_MAX else ".")


def draw_cell(axes, x, y, answer, why):
    words, more = cell_text(answer)
    value = shown(answer) if answer else None
    ground = canvas.ramp(RAMP)(shade(value)) if value is not None else PAPER_NA if answer else None
    if ground:
        axes.add_patch(canvas.Rectangle((x + 0.03, y + 0.04), 0.94, 0.92, facecolor=ground, linewidth=0))
    ink = style.PAPER if value is not None and shade(value) > 0.55 else style.GREY if value is None else style.INK
    axes.text(x + 0.5, y + (0.34 if more else 0.5), words + (f" {why[answer.why_not]}" if answer and answer.cannot
                                                              and answer.why_not in why else ""),
              ha="center", va="center", size=8, color="#b3380a" if words == "error" else ink)
    if more:
        axes.text(x + 0.5, y + 0.74, more, ha="center", va="center", size=6, color=ink)
    if answer and answer.passed is False:
        axes.add_patch(canvas.Polygon([(x + 0.77, y + 0.04), (x + 0.97, y + 0.04), (x + 0.97, y + 0.42)], facecolor="#0b63a5",
                                      linewidth=0))


def legend(figure, left, bottom, total, width):
    """Draws a strip of the colours, below the matrix."""
    for i, value in enumerate((1, 3, 10, 30, 100, 1e3, DEEPEST)):
        axes = figure.add_axes([(left + 0.62 * i) / width, bottom + 0.1 / total, 0.58 / width, 0.2 / total])
        axes.set_axis_off()
        axes.add_patch(canvas.Rectangle((0, 0), 1, 1, facecolor=canvas.ramp(RAMP)(shade(value)), linewidth=0))
        axes.text(0.5, 0.47, ("≥ " if value == DEEPEST else "") + f"{value:g}×", ha="center", va="center", size=7,
                  color=style.PAPER if shade(value) > 0.55 else style.INK)
