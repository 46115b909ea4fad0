"""How long the server pretends to think. All times are milliseconds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeAlias

Latency: TypeAlias = "float | Callable[..., Any]"


def latency(minimum: Any = 0, maximum: Any = None) -> Latency:
    """What `set_latency` was told, as a number or as a function.

    >>> latency(50), latency(50, 0), latency()
    (50, 50, 0)
    >>> 50 <= milliseconds(latency(50, 100)()) <= 100
    True
    """
    if callable(minimum):
        return minimum  # type: ignore[no-any-return]
    if not maximum:
        return minimum or 0
    return between(minimum, maximum)


def between(minimum: float, maximum: float) -> Callable[[], float]:
    """A latency that is drawn anew for each request.

    >>> 100 <= between(100, 400)() <= 400
    True
    """

    def draw() -> float:
        low, high = milliseconds(minimum), milliseconds(maximum)
        return low + random.random() * (high - low)

    return draw


def milliseconds(value: Any) -> float:
    """A delay from whatever a latency function returned: what is no time to wait is 0.

    >>> milliseconds(20), milliseconds(-5), milliseconds(float("nan")), milliseconds("soon")
    (20.0, 0.0, 0.0, 0.0)
    """
    try:
        delay = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return delay if 0 < delay < float("inf") else 0.0
