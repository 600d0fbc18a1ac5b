"""The counting gate without a program to count: baselines that are broken, verdicts at the edges of the tolerances, dumps
of callgrind, exit codes."""
import copy
import json
import pathlib
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from judge.gate import baseline, callgrind, counting, gate  # noqa: E402
from judge.gate.baseline import EXACT, FEWER, MISSING, MORE, NEW, OTHER_VERSIONS, SAME, SAME_TOOLCHAIN  # noqa: E402
from judge.base.common import Refused  # noqa: E402
from plots.rows.exits import CANNOT, NOTHING, OK, REGRESSION  # noqa: E402

TOOLS = {"arch": "x86_64", "cc": "gcc (Debian 12.2.0-14) 12.2.0", "cxx": "g++ (Debian 12.2.0-14) 12.2.0", "unit_flags": "-O3",
         "libc": "Debian GLIBC 2.36-9", "libstdcxx": "libstdc++.so.6.0.30", "valgrind": "valgrind-3.19.0", "caches": "c", "tunables": "t"}
COUNTS = {"instructions": 30000, "data_reads": 5000, "data_writes": 1000, "d1_misses": 2000, "ll_misses": 100, "mispredicts": 500,
          "allocations": 3, "bytes": 4096, "array_bytes": 4000, "capacity": 2048, "tombstones": 0, "probe_max": 7, "probe_mean": 1.25}


def cell(map_name="linear", **counts):
    return {"map": map_name, "shape": "u64_u64", "workload": "get", "keys": "uniform", "n": 1000, "hash": "common", "heap": "malloc",
            "seed": 1, "ops": 1000, "segments": 1, "checksum": "0x01", "counts": {**COUNTS, **counts}}


