"""Reports and archives: made once for a result and a view, two at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import pytest

from antema.domain import View
from antema.results import memory
from antema.web import made_files
from antema.web.made_files import made_once, state_of
from tests.strategies.stored import add_micrograph


@pytest.fixture
def app(web_store):
    return flask.Flask("test")


def answer(app, state: str, build):
    with app.test_request_context("/"):
        response = made_once(state, build, "x.pdf", "application/pdf")
    response.direct_passthrough = False  # so that a test can read it
    return response


def test_a_file_is_made_once_however_many_ask(app):
    made = []
    started = threading.Event()

    def build() -> bytes:
        made.append(1)
        started.wait(0.3)
        return b"report"

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: answer(app, "same", build), range(3)))
    assert [a.status_code for a in answers] == [200] * 3
    assert {a.get_data() for a in answers} == {b"report"}
    assert len(made) == 1
    assert answer(app, "same", build).get_data() == b"report"
    assert len(made) == 1
    assert answer(app, "other", lambda: b"another").get_data() == b"another"


def test_two_are_made_at_a_time_and_others_told_to_ask_again(app, monkeypatch):
    monkeypatch.setattr(made_files, "_LONGEST_WAIT_S", 0.2)
    goes_on, at_work = threading.Event(), threading.Semaphore(0)

    def build() -> bytes:
        at_work.release()
        assert goes_on.wait(30)
        return b"slow"

    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(answer, app, name, build) for name in ("a", "b")]
        assert at_work.acquire(timeout=30)
        assert at_work.acquire(timeout=30)
        refused = answer(app, "c", lambda: b"fast")
        goes_on.set()
        assert [future.result().status_code for future in slow] == [200, 200]
    assert refused.status_code == 503
    assert (refused.headers["Retry-After"], refused.headers["Refresh"]) == ("5", "5")
    assert "2 reports or archives at a time" in refused.get_data(as_text=True)
    assert answer(app, "c", lambda: b"fast").get_data() == b"fast", "its turn has come"


def test_one_that_fails_is_tried_again(app):
    def fail() -> bytes:
        msg = "no paper"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError):
        answer(app, "a", fail)
    assert answer(app, "a", lambda: b"made").get_data() == b"made"


def test_those_not_asked_for_for_longest_go(app, web_store, monkeypatch):
    monkeypatch.setattr(made_files, "KEPT_BYTES", 25)
    for number in range(5):
        answer(app, str(number), lambda: b"0123456789")
    assert len(list((web_store.data_dir / "made").iterdir())) == 2


def test_the_state_of_a_result_changes_with_all_that_its_report_shows(make_sample, web_store):
    sample = make_sample("Au", 4.0, 2)
    analysis = sample.current_analysis_id
    seen = [state_of(analysis)]
    assert state_of(analysis) == seen[0]
    (first, second) = web_store.micrographs(sample.id)
    changes = (
        lambda: web_store.update_sample(sample.id, notes="washed twice", by="Ann"),
        lambda: web_store.exclude_particle(analysis, first.id, 1, "two in one", by="Ann"),
        lambda: web_store.restore_particle(analysis, first.id, 1, by="Ann"),
        lambda: web_store.leave_out(second.id, "blurred", by="Ann"),
        lambda: web_store.set_pixel_size([first.id], 3.3, by="Ann"),
        lambda: web_store.set_view(analysis, View(weighting="volume"), by="Ann"),
        lambda: add_micrograph(web_store, sample.id, 9),
        lambda: web_store.move_micrograph(second.id, web_store.create_sample("Ag", by="Ann").id, by="Ann"),
    )
    for change in changes:
        change()
        seen.append(state_of(analysis))
    assert len(set(seen)) == len(seen)


def test_what_changes_elsewhere_leaves_the_state_of_a_result(make_sample, web_store):
    sample, other = make_sample("Au", 4.0, 1), make_sample("Ag", 5.0, 1)
    before = state_of(sample.current_analysis_id)
    (micrograph,) = web_store.micrographs(other.id)
    web_store.exclude_particle(other.current_analysis_id, micrograph.id, 1, "two in one", by="Ann")
    assert state_of(sample.current_analysis_id) == before


def test_another_state_of_the_program_makes_its_own(app, monkeypatch):
    assert answer(app, "same", lambda: b"before").get_data() == b"before"
    monkeypatch.setattr(memory, "_program", lambda: "later")
    assert answer(app, "same", lambda: b"after").get_data() == b"after"
