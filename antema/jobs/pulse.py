"""The sign of life of a job's process, and the ways it is told to stop."""

import logging
import os
import signal
import threading
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from antema.storage import Store

_log = logging.getLogger(__name__)

HEARTBEAT_S = 2.0
# How long the main thread may need to come back from compiled code before the process ends without it.
_GRACE_S = 6.0


class Interrupted(BaseException):
    """The process was told to stop. No `Exception`: nothing that handles a bad image may take it for one."""


class Stop:
    """Whether and why the job's process should stop.

    `Interrupted` is raised from the signal handler where that is safe (inside `interruptible`), and by `check`.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.exit_code = 1
        self.since: float | None = None
        self._may_raise = False
        self._in_main_thread = threading.current_thread() is threading.main_thread()

    def check(self) -> None:
        """Raise `Interrupted` when the process should stop."""
        if self.reason:
            raise Interrupted(self.reason)

    def because_parent_is_gone(self) -> None:
        """Stop, because whoever started this process is no more. Called from the heartbeat's thread."""
        self._set("the program that started it ended", exit_code=1)
        if self._in_main_thread:
            # A real signal: it ends what the main thread waits for in the kernel, too.
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGTERM)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT while the block runs; outside the main thread signals stay as they are."""
        if not self._in_main_thread:
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal break off the block at once."""
        self._may_raise = True
        try:
            self.check()
            yield
        finally:
            self._may_raise = False

    @property
    def is_overdue(self) -> bool:
        """Whether the main thread has had its time to stop and has not."""
        return self._in_main_thread and self.since is not None and time.monotonic() - self.since > _GRACE_S

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        self._set(f"stopped by {signal.Signals(number).name}", exit_code=128 + number)
        if self._may_raise:
            self._may_raise = False
            raise Interrupted(self.reason)

    def _set(self, reason: str, *, exit_code: int) -> None:
        if not self.reason:
            self.reason, self.exit_code, self.since = reason, exit_code, time.monotonic()


@contextmanager
def pulse(store: Store, job_id: int, stop: Stop) -> Iterator[None]:
    """Write heartbeats and watch the parent process in a thread while the block runs."""
    over = threading.Event()
    parent = os.getppid()

    def beat() -> None:
        while not over.wait(HEARTBEAT_S):
            if os.getppid() != parent and not stop.reason:
                stop.because_parent_is_gone()
            if stop.is_overdue:
                _end_at_once(store, job_id, stop)
            try:
                store.heartbeat(job_id)
            except Exception:
                # Whatever the database may raise: the next beat may succeed; a job is taken for dead only after several
                # are missing.
                _log.exception("job %s: no heartbeat could be written", job_id)

    thread = threading.Thread(target=beat, name=f"pulse of job {job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def pulse_of_waiting(store: Store, job_ids: Sequence[int], done: Container[int]) -> Iterator[None]:
    """Write heartbeats, while the block runs, of queued jobs that this process does one after another.

    Parameters
    ----------
    store : Store
        Where they are.
    job_ids : sequence of int
        All of them.
    done : container of int
        Those that the process has come to; they have a pulse of their own.
    """
    over = threading.Event()

    def beat() -> None:
        while True:
            for job_id in job_ids:
                if job_id in done or over.is_set():
                    continue
                try:
                    store.heartbeat(job_id)
                except Exception:
                    _log.exception("job %s, which waits: no heartbeat could be written", job_id)
            if over.wait(HEARTBEAT_S):
                return

    thread = threading.Thread(target=beat, name="pulse of waiting jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end_at_once(store: Store, job_id: int, stop: Stop) -> None:
    """End the process whatever its main thread is at, also where the job's row cannot be written."""
    try:
        store.interrupt_job(job_id, stop.reason, was_told=True)
    except Exception:
        # The missing heartbeats will tell the server.
        _log.exception("job %s: its end could not be written down (%s)", job_id, stop.reason)
    finally:
        os._exit(stop.exit_code)
