"""The README's example, in the files that it names, as it is printed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.matrix import LATEST
from tests.browser.pages import Visitor, html
from tests.browser.site import Site

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(visitor: Visitor, site: Site) -> Visitor:
    """A visitor of the example's page, whose book has been saved and fetched."""
    for address in LATEST.scripts:
        name = next(name for name in ("jquery", "underscore", "backbone") if f"/{name}-" in address)
        site.write(f"/{name}.js", site.bytes(address))
    site.write("/routes.py", blocks("python")[0])
    visitor.visit(blocks("html")[0], "/index.html")
    expect(visitor.page).to_have_title("Franny and Zooey")
    return visitor


def requests(site: Site) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in site.requests if "library-app" in seen.path]


def test_the_example_of_the_readme_is_answered_in_the_page(example: Visitor, site: Site):
    assert requests(site) == []
    assert example.errors == []


def test_the_one_line_of_the_readme_asks_the_real_server(example: Visitor, site: Site):
    example.run(blocks("js")[0])
    example.run("await new Promise(done => new Book({ id: 1 }).fetch({ success: done, error: done }))")

    assert requests(site) == ["GET /library-app/books/1"]


def test_the_javascript_of_the_readme_answers_beside_its_python(example: Visitor):
    routes, watching, reading, transport, intercepting, unmatched = [
        block for block in blocks("js")[1:] if not any(word in block for word in ("import", "APIAdapter", "DataStore"))
    ]
    example.run(routes)
    example.run(watching)
    example.run(reading)
    example.run(transport)

    assert example.run("""
        const done = (act) => new Promise(resolve => act({
          success: (book, answer) => resolve(answer),
          error: (book, xhr) => resolve([xhr.status, xhr.responseText]),
        }))
        const get = url => done(ends => new Book().fetch({ url, ...ends }))
        return [
          await done(ends => new Book().save({ until: "Friday" }, { url: "library-app/loans/7", ...ends })),
          await get("library-app/authors"),
          await get("library-app/books/1"),
          await get("library-app/maps"),
        ]
    """) == [
        {"book": "7", "until": "Friday"},
        [{"id": 1, "name": "J. D. Salinger"}],
        {"title": "Franny and Zooey", "id": 1},
        [404, "404 Not Found"],
    ]
    assert "log: GET library-app/books/1: 200 from read_book, routes.py:14" in example.console
    example.run(unmatched)
    assert example.run(f"{intercepting}; return book") == {"title": "Franny and Zooey", "id": 1}


def test_the_callbacks_of_the_readme_answer_and_its_store_comes_to_the_page(visitor: Visitor):
    names: dict[str, str] = {}
    for block in blocks("python"):
        if "APIAdapter" in block or "DataStore" in block:
            exec(compile(block, "README.md", "exec"), names)
    callbacks, store = [block for block in blocks("js") if "APIAdapter" in block or "DataStore" in block]
    visitor.open(names["html"])

    assert visitor.run(f"""
        const app = {{ name: "the app" }}
        const allowed = success => success()
        const createContact = (success, error, data) => success(data, 201)
        const Contact = Backbone.Model
        {callbacks}
        {store}
        const order = []
        new Backbone.Model({{ name: "Zooey" }}).save(null, {{ url: "/contacts", success: () => order.push("success") }})
        order.push("saved")
        return [store.get("first"), (await api.dispatch("GET", "/contacts/7")).body, order]
    """) == [{"name": "Franny"}, {"id": "7", "by": "the app"}, ["success", "saved"]]


def test_the_clients_of_the_readme_send_files_and_hear_events(visitor: Visitor, site: Site):
    clients = next(block for block in blocks("python") if "covers" in block)
    site.write("/routes.py", f"from fauxserver import FauxServer, Response\nserver = FauxServer()\n{clients}")
    visitor.visit(html(routes=["/routes.py"], data_intercept="sync fetch xhr eventsource"))
    assert visitor.run("""
        const form = new FormData()
        form.append("cover", new File(["abc"], "zooey.png", { type: "image/png" }))
        const sent = await (await fetch("covers", { method: "POST", body: form })).json()
        const heard = await new Promise(resolve => {
          const all = []
          const source = new EventSource("news")
          source.onmessage = ({ data, lastEventId }) => all.push([data, lastEventId])
          // It has ended, and would come back.
          source.onerror = () => { source.close(); resolve(all) }
        })
        return [sent, heard]
    """) == [
        {"name": "zooey.png", "type": "image/png", "bytes": 3},
        [["news 1", "1"], ["news 2", "2"], ["news 3", "3"]],
    ]
