"""The rehearsal of another runtime: what it decides, what it says, and that all that names the runtime is known."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wasm import build as builder
from wasm import rehearse
from wasm.rehearse import Edit, Step, Versions

ROOT = Path(__file__).parents[2]

NPM = """
const told = { "dist-tags.latest": "2.0.1", versions: ["1.0.0", "2.0.0", "2.0.1", "3.0.0-alpha.1"] }
console.log(JSON.stringify(told))
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An npm that knows four versions."""
    (tmp_path / "npm-cli.js").write_text(NPM)
    monkeypatch.setattr(rehearse, "_npm_path", lambda: tmp_path / "npm-cli.js")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what names versions."""
    for name in rehearse.EDITED:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "tree" / name)
    return tmp_path / "tree"


def test_what_this_tree_says_of_its_runtime_is_true():
    # Whoever changes js/package.json is told here which lines say otherwise, and what they have to say.
    assert rehearse.outdated(ROOT, rehearse.installed(builder._install(builder.JS).parents[1])) == []


def test_what_the_decisions_say_of_its_heap_is_true():
    wasm = (builder.JS / "node_modules/pyodide/pyodide.asm.wasm").read_bytes()
    decisions = (ROOT / "fauxserver/DECISIONS.md").read_text(encoding="utf-8")
    assert f"The heap is {builder.starting_heap(wasm):,} bytes at first" in decisions


def test_lines_that_name_another_runtime_are_found_with_what_they_have_to_say(tree: Path):
    edits = rehearse.outdated(tree, Versions("400.1.0-alpha.2", "3.15.0rc1", "0.12.0"))
    assert {edit.path for edit in edits} == {"fauxserver/NOTICES", "fauxserver/DECISIONS.md"}
    line = (tree / "fauxserver/NOTICES").read_text().split("\n").index(f"Pyodide {rehearse.pinned(ROOT)}")
    assert edits[0] == Edit(
        "fauxserver/NOTICES", line + 1, f"Pyodide {rehearse.pinned(ROOT)}", "Pyodide 400.1.0-alpha.2"
    )
    assert any(edit.then.startswith("**Pyodide 400.1.0-alpha.2 (CPython 3.15.0rc1)") for edit in edits)
    assert not [edit for edit in edits if rehearse.pinned(ROOT) in edit.then]


def test_the_version_is_put_in_where_it_stands_and_the_patch_says_so(tree: Path):
    now = rehearse.pinned(ROOT)
    rehearse.put_in(tree, "400.1.0")
    assert rehearse.pinned(tree) == "400.1.0"
    changed = [line for line in rehearse.patch(ROOT, tree).splitlines() if line[0] in "+-"]
    assert changed == [
        "--- a/js/package.json",
        "+++ b/js/package.json",
        f'-    "pyodide": "{now}"',
        '+    "pyodide": "400.1.0"',
    ]


@pytest.mark.usefixtures("registry")
def test_by_default_it_is_the_newest_that_npm_has_for_everybody():
    assert rehearse.choose(None) == "2.0.1"
    assert rehearse.choose("3.0.0-alpha.1") == "3.0.0-alpha.1"


@pytest.mark.usefixtures("registry")
def test_a_version_that_does_not_exist_is_told_beside_those_that_do(capsys: pytest.CaptureFixture[str]):
    assert rehearse.main(["9.9.9"]) == 2
    assert capsys.readouterr().err == (
        "rehearse: npm has no pyodide 9.9.9. The last it has: 1.0.0, 2.0.0, 2.0.1, 3.0.0-alpha.1.\n"
    )


def test_an_npm_that_fails_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "npm-cli.js").write_text("console.error('npm error network'); process.exit(1)")
    monkeypatch.setattr(rehearse, "_npm_path", lambda: tmp_path / "npm-cli.js")
    assert rehearse.main([]) == 2
    assert capsys.readouterr().err == (
        "rehearse: npm cannot be asked which versions of pyodide there are:\nnpm error network\n"
    )


def test_when_nothing_is_newer_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    now = rehearse.pinned(ROOT)
    told = json.dumps({"dist-tags.latest": now, "versions": [now]})
    (tmp_path / "npm-cli.js").write_text(f"console.log({json.dumps(told)})")
    monkeypatch.setattr(rehearse, "_npm_path", lambda: tmp_path / "npm-cli.js")
    assert rehearse.main([]) == 0
    assert capsys.readouterr().out == (
        f"js/package.json names {now}, the newest that npm has. To rehearse another: python -m wasm.rehearse VERSION\n"
    )


def test_the_report_of_one_that_passed_ends_with_the_edits():
    steps = [Step("build", True, 11.6), Step("tests/runtime", True, 30.2, "24 passed in 30.1s")]
    assert rehearse.report(
        "1.0", "2.0", steps, {"heap": 1000, "script": 50}, {"heap": 1000, "script": 1060}, "--- a\n"
    ) == (
        "Pyodide 2.0, in place of 1.0: everything passed\n"
        "\n"
        "  passed  build (12 s)\n"
        "  passed  tests/runtime (30 s)\n"
        "          24 passed in 30.1s\n"
        "\n"
        "  bytes                            1.0             2.0\n"
        "  heap                           1,000           1,000\n"
        "  script                            50           1,060  +1,010\n"
        "\n"
        "To adopt it, `git apply` this:\n"
        "\n"
        "--- a"
    )


def test_the_report_of_one_that_failed_says_where_and_what_was_said():
    steps = [Step("build", False, 2, "fauxserver: Cannot\nbecause")]
    assert rehearse.report("1.0", "2.0", steps, None, None, "") == (
        "Pyodide 2.0, in place of 1.0: NOT EVERYTHING PASSED\n"
        "\n"
        "  FAILED  build (2 s)\n"
        "          fauxserver: Cannot\n"
        "          because\n"
        "\n"
        "There is nothing to edit."
    )


def test_the_runtime_that_is_pinned_can_be_rehearsed_and_this_tree_stays_as_it_is():
    builder.build()
    before = builder.inputs()
    command = [sys.executable, "-m", "wasm.rehearse", rehearse.pinned(ROOT), "--build-only"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, "FAILED" in ended.stdout) == (0, False), ended.stdout + ended.stderr
    assert "passed  build" in ended.stdout
    assert ended.stdout.endswith("There is nothing to edit.\n")
    assert builder.inputs() == before
