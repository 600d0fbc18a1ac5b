"""mapbench compare of two stored runs: ratios with intervals and no verdict; runs that cannot be compared are refused."""
import contextlib
import io
import json
import math
import pathlib
import random
import shutil
import statistics
import tempfile
import unittest

from judge_test_tools import sum_up  # first: it makes judge/ importable

import scipy.stats
import synthetic_run
from judge.base.common import Refused
from judge.compare import command, unpaired


class StoredRuns(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mapbench-runs-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.base, self.new = self.run_of("base"), self.run_of("new")

    def run_of(self, name, shapes=("u64_u64",), seed=1, factor=1.0):
        built = synthetic_run.build(["null", "linear", "chained"], list(shapes), ["get", "del"], ["uniform"], [1024, 65536],
                                    ["time"], seed=seed)
        folder = self.folder / name
        folder.mkdir()
        info, rows = built[0], built[1]
        for row in rows:
            for field in ("ns_per_op", "round_medians"):
                row[field] = [t * factor for t in row[field]]
            row["median"] *= factor
        (folder / "run.json").write_text(json.dumps(info))
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        sum_up(folder)
        return folder

    def change(self, folder, change):
        info = json.loads((folder / "run.json").read_text())
        change(info)
        (folder / "run.json").write_text(json.dumps(info))
        sum_up(folder)

    def compare(self, *words):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = command.main([str(w) for w in words])
        return code, out.getvalue()

    def refused(self, words, code=2):
        with self.assertRaisesRegex(Refused, words) as refusal:
            self.compare(self.base, self.new)
        self.assertEqual(refusal.exception.code, code)

    def test_ratios_without_a_verdict(self):
        slow, path = self.run_of("slow", factor=1.5), self.folder / "found.json"
        code, out = self.compare(self.base, slow, "--json", path)
        self.assertEqual(code, 0)  # unpaired: half as fast again is no regression
        self.assertIn("UNPAIRED", out)
        found = json.loads(path.read_text())
        self.assertEqual((found["kind"], found["exit"]), ("unpaired", 0))
        self.assertEqual({cell["map"] for cell in found["cells"]}, {"linear", "chained"})  # the null map is no map
        self.assertEqual(len(found["cells"]), 8)
        for cell in found["cells"]:
            self.assertAlmostEqual(cell["ratio"], 1.5, places=4)
            self.assertTrue(cell["ci95"][0] <= cell["ratio"] <= cell["ci95"][1])
            self.assertIsNone(cell["verdict"])

    def test_a_map_by_its_former_name(self):
        for folder, name in (self.base, "go_hmap_load6"), (self.new, "go_hmap@1.21"):
            rows = (folder / "rows.jsonl").read_text()
            (folder / "rows.jsonl").write_text(rows.replace('"linear"', f'"{name}"'))
            sum_up(folder)
        code, out = self.compare(self.base, self.new)
        self.assertEqual(code, 0)
        self.assertIn("go_hmap@1.21/u64_u64/get", out.replace(" ", "/"))
        self.assertNotIn("only in", out)

    def test_other_machines_schemas_and_shapes_are_refused(self):
        self.change(self.new, lambda info: info["machine"].update(cpu="another"))
        self.refused("different machines .cpu")
        self.change(self.new, lambda info: info.update(schema=99))
        self.refused("schema 99")
        shutil.rmtree(self.new)
        self.new = self.run_of("new", shapes=["str_u64"])
        self.refused("no shape in common .u64_u64 and str_u64")

    def test_no_cell_in_common(self):
        rows = [json.loads(line) for line in (self.new / "rows.jsonl").read_text().splitlines()]
        (self.new / "rows.jsonl").write_text("".join(json.dumps(row | {"n": row["n"] + 1}) + "\n" for row in rows))
        sum_up(self.new)
        self.refused("no cell in common", 6)

    def test_cells_of_several_sections_and_of_one_run_only(self):
        def add(folder, row):
            with open(folder / "rows.jsonl", "a", encoding="utf-8") as rows:
                rows.write(json.dumps(row) + "\n")
            sum_up(folder)
        rows = [json.loads(line) for line in (self.base / "rows.jsonl").read_text().splitlines()]
        row = next(r for r in rows if r["map"] == "linear")
        for folder, factor in ((self.base, 1), (self.new, 2)):
            add(folder, row | {"job": "second", "median": row["median"] * factor})
        add(self.new, row | {"n": 99})
        code, out = self.compare(self.base, self.new)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"/job:main +1\.0\d\d ")
        self.assertRegex(out, r"/job:second +2\.000 ")
        self.assertIn(f"only in {self.new}: 1 cell, the first linear/u64_u64/", out)

    def test_what_else_differs_is_said(self):
        self.change(self.new, lambda info: info["machine"].update(kernel="9.9"))
        code, out = self.compare(self.base, self.new)
        self.assertEqual(code, 0)
        self.assertRegex(out, "differs too: kernel of the machine: .* and 9.9")

    def test_a_damaged_run(self):
        (self.new / "run.json").write_text("{")
        self.refused("not valid JSON")
        self.change(self.base, lambda info: info.update(complete=False))
        self.refused("an incomplete run cannot be compared")

    def test_a_run_that_was_edited(self):
        rows = self.new / "rows.jsonl"
        rows.write_text(rows.read_text().replace('"median": ', '"median": 1', 1))
        self.refused("rows.jsonl is not what was measured")

    def test_the_interval_is_welchs(self):
        def row(mean, sd, rounds):
            medians = [math.exp(stream.gauss(mean, sd)) for _ in range(rounds)]
            return {"round_medians": medians, "median": statistics.median(medians)}
        stream = random.Random(2)
        base, new = row(0, 0.02, 7), row(0.1, 0.08, 5)
        ratio, interval = unpaired.ratio(base, new)
        self.assertAlmostEqual(ratio, new["median"] / base["median"])
        logs = [[math.log(t) for t in r["round_medians"]] for r in (new, base)]
        for end in interval:
            test = scipy.stats.ttest_ind([log - math.log(end) for log in logs[0]], logs[1], equal_var=False)
            self.assertAlmostEqual(test.pvalue, 0.05, places=9)
        # a median outside the interval of the rounds widens it
        self.assertAlmostEqual(unpaired.ratio(base, new | {"median": base["median"] * 9})[1][1], 9)

    def test_where_there_is_no_interval(self):
        def row(*medians):
            return {"round_medians": list(medians), "median": medians[0]}
        self.assertEqual(unpaired.ratio(row(1, 1), row(2, 2)), (2.0, None))
        self.assertEqual(unpaired.ratio(row(1, 1, 1), row(2, 2, 2)), (2.0, [2.0, 2.0]))


if __name__ == "__main__":
    unittest.main()
