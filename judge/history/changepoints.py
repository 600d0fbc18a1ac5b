"""Finds where a series changed for good. Pure functions of numbers; docs/history.md says what they promise.

1. Logarithms, then a running median of three: a single spike vanishes, a step stays where it is.
2. The noise s: root mean square of the smaller 70 % of the differences between neighbours of the series itself. Steps
   and spikes are among the larger ones, and so do not hide themselves or each other.
3. For every split into two segments of at least 3 points, T = |mean right - mean left| / (s sqrt(1/left + 1/right)); the
   split with the largest T is the candidate.
4. p: the share of 19,999 simulated series of the same length, independent normal noise without a change put through steps
   1-3, whose largest T is as large. The simulation stands for the whole search, over all splits. At p <= LEVEL it is a
   split, and both sides are searched again (binary segmentation).
5. A split is a change if the medians of its two segments differ by EFFECT or more, and if it holds against the order of
   their very values too (a permutation test): noise need not be normal, and what has many spikes is not.
6. Changes that all go one way may be the stairs that a slow drift is cut into: where a straight line explains the points
   better (Bayesian information criterion), they are one drift, and reported as that.
"""
import functools
import math
from collections import namedtuple

import numpy

POINTS_MIN, SEGMENT_MIN = 10, 3
LEVEL = 0.001
EFFECT = 0.01
QUIET_SHARE = 0.7  # share of the differences, the smaller ones, that is taken for noise
# Step 5: the level; few points have so few arrangements that not even the clearest step reaches it: there, ten of them.
PERMUTATIONS, ORDER_LEVEL, ARRANGEMENTS = 999, 0.01, 10
SPIKE_NOISES = 4  # there a value farther than this from the levels counts as so far: one spike does not outweigh the rest
SIMULATIONS, SEED = 19999, 20261120
# Relative. What repeats exactly has no noise to divide by; nothing below this matters to anyone.
NOISE_MIN = 1e-6

STEP, DRIFT = "step", "drift"
# at: index of the first point of the new level; of a drift, first and last: the points it goes over. before, after: medians of
# the segments; of a drift, the line's ends. ratio: after / before.
Change = namedtuple("Change", "kind at first last before after ratio p")


def find(values):
    """Returns the changes of a series of positive numbers in order of time, [Change]. None: too few points."""
    if len(values) < POINTS_MIN:
        return None
    logs = numpy.log(numpy.asarray(values, dtype=float))
    splits = {}
    search(logs, 0, len(logs), splits)
    steps = confirmed(logs, splits)
    return [change for group in one_way(steps) for change in as_drift(logs, group)]


def search(logs, first, last, splits):
    """Puts {index: p} of the changes within [first, last) into splits."""
    if last - first < 2 * SEGMENT_MIN:
        return
    best, statistic = candidates(logs[None, first:last])
    p = chance(float(statistic[0]), last - first)
    if p > LEVEL:
        return
    at = first + int(best[0])
    splits[at] = p
    search(logs, first, at, splits)
    search(logs, at, last, splits)


def confirmed(logs, splits):
    """Returns the steps that hold between the segments as they came out. The weakest that does not is dropped, its two
    segments become one, and the rest is looked at again."""
    splits, tested = dict(splits), {}
    while splits:
        edges = [0, *sorted(splits), len(logs)]
        steps = [step(logs, *edges[i:i + 3], splits[edges[i + 1]]) for i in range(len(edges) - 2)]
        small = [s for s in steps if abs(math.log(s.ratio)) < math.log1p(EFFECT)]
        if small:
            del splits[min(small, key=lambda s: abs(math.log(s.ratio))).at]
            continue
        for s in steps:
            place = s.first, s.at, s.last
            if place not in tested:
                tested[place] = by_order(logs[s.first:s.last + 1], s.at - s.first)
        weakest = max(steps, key=lambda s: tested[s.first, s.at, s.last])
        if tested[weakest.first, weakest.at, weakest.last] <= 1:
            return steps
        del splits[weakest.at]
    return []


def without_spikes(rows):
    """Returns the running median of three of every row; the ends take their neighbour's."""
    inner = numpy.median(numpy.stack((rows[:, :-2], rows[:, 1:-1], rows[:, 2:])), axis=0)
    return numpy.concatenate((inner[:, :1], inner, inner[:, -1:]), axis=1)


