r"""`/contacts/:id(\d+)?`: url expressions as Express 3 has them, a second grammar beside `urlexp`.

`:name` takes what stands between two slashes, `:name(\d+)` what a regular expression allows, `:name?` may be left out,
its slash too, `.:format` is a suffix without dots, `*` takes anything; else `?`, `+`, `|`, `(…)` and `[…]` are those of
regular expressions. A list of them are alternatives. Upper and lower case are the same and a slash at the end does not
count, unless one says so. What is captured is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fauxserver.errors import HTTPError, UrlExpError
from fauxserver.urlexp import (
    Captures,
    Gap,
    Maybe,
    Param,
    Part,
    Pick,
    Shape,
    Splat,
    Text,
    UrlExp,
    Within,
    code_units,
    fold,
    place_of,
    refuse_braces,
    shapes,
    subject,
    whole_characters,
)


@dataclass(frozen=True)
class Express:
    """The grammar: `FauxServer(expressions=Express(sensitive=True))`.

    >>> Express()("/contacts/:id(\\\\d+)?").match("/Contacts/7/")
    ('7',)
    >>> Express(sensitive=True, strict=True)("/contacts").match("/contacts/") is None
    True
    >>> Express()(["/people/:name", "/contacts/:name/:page?"]).match("/people/J.%20D.")
    ('J. D.', None)
    """

    sensitive: bool = False
    """Whether upper and lower case differ."""
    strict: bool = False
    """Whether a slash at the end counts."""

    def __call__(self, expression: Any, *, braces: bool = False) -> UrlExp:
        """Read an expression. *braces*: whether `{id}` stands for itself, or for a mistake."""
        return ExpressExp(expression, self, braces=braces)


def _place(text: str) -> str:
    place = place_of(text)
    # What may begin with a slash sees it: "*" is any path, as in Express. A name is one below the base, as elsewhere.
    return "path" if place == "relative" and text and not (text[0].isalnum() or text[0] in ":_.-") else place


class Undecodable(str):
    """A capture that is no encoding of anything, as it stands in the url: the request is a bad one."""

    __slots__ = ()


class ExpressExp(UrlExp):
    """An expression of this grammar. A compiled regular expression is searched for in the path alone, too."""

    __slots__ = ("_groups", "_optional", "_source", "folds")

    decodes = True

    def __init__(self, expression: Any, grammar: Express, *, braces: bool = False) -> None:
        if isinstance(expression, re.Pattern):
            self._take_pattern(expression)
            return
        texts = [expression] if isinstance(expression, str) else expression
        if not isinstance(texts, Sequence) or not texts or not all(isinstance(text, str) for text in texts):
            raise UrlExpError(
                f"An Express pattern is a str, a list of them, or a compiled re.Pattern of str, and {expression!r} is "
                "none of these.",
                expression,
            )
        super().__init__("")
        self.expression = texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"
        self.place = _place(texts[0])
        self.folds = not grammar.sensitive
        for text in texts:
            if _place(text) != self.place:
                raise UrlExpError(
                    f"The patterns of one route begin alike: {texts[0]!r} and {text!r} do not. Give all of them a "
                    "slash in front, or none.",
                    expression,
                )
            if not braces:
                refuse_braces(text)
        read = [_Reader(text, grammar) for text in texts]
        self.params, places = _merge([each.names for each in read])
        self._shapes = [
            Shape(shape.segments, shape.tail, _spread(shape.picks, at, len(self.params)))
            for each, at in zip(read, places, strict=True)
            for shape in shapes(tuple(each.parts))
        ]
        self._groups = _groups(places, len(self.params))
        self._optional = tuple(optional for each in read for optional in each.optional)
        self._source = f"(?:{'|'.join(each.python for each in read)})\\Z"
        js = "|".join(each.js for each in read)
        self._js = (f"^{js}$" if len(read) == 1 else f"^(?:{js})$", "i" if self.folds else "")
        if any(each.raw for each in read):
            # What is a regular expression is refused at once if it is none, Python's own (`a++`) too.
            if any(_POSSESSIVE.search(_WITHOUT_CLASSES.sub("", each.js)) for each in read):
                raise self._refused("nothing to repeat")
            self._compile()

    def _take_pattern(self, pattern: re.Pattern[str]) -> None:
        super().__init__(pattern)
        self.place = "path"
        self.whole = self.folds = False
        self._shapes = shapes((Gap(),))
        self._groups = tuple((number,) for number in range(len(self.params)))
        self._optional = (False,) * len(self.params)
        self._source = ""

    def match(self, url: str) -> Captures | None:
        """As `UrlExp.match`."""
        return self.match_subject(subject(url, False))

    def match_subject(self, subject: str) -> Captures | None:
        """As `UrlExp.match_subject`."""
        pattern = self._pattern or self._compile()
        found = pattern.match(subject) if self._source else pattern.search(subject)
        if found is None:
            return None
        # An optional part that is empty does not take part, in JavaScript.
        groups = [
            None if value == "" and optional else value
            for value, optional in zip(found.groups(), self._optional, strict=True)
        ]
        captures = [next((groups[at] for at in among if groups[at] is not None), None) for among in self._groups]
        if not subject.isascii():
            captures = [value and whole_characters(value) for value in captures]
        return self.decode(tuple(captures))

    def decode(self, captures: Captures) -> Captures:
        """The captures as they were meant."""
        return tuple([value if value is None or "%" not in value else _decode(value) for value in captures])

    def _compile(self) -> re.Pattern[str]:
        # JavaScript's \d and \w are ASCII's.
        flags = (re.IGNORECASE if self.folds else 0) | (re.ASCII if self._source.isascii() else 0)
        try:
            self._pattern = re.compile(self._source, flags)
        except re.error as error:
            raise self._refused(error.msg) from None
        return self._pattern

    def _refused(self, why: str) -> UrlExpError:
        return UrlExpError(
            f"The Express pattern {self.expression!r} does not parse: {why}. In it ?, +, |, ( ) and [ ] are those of "
            "regular expressions; put a backslash before one that is meant as it stands.",
            self.expression,
        )


def checked(invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same handler, which is not called with what cannot be decoded: 400, as in Express."""

    def check(context: Any) -> Any:
        for capture in context.captures:
            if type(capture) is Undecodable:
                raise HTTPError(400, f"Failed to decode param '{capture}'")
        return invoke(context)

    return check


