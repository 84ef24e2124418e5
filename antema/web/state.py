"""What every request shares: the settings and the store."""

from functools import cache
from pathlib import Path

from antema.domain import Micrograph
from antema.imaging import read_safely
from antema.settings import Settings, get_settings
from antema.storage import Store, open_store


def settings() -> Settings:
    """Return the program's settings."""
    return get_settings()


@cache
def store() -> Store:
    """Return the store of this process, opened at its first use."""
    return open_store(settings().data)


def read_upload(path: Path, name: str) -> Micrograph:
    """Return the micrograph of a file that a user sent, read within the limits of the settings."""
    limits = settings()
    return read_safely(path, name=name, timeout_s=limits.reader_timeout_s, memory_bytes=limits.reader_memory_mb * 2**20)
