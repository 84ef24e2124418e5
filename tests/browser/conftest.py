"""A dashboard of its own for the browser tests, and a browser to drive it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, expect

from tests.browser.callback_net import CallbackNet

ROOT = Path(__file__).parents[2]

# What a page needs five seconds for on a machine that does nothing else takes longer beside other work: in the full run
# two browsers and an analysis share two cores, and a page was once still empty after 10 s.
_PATIENCE_MS = 1000 * int(os.environ.get("ANTEMA_TEST_PATIENCE_S", "60"))
_STARTS_WITHIN_S = max(90, _PATIENCE_MS // 1000)
expect.set_options(timeout=_PATIENCE_MS)


@dataclass
class Dashboard:
    """A running server with its own data folder; `stop` and `start` it as often as a test needs."""

    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = os.environ | {
            "ANTEMA_DATA": str(self.data),
            "ANTEMA_PORT": str(self.port),
            "ANTEMA_DEVICE": "cpu",
            "PYTHONUNBUFFERED": "1",
        }
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    pytest.fail(f"the dashboard did not start: {(self.data.parent / 'server.log').read_text()[-3000:]}")
                time.sleep(0.3)

    def kill(self) -> None:
        """End the server and its jobs the hard way."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Problems:
    """What went wrong in the pages of a test: requests that failed, errors that the console told."""

    told: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Take in what goes wrong in every page of a browser's context from now on."""
        context.on("response", self._answered)
        context.on("requestfailed", self._failed)
        context.on("weberror", lambda error: self.told.append(f"script: {error.error}"))
        context.on("console", self._said)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400:
            self.told.append(f"{answer.status} {answer.request.method} {answer.url}")

    def _failed(self, request: Request) -> None:
        # a page that is left, or a download that begins, ends what was under way
        if "ERR_ABORTED" not in (request.failure or ""):
            self.told.append(f"{request.failure} {request.method} {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # the status of an answer, which the console repeats without saying of what, is told above
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.told.append(f"console: {message.text}")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, callback_net: CallbackNet) -> Iterator[Dashboard]:
    running = Dashboard(tmp_path_factory.mktemp("dashboard") / "data", _free_port())
    running.start()
    callback_net.learn(running.url)
    yield running
    running.kill()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    chosen = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, **chosen, "args": quiet}


@pytest.fixture(scope="session")
def callback_net(pytestconfig: pytest.Config) -> CallbackNet:
    """What the pages tell of the callbacks that they run."""
    net = pytestconfig.pluginmanager.get_plugin(CallbackNet.__name__)
    assert isinstance(net, CallbackNet)
    return net


@pytest.fixture(autouse=True)
def problems(context: BrowserContext, callback_net: CallbackNet, request: pytest.FixtureRequest) -> Iterator[Problems]:
    """Fail a test in whose pages a request failed or something was said as an error.

    A test about such a thing says so: ``@pytest.mark.expects_errors(pattern, ...)``, by how what is told begins.
    """
    context.set_default_timeout(_PATIENCE_MS)
    expected = [re.compile(text) for mark in request.node.iter_markers("expects_errors") for text in mark.args]
    found = Problems()
    found.watch(context)
    callback_net.watch(context)
    yield found
    # what a page has told already arrives with the answer to anything asked of it
    for page in context.pages:
        page.evaluate("null")
    assert not [one for one in found.told if not any(pattern.match(one) for pattern in expected)]


@pytest.fixture
def second_person(
    new_context: Callable[..., BrowserContext], problems: Problems, callback_net: CallbackNet
) -> BrowserContext:
    """A browser of somebody else: cookies of its own, watched as the first one is."""
    other = new_context()
    other.set_default_timeout(_PATIENCE_MS)
    problems.watch(other)
    callback_net.watch(other)
    return other
