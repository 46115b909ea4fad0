"""What the cases of XMLHttpRequest ask: in the page a route file, and over the network the real server's endpoints.

Both give what `say` says, so that whatever differs is the doing of who asked.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from fauxserver import FauxServer, Response

server = FauxServer()

# What a browser sends of its own accord is not the same over a network.
TOLD = ("accept", "authorization", "content-length", "content-type")


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes = b""
    # Milliseconds before it, and between its pieces.
    pause: float = 0
    pieces: list[bytes] | None = None
    # Whether it ends as if the line were cut.
    broken: bool = False


def say(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Said:
    path = urlsplit(url).path
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    asked = dict(query)
    given = {"cache-control": "no-store"}
    for name, value in query:
        if name == "h":
            key, _, content = value.partition(":")
            given[key.lower()] = content.strip()
    status = int(asked.get("status", "200"))
    pause = float(asked.get("pause", "0"))
    if path.endswith("/redirect"):
        return Said(status if status != 200 else 302, given | {"location": asked["to"]})
    if path.endswith("/loop"):
        return Said(302, given | {"location": "loop"})
    if path.endswith("/echo"):
        told = {name: value for name, value in sorted(headers.items()) if name in TOLD or name.startswith("x-")}
        if body.startswith(b"--"):  # The boundary of a form is another each time.
            boundary = body.partition(b"\r\n")[0].removeprefix(b"--").removesuffix(b"--")
            told["content-type"] = told["content-type"].replace(boundary.decode(), "B")
            body = body.replace(boundary, b"B")
        heard = {"method": "GET" if method == "HEAD" else method, "query": urlsplit(url).query, "headers": told}
        text = json.dumps({**heard, "body": base64.b64encode(body).decode()})
        return Said(200, given | {"content-type": "application/json"}, text.encode(), pause)
    if path.endswith("/secret") and headers.get("authorization") != "Basic bWU6b3Blbg==":
        return Said(
            401,
            given | {"www-authenticate": f'{asked["how"]} realm="{asked["realm"]}"', "content-type": "text/plain"},
            b"Who?",
        )
    kind = asked.get("type", "text/plain")
    given["content-type"] = kind
    if path.endswith("/stream"):
        # Or a browser waits for more before it shows the first.
        given["x-content-type-options"] = "nosniff"
        pieces = [base64.b64decode(piece) if "b64" in asked else piece.encode() for piece in asked["pieces"].split(",")]
        if "total" in asked:
            given["content-length"] = str(sum(map(len, pieces)))
        return Said(status, given, b"", pause, pieces, "broken" in asked)
    content = base64.b64decode(asked["b64"]) if "b64" in asked else asked.get("text", "").encode()
    return Said(status, given, content * int(asked.get("times", "1")), pause)


@server.add_route("/api/*rest")
def answer(context: Any) -> Any:
    request = context.request
    said = say(request.method, request.url, request.headers, request.body)
    if said.pieces is not None:
        return Response(stream(said), said.status, said.headers)
    response = Response(said.body, said.status, said.headers)
    return after(said.pause, response) if said.pause else response


async def after(pause: float, response: Response) -> Response:
    await asyncio.sleep(pause / 1000)
    return response


async def stream(said: Said) -> AsyncIterator[bytes]:
    for piece in said.pieces or ():
        yield piece
        await asyncio.sleep(said.pause / 1000)
    if said.broken:
        raise ConnectionError("The line is cut.")
