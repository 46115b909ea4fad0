"""Row F10: what a page asks and registers before the runtime is ready is done after it, in order; nothing is lost."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import html, script
from tests.browser.site import Reply, Seen, Site

pytestmark = pytest.mark.every_engine

ROUTES = """
from fauxserver import FauxServer
server = FauxServer()
seen = []

@server.add_route("asked/:what")
def asked(context, what):
    seen.append(what)
    return {"what": what, "data": context.data, "method": context.http_method, "seen": list(seen)}

server.get("shared", {"by": "routes.py"})
server.get("over", {"by": "routes.py"})
"""


def test_F10_requests_before_ready_are_answered_in_order(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            window.log = []
            for (const what of ["one", "two", "three"]) {
              const model = new (Backbone.Model.extend({ url: "asked/" + what }))()
              model.fetch({ success: (model, answer) => log.push(answer.seen) })
            }
            log.push("asked")
        """),
        routes=["/routes.py"],
    )
    visitor.until("log.length === 4")
    assert visitor.run("return log") == ["asked", ["one"], ["one", "two"], ["one", "two", "three"]]
    assert site.reached("/asked") == []
    assert visitor.failures == []


def test_F10_files_run_in_document_order_then_the_pages_calls_then_the_requests(visitor: Visitor, site: Site):
    site.write("/first.py", ROUTES)
    site.write("/second.py", ROUTES.replace("routes.py", "second.py"))
    visitor.open(
        script("""
            fauxServer.get("over", () => ({ by: "the page" }))
            fauxServer.get("name", "named", () => ({ by: "earlier" })).get("name", "named", () => ({ by: "later" }))
            window.answers = Promise.all(["shared", "over", "named", "inline"].map(url => ask(url)))
        """),
        script(
            'from fauxserver import FauxServer\nserver = FauxServer()\nserver.get("inline", {"by": "an inline file"})',
            type="text/python",
        ),
        routes=["/first.py", "/second.py"],
    )
    assert visitor.run("return answers") == [
        {"by": "second.py"},
        {"by": "the page"},
        {"by": "later"},
        {"by": "an inline file"},
    ]


def test_F10_what_is_not_ours_goes_to_the_network_with_the_data_it_had(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            window.triggered = []
            const Model = Backbone.Model.extend({ url: "/real/things" })
            window.answers = Promise.all([
              new Promise(success => {
                const model = new Model({ id: 1, title: "old" })
                model.on("request", () => triggered.push("wait"))
                model.save({ title: "new" }, { wait: true, success: (model, answer) => success(answer) })
                model.set("title", "changed meanwhile")
              }),
              new Promise(success => {
                const model = new Model({ id: 1, title: "old" })
                model.on("request", () => triggered.push("patch"))
                model.save({ year: 1961 }, { patch: true, success: (model, answer) => success(answer) })
              }),
              new Promise(resolve => {
                new Model({ id: 2 }).fetch({ url: "/real/fail", error: (model, xhr) => resolve(xhr.status) })
              }),
            ])
            window.before = triggered.slice()
        """),
        routes=["/routes.py"],
    )
    answers = visitor.run("return answers")
    assert [answers[0]["body"], answers[1]["body"], answers[2]] == [{"id": 1, "title": "new"}, {"year": 1961}, 500]
    reached = {seen[:2] for seen in site.reached()}
    assert reached == {("PUT", "/real/things"), ("PATCH", "/real/things"), ("GET", "/real/fail")}
    assert len(site.reached()) == 3
    assert visitor.run("return [before, triggered]") == [[], ["wait", "patch"]]


def test_F10_a_held_save_sends_the_data_it_had(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            const Model = Backbone.Model.extend({ url: "asked/save" })
            const ask = act => new Promise(success => act((model, answer) => success([answer.method, answer.data])))
            window.answers = Promise.all([
              ask(success => new Model({ id: 1, title: "old" }).save({ title: "new" }, { wait: true, success })),
              ask(success => {
                const model = new Model({ title: "then" })
                model.save(null, { success })
                model.set("title", "now")
              }),
              ask(success => new Model({ id: 1, title: "old" }).save({ year: 1961 }, { patch: true, success })),
              ask(success => new Model({ id: 1 }).destroy({ success })),
            ])
        """),
        routes=["/routes.py"],
    )
    assert visitor.run("return answers") == [
        ["PUT", {"id": 1, "title": "new"}],
        ["POST", {"title": "then"}],
        ["PATCH", {"year": 1961}],
        ["DELETE", None],
    ]


