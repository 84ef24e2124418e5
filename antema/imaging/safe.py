"""Reading a stranger's file in a child process with limits on memory and time."""

import atexit
import contextlib
import json
import logging
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CannotRead, Micrograph, NotAnImage, PixelSize
from antema.imaging.reading import ContentEntry

#: Children kept warm by one process. More threads than these wait for their turn.
_POOL_SIZE = 2

_START_TIMEOUT_S = 120.0

_MARGIN_S = 2.0


def read_safely(
    path: str | Path,
    *,
    data: int | None = None,
    name: str | None = None,
    sha256: str | None = None,
    timeout_s: float = 120.0,
    memory_bytes: int = 4 << 30,
) -> Micrograph:
    """Read the micrograph of a file in a child process, which a malformed file cannot take this one down with.

    The child has no rights but to read the file, and is ended when it takes too long.

    Parameters
    ----------
    path : path-like
        The file. Its suffix does not matter.
    data : int, optional
        Number of the image in `antema.imaging.contents` to take instead of the best.
    name : str, optional
        What to call the file in the result and in messages.
    sha256 : str, optional
        Digest of the file where it is known, so that it is not hashed again.
    timeout_s : float
        Seconds for reading, without the start of the child. A file of a few MB is given less.
    memory_bytes : int
        Address space that the child may use above what it needs at rest. A file of a few MB is given less.

    Returns
    -------
    Micrograph
        As `antema.imaging.read` gives it.

    Raises
    ------
    CannotRead, NotAnImage
        As `antema.imaging.read` does, and for a file that takes too long, too much memory, or crashes its reader.
    """
    label = name or Path(path).name
    with tempfile.TemporaryDirectory(prefix="antema-read-") as folder:
        wanted = {"wanted": "pixels", "data": data, "sha256": sha256}
        answer = _ask(path, label, folder, wanted, timeout_s, memory_bytes)
        pixels = np.load(Path(folder, "pixels.npy"), allow_pickle=False)
    return Micrograph(
        pixels, PixelSize(answer["nm"], answer["source"]), answer["name"], answer["sha256"], answer["metadata"]
    )


def contents_safely(
    path: str | Path,
    *,
    name: str | None = None,
    check: bool = False,
    timeout_s: float = 120.0,
    memory_bytes: int = 4 << 30,
) -> list[ContentEntry]:
    """List the images of a file in a child process, as `antema.imaging.contents` does.

    Parameters
    ----------
    path, name, timeout_s, memory_bytes
        As in `read_safely`.
    check : bool
        Whether to read the pixels of every image, so that damage of them shows.

    Returns
    -------
    list of ContentEntry
        At least one; ``read_safely(path, data=entry.index)`` reads its pixels.

    Raises
    ------
    CannotRead, NotAnImage
        As `read_safely` does.
    """
    wanted = {"wanted": "checked contents" if check else "contents"}
    with tempfile.TemporaryDirectory(prefix="antema-read-") as folder:
        answer = _ask(path, name or Path(path).name, folder, wanted, timeout_s, memory_bytes)
    return [
        replace(ContentEntry(**entry), shape=tuple(entry["shape"]), pixel_size=PixelSize(**entry["pixel_size"]))
        for entry in answer["contents"]
    ]


def _ask(
    path: str | Path, label: str, folder: str, wanted: dict[str, Any], timeout_s: float, memory_bytes: int
) -> dict[str, Any]:
    """Return the answer that a child left in the folder; its errors are raised here."""
    request = {
        "path": str(Path(path).absolute()),
        "name": label,
        "folder": str(Path(folder).absolute()),
        "timeout_s": timeout_s,
        "memory_bytes": memory_bytes,
        **wanted,
    }
    reader = _pool.take()
    keep = False
    try:
        # the child ends itself in time; the margin is for the one that cannot
        outcome = reader.ask(request, timeout_s + _MARGIN_S)
        ended, reader.peak_bytes = outcome["ended"], outcome["peak_bytes"]
        keep = True
    except TimeoutError:
        ended = -signal.SIGALRM
    except (BrokenPipeError, EOFError):
        ended = -signal.SIGKILL
    finally:
        _pool.give_back(reader, keep=keep)
    if ended in (-signal.SIGALRM, -signal.SIGXCPU):
        msg = f"{label} cannot be read: reading it took longer than a file of its size may."
        raise CannotRead(msg)
    if ended != 0:
        msg = f"{label} cannot be read: the program that reads it ran out of memory or crashed on it."
        raise CannotRead(msg)
    answer: dict[str, Any] = json.loads(Path(folder, "answer.json").read_text())
    if "error" in answer:
        if answer["error"] == "NotAnImage":
            raise NotAnImage(answer["message"], kind=answer["kind"])
        raise CannotRead(answer["message"])
    return answer


def _log_level() -> int:
    """Return the least severity that this process logs, by the root's level: the child reads by means of libraries."""
    return logging.getLogger().getEffectiveLevel()


class _Reader:
    """One process that forks a child for each file, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._pending = b""
        #: The most memory that the child of the last file had.
        self.peak_bytes = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None where none is running."""
        return None if self._process is None else self._process.pid

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Return the child's answer to one request.

        Raises
        ------
        TimeoutError
            When it does not answer in time.
        EOFError, BrokenPipeError
            When it ended instead.
        """
        if self._process is None or self._process.poll() is not None or self._owner != os.getpid():
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps(request) + "\n").encode())
        self._process.stdin.flush()
        return self._receive(timeout_s)

    def stop(self) -> None:
        """Kill the child, where it is this process's own."""
        process, self._process = self._process, None
        self._pending = b""
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if self._owner == os.getpid():
            # it leads a group of its own, which the child that reads for it is in
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self) -> None:
        self.stop()
        package_root = str(Path(__file__).parents[2])
        paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            # each thread of a numerical library reserves address space, which is what the limit counts
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            # it logs where and from what level on this process does
            [sys.executable, "-P", "-m", "antema.imaging.reader_process", str(_log_level())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            # an interrupt from the keyboard is for the parent, which then closes the child's input
            start_new_session=True,
        )
        self._receive(_START_TIMEOUT_S)

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([descriptor], [], [], remaining)[0]:
                raise TimeoutError
            piece = os.read(descriptor, 65536)
            if not piece:
                raise EOFError
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)


class _Pool:
    """Readers of this process, lent to one thread at a time."""

    def __init__(self, size: int) -> None:
        self.readers = [_Reader() for _ in range(size)]
        self._free: queue.LifoQueue[_Reader] = queue.LifoQueue()
        for reader in reversed(self.readers):
            self._free.put(reader)

    def take(self) -> _Reader:
        """Wait for a reader: the one used last, which is warm."""
        return self._free.get()

    def give_back(self, reader: _Reader, *, keep: bool) -> None:
        """Return a reader; without `keep` its child is ended, and the next request gets a new one."""
        if not keep:
            reader.stop()
        self._free.put(reader)

    def stop(self) -> None:
        """End all children."""
        for reader in self.readers:
            reader.stop()


def _renew_pool() -> None:
    """Leave the readers to the parent after a fork: two processes on one pipe would take each other's answers."""
    global _pool
    _pool = _Pool(_POOL_SIZE)


_pool = _Pool(_POOL_SIZE)
os.register_at_fork(after_in_child=_renew_pool)
atexit.register(lambda: _pool.stop())
