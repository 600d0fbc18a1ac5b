"""Revisions of the project, as git knows them."""
import re
import subprocess
from collections import namedtuple
from pathlib import Path

from judge.base.common import Refused, project_root
from plots.rows.exits import CANNOT

# The full commit id, its short form, and the first line of its message.
Revision = namedtuple("Revision", "commit short subject")


def ask(*words):
    try:
        return subprocess.run(["git", "-C", str(project_root()), *words], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Refused("revisions need git, which is not installed: make deps (git)", CANNOT) from None


def git(*words):
    """Runs git in the project: returncode, stdout, stderr. Refused where git's repository is another's, inside which
    the project lies, unpacked from an archive: its revisions are not the project's."""
    top = ask("rev-parse", "--show-toplevel")
    if "dubious ownership" in top.stderr:
        raise Refused(f"{project_root()} has no revisions that git shows: {reason(top)}", CANNOT)
    if top.returncode == 0 and Path(top.stdout.rstrip("\n")).resolve() != project_root().resolve():
        raise Refused(f"{project_root()} has no revisions: it is no git checkout, only a part of {top.stdout.strip()}", CANNOT)
    return ask(*words)


def reason(done):
    """Returns git's own reason in one line: what it says first that went wrong, and the command it names for that."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if not lines:
        return f"git ended with {done.returncode}"
    wrong = next((line for line in lines if re.match("(fatal|error): ", line)), lines[-1])
    remedy = next((f"; allow it: {line}" for line in lines if line.startswith("git config ")), "")
    return re.sub("^(fatal|error): ", "", wrong) + remedy


def find(name):
    """Returns the Revision of that name, or None."""
    done = git("log", "-1", "--format=%H%n%h%n%s", "--end-of-options", f"{name}^{{commit}}", "--")
    parts = done.stdout.strip().split("\n", 2) + [""]  # a message may be empty
    return Revision(*parts[:3]) if done.returncode == 0 and len(parts[0]) >= 40 else None


def commit_of(name):
    """Returns the full commit id of a revision; Refused with git's reason."""
    done = git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    if done.returncode != 0:
        raise Refused(f"'{name}' is no commit: git says: {reason(done)}")
    return done.stdout.strip()


def head():
    """Returns the Revision that is checked out; refused where the project is no git checkout with a commit."""
    done = git("rev-parse", "--verify", "HEAD^{commit}")
    if done.returncode != 0:
        raise Refused(f"{project_root()}: no git revision to compare ({reason(done)})", CANNOT)
    return find("HEAD")


def edited():
    """Tells whether tracked files differ from HEAD."""
    done = git("status", "--porcelain", "--untracked-files=no")
    return done.returncode != 0 or done.stdout != ""
