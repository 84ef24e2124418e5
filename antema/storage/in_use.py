"""Whether other processes have a data folder open: a lock of the operating system that all of them share."""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks
    fcntl = None


class InUse:
    """A sign, as long as this process lives or until `close`, that it has the data folder open.

    Parameters
    ----------
    path : Path
        The lock's file.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_by_others(self) -> bool:
        """Return whether other processes have the folder open; where that cannot be told they may have."""
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        return False

    def close(self) -> None:
        """Take the sign away."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
