"""`Faux`: a test's server. It remembers what nobody answered, and tells all that was asked when the test fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from fauxserver.journal import Entry, Journal
from fauxserver.messages import Failure, Request
from fauxserver.routefile import RouteFile
from fauxserver.server import FauxServer

if TYPE_CHECKING:
    from fauxserver.exchange import Exchange
    from fauxserver.explanation import Explanation
    from fauxserver.hosts.asgi import Receive, Scope, Send


class Faux(FauxServer):
    """A server with the routes of a route file, and whatever a test adds.

    >>> faux = Faux()
    >>> faux.get("api/books", []).accept(Request("GET", "api/books")).answer().body
    []
    >>> faux.accept(Request("GET", "live/news"))
    >>> print(faux.report().splitlines()[1])
    GET live/news → no route
    """

    def __init__(self, file: RouteFile | None = None) -> None:
        super().__init__()
        self.file = file
        """The route file, if there is one."""
        self.journal: _Log = _Log()
        self.missed: list[Explanation] = []
        """The requests that came here and were nobody's."""
        self.refused: list[Explanation] = []
        """Those that the test must not make: they fail it."""
        for server in file.servers if file else ():
            self.include(server)
        self.ready()

    def __repr__(self) -> str:
        return f"<Faux with {len(self)} routes>"

    @property
    def module(self) -> ModuleType:
        """The route file's module, for a test that wants to look at its variables: `faux.module.books`."""
        if self.file is None or self.file.module is None:
            raise AttributeError("This test's faux has no route file, and so no module.")
        return self.file.module

    def accept(self, request: Request) -> Exchange | None:
        """Take a request on, or remember that nobody did."""
        exchange = super().accept(request)
        if exchange is None and self.enabled:
            explained = self.explain(request)
            self.missed.append(explained)
            self.journal.lines.append(explained)
        return exchange

    def unmatched(self, request: Request, door: str = "fetch") -> str:
        """What becomes of a request that no route matches; one that is refused fails the test."""
        word = super().unmatched(request, door)
        if word == "error" and self.enabled:
            self.refused.append(self.explain(request))
        return word

    def reset(self) -> Faux:
        """Be again as at the beginning of the test."""
        super().reset()
        self.missed.clear()
        self.refused.clear()
        return self

    def report(self) -> str:
        """All that was asked, a line for each request, and what went wrong in handlers."""
        return "\n".join(_line(what) for what in self.journal.lines) or "Nothing was asked."


class _Log(Journal):
    """A journal that keeps requests nobody answered where they came in between."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[Exchange | Explanation] = deque(maxlen=1000)

    def append(self, exchange: Exchange) -> None:
        super().append(exchange)
        self.lines.append(exchange)

    def clear(self) -> None:
        super().clear()
        self.lines.clear()


def _line(what: Exchange | Explanation) -> str:
    if isinstance(what, tuple):
        near = "; ".join(map(str, what.nearest))
        return f"{what.method} {what.url} → no route" + (f". Nearest: {near}" if near else "")
    return _told(what.entry())


def _told(entry: Entry) -> str:
    """A line of the journal, and below it what went wrong."""
    lines = [str(entry)]
    if entry.delay:
        lines[0] += f", {entry.delay:.0f} ms late"
    if entry.note:
        lines[0] += f" ({entry.note})"
    if isinstance(entry.error, Failure):
        lines += entry.error.traceback.rstrip().splitlines()
    elif entry.error:
        lines.append(entry.error)
    return "\n    ".join(lines)


class Live:
    """A port that answers for the test that is running, and for nobody between two tests."""

    def __init__(self) -> None:
        self.url = ""
        self._server: FauxServer | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Live:
        from fauxserver.hosts.live import serving

        self.url = self._stack.enter_context(serving(self)).rstrip("/")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def serving(self, server: FauxServer) -> Iterator[None]:
        """Answer with *server*, meanwhile."""
        self._server = server
        try:
            yield
        finally:
            self._server = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        from fauxserver.hosts.asgi import serve

        # A client may outlive its test.
        await serve(self._server or FauxServer(), scope, receive, send)
