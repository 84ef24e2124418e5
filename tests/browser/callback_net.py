"""A net under every control: which callbacks a user's input made run while the browser tests ran.

Each page tells what it runs (`callback_net.js`), each worker of pytest-xdist what its pages told. Once every browser
test has run, the session fails for each callback of the dashboard that none of them made run and for each control that
none of them touched. What these do is for the tests to assert; that they are used at all is asserted here. A control
that callbacks change too counts as touched when it changes after any act of a user.
"""

import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Request

_HERE = Path(__file__).parent
_SCRIPT = _HERE / "callback_net.js"
_SENT = "callback-net"

# What a user does to a control, as Dash names it; other properties are set by callbacks alone.
_USERS = ("n_clicks", "n_submit", "value", "drag_value", "clickData", "selectedRows", "getRowsRequest")

# What a layout gives once and nothing changes afterwards: what hangs on it alone runs when the page is visited.
_GIVEN = ("sample-id.data", "image-id.data", "_pages_store.data")

#: Callbacks that no user's input reaches, by their output, and the test that asserts what they do.
ASSERTED_ELSEWHERE = {
    "demo-finished.data": "tests/unit/web/test_demo.py: only a demo whose shipped results are out of date is analysed",
    "compare-samples.options": "tests/browser/test_controls.py: news of jobs, no user, make it run; a new option shows",
}


@dataclass(frozen=True)
class Callback:
    """One callback of the dashboard: what names it, and what makes it run."""

    key: str
    output: str
    inputs: tuple[str, ...]

    @classmethod
    def of(cls, dependency: Mapping[str, Any]) -> "Callback":
        """Return a callback as ``/_dash-dependencies`` lists it."""
        inputs = tuple(f"{one['id']}.{one['property']}" for one in dependency["inputs"])
        script = dependency["clientside_function"]
        key = script["function_name"] if script else dependency["output"]
        return cls(key, dependency["output"], inputs)

    @property
    def runs_at_visits_only(self) -> bool:
        """Whether only laying out its page makes it run."""
        return all(one.endswith(".id") or one in _GIVEN for one in self.inputs)

    def is_users(self, changed: Iterable[str], cause: str) -> bool:
        """Return whether a run counts: a change after a user's act, or a page that a user's act laid out."""
        if self.runs_at_visits_only:
            return cause in ("act", "visit")
        return cause == "act" and any(changed)

    @property
    def words(self) -> str:
        """The callback in a report: its inputs and its outputs."""
        return f"{', '.join(self.inputs)}  ->  {self.output}"


@dataclass(eq=False)
class CallbackNet:
    """What was there to run, what ran, and whether every browser test did; a plugin of pytest."""

    known: dict[str, Callback] = field(default_factory=dict)
    ran: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    tests: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    is_partial: bool = False

    def learn(self, url: str) -> None:
        """Take in the callbacks of a running dashboard."""
        with urllib.request.urlopen(f"{url}/_dash-dependencies", timeout=30) as answer:
            for callback in map(Callback.of, json.load(answer)):
                self.known[callback.key] = callback

    def watch(self, context: BrowserContext) -> None:
        """Take in what every page of a browser's context runs from now on."""
        context.expose_function("callbackRan", self._script_ran)
        context.add_init_script(path=_SCRIPT)
        context.on("request", self._request_sent)

    def _script_ran(self, run: dict[str, Any]) -> None:
        self.ran.append((run["name"], tuple(run["changed"]), run["cause"]))

    def _request_sent(self, request: Request) -> None:
        if "/_dash-update-component" in request.url and request.method == "POST" and request.post_data:
            body = json.loads(request.post_data)
            cause = request.headers.get("x-test-cause", "load")
            self.ran.append((body["output"], tuple(body["changedPropIds"]), cause))

    def missed(self) -> list[str]:
        """Return the callbacks that no user's input made run, and the controls that no user touched."""
        known = self.known
        used = {key for key, changed, cause in self.ran if key in known and known[key].is_users(changed, cause)}
        used |= {key for key, one in known.items() if one.output in ASSERTED_ELSEWHERE}
        callbacks = [f"never ran by a user's input: {one.words}" for key, one in known.items() if key not in used]
        touched = {_pattern(one) for _, changed, cause in self.ran if cause == "act" for one in changed}
        controls = {one for known in self.known.values() for one in known.inputs if one.rpartition(".")[2] in _USERS}
        idle = [f"never touched: {one}" for one in controls if _pattern(one) not in touched]
        outputs = {one.output for one in known.values()}
        gone = [f"asserted elsewhere, but there is none: {one}" for one in ASSERTED_ELSEWHERE if one not in outputs]
        return sorted(callbacks) + sorted(idle) + gone

    @property
    def was_asked_whole(self) -> bool:
        """Whether every test of every file of this folder was to run."""
        files = {path.name for path in _HERE.glob("test_*.py")}
        seen = {test.partition("::")[0].rpartition("/")[2] for test in self.tests}
        return bool(self.tests) and not self.is_partial and files == seen

    @property
    def is_whole(self) -> bool:
        """Whether every test also ran to its end, so that what is missed can be told."""
        return self.was_asked_whole and self.tests <= self.ended

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.tests |= {item.nodeid for item in session.items if _is_browser(item.nodeid)}
        self.is_partial |= any("::" in str(argument) for argument in session.config.args)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.is_partial |= any(_is_browser(item.nodeid) for item in items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped and _is_browser(report.nodeid):
            self.ended.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        sent = getattr(session.config, "workeroutput", None)
        if sent is not None:
            known = [[one.key, one.output, one.inputs] for one in self.known.values()]
            sent[_SENT] = json.dumps([known, sorted(set(self.ran)), sorted(self.tests), self.is_partial])
        elif self.is_whole and self.missed():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - a worker of pytest-xdist
        known, ran, tests, is_partial = json.loads(getattr(node, "workeroutput", {}).get(_SENT, "[[], [], [], true]"))
        self.known |= {key: Callback(key, output, tuple(inputs)) for key, output, inputs in known}
        self.ran += [(key, tuple(changed), cause) for key, changed, cause in ran]
        self.tests |= set(tests)
        self.is_partial |= is_partial

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - pytest's, which has no public type
        if not self.known or not self.was_asked_whole:
            return
        terminalreporter.section("callbacks and controls of the pages")
        if not self.is_whole:
            left = ", ".join(sorted(self.tests - self.ended))
            terminalreporter.line(f"not judged, since these tests did not run to their end: {left}", yellow=True)
            return
        missed = self.missed()
        terminalreporter.line(f"{len(self.known)} callbacks; the browser tests left out: {len(missed)}")
        for words in missed:
            terminalreporter.line(words, red=True)


def _pattern(changed: str) -> str:
    """Return what names a control and all of its kind: their ids differ in a number or a name under the same keys."""
    identity, _, name = changed.rpartition(".")
    if not identity.startswith("{"):
        return changed
    return json.dumps([sorted(json.loads(identity)), json.loads(identity)["type"], name])


def _is_browser(nodeid: str) -> bool:
    return "tests/browser/" in nodeid
