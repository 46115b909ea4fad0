"""Every exception of the server, in one tree.

All of them say what is wrong, where, and what to do about it, and carry the facts as attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class FauxServerError(Exception):
    """Whatever goes wrong in fauxserver is one of these."""


class UrlExpError(FauxServerError):
    """An url expression that cannot be understood."""

    def __init__(self, message: str, expression: object) -> None:
        super().__init__(message)
        self.expression = expression


class RouteError(FauxServerError):
    """A route that cannot be added, or found, as it was asked for."""

    def __init__(self, message: str, route: str | None = None) -> None:
        super().__init__(message)
        self.route = route


class HandlerError(FauxServerError):
    """A handler that cannot be called, or whose result cannot be read."""

    def __init__(self, message: str, route: str | None = None) -> None:
        super().__init__(message)
        self.route = route


class JSONError(FauxServerError):
    """A value that JSON cannot hold; `path` says where in the value, as in `$.books[3].price`."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class BodyError(FauxServerError):
    """A request's body that is not what its `content_type` says."""

    def __init__(self, message: str, content_type: str) -> None:
        super().__init__(message)
        self.content_type = content_type


class PolicyError(FauxServerError):
    """A policy for requests that no route matches which is none; `policy` is what was given instead."""

    def __init__(self, message: str, policy: object = None) -> None:
        super().__init__(message)
        self.policy = policy


class DataStoreError(FauxServerError):
    """A data store that cannot be written or restored; `name` says of which object."""

    def __init__(self, message: str, name: str | None) -> None:
        super().__init__(message)
        self.name = name


class TimeLimitError(FauxServerError):
    """A handler that was stopped, because it ran longer than `limit` milliseconds."""

    def __init__(self, message: str, limit: float) -> None:
        super().__init__(message)
        self.limit = limit


class RouteFileError(FauxServerError):
    """A route file that does not parse, raises, or lacks something it needs."""

    def __init__(self, message: str, file: str, line: int | None = None, source_line: str | None = None) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.source_line = source_line


class HostError(FauxServerError):
    """A host that cannot do what it was asked for: a port that is taken, say."""


class HTTPError(FauxServerError):
    """Raise it in a handler to fail the request with a status of your choice.

    The body is anything a handler may return as JSON, or a text; left out, it is the status' reason phrase.

    >>> HTTPError(404).body
    'Not Found'
    >>> HTTPError(409, {"error": "already lent"}).status
    409
    """

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
            raise HandlerError(
                f"HTTPError: {status!r} is no HTTP status. Give a number from 100 to 599, as in HTTPError(404)."
            )
        self.status = int(status)
        self.body = reason_phrase(status) if body is None else body
        self.headers = dict(headers or {})
        super().__init__(f"{self.status} {self.body}")


class FauxServerWarning(UserWarning):
    """Something that works, but probably not as it was meant."""


def reason_phrase(status: int) -> str:
    """The standard's words for a status, or nothing.

    >>> reason_phrase(404), reason_phrase(499)
    ('Not Found', '')
    """
    return _REASONS.get(status, "")


_REASONS = {int(status): status.phrase for status in HTTPStatus}
