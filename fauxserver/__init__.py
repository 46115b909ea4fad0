"""Your REST back end, in Python, inside the page. One script tag, one Python file; no server to start."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fauxserver.bodies import UploadedFile
    from fauxserver.callbacks import APIAdapter, NotFound, callback, create_error
    from fauxserver.context import Context
    from fauxserver.datastore import DataStore
    from fauxserver.errors import (
        BodyError,
        DataStoreError,
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
    from fauxserver.expressexp import Express
    from fauxserver.latency import between
    from fauxserver.messages import Request, Response
    from fauxserver.server import FauxServer

__version__ = "0.1.0"

__all__ = [
    "APIAdapter",
    "BodyError",
    "Context",
    "DataStore",
    "DataStoreError",
    "Exchange",
    "Express",
    "FauxServer",
    "FauxServerError",
    "FauxServerWarning",
    "HTTPError",
    "HandlerError",
    "JSONError",
    "NotFound",
    "PolicyError",
    "Request",
    "Response",
    "RouteError",
    "RouteFileError",
    "TimeLimitError",
    "UploadedFile",
    "UrlExpError",
    "between",
    "callback",
    "create_error",
]

_HOMES = {
    "APIAdapter": "callbacks",
    "Context": "context",
    "DataStore": "datastore",
    "Exchange": "exchange",
    "Express": "expressexp",
    "FauxServer": "server",
    "NotFound": "callbacks",
    "Request": "messages",
    "Response": "messages",
    "UploadedFile": "bodies",
    "between": "latency",
    "callback": "callbacks",
    "create_error": "callbacks",
}


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: pytest loads our plugin, and so this package, in every run.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not kept here: whoever takes the modules out of sys.modules, as pytester does, means to have all of it anew.
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
