"""Tests of what plots/ works out of retention scenarios: answers from curves and verdicts, bands, looks, the matrix, and how
far simulation and engine agree."""
import unittest

import plot_test_tools  # noqa: F401  (first: it makes plots/ importable)

from plots.figures import retention as fig_retention, retention_layers as fig_retention_layers
from plots.page import retention as page_retention
from plots.rows import retention, retention_matrix, retention_pairs
import synthetic_retention
from plots.rows.run import Run


def of_lines(lines, **info):
    """The Retention of made-up lines."""
    return retention.Retention({"scenarios": [], "maps": []} | info, lines, False)


def line(variant, role, step, label, live, kept, name="go_hmap", heap="gosim", engine="c", **more):
    return synthetic_retention.point("s", variant, role, name, heap, engine, 64, step, label, live, kept, 1, **more)


def story(name="go_hmap", heap="gosim", engine="c"):
    """A leaky and two fixed variants, told by hand."""
    return [line(v, role, step, label, live, kept, name, heap, engine) for v, role, points in (
        ("leaky", "leaky", [(0, "base", 0, 0), (4, "fill", 40, 400), (8, "fill", 80, 4000), (8, "dropped", 0, 100)]),
        ("copy", "fixed", [(0, "base", 0, 0), (4, "fill", 40, 50), (8, "fill", 80, 90), (8, "dropped", 0, 0)]),
        ("clone", "fixed", [(0, "base", 0, 0), (8, "fill", 80, 120)])) for step, label, live, kept in points]


class Answers(unittest.TestCase):
    def subject(self, data, name="go_hmap"):
        return next(s for s in data.subjects("s") if s.map == name)

    def test_worked_out_from_the_curves(self):
        data = of_lines(story())
        answer = data.answer(self.subject(data))
        self.assertEqual((answer.leaky_bytes, answer.fixed_bytes, answer.live_bytes, answer.amplification),
                         (4000, 120, 80, 50.0))
        self.assertEqual((answer.release, answer.passed, answer.why_not), (None, None, ""))

    def test_at_the_phase_that_run_json_names(self):
        data = of_lines(story(), scenarios=[{"name": "s", "verdict_label": "dropped", "fix": "drop it"}])
        answer = data.answer(self.subject(data))
        self.assertEqual((answer.leaky_bytes, answer.fixed_bytes, answer.live_bytes, answer.amplification),
                         (100, 0, 0, None))
        self.assertEqual(answer.fix, "drop it")

    def test_a_verdict_counts_more_than_the_curves(self):
        verdict = {"scenario": "s", "map": "go_hmap", "heap": "gosim", "engine": "c", "label": "verdict",
                   "leaky_bytes": 400.0, "leaky_variant": "leaky", "fixed_bytes": 50.0, "amplification": 10.0, "semantic_live_bytes": 40,
                   "release_operations": None, "passed": False, "bound_bytes": 45, "path": "root -> s", "fix": "copy"}
        data = of_lines([*story(), verdict])
        self.assertEqual(len(data.subjects("s")), 1)  # the verdict does not say n
        answer = data.answer(self.subject(data))
        self.assertEqual((answer.leaky_bytes, answer.fixed_bytes, answer.amplification), (400, 50, 10))
        self.assertEqual((answer.release, answer.passed, answer.held_by), (retention.NEVER, False, "root -> s"))
        self.assertEqual(data.decisive("s"), "fill")
        self.assertEqual(of_lines([*story(), verdict | {"release_operations": 12}]).answer(self.subject(data)).release, 12)

    def test_resident_memory_stands_in_for_a_heap_without_books(self):
        points = [line("leaky", "leaky", step, label, 10, 0, d_heap_alloc=None, rss=rss)
                  for step, label, rss in ((0, "base", 1000), (1, "fill", 5000))]
        data = of_lines(points)
        self.assertEqual(data.answer(self.subject(data)).leaky_bytes, 4000)

    def test_a_case_measured_again_replaces_the_first(self):
        data = of_lines(story() + story()[:3])
        case = data.of(self.subject(data))[0]
        self.assertEqual((case.variant, len(case.points)), ("leaky", 3))

    def test_maps_that_were_left_out_have_a_reason(self):
        skipped = [{"scenario": "s", "what": "linear", "reason": "no"},
                   {"scenario": "s", "what": "clear with chained", "map": "chained", "heap": "gosim", "reason": "b"},
                   {"scenario": "s", "what": "go1.24", "map": None, "heap": "go_gc", "reason": "not built"},
                   {"scenario": "s", "what": "go124", "reason": "not built"},
                   {"scenario": "s", "what": "copy with go_hmap", "reason": "ran otherwise"}]
        data = of_lines(story(), skipped_cases=skipped, maps=[{"name": "linear"}, {"name": "chained"}])
        self.assertEqual({s.map: data.answer(s).why_not for s in data.subjects("s") if data.answer(s).cannot},
                         {"linear": "no", "chained": "b"})
        matrix, = retention_matrix.matrices(of_lines(story() + story("go_swiss"), skipped_cases=skipped,
                                                         maps=[{"name": "linear"}]))
        texts = {name: retention_matrix.cell_text(matrix.answers[name, "s"])[0] for name in matrix.rows}
        self.assertEqual(texts, {"go_hmap": "50", "go_swiss": "50", "linear": "n/a"})
        self.assertEqual(matrix.rows[-1], "linear")

    def test_an_error_is_no_answer(self):
        broken = {"scenario": "s", "variant": "leaky", "role": "leaky", "map": "m", "heap": "gosim", "engine": "c", "n": 64,
                  "label": "error", "error": "ended by SIGKILL"}
        data = of_lines([broken])
        answer = data.answer(data.subjects("s")[0])
        self.assertEqual((answer.why_not, answer.leaky_bytes, answer.cannot), ("ended by SIGKILL", None, False))
        self.assertEqual(retention_matrix.cell_text(answer)[0], "error")

    def test_without_a_fix_nothing_is_said_of_one(self):
        data = of_lines(story()[:4])
        self.assertEqual((data.answer(self.subject(data)).leaky_bytes, data.answer(self.subject(data)).fixed_bytes), (4000, None))

    def test_only_fixes_ran(self):
        data = of_lines(story()[4:])
        self.assertEqual(data.answer(self.subject(data)).why_not, retention.NO_LEAKY)

    def test_real_engines_alone(self):
        data = of_lines(story(None, "go_gc", "go1.23.5") + story(None, "go_gc", "go1.24.4") + story("real_go_hmap", "go_gc", "go1.23.5")
                        + story("real_go_swiss", "go_gc", "go1.24.4"))
        panels = fig_retention.panels_of(data, "s")
        self.assertEqual([title for title, _cases in panels], ["go1.23.5", "go1.24.4", "real_go_hmap, go1.23.5",
                                                               "real_go_swiss, go1.24.4"])
        self.assertFalse(any(fig_retention.has_simulation(cases) for _title, cases in panels))
        self.assertEqual([matrix.heap for matrix in retention_matrix.matrices(data)], ["go_gc"])

    def test_originals_stand_behind_their_ports(self):
        data = of_lines(story("linear") + story("real_go_hmap", "go_gc", "go1.23.5") + story())
        self.assertEqual([s.map for s in data.subjects("s")], ["go_hmap", "real_go_hmap", "linear"])
        panels = fig_retention.panels_of(data, "s")
        self.assertEqual([(title, len(cases)) for title, cases in panels], [("go_hmap, gosim", 6), ("linear, gosim", 3)])


