"""What Python's clients are answered in their tests, in process and over a real port."""

import asyncio
import gzip
import time

from fauxserver import FauxServer, HTTPError, Response

server = FauxServer()
closed = []


@server.add_route("told(/*rest)")
def told(context):
    """All that has come of a request."""
    headers = dict(context.headers)
    boundary = headers.get("content-type", "").partition("boundary=")[2] or "no boundary"
    body = context.request.body.decode("latin-1")
    if boundary in body:
        # They are made up anew each time.
        headers["content-type"] = "multipart"
        body = body.replace(boundary, "boundary")
    return {"method": context.http_method, "url": context.url, "headers": sorted(headers.items()), "body": body}


@server.post("form")
def form(data):
    return {
        name: [value.filename, len(value.body)] if hasattr(value, "body") else value for name, value in data.items()
    }


server.get("text", lambda: Response("größe"))
server.get("latin", lambda: Response(b"gr\xf6\xdfe", headers={"content-type": "text/plain; charset=iso-8859-1"}))
server.get("zipped", lambda: Response(gzip.compress(b"zip" * 1000, mtime=0), headers={"content-encoding": "gzip"}))
server.get("status/:code", lambda code: Response({"code": code}, int(code)))
server.get("nothing", lambda: None)
server.get("headers", lambda: Response([], headers={"X-Count": "3", "X-Latin": "größe", "Content-Language": "de"}))
server.get("wrong", lambda: 1 / 0)
server.get("cookie", lambda: Response("", headers={"Set-Cookie": "taste=oat; Path=/"}))
server.get("cookies", lambda: Response("", headers={"Set-Cookie": ["taste=oat; Path=/", "size=small; Max-Age=60"]}))
server.add_route("moved/:code", lambda code: Response(None, int(code), {"Location": "/told"}))
server.get("circle", lambda: Response(None, 302, {"Location": "circle"}))


@server.get("lines")
def lines():
    try:
        for number in range(3):
            yield f"line {number}\nand "
        yield "no more"
    finally:
        closed.append("lines")


@server.get("bytes")
async def pieces():
    try:
        yield b"\0\1"
        await asyncio.sleep(0)
        yield b"\xff"
    finally:
        closed.append("bytes")


@server.get("breaks")
def breaks():
    yield "one"
    raise HTTPError(500, "too late")


@server.get("slow")
def slow():
    time.sleep(0.25)
    return "404"


@server.get("slow/later")
async def slow_later():
    await asyncio.sleep(30)


@server.get("slow/stream")
async def slow_stream():
    yield "one"
    await asyncio.sleep(30)


@server.get("late")
def late():
    return ["late"]


server.set_latency(lambda context: 30_000 if context.url.endswith("/late") else 0)
