"""Call the handler (or the stack of them), and read what it returned."""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Generator, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from fauxserver.context import Context
from fauxserver.errors import HandlerError, HTTPError, JSONError, RouteError, TimeLimitError, reason_phrase
from fauxserver.messages import Failure, Response
from fauxserver.urlexp import Captures

Invoke: TypeAlias = "Callable[[Context], Any]"


# --- What a handler takes -----------------------------------------------------------------------------------------


class Manner:
    """A handler that is written in a manner of its own, and says itself how it is called."""

    def caller(self, params: Captures, route: str) -> Invoke:
        """As the function `caller`."""
        raise NotImplementedError

    def __call__(self, *args: Any, **more: Any) -> Any:
        """Call it as what it is."""
        raise NotImplementedError


def caller(handler: Any, params: Captures, route: str) -> Invoke:
    """A function that calls *handler* with what it takes of a context.

    *handler* is a function, a list of functions (a stack: each in turn, the last one's result counts) or a plain
    value. *params* are the names of the expression's holes, *route* names the route in errors.

    >>> def read_book(id: int): return id
    >>> from fauxserver.messages import Request
    >>> caller(read_book, ("id",), "GET books/:id")(Context(Request("GET", "books/7"), None, ("7",)))
    7
    """
    if callable(handler):
        return _caller(handler, params, route)
    if not isinstance(handler, list) or not any(callable(step) for step in handler):
        return lambda context: handler
    for step in handler:
        if not callable(step):
            raise RouteError(
                f"The handlers of {route} are a list of functions, but {step!r} is none. "
                "Give functions only, or values only.",
                route,
            )
    first, last = [_caller(step, params, route) for step in handler[:-1]], _caller(handler[-1], params, route)
    return _stack(first, last)


def _stack(first: Sequence[Invoke], last: Invoke) -> Invoke:
    def invoke(context: Context) -> Any:
        for at, step in enumerate(first):
            result = step(context)
            if awaits(result):
                return rest(context, result, at + 1)
        return last(context)

    async def rest(context: Context, result: Any, at: int) -> Any:
        await result
        for step in first[at:]:
            result = step(context)
            if awaits(result):
                await result
        result = last(context)
        return await result if awaits(result) else result

    return invoke


def _caller(function: Callable[..., Any], params: Captures, route: str, lenient: bool = False) -> Invoke:
    if isinstance(function, Manner):
        return function.caller(params, route)
    try:
        parameters = parameters_of(function)
    except (TypeError, ValueError):  # Some builtins do not tell.
        return lambda context: function(*context.captures)

    by_name = named(params)
    takes, left = take_by_name(parameters, by_name, len(params))
    positional: list[Callable[[Context], Any]] = []
    keyword: dict[str, Callable[[Context], Any]] = {}
    for parameter in parameters:
        name = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [capture(index, parameter) for index in left]
            left = []
        elif parameter.kind is parameter.VAR_KEYWORD:
            keyword |= {
                other: capture(index, parameter)
                for other, index in by_name.items()
                if index in left and other not in takes
            }
        elif parameter.kind is parameter.KEYWORD_ONLY:
            if name in takes:
                keyword[name] = takes[name]
            elif parameter.default is parameter.empty:
                if not lenient:
                    raise RouteError(_unfillable(function, parameter, params, route), route)
                keyword[name] = _nothing
        elif name in takes:
            positional.append(takes[name])
        elif left:
            positional.append(capture(left.pop(0), parameter))
        elif parameter.default is not parameter.empty:
            positional.append(_constant(parameter.default))
        elif lenient:
            positional.append(_nothing)
        else:
            raise RouteError(_unfillable(function, parameter, params, route), route)
    return _call(function, positional, keyword)


def named(params: Captures) -> dict[str, int]:
    """Which of the expression's holes has a name, as Python reads it."""
    by_name: dict[str, int] = {}
    for index, name in enumerate(params):
        if name:
            by_name.setdefault(_python_name(name), index)
    return by_name


