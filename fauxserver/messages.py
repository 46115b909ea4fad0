"""`Request` and `Response`: the values that cross every boundary."""

from __future__ import annotations

import json
import marshal
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from fauxserver.errors import HandlerError, JSONError, reason_phrase

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NO_HITS: frozenset[int] = frozenset()


class Request(NamedTuple):
    """What somebody wants.

    `base` decides what of the url an expression is held against. `None`: the url exactly as it is given, as
    `Backbone.sync` has it. An absolute address (`"http://host/app/"`): the whole url for expressions that have an
    origin, its path for those that begin with `/`, and what comes after the base for all others. A path (`"/"`, over
    HTTP): the same, whatever the origin.
    """

    method: str
    url: str
    data: Any = None
    headers: Mapping[str, str] = _NO_HEADERS
    """Names are in lower case."""
    body: bytes = b""
    method_override: str | None = None
    base: str | None = None
    hits: frozenset[int] = _NO_HITS
    """The ids of the routes whose expression, a RegExp of the page, matches the url. The page knows, we cannot."""


class Failure(NamedTuple):
    """An error in a handler, for those who are to mend it."""

    message: str
    file: str
    line: int
    source: str
    """The line itself."""
    traceback: str
    asynchronous: bool = False
    """Whether all that is wrong is that a synchronous request cannot wait for it."""


class Response:
    """What is answered. A handler returns one for full control; of anything else it returns, the server makes one.

    The body is a JSON value, a text, bytes, or an iterator (async or not) of texts or bytes, which is streamed.

    >>> Response({"id": 1}, status=201).encode()
    (201, {'content-type': 'application/json'}, b'{"id":1}')
    """

    __slots__ = ("_body", "_json", "error", "headers", "status")

    def __init__(
        self, body: Any = None, status: int = 200, headers: Mapping[str, str | Sequence[str]] | None = None
    ) -> None:
        if not isinstance(status, int) or not 100 <= status <= 599:
            raise HandlerError(
                f"Response: {status!r} is no HTTP status. Give a number from 100 to 599, as in Response(body, 201)."
            )
        self._body = body
        self._json: str | None = None
        self.status = status
        self.headers: dict[str, Any] = {} if headers is None else dict(headers)
        self.error: Failure | None = None
        """What went wrong in the handler, if something did."""

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"

    @property
    def body(self) -> Any:
        """The body; once the server has answered, as the client sees it: a copy, read from its JSON."""
        if self._body is _SEALED:
            assert self._json is not None
            self._body = json.loads(self._json)
        return self._body

    @property
    def reason(self) -> str:
        """The reason phrase of the status."""
        return reason_phrase(self.status)

    @property
    def failed(self) -> bool:
        """Whether a client takes this for an error."""
        return self.status >= 400

    @property
    def kind(self) -> str:
        """What the body is: `"json"`, `"text"`, `"bytes"` or `"stream"`."""
        if self._json is not None:
            return "json"
        return _kind(self._body)

    @property
    def json(self) -> str:
        """The body as JSON text.

        Raises JSONError for what JSON cannot hold, and HandlerError for a stream, which is to be read first.
        """
        if self._json is not None:
            return self._json
        if _kind(self._body) == "stream":
            raise HandlerError(
                "A streamed body has no JSON text. Read it with `await response.read()`, or `stream()` it."
            )
        return to_json(self._body)

    def seal(self) -> Response:
        """Fix the body as it is now: what the handler does with its objects later changes no answer.

        Raises JSONError for what JSON cannot hold.
        """
        if self._json is None and _kind(self._body) == "json":
            self._json = to_json(self._body)
            self._body = _SEALED
        return self

    def encode(self) -> tuple[int, dict[str, str], bytes]:
        """The response as HTTP has it: status, headers (names in lower case), and the body's bytes.

        A body of `None` is 204 No Content. Raises JSONError for what JSON cannot hold, and HandlerError for a stream.
        """
        status, headers, body = self.parts()
        if isinstance(body, str):
            body = _utf8(body) if self.kind == "json" else body.encode("utf-8", "replace")
        return status, headers, body

    def parts(self) -> tuple[int, dict[str, str], str | bytes]:
        """The same, where a text may stay one that is yet to be written as UTF-8."""
        headers = self.fields()
        kind = self.kind
        body: str | bytes
        if kind == "stream":
            raise HandlerError(
                "A streamed body cannot be encoded at once. Use `stream()`, or `await response.read()` first."
            )
        if kind == "json":
            content_type, body = "application/json", self.json
            if body == "null":
                if self.status == 200:
                    return 204, headers, b""
                body = b""
        elif kind == "text":
            content_type, body = "text/plain; charset=utf-8", self._body
            if "content-type" in headers:
                body = _in_charset(self._body, headers["content-type"])
        else:
            content_type, body = "application/octet-stream", bytes(self._body)
        if self.status in (204, 304) or self.status < 200:
            return self.status, headers, b""
        if body:
            headers.setdefault("content-type", content_type)
        return self.status, headers, body

    def fields(self) -> dict[str, str]:
        """The headers as they are sent, names in lower case. Where a handler gave a list of values they are one text;
        of cookies, which cannot be, one a line.

        >>> Response(headers={"Vary": ["Accept", "Cookie"], "Set-Cookie": ["a=1", "b=2"]}).fields()
        {'vary': 'Accept, Cookie', 'set-cookie': 'a=1\\nb=2'}
        """
        return {name.lower(): field(name, value) for name, value in self.headers.items()}

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in pieces, as they come; a body that is not streamed is one piece."""
        if self.kind != "stream":
            body = self.encode()[2]
            if body:
                yield body
            return
        pieces = self._body
        try:
            if isinstance(pieces, AsyncIterable):
                async for piece in pieces:
                    yield encode_piece(piece)
            else:
                for piece in pieces:
                    yield encode_piece(piece)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of a body that is streamed, when nobody reads it to its end."""
        if hasattr(self._body, "aclose"):
            await self._body.aclose()
        elif hasattr(self._body, "close") and self.kind == "stream":
            self._body.close()

    async def read(self) -> Any:
        """The whole body. One that is streamed is collected: to a text if all of it is text, otherwise to bytes."""
        if self.kind == "stream":
            pieces: list[str | bytes] = []
            source = self._body
            if isinstance(source, AsyncIterable):
                async for piece in source:
                    pieces.append(piece)
            else:
                pieces.extend(source)
            if all(isinstance(piece, str) for piece in pieces):
                self._body = "".join(piece for piece in pieces if isinstance(piece, str))
            else:
                self._body = b"".join(encode_piece(piece) for piece in pieces)
        return self.body


