"""The parts of a page that are words and facts: its head, the shortest answers, the conditions."""
from plots.draw import style
from plots.page import tables
from plots.page.tables import text
from plots.rows import stats
from plots.rows.numbers import format_n, format_ns
from plots.rows.points import mean_points, trade_offs
from plots.rows.run import BASELINE, shorten


def head(run, problems):
    info, profile = run.info, run.info["profile"] or {}
    timed = [r for r in run.rows if r["kind"] == "time"]
    shaky = sum(not r["stable"] for r in timed)
    facts = [("Machine", style.machine_line(run) + (f", on {info['machine']['virtual']}"
                                                    if info["machine"].get("virtual") else "")),
             ("Build", f"{info['build'].get('cc')}, {info['build'].get('unit_flags')}"),
             ("Allocator", info["build"].get("allocator")),
             ("Engines", style.engine_line(run.rows)),
             ("Commit", info["build"].get("commit")), ("Date", info["started"].replace("T", " ").replace("Z", " UTC")),
             ("Command", info["command"]), ("Duration", duration(info["duration_s"])),
             ("Resumed", times(info.get("resumed"))), ("Result", (info.get("result_id") or "")[:12]),
             ("Noise floor", noise_floor(info)),
             ("Seed", info["options"].get("seed") or ", ".join(sorted({str(r["seed"]) for r in run.rows}))),
             ("Unstable", f"{shaky} of {len(timed)} time rows" + (f" ({100 * shaky / len(timed):.0f} %)" if timed else "")
              if timed or not run.retention else None)]
    banner = "" if info["complete"] else (
        '<p class="incomplete" role="alert"><b>Incomplete run.</b> It was interrupted: what it had measured is shown, the '
        "rest is missing. It can be resumed with the same command and <code>--resume</code>.</p>")
    name = profile.get("name") or ("retention" if run.retention else "run")
    out = [f'<header>{banner}<p class="brand">mapbench</p><h1>{text(name)}'
           f'{": " + text(profile["question"]) if profile.get("question") else ""}</h1>']
    if profile.get("expect"):
        out.append(f'<p class="expect"><b>Expected before measuring:</b> {text(profile["expect"])}</p>')
    out.append('<dl class="facts">' + "".join(f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>"
                                              for name, value in facts if value) + "</dl>")
    notes = [(w.get("text"), w.get("advice")) for w in info["warnings"]]
    if run.torn:
        notes.append(("the last line of rows.jsonl is cut off", "it was being written when the run ended, and is left out"))
    if run.repeated_rows:
        notes.append((f"{run.repeated_rows} rows occur twice", "the later of each pair is shown"))
    notes += [("not drawn", problem) for problem in problems]
    out += [f'<p class="warning"><b>{text(what)}</b>{": " + text(advice) if advice else ""}</p>' for what, advice in notes]
    failed = [(f"{r['kind']} of {run.label(r)}, {r['workload']}, {r['shape']}, {shorten(r['keys'])} keys, "
               f"n = {format_n(r['n'])}", r["error"]) for r in run.failed()]
    out.append(folded("rows could not be measured", failed))
    out.append(folded("parts of what was asked for were skipped", [(s["cell"], s["reason"]) for s in info["skipped"]]))
    return "".join(out) + "</header>"


def noise_floor(info):
    """Returns what the machine showed before the run when a map was compared with itself; None where it was not asked."""
    noise = (info.get("doctor") or {}).get("noise")
    if not noise:
        return None
    floor = noise["floor_percent"]
    return "unknown: too few batches ran undisturbed" if floor is None else f"{floor:.2g} % within the process"


def times(count):
    return None if not count else "once" if count == 1 else f"{count} times"


def folded(what, entries):
    """Returns a list of what is missing and why, folded to one line."""
    if not entries:
        return ""
    return (f'<details class="warning"><summary>{len(entries)} {what}</summary><ul>'
            + "".join(f"<li>{text(name)}: {text(why)}</li>" for name, why in entries) + "</ul></details>")


def duration(seconds):
    return None if seconds is None else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def glance(run):
    """Returns the shortest answer for each family: the first three by speed, by memory and by the longest pause."""
    cards, memory = {}, {}
    for family, rows in run.families("time").items():
        columns, verdicts = stats.compared(run, rows)
        if columns:
            ranked, shared = stats.rank(columns, verdicts)
            words = ", ".join(dict.fromkeys(w for w, _n in shared or columns))
            cards.setdefault(run.title(family), []).append(
                ("fastest", f"geometric mean of the ratios to the best, over {words}",
                 [(label, f"{mean:.2f}") for label, mean in ranked[:3]]))
    for family, n, _workloads, points in trade_offs(run):
        memory[run.title(family)] = n, {label: point[0] for label, point in mean_points(points).items()}
    for title, (n, sizes) in memory.items():
        best = sorted(sizes.items(), key=lambda item: item[1])[:3]
        cards.setdefault(title, []).append(("smallest", f"bytes per entry at n = {format_n(n)}",
                                            [(label, f"{value:.1f} B") for label, value in best]))
    for family, rows in run.families("latency").items():
        pauses = {}
        for row in rows:
            if row["map"] != BASELINE and row["growth_events"] is not None:
                pauses[run.label(row)] = max(pauses.get(run.label(row), 0), row["latency"]["max"])
        best = sorted(pauses.items(), key=lambda item: item[1])[:3]
        if best:
            cards.setdefault(run.title(family), []).append(
                ("shortest worst pause", "the longest single operation", [(a, format_ns(b)) for a, b in best]))
    out = []
    for title, lines in cards.items():
        out.append(f'<article class="card"><h3>{text(title)}</h3>')
        for what, how, best in lines:
            names = " ".join(f"<li><b>{text(label)}</b> <span>{text(value)}</span></li>" for label, value in best)
            out.append(f"<div><h4>{what}</h4><ol>{names}</ol><p>{text(how)}</p></div>")
        out.append("</article>")
    return "".join(out) or "<p>Nothing was measured that could be ranked.</p>"


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
    findings = (run.info.get("doctor") or {}).get("findings")
    if findings:
        rows = [[text(f["group"]), text(f["name"]), text(f["state"]), text(f["fact"]), text(f["meaning"]), text(f["advice"] or "")]
                for f in findings]
        out.append(tables.table("doctor", [(name, "") for name in ("about", "what", "state", "fact")] +
                                [("means", "wide"), ("what to do", "wide")], rows, "plain", sortable=False))
    profile = (run.info["profile"] or {}).get("text")
    if profile:
        out.append(f"<details><summary>The profile</summary><pre>{text(profile)}</pre></details>")
    return "".join(out)
