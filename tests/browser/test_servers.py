"""Any static server will do: each boots the page from the snapshot and leaves the console clean."""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser import servers
from tests.browser.conftest import Visitor
from tests.browser.engine import ChromiumPage, flags
from tests.browser.matrix import LATEST
from tests.browser.programs import CHROMIUM, find, is_root
from tests.browser.servers import Serving
from tests.browser.site import Site

# Without inline scripts, as the strictest policy wants it.
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page</title>
<link rel="icon" href="icon.svg">
<script src="lib/jquery.js"></script>
<script src="lib/underscore.js"></script>
<script src="lib/backbone.js"></script>
<script src="fauxserver/fauxserver.js"></script>
<script type="text/python" src="routes.py"></script>
<body>
<script src="app.js"></script>
"""

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()
server.get("books/:id", lambda context, id: {"id": id, "title": "Franny and Zooey"})

@server.get("broken")
def broken(context):
    return context.nothing
"""

APP = """
const get = url => new Promise(resolve => new (Backbone.Model.extend({ url }))().fetch({
  success: model => resolve(model.attributes), error: (model, reason) => resolve(["error", reason.status]),
}))
window.answered = get("books/7")
"""

ANSWER = {"id": "7", "title": "Franny and Zooey"}

EXACT = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"


