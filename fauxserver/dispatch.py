"""The local call: a request that this program makes of its own server, and has answered before it goes on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fauxserver.errors import HandlerError
from fauxserver.exchange import Exchange
from fauxserver.handlers import label
from fauxserver.messages import Request, Response

if TYPE_CHECKING:
    from fauxserver.server import FauxServer

Callback = Callable[..., Any]


def dispatch(server: FauxServer, request: Request) -> Response:
    """Have *request* answered, at once: there is no latency."""
    exchange = server.accept(request)
    return _unresolved(server, request) if exchange is None else _answer(exchange)


def tell(response: Response, call: str, success: Callback | None, error: Callback | None) -> None:
    """Tell one of the two the body and the status; where it is missing, the log. *call* is what was called."""
    callback = error if response.failed else success
    if callback is not None:
        _call(callback, response.body, response.status)
        return
    import logging

    word = "error" if response.failed else "success"
    logging.getLogger("fauxserver").warning(
        "dispatch: %s → %s %r, and no %s callback was given to be told so.", call, response.status, response.body, word
    )


def _unresolved(server: FauxServer, request: Request) -> Response:
    explained = server.explain(request)
    near = " ".join(f"{near}." for near in explained.nearest)
    message = f"Could not resolve API route: {request.method} {request.url} {explained.reason}"
    return Response({"error": f"{message}{f' Nearest: {near}' if near else ''}"}, 404).seal()


def _answer(exchange: Exchange) -> Response:
    result = exchange.answer()
    if isinstance(result, Response):
        if result.kind != "stream":
            return result
        if hasattr(result._body, "__next__"):
            # There is nothing to wait for.
            reading = result.read()
            try:
                reading.send(None)
            except StopIteration:
                return result
    if asyncio._get_running_loop() is None:
        return asyncio.run(_settle(result))
    for waiting in (exchange._awaited, result):
        getattr(waiting, "close", bool)()
    exchange.drop()
    method, url = exchange.request.method, exchange.request.url
    raise HandlerError(
        f"dispatch: {label(exchange.route.handler)}, which answers {exchange.route}, is asynchronous, and an event "
        f"loop is running here. Use `await server.handle(Request({method!r}, {url!r}))`.",
        exchange.route.name,
    )


async def _settle(result: Response | Awaitable[Response]) -> Response:
    response = result if isinstance(result, Response) else await result
    if response.kind == "stream":
        await response.read()
    return response


def _call(callback: Callback, body: Any, status: int) -> None:
    """Who wants the body alone is given that."""
    try:
        inspect.signature(callback).bind(body, status)
    except TypeError:
        callback(body)
    except ValueError:  # Some builtins do not tell.
        callback(body, status)
    else:
        callback(body, status)
