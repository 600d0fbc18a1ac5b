"""The statistics of the paired comparison: against closed forms and scipy; false alarms at the promised rate and found
differences at the promised power, on simulated processes."""
import math
import random
import unittest

import judge_test_tools as tools

import scipy.stats
from judge.compare import compare, paired, pairing, report_pairs, validity
from judge.compare.verdict import FASTER, SAME, SLOWER, UNDERPOWERED, Series
from simulated_worker import Noise, SimulatedWorker, role_of_cells


class RoundValue(unittest.TestCase):
    def test_without_noise_it_is_the_ratio(self):
        for starts in ("base", "new"):
            times = [2.0 if (i % 2 == 0) == (starts == "base") else 2.5 for i in range(10)]
            self.assertAlmostEqual(paired.round_value(times, starts, [0] * 10), math.log(1.25), places=12)

    def test_by_hand(self):
        # inner batches: new 12 against (10+11)/2, base 11 against (12+15)/2, new 15 against (11+10)/2
        times = [10, 12, 11, 15, 10]
        by_hand = sorted([math.log(12 / 10.5), -math.log(11 / 13.5), math.log(15 / 10.5)])
        self.assertAlmostEqual(paired.round_value(times, "base", [0] * 5), by_hand[1], places=12)
        self.assertAlmostEqual(paired.round_value(times, "new", [0] * 5), -by_hand[1], places=12)

    def test_a_linear_drift_cancels(self):
        times = [(10 + i) * (1.1 if i % 2 else 1) for i in range(40)]
        self.assertAlmostEqual(paired.round_value(times, "base", [0] * 40), math.log(1.1), places=3)

    def test_a_preempted_batch_goes_with_its_neighbours(self):
        # every difference here touches the third batch
        self.assertIsNone(paired.round_value([10, 11, 500, 11, 10], "base", [0, 0, 1, 0, 0]))
        # two are left, that of the second batch and that of the last but one
        times = [10.0, 11.0, 10.0, 999.0, 10.0, 11.0, 10.0]
        self.assertAlmostEqual(paired.round_value(times, "base", [0, 0, 0, 1, 0, 0, 0]), math.log(1.1), places=12)

    def test_nothing_left(self):
        self.assertIsNone(paired.round_value([1, 2], "base", [0, 0]))
        self.assertIsNone(paired.round_value([1.0, 2.0, 1.0], "base", [1, 0, 0]))
        self.assertIsNone(paired.round_value([1.0, 0.0, 1.0], "base", [0, 0, 0]))
        self.assertIsNone(paired.process_value([{"ns_per_op": [1, 2, 1], "starts": "base", "preempted": [1, 1, 1]}]))

    def test_a_few_rounds_that_are_far_off_do_not_count(self):
        def measured(ratio):
            return {"ns_per_op": [10, 10 * ratio] * 4, "starts": "base", "preempted": [0] * 8}
        usual = [1.010, 1.011, 1.012, 1.013]
        rounds = [measured(ratio) for ratio in [*usual, 1.5, 1.4, 0.7]]  # a third slower, by either variant's code
        self.assertAlmostEqual(paired.process_value(rounds), (math.log(1.011) + math.log(1.012) + math.log(1.013)) / 3, places=4)
        three = [measured(ratio) for ratio in (1.01, 1.02, 1.06)]
        self.assertAlmostEqual(paired.process_value(three), math.log(1.01 * 1.02 * 1.06) / 3, places=12)
        lost = {"ns_per_op": [1, 2, 1], "starts": "base", "preempted": [1, 1, 1]}
        self.assertAlmostEqual(paired.process_value([lost, measured(1.01)]), math.log(1.01), places=12)


