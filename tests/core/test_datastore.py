"""Row B18, as far as it needs no page: what a snapshot holds, and how it is restored."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fauxserver import DataStore, DataStoreError, JSONError


@dataclass
class Contact:
    name: str
    age: int = 0


class Named(Contact):
    pass


def stored() -> DataStore:
    return DataStore().register("Contact", Contact)


def test_objects_of_registered_types_and_plain_values_come_back_as_what_they_were():
    store = stored().set("me", Contact("Franny", 20)).set("list", [1, None, {"a": "b"}]).set("nothing", None)

    again = stored().restore(store.snapshot())

    assert [again.get(name) for name in again] == [Contact("Franny", 20), [1, None, {"a": "b"}], None]
    assert (len(again), repr(again)) == (3, "<DataStore with me, list, nothing>")


def test_the_nearest_type_counts_and_a_subclass_is_written_as_its_base():
    both = stored().register("Named", Named).set("a", Named("a")).set("b", Contact("b"))
    base = stored().set("a", Named("a"))

    assert [entry["type"] for entry in json.loads(both.snapshot()).values()] == ["Named", "Contact"]
    assert type(stored().restore(base.snapshot()).get("a")) is Contact


def test_a_type_may_be_written_and_read_in_its_own_way():
    def store() -> DataStore:
        return DataStore().register("Bytes", bytes, write=lambda value: value.hex(), read=bytes.fromhex)

    assert store().restore(store().set("it", b"\x00\xff").snapshot()).get("it") == b"\x00\xff"


def test_a_list_is_given_to_the_type_as_it_is():
    class Contacts(list[Any]):
        pass

    store = DataStore().register("Contacts", Contacts)

    assert type(store.restore('{"all":{"type":"Contacts","data":[1,2]}}').get("all")) is Contacts


def test_the_snapshot_may_stand_in_a_script_element():
    script = DataStore().set("it", "</script><!-- & \u2028").script("start")

    assert script == (
        '<script type="application/json" id="start">{"it":{"type":null,"data":"\\u003c/script\\u003e\\u003c!-- '
        '\\u0026 \\u2028"}}</script>'
    )


def test_what_is_removed_is_in_no_snapshot():
    assert stored().set("a", 1).remove("a").remove("b").snapshot() == "{}"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: DataStore().set("me", Contact("Franny")).snapshot(),
            "DataStore: 'me' is a Contact, which is not registered. Call register('Contact', Contact) first.",
        ),
        (
            lambda: DataStore().restore('{"me":{"type":"Contact","data":{}}}'),
            "DataStore: 'me' is of the type 'Contact', which is not registered here. "
            "Call register('Contact', …) first.",
        ),
        (lambda: DataStore().restore("<html>"), "DataStore: this is no snapshot: '<html>'."),
        (lambda: DataStore().restore('{"a": 1}'), "DataStore: this is no snapshot: '{\"a\": 1}'."),
    ],
)
def test_what_cannot_be_written_or_restored_says_why(use: Callable[[], Any], message: str):
    with pytest.raises(DataStoreError) as raised:
        use()

    assert str(raised.value) == message


def test_a_snapshot_with_an_unknown_type_restores_nothing():
    store = stored().set("a", 1)

    with pytest.raises(DataStoreError):
        store.restore('{"b":{"type":null,"data":2},"c":{"type":"Thing","data":{}}}')

    assert list(store) == ["a"]


def test_what_json_cannot_hold_is_named():
    with pytest.raises(JSONError, match=r"\$\.me\.data\.age is nan"):
        stored().set("me", Contact("Franny", float("nan"))).snapshot()  # type: ignore[arg-type]
