"""Pages as users write them, and the visitor who opens them."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.browser.engine import ChromiumPage
from tests.browser.engine import Page as Tab
from tests.browser.matrix import LATEST, Combination
from tests.browser.site import Site

OURS = "/fauxserver/fauxserver.js"
ORIGINAL = "/npm/backbone-faux-server/backbone-faux-server.js"


def script(source: str, **attributes: str | bool) -> str:
    """A script tag for an address ("/a.js"), or for code (anything else)."""
    written = "".join(
        f" {name.replace('_', '-')}" if value is True else f' {name.replace("_", "-")}="{value}"'
        for name, value in attributes.items()
        if value is not False
    )
    if source.startswith("/") and "\n" not in source:
        return f'<script src="{source}"{written}></script>'
    return f"<script{written}>\n{source}\n</script>"


def python(source: str, **attributes: str | bool) -> str:
    """The same for a route file: `type="text/python"`."""
    return script(source, type="text/python", **attributes)


def html(
    *body: str,
    libraries: Combination | None = LATEST,
    faux: str | None = OURS,
    routes: Sequence[str] = (),
    before: Sequence[str] = (),
    title: str = "A page",
    **attributes: str | bool,
) -> str:
    """A page: libraries, *before*, the faux server's tag (with *attributes*), route files, then *body*."""
    lines = [
        *(script(address) for address in (libraries.scripts if libraries else ())),
        *before,
        *([script(faux, **attributes)] if faux else ()),
        *(python(address) for address in routes),
        *body,
    ]
    head = ["<!doctype html>", '<meta charset="utf-8">', '<link rel="icon" href="data:,">', f"<title>{title}</title>"]
    return "\n".join([*head, "<body>", *lines])


# What every page has: `await ask("books/1")` is the answer of a plain sync, or ["error", reason].
ASK = """
    const wait = window.setTimeout.bind(window)
    window.someTime = () => new Promise(resolve => wait(resolve, 10))
    window.ask = (url, { method = "read", model = new Backbone.Model(), ...options } = {}) => new Promise(resolve => {
      Backbone.sync(method, model, {
        url, ...options, success: value => resolve(value), error: reason => resolve(["error", reason]),
      })
    })
"""


# The text of the box that shows errors in the page, or null.
BOX = "document.querySelector('fauxserver-errors')?.shadowRoot.textContent ?? null"


class Visitor:
    """Opens pages and remembers what went wrong in them; in the engine of that name."""

    def __init__(self, tab: Tab, site: Site, engine: str = "chromium") -> None:
        self.tab = tab
        self.site = site
        self.engine = engine
        self.preload(ASK)

    @property
    def page(self) -> Page:
        """Playwright's page, for what Chromium alone is tested for."""
        return self._chromiums.page

    @property
    def context(self) -> BrowserContext:
        """Playwright's context, likewise."""
        return self._chromiums.context

    @property
    def _chromiums(self) -> ChromiumPage:
        assert isinstance(self.tab, ChromiumPage), (
            f"{self.engine} is not driven by Playwright: use the visitor's words."
        )
        return self.tab

    @property
    def console(self) -> list[str]:
        """What the console was told, each as "type: text"."""
        return self.tab.console

    @property
    def errors(self) -> list[str]:
        """The exceptions that nobody caught, each as "TypeError: text"."""
        return self.tab.errors

    @property
    def failures(self) -> list[str]:
        """What the console called an error, and what nobody caught."""
        return [line for line in self.console if line.startswith("error:")] + self.errors

    def go(self, address: str) -> None:
        """Go to *address*, on our site or (a whole one) elsewhere, not waiting for any runtime."""
        self.tab.open(self.site.url + address if address.startswith("/") else address)

    def visit(self, content: str, address: str = "/page.html") -> None:
        """Serve *content* at *address* and go there, not waiting for any runtime."""
        self.site.write(address.split("?")[0].split("#")[0], content)
        self.go(address)

    def open(self, *body: str, boot: str = "snapshot", address: str = "/page.html", **options: Any) -> None:
        """Visit a page with our script (see `html`), and wait until it is ready."""
        self.visit(html(*body, **options), address)
        assert self.ready() == boot, self.console

    def ready(self) -> str:
        """Wait for `fauxServer.ready` and return how it booted."""
        booted: str = self.run("return fauxServer.ready.then(() => fauxServer.boot)")
        return booted

    def run(self, code: str, argument: Any = None) -> Any:
        """Run the body of an async JavaScript function in the page; *argument* is `given` there."""
        return self.tab.evaluate(code, argument)

    def preload(self, script: str) -> None:
        """Run *script* in every page of our site, before its own."""
        self.tab.preload(script)

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        self.run(f"while (!({condition})) await someTime()")

    @property
    def box(self) -> str | None:
        """The text of the box that shows errors in the page, if it is there."""
        text: str | None = self.run(f"return {BOX}")
        return text
