"""How fast the faux server answers in a page, beside the original and beside a plain Pyodide.

    python -m tests.bench.page

Everything runs in one Chromium, in turn, and is printed as one table: medians, and ours as a ratio to the peer's.
"""

import argparse
import platform
import statistics
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium, npm
from tests.browser.matrix import LATEST
from tests.browser.pages import ORIGINAL, OURS, html
from tests.browser.site import Site
from wasm.build import build

ROUTES = """
import itertools
from fauxserver import FauxServer

server = FauxServer()
books, next_id = {}, itertools.count(1)

@server.post("books")
def create_book(context):
    book = {**context.data, "id": next(next_id)}
    books[book["id"]] = book
    return book

@server.get("books/:id")
def read_book(id: int):
    return {"id": id, "title": "Franny and Zooey"}

@server.get("later/:id")
async def read_later(id: int):
    return {"id": id, "title": "Franny and Zooey"}
"""

# The same handler for both, where the handler is JavaScript.
ROUTE = """fauxServer.get("js/:id", (context, id) => ({ id: Number(id), title: "Franny and Zooey" }))"""

# Milliseconds a request: `count` of them, each after the one before, or all at once.
ASK = """
const fetchOne = (url, n) => new Promise((resolve, reject) =>
  new (Backbone.Model.extend({ url: `${url}/${n}` }))().fetch({ success: resolve, error: reject }))
window.oneAfterAnother = async (url, count) => {
  const start = performance.now()
  for (let n = 1; n <= count; n++) await fetchOne(url, n)
  return (performance.now() - start) / count
}
window.atOnce = async (url, count) => {
  const start = performance.now()
  await Promise.all(Array.from({ length: count }, (_, n) => fetchOne(url, n + 1)))
  return (performance.now() - start) / count
}
"""

FIRST_ANSWER = """
<script>
  new (Backbone.Model.extend({ url: "books/1" }))().fetch({
    success: () => { window.answered = performance.now() - window.begun },
  })
</script>
"""

# What a page would do without us: Pyodide as it comes, from the same server.
PLAIN = """<!doctype html><script>window.begun = performance.now()</script><script type="module">
import { loadPyodide } from "/pyodide/pyodide.mjs"
const pyodide = await loadPyodide({ indexURL: "/pyodide/" })
pyodide.runPython("import json; json.dumps({'id': 1})")
window.answered = performance.now() - window.begun
</script>"""


def microseconds(page: Page, how: str, url: str, count: int) -> float:
    return 1000 * float(page.evaluate("([how, url, count]) => window[how](url, count)", [how, url, count]))


def requests(browser: Browser, site: Site, rounds: int) -> list[tuple[str, str, float, float]]:
    """Rows of (what, peer, peer's µs, our µs)."""
    pages = {}
    for name, faux in (("ours", OURS), ("original", ORIGINAL)):
        page = browser.new_context().new_page()
        site.write("/routes.py", ROUTES)
        routes = ["/routes.py"] if name == "ours" else []
        script = f"<script>{ASK}\n{ROUTE}</script>"
        site.write(f"/{name}.html", html(script, faux=faux, routes=routes, libraries=LATEST, data_quiet=True))
        page.goto(f"{site.url}/{name}.html")
        if name == "ours":
            page.evaluate("fauxServer.ready.then(() => {})")
        page.evaluate("oneAfterAnother('js', 500)")
        pages[name] = page
    for url in ("books", "later"):
        pages["ours"].evaluate("url => oneAfterAnother(url, 500)", url)

    rows = []
    for what, how, url, counts in (
        ("one after another, def", "oneAfterAnother", "books", (200, 2000)),
        ("one after another, async def", "oneAfterAnother", "later", (200, 2000)),
        ("one after another, JavaScript handler", "oneAfterAnother", "js", (200, 2000)),
        ("3,000 at once, def", "atOnce", "books", (3000, 3000)),
        ("3,000 at once, async def", "atOnce", "later", (3000, 3000)),
        ("3,000 at once, JavaScript handler", "atOnce", "js", (3000, 3000)),
    ):
        peer, ours = [], []
        for _ in range(rounds):
            peer.append(microseconds(pages["original"], how, "js", counts[0]))
            ours.append(microseconds(pages["ours"], how, url, counts[1]))
        rows.append((what, "backbone-faux-server 0.10.5", statistics.median(peer), statistics.median(ours)))
    for page in pages.values():
        page.context.close()
    return rows


def boot(browser: Browser, site: Site, rounds: int) -> list[tuple[str, str, float, float]]:
    """Rows of (what, peer, plain Pyodide's µs, our µs), from the script tag to the first answer."""
    begun = "<script>window.begun = performance.now()</script>"
    site.write("/routes.py", ROUTES)
    site.write("/plain.html", PLAIN)
    site.write("/first.html", html(FIRST_ANSWER, routes=["/routes.py"], before=[begun], libraries=LATEST))

    def answered(page: Page, path: str) -> float:
        page.goto(site.url + path)
        page.wait_for_function("window.answered", timeout=60_000)
        return 1000 * float(page.evaluate("window.answered"))

    def cold(path: str) -> float:
        context = browser.new_context()
        taken = answered(context.new_page(), path)
        context.close()
        return taken

    context = browser.new_context()
    page = context.new_page()
    warm: Callable[[str], float] = lambda path: answered(page, path)  # noqa: E731
    for path in ("/plain.html", "/first.html") * 2:
        warm(path)
    rows = []
    for what, measure in (("script tag to first answer, warm cache", warm), ("the same, empty cache", cold)):
        plain, ours = [], []
        for _ in range(rounds):
            plain.append(measure("/plain.html"))
            ours.append(measure("/first.html"))
        rows.append((what, "plain Pyodide", statistics.median(plain), statistics.median(ours)))
    context.close()
    return rows


def spoken(microseconds: float) -> str:
    return f"{microseconds / 1000:,.0f} ms" if microseconds >= 10_000 else f"{microseconds:,.0f} µs"


def machine(browser: Browser) -> str:
    cpu = Path("/proc/cpuinfo")
    model = platform.processor()
    if cpu.exists():
        models = [
            line.split(":", 1)[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        model = f"{len(models)} × {models[0]}" if models else model
    return f"{date.today()}, {model}, Chromium {browser.version.split('.')[0]}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken; the median counts")
    rounds: int = parser.parse_args(argv).rounds

    here = Path(__file__).parents[1]
    pyodide = here.parent / "js" / "node_modules" / "pyodide"
    mounts = {"/fauxserver/": build(), "/npm/": npm.install(), "/pyodide/": pyodide, "/tests/": here / "browser"}
    site = Site(mounts).start()
    try:
        with sync_playwright() as playwright:
            path = chromium.find(playwright.chromium.executable_path)
            running: Any = playwright.chromium.launch(executable_path=path, args=chromium.flags(chromium.is_root()))
            rows = boot(running, site, rounds) + requests(running, site, rounds)
            print(f"{machine(running)}, median of {rounds}\n")
            running.close()
    finally:
        site.stop()

    print("| what | peer | peer's | ours | ours / peer's |\n|---|---|---|---|---|")
    for what, peer, theirs, ours in rows:
        print(f"| {what} | {peer} | {spoken(theirs)} | {spoken(ours)} | {ours / theirs:.3f} |")


if __name__ == "__main__":
    main()
