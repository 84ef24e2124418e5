"""Jobs that one process does one after another."""

import time

import pytest

import antema.jobs.pulse
import antema.jobs.worker
import antema.nets
from antema import jobs
from antema.domain import Recipe
from antema.jobs.pulse import pulse_of_waiting
from tests.strategies.stored import ThresholdSegmenter, add_micrograph


@pytest.fixture
def queued(store):
    """Three samples of a micrograph each, and their jobs."""
    started = []
    for number in range(3):
        sample = store.create_sample(f"Au {number}", by="Ann")
        add_micrograph(store, sample.id, number)
        started.append(jobs.start(store, sample.id, Recipe(crystallinity=False), "Ann"))
    return started


@pytest.fixture
def runs(store, monkeypatch):
    """Jobs that ran, without work of theirs; what a job does at its place."""
    done, instead = [], {}

    def run(job_id, data_dir):
        assert data_dir == store.data_dir
        if job_id in instead:
            instead[job_id]()
        store.claim_job(job_id)
        done.append(job_id)
        return store.update_job(job_id, status="done")

    monkeypatch.setattr(antema.jobs.worker, "run", run)
    return done, instead


def test_all_are_done_in_their_order(store, queued, runs):
    jobs.run_all([job.id for job in queued], store.data_dir)
    assert runs[0] == [job.id for job in queued]


def test_jobs_are_really_done(store, queued, monkeypatch):
    monkeypatch.setattr(antema.nets, "load", lambda _: ThresholdSegmenter())
    monkeypatch.setattr(antema.nets, "device_name", lambda: "abacus")
    told = []
    jobs.run_all([job.id for job in queued], store.data_dir, after=told.append)
    assert [store.job(job.id) for job in queued] == told
    assert [job.status for job in told] == ["done"] * 3
    assert all(store.current_analysis(job.sample_id).id == job.analysis_id for job in queued)


def test_one_that_was_cancelled_or_taken_up_by_another_is_passed_over(store, queued, runs):
    done, _ = runs
    first, second, third = queued
    jobs.cancel(store, first.id, "Ann")
    store.claim_job(second.id)
    store.update_job(second.id, status="running")
    jobs.run_all([job.id for job in queued], store.data_dir)
    assert done == [third.id]
    assert [store.job(job.id).status for job in queued] == ["cancelled", "running", "done"]


def test_those_that_still_wait_when_the_process_is_stopped_can_go_on_later(store, queued, runs):
    done, instead = runs
    first, second, third = queued

    def stop():
        store.interrupt_job(second.id, "stopped by SIGTERM", was_told=True)
        raise SystemExit(143)

    instead[second.id] = stop
    with pytest.raises(SystemExit):
        jobs.run_all([job.id for job in queued], store.data_dir)
    assert done == [first.id]
    left = [store.job(job.id) for job in (second, third)]
    assert [job.status for job in left] == ["interrupted"] * 2
    assert left[1].error == "the process that it waited for ended"
    assert all(job.can_resume for job in left)


def test_no_further_one_is_begun_once_the_program_that_started_them_is_gone(store, queued, runs, monkeypatch):
    done, instead = runs
    first, second, third = queued
    here = antema.jobs.worker.os.getppid()
    instead[second.id] = lambda: monkeypatch.setattr(antema.jobs.worker.os, "getppid", lambda: here + 1)
    with pytest.raises(SystemExit):
        jobs.run_all([job.id for job in queued], store.data_dir)
    assert done == [first.id, second.id]
    assert store.job(third.id).status == "interrupted"


def test_one_that_waits_gives_signs_of_life_until_its_place_comes(store, queued, monkeypatch):
    monkeypatch.setattr(antema.jobs.pulse, "HEARTBEAT_S", 0.05)
    first, second, third = (job.id for job in queued)
    begun = {first}
    with pulse_of_waiting(store, [first, second, third], begun):
        deadline = time.monotonic() + 10
        while any(store.job(job_id).heartbeat_at is None for job_id in (second, third)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert store.job(first).heartbeat_at is None
    assert {job.id for job in store.stale_jobs(0.0)} >= {first}
    assert not {second, third} & {job.id for job in store.stale_jobs(15.0)}
    # in line behind what is at work, and in nobody's way
    assert [job.job_id for job in store.line()] == [second, third]
    store.claim_job(first)
    store.wait_for_turn(first)
    assert store.goes_first(first)
    store.take_turn(first)
    assert [job.job_id for job in store.line()] == [first, second, third]
