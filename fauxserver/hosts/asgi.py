"""A `FauxServer` as an ASGI application: `uvicorn routes:server`, or mounted in another one.

Over HTTP there is one origin, so expressions are held against the path: `books/:id` and `/books/:id` both answer
`/books/7`. Where the application is mounted, they count from there.

The server itself is the plain application: its handlers run where the event loop does, which they do not see.
`Application(server)` gives them a thread of their own, and knows what `fauxserver serve` can do besides.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, MutableMapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import finalize

from fauxserver.hosts.asked import TAKEN, Asked, Unwanted
from fauxserver.hosts.cors import is_preflight, permit, share
from fauxserver.hosts.flow import Flow
from fauxserver.hosts.http import (
    MOST_BYTES,
    Answer,
    Receive,
    Refused,
    Scope,
    Send,
    address,
    bodiless,
    encode_headers,
    pieces,
    read,
    read_headers,
    target,
)
from fauxserver.hosts.threads import Threads
from fauxserver.messages import Request, Response, to_json
from fauxserver.routes import Route
from fauxserver.server import FauxServer
from fauxserver.unmatched import read_rule

if TYPE_CHECKING:
    from fauxserver.hosts.files import Files
    from fauxserver.hosts.proxy import Proxy

_LOOK = 0.05
"""So often it is looked which requests take so long that their client may have left, in seconds."""


async def serve(server: FauxServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection, plainly."""
    await Application(server, threads=False)(scope, receive, send)


class Told(NamedTuple):
    """One line for the terminal: what was asked, and how it was answered."""

    method: str
    target: str
    status: int
    """0 for a client that has left."""
    duration: float
    """How long the handler took, in milliseconds."""
    where: str
    """The handler and its line, or who else has answered."""
    problem: str = ""


