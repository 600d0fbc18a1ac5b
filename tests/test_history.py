"""Tests of mapbench history: what it takes and refuses, what it stores once, what it shows, where it sees changes."""
import json
import os
import shutil
import subprocess
import sys
import unittest

from history_tools import COMMITS, NOBODY, ROOT, CELL, Scratch, counted, paired

import synthetic_retention
from judge.history import show as history_show, store as history_store
from judge_test_tools import sum_up

HEAD = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


class Adding(Scratch):
    def test_a_run_fed_twice_is_stored_once(self):
        run = self.run_folder()
        self.assertIn("32 values of 32 cells", self.history("add", run))
        before = self.rows("SELECT * FROM raw_values ORDER BY cell, metric")
        copied = shutil.copytree(run, self.folder / "copy")
        self.assertIn("was stored before", self.history("add", run))
        self.assertIn("was stored before", self.history("add", copied))
        self.assertIn("was stored before", self.history("add", run, copied))
        self.assertEqual(self.rows("SELECT * FROM raw_values ORDER BY cell, metric"), before)
        self.assertEqual(self.rows("SELECT count(*) FROM results"), [(1,)])

    def test_values_are_those_of_the_rows(self):
        run = self.run_folder(case="quick")
        self.history("add", run)
        for line in (run / "rows.jsonl").read_text().splitlines():
            row = json.loads(line)
            variant = f"open:{row['rate']}" if row.get("loop") == "open" else ""
            where = (f"map = '{row['map']}' AND shape = '{row['shape']}' AND workload = '{row['workload']}' AND n = {row['n']} "
                     f"AND variant = '{variant}'")
            metric, value = {"time": ("ns_per_op", row["median"]), "memory": ("bytes_per_entry", row.get("bytes_per_entry")),
                             "latency": ("p99_ns", row.get("latency", {}).get("p99")),
                             "counters": ("task_clock_ns_per_op", row.get("counters", {}).get("task_clock_ns")),
                             "structure": ("probe_mean", row.get("probe_mean")),
                             "scaling": ("exponent", row.get("exponent"))}[row["kind"]]
            low, high = row["ci95"] or row.get("exponent_ci95") or (None, None)
            if value is not None:
                self.assertEqual(self.rows(f"SELECT value, low, high FROM raw_values JOIN cells c ON c.id = cell WHERE {where} "
                                           f"AND metric = '{metric}'"), [(value, low, high)])

    def test_what_comes_out_the_same_on_another_night_is_another_point(self):
        self.history("add", self.run_folder("a", 1), self.run_folder("b", 2))
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT result_id) FROM results"), [(2, 1)])

    def test_a_run_that_was_edited_after_the_fact(self):
        run = self.run_folder()
        rows = run / "rows.jsonl"
        rows.write_text(rows.read_text().replace('"median": 1', '"median": 2', 1))
        self.refused(2, "rows.jsonl is not what was measured: SHA256SUMS does not match", "add", run)
        sum_up(run)
        self.history("add", run)
        self.refused(2, "result_id in run.json does not match", "add",
                     self.run_folder("other", change=lambda info, rows: info.update(result_id="0" * 64)))

    def test_a_run_of_an_unknown_commit_gets_it_by_revision(self):
        self.history("add", self.run_folder("a", commit="unknown"), self.run_folder("b", 2), "--revision", "HEAD")
        self.assertEqual(self.rows("SELECT revision FROM results ORDER BY time"), [(HEAD,), (COMMITS[0],)])

    def test_sections_that_measured_the_same_cell_stay_apart(self):
        def twice(_info, rows):
            rows += [row | {"job": "second", "median": 2 * row["median"]} for row in rows]
        self.history("add", self.run_folder(change=twice))
        self.assertEqual(self.rows("SELECT variant, count(*) FROM cells GROUP BY variant"), [("job:main", 32), ("job:second", 32)])

    def test_a_map_of_one_hash_is_measured_for_every_policy(self):
        def policies(_info, rows):
            for row in rows:
                row.update(hash_policy="common", cell=f"{row['job']}/common")
            rows += [row | {"hash_policy": "native", "cell": f"{row['job']}/native"} for row in rows]
        self.history("add", self.run_folder(change=policies))
        self.assertEqual(self.rows("SELECT variant, count(*) FROM cells GROUP BY variant"),
                         [("hash_policy:common", 32), ("hash_policy:native", 32)])

    def test_a_map_is_measured_beside_others_in_several_cells(self):
        def beside(_info, rows):
            rows += [row | {"cell": "another"} for row in rows[:2]]
        self.history("add", self.run_folder(change=beside))
        self.assertEqual(self.rows("SELECT count(*) FROM cells WHERE variant = 'cell:another'"), [(2,)])

    def test_retention(self):
        run = synthetic_retention.write("full", self.folder / "run")
        sum_up(run)
        self.history("add", run)
        verdicts = [json.loads(line) for line in (run / "retention.jsonl").read_text().splitlines()]
        wanted = [v["leaky_bytes"] for v in verdicts if v["label"] == "verdict" and v["scenario"] != "gc_work"
                  and v.get("leaky_bytes") is not None]
        found = self.rows("SELECT value FROM raw_values WHERE metric = 'leaky_bytes'")
        self.assertGreater(len(wanted), 3)
        self.assertEqual(sorted(wanted), sorted(value for value, in found))

    def test_a_scenario_without_a_map_is_told_apart_by_release(self):
        run = synthetic_retention.write("full", self.folder / "run")
        sum_up(run)
        path = run / "retention.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        one = next(line for line in lines if line["label"] == "verdict" and line.get("leaky_bytes") is not None)
        told = [one | {"map": None, "release": release, "scenario": "log_fields"} for release in ("1.24", "1.27")]
        path.write_text("".join(json.dumps(line) + "\n" for line in told))
        sum_up(run)
        self.history("add", run)
        found = self.rows("SELECT map FROM cells WHERE workload = 'retain:log_fields'")
        self.assertEqual(sorted(found), [("none@1.24",), ("none@1.27",)])

    def test_runs_that_are_refused(self):
        def schema(info, _rows):
            info["schema"] = 2

        def incomplete(info, _rows):
            info["complete"] = False

        def failed(_info, rows):
            for row in rows:
                row["error"] = "out of memory"

        def time(info, _rows):
            info["started"] = "yesterday"
        for name, change, reason in (("schema", schema, "schema 2, this version reads schema 1"), ("incomplete", incomplete, "interrupted"),
                                     ("failed", failed, "no row with a result"), ("time", time, "not a time")):
            self.refused(2, reason, "add", self.run_folder(name, change=change))
        self.refused(2, "no such file", "add", self.folder / "nothing")
        self.refused(2, "not a run folder", "add", self.folder)
        torn = self.run_folder("torn")
        (torn / "rows.jsonl").write_text((torn / "rows.jsonl").read_text()[:-20])
        self.refused(2, "not valid JSON", "add", torn)
        self.assertFalse(self.db.exists())

    def test_all_or_none(self):
        self.refused(2, "no such file", "add", self.run_folder(), self.folder / "nothing")
        self.assertFalse(self.db.exists())

    def test_comparisons_and_counts(self):
        one = self.file("one.json", paired(COMMITS[0], COMMITS[1], 1.01))
        self.assertIn("1 values of 1 cells", self.history("add", one, self.file("count.json", counted(COMMITS[1], 43.25))))
        self.assertEqual(self.rows("SELECT base, to_anchor, ratio, low, high, verdict FROM ratios"), [(COMMITS[0], 0, 1.01, 1.0, 1.02, "~")])
        self.assertEqual(self.rows("SELECT what, value FROM counts ORDER BY what"), [("instructions", 43.25), ("probe_mean", 1.5)])
        reordered = dict(reversed(list(json.loads(one.read_text()).items())))
        self.assertIn("was stored before", self.history("add", self.file("same.json", reordered)))
        # --revision says it where the file does not
        plain = counted(COMMITS[3], 43.25)
        del plain["commit"]
        self.history("add", self.file("plain.json", plain), one, "--revision", "HEAD")
        self.assertEqual(self.rows(f"SELECT kind FROM results WHERE revision = '{HEAD}'"), [("count",)])
        # the time is that of the measurement, wherever the file was copied
        os.utime(one, (0, 0))
        self.assertIn("was stored before", self.history("add", one))
        # the same counts of another commit are another point
        self.history("add", self.file("next.json", counted(COMMITS[2], 43.25)))
        self.assertEqual(self.rows("SELECT count(*) FROM results WHERE kind = 'count'"), [(3,)])

    def test_a_build_folder_is_of_the_commit_it_was_built_from(self):
        built = paired(COMMITS[0], None, 1.01, commit=COMMITS[2])
        self.history("add", self.file("built.json", built))
        self.assertEqual(self.rows("SELECT revision FROM results"), [(COMMITS[2],)])

    def test_files_that_are_refused(self):
        good = paired(COMMITS[0], COMMITS[1], 1.01)
        for content, reason in (("{", "not valid JSON"), ("[]", "neither a run folder nor"), ({"kind": "unpaired"}, "kind 'unpaired'"),
                                (good | {"schema": 2}, "schema 2"), (good | {"cells": []}, "no cell with a ratio"),
                                (good | {"base": {"commit": None}}, "its base is no commit"),
                                (good | {"new": {"commit": None}}, "its new side is no commit"), (good | {"validity": {}}, "trustworthy"),
                                (good | {"cells": good["cells"] * 2}, "twice"),
                                (good | {"cells": [good["cells"][0] | {"ratio": -1}]}, "is not one"),
                                (good | {"cells": [{"map": "linear"}]}, "'shape' is missing"),
                                (counted(COMMITS[0], 1) | {"cells": [CELL]}, "counted nothing")):
            self.refused(2, reason, "add", self.file("bad.json", content))


