"""Builds report.html: one file with everything inside, that opens from disk and asks the network for nothing."""
import base64
import os
import pathlib
import re
import urllib.parse

from plots.draw import style
from plots.figures import heatmap, open as loops, ports, retention as curves, retention_gc, retention_layers
from plots.figures import retention_matrix, retention_originals, tail
from plots.page import originals, retention, tables
from plots.page.data import collect, embed
from plots.page.facts import conditions, glance, head
from plots.page.tables import text

PARTS = pathlib.Path(__file__).resolve().parent
IMAGES_MAX = 2  # pictures in one of the sections about all scenarios; the others are linked
SCRIPTS = ("tables.js", "charts.js", "figures.js", "scenarios.js")
# MAPBENCH_CHARTJS: where else Chart.js lies; Debian's package libjs-chart.js has it in the two other places.
CHART_LIBRARIES = ("/usr/share/javascript/chart.js/chart.min.js", "/usr/share/javascript/chart.js/Chart.min.js")


def chart_library():
    named = os.environ.get("MAPBENCH_CHARTJS")
    for path in (named,) if named else CHART_LIBRARIES:
        if os.path.isfile(path):
            return pathlib.Path(path).read_text(encoding="utf-8")
    return None


def build(drawn, folder, problems):
    """Returns the page for [(run, {module of a figure: [(file, title)]})]; links are relative to `folder`."""
    library = chart_library()
    scripts = [library] if library else []
    scripts += [(PARTS / name).read_text(encoding="utf-8") for name in SCRIPTS]
    title = " · ".join(f"{(run.info['profile'] or {}).get('name', 'run')} {run.info['started'][:10]}" for run, _ in drawn)
    out = ['<!doctype html><html lang="en"><head><meta charset="utf-8">'
           '<meta name="viewport" content="width=device-width, initial-scale=1">'
           '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; '
           'script-src \'unsafe-inline\'; img-src data:">'
           f"<title>mapbench: {text(title)}</title><style>{(PARTS / 'page.css').read_text(encoding='utf-8')}</style>"
           "</head><body>"]
    if len(drawn) > 1:
        out.append('<nav class="runs"><b>Several runs, one after the other.</b> Nothing on this page compares them: '
                   "times of different runs are comparable only when machine, build and conditions are.<ol>")
        out += [f'<li><a href="#run{i}">{text(run.info["id"])}</a>, {text(style.machine_line(run))}</li>'
                for i, (run, _) in enumerate(drawn)]
        out.append("</ol></nav>")
    for i, (run, figures) in enumerate(drawn):
        out.append(section(run, figures, i, folder, library is not None, problems if i == 0 else []))
    raw = " and ".join(f"<code>{name}</code>" for name, there in (
        ("rows.jsonl", any(run.rows or not run.retention for run, _ in drawn)),
        ("retention.jsonl", any(run.retention for run, _ in drawn))) if there)
    out.append(f"<footer>Made by mapbench. Raw data: {raw} beside this file, described in results/README.md.</footer>")
    out += [f"<script>{script}</script>" for script in scripts]
    out.append("</body></html>\n")
    # a name may hold letters that cannot be encoded; a page that cannot be written would be worse than a strange letter
    return "".join(out).encode("utf-8", "xmlcharrefreplace").decode("utf-8")


def section(run, figures, i, folder, interactive, problems):
    data = collect(run)
    parts = [("glance", "At a glance", glance(run) if ranked(run) or not run.retention else ""),
             ("retention", "What is kept alive", retention.overview(run, i)), *kept(run, figures, folder),
             ("scenarios", curves.TITLE, retention.scenarios(run, i, pictures(run, figures, folder))),
             ("results", "Results", results(run)),
             ("ratios", heatmap.TITLE, heat(run, figures, folder)),
             ("ports", ports.TITLE, beside(run, figures, folder))]
    parts += [(module.INTERACTIVE, module.TITLE, figure(run, figures, module, folder, interactive, i))
              for module in figures if data.get(getattr(module, "INTERACTIVE", None))]
    parts += [("memory-table", "Memory", tables.memory(run)), ("latency-table", "Latency and growth", tables.growth(run)),
              ("open", loops.TITLE, pictured(run, figures, loops, folder) + tables.open_loop(run)),
              ("layers", retention_layers.TITLE, pictured(run, figures, retention_layers, folder)),
              ("scaling", "Growth of the time with n", tables.scaling(run)), ("structure", "Structure", tables.structure(run)), ("counters", "Counters", tables.counters(run)),
              ("flames", "Flame graphs", flames(run, folder)), ("maps", "Maps", tables.maps(run)),
              ("conditions", "Machine, build and keys", conditions(run)),
              ("reading", "How to read this", (PARTS / "reading.html").read_text(encoding="utf-8"))]
    parts = [part for part in parts if part[2]]
    menu = "".join(f'<a href="#r{i}-{name}">{title}</a>' for name, title, _body in parts)
    body = "".join(f'<section id="r{i}-{name}"><h2>{title}</h2>{inner}</section>' for name, title, inner in parts)
    return (f'<main class="run" id="run{i}" data-run="{i}">{head(run, problems)}<nav class="menu" aria-label="sections">'
            f'{menu}</nav>{body}</main><script type="application/json" id="data{i}">{embed(data)}</script>')


