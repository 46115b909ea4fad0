"""Bundlers: nothing of ours in what a build ships, and a server that renders pages is not disturbed."""

import re

import pytest

from tests.npm import readme
from tests.npm.apps import App
from tests.npm.test_node import ROUTES

PAGE = '<!doctype html><title>App</title><div id="app"></div><script type="module" src="/main.js"></script>\n'

MAIN = """
import Backbone from "backbone"

const Book = Backbone.Model.extend({ urlRoot: "library-app/books" })
new Book({ id: 7 }).fetch({ success: book => { document.title = book.get("title") } })
"""

# As people write it, and with what is left of each when the condition is false.
STATIC = """
import { start } from "fauxserver"

if (DEVELOPMENT) {
  await start({ routes: "routes.py", intercept: { Backbone }, runtime: "/fauxserver/" })
}
"""
HTTP_ERROR = """
import { HTTPError, start } from "fauxserver"

if (DEVELOPMENT) {
  const { fauxServer } = await start({ intercept: { Backbone } })
  fauxServer.get("library-app/books/:id", () => { throw new HTTPError(404) })
}
"""
DYNAMIC = """
if (DEVELOPMENT) {
  const { start } = await import("fauxserver")
  await start({ routes: "routes.py", intercept: { Backbone }, runtime: "/fauxserver/" })
}
"""
WAYS = [STATIC, HTTP_ERROR, DYNAMIC]

# Whatever of us would give itself away.
MARKERS = re.compile(rb"fauxserver|fauxServer|pyodide|snapshot-1|sha256-|text/python|wasm", re.IGNORECASE)


def built(app: App, folder: str) -> dict[str, bytes]:
    """The files of a build. None of them has anything of ours."""
    files = [path for path in (app.folder / folder).rglob("*") if path.is_file()]
    assert files
    found = {path.name: MARKERS.findall(path.name.encode() + path.read_bytes()) for path in files}
    assert [name for name, markers in found.items() if markers] == []
    return {path.relative_to(app.folder / folder).as_posix(): path.read_bytes() for path in files}


def vite_build(app: App, main: str, folder: str) -> dict[str, bytes]:
    app.write("main.js", main.replace("DEVELOPMENT", "import.meta.env.DEV"))
    ended = app.run(app.tool("vite"), "build", "--outDir", folder, "--target", "es2022")
    assert ended.code == 0, ended
    return built(app, folder)


def test_a_production_build_of_vite_is_byte_for_byte_the_one_without_us(app: App):
    app.write("index.html", PAGE)
    without = vite_build(app, MAIN, "without")
    for number, way in enumerate(WAYS):
        assert vite_build(app, MAIN + way, f"with-{number}") == without


def test_the_readmes_lines_leave_nothing_either(app: App):
    app.write("index.html", PAGE)
    lines = readme.block("main.js").replace('import Backbone from "backbone"\n', "")
    assert vite_build(app, MAIN + lines, "with") == vite_build(app, MAIN, "without")


def test_the_same_app_built_for_development_has_us(app: App):
    app.write("index.html", PAGE)
    app.write("main.js", MAIN + STATIC.replace("DEVELOPMENT", "true"))
    ended = app.run(app.tool("vite"), "build", "--target", "es2022")
    assert ended.code == 0, ended
    assert any(MARKERS.search(path.read_bytes()) for path in (app.folder / "dist").rglob("*.js"))


ESBUILD = """
import { createRequire } from "node:module"
const [where, entry, outfile] = process.argv.slice(2)
await createRequire(where)("esbuild").build({
  entryPoints: [entry], outfile, bundle: true, minify: true, format: "esm", define: { DEVELOPMENT: "false" },
})
"""

