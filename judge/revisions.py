"""Revisions of the project, as git knows them."""
import subprocess
from collections import namedtuple

from judge.common import Refused, project_root

# The full commit id, its short form, and the first line of its message.
Revision = namedtuple("Revision", "commit short subject")


def git(*words):
    """(exit code, output or git's reason, stripped)."""
    try:
        done = subprocess.run(["git", "-C", str(project_root()), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return 127, "git is not installed: apt-get install git"
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).strip()


def find(name):
    """The Revision of that name, or None."""
    code, text = git("log", "-1", "--format=%H%n%h%n%s", "--end-of-options", f"{name}^{{commit}}", "--")
    parts = text.split("\n", 2) + [""]  # a message may be empty
    return Revision(*parts[:3]) if code == 0 and len(parts[0]) >= 40 else None


def head():
    """Refused where the project is no git checkout with a commit."""
    code, text = git("rev-parse", "--verify", "HEAD^{commit}")
    if code != 0:
        raise Refused(f"{project_root()}: no git revision to compare ({text.splitlines()[-1] if text else 'git failed'})", 4)
    return find("HEAD")


def edited():
    """Whether tracked files differ from HEAD."""
    code, text = git("status", "--porcelain", "--untracked-files=no")
    return code != 0 or text != ""