class Scratch(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.path = pathlib.Path(self.scratch.name) / "count.json"

    def save(self, *cells):
        baseline.save(self.path, TOOLS, 1, {baseline.key_of(one): baseline.stored(one) for one in cells})
        return baseline.load(self.path)


class File(Scratch):
    def test_what_is_saved_is_loaded(self):
        found = self.save(cell("robin_hood"), cell())
        self.assertEqual(found["toolchain"], TOOLS)
        self.assertEqual(found["cells"][baseline.key_of(cell())], baseline.stored(cell()))
        lines = self.path.read_text(encoding="utf-8").splitlines()
        cells = [line for line in lines if "/uniform/" in line]
        self.assertEqual(len(cells), 2, "a line a cell")
        self.assertEqual(cells, sorted(cells))

    def refused(self, change, pattern):
        found = self.save(cell())
        change(found)
        self.path.write_text(json.dumps(found), encoding="utf-8")
        with self.assertRaisesRegex(Refused, pattern) as caught:
            baseline.load(self.path)
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn(caught.exception.code, (2, 4))

    def test_every_broken_file_is_refused(self):
        key = baseline.key_of(cell())
        for change, pattern in (
                (lambda b: b.update(schema=2), "schema 2"), (lambda b: b.update(kind="paired"), "not a baseline"),
                (lambda b: b.update(cells={}), "no cells"), (lambda b: b.update(cells=[]), "no cells"),
                (lambda b: b.pop("cells"), "no cells"), (lambda b: b.pop("seed"), "no seed"), (lambda b: b.update(seed=True), "no seed"),
                (lambda b: b.pop("toolchain"), "toolchain"), (lambda b: b["toolchain"].pop("valgrind"), "toolchain"),
                (lambda b: b["toolchain"].update(libc=7), "toolchain"),
                (lambda b: b["cells"].update(nonsense={}), "names no cell"), (lambda b: b["cells"].update({key: 7}), "no checksum"),
                (lambda b: b["cells"][key].pop("checksum"), "no checksum"), (lambda b: b["cells"][key].pop("bytes"), "no bytes"),
                (lambda b: b["cells"][key].update(instructions="30000"), "instructions is '30000'"),
                (lambda b: b["cells"][key].update(instructions=True), "instructions is True"),
                (lambda b: b["cells"][key].update(instructions=-1), "instructions is -1"),
                (lambda b: b["cells"][key].update(probe_mean=float("nan")), "probe_mean is nan"),
                (lambda b: b["cells"][key].update(ops=0), "no operations"), (lambda b: b["cells"][key].update(cycles=1), "cycles")):
            with self.subTest(pattern):
                self.refused(change, pattern)

    def test_every_torn_file_is_refused(self):
        self.save(cell())
        whole = self.path.read_bytes().rstrip()
        for length in range(0, len(whole), 37):
            self.path.write_bytes(whole[:length])
            with self.assertRaises(Refused):
                baseline.load(self.path)
        for text in (b"\xff\xfe\x00", b"[" * 100000, b"null", b"[]", b'"kind"'):
            self.path.write_bytes(text)
            with self.assertRaises(Refused):
                baseline.load(self.path)
        self.path.unlink()
        with self.assertRaisesRegex(Refused, "--update"):
            baseline.load(self.path)

    def test_maps_that_were_renamed(self):
        self.assertEqual(list(self.save(cell("go_hmap_load6"))["cells"]), [baseline.key_of(cell("go_hmap@1.21"))])

    def test_key_streams_with_slashes(self):
        one = {**cell(), "keys": "file:/usr/share/dict/words"}
        self.assertEqual(baseline.split_key(baseline.key_of(one)), {word: one[word] for word in baseline.KEY_WORDS})


class Verdicts(unittest.TestCase):
    def verdict(self, allowed, **counts):
        return baseline.compare_cell(baseline.stored(cell()), cell(**counts), allowed)[0]

    def test_one_instruction_in_all_is_more(self):
        for allowed in (EXACT, SAME_TOOLCHAIN):
            for name in ("instructions", "data_reads", "data_writes", "allocations", "bytes", "probe_max", "capacity", "tombstones"):
                self.assertEqual(self.verdict(allowed, **{name: COUNTS[name] + 1}), MORE, name)
                if COUNTS[name]:
                    self.assertEqual(self.verdict(allowed, **{name: COUNTS[name] - 1}), FEWER, name)
        self.assertEqual(self.verdict(SAME_TOOLCHAIN), SAME)
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, probe_mean=1.2501), MORE)

    def test_simulated_counts_may_move_a_little(self):
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, d1_misses=2040), SAME)  # 2 %
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, d1_misses=2041), MORE)
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, d1_misses=1959), FEWER)
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, ll_misses=110), SAME)  # 0.01 per operation
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, ll_misses=111), MORE)
        self.assertEqual(self.verdict(EXACT, d1_misses=2001), MORE)
        # The linker places them.
        self.assertEqual(self.verdict(SAME_TOOLCHAIN, mispredicts=9000), SAME)
        self.assertEqual(self.verdict(EXACT, mispredicts=501), MORE)

    def test_other_versions(self):
        self.assertEqual(self.verdict(OTHER_VERSIONS, instructions=30900), SAME)
        self.assertEqual(self.verdict(OTHER_VERSIONS, instructions=30901), MORE)
        self.assertEqual(self.verdict(OTHER_VERSIONS, d1_misses=2200), SAME)
        self.assertEqual(self.verdict(OTHER_VERSIONS, d1_misses=2201), MORE)

    def test_more_of_one_outweighs_fewer_of_another(self):
        verdict, changes = baseline.compare_cell(baseline.stored(cell()), cell(instructions=20000, bytes=8192), SAME_TOOLCHAIN)
        self.assertEqual(verdict, MORE)
        self.assertEqual({change["what"] for change in changes}, {"instructions", "bytes"})
        self.assertEqual(next(c for c in changes if c["what"] == "bytes"), {"what": "bytes", "base": 4.096, "now": 8.192, "percent": 100.0})

    def test_from_nothing_has_no_percentage(self):
        change = baseline.compare_cell(baseline.stored(cell()), cell(tombstones=5), SAME_TOOLCHAIN)[1][0]
        self.assertEqual((change["base"], change["now"], change["percent"]), (0, 5, None))
        self.assertEqual(gate.percent(change), "from 0")

    def test_other_operations_are_refused(self):
        for other in ({"ops": 999}, {"checksum": "0x02"}):
            with self.assertRaisesRegex(Refused, "other operations"):
                baseline.compare_cell(baseline.stored(cell()), {**cell(), **other}, SAME_TOOLCHAIN)
        without = cell()
        del without["counts"]["probe_max"]
        with self.assertRaisesRegex(Refused, "probe_max is only in the baseline"):
            baseline.compare_cell(baseline.stored(cell()), without, SAME_TOOLCHAIN)

    def test_toolchains(self):
        self.assertIs(baseline.tolerances(TOOLS, TOOLS, "f"), SAME_TOOLCHAIN)
        for fact in ("libc", "libstdcxx", "valgrind"):
            self.assertIs(baseline.tolerances(TOOLS, {**TOOLS, fact: "other"}, "f"), OTHER_VERSIONS)
        self.assertIs(baseline.tolerances(TOOLS, {**TOOLS, "cc": "gcc (Debian 13.1.0) 13.1.0"}, "f"), OTHER_VERSIONS)
        for fact, value in (("cc", "Debian clang version 14.0.6"), ("arch", "aarch64"), ("unit_flags", "-O2"), ("caches", "d"), ("tunables", "u")):
            with self.assertRaisesRegex(Refused, f"another toolchain: {fact}"):
                baseline.tolerances(TOOLS, {**TOOLS, fact: value}, "f")