WEBPACK = """
import path from "node:path"
import webpack from "webpack"
const [entry, outfile] = process.argv.slice(2)
const stats = await new Promise((resolve, reject) => webpack({
  mode: "production",
  entry: path.resolve(entry),
  output: { path: path.dirname(path.resolve(outfile)), filename: path.basename(outfile) },
  externals: { jquery: "jQuery" },
  plugins: [new webpack.DefinePlugin({ DEVELOPMENT: "false" })],
}, (error, stats) => error ? reject(error) : resolve(stats)))
if (stats.hasErrors()) throw new Error(stats.toString())
"""


def esbuild(app: App, entry: str, out: str) -> None:
    ended = app.run(app.write("build.mjs", ESBUILD), app.esbuild, entry, out)
    assert ended.code == 0, ended


def webpack(app: App, entry: str, out: str) -> None:
    ended = app.run(app.write("build.mjs", WEBPACK), entry, out)
    assert ended.code == 0, ended


@pytest.mark.parametrize("bundle", [esbuild, webpack])
def test_other_bundlers_leave_us_out_too(app: App, bundle):
    app.write("main.js", MAIN)
    bundle(app, "main.js", "without/main.js")
    without = len(built(app, "without")["main.js"])
    for number, way in enumerate(WAYS):
        app.write("main.js", MAIN + way)
        bundle(app, "main.js", f"with-{number}/main.js")
        # The one or the other word more is theirs: esbuild begins a new `var` where our import was.
        assert abs(len(built(app, f"with-{number}")["main.js"]) - without) < 20


# A server that renders the app's pages


RENDER = """
import Backbone from "backbone"
import { HTTPError, start } from "fauxserver"

const native = Backbone.sync
export const render = () => `<h1>${typeof start} ${new HTTPError(404).status} ${Backbone.sync === native}</h1>`
"""

ENTRY = """
console.log(render())
console.log(Symbol.for("fauxserver.runtime") in globalThis, typeof globalThis.fauxServer)
"""


def test_a_server_that_renders_imports_it_and_nothing_happens(any_app: App):
    ended = any_app.script("server.mjs", RENDER + ENTRY)
    assert ended == (0, "<h1>function 404 true</h1>\nfalse undefined\n", "")


def test_a_server_that_renders_requires_it_and_nothing_happens(any_app: App):
    ended = any_app.script(
        "server.cjs",
        """
        const fauxServer = require("fauxserver")
        const render = () => `<h1>${new fauxServer.HTTPError(404).status}</h1>`
        """
        + ENTRY,
    )
    assert ended == (0, "<h1>404</h1>\nfalse undefined\n", "")


@pytest.mark.parametrize("package", ["outside", "inside"])
def test_vites_build_for_a_server_that_renders_imports_it_and_nothing_happens(app: App, package: str):
    app.write("entry.js", RENDER + ENTRY)
    app.write(
        "vite.config.js", f"export default {{ ssr: {{ noExternal: {'true' if package == 'inside' else '[]'} }} }}\n"
    )
    ended = app.run(app.tool("vite"), "build", "--ssr", "entry.js")
    assert ended.code == 0, ended
    (script,) = (app.folder / "dist").glob("entry.*js")
    assert app.run(script) == (0, "<h1>function 404 true</h1>\nfalse undefined\n", "")


def test_bundled_for_node_it_boots_where_it_is_told_its_files_are(app: App):
    app.write("routes.py", ROUTES)
    app.write(
        "main.js",
        """
        import Backbone from "backbone"
        import { start } from "fauxserver"
        start({ routes: "routes.py", intercept: { Backbone }, runtime: "node_modules/fauxserver" })
          .then(() => new Backbone.Collection().fetch({ url: "books" }))
          .then(books => console.log(books))
        """,
    )
    script = app.write("build.mjs", ESBUILD.replace('"esm"', '"cjs", platform: "node"'))
    ended = app.run(script, app.esbuild, "main.js", "out/main.cjs")
    assert ended.code == 0, ended
    assert app.run("out/main.cjs") == (0, "[ { id: 1 } ]\n", "")
