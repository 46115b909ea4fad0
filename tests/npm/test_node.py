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
