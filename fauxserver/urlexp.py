r"""`books/:id(/*rest)` → params.

An expression is a url with holes: `:name` takes what stands between two slashes, `*name` takes anything (even
nothing), a part in parentheses may be left out. It is read once into parts; from these come a regular expression for
Python, the one for JavaScript, and the shapes that the index of the route table is made of.

JavaScript's own RegExp engine is the measure. Where Python's differs, the translation makes up for it: `\Z` for `$`, a
dot that stops at JavaScript's four line terminators, matching by UTF-16 code units, and optional parts that do not take
part in a match when they would be empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from fauxserver.errors import UrlExpError

Captures: TypeAlias = tuple[str | None, ...]


class UrlExp:
    """An url expression: a string as above, or a compiled regular expression, which is searched for anywhere.

    >>> UrlExp("books/:id").match("books/7")
    ('7',)
    >>> UrlExp("books(/:id)").match("books")
    (None,)
    >>> UrlExp("books").match("books?page=2")       # The query takes no part, unless the expression has one
    ()
    >>> UrlExp("files/*path").js
    ('^files/(.*?)$', '')
    """

    __slots__ = ("_js", "_js_text", "_pattern", "_picks", "_shapes", "expression", "params", "parts", "place", "whole")

    folds = False
    """Whether upper and lower case are the same to it."""
    decodes = False
    """Whether its captures are decoded: `%20` is a space."""

    def __init__(self, expression: str | re.Pattern[str], *, braces: bool = False) -> None:
        """*braces*: whether `{id}` stands for itself, as in the page's JavaScript, or for a mistake."""
        self.expression: str | re.Pattern[str] = expression
        self.parts: Parts = ()
        self._pattern: re.Pattern[str] | None = None
        self._picks: tuple[int, ...] | None = None
        self._js: tuple[str, str] | None = None
        self._js_text: str | None = None
        self._shapes: list[Shape] | None = None
        if isinstance(expression, str):
            if not braces:
                refuse_braces(expression)
            self.parts = parse(expression)
            self.params: Captures = tuple(_names(self.parts))
            self.whole = "?" in expression or "#" in expression
            self.place = place_of(expression)
        elif isinstance(expression, re.Pattern) and isinstance(expression.pattern, str):
            self._pattern = expression
            names: list[str | None] = [None] * expression.groups
            for name, index in expression.groupindex.items():
                names[index - 1] = name
            self.params = tuple(names)
            self.whole = True
            self.place = "pattern"
        else:
            raise UrlExpError(
                f"An url expression is a str or a compiled re.Pattern of str, and {expression!r} is neither.",
                expression,
            )

    @classmethod
    def foreign(cls, source: str, flags: str = "") -> UrlExp:
        """A RegExp of the page: it matches requests whose `hits` name its route, and captures nothing here."""
        self = cls("")
        self.expression = f"/{source}/{flags}"
        self.place = "foreign"
        self._js = (source, flags)
        return self

    def __repr__(self) -> str:
        return f"UrlExp({self.expression!r})"

    def __str__(self) -> str:
        return self.expression if isinstance(self.expression, str) else f"re.compile({self.expression.pattern!r})"

    def match(self, url: str) -> Captures | None:
        """What the holes hold, in order, `None` for an optional part that is not there; or `None`: no match."""
        if self.place == "pattern":
            assert self._pattern is not None
            found = self._pattern.search(url)
            return found.groups() if found else None
        if self.place == "foreign":
            return None
        return self.match_subject(subject(url, self.whole))

    def match_subject(self, subject: str) -> Captures | None:
        """`match`, for what `subject` has made of the url."""
        found = (self._pattern or self._compile()).match(subject)
        if found is None:
            return None
        captures: Captures = found.groups()
        if self._picks is not None:
            captures = tuple([captures[pick] for pick in self._picks])
        return captures if subject.isascii() else tuple([value and whole_characters(value) for value in captures])

    def decode(self, captures: Captures) -> Captures:
        """The captures as a handler is given them; in this grammar, as they stand in the url."""
        return captures

    @property
    def shapes(self) -> list[Shape]:
        """Its shapes. Made once, as several tables may hold a route, and each looks for what it hides."""
        if self._shapes is None:
            self._shapes = shapes(self.parts)
        return self._shapes

    @property
    def js(self) -> tuple[str, str]:
        """Source and flags of the JavaScript RegExp that matches the same."""
        if self._js is None:
            if isinstance(self.expression, re.Pattern):
                flags = self.expression.flags
                self._js = (
                    self.expression.pattern,
                    "".join(
                        letter
                        for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL))
                        if flags & flag
                    ),
                )
            else:
                self._js = (f"^{_js_source(self.parts)}$", "")
        return self._js

    @property
    def js_text(self) -> str:
        """The RegExp as JavaScript prints it: `/^books\\/([^/]+)$/`."""
        if self._js_text is None:
            source, flags = self.js
            self._js_text = f"/{_print_js(source)}/{flags}"
        return self._js_text

    def _compile(self) -> re.Pattern[str]:
        source, picks = translate(self.parts)
        # Some expressions are only refused here: a repetition of nothing.
        self._pattern = re.compile(source)
        if len(picks) != self._pattern.groups:
            self._picks = tuple(picks)
        return self._pattern


