"""Draws the figures of runs into RUN/plots and writes RUN/report.html.

    python3 -m plots.report RUN [RUN...]     (in the project's folder)

With several runs the page of the first shows them all, a section each; nothing is compared across runs.
Exit codes: 0 drawn; 2 not a run, or a broken one; 4 something needed is missing or the disk cannot be written (what
could be drawn is drawn all the same).
"""
import argparse
import importlib
import pathlib
import sys

from plots.draw import gnuplot, style
from plots.rows import load, packages
from plots.rows.exits import BAD_INPUT, CANNOT, OK
from plots.rows.files import write_whole

# Modules of plots/figures/, in the order of the page.
FIGURES = ("heatmap", "ports", "speed", "scatter", "latency", "tail", "open", "spikes", "memory", "retention", "retention_matrix",
           "retention_originals", "retention_gc", "retention_layers")


def complain(text):
    print(f"report: {text}", file=sys.stderr)


def figure_modules():
    return [importlib.import_module(f"plots.figures.{name}") for name in FIGURES]


def clear(folder, modules):
    """Removes the figures of an earlier drawing, which the rows may no longer support. Nothing else."""
    for path in folder.iterdir():
        if path.suffix in (".svg", ".png", ".gp") and any(path.name.startswith(module.PREFIX) for module in modules):
            path.unlink()


def has_rows(run, kind):
    return bool(run.retention if kind == "retention" else run.measured(kind))


def draw_figures(run, absent, problems):
    """Draws all that the rows support, with nothing that is absent. Returns {module of a figure: [(file name without suffix, title)]}."""
    folder, modules = run.folder / "plots", figure_modules()
    folder.mkdir(exist_ok=True)
    clear(folder, modules)
    run_looks = style.looks({run.label(r) for r in run.rows})
    (folder / "style.gp").write_text(style.style_gp(run_looks, sorted(run_looks)), encoding="utf-8")
    figures = {module: [] for module in modules}
    for module in modules:
        if module.LIBRARY in absent or not all(has_rows(run, kind) for kind in module.NEEDS):
            continue
        try:
            figures[module] = module.draw(run, run_looks, folder)
        except gnuplot.MissingGnuplot:
            problem = "gnuplot is missing, its figures are not drawn: make deps (gnuplot-nox)"
            if problem not in problems:
                problems.append(problem)
        except RuntimeError as error:
            problems.append(str(error))
    return figures


def main(arguments):
    parser = argparse.ArgumentParser(prog="report", description="Draws the figures and the page of runs.")
    parser.add_argument("run", nargs="+", help="a folder that `mapbench run` wrote")
    folders = [pathlib.Path(folder) for folder in parser.parse_args(arguments).run]
    try:
        runs = [load.load(folder) for folder in folders]
    except load.BadRun as error:
        complain(error)
        return BAD_INPUT

    absent = packages.missing()
    problems = list(absent.values())
    if "numpy" in absent or "scipy" in absent:
        for problem in problems:
            complain(problem)
        return CANNOT
    from plots.page import page  # with numpy and scipy
    current = runs[0].folder
    try:
        drawn = []
        for run in runs:
            current = run.folder / "plots"
            drawn.append(draw_figures(run, absent, problems))
        if page.chart_library() is None:
            problems.append("Chart.js is missing, the page has no interactive figures: make deps (libjs-chart.js)")
        for i, run in enumerate(runs):
            current = run.folder / "report.html"
            chosen = list(zip(runs, drawn)) if i == 0 else [(run, drawn[i])]
            write_whole(current, page.build(chosen, run.folder, problems))
            print(current)
    except OSError as error:
        problems.append(f"cannot write {error.filename or current}: {error.strerror or error}; free some space or check "
                        "the permissions, then draw again")
    for problem in problems:
        complain(problem)
    return CANNOT if problems else OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
