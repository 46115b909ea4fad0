"""What the tests have started is gone when they end, however they end."""

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
