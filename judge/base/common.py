"""What the commands share: refusing, finding the program, writing files that are whole or absent."""
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

# The exit codes of every command of mapbench.
OK, FAILED, BAD_INPUT, REGRESSION, CANNOT, UNTRUSTWORTHY, NOTHING, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130


# How the reason begins for which compare left out a cell, and by which the nightly job counts those.
NO_TIME = "no time within --budget"


class Refused(Exception):
    """Ends a command with one line on stderr (what, where, what to do) and an exit code."""

    def __init__(self, message, code=BAD_INPUT):
        super().__init__(message)
        self.code = code


def project_root():
    return Path(__file__).resolve().parents[2]


def executable():
    """The mapbench that measures: the one that handed the command over, else the build folder's."""
    path = Path(os.environ.get("MAPBENCH") or project_root() / "build" / "mapbench")
    if not os.access(path, os.X_OK):
        raise Refused(f"there is no {path}: make build", CANNOT)
    return path


def ask(program, *words):
    """What the program prints as JSON; its refusal is this command's."""
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


def is_special(path):
    """Whether a file is none that a rename may replace: /dev/stdout, a pipe, a link to where the user wants it."""
    return path.is_symlink() or path.exists() and not path.is_file()


def write_text_atomic(path, text):
    """The whole text, or the file as it was: written beside it, then renamed. A link or a device is written through."""
    path = Path(path)
    try:
        if is_special(path):
            path.write_text(text, encoding="utf-8")
            return
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}", CANNOT) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:  # an interruption, too, leaves nothing behind
        os.unlink(temporary)
        if isinstance(error, OSError):
            raise Refused(f"cannot write {path}: {error.strerror}", CANNOT) from error
        raise


def utc_now():
    """As in run.json: ISO 8601 with Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def say(message):
    """A line about progress; results go to stdout."""
    print(message, file=sys.stderr, flush=True)