_MALFORMED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _decode(text: str) -> str:
    if _MALFORMED.search(text):
        return Undecodable(text)
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return Undecodable(text)


# --- Several alternatives -----------------------------------------------------------------------------------------


def _merge(alternatives: list[list[str | None]]) -> tuple[Captures, list[list[int]]]:
    """The names of all alternatives together, and where among them those of each stand."""
    names: list[str | None] = []
    places = []
    for own in alternatives:
        taken: list[int] = []
        for name in own:
            free = [at for at, other in enumerate(names) if other == name and at not in taken]
            if not free:
                free = [len(names)]
                names.append(name)
            taken.append(free[0])
        places.append(taken)
    return tuple(names), places


def _spread(picks: tuple[Pick | None, ...] | None, places: list[int], size: int) -> tuple[Pick | None, ...] | None:
    if picks is None:
        return None
    spread: list[Pick | None] = [None] * size
    for at, pick in zip(places, picks, strict=True):
        spread[at] = pick
    return tuple(spread)


def _groups(places: list[list[int]], size: int) -> tuple[tuple[int, ...], ...]:
    """For each name the groups of the regular expression that may hold it."""
    groups: list[list[int]] = [[] for _ in range(size)]
    number = 0
    for own in places:
        for at in own:
            groups[at].append(number)
            number += 1
    return tuple(map(tuple, groups))


# --- Reading one --------------------------------------------------------------------------------------------------

_KEY = re.compile(r"(/)?(\.)?:(\w+)")
_REPEATS = re.compile(r"\{\d+(?:,\d*)?\}")
_SPECIAL = re.compile(r"\(\?(?::|=|!|<[=!]|<(\w+)>)")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/]*")
# A regular expression that surely takes no slash.
_WITHIN = re.compile(r"(?:\\[dw]|[\w|\-]|\[(?:\\[dw]|[\w\-])+\]|[+*?]|\{\d+(?:,\d*)?\})+", re.ASCII)
_JS_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_ANYTHING = r"([^\n\r\u2028\u2029]*)"


