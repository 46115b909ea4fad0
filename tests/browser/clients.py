"""The route file that the clients of test_clients.py ask, in the page and over HTTP."""

ROUTES = r'''
import asyncio
import hashlib
import itertools
import struct
import zlib

from fauxserver import FauxServer, HTTPError, Response

server = FauxServer()
books, next_id = {1: {"id": 1, "title": "Franny"}}, itertools.count(2)
# Those that a client has chosen, or that any browser sends; others are told apart by the way that is taken here.
TOLD = ("accept", "content-type", "content-length", "x-requested-with", "x-asked", "authorization")


def described(value):
    """What was sent, a file by its name, type and content."""
    if isinstance(value, dict):
        return {name: described(one) for name, one in value.items()}
    if isinstance(value, list):
        return [described(one) for one in value]
    if hasattr(value, "filename"):
        return [value.filename, value.content_type, len(value.body), hashlib.sha256(value.body).hexdigest()]
    return value


@server.add_route("app/echo(/*rest)")
def echo(context):
    told = {name: context.headers[name] for name in TOLD if name in context.headers}
    told.update({name: value for name, value in context.headers.items() if name.startswith("hx-")})
    if "multipart" in told.get("content-type", ""):
        # The boundary is another one each time, and of another length in each browser.
        told["content-type"] = "multipart/form-data"
        told.pop("content-length", None)
    if told.get("content-type", "").endswith("charset=UTF-8"):
        # Chromium writes it so, whatever a script has written; the specification leaves a right one alone.
        told["content-type"] = told["content-type"].lower()
    body = context.request.body or b""
    hashed = None if "multipart" in context.headers.get("content-type", "") else hashlib.sha256(body).hexdigest()
    return {
        "method": context.http_method, "query": context.query, "headers": dict(sorted(told.items())),
        "data": described(context.data), "hash": hashed,
    }

@server.post("app/bytes-of")
def bytes_of(context):
    return [len(context.request.body), hashlib.sha256(context.request.body).hexdigest()]

@server.get("app/books")
def list_books():
    return list(books.values())

@server.post("app/books")
def create_book(data):
    book = {**data, "id": next(next_id)}
    books[book["id"]] = book
    return Response(book, 201, headers={"location": f"/app/books/{book['id']}", "x-count": str(len(books))})

@server.get("app/books/:id")
async def read_book(id: int):
    await asyncio.sleep(0)
    if id not in books:
        raise HTTPError(404, {"error": "no such book"})
    return books[id]

@server.get("app/at-once/:id")
def read_at_once(id: int):
    if id not in books:
        raise HTTPError(404, {"error": "no such book"})
    return books[id]

@server.put("app/books/:id")
def update_book(id: int, data):
    books[id] = {**data, "id": id}
    return books[id]

@server.patch("app/books/:id")
def patch_book(id: int, data):
    books[id] = {**books[id], **data}
    return books[id]

@server.delete("app/books/:id")
def delete_book(id: int):
    books.pop(id, None)

@server.get("app/bytes")
def many_bytes():
    return Response(bytes(range(256)) * 1000, headers={"content-type": "application/x-own"})

@server.get("app/text")
def text(query):
    return Response(query["say"], headers={"content-type": query["type"], "x-many": "a, b"})

@server.get("app/pieces")
async def pieces():
    for piece in ("first ", "second ", "third"):
        await asyncio.sleep(0)
        yield piece

@server.get("app/broken")
def broken():
    raise HTTPError(500, {"error": "broken"})

@server.get("app/teapot")
def teapot():
    return Response("short and stout", 418, headers={"content-type": "text/plain"})

@server.get("app/moved")
def moved():
    return Response(None, 302, headers={"location": "/app/books/1"})

@server.get("app/slow")
async def slow():
    await asyncio.sleep(30)

@server.get("app/image.png")
def image():
    """Three pixels by two: red, green and blue, and below them white."""
    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))
    rows = [b"\xff\x00\x00" b"\x00\xff\x00" b"\x00\x00\xff", b"\xff" * 9]
    return Response(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""),
        headers={"content-type": "image/png"},
    )

# What htmx swaps

def fragment(html, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(html, headers={"content-type": "text/html; charset=utf-8", **named})

@server.get("app/fragment")
def a_fragment(context):
    asked = ", ".join(f"{name}={context.headers[name]}" for name in sorted(context.headers) if name.startswith("hx-"))
    return fragment(f"<b id=told>{asked}</b>", hx_trigger='{"told": {"by": "a handler"}}')

@server.post("app/form")
def a_form(data):
    return fragment(f"<i id=sent>{sorted(data.items())}</i>", hx_trigger_after_settle="settled")

@server.post("app/upload")
def an_upload(data):
    return fragment(f"<i id=sent>{sorted(described(data).items())}</i>")

@server.delete("app/fragment")
def no_fragment():
    return fragment("")

@server.get("app/refused")
def refused():
    return Response("<p>no</p>", 422, headers={"content-type": "text/html"})

@server.get("app/elsewhere")
def elsewhere():
    return fragment("<p>there</p>", hx_retarget="#other", hx_reswap="beforeend", hx_push_url="/pushed.html")
'''