_SEALED: Any = object()
_JSON_TYPES = frozenset({dict, list, type(None), bool, int, float, tuple})


def field(name: str, value: Any) -> str:
    """A header's value as it is sent."""
    if isinstance(value, (list, tuple)):
        return ("\n" if name.lower() == "set-cookie" else ", ").join(map(str, value))
    return str(value)


def _kind(body: Any) -> str:
    if type(body) in _JSON_TYPES:
        return "json"
    if isinstance(body, str):
        return "text"
    if isinstance(body, (bytes, bytearray, memoryview)):
        return "bytes"
    if isinstance(body, (Iterator, AsyncIterator)):
        return "stream"
    return "json"


def encode_piece(piece: Any) -> bytes:
    """A piece of a streamed body, as it is sent. Raises HandlerError for what is neither text nor bytes."""
    if isinstance(piece, str):
        return piece.encode("utf-8", "replace")
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    raise HandlerError(
        f"A streamed body yielded {_name(piece)}. Yield str or bytes; to send JSON, yield `json.dumps(…)`."
    )


def _in_charset(text: str, content_type: str) -> str | bytes:
    """A text in the charset that its type names; as it is, if that is UTF-8, or none."""
    charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "')
    if charset in ("", "utf-8", "utf8"):
        return text
    try:
        return text.encode(charset, "replace")
    except LookupError:
        return text


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # Half a surrogate pair, which only an escape can carry.
        return json.dumps(json.loads(text)).encode()


