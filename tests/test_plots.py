"""Tests of plots/ on synthetic runs: every figure, and the page.

They need the python3 that has matplotlib, numpy, scipy and jsonschema: /usr/bin/python3 tests/test_plots.py
"""
import json
import math
import pathlib
import re
import subprocess
import unittest

from plot_test_tools import Drawn, Scratch, prefix_of, run_report, words_of  # first: it makes plots/ importable

from plots.figures import latency as fig_latency
from plots.rows import load
import matplotlib.colors
import matplotlib.image
from plots.draw import style
import synthetic_run

# case: prefixes of the figures it must have, and no others
FIGURES = {
    "wide": {"ratios", "speed", "trade-off", "latency", "open", "queue", "growth", "memory"},
    "octave": {"ratios", "speed"},
    "single": {"ratios", "speed", "trade-off", "latency", "open", "memory"},
    "time_only": {"ratios", "speed"},
    "memory_only": {"memory"},
    "errors": {"ratios", "speed", "trade-off", "latency", "open", "memory"},
    "ports": {"ratios", "ports", "speed", "trade-off", "latency", "tail", "open", "queue", "growth",
              "memory"},
    "hostile": {"ratios", "speed", "trade-off", "latency", "open", "queue", "growth", "memory"},
    "jobs": {"ratios", "speed"},
    "empty": set(),
}


