"""The page: what its bridge (`js/bridge.js`) calls, and nothing but numbers and texts go over.

A request crosses twice at most: `accept` says whether it is ours and who answers, `answer` calls the handler. Handlers
written in JavaScript stay on their side; here they are rows like any other, and `done` tells how they ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeVar

from fauxserver.errors import TimeLimitError
from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped
from fauxserver.hosts import pageanswer, pageguard, pagehttp, pageloop
from fauxserver.hosts.pageanswer import Encode, cannot_wait, collect
from fauxserver.hosts.pagecode import Code
from fauxserver.hosts.pagefault import attempt, fault_of
from fauxserver.hosts.pageguard import TIME_LIMIT, Guard
from fauxserver.hosts.pagehttp import Stream
from fauxserver.hosts.pagerows import Rows, read_captures, read_hits
from fauxserver.hosts.pageside import JsFunction, JsSide
from fauxserver.latency import milliseconds
from fauxserver.messages import Request, Response, to_json
from fauxserver.server import FauxServer
from fauxserver.unmatched import judge

T = TypeVar("T")

MOST_EXPLAINED = 1_000
"""So many explanations are kept."""


def _default_transport() -> None:
    """Stands for the page's own transport, where the page has asked for it."""


class Page(Rows, Code):
    """The page's server, in the words of the bridge. What has to be read comes and goes as JSON."""

    time_limit = TIME_LIMIT
    """For the bridge, which stops an `answer` that takes longer."""

    def __init__(self, side: JsSide) -> None:
        server = FauxServer()
        Rows.__init__(self, server, side)
        Code.__init__(self, server)
        self.server.default_time_limit = TIME_LIMIT
        self.server.guard = _guard(side)
        if sys.platform == "emscripten":
            self.server.mend = pageguard.mend
            self.server.keyboard = False
            self.server.watched = TIME_LIMIT
        self.server.on_change = self._changed
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
        self._explained: dict[tuple[str, str, str, str | None], str] = {}

    # --- A request's way ---------------------------------------------------------------------------------------------

    def accept(
        self,
        method: str,
        url: str,
        override: str | None = None,
        hits: str = "",
        base: str | None = None,
        adapter: int | None = None,
    ) -> str | None:
        """`exchange row delay [factory]`; nothing if the request is not ours.

        The row is a number, `j12` where the handler is the page's own. The delay is a number of milliseconds, `j7` for
        the JavaScript function of that number, `p` for a Python one, which `delay` asks. The factory likewise; without
        one the transport is the usual one. With an *adapter*, its routes alone are asked.
        """
        found = read_hits(hits)
        request = Request(method, url, None, _NO_HEADERS, b"", override, base, found)
        exchange = self.server.accept(request) if adapter is None else self.accept_by(adapter, request)
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
            self._side.report(json.dumps(fault_of(error)))
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
            found = read_hits(hits)
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
        return self._answer(number, exchange, at_once, pageanswer.encode)

    # As HTTP has it

    def hand(self, number: str, headers: str | None, body: Any = None) -> None:
        """What was sent, for a latency function that may look at it: headers if they are not the last request's."""
        if headers is not None:
            self._headers = pagehttp.read_headers(headers)
        # A copy, as a handler may change what it is given.
        pagehttp.hand(self._exchanges[number], dict(self._headers), body)

    def captures(self, number: str) -> str:
        """What the url expression captured, for a handler of the page."""
        return json.dumps(read_captures(self._exchanges[number].params))

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
                if result.kind != "stream" or (encode is not pageanswer.encode and not at_once):
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
            if response.kind == "stream" and encode is pageanswer.encode:
                response = await collect(exchange, response)
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
        collecting = collect(exchange, response)
        try:
            collecting.send(None)
        except StopIteration as end:
            return encode(number, exchange, end.value)
        collecting.close()
        return encode(number, exchange, cannot_wait(exchange))

    def _refuse(self, number: str, exchange: Exchange, result: Awaitable[Response], encode: Encode) -> str:
        response = cannot_wait(exchange)
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

    # --- The server --------------------------------------------------------------------------------------------------

    def set_default_handler(self, ref: int | None = None) -> str:
        """Let a JavaScript function answer what no route does; or the network again."""
        if ref is None:
            return attempt(self.server.set_default_handler)
        handler = JsFunction(ref, self._side)
        self.server.set_page_default(handler).invoke = handler
        return "{}"

    def set_latency(self, ref: int | None, minimum: float | None = None, maximum: float | None = None) -> str:
        """A JavaScript function, or a number, or two to choose between."""
        if ref is None:
            return attempt(self.server.set_latency, minimum, None if minimum == maximum else maximum)
        return attempt(self.server.set_latency, JsFunction(ref, self._side))

    def set_unmatched(self, prefix: str | None, word: str | None, ref: int | None = None) -> str:
        """A word, or a JavaScript function that gives one; or neither."""
        policy = word if ref is None else JsFunction(ref, self._side)
        return attempt(self.server.set_unmatched, prefix, policy)

    def set_transport_factory(self, ref: int | None = None) -> str:
        """A JavaScript function; or the usual transports again, whatever included servers say."""
        factory: Any = _default_transport if ref is None else JsFunction(ref, self._side)
        return attempt(self.server.set_transport_factory, factory)

    def enable(self, flag: bool) -> str:
        """Answer requests, or leave them all to the network."""
        return attempt(self.server.enable, flag)

    def set_base(self, base: str | None) -> str:
        """The address that the page's server stands for."""
        self.server.base = base
        return "{}"

    def ready(self) -> str:
        """All is set up: this is what `reset` comes back to."""
        return attempt(self.server.ready)

    def reset(self) -> str:
        """Back to the beginning. What is under way is dropped."""
        answer = attempt(self.server.reset)
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

    def mend(self) -> str:
        """Put back what a handler has replaced of Python, and say what."""
        return ", ".join(pageguard.mend())

    def rails(self) -> str:
        """What `js/rails.js` asks for."""
        return pageguard.rails()


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


_NO_HEADERS: dict[str, str] = {}


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
