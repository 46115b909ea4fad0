"""What the command line of the tests promises: the engines that it names, and nothing left running at the end."""

import os
import select
import subprocess
import sys
from pathlib import Path

from tests.browser.engine import process

ROOT = Path(__file__).parents[2]

ENDED = """
import os, signal
import pytest

@pytest.fixture
def browser():
    yield
    print("the browser is closed")

def test_it(browser):
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_program_ends_with_all_that_it_has_started():
    with process("sh", "-c", "sleep 600 & echo $!; wait", stdout=subprocess.PIPE) as running:
        child = os.pidfd_open(int(running.stdout.readline()))
    # A process is readable when it has ended.
    assert select.select([child], [], [], 10)[0] == [child]
    os.close(child)
    assert running.returncode is not None


def test_who_is_killed_closes_the_browsers_first(tmp_path: Path):
    (tmp_path / "test_ended.py").write_text(ENDED)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "tests.conftest", f"--rootdir={tmp_path}", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTEST_ADDOPTS": ""})
    assert ("the browser is closed" in ended.stdout, ended.returncode) == (True, 2), ended.stdout + ended.stderr


def test_an_engine_that_there_is_not_is_named_with_those_there_are():
    command = [sys.executable, "-m", "pytest", "--engines", "chromium,opera", "--collect-only", "tests/browser"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "ERROR: --engines: no opera here. There are chromium, firefox, webkit." in ended.stderr


def test_engines_that_are_not_wanted_are_left_out_and_counted():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--engines=firefox",
        "--collect-only",
        "tests/browser/test_engine.py",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    *tests, _, summary = ended.stdout.splitlines()
    assert {name.partition("[")[2] for name in tests} == {"firefox]"}
    assert "deselected" in summary
