"""Read, run, reload and reset a route file."""

import asyncio
import sys
import traceback

import pytest

from fauxserver import FauxServer, Request, RouteFileError
from fauxserver.routefile import Metadata, RouteFile, metadata

BOOKS = """\
import itertools
from fauxserver import FauxServer

server = FauxServer()
books, next_id = {}, itertools.count(1)
for title in ["Franny", "Zooey"]:
    number = next(next_id)
    books[number] = {"id": number, "title": title}

@server.get("books")
def list_books():
    return list(books.values())

@server.post("books")
def create_book(data):
    book = {**data, "id": next(next_id)}
    books[book["id"]] = book
    return book
"""


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    """What a test imports is forgotten after it."""
    for name in ("routes", "more"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        if not name.startswith(("fauxserver", "encodings", "tomllib", "importlib", "email")):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write(source, name="routes.py"):
        path = tmp_path / name
        path.write_text(source, encoding="utf-8")
        return RouteFile(path)

    return write


def ask(server, method="GET", url="books", data=None):
    return asyncio.run(server.handle(Request(method, url, data))).body


def titles(server):
    return [book["title"] for book in ask(server)]


# --- Running ------------------------------------------------------------------------------------------------------


def test_a_route_file_runs_once_as_a_module_named_after_it(write):
    file = write(BOOKS)

    module = file.run()
    ask(module.server, "POST", "books", {"title": "Seymour"})

    assert (file.run() is module, sys.modules["routes"] is module, module.__name__) == (True, True, "routes")
    assert file.servers == [module.server]
    assert titles(module.server) == ["Franny", "Zooey", "Seymour"]


def test_later_files_import_earlier_ones_and_what_lies_beside_them(write, tmp_path):
    write(BOOKS).run()
    (tmp_path / "beside.py").write_text("word = 'beside'")

    other = write("import beside\nfrom routes import server\nserver.get('word', {'word': beside.word})\n", "more.py")
    other.run()

    assert ask(other.servers[0], "GET", "word") == {"word": "beside"}


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("books = [1]", "books = [1]", True),
        ("books = [1]", "\n# All of them\nbooks   =  [ 1 ]  # for now", True),
        ("books = [1]", "books = [2]", False),
        ("x = 1; books = [1]", "x = 2; books = [1]", True),
        ("x = 1; books = [1]", "x = 1; books = [2]", False),
        ("books = [\n 1,\n]", "books = [\n 2,\n]", False),
        # Neither a form feed nor a separator of lines begins one, as the compiler counts.
        ("a = '\x0c\u2028'\nbooks = [1]\nc = 1", "a = '\x0c\u2028'\nbooks = [2]\nc = 1", False),
    ],
)
def test_data_is_kept_while_the_statement_that_makes_it_is_the_same(write, before, after, kept):
    file = write(before)
    module = file.run()
    data = module.books

    file.reload(after)

    assert (module.books is data) is kept


def test_a_name_that_is_taken_is_left_alone(write, tmp_path):
    (tmp_path / "b").mkdir()
    first, second = write(BOOKS), write(BOOKS, "b/routes.py")

    names = [write("x = 1", "json.py").run().__name__, first.run().__name__, second.run().__name__]

    assert (names, sys.modules["json"].__name__) == (["json_2", "routes", "routes_2"], "json")


def test_each_server_among_the_globals_counts_once(write):
    file = write("from fauxserver import FauxServer\na = b = FauxServer()\nc = FauxServer()\nd = [FauxServer()]\n")
    module = file.run()

    assert file.servers == [module.a, module.c]


def test_a_text_that_is_nowhere_on_the_disk_has_lines_too():
    file = RouteFile("given_routes.py", "from fauxserver import FauxServer\ndef f():\n    return 1 / 0\n")
    module = file.run()

    try:
        module.f()
    except ZeroDivisionError:
        text = traceback.format_exc()

    assert 'File "given_routes.py", line 3, in f\n    return 1 / 0' in text


