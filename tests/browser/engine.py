"""The three browser engines, each behind the same few words: Chromium, Firefox and WebKit.

An engine is started by its function in `ENGINES`, and is then a function that opens a page in a fresh profile.

- Chromium is driven by Playwright.
- Firefox is spoken to in WebDriver BiDi, over one WebSocket. Playwright cannot drive Debian's Firefox, which has no
  geckodriver for Selenium either; puppeteer would put a Node process and a pipe between us and the same messages.
- WebKit is Debian's WebKitGTK, under an X server without a screen, spoken to in WebDriver, over HTTP: seven commands,
  for which Selenium is large. It knows no BiDi, so that a script collects what the console is told, first in each page
  that our site serves (see `Site.first`).
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, ConsoleMessage, sync_playwright

from tests.browser.programs import CHROMIUM, FIREFOX, WEBKIT, XVFB, find, is_root
from tests.browser.site import Site

HERE = Path(__file__).parent
# In seconds: longer than anything may take on a busy machine.
PATIENCE = 60


class Page(Protocol):
    """A tab in a fresh profile.

    `console` has a line for each message, "type: text", with Chromium's names for the types (the end of a group is
    none); `errors` one for each exception that nobody caught, "TypeError: text". Both only grow.
    """

    @property
    def console(self) -> list[str]: ...

    @property
    def errors(self) -> list[str]: ...

    def preload(self, script: str) -> None:
        """Run *script* in every document, before its own. (In WebKit in those that our site serves.)"""

    def open(self, address: str) -> None:
        """Go to *address*, and wait for its load event."""

    def evaluate(self, code: str, argument: Any = None) -> Any:
        """Run the body of an async function, in which *argument* is `given`; what it returns comes as JSON has it."""

    def close(self) -> None:
        """Close it, and forget its profile."""


class PageError(Exception):
    """What `Page.evaluate` ran has thrown."""


Engine = Callable[[Site], Page]
"""Open a page, for visiting the site."""


def _function(code: str) -> str:
    """*code* as a function of JSON to JSON, where what is thrown is the member `thrown`."""
    return f"""async given => {{
      const act = async given => {{ {code}
      }}
      try {{
        return JSON.stringify({{ value: await act(JSON.parse(given)) }})
      }} catch (error) {{
        return JSON.stringify({{ thrown: `${{error}}\\n${{error?.stack ?? ""}}` }})
      }}
    }}"""


def _result(answer: str) -> Any:
    result = json.loads(answer)
    if "thrown" in result:
        raise PageError(result["thrown"])
    return result.get("value")


@contextmanager
def process(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program that is gone at the end, with all that it started; Ctrl-C is for us alone."""
    with subprocess.Popen(command, start_new_session=True, text=True, **options) as running:
        try:
            yield running
        finally:
            _end(running)


def _end(running: subprocess.Popen[Any]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(10)


# --- Chromium -------------------------------------------------------------------------------------------------------

# Root has no sandbox, and a test asks nobody but its own server.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def flags(root: bool) -> list[str]:
    """What Chromium is started with."""
    return [*(("--no-sandbox",) if root else ()), *FLAGS]


@contextmanager
def playwrights_browser() -> Iterator[Browser]:
    """Chromium, as Playwright's."""
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception:
            # On a bare Debian, Playwright's own Node lacks a library, which a browser brings along.
            find(CHROMIUM)
            playwright = stack.enter_context(sync_playwright())
        path = find(CHROMIUM, playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=path, args=flags(is_root()))
        yield browser
        browser.close()


@contextmanager
def chromium() -> Iterator[Engine]:
    with playwrights_browser() as browser:
        yield lambda site: ChromiumPage(browser)


class ChromiumPage:
    """`page` and `context` are Playwright's."""

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context()
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.console: list[str] = []
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error.name}: {error.message}"))
        self.preload = self.page.add_init_script
        self.open = self.page.goto
        self.close = self.context.close

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "endGroup":
            self.console.append(f"{message.type}: {message.text}")

    def evaluate(self, code: str, argument: Any = None) -> Any:
        return _result(self.page.evaluate(_function(code), json.dumps(argument)))


# --- Firefox --------------------------------------------------------------------------------------------------------

# BiDi has the names of console's functions, Chromium types of its own.
TYPES = {"warn": "warning", "group": "startGroup", "groupCollapsed": "startGroupCollapsed"}
# What nobody caught, among the entries of type "javascript"; the others are what the browser itself complains of.
UNCAUGHT = re.compile(r"\w*(Error|Exception): |uncaught exception: ")


