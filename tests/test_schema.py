"""Tests that the fields of a run folder are listed once: results/schema.json, which plots/rows reads and results/README.md
describes."""
import pathlib
import re
import unittest

import plot_test_tools  # noqa: F401  (first: it makes plots/ importable)

import synthetic_run
from plots.rows import load, schema
from plots.rows.fields import COUNT, FLAG, LIST, NUMBER, TEXT, BadRun

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "results" / "README.md").read_text(encoding="utf-8")


def described():
    """All words in backticks of the README; `a`, `b` and `a.b` alike."""
    return {word for quoted in re.findall(r"`([^`\n]+)`", README) for word in re.findall(r"\w+", quoted)}


class Fields(unittest.TestCase):
    def test_the_readme_describes_every_field(self):
        for path in (("run",), ("run", "machine"), ("run", "build"), ("run", "keys"), ("row",), ("latency",), ("retention",)):
            lacking = sorted(set(schema.fields(*path)) - described())
            self.assertEqual(lacking, [], path)

    def test_rules_are_those_of_the_schema(self):
        row = schema.fields("row")
        self.assertEqual([row[name] for name in ("kind", "n", "median", "stable", "ci95", "rss_delta", "order")],
                         [(TEXT, False), (COUNT, False), (NUMBER, True), (FLAG, False), (LIST, True), (NUMBER, False), (TEXT, False)])
        self.assertEqual(schema.fields("run", "machine", "caches")["level"], (COUNT, False))
        self.assertEqual(schema.fields("run", "keys")["limit"], (COUNT, True))

    def test_a_reader_knows_every_field_of_a_row(self):
        known = load.ROW_FIELDS.keys() | load.ROW_EXTRA_FIELDS.keys()
        self.assertEqual(known, schema.fields("row").keys())
        self.assertEqual(load.KINDS, tuple(schema.whole()["$defs"]["row"]["properties"]["kind"]["enum"]))
        self.assertLessEqual(set(load.ROW_FIELDS), set(schema.whole()["$defs"]["row"]["required"]))

    def test_a_row_of_any_field_with_a_wrong_type_is_refused(self):
        rows = [row for case in ("hostile", "errors") for row in synthetic_run.CASES[case]()[1]]
        for row in rows:
            load.check_row(row, "here")
        for name, (kind, _null) in schema.fields("row").items():
            if row := next((row for row in rows if row.get(name) is not None), None):
                wrong = "x" if kind != TEXT else 7
                with self.assertRaisesRegex(BadRun, f"'{name}' must be a {kind}"):
                    load.check_row(row | {name: wrong}, "here")
