"""How the runtime gets into the page, and what is said when it cannot."""

from pathlib import Path

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import html, script
from tests.browser.site import Reply, Site, manifest

pytestmark = pytest.mark.every_engine

ASK = "return ask('books')"
ROUTES = "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('books', [{'id': 1}])\n"


def asset(site: Site, *names: str) -> list[str]:
    """The addresses of a runtime file's parts, by its name in the manifest."""
    files = manifest(site)
    return [f"/fauxserver/{part['file']}" for name in names for part in files[name]["parts"]]


def test_everything_comes_from_beside_the_script(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    asked = visitor.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    ours = {url.removeprefix(site.url).partition("?")[0] for url in asked}
    assert set(asset(site, "script", "answering", "wasm", "snapshot")) < ours
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []
    assert visitor.run(ASK) == [{"id": 1}]
    assert visitor.failures == []


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 64]) + content[middle + 64 :]


@pytest.mark.parametrize("how", ["missing", "damaged", "truncated", "a page instead"])
def test_without_its_snapshot_it_boots_plainly_and_says_so_once(visitor: Visitor, site: Site, how: str):
    site.write("/routes.py", ROUTES)
    for path in asset(site, "snapshot"):
        site.replies[path] = {
            "missing": Reply(404),
            "damaged": Reply(200, damaged(site.bytes(path))),
            "truncated": Reply(200, site.bytes(path)[:1000]),
            "a page instead": Reply(200, b"<!doctype html>", {"Content-Type": "text/html"}),
        }[how]
    visitor.open(routes=["/routes.py"], boot="plain")
    assert visitor.run(ASK) == [{"id": 1}]
    assert len([line for line in visitor.console if line.startswith("warning:") and "snapshot" in line]) == 1
    assert visitor.errors == []


