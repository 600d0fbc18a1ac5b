"""Builds report.html: one file with everything inside, that opens from disk and asks the network for nothing."""
import base64
import os
import pathlib

import page_tables as tables
import stats
import style
from load import BASELINE
from page_data import collect, embed
from page_tables import text
from points import mean_points, trade_offs

PARTS = pathlib.Path(__file__).resolve().parent / "page"
SCRIPTS = ("tables.js", "charts.js", "figures.js")
# MAPBENCH_CHARTJS: where else Chart.js lies; Debian's package libjs-chart.js has it in the two other places.
CHART_LIBRARIES = ("/usr/share/javascript/chart.js/chart.min.js", "/usr/share/javascript/chart.js/Chart.min.js")

# data-figure, the modules whose files belong to it, kind of row it needs, title, how to read it
INTERACTIVE = [
    ("speed", ("fig_speed",), "speed", "Time against size",
     "Median time per operation; the bar at a point is its 95 % interval, a hollow point is unstable. Dashed verticals: "
     "where the keys and values alone would fill a cache. Point at a name in the legend to bring its line forward, click "
     "it to hide the line."),
    ("tradeoff", ("fig_scatter",), "tradeoff", "Speed against memory",
     "Left and low is good. The line joins the Pareto front: maps that no other beats on both axes. Choose the workload "
     "that is yours."),
    ("latency", ("fig_latency",), "latency", "Latency of single operations",
     "Every operation timed by itself, so the timer's own cost (dashed) is part of each value: read the tail, never the "
     "median. Each further nine has the same room."),
    ("growth", ("fig_spikes",), "growth", "Growth spikes",
     "The operations that changed a map's capacity, and how long each of them took. Percentiles hide these: there are "
     "only a few dozen of them."),
    ("memory", ("fig_memory",), "memory", "Bytes per entry while growing",
     "Live bytes of the map's own allocations, divided by the entries, from the first to the last; dashed: what key and "
     "value alone take. A size is one point of this saw-tooth, and rarely a typical one."),
]


def chart_library():
    named = os.environ.get("MAPBENCH_CHARTJS")
    for path in (named,) if named else CHART_LIBRARIES:
        if os.path.isfile(path):
            return pathlib.Path(path).read_text(encoding="utf-8")
    return None


def build(drawn, folder, problems):
    """The page for [(run, {module: [(file, title)]})]; links are relative to `folder`."""
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
        out.append(f'<script type="application/json" id="data{i}">{embed(collect(run))}</script>')
    out.append('<footer>Made by mapbench. Raw data: <code>rows.jsonl</code> beside this file, described in '
               "results/README.md.</footer>")
    out += [f"<script>{script}</script>" for script in scripts]
    out.append("</body></html>\n")
    # a name may hold letters that cannot be encoded; a page that cannot be written would be worse than a strange letter
    return "".join(out).encode("utf-8", "xmlcharrefreplace").decode("utf-8")


def section(run, figures, i, folder, interactive, problems):
    parts = [head(run, problems), glance(run)]
    verdicts = tables.verdicts_of(run)
    links = [("glance", "At a glance")]

    def add(name, title, body):
        if body:
            links.append((name, title))
            parts.append(f'<section id="r{i}-{name}"><h2>{title}</h2>{body}</section>')
    add("results", "Results", '<div class="filters" hidden></div>' + tables.results(run, verdicts)
        if run.families("time") or run.failed() else "")
    heat = "".join(tables.heat(run, family, rows) for family, rows in run.families("time").items())
    add("ratios", "Ratios to the best", heat and heat + HEAT_NOTE + files(run, figures, ("fig_heatmap",), folder))
    data = collect(run)
    for kind, modules, needs, title, note in INTERACTIVE:
        if data[needs]:
            add(kind, title, figure(run, figures, kind, modules, title, note, folder, interactive, i))
    add("memory-table", "Memory", tables.memory(run))
    add("latency-table", "Latency and growth events", tables.growth(run))
    add("structure", "Structure", tables.structure(run))
    add("counters", "Counters", tables.counters(run))
    add("flames", "Flame graphs", flames(run, folder))
    add("maps", "Maps", tables.maps(run))
    add("conditions", "Machine, build and keys", conditions(run))
    add("reading", "How to read this", (PARTS / "reading.html").read_text(encoding="utf-8"))
    menu = "".join(f'<a href="#r{i}-{name}">{title}</a>' for name, title in links)
    parts[1:1] = [f'<nav class="menu" aria-label="sections">{menu}</nav>']
    parts[2] = f'<section id="r{i}-glance"><h2>At a glance</h2>{parts[2]}</section>'
    return f'<main class="run" id="run{i}" data-run="{i}">{"".join(parts)}</main>'