def take_by_name(
    parameters: list[inspect.Parameter], by_name: dict[str, int], size: int
) -> tuple[dict[str, Callable[[Context], Any]], list[int]]:
    """What parameters take whose name says it, and which of the expression's *size* holes are left then."""
    takes: dict[str, Callable[[Context], Any]] = {}
    taken: set[int] = set()
    for parameter in parameters:
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name == "context":
            takes[name] = _context
        elif name in by_name:
            taken.add(by_name[name])
            takes[name] = capture(by_name[name], parameter)
        elif name in ("data", "query"):
            takes[name] = _data if name == "data" else _query
    return takes, [index for index in range(size) if index not in taken]


def _call(
    function: Callable[..., Any],
    positional: list[Callable[[Context], Any]],
    keyword: dict[str, Callable[[Context], Any]],
) -> Invoke:
    if keyword:
        return lambda context: function(
            *[take(context) for take in positional], **{name: take(context) for name, take in keyword.items()}
        )
    if not positional:
        return lambda context: function()
    if positional == [_context]:
        return function
    if len(positional) == 1:
        (only,) = positional
        return lambda context: function(only(context))
    return lambda context: function(*[take(context) for take in positional])


def latency_caller(function: Callable[..., Any], params: Captures) -> Invoke:
    """As `caller`, for a latency function: it serves routes of all kinds, and gets `None` for what a route has not."""
    return _caller(function, params, "", lenient=True)


def _context(context: Context) -> Any:
    return context


def _data(context: Context) -> Any:
    return context.data


def _query(context: Context) -> Any:
    return context.query


def _nothing(context: Context) -> Any:
    return None


def _constant(value: Any) -> Callable[[Context], Any]:
    return lambda context: value


def capture(index: int, parameter: inspect.Parameter) -> Callable[[Context], Any]:
    """What a parameter takes of a hole, as its annotation asks for."""
    convert = _converter(parameter.annotation)
    default = None if parameter.default is parameter.empty else parameter.default

    def take(context: Context) -> Any:
        text = context.captures[index]
        if text is None:
            return default
        if convert is None:
            return text
        try:
            return convert(text)
        except (ValueError, TypeError, ArithmeticError):
            # There is no such book as the one with the id "seven".
            raise HTTPError(404) from None

    return take


def _unfillable(function: Any, parameter: inspect.Parameter, params: Captures, route: str) -> str:
    names = ", ".join(name or "a capture" for name in params)
    return (
        f"Nothing can fill the parameter {parameter.name!r} of {label(function)} for {route}: "
        f"the expression has {names or 'no parameters'}. Name it context, data, query or like a parameter of the "
        f"expression (:{parameter.name}), or give it a default."
    )


