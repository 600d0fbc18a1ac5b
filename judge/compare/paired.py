"""Statistics of the paired comparison: from the times of one process to a verdict's numbers. Pure functions.

A process runs both variants in strict alternation, some rounds of it, each with code and memory placed anew. What
disturbs neighbouring batches alike cancels within a round; where code and memory lie is drawn anew by rounds and
processes. Processes are the independent units: every interval and test is over them.
"""
import math
from collections import namedtuple

import numpy
import scipy.special
import scipy.stats

ALPHA = 0.005       # one-sided, of one alarm; with its confirmation 2.5e-5
CONFIDENCE = 0.95   # of the interval that is printed
ROUNDS_TRIMMED = 0.3  # of either end
POWER_QUANTILE = 1.2815515655446004  # of the normal distribution at .9: the MDE is what is found nine times in ten

# processes: how many values; mean, sd: of the logarithms; reach: half the width of the 95 % interval, in logarithms
Estimate = namedtuple("Estimate", "processes mean sd reach")


def round_value(ns_per_op, starts, preempted):
    """Returns the logarithm of new / base of one round: the median over its inner batches of s * ln(t / mean of both
    neighbours), s = 1 for the new variant and -1 for the base. ns_per_op: in order of execution, variants alternating;
    starts: "base" or "new"; preempted: whether each batch lost its processor, which drops it and its neighbours. None:
    no batch is left."""
    times = numpy.asarray(ns_per_op, dtype=float)
    lost = numpy.asarray(preempted, dtype=bool) | ~(times > 0)
    if len(times) < 3:
        return None
    keep = ~(lost[:-2] | lost[1:-1] | lost[2:])
    if not keep.any():
        return None
    with numpy.errstate(divide="ignore", invalid="ignore"):
        logs = numpy.log(times[1:-1] / ((times[:-2] + times[2:]) / 2))
    signs = numpy.ones(len(logs))
    signs[(1 if starts == "base" else 0)::2] = -1  # the first inner batch is the variant that did not start
    return float(numpy.median((signs * logs)[keep]))


def process_value(rounds):
    """Returns the mean of the middle two fifths of the rounds' values (of three: of all); None when no round has one. The branch
    predictor takes some loops by one address a third slower than by another: a few rounds are far off, to either side.
    rounds: as the worker prints them."""
    values = [round_value(r["ns_per_op"], r["starts"], r["preempted"]) for r in rounds]
    values = [value for value in values if value is not None]
    return float(scipy.stats.trim_mean(values, ROUNDS_TRIMMED)) if values else None


def t_quantile(probability, freedom):
    return float(scipy.special.stdtrit(freedom, probability))


def estimate(values):
    """Estimates over the processes' values; None with fewer than two, which have no spread."""
    values = [value for value in values if value is not None]
    if len(values) < 2:
        return None
    sd = float(numpy.std(values, ddof=1))
    reach = t_quantile((1 + CONFIDENCE) / 2, len(values) - 1) * sd / math.sqrt(len(values))
    return Estimate(len(values), float(numpy.mean(values)), sd, reach)


def p_greater(e):
    """Returns the one-sided p of "the mean is not above zero", by t; the other side is one minus it."""
    if e.sd < 1e-12:  # no spread at all: the statistic would be 0/0 or infinite
        return 0.5 if abs(e.mean) < 1e-12 else float(e.mean < 0)
    return float(scipy.special.stdtr(e.processes - 1, -e.mean / (e.sd / math.sqrt(e.processes))))


def ratio(e):
    return math.exp(e.mean)


def interval(e):
    """Returns the 95 % interval of the ratio."""
    return math.exp(e.mean - e.reach), math.exp(e.mean + e.reach)


def bound_percent(e):
    """Returns the bound within which base and new are equal: the end of the interval that is further from no difference."""
    low, high = interval(e)
    return 100 * max(1 - low, high - 1)


def mde_percent(e):
    """Returns the smallest difference that nine of ten such measurements would call one: (t(.995, P-1) + 1.28) s /
    sqrt(P)."""
    logs = (t_quantile(1 - ALPHA, e.processes - 1) + POWER_QUANTILE) * e.sd / math.sqrt(e.processes)
    return 100 * (math.exp(logs) - 1)


def alarm(e, floor_percent, alpha=ALPHA):
    """Returns 1: new is slower, -1: new is faster, 0: neither. Beyond the floor, and significant by a one-sided t."""
    if e is None:
        return 0
    beyond = 100 * abs(ratio(e) - 1) > floor_percent
    p = p_greater(e)
    return 0 if not beyond else 1 if p < alpha else -1 if 1 - p < alpha else 0


def geomean(ratios):
    ratios = list(ratios)
    return math.exp(math.fsum(math.log(r) for r in ratios) / len(ratios)) if ratios else None