@pytest.mark.parametrize(
    ("source", "line", "text", "message"),
    [
        ("x = 1\nx = = 2\n", 2, "x = = 2", "routes.py, line 2: SyntaxError: invalid syntax"),
        ("x = 1\n  y = 2\n", 2, "y = 2", "routes.py, line 2: IndentationError: unexpected indent"),
        ("x = 1\n\nx + bokos\n", 3, "x + bokos", "routes.py, line 3: NameError: name 'bokos' is not defined"),
        ("import nowhere_to_be_found\n", 1, "import nowhere_to_be_found", None),
        ("import sys\nsys.exit(3)\n", 2, "sys.exit(3)", "routes.py, line 2: SystemExit: 3"),
        ("raise RuntimeError\n", 1, "raise RuntimeError", "routes.py, line 1: RuntimeError"),
        (
            "from fauxserver import FauxServer\nFauxServer().get('a(', [])\n",
            2,
            "FauxServer().get('a(', [])",
            "routes.py, line 2: UrlExpError: Unbalanced parentheses in 'a(': it opens a parenthesis that is not "
            "closed. Parentheses mark a part that may be left out, as in books(/:id).",
        ),
        ("def f():\n    return g()\ndef g():\n    raise KeyError('x')\nf()\n", 4, "raise KeyError('x')", None),
        ("x = '\0'\n", None, None, None),
    ],
)
def test_a_file_that_does_not_run_says_where(write, source, line, text, message):
    file = write(source)

    with pytest.raises(RouteFileError) as raised:
        file.run()

    error = raised.value
    assert (error.file, error.line, error.source_line) == (file.path, line, text)
    assert str(error) == (message or str(error))
    assert error.__cause__ is not None
    assert "routes" not in sys.modules


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(RouteFileError) as raised:
        RouteFile(tmp_path / "none.py")

    path = tmp_path / "none.py"
    assert str(raised.value) == f"Cannot read the route file {path}: No such file or directory. Check its name."


def test_a_file_that_is_no_text_says_so(tmp_path):
    (tmp_path / "bytes.py").write_bytes(b"x = '\xff'")

    with pytest.raises(RouteFileError, match=r"Cannot read the route file .*bytes\.py: .*\. Save it as UTF-8\."):
        RouteFile(tmp_path / "bytes.py")


# --- What it declares ---------------------------------------------------------------------------------------------

HEAD = """\
# /// script
# dependencies = [
#     "humanize>=4",
# ]
#
# [tool.fauxserver]
# files = ["books.json", "helpers.py"]
# index = "https://wheels.example.com/simple"
# ///
"""


@pytest.mark.parametrize(
    ("source", "declared"),
    [
        ("x = 1", Metadata()),
        (HEAD, Metadata(("humanize>=4",), ("books.json", "helpers.py"), ("https://wheels.example.com/simple",))),
        (
            HEAD.replace("\n", "\r\n"),
            Metadata(("humanize>=4",), ("books.json", "helpers.py"), ("https://wheels.example.com/simple",)),
        ),
        ('"""Doc."""\n\n# /// script\n# dependencies = []\n# ///\nx = 1\n', Metadata()),
        ("# /// other\n# a = [\n# ///\n", Metadata()),
        ("# /// script\n# dependencies = []\n", Metadata()),
    ],
)
def test_metadata(source, declared):
    assert metadata(source) == declared


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (
            "x = 1\n# /// script\n# dependencies = [\n# ///\n",
            2,
            "The script metadata of routes.py is no TOML: Invalid value (at end of document) (counted from line 3).",
        ),
        (
            "# /// script\n# dependencies = 'humanize'\n# ///\n",
            2,
            "The script metadata of routes.py has dependencies = 'humanize'. "
            'Write a list of texts: dependencies = ["…"].',
        ),
        (
            "# /// script\n# [tool.fauxserver]\n# files = [1]\n# ///\n",
            3,
            'The script metadata of routes.py has files = [1]. Write a list of texts: files = ["…"].',
        ),
        (
            2 * "# /// script\n# dependencies = []\n# ///\n\n",
            None,
            "routes.py has two blocks of script metadata. Join them.",
        ),
    ],
)
def test_metadata_that_cannot_be_read_says_so(source, line, message):
    with pytest.raises(RouteFileError) as raised:
        metadata(source)

    assert str(raised.value) == message
    assert line is None or raised.value.line == line


