"""Dash's background callbacks, started by spawn."""

import atexit
import gc
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diskcache
from dash import DiskcacheManager
from multiprocess.process import _children

from antema.web.background import job_asked_for
from antema.web.state import store

_MAILBOX_EXPIRES_S = 3600.0
_LAST_MOMENT_S = 2.0

_starting = threading.Lock()
_started: list[Any] = []


class SpawnManager(DiskcacheManager):
    """A `DiskcacheManager` whose jobs are spawned, not forked.

    The stock manager forks; a child forked from a process with a warm JAX hangs for ever. The cache is only the mailbox
    between Dash and its jobs (the job row in the database is the truth), lies in a folder of mode 0700 because its
    values are pickles, and forgets what nobody fetched within an hour.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(stat.S_IRWXU)
        super().__init__(diskcache.Cache(str(folder)), expire=int(_MAILBOX_EXPIRES_S))
        atexit.register(_stop_all)

    def terminate_job(self, job: Any) -> None:  # noqa: ANN401 - Dash's signature
        """Leave the process alone.

        Dash would kill a job when its callback is triggered again in the same tab: a user who starts a second analysis
        would end the first. Jobs end by themselves; a user cancels one through its row in the database.
        """

    def call_job_fn(self, key: str, job_fn: Any, args: Any, context: Any) -> int:  # noqa: ANN401 - Dash's signature
        """Start `job_fn` in a spawned process and return its pid."""
        from multiprocess.context import SpawnContext

        # A result left over from a closed tab must not be taken for this one's.
        for stale in (key, self._make_progress_key(key), self._make_set_props_key(key)):
            self.handle.delete(stale)
        work = (job_fn, key, self._make_progress_key(key), args, context)
        process = SpawnContext().Process(target=_work, args=work)
        with _starting:
            # Ended ones are waited for here; nobody else does.
            _started[:] = [earlier for earlier in _started if earlier.is_alive()]
            process.start()
            _started.append(process)
            # At its exit multiprocess would wait for the process for as long as the work takes.
            _children.discard(process)
        assert process.pid is not None
        job_id = job_asked_for(args)
        if job_id is not None:
            # a process that dies before it takes its job up is known by its number
            store().note_process(job_id, process.pid)
        return process.pid


def _work(job_fn: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - Dash's
    """Do a job in the process spawned for it."""
    atexit.register(_leave_quickly)
    job_fn(*arguments)


def _leave_quickly() -> None:
    """Let the ending interpreter not search what is loaded for garbage: 0.6 s of work that frees nothing of use."""
    gc.freeze()


def _stop_all() -> None:
    """Tell the processes that this one has started to stop, and give them a moment to write down that they did.

    A process that is in compiled code then ends by itself a little later, when it misses its parent.
    """
    _leave_quickly()
    for process in _started:
        process.terminate()
    deadline = time.monotonic() + _LAST_MOMENT_S
    for process in _started:
        process.join(max(0.0, deadline - time.monotonic()))
