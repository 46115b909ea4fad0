"""The cast of the browser tests: a built site, a browser, a page that is watched."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium, npm
from tests.browser.pages import Visitor
from tests.browser.site import Site


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
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = chromium.find(playwright.chromium.executable_path)
        running = playwright.chromium.launch(executable_path=path, args=chromium.flags(chromium.is_root()))
        yield running
        running.close()


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """A fresh profile with one page, which nothing may go wrong in unless the test expects it."""
    context = browser.new_context()
    context.set_default_timeout(20_000)
    visitor = Visitor(context, site)
    yield visitor
    context.close()


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