def test_a_package_that_is_not_installed_is_named_with_its_cure(write):
    file = write(
        '# /// script\n# dependencies = ["pytest", "no-such-thing>=4", "x; sys_platform == \'none\'"]\n# ///\n'
    )

    with pytest.raises(RouteFileError) as raised:
        file.run()

    assert (str(raised.value), raised.value.line) == (
        "routes.py depends on no-such-thing>=4, which is not installed here. "
        'Run: python -m pip install "no-such-thing>=4"',
        2,
    )


def test_a_file_that_is_not_beside_it_is_named(write, tmp_path):
    file = write('# /// script\n# [tool.fauxserver]\n# files = ["books.json"]\n# ///\n')

    with pytest.raises(RouteFileError) as raised:
        file.run()

    assert (str(raised.value), raised.value.line) == (
        f"routes.py lists the file 'books.json', and there is none in {tmp_path}. "
        "Put it there, or take it out of the list.",
        3,
    )


# --- Reloading ----------------------------------------------------------------------------------------------------


def test_reloading_keeps_the_data_and_takes_the_new_behaviour(write):
    file = write(BOOKS)
    server = file.run().server
    outer = FauxServer().get("before", []).include(server).get("after", [])
    ask(server, "POST", "books", {"title": "Seymour"})
    journal = len(server.journal)

    file.reload(
        BOOKS.replace("list(books.values())", "[*books.values(), {'title': 'new'}]") + "server.get('more', [])\n"
    )
    ask(server, "POST", "books", {"title": "Buddy"})

    assert (file.module.server is server, file.servers, journal) == (True, [server], 1)
    assert titles(outer) == ["Franny", "Zooey", "Seymour", "Buddy", "new"]
    assert [outer.get_route_at(index).url_exp for index in range(len(outer))] == [
        "before",
        "books",
        "books",
        "more",
        "after",
    ]
    assert ask(server)[3]["id"] == 4


def test_reloading_reads_the_file_again(write, tmp_path):
    file = write(BOOKS)
    server = file.run().server

    (tmp_path / "routes.py").write_text(BOOKS.replace('"books"', '"volumes"'))
    file.reload()

    assert [route.exp.expression for route in server.routes.rows()] == ["volumes", "volumes"]


KEPT = """\
from fauxserver import FauxServer
import math
class Store:
    def __init__(self):
        self.items = []
server = FauxServer()
store = Store()
count = 1
limit = 10
books: dict = {}
handler = lambda: count
books["a"] = math.floor(1.5)
if limit:
    books["b"] = 2
def seed(into):
    into["seeded"] = True
seed(books)
"""


def test_what_stays_and_what_is_made_anew(write):
    file = write(KEPT)
    module = file.run()
    old = dict(vars(module))
    module.count, module.limit = 7, 70
    module.books.clear()
    module.store.items.append("kept")

    file.reload(KEPT.replace("limit = 10", "limit = 20").replace("if limit:", "if limit > 5:"))

    assert (module.count, module.limit, module.store.items) == (7, 20, ["kept"])
    assert module.books is old["books"]
    # What fills the kept books is not run again, unless it changed, or calls a function of the file.
    assert module.books == {"b": 2, "seeded": True}
    assert (module.server is old["server"], module.handler is old["handler"], module.Store is old["Store"]) == (
        True,
        False,
        False,
    )


def test_an_object_of_a_class_that_changed_is_made_anew(write):
    file = write(KEPT)
    module = file.run()
    module.store.items.append("lost")

    file.reload(KEPT.replace("self.items = []", "self.items = ['new']"))

    assert module.store.items == ["new"]