class Exits(unittest.TestCase):
    def judged(self, base_maps, cells, whole):
        base = {baseline.key_of(cell(name)): baseline.stored(cell(name)) for name in base_maps}
        return baseline.compare(base, cells, SAME_TOOLCHAIN, whole)

    def test_codes(self):
        worse = cell(instructions=30001)
        for base_maps, cells, whole, verdicts, code in (
                (["linear"], [cell()], True, [SAME], OK),
                (["linear"], [cell(), cell("dense")], True, [SAME, NEW], OK),
                (["linear"], [cell(instructions=29999)], True, [FEWER], OK),
                (["linear"], [worse], True, [MORE], REGRESSION),
                (["linear", "dense"], [worse], True, [MORE, MISSING], REGRESSION),
                (["linear", "dense"], [cell()], True, [SAME, MISSING], CANNOT),
                (["linear", "dense"], [cell()], False, [SAME], OK),
                (["dense"], [cell()], False, [NEW], NOTHING)):
            judged = self.judged(base_maps, cells, whole)
            self.assertEqual([one["verdict"] for one in judged], verdicts)
            self.assertEqual(gate.exit_code(judged), code, verdicts)

    def test_update_keeps_lines_that_only_moved(self):
        key, moved, changed = baseline.key_of(cell()), baseline.stored(cell(d1_misses=2001)), baseline.stored(cell(bytes=4097))
        before = {key: baseline.stored(cell())}
        self.assertEqual(gate.kept(before, {key: moved}, SAME_TOOLCHAIN), before)
        self.assertEqual(gate.kept(before, {key: moved}, None), {key: moved})
        self.assertEqual(gate.kept(before, {key: changed}, SAME_TOOLCHAIN), {key: changed})
        self.assertEqual(gate.kept({}, {key: moved}, SAME_TOOLCHAIN), {key: moved})


class Dumps(unittest.TestCase):
    DUMP = ("desc: Trigger: Client Request: cell 12\npositions: line\nevents: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw Bc Bcm Bi Bim\n"
            "summary: 18446744073709551615 1 1\n\nfn=(1) get\n1 5\n\ntotals: 100 50 20 9 4 3 9 2 1 30 6 5 1\n")

    def test_totals_are_read(self):
        counts = {"instructions": 100, "data_reads": 50, "data_writes": 20, "d1_misses": 7, "ll_misses": 3, "mispredicts": 7}
        self.assertEqual(callgrind.parse(self.DUMP, "x"), (12, counts))

    def test_zeros_at_the_end_are_left_out(self):
        self.assertEqual(callgrind.parse(self.DUMP.replace("totals: 100 50 20 9 4 3 9 2 1 30 6 5 1", "totals: 100 50"), "x")[1]["mispredicts"], 0)

    def test_a_dump_at_the_end_is_not_a_cell(self):
        self.assertIsNone(callgrind.parse(self.DUMP.replace("Client Request: cell 12", "Program termination"), "x"))

    def test_what_is_not_a_dump_is_refused(self):
        for text in (self.DUMP.replace("totals:", "sums:"), self.DUMP.replace("events:", "e:"), self.DUMP.replace("Bim\n", "Bim2\n"),
                     self.DUMP.replace("totals: 100", "totals: many")):
            with self.assertRaises(Refused) as caught:
                callgrind.parse(text, "x")
            self.assertEqual(caught.exception.code, CANNOT)

    def test_cells_are_dealt_to_all_workers(self):
        for total in (1, 2, 7, 184):
            dealt = counting.share([cell()] * total)
            self.assertEqual(sorted(number for part in dealt for number in part), list(range(total)))
            self.assertTrue(all(dealt))


