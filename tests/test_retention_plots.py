"""Tests of what plots/ draws of retention scenarios: the figures, the pages, and input that is not as it should be."""
import json
import re
import subprocess
import unittest

from plot_test_tools import Drawn, Scratch, prefix_of, run_report, words_of  # first: it makes plots/ importable

from plots.draw import events
from plots.figures import retention as fig_retention
from plots.rows import load
import matplotlib.colors
import matplotlib.image
from plots.draw import style
from plots.rows import retention_matrix
from plots.rows.retention_pairs import pairs_of
import synthetic_retention
import synthetic_run

STORIES = {f"retention-{name}" for name in synthetic_retention.NAMES}
# case: its figures, and no others
FIGURES = {
    "full": STORIES | {"retention-fragmentation", "forgiveness-gosim", "simulated-real", "gc-work-go_hmap", "layers-u64_u64-uniform",
                       "memory-u64_u64-uniform"},
    "bare": {"retention-subslice_many", "retention-ttl_timers", "forgiveness-gosim", "simulated-real"},
    "verdicts": {"forgiveness-gosim"},
    "work": {"gc-work-go_hmap"},
    "garbage": {"retention-log_fields"},
    "mallocs": {"retention-fragmentation"},
    "failed": {"retention-subslice_many", "retention-ttl_timers", "forgiveness-gosim"},
    "hostile": {f"retention-{style.slug(synthetic_retention.HOSTILE)}"},
}


