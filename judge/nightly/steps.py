"""The steps of a night: the command of each, and what its files say happened."""
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from judge.base.common import NO_TIME, project_root
from plots.rows.exits import CANNOT, FAILED, NOTHING, OK, REGRESSION, UNTRUSTWORTHY

# Worst first; a night exits with the worst of its steps.
WORST_FIRST = (FAILED, REGRESSION, CANNOT, UNTRUSTWORTHY, NOTHING, OK)
WORDS = {FAILED: "wrong result", REGRESSION: "regression confirmed", CANNOT: "could not run", UNTRUSTWORTHY: "not trustworthy",
         NOTHING: "nothing compared", OK: "ok"}
RAN, LEFT_OUT = "ran", "left out"


def worst(codes):
    return min(codes, key=WORST_FIRST.index)


@dataclass
class Finding:
    """A cell that the summary names: what it is, the numbers, and the command that shows it again."""
    cell: str
    numbers: str
    reproduce: str


@dataclass
class Outcome:
    """What became of a step. code: what it adds to the exit code of the night, one of WORST_FIRST; exit: of its command."""
    step: str
    state: str = RAN
    code: int = OK
    exit: int | None = None
    why: str = ""
    compared: int = 0
    seconds: float = 0.0
    limit_s: float = 0.0
    command: str = ""
    slower: list = field(default_factory=list)
    faster: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    doubts: list = field(default_factory=list)
    told: str = ""  # in one phrase, when all is well


@dataclass
class Step:
    """minutes: its part of a night of an hour. least_s: with less than that it is not begun."""
    name: str
    group: str  # the word of --steps
    minutes: float
    least_s: float


# In the order in which they run: what is quick and what is exact first.
STEPS = (Step("smoke", "smoke", 2, 5), Step("count", "count", 12, 60), Step("retention", "retention", 10, 60),
         Step("paired-green", "paired", 17, 120), Step("paired-anchor", "paired", 13, 120), Step("history", "history", 2, 5),
         Step("report", "report", 4, 20))
GROUPS = tuple(dict.fromkeys(step.group for step in STEPS))


class Unreadable(Exception):
    """A result file that is not there or not what the step should have written."""


