"""`Route` and `RouteTable`: which route wins is decided here and nowhere else.

Among the routes whose expression matches the url, one for the exact method beats one for any method; between equals
the one added last wins. In a table where the first counts it is the one added first, whatever its method. To find them
without trying all, expressions are kept in a tree by their segments.
"""

from __future__ import annotations

import gc
import re
import warnings
from bisect import insort
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar
from weakref import WeakSet

from fauxserver.errors import FauxServerWarning
from fauxserver.messages import Request
from fauxserver.urlexp import Captures, Hole, Pick, Shape, UrlExp, fold, subject, whole_characters

_ids = count(1)
T = TypeVar("T")


class RouteInfo(NamedTuple):
    """A copy of what there is to know about a route."""

    name: str
    url_exp: str | re.Pattern[str]
    http_method: str
    handler: Any
    handler_params: Captures = ()
    location: str = ""
    label: str = ""


class Route:
    """An url expression, a method and a handler, under a name."""

    __slots__ = (
        "__weakref__",
        "exp",
        "file",
        "handler",
        "id",
        "invoke",
        "label",
        "line",
        "met",
        "method",
        "name",
        "of_module",
        "suspected",
    )

    def __init__(
        self,
        name: str,
        exp: UrlExp,
        method: str,
        handler: Any,
        *,
        invoke: Callable[[Any], Any] | None = None,
        label: str = "",
        file: str = "",
        line: int = 0,
        of_module: bool = False,
    ) -> None:
        self.id = next(_ids)
        self.name = name
        self.exp = exp
        self.method = method
        self.handler = handler
        self.invoke = invoke
        """Calls the handler with what it takes of a context; `None` if only the page can call it."""
        self.label = label
        self.file = file
        self.line = line
        self.of_module = of_module
        """Whether the file added it while it was read, and not a function at some later time."""
        self.suspected = False
        self.met = False
        """Whether the page's bridge has heard of it."""

    def __repr__(self) -> str:
        return f"<Route {self}>"

    def __str__(self) -> str:
        return f"{self.method} {self.exp}"

    @property
    def location(self) -> str:
        """Where it was added, as `routes.py:12`."""
        return f"{self.file.replace(chr(92), '/').rpartition('/')[2]}:{self.line}" if self.file else ""

    def info(self, params: Captures = ()) -> RouteInfo:
        """A copy, with what its expression has captured."""
        return RouteInfo(self.name, self.exp.expression, self.method, self.handler, params, self.location, self.label)


Order: TypeAlias = "tuple[int, ...]"
"""A route's place in a table: the greater wins. In an included table it begins with that table's place."""


class Match(NamedTuple):
    """The route that won, what its expression captured, and whose it is: the asked table's owner, then inner ones'."""

    route: Route
    params: Captures
    owners: tuple[Any, ...]