class OverProcesses(unittest.TestCase):
    def setUp(self):
        stream = random.Random(5)
        self.values = [stream.gauss(0.01, 0.012) for _ in range(10)]
        self.e = paired.estimate(self.values)

    def test_interval_and_p_are_scipys(self):
        low, high = scipy.stats.t.interval(0.95, 9, self.e.mean, scipy.stats.sem(self.values))
        self.assertAlmostEqual(paired.interval(self.e)[0], math.exp(low), places=12)
        self.assertAlmostEqual(paired.interval(self.e)[1], math.exp(high), places=12)
        test = scipy.stats.ttest_1samp(self.values, 0, alternative="greater")
        self.assertAlmostEqual(paired.p_greater(self.e), test.pvalue, places=12)

    def test_mde_is_the_difference_found_nine_times_in_ten(self):
        s = self.e.sd / math.sqrt(10)
        wanted = (scipy.stats.t.ppf(0.995, 9) + scipy.stats.norm.ppf(0.9)) * s
        self.assertAlmostEqual(math.log1p(paired.mde_percent(self.e) / 100), wanted, places=12)
        power = scipy.stats.nct.sf(scipy.stats.t.ppf(0.995, 9), 9, wanted / s)
        self.assertAlmostEqual(power, 0.9, delta=0.07)

    def test_bound(self):
        self.assertAlmostEqual(paired.bound_percent(paired.Estimate(10, 0.0, 1, math.log(1.02))), 2.0, places=9)
        self.assertAlmostEqual(paired.bound_percent(paired.Estimate(10, -0.05, 1, 0.0)), 100 * (1 - math.exp(-0.05)))

    def test_alarm_needs_floor_and_significance(self):
        sure, unsure = 0.001, 0.05
        self.assertEqual(paired.alarm(paired.Estimate(10, 0.02, sure, 0), 1.0), 1)
        self.assertEqual(paired.alarm(paired.Estimate(10, -0.02, sure, 0), 1.0), -1)
        self.assertEqual(paired.alarm(paired.Estimate(10, 0.008, sure, 0), 1.0), 0)
        self.assertEqual(paired.alarm(paired.Estimate(10, 0.02, unsure, 0), 1.0), 0)
        self.assertEqual(paired.alarm(None, 1.0), 0)

    def test_too_few_or_without_spread(self):
        self.assertIsNone(paired.estimate([0.1]))
        self.assertIsNone(paired.estimate([0.1, None]))
        self.assertEqual(paired.p_greater(paired.estimate([0.0, 0.0])), 0.5)
        self.assertEqual(paired.alarm(paired.estimate([0.1, 0.1, 0.1]), 1.0), 1)
        self.assertEqual(paired.alarm(paired.estimate([-0.1, -0.1, -0.1]), 1.0), -1)

    def test_geomean(self):
        self.assertAlmostEqual(paired.geomean([1.1, 0.9, 1.02]), scipy.stats.gmean([1.1, 0.9, 1.02]), places=12)
        self.assertIsNone(paired.geomean([]))


class Verdicts(unittest.TestCase):
    def series(self, first, confirming=(), **fields):
        s = Series(first=list(first), confirming=list(confirming), **fields)
        s.look()
        return s

    def test_an_alarm_that_is_not_confirmed_is_none(self):
        up = [0.03 + 0.001 * i for i in range(10)]
        flat = [0.001 * (-1) ** i for i in range(10)]
        self.assertEqual(self.series(up, up).verdict(), SLOWER)
        self.assertEqual(self.series([-v for v in up], [-v for v in up]).verdict(), FASTER)
        self.assertEqual(self.series(up, flat).verdict(), SAME)
        self.assertEqual(self.series(up, [-v for v in up]).confirmed(), False)
        self.assertEqual(self.series(up).confirmed(), False)

    def test_a_confirmed_difference_is_that_of_the_fresh_processes(self):
        s = self.series([0.05 + 0.001 * i for i in range(10)], [0.02 + 0.001 * i for i in range(10)])
        self.assertAlmostEqual(s.estimate().mean, 0.0245, places=12)

    def test_a_floor_that_rose_in_the_meantime_stops_the_confirmation(self):
        up = [0.02 + 0.0005 * i for i in range(10)]
        s = self.series(up, up)
        self.assertTrue(s.confirmed())
        s.floor_percent = 4.0
        self.assertFalse(s.confirmed())

    def test_underpowered(self):
        wide = [0.12 * (-1) ** i for i in range(10)]
        self.assertEqual(self.series(wide).verdict(), UNDERPOWERED)
        self.assertEqual(self.series([0.01]).verdict(), UNDERPOWERED)

    def test_a_second_look_only_within_the_time(self):
        wide = [0.04 * (-1) ** i for i in range(10)]
        self.assertTrue(self.series(wide, seconds=4).unclear())
        self.assertFalse(self.series(wide, seconds=6).unclear())
        self.assertFalse(self.series(wide, seconds=1, looks=2).unclear())
        self.assertFalse(self.series([0.001 * (-1) ** i for i in range(10)], seconds=1).unclear())


