"""Barefoot's section, sentence by sentence: a route file, and what its routes are to answer on every host.

Each case is named after the sentence that it is of. Its calls are made of a server that was just reset, one after
another; an answer is a status and the JSON (or the text) of the body.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FILE = "contacts.py"

ROUTES = '''\
"""The route file of Barefoot's cases."""

import asyncio

from fauxserver import APIAdapter, NotFound, create_error

app = {"name": "the app"}
api = APIAdapter(app)
contacts = {"1": {"name": "Franny"}, "2": {"name": "Zooey"}}
Forbidden = create_error(403, "Forbidden")


class Teapot(Exception):
    http_status_code = 418


def list_contacts(success, error):
    success(list(contacts.values()))

def create_contact(success, error, data):
    contacts[str(len(contacts) + 1)] = data
    success({**data, "id": len(contacts)}, 201)

def read_contact(success, error, contactid):
    if contactid in contacts:
        success(contacts[contactid])
    else:
        error(NotFound(f"no contact {contactid}"))

def echo(success, error, *arguments):
    success(list(arguments))

api.get("/contacts", list_contacts)
api.post("/contacts", create_contact)
api.get("/contacts/:contactid", read_contact)

# "an object containing route URI's as key and callback functions as values"
api.get({"/named": echo, "/named/:a/:b": echo, "/optional/:a?": echo, "/digits/:id(\\\\d+)": echo, "/splat/*": echo})
api.post({"/named": echo, "/named/:a/:b": echo})
api.get("/suffix/:file.:format?", echo)
api.get(["/one/:x", "/other/:x"], echo)

# Stacks

def allowed(success, error, data):
    if (data or {}).get("card"):
        success("this is discarded", 418)
    else:
        error(Forbidden("no card"))

def note(success, error, data, context):
    context.req.noted = True
    success()

def noted(success, error, data, context):
    success([data, context.req.noted])

api.put("/stack", [allowed, note, noted])
api.get("/empty", [])

# What it comes to

api.get("/nothing", lambda success: success())
api.get("/text", lambda success: success("a text"))
api.get("/status", lambda success: success({"accepted": True}, 202))
api.get("/error", lambda success, error: error("it did not work"))
api.get("/error/none", lambda success, error: error())
api.get("/returns", lambda success, error: success([1]) or "what it returns")

@api.get("/throws")
def throws(success, error):
    raise Teapot("short and stout")

@api.get("/throws/plainly")
def throws_plainly(success, error):
    raise ValueError("out of the blue")

@api.get("/neither")
def neither(success, error):
    pass

# Later

@api.get("/later/:id")
async def later(success, error, id):
    await asyncio.sleep(0)
    success({"id": id, "later": True})

@api.get("/later/error/:id")
async def later_error(success, error, id):
    await asyncio.sleep(0)
    error(NotFound(id))

# The scope

@api.patch("/scope/:id")
def scope(success, error, context):
    req = context.req
    context.res.set("x-by", "scope")
    success([context.app, req.method, req.path, req.params, req.query, req.body])

# The first that matches

def hide():
    api.get("/first/:any", lambda success: success("first"))
    api.get("/first/second", lambda success: success("second"))

# A file would be warned of a route that hides another; a function knows what it does.
hide()

for verb in ("get", "post", "put", "patch", "delete", "options", "propfind", "report"):
    getattr(api, verb)("/myroute", lambda success, error, context: success([context.req.method]))
