"""The sections of a page about retention: what each scenario came to, which map forgives which bug, how far the simulation
agrees with the real collector, and a page for every scenario that reads like an answer."""
import re
import statistics

from plots.page.tables import number, size, table, text
from plots.rows import retention, retention_matrix, retention_pairs
from plots.rows.numbers import format_bytes, format_n, format_ns
from plots.rows.retention_matrix import number_text
from plots.rows.run import shorten

ROLE_WORDS = {"leaky": "leaky", "no_fix": "believed to be a fix", "fixed": "fixed", "reference": "for comparison"}
# Addresses of the issue trackers that references name.
TRACKERS = {"go": "golang/go", "redis": "redis/redis", "cortex": "cortexproject/cortex",
            "crossbeam": "crossbeam-rs/crossbeam", "bdwgc": "ivmai/bdwgc"}
OUTSIDE_MAX, BROKEN_MAX = 40, 8
HELD_MAX = 56  # letters of a path in the table of all; the scenario's own page has it in full


def anchor(i, data, scenario):
    return f"r{i}-scenario-{data.names.index(scenario) + 1}"


def overview(run, i):
    """Returns the answers of all scenarios, a line each; "" without any."""
    data = run.retention
    if data is None or not data.names:
        return ""
    rows, answers = [], []
    for scenario in data.names:
        for subject in data.subjects(scenario):
            answer = data.answer(subject)
            if answer.cannot:  # the matrix and the scenario's page say why
                continue
            answers.append((subject, answer))
            rows.append([(text(data.fact(scenario, "number")), data.fact(scenario, "number") or ""),
                         f'<a href="#{anchor(i, data, scenario)}">{text(scenario)}</a>', text(retention.map_label(subject) or "–"),
                         text(subject.engine if retention.is_real(subject) else subject.heap), *answer_cells(answer)])
    columns = [("", "num"), ("scenario", ""), ("map", ""), ("heap", "")] + [(t, "num") for t in (
        "leaky", "fixed", "live", "× live", "released after")] + [("fixed in bound", ""), ("held by", "held")]
    caption = f"What {len(data.names)} scenarios keep alive, {len(rows)} cases; lower is better"
    return (TORN if data.torn else "") + summary(data, answers) + table(caption, columns, rows, "kept") + NOTE


TORN = ('<p class="warning"><b>the last line of retention.jsonl is cut off</b>: it was being written when the run ended, and '
        "is left out</p>")
NOTE = ("<p class='note'><b>leaky</b>, <b>fixed</b>: bytes kept by the leaky variant and by the worst of the fixed ones, "
        "beyond those at the base checkpoint, after forced collections; on malloc, resident bytes; where a story "
        "measures it in its own way (pages copied after a fork, say), that. <b>live</b>: bytes the "
        "program still needs, by the scenario's own count. <b>× live</b>: retention amplification; ∞ where nothing is live "
        "any more. <b>released after</b>: operations until the bytes come back by themselves. <b>fixed in bound</b>: whether "
        "the fixed variants keep no more than the scenario allows them.</p>")


def summary(data, answers):
    judged = [a.passed for _subject, a in answers if a.passed is not None]
    numbers = [(subject, a) for subject, a in answers if a.amplification is not None]
    lines = []
    if judged:
        failed = dict.fromkeys(f"{s.scenario} ({retention.label_of(s)})" for s, a in answers if a.passed is False)
        lines.append(f"{judged.count(True)} of {len(judged)} fixed variants stay within their bound"
                     + (f"; not so: {listed(failed, 8)}." if failed else "."))
    if numbers:
        subject, worst = max(numbers, key=lambda found: found[1].amplification)
        lines.append(f"Most amplified: {subject.scenario} ({retention.label_of(subject)}), "
                     f"{number_text(worst.amplification)} × what is live.")
    broken = [f"{c.scenario} {retention.words(c.variant or '')} ({retention.label_of(c.subject)}): {c.error}"
              for c in data.cases.values() if c.error]
    if broken:
        lines.append(f"{len(broken)} {'case' if len(broken) == 1 else 'cases'} broke off: {'; '.join(broken[:BROKEN_MAX])}"
                     + (f"; and {len(broken) - BROKEN_MAX} more." if len(broken) > BROKEN_MAX else "."))
    if not data.scenarios:
        lines.append("This run does not describe its scenarios: claims and fixes are missing.")
    return "<ul>" + "".join(f"<li>{text(line)}</li>" for line in lines) + "</ul>" if lines else ""


