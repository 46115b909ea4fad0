"""Pages as users write them, and the visitor who opens them."""

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

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
    window.ask = (url, { method = "read", model = new Backbone.Model(), ...options } = {}) => new Promise(resolve => {
      Backbone.sync(method, model, {
        url, ...options, success: value => resolve(value), error: reason => resolve(["error", reason]),
      })
    })
"""


class Visitor:
    """Opens pages and remembers what went wrong in them."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site
        self.page: Page = context.new_page()
        self.page.add_init_script(ASK)
        self.console: list[str] = []
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error.name}: {error.message}"))

    def _heard(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")

    def visit(self, content: str, address: str = "/page.html") -> Page:
        """Serve *content* at *address* and go there, not waiting for any runtime."""
        path = address.split("?")[0].split("#")[0]
        self.site.write(path, content)
        self.page.goto(self.site.url + address)
        return self.page

    def open(self, *body: str, boot: str = "snapshot", address: str = "/page.html", **options: Any) -> Page:
        """Visit a page with our script (see `html`), and wait until it is ready."""
        self.visit(html(*body, **options), address)
        assert self.ready() == boot, self.console
        return self.page

    def ready(self) -> str:
        """Wait for `fauxServer.ready` and return how it booted."""
        booted: str = self.run("return fauxServer.ready.then(() => fauxServer.boot)")
        return booted

    def run(self, code: str, argument: Any = None) -> Any:
        """Run the body of an async JavaScript function in the page; *argument* is `given` there."""
        return self.page.evaluate(f"async given => {{ {code} }}", argument)

    @property
    def failures(self) -> list[str]:
        """What the console called an error, and what nobody caught."""
        return [line for line in self.console if line.startswith("error:")] + self.errors
