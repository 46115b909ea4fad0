"""Old test pages swap their one tag and run: the runners wait for `ready`, unless `data-hold="no"`."""

from collections.abc import Sequence

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import OLDEST, Combination
from tests.browser.pages import ORIGINAL, OURS, html, script
from tests.browser.site import Reply, Site, manifest

pytestmark = pytest.mark.every_engine

# Each is a page as it was written for the original, which runs its tests as soon as it has loaded.
QUNIT_1 = [
    script("/npm/qunit-1/qunit/qunit.js"),
    '<div id="qunit"></div><div id="qunit-fixture"></div>',
    "FAUX",
    script("""
        function clean() { fauxServer.removeRoutes() }
        QUnit.module("Books", { setup: clean, beforeEach: clean })
        QUnit.test("routes are copies", function (assert) {
          fauxServer.get("override", "override/:id", function () {})
          assert.strictEqual(fauxServer.getRoute("override").urlExp.toString(), "/^override\\\\/([^/]+)$/")
          assert.deepEqual(fauxServer.getMatchingRoute("override/7", "GET").handlerParams, ["7"])
        })
        QUnit.test("a model is saved", function (assert) {
          var done = assert.async()
          var book = new (Backbone.Model.extend({ urlRoot: "books" }))({ title: "Franny" })
          fauxServer.post("books", function (context) {
            assert.deepEqual(context.data, book.toJSON())
            return { id: 1 }
          })
          book.save(null, { success: function () { assert.equal(book.id, 1); done() } })
        })
        QUnit.done(function (details) { window.ended = [details.passed, details.failed] })
    """),
]
QUNIT_2 = [part.replace("qunit-1", "qunit-2") for part in QUNIT_1]
QUNIT_BY_HAND = [
    QUNIT_2[0],
    script("QUnit.config.autostart = false"),
    *QUNIT_2[1:],
    script("window.addEventListener('load', function () { QUnit.start() })"),
]
JASMINE_SPECS = """
    describe("Books", function () {
      beforeEach(function () { fauxServer.removeRoutes() })
      it("has routes that are copies", function () {
        fauxServer.get("override", "override/:id", function () {})
        expect(fauxServer.getMatchingRoute("override/7", "GET").handlerParams).toEqual(["7"])
      })
      it("saves a model", function (done) {
        var book = new (Backbone.Model.extend({ urlRoot: "books" }))({ title: "Franny" })
        fauxServer.post("books", function (context) { expect(context.data).toEqual(book.toJSON()); return { id: 1 } })
        book.save(null, { success: function () { expect(book.id).toEqual(1); done() } })
      })
    })
    window.passed = []
    jasmine.getEnv().addReporter({
      specDone: function (result) { passed.push(result.status) },
      jasmineDone: function () {
        var good = passed.filter(function (status) { return status === "passed" }).length
        window.ended = [good, passed.length - good]
      }
    })
"""
JASMINE = [
    *(
        script(f"/npm/jasmine-core/lib/jasmine-core/{name}.js")
        for name in ("jasmine", "jasmine-html", "boot0", "boot1")
    ),
    "FAUX",
    script(JASMINE_SPECS),
]
JASMINE_2 = [
    *(script(f"/npm/jasmine-core-2/lib/jasmine-core/{name}.js") for name in ("jasmine", "jasmine-html", "boot")),
    "FAUX",
    script(JASMINE_SPECS),
]
MOCHA_SPECS = """
    mocha.setup("bdd")
    function check(condition) { if (!condition) throw new Error("not so") }
    describe("Books", function () {
      before(function () { fauxServer.removeRoutes() })
      it("has routes that are copies", function () {
        fauxServer.get("override", "override/:id", function () {})
        check(fauxServer.getMatchingRoute("override/7", "GET").handlerParams[0] === "7")
      })
      it("saves a model", function (done) {
        var book = new (Backbone.Model.extend({ urlRoot: "books" }))({ title: "Franny" })
        fauxServer.post("books", function (context) { return { id: 1 } })
        book.save(null, { success: function () { check(book.id === 1); done() } })
      })
    })
    var passed = 0, failed = 0
    mocha.run()
      .on("pass", function () { passed += 1 })
      .on("fail", function () { failed += 1 })
      .on("end", function () { window.ended = [passed, failed] })
"""
MOCHA = [script("/npm/mocha/mocha.js"), '<div id="mocha"></div>', "FAUX", script(MOCHA_SPECS)]

PAGES = {
    "QUnit 1": (QUNIT_1, [4, 0]),
    "QUnit 2": (QUNIT_2, [4, 0]),
    "QUnit started by hand": (QUNIT_BY_HAND, [4, 0]),
    "Jasmine": (JASMINE, [2, 0]),
    "Jasmine 2": (JASMINE_2, [2, 0]),
    "Mocha": (MOCHA, [2, 0]),
}


def page(parts: Sequence[str], faux: str, libraries: Combination = OLDEST) -> str:
    return html(*(faux if part == "FAUX" else part for part in parts), libraries=libraries, faux=None)


def ended(visitor: Visitor) -> list[int]:
    visitor.until("window.ended")
    counts: list[int] = visitor.run("return ended")
    return counts


@pytest.mark.parametrize("name", PAGES)
def test_F10_a_test_page_runs_by_changing_nothing_but_the_tag(visitor: Visitor, name: str):
    parts, counts = PAGES[name]
    visitor.visit(page(parts, script(ORIGINAL)))
    assert ended(visitor) == counts
    visitor.visit(page(parts, script(OURS)))
    assert ended(visitor) == counts
    assert visitor.ready() == "snapshot"
    assert visitor.failures == []


BOOTED = {
    "QUnit 1": "QUnit.test('it runs', function (assert) { window.ran = [fauxServer.boot]; assert.ok(true) })",
    "Jasmine": "it('runs', function () { window.ran = [fauxServer.boot] })",
    "Mocha": "mocha.setup('bdd'); it('runs', function () { window.ran = [fauxServer.boot] }); mocha.run()",
}


@pytest.mark.parametrize("hold", ["yes", "no"])
@pytest.mark.parametrize("name", BOOTED)
def test_F10_a_runner_waits_unless_data_hold_is_no(visitor: Visitor, site: Site, name: str, hold: str):
    [snapshot, *_] = [part["file"] for part in manifest(site)["snapshot"]["parts"]]
    before = PAGES[name][0][: PAGES[name][0].index("FAUX")]
    site.hold(f"/fauxserver/{snapshot}")
    visitor.visit(page([*before, "FAUX", script(BOOTED[name])], script(OURS, data_hold=hold)))
    if hold == "no":
        visitor.until("window.ran")
    site.release(f"/fauxserver/{snapshot}")
    visitor.until("window.ran")
    assert visitor.run("return ran") == [None if hold == "no" else "snapshot"]


def test_F10_a_runner_that_is_loaded_after_us_is_held_too(visitor: Visitor):
    for parts, counts in (PAGES["QUnit 1"], PAGES["Jasmine"], PAGES["Mocha"]):
        first, *rest = [part for part in parts if part != "FAUX"]
        visitor.visit(page(["FAUX", first, *rest], script(OURS)))
        assert ended(visitor) == counts


def test_F10_when_the_boot_fails_the_tests_run_all_the_same(visitor: Visitor):
    visitor.site.replies["/fauxserver/runtime.js"] = Reply(404)
    parts, _ = PAGES["Mocha"]
    visitor.visit(page(parts, script(OURS)))
    assert sum(ended(visitor)) > 0
