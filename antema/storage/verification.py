"""Files held against the digest that the store has of them, at their first read and whenever they have changed."""

import hashlib
import logging
import threading
from pathlib import Path

_log = logging.getLogger(__name__)

MISSING = "missing"
DAMAGED = "damaged"


class Verification:
    """What this process knows of the files it reads; for any number of threads.

    A file is hashed when it is asked for first, and again when its size, its time or its place on the disk has changed
    since. Between these, asking costs a look at its directory entry.
    """

    def __init__(self) -> None:
        self._found: dict[Path, tuple[tuple[int, ...], str]] = {}
        self._lock = threading.Lock()

    def fault(self, path: Path, sha256: str) -> str:
        """Return what is wrong with a file: `MISSING`, `DAMAGED` (its content has another digest), or nothing."""
        try:
            state = _state(path)
            with self._lock:
                known = self._found.get(path)
            if known is None or known[0] != state:
                # Outside the lock: two threads may hash the same file, none waits for another's.
                known = (state, digest_of(path))
                with self._lock:
                    self._found[path] = known
                if known[1] != sha256:
                    _log.warning("%s is damaged: expected sha256 %s, found %s", path, sha256, known[1])
        except FileNotFoundError:
            return MISSING
        except OSError:
            # a disk that cannot give the bytes any more
            _log.warning("%s cannot be read", path, exc_info=True)
            return DAMAGED
        return "" if known[1] == sha256 else DAMAGED

    def note(self, path: Path, sha256: str) -> None:
        """Take over that a file has this digest, found out just now; it need not be hashed again."""
        with self._lock:
            self._found[path] = (_state(path), sha256)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