def to_json(value: Any) -> str:
    """Write *value* as JSON text.

    Besides JSON's own types it takes dataclasses, pydantic models, enums, UUIDs, dates and times. For anything else,
    NaN and infinity included, it raises a JSONError that says where.

    >>> to_json({"title": "Franny and Zooey", "lent": None})
    '{"title":"Franny and Zooey","lent":null}'
    >>> to_json({"books": [{"price": float("nan")}]})
    Traceback (most recent call last):
    fauxserver.errors.JSONError: $.books[0].price is nan, which JSON cannot hold. Use None, or a text.
    """
    flat = _surely_flat(value)
    if not flat:
        fault = _fault(value, "$", [])
        if fault is not None and fault[1] == _TOO_DEEP:
            raise _json_error(*fault)
    try:
        return _encode_flat(value) if flat else _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        fault = _fault(value, "$", [])
        if fault is not None:
            raise _json_error(*fault) from None
        raise JSONError(f"$ cannot be written as JSON: {error}", "$") from error


def _surely_flat(value: Any) -> bool:
    """Whether *value* is made of plain types, holds not itself, and is not nested so deeply that to encode it would end
    the page's runtime.

    There, a recursion in C can fill JavaScript's stack before Python's own limit is reached. `marshal` counts its
    levels, and costs a tenth of what the encoding does.
    """
    try:
        # In the format that knows no references: what holds itself is too deep for it.
        marshal.dumps(value, 2)
    except ValueError:
        return False
    return True


def _json_error(path: str, reason: str) -> JSONError:
    shown = path if len(path) <= 120 else f"{path[:60]}…"
    return JSONError(f"{shown} {reason}", path)


def _simplify(value: Any) -> Any:
    """What JSON has for a value of a type that it does not know."""
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None and not isinstance(value, type):
        return {name: getattr(value, name) for name in fields}
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(mode="json")
    kind = type(value)
    if hasattr(kind, "__members__"):  # An Enum.
        return value.value
    if kind.__module__ == "uuid" and kind.__name__ == "UUID":
        return str(value)
    if kind.__module__ == "datetime" and hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{kind.__name__} is not JSON serializable")


_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_simplify).encode


def _flat_encoder() -> Callable[[Any], str]:
    """As `_encode`, for what is surely flat.

    `JSONEncoder` makes an encoder in C for each value, and looks for circles: as much work as to encode a small value.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _encode
    pieces = make(None, _simplify, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(pieces(value, 0))


_encode_flat = _flat_encoder()

_TOO_DEEP = "is nested too deeply for JSON."


def _fault(value: Any, path: str, above: list[int]) -> tuple[str, str] | None:
    """Where in *value* is the first thing that JSON cannot hold, and what is it?"""
    if value is None or isinstance(value, (str, int)):
        return None
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return path, f"is {value!r}, which JSON cannot hold. Use None, or a text."
        return None
    if id(value) in above:
        return path, "contains itself, which JSON cannot hold. Break the circle, for example with an id."
    if len(above) > 500:
        return path, _TOO_DEEP
    above = [*above, id(value)]
    if isinstance(value, Mapping) and isinstance(value, dict):
        for key, item in value.items():
            if not (key is None or isinstance(key, (str, int, float))):
                return path, f"has a key of type {_name(key)}, which JSON cannot hold. Make it a text: str(…)."
            found = _fault(item, _member(path, key), above)
            if found:
                return found
        return None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found = _fault(item, f"{path}[{index}]", above)
            if found:
                return found
        return None
    try:
        simple = _simplify(value)
    except Exception:
        hint = "Make it a list: list(…)." if isinstance(value, Iterable) else "Return dicts, lists, texts and numbers."
        return path, f"is of type {_name(value)}, which JSON cannot hold. {hint}"
    return _fault(simple, path, above)


def _member(path: str, key: Any) -> str:
    name = str(key)
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name, ensure_ascii=False)}]"


def _name(value: Any) -> str:
    return type(value).__name__