def simulate(cells, noise=None, effects=None, processes=10, seed=1, seconds=0.2, checks=(), batches=6):
    """Measures a list of cells with simulated workers; returns the worker, for what it counted."""
    worker = SimulatedWorker(noise, effects, batches=batches, seconds=seconds)
    pairing.measure(pairing.Runner(worker, seed, quiet=True), cells, list(checks), processes)
    return worker


class Simulations(unittest.TestCase):
    """Seeded: the rates are of these streams, the margins four standard errors of a binomial."""

    def test_false_alarms_of_identical_code(self):
        count = 2000
        cells = [tools.measurement() for _ in range(count)]
        # as noisy between processes as was measured, on a machine that jumps: second looks are common
        simulate(cells, Noise(process=0.019, preempted=0.03, steps=0.02))
        self.assertGreater(sum(m.series.looks == 2 for m in cells), 100)
        confirmed = [m for m in cells if m.series.confirmed()]
        self.assertEqual(confirmed, [])
        alarms = sum(m.series.alarmed != 0 for m in cells)
        rate = 2 * paired.ALPHA  # both directions
        self.assertLessEqual(alarms, count * rate + 4 * math.sqrt(count * rate * (1 - rate)))
        self.assertGreater(alarms, 0)  # the simulation is noisy enough to alarm at all

    def test_one_look_alarms_at_the_rate_of_alpha(self):
        count, stream = 20000, random.Random(3)
        e = [paired.estimate([stream.gauss(0, 0.05) for _ in range(10)]) for _ in range(count)]
        for direction in (1, -1):
            alarms = sum(paired.alarm(x, 0.0) == direction for x in e)
            self.assertAlmostEqual(alarms / count, paired.ALPHA, delta=4 * math.sqrt(paired.ALPHA / count))

    def power(self, ratio, process_sd, count=150, **settings):
        cells = [tools.measurement() for _ in range(count)]
        simulate(cells, Noise(process=process_sd), role_of_cells(ratio), **settings)
        self.assertEqual([m for m in cells if m.series.verdict() == FASTER], [])
        return sum(m.series.verdict() == SLOWER for m in cells) / count

    def test_two_percent_is_found_in_the_caches(self):
        # between processes 1.9 % of single times; 0.77 % is left of it in a paired process (1 % has power .80 at P = 10)
        self.assertGreaterEqual(self.power(1.02, 0.0077), 0.9)

    def test_three_percent_is_found_outside(self):
        self.assertGreaterEqual(self.power(1.03, 0.0125, seconds=1.0), 0.9)

    def test_two_percent_where_pairing_leaves_all_of_the_noise(self):
        self.assertGreaterEqual(self.power(1.02, 0.019, processes=25), 0.9)

    def test_what_is_below_the_floor_is_no_difference(self):
        self.assertLessEqual(self.power(1.004, 0.0005), 0.02)


