"""What the tests of plots/ share: a scratch folder with synthetic runs, the report run in this process."""
import contextlib
import fcntl
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import synthetic_run  # noqa: E402
from plots import report  # noqa: E402


def run_report(*folders):
    """Exit code and what went to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = report.main([str(folder) for folder in folders])
    return code, err.getvalue()


def prefix_of(name):
    """The beginning of a picture's name that its figure states; "" for a picture of no figure."""
    prefixes = [module.PREFIX for module in report.figure_modules()]
    flat = [one for prefix in prefixes for one in ([prefix] if isinstance(prefix, str) else prefix)]
    return max((one for one in flat if name.startswith(one)), key=len, default="")


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


def draw(write, case, folder):
    """Writes the run of a case into the folder and draws it; returns what run_report gave. Tests that run_all.sh runs draw a
    case once, for all of them."""
    shared = os.environ.get("MAPBENCH_DRAWN")
    if not shared:
        return run_report(write(case, folder))
    kept = pathlib.Path(shared) / write.__module__ / case
    kept.parent.mkdir(exist_ok=True)
    result = kept.with_name(f"{case}.json")
    with open(kept.with_name(f"{case}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            result.write_text(json.dumps(run_report(write(case, kept))), encoding="utf-8")
    shutil.copytree(kept, folder)
    return tuple(json.loads(result.read_text(encoding="utf-8")))


class Drawn(Scratch):
    """Has every case drawn once: `drawn[case]` is its folder and what run_report gave."""
    CASES = ()
    write = staticmethod(synthetic_run.write)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drawn = {case: (cls.folder / case, draw(cls.write, case, cls.folder / case)) for case in cls.CASES}