class Workers(Scratch):
    """Workers that are shell scripts: whatever they do, the gate says what, and does not go on."""

    def run_script(self, script, cells=2):
        numbers = list(range(cells))
        worker = counting.Worker(["sh", "-c", script, "worker", "count-worker"], self.scratch.name, {"PATH": "/usr/bin:/bin"},
                                 [cell("linear"), cell("dense")][:cells], numbers, self.scratch.name)
        counting.run_workers([worker], lambda done: None)
        return worker.answers

    def test_answers_are_taken_by_cell(self):
        answers = self.run_script("""read first; read second; echo '{"cell":1,"ops":7}'; printf '{"cell":0,'; sleep 0.1; echo '"ops":5}'""")
        self.assertEqual({number: answer["ops"] for number, answer in answers.items()}, {0: 5, 1: 7})

    def test_what_goes_wrong_is_named(self):
        for script, code, pattern in (
                ("""echo '{"cell":1,"error":"wrong result: the length is 3, must be 4"}'; exit 1""", 1, "^dense u64_u64 get .*wrong result"),
                ("""echo '{"cell":0,"error":"out of memory"}'; exit 4""", CANNOT, "^linear .*out of memory"),
                ("echo Segmentation fault", CANNOT, "something else than counts"), ("""echo '{"cell":9,"ops":1}'""", CANNOT, "something else"),
                ("""echo '{"cell":0}'; echo 'it broke' >&2; exit 7""", CANNOT, "ended with 7 at dense .*it broke"),
                ("exit 0", CANNOT, "ended with 0 at linear"), ("kill -9 $$", CANNOT, "ended with -9")):
            with self.subTest(script), self.assertRaisesRegex(Refused, pattern) as caught:
                self.run_script(script)
            self.assertEqual(caught.exception.code, code)

    def test_an_unknown_instruction_is_said_of_the_cell_that_has_it(self):
        """A child that goes on after one of its cells was ended, as count-worker does."""
        script = """printf '{"cell": 0, "ops": 1}\\n{"cell": 1, "signal": 4}\\n'; echo 'noise of another cell' >&2; exit 4"""
        cells = [cell("linear"), cell("dense"), cell("chained")]
        for valgrind, said in (("valgrind-3.19.0", "valgrind-3.19.0 does not know an instruction of this build.*MARCH.*newer valgrind"),
                               (None, "this processor does not know an instruction of this build")):
            worker = counting.Worker(["sh", "-c", script, "worker", "count-worker"], self.scratch.name, {"PATH": "/usr/bin:/bin"},
                                     cells, [0, 1, 2], self.scratch.name, valgrind)
            with self.assertRaisesRegex(Refused, f"^dense u64_u64 get .*: {said}") as caught:
                counting.run_workers([worker], lambda done: None)
            self.assertEqual(caught.exception.code, CANNOT)

    def test_any_other_signal_is_named(self):
        self.assertEqual(counting.ended_by(11, "valgrind-3.19.0"), "was ended by signal 11 (Segmentation fault)")

    def test_none_is_left_running(self):
        file = pathlib.Path(self.scratch.name) / "pid"
        with self.assertRaises(Refused):
            self.run_script(f"sleep 600 & echo $! > {file}; echo nonsense; wait")
        stat = pathlib.Path("/proc") / file.read_text(encoding="utf-8").strip() / "stat"

        def runs():
            try:  # dead is enough: whoever inherited it may not have collected it yet
                return stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] not in "ZX"
            except OSError:
                return False
        deadline = time.monotonic() + 600
        while runs() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(runs())


class Junit(Scratch):
    def test_a_case_per_cell(self):
        base = {baseline.key_of(cell()): baseline.stored(cell())}
        base[baseline.key_of(cell("dense"))] = copy.deepcopy(baseline.stored(cell()))
        judged = baseline.compare(base, [cell(bytes=5000), cell("chained")], SAME_TOOLCHAIN, True)
        gate.write_junit(self.path, judged, 6.0)
        text = self.path.read_text(encoding="utf-8")
        self.assertIn('tests="3" failures="1" errors="1" skipped="1" time="6.000"', text)
        self.assertIn("bytes 4.096 -&gt; 5 (+22.07 %)", text)
