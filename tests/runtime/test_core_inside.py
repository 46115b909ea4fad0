"""The core's tests once more, inside the runtime: booted under Node from the built files, as a page boots it."""

import json
import shutil
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from wasm.build import build, node

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

# The pure Python of what the tests need, taken from where it is installed.
NEEDED = ["hypothesis", "iniconfig", "packaging", "pluggy", "pygments", "pytest", "sortedcontainers"]

# Files that need what the runtime has not: other processes, and threads.
NATIVE = ["import subprocess", "import threading"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for package in map(distribution, NEEDED):
        for file in package.files or []:
            if file.suffix not in (".so", ".pyd", ".pyc") and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(package.locate_file(file), target)
    return folder


def run_inside(site: Path, *args: str) -> tuple[dict[str, Any], str]:
    """Run pytest in the runtime; returns what came of it, and all that was printed."""
    # A test that stands still is told of by a thread, which the runtime has not.
    options = ["-q", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0"]
    order = {
        "static": f"{build()}/",
        "folders": {"/repository": str(ROOT), "/site": str(site)},
        "args": [*options, "--rootdir=/repository", "-c", "/repository/pyproject.toml", *args],
    }
    command = [node(), str(HERE / "run.mjs")]
    ended = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout.splitlines()[-1]), ended.stdout


def test_the_cores_tests_pass_inside_the_runtime(site: Path):
    everything = sorted((ROOT / "tests" / "core").glob("test_*.py"))
    inside = [path for path in everything if not any(word in path.read_text(encoding="utf-8") for word in NATIVE)]
    files = [f"/repository/tests/core/{path.name}" for path in inside]
    said, printed = run_inside(site, *files)
    passed = said.pop("passed")
    assert said == {"boot": "snapshot", "code": 0, "failed": 0, "skipped": 0}, printed[-10_000:]
    assert passed > 400


def test_a_failure_inside_the_runtime_is_seen(site: Path, tmp_path: Path):
    (site / "test_wrong.py").write_text("def test_wrong():\n    assert 1 == 2\n")
    said, printed = run_inside(site, "/site/test_wrong.py")
    assert (said["code"], said["failed"], said["passed"]) == (1, 1, 0)
    assert "assert 1 == 2" in printed
