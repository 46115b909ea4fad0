"""Handlers in Barefoot's manner: they do not return, they call `success` or `error`, at once or later.

    api = APIAdapter()

    @api.get("/contacts/:id")
    def read_contact(success, error, id):
        success(contacts[id]) if id in contacts else error(NotFound(f"no contact {id}"))

A callback takes `success, error`, then what the expression captures, then the data and, if the url has one, the query.
A list of them is a stack: `success` goes on to the next one, `error` ends it, and the last one's result counts.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from _thread import RLock
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from fauxserver.context import Context
from fauxserver.dispatch import tell
from fauxserver.errors import HandlerError, HTTPError, RouteError
from fauxserver.handlers import Invoke, Manner, awaits, capture, label, named, parameters_of, take_by_name
from fauxserver.messages import Response
from fauxserver.server import FauxServer, nothing
from fauxserver.urlexp import Captures

# --- Errors -------------------------------------------------------------------------------------------------------


class APIError(Exception):
    """An error with a status of its own; `create_error` makes kinds of it."""

    http_status_code = 500
    title = "Error"

    def __str__(self) -> str:
        said = super().__str__()
        return f"{self.title}: {said}" if said else self.title


def create_error(http_status_code: int, name: str) -> type[APIError]:
    """A kind of exception that fails a request with this status.

    >>> Taken = create_error(409, "Taken")
    >>> str(Taken("by somebody else")), Taken.http_status_code
    ('Taken: by somebody else', 409)
    """
    if (
        isinstance(http_status_code, bool)
        or not isinstance(http_status_code, int)
        or not 400 <= http_status_code <= 599
    ):
        raise RouteError(
            f"create_error: {http_status_code!r} is no status of an error. Give a number from 400 to 599, as in "
            'create_error(404, "Not Found").'
        )
    kind = "".join(letter for letter in name if letter.isalnum() or letter == "_") or "Error"
    return type(kind, (APIError,), {"http_status_code": http_status_code, "title": name, "__module__": __name__})


NotFound = create_error(404, "Not Found")

# --- What a callback is given -------------------------------------------------------------------------------------


_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")


class Req:
    """The request, as Express names its parts. What else one callback of a stack puts on it, the next one finds."""

    def __init__(self, call: Call) -> None:
        self.method = call.http_method
        # Express knows no origin, and no url has one locally.
        self.url = _ORIGIN.sub("", call.url)
        self.path = self.url.partition("#")[0].partition("?")[0]
        self.headers = call.headers
        self.params = call.params
        self.query = call.query
        self.body = call.data


class Res:
    """What goes along with the answer: `status`, where `success` is not told one, and `headers`."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}

    def set(self, name: str, value: str) -> Res:
        """Set a header."""
        self.headers[name] = value
        return self


class Call(Context):
    """What a callback with a parameter `context` is given: a context with `app`, `req` and `res`."""

    __slots__ = ("_req", "app", "res")

    def __init__(self, context: Context, app: Any) -> None:
        super().__init__(context.request, context._route, context.captures, context.data)
        self._data = context.data
        self.app = app
        self.res = Res()
        self._req: Req | None = None

    @property
    def req(self) -> Req:
        """The request, in Express's words."""
        if self._req is None:
            self._req = Req(self)
        return self._req


# --- The handler --------------------------------------------------------------------------------------------------

Step: TypeAlias = "Callable[[Call, Any, Any], Any]"


class Callbacks(Manner):
    """A handler that is made of one callback, or of a stack of them."""

    def __init__(self, steps: Sequence[Callable[..., Any]], app: Any = None, collapse: bool = False) -> None:
        for step in steps:
            if not callable(step):
                raise RouteError(f"The callbacks of a route are functions, and {step!r} is none.")
        self.steps = list(steps)
        self.app = app
        self.collapse = collapse
        self.func = self.steps[-1] if self.steps else None
        self.__name__ = ", ".join(label(step) for step in self.steps) or "no callback"

    def __call__(self, *args: Any, **more: Any) -> Any:
        """Call the callback itself, the last one of a stack."""
        return self.func(*args, **more) if self.func else None

    def caller(self, params: Captures, route: str) -> Invoke:
        """As `handlers.caller`."""
        steps = [_collapsing(step) if self.collapse else _step(step, params) for step in self.steps]

        def invoke(context: Context) -> Any:
            call = Call(context, self.app)
            last: _Success | None = None
            for at, step in enumerate(steps):
                outcome = _Outcome(self.steps[at], route)
                result = _begin(step, call, outcome)
                if awaits(result) or outcome.result is None:
                    return rest(call, result, outcome, at)
                last = outcome.read()
            return _respond(call, last)

        async def rest(call: Call, result: Any, outcome: _Outcome, at: int) -> Any:
            last = await _end(result, outcome)
            for number in range(at + 1, len(steps)):
                outcome = _Outcome(self.steps[number], route)
                last = await _end(_begin(steps[number], call, outcome), outcome)
            return _respond(call, last)

        return invoke


