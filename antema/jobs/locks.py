"""Locks of the operating system: they are free the moment their process is gone, however it went."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from antema.domain import AntemaError
from antema.private import FILE_MODE


@contextmanager
def sole_worker(folder: Path, job_id: int) -> Iterator[None]:
    """Be the only process that works on a job.

    Raises
    ------
    AntemaError
        When another process does.
    """
    lock = _job_lock(folder, job_id)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        msg = f"Job {job_id}: expected a job that nobody works on, found that another process does"
        raise AntemaError(msg) from None
    try:
        yield
    finally:
        lock.release()


def is_worked_on(folder: Path, job_id: int) -> bool:
    """Return whether some process on this machine works on, or waits with, a job."""
    lock = _job_lock(folder, job_id)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def first_free(locks: Sequence[FileLock]) -> FileLock | None:
    """Return the first of the locks that is free, acquired; None while all are taken."""
    for lock in locks:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return lock
    return None


def _job_lock(folder: Path, job_id: int) -> FileLock:
    return FileLock(folder / f"job-{job_id}.lock", mode=FILE_MODE)
