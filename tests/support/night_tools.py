"""What the tests of judge/ share: a project of its own with two commits, and nights run there on a stand-in for mapbench.

judge/ is imported from a copy, whose folder is the project it is about.
"""
import atexit
import contextlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-night-")).resolve()
atexit.register(shutil.rmtree, PROJECT)
for part in ("judge", "plots"):
    shutil.copytree(ROOT / part, PROJECT / part, ignore=shutil.ignore_patterns("__pycache__", "page"))
# One of the headers lists the exit codes, the schema the fields of rows.
for listing in (*(ROOT / "harness").rglob("*.h"), ROOT / "results" / "schema.json"):
    target = PROJECT / listing.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(listing, target)
sys.path.insert(0, str(PROJECT))

from judge import __main__ as judge_main  # noqa: E402

CELL = {"map": "linear", "shape": "u64_u64", "workload": "get", "keys": "uniform", "n": 10000, "hash": "common", "heap": "malloc"}


def count_json(verdict="same", code=0, compared=2):
    changes = [{"what": "instructions", "base": 100, "now": 103, "percent": 3.0}] if verdict in ("more", "fewer") else []
    return {"schema": 1, "kind": "count", "toolchain": {}, "baseline": "results/baselines/count.json", "exact": True,
            "cells": [CELL | {"verdict": verdict, "changes": changes}], "compared": compared, "exit": code}


def paired_json(verdict="~", code=0, reasons=(), ratio=1.0):
    cell = CELL | {"ratio": ratio, "ci95": [ratio - 0.01, ratio + 0.01], "processes": 10, "rounds": 3, "batches": 24,
                   "mde_percent": 1.5, "bound_percent": 1.2, "verdict": verdict, "seconds": 3.0}
    return {"schema": 1, "kind": "paired", "base": {}, "new": {}, "machine": {}, "cells": [cell], "geomean": ratio, "exit": code,
            "validity": {"aa": {}, "control": {}, "relink": {}, "trustworthy": not reasons, "reasons": list(reasons)}}


def junit_text(name, failures=0):
    failed = '<failure message="slower">slower</failure>' if failures else ""
    return (f'<?xml version="1.0"?>\n<testsuites><testsuite name="{name}" tests="1" failures="{failures}">'
            f'<testcase classname="{name}" name="linear">{failed}</testcase></testsuite></testsuites>')


def verdict_line(passed=True):
    return {"label": "verdict", "scenario": "subslice", "map": "go_hmap", "heap": "gosim", "engine": "c", "n": 1000, "passed": passed,
            "fixed_variant": "append_copy", "fixed_bytes": 368.0 if passed else 99999.0, "bound_bytes": 16400.0}


def row(error=None):
    return CELL | {"error": error}


def plan(**changes):
    """What every step of a green night does, with changes by step."""
    green = {"run": {"rows": [row()]}, "count": {"json": count_json(), "junit": junit_text("count")},
             "retain": {"retention": [verdict_line()], "junit": junit_text("mapbench retain")},
             "compare": {"json": paired_json(), "junit": junit_text("compare")}, "history add": {}, "history changes": {}, "report": {}}
    return green | changes


def write_step(folder, does):
    """What tests/support/fake_mapbench.sh reads about a step."""
    folder.mkdir(parents=True)
    files = dict(does)
    if "rows" in does or "retention" in does:
        files["run.json"] = does.get("run", {})
        for name in ("rows", "retention"):
            files.pop(name, None)
            files[f"{name}.jsonl"] = "".join(json.dumps(line) + "\n" for line in does.get(name, []))
    for name, content in files.items():
        if name != "run":
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def git(*words):
    return subprocess.run(["git", "-C", str(PROJECT), *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Nights(unittest.TestCase):
    """The project is a git repository with two commits; every test has folders of its own."""

    @classmethod
    def setUpClass(cls):
        if not (PROJECT / ".git").exists():
            (PROJECT / ".gitignore").write_text("results/\n__pycache__/\n", encoding="utf-8")
            git("init", "-q", "-b", "main")
            for message in ("first | step", "second"):
                (PROJECT / "file").write_text(message, encoding="utf-8")
                git("add", "-A")
                git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", message)
        cls.head, cls.before = git("rev-parse", "HEAD"), git("rev-parse", "HEAD~")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=PROJECT / ".git")).resolve()
        self.out, self.database = self.folder / "night", self.folder / "history.db"

    def prepared(self, night_plan, options):
        """(arguments, environment) of a night that follows the plan."""
        path = self.folder / "plan"
        shutil.rmtree(path, ignore_errors=True)
        for step, does in night_plan.items():
            write_step(path / step, does)
        return (["--db", str(self.database), "--out", str(self.out), *options],
                {"PYTHONPATH": str(PROJECT), "FAKE_PLAN": str(path), "MAPBENCH": str(ROOT / "tests" / "support" / "fake_mapbench.sh")})

    def start(self, night_plan, *options):
        """A night in a process of its own."""
        words, environment = self.prepared(night_plan, options)
        return subprocess.Popen([sys.executable, "-B", "-m", "judge", "nightly", *words], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, cwd=self.folder, env=os.environ | environment)

    def night(self, night_plan, *options):
        """The exit code of a night in this process; what it printed is self.printed."""
        words, environment = self.prepared(night_plan, options)
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        printed = io.StringIO()
        try:
            with unittest.mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(printed), \
                    contextlib.redirect_stderr(printed):
                return judge_main.run("nightly", words)
        except SystemExit as refused:
            return refused.code
        finally:
            self.printed = printed.getvalue()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def another(self):
        """The next night gets a folder of its own; the history stays."""
        self.out = self.folder / f"night{len(list(self.folder.iterdir()))}"

    def summary(self):
        return (self.out / "summary.md").read_text(encoding="utf-8")

    def record(self):
        return json.loads((self.out / "nightly.json").read_text(encoding="utf-8"))

    def step(self, name):
        return next(step for step in self.record()["steps"] if step["step"] == name)

    def calls(self):
        return (self.folder / "plan" / "calls").read_text(encoding="utf-8").splitlines()

    def suites(self):
        return {suite.get("name"): suite for suite in ElementTree.parse(self.out / "junit.xml").getroot()}
