"""The README's example, in the files that it names, as it is printed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.matrix import LATEST
from tests.browser.pages import Visitor
from tests.browser.site import Site

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def first(language: str) -> str:
    """The first code block of that language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def example(visitor: Visitor, site: Site) -> Visitor:
    """A visitor of the example's page, whose book has been saved and fetched."""
    for address in LATEST.scripts:
        name = next(name for name in ("jquery", "underscore", "backbone") if f"/{name}-" in address)
        site.write(f"/{name}.js", site.bytes(address))
    site.write("/routes.py", first("python"))
    visitor.visit(first("html"), "/index.html")
    expect(visitor.page).to_have_title("Franny and Zooey")
    return visitor


def requests(site: Site) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in site.requests if "library-app" in seen.path]


def test_the_example_of_the_readme_is_answered_in_the_page(example: Visitor, site: Site):
    assert requests(site) == []
    assert example.errors == []


def test_the_one_line_of_the_readme_asks_the_real_server(example: Visitor, site: Site):
    example.run(first("js"))
    example.run("await new Promise(done => new Book({ id: 1 }).fetch({ success: done, error: done }))")

    assert requests(site) == ["GET /library-app/books/1"]
