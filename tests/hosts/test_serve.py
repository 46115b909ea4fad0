"""`fauxserver serve`, as it is typed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest
from typer.testing import CliRunner

from fauxserver.hosts import cli
from fauxserver.hosts.asgi import Told
from fauxserver.hosts.report import plain, styled
from fauxserver.hosts.serve import read_base, read_latency
from tests.hosts.wire import Reply, ask, dial, read_all

ROOT = Path(__file__).parents[2]
ROUTES = """
from fauxserver import FauxServer

server = FauxServer()
books = []

@server.post("books")
def add(data):
    books.append(data)
    return books

@server.get("books/:id")
def read_book(id: int):
    return books[id]
"""


class Command:
    """A running command: what it says, line by line."""

    def __init__(self, *words: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fauxserver", "serve", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.greeting = self.line()
        found = re.search(r"http://\S+", self.greeting)
        assert found is not None, self.greeting
        self.url = found[0]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put("(the end)")

    def line(self) -> str:
        return self._lines.get(timeout=60)

    def end(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def interrupt(self) -> tuple[int, list[str]]:
        """Press Ctrl+C: the exit code, and what it still says."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        said = []
        while (line := self.line()) != "(the end)":
            said.append(line)
        return code, said


@pytest.fixture
def start() -> Iterator[Callable[..., Command]]:
    started: list[Command] = []

    def start(*words: str | Path) -> Command:
        started.append(Command(*words, "--port", "0"))
        return started[-1]

    yield start
    for command in started:
        command.end()


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    file = tmp_path / "routes.py"
    file.write_text(ROUTES)
    return file


JSON = {"Content-Type": "application/json"}


def without_time(line: str) -> str:
    return re.sub(r"\d+ ms", "0 ms", line)


def test_it_says_where_it_is_and_what_is_asked_and_ends_with_ctrl_c(routes, start):
    command = start(routes)

    ask(command.url, "POST", "/books", '{"title": "Franny"}', JSON)
    ask(command.url, "GET", "/books/0?a=1")
    ask(command.url, "GET", "/books/7")
    ask(command.url, "GET", "/nowhere")
    lines = [without_time(command.line()) for _ in range(3)]
    trace = [command.line() for _ in range(4)]
    last = [command.line(), command.line()]

    assert re.fullmatch(r"routes\.py: 2 routes at http://127\.0\.0\.1:\d+ \(Ctrl\+C ends it\)", command.greeting)
    assert lines == [
        "POST /books → 200, 0 ms, add routes.py:7",
        "GET /books/0?a=1 → 200, 0 ms, read_book routes.py:12",
        "GET /books/7 → 500, 0 ms, read_book routes.py:12",
    ]
    assert trace == [
        "    Traceback (most recent call last):",
        f'      File "{routes}", line 14, in read_book',
        "        return books[id]",
        "               ~~~~~^^^^",
    ]
    assert last == ["    IndexError: list index out of range", "GET /nowhere → 404, 0 ms"]
    assert command.interrupt()[0] == 0


def test_ctrl_c_ends_it_while_handlers_are_at_work(tmp_path, start):
    (tmp_path / "routes.py").write_text(
        "import asyncio, time\n"
        "from fauxserver import FauxServer\n"
        "server = FauxServer()\n"
        "@server.get('loop')\n"
        "def loop():\n"
        "    while True: pass\n"
        "@server.get('wait')\n"
        "async def wait():\n"
        "    yield 'x'\n"
        "    await asyncio.Event().wait()\n"
    )
    command = start(tmp_path / "routes.py", "--quiet")

    with dial(command.url) as looping, dial(command.url) as waiting:
        looping.sendall(b"GET /loop HTTP/1.1\r\n\r\n")
        waiting.sendall(b"GET /wait HTTP/1.1\r\n\r\n")
        assert waiting.recv(1000)
        ended = command.interrupt()

    assert ended == (0, [])


def test_quiet_says_no_line_for_a_request(routes, start):
    command = start(routes, "--quiet")

    ask(command.url, "GET", "/nowhere")

    assert command.interrupt() == (0, [])