def listed(names, most):
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def answer_cells(answer):
    if answer.why_not == retention.NO_LEAKY and answer.fixed_bytes is None:
        return [("–", "")] * 5 + ["", "variants for comparison only"]
    if answer.why_not and answer.leaky_bytes is None and answer.fixed_bytes is None:
        return [("–", "")] * 5 + ["", f'<span class="bad">no result</span>: {text(answer.why_not)}']
    held = f'<code title="{text(answer.held_by)}">{text(shorten(answer.held_by, HELD_MAX))}</code>' if answer.held_by else ""
    if answer.why_not:
        held += f' <span class="{"" if answer.why_not == retention.NO_LEAKY else "bad"}">{text(answer.why_not)}</span>'
    return [kept_cell(answer.leaky_bytes), kept_cell(answer.fixed_bytes), kept_cell(answer.live_bytes), times_cell(answer),
            release_cell(answer.release), passed_words(answer), held]


def kept_cell(value):
    """Writes bytes; a heap that shrank below its base keeps nothing."""
    return size(max(0, value)) if value is not None else ("–", "")


def times_cell(answer):
    if answer.amplification is not None:
        return number_text(answer.amplification), answer.amplification
    return ("∞", 1e18) if answer.leaky_bytes and answer.live_bytes == 0 else ("–", "")


def release_cell(release):
    return ("never", 1e18) if release == retention.NEVER else number(release)


def passed_words(answer):
    if answer.passed is None:
        return ""
    bound = f" (≤ {format_bytes(answer.bound_bytes)})" if answer.bound_bytes is not None else ""
    return f"yes{bound}" if answer.passed else f'<span class="bad">no</span>{bound}'


# --- the matrix, the simulation, the collector's work ---------------------------------------------------------------

def matrices(run):
    """Returns the forgiveness matrices as tables; "" without any."""
    found = retention_matrix.matrices(run.retention) if run.retention else []
    return "".join(matrix_table(matrix) for matrix in found) + (MATRIX_NOTE if found else "")


MATRIX_NOTE = ("<p class='note'>What the leaky variant keeps, divided by what is semantically live: <b>1</b> is perfect. "
               "<b>∞</b>: nothing was live any more, <b>0</b>: and next to nothing kept. <b>n/a</b>: the map cannot express the scenario; point at the cell for "
               "the reason. A corner mark: even the fixed variant keeps more than its bound. The forgiving maps come first.</p>")


def matrix_table(matrix):
    out = [f'<div class="scroll"><table class="heat warm"><caption>Retention amplification, heap {text(matrix.heap)}; lower '
           'is better</caption><thead><tr><th scope="col">map</th>']
    out += [f'<th scope="col" class="turned"><span>{text(scenario)}</span></th>' for scenario in matrix.scenarios]
    out.append("</tr></thead><tbody>")
    for name in matrix.rows:
        cells = "".join(matrix_cell(name, s, matrix.answers.get((name, s))) for s in matrix.scenarios)
        out.append(f'<tr><th scope="row">{text(name)}</th>{cells}</tr>')
    return "".join(out) + "</tbody></table></div>"


