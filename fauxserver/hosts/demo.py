"""`fauxserver demo`: the library app, its files and, for when the page's own is switched off, its routes over HTTP."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from fauxserver.errors import HostError
from fauxserver.hosts.asgi import Application, Told
from fauxserver.hosts.files import Files
from fauxserver.hosts.live import listen
from fauxserver.hosts.serve import Options, Served, serve

PORT = 8000


def run(static: Path, port: int | None, open: bool) -> None:
    """Serve it, until somebody presses Ctrl+C: on *port*, or on 8000 if that is free. Raises HostError if it is not."""
    serve(_Demo(static, _free() if port is None else port, open))


class _Demo(Served):
    def __init__(self, static: Path, port: int, open: bool) -> None:
        super().__init__(Options(static / "demo" / "routes.py", port=port))
        self.files = Files({"/": static / "demo", "/fauxserver/": static}, hashed=True)
        self.open = open

    def application(self) -> Application:
        return Application(self.server, static=self.files, told=self.tell)

    def tell(self, told: Told) -> None:
        """A line for what the routes answer; the page's files are nothing to tell of."""
        if told.where != "a file":
            self.report(told)

    def greet(self, url: str) -> None:
        self.say(f"The demo is at {url}/ (Ctrl+C ends it)")
        if self.open:
            webbrowser.open(f"{url}/")


def _free() -> int:
    """The usual port, if nobody has it; else any."""
    try:
        listen("127.0.0.1", PORT).close()
    except HostError:
        return 0
    return PORT
