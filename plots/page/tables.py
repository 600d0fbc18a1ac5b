"""The tables of a page, as HTML. Every text goes through text() or attribute escaping: names come from strangers."""
import html
import math

from plots.rows import stats
from plots.rows.numbers import format_bytes, format_n, format_ns
from plots.rows.run import BASELINE, entry_bytes, shorten


def text(value):
    return html.escape("" if value is None else str(value), quote=True)


def table(caption, columns, rows, classes="", sortable=True):
    """Writes a table. columns: [(title, class)]; rows: [[cell]], a cell is HTML, or (HTML, sort value), or (HTML, sort
    value, class)."""
    out = [f'<div class="scroll"><table class="{classes}{" sortable" if sortable else ""}">'
           f'<caption>{caption}</caption><thead><tr>']
    for title, kind in columns:
        out.append(f'<th scope="col" class="{kind}">' + (f'<button type="button">{title}</button>' if sortable else title)
                   + "</th>")
    out.append("</tr></thead><tbody>")
    for cells in rows:
        out.append("<tr>")
        for (_title, kind), cell in zip(columns, cells):
            content, value, more = (cell + ("", ""))[:3] if isinstance(cell, tuple) else (cell, "", "")
            # numbers sort by their value, words by what is shown
            attributes = f' data-v="{text(value)}"' if value not in ("", None) else ""
            classes_of_cell = " ".join(word for word in (kind, more) if word)
            attributes += f' class="{classes_of_cell}"' if classes_of_cell else ""
            out.append(f"<td{attributes}>{content}</td>")
        out.append("</tr>")
    out.append("</tbody></table></div>")
    return "".join(out)


def digits(value):
    """Returns a measured number with three significant digits, trailing zeros kept so that columns line up: 7.00, 0.320,
    116."""
    if value == 0:
        return "0"
    return f"{value:,.{min(6, max(0, 2 - math.floor(math.log10(abs(value)))))}f}"


def number(value):
    """Writes a cell: a count in full, another number with three digits, each with its exact value for sorting; a dash for
    what was not measured."""
    if value is None:
        return "–", ""
    return (f"{value:,}" if isinstance(value, int) else digits(value)), value


def shape_columns():
    return [("map", ""), ("shape", ""), ("workload", ""), ("keys", ""), ("n", "num")]


def shape_cells(run, row):
    return [text(run.label(row)), text(row["shape"]), text(row["workload"]),
            f'<span title="{text(row["keys"])}">{text(shorten(row["keys"]))}</span>', (format_n(row["n"]), row["n"])]


def verdicts_of(run):
    """Returns {id of a time row: Verdict}, tested family by family as in the figures."""
    found = {}
    for _family, rows in run.families("time").items():
        columns, verdicts = stats.compared(run, rows)
        for (column, label), verdict in verdicts.items():
            found[id(columns[column][label])] = verdict
    return found


def results(run, verdicts):
    rows = []
    for row in [r for r in run.rows if r["kind"] == "time"]:
        cells = shape_cells(run, row)
        if row["error"] is not None or not row["median"]:
            cells += [("–", ""), "", "", "", (f'<span class="bad">not measured</span>: {text(row["error"])}', "")]
            rows.append(cells)
            continue
        verdict, null = verdicts.get(id(row)), row["null_ns_per_op"]
        low, high = row["ci95"] or (None, None)
        cells.append(number(row["median"]))
        cells.append((f"{digits(low)} – {digits(high)}", high - low) if low is not None else "–")
        cells.append((stats.ratio_text(verdict), verdict.ratio, verdict.verdict) if verdict else ("baseline", ""))
        times = row["median"] / null if null and row["map"] != BASELINE else None
        cells.append((f"{times:.1f}×" if times < 1000 else "> 1000×", times) if times else "")
        cells.append(stability(row))
        rows.append(cells)
    columns = shape_columns() + [("ns/op", "num"), ("95 % interval", "num"), ("× best", "num"), ("× null", "num"),
                                 ("stable", "")]
    return table(f"Time per operation, {len(rows)} rows; lower is better", columns, rows, "results")


def stability(row):
    return "yes" if row["stable"] else f'<span class="bad">no</span>: {text(row["why_unstable"])}'


