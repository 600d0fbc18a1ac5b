"""The two sides of a comparison as shared objects of units: from a git revision, a source tree, a build folder, or the
build that runs. Every object that is measured is a private copy in the comparison's scratch folder."""
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from judge.common import BAD_INPUT, CANNOT, Refused, executable, project_root, say
from judge.revisions import git, reason

# Bytes in front of a unit's code: its places within a page, over which processes go round. A loop may be slower by some
# percent at one of them, and any edit of the unit moves it.
PADS = tuple(range(0, 4096, 512))
MOVED_PADS = tuple(pad + 33 * 64 for pad in PADS)  # of the relink check: other lines, other sets of the first caches
# What a make that called this program has set would redirect the one below.
MAKE_VARIABLES = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "BUILD", "UNITS", "PAD")
FIRST_ERROR = re.compile(r"\berror\b:|\*\*\* ")


@contextmanager
def scratch_folder():
    """Within the build folder, gone in the end, the worktrees in it too."""
    folder = Path(tempfile.mkdtemp(prefix="compare-", dir=executable().resolve().parent))
    try:
        yield folder
    finally:
        for source in folder.glob("*-src"):
            git("worktree", "remove", "--force", str(source))
        shutil.rmtree(folder, ignore_errors=True)
        if (project_root() / ".git").exists():
            git("worktree", "prune")


def is_tree(path):
    return (Path(path) / "maps" / "maps.def").is_file()


def is_build(path):
    return (Path(path) / "mapbench").is_file() and (Path(path) / "units").is_dir()


