"""A page's request as HTTP has it, for `fetch` and `XMLHttpRequest`: headers, bytes, and a body in pieces."""

from __future__ import annotations

import json
import sys
from asyncio import CancelledError, Task, wait
from collections.abc import Callable, Iterator
from typing import Any

from fauxserver.bodies import decode
from fauxserver.errors import BodyError, HTTPError
from fauxserver.exchange import Exchange
from fauxserver.messages import Response, encode_piece

END = "."
"""Says that a streamed body has ended."""

to_js: Callable[[Any], Any] = bytes
if sys.platform == "emscripten":
    from pyodide.ffi import to_js  # type: ignore[import-not-found, no-redef]


def read_headers(lines: str) -> dict[str, str]:
    """Headers, as they cross: one a line."""
    return dict(line.split(": ", 1) for line in lines.split("\n")) if lines else {}


def hand(exchange: Exchange, headers: dict[str, str], body: Any) -> None:
    """Give an accepted request its headers and its body: a text, or bytes of the page."""
    if body is None:
        content = b""
    elif isinstance(body, str):
        content = body.encode("utf-8", "replace")
    else:
        content = bytes(body) if isinstance(body, (bytes, bytearray)) else body.to_bytes()
    exchange.request = exchange.request._replace(headers=headers, body=content)
    if not content:
        exchange.data = None
        return
    try:
        exchange.data = decode(content, headers.get("content-type", ""))
    except BodyError as error:
        exchange.refuse(HTTPError(400, {"error": str(error)}))


def encode(response: Response, send: Callable[[Any], None]) -> str:
    """`+` and JSON: a plain success. `=`, what there is to say as JSON, and in the next line the body: a text.

    Bytes are *sent* instead; the bridge then has them.
    """
    if response.kind == "stream":
        return head(response, response.status, _headers(response), "stream")
    status, headers, body = response.parts()
    if isinstance(body, str):
        if status == 200 and response.kind == "json" and not response.headers and response.error is None:
            return "+" + body
        return f"{head(response, status, headers, 'text')}\n{body}"
    if body:
        send(to_js(body))
        return head(response, status, headers, "bytes")
    return head(response, status, headers, "none")


def head(response: Response, status: int, headers: dict[str, str], body: str) -> str:
    """All but the body."""
    error = response.error
    told = {
        "status": status,
        "reason": response.reason if status == response.status else "No Content",
        "headers": list(headers.items()),
        "body": body,
        "error": error._asdict() if error else None,
    }
    return f"={json.dumps(told)}"


def _headers(response: Response) -> dict[str, str]:
    headers = response.fields()
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    return headers


class Stream:
    """A streamed body on its way to the page, which pulls its pieces."""

    def __init__(self, exchange: Exchange, response: Response, send: Callable[[Any], None]) -> None:
        self._exchange = exchange
        self._response = response
        self._send = send
        self._pieces = response._body
        self.waits = hasattr(self._pieces, "__anext__")
        """Whether its pieces are to be awaited."""
        self.task: Task[str] | None = None
        """What waits for the next one."""

    def next(self) -> str:
        """`+` and a text; `b` when bytes were sent; `.` at the end; `!` and JSON if the handler has failed."""
        pieces: Iterator[Any] = self._pieces
        try:
            return self._told(next(pieces))
        except StopIteration:
            return END
        except:  # noqa: E722 (a handler may have replaced the very names of exceptions)
            return self._broken()

    async def later(self) -> str:
        """The same, awaited."""
        try:
            return self._told(await self._pieces.__anext__())
        except StopAsyncIteration:
            return END
        except (GeneratorExit, CancelledError):
            raise
        except:  # noqa: E722
            return self._broken()

    def _told(self, piece: Any) -> str:
        if isinstance(piece, str):
            return "+" + piece
        self._send(to_js(encode_piece(piece)))
        return "b"

    def _broken(self) -> str:
        error = self._response.error
        if error is None:
            error = self._exchange.failed().error
            self._exchange.error = error
        return f"!{json.dumps(error._asdict() if error else None)}"

    async def close(self, report: Callable[[str], None]) -> None:
        """Nobody reads on: let it clean up. What goes wrong there belongs to no answer, and is *report*ed."""
        if self.task is not None:
            # One that waits for something cannot be closed before it has been told.
            self.task.cancel()
            await wait([self.task])
        try:
            await self._response.close()
        except (GeneratorExit, CancelledError):
            raise
        except:  # noqa: E722
            error = self._exchange.failed().error
            if error is not None:
                report(json.dumps(error._asdict()))