class _Reader:
    """Reads an expression into two regular expressions, Python's and JavaScript's, and into parts for the index."""

    def __init__(self, expression: str, grammar: Express) -> None:
        self.given = expression
        self.text = code_units(expression)
        self.fold: Callable[[str], str] = str if grammar.sensitive else fold
        self.python = self.js = ""
        self.names: list[str | None] = []
        self.optional: list[bool] = []
        """Of each name, whether it may be left out."""
        self.parts: list[Part] = []
        self.raw = False
        """Whether there is a regular expression in it."""
        self._closed = self._alternates = False
        self._read()
        if self._alternates:
            self.python, self.js = f"(?:{self.python})", f"(?:{self.js})"
        if not grammar.strict and self.text not in ("", "/"):
            self._end()

    def _end(self) -> None:
        """Let there be a slash at the end, or none."""
        if self.python.endswith("/") and self.js.endswith(r"\/"):
            # It is there already.
            self.python, self.js = self.python[:-1], self.js[:-2]
            self._shorten()
        self._write("/?", r"\/?")
        if not (self.parts and isinstance(self.parts[-1], Splat)):
            self._part(Maybe((Text("/"),)))

    def _read(self) -> None:
        text = self.text
        origin = _ORIGIN.match(text)
        at = depth = 0
        if origin:
            self._literal(origin[0])
            at = origin.end()
        while at < len(text):
            letter = text[at]
            key = _KEY.match(text, at)
            repeats = _REPEATS.match(text, at)
            if key:
                at = self._key(key)
            elif letter == "*":
                self._capture(None)
                self._write(_ANYTHING, "(.*)")
                self._part(Splat(""))
                at += 1
            elif letter == "(" or text.startswith("/(", at):
                at = self._open(at)
                depth += 1
            elif letter == ")":
                depth -= 1
                if depth < 0:
                    raise self._unbalanced(f"closes a parenthesis that was not opened at character {at + 1}")
                self._write(")")
                at += 1
            elif letter == "[":
                at = self._class(at)
            elif letter == "\\" and at + 1 < len(text):
                self._escape(text[at + 1])
                at += 2
            elif repeats or letter in "?+":
                word = repeats[0] if repeats else letter
                self._shorten()
                self._gap()
                self._write(word)
                at += len(word)
            elif letter == "|":
                if depth == 0:
                    self._alternates = True
                    self.parts, self._closed = [], False
                self._gap()
                self._write("|")
                at += 1
            elif letter in "^$":
                self._gap()
                self._write(r"\Z" if letter == "$" else letter, letter)
                at += 1
            else:
                self._literal(letter)
                at += 1
        if depth:
            raise self._unbalanced("opens a parenthesis that is not closed")

    # What is read is written, into each of the three

    def _write(self, python: str, js: str | None = None) -> None:
        self.python += python
        self.js += python if js is None else js

    def _capture(self, name: str | None, optional: bool = False) -> None:
        self.names.append(name)
        self.optional.append(optional)

    def _part(self, part: Part) -> None:
        if self._closed:
            return
        last = self.parts[-1] if self.parts else None
        if isinstance(part, Text) and isinstance(last, Text):
            self.parts[-1] = Text(last.text + part.text)
        elif not (isinstance(part, Text) and not part.text):
            self.parts.append(part)

    def _gap(self) -> None:
        """From here on the regular expression decides alone."""
        self._part(Gap())
        self._closed = self.raw = True

    def _shorten(self) -> None:
        """The last character is not fixed after all."""
        last = self.parts[-1] if self.parts and not self._closed else None
        if isinstance(last, Text):
            del self.parts[-1]
            self._part(Text(last.text[:-1]))

    def _literal(self, text: str) -> None:
        self._write(re.escape(text), _JS_SPECIAL.sub(r"\\\g<0>", text))
        self._part(Text(self.fold(text)))

    # The parts of the grammar

    def _key(self, key: re.Match[str]) -> int:
        """`/.:name(…)?*`, of which all but the name may be missing. Gives back where it ends."""
        slash, dot, name = key[1] or "", key[2] or "", key[3]
        fixed = slash + dot
        at = key.end()
        own = None
        if self.text.startswith("(", at):
            end = self._closing(at)
            own, at = self.text[at + 1 : end], end + 1
            # What is to capture nothing is the parameter's all the same.
            own = f"({own})" if own.startswith("?") else own
        optional = self.text.startswith("?", at)
        at += optional
        self._capture(name, optional)

        python, js = (_own(own), _plain_groups(own)) if own is not None else (f"[^/{dot}]+?", rf"[^\/{dot}]+?")
        # What may be left out may be so with its slash. A dot is escaped, and for JavaScript a slash, too.
        js_slash, dot = slash.replace("/", r"\/"), dot.replace(".", r"\.")
        if optional:
            self._write(f"(?:{slash}{dot}({python}))?", f"(?:{js_slash}{dot}({js}))?")
        else:
            self._write(f"{slash}(?:{dot}({python}))", f"{js_slash}(?:{dot}({js}))")
        self.raw |= own is not None

        hole: Part = Gap()
        if own is None:
            hole = Within(name) if dot else Param(name)
        elif _WITHIN.fullmatch(own):
            hole = Within(name)
        if optional and hole != Gap():
            self._part(Maybe((Text(fixed), hole) if fixed else (hole,)))
        elif not optional:
            self._part(Text(fixed))
            self._part(hole)
        if hole == Gap():
            self._gap()

        if self.text.startswith("*", at):
            self._capture(None)
            self._capture(None)
            self._gap()
            self._write(f"(/{_ANYTHING})?", r"(\/(.*))?")
            at += 1
        return at

    def _closing(self, at: int) -> int:
        """Where the parenthesis that opens at *at* is closed."""
        depth = 0
        in_class = escaped = False
        for index in range(at, len(self.text)):
            letter = self.text[index]
            if escaped or letter == "\\":
                escaped = not escaped
            elif letter in "[]":
                in_class = letter == "["
            elif letter in "()" and not in_class:
                depth += 1 if letter == "(" else -1
                if depth == 0:
                    return index
        raise self._unbalanced("opens a parenthesis that is not closed")

    def _open(self, at: int) -> int:
        """`(`, which captures, or `/(`, which does not. Gives back where it ends."""
        slash = self.text[at] == "/"
        at += slash
        special = _SPECIAL.match(self.text, at)
        if slash and special is None:
            self._gap()
            self._write("(?:/", r"(?:\/")
            return at + 1
        if slash:
            self._literal("/")
        self._gap()
        if special is None:
            self._capture(None)
            self._write("(")
            return at + 1
        if special[1]:
            self._capture(special[1])
        self._write(f"(?P<{special[1]}>" if special[1] else special[0], special[0])
        return special.end()

    def _class(self, at: int) -> int:
        """`[…]`. Gives back where it ends."""
        found = _CLASS.match(self.text, at)
        if found is None:
            raise UrlExpError(
                f"{self.given!r} opens a bracket that is not closed. Put a backslash before one that is meant as it "
                "stands.",
                self.given,
            )
        self._gap()
        self._write(_class(found[0]), found[0])
        return found.end()

    def _escape(self, letter: str) -> None:
        if letter in "dDwWsSbBfnrtvxu0123456789":
            self._gap()
            self._write("\\" + letter)
        else:
            self._literal(letter)

    def _unbalanced(self, what: str) -> UrlExpError:
        return UrlExpError(
            f"Unbalanced parentheses in {self.given!r}: it {what}. Put a backslash before one that is meant as it "
            "stands.",
            self.given,
        )


_WITHOUT_CLASSES = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")
_POSSESSIVE = re.compile(r"[+*?}]\+")
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")


def _class(source: str) -> str:
    """A class of characters for Python, which may some day read more into it than JavaScript does."""
    return "[" + re.sub(r"\\.|[\[&|~]", lambda found: found[0] if found[0][0] == "\\" else "\\" + found[0], source[1:])


def _own(source: str) -> str:
    """A parameter's own regular expression, for Python."""
    return re.sub(
        rf"\\.|{_CLASS.pattern}",
        lambda found: _class(found[0]) if found[0][0] == "[" else found[0],
        _plain_groups(source),
    )


def _plain_groups(source: str) -> str:
    """The same, where groups capture nothing: there is one capture to a parameter."""
    return re.sub(
        rf"\\.|{_CLASS.pattern}|\((?!\?)|\(\?<\w+>",
        lambda found: "(?:" if found[0][0] == "(" else found[0],
        source,
    )
