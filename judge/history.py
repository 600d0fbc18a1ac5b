"""`mapbench history`: results over time, and where they changed. docs/history.md is its manual."""
import argparse
import contextlib
import json
from pathlib import Path

from judge import history_input, history_series, history_show, history_store
from judge.arguments import Parser
from judge.common import NOTHING, OK, Refused, say
from judge.revisions import commit_of


def arguments(argv):
    parser = Parser(prog="mapbench history", description="Results over time, and where they changed.")
    parts = parser.add_subparsers(dest="part", required=True, metavar="add|show|changes|anchor")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--db", metavar="FILE", help="the database [results/history.db]")
    series = argparse.ArgumentParser(add_help=False)
    series.add_argument("cells", nargs="?", metavar="CELL-REGEX", help="only cells whose name matches, such as '^linear/.*/get/'")
    series.add_argument("--metric", metavar="LIST", help="names by commas, or all [ratio,instructions,ns_per_op]")
    series.add_argument("--base", metavar="REV", help="ratios to this commit instead of the anchor")
    add = parts.add_parser("add", parents=[shared], help="stores run folders and what compare --json and gate count --json wrote")
    add.add_argument("sources", nargs="+", metavar="FILE_OR_RUN")
    add.add_argument("--revision", metavar="REV", help="the commit that was measured, where the file does not say it")
    show = parts.add_parser("show", parents=[shared, series], help="a line per cell, or a figure")
    show.add_argument("--figure", metavar="FILE", help="draws the series with intervals and changes: .png, .svg or .pdf")
    show.add_argument("--ascii", action="store_true", help="no Unicode blocks [by the locale]")
    changes = parts.add_parser("changes", parents=[shared, series], help="where series changed for good")
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
    """The database; also what SQLite raises while it is read becomes a line for the user."""
    database = history_store.open(options.db, create)
    try:
        with history_store.explained(options.db or history_store.default_path()):
            yield database
    finally:
        database.close()


def add_results(options):
    """All of them or, if one is refused, none."""
    revision = options.revision and commit_of(options.revision)
    results = [history_input.read(source, revision) for source in options.sources]
    stored = []
    with opened(options, create=True) as database, history_store.transaction(database):
        stored = [history_series.add(database, result) for result in results]
    for result, is_new in zip(results, stored):
        values = [*result.raw, *result.ratios, *result.counts]
        left = f"; {result.left_out} without a number left out" if result.left_out else ""
        print(f"{result.source}: " + (f"{len(values)} values of {len({v.cell for v in values})} cells{left}" if is_new
                                      else "was stored before, nothing to do"))
    return OK


def selected(options, database):
    """The series asked for, and what ratios are to. Refused where there are none."""
    base = options.base and commit_of(options.base)
    anchor = history_store.get_setting(database, history_store.ANCHOR)
    pattern = history_series.regex(options.cells)
    found = []
    for metric in history_series.chosen_metrics(database, options.metric):
        if metric == history_series.RATIO and not base and not anchor:
            if options.metric != "all" and options.metric:
                raise Refused("no anchor is pinned, so ratios have no base: mapbench history anchor REVISION, or --base REV", NOTHING)
            say("ratios are left out: no anchor is pinned (mapbench history anchor REVISION)")
            continue
        found += history_series.read(database, metric, pattern, base)
    if not found:
        what = f"no cell of the history matches '{options.cells}'" if options.cells else "the history has no such values"
        raise Refused(f"{what}: mapbench history show --metric all lists what there is", NOTHING)
    return found, history_show.short(base or anchor)


def show_series(options):
    # before reading, so that a wrong name does not cost the time
    if options.figure and Path(options.figure).suffix not in (".png", ".svg", ".pdf"):
        raise Refused(f"--figure {options.figure}: the name must end in .png, .svg or .pdf")
    with opened(options) as database:
        found, base = selected(options, database)
    if options.figure:
        from judge import history_figure  # matplotlib takes a second to load
        print(history_figure.draw(found, base, options.figure))
        return OK
    unicode = not options.ascii and history_show.terminal_takes_unicode()
    print("\n".join(history_show.show(found, base, history_show.BLOCKS if unicode else history_show.ASCII)))
    return OK


def show_changes(options):
    with opened(options) as database:
        found, _base = selected(options, database)
    records, few, tested = history_show.find_changes(found)
    if options.json:
        print(json.dumps({"schema": 1, "kind": "changes", "level": history_show.changepoints.LEVEL,
                          "tested": tested, "too_few_points": sum(map(len, few.values())), "changes": records}, indent=1))
    else:
        print("\n".join(history_show.changes(records, few, tested)))
    return OK


def anchor_revision(options):
    if options.revision:
        commit = commit_of(options.revision)
        with opened(options, create=True) as database:
            history_store.set_setting(database, history_store.ANCHOR, commit)
    with opened(options) as database:
        commit = history_store.get_setting(database, history_store.ANCHOR)
    if not commit:
        raise Refused("no anchor is pinned: mapbench history anchor REVISION", NOTHING)
    print(commit)
    return OK
