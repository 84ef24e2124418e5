"""The pace of a request's body: a sender that is too slow, or takes too long, is cut off and its thread set free."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class Pace:
    """Watches how fast a body comes in, from a thread of its own: the reading one waits for the sender.

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
        self._over = threading.Event()

    def watch(self) -> None:
        """Cut the sender off when it falls behind, until `end` is called."""
        before = 0
        while not self._over.wait(min(self._window_s, max(0.01, self._deadline - time.monotonic()))):
            came, before = self.received - before, self.received
            if time.monotonic() >= self._deadline:
                self._cut_off(f"it took longer than {self._timeout_s:g} s")
            elif came < self._least_bytes_s * self._window_s:
                self._cut_off(f"less than {self._least_bytes_s / 1000:g} kB/s came in {self._window_s:g} s")

    def end(self) -> None:
        """Stop watching."""
        self._over.set()

    def _cut_off(self, why: str) -> None:
        self.broken_off = why
        self._over.set()
        if self._connection is not None:
            # the reading thread then finds the end of the body, and can still answer
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)


@contextlib.contextmanager
def paced(
    environ: dict[str, Any], *, timeout_s: float, least_bytes_s: float = 0.0, window_s: float = 20.0
) -> Iterator[Pace]:
    """Watch the sender of a request's body while the block reads it."""
    pace = Pace(connection_of(environ), timeout_s, least_bytes_s, window_s)
    threading.Thread(target=pace.watch, name="pace of an upload", daemon=True).start()
    try:
        yield pace
    finally:
        pace.end()


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
