import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from sqlalchemy import update

import antema.imaging
import antema.nets
from antema import jobs
from antema.domain import AntemaError, NotFound, Recipe
from antema.jobs.locks import first_free, is_worked_on, sole_worker
from antema.storage import open_store, schema
from tests.strategies.stored import ThresholdSegmenter, add_micrograph


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(antema.nets, "load", lambda _: ThresholdSegmenter())
    monkeypatch.setattr(antema.nets, "device_name", lambda: "abacus")
    monkeypatch.setattr(antema.imaging, "read_safely", lambda path, *, name, **_: antema.imaging.read(path, name=name))


@pytest.fixture
def job(store, sample):
    add_micrograph(store, sample.id, 1)
    return jobs.start(store, sample.id, Recipe(), "Ann")


def wait_until(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def forget_heartbeat(store, job_id, seconds):
    old = datetime.now(UTC) - timedelta(seconds=seconds)
    with store._database.writing() as session:
        session.execute(update(schema.Job).where(schema.Job.id == job_id).values(heartbeat_at=old))


def test_a_sample_without_scale_is_not_started(store, sample):
    with pytest.raises(AntemaError, match="Au 2 nm: expected micrographs with a pixel size, found none in use"):
        jobs.start(store, sample.id, Recipe(), "Ann")
    add_micrograph(store, sample.id, 1, nm=None)
    with pytest.raises(AntemaError, match="found 1 without one"):
        jobs.start(store, sample.id, Recipe(), "Ann")
    assert store.analyses(sample.id) == []


def test_the_same_work_is_not_started_twice(store, sample, job):
    with pytest.raises(AntemaError, match=f"job {job.id} is at this very one already"):
        jobs.start(store, sample.id, Recipe(), "Bob")
    other = jobs.start(store, sample.id, Recipe(separation="none"), "Bob")
    assert other.id != job.id


def test_the_same_work_is_started_once_whoever_asks_at_the_same_time(store, sample):
    add_micrograph(store, sample.id, 1)
    together = threading.Barrier(8)
    refused = []

    def start(_):
        with closing(open_store(store.data_dir)) as own:
            together.wait()
            try:
                jobs.start(own, sample.id, Recipe(), "Ann")
            except AntemaError as error:
                refused.append(error)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert len(refused) == 7
    assert len(store.jobs()) == len(store.analyses(sample.id)) == 1


def test_a_job_that_waits_in_vain_is_cancelled_at_once(store, job):
    assert jobs.cancel(store, job.id, "Bob").status == "cancelled"
    assert jobs.run(job.id, store.data_dir).status == "cancelled"
    with pytest.raises(AntemaError, match="expected one that waits or works"):
        jobs.cancel(store, job.id, "Bob")


def test_a_job_waits_for_its_turn_alive_and_can_be_cancelled_then(store, job):
    ended = []
    with FileLock(store.locks_dir / "slot-0.lock"):
        thread = threading.Thread(target=lambda: ended.append(jobs.run(job.id, store.data_dir)))
        thread.start()
        wait_until(lambda: store.job(job.id).heartbeat_at is not None)
        first = store.job(job.id).heartbeat_at
        wait_until(lambda: store.job(job.id).heartbeat_at > first)
        assert store.job(job.id).status == "queued"
        assert jobs.recover(store) == []
        assert jobs.cancel(store, job.id, "Bob").cancel_requested
        thread.join(timeout=20)
    assert [found.status for found in ended] == ["cancelled"]


def test_a_waiting_job_works_when_the_place_is_free(store, job):
    ended = []
    lock = FileLock(store.locks_dir / "slot-0.lock")
    with lock:
        thread = threading.Thread(target=lambda: ended.append(jobs.run(job.id, store.data_dir)))
        thread.start()
        wait_until(lambda: store.job(job.id).heartbeat_at is not None)
    thread.join(timeout=30)
    assert [found.status for found in ended] == ["done"]


def test_older_jobs_go_first(store, sample, job):
    younger = jobs.start(store, sample.id, Recipe(separation="none"), "Ann")
    order = []
    with FileLock(store.locks_dir / "slot-0.lock"):
        threads = []
        for number in (younger.id, job.id):
            thread = threading.Thread(
                target=lambda number=number: order.append(jobs.run(number, store.data_dir).id), name=str(number)
            )
            thread.start()
            threads.append(thread)
            wait_until(lambda number=number: store.job(number).heartbeat_at is not None)
    for thread in threads:
        thread.join(timeout=30)
    assert order == [job.id, younger.id]


def test_there_are_as_many_places_as_were_asked_for(tmp_path):
    places = [FileLock(tmp_path / f"slot-{place}.lock") for place in range(2)]
    elsewhere = [FileLock(tmp_path / f"slot-{place}.lock") for place in range(2)]
    assert first_free(places) is places[0]
    assert first_free(elsewhere) is elsewhere[1]
    assert first_free([FileLock(tmp_path / f"slot-{place}.lock") for place in range(2)]) is None
    for lock in (places[0], elsewhere[1]):
        lock.release()
    assert first_free(places) is places[0]
    places[0].release()


def test_one_process_per_job(tmp_path):
    assert not is_worked_on(tmp_path, 3)
    with sole_worker(tmp_path, 3):
        assert is_worked_on(tmp_path, 3)
        assert not is_worked_on(tmp_path, 4)
        with pytest.raises(AntemaError, match="another process does"), sole_worker(tmp_path, 3):
            pass
    assert not is_worked_on(tmp_path, 3)


def test_a_job_without_sign_of_life_is_interrupted_and_resumed(store, job):
    store.claim_job(job.id)
    store.update_job(job.id, status="running")
    forget_heartbeat(store, job.id, 60)
    (found,) = jobs.recover(store)
    assert (found.id, found.status, found.error) == (job.id, "interrupted", "its process ended before it did")
    assert jobs.recover(store) == []
    assert jobs.resume(store, job.id, "Bob").status == "queued"
    assert jobs.run(job.id, store.data_dir).status == "done"


def test_a_machine_that_slept_keeps_its_jobs(store, job):
    store.claim_job(job.id)
    forget_heartbeat(store, job.id, 3600)
    with sole_worker(store.locks_dir, job.id):
        assert jobs.recover(store) == []
        with pytest.raises(AntemaError, match="its process is still there"):
            jobs.resume(store, job.id, "Bob")
    assert len(jobs.recover(store)) == 1


def test_resume_needs_no_recovery_before_it(store, job):
    store.claim_job(job.id)
    store.update_job(job.id, status="running")
    with pytest.raises(AntemaError, match="found one that is running"):
        jobs.resume(store, job.id, "Bob")
    forget_heartbeat(store, job.id, 60)
    assert jobs.resume(store, job.id, "Bob").status == "queued"


@pytest.mark.parametrize("action", [jobs.resume, jobs.cancel])
def test_no_job(store, action):
    with pytest.raises(NotFound, match="job"):
        action(store, 9, "Bob")
