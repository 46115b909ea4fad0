"""The demo as a visitor uses it, and its models on other Backbones than its own."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.engine import process
from tests.browser.matrix import COMBINATIONS, WITHOUT_JQUERY, Combination
from tests.browser.pages import html, script
from tests.browser.site import Reply, Site

POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(site: Site, static: Path) -> Iterator[str]:
    """The demo's address. The page is under a strict policy, whatever is tested."""
    site.mounts.update({"/demo/fauxserver/": static, "/demo/": static / "demo"})
    headers = {"Content-Type": "text/html", "Content-Security-Policy": POLICY}
    site.replies["/demo/"] = Reply(200, (static / "demo" / "index.html").read_bytes(), headers)
    yield site.url + "/demo/"
    site.mounts.pop("/demo/fauxserver/", None)
    site.mounts.pop("/demo/", None)


@pytest.fixture
def opened(visitor: Visitor, demo: str) -> Page:
    """The demo, opened and ready."""
    visitor.page.goto(demo)
    assert visitor.ready() == "snapshot"
    expect(visitor.page.locator("#count")).to_have_text("200 books")
    expect(visitor.page.locator("#log .url").first).to_have_text("library-app/news")
    return visitor.page


@pytest.fixture
def library(opened: Page, visitor: Visitor, site: Site) -> Iterator[Page]:
    """The same, where nothing may go wrong, and nothing reach the network."""
    yield opened
    assert visitor.failures == []
    assert [seen.path for seen in site.requests if "library-app" in seen.path] == []


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        if name == "shelf":
            page.locator("#shelf").select_option(value)
        else:
            page.locator(f"#{name}").fill(value)
    page.locator("#desk").get_by_role("button", name="Save").click()


def test_the_demo_lists_two_hundred_books_and_who_answers(library: Page):
    expect(library.locator("#list li")).to_have_count(200)
    expect(library.locator("#motto")).not_to_be_empty()
    expect(library.locator("#shelves a")).to_have_count(9)
    expect(library.locator("#who")).to_contain_text("Python in this page answers.")
    expect(library.locator("#enabled")).to_be_checked()


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


# Covers


# A picture of one pixel.
PICTURE = b"GIF89a\1\0\1\0\x80\0\0\x8f\x3a\x24\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"


def open_book(page: Page, title: str) -> None:
    page.locator("#list a", has_text=title).click()
    expect(page.locator("#desk h2")).to_have_text(title)


def give(page: Page, name: str, kind: str, content: bytes) -> None:
    page.locator("#picture").set_input_files([{"name": name, "mimeType": kind, "buffer": content}])


def expect_cover(page: Page, *size: int) -> None:
    """The picture's width and height; the binder's label is on those that he has drawn."""
    cover = page.locator(".cover img")
    expect(cover).to_be_visible()
    expect(cover).to_have_js_property("naturalWidth", size[0])
    expect(cover).to_have_js_property("naturalHeight", size[1])
    expect(page.locator(".cover .label")).to_be_visible(visible=size == (200, 300))


def test_a_cover_is_drawn_in_python_until_somebody_gives_the_book_a_picture(library: Page):
    open_book(library, "The Hobbit")
    expect_cover(library, 200, 300)
    expect(library.locator(".cover .label")).to_have_text("The Hobbit J. R. R. Tolkien")

    give(library, "note.txt", "text/plain", b"Not a picture")
    expect(library.locator(".refusal")).to_have_text("The picture was not taken. A cover has to be a picture.")
    expect_cover(library, 200, 300)

    give(library, "me.gif", "image/gif", PICTURE)
    expect_cover(library, 1, 1)
    expect(library.locator("#message")).to_have_text("“The Hobbit” has a new cover.")
    expect(library.locator(".refusal")).to_be_empty()
    expect(library.locator(".binding progress")).to_be_hidden()

    library.get_by_role("button", name="Newest first").click()
    library.keyboard.press("Control+s")
    expect(library.locator("#list .year").first).to_have_text("2011")
    library.locator(".close").click()
    open_book(library, "The Hobbit")
    expect_cover(library, 1, 1)

    library.locator("#reset").click()
    expect_cover(library, 200, 300)


