"""What holds for every test: the quick ones run first, those in a browser last; in which engines; how it all ends."""

import signal
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


ENGINES = ("chromium", "firefox", "webkit")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engines",
        default=",".join(ENGINES),
        help="run the browser tests in these engines alone (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_engine: run it in Chromium, Firefox and WebKit, not in Chromium alone")
    unknown = set(_engines(config)) - set(ENGINES)
    if unknown:
        raise pytest.UsageError(f"--engines: no {', '.join(sorted(unknown))} here. There are {', '.join(ENGINES)}.")
    # Whoever ends us as `kill` and `timeout` do ends us as Ctrl-C does: browsers and servers are ended, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _engines(config: pytest.Config) -> list[str]:
    return [name.strip() for name in config.getoption("--engines").split(",")]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = _engines(config)
    left_out = [item for item in items if _engine(item) not in (None, *wanted)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    # Not for speed alone: Playwright's synchronous interface keeps an event loop running,
    # and a test that calls asyncio.run could not follow one that has opened a browser.
    items.sort(key=lambda item: BROWSER in item.path.parents)


def _engine(item: pytest.Item) -> str | None:
    """The engine in which a test visits pages."""
    called = getattr(item, "callspec", None)
    return called.params.get("visitor") if called else None
