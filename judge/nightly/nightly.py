"""`mapbench nightly`: every gate, the history and the report, with one exit code that a CI job can trust.

A night is red when something is wrong or slower, and also when a step could not do its work or nothing was compared. Where
several things happened, the worst decides: wrong result, regression, could not run, not trustworthy, nothing compared.
"""
import argparse
import datetime
import json
import signal
import time
from pathlib import Path

from judge.base import child, revisions
from judge.base.arguments import Parser
from judge.base.common import Refused, executable, project_root, say, write_text
from judge.history import store
from judge.nightly import steps
from judge.nightly.steps import LEFT_OUT, RAN, STEPS, Finding, Outcome, Unreadable, shown_path, worst
from judge.nightly.summary import headline, summary_text, write_junit
from plots.rows.exits import CANNOT, INTERRUPTED, NOTHING, OK

# The workloads of the counting gate but put, which put_grow contains: as many cells as a night has time for.
WORKLOADS = "put_grow,get,get_miss,overwrite,del,churn,scan"
COMPARE_SHARE = 0.85  # the budget of a paired step by its limit: what the checks need, and moved code, come on top


class Night:
    """What is measured against what, where to, and what became of it so far."""

    def __init__(self, args):
        self.steps = [step for step in STEPS if step.group in args.steps]
        self.budget_s, self.database = args.budget * 60, args.db
        self.head = revisions.head()
        self.begin_s = time.monotonic()
        self.started = datetime.datetime.now(datetime.timezone.utc)
        self.notes, self.outcomes = [], []
        self.base = self.anchor = None  # Revisions
        self.no_base = self.no_anchor = ""  # why there is none
        self.finished = False
        self.interrupted = False
        self.pins_anchor = args.anchor is not None
        choose_revisions(self, args)
        self.out = make_folder(args.out, self)

    def spent_s(self):
        return time.monotonic() - self.begin_s

    def outcome(self, name):
        return next((outcome for outcome in self.outcomes if outcome.step == name), None)

    def exit(self):
        if self.interrupted:
            return INTERRUPTED
        code = worst([OK] + [outcome.code for outcome in self.outcomes])
        return NOTHING if code == OK and not any(outcome.compared for outcome in self.outcomes) else code


def make_folder(out, night):
    stamp = night.started.strftime("%Y%m%dT%H%M%SZ")
    path = Path(out).absolute() if out else project_root() / "results" / "nightly" / f"{stamp}-{night.head.short}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise Refused(f"{path} exists and is not an empty folder: choose another --out")
    except OSError as error:
        raise Refused(f"cannot make the folder {path}: {error.strerror}", CANNOT) from None
    return path


# --- what is compared with what ---

def stored_settings(night):
    """Returns (last green, anchor) of the history, each None where there is none. Refused where the history cannot be
    read."""
    path = Path(night.database or store.default_path())
    if not path.exists():
        return None, None
    database = store.open(path)
    try:
        return (store.get_setting(database, store.LAST_GREEN),
                store.get_setting(database, store.ANCHOR))
    finally:
        database.close()


def choose_revisions(night, args):
    """Sets base and anchor, or why there is none; notes what was chosen for want of a pinned one."""
    for name in (args.base, args.anchor):
        if name and not revisions.find(name):
            raise Refused(f"'{name}' is no revision of {project_root()}: see git log")
    try:
        green, anchor = stored_settings(night)
    except Refused as refused:
        night.no_base, night.no_anchor = ("" if given else str(refused) for given in (args.base, args.anchor))
        green = anchor = None
        if args.base is None or args.anchor is None:
            night.notes.append(f"The history cannot be read: {refused}.")
    before = revisions.find("HEAD~") or night.head
    advice = "fetch the full history (git fetch --unshallow), or name one"
    if not night.no_base:
        night.base = revisions.find(args.base or green or before.commit)
        if not night.base:
            night.no_base = f"the last green revision {green[:12]} is not in this clone: {advice} with --base"
        elif not args.base and not green:
            night.notes.append(f"No green night yet: the base is {described(night.base, night)}.")
    if not night.no_anchor:
        night.anchor = revisions.find(args.anchor or anchor or (night.base or before).commit)
        if not night.anchor:
            night.no_anchor = f"the anchor {anchor[:12]} is not in this clone: {advice} with --anchor"
        elif not args.anchor and not anchor:
            night.pins_anchor = True
            night.notes.append(f"No anchor is pinned yet: it is {described(night.anchor, night)}; a green night pins it.")
    if night.base and night.base.commit == night.head.commit:
        night.notes.append("The base is HEAD itself: the paired gate compares the same code twice, which must find nothing.")
    if revisions.edited():
        night.notes.append("Files of the project are edited: the counting gate and the runs see the edits, the paired gate "
                           "compares committed revisions.")


def described(revision, night):
    return f"{'HEAD' if revision.commit == night.head.commit else 'the commit before HEAD'} ({revision.short})"


