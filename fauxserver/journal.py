"""What was asked and how it was answered; what tests assert on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from fauxserver.messages import Failure

if TYPE_CHECKING:
    from fauxserver.exchange import Exchange


class Entry(NamedTuple):
    """One request, answered."""

    method: str
    url: str
    status: int
    """0 for a request that was dropped."""
    duration: float
    """How long the handler took, in milliseconds; latency does not count."""
    route: str
    """The route's name."""
    label: str
    """The handler's name."""
    location: str
    """Where the route was added, as `routes.py:12`."""
    data: Any
    error: Failure | str | None
    """What went wrong in the handler, if something did."""
    delay: float
    """The latency, in milliseconds."""
    note: str
    """What else there is to say."""

    def __str__(self) -> str:
        where = " ".join(part for part in (self.label, self.location) if part)
        line = f"{self.method} {self.url} → {self.status or 'dropped'}, {self.duration:.0f} ms"
        return f"{line}, {where}" if where else line


MOST_BYTES = 32 * 1024 * 1024
"""So many bytes of bodies are kept: uploads would fill the page's memory long before they are a thousand."""


class Journal:
    """The latest requests, oldest first; the oldest goes when it is full, of requests or of what they sent."""

    __slots__ = ("_bytes", "_exchanges")

    def __init__(self, size: int = 1000) -> None:
        # The exchanges themselves: an entry is made when somebody looks.
        self._exchanges: deque[Exchange] = deque(maxlen=size)
        self._bytes = 0

    def append(self, exchange: Exchange) -> None:
        """Take down an exchange that is over."""
        exchanges = self._exchanges
        if exchange.request.body or self._bytes:
            self._bytes += len(exchange.request.body)
            while exchanges and (len(exchanges) == exchanges.maxlen or self._bytes > MOST_BYTES):
                self._bytes -= len(exchanges.popleft().request.body)
        exchanges.append(exchange)

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Entry]:
        return iter([exchange.entry() for exchange in self._exchanges])

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [exchange.entry() for exchange in list(self._exchanges)[index]]
        return self._exchanges[index].entry()

    def __repr__(self) -> str:
        return "\n".join(["<Journal", *(f"  {entry}" for entry in self), ">"])

    def clear(self) -> None:
        """Forget all."""
        self._exchanges.clear()
        self._bytes = 0