@contextmanager
def firefox() -> Iterator[Engine]:
    from websockets.sync.client import connect

    with ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        command = [find(FIREFOX), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        # What it says goes to a file, as nobody would empty a pipe later.
        log = Path(profile, "log")
        with log.open("w") as output:
            running = stack.enter_context(process(*command, stdout=output, stderr=output))
        address = _said(running, log, r"WebDriver BiDi listening on (ws://\S+)")
        session = BiDi(stack.enter_context(connect(f"{address}/session", max_size=None)))
        session.call("session.new", capabilities={})
        session.call("session.subscribe", events=["log.entryAdded"])
        yield lambda site: FirefoxPage(session)


def _said(running: subprocess.Popen[Any], log: Path, pattern: str) -> str:
    """What a program has said of itself, in its *log*."""
    for _ in _while_starting(running):
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
    raise RuntimeError(f"Cannot start {running.args}:\n{log.read_text(errors='replace')}")


def _while_starting(running: subprocess.Popen[Any]) -> Iterator[None]:
    """Time and again, until the program has ended or our patience has."""
    pause = 0.05
    for _ in range(int(PATIENCE / pause)):
        yield
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(pause)
            return


class BiDi:
    """Commands and their answers over a WebSocket; the events that come between are kept."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._id = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **params: Any) -> Any:
        self._id += 1
        self._socket.send(json.dumps({"id": self._id, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message["type"] == "event":
                self.events.append(message)
            elif message["id"] == self._id:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]


class FirefoxPage:
    """A tab in a container of its own: what Firefox calls a user context has its own storage."""

    def __init__(self, session: BiDi) -> None:
        self._call, self._events = session.call, session.events
        self._profile = self._call("browser.createUserContext")["userContext"]
        self._tab = self._call("browsingContext.create", type="tab", userContext=self._profile)["context"]
        self._console: list[str] = []
        self._errors: list[str] = []
        self._events.clear()

    def preload(self, script: str) -> None:
        self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}", contexts=[self._tab])

    def open(self, address: str) -> None:
        self._call("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, code: str, argument: Any = None) -> Any:
        ended = self._call(
            "script.callFunction",
            functionDeclaration=_function(code),
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._tab},
            awaitPromise=True,
        )
        if ended["type"] == "exception":
            raise PageError(ended["exceptionDetails"]["text"])
        return _result(ended["result"]["value"])

    def _hear(self) -> None:
        # What the page said before it evaluates this is here when that is answered.
        self._call("script.evaluate", expression="0", target={"context": self._tab}, awaitPromise=False)
        for entry in (event["params"] for event in self._events):
            if entry["type"] == "console":
                if entry["method"] != "groupEnd":
                    self._console.append(f"{TYPES.get(entry['method'], entry['method'])}: {entry['text']}")
            elif UNCAUGHT.match(entry["text"]):
                self._errors.append(entry["text"])
            elif entry["level"] == "error":
                self._console.append(f"error: {entry['text']}")
        self._events.clear()

    @property
    def console(self) -> list[str]:
        self._hear()
        return self._console

    @property
    def errors(self) -> list[str]:
        self._hear()
        return self._errors

    def close(self) -> None:
        self._call("browser.removeUserContext", userContext=self._profile)


# --- WebKit ---------------------------------------------------------------------------------------------------------


@contextmanager
def webkit() -> Iterator[Engine]:
    with ExitStack() as stack:
        display = stack.enter_context(_display())
        # It wants a sandbox, which root cannot have.
        root = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"} if is_root() else {}
        port = _free_port()
        command = [find(WEBKIT), f"--port={port}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = stack.enter_context(process(*command, env={**os.environ, **root, "DISPLAY": display}, **quiet))
        connection = stack.enter_context(contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)))
        _connect(connection, running)
        yield lambda site: WebKitPage(connection, site)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def _connect(connection: HTTPConnection, running: subprocess.Popen[Any]) -> None:
    for _ in _while_starting(running):
        with contextlib.suppress(ConnectionRefusedError):
            return connection.connect()
    raise RuntimeError(f"Cannot start {running.args}.")


@contextmanager
def _display() -> Iterator[str]:
    """An X server, which draws into memory; gives its name."""
    told, tell = os.pipe()
    command = [find(XVFB), "-displayfd", str(tell), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    with open(told) as answer, process(*command, pass_fds=[tell], stderr=subprocess.DEVNULL):
        os.close(tell)
        number = answer.readline().strip()
        if not number:
            raise RuntimeError(f"Cannot start {' '.join(command)}.")
        yield f":{number}"


class WebKitPage:
    """A session of its own, with a window and a profile that is not kept."""

    def __init__(self, connection: HTTPConnection, site: Site) -> None:
        self._connection = connection
        self._site = site
        self._session = "/session"
        self._session += f"/{self._call('', capabilities={})['sessionId']}"
        self._call("/timeouts", script=PATIENCE * 1000, pageLoad=PATIENCE * 1000)
        self._console: list[str] = []
        self._errors: list[str] = []
        site.first = (HERE / "collect.js").read_text()

    def _call(self, path: str, method: str = "POST", **params: Any) -> Any:
        try:
            self._connection.request(method, self._session + path, json.dumps(params))
            value = json.loads(self._connection.getresponse().read())["value"]
        except BaseException:
            # Interrupted, it would wait for this answer for ever; closed, it opens itself again.
            self._connection.close()
            raise
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"{method} {path}: {value['error']}: {value['message']}")
        return value

    def preload(self, script: str) -> None:
        self._site.first += f"\n;(() => {{ {script} }})()"

    def open(self, address: str) -> None:
        self._hear()
        self._call("/url", url=address)

    def evaluate(self, code: str, argument: Any = None) -> Any:
        call = f"const [given, end] = arguments; ({_function(code)})(given).then(end)"
        return _result(self._call("/execute/async", script=call, args=[json.dumps(argument)]))

    def _hear(self) -> None:
        script = "return window.toldToTheTests ? toldToTheTests() : { console: [], errors: [] }"
        told = self._call("/execute/sync", script=script, args=[])
        self._console += told["console"]
        self._errors += told["errors"]

    @property
    def console(self) -> list[str]:
        self._hear()
        return self._console

    @property
    def errors(self) -> list[str]:
        self._hear()
        return self._errors

    def close(self) -> None:
        self._site.first = ""
        self._call("", "DELETE")


ENGINES = {"chromium": chromium, "firefox": firefox, "webkit": webkit}
