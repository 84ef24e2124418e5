"""The pace of a request's body: a sender that is too slow, or takes too long, is cut off and its thread set free."""

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")
_SHORTEST_WAIT_S = 0.01


class Pace:
    """How fast a body comes in.

    Parameters
    ----------
    connection : socket or None
        The connection of the request; without one nothing is cut off.
    timeout_s : float
        Seconds in which all must have come.
    least_bytes_s : float
        Least rate, in bytes per second over each window; 0 asks for none.
    window_s : float
        Seconds of a window.
    """

    def __init__(
        self, connection: socket.socket | None, timeout_s: float, least_bytes_s: float, window_s: float
    ) -> None:
        self.received = 0
        self.broken_off = ""
        self._connection = connection
        self._least_bytes_s = least_bytes_s
        self._window_s = window_s
        self._deadline = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self._before = 0
        self.due = 0.0
        """When to look at it next, by the monotonic clock."""
        self._look_next(time.monotonic())

    def look(self, now: float) -> None:
        """Cut the sender off where it has fallen behind."""
        came, self._before = self.received - self._before, self.received
        if now >= self._deadline:
            self._cut_off(f"it took longer than {self._timeout_s:g} s")
        elif came < self._least_bytes_s * self._window_s:
            self._cut_off(f"less than {self._least_bytes_s / 1000:g} kB/s came in {self._window_s:g} s")
        else:
            self._look_next(now)

    def _look_next(self, now: float) -> None:
        self.due = min(now + self._window_s, self._deadline)

    def _cut_off(self, why: str) -> None:
        self.broken_off, self.due = why, math.inf
        if self._connection is not None:
            # the reading thread then finds the end of the body, and can still answer
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)


class _Watch:
    """Looks at every pace of a process when it is due, in one thread: starting one costs more than most answers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paces: set[Pace] = set()
        self._wakes_at = math.inf
        self._process = 0

    def add(self, pace: Pace) -> None:
        with self._changed:
            if self._process != os.getpid():  # the first one here
                self._process, self._wakes_at = os.getpid(), math.inf
                self._paces.clear()
                threading.Thread(target=self._run, name="pace of requests", daemon=True).start()
            self._paces.add(pace)
            if pace.due < self._wakes_at:
                self._changed.notify()

    def remove(self, pace: Pace) -> None:
        with self._changed:
            self._paces.discard(pace)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for pace in self._paces:
                    if pace.due <= now:
                        pace.look(now)
                self._wakes_at = min((pace.due for pace in self._paces), default=math.inf)
                waits = math.isfinite(self._wakes_at)
                self._changed.wait(max(self._wakes_at - now, _SHORTEST_WAIT_S) if waits else None)


_watch = _Watch()


@contextlib.contextmanager
def paced(
    environ: dict[str, Any], *, timeout_s: float, least_bytes_s: float = 0.0, window_s: float = 20.0
) -> Iterator[Pace]:
    """Watch the sender of a request's body while the block reads it, from another thread: this one waits for it."""
    pace = Pace(connection_of(environ), timeout_s, least_bytes_s, window_s)
    _watch.add(pace)
    try:
        yield pace
    finally:
        _watch.remove(pace)


def connection_of(environ: dict[str, Any]) -> socket.socket | None:
    """Return the connection that a request came by, where the server tells."""
    return next((environ[name] for name in _SOCKETS if name in environ), None)


def let_go(connection: socket.socket | None, linger_s: float) -> None:
    """End a connection whose client is still sending, after a moment in which it can read what it was answered.

    gunicorn would wait for such a client in the thread that takes new connections.
    """
    if connection is None:
        return
    deadline = time.monotonic() + linger_s
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(1 << 16):
                break
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
