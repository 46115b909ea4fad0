"""Route files in the page: what they declare, what happens when they are wrong, and when they are saved."""

import hashlib
import io
import zipfile

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import BOX, html, python, script
from tests.browser.site import Reply, Site

pytestmark = pytest.mark.every_engine


def wheel(name: str, version: str, source: str) -> bytes:
    """A pure wheel with one module, as small as pip takes one."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return content.getvalue()


def test_inline_python_may_be_indented_with_the_markup(visitor: Visitor):
    visitor.open(
        python("""
            from fauxserver import FauxServer

            server = FauxServer()

            @server.get("inline")
            def inline():
                return {"inline": True}
        """)
    )
    assert visitor.run("return ask('inline')") == {"inline": True}


def test_declared_files_lie_beside_the_route_file(visitor: Visitor, site: Site):
    site.write(
        "/api/routes.py",
        """# /// script
# [tool.fauxserver]
# files = ["books.json", "helpers.py", "data/more.txt"]
# ///
import json
from pathlib import Path
from fauxserver import FauxServer
import helpers

here = Path(__file__).parent
server = FauxServer()
server.get("books", helpers.shout(json.loads((here / "books.json").read_text())))
server.get("more", {"text": (here / "data" / "more.txt").read_text()})
""",
    )
    site.write("/api/books.json", '["franny"]')
    site.write("/api/helpers.py", "def shout(books):\n    return [book.upper() for book in books]\n")
    site.write("/api/data/more.txt", "ünd mehr")
    visitor.open(routes=["/api/routes.py"])
    assert visitor.run("return [await ask('books'), await ask('more')]") == [["FRANNY"], {"text": "ünd mehr"}]
    assert visitor.failures == []


def test_a_later_route_file_imports_an_earlier_one(visitor: Visitor, site: Site):
    site.write(
        "/routes.py",
        "from fauxserver import FauxServer\nserver = FauxServer()\nbooks = [1]\nserver.get('books', lambda: books)\n",
    )
    site.write(
        "/more.py", "import routes\nfrom fauxserver import FauxServer\nserver = FauxServer()\nroutes.books.append(2)\n"
    )
    visitor.open(routes=["/routes.py", "/more.py"])
    assert visitor.run("return ask('books')") == [1, 2]


def test_declared_packages_are_installed_from_beside_the_page(visitor: Visitor, site: Site):
    site.write("/wheels/tiny_pkg-1.2-py3-none-any.whl", wheel("tiny_pkg", "1.2", "def answer():\n    return 42\n"))
    site.write(
        "/routes.py",
        f"""# /// script
# dependencies = ["tiny-pkg @ {site.url}/wheels/tiny_pkg-1.2-py3-none-any.whl"]
# ///
import tiny_pkg
from fauxserver import FauxServer
server = FauxServer()
server.get("answer", {{"answer": tiny_pkg.answer()}})
""",
    )
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return ask('answer')") == {"answer": 42}
    assert visitor.failures == []


def test_declared_packages_are_installed_from_the_index_that_is_named(visitor: Visitor, site: Site):
    content = wheel("tiny_pkg", "1.2", "def answer():\n    return 43\n")
    site.write("/files/tiny_pkg-1.2-py3-none-any.whl", content)
    digest = hashlib.sha256(content).hexdigest()
    name = "tiny_pkg-1.2-py3-none-any.whl"
    page = f'<!doctype html><a href="{site.url}/files/{name}#sha256={digest}">{name}</a>'
    site.replies["/simple/tiny-pkg/"] = Reply(200, page.encode(), {"Content-Type": "text/html"})
    site.write(
        "/routes.py",
        f"""# /// script
