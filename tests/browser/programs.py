"""Find the browsers and what they need; where one is missing, install it, or say what to do."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    """Something that the tests run: its *names* on PATH, the Debian *package* that brings it, and *others* who do."""

    title: str
    names: tuple[str, ...]
    package: str
    others: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to do where there is none."""
        commands = [" ".join(("python", *self.others)), f"apt-get install {self.package}"]
        ways = [f"`{command}`" for command in commands[not self.others :]]
        return (
            f"No {self.title} to run the browser tests in: none of {', '.join(self.names)} is on PATH. "
            f"Install one with {' or, on Debian, with '.join(ways)}{'' if self.others else ' on Debian'}; "
            f"or leave engines out, for example `pytest --engines chromium`."
        )


CHROMIUM = Program(
    "Chromium",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
    "chromium",
    ("-m", "playwright", "install", "--with-deps", "chromium"),
)
FIREFOX = Program("Firefox", ("firefox-esr", "firefox"), "firefox-esr")
WEBKIT = Program("WebKit driver", ("WebKitWebDriver",), "webkit2gtk-driver")
XVFB = Program("X server without a screen", ("Xvfb",), "xvfb")


class Found(NamedTuple):
    """There is one at *path*."""

    path: str


class Install(NamedTuple):
    """There is none, but running *commands* brings one."""

    commands: tuple[tuple[str, ...], ...]


class Missing(NamedTuple):
    """There is none, and it is not for us to install one."""

    advice: str


def decide(
    program: Program, own: str | None, named: Callable[[str], str | None], root: bool, ci: bool
) -> Found | Install | Missing:
    """Say where the program is, or how to get it.

    *own* is where Playwright's browser lies, if it does; *named* finds a program on PATH (`shutil.which`).
    We install only where nobody is surprised by it: as root on Debian (it has apt-get), or in CI.
    """
    if own:
        return Found(own)
    for name in program.names:
        if path := named(name):
            return Found(path)
    if named("apt-get") and (root or ci):
        sudo = () if root else ("sudo", "-n")
        return Install(((*sudo, "apt-get", "update"), (*sudo, "apt-get", "install", "-y", program.package)))
    if program.others and ci:
        return Install(((sys.executable, *program.others),))
    return Missing(program.advice)


def playwrights_own(expected: str) -> str | None:
    """The browser that Playwright installed, or None. *expected* is where it would look for it.

    `playwright install --only-shell` leaves just the headless shell, in a folder of its own beside it.
    """
    if Path(expected).exists():
        return expected
    caches = Path(expected).parents[2:3]
    shells = [shell for cache in caches for shell in cache.glob("chromium_headless_shell-*/*/*headless*shell*")]
    return next((str(shell) for shell in shells if shell.is_file() and os.access(shell, os.X_OK)), None)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def find(program: Program, expected: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The program's path, after installing it if need be. Raises RuntimeError that says what to do.

    *expected* is where Playwright expects a browser of its own.
    """

    def look() -> Found | Install | Missing:
        own = playwrights_own(expected) if expected else None
        return decide(program, own, shutil.which, is_root(), bool(environ.get("CI")))

    choice = look()
    if isinstance(choice, Install):
        for command in choice.commands:
            try:
                _run(command)
            except RuntimeError as cause:
                raise RuntimeError(f"Cannot install {program.title}: {cause}\nInstall one by hand.") from None
        choice = look()
    if isinstance(choice, Found):
        return choice.path
    raise RuntimeError(program.advice)


# What has succeeded is not done again: that the lists of packages are new holds for every program.
@functools.cache
def _run(command: tuple[str, ...]) -> None:
    # At this run level, what is a service is not started.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environ)
    if ended.returncode:
        tail = "\n".join((ended.stdout + ended.stderr).splitlines()[-15:])
        raise RuntimeError(f"`{' '.join(command)}` failed.\n{tail}")
