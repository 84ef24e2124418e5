"""Locks of the operating system: they are free the moment their process is gone, however it went."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from antema.domain import AntemaError
from antema.private import FILE_MODE

_POLL_S = 0.3


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


@contextmanager
def slot(folder: Path, slots: int, may_try: Callable[[], bool]) -> Iterator[None]:
    """Hold one of the places for working jobs; wait while all are taken.

    Parameters
    ----------
    folder : Path
        Folder of the lock files.
    slots : int
        How many places there are.
    may_try : callable
        Asked again and again while waiting; it may raise to give up, and answers whether it is this job's turn.
    """
    locks = [FileLock(folder / f"slot-{place}.lock", mode=FILE_MODE) for place in range(slots)]
    while not (may_try() and (held := _first_free(locks))):
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        held.release()


def _first_free(locks: list[FileLock]) -> FileLock | None:
    for lock in locks:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return lock
    return None


def _job_lock(folder: Path, job_id: int) -> FileLock:
    return FileLock(folder / f"job-{job_id}.lock", mode=FILE_MODE)
