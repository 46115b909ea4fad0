"""The route table as the bridge knows it: rows with numbers, some of which are handlers of the page."""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakValueDictionary

from fauxserver.context import Context
from fauxserver.errors import RouteError
from fauxserver.exchange import Exchange
from fauxserver.handlers import awaits, label
from fauxserver.hosts.pagefault import attempt
from fauxserver.hosts.pageside import JsFunction, JsSide
from fauxserver.messages import Request, Response
from fauxserver.routes import Route
from fauxserver.server import FauxServer
from fauxserver.urlexp import Captures, UrlExp


class Rows:
    """What the bridge asks of routes."""

    def __init__(self, server: FauxServer, side: JsSide) -> None:
        self.server = server
        self._side = side
        # Those that the page has met: it may ask what they are, and call their handlers.
        self._met: WeakValueDictionary[int, Route] = WeakValueDictionary()
        self._adapters: dict[int, FauxServer] = {}

    def describe(self, row: int) -> str:
        """What a row is, that a request has met."""
        return self._told(self._met.get(row))

    def live_rows(self) -> str:
        """The numbers of all rows."""
        return json.dumps([route.id for route in self.server.routes.rows()])

    def add_route(self, spec: str) -> str:
        """Add a row for a JavaScript handler."""
        return attempt(self._add_route, json.loads(spec))

    def _add_route(self, spec: dict[str, Any]) -> dict[str, Any]:
        regexp = spec.get("regexp")
        handler = JsFunction(spec["ref"], self._side)
        adapter = spec.get("adapter")
        server = self.server if adapter is None else self._adapters[adapter]
        route = server.add_page_route(
            UrlExp.foreign(*regexp) if regexp else server.read_expression(spec["expression"], braces=True),
            handler,
            method=spec["httpMethod"],
            name=spec.get("name"),
            label=spec.get("label", ""),
        )
        route.invoke = handler
        return {"row": route.id}

    def add_adapter(self, options: str) -> str:
        """Include a server with Express's expressions: `{adapter}` is its number."""
        return attempt(self._add_adapter, json.loads(options))

    def _add_adapter(self, options: dict[str, Any]) -> dict[str, Any]:
        from fauxserver.expressexp import Express

        grammar = Express(bool(options["sensitive"]), bool(options["strict"]))
        adapter = FauxServer(expressions=grammar, precedence=options["precedence"])
        self.server.include(adapter)
        number = len(self._adapters) + 1
        self._adapters[number] = adapter
        return {"adapter": number}

    def accept_by(self, adapter: int, request: Request) -> Exchange | None:
        """Let an adapter's routes alone answer a request."""
        exchange = self._adapters[adapter].accept(request)
        # It is the page's all the same: its journal, its time limit.
        return exchange and Exchange(
            self.server, exchange.request, exchange.route, exchange.params, (self.server, *exchange.owners)
        )

    def remove_route(self, name: str) -> str:
        """Remove the route of that name."""
        return attempt(self.server.remove_route, name)

    def remove_routes(self) -> str:
        """Remove them all."""
        return attempt(self.server.remove_routes)

    def get_route(self, name: str) -> str:
        """The row of that name."""
        return self._told(self.server.routes.get(name))

    def get_route_at(self, index: int) -> str:
        """The row at that place."""
        return self._told(self.server.routes.at(index))

    def get_matching_route(self, url: str, method: str | None = None, hits: str = "") -> str:
        """The row that would answer."""
        found = read_hits(hits)
        match = self.server.routes.match(Request(method or "*", url, hits=found))
        return self._told(match.route, match.params) if match else "null"

    def call(self, row: int, call: str) -> str:
        """Call a row's Python handler directly, as JavaScript may with what `getRoute` gives."""
        return attempt(self._call, row, json.loads(call))

    def _call(self, row: int, call: dict[str, Any]) -> dict[str, Any]:
        route = self._met.get(row)
        if route is None or route.invoke is None:
            raise RouteError("The route of this handler is gone.")
        request = Request(call["httpMethod"], call["url"], call.get("data"))
        result = route.invoke(Context(request, route, tuple(call["captures"]), request.data))
        if awaits(result):
            getattr(result, "close", bool)()
            raise RouteError(
                f"{label(route.handler)} is asynchronous. Make a request to the route instead.", route.name
            )
        return {"value": result.body if isinstance(result, Response) else result}

    def _told(self, route: Route | None, captures: Captures = ()) -> str:
        if route is None:
            return "null"
        self._met[route.id] = route
        handler = route.handler
        told = {
            "row": route.id,
            "name": route.name,
            "urlExp": route.exp.js if route.name else "",
            "query": route.exp.whole,
            "httpMethod": route.method,
            "ref": handler.ref if type(handler) is JsFunction else None,
            "label": route.label,
            "location": route.location,
        }
        if route.exp.decodes:
            told |= {"decodes": True, "params": route.exp.params, "captures": read_captures(captures)}
        return json.dumps(told)


_NO_HITS: frozenset[int] = frozenset()


def read_hits(numbers: str) -> frozenset[int]:
    """The routes whose RegExps have matched, which only the page can tell."""
    return frozenset(map(int, numbers.split(","))) if numbers else _NO_HITS


def read_captures(captures: Captures) -> list[Any]:
    """Captures as the bridge is told of them. One that cannot be decoded is a text of a kind of its own."""
    return [capture if capture is None or type(capture) is str else {"undecodable": capture} for capture in captures]
