"""How series look on a terminal."""
import math
import statistics

from judge.base.cells import text_of
from judge.base.common import USER_LOCALE
from judge.history.series import RATIO, change_of_last

BLOCKS, ASCII = "▁▂▃▄▅▆▇█", "_.-~=+*#"
SPARK_POINTS = 30
# Range of the values by their median: less than this from lowest to highest is drawn as less than the full height, so that noise looks like noise.
SPARK_SPAN = 0.02
UNITS = {RATIO: "time by that of the anchor", "ns_per_op": "ns per operation", "bytes_per_entry": "bytes per entry"}
HIGHER_IS_NEITHER = ("load_factor",)


def terminal_takes_unicode():
    """Tells by the locale whether letters beyond ASCII can be shown: Python has its output in UTF-8 even where LANG=C, and
    then sets LC_CTYPE=C.UTF-8 itself."""
    everything, letters, language = USER_LOCALE.values()
    chosen = everything or (letters if letters != "C.UTF-8" else "") or language
    return chosen.lower().replace("-", "").endswith("utf8")


def sparkline(values, blocks):
    """Returns one sign a value of the newest SPARK_POINTS, from the lowest block to the highest."""
    values = values[-SPARK_POINTS:]
    low, high = min(values), max(values)
    span = max(high - low, SPARK_SPAN * abs(statistics.median(values)))
    low = (low + high - span) / 2
    return "".join(blocks[min(len(blocks) - 1, int((v - low) / span * len(blocks)))] if span else blocks[0] for v in values)


def number(value, metric):
    if metric == RATIO:
        return f"{value:.4f}"
    if value and (abs(value) >= 1e7 or abs(value) < 0.001):
        return f"{value:.4g}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def percent(value):
    return "-" if value is None else f"{value:+.1f} %"


def unit_of(metric):
    if metric in UNITS:
        return UNITS[metric]
    if metric.endswith("_bytes") or metric.startswith("bytes"):
        return "bytes"
    return "ns" if metric.endswith("_ns") else ""


def where_text(machine):
    key, facts = machine
    if key.startswith("toolchain"):
        return f"counted with {key}"
    parts = [facts.get("cpu") or "unknown processor", f"{facts['cores']} cores" if facts.get("cores") else "",
             f"Linux {facts['kernel']}" if facts.get("kernel") else "", facts.get("virtual") or ""]
    return f"machine {key[:8]}: " + ", ".join(part for part in parts if part)


def heading(series, anchor_text):
    unit = unit_of(series.metric)
    text = f"== {series.metric}" + (f" ({unit})" if unit else "") + f", {where_text(series.machine)}"
    text += f"; base {anchor_text}" if series.metric == RATIO else ""
    return text + ("" if series.metric in HIGHER_IS_NEITHER else "; lower is better")


def table(rows, right=()):
    """Returns lines of a table; columns whose index is in `right` are aligned there."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(t.rjust(w) if i in right else t.ljust(w) for i, (t, w) in enumerate(zip(row, widths))).rstrip() for row in rows]


def show(all_series, anchor_text, blocks):
    """Returns the text of `history show`: a block per metric and machine, a line per cell."""
    groups = {}
    for series in all_series:
        groups.setdefault((series.metric, series.machine[0]), []).append(series)
    lines, marked = [], False
    for group in groups.values():
        rows = [("cell", "history", "last", "", "change", "points")]
        for series in group:
            last = series.points[-1]
            marked |= not last.stable
            rows.append((text_of(series.cell), sparkline([p.value for p in series.points], blocks),
                         number(last.value, series.metric), "" if last.stable else "!", percent(change_of_last(series)),
                         str(len(series.points))))
        lines += ([""] if lines else []) + [heading(group[0], anchor_text)] + table(rows, right=(2, 4, 5))
    lines.append("")
    lines.append("change: the last point against the median of up to ten before it; a difference, not a verdict")
    return lines + (["!: unstable, or of a comparison that was not trustworthy: do not quote it"] if marked else [])


def short(revision):
    """Returns a commit as people name it; "-" where none was said."""
    if not revision:
        return "-"
    return revision[:9] + ("-dirty" if revision.endswith("-dirty") else "")
