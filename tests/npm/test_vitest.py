"""Vitest, in plain Node and in the documents that it gives Node."""

import pytest

from tests.npm.apps import App
from tests.npm.test_node import ROUTES

TESTS = """
// @vitest-environment ENVIRONMENT
import Backbone from "backbone"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import { start } from "fauxserver"

const before = globalThis.document?.documentElement.outerHTML
let stop
beforeAll(async () => {
  stop = await start({ routes: "routes.py", intercept: { Backbone } })
})
beforeEach(() => {
  stop.fauxServer.reset()
})
afterAll(() => stop())

test("it answers", async () => {
  expect(typeof document).toBe("DOCUMENT")
  expect(stop.fauxServer.boot).toBe("snapshot")
  expect(await new Backbone.Model().fetch({ url: "books/7" })).toEqual({ id: 7 })
})

test("an error is a failed request, and the document is as it was", async () => {
  stop.fauxServer.get("broken", () => { throw new Error("on purpose") })
  await expect(new Backbone.Model().fetch({ url: "broken" })).rejects.toThrow("on purpose")
  expect(globalThis.document?.documentElement.outerHTML).toBe(before)
})
"""

REQUIRED = """
// @vitest-environment jsdom
import { createRequire } from "node:module"
import { expect, test } from "vitest"

const require = createRequire(import.meta.url)

test("it starts by itself", async () => {
  const Backbone = require("backbone")
  await require("fauxserver").load("routes.py")
  expect(await new Backbone.Model().fetch({ url: "books/7" })).toEqual({ id: 7 })
})
"""


@pytest.mark.parametrize(
    ("environment", "document"), [("node", "undefined"), ("jsdom", "object"), ("happy-dom", "object")]
)
def test_imported_it_boots_in_every_environment(app: App, environment: str, document: str):
    app.write("routes.py", ROUTES)
    app.write("books.test.js", TESTS.replace("ENVIRONMENT", environment).replace("DOCUMENT", document).lstrip())
    ended = app.run(app.tool("vitest"), "run")
    assert ended.code == 0, ended
    assert "2 passed" in ended.out
    # What was answered is not told line by line in a terminal; what went wrong is.
    assert "GET books/7" not in ended.out
    assert "on purpose" in ended.err


def test_required_in_a_document_it_starts_by_itself(app: App):
    app.write("routes.py", ROUTES)
    app.write("books.test.js", REQUIRED.lstrip())
    ended = app.run(app.tool("vitest"), "run")
    assert (ended.code, ended.err) == (0, ""), ended
