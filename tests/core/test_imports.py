"""Which module may import which: imports go one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fauxserver

PACKAGE = Path(__file__).parents[2] / "fauxserver"
HOST = PACKAGE / "hosts"
# Modules may import what is above them in this list, and nothing below.
CORE = [
    *(
        "errors",
        "urlexp",
        "expressexp",
        "messages",
        "routes",
        "context",
        "bodies",
        "latency",
        "handlers",
        "transports",
        "journal",
    ),
    *("guard", "exchange", "explanation", "unmatched", "dispatch", "server", "routefile", "callbacks", "datastore"),
]
HEAVY = {
    "unittest",
    "wsgiref",
    "http.server",
    "http.client",
    "urllib.request",
    "multiprocessing",
    "concurrent.futures.process",
}


def imports(path: Path) -> list[tuple[str, bool]]:
    """The modules that a file imports, and whether when it is itself imported (and not for types alone, or later)."""
    found = []

    def look(node: ast.AST, at_once: bool) -> None:
        for child in ast.iter_child_nodes(node):
            now = at_once and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                found.extend((alias.name, now) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.append((child.module or "", now))
            look(child, now)

    look(ast.parse(path.read_text(encoding="utf-8")), True)
    return found


def is_module(name: str, *of: str) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in of)


@pytest.mark.parametrize("name", CORE)
def test_core_imports_the_standard_library_and_what_comes_before(name):
    allowed = {f"fauxserver.{other}" for other in CORE[: CORE.index(name)]}
    wrong = []
    for module, at_once in imports(PACKAGE / f"{name}.py"):
        ours = is_module(module, "fauxserver")
        if ours and module not in allowed:
            # The one exception: being an ASGI application.
            if (name, module, at_once) != ("server", "fauxserver.hosts.asgi", False):
                wrong.append(module)
        elif not ours and module.partition(".")[0] not in {*sys.stdlib_module_names, "annotationlib"}:
            wrong.append(module)

    assert wrong == []


def test_the_list_of_core_modules_is_complete():
    assert {path.stem for path in PACKAGE.glob("*.py")} == {*CORE, "__init__", "__main__"}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_nobody_imports_a_host(path):
    hosts = [module for module, _ in imports(path) if is_module(module, "fauxserver.hosts")]

    assert hosts == {"server.py": ["fauxserver.hosts.asgi"], "__main__.py": ["fauxserver.hosts.cli"]}.get(path.name, [])


@pytest.mark.parametrize("path", sorted(HOST.glob("*.py")), ids=lambda path: path.name)
def test_only_the_command_and_the_port_import_what_the_page_lacks(path):
    wrong = [module for module, _ in imports(path) if is_module(module, "typer", "rich", "uvicorn")]

    assert wrong == [] or path.name in ("cli.py", "http1.py", "live.py", "report.py", "serve.py", "site.py")


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_the_page_is_known_to_hosts_alone(path):
    assert [module for module, _ in imports(path) if is_module(module, "js", "pyodide", "pyodide_js", "micropip")] == []


FIRST_ANSWER = """
import sys
from contextlib import nullcontext
import fauxserver.routefile
from fauxserver import FauxServer
from fauxserver.messages import Request

server = FauxServer(time_limit=1000)
server.guard = lambda limit: nullcontext()  # As in the page, which has one of its own.
server.get("books/:id", lambda id: {"id": id})
assert server.accept(Request("GET", "books/7")).answer().body == {"id": "7"}
print(*sorted(sys.modules))
"""


def test_the_first_answer_waits_for_nothing_heavy():
    loaded = subprocess.run(
        [sys.executable, "-c", FIRST_ANSWER], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )

    assert set(loaded.stdout.split()) & {*HEAVY, "typer", "rich", "uvicorn", "fauxserver.hosts", "ctypes"} == set()


def test_the_package_itself_imports_nothing_until_a_name_is_asked_for():
    program = "import sys, fauxserver; print(*(name for name in sys.modules if name.startswith('fauxserver')))"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )

    assert loaded.stdout.split() == ["fauxserver"]


@pytest.mark.parametrize("name", fauxserver.__all__)
def test_each_public_name_is_where_the_package_looks_for_it(name):
    assert getattr(fauxserver, name).__name__ == name
    assert name in dir(fauxserver)


def test_an_unknown_name_is_an_error_as_of_any_module():
    with pytest.raises(AttributeError, match="module 'fauxserver' has no attribute 'FauxSever'"):
        _ = fauxserver.FauxSever


AGAIN = """
import sys
import fauxserver

first = fauxserver.FauxServer
for name in [name for name in sys.modules if name.startswith("fauxserver.")]:
    del sys.modules[name]
assert fauxserver.FauxServer is not first
assert fauxserver.FauxServer is sys.modules["fauxserver.server"].FauxServer
"""


def test_modules_that_are_taken_away_as_pytester_does_are_imported_anew():
    subprocess.run([sys.executable, "-c", AGAIN], check=True, cwd=PACKAGE.parent)
