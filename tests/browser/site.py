"""The web site that the browser visits: a stock static server, and a real API behind the page."""

import contextlib
import hashlib
import json
import mimetypes
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

# What stock servers call them.
TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".bin": "application/octet-stream",
    ".py": "text/x-python",
}


# What a slow server sends at a time.
STEP = 16_384


class Seen(NamedTuple):
    """A request that reached the network."""

    method: str
    path: str
    body: str


Body: TypeAlias = "bytes | Iterator[bytes]"


class Reply(NamedTuple):
    """What is answered at a path, whatever lies there."""

    status: int
    # What is not there at once goes out piece by piece, as it comes.
    body: Body = b""
    headers: Mapping[str, str] = {}
    # More bytes than the body has: then the connection breaks off.
    promised: int | None = None


class Site:
    """Serves *mounts* (prefix → folder) and what a test writes; below /real/ answers the real API.

    ``site.replies`` holds the answers that a test wants at an address instead: a damaged file, a missing one;
    ``site.once`` those that only the first request there gets; ``site.handlers`` the functions that are asked for one,
    with the request's method, headers and body. ``site.rate`` is how many bytes it sends in a second.
    ``site.first`` is a script that every page runs before its own, for engines that cannot be told to.
    ``site.raw`` holds functions by prefix that write their answers themselves: they are given http.server's handler and
    the request's body.
    """

    FIRST = "/first-in-every-page.js"

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        self.mounts = dict(mounts)
        self.files: dict[str, bytes] = {}
        self.replies: dict[str, Reply] = {}
        self.once: dict[str, Reply] = {}
        self.handlers: dict[str, Callable[[str, Mapping[str, str], bytes], Reply]] = {}
        self.rate: int | None = None
        self.raw: dict[str, Callable[[BaseHTTPRequestHandler, bytes], None]] = {}
        self.requests: list[Seen] = []
        self.first = ""
        self._held: dict[str, threading.Event] = {}
        self._line = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body are two writes, and the second would wait for the first to be acknowledged.
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length)
                for prefix, write in site.raw.items():
                    if self.path.startswith(prefix):
                        site.requests.append(Seen(self.command, unquote(self.path), sent.decode("utf-8", "replace")))
                        return write(self, sent)
                reply = site.answer(self.command, self.path, sent, self.headers)
                self.send_response(reply.status)
                if isinstance(reply.body, bytes):
                    framing = {"Content-Length": str(reply.promised or len(reply.body))}
                else:
                    framing = {"Transfer-Encoding": "chunked"}
                if reply.status == 204:
                    framing = {}
                for name, value in {**framing, **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    site.send(reply.body, self.wfile)
                if reply.promised:
                    self.close_connection = True

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_patch = do_CHICKEN = answer

            def handle(self) -> None:
                # A page may be closed while it loads.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def start(self) -> "Site":
        self._thread.start()
        return self

    def stop(self) -> None:
        self.clear()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def clear(self) -> None:
        """As if no test had been here."""
        self.files, self.replies, self.once, self.handlers, self.requests, self.raw = {}, {}, {}, {}, [], {}
        self.rate = None
        for path in list(self._held):
            self.release(path)

    def write(self, path: str, content: str | bytes) -> str:
        """Put a file at *path* ("/page.html") and return its whole address."""
        self.files[path] = content.encode() if isinstance(content, str) else content
        return self.url + path

    def hold(self, path: str) -> None:
        """Answer nothing at *path* before it is released."""
        self._held[path] = threading.Event()

    def release(self, path: str) -> None:
        self._held.pop(path).set()

    def bytes(self, path: str) -> bytes:
        """What lies at *path* (for tests that damage it)."""
        return self.files[path] if path in self.files else self._mounted(path).read_bytes()  # type: ignore[union-attr]

    def reached(self, prefix: str = "/real/") -> list[Seen]:
        """The requests below *prefix* that came over the network, in order."""
        return [seen for seen in self.requests if seen.path.startswith(prefix)]

    def answer(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        path = unquote(urlsplit(target).path)
        if path == self.FIRST:
            return Reply(200, self.first.encode(), {"Content-Type": "text/javascript", "Cache-Control": "no-store"})
        reply = self._answer(method, target, path, body, headers)
        is_page = reply.headers.get("Content-Type", "").startswith("text/html")
        if self.first and is_page and isinstance(reply.body, bytes) and reply.body:
            doctype, _, rest = reply.body.partition(b">")
            return reply._replace(body=doctype + f'><script src="{self.FIRST}"></script>'.encode() + rest)
        return reply

    def _answer(self, method: str, target: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.requests.append(Seen(method, unquote(target), body.decode("utf-8", "replace")))
        if held := self._held.get(path):
            held.wait()
        if path in self.once:
            return self.once.pop(path)
        if path in self.handlers:
            return self.handlers[path](method, headers, body)
        if path in self.replies:
            return self.replies[path]
        if path.startswith("/real/"):
            return self._real(method, target, body)
        if path in self.files:
            return _file(path, self.files[path], headers)
        mounted = self._mounted(path)
        if mounted is None:
            return Reply(404, b"Not found", {"Content-Type": "text/plain"})
        return _file(path, mounted.read_bytes(), headers)

    def send(self, body: Body, out: BinaryIO) -> None:
        """Write *body*; where there is a rate, all connections share it."""
        if not isinstance(body, bytes):
            for piece in body:
                out.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            out.write(b"0\r\n\r\n")
            return
        if self.rate is None:
            out.write(body)
            return
        for start in range(0, len(body), STEP):
            with self._line:
                time.sleep(STEP / self.rate)
            out.write(body[start : start + STEP])

    def _mounted(self, path: str) -> Path | None:
        for prefix, folder in self.mounts.items():
            file = folder / path.removeprefix(prefix)
            if path.startswith(prefix) and file.is_file() and file.resolve().is_relative_to(folder.resolve()):
                return file
        return None

    def _real(self, method: str, target: str, body: bytes) -> Reply:
        """The real server: tells what it was asked, and fails below /real/fail."""
        answer: dict[str, Any] = {"real": True, "method": method, "path": target}
        if body:
            try:
                answer["body"] = json.loads(body)
            except ValueError:
                answer["body"] = body.decode("utf-8", "replace")
        return Reply(
            500 if target.startswith("/real/fail") else 200,
            json.dumps(answer).encode(),
            {"Content-Type": "application/json", "Cache-Control": "no-store"},
        )


def manifest(site: Site) -> dict[str, Any]:
    """What the build says of the runtime's files."""
    runtime: dict[str, Any] = json.loads(site.bytes("/fauxserver/manifest.json"))["runtime"]
    return runtime


def _file(path: str, content: bytes, headers: Mapping[str, str]) -> Reply:
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    fresh = {"ETag": tag, "Cache-Control": "no-cache"}
    if headers.get("If-None-Match") == tag:
        return Reply(304, b"", fresh)
    suffix = Path(path).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Reply(200, content, {**fresh, "Content-Type": kind})
