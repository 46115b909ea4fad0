"""One line on the terminal for each request: what was asked, how it was answered, and where that is written."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from rich.console import Console
from rich.text import Text

from fauxserver.hosts.asgi import Told

_PAUSE = 0.05
_MOST_STYLED = 200


class Report:
    """Prints what it is told, off the event loop and in batches: no request waits for the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: deque[Told] = deque()
        self._planned = False

    def __call__(self, told: Told) -> None:
        self._told.append(told)
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_later(_PAUSE, self._start)

    def _start(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._run)

    def _run(self) -> None:
        self._planned = False
        # Nobody may be there to read it.
        with contextlib.suppress(OSError, ValueError):
            self.flush()

    def flush(self) -> None:
        """Print what there is."""
        lines = [self._told.popleft() for _ in range(len(self._told))]
        if not lines:
            return
        if self._console.is_terminal and len(lines) <= _MOST_STYLED:
            for told in lines:
                self._console.print(styled(told), soft_wrap=True)
        else:
            self._console.file.write("".join(f"{plain(told)}\n" for told in lines))
            self._console.file.flush()


def plain(told: Told) -> str:
    """A line.

    >>> plain(Told("GET", "/books/7", 200, 1.2, "read_book routes.py:12"))
    'GET /books/7 → 200, 1 ms, read_book routes.py:12'
    """
    line = f"{told.method} {printable(told.target)} → {told.status or 'left'}, {told.duration:.0f} ms"
    if told.where:
        line += f", {told.where}"
    if told.problem:
        line += f"\n{_indented(told.problem)}"
    return line


def styled(told: Told) -> Text:
    """The same, coloured as the status is."""
    status = told.status
    style = "dim" if not status else "red" if status >= 500 else "yellow" if status >= 400 else "green"
    line = Text()
    line.append(told.method, "bold")
    line.append(f" {printable(told.target)} → ")
    line.append(str(status) if status else "left", style)
    line.append(f", {told.duration:.0f} ms", "dim")
    if told.where:
        line.append(f", {told.where}", "dim")
    if told.problem:
        line.append(f"\n{_indented(told.problem)}", style)
    return line


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.rstrip().splitlines())


def printable(text: str) -> str:
    """A text from elsewhere, without what would steer the terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
