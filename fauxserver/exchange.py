"""A request that was accepted, on its way to its response."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from sys import exception
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fauxserver.context import Context
from fauxserver.errors import HandlerError, HTTPError, TimeLimitError
from fauxserver.guard import Stopped, interrupted, when_stopped
from fauxserver.handlers import awaits, fail, in_steps, label, latency_caller, place_of, raised_by_us, respond, untold
from fauxserver.journal import Entry
from fauxserver.latency import milliseconds
from fauxserver.messages import Failure, Request, Response
from fauxserver.routes import Route
from fauxserver.urlexp import Captures

if TYPE_CHECKING:
    from fauxserver.server import FauxServer

EVENTS = "text/event-stream"
# How long an exception may take to say what it is, in milliseconds.
_TELLING = 50
# Under names that no handler can replace.
_Any, _Closed, _type = BaseException, GeneratorExit, type


class Exchange:
    """What `accept` fixes of a request: its route, handler and latency. Later changes to the server do not touch it."""

    __slots__ = (
        "_answered",
        "_awaited",
        "_context",
        "_data",
        "_delay",
        "_dropped",
        "_generation",
        "_refusal",
        "_task",
        "duration",
        "error",
        "note",
        "owners",
        "params",
        "request",
        "route",
        "running",
        "server",
        "status",
    )

    def __init__(
        self, server: FauxServer, request: Request, route: Route, params: Captures, owners: tuple[FauxServer, ...]
    ) -> None:
        self.server = server
        self.request = request
        self.route = route
        self.params = params
        """What the url expression captured."""
        self.owners = owners
        """The server that was asked and, where the route is an included server's, the servers down to that one."""
        self._data = request.data
        self._generation = server.generation
        self._delay: float | None = None
        self._context: Context | None = None
        self._dropped = False
        self._answered = False
        self._refusal: Exception | None = None
        self._awaited: Any = None
        self._task: asyncio.Task[Any] | None = None
        self.status = 0
        self.duration = 0.0
        self.running = 0.0
        """How long a streamed body has kept us so far, waits not counted, in milliseconds."""
        self.error: Failure | str | None = None
        self.note = ""
        """What else the journal is to say of it."""

    def __repr__(self) -> str:
        return f"<Exchange {self.request.method} {self.request.url} → {self.route}>"

    @property
    def data(self) -> Any:
        """What was sent. A host that learns it later than the url sets it before it asks for the answer."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self._data = data
        # A latency function may have been shown one without the data.
        self._context = None

    @property
    def context(self) -> Context:
        """What the handler is given."""
        if self._context is None:
            self._context = Context(self.request, self.route, self.params, self.data)
        return self._context

    # Latency

    @property
    def latency(self) -> Any:
        """The number or function that applies: the asked server's, unless only an included one has set one."""
        for owner in self.owners:
            if owner.latency is not None:
                return owner.latency
        return 0

    @property
    def delay(self) -> float:
        """How long to wait before the answer, in milliseconds. A latency function is called at the first look."""
        if self._delay is None:
            latency = self.latency
            if callable(latency):
                try:
                    latency = self._step(latency_caller(latency, self.route.exp.params), self.context)
                    if awaits(latency):
                        getattr(latency, "close", bool)()
                        raise HandlerError(
                            f"The latency function {label(self.latency)} is asynchronous. Write it with `def`; "
                            "it returns milliseconds."
                        )
                except Exception as error:
                    # As any other mistake in the server's code.
                    self.refuse(error)
                    latency = 0
            self._delay = milliseconds(latency)
        return self._delay

    # The answer

    def refuse(self, error: Exception) -> None:
        """Answer with this error, and do not call the handler."""
        self._refusal = error

    @property
    def time_limit(self) -> float | None:
        """How long the handler may run at a stretch, in milliseconds."""
        for owner in self.owners:
            if owner.time_limit is not None:
                return owner.time_limit
        return self.server.default_time_limit

    @property
    def dropped(self) -> bool:
        """Whether nobody waits for the answer any more: it was aborted, or the server reset."""
        return self._dropped or self._generation != self.server.generation

    async def settle(self) -> Response:
        """Wait as long as the latency says, and answer. Who is cancelled meanwhile has dropped it."""
        try:
            if self.delay:
                await asyncio.sleep(self.delay / 1000)
            response = self.answer()
            return response if isinstance(response, Response) else await response
        except BaseException:
            self.drop()
            raise

    def answer(self) -> Response | Awaitable[Response]:
        """Call the handler. What it does wrong becomes a response as well, with the `error` on it.

        Returns an awaitable if the handler is asynchronous.
        """
        started = perf_counter()
        if self.dropped:
            return self._gone(started)
        try:
            if self._refusal is not None:
                raise self._refusal
            if self.route.invoke is None:
                raise HandlerError(f"The handler of {self.route} lives in the page, and only the page can call it.")
            result = self._step(self._call, self.context)
            if type(result) is not Response:
                self._awaited = result
                return self._settle(result, started)
            response = result
            if response.kind == "stream":
                self._open(response)
        except:  # noqa: E722 (a handler may have replaced the very names of exceptions)
            response = self.failed()
        return self._finish(response, started)

    def _call(self, context: Context) -> Any:
        """The handler's response, or what is to be awaited for it. Reading what it returned may run its code, too."""
        invoke = self.route.invoke
        assert invoke is not None
        result = invoke(context)
        return result if awaits(result) else respond(result)

    def failed(self) -> Response:
        """The response for the exception that is being handled."""
        error = exception()
        assert error is not None
        if _type(error) is Stopped:
            error = self._stopped(error)
        # An HTTPError is an answer like any other; for all else there is time.
        mended = [] if _type(error) is HTTPError and not interrupted else self.server.mend()
        # Without somebody at a keyboard, a handler has raised it.
        if issubclass(type(error), KeyboardInterrupt) and self.server.keyboard:
            raise error
        names = ", ".join(mended[:5]) + (", …" if len(mended) > 5 else "")
        if mended and not issubclass(type(error), TimeLimitError) and raised_by_us(error):
            named = f"{label(self.route.handler)} ({place_of(self.route.handler)})"
            error = HandlerError(f"{named} has replaced {names}, which the server cannot do without.")
        response = self._tell(error)
        if mended and response.error:
            message = f"{response.error.message} (What had been replaced is as before: {names}.)"
            response.error = response.error._replace(message=message)
        return response

    def _tell(self, error: BaseException) -> Response:
        handler, where, limit = self.route.handler, str(self.route), self.time_limit
        if limit is None:
            return fail(error, handler, where)
        try:
            plainly = untold(error, handler)
        except:  # noqa: E722
            # Even what looks for the line is broken. The handler's own it is.
            plainly = Response(f"{type(error).__name__} (in {label(handler)}, {place_of(handler)})", 500)
        try:
            home = type(error).__module__.partition(".")[0]
            if home == "fauxserver":
                return fail(error, handler, where, limit)
            # Python's own exceptions at most run the code of what they hold.
            return self._tell_theirs(error, 1_000 if home == "builtins" else _TELLING)
        except:  # noqa: E722
            return plainly
        finally:
            for over in when_stopped:
                over()

    def _tell_theirs(self, error: BaseException, limit: float) -> Response:
        """To tell of somebody's exception is to run its code."""
        with self.server.guard(limit):
            return fail(error, self.route.handler, str(self.route), self.time_limit)

    async def _settle(self, awaitable: Any, started: float) -> Response:
        self._task = asyncio.current_task()
        self.server.awaiting.add(self)
        try:
            limit = self.time_limit
            if limit is None:
                result = await awaitable
            elif limit == self.server.watched:
                result = await self._wait(awaitable)
                if interrupted:
                    raise Stopped
            else:
                result = await in_steps(awaitable, self._step)
            response = respond(result) if limit == self.server.watched else self._step(respond, result)
            if response.kind == "stream":
                self._open(response)
        except CancelledError as error:
            if self.dropped:
                if self._task:
                    self._task.uncancel()
                return self._gone(started)
            if self._task is None or self._task.cancelling():
                self._dropped = True
                self._gone(started)
                raise
            # Nobody has cancelled it: the handler's own.
            response = fail(error, self.route.handler, str(self.route), self.time_limit)
        except _Closed as error:
            # Ours means that the event loop is gone; else it is the handler's own.
            if raised_by_us(error):
                raise
            response = self.failed()
        except:  # noqa: E722
            response = self.failed()
        finally:
            self.server.awaiting.discard(self)
            self._task = None
        return self._finish(response, started)

    async def _wait(self, awaitable: Any) -> Any:
        """What is to be interrupted in an asynchronous handler that the host watches by itself."""
        return await awaitable

    def _step(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Run a stretch of the handler under guard."""
        limit = self.time_limit
        if limit is None:
            return function(argument)
        try:
            if limit == self.server.guarded:
                result = function(argument)
            else:
                with self.server.guard(limit):
                    result = function(argument)
            if interrupted:
                # It has caught what was to stop it. What it returned after its time does not count.
                raise Stopped
            return result
        except Stopped as error:
            for over in when_stopped:
                over()
            raise self._stopped(error) from None

    def _stopped(self, error: BaseException) -> TimeLimitError:
        limit = self.time_limit or 0
        stopped = TimeLimitError(f"The handler ran longer than the time limit of {limit:g} ms.", limit)
        return stopped.with_traceback(error.__traceback__)

    def _finish(self, response: Response, started: float) -> Response:
        if not self._answered:
            self._record(response.status, (perf_counter() - started) * 1000, response.error)
        return response

    def _gone(self, started: float) -> Response:
        if not self._answered:
            self._record(0, (perf_counter() - started) * 1000, None)
        return Response("The request was dropped.", 503)

    def done(self, status: int, duration: float, error: Failure | str | None = None) -> None:
        """Report how a handler that the page called has answered, for the journal."""
        if not self._answered:
            self._record(status, duration, error)

    def drop(self) -> None:
        """Nobody waits for the answer: a handler that has not begun is not run, one that waits is cancelled."""
        if self._answered:
            return
        self._dropped = True
        if self._task is not None:
            self._task.cancel()
        else:
            if hasattr(self._awaited, "close"):
                self._awaited.close()
            self._record(0, 0.0, None)

    # Streams

    def _open(self, response: Response) -> None:
        """Let a streamed body run under guard; what fails before its first piece fails the request."""
        # Who asks for nothing else, as an EventSource does, cannot mean a text.
        if self.request.headers.get("accept") == EVENTS and "content-type" not in map(str.lower, response.headers):
            response.headers["content-type"] = EVENTS
        body = response._body
        if hasattr(body, "__anext__"):
            response._body = self._flow_async(response, body)
            return
        flow = self._flow(response, body)
        try:
            next(flow)
        except StopIteration:
            response._body = iter(())
        else:
            response._body = flow

    def _flow(self, response: Response, body: Iterator[Any]) -> Iterator[Any]:
        """The pieces of *body*; before the first of them nothing, to say that it is there."""
        started = False
        try:
            while True:
                try:
                    piece = self._stretch(next, body)
                except StopIteration:
                    return
                if not started:
                    started = True
                    yield None
                yield piece
        except (_Closed, CancelledError):
            raise
        except _Any:
            if started:
                self._broke(response)
            raise
        finally:
            getattr(body, "close", bool)()

    async def _flow_async(self, response: Response, body: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            while True:
                try:
                    piece = await in_steps(body.__anext__(), self._stretch)
                except StopAsyncIteration:
                    return
                yield piece
        except (_Closed, CancelledError):
            raise
        except _Any:
            self._broke(response)
            raise
        finally:
            if hasattr(body, "aclose"):
                await body.aclose()

    def _stretch(self, function: Callable[[Any], Any], argument: Any) -> Any:
        started = perf_counter()
        try:
            return self._step(function, argument)
        finally:
            self.running += (perf_counter() - started) * 1000

    def _broke(self, response: Response) -> None:
        """A stream that fails midway: its status is long sent, the error is told all the same."""
        self.error = response.error = self.failed().error

    # The journal

    def _record(self, status: int, duration: float, error: Failure | str | None) -> None:
        self._answered = True
        self.status = status
        self.duration = duration
        self.error = error
        for owner in self.owners:
            owner.journal.append(self)

    def entry(self) -> Entry:
        """The line in the journal."""
        return Entry(
            self.request.method,
            self.request.url,
            self.status,
            self.duration,
            self.route.name,
            self.route.label,
            self.route.location,
            self.data,
            self.error,
            self._delay or 0.0,
            self.note,
        )