def heat(run, family, rows):
    """Returns the heat map of a family as a table, or nothing."""
    columns, verdicts = stats.compared(run, rows)
    if not columns:
        return ""
    ranked, _shared = stats.rank(columns, verdicts)
    order = list(dict.fromkeys(w for w, _n in columns))
    keys = sorted(columns, key=lambda c: (order.index(c[0]), c[1]))
    out = [f'<div class="scroll"><table class="heat"><caption>{text(run.title(family))}</caption><thead><tr>'
           '<th scope="col" rowspan="2">map</th><th scope="col" rowspan="2">mean</th>']
    for workload in order:
        out.append(f'<th scope="colgroup" colspan="{sum(k[0] == workload for k in keys)}">{text(workload)}</th>')
    out.append("</tr><tr>")
    out += [f'<th scope="col">{format_n(n)}</th>' for _w, n in keys]
    out.append("</tr></thead><tbody>")
    for label, mean in ranked:
        out.append(f'<tr><th scope="row">{text(label)}</th><td><b>{mean:.2f}</b></td>')
        out += [heat_cell(columns[key].get(label), verdicts.get((key, label)), key) for key in keys]
        out.append("</tr>")
    return "".join(out) + "</tbody></table></div>"


def heat_cell(row, verdict, key):
    if row is None:
        return "<td>–</td>"
    amount = stats.shade(verdict.ratio)
    classes = " ".join(name for name, on in (("best", verdict.verdict == "best"), ("deep", amount > 0.5),
                                             ("shaky", not row["stable"])) if on)
    p = "" if verdict.p is None else f", p = {verdict.p:.2g}"
    tip = (f"{row['map']}, {key[0]}, n = {format_n(key[1])}: {row['median']:.4g} ns, {verdict.ratio:.3f} × "
           f"{verdict.best}{p}")
    if not row["stable"]:
        tip += f"; unstable: {row['why_unstable']}"
    return (f'<td class="{classes}" style="--a:{0.08 + 0.8 * amount:.2f}" title="{text(tip)}">'
            f"{stats.ratio_text(verdict)}</td>")


PAGE_SETTINGS = {"set": "as the machine is set", "small": "small", "huge": "huge"}  # of memory


def memory(run):
    rows, measured = [], run.measured("memory")
    settings = {row.get("pages") or "set" for row in measured} - {"set"}
    for row in measured:
        octave, key_value = row.get("octave") or {}, entry_bytes(row["shape"])
        per_entry = row["bytes_per_entry"]
        pages = [PAGE_SETTINGS.get(row.get("pages") or "set", row.get("pages"))] if settings else []
        rows.append(shape_cells(run, row) + pages + [
            number(per_entry), number(per_entry / key_value if per_entry and key_value else None),
            (" – ".join(digits(octave[which]) for which in ("min", "mean", "max")), octave["mean"]) if octave else "–",
            size(row.get("bytes_live")), size(row.get("bytes_peak")), size(row.get("rss_delta")),
            size(row.get("rss_peak_delta")), number(row.get("blocks_live")), number(row.get("allocations"))])
    columns = shape_columns() + ([("pages", "")] if settings else []) + [(title, "num") for title in (
        "bytes/entry", "× key+value", "over the last doubling: min – mean – max", "live", "peak", "resident",
        "resident peak", "blocks", "allocations")]
    return table("Memory at n entries; lower is better", columns, rows) if rows else ""


def size(value):
    return (format_bytes(value), value) if value is not None else ("–", "")


def growth(run):
    rows = []
    for row in run.measured("latency"):
        events = row["growth_events"]
        if row["map"] == BASELINE:
            continue
        top = max(events, key=lambda e: e["ns"], default=None)
        total = row.get("growth_events_total", len(events))
        quantiles = [duration(row["latency"].get(q)) for q in ("p50", "p99", "p999", "p9999", "max")]
        rows.append(shape_cells(run, row) + quantiles + [number(total)] + (
            [duration(top["ns"]), number(top["op"]), capacities(top)] if top else [("–", ""), ("–", ""), ""])
            + [stability(row)])
    titles = ("p50", "p99", "p99.9", "p99.99", "longest", "growths", "longest growth", "at operation", "capacity")
    columns = shape_columns() + [(title, "num") for title in titles] + [("stable", "")]
    return table("Latency of single operations, the timer's own cost included, and growth events", columns, rows) \
        if rows else ""


