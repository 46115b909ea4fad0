"""Forms as each browser writes them, and as a handler in Python gets them."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import python

pytestmark = pytest.mark.every_engine

ROUTES = """\
from fauxserver import FauxServer, UploadedFile

server = FauxServer()

def show(value):
    if isinstance(value, list):
        return [show(item) for item in value]
    if isinstance(value, UploadedFile):
        return [value.filename, value.content_type, list(value.body)]
    return value

@server.post("forms")
def form(data):
    return [[name, show(value)] for name, value in data.items()]
"""


def test_a_form_with_odd_names_and_files_arrives_as_it_was_made_and_what_is_none_is_400(visitor: Visitor):
    visitor.open(python(ROUTES), data_intercept="fetch", data_quiet=True)

    told = visitor.run(r"""
      const form = new FormData()
      form.append("title", "Nine Stories")
      form.append('say "hi"; name=x', "naïve ☃ \u{1f600}")
      form.append("back\\slash\\", "100%25")
      form.append("tag", "a")
      form.append("tag", "b\nc")
      form.append("", "")
      form.append("two\nlines", "x")
      const bytes = new Uint8Array([0, 255, 13, 10, 45, 45, 13, 10])
      form.append("file", new File([bytes], 'ü"\n%22\\.bin', { type: "image/png" }))
      form.append("file", new Blob([]))
      form.append("typed", new File(["{}"], "a.json", { type: "application/json" }), "b.json")
      const response = await fetch("forms", { method: "POST", body: form })
      const headers = { "content-type": "multipart/form-data; boundary=x" }
      const wrong = await fetch("forms", { method: "POST", headers, body: "--y" })
      return [response.status, await response.json(), wrong.status, await wrong.json()]
    """)

    assert told == [
        200,
        [
            ["title", "Nine Stories"],
            ['say "hi"; name=x', "naïve ☃ \U0001f600"],
            ["back\\slash\\", "100%25"],
            ["tag", ["a", "b\r\nc"]],
            ["", ""],
            ["two\r\nlines", "x"],
            [
                "file",
                [
                    ['ü"\n"\\.bin', "image/png", [0, 255, 13, 10, 45, 45, 13, 10]],
                    ["blob", "application/octet-stream", []],
                ],
            ],
            ["typed", ["b.json", "application/json", [123, 125]]],
        ],
        400,
        {"error": "The body is sent as multipart/form-data, and is none: no line is its boundary, --x."},
    ]