class Application:
    """A server with all that HTTP has besides: an ASGI application.

    *threads* run the handlers; with False they run where the event loop does. *cors* lets pages of all origins ask.
    What no route wants is a file of *static* (a folder), is fetched by *proxy* (an address), or is refused.
    *unmatched* is the policy for it where the server has none: see `FauxServer.set_unmatched`. *most_bytes* a body may
    have. *told* is called with a line for each answer.
    """

    def __init__(
        self,
        server: FauxServer,
        *,
        threads: Threads | bool = True,
        cors: bool = False,
        proxy: str | None = None,
        static: str | Path | Files | None = None,
        unmatched: str | None = None,
        most_bytes: int = MOST_BYTES,
        told: Callable[[Told], None] | None = None,
    ) -> None:
        self.server = server
        self.threads = threads if isinstance(threads, Threads) else Threads() if threads else None
        if self.threads is not None:
            # Nobody's Ctrl+C comes to those threads.
            server.keyboard = False
        if threads is True and self.threads is not None:
            # One that is mounted is not told when it is over.
            finalize(self, self.threads.end)
        self.cors = cors
        self.most_bytes = most_bytes
        self.unmatched = None if unmatched is None else read_rule((unmatched,)).policy
        self.told = told
        self.slow: dict[Route, int] = {}
        """Routes whose handlers have kept others waiting, and how often each was quick since."""
        self.asked: set[Asked] = set()
        """Requests that are being answered."""
        self.ending = False
        self._looking = False
        self.proxy: Proxy | None = None
        self.files: Files | None = None
        if proxy is not None:
            from fauxserver.hosts.proxy import Proxy

            self.proxy = Proxy(proxy)
        if static is not None:
            from fauxserver.hosts.files import Files

            self.files = static if isinstance(static, Files) else Files({"/": Path(static)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._answer(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "fauxserver answers HTTP only."})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Be ready when the application starts."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.server.ready()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def close(self) -> None:
        """End what it has begun."""
        if self.proxy is not None:
            await self.proxy.close()
        if self.threads is not None:
            self.threads.close()

    # One request

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        asked: Asked | None = None
        try:
            headers = read_headers(scope["headers"])
            if self.cors:
                if is_preflight(method, headers):
                    await self._send(scope, send, Answer(204, encode_headers(permit(headers)), b""))
                    return
                send = _sharing(send, headers.get("origin"))
            unread = bodiless(scope, headers)
            body: bytes | None = b""
            if not unread and self.proxy is None:
                body = await read(receive, headers, self.most_bytes)
                if body is None:
                    return  # The client has left.
            request = Request(
                method,
                address(scope, headers),
                None,
                headers,
                body or b"",
                headers.get("x-http-method-override"),
                scope.get("root_path", "").rstrip("/") + "/",
            )
            asked = Asked(self, request, receive, unread)
            if not unread and self.proxy is not None:
                # What is not ours goes on as it comes.
                asked.take = False
                if await asked.outcome() is TAKEN:
                    body = await read(receive, headers, self.most_bytes)
                    if body is None:
                        asked.drop()
                        return
                    asked.give(body)
            answer = await asked.outcome()
            if type(answer) is Answer:
                await self._send(scope, send, answer)
                if self.told is not None:
                    self._tell(asked, answer.status)
            elif isinstance(answer, Response):
                await self._stream(asked, answer, scope, send)
            else:
                await self._unwanted(asked, answer, scope, receive, send)
        except Refused as refused:
            if asked is not None:
                asked.refused(refused)
            await self._refuse(refused, scope, send)
        except asyncio.CancelledError:
            if asked is None or not asked.left:
                if asked is not None:
                    asked.drop()
                raise
            asked.drop()
            asked.task.uncancel()
            if self.told is not None:
                self._tell(asked, 0)
            if self.ending:
                with contextlib.suppress(RuntimeError):  # If it has begun already.
                    await self._refuse(Refused(503, "The server ends.", {"connection": "close"}), scope, send)
        except BaseException:
            if asked is not None:
                asked.drop()
            raise
        finally:
            if asked is not None:
                asked.end()

    async def _send(self, scope: Scope, send: Send, answer: Answer) -> None:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _refuse(self, refused: Refused, scope: Scope, send: Send) -> None:
        """Say why a request is not answered."""
        text = to_json({"error": refused.reason}).encode() if refused.reason else b""
        pairs = encode_headers(refused.headers)
        if text:
            pairs += [(b"content-length", b"%d" % len(text)), (b"content-type", b"application/json")]
        await self._send(scope, send, Answer(refused.status, pairs, text))
        if self.told is not None:
            target = scope["path"] + (
                f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else ""
            )
            self.told(Told(scope["method"], target, refused.status, 0, "", refused.reason))

    async def _stream(self, asked: Asked, response: Response, scope: Scope, send: Send) -> None:
        """Send a body in the pieces in which it comes."""
        headers = response.fields()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        flow = Flow(self.threads, response)
        asked.streams = True
        try:
            pairs = encode_headers(headers, response.status)
            await send({"type": "http.response.start", "status": response.status, "headers": pairs})
            if scope["method"] != "HEAD":
                while (piece := await flow.next()) is not None:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Exception:
            # The journal knows. The client sees that the body breaks off.
            if self.threads is None or response.error is None:
                raise
            return
        finally:
            await flow.close()
            if self.told is not None and not asked.left:
                self._tell(asked, response.status, response)
        await send({"type": "http.response.body", "body": b""})

    async def _unwanted(self, asked: Asked, unwanted: Unwanted, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route wants."""
        if self.files is not None:
            file = await self.files.find(scope)
            if file is not None:
                await file(scope, receive, send)
                if self.told is not None:
                    self._tell_of(asked, file.status_code, "a file")
                return
        if asked.exchange is not None:
            # There is a default handler for what there is no file for.
            asked.take = asked.filed = True
            await self._answer_by_default(asked, scope, send)
            return
        if unwanted.policy == "error":
            raise Refused(501, await self._on_thread(unwanted.explain))
        if self.proxy is not None:
            await self._fetch(self.proxy, asked, unwanted, scope, receive, send)
        elif unwanted.allow and scope["method"] == "OPTIONS":
            raise Refused(204, "", {"allow": ", ".join(unwanted.allow)})
        elif unwanted.allow:
            headers = {"allow": ", ".join(unwanted.allow)}
            raise Refused(405, await self._on_thread(unwanted.explain), headers)
        else:
            raise Refused(404, await self._on_thread(unwanted.explain))

    async def _answer_by_default(self, asked: Asked, scope: Scope, send: Send) -> None:
        asked.again()
        answer = await asked.outcome()
        if type(answer) is Answer:
            await self._send(scope, send, answer)
            if self.told is not None:
                self._tell(asked, answer.status)
        else:
            await self._stream(asked, answer, scope, send)

    async def _fetch(
        self, proxy: Proxy, asked: Asked, unwanted: Unwanted, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Have the real server answer."""
        from fauxserver.hosts.proxy import Unreachable

        began = perf_counter()
        headers = asked.request.headers
        client = scope.get("client") or ("", 0)
        forwarded = {"x-forwarded-for": client[0], "x-forwarded-proto": scope.get("scheme", "http")}
        if "host" in headers:
            forwarded["x-forwarded-host"] = headers["host"]
        asked_for = target(asked.request).encode("latin-1")
        body = None if asked.unread else pieces(receive)
        own = (lambda pairs: pairs) if not self.cors else own_only
        if asked.unread:
            asked.streams = True
        else:
            self.asked.discard(asked)
        try:
            status = await proxy.fetch(scope["method"], asked_for, scope["headers"], body, forwarded, send, own)
        except Unreachable as error:
            raise Refused(error.status, str(error)) from None
        if self.told is not None:
            warning = await self._on_thread(unwanted.explain) if unwanted.policy == "warn" else ""
            self._tell_of(asked, status, f"from {proxy.url}", (perf_counter() - began) * 1000, warning)

    async def _on_thread(self, function: Callable[[], Any]) -> Any:
        """Call something where the routes are."""
        return function() if self.threads is None else await self.threads.call(function)

    def _tell(self, asked: Asked, status: int, response: Response | None = None) -> None:
        exchange = asked.exchange
        if exchange is None:
            self._tell_of(asked, status, "")
            return
        where = " ".join(filter(None, (exchange.route.label, exchange.route.location)))
        error = exchange.error
        problem = error if isinstance(error, str) else (error.traceback or error.message) if error is not None else ""
        self._tell_of(asked, status, where, exchange.duration, problem)

    def _tell_of(self, asked: Asked, status: int, where: str, duration: float = 0.0, problem: str = "") -> None:
        if self.told is not None:
            request = asked.request
            self.told(Told(request.method, target(request), status, duration, where, problem))

    # Who takes long

    def look(self) -> None:
        """From time to time, see who asks for something that takes long, and whether they still wait."""
        self._looking = False
        for asked in self.asked:
            if asked.looked:
                asked.watch()
            asked.looked = True
        self.look_later()

    def look_later(self) -> None:
        """Do so, if there is somebody."""
        if self.asked and not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(_LOOK, self.look)

    def end(self, all: bool) -> None:
        """The server ends: let go of who is being told something that need not end, or of *all*."""
        self.ending = True
        for asked in list(self.asked):
            if all or asked.streams:
                asked.leave()


def _sharing(send: Send, origin: str | None) -> Send:
    """Let a page of *origin* read what is sent."""

    async def sharing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": share(origin, list(message["headers"]))}
        await send(message)

    return sharing


def own_only(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer from elsewhere, without what it says of other origins: we have said that."""
    return [pair for pair in pairs if not pair[0].lower().startswith(b"access-control-")]
