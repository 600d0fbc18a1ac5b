"""Tests of plots/ with input and machines that are not as they should be, and of results/schema.json."""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import unittest

from plot_test_tools import ROOT, Scratch, run_report  # first: it makes plots/ importable

import jsonschema
from plots.rows import load
import synthetic_run
import validate_run


class Schema(Scratch):
    def test_synthetic_runs_are_valid(self):
        for case in synthetic_run.CASES:
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
                (json.dumps({**info, "resumed": -1}), "'resumed' must be a count"),
                (json.dumps({**info, "maps": "linear"}), "'maps' must be a list"),
                (json.dumps({**info, "maps": ["linear"]}), "expected an object"),
                (json.dumps({**info, "machine": {**info["machine"], "caches": [{"level": "L1"}]}}), "'caches'"),
                (json.dumps({**info, "keys": [{"name": 3}]}), "'keys'"),
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
                ({"kind": "memory", "curve": [[1, 2]], "bytes_per_entry": 1}, "'curve'"),
                ({"kind": "counters", "counters": {"cycles": "many"}}, "'counters'"),
                ({"timer_share": "half"}, "'timer_share'"), ({"cpu_per_wall": "all"}, "'cpu_per_wall'"),
                ({"kind": "structure", "capacity": "big"}, "'capacity'"),
                ({"kind": "memory", "curve": None, "bytes_per_entry": 1, "octave": {"mean": 1}}, "'min' is missing"),
                ({"kind": "latency", "growth_events": [{"op": 1}], "latency": {
                    "buckets": [], "max": 1, "count": 0, "above": 0, "timer_cost_ns": None}}, "'ns' is missing")]):
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

    def test_a_torn_last_row_is_left_out_of_an_incomplete_run_only(self):
        folder = self.make("errors")
        rows, info = (folder / "rows.jsonl").read_text(), json.loads((folder / "run.json").read_text())
        (folder / "rows.jsonl").write_text(rows[:-40])
        run = load.load(folder)
        self.assertEqual((run.torn, len(run.rows)), (True, len(rows.splitlines()) - 1))
        self.assertEqual(run_report(folder)[0], 0)
        self.assertIn("last line of rows.jsonl is cut off", (folder / "report.html").read_text(encoding="utf-8"))
        (folder / "report.html").unlink()
        (folder / "run.json").write_text(json.dumps({**info, "complete": True}))
        self.refused(folder, "rows.jsonl", "not valid JSON")

    def test_rows_of_before_a_field_are_read(self):
        folder = self.make("octave")
        rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
        (folder / "rows.jsonl").write_text("".join(json.dumps({k: v for k, v in row.items() if k != "timer_share"}) + "\n"
                                                   for row in rows))
        info = json.loads((folder / "run.json").read_text())
        del info["resumed"]
        (folder / "run.json").write_text(json.dumps(info))
        self.assertEqual(run_report(folder), (0, ""))

    def start(self, folder, prelude="", limit_bytes=None, **environment):
        code = f"{prelude}\nimport sys; sys.path.insert(0, {str(ROOT)!r})\nfrom plots import report\n" \
               f"sys.exit(report.main([{str(folder)!r}]))"

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True,
                              text=True, check=False, preexec_fn=limit if limit_bytes else None)

    def test_without_gnuplot_the_rest_is_drawn(self):
        folder = self.make("single")
        done = self.start(folder, PATH=str(self.folder))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("gnuplot-nox", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        names = {p.name.split("-")[0] for p in (folder / "plots").glob("*.svg")}
        self.assertEqual(names, {"ratios", "speed", "trade", "latency", "open"})
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
        done = self.start(folder, limit_bytes=200000)  # the figures fit, the page does not
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("report.html", done.stderr)
        self.assertEqual((folder / "report.html").read_text(), "the page of before")
        self.assertEqual(list(folder.glob("*.partial")), [])

    def test_a_disk_that_fills_while_drawing(self):
        folder = self.make("single")
        done = self.start(folder, limit_bytes=20000)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(str(folder / "plots"), done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_folder_that_cannot_be_written(self):
        folder = self.make("single")
        (folder / "plots").write_text("a file is in the way")
        code, text = run_report(folder)
        self.assertEqual(code, 4)
        self.assertIn(str(folder / "plots"), text)


if __name__ == "__main__":
    unittest.main()
