"""What the tests of pages in a browser share: every case drawn and opened in headless Chromium. Skipped with a reason where
there is none."""
import unittest

from plot_test_tools import Drawn

import browser


class Pages(Drawn):
    @classmethod
    def setUpClass(cls):
        if browser.find_chromium() is None:
            raise unittest.SkipTest("no chromium here (make deps-test: chromium)")
        super().setUpClass()
        cls.pages = {}
        for case, (folder, (code, complaints)) in cls.drawn.items():
            if code != 0:
                raise RuntimeError(complaints)
            cls.pages[case] = folder / "report.html"
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        super().tearDownClass()

    def setUp(self):
        self.browser.call("Emulation.setEmulatedMedia", media="", features=[])

    def clean(self, page):
        """No complaint, and no request but the file itself."""
        self.assertEqual(self.browser.complaints(), [])
        # a picture inside the page is "requested" by its data: address, which leads nowhere
        asked = [address[:200] for address in self.browser.requests() if not address.startswith("data:image/svg+xml;base64,")]
        self.assertEqual(asked, [page.resolve().as_uri()])
