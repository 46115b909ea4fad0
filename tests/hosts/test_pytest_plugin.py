"""The pytest plugin, in a pytest of its own: once within this process, once in another where that is the point."""

import os
import re
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
ROUTES = """\
from fauxserver import FauxServer, HTTPError

server = FauxServer()
books = {1: {"id": 1, "title": "Nine Stories"}}


@server.get("api/books")
def list_books():
    return list(books.values())


@server.post("api/books")
def create_book(data):
    books[2] = {**data, "id": 2}
    return books[2], 201


@server.get("api/broken")
def broken():
    return books["missing"]
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a route file, whose pytest has our plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Where fauxserver is installed, this process has imported it long ago.
    monkeypatch.setenv(
        "PYTEST_ADDOPTS",
        "-p fauxserver.hosts.pytest_plugin --strict-markers -W error -W 'ignore:Module already imported'",
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(routes=ROUTES)
    pytester.makeini("[pytest]\nfaux_routes = routes.py\n")
    return pytester


def test_a_test_asks_the_route_file_in_its_own_process(inner):
    inner.makepyfile(
        """
        import asyncio
        from fauxserver import Request

        def test_books(faux):
            response = asyncio.run(faux.handle(Request("POST", "api/books", {"title": "Franny"})))
            assert (response.status, response.body) == (201, {"title": "Franny", "id": 2})
            assert [entry.label for entry in faux.journal] == ["create_book"]
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=1)


