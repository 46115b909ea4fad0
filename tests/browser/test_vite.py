"""An app under development: Vite's dev server, and what bundlers make of us, in a browser."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.browser.pages import Visitor
from tests.browser.servers import _process as process
from tests.browser.site import Site
from tests.npm import apps, readme
from tests.npm.apps import App
from wasm.build import node

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()

@server.get("library-app/books/:id")
def read_book(id: int):
    return {"id": id, "title": "Nine Stories"}
"""

PAGE = '<!doctype html><title>App</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>'

MAIN = """
import Backbone from "backbone"
import { start } from "fauxserver"

if (DEVELOPMENT) {
  window.started = start({ routes: "/routes.py", intercept: { Backbone }RUNTIME })
  await window.started.catch(error => { window.failure = error.message })
}

const Book = Backbone.Model.extend({ urlRoot: "library-app/books" })
new Book({ id: 7 }).fetch({ success: book => { document.title = book.get("title") } })
"""

DYNAMIC = MAIN.replace('import { start } from "fauxserver"\n', "").replace(
    "window.started =", 'const { start } = await import("fauxserver")\n  window.started ='
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tarball = apps.pack(tmp_path_factory.mktemp("packed"))
    return apps.install(tarball, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def app(installed: Path, tmp_path: Path) -> App:
    """A page, its script still to be written, and a route file in public/."""
    app = apps.make_app(tmp_path / "app", installed, node())
    app.write("index.html", PAGE)
    app.write("public/routes.py", ROUTES)
    return app


def main(source: str, condition: str, **options: str) -> str:
    given = "".join(f', {name}: "{value}"' for name, value in options.items())
    return source.replace("DEVELOPMENT", condition).replace("RUNTIME", given)


def development(app: App) -> AbstractContextManager[str]:
    """Vite's dev server: its address."""
    return process([app.node, str(app.tool("vite")), "--host", "127.0.0.1"], r"Local: +(http://\S+)", cwd=app.folder)


README = readme.block("main.js") + MAIN.rpartition("}\n\n")[2]


@pytest.mark.parametrize("source", [README, DYNAMIC], ids=["the README's", "dynamic import"])
def test_vites_dev_server_and_start_behind_its_condition(app: App, visitor: Visitor, source: str):
    ended = app.run(app.tool("fauxserver"), "vendor", "public/fauxserver")
    assert ended.code == 0, ended
    app.write("main.js", main(source, "import.meta.env.DEV", runtime="/fauxserver/"))
    with development(app) as address:
        visitor.go(address)
        visitor.until("document.title === 'Nine Stories' || window.failure")
    assert visitor.failures == []


def test_without_the_runtimes_folder_the_error_says_how_to_name_it(app: App, visitor: Visitor):
    app.write("main.js", main(MAIN, "import.meta.env.DEV"))
    with development(app) as address:
        visitor.go(address)
        visitor.until("window.failure")
        failure = visitor.run("return failure")
    assert "Copy the files there with `fauxserver vendor DIR`" in failure
    assert 'start({ runtime: "…" }) from a module' in failure


WHERE = (
    "Cannot start fauxserver (finding its files): this script does not know where it lies. Name the folder that "
    '`fauxserver vendor` made: data-runtime="…" on the script tag, or start({ runtime: "…" }) from a module.'
)


def esbuild(app: App) -> None:
    script = """
        import { createRequire } from "node:module"
        await createRequire(process.argv[2])("esbuild").build({
          entryPoints: ["main.js"], outfile: "out.js", bundle: true, format: "esm", define: { DEVELOPMENT: "true" },
        })
    """
    ended = app.run(app.write("build.mjs", script), app.esbuild)
    assert ended.code == 0, ended


def webpack(app: App) -> None:
    script = """
        import webpack from "webpack"
        const here = import.meta.dirname
        const stats = await new Promise((resolve, reject) => webpack({
          mode: "production", entry: here + "/main.js", output: { path: here, filename: "out.js" },
          externals: { jquery: "undefined" }, plugins: [new webpack.DefinePlugin({ DEVELOPMENT: "true" })],
        }, (error, stats) => error ? reject(error) : resolve(stats)))
        if (stats.hasErrors()) throw new Error(stats.toString())
    """
    ended = app.run(app.write("build.mjs", script))
    assert ended.code == 0, ended


@pytest.mark.parametrize("bundle", [webpack, esbuild])
def test_a_bundle_answers_with_the_runtime_that_it_is_told_of(app: App, visitor: Visitor, site: Site, bundle):
    app.write("main.js", main(MAIN, "DEVELOPMENT", runtime="/fauxserver/"))
    bundle(app)
    site.write("/routes.py", ROUTES)
    site.write("/app/main.js", (app.folder / "out.js").read_bytes())
    visitor.visit(PAGE.replace("/main.js", "/app/main.js"))
    visitor.until("document.title === 'Nine Stories' || window.failure")
    assert visitor.failures == []


def test_webpacks_bundle_without_it_says_so(app: App, visitor: Visitor, site: Site):
    app.write("main.js", main(MAIN, "DEVELOPMENT"))
    webpack(app)
    site.write("/app/main.js", (app.folder / "out.js").read_bytes())
    visitor.visit(PAGE.replace("/main.js", "/app/main.js"))
    visitor.until("window.failure")
    assert visitor.run("return failure") == WHERE


def test_esbuilds_bundle_looks_beside_itself_and_then_says_so(app: App, visitor: Visitor, site: Site):
    app.write("main.js", main(MAIN, "DEVELOPMENT"))
    esbuild(app)
    site.write("/app/main.js", (app.folder / "out.js").read_bytes())
    visitor.visit(PAGE.replace("/main.js", "/app/main.js"))
    visitor.until("window.failure")
    failure = visitor.run("return failure")
    assert f"{site.url}/app/" in failure
    assert 'start({ runtime: "…" }) from a module' in failure
