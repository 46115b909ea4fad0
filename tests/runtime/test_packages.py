"""A route file's packages: from wheels beside it, from those of the build, else from the index."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fauxserver import FauxServer
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.live import serving

Boot = Callable[..., dict[str, Any]]


def wheel(folder: Path, name: str, *requires: str) -> Path:
    """A wheel of one module that says its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"name = {name!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requirements}")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """A package index with one package, `lamp`."""
    folder = tmp_path / "index"
    path = wheel(folder / "files", "lamp")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "simple" / "lamp").mkdir(parents=True)
    link = f'<a href="../../files/{path.name}#sha256={digest}">{path.name}</a>'
    (folder / "simple" / "lamp" / "index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")
    with serving(Application(FauxServer(), static=folder)) as url:
        yield f"{url}/simple"


def test_a_wheel_that_lies_beside_the_route_file_is_installed(boot: Boot, page: Path):
    wheel(page / "wheels", "shelf", "ladder>=1")
    wheel(page / "wheels", "ladder")
    requirements = ["shelf @ ./wheels/shelf-1.0-py3-none-any.whl", "ladder @ ./wheels/ladder-1.0-py3-none-any.whl"]
    options = {"from": (page / "routes.py").as_uri()}
    said = boot({"install": [requirements, options]}, {"python": "import shelf, ladder; shelf.name + ladder.name"})
    assert said["results"] == [None, "shelfladder"]


def test_a_package_that_the_manifest_lists_comes_with_what_it_needs(boot: Boot, static: Path):
    manifest = json.loads((static / "manifest.json").read_text())
    manifest["packages"] = {}
    for name, depends in {"shelf": ["ladder"], "ladder": []}.items():
        path = wheel(static, name, *depends)
        digest = base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
        size = path.stat().st_size
        manifest["packages"][name] = {
            "file": path.name, "size": size, "raw": size, "integrity": f"sha256-{digest}", "depends": depends,
        }  # fmt: skip
    (static / "manifest.json").write_text(json.dumps(manifest))
    said = boot({"install": [["Shelf>=1"], {}]}, {"python": "import shelf, ladder; shelf.name + ladder.name"})
    assert said["results"] == [None, "shelfladder"]


def test_another_package_comes_from_the_index_that_is_named(boot: Boot, page: Path, index: str):
    wheel(page / "wheels", "desk", "lamp")
    requirements = ["desk @ ./wheels/desk-1.0-py3-none-any.whl"]
    said = boot(
        {"install": [requirements, {"from": (page / "routes.py").as_uri(), "index": index}]},
        {"python": "import desk, lamp; desk.name + lamp.name"},
    )
    assert said["results"] == [None, "desklamp"]


def test_what_cannot_be_installed_is_told_with_what_to_do_and_the_rest_goes_on(boot: Boot, page: Path, index: str):
    page.mkdir()
    (page / "torn-1.0-py3-none-any.whl").write_bytes(b"<!doctype html>")
    options = {"from": (page / "routes.py").as_uri(), "index": index}
    missing, torn, unknown, fine = boot(
        {"install": [["gone @ gone-1.0-py3-none-any.whl"], options]},
        {"install": [["torn @ torn-1.0-py3-none-any.whl"], options]},
        {"install": [["unheard-of"], options]},
        {"install": [["lamp"], options]},
    )["results"]
    assert missing.startswith("Error: Cannot install gone @ gone-1.0-py3-none-any.whl: the wheel of")
    assert f"is not there: {(page / 'gone-1.0-py3-none-any.whl').as_uri()}" in missing
    assert torn.startswith(
        "Error: Cannot install torn @ torn-1.0-py3-none-any.whl: torn-1.0-py3-none-any.whl is damaged"
    )
    assert unknown.startswith("Error: Cannot install unheard-of: ")
    assert f"[tool.fauxserver] index (now {index})" in unknown
    assert fine is None
