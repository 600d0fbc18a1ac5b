"""The history database: an SQLite file, by default results/history.db.

    database = history_store.open()                  # or open(path); made when it is not there
    history_store.get_setting(database, history_store.LAST_GREEN)
    history_store.set_setting(database, history_store.LAST_GREEN, commit)

The file says that it is ours (PRAGMA application_id) and of which version (PRAGMA user_version). An older one is brought
up to date, step by step, in one transaction, when it is opened. Everything that goes wrong is a Refused with a line
for the user: exit 2 where the file is at fault, 4 where the machine is (disk full, not writable, locked).
"""
import contextlib
import sqlite3
from pathlib import Path

from judge.base.common import Refused, project_root
from plots.rows.exits import BAD_INPUT, CANNOT, NOTHING

APPLICATION_ID = 0x6D617062  # "mapb"
BUSY_SECONDS = 30  # how long a command waits for another that is writing

# Keys of settings: full commit ids.
ANCHOR, LAST_GREEN = "anchor_revision", "last_green_revision"


def results_and_values(database):
    """Makes version 1: where and when something was measured, what, and the values: raw ones and ratios."""
    # Times are UTC, ISO 8601. Of a cell, what is usual is '': threads 1, engine c, order shuffled.
    for statement in (
            "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
            # key: digest of the facts on which a time depends (history_input.MACHINE_KEY), or of a toolchain
            "CREATE TABLE machines (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, facts TEXT NOT NULL)",
            # result_id: digest of the content; with the time, for what is deterministic comes out the same on another night.
            # kind: run, paired, count; revision: commit that was measured, null when not said; trustworthy: 0 when the checks
            # of validity failed
            "CREATE TABLE results (id INTEGER PRIMARY KEY, result_id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
            " revision TEXT, time TEXT NOT NULL, machine INTEGER NOT NULL REFERENCES machines(id),"
            " trustworthy INTEGER NOT NULL, build TEXT NOT NULL, UNIQUE (result_id, time))",
            "CREATE TABLE cells (id INTEGER PRIMARY KEY, map TEXT NOT NULL, shape TEXT NOT NULL, workload TEXT NOT NULL,"
            " keys TEXT NOT NULL, n INTEGER NOT NULL, hash TEXT NOT NULL, heap TEXT NOT NULL, variant TEXT NOT NULL,"
            " UNIQUE (map, shape, workload, keys, n, hash, heap, variant))",
            # low, high: 95 % interval, null where there is none; stable: 0 when the row said not to quote it
            "CREATE TABLE raw_values (result INTEGER NOT NULL REFERENCES results(id), cell INTEGER NOT NULL REFERENCES cells(id),"
            " metric TEXT NOT NULL, value REAL NOT NULL, low REAL, high REAL, stable INTEGER NOT NULL,"
            " PRIMARY KEY (result, cell, metric)) WITHOUT ROWID",
            # ratio: time of the new revision by that of base; to_anchor: base is the anchor that is pinned now
            "CREATE TABLE ratios (result INTEGER NOT NULL REFERENCES results(id), cell INTEGER NOT NULL REFERENCES cells(id),"
            " base TEXT NOT NULL, to_anchor INTEGER NOT NULL, ratio REAL NOT NULL, low REAL, high REAL, verdict TEXT NOT NULL,"
            " PRIMARY KEY (result, cell)) WITHOUT ROWID"):
        database.execute(statement)


def counts_and_order(database):
    """Makes version 2: what the counting gate counts, per operation. With it a night has thousands of values, so that
    series are looked up by cell."""
    for statement in (
            "CREATE TABLE counts (result INTEGER NOT NULL REFERENCES results(id), cell INTEGER NOT NULL REFERENCES cells(id),"
            " what TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (result, cell, what)) WITHOUT ROWID",
            "CREATE INDEX raw_values_by_cell ON raw_values (metric, cell)",
            "CREATE INDEX counts_by_cell ON counts (what, cell)",
            "CREATE INDEX results_by_time ON results (time)"):
        database.execute(statement)


# Step i brings version i to i + 1. A step that was released is never changed: a new one is added.
MIGRATIONS = (results_and_values, counts_and_order)
VERSION = len(MIGRATIONS)


def default_path():
    return project_root() / "results" / "history.db"