# News


def ask(visitor: Visitor, method: str, path: str, **data: object) -> None:
    """Somebody else does something, through fetch."""
    body = json.dumps(data) if data else None
    options = {"method": method, "body": body, "headers": {"content-type": "application/json"}}
    assert visitor.run(f"return (await fetch('library-app/{path}', {json.dumps(options)})).ok") is True


FRANNY = {"title": "Franny and Zooey", "author": "J. D. Salinger", "year": 1961, "shelf": "Novels"}


def test_what_somebody_else_does_is_news_and_is_shown(library: Page, visitor: Visitor):
    message = library.locator("#message")
    hobbit = library.locator("#list a", has_text="The Hobbit")
    hobbit.focus()
    ask(visitor, "POST", "books", **FRANNY)
    expect(message).to_have_text("“Franny and Zooey” was added.")
    expect(library.locator("#count")).to_have_text("201 books")
    expect(hobbit).to_be_focused()

    open_book(library, "Franny and Zooey")
    ask(visitor, "PUT", "books/201", **{**FRANNY, "year": 1962})
    expect(message).to_have_text("“Franny and Zooey” was changed.")
    expect(library.locator("#desk dd").nth(1)).to_have_text("1962")
    expect(library.locator("#list a", has_text="Franny").locator(".year")).to_have_text("1962")

    ask(visitor, "DELETE", "books/201")
    expect(message).to_have_text("“Franny and Zooey” has left the library.")
    expect(library.locator("#desk")).to_be_hidden()
    expect(library.locator("#count")).to_have_text("200 books")


def test_news_goes_on_when_the_route_file_was_saved_and_when_the_server_was_reset(library: Page, visitor: Visitor):
    message = library.locator("#message")
    library.get_by_role("button", name="Newest first").click()
    library.keyboard.press("Control+s")
    expect(library.locator("#list .year").first).to_have_text("2011")
    ask(visitor, "POST", "books", **FRANNY)
    expect(message).to_have_text("“Franny and Zooey” was added.")
    expect(library.locator("#count")).to_have_text("201 books")

    library.locator("#reset").click()
    expect(library.locator("#log .url", has_text="library-app/news")).to_have_count(2)
    expect(library.locator("#count")).to_have_text("200 books")
    ask(visitor, "DELETE", "books/1")
    expect(message).to_have_text("“Utopia” has left the library.")
    expect(library.locator("#count")).to_have_text("199 books")


# The bar


def requests_of(page: Page) -> list[str]:
    """The last requests, newest first: `GET library-app/books 200`, and the notes between them."""
    found: list[str] = page.locator("#log").evaluate("""log => [...log.children].map(item =>
      item.className === "note" ? item.textContent
        : [".method", ".url", ".status"].map(part => item.querySelector(part).textContent).join(" "))""")
    return found


def test_the_demo_opened_switched_off_loads_no_python_until_it_is_switched_on(visitor: Visitor, demo: str, site: Site):
    visitor.page.goto(f"{demo}index.html?fauxserver=off")
    expect(visitor.page.locator("#list")).to_contain_text("The catalogue cannot be shown.")
    expect(visitor.page.locator("#who")).to_contain_text("The real server is asked.")
    expect(visitor.page.locator("#enabled")).not_to_be_checked()
    assert [seen.path for seen in site.requests if "library-app/books" in seen.path] == ["/demo/library-app/books"]
    assert [seen.path for seen in site.requests if "snapshot" in seen.path] == []

    visitor.page.get_by_role("button", name="Newest first").click()
    visitor.page.keyboard.press("Control+s")
    expect(visitor.page.locator("#state")).to_have_text("It is run once fauxserver is switched on.")

    visitor.page.locator(".switch").click()
    expect(visitor.page.locator("#count")).to_have_text("200 books")
    expect(visitor.page.locator("#who")).to_contain_text("Python in this page answers.")
    expect(visitor.page.locator("#state")).to_have_text("In force, and its data is kept.")


