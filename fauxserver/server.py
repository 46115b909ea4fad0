"""`FauxServer`: the spine; everything else is a word in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from fauxserver.errors import RouteError
from fauxserver.exchange import Exchange
from fauxserver.guard import Watchdog
from fauxserver.handlers import caller, label
from fauxserver.journal import Journal
from fauxserver.latency import latency as latency_of
from fauxserver.messages import Request, Response
from fauxserver.routes import Match, Route, RouteInfo, RouteTable, at_home, in_reach
from fauxserver.unmatched import Rule, is_asset, judge, read_rule
from fauxserver.urlexp import UrlExp

if TYPE_CHECKING:
    import re

    from fauxserver.explanation import Explanation
    from fauxserver.routefile import RouteFile

    Expression = str | re.Pattern[str] | list[str]
    Grammar = Callable[..., UrlExp]
    Guard = Callable[[float], AbstractContextManager[Any]]

F = TypeVar("F", bound=Callable[..., Any])


class FauxServer:
    """A REST server that lives where its clients live.

    >>> import asyncio
    >>> server = FauxServer()
    >>> @server.get("books/:id")
    ... def read_book(id: int):
    ...     return {"id": id, "title": "Nine Stories"}
    >>> asyncio.run(server.handle(Request("GET", "books/7"))).body
    {'id': 7, 'title': 'Nine Stories'}

    *base* is the address it stands for (`"https://api.example.com/v1"`): its expressions are tried below that address.
    *time_limit* is how long a handler may run at a stretch, in milliseconds; the journal holds *journal_size* requests.
    *expressions* is the grammar of its url expressions: `"backbone"`, `"express"`, or `Express(sensitive=True)`. With
    *precedence* `"first"`, of several routes that match the one added first wins, instead of the `"latest"`.
    """

    routes: RouteTable

    def __new__(cls, *args: Any, **options: Any) -> FauxServer:
        # A route file that is run again gets its servers back, blank, so that whoever holds one holds the new one.
        made = _nursery.make(cls, sys._getframe(1)) if _nursery else None
        return made or super().__new__(cls)

    def __init__(
        self,
        base: str | None = None,
        *,
        time_limit: float | None = None,
        journal_size: int = 1000,
        expressions: str | Grammar = "backbone",
        precedence: str = "latest",
    ) -> None:
        self.read_expression = _grammar(expressions)
        """Makes an `UrlExp` of an expression."""
        if precedence not in ("latest", "first"):
            raise RouteError(f'FauxServer: precedence={precedence!r} is none. Give "latest" or "first".')
        if not hasattr(self, "routes"):
            self.routes = RouteTable(self)
            self.on_change: Callable[[], None] | None = None
            """A host's: called when routes, `enabled` or the transport change."""
            self.guard: Guard = _watchdog
            """A host's: the context manager that stops a handler after so many milliseconds."""
            self.guarded: float | None = None
            """A host's: the time limit that it sees to itself at the moment, without that context manager."""
            self.watched: float | None = None
            """A host's: the time limit that it sees to wherever Python runs."""
            self.mend: Callable[[], list[str]] = list
            """A host's: called when a handler has failed, to put back what it had replaced of Python."""
            self.keyboard = True
            """A host's: whether somebody may press Ctrl-C."""
            self.generation = 0
            self.awaiting: set[Exchange] = set()
            self.files: dict[RouteFile, None] = {}
            """The route files that have it among their globals."""
            self.routes.on_change = self._changed
            self.journal = Journal(journal_size)
            self.default_time_limit: float | None = None
            """A host's: the time limit where nobody has set one."""
        self.routes.first = precedence == "first"
        self._numbers = count(1)
        self._ready: _State | None = None
        self._restore(_State({}, None, base, None, None, None, time_limit, ()))

    def __repr__(self) -> str:
        return f"<FauxServer with {len(self)} routes>"

    def __len__(self) -> int:
        """How many routes it has, with those of included servers."""
        return len(self.routes.rows())

    def __bool__(self) -> bool:
        return True  # Also while it has no routes.

    # Routes

    def add_route(
        self, url_exp: Expression, handler: Any = None, *, method: str | None = "*", name: str | None = None
    ) -> Any:
        """Answer requests whose url matches *url_exp* and whose method is *method* (`"*"`: any) with *handler*.

        A handler is a function, a list of functions (each in turn, the last one's result counts), or a value to
        answer with. Without one this is a decorator. A route replaces an earlier one of the same *name*, in its place.

        >>> server = FauxServer()
        >>> server.add_route("motto", {"text": "read more"}, name="motto").get_route("motto").http_method
        '*'
        """
        if handler is None:

            def decorate(function: F) -> F:
                self._add(url_exp, function, method, name, place)
                return function

            place = _place(sys._getframe(1))
            return decorate
        self._add(url_exp, handler, method, name, _place(sys._getframe(1)))
        return self

    @overload
    def get(self, url_exp: Expression, handler: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    @overload
    def get(self, url_exp: Expression, handler: Any, *, name: str | None = None) -> FauxServer: ...
    def get(self, url_exp: Expression, handler: Any = None, *, name: str | None = None) -> Any:
        """Add a route for GET; see `add_route`."""
        return self.add_route(url_exp, handler, method="GET", name=name)

    @overload
    def post(self, url_exp: Expression, handler: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    @overload
    def post(self, url_exp: Expression, handler: Any, *, name: str | None = None) -> FauxServer: ...
    def post(self, url_exp: Expression, handler: Any = None, *, name: str | None = None) -> Any:
        """Add a route for POST; see `add_route`."""
        return self.add_route(url_exp, handler, method="POST", name=name)

    @overload
    def put(self, url_exp: Expression, handler: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    @overload
    def put(self, url_exp: Expression, handler: Any, *, name: str | None = None) -> FauxServer: ...
    def put(self, url_exp: Expression, handler: Any = None, *, name: str | None = None) -> Any:
        """Add a route for PUT; see `add_route`."""
        return self.add_route(url_exp, handler, method="PUT", name=name)

    @overload
    def patch(self, url_exp: Expression, handler: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    @overload
    def patch(self, url_exp: Expression, handler: Any, *, name: str | None = None) -> FauxServer: ...
    def patch(self, url_exp: Expression, handler: Any = None, *, name: str | None = None) -> Any:
        """Add a route for PATCH; see `add_route`."""
        return self.add_route(url_exp, handler, method="PATCH", name=name)

    @overload
    def delete(self, url_exp: Expression, handler: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    @overload
    def delete(self, url_exp: Expression, handler: Any, *, name: str | None = None) -> FauxServer: ...
    def delete(self, url_exp: Expression, handler: Any = None, *, name: str | None = None) -> Any:
        """Add a route for DELETE; see `add_route`."""
        return self.add_route(url_exp, handler, method="DELETE", name=name)

    def add_routes(self, routes: Any = None) -> FauxServer:
        """Add several: a list of dicts, or a dict of them whose keys are the routes' names.

        Each has `url_exp`, and may have `http_method`, `handler` (without one it answers with nothing) and, in a
        list, `name`.

        >>> FauxServer().add_routes({"list": {"url_exp": "books", "http_method": "GET", "handler": []}})
        <FauxServer with 1 routes>
        """
        if isinstance(routes, Mapping):
            entries = [(name, entry) for name, entry in routes.items()]
        else:
            entries = [(entry.get("name") if isinstance(entry, Mapping) else None, entry) for entry in routes or ()]
        for name, entry in entries:
            if not isinstance(entry, Mapping) or "url_exp" not in entry:
                raise RouteError(f"add_routes: {entry!r} is no route. Give a dict with 'url_exp'.", name)
            unknown = set(entry) - {"url_exp", "http_method", "handler", "name"}
            if unknown:
                raise RouteError(
                    f"add_routes: {sorted(unknown)[0]!r} in the route {entry['url_exp']!r} means nothing. "
                    "A route has url_exp, http_method, handler and name.",
                    name,
                )
            handler = entry.get("handler")
            self._add(
                entry["url_exp"],
                nothing if handler is None else handler,
                entry.get("http_method"),
                name,
                _place(sys._getframe(1)),
            )
        return self

    def add_page_route(
        self,
        url_exp: Expression | UrlExp,
        handler: Any = None,
        *,
        method: str = "*",
        name: str | None = None,
        label: str = "",
        file: str = "",
        line: int = 0,
    ) -> Route:
        """A host's: add a route whose handler only the page can call; here it is kept as it is, and never called."""
        exp = url_exp if isinstance(url_exp, UrlExp) else self.read_expression(url_exp)
        method = _method(method)
        route = Route(self._name(name, method, exp), exp, method, handler, label=label, file=file, line=line)
        return self.routes.add(route)

    def _add(
        self, url_exp: Expression, handler: Any, method: str | None, name: str | None, place: tuple[str, int, bool]
    ) -> None:
        exp = self.read_expression(url_exp)
        method = _method(method)
        file, line, of_module = place
        invoke = caller(handler, exp.params, f"{method} {exp}")
        if exp.decodes:
            from fauxserver.expressexp import checked

            invoke = checked(invoke)
        self.routes.add(
            Route(
                self._name(name, method, exp),
                exp,
                method,
                handler,
                invoke=invoke,
                label=label(handler),
                file=file,
                line=line,
                of_module=of_module,
            )
        )

    def _name(self, name: str | None, method: str, exp: UrlExp) -> str:
        return name or f"{method}_{exp.js_text}_{next(self._numbers)}"

    def remove_route(self, name: str) -> FauxServer:
        """Remove the route of that name, if there is one."""
        self.routes.remove(name)
        return self

    def remove_routes(self) -> FauxServer:
        """Remove all routes, and let go of included servers."""
        self.routes.clear()
        return self

    def get_route(self, name: str) -> RouteInfo | None:
        """A copy of the route of that name."""
        route = self.routes.get(name)
        return route.info() if route else None

    def get_route_at(self, index: int) -> RouteInfo | None:
        """A copy of the route at that position, in the order in which they were added."""
        route = self.routes.at(index)
        return route.info() if route else None

    def get_matching_route(self, url: str, method: str | None = None) -> RouteInfo | None:
        """A copy of the route that would answer, with what it captures as `handler_params`.

        >>> FauxServer().get("books/:id", {}).get_matching_route("books/7", "GET").handler_params
        ('7',)
        """
        match = self.routes.match(Request(_method(method), url))
        return match.route.info(match.params) if match else None

    def include(self, server: FauxServer) -> FauxServer:
        """Let the routes of *server* stand here as a block, those it gets later, too.

        Its latency, default handler, time limit and `enable` apply to them, unless this server has set that one itself.
        """
        if not isinstance(server, FauxServer):
            raise RouteError(f"include: {server!r} is no FauxServer.")
        if any(inner is self for inner in server._family()):
            raise RouteError("include: a server cannot include itself, or one that includes it.")
        self.routes.include(server.routes)
        return self

    def exclude(self, server: FauxServer) -> FauxServer:
        """Let go of an included server."""
        self.routes.exclude(server.routes)
        return self

    def replace(self, old_server: FauxServer, new_server: FauxServer) -> FauxServer:
        """Put *new_server* where *old_server* was included."""
        if not self.routes.replace(old_server.routes, new_server.routes):
            raise RouteError("replace: the old server is not included here. Use include.")
        return self

    def _family(self) -> Iterator[FauxServer]:
        """This server and those it includes."""
        yield self
        for table in self.routes.tables():
            yield from table.owner._family()

    # How it answers

    def set_default_handler(self, handler: Any = None) -> FauxServer:
        """Answer what no route matches with *handler*; without one, such requests are not ours."""
        self._default: Route | None = None
        if handler is not None:
            file, line, _ = _place(sys._getframe(1))
            invoke = caller(handler, (), "no route (the default handler)")
            self._default = Route(
                "", UrlExp(""), "*", handler, invoke=invoke, label=label(handler), file=file, line=line
            )
        self._changed()
        return self

    def set_page_default(self, handler: Any, *, label: str = "", file: str = "", line: int = 0) -> Route:
        """A host's: `set_default_handler`, for a handler that only the page can call."""
        self._default = Route("", UrlExp(""), "*", handler, label=label, file=file, line=line)
        self._changed()
        return self._default

    def set_latency(self, minimum: Any = 0, maximum: Any = None) -> FauxServer:
        """Wait so many milliseconds before each answer, or a random time between two limits.

        Or as many as a function says, which is called with what the handler gets. With None, an included server's own
        latency applies again.
        """
        self.latency: Any = None if minimum is maximum is None else latency_of(minimum, maximum)
        return self

    def set_transport_factory(self, factory: Callable[..., Any] | None = None) -> FauxServer:
        """Make the transports of the page's syncs with *factory*; without one, in the usual way."""
        self.transport_factory = factory
        self._changed()
        return self

    def set_unmatched(self, *policy: Any) -> FauxServer:
        """Say what becomes of requests that no route matches, where there is a network: in a page.

        `set_unmatched("error")`, or for urls below a prefix `set_unmatched("api/", "error")`. `"bypass"`: they go to
        the network in silence; `"warn"`: the console says so, and which routes are near; `"error"`: they fail. Or a
        function of the request that returns one of these, or None for what would be without it. The longest prefix
        counts, and None takes a policy back. Without any, a fetch or an XHR is warned of if its path begins as a
        route's does; parts of the page (`.js`, `.css`, images …) only where a prefix or a function says so.

        >>> server = FauxServer().set_unmatched("error").set_unmatched("live/", "bypass")
        >>> [server.unmatched(Request("GET", url)) for url in ("books/7", "live/news", "main.css")]
        ['error', 'bypass', 'bypass']
        """
        rule = read_rule(policy)
        others = [other for other in self.rules if other.prefix != rule.prefix]
        self.rules: tuple[Rule, ...] = (*others, rule) if rule.policy is not None else tuple(others)
        # Those who include it shall know.
        self.routes.changed()
        return self

    def enable(self, flag: Any = True) -> FauxServer:
        """Answer requests, or leave them all to the real server."""
        self.routes.enabled = bool(flag)
        self.routes.changed()
        return self

    @property
    def enabled(self) -> bool:
        """Whether it answers at all."""
        return self.routes.enabled is not False

    @property
    def base(self) -> str | None:
        """The address that it stands for."""
        return self.routes.base

    @base.setter
    def base(self, base: str | None) -> None:
        self.routes.base = base
        self.routes.changed()

    def _changed(self) -> None:
        self._ruled: list[FauxServer] | None = None
        """Of this server and those it includes, who has a policy for unmatched requests; found when it is needed."""
        if self.on_change:
            self.on_change()

    # A request's journey

    def accept(self, request: Request) -> Exchange | None:
        """Take a request on: fix who answers it, and how. `None` means it is not ours."""
        if self.routes.enabled is False:
            return None
        if not request.method.isupper():
            request = request._replace(method=request.method.upper())
        request, match = self._find(request)
        if match is None:
            return None
        if self._ready is None:
            self.ready()
        return Exchange(self, request, *match)

    async def handle(self, request: Request) -> Response | None:
        """Accept a request, wait as long as the latency says, and answer. `None` means it is not ours.

        >>> import asyncio
        >>> asyncio.run(FauxServer().handle(Request("GET", "books"))) is None
        True
        """
        exchange = self.accept(request)
        return None if exchange is None else await exchange.settle()

    def dispatch(
        self,
        method: str,
        url: str,
        data: Any = None,
        *,
        success: Callable[..., Any] | None = None,
        error: Callable[..., Any] | None = None,
    ) -> Response:
        """Call a route from this program: no latency, the url matched as it is given, and the answer is there at once.

        *success* or *error*, if one is given, is called with the body and the status. What no route matches is a 404.
        An `async def` handler is run to its end, where no event loop is running.

        >>> FauxServer().get("books/:id", lambda id: {"id": id}).dispatch("GET", "books/7").body
        {'id': '7'}
        """
        from fauxserver.dispatch import dispatch, tell

        request = Request(_method(method), url, data)
        response = dispatch(self, request)
        if success is not None or error is not None:
            tell(response, f"{request.method} {url}", success, error)
        return response

    def explain(self, request: Request) -> Explanation:
        """Say why a request is not answered, and which routes nearly match it.

        >>> server = FauxServer().get("books/:id", {})
        >>> print(server.explain(Request("POST", "books/7")).nearest[0].why)
        answers GET, not POST
        """
        from fauxserver.explanation import Explanation, nearest

        request = request._replace(method=request.method.upper())
        if not self.enabled:
            return Explanation(request.method, request.url, "is not answered here. The server is disabled.")
        _, match = self._find(request)
        if match is not None:
            by = str(match.route) if match.route.name else "the default handler"
            where = f" ({match.route.location})" if match.route.location else ""
            return Explanation(request.method, request.url, f"is answered by {by}{where}.")
        bare = all(owner._default is None for owner in self._family())
        reason = f"is not answered here. No route matches it{', and there is no default handler' * bare}."
        return Explanation(request.method, request.url, reason, nearest(self.routes, request))

    def unmatched(self, request: Request, door: str = "fetch") -> str:
        """What becomes of a request that no route matches: `"bypass"`, `"warn"` or `"error"`.

        *door* is how it came; `"sync"`, Backbone's, is not warned of if nobody has said so.
        """
        for rule in self.rules_for(request):
            word = judge(rule.policy, request)
            if word is not None:
                return word
        return self.default_policy(request, door)

    def rules_for(self, request: Request) -> list[Rule]:
        """The policies that apply to a request, the one that counts most first."""
        if self._ruled is None:
            self._ruled = [owner for owner in self._family() if owner.rules]
        if not self._ruled:
            return []
        rules = [
            rule
            for owner in self._ruled
            if (owner is self or owner.enabled or self.routes.enabled) and in_reach(request, owner.base)
            for rule in owner.rules
            if rule.meets(request, owner.base or self.base)
        ]
        if is_asset(request.url):
            # Only who speaks of such urls means them.
            rules = [rule for rule in rules if rule.prefix is not None or callable(rule.policy)]
        return sorted(rules, key=lambda rule: -1 if rule.prefix is None else len(rule.prefix), reverse=True)

    def default_policy(self, request: Request, door: str) -> str:
        """What becomes of it if nobody has said anything."""
        if door == "sync" or not self.routes.shares_segment(request) or is_asset(request.url):
            return "bypass"
        return "warn"

    def _find(self, request: Request) -> tuple[Request, Match | None]:
        """Who answers a request, and the request as it is answered."""
        match = self.routes.match(request)
        # Over HTTP, whoever answers GET answers HEAD.
        if request.method == "HEAD" and request.base is not None and (match is None or match.route.method != "HEAD"):
            request = request._replace(method="GET")
            match = self.routes.match(request)
        return request, match or self._match_default(request)

    def _match_default(self, request: Request) -> Match | None:
        if self._default is not None and at_home(request, self.routes.base):
            return Match(self._default, (), (self,))
        tables = self.routes.tables()
        for table in tables if self.routes.first else reversed(tables):
            if self.routes.lets(table) and in_reach(request, table.base):
                found = table.owner._match_default(request)
                if found:
                    return Match(found.route, (), (self, *found.owners))
        return None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Be an ASGI application."""
        from fauxserver.hosts.asgi import serve

        await serve(self, scope, receive, send)

    # Back to the beginning

    def ready(self) -> FauxServer:
        """Say that all is set up: to this `reset` comes back; if nobody says so, to what the first request finds."""
        for server in self._family():
            server._ready = server._save()
        # What there is to warn of is said now.
        self.routes.prepare()
        return self

    def reset(self) -> FauxServer:
        """Be again as when `ready`: routes, settings, an empty journal; and the route files are run again.

        Requests that are on their way are dropped.
        """
        if self._ready is None:
            self.ready()
        before = [(server, server._save(), server._ready) for server in self._family()]
        try:
            self._restore_ready()
            files = {file: None for server in self._family() for file in server.files}
            for file in files:
                file.reset(tuple(other.path for other in files if other is not file))
        except BaseException:
            for server, state, ready in before:
                server._restore(state)
                server._ready = ready
            raise
        for server in list(self._family()):
            server.generation += 1
            server.journal.clear()
            for exchange in list(server.awaiting):
                exchange.drop()
            server._numbers = count(1)
        return self

    def _restore_ready(self) -> None:
        if self._ready is not None:
            self._restore(self._ready)
        for table in self.routes.tables():
            table.owner._restore_ready()

    def _save(self) -> _State:
        return _State(
            self.routes.save(),
            self.routes.enabled,
            self.routes.base,
            self.latency,
            self._default,
            self.transport_factory,
            self.time_limit,
            self.rules,
        )

    def _restore(self, state: _State) -> None:
        self.routes.enabled = state.enabled
        self.routes.base = state.base
        self.latency = state.latency
        self._default = state.default
        self.transport_factory = state.transport_factory
        self.time_limit: float | None = state.time_limit
        self.rules = state.rules
        self.routes.restore(state.items)

    def _add_back(self, after: _State, ready: _State, others: tuple[str, ...]) -> None:
        """What was added or set between *after* (its file had run) and *ready*, add or set again."""
        known = set(map(id, after.items.values()))
        for item in ready.items.values():
            if id(item) in known:
                continue
            if isinstance(item, RouteTable):
                self.routes.include(item)
            elif item.file not in others:
                self.routes.add(item)
        now = self._save()
        changed = {
            name: value
            for name, value in ready._asdict().items()
            if name != "items" and value is not getattr(after, name)
        }
        self._restore(now._replace(**changed))


class _State(NamedTuple):
    """What a server is made of, but for its journal."""

    items: dict[int, Any]
    enabled: bool | None
    base: str | None
    latency: Any
    default: Route | None
    transport_factory: Callable[..., Any] | None
    time_limit: float | None
    rules: tuple[Rule, ...]


# --- Where things come from ---------------------------------------------------------------------------------------


def _grammar(expressions: Any) -> Grammar:
    if expressions == "backbone":
        return UrlExp
    if expressions == "express":
        from fauxserver.expressexp import Express

        expressions = Express()
    if callable(expressions):
        return expressions  # type: ignore[no-any-return]
    raise RouteError(
        f"FauxServer: expressions={expressions!r} is no grammar. "
        'Give "backbone", "express", or Express(sensitive=True).'
    )


def nothing() -> None:
    """The handler of a route that was given none."""


def _watchdog(limit: float) -> AbstractContextManager[Any]:
    return Watchdog(limit)


def _method(method: Any) -> str:
    if method is None:
        return "*"
    if not isinstance(method, str) or not method or not method.isascii() or any(c.isspace() for c in method):
        raise RouteError(f"{method!r} is no HTTP method. Give a verb such as 'GET', or '*' for any.")
    return method.upper()


def _place(frame: FrameType | None) -> tuple[str, int, bool]:
    """The file and line that called us, and whether that was while its module was read."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fauxserver":
        frame = frame.f_back
    if frame is None:
        return "", 0, False
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name == "<module>"


# --- Servers of a route file that is run again --------------------------------------------------------------------


class Nursery:
    """The servers that a module makes while it runs, in order; those it made the last time are used again."""

    def __init__(self, namespace: dict[str, Any], old: list[FauxServer]) -> None:
        self.namespace = namespace
        self.old = list(old)
        self.made: list[FauxServer] = []

    def make(self, kind: type[FauxServer], frame: FrameType) -> FauxServer | None:
        """The server that *frame* is about to get, if it is the module's."""
        if frame.f_globals is not self.namespace:
            return None
        at = len(self.made)
        server = self.old[at] if at < len(self.old) and type(self.old[at]) is kind else object.__new__(kind)
        self.made.append(server)
        return server


_nursery: Nursery | None = None


@contextmanager
def nursery(namespace: dict[str, Any], old: list[FauxServer]) -> Iterator[Nursery]:
    """Take care of the servers that the module with this *namespace* makes meanwhile."""
    global _nursery
    outer, _nursery = _nursery, Nursery(namespace, old)
    try:
        yield _nursery
    finally:
        _nursery = outer
