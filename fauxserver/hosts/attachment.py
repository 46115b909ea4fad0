"""A server that answers a page, or a context, of Playwright's: what the sync and the async API share."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin
from weakref import WeakSet

from fauxserver.bodies import UploadedFile, decode
from fauxserver.errors import BodyError, FauxServerError, HandlerError, HTTPError
from fauxserver.exchange import Exchange
from fauxserver.explanation import Explanation
from fauxserver.hosts.http import encode_headers
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.hosts.reach import Urls, beginning, reach, regexps
from fauxserver.messages import Request, Response, encode_piece
from fauxserver.routes import at_home, in_reach
from fauxserver.server import FauxServer
from fauxserver.unmatched import WORDS, judge
from fauxserver.urlexp import Hole

if TYPE_CHECKING:
    OnUnmatched = Callable[[Explanation, str], str | None]

MOST_BYTES = 64 * 1024 * 1024
"""The longest streamed body: Playwright wants it whole."""
MOST_REDIRECTS = 20
MOST_REGISTRATIONS = 8
"""So often Playwright is told of exactly the urls that added routes can match."""
PARTS = frozenset({"document", "stylesheet", "image", "media", "font", "script", "texttrack", "manifest"})
"""What pages are made of. Only a route that names such a url answers it, and nobody is told where none does."""

log = logging.getLogger("fauxserver")


class Attachment:
    """A server that answers a page or a context."""

    def __init__(self, target: Any, server: FauxServer, base: str | None, on_unmatched: OnUnmatched | None) -> None:
        self.target = target
        self.server = server
        self.base = base
        self.on_unmatched = on_unmatched
        self.ended = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.get_ident()
        self.flows: dict[Any, Flow] = {}
        """By Playwright's request."""
        self.passed: WeakSet[Any] = WeakSet()
        """Requests that no route wants: several of our registrations may be asked about one."""
        self.reached: set[Urls] = set()
        """The urls that Playwright has been told of."""
        self.registered: list[Any] = []
        self.before: Callable[[], None] | None = None
        """Who was told of changes before us."""
        # Playwright writes on what it is given to call, as it cannot on a method.
        self.handle = lambda route: self.receive(route)
        self.failed = lambda request: self.give_up(request)
        self.closed = lambda _: self.finish()
        self.left = lambda page: self.leave(page)
        self.pages: WeakSet[Any] = WeakSet()
        """Those that have asked."""

    # Beginning and end

    def hook(self) -> None:
        """Hear of changed routes, of requests that the page gives up, and of the page's end."""
        self.before, self.server.on_change = self.server.on_change, self.changed
        self.target.on("requestfailed", self.failed)
        self.target.on("close", self.closed)
        _attached.add(self)

    def unhook(self) -> None:
        """The opposite of `hook`."""
        _attached.discard(self)
        self.target.remove_listener("requestfailed", self.failed)
        self.target.remove_listener("close", self.closed)
        for page in list(self.pages):
            page.remove_listener("close", self.left)
            page.remove_listener("crash", self.left)
        self.pages.clear()
        if self.server.on_change == self.changed:
            self.server.on_change = self.before

    def end(self) -> list[Any]:
        """Answer nothing any more. Gives Playwright's routes of what was on its way, which is dropped."""
        if self.ended:
            return []
        self.ended = True
        self.unhook()
        # They are to be aborted before Playwright hears that nobody intercepts them: it would send them on.
        return [flow.route for request in list(self.flows) if (flow := self.drop(request)) is not None]

    def finish(self) -> None:
        """The same, where the page has ended."""
        for flow in self.flows.values():
            flow.left = True
        self.end()

    def watch(self, page: Any) -> None:
        """Hear when a page ends: a context may live on."""
        if page is not None and page not in self.pages:
            self.pages.add(page)
            page.on("close", self.left)
            page.on("crash", self.left)

    def give_up(self, request: Any) -> None:
        """The page does not wait for the answer any more."""
        flow = self.drop(request)
        if flow is not None:
            flow.left = True

    def leave(self, page: Any) -> None:
        """Drop what a page that has ended was waiting for."""
        for request, flow in list(self.flows.items()):
            if flow.page is page:
                self.give_up(request)

    def drop(self, request: Any) -> Flow | None:
        """Nobody waits for the answer to *request*."""
        flow = self.flows.pop(request, None)
        if flow is not None:
            if flow.exchange is not None:
                flow.exchange.drop()
            flow.task.cancel()
        return flow

    # Which urls are intercepted

    def changed(self) -> None:
        """The server's routes are others."""
        if self.before is not None:
            self.before()
        if not self.ended:
            self.renew()

    def renew(self) -> None:
        """Tell Playwright of urls that it has not been told of. To be told of too many does no harm."""
        raise NotImplementedError

    def missing(self) -> list[Any]:
        """Regular expressions for the urls that Playwright has yet to be told of."""
        urls = reach(self.server, self.base, self.on_unmatched is not None) - self.reached
        urls = {one for one in urls if beginning(one) not in self.reached}
        if len(self.registered) >= MOST_REGISTRATIONS:
            # Each time Playwright is told all of them again: who adds many routes, one by one, has them told by name.
            urls = {beginning(one) for one in urls}
        self.reached |= urls
        return regexps(urls) if urls else []

    # A request

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a function of Playwright's that waits."""
        raise NotImplementedError

    def step(self, function: Callable[[], None]) -> None:
        """Run a stretch of a handler."""
        function()

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run what may call a handler's code: from the loop itself, where no task and no running loop is seen.

        (In a task, Python 3.14 refuses to run another loop, whatever loop seems to run.)
        """
        assert self.loop is not None
        done: asyncio.Future[Any] = self.loop.create_future()

        def act() -> None:
            try:
                result = function(*args)
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            except BaseException:
                done.cancel()
                raise
            else:
                if not done.done():
                    done.set_result(result)

        def call() -> None:
            if not done.done():
                with no_loop_in_sight():
                    self.step(act)

        self.loop.call_soon(call)
        return await done

    def receive(self, route: Any) -> None:
        """Begin to answer. What Playwright has called ends at once; the answer comes when it is due."""
        self.loop = asyncio.get_running_loop()
        self.flows[route.request] = flow = Flow(route)
        self.watch(flow.page)
        flow.task = self.loop.create_task(self.answer(flow))

    async def answer(self, flow: Flow) -> None:
        """Answer a request, or let it go."""
        route = flow.route
        try:
            with no_loop_in_sight():
                exchange = flow.exchange = None if self.ended else self.accept(route.request)
                delay = exchange.delay if exchange is not None else 0
            if exchange is None:
                await self.release(route)
                return
            if delay:
                await asyncio.sleep(delay / 1000)
            await self.deliver(flow, exchange, await self.respond(exchange))
        except asyncio.CancelledError:
            if not flow.left:
                raise
            # Playwright still waits for us.
            await self.abort(route)
        except Exception as error:
            # What cannot be answered must not wait for ever, either.
            if not self.ended and not _is_closed(route.request):
                log.error("%s %s cannot be answered: %s", route.request.method, route.request.url, error)
            await self.abort(route)
        finally:
            if flow.exchange is not None:
                flow.exchange.drop()
            self.flows.pop(route.request, None)

    async def abort(self, route: Any) -> None:
        """Let a request fail, if there still is one. Playwright waits for us to say something in any case."""
        with suppress(Exception):
            await self.call(route.fallback if _is_closed(route.request) else route.abort)

    def accept(self, request: Any) -> Exchange | None:
        """Take a request of Playwright's on."""
        if not _is_http(request.url):
            return None
        url = request.url.partition("#")[0]
        headers = dict(request.headers)
        body = request.post_data_buffer or b""
        headers.setdefault("host", url.split("/", 3)[2])
        if body:
            headers.setdefault("content-length", str(len(body)))
        override = headers.get("x-http-method-override")
        return self.find(Request(request.method, url, None, headers, body, override), request)

    def find(self, asked: Request, request: Any) -> Exchange | None:
        """Who answers, wherever expressions count from. *request* is what the browser asked for, as Playwright's."""
        default = None
        for base in self.bases(request):
            exchange = self.take(asked._replace(base=base))
            if exchange is not None and exchange.route.name:
                return exchange if request.resource_type not in PARTS or self.is_named(exchange) else None
            default = default or exchange
        return None if request.resource_type in PARTS else default

    def take(self, request: Request) -> Exchange | None:
        """Accept a request, with what it sends."""
        exchange = self.server.accept(request)
        if exchange is not None and request.body:
            try:
                exchange.data = decode(request.body, request.headers.get("content-type", ""))
            except BodyError as error:
                exchange.refuse(HTTPError(400, {"error": str(error)}))
            else:
                empty = _empty_files(exchange.data)
                if empty:
                    exchange.note = (
                        f"{', '.join(empty)} came without content: of a file on disk, Playwright is told the name "
                        "alone. In a test, give set_input_files a buffer."
                    )
                    log.warning("%s %s: %s", request.method, request.url, exchange.note)
        return exchange

    def bases(self, request: Any) -> list[str]:
        """What expressions count from: the one that counts most first."""
        if self.base is not None:
            return [self.base]
        document = None if request.is_navigation_request() else _document(request)
        if document is None:
            return [_root_of(request.url)] if request.is_navigation_request() else ["/"]
        folder = document.partition("#")[0].partition("?")[0]
        folder = folder[: folder.rindex("/") + 1]
        root = _root_of(document)
        return [folder] if folder == root else [folder, root]

    def is_named(self, exchange: Exchange) -> bool:
        """Whether a route names urls of its own, and is not there for what others leave."""
        exp = exchange.route.exp
        if exp.place == "pattern" or any(owner.base for owner in exchange.owners):
            return True
        skipped = {"url": 3, "path": 1}.get(exp.place, 0)
        if self.base is not None and exp.place == "relative" and self.base not in ("/", _root_of(self.base)):
            return True
        for shape in exp.shapes:
            segments = [*shape.segments, *([shape.tail] if shape.tail else [])][skipped:]
            first = segments[0] if segments else ""
            if isinstance(first, Hole) and not first.prefix:
                return False
        return True

    # The answer

    async def respond(self, exchange: Exchange) -> Response:
        """What the handler answers."""
        response = await self.run(exchange.answer)
        if not isinstance(response, Response):
            response = await response
        return response  # type: ignore[no-any-return]

    async def deliver(self, flow: Flow, exchange: Exchange, response: Response) -> None:
        """Give the browser an answer, the one at the end of its redirects."""
        route, request = flow.route, flow.route.request
        asked = exchange.request._replace(method=request.method)
        cookies: list[str] = []
        for _ in range(MOST_REDIRECTS):
            if exchange.dropped:
                return await self.abort(route)
            status, headers, body = await self.read(exchange, response)
            target = headers.get("location")
            if status not in (301, 302, 303, 307, 308) or not target:
                break
            # The browser would follow it to the network: Playwright is not asked about redirects.
            redirected = _redirected(asked, status, urljoin(asked.url, target), headers.get("set-cookie"))
            following = self.find(redirected, request) if _is_http(redirected.url) else None
            if following is None:
                break
            cookies += filter(None, [headers.get("set-cookie")])
            if request.is_navigation_request() and redirected.method == "GET":
                status, headers, body = _page_that_goes_to(redirected.url)
                break
            asked, exchange = redirected, following
            flow.exchange = exchange
            if exchange.delay:
                await asyncio.sleep(exchange.delay / 1000)
            response = await self.respond(exchange)
        else:
            return await self.abort(route)
        if cookies:
            headers["set-cookie"] = "\n".join([*cookies, *filter(None, [headers.get("set-cookie")])])
        if request.method == "HEAD":
            headers.setdefault("content-length", str(len(body)))
            body = b""
        origin = request.headers.get("origin")
        if origin and origin != _root_of(request.url)[:-1] and "access-control-allow-origin" not in headers:
            # Playwright permits the page to read the answer, but for its headers.
            headers.setdefault("access-control-expose-headers", ", ".join(headers))
        await self.call(route.fulfill, status=status, headers=headers, body=body)

    async def read(self, exchange: Exchange, response: Response) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and the whole body."""
        try:
            # What Chromium cannot send it leaves unanswered.
            encode_headers(response.headers, response.status)
        except HandlerError as error:
            await response.close()
            return 500, {"content-type": "text/plain; charset=utf-8"}, str(error).encode()
        if response.kind != "stream":
            return response.encode()
        headers = response.fields()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        pieces: list[bytes] = []
        size = 0
        body = response._body
        try:
            while True:
                if hasattr(body, "__anext__"):
                    try:
                        piece = await body.__anext__()
                    except StopAsyncIteration:
                        break
                else:
                    # Each by itself, so that others have their turn.
                    piece = await self.run(next, body, pieces)
                    if piece is pieces:
                        break
                pieces.append(encode_piece(piece))
                size += len(pieces[-1])
                if size > MOST_BYTES:
                    raise FauxServerError(
                        f"{exchange.route} streams more than {MOST_BYTES} bytes, and Playwright wants a body whole. "
                        "Let the stream end."
                    )
        finally:
            await response.close()
        return response.status, headers, b"".join(pieces)

    # What no route wants

    async def release(self, route: Any) -> None:
        """Let a request go where it would go without us, or make it fail."""
        request = route.request
        if request not in self.passed:
            self.passed.add(request)
            if self.judge(request) == "error":
                return await self.abort(route)
        await self.call(route.fallback)

    def judge(self, request: Any) -> str:
        """What becomes of a request that no route wants; whoever wants to know is told."""
        if (
            not self.server.enabled
            or self.ended
            or request.resource_type in PARTS
            or not _is_http(request.url)
            or any(other.answers(request) for other in list(_attached) if other is not self)
        ):
            return "bypass"
        asked = Request(request.method, request.url.partition("#")[0], base=self.bases(request)[-1])
        with no_loop_in_sight():
            word = self.word_for(asked, request)
            if word == "bypass":
                return word
            explanation = self.server.explain(asked)
            if self.on_unmatched is None:
                log.warning("%s", explanation)
                return word
            said = self.on_unmatched(explanation, word)
        return said if said in WORDS else word

    def word_for(self, asked: Request, request: Any) -> str:
        for rule in self.server.rules_for(asked):
            word = judge(rule.policy, asked)
            if word is not None:
                return word
        if self.is_ours(asked, request):
            return "error"
        return self.server.default_policy(asked, "fetch" if self.on_unmatched else "sync")

    def is_ours(self, asked: Request, request: Any) -> bool:
        """Whether a url lies below an address that somebody has given us."""
        if any(owner.base and in_reach(asked, owner.base) for owner in self.server._family()):
            return True
        if self.base is None or not in_reach(asked, self.base):
            return False
        document = _document(request)
        return not self.base.startswith("/") or document is None or at_home(asked._replace(base=document), None)

    def answers(self, request: Any) -> bool:
        """Whether it is another attachment to the same page that answers."""
        page = _page_of(request)
        return page is not None and self.target in (page, page.context) and self.accept(request) is not None


_attached: WeakSet[Attachment] = WeakSet()


class Flow:
    """A request on its way."""

    def __init__(self, route: Any) -> None:
        self.route = route
        self.page = _page_of(route.request)
        self.task: asyncio.Task[None]
        self.exchange: Exchange | None = None
        self.left = False
        """Whether the page has given it up."""


# --- What Playwright says of a request -----------------------------------------------------------------------------


def _document(request: Any) -> str | None:
    """The address of the document that a request belongs to, if it has one."""
    try:
        frame = request.frame
        while frame is not None and not _is_http(frame.url):
            frame = frame.parent_frame
    except Exception:
        return None
    return None if frame is None else frame.url


def _page_of(request: Any) -> Any:
    try:
        return request.frame.page
    except Exception:
        # A service worker's, or the first one of a popup.
        return None


def _is_closed(request: Any) -> bool:
    page = _page_of(request)
    return page is not None and page.is_closed()


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _root_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]) + "/"


def _empty_files(data: Any) -> list[str]:
    """The files of a form that have a name and nothing else."""
    if not isinstance(data, dict):
        return []
    values = [value for given in data.values() for value in (given if isinstance(given, list) else [given])]
    return [value.filename for value in values if isinstance(value, UploadedFile) and value.filename and not value.body]


def _redirected(asked: Request, status: int, url: str, cookie: str | None) -> Request:
    """The request that a browser makes when it is sent elsewhere."""
    headers = dict(asked.headers)
    headers["host"] = url.split("/", 3)[2] if "//" in url else ""
    if cookie:
        pairs = [line.partition(";")[0].strip() for line in cookie.split("\n")]
        headers["cookie"] = "; ".join([*filter(None, [headers.get("cookie")]), *pairs])
    if (status == 303 and asked.method != "HEAD") or (status in (301, 302) and asked.method == "POST"):
        for name in ("content-type", "content-length", "content-encoding"):
            headers.pop(name, None)
        return asked._replace(method="GET", url=url.partition("#")[0], headers=headers, body=b"")
    return asked._replace(url=url.partition("#")[0], headers=headers)


def _page_that_goes_to(url: str) -> tuple[int, dict[str, str], bytes]:
    """A page that goes elsewhere at once: so its next request is one that Playwright asks about."""
    import json

    target = json.dumps(url).replace("<", "\\u003c")
    page = f"<!doctype html><script>location.replace({target})</script>"
    return 200, {"content-type": "text/html; charset=utf-8"}, page.encode()
