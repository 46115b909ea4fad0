"""An answer as `Backbone.sync` has it: whole, and at once where it cannot wait."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

from fauxserver.errors import TimeLimitError
from fauxserver.exchange import Exchange
from fauxserver.handlers import label, raised_by_us
from fauxserver.messages import Failure, Response, field


async def collect(exchange: Exchange, response: Response) -> Response:
    """A streamed body, whole. One that breaks off, or goes on and on, fails the request."""
    whole = Response(_pieces(exchange, response._body), response.status, response.headers)
    try:
        await whole.read()
        return whole
    except:  # noqa: E722 (a handler may have replaced the very names of exceptions)
        failed = exchange.failed()
        error, task = sys.exception(), asyncio.current_task()
        assert error is not None
        ended = type(error) is GeneratorExit and raised_by_us(error)
        if ended or (type(error) is asyncio.CancelledError and task and task.cancelling()):
            raise
        exchange.status, exchange.error = failed.status, failed.error
        return failed


async def _pieces(exchange: Exchange, body: Any) -> AsyncIterator[Any]:
    """The pieces of a body, until it has kept the page for too long."""
    limit = exchange.time_limit

    def check() -> None:
        if limit is not None and exchange.running > limit:
            raise TimeLimitError(f"The handler ran longer than the time limit of {limit:g} ms.", limit)

    if hasattr(body, "__anext__"):
        async for piece in body:
            check()
            yield piece
    else:
        for piece in body:
            check()
            yield piece


def cannot_wait(exchange: Exchange) -> Response:
    """What a synchronous request gets from a handler that takes its time."""
    name, place = label(exchange.route.handler), exchange.route.location
    message = (
        f"{name}, which answers {exchange.route}{f' ({place})' if place else ''}, is asynchronous, and a synchronous "
        "request (async: false) cannot wait for it. Write it with `def`, or make the request asynchronous."
    )
    response = Response(message, 500)
    response.error = Failure(message, exchange.route.file, exchange.route.line, "", message, asynchronous=True)
    return response


Encode: TypeAlias = "Callable[[str, Exchange, Response], str]"
"""Writes a response down for the bridge: by the number of its exchange, and that exchange."""


def encode(_number: str, _exchange: Exchange, response: Response) -> str:
    """`+` and JSON: a plain success; `=` and JSON: all there is to say."""
    kind = response.kind
    if kind == "json":
        text = response.json
        if response.status == 200 and not response.headers and response.error is None:
            return "+" + text
    else:
        body = response.body
        text = json.dumps(body if kind == "text" else bytes(body).decode("utf-8", "replace"))
    error = response.error
    told = {
        "status": response.status,
        "reason": response.reason,
        "headers": {str(name): field(name, value) for name, value in response.headers.items()},
        "failed": response.failed,
        "error": error._asdict() if error else None,
    }
    return f'={json.dumps(told)[:-1]}, "body": {text}}}'
