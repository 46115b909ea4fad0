"""How the runtime boots from disk, and what it says when it cannot."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Boot = Callable[..., dict[str, Any]]


def parts(static: Path, name: str) -> list[str]:
    manifest = json.loads((static / "manifest.json").read_text())
    return [part["file"] for part in manifest["runtime"][name]["parts"]]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_it_boots_from_the_snapshot_with_the_server_imported(boot: Boot):
    said = boot({"python": "import sys; 'fauxserver.hosts.browser' in sys.modules"})
    assert (said["boot"], said["results"], said["warnings"]) == ("snapshot", [True], [])


def test_what_the_snapshot_does_not_hold_is_imported_when_it_is_needed(boot: Boot):
    said = boot(
        {"python": "import sys; [name in sys.modules for name in ('csv', 'fauxserver.hosts.asgi')] == [False, False]"},
        {"python": "import csv; csv.__spec__.origin"},
        {"python": "import fauxserver.hosts.asgi; fauxserver.hosts.asgi.__file__"},
        {"python": "import encodings.latin_1; 'ä'.encode('latin-1').hex()"},
        {"python": "import sqlite3; sqlite3.connect(':memory:').execute('select 6 * 7').fetchone()[0]"},
    )
    assert said["results"] == [
        True,
        "/lib/python314.zip/csv.py",
        "/lib/fauxserver.zip/fauxserver/hosts/asgi.py",
        "e4",
        42,
    ]


def test_tracebacks_show_our_lines(boot: Boot):
    said = boot(
        {
            "python": "import linecache, fauxserver.urlexp as module; linecache.clearcache(); "
            "linecache.getline(module.__file__, 1, vars(module))"
        }
    )
    source = (Path(__file__).parents[2] / "fauxserver" / "urlexp.py").read_text(encoding="utf-8")
    assert said["results"] == [source.splitlines(keepends=True)[0]]


def test_what_is_random_differs_from_boot_to_boot(boot: Boot):
    step = {"python": "import random, uuid; f'{random.random()} {uuid.uuid4()}'"}
    one, other = boot(step)["results"][0].split(), boot(step)["results"][0].split()
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_the_module_search_path_is_the_same_on_both_ways(boot: Boot, static: Path):
    step = {"python": "import sys; ':'.join(sys.path)"}
    from_snapshot = boot(step)
    (static / parts(static, "snapshot")[0]).unlink()
    plain = boot(step)
    assert (from_snapshot["boot"], plain["boot"]) == ("snapshot", "plain")
    assert from_snapshot["results"] == plain["results"]


def test_progress_is_told_in_bytes_to_the_end(boot: Boot):
    progress = boot()["progress"]
    loaded = [loaded for loaded, _, _ in progress]
    assert len(progress) > 8
    assert loaded == sorted(loaded)
    assert progress[-1][0] == progress[-1][1]


@pytest.mark.parametrize("how", [Path.unlink, damage])
@pytest.mark.parametrize("name", ["snapshot", "stdlib"])
def test_without_its_snapshot_it_boots_plainly_and_says_so_once(
    boot: Boot, static: Path, name: str, how: Callable[[Path], None]
):
    file = parts(static, name)[0]
    how(static / file)
    said = boot({"python": "import fauxserver.hosts.browser, csv; 6 * 7"})
    assert (said["boot"], said["results"], len(said["warnings"])) == ("plain", [42], 1)
    assert file in said["warnings"][0]
    assert "without its snapshot" in said["warnings"][0]


def test_a_snapshot_of_another_runtime_is_not_restored(boot: Boot, static: Path):
    manifest = json.loads((static / "manifest.json").read_text())
    manifest["runtime"]["snapshot"] = manifest["runtime"]["micropip"]
    (static / "manifest.json").write_text(json.dumps(manifest))
    said = boot({"python": "6 * 7"})
    assert (said["boot"], said["results"]) == ("plain", [42])
    assert "Snapshot" in said["warnings"][0]


@pytest.mark.parametrize(
    ("how", "problem"), [(Path.unlink, "is missing or cannot be read"), (damage, "is damaged, or belongs to another")]
)
@pytest.mark.parametrize(
    ("name", "stage"),
    [("script", "loading the runtime"), ("wasm", "loading the runtime"), ("package", "loading the server")],
)
def test_a_boot_that_cannot_end_tells_stage_and_file_and_what_to_do(
    boot: Boot, static: Path, name: str, stage: str, how: Callable[[Path], None], problem: str
):
    file = static / parts(static, name)[-1]
    how(file)
    said = boot()
    assert said["error"]["name"] == "BootError"
    assert (said["error"]["stage"], said["error"]["file"]) == (stage, str(file))
    assert said["error"]["message"].startswith(f"Cannot start fauxserver ({stage}): {file} {problem}")
    assert "fauxserver vendor DIR" in said["error"]["message"]


def test_a_folder_that_holds_nothing_is_told(boot: Boot, static: Path):
    for path in static.iterdir():
        path.unlink()
    assert "manifest.json is missing" in boot()["error"]["message"]
