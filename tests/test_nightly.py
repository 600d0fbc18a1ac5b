"""`mapbench nightly` with a stand-in for every step: exit codes, what is compared with what, the summary, faults."""
import contextlib
import io
import itertools
import pathlib
import re
import signal
import time
import unittest
import unittest.mock

# first: it makes judge/ importable
from night_tools import PROJECT, ROOT, Nights, count_json, junit_text, paired_json, plan, row, verdict_line

from processes import alive

from judge.base.common import Refused
from judge.history import store as history_store
from judge.nightly import nightly
from judge.nightly.steps import STEPS, WORST_FIRST, worst


class Codes(unittest.TestCase):
    def test_the_worst_of_all_combinations_decides(self):
        self.assertEqual(WORST_FIRST, (1, 3, 4, 5, 6, 0))
        for codes in itertools.product(WORST_FIRST, repeat=3):
            got = worst(codes)
            for code in (1, 3, 4, 5, 6):
                if code in codes:
                    self.assertEqual(got, code, codes)
                    break
            else:
                self.assertEqual(got, 0)


class ExitCodes(Nights):
    def check(self, expected, night_plan, *options):
        got = self.night(night_plan, *options)
        self.assertEqual(got, expected, self.printed)
        self.assertEqual(self.record()["exit"], expected)
        self.another()

    def test_codes_of_the_counting_gate(self):
        # what a step's bad input or undocumented end means for the night: the step could not do its work
        for code, expected in ((0, 0), (1, 1), (2, 4), (3, 3), (4, 4), (5, 5), (6, 6), (7, 4), (130, 4)):
            verdict = "more" if code == 3 else "same"
            said = code if code in WORST_FIRST else 4
            self.check(expected, plan(count={"exit": code, "json": count_json(verdict, said)}), "--steps", "count")

    def test_codes_of_the_paired_gate(self):
        for code, expected in ((1, 1), (2, 4), (3, 3), (4, 4), (5, 5), (6, 6)):
            reasons = ["an A/A comparison gave an alarm"] if code == 5 else ()
            said = paired_json("slower" if code == 3 else "~", code if code in WORST_FIRST else 4, reasons)
            self.check(expected, plan(compare={"exit": code, "json": said}), "--steps", "paired")

    def test_a_regression_goes_before_what_is_not_trustworthy(self):
        self.check(3, plan(count={"exit": 3, "json": count_json("more", 3)},
                           compare={"exit": 5, "json": paired_json(code=5, reasons=["busy"])}))

    def test_a_wrong_result_goes_before_a_regression(self):
        self.check(1, plan(run={"exit": 1, "rows": [row("wrong result: checksum")]}, count={"exit": 3, "json": count_json("more", 3)}))

    def test_an_untrustworthy_comparison_is_never_a_regression(self):
        self.check(5, plan(compare={"exit": 3, "json": paired_json("slower", 3, ["the control was not seen"])}))

    def test_a_bound_that_is_not_kept(self):
        self.check(1, plan(retain={"exit": 1, "retention": [verdict_line(False)]}), "--steps", "retention")
        self.check(0, plan(), "--steps", "retention")

    def test_the_file_may_say_worse_than_the_command(self):
        self.check(3, plan(count={"exit": 0, "json": count_json("more", 3)}), "--steps", "count")

    def test_a_step_that_ends_well_but_leaves_nothing_is_red(self):
        for fault in ({}, {"json": "{"}, {"json": {"kind": "count"}}, {"json": count_json() | {"compared": None}}, {"json": "[]"}):
            self.check(4, plan(count=fault), "--steps", "count")
        self.check(4, plan(compare={"json": {"kind": "paired", "cells": [], "exit": 0}}), "--steps", "paired")
        self.check(4, plan(run={}), "--steps", "smoke,count")
        self.check(4, plan(retain={}), "--steps", "count,retention")

    def test_a_night_that_compared_nothing_is_red(self):
        self.check(6, plan(), "--steps", "smoke,history,report")
        self.check(6, plan(count={"json": count_json(compared=0)}), "--steps", "count")
        self.check(6, plan(compare={"json": paired_json("underpowered")}), "--steps", "paired")
        self.check(6, plan(retain={"retention": []}), "--steps", "retention")
        self.check(6, plan(), "--budget", "0.5")  # no gate has time to begin

    def test_history_and_report_count(self):
        self.check(4, plan(**{"history add": {"exit": 2, "print": "mapbench: not a history"}}))
        self.check(4, plan(report={"exit": 4}))
        self.check(0, plan(**{"history changes": {"exit": 6}}))


