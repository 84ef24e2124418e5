import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from antema.domain import AntemaError, NotFound, Recipe
from antema.storage import schema


@pytest.fixture
def job(store, sample):
    analysis = store.create_analysis(sample.id, Recipe(), "Ann")
    return store.create_job(analysis.id, "Ann", images_total=4)


def age(store, job_id, **columns):
    """Set the times of a job back by so many seconds, and other columns to their values."""
    values = {
        name: datetime.now(UTC) - timedelta(seconds=value) if name.endswith("_at") else value
        for name, value in columns.items()
    }
    with store._database.writing() as session:
        session.execute(update(schema.Job).where(schema.Job.id == job_id).values(**values))


def test_a_job_begins_queued(store, sample, job):
    assert store.job(job.id) == job
    assert (job.status, job.sample_id, job.sample_name, job.images_total) == ("queued", sample.id, "Au 2 nm", 4)
    assert (job.is_active, job.can_resume, job.eta_s) == (True, False, None)


def test_progress_and_the_time_left(store, job):
    found = store.update_job(job.id, status="running", images_done=1, seconds_per_image=2.5, current_image="b.tif")
    assert (found.eta_s, found.current_image) == (7.5, "b.tif")
    assert found.started_at is not None
    assert found.heartbeat_at is not None


def test_a_done_job_makes_its_analysis_the_shown_one(store, sample, job):
    store.update_job(job.id, status="running")
    assert store.current_analysis(sample.id) is None
    done = store.update_job(job.id, status="done")
    assert (done.is_active, done.eta_s) == (False, None)
    shown = store.current_analysis(sample.id)
    assert (shown.id, shown.status, shown.finished_at) == (job.analysis_id, "done", done.finished_at)
    assert store.samples()[0].last_analysed == done.finished_at


@pytest.mark.parametrize("status", ["failed", "cancelled", "interrupted"])
def test_other_ends_leave_the_shown_analysis(store, sample, job, status):
    store.update_job(job.id, status=status)
    assert store.current_analysis(sample.id) is None
    assert store.analysis(job.analysis_id).status == status
    assert store.job(job.id).can_resume


def test_only_a_queued_job_is_claimed(store, job):
    assert store.claim_job(job.id).pid is not None
    store.update_job(job.id, status="done")
    with pytest.raises(AntemaError, match="expected a queued job, found one that is done"):
        store.claim_job(job.id)


def test_requeued(store, job):
    with pytest.raises(AntemaError, match="found one that is queued"):
        store.requeue_job(job.id, "Bob")
    store.claim_job(job.id)
    store.request_cancel(job.id, "Bob")
    store.update_job(job.id, status="cancelled")
    again = store.requeue_job(job.id, "Bob")
    assert (again.status, again.cancel_requested, again.pid, again.heartbeat_at) == ("queued", False, None, None)
    assert store.analysis(job.analysis_id).status == "queued"
    store.update_job(job.id, status="done")
    with pytest.raises(AntemaError, match="done without a failure"):
        store.requeue_job(job.id, "Bob")
    store.update_job(job.id, images_failed=1)
    assert store.requeue_job(job.id, "Bob").status == "queued"


def test_the_time_a_job_lay_broken_off_is_no_working_time(store, job):
    store.claim_job(job.id)
    store.update_job(job.id, status="running")
    store.interrupt_job(job.id)
    age(store, job.id, started_at=5000, finished_at=4000)
    assert store.requeue_job(job.id, "Bob").started_at is None
    store.claim_job(job.id)
    store.update_job(job.id, status="running")
    done = store.update_job(job.id, status="done")
    assert (done.finished_at - done.started_at).total_seconds() < 60


def test_an_analysis_comes_with_its_job_or_not_at_all(store, job):
    analysis = store.analysis(job.analysis_id)
    counts = {"images_total": 1, "images_skipped": 0}
    with pytest.raises(AntemaError, match=f"job {job.id} is at this very one already"):
        store.start_job(analysis.sample_id, analysis.recipe, "Bob", **counts)
    assert len(store.analyses(analysis.sample_id)) == 1
    store.update_job(job.id, status="done")
    assert store.start_job(analysis.sample_id, analysis.recipe, "Bob", **counts).id != job.id


