"""HTTP/1.1 on a socket: uvicorn's, with limits on what a client may send, and on the time that it takes for that."""

from __future__ import annotations

import json
import logging
from asyncio import TimerHandle, Transport
from typing import Any
from urllib.parse import quote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from fauxserver.hosts.http import MOST_HEADER_BYTES

HEAD_TIME = 30.0
"""For how long a client may be at a request's head, in seconds."""
BODY_TIME = 60.0
"""For how long it may send nothing in the middle of a body."""
HALF_TIME = 1.0
"""For how long one that has closed its side waits for an answer to begin."""
LINGER = 2.0
"""How long we listen to one that is refused, so that it gets to read why."""

# What clients do wrong is told to them; what goes wrong here is an error.
_log = logging.getLogger("fauxserver.http")
_log.setLevel(logging.ERROR)
# A body that breaks off is broken off by us, and told elsewhere.
_log.addFilter(lambda record: "without completing response" not in str(record.msg))

_ASCII = "".join(map(chr, range(128)))


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.logger = _log
        self._between = True
        self._in_head = True
        self._head = 0
        self._refused = False
        self._timer: TimerHandle | None = None
        self._cycles: list[RequestResponseCycle] = []
        """The requests that are not answered yet."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(HEAD_TIME)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wait(None)
        # Of requests that came at once, the one that is being answered is not the last.
        for cycle in self._cycles:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._timer is not None and not self._in_head:
            self._wait(None)
        if self._between and not data.isascii():
            data = _encoded(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
            if self._head > MOST_HEADER_BYTES:
                if self.headers:
                    self.refuse(431, f"The headers are longer than {MOST_HEADER_BYTES} bytes.")
                else:
                    self.refuse(414, f"The url is longer than {MOST_HEADER_BYTES} bytes.")
            elif self._timer is None:
                self._wait(HEAD_TIME)
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self._wait(BODY_TIME)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client has closed its side: it has left, or waits for what it has asked for."""
        cycle = self.cycle
        if self._refused or cycle is None or cycle.response_complete or cycle.response_started or cycle.more_body:
            return None
        cycle.keep_alive = False
        self._wait(None)
        self._timer = self.loop.call_later(HALF_TIME, self.transport.close)
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._between = False
        self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._timer is not None:
            self._wait(None)
        if self.url == b"*":
            self.url = b"/*"
        before = self.cycle
        super().on_headers_complete()
        if before is None or before.response_complete:
            self._cycles = [self.cycle]
        elif self.cycle is not before:
            self._cycles.append(self.cycle)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._between = True

    def send_400_response(self, msg: str) -> None:
        self.refuse(400, f"{msg} It does not follow HTTP/1.1.")

    def refuse(self, status: int, reason: str) -> None:
        """Say what is wrong with a request that cannot be read, and close."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            # In the middle of another answer nothing can be said.
            self.transport.close()
            return
        body = json.dumps({"error": reason}).encode()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.write_eof()
        self._wait(None)
        # To close while something unread is there would take the answer back.
        self._timer = self.loop.call_later(LINGER, self.transport.close)

    def _wait(self, seconds: float | None) -> None:
        """Give the client so many seconds for what comes next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._in_head and not self._head and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
        elif self._in_head:
            self.refuse(408, f"The head of the request was not complete after {HEAD_TIME:g} seconds.")
        elif self.flow.read_paused:
            self._wait(BODY_TIME)
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self.cycle.keep_alive = False
            self.cycle.response_complete = self.cycle.response_started = True
            self.cycle.message_event.set()
            self.refuse(408, f"Nothing more of the body has come for {BODY_TIME:g} seconds.")


def _encoded(data: bytes) -> bytes:
    """The beginning of a request whose url is not encoded: curl sends what one types."""
    line, end, rest = data.partition(b"\r\n")
    return quote(line, safe=_ASCII).encode() + end + rest if end and b" HTTP/1." in line else data
