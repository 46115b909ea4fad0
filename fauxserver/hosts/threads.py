"""Where handlers run under HTTP: on a thread of their own, one after another, as in the page; until one blocks.

The thread at work (the *front*) does what is asked of it, one job after another, and in between runs the event loop of
the asynchronous handlers. Jobs are called while no event loop runs there, so that `asyncio.run` and the like work in
them. It is always the same thread, the *home*, so that objects which belong to a thread (SQLite's) can be shared
by all handlers and by the route file.

A job that keeps the front for longer than the `grace` while others wait is left alone with its thread: another one
takes over the queue and, as it is not running at that moment, the event loop with all that waits there. Once the home
is free again it is given back both.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from collections import deque
from collections.abc import Callable
from time import monotonic, perf_counter
from types import CoroutineType
from typing import Any

from fauxserver.guard import Stopped, raise_in

GRACE = 0.05
"""For how long a job may keep the others waiting, in seconds; it is looked after as often as this."""
MOST = 256
"""The most threads. With so many handlers that never end, the others wait."""
IDLE = 10.0
"""After so many seconds without work a thread that helps out ends."""
_BATCH = 0.001
_TURN = 0.02


class Job:
    """Something to do on the handlers' thread, and the future that waits for it on the loop of who asks."""

    __slots__ = ("future", "loop", "result")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None

    def run(self) -> Any:
        """Do it, on the thread. A coroutine that it returns is awaited there."""
        raise NotImplementedError

    @property
    def awaited(self) -> asyncio.Task[Any] | None:
        """The task that it has become on the handlers' event loop."""
        return None

    def took(self, seconds: float) -> None:
        """Told when it has kept its thread for so long, or does so still."""

    def deliver(self) -> None:
        """Tell who waits, on their loop."""
        if not self.future.done():
            if isinstance(self.result, _Raised):
                self.future.set_exception(_harmless(self.result.error))
            else:
                self.future.set_result(self.result)