# --- Reading an expression ---------------------------------------------------------------------------------------


class Text(NamedTuple):
    """Characters that stand for themselves."""

    text: str


class Param(NamedTuple):
    """`:name`: everything up to the next slash, at least one character."""

    name: str


class Splat(NamedTuple):
    """`*name`: anything, as little as possible."""

    name: str


class Star(NamedTuple):
    """A bare `*` after something: that, any number of times, as in a regular expression (the original's way)."""

    part: Text | Param | Splat


class Maybe(NamedTuple):
    """`(…)`: a part that may be left out."""

    parts: Parts


class Within(NamedTuple):
    """Something between two slashes of which a regular expression says what it may be. (Of other grammars.)"""

    name: str


class Gap(NamedTuple):
    """Anything: what the index does not look into, and the regular expression alone decides."""


Part: TypeAlias = "Text | Param | Splat | Star | Maybe | Within | Gap"
Parts: TypeAlias = "tuple[Part, ...]"

_TOKEN = re.compile(r"[^:*()]+|[:*()]")
_BRACES = re.compile(r"\{([^\W\d]\w*)(?::[^}]*)?\}")


def parse(expression: str) -> Parts:
    """Read an expression into its parts.

    >>> parse("books(/:id)")
    (Text(text='books'), Maybe(parts=(Text(text='/'), Param(name='id'))))
    """
    stack: list[list[Part]] = [[]]
    at = 0
    while token := _TOKEN.match(expression, at):
        found, at = token[0], token.end()
        parts = stack[-1]
        if found == "(":
            stack.append([])
        elif found == ")":
            if len(stack) == 1:
                raise UrlExpError(_unbalanced(expression, "closes a parenthesis that was not opened", at), expression)
            stack.pop()
            stack[-1].append(Maybe(tuple(parts)))
        elif found == ":" and expression[at : at + 1].isidentifier():
            end = _name_end(expression, at)
            parts.append(Param(expression[at:end]))
            at = end
        elif found == "*" and (end := _name_end(expression, at)) > at:
            parts.append(Splat(expression[at:end]))
            at = end
        elif found == "*":
            parts.append(_repeat(parts, expression))
        else:
            _add_text(parts, code_units(found))
    if len(stack) > 1:
        raise UrlExpError(_unbalanced(expression, "opens a parenthesis that is not closed", None), expression)
    return tuple(stack[0])


def refuse_braces(expression: str) -> None:
    """`{id}` is what others write for `:id`."""
    braces = _BRACES.search(expression) if "{" in expression else None
    if braces:
        raise UrlExpError(
            f"{braces[0]} in {expression!r} is no parameter. Write it with a colon, "
            f"{expression.replace(braces[0], ':' + braces[1])!r}.",
            expression,
        )


def _name_end(expression: str, start: int) -> int:
    """Where the name that begins at *start* ends. Names are made of what Python's names are made of."""
    end = start
    while end < len(expression) and ("_" + expression[end]).isidentifier():
        end += 1
    return end


def _repeat(parts: list[Part], expression: str) -> Star:
    """Take the last thing off *parts*, to be repeated: of a text the last character alone."""
    if parts:
        last = parts.pop()
        if isinstance(last, Text):
            if len(last.text) > 1:
                parts.append(Text(last.text[:-1]))
            return Star(Text(last.text[-1]))
        if isinstance(last, (Param, Splat)):
            return Star(last)
    raise UrlExpError(
        f"The * in {expression!r} has nothing to repeat. For a part that takes anything give it a name, as in *rest.",
        expression,
    )


def _add_text(parts: list[Part], text: str) -> None:
    if parts and isinstance(parts[-1], Text):
        text = parts.pop().text + text  # type: ignore[union-attr]
    parts.append(Text(text))


def _unbalanced(expression: str, what: str, at: int | None) -> str:
    where = "" if at is None else f" at character {at}"
    return (
        f"Unbalanced parentheses in {expression!r}: it {what}{where}. "
        "Parentheses mark a part that may be left out, as in books(/:id)."
    )


