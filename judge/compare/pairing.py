"""Runs the worker processes of a comparison: fresh ones, those of all cells and of the validity checks in one random
order, so that whatever drifts on the machine hits all alike."""
import json
import math
import subprocess
import time
from dataclasses import dataclass, field

import numpy

from judge.base.common import Refused, say
from judge.compare import paired
from judge.compare.verdict import Series
from plots.rows.exits import BAD_INPUT, CANNOT, FAILED
from plots.rows.numbers import size_text

CELL, AA, CONTROL, RELINK = "cell", "aa", "control", "relink"
CONTROL_PERCENT = 5.0
FIRST_LOOK_SHARE = 0.75  # share of a budget: the rest is for second looks and confirmations
RELINK_SHARE = 0.5  # share of the processes, for the moved code of an alarm: only a difference that is significant counts there
CONFIRMED_WITH_MOVED_CODE = 1 + RELINK_SHARE  # times an alarm's processes: as many fresh ones, and those of the moved code
TRY_SHARE = 0.15  # share of a budget, for finding out what a cell takes
WORKER_SECONDS_MOST = 600  # a loop of a broken map may never end
SAY_EVERY_SECONDS = 15

BATCH_US = 250  # a busy machine preempts a quarter of those of 1 ms, and each takes its neighbours with it (docs/method.md)


# Rounds of a process, each with code and memory placed anew. What a placement does to a time stays for the whole round,
# so many short rounds say more than a few long ones; but every round builds both maps.
ROUNDS_MOST, ROUNDS_LEAST, ENTRIES_BUILT = 24, 3, 1_200_000
BATCHES_OF_ALL_ROUNDS, BATCHES_LEAST = 288, 16  # numbers for each variant


