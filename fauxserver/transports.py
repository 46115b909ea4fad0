"""For callers with callbacks: resolve or reject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from fauxserver.messages import Response


class Transport(Protocol):
    """What stands between an answer and who asked."""

    def promise(self) -> Any:
        """What the one who asks gets at once."""

    def resolve(self, value: Any) -> None:
        """Hand over a success."""

    def reject(self, reason: Any) -> None:
        """Hand over a failure."""


class CallbackTransport:
    """Calls one of two functions, and promises nothing.

    >>> deliver(Response({"id": 1}), CallbackTransport(print, None))
    {'id': 1}
    """

    def __init__(self, success: Callable[[Any], Any] | None = None, error: Callable[[Any], Any] | None = None) -> None:
        self._success = success
        self._error = error

    def promise(self) -> None:
        """Nothing."""

    def resolve(self, value: Any) -> None:
        """Call the success function."""
        if self._success:
            self._success(value)

    def reject(self, reason: Any) -> None:
        """Call the error function."""
        if self._error:
            self._error(reason)


def deliver(response: Response, transport: Transport) -> None:
    """Hand *response* over: its body, as a success or, from status 400 on, as a failure."""
    if response.failed:
        transport.reject(response.body)
    else:
        transport.resolve(response.body)
