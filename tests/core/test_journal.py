"""What was asked and how it was answered: how much of it is kept."""

import pytest

from fauxserver import FauxServer, Request, journal


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(journal, "MOST_BYTES", 10)


def kept(server, *bodies):
    """The numbers of the requests that are still there, after one with each body."""
    server.post("*path", lambda: None)
    for number, body in enumerate(bodies):
        server.accept(Request("POST", str(number), body=body)).answer()
    return [entry.url for entry in server.journal]


@pytest.mark.parametrize(
    ("size", "bodies", "numbers"),
    [
        (3, [b""] * 5, ["2", "3", "4"]),
        (9, [b"1234"] * 5, ["3", "4"]),
        (9, [b"12345"] * 5, ["3", "4"]),
        (9, [b"123456", b"", b"", b"123456", b""], ["1", "2", "3", "4"]),
        (3, [b"1", b"2", b"3", b"4", b"5"], ["2", "3", "4"]),
        (3, [b"1234", b"", b"", b"", b"1234", b"1234"], ["3", "4", "5"]),
        (9, [b"1" * 100], ["0"]),
        (9, [b"1" * 100, b""], ["1"]),
        (0, [b"1" * 100, b"", b"1"], []),
    ],
)
def test_the_oldest_goes_when_there_are_too_many_or_they_are_too_long(small, size, bodies, numbers):
    assert kept(FauxServer(journal_size=size), *bodies) == numbers


def test_what_was_cleared_does_not_count(small):
    server = FauxServer()
    kept(server, b"123456")
    server.journal.clear()

    assert kept(server, b"1234", b"123456") == ["0", "1"]