'''


class Call(NamedTuple):
    """What is called, and what is answered."""

    method: str
    url: str
    data: Any
    status: int
    body: Any


class Case(NamedTuple):
    """A sentence, and the calls that show it."""

    sentence: str
    calls: list[Call]


def get(url: str, status: int, body: Any = None) -> Call:
    return Call("GET", url, None, status, body)


def line_of(text: str) -> int:
    """The line of the route file that begins so."""
    return ROUTES[: ROUTES.index(text)].count("\n") + 1


FRANNY, ZOOEY, BUDDY = {"name": "Franny"}, {"name": "Zooey"}, {"name": "Buddy"}

CASES = [
    Case(
        "takes the specified apiRoutes and does two things: REST API and Local API",
        [
            get("/contacts", 200, [FRANNY, ZOOEY]),
            Call("POST", "/contacts", BUDDY, 201, {**BUDDY, "id": 3}),
            get("/contacts/3", 200, BUDDY),
        ],
    ),
    Case("each case begins anew", [get("/contacts", 200, [FRANNY, ZOOEY])]),
    Case("a callback function or an array of stacked callback functions", [Call("GET", "/empty", None, 204, None)]),
    Case(
        "named parameters are passed as arguments to each callback function",
        [get("/named/x/y", 200, ["x", "y", None]), get("/named/x/x", 200, ["x", "x", None])],
    ),
    Case(
        "the data argument contains the body of a POST request",
        [
            Call("POST", "/named", {"a": [1, None, "é"]}, 200, [{"a": [1, None, "é"]}]),
            Call("POST", "/named/x/y", [1, 2], 200, ["x", "y", [1, 2]]),
            get("/named", 200, [None]),
        ],
    ),
    Case(
        "each function gets executed as it is stacked upon the array, and success proceeds",
        [Call("PUT", "/stack", {"card": 7}, 200, [{"card": 7}, True])],
    ),
    Case("error will stop execution", [Call("PUT", "/stack", {}, 403, "Forbidden: no card")]),
    Case(
        "make sure you call one of them",
        [
            get(
                "/neither",
                500,
                "neither, which answers GET /neither, has called neither success nor error, and nobody is left who "
                "could. Call one of the two, always.",
            )
        ],
    ),
    Case(
        "if the request specifies any query parameters, they are at the end of the arguments",
        [
            get("/named?message=test&limit=1", 200, [None, {"message": "test", "limit": "1"}]),
            get("/named/x/y?a=1&a=2", 200, ["x", "y", None, {"a": ["1", "2"]}]),
            Call("POST", "/named?q=a%20b%26", {"d": 1}, 200, [{"d": 1}, {"q": "a b&"}]),
        ],
    ),
    Case(
        "beside the return value of the callback an HTTP OK (200) is sent automatically",
        [
            get("/text", 200, "a text"),
            get("/returns", 200, [1]),
            get("/status", 202, {"accepted": True}),
            get("/nothing", 204, None),
        ],
    ),
    Case(
        "if the callback throws an error object, its status code is delivered",
        [get("/throws", 418, "short and stout"), get("/contacts/9", 404, "Not Found: no contact 9")],
    ),
    Case(
        "if not, an HTTP Internal Server Error (500) is sent",
        [
            get(
                "/throws/plainly",
                500,
                f"ValueError: out of the blue (in throws_plainly, {FILE}:{line_of('    raise ValueError')})",
            ),
            get("/error", 500, "it did not work"),
            get("/error/none", 500, "Internal Server Error"),
        ],
    ),
    Case(
        "a route URL with possible placeholders like /contacts/:contactid",
        [get("/contacts/1", 200, FRANNY), get("/Contacts/2/", 200, ZOOEY)],
    ),
    Case(
        "extracts the parameters identified by keys",
        [
            get("/optional", 200, [None, None]),
            get("/optional/a%20b%2Fc", 200, ["a b/c", None]),
            get("/digits/7", 200, ["7", None]),
            get("/splat/a/b/c", 200, ["a/b/c", None]),
            get("/suffix/a.b.json", 200, ["a.b", "json", None]),
            get("/suffix/a", 200, ["a", None, None]),
            get("/one/1", 200, ["1", None]),
            get("/other/2", 200, ["2", None]),
            get("/optional/%E0%A4", 400, "Failed to decode param '%E0%A4'"),
        ],
    ),
    Case(
        "tries to match any API route; the route that was found first",
        [get("/first/second", 200, "first"), get("/first/third", 200, "first")],
    ),
    Case(
        "a function for each available HTTP method",
        [
            Call(method, "/myroute", None, 200, [method])
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT")
        ],
    ),
    Case(
        "scope objects for callback execution",
        [
            Call(
                "PATCH",
                "/scope/7?x=1",
                {"d": 1},
                200,
                [{"name": "the app"}, "PATCH", "/scope/7", {"id": "7"}, {"x": "1"}, {"d": 1}],
            )
        ],
    ),
    Case(
        "it may call them when it is done",
        [get("/later/7", 200, {"id": "7", "later": True}), get("/later/error/8", 404, "Not Found: 8")],
    ),
]
