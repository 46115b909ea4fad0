"""Your REST back end, in Python, inside the page. One script tag, one Python file; no server to start."""

from fauxserver.bodies import UploadedFile
from fauxserver.context import Context
from fauxserver.errors import (
    BodyError,
    FauxServerError,
    FauxServerWarning,
    HandlerError,
    HTTPError,
    JSONError,
    PolicyError,
    RouteError,
    RouteFileError,
    TimeLimitError,
    UrlExpError,
)
from fauxserver.exchange import Exchange
from fauxserver.latency import between
from fauxserver.messages import Request, Response
from fauxserver.server import FauxServer

__version__ = "0.1.0"

__all__ = [
    "BodyError",
    "Context",
    "Exchange",
    "FauxServer",
    "FauxServerError",
    "FauxServerWarning",
    "HTTPError",
    "HandlerError",
    "JSONError",
    "PolicyError",
    "Request",
    "Response",
    "RouteError",
    "RouteFileError",
    "TimeLimitError",
    "UploadedFile",
    "UrlExpError",
    "between",
]