def test_each_test_has_a_fresh_server(inner):
    inner.makepyfile(
        """
        import pytest
        from fauxserver import Request

        def ask(faux, method, url, data=None):
            exchange = faux.accept(Request(method, url, data))
            return exchange and exchange.answer().body

        @pytest.mark.parametrize("time", ["first", "second"])
        def test_books(faux, time):
            assert len(faux.journal) == 0
            assert ask(faux, "GET", "api/mine") is None
            assert ask(faux, "GET", "api/books") == [{"id": 1, "title": "Nine Stories"}]

            ask(faux, "POST", "api/books", {})
            assert len(ask(faux, "GET", "api/books")) == 2
            faux.get("api/books", []).get("api/mine", time).set_latency(100)
            assert ask(faux, "GET", "api/books") == []
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_failed_test_shows_what_was_asked(inner):
    inner.makepyfile(
        """
        import asyncio
        from fauxserver import Request

        def test_books(faux):
            for url in ("api/books", "api/bookz", "api/broken"):
                asyncio.run(faux.handle(Request("GET", url)))
            assert False
        """
    )

    result = inner.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"-+ faux: what was asked -+",
            r"GET api/books → 200, \d+ ms, list_books routes\.py:7",
            r"GET api/bookz → no route\. Nearest: GET api/books \(routes\.py:7\) has \"books\" where .* \"bookz\".*",
            r"GET api/broken → 500, \d+ ms, broken routes\.py:18",
            r"    Traceback \(most recent call last\):",
            r"      File \".*routes\.py\", line 20, in broken",
            r"        return books\[\"missing\"\]",
        ],
        consecutive=False,
    )


def test_what_was_asked_is_shown_where_a_fixture_fails_and_only_once(inner):
    inner.makepyfile(
        """
        import pytest

        @pytest.fixture
        def early(faux):
            faux.dispatch("GET", "api/books")
            raise ValueError("early")

        @pytest.fixture
        def late(faux):
            yield
            raise ValueError("late")

        def test_early(early):
            pass

        def test_late(late):
            pass

        def test_both(late):
            assert False

        def test_passed(faux):
            faux.dispatch("GET", "api/books")

        @pytest.mark.xfail
        def test_expected(faux):
            assert False
        """
    )

    result = inner.runpytest_inprocess("-rA")

    result.assert_outcomes(passed=2, failed=1, errors=3, xfailed=1)
    shown = re.findall(
        r"(?s)_ (?:ERROR at \w+ of )?(\w+) _+\n(?:(?!\n_).)*?\n-+ faux: what was asked -+\n(.*?)\n", str(result.stdout)
    )
    assert sorted(name for name, _ in shown) == ["test_both", "test_early", "test_late"]
    assert {name: line.partition(",")[0] for name, line in shown}["test_early"] == "GET api/books → 200"


def test_a_test_asks_over_http(inner):
    inner.makepyfile(
        """
        import json
        from urllib.request import Request, urlopen

        def test_books(faux, faux_url):
            faux.get("api/motto", {"text": "read more"})
            assert json.load(urlopen(f"{faux_url}/api/motto")) == {"text": "read more"}
            sent = Request(f"{faux_url}/api/books", b'{"title": "Franny"}', {"content-type": "application/json"})
            assert urlopen(sent).status == 201
            assert [entry.status for entry in faux.journal] == [200, 201]

        def test_again(faux_url):
            assert len(json.load(urlopen(f"{faux_url}/api/books"))) == 1
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def test_what_belongs_to_a_thread_is_made_on_the_one_that_calls_the_handlers(inner):
    inner.makepyfile(
        routes="""
        import sqlite3
        from fauxserver import FauxServer

        server = FauxServer()
        database = sqlite3.connect(":memory:")
        server.get("api/one", lambda: database.execute("select 1").fetchone()[0])
        """
    )
    inner.makepyfile(
        """
        import pytest
        from urllib.request import urlopen

        @pytest.mark.parametrize("time", [1, 2])
        def test_over_http(faux_url, time):
            assert urlopen(f"{faux_url}/api/one").read() == b"1"

        def test_in_this_process(faux):
            assert faux.dispatch("GET", "api/one").body == 1

        def test_over_http_again(faux_url):
            assert urlopen(f"{faux_url}/api/one").read() == b"1"
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_client_that_outlives_its_test_is_answered_by_nobody(inner):
    inner.makepyfile(
        """
        from urllib.error import HTTPError
        from urllib.request import urlopen
        import pytest

        urls = []

        def test_one(faux, faux_url):
            faux.get("mine", [])
            urls.append(f"{faux_url}/mine")
            assert urlopen(urls[0]).status == 200

        def test_none():
            with pytest.raises(HTTPError, match="404"):
                urlopen(urls[0])

        def test_another(faux, faux_url):
            with pytest.raises(HTTPError, match="404"):
                urlopen(urls[0])
            assert [missed.url for missed in faux.missed] == urls
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=3)


# --- Where the routes come from -----------------------------------------------------------------------------------


def test_without_a_route_file_there_are_the_routes_of_the_test(inner):
    inner.makeini("[pytest]\n")
    inner.makepyfile(
        """
        from fauxserver import Request

        def test_books(faux):
            assert len(faux) == 0
            faux.get("api/books", [])
            assert faux.accept(Request("GET", "api/books")).answer().body == []

        def test_others(faux):
            assert len(faux) == 0
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def routes_that_say(word):
    return f"from fauxserver import FauxServer\nserver = FauxServer().get('who', {word!r})\n"


WHO = """
import pytest
from fauxserver import Request

def who(faux):
    return faux.accept(Request("GET", "who")).route.handler
"""


def test_the_nearest_marker_wins_over_the_ini_file(inner):
    folder = inner.mkpydir("unit")
    for name in ("module", "class", "function"):
        (folder / f"{name}_routes.py").write_text(routes_that_say(name))
    inner.makepyfile(root_routes=routes_that_say("root"), routes=routes_that_say("ini"))
    (folder / "test_marked.py").write_text(
        WHO
        + """
pytestmark = pytest.mark.faux("module_routes.py")

def test_module(faux):
    assert who(faux) == "module"

@pytest.mark.faux("class_routes.py")
class TestClass:
    def test_class(self, faux):
        assert who(faux) == "class"

    @pytest.mark.faux("function_routes.py")
    def test_function(self, faux):
        assert who(faux) == "function"

@pytest.mark.faux("root_routes.py")
def test_beside_the_ini_file(faux):
    assert who(faux) == "root"
"""
    )
    (folder / "test_plain.py").write_text(f"{WHO}\ndef test_ini(faux):\n    assert who(faux) == 'ini'\n")

    inner.runpytest_inprocess().assert_outcomes(passed=5)


def test_the_ini_file_names_it_from_its_own_folder(inner):
    inner.makefile(".toml", pyproject='[tool.pytest.ini_options]\nfaux_routes = "back end/routes.py"\n')
    (inner.path / "tox.ini").unlink()
    inner.mkdir("back end").joinpath("routes.py").write_text(routes_that_say("toml"))
    inner.mkdir("tests").joinpath("test_it.py").write_text(
        f"{WHO}\ndef test_toml(faux):\n    assert who(faux) == 'toml'\n"
    )

    inner.runpytest_inprocess("tests").assert_outcomes(passed=1)


def test_a_marker_is_enough_where_the_fixture_is_not_named(inner):
    inner.makepyfile(
        """
        import unittest
        import pytest

        pytestmark = pytest.mark.faux("routes.py")

        def test_function(request):
            assert len(request.getfixturevalue("faux")) == 3

        class TestUnit(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _keep(self, faux):
                self.faux = faux

            def test_method(self):
                self.assertEqual(len(self.faux), 3)
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_marker_on_one_of_several_parameters_is_for_that_one_alone(inner):
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.faux("routes.py"))])
        def test_function(request, number):
            assert ("faux" in request.node.funcargs) == (number == 2)
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_test_reads_the_variables_of_the_route_file(inner):
    inner.makepyfile(
        """
        import pytest
        from fauxserver import Request

        def test_books(faux):
            faux.accept(Request("POST", "api/books", {"title": "Franny"})).answer()
            assert faux.module.books[2] == {"title": "Franny", "id": 2}

        def test_fresh(faux):
            assert list(faux.module.books) == [1]

        @pytest.mark.faux("other.py")
        def test_other(faux):
            assert not hasattr(faux.module, "books")
        """,
        other=routes_that_say("other"),
    )

    inner.runpytest_inprocess().assert_outcomes(passed=3)