class Faults(Nights):
    def test_a_crash_is_red_with_its_last_line(self):
        self.assertEqual(self.night(plan(count={"signal": "SEGV", "print": "counting linear\nlast words"})), 4)
        self.assertIn("ended by signal 11", self.step("count")["why"] + self.summary())
        self.assertIn("last words", self.step("count")["why"])
        self.assertEqual(self.step("paired-green")["code"], 0)  # the others ran

    def test_a_step_that_takes_too_long_is_ended_with_its_children(self):
        self.assertEqual(self.night(plan(run={"children": 1, "print": "still measuring"}), "--steps", "smoke", "--budget", "0.1"), 4)
        self.assertRegex(self.step("smoke")["why"], "was ended after its [1-6] s")  # what is left of the budget when it begins
        self.assertIn("still measuring", self.step("smoke")["why"])
        for pid in (self.folder / "plan" / "pids").read_text(encoding="utf-8").split():
            self.assertFalse(alive(pid))

    def interrupt(self, number):
        with self.start(plan(count={"children": 1})) as process:
            begun = self.folder / "plan" / "pids"
            for _ in range(12000):
                if begun.exists() and begun.read_text(encoding="utf-8").endswith("\n"):
                    break
                time.sleep(0.05)
            process.send_signal(number)
            printed = process.communicate(timeout=600)[0]
        self.assertEqual(process.returncode, 130, printed)
        for pid in begun.read_text(encoding="utf-8").split():
            self.assertFalse(alive(pid))
        self.assertIn("Interrupted", self.summary().splitlines()[0])
        self.assertIn("| paired-green | not begun |", self.summary())
        self.assertEqual(self.record()["exit"], 130)
        self.assertEqual(self.suites()["nightly"].get("errors"), "2")
        self.assertFalse(self.database.exists())

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_termination(self):
        self.interrupt(signal.SIGTERM)

    def test_a_history_that_is_none(self):
        self.database.write_text("no database, but long enough to look at: " * 20, encoding="utf-8")
        self.assertEqual(self.night(plan()), 4)
        self.assertIn("not a history database", self.step("paired-green")["why"])
        self.assertEqual(self.step("count")["code"], 0)
        self.assertFalse(any(call.startswith("compare") for call in self.calls()))

    def test_broken_junit_of_a_step_is_an_error_not_the_end(self):
        self.assertEqual(self.night(plan(count={"json": count_json(), "junit": "<testsuites>"})), 0)
        self.assertEqual(self.suites()["nightly"].get("errors"), "1")
        self.assertIn("compare", " ".join(self.suites()))

    def test_bad_input(self):
        for options, words in ((["--steps", "cuont"], "unknown step 'cuont'"), (["--budget", "0"], "minutes"),
                               (["--budget", "x"], "minutes"), (["--base", "nowhere"], "'nowhere' is no revision"),
                               (["--anchor", "nowhere"], "'nowhere' is no revision")):
            self.assertEqual(self.night(plan(), *options), 2, options)
            self.assertIn(words, self.printed)
            self.assertEqual(self.printed.count("\n"), 1, self.printed)
            self.assertFalse(self.out.exists())
        self.out.mkdir()
        (self.out / "mine").touch()
        self.assertEqual(self.night(plan()), 2)
        self.assertIn("not an empty folder", self.printed)


