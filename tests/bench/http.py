"""Requests over HTTP, many at once, beside other mock servers and an application that does nothing else.

Each is one process and answers the same JSON. Who asks is wrk where there is one, else autocannon.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alternate, compared, duration
from tests.browser import npm

HERE = Path(__file__).parent
BOOK = {"id": 7, "title": "Franny and Zooey"}
AT_ONCE = 64
SECONDS = 3

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()

@server.get("books/:id")
def read_book(id: int):
    return {"id": id, "title": "Franny and Zooey"}

@server.get("later/:id")
async def read_later(id: int):
    return {"id": id, "title": "Franny and Zooey"}
"""

BARE = """
import json

async def app(scope, receive, send):
    if scope["type"] == "http":
        book = {"id": int(scope["path"].rpartition("/")[2]), "title": "Franny and Zooey"}
        body = json.dumps(book, separators=(",", ":")).encode()
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
"""

MOCKOON = {
    "uuid": "6d1d9b5e-0000-4000-8000-000000000000",
    "lastMigration": 33,
    "name": "books",
    "port": 3000,
    "hostname": "127.0.0.1",
    "endpointPrefix": "",
    "latency": 0,
    "folders": [],
    "headers": [],
    "proxyMode": False,
    "proxyHost": "",
    "cors": False,
    "data": [],
    "callbacks": [],
    "rootChildren": [{"type": "route", "uuid": "6d1d9b5e-0000-4000-8000-000000000001"}],
    "routes": [
        {
            "uuid": "6d1d9b5e-0000-4000-8000-000000000001",
            "type": "http",
            "documentation": "",
            "method": "get",
            "endpoint": "books/:id",
            "responseMode": None,
            "responses": [
                {
                    "uuid": "6d1d9b5e-0000-4000-8000-000000000002",
                    "body": '{"id":{{urlParam \'id\'}},"title":"Franny and Zooey"}',
                    "bodyType": "INLINE",
                    "latency": 0,
                    "statusCode": 200,
                    "label": "",
                    "headers": [{"key": "Content-Type", "value": "application/json"}],
                    "filePath": "",
                    "sendFileAsBody": False,
                    "rules": [],
                    "rulesOperator": "OR",
                    "disableTemplating": False,
                    "fallbackTo404": False,
                    "default": True,
                }
            ],
        }
    ],
}


def rows(bench: Bench) -> list[Row]:
    """What the design wants is 12,000 a second, or 0.6 of the bare application where the machine is slower."""
    modules = npm.install(HERE)
    with TemporaryDirectory() as folder, ExitStack() as started:
        files = Path(folder)
        (files / "routes.py").write_text(ROUTES)
        (files / "bare.py").write_text(BARE)
        (files / "db.json").write_text(json.dumps({"books": [BOOK]}))
        (files / "mockoon.json").write_text(json.dumps(MOCKOON))

        def start(command: Callable[[int], Sequence[str]]) -> str:
            return started.enter_context(serving(command))

        ours = [sys.executable, "-m", "fauxserver", "serve", str(files / "routes.py"), "--port"]
        quiet = start(lambda port: [*ours, str(port), "--quiet"])
        telling = start(lambda port: [*ours, str(port)])
        uvicorn = [
            sys.executable,
            "-m",
            "uvicorn",
            "bare:app",
            "--app-dir",
            folder,
            "--no-access-log",
            "--log-level",
            "error",
            "--port",
        ]
        json_server = modules / "json-server" / "lib" / "cli" / "bin.js"
        mockoon = modules / "@mockoon" / "cli" / "bin" / "run.js"
        peers = {
            "a bare uvicorn application": start(lambda port: [*uvicorn, str(port)]),
            f"json-server {version(modules, 'json-server')}": start(
                lambda port: [*npm.node(), str(json_server), "--quiet", "--port", str(port), str(files / "db.json")]
            ),
            f"Mockoon's CLI {version(modules, '@mockoon/cli')}": start(
                lambda port: [
                    *npm.node(),
                    *(str(mockoon), "start", "--data", str(files / "mockoon.json"), "--port", str(port)),
                    *("--disable-log-to-file", "--repair"),
                ]
            ),
        }
        what = f"a request over HTTP, {AT_ONCE} at once"
        urls = [f"{address}/books/7" for address in peers.values()]
        urls += [f"{telling}/books/7", f"{quiet}/later/7", f"{quiet}/books/7"]
        for url in urls:
            assert json.loads(urllib.request.urlopen(url).read()) == BOOK
            ask(bench, url)
        *theirs, with_lines, later, plain = alternate(
            1 if bench.quick else bench.rounds, *(partial(ask, bench, url) for url in urls)
        )
        goals = [Goal(ratio=1 / 0.6), None, None]
        return [
            *(
                compared(what, peer, figures, plain, spoken=duration, goal=goal)
                for peer, figures, goal in zip(peers, theirs, goals, strict=True)
            ),
            compared(f"{what}, `async def`", "ours with `def`", plain, later, spoken=duration),
            compared(f"{what}, a line printed for each", "ours with --quiet", plain, with_lines, spoken=duration),
        ]


def ask(bench: Bench, url: str) -> float:
    """Microseconds a request."""
    seconds = 1 if bench.quick else SECONDS
    if wrk := shutil.which("wrk"):
        command = [wrk, "-t1", f"-c{AT_ONCE}", f"-d{seconds}s", url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in said, said
        found = re.search(r"Requests/sec:\s*([0-9.]+)", said)
        assert found is not None, said
        return 1e6 / float(found[1])
    script = HERE / "node_modules" / "autocannon" / "autocannon.js"
    command = [*npm.node(), str(script), f"-c{AT_ONCE}", f"-d{seconds}", "--json", "--no-progress", url]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["non2xx"] == 0, told
    return 1e6 / float(told["requests"]["average"])


def version(modules: Path, name: str) -> str:
    """Of an installed package."""
    return str(json.loads((modules / name / "package.json").read_text())["version"])


@contextmanager
def serving(command: Callable[[int], Sequence[str]]) -> Iterator[str]:
    """Start a server on a free port, and wait until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(command(port), cwd=HERE.parents[1], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{port}"
    try:
        while not answers(f"{address}/books/7"):
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            assert process.stderr is not None
            raise RuntimeError(f"{command(port)} has ended: {process.stderr.read().decode()[-2000:]}")
        yield address
    finally:
        process.kill()
        process.communicate()


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True