@pytest.mark.parametrize("broken", ["x = = 1", "1 / 0", "server.get('a(', [])"])
def test_what_does_not_run_changes_nothing(write, broken):
    file = write(BOOKS)
    server = file.run().server
    outer = FauxServer().include(server)
    ask(server, "POST", "books", {"title": "Seymour"})

    with pytest.raises(RouteFileError) as raised:
        file.reload(
            BOOKS.replace("books, next_id = {}", "books, next_id = {9: {}}") + f"server.get('new', [])\n{broken}\n"
        )
    with pytest.raises(RouteFileError):
        file.reload("nothing")

    assert (raised.value.line, raised.value.source_line) == (len(BOOKS.splitlines()) + 2, broken)
    assert (file.module.server is server, titles(outer), len(outer)) == (True, ["Franny", "Zooey", "Seymour"], 2)
    assert file.reload(BOOKS + "server.get('new', [])\n").server is server
    assert len(outer) == 3


def test_a_server_that_is_new_in_the_file_is_new_among_its_servers(write):
    file = write(BOOKS)
    first = file.run().server

    file.reload(BOOKS + "other = FauxServer().get('other', [])\n")
    both = list(file.servers)
    file.reload(BOOKS)

    assert (both[0] is first, len(both), file.servers) == (True, 2, [first])


# --- Resetting ----------------------------------------------------------------------------------------------------


def test_reset_runs_the_file_again_and_its_data_is_new(write):
    server = write(BOOKS).run().server
    outer = FauxServer().get("before", []).include(server).ready()
    ask(outer, "POST", "books", {"title": "Seymour"})

    outer.get("more", [])
    server.get("books", [])
    outer.reset()

    assert (titles(outer), ask(outer, "POST", "books", {})["id"]) == (["Franny", "Zooey"], 3)
    assert (len(outer), len(outer.journal)) == (3, 2)


def test_reset_keeps_what_was_added_to_a_file_before_ready(write):
    file = write(BOOKS)
    server = file.run().server
    server.get("added", []).set_latency(5)
    server.ready()

    for _ in range(3):
        server.get("later", []).set_latency(9).reset()

    assert ([route.exp.expression for route in server.routes.rows()], server.latency) == (
        ["books", "books", "added"],
        5,
    )


def test_reset_runs_all_files_of_a_server_in_order(write):
    server = write(BOOKS).run().server
    other = write(
        "from routes import server, books\nserver.get('count', lambda: len(books))\nbooks[9] = {}\n", "more.py"
    )
    other.run()
    server.ready()

    for _ in range(3):
        server.reset()

    assert (ask(server, "GET", "count"), len(server)) == (3, 3)


def test_reset_forgets_what_files_beside_it_keep(write, tmp_path):
    (tmp_path / "store.py").write_text("items = []")
    source = "# /// script\n# [tool.fauxserver]\n# files = ['store.py']\n# ///\nimport store\n"
    server = (
        write(source + "from fauxserver import FauxServer\nserver = FauxServer().get('items', store.items)\n")
        .run()
        .server
    )
    server.ready()

    sys.modules["store"].items.append(1)
    before = ask(server, "GET", "items")
    server.reset()

    assert (before, ask(server, "GET", "items")) == ([1], [])


def test_a_reset_that_fails_changes_nothing(write):
    source = BOOKS + "import builtins\nif getattr(builtins, 'broken', False):\n    raise RuntimeError('broken')\n"
    server = write(source).run().server
    ask(server, "POST", "books", {"title": "Seymour"})
    import builtins

    builtins.broken = True
    try:
        with pytest.raises(RouteFileError, match=r"routes\.py, line 21: RuntimeError: broken"):
            server.reset()
    finally:
        del builtins.broken

    assert titles(server) == ["Franny", "Zooey", "Seymour"]


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("import shelves", 'files = ["shelves.py"], or dependencies = ["shelves"]'),
        ("import shelves.top", 'files = ["shelves.py"], or dependencies = ["shelves"]'),
        ("open('no-such-books.json')", 'Path(__file__).with_name("no-such-books.json")'),
    ],
)
def test_what_a_file_lacks_it_is_told_to_declare(source: str, advice: str):
    with pytest.raises(RouteFileError) as raised:
        RouteFile("lacking.py", source).run()

    assert (advice in str(raised.value), raised.value.line) == (True, 1)