class Checks(unittest.TestCase):
    def checked(self, cells=3, processes=10, **settings):
        cells = [tools.measurement(name=f"map{i}") for i in range(cells)]
        checks = [tools.measurement(role, extra) for role, extra in
                  ((pairing.AA, 0), (pairing.CONTROL, pairing.CONTROL_PERCENT), (pairing.RELINK, 0))]
        simulate(cells, processes=processes, checks=checks, **settings)
        return cells, validity.judge(cells, checks)

    def test_a_sound_machine(self):
        cells, found = self.checked(effects={(pairing.RELINK, None): 1.0})
        self.assertTrue(found["trustworthy"], found["reasons"])
        self.assertEqual(found["control"]["cells"][0]["verdict"], SLOWER)
        self.assertEqual([m.series.verdict() for m in cells], [SAME] * 3)

    def test_identical_code_that_differs(self):
        _, found = self.checked(effects={(pairing.AA, None): 1.04})
        self.assertFalse(found["trustworthy"])
        self.assertIn("identical code was called slower", found["reasons"][0])

    def test_a_control_that_is_not_seen(self):
        _, found = self.checked(effects={(pairing.CONTROL, None): 1 / 1.05})
        self.assertIn("5 % more work was not seen", found["reasons"][0])

    def test_moving_the_code_raises_the_floor(self):
        effects = {(pairing.CELL, None): 1.02, (pairing.RELINK, None): 1.035}
        cells, found = self.checked(effects=effects)
        self.assertGreater(found["relink"]["floor_percent"], 2.5)
        self.assertIsNone(found["relink"]["cells"][0]["verdict"])  # significant, and not "~"
        self.assertRegex(report_pairs.validity_lines(found)[2], r"^the same code moved: n:10k 1\.03\d\d; floor 3\.\d %$")
        self.assertEqual([m.series.verdict() for m in cells], [SAME] * 3)

    def test_the_alarmed_units_own_code_is_moved(self):
        cells = [tools.measurement()]
        asked = []

        def relink_of(m):
            asked.append(m)
            return tools.measurement(pairing.RELINK)
        worker = SimulatedWorker(effects={(pairing.CELL, None): 1.02, (pairing.RELINK, None): 1.04})
        pairing.measure(pairing.Runner(worker, 4, quiet=True), cells, [], 10, relink_of)
        self.assertEqual(asked, cells)
        self.assertGreater(cells[0].series.floor_percent, 3)
        self.assertEqual(cells[0].series.verdict(), SAME)

    def test_a_disturbed_machine(self):
        _, found = self.checked(noise=Noise(preempted=0.6))
        self.assertTrue(any("lost their processor" in reason for reason in found["reasons"]), found["reasons"])

    def test_all_underpowered_is_not_a_pass(self):
        _, found = self.checked(noise=Noise(process=0.2), processes=4)
        self.assertTrue(any("well enough" in reason for reason in found["reasons"]), found["reasons"])

    def test_processes_of_all_roles_are_interleaved(self):
        roles = []
        cells, checks = [tools.measurement()], [tools.measurement(pairing.AA)]
        runner = pairing.Runner(SimulatedWorker(batches=3), 2, log=lambda m, output: roles.append(m.role), quiet=True)
        pairing.measure(runner, cells, checks, 20)
        first = roles[:40]
        self.assertEqual(sorted(set(first)), [pairing.AA, pairing.CELL])
        self.assertGreater(sum(a != b for a, b in zip(first, first[1:])), 10)

    def test_a_budget_leaves_out_cells_and_nothing_of_the_others(self):
        def left_out(seed, budget_s):
            cells, checks = [tools.measurement(n=1000 + i) for i in range(20)], [tools.measurement(pairing.AA)]
            worker = SimulatedWorker(batches=3, seconds=1)
            out = pairing.measure(pairing.Runner(worker, seed, quiet=True), cells, checks, 10, budget_s=budget_s)
            kept = [m for m in cells if m not in out]
            self.assertTrue(all(len(m.series.first) >= 10 for m in kept + checks))
            self.assertTrue(all(len(m.series.first) <= 1 for m in out))
            # the checks and the first process are measured in any case
            self.assertLessEqual(sum(m.series.seconds for m in cells + checks), max(budget_s, 10 + 10 + 4))
            return [cells.index(m) for m in out]
        self.assertEqual(left_out(1, 1000), [])
        some = left_out(1, 150)  # of a first look of 200 s
        self.assertEqual(len(some), 10)
        self.assertEqual(some, left_out(1, 150))
        self.assertNotEqual(sorted(some), sorted(left_out(2, 150)))
        self.assertEqual(len(left_out(1, 21)), 20)

    def test_a_budget_holds_when_everything_became_slower(self):
        cells = [tools.measurement(n=1000 + i) for i in range(20)]
        checks = [tools.measurement(pairing.AA), tools.measurement(pairing.CONTROL, pairing.CONTROL_PERCENT)]
        worker = SimulatedWorker(effects=role_of_cells(1.1), batches=3, seconds=1)
        out = pairing.measure(pairing.Runner(worker, 1, quiet=True), cells, checks, 10, lambda m: tools.measurement(pairing.RELINK), 300)
        confirmed = [m for m in cells if m.series.verdict() == SLOWER]
        # 220 s for the first look; of the rest 10 for the control, and 15 for a confirmation with the moved code
        self.assertEqual(len(confirmed), 4)
        self.assertEqual(set(cells) - set(confirmed), set(out))
        self.assertEqual(checks[1].series.verdict(), SLOWER)
        self.assertLessEqual(sum(m.series.seconds for m in cells + checks), 300)
        self.assertIn("to confirm that it is slower", compare.why_left_out(out[0], 9))

    def test_moved_code_raises_the_floor_and_alone_never_alarms(self):
        series = [tools.measurement(role) for role in (pairing.CELL, pairing.AA, pairing.CONTROL, pairing.RELINK)]
        self.assertEqual([m.may_alarm for m in series], [True, True, True, False])
        self.assertEqual([m.raises_floor for m in series[1:]], [False, False, True])

    def test_the_clearest_alarm_is_confirmed_in_any_case(self):
        cells = [tools.measurement() for _ in range(3)]
        for m, ratio in zip(cells, (1.1, 1.3, 0.7)):
            m.series.first, m.series.seconds = [math.log(ratio) + 0.001 * (-1) ** i for i in range(10)], 1.0
            m.series.look()
        self.assertEqual(pairing.in_time(cells, -5.0, None), [cells[1]])
        self.assertEqual(pairing.in_time(cells, 2.0, None), [cells[1], cells[0]])
        self.assertEqual(pairing.in_time(cells, math.inf, None), [cells[1], cells[0], cells[2]])

    def test_what_time_is_left_is_the_checks_first(self):
        """Nothing counts without them: a noisy control that is refused its second look makes all the others worthless."""
        cells = [tools.measurement(n=1000 + i) for i in range(10)]
        checks = [tools.measurement(pairing.AA), tools.measurement(pairing.CONTROL, pairing.CONTROL_PERCENT)]
        for m in checks:
            m.series.seconds_most = math.inf
        worker = SimulatedWorker(Noise(process=0.06), batches=3, seconds=0.2)
        pairing.measure(pairing.Runner(worker, 1, quiet=True), cells, checks, 10, budget_s=42)  # 24 s, and 9 for second looks
        self.assertEqual([m.series.looks for m in checks], [2, 2])
        self.assertIn(sum(m.series.looks == 2 for m in cells), range(1, 4))

    def test_every_process_has_a_seed_of_its_own_and_a_comparison_repeats(self):
        def seeds(seed):
            found, worker = [], SimulatedWorker(batches=3)
            pairing.measure(pairing.Runner(lambda m, s: found.append(s) or worker(m, s), seed, quiet=True),
                            [tools.measurement()], [], 12)
            return found
        self.assertEqual(seeds(1), seeds(1))
        self.assertNotEqual(seeds(1), seeds(2))
        self.assertEqual(len(set(seeds(1))), len(seeds(1)))


if __name__ == "__main__":
    unittest.main()