class Figures(Drawn):
    CASES = FIGURES

    def test_all_are_drawn(self):
        for case, expected in FIGURES.items():
            with self.subTest(case):
                folder, (code, complaints) = self.drawn[case]
                self.assertEqual((code, complaints), (0, ""))
                pictures = {p.stem for p in (folder / "plots").glob("*.svg")}
                self.assertEqual(pictures, {p.stem for p in (folder / "plots").glob("*.png")})
                kinds = {prefix_of(p).rstrip("-") for p in pictures}
                self.assertEqual(kinds, expected)

    def test_none_is_blank(self):
        for case, (folder, _result) in self.drawn.items():
            for picture in (folder / "plots").glob("*.png"):
                with self.subTest(picture.name):
                    pixels = matplotlib.image.imread(picture)[..., :3]
                    height, width = pixels.shape[:2]
                    self.assertGreater(height * width, 100000)
                    self.assertGreater(pixels.var(), 0.002)
                    for part in (pixels[:height // 8], pixels[height // 3:2 * height // 3]):  # title, and the middle
                        self.assertGreater(part.var(), 0.0005)

    def test_every_map_has_ink_of_its_colour(self):
        for case, pattern in (("errors", "speed-*"), ("octave", "speed-*"), ("wide", "speed-*"), ("wide", "memory-*"),
                              ("wide", "growth-*"), ("errors", "latency-*"), ("wide", "trade-off-*")):
            folder, _result = self.drawn[case]
            run = load.load(folder)
            looks = style.looks(run.maps)
            for picture in (folder / "plots").glob(pattern + ".png"):
                pixels = matplotlib.image.imread(picture)[..., :3]
                drawing = pixels[:, :int(pixels.shape[1] * 0.76)] if pattern in ("speed-*", "latency-*") else pixels
                for name in run.maps:
                    if name == "null" or (name == "judy" and pattern == "growth-*"):  # has no growth events
                        continue
                    colour = matplotlib.colors.to_rgb(looks[name].colour)
                    near = (abs(drawing - colour).max(axis=2) < 0.04).sum()
                    self.assertGreater(near, 40, f"{picture.name}: {name}")

    def test_texts_say_what_is_shown(self):
        for case, (folder, _result) in self.drawn.items():
            run = load.load(folder)
            for picture in (folder / "plots").glob("*.svg"):
                with self.subTest(f"{case}/{picture.name}"):
                    text = words_of(picture)
                    self.assertIn("ower is better", text)
                    self.assertIn("AMD EPYC 9R45, 2 cores, Linux 6.1, gcc 12.2 · 2026-11-20", text)
                    self.assertTrue(any(r["shape"] in text for r in run.rows))
                    self.assertTrue(any(name in text for name in run.maps if name != "null"))

    def test_every_map_of_a_wide_run_is_named(self):
        folder, _result = self.drawn["wide"]
        for picture in (folder / "plots").glob("*.svg"):
            text = words_of(picture)
            for name in synthetic_run.MAPS[1:] + ["my_own_map"]:
                self.assertIn(name, text, picture.name)

    def test_unusual_conditions_are_in_the_title(self):
        folder, _result = self.drawn["jobs"]
        texts = [words_of(p) for p in (folder / "plots").glob("speed-*.svg")]
        self.assertEqual(len(texts), 4)
        for words in ("job octave", "job sweep", "hash policy native", "hash policy common"):
            self.assertTrue(any(words in text for text in texts), words)
        self.assertIn("one octave, linear", next(t for t in texts if "job octave" in t))
        self.assertIn("INCOMPLETE RUN", words_of(next((self.drawn["errors"][0] / "plots").glob("speed-*.svg"))))

    def test_sizes_are_written_as_on_the_command_line(self):
        text = words_of(next((self.drawn["octave"][0] / "plots").glob("speed-*.svg")))
        self.assertRegex(text, r"571,740 .*1m ")
        for folder, _result in self.drawn.values():
            for picture in (folder / "plots").glob("*.svg"):
                self.assertNotRegex(words_of(picture), r"\b\d+([KM]i|M|K)\b", picture.name)
            self.assertNotRegex((folder / "report.html").read_text(encoding="utf-8").split("<script")[0],
                                r"\b\d+([KM]i|M|K)\b")
        page = (self.drawn["octave"][0] / "report.html").read_text(encoding="utf-8")
        self.assertIn('<td data-v="1048576" class="num">1m</td>', page)

    def test_no_text_leaves_a_figure(self):
        for case, (folder, _result) in self.drawn.items():
            for picture in (folder / "plots").glob("*.png"):
                pixels = matplotlib.image.imread(picture)[..., :3]
                for edge in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]):
                    self.assertEqual(edge.min(), 1, f"{case}/{picture.name}: ink at the edge")

    def test_unstable_rows_are_marked_in_every_figure(self):
        folder, _result = self.drawn["wide"]
        plots = folder / "plots"
        self.assertIn("khash (unstable)", words_of(next(plots.glob("growth-u64*.svg"))))
        for pattern in ("growth-u64*", "latency-u64*", "speed-u64*"):
            self.assertRegex(words_of(next(plots.glob(pattern + ".svg"))), "[Hh]ollow", pattern)
        run = load.load(folder)
        rows = [r for r in run.measured("latency") if (r["shape"], r["workload"]) == ("u64_u64", "put_grow")]
        looks = style.looks(run.maps)
        figure = fig_latency.draw_part(run, looks, rows, [("put_grow", 1000000)], "title")
        ends = [line for line in figure.axes[0].lines if line.get_marker() not in (None, "None", "")]
        hollow = [line.get_color() for line in ends if line.get_markerfacecolor() == style.PAPER]
        self.assertEqual((len(ends), hollow), (len(rows) - 1, [looks["khash"].colour]))
        points = [figure.axes[0].transData.transform(line.get_xydata()[0]) for line in ends]
        apart = min(math.dist(a, b) for i, a in enumerate(points) for b in points[:i])
        self.assertGreater(apart, fig_latency.END_INCHES * figure.dpi * 0.8)
        fig_latency.canvas.pyplot.close(figure)

    def test_names_of_strangers_run_nothing(self):
        folder, _result = self.drawn["hostile"]
        self.assertEqual([p for p in folder.rglob("pwned*")] + list(pathlib.Path.cwd().glob("pwned*")), [])
        page = (folder / "report.html").read_text(encoding="utf-8")
        for raw in ("<script>alert", "<b>map", "<img src=x"):
            self.assertNotIn(raw, page)
        self.assertIn("&lt;/script&gt;&lt;b&gt;map", page)

    def test_figures_of_an_earlier_drawing_go(self):
        folder, _result = self.drawn["octave"]
        stale = folder / "plots" / "latency-gone.svg"
        own = folder / "plots" / "notes.txt"
        stale.write_text("old")
        own.write_text("mine")
        self.assertEqual(run_report(folder)[0], 0)
        self.assertFalse(stale.exists())
        self.assertTrue(own.exists())

    def test_a_gnuplot_script_redraws_its_figure(self):
        folder, _result = self.drawn["memory_only"]
        script = next((folder / "plots").glob("memory-*.gp"))
        script.with_suffix(".svg").unlink()
        subprocess.run(["gnuplot", script.name], cwd=script.parent, check=True, capture_output=True)
        self.assertIn("linear", words_of(script.with_suffix(".svg")))

    def test_page_holds_the_numbers(self):
        folder, _result = self.drawn["errors"]
        page = (folder / "report.html").read_text(encoding="utf-8")
        row = next(r for r in load.load(folder).measured("time") if r["map"] == "chained")
        for expected in (f"{row['median']:.3g}", "out of memory: wanted 1 GiB", "rounds differ by 25 %", "are strings",
                         '<p class="incomplete" role="alert"><b>Incomplete run.</b>',
                         "<dt>Resumed</dt><dd>2 times</dd>", "this machine has no hardware counters",
                         "ENOENT: this machine has no such counter", "chained takes the common hash",
                         "Which map is fast for my keys"):
            self.assertIn(expected, page)
        complete = (self.drawn["wide"][0] / "report.html").read_text(encoding="utf-8")
        self.assertNotIn('class="incomplete"', complete)
        self.assertNotIn("<dt>Resumed</dt>", complete)
        self.assertGreater(page.count('scope="col"'), 10)
        self.assertNotRegex(page, r'(src|href)="https?:')
        self.assertNotRegex(page, r"<link|@import|url\(")

    def test_data_in_the_page_is_what_was_measured(self):
        folder, _result = self.drawn["hostile"]
        page = (folder / "report.html").read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script type="application/json" id="data0">(.*?)</script>', page, re.S).group(1))
        run = load.load(folder)
        self.assertEqual({s["label"] for s in data["speed"]}, set(run.maps))
        self.assertEqual(data["families"][0]["keys"], synthetic_run.HOSTILE)
        row, drawn = run.measured("time")[0], data["speed"][0]
        self.assertAlmostEqual(drawn["ns"], row["median"], delta=row["median"] * 1e-4)

    def test_verdicts_of_table_and_heat_map_agree(self):
        folder, _result = self.drawn["wide"]
        page = (folder / "report.html").read_text(encoding="utf-8")
        heat = re.search(r'<table class="heat"><caption>u64_u64.*?</table>', page, re.S).group(0)
        table = re.search(r'<table class="results.*?</table>', page, re.S).group(0)
        of_heat = sorted(re.findall(r'title="[^"]*">([~?\d.,]+)</td>', heat))
        of_table = sorted(cells[7] for cells in ([re.sub("<.*?>", "", c) for c in re.findall(r"<td.*?</td>", row)]
                                                 for row in table.split("<tr>")) if len(cells) > 7
                          and cells[1] == "u64_u64" and cells[0] != "null")
        self.assertEqual(of_heat, of_table)

    def test_several_runs_are_sections_of_one_page(self):
        first, second = self.drawn["octave"][0], self.drawn["single"][0]
        self.assertEqual(run_report(first, second)[0], 0)
        page = (first / "report.html").read_text(encoding="utf-8")
        self.assertEqual(page.count('<main class="run"'), 2)
        self.assertIn("Nothing on this page compares them", page)
        self.assertIn("../single/plots/", page)
        self.assertEqual((second / "report.html").read_text(encoding="utf-8").count('<main class="run"'), 1)


if __name__ == "__main__":
    unittest.main()
