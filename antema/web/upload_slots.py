"""Places for uploads: fewer than the server's threads, so that slow ones leave some to everybody else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from antema.domain import AntemaError
from antema.web.state import settings

RETRY_AFTER_S = 3
"""Seconds after which one who found no place may ask again."""


class NoPlaceError(AntemaError):
    """All places are taken."""


class _Places:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._most: int | None = None

    def share_of_threads(self, threads: int) -> None:
        """Limit the places to half of so many threads, and to one where there are fewer."""
        self._most = max(1, threads // 2)

    @property
    def most(self) -> int:
        """How many there are."""
        slots = settings().upload_slots
        return slots if self._most is None else min(slots, self._most)

    @property
    def is_full(self) -> bool:
        """Whether the next one finds none."""
        return self._taken >= self.most

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises
        ------
        NoPlaceError
            When all are taken.
        """
        with self._lock:
            self.require_free()
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1

    def require_free(self) -> None:
        """Raise `NoPlaceError` when all are taken."""
        if self.is_full:
            msg = f"As many uploads as this server takes at a time ({self.most}) are on their way; wait a moment."
            raise NoPlaceError(msg)


_places = _Places()
share_of_threads, taken, require_free = _places.share_of_threads, _places.taken, _places.require_free
