"""What a context reads from a request."""

import pytest

from fauxserver.context import parse_query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("q=gr%C3%B6%C3%9Fe+x%2By", {"q": "größe x+y"}),
        ("a[]=1&a[]=2", {"a[]": ["1", "2"]}),
        ("&&", {}),
    ],
)
def test_parse_query(text, query):
    assert parse_query(text) == query
