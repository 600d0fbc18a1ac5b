"""Opens report.html in headless Chromium: no console error, no request but the file itself, charts with ink in them,
tables that sort and filter. Skipped with a reason where there is no Chromium."""
import base64
import unittest

from plot_test_tools import run_report  # first: it makes plots/ importable

from browser_pages import Pages
import synthetic_run

# Share of pixels of a figure's canvas that differ from its most frequent one.
INK = """(figure) => { const c = figure.chart.canvas, d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  const seen = new Map(); for (let i = 0; i < d.length; i += 4) { const k = d[i] << 24 | d[i+1] << 16 | d[i+2] << 8 | d[i+3];
  seen.set(k, (seen.get(k) || 0) + 1); } return 1 - Math.max(...seen.values()) / (d.length / 4); }"""
COLUMN = """(column) => Array.from(document.querySelector("table.results").tBodies[0].rows).filter((r) => !r.hidden)
  .map((r) => r.cells[column].dataset.v === undefined ? r.cells[column].textContent : Number(r.cells[column].dataset.v))"""
TITLES = "Array.from(document.querySelectorAll('table.results thead th'), (th) => th.textContent)"
# case: interactive figures it must have
CASES = {"wide": {"speed", "tradeoff", "latency", "growth", "memory"},
         "hostile": {"speed", "tradeoff", "latency", "growth", "memory"},
         "octave": {"speed"}, "jobs": {"speed"}, "single": {"speed", "tradeoff", "latency", "memory"},
         "ports": {"speed", "tradeoff", "latency", "growth", "memory"}, "memory_only": {"memory"}, "errors": {"speed", "tradeoff", "latency", "memory"}, "empty": set()}


