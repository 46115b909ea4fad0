"""Apps that have the packed package in their node_modules, and commands run in them."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.browser import npm
from wasm import build as builder

HERE = Path(__file__).parent


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class App:
    """A folder with a package.json and node_modules. Write its files, run its commands."""

    def __init__(self, folder: Path, node: str) -> None:
        self.folder = folder
        self.node = node

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def run(self, *command: str | Path, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ended:
        """Run Node. Who does not end in a minute is in no state that a user would call ended."""
        ended = subprocess.run(
            [self.node, *map(str, command)],
            cwd=self.folder / cwd,
            env={**os.environ, "NO_COLOR": "1", "CI": "true", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def script(self, name: str, code: str) -> Ended:
        return self.run(self.write(name, code))

    def version(self) -> str:
        """The package's."""
        return str(json.loads((self.folder / "node_modules/fauxserver/package.json").read_text())["version"])

    @property
    def esbuild(self) -> Path:
        """A file beside which esbuild is installed: the one that the bridge is bundled with."""
        return builder.JS / "package.json"

    def tool(self, package: str, name: str | None = None) -> Path:
        """The script of a package's command."""
        package_json = json.loads((self.folder / "node_modules" / package / "package.json").read_text())
        command = package_json["bin"]
        return (
            self.folder / "node_modules" / package / (command if isinstance(command, str) else command[name or package])
        )


def run_npm(*command: str | Path, cwd: Path) -> str:
    ended = subprocess.run([*npm.command(), *map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def libraries() -> Path:
    """The libraries that apps use, in the folder of package.json."""
    return npm.install(HERE)


def pack(folder: Path) -> Path:
    """What `npm pack` makes of the built files."""
    (packed,) = json.loads(run_npm("pack", "--json", "--pack-destination", folder, cwd=builder.build()))
    return folder / str(packed["filename"])


def install(tarball: Path, folder: Path) -> Path:
    """Have npm install the tarball in an empty *folder*: its package.json and node_modules."""
    (folder / "package.json").write_text('{ "name": "app", "private": true }\n')
    run_npm("install", "--offline", "--no-audit", "--no-fund", tarball, cwd=folder)
    return folder


def make_app(folder: Path, installed: Path, node: str) -> App:
    # Links, since nothing is written there, and it is 15 MB each time.
    shutil.copytree(installed, folder, copy_function=os.link, symlinks=True)
    for library in libraries().iterdir():
        if not library.name.startswith("."):
            (folder / "node_modules" / library.name).symlink_to(library)
    return App(folder, node)