def test_switched_off_the_demos_own_server_answers_with_the_same_file(visitor: Visitor, static: Path):
    page = visitor.page
    command = [sys.executable, "-u", "-m", "fauxserver", "demo", "--port", "0"]
    with process(*command, stdout=subprocess.PIPE) as running:
        (url,) = re.findall(r"http://\S+", running.stdout.readline())
        page.goto(f"{url}?fauxserver=off")
        expect(page.locator("#count")).to_have_text("200 books")
        page.locator("#add").click()
        fill(page, title="Franny and Zooey", author="J. D. Salinger", year="1961", shelf="Novels")
        expect(page.locator("#count")).to_have_text("201 books")
        told = next(line for line in running.stdout if line.startswith("POST"))
        assert re.sub(r"\d+", "_", told) == "POST /library-app/books → _, _ ms, create_book routes.py:_\n"

        # The page's own has data of its own.
        page.locator(".switch").click()
        expect(page.locator("#who")).to_contain_text("Python in this page answers.")
        expect(page.locator("#count")).to_have_text("200 books")


def test_the_demo_says_that_python_could_not_be_started(visitor: Visitor, demo: str, site: Site):
    site.replies["/demo/fauxserver/runtime.js"] = Reply(404)
    visitor.page.goto(demo)
    expect(visitor.page.locator("#who")).to_contain_text("Python could not be started.")
    expect(visitor.page.locator("#enabled")).to_be_disabled()
    visitor.page.get_by_role("button", name="Newest first").click()
    visitor.page.keyboard.press("Control+s")
    expect(visitor.page.locator("#state")).to_have_text("There is no Python in this page to run it.")
    assert requests_of(visitor.page) == []


def test_the_bar_switches_the_server_off_and_on(opened: Page, site: Site):
    opened.locator(".switch").click()
    expect(opened.locator("#list")).to_contain_text("The catalogue cannot be shown.")
    expect(opened.locator("#who")).to_contain_text("The real server is asked.")
    assert "/demo/library-app/books" in [seen.path for seen in site.requests]

    opened.locator(".switch").click()
    expect(opened.locator("#count")).to_have_text("200 books")
    expect(opened.locator("#log li")).to_have_count(9)
    first, *_, off = requests_of(opened)[:5]
    assert (first, off) == ("GET library-app/books 200", "Switched off: requests go to the real server")


def test_the_bar_follows_a_switch_that_the_console_turns(opened: Page, visitor: Visitor):
    visitor.run("fauxServer.enable(false)")
    expect(opened.locator("#enabled")).not_to_be_checked()
    expect(opened.locator("#who")).to_contain_text("The real server is asked.")
    visitor.run("await fauxServer.runPython('server.enable()')")
    expect(opened.locator("#enabled")).to_be_checked()
    expect(opened.locator("#count")).to_have_text("200 books")


def test_the_bar_sets_the_latency_and_follows_the_console(library: Page, visitor: Visitor):
    # The delay that was decided, not the time that passed.
    ask = """
        return new Promise(resolve => {
          const off = fauxServer.on("answer", ({ delay }) => { off(); resolve(delay) })
          Backbone.sync("read", new Backbone.Model(), { url: "library-app/books/1" })
        })
    """
    library.get_by_text("200 ms", exact=True).click()
    assert visitor.run(ask) == 200
    visitor.run("fauxServer.setLatency(300, 301)")
    expect(library.locator("#other-latency")).to_have_text("300–301 ms")
    expect(library.locator("#latency :checked")).to_have_count(0)
    visitor.run("fauxServer.setLatency(0)")
    expect(library.get_by_label("0", exact=True)).to_be_checked()
    assert visitor.run(ask) == 0
    library.get_by_text("routes.py’s", exact=True).click()
    expect(library.locator("#other-latency")).to_be_empty()
    assert 60 <= visitor.run(ask) <= 180


