"""The decisions of programs.py: which browser, or how to get one."""

import sys
from pathlib import Path

import pytest

from tests.browser.programs import (
    CHROMIUM,
    FIREFOX,
    WEBKIT,
    XVFB,
    Found,
    Install,
    Missing,
    decide,
    find,
    playwrights_own,
)


def apt(package: str, *sudo: str) -> Install:
    return Install(((*sudo, "apt-get", "update"), (*sudo, "apt-get", "install", "-y", package)))


PLAYWRIGHT = Install(((sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"),))


@pytest.mark.parametrize(
    ("program", "own", "on_path", "root", "ci", "choice"),
    [
        (CHROMIUM, "/pw/chrome", ["chromium"], True, True, Found("/pw/chrome")),
        (CHROMIUM, None, ["chromium", "google-chrome"], True, False, Found("/bin/chromium")),
        (CHROMIUM, None, ["google-chrome"], False, False, Found("/bin/google-chrome")),
        (CHROMIUM, None, ["google-chrome", "apt-get"], True, True, Found("/bin/google-chrome")),
        (CHROMIUM, None, ["apt-get"], True, False, apt("chromium")),
        (CHROMIUM, None, ["apt-get"], True, True, apt("chromium")),
        (CHROMIUM, None, ["apt-get"], False, True, apt("chromium", "sudo", "-n")),
        (CHROMIUM, None, [], False, True, PLAYWRIGHT),
        (CHROMIUM, None, ["apt-get"], False, False, Missing(CHROMIUM.advice)),
        (CHROMIUM, None, [], True, False, Missing(CHROMIUM.advice)),
        (FIREFOX, None, ["firefox"], False, False, Found("/bin/firefox")),
        (FIREFOX, None, ["apt-get"], True, False, apt("firefox-esr")),
        (FIREFOX, None, [], True, True, Missing(FIREFOX.advice)),
        (WEBKIT, None, ["apt-get"], False, True, apt("webkit2gtk-driver", "sudo", "-n")),
        (XVFB, None, ["apt-get"], True, True, apt("xvfb")),
    ],
)
def test_a_browser_is_playwrights_else_the_machines_else_installed_where_that_surprises_nobody(
    program, own, on_path, root, ci, choice
):
    assert decide(program, own, lambda name: f"/bin/{name}" if name in on_path else None, root, ci) == choice


def test_the_advice_says_what_to_do():
    assert CHROMIUM.advice == (
        "No Chromium to run the browser tests in: none of chromium, chromium-browser, google-chrome, "
        "google-chrome-stable, chrome, microsoft-edge is on PATH. Install one with "
        "`python -m playwright install --with-deps chromium` or, on Debian, with `apt-get install chromium`; "
        "or leave engines out, for example `pytest --engines chromium`."
    )
    assert FIREFOX.advice == (
        "No Firefox to run the browser tests in: none of firefox-esr, firefox is on PATH. "
        "Install one with `apt-get install firefox-esr` on Debian; "
        "or leave engines out, for example `pytest --engines chromium`."
    )


def test_who_cannot_install_is_advised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError) as raised:
        find(FIREFOX, environ={})
    assert str(raised.value) == FIREFOX.advice


def test_an_installation_that_fails_is_told_with_its_last_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("apt-get", "sudo"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho No such package >&2\nexit 100\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"Cannot install Firefox: `.*apt-get update` failed\.\nNo such package\n"):
        find(FIREFOX, environ={"CI": "true"})


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
