"""The README's test of an app, as it is printed, under `node --test` and in Vitest."""

from tests.npm import readme
from tests.npm.apps import App


def test_under_node_test(any_app: App):
    any_app.write("routes.py", readme.routes())
    any_app.write("books.test.mjs", readme.block("books.test.mjs"))
    ended = any_app.run("--test", "--test-reporter=tap", "books.test.mjs")
    assert (ended.code, "# pass 1\n" in ended.out) == (0, True), ended


def test_in_vitest_with_its_own_words(app: App):
    words = 'import { afterAll as after, beforeAll as before, beforeEach, test } from "vitest"'
    code = readme.block("books.test.mjs")
    changed = code.replace('import { after, before, beforeEach, test } from "node:test"', words)
    assert changed != code
    app.write("routes.py", readme.routes())
    app.write("books.test.mjs", changed)
    ended = app.run(app.tool("vitest"), "run", "--environment", "jsdom")
    assert (ended.code, "1 passed" in ended.out) == (0, True), ended
