"""Tests of ports beside originals: which maps belong together, ratios and agreement worked out by hand, the figures and the
section of the page, and that both are absent from a run without a pair."""
import math
import re
import unittest

from plot_test_tools import Scratch, run_report, words_of  # first: it makes plots/ importable

from plots.figures import memory
from plots.figures import ports as fig_ports, tail as fig_tail
from plots.page import originals as page_originals
from plots.rows import load, originals, run
import scipy.stats
from plots.draw import style
import synthetic_run


def row(name, medians, workload="get", n=1024, **more):
    """A time row of which only what comparisons need is made up."""
    ordered = sorted(medians)
    return {"kind": "time", "map": name, "workload": workload, "n": n, "hash": "native", "shape": "u64_u64",
            "cell": f"j/u64_u64/uniform/n:{n}/native/malloc", "engine": synthetic_run.engine_of(name), "stable": True,
            "why_unstable": None, "median": ordered[len(ordered) // 2], "ci95": None, "round_medians": medians} | more


class Memory(unittest.TestCase):
    def test_a_port_of_a_release_beside_its_own_original(self):
        maps = ["go_swiss", "go_swiss@1.24", "real_go_swiss", "real_go124_swiss"]
        self.assertTrue(memory.related("real_go124_swiss", "go_swiss@1.24", maps))
        self.assertTrue(memory.related("real_go_swiss", "go_swiss", maps))
        self.assertFalse(memory.related("real_go124_swiss", "go_swiss", maps))
        self.assertFalse(memory.related("real_go_swiss", "go_swiss@1.24", maps))


class Names(unittest.TestCase):
    def test_what_a_name_says(self):
        self.assertEqual(run.original("real_go_swiss"), ("go_swiss", "", False))
        self.assertEqual(run.original("real_go_swiss_gc"), ("go_swiss", "", True))
        self.assertEqual(run.original("real_go123_hmap"), ("go_hmap", "123", False))
        for name in ("go_swiss", "swiss_flat", "really_go_x", "real_go", "real_"):
            self.assertIsNone(run.original(name), name)

    def test_pairs_need_both(self):
        maps = ["real_go_swiss", "linear", "go_hmap", "real_go_hmap_gc", "real_go123_hmap", "real_go_hmap", "go_syncmap"]
        self.assertEqual(originals.pairs(maps), [("go_hmap", "real_go_hmap"), ("go_hmap", "real_go123_hmap"),
                                                 ("go_hmap", "real_go_hmap_gc")])
        self.assertEqual(originals.generations(maps), [])
        four = ["go_hmap", "go_swiss", "real_go_hmap", "real_go_swiss_gc"]
        self.assertEqual(originals.generations(four), [])  # of the originals one ran with the collector, one without
        self.assertEqual(originals.generations([*four, "real_go_swiss"]),
                         [("go_hmap", "go_swiss", "real_go_hmap", "real_go_swiss")])


    def test_a_release_goes_with_its_own(self):
        maps = ["go_swiss", "go_swiss@1.24", "go_swiss@1.25", "real_go_swiss", "real_go126_swiss", "real_go125_swiss", "real_go124_swiss"]
        self.assertEqual(originals.pairs(maps),
                         [("go_swiss", "real_go_swiss"), ("go_swiss@1.24", "real_go124_swiss"),
                          ("go_swiss@1.25", "real_go125_swiss"), ("go_swiss@1.25", "real_go126_swiss")])
        # A run that names no release is of a time when the port had one: its own.
        self.assertEqual(originals.pairs(["go_swiss", "real_go124_swiss"]), [("go_swiss", "real_go124_swiss")])
        self.assertEqual(originals.pairs(["go_swiss@1.25", "real_go124_swiss", "real_go_swiss"]), [])
        looks = style.looks(maps)
        self.assertEqual(len(set(looks.values())), len(maps))
        self.assertEqual(len({look.colour for look in looks.values()}), 1)


class Numbers(unittest.TestCase):
    def test_ratio_is_the_median_over_rounds(self):
        # rounds: 0.5, 0.8, 0.9, 1.0, 1.2; the ratio of the medians would be 12 / 20 = 0.6
        rows = [row("go_hmap", [10, 8, 18, 12, 24]), row("real_go_hmap", [20, 10, 20, 12, 20])]
        found = originals.ratios(rows)["go_hmap", "real_go_hmap"]["get", 1024]
        self.assertAlmostEqual(found.value, 0.9, places=12)
        logs = [math.log(x) for x in (0.5, 0.8, 0.9, 1.0, 1.2)]
        expected = scipy.stats.t.interval(0.95, 4, loc=sum(logs) / 5, scale=scipy.stats.sem(logs))
        for side in (0, 1):
            self.assertAlmostEqual(found.interval[side], math.exp(expected[side]), places=10)
        self.assertEqual(found.verdict, "same")

    def test_verdicts(self):
        real = [10.0, 11.0, 10.5, 10.2, 10.8]
        for factor, verdict in ((1.2, "above"), (0.8, "below")):
            wobble = [factor * x * y for x, y in zip(real, (1.001, 0.999, 1.002, 0.998, 1))]
            found = originals.ratios([row("go_swiss", wobble), row("real_go_swiss", real)])
            self.assertEqual(found["go_swiss", "real_go_swiss"]["get", 1024].verdict, verdict)
        pair = [row("go_swiss", [2, 3]), row("real_go_swiss", [1, 2])]
        few = originals.ratios(pair)["go_swiss", "real_go_swiss"]["get", 1024]
        self.assertEqual((few.verdict, few.interval), ("untested", None))
        self.assertAlmostEqual(few.value, math.sqrt(2 * 1.5))
        self.assertTrue(originals.ratio_text(few).endswith("?"))

    def test_one_of_many_ratios_is_corrected(self):
        # p is about 0.02 alone: above 1.00 by itself, not among twenty
        port, real = [1.02, 1.05, 1.01, 1.06, 1.03], [1.0, 1.0, 1.01, 1.02, 1.01]
        alone = [row("go_hmap", port), row("real_go_hmap", real)]
        self.assertEqual(originals.ratios(alone)["go_hmap", "real_go_hmap"]["get", 1024].verdict, "above")
        level = [1.0, 1.1, 0.9, 1.05, 0.95]
        more = [row(name, level, n=4096 + i) for i in range(19) for name in ("go_hmap", "real_go_hmap")]
        self.assertEqual(originals.ratios(alone + more)["go_hmap", "real_go_hmap"]["get", 1024].verdict, "same")

    def test_rows_of_different_cells_are_not_paired(self):
        rows = [row("go_hmap", [10, 20, 30], cell="a", ci95=[19, 22]),
                row("real_go_hmap", [30, 10, 25], cell="b", ci95=[20, 27])]
        found = originals.ratios(rows)["go_hmap", "real_go_hmap"]["get", 1024]
        self.assertAlmostEqual(found.value, 20 / 25)
        low = 0.8 * math.exp(-math.hypot(math.log(20 / 19), math.log(27 / 25)))
        self.assertAlmostEqual(found.interval[0], low, places=12)
        self.assertEqual(found.verdict, "untested")

    def four(self, port, real):
        """Rows of two ports and two originals whose newer by older is `port` and `real` in every round, nearly."""
        older = [10.0, 12.0, 11.0, 10.5, 11.5]
        shake = [1.002, 0.998, 1.0, 1.003, 0.997]
        return [row("go_hmap", older), row("go_swiss", [x * port * y for x, y in zip(older, shake)]),
                row("real_go_hmap", [2 * x for x in older]), row("real_go_swiss", [2 * x * real for x in older])]

    def test_agreement(self):
        maps = "go_hmap", "go_swiss", "real_go_hmap", "real_go_swiss"
        for port, real, verdict in ((0.5, 0.5, "within"), (0.57, 0.5, "within"), (0.6, 0.5, "outside"),
                                    (0.43, 0.5, "within"), (0.4, 0.5, "outside")):
            found = originals.shapes(self.four(port, real))[maps]["get", 1024]
            self.assertAlmostEqual(found.ports.value, port, places=9)
            self.assertAlmostEqual(found.originals.value, real, places=9)
            self.assertAlmostEqual(found.agreement.value, port / real, places=9)
            self.assertEqual(found.agreement.verdict, verdict, (port, real))

    def test_agreement_that_is_not_shown(self):
        rows = self.four(0.6, 0.5)
        rows[1]["round_medians"] = [3, 9, 6.6, 5, 9]  # the median stays outside, its interval does not
        found = next(iter(originals.shapes(rows).values()))["get", 1024]
        self.assertGreater(abs(found.agreement.value - 1), originals.BAND - 1e-9)
        self.assertEqual(found.agreement.verdict, "unsure")

    def test_words(self):
        rows = self.four(0.6, 0.5) + [row("go_hmap", [12.0, 12.1, 12.05], n=16384),
                                      row("real_go_hmap", [10.0, 10.1, 10.03], n=16384)]
        self.assertRegex(originals.above_in_words(originals.ratios(rows)),
                         r"^Above 1\.00: 1 of 3 ratios \(go_hmap / real_go_hmap: get 16k 1\.20 \[1\.\d\d–1\.\d\d\]\)\.$")
        self.assertRegex(originals.outside_in_words(originals.shapes(rows)),
                         r"^Outside the band of ±15 %: 1 of 1 \(go_swiss / go_hmap by that of real_go_swiss / "
                         r"real_go_hmap: get 1k 1\.20 \[")
        self.assertEqual(originals.outside_in_words({}), "")
        self.assertEqual(originals.hashes_in_words(rows, originals.ratios(rows)), "")
        rows[0]["hash"] = "common"
        self.assertIn("go_hmap ran on the common hash", originals.hashes_in_words(rows, originals.ratios(rows)))

    def test_growths_lie_on_their_line(self):
        latency = {"count": 1000, "max": 900, "buckets": [[10, 20, 900], [100, 110, 90], [800, 810, 9], [896, 928, 1]]}
        events = [{"op": 3, "ns": 105}, {"op": 9, "ns": 900}]
        points = fig_tail.growth_points({"latency": latency, "growth_events": events})
        self.assertEqual([y for _, y in points], [105, 900])
        self.assertAlmostEqual(points[0][0], 10)    # nine tenths are shorter
        self.assertAlmostEqual(points[1][0], 1000)  # all others are

    def test_tails_by_their_originals(self):
        rows = [{"map": name, "latency": {"p999": p999, "max": top}} for name, p999, top in
                (("go_swiss", 300, 5000), ("real_go_swiss", 200, 2000))]
        self.assertEqual(fig_tail.quotients(*rows), [("p99.9", 1.5), ("longest", 2.5)])
        self.assertEqual(fig_tail.in_words({"go_swiss": rows}),
                         "go_swiss / real_go_swiss: p99.9 1.50, longest 2.50 (beyond a factor of 2).")


class Looks(unittest.TestCase):
    def test_an_original_has_its_ports_colour(self):
        looks = style.looks(synthetic_run.PORTS + synthetic_run.MAPS
                            + ["go_hmap@1.21", "go_swiss@1.24", "go_swiss@1.25", "go_swiss_split", "real_go_hashtrie", "real_rust_map"])
        drawn = [(look.colour, look.dash, look.marker) for look in looks.values()]
        self.assertEqual(len(set(drawn)), len(drawn))
        for name in synthetic_run.PORTS:
            facts = run.original(name)
            self.assertEqual(looks[name].colour, looks[facts.port if facts else name].colour)
            self.assertEqual(looks[name].dash == style.SOLID, facts is None)
        self.assertEqual(looks["real_go_hmap"].dash, style.DASHED)
        self.assertEqual(looks["real_go_hmap_gc"].dash, style.DOTTED)
        self.assertEqual(len({looks[name].marker for name in synthetic_run.PORTS[:4]}), 4)

    def test_legends_have_room_for_all_maps(self):
        _info, rows = synthetic_run.CASES["everything"]()
        labels = {r["map"] for r in rows}
        self.assertGreater(len(labels), 29)
        looks = style.looks(labels)
        figure, area = fig_ports.canvas.frame(8, fig_ports.canvas.legend_height(labels), "title", "subtitle", "note")
        beside = fig_ports.canvas.legend_inches(labels)
        handles = [fig_tail.canvas.Line2D([], [], label=label, **fig_ports.canvas.line_style(looks[label])) for label in labels]
        fig_ports.canvas.legend(figure, area, handles, "title", beside)
        box = figure.legends[0].get_window_extent(figure.canvas.get_renderer())
        width, height = figure.get_size_inches() * figure.dpi
        self.assertGreaterEqual(box.y0, area[1] * height - 1)
        self.assertLessEqual(box.x1, width)
        fig_ports.canvas.pyplot.close(figure)


class Drawn(Scratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_folder = synthetic_run.write("ports", cls.folder / "ports")
        cls.result = run_report(cls.run_folder)
        cls.loaded = load.load(cls.run_folder)
        cls.page = (cls.run_folder / "report.html").read_text(encoding="utf-8")

    def test_engine_maps_stand_beside_the_others(self):
        self.assertEqual(self.result, (0, ""))
        families = self.loaded.families("time")
        self.assertEqual(len(families), 2)  # shapes: the heap of the engine makes no family of its own
        for rows in families.values():
            self.assertEqual({r["map"] for r in rows}, {"null", *synthetic_run.PORTS})
        self.assertEqual({self.loaded.label(r) for r in self.loaded.rows}, {"null", *synthetic_run.PORTS})

    def test_the_figure_shows_the_numbers(self):
        for shape in ("u64_u64", "str_u64"):
            text = words_of(self.run_folder / "plots" / f"ports-{shape}-uniform.svg")
            rows = next(rows for family, rows in self.loaded.families("time").items() if family.shape == shape)
            for pair, cells in originals.ratios(rows).items():
                self.assertIn(" / ".join(pair), text)
                for ratio in cells.values():
                    self.assertIn(originals.ratio_text(ratio), text)
            for four, cells in originals.shapes(rows).items():
                self.assertIn(f"{four[3]} / {four[2]}", text)
                for shape_found in cells.values():
                    self.assertIn(originals.ratio_text(shape_found.agreement), text)
            self.assertIn("Above 1.00: ", text)
            self.assertIn("Outside the band of ±15 %: ", text)
            self.assertIn("real Go: go1.23.12, go1.24.4", text)

    def test_points_are_where_the_ratios_are(self):
        rows = next(iter(self.loaded.families("time").values()))
        ratios, shapes = originals.ratios(rows), originals.shapes(rows)
        looks = style.looks(self.loaded.maps)
        figure = fig_ports.draw_part(self.loaded, looks, rows, "title", list(originals.by_cell(rows)), ratios, shapes)
        drawn = [round(float(y), 9) for axes in figure.axes if axes.get_yscale() == "log" for line in axes.lines
                 if line.get_marker() not in (None, "None", "") for y in line.get_ydata()]
        expected = [round(ratio.value, 9) for of in ratios.values() for ratio in of.values()]
        expected += [round(ratio.value, 9) for of in shapes.values() for s in of.values() for ratio in (s.ports, s.originals)]
        self.assertEqual(sorted(drawn), sorted(expected))
        hollow = [line for axes in figure.axes for line in axes.lines if line.get_markerfacecolor() == style.PAPER]
        # del of go_hmap is unstable: three ratios and one shape at each of three sizes
        self.assertEqual(len(hollow), 3 * 3 + 3)
        self.assertTrue(any(axes.collections for axes in figure.axes))
        fig_ports.canvas.pyplot.close(figure)

    def test_axis_has_room_for_its_names(self):
        for low, high in ((0.9, 1.1), (0.28, 1.2), (0.05, 30), (0.3, 1.5)):
            ticks = fig_ports.ticks_between(low, high, 1.7)
            self.assertIn(1, ticks)
            for a, b in zip(ticks, ticks[1:]):
                self.assertGreater(1.7 * math.log(b / a) / math.log(high / low), fig_ports.TICK * 0.999)

    def test_the_tail_has_both_curves(self):
        text = words_of(self.run_folder / "plots" / "tail-u64_u64-uniform-put_grow-131072.svg")
        for name in synthetic_run.PORTS:
            self.assertIn(name, text)
        self.assertRegex(text, r"go_hmap / real_go_hmap: p99\.9 \d\.\d\d")
        self.assertIn("timer 26.5 ns", text)

    def test_the_page_has_the_tables(self):
        section = re.search(r'<section id="r0-ports">.*?</section>', self.page, re.S).group(0)
        self.assertIn("<h2>Ports beside the real runtime</h2>", section)
        self.assertIn("The originals were run by real Go: go1.23.12, go1.24.4.", section)
        tables = re.findall(r"<table.*?</table>", section, re.S)
        cells = 2 * 5 * 3  # shapes, workloads, sizes
        self.assertEqual([len(re.findall(r"<tr>", table)) - 1 for table in tables], [4 * cells, cells])
        rows = next(iter(self.loaded.families("time").values()))
        ratio = originals.ratios(rows)["go_hmap", "real_go123_hmap"]["get", 1024]
        self.assertIn(f'<td data-v="{ratio.value}" class="num">{originals.ratio_text(ratio)}</td>', tables[0])
        self.assertIn("<td>go1.23.12</td>", tables[0])
        self.assertIn("rounds differ by 25 %", tables[0])
        self.assertIn("<dt>Engines</dt><dd>real Go: go1.23.12, go1.24.4</dd>", self.page)
        self.assertEqual(section.count("<img "), 4)  # two shapes: ratios and the tail of the largest n

    def test_nothing_without_a_pair(self):
        folder = self.make("wide")
        self.assertEqual(run_report(folder), (0, ""))
        self.assertEqual([p.name for p in (folder / "plots").iterdir() if p.name.startswith(("ports-", "tail-"))], [])
        page = (folder / "report.html").read_text(encoding="utf-8")
        self.assertNotIn("r0-ports", page)
        self.assertNotIn("<dt>Engines</dt>", page)
        self.assertEqual(page_originals.compared(load.load(folder)), "")

    def test_a_port_alone_is_no_pair(self):
        info, rows = synthetic_run.build(["null", "go_hmap", "go_swiss", "linear"], ["u64_u64"], ["get"], ["uniform"],
                                         [1024], ("time",))
        alone = run.Run(self.folder, info, rows, 0)
        self.assertEqual(page_originals.compared(alone), "")
        self.assertEqual(fig_ports.draw(alone, style.looks(alone.maps), self.folder), [])


if __name__ == "__main__":
    unittest.main()