# dependencies = ["tiny-pkg>=1"]
# [tool.fauxserver]
# index = "{site.url}/simple/"
# ///
import tiny_pkg
from fauxserver import FauxServer
server = FauxServer()
server.get("answer", {{"answer": tiny_pkg.answer()}})
""",
    )
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return ask('answer')") == {"answer": 43}


GOOD = "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('good', {'good': True})\n"


@pytest.mark.parametrize(
    ("source", "place", "says"),
    [
        (
            "import fauxserver\n\nbooks = {}\nbooks['missing']\n",
            "routes.py:4",
            ["KeyError", "missing", "books['missing']"],
        ),
        ("def broken(:\n    pass\n", "routes.py:1", ["SyntaxError", "def broken(:"]),
        ("import not_there\n", "routes.py:1", ["not_there", "import not_there"]),
        (
            "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('books/{id}', [])\n",
            "routes.py:3",
            [":id", "books/{id}"],
        ),
        (
            "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('a(b', [])\n",
            "routes.py:3",
            ["parenthes", "a(b"],
        ),
        (
            "from fauxserver import FauxServer\nserver = FauxServer()\n"
            "@server.get('books/:id')\ndef read(context, id, other): ...\n",
            "routes.py:3",
            ["other", "books/:id", "read"],
        ),
        ("# /// script\n# dependencies = [\n# ///\n", "routes.py", ["TOML", "# /// script"]),
        ("# /// script\n# tool = 3\n# ///\n", "routes.py:2", ["[tool.fauxserver]", "# tool = 3"]),
        (None, "routes.py", ["404", "routes.py"]),
        ("<!doctype html>", "routes.py", ["an HTML page", "routes.py"]),
    ],
    ids=[
        "raises",
        "does not parse",
        "imports what is missing",
        "{id}",
        "unbalanced",
        "unfillable",
        "metadata",
        "no table",
        "missing file",
        "a page instead",
    ],
)
def test_a_route_file_that_fails_is_shown_with_its_line_and_the_others_run(
    visitor: Visitor, site: Site, source: str | None, place: str, says: list[str]
):
    if source is not None:
        site.write("/routes.py", source)
    if source and source.startswith("<"):
        site.replies["/routes.py"] = Reply(200, source.encode(), {"Content-Type": "text/html; charset=utf-8"})
    site.write("/good.py", GOOD)
    visitor.open(routes=["/routes.py", "/good.py"])
    assert visitor.run("return ask('good')") == {"good": True}
    box, told = visitor.box, "\n".join(visitor.failures)
    assert [word for word in [place, *says] if word.lower() not in box.lower()] == [], box
    assert [word for word in ["routes.py", says[0]] if word.lower() not in told.lower()] == [], told
    # One mistake is one entry.
    assert (
        visitor.run("return document.querySelector('fauxserver-errors').shadowRoot.querySelectorAll('li').length") == 1
    )


def test_a_declared_file_that_is_missing_is_named(visitor: Visitor, site: Site):
    site.write("/routes.py", '# /// script\n# [tool.fauxserver]\n# files = ["books.json"]\n# ///\n' + GOOD)
    visitor.open(routes=["/routes.py"])
    box = visitor.box
    said = ["routes.py: Cannot load", "/books.json", "404", "routes.py:3", '# files = ["books.json"]']
    assert [word for word in said if word not in box] == [], box


@pytest.mark.parametrize("address", ["http://[", "%zz.py", "http://127.0.0.1:1/routes.py"])
def test_a_route_file_whose_address_leads_nowhere_stops_no_other(visitor: Visitor, site: Site, address: str):
    site.write("/good.py", GOOD)
    visitor.open(f'<script type="text/python" src="{address}"></script>', python("/good.py"))
    assert visitor.run("return ask('good')") == {"good": True}
    assert address in visitor.box
    assert visitor.errors == []


@pytest.mark.parametrize(
    ("helper", "place", "says"),
    [("x = 1\nraise ValueError('no shelf')\n", "helper.py:2", "no shelf"), ("x = (\n", "helper.py:1", "SyntaxError")],
)
def test_an_error_in_a_declared_helper_is_shown_there(visitor: Visitor, site: Site, helper: str, place: str, says: str):
    site.write("/routes.py", '# /// script\n# [tool.fauxserver]\n# files = ["helper.py"]\n# ///\nimport helper\n')
    site.write("/helper.py", helper)
    visitor.open(routes=["/routes.py"])
    box, told = visitor.box, "\n".join(visitor.failures)
    assert [word for word in (place, says) if word not in box] == [], box
    # Our own lines lead nobody anywhere.
    assert (says in told, "/lib/fauxserver.zip" in told) == (True, False), told


def test_a_package_that_is_missing_is_named(visitor: Visitor, site: Site):
    site.write(
        "/routes.py",
        '# /// script\n# dependencies = ["not-there-at-all"]\n'
        f'# [tool.fauxserver]\n# index = "{site.url}/simple/"\n# ///\n' + GOOD,
    )
    visitor.open(routes=["/routes.py"])
    assert "not-there-at-all" in visitor.box


def test_the_error_box_can_be_closed(visitor: Visitor, site: Site):
    site.write("/routes.py", "1 / 0\n")
    visitor.open(routes=["/routes.py"])
    close = "document.querySelector('fauxserver-errors').shadowRoot.querySelector('button')"
    assert visitor.run(f"return {close}.getAttribute('aria-label')") == "Close"
    visitor.run(f"{close}.click()")
    assert visitor.box is None


def test_load_runs_another_route_file(visitor: Visitor, site: Site):
    site.write("/later.py", GOOD)
    visitor.open()
    assert visitor.run("await fauxServer.load('later.py'); return ask('good')") == {"good": True}
    message = visitor.run("return fauxServer.load('missing.py').then(() => 'loaded', error => String(error.message))")
    assert "missing.py" in message


ASKED_AGAIN = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('routes.py')).length > 1"
ADD = "return ask('books', { method: 'create', data: { a: 1 } })"
RELOADED = """
from fauxserver import FauxServer
server = FauxServer()
books = []

