"""What a page loads, and what its first answer waits for: each byte once, all at once, nothing besides."""

import json
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.conftest import Visitor
from tests.browser.pages import html
from tests.browser.site import Site, manifest

ROUTES = """
import itertools
from fauxserver import FauxServer, HTTPError

server = FauxServer()
books, next_id = {}, itertools.count(1)

@server.post("books")
def create_book(context):
    book = {**context.data, "id": next(next_id)}
    books[book["id"]] = book
    return book

@server.get("books/:id")
def read_book(id: int):
    if id not in books:
        raise HTTPError(404)
    return books[id]

@server.get("slow/:id")
async def slow(id):
    return id

@server.get("median")
def median():
    import csv
    import sqlite3
    import statistics
    rows = [int(one) for row in csv.reader(["1,2", "3,4"]) for one in row]
    count = sqlite3.connect(":memory:").execute("select 1 + 1").fetchone()
    return [statistics.median(rows), *count]
"""

# The standard library's files that are imported.
IMPORTED = """
import json, sys
prefix = "/lib/python%d%d.zip/" % sys.version_info[:2]
origins = [getattr(module.__spec__, "origin", None) or "" for module in list(sys.modules.values())]
json.dumps([origin.removeprefix(prefix) for origin in origins if origin.startswith(prefix)])
"""

# What the first answer needs; the rest of the standard library is among it because a handler may import at any time,
# and Python cannot wait for a file that is still on its way.
NEEDED = ("script", "answering", "wasm", "snapshot", "stdlib", "package")


def paths(site: Site, *names: str) -> set[str]:
    files = manifest(site)
    return {f"/fauxserver/{part['file']}" for name in names for part in files[name]["parts"]}


def names_in(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


def test_of_the_standard_library_only_what_the_snapshot_lacks_is_loaded(visitor: Visitor, site: Site, static: Path):
    visitor.open()
    held = set(json.loads(visitor.run("return fauxServer.runPython(given)", IMPORTED)))
    shipped, whole = names_in(static / "stdlib.bin"), names_in(static / "stdlib-whole.bin")
    assert (held & shipped, held | shipped) == (set(), whole)
    assert len(held) > 100


def test_the_first_answers_import_nothing_that_the_snapshot_has_not(visitor: Visitor, site: Site, static: Path):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return [(await ask('books/1'))[0], await ask('slow/1')]") == ["error", ["error", "1"]]
    assert visitor.run("return ask('books', { method: 'create', model: new Backbone.Model({ a: 1 }) })") == {
        "a": 1,
        "id": 1,
    }
    imported = set(json.loads(visitor.run("return fauxServer.runPython(given)", IMPORTED)))
    assert imported & names_in(static / "stdlib.bin") == set()


def test_what_a_handler_imports_from_the_rest_is_there(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return ask('median')") == [2.5, 2]


def test_everything_is_asked_for_before_anything_is_answered(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    awaited = {*paths(site, *NEEDED), "/routes.py"}
    for path in awaited:
        site.hold(path)
    asked, finished = set[str](), set[str]()
    visitor.page.on("request", lambda request: asked.add(urlsplit(request.url).path))
    visitor.page.on("requestfinished", lambda request: finished.add(urlsplit(request.url).path))
    site.write("/page.html", html(routes=["/routes.py"]))
    visitor.page.goto(f"{site.url}/page.html", wait_until="commit")
    while not awaited <= asked:
        visitor.page.wait_for_event("request")
    assert awaited & finished == set()
    for path in awaited:
        site.release(path)
    assert visitor.ready() == "snapshot"


def test_until_its_first_answer_a_page_asks_for_nothing_else(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return ask('slow/1')") == ["error", "1"]
    asked = [seen.path.partition("?")[0] for seen in site.requests]
    ours = [path for path in asked if not path.startswith("/npm/")]
    assert sorted(ours) == sorted(["/page.html", "/fauxserver/fauxserver.js", "/routes.py", *paths(site, *NEEDED)])
