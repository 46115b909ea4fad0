"""What a page starts with: objects by name, written down on one side and restored, as what they were, on the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fauxserver.errors import DataStoreError
from fauxserver.messages import to_json


class _Type(NamedTuple):
    kind: type
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


class DataStore:
    """Objects by name. Those of registered types survive a snapshot; JSON's own values do so in any case.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Contact:
    ...     name: str
    >>> store = DataStore().register("Contact", Contact).set("me", Contact("Franny"))
    >>> store.snapshot()
    '{"me":{"type":"Contact","data":{"name":"Franny"}}}'
    >>> DataStore().register("Contact", Contact).restore(store.snapshot()).get("me")
    Contact(name='Franny')
    """

    def __init__(self) -> None:
        self._types: dict[str, _Type] = {}
        self._values: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<DataStore with {', '.join(self._values) or 'nothing'}>"

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def register(
        self,
        name: str,
        kind: type,
        *,
        write: Callable[[Any], Any] | None = None,
        read: Callable[[Any], Any] | None = None,
    ) -> DataStore:
        """Let objects of a class be written, under this name, and read. The other side registers its own under it.

        *write* makes JSON's values of an object; without it, it is one that a handler could return, or has a method
        `to_json`. *read* makes an object of them; without it, *kind* is called with a dict's items by name, or with
        whatever else it is.
        """
        self._types[name] = _Type(kind, write or _write, read or (lambda data: _read(kind, data)))
        return self

    def set(self, name: str, value: Any) -> DataStore:
        """Keep *value* under a name."""
        self._values[name] = value
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """What is kept under that name."""
        return self._values.get(name, default)

    def remove(self, name: str) -> DataStore:
        """Keep it no longer."""
        self._values.pop(name, None)
        return self

    def snapshot(self) -> str:
        """All of it, as JSON that may stand in a script element. Raises DataStoreError for what has no type."""
        entries: dict[str, Any] = {}
        for name, value in self._values.items():
            kind = self._type_of(name, value)
            data = value if kind is None else self._types[kind].write(value)
            entries[name] = {"type": kind, "data": data}
        # Nothing in it ends the element, or begins a comment.
        return to_json(entries).translate(_ESCAPES)

    def restore(self, snapshot: str) -> DataStore:
        """Keep what a snapshot holds, besides what there is. Raises DataStoreError for types that nobody registered."""
        try:
            entries = json.loads(snapshot)
            found = [(name, entry["type"], entry["data"]) for name, entry in entries.items()]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataStoreError(f"DataStore: this is no snapshot: {snapshot[:60]!r}.", None) from error
        for name, kind, _ in found:
            if kind is not None and kind not in self._types:
                raise DataStoreError(
                    f"DataStore: {name!r} is of the type {kind!r}, which is not registered here. "
                    f"Call register({kind!r}, …) first.",
                    name,
                )
        for name, kind, data in found:
            self._values[name] = data if kind is None else self._types[kind].read(data)
        return self

    def script(self, id: str = "data-store") -> str:
        """The snapshot as an element of a page, where `fauxServer.DataStore` finds it."""
        return f'<script type="application/json" id="{id}">{self.snapshot()}</script>'

    def _type_of(self, name: str, value: Any) -> str | None:
        for kind, known in reversed(self._types.items()):
            if type(value) is known.kind:
                return kind
        for kind, known in reversed(self._types.items()):
            if isinstance(value, known.kind):
                return kind
        if value is None or isinstance(value, (dict, list, tuple, str, int, float)):
            return None
        title = type(value).__name__
        raise DataStoreError(
            f"DataStore: {name!r} is a {title}, which is not registered. Call register({title!r}, {title}) first.", name
        )


_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def _write(value: Any) -> Any:
    return value.to_json() if hasattr(value, "to_json") else value


def _read(kind: type, data: Any) -> Any:
    return kind(**data) if isinstance(data, dict) and not issubclass(kind, dict) else kind(data)