def matrix_cell(name, scenario, answer):
    words, more = retention_matrix.cell_text(answer)
    if answer is None:
        return "<td>–</td>"
    value = retention_matrix.shown(answer)
    tip = f"{name}, {scenario}: " + (answer.why_not or f"kept {bytes_words(answer.leaky_bytes)}, live "
                                     f"{bytes_words(answer.live_bytes)}, fixed {bytes_words(answer.fixed_bytes)}")
    shade = retention_matrix.shade(value) if value is not None else 0
    classes = " ".join(word for word, on in (("deep", shade > 0.5), ("shaky", answer.passed is False)) if on)
    ground = f' style="--a:{0.06 + 0.84 * shade:.2f}"' if value is not None else ""
    below = f"<br><small>{text(more)}</small>" if more else ""
    return f'<td class="{classes}"{ground} title="{text(tip)}">{text(words)}{below}</td>'


def bytes_words(value):
    return "not known" if value is None else format_bytes(max(0, value))


def simulated(run):
    """Returns how far the simulation and the real collector agree; "" without both."""
    pairs = retention_pairs.pairs_of(run.retention) if run.retention else []
    if not pairs:
        return ""
    found, far = retention_pairs.agreement(pairs), retention_pairs.outside(pairs)
    names = {quantity: name for quantity, name, _absolute in retention_pairs.QUANTITIES}
    lines = [f"{names[q]}: {agreeing:,} of {compared:,} checkpoints agree."
             for q, (agreeing, compared) in found.items() if compared]
    band = (f"Agreement: within {100 * retention_pairs.SHARE:g} % of the real value, or within "
            f"{format_bytes(retention_pairs.BYTES)}, or {retention_pairs.OBJECTS} objects.")
    out = f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul><p class='note'>{band}</p>"
    rows = [[text(p.scenario), text(p.variant), text(p.map or "–"), text(p.engine), text(p.label), number(p.step),
             text(what), *map(number, retention_pairs.values(p, next(q for q in names if names[q] == what))), (f"{used:.1f}", used)]
            for p, what, used in far[:OUTSIDE_MAX]]
    columns = [(t, "") for t in ("scenario", "variant", "map", "engine", "phase")] + [("step", "num"), ("of", "")] + [
        (t, "num") for t in ("simulated", "real", "× the allowance")]
    more = f", the farthest {OUTSIDE_MAX}" if len(far) > OUTSIDE_MAX else ""
    return out + (table(f"{len(far)} values beyond the band{more}", columns, rows) if rows else "")


def gc_work(run):
    """Returns the collector's work, as a table; "" without any."""
    rows = [[text(design or "–"), text(retention.words(variant)), text("gosim" if engine == "c" else engine),
             (format_n(n), n), duration(of.get("mark_ns")), size(of.get("scanned_bytes")), duration(of.get("collection_ns"))]
            for design, series in (retention.series_of(run.retention) if run.retention else {}).items()
            for (variant, engine), sizes in series.items() for n, of in sorted(sizes.items())]
    columns = [("map", ""), ("what the values are", ""), ("collector", "")] + [(t, "num") for t in (
        "n", "time to mark", "bytes scanned", "whole collection")]
    return table("Work of one collection; lower is better", columns, rows) + WORK_NOTE if rows else ""


WORK_NOTE = ("<p class='note'><b>time to mark</b>: of gosim, one thread that stops the program; of real Go, what its mark workers "
             "took together. <b>whole collection</b>: of real Go, from the call of runtime.GC to its return on the clock, with the "
             "wait for the scheduler and the sweep. <b>bytes scanned</b> of real Go include the runtime's own.</p>")


def duration(ns):
    return (format_ns(ns), ns) if ns is not None else ("–", "")


# --- a page for every scenario --------------------------------------------------------------------------------------

def scenarios(run, i, pictures):
    """Returns the pages, folded. pictures: {scenario: HTML of its figures}."""
    data = run.retention
    if data is None or not data.names:
        return ""
    index = " · ".join(f'<a href="#{anchor(i, data, s)}">{text(s)}</a>' for s in data.names)
    pages = "".join(page(run, i, scenario, pictures.get(scenario, "")) for scenario in data.names)
    return f'<nav class="index" aria-label="scenarios">{index}</nav>{pages}'


