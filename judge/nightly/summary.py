"""A night told: summary.md for a CI page, verdict first, and junit.xml with the verdicts of all steps."""
import json

from judge.base import junit
from judge.nightly.steps import LEFT_OUT, RAN, WORDS, Unreadable, shown_path, suites_of
from plots.rows.exits import FAILED, OK, REGRESSION

LISTED_MAX = 40  # cells of a list; the rest stand in the JSON beside it


def plain(text):
    """Returns text for a cell of a table: nothing in it is Markdown."""
    return " ".join(str(text).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def headline(night):
    """Returns the verdict in one line."""
    code = night.exit()
    if night.interrupted:
        return f"nightly of {night.head.short}: interrupted (exit {code})"
    if not night.finished:
        return f"nightly of {night.head.short}: not finished"
    if code == OK:
        compared = sum(outcome.compared for outcome in night.outcomes)
        return f"nightly of {night.head.short}: green: {compared} comparisons, none worse"
    steps = [outcome.step for outcome in night.outcomes if outcome.code == code]
    return f"nightly of {night.head.short}: red: {WORDS[code]}{' in ' + ', '.join(steps) if steps else ''} (exit {code})"


def revision_text(revision, why):
    return f"`{revision.short}` {plain(revision.subject)}" if revision else f"none: {plain(why)}"


def step_result(outcome):
    if outcome.state == LEFT_OUT and outcome.code == OK:
        return "left out"
    return WORDS[outcome.code] + (f" (exit {outcome.exit})" if outcome.exit not in (None, outcome.code) else "")


def step_table(night):
    lines = ["| step | result | seconds | of at most | |", "|---|---|---:|---:|---|"]
    for outcome in night.outcomes:
        told = outcome.why or outcome.told
        seconds = f"{outcome.seconds:.0f}" if outcome.state == RAN else "-"
        lines.append(f"| {outcome.step} | {step_result(outcome)} | {seconds} | {outcome.limit_s:.0f} | {plain(told)} |")
    done = {outcome.step for outcome in night.outcomes}
    lines += [f"| {step.name} | not begun | - | - | |" for step in night.steps if step.name not in done]
    return lines


def findings(night, title, name, file_hint):
    """Returns a section that lists the findings of all steps in one of their lists, with the lines that show them again."""
    found = [(outcome, finding) for outcome in night.outcomes for finding in getattr(outcome, name)]
    if not found:
        return []
    lines = ["", f"## {title}", "", "| step | cell | |", "|---|---|---|"]
    lines += [f"| {outcome.step} | {plain(finding.cell)} | {plain(finding.numbers)} |" for outcome, finding in found[:LISTED_MAX]]
    lines += ["", "```sh", *dict.fromkeys(finding.reproduce for _, finding in found[:LISTED_MAX]), "```"]
    if len(found) > LISTED_MAX:
        lines += ["", f"{len(found) - LISTED_MAX} more {file_hint}."]
    return lines


def doubts(night):
    lines = []
    for outcome in night.outcomes:
        lines += [f"- {outcome.step}: {plain(reason)}" for reason in outcome.doubts]
        if outcome.doubts:
            lines.append(f"  again: `{outcome.command}`")
    return ["", "## Not trustworthy", "", *lines] if lines else []


def steps_again(night):
    """Returns the whole commands of steps that could not do their work: of those there is no cell to show."""
    failed = [outcome for outcome in night.outcomes if outcome.code != OK and outcome.command
              and not (outcome.slower or outcome.wrong or outcome.doubts)]
    if not failed:
        return []
    lines = [f"{outcome.command}  # {shown_path(night.out / outcome.step)}.log" for outcome in failed]
    return ["", "## Steps to look into", "", "```sh", *lines, "```"]


def changes(night):
    try:
        text = (night.out / "changes.txt").read_text(encoding="utf-8", errors="replace").strip("\n")
    except FileNotFoundError:
        return []
    if not text:
        return []
    lines = text.split("\n")
    more = [f"... {len(lines) - LISTED_MAX} more lines in changes.txt"] if len(lines) > LISTED_MAX else []
    return ["", "## Over time", "", "```text", *(line.replace("```", "'''") for line in lines[:LISTED_MAX]), *more, "```"]


def machine_line(night):
    try:
        info = json.loads((night.out / "smoke" / "run.json").read_text(encoding="utf-8"))
        machine = info["machine"]
        return (f"{machine['cpu']}, {machine['cpus_usable']} CPUs, {machine['virtual'] or 'bare metal'}, Linux {machine['kernel']}; "
                f"{info['build']['cc']}")
    except (OSError, ValueError, KeyError, TypeError):
        return "not recorded: the step smoke left no run"


def summary_text(night):
    files = ["nightly.json", "junit.xml", *(path.name for path in sorted(night.out.glob("*.log")))]
    head, _, verdict = headline(night).partition(": ")
    lines = [f"# {verdict[:1].upper()}{plain(verdict)[1:]}", "",
             f"mapbench {head}, {night.started:%Y-%m-%d %H:%M} UTC, {night.spent_s() / 60:.0f} of {night.budget_s / 60:g} minutes.", "",
             f"- HEAD: {revision_text(night.head, '')}", f"- base (last green): {revision_text(night.base, night.no_base)}",
             f"- anchor: {revision_text(night.anchor, night.no_anchor)}", f"- machine: {plain(machine_line(night))}",
             *(f"- {plain(note)}" for note in night.notes), "", "## Steps", "", *step_table(night)]
    lines += findings(night, "Failed", "wrong", "in the runs")
    lines += findings(night, "Slower", "slower", "in the steps' JSON")
    lines += doubts(night) + steps_again(night)
    lines += findings(night, "Improved", "faster", "in the steps' JSON")
    lines += changes(night)
    lines += ["", f"Files in `{shown_path(night.out)}`: {', '.join(files)}, and the JSON of each step."]
    return "\n".join(lines) + "\n"


# --- JUnit ---

def step_case(outcome):
    """Returns (name, state, message, seconds) for junit.suite."""
    if outcome.state == LEFT_OUT and outcome.code == OK:
        return outcome.step, junit.SKIPPED, outcome.why, outcome.seconds
    state = junit.PASSED if outcome.code == OK else junit.FAILURE if outcome.code in (FAILED, REGRESSION) else junit.ERROR
    return outcome.step, state, f"{WORDS[outcome.code]}: {outcome.why}", outcome.seconds


def write_junit(night):
    """Writes the suites of all steps, each named after its step, before them one with a case for every step."""
    cases = [step_case(outcome) for outcome in night.outcomes]
    if night.interrupted or not any(outcome.compared for outcome in night.outcomes):
        cases.append(("comparisons", junit.ERROR, "the night was interrupted" if night.interrupted else "nothing was compared", 0.0))
    suites = []
    for outcome in night.outcomes:
        try:
            found = suites_of(night.out / f"{outcome.step}.xml")
        except Unreadable as error:
            cases.append((f"{outcome.step}.xml", junit.ERROR, str(error), 0.0))
            continue
        for suite in found:
            suite.set("name", f"{outcome.step}: {suite.get('name', '')}".rstrip(": "))
            for case in suite.iter("testcase"):
                case.set("classname", f"{outcome.step}.{case.get('classname', '')}".rstrip("."))
            suites.append(suite)
    junit.write(night.out / "junit.xml", [junit.suite("nightly", cases), *suites])
