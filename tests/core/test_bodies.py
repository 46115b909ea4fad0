"""What was sent, by its content type; multipart forms byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fauxserver import BodyError, UploadedFile, bodies
from fauxserver.bodies import decode

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


def form(*parts, end="--B--\r\n"):
    """A multipart form of parts, each a header and a content."""
    pieces = [b"--B\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts]
    return b"".join(pieces) + end.encode()


def field(content, name="x", more=""):
    return f'Content-Disposition: form-data; name="{name}"{more}', content


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b'{"a": [1, null]}', "application/json", {"a": [1, None]}),
        (b'{"a": 1}', "Application/JSON ; charset=UTF-8", {"a": 1}),
        (b'"\xc3\xa9"', "application/vnd.api+json", "é"),
        (b'"\xe9"', "application/json; charset=iso-8859-1", "é"),
        ('"é"'.encode("utf-16"), "application/json", "é"),
        ('\ufeff"é"'.encode(), "application/json;charset=utf-8", "é"),
        (b"0", "application/json", 0),
        (b"a=1&b=%C3%A9+x&a=2&empty=", FORM, {"a": ["1", "2"], "b": "é x", "empty": ""}),
        ("a=é".encode(), f"{FORM};charset=UTF-8", {"a": "é"}),
        (b"plain \xc3\xa9", "text/plain", "plain é"),
        (b"<p>\xe9</p>", 'text/html; charset="ISO-8859-1"', "<p>é</p>"),
        ("naïve".encode("utf-16"), "text/plain;charset=utf-16", "naïve"),
        (b"no \xff character", "text/plain", "no \ufffd character"),
        (b"\x89PNG", "image/png", None),
        (b"{}", "application/octet-stream", None),
        (b"{}", "", None),
        (b"{}", "json", None),
        (b"--B--", "multipart/mixed; boundary=B", None),
        (b"", "application/json", None),
        (b"", FORM, None),
        (b"", MULTIPART, None),
        (b"", "text/plain", None),
    ],
)
def test_what_was_sent_by_its_type(body, content_type, data):
    assert decode(body, content_type) == data


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (form(), {}),
        (form(end="--B--"), {}),
        (form(field(b"1")), {"x": "1"}),
        (form(field(b"1"), field(b"2"), field(b"3", "y")), {"x": ["1", "2"], "y": "3"}),
        (form(field(b"")), {"x": ""}),
        (form(field(b"1", "")), {"": "1"}),
        (form(field("é\r\nü".encode(), "naïve ☃")), {"naïve ☃": "é\r\nü"}),
        (form(field(b"\r\n")), {"x": "\r\n"}),
        (form(field(b"\r\n--Bananas\r\n--B-\r\n --B\r\n-B--")), {"x": "\r\n--Bananas\r\n--B-\r\n --B\r\n-B--"}),
        (form(field(b"\n--B\n")), {"x": "\n--B\n"}),
        (form(field(b"1"), end="--B-- \t\r\nepilogue\r\n" + form(field(b"2")).decode()), {"x": "1"}),
        (b"preamble --B\r\n" + form(field(b"1")), {"x": "1"}),
        (b"\r\n" + form(field(b"1")), {"x": "1"}),
        (form(field(b"1")).replace(b"--B\r\n", b"--B \t\r\n"), {"x": "1"}),
        (b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n--B--', {"x": ""}),
        (form(("content-disposition:form-data;name=x", b"1")), {"x": "1"}),
        (form(("CONTENT-DISPOSITION: Form-Data ; NAME = x ;", b"1")), {"x": "1"}),
        (form(('Content-Disposition: form-data;\r\n name="x"\r\nX-More: yes', b"1")), {"x": "1"}),
        (form((field(b"")[0] + "\r\nContent-Type: text/plain; charset=iso-8859-1", b"\xe9")), {"x": "é"}),
        (form((field(b"")[0] + "\r\nContent-Type: application/json", b'{"a": 1}')), {"x": '{"a": 1}'}),
        (form(field(b"iso-8859-1", "_charset_"), field(b"\xe9")), {"_charset_": "iso-8859-1", "x": "é"}),
        (form(field(b"0", "_charset_"), field("é".encode())), {"_charset_": "0", "x": "é"}),
        (form(field(b"hex", "_charset_"), field("é".encode())), {"_charset_": "hex", "x": "é"}),
        (form(field(b"no \xff character")), {"x": "no \ufffd character"}),
    ],
)
def test_the_fields_of_a_multipart_form(body, data):
    assert decode(body, MULTIPART) == data


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('filename="a.png"', "a.png"),
        ("filename=a.png", "a.png"),
        ('filename=""', ""),
        ('filename="naïve ☃.png"', "naïve ☃.png"),
        # As browsers write it: these three, and nothing else.
        ('filename="%22a%22%0D%0A.png"', '"a"\r\n.png'),
        ('filename="100%25%2F.png"', "100%25%2F.png"),
        (r'filename="C:\new\a.png"', r"C:\new\a.png"),
        ('filename="a;b=c.png"', "a;b=c.png"),
        ('filename="a\\"', "a\\"),
        # As others do.
        (r'filename="the \"cat\".png"', 'the "cat".png'),
        (r'filename="the \"cat\""', 'the "cat"'),
        ('filename="the "cat".png"', 'the "cat".png'),
        ("filename=\"a.png\"; filename*=UTF-8''na%C3%AFve.png", "naïve.png"),
        ("filename*=iso-8859-1'en'na%EFve.png", "naïve.png"),
        ("filename=\"a.png\"; filename*=klingon''%62.png", "a.png"),
        ("filename=\"a.png\"; filename*=UTF-8''%FF.png", "a.png"),
    ],
)
def test_the_names_of_files(disposition, filename):
    body = form((f'Content-Disposition: form-data; name="x"; {disposition}\r\nContent-Type: image/png', b"\x89PNG"))

    assert decode(body, MULTIPART) == {"x": UploadedFile(filename, "image/png", b"\x89PNG")}


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n\r\n", b"\r", b"--BB", b"--B--B", b"x\r\n--BB--", b"\0\xff\n"])
def test_files_are_byte_for_byte_what_was_sent(content):
    body = form(field(content, more='; filename="a"'), field(b"1", "y"))

    assert decode(body, MULTIPART) == {"x": UploadedFile("a", "text/plain", content), "y": "1"}


def test_several_files_under_one_name_are_a_list():
    first, second = field(b"1", more='; filename="a"'), field(b"2", more='; filename="b"')

    data = decode(form(first, second), MULTIPART)

    assert data == {"x": [UploadedFile("a", "text/plain", b"1"), UploadedFile("b", "text/plain", b"2")]}


def test_a_file_shows_what_it_is_and_not_what_is_in_it():
    assert repr(UploadedFile("cat.png", "image/png", b"\x89PNG")) == "<UploadedFile 'cat.png', image/png, 4 bytes>"


@pytest.mark.parametrize(
    ("boundary", "parameter"),
    [
        ("a b:'(,)+_-./=?", 'boundary="a b:\'(,)+_-./=?"'),
        ('a"\\b', r'charset=utf-8; boundary="a\"\\b"'),
        ("----WebKitFormBoundary7MA4YWxkTrZu0gW", "boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"),
        ("B", "Boundary=B ; charset=utf-8; boundary=C"),
    ],
)
def test_boundaries(boundary, parameter):
    body = form(field(b"1")).replace(b"--B", b"--" + boundary.encode())

    assert decode(body, f"multipart/form-data; {parameter}") == {"x": "1"}


NO_FORM = "The body is sent as multipart/form-data, and is none: "


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (
            b'{"a": ',
            "application/json",
            "The body is sent as application/json, and is no JSON: Expecting value: line 1 column 7 (char 6).",
        ),
        (
            b"[NaN]",
            "application/json",
            "The body is sent as application/json, and is no JSON: JSON has no NaN.",
        ),
        (
            b'"\xff"',
            "application/problem+json",
            "The body is sent as application/problem+json, and is no JSON: 'utf-8' codec can't decode byte 0xff in "
            "position 1: invalid start byte.",
        ),
        (
            b"{}",
            "application/json; charset=klingon",
            "The body is sent as application/json in the charset 'klingon', which is unknown. Send it as UTF-8.",
        ),
        (
            b"a=\xff",
            FORM,
            "The body is sent as a form, and is none: 'utf-8' codec can't decode byte 0xff in position 2: invalid "
            "start byte.",
        ),
        (
            b"a",
            "text/plain; charset=hex",
            "The body is sent as text/plain in the charset 'hex', which is unknown. Send it as UTF-8.",
        ),
        (
            form(field(b"1")),
            "multipart/form-data",
            f"{NO_FORM}its content type names no boundary. Leave the header to the client that knows the boundary: "
            "give it a FormData, and no Content-Type.",
        ),
        (b"a=1", MULTIPART, f"{NO_FORM}no line is its boundary, --B."),
        (
            form(field(b"1")).replace(b"\r\n", b"\n"),
            MULTIPART,
            f"{NO_FORM}no line is its boundary, --B, or its lines do not end with CRLF.",
        ),
        (form(field(b"1"), end=""), MULTIPART, f"{NO_FORM}it breaks off: the last line, --B--, is missing."),
        (form(field(b"1"), end="--B"), MULTIPART, f"{NO_FORM}it breaks off: the last line, --B--, is missing."),
        (
            form(field(b"1"), ("Content-Type: text/plain", b"2")),
            MULTIPART,
            f'{NO_FORM}part 2 has no header Content-Disposition: form-data; name="…".',
        ),
        (b"--B\r\n--B--", MULTIPART, f'{NO_FORM}part 1 has no header Content-Disposition: form-data; name="…".'),
        (
            b"--B\r\n\r\n1\r\n--B--",
            MULTIPART,
            f'{NO_FORM}part 1 has no header Content-Disposition: form-data; name="…".',
        ),
        (
            form(('Content-Disposition: attachment; name="x"', b"1")),
            MULTIPART,
            f'{NO_FORM}part 1 has no header Content-Disposition: form-data; name="…".',
        ),
        (
            form(('Content-Disposition: form-data; name="x', b"1")),
            MULTIPART,
            f"""{NO_FORM}part 1 has a Content-Disposition that cannot be read: 'form-data; name="x'.""",
        ),
        (
            form((field(b"")[0] + "\r\nContent-Type: text/plain; charset=klingon", b"1")),
            MULTIPART,
            "The field 'x' is sent as text/plain in the charset 'klingon', which is unknown. Send it as UTF-8.",
        ),
        (
            form((field(b"")[0] + "\r\nX-Long: " + "x" * bodies.MOST_HEADER_BYTES, b"1")),
            MULTIPART,
            f"{NO_FORM}the header of part 1 is longer than 16384 bytes.",
        ),
        (
            form(*[field(b"")] * (bodies.MOST_PARTS + 1)),
            MULTIPART,
            f"{NO_FORM}it has more than 10000 parts.",
        ),
        (
            b"&".join([b"a=1"] * 10_001),
            FORM,
            "The body is sent as a form, and is none: Max number of fields exceeded.",
        ),
    ],
)
def test_a_body_that_is_not_what_its_type_says(body, content_type, message):
    with pytest.raises(BodyError) as raised:
        decode(body, content_type)

    assert (str(raised.value), raised.value.content_type) == (message, content_type.partition(";")[0])


@pytest.mark.parametrize(
    "disposition",
    ['; name="' * 1_500 + "x", ";" + " " * 15_000 + "x", '; name="x' + '" ' * 7_000 + "x", "; a= " * 3_000 + '"'],
    ids=["quotes", "spaces", "closings", "names"],
)
def test_a_header_that_is_made_to_be_read_for_ever_is_not(disposition):
    with pytest.raises(BodyError, match=r"^The body is sent as multipart/form-data, and is none: part 1 has "):
        decode(form((f"Content-Disposition: form-data{disposition}", b"1")), MULTIPART)


# --- There and back -------------------------------------------------------------------------------------------------


def escaped(name):
    """A name as browsers write it (HTML, multipart/form-data encoding algorithm)."""
    return name.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")


def read_back(name):
    return name.replace("%0A", "\n").replace("%0D", "\r").replace("%22", '"')


# Half a surrogate pair has no bytes; and how browsers write names is not unambiguous.
texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.map(read_back).filter(lambda name: '\\"' not in name and name != "_charset_")
# Bytes that look like what a form is made of.
contents = st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([b"\r\n", b"\r", b"--", b"--B", b"-B"])))
files = st.builds(
    UploadedFile,
    names,
    st.sampled_from(["image/png", "application/octet-stream", "text/plain"]),
    contents.map(b"".join),
)


@given(st.lists(st.tuples(names, st.one_of(texts, files))))
def test_what_a_browser_sends_is_what_a_handler_gets(fields):
    boundary = "B"
    contents = b"".join(value.body if isinstance(value, UploadedFile) else value.encode() for _, value in fields)
    while f"--{boundary}".encode() in contents:
        boundary += "x"
    body = b""
    for name, value in fields:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped(name)}"'.encode()
        if isinstance(value, UploadedFile):
            head = f'; filename="{escaped(value.filename)}"\r\nContent-Type: {value.content_type}'
            body += head.encode() + b"\r\n\r\n" + value.body
        else:
            body += b"\r\n\r\n" + value.encode()
        body += b"\r\n"
    body += f"--{boundary}--\r\n".encode()

    gathered: dict = {}
    for name, value in fields:
        gathered.setdefault(name, []).append(value)
    assert decode(body, f"multipart/form-data; boundary={boundary}") == {
        name: values if len(values) > 1 else values[0] for name, values in gathered.items()
    }


@given(st.binary())
def test_any_bytes_are_a_form_or_a_clear_error(body):
    data, told = None, ""
    try:
        data = decode(b"--B\r\n" + body, MULTIPART)
    except BodyError as error:
        told = str(error)

    assert isinstance(data, dict) or told.startswith("The body is sent as multipart/form-data, and is none: ")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
    )
)
def test_json_there_and_back(value):
    assert decode(json.dumps(value, ensure_ascii=False).encode(), "application/json") == value