def _python_name(name: str) -> str:
    if name.isascii():
        return name
    # Python reads its own names in this form.
    from unicodedata import normalize

    return normalize("NFKC", name)


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of *function*, their annotations read as far as they can be. Raises what `signature` does."""
    try:
        return list(inspect.signature(function, eval_str=True).parameters.values())
    except (NameError, AttributeError, SyntaxError, TypeError):
        # An annotation that only a type checker can read.
        if sys.version_info >= (3, 14):
            import annotationlib

            signature = inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
        else:
            signature = inspect.signature(function)
        return [
            parameter.replace(annotation=_read_annotation(parameter.annotation, function))
            for parameter in signature.parameters.values()
        ]


def _read_annotation(annotation: Any, function: Any) -> Any:
    if isinstance(annotation, str):
        try:
            return eval(annotation, getattr(function, "__globals__", {}))
        except Exception:
            return inspect.Parameter.empty
    return annotation


# --- What a text becomes ------------------------------------------------------------------------------------------


def _converter(annotation: Any) -> Callable[[str], Any] | None:
    """What makes of a text what the annotation asks for; nothing where it asks for a text, or for who knows what."""
    annotation = getattr(annotation, "__supertype__", annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _converter(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return _first_of([_converter(kind) for kind in kinds])
    if not isinstance(annotation, type):
        return None
    if annotation in _CONVERTERS:
        return _CONVERTERS[annotation]
    if hasattr(annotation, "__members__"):
        return _member_of(annotation)
    if annotation.__module__ == "uuid" and annotation.__name__ == "UUID":
        return annotation
    return None


def _first_of(converters: list[Callable[[str], Any] | None]) -> Callable[[str], Any] | None:
    if len(converters) == 1 or None in converters[:1]:
        return converters[0]

    def convert(text: str) -> Any:
        for converter in converters:
            if converter is None:
                return text
            try:
                return converter(text)
            except (ValueError, TypeError, ArithmeticError):
                pass
        raise ValueError(text)

    return convert


def _int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,4000}", text):
        raise ValueError(text)
    return int(text)


def _float(text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise ValueError(text)
    return float(text)


def _bool(text: str) -> bool:
    word = text.lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise ValueError(text)


def _member_of(kind: Any) -> Callable[[str], Any]:
    by_text = {str(member.value): member for member in kind.__members__.values()}

    def convert(text: str) -> Any:
        if text not in by_text:
            raise ValueError(text)
        return by_text[text]

    return convert


_CONVERTERS: dict[Any, Callable[[str], Any]] = {
    int: _int,
    float: _float,
    bool: _bool,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}


# --- What it returned ---------------------------------------------------------------------------------------------

_PLAIN = frozenset({dict, list, type(None), str, int, float, bool, tuple, Response})


def awaits(result: Any) -> bool:
    """Whether a result is still to be awaited."""
    return type(result) not in _PLAIN and hasattr(result, "__await__")


def respond(result: Any) -> Response:
    """The response for what a handler returned.

    >>> respond({"id": 1}).status, respond("404").status, respond("no such book").status
    (200, 404, 500)
    >>> respond(({"id": 1}, 201)).status, respond(Response("a text")).status
    (201, 200)

    Raises JSONError for what JSON cannot hold.
    """
    kind = type(result)
    if kind is dict or kind is list or result is None:
        return Response(result).seal()
    if isinstance(result, Response):
        return result.seal()
    if isinstance(result, str):
        return Response(result, _failure_status(result))
    if isinstance(result, HTTPError):
        return Response(result.body, result.status, result.headers).seal()
    if isinstance(result, tuple) and len(result) == 2 and type(result[1]) is int and 100 <= result[1] <= 599:
        return Response(result[0], result[1]).seal()
    return Response(result).seal()


_STATUS = re.compile(r"([45][0-9]{2})(?: (.+))?")


def _failure_status(text: str) -> int:
    """A text is a failure: `"404"` and `"404 Not Found"` say which, any other is an internal error."""
    found = _STATUS.fullmatch(text)
    if found is None:
        return 500
    status = int(found[1])
    return status if found[2] is None or found[2].lower() == reason_phrase(status).lower() else 500


# --- What went wrong ----------------------------------------------------------------------------------------------


def fail(error: BaseException, handler: Any, where: str, limit: float | None = None) -> Response:
    """The response for what a handler raised; *where* is its route, as `GET books/:id`."""
    if isinstance(error, HTTPError):
        try:
            return Response(error.body, error.status, error.headers).seal()
        except JSONError as unsendable:
            error = unsendable
    status = getattr(error, "http_status_code", None)
    if isinstance(status, int) and not isinstance(status, bool) and 400 <= status <= 599:
        response = Response(_said(error) or reason_phrase(status), status)
        if status >= 500:
            response.error = _failure(error, handler, _said(error) or type(error).__name__)
        return response
    failure = _failure(error, handler, "")
    at = f"{failure.file.replace(chr(92), '/').rpartition('/')[2]}:{failure.line}" if failure.file else "?"
    if isinstance(error, TimeLimitError) and limit is not None:
        source = f": {failure.source}" if failure.source else ""
        message = (
            f"{label(handler)}, which answers {where}, ran longer than the time limit of {limit:g} ms "
            f"and was stopped at {at}{source}"
        )
    elif isinstance(error, JSONError):
        message = f"What {label(handler)} returned for {where} cannot be sent: {error} ({at})"
    elif isinstance(error, HandlerError):
        message = _said(error)
    else:
        said = _said(error)
        message = f"{type(error).__name__}{': ' if said else ''}{said} (in {label(handler)}, {at})"
    response = Response(message, 500)
    response.error = failure._replace(message=message)
    return response


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # There are errors that cannot even be told.
        return ""


def untold(error: BaseException, handler: Any) -> Response:
    """The same for an exception whose own code fails, or takes too long, when it is asked what it is."""
    file, line, source = _place(error, handler, False)
    name = file.replace(chr(92), "/").rpartition("/")[2]
    message = f"{type(error).__name__}, which does not say what it is (in {label(handler)}, {name}:{line})"
    response = Response(message, 500)
    response.error = Failure(message, file, line, source, message)
    return response


# Not as its attribute, which an exception may define as it likes.
_trace_of: Callable[[BaseException], types.TracebackType | None] = vars(BaseException)["__traceback__"].__get__


def _failure(error: BaseException, handler: Any, message: str) -> Failure:
    at_all = isinstance(error, (JSONError, HandlerError, TimeLimitError))
    return Failure(message, *_place(error, handler, at_all), traceback_of(error))


def _place(error: BaseException, handler: Any, itself: bool) -> tuple[str, int, str]:
    """File, line and source: the handler's own where it is on the way; where it is not, its first one (*itself*)."""
    import linecache
    import traceback

    code = _code(handler)
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(_trace_of(error))]
    own = [at for at in frames if code is not None and at[0] == code.co_filename]
    outside = [at for at in frames if not at[0].startswith(_HOME)]
    first = (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
    file, line = first if itself and code is not None and not own else (own or outside or [first])[-1]
    return file, line, linecache.getline(file, line).strip() if file else ""


def raised_by_us(error: BaseException) -> bool:
    """Whether an exception comes from this package's own code, and not from a handler's."""
    trace = _trace_of(error)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or trace.tb_frame.f_code.co_filename.startswith(_HOME)


def traceback_of(error: BaseException) -> str:
    """The traceback of *error*, from the first line on that is not ours."""
    import traceback

    start = whole = _trace_of(error)
    while start is not None and start.tb_frame.f_code.co_filename.startswith(_HOME):
        start = start.tb_next
    last = start = start or whole
    # The last of it: who recurses without end has a traceback to match, and the library walks through all of it.
    for _ in range(_LEVELS):
        last = last and last.tb_next
    while start is not None and last is not None:
        start, last = start.tb_next, last.tb_next
    return "".join(traceback.format_exception(type(error), error, start))


_LEVELS = 50


_HOME = __file__.replace("\\", "/").rpartition("/")[0] + "/"


def _code(handler: Any) -> types.CodeType | None:
    if isinstance(handler, list) and handler:
        handler = handler[-1]
    handler = inspect.unwrap(handler) if callable(handler) else handler
    handler = getattr(handler, "func", handler)
    code = getattr(handler, "__code__", None)
    return code if isinstance(code, types.CodeType) else None


def place_of(handler: Any) -> str:
    """Where a handler is written, as in `routes.py:12`."""
    code = _code(handler)
    return f"{code.co_filename.replace(chr(92), '/').rpartition('/')[2]}:{code.co_firstlineno}" if code else "?"


def label(handler: Any) -> str:
    """A handler's name, as in `read_book`.

    >>> label(len), label([len, dict]), label({"a": 1})
    ('len', 'len, dict', 'a value')
    """
    if isinstance(handler, list) and any(callable(step) for step in handler):
        return ", ".join(label(step) for step in handler)
    if not callable(handler):
        return "a value"
    name = getattr(handler, "__name__", None) or getattr(getattr(handler, "func", None), "__name__", None)
    return str(name or type(handler).__name__)


# --- In steps -----------------------------------------------------------------------------------------------------


@types.coroutine
def in_steps(awaitable: Any, step: Callable[[Callable[..., Any], Any], Any]) -> Generator[Any, Any, Any]:
    """Await *awaitable*, each stretch between two of its waits run by *step* (which stops one that takes too long)."""
    inner = awaitable.__await__()
    send = getattr(inner, "send", None) or (lambda value: next(inner))
    action, value = send, None
    while True:
        try:
            waited = step(action, value)
        except StopIteration as end:
            return end.value
        try:
            action, value = send, (yield waited)
        except GeneratorExit:
            if hasattr(inner, "close"):
                inner.close()
            raise
        except BaseException as error:
            if not hasattr(inner, "throw"):
                raise
            action, value = inner.throw, error
