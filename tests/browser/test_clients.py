"""Other clients than Backbone, answered in the page: they are told what a real server with the same routes tells them.

Each case (see clients.js) is asked twice in the same browser: over HTTP, of the route file's ASGI application, and with
us on the page.
"""

import json
from itertools import zip_longest
from typing import Any

import pytest

from tests.browser.clients import ROUTES
from tests.browser.conftest import Visitor
from tests.browser.endpoints import over_http
from tests.browser.matrix import COMBINATIONS, LATEST, Combination
from tests.browser.pages import html, script
from tests.browser.site import Site

LIBRARIES = [script("/npm/axios/dist/axios.js"), script("/npm/htmx.org/dist/htmx.js"), script("/tests/clients.js")]
JQUERY_1_11 = COMBINATIONS[3]
JQUERY_4 = COMBINATIONS[12]


@pytest.fixture(autouse=True)
def routes(site: Site) -> None:
    site.write("/routes.py", ROUTES)


def over_the_network(visitor: Visitor, libraries: Combination, clients: list[str]) -> dict[str, Any]:
    with over_http("routes.py", ROUTES) as answer:
        visitor.site.raw["/app/"] = answer
        visitor.visit(html(*LIBRARIES, libraries=libraries, faux=None))
        told: dict[str, Any] = visitor.run("return askAll(given)", clients)
    visitor.site.raw.clear()
    return told


def in_the_page(visitor: Visitor, libraries: Combination, clients: list[str], doors: str) -> dict[str, Any]:
    visitor.open(*LIBRARIES, libraries=libraries, routes=["/routes.py"], data_intercept=doors)
    visitor.site.requests.clear()
    told: dict[str, Any] = visitor.run("return askAll(given)", clients)
    assert visitor.site.reached("/app/") == []
    return told


def differences(one: dict[str, Any], other: dict[str, Any], names: tuple[str, str]) -> list[str]:
    """The cases that are not the same, with both logs where they part."""
    found = []
    for case in one:
        if one[case] != other[case]:
            apart = next(i for i, (a, b) in enumerate(zip_longest(one[case], other[case])) if a != b)
            logs = zip(names, (one[case], other[case]), strict=True)
            found.append("\n".join([case, *(f"  {name}: {log[apart : apart + 6]}" for name, log in logs)]))
    return found


@pytest.mark.parametrize(
    ("libraries", "clients", "doors"),
    [
        (LATEST, ["axios, xhr", "axios, fetch"], "fetch xhr"),
        (LATEST, ["htmx"], "xhr"),
        (JQUERY_1_11, ["jQuery", "Backbone"], "xhr"),
        (JQUERY_4, ["jQuery", "Backbone"], "xhr"),
    ],
    ids=["axios", "htmx", "jQuery 1.11", "jQuery 4"],
)
def test_a_client_is_told_what_a_real_server_tells_it(
    visitor: Visitor, libraries: Combination, clients: list[str], doors: str
):
    real = over_the_network(visitor, libraries, clients)
    ours = in_the_page(visitor, libraries, clients, doors)
    assert "\n".join(differences(real, ours, ("over HTTP", "in the page"))) == ""


IMAGE = """
    const reply = await fetch("app/image.png")
    const blob = await reply.blob()
    const image = new Image()
    image.id = "made"
    image.style = "width: 300px; image-rendering: pixelated"
    image.src = URL.createObjectURL(blob)
    await image.decode()
    document.body.prepend(image)
    const canvas = Object.assign(document.createElement("canvas"), { width: 3, height: 2 })
    const context = canvas.getContext("2d")
    context.drawImage(image, 0, 0)
    const pixels = [...Array(6).keys()].map(i => [...context.getImageData(i % 3, i / 3 | 0, 1, 1).data].slice(0, 3))
    return [blob.type, image.naturalWidth, image.naturalHeight, pixels]
"""


@pytest.mark.every_engine
def test_an_image_made_in_python_shows(visitor: Visitor):
    visitor.open(routes=["/routes.py"], data_intercept="fetch xhr")
    white = [255, 255, 255]
    assert visitor.run(IMAGE) == ["image/png", 3, 2, [[255, 0, 0], [0, 255, 0], [0, 0, 255], white, white, white]]
    assert visitor.failures == []


