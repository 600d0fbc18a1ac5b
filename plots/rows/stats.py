"""Statistics of a run: paired comparisons by rounds.

Within a round every map of a cell is measured within a second or so, in random order. What disturbs the machine
then disturbs all of them alike and cancels in the ratio, which is why rounds are paired. What does not cancel is where
this one process happened to place its memory: a verdict here holds for this run (docs/reading-results.md).
"""
import math
from collections import namedtuple

import numpy
import scipy.special

from plots.rows.run import BASELINE

ALPHA = 0.05
ROUNDS_MIN = 3  # with fewer there is no spread to speak of: nothing is tested

RATIO_DARKEST = 16.0

# ratio: median over the rounds of time / time of the other. p: two-sided, None when there was nothing to test.
Paired = namedtuple("Paired", "ratio p rounds")
# of a row against the best of its column. verdict: "best", "slower", "same" (~), "untested"
Verdict = namedtuple("Verdict", "ratio p verdict best")


def geomean(values):
    values = list(values)
    return math.exp(math.fsum(math.log(v) for v in values) / len(values)) if values else None


def log_ratios(own, other):
    """Returns the logarithms of the ratios of two lists of round medians, paired by index, None where a side misses."""
    return [math.log(a) - math.log(b) if a is not None and b is not None and a > 0 and b > 0 else None
            for a, b in zip(own, other)]


def paired(own, other):
    """Compares two lists of round medians, paired by index; rounds that miss on either side are left out."""
    return paired_logs(log_ratios(own, other))


def paired_logs(logs):
    """Returns the same from the logarithms of the ratios."""
    logs = [value for value in logs if value is not None]
    if not logs:
        return Paired(None, None, 0)
    ratio = math.exp(float(numpy.median(logs)))
    if len(logs) < ROUNDS_MIN:
        return Paired(ratio, None, len(logs))
    if max(logs) - min(logs) < 1e-12:  # no spread at all: the t statistic would be 0/0 or infinite
        return Paired(ratio, 1.0 if abs(logs[0]) < 1e-12 else 0.0, len(logs))
    t = numpy.mean(logs) / (numpy.std(logs, ddof=1) / math.sqrt(len(logs)))
    # scipy.stats.ttest_1samp does the same in a hundred times the time, and a page may hold ten thousand pairs
    return Paired(ratio, float(2 * scipy.special.stdtr(len(logs) - 1, -abs(t))), len(logs))


def interval(logs):
    """Returns the 95 % interval of the ratio whose logarithms over the rounds are given: t over the rounds, widened to the median
    where a stray round would leave that outside. None with too few rounds."""
    logs = [value for value in logs if value is not None]
    if len(logs) < ROUNDS_MIN:
        return None
    mean, middle = float(numpy.mean(logs)), float(numpy.median(logs))
    reach = float(scipy.special.stdtrit(len(logs) - 1, 1 - ALPHA / 2) * numpy.std(logs, ddof=1) / math.sqrt(len(logs)))
    return math.exp(min(mean - reach, middle)), math.exp(max(mean + reach, middle))


def holm(ps):
    """Applies Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979): adjusted p values in the same order.
    None entries (nothing tested) stay None and do not count."""
    tested = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted, highest = [None] * len(ps), 0.0
    for rank, (p, i) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[i] = highest
    return adjusted


def against_best(columns):
    """Compares with the best. columns: {column: {label: row}} of time rows. Returns {(column, label): Verdict}, the p
    values corrected over all columns together. The best is the one with the lowest median."""
    pairs, results = [], {}
    for column, rows in columns.items():
        if not rows:
            continue
        best = min(rows, key=lambda label: rows[label]["median"])
        for label, row in rows.items():
            if label == best:
                results[column, label] = Verdict(1.0, None, "best", best)
            else:
                pairs.append((column, label, best, row, paired(row["round_medians"], rows[best]["round_medians"])))
    corrected = holm([pair[4].p for pair in pairs])
    for (column, label, best, row, pair), p in zip(pairs, corrected):
        ratio = row["median"] / columns[column][best]["median"]
        verdict = "untested" if p is None else "slower" if p < ALPHA and pair.ratio > 1 else "same"
        results[column, label] = Verdict(ratio, p, verdict, best)
    return results


def ratio_text(verdict):
    """Writes a verdict as everywhere: 1.32, ~1.01 (not significantly slower), 1.3? (not enough rounds to say)."""
    if verdict.verdict == "best":
        return "1"
    digits = ratio_digits(verdict.ratio)
    return {"slower": digits, "same": "~" + digits, "untested": digits + "?"}[verdict.verdict]


def ratio_digits(ratio):
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.0f}" if ratio >= 99.5 else f"{ratio:.1f}"


def shade(ratio):
    """Returns how dark a heat map shows a ratio: 0 for the best, 1 from RATIO_DARKEST on, logarithmic between."""
    return min(1.0, math.log(max(1.0, ratio)) / math.log(RATIO_DARKEST))


def family_columns(run, rows):
    """Returns {(workload, n): {label: row}} of a family's time rows, the baseline left out."""
    columns = {}
    for row in rows:
        if row["map"] != BASELINE:
            columns.setdefault((row["workload"], row["n"]), {})[run.label(row)] = row
    return columns


def compared(run, rows):
    """Returns (columns, verdicts) of a family's time rows; kept with the run, as several figures and tables ask for them."""
    key = id(rows[0])
    if key not in run.compared:
        columns = family_columns(run, rows)
        run.compared[key] = columns, against_best(columns)
    return run.compared[key]


def rank(columns, verdicts):
    """Returns labels by the geomean of their ratios to the best, [(label, geomean)]. Only columns where every label was
    measured count, so that a map is not flattered by what it could not do; without such columns the labels keep
    their order and the geomean is over what each has."""
    labels = list(dict.fromkeys(label for rows in columns.values() for label in rows))
    shared = [c for c, rows in columns.items() if len(rows) == len(labels)]
    means = {}
    for label in labels:
        used = shared or [c for c, rows in columns.items() if label in rows]
        means[label] = geomean(verdicts[c, label].ratio for c in used)
    return sorted(means.items(), key=lambda item: item[1]), shared
