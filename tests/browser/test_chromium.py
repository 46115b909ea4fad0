"""The decisions of chromium.py: which browser, or how to get one."""

import sys
from pathlib import Path

import pytest

from tests.browser.chromium import ADVICE, NAMES, QUIET, Found, Install, Missing, decide, flags, playwrights_own

APT = (("apt-get", "update"), ("apt-get", "install", "-y", "chromium"))
SUDO_APT = tuple(("sudo", "-n", *command) for command in APT)
PLAYWRIGHT = ((sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"),)


@pytest.mark.parametrize(
    ("own", "on_path", "root", "ci", "choice"),
    [
        ("/pw/chrome", ["chromium"], True, True, Found("/pw/chrome")),
        (None, ["chromium", "google-chrome"], True, False, Found("/bin/chromium")),
        (None, ["google-chrome"], False, False, Found("/bin/google-chrome")),
        (None, ["google-chrome", "apt-get"], True, True, Found("/bin/google-chrome")),
        (None, ["apt-get"], True, False, Install(APT)),
        (None, ["apt-get"], True, True, Install(APT)),
        (None, ["apt-get"], False, True, Install(SUDO_APT)),
        (None, [], False, True, Install(PLAYWRIGHT)),
        (None, ["apt-get"], False, False, Missing(ADVICE.format(names=", ".join(NAMES)))),
        (None, [], True, False, Missing(ADVICE.format(names=", ".join(NAMES)))),
    ],
)
def test_the_browser_is_playwrights_else_the_machines_else_installed_where_that_surprises_nobody(
    own, on_path, root, ci, choice
):
    assert decide(own, lambda name: f"/bin/{name}" if name in on_path else None, root, ci) == choice


def test_the_advice_says_what_to_do():
    assert "python -m playwright install chromium" in ADVICE
    assert "apt-get install chromium" in ADVICE


def test_playwrights_browser_counts_only_if_it_is_there(tmp_path: Path):
    chrome = tmp_path / "chromium-1000" / "chrome-linux" / "chrome"
    assert playwrights_own(str(chrome)) is None
    shell = tmp_path / "chromium_headless_shell-1000" / "chrome-linux" / "headless_shell"
    shell.parent.mkdir(parents=True)
    shell.touch(mode=0o755)
    assert playwrights_own(str(chrome)) == str(shell)
    chrome.parent.mkdir(parents=True)
    chrome.touch(mode=0o755)
    assert playwrights_own(str(chrome)) == str(chrome)


@pytest.mark.parametrize(("root", "first"), [(True, ["--no-sandbox"]), (False, [])])
def test_only_root_goes_without_the_sandbox(root, first):
    assert flags(root) == [*first, *QUIET]
