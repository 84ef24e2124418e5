"""Jobs started, resumed, cancelled, and found after a crash."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from antema.domain import RECIPE_FIELDS, AntemaError, Recipe
from antema.jobs.locks import is_worked_on
from antema.storage import Job, Store, open_store

STALE_S = 15.0


def start(store: Store, sample_id: int, recipe: Recipe, by: str) -> Job:
    """Make an analysis of a sample and its job, queued; `run` or `spawn` does it.

    Raises
    ------
    AntemaError
        When no micrograph of the sample can be analysed, a job does this very work already, or a model of the recipe is
        not installed.
    """
    sample = store.sample(sample_id)
    _check_models(recipe)
    micrographs = store.micrographs(sample.id)
    analysable = [micrograph for micrograph in micrographs if micrograph.is_analysable]
    in_use = [micrograph for micrograph in micrographs if not micrograph.is_left_out]
    if not analysable:
        found = f"{len(in_use)} without one" if in_use else "none in use"
        msg = f"{sample.name}: expected micrographs with a pixel size, found {found}"
        raise AntemaError(msg)
    skipped = len(in_use) - len(analysable)
    return store.start_job(sample.id, recipe, by, images_total=len(analysable), images_skipped=skipped)


def _check_models(recipe: Recipe) -> None:
    from antema import nets

    chosen = [("model", "segmentation")]
    if recipe.crystallinity:
        chosen.append(("crystallinity_model", "crystallinity"))
    for name, task in chosen:
        wanted = getattr(recipe, name)
        names = [card.name for card in nets.models() if card.task == task]
        if wanted not in ("default", *names):
            label = next(field.label for field in RECIPE_FIELDS if field.name == name)
            installed = ", ".join(names) or "there is none"
            msg = f"{label}: expected one that is installed ({installed}), found {wanted[:80]!r}"
            raise AntemaError(msg)


def resume(store: Store, job_id: int, by: str) -> Job:
    """Queue a job again that broke off, so that `run` goes on where it was; failed images are tried again.

    Raises
    ------
    AntemaError
        When the job waits or works, or there is nothing left to do.
    """
    _recover(store, store.job(job_id))
    if is_worked_on(store.locks_dir, job_id):
        msg = f"Job {job_id}: expected a job that nobody works on, found that its process is still there"
        raise AntemaError(msg)
    return store.requeue_job(job_id, by)


def cancel(store: Store, job_id: int, by: str) -> Job:
    """Ask a job to stop: after its current image, at once when it waits. What is done is kept.

    Raises
    ------
    AntemaError
        When the job neither waits nor works.
    """
    job = store.request_cancel(job_id, by)
    if is_worked_on(store.locks_dir, job.id) or _is_elsewhere(job):
        return job
    return store.update_job(job.id, status="cancelled")


def recover(store: Store) -> list[Job]:
    """Mark the jobs whose process is gone as interrupted, and return them. To be called when a server starts."""
    return [job for stale in store.stale_jobs(STALE_S) if (job := _recover(store, stale)) is not None]


def spawn(job_id: int, data_dir: Path) -> subprocess.Popen[bytes]:
    """Start a process that does a queued job, and return it. It ends with the process that started it."""
    environment = {**os.environ, "ANTEMA_DATA": str(data_dir)}
    process = subprocess.Popen([sys.executable, "-m", "antema.jobs", str(job_id), str(data_dir)], env=environment)
    with closing(open_store(data_dir)) as store:
        # a process that dies before it takes the job up is known by its number
        store.note_process(job_id, process.pid)
    return process


def _recover(store: Store, job: Job) -> Job | None:
    if job.id not in {stale.id for stale in store.stale_jobs(STALE_S)}:
        return None
    # A machine that slept has old heartbeats and living jobs.
    if is_worked_on(store.locks_dir, job.id):
        return None
    return store.interrupt_job(job.id)


def _is_elsewhere(job: Job) -> bool:
    return job.host is not None and job.host != socket.gethostname()