def test_reload_takes_over_what_has_changed_and_keeps_the_data(routes, start):
    command = start(routes, "--reload", "--quiet")
    ask(command.url, "POST", "/books", '{"title": "Franny"}', JSON)

    routes.write_text(ROUTES.replace("return books[id]", 'return {"changed": books[id]}'))
    changed = command.line()
    reply = ask(command.url, "GET", "/books/0")
    routes.write_text(ROUTES.replace("server.get(", "server.gett("))
    wrong = [command.line(), command.line(), command.line()]
    still = ask(command.url, "GET", "/books/0")

    assert changed == "routes.py has changed: 2 routes, the data kept"
    assert reply.json == still.json == {"changed": {"title": "Franny"}}
    assert wrong == [
        "routes.py, line 12: AttributeError: 'FauxServer' object has no attribute 'gett'. Did you mean: 'get'?"
        if sys.version_info < (3,)
        else "routes.py, line 12: AttributeError: 'FauxServer' object has no attribute 'gett'",
        '    @server.gett("books/:id")',
        "The routes stay as they were.",
    ]


def test_reload_sees_the_modules_beside_the_file(tmp_path, start):
    (tmp_path / "helper_of_reload.py").write_text("TITLE = 'one'\n")
    (tmp_path / "routes.py").write_text(
        "from fauxserver import FauxServer\n"
        "from helper_of_reload import TITLE\n"
        "server = FauxServer().get('title', lambda: [TITLE])\n"
    )
    command = start(tmp_path / "routes.py", "--reload", "--quiet")
    before = ask(command.url, "GET", "/title").json

    (tmp_path / "helper_of_reload.py").write_text("TITLE = 'another'\n")
    said = command.line()

    assert said == "routes.py has changed: 1 route, the data kept"
    assert (before, ask(command.url, "GET", "/title").json) == (["one"], ["another"])


def test_its_options_are_those_of_the_server(tmp_path, routes, start):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<h1>Books</h1>")
    command = start(
        routes, "--cors", "--static", tmp_path / "page", "--latency", "1-2", "--unmatched", "error", "--base", "api"
    )

    added = ask(command.url, "POST", "/api/books", "[1]", {**JSON, "Origin": "http://page.test"})
    page = ask(command.url, "GET", "/")
    refused = ask(command.url, "GET", "/books/0")

    assert added == Reply(
        200,
        {
            "content-length": "5",
            "content-type": "application/json",
            "access-control-allow-origin": "http://page.test",
            "access-control-allow-credentials": "true",
            "vary": "Origin",
        },
        b"[[1]]",
    )
    assert (page.status, page.body) == (200, b"<h1>Books</h1>")
    assert (refused.status, refused.json["error"].split(" Nearest: ")[1]) == (
        501,
        "GET books/:id (routes.py:12) stands below /api/, and the url does not.",
    )


def test_a_connection_to_sqlite_serves_all_handlers_while_one_blocks(tmp_path, start):
    (tmp_path / "routes.py").write_text(
        "import sqlite3, threading\n"
        "from fauxserver import FauxServer\n"
        "server, go = FauxServer(), threading.Event()\n"
        "database = sqlite3.connect(':memory:')\n"
        "server.get('block', lambda: [go.wait(60)]).get('go', lambda: go.set())\n"
        "server.get('sum', lambda: list(database.execute('select 1 + 1').fetchone()))\n"
    )
    command = start(tmp_path / "routes.py", "--quiet")

    with dial(command.url) as blocked:
        blocked.sendall(b"GET /block HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = [ask(command.url, "GET", path) for path in ("/sum", "/go", "/sum")]
        last = read_all(blocked)

    assert [answer.body for answer in answers] == [b"[2]", b"", b"[2]"]
    assert last.endswith(b"[true]")


# What is wrong


def fauxserver(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["serve", *map(str, words)])
    return result.exit_code, result.output.strip()


def test_a_port_that_is_taken_is_told(routes):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = fauxserver(routes, "--port", str(port))

    assert told == (
        1,
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port; 0 takes a free one.",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--host", "faux.invalid"),
            "Cannot listen on 'faux.invalid': this machine has no such address. Try 127.0.0.1.",
        ),
        (
            ("--latency", "soon"),
            "--latency soon: this is no time. Give milliseconds, as in 50, or two limits, as in 50-200.",
        ),
        (("--latency", "200-50"), "--latency 200-50: the first limit is above the second."),
        (("--unmatched", "ignore"), "--unmatched ignore: there are bypass, warn, error."),
        (("--static", "no/such/folder"), "--static no/such/folder: there is no such folder."),
        (
            ("--proxy", "api.example.com"),
            "--proxy api.example.com: this is no address of a server. Give one as in https://api.example.com.",
        ),
        (("--base", "/a?b=1"), "--base /a?b=1: this is no address to stand below. Give one as in /api/v1."),
        (
            ("--workers", "4"),
            "--workers: there is one process, as several would share no state: what one is sent the others would not "
            "have. It answers many at once all the same.",
        ),
    ],
)
def test_an_option_that_cannot_be_is_told(routes, words, said):
    assert fauxserver(routes, *words) == (1, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server = 1 / 0\n", "{name}, line 1: ZeroDivisionError: division by zero\n    server = 1 / 0"),
        ("server = (\n", "{name}, line 1: SyntaxError: '(' was never closed\n    server = ("),
        (
            "x = 1\n",
            "{name} makes no server. Write in it: from fauxserver import FauxServer; server = FauxServer().",
        ),
    ],
)
def test_a_route_file_that_fails_is_told_with_its_line(tmp_path, text, said):
    file = tmp_path / "wrong_routes.py"
    file.write_text(text)

    assert fauxserver(file) == (1, said.format(name=file.name))