def test_the_last_requests_are_listed_newest_first(library: Page):
    assert requests_of(library) == [
        "GET library-app/news 200",
        "GET library-app/books 200",
        "GET library-app/shelves 200",
        "GET library-app/motto 200",
    ]
    library.locator("#add").click()
    fill(library, title="", author="Nobody", year="1961", shelf="Novels")
    expect(library.locator("#log li")).to_have_count(5)
    item = library.locator("#log li").first
    assert requests_of(library)[0] == "POST library-app/books 422"
    expect(item).to_have_attribute("data-kind", "failed")

    item.locator("summary").click()
    expect(item.locator("pre")).to_have_count(2)
    sent, answer = item.locator("pre").all_inner_texts()
    assert ('"author": "Nobody"' in sent, '"title": "A book needs a title."' in answer) == (True, True)

    library.locator("#clear").click()
    expect(library.locator("#log li")).to_have_count(0)


def test_what_fetch_and_xhr_have_asked_is_listed_like_the_rest(library: Page, visitor: Visitor):
    open_book(library, "Utopia")
    expect_cover(library, 200, 300)
    give(library, "me.gif", "image/gif", PICTURE)
    expect_cover(library, 1, 1)
    ask(visitor, "GET", "books/2")
    visitor.run("await fetch('/demo/library-app/books/2?from=' + location.origin)")
    # The news of the picture may come when it has been asked for already, and it is asked for again.
    assert [request for request, _ in groupby(requests_of(library))][:6] == [
        f"GET library-app/books/2?from={library.evaluate('location.origin')} 200",
        "GET library-app/books/2 200",
        "GET library-app/books/1/cover 200",
        "PUT library-app/books/1/cover 204",
        "GET library-app/books/1/cover 200",
        "GET library-app/books/1 200",
    ]

    facts = {
        "GET library-app/books/1/cover": ["image/gif, 35 bytes"],
        "PUT library-app/books/1/cover": ['{\n  "picture": "me.gif, image/gif, 35 bytes"\n}', "nothing"],
        "GET library-app/news": ["text/event-stream, one event after the other"],
    }
    for request, told in facts.items():
        method, url = request.split()
        item = library.locator("#log li", has_text=url).filter(has_text=method).first
        item.locator("summary").click()
        expect(item.locator("pre")).to_have_text(told)
    expect(item.locator(".time")).to_have_text("events")


def test_a_request_leads_to_its_handler(library: Page):
    item = library.locator("#log li", has_text="list_books")
    item.locator("summary").click()
    expect(library.locator(".cm-activeLine")).to_have_text('@server.get("library-app/books")')
    item.locator(".place").click()
    expect(library.locator(".cm-content")).to_be_focused()


def test_a_request_leads_to_its_handler_wherever_unsaved_lines_have_moved_it(library: Page):
    library.locator(".cm-line").first.click()
    library.keyboard.insert_text("# One line,\n# and another.\n")
    library.locator("#log summary", has_text="list_books").click()
    expect(library.locator(".cm-activeLine")).to_have_text('@server.get("library-app/books")')


def test_reset_brings_the_books_and_the_latency_back(library: Page):
    library.get_by_text("0", exact=True).click()
    library.locator("#list a").first.click()
    library.get_by_role("button", name="Delete").click()
    library.locator(".confirm .yes").click()
    expect(library.locator("#count")).to_have_text("199 books")
    library.locator("#reset").click()
    expect(library.locator("#count")).to_have_text("200 books")
    expect(library.get_by_label("routes.py’s")).to_be_checked()


# The editor


def edit(page: Page, old: str, new: str) -> None:
    """Select a text in the editor, as somebody would, and write another."""
    page.locator(".cm-line", has_text=old).first.click()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.insert_text(new)


def show(page: Page, handler: str) -> None:
    """Bring a handler into view."""
    request = page.locator("#log li", has_text=handler).first
    request.locator("summary").click()


