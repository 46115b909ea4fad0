"""Static servers as people run them. Each serves one folder, tells the page's address, and ends when it is left."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.browser import npm
from tests.browser.programs import Program, find, is_root

NGINX = Program("nginx", ("nginx", "/usr/sbin/nginx"), "nginx")

Serving = Callable[[Path], AbstractContextManager[str]]

DJANGO = """
import sys
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
settings.configure(
    DEBUG=True, ROOT_URLCONF=(), STATIC_URL="/static/", STATICFILES_DIRS=[sys.argv[1]],
    INSTALLED_APPS=["django.contrib.staticfiles"], SECRET_KEY="none",
)
server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
server.set_app(StaticFilesHandler(get_wsgi_application()))
print(f"http://127.0.0.1:{server.server_port}/static/index.html", flush=True)
server.serve_forever()
"""

FLASK = """
import sys
from flask import Flask
Flask("app", static_folder=sys.argv[1], static_url_path="/static").run(port=0)
"""

CONFIG = """
daemon off;
pid {work}/pid;
error_log stderr;
{user}
events {{}}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  client_body_temp_path {work}; proxy_temp_path {work}; fastcgi_temp_path {work};
  uwsgi_temp_path {work}; scgi_temp_path {work};
  {settings}
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextmanager
def http_server(folder: Path, *, below: str = "") -> Iterator[str]:
    """`python -m http.server`, the page's folder lying *below* its root."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]
    with _process([*command, str(folder)], r"\((http://\S+?)\)") as address:
        yield address + below


@contextmanager
def labelled(types: Mapping[str, str], headers: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A server that knows these MIME types (suffix → type, "" → any other), and sends *headers* with everything."""

    class Handler(SimpleHTTPRequestHandler):
        def guess_type(self, path: str | os.PathLike[str]) -> str:
            return types.get(Path(path).suffix, types[""])

        def send_header(self, keyword: str, value: str) -> None:
            # What has no type is sent without one.
            if value:
                super().send_header(keyword, value)

        def end_headers(self) -> None:
            for name, value in headers.items():
                self.send_header(name, value)
            super().end_headers()

        def handle(self) -> None:
            # A page may be closed while it loads.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


TYPES = {".html": "text/html", ".js": "text/javascript", "": "application/octet-stream"}

html_and_js_only = partial(labelled, TYPES | {"": ""}, {"X-Content-Type-Options": "nosniff"})
all_else_is_text = partial(labelled, TYPES | {"": "text/plain"}, {"X-Content-Type-Options": "nosniff"})


def policed(policy: str) -> Serving:
    """A server that sends this Content-Security-Policy with everything."""
    return partial(labelled, TYPES, {"Content-Security-Policy": policy})


def sharing(folder: Path) -> AbstractContextManager[str]:
    """A server that lets other origins read what it has."""
    return labelled(TYPES, {"Access-Control-Allow-Origin": "*"}, folder)


def private(folder: Path) -> AbstractContextManager[str]:
    """A server that does not."""
    return labelled(TYPES, {}, folder)


@contextmanager
def django(folder: Path) -> Iterator[str]:
    """What `manage.py runserver` serves static files with."""
    with _process([sys.executable, "-c", DJANGO, str(folder)], r"(http://\S+)") as address:
        yield address


@contextmanager
def flask(folder: Path) -> Iterator[str]:
    """`flask run` and its static folder."""
    with _process([sys.executable, "-c", FLASK, str(folder)], r"Running on (http://\S+)") as address:
        yield address + "/static/index.html"


@contextmanager
def nginx(folder: Path, *, settings: str = "") -> Iterator[str]:
    """Debian's nginx as it comes, but for *settings*."""
    program = find(NGINX)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work = folder.parent / f"nginx-{port}"
    work.mkdir()
    # Its workers may not read a test's folder unless they are who made it.
    user = "user root;" if is_root() else ""
    config = work / "nginx.conf"
    config.write_text(CONFIG.format(work=work, user=user, settings=settings, port=port, folder=folder))
    command = [program, "-p", str(work), "-c", str(config), "-e", "stderr", "-g", "error_log stderr notice;"]
    with _process(command, r"(start worker process) "):
        yield f"http://127.0.0.1:{port}/"


# To a server that compresses everything, our files are files like any other.
nginx_that_compresses = partial(nginx, settings="gzip on; gzip_types *; gzip_min_length 1;")


@contextmanager
def vite(folder: Path) -> Iterator[str]:
    """Vite's dev server, the folder's files in `public/`."""
    project = _vite_project(folder)
    with _process([*npm.node(), str(VITE), "--host", "127.0.0.1"], r"Local: +(http://\S+)", cwd=project) as address:
        yield address


@contextmanager
def vite_build(folder: Path) -> Iterator[str]:
    """What `vite build` makes of the same, served by `vite preview`."""
    project = _vite_project(folder)
    ended = subprocess.run([*npm.node(), str(VITE), "build"], cwd=project, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    command = [*npm.node(), str(VITE), "preview", "--host", "127.0.0.1"]
    with _process(command, r"Local: +(http://\S+)", cwd=project) as address:
        yield address


VITE = npm.MODULES / "vite" / "bin" / "vite.js"


def _vite_project(folder: Path) -> Path:
    """The page at the root, as Vite wants it, and all else in public/."""
    project = folder.parent / "vite"
    if not project.exists():
        shutil.copytree(folder, project / "public")
        (project / "public" / "index.html").rename(project / "index.html")
    return project


@contextmanager
def _process(command: list[str], ready: str, cwd: Path | None = None) -> Iterator[str]:
    """Run a server until it is left; give what it says in the first group of *ready*, its address."""
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("FORCE_COLOR", None)
    running = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None
    drain = threading.Thread(target=running.stdout.read)
    said = []
    try:
        for line in running.stdout:
            said.append(line)
            if found := re.search(ready, line):
                break
        else:
            raise AssertionError(f"{command} has ended:\n{''.join(said)}")
        # Nobody reads what else it says; it must not wait for somebody who does.
        drain.start()
        yield found[1]
    finally:
        running.terminate()
        running.wait()
        if drain.is_alive():
            drain.join()
        running.stdout.close()
