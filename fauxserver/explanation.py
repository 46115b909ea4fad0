"""Why no route matched a request, and which ones nearly did.

The tree that finds the route of a url is searched once more, cheapest first: for every step in which a route and the
url disagree there is a price, and the routes that are reached for the least are the nearest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import heappop, heappush, nsmallest
from itertools import count
from typing import Any, NamedTuple

from fauxserver.messages import Request
from fauxserver.routes import Candidate, Leaf, Node, RouteInfo, RouteTable, outside, part_of
from fauxserver.urlexp import Hole, fold, subject

MOST = 3
"""So many routes are named."""


class Near(NamedTuple):
    """A route that nearly matched."""

    route: RouteInfo
    why: str
    """Why it did not, as in `answers GET, not POST`."""

    def __str__(self) -> str:
        where = f" ({self.route.location})" if self.route.location else ""
        return f"{_clip(_told(self.route), 80)}{where} {self.why}"


class Explanation(NamedTuple):
    """Why a request is not answered."""

    method: str
    url: str
    reason: str
    """The sentence that begins with method and url."""
    nearest: tuple[Near, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.method} {_clip(self.url, 200)} {self.reason}"]
        if self.nearest:
            lines[0] += " Nearest:"
        return "\n  ".join([*lines, *map(str, self.nearest)])


def nearest(table: RouteTable, request: Request) -> tuple[Near, ...]:
    """The routes that come nearest to a request which none matches, and why each does not, the nearest first."""
    found: dict[int, Near] = {}
    most = _MOST_PRICE
    for price, candidate, why in sorted(
        [*_disabled(table, request), *_patterns(table, request), *_Search(table, request)], key=lambda near: near[0]
    ):
        # Beside one that is near, others that are far would only be in the way.
        most = min(most, price + _RANGE)
        if price < most:
            found.setdefault(candidate.route.id, Near(candidate.route.info(), why))
    return tuple(found.values())[:MOST]


# --- What disagrees ------------------------------------------------------------------------------------------------

# What it costs. A slip of the hand is nearer than another method, and that is nearer than another address.
_CASE, _SLASH, _EMPTY, _SPELLING, _METHOD, _BASE = 0.1, 0.2, 0.3, 0.3, 0.5, 0.6
_MISSING, _SEGMENT, _PATTERN, _OTHER = 0.95, 1.0, 1.1, 1.4
_MOST_PRICE = 2.0
_RANGE = 0.9
_MOST_STEPS = 600
_MOST_BRANCHES = 32
_MOST_PATTERNS = 200


class _Edit(NamedTuple):
    """One disagreement."""

    kind: str
    given: str = ""
    """What the url has."""
    wanted: str | Hole = ""
    """What the route has."""
    depth: int = 0
    """In which of the route's segments."""


def _why(edits: tuple[_Edit, ...], candidate: Candidate) -> str:
    """The disagreements in words."""
    told: list[str] = []
    at = 0
    while at < len(edits):
        kind, given, wanted, depth = edits[at]
        run = [edits[at]]
        while kind in ("extra", "missing") and at + len(run) < len(edits) and edits[at + len(run)].kind == kind:
            run.append(edits[at + len(run)])
        at += len(run)
        match kind:
            case "method":
                told.append(f"answers {wanted}, not {given}")
            case "base":
                told.append(f"stands below {wanted}, and the url does not")
            case "leading":
                told.append(f"begins {given}")
            case "trailing":
                told.append(f"ends {given}")
            case "whole":
                told.append("does not match as a whole")
            case "case":
                told.append(f'has "{_clip(str(wanted))}" and the url "{_clip(given)}": upper and lower case differ')
            case "extra":
                told.append(f'has nothing for "{_clip("/".join(edit.given for edit in run))}"')
            case "missing":
                missing = "/".join(_shown(edit.wanted, edit.depth, candidate) for edit in run)
                told.append(f'has "{_clip(missing)}" besides')
            case _:
                where = f'"{_clip(given)}"' if given else "nothing"
                told.append(f'has "{_clip(_shown(wanted, depth, candidate))}" where the url has {where}')
    return "; ".join(told) or "does not match as a whole"


