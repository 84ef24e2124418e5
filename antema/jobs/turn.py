"""The turn of a job: the right to compute one image, taken and passed on from image to image."""

import time
from collections.abc import Callable

from filelock import FileLock

from antema.jobs.locks import first_free
from antema.private import FILE_MODE
from antema.storage import Store

_POLL_S = 0.2


class Turn:
    """A job's place among those that work. It keeps its place from image to image while no other job goes before it.

    Parameters
    ----------
    store : Store
        Where the jobs in line are written down.
    job_id : int
        Whose turn.
    slots : int
        How many jobs may work at the same time.
    check : callable
        Called again and again while waiting; it may raise to give up.
    """

    def __init__(self, store: Store, job_id: int, slots: int, check: Callable[[], None]) -> None:
        self._store = store
        self._job_id = job_id
        self._check = check
        self._places = [FileLock(store.locks_dir / f"slot-{place}.lock", mode=FILE_MODE) for place in range(slots)]
        self._held: FileLock | None = None

    def take(self) -> None:
        """Wait until it is this job's turn; at once while it is."""
        if self._held is None or not self._store.goes_first(self._job_id):
            # In line before the place is given up: a younger job of the same person must not slip in.
            self._store.wait_for_turn(self._job_id)
            self.give_up()
            self._wait()
        self._store.take_turn(self._job_id)

    def give_up(self) -> None:
        """Leave the place to another job."""
        if self._held is not None:
            self._held.release()
            self._held = None

    def _wait(self) -> None:
        while True:
            self._check()
            if self._store.goes_first(self._job_id):
                self._held = first_free(self._places)
                if self._held is not None:
                    return
            time.sleep(_POLL_S)
