"""Tests of plots/ on synthetic runs: statistics against closed forms, every figure, the page, broken input.

Needs the python3 that has matplotlib, numpy, scipy and jsonschema: /usr/bin/python3 tests/test_plots.py
"""
import contextlib
import io
import json
import math
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "plots"), str(ROOT / "tests")]

import jsonschema  # noqa: E402
import matplotlib.image  # noqa: E402
import scipy.stats  # noqa: E402

import flamegraph  # noqa: E402
import labels  # noqa: E402
import load  # noqa: E402
import points  # noqa: E402
import report  # noqa: E402
import stats  # noqa: E402
import style  # noqa: E402
import synthetic_run  # noqa: E402
import validate_run  # noqa: E402


def run_report(*folders):
    """Exit code and what went to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = report.main([str(folder) for folder in folders])
    return code, err.getvalue()


def words_of(svg):
    """All text of a picture, in one string; also checks that it is well-formed."""
    return " ".join(" ".join(xml.etree.ElementTree.parse(svg).getroot().itertext()).split())


class Scratch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-plots-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def make(self, case, name=None):
        return synthetic_run.write(case, self.folder / (name or f"{case}-{self._testMethodName}"))


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
            self.assertEqual(labels.overlap(box, (0, 0, 800, 500)), 70 * 12)

    def test_sizes_of_shapes(self):
        self.assertEqual([load.entry_bytes(s) for s in ("u32_u32", "u64_b56", "str_u64", "odd", "f80_u8")],
                         [8, 64, 24, None, None])


class Looks(unittest.TestCase):
    def test_looks_are_distinct_and_do_not_depend_on_company(self):
        names = synthetic_run.MAPS + ["my_own_map", "another", "khash (native hash)"]
        looks = style.looks(names)
        drawn = [(look.colour, look.dash, look.marker) for look in looks.values()]
        self.assertEqual(len(set(drawn)), len(drawn))
        self.assertEqual(style.looks(["my_own_map", "linear"])["my_own_map"], looks["my_own_map"])

    def test_numbers(self):
        self.assertEqual([style.format_n(n) for n in (1, 999, 1000, 1024, 4096000, 1048576, 578123, 1234)],
                         ["1", "999", "1k", "1Ki", "4.096M", "1Mi", "578k", "1,234"])
        self.assertEqual([style.format_ns(v) for v in (3.14159, 1500, 2e6)], ["3.14 ns", "1.5 µs", "2 ms"])
        self.assertEqual(style.compiler("gcc (Debian 12.2.0-14+deb12u1) 12.2.0"), "gcc 12.2")
        self.assertEqual(style.compiler("Debian clang version 14.0.6"), "Debian 14.0")

    def test_file_names_are_plain_and_distinct(self):
        texts = ["file:a/b", "file:a_b", "zipf:0.99", "x" * 300, "x" * 301, "../../etc", "", "ünïcode"]
        slugs = [style.slug(text) for text in texts]
        self.assertEqual(len(set(slugs)), len(texts))
        for slug in slugs:
            self.assertRegex(slug, r"^[A-Za-z0-9._-]{1,60}$")
            self.assertNotIn("..", slug)


# case: prefixes of the figures it must have, and no others
FIGURES = {
    "wide": {"ratios", "speed", "trade-off", "latency", "growth", "memory"},
    "octave": {"ratios", "speed"},
    "single": {"ratios", "speed", "trade-off", "latency", "memory"},
    "time_only": {"ratios", "speed"},
    "memory_only": {"memory"},
    "errors": {"ratios", "speed", "trade-off", "latency", "memory"},
    "hostile": {"ratios", "speed", "trade-off", "latency", "growth", "memory"},
    "jobs": {"ratios", "speed"},
    "empty": set(),
}


class Figures(Scratch):
    """Draws every case once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drawn = {}
        for case in FIGURES:
            folder = synthetic_run.write(case, cls.folder / case)
            cls.drawn[case] = folder, run_report(folder)

    def test_all_are_drawn(self):
        for case, expected in FIGURES.items():
            with self.subTest(case):
                folder, (code, complaints) = self.drawn[case]
                self.assertEqual((code, complaints), (0, ""))
                pictures = {p.stem for p in (folder / "plots").glob("*.svg")}
                self.assertEqual(pictures, {p.stem for p in (folder / "plots").glob("*.png")})
                kinds = {next(k for k in report.PREFIXES if p.startswith(k)).rstrip("-") for p in pictures}
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
        self.assertIn("position within the octave", next(t for t in texts if "job octave" in t))
        self.assertIn("INCOMPLETE RUN", words_of(next((self.drawn["errors"][0] / "plots").glob("speed-*.svg"))))

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
                         "this run is incomplete", "no_such"[:2], "this machine has no hardware counters",
                         "ENOENT: this machine has no such counter", "chained takes the common hash",
                         "Which map is fast for my keys"):
            self.assertIn(expected, page)
        self.assertEqual(page.count('scope="col"') > 10, True)
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


