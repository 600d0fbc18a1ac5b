"""Tests of judge/history/changepoints.py: planted changes are found where they are, noise is not called one."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy  # noqa: E402
from judge.history import changepoints  # noqa: E402
from judge.history.changepoints import DRIFT, STEP  # noqa: E402


class Planted(unittest.TestCase):
    def setUp(self):
        self.random = numpy.random.default_rng(11)

    def series(self, points, noise, steps=()):
        """A series around 100 that from point `at` on is `ratio` times what it was, for (at, ratio) of steps."""
        values = 100 * numpy.exp(noise * self.random.standard_normal(points))
        for at, ratio in steps:
            values[at:] *= ratio
        return values

    def found(self, tries, points, noise, steps):
        """How many of the tries found as many steps as planted, each within one point."""
        good = 0
        for _ in range(tries):
            changes = changepoints.find(self.series(points, noise, steps))
            good += [c.kind for c in changes] == [STEP] * len(steps) and all(abs(c.at - at) <= 1 for c, (at, _r) in zip(changes, steps))
        return good

    def test_a_step_within_one_point(self):
        self.assertGreaterEqual(self.found(100, 24, 0.007, [(12, 1.04)]), 95)
        self.assertGreaterEqual(self.found(100, 60, 0.005, [(41, 0.98)]), 95)
        self.assertGreaterEqual(self.found(100, 10, 0.003, [(7, 1.05)]), 95)
        self.assertGreaterEqual(self.found(100, 30, 0.007, [(27, 1.06)]), 95)

    def test_two_steps_up_and_back_and_up_again(self):
        self.assertGreaterEqual(self.found(100, 20, 0.005, [(8, 1.08), (14, 1 / 1.08)]), 95)
        self.assertGreaterEqual(self.found(100, 40, 0.005, [(15, 1.04), (28, 1.04)]), 95)

    def test_what_is_said_of_a_step(self):
        change, = changepoints.find([100.0] * 9 + [110.0] * 3)
        self.assertEqual((change.kind, change.at, change.first, change.last), (STEP, 9, 0, 11))
        self.assertAlmostEqual(change.before, 100)
        self.assertAlmostEqual(change.after, 110)
        self.assertAlmostEqual(change.ratio, 1.1)
        self.assertEqual(change.p, 1 / (changepoints.SIMULATIONS + 1))

    def test_spikes_are_ignored_wherever_they_are(self):
        for at in range(12):
            for height in (0.5, 1.3, 10):
                exact, noisy = [100.0] * 12, self.series(12, 0.002)
                exact[at] *= height
                noisy[at] *= height
                self.assertEqual(changepoints.find(exact), [], (at, height))
                self.assertEqual(changepoints.find(noisy), [], (at, height))

    def test_a_spike_does_not_hide_a_step(self):
        good = 0
        for _ in range(50):
            values = self.series(30, 0.005, [(15, 1.04)])
            values[7] *= 1.5
            good += [abs(c.at - 15) <= 1 for c in changepoints.find(values)] == [True]
        self.assertGreaterEqual(good, 47)

    def test_two_points_are_no_segment(self):
        self.assertEqual(changepoints.find([100.0] * 12 + [110.0] * 2), [])
        self.assertEqual(changepoints.find([110.0] * 2 + [100.0] * 12), [])

    def test_below_the_least_effect(self):
        self.assertEqual(changepoints.find([1000.0] * 10 + [1009.0] * 10), [])
        self.assertEqual(len(changepoints.find([1000.0] * 10 + [1011.0] * 10)), 1)

    def test_fewer_than_ten_points(self):
        self.assertIsNone(changepoints.find([100.0] * 5 + [200.0] * 4))
        self.assertEqual(len(changepoints.find([100.0] * 5 + [200.0] * 5)), 1)
        self.assertIsNone(changepoints.find([]))

    def test_a_slow_drift_is_a_drift(self):
        for slope in (0.001, -0.002, 0.005):
            values = self.series(60, 0.005) * numpy.exp(slope * numpy.arange(60))
            change, = changepoints.find(values)
            self.assertEqual(change.kind, DRIFT)
            self.assertAlmostEqual(numpy.log(change.ratio), slope * 59, delta=0.01)

    def test_the_same_series_gets_the_same_answer(self):
        values = self.series(50, 0.01, [(25, 1.03)])
        self.assertEqual(changepoints.find(values), changepoints.find(list(values)))


class Noise(unittest.TestCase):
    """Of 1,000 series without a change, how many are said to have one. The bounds leave a chance of less than one in ten
    thousand that a method that keeps its promise fails, were the seeds drawn anew."""

    def alarms(self, draw, points, series=1000):
        random = numpy.random.default_rng((5, points))
        return sum(bool(changepoints.find(100 * numpy.exp(0.02 * draw(random, points)))) for _ in range(series))

    def test_normal_noise_at_the_level(self):
        # expected: 0.4 to 1.2 of 1,000
        for points in (10, 17, 30, 90):
            self.assertLessEqual(self.alarms(lambda r, n: r.standard_normal(n), points), 6, points)

    def test_heavy_tails(self):
        # the promise here: 1 %
        for points in (12, 60):
            self.assertLessEqual(self.alarms(lambda r, n: r.standard_t(3, n), points), 22, points)

    def test_a_tenth_of_the_nights_disturbed(self):
        # the promise here: 2 % of the series
        for points in (14, 60):
            self.assertLessEqual(self.alarms(lambda r, n: r.standard_normal(n) + 8 * (r.random(n) < 0.1), points, 500), 21, points)

    def test_p_is_the_share_of_simulated_noise(self):
        # p of noise is uniform: the mean of 400 is within four standard errors of a half
        random = numpy.random.default_rng(3)
        rows = random.standard_normal((400, 24))
        p = [changepoints.chance(float(t), 24) for t in changepoints.candidates(rows)[1]]
        self.assertAlmostEqual(sum(p) / len(p), 0.5, delta=4 * (1 / 12 / 400) ** 0.5)

    def test_lengths_between_those_simulated(self):
        self.assertEqual([next(s for s in changepoints.sizes() if s >= n) for n in (6, 40, 41, 50, 51)], [6, 40, 50, 50, 62])
        for share in (0.9, 0.99):
            short, long = (float(numpy.quantile(changepoints.simulated(points), share)) for points in (50, 62))
            self.assertAlmostEqual(long / short, 1, delta=0.05)
