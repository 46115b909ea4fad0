"""Rows B1 to B18 where the page is concerned: local calls, local sync, callbacks in JavaScript, the data store."""

import json
from typing import Any

import pytest

from fauxserver.callbacks import APIAdapter
from fauxserver.datastore import DataStore
from tests.browser.conftest import Visitor
from tests.browser.pages import python, script
from tests.browser.site import Site
from tests.hosts.barefoot import CASES, FILE, ROUTES, Call

# All but what only Python can do: how it names the line, and that nobody is left to call.
PYTHON_ONLY = ("/throws/plainly", "/neither")

ASK_ALL = """
    const dispatched = async (method, url, data) => {
      const { status, body } = await fauxServer.dispatch(method, url, data)
      // 204 is HTTP's word for nothing.
      return [body === undefined || body === null ? 204 : status, body ?? null]
    }
    const fetched = async (method, url, data) => {
      const body = data === undefined ? undefined : JSON.stringify(data)
      const response = await fetch(url, { method, body, headers: body && { "content-type": "application/json" } })
      const text = await response.text()
      const json = response.headers.get("content-type") === "application/json"
      return [response.status, json ? JSON.parse(text) : text || null]
    }
    const answers = []
    for (const calls of given) {
      const both = []
      for (const answer of [dispatched, fetched]) {
        fauxServer.reset()
        window.begin?.()
        const all = []
        for (const [method, url, data] of calls) all.push(await answer(method, url, data ?? undefined))
        both.push(all)
      }
      answers.push(both)
    }
    return answers
"""


def ask_all(visitor: Visitor, cases: list[list[Call]]) -> Any:
    """Each case's answers: to local calls, and to fetch."""
    return visitor.run(ASK_ALL, [[[call.method, call.url, call.data] for call in case] for case in cases])


def wanted(cases: list[list[Call]]) -> Any:
    return [[[[call.status, call.body] for call in case]] * 2 for case in cases]


