"""The page's side: what its bridge lets Python call, and functions of the page, which stay where they are."""

from __future__ import annotations

import json
from typing import Any, Protocol

from fauxserver.messages import Response, to_json


class JsSide(Protocol):
    """The callbacks that the bridge gives."""

    def settle(self, exchange: str, text: str) -> None:
        """An answer that was awaited."""

    def piece(self, bytes_: Any) -> None:
        """The bytes that the text which comes next speaks of."""

    def report(self, fault: str) -> None:
        """An error that belongs to no answer."""

    def enabled(self, flag: bool) -> None:
        """Whether the server answers at all."""

    def forget(self, ref: int) -> None:
        """Nobody here holds that function any more."""

    def call(self, ref: int, request: str) -> str:
        """Call a JavaScript function from Python."""

    def arm(self, limit: float) -> None:
        """Interrupt Python in so many milliseconds."""

    def disarm(self) -> None:
        """Do not."""

    def soon(self) -> None:
        """Call `turn`, in a moment."""

    def set_timer(self, number: int, delay: float) -> None:
        """Call `ring` with *number* in so many milliseconds."""

    def clear_timer(self, number: int) -> None:
        """Do not."""


class JsFunction:
    """A function of the page: a handler, a latency, a transport factory. It stays there, under its number."""

    def __init__(self, ref: int, side: JsSide) -> None:
        self.ref = ref
        self._side = side

    def __call__(self, context: Any) -> Any:
        """Call it from Python, for a request that Python made itself."""
        route = context.route
        request = {
            "data": context.data,
            "url": context.url,
            "httpMethod": context.http_method,
            "route": {"name": route.name, "httpMethod": route.http_method, "handlerParams": list(context.captures)},
            "captures": list(context.captures),
        }
        answer = json.loads(self._side.call(self.ref, to_json(request)))
        return Response(answer.get("value"), answer["status"], answer["headers"])

    def __del__(self) -> None:
        self._side.forget(self.ref)
