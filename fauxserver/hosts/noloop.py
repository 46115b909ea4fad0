"""Call a synchronous handler where an event loop runs, so that it sees none."""

from __future__ import annotations

import asyncio
from asyncio import events, tasks
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_loop_in_sight() -> Iterator[None]:
    """Hide the event loop that runs on this thread, if one does.

    A handler that is no coroutine function is a synchronous one on every host: it may call `asyncio.run`, and Django's
    ORM, which refuses to work where a loop runs.
    """
    loop = events._get_running_loop()
    if loop is None:
        yield
        return
    task = asyncio.current_task(loop)
    if task is not None:
        tasks._leave_task(loop, task)
    events._set_running_loop(None)
    try:
        yield
    finally:
        events._set_running_loop(loop)
        if task is not None:
            tasks._enter_task(loop, task)