def _shown(wanted: str | Hole, depth: int, candidate: Candidate) -> str:
    if isinstance(wanted, str):
        return wanted
    name = "…"
    for pick, param in zip(candidate.picks or (), candidate.route.exp.params, strict=False):
        if pick and pick.segment == depth and param:
            name = f"*{param}" if pick.stop < 0 else f":{param}"
    return f"{wanted.prefix}{name}{wanted.suffix}"


def _clip(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _told(route: RouteInfo) -> str:
    expression = route.url_exp if isinstance(route.url_exp, str) else f"re.compile({route.url_exp.pattern!r})"
    return f"{route.http_method} {expression}"


# --- The search ----------------------------------------------------------------------------------------------------


class _State(NamedTuple):
    """How far a search has come: at which node with how many of the url's segments, and what disagreed on the way."""

    node: Node
    segments: list[str]
    at: int
    depth: int
    edits: tuple[_Edit, ...]
    begins: int
    """At which depth names begin, after the origin."""
    text: str
    """What expressions of this kind are held against."""
    anchored: bool
    """Whether a name agrees, if only nearly: without any, a route is not near."""


# The names in the path of an address.
_NAMES = re.compile(r"(?<=[^/]/)[^/]+(?=/)")


class _Search:
    """Goes through a table's tree, and yields what it comes to: price, route, and why it does not match."""

    def __init__(self, table: RouteTable, request: Request) -> None:
        self._request = request
        self._heap: list[tuple[float, int, _State | tuple[Candidate, str]]] = []
        self._serial = count()
        self._best: dict[tuple[int, int, bool], float] = {}
        self._close: dict[tuple[int, str], list[tuple[float, str]]] = {}
        for (base, place, whole, folds), root in table.index.trees.items():
            text = part_of(request.url, request.base, base, place)
            edits: tuple[_Edit, ...] = ()
            price = 0.0
            if text is None:
                text, address = outside(request.url, request.base, base, place)
                edits, price = (_Edit("base", wanted=address),), _BASE
            text = subject(text, whole)
            segments = (fold(text) if folds else text).split("/")
            start = _State(root, segments, 0, 0, edits, 3 if place == "url" else 0, text, False)
            self._push(price, start)
            if edits and place == "relative":
                # Or the url has other names where the address has its own.
                names = len(_NAMES.findall(str(edits[0].wanted)))
                self._push(price, start._replace(at=min(names, len(segments) - 1)))
            if place == "relative" and segments[0] == "" and len(segments) > 1:
                slash = _Edit("leading", "without a slash, and the url with one")
                self._push(price + _SLASH, start._replace(at=1, edits=(*edits, slash)))
            elif place == "path" and segments[0] != "" and "" in root.fixed:
                slash = _Edit("leading", "with a slash, and the url without one")
                self._push(price + _SLASH, start._replace(node=root.fixed[""], depth=1, edits=(*edits, slash)))

    def __iter__(self) -> Iterator[tuple[float, Candidate, str]]:
        found: set[int] = set()
        for _ in range(_MOST_STEPS):
            if not self._heap or len(found) >= MOST:
                return
            price, _, state = heappop(self._heap)
            if isinstance(state, _State):
                self._step(price, state)
            elif state[0].route.id not in found:
                found.add(state[0].route.id)
                yield price, *state

    def _push(self, price: float, state: _State) -> None:
        if price >= _MOST_PRICE:
            return
        key = (id(state.node), state.at, state.anchored)
        if price < self._best.get(key, _MOST_PRICE):
            self._best[key] = price
            heappush(self._heap, (price, next(self._serial), state))

    def _step(self, price: float, state: _State) -> None:
        node, segments, at = state.node, state.segments, state.at
        if node.tails is not None:
            for leaf in node.tails.find("/".join(segments[at:])) if at < len(segments) else ():
                self._arrive(price, state, leaf)
            if at >= len(segments):
                for hole, leaf in node.tails.items():
                    self._arrive(price + _MISSING, _with(state, _Edit("missing", "", hole, state.depth)), leaf)
        if at < len(segments):
            self._read(price, state, segments[at])
        elif node.leaf:
            self._arrive(price, state, node.leaf)
        self._lack(price, state)

    def _read(self, price: float, state: _State, segment: str) -> None:
        """The url's next segment against what the tree has here, agreeing or not."""
        node, depth = state.node, state.depth
        further = state._replace(at=state.at + 1, depth=depth + 1)
        anchored = state.anchored or (segment != "" and depth >= state.begins)
        child = node.fixed.get(segment)
        if child is not None:
            self._push(price, further._replace(node=child, anchored=anchored))
        if node.holes is not None:
            for fitting in node.holes.find(segment):
                if segment:
                    self._push(price, further._replace(node=fitting))
                else:
                    edit = _Edit("other", "", Hole("", ""), depth)
                    self._push(price + _EMPTY, _with(further, edit)._replace(node=fitting))
        if not segment and state.at == len(state.segments) - 1:
            if state.at:
                slash = _Edit("trailing", "without a slash, and the url with one")
                self._push(price + _SLASH, _with(state._replace(at=state.at + 1), slash))
            return
        for dearer, name in self._spelled_like(node, segment):
            edit = _Edit("case" if dearer == _CASE else "other", segment, name, depth)
            near = anchored if depth >= state.begins else state.anchored
            self._push(price + dearer, _with(further, edit)._replace(node=node.fixed[name], anchored=near))
        if price + _SEGMENT >= _MOST_PRICE:
            return
        if len(node.fixed) <= _MOST_BRANCHES:
            letters = set(segment)
            for name, other in node.fixed.items():
                if name and name != segment:
                    dearer = _OTHER + min(9, len(letters.symmetric_difference(name))) / 100
                    self._push(
                        price + dearer, _with(further, _Edit("other", segment, name, depth))._replace(node=other)
                    )
        if node.holes is not None:
            for hole, other in node.holes.items()[:_MOST_BRANCHES]:
                if not (segment.startswith(hole.prefix) and segment.endswith(hole.suffix)):
                    edit = _Edit("other", segment, hole, depth)
                    self._push(price + _SEGMENT, _with(further, edit)._replace(node=other))
        self._push(price + _SEGMENT, _with(state, _Edit("extra", segment))._replace(at=state.at + 1))

    def _lack(self, price: float, state: _State) -> None:
        """The tree's next segment without one of the url."""
        node, depth = state.node, state.depth
        further = state._replace(depth=depth + 1)
        last = state.at == len(state.segments)
        if last and state.at and "" in node.fixed:
            slash = _Edit("trailing", "with a slash, and the url without one")
            self._push(price + _SLASH, _with(further, slash)._replace(node=node.fixed[""]))
        if price + _MISSING >= _MOST_PRICE:
            return
        if len(node.fixed) <= _MOST_BRANCHES:
            for name, child in node.fixed.items():
                if name:
                    edit = _Edit("missing", "", name, depth)
                    self._push(price + _MISSING, _with(further, edit)._replace(node=child))
        if node.holes is not None:
            for hole, child in node.holes.items()[:_MOST_BRANCHES]:
                edit = _Edit("missing", "", hole, depth)
                self._push(price + _MISSING, _with(further, edit)._replace(node=child))

    def _arrive(self, price: float, state: _State, leaf: Leaf) -> None:
        """What is at the end: for each method the route that would answer, or those for other methods."""
        if not state.anchored and any(edit.kind not in ("leading", "trailing") for edit in state.edits):
            return
        method = self._request.method
        names = (method, "*", "GET") if method == "HEAD" and self._request.base is not None else (method, "*")
        own = [leaf[name][-1] for name in names if name in leaf][:1]
        for candidate in own or [candidates[-1] for candidates in leaf.values()]:
            edits = state.edits
            dearer = price
            if not edits and candidate.picks is None and candidate.route.exp.match_subject(state.text) is None:
                # It has what the index looks for, and no more.
                if not state.anchored:
                    continue
                edits = (_Edit("whole"),)
                dearer += _SEGMENT
            if not own:
                edits = (*edits, _Edit("method", method, candidate.route.method))
                dearer += _METHOD
            elif not edits:
                dearer += _SEGMENT
            if dearer < _MOST_PRICE:
                heappush(self._heap, (dearer, next(self._serial), (candidate, _why(edits, candidate))))

    def _spelled_like(self, node: Node, segment: str) -> list[tuple[float, str]]:
        """The names of a node that are spelled nearly so, with what that costs."""
        key = (id(node), segment)
        if key not in self._close:
            self._close[key] = _spelled_like(node.fixed, segment)
        return self._close[key]


def _with(state: _State, edit: _Edit) -> _State:
    return state._replace(edits=(*state.edits, edit))


def _spelled_like(names: dict[str, Node], segment: str) -> list[tuple[float, str]]:
    size = len(segment)
    if not segment or size > 100:
        return []
    from difflib import SequenceMatcher

    plain = segment.lower()
    letters = set(plain)
    reach = 2 + size // 2
    # To compare two words takes fifty times as long as to see which letters they have.
    alike = [
        (len(letters.symmetric_difference(name.lower())), name)
        for name in names
        if -reach <= len(name) - size <= reach and name and name != segment
    ]
    matcher = SequenceMatcher(None, "", plain, autojunk=False)
    close = []
    for _, name in nsmallest(20, [near for near in alike if near[0] <= 4]):
        if name.lower() == plain:
            close.append((_CASE, name))
            continue
        matcher.set_seq1(name.lower())
        ratio = matcher.ratio()
        if ratio >= 0.6:
            close.append((_SPELLING + (1 - ratio) / 2, name))
    return nsmallest(MOST, close)


# --- Regular expressions, and servers that are disabled -----------------------------------------------------------


def _patterns(table: RouteTable, request: Request) -> Iterator[tuple[float, Candidate, str]]:
    """Regular expressions that match for another method, or with or without a slash, or look as if they might have."""
    url, method, index = request.url, request.method, table.index
    path = url.partition("?")[0].partition("#")[0]
    words = [word for word in path.split("/") if len(word) > 2 and ":" not in word]
    patterns = [candidate for candidates in index.patterns.values() for candidate in candidates]
    for candidate in [*patterns, *index.foreign.values()][-_MOST_PATTERNS:]:
        route = candidate.route
        here = route.method in (method, "*")
        other = "" if here else f"answers {route.method}, not {method}"
        if route.exp.match(url) is not None or route.id in request.hits:
            if other:
                yield _METHOD, candidate, other
        elif url.startswith("/") and route.exp.match(url[1:]) is not None:
            why = "does not match, because the url begins with a slash"
            yield _SLASH + (0 if here else _METHOD), candidate, "; ".join(filter(None, [why, other]))
        elif path.endswith("/") and route.exp.match(path[:-1]) is not None:
            why = "does not match, because the url ends with a slash"
            yield _SLASH + (0 if here else _METHOD), candidate, "; ".join(filter(None, [why, other]))
        elif any(word in route.exp.js[0] for word in words):
            why = "does not match the url"
            yield _PATTERN + (0 if here else _METHOD), candidate, "; ".join(filter(None, [why, other]))


def _disabled(table: RouteTable, request: Request) -> Iterator[tuple[float, Candidate, str]]:
    for inner in table.tables():
        if not table.lets(inner):
            found: Any = inner.match(request)
            if found:
                yield 0.0, found, "would answer, and its server is disabled"