# --- What goes wrong ----------------------------------------------------------------------------------------------


def told(inner, *arguments):
    """What pytest says of the first test that goes wrong, from its headline on."""
    out = inner.runpytest_inprocess("-p", "no:cacheprovider", *arguments).stdout.lines
    start = next(number for number, line in enumerate(out) if line.startswith("____"))
    end = next(number for number, line in enumerate(out) if number > start and line.startswith("==="))
    return "\n".join(out[start + 1 : end]).replace(str(inner.path), "ROOT")


def test_a_route_file_that_the_ini_file_names_is_not_there(inner):
    inner.makeini("[pytest]\nfaux_routes = rotes.py\n")
    inner.makepyfile("def test_books(faux):\n    pass\n")

    assert told(inner) == (
        "faux_routes in ROOT/tox.ini names a route file that is not there: ROOT/rotes.py. Check its name."
    )


def test_a_route_file_that_a_marker_names_is_not_there(inner):
    inner.mkdir("tests").joinpath("test_it.py").write_text(
        "import pytest\n\n@pytest.mark.faux('rotes.py')\ndef test_books(faux):\n    pass\n"
    )

    assert told(inner) == (
        "@pytest.mark.faux('rotes.py') of tests/test_it.py::test_books names a route file that is not there: "
        "ROOT/tests/rotes.py, nor ROOT/rotes.py. Check its name."
    )


@pytest.mark.parametrize(
    ("marker", "given"),
    [
        ("faux", ""),
        ("faux()", ""),
        ("faux(7)", "7"),
        ("faux('a.py', 'b.py')", "'a.py', 'b.py'"),
        ("faux(routes='a.py')", "routes='a.py'"),
    ],
)
def test_a_marker_names_no_route_file(inner, marker, given):
    inner.makepyfile(test_it=f"import pytest\n\n@pytest.mark.{marker}\ndef test_books(faux):\n    pass\n")

    assert told(inner) == (
        f"test_it.py::test_books: @pytest.mark.faux({given}) names no route file. "
        'Give it one, as in @pytest.mark.faux("routes.py").'
    )


def test_a_route_file_that_raises_is_told_with_its_line(inner):
    inner.makepyfile(routes="import json\nbooks = json.loads('')\n")
    inner.makepyfile("def test_books(faux):\n    pass\n")

    lines = told(inner).splitlines()

    assert lines[:5] == [
        "routes.py, line 2: JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
        "",
        "Traceback (most recent call last):",
        '  File "ROOT/routes.py", line 2, in <module>',
        "    books = json.loads('')",
    ]


@pytest.mark.parametrize("fixture", ["faux", "faux_url"])
def test_a_route_file_that_does_not_parse_is_told_with_its_line(inner, fixture):
    inner.makepyfile(routes="books = [\n")
    inner.makepyfile(f"def test_books({fixture}):\n    pass\n")

    assert told(inner).splitlines() == [
        "routes.py, line 1: SyntaxError: '[' was never closed",
        "",
        '  File "ROOT/routes.py", line 1',
        "    books = [",
        "            ^",
        "SyntaxError: '[' was never closed",
    ]


def test_a_route_file_that_lacks_a_package_is_told_with_its_line(inner):
    inner.makepyfile(routes='# /// script\n# dependencies = ["no-such-package"]\n# ///\n')
    inner.makepyfile("def test_books(faux):\n    pass\n")

    assert told(inner).splitlines() == [
        "routes.py depends on no-such-package, which is not installed here. "
        'Run: python -m pip install "no-such-package"',
        "",
        "  ROOT/routes.py:2",
        '    # dependencies = ["no-such-package"]',
    ]


@pytest.mark.parametrize("fixture", ["faux", "faux_url"])
def test_a_route_file_without_a_server_is_told(inner, fixture):
    inner.makepyfile(routes="books = []\n")
    inner.makepyfile(f"def test_books({fixture}):\n    pass\n")

    assert told(inner) == (
        "ROOT/routes.py has no server. Write `server = FauxServer()` in it, and add the routes to that."
    )