def _harmless(error: BaseException) -> Exception:
    """An exception that does not end the event loop to which it is brought."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    told = RuntimeError(f"{type(error).__name__}: {error}")
    told.__cause__ = error
    return told


class Call(Job):
    """A function that is called."""

    __slots__ = ("function",)

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> None:
        super().__init__(loop)
        self.function = function

    def run(self) -> Any:
        return self.function()


class _Raised:
    """What a job raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Loop(asyncio.SelectorEventLoop):
    """The event loop of the handlers. It may be run by one thread after another, and be spoken to by all of them.

    In the page a `def` handler may put something into an `asyncio.Queue` that an `async def` handler waits for; so
    here, also where it is on another thread at the moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.set_task_factory(_make_task)

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        if self._thread_id not in (None, threading.get_ident()):
            return self.call_soon_threadsafe(callback, *args, context=context)
        return super().call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        timer = super().call_at(when, callback, *args, context=context)
        if self._thread_id not in (None, threading.get_ident()):
            self.call_soon_threadsafe(bool)  # It is to look at its timers again.
        return timer

    _thread_id: int | None


def _make_task(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    loop.tasks.add(task)
    task.add_done_callback(loop.tasks.discard)
    return task


class Threads:
    """The handlers' thread, and those that take over from it. They start with the first job."""

    def __init__(self, *, grace: float = GRACE) -> None:
        self.grace = grace
        self.workers: set[_Worker] = set()
        self._queue: deque[Job] = deque()
        self._lock = threading.Lock()
        self._home: _Worker | None = None
        self._front: _Worker | None = None
        """Who takes jobs; nobody while the one who would is known to be busy for long."""
        self._returning = False
        """Whether the home waits to be the front again."""
        self._idle: list[_Worker] = []
        self._loop: Loop | None = None
        self._outboxes: dict[asyncio.AbstractEventLoop, _Outbox] = {}
        self._done = 0
        """How many jobs the fronts have done."""
        self._watcher: threading.Thread | None = None
        self._watching = False
        self._wanted = _Signal()
        self._closed = False

    # What one asks of it, on the loop of the server

    async def call(self, function: Callable[[], Any]) -> Any:
        """Call *function* where the handlers are called; what it returns, awaited if need be."""
        job = Call(asyncio.get_running_loop(), function)
        self.submit(job)
        return await job.future

    def submit(self, job: Job) -> None:
        """Have a job done, after those that came before."""
        self._queue.append(job)
        front = self._front
        if front is None:
            with self._lock:
                self._take_over()
        elif not front.awake:
            front.awake = True
            front.wake()
        if not self._watching:
            self._watch()

    def submit_aside(self, job: Job) -> None:
        """Have a job done that keeps its thread for long: on one that does nothing else."""
        with self._lock:
            self._helper().start(job)

    def step_aside(self, job: Job) -> None:
        """Of a job that is known to take long: let another thread be the front while this one is at it."""
        self._send()
        with self._lock:
            if self._front is not None and self._front.job is job:
                if self._queue or (self._loop is not None and self._loop.tasks):
                    self._take_over()
                else:
                    # Nobody waits; whoever comes finds another thread.
                    self._front = None

    def stop(self, job: Job) -> bool:
        """Raise Stopped in a job that nobody waits for; says whether it is at work still."""
        for worker in list(self.workers):
            if worker.job is job and worker.inside:
                worker.stopping = True
            elif not worker.blocked_by(job.awaited):
                continue
            raise_in(worker.thread.ident or 0, Stopped)
            return True
        return False

    def end(self) -> None:
        """Have the threads end as soon as they have nothing to do."""
        self._closed = True
        self._wanted.give()
        for worker in list(self.workers):
            worker.awake = True
            worker.wake()

    def close(self) -> None:
        """The same, and wait for those that are not at a handler."""
        self.end()
        for worker in list(self.workers):
            if worker.thread is not threading.current_thread():
                worker.thread.join(1.0 if worker.job is None else 0.01)
        if self._watcher is not None:
            self._watcher.join(1.0)

    # What its threads do

    def _take_over(self) -> None:
        """Give queue and event loop to a thread that is free. (Under the lock.)"""
        if self._closed:
            return
        old = self._front
        if old is not None and old.in_loop:
            # An asynchronous handler blocks the loop. Who waits there waits with it.
            old.orphan = self._loop
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None
        if self._home is None:
            worker = self._home = _Worker(self)
        elif self._home in self._idle:
            worker = self._home
            self._idle.remove(worker)
        elif len(self.workers) < MOST or self._idle:
            worker = self._helper()
        else:
            return
        if self._loop is None:
            self._loop = Loop()
        self._returning = False
        self._front = worker
        worker.start(None)

    def _helper(self) -> _Worker:
        helpers = [worker for worker in self._idle if worker is not self._home]
        if not helpers:
            return _Worker(self)
        self._idle.remove(helpers[-1])
        return helpers[-1]

    def _watch(self) -> None:
        self._watching = True
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._look_after, name="fauxserver-watch", daemon=True)
            self._watcher.start()
        self._wanted.give()

    def _look_after(self) -> None:
        """See that jobs get done: have another thread take over from one that is stuck."""
        while not self._closed:
            self._wanted.take()
            stuck = quiet = 0
            done = -1
            while quiet < 20 and not self._closed:
                self._wanted.take(self.grace)
                # What was done before a job that keeps its thread.
                self._send()
                with self._lock:
                    front, loop = self._front, self._loop
                    if front is None:
                        stuck, quiet = 0, quiet + 1
                        continue
                    waiting = bool(self._queue or (front.job is not None and loop is not None and loop.tasks))
                    moved, done = done != self._done, self._done
                    stuck = stuck + 1 if waiting and not moved else 0
                    quiet = 0 if waiting or moved else quiet + 1
                    # On a busy machine a loop may take its time.
                    if stuck >= (4 if front.in_loop else 1):
                        if front.job is not None:
                            front.job.took(self.grace)
                        self._take_over()
                        stuck, done = 0, -1
            self._watching = False
            if self._queue:
                self._watching = True
                self._wanted.give()

    def _answer(self, job: Job) -> None:
        """Bring a job's result to the loop that waits for it."""
        outbox = self._outboxes.get(job.loop)
        if outbox is None:
            with self._lock:
                for loop in [loop for loop in self._outboxes if loop.is_closed()]:
                    del self._outboxes[loop]
                outbox = self._outboxes.setdefault(job.loop, _Outbox(job.loop))
        outbox.jobs.append(job)

    def _send(self) -> None:
        for outbox in list(self._outboxes.values()):
            if outbox.jobs and not outbox.sent:
                outbox.send()

    async def _finish(self, job: Job, awaitable: Any) -> None:
        """Await what a job returned."""
        try:
            job.result = await awaitable
        except BaseException as error:
            job.result = _Raised(error)
        self._answer(job)
        self._send()


