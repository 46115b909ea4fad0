"""Which urls a server may answer, as regular expressions that Python and JavaScript read alike.

For hosts that have to say beforehand what they are to be asked. What is found here is always enough, and mostly no
more than that: the route table has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from fauxserver.server import FauxServer
from fauxserver.unmatched import ASSETS
from fauxserver.urlexp import Hole, Shape, UrlExp, place_of, whole_characters

MOST_URLS = 200
"""Of more routes only the first segments count: who matches urls with such an expression has to compile it first."""

END = "(?:[?#]|$)"
ANY_ORIGIN = "https?://[^/?#]*"
ANY_FOLDER = ANY_ORIGIN + "(?:/[^/?#]+)*"
NO_ASSET = rf"(?![^?#]*\.(?:{'|'.join(ASSETS)}){END})"


class Urls(NamedTuple):
    """Some urls: those that begin with an address, and go on with these segments."""

    root: str
    """A regular expression for the address, without its last slash."""
    segments: tuple[str, ...] = ()
    """Regular expressions, too."""
    end: str = END
    """What comes after the last segment. Empty: anything."""
    flags: str = ""


EVERYTHING = Urls("https?:", (), "")


def reach(server: FauxServer, base: str | None, watched: bool = False) -> set[Urls]:
    """The urls that *server* may answer, where expressions are tried below *base*; without one, below the page's.

    *watched*: those as well that are told of when no route matches.
    """
    if not server.enabled:
        return set()
    urls: set[Urls] = set()
    for entry in server.routes._entries():
        exp = entry.route.exp
        if exp.place == "pattern":
            urls.add(_of_pattern(exp))
        elif exp.place in ("url", "path", "relative"):
            root = root_of(exp.place, base, entry.base)
            for shape in exp.shapes:
                urls |= _of_shape(root, shape, exp)
                if watched:
                    urls |= _beside(root, shape, exp)
    return urls | _of_others(server, base, watched)


def beginning(urls: Urls) -> Urls:
    """All urls that begin with the same name, if it is one."""
    if len(urls.segments) < 2 or not urls.root or "[" in urls.segments[0] or not urls.segments[0]:
        return urls
    return urls._replace(segments=urls.segments[:1], end="(?:[/?#]|$)")


def regexps(urls: Iterable[Urls]) -> list[re.Pattern[str]]:
    """One regular expression for all of them, or one for those that have the same flags."""
    by_flags: dict[str, list[Urls]] = {}
    for one in urls:
        by_flags.setdefault(one.flags, []).append(one)
    return [
        re.compile(_source(alike), re.IGNORECASE if "i" in flags else 0) for flags, alike in sorted(by_flags.items())
    ]


# --- Addresses -----------------------------------------------------------------------------------------------------


def root_of(place: str, base: str | None, table_base: str | None) -> str:
    """Below which address expressions of a kind are tried, as `part_of` does it."""
    if place == "url":
        return ""
    if table_base is not None:
        return _root(table_base, keep_origin=base is None or bool(_origin(base)))
    if base is None:
        return ANY_FOLDER if place == "relative" else ANY_ORIGIN
    if place == "relative" or not _origin(base):
        return _root(base[: base.rindex("/") + 1])
    return escape(_origin(base))


def _root(address: str, keep_origin: bool = True) -> str:
    origin = _origin(address)
    path = address[len(origin) :].rstrip("/")
    return (escape(origin) if origin and keep_origin else ANY_ORIGIN) + escape(path)


def _origin(url: str) -> str:
    found = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*", url)
    return found[0] if found else ""


def escape(text: str) -> str:
    r"""*text*, standing for itself in both languages. (Python's own way escapes what is nothing special, too.)"""
    return re.sub(r"[\\.^$*+?{}\[\]|()]", r"\\\g<0>", text)


# --- Expressions ---------------------------------------------------------------------------------------------------


def _of_shape(root: str, shape: Shape, exp: UrlExp) -> set[Urls]:
    hole = "[^/]*" if exp.whole else "[^/?#]*"
    segments = [_segment(segment, hole) for segment in shape.segments]
    end = "" if exp.whole else END
    flags = "i" if exp.folds else ""
    if shape.tail is not None:
        segments.append(escape(shape.tail.prefix))
        end = ""
    segments = [_LETTERS.sub(_codes, segment) for segment in segments]
    if exp.place == "url":
        return {Urls("/".join(segments[:3]), tuple(segments[3:]), end, flags)}
    if exp.place == "path":
        segments = segments[1:]
    urls = {Urls(root, tuple(segments), end, flags)}
    if segments == [""] and root not in (ANY_FOLDER, ANY_ORIGIN):
        # What may be empty is met by the address itself, too, without its slash.
        urls.add(Urls(root, flags=flags))
    return urls


_LETTERS = re.compile("[^\0-\x7f]+")


def _codes(letters: re.Match[str]) -> str:
    """Letters as urls have them, in upper or lower case."""
    digits = "".join([f"%{byte:02X}" for byte in whole_characters(letters[0]).encode("utf-8", "replace")])
    return re.sub("[A-F]", lambda digit: f"[{digit[0]}{digit[0].lower()}]", digits)


def _segment(segment: str | Hole, hole: str) -> str:
    return escape(segment) if isinstance(segment, str) else escape(segment.prefix) + hole + escape(segment.suffix)


def _beside(root: str, shape: Shape, exp: UrlExp) -> set[Urls]:
    """The urls whose first name is that of the shape: they look as if they were meant for us."""
    segments = shape.segments
    if exp.place == "url":
        if len(segments) < 4 or not all(isinstance(segment, str) for segment in segments[:3]):
            return set()
        root, segments = "/".join(escape(str(segment)) for segment in segments[:3]), segments[3:]
    elif exp.place == "path":
        segments = segments[1:]
    first = segments[0] if segments else ""
    if not isinstance(first, str) or not first or not first.isascii():
        return set()
    return {Urls(root, (NO_ASSET + escape(first),), "(?:[/?#]|$)", "i" if exp.folds else "")}


def _of_others(server: FauxServer, base: str | None, watched: bool) -> set[Urls]:
    """Those that default handlers answer, that policies speak of, and, if *watched*, all below an address."""
    urls: set[Urls] = set()
    for owner in server._family():
        address = owner.base or server.base
        wide = owner._default is not None or any(_speaks(rule.policy) for rule in owner.rules if rule.prefix is None)
        if address and (wide or watched):
            urls.add(Urls(root_of("relative", base, address), (NO_ASSET,), ""))
        elif wide or (watched and base):
            origin = escape(_origin(base or ""))
            urls.add(
                Urls((root_of("relative", base, None) if base and not wide else origin) or ANY_ORIGIN, (NO_ASSET,), "")
            )
        for rule in owner.rules:
            if rule.prefix is not None and _speaks(rule.policy):
                urls.add(_of_prefix(rule.prefix, base, address))
    return urls


def _of_prefix(prefix: str, base: str | None, address: str | None) -> Urls:
    place = place_of(prefix)
    if place == "url":
        return Urls(_root(prefix), (), "(?:[/?#]|$)")
    text = prefix.strip("/") if place == "path" else prefix.removesuffix("/")
    root = root_of(place, base, address)
    return Urls(root, (escape(text),), "(?:[/?#]|$)") if text else Urls(root, ("",), "")


def _speaks(policy: object) -> bool:
    return policy != "bypass"


# --- Regular expressions of Python's -------------------------------------------------------------------------------

_ALIKE = re.compile(
    r"""
    (?P<name> \(\?P<[^>]*> )                                   # A group's name is nothing to a match.
    | (?P<start> \\A ) | (?P<end> \\Z )
    | \( (?: \?(?:[:=!]|<[=!]) | (?!\?) ) | \) | \|
    | \\[dDwWsSbB/.^$*+?()\[\]{}|\\\-] | \\[tnrfv]
    | \[\^?(?!\]) (?:[^\\\[\]] | \\[dDwWsS/.^$*+?()\[\]{}|\\\-] )+ \]
    | (?:[*+?] | \{[0-9]+(?:,[0-9]*)?\}) \?? (?![+*?{])
    | [.^$]
    | [^\\()\[\]{}*+?|.^$]
    """,
    re.VERBOSE,
)


def _of_pattern(exp: UrlExp) -> Urls:
    """The urls that a RegExp may match: its own, if JavaScript reads it as Python does; else all there are."""
    pattern = exp.expression
    assert isinstance(pattern, re.Pattern)
    source = translate(pattern)
    flags = "i" if pattern.flags & re.IGNORECASE else ""
    return EVERYTHING if source is None else Urls("", (source,), "", flags)


def translate(pattern: re.Pattern[str]) -> str | None:
    """A RegExp as both languages read it; nothing where they might differ.

    >>> translate(re.compile(r"/v(?P<version>\\d+)/status$"))
    '/v(\\\\d+)/status$'
    >>> translate(re.compile(r"(a)\\1")) is None
    True
    """
    source = pattern.pattern
    # A url is ASCII, and of one line: re.UNICODE, re.MULTILINE and re.DOTALL make no difference.
    if not source.isascii() or pattern.flags & ~(re.UNICODE | re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII):
        return None
    out: list[str] = []
    at = 0
    while at < len(source):
        found = _ALIKE.match(source, at)
        if found is None:
            return None
        at = found.end()
        out.append("(" if found["name"] else "^" if found["start"] else "$" if found["end"] else found[0])
    translated = "".join(out)
    try:
        re.compile(translated)
    except re.error:
        return None
    return translated


# --- All in one ----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(rf"{re.escape(NO_ASSET)}|\\.|\[[^\]]*\]\*?|.", re.DOTALL)


class _Node:
    """A place in the tree of characters: what urls have in common stands in the expression once.

    To try a thousand alternatives one after another would take a millisecond.
    """

    __slots__ = ("ends", "following")

    def __init__(self) -> None:
        self.ends: set[str] = set()
        self.following: dict[str, _Node] = {}

    def add(self, urls: Urls) -> None:
        node = self
        for segment in urls.segments:
            for token in ["/", *_TOKEN.findall(segment)]:
                following = node.following.get(token)
                if following is None:
                    following = node.following[token] = _Node()
                node = following
        node.ends.add(urls.end)

    def source(self) -> str:
        """What may come from here on."""
        source: list[str] = []
        node = self
        while len(node.following) == 1 and not node.ends:
            ((token, node),) = node.following.items()
            source.append(token)
        if "" in node.ends:
            return "".join(source)
        choices = [*(token + other.source() for token, other in sorted(node.following.items())), *sorted(node.ends)]
        source.append(choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})")
        return "".join(source)


def _source(urls: list[Urls]) -> str:
    sources: list[str] = []
    roots: dict[str, _Node] = {}
    for one in _shortened(urls):
        if one.root:
            roots.setdefault(one.root, _Node()).add(one)
        else:
            # A RegExp of somebody's.
            sources.append(one.segments[0])
    return "|".join([*(f"^{root}{node.source()}" for root, node in sorted(roots.items())), *sorted(sources)])


def _shortened(urls: list[Urls]) -> list[Urls]:
    """Where there are many urls, only how they begin."""
    for most in (2, 1):
        if len(urls) > MOST_URLS:
            urls = list(
                {
                    one if len(one.segments) <= most else Urls(one.root, one.segments[:most], "(?:[/?#]|$)")
                    for one in urls
                }
            )
    return urls
