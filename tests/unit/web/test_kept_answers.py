"""Answers are given again only while they are true."""

import json

import flask
import pytest

from antema.web import kept_answers
from antema.web.app import create_app
from antema.web.kept_answers import KeptAnswers, _first_output, keep_answers


def test_an_answer_holds_for_one_version():
    kept = KeptAnswers()
    kept.put("a", 1, b"one")
    assert kept.get("a", 1) == b"one"
    assert kept.get("a", 2) is None
    assert kept.get("b", 1) is None
    kept.put("a", 2, b"two")
    assert (kept.get("a", 1), kept.get("a", 2)) == (None, b"two")


def test_what_was_asked_for_longest_ago_makes_room():
    kept = KeptAnswers(most_bytes=10)
    for name in "abc":
        kept.put(name, 1, b"xxxx")
        kept.get("a", 1)
    assert [kept.get(name, 1) for name in "abc"] == [b"xxxx", None, b"xxxx"]


def test_what_may_be_kept_are_first_outputs_of_callbacks(web_store):
    answer = create_app().server.test_client().get("/_dash-dependencies", headers={"Host": "127.0.0.1"})
    outputs = {one["output"] for one in answer.json if not one["clientside_function"]}
    assert {_first_output(json.dumps({"output": output}).encode()) for output in outputs} >= kept_answers.READING


class Asked:
    """An app of two callbacks that count how often they are asked."""

    def __init__(self):
        self.calls, self.fails = [], False
        server = flask.Flask("asked")

        @server.post("/_dash-update-component")
        def _answer():
            self.calls.append(json.loads(flask.request.get_data())["output"])
            said = {"sideUpdate": {"message": "failed"}} if self.fails else {}
            return flask.jsonify(n=len(self.calls), **said)

        app = type("App", (), {"server": server})
        keep_answers(app)
        self.client = server.test_client()

    def ask(self, output, **more):
        return self.client.post("/_dash-update-component", json={"output": output, **more}).json["n"]


@pytest.fixture
def asked(web_store):
    return Asked()


def test_who_reads_is_answered_from_memory_until_somebody_writes(asked, web_store):
    assert [asked.ask("sample-statistics.children") for _ in range(3)] == [1, 1, 1]
    assert asked.ask("sample-statistics.children", inputs=[2]) == 2
    assert asked.ask("..sample-headline.children...sample-left-out.children..") == 3
    assert asked.ask("..sample-headline.children...sample-left-out.children..") == 3
    web_store.create_sample("another", by="Ann")
    assert asked.ask("sample-statistics.children") == 4


def test_a_failure_is_tried_again(asked):
    asked.fails = True
    assert [asked.ask("sample-statistics.children") for _ in range(2)] == [1, 2]


def test_who_writes_is_always_heard(asked):
    found = [asked.ask(output) for output in ["sample-changed.data@abc", "..sample-kept.data...message.data.."] * 2]
    assert found == [1, 2, 3, 4]


def test_without_memory_everybody_is_computed_for(asked, monkeypatch):
    monkeypatch.setattr(kept_answers, "memory", lambda: type("None", (), {"remembers": False}))
    assert [asked.ask("sample-statistics.children") for _ in range(2)] == [1, 2]
