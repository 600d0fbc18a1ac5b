"""`mapbench cite` and `mapbench rerun`: the entry, the sentences, the command line; refusals; a tiny run made again."""
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

from judge_test_tools import ROOT, sum_up  # first: it makes judge/ importable
from plot_test_tools import Scratch
from processes import alive

from judge import __main__ as judge_main
from judge.base.common import Refused, refuse_unwritable, write_text
from judge.base.stored import open_run, result_id
from judge.cite import cite, rerun, rerun_line

MAPBENCH = ROOT / os.environ.get("MAPBENCH_BUILD", "build") / "mapbench"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def judged(*words):
    """(exit code, stdout, stderr) of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = judge_main.run(words[0], [str(word) for word in words[1:]])
    return code, out.getvalue(), err.getvalue()


def without_interrupt():
    """As in what a shell runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Stored(Scratch):
    """Works on copies of one tiny run of the real program."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.original = cls.folder / "original"
        subprocess.run([MAPBENCH, "run", "--maps", "linear,chained", "--workloads", "get,put_grow", "--n", "1k", "--repeat", "4",
                        "--batches", "2", "--record", "time,memory", "--figures", "no", "--out", cls.original], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run_with(self, rows=lambda row: None, **info):
        """A copy of the run: rows changes each row in place, info replaces fields of run.json."""
        folder = self.folder / f"{self._testMethodName}{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        for name in ("run.json", "rows.jsonl"):
            (folder / name).write_bytes((self.original / name).read_bytes())
        stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        stored["build"]["commit"] = COMMIT
        found = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in found:
            row.update(stable=True, why_unstable=None)
            rows(row)
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
        stored["result_id"] = result_id(folder)
        (folder / "run.json").write_text(json.dumps(stored | info), encoding="utf-8")
        sum_up(folder)
        return folder

    def refused(self, words, reason, code=2):
        got, out, err = judged(*words)
        self.assertEqual((got, out), (code, ""), err)
        self.assertRegex(err, reason)
        self.assertEqual(err.count("\n"), 1, err)


class Cite(Stored):
    @staticmethod
    def times(row):
        """linear takes 10 ns, chained 15 ns, with rounds that agree."""
        if row["kind"] == "time":
            middle = {"linear": 10.0, "chained": 15.0}.get(row["map"], 0.3)
            row.update(round_medians=[middle * factor for factor in (0.99, 1.0, 1.0, 1.01)], median=middle,
                       ns_per_op=[middle] * 8, ci95=[middle * 0.9, middle * 1.1])

    def test_entry(self):
        folder = self.run_with(started="2026-03-04T05:06:07Z", id="20260304T050607Z-abc_def-selection")
        code, out, err = judged("cite", folder)
        self.assertEqual((code, err), (0, ""))
        entry = out[:out.index("\n}\n")]
        self.assertTrue(entry.startswith("@misc{mapbench-20260304T050607Z-abc-def-selection,\n"), entry)
        self.assertIn("title   = {{mapbench: a benchmark suite for map strategies}}", entry)
        self.assertIn("author  = {{The mapbench authors}}", entry)
        self.assertIn("year    = {2026}", entry)
        self.assertIn(f"version = {{commit {COMMIT}}}", entry)
        self.assertIn(r"Run 20260304T050607Z-abc\_def-selection, profile selection, measured 2026-03-04", entry)
        self.assertIn(f"result id {result_id(folder)}", entry)

    def test_title_and_author_are_those_of_the_citation_file(self):
        title, author = cite.project_facts()
        text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
        self.assertIn(f'title: "{title}"', text)
        self.assertIn(f'- name: "{author}"', text)

    def test_a_run_of_before_there_were_result_ids(self):
        folder = self.run_with(result_id=None)
        self.assertIn("result id " + hashlib.sha256((folder / "rows.jsonl").read_bytes()).hexdigest(), judged("cite", folder)[1])

    def test_two_maps_give_a_ratio(self):
        code, out, _ = judged("cite", self.run_with(self.times), "--cell", "/get/")
        self.assertEqual(code, 0)
        said = out.split("\n\n")[1]
        self.assertIn("chained took 1.50 times the time of linear in get (median over the rounds; 95 % interval 1.50 to 1.50, paired "
                      "by round; 15.0 against 10.0 ns per operation; 4 rounds, 8 batches) with u64_u64, uniform keys, n = 1,024, "
                      "common hash, malloc heap, on ", said)
        self.assertIn("compiled by g", said)
        self.assertIn("-falign-functions=64", said)
        self.assertIn(f"commit {COMMIT}", said)
        self.assertNotIn("Unstable", said)

    def test_against_turns_the_ratio(self):
        out = judged("cite", self.run_with(self.times), "--cell", "/get/", "--against", "chained")[1]
        self.assertIn("linear took 0.667 times the time of chained in get", out)

    def test_one_map_gives_its_time(self):
        out = judged("cite", self.run_with(self.times), "--cell", "^linear/u64_u64/put_grow/uniform/n:1k$")[1]
        self.assertIn("linear took 10.0 ns per operation of put_grow (median; 95 % interval 9.00 to 11.0; 4 rounds, 8 batches)", out)

    def test_an_unstable_row_says_so(self):
        def unstable(row):
            if row["map"] == "chained":
                row.update(stable=False, why_unstable="27 % of the batches were preempted")
        out = judged("cite", self.run_with(unstable), "--cell", "/get/")[1]
        self.assertIn("Unstable, not to be quoted without saying so (chained: 27 % of the batches were preempted).", out)

    def test_repetition(self):
        folder = self.run_with(command="build/mapbench run quick --n 1k --out somewhere --figures=no --resume --seed 7")
        lines = judged("cite", folder)[1].rstrip("\n").splitlines()[-3:]
        self.assertEqual(lines, [f"git checkout {COMMIT} && make build && build/mapbench run quick --n 1k --seed 7", "",
                                 f"# with the run folder at hand, compared with it: build/mapbench rerun {folder}"])
        # what a shell was told cannot be told from the words alone, and a job file elsewhere is not in the project's history
        for command in ("build/mapbench run --keys file:a b.txt --filter (x|y)", "build/mapbench run my/own.job"):
            line = judged("cite", self.run_with(command=command))[1].rstrip("\n").splitlines()[-1]
            self.assertRegex(line, f"^git checkout {COMMIT} && make build && build/mapbench rerun /")

    def test_a_build_of_no_commit(self):
        folder = self.run_with(build={"cc": "gcc", "unit_flags": "-O3", "commit": COMMIT + "-dirty"})
        code, out, err = judged("cite", folder)
        self.assertEqual(code, 0)
        self.assertIn(f"commit {COMMIT} with uncommitted changes", out)
        self.assertNotIn("git checkout", out)
        self.assertIn("nobody else can build it", err)

    def test_refusals(self):
        self.refused(["cite", self.run_with(complete=False)], "an incomplete run cannot be cited")
        self.refused(["cite", ROOT / "results" / "sample"], "not a run folder")
        self.refused(["cite", self.folder / "none"], "no such folder")
        self.refused(["cite", self.run_with(), "--cell", "nothing"], "no cell matches 'nothing'")
        self.refused(["cite", self.run_with(), "--cell", "("], "not a regular expression")
        self.refused(["cite"], "required: RUN")
        self.refused(["cite", self.run_with(), "--against", "judy"], "has no map 'judy': it has chained, linear")

    def test_a_run_without_intervals(self):
        def single(row):
            row.update(ci95=None, round_medians=row.get("round_medians", [])[:1], rounds=1)
        self.refused(["cite", self.run_with(single)], "fewer than 3 rounds")
        self.refused(["cite", self.run_with(single), "--cell", "^linear"], "no interval: a single round has none")

        def memory_only(row):
            row.update(error="not measured" if row["kind"] == "time" else None)
        self.refused(["cite", self.run_with(memory_only)], "no measured time")

    def test_damaged_runs(self):
        folder = self.run_with()
        text = (folder / "rows.jsonl").read_text(encoding="utf-8")
        (folder / "rows.jsonl").write_text(re.sub(r'"median": \d', '"median": 9', text, count=1), encoding="utf-8")
        self.refused(["cite", folder], "rows.jsonl is not what was measured")
        self.refused(["rerun", folder], "rows.jsonl is not what was measured")
        sum_up(folder)
        self.refused(["cite", folder], "result_id in run.json does not match")
        folder = self.run_with()
        (folder / "SHA256SUMS").unlink()
        self.refused(["cite", folder], "there is no SHA256SUMS")
        folder = self.run_with()
        (folder / "SHA256SUMS").write_text("", encoding="utf-8")
        self.refused(["cite", folder], "does not vouch for run.json")
        folder = self.run_with()
        (folder / "retention.jsonl").write_text("", encoding="utf-8")  # added after the fact
        self.refused(["cite", folder], "does not vouch for retention.jsonl")
        folder = self.run_with()
        (folder / "SHA256SUMS").write_text("rubbish\n", encoding="utf-8")
        self.refused(["cite", folder], "SHA256SUMS:1: not a line of checksums")
        folder = self.run_with()
        (folder / "retention.jsonl").touch()
        sum_up(folder)
        (folder / "retention.jsonl").unlink()
        self.refused(["cite", folder], "retention.jsonl is not what was measured")

    def test_what_is_drawn_may_be_drawn_anew(self):
        folder = self.run_with()
        (folder / "report.html").touch()
        sum_up(folder)
        (folder / "report.html").write_text("drawn again, and interrupted before it was summed up", encoding="utf-8")
        self.assertEqual(judged("cite", folder)[0], 0)


class Rerun(Stored):
    def again(self, folder, *words):
        out = self.folder / f"again{len(list(self.folder.iterdir()))}"
        comparison = self.folder / "comparison.json"
        os.environ["MAPBENCH"] = str(MAPBENCH)
        code, self.printed, self.complaints = judged("rerun", folder, "--out", out, "--json", comparison, *words)
        return code, json.loads(comparison.read_text(encoding="utf-8")), out

    def test_a_run_is_repeated_with_its_options(self):
        code, found, out = self.again(self.original)
        self.assertEqual(code, 0, self.printed + self.complaints)
        old, new = (json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in (self.original, out))
        shown = ("out", "figures", "progress")
        self.assertEqual([{key: value for key, value in job["options"].items() if key not in shown} for job in new["jobs"]],
                         [{key: value for key, value in job["options"].items() if key not in shown} for job in old["jobs"]])
        self.assertEqual(found["counts"]["missing"], 0)
        self.assertEqual(len(found["cells"]), 6)  # times of two workloads of two maps, and the memory of each map
        self.assertTrue(all(cell["checksums_equal"] for cell in found["cells"] if cell["kind"] == "time"))
        self.assertEqual({cell["verdict"] for cell in found["cells"] if cell["kind"] == "memory"}, {"agrees"})
        self.assertIn("unpaired", self.printed)

    def test_jobs_of_a_profile_are_repeated(self):
        profile, first = self.folder / "two.job", self.folder / "two"
        profile.write_text("[global]\nrepeat = 2\nbatches = 1\nmaps = linear\nn = 1k\n[first]\nworkloads = get\n"
                           "[second]\nworkloads = del\nseed = 5\n", encoding="utf-8")
        subprocess.run([MAPBENCH, "run", profile, "--figures", "no", "--filter", "(get|del)", "--out", first], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        profile.unlink()
        code, found, out = self.again(first)
        self.assertEqual(code, 0, self.complaints)
        self.assertEqual([cell["cell"] for cell in found["cells"]],
                         ["linear/u64_u64/get/uniform/n:1k", "linear/u64_u64/del/uniform/n:1k"])
        self.assertEqual(json.loads((out / "run.json").read_text(encoding="utf-8"))["profile"]["name"], "two")

    def test_another_checksum_is_a_wrong_result(self):
        def other(row):
            if row["map"] == "linear" and row["workload"] == "get":
                row["checksum"] = "0xbad"
        code, found, _ = self.again(self.run_with(other))
        self.assertEqual(code, 1)
        self.assertIn("wrong result: the checksum of linear/u64_u64/get", self.complaints)
        self.assertIn("WRONG CHECKSUM", self.printed)
        self.assertEqual(found["exit"], 1)

    def test_another_machine_and_build_are_said(self):
        stored = json.loads((self.original / "run.json").read_text(encoding="utf-8"))
        code, found, _ = self.again(self.run_with(machine=stored["machine"] | {"cpu": "Other"}))
        self.assertEqual(code, 0)
        self.assertIn("note: another machine: cpu was \"Other\"", self.printed)
        self.assertTrue(any(line.startswith("another build: commit") for line in found["elsewhere"]))

    def test_scenarios_are_repeated(self):
        first = self.folder / "scenarios"
        subprocess.run([MAPBENCH, "retain", "never_shrinks", "--maps", "go_hmap", "--heap", "gosim", "--n=2k", "--figures", "no",
                        "--out", first], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        code, found, _ = self.again(first)
        self.assertEqual((code, [cell["verdict"] for cell in found["cells"]]), (0, ["agrees"]), self.complaints)

    def test_refusals(self):
        self.refused(["rerun", self.run_with(complete=False)], "an incomplete run cannot be repeated")
        self.refused(["rerun", self.original, "--json", self.folder], "cannot write .* is a folder", 4)
        self.refused(["rerun", self.run_with(jobs=[])], "does not keep the options of its jobs")
        self.refused(["rerun", self.run_with(jobs=[{"name": "x"}])], "not as mapbench writes them")

    def test_termination_ends_the_repetition(self):
        plan = self.folder / "plan"
        (plan / "run").mkdir(parents=True)
        (plan / "run" / "children").touch()
        environment = os.environ | {"FAKE_PLAN": str(plan), "MAPBENCH": str(ROOT / "tests" / "support" / "fake_mapbench.sh")}
        with open(plan / "complaints", "w+", encoding="utf-8") as complaints, \
                subprocess.Popen([sys.executable, "-B", "-m", "judge", "rerun", self.original], stdout=subprocess.DEVNULL,
                                 stderr=complaints, cwd=ROOT, env=environment, preexec_fn=without_interrupt) as process:
            for _ in range(12000):
                if (plan / "pids").exists() and (plan / "pids").read_text(encoding="utf-8").endswith("\n"):
                    break
                time.sleep(0.05)
            process.terminate()
            self.assertEqual(process.wait(600), 130)
            complaints.seek(0)
            self.assertIn("rerun was interrupted", complaints.read())
        for pid in (plan / "pids").read_text(encoding="utf-8").split():
            self.assertFalse(alive(pid))

    def test_a_command_of_scenarios_that_lost_its_quotes(self):
        class Run:
            folder = pathlib.Path("run")
            info = {"command": "build/mapbench retain subslice --out my results", "scenarios": [{"name": "subslice"}]}
        with self.assertRaisesRegex(rerun.Refused, "cannot be told apart at 'results'"):
            rerun_line.retain_words(Run)
        Run.info["command"] = "m retain subslice --maps go_hmap --out x --junit=y --assert --heap=gosim"
        self.assertEqual(rerun_line.retain_words(Run), ["retain", "subslice", "--maps", "go_hmap", "--assert", "--heap=gosim"])

    def test_a_cell_differs_beyond_what_processes_are_apart(self):
        old, new = {"stable": True}, {"stable": True}
        self.assertEqual(rerun.time_verdict(old, new, (1.06, 1.2)), "differs")
        self.assertEqual(rerun.time_verdict(old, new, (0.8, 0.95)), "differs")
        self.assertEqual(rerun.time_verdict(old, new, (1.04, 1.2)), "agrees")
        self.assertEqual(rerun.time_verdict(old, new | {"stable": False}, (1.06, 1.2)), "unstable")
        self.assertEqual(rerun.time_verdict(old, new, None), "untested")

    def test_bounds_of_scenarios(self):
        def folder(name, **verdict):
            path = self.folder / name
            path.mkdir()
            line = {"label": "verdict", "scenario": "s", "map": None, "heap": "gosim", "engine": "c", "n": 1, "passed": True,
                    "leaky_bytes": 1e6, "fixed_bytes": 100.0} | verdict
            (path / "retention.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
            return path
        old = folder("old")
        self.assertEqual(rerun.compare_verdicts(old, folder("same"))[0]["verdict"], "agrees")
        self.assertEqual(rerun.compare_verdicts(old, folder("more", leaky_bytes=2e6))[0]["verdict"], "differs")
        self.assertEqual(rerun.judged(rerun.compare_verdicts(old, folder("broken", passed=False)), 0)[0], 1)
        self.assertEqual(rerun.judged(rerun.compare_verdicts(old, folder("other", scenario="t")), 0)[0], 6)


class Fault(unittest.TestCase):
    def test_a_fault_of_our_own_is_no_wrong_result(self):
        with unittest.mock.patch.object(cite, "main", side_effect=KeyError("x")):
            code, _, err = judged("cite", "run")
        self.assertEqual(code, 4)
        self.assertIn("a fault of its own", err)

    def test_a_file_is_written_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "found.json"
            path.write_text("before", encoding="utf-8")
            for error in (KeyboardInterrupt, OSError(28, "No space left on device")):
                with unittest.mock.patch.object(os, "fsync", side_effect=error), self.assertRaises((KeyboardInterrupt, Refused)):
                    write_text(path, "after")
                self.assertEqual([(p.name, p.read_text(encoding="utf-8")) for p in pathlib.Path(folder).iterdir()], [("found.json", "before")])

    def test_links_and_devices_are_written_through(self):
        with tempfile.TemporaryDirectory() as folder:
            target, link, device = (pathlib.Path(folder) / name for name in ("target", "link", "device"))
            link.symlink_to(target)
            device.symlink_to("/dev/null")
            for path in (link, device):
                refuse_unwritable(path)
                write_text(path, "text")
                self.assertTrue(path.is_symlink())
            self.assertEqual(target.read_text(encoding="utf-8"), "text")

    def test_what_the_system_refuses_is_named(self):
        for error, said in ((PermissionError(13, "Permission denied", "/x/y"), "mapbench: /x/y: Permission denied\n"),
                            (OSError(28, "No space left on device"), "mapbench: cannot write the output: No space left on device\n")):
            with unittest.mock.patch.object(cite, "main", side_effect=error):
                self.assertEqual(judged("cite", "run"), (4, "", said))


class Open(Stored):
    def test_a_whole_run_opens(self):
        self.assertEqual(open_run(self.original, "read").info["complete"], True)
