"""The demo as a visitor uses it, and its models on other Backbones than its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.matrix import COMBINATIONS, WITHOUT_JQUERY, Combination
from tests.browser.pages import html, script
from tests.browser.site import Site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def library(visitor: Visitor, site: Site, static: Path) -> Iterator[Page]:
    """The demo, opened and ready."""
    site.mounts.update({"/demo/fauxserver/": static, "/demo/": static / "demo"})
    visitor.page.goto(site.url + "/demo/index.html")
    assert visitor.ready() == "snapshot"
    expect(visitor.page.locator("#count")).to_have_text("200 books")
    yield visitor.page
    assert visitor.failures == []
    assert [seen.path for seen in site.requests if "library-app" in seen.path] == []
    del site.mounts["/demo/fauxserver/"], site.mounts["/demo/"]


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        if name == "shelf":
            page.locator("#shelf").select_option(value)
        else:
            page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Save").click()


def test_the_demo_lists_two_hundred_books_and_who_answers(library: Page):
    expect(library.locator("#list li")).to_have_count(200)
    expect(library.locator("#motto")).not_to_be_empty()
    expect(library.locator("#shelves a")).to_have_count(9)
    expect(library.locator("#note-page")).to_be_visible()
    expect(library.locator("#note-server")).to_be_hidden()


def test_the_demo_searches(library: Page):
    library.locator("#words").fill("bronte")
    expect(library.locator("#count")).to_contain_text("“bronte”")
    authors = library.locator("#list .author").all_inner_texts()
    assert authors
    assert [author for author in authors if "Brontë" not in author] == []


def test_the_demo_creates_edits_and_deletes_a_book(library: Page):
    library.locator("#add").click()
    fill(library, title="Franny and Zooey", author="J. D. Salinger", year="1961", shelf="Novels")
    expect(library.locator("#desk h2")).to_have_text("Franny and Zooey")
    expect(library.locator("#count")).to_have_text("201 books")

    library.locator("#desk").get_by_role("link", name="Edit").click()
    fill(library, title="Franny")
    expect(library.locator("#desk h2")).to_have_text("Franny")
    expect(library.locator("#list .title").filter(has_text="Franny")).to_have_text(["Franny"])

    library.get_by_role("button", name="Delete").click()
    library.locator(".confirm .yes").click()
    expect(library.locator("#count")).to_have_text("200 books")
    expect(library.locator("#message")).to_contain_text("has left the library")
    expect(library.locator("#list .title").filter(has_text="Franny")).to_have_count(0)


def test_the_demo_shows_what_is_wrong_when_saving_fails(library: Page):
    library.locator("#add").click()
    fill(library, title="", author="Nobody", year="soon")
    expect(library.locator("#title-error")).to_have_text("A book needs a title.")
    expect(library.locator("#year-error")).to_have_text("A year is a whole number.")
    expect(library.locator("#shelf-error")).to_have_text("Choose a shelf.")
    expect(library.locator("#author-error")).to_be_empty()
    expect(library.locator("#title")).to_be_focused()


def test_the_demo_switched_off_asks_the_real_server(visitor: Visitor, site: Site, static: Path):
    site.mounts.update({"/demo/fauxserver/": static, "/demo/": static / "demo"})
    visitor.page.goto(site.url + "/demo/index.html?fauxserver=off")
    expect(visitor.page.locator("#list")).to_contain_text("The catalogue cannot be shown.")
    expect(visitor.page.locator("#note-server")).to_be_visible()
    assert [seen.path for seen in site.requests if "library-app/books" in seen.path] == ["/demo/library-app/books"]
    del site.mounts["/demo/fauxserver/"], site.mounts["/demo/"]


MODELS = [COMBINATIONS[1], COMBINATIONS[12], WITHOUT_JQUERY]


def models() -> str:
    """The part of the demo's app file that needs no jQuery."""
    app = (ROOT / "demo" / "app.js").read_text()
    return app[app.index("// Models") : app.index("// Views")]


@pytest.mark.parametrize("libraries", MODELS, ids=str)
def test_the_demos_models_live_on_the_same_routes_with_every_backbone(
    visitor: Visitor, site: Site, libraries: Combination
):
    for name in ("routes.py", "books.json"):
        site.write(f"/{name}", (ROOT / "demo" / name).read_bytes())
    visitor.visit(html(script(models()), libraries=libraries, routes=["/routes.py"]))
    assert visitor.ready() == "snapshot"
    assert visitor.run("""
        const outcome = act => new Promise(resolve => {
          act({ success: it => resolve(it), error: (it, reason) => resolve(["error", reason]) })
        })
        const books = new Books()
        await outcome(ends => books.fetch(ends))
        const log = [books.length]
        const book = new Book({ title: "Franny", author: "J. D. Salinger", year: 1961, shelf: "Novels" })
        await outcome(ends => book.save(null, ends))
        log.push(book.id)
        await outcome(ends => book.save({ title: "Zooey" }, { wait: true, ...ends }))
        const again = await outcome(ends => new Book({ id: book.id }).fetch(ends))
        log.push(again.get("title"))
        log.push(await outcome(ends => book.save({ title: "" }, { wait: true, ...ends })), book.get("title"))
        await outcome(ends => book.destroy({ wait: true, ...ends }))
        books.words = "zooey"
        await outcome(ends => books.fetch({ reset: true, ...ends }))
        log.push(books.length, await outcome(ends => new Book({ id: 999 }).fetch(ends)))
        return log
    """) == [
        200,
        201,
        "Zooey",
        ["error", {"errors": {"title": "A book needs a title."}}],
        "Zooey",
        0,
        ["error", {"message": "There is no such book. Perhaps somebody has removed it."}],
    ]
    assert visitor.failures == []