UPLOAD = """
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 7)) & 255)
    bytes.set(new TextEncoder().encode("\\r\\n--boundary\\r\\n\\n\\r\\0"))
    const form = new FormData()
    form.append("title", "Grüße")
    form.append("file", new File([bytes], 'Größe "1".bin', { type: "application/x-own" }))
    const asText = text => JSON.parse(text).data
    const ways = {
      fetch: async () => asText(await (await fetch("app/echo", { method: "POST", body: form })).text()),
      request: async () => asText(await (await fetch(new Request("app/echo", { method: "PUT", body: form }))).text()),
      xhr: () => new Promise(resolve => {
        const xhr = new XMLHttpRequest()
        xhr.open("POST", "app/echo")
        xhr.onload = () => resolve(asText(xhr.responseText))
        xhr.send(form)
      }),
      "synchronous xhr": async () => {
        const xhr = new XMLHttpRequest()
        xhr.open("POST", "app/bytes-of", false)
        xhr.send(bytes)
        return JSON.parse(xhr.responseText)
      },
      "axios, xhr": async () => (await axios.post("app/echo", form, { adapter: "xhr" })).data.data,
      "axios, fetch": async () => (await axios.post("app/echo", form, { adapter: "fetch" })).data.data,
      // It sends a stream then, where the browser can; no server of HTTP 1 could be sent one.
      "axios, fetch, with progress": async () => {
        let told
        const onUploadProgress = ({ loaded }) => { told = loaded > bytes.length }
        const { data } = await axios.post("app/echo", form, { adapter: "fetch", onUploadProgress })
        return told ? data.data : "not told"
      },
    }
    const digest = await crypto.subtle.digest("SHA-256", bytes)
    const hash = [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("")
    const arrived = {}
    for (const way of given) arrived[way] = JSON.stringify(await ways[way]()).replace(hash, "the same bytes")
    return arrived
"""


@pytest.mark.every_engine
def test_a_file_reaches_the_handler_byte_for_byte_whoever_sends_it(visitor: Visitor):
    visitor.open(*LIBRARIES, routes=["/routes.py"], data_intercept="fetch xhr")
    form = {"title": "Grüße", "file": ['Größe "1".bin', "application/x-own", 200_000, "the same bytes"]}
    expected: dict[str, Any] = {
        **dict.fromkeys(["fetch", "xhr", "axios, xhr"], form),
        "synchronous xhr": [200_000, "the same bytes"],
    }
    # WebKit lets nobody read a Request that was made of a form with a file in it, of which axios makes one for fetch.
    if visitor.engine != "webkit":
        expected |= dict.fromkeys(["request", "axios, fetch"], form)
    if visitor.engine == "chromium":
        expected["axios, fetch, with progress"] = form
    arrived = visitor.run(UPLOAD, list(expected))
    assert {way: json.loads(text) for way, text in arrived.items()} == expected


SMOKE = """
    const log = {}
    const jQuery = window.jQuery
    const answer = ({ status, responseJSON }) => [status, responseJSON]
    log.jQuery = await jQuery.post({ url: "app/echo", data: { a: 1 } }).then(({ data }, how) => [data, how])
    log.missing = await jQuery.getJSON("app/books/99").then(() => "found", answer)
    log.synchronous = jQuery.ajax({ url: "app/at-once/1", async: false }).responseJSON
    for (const adapter of ["xhr", "fetch"]) {
      const client = axios.create({ adapter })
      log[adapter] = (await client.post("app/books", { title: adapter })).headers.location
      const missing = await client.get("app/books/99").catch(({ response }) => response)
      log[`${adapter}, missing`] = [missing.status, missing.data]
      log[`${adapter}, a blob`] = (await client.get("app/bytes", { responseType: "blob" })).data.size
    }
    const markup = "<a id=act hx-get=app/fragment hx-target=#target>go</a><p id=target></p>"
    document.body.insertAdjacentHTML("beforeend", markup)
    htmx.process(document.body)
    const told = new Promise(resolve => document.body.addEventListener("told", event => resolve(event.detail.by)))
    const settled = new Promise(resolve => document.body.addEventListener("htmx:afterSettle", resolve))
    document.querySelector("#act").click()
    log.htmx = await told
    await settled
    log.told = document.querySelector("#told").textContent.split(", ").filter(each => !each.includes("current-url"))
    const Model = Backbone.Model.extend({ urlRoot: "app/books" })
    const model = new Model({ id: 1 })
    await model.fetch()
    log.Backbone = model.toJSON()
    return log
"""


@pytest.mark.every_engine
def test_every_client_is_answered_in_every_engine(visitor: Visitor, site: Site):
    visitor.open(*LIBRARIES, routes=["/routes.py"], data_intercept="fetch xhr")
    missing = [404, {"error": "no such book"}]
    assert visitor.run(SMOKE) == {
        "jQuery": [{"a": "1"}, "success"],
        "missing": missing,
        "synchronous": {"id": 1, "title": "Franny"},
        "xhr": "/app/books/2",
        "xhr, missing": missing,
        "xhr, a blob": 256_000,
        "fetch": "/app/books/3",
        "fetch, missing": missing,
        "fetch, a blob": 256_000,
        "htmx": "a handler",
        "told": ["hx-request=true", "hx-target=target", "hx-trigger=act"],
        "Backbone": {"id": 1, "title": "Franny"},
    }
    assert (site.reached("/app/"), visitor.errors) == ([], [])


def test_what_is_called_json_and_is_none_arrives_as_it_is(visitor: Visitor):
    visitor.open(routes=["/routes.py"], data_intercept="fetch xhr")
    assert visitor.run("""
        const told = []
        fauxServer.on("answer", ({ body }) => told.push(body))
        const response = await fetch("app/text?say={no&type=application/json")
        return [await response.text(), ...told]
    """) == ["{no", "{no"]
