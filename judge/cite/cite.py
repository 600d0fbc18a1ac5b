"""`mapbench cite RUN`: what a text that quotes a number of a run has to bring along - a BibTeX entry, a sentence with the
interval and the conditions, and the line that measures it again."""
import re
import shlex
import sys

from judge.base.arguments import Parser
from judge.base.cells import map_of
from judge.base.common import Refused, need, project_root, say
from judge.base.stored import cell_text, open_run, result_id
from judge.cite.rerun_line import without
from plots.rows.exits import CANNOT, OK
from plots.rows.run import BASELINE

SENTENCES_MAX = 12
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {c: "\\" + c for c in "&%$#_{}"}
# A line of a shell that means the same however it was quoted: run.json keeps the words without their quotes.
PLAIN_WORDS = re.compile(r"[A-Za-z0-9_./,:=+*%-]+( [A-Za-z0-9_./,:=+*%-]+)*")
# Options of `run` that say where and how it is shown, not what is measured.
SHOWN_ONLY = {"--out": 1, "--progress": 1, "--figures": 1, "--resume": 0}


def latex(text):
    return "".join(LATEX.get(c, c) for c in text)


def project_facts():
    """Returns (title, author) of CITATION.cff: a title in quotes, and the first author's name."""
    path = project_root() / "CITATION.cff"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}", CANNOT) from None
    title = re.search(r'^title: *"?(.+?)"? *$', text, re.M)
    author = re.search(r'^authors:\n *- *(?:name|family-names): *"?(.+?)"? *$', text, re.M)
    if not title or not author:
        raise Refused(f"{path}: has no title or no author in the usual form", CANNOT)
    return title[1], author[1]


def machine_text(info):
    machine = info["machine"]
    parts = [machine.get("cpu") or "unknown processor", f"{machine.get('cpus_usable') or machine.get('cpus') or '?'} CPUs"]
    if machine.get("virtual"):
        parts.append(f"virtual machine ({machine['virtual']})")
    parts += [part for part in (machine.get("kernel") and f"Linux {machine['kernel']}", machine.get("libc")) if part]
    return ", ".join(parts)


def build_text(row, info):
    if row["engine"] != "c":
        return f"run by {row['engine']}"
    build = info["build"]
    return f"compiled by {build.get('cc') or 'an unknown compiler'} with {build.get('unit_flags') or 'unknown flags'}"


def commit_text(info):
    commit = info["build"].get("commit") or "unknown"
    if commit.endswith("-dirty"):
        return f"commit {commit.removesuffix('-dirty')} with uncommitted changes"
    return f"commit {commit}" if commit != "unknown" else "an unknown commit"


def bibtex(run):
    title, author = project_facts()
    info = run.info
    profile = (info["profile"] or {}).get("name") or "selection"
    note = (f"Run {info['id']}, profile {profile}, measured {info['started'][:10]} on {machine_text(info)}; "
            f"result id {result_id(run.folder)}")
    return "\n".join([f"@misc{{mapbench-{re.sub('[^A-Za-z0-9:.-]', '-', info['id'])},",
                      f"  title   = {{{{{latex(title)}}}}},",
                      f"  author  = {{{{{latex(author)}}}}},",
                      f"  year    = {{{info['started'][:4]}}},",
                      f"  version = {{{latex(commit_text(info))}}},",
                      f"  note    = {{{latex(note)}}},",
                      "}"])


def number(value):
    """Writes three digits that count."""
    return f"{value:.0f}" if value >= 999.5 else f"{value:#.3g}".rstrip(".")


def conditions(row):
    parts = [f"{row['shape']}", f"{row['keys']} keys", f"n = {row['n']:,}", f"{row['hash']} hash", f"{row['heap']} heap"]
    if row.get("order") == "insertion":
        parts.append("looked up in the order of insertion")
    if row["threads"] != 1:
        parts.append(f"{row['threads']} threads")
    return ", ".join(parts)


def sampling(row):
    return f"{row['rounds']} rounds, {len(row['ns_per_op'])} batches"


def source_text(row, run):
    return (f"on {machine_text(run.info)}, {build_text(row, run.info)}; mapbench run {run.info['id']}, "
            f"{commit_text(run.info)}")


def unstable_text(rows):
    reasons = [f"{row['map']}: {row['why_unstable'] or 'no reason given'}" for row in rows if not row["stable"]]
    return f" Unstable, not to be quoted without saying so ({'; '.join(reasons)})." if reasons else ""


def single_sentence(row, run):
    low, high = row["ci95"]
    return (f"{row['map']} took {number(row['median'])} ns per operation of {row['workload']} (median; 95 % interval "
            f"{number(low)} to {number(high)}; {sampling(row)}) with {conditions(row)}, {source_text(row, run)}."
            + unstable_text([row]))