class RouteTable:
    """The routes of a server, and those of the servers it includes.

    >>> table = RouteTable()
    >>> route = table.add(Route("one", UrlExp("books/:id"), "GET", None))
    >>> table.match(Request("GET", "books/7"))
    Match(route=<Route GET books/:id>, params=('7',), owners=(None,))
    """

    def __init__(self, owner: Any = None) -> None:
        self.owner = owner
        self.enabled: bool | None = None
        """`None` where nobody has said; then an including table decides nothing either."""
        self.base: str | None = None
        """The address that these routes stand below."""
        self.first = False
        """Whether of several routes that match the one added first wins."""
        self.parents: WeakSet[RouteTable] = WeakSet()
        self.on_change: Callable[[], None] | None = None
        """Called when a route, an included one too, is added or removed, or `enabled` or `base` is set."""
        self._items: dict[int, Route | RouteTable] = {}
        self._places: dict[str, int] = {}
        self._blocks: dict[RouteTable, int] = {}
        self._next = count()
        self._index: Index | None = None

    # What is in it

    def rows(self) -> list[Route]:
        """All routes, included ones too, in the order in which they were added."""
        return [entry.route for entry in self._entries()]

    def get(self, name: str) -> Route | None:
        """The route of that name; where there are several, the one that wins."""
        items = self._items.values() if self.first else reversed(self._items.values())
        for item in items:
            if isinstance(item, RouteTable):
                found = item.get(name)
                if found:
                    return found
            elif item.name == name:
                return item
        return None

    def at(self, index: int) -> Route | None:
        """The route at a position, counted through included tables."""
        rows = self.rows()
        return rows[index] if 0 <= index < len(rows) else None

    def tables(self) -> list[RouteTable]:
        """The included tables."""
        return list(self._blocks)

    # What changes it

    def add(self, route: Route) -> Route:
        """Add *route*; in place of the one of the same name, if there is one."""
        place = self._places.get(route.name)
        if place is not None:
            self._items[place] = route
            self._rebuild()
            return route
        place = next(self._next)
        self._items[place] = route
        self._places[route.name] = place
        self._extend(_Entry((self.rank(place),), route, (self.owner,), self.base))
        return route

    def remove(self, name: str) -> bool:
        """Remove the route of that name, wherever it is. Says whether there was one."""
        place = self._places.pop(name, None)
        if place is None:
            return any(table.remove(name) for table in reversed(self.tables()))
        del self._items[place]
        self._rebuild()
        return True

    def clear(self) -> None:
        """Remove all routes, and let go of the included tables."""
        self.restore({})

    def include(self, table: RouteTable) -> None:
        """Let the routes of *table* stand here, as a block; those it gets later, too."""
        if table not in self._blocks:
            self._blocks[table] = place = next(self._next)
            self._items[place] = table
            table.parents.add(self)
            self._rebuild()

    def replace(self, old: RouteTable, new: RouteTable) -> bool:
        """Put *new* in the place of *old*. Says whether *old* was here."""
        place = self._blocks.get(old)
        if place is None:
            return False
        self.restore({**self._items, place: new})
        return True

    def exclude(self, table: RouteTable) -> None:
        """The opposite of `include`."""
        self.restore({place: item for place, item in self._items.items() if item is not table})

    def save(self) -> dict[int, Route | RouteTable]:
        """What is in it, for `restore`."""
        return dict(self._items)

    def restore(self, items: dict[int, Route | RouteTable]) -> None:
        """Go back to what `save` gave."""
        for table in self.tables():
            table.parents.discard(self)
        self._items = dict(items)
        self._places = {item.name: place for place, item in items.items() if isinstance(item, Route)}
        self._blocks = {item: place for place, item in items.items() if isinstance(item, RouteTable)}
        for table in self.tables():
            table.parents.add(self)
        self._rebuild()

    def rank(self, place: int) -> int:
        """How a place stands among the others: the greater wins."""
        return -1 - place if self.first else place

    def changed(self) -> None:
        """Say that `enabled` or `base` was set."""
        self._rebuild()

    # Which one wins

    def match(self, request: Request) -> Match | None:
        """Find the route for *request*.

        A route for the exact method beats one for any method; between equals, the route added last wins, so that a
        test can override an app's routes.
        """
        index = self._index or self._build()
        if index.letters and request.base is not None and "%" in request.url:
            return self._match_letters(index, request)
        return self._match(index, request, request.url)

    def _match_letters(self, index: Index, request: Request) -> Match | None:
        """The same where expressions have letters (`bücher/:id`) and the url, as HTTP has it, their codes."""
        match = self._match(index, request, _ENCODED.sub(_read_letters, request.url))
        if match is None or match.route.exp.decodes:
            return match
        return match._replace(params=tuple([param and _LETTERS.sub(_write_letters, param) for param in match.params]))

    def _match(self, index: Index, request: Request, url: str) -> Match | None:
        found = index.leaves(url, request.base)
        method = request.method
        best = index.best(found, method, request)
        if best is None:
            return index.best(found, "*", request) if method != "*" else None
        if index.first and method != "*":
            return index.earlier(best, index.best(found, "*", request), found)
        return best

    @property
    def index(self) -> Index:
        """What matches are found in."""
        return self._index or self._build()

    def shares_segment(self, request: Request) -> bool:
        """Whether a route's url begins with the same name as the request's; of an absolute url, its path."""
        for (base, place, _, folds), root in self.index.trees.items():
            part = part_of(request.url, request.base, base, place)
            if part is None:
                part, address = outside(request.url, request.base, base, place)
                if _origin(address) != _origin(request.url):
                    continue
            if folds:
                part = fold(part)
            if place == "url":
                for name in part.split("/", 3)[:3]:
                    root = root.fixed.get(name, _NOWHERE)
                part = part[len(_origin(part)) :]
            if part.startswith("/"):
                part = part[1:]
                root = root.fixed.get("", _NOWHERE) if place == "path" else root
            first = _FIRST.match(part)
            if first is not None and first[0] in root.fixed:
                return True
        return False

    def prepare(self) -> None:
        """Make the index now, rather than at the first match."""
        if self._index is None:
            self._build()

    # The index

    def _entries(self) -> Iterator[_Entry]:
        for place, item in self._items.items():
            if isinstance(item, Route):
                yield _Entry((self.rank(place),), item, (self.owner,), self.base)
            elif self.lets(item):
                for entry in item._entries():
                    yield entry.within(self, place)

    def lets(self, table: RouteTable) -> bool:
        """Whether an included table's routes count: what the including one has said itself goes before."""
        return table.enabled is not False or self.enabled is True

    def _build(self) -> Index:
        self._index = index = Index()
        # Nothing of it is garbage; looking for some takes three times as long as the rest.
        collects = gc.isenabled()
        gc.disable()
        try:
            for entry in self._entries():
                index.insert(entry)
        finally:
            if collects:
                gc.enable()
        self._warn_of_hidden(index)
        return index

    def _rebuild(self) -> None:
        self._index = None
        if self.on_change:
            self.on_change()
        for parent in self.parents:
            parent._rebuild()

    def _extend(self, entry: _Entry) -> None:
        """Take an added route into the index, if there is one already, and into those of the including tables."""
        if self._index is not None:
            self._index.insert(entry)
            # Not each time in a large table: adding a route must not cost the more, the more there are.
            if self._index.unchecked * 20 > self._index.size:
                self._warn_of_hidden(self._index)
        if self.on_change:
            self.on_change()
        for parent in self.parents:
            if parent.lets(self):
                parent._extend(entry.within(parent, parent._blocks[self]))

    def _warn_of_hidden(self, index: Index) -> None:
        """Warn of routes that a later one of the same file leaves no url to, once.

        Only of those that the file added while it was read: a function that adds a route means to override one.
        """
        index.unchecked = 0
        for entry in self._entries():
            route = entry.route
            if route.of_module and not route.suspected:
                first = entry.order[-1] < 0
                winner = _hides(self, route, first)
                if winner is not None:
                    route.suspected = True
                    which, where = ("first", "below") if first else ("last", "above")
                    warnings.warn_explicit(
                        f"{winner} ({winner.location}) hides {route} ({route.location}), because between two routes "
                        f"that match the one added {which} wins. Move line {winner.line} {where} line {route.line}.",
                        FauxServerWarning,
                        winner.file,
                        winner.line,
                    )