@pytest.mark.parametrize("identity", [2**63, -(2**63), 10**30, str(2**63), "9" * 30])
def test_a_number_that_no_row_can_have_is_not_found(store, identity):
    for ask in (store.job, store.sample, store.micrograph, store.analysis):
        with pytest.raises(NotFound):
            ask(identity)


def test_an_ended_job_is_not_cancelled(store, job):
    store.update_job(job.id, status="done")
    with pytest.raises(AntemaError, match="expected one that waits or works"):
        store.request_cancel(job.id, "Bob")


def test_jobs_are_listed_newest_first(store, job):
    second = store.create_job(job.analysis_id, "Ann")
    store.update_job(job.id, status="done")
    assert [row.id for row in store.jobs()] == [second.id, job.id]
    assert [row.id for row in store.jobs(limit=1)] == [second.id]
    assert [row.id for row in store.jobs(active=True)] == [second.id]
    assert store.jobs(analysis_id=99) == []


def test_a_living_job_is_not_stale(store, job):
    assert store.stale_jobs() == [], "just queued: its process may be starting"
    store.claim_job(job.id)
    assert store.stale_jobs() == []


def test_an_old_heartbeat_is_stale_until_the_next(store, job):
    store.claim_job(job.id)
    age(store, job.id, heartbeat_at=20)
    assert [row.id for row in store.stale_jobs(15)] == [job.id]
    assert store.stale_jobs(30) == []
    store.heartbeat(job.id)
    assert store.stale_jobs(15) == []


def test_a_job_whose_process_dies_before_it_begins_is_stale_at_once(store, job):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store.note_process(job.id, gone.pid)
    assert [row.id for row in store.stale_jobs(15)] == [job.id]


def test_a_job_whose_process_is_slow_to_begin_has_two_minutes(store, job):
    store.note_process(job.id, os.getpid())
    age(store, job.id, queued_at=60)
    assert store.stale_jobs(15) == []
    age(store, job.id, queued_at=600)
    assert [row.id for row in store.stale_jobs(15)] == [job.id]


def test_a_process_is_noted_only_of_a_job_that_has_none(store, job):
    store.claim_job(job.id)
    store.note_process(job.id, 1)
    assert store.job(job.id).pid == os.getpid()
    store.note_process(999, 1)


def test_a_job_that_no_process_was_started_for_is_stale_after_15_s(store, job):
    age(store, job.id, queued_at=14)
    assert store.stale_jobs(15) == []
    age(store, job.id, queued_at=16)
    assert [row.id for row in store.stale_jobs(15)] == [job.id]
    assert store.interrupt_job(job.id).status == "interrupted"
    assert store.stale_jobs(15) == []


def test_a_job_whose_process_is_gone_is_stale_at_once(store, job):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store.claim_job(job.id)
    age(store, job.id, pid=gone.pid)
    assert [row.id for row in store.stale_jobs()] == [job.id]
    age(store, job.id, host="another machine")
    assert store.stale_jobs() == [], "the process of another machine cannot be seen from here"


def test_an_unreaped_process_is_gone_too(store, job):
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    zombie.stdout.read()
    zombie.stdout.close()
    store.claim_job(job.id)
    age(store, job.id, pid=zombie.pid)
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while not store.stale_jobs() and datetime.now(UTC) < deadline:
        pass
    assert [row.id for row in store.stale_jobs()] == [job.id]
    zombie.wait()


def test_an_ended_job_is_not_interrupted(store, job):
    store.update_job(job.id, status="done")
    assert store.interrupt_job(job.id) is None
    assert store.job(job.id).status == "done"


def test_unknown_columns_and_states_are_mistakes_of_the_caller(store, job):
    with pytest.raises(TypeError, match="colour"):
        store.update_job(job.id, colour="red")
    with pytest.raises(ValueError, match="asleep"):
        store.update_job(job.id, status="asleep")
    assert store.job(job.id).status == "queued"


def test_no_job(store):
    with pytest.raises(NotFound, match="job"):
        store.job(3)