def head(run, problems):
    info, profile = run.info, run.info["profile"] or {}
    timed = [r for r in run.rows if r["kind"] == "time"]
    shaky = sum(not r["stable"] for r in timed)
    facts = [("Machine", style.machine_line(run) + (f", on {info['machine']['virtual']}"
                                                    if info["machine"].get("virtual") else "")),
             ("Build", f"{info['build'].get('cc')}, {info['build'].get('unit_flags')}"),
             ("Commit", info["build"].get("commit")), ("Date", info["started"].replace("T", " ").replace("Z", " UTC")),
             ("Command", info["command"]), ("Duration", duration(info["duration_s"])),
             ("Seed", info["options"].get("seed") or ", ".join(sorted({str(r["seed"]) for r in run.rows}))),
             ("Unstable", f"{shaky} of {len(timed)} time rows" + (f" ({100 * shaky / len(timed):.0f} %)" if timed else ""))]
    out = [f'<header><p class="brand">mapbench</p><h1>{text(profile.get("name") or "run")}'
           f'{": " + text(profile["question"]) if profile.get("question") else ""}</h1>']
    if profile.get("expect"):
        out.append(f'<p class="expect"><b>Expected before measuring:</b> {text(profile["expect"])}</p>')
    out.append('<dl class="facts">' + "".join(f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>"
                                              for name, value in facts if value) + "</dl>")
    notes = [(w.get("text"), w.get("advice")) for w in info["warnings"]]
    if not info["complete"]:
        notes.insert(0, ("this run is incomplete", "it was interrupted: what it measured is shown, the rest is missing"))
    if run.repeated_rows:
        notes.append((f"{run.repeated_rows} rows occur twice", "the later of each pair is shown"))
    if run.failed():
        notes.append((f"{len(run.failed())} cells could not be measured", "the results table gives the reason for each"))
    notes += [("not drawn", problem) for problem in problems]
    out += [f'<p class="warning"><b>{text(what)}</b>{": " + text(advice) if advice else ""}</p>' for what, advice in notes]
    if info["skipped"]:
        out.append('<details class="warning"><summary>' f'{len(info["skipped"])} cells were asked for and skipped</summary><ul>'
                   + "".join(f'<li>{text(s.get("cell"))}: {text(s.get("reason"))}</li>' for s in info["skipped"])
                   + "</ul></details>")
    return "".join(out) + "</header>"


def duration(seconds):
    return None if seconds is None else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def glance(run):
    """The shortest answer for each family: the first three by speed, by memory and by the longest pause."""
    cards, memory = {}, {}
    for family, rows in run.families("time").items():
        columns = stats.family_columns(run, rows)
        if columns:
            ranked, shared = stats.rank(columns, stats.against_best(columns))
            words = ", ".join(dict.fromkeys(w for w, _n in shared or columns))
            cards.setdefault(run.title(family), []).append(
                ("fastest", f"geometric mean of the ratios to the best, over {words}",
                 [(label, f"{mean:.2f}") for label, mean in ranked[:3]]))
    for family, n, _workloads, points in trade_offs(run):
        memory[run.title(family)] = n, {label: point[0] for label, point in mean_points(points).items()}
    for title, (n, sizes) in memory.items():
        best = sorted(sizes.items(), key=lambda item: item[1])[:3]
        cards.setdefault(title, []).append(("smallest", f"bytes per entry at n = {n:,}",
                                            [(label, f"{value:.1f} B") for label, value in best]))
    for family, rows in run.families("latency").items():
        pauses = {}
        for row in rows:
            if row["map"] != BASELINE and row["growth_events"] is not None:
                pauses[run.label(row)] = max(pauses.get(run.label(row), 0), row["latency"]["max"])
        best = sorted(pauses.items(), key=lambda item: item[1])[:3]
        if best:
            cards.setdefault(run.title(family), []).append(
                ("shortest worst pause", "the longest single operation", [(a, style.format_ns(b)) for a, b in best]))
    out = ['<div class="cards">']
    for title, lines in cards.items():
        out.append(f"<article><h3>{text(title)}</h3>")
        for what, how, best in lines:
            names = " ".join(f"<li><b>{text(label)}</b> <span>{text(value)}</span></li>" for label, value in best)
            out.append(f"<h4>{what}</h4><ol>{names}</ol><p>{text(how)}</p>")
        out.append("</article>")
    return "".join(out) + "</div>" if cards else "<p>Nothing was measured that could be ranked.</p>"