class _Signal:
    """What a thread waits for; given more than once before it is taken, it was given once."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        # A bare lock: a `threading.Event` takes ten times as long.
        self._lock = threading.Lock()
        self._lock.acquire()

    def give(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._lock.release()

    def take(self, timeout: float | None = None) -> bool:
        return self._lock.acquire(timeout=-1 if timeout is None else timeout)


class _Outbox:
    """Results on their way to a loop: it is woken once for all that are there when it looks."""

    __slots__ = ("jobs", "loop", "sent")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.jobs: deque[Job] = deque()
        self.sent = False

    def send(self) -> None:
        self.sent = True
        try:
            self.loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:  # It is closed; nobody waits.
            self.jobs.clear()
            self.sent = False

    def _deliver(self) -> None:
        self.sent = False
        while self.jobs:
            self.jobs.popleft().deliver()


class _Worker:
    """A thread, and what it does at the moment."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self.job: Job | None = None
        self.inside = False
        """Whether it is in the job's own code."""
        self.stopping = False
        """Whether that was told to stop."""
        self.awake = True
        self.in_loop = False
        self.orphan: Loop | None = None
        """An event loop that an asynchronous handler has kept for so long that the others have a new one."""
        self._first: Job | None = None
        self._signal = _Signal()
        self.thread = threading.Thread(target=self._live, name="fauxserver-handlers", daemon=True)
        threads.workers.add(self)

    def start(self, job: Job | None) -> None:
        """Do a job and nothing else; or be the front. (Under the lock.)"""
        self._first = job
        if self.thread.ident is None:
            self.thread.start()
        else:
            self.awake = True
            self._signal.give()

    def blocked_by(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether a task keeps the event loop that this thread runs."""
        loop = self.orphan or (self.threads._loop if self.in_loop else None)
        return task is not None and loop is not None and asyncio.current_task(loop) is task

    def wake(self) -> None:
        """Look at the queue again."""
        loop = self.threads._loop
        if self.in_loop and loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(loop.stop)
        else:
            self._signal.give()

    def _live(self) -> None:
        threads = self.threads
        try:
            while not threads._closed:
                if self._first is not None:
                    job, self._first = self._first, None
                    self._do(job)
                    threads._send()
                    self.job = None
                elif threads._front is self:
                    self._serve()
                if not self._rest():
                    return
        finally:
            with threads._lock:
                threads.workers.discard(self)
                if self in threads._idle:
                    threads._idle.remove(self)
                last = threads._closed and threads._front is self
            if last and threads._loop is not None:
                _close(threads._loop)

    def _rest(self) -> bool:
        """Wait until there is something to do; no more if that takes too long."""
        threads = self.threads
        if self.orphan is not None:
            # First those who wait on a loop that is nobody else's any more.
            orphan, self.orphan = self.orphan, None
            while orphan.tasks and not threads._closed:
                orphan.call_later(0.5, orphan.stop)
                orphan.run_forever()
            _close(orphan)
        home = threads._home is self
        with threads._lock:
            if threads._front is self:
                return True
            if threads._front is None:
                threads._front = self
                if threads._loop is None:
                    threads._loop = Loop()
                return True
            threads._idle.append(self)
            if home:
                threads._returning = True
                threads._front.awake = True
                threads._front.wake()
        until = monotonic() + IDLE
        while True:
            left = None if home else until - monotonic()
            if left is not None and left <= 0:
                with threads._lock:
                    if self in threads._idle:
                        threads._idle.remove(self)
                        return False
            self._signal.take(left)
            if threads._closed:
                return False
            if self._first is not None or threads._front is self:
                return True

    def _serve(self) -> None:
        """Be the front: do jobs, run the event loop, and wait for more of both."""
        threads = self.threads
        queue = threads._queue
        while threads._front is self and not threads._closed:
            started = began = perf_counter()
            # The event loop has its turn, too, and the home, if it waits.
            while queue and began - started < _TURN:
                try:
                    job = queue.popleft()
                except IndexError:
                    break
                now = self._do(job)
                threads._done += 1
                if threads._front is not self:
                    threads._send()
                    self.job = None
                    return
                if now - began > _BATCH:
                    threads._send()
                    began = now
            self.job = None
            threads._send()
            loop = threads._loop
            assert loop is not None
            with threads._lock:
                if threads._front is not self:
                    return
                if threads._returning:
                    threads._returning = False
                    if threads._home in threads._idle:
                        threads._take_over()
                        return
                waits = bool(loop.tasks or loop._ready)  # type: ignore[attr-defined]
                self.in_loop = waits
                self.awake = False
                if queue or threads._closed:
                    self.awake = True
                    self.in_loop = False
                    if waits:
                        # The loop has its turn all the same.
                        self.in_loop = True
                        loop.call_soon(loop.stop)
            if waits:
                try:
                    loop.run_forever()
                except BaseException:
                    # A task of somebody's own wants to end us all: SystemExit, say.
                    traceback.print_exc()
                with threads._lock:
                    self.in_loop = False
                threads._done += 1
                if self.orphan is not None:
                    return
            elif not self.awake:
                self._signal.take()
            self.awake = True

    def _do(self, job: Job) -> float:
        threads = self.threads
        self.job = job
        began = perf_counter()
        try:
            self.inside = True
            result = job.run()
            self.inside = False
        except BaseException as error:
            self.inside = False
            result = _Raised(error)
        if self.stopping:
            # It may come a moment late, and is not for what follows.
            with contextlib.suppress(Stopped):
                raise_in(threading.get_ident(), None)
            self.stopping = False
        if type(result) is CoroutineType:
            with threads._lock:
                loop = threads._loop
                if loop is None:
                    loop = threads._loop = Loop()
            loop.call_soon(loop.create_task, threads._finish(job, result))
            front = threads._front
            if front is not self and front is not None:
                front.awake = True
                front.wake()
            return perf_counter()
        job.result = result
        now = perf_counter()
        job.took(now - began)
        threads._answer(job)
        return now


def _close(loop: Loop) -> None:
    """End what still waits on a loop, and the loop."""
    loop.run_until_complete(asyncio.sleep(0))
    for task in list(loop.tasks):
        task.cancel()
    waiting = list(loop.tasks)
    if waiting:
        loop.run_until_complete(asyncio.wait(waiting, timeout=1))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
