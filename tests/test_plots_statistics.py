"""Tests of what plots/ computes: statistics against closed forms, points of lines, labels, names, numbers."""
import math
import random
import unittest

import plot_test_tools  # noqa: F401  (first: it makes plots/ importable)

from plots.draw import labels
from plots.rows import points, run
import scipy.stats
from plots.draw import style
from plots.rows import stats
import synthetic_run
from plots.rows.numbers import format_n, format_ns


class Statistics(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(7)

    def test_paired_is_the_t_test_of_logs(self):
        a = [self.random.uniform(9, 12) for _ in range(9)]
        b = [self.random.uniform(8, 11) for _ in range(9)]
        expected = scipy.stats.ttest_rel([math.log(x) for x in a], [math.log(x) for x in b])
        found = stats.paired(a, b)
        self.assertAlmostEqual(found.p, expected.pvalue, places=12)
        self.assertAlmostEqual(found.ratio, sorted(x / y for x, y in zip(a, b))[4], places=12)
        self.assertEqual(found.rounds, 9)

    def test_pairing_removes_what_disturbs_both(self):
        drift = [self.random.uniform(1, 3) for _ in range(7)]
        a = [1.05 * d * self.random.uniform(0.999, 1.001) for d in drift]
        b = [d * self.random.uniform(0.999, 1.001) for d in drift]
        self.assertLess(stats.paired(a, b).p, 1e-6)
        self.assertGreater(scipy.stats.ttest_ind(a, b).pvalue, 0.5)

    def test_rounds_that_miss_are_left_out_on_both_sides(self):
        self.assertEqual(stats.paired([1, None, 3, 4], [1, 2, None, 4, 5]).rounds, 2)
        self.assertIsNone(stats.paired([1, 2], [2, 3]).p)
        self.assertEqual(stats.paired([], []), stats.Paired(None, None, 0))

    def test_without_spread(self):
        self.assertEqual(stats.paired([2, 4, 6], [2, 4, 6]).p, 1.0)
        self.assertEqual(stats.paired([4, 8, 12], [2, 4, 6]).p, 0.0)

    def test_holm(self):
        for found, expected in zip(stats.holm([0.01, 0.04, None, 0.03, 0.005]), [0.03, 0.06, None, 0.06, 0.02]):
            self.assertEqual(found is None, expected is None)
            if expected:
                self.assertAlmostEqual(found, expected, places=12)
        self.assertEqual(stats.holm([0.9, 0.8]), [1.0, 1.0])

    def test_geomean(self):
        values = [0.3, 12, 5, 700]
        self.assertAlmostEqual(stats.geomean(values), scipy.stats.gmean(values), places=10)
        self.assertIsNone(stats.geomean([]))

    def columns(self, slower, rounds=9, count=40):
        columns = {}
        for i in range(count):
            rows = {}
            for label, factor in (("a", 1.0), ("b", 1.0), ("c", slower)):
                medians = [10 * factor * math.exp(self.random.gauss(0, 0.01)) for _ in range(rounds)]
                rows[label] = {"median": sorted(medians)[rounds // 2], "round_medians": medians}
            columns[("get", 1000 + i)] = rows
        return columns

    def test_equal_maps_are_ties_and_a_slower_one_is_found(self):
        columns = self.columns(slower=1.2)
        verdicts = stats.against_best(columns)
        found = {label: [verdicts[column, label].verdict for column in columns] for label in "abc"}
        self.assertEqual(set(found["c"]), {"slower"})
        self.assertLessEqual(found["a"].count("slower") + found["b"].count("slower"), 1)
        for column, rows in columns.items():
            self.assertEqual(sum(verdicts[column, label].verdict == "best" for label in rows), 1)

    def test_too_few_rounds_are_said(self):
        verdicts = stats.against_best(self.columns(slower=1.5, rounds=2, count=1))
        self.assertEqual({v.verdict for v in verdicts.values()}, {"best", "untested"})
        self.assertTrue(stats.ratio_text(next(v for v in verdicts.values() if v.verdict != "best")).endswith("?"))

    def test_rank_uses_columns_that_all_have(self):
        rows = {label: {"median": m, "round_medians": [m] * 3} for label, m in (("a", 1.0), ("b", 2.0))}
        columns = {("get", 1): rows, ("put", 1): {"b": {"median": 1.0, "round_medians": [1.0] * 3}}}
        ranked, shared = stats.rank(columns, stats.against_best(columns))
        self.assertEqual(shared, [("get", 1)])
        self.assertEqual([label for label, _ in ranked], ["a", "b"])
        self.assertAlmostEqual(dict(ranked)["b"], 2.0)


class Points(unittest.TestCase):
    def test_percentiles_agree_with_the_sorted_values(self):
        generator = random.Random(3)
        values = sorted(int(50 * math.exp(abs(generator.gauss(0, 1.5)))) for _ in range(5000))
        counts = {}
        for value in values:
            low = synthetic_run.bucket_low(value)
            counts[low] = counts.get(low, 0) + 1
        latency = {"count": len(values), "max": values[-1], "above": 0,
                   "buckets": [[low, synthetic_run.bucket_high(low), counts[low]] for low in sorted(counts)]}
        line = points.percentile_points(latency)
        self.assertEqual(line, sorted(line))
        self.assertEqual(line[-1], (len(values), values[-1]))
        for share in (0.5, 0.9, 0.99, 0.999):
            exact = values[math.ceil(share * len(values)) - 1]
            drawn = min(y for x, y in line if x >= 1 / (1 - share) - 1e-9)
            self.assertLessEqual(abs(drawn - exact), exact / 32 + 1, share)

    def test_front_is_what_nothing_dominates(self):
        generator = random.Random(5)
        cloud = {i: (generator.random(), generator.random()) for i in range(200)}
        dominated = {i for i, (x, y) in cloud.items() if any(a <= x and b < y or a < x and b <= y
                                                             for a, b in cloud.values())}
        self.assertEqual(set(points.front(cloud)), set(cloud) - dominated)

    def test_names_do_not_cover_each_other(self):
        generator = random.Random(1)
        where = {f"m{i}": (generator.uniform(60, 740), generator.uniform(60, 440)) for i in range(16)}
        where["m1"] = where["m0"]
        placed = labels.choose(where, dict.fromkeys(where, (70, 12)), (0, 0, 800, 500))
        boxes = [box for box, _distance in placed.values()]
        self.assertEqual(sum(labels.overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i]), 0)
        for box in boxes:
            self.assertAlmostEqual(labels.overlap(box, (0, 0, 800, 500)), 70 * 12)

    def test_sizes_of_shapes(self):
        self.assertEqual([run.entry_bytes(s) for s in ("u32_u32", "u64_b56", "str_u64", "s16_u64", "any_u64", "ptr_u64",
                                                             "f64_u64", "u64_b129", "u64_unit", "odd", "f80_u8")],
                         [8, 64, 24, 24, 24, 16, 16, 137, 8, None, None])


class Looks(unittest.TestCase):
    def test_looks_are_distinct_and_do_not_depend_on_company(self):
        versions = ["boost_flat_190", "boost_flat_192", "absl_flat_2026", "std_umap_13"]
        names = synthetic_run.MAPS + ["tagline", "tagline_bounded", "my_own_map", "another", "khash (native hash)"] + versions
        looks = style.looks(names)
        drawn = [(look.colour, look.dash, look.marker) for look in looks.values()]
        self.assertEqual(len(set(drawn)), len(drawn))
        self.assertEqual(style.looks(["my_own_map", "linear"])["my_own_map"], looks["my_own_map"])
        for name in versions:
            self.assertEqual(looks[name].colour, looks[name.rpartition("_")[0]].colour)

    def test_numbers(self):
        self.assertEqual([format_n(n) for n in (1, 999, 1000, 1024, 65536, 3 << 20, 1048576, 1 << 30, 571740, 64000)],
                         ["1", "999", "1,000", "1k", "64k", "3m", "1m", "1g", "571,740", "64,000"])
        self.assertEqual([format_ns(v) for v in (3.14159, 1500, 2e6)], ["3.14 ns", "1.5 µs", "2 ms"])
        self.assertEqual(style.compiler("gcc (Debian 12.2.0-14+deb12u1) 12.2.0"), "gcc 12.2")
        self.assertEqual(style.compiler("Debian clang version 14.0.6"), "Debian 14.0")

    def test_file_names_are_plain_and_distinct(self):
        texts = ["file:a/b", "file:a_b", "zipf:0.99", "x" * 300, "x" * 301, "../../etc", "", "ünïcode"]
        slugs = [style.slug(text) for text in texts]
        self.assertEqual(len(set(slugs)), len(texts))
        for slug in slugs:
            self.assertRegex(slug, r"^[A-Za-z0-9._-]{1,60}$")
            self.assertNotIn("..", slug)


if __name__ == "__main__":
    unittest.main()
