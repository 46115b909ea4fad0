"""The files that a host serves: its own folders, the right types, nothing else."""

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fauxserver import FauxServer
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.files import Files
from fauxserver.hosts.live import serving

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Ask a server that has page/ at / and lib/ at /lib/, beside which a secret lies."""
    for name in ("page/index.html", "page/app.js", "page/routes.py", "page/a b.json", "lib/runtime.bin", "secret.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "page" / "link.txt").symlink_to(tmp_path / "secret.txt")
    files = Files({"/": tmp_path / "page", "/lib/": tmp_path / "lib"}, hashed=True)

    def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    with serving(Application(FauxServer(), static=files)) as url:
        yield ask


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/", "text/html; charset=utf-8", b"page/index.html"),
        ("/app.js", "text/javascript; charset=utf-8", b"page/app.js"),
        ("/app.js?x=1", "text/javascript; charset=utf-8", b"page/app.js"),
        ("/routes.py", "text/x-python; charset=utf-8", b"page/routes.py"),
        ("/a%20b.json", "application/json", b"page/a b.json"),
        ("/lib/runtime.bin", "application/octet-stream", b"lib/runtime.bin"),
    ],
)
def test_files_have_their_types(ask: Ask, path: str, kind: str, content: bytes):
    status, headers, body = ask(path)
    assert (status, headers["content-type"], headers["x-content-type-options"], body) == (200, kind, "nosniff", content)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/lib/../../secret.txt",
        "//etc/passwd",
        "/link.txt",
        "/none",
        "/lib/",
        "/%00",
    ],
)
def test_nothing_else_is_served(ask: Ask, path: str):
    assert ask(path)[0] == 404


def test_an_unchanged_file_is_not_sent_again(ask: Ask):
    _, headers, _ = ask("/app.js")
    assert headers["cache-control"] == "no-cache"
    status, _, body = ask("/app.js", If_None_Match=headers["etag"])
    assert (status, body) == (304, b"")


def test_what_is_asked_for_with_its_hash_is_kept(ask: Ask):
    assert ask("/lib/runtime.bin?a1b2")[1]["cache-control"] == "max-age=31536000, immutable"


def test_head_tells_without_content(ask: Ask):
    status, headers, body = ask("/app.js", "HEAD")
    assert (status, headers["content-length"], body) == (200, "11", b"")


def test_what_changes_things_is_refused(ask: Ask):
    assert ask("/app.js", "POST")[0] == 404
