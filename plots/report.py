"""Draws the figures of runs into RUN/plots and writes RUN/report.html.

    python3 plots/report.py RUN [RUN...]

With several runs the page of the first shows them all, a section each; nothing is compared across runs.
Exit codes: 0 drawn; 2 not a run, or a broken one; 4 something needed is missing or the disk cannot be written (what
could be drawn is drawn all the same).
"""
import argparse
import importlib
import importlib.util
import os
import pathlib
import sys

PACKAGES = {"numpy": "python3-numpy", "scipy": "python3-scipy", "matplotlib": "python3-matplotlib"}
# Module of a figure and the library it draws with, in the order of the page.
FIGURES = [("fig_heatmap", "matplotlib"), ("fig_ports", "matplotlib"), ("fig_speed", "matplotlib"),
           ("fig_scatter", "matplotlib"), ("fig_latency", "matplotlib"), ("fig_tail", "matplotlib"),
           ("fig_open", "matplotlib"),
           ("fig_spikes", "gnuplot"), ("fig_memory", "gnuplot"), ("fig_retention", "gnuplot"),
           ("fig_retention_matrix", "matplotlib"), ("fig_retention_originals", "matplotlib"),
           ("fig_retention_gc", "matplotlib"), ("fig_retention_layers", "matplotlib")]
PREFIXES = ("ratios-", "ports-", "tail-", "speed-", "trade-off-", "latency-", "open-", "queue-", "growth-", "memory-", "retention-",
            "forgiveness-", "simulated-", "gc-work", "layers-")


def complain(text):
    print(f"report: {text}", file=sys.stderr)


def missing_modules():
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def clear(folder):
    """Removes the figures of an earlier drawing, which the rows may no longer support. Nothing else."""
    for path in folder.iterdir():
        if path.name.startswith(PREFIXES) and path.suffix in (".svg", ".png", ".gp"):
            path.unlink()


def draw_figures(run, problems):
    """Draws all that the rows support. Returns {module: [(file name without suffix, title)]}."""
    import gnuplot
    import style
    folder = run.folder / "plots"
    folder.mkdir(exist_ok=True)
    clear(folder)
    run_looks = style.looks({run.label(r) for r in run.rows})
    (folder / "style.gp").write_text(style.style_gp(run_looks, sorted(run_looks)), encoding="utf-8")
    figures = {}
    for module, library in FIGURES:
        if library == "matplotlib" and "matplotlib" in missing_modules():
            continue
        try:
            figures[module] = importlib.import_module(module).draw(run, run_looks, folder)
        except gnuplot.MissingGnuplot:
            problem = "gnuplot is missing, its figures are not drawn: make deps (gnuplot-nox)"
            if problem not in problems:
                problems.append(problem)
        except RuntimeError as error:
            problems.append(str(error))
    return figures


def write_whole(path, text):
    """Writes a file completely or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def main(arguments):
    parser = argparse.ArgumentParser(prog="report", description="Draws the figures and the page of runs.")
    parser.add_argument("run", nargs="+", help="a folder that `mapbench run` wrote")
    folders = [pathlib.Path(folder) for folder in parser.parse_args(arguments).run]
    import load
    try:
        runs = [load.load(folder) for folder in folders]
    except load.BadRun as error:
        complain(error)
        return 2

    absent = missing_modules()
    problems = [f"the Python module {name} is missing: make deps ({PACKAGES[name]})" for name in absent]
    if "numpy" in absent or "scipy" in absent:
        for problem in problems:
            complain(problem)
        return 4
    import page
    current = runs[0].folder
    try:
        drawn = []
        for run in runs:
            current = run.folder / "plots"
            drawn.append(draw_figures(run, problems))
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
    return 4 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