def callback(*steps: Callable[..., Any], app: Any = None) -> Callbacks:
    """Make a handler of one callback, or of several in a row, for any server. A decorator, too.

    >>> from fauxserver import FauxServer
    >>> server = FauxServer().get("books/:id", callback(lambda success, error, id: success({"id": id}, 201)))
    >>> response = server.dispatch("GET", "books/7")
    >>> response.status, response.body
    (201, {'id': '7'})
    """
    return Callbacks(steps, app)


def _step(function: Callable[..., Any], params: Captures) -> Step:
    """Calls *function* with what it takes: by name if its name says it, otherwise in order."""
    try:
        parameters = parameters_of(function)
    except (TypeError, ValueError):  # Some builtins do not tell.
        return lambda call, success, error: function(*_arguments(call, success, error))
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return lambda call, success, error: function(*_arguments(call, success, error))
    by_name, left = take_by_name(parameters, named(params), len(params))
    names = {parameter.name for parameter in parameters}
    order: list[Any] = [word for word in ("success", "error") if word not in names]
    order += left
    order += [word for word in ("data", "query") if word not in names]
    positional: list[Any] = []
    keyword: dict[str, Any] = {}
    for parameter in parameters:
        take: Any = None
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.name in by_name:
            take = by_name[parameter.name]
        elif parameter.name in ("success", "error"):
            take = parameter.name
        elif parameter.kind is not parameter.KEYWORD_ONLY and order:
            at = order.pop(0)
            take = capture(at, parameter) if isinstance(at, int) else _DATA.get(at, at)
        elif parameter.default is not parameter.empty:
            take = _constant(parameter.default)
        else:
            # As in JavaScript, what is not there is nothing.
            take = _constant(None)
        if parameter.kind is parameter.KEYWORD_ONLY:
            keyword[parameter.name] = take
        else:
            positional.append(take)

    def step(call: Call, success: Any, error: Any) -> Any:
        given = {"success": success, "error": error}
        return function(
            *[given[take] if isinstance(take, str) else take(call) for take in positional],
            **{name: given[take] if isinstance(take, str) else take(call) for name, take in keyword.items()},
        )

    return step


_DATA: dict[str, Callable[[Context], Any]] = {
    "data": lambda context: context.data,
    "query": lambda context: context.query,
}


def _constant(value: Any) -> Callable[[Context], Any]:
    return lambda context: value


def _arguments(call: Call, success: Any, error: Any) -> list[Any]:
    """All arguments in order."""
    return [success, error, *call.captures, call.data, *([call.query] if call.query else [])]


