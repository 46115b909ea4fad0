"""Let pages of all origins ask: `--cors`. What a handler says of it itself counts."""

from __future__ import annotations

from collections.abc import Mapping

Pairs = list[tuple[bytes, bytes]]

# What every page may read.
_SAFE = {
    *(b"cache-control", b"content-language", b"content-length", b"content-type", b"expires", b"last-modified"),
    *(b"pragma", b"vary", b"date"),
}


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks if it may ask."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def permit(headers: Mapping[str, str]) -> dict[str, str]:
    """The answer to that: yes, with the method and the headers that are to come, and with credentials."""
    told = {
        "access-control-allow-origin": headers["origin"],
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": headers["access-control-request-method"],
        "access-control-max-age": "600",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    if "access-control-request-headers" in headers:
        told["access-control-allow-headers"] = headers["access-control-request-headers"]
    if headers.get("access-control-request-private-network") == "true":
        told["access-control-allow-private-network"] = "true"
    return told


def share(origin: str | None, pairs: Pairs) -> Pairs:
    """An answer's headers, with those that let a page of *origin* read it."""
    names = {name.lower() for name, _ in pairs}
    if b"access-control-allow-origin" in names:
        return pairs
    if origin is None:
        return [*pairs, (b"access-control-allow-origin", b"*")]
    own = [name for name in names if name not in _SAFE and name != b"set-cookie"]
    added = [
        (b"access-control-allow-origin", origin.encode("latin-1", "replace")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]
    if own and b"access-control-expose-headers" not in names:
        # A `*` would not count where there are credentials.
        added.append((b"access-control-expose-headers", b", ".join(sorted(own))))
    return [*pairs, *added]