# --- commands ---

def command_of(step, night):
    """Returns (words without the program's name, "") or (None, why the step cannot be done), or (None, None): not needed."""
    out = night.out
    if step.name == "smoke":
        return ["run", "smoke", "--figures", "no", "--progress", "off", "--out", out / "smoke"], ""
    if step.name == "count":
        return ["gate", "count", "--json", out / "count.json", "--junit", out / "count.xml"], ""
    if step.name == "retention":
        return ["retain", "--assert", "--figures", "no", "--junit", out / "retention.xml", "--out", out / "retention"], ""
    if step.group == "paired":
        green = step.name == "paired-green"
        base, why = (night.base, night.no_base) if green else (night.anchor, night.no_anchor)
        if not base:
            return None, why
        served = night.outcome("paired-green")
        if not green and night.base and base.commit == night.base.commit and served and served.state == RAN:
            return None, None
        # other cells every night, where there is no time for all
        seed = str(night.started.toordinal())
        return ["compare", base.commit, night.head.commit, "--workloads", WORKLOADS, "--seed", seed, "--budget",
                f"{COMPARE_SHARE * limit_of(step, night) / 60:.2f}", "--json", out / f"{step.name}.json", "--junit",
                out / f"{step.name}.xml", "--out", out / step.name], ""
    if step.name == "history":
        found = [path for path in stored_results(night) if path.exists()]
        options = ["--db", night.database] if night.database else []
        return (["history", "add", *found, *options], "") if found else (None, "no step left anything to store")
    found = [path for path in (out / "smoke", out / "retention") if path.exists()]
    return (["report", *found], "") if found else (None, "no step left a run to draw")


def stored_results(night):
    return [night.out / name for name in ("smoke", "retention", "count.json", "paired-green.json", "paired-anchor.json")]


def read_results(outcome, step, night):
    """Reads what the files of a step say; Unreadable."""
    out = night.out
    if step.name == "smoke":
        steps.read_smoke(outcome, out)
    elif step.name == "count":
        steps.read_count(outcome, out)
    elif step.name == "retention":
        steps.read_retention(outcome, out)
    elif step.group == "paired":
        base = night.base if step.name == "paired-green" else night.anchor
        steps.read_paired(outcome, out, base.short, night.head.short)


def limit_of(step, night):
    """Returns seconds for a step: its share of what is left, so that what the steps before did not need is not lost."""
    left = night.budget_s - night.spent_s()
    waiting = [other for other in night.steps if not night.outcome(other.name)]
    return left * step.minutes / sum(other.minutes for other in waiting)


def run_step(step, night):
    words, why = command_of(step, night)
    outcome = Outcome(step.name, limit_s=max(0.0, limit_of(step, night)))
    if words is None:
        outcome.state = LEFT_OUT
        outcome.code, outcome.why = (CANNOT, why) if step.group == "paired" and why is not None else (OK, why)
        outcome.why = outcome.why or "the anchor is the base: one comparison serves both"
        return outcome
    outcome.command = "build/mapbench " + " ".join(shown_path(word) if isinstance(word, Path) else word for word in words)
    if outcome.limit_s < step.least_s:
        outcome.state = LEFT_OUT
        outcome.why = f"no time: {outcome.limit_s:.0f} s were left for it, it takes {step.least_s:.0f} s at the least"
        return outcome
    log = night.out / f"{step.name}.log"
    try:
        ended = child.run([executable(), *words], log, outcome.limit_s, lambda: night.interrupted)
    except OSError as error:
        outcome.code, outcome.why = CANNOT, f"cannot be started: {error.strerror}"
        return outcome
    outcome.seconds, outcome.exit = ended.seconds, ended.exit
    judge(outcome, ended, step, night)
    return outcome


def judge(outcome, ended, step, night):
    """Sets the outcome's code and why, from how the command ended and what it wrote."""
    outcome.code = steps.code_of_exit(ended.exit)
    if ended.state != child.ENDED:
        outcome.code = CANNOT
        limit = f"after its {outcome.limit_s:.0f} s" if ended.state == child.TIMED_OUT else "since the night was interrupted"
        outcome.why = f"was ended {limit}; last line before: {ended.last_line}"
        return
    try:
        read_results(outcome, step, night)
    except (Unreadable, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error) if isinstance(error, Unreadable) else f"its result lacks a field or has a wrong one ({error!r})"
        if outcome.code in (OK, steps.UNTRUSTWORTHY, NOTHING):
            outcome.code = CANNOT if outcome.code == OK else outcome.code
        outcome.why = reason
    if outcome.code == OK:
        return
    found = outcome.wrong or outcome.slower
    if found and not outcome.why and ended.exit >= 0:
        outcome.why = f"{len(found)} {'cells, the first' if len(found) > 1 else 'cell'}: {found[0].cell}, {found[0].numbers}"
        return
    reasons = (f"ended by signal {-ended.exit}" if ended.exit < 0 else "", outcome.why,
               f"last line: {ended.last_line}")
    outcome.why = "; ".join(reason for reason in reasons if reason)