@pytest.fixture(scope="session")
def public(static: Path, npm_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as users have it: a page, its libraries, its route file, and what `fauxserver vendor` copies."""
    folder = tmp_path_factory.mktemp("servers") / "public"
    shutil.copytree(static, folder / "fauxserver", ignore=shutil.ignore_patterns("demo"))
    (folder / "lib").mkdir()
    for address in LATEST.scripts:
        path = npm_modules / address.removeprefix("/npm/")
        shutil.copyfile(path, folder / "lib" / path.name)
    (folder / "index.html").write_text(PAGE)
    (folder / "routes.py").write_text(ROUTES)
    (folder / "app.js").write_text(APP)
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return folder


SERVERS: dict[str, Serving] = {
    "http.server": servers.http_server,
    "one that knows no MIME type but html and js": servers.html_and_js_only,
    "one to which all else is text": servers.all_else_is_text,
    "Django": servers.django,
    "Flask": servers.flask,
    "nginx": servers.nginx,
    "nginx that compresses everything": servers.nginx_that_compresses,
    "Vite's dev server": servers.vite,
    "Vite's build": servers.vite_build,
    "one with a Content-Security-Policy": servers.policed(EXACT),
}


# A service worker's two habits: to hand on what the page asks for, and to keep it for when there is no network.
WORKERS = {
    "handing on": "event.respondWith(fetch(event.request))",
    "keeping": """event.respondWith(caches.open("all").then(async cache => {
      const kept = await cache.match(event.request)
      if (kept) return kept
      const response = await fetch(event.request)
      cache.put(event.request, response.clone())
      return response
    }))""",
}

AT_ONCE = """
self.addEventListener("install", () => self.skipWaiting())
self.addEventListener("activate", event => event.waitUntil(clients.claim()))
self.addEventListener("fetch", event => { HOW })
"""


@pytest.mark.parametrize("name", SERVERS)
def test_it_boots_from_the_snapshot_and_answers(visitor: Visitor, public: Path, name: str):
    with SERVERS[name](public) as address:
        visitor.page.goto(address)
        assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
        assert visitor.failures == []


def test_it_boots_in_a_sub_path(visitor: Visitor, public: Path, tmp_path: Path):
    (tmp_path / "apps" / "library").mkdir(parents=True)
    (tmp_path / "apps" / "library" / "v2").symlink_to(public, target_is_directory=True)
    with servers.http_server(tmp_path, below="apps/library/v2/") as address:
        visitor.page.goto(address)
        assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
        assert visitor.failures == []


def page_with_our_script_from(public: Path, folder: Path, address: str) -> Path:
    """The page's folder without our files: its script tag names another server."""
    for path in public.iterdir():
        if path.name != "fauxserver":
            (folder / path.name).symlink_to(path)
    (folder / "index.html").unlink()
    (folder / "index.html").write_text(PAGE.replace('src="fauxserver/', f'src="{address}fauxserver/'))
    return folder


def test_it_boots_from_another_origin_that_shares(visitor: Visitor, public: Path, tmp_path: Path):
    with (
        servers.sharing(public) as elsewhere,
        servers.private(page_with_our_script_from(public, tmp_path, elsewhere)) as address,
    ):
        visitor.page.goto(address)
        assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
        assert visitor.failures == []


def test_from_another_origin_that_does_not_share_it_says_what_to_do(visitor: Visitor, public: Path, tmp_path: Path):
    with (
        servers.private(public) as elsewhere,
        servers.private(page_with_our_script_from(public, tmp_path, elsewhere)) as address,
    ):
        visitor.page.goto(address)
        message = visitor.run("return fauxServer.ready.then(() => 'booted', error => error.message)")
        assert message.startswith("Cannot start fauxserver (loading the runtime): ")
        assert message.endswith(
            f"cannot be fetched: no server answers there, or it does not let {address.rstrip('/')} read it. "
            "Start the server, let it send `Access-Control-Allow-Origin`, or copy the files beside the page "
            "with `fauxserver vendor DIR`."
        )
        # The page's requests go to the real server, which has no books.
        assert visitor.run("return answered") == ["error", 404]
        assert visitor.errors == []


@pytest.mark.parametrize("habit", WORKERS)
def test_it_boots_where_a_service_worker_stands_between(visitor: Visitor, public: Path, tmp_path: Path, habit: str):
    folder = tmp_path / "public"
    shutil.copytree(public, folder, copy_function=os.symlink)
    (folder / "worker.js").write_text(AT_ONCE.replace("HOW", WORKERS[habit]))
    with servers.private(folder) as address:
        visitor.page.goto(address)
        visitor.run("""
            await navigator.serviceWorker.register("worker.js")
            await navigator.serviceWorker.ready
            if (!navigator.serviceWorker.controller) {
              await new Promise(resolve => navigator.serviceWorker.addEventListener("controllerchange", resolve))
            }
        """)
        visitor.page.reload()
        assert visitor.run("return Boolean(navigator.serviceWorker.controller)")
        assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
    if habit == "keeping":
        # The server is gone.
        visitor.page.reload()
        assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
    assert visitor.failures == []


def test_it_boots_over_http_from_an_address_that_is_not_localhost(visitor: Visitor, site: Site, public: Path):
    rules = "--host-resolver-rules=MAP books.example 127.0.0.1"
    playwrights = visitor.context.browser.browser_type
    path = find(CHROMIUM, playwrights.executable_path)
    elsewhere = playwrights.launch(executable_path=path, args=[*flags(is_root()), rules, "--no-proxy-server"])
    try:
        visitor = Visitor(ChromiumPage(elsewhere), site)
        with servers.http_server(public) as address:
            visitor.page.goto(address.replace("127.0.0.1", "books.example"))
            assert visitor.run("return [isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
            assert (visitor.ready(), visitor.run("return answered")) == ("snapshot", ANSWER)
            assert visitor.failures == []
    finally:
        elsewhere.close()


def test_under_a_strict_policy_the_bar_and_the_error_box_are_shown_too(visitor: Visitor, public: Path):
    visitor.page.add_init_script("""
        window.refused = []
        document.addEventListener("securitypolicyviolation", event => refused.push(event.violatedDirective))
        const own = window.setTimeout
        // As if half a second were always over.
        window.setTimeout = (act, delay, ...rest) => own(act, delay === 500 ? 0 : delay, ...rest)
        new MutationObserver(() => {
          const bar = document.querySelector("fauxserver-progress")
          if (bar) window.bar = { position: getComputedStyle(bar).position, height: getComputedStyle(bar).height }
        }).observe(document, { childList: true, subtree: true })
    """)
    with servers.policed(EXACT)(public) as address:
        visitor.page.goto(address)
        assert visitor.ready() == "snapshot"
        assert visitor.run("return bar") == {"position": "fixed", "height": "3px"}
        visitor.run("await get('broken')")
        box = visitor.page.locator("fauxserver-errors")
        assert "routes.py:9" in box.locator("section").inner_text()
        assert box.locator("header").evaluate("header => getComputedStyle(header).display") == "flex"
        assert visitor.run("return refused") == []
        # Of all that the console calls errors, one is ours: the handler's.
        assert [line.partition("\n")[0] for line in visitor.failures] == [
            "error: fauxserver: AttributeError: 'Context' object has no attribute 'nothing' (in broken, routes.py:9)"
        ]
