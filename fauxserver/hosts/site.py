"""A static web server for the demo: its own folders only, on this machine only."""

from __future__ import annotations

import contextlib
import hashlib
import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Not what this machine's registry says: one that calls .js text/plain would stop every page.
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Site(ThreadingHTTPServer):
    """Serves *folders*, each below its prefix: `{"/": demo, "/fauxserver/": static}`.

    The longest prefix wins. Raises OSError if the port is taken; port 0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, folders: Mapping[str, Path], port: int = 0) -> None:
        self.folders = {prefix: folder.resolve() for prefix, folder in folders.items()}
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def find(self, path: str) -> Path | None:
        """The file that *path* names; nothing that lies outside of the folders."""
        for prefix in sorted(self.folders, key=len, reverse=True):
            if path.startswith(prefix):
                folder = self.folders[prefix]
                file = (folder / path.removeprefix(prefix).lstrip("/")).resolve()
                file = file / "index.html" if file.is_dir() else file
                return file if file.is_relative_to(folder) and file.is_file() else None
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        try:
            file = self.server.find(unquote(target.path))
        except ValueError:  # A null byte, say.
            file = None
        if file is None:
            self._answer(HTTPStatus.NOT_FOUND, b"Not found", {"Content-Type": "text/plain"})
            return
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        # The loader asks for the runtime's files with their hash: what it names never changes.
        lasting = target.query and file.suffix in (".bin", ".js")
        headers = {"ETag": tag, "Cache-Control": "max-age=31536000, immutable" if lasting else "no-cache"}
        if tag in (self.headers.get("If-None-Match") or ""):
            self._answer(HTTPStatus.NOT_MODIFIED, b"", headers)
            return
        kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._answer(HTTPStatus.OK, content, {**headers, "Content-Type": kind})

    do_HEAD = do_GET

    def _answer(self, status: HTTPStatus, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("X-Content-Type-Options", "nosniff")
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def handle(self) -> None:
        # A page that was closed while it loaded.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the page's console tells what was asked."""
