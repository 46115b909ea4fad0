"""Fetch from the real server what no route wants: `--proxy URL`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from fauxserver.errors import HostError

# What is said between two machines, and not to the one behind (RFC 9110, 7.6.1).
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}


class Unreachable(Exception):
    """The real server has not answered; `status` says how."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Proxy:
    """Passes requests on to *url*, and its answers back as they are: redirects, encodings, cookies, errors.

    Raises HostError for what is no address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise HostError(f"--proxy {url}: this is no address of a server. Give one as in https://api.example.com.")
        self.url = url.rstrip("/")
        self._base = httpx.URL(self.url)
        self._client: httpx.AsyncClient | None = None

    async def fetch(
        self,
        method: str,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: AsyncIterator[bytes] | None,
        forwarded: Mapping[str, str],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        change: Callable[[list[tuple[bytes, bytes]]], list[tuple[bytes, bytes]]],
    ) -> int:
        """Pass a request on, and send the answer, in the pieces in which it comes. Gives the status.

        *change* may change the answer's headers. Raises Unreachable if nothing was sent yet.
        """
        client = self._client
        if client is None:
            # No pool limit: who waits for events keeps a connection.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
            timeout = httpx.Timeout(None, connect=10)
            # To read the certificates of the world takes its time.
            verify = self._base.scheme == "https"
            client = self._client = httpx.AsyncClient(
                limits=limits, timeout=timeout, follow_redirects=False, verify=verify
            )
            client.headers.clear()
        prefix = self._base.raw_path.rstrip(b"/")
        url = self._base.copy_with(raw_path=prefix + target)
        request = httpx.Request(method, url, headers=_passed(headers, forwarded), content=body)
        try:
            response = await client.send(request, stream=True)
        except httpx.TimeoutException:
            raise Unreachable(504, f"{self.url} has not answered in time.") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            said = str(error) or type(error).__name__
            raise Unreachable(502, f"{self.url} cannot be reached: {said}. Is it running?") from None
        try:
            dropped = _dropped([(name.lower(), value) for name, value in response.headers.raw])
            # The date is ours, which every answer has.
            pairs = [pair for pair in response.headers.raw if pair[0].lower() not in {*dropped, b"date"}]
            await send({"type": "http.response.start", "status": response.status_code, "headers": change(pairs)})
            # With its last byte the answer is over, whatever the connection does then.
            length = response.headers.get("content-length", "")
            left = int(length) if length.isdigit() and method != "HEAD" else 0
            over = False
            async for piece in response.aiter_raw():
                left -= len(piece)
                over = left == 0
                await send({"type": "http.response.body", "body": piece, "more_body": not over})
            if not over:
                await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()
        return response.status_code

    async def close(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _dropped(pairs: list[tuple[bytes, bytes]]) -> set[bytes]:
    named = [token.strip().lower() for name, value in pairs if name == b"connection" for token in value.split(b",")]
    return {*(name.encode() for name in HOP_BY_HOP), *named}


def _passed(pairs: list[tuple[bytes, bytes]], forwarded: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """A request's headers, as they go on: the host is the real one's."""
    pairs = [(name.lower(), value) for name, value in pairs]
    dropped = _dropped(pairs) | {b"host", b"expect"}
    passed = [(name, value) for name, value in pairs if name not in dropped]
    present = {name for name, _ in passed}
    more = [(name.encode(), value.encode("latin-1", "replace")) for name, value in forwarded.items()]
    return [*passed, *[pair for pair in more if pair[0] not in present]]
