"""How much room there is for more: on the disk, and below what the installation may hold."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from antema.domain import AntemaError
from antema.web.state import settings

_LEFT_FREE_BYTES = 200_000_000
# Going over the folder takes a moment where there are many files.
_KEPT_S = 20.0


class NoRoomError(AntemaError):
    """The disk is full, or the installation holds as much as it may."""


class _Folder:
    """Size of the data folder, measured now and then and counted on in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._measured = 0.0
        self._bytes = 0

    def size(self, path: Path) -> int:
        """Return the bytes that lie in the folder."""
        with self._lock:
            if path != self._path or time.monotonic() - self._measured > _KEPT_S:
                self._path, self._bytes, self._measured = path, sum(_sizes(path)), time.monotonic()
            return self._bytes

    def add(self, more: int) -> None:
        """Count bytes that have come in since the folder was measured."""
        with self._lock:
            self._bytes += more


_folder = _Folder()
came_in = _folder.add


def require_room(name: str, size: int) -> None:
    """Raise `NoRoomError` where so many more bytes of a file do not fit, and say what to do."""
    data = settings().data
    free = max(0, shutil.disk_usage(data).free - _LEFT_FREE_BYTES)
    if size > free:
        msg = (
            f"{name}: there is no space left for it on this server: it needs {_words(size)}, the disk has "
            f"{_words(free)}. Ask who looks after the server to make room."
        )
        raise NoRoomError(msg)
    most = settings().max_data_gb * 1e9
    if most and (held := _folder.size(data)) + size > most:
        msg = (
            f"{name}: this server may hold {_words(most)} and holds {_words(held)}; this file needs {_words(size)}, "
            "with which it would be more. Delete what is not needed any more, or ask for a higher ANTEMA_MAX_DATA_GB."
        )
        raise NoRoomError(msg)


def _sizes(folder: Path) -> Iterator[int]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _sizes(Path(entry.path))
        else:
            try:
                yield entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                # a temporary file that has got its name meanwhile
                continue


def _words(size: float) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