def _hides(table: RouteTable, route: Route, first: bool) -> Route | None:
    """A route of the same file and method that wins wherever *route* would have matched: a later one or, where the
    *first* counts, an earlier one."""
    winner = None
    for example in _examples(route.exp):
        match = table.match(Request(route.method, example))
        winner = match.route if match else None
        if (
            winner is None
            or winner is route
            or (winner.id < route.id) is not first
            or winner.method != route.method
            or winner.file != route.file
            or not winner.of_module
        ):
            return None
    return winner


def _examples(exp: UrlExp) -> list[str]:
    """One url for each way to match the expression, with unlikely characters where it is not fixed."""
    examples: list[str] = []
    if exp.decodes and any(shape.picks is None for shape in exp.shapes):
        # What else it matches, its regular expression alone knows.
        return examples
    for shape in exp.shapes if exp.place not in ("pattern", "foreign") else []:
        parts = [part if isinstance(part, str) else f"{part.prefix}\ue000{part.suffix}" for part in shape.segments]
        if shape.tail:
            parts.append(f"{shape.tail.prefix}\ue000/\ue000{shape.tail.suffix}")
        example = "/".join(parts)
        # An exact shape needs no regular expression, which takes longer to compile than all the rest.
        if shape.picks is not None or exp.match(example) is not None:
            examples.append(example)
    return examples


