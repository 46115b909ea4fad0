"""What was sent, read by its content type.

Multipart forms are read here and not by `email`, which means mail: it knows other line ends than CRLF and so gives
files back that are not, byte for byte, what was sent; and to import it would keep the page waiting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from fauxserver.context import gather, parse_query
from fauxserver.errors import BodyError

MOST_PARTS = 10_000
"""The most parts of a multipart form that are read."""
MOST_HEADER_BYTES = 16 * 1024
"""The longest header of a part."""


class UploadedFile(NamedTuple):
    """A file in a multipart form."""

    filename: str
    """As the client names it: a text like any other, and no path to be trusted."""
    content_type: str
    body: bytes

    def __repr__(self) -> str:
        return f"<UploadedFile {self.filename!r}, {self.content_type}, {len(self.body)} bytes>"


def decode(body: bytes, content_type: str) -> Any:
    """What was sent: from JSON its value, from a form a dict, from a text a str; else nothing.

    A name that a form has more than once has a list; a file in a multipart form is an `UploadedFile`. Raises
    BodyError for a body that is not what its type says.

    >>> decode(b'{"title": "Nine Stories"}', "application/json")
    {'title': 'Nine Stories'}
    >>> decode(b"tag=a&tag=b&page=2", "application/x-www-form-urlencoded")
    {'tag': ['a', 'b'], 'page': '2'}
    """
    if not body:
        return None
    kind, parameters = _read_type(content_type)
    if kind == "application/json" or kind.endswith("+json"):
        return _decode_json(body, kind, parameters.get("charset"))
    if kind == "application/x-www-form-urlencoded":
        try:
            return parse_query(body.decode())
        except ValueError as error:
            raise BodyError(f"The body is sent as a form, and is none: {error}.", kind) from None
    if kind == "multipart/form-data":
        return gather(_read_parts(body, parameters.get("boundary", "")))
    if kind.startswith("text/"):
        return _text(body, parameters.get("charset"), f"The body is sent as {kind}", kind)
    return None


# --- JSON and texts ------------------------------------------------------------------------------------------------


def _decode_json(body: bytes, kind: str, charset: str | None) -> Any:
    try:
        # JSON says itself whether it is UTF-8, 16 or 32.
        encoding = json.detect_encoding(body) if not charset or charset.lower().startswith("utf") else charset
        return _json.decode(body.decode(encoding))
    except LookupError:
        raise BodyError(_unknown(f"The body is sent as {kind}", charset), kind) from None
    except (ValueError, RecursionError) as error:
        raise BodyError(f"The body is sent as {kind}, and is no JSON: {error}.", kind) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")


_json = json.JSONDecoder(parse_constant=_refuse)


def _text(body: bytes, charset: str | None, what: str, kind: str) -> str:
    try:
        # As a browser reads a text: what is no character does not make the rest unreadable.
        return body.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        raise BodyError(_unknown(what, charset), kind) from None


def _is_charset(name: str) -> bool:
    try:
        b"-".decode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True


def _unknown(what: str, charset: str | None) -> str:
    return f"{what} in the charset {charset!r}, which is unknown. Send it as UTF-8."


# --- Multipart forms (RFC 7578, RFC 2046) ---------------------------------------------------------------------------


def _read_parts(body: bytes, boundary: str) -> Iterator[tuple[str, str | UploadedFile]]:
    """The fields of a form, in their order."""
    charset = None
    for number, part in enumerate(_cut(body, boundary), 1):
        head, _, content = part.partition(b"\r\n\r\n") if not part.startswith(b"\r\n") else (b"", b"", part[2:])
        headers = _read_headers(head, number)
        disposition, parameters = _read_disposition(headers.get("content-disposition", ""), number)
        name = parameters.get("name")
        if disposition != "form-data" or name is None:
            raise _wrong(f'part {number} has no header Content-Disposition: form-data; name="…"')
        content_type = headers.get("content-type", "text/plain")
        filename = _file_name(parameters)
        if filename is not None:
            yield name, UploadedFile(filename, content_type, content)
            continue
        kind, of_type = _read_type(content_type)
        what = f"The field {name!r} is sent as {kind}"
        value = _text(content, of_type.get("charset", charset), what, "multipart/form-data")
        if name == "_charset_" and _is_charset(value):
            # A form's way to say what its texts are written in; or a name like any other.
            charset = value
        yield name, value


_LINE_END = re.compile(rb"[ \t]*+(?:\r\n|\Z)")


def _cut(body: bytes, boundary: str) -> Iterator[bytes]:
    """What stands between the lines with the boundary."""
    if not boundary:
        raise _wrong(
            "its content type names no boundary. Leave the header to the client that knows the boundary: give it a "
            "FormData, and no Content-Type"
        )
    line = b"--" + boundary.encode("latin-1", "replace")
    start: int | None = None
    parts = 0
    at = 0 if body.startswith(line) else _next(body, line, 0)
    while at >= 0:
        end = at + len(line)
        last = body.startswith(b"--", end)
        line_end = _LINE_END.match(body, end + 2 if last else end)
        # A line that only begins with the boundary is content.
        if line_end:
            if start is not None:
                parts += 1
                if parts > MOST_PARTS:
                    raise _wrong(f"it has more than {MOST_PARTS} parts")
                yield body[start : max(start, at - 2)]
            if last:
                return
            start = line_end.end()
        at = _next(body, line, end)
    if start is None:
        hint = ", or its lines do not end with CRLF" if b"\n" in body and b"\r\n" not in body else ""
        raise _wrong(f"no line is its boundary, --{boundary}{hint}")
    raise _wrong(f"it breaks off: the last line, --{boundary}--, is missing")


def _next(body: bytes, line: bytes, start: int) -> int:
    """Where the next line begins that begins with the boundary, after *start*."""
    found = body.find(b"\r\n" + line, start)
    return found + 2 if found >= 0 else -1


def _read_headers(head: bytes, number: int) -> dict[str, str]:
    if len(head) > MOST_HEADER_BYTES:
        raise _wrong(f"the header of part {number} is longer than {MOST_HEADER_BYTES} bytes")
    headers = {}
    for line in re.sub(r"\r\n(?=[ \t])", "", head.decode("utf-8", "replace")).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers


_PARAMETER = re.compile(
    r'[ \t]*+;[ \t]*+(?:([^=;" \t]*+)[ \t]*+=[ \t]*+(?:"(.*?)"(?=[ \t]*+(?:;|\Z))|([^;"]*+)))?', re.DOTALL
)


def _read_disposition(text: str, number: int) -> tuple[str, dict[str, str]]:
    """Read `form-data; name="…"; filename="…"`.

    Browsers write a quotation mark as `%22`, and the ends of a line likewise, and leave all else as it is, a `%`
    and a backslash, too; others put a backslash before a quotation mark.
    """
    kind, _, _ = text.partition(";")
    parameters: dict[str, str] = {}
    at = len(kind)
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None or found.end() == at:
            raise _wrong(f"part {number} has a Content-Disposition that cannot be read: {text[:200]!r}")
        at = found.end()
        if found[1]:
            value = found[3].strip() if found[2] is None else _unescape(found[2])
            parameters.setdefault(found[1].lower(), value)
    return kind.strip().lower(), parameters


def _unescape(text: str) -> str:
    if "%" in text:
        text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')
    return text.replace('\\"', '"')


def _file_name(parameters: dict[str, str]) -> str | None:
    """The name of a part that is a file. `filename*` is no form's word, and clients of mail send it."""
    charset, quote, encoded = parameters.get("filename*", "").partition("'")
    if quote:
        from urllib.parse import unquote

        try:
            return unquote(encoded.partition("'")[2], charset or "utf-8", "strict")
        except (LookupError, ValueError):
            pass
    return parameters.get("filename")


def _wrong(why: str) -> BodyError:
    return BodyError(f"The body is sent as multipart/form-data, and is none: {why}.", "multipart/form-data")


# --- Content types -------------------------------------------------------------------------------------------------

_TYPE_PARAMETER = re.compile(r';[ \t]*([^=;" \t]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"]*))')


def _read_type(content_type: str) -> tuple[str, dict[str, str]]:
    """`text/html; charset=utf-8` → `"text/html"`, `{"charset": "utf-8"}`; names in lower case, the first one counts."""
    kind, semicolon, _ = content_type.partition(";")
    parameters: dict[str, str] = {}
    if semicolon:
        for name, quoted, plain in _TYPE_PARAMETER.findall(content_type):
            parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip())
    return kind.strip().lower(), parameters
