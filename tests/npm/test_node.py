"""In Node: the packed package beside Backbone, in scripts and under `node --test`."""

import pytest

from tests.npm.apps import App

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()
server.get("books", [{"id": 1}])

@server.get("books/:id")
async def read_book(id: int):
    return {"id": id}
"""


def test_required_it_answers_backbone_and_the_script_ends_by_itself(any_app: App):
    any_app.write("routes.py", ROUTES)
    ended = any_app.script(
        "script.cjs",
        """
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")

        fauxServer.load("routes.py")
        fauxServer.get("authors", () => [{ id: 7 }])
        for (const url of ["books", "books/3", "authors"]) {
          new Backbone.Model().fetch({ url, success: (_, answer) => console.log(JSON.stringify(answer)) })
        }
        """,
    )
    assert (ended.code, ended.err) == (0, "")
    assert sorted(ended.out.split()) == ['[{"id":1}]', '[{"id":7}]', '{"id":3}']


def test_imported_it_answers_the_backbone_that_it_is_given(any_app: App):
    any_app.write("routes.py", ROUTES)
    ended = any_app.script(
        "script.mjs",
        """
        import Backbone from "backbone"
        import { start } from "fauxserver"

        const native = Backbone.sync
        const stop = await start({ routes: "routes.py", intercept: { Backbone } })
        console.log(JSON.stringify(await new Backbone.Collection().fetch({ url: "books" })), stop.fauxServer.boot)
        stop()
        console.log(Backbone.sync === native)
        """,
    )
    assert ended == (0, '[{"id":1}] snapshot\ntrue\n', "")


TESTS = """
import assert from "node:assert/strict"
import { after, before, beforeEach, test } from "node:test"
import Backbone from "backbone"
import { start } from "fauxserver"

let stop
before(async () => {
  stop = await start({ routes: "routes.py", intercept: { Backbone } })
})
beforeEach(() => stop.fauxServer.reset())
after(() => stop())

test("a book has its number", async () => {
  assert.deepEqual(await new Backbone.Model().fetch({ url: "books/7" }), { id: 7 })
})

test("a route of one test", async () => {
  stop.fauxServer.get("books/:id", () => "410")
  await assert.rejects(new Backbone.Model().fetch({ url: "books/7" }), reason => reason === "410")
})

