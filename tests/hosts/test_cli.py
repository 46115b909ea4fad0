"""The command, as it is typed."""

import errno
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fauxserver import __version__
from fauxserver.hosts import cli

ROUTES = """
import re
from fauxserver import FauxServer

server = FauxServer()

@server.get("books/:id")
def read_book(id: int):
    return {}

server.put(re.compile(r"^a/[0-9]+$"), [])
server.add_route("files/*path", lambda context: 1, name="files")
"""


@pytest.fixture(scope="module", autouse=True)
def static() -> Path:
    """Built before the first command is typed."""
    return cli.static()


def fauxserver(*words: str | Path) -> Any:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def rows(output: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in output.strip().splitlines()]


# routes


def test_routes_lists_methods_expressions_and_handlers(tmp_path: Path):
    (tmp_path / "routes.py").write_text(ROUTES)
    result = fauxserver("routes", tmp_path / "routes.py")
    assert (result.exit_code, rows(result.output)) == (
        0,
        [
            ["Method", "Expression", "Handler", "Where", "Name"],
            ["GET", "books/:id", "read_book", "routes.py:7"],
            ["PUT", "re.compile('^a/[0-9]+$')", "a value", "routes.py:11"],
            ["*", "files/*path", "<lambda>", "routes.py:12", "files"],
        ],
    )


def test_routes_lists_those_of_every_server_in_the_file(tmp_path: Path):
    file = tmp_path / "two.py"
    file.write_text(
        "from fauxserver import FauxServer\na, b = FauxServer(), FauxServer()\na.get('a', 1)\nb.get('b', 2)\n"
    )
    assert [row[:2] for row in rows(fauxserver("routes", file).output)] == [
        ["Method", "Expression"],
        ["GET", "a"],
        ["GET", "b"],
    ]


@pytest.mark.parametrize("source", ["", "from fauxserver import FauxServer\nserver = FauxServer()\n"])
def test_routes_of_a_file_without_any_says_so(tmp_path: Path, source: str):
    file = tmp_path / "empty.py"
    file.write_text(source)
    result = fauxserver("routes", file)
    assert (result.exit_code, result.output) == (0, f"{file} has no routes.\n")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def (", ["wrong.py", "line 1", "SyntaxError", "\n    def ("]),
        (
            "import json\n\n\nraise KeyError('shelf')",
            ["wrong.py", "line 4", "KeyError: 'shelf'", "\n    raise KeyError('shelf')"],
        ),
        ("from fauxserver import FauxServer\nFauxServer().get('books/{id}', 1)", ["wrong.py", "line 2", "{id}", ":id"]),
        ('# /// script\n# dependencies = ["no-such-thing-here"]\n# ///', ["wrong.py", "no-such-thing-here"]),
    ],
)
def test_routes_of_a_file_that_does_not_run_says_where_and_why(tmp_path: Path, source: str, told: list[str]):
    (tmp_path / "wrong.py").write_text(source)
    result = fauxserver("routes", tmp_path / "wrong.py")
    assert result.exit_code == 1
    assert [word for word in told if word not in result.stderr] == [], result.stderr
    assert "Traceback" not in result.output


def test_routes_of_a_file_that_is_not_there_says_so(tmp_path: Path):
    result = fauxserver("routes", tmp_path / "none.py")
    assert (result.exit_code, "none.py" in result.stderr) == (1, True)


# vendor


def test_vendor_lays_the_script_and_what_it_needs_into_a_new_folder(tmp_path: Path, static: Path):
    result = fauxserver("vendor", tmp_path / "public" / "fauxserver")
    assert result.exit_code == 0
    assert '<script src="fauxserver/fauxserver.js"></script>' in result.stdout
    there = {path.name: path.read_bytes() for path in (tmp_path / "public" / "fauxserver").iterdir()}
    assert there == {path.name: path.read_bytes() for path in static.iterdir() if path.is_file()}