def _collapsing(function: Callable[..., Any]) -> Step:
    """Calls *function* as the original did: a value that was there already is left out, and a list is its values."""

    def step(call: Call, success: Any, error: Any) -> Any:
        given: list[Any] = []
        for argument in _arguments(call, success, error):
            for value in argument if isinstance(argument, list) else [argument]:
                if not any(value is other or (type(value) is type(other) and value == other) for other in given):
                    given.append(value)
        try:
            size = len(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            size = len(given)
        return function(*given[:size], *[None] * (size - len(given)))

    return step


# --- What it comes to ---------------------------------------------------------------------------------------------


class _Success:
    __slots__ = ("status", "value")

    def __init__(self, value: Any, status: Any) -> None:
        self.value = value
        self.status = status


class _Outcome:
    """What a callback comes to; whoever awaits it waits for that. What comes first counts."""

    __slots__ = ("_callback", "_lock", "_route", "_waiter", "result")

    def __init__(self, callback: Any, route: str) -> None:
        self._callback = callback
        self._route = route
        # Of a kind that its holder may take again: the garbage collector may find, just then, that it is abandoned.
        self._lock = RLock()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None = None
        self.result: _Success | BaseException | None = None

    def settle(self, result: _Success | BaseException) -> None:
        """Called from any thread."""
        with self._lock:
            if self.result is not None:
                return
            self.result = result
            waiter = self._waiter
        if waiter is None:
            return
        loop, future = waiter
        if asyncio._get_running_loop() is loop:
            _wake(future)
        else:
            # A loop that is closed meanwhile has nobody waiting.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_wake, future)

    def abandon(self) -> None:
        """Nobody is left who could settle it."""
        if self.result is None:
            self.settle(
                HandlerError(
                    f"{label(self._callback)}, which answers {self._route}, has called neither success nor error, and "
                    "nobody is left who could. Call one of the two, always.",
                    self._route,
                )
            )

    def read(self) -> _Success:
        """The success; a failure is raised."""
        result = self.result
        if isinstance(result, _Success):
            return result
        assert result is not None
        raise result

    def __await__(self) -> Generator[Any, None, None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._waiter = (loop, future)
            settled = self.result is not None
        if not settled:
            yield from future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class _Handle:
    """What `success` and `error` hold together: when both are gone, nobody can call them."""

    __slots__ = ("outcome",)

    def __init__(self, outcome: _Outcome) -> None:
        self.outcome = outcome

    def __del__(self) -> None:
        self.outcome.abandon()


def _begin(step: Step, call: Call, outcome: _Outcome) -> Any:
    """Call a callback. It holds what settles the outcome, and we do not."""
    handle = _Handle(outcome)

    def success(result: Any = None, status: Any = None) -> None:
        handle.outcome.settle(_Success(result, status))

    def error(reason: Any = None) -> None:
        handle.outcome.settle(_failure(reason))

    return step(call, success, error)


async def _end(result: Any, outcome: _Outcome) -> _Success:
    if awaits(result):
        await result
        # A coroutine that is over lets go of what it was given.
        result = None
    await outcome
    return outcome.read()


def _failure(reason: Any) -> BaseException:
    """The exception that says the same."""
    if isinstance(reason, BaseException):
        return reason
    if isinstance(reason, type) and issubclass(reason, BaseException):
        return reason()
    if isinstance(reason, Mapping):
        status = reason.get("http_status_code", reason.get("httpStatusCode"))
        return HTTPError(status if type(status) is int and 400 <= status <= 599 else 500, reason)
    return HTTPError(500, reason)


def _respond(call: Call, success: _Success | None) -> Any:
    """What the last callback of a stack was successful with, as a handler returns it."""
    value, status = (success.value, success.status) if success else (None, None)
    headers = call.res.headers
    if isinstance(value, Response):
        value.headers = {**headers, **value.headers}
        return value
    # Not as it is: a text would be a failure.
    return Response(value, call.res.status if status is None else status, headers)


# --- The adapter --------------------------------------------------------------------------------------------------


def _verb(method: str) -> Callable[..., Any]:
    def add(self: FauxServer, url_exp: Any, handler: Any = None, *, name: str | None = None) -> Any:
        return self.add_route(url_exp, handler, method=method, name=name)

    add.__name__ = method.lower().replace("-", "_")
    add.__doc__ = f"Add a route for {method}; see `add_route`."
    return add


class APIAdapter(FauxServer):
    """A server in Barefoot's manner: callbacks, Express's expressions, and the first route that matches answers.

    >>> api = APIAdapter()
    >>> api.get("/contacts/:id", lambda success, error, id: success({"id": id}))
    <APIAdapter with 1 routes>
    >>> api.dispatch("GET", "/contacts/7").body
    {'id': '7'}

    *app* is `context.app` in the callbacks; without one it is the adapter. The same expression with the same method
    replaces a route. With *collapse*, arguments are what the original made of them: equal ones are given once.
    """

    def __init__(
        self,
        app: Any = None,
        base: str | None = None,
        *,
        expressions: Any = "express",
        precedence: str = "first",
        collapse: bool = False,
        time_limit: float | None = None,
        journal_size: int = 1000,
    ) -> None:
        super().__init__(
            base, expressions=expressions, precedence=precedence, time_limit=time_limit, journal_size=journal_size
        )
        self.app = self if app is None else app
        self.collapse = collapse

    def __repr__(self) -> str:
        return f"<APIAdapter with {len(self)} routes>"

    def add_route(self, url_exp: Any, handler: Any = None, *, method: str | None = "*", name: str | None = None) -> Any:
        """As `FauxServer.add_route`; or several, from a dict whose keys are expressions and whose values callbacks."""
        if not isinstance(url_exp, Mapping):
            return super().add_route(url_exp, handler, method=method, name=name)
        for each, step in url_exp.items():
            super().add_route(each, step, method=method)
        return self

    def _add(self, url_exp: Any, handler: Any, method: str | None, name: str | None, place: Any) -> None:
        if handler is nothing:
            handler = []
        if isinstance(handler, list) and not any(not callable(step) for step in handler):
            handler = Callbacks(handler, self.app, self.collapse)
        elif callable(handler) and not isinstance(handler, Manner):
            handler = Callbacks([handler], self.app, self.collapse)
        super()._add(url_exp, handler, method, name or f"{str(method or '*').upper()} {url_exp}", place)

    def dispatch_local_api_call(
        self, http_method: str, url: str, data: Any = None, options: Mapping[str, Any] | None = None
    ) -> None:
        """`dispatch` as the original has it: *options* has `success` and `error`; what is missing is logged."""
        given = options or {}
        response = self.dispatch(http_method, url, data)
        tell(response, f"{http_method.upper()} {url}", given.get("success"), given.get("error"))

    # Express has one for each of the methods that Node knows.
    checkout = _verb("CHECKOUT")
    connect = _verb("CONNECT")
    copy = _verb("COPY")
    head = _verb("HEAD")
    lock = _verb("LOCK")
    m_search = _verb("M-SEARCH")
    merge = _verb("MERGE")
    mkactivity = _verb("MKACTIVITY")
    mkcol = _verb("MKCOL")
    move = _verb("MOVE")
    notify = _verb("NOTIFY")
    options = _verb("OPTIONS")
    propfind = _verb("PROPFIND")
    proppatch = _verb("PROPPATCH")
    report = _verb("REPORT")
    search = _verb("SEARCH")
    subscribe = _verb("SUBSCRIBE")
    trace = _verb("TRACE")
    unlock = _verb("UNLOCK")
    unsubscribe = _verb("UNSUBSCRIBE")
