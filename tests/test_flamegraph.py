"""Tests of plots/flamegraph.py on the text of perf script."""
import contextlib
import io
import unittest
import xml.etree.ElementTree

from plot_test_tools import Scratch, words_of  # first: it makes plots/ importable

from plots import flamegraph

SAMPLE = """\
# a comment
map bench 22046/22047  3070.420437:     500250 cpu-clock:pppH: 
	    55d0c0ff11ac run_get+0x1c (/usr/bin/mapbench)
	           2724a main+0x7a (/usr/bin/mapbench)

map bench 22046  3070.420935:     500250 cpu-clock: 
	    55d0c0ff11ac std::pair<int, char> operator() <x> (int)+0x1c (/usr/bin/map (1)/bench)
	           2724a main+0x7a (/usr/bin/mapbench)

map bench 22046  3070.421434:     500250 cpu-clock: 
	ffffffffa1 [unknown] ([kernel.kallsyms])
	           2724a main+0x7a (/usr/bin/mapbench)
map bench 22046  3070.421934:     500250 cpu-clock: 
"""


class FlameGraph(Scratch):
    def draw(self, text, title="get <&>"):
        script, out = self.folder / "script.txt", self.folder / "out.svg"
        script.write_text(text)
        out.unlink(missing_ok=True)
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            return flamegraph.main([str(script), str(out), "--title", title]), err.getvalue(), out

    def test_samples_are_counted_by_stack(self):
        found = flamegraph.stacks(SAMPLE.splitlines(keepends=True))
        self.assertEqual(found, {("map bench", "main", "run_get"): 1,
                                 ("map bench", "main", "std::pair<int, char> operator() <x> (int)"): 1,
                                 ("map bench", "main", "[kernel.kallsyms]"): 1,
                                 ("map bench", "[no call chain]"): 1})

    def test_picture(self):
        code, complaints, out = self.draw(SAMPLE * 5)
        self.assertEqual((code, complaints), (0, ""))
        tree = xml.etree.ElementTree.parse(out)
        text = words_of(out)
        self.assertIn("get <&>", text)
        self.assertIn("main: 75.00 % (15 samples)", text)
        self.assertIn("run_get: 25.00 % (5 samples)", text)
        space = "{http://www.w3.org/2000/svg}"
        boxes = tree.getroot().findall(f"{space}g/{space}g")
        width = {b.find(f"{space}title").text.split(":")[0]: float(b.find(f"{space}rect").get("width")) for b in boxes}
        self.assertAlmostEqual((width["main"] + 0.5) / (width["all"] + 0.5), 0.75, places=3)

    def test_no_samples(self):
        for text in ("", "# captured on: today\n#\n\n"):
            code, complaints, out = self.draw(text)
            self.assertEqual(code, 2)
            self.assertEqual(len(complaints.splitlines()), 1)
            self.assertFalse(out.exists())

    def test_files_that_cannot_be_had(self):
        with contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(flamegraph.main([str(self.folder / "absent"), "x.svg"]), 2)
            script = self.folder / "s.txt"
            script.write_text(SAMPLE)
            self.assertEqual(flamegraph.main([str(script), str(self.folder)]), 4)
        self.assertIn("absent", err.getvalue())

    def test_deep_stacks(self):
        frames = "".join(f"\t1 f{i}+0x1 (/x)\n" for i in range(3000))
        code, _complaints, out = self.draw("c 1 1.0: 1 cpu-clock:\n" + frames + "\n")
        self.assertEqual(code, 0)
        self.assertIn("f2999", words_of(out))


if __name__ == "__main__":
    unittest.main()
