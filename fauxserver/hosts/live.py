"""A real port for a server, from within a program: `with serving(server) as url: …`."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from fauxserver.errors import HostError
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.http import App
from fauxserver.hosts.http1 import Protocol
from fauxserver.server import FauxServer

PATIENCE = 0.5
"""When the server ends, requests that are being answered have so many seconds."""


@contextmanager
def serving(app: FauxServer | App, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve *app* in the background, and give its address, without a slash at the end.

    It is a server or any other ASGI application. Port 0 takes a free one. Afterwards the port is free again, and no
    thread is left but one whose handler does not end.

    >>> from urllib.request import urlopen
    >>> with serving(FauxServer().get("motto", {"text": "read more"})) as url:
    ...     urlopen(f"{url}/motto").read()
    b'{"text":"read more"}'
    """
    application: Any = Application(app) if isinstance(app, FauxServer) else app
    listener = listen(host, port)
    server = Server(configure(application))

    def run() -> None:
        # So uvicorn ends when the application does not start.
        with suppress(SystemExit):
            server.run([listener])

    thread = threading.Thread(target=run, name="fauxserver-live", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(0.005)
        if not server.started:
            raise HostError("Cannot serve: the application has not started. Its own error is above.")
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class Server(uvicorn.Server):
    """One that ends at once for those who are being told something endless, and soon for all others."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        if isinstance(app, Application):
            app.end(all=False)
            asyncio.get_running_loop().call_later(PATIENCE, app.end, True)
        await super().shutdown(sockets)


def configure(app: Any, **options: Any) -> uvicorn.Config:
    """How uvicorn is to serve an application."""
    return uvicorn.Config(
        app,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # A client that asks again at the moment when its connection is closed has an error. So not soon.
        timeout_keep_alive=75,
        lifespan="on" if isinstance(app, Application) else "auto",
        ws="none",
        timeout_graceful_shutdown=5,
        **options,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises HostError if that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise HostError(f"Cannot listen on {host!r}: this machine has no such address. Try 127.0.0.1.") from None
    family, _, _, _, where = found[0]
    # With its protocol named: only then does asyncio turn off the pause between two small packets.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise HostError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another port; 0 takes a free one."
        ) from error
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address of what a socket listens to, as a client has to write it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
