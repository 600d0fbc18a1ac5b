"""`mapbench history`: results over time, and where they changed. docs/history.md is its manual."""
import argparse
import contextlib
import json
from pathlib import Path

from judge.base.arguments import Parser
from judge.base.common import Refused, need, say
from judge.base.revisions import commit_of
from judge.history import series, show, store
from judge.history.input import read as read_result
from plots.rows.exits import NOTHING, OK


def arguments(argv):
    parser = Parser(prog="mapbench history", description="Results over time, and where they changed.")
    parts = parser.add_subparsers(dest="part", required=True, metavar="add|show|changes|anchor")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--db", metavar="FILE", help="the database [results/history.db]")
    of_cells = argparse.ArgumentParser(add_help=False)
    of_cells.add_argument("cells", nargs="?", metavar="CELL-REGEX", help="only cells whose name matches, such as '^linear/.*/get/'")
    of_cells.add_argument("--metric", metavar="LIST", help="names by commas, or all [ratio,instructions,ns_per_op]")
    of_cells.add_argument("--base", metavar="REV", help="ratios to this commit instead of the anchor")
    add = parts.add_parser("add", parents=[shared], help="stores run folders and what compare --json and gate count --json wrote")
    add.add_argument("sources", nargs="+", metavar="FILE_OR_RUN")
    add.add_argument("--revision", metavar="REV", help="the commit that was measured, where the file does not say it")
    shows = parts.add_parser("show", parents=[shared, of_cells], help="a line per cell, or a figure")
    shows.add_argument("--figure", metavar="FILE", help="draws the series with intervals and changes: .png, .svg or .pdf")
    shows.add_argument("--ascii", action="store_true", help="no Unicode blocks [by the locale]")
    changes = parts.add_parser("changes", parents=[shared, of_cells], help="where series changed for good")
    changes.add_argument("--json", action="store_true", help="as JSON")
    anchor = parts.add_parser("anchor", parents=[shared], help="prints or sets the commit that ratios are to")
    anchor.add_argument("revision", nargs="?", metavar="REVISION")
    return parser.parse_args(argv)


def main(argv):
    options = arguments(argv)
    parts = {"add": add_results, "show": show_series, "changes": show_changes, "anchor": anchor_revision}
    return parts[options.part](options)


@contextlib.contextmanager
def opened(options, create=False):
    """Opens the database; also what SQLite raises while it is read becomes a line for the user."""
    database = store.open(options.db, create)
    try:
        with store.explained(options.db or store.default_path()):
            yield database
    finally:
        database.close()


def add_results(options):
    """Stores all of them or, if one is refused, none."""
    revision = options.revision and commit_of(options.revision)
    results = [read_result(source, revision) for source in options.sources]
    stored = []
    with opened(options, create=True) as database, store.transaction(database):
        stored = [series.add(database, result) for result in results]
    for result, is_new in zip(results, stored):
        values = [*result.raw, *result.ratios, *result.counts]
        left = f"; {result.left_out} without a number left out" if result.left_out else ""
        print(f"{result.source}: " + (f"{len(values)} values of {len({v.cell for v in values})} cells{left}" if is_new
                                      else "was stored before, nothing to do"))
    return OK


def selected(options, database):
    """Returns the series asked for, and what ratios are to. Refused where there are none."""
    base = options.base and commit_of(options.base)
    anchor = store.get_setting(database, store.ANCHOR)
    pattern = series.regex(options.cells)
    found = []
    for metric in series.chosen_metrics(database, options.metric):
        if metric == series.RATIO and not base and not anchor:
            if options.metric != "all" and options.metric:
                raise Refused("no anchor is pinned, so ratios have no base: mapbench history anchor REVISION, or --base REV", NOTHING)
            say("ratios are left out: no anchor is pinned (mapbench history anchor REVISION)")
            continue
        found += series.read(database, metric, pattern, base)
    if not found:
        what = f"no cell of the history matches '{options.cells}'" if options.cells else "the history has no such values"
        raise Refused(f"{what}: mapbench history show --metric all lists what there is", NOTHING)
    return found, show.short(base or anchor)


def show_series(options):
    # before reading, so that a wrong name does not cost the time
    if options.figure and Path(options.figure).suffix not in (".png", ".svg", ".pdf"):
        raise Refused(f"--figure {options.figure}: the name must end in .png, .svg or .pdf")
    with opened(options) as database:
        found, base = selected(options, database)
    if options.figure:
        need("history show --figure", "numpy", "matplotlib")
        from judge.history import figure
        print(figure.draw(found, base, options.figure))
        return OK
    unicode = not options.ascii and show.terminal_takes_unicode()
    print("\n".join(show.show(found, base, show.BLOCKS if unicode else show.ASCII)))
    return OK


def show_changes(options):
    need("history changes", "numpy")
    from judge.history import changes
    with opened(options) as database:
        found, _base = selected(options, database)
    records, few, tested = changes.find_changes(found)
    if options.json:
        print(json.dumps({"schema": 1, "kind": "changes", "level": changes.changepoints.LEVEL,
                          "tested": tested, "too_few_points": sum(map(len, few.values())), "changes": records}, indent=1))
    else:
        print("\n".join(changes.text(records, few, tested)))
    return OK


def anchor_revision(options):
    if options.revision:
        commit = commit_of(options.revision)
        with opened(options, create=True) as database:
            store.set_setting(database, store.ANCHOR, commit)
    with opened(options) as database:
        commit = store.get_setting(database, store.ANCHOR)
    if not commit:
        raise Refused("no anchor is pinned: mapbench history anchor REVISION", NOTHING)
    print(commit)
    return OK
