"""The table that every host answers alike, asked in the page."""

from typing import Any

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site
from tests.conformance import FILE, ROUTES, Answer, Request, answers, cases, expected

pytestmark = pytest.mark.every_engine

RUN = """
    const METHODS = { POST: "create", GET: "read", PUT: "update", DELETE: "delete", PATCH: "patch" }
    const own = Backbone.ajax
    // The real server alone sends one of these.
    const OF_THE_REAL_SERVER = "server"
    const toBytes = text => text === null ? undefined : Uint8Array.from(text, letter => letter.charCodeAt(0))
    const toText = bytes => Array.from(bytes, byte => String.fromCharCode(byte)).join("")
    const lower = headers =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const doors = {
      "Backbone.sync": ({ method, url, data }) => new Promise(resolve => {
        const options = { url, data: data === null ? undefined : data }
        options.success = options.error = value => {
          resolve([options.faux.status, lower(options.faux.headers), value])
        }
        Backbone.ajax = () => resolve(null)
        // A model that has nothing to send.
        Backbone.sync(METHODS[method], Object.assign(new Backbone.Model(), { toJSON: () => undefined }), options)
      }),
      fetch: async ({ method, url, headers, body, meanwhile, leaves }) => {
        const response = await fetch(url, { method, headers, body: toBytes(body) })
        if (response.headers.has(OF_THE_REAL_SERVER)) return null
        const reader = response.body?.getReader()
        let text = ""
        for (let read = await reader?.read(); read && !read.done; read = await reader.read()) {
          text += toText(read.value)
          if (leaves) {
            await reader.cancel()
            break
          }
          if (meanwhile) {
            await doors.fetch(meanwhile)
            meanwhile = null
          }
        }
        return [response.status, Object.fromEntries(response.headers), text]
      },
      XMLHttpRequest: ({ method, url, headers, body }) => new Promise((resolve, reject) => {
        const xhr = new XMLHttpRequest()
        xhr.open(method, url)
        xhr.responseType = "arraybuffer"
        for (const name in headers) xhr.setRequestHeader(name, headers[name])
        xhr.onload = () => {
          const lines = xhr.getAllResponseHeaders().trim().split("\\r\\n").filter(Boolean)
          const read = Object.fromEntries(lines.map(line => line.split(/: (.*)/).slice(0, 2)))
          resolve(OF_THE_REAL_SERVER in read ? null : [xhr.status, read, toText(new Uint8Array(xhr.response))])
        }
        xhr.onerror = () => reject(new Error(`${method} ${url} is a network error`))
        xhr.send(toBytes(body))
      }),
    }
    const stop = fauxServer.intercept("fetch", "xhr")
    const answers = {}
    for (const [door, cases] of Object.entries(given)) {
      answers[door] = []
      for (const steps of cases) {
        await fauxServer.reset()
        for (const step of steps) answers[door].push(await doors[door](step))
      }
    }
    Backbone.ajax = own
    stop()
    return answers
"""
DOORS = ("Backbone.sync", "fetch", "XMLHttpRequest")


def crossing(request: Request | None) -> dict[str, Any] | None:
    """A request as it crosses to the page, a body as a text whose characters are its bytes."""
    if request is None:
        return None
    headers, body = request.content()
    meanwhile = crossing(request.meanwhile)
    crossing_body = None if body is None else body.decode("latin-1")
    return {**request._asdict(), "headers": headers, "body": crossing_body, "meanwhile": meanwhile}


def crossed(door: str, told: list[Any] | None) -> Answer | None:
    """An answer as it has come out of the page."""
    if told is None or door == "Backbone.sync":
        return told and Answer(*[told[at] for at in (0, 2, 1)])
    status, headers, text = told
    return Answer.read(status, headers, text.encode("latin-1"))


def test_the_page_answers_as_every_host_does_through_every_door(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"])
    given = {door: [[crossing(request) for request, _ in case.steps] for case in cases(door)] for door in DOORS}

    told = visitor.run(RUN, given)

    for door in DOORS:
        answered = [crossed(door, each) for each in told[door]]
        found = {case.name: answers(case, lambda _: answered.pop(0)) for case in cases(door)}  # noqa: B023
        assert found == {case.name: expected(door, case) for case in cases(door)}
