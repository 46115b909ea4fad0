"""`data-reload`: a route file is saved, and the page behaves so."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alone, duration
from tests.bench.reset import ROUTES

VERSION = """
@server.get("version")
def tell_version():
    return {{"version": {version}, "books": len(books)}}
"""

# Notes when a file was first answered with another tag, and when a request of the page gets another answer.
WATCH = """<script>
  window.noticed = new Map()
  const plainFetch = window.fetch
  window.fetch = async (url, options) => {
    const response = await plainFetch(url, options)
    const tag = response.headers.get("etag")
    if (String(url).endsWith(".py") && !window.noticed.has(tag)) window.noticed.set(tag, performance.now())
    return response
  }
  window.behaves = async version => {
    const asked = () => new Promise((success, error) =>
      new (Backbone.Model.extend({ url: "version" }))().fetch({ success: (_, told) => success(told), error }))
    for (const start = performance.now(); performance.now() - start < 20_000;) {
      const told = await asked()
      const at = performance.now()
      if (told.version === version) return { at, noticed: [...window.noticed.values()].at(-1), ...told }
      await new Promise(resolve => setTimeout(resolve, 4))
    }
    throw new Error(`The page never came to version ${version}`)
  }
</script>"""

# One more book than the file has: it is still there afterwards.
LEND = """() => new Promise((success, error) =>
  new (Backbone.Model.extend({ url: "books" }))({ title: "One more" }).save({}, { success: () => success(), error }))"""


def rows(bench: Bench) -> list[Row]:
    """From the save, and from the moment when the page has noticed it."""
    saved, noticed = [], []
    with bench.page(source(0), name="reload", before=[WATCH], data_reload=True) as page:
        page.evaluate(LEND)
        for version in range(1, bench.rounds + 1):
            since_save, since_notice = once(bench, page, version)
            saved.append(since_save)
            noticed.append(since_notice)
    what = "routes.py saved, to the new behaviour in the page"
    return [
        alone(f"{what}, once it is noticed", noticed, spoken=duration, goal=Goal(150_000)),
        alone(f"{what}, from the save on", saved, spoken=duration),
    ]


def once(bench: Bench, page: Page, version: int) -> tuple[float, float]:
    """Microseconds from the save, and from when it was noticed."""
    page.evaluate("behaves", version - 1)
    start = float(page.evaluate("performance.now()"))
    bench.site.write("/reload.py", source(version))
    told = page.evaluate("version => behaves(version)", version)
    if told["books"] != 201:
        raise RuntimeError(f"The data was not kept: {told}")
    return 1000 * (told["at"] - start), 1000 * (told["at"] - told["noticed"])


def source(version: int) -> str:
    """The route file, in the version of this number."""
    return ROUTES + VERSION.format(version=version)
