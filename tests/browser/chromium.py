"""Find a Chromium for the tests; where there is none, install one, or say what to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

# Root has no sandbox, and a test asks nobody but its own server.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

ADVICE = (
    "No Chromium to run the browser tests in: Playwright has none, and none of {names} is on PATH. "
    "Install one with `python -m playwright install chromium`, or, on Debian, with `apt-get install chromium`."
)


class Found(NamedTuple):
    """There is a browser at *path*."""

    path: str


class Install(NamedTuple):
    """There is none, but running *commands* brings one."""

    commands: tuple[tuple[str, ...], ...]


class Missing(NamedTuple):
    """There is none, and it is not for us to install one."""

    advice: str


def decide(own: str | None, named: Callable[[str], str | None], root: bool, ci: bool) -> Found | Install | Missing:
    """Say where the browser is, or how to get it.

    *own* is where Playwright's browser lies, if it does; *named* finds a program on PATH (`shutil.which`).
    We install only where nobody is surprised by it: as root on Debian (it has apt-get), or in CI.
    """
    if own:
        return Found(own)
    for name in NAMES:
        if path := named(name):
            return Found(path)
    if named("apt-get") and (root or ci):
        sudo = () if root else ("sudo", "-n")
        return Install(((*sudo, "apt-get", "update"), (*sudo, "apt-get", "install", "-y", "chromium")))
    if ci:
        return Install(((sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"),))
    return Missing(ADVICE.format(names=", ".join(NAMES)))


def playwrights_own(expected: str) -> str | None:
    """The browser that Playwright installed, or None. *expected* is where it would look for it.

    `playwright install --only-shell` leaves just the headless shell, in a folder of its own beside it.
    """
    if Path(expected).exists():
        return expected
    caches = Path(expected).parents[2:3]
    shells = [shell for cache in caches for shell in cache.glob("chromium_headless_shell-*/*/*headless*shell*")]
    return next((str(shell) for shell in shells if shell.is_file() and os.access(shell, os.X_OK)), None)


def flags(root: bool) -> list[str]:
    """What the browser is started with."""
    return [*(("--no-sandbox",) if root else ()), *QUIET]


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def find(expected: str, environ: Mapping[str, str] = os.environ) -> str:
    """The browser's path, after installing it if need be. Raises RuntimeError that says what to do."""

    def look() -> Found | Install | Missing:
        return decide(playwrights_own(expected), shutil.which, is_root(), bool(environ.get("CI")))

    choice = look()
    if isinstance(choice, Install):
        for command in choice.commands:
            ended = subprocess.run(command, capture_output=True, text=True)
            if ended.returncode:
                tail = "\n".join((ended.stdout + ended.stderr).splitlines()[-15:])
                raise RuntimeError(
                    f"Cannot install Chromium: `{' '.join(command)}` failed.\n{tail}\nInstall one by hand."
                )
        choice = look()
    if isinstance(choice, Found):
        return choice.path
    raise RuntimeError(choice.advice if isinstance(choice, Missing) else ADVICE.format(names=", ".join(NAMES)))
