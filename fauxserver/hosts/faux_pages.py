"""Answers, in a test that has `faux`, the pages that Playwright opens: those of pytest-playwright, and any others."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from fauxserver.explanation import Explanation
from fauxserver.hosts.attachment import PARTS
from fauxserver.hosts.faux import Faux
from fauxserver.hosts.playwright import attach
from fauxserver.messages import Request
from fauxserver.routes import in_reach
from fauxserver.server import FauxServer
from fauxserver.unmatched import is_asset

_PATIENCE = 1_000
"""So many milliseconds a page has to answer."""
# What opens a context, and how to get from its result to that.
_OPENERS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("Browser", "new_context", lambda context: context),
    ("Browser", "new_page", lambda page: page.context),
    ("BrowserType", "launch_persistent_context", lambda context: context),
)


@contextmanager
def answering(server: Faux, base: str | None, fixtures: Iterable[Any]) -> Iterator[Pages]:
    """Answer the contexts that *fixtures* hold (browsers, contexts and pages), and those that are opened meanwhile.

    *base* is where the app is served. A request below it that no route wants, or from a page to its own origin if there
    is none, is not for a test to make.
    """
    pages = Pages(server, base)
    with ExitStack() as stack:
        # Those who hear of changes may leave in any order.
        stack.callback(setattr, server, "on_change", server.on_change)
        stack.callback(pages.detach)
        for name in ("playwright.sync_api", "playwright.async_api"):
            if name in sys.modules:
                for opener in _OPENERS:
                    stack.callback(_watch(sys.modules[name], *opener, pages))
        pages.find(fixtures)
        yield pages


class Pages:
    """The browser contexts of a test."""

    def __init__(self, server: Faux, base: str | None) -> None:
        self._server = server
        self._base = base
        self._attached: dict[Any, Callable[[], Any]] = {}

    # Beginning and end

    def find(self, values: Iterable[Any]) -> None:
        """Answer the contexts that were opened before."""
        for value in values:
            # By name: there are two of each class, and either may not have been imported.
            if type(value).__module__.partition(".")[0] == "playwright":
                kind = type(value).__name__
                found = {"Browser": "contexts", "Page": "context"}.get(kind)
                contexts = getattr(value, found) if found else value if kind == "BrowserContext" else []
                for context in contexts if isinstance(contexts, list) else [contexts]:
                    _finish(context, self.attach(context))

    def attach(self, context: Any) -> Any:
        """Answer a context's pages. With the asynchronous API, this is to be awaited."""
        if context in self._attached:
            return None
        self._attached[context] = lambda: None
        context.on("close", lambda _: self._attached.pop(context, None))
        context.on("request", self.see)
        detach = attach(context, self._server, on_unmatched=self.judge)
        if inspect.isawaitable(detach):
            return self._keep(context, detach)
        self._attached[context] = detach
        return None

    async def _keep(self, context: Any, detach: Awaitable[Callable[[], Any]]) -> None:
        self._attached[context] = await detach

    def detach(self) -> None:
        """Leave those that are still open to themselves again."""
        for context, detach in reversed(list(self._attached.items())):
            context.remove_listener("request", self.see)
            _finish(context, detach())
        self._attached.clear()

    def settle(self) -> None:
        """Let the requests come in that the pages have made before."""
        for context in list(self._attached):
            for page in context.pages:
                # What the page has asked for comes to us before it answers. It may be gone, or busy for good.
                with suppress(Exception):
                    _finish(context, page.wait_for_function("() => true", timeout=_PATIENCE))

    # What no route wants

    def judge(self, explanation: Explanation, word: str) -> str:
        """Say what becomes of a request that is not answered."""
        return self._server.judge(Request(explanation.method, explanation.url, base=_root_of(explanation.url)))

    def see(self, request: Any) -> None:
        """Look at a request of a page: of most that no route can match Playwright does not ask."""
        url = request.url.partition("#")[0]
        if request.resource_type in PARTS or request.redirected_from or not _is_http(url) or is_asset(url):
            return
        page = _page_of(request)
        if page is None or not self._server.enabled:
            return
        root = _root_of(page)
        asked = Request(request.method, url, base=root)
        # (Without what Faux remembers of a request that nobody answers.)
        if _root_of(url) != root if self._base is None else not in_reach(asked, self._base):
            return
        folder = page[: page.rindex("/") + 1]
        if all(FauxServer.accept(self._server, asked._replace(base=base)) is None for base in (folder, root)):
            self._server.judge(asked)


def _finish(context: Any, result: Any) -> None:
    """Wait for what the asynchronous API has begun. Its loop runs only while a test or a fixture does."""
    if inspect.isawaitable(result):

        async def finish() -> None:
            await result

        context._loop.run_until_complete(finish())


def _watch(api: Any, owner: str, name: str, context_of: Callable[[Any], Any], pages: Pages) -> Callable[[], None]:
    """Attach whatever a method opens, until the function that this returns is called."""
    cls = getattr(api, owner)
    original = getattr(cls, name)
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def opened_async(*args: Any, **options: Any) -> Any:
            result = await original(*args, **options)
            attached = pages.attach(context_of(result))
            if inspect.isawaitable(attached):
                await attached
            return result

        setattr(cls, name, opened_async)
    else:

        @functools.wraps(original)
        def opened(*args: Any, **options: Any) -> Any:
            result = original(*args, **options)
            pages.attach(context_of(result))
            return result

        setattr(cls, name, opened)
    return lambda: setattr(cls, name, original)


def _page_of(request: Any) -> str | None:
    """The address of the document that makes a request, without its query."""
    try:
        url = str(request.frame.url)
    except Exception:  # A service worker's has no frame.
        return None
    return url.partition("#")[0].partition("?")[0] if _is_http(url) else None


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _root_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]) + "/"