@server.post("books")
def add(data):
    books.append(data)
    return {"version": VERSION, "count": len(books)}
"""


def test_data_reload_brings_a_saved_file_in_and_keeps_the_data(visitor: Visitor, site: Site):
    site.write("/routes.py", RELOADED.replace("VERSION", "1"))
    visitor.open(routes=["/routes.py"], data_reload=True)
    assert visitor.run(ADD) == {"version": 1, "count": 1}
    visitor.until(ASKED_AGAIN)
    site.write("/routes.py", RELOADED.replace("VERSION", "2"))
    visitor.until("(await ask('books', { method: 'create' })).version === 2")
    assert visitor.run(ADD)["count"] > 2
    assert visitor.failures == []


def test_data_reload_survives_a_file_that_is_wrong_for_a_while(visitor: Visitor, site: Site):
    site.write("/routes.py", RELOADED.replace("VERSION", "1"))
    visitor.open(routes=["/routes.py"], data_reload=True)
    visitor.until(ASKED_AGAIN)
    site.write("/routes.py", RELOADED.replace("VERSION", "(("))
    visitor.until(f"{BOX}?.includes('routes.py')")
    assert visitor.run(ADD) == {"version": 1, "count": 1}
    site.write("/routes.py", RELOADED.replace("VERSION", "3"))
    visitor.until("(await ask('books', { method: 'create' })).version === 3")


def test_without_data_reload_nobody_asks(visitor: Visitor, site: Site):
    site.write("/routes.py", RELOADED.replace("VERSION", "1"))
    visitor.open(script("window.here = true"), routes=["/routes.py"])
    assert [seen.method for seen in site.reached("/routes.py")] == ["GET"]


def test_route_files_lie_on_another_address_than_the_page(visitor: Visitor, site: Site):
    site.write("/pages/deep/routes.py", GOOD)
    visitor.visit(
        html(routes=[]).replace("</title>", "</title>\n") + '\n<script type="text/python" src="routes.py"></script>',
        "/pages/deep/page.html",
    )
    assert visitor.ready() == "snapshot"
    assert visitor.run("return ask('good')") == {"good": True}


KEPT = """# /// script
# [tool.fauxserver]
# files = ["books.json"]
# ///
import json
from pathlib import Path
from fauxserver import FauxServer

server = FauxServer()
books = json.loads(Path(__file__).with_name("books.json").read_text())