class Showing(Scratch):
    def test_a_line_per_cell(self):
        self.series_of_runs([1] * 11 + [1.1])
        text = self.history("show", "^linear/.*/get/uniform/1000/", "--ascii")
        line, = [line for line in text.splitlines() if line.startswith("linear/")]
        self.assertRegex(line, r"^linear/u64_u64/get/uniform/1000/common/malloc +_{11}# +\d+\.\d+ +\+10\.0 % +12$")
        self.assertIn("AMD EPYC", text)

    def test_a_map_that_was_renamed_goes_on(self):
        def named(name):
            def rename(_info, rows):
                for row in rows:
                    row["map"] = name if row["map"] == "linear" else row["map"]
            return rename
        self.history("add", self.run_folder("old", 1, change=named("go_hmap_load6")), self.run_folder("new", 2, change=named("go_hmap@1.21")))
        # As a version that knew the old name only has stored it.
        store = history_store.sqlite3.connect(self.db)
        store.execute("UPDATE cells SET map = 'go_hmap_load6' WHERE map = 'go_hmap@1.21'")
        store.commit()
        store.close()
        for name in ("go_hmap_load6", "go_hmap@1.21"):
            text = self.history("show", f"^{name}/.*/get/uniform/1000/", "--ascii")
            line, = [line for line in text.splitlines() if "/get/" in line]
            self.assertRegex(line, r"^go_hmap@1\.21/u64_u64/get/.* 2$")

    def test_blocks_by_the_locale(self):
        self.series_of_runs([1, 1.1])
        for locale, blocks in (("C", False), ("en_GB.UTF-8", True), ("C.utf8", True), ("en_GB.ISO-8859-1", False)):
            environment = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_CTYPE", "LANG")} | {"LANG": locale}
            done = subprocess.run([sys.executable, "-B", "-m", "judge", "history", "show", "--db", self.db], cwd=ROOT, env=environment,
                                  capture_output=True, check=True)
            self.assertEqual("▁█".encode() in done.stdout, blocks, locale)
            self.assertEqual(b"_#" in done.stdout, not blocks, locale)

    def test_sparkline(self):
        self.assertEqual(history_show.sparkline([1, 8], "12345678"), "18")
        self.assertEqual(len(set(history_show.sparkline([5, 5, 5], "12345678"))), 1)
        self.assertEqual(history_show.sparkline([0, 0], "12345678"), "11")
        self.assertEqual(len(history_show.sparkline(list(range(1, 100)), "12345678")), history_show.SPARK_POINTS)
        self.assertLess(len(set(history_show.sparkline([100, 100.1, 100], "12345678"))), 3)

    def test_times_of_two_machines_stay_apart(self):
        def other(info, rows):
            info["machine"]["cpu"] = "another"
            rows[0]["ns_per_op"] = [1.0]
        self.history("add", self.run_folder("a"), self.run_folder("b", change=other))
        text = self.history("show", "^linear/.*/get/uniform/1000/")
        self.assertEqual(text.count("== ns_per_op"), 2)
        self.assertEqual(sum(line.rstrip().endswith(" 1") for line in text.splitlines()), 2)

    def test_an_updated_kernel_is_the_same_machine(self):
        def update(info, _rows):
            info["machine"]["kernel"] = "6.1.0-99"
        self.history("add", self.run_folder("a"), self.run_folder("b", factor=1.1, change=update))
        self.assertEqual(self.rows("SELECT count(*) FROM machines"), [(1,)])

    def test_ratios_to_the_pinned_anchor(self):
        self.history("add", *(self.file(f"a{i}.json", paired(HEAD[:12], COMMITS[i], 1.01 + i / 100)) for i in range(3)),
                     *(self.file(f"b{i}.json", paired(NOBODY, COMMITS[i], 2)) for i in range(3)))
        self.refused(6, "no anchor is pinned", "show", "--metric", "ratio")
        self.refused(6, "no anchor is pinned", "anchor")
        self.assertEqual(self.history("anchor", "HEAD").strip(), HEAD)
        self.assertEqual(self.history("anchor").strip(), HEAD)
        text = self.history("show", "--metric", "ratio")
        self.assertRegex(text, r"1\.0300 .* 3\n")
        self.assertIn(f"base {HEAD[:9]}", text)
        # known when it is added, too
        self.history("add", self.file("a.json", paired(HEAD, COMMITS[3], 1.05)))
        self.assertRegex(self.history("show", "--metric", "ratio"), r"1\.0500 .* 4\n")
        self.refused(2, "'no_such_revision' is no commit: git says", "anchor", "no_such_revision")
        self.assertEqual(self.history("anchor").strip(), HEAD)

    def test_what_is_not_there(self):
        self.refused(6, "there is no history", "show")
        self.refused(6, "there is no history", "changes")
        history_store.open(self.db).close()
        self.refused(6, "the history is empty", "changes")
        self.history("add", self.run_folder())
        self.refused(6, "no cell of the history matches 'nothing'", "show", "nothing")
        self.refused(6, "no values of 'weight'; it has ns_per_op", "show", "--metric", "weight")
        self.refused(2, "not a regular expression", "show", "(")
        self.refused(2, "must end in .png", "show", "--figure", "a.txt")
        self.refused(2, "unrecognized arguments: --what", "show", "--what")

    def test_figure(self):
        self.series_of_runs([1] * 10 + [1.1] * 5)
        for suffix in ("png", "svg"):
            self.history("show", "^linear/.*/get/", "--figure", self.folder / f"f.{suffix}")
        self.assertGreater((self.folder / "f.png").stat().st_size, 20000)
        text = (self.folder / "f.svg").read_text(encoding="utf-8")
        for words in ("+10.0 %", COMMITS[10][:7], "linear/u64_u64/get/uniform/1000/common/malloc", "AMD EPYC"):
            self.assertIn(words, text)
        self.refused(4, "cannot write", "show", "--figure", self.folder / "none" / "f.png")


