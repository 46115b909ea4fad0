"""The libraries: complete, pinned, and from wherever the machine's npm gets them."""

import json
import subprocess

from tests.browser import npm
from tests.browser.matrix import COMBINATIONS


def test_the_lock_file_names_no_host():
    lock = json.loads((npm.HERE / "package-lock.json").read_text())
    assert [path for path, package in lock["packages"].items() if "resolved" in package] == []
    assert [path for path, package in lock["packages"].items() if path and "integrity" not in package] == []


def test_every_library_of_the_matrix_is_pinned():
    names = set(json.loads((npm.HERE / "package.json").read_text())["dependencies"])
    wanted = {
        f"{name}-{version}"
        for combination in COMBINATIONS
        for name, version in combination._asdict().items()
        if version is not None
    }
    assert wanted - names == set()


def test_what_is_installed_is_not_stale(npm_modules):
    assert not npm.stale()


def test_without_npm_on_the_machine_the_wheels_is_taken(monkeypatch):
    monkeypatch.setattr(npm.shutil, "which", lambda name: None)
    versions = [
        subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        for command in (npm.command(), npm.node())
    ]
    assert [version.lstrip("v").count(".") for version in versions] == [2, 2]