class Figures(Drawn):
    CASES = FIGURES
    write = staticmethod(synthetic_retention.write)

    def page(self, case):
        return (self.drawn[case][0] / "report.html").read_text(encoding="utf-8")

    def pictures(self, suffix, prefixes=("retention-", "forgiveness-", "simulated-", "gc-work", "layers-")):
        for case, (folder, _result) in self.drawn.items():
            for picture in sorted((folder / "plots").glob(f"*.{suffix}")):
                if picture.name.startswith(prefixes):
                    yield case, picture

    def test_all_are_drawn(self):
        for case, expected in FIGURES.items():
            with self.subTest(case):
                folder, result = self.drawn[case]
                self.assertEqual(result, (0, ""))
                self.assertEqual({p.stem for p in (folder / "plots").glob("*.svg")}, expected)
                self.assertEqual({p.stem for p in (folder / "plots").glob("*.png")}, expected)
                self.assertTrue(all(map(prefix_of, expected)))

    def test_none_is_blank_and_no_text_leaves(self):
        for case, picture in self.pictures("png"):
            with self.subTest(f"{case}/{picture.name}"):
                pixels = matplotlib.image.imread(picture)[..., :3]
                height = pixels.shape[0]
                for part in (pixels[:height // 8], pixels[height // 3:2 * height // 3]):
                    self.assertGreater(part.var(), 0.0005)
                for edge in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]):
                    self.assertEqual(edge.min(), 1, "ink at the edge")

    def test_texts_say_what_is_shown(self):
        for case, picture in self.pictures("svg"):
            with self.subTest(f"{case}/{picture.name}"):
                text = words_of(picture)
                self.assertRegex(text, "[Ll]ower is better|0 is best")
                self.assertIn("AMD EPYC 9R45, 2 cores, Linux 6.1, gcc 12.2 · 2026-11-20", text)

    def test_curves_name_their_parts(self):
        text = words_of(self.drawn["full"][0] / "plots" / "retention-subslice_many.svg")
        for words in ("go_hmap, gosim", "go_swiss, gosim", "linear, gosim", "capped (no fix)", "append copy (fixed)",
                      "semantically live", "real Go: go1.23.5", "real Go: go1.24.4", "grow", "collect", "4 MiB", "base",
                      "dropped", "n = 64", "keeps one element of a slice keeps the whole array"):
            self.assertIn(words, text)
        self.assertNotIn("judy", text)
        self.assertIn("resident (lower is better)",
                      words_of(self.drawn["mallocs"][0] / "plots" / "retention-fragmentation.svg"))
        self.assertIn("INCOMPLETE RUN", words_of(self.drawn["failed"][0] / "plots" / "retention-ttl_timers.svg"))

    def test_what_keeps_nothing_shows_what_it_allocates(self):
        text = words_of(self.drawn["garbage"][0] / "plots" / "retention-log_fields.svg")
        for words in ("allocated (lower is better)", "at most naive 3.06 MiB, pooled 0 B.", "Nothing is kept: bytes allocated since"):
            self.assertIn(words, text)

    def test_names_of_narrow_phases_stand_upright(self):
        script = (self.drawn["garbage"][0] / "plots" / "retention-log_fields.gp").read_text(encoding="utf-8")
        self.assertEqual(len(re.findall("set label 'rounds uncollected' at .* right rotate by 90", script)), 7)
        self.assertNotIn("right rotate by 90", (self.drawn["mallocs"][0] / "plots" / "retention-fragmentation.gp").read_text(encoding="utf-8"))

    def test_real_go_is_rings_and_the_floor_is_filled(self):
        script = (self.drawn["full"][0] / "plots" / "retention-subslice_many.gp").read_text(encoding="utf-8")
        plots = [part.partition("unset label")[0] for part in script.split("plot ")[1:]]
        self.assertEqual(len(plots), 5)
        # go_hmap beside Go 1.23, go_swiss beside Go 1.24, and three maps alone
        self.assertEqual([plot.count("with linespoints") for plot in plots], [4] * 5)
        self.assertEqual([plot.count("with points pointtype 6 ") for plot in plots], [4, 0, 0, 0, 0])
        self.assertEqual([plot.count("with points pointtype 4 ") for plot in plots], [0, 4, 0, 0, 0])
        self.assertEqual([plot.count("with filledcurves") for plot in plots], [1] * 5)

    def test_phases_of_one_checkpoint_have_no_numbers(self):
        text = words_of(self.drawn["full"][0] / "plots" / "retention-iterator_growth.svg")
        self.assertIn("grown and deleted", text)
        self.assertNotRegex(text, r"\b0\.5\b|\b1\.5\b")

    def test_roles_floor_and_events_have_ink(self):
        pixels = matplotlib.image.imread(self.drawn["full"][0] / "plots" / "retention-tombstones.png")[..., :3]
        height = pixels.shape[0]
        colours = [fig_retention.ROLE_LOOKS["leaky"][0][0], fig_retention.ROLE_LOOKS["reference"][0][0], fig_retention.FLOOR,
                   events.LOOKS["collect"].colour]
        for colour in colours:
            near = abs(pixels[height // 3:] - matplotlib.colors.to_rgb(colour)).max(axis=2) < 0.05
            self.assertGreater(near.sum(), 60, colour)

    def test_every_kind_of_event_is_in_the_legend_and_on_the_panel(self):
        folder = self.drawn["full"][0] / "plots"
        text = words_of(folder / "retention-stalled_rehash.svg")
        script = (folder / "retention-stalled_rehash.gp").read_text(encoding="utf-8")
        legend, _begin, panels = script.partition("set multiplot")
        for kind in ("grow", "evacuate", "evacuated", "collect"):
            look = events.LOOKS[kind]
            self.assertIn(kind, text.split())
            self.assertEqual(legend.count(f"linecolor rgb '{look.colour}' linewidth 1"), 1, kind)
            self.assertRegex(panels, rf"graph 0\.\d+ point pointtype {look.gnuplot} pointsize 0\.65 linecolor rgb '{look.colour}'")

    def test_kinds_of_events_differ_in_grey_too(self):
        looks = events.looks([*events.LOOKS, "enter", "leave", "trim"])
        self.assertEqual(len({look.gnuplot for look in looks.values()}), len(looks))
        self.assertEqual(len({(look.mpl, look.filled) for look in looks.values()}), len(looks))

    def test_a_gnuplot_script_redraws_its_figure(self):
        script = self.drawn["bare"][0] / "plots" / "retention-ttl_timers.gp"
        script.with_suffix(".svg").unlink()
        subprocess.run(["gnuplot", script.name], cwd=script.parent, check=True, capture_output=True)
        self.assertIn("go_hmap, gosim", words_of(script.with_suffix(".svg")))

    def test_the_matrix_shows_the_numbers(self):
        text = words_of(self.drawn["full"][0] / "plots" / "forgiveness-gosim.svg")
        data = load.load(self.drawn["full"][0]).retention
        matrix, = retention_matrix.matrices(data)
        for answer in matrix.answers.values():
            self.assertIn(retention_matrix.cell_text(answer)[0], text)
        self.assertIn(f"a: {synthetic_retention.CANNOT}", text)
        self.assertEqual((matrix.rows[0], matrix.rows[-1]), ("chained", "judy"))
        table = re.search(r'<table class="heat warm">.*?</table>', self.page("full"), re.S).group(0)
        self.assertEqual(table.count('<th scope="row">'), len(matrix.rows))
        self.assertEqual(table.count(">n/a<"), len(synthetic_retention.NAMES))
        self.assertIn(f"judy, tombstones: {synthetic_retention.CANNOT}", table)

    def test_a_point_beyond_the_band_is_named(self):
        folder = self.make_full()
        lines = [json.loads(text) for text in (folder / "retention.jsonl").read_text().splitlines()]
        place = "ttl_timers", "stop", "set", "go_hmap"
        moved = next(p for p in lines if (p["scenario"], p.get("variant"), p["label"], p["map"]) == place)
        moved["d_heap_alloc"] += 50000
        (folder / "retention.jsonl").write_text("".join(json.dumps(p) + "\n" for p in lines))
        self.assertEqual(run_report(folder), (0, ""))
        self.assertIn("ttl_timers stop", words_of(folder / "plots" / "simulated-real.svg"))
        self.assertNotIn("values beyond the band", self.page("full"))
        self.assertIn("1 values beyond the band", (folder / "report.html").read_text(encoding="utf-8"))

    def test_releases_stand_side_by_side(self):
        """A panel for each release in order, what real Go did in that of its release, and what holds there; rows of the matrix
        name it."""
        folder = self.make_full()
        lines = []
        for text in (folder / "retention.jsonl").read_text().splitlines():
            line = json.loads(text)
            name, real = line["map"] or "", line["engine"] != "c"
            if "swiss" in name and not real and name != "swiss_flat":
                for release, here in ("1.27", "fixed in 1.25"), ("1.24", "affected, fixed in 1.25"):
                    lines.append(line | {"map": name if release == "1.27" else f"{name}@{release}", "release": release} |
                                 ({"in_release": here} if line["label"] == "verdict" else {}))
                continue
            lines.append(line | {"release": ".".join(line["engine"].removeprefix("go").split(".")[:2]) if real else
                                 "1.23" if name == "go_hmap" else "1.27"})
        (folder / "retention.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(run_report(folder), (0, ""))
        script = (folder / "plots" / "retention-tombstones.gp").read_text(encoding="utf-8")
        titles = re.findall("set label 90 '([^']*)'", script)
        ours = [title for title in titles if title.startswith("go_")]
        self.assertEqual(ours, ["go_hmap@1.23, gosim", "go_swiss@1.24, gosim · affected, fixed in 1.25",
                                "go_swiss@1.27, gosim · fixed in 1.25"])
        panels = [part.partition("unset label")[0] for part in script.split("plot ")[1:]]
        rings = [bool(re.search("with points pointtype", panel)) for panel in panels]
        self.assertEqual(rings[:3], [True, True, False])
        matrix, = retention_matrix.matrices(load.load(folder).retention)
        self.assertLessEqual({"go_hmap@1.23", "go_swiss@1.24", "go_swiss@1.27", "linear", "real_go_hmap@1.23"}, set(matrix.rows))
        pairs = {(pair.map, pair.engine, pair.simulated["map"]) for pair in pairs_of(load.load(folder).retention)}
        self.assertEqual(pairs, {("go_hmap", "go1.23.5", "go_hmap"), ("go_swiss", "go1.24.4", "go_swiss@1.24")})

    def make_full(self):
        return synthetic_retention.write("full", self.folder / self._testMethodName)

    def test_work_of_a_collection(self):
        text = words_of(self.drawn["work"][0] / "plots" / "gc-work-go_hmap.svg")
        for words in ("pointer free, gosim", "same, gosim", "distinct, go1.24.4", "time to mark", "bytes scanned", "64k", "16 MiB"):
            self.assertIn(words, text)
        page = self.page("work")
        self.assertIn("Work of one collection", page)
        self.assertIn("4.25 ms", page)  # a whole collection of the real one
        self.assertIn("took 4.25 ms to 4.25 ms on the clock", text)
        self.assertIn("11.5 ms", page)

    def test_the_four_layers_are_drawn_for_both_kinds_of_pages(self):
        text = words_of(self.drawn["full"][0] / "plots" / "layers-u64_u64-uniform.svg")
        for words in ("linear, huge pages off", "linear, huge pages on", "swiss_flat, huge pages on", "live entries",
                      "requested by the map", "usable at the allocator", "resident beyond that", *events.LOOKS):
            self.assertIn(words, text)
        self.assertIn("Layers of memory", self.page("full"))
        self.assertNotIn("occur twice", self.page("full"))  # they differ in nothing but the pages

    def test_figures_of_an_earlier_drawing_go(self):
        folder = self.make_full()
        stale = folder / "plots" / "forgiveness-boehm.svg"
        stale.parent.mkdir()
        stale.write_text("old")
        self.assertEqual(run_report(folder), (0, ""))
        self.assertFalse(stale.exists())

    def test_a_page_reads_like_an_answer(self):
        page = self.page("full")
        story = re.search(r'<article id="r0-scenario-1">.*?</article>', page, re.S).group(0)
        words = re.sub("<.*?>", " ", re.sub(r'src="[^"]*"', "", story))
        for expected in ("What happened", "keeps one element of a slice keeps the whole array", "What it costs",
                         "Who holds it", "global cache -&gt; hmap.buckets -&gt; bucket[3].value", "What to do", "Copy what is kept",
                         "capped", "Believed to help, and does not", "never come back", "The shortest path from a root",
                         "5 cases with a map", "build/mapbench retain subslice_many", f"judy: {synthetic_retention.CANNOT}"):
            self.assertIn(expected, words)
        self.assertEqual(story.count('src="data:image/svg+xml;base64,'), 1)
        self.assertIn("go#20135 (github.com/golang/go/issues/20135)", page)
        self.assertIn("come back after 11,404 operations", page)

    def test_every_scenario_has_a_page_and_every_link_a_target(self):
        for case in FIGURES:
            page = self.page(case)
            names = set(re.findall(r' id="([^"]+)"', page))
            self.assertEqual(set(re.findall(r'href="#([^"]+)"', page)) - names, set(), case)
            data = load.load(self.drawn[case][0]).retention
            self.assertEqual(page.count('<details class="scenario">'), len(data.names), case)

    def test_pages_name_their_sources_and_nothing_outside(self):
        for case in FIGURES:
            page = self.page(case)
            self.assertNotRegex(page, r'(src|href)="https?:')
            self.assertNotRegex(page, r"<link|@import|url\(")
            self.assertIn("<code>retention.jsonl</code>", page)
            self.assertNotIn("Nothing was measured that could be ranked", page)

    def test_what_broke_off_is_said(self):
        page = self.page("failed")
        self.assertIn("2 cases broke off", page)
        self.assertIn("ended by SIGKILL", page)
        self.assertIn("out of memory: wanted 1 GiB", page)

    def test_without_descriptions_the_numbers_are_shown(self):
        page = self.page("bare")
        self.assertIn("does not describe its scenarios", page)
        self.assertIn("9.97 MiB", page)

    def test_names_of_strangers_run_nothing(self):
        page = self.page("hostile")
        self.assertNotIn("<b>x</b>", page)
        self.assertIn("&lt;/script&gt;&lt;b&gt;x&lt;/b&gt;", page)
        self.assertEqual(list(self.folder.rglob("pwned*")), [])

    def test_both_kinds_of_results_on_one_page(self):
        folder = synthetic_run.write("octave", self.folder / "both")
        lines = synthetic_retention.lines_of(["ttl_timers"])
        (folder / "retention.jsonl").write_text("".join(json.dumps(p) + "\n" for p in lines))
        self.assertEqual(run_report(folder), (0, ""))
        page = (folder / "report.html").read_text(encoding="utf-8")
        for words in ("At a glance", "What is kept alive", "Time against size",
                      "<code>rows.jsonl</code> and <code>retention.jsonl</code>"):
            self.assertIn(words, page)
        (folder / "retention.jsonl").write_text("")
        self.assertEqual(run_report(folder), (0, ""))
        self.assertNotIn("kept alive", (folder / "report.html").read_text(encoding="utf-8"))


class BadInput(Scratch):
    def make_bare(self, name):
        return synthetic_retention.write("bare", self.folder / name)

    def refused(self, folder, *words):
        code, text = run_report(folder)
        self.assertEqual((code, len(text.splitlines())), (2, 1), text)
        for word in words:
            self.assertIn(word, text)

    def test_broken_lines_name_file_and_line(self):
        for number, (change, word) in enumerate([
                ("{", "not valid JSON"), ("7", "expected an object"), ({"scenario": None}, "'scenario' must be a text"),
                ({"heap": 3}, "'heap' must be a text"), ({"step": -1}, "'step' must be a count"),
                ({"n": 1.5}, "'n' must be a count"),
                ({"d_heap_alloc": "much"}, "'d_heap_alloc' must be a number"), ({"rss": []}, "'rss' must be a number"),
                ({"events": [{"what": "grow"}]}, "'step' is missing"), ({"events": ["grow"]}, "expected an object"),
                ({"extra": []}, "'extra' must be a object"), ({"error": 1}, "'error' must be a text"),
                ({"label": "verdict", "passed": "yes"}, "'passed' must be a true or false"),
                ({"semantic_live_bytes": True}, "'semantic_live_bytes'"), ({"label": None}, "'label'")]):
            folder = self.make_bare(f"line{number}")
            lines = (folder / "retention.jsonl").read_text().splitlines()
            lines[2] = change if isinstance(change, str) else json.dumps({**json.loads(lines[2]), **change})
            (folder / "retention.jsonl").write_text("\n".join(lines) + "\n")
            with self.subTest(word):
                self.refused(folder, "retention.jsonl:3:", word)

    def test_fields_that_are_missing(self):
        fields = "scenario", "variant", "map", "heap", "engine", "n", "step", "label", "d_heap_alloc"
        for number, field in enumerate(fields):
            folder = self.make_bare(f"missing{number}")
            lines = (folder / "retention.jsonl").read_text().splitlines()
            lines[1] = json.dumps({k: v for k, v in json.loads(lines[1]).items() if k != field})
            (folder / "retention.jsonl").write_text("\n".join(lines) + "\n")
            self.refused(folder, "retention.jsonl:2:", f"'{field}' is missing")

    def test_broken_descriptions(self):
        for number, (change, word) in enumerate([
                ({"scenarios": {}}, "'scenarios' must be a list"), ({"scenarios": [{"number": 1}]}, "'name' is missing"),
                ({"scenarios": [{"name": "s", "variants": [7]}]}, "expected an object"),
                ({"skipped_cases": [{"scenario": "s"}]}, "'what' is missing")]):
            folder = self.make_bare(f"info{number}")
            info = json.loads((folder / "run.json").read_text())
            (folder / "run.json").write_text(json.dumps(info | change))
            self.refused(folder, "run.json", word)

    def test_a_torn_last_line_is_left_out_of_an_incomplete_run_only(self):
        folder = self.make_bare("torn")
        text, info = (folder / "retention.jsonl").read_text(), json.loads((folder / "run.json").read_text())
        (folder / "retention.jsonl").write_text(text[:-40])
        self.refused(folder, "retention.jsonl", "not valid JSON")
        (folder / "run.json").write_text(json.dumps(info | {"complete": False}))
        self.assertEqual(run_report(folder), (0, ""))
        self.assertIn("the last line of retention.jsonl is cut off", (folder / "report.html").read_text(encoding="utf-8"))

    def test_a_run_needs_one_of_the_files(self):
        folder = self.make_bare("none")
        (folder / "retention.jsonl").unlink()
        self.refused(folder, "no rows.jsonl")


if __name__ == "__main__":
    unittest.main()
