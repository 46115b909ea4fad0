"""A bad network: slow, broken off, damaged. The page boots all the same, or says what is wrong, and lives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.browser.conftest import Visitor
from tests.browser.engine import ChromiumPage
from tests.browser.pages import html, script
from tests.browser.site import Reply, Site, manifest

ROUTES = "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('books', [{'id': 1}])\n"

# Before anything is ready, a request that is ours and one that is not.
EAGER = script("window.books = ask('books'); window.real = ask('/real/one')")


def breaks_off(content: bytes) -> Reply:
    return Reply(200, content[: len(content) // 2], promised=len(content))


def ends_early(content: bytes) -> Reply:
    return Reply(200, content[: len(content) // 2])


def one_byte_is_damaged(content: bytes) -> Reply:
    middle = len(content) // 2
    return Reply(200, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


BROKEN_OFF = (
    "does not arrive whole, twice: the connection breaks off, or its Content-Encoding is not what the server says. "
    "Reload the page; if it happens again, look at the server, and at what stands between."
)
DAMAGED = (
    "is damaged, or belongs to another version: its SHA-256 is not the one it was built with. "
    "Copy the files there with `fauxserver vendor DIR` again."
)
STAGES = {
    "script": "loading the runtime",
    "answering": "loading the bridge",
    "wasm": "loading the runtime",
    "package": "loading the server",
}

# Without these there is no boot; without those a plain one; what is left is not asked for at all.
NEEDED, HASTENING = ("script", "answering", "wasm", "package"), ("snapshot", "stdlib")


def files(site: Site) -> list[tuple[str, str]]:
    """What the manifest lists, whatever it is: the name of an asset, and one of its files."""
    return [(name, part["file"]) for name, asset in manifest(site).items() for part in asset.get("parts", [])]


@contextmanager
def another_profile(visitor: Visitor) -> Iterator[Visitor]:
    """A visitor who has never been here: what the browser has kept would hide that it cannot be had."""
    assert visitor.context.browser
    tab = ChromiumPage(visitor.context.browser)
    yield Visitor(tab, visitor.site)
    tab.close()


def outcome(visitor: Visitor) -> dict[str, Any]:
    """How it went, as far as a page and its reader see it."""
    visitor.visit(html(EAGER, routes=["/routes.py"]))
    seen = visitor.run("""
        const said = await fauxServer.ready.then(() => fauxServer.boot, error => error.message.replace(/\\?\\w+ /, " "))
        const [error, reason] = [await books].flat()
        return { said, books: error === "error" ? reason.status : await books, real: (await real).real }
    """)
    ours = [line for line in visitor.console if line.partition(": ")[2].startswith("fauxserver:")]
    return {**seen, "told": [line.partition(":")[0] for line in ours], "uncaught": visitor.errors}


def expected(name: str, address: str, problem: str) -> dict[str, Any]:
    if name in NEEDED:
        said = f"Cannot start fauxserver ({STAGES[name]}): {address} {problem}"
        # The real server has no books.
        return {"said": said, "books": 404, "real": True, "told": ["error"], "uncaught": []}
    plain = name in HASTENING
    books = [{"id": 1}]
    return {
        "said": "plain" if plain else "snapshot",
        "books": books,
        "real": True,
        "told": ["warning"] if plain else [],
        "uncaught": [],
    }


@pytest.mark.parametrize(
    ("fault", "problem"), [(breaks_off, BROKEN_OFF), (ends_early, DAMAGED), (one_byte_is_damaged, DAMAGED)]
)
def test_whichever_file_is_spoiled_it_boots_plainly_or_says_which_and_what_to_do(
    visitor: Visitor, site: Site, fault: Callable[[bytes], Reply], problem: str
):
    site.write("/routes.py", ROUTES)
    outcomes, wanted = {}, {}
    # Each in turn; what ends early is spoiled like any other, so of these one an asset will do.
    for name, file in dict(files(site)).items() if fault is ends_early else files(site):
        path = f"/fauxserver/{file}"
        site.replies = {path: fault(site.bytes(path))}
        with another_profile(visitor) as newcomer:
            outcomes[file] = outcome(newcomer)
        wanted[file] = expected(name, site.url + path, problem)
    assert outcomes == wanted


def test_what_breaks_off_once_is_asked_for_again(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    site.once = {path: breaks_off(site.bytes(path)) for path in (f"/fauxserver/{file}" for _, file in files(site))}
    assert outcome(visitor) == expected("", "", "")
    # Of the files, those are left that nobody has asked for.
    assert {path.partition(".")[0] for path in site.once} == {"/fauxserver/stdlib-whole", "/fauxserver/micropip"}


def test_what_was_kept_damaged_is_asked_for_again(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    lasting = {"Cache-Control": "max-age=31536000, immutable"}
    for _, file in files(site):
        path = f"/fauxserver/{file}"
        site.once[path] = one_byte_is_damaged(site.bytes(path))._replace(headers=lasting)
    assert outcome(visitor) == expected("", "", "")


def test_without_its_script_a_page_lives_and_asks_the_real_server(visitor: Visitor, site: Site):
    site.replies["/fauxserver/fauxserver.js"] = breaks_off(site.bytes("/fauxserver/fauxserver.js"))
    visitor.visit(html(EAGER))
    assert visitor.run("return [(await real).real, typeof fauxServer]") == [True, "undefined"]
    assert visitor.errors == []


def test_without_its_module_an_import_rejects_and_the_page_lives(visitor: Visitor, site: Site):
    site.replies["/fauxserver/fauxserver.module.js"] = breaks_off(site.bytes("/fauxserver/fauxserver.module.js"))
    visitor.visit(html(EAGER, faux=None))
    imported = "return import('/fauxserver/fauxserver.module.js').then(() => 'imported', error => error.name)"
    assert (visitor.run(imported), visitor.run("return (await real).real")) == ("TypeError", True)
    assert visitor.errors == []


@pytest.mark.parametrize("file", ["micropip.bin", "manifest.json"])
def test_packages_that_cannot_be_installed_for_want_of_a_file_are_told_with_it(visitor: Visitor, site: Site, file: str):
    path = f"/fauxserver/{file}"
    site.replies[path] = breaks_off(site.bytes(path))
    site.write("/routes.py", ROUTES)
    site.write("/needs.py", '# /// script\n# dependencies = ["cowsay"]\n# ///\n')
    visitor.open(routes=["/needs.py", "/routes.py"])
    assert visitor.run("return ask('books')") == [{"id": 1}]
    (told,) = [line for line in visitor.console if line.startswith("error: fauxserver:")]
    assert [
        word for word in ("needs.py: Cannot install cowsay", file, "does not arrive whole") if word not in told
    ] == []
    assert visitor.errors == []


def test_over_a_slow_network_a_bar_grows(visitor: Visitor, site: Site):
    site.rate = 1_000_000
    watched = script("""
        window.told = []
        document.addEventListener("fauxserver:progress", event => told.push(event.detail))
        window.bars = []
        const look = () => {
          const bar = document.querySelector("fauxserver-progress")
          if (bar) bars.push(Number(bar.getAttribute("aria-valuenow")))
          window.looking = requestAnimationFrame(look)
        }
        look()
    """)
    visitor.open(before=[watched])
    told, bars = visitor.run("return [told, bars]")
    asked = [seen.path.partition("?")[0] for seen in site.reached("/fauxserver/")]
    total = sum(len(site.bytes(path)) for path in asked if path != "/fauxserver/fauxserver.js")
    loaded = [each["loaded"] for each in told]
    assert {each["total"] for each in told} == {total}
    assert (loaded[-1], loaded == sorted(set(loaded))) == (total, True)
    # Nowhere for long: no step is larger than a tenth of the whole.
    assert max(after - before for before, after in zip([0, *loaded], loaded, strict=False)) < total / 10
    assert bars == sorted(bars)
    assert len(set(bars)) >= 5