class _Entry(NamedTuple):
    """A route as it stands in a table."""

    order: Order
    route: Route
    owners: tuple[Any, ...]
    base: str | None

    def within(self, table: RouteTable, place: int) -> _Entry:
        """The same, seen from a table that includes it."""
        return _Entry(
            (table.rank(place), *self.order), self.route, (table.owner, *self.owners), self.base or table.base
        )


# --- The index -----------------------------------------------------------------------------------------------------


class Index:
    """The routes of a table by what they need of a url: no lookup tries more than those that nearly match."""

    def __init__(self) -> None:
        self.size = 0
        self.unchecked = 0
        self.letters = False
        """Whether an expression has others than those of ASCII."""
        self.trees: dict[tuple[str | None, str, bool, bool], Node] = {}
        self.first = False
        """Whether there is a table in it where the first counts."""
        self.patterns: dict[str, list[Candidate]] = {}
        self.foreign: dict[int, Candidate] = {}

    def insert(self, entry: _Entry) -> None:
        """Take a route in."""
        self.size += 1
        self.unchecked += 1
        self.first = self.first or min(entry.order) < 0
        route = entry.route
        self.letters = self.letters or not str(route.exp).isascii()
        if route.exp.place == "pattern":
            _insort(self.patterns.setdefault(route.method, []), Candidate(entry, 0, None))
        elif route.exp.place == "foreign":
            self.foreign[route.id] = Candidate(entry, 0, None)
        else:
            exp = route.exp
            root = self.trees.setdefault((entry.base, exp.place, exp.whole, exp.folds), Node())
            kind = Decoding if exp.decodes else Candidate
            for rank, shape in enumerate(exp.shapes):
                leaf = root.leaf_for(shape)
                _insort(leaf.setdefault(route.method, []), kind(entry, rank, shape))

    def leaves(self, url: str, base: str | None) -> list[tuple[Leaf, str, list[str]]]:
        """The leaves whose fixed segments are those of the url, each with what it is to match, whole and cut."""
        found: list[tuple[Leaf, str, list[str]]] = []
        for (table_base, place, whole, folds), root in self.trees.items():
            part = url if base is None and table_base is None else part_of(url, base, table_base, place)
            if part is None:
                continue
            text = subject(part, whole)
            segments = text.split("/")
            nodes = [root]
            names = fold(text).split("/") if folds else segments
            for at, segment in enumerate(names):
                following = []
                for node in nodes:
                    if node.tails is not None:
                        rest = "/".join(names[at:])
                        found += [(leaf, text, segments) for leaf in node.tails.find(rest)]
                    child = node.fixed.get(segment)
                    if child is not None:
                        following.append(child)
                    if node.holes is not None:
                        following += node.holes.find(segment)
                nodes = following
                if not nodes:
                    break
            for node in nodes:
                if node.leaf:
                    found.append((node.leaf, text, segments))
        return found

    def best(self, found: list[tuple[Leaf, str, list[str]]], method: str, request: Request) -> Match | None:
        """Of the candidates for a method that match, the latest."""
        best = None
        best_captures: Captures = ()
        for leaf, text, segments in found:
            for candidate in reversed(leaf.get(method, ())):
                if best is not None and candidate.order < best.order:
                    break
                captures = candidate.captures(text, segments)
                if captures is not None:
                    best, best_captures = candidate, captures
                    break
        for candidate in reversed(self.patterns.get(method, ())):
            if best is not None and candidate.order < best.order:
                break
            captures = candidate.route.exp.match(request.url)
            if captures is not None:
                best, best_captures = candidate, captures
                break
        for hit in request.hits:
            known = self.foreign.get(hit)
            if known and known.route.method == method and (best is None or known.order > best.order):
                best, best_captures = known, ()
        return None if best is None else Match(best.route, best_captures, best.owners)

    def earlier(self, exact: Match, other: Match | None, found: list[tuple[Leaf, str, list[str]]]) -> Match:
        """Of a match for the exact method and one for any, the one that the table which holds both prefers."""
        if other is None:
            return exact
        for one, another in zip(self._order(exact, found), self._order(other, found), strict=False):
            if one != another:
                # Two places in one table, where the first counts if they are negative.
                return other if one < 0 and another > one else exact
        return exact

    def _order(self, match: Match, found: list[tuple[Leaf, str, list[str]]]) -> Order:
        method = match.route.method
        among = [*(leaf.get(method, ()) for leaf, _, _ in found), self.patterns.get(method, ()), self.foreign.values()]
        return max(
            candidate.order[0]
            for candidates in among
            for candidate in candidates
            if candidate.route is match.route and candidate.owners == match.owners
        )


