"""From the script tag to the first answer, beside a plain Pyodide from the same server."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alternate, compared, duration
from tests.browser.matrix import LATEST
from tests.browser.pages import html

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()

@server.get("books/:id")
def read_book(id: int):
    return {"id": id, "title": "Franny and Zooey"}
"""

BEGUN = "<script>window.begun = performance.now()</script>"

FIRST_ANSWER = """
<script>
  new (Backbone.Model.extend({ url: "books/1" }))().fetch({
    success: () => { window.answered = performance.now() - window.begun },
  })
</script>
"""

# What a page would do without us.
PLAIN = f"""<!doctype html>{BEGUN}<script type="module">
import {{ loadPyodide }} from "/pyodide/pyodide.mjs"
const pyodide = await loadPyodide({{ indexURL: "/pyodide/" }})
pyodide.runPython("import json; json.dumps({{'id': 1}})")
window.answered = performance.now() - window.begun
</script>"""


def rows(bench: Bench) -> list[Row]:
    """With a warm cache, which the design has a goal for, and with an empty one."""
    bench.site.write("/boot.py", ROUTES)
    plain = bench.site.write("/plain.html", PLAIN)
    first = bench.site.write("/first.html", html(FIRST_ANSWER, routes=["/boot.py"], before=[BEGUN], libraries=LATEST))

    context = bench.browser.new_context()
    page = context.new_page()
    # Once to fill the cache, and once more for the code that the engine keeps compiled.
    for address in (plain, first) * (1 if bench.quick else 2):
        answered(page, address)
    warm = alternate(bench.rounds, lambda: answered(page, plain), lambda: answered(page, first))
    context.close()

    def cold(address: str) -> float:
        context = bench.browser.new_context()
        taken = answered(context.new_page(), address)
        context.close()
        return taken

    empty = alternate(bench.rounds, lambda: cold(plain), lambda: cold(first))
    peer = "plain Pyodide"
    return [
        compared("script tag to first answer, warm cache", peer, *warm, spoken=duration, goal=Goal(ratio=1 / 3)),
        compared("the same, empty cache", peer, *empty, spoken=duration),
    ]


def answered(page: Page, address: str) -> float:
    """Microseconds until the page at *address* has its answer."""
    page.goto(address)
    page.wait_for_function("window.answered", timeout=120_000)
    return 1000 * float(page.evaluate("window.answered"))
