"""Tests of the exit codes: one list in the program's header, the same numbers in Python, in README.md and in the night's words."""
import pathlib
import re
import unittest

import judge_test_tools  # noqa: F401  (first: it makes judge/ and plots/ importable)

from judge.nightly import steps
from plots.rows import exits

ROOT = pathlib.Path(__file__).resolve().parent.parent


class ExitCodes(unittest.TestCase):
    def test_the_list_is_read_from_the_header(self):
        self.assertEqual(exits.codes("enum exit_code {\n    EXIT_OK = 0,\n    EXIT_CANNOT = 14, /* EXIT_NO = 1 is none */\n};\n"
                                     "enum other { EXIT_LATE = 3 };"), {"OK": 0, "CANNOT": 14})
        self.assertEqual(len(set(exits.CODES.values())), len(exits.CODES))

    def test_python_and_the_readme_have_the_numbers_of_the_header(self):
        table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
        documented = {int(number) for number in re.findall(r"^\| ([0-9]+) \|", table, re.M)}
        self.assertEqual(documented, set(exits.CODES.values()))
        self.assertEqual(exits.UNTRUSTWORTHY, exits.CODES["UNTRUSTWORTHY"])
        self.assertEqual((exits.OK, exits.BAD_INPUT), (0, 2))  # what shells and argparse take them to be

    def test_the_night_has_a_word_for_each_that_a_step_ends_with(self):
        self.assertLessEqual(set(steps.WORST_FIRST), set(exits.CODES.values()))
        self.assertLessEqual(set(steps.WORST_FIRST), set(steps.WORDS))
