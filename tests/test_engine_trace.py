"""Random scripts on the maps of real Go and on the ports, release by release: every row and digest is the same."""
import os
import random
import unittest
from pathlib import Path

import trace_scripts

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("MAPBENCH_BUILD", "build")
ENGINES = Path(os.environ.get("MAPBENCH_ENGINES") or BUILD / "engines")
SEED = int(os.environ.get("TRACE_SEED", "1"))
SCRIPTS = 30  # of each program and assignment
PORTS = {"go1.27": "go_swiss@1.27", "go1.26": "go_swiss@1.26", "go1.25": "go_swiss@1.25", "go1.24": "go_swiss@1.24",
         "go1.24-classic": "go_hmap", "go1.23": "go_hmap"}


class Traces(unittest.TestCase):
    def need(self, program):
        if not (ENGINES / program).exists():
            self.skipTest(f"no real-Go engine {program}: make engines")

    def compare(self, program):
        self.need(program)
        port = PORTS[program]
        swiss = port.startswith("go_swiss")
        for assign in ("fast", "pointer", "generic") if swiss else ("fast",):
            draw = random.Random(f"{SEED} {port} {assign}")
            # A clone of 1.24 draws a seed that nobody knows.
            scripts = [trace_scripts.random_script(draw, assign, swiss and program != "go1.24", 64 if swiss else 32)
                       for _ in range(SCRIPTS)]
            scripts.append(trace_scripts.Script(assign, draw.getrandbits(32), "digest", "insert 0..699; slide 700 300000"))
            print(f"{program}, {port} {assign}: TRACE_SEED={SEED}")
            different = list(trace_scripts.differing(BUILD / "mapbench", port, ENGINES / program, scripts))
            self.assertEqual(different, [], "(script, line, port's, original's)")

    def test_other_rules_do_not_pass(self):
        self.need("go1.27")
        draw = random.Random(SEED)
        scripts = [trace_scripts.random_script(draw, "pointer", False, 64) for _ in range(SCRIPTS)]
        for other in "1.24", "1.26":
            self.assertTrue(list(trace_scripts.differing(BUILD / "mapbench", f"go_swiss@{other}", ENGINES / "go1.27", scripts)), other)

    def test_go127(self):
        self.compare("go1.27")

    def test_go126(self):
        self.compare("go1.26")

    def test_go125(self):
        self.compare("go1.25")

    def test_go124(self):
        self.compare("go1.24")

    def test_go124_classic(self):
        self.compare("go1.24-classic")

    def test_go123(self):
        self.compare("go1.23")


if __name__ == "__main__":
    unittest.main()
