"""What holds for every test: the quick ones run first, those in a browser last."""

from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Not for speed alone: Playwright's synchronous interface keeps an event loop running,
    # and a test that calls asyncio.run could not follow one that has opened a browser.
    items.sort(key=lambda item: BROWSER in item.path.parents)
