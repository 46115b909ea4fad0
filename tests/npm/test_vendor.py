"""`npx fauxserver vendor DIR`, from the packed package, on a machine that has Node alone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fauxserver.hosts import cli
from tests.npm.apps import App, Ended
from wasm import build as builder

USAGE = """Usage: fauxserver vendor DIR

Copies fauxserver.js, and what it needs beside it, into DIR, which is made if it is not there.
"""


@pytest.fixture
def only_node(tmp_path: Path, app: App) -> dict[str, str]:
    """A PATH with Node, and the shell that npx starts commands with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").symlink_to(app.node)
    (folder / "sh").symlink_to("/bin/sh")
    return {"PATH": str(folder)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def fauxserver(app: App, *words: str) -> Ended:
    return app.run(app.tool("fauxserver"), *words)


def test_npx_lays_what_the_python_command_lays(app: App, only_node: dict[str, str], tmp_path: Path):
    npx = builder._npm_path().with_name("npx-cli.js")
    ended = app.run(npx, "--offline", "fauxserver", "vendor", "public/fauxserver", env=only_node)
    (tmp_path / "other").mkdir()
    said = CliRunner().invoke(cli.app, ["vendor", str(tmp_path / "other" / "fauxserver")])
    assert contents(app.folder / "public" / "fauxserver") == contents(tmp_path / "other" / "fauxserver")
    assert (ended.code, ended.out) == (0, said.stdout), ended
    assert ended.out.endswith('MB. In the page:\n  <script src="fauxserver/fauxserver.js"></script>\n')


def test_it_replaces_an_older_version_and_leaves_other_files_alone(app: App):
    app.write("there/manifest.json", json.dumps({"files": {"snapshot-9.bin": {}, "../keep.txt": {}}}))
    for name in ("there/snapshot-9.bin", "there/fauxserver.js", "there/mine.txt", "keep.txt"):
        app.write(name, "old")
    assert fauxserver(app, "vendor", "there").code == 0
    there = contents(app.folder / "there")
    assert "snapshot-9.bin" not in there
    assert there["fauxserver.js"] != b"old"
    assert there["mine.txt"] == (app.folder / "keep.txt").read_bytes() == b"old"


def test_its_own_folder_is_as_it_was_when_it_is_laid_there(app: App):
    own = app.folder / "node_modules" / "fauxserver"
    before = contents(own)
    assert fauxserver(app, "vendor", str(own)).code == 0
    assert contents(own) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], USAGE),
        (["vendor"], "vendor where? Name the folder: fauxserver vendor public/fauxserver\n\n" + USAGE),
        (["vendor", "a", "b"], 'vendor takes one folder, not 2: "a", "b".\n\n' + USAGE),
        (
            ["vendor", "--force", "a"],
            "vendor has no option --force. Should the folder be called so, write ./--force.\n\n" + USAGE,
        ),
        (["build"], 'There is no command "build" here. The npm package has vendor.\n\n' + USAGE),
        (
            ["demo"],
            'There is no command "demo" here, which the Python package has (python -m pip install fauxserver). '
            "The npm package has vendor.\n\n" + USAGE,
        ),
    ],
)
def test_what_it_does_not_understand_it_tells(app: App, words: list[str], told: str):
    assert fauxserver(app, *words) == (2, "", told)
    assert not any((app.folder / name).exists() for name in ("a", "b", "--force"))


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["vendor", "--help"]])
def test_it_helps_when_it_is_asked_to(app: App, words: list[str]):
    assert fauxserver(app, *words) == (0, USAGE, "")


def test_it_tells_its_version(app: App):
    assert fauxserver(app, "--version") == (0, f"fauxserver {app.version()}\n", "")


def test_into_what_is_no_folder_it_says_so(app: App):
    app.write("file", "")
    ended = fauxserver(app, "vendor", "file")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Cannot copy into file: EEXIST")
    assert ended.err.endswith("Name a folder that can be written to.\n")


def test_a_damaged_installation_says_so(app: App):
    own = app.folder / "node_modules" / "fauxserver"
    (own / "manifest.json").unlink()
    assert fauxserver(app, "vendor", "there") == (
        1,
        "",
        f"The package's files are not there: {own}. This installation is damaged; install fauxserver again.\n",
    )


def test_what_is_packed_is_what_the_manifest_lists(installed: Path):
    own = installed / "node_modules" / "fauxserver"
    manifest: dict[str, Any] = json.loads((own / "manifest.json").read_text())
    assert sorted(os.listdir(own)) == sorted([*manifest["files"], "manifest.json"])
