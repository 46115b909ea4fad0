"""`Faux`: a test's server. It remembers what nobody answered, and tells all that was asked when the test fails."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fauxserver.explanation import Explanation
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.journal import Entry, Journal
from fauxserver.messages import Failure, Request, Response
from fauxserver.routefile import RouteFile
from fauxserver.server import FauxServer
from fauxserver.unmatched import judge

if TYPE_CHECKING:
    from fauxserver.exchange import Exchange


class Faux(FauxServer):
    """A server with the routes of a route file, and whatever a test adds.

    >>> faux = Faux()
    >>> faux.get("api/books", []).accept(Request("GET", "api/books")).answer().body
    []
    >>> print(faux.explain(Request("GET", "live/news")))
    GET live/news is not answered here. No route matches it, and there is no default handler.
    >>> print(faux.report().splitlines()[1])
    GET live/news → no route
    """

    def __init__(self, file: RouteFile | None = None) -> None:
        super().__init__()
        self.file = file
        """The route file, if there is one."""
        self.journal: _Log = _Log()
        self.missed: list[Explanation] = []
        """The requests that were nobody's, each once."""
        self.refused: list[Explanation] = []
        """Those among them that a page must not make: they fail the test."""
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

    async def handle(self, request: Request) -> Response | None:
        """Accept a request, wait as long as the latency says, and answer. `None` means that no route wants it."""
        response = await super().handle(request)
        if response is None:
            self.explain(request)
        return response

    def dispatch(self, method: str, url: str, data: Any = None, **callbacks: Any) -> Response:
        """Call a route from the test: no latency, and the answer is there at once; see `FauxServer.dispatch`."""
        with unseen():
            return super().dispatch(method, url, data, **callbacks)

    def explain(self, request: Request) -> Explanation:
        """Say why a request is not answered, and which routes nearly match it."""
        # Every host asks when there is nobody who answers.
        explanation = super().explain(request)
        if self.enabled and self._find(request)[1] is None:
            known = any(other[:2] == explanation[:2] for other in self.missed)
            if not known:
                self.missed.append(explanation)
                self.journal.lines.append(explanation)
        return explanation

    def judge(self, request: Request) -> str:
        """What becomes of a page's request that no route wants: it fails the test, if nobody has said otherwise."""
        try:
            words = (judge(rule.policy, request) for rule in self.rules_for(request))
            word = next(filter(None, words), "error")
        except Exception as error:
            # A policy of somebody's.
            told = f"cannot be judged: {type(error).__name__}: {error}"
            self.refused.append(Explanation(request.method, request.url, told))
            return "error"
        if word != "bypass":
            explanation = self.explain(request)
            if word == "warn":
                logging.getLogger("fauxserver").warning("%s", explanation)
            elif explanation not in self.refused:
                self.refused.append(explanation)
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


def unseen() -> AbstractContextManager[None]:
    """Let nobody see an event loop in which no task runs: that of Playwright's synchronous API waits for the test."""
    idle = asyncio._get_running_loop() is not None and asyncio.current_task() is None
    return no_loop_in_sight() if idle else nullcontext()


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
