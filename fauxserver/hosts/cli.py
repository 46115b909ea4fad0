"""The command: `fauxserver demo`, `serve FILE.py`, `vendor DIR`, `routes FILE.py`."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fauxserver import __version__
from fauxserver.errors import FauxServerError, RouteFileError

PACKAGE = Path(__file__).resolve().parent.parent

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    app()


def tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"fauxserver {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=tell_version, is_eager=True)
    ] = False,
) -> None:
    """A mock REST back end in Python, inside the page."""


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.", show_default="8000")] = None,
    open: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the demo on this machine: a library, its back end in the page and, switched off there, over HTTP."""
    from fauxserver.hosts import demo

    try:
        demo.run(static(), port, open)
    except FauxServerError as error:
        fail(str(error))


@app.command()
def serve(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The route file.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    reload: Annotated[bool, typer.Option("--reload", help="Run the file anew when it changes; data stays.")] = False,
    cors: Annotated[bool, typer.Option("--cors", help="Let pages of other origins ask.")] = False,
    static: Annotated[Path | None, typer.Option(metavar="DIR", help="Files for what no route wants.")] = None,
    latency: Annotated[str | None, typer.Option(metavar="MS", help="Wait before each answer: 50, or 50-200.")] = None,
    unmatched: Annotated[
        str | None, typer.Option(metavar="POLICY", help="For what no route wants: bypass, warn or error.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(metavar="URL", help="The server that has what no route wants.")] = None,
    base: Annotated[str | None, typer.Option(metavar="PATH", help="What the routes stand below, as in /api.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No line for each request.")] = False,
    workers: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve a route file over HTTP."""
    from fauxserver.hosts.serve import Options, run, told

    if workers is not None:
        fail(
            "--workers: there is one process, as several would share no state: what one is sent the others would not "
            "have. It answers many at once all the same."
        )
    try:
        run(Options(file, host, port, reload, cors, static, latency, unmatched, proxy, base, quiet))
    except FauxServerError as error:
        fail(told(error))


@app.command()
def vendor(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")]) -> None:
    """Copy fauxserver.js, and what it needs beside it, into DIR."""
    source = static()
    names = sorted(path.name for path in source.iterdir() if path.is_file())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # What an older version left there would only confuse.
        for name in listed(folder) - set(names):
            (folder / name).unlink(missing_ok=True)
        for name in names if folder.resolve() != source.resolve() else []:
            shutil.copyfile(source / name, folder / name)
    except OSError as error:
        fail(f"Cannot copy into {folder}: {error.strerror}. Name a folder that can be written to.")
    size = sum((folder / name).stat().st_size for name in names) / 1e6
    typer.echo(f"{len(names)} files, {size:.1f} MB. In the page:")
    typer.echo(f'  <script src="{folder.resolve().name}/fauxserver.js"></script>')


@app.command()
def routes(file: Annotated[Path, typer.Argument(metavar="FILE.py")]) -> None:
    """List the routes of a route file, in the order of their registration."""
    from fauxserver.routefile import RouteFile

    try:
        route_file = RouteFile(file)
        route_file.run()
    except OSError as error:
        fail(f"Cannot read {file}: {error.strerror}.")
    except RouteFileError as error:
        line = f"\n    {error.source_line.strip()}" if error.source_line else ""
        fail(f"{error}{line}")
    except FauxServerError as error:
        fail(f"{file}: {error}")
    table = Table(box=None, pad_edge=False)
    for heading in ("Method", "Expression", "Handler", "Where", "Name"):
        table.add_column(heading, overflow="fold")
    for server in route_file.servers:
        for number in range(len(server)):
            table.add_row(*row(server.get_route_at(number)))
    console = Console()
    if not console.is_terminal:
        # In a pipe there is no width to keep to.
        console = Console(width=1000)
    if table.row_count:
        console.print(table)
    else:
        typer.echo(f"{file} has no routes.")


def row(route: Any) -> list[Text]:
    """What is told of a route. (As text: rich would take a RegExp's brackets for markup.)"""
    expression = route.url_exp if isinstance(route.url_exp, str) else f"re.compile({route.url_exp.pattern!r})"
    # A name that nobody gave it tells nothing.
    name = "" if route.name.startswith(f"{route.http_method}_/") else route.name
    return [Text(cell) for cell in (route.http_method, expression, route.label, route.location, name)]


def static() -> Path:
    """The static files: in a checkout built anew if anything has changed."""
    builder = PACKAGE.parent / "wasm" / "build.py"
    if builder.is_file() and (PACKAGE.parent / "pyproject.toml").is_file():
        spec = importlib.util.spec_from_file_location("fauxserver_build", builder)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            return Path(module.build())
        except module.BuildError as error:
            fail(str(error))
    folder = PACKAGE / "static"
    if not (folder / "manifest.json").is_file():
        fail(f"The static files are not there: {folder}. This installation is damaged; install fauxserver again.")
    return folder


def listed(folder: Path) -> set[str]:
    """The files that an earlier `vendor` laid into *folder*."""
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
        return {name for name in files if Path(name).name == name}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
