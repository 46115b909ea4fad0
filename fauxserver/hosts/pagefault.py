"""What goes wrong, as the bridge throws it, and shows it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

from fauxserver.errors import FauxServerError, RouteFileError, TimeLimitError, UrlExpError
from fauxserver.guard import Stopped
from fauxserver.handlers import traceback_of
from fauxserver.hosts.pageguard import HOME, TIME_LIMIT
from fauxserver.messages import to_json


def attempt(function: Callable[..., Any], *args: Any) -> str:
    """Call a function and write down what it gives, or what went wrong."""
    try:
        value = function(*args)
        return to_json(value) if isinstance(value, dict) else "{}"
    except Exception as error:
        return json.dumps({"error": fault_of(error)})
    except Stopped as error:
        stopped = TimeLimitError("The code ran longer than the time limit and was stopped.", TIME_LIMIT)
        return json.dumps({"error": fault_of(stopped.with_traceback(error.__traceback__))})


def fault_of(error: Exception) -> dict[str, Any]:
    """An error as the bridge throws it, and shows it."""
    kind = "SyntaxError" if isinstance(error, UrlExpError) else type(error).__name__
    fault: dict[str, Any] = {"type": kind, "message": str(error)}
    if isinstance(error, RouteFileError):
        fault |= {"file": error.file, "line": error.line, "source": error.source_line}
    elif isinstance(error, SyntaxError):
        # Not JavaScript's SyntaxError, which an expression that does not parse is.
        fault |= {"type": "Error", "message": f"SyntaxError: {error.msg}", "file": error.filename, "line": error.lineno}
        fault["source"] = (error.text or "").strip()
    elif not isinstance(error, FauxServerError) or isinstance(error, TimeLimitError):
        if not isinstance(error, TimeLimitError):
            fault["message"] = f"{kind}: {error}"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(HOME)]
        if frames:
            fault |= {"file": frames[-1].filename, "line": frames[-1].lineno, "source": frames[-1].line}
    # A route file's error says itself what the raising of it would.
    told = error.__cause__ if isinstance(error, RouteFileError) else error
    fault["traceback"] = traceback_of(told) if told else ""
    return fault