def test_a_route_file_that_is_missing_is_told(tmp_path):
    file = tmp_path / "routes.py"

    assert fauxserver(file) == (1, f"Cannot read the route file {file}: No such file or directory. Check its name.")


# Its words


@pytest.mark.parametrize(
    ("text", "limits"),
    [("50", (50.0,)), ("0", (0.0,)), ("12.5", (12.5,)), ("50-200", (50.0, 200.0)), ("5 - 6", (5.0, 6.0))],
)
def test_a_latency(text, limits):
    assert read_latency(text) == limits


@pytest.mark.parametrize(
    ("text", "base"), [("/api", "/api"), ("api/v1/", "/api/v1/"), ("https://a.test/v1", "https://a.test/v1")]
)
def test_a_base(text, base):
    assert read_base(text) == base


def test_what_steers_a_terminal_is_shown_and_not_obeyed():
    told = Told("GET", "/a\x1b[2Jb", 404, 0, "", "no \x07bell")

    assert plain(told) == "GET /a\\x1b[2Jb → 404, 0 ms\n    no \\x07bell"


@pytest.mark.parametrize(
    ("status", "style"), [(200, "green"), (302, "green"), (404, "yellow"), (500, "red"), (0, "dim")]
)
def test_a_status_has_its_colour(status, style):
    line = styled(Told("GET", "/a", status, 0, ""))

    assert [str(span.style) for span in line.spans] == ["bold", style, "dim"]


def test_a_line_says_the_same_with_and_without_colours():
    told = Told("GET", "/a", 500, 1.4, "read routes.py:3", "Traceback\n  line\n")

    assert plain(told) == str(styled(told)) == "GET /a → 500, 1 ms, read routes.py:3\n    Traceback\n      line"


def test_the_demo_answers_over_http_and_tells_its_news(start):
    command = start(ROOT / "demo" / "routes.py", "--static", ROOT / "demo", "--quiet")

    page = ask(command.url, "GET", "/")
    with dial(command.url) as listener:
        listener.sendall(b"GET /library-app/news HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n")
        heard = b""
        while b"retry: 500" not in heard:
            heard += listener.recv(1000)
        book = ask(command.url, "GET", "/library-app/books/1").json
        changed = ask(command.url, "PUT", "/library-app/books/1", json.dumps({**book, "title": "Another"}), JSON)
        while b"\n\n\r\n" not in heard.partition(b"retry: 500\n\n\r\n")[2]:
            heard += listener.recv(1000)
    cover = ask(command.url, "GET", "/library-app/books/1/cover")

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (changed.status, changed.json["title"]) == (200, "Another")
    assert b"event: changed\ndata: " in heard
    assert b'"title": "Another"' in heard
    assert (cover.headers["content-type"], cover.body[:4]) == ("image/png", b"\x89PNG")
