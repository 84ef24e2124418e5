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
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CannotRead, Micrograph, NotAnImage, PixelSize
from antema.imaging import reading
from antema.imaging.reading import ContentEntry, Source, on_disk

#: Children kept warm by one process. More threads than these wait for their turn.
_POOL_SIZE = 2

_START_TIMEOUT_S = 120.0

_MARGIN_S = 2.0

#: What reading takes at most where no setting says otherwise.
_TIMEOUT_S = 120.0
_MEMORY_BYTES = 4 << 30

#: Whether this system can start the child at all: it is forked, and limited by what POSIX has for that.
_HAS_CHILD = hasattr(os, "fork")

_log = logging.getLogger(__name__)


def read(source: Source, *, data: int | None = None, name: str | None = None) -> Micrograph:
    """Read the micrograph of a file, in a child process where the system has one to offer.

    Of several data sets the best is taken: one with a scale before one without, raw counts before computed values,
    then the largest, then the first; of a series of images the first. `antema.imaging.read` reads in this process.

    Parameters
    ----------
    source : path-like or binary file
        The file. Its suffix does not matter. A file object is read from its start where it can seek, else from where
        it stands.
    data : int, optional
        Number of the image in `read_all` to take instead of the best.
    name : str, optional
        What to call the file in the result and in messages, where it is stored under another name.

    Returns
    -------
    Micrograph
        With its native type, and a pixel size or the reason why there is none.

    Raises
    ------
    CannotRead
        For a file that is empty, damaged, truncated, too large or of another kind, and for one that takes too long,
        too much memory, or crashes its reader.
    NotAnImage
        For a file whose content is a spectrum, a diffraction pattern or the like.
    """
    if not _HAS_CHILD:
        _say_once(_NO_CHILD)
        return reading.read(source, data=data, name=name)
    with on_disk(source, name) as (path, label):
        return read_safely(path, data=data, name=label)


def read_all(source: Source, *, name: str | None = None) -> list[Micrograph]:
    """Read every image of a file, each data set that is one, each frame of a series, in a child process as `read` does.

    Parameters
    ----------
    source : path-like or binary file
        As in `read`.
    name : str, optional
        What to call the file in the result and in messages.

    Returns
    -------
    list of Micrograph
        At least one. Where there are several, each name says which it is.

    Raises
    ------
    CannotRead, NotAnImage
        As `read` does.
    """
    if not _HAS_CHILD:
        _say_once(_NO_CHILD)
        return reading.read_all(source, name=name)
    with on_disk(source, name) as (path, label):
        return _images(path, label or path.name, {"wanted": "all pixels"}, _TIMEOUT_S, _MEMORY_BYTES)


_NO_CHILD = (
    "this system cannot read files in a process of their own, so a file is read in this one, without limits on memory "
    "and time: open only files that you trust"
)
_LESS_CONFINED = (
    "on this system the process that files are read in has limits on memory and time, but cannot be kept from %s: open "
    "only files that you trust"
)
_WHAT = {"files": "other files", "calls": "the network and other programs"}
_said: set[str] = set()


def _say_once(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        _log.warning(sentence)


def _say_what_is_open(in_force: Iterable[str]) -> None:
    """Say, once, what a child was not kept from."""
    missing = [what for kind, what in _WHAT.items() if kind not in in_force]
    if missing:
        _say_once(_LESS_CONFINED % " and ".join(missing))


def read_safely(
    path: str | Path,
    *,
    data: int | None = None,
    name: str | None = None,
    sha256: str | None = None,
    timeout_s: float = _TIMEOUT_S,
    memory_bytes: int = _MEMORY_BYTES,
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
    wanted = {"wanted": "pixels", "data": data, "sha256": sha256}
    return _images(path, name or Path(path).name, wanted, timeout_s, memory_bytes)[0]


def _images(
    path: str | Path, label: str, wanted: dict[str, Any], timeout_s: float, memory_bytes: int
) -> list[Micrograph]:
    """Return the images that a child has read; of several the names say which they are."""
    with tempfile.TemporaryDirectory(prefix="antema-read-") as folder:
        images = _ask(path, label, folder, wanted, timeout_s, memory_bytes)["images"]
        arrays = [np.load(Path(folder, f"pixels-{place}.npy"), allow_pickle=False) for place in range(len(images))]
    is_one = wanted["wanted"] == "pixels"
    return [
        Micrograph(
            pixels,
            PixelSize(image["nm"], image["source"]),
            image["name"] if is_one or not image["title"] else f"{image['name']} [{image['title']}]",
            image["sha256"],
            image["metadata"],
        )
        for pixels, image in zip(arrays, images, strict=True)
    ]


def contents_safely(
    path: str | Path,
    *,
    name: str | None = None,
    check: bool = False,
    timeout_s: float = _TIMEOUT_S,
    memory_bytes: int = _MEMORY_BYTES,
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
    _say_what_is_open(answer["in_force"])
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
            # ncempy imports matplotlib, which is to draw nothing here, also where a notebook set its own
            "MPLBACKEND": "Agg",
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
if _HAS_CHILD:
    os.register_at_fork(after_in_child=_renew_pool)
atexit.register(lambda: _pool.stop())
