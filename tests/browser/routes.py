"""The Python half of cases.js: what the table asks of it."""

import asyncio
import itertools

from fauxserver import FauxServer, HTTPError, Response

server = FauxServer()
books, next_id = {}, itertools.count(1)
seen = {"begun": 0, "cancelled": 0}


@server.add_route("py/echo/:what", name="echo")
def echo(context, what):
    return {
        "captures": [what],
        "data": context.data,
        "method": context.http_method,
        "override": context.http_method_override,
        "params": dict(context.params),
        "query": dict(context.query),
        "route": context.route.name,
        "url": context.url,
    }


@server.get("py/later/:n")
async def later(n: int):
    await asyncio.sleep(n / 200)
    return {"n": n}


@server.get("py/later-fails")
async def later_fails():
    await asyncio.sleep(0)
    raise HTTPError(409)


@server.get("py/optional(/:what)")
def optional(what=None):
    return {"got": what}


server.get("py/nothing", lambda: None)
server.get("py/refused", lambda: "not today")
server.get("py/motto", {"text": "read more"})


@server.get("py/teapot")
def teapot():
    raise HTTPError(418, {"short": True, "stout": True})


def first(context):
    context.data["order"] = ["first"]


def second(context):
    return {"order": [*context.data["order"], "second"]}


server.post("py/stack", [first, second])


@server.post("py/made")
def made(data):
    return Response({"made": data}, status=201)


@server.get("py/forever")
async def forever():
    seen["begun"] += 1
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        seen["cancelled"] += 1
        raise


server.get("py/cancelled", lambda: seen)


@server.get("py/books")
def list_books():
    return list(books.values())


@server.post("py/books")
def create_book(context):
    book = {**context.data, "id": next(next_id)}
    books[book["id"]] = book
    return book


@server.get("py/books/:id")
def read_book(id: int):
    if id not in books:
        raise HTTPError(404)
    return books[id]


@server.put("py/books/:id")
@server.patch("py/books/:id")
def update_book(context, id: int):
    books[id] |= context.data
    return books[id]


@server.delete("py/books/:id")
def delete_book(id: int):
    del books[id]
