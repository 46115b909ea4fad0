"""As much of an HTTP client as the tests of a real port need: what goes over the wire, and nothing that helps."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    """An answer, its headers in lower case, without the date."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str) -> http.client.HTTPConnection:
    """A connection that stays."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)


def ask_on(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """One request on a connection."""
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    found.pop("date", None)
    return Reply(response.status, found, response.read())


def ask(url: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """One request on a connection of its own."""
    with closing(connect(url)) as connection:
        return ask_on(connection, method, path, body, headers)


def dial(url: str) -> socket.socket:
    """A bare connection."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def say(url: str, text: bytes, *, close_side: bool = False) -> bytes:
    """Send *text*, and read until the server closes."""
    with dial(url) as connection:
        connection.sendall(text)
        if close_side:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def head_of(answer: bytes) -> bytes:
    """The first line of an answer."""
    return answer.partition(b"\r\n")[0]