def read_json(path, kind):
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unreadable(f"it wrote no {path.name}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"its {path.name} cannot be read ({error})") from None
    if not isinstance(document, dict) or document.get("kind") != kind or not isinstance(document.get("cells"), list):
        raise Unreadable(f"its {path.name} is not a result of kind '{kind}'")
    return document


def shown_path(path):
    """Writes a path as a user in the project's folder writes it."""
    try:
        return str(path.relative_to(project_root()))
    except ValueError:
        return str(path)


# --- the counting gate ---

def change_text(change):
    percent = change.get("percent")
    return f"{change['what']} {change['base']:g} → {change['now']:g}" + (f" ({percent:+.2f} %)" if percent is not None else "")


def read_count(outcome, out):
    document = read_json(out / "count.json", "count")
    outcome.compared = int(document["compared"])
    outcome.code = worst([outcome.code, exit_code(document)])
    for cell in document["cells"]:
        found = {"more": outcome.slower, "fewer": outcome.faster}.get(cell["verdict"])
        if found is not None:
            where = f"--maps {cell['map']} --shapes {cell['shape']} --workloads {cell['workload']} --n {cell['n']}"
            found.append(Finding(f"{cell['map']}/{cell['shape']}/{cell['workload']}/n:{cell['n']}",
                                 ", ".join(change_text(change) for change in cell["changes"]),
                                 f"build/mapbench gate count {where}"))
    missing = sum(cell["verdict"] == "missing" for cell in document["cells"])
    outcome.told = (f"{outcome.compared} cells compared with {document.get('baseline') or 'no baseline'}, "
                    + ("of the same toolchain" if document.get("exact") else "with the tolerance for another toolchain")
                    + (f"; {missing} of the baseline were not counted" if missing else ""))


# --- the paired gate ---

def read_paired(outcome, out, base, new):
    document = read_json(out / f"{outcome.step}.json", "paired")
    validity = document["validity"]
    outcome.code = worst([outcome.code, exit_code(document)])
    if not validity["trustworthy"]:
        outcome.doubts = [str(reason) for reason in validity["reasons"]] or ["no reason was given"]
        outcome.code = worst([outcome.code, UNTRUSTWORTHY]) if outcome.code != REGRESSION else UNTRUSTWORTHY
    decided = [cell for cell in document["cells"] if cell["verdict"] in ("slower", "faster", "~")]
    outcome.compared = len(decided) if validity["trustworthy"] else 0
    for cell in decided if validity["trustworthy"] else []:
        if cell["verdict"] == "~":
            continue
        where = (f"--maps {cell['map']} --shapes {cell['shape']} --workloads {cell['workload']} --keys {cell['keys']} "
                 f"--n {cell['n']} --hash {cell['hash']} --heap {cell['heap']}")
        low, high = cell["ci95"]
        found = outcome.slower if cell["verdict"] == "slower" else outcome.faster
        found.append(Finding(f"{cell['map']}/{cell['shape']}/{cell['workload']}/{cell['keys']}/n:{cell['n']}",
                             f"{cell['ratio']:.3f} times the time (95 % interval {low:.3f} to {high:.3f}; {cell['processes']} "
                             "processes)", f"build/mapbench compare {base} {new} {where}"))
    equal = [cell["bound_percent"] for cell in decided if cell["verdict"] == "~" and cell["bound_percent"] is not None]
    weak = sum(cell["verdict"] == "underpowered" for cell in document["cells"])
    late = sum(cell["reason"].startswith(NO_TIME) for cell in document.get("not_compared") or [])
    outcome.told = "; ".join(text for text in (
        f"{len(equal)} cells equal within {max(equal):.1f} % at the most" if equal else "",
        f"{len(outcome.faster)} faster" if outcome.faster else "", f"{weak} underpowered" if weak else "",
        f"{late} left out for want of time" if late else "") if text)
    if outcome.code == OK and not outcome.compared:
        outcome.code, outcome.why = NOTHING, "no cell could be decided" + (f": {weak} are underpowered" if weak else "")


def exit_code(document):
    """Returns the exit code that a result file says its command ended with."""
    code = document.get("exit")
    return code if code in WORST_FIRST else CANNOT


# --- runs ---

def lines_of(path):
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise Unreadable(f"it wrote no {path.parent.name}/{path.name}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"its {path.parent.name}/{path.name} cannot be read ({error})") from None


def read_smoke(outcome, out):
    rows = lines_of(out / "smoke" / "rows.jsonl")
    if not rows:
        raise Unreadable("it measured no row")
    for row in rows:
        if row["error"] is not None:
            outcome.wrong.append(Finding(f"{row['map']}/{row['shape']}/{row['workload']}/{row['keys']}/n:{row['n']}", row["error"],
                                         f"build/mapbench run --maps {row['map']} --shapes {row['shape']} --workloads "
                                         f"{row['workload']} --keys {row['keys']} --n {row['n']} --hash {row['hash']}"))
    outcome.told = f"{len(rows)} rows, every checksum as it should be"


def read_retention(outcome, out):
    verdicts = [line for line in lines_of(out / "retention" / "retention.jsonl") if line["label"] == "verdict"]
    judged = [line for line in verdicts if line.get("passed") is not None]
    outcome.compared = len(judged)
    for line in judged:
        if line["passed"]:
            continue
        where = (f" --maps {line['map']}" if line["map"] else "") + f" --heap {line['heap']}"
        outcome.wrong.append(Finding(f"{line['scenario']}/{line['map'] or '-'}/{line['heap']}/n:{line['n']}",
                                     f"{line.get('failed_variant') or line['fixed_variant']} keeps {line['fixed_bytes']:g} bytes, "
                                     f"its bound is {line['bound_bytes']:g}",
                                     f"build/mapbench retain {line['scenario']}{where} --assert"))
    if outcome.code == OK and not judged:
        outcome.code, outcome.why = NOTHING, "no fix was held against its bound"
    outcome.told = f"{len(judged)} fixes held against their bounds"


# --- the ends of commands ---

def code_of_exit(code):
    """Returns what a command's exit code adds to the night. Bad input to a step, or an end that is none of the documented
    codes, means that the step could not do its work."""
    return code if code in WORST_FIRST else CANNOT


def suites_of(path):
    """Returns the testsuites of a JUnit file; Unreadable."""
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        return []
    except (OSError, ElementTree.ParseError) as error:
        raise Unreadable(f"its {path.name} is not JUnit XML ({error})") from None
    return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