def page(run, i, scenario, picture):
    data = run.retention
    subjects = data.subjects(scenario)
    answers = {s: data.answer(s) for s in subjects}
    told = {s: a for s, a in answers.items() if a.leaky_bytes is not None}
    first = next(iter(told), None)
    title = f"{data.fact(scenario, 'number')} · {scenario}" if data.fact(scenario, "number") else scenario
    parts = [("What happened", happened(data, scenario, first, told)), ("What it costs", costs(first, told)),
             ("Who holds it", holds(answers, first)), ("What to do", to_do(data, scenario, answers, first))]
    body = "".join(f"<div><dt>{name}</dt><dd>{words}</dd></div>" for name, words in parts)
    return (f'<details class="scenario"><summary><b>{text(title)}</b> <span>{short_answer(first, told)}</span></summary>'
            f'<article id="{anchor(i, data, scenario)}"><h3>{text(title)}</h3><dl class="answer">{body}</dl>{picture}'
            f"{variants(data, scenario)}{left_out(data, scenario)}{references(data, scenario)}"
            f'<p class="files">Again: <code>build/mapbench retain {text(scenario)} --variant all</code> · '
            f'<a href="#r{i}-retention">all scenarios</a></p></article></details>')


def short_answer(first, told):
    if first is None:
        return "no result"
    answer = told[first]
    times = f", {number_text(answer.amplification)} × live" if answer.amplification is not None else ""
    fixed = f"; fixed {bytes_words(answer.fixed_bytes)}" if answer.fixed_bytes is not None else ""
    return text(f"{retention.label_of(first)}: {bytes_words(answer.leaky_bytes)}{times}{fixed}")


def happened(data, scenario, first, told):
    claim = text(data.fact(scenario, "claim") or "")
    if first is None:
        lead = f"<p class='lead'>{claim}</p>" if claim else ""
        return f"{lead}<p>There is no result of a leaky variant; what there is of the others is below.</p>"
    answer = told[first]
    live = f", where {bytes_words(answer.live_bytes)} were still needed" if answer.live_bytes is not None else ""
    return (f"<p class='lead'>{claim}</p><p>" if claim else "<p>") + text(
        f"{retention.label_of(first)}: the leaky variant kept {bytes_words(answer.leaky_bytes)}{live}.") + "</p>"


def costs(first, told):
    if first is None:
        return "Not known."
    answer, lines = told[first], []
    if answer.amplification is not None:
        lines.append(f"<b>{number_text(answer.amplification)} ×</b> what is semantically live.")
    elif answer.live_bytes == 0:
        lines.append("Nothing was live any more: all that is kept is too much.")
    if answer.fixed_bytes is not None:
        lines.append(f"With the fix {text(bytes_words(answer.fixed_bytes))} are kept.")
    if answer.release is not None:
        lines.append("The bytes never come back by themselves." if answer.release == retention.NEVER
                     else f"The bytes come back after {answer.release:,.0f} operations.")
    return "<p>" + " ".join(lines) + "</p>" + spread(told)


def spread(told):
    """Returns the most and the least forgiving map, where several ran on one heap."""
    known = {s: a.amplification for s, a in told.items()
             if s.map and a.amplification is not None and not retention.is_real(s)}
    if len(known) < 2:
        return ""
    best, worst = min(known, key=known.get), max(known, key=known.get)
    middle = statistics.median(known.values())
    return (f"<p>Over {len(known)} cases with a map: from {number_text(known[best])} × "
            f"({text(retention.label_of(best))}) to {number_text(known[worst])} × "
            f"({text(retention.label_of(worst))}), median {number_text(middle)} ×.</p>")


def holds(answers, first):
    known = {s: a for s, a in answers.items() if a.held_by}
    subject = first if first in known else next(iter(known), None)
    if subject is None:
        return "<p>Not known: only the simulated heap (gosim) can be asked, and no path was recorded on it.</p>"
    answer = known[subject]
    path = f'<p class="path"><code>{text(answer.held_by)}</code></p>'
    over = f"<p>Dominated by <code>{text(answer.dominator)}</code>: drop it, and all of it goes.</p>" \
        if answer.dominator else ""
    return f"<p>The shortest path from a root ({text(retention.label_of(subject))}):</p>{path}{over}"