def results(run):
    if not any(r["kind"] == "time" for r in run.rows):
        return ""
    return '<div class="filters" hidden></div>' + tables.results(run, tables.verdicts_of(run))


def heat(run, figures, folder):
    found = "".join(tables.heat(run, family, rows) for family, rows in run.families("time").items())
    return found and found + f'<p class="note">{heatmap.READING}</p>' + files(run, figures, (heatmap,), folder)


def beside(run, figures, folder):
    """Returns tables and figures of ports and originals; of the tails the largest n, the others as files."""
    largest = {}
    for name, title in figures[tail]:
        cell, n = name.rsplit("-", 1)
        if int(n) >= int(largest.get(cell, (cell + "-0",))[0].rsplit("-", 1)[1]):
            largest[cell] = name, title
    shown = {ports: figures[ports], tail: list(largest.values())}
    modules = tuple(shown)
    return originals.compared(run) + images(run, shown, modules, folder) + files(run, figures, modules, folder)


def ranked(run):
    """Tells whether something was measured that a run without scenarios is about."""
    return any(r["kind"] in ("time", "latency") for r in run.rows)


def kept(run, figures, folder):
    """Returns the sections about all scenarios together."""
    matrix = retention.matrices(run)
    found = [("forgiveness", retention_matrix.TITLE, matrix and matrix + files(run, figures, (retention_matrix,), folder))]
    for name, module, inner in (("simulated", retention_originals, retention.simulated(run)),
                                ("gc-work", retention_gc, retention.gc_work(run))):
        shown = {module: figures[module][:IMAGES_MAX]}
        found.append((name, module.TITLE, inner and images(run, shown, (module,), folder)
                      + files(run, figures, (module,), folder) + inner))
    return found


def pictured(run, figures, module, folder):
    return images(run, figures, (module,), folder) + files(run, figures, (module,), folder)


def pictures(run, figures, folder):
    """Returns {scenario: its curves}; of several parts the first, the others as files."""
    found = {}
    for scenario in run.retention.names if run.retention else []:
        stem = re.escape(f"{curves.PREFIX}{style.slug(scenario)}")
        of = [figure for figure in figures[curves] if re.fullmatch(stem + r"(-[0-9]+)?", figure[0])]
        found[scenario] = images(run, {curves: of[:1]}, (curves,), folder) + files(run, {curves: of}, (curves,), folder)
    return found


def images(run, figures, modules, folder):
    out = []
    for name, what, _path in file_links(run, figures, modules, folder):
        image = base64.b64encode((run.folder / "plots" / f"{name}.svg").read_bytes()).decode("ascii")
        out.append(f'<img alt="{text(what)}" src="data:image/svg+xml;base64,{image}">')
    return "".join(out)


def file_links(run, figures, modules, folder):
    base = urllib.parse.quote(os.path.relpath(run.folder / "plots", folder))
    return [(name, title, f"{base}/{name}") for module in modules for name, title in figures[module]]


def files(run, figures, modules, folder):
    found = file_links(run, figures, modules, folder)
    if not found:
        return ""
    # titles begin with what the section's title says already
    links = " · ".join(f'{text(title.partition(": ")[2] or title)} <a href="{text(path)}.svg">SVG</a> '
                       f'<a href="{text(path)}.png">PNG</a>' for _name, title, path in found)
    return f'<p class="files">As files: {links}</p>'


def figure(run, figures, module, folder, interactive, i):
    """Writes a figure that the page draws itself or, where it cannot, shows as a picture."""
    links = files(run, figures, (module,), folder)
    if interactive:
        return (f'<figure data-figure="{module.INTERACTIVE}" data-run="{i}"><div class="controls"></div>'
                f'<figcaption class="shown" aria-live="polite"></figcaption><div class="box"><canvas role="img" '
                f'aria-label="{module.TITLE}: interactive figure; its numbers are in the tables of this page"></canvas></div>'
                f'<p class="note">{module.READING}</p></figure>{links}')
    return images(run, figures, (module,), folder) + f'<p class="note">{module.READING}</p>{links}'


def flames(run, folder):
    found = sorted((run.folder / "perf").glob("*.svg")) if (run.folder / "perf").is_dir() else []
    base = os.path.relpath(run.folder / "perf", folder)
    links = "".join(f'<li><a href="{text(urllib.parse.quote(f"{base}/{path.name}"))}">{text(path.stem)}</a></li>'
                    for path in found)
    return links and f"<p>Where each map spent its time, from perf samples of the measured phases:</p><ul>{links}</ul>"
