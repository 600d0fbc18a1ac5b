"""Results into the history database, and series of one quantity of one cell out of it."""
import json
import re
import statistics
from collections import namedtuple

from judge.base.cells import Cell, map_of, matches
from judge.base.common import Refused
from judge.history import store
from plots.rows.exits import NOTHING

RATIO = "ratio"
# Shown unless --metric says otherwise, as far as there are any: the first that judges, the one that counts, the one in ns.
USUAL = (RATIO, "instructions", "ns_per_op")
LAST = 10  # points that the newest is held against

# revision: commit or None; stable: may be quoted, and from a comparison that was to be trusted
Point = namedtuple("Point", "time revision value low high stable verdict")
# machine: (key, facts) of where the values are from; base: commit that ratios are to, else None
Series = namedtuple("Series", "cell metric machine base points")


# --- in -------------------------------------------------------------------------------------------------------------

def known(database, result):
    return database.execute("SELECT 1 FROM results WHERE result_id = ? AND time = ?", (result.result_id, result.time)).fetchone() is not None


def add(database, result):
    """Stores a Result within the caller's transaction. False: it was there already, and nothing was done."""
    if known(database, result):
        return False
    key, facts = result.machine
    database.execute("INSERT INTO machines (key, facts) VALUES (?, ?) ON CONFLICT(key) DO NOTHING", (key, facts))
    machine = database.execute("SELECT id FROM machines WHERE key = ?", (key,)).fetchone()[0]
    number = database.execute(
        "INSERT INTO results (result_id, kind, name, revision, time, machine, trustworthy, build) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (result.result_id, result.kind, result.name, result.revision, result.time, machine, result.trustworthy,
         result.build)).lastrowid
    cells = {}
    for value in (*result.raw, *result.ratios, *result.counts):
        if value.cell not in cells:
            cells[value.cell] = cell_number(database, value.cell)
    anchor = store.get_setting(database, store.ANCHOR)
    database.executemany("INSERT INTO raw_values VALUES (?, ?, ?, ?, ?, ?, ?)",
                         [(number, cells[v.cell], v.metric, v.value, v.low, v.high, v.stable) for v in result.raw])
    database.executemany("INSERT INTO ratios VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                         [(number, cells[v.cell], v.base, store.same_revision(v.base, anchor), v.ratio, v.low, v.high,
                           v.verdict) for v in result.ratios])
    database.executemany("INSERT INTO counts VALUES (?, ?, ?, ?)", [(number, cells[v.cell], v.what, v.value) for v in result.counts])
    return True


def cell_number(database, cell):
    names = " AND ".join(f"{name} = ?" for name in Cell._fields)
    found = database.execute(f"SELECT id FROM cells WHERE {names}", cell).fetchone()
    marks = ", ".join("?" * len(cell))
    return found[0] if found else database.execute(
        f"INSERT INTO cells ({', '.join(Cell._fields)}) VALUES ({marks})", cell).lastrowid


# --- out ------------------------------------------------------------------------------------------------------------

VALUES = f"""
    SELECT v.metric, v.base, v.value, v.low, v.high, v.stable AND r.trustworthy, v.verdict, r.time, r.revision, m.key, m.facts,
           {', '.join('c.' + name for name in Cell._fields)}
    FROM (SELECT result, cell, metric, NULL AS base, value, low, high, stable, '' AS verdict FROM raw_values
          UNION ALL SELECT result, cell, what, NULL, value, NULL, NULL, 1, '' FROM counts
          UNION ALL SELECT result, cell, '{RATIO}', base, ratio, low, high, 1, verdict FROM ratios WHERE to_anchor OR ? != '') v
    JOIN results r ON r.id = v.result JOIN machines m ON m.id = r.machine JOIN cells c ON c.id = v.cell
    WHERE v.metric = ? ORDER BY r.time, r.id"""


def metrics(database):
    """Returns names of all that there are values of, ratios first."""
    names = [row[0] for row in database.execute("SELECT DISTINCT metric FROM raw_values UNION SELECT DISTINCT what FROM counts")]
    has_ratios = database.execute("SELECT 1 FROM ratios LIMIT 1").fetchone()
    return ([RATIO] if has_ratios else []) + sorted(names)


def chosen_metrics(database, asked):
    """Returns the metrics that --metric asks for: names by commas, 'all', or None. Refused where one has no values."""
    there = metrics(database)
    if not there:
        raise Refused(f"{store.path_of(database)}: the history is empty: mapbench history add RUN", NOTHING)
    if asked == "all":
        return there
    if asked is None:
        return [name for name in USUAL if name in there] or there
    for name in asked.split(","):
        if name not in there:
            raise Refused(f"the history has no values of '{name}'; it has {', '.join(there)}", NOTHING)
    return list(dict.fromkeys(asked.split(",")))


def read(database, metric, pattern=None, base=None):
    """Returns the series of a metric whose cell matches the regular expression, [Series], by machine and cell. Ratios: to
    the pinned anchor, or to `base`, a commit."""
    found = {}
    for row in database.execute(VALUES, (base or "", metric)):
        name, row_base, value, low, high, stable, verdict, time, revision, key, facts, *cell = row
        if name == RATIO and base and not store.same_revision(row_base, base):
            continue
        cell = Cell(map_of(cell[0]), *cell[1:])
        if pattern is not None and not matches(pattern, cell):
            continue
        series = found.setdefault((key, cell), Series(cell, metric, (key, json.loads(facts)), row_base, []))
        series.points.append(Point(time, revision, value, low, high, bool(stable), verdict))
    return [found[place] for place in sorted(found)]


def regex(text):
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise Refused(f"'{text[:60]}' is not a regular expression: {error}") from None


def change_of_last(series):
    """Returns the newest point against the median of up to LAST points before it, per cent; None with fewer than 3 of
    them."""
    before = [p.value for p in series.points[-LAST - 1:-1]]
    middle = statistics.median(before) if len(before) >= 3 else 0
    return (series.points[-1].value / middle - 1) * 100 if middle else None