class Revisions(Nights):
    def setting(self, key):
        database = history_store.open(self.database)
        try:
            return history_store.get_setting(database, key)
        finally:
            database.close()

    def compares(self):
        return [call.split()[1:3] for call in self.calls() if call.startswith("compare")]

    def test_first_night_then_the_next(self):
        self.assertEqual(self.night(plan()), 0)
        self.assertEqual(self.compares(), [[self.before, self.head]])
        self.assertIn("No green night yet: the base is the commit before HEAD", self.summary())
        self.assertIn("one comparison serves both", self.step("paired-anchor")["why"])
        self.assertEqual((self.setting("last_green_revision"), self.setting("anchor_revision")), (self.head, self.before))
        self.another()
        self.assertEqual(self.night(plan()), 0)
        self.assertEqual(self.compares(), [[self.head, self.head], [self.before, self.head]])
        self.assertIn("the same code twice", self.summary())

    def test_a_red_night_pins_nothing(self):
        self.assertEqual(self.night(plan(count={"exit": 3, "json": count_json("more", 3)})), 3)
        self.assertIsNone(self.setting("last_green_revision"))
        self.assertIsNone(self.setting("anchor_revision"))

    def test_a_green_night_without_the_paired_gate_pins_nothing(self):
        self.assertEqual(self.night(plan(), "--steps", "count"), 0)
        self.assertIn("The last green revision stays", self.summary())
        self.assertFalse(self.database.exists())

    def test_the_anchors_comparison_where_that_of_the_green_revision_had_no_time(self):
        # 204 s: 116 for the first, too few; 204 for the second
        self.assertEqual(self.night(plan(), "--steps", "paired", "--budget", "3.4"), 0)
        self.assertEqual([self.step(name)["state"] for name in ("paired-green", "paired-anchor")], ["left out", "ran"])

    def test_both_revisions_are_pinned_or_none(self):
        def broken(database, key, value, real=history_store.set_setting):
            if key == history_store.ANCHOR:
                raise Refused("the disk is full", 4)
            real(database, key, value)
        with unittest.mock.patch.object(history_store, "set_setting", broken):
            self.assertEqual(self.night(plan()), 4)
        self.assertIsNone(self.setting("last_green_revision"))

    def test_named_revisions(self):
        self.assertEqual(self.night(plan(), "--base", "HEAD", "--anchor", "HEAD~"), 0)
        self.assertEqual(self.compares(), [[self.head, self.head], [self.before, self.head]])
        self.assertEqual(self.setting("anchor_revision"), self.before)

    def test_a_last_green_revision_that_is_gone(self):
        database = history_store.open(self.database)
        history_store.set_setting(database, history_store.LAST_GREEN, "f" * 40)
        database.close()
        self.assertEqual(self.night(plan()), 4)
        self.assertIn("ffffffffffff is not in this clone", self.step("paired-green")["why"])
        self.another()
        self.assertEqual(self.night(plan(), "--base", "HEAD~"), 0)
        self.assertEqual(self.setting("last_green_revision"), self.head)

    def test_edited_files_and_another_build_pin_nothing(self):
        other = {"rows": [row()], "run": {"build": {"commit": "a" * 40 + "-dirty"}}}
        self.assertEqual(self.night(plan(run=other)), 0)
        self.assertIn("was built from aaaaaaaaaaaa, not from HEAD", self.summary())
        self.assertFalse(self.database.exists())
        self.another()
        tracked = PROJECT / "file"
        tracked.write_text("edited", encoding="utf-8")
        try:
            self.assertEqual(self.night(plan()), 0)
        finally:
            tracked.write_text("second", encoding="utf-8")
        self.assertIn("files of the project are edited", self.summary())
        self.assertFalse(self.database.exists())


