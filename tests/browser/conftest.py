"""The cast of the browser tests: a built site, the engines, a page that is watched.

A test runs in Chromium, unless it, or its module, is marked to run in all three engines:

    pytestmark = pytest.mark.every_engine
"""

import functools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser import npm
from tests.browser.engine import ENGINES, Engine
from tests.browser.pages import Visitor
from tests.browser.site import Site


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "visitor" in metafunc.fixturenames:
        everywhere = metafunc.definition.get_closest_marker("every_engine")
        metafunc.parametrize("visitor", ENGINES if everywhere else ["chromium"], indirect=True)


@pytest.fixture(scope="session")
def static() -> Path:
    """The built files. Built here, so that no test sees a stale bundle."""
    from wasm.build import build

    return build()


@pytest.fixture(scope="session")
def npm_modules() -> Path:
    return npm.install()


@pytest.fixture(scope="session")
def _server(static: Path, npm_modules: Path) -> Iterator[Site]:
    here = Path(__file__).parent
    server = Site({"/fauxserver/": static, "/npm/": npm_modules, "/tests/": here}).start()
    yield server
    server.stop()


@pytest.fixture
def site(_server: Site) -> Site:
    """The web site, empty but for the libraries, ours included."""
    _server.clear()
    return _server


@pytest.fixture(scope="session")
def _engines() -> Iterator[Callable[[str], Engine]]:
    """Start an engine when it is first asked for; all end with the session."""
    with ExitStack() as stack:
        yield functools.cache(lambda name: stack.enter_context(ENGINES[name]()))


@pytest.fixture
def visitor(_engines: Callable[[str], Engine], request: pytest.FixtureRequest, site: Site) -> Iterator[Visitor]:
    """A fresh profile with one page. In Chromium; a test or a module marked `every_engine` has it in each in turn."""
    name = getattr(request, "param", "chromium")
    page = _engines(name)(site)
    yield Visitor(page, site, name)
    page.close()


@pytest.fixture(scope="session")
def run_node(npm_modules: Path) -> Callable[[str, Path], str]:
    """Run a CommonJS script in a folder and return what it printed."""

    def run(script: str, folder: Path) -> str:
        file = folder / "script.cjs"
        file.write_text(script)
        ended = subprocess.run([*npm.node(), str(file)], cwd=folder, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run
