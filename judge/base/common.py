"""What the commands share: refusing, finding the program, saying what happens."""
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from plots.rows.exits import BAD_INPUT, CANNOT
from plots.rows.files import is_special, write_whole
from plots.rows.packages import PACKAGES, missing

# Beginning of the reason why compare left out a cell; the nightly job counts those by it.
NO_TIME = "no time within --budget"


class Refused(Exception):
    """Ends a command with one line on stderr (what, where, what to do) and an exit code."""

    def __init__(self, message, code=BAD_INPUT):
        super().__init__(message)
        self.code = code


def need(what, *modules):
    """Refuses `what` where one of the Python modules that it is about to import is missing."""
    lines = missing(modules)
    if lines:
        packages = " ".join(PACKAGES[name] for name in lines)
        whys = ", ".join(line.partition(": make deps")[0].removeprefix("the Python module ") for line in lines.values())
        raise Refused(f"{what} needs {' and '.join(modules)}, but of {sys.executable} {whys}: make deps ({packages}), or name "
                      "another interpreter in MAPBENCH_PYTHON", CANNOT)


def project_root():
    return Path(__file__).resolve().parents[2]


def executable():
    """Returns the mapbench that measures: the one that handed the command over, else the build folder's."""
    path = Path(os.environ.get("MAPBENCH") or project_root() / "build" / "mapbench")
    if not os.access(path, os.X_OK):
        raise Refused(f"there is no {path}: make build", CANNOT)
    return path


def ask(program, *words):
    """Returns what the program prints as JSON; its refusal is this command's."""
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line.removeprefix("mapbench: ") for line in done.stderr.splitlines() if line.strip()]
        reason = f" ({lines[0]})" if len(lines) > 1 else ""
        raise Refused(lines[-1] + reason if lines else f"{program} {words[0]} ended with {done.returncode}",
                      done.returncode if done.returncode > 0 else CANNOT)
    return json.loads(done.stdout)


def refuse_unwritable(*paths):
    """Refuses files that cannot be written in the end, before anything is measured for them. None: not asked for."""
    for path in map(Path, filter(None, paths)):
        if path.is_dir():
            raise Refused(f"cannot write {path}: is a folder", CANNOT)
        if not is_special(path) and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
            raise Refused(f"cannot write {path}: {path.parent} is no folder to write to", CANNOT)


def write_text(path, text):
    """Writes a file whole or not at all; what cannot be written is refused."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}", CANNOT) from error


def utc_now():
    """Returns the time as in run.json: ISO 8601 with Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def say(message):
    """Prints a line about progress; results go to stdout."""
    print(message, file=sys.stderr, flush=True)