class Page(Pages):
    CASES = CASES

    def test_the_watcher_sees_errors_and_requests(self):
        bad = self.folder / "bad.html"
        bad.write_text("<script>console.error('planted'); setTimeout(() => { throw new Error('thrown'); }, 0)</script>"
                       "<img src='missing.png'>")
        self.browser.open(bad)
        self.browser.evaluate("new Promise((done) => setTimeout(done, 200))")
        complaints = " ".join(self.browser.complaints())
        self.assertIn("planted", complaints)
        self.assertIn("thrown", complaints)
        self.assertEqual(len(self.browser.requests()), 2)

    def test_every_page_opens_and_draws(self):
        for case, expected in CASES.items():
            with self.subTest(case):
                page = self.pages[case]
                self.browser.open(page)
                self.clean(page)
                self.assertEqual(set(self.browser.evaluate("figures.map((f) => f.name)")), expected)
                for ink in self.browser.evaluate(f"figures.map({INK})"):
                    self.assertGreater(ink, 0.003)
                    self.assertLess(ink, 0.9)

    def test_several_runs_on_one_page(self):
        page = self.pages["octave"]
        self.assertEqual(run_report(page.parent, self.pages["single"].parent)[0], 0)
        self.browser.open(page)
        self.assertEqual(self.browser.evaluate("figures.length"), len(CASES["octave"]) + len(CASES["single"]))
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('[id]').length"),
                         self.browser.evaluate("new Set(Array.from(document.querySelectorAll('[id]'), (e) => e.id)).size"))
        self.clean(page)

    def test_nothing_is_wider_than_the_window(self):
        for width in (1280, 390):
            self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                              mobile=width < 600)
            for case in ("wide", "hostile", "ports"):
                self.browser.open(self.pages[case])
                self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)
                self.clean(self.pages[case])
        self.browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)

    def test_dark_pages_and_print(self):
        page = self.pages["wide"]
        self.browser.call("Emulation.setEmulatedMedia",
                          features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.browser.open(page)
        self.assertEqual(self.browser.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(18, 23, 29)")
        before = self.browser.evaluate("figures[1].chart.options.scales.x.ticks.color")
        self.browser.call("Emulation.setEmulatedMedia",
                          features=[{"name": "prefers-color-scheme", "value": "light"}])
        self.browser.evaluate("new Promise((done) => setTimeout(done, 100))")
        self.assertNotEqual(self.browser.evaluate("figures[1].chart.options.scales.x.ticks.color"), before)
        paper = base64.b64decode(self.browser.call("Page.printToPDF")["data"])
        self.assertGreater(len(paper), 50000)
        self.clean(page)

    def click(self, title):
        column = self.browser.evaluate(TITLES).index(title)
        self.browser.evaluate(f"document.querySelectorAll('table.results thead th button')[{column}].click()")
        return self.browser.evaluate(f"({COLUMN})({column})"), self.browser.evaluate(
            f"document.querySelectorAll('table.results thead th')[{column}].getAttribute('aria-sort')")

    def test_tables_sort(self):
        self.browser.open(self.pages["wide"])
        for title in ("ns/op", "n", "× best", "map"):
            up, said = self.click(title)
            self.assertEqual(said, "ascending")
            down, said = self.click(title)
            self.assertEqual(said, "descending")
            if title == "× best":  # the baseline has no ratio: its rows stay at the end
                up, down = ([v for v in values if v != "baseline"] for values in (up, down))
            self.assertEqual(up, sorted(up))
            self.assertEqual(down, sorted(up, reverse=True))
            self.assertGreater(len(set(up)), 1)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('[aria-sort]').length"), 1)
        self.clean(self.pages["wide"])

    def test_tables_filter(self):
        self.browser.open(self.pages["wide"])
        self.browser.evaluate("""(() => { const [map, shape] = document.querySelectorAll(".filters input, .filters select");
            map.value = "swiss"; map.dispatchEvent(new Event("input"));
            shape.value = "str_u64"; shape.dispatchEvent(new Event("input")); })()""")
        self.assertEqual(set(self.browser.evaluate(f"({COLUMN})(0)")), {"swiss_flat"})
        self.assertEqual(set(self.browser.evaluate(f"({COLUMN})(1)")), {"str_u64"})
        self.assertEqual(self.browser.evaluate("document.querySelector('.filters output').textContent"), "20 of 640 rows")

    def test_tables_leave_room_for_the_figures(self):
        self.browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=4000, deviceScaleFactor=1, mobile=False)
        self.browser.open(self.pages["wide"])
        box = "document.querySelector('table.results').parentNode"
        self.assertLessEqual(self.browser.evaluate(f"{box}.clientHeight"), 560)
        self.assertGreater(self.browser.evaluate(f"{box}.scrollHeight"), 2000)
        self.browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)

    def test_unstable_rows_are_hollow(self):
        self.browser.open(self.pages["wide"])
        for name in ("latency", "growth"):
            hollow = self.browser.evaluate(f"""figures.find((f) => f.name === "{name}").chart.data.datasets
                .filter((set) => set.pointBackgroundColor).map((set) => set.label)""")
            self.assertEqual(hollow, ["khash"], name)
        self.clean(self.pages["wide"])

    def test_sizes_are_those_of_the_command_line(self):
        self.browser.open(self.pages["octave"])
        ticks = self.browser.evaluate("figures[0].chart.scales.x.ticks.map((tick) => tick.label)")
        self.assertIn("571,740", ticks)
        self.assertEqual(self.browser.evaluate("[1000, 1024, 65536, 3 * 2 ** 20, 2 ** 30, 0].map(formatN)"),
                         ["1,000", "1k", "64k", "3m", "1g", "0"])
        self.assertEqual(self.browser.evaluate("roundSizes(500000, 5)"), [0, 131072, 262144, 393216])
        self.clean(self.pages["octave"])

    def test_ports_and_originals_share_a_colour_and_their_tables_sort(self):
        self.browser.open(self.pages["ports"])
        look = """Object.fromEntries(figures.find((f) => f.name === "speed").chart.data.datasets
            .map((set) => [set.label, [set.borderColor, String(set.borderDash), set.pointStyle]]))"""
        looks = self.browser.evaluate(look)
        self.assertEqual(looks["go_hmap"][0], looks["real_go_hmap_gc"][0])
        self.assertEqual(looks["go_hmap"][1], "")
        for part in (1, 2):
            self.assertEqual(len({looks[name][part] for name in synthetic_run.PORTS[:4]}), 4)
        column = self.browser.evaluate("""(() => { const t = document.querySelector("#r0-ports table");
            const i = Array.from(t.querySelectorAll("thead th"), (th) => th.textContent).indexOf("ratio");
            t.querySelectorAll("thead th button")[i].click();
            return Array.from(t.tBodies[0].rows, (r) => Number(r.cells[i].dataset.v)); })()""")
        self.assertEqual(column, sorted(column))
        self.assertGreater(len(set(column)), 10)
        self.clean(self.pages["ports"])

    def test_choices_change_the_figure(self):
        self.browser.open(self.pages["wide"])
        for name in CASES["wide"]:
            before = self.browser.evaluate(f"document.querySelector('[data-figure={name}] .shown').textContent")
            self.browser.evaluate(f"""(() => {{ const s = document.querySelector("[data-figure={name}] select");
                s.value = "str_u64"; s.dispatchEvent(new Event("change")); }})()""")
            after = self.browser.evaluate(f"document.querySelector('[data-figure={name}] .shown').textContent")
            self.assertIn("u64_u64", before)
            self.assertEqual(after, before.replace("u64_u64", "str_u64"))
        self.clean(self.pages["wide"])

    def test_a_choice_without_data_moves_the_others(self):
        self.browser.open(self.pages["jobs"])  # zipf keys were measured in one job only
        self.browser.evaluate("""(() => { for (const s of document.querySelectorAll("[data-figure=speed] select"))
            if (Array.from(s.options).some((o) => o.value === "zipf:0.99")) {
                s.value = "zipf:0.99"; s.dispatchEvent(new Event("change")); } })()""")
        said = self.browser.evaluate("document.querySelector('[data-figure=speed] .shown').textContent")
        self.assertIn("zipf:0.99 keys", said)
        self.clean(self.pages["jobs"])

    def test_pointing_at_the_legend_brings_a_line_forward(self):
        self.browser.open(self.pages["errors"])
        colours = "figures[0].chart.data.datasets.map((d) => d.borderColor.length)"
        self.browser.evaluate("fade(figures[0].chart, 1)")
        self.assertEqual(self.browser.evaluate(colours).count(7), 1)
        self.browser.evaluate("fade(figures[0].chart, null)")
        self.assertEqual(set(self.browser.evaluate(colours)), {7})
        self.clean(self.pages["errors"])

    def test_figures_and_tables_are_named_for_readers_that_cannot_see(self):
        self.browser.open(self.pages["wide"])
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('thead th:not([scope])').length"), 0)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('table:not(:has(caption))').length"), 0)
        for label in self.browser.evaluate("Array.from(document.querySelectorAll('canvas'), (c) => c.ariaLabel)"):
            self.assertRegex(label, "u64_u64, uniform keys")


if __name__ == "__main__":
    unittest.main()
