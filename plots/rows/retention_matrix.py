"""The forgiveness matrix: retention amplification of every map in every scenario, worked out without any drawing library."""
import math
from collections import namedtuple

from plots.rows import retention
from plots.rows.numbers import format_bytes

DEEPEST = 1e4  # amplification that gets the darkest ground
NEXT_TO_NOTHING = 8192  # bytes: where nothing is live, so many are the noise of a heap, no retention
MARKS = "abcdefghijklmnopqrstuvwxyz"
# names of the rows, in order, and {(row, scenario): Answer}
Matrix = namedtuple("Matrix", "heap rows scenarios answers")


def matrices(data):
    """Returns a Matrix for each heap on which maps were compared; a real collector's rows belong to its simulation's. A
    matrix of one number is none."""
    found = {}
    for scenario in data.names:
        for subject in data.subjects(scenario):
            if subject.map is not None:
                cells = found.setdefault(retention.family_heap(subject.heap), {})
                cells[retention.map_label(subject), scenario] = data.answer(subject)  # of several n the largest, the last
    out = []
    for heap, answers in found.items():
        scenarios = [s for s in data.names if any(scenario == s for _, scenario in answers)]
        common = in_common(answers, scenarios)
        rows = sorted({name for name, _ in answers}, key=lambda name: forgiving(name, answers, common))
        if sum(shown(answer) is not None for answer in answers.values()) > 1:
            simulated = any(s.heap == heap for scenario in data.names for s in data.subjects(scenario))
            out.append(Matrix(heap if simulated else retention.REAL_HEAP, rows, scenarios, answers))
    return out


def in_common(answers, scenarios):
    """Returns the scenarios with a number for every map that has one at all; without any, all of them. A map must not seem
    to forgive because it cannot express the worst."""
    numbers = {place for place, answer in answers.items() if shown(answer) is not None}
    names = {name for name, _ in numbers}
    return {s for s in scenarios if all((name, s) in numbers for name in names)} or set(scenarios)


def forgiving(name, answers, scenarios):
    """Returns a key that sorts the forgiving first: by the mean logarithm of the amplification; DEEPEST where nothing is
    live."""
    logs = [math.log10(max(1, value)) for value in (shown(a) for (row, s), a in answers.items()
                                                    if row == name and s in scenarios) if value is not None]
    return not logs, sum(logs) / len(logs) if logs else 0, name


def shown(answer):
    """Returns the amplification of an answer; where nothing is live DEEPEST, or 1 if next to nothing is kept; None without
    numbers."""
    if answer.amplification is not None:
        return answer.amplification
    if answer.leaky_bytes is None or answer.live_bytes != 0:
        return None
    return DEEPEST if answer.leaky_bytes > NEXT_TO_NOTHING else 1.0


def shade(value):
    """Returns 0 for 1, 1 for DEEPEST: the logarithm of an amplification."""
    return min(1.0, max(0.0, math.log10(max(value, 1)) / math.log10(DEEPEST)))


def number_text(value):
    """Writes 1.0, 12, 340, 1.2k, 1.0M: an amplification in at most four letters."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit * 0.9995:
            return f"{value / limit:.2g}{unit}" if value < 99.5 * limit else f"{value / limit:.0f}{unit}"
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def cell_text(answer):
    """Returns what a cell says, and its small second line."""
    if answer is None or answer.why_not == retention.NO_LEAKY:
        return "–", ""
    if answer.cannot:
        return "n/a", ""
    if answer.amplification is not None:
        return number_text(answer.amplification), ""
    if answer.why_not:
        return "error", ""
    if answer.live_bytes == 0 and shown(answer) == 1.0:
        return "0", format_bytes(max(0, answer.leaky_bytes))
    if answer.leaky_bytes and answer.leaky_bytes > 0:
        return ("∞" if answer.live_bytes == 0 else "?"), format_bytes(answer.leaky_bytes)
    return "0", ""


def reasons(matrix):
    """Returns {reason: letter} of the cells that have no number because a map cannot express the scenario."""
    found = dict.fromkeys(a.why_not for a in matrix.answers.values() if a.cannot)
    return dict(zip(found, MARKS))