def test_a_handler_changed_and_saved_answers_so_and_the_data_is_kept(library: Page):
    library.locator("#add").click()
    fill(library, title="Franny and Zooey", author="J. D. Salinger", year="1961", shelf="Novels")
    expect(library.locator("#desk h2")).to_have_text("Franny and Zooey")
    franny = library.locator("#list .title").filter(has_text=re.compile("franny", re.IGNORECASE))
    show(library, "list_books")

    changes: list[tuple[str, Callable[[], None]]] = [
        ("FRANNY AND ZOOEY", lambda: library.keyboard.press("Control+s")),
        ("franny and zooey", lambda: library.keyboard.press("Control+Enter")),
        ("Franny And Zooey", library.locator("#save").click),
    ]
    for (title, save), how in zip(changes, ("upper", "lower", "title"), strict=True):
        before = franny.inner_text()
        line = f"return sorted(({{**book, 'title': book['title'].{how}()}} for book in found), key=by_title)"
        edit(library, "return sorted(", line)
        expect(library.locator("#unsaved")).to_be_visible()
        assert franny.inner_text() == before
        save()
        expect(franny).to_have_text(title)
        expect(library.locator("#unsaved")).to_be_hidden()
        expect(library.locator("#state")).to_have_text("In force, and its data is kept.")
    expect(library.locator("#count")).to_have_text("201 books")


def test_what_is_wrong_in_the_file_is_shown_at_its_line_and_the_old_routes_stay(library: Page):
    library.get_by_role("button", name="A typo").click()
    library.keyboard.press("Control+s")
    expect(library.locator(".cm-wrong")).to_contain_text("return sorted(found, key=by_title")
    expect(library.locator(".cm-message")).to_have_text("SyntaxError: '(' was never closed")
    expect(library.locator("#state")).to_have_text(
        "routes.py, line 41: SyntaxError: '(' was never closed. The routes stay as they were."
    )
    expect(library.locator("#unsaved")).to_be_visible()
    library.locator("#words").fill("bronte")
    expect(library.locator("#count")).to_contain_text("“bronte”")

    library.locator("#restore").click()
    expect(library.locator(".cm-message")).to_have_count(0)
    expect(library.locator("#state")).to_have_text("In force, and its data is kept.")
    expect(library.locator("#restore")).to_be_disabled()


def test_a_handler_that_raises_is_marked_until_it_is_mended(opened: Page, visitor: Visitor):
    opened.get_by_role("button", name="Raise").click()
    opened.keyboard.press("Control+s")
    expect(opened.locator(".cm-message")).to_have_text("KeyError: 'pages'")
    expect(opened.locator(".cm-wrong")).to_contain_text('book["pages"]')
    expect(opened.locator("#list")).to_contain_text("The catalogue cannot be shown.")
    expect(opened.locator("#log [data-kind=error]")).to_have_count(1)
    assert len(visitor.failures) == 1

    opened.get_by_role("button", name="Newest first").click()
    opened.keyboard.press("Control+s")
    expect(opened.locator(".cm-message")).to_have_count(0)
    expect(opened.locator("#list .year").first).to_have_text("2011")


def test_an_example_answers_404(library: Page):
    library.get_by_role("button", name="Answer 404").click()
    expect(library.locator("#unsaved")).to_be_visible()
    library.keyboard.press("Control+s")
    expect(library.locator("#list")).to_contain_text("The library is closed on Mondays.")
    library.locator("#restore").click()
    expect(library.locator("#count")).to_have_text("200 books")


def test_what_was_saved_is_in_force_again_when_the_tab_is_reloaded(library: Page, visitor: Visitor):
    library.get_by_role("button", name="Newest first").click()
    library.keyboard.press("Control+s")
    expect(library.locator("#list .year").first).to_have_text("2011")
    library.reload()
    expect(library.locator("#list .year").first).to_have_text("2011")
    expect(library.locator("#restore")).to_be_enabled()


def test_a_handler_can_be_changed_when_the_server_of_the_files_is_gone(library: Page, site: Site):
    del site.mounts["/demo/fauxserver/"], site.mounts["/demo/"]
    library.get_by_role("button", name="Newest first").click()
    library.keyboard.press("Control+s")
    expect(library.locator("#list .year").first).to_have_text("2011")


def test_the_keyboard_gets_into_the_editor_and_out_again(library: Page):
    library.locator("#examples button").last.focus()
    library.keyboard.press("Tab")
    expect(library.locator(".cm-content")).to_be_focused()
    library.keyboard.press("Tab")
    expect(library.locator("#unsaved")).to_be_visible()
    library.keyboard.press("Escape")
    library.keyboard.press("Tab")
    expect(library.locator(".cm-content")).not_to_be_focused()