def rounds_of(n):
    """Returns (placements, batches per variant and round) of a process that compares maps of n entries."""
    rounds = min(ROUNDS_MOST, max(ROUNDS_LEAST, ENTRIES_BUILT // n))
    return ["free"] + [("shake", "rebuild")[i % 2] for i in range(rounds - 1)], max(BATCHES_LEAST, BATCHES_OF_ALL_ROUNDS // rounds)


@dataclass(frozen=True)
class Cell:
    """What is compared; the units may differ in everything but the shape."""
    map: str
    base_map: str
    shape: str
    workload: str
    keys: str
    n: int
    hash: str
    base_hash: str
    heap: str

    @property
    def base_unit(self):
        return f"{self.base_map}-{self.shape}-{self.base_hash}-{self.heap}"

    @property
    def new_unit(self):
        return f"{self.map}-{self.shape}-{self.hash}-{self.heap}"

    @property
    def name(self):
        """Returns the name as in the cells that --filter sees, with hash and heap where they are not the usual ones."""
        maps = self.map if self.map == self.base_map else f"{self.base_map}:{self.map}"
        extra = "".join(f"/{word}" for word, usual in ((self.hash, "common"), (self.heap, "malloc")) if word != usual)
        return f"{maps}/{self.shape}/{self.workload}/{self.keys}/n:{size_text(self.n)}{extra}"


@dataclass(eq=False)
class Measurement:
    """A series of processes: CellSeries or CheckSeries. Both have a role, the name under which its times are stored, the unit
    of NEW, and may_alarm: whether a difference is looked into, and confirmed by fresh processes."""
    cell: Cell
    base_files: list  # the same code at several places within a page, as many on either side
    new_files: list
    series: Series = field(default_factory=Series, kw_only=True)
    outputs: list = field(default_factory=list, kw_only=True)  # objects that the workers printed, in order
    extra_percent: float = field(default=0.0, kw_only=True)  # more work for NEW

    def arguments(self, seed):
        cell = self.cell
        placements, batches = rounds_of(cell.n)
        files = [word for option, given in (("--base", self.base_files), ("--new", self.new_files))
                 for i in range(len(given)) for word in (option, str(given[(seed + i) % len(given)]))]
        return ["pair-worker", *files, "--base-unit", cell.base_unit,
                "--new-unit", self.new_unit, "--workload", cell.workload, "--keys", cell.keys, "--n", str(cell.n),
                "--seed", str(seed), "--extra-percent", f"{self.extra_percent:g}",
                "--batches", str(batches), "--batch-us", str(BATCH_US), "--placements", ",".join(placements)]

    def take(self, into, output, seconds):
        into.append(paired.process_value(output["rounds"]))
        self.outputs.append(output)
        self.series.seconds += seconds

    def shape_of_process(self):
        """Returns (rounds, batches per variant and round) of each process."""
        rounds = self.outputs[0]["rounds"]
        return len(rounds), len(rounds[0]["ns_per_op"]) // 2


class CellSeries(Measurement):
    """A cell: BASE's unit against NEW's."""
    role = CELL
    may_alarm = True

    @property
    def new_unit(self):
        return self.cell.new_unit

    def raise_floor(self, percent):
        """Lets no smaller difference of this cell be called one from here on."""
        self.series.floor_percent = max(self.series.floor_percent, percent)


@dataclass(eq=False)
class CheckSeries(Measurement):
    """A check of validity on a cell: BASE's unit against itself. Without the checks nothing counts: they take the time they
    need."""
    role: str
    series: Series = field(default_factory=lambda: Series(seconds_most=math.inf), kw_only=True)

    @property
    def new_unit(self):
        return self.cell.base_unit

    @property
    def raises_floor(self):
        """Tells whether what it finds becomes a floor: moved code may differ, and is no fault of the machine."""
        return self.role == RELINK

    @property
    def may_alarm(self):
        return not self.raises_floor


class Worker:
    """Starts `mapbench pair-worker`, one process a call."""

    def __init__(self, program):
        self.program = [str(word) for word in program]

    def __call__(self, measurement, seed):
        command = self.program + measurement.arguments(seed)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=WORKER_SECONDS_MOST, check=False)
        except subprocess.TimeoutExpired:
            raise Refused(f"{measurement.cell.name}: a worker did not end within {WORKER_SECONDS_MOST} s: choose a "
                          "smaller --n", CANNOT) from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            why = lines[-1].removeprefix("mapbench: ") if lines else f"the worker ended with status {done.returncode}"
            code = done.returncode if done.returncode in (FAILED, BAD_INPUT, CANNOT) else CANNOT
            raise Refused(f"{measurement.cell.name}: {why}", code)
        try:
            return checked(json.loads(done.stdout))
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"{measurement.cell.name}: the worker printed something else than its JSON ({error})",
                          CANNOT) from error


def checked(output):
    """Returns the worker's object, once it has what the statistics need."""
    if output["abi"] != 1:
        raise ValueError(f"abi {output['abi']}, known is 1")
    if not output["rounds"]:
        raise ValueError("no rounds")
    for r in output["rounds"]:
        if r["starts"] not in ("base", "new") or len(r["ns_per_op"]) != len(r["preempted"]) or len(r["ns_per_op"]) < 3:
            raise ValueError("a round is incomplete")
    return output


class Runner:
    """Runs stages of processes. worker(measurement, seed) -> the worker's object. log: called with every output."""

    def __init__(self, worker, seed, log=None, quiet=False):
        self.worker, self.log, self.quiet = worker, log, quiet
        self.streams = numpy.random.SeedSequence(seed)

    def random(self):
        return numpy.random.default_rng(self.streams.spawn(1)[0])

    def run(self, stage, wanted):
        """Runs what is wanted, in random order, all interleaved. wanted: (measurement, the list its values go to, how many
        processes)."""
        random = self.random()
        queue = [(m, into) for m, into, count in wanted for _ in range(count)]
        seeds = random.integers(1, 2**31, size=len(queue))
        begin = said = time.monotonic()
        for done, at in enumerate(random.permutation(len(queue))):
            measurement, into = queue[at]
            start = time.monotonic()
            if not self.quiet and start - said > SAY_EVERY_SECONDS:
                said = start
                left = (start - begin) / done * (len(queue) - done)
                say(f"{stage}: {done} of {len(queue)} processes, about {left:.0f} s left")
            output = self.worker(measurement, int(seeds[at]))
            # a simulation says itself how long it would have taken
            measurement.take(into, output, output.get("simulated_s", time.monotonic() - start))
            if self.log:
                self.log(measurement, output)


def measure(runner, cells, checks, processes, relink_of=None, budget_s=None):
    """Measures a whole comparison: looks, further looks, confirmations (judge/compare/verdict.py says the rule).

    cells: CellSeries, checks: CheckSeries; those that raise the floor raise it for all cells. relink_of(measurement): a
    further such check on the unit of an alarmed cell, or None. budget_s: seconds for all processes; cells for which there is
    no time are drawn at random and returned, with one process at most, and so are those that alarmed too late to be
    confirmed."""
    left_out = [] if budget_s is None else without_time(runner, cells, checks, processes, budget_s)
    cells = [m for m in cells if m not in left_out]
    everything = checks + cells  # without the checks nothing counts: what time is left is theirs first

    def left_s():
        return math.inf if budget_s is None else budget_s - sum(m.series.seconds for m in everything + left_out)

    runner.run("first look", [(m, m.series.first, processes - len(m.series.first)) for m in everything])
    for m in cells:
        m.raise_floor(relink_floor_percent(checks))
    for m in everything:
        m.series.look()
    again = within([m for m in everything if m.may_alarm and m.series.unclear()], left_s() / 2)
    runner.run("second look", [(m, m.series.first, processes) for m in again])
    for m in again:
        m.series.looks += 1
        m.series.look()
    alarmed_checks = [m for m in checks if m.may_alarm and m.series.alarmed]
    alarmed = [m for m in cells if m.series.alarmed]
    confirming = in_time(alarmed, left_s() - sum(m.series.seconds for m in alarmed_checks), relink_of)
    confirm_alarms(runner, alarmed_checks, confirming, processes, relink_of)
    return left_out + [m for m in alarmed if m not in confirming]


def within(measured, seconds, times=1.0):
    """Returns as many, in their order, as can run `times` as long again as they did."""
    kept = []
    for m in measured:
        seconds -= times * m.series.seconds
        if seconds >= 0:
            kept.append(m)
    return kept


def in_time(alarmed, seconds, relink_of):
    """Returns the cells whose alarm can be confirmed, slower ones and the clearest first. One at the least: a comparison in
    which much became slower must not pass for want of time."""
    def doubt(m):
        p = paired.p_greater(paired.estimate(m.series.first))
        return p if m.series.alarmed > 0 else 2 - p
    cells = sorted(alarmed, key=doubt)
    return within(cells, seconds, CONFIRMED_WITH_MOVED_CODE if relink_of else 1) or cells[:1]


def without_time(runner, cells, checks, processes, budget_s):
    """Returns the cells, in random order, for whose first look there is no time beside the checks; one process of each says
    what it takes, as long as those take no more than their share."""
    runner.run("one process of each check", [(m, m.series.first, 1) for m in checks])
    left_s = FIRST_LOOK_SHARE * budget_s - sum(m.series.seconds * processes for m in checks)
    tried_s, left_out = 0.0, []
    for at in runner.random().permutation(len(cells)):
        m = cells[at]
        if tried_s <= TRY_SHARE * budget_s:
            runner.run("trying", [(m, m.series.first, 1)])
        tried_s += m.series.seconds
        cost_s = m.series.seconds * processes
        if not m.series.first or cost_s > left_s:
            left_out.append(m)
            cost_s = m.series.seconds
        left_s -= cost_s
    return left_out


def confirm_alarms(runner, checks, cells, processes, relink_of):
    moved = [(m, check) for m in cells if (check := relink_of(m) if relink_of else None)]
    runner.run("confirming", [(m, m.series.confirming, len(m.series.first)) for m in checks + cells]
               + [(check, check.series.first, max(2, int(RELINK_SHARE * processes))) for _, check in moved])
    for m, check in moved:
        m.raise_floor(relink_floor_percent([check]))
        m.series.seconds += check.series.seconds


def relink_floor_percent(checks):
    """Returns the largest difference that moving the same code made; what cannot be told from none counts as none."""
    floor = 0.0
    for check in checks:
        e = paired.estimate(check.series.first) if check.raises_floor else None
        if e and abs(e.mean) > e.reach:
            floor = max(floor, 100 * abs(paired.ratio(e) - 1))
    return floor
