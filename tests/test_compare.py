"""mapbench compare as a command: what its words mean, what is built, exit codes and files. The processes are simulated
(tests/support/simulated_worker.py), so that verdicts do not depend on the machine; one real worker is asked for its JSON."""
import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree
from unittest import mock

import judge_test_tools as tools

from judge.base import revisions
from judge.base.common import Refused
from judge.compare import builds, command, paired, pairing
from simulated_worker import Noise, SimulatedWorker

BUILD = (tools.ROOT / os.environ.get("MAPBENCH_BUILD", "build")).resolve()
UNITS = ("linear-u64_u64-common-malloc", "chained-u64_u64-common-malloc")
SMALL = ("--maps=linear", "--shapes=u64_u64", "--workloads=get", "--n=1k")


def files_of_the_project():
    """Relative paths of the sources, those not committed yet included."""
    if (tools.ROOT / ".git").exists():
        listed = subprocess.run(["git", "-C", tools.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, text=True, check=True).stdout.split("\0")
        return [name for name in listed if name and (tools.ROOT / name).is_file()]
    left_out = ("build", "deps", "results/2", ".git")
    paths = (path.relative_to(tools.ROOT) for path in tools.ROOT.rglob("*") if path.is_file())
    return [str(path) for path in paths if not str(path).startswith(left_out)]


class Compare(unittest.TestCase):
    """A copy of the project with a git history of its own: good, planted (its child), broken (the planted's child)."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-compare-"))
        cls.root = cls.scratch / "project"
        for name in files_of_the_project():
            (cls.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tools.ROOT / name, cls.root / name)
        (cls.root / "build" / "units").mkdir(parents=True)
        (cls.root / "build" / "gen").mkdir()
        shutil.copy2(BUILD / "mapbench", cls.root / "build" / "mapbench")
        shutil.copy2(BUILD / "gen" / "flags", cls.root / "build" / "gen" / "flags")
        for unit in UNITS:
            shutil.copy2(BUILD / "units" / f"{unit}.o", cls.root / "build" / "units")
        cls.git("init", "-q", "-b", "main")
        cls.commit("good")
        cls.edit("maps/linear.h", lambda text: text + "\n/* a change that changes nothing */\n")
        cls.commit("planted")
        cls.edit("maps/linear.h", lambda text: text + "\nstatic int broken = this_is_not_c;\n")
        cls.commit("broken")
        cls.git("checkout", "-q", "good")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    @classmethod
    def git(cls, *words):
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", "-C", cls.root, *identity, *words], check=True, capture_output=True, text=True).stdout

    @classmethod
    def edit(cls, name, change):
        path = cls.root / name
        path.write_text(change(path.read_text()))

    @classmethod
    def commit(cls, name):
        cls.git("add", "-A")
        cls.git("commit", "-q", "-m", f"{name} revision")
        cls.git("tag", name)

    def compare(self, *words, effects=None, worker=None, noise=None):
        """(exit code, stdout, stderr); a Refused becomes its code and message, as the entry does it."""
        worker = worker or SimulatedWorker(noise or Noise(), effects)
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(builds, "project_root", lambda: self.root), mock.patch.object(revisions, "project_root", lambda: self.root), \
                mock.patch.dict(os.environ, {"MAPBENCH": str(self.root / "build" / "mapbench"), "JOBS": "1"}), \
                mock.patch.object(pairing, "Worker", lambda program: worker), \
                mock.patch.object(builds, "PADS", (0, 512)), mock.patch.object(builds, "MOVED_PADS", (2112, 2624)), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = command.main([str(word) for word in words])
            except Refused as refused:
                code = refused.code
                err.write(str(refused))
        self.assertEqual(list((self.root / "build").glob("compare-*/")), [], "scratch folders are left")
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1, "worktrees are left")
        return code, out.getvalue(), err.getvalue()

    # --- what is compared ---------------------------------------------------------------------------------------------

    def test_processes_of_large_maps_have_fewer_rounds(self):
        for n, rounds, batches in ((1, 24, 16), (10240, 24, 16), (50_000, 24, 16), (100_000, 12, 24), (1 << 20, 3, 96), (1 << 30, 3, 96)):
            placements, of_each = pairing.rounds_of(n)
            self.assertEqual((len(placements), of_each), (rounds, batches), n)
            self.assertEqual(placements[:3], ["free", "shake", "rebuild"])

    def test_a_revision_with_itself(self):
        code, out, err = self.compare("good", "good", *SMALL, "--json", self.scratch / "same.json")
        self.assertEqual(code, 0, err)
        self.assertIn("~ within", out)
        self.assertIn("no slowdown confirmed in 1 cells", out)
        found = json.loads((self.scratch / "same.json").read_text())
        self.assertEqual(found["kind"], "paired")
        self.assertEqual(found["base"]["commit"], self.git("rev-parse", "good").strip())
        self.assertEqual(found["commit"], self.git("rev-parse", "good").strip())
        self.assertRegex(found["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(found["validity"]["trustworthy"])
        cell = found["cells"][0]
        self.assertEqual((cell["map"], cell["n"], cell["verdict"]), ("linear", 1024, "~"))
        self.assertEqual((cell["rounds"], cell["batches"]), (3, 24))
        self.assertLess(cell["bound_percent"], 2)
        self.assertEqual(found["exit"], 0)

    def test_a_seed_as_the_program_reads_it(self):
        code, _, err = self.compare("good", "good", *SMALL, "--seed=0x10")
        self.assertEqual(code, 0, err)

    def test_a_slower_tree_is_named(self):
        tree = self.scratch / "tree"
        self.git("worktree", "add", "-q", "--detach", str(tree), "planted")
        try:
            junit, folder = self.scratch / "junit.xml", self.scratch / "out"
            seen, worker = [], SimulatedWorker(effects={(pairing.CELL, None): 1.08})
            with mock.patch.object(self, "git", lambda *words: "one line"):  # the tree of this test is a worktree itself
                code, out, err = self.compare("good", tree, *SMALL, "--junit", junit, "--out", folder,
                                              worker=lambda m, seed: seen.append(m) or worker(m, seed))
        finally:
            self.git("worktree", "remove", "--force", str(tree))
        self.assertEqual(code, 3, err)
        self.assertIn("slowdown confirmed: linear/u64_u64/get/uniform/n:1k (+", out)
        cases = {case.get("name"): case for case in xml.etree.ElementTree.parse(junit).getroot().iter("testcase")}
        self.assertIsNotNone(cases["linear/u64_u64/get/uniform/n:1k"].find("failure"))
        self.assertIsNone(cases["validity"].find("error"))
        processes = [json.loads(line) for line in (folder / "processes.jsonl").read_text().splitlines()]
        self.assertEqual(len(processes), worker.started)
        self.assertEqual({p["role"] for p in processes}, {"cell", "aa", "control", "relink"})
        self.assertEqual(json.loads((folder / "compare.json").read_text())["exit"], 3)
        self.assertEqual(json.loads((folder / "compare.json").read_text())["cells"][0]["confirming"], 10)
        # both sides go round the page in the same steps; moved code in steps of its own
        files = {m.role: (m.base_files, m.new_files) for m in seen}
        self.assertEqual(*files[pairing.AA])
        places = [[path.parent.name.partition("-")[2] for path in side] for role in (pairing.CELL, pairing.RELINK) for side in files[role]]
        self.assertEqual(places, [["", "pad512"]] * 3 + [["pad2112", "pad2624"]])

    def test_build_folders_as_they_are(self):
        old = self.scratch / "old"
        shutil.copytree(self.root / "build", old)
        os.utime(old / "units" / f"{UNITS[0]}.o", (0, 0))
        before = (old / "units" / f"{UNITS[0]}.o").read_bytes(), (old / "gen" / "flags").read_bytes()
        (self.root / "build" / "gen" / "build_info.h").write_text(f'#define BUILD_CC "gcc"\n#define BUILD_COMMIT "{"a" * 40}-dirty"\n')
        code, out, err = self.compare(old, self.root / "build", *SMALL, "--shapes=u64_u64,str_u64", "--json", self.scratch / "builds.json")
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads((self.scratch / "builds.json").read_text())["commit"], "a" * 40 + "-dirty")
        self.assertIn("has no unit linear-str_u64-common-malloc", out)
        after = (old / "units" / f"{UNITS[0]}.o").read_bytes(), (old / "gen" / "flags").read_bytes()
        self.assertEqual(after, before)

    def test_two_maps_differ_without_a_regression(self):
        code, out, err = self.compare("linear", "chained", *SMALL[1:], effects={(pairing.CELL, None): 2.0})
        self.assertEqual(code, 0, err)
        self.assertIn("linear:chained/u64_u64/get/uniform/n:1k", out)
        self.assertIn("slower: ", out)

    # --- when it cannot be believed -----------------------------------------------------------------------------------

    def test_not_trustworthy(self):
        build = self.root / "build"
        for effects, reason in (({(pairing.AA, None): 1.08}, "identical code was called slower"),
                                ({(pairing.CONTROL, None): 1 / 1.05}, "5 % more work was not seen")):
            code, out, _ = self.compare(build, build, *SMALL, "--json", self.scratch / "bad.json",
                                        effects=effects | {(pairing.CELL, None): 1.2})
            self.assertEqual(code, 5)
            self.assertIn("NOT TRUSTWORTHY", out)
            self.assertIn(reason, out)
            found = json.loads((self.scratch / "bad.json").read_text())
            self.assertEqual([c["verdict"] for c in found["cells"]], [None])
            self.assertGreater(found["cells"][0]["ratio"], 1.1)

    # --- bad input ----------------------------------------------------------------------------------------------------

    def refused(self, code, words, *arguments, **settings):
        found, out, err = self.compare(*arguments, **settings)
        self.assertEqual((found, out), (code, ""), err)
        self.assertIn(words, err)

    def test_bad_words(self):
        build = self.root / "build"
        self.refused(2, "bad revision 'nosuch'", "nosuch", "good")
        self.refused(2, "is no revision, folder or map", "good", "--", "-x")
        self.refused(2, "linear is a map and good is none", "linear", "good")
        self.refused(2, "neither a source tree", build, self.root / "docs")
        self.refused(2, "unknown workload 'gett'", build, build, "--workloads=gett")
        self.refused(2, "unrecognized arguments: --bogus", build, build, "--bogus")
        self.refused(2, "required: NEW", build)
        self.refused(2, "at least 3", build, build, "--processes=2")
        self.refused(2, "--maps does not go with two maps", "linear", "chained", "--maps=linear")
        self.refused(6, "nothing", build, build, "--maps=linear", "--filter=no_such_cell")
        self.refused(6, "no cell of the selection is on both sides", build, build, "--maps=dense", *SMALL[1:])

    def test_files_that_could_not_be_written_in_the_end(self):
        def never(m, seed):
            raise AssertionError("measured for nothing")
        for option, path, why in (("--json", "/proc/none/found.json", "/proc/none is no folder"), ("--junit", self.scratch, "is a folder")):
            self.refused(4, f"cannot write {path}: {why}", "good", "good", *SMALL, option, path, worker=never)

    def test_a_revision_that_does_not_build(self):
        self.refused(4, "this_is_not_c", "good", "broken", *SMALL)

    def test_a_revision_of_something_else(self):
        empty = self.git("hash-object", "-t", "tree", "-w", "/dev/null").strip()
        commit = self.git("commit-tree", "-m", "nothing", empty).strip()
        self.refused(2, "it is not one of mapbench", commit, "good")

    def test_a_wrong_answer_of_a_worker(self):
        def wrong(m, seed):
            raise Refused(f"{m.cell.name}: a wrong answer", 1)
        build = self.root / "build"
        self.refused(1, "a wrong answer", build, build, *SMALL, worker=wrong)

    def test_an_interruption_leaves_nothing(self):
        def interrupted(m, seed):
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            self.compare("good", "good", *SMALL, worker=interrupted)
        self.assertEqual(list((self.root / "build").glob("compare-*/")), [])
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)


class TheRealWorker(unittest.TestCase):
    def test_its_json_is_what_the_statistics_read(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"MAPBENCH": str(BUILD / "mapbench")}):
            side = builds.Build("base", pathlib.Path(folder), BUILD, "here", {}, own=True)
            paths = side.build([UNITS[0]], folder)[UNITS[0]]
            cell = tools.cell(n=1024)
            m = pairing.CheckSeries(cell, paths, paths, pairing.CONTROL, extra_percent=100.0)
            output = pairing.Worker([BUILD / "mapbench"])(m, 3)
            self.assertEqual(output["seed"], 3)
            self.assertIsNotNone(paired.process_value(output["rounds"]))
            loops = [int(r["loop_at"]["base"], 16) % 4096 for r in output["rounds"]]
            self.assertEqual(len(set(loops)), 8, loops)  # all places of the page, each as often
            self.assertEqual({loops.count(at) for at in set(loops)}, {3})
            with self.assertRaisesRegex(Refused, "linear/u64_u64/get/uniform/n:1k: "):
                pairing.Worker([BUILD / "mapbench"])(pairing.CellSeries(cell, paths, [__file__]), 3)


class WorkersAnswers(unittest.TestCase):
    def test_what_is_not_its_json(self):
        m = tools.measurement()
        with self.assertRaisesRegex(Refused, "something else than its JSON"):
            pairing.Worker(["/bin/echo"])(m, 1)
        with self.assertRaisesRegex(Refused, "status 1") as failed:
            pairing.Worker(["/bin/false"])(m, 1)
        self.assertEqual(failed.exception.code, 1)
        for broken in ({"abi": 2, "rounds": []}, {"abi": 1, "rounds": []},
                       {"abi": 1, "rounds": [{"starts": "new", "ns_per_op": [1, 2, 3], "preempted": [0]}]}):
            with self.assertRaises(ValueError):
                pairing.checked(broken)


if __name__ == "__main__":
    unittest.main()
