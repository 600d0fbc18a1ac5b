"""Opens pages with retention scenarios in headless Chromium: no console error, no request but the file itself, links that
open the page of a scenario, paper that shows them all. Skipped with a reason where there is no Chromium."""
import base64
import unittest

from browser_pages import Pages
import synthetic_retention

OPEN = "Array.from(document.querySelectorAll('details.scenario[open] article'), (a) => a.id)"


class Page(Pages):
    CASES = synthetic_retention.CASES
    write = staticmethod(synthetic_retention.write)

    def test_every_page_opens_within_the_window(self):
        for width in (1280, 390):
            self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                              mobile=width < 600)
            for case, page in self.pages.items():
                with self.subTest(f"{case} {width}"):
                    self.browser.open(page)
                    self.browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
                    self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)
                    self.clean(page)
        self.browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)

    def test_pictures_are_there(self):
        self.browser.open(self.pages["full"])
        self.browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        sizes = self.browser.evaluate("""Promise.all(Array.from(document.images, (i) => i.decode().then(() =>
            [i.naturalWidth, i.naturalHeight, i.alt.length])))""")
        self.assertEqual(len(sizes), len(synthetic_retention.NAMES) + 1 + 3)
        for size in sizes:
            self.assertTrue(all(size), size)

    def test_links_open_the_page_of_a_scenario(self):
        page = self.pages["full"]
        self.browser.open(page)
        self.assertEqual(self.browser.evaluate(OPEN), [])
        self.browser.evaluate("document.querySelector('#r0-retention td a[href=\"#r0-scenario-3\"]').click()")
        self.browser.evaluate("new Promise((done) => setTimeout(done, 100))")
        self.assertEqual(self.browser.evaluate(OPEN), ["r0-scenario-3"])
        # folded by hand and asked for again: the address does not change
        self.browser.evaluate("document.querySelector('details.scenario[open]').open = false")
        self.browser.evaluate("document.querySelector('.index a[href=\"#r0-scenario-3\"]').click()")
        self.assertEqual(self.browser.evaluate(OPEN), ["r0-scenario-3"])
        self.clean(page)

    def test_paper_shows_them_all(self):
        page = self.pages["full"]
        self.browser.open(page)
        self.browser.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(len(self.browser.evaluate(OPEN)), len(synthetic_retention.NAMES) + 1)
        self.browser.evaluate("window.dispatchEvent(new Event('afterprint'))")
        self.assertEqual(self.browser.evaluate(OPEN), [])
        self.assertGreater(len(base64.b64decode(self.browser.call("Page.printToPDF")["data"])), 50000)
        self.clean(page)

    def test_the_answers_sort_by_their_numbers(self):
        self.browser.open(self.pages["full"])
        column = self.browser.evaluate("""(() => { const t = document.querySelector("#r0-retention table");
            const i = Array.from(t.querySelectorAll("thead th"), (th) => th.textContent).indexOf("× live");
            t.querySelectorAll("thead th button")[i].click();
            const values = Array.from(t.tBodies[0].rows, (r) => r.cells[i].dataset.v);
            return values.filter((v) => v !== undefined).map(Number); })()""")
        self.assertEqual(column, sorted(column))
        self.assertGreater(len(set(column)), 10)

    def test_tables_are_named_for_readers_that_cannot_see(self):
        self.browser.open(self.pages["full"])
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('table:not(:has(caption))').length"), 0)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('thead th:not([scope])').length"), 0)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('[id]').length"),
                         self.browser.evaluate("new Set(Array.from(document.querySelectorAll('[id]'), (e) => e.id)).size"))


if __name__ == "__main__":
    unittest.main()