def test_a_route_file_that_raises_only_the_second_time_fails_that_test_alone(inner):
    inner.makepyfile(
        routes=routes_that_say("me") + "import builtins\nbuiltins.runs = runs = getattr(builtins, 'runs', 0) + 1\n"
        "assert runs != 2, 'the second time'\n"
    )
    inner.makepyfile(f"{WHO}\n@pytest.mark.parametrize('time', [1, 2, 3])\ndef test_it(faux, time):\n    who(faux)\n")

    result = inner.runpytest_inprocess()

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["routes.py, line 5: AssertionError: the second time"])


# --- The company of others ----------------------------------------------------------------------------------------

NOT_YET = """
import sys

HEAVY = ("asyncio", "uvicorn", "playwright", "concurrent.futures", "http.client")

def test_without_the_fixture():
    ours = sorted(name for name in sys.modules if name.startswith("fauxserver"))
    assert ours == ["fauxserver", "fauxserver.hosts", "fauxserver.hosts.pytest_plugin"]
    assert [name for name in HEAVY if name in sys.modules] == []

def test_with_the_fixture(faux):
    assert [name for name in ("uvicorn", "playwright") if name in sys.modules] == []
"""


def test_nothing_heavy_is_imported_until_a_fixture_is_used(inner):
    inner.makepyfile(NOT_YET)

    inner.runpytest_subprocess().assert_outcomes(passed=2)


def test_it_is_there_where_fauxserver_is_installed_unless_it_is_left_out(inner, monkeypatch):
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    installed = inner.mkdir("installed") / "fauxserver-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: fauxserver\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(
        "[pytest11]\n" + "".join(f"{name} = {module}\n" for name, module in entry.items())
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(installed.parent)]))
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:playwright -p no:playwright-asyncio -p no:asyncio -W error")
    inner.makepyfile("def test_books(faux):\n    assert len(faux) == 3\n")

    inner.runpytest_subprocess().assert_outcomes(passed=1)
    inner.makeini("[pytest]\n")
    left_out = inner.runpytest_subprocess("-p", "no:fauxserver")

    left_out.assert_outcomes(errors=1)
    left_out.stdout.fnmatch_lines(["E       fixture 'faux' not found"])


def test_it_adds_no_fixture_and_no_line_to_a_run_that_does_not_use_it(inner, monkeypatch):
    inner.makeini("[pytest]\n")
    inner.makepyfile("def test_nothing(request):\n    assert request.fixturenames == ['request']\n")
    said = []
    for options in ("-p fauxserver.hosts.pytest_plugin -W 'ignore:Module already imported'", ""):
        monkeypatch.setenv("PYTEST_ADDOPTS", f"{options} --setup-show -o console_output_style=classic")
        lines = inner.runpytest_inprocess("-p", "no:cacheprovider").stdout.lines
        said.append([line for line in lines if " in " not in line and not line.startswith(("plugins:", "configfile:"))])

    assert said[0] == said[1]


def test_each_worker_has_its_own_server_and_port(inner):
    inner.makepyfile(
        """
        import json
        import os
        from pathlib import Path
        from urllib.request import Request, urlopen
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_books(faux, faux_url, number):
            (Path(__file__).parent / f"{os.environ['PYTEST_XDIST_WORKER']}.url").write_text(faux_url)
            urlopen(Request(f"{faux_url}/api/books", b"{}", {"content-type": "application/json"}))
            assert len(json.load(urlopen(f"{faux_url}/api/books"))) == 2
            assert len(faux.journal) == 2
        """
    )

    inner.runpytest_subprocess("-p", "xdist", "-n", "2").assert_outcomes(passed=6)

    assert len({file.read_text() for file in inner.path.glob("*.url")}) == 2


ASYNCHRONOUS = """
import json
from urllib.request import urlopen
import pytest
from fauxserver import Request

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.{marker}
async def test_books(faux):
    @faux.get("api/slow")
    async def slow():
        return {{"slow": True}}

    assert (await faux.handle(Request("GET", "api/slow"))).body == {{"slow": True}}

@pytest.mark.{marker}
async def test_over_http(faux_url):
    assert len(json.load(urlopen(f"{{faux_url}}/api/books"))) == 1
"""


@pytest.mark.parametrize(
    ("plugin", "options"), [("asyncio", ["-o", "asyncio_default_fixture_loop_scope=function"]), ("anyio", [])]
)
def test_asynchronous_tests_have_it_too(inner, plugin, options):
    inner.makepyfile(ASYNCHRONOUS.format(marker=plugin))

    inner.runpytest_subprocess("-p", plugin, *options).assert_outcomes(passed=2)