def open(path=None, create=True):  # pylint: disable=redefined-builtin
    """Opens the database, an sqlite3.Connection in autocommit mode: write within transaction(). The caller closes it.
    create: an absent file is made; otherwise it is refused with exit 6. The folder of the default path is made."""
    given, path = path, Path(path or default_path())
    if not path.exists() and not create:
        raise Refused(f"there is no history at {path} yet: mapbench history add RUN", NOTHING)
    with explained(path):
        if not given:
            path.parent.mkdir(exist_ok=True)
        database = connect(path)
        try:
            prepare(database, path)
        except BaseException:
            database.close()
            raise
    return database


def connect(path):
    def by_mode(mode):
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)

    if path.is_dir():
        raise Refused(f"{path}: is a folder, not a history database", BAD_INPUT)
    # A database nobody may write is still one to read; SQLite falls back to reading by itself when mode is rw.
    return by_mode("rw" if path.exists() else "rwc")


def prepare(database, path):
    database.execute("PRAGMA foreign_keys = ON")
    version, empty = check(database, path)
    if version < VERSION:
        with transaction(database, path):
            version, empty = check(database, path)  # another process may have been faster
            if empty:
                database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrate(database, version)


def check(database, path):
    """Returns (version, whether the file holds nothing yet); Refused unless it is a whole history of a known version."""
    version = database.execute("PRAGMA user_version").fetchone()[0]
    application = database.execute("PRAGMA application_id").fetchone()[0]
    empty = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION_ID and not (empty and application == 0 and version == 0):
        raise Refused(f"{path}: an SQLite database, but not a history of mapbench: name another file with --db", BAD_INPUT)
    if version > VERSION:
        raise Refused(f"{path}: version {version}, this mapbench knows up to {VERSION}: made by a newer mapbench, update this one",
                      BAD_INPUT)
    damage = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise Refused(damaged(path, damage.splitlines()[-1]), BAD_INPUT)
    return version, empty


def migrate(database, version, target=VERSION):
    """Brings a database of `version` to `target`, within the caller's transaction."""
    for number in range(version, target):
        MIGRATIONS[number](database)
    database.execute(f"PRAGMA user_version = {target}")


@contextlib.contextmanager
def transaction(database, path=None):
    """Writes all of it or nothing. Waits for other writers; begins as a writer, so that two never wait for each other."""
    with explained(path or path_of(database), "; nothing was stored"):
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # SQLite itself rolls back when the disk is full
                database.execute("ROLLBACK")
            raise


def path_of(database):
    return database.execute("PRAGMA database_list").fetchone()[2]


def damaged(path, detail):
    return f"{path}: damaged ({detail}): restore a copy, or remove it and add the runs again"


@contextlib.contextmanager
def explained(path, consequence=""):
    """Turns what SQLite and the file system raise into one line and an exit code."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        advice = {"database or disk is full": "make room and add it again",
                  "disk I/O error": "is there room, and may the file grow?",
                  "unable to open database file": "is the folder there, and may it be written?",
                  "attempt to write a readonly database": "the file or its folder may not be written",
                  "database is locked": f"another mapbench has been writing for {BUSY_SECONDS} s"}
        if text not in advice:
            raise Refused(damaged(path, text), BAD_INPUT) from error
        raise Refused(f"{path}: {text}: {advice[text]}{consequence}", CANNOT) from error
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise Refused(f"{path}: not a history database: name another file with --db", BAD_INPUT) from error
        raise Refused(damaged(path, error), BAD_INPUT) from error
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", CANNOT) from error


def get_setting(database, key, default=None):
    with explained(path_of(database)):
        row = database.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return row[0] if row else default


def set_setting(database, key, value):
    """Stores the text; None removes the key. The pinned anchor also decides which ratios are to the anchor."""
    with contextlib.ExitStack() as stack:
        if not database.in_transaction:
            stack.enter_context(transaction(database))
        if value is None:
            database.execute("DELETE FROM settings WHERE key = ?", (key,))
        else:
            database.execute("INSERT INTO settings VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                             (key, str(value)))
        if key == ANCHOR:
            mark_anchor(database, value)


def mark_anchor(database, anchor):
    database.execute("UPDATE ratios SET to_anchor = 0")
    bases = [row[0] for row in database.execute("SELECT DISTINCT base FROM ratios")]
    database.executemany("UPDATE ratios SET to_anchor = 1 WHERE base = ?", [(b,) for b in bases if same_revision(b, anchor)])


def same_revision(one, other):
    """Tells whether two names mean one commit; either may be shortened, to 7 digits at the least."""
    if not one or not other:
        return False
    shorter = min(len(one), len(other))
    hexadecimal = all(c in "0123456789abcdef" for c in one + other)
    return one == other or hexadecimal and shorter >= 7 and one[:shorter] == other[:shorter]
