"""What becomes of a request that no route matches, where there is a network that it could go to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from fauxserver.errors import PolicyError
from fauxserver.handlers import awaits, label, place_of
from fauxserver.messages import Request
from fauxserver.routes import in_reach, part_of
from fauxserver.urlexp import place_of as place_in_url

Policy: TypeAlias = "str | Callable[[Request], str | None]"

WORDS = ("bypass", "warn", "error")
"""It goes to the network in silence; it does, and the console says so; it fails as if there were no network."""

ASSETS = (
    *(
        "js",
        "mjs",
        "cjs",
        "jsx",
        "ts",
        "mts",
        "cts",
        "tsx",
        "map",
        "wasm",
        "css",
        "scss",
        "sass",
        "less",
        "html",
        "htm",
    ),
    *("vue", "svelte", "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp", "woff", "woff2", "ttf", "otf"),
    *("eot", "mp3", "ogg", "oga", "wav", "flac", "aac", "m4a", "mp4", "m4v", "webm", "ogv", "mov", "vtt", "pdf", "py"),
    *("webmanifest",),
)
"""What a page is made of, by how the files are called. Data (`json`, `csv`, `xml`, `txt`) is not: routes have it."""
_ASSET = re.compile(rf"[^?#]*\.(?:{'|'.join(ASSETS)})(?:[?#]|\Z)|(?!https?:)[a-z][a-z0-9+.\-]*:", re.IGNORECASE)


class Rule(NamedTuple):
    """A policy, and for which urls."""

    prefix: str | None
    """`None`: for all."""
    policy: Any

    def meets(self, request: Request, base: str | None) -> bool:
        """Whether a request's url is one of them. It is held against the prefix as against an expression."""
        if self.prefix is None:
            return in_reach(request, base)
        text = part_of(request.url, request.base, base, place_in_url(self.prefix))
        # Whole names: "api" is no prefix of "apis/1".
        prefix = self.prefix.removesuffix("/")
        return text is not None and (
            not self.prefix or (text.startswith(prefix) and (len(text) == len(prefix) or text[len(prefix)] in "/?#"))
        )


def read_rule(given: tuple[Any, ...]) -> Rule:
    """What `set_unmatched` was told: `(policy)` or `(prefix, policy)`."""
    if not 1 <= len(given) <= 2:
        raise PolicyError(f"set_unmatched takes a policy, or a prefix and a policy, and was given {len(given)} things.")
    prefix, policy = given if len(given) == 2 else (None, given[0])
    if prefix is not None and not isinstance(prefix, str):
        raise PolicyError(f'set_unmatched: {prefix!r} is no prefix of urls. Give a text, as in "api/".', prefix)
    if policy is not None and not callable(policy) and policy not in WORDS:
        raise PolicyError(
            f"set_unmatched: {policy!r} is no policy. Give {_ALL_WORDS}, or a function of the request that returns one "
            "of these.",
            policy,
        )
    return Rule(prefix, policy)


def is_asset(url: str) -> bool:
    """Whether a url is that of a part of the page, or of no server at all.

    >>> is_asset("app/main.js?v=2"), is_asset("data:text/plain,a"), is_asset("books.json")
    (True, True, False)
    """
    return _ASSET.match(url) is not None


def judge(policy: Policy, request: Request) -> str | None:
    """The word that a policy has for a request; `None` where a function leaves it to the others."""
    return read_word(policy, policy(request)) if callable(policy) else policy


def read_word(policy: Callable[..., Any], word: Any) -> str | None:
    """The word that a policy's function has returned."""
    if word is None or (isinstance(word, str) and word in WORDS):
        return word
    if awaits(word):
        getattr(word, "close", bool)()
        raise PolicyError(f"The policy {_named(policy)} is asynchronous. Write it with `def`.", policy)
    raise PolicyError(
        f"The policy {_named(policy)} returned {word!r}. Return {_ALL_WORDS}, or None for the default.", word
    )


_ALL_WORDS = '"bypass", "warn" or "error"'


def _named(policy: Callable[..., Any]) -> str:
    place = place_of(policy)
    return f"{label(policy)} ({place})" if place else label(policy)
