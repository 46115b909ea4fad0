"""What a handler is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fauxserver.messages import Request
from fauxserver.routes import Route, RouteInfo
from fauxserver.urlexp import Captures


class Context:
    """One request, as its handler sees it."""

    __slots__ = ("_data", "_given", "_query", "_route", "captures", "request")

    def __init__(self, request: Request, route: Route, captures: Captures, data: Any = None) -> None:
        self.request = request
        """The request itself, with its `body` in bytes."""
        self.captures = captures
        """What the holes of the url expression hold, in order; `None` for an optional part that is not there."""
        self._route = route
        self._given = data
        self._data: Any = _UNREAD
        self._query: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<Context {self.http_method} {self.url}>"

    @property
    def data(self) -> Any:
        """What was sent, read from JSON, a form or a text. It is yours: nobody sees what you change in it."""
        if self._data is _UNREAD:
            self._data = _copy(self._given)
        return self._data

    @property
    def url(self) -> str:
        """The url as it was given, with its query."""
        return self.request.url

    @property
    def http_method(self) -> str:
        """`GET`, `POST` …"""
        return self.request.method

    @property
    def http_method_override(self) -> str | None:
        """The method that is meant, where a client (`Backbone.emulateHTTP`) can only send `POST`."""
        return self.request.method_override

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers; names are in lower case."""
        return self.request.headers

    @property
    def route(self) -> RouteInfo:
        """A copy of the route."""
        return self._route.info(self.captures)

    @property
    def params(self) -> dict[str, str | None]:
        """The captures by name.

        >>> from fauxserver.urlexp import UrlExp
        >>> route = Route("", UrlExp("books/:id(/pages/:page)"), "GET", None)
        >>> Context(Request("GET", "books/7?lang=en"), route, ("7", None)).params
        {'id': '7', 'page': None}
        """
        return {name: value for name, value in zip(self._route.exp.params, self.captures, strict=False) if name}

    @property
    def query(self) -> dict[str, Any]:
        """The url's query, decoded; a name that is there more than once has a list.

        >>> from fauxserver.urlexp import UrlExp
        >>> Context(Request("GET", "books?tag=a&tag=b&page=2"), Route("", UrlExp("books"), "GET", None), ()).query
        {'tag': ['a', 'b'], 'page': '2'}
        """
        if self._query is None:
            self._query = parse_query(self.request.url.partition("#")[0].partition("?")[2])
        return self._query


_UNREAD: Any = object()
_SCALARS = frozenset({str, int, float, bool, type(None), bytes})


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        return {key: item if type(item) in _SCALARS else _copy(item) for key, item in value.items()}
    if kind is list:
        return [item if type(item) in _SCALARS else _copy(item) for item in value]
    return value


def parse_query(text: str) -> dict[str, Any]:
    """Read `a=1&b=2`; a name that is there more than once has a list."""
    if not text:
        return {}
    from urllib.parse import parse_qsl

    return gather(parse_qsl(text, keep_blank_values=True, max_num_fields=10_000))


def gather(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of fields; a name that is there more than once has a list."""
    gathered: dict[str, Any] = {}
    for name, value in fields:
        if name not in gathered:
            gathered[name] = value
        elif isinstance(gathered[name], list):
            gathered[name].append(value)
        else:
            gathered[name] = [gathered[name], value]
    return gathered
