import os
import threading

import pytest

from antema.jobs import pulse
from antema.jobs.pulse import Stop


class BrokenStore:
    """A store whose database is gone."""

    def heartbeat(self, job_id: int) -> None:
        raise OSError("disk is gone")

    def interrupt_job(self, job_id: int, reason: str, *, was_told: bool) -> None:
        raise OSError("disk is gone")


@pytest.fixture
def exit_codes(monkeypatch):
    """The codes that the process would have ended with, and an event at the first."""
    codes, ended = [], threading.Event()

    def end(code):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(pulse, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(pulse, "_GRACE_S", 0.05)
    return codes, ended


def test_a_process_that_should_stop_ends_though_its_row_cannot_be_written(exit_codes, caplog):
    codes, ended = exit_codes
    stop = Stop()
    with pulse.pulse(BrokenStore(), 7, stop):
        stop._set("stopped by SIGTERM", exit_code=143)
        assert ended.wait(10)
    assert codes[0] == 143
    assert "job 7: its end could not be written down (stopped by SIGTERM)" in caplog.text


def test_a_heartbeat_that_fails_is_logged_and_tried_again(exit_codes, caplog):
    codes, ended = exit_codes
    with pulse.pulse(BrokenStore(), 7, Stop()):
        assert not ended.wait(0.3)
    assert not codes
    assert caplog.text.count("job 7: no heartbeat could be written") > 1