class Changes(Scratch):
    def test_a_step_is_reported_where_it_is(self):
        self.series_of_runs([1, 1.002, 0.999, 1.001, 1, 0.998, 1.001, 1.1, 1.101, 1.099, 1.1])
        text = self.history("changes", "^linear/.*/get/uniform/1000/")
        self.assertIn(f"{COMMITS[6][:9]}..{COMMITS[7][:9]}", text)
        self.assertIn("1 change and 0 drifts in 1 series", text)
        record, = json.loads(self.history("changes", "^linear/.*/get/uniform/1000/", "--json"))["changes"]
        self.assertEqual((record["commit"], record["last_before"], record["kind"]), (COMMITS[7], COMMITS[6], "step"))
        self.assertAlmostEqual(record["percent"], 10, delta=0.3)
        self.assertLess(record["p"], 0.001)

    def test_too_few_points(self):
        self.series_of_runs([1] * 4)
        self.assertRegex(self.history("changes"), r"too few points \(4 of 10\): chained/.* and 31 more")
        self.assertEqual(json.loads(self.history("changes", "--json"))["too_few_points"], 32)

    def test_what_may_not_be_quoted_does_not_count(self):
        def unstable(_info, rows):
            for row in rows:
                row["stable"] = False
        self.history("add", *(self.run_folder(f"r{day}", day, 1.2 if day > 9 else 1 + day / 1e5, COMMITS[day],
                                              change=unstable if day > 9 else None) for day in range(13)))
        text = self.history("changes", "^linear/.*/get/uniform/1000/")
        self.assertIn("0 changes and 0 drifts in 1 series", text)
        self.assertRegex(self.history("show", "^linear/.*/get/uniform/1000/"), r" ! +\+20")

    def test_comparisons_that_were_not_trustworthy_do_not_count(self):
        head = self.history("anchor", "HEAD").strip()
        self.history("add", *(self.file(f"{i}.json", paired(head, COMMITS[i], 1.2 if i > 9 else 1 + i / 1e5, trustworthy=i <= 9))
                              for i in range(14)))
        self.assertIn("0 changes and 0 drifts in 1 series", self.history("changes", "--metric", "ratio"))


if __name__ == "__main__":
    unittest.main()
