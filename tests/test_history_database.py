"""Tests of the history database: older, newer, damaged and foreign files, full disks, writers at the same time."""
import contextlib
import pathlib
import resource
import sqlite3
import subprocess
import sys
import unittest

from history_tools import COMMITS, NOBODY, ROOT, Scratch, counted

from judge.base.common import Refused
from judge.history import input as history_input, series as history_series, store as history_store


class Database(Scratch):
    def old(self, statements=""):
        database = sqlite3.connect(self.db)
        with contextlib.closing(database):
            database.executescript((ROOT / "tests/fixtures/history_v1.sql").read_text(encoding="utf-8") + statements)

    def schema(self, path):
        database = sqlite3.connect(path)
        with contextlib.closing(database):
            return sorted(row for row in database.execute("SELECT type, name, sql FROM sqlite_master") if row[2])

    def test_an_older_one_is_brought_up_to_date(self):
        self.old()
        before = self.rows("SELECT * FROM raw_values"), self.rows("SELECT * FROM ratios"), self.rows("SELECT * FROM results")
        self.assertRegex(self.history("show", "--metric", "ns_per_op"), r"linear/.* 11\.500? +! .* 2\n")
        self.assertEqual((self.rows("SELECT * FROM raw_values"), self.rows("SELECT * FROM ratios"), self.rows("SELECT * FROM results")), before)
        self.assertEqual(self.rows("PRAGMA user_version"), [(history_store.VERSION,)])
        history_store.open(self.folder / "new.db").close()
        self.assertEqual(self.schema(self.db), self.schema(self.folder / "new.db"))
        self.history("add", self.file("count.json", counted(COMMITS[1], 43.25)))
        self.assertEqual(self.rows("SELECT count(*) FROM counts"), [(2,)])

    def test_a_migration_that_fails_changes_nothing(self):
        self.old("CREATE TABLE counts (x);")
        before = self.schema(self.db)
        self.refused(2, "damaged", "show")
        self.assertEqual(self.schema(self.db), before)
        self.assertEqual(self.rows("PRAGMA user_version"), [(1,)])

    def test_files_that_are_no_history(self):
        run = self.run_folder()
        self.db.write_text("not a database, but a text that is long enough to have a header\n" * 40)
        self.refused(2, "not a history database", "add", run)
        self.refused(2, "not a history database", "show")
        self.db.unlink()
        with contextlib.closing(sqlite3.connect(self.db)) as database:
            database.execute("CREATE TABLE bookmarks (x)")
        self.refused(2, "not a history of mapbench", "add", run)
        self.assertEqual(self.rows("SELECT name FROM sqlite_master"), [("bookmarks",)])
        self.db.unlink()
        self.db.mkdir()
        self.refused(2, "is a folder", "add", run)

    def test_a_newer_one(self):
        self.old("PRAGMA user_version = 99;")
        self.refused(2, "version 99, this mapbench knows up to .* newer mapbench", "show")
        self.refused(2, "newer mapbench", "add", self.run_folder())

    def test_a_truncated_one(self):
        self.history("add", self.run_folder(case="quick"))
        whole = self.db.read_bytes()
        for size in (50, 5000, len(whole) // 2, len(whole) - 4096):
            self.db.write_bytes(whole[:size])
            self.refused(2, "damaged|not a history database", "show")
        self.db.write_bytes(whole)
        self.history("show")

    def test_a_full_disk_leaves_what_was_there(self):
        self.history("add", self.run_folder("a"))
        before = self.rows("SELECT * FROM results"), self.rows("SELECT count(*) FROM raw_values"), self.rows("SELECT count(*) FROM cells")
        big = history_input.read(self.run_folder("b", case="quick"))
        with contextlib.closing(history_store.open(self.db)) as database:
            pages = database.execute("PRAGMA page_count").fetchone()[0]
            database.execute(f"PRAGMA max_page_count = {pages + 2}")
            with self.assertRaisesRegex(Refused, "disk is full.*nothing was stored") as caught, history_store.transaction(database):
                history_series.add(database, big)
            self.assertEqual(caught.exception.code, 4)
        self.assertEqual((self.rows("SELECT * FROM results"), self.rows("SELECT count(*) FROM raw_values"),
                          self.rows("SELECT count(*) FROM cells")), before)

    def command(self, *words, limit=None):
        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return subprocess.Popen([sys.executable, "-B", "-m", "judge", "history", *map(str, words), "--db", self.db], cwd=ROOT,
                                preexec_fn=limited if limit else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_a_file_that_may_not_grow(self):
        self.history("add", self.run_folder("a"))
        before = self.rows("SELECT * FROM results")
        child = self.command("add", self.run_folder("b", case="quick"), limit=self.db.stat().st_size + 4096)
        _out, err = child.communicate()
        self.assertEqual(child.returncode, 4, err)
        self.assertRegex(err, r"^mapbench: .*nothing was stored\n$")
        self.assertEqual(self.rows("SELECT * FROM results"), before)
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])

    def test_where_nothing_can_be_written(self):
        self.db = pathlib.Path("/proc/history.db")
        self.refused(4, "may it be written", "add", self.run_folder())
        self.db = self.folder / "history.db"
        with contextlib.closing(history_store.open(self.db)) as database:
            database.execute("PRAGMA query_only = ON")
            with self.assertRaisesRegex(Refused, "may not be written; nothing was stored") as caught:
                history_store.set_setting(database, "key", "value")
            self.assertEqual(caught.exception.code, 4)

    def test_two_at_once(self):
        runs = [self.run_folder(f"r{i}", i, 1 + i / 100, case="quick") for i in range(4)]
        children = [self.command("add", *some) for some in (runs[:3], runs[1:])]
        for child in children:
            _out, err = child.communicate()
            self.assertEqual(child.returncode, 0, err)
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT result_id) FROM results"), [(4, 4)])
        each = self.rows("SELECT count(*) FROM raw_values GROUP BY result")
        self.assertEqual(len(each), 4)
        self.assertEqual(len(set(each)), 1)

    def test_settings(self):
        with contextlib.closing(history_store.open(self.db)) as database:
            self.assertIsNone(history_store.get_setting(database, history_store.LAST_GREEN))
            self.assertEqual(history_store.get_setting(database, "x", "usual"), "usual")
            for value in ("1", "2"):
                history_store.set_setting(database, history_store.LAST_GREEN, value)
                self.assertEqual(history_store.get_setting(database, history_store.LAST_GREEN), value)
            history_store.set_setting(database, history_store.LAST_GREEN, None)
            self.assertIsNone(history_store.get_setting(database, history_store.LAST_GREEN))

    def test_same_revision(self):
        same = history_store.same_revision
        self.assertTrue(same(NOBODY, NOBODY[:7]) and same("abc1234", "abc1234") and same(COMMITS[0][:12], COMMITS[0]))
        self.assertFalse(same(NOBODY, NOBODY[:6]) or same(COMMITS[0], COMMITS[1]) or same(None, NOBODY) or same("", "")
                         or same(NOBODY, f"{NOBODY}-dirty"))


if __name__ == "__main__":
    unittest.main()