@pytest.mark.parametrize("name", ["script", "answering", "wasm", "package"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_without_another_of_its_files_it_says_which_and_what_to_do(visitor: Visitor, site: Site, name: str, how: str):
    for path in asset(site, name):
        site.replies[path] = Reply(404) if how == "missing" else Reply(200, damaged(site.bytes(path)))
    visitor.visit(html(script("window.one = ask('/real/one')")))
    message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
    assert any(path.removeprefix("/fauxserver/") in message for path in asset(site, name)), message
    assert any(message in line for line in visitor.failures), visitor.console
    # And the rest of the page works.
    assert visitor.run("return (await one).real") is True


def test_files_may_be_inflated_by_the_server(visitor: Visitor, site: Site):
    for path in asset(site, "wasm", "snapshot"):
        content = site.bytes(path)
        if content.startswith(b"\x1f\x8b"):
            site.replies[path] = Reply(
                200, content, {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
            )
    visitor.visit(html())
    assert visitor.ready() == "snapshot"
    assert visitor.failures == []


def test_the_runtime_may_lie_elsewhere(visitor: Visitor, site: Site, static: Path):
    site.mounts["/elsewhere/"] = static
    try:
        site.write("/only/fauxserver.js", (static / "fauxserver.js").read_bytes())
        visitor.open(faux="/only/fauxserver.js", data_runtime="/elsewhere")
        assert [seen.path for seen in site.reached("/only/")] == ["/only/fauxserver.js"]
        visitor.open(before=[script("window.fauxServer = { runtime: '/elsewhere/' }")], faux="/only/fauxserver.js")
        assert [seen.path for seen in site.reached("/only/")].count("/only/fauxserver.js") == len(
            site.reached("/only/")
        )
    finally:
        del site.mounts["/elsewhere/"]


def test_a_page_from_the_file_system_is_told_to_be_served(
    visitor: Visitor, static: Path, npm_modules: Path, tmp_path: Path
):
    (tmp_path / "fauxserver").symlink_to(static, target_is_directory=True)
    (tmp_path / "npm").symlink_to(npm_modules, target_is_directory=True)
    page = tmp_path / "page.html"
    listens = script("window.told = []; console.error = (...values) => told.push(values.join(' '))")
    page.write_text(html(before=[listens]).replace('src="/', 'src="'))
    visitor.go(page.as_uri())
    message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
    assert [word for word in ("file://", "http") if word not in message] == [], message
    assert any("file://" in line for line in visitor.run("return told"))
    assert visitor.run("return new Backbone.Model({ a: 1 }).get('a')") == 1


def test_a_browser_without_webassembly_is_told_so(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.visit(html(before=[script("delete window.WebAssembly")], routes=["/routes.py"]))
    message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
    assert "WebAssembly" in message
    assert any("WebAssembly" in line for line in visitor.failures)
    assert visitor.run("return (await ask('/real/one')).real") is True


@pytest.mark.parametrize(
    ("policy", "booted"),
    [
        ("default-src 'self'; script-src 'self' 'nonce-it' 'wasm-unsafe-eval'; style-src 'self'; img-src data:", True),
        ("default-src 'self'; script-src 'self' 'nonce-it'; style-src 'self'; img-src data:", False),
    ],
)
def test_a_content_security_policy_needs_wasm_unsafe_eval_alone(
    visitor: Visitor, site: Site, policy: str, booted: bool
):
    site.write("/routes.py", ROUTES)
    page = html(script("window.here = true", nonce="it"), routes=["/routes.py"])
    site.replies["/page.html"] = Reply(
        200, page.encode(), {"Content-Type": "text/html", "Content-Security-Policy": policy}
    )
    visitor.go("/page.html")
    said = visitor.run("return fauxServer.ready.then(() => fauxServer.boot, error => error.message)")
    if booted:
        assert said == "snapshot"
        assert visitor.run("fauxServer.get('bad', () => { throw new Error('broken') }); " + ASK) == [{"id": 1}]
        assert visitor.failures == []
    else:
        assert "wasm-unsafe-eval" in said


def test_progress_is_an_event_with_loaded_and_total_bytes(visitor: Visitor, site: Site):
    visitor.open(
        before=[
            script("""
                window.told = []
                document.addEventListener("fauxserver:progress", event => told.push(event.detail))
            """)
        ]
    )
    told = visitor.run("return told")
    loaded = [each["loaded"] for each in told]
    assert loaded == sorted(loaded)
    assert told[-1]["loaded"] == told[-1]["total"] > 1_000_000
    assert {"loaded", "total", "stage"} == set(told[-1])


def test_a_bar_is_shown_when_it_takes_long_and_goes_when_it_is_done(visitor: Visitor, site: Site):
    visitor.preload("""
        const own = window.setTimeout
        // As if half a second were always over.
        window.setTimeout = (act, delay, ...rest) => own(act, delay === 500 ? 0 : delay, ...rest)
        window.bars = []
        new MutationObserver(changes => {
          for (const change of changes) {
            const bar = nodes => [...nodes].filter(node => node.nodeName === "FAUXSERVER-PROGRESS")
            bars.push(...bar(change.addedNodes).map(node => ["shown", node.getAttribute("role")]))
            bars.push(...bar(change.removedNodes).map(() => ["gone"]))
          }
        }).observe(document, { childList: true, subtree: true })
    """)
    visitor.open()
    assert visitor.run("return bars") == [["shown", "progressbar"], ["gone"]]


def test_a_folder_whose_address_is_none_is_named(visitor: Visitor, site: Site):
    visitor.visit(html(script("window.one = ask('/real/one')"), data_runtime="http://["))
    message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
    assert [word for word in ('"http://["', "fauxserver vendor") if word not in message] == [], message
    assert visitor.run("return (await one).real") is True


def test_files_that_are_labelled_with_an_encoding_they_have_not_leave_no_rejection(visitor: Visitor, site: Site):
    for path in asset(site, "package"):
        site.replies[path] = Reply(200, site.bytes(path), {"Content-Encoding": "br"})
    visitor.visit(html())
    message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
    assert (message.startswith("Cannot start fauxserver"), visitor.errors) == (True, [])
