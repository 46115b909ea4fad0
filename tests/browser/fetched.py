"""What fetch is asked for in the page. A real server answers the same, for comparison: see `real.py`."""

import asyncio
import re

from fauxserver import FauxServer, Response

server = FauxServer()
ended = []


TOLD = ("accept", "host", "origin", "referer", "user-agent", "cookie", "cache-control", "pragma")


def tell(method, url, headers, body):
    """What a server has seen of a request, in JSON's types; boundaries, which are made up anew each time, apart."""
    content_type = headers.get("content-type")
    if content_type and (boundary := re.search(r"boundary=(\S+)", content_type)):
        content_type = content_type.replace(boundary[1], "BOUNDARY")
        body = body.replace(boundary[1].encode(), b"BOUNDARY")
    return {
        "method": method,
        "query": url.partition("?")[2],
        "type": content_type,
        "length": headers.get("content-length") if "BOUNDARY" not in (content_type or "") else "some",
        **{name: headers.get(name) for name in TOLD},
        "own": {name: value for name, value in sorted(headers.items()) if name.startswith(("x-", "authorization"))},
        "body": body.decode("latin-1"),
    }


# What a redirect says, by what it is asked for.
MOVED = {"to": "location", "policy": "referrer-policy"}
PLAIN = {"content-type": "text/plain"}
ANSWERS = {
    "text": ("hello, wörld".encode(), {"content-type": "text/plain; charset=utf-8"}),
    "latin": ("wörld".encode("latin-1"), {"content-type": "text/plain; charset=iso-8859-1"}),
    "json": ('{"a":1,"b":"ü"}'.encode(), {"content-type": "application/json"}),
    "bad-json": (b"{nonsense", {"content-type": "application/json"}),
    "bytes": (bytes(range(256)), {"content-type": "application/octet-stream"}),
    "image": (b"\x89PNG\r\n\x1a\n\0\xff", {"content-type": "image/PNG"}),
    "typed": (b"<p>", {"content-type": "text/html; charset=UTF-8; x=Y"}),
    "empty": (b"", {}),
    "mark": (b"\xef\xbb\xbf[1]", {"content-type": "application/json"}),
    "broken-utf8": (b"a\xff\xc3b\xe2\x82", PLAIN),
    "form": (b"a=1&b=%C3%BC+x&a=2", {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}),
    "multipart": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\nContent-Type: image/x\r\n\r\n'
        b"\0\xff\r\n--x--\r\n",
        {"content-type": "multipart/form-data; boundary=x"},
    ),
    "large": (b"0123456789abcdef" * 20_000, PLAIN),
    "cookie": (b"", {"set-cookie": "flavour=oat; Path=/"}),
    "headers": (
        b"headers",
        {
            **PLAIN,
            "X-Case": "As Given",
            "x-many": "a, b, c",
            "x-empty": "",
            "cache-control": "no-store",
            "etag": '"1"',
            "set-cookie": "seen=no; Path=/nowhere",
        },
    ),
}


@server.add_route("api/echo")
@server.add_route("api/echo/*rest")
def echo(context):
    return tell(context.http_method, context.url, dict(context.headers), bytes(context.request.body))


@server.get("api/answers/:name")
def answers(name):
    body, headers = ANSWERS[name]
    return Response(body, headers=headers)


@server.get("/api/rooted")
def rooted():
    return answers("text")


@server.add_route("api/status/:code")
def status(code: int):
    return Response("" if code == 205 else f"status {code}", status=code, headers=PLAIN)


@server.add_route("api/redirect/:code")
def redirect(code: int, query):
    given = {name: query[key] for key, name in MOVED.items() if key in query}
    return Response("moved", status=code, headers={**PLAIN, **given})


@server.add_route("api/hops/:left")
def hops(left: int):
    if left == 0:
        return Response("there", headers=PLAIN)
    return Response(None, status=302, headers={"location": str(left - 1)})


@server.get("api/pieces")
def pieces():
    async def come():
        for piece in (b"one", b"tw\xff", b"three"):
            yield piece
            await asyncio.sleep(0.06)

    return Response(come(), headers=PLAIN)


@server.get("api/forever/:name")
def forever(name):
    async def come():
        try:
            while True:
                yield b"-" * 1000
                await asyncio.sleep(0.01)
        finally:
            ended.append(name)

    return Response(come(), headers=PLAIN)


@server.get("api/ended/:name")
def has_ended(name):
    return name in ended


@server.get("api/breaks")
def breaks():
    async def come():
        yield b"one"
        await asyncio.sleep(0.06)
        raise ConnectionError("The line is cut.")

    return Response(come(), headers=PLAIN)


@server.get("api/halfway")
def halfway():
    async def come():
        yield b"one"
        await asyncio.sleep(2)
        yield b"two"

    return Response(come(), headers=PLAIN)


@server.add_route("api/slow")
async def slow():
    await asyncio.sleep(2)
    return Response("late", headers=PLAIN)


@server.add_route(re.compile(r"^http://localhost:\d+/api/echo"))
def echo_elsewhere(context):
    return echo(context)


@server.get(re.compile(r"^http://localhost:\d+/api/answers/(.+)$"))
def answers_elsewhere(name):
    return answers(name)


@server.add_route(re.compile(r"^http://localhost:\d+/api/redirect/(\d+)\?"))
def redirect_elsewhere(code, query):
    return redirect(int(code), query)
