"""Dash's background callbacks, started by spawn."""

import atexit
import gc
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import diskcache
from dash import DiskcacheManager
from multiprocess.process import _children

from antema.domain import AntemaError
from antema.logs import start_logging
from antema.private import private_file, private_folder
from antema.web.background import jobs_asked_for
from antema.web.state import store

_MAILBOX_EXPIRES_S = 3600.0
# all values lie in the database, none in a file of its own, whose mode diskcache leaves to the umask
_NEVER_A_FILE_BYTES = 1 << 40
_LAST_MOMENT_S = 2.0

# A request may overtake the end of the process before; more than that is no user.
_MOST_FOR_ONE = 2

Check = Callable[..., Hashable]

_starting = threading.Lock()
_started: list[tuple[Any, Hashable]] = []


class SpawnManager(DiskcacheManager):
    """A `DiskcacheManager` whose jobs are spawned, not forked.

    The stock manager forks; a child forked from a process with a warm JAX hangs for ever. The cache is only the mailbox
    between Dash and its jobs (the job row in the database is the truth), lies in a folder of mode 0700 because its
    values are pickles, and forgets what nobody fetched within an hour.

    Parameters
    ----------
    folder : Path
        Folder of the mailbox; its parent is the data folder.
    checks : mapping, optional
        For a background function what looks at its arguments before a process is started for them, raises where none
        should be (anybody may write a request by hand), and says what the process works on.
    """

    def __init__(self, folder: Path, checks: Mapping[Callable[..., Any], Check] | None = None) -> None:
        private_folder(folder.parent)
        private_file(private_folder(folder) / "cache.db")
        self._checks = dict(checks or {})
        self._check_of: dict[int, Check] = {}
        mailbox = diskcache.Cache(str(folder), disk_min_file_size=_NEVER_A_FILE_BYTES)
        super().__init__(mailbox, expire=int(_MAILBOX_EXPIRES_S))
        atexit.register(_stop_all)

    def make_job_fn(self, fn: Any, progress: Any, key: str | None = None) -> Any:  # noqa: ANN401 - Dash's signature
        """Make the function that a process runs, and remember what checks its arguments."""
        job_fn = super().make_job_fn(fn, progress, key)
        if fn in self._checks:
            self._check_of[id(job_fn)] = self._checks[fn]
        return job_fn

    def terminate_job(self, job: Any) -> None:  # noqa: ANN401 - Dash's signature
        """Leave the process alone.

        Dash would kill a job when its callback is triggered again in the same tab: a user who starts a second analysis
        would end the first. Jobs end by themselves; a user cancels one through its row in the database.
        """

    def call_job_fn(self, key: str, job_fn: Any, args: Any, context: Any) -> int:  # noqa: ANN401 - Dash's signature
        """Start `job_fn` in a spawned process and return its pid."""
        from multiprocess.context import SpawnContext

        check = self._check_of.get(id(job_fn))
        subject = None if check is None else check(*args)
        # A result left over from a closed tab must not be taken for this one's.
        for stale in (key, self._make_progress_key(key), self._make_set_props_key(key)):
            self.handle.delete(stale)
        work = (job_fn, key, self._make_progress_key(key), args, context)
        process = SpawnContext().Process(target=_work, args=work)
        with _starting:
            # Ended ones are waited for here; nobody else does.
            _started[:] = [earlier for earlier in _started if earlier[0].is_alive()]
            if subject is not None and [known for _, known in _started].count(subject) >= _MOST_FOR_ONE:
                msg = "This has been asked for already and is being started."
                raise AntemaError(msg)
            process.start()
            _started.append((process, subject))
            # At its exit multiprocess would wait for the process for as long as the work takes.
            _children.discard(process)
        assert process.pid is not None
        for job_id in jobs_asked_for(args):
            # a process that dies before it takes its jobs up is known by its number
            store().note_process(job_id, process.pid)
        return process.pid


def _work(job_fn: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - Dash's
    """Do a job in the process spawned for it."""
    atexit.register(_leave_quickly)
    start_logging()
    job_fn(*arguments)


def _leave_quickly() -> None:
    """Let the ending interpreter not search what is loaded for garbage: 0.6 s of work that frees nothing of use."""
    gc.freeze()


def _stop_all() -> None:
    """Tell the processes that this one has started to stop, and give them a moment to write down that they did.

    A process that is in compiled code then ends by itself a little later, when it misses its parent.
    """
    _leave_quickly()
    for process, _ in _started:
        process.terminate()
    deadline = time.monotonic() + _LAST_MOMENT_S
    for process, _ in _started:
        process.join(max(0.0, deadline - time.monotonic()))
