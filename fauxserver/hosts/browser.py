"""The page: what its bridge (`js/bridge.js`) calls, and nothing but numbers and texts go over.

A request crosses twice at most: `accept` says whether it is ours and who answers, `answer` calls the handler. Handlers
written in JavaScript stay on their side; here they are rows like any other, and `done` tells how they ended.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import linecache
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from itertools import count
from types import SimpleNamespace
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from fauxserver.errors import FauxServerError, RouteError, RouteFileError, TimeLimitError, UrlExpError
from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped
from fauxserver.handlers import awaits, label, raised_by_us, traceback_of
from fauxserver.hosts import pageguard, pagehttp, pageloop
from fauxserver.hosts.pageguard import Guard
from fauxserver.hosts.pagehttp import Stream
from fauxserver.latency import milliseconds
from fauxserver.messages import Failure, Request, Response, to_json
from fauxserver.routefile import RouteFile, metadata
from fauxserver.routes import Route
from fauxserver.server import FauxServer
from fauxserver.unmatched import judge
from fauxserver.urlexp import UrlExp

T = TypeVar("T")

TIME_LIMIT = 5_000
"""How long a handler may run at a stretch before the page would freeze, in milliseconds."""
LOAD_LIMIT = 20_000
"""The same for a route file: what it imports may take its time."""
MOST_EXPLAINED = 1_000
"""So many explanations are kept."""


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


def _default_transport() -> None:
    """Stands for the page's own transport, where the page has asked for it."""