class Summary(Nights):
    def test_green(self):
        self.assertEqual(self.night(plan(**{"history changes": {"print": "linear/get: -12 % since abc"}})), 0)
        text = self.summary()
        self.assertTrue(text.startswith("# Green: 4 comparisons, none worse\n"), text)
        self.assertIn("1 cells equal within 1.2 % at the most", text)
        self.assertIn("## Over time\n\n```text\nlinear/get: -12 % since abc", text)
        for word in ("## Slower", "## Failed", "## Not trustworthy", "## Steps to look into"):
            self.assertNotIn(word, text)
        self.assertIn("first | step".replace("|", "\\|"), text)
        added = next(call for call in self.calls() if call.startswith("history add"))
        for name in ("smoke", "retention", "count.json", "paired-green.json"):
            self.assertIn(f"{self.out}/{name}", added)
        self.assertTrue(added.endswith(f" --db {self.database}"), added)  # every file says its commit itself
        self.assertEqual(list(self.suites()), ["nightly", "count: count", "retention: mapbench retain", "paired-green: compare"])
        self.assertEqual(self.calls()[-1], f"report {self.out}/smoke {self.out}/retention")

    def test_red(self):
        slower = {"exit": 3, "json": paired_json("slower", 3, ratio=1.07), "junit": junit_text("compare", failures=1)}
        self.assertEqual(self.night(plan(count={"exit": 3, "json": count_json("more", 3)}, compare=slower,
                                         retain={"exit": 1, "retention": [verdict_line(False)]})), 1)
        text = self.summary()
        self.assertTrue(text.startswith("# Red: wrong result in retention (exit 1)\n"), text)
        self.assertIn("| 1 cell: linear/u64_u64/get/n:10000, instructions 100", text)
        self.assertIn("append_copy keeps 99999 bytes, its bound is 16400", text)
        self.assertIn("build/mapbench retain subslice --maps go_hmap --heap gosim --assert", text)
        self.assertIn("| count | linear/u64_u64/get/n:10000 | instructions 100 → 103 (+3.00 %) |", text)
        self.assertIn("build/mapbench gate count --maps linear --shapes u64_u64 --workloads get --n 10000", text)
        self.assertIn("1.070 times the time (95 % interval 1.060 to 1.080; 10 processes)", text)
        self.assertIn(f"build/mapbench compare {self.before[:7]}", text)
        self.assertEqual(self.suites()["paired-green: compare"].find("testcase/failure").get("message"), "slower")
        self.assertEqual(self.suites()["nightly"].get("failures"), "3")

    def test_improved_and_not_trustworthy(self):
        self.assertEqual(self.night(plan(count={"json": count_json("fewer")},
                                         compare={"exit": 5, "json": paired_json("slower", 5, ["A/A alarm at n 10000"], 1.2)})), 5)
        text = self.summary()
        self.assertIn("## Improved", text)
        self.assertIn("- paired-green: A/A alarm at n 10000\n  again: `build/mapbench compare ", text)
        self.assertNotIn("1.200 times", text)

    def test_what_is_left_out_for_time_is_said(self):
        late = paired_json() | {"not_compared": [{"cell": "a", "reason": "no time within --budget 9"}, {"cell": "b", "reason": "no unit"}]}
        self.assertEqual(self.night(plan(compare={"json": late}), "--steps", "paired"), 0)
        self.assertIn("1 cells equal within 1.2 % at the most; 1 left out for want of time", self.summary())
        self.another()
        self.assertEqual(self.night(plan(), "--budget", "0.5", "--steps", "smoke,count"), 6)
        self.assertRegex(self.summary(), r"\| count \| left out \| - \| \d+ \| no time: \d+ s were left for it, it takes 60 s")
        self.assertIn("nothing was compared", self.suites()["nightly"].find("testcase/error").get("message"))

    def test_default_folder(self):
        self.out = self.folder / "unused"
        self.assertEqual(self.night(plan(), "--steps", "count", "--out", ""), 0, self.printed)
        path = pathlib.Path(self.printed.splitlines()[-1])
        self.assertEqual(path.parent.parent, PROJECT / "results" / "nightly")
        self.assertRegex(path.parent.name, rf"^\d{{8}}T\d{{6}}Z-{self.head[:7]}")
        self.assertTrue(path.is_file())


class Docs(unittest.TestCase):
    """docs/nightly.md says what the program does."""

    text = (ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")

    def test_steps(self):
        rows = re.findall(r"^\| `([a-z-]+)` \| `([a-z]+)` \| .* \| (\d+) min \|$", self.text, re.M)
        self.assertEqual(rows, [(step.name, step.group, str(step.minutes)) for step in STEPS])

    def test_workloads(self):
        self.assertIn(", ".join(f"`{word}`" for word in nightly.WORKLOADS.split(",")), " ".join(self.text.split()))

    def test_options(self):
        told = io.StringIO()
        with contextlib.redirect_stdout(told), self.assertRaises(SystemExit):
            nightly.parse(["--help"])
        options = set(re.findall(r"--[a-z]+", told.getvalue())) - {"--help"}
        self.assertEqual(set(re.findall(r"^\| `(--[a-z]+) [A-Z]+` \|", self.text, re.M)), options)

    def test_exit_codes_worst_first(self):
        self.assertEqual([int(code) for code in re.findall(r"^\| (\d) \| ", self.text, re.M)], list(WORST_FIRST))

    def test_workflow(self):
        workflow = re.search(r"```yaml\n(.*?)```", self.text, re.S)[1]
        self.assertNotIn("\t", workflow)
        for line in ("          fetch-depth: 0", "      - run: make nightly",
                     '        run: cat results/nightly/*/summary.md >> "$GITHUB_STEP_SUMMARY"'):
            self.assertIn(line, workflow.splitlines())
        # what comes after a red night is done all the same
        after = workflow[workflow.index("make nightly"):]
        self.assertEqual(after.count("- if: always()"), after.count("\n      - "))
