"""The pytest plugin: `faux` is a server for each test, `faux_url` the same over HTTP.

pytest imports this in every run where fauxserver is installed; so nothing else of it is imported until a test asks for
one of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from fauxserver.errors import RouteFileError
    from fauxserver.hosts.faux import Faux
    from fauxserver.hosts.faux_pages import Pages
    from fauxserver.hosts.faux_port import Port

_SERVERS = pytest.StashKey["dict[Path | None, Faux]"]()
"""On the configuration: the servers of this process, by route file."""
_FAUX = pytest.StashKey["Faux"]()
"""On a test: its server."""
_PAGES = pytest.StashKey["Pages | None"]()
"""On a test: the pages that its server answers, where there is Playwright."""
_TOLD = pytest.StashKey[bool]()
"""On a test: whether its report has the journal already."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("faux_routes", "the route file of the fixture faux, as seen from this file's folder")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "faux(route_file): answer with the routes of this file, as seen from the test's folder or the root's"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    # Whoever names a route file means to have it, also where a page is all that the test asks for.
    names = getattr(item, "fixturenames", None)
    if names is not None and "faux" not in names and item.get_closest_marker("faux"):
        # A new list: with other parameters the test may not be marked.
        item.fixturenames = [*names, "faux"]  # type: ignore[attr-defined]


# --- The fixtures --------------------------------------------------------------------------------------------------


@pytest.fixture
def faux(request: pytest.FixtureRequest) -> Iterator[Faux]:
    """A FauxServer for this test, with the routes of the route file (`faux_routes`, or `@pytest.mark.faux`).

    What the test adds to it wins, and is forgotten afterwards.
    """
    stash = request.node.stash
    stash[_TOLD] = False
    stash[_PAGES] = None
    server = stash[_FAUX] = _fresh(request)
    with _answering_pages(request, server) as pages:
        stash[_PAGES] = pages
        yield server
    stash[_PAGES] = None


@pytest.fixture(scope="session")
def _faux_port() -> Iterator[Port]:
    from fauxserver.hosts.faux_port import Port

    with Port() as port:
        yield port


@pytest.fixture
def faux_url(faux: Faux, _faux_port: Port) -> Iterator[str]:
    """The address at which `faux` answers whoever asks over HTTP, as http://127.0.0.1:49152."""
    with _faux_port.answering(faux) as url:
        yield url


def _fresh(request: pytest.FixtureRequest) -> Faux:
    """The server for a test, as it is at the beginning."""
    from fauxserver.errors import RouteFileError
    from fauxserver.hosts.faux import unseen

    servers = request.config.stash.setdefault(_SERVERS, {})
    path = _route_file(request)

    def begin() -> None:
        if path in servers:
            servers[path].reset()
        else:
            servers[path] = _made(path)

    try:
        if "faux_url" in request.fixturenames:
            # What belongs to a thread, as SQLite's connections do, is to belong to the one that calls the handlers.
            request.getfixturevalue("_faux_port").call(begin)
        else:
            with unseen():
                begin()
    except RouteFileError as error:
        fault = _told(error)
    else:
        return servers[path]
    _fail(fault)


def _made(path: Path | None) -> Faux:
    from fauxserver.errors import RouteFileError
    from fauxserver.hosts.faux import Faux
    from fauxserver.routefile import RouteFile

    if path is None:
        return Faux()
    file = RouteFile(path)
    file.run()
    if not file.servers:
        raise RouteFileError(
            f"{path} has no server. Write `server = FauxServer()` in it, and add the routes to that.", str(path)
        )
    return Faux(file)


def _told(error: RouteFileError) -> str:
    """What is wrong with a route file, in which line, and how it came to that."""
    from traceback import format_exception_only

    from fauxserver.handlers import traceback_of

    cause = error.__cause__
    if cause is None and error.line is None:
        return str(error)
    if isinstance(cause, SyntaxError):
        shown = "".join(format_exception_only(cause))
    elif cause is not None and error.line:
        shown = traceback_of(cause)
    else:
        shown = "\n    ".join(filter(None, [f"  {error.file}:{error.line or 1}", error.source_line]))
    return f"{error}\n\n{shown}"


def _answering_pages(request: pytest.FixtureRequest, server: Faux) -> AbstractContextManager[Pages | None]:
    """Answer the pages of a test. Without Playwright, which its plugin or the test has imported, it has none."""
    if "playwright" not in sys.modules:
        return nullcontext()
    from fauxserver.hosts.faux_pages import answering

    # What the test has been given so far.
    fixtures = list(getattr(request.node, "funcargs", {}).values())
    # By names that are pytest-playwright's alone: somebody's own `browser` may need `faux` itself.
    base = request.getfixturevalue("base_url") if "browser_context_args" in request.fixturenames else None
    if "launch_browser" in request.fixturenames:
        # The browser lives longer than the test, and knows which contexts are open.
        fixtures.append(request.getfixturevalue("browser"))
    return answering(server, base, fixtures)


# --- Which route file ----------------------------------------------------------------------------------------------


def _route_file(request: pytest.FixtureRequest) -> Path | None:
    """The route file for a test: its marker's, or the ini file's. Without any, there are only the test's own routes."""
    config = request.config
    root = config.inipath.parent if config.inipath else config.rootpath
    marker = request.node.get_closest_marker("faux")
    if marker is None:
        named = str(config.getini("faux_routes")).strip()
        if not named:
            return None
        where = f"faux_routes in {config.inipath or 'the options'}"
        return _existing(named, where, root)
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], (str, os.PathLike)):
        given = ", ".join([*map(repr, marker.args), *(f"{name}={value!r}" for name, value in marker.kwargs.items())])
        _fail(
            f"{request.node.nodeid}: @pytest.mark.faux({given}) names no route file. "
            'Give it one, as in @pytest.mark.faux("routes.py").'
        )
    named = os.fspath(marker.args[0])
    return _existing(named, f"@pytest.mark.faux({named!r}) of {request.node.nodeid}", request.path.parent, root)


def _existing(named: str, where: str, *folders: Path) -> Path:
    tried = list(dict.fromkeys(Path(os.path.abspath(folder / named)) for folder in folders))
    for path in tried:
        if path.is_file():
            return path
    _fail(f"{where} names a route file that is not there: {', nor '.join(map(str, tried))}. Check its name.")


def _fail(message: str) -> NoReturn:
    pytest.fail(message, pytrace=False)


# --- What a test is told -------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    try:
        result = yield
    except (Exception, pytest.fail.Exception) as error:
        refused = _refused(item)
        if refused:
            error.add_note(refused)
        raise
    refused = _refused(item)
    if refused:
        _fail(refused)
    return result


def _refused(item: pytest.Item) -> str:
    """The requests that a test has made and must not."""
    server = item.stash.get(_FAUX, None)
    pages = item.stash.get(_PAGES, None)
    if pages is not None:
        pages.settle()
    return "\n".join(dict.fromkeys(map(str, server.refused))) if server else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    server = item.stash.get(_FAUX, None)
    if server is not None and report.failed and not item.stash.get(_TOLD, False):
        item.stash[_TOLD] = True
        report.sections.append(("faux: what was asked", server.report()))
    return report
