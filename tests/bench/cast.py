"""Who takes part in a benchmark: a site, a browser, and pages that ask."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser import npm
from tests.browser.engine import playwrights_browser
from tests.browser.matrix import LATEST
from tests.browser.pages import OURS, html
from tests.browser.site import Site
from wasm.build import build

HERE = Path(__file__).parent
ORIGINAL = "backbone-faux-server 0.10.5"


class Bench:
    """What a subject is given: where to measure, and how often."""

    def __init__(self, browser: Browser, site: Site, rounds: int, quick: bool = False) -> None:
        self.browser = browser
        self.site = site
        self.rounds = rounds
        self.quick = quick

    def count(self, number: int) -> int:
        """How many requests, or routes: *number*, but few if the figures do not matter."""
        return max(number // 100, 2) if self.quick else number

    @contextlib.contextmanager
    def page(
        self, routes: str | None, *body: str, faux: str | None = OURS, name: str = "", **attributes: Any
    ) -> Iterator[Page]:
        """A page of its own, ready, with `ask.js` in it.

        *routes* is the text of its route file, if it is one of ours; *name* what page and route file are called.
        """
        context = self.browser.new_context()
        context.set_default_timeout(120_000)
        page = context.new_page()
        name = f"/{name or f'bench-{len(self.site.files)}'}"
        files = [] if routes is None else [f"{name}.py"]
        if routes is not None:
            self.site.write(f"{name}.py", routes)
        body = (f"<script>{(HERE / 'ask.js').read_text()}</script>", *body)
        attributes = {"data_quiet": True, **attributes}
        page.goto(self.site.write(f"{name}.html", html(*body, faux=faux, routes=files, libraries=LATEST, **attributes)))
        page.evaluate("(window.fauxServer ?? window).ready?.then(() => {})")
        try:
            yield page
        finally:
            context.close()

    def ask(self, page: Page, how: str, urls: str, count: int, client: str = "backbone") -> float:
        """Microseconds a request: *count* of the *urls* that `ask.js` knows, `oneAfterAnother` or `atOnce`."""
        call = "([how, ...given]) => window[how](...given)"
        return 1000 * float(page.evaluate(call, [how, urls, count, client]))

    def warm_up(self, page: Page, *kinds: str) -> None:
        """What the engine has not seen often it does not compile well."""
        for urls in kinds:
            self.ask(page, "oneAfterAnother", urls, self.count(500))

    def machine(self) -> str:
        """When and where the figures were taken."""
        cpu = Path("/proc/cpuinfo")
        lines = cpu.read_text().splitlines() if cpu.exists() else []
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = f"{len(models)} × {models[0]}" if models else platform.processor()
        return f"{date.today()}, {model}, Chromium {self.browser.version.split('.')[0]}, median of {self.rounds}"


@contextlib.contextmanager
def bench(rounds: int, quick: bool = False) -> Iterator[Bench]:
    """Start all that takes part."""
    mounts = {
        "/fauxserver/": build(),
        "/npm/": npm.install(),
        "/pyodide/": HERE.parents[1] / "js" / "node_modules" / "pyodide",
    }
    site = Site(mounts).start()
    try:
        with playwrights_browser() as browser:
            yield Bench(browser, site, rounds, quick)
    finally:
        site.stop()
