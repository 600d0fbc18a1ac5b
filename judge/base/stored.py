"""Runs as they were stored: read, and refused when they are not whole and not what was measured."""
import hashlib
from pathlib import Path

from judge.base.common import Refused
from plots.rows.fields import BadRun
from plots.rows.load import load
from plots.rows.numbers import size_text

SUMS = "SHA256SUMS"
DATA = ("rows.jsonl", "retention.jsonl")  # the measurements; a run may lack one


def check_sums(folder):
    """Checks that what was measured is as SHA256SUMS says. What was drawn from it is not looked at, as in mapbench report."""
    path, sums = folder / SUMS, {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise Refused(f"{folder}: there is no {SUMS}, so nobody can tell whether the rows are as measured: measure again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read ({error})") from None
    for number, line in enumerate(lines, 1):
        wanted, gap, name = line.partition("  ")
        if not gap or len(wanted) != 64 or not name:
            raise Refused(f"{path}:{number}: not a line of checksums; the file is damaged: restore it or measure again")
        sums[name] = wanted
    for name in ("run.json", *DATA):
        if name not in sums:
            if (folder / name).exists():
                raise Refused(f"{path}: does not vouch for {name}; the file is damaged: restore it or measure again")
        elif not (folder / name).exists() or sha256(folder / name) != sums[name]:
            raise Refused(f"{folder / name} is not what was measured: {SUMS} does not match; restore it or measure again")


def sha256(*paths):
    """Digests their content, one behind the other."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def result_id(folder):
    """Returns what identifies the measurements whatever is drawn from them later: as in run.json."""
    paths = (Path(folder) / name for name in DATA)
    return sha256(*(path for path in paths if path.exists()))


def open_run(folder, purpose):
    """Returns the run in a folder (plots/rows/run.py), complete and undamaged; otherwise Refused, which says what for it
    was wanted: purpose completes "an incomplete run cannot be ..."."""
    folder = Path(folder)
    try:
        run = load(folder)
    except BadRun as bad:
        raise Refused(str(bad)) from None
    if not run.info["complete"]:
        raise Refused(f"{folder}: this run was interrupted; an incomplete run cannot be {purpose}: finish it with --resume, "
                      "or measure again")
    check_sums(folder)
    if run.info.get("result_id") not in (None, result_id(folder)):
        raise Refused(f"{folder}: the results are not what was measured: result_id in run.json does not match; restore them "
                      "or measure again")
    return run


def cell_text(row):
    """Returns a cell's name, as --filter matches it."""
    return f"{row['map']}/{row['shape']}/{row['workload']}/{row['keys']}/n:{size_text(row['n'])}"
