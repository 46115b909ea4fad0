"""The README's Python runs as it is printed, and does what the text around it says."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from fauxserver import FauxServer, Request
from fauxserver.routefile import metadata

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
FOLLOWING = [block for block in BLOCKS[1:] if "covers" not in block]
"""All but the first stand in one file, as it were; and what lies beside the demo's."""


def run(blocks):
    """Run blocks one after another, as if they were one file."""
    names = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    return names


def ask(server, method, url, data=None):
    response = server.accept(Request(method, url, data)).answer()
    return response.status, response.body


@pytest.fixture(scope="module")
def first() -> FauxServer:
    """The server of the first example, which stands by itself."""
    return run(BLOCKS[:1])["server"]


@pytest.fixture(scope="module")
def server() -> FauxServer:
    """The server of the examples that follow; some of them assert something themselves."""
    return run([block for block in FOLLOWING if "fauxserver.hosts" not in block])["server"]


def test_the_first_example_keeps_books(first):
    assert ask(first, "GET", "library-app/books/1")[0] == 404
    assert ask(first, "POST", "library-app/books", {"title": "Franny and Zooey"}) == (
        200,
        {"title": "Franny and Zooey", "id": 1},
    )
    assert ask(first, "GET", "library-app/books/1") == (200, {"title": "Franny and Zooey", "id": 1})


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("books/7", {"id": "7"}),
        ("files/a/b.txt", {"path": "a/b.txt"}),
        ("reviews", {"page": None}),
        ("reviews/page/2", {"page": "2"}),
        ("motto?lang=en", {}),
    ],
)
def test_the_expressions_match_what_their_comments_say(server, url, params):
    assert server.accept(Request("GET", url)).context.params == params


@pytest.mark.parametrize(
    ("method", "url", "answer"),
    [
        ("GET", "books/7", (200, None)),
        ("GET", "books/seven", (404, "Not Found")),
        ("GET", "motto", (200, {"text": "read more"})),
        ("PUT", "v2/status", (200, None)),
        ("GET", "books/7/borrowers", (200, [])),
        ("DELETE", "books/7", (403, "Forbidden")),
    ],
)
def test_the_handlers_answer_what_their_comments_say(server, method, url, answer):
    assert ask(server, method, url) == answer


def test_a_stack_goes_on_to_its_last_handler(server):
    assert ask(server, "DELETE", "books/7", {"card": "librarian"}) == (200, None)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("json", (200, {"a": [1, 2, None]})),
        ("created", (201, {"id": 1})),
        ("text", (200, "plain text")),
        ("missing", (404, {"message": "No such answer"})),
        ("other", (500, "no answer today")),
    ],
)
def test_a_handler_may_return_what_the_text_lists(server, kind, answer):
    response = asyncio.run(server.accept(Request("GET", f"answers/{kind}")).answer())

    assert (response.status, response.body) == answer


def test_the_metadata_example_says_what_the_text_says():
    (block,) = [block for block in BLOCKS if block.startswith("# /// script")]

    found = metadata(block)

    assert (list(found.dependencies), list(found.files)) == (["faker"], ["books.json", "helpers.py"])


def test_the_decisions_name_the_runtime_that_is_built():
    package = json.loads((ROOT / "js" / "package.json").read_text(encoding="utf-8"))

    decisions = (ROOT / "fauxserver" / "DECISIONS.md").read_text(encoding="utf-8")
    assert f"Pyodide {package['dependencies']['pyodide']}" in decisions
