"""NOTICES: whatever lies in the static files, and is somebody else's, is named there."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from wasm.build import DEMO, JS, STATIC, build

NOTICES = (Path(__file__).parents[2] / "fauxserver" / "NOTICES").read_text(encoding="utf-8")

# What of C is linked into the runtime, by a word that only it leaves in the wasm.
LINKED = {
    "SQLite 3.39.0": b"SQLite format 3",
    "zlib 1.3.1": b"inflate 1.3.1 ",
    "bzip2": b"This is a bug in bzip2/libbzip2",
    "liblzma": b"Call to liblzma failed.",
    "Zstandard": b"ZSTD_CDict",
    "libffi": b"ffi_call",
    "Expat": b"expat_2.",
    "libmpdec": b"libmpdec",
    "HACL*": b"HACL*",
}


@pytest.fixture(scope="module", autouse=True)
def static() -> Path:
    return build()


def test_it_lies_beside_the_files_that_it_is_about():
    assert (STATIC / "NOTICES").read_text(encoding="utf-8") == NOTICES


def test_what_is_linked_into_the_runtime_is_named():
    wasm = (JS / "node_modules/pyodide/pyodide.asm.wasm").read_bytes()
    assert [name for name, word in LINKED.items() if word not in wasm] == []
    assert [name for name in LINKED if name not in NOTICES] == []
    # Pyodide's `ssl` is a stub; the day that it is not, OpenSSL is to be named.
    assert re.search(rb"OpenSSL \d", wasm) is None


def test_what_pyodides_script_has_bundled_is_named():
    sources = json.loads((JS / "node_modules/pyodide/pyodide.mjs.map").read_text(encoding="utf-8"))["sources"]
    vendored = {Path(source).stem for source in sources if "/vendor/" in source or "node_modules" in source}
    assert [name for name in vendored if name not in NOTICES] == []
    assert vendored


def test_what_micropips_wheel_holds_is_named():
    with zipfile.ZipFile(io.BytesIO((STATIC / "micropip.bin").read_bytes())) as wheel:
        vendored = {found[1] for name in wheel.namelist() if (found := re.match(r"micropip/_vendored/(\w+)/", name))}
    assert [name for name in vendored if name not in NOTICES] == []
    assert vendored


def test_the_demos_libraries_are_named():
    package = json.loads((DEMO / "package.json").read_text(encoding="utf-8"))
    names = {name.split("/")[0].lstrip("@") for name in package["dependencies"]}
    assert [name for name in names if name.lower() not in NOTICES.lower()] == []


def test_every_license_that_is_named_is_there_or_has_its_address():
    named = set(re.findall(r"\b(MIT|BSD 2-clause|BSD 3-clause|zlib license|bzip2 license)\b", NOTICES))
    texts = {
        "MIT": "\nMIT\n---",
        "BSD 2-clause": "\nBSD 2-clause and 3-clause\n---",
        "BSD 3-clause": "and 3-clause\n---",
    }
    texts |= {"zlib license": "\nzlib\n---", "bzip2 license": "\nbzip2\n---"}
    assert [name for name in named if texts[name] not in NOTICES] == []
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n---" in NOTICES
    assert {"https://www.mozilla.org/MPL/2.0/", "https://llvm.org/LICENSE.txt"} <= set(NOTICES.split())