class Page:
    """The page's server, in the words of the bridge. What has to be read comes and goes as JSON."""

    time_limit = TIME_LIMIT
    """For the bridge, which stops an `answer` that takes longer."""

    def __init__(self, side: JsSide) -> None:
        self.server = FauxServer()
        self.server.default_time_limit = TIME_LIMIT
        self.server.guard = _guard(side)
        if sys.platform == "emscripten":
            self.server.mend = pageguard.mend
            self.server.keyboard = False
            self.server.watched = TIME_LIMIT
        self.server.on_change = self._changed
        self._side = side
        # Taken once, as every access to a JavaScript object's method makes another proxy.
        self._tell = side.settle
        self._send_bytes = side.piece
        self._enabled = True
        self._ids = count(1)
        self._headers: dict[str, str] = {}
        self._exchanges: dict[str, Exchange] = {}
        self._awaited: dict[str, Exchange] = {}
        self._streams: dict[str, Stream] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.turn: Callable[[], None]
        """The event loop's, where the page is it; and likewise:"""
        self.ring: Callable[[int], None]
        self._transports: dict[str, Any] = {}
        # Rows that the page has met: it may ask what they are, and call their handlers.
        self._met: WeakValueDictionary[int, Route] = WeakValueDictionary()
        self._explained: dict[tuple[str, str, str, str | None], str] = {}
        self._files: dict[str, RouteFile] = {}
        self._namespace: dict[str, Any] = {"__name__": "__page__", "server": self.server}
        self._snippets = count(1)

    # --- A request's way ---------------------------------------------------------------------------------------------

    def accept(
        self, method: str, url: str, override: str | None = None, hits: str = "", base: str | None = None
    ) -> str | None:
        """`exchange row delay [factory]`; nothing if the request is not ours.

        The row is a number, `j12` where the handler is the page's own. The delay is a number of milliseconds, `j7` for
        the JavaScript function of that number, `p` for a Python one, which `delay` asks. The factory likewise; without
        one the transport is the usual one.
        """
        found = frozenset(map(int, hits.split(","))) if hits else _NO_HITS
        exchange = self.server.accept(Request(method, url, None, _NO_HEADERS, b"", override, base, found))
        if exchange is None:
            return None
        number = str(next(self._ids))
        self._exchanges[number] = exchange
        route = exchange.route
        row = f"j{route.id}" if type(route.handler) is JsFunction else str(route.id)
        if not route.met:
            route.met = True
            self._met[route.id] = route
        latency = exchange.latency
        if type(latency) is JsFunction:
            pause: Any = f"j{latency.ref}"
        elif callable(latency) and latency.__module__ != "fauxserver.latency":
            pause = "p"
        else:
            pause = exchange.delay if latency else 0
        for owner in exchange.owners:
            factory = owner.transport_factory
            if factory is not None:
                if factory is _default_transport:
                    break
                return f"{number} {row} {pause} {factory.ref if type(factory) is JsFunction else 'p'}"
        return f"{number} {row} {pause}"

    def unmatched(self, method: str, url: str, door: str, base: str | None = None, after: int = 0) -> str | None:
        """What becomes of a request that `accept` gave nothing for: nothing is to go to the network in silence.

        `warn`, `error`, or `j7 2`, which asks for the JavaScript function of that number, and to be asked once more
        *after* so many policies if that leaves it to the others.
        """
        request = Request(method, url, base=base)
        rules = self.server.rules_for(request)
        try:
            for number, rule in enumerate(rules[after:], after + 1):
                if type(rule.policy) is JsFunction:
                    return f"j{rule.policy.ref} {number}"
                word = self._ask(rule.policy, request)
                if word is not None:
                    return None if word == "bypass" else word
        except Exception as error:
            self._side.report(json.dumps(_fault(error)))
        word = self.server.default_policy(request, door)
        return None if word == "bypass" else word

    def _ask(self, policy: Any, request: Request) -> str | None:
        if not callable(policy):
            return judge(policy, request)
        try:
            with self.server.guard(TIME_LIMIT):
                return judge(policy, request)
        except Stopped as error:
            pageguard.over()
            stopped = TimeLimitError("The policy ran longer than the time limit and was stopped.", TIME_LIMIT)
            raise stopped.with_traceback(error.__traceback__) from None

    def explain(self, method: str, url: str, hits: str = "", base: str | None = None) -> str:
        """Why it is not answered, in words; the same until something changes."""
        key = (method, url, hits, base)
        if key not in self._explained:
            if len(self._explained) >= MOST_EXPLAINED:
                self._explained.clear()
            found = frozenset(map(int, hits.split(","))) if hits else _NO_HITS
            self._explained[key] = str(self.server.explain(Request(method, url, base=base, hits=found)))
        return self._explained[key]

    def delay(self, number: str, data: str | None) -> float:
        """Ask a latency function, which may look at the data."""
        exchange = self._exchanges[number]
        if data is not None:
            exchange.data = json.loads(data)
        return milliseconds(exchange.delay)

    def answer(self, number: str, data: str | None = None, at_once: bool = False) -> str:
        """Call the handler. `+` and JSON: a plain success; `=` and JSON: all there is to say; `~`: `settle` follows.

        *at_once* is a request that cannot wait. The bridge sees to the usual time limit: once for all of it, without
        a crossing, it costs next to nothing.
        """
        exchange = self._exchanges.pop(number)
        exchange.data = None if data is None else json.loads(data)
        return self._answer(number, exchange, at_once, _encode)

    # As HTTP has it

    def hand(self, number: str, headers: str | None, body: Any = None) -> None:
        """What was sent, for a latency function that may look at it: headers if they are not the last request's."""
        if headers is not None:
            self._headers = pagehttp.read_headers(headers)
        # A copy, as a handler may change what it is given.
        pagehttp.hand(self._exchanges[number], dict(self._headers), body)

    def captures(self, number: str) -> str:
        """What the url expression captured, for a handler of the page."""
        return json.dumps(self._exchanges[number].params)

    def send(self, number: str, headers: str | None, body: Any = None, at_once: bool = False) -> str:
        """The same as `answer`, in HTTP's words: see `pagehttp.encode`. Of a streamed body `pull` gives the pieces."""
        self.hand(number, headers, body)
        exchange = self._exchanges.pop(number)
        return self._answer(number, exchange, at_once, self._encode_http)

    def pull(self, number: str) -> str:
        """The next piece of a streamed body, as `Stream.next` has it, or `~`: `settle` follows."""
        stream = self._streams.get(number)
        if stream is None:
            return pagehttp.END
        self.server.guarded = TIME_LIMIT
        try:
            if not stream.waits:
                text = stream.next()
            else:
                task = _begin(self._pull(number, stream))
                if not task.done():
                    stream.task = task
                    return "~"
                text = task.result()
        finally:
            self.server.guarded = None
        return self._pulled(number, text)

    async def _pull(self, number: str, stream: Stream) -> str:
        text = await stream.later()
        if stream.task:
            stream.task = None
            if number in self._streams:
                self._tell(number, self._pulled(number, text))
        return text

    def _pulled(self, number: str, text: str) -> str:
        # It has ended, or broken off.
        if text[0] in ".!":
            self._streams.pop(number, None)
        return text

    def _encode_http(self, number: str, exchange: Exchange, response: Response) -> str:
        if response.kind == "stream":
            self._streams[number] = Stream(exchange, response, self._send_bytes)
        return pagehttp.encode(response, self._send_bytes)

    # Both

    def _answer(self, number: str, exchange: Exchange, at_once: bool, encode: Encode) -> str:
        self.server.guarded = TIME_LIMIT
        try:
            if at_once and exchange.latency:
                exchange.note = "answered at once (async: false), latency skipped"
            result = exchange.answer()
            if isinstance(result, Response):
                if result.kind != "stream" or (encode is not _encode and not at_once):
                    return encode(number, exchange, result)
                if at_once:
                    return self._collect_now(number, exchange, result, encode)
            elif at_once:
                return self._refuse(number, exchange, result, encode)
            task = _begin(self._settle(number, exchange, result, encode))
            if task.done():
                return task.result()
            self._awaited[number] = exchange
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return "~"
        finally:
            self.server.guarded = None

    async def _settle(
        self, number: str, exchange: Exchange, result: Response | Awaitable[Response], encode: Encode
    ) -> str:
        try:
            response = result if isinstance(result, Response) else await result
            if response.kind == "stream" and encode is _encode:
                response = await _collect(exchange, response)
            waited = number in self._awaited
            if waited and exchange.dropped:
                await response.close()
                return "~"
            text = encode(number, exchange, response)
        finally:
            self._awaited.pop(number, None)
        if waited:
            self._tell(number, text)
        return text

    def _collect_now(self, number: str, exchange: Exchange, response: Response, encode: Encode) -> str:
        collecting = _collect(exchange, response)
        try:
            collecting.send(None)
        except StopIteration as end:
            return encode(number, exchange, end.value)
        collecting.close()
        return encode(number, exchange, _cannot_wait(exchange))

    def _refuse(self, number: str, exchange: Exchange, result: Awaitable[Response], encode: Encode) -> str:
        response = _cannot_wait(exchange)
        for waiting in (getattr(exchange, "_awaited", None), result):
            getattr(waiting, "close", bool)()
        exchange.done(response.status, 0, response.error)
        return encode(number, exchange, response)

    def done(self, number: str, status: int, duration: float, error: str | None = None) -> None:
        """How a JavaScript handler has ended, for the journal."""
        exchange = self._exchanges.pop(number, None)
        if exchange:
            exchange.done(status, duration, error)

    def drop(self, number: str) -> None:
        """Nobody waits for the answer any more."""
        self._transports.pop(number, None)
        exchange = self._exchanges.pop(number, None) or self._awaited.pop(number, None)
        if exchange:
            exchange.drop()
        stream = self._streams.pop(number, None)
        if stream:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        """Let a streamed body clean up; it may wait for something while it does."""
        task: asyncio.Task[Any] = _begin(stream.close(lambda told: self._side.report(told)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- Transports --------------------------------------------------------------------------------------------------

    def transport(
        self, number: str, data: str | None, success: Callable[[str], None], error: Callable[[str], None]
    ) -> Any:
        """Make a transport with the Python factory that applies, and give back what it promises."""
        exchange = self._exchanges[number]
        exchange.data = None if data is None else json.loads(data)
        factory = next(owner.transport_factory for owner in exchange.owners if owner.transport_factory is not None)
        options = SimpleNamespace(
            success=lambda value=None: success(to_json(value)),
            error=lambda reason=None: error(to_json(reason)),
            url=exchange.request.url,
        )
        transport = factory(options, exchange.context)
        self._transports[number] = transport
        return transport.promise()

    def resolve(self, number: str, value: str | None = None) -> None:
        """Hand a success to a Python transport."""
        self._transports.pop(number).resolve(None if value is None else json.loads(value))

    def reject(self, number: str, reason: str | None = None) -> None:
        """Hand a failure to a Python transport."""
        self._transports.pop(number).reject(None if reason is None else json.loads(reason))

    # --- Rows --------------------------------------------------------------------------------------------------------

    def describe(self, row: int) -> str:
        """What a row is, that a request has met."""
        return self._told(self._met.get(row))

    def live_rows(self) -> str:
        """The numbers of all rows."""
        return json.dumps([route.id for route in self.server.routes.rows()])

    def add_route(self, spec: str) -> str:
        """Add a row for a JavaScript handler."""
        return self._try(self._add_route, json.loads(spec))

    def _add_route(self, spec: dict[str, Any]) -> dict[str, Any]:
        regexp = spec.get("regexp")
        handler = JsFunction(spec["ref"], self._side)
        route = self.server.add_page_route(
            UrlExp.foreign(*regexp) if regexp else UrlExp(spec["expression"], braces=True),
            handler,
            method=spec["httpMethod"],
            name=spec.get("name"),
            label=spec.get("label", ""),
        )
        route.invoke = handler
        return {"row": route.id}

    def remove_route(self, name: str) -> str:
        """Remove the route of that name."""
        return self._try(self.server.remove_route, name)

    def remove_routes(self) -> str:
        """Remove them all."""
        return self._try(self.server.remove_routes)

    def get_route(self, name: str) -> str:
        """The row of that name."""
        return self._told(self.server.routes.get(name))

    def get_route_at(self, index: int) -> str:
        """The row at that place."""
        return self._told(self.server.routes.at(index))

    def get_matching_route(self, url: str, method: str | None = None, hits: str = "") -> str:
        """The row that would answer."""
        found = frozenset(map(int, hits.split(","))) if hits else _NO_HITS
        match = self.server.routes.match(Request(method or "*", url, hits=found))
        return self._told(match.route if match else None)

    def call(self, row: int, call: str) -> str:
        """Call a row's Python handler directly, as JavaScript may with what `getRoute` gives."""
        return self._try(self._call, row, json.loads(call))

    def _call(self, row: int, call: dict[str, Any]) -> dict[str, Any]:
        from fauxserver.context import Context

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

    def _told(self, route: Route | None) -> str:
        if route is None:
            return "null"
        self._met[route.id] = route
        handler = route.handler
        return json.dumps(
            {
                "row": route.id,
                "name": route.name,
                "urlExp": route.exp.js if route.name else "",
                "query": route.exp.whole,
                "httpMethod": route.method,
                "ref": handler.ref if type(handler) is JsFunction else None,
                "label": route.label,
                "location": route.location,
            }
        )

    # --- The server --------------------------------------------------------------------------------------------------

    def set_default_handler(self, ref: int | None = None) -> str:
        """Let a JavaScript function answer what no route does; or the network again."""
        if ref is None:
            return self._try(self.server.set_default_handler)
        handler = JsFunction(ref, self._side)
        self.server.set_page_default(handler).invoke = handler
        return "{}"

    def set_latency(self, ref: int | None, minimum: float | None = None, maximum: float | None = None) -> str:
        """A JavaScript function, or a number, or two to choose between."""
        if ref is None:
            return self._try(self.server.set_latency, minimum, None if minimum == maximum else maximum)
        return self._try(self.server.set_latency, JsFunction(ref, self._side))

    def set_unmatched(self, prefix: str | None, word: str | None, ref: int | None = None) -> str:
        """A word, or a JavaScript function that gives one; or neither."""
        policy = word if ref is None else JsFunction(ref, self._side)
        return self._try(self.server.set_unmatched, prefix, policy)

    def set_transport_factory(self, ref: int | None = None) -> str:
        """A JavaScript function; or the usual transports again, whatever included servers say."""
        factory: Any = _default_transport if ref is None else JsFunction(ref, self._side)
        return self._try(self.server.set_transport_factory, factory)

    def enable(self, flag: bool) -> str:
        """Answer requests, or leave them all to the network."""
        return self._try(self.server.enable, flag)

    def set_base(self, base: str | None) -> str:
        """The address that the page's server stands for."""
        self.server.base = base
        return "{}"

    def ready(self) -> str:
        """All is set up: this is what `reset` comes back to."""
        return self._try(self.server.ready)

    def reset(self) -> str:
        """Back to the beginning. What is under way is dropped."""
        answer = self._try(self.server.reset)
        self._exchanges.clear()
        self._transports.clear()
        while self._streams:
            self._end(self._streams.popitem()[1])
        self._changed()
        return answer

    def _changed(self) -> None:
        self._explained.clear()
        enabled = self.server.enabled
        if enabled != self._enabled:
            self._enabled = enabled
            self._side.enabled(enabled)

    # --- Python of the page ------------------------------------------------------------------------------------------

    def metadata(self, source: str, path: str = "routes.py") -> str:
        """What a route file declares: `{dependencies, files, index}`."""
        return self._try(self._metadata, source, path)

    def _metadata(self, source: str, path: str) -> dict[str, Any]:
        found = metadata(source, path)
        return {
            "dependencies": list(found.dependencies),
            "files": list(found.files),
            "index": found.index[0] if found.index else None,
        }

    def wrote(self, path: str) -> None:
        """A file beside a route file was laid down, maybe anew: who imports it gets what it is now."""
        importlib.invalidate_caches()
        linecache.checkcache(path)
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) == path:
                del sys.modules[name]

    def load(self, path: str, source: str, afresh: bool = False) -> str:
        """Run a route file, and include its servers.

        One that has run before keeps what it has in variables, unless it is to be run *afresh*.
        """
        return self._try(self._limited, self._load, path, source, afresh)

    def _load(self, path: str, source: str, afresh: bool) -> None:
        file = self._files.get(path)
        if file is None:
            file = RouteFile(path, source)
            file.run()
            self._files[path] = file
            before: list[FauxServer] = []
        else:
            before = list(file.servers)
            file.reload(source)
            if afresh:
                file.reset()
        for server in before:
            if server not in file.servers:
                self.server.exclude(server)
        for server in file.servers:
            self.server.include(server)

    def run_python(self, code: str) -> str:
        """Run code with the page's server as `server`. `{value}` is that of a last expression, if JSON can hold it."""
        return self._try(self._limited, self._run_python, code)

    def _run_python(self, code: str) -> dict[str, Any]:
        name = f"<runPython {next(self._snippets)}>"
        # For tracebacks; what has no modification time stays.
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = ast.parse(code, name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, name, "exec"), self._namespace)
        if not isinstance(last, ast.Expr):
            return {}
        value = eval(compile(ast.Expression(last.value), name, "eval"), self._namespace)
        try:
            return {"value": json.loads(to_json(value))}
        except FauxServerError:
            return {}

    def _limited(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run code of the page's author, but not for ever."""
        try:
            with self.server.guard(LOAD_LIMIT):
                return function(*args)
        except Stopped as error:
            pageguard.over()
            message = f"The code ran longer than {LOAD_LIMIT / 1000:g} s and was stopped. Does it loop?"
            raise TimeLimitError(message, LOAD_LIMIT).with_traceback(error.__traceback__) from None
        finally:
            # What a route file replaces, it means to.
            pageguard.keep()

    def mend(self) -> str:
        """Put back what a handler has replaced of Python, and say what."""
        return ", ".join(pageguard.mend())

    def rails(self) -> str:
        """What `js/rails.js` asks for."""
        return pageguard.rails()

    def _try(self, function: Callable[..., Any], *args: Any) -> str:
        """Call a function and write down what it gives, or what went wrong."""
        try:
            value = function(*args)
            return to_json(value) if isinstance(value, dict) else "{}"
        except Exception as error:
            return json.dumps({"error": _fault(error)})
        except Stopped as error:
            stopped = TimeLimitError("The code ran longer than the time limit and was stopped.", TIME_LIMIT)
            return json.dumps({"error": _fault(stopped.with_traceback(error.__traceback__))})


def start(side: JsSide) -> Page:
    """Give the page its server. *side* is how Python reaches the bridge."""
    # Files change in the page faster than the times by which bytecode is told to be stale.
    sys.dont_write_bytecode = True
    page = Page(side)
    if sys.platform == "emscripten":
        pageguard.install()
        turns = pageloop.install(side)
        page.turn, page.ring = turns.turn, turns.ring
    return page


_NO_HITS: frozenset[int] = frozenset()
_NO_HEADERS: dict[str, str] = {}
_HOME = __file__.replace("\\", "/").rpartition("/hosts/")[0] + "/"


def _begin(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task that runs at once, up to its first wait.

    The page's event loop takes a message, and two functions that it makes for it, before it looks at a task; an
    `async def` that does not wait for anything is as fast as a `def` without.
    """
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=asyncio.get_event_loop(), eager_start=True)
    return asyncio.ensure_future(coroutine)


def _guard(side: JsSide) -> Callable[[float], Guard]:
    arm, disarm = side.arm, side.disarm
    return lambda limit: Guard(limit, arm, disarm)


pageguard.blocks.add(Page._limited.__code__)


async def _collect(exchange: Exchange, response: Response) -> Response:
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


def _cannot_wait(exchange: Exchange) -> Response:
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


def _encode(_number: str, _exchange: Exchange, response: Response) -> str:
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
        "headers": {str(name): str(value) for name, value in response.headers.items()},
        "failed": response.failed,
        "error": error._asdict() if error else None,
    }
    return f'={json.dumps(told)[:-1]}, "body": {text}}}'


def _fault(error: Exception) -> dict[str, Any]:
    """An error as the bridge throws it, and shows it."""
    kind = "SyntaxError" if isinstance(error, UrlExpError) else type(error).__name__
    fault: dict[str, Any] = {"type": kind, "message": str(error)}
    if isinstance(error, RouteFileError):
        fault |= {"file": error.file, "line": error.line, "source": error.source_line}
    elif isinstance(error, SyntaxError):
        # Not JavaScript's SyntaxError, which an expression that does not parse is.
        fault |= {"type": "Error", "message": f"SyntaxError: {error.msg}", "file": error.filename, "line": error.lineno}
        fault["source"] = (error.text or "").strip()
    elif not isinstance(error, FauxServerError) or isinstance(error, TimeLimitError):
        if not isinstance(error, TimeLimitError):
            fault["message"] = f"{kind}: {error}"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_HOME)]
        if frames:
            fault |= {"file": frames[-1].filename, "line": frames[-1].lineno, "source": frames[-1].line}
    # A route file's error says itself what the raising of it would.
    told = error.__cause__ if isinstance(error, RouteFileError) else error
    fault["traceback"] = traceback_of(told) if told else ""
    return fault