def test_F10_a_held_request_has_its_url_and_promise_at_once(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            const model = new (Backbone.Model.extend({ url() { return "asked/" + this.get("at") } }))({ at: "then" })
            window.triggered = []
            model.on("request", (it, promise) => triggered.push([it === model, promise === returned]))
            const returned = model.fetch()
            model.set("at", "now")
            window.first = [typeof returned.then, typeof returned.abort, triggered.length]
            window.answer = returned.then(value => value.what)
            try {
              Backbone.sync("read", Object.assign(new Backbone.Model(), { url: () => "" }), {})
            } catch (error) {
              window.missing = error.message
            }
            window.reasons = []
            const error = (it, reason) => reasons.push(reason.statusText)
            new Backbone.Model().fetch({ url: "asked/aborted", error }).abort()
        """),
        routes=["/routes.py"],
    )
    answer = visitor.run("return [first, await answer, triggered, missing, reasons]")
    assert answer == [
        ["function", "function", 0],
        "then",
        [[True, True]],
        "sync: Undefined 'url' property or function of Model / Collection",
        ["abort"],
    ]
    assert visitor.run("return ask('asked/last')")["seen"] == ["then", "last"]


def test_F10_without_jquery_too(visitor: Visitor, site: Site):
    from tests.browser.matrix import WITHOUT_JQUERY

    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            const returned = new (Backbone.Model.extend({ url: "asked/one" }))().fetch()
            window.answer = [returned instanceof Promise, typeof returned.abort, returned]
        """),
        routes=["/routes.py"],
        libraries=WITHOUT_JQUERY,
    )
    assert visitor.run("return [answer[0], answer[1], (await answer[2]).what]") == [True, "function", "one"]


def test_F10_what_cannot_wait_says_so(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("""
            const thrown = act => { try { act(); return "nothing" } catch (error) { return error.message } }
            window.messages = [
              () => new (Backbone.Model.extend({ url: "asked/one" }))().fetch({ async: false }),
              () => fauxServer.getRoute("n"),
              () => fauxServer.getRouteAt(0),
              () => fauxServer.getMatchingRoute("u", "GET"),
            ].map(thrown)
            window.atOnce = [() => fauxServer.addRoute(), () => fauxServer.get()].map(thrown)
            atOnce.push(fauxServer.getVersion())
        """),
        routes=["/routes.py"],
    )
    messages, at_once = visitor.run("return [messages, atOnce]")
    assert ["fauxServer.ready" in message for message in messages] == [True] * 4, messages
    assert at_once == [
        "addRoute: Missing mandatory 'urlExp' argument",
        "get: Missing mandatory 'urlExp' argument",
        visitor.run("return fauxServer.getVersion()"),
    ]
    assert site.reached("/asked") == []


def test_F10_what_fails_in_the_replay_is_reported_and_the_rest_goes_on(visitor: Visitor):
    visitor.open(
        script("""
            fauxServer.get("good", () => ({ good: 1 })).get("bad(", () => 1).get("better", () => ({ good: 2 }))
            window.answer = ask("better")
        """)
    )
    assert visitor.run("return answer") == {"good": 2}
    assert len([line for line in visitor.failures if "bad(" in line]) == 1


def test_F10_ready_resolves_to_the_server(visitor: Visitor):
    visitor.open()
    assert visitor.run("return (await fauxServer.ready) === fauxServer") is True
    assert visitor.failures == []


def test_F10_when_the_boot_fails_held_requests_go_to_the_network(visitor: Visitor, site: Site):
    site.replies["/fauxserver/runtime.js"] = Reply(404)
    visitor.visit(
        html(
            script("""
                window.answer = ask("/real/one")
                const returned = new (Backbone.Model.extend({ url: "/real/two" }))().save({ a: 1 })
                window.second = returned.then(answer => answer.body)
                window.reason = fauxServer.ready.catch(error => error.message)
            """)
        )
    )
    assert visitor.run("return (await answer).real") is True
    assert visitor.run("return second") == {"a": 1}
    assert {seen[:2] for seen in site.reached()} == {("GET", "/real/one"), ("POST", "/real/two")}
    assert "runtime.js" in visitor.run("return reason")
    assert any("runtime.js" in line and "fauxserver" in line.lower() for line in visitor.failures)
    assert Seen("GET", "/real/one", "") in site.requests