def open_loop(run):
    """Returns the open loops beside the closed ones of the same maps. No medians: at half load most operations find the map
    idle, and their time is the timer's."""
    closed = {open_key(row): row["latency"] for row in run.measured("latency")}
    rows = []
    for row in run.measured("open"):
        if row["map"] == BASELINE:
            continue
        beside, latency = closed.get(open_key(row), {}), row["latency"]
        load = row.get("utilisation")
        rows.append(shape_cells(run, row) + [text(row["rate"]), number(row["offered_per_s"]), number(row["achieved_per_s"]),
                                             number(load), number(row["late_share"])]
                    + [duration(of.get(q)) for q in ("p99", "p999", "p9999", "max") for of in (beside, latency)]
                    + [stability(row)])
    columns = shape_columns() + [("rate", "")] + [(title, "num") for title in ("arrive/s", "done/s", "busy", "late")] + [
        (f"{which}, {loop}", "num") for which in ("p99", "p99.9", "p99.99", "longest") for loop in ("closed", "open")]
    return table("Operations that arrive at a fixed rate, timed from their arrival (open), beside those that wait for the "
                 "last (closed)", columns + [("stable", "")], rows) if rows else ""


def open_key(row):
    return tuple(row.get(f) for f in ("job", "cell", "map", "shape", "workload", "keys", "n", "heap", "hash", "engine", "order"))


def capacities(event):
    both = event.get("old_capacity"), event.get("new_capacity")
    return "–" if None in both else " → ".join(map(format_n, both))


def duration(ns):
    return (format_ns(ns), ns) if ns is not None else ("–", "")


def counters(run):
    rows = run.measured("counters")
    names = list(dict.fromkeys(name for row in rows for name in row["counters"]))
    if not names:
        return ""
    reasons = {}
    for row in rows:
        for name, why in (row.get("counters_why") or {}).items():
            reasons.setdefault((name, str(why)), None)
    shown = [name for name in names if any(row["counters"].get(name) is not None for row in rows)]
    cells = [shape_cells(run, row) + [number(row["counters"].get(name)) for name in shown] for row in rows]
    out = table("Events per operation", shape_columns() + [(text(name), "num") for name in shown], cells) if shown else ""
    if reasons:
        out += "<p>Not counted:</p><ul>" + "".join(f"<li><b>{text(name)}</b>: {text(why)}</li>"
                                                   for name, why in reasons) + "</ul>"
    return out


def structure(run):
    fields = [("capacity", "capacity"), ("load factor", "load_factor"), ("tombstones", "tombstones"),
              ("mean probe", "probe_mean"), ("longest probe", "probe_max"), ("array bytes", "array_bytes")]
    rows = [shape_cells(run, row) + [number(row.get(field)) for _title, field in fields]
            for row in run.measured("structure") if row["map"] != BASELINE]
    return table("What the maps look like inside", shape_columns() + [(t, "num") for t, _f in fields], rows) \
        if rows else ""


def grew(row):
    if row["exponent"] is None:
        return "-"
    low, high = row["exponent_ci95"] or (None, None)
    return f"n^{row['exponent']:.2f}" + (f" ({low:.2f} to {high:.2f})" if low is not None else "")


def scaling(run):
    """How the time of workloads that may turn slow grows with n."""
    rows = [shape_cells(run, row) + [text(", ".join(f"{ns:.1f} at {n:,.0f}" for n, ns, _slowest in row["points"])),
                                     (text(grew(row)), row["exponent"]),
                                     text(f"at {row['given_up_at']:,}" if row["given_up_at"] else "")]
            for row in run.measured("scaling") if row["map"] != BASELINE]
    return table("How the time per operation grows with n", shape_columns() + [("ns/op", ""), ("grew like", ""), ("gave up", "")],
                 rows) if rows else ""


def maps(run):
    rows = [[text(m.get("name")), text(m.get("summary")), text(m.get("source")), text(m.get("options")),
             text(m.get("fairness"))] for m in run.info["maps"]
            if m.get("name") in run.maps or (run.retention and m.get("name") in run.retention.maps())]
    return table("The maps measured, and what to know when comparing them",
                 [(t, "") for t in ("map", "what it is", "source", "as compiled", "fairness")], rows) if rows else ""
