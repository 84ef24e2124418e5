"""Numbers and pictures of results, remembered on disk for the next reader, whichever process answers him.

Results do not change, so that what was made of one stays right: it is kept under what it was made of (the keys of the
results, what people excluded, the view) and under the program's own files, so that no other version's words come back.
Values are bytes with a checksum; nothing is pickled, and a row that somebody else pickled is not opened. What is
damaged counts as absent.
"""

import hashlib
import json
import logging
import os
import sqlite3
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import diskcache  # pyright: ignore[reportMissingTypeStubs]
from diskcache.core import MODE_BINARY, MODE_RAW, Disk  # pyright: ignore[reportMissingTypeStubs]

import antema
from antema.private import FILE_MODE, private_file, private_folder

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks
    fcntl = None

_log = logging.getLogger(__name__)
_CHECK_BYTES = 4
_BEYOND_OFFSETS = 2**62
_FAILURES = (sqlite3.Error, diskcache.Timeout, OSError)


class _PlainDisk(Disk):
    """Keys are text and values bytes: nothing is ever pickled or unpickled."""

    def put(self, key: str) -> tuple[str, bool]:
        """Refuse what diskcache would pickle."""
        if not isinstance(key, str):
            msg = f"memory: expected a text as key, found {type(key).__name__}"
            raise TypeError(msg)
        return key, True

    def get(self, key: Any, raw: bool) -> Any:  # noqa: ANN401, FBT001 - diskcache's own signature
        """Refuse what somebody has pickled."""
        if not raw:
            msg = "memory: expected a plain key, found a pickled one"
            raise OSError(msg)
        return key

    def store(self, value: bytes, read: bool, key: Any = "") -> Any:  # noqa: ANN401, FBT001
        """Refuse what diskcache would pickle; a file is the owner's alone."""
        if not isinstance(value, bytes):
            msg = f"memory: expected bytes, found {type(value).__name__}"
            raise TypeError(msg)
        size, mode, filename, kept = super().store(value, read, key)
        if filename is not None:
            inner = Path(filename)
            for part in (inner, *inner.parents[:-1]):
                (Path(self._directory) / part).chmod(FILE_MODE if part is inner else stat.S_IRWXU)
        return size, mode, filename, kept

    def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:  # noqa: ANN401, FBT001
        """Refuse what somebody has pickled."""
        if mode not in (MODE_RAW, MODE_BINARY):
            msg = "memory: expected bytes, found a pickled value"
            raise OSError(msg)
        return super().fetch(mode, filename, value, read)


class Memory:
    """A bounded memory of bytes that all processes of one data folder share.

    Parameters
    ----------
    folder : Path
        Where it lies; made with mode 0700, as its parent is, which is the data folder.
    most_bytes : int
        What it may hold; what was made longest ago goes first. 0 remembers nothing.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._cache = _opened(folder, most_bytes) if most_bytes else None
        self._locks: dict[str, tuple[Lock, int]] = {}
        self._guard = Lock()
        self._lock_file: int | None = None

    @property
    def remembers(self) -> bool:
        """Whether anything is kept."""
        return self._cache is not None

    def content(self, key: object, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under a key, made where it is not there; several who ask at once wait for one.

        Parameters
        ----------
        key : object
            What the value is made of, as plain JSON values, or a function that tells it. That is asked once more after
            the making: a value is not kept where what it is made of has changed meanwhile.
        make : callable
            Makes it.
        """
        if self._cache is None:
            return make()

        def name_of_now() -> str:
            return key_of(key() if callable(key) else key)

        name = name_of_now()
        known = self._get(name)
        if known is not None:
            return known
        with self._alone(name):
            known = self._get(name)
            if known is None:
                known = make()
                if name_of_now() == name:
                    self._put(name, known)
        return known

    def value(self, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - any JSON value
        """Return plain JSON values as `content` does; NaN and infinities are kept."""
        if self._cache is None:
            return make()
        return json.loads(self.content(key, lambda: json.dumps(make()).encode()))

    def close(self) -> None:
        """Close the files."""
        if self._cache is not None:
            self._cache.close()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _get(self, name: str) -> bytes | None:
        assert self._cache is not None
        try:
            kept = self._cache.get(name)
        except _FAILURES as error:
            _log.warning("what was remembered could not be read: %s", error)
            return None
        if not isinstance(kept, bytes) or zlib.crc32(kept[_CHECK_BYTES:]).to_bytes(_CHECK_BYTES) != kept[:_CHECK_BYTES]:
            return None
        return kept[_CHECK_BYTES:]

    def _put(self, name: str, value: bytes) -> None:
        assert self._cache is not None
        try:
            self._cache.set(name, zlib.crc32(value).to_bytes(_CHECK_BYTES) + value)
        except _FAILURES as error:
            # a full disk takes nothing from the one who asked
            _log.warning("a number could not be remembered: %s", error)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Let no other thread or process make the same value meanwhile."""
        with self._guard:
            lock, waiting = self._locks.get(name, (Lock(), 0))
            self._locks[name] = lock, waiting + 1
            if self._lock_file is None:
                self._lock_file = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        offset = int(name[:16], 16) % _BEYOND_OFFSETS
        try:
            with lock:
                _lock(self._lock_file, "LOCK_EX", offset)
                try:
                    yield
                finally:
                    _lock(self._lock_file, "LOCK_UN", offset)
        finally:
            with self._guard:
                lock, waiting = self._locks[name]
                if waiting == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, waiting - 1


def _lock(file: int, how: str, offset: int) -> None:
    """Lock one byte of a file against other processes, or unlock it."""
    # where there are no such locks, or the system fears a deadlock, both make the value, which costs time alone
    if fcntl is not None:
        with suppress(OSError):
            fcntl.lockf(file, getattr(fcntl, how), 1, offset)


def key_of(key: object) -> str:
    """Return the digest of what a value is made of, and of the program that makes it."""
    return hashlib.sha256(json.dumps([_program(), key]).encode()).hexdigest()


@cache
def _program() -> str:
    """Return what tells one state of the program's files from another."""
    root = Path(antema.__file__).parent
    files = sorted((str(path.relative_to(root)), path.stat()) for path in root.rglob("*.py"))
    return hashlib.sha256(json.dumps([(name, s.st_size, s.st_mtime_ns) for name, s in files]).encode()).hexdigest()


def _opened(folder: Path, most_bytes: int) -> Any:  # noqa: ANN401 - diskcache has no types
    private_folder(folder.parent)
    for is_last in (False, True):
        try:
            # SQLite gives the files beside it the same rights
            private_file(private_folder(folder) / "cache.db")
            return diskcache.Cache(
                str(folder),
                disk=_PlainDisk,
                size_limit=most_bytes,
                # by the time of the last reading every reader would have to write
                eviction_policy="least-recently-stored",
                timeout=10,
            )
        except _FAILURES as error:
            if is_last:
                _log.warning("nothing is remembered: %s", error)
                return None
            # what is damaged is made again
            for path in folder.glob("cache.db*"):
                path.unlink(missing_ok=True)
    return None