def add_changes(night):
    """Adds what the history says has changed over time: told, never judged."""
    database = ["--db", night.database] if night.database else []
    path = night.out / "changes.txt"
    ended = child.run([executable(), "history", "changes", *database], path, 120, lambda: night.interrupted)
    if ended.exit not in (OK, NOTHING):
        night.notes.append(f"mapbench history changes did not work (exit {ended.exit}): {ended.last_line}")
        path.unlink()


# --- the night ---

def build_commit(night):
    """Returns the commit the program was built from, or None where the night has no run that says so."""
    try:
        info = json.loads((night.out / "smoke" / "run.json").read_text(encoding="utf-8"))
        return info["build"]["commit"].removesuffix("-dirty")
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def built_from_head(night):
    return build_commit(night) in (None, "unknown", night.head.commit)


def pin(night):
    """Makes HEAD the last green revision after a green night, and pins the anchor if it was not."""
    paired = night.outcome("paired-green")
    if not built_from_head(night):
        night.notes.append(f"The program was built from {build_commit(night)[:12]}, not from HEAD: run make build first. "
                           "This night pins nothing.")
        return
    if night.exit() != OK:
        return
    if not paired or paired.code != OK or not paired.compared:
        night.notes.append("The last green revision stays: the paired gate was not part of this night.")
        return
    if revisions.edited():
        night.notes.append("The last green revision stays: files of the project are edited.")
        return
    path = Path(night.database or store.default_path())
    path.parent.mkdir(parents=True, exist_ok=True)
    database = store.open(path)
    try:
        with store.transaction(database):
            store.set_setting(database, store.LAST_GREEN, night.head.commit)
            if night.pins_anchor:
                store.set_setting(database, store.ANCHOR, night.anchor.commit)
    finally:
        database.close()
    night.notes.append(f"Pinned: {night.head.short} is the last green revision"
                       + (f", {night.anchor.short} the anchor." if night.pins_anchor else "."))


def write_files(night):
    write_text(night.out / "summary.md", summary_text(night))
    record = {"schema": 1, "kind": "nightly", "revision": night.head.commit, "base": night.base and night.base.commit,
              "anchor": night.anchor and night.anchor.commit, "started": night.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
              "seconds": round(night.spent_s(), 1), "budget_s": night.budget_s, "finished": night.finished,
              "notes": night.notes, "exit": night.exit() if night.finished else None,
              "steps": [step_record(outcome) for outcome in night.outcomes]}
    write_text(night.out / "nightly.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def step_record(outcome):
    return {name: [vars(value) if isinstance(value, Finding) else value for value in field] if isinstance(field, list) else field
            for name, field in vars(outcome).items()}


def run_steps(night):
    for step in night.steps:
        outcome = run_step(step, night)
        night.outcomes.append(outcome)
        took = f"{outcome.seconds:.0f} s" if outcome.state == RAN else outcome.state
        say(f"mapbench: {step.name}: {steps.WORDS[outcome.code]} ({took})" + (f": {outcome.why}" if outcome.why else ""))
        if step.name == "history" and outcome.exit == OK and not night.interrupted:
            add_changes(night)
        write_files(night)
        if night.interrupted:
            return


def steps_option(text):
    words = text.split(",")
    unknown = [word for word in words if word not in steps.GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown step '{unknown[0]}': known are {', '.join(steps.GROUPS)}")
    return words


def minutes_option(text):
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError(f"{text} is not a number of minutes above 0")
    return value


def parse(argv):
    parser = Parser(prog="mapbench nightly", description="Every gate, the history and the report.")
    parser.add_argument("--out", metavar="DIR", help="folder of the night [results/nightly/<UTC>-<revision>]")
    parser.add_argument("--budget", metavar="MINUTES", type=minutes_option, default=60.0, help="for all steps together [60]")
    parser.add_argument("--steps", metavar="LIST", type=steps_option, default=list(steps.GROUPS),
                        help=f"some of {','.join(steps.GROUPS)} [all]")
    parser.add_argument("--base", metavar="REV", help="in place of the last green revision")
    parser.add_argument("--anchor", metavar="REV", help="in place of the pinned anchor; a green night pins it")
    parser.add_argument("--db", metavar="FILE", help="the history [results/history.db]")
    return parser.parse_args(argv)


def main(argv):
    args = parse(argv)
    executable()
    night = Night(args)

    def stop(_number, _frame):
        night.interrupted = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    run_steps(night)
    if not night.interrupted:
        try:
            pin(night)
        except Refused as refused:
            night.outcomes.append(Outcome("pin", code=CANNOT, why=str(refused)))
    night.finished = True
    write_junit(night)
    write_files(night)
    print(f"{headline(night)}\n{night.out / 'summary.md'}", flush=True)
    return night.exit()