def noise(rows):
    differences = numpy.sort(numpy.abs(numpy.diff(rows, axis=1)), axis=1)
    quiet = differences[:, :math.ceil(QUIET_SHARE * differences.shape[1])]
    return numpy.maximum(numpy.sqrt(numpy.mean(quiet**2, axis=1)), NOISE_MIN)


def contrasts(rows):
    """Returns (index of the split of every row where the means differ most, for how many points they have, that
    difference)."""
    points = rows.shape[1]
    left = numpy.arange(SEGMENT_MIN, points - SEGMENT_MIN + 1)
    sums = numpy.cumsum(rows, axis=1)
    before = sums[:, left - 1]
    shift = numpy.abs((sums[:, -1:] - before) / (points - left) - before / left) / numpy.sqrt(1 / left + 1 / (points - left))
    best = numpy.argmax(shift, axis=1)
    return left[best], shift[numpy.arange(len(rows)), best]


def candidates(rows):
    """Returns (index of the best split, its T) of every row."""
    at, shift = contrasts(without_spikes(rows))
    return at, shift / noise(rows)


def chance(statistic, points):
    """Returns how often noise alone reaches the statistic. The least it can say is 1 / (SIMULATIONS + 1)."""
    null = simulated(next(size for size in sizes() if size >= points))
    return (1 + len(null) - int(numpy.searchsorted(null, statistic, side="left"))) / (len(null) + 1)


def sizes():
    """Returns lengths that are simulated: all up to 40, then each a quarter longer; a length between them takes the next
    longer: from there on T hardly depends on it (at LEVEL 6.0 to 6.4 from 30 points to 120)."""
    size = 2 * SEGMENT_MIN
    while True:
        yield size
        size = size + 1 if size < 40 else size * 5 // 4


def by_order(part, split):
    """Returns how often these very values in another order look as changed, by how often they may: 1 or less is a change."""
    levels = numpy.median(part[:split]), numpy.median(part[split:])
    reach = SPIKE_NOISES * noise(part[None, :])[0]
    part = numpy.clip(part, min(levels) - reach, max(levels) + reach)
    _at, shift = contrasts(part[None, :])
    random = numpy.random.default_rng((SEED, len(part), split))
    shuffled = random.permuted(numpy.tile(part, (PERMUTATIONS, 1)), axis=1)
    reached = numpy.count_nonzero(contrasts(shuffled)[1] >= shift[0] * (1 - 1e-9))
    attainable = ARRANGEMENTS / math.comb(len(part), split)
    return (1 + reached) / (PERMUTATIONS + 1) / max(ORDER_LEVEL, attainable)


@functools.lru_cache(maxsize=None)
def simulated(points):
    """Returns the sorted largest T of series without a change."""
    random = numpy.random.default_rng((SEED, points))
    batch = max(1, 1_000_000 // points)  # rows at once: some megabytes
    found = [candidates(random.standard_normal((min(batch, SIMULATIONS - done), points)))[1]
             for done in range(0, SIMULATIONS, batch)]
    return numpy.sort(numpy.concatenate(found))


def step(logs, first, at, last, p):
    before, after = float(numpy.median(logs[first:at])), float(numpy.median(logs[at:last]))
    return Change(STEP, at, first, last - 1, math.exp(before), math.exp(after), math.exp(after - before), p)


def one_way(steps):
    """Returns neighbouring steps in the same direction, as groups."""
    groups = []
    for change in steps:
        if groups and (groups[-1][-1].ratio > 1) == (change.ratio > 1):
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def as_drift(logs, steps):
    """Returns [one drift] instead of the steps where a line explains their points better; otherwise the steps."""
    first, last = steps[0].first, steps[-1].last + 1
    x, y = numpy.arange(first, last), without_spikes(logs[None, first:last])[0]
    edges = [first, *(s.at for s in steps), last]
    stairs = sum(float(numpy.sum((part - part.mean())**2)) for part in numpy.split(y, [e - first for e in edges[1:-1]]))
    slope, origin = numpy.polyfit(x, y, 1)
    line = float(numpy.sum((y - slope * x - origin)**2))
    # parameters: a level per segment and where the steps are; slope and origin
    if criterion(line, len(y), 2) >= criterion(stairs, len(y), 2 * len(steps) + 1):
        return steps
    before, after = float(slope * first + origin), float(slope * (last - 1) + origin)
    return [Change(DRIFT, first, first, last - 1, math.exp(before), math.exp(after), math.exp(after - before),
                   min(s.p for s in steps))]


def criterion(squares, points, parameters):
    return points * math.log(max(squares / points, NOISE_MIN**2)) + parameters * math.log(points)