def test_vendor_names_the_script_by_its_folder_when_that_is_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "assets").mkdir()
    monkeypatch.chdir(tmp_path / "assets")
    assert '<script src="assets/fauxserver.js"></script>' in fauxserver("vendor", ".").stdout


def test_vendor_replaces_an_older_version_and_leaves_other_files_alone(tmp_path: Path):
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"snapshot-9.bin": {}, "../keep.txt": {}}}))
    for name in ("snapshot-9.bin", "fauxserver.js", "mine.txt"):
        (tmp_path / name).write_text("old")
    (tmp_path.parent / "keep.txt").write_text("old")
    assert fauxserver("vendor", tmp_path).exit_code == 0
    assert not (tmp_path / "snapshot-9.bin").exists()
    assert (tmp_path / "fauxserver.js").read_text(encoding="utf-8") != "old"
    assert (tmp_path / "mine.txt").read_text() == (tmp_path.parent / "keep.txt").read_text() == "old"


def test_vendor_into_its_own_folder_leaves_it_as_it_is(static: Path):
    before = {path.name: path.stat().st_mtime_ns for path in static.iterdir()}
    assert fauxserver("vendor", static).exit_code == 0
    assert {path.name: path.stat().st_mtime_ns for path in static.iterdir()} == before


def test_vendor_into_what_is_no_folder_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = fauxserver("vendor", tmp_path / "file")
    assert (result.exit_code, f"Cannot copy into {tmp_path / 'file'}: " in result.stderr) == (1, True)


def test_an_installation_without_its_static_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cli, "PACKAGE", tmp_path / "fauxserver")
    result = fauxserver("vendor", tmp_path)
    assert (result.exit_code, "install fauxserver again" in result.stderr) == (1, True)


# demo


@pytest.fixture
def demo() -> Iterator[tuple[str, str]]:
    """The running command: its first line and the address in it."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "fauxserver", "demo", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        yield line, next(word for word in line.split() if word.startswith("http"))
        running.terminate()


def test_demo_prints_its_address_and_serves_the_page_with_its_script_and_routes(demo: tuple[str, str], static: Path):
    line, url = demo
    assert line == f"The demo is at {url} (Ctrl+C ends it)\n"
    for path, file in {
        "": "demo/index.html",
        "routes.py": "demo/routes.py",
        "lib/backbone.js": "demo/lib/backbone.js",
        "fauxserver/fauxserver.js": "fauxserver.js",
    }.items():
        with urllib.request.urlopen(url + path) as response:
            assert response.read() == (static / file).read_bytes()


def test_demo_on_a_port_that_is_taken_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = fauxserver("demo", "--port", str(port))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Cannot listen on 127.0.0.1:{port}: {os.strerror(errno.EADDRINUSE)}. "
        "Choose another port; 0 takes a free one.\n",
    )


def test_demo_opens_the_browser_when_told_to(monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
    result = fauxserver("demo", "--port", "0", "--open")
    assert [f"The demo is at {url} (Ctrl+C ends it)\n" for url in opened] == [result.stdout]


def test_demo_answers_its_routes_over_http_too(demo: tuple[str, str]):
    _, url = demo
    with urllib.request.urlopen(f"{url}library-app/books?q=bronte") as response:
        authors = {book["author"] for book in json.load(response)}
    assert authors
    assert {author.rpartition(" ")[2] for author in authors} == {"Brontë"}


# The command itself


def test_it_is_a_module_too():
    ended = subprocess.run([sys.executable, "-m", "fauxserver", "--help"], capture_output=True, text=True)
    assert ended.returncode == 0
    assert [word for word in ("demo", "vendor", "routes") if word not in ended.stdout] == []


def test_it_tells_its_version():
    assert fauxserver("--version").stdout == f"fauxserver {__version__}\n"


def test_a_word_that_it_does_not_know_is_refused():
    assert fauxserver("serve").exit_code == 2