class Numbers(unittest.TestCase):
    def test_amplifications_are_short(self):
        for value, words in ((0.94, "0.9"), (1, "1.0"), (9.96, "10"), (99.7, "100"), (999.6, "1k"), (1234, "1.2k"),
                             (98765, "99k"), (999400, "999k"), (1.2e6, "1.2M"), (250e6, "250M")):
            self.assertEqual(retention_matrix.number_text(value), words)

    def test_shades_are_logarithmic(self):
        self.assertEqual([round(retention_matrix.shade(v), 3) for v in (0.5, 1, 10, 100, 1e4, 1e9)], [0, 0, 0.25, 0.5, 1, 1])

    def test_bands_keep_phases_apart_and_steps_in_order(self):
        data = of_lines(story())
        bands = fig_retention.Bands(list(data.cases.values()))
        self.assertEqual([name for name, _ in bands.names], ["base", "fill", "dropped"])
        fill = ("fill", 1)
        self.assertEqual(bands.start(fill), 0)
        self.assertAlmostEqual(bands.x(fill, 0), bands.left[fill])
        self.assertLess(bands.x(fill, 4), bands.x(fill, 8))
        self.assertLess(bands.x(fill, 8), bands.left["dropped", 1])
        self.assertLess(bands.event_x(("dropped", 1), 4), bands.x(("dropped", 1), 8))

    def test_steps_over_many_powers_are_spread_by_their_logarithm(self):
        steps = [(0, "base"), (1000, "churn"), (10000, "churn"), (100000, "churn"), (10000000, "churn")]
        bands = fig_retention.Bands(list(of_lines([line("v", "leaky", step, label, 0, 0) for step, label in steps]).cases.values()))
        places = [bands.x(("churn", 1), step) for step, label in steps if label == "churn"]
        self.assertAlmostEqual(places[2] - places[1], places[1] - places[0])
        self.assertAlmostEqual(places[3] - places[2], 2 * (places[1] - places[0]))
        self.assertFalse(bands.logarithmic(("base", 1)))

    def test_numbers_below_the_axis_do_not_touch(self):
        steps = [(0, "base"), *((100000 + k, label) for label in ("fill", "delete") for k in range(0, 80, 10))]
        data = of_lines([line("v", "leaky", step, label, 0, 0) for step, label in steps])
        run = Run(None, synthetic_retention.info_of([]), [], 0, False, data)
        figure = fig_retention.Figure(run, "s", fig_retention.panels_of(data, "s"), "title")
        grid = fig_retention.PhaseGrid(figure.panels * 3, figure.bands, [], "title", "below", "note")
        inches = grid.panel_width / figure.bands.end
        tics = figure.tics(grid)
        self.assertGreaterEqual(len(tics), 3)
        for left, right in zip(tics, tics[1:]):
            self.assertGreater((right.value - left.value) * inches, 0.055 * len(right.text))

    def test_a_phase_of_some_variants_stands_where_it_belongs(self):
        both = [line(variant, role, step, label, 0, 0) for variant, role, end in (("a", "leaky", "dropped"), ("b", "fixed", "remade"))
                for step, label in ((0, "base"), (9, "delete"), (9, end))]
        bands = fig_retention.Bands(list(of_lines(both).cases.values()))
        self.assertEqual([name for name, _ in bands.names], ["base", "delete", "remade", "dropped"])

    def test_roles_have_looks_of_their_own(self):
        cases = list(of_lines(story()).cases.values())
        looks = fig_retention.looks_of(cases)
        self.assertEqual(len({(look.colour, look.dash) for look in looks.values()}), 3)
        self.assertEqual([look.role for look in looks.values()], ["leaky", "fixed", "fixed"])

    def test_agreement_of_simulation_and_engine(self):
        real = story("real_go_hmap", "go_gc", "go1.23.5")
        pairs = retention_pairs.pairs_of(of_lines(story() + real))
        self.assertEqual(len(pairs), 7)  # all but the base checkpoints
        self.assertEqual(retention_pairs.agreement(pairs), {"d_heap_alloc": (7, 7), "d_heap_objects": (7, 7)})
        self.assertEqual(retention_pairs.outside(pairs), [])
        for point, kept, used in ((2, 4000 + 8193, 8193 / 8192), (2, 4000 - 12288, 1.5)):
            moved = [dict(p) for p in story()]
            moved[point]["d_heap_alloc"] = kept
            pairs = retention_pairs.pairs_of(of_lines(moved + real))
            (pair, what, share), = retention_pairs.outside(pairs)
            self.assertEqual((pair.variant, pair.label, pair.step, what), ("leaky", "fill", 8, "bytes"))
            self.assertAlmostEqual(share, used)
        large = [line("v", "leaky", i, "fill", 0, kept) for i, kept in enumerate((0, 1010000, 1020000))]
        large = [p | {"label": "base"} if p["step"] == 0 else p for p in large]
        real = [p | {"map": "real_go_hmap", "heap": "go_gc", "engine": "go1.23.5",
                     "d_heap_alloc": min(p["d_heap_alloc"], 1000000)} for p in large]
        pairs = retention_pairs.pairs_of(of_lines(large + real))
        self.assertEqual(retention_pairs.agreement(pairs)["d_heap_alloc"], (1, 2))  # 1 % is, 2 % is not

    def test_an_engine_does_not_say_a_shape(self):
        real = story("real_go_hmap", "go_gc", "go1.23.5")
        one = [p | {"shape": "str_ptr"} for p in story()]
        self.assertEqual(len(retention_pairs.pairs_of(of_lines(one + real))), 7)
        two = one + [p | {"shape": "u64_ptr"} for p in story()]
        self.assertEqual(retention_pairs.pairs_of(of_lines(two + real)), [])  # which of the two it is like is not known

    def test_uncollected_checkpoints_are_not_compared(self):
        real = story("real_go_hmap", "go_gc", "go1.23.5")
        forced = [p | {"after_forced_gc": True} for p in story()]
        self.assertEqual(len(retention_pairs.pairs_of(of_lines(forced + real))), 7)
        forced[2] |= {"after_forced_gc": False}
        self.assertEqual(len(retention_pairs.pairs_of(of_lines(forced + real))), 6)

    def test_the_noise_of_a_heap_is_no_retention(self):
        for kept, words, value in ((160, "0", 1), (8192, "0", 1), (8193, "∞", retention_matrix.DEEPEST)):
            data = of_lines([line("leaky", "leaky", step, label, 0, bytes_kept) for step, label, bytes_kept in (
                (0, "base", 0), (8, "deleted", kept))], scenarios=[{"name": "s", "verdict_label": "deleted"}])
            answer = data.answer(data.subjects("s")[0])
            self.assertEqual((retention_matrix.cell_text(answer)[0], retention_matrix.shown(answer)), (words, value))

    def test_a_map_does_not_forgive_by_what_it_cannot_express(self):
        def verdict(scenario, name, amplification):
            return {"scenario": scenario, "map": name, "heap": "gosim", "engine": "c", "label": "verdict", "leaky_bytes": 8,
                    "semantic_live_bytes": 1, "amplification": amplification}
        data = of_lines([verdict("s", "few", 3), verdict("s", "many", 2), verdict("t", "many", 9000)])
        matrix, = retention_matrix.matrices(data)
        self.assertEqual(matrix.rows, ["many", "few"])

    def test_another_map_is_not_held_against_real_go(self):
        data = of_lines(story("linear") + story("real_go_hmap", "go_gc", "go1.23.5"))
        self.assertEqual(retention_pairs.pairs_of(data), [])

    def test_work_is_the_median_of_its_samples(self):
        work = [synthetic_retention.point("gc_work", "same", "reference", "linear", "gosim", "c", 4096, 1024, "marked", 0, 0, 0,
                                          extra={"mark_ns": ns, "scanned_bytes": 0}) for ns in (5.0, 7.0, 100.0)]
        more = work[0] | {"step": 4096, "extra": {"mark_ns": 1.0, "mark_ns_median": 9.0, "scanned_bytes": 64}}
        base = work[0] | {"label": "base", "extra": {"mark_ns": 1e9}}
        real = [p | {"map": name, "engine": engine} for p, name, engine in (
            (more, "go_hmap", "c"), (more, "real_go_hmap", "go1.23.5"))]
        data = of_lines([*work, more, base, *real])
        series = retention.series_of(data)
        self.assertEqual(series["linear"], {("same", "c"): {1024: {"mark_ns": 7.0}, 4096: {"mark_ns": 9.0, "scanned_bytes": 64}}})
        self.assertEqual(list(series), ["go_hmap", "linear"])
        self.assertEqual(set(series["go_hmap"]), {("same", "c"), ("same", "go1.23.5")})
        self.assertEqual(data.names, [])  # it has no leaky variant and a section of its own

    def test_layers_lie_on_each_other(self):
        self.assertEqual(fig_retention_layers.heights([[1, 10, 30, 32, 20], [2, 20, 30, 32, 64], [3, 20, 30, None, None]]),
                         [[10, 20, 20], [30, 30, 30], [32, 32, 30], [32, 64, 30]])

    def test_what_a_story_measures_itself_is_what_it_keeps(self):
        lines = [synthetic_retention.point("fork_cow", "flat", "leaky", None, "malloc", "c", 100, step, label, 0, 0, 0, heap_alloc=None,
                                           heap_objects=None, d_heap_alloc=None, d_heap_objects=None, rss=4096 * step,
                                           extra={"kept_bytes": kept}) for step, label, kept in ((0, "base", 0.0), (9, "held", 5e6))]
        case = of_lines(lines).of(of_lines(lines).subjects("fork_cow")[0])[0]
        self.assertEqual([case.kept(p) for p in case.points], [0.0, 5e6])
        self.assertFalse(case.resident())

    def test_layers_of_a_map_smaller_than_a_page(self):
        row = {"layers": [[4000, 64000, 70000, 72000, 0]]}
        self.assertIn("70.3 KiB, less than a huge page, and no page more resident than before, with huge pages on",
                      fig_retention_layers.note({"linear": {True: row}}))
        row = {"layers": [[4000, 64000, None, 72000, 81920]]}
        self.assertIn("80 KiB resident, 1.28 times what is live, with huge pages off", fig_retention_layers.note({"linear": {False: row}}))

    def test_references_are_spelled_out(self):
        self.assertEqual(page_retention.expanded("go#20135"), "go#20135 (github.com/golang/go/issues/20135)")
        self.assertEqual(page_retention.expanded("a book"), "a book")


if __name__ == "__main__":
    unittest.main()
