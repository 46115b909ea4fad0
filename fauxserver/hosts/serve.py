"""`fauxserver serve routes.py`: a route file over HTTP, on this machine."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import importlib
import io
import re
import socket
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from rich.console import Console
from rich.text import Text

from fauxserver.errors import FauxServerError, FauxServerWarning, HostError, RouteFileError
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.live import Server, address_of, configure, listen
from fauxserver.hosts.report import Report
from fauxserver.routefile import RouteFile
from fauxserver.server import FauxServer
from fauxserver.unmatched import WORDS


class Options(NamedTuple):
    """What the command was told."""

    file: Path
    host: str = "127.0.0.1"
    port: int = 8000
    reload: bool = False
    cors: bool = False
    static: Path | None = None
    latency: str | None = None
    unmatched: str | None = None
    proxy: str | None = None
    base: str | None = None
    quiet: bool = False


def run(options: Options) -> None:
    """Serve, until somebody presses Ctrl+C. Raises FauxServerError for what cannot be done."""
    serve(Served(options))


def serve(served: Served) -> None:
    """The same, with what is served made already."""
    options = served.options
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Not every terminal has every letter.
        sys.stdout.reconfigure(errors="replace")
    share_connections()
    app = served.application()
    asyncio.run(served.load(app))
    listener = listen(options.host, options.port)
    try:
        served.greet(address_of(listener))
        # A handler that loops keeps Python to itself for so long before others get a word in.
        sys.setswitchinterval(0.001)
        server = Watching(configure(app), app, served)
        with contextlib.suppress(KeyboardInterrupt):
            server.run([listener])
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            served.report.flush()


def share_connections() -> None:
    """Let SQLite's connections be used by all threads, where it is built for that: a blocked handler's takes over.

    Python refuses that by default, whatever the library can do.
    """
    if sqlite3.threadsafety < 3:
        return
    module: Any = sqlite3
    plain = module.connect

    @functools.wraps(plain)
    def connect(*args: Any, **options: Any) -> Any:
        if len(args) < 5:
            options.setdefault("check_same_thread", False)
        return plain(*args, **options)

    module.connect = module.dbapi2.connect = connect


class Served:
    """A route file, and the server that answers for it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.server = FauxServer()
        if options.latency is not None:
            self.server.set_latency(*read_latency(options.latency))
        if options.static is not None and not options.static.is_dir():
            raise HostError(f"--static {options.static}: there is no such folder.")
        if options.base is not None:
            self.base = read_base(options.base)
        if options.unmatched is not None and options.unmatched not in WORDS:
            raise HostError(f"--unmatched {options.unmatched}: there are {', '.join(WORDS)}.")
        self.console = Console(highlight=False)
        self.report = Report(self.console)
        self.file = RouteFile(options.file)
        self.changed: frozenset[str] = frozenset()
        """The files that have changed since it ran."""

    def application(self) -> Application:
        """What answers."""
        options = self.options
        return Application(
            self.server,
            cors=options.cors,
            proxy=options.proxy,
            static=options.static,
            unmatched=options.unmatched,
            told=None if options.quiet else self.report,
        )

    async def load(self, app: Application) -> None:
        """Run the route file, where its handlers will be called."""
        assert app.threads is not None
        await app.threads.call(self.run)

    def run(self) -> None:
        """Run it, the first time or once more; its servers stand where they stood."""
        before = list(self.file.servers)
        with self._noting():
            if self.file.module is None:
                self.file.run()
            else:
                self._import_anew()
                self.file.reload()
            for server in before:
                if server not in self.file.servers:
                    self.server.exclude(server)
            for server in self.file.servers:
                self.server.include(server)
                if self.options.base is not None:
                    server.base = self.base
            if not self.file.servers:
                raise HostError(
                    f"{self.file.name} makes no server. Write in it: from fauxserver import FauxServer; "
                    "server = FauxServer()."
                )
            self.server.ready()

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """What there is to warn of is a line like the others."""
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("default")
            yield
        for warning in noted:
            if issubclass(warning.category, FauxServerWarning):
                self.say(str(warning.message), "yellow")
            else:
                where = f"{Path(warning.filename).name}:{warning.lineno}"
                self.say(f"{where}: {warning.category.__name__}: {warning.message}", "yellow")

    def helpers(self) -> dict[str, str]:
        """The modules that lie beside the route file, by their files."""
        folder = Path(self.file.path).parent
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and file != self.file.path and Path(file).parent == folder:
                found[str(file)] = name
        return found

    def _import_anew(self) -> None:
        """Import the modules beside the file that have changed; what the file has from them is replaced."""
        assert self.file.module is not None
        namespace = self.file.module.__dict__
        anew = {name: sys.modules[name] for path, name in self.helpers().items() if path in self.changed}
        importlib.invalidate_caches()
        try:
            for name in anew:
                sys.modules.pop(name)
            source = Path(self.file.path).read_bytes()
            for statement in ast.parse(source, self.file.path).body:
                names = (
                    {alias.name for alias in statement.names}
                    if isinstance(statement, ast.Import)
                    else {statement.module}
                    if isinstance(statement, ast.ImportFrom)
                    else set()
                )
                if names & anew.keys():
                    exec(compile(ast.Module([statement], []), self.file.path, "exec"), namespace)
        except Exception as error:
            sys.modules.update(anew)
            raise self.file._fault(error, self.file._source) from error

    # Words on the terminal

    def say(self, text: str, style: str = "") -> None:
        """A line of ours."""
        self.console.print(Text(text, style), soft_wrap=True)

    def greet(self, url: str) -> None:
        """Where it is."""
        count = len(self.server)
        routes = f"{count} route{'' if count == 1 else 's'}"
        self.say(f"{self.file.name}: {routes} at {url} (Ctrl+C ends it)", "bold")
        if self.options.host not in ("127.0.0.1", "localhost", "::1"):
            self.say(f"Other machines can reach it: it listens on {self.options.host}.", "yellow")

    def reloaded(self) -> None:
        """What has become of a change."""
        count = len(self.server)
        self.say(f"{self.file.name} has changed: {count} route{'' if count == 1 else 's'}, the data kept", "bold")


