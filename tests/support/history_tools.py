"""What the tests of mapbench history share: a scratch folder with runs nobody measured, and the command in this process."""
import contextlib
import copy
import io
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import synthetic_run  # noqa: E402
from judge_test_tools import sum_up  # noqa: E402
from judge.history import history  # noqa: E402
from judge.base.common import Refused  # noqa: E402

COMMITS = [f"{i:08x}" * 5 for i in range(0x12345678, 0xfffffff0, 0x0a0b0c0d)][:20]
NOBODY = "f" * 40
CELL = {"map": "linear", "shape": "u64_u64", "workload": "get", "keys": "uniform", "n": 10000, "hash": "common", "heap": "malloc"}


def paired(base, new, ratio, trustworthy=True, **more):
    return {"schema": 1, "kind": "paired", "started": "2026-11-01T03:00:00Z", "base": {"commit": base}, "new": {"commit": new},
            "machine": {"cpu": "AMD EPYC", "cores": 2, "kernel": "6.1.0"}, "validity": {"trustworthy": trustworthy, "reasons": []},
            "cells": [CELL | {"ratio": ratio, "ci95": [ratio - 0.01, ratio + 0.01], "verdict": "~"}], "exit": 0, **more}


def counted(commit, instructions, **more):
    return {"schema": 1, "kind": "count", "started": "2026-11-01T03:00:00Z", "commit": commit, "toolchain": {"cc": "gcc 12.2.0"},
            "cells": [CELL | {"ops": 1000, "instructions": instructions, "probe_mean": 1.5, "verdict": "same", "changes": []}],
            "compared": 1, "exit": 0, **more}


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-history-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.db = self.folder / "history.db"

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def run_folder(self, name="run", day=1, factor=1.0, commit=COMMITS[0], case="time_only", change=None):
        """A run folder nobody measured; change(info, rows) may spoil it."""
        info, rows = copy.deepcopy(synthetic_run.CASES[case]())
        info["started"], info["build"]["commit"], info["complete"] = f"2026-{10 + day // 29}-{day % 28 + 1:02d}T03:00:00Z", commit, True
        for row in rows:
            if row["median"] is not None:
                row["median"] *= factor
                row["ci95"] = [edge * factor for edge in row["ci95"]]
        if change:
            change(info, rows)
        path = self.folder / name
        path.mkdir()
        (path / "run.json").write_text(json.dumps(info), encoding="utf-8")
        (path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        sum_up(path)
        return path

    def history(self, *words):
        """stdout of the command, which must end with 0."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(history.main([*map(str, words), "--db", str(self.db)]), 0)
        return out.getvalue()

    def refused(self, code, pattern, *words):
        with self.assertRaisesRegex(Refused, pattern) as caught, contextlib.redirect_stdout(io.StringIO()):
            history.main([*map(str, words), "--db", str(self.db)])
        self.assertEqual(caught.exception.code, code)

    def rows(self, statement):
        database = sqlite3.connect(self.db)
        with contextlib.closing(database):
            return database.execute(statement).fetchall()

    def series_of_runs(self, factors):
        """Runs of consecutive days, each slower by its factor."""
        self.history("add", *(self.run_folder(f"night{day}", day, factor, COMMITS[day]) for day, factor in enumerate(factors)))