@server.post("books")
def add_book(data):
    books.append(data["title"])

@server.get("books")
def list_books():
    return books
"""


def test_a_route_files_new_text_takes_effect_and_its_data_is_kept(visitor: Visitor, site: Site):
    site.write("/routes.py", KEPT)
    site.write("/books.json", '["Franny"]')
    visitor.open(routes=["/routes.py"])
    # Nothing is asked for again: a page whose server is gone can still be changed.
    site.files.clear()
    assert visitor.run(
        """
        await ask("books", { method: "create", model: new Backbone.Model({ title: "Zooey" }) })
        await fauxServer.load("routes.py", given)
        return ask("books")
        """,
        KEPT.replace("return books\n", "return [book.upper() for book in books]\n"),
    ) == ["FRANNY", "ZOOEY"]
    assert visitor.failures == []


def test_a_text_that_declares_another_file_gets_that_one_too(visitor: Visitor, site: Site):
    site.write("/routes.py", KEPT)
    site.write("/books.json", '["Franny"]')
    site.write("/more.json", '["Zooey"]')
    visitor.open(routes=["/routes.py"])
    new = KEPT.replace('"books.json"]', '"books.json", "more.json"]').replace(
        "return books\n", 'return books + json.loads(Path(__file__).with_name("more.json").read_text())\n'
    )
    assert visitor.run("await fauxServer.load('routes.py', given); return ask('books')", new) == ["Franny", "Zooey"]
    assert [seen.path for seen in site.requests].count("/books.json") == 1


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "return books\n",
            "return books)\n",
            ["routes.py, line 18: SyntaxError: unmatched ')'", "routes.py", 18, "return books)"],
        ),
        (
            "server = FauxServer()",
            "server = 1 / 0",
            ["routes.py, line 9: ZeroDivisionError: division by zero", "routes.py", 9, "server = 1 / 0"],
        ),
        (
            '"books.json"',
            '"none.json"',
            [
                "routes.py: Cannot load SITE/none.json: the server answers 404 Not Found. Check the address.",
                "routes.py",
                3,
                '# files = ["none.json"]',
            ],
        ),
    ],
    ids=["it does not parse", "it raises", "it lacks a file"],
)
def test_a_text_that_is_wrong_says_where_and_the_routes_stay(visitor: Visitor, site: Site, old: str, new: str, fault):
    site.write("/routes.py", KEPT)
    site.write("/books.json", '["Franny"]')
    visitor.open(routes=["/routes.py"])
    code = """
        const error = await fauxServer.load("routes.py", given).catch(error => error)
        const { file, line, source } = error.fault
        return [[error.message, file, line, source], await ask("books")]
    """
    told = [part.replace("SITE", site.url) if isinstance(part, str) else part for part in fault]
    assert visitor.run(code, KEPT.replace(old, new, 1)) == [told, ["Franny"]]


def test_listeners_hear_of_answers_and_of_a_switch_that_python_turns(visitor: Visitor, site: Site):
    site.write("/routes.py", KEPT.replace("return books\n", "return books / 2\n"))
    site.write("/books.json", '["Franny"]')
    visitor.open(routes=["/routes.py"], data_quiet=True)
    assert visitor.run("""
        const heard = []
        fauxServer.on("answer", ({ method, url, data, status, body, label, location, error }) => {
          const place = error && [error.file, error.line, error.source]
          heard.push([method, url, data, status, body, label, location, place])
        })
        fauxServer.on("enable", flag => heard.push(flag))
        await ask("books", { method: "create", model: new Backbone.Model({ title: "Zooey" }) })
        await ask("books")
        await fauxServer.runPython("server.enable(False)")
        return heard
    """) == [
        ["POST", "books", {"title": "Zooey"}, 200, None, "add_book", "routes.py:12", None],
        [
            "GET",
            "books",
            None,
            500,
            "TypeError: unsupported operand type(s) for /: 'list' and 'int' (in list_books, routes.py:18)",
            "list_books",
            "routes.py:16",
            ["routes.py", 18, "return books / 2"],
        ],
        False,
    ]
