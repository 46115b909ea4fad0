"""The runtime under Node, from files that a test may harm."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wasm.build import build, node

HERE = Path(__file__).parent


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The built files, for this test alone."""
    files = [path for path in build().iterdir() if path.is_file()]
    folder = tmp_path / "static"
    folder.mkdir()
    for path in files:
        shutil.copyfile(path, folder / path.name)
    return folder


@pytest.fixture
def boot(static: Path) -> Callable[..., dict[str, Any]]:
    """Boot, take the steps, and return what `boot.mjs` tells."""

    def boot(*steps: dict[str, Any]) -> dict[str, Any]:
        ended = subprocess.run(
            [node(), str(HERE / "boot.mjs")],
            input=json.dumps({"static": f"{static}/", "steps": steps}),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return said

    return boot