def test_the_splitter_moves_by_keys(library: Page):
    library.locator("#splitter").press("ArrowRight")
    expect(library.locator("#splitter")).to_have_attribute("aria-valuenow", "57")


def test_in_a_narrow_window_one_part_is_shown_at_a_time(library: Page):
    library.set_viewport_size({"width": 390, "height": 844})
    shown = "() => ['#app', '#code', '#requests'].filter(part => document.querySelector(part).checkVisibility())"
    parts = [library.evaluate(shown)]
    for name in ("routes.py", "Requests", "App"):
        library.locator("#panes").get_by_role("button", name=name).click()
        parts.append(library.evaluate(shown))
    assert parts == [["#app"], ["#code"], ["#requests"], ["#app"]]
    assert library.evaluate("document.documentElement.scrollWidth") == 390

    library.locator("#panes").get_by_role("button", name="routes.py").click()
    library.get_by_role("button", name="Newest first").click()
    library.locator("#save").click()
    expect(library.locator("#state")).to_have_text("In force, and its data is kept.")
    library.locator("#panes").get_by_role("button", name="App").click()
    expect(library.locator("#list .year").first).to_have_text("2011")


@pytest.mark.every_engine
def test_the_demo_shows_and_changes_its_server_in_every_engine(visitor: Visitor, demo: str):
    visitor.go(demo)
    assert visitor.run(
        f"const PICTURE = {list(PICTURE)}"
        """
        const $ = selector => document.querySelector(selector)
        const until = async what => {
          while (!what()) await new Promise(resolve => setTimeout(resolve, 20))
        }
        await until(() => document.querySelectorAll("#log li").length === 4 && $("#editor").shadowRoot)
        const editor = $("#editor").shadowRoot
        const seen = [$("#who").innerText, $("#count").innerText]
        $("[data-example=newest]").click()
        $("#save").click()
        await until(() => $("#list .year").innerText === "2011")
        seen.push($("#state").innerText, document.querySelectorAll("#log li").length)
        $("#list a").click()
        await until(() => $(".cover img")?.naturalWidth)
        seen.push([$(".cover img").naturalWidth, $(".cover img").naturalHeight])
        const files = new DataTransfer()
        files.items.add(new File([Uint8Array.from(PICTURE)], "me.gif", { type: "image/gif" }))
        $("#picture").files = files.files
        $("#picture").dispatchEvent(new Event("change", { bubbles: true }))
        await until(() => $(".cover img").naturalWidth === 1)
        seen.push($("#message").innerText)
        $("[data-example=typo]").click()
        $("#save").click()
        await until(() => editor.querySelector(".cm-message"))
        seen.push(editor.querySelector(".cm-message").innerText)
        seen.push(getComputedStyle(editor.querySelector(".cm-editor")).display)
        $("#enabled").click()
        await until(() => $("#list .failure"))
        seen.push($("#who").firstChild.data)
        return seen
    """
    ) == [
        "Python in this page answers. There is no server, and the app never knows.",
        "200 books",
        "In force, and its data is kept.",
        7,
        [200, 300],
        "“My Brilliant Friend” has a new cover.",
        "SyntaxError: '(' was never closed",
        "flex",
        "The real server is asked.",
    ]
    assert [line for line in visitor.failures if "404" not in line] == []


# The models


MODELS = [COMBINATIONS[1], COMBINATIONS[12], WITHOUT_JQUERY]


def models() -> str:
    """The part of the demo's app file that needs no jQuery."""
    app = (ROOT / "demo" / "app.js").read_text()
    return app[app.index("// Models") : app.index("// Views")]


@pytest.mark.parametrize("libraries", MODELS, ids=str)
def test_the_demos_models_live_on_the_same_routes_with_every_backbone(
    visitor: Visitor, site: Site, libraries: Combination
):
    for name in ("routes.py", "books.json", "covers.py"):
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
