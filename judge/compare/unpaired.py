"""The ratio of two rows of different runs. Minutes or machines lie between them, and one process's rounds share one
placement of its memory, which the interval does not know."""
import math

import numpy
from judge.compare import paired

ROUNDS_LEAST = 3  # fewer have no spread to speak of


def ratio(base, new):
    """Returns (ratio of the medians new/base, interval or None): Welch's 95 % interval of the logarithms of the medians of
    the rounds, widened to the ratio where a stray round would leave it outside."""
    log = math.log(new["median"] / base["median"])
    logs = [numpy.log([median for median in row["round_medians"] if median]) for row in (base, new)]
    if min(map(len, logs)) < ROUNDS_LEAST:
        return math.exp(log), None
    shares = [float(numpy.var(values, ddof=1)) / len(values) for values in logs]
    if not sum(shares):
        return math.exp(log), [math.exp(log)] * 2
    freedom = sum(shares) ** 2 / sum(share ** 2 / (len(values) - 1) for share, values in zip(shares, logs))
    middle, reach = float(numpy.mean(logs[1]) - numpy.mean(logs[0])), paired.t_quantile(0.975, freedom) * math.sqrt(sum(shares))
    return math.exp(log), [math.exp(min(middle - reach, log)), math.exp(max(middle + reach, log))]