def ratio_sentence(row, other, run):
    """Returns the sentence of a pair; None where the rounds give no interval."""
    from plots.rows import stats  # with numpy and scipy
    logs = stats.log_ratios(row["round_medians"], other["round_medians"])
    interval = stats.interval(logs)
    if not interval:
        return None
    ratio = stats.paired_logs(logs).ratio
    return (f"{row['map']} took {number(ratio)} times the time of {other['map']} in {row['workload']} (median over the rounds; "
            f"95 % interval {number(interval[0])} to {number(interval[1])}, paired by round; {number(row['median'])} against "
            f"{number(other['median'])} ns per operation; {sampling(row)}) with {conditions(row)}, "
            f"{source_text(row, run)}." + unstable_text([row, other]))


def chosen_rows(run, pattern):
    rows = [row for row in run.measured("time") if row["map"] != BASELINE]
    if not rows:
        raise Refused(f"{run.folder}: has no measured time, and only times have an interval: nothing to cite")
    rows = [row for row in rows if not pattern or pattern.search(cell_text(row))]
    if not rows:
        raise Refused(f"{run.folder}: no cell matches '{pattern.pattern}': cells are written like linear/u64_u64/get/uniform/n:64k")
    return rows


def other_row(run, row, name):
    """Returns the row of another map that was measured interleaved with this one."""
    same = ("cell", "job", "shape", "workload", "keys", "n", "hash_policy", "threads", "order")
    for other in run.measured("time"):
        if map_of(other["map"]) == map_of(name) and all(other.get(field) == row.get(field) for field in same):
            return other
    return None


def pair_sentences(run, rows, against):
    need("cite of two maps", "numpy", "scipy")
    from plots.rows import stats
    names = {row["map"] for row in run.rows}
    if map_of(against) not in map(map_of, names):
        raise Refused(f"{run.folder}: has no map '{against}': it has {', '.join(sorted(names - {BASELINE}))}")
    pairs = [(row, other_row(run, row, against)) for row in rows if map_of(row["map"]) != map_of(against)]
    pairs = [(row, other) for row, other in pairs if other]
    if not pairs:
        raise Refused(f"{run.folder}: no chosen cell holds another map beside '{against}': choose more with --cell")
    found = [text for text in (ratio_sentence(row, other, run) for row, other in pairs) if text]
    if not found:
        raise Refused(f"{run.folder}: no interval: fewer than {stats.ROUNDS_MIN} rounds; measure again with --repeat 5 or more")
    return found


def sentences(run, pattern, against):
    rows = chosen_rows(run, pattern)
    maps = list(dict.fromkeys(row["map"] for row in rows))
    if against or len(maps) == 2:
        return pair_sentences(run, rows, against or maps[0])
    found = [single_sentence(row, run) for row in rows if row["ci95"]]
    if not found:
        raise Refused(f"{run.folder}: no interval: a single round has none; measure again with --repeat 5 or more")
    return found


def measuring_words(command):
    """Returns the words after `mapbench` of a stored command without those of SHOWN_ONLY, or None where they cannot be
    told."""
    words = command.split(" ")
    if not PLAIN_WORDS.fullmatch(command) or len(words) < 2 or words[1] != "run":
        return None
    kept = ["run", *without(words[2:], SHOWN_ONLY)]
    # a profile of the user's own is not in the project's history
    return None if any("/" in word and word.endswith(".job") for word in kept) else kept


def rerun_lines(run):
    commit = run.info["build"].get("commit") or "unknown"
    clean = re.fullmatch("[0-9a-f]{40}", commit)
    words = measuring_words(run.info["command"]) if clean else None
    again = f"build/mapbench rerun {shlex.quote(str(run.folder))}"
    if words:
        return [f"git checkout {commit} && make build && build/mapbench {' '.join(words)}",
                f"# with the run folder at hand, compared with it: {again}"]
    return [f"git checkout {commit} && make build && {again}" if clean else again]


def main(argv):
    parser = Parser(prog="mapbench cite", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--cell", metavar="REGEX", help="only cells whose map/shape/workload/keys/n:SIZE matches")
    parser.add_argument("--against", metavar="MAP", help="ratios to this map, paired by round")
    args = parser.parse_args(argv)
    try:
        pattern = re.compile(args.cell) if args.cell else None
    except re.error as error:
        raise Refused(f"--cell '{args.cell}' is not a regular expression: {error}") from None
    run = open_run(args.run, "cited")
    found = sentences(run, pattern, args.against)
    commit = run.info["build"].get("commit") or "unknown"
    print(bibtex(run), *found[:SENTENCES_MAX], *rerun_lines(run), sep="\n\n")
    if len(found) > SENTENCES_MAX:
        say(f"mapbench: {len(found) - SENTENCES_MAX} more cells: choose with --cell REGEX")
    if not re.fullmatch("[0-9a-f]{40}", commit):
        say("mapbench: this build is of no commit, so nobody else can build it: commit, build and measure again before publishing")
    sys.stdout.flush()
    return OK
