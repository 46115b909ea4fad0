"""Rehearse the next runtime: `python -m wasm.rehearse [VERSION]`, by default the newest that npm has.

In a copy of this tree that version is put in, what depends on it is brought up to date, and it is built and tested. The
report says what passed, what has changed, and ends with the edits that adopt it. The tree itself is left as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wasm.build import ROOT, BuildError, _environment, _npm_path, node, starting_heap

# What names a version of the runtime. The build derives all else from the first.
PACKAGE = "js/package.json"
LOCK = "js/package-lock.json"
PINS = "wasm/requirements.txt"
PROSE = ("fauxserver/NOTICES", "fauxserver/DECISIONS.md", "README.md")
EDITED = (PACKAGE, LOCK, PINS, *PROSE)

TESTS = {
    "tests/runtime": ["tests/runtime"],
    "a smoke of tests/browser": ["tests/browser/test_boot.py", "tests/browser/test_readme.py"],
}

# What is made, and not copied. (The tests' libraries are the same for every runtime: they are linked.)
MADE = ("node_modules", "static", "build", "dist", "__pycache__", ".*", "*.egg-info")
SHARED = ("demo/node_modules", "tests/browser/node_modules", "tests/npm/node_modules")

UPDATE_LOCK = "install --package-lock-only --omit-lockfile-registry-resolved=true --ignore-scripts --no-audit --no-fund"


class RehearsalError(Exception):
    """What keeps a rehearsal from beginning."""


class Versions(NamedTuple):
    """A runtime, and what comes with it."""

    pyodide: str
    python: str
    micropip: str


class Step(NamedTuple):
    """One thing that was tried."""

    name: str
    passed: bool
    seconds: float
    said: str = ""


class Edit(NamedTuple):
    """A line that names another version than the one that is built."""

    path: str
    line: int
    now: str
    then: str


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m wasm.rehearse", description="Rehearse another version of Pyodide.")
    parser.add_argument("version", nargs="?", metavar="VERSION", help="by default the newest that npm has")
    parser.add_argument("--build-only", action="store_true", help="build it, and run no tests")
    options = parser.parse_args(arguments)
    now = pinned(ROOT)
    try:
        version = choose(options.version)
    except (RehearsalError, BuildError) as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 2
    if version == now and options.version is None:
        print(f"{PACKAGE} names {now}, the newest that npm has. To rehearse another: python -m wasm.rehearse VERSION")
        return 0
    with tempfile.TemporaryDirectory(prefix="fauxserver-rehearsal-") as folder:
        tree = Path(folder) / "tree"
        steps = rehearse(tree, version, {} if options.build_only else TESTS)
        print(report(now, version, steps, sizes(ROOT), sizes(tree), patch(ROOT, tree)))
    return 0 if all(step.passed for step in steps) else 1


def pinned(tree: Path) -> str:
    return str(json.loads((tree / PACKAGE).read_text(encoding="utf-8"))["dependencies"]["pyodide"])


def choose(asked: str | None) -> str:
    """The version to rehearse: the one asked for, if npm has it, else the newest."""
    found = _npm("view", "pyodide", "dist-tags.latest", "versions", "--json")
    if found.returncode:
        raise RehearsalError(
            f"npm cannot be asked which versions of pyodide there are:\n{_tail(found.stdout + found.stderr)}"
        )
    told = json.loads(found.stdout)
    if asked is None:
        return str(told["dist-tags.latest"])
    if asked not in told["versions"]:
        newest = ", ".join(told["versions"][-8:])
        raise RehearsalError(f"npm has no pyodide {asked}. The last it has: {newest}.")
    return asked


def rehearse(tree: Path, version: str, tests: dict[str, list[str]]) -> list[Step]:
    """Copy, put the version in, build and test; stop at what all the rest depends on."""
    steps: list[Step] = []

    @contextlib.contextmanager
    def step(name: str) -> Iterator[list[str]]:
        print(f"rehearse: {name} …", file=sys.stderr, flush=True)
        began, said, passed = time.monotonic(), list[str](), False
        try:
            yield said
            passed = True
        except subprocess.CalledProcessError as error:
            said.append(_tail(f"{error.stdout or ''}{error.stderr or ''}"))
        finally:
            steps.append(Step(name, passed, time.monotonic() - began, "\n".join(said)))

    with step("copy the tree"):
        copy(ROOT, tree)
    with step(f"put pyodide {version} in, with its lock file"):
        put_in(tree, version)
        _npm(*UPDATE_LOCK.split(), cwd=tree / "js", check=True)
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tree / "js", check=True)
    if steps[-1].passed:
        with step("pin what it was released with"):
            pin(tree)
        with step("build"):
            _python("-m", "wasm.build", "--force", cwd=tree)
    if steps[-1].passed:
        for name, paths in tests.items():
            with step(name) as said:
                said.append(_tail(_python("-m", "pytest", "-q", *paths, cwd=tree), 1))
    return steps


def copy(source: Path, tree: Path) -> None:
    shutil.copytree(source, tree, ignore=shutil.ignore_patterns(*MADE))
    for name in SHARED:
        if (source / name).is_dir():
            (tree / name).symlink_to(source / name)


def put_in(tree: Path, version: str) -> None:
    path = tree / PACKAGE
    path.write_text(
        re.sub(r'("pyodide": ")[^"]+', rf"\g<1>{version}", path.read_text(encoding="utf-8")), encoding="utf-8"
    )


def pin(tree: Path) -> None:
    """Have requirements.txt and the prose name what came with the runtime that is installed."""
    versions = installed(tree)
    pins = tree / PINS
    text = pins.read_text(encoding="utf-8")
    if f"\nmicropip=={versions.micropip} " not in text:
        line = f"micropip=={versions.micropip} --hash=sha256:{_hash_of('micropip', versions.micropip, tree)}"
        pins.write_text(re.sub(r"^micropip==.*$", line, text, flags=re.MULTILINE), encoding="utf-8")
    for edit in outdated(tree, versions):
        path = tree / edit.path
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[edit.line - 1] = edit.then
        path.write_text("\n".join(lines), encoding="utf-8")


def installed(tree: Path) -> Versions:
    """What lies in js/node_modules."""
    modules = tree / "js" / "node_modules" / "pyodide"
    lock = json.loads((modules / "pyodide-lock.json").read_text(encoding="utf-8"))
    version = json.loads((modules / "package.json").read_text(encoding="utf-8"))["version"]
    return Versions(version, lock["info"]["python"], lock["packages"]["micropip"]["version"])


def outdated(tree: Path, versions: Versions) -> list[Edit]:
    """The lines of prose that name other versions than these."""
    edits = []
    for name in PROSE:
        for number, line in enumerate((tree / name).read_text(encoding="utf-8").split("\n"), start=1):
            then = re.sub(r"(?<=Pyodide )\d[\w.-]*\d", versions.pyodide, line)
            then = re.sub(r"(?<=pyodide, tag )\d[\w.-]*\d", versions.pyodide, then)
            then = re.sub(r"(?<=CPython )\d+\.\d+\.\d+\w*", versions.python, then)
            if then != line:
                edits.append(Edit(name, number, line, then))
    return edits


def sizes(tree: Path) -> dict[str, int] | None:
    """What a built tree weighs, by asset; None if it is not built."""
    try:
        manifest: dict[str, Any] = json.loads((tree / "fauxserver/static/manifest.json").read_text(encoding="utf-8"))
        wasm = (tree / "js/node_modules/pyodide/pyodide.asm.wasm").read_bytes()
    except (OSError, ValueError):
        return None
    assets = {name: asset for name, asset in manifest["runtime"].items() if "parts" in asset}
    found = {name: sum(part["size"] for part in asset["parts"]) for name, asset in assets.items()}
    return {"heap at first": starting_heap(wasm), "snapshot, inflated": assets["snapshot"]["raw"], **found}


def patch(before: Path, after: Path) -> str:
    """The edits, as `git apply` takes them."""
    diffs: list[str] = []
    for name in EDITED:
        old, new = ((tree / name).read_text(encoding="utf-8").splitlines(True) for tree in (before, after))
        diffs += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(diffs)


def report(
    now: str, version: str, steps: list[Step], before: dict[str, int] | None, after: dict[str, int] | None, edits: str
) -> str:
    passed = all(step.passed for step in steps)
    lines = [f"Pyodide {version}, in place of {now}: {'everything passed' if passed else 'NOT EVERYTHING PASSED'}", ""]
    for step in steps:
        lines.append(f"  {'passed' if step.passed else 'FAILED'}  {step.name} ({step.seconds:.0f} s)")
        lines += [f"          {line}" for line in step.said.splitlines()]
    if after:
        lines += ["", f"  {'bytes':<20}{now:>16}{version:>16}"]
        for name, size in after.items():
            old = before.get(name) if before else None
            changed = "" if old in (None, size) else f"  {size - (old or 0):+,}"
            lines.append(f"  {name:<20}{'not built' if old is None else f'{old:,}':>16}{size:>16,}{changed}")
    if not edits:
        lines += ["", "There is nothing to edit."]
    elif passed:
        lines += ["", "To adopt it, `git apply` this:", "", edits.rstrip("\n")]
    else:
        lines += ["", "What was edited so far:", "", edits.rstrip("\n")]
    return "\n".join(lines)


# Tools


def _npm(*words: str, cwd: Path = ROOT, check: bool = False) -> subprocess.CompletedProcess[str]:
    command = [node(), str(_npm_path()), *words]
    return subprocess.run(command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=check)


def _python(*words: str, cwd: Path) -> str:
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, check=True).stdout


def _hash_of(name: str, version: str, tree: Path) -> str:
    """The SHA-256 of a wheel, as the index that pip is set up for has it."""
    with tempfile.TemporaryDirectory(dir=tree) as folder:
        options = "download --quiet --disable-pip-version-check --no-deps --only-binary :all: --ignore-requires-python"
        _python("-m", "pip", *options.split(), "--dest", folder, f"{name}=={version}", cwd=tree)
        (wheel,) = Path(folder).glob("*.whl")
        return _python("-m", "pip", "hash", str(wheel), cwd=tree).rpartition("sha256:")[2].strip()


def _tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