def _names(parts: Parts) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Star):
            part = part.part
        if isinstance(part, Maybe):
            yield from _names(part.parts)
        elif not isinstance(part, (Text, Gap)):
            yield part.name


_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")


def place_of(expression: str) -> str:
    """What of an absolute url the expression is held against: the whole of it, its path, or what is below the base."""
    if _ORIGIN.match(expression):
        return "url"
    return "path" if expression.startswith("/") else "relative"


# --- What of a url is matched -------------------------------------------------------------------------------------


def subject(url: str, whole: bool) -> str:
    """What of *url* takes part in the match: all but query and fragment, or the *whole*, in code units."""
    if not whole:
        if "?" in url:
            url = url[: url.index("?")]
        if "#" in url:
            url = url[: url.index("#")]
    return url if url.isascii() else code_units(url)


def fold(text: str) -> str:
    """The text in lower case, as long as it was."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def code_units(text: str) -> str:
    """The text as JavaScript sees it: characters beyond U+FFFF are two."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    return "".join(
        character
        if character <= "\uffff"
        else chr(0xD800 + (ord(character) - 0x10000 >> 10)) + chr(0xDC00 + (ord(character) - 0x10000 & 0x3FF))
        for character in text
    )


def whole_characters(text: str) -> str:
    """The opposite of `code_units`."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# --- The regular expressions --------------------------------------------------------------------------------------

# What has to be escaped in JavaScript (and what the original escapes besides): its \s is a list of its own.
_JS_SPECIAL = re.compile(r"[-{}\[\]+?.,\\^$|#\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")


def _js_source(parts: Parts) -> str:
    source = []
    for part in parts:
        if isinstance(part, Text):
            source.append(_JS_SPECIAL.sub(r"\\\g<0>", part.text))
        elif isinstance(part, Param):
            source.append("([^/]+)")
        elif isinstance(part, Splat):
            source.append("(.*?)")
        elif isinstance(part, Star):
            source.append(_js_source((part.part,)) + "*")
        elif isinstance(part, Maybe):
            source.append(f"(?:{_js_source(part.parts)})?")
    return "".join(source)


_JS_LINE_ENDS = {"\n": r"\n", "\r": r"\r", "\u2028": r"\u2028", "\u2029": r"\u2029"}


def _print_js(source: str) -> str:
    """A RegExp's source as JavaScript prints it: slashes and line terminators are escaped, once."""
    printed: list[str] = []
    escaped = in_class = False
    for character in source:
        if character in _JS_LINE_ENDS:
            printed.append(_JS_LINE_ENDS[character][1:] if escaped else _JS_LINE_ENDS[character])
        elif character == "/" and not escaped and not in_class:
            printed.append("\\/")
        else:
            printed.append(character)
            if not escaped and character in "[]":
                in_class = character == "["
        escaped = character == "\\" and not escaped
    return "".join(printed) or "(?:)"


_PARAM = "([^/]+)"
_DOT = r"[^\n\r\u2028\u2029]"
_END = r"\Z"


def translate(parts: Parts) -> tuple[str, list[int]]:
    """The regular expression for Python, and which of its groups are captures (the others are helpers).

    >>> translate(parse("books/:id"))
    ('books/([^/]+)\\\\Z', [0])
    """
    picks: list[int] = []
    counter = [0]
    return _translate(parts, picks, counter) + _END, picks


def _translate(parts: Parts, picks: list[int], counter: list[int]) -> str:
    def group(inner: str) -> str:
        picks.append(counter[0])
        counter[0] += 1
        return f"({inner})"

    source = []
    for part in parts:
        match part:
            case Text(text):
                source.append(re.escape(text))
            case Param():
                source.append(group("[^/]+"))
            case Splat():
                source.append(group(f"{_DOT}*?"))
            case Star(Text(text)):
                source.append(re.escape(text) + "*")
            # JavaScript gives up an iteration that matches nothing, so what a repeated hole can hold comes to this;
            # written so, it takes linear time, too.
            case Star(Param()):
                source.append(group("[^/]+") + "?")
            case Star(Splat()):
                source.append(f"(?:{_DOT}*{group(_DOT)})?")
            case Maybe((Splat(),)):
                source.append(f"(?:{group(_DOT + '+?')})?")
            case Maybe(inner) if _may_be_empty(inner):
                # An optional part that matches nothing does not take part, in JavaScript: what is left of the url
                # after it must differ from what was left before it.
                before = counter[0] + 1
                counter[0] += 1
                source.append(rf"(?:(?=([\s\S]*)){_translate(inner, picks, counter)}(?!\{before}\Z))?")
            case Maybe(inner):
                source.append(f"(?:{_translate(inner, picks, counter)})?")
    return "".join(source)


def _may_be_empty(parts: Parts) -> bool:
    return not any(isinstance(part, (Text, Param)) for part in parts)


