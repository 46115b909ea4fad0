"""A real port, for as long as a `with` block lasts: uvicorn on a thread of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn


@contextmanager
def serving(app: Any, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an ASGI application, such as a server, and give its address."""
    with socket.create_server((host, port)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = Thread(target=server.run, args=([listening],), name="fauxserver live", daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.001)
        try:
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