@pytest.mark.every_engine
def test_B1_B16_the_file_that_serves_http_answers_in_the_page_locally_and_by_fetch(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"], data_intercept="sync fetch", data_quiet=True)
    cases = [case.calls for case in CASES]

    assert ask_all(visitor, cases) == wanted(cases)


@pytest.mark.every_engine
def test_B19_in_javascript_the_sentences_hold_locally_and_by_fetch(visitor: Visitor):
    visitor.open(script("/tests/barefoot.js"), data_intercept="sync fetch")
    cases = [[call for call in case.calls if call.url not in PYTHON_ONLY] for case in CASES]

    assert ask_all(visitor, cases) == wanted(cases)


SYNC = """
    fauxServer.install(Backbone, { local: true })
    const order = []
    const Contact = Backbone.Model.extend({ urlRoot: "/contacts" })
    const contact = new Contact({ name: "Buddy" })
    contact.on("request", () => order.push("request"))
    contact.save(null, {
      success: (model, resp, options) => order.push(["success", model.id, options.faux.status]),
      error: (model, resp) => order.push(["error", resp]),
    })
    order.push("saved")
    return order
"""


@pytest.mark.every_engine
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_B8_a_local_sync_calls_success_before_save_returns(visitor: Visitor, site: Site, language: str):
    site.write(f"/{FILE}", ROUTES)
    more = {"routes": [f"/{FILE}"]} if language == "python" else {}
    visitor.open(*([script("/tests/barefoot.js")] if language == "javascript" else []), **more)
    visitor.run("fauxServer.setLatency(60_000)")

    assert visitor.run(SYNC) == ["request", ["success", 3, 201], "saved"]


def test_B8_without_it_success_comes_after(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"])

    assert visitor.run(SYNC.replace("{ local: true }", "{ local: false }")) == ["request", "saved"]
    assert visitor.run(SYNC) == ["request", ["success", 4, 201], "saved"]


def test_B8_a_callback_that_takes_its_time_answers_when_it_is_done(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(script("/tests/barefoot.js"), python(ROUTES.replace("/later", "/slow")))

    order = visitor.run("""
        fauxServer.install(Backbone, { local: true })
        const order = []
        const asked = ["/later/7", "/slow/8"].map((url) => ask(url).then((value) => order.push(value)))
        order.push("asked")
        await Promise.all(asked)
        return order
    """)

    assert (order[0], sorted(order[1:], key=lambda each: each["id"])) == (
        "asked",
        [{"id": "7", "later": True}, {"id": "8", "later": True}],
    )


def test_B8_before_the_runtime_is_there_it_says_what_to_wait_for(visitor: Visitor):
    visitor.open(
        script("""
            fauxServer.install(Backbone, { local: true })
            try {
              ask("/contacts").catch((error) => { window.said = error.message })
            } catch (error) {
              window.said = error.message
            }
        """)
    )

    assert visitor.run("return said") == (
        "A synchronous request (local: true) for /contacts cannot wait for the runtime to load. "
        "Make it after `await fauxServer.ready`."
    )


def test_B9_read_and_delete_carry_no_data_the_others_the_model_and_B17_options_url_counts(visitor: Visitor):
    visitor.open()
    told = visitor.run("""
        const told = []
        const api = new fauxServer.APIAdapter()
        for (const verb of ["get", "post", "put", "patch", "delete"]) {
          api[verb]("/elsewhere/:id?", function (success, error, id, data) {
            told.push([this.req.method, id ?? null, data ?? null])
            success({})
          })
        }
        fauxServer.install(Backbone, { local: true })
        const url = "/elsewhere/7"
        const model = () => new Backbone.Model({ id: 1, a: 2 })
        const Elsewhere = Backbone.Model.extend({ urlRoot: "/nowhere" })
        new Elsewhere({ a: 1 }).save(null, { url: "/elsewhere" })
        model().save(null, { url })
        model().save({ b: 3 }, { url, patch: true })
        model().fetch({ url })
        model().destroy({ url })
        return told
    """)

    assert told == [
        ["POST", None, {"a": 1}],
        ["PUT", "7", {"id": 1, "a": 2}],
        ["PATCH", "7", {"b": 3}],
        ["GET", "7", None],
        ["DELETE", "7", None],
    ]


def test_B2_B3_B11_in_javascript_arguments_come_in_order_and_undefined_is_what_is_not_there(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const told = []
        const api = new fauxServer.APIAdapter()
        const tell = (success, error, ...args) => {
          told.push(args.map((each) => each === undefined ? "undefined" : each))
          success()
        }
        api.get("/a/:x/:y?", tell).post("/a/:x/:y?", tell)
        await api.dispatch("get", "/a/1/1")
        await api.dispatch("get", "/a/1?q=1&q=2")
        await api.dispatch("post", "/a/1/%2F", ["1", { b: 1 }])
        const old = new fauxServer.APIAdapter({ collapse: true })
        old.post("/b/:x/:y", tell)
        await old.dispatch("post", "/b/1/1", ["1", "2"])
        return told
    """)

    assert told == [
        ["1", "1", "undefined"],
        ["1", "undefined", "undefined", {"q": ["1", "2"]}],
        ["1", "/", ["1", {"b": 1}]],
        ["1", "2"],
    ]


def test_B6_B7_in_javascript_errors_have_their_status_and_success_one_too(visitor: Visitor):
    visitor.open(data_quiet=True)

    told = visitor.run("""
        const { createError, NotFoundError } = fauxServer.errors
        const Taken = createError(409, "Taken")
        const api = new fauxServer.APIAdapter()
        const steps = {
          notFound: (success, error) => error(new NotFoundError("gone")),
          taken: () => { throw new Taken("by you") },
          bare: () => { throw new NotFoundError() },
          http: () => { throw new fauxServer.HTTPError(422, { title: "is missing" }) },
          object: (success, error) => error({ httpStatusCode: 400, why: "so" }),
          response: (success) => success(new fauxServer.Response([1], 206)),
          options: (success) => success([2], { not: "a status" }),
          late: async (success, error) => { await null; success([3], 203); error("too late") },
          plain: () => { throw new TypeError("out of the blue") },
        }
        for (const [name, step] of Object.entries(steps)) api.get(`/${name}`, step)
        fauxServer.get("/handler", () => { throw new NotFoundError("gone") })
        const told = {}
        for (const name of [...Object.keys(steps), "handler"]) {
          const { status, body, failed } = await fauxServer.dispatch("GET", `/${name}`)
          told[name] = [failed, status, body]
        }
        return [told, new NotFoundError() instanceof Error, String(api)]
    """)

    assert told == [
        {
            "notFound": [True, 404, "Not Found: gone"],
            "taken": [True, 409, "Taken: by you"],
            "bare": [True, 404, "Not Found"],
            "http": [True, 422, {"title": "is missing"}],
            "object": [True, 400, {"httpStatusCode": 400, "why": "so"}],
            "response": [False, 206, [1]],
            "options": [False, 200, [2]],
            "late": [False, 203, [3]],
            "plain": [True, 500, "TypeError: out of the blue"],
            "handler": [True, 404, "Not Found: gone"],
        },
        True,
        "[object APIAdapter]",
    ]


def test_B10_in_javascript_patterns_and_regexps_see_the_path_and_captures_are_decoded(visitor: Visitor):
    visitor.open(data_intercept="sync fetch")

    told = visitor.run("""
        const api = new fauxServer.APIAdapter({ precedence: "latest" })
        const strict = new fauxServer.APIAdapter({ strict: true, sensitive: true })
        const tell = function (success, error, ...args) {
          success([args.filter((each) => each !== undefined), this.req.params])
        }
        api.get(/^\\/r\\/([^/]+)$/g, tell).get(["/p/:name", "/q/:id/:name"], tell).get("/s/*", tell)
        strict.get("/Strict", (success) => success(true))
        const told = []
        const urls = ["/r/a%20b?x", "/p/J.%20D.", "/Q/7/%2F/", "/s/a/b", "/p/%E0%A4", "/Strict", "/Strict/", "/strict"]
        for (const url of urls) {
          const { status, body } = await fauxServer.dispatch("get", url)
          const fetched = await fetch(url)
          told.push([status, status === 200 ? body : null, fetched.status])
        }
        const { handlerParams, urlExp } = fauxServer.getMatchingRoute("/q/7/%2F", "GET")
        const ofRegExp = fauxServer.getMatchingRoute("/r/a%20b", "GET").handlerParams
        return [told, handlerParams, urlExp.test("/q/7/x"), ofRegExp]
    """)

    assert told[0][:5] == [
        [200, [["a b", {"x": ""}], {"0": "a b"}], 200],
        [200, [["J. D."], {"name": "J. D."}], 200],
        [200, [["/", "7"], {"id": "7", "name": "/"}], 200],
        [200, [["a/b"], {"0": "a/b"}], 200],
        [400, None, 400],
    ]
    assert [each[0] for each in told[0][5:]] == [200, 404, 404]
    assert told[1:] == [["/", "7"], True, ["a b"]]


def test_B12_B15_in_javascript_what_is_unmatched_is_told_once_and_missing_callbacks_are_logged(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const api = new fauxServer.APIAdapter()
        api.get("/ok", (success) => success({ yes: 1 }, 201))
        const told = []
        const tell = (word) => (...args) => told.push([word, ...args])
        api.dispatchLocalApiCall("put", "/ok", {}, { success: tell("success"), error: tell("error") })
        api.dispatchLocalApiCall("get", "/ok", undefined, { success: tell("success"), error: tell("error") })
        api.dispatchLocalApiCall("get", "/ok", undefined, { error: tell("error") })
        api.dispatchLocalApiCall("get", "/nowhere")
        return told
    """)

    (unmatched, ok) = told
    assert unmatched[0::2] == ["error", 404]
    assert unmatched[1]["error"].startswith("Could not resolve API route: PUT /ok is not answered here.")
    assert ok == ["success", {"yes": 1}, 201]
    warned = [line for line in visitor.console if line.startswith("warning:")]
    assert [line.split(" callback")[0] for line in warned] == [
        "warning: fauxserver: dispatch: GET /ok → 201, and no success",
        "warning: fauxserver: dispatch: GET /nowhere → 404, and no error",
    ]


def test_B13_in_javascript_each_adapter_has_its_own_precedence(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const answers = []
        for (const precedence of ["first", "latest"]) {
          const api = new fauxServer.APIAdapter({ precedence })
          const answer = (word) => (success) => success(word)
          api.get("/a/:x", answer("one")).get(/^.a.1$/, answer("two")).get("/a/1", answer("three"))
          answers.push((await api.dispatch("get", "/a/1")).body)
        }
        return answers
    """)

    assert told == ["one", "three"]


def test_B14_this_has_app_req_and_res_in_callbacks_and_in_who_called(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const app = { name: "mine" }
        const api = new fauxServer.APIAdapter({ app })
        const told = []
        const see = (word, { app: its, req, res }) =>
          told.push([word, its === app, req.method, req.url, res.statusCode])
        api.get("/a/:id", [
          function first(success) {
            see("first", this)
            this.req.user = "Franny"
            success()
          },
          function second(success) {
            see(this.req.user, this)
            this.res.set("x-count", "3").statusCode = 203
            success([this.req.params, this.req.query, this.req.path])
          },
        ])
        const { headers } = await api.dispatch("get", "/a/7?b=1", undefined, {
          success(body) {
            see("success", this)
            told.push(body)
          },
        })
        return [told, headers]
    """)

    assert told == [
        [
            ["first", True, "GET", "/a/7?b=1", 200],
            ["Franny", True, "GET", "/a/7?b=1", 200],
            ["success", True, "GET", "/a/7?b=1", 203],
            [{"id": "7"}, {"b": "1"}, "/a/7"],
        ],
        {"x-count": "3"},
    ]


def test_what_is_registered_and_called_before_ready_is_there_and_answered_after(visitor: Visitor):
    visitor.open(
        script("""
            const api = new fauxServer.APIAdapter()
            api.get("/early/:id", (success, error, id) => success([id]))
            window.early = Promise.all([api.dispatch("get", "/early/1"), fauxServer.dispatch("get", "/early/2")])
            try {
              api.get(undefined, () => {})
            } catch (error) {
              window.refused = String(error)
            }
        """)
    )

    assert visitor.run("return (await early).map(({ body }) => body)") == [["1"], ["2"]]
    assert visitor.run("return refused") == ("Error: get: Missing mandatory 'urlExp' argument")
    # It belongs to the beginning, to which reset comes back.
    assert visitor.run(
        "fauxServer.removeRoutes().reset(); return (await fauxServer.dispatch('get', '/early/3')).body"
    ) == ["3"]


def test_callbacks_serve_routes_of_the_page_as_well(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const { callback } = fauxServer
        const first = (success, error, id, data) => data ? success() : error("no data")
        fauxServer.post("books/:id", callback(first, (success, error, id, data) => success([id, data], 201)))
        const saved = await ask("books/7", { method: "create", data: { a: 1 } })
        return [saved, await fauxServer.dispatch("post", "books/8")]
    """)

    assert told[0] == ["7", {"a": 1}]
    assert [told[1]["status"], told[1]["body"]] == [500, "no data"]


def test_a_call_is_in_the_journal_and_told_to_listeners(visitor: Visitor):
    visitor.open()

    told = visitor.run("""
        const told = []
        fauxServer.on("answer", ({ method, url, status, label }) => told.push([method, url, status, label]))
        const api = new fauxServer.APIAdapter()
        api.get("/a", function readA(success) { success() })
        await api.dispatch("get", "/a")
        const journal = "[[entry.method, entry.url, entry.status] for entry in server.journal]"
        return [told, await fauxServer.runPython(journal)]
    """)

    assert told == [[["GET", "/a", 200, "readA"]], [["GET", "/a", 200]]]


# --- B18: what a page starts with ----------------------------------------------------------------------------------

TYPES = """
    const Contact = Backbone.Model.extend({ greeting() { return `Hello, ${this.get("name")}` } })
    const Contacts = Backbone.Collection.extend({ model: Contact })
    const store = new fauxServer.DataStore().register("Contact", Contact).register("Contacts", Contacts)
"""


class Contact:
    def __init__(self, name: str) -> None:
        self.name = name

    def to_json(self) -> Any:
        return {"name": self.name}


class Contacts(list[Any]):
    def to_json(self) -> Any:
        return [contact.to_json() for contact in self]


def stored() -> DataStore:
    return DataStore().register("Contact", Contact).register("Contacts", Contacts)


def test_B18_a_page_restores_what_the_server_has_written_as_the_types_it_registered(visitor: Visitor):
    store = stored().set("me", Contact("Franny")).set("all", Contacts([Contact("Zooey"), Contact("Buddy")]))
    store.set("plain", {"a": [1, None]})

    visitor.open(store.script())

    assert visitor.run(
        TYPES
        + """
        store.restore()
        const [me, all] = [store.get("me"), store.get("all")]
        return [
          me instanceof Contact, me.greeting(), all instanceof Contacts, all.map((each) => each.greeting()),
          store.get("plain"), store.keys(),
        ]
    """
    ) == [True, "Hello, Franny", True, ["Hello, Zooey", "Hello, Buddy"], {"a": [1, None]}, ["me", "all", "plain"]]


def test_B18_what_a_page_has_written_the_server_restores(visitor: Visitor):
    visitor.open()

    snapshot = visitor.run(
        TYPES
        + """
        store.set("me", new Contact({ name: "Franny" })).set("all", new Contacts([{ name: "Zooey" }])).set("n", 7)
        return store.snapshot()
    """
    )

    store = stored().restore(snapshot)
    assert (store.get("me").name, [each["name"] for each in store.get("all")], store.get("n")) == (
        "Franny",
        ["Zooey"],
        7,
    )
    assert type(store.get("all")) is Contacts


def test_B18_no_text_in_it_ends_the_script_that_holds_it(visitor: Visitor):
    name = '</script><script>window.broken = true</script><!-- & \u2028 "'
    visitor.open(stored().set("me", Contact(name)).script())

    assert visitor.run(TYPES + "return [store.restore().get('me').get('name'), window.broken ?? null]") == [name, None]
    again = visitor.run(TYPES + "return store.restore().snapshot()")
    assert again == stored().set("me", Contact(name)).snapshot()


def test_B18_a_type_that_nobody_registered_is_named_and_nothing_is_restored(visitor: Visitor):
    snapshot = json.loads(stored().set("me", Contact("Franny")).snapshot()) | {"it": {"type": "Thing", "data": {}}}
    visitor.open()

    told = visitor.run(
        TYPES
        + """
        const told = []
        try { store.restore(given) } catch (error) { told.push(error.message) }
        const other = new fauxServer.DataStore().set("me", new Contact())
        try { other.snapshot() } catch (error) { told.push(error.message) }
        return [told, store.keys()]
    """,
        json.dumps(snapshot),
    )

    assert told == [
        [
            "DataStore: 'it' is of the type 'Thing', which is not registered here. Call register(\"Thing\", …) first.",
            "DataStore: 'me' is of a type that is not registered. Call register(\"…\", its constructor) first.",
        ],
        [],
    ]


def test_B18_what_the_local_api_answers_on_the_server_a_page_starts_with_and_then_fetches(visitor: Visitor, site: Site):
    names: dict[str, Any] = {"__name__": "contacts"}
    exec(compile(ROUTES, FILE, "exec"), names)
    api: APIAdapter = names["api"]
    # On the server: the page's first answers are made by the calls that it would make.
    store = DataStore()
    api.dispatch("GET", "/contacts/1", success=lambda body: store.set("first", body))
    site.write(f"/{FILE}", ROUTES)

    visitor.open(store.script(), routes=[f"/{FILE}"])

    assert visitor.run("""
        const first = new fauxServer.DataStore().restore().get("first")
        const again = new Backbone.Model(first)
        await again.fetch({ url: "/contacts/1" })
        return [first, again.toJSON()]
    """) == [{"name": "Franny"}, {"name": "Franny"}]
