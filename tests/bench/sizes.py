"""What a page loads, in bytes as they go over the wire where the server compresses."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, size
from tests.bench.requests import ROUTES

PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")


def rows(bench: Bench) -> list[Row]:
    """The bridge, everything, and each file of it."""
    folder = bench.site.mounts["/fauxserver/"]
    with bench.page(ROUTES):
        asked = [seen.path.removeprefix("/fauxserver/") for seen in bench.site.reached("/fauxserver/")]
    files = {name: compressed(folder / name) for name in dict.fromkeys(path.partition("?")[0] for path in asked)}
    whole = sum(files.values())
    peers = sum(compressed(bench.site.mounts["/pyodide/"] / name) for name in PYODIDE)
    return [
        Row("the bridge alone, compressed", files["fauxserver.js"], goal=Goal(30_000), spoken=size),
        Row(
            "everything that a page loads, compressed",
            whole,
            "plain Pyodide",
            peers,
            whole / peers,
            Goal(13_000_000),
            size,
        ),
        *(Row(f"of it {name}", count, spoken=size) for name, count in files.items()),
    ]


def compressed(file: Path) -> int:
    """How many bytes of it go over the wire: what is compressed as it is, goes as it is."""
    content = file.read_bytes()
    return min(len(content), len(gzip.compress(content, 6)))
