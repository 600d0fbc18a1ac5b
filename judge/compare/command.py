"""The command line of compare. Nothing here needs numpy or scipy, so that --help and bad input do not."""
import argparse
import time
from dataclasses import dataclass

from judge.base import selection
from judge.base.arguments import Parser
from judge.base.common import Refused, need, refuse_unwritable, utc_now
from judge.compare.defaults import SELECTION

PROCESSES = 10
PROCESSES_LEAST = 3  # fewer leave no spread to speak of


@dataclass(frozen=True)
class Options:
    """What was asked for. None: not given."""
    base: str
    new: str
    # the selection, as in SELECTION
    maps: str | None
    releases: str | None
    shapes: str | None
    workloads: str | None
    keys: str | None
    n: str | None
    hash: str | None
    heap: str | None
    seed: str | None
    filter: str | None
    processes: int
    budget: float | None  # minutes
    json: str | None
    junit: str | None
    out: str | None
    begin: float  # by time.monotonic(), for the budget: building counts, too
    started: str  # UTC

    def seconds_left(self):
        return None if self.budget is None else max(0.0, self.budget * 60 - (time.monotonic() - self.begin))


def parse(argv):
    parser = Parser(prog="mapbench compare", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
                    description="Compares two revisions, source trees, build folders or maps as a pair; or two stored runs.")
    parser.add_argument("base", metavar="BASE", help="a git revision, a source tree, a build folder, a map, or a stored run")
    parser.add_argument("new", metavar="NEW", help="the same kind of thing")
    selection.add_options(parser, SELECTION)
    parser.add_argument("--processes", type=int, default=PROCESSES, metavar="P", help=f"a look and a cell ({PROCESSES})")
    parser.add_argument("--budget", type=float, metavar="MINUTES",
                        help="for building and measuring; cells for which there is no time are drawn at random and named")
    parser.add_argument("--json", metavar="FILE", help="the verdicts with their numbers")
    parser.add_argument("--junit", metavar="FILE", help="the verdicts for a CI system")
    parser.add_argument("--out", metavar="DIR", help="a folder for all of it, with every process's times")
    options = Options(**vars(parser.parse_args(argv)), begin=time.monotonic(), started=utc_now())
    if options.budget is not None and not options.budget > 0:
        raise Refused(f"--budget {options.budget:g}: minutes above 0 are needed")
    if options.processes < PROCESSES_LEAST:
        raise Refused(f"--processes {options.processes}: at least {PROCESSES_LEAST} are needed for an interval")
    refuse_unwritable(options.json, options.junit)
    return options


def main(argv):
    options = parse(argv)
    need("compare", "numpy", "scipy")
    from judge.compare import compare
    return compare.compare(options)