class Candidate:
    """One shape of a route in the index."""

    __slots__ = ("order", "owners", "picks", "route", "whole_segments")

    def __init__(self, entry: _Entry, rank: int, shape: Shape | None) -> None:
        # Of one route's shapes the earlier one wins.
        self.order = (entry.order, -rank)
        self.route = entry.route
        self.owners = entry.owners
        self.picks: tuple[Pick | None, ...] | None = shape.picks if shape else None
        self.whole_segments: tuple[int, ...] | None = None
        """By far the most common picks: whole segments, by their number."""
        if self.picks is not None and shape is not None and shape.tail is None:
            numbers = [pick.segment for pick in self.picks if pick and pick.start == pick.stop == 0]
            if len(numbers) == len(self.picks):
                self.whole_segments = tuple(numbers)

    def captures(self, text: str, segments: list[str]) -> Captures | None:
        """What the expression captures, or nothing if it does not match after all."""
        captures: list[str | None]
        if self.whole_segments is not None:
            if not self.whole_segments:
                return ()
            captures = [segments[number] for number in self.whole_segments]
            if "" in captures:
                return None
        elif self.picks is not None:
            captures = []
            for pick in self.picks:
                if pick is None:
                    captures.append(None)
                    continue
                segment = segments[pick.segment]
                if pick.stop < 0:
                    segment = "/".join(segments[pick.segment :])
                    if _LINE_END.search(segment, pick.start):
                        return None
                    captures.append(segment[pick.start :])
                elif len(segment) <= pick.start + pick.stop:
                    return None
                else:
                    captures.append(segment[pick.start : len(segment) - pick.stop])
        else:
            return self.route.exp.match_subject(text)
        if not text.isascii():
            captures = [value and whole_characters(value) for value in captures]
        return tuple(captures)


class Decoding(Candidate):
    """One whose captures are decoded."""

    __slots__ = ()

    def captures(self, text: str, segments: list[str]) -> Captures | None:
        """As `Candidate.captures`."""
        found = super().captures(text, segments)
        # The regular expression's are decoded already.
        return found if found is None or self.picks is None else self.route.exp.decode(found)


_LINE_END = re.compile("[\n\r\u2028\u2029]")

Leaf: TypeAlias = "dict[str, list[Candidate]]"


def _insort(candidates: list[Candidate], candidate: Candidate) -> None:
    if not candidates or candidates[-1].order < candidate.order:
        candidates.append(candidate)
    else:
        insort(candidates, candidate, key=lambda other: other.order)


class Node:
    """A place in the tree of segments."""

    __slots__ = ("fixed", "holes", "leaf", "tails")

    def __init__(self) -> None:
        self.fixed: dict[str, Node] = {}
        self.holes: Affixes[Node] | None = None
        self.tails: Affixes[Leaf] | None = None
        self.leaf: Leaf = {}

    def leaf_for(self, shape: Shape) -> Leaf:
        """The leaf that a shape leads to from here; it is made if need be."""
        node = self
        for segment in shape.segments:
            if isinstance(segment, Hole):
                if node.holes is None:
                    node.holes = Affixes(Node)
                node = node.holes.at(segment)
            else:
                child = node.fixed.get(segment)
                if child is None:
                    child = node.fixed[segment] = Node()
                node = child
        if shape.tail is None:
            return node.leaf
        if node.tails is None:
            node.tails = Affixes(dict)
        return node.tails.at(shape.tail)