test("is not another's", async () => {
  assert.deepEqual(await new Backbone.Model().fetch({ url: "books/7" }), { id: 7 })
})
"""


def test_under_node_test_each_test_begins_afresh(any_app: App):
    any_app.write("routes.py", ROUTES)
    any_app.write("books.test.mjs", TESTS)
    ended = any_app.run("--test", "books.test.mjs")
    assert ended.code == 0, ended.out
    assert "pass 3" in ended.out


@pytest.mark.parametrize(
    "code",
    [
        'require("fauxserver")',
        'require("fauxserver").get("books", [])',
        'require("fauxserver").enable(false)',
        'require("fauxserver").ready.then(() => {})',
        'import("fauxserver").then(({ start }) => start()).then(stop => stop())',
        'import("fauxserver").then(({ start }) => { start() })',
    ],
    ids=["required", "with a route", "disabled", "ready", "started and stopped", "started and left"],
)
def test_a_script_that_asks_nothing_ends_without_a_word(app: App, code: str):
    assert app.script("script.cjs", code) == (0, "", "")


def test_a_script_ends_when_its_answers_have_come_late_ones_too_and_what_it_dropped_is_not_waited_for(any_app: App):
    ended = any_app.script(
        "script.cjs",
        """
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")
        const say = (_, answer) => console.log(answer)

        fauxServer.get("late", context => "was late").get("soon", () => ({ soon: true }))
        fauxServer.setLatency(context => context.url === "soon" ? 0 : context.url === "late" ? 300 : 3600 * 1000)
        fauxServer.get("never", () => new Promise(() => {}))
        new Backbone.Model().fetch({ url: "late", error: say })
        new Backbone.Model().fetch({ url: "soon", success: say })
        new Backbone.Model().fetch({ url: "never", error: () => console.log("aborted") }).abort()
        fauxServer.ready.then(() => {
          const promise = new Backbone.Model().fetch({ url: "never", error: () => console.log("aborted") })
          promise.abort()
        })
        """,
    )
    assert (ended.code, ended.err) == (0, "")
    assert sorted(ended.out.splitlines()) == ["aborted", "aborted", "was late", "{ soon: true }"]


# Where a route file lies


@pytest.mark.parametrize(
    "named",
    [
        '"routes #1 50%.py"',
        '"./below/../routes #1 50%.py"',
        'path.resolve("routes #1 50%.py")',
        'new URL("routes%20%231%2050%25.py", import.meta.url)',
        'new URL("routes%20%231%2050%25.py", import.meta.url).href',
    ],
)
def test_a_route_file_is_named_by_its_path_from_where_node_was_started_or_by_its_url(app: App, named: str):
    app.write("routes #1 50%.py", ROUTES)
    ended = app.script(
        "script.mjs",
        f"""
        import path from "node:path"
        import Backbone from "backbone"
        import {{ start }} from "fauxserver"

        const {{ fauxServer }} = await start({{ intercept: {{ Backbone }} }})
        await fauxServer.load({named})
        console.log(await new Backbone.Collection().fetch({{ url: "books" }}))
        """,
    )
    assert ended == (0, "[ { id: 1 } ]\n", "")


def test_a_route_file_that_is_not_there_is_told_with_its_path(app: App):
    (app.folder / "folder.py").mkdir()
    ended = app.script(
        "script.mjs",
        """
        import { start } from "fauxserver"

        const { fauxServer } = await start({ routes: "below/none.py" })
        for (const name of ["none.py", "folder.py"]) {
          await fauxServer.load(name).catch(error => console.log(error.message))
        }
        """,
    )
    assert (ended.code, ended.out) == (
        0,
        f"Cannot load {app.folder}/none.py: there is no such file. Check the path.\n"
        f"Cannot load {app.folder}/folder.py: it is a folder. Check the path.\n",
    )
    told = ended.err.splitlines()[0]
    assert told == f"fauxserver: Cannot load {app.folder}/below/none.py: there is no such file. Check the path."


def test_a_file_beside_a_route_file_that_is_not_there_is_told_with_both(app: App):
    app.write("below/routes.py", '# /// script\n# [tool.fauxserver]\n# files = ["books.json"]\n# ///\n')
    ended = app.script(
        "script.cjs", 'require("fauxserver").load("below/routes.py").catch(error => console.log(error.message))'
    )
    assert ended.out == (
        f"routes.py: Cannot load {app.folder}/below/books.json: there is no such file. Check the path.\n"
    )


def test_the_runtimes_files_may_lie_in_a_folder_of_any_name(app: App):
    (app.folder / "node_modules" / "fauxserver").rename(app.folder / "some #1 50% copy")
    ended = app.script(
        "script.mjs",
        """
        import { createRequire } from "node:module"
        const { start } = await import(new URL("some%20%231%2050%25%20copy/fauxserver.mjs", import.meta.url))
        console.log((await start()).fauxServer.boot)
        console.log((await createRequire(import.meta.url)("./some #1 50% copy/fauxserver.js").ready).boot)
        const runtime = new URL("some%20%231%2050%25%20copy/", import.meta.url).href
        console.log((await start({ runtime })).fauxServer.boot)
        """,
    )
    assert ended == (0, "snapshot\nsnapshot\nsnapshot\n", "")


# What nothing here answers

NO_NETWORK = (
    "GET {url}: no route answers it, or the faux server is off, and Backbone has nothing to ask the network with. "
    "Add a route, or set Backbone.ajax."
)


def test_what_no_route_answers_and_no_ajax_can_ask_is_told(app: App):
    ended = app.script(
        "script.cjs",
        """
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")
        const told = how => error => console.log(how, error.message)
        const fetch = url => new Backbone.Model().fetch({ url, error: (_, error) => told("error")(error) })

        fauxServer.get("here", () => 1)
        fetch("held").catch(told("rejected"))
        fauxServer.ready.then(() => {
          try { fetch("nowhere") } catch (error) { told("thrown")(error) }
          fauxServer.enable(false)
          try { fetch("here") } catch (error) { told("thrown")(error) }
        })
        """,
    )
    held, nowhere, here = (NO_NETWORK.format(url=url) for url in ("held", "nowhere", "here"))
    assert (ended.code, ended.err) == (0, f"fauxserver: {held}\n")
    assert ended.out.splitlines() == [f"error {held}", f"rejected {held}", f"thrown {nowhere}", f"thrown {here}"]


def test_what_no_route_answers_is_asked_with_the_apps_own_ajax(app: App):
    ended = app.script(
        "script.cjs",
        """
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")

        Backbone.ajax = options => Promise.resolve({ asked: options.url }).then(options.success)
        const fetch = url => new Backbone.Model().fetch({ url, success: (_, answer) => console.log(answer) })
        fetch("held")
        fauxServer.ready.then(() => fetch("nowhere"))
        """,
    )
    assert ended == (0, "{ asked: 'held' }\n{ asked: 'nowhere' }\n", "")


# Who requires it and does not use it


def test_required_and_not_used_it_loads_no_runtime_and_waits_for_the_first_who_does(app: App):
    ended = app.script(
        "script.cjs",
        """
        const loaded = () => Symbol.for("fauxserver.runtime") in globalThis
        const fauxServer = require("fauxserver")
        setTimeout(async () => {
          console.log(loaded(), fauxServer.getVersion(), fauxServer.boot)
          try { fauxServer.getRouteAt(0) } catch (error) { console.log(error.message) }
          await fauxServer.ready
          console.log(loaded(), fauxServer.boot)
        }, 300)
        """,
    )
    version = app.version()
    assert ended == (
        0,
        f"false {version} undefined\n"
        "fauxServer.getRouteAt: the server is still loading its runtime. Call it after `await fauxServer.ready`.\n"
        "true snapshot\n",
        "",
    )


@pytest.mark.parametrize(
    "use", ["fauxServer.runPython('1')", "fauxServer.load('routes.py')", "fauxServer.get('a', [])"]
)
def test_whatever_needs_the_runtime_loads_it(app: App, use: str):
    app.write("routes.py", ROUTES)
    ended = app.script(
        "script.cjs",
        f"""
        const fauxServer = require("fauxserver")
        {use}
        process.on("exit", () => console.log(fauxServer.boot))
        """,
    )
    assert ended == (0, "snapshot\n", "")


def test_what_waits_for_a_server_that_cannot_start_is_told(app: App):
    (app.folder / "node_modules" / "fauxserver" / "runtime.js").unlink()
    ended = app.script(
        "script.cjs",
        """
        const fauxServer = require("fauxserver")
        const tell = what => error => console.log(what, error.message.split(". ")[0])
        fauxServer.load("routes.py").catch(tell("load"))
        fauxServer.runPython("1").catch(tell("runPython"))
        fauxServer.ready.catch(error => {
          tell("ready")(error)
          fauxServer.load("routes.py").catch(tell("later"))
        })
        """,
    )
    path = app.folder / "node_modules" / "fauxserver" / "runtime.js"
    why = f"Cannot start fauxserver (loading the runtime): {path} is missing or cannot be read"
    assert ended.code == 0
    assert sorted(ended.out.splitlines()) == [
        "later fauxServer.load: the server could not start, as the console says.",
        f"load {why}",
        f"ready {why}",
        f"runPython {why}",
    ]


def test_it_answers_in_a_sandbox_that_lacks_what_test_runners_leave_out(app: App):
    # Jest's is one without import(), and its documents take these away.
    app.write("routes.py", ROUTES)
    ended = app.script(
        "script.cjs",
        """
        const { createRequire, Module } = require("node:module")
        const path = require("node:path")
        const vm = require("node:vm")
        for (const name of ["MessageChannel", "Response", "setImmediate"]) delete globalThis[name]
        // As scripts are run that nobody has given a way to import.
        Module.prototype._compile = function (code, filename) {
          const wrapper = vm.runInThisContext(Module.wrap(code.replace(/^#!.*/, "")), { filename })
          const { dir } = path.parse(filename)
          return wrapper.call(this.exports, this.exports, createRequire(filename), this, filename, dir)
        }
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")
        fauxServer.load("routes.py")
        new Backbone.Collection().fetch({ url: "books", success: (_, answer) => console.log(answer) })
        """,
    )
    assert ended == (0, "[ { id: 1 } ]\n", "")


def test_latency_is_on_the_clock_of_a_test_that_has_replaced_it(any_app: App):
    any_app.write(
        "clock.test.mjs",
        """
        import assert from "node:assert/strict"
        import { test } from "node:test"
        import Backbone from "backbone"
        import { start } from "fauxserver"

        test("an hour passes", async ({ mock }) => {
          const { fauxServer } = await start({ intercept: { Backbone } })
          fauxServer.get("slow", { slow: true }).setLatency(3600 * 1000)
          mock.timers.enable({ apis: ["setTimeout"] })
          const answers = []
          new Backbone.Model().fetch({ url: "slow", success: (_, answer) => answers.push(answer) })
          mock.timers.tick(3600 * 1000 - 1)
          assert.deepEqual(answers, [])
          mock.timers.tick(1)
          assert.deepEqual(answers, [{ slow: true }])
        })
        """,
    )
    ended = any_app.run("--test", "--test-reporter=tap", "clock.test.mjs")
    assert (ended.code, "# pass 1\n" in ended.out) == (0, True), ended