class Schema(Scratch):
    def test_synthetic_runs_are_valid(self):
        for case in FIGURES:
            self.assertEqual(validate_run.faults(self.make(case)), [], case)

    def test_broken_runs_are_refused(self):
        info, rows = synthetic_run.CASES["errors"]()
        run, row = validate_run.validator("run"), validate_run.validator("row")
        for field in list(info):
            self.assertFalse(run.is_valid({k: v for k, v in info.items() if k != field}), field)
        self.assertFalse(run.is_valid({**info, "schema": 2}))
        self.assertFalse(run.is_valid({**info, "surprise": 1}))
        for kind in load.KINDS:
            good = next(r for r in rows if r["kind"] == kind and r["error"] is None)
            row.validate(good)
            for field in good:
                if field != "step":
                    self.assertFalse(row.is_valid({k: v for k, v in good.items() if k != field}), f"{kind} {field}")
            for change in ({"n": 0}, {"kind": "speed"}, {"median": "7"}, {"stable": None}, {"surprise": 1},
                           {"checksum": "12"}, {"stable": False, "why_unstable": None},
                           {"error": "x", "median": 3.0}, {"ci95": [1]}):
                self.assertFalse(row.is_valid({**good, **change}), f"{kind} {change}")
        self.assertTrue(row.is_valid(next(r for r in rows if r["error"])))

    def test_readme_explains_every_field(self):
        text = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`([a-z0-9_]+)`", text))
        schema = json.loads(validate_run.SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        fields = set()

        def walk(value):
            if isinstance(value, dict):
                if isinstance(value.get("properties"), dict) and value.get("type") == "object":
                    fields.update(value["properties"])
                for inner in value.values():
                    walk(inner)
            elif isinstance(value, list):
                for inner in value:
                    walk(inner)
        walk(schema["$defs"])
        self.assertGreater(len(fields), 100)
        self.assertEqual(fields - named, set())


class BadInput(Scratch):
    def refused(self, folder, *words):
        code, text = run_report(folder)
        self.assertEqual(code, 2, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        for word in words:
            self.assertIn(str(word), text)
        self.assertFalse((pathlib.Path(folder) / "report.html").exists())

    def test_not_a_run(self):
        self.refused(self.folder / "nowhere", "nowhere", "no such folder")
        empty = self.folder / "nothing"
        empty.mkdir()
        self.refused(empty, "nothing", "no run.json")

    def test_broken_run_json(self):
        info = synthetic_run.CASES["single"]()[0]
        for number, (text, word) in enumerate([
                ("{", "not valid JSON"), ("[]", "no schema version"), ("{}", "no schema version"),
                (json.dumps({**info, "schema": 2}), "update mapbench"), (json.dumps({**info, "schema": 0}), "schema 0"),
                (json.dumps({k: v for k, v in info.items() if k != "machine"}), "'machine' is missing"),
                (json.dumps({**info, "maps": "linear"}), "'maps' must be a list"),
                (json.dumps({**info, "maps": ["linear"]}), "expected an object"),
                (json.dumps(info).replace("112.0", "NaN"), "NaN"), ("[" * 100000, "not valid JSON")]):
            folder = self.make("single", f"run{number}")
            (folder / "run.json").write_text(text)
            self.refused(folder, "run.json", word)
        (folder / "run.json").write_bytes(b"\xff\xfe\x00")
        self.refused(folder, "run.json", "cannot be read")

    def test_broken_rows_name_file_and_line(self):
        for number, (change, word) in enumerate([
                ("{\"kind\":", "not valid JSON"), ("7", "expected an object"), ({"n": 0}, "'n' is 0"),
                ({"kind": "speed"}, "unknown kind 'speed'"), ({"median": "fast"}, "'median' must be a number"),
                ({"median": True}, "'median' must be a number"), ({"n": 1.5}, "'n' must be a count"),
                ({"round_medians": [1, "x"]}, "'round_medians' holds"), ({"ci95": [1]}, "'ci95'"),
                ({"map": None}, "'map' must be a text"), ({"kind": "latency"}, "'latency' is missing"),
                ({"kind": "memory", "curve": [[1, 2]], "bytes_per_entry": 1}, "'curve'")]):
            folder = self.make("octave", f"rows{number}")
            lines = (folder / "rows.jsonl").read_text().splitlines()
            lines[4] = change if isinstance(change, str) else json.dumps({**json.loads(lines[4]), **change})
            (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
            self.refused(folder, "rows.jsonl:5:", word)

    def test_rows_that_occur_twice_are_mentioned(self):
        folder = self.make("octave")
        lines = (folder / "rows.jsonl").read_text()
        (folder / "rows.jsonl").write_text(lines + lines.splitlines()[0] + "\n\n")
        self.assertEqual(run_report(folder)[0], 0)
        self.assertIn("1 rows occur twice", (folder / "report.html").read_text(encoding="utf-8"))

    def start(self, folder, prelude="", limit_bytes=None, **environment):
        code = f"{prelude}\nimport sys; sys.path.insert(0, {str(ROOT / 'plots')!r})\nimport report\n" \
               f"sys.exit(report.main([{str(folder)!r}]))"

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        import os
        return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True,
                              text=True, check=False, preexec_fn=limit if limit_bytes else None)

    def test_without_gnuplot_the_rest_is_drawn(self):
        folder = self.make("single")
        done = self.start(folder, PATH=str(self.folder))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("gnuplot-nox", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        names = {p.name.split("-")[0] for p in (folder / "plots").glob("*.svg")}
        self.assertEqual(names, {"ratios", "speed", "trade", "latency"})
        self.assertIn("gnuplot-nox", (folder / "report.html").read_text(encoding="utf-8"))

    def test_without_matplotlib_the_rest_is_drawn(self):
        folder = self.make("single")
        done = self.start(folder, "import sys; sys.modules['matplotlib'] = None")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("python3-matplotlib", done.stderr)
        self.assertEqual({p.name.split("-")[0] for p in (folder / "plots").glob("*.svg")}, {"memory"})
        self.assertIn("Time against size", (folder / "report.html").read_text(encoding="utf-8"))

    def test_without_scipy_nothing_can_be_said(self):
        done = self.start(self.make("single"), "import sys; sys.modules['scipy'] = None")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("python3-scipy", done.stderr)

    def test_without_chart_js_the_page_has_pictures(self):
        folder = self.make("single")
        done = self.start(folder, MAPBENCH_CHARTJS=str(self.folder / "absent.js"))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("libjs-chart.js", done.stderr)
        page = (folder / "report.html").read_text(encoding="utf-8")
        self.assertGreaterEqual(page.count('src="data:image/svg+xml;base64,'), 4)
        self.assertNotIn("<canvas", page)

    def test_a_full_disk_leaves_no_half_page(self):
        folder = self.make("single")
        (folder / "report.html").write_text("the page of before")
        done = self.start(folder, limit_bytes=60000)  # the figures fit, the page does not
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("report.html", done.stderr)
        self.assertEqual((folder / "report.html").read_text(), "the page of before")
        self.assertEqual(list(folder.glob("*.partial")), [])

    def test_a_folder_that_cannot_be_written(self):
        folder = self.make("single")
        (folder / "plots").write_text("a file is in the way")
        code, text = run_report(folder)
        self.assertEqual(code, 4)
        self.assertIn(str(folder / "plots"), text)


SAMPLE = """\
# a comment
map bench 22046/22047  3070.420437:     500250 cpu-clock:pppH: 
	    55d0c0ff11ac run_get+0x1c (/usr/bin/mapbench)
	           2724a main+0x7a (/usr/bin/mapbench)

map bench 22046  3070.420935:     500250 cpu-clock: 
	    55d0c0ff11ac std::pair<int, char> operator() <x> (int)+0x1c (/usr/bin/map (1)/bench)
	           2724a main+0x7a (/usr/bin/mapbench)

map bench 22046  3070.421434:     500250 cpu-clock: 
	ffffffffa1 [unknown] ([kernel.kallsyms])
	           2724a main+0x7a (/usr/bin/mapbench)
map bench 22046  3070.421934:     500250 cpu-clock: 
"""


class FlameGraph(Scratch):
    def draw(self, text, title="get <&>"):
        script, out = self.folder / "script.txt", self.folder / "out.svg"
        script.write_text(text)
        out.unlink(missing_ok=True)
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            return flamegraph.main([str(script), str(out), "--title", title]), err.getvalue(), out

    def test_samples_are_counted_by_stack(self):
        found = flamegraph.stacks(SAMPLE.splitlines(keepends=True))
        self.assertEqual(found, {("map bench", "main", "run_get"): 1,
                                 ("map bench", "main", "std::pair<int, char> operator() <x> (int)"): 1,
                                 ("map bench", "main", "[kernel.kallsyms]"): 1,
                                 ("map bench", "[no call chain]"): 1})

    def test_picture(self):
        code, complaints, out = self.draw(SAMPLE * 5)
        self.assertEqual((code, complaints), (0, ""))
        tree = xml.etree.ElementTree.parse(out)
        text = words_of(out)
        self.assertIn("get <&>", text)
        self.assertIn("main: 75.00 % (15 samples)", text)
        self.assertIn("run_get: 25.00 % (5 samples)", text)
        space = "{http://www.w3.org/2000/svg}"
        boxes = tree.getroot().findall(f"{space}g/{space}g")
        width = {b.find(f"{space}title").text.split(":")[0]: float(b.find(f"{space}rect").get("width")) for b in boxes}
        self.assertAlmostEqual((width["main"] + 0.5) / (width["all"] + 0.5), 0.75, places=3)

    def test_no_samples(self):
        for text in ("", "# captured on: today\n#\n\n"):
            code, complaints, out = self.draw(text)
            self.assertEqual(code, 2)
            self.assertEqual(len(complaints.splitlines()), 1)
            self.assertFalse(out.exists())

    def test_files_that_cannot_be_had(self):
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(flamegraph.main([str(self.folder / "absent"), "x.svg"]), 2)
            script = self.folder / "s.txt"
            script.write_text(SAMPLE)
            self.assertEqual(flamegraph.main([str(script), str(self.folder)]), 4)
        self.assertIn("absent", err.getvalue())

    def test_deep_stacks(self):
        frames = "".join(f"\t1 f{i}+0x1 (/x)\n" for i in range(3000))
        code, _complaints, out = self.draw("c 1 1.0: 1 cpu-clock:\n" + frames + "\n")
        self.assertEqual(code, 0)
        self.assertIn("f2999", words_of(out))


if __name__ == "__main__":
    unittest.main()
