"""How an url meets an expression. (JavaScript's opinion is asked in tests/hosts/test_javascript_regexp.py.)"""

import re

import pytest

from fauxserver.urlexp import UrlExp


@pytest.mark.parametrize(
    ("expression", "url", "captures"),
    [
        ("books/:id", "books/7", ("7",)),
        ("books/:id", "books/", None),
        ("books/:id", "books/7/8", None),
        ("books/:id", "Books/7", None),
        ("books/:id", "books/7/", None),
        ("books/:id", "books/a%20b", ("a%20b",)),
        ("books/:x", "books/7", ("7",)),
        ("books/:idé", "books/7", ("7",)),
        ("books/:5d", "books/:5d", ()),
        ("books/:a/:b", "books/7/8", ("7", "8")),
        ("books/:a-:b", "books/7-8-9", ("7-8", "9")),
        ("books(/:id)", "books", (None,)),
        ("books(/:id)", "books/7", ("7",)),
        ("a(b(c))", "a", ()),
        ("a(/:b(/:c))", "a/1", ("1", None)),
        ("files/*path", "files/a/b", ("a/b",)),
        ("files/*path", "files/", ("",)),
        ("*a/*b", "x/y/z", ("x", "y/z")),
        ("books/*", "books///", ()),
        ("books/*", "books", ()),
        ("books/*", "books/1", None),
        ("v1.0/books", "v1x0/books", None),
        ("a+b?c", "a+b?c", ()),
        ("books", "books?page=2", ()),
        ("books", "books#top", ()),
        ("books?page=:page", "books?page=2", ("2",)),
        ("books#top", "books#top", ()),
        ("books", "books\n", None),
        (":x", "a\nb", ("a\nb",)),
        ("*x", "a\nb", None),
        ("*x", "a\x85b", ("a\x85b",)),
        (":𝒳", "𝒳", ("𝒳",)),
        ("", "", ()),
        ("", "a", None),
        (re.compile(r"b(o+)(x)?"), "a/books?x", ("oo", None)),
        (re.compile(r"\?x=(\d)"), "books?x=1", ("1",)),
    ],
)
def test_match(expression, url, captures):
    assert UrlExp(expression).match(url) == captures


def test_braces_stand_for_themselves_where_nobody_takes_them_for_a_parameter():
    exp = UrlExp("books/{id}", braces=True)
    assert (exp.js_text, exp.match("books/{id}"), exp.match("books/7")) == (r"/^books\/\{id\}$/", (), None)


@pytest.mark.parametrize(
    ("expression", "params"),
    [
        ("books/:id(/*rest)", ("id", "rest")),
        (":id/:id*", ("id", "id")),
        ("books", ()),
        (re.compile("(a)(?P<name>b)"), (None, "name")),
    ],
)
def test_params(expression, params):
    assert UrlExp(expression).params == params


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("override", "/^override$/"),
        ("books/:id", r"/^books\/([^/]+)$/"),
        ("books(/:id)", r"/^books(?:\/([^/]+))?$/"),
        ("books/*rest", r"/^books\/(.*?)$/"),
        ("books/*", r"/^books\/*$/"),
        ("", "/^$/"),
        ("v1.0/a+b?c|d^e$f#g{1}[h],i-j\\k l", r"/^v1\.0\/a\+b\?c\|d\^e\$f\#g\{1\}\[h\]\,i\-j\\k\ l$/"),
        (re.compile("a/b", re.I), "/a\\/b/i"),
    ],
)
def test_what_javascript_prints(expression, printed):
    assert UrlExp(expression).js_text == printed