# --- Shapes: what the index of the route table is made of ----------------------------------------------------------


class Hole(NamedTuple):
    """A stretch of url that is not fixed, between a prefix and a suffix that are."""

    prefix: str
    suffix: str


class Pick(NamedTuple):
    """Where a capture lies: in which segment, after how many characters, before how many (-1: up to the url's end)."""

    segment: int
    start: int
    stop: int


class Shape(NamedTuple):
    """One way for a url to fit an expression: which segments it has, and what comes after them, if anything may.

    With `picks` the shape is exact: what has it matches, and these are the captures. Without, it is only a necessary
    condition, and the regular expression has the last word.
    """

    segments: tuple[str | Hole, ...]
    tail: Hole | None
    picks: tuple[Pick | None, ...] | None


# More optional parts than this, and the rest of them count as "anything": the number of shapes doubles with each.
_MOST_SHAPES = 16


def shapes(parts: Parts) -> list[Shape]:
    """All shapes of an expression, in the order in which a regular expression would try them.

    >>> [shape.segments for shape in shapes(parse("books(/:id)"))]
    [('books', Hole(prefix='', suffix='')), ('books',)]
    """
    return [_shape(variant) for variant in _variants(parts)]


class _Absent(NamedTuple):
    """A hole in an optional part that is left out."""


_Atom: TypeAlias = "Text | Param | Splat | Star | Within | _Absent | Gap"


def _variants(parts: Parts) -> list[list[_Atom]]:
    variants: list[list[_Atom]] = [[]]
    for part in parts:
        if not isinstance(part, Maybe):
            for variant in variants:
                variant.append(part)
            continue
        inner = _variants(part.parts)
        if len(variants) * (len(inner) + 1) > _MOST_SHAPES:
            for variant in variants:
                variant.append(Gap())
            continue
        absent: list[_Atom] = [_Absent() for _ in _names(part.parts)]
        if _may_be_empty(part.parts):
            # Whether it takes part depends on whether it is empty: too fine a point for a shape.
            absent.append(Gap())
            inner = [[Gap()]]
        variants = [variant + choice for variant in variants for choice in [*inner, absent]]
    return variants


def _shape(atoms: list[_Atom]) -> Shape:
    """Cut a variant into segments at the slashes; from the first thing that may hold a slash on, it is a tail."""
    segments: list[str | Hole] = []
    picks: list[Pick | None] | None = []
    prefix = suffix = ""
    holes = 0

    def close() -> None:
        nonlocal prefix, suffix, holes
        segments.append(Hole(prefix, suffix) if holes else prefix)
        prefix = suffix = ""
        holes = 0

    pending: list[int] = []  # Picks of the segment being read, whose suffix is not known yet.
    for index, atom in enumerate(atoms):
        if isinstance(atom, Text):
            first, *others = atom.text.split("/")
            for number, text in enumerate([first, *others]):
                if number:
                    if picks is not None:
                        for at in pending:
                            picks[at] = Pick(len(segments), len(prefix), len(suffix))
                    pending = []
                    close()
                if holes:
                    suffix += text
                else:
                    prefix += text
        elif isinstance(atom, _Absent):
            if picks is not None:
                picks.append(None)
        elif isinstance(atom, (Param, Within)) or (
            isinstance(atom, Star) and atom.part != Text("/") and not isinstance(atom.part, Splat)
        ):
            if not isinstance(atom, Param) or holes:
                picks = (
                    None  # Two holes in one segment, or a repetition: how they share it, the regular expression says.
                )
            if picks is not None:
                pending.append(len(picks))
                picks.append(None)
            suffix = ""
            holes += 1
        else:
            last = not any(not isinstance(other, _Absent) for other in atoms[index + 1 :])
            if not (isinstance(atom, Splat) and last) or holes:
                picks = None
            if picks is not None:
                picks.append(Pick(len(segments), len(prefix), -1))
                picks.extend(None for _ in atoms[index + 1 :])
            return Shape(tuple(segments), Hole(prefix, _final_text(atoms[index + 1 :])), _fixed(picks))
    if picks is not None:
        for at in pending:
            picks[at] = Pick(len(segments), len(prefix), len(suffix))
    close()
    return Shape(tuple(segments), None, _fixed(picks))


def _fixed(picks: list[Pick | None] | None) -> tuple[Pick | None, ...] | None:
    return None if picks is None else tuple(picks)


def _final_text(atoms: list[_Atom]) -> str:
    """The fixed text that a url must end with."""
    text = ""
    for atom in reversed(atoms):
        if isinstance(atom, Text):
            text = atom.text + text
        elif not isinstance(atom, _Absent):
            break
    return text