HEAT_NOTE = ("<p class='note'><b>1</b>: the best of its column. <b>~</b>: not significantly slower than the best (paired t "
             "test over rounds, Holm-corrected over the whole table, 5 %). <b>?</b>: too few rounds to test. A corner mark: "
             "unstable. The null map is left out. Point at a cell for its time.</p>")


def file_links(run, figures, modules, folder):
    base = os.path.relpath(run.folder / "plots", folder)
    return [(name, title, f"{base}/{name}") for module in modules for name, title in figures.get(module, [])]


def files(run, figures, modules, folder):
    found = file_links(run, figures, modules, folder)
    if not found:
        return ""
    return ('<details class="files" open><summary>As files</summary><ul>'
            + "".join(f'<li>{text(title)}: <a href="{text(path)}.svg">SVG</a> <a href="{text(path)}.png">PNG</a></li>'
                      for _name, title, path in found) + "</ul></details>")


def figure(run, figures, kind, modules, title, note, folder, interactive, i):
    links = files(run, figures, modules, folder)
    if interactive:
        return (f'<figure data-figure="{kind}" data-run="{i}"><div class="controls"></div>'
                f'<figcaption class="shown" aria-live="polite"></figcaption><div class="box"><canvas role="img" '
                f'aria-label="{title}: interactive figure; its numbers are in the tables of this page"></canvas></div>'
                f'<p class="note">{note}</p></figure>{links}')
    out = []
    for name, what, _path in file_links(run, figures, modules, folder):
        image = base64.b64encode((run.folder / "plots" / f"{name}.svg").read_bytes()).decode("ascii")
        out.append(f'<img alt="{text(what)}" src="data:image/svg+xml;base64,{image}">')
    return "".join(out) + f'<p class="note">{note}</p>{links}'


def flames(run, folder):
    found = sorted((run.folder / "perf").glob("*.svg")) if (run.folder / "perf").is_dir() else []
    base = os.path.relpath(run.folder / "perf", folder)
    return "<ul>" + "".join(f'<li><a href="{text(base)}/{text(p.name)}">{text(p.stem)}</a></li>' for p in found) \
        + "</ul>" if found else ""


def flat(value):
    if isinstance(value, dict):
        return ", ".join(f"{k} {flat(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return "; ".join(flat(v) for v in value)
    return "unknown" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def conditions(run):
    out = []
    for name in ("machine", "build", "timers", "conditions", "probe", "options"):
        record = run.info.get(name)
        if isinstance(record, dict):
            rows = [[text(k), text(flat(v))] for k, v in record.items()]
            out.append(tables.table(name, [("field", ""), ("value", "wide")], rows, "plain", sortable=False))
    keys = [[f'<span title="{text(k.get("name"))}">{text(k.get("name"))}</span>', text(k.get("shape")),
             tables.number(k.get("limit")), tables.number(k.get("files")), tables.number(k.get("duplicates")),
             tables.number(k.get("with_nul")), tables.number(k.get("mean_key_bytes")), text(k.get("provenance")),
             f'<code>{text(k.get("sha256"))}</code>'] for k in run.info["keys"]]
    if keys:
        out.append(tables.table("keys", [("keys", ""), ("shape", "")] + [(t, "num") for t in (
            "distinct", "files read", "duplicates dropped", "with NUL", "mean bytes")] + [("from", ""), ("SHA-256", "")],
            keys, "plain", sortable=False))
    profile = (run.info["profile"] or {}).get("text")
    if profile:
        out.append(f"<details><summary>The profile</summary><pre>{text(profile)}</pre></details>")
    return "".join(out)