def to_do(data, scenario, answers, first):
    fix = data.fact(scenario, "fix") or next((a.fix for a in answers.values() if a.fix), None)
    out = f"<p class='lead'>{text(fix)}</p>" if fix else "<p>This run does not say.</p>"
    vain = {}
    for case in data.by_subject.get(first, ()):
        if case.role == "no_fix" and case.worst() is not None:
            vain[case.variant] = case.kept(case.worst(data.decisive(scenario)))
    tried = "; ".join(f"<b>{text(retention.words(v))}</b> keeps {text(bytes_words(kept))}"
                      + (f" ({text(data.summary(scenario, v))})" if data.summary(scenario, v) else "")
                      for v, kept in vain.items())
    return out + (f"<p>Believed to help, and does not: {tried}.</p>" if tried else "")


def variants(data, scenario):
    rows = []
    label = data.decisive(scenario)
    timed = any(retention.is_real(c.subject) and time_to_mark(c) is not None for c in data.cases.values() if c.scenario == scenario)
    for subject in data.subjects(scenario):
        for case in [c for c in data.by_subject.get(subject, ()) if c.variant]:
            point = case.worst(label)
            cells = [text(retention.words(case.variant)), text(ROLE_WORDS[case.role]),
                     text(data.summary(scenario, case.variant)), text(retention.map_label(subject) or "–"), text(subject.engine if retention.is_real(subject) else subject.heap)]
            if point is None:
                rows.append(cells + [("–", "")] * (7 if timed else 6) + [f'<span class="bad">{text(case.error or "no checkpoint")}</span>'])
                continue
            kept, live = case.kept(point), point["semantic_live_bytes"]
            peak = max(case.kept(p) for p in case.points if case.kept(p) is not None)
            rows.append(cells + [kept_cell(kept), kept_cell(live), times(kept, live), kept_cell(peak),
                                 number(point.get("d_heap_objects")), number(subject.n),
                                 *([duration(time_to_mark(case))] if timed else []),
                                 text(f"{retention.words(point['label'])} {point['step']:,}")
                                 + (f' <span class="bad">{text(case.error)}</span>' if case.error else "")])
    columns = [(t, "") for t in ("variant", "role", "what it does", "map", "heap")] + [(t, "num") for t in (
        "kept", "live", "× live", "peak", "objects", "n", *(["time to mark"] if timed else []))] + [("at checkpoint", "")]
    return table("Variants, each at the checkpoint that decides; lower is better", columns, rows) if rows else ""


def time_to_mark(case):
    """Returns that of the last checkpoint that says; where a real collector was timed it is worth a column."""
    said = [retention.work_of(p.get("extra") or {}, "mark_ns") for p in case.points]
    return next((ns for ns in reversed(said) if ns is not None), None)


def times(kept, live):
    return (number_text(max(0, kept) / live), kept / live) if live else ("∞" if kept > 0 else "–", 1e18)


def left_out(data, scenario):
    found = {}
    for entry in data.skipped:
        if entry["scenario"] == scenario:
            found.setdefault(entry["reason"], []).append(entry["what"])
    items = "".join(f"<li>{text(', '.join(dict.fromkeys(whats)))}: {text(why)}</li>" for why, whats in found.items())
    return items and f"<div class='note'>Not run:<ul>{items}</ul></div>"


def references(data, scenario):
    named = data.fact(scenario, "references")
    if not named:
        return ""
    items = [expanded(word.strip()) for word in re.split(r"[,;]\s*", named) if word.strip()]
    return f"<p class='note'>References: {text('; '.join(items))}</p>"


def expanded(word):
    """Writes 'go#20135' with where to find it."""
    found = re.fullmatch(r"([a-z]+)#(\d+)", word)
    return f"{word} (github.com/{TRACKERS[found[1]]}/issues/{found[2]})" if found and found[1] in TRACKERS else word
