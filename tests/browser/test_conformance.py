"""The table that every host answers alike, asked in the page."""

from typing import Any

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site
from tests.conformance import CASES, FILE, ROUTES

pytestmark = pytest.mark.every_engine

RUN = """
    const METHODS = { POST: "create", GET: "read", PUT: "update", DELETE: "delete", PATCH: "patch" }
    const own = Backbone.ajax
    // The real server alone sends one of these.
    const OF_THE_REAL_SERVER = "server"
    // As HTTP has them, addresses are whole.
    const near = value => (typeof value === "string" ? value.replace(`${location.origin}/`, "") : value)
    const read = (status, type, text) => {
      if (type !== "application/json") return [status, text || null]
      const value = JSON.parse(text)
      return [status, Array.isArray(value) ? value.map(near) : value]
    }
    const json = { "Content-Type": "application/json" }
    const sent = data => (data === null ? {} : { headers: json, body: JSON.stringify(data) })
    const doors = {
      sync: ({ method, url, data }) => new Promise(resolve => {
        const options = { url, data: data === null ? undefined : data }
        options.success = value => resolve([options.faux.status, value])
        options.error = value => resolve([options.faux.status, value])
        Backbone.ajax = () => resolve(null)
        // A model that has nothing to send.
        Backbone.sync(METHODS[method], Object.assign(new Backbone.Model(), { toJSON: () => undefined }), options)
      }),
      fetch: async ({ method, url, data }) => {
        const response = await fetch(url, { method, ...sent(data) })
        if (response.headers.has(OF_THE_REAL_SERVER)) return null
        return read(response.status, response.headers.get("content-type"), await response.text())
      },
      xhr: ({ method, url, data }) => new Promise((resolve, reject) => {
        const xhr = new XMLHttpRequest()
        const { headers = {}, body } = sent(data)
        xhr.open(method, url)
        for (const name in headers) xhr.setRequestHeader(name, headers[name])
        xhr.onload = () => resolve(xhr.getResponseHeader(OF_THE_REAL_SERVER)
          ? null : read(xhr.status, xhr.getResponseHeader("content-type"), xhr.responseText))
        xhr.onerror = () => reject(new Error(`${method} ${url} is a network error`))
        xhr.send(body)
      }),
    }
    const stop = fauxServer.intercept("fetch", "xhr")
    const answers = {}
    for (const door of Object.keys(doors)) {
      answers[door] = {}
      for (const [name, steps] of Object.entries(given)) {
        await fauxServer.reset()
        answers[door][name] = []
        for (const step of steps) answers[door][name].push(await doors[door](step))
      }
    }
    Backbone.ajax = own
    stop()
    return answers
"""


def expected(nothing: int) -> dict[str, Any]:
    """The table's answers; *nothing* is the status of those without a body."""
    return {
        case.name: [
            answer and [nothing if answer.status == 204 else answer.status, answer.body] for _, answer in case.steps
        ]
        for case in CASES
    }


def test_the_page_answers_as_every_host_does_through_every_door(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"])
    cases = {case.name: [request._asdict() for request, _ in case.steps] for case in CASES}
    answers = visitor.run(RUN, cases)
    # Backbone.sync hands values over, and has nothing that is no body.
    assert answers == {"sync": expected(200), "fetch": expected(204), "xhr": expected(204)}