class Watching(Server):
    """A server that looks after the route file, too."""

    def __init__(self, config: uvicorn.Config, app: Application, served: Served) -> None:
        super().__init__(config)
        self._app = app
        self._served = served
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._served.options.reload:
            self._task = asyncio.create_task(self._watch())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._task is not None:
            self._task.cancel()
        await super().shutdown(sockets)

    async def _watch(self) -> None:
        from watchfiles import awatch

        served = self._served
        folder = Path(served.file.path).parent
        async for changes in awatch(folder, recursive=False, debounce=50, step=20, raise_interrupt=False):
            paths = frozenset(path for _, path in changes)
            if paths & {served.file.path, *served.helpers()}:
                await self._reload(paths)

    async def _reload(self, paths: frozenset[str]) -> None:
        served = self._served
        served.changed = paths
        assert self._app.threads is not None
        try:
            await self._app.threads.call(served.run)
        except FauxServerError as error:
            served.say(f"{told(error)}\nThe routes stay as they were.", "red")
        else:
            served.reloaded()


def told(error: FauxServerError) -> str:
    """An error as the command tells it, with the line it is about."""
    if isinstance(error, RouteFileError) and error.source_line:
        return f"{error}\n    {error.source_line.strip()}"
    return str(error)


# --- Options -------------------------------------------------------------------------------------------------------


def read_latency(text: str) -> tuple[float, ...]:
    """`50` or `50-200`, in milliseconds.

    >>> read_latency("50"), read_latency("50-200")
    ((50.0,), (50.0, 200.0))
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:-\s*(\d+(?:\.\d+)?)\s*)?", text)
    if found is None:
        raise HostError(f"--latency {text}: this is no time. Give milliseconds, as in 50, or two limits, as in 50-200.")
    limits = tuple(float(limit) for limit in found.groups() if limit is not None)
    if len(limits) == 2 and limits[0] > limits[1]:
        raise HostError(f"--latency {text}: the first limit is above the second.")
    return limits


def read_base(text: str) -> str:
    """The address or the path that the routes stand below.

    >>> read_base("api"), read_base("https://api.example.com/v1")
    ('/api', 'https://api.example.com/v1')
    """
    if "?" in text or "#" in text or any(letter.isspace() for letter in text):
        raise HostError(f"--base {text}: this is no address to stand below. Give one as in /api/v1.")
    return text if "://" in text or text.startswith("/") else f"/{text}"
