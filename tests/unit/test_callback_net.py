"""The net under the browser tests catches what it is meant to catch."""

import json
from types import SimpleNamespace

import pytest

from tests.browser import callback_net
from tests.browser.callback_net import _HERE, Callback, CallbackNet

SAVE = Callback("save", "note.children", ("button.n_clicks",))
DETAILS = Callback("details", "details.children", ("sample-id.data", "changed.data"))
TICK = Callback("tick", "action.disabled", ('{"row":["ALL"],"type":"tick"}.value',))
VISIT = Callback("visit", "cards.children", ("cards.id",))


@pytest.fixture(autouse=True)
def _none_asserted_elsewhere(monkeypatch):
    monkeypatch.setattr(callback_net, "ASSERTED_ELSEWHERE", {})


def net(*ran, tests=()):
    made = CallbackNet(ran=list(ran), tests=set(tests), ended=set(tests))
    made.known = {one.key: one for one in (SAVE, DETAILS, TICK, VISIT)}
    return made


def everything():
    return [
        ("save", ("button.n_clicks",), "act"),
        ("details", ("changed.data",), "act"),
        ("tick", ('{"row":7,"type":"tick"}.value',), "act"),
        ("visit", (), "visit"),
    ]


def test_what_a_user_made_run_is_not_missed():
    assert net(*everything()).missed() == []


@pytest.mark.parametrize("cause", ["load", "visit"])
def test_what_ran_while_a_page_was_loaded_does_not_count(cause):
    (words,) = net(*[r for r in everything() if r[0] != "details"], ("details", ("changed.data",), cause)).missed()
    assert words.startswith("never ran by a user's input: sample-id.data, changed.data")


def test_the_first_call_counts_nowhere_but_for_what_only_a_visit_makes_run():
    left = net(*[r for r in everything() if r[0] != "details"], ("details", (), "act")).missed()
    assert len(left) == 1
    assert len(net(*[r for r in everything() if r[0] != "visit"], ("visit", (), "load")).missed()) == 1


def test_a_control_that_nobody_touched_is_named_though_its_callback_ran():
    ran = [r for r in everything() if r[0] != "tick"]
    (words,) = net(*ran, ("tick", ("other.data",), "act")).missed()
    assert words == 'never touched: {"row":["ALL"],"type":"tick"}.value'


def browser_tests():
    return [f"tests/browser/{path.name}::test_x" for path in _HERE.glob("test_*.py")]


def test_only_the_whole_suite_is_judged_and_a_gap_fails_it():
    session = SimpleNamespace(config=SimpleNamespace(), exitstatus=pytest.ExitCode.OK)
    whole = net(*everything(), tests=browser_tests())
    assert whole.is_whole
    whole.pytest_sessionfinish(session)
    assert session.exitstatus == pytest.ExitCode.OK

    gap = net(*everything()[1:], tests=browser_tests())
    partial = net(*everything()[1:], tests=browser_tests()[1:])
    unfinished = net(*everything()[1:], tests=browser_tests())
    unfinished.ended.pop()
    for one in (partial, unfinished):
        one.pytest_sessionfinish(session)
        assert session.exitstatus == pytest.ExitCode.OK
    gap.pytest_sessionfinish(session)
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_a_callback_that_is_asserted_elsewhere_is_not_missed_and_must_be_there(monkeypatch):
    monkeypatch.setattr(callback_net, "ASSERTED_ELSEWHERE", {SAVE.output: "where", "gone.data": "nowhere"})
    ran = [("tick", ("button.n_clicks",), "act"), *everything()[1:]]
    assert net(*ran).missed() == ["asserted elsewhere, but there is none: gone.data"]


def test_a_whole_run_that_cannot_be_judged_says_why():
    told = []
    report = SimpleNamespace(section=told.append, line=lambda text, **_: told.append(text))
    unfinished = net(*everything(), tests=browser_tests())
    left = unfinished.ended.pop()
    unfinished.pytest_terminal_summary(report)
    assert told[1] == f"not judged, since these tests did not run to their end: {left}"


def test_what_parallel_workers_saw_is_put_together():
    halves = everything()[:2], everything()[2:]
    together = CallbackNet(ended=set(browser_tests()))
    for ran in halves:
        output = {}
        worker = SimpleNamespace(config=SimpleNamespace(workeroutput=output), exitstatus=pytest.ExitCode.OK)
        net(*ran, tests=browser_tests()).pytest_sessionfinish(worker)
        assert json.loads(output["callback-net"])
        together.pytest_testnodedown(SimpleNamespace(workeroutput=output))
    assert together.is_whole
    assert together.missed() == []
    # a worker that died tells nothing, and nothing is judged
    together.pytest_testnodedown(SimpleNamespace())
    assert not together.is_whole
