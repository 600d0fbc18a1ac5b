"""What the tests of judge/ share: the package made importable, cells to measure."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plots"), str(ROOT / "tests")]

from judge import pairing  # noqa: E402


def cell(name="linear", n=10240, workload="get", base=None):
    return pairing.Cell(name, base or name, "u64_u64", workload, "uniform", n, "common", "common", "malloc")


def measurement(role=pairing.CELL, extra=0.0, **words):
    c = cell(**words)
    return pairing.Measurement(role, c, "base.so", "new.so", c.new_unit, extra)