def units_of(tree):
    """{name of a unit that the sources have: its map's file}, by the sources' own list."""
    defs = [str(tree / part) for part in ("harness/shapes/shapes.def", "harness/heaps/heaps.def", "maps/maps.def")]
    done = subprocess.run(["awk", "-f", str(tree / "harness/expand_units.awk"), "-v", "as=make", *defs],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise Refused(f"{tree}: its list of units cannot be read: {(done.stderr.strip() or 'it is empty')[:200]}", CANNOT)
    fields = (word.split(":") for word in done.stdout.split())
    return {f"{f[0]}-{f[3]}-{f[4]}-{f[5]}": f[2] for f in fields}


class Side:
    """One side. `name` is "base" or "new"; the copies go to scratch/NAME."""

    def __init__(self, name, scratch, tree, label, record):
        self.name, self.scratch, self.tree, self.label, self.record = name, scratch, Path(tree), label, record
        self.units = units_of(self.tree)

    @property
    def commit(self):
        """That it is built from, with -dirty where files differ from it; None where nobody knows."""
        return self.record["commit"]

    @property
    def build_folder(self):
        return self.tree / "build"

    def why_not(self, unit):
        """None, or why this side has no such unit."""
        return None if unit in self.units else f"{self.label} has no unit {unit}"

    def command(self, units, pad):
        return ["make", "-C", str(self.tree), "pair-units", f"UNITS={' '.join(units)}", f"PAD={pad or ''}", "SKIP_DEPS=1",
                f"JOBS={os.environ.get('JOBS', '2')}"]

    def build(self, units, log_folder, moved=False):
        """Links the units once for each place within a page and copies them: {unit: [path]}."""
        say(f"building {len(units)} unit{'s' * (len(units) != 1)} of {self.label}" + (", moved" if moved else ""))
        log = Path(log_folder) / f"compare-{self.name}.log"
        if not moved:
            log.write_text("", encoding="utf-8")
        found = [self.link(units, log, pad) for pad in (MOVED_PADS if moved else PADS)]
        return {unit: [of_pad[unit] for of_pad in found] for unit in units}

    def link(self, units, log, pad):
        """{unit: path}"""
        environment = {name: value for name, value in os.environ.items() if name not in MAKE_VARIABLES}
        environment |= {"LC_ALL": "C", "LANGUAGE": "C"}  # what compilers say is kept
        try:
            with open(log, "a", encoding="utf-8") as out:
                done = subprocess.run(self.command(units, pad), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                      env=environment, check=False)
        except FileNotFoundError:
            raise Refused("building needs make, which is not installed", CANNOT) from None
        suffix = suffix_of(pad)
        made = {unit: self.build_folder / "pair" / f"{unit}{suffix}.so" for unit in units}
        if done.returncode != 0 or not all(path.is_file() for path in made.values()):
            raise Refused(f"{self.label} does not build: {first_error(log)} (the whole log: {log})", CANNOT)
        into = self.scratch / (self.name + suffix)
        into.mkdir(exist_ok=True)
        return {unit: Path(shutil.copy(path, into / f"{unit}.so")) for unit, path in made.items()}


def suffix_of(pad):
    return f"-pad{pad}" if pad else ""


class Build(Side):
    """The objects of a build folder as they are. The sources beside them may have changed or be gone: only what needs
    no compiling can be linked, unless it is the running program's own folder."""

    def __init__(self, name, scratch, folder, label, record, own=False):
        super().__init__(name, scratch, project_root(), label, record)
        self.folder, self.own = Path(folder).resolve(), own

    @property
    def build_folder(self):
        return self.folder

    @property
    def commit(self):
        try:
            said = (self.folder / "gen" / "build_info.h").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        found = re.search('^#define BUILD_COMMIT "([0-9a-f]{40}(?:-dirty)?)"$', said, re.M)
        return found and found[1]

    def why_not(self, unit):
        if unit not in self.units or not (self.folder / "units" / f"{unit}.o").is_file():
            return f"{self.label} has no unit {unit}"
        compiled = self.units[unit].startswith("maps/adapters/") or unit.rsplit("-", 1)[1] not in ("malloc", "boehm")
        if compiled and not self.own:
            return f"{unit} of a build folder cannot be made a shared object: compare source trees or revisions"
        return None

    def command(self, units, pad):
        (self.folder / "pair").mkdir(exist_ok=True)
        inside = self.folder.is_relative_to(self.tree)
        build = os.path.relpath(self.folder, self.tree) if inside else str(self.folder)
        old = [f"{build}/units/{unit}.o" for unit in units] + [f"{build}/gen/flags"]
        # -o: the objects are not made again, however old they are
        return (["make", f"-j{os.environ.get('JOBS', '2')}", "-C", str(self.tree), f"BUILD={build}",
                 f"UNITS={' '.join(units)}", f"PAD={pad or ''}", "SKIP_DEPS=1"]
                + [word for path in old for word in ("-o", path)] + [f"{build}/pair/{unit}{suffix_of(pad)}.so" for unit in units])


def first_error(log):
    """The line of a build's log that says what failed first."""
    lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    found = next((line for line in lines if FIRST_ERROR.search(line)), lines[-1] if lines else "no message")
    if "No rule to make target 'pair-units'" in found:
        return "it is older than make pair-units"
    return found.strip()[:300]


def revision_commit(word):
    """(commit, its subject); refuses with git's reason."""
    if word.startswith("-"):
        raise Refused(f"'{word}' is no revision, folder or map")
    done = git("rev-parse", "--verify", "--end-of-options", f"{word}^{{commit}}")
    if done.returncode != 0:
        why = reason(git("log", "-1", "--format=%H", "--end-of-options", word, "--"))  # says more than rev-parse
        raise Refused(f"'{word}' is neither a folder, a map nor a revision: git says: {why}", BAD_INPUT)
    commit = done.stdout.strip()
    return commit, git("log", "-1", "--format=%s", commit).stdout.strip()


def worktree(commit, scratch):
    """The sources of a commit, once for both sides."""
    folder = scratch / f"{commit[:12]}-src"
    if folder.exists():
        return folder
    done = git("worktree", "add", "--detach", str(folder), commit)
    if done.returncode != 0:
        raise Refused(f"cannot check out {commit[:12]}: {reason(done)}", CANNOT)
    deps = project_root() / "deps"
    if deps.exists() and not (folder / "deps").exists():
        (folder / "deps").symlink_to(deps.resolve())
    return folder


def side_of(name, word, scratch):
    """A revision, a source tree or a build folder as a Side."""
    path = Path(word)
    if path.is_dir():
        path = path.resolve()
        if is_tree(path):
            return Side(name, scratch, path, word, {"kind": "tree", "name": word, "commit": tree_commit(path)})
        if is_build(path):
            return Build(name, scratch, path, word, {"kind": "build", "name": word, "commit": None})
        if (path / "run.json").is_file():
            raise Refused(f"{word} is a stored run, which can only be compared with another stored run")
        raise Refused(f"{word} is neither a source tree (maps/maps.def), a build folder (mapbench and units/) nor a run "
                      "(run.json)")
    commit, subject = revision_commit(word)
    tree = worktree(commit, scratch)
    if not is_tree(tree):
        raise Refused(f"revision {word} has no maps/maps.def: it is not one of mapbench", BAD_INPUT)
    return Side(name, scratch, tree, word if commit.startswith(word) else f"{word} ({commit[:9]})",
                {"kind": "revision", "name": word, "commit": commit, "subject": subject})


def tree_commit(tree):
    """"<commit>", with -dirty where files differ from it; None where the tree is no git checkout."""
    program = Path(__file__).resolve().parent.parent / "setup" / "commit.sh"
    said = subprocess.run([str(program), str(tree)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return said.stdout.strip().removesuffix("unknown") or None