_NOWHERE = Node()
_FIRST = re.compile("[^/?#]+")


class Affixes(Generic[T]):
    """Things by the prefix and the suffix that a text must have."""

    __slots__ = ("_lengths", "_make", "_plain")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._plain: T | None = None
        # Prefix length and suffix length → prefix and suffix → thing: there are few lengths, however many texts.
        self._lengths: dict[tuple[int, int], dict[tuple[str, str], T]] = {}

    def at(self, hole: Hole) -> T:
        """The thing for a prefix and a suffix; it is made if need be."""
        if hole == ("", ""):
            if self._plain is None:
                self._plain = self._make()
            return self._plain
        things = self._lengths.setdefault((len(hole.prefix), len(hole.suffix)), {})
        if hole not in things:
            things[hole] = self._make()
        return things[hole]

    def items(self) -> list[tuple[Hole, T]]:
        """All of them, with what they need of a text."""
        plain = [] if self._plain is None else [(Hole("", ""), self._plain)]
        return plain + [(Hole(*hole), thing) for things in self._lengths.values() for hole, thing in things.items()]

    def find(self, text: str) -> list[T]:
        """The things that fit *text*."""
        found = [] if self._plain is None else [self._plain]
        size = len(text)
        for (start, stop), things in self._lengths.items():
            if start + stop <= size:
                thing = things.get((text[:start], text[size - stop :]))
                if thing is not None:
                    found.append(thing)
        return found


# --- Letters, and how a url has them -------------------------------------------------------------------------------

_ENCODED = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")
_LETTERS = re.compile("[^\0-\x7f]+")


def _read_letters(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return found[0]


def _write_letters(found: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")])


# --- Which part of an absolute url an expression sees --------------------------------------------------------------


def in_reach(request: Request, base: str | None) -> bool:
    """Whether a request's url is below the address that a server stands for."""
    return base is None or request.base is None or part_of(request.url, request.base, base, "relative") is not None


def at_home(request: Request, base: str | None) -> bool:
    """Whether a request may mean a default handler: one below the server's address, or of the page's own origin."""
    if request.base is None or base is not None:
        return in_reach(request, base)
    origin = _origin(request.base)
    return not origin or origin == _origin(request.url)


def part_of(url: str, base: str | None, table_base: str | None, place: str) -> str | None:
    """The one string that expressions of a kind are held against; nothing where the url is none of theirs."""
    if base is None:
        # As given; only a server that stands for an address knows that address.
        below = _below(url, _directory(table_base)) if table_base else None
        if below is None or place == "url":
            return url
        return f"/{below}" if place == "path" else below
    if place == "url":
        return url
    if table_base is not None:
        if not _origin(base):
            table_base = table_base[len(_origin(table_base)) :]
        below = _below(url, _directory(table_base))
    elif place == "relative" or not _origin(base):
        below = _below(url, base[: base.rindex("/") + 1])
    else:
        below = _below(url, _origin(base) + "/")
    if below is None:
        return None
    return f"/{below}" if place == "path" else below


def outside(url: str, base: str | None, table_base: str | None, place: str) -> tuple[str, str]:
    """For a url that is none of theirs: what expressions of a kind would see if it were, and below what it is not."""
    address = _directory(table_base) if table_base else (base or "/")[: (base or "/").rindex("/") + 1]
    path = url[len(_origin(url)) :]
    # The path below it, on another host; or the path without it.
    below = _below(path, address[len(_origin(address)) :] or "/")
    text = path.removeprefix("/") if below is None else below
    return (f"/{text}" if place == "path" else text), address


def _below(url: str, directory: str) -> str | None:
    """What of *url* comes after a directory, which is an address or, whatever the origin, a path."""
    if directory.startswith("/"):
        url = url[len(_origin(url)) :]
    if url.startswith(directory):
        return url[len(directory) :]
    # The directory itself, without its slash.
    rest = url[len(directory) - 1 :]
    return rest if url.startswith(directory[:-1]) and (not rest or rest[0] in "?#") else None


def _directory(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"


@lru_cache(maxsize=256)
def _origin(url: str) -> str:
    found = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*", url)
    return found[0] if found else ""
