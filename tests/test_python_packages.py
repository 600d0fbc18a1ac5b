"""Tests of what commands ask of Python: each the packages that it uses, and --help nothing. The interpreter is one that sees no
package beside its own, whatever is installed here."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from history_tools import counted, COMMITS  # first: it makes judge/ and plots/ importable

import synthetic_run
from judge_test_tools import sum_up

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAPBENCH = ROOT / os.environ.get("MAPBENCH_BUILD", "build") / "mapbench"


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.bare = cls.folder / "python3"
        cls.bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n', encoding="utf-8")
        cls.bare.chmod(0o755)
        cls.run_folder = synthetic_run.write("time_only", cls.folder / "run")
        sum_up(cls.run_folder)

    def ask(self, *words, python=None, cwd=None, **environment):
        """(exit code, stdout, stderr) of mapbench with an interpreter that has no packages."""
        environment = {**os.environ, "MAPBENCH_PYTHON": str(python or self.bare), **environment}
        done = subprocess.run([MAPBENCH, *map(str, words)], env=environment, cwd=cwd, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_help_needs_nothing(self):
        for command in ("compare", "gate", "history", "nightly", "cite", "rerun", "report"):
            code, out, err = self.ask(command, "--help")
            self.assertEqual((code, err), (0, ""), command)
            self.assertIn(f"{command} ", out)

    def test_history_needs_numpy_for_changes_and_matplotlib_for_figures(self):
        stored, database = self.folder / "count.json", self.folder / "history.db"
        stored.write_text(json.dumps(counted(COMMITS[0], 100)), encoding="utf-8")
        self.assertEqual(self.ask("history", "add", stored, "--db", database)[0], 0)
        code, out, err = self.ask("history", "show", "--db", database, "--metric", "all")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("linear/u64_u64/get", out)
        code, _, err = self.ask("history", "changes", "--db", database, "--metric", "all")
        self.assertEqual(code, 4)
        self.assertRegex(err, "^mapbench: history changes needs numpy, .*numpy is missing: make deps \\(python3-numpy\\), or .*\n$")
        code, _, err = self.ask("history", "show", "--db", database, "--metric", "all", "--figure", self.folder / "x.svg")
        self.assertEqual(code, 4)
        self.assertIn("make deps (python3-numpy python3-matplotlib)", err)

    def test_counting_needs_nothing(self):
        code, out, err = self.ask("gate", "count", "--maps", "linear", "--shapes", "u64_u64", "--workloads", "get", "--n", "512",
                                  "--baseline", self.folder / "base.json", "--update")
        if "valgrind" in err:
            self.skipTest(err.strip())
        self.assertEqual(code, 0, err)

    def test_what_compares_names_all_that_it_lacks(self):
        for words in (("compare", self.run_folder, self.run_folder), ("rerun", self.run_folder),
                      ("cite", self.run_folder, "--against", "linear")):
            code, _, err = self.ask(*words)
            self.assertEqual(code, 4, err)
            self.assertRegex(err, "needs numpy and scipy, .*make deps \\(python3-numpy python3-scipy\\)")
            self.assertEqual(len(err.splitlines()), 1, err)

    def test_the_report_says_what_it_lacks(self):
        code, _, err = self.ask("report", self.run_folder)
        self.assertEqual(code, 4)
        for name in ("numpy", "scipy", "matplotlib"):
            self.assertIn(f"the Python module {name} is missing: make deps (python3-{name})\n", err)

    def test_a_broken_package_is_not_called_missing(self):
        broken = self.folder / "broken" / "numpy"
        broken.mkdir(parents=True)
        (broken / "__init__.py").write_text("raise ImportError('libblas.so.3: cannot open')", encoding="utf-8")
        code, _, err = self.ask("compare", self.run_folder, self.run_folder, PYTHONPATH=str(broken.parent))
        self.assertEqual(code, 4)
        self.assertIn("numpy cannot be imported (libblas.so.3: cannot open), scipy is missing: make deps", err)

    def test_files_of_the_working_folder_are_not_taken_for_packages(self):
        folder = self.folder / "working"
        (folder / "judge").mkdir(parents=True)
        for name in ("json.py", "judge/__init__.py", "judge/__main__.py"):
            (folder / name).write_text("raise SystemExit(77)", encoding="utf-8")
        self.assertEqual(self.ask("cite", "--help", cwd=folder, PYTHONPATH="")[0], 0)

    def test_what_is_no_python_is_named(self):
        code, _, err = self.ask("cite", "--help", python="/bin/false")
        self.assertEqual((code, err), (4, "mapbench: MAPBENCH_PYTHON=/bin/false is no python3 of version 3.11 or newer: "
                                          "make deps (python3)\n"))
