"""Jobs in processes of their own that are killed, stopped, orphaned and made to wait."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from antema import jobs
from antema.domain import Recipe
from tests.strategies import slow_job
from tests.strategies.stored import add_micrograph

PATIENCE_S = 90.0


@pytest.fixture
def sample(store, sample):
    for seed in range(4):
        add_micrograph(store, sample.id, seed)
    return sample


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.touch()
    return path


@pytest.fixture
def work(store, log):
    """Start a process that does a job; it is gone when the test is over."""
    started: list[subprocess.Popen[bytes]] = []

    def start(job_id: int, delay_s: float = 0.0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command(job_id, store.data_dir, log, delay_s), env=environment())
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def command(job_id: int, data: Path, log: Path, delay_s: float) -> list[str]:
    return [sys.executable, slow_job.__file__, str(job_id), str(data), str(log), str(delay_s)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(slow_job.__file__).parents[2])}


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def lines(log: Path, kind: str) -> list[str]:
    return [line.split()[1] for line in log.read_text().splitlines() if line.startswith(kind)]


def test_a_killed_job_goes_on_where_it_was(store, sample, log, work):
    micrographs = store.micrographs(sample.id)
    # The file breaks on disk after it was taken in: only this image may fail.
    broken = micrographs[1]
    store.blob_path(broken.sha256).write_bytes(b"II*\0 and no more")
    job = jobs.start(store, sample.id, Recipe(), "Ann")

    process = work(job.id, delay_s=3600)
    wait_until(lambda: len(lines(log, "begin")) == 1)
    process.kill()
    process.wait()
    assert lines(log, "end") == []

    assert store.job(job.id).status == "running", "the row cannot know yet"
    (found,) = jobs.recover(store)
    assert (found.id, found.status) == (job.id, "interrupted")
    jobs.resume(store, job.id, "Bob")

    process = work(job.id, delay_s=0.6)
    wait_until(lambda: store.job(job.id).images_done == 3)
    process.kill()
    process.wait()
    jobs.recover(store)
    assert store.job(job.id).status == "interrupted"
    assert len(store.particles(job.analysis_id)) == 6, "what was done is there"

    jobs.resume(store, job.id, "Bob")
    assert work(job.id).wait(PATIENCE_S) == 0
    done = store.job(job.id)
    assert (done.status, done.images_done, done.images_failed, done.particles) == ("done", 4, 1, 9)
    assert done.device == "slow"
    results = {result.micrograph_id: result for result in store.image_results(job.analysis_id)}
    assert results[broken.id].status == "failed"
    assert broken.filename in results[broken.id].error
    assert sum(result.status == "done" for result in results.values()) == 3
    assert max(Counter(lines(log, "end")).values()) == 1, "no image was computed twice"
    assert len(lines(log, "end")) == 3
    assert store.current_analysis(sample.id).id == job.analysis_id
    assert [edit.what for edit in store.edits(target="job")] == ["resume job", "resume job", "start job"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_job_says_so_at_once(store, sample, log, work, number):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    process = work(job.id, delay_s=3600)
    wait_until(lambda: len(lines(log, "begin")) == 1)
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == 128 + number
    found = store.job(job.id)
    assert (found.status, found.error) == ("interrupted", f"stopped by {number.name}")
    jobs.resume(store, job.id, "Ann")
    first = store.micrographs(sample.id)[0]
    assert store.begin_image(job.analysis_id, first.id) == 1, "the image is not to blame"


@pytest.mark.parametrize("delay_s", [3600, -1], ids=["waiting", "stuck in compiled code"])
def test_a_job_ends_with_the_program_that_started_it(store, sample, log, delay_s):
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    starter = f"import subprocess; subprocess.Popen({command(job.id, store.data_dir, log, delay_s)!r}).wait()"
    parent = subprocess.Popen([sys.executable, "-c", starter], env=environment())
    wait_until(lambda: len(lines(log, "begin")) == 1)
    worker = psutil.Process(store.job(job.id).pid)
    assert worker.ppid() == parent.pid
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(worker))
    found = store.job(job.id)
    assert (found.status, found.error) == ("interrupted", "the program that started it ended")


def test_jobs_work_one_after_the_other(store, sample, log, work):
    recipes = [Recipe(), Recipe(separation="none")]
    made = [jobs.start(store, sample.id, recipe, "Ann") for recipe in recipes]
    processes = [work(job.id, delay_s=0.2) for job in made]
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0]
    assert [store.job(job.id).status for job in made] == ["done", "done"]
    times = [line.split() for line in log.read_text().splitlines()]
    assert [kind for kind, *_ in times] == ["begin", "end"] * 8, "no image began while another was at work"
    first, second = (store.job(job.id) for job in made)
    assert first.finished_at <= second.started_at or second.finished_at <= first.started_at


def test_a_job_as_a_program(store, sample):
    # a model that was taken away since
    analysis = store.create_analysis(sample.id, Recipe(model="no-such-model"), "Ann")
    job = store.create_job(analysis.id, "Ann", images_total=1)
    assert jobs.spawn(job.id, store.data_dir).wait(PATIENCE_S) == 1
    found = store.job(job.id)
    assert found.status == "failed"
    assert "no-such-model" in found.error
    again = subprocess.run(
        [sys.executable, "-m", "antema.jobs", str(job.id), str(store.data_dir)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (again.returncode, again.stderr) == (
        1,
        f"Job {job.id}: expected a queued job, found one that is failed\n",
    )
