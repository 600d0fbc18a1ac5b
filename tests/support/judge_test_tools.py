"""What the tests of judge/ share: the package made importable, cells to measure, stored runs to read."""
import hashlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from judge.compare import pairing  # noqa: E402


def sum_up(folder):
    """SHA256SUMS of what is in the folder now, as at the end of a run."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
             for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "SHA256SUMS"]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def cell(name="linear", n=10240, workload="get", base=None):
    return pairing.Cell(name, base or name, "u64_u64", workload, "uniform", n, "common", "common", "malloc")


def measurement(role=pairing.CELL, extra=0.0, **words):
    c = cell(**words)
    if role == pairing.CELL:
        return pairing.CellSeries(c, ["base.so"], ["new.so"], extra_percent=extra)
    return pairing.CheckSeries(c, ["base.so"], ["new.so"], role, extra_percent=extra)
