"""The page's own Python: its route files, and what `runPython` is given."""

from __future__ import annotations

import ast
import importlib
import json
import linecache
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from fauxserver.errors import FauxServerError, TimeLimitError
from fauxserver.guard import Stopped
from fauxserver.hosts import pageguard
from fauxserver.hosts.pagefault import attempt
from fauxserver.messages import to_json
from fauxserver.routefile import RouteFile, metadata
from fauxserver.server import FauxServer

LOAD_LIMIT = 20_000
"""How long a route file may run, in milliseconds: what it imports may take its time."""


class Code:
    """What the bridge has run."""

    def __init__(self, server: FauxServer) -> None:
        self.server = server
        self._files: dict[str, RouteFile] = {}
        self._namespace: dict[str, Any] = {"__name__": "__page__", "server": server}
        self._snippets = count(1)

    def metadata(self, source: str, path: str = "routes.py") -> str:
        """What a route file declares: `{dependencies, files, index}`."""
        return attempt(self._metadata, source, path)

    def _metadata(self, source: str, path: str) -> dict[str, Any]:
        found = metadata(source, path)
        return {
            "dependencies": list(found.dependencies),
            "files": list(found.files),
            "index": found.index[0] if found.index else None,
        }

    def wrote(self, path: str) -> None:
        """A file beside a route file was laid down, maybe anew: who imports it gets what it is now."""
        importlib.invalidate_caches()
        linecache.checkcache(path)
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) == path:
                del sys.modules[name]

    def load(self, path: str, source: str, afresh: bool = False) -> str:
        """Run a route file, and include its servers.

        One that has run before keeps what it has in variables, unless it is to be run *afresh*.
        """
        return attempt(self._limited, self._load, path, source, afresh)

    def _load(self, path: str, source: str, afresh: bool) -> None:
        file = self._files.get(path)
        if file is None:
            file = RouteFile(path, source)
            file.run()
            self._files[path] = file
            before: list[FauxServer] = []
        else:
            before = list(file.servers)
            file.reload(source)
            if afresh:
                file.reset()
        for server in before:
            if server not in file.servers:
                self.server.exclude(server)
        for server in file.servers:
            self.server.include(server)

    def run_python(self, code: str) -> str:
        """Run code with the page's server as `server`. `{value}` is that of a last expression, if JSON can hold it."""
        return attempt(self._limited, self._run_python, code)

    def _run_python(self, code: str) -> dict[str, Any]:
        name = f"<runPython {next(self._snippets)}>"
        # For tracebacks; what has no modification time stays.
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = ast.parse(code, name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, name, "exec"), self._namespace)
        if not isinstance(last, ast.Expr):
            return {}
        value = eval(compile(ast.Expression(last.value), name, "eval"), self._namespace)
        try:
            return {"value": json.loads(to_json(value))}
        except FauxServerError:
            return {}

    def _limited(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run code of the page's author, but not for ever."""
        try:
            with self.server.guard(LOAD_LIMIT):
                return function(*args)
        except Stopped as error:
            pageguard.over()
            message = f"The code ran longer than {LOAD_LIMIT / 1000:g} s and was stopped. Does it loop?"
            raise TimeLimitError(message, LOAD_LIMIT).with_traceback(error.__traceback__) from None
        finally:
            # What a route file replaces, it means to.
            pageguard.keep()


pageguard.blocks.add(Code._limited.__code__)
