"""What every request shares: the settings, the store and the memory of numbers."""

from functools import cache
from pathlib import Path

from antema.results.memory import Memory
from antema.settings import Settings, get_settings
from antema.storage import Store, open_store


def settings() -> Settings:
    """Return the program's settings."""
    return get_settings()


@cache
def store() -> Store:
    """Return the store of this process, opened at its first use."""
    return open_store(settings().data)


def memory() -> Memory:
    """Return what this installation remembers of results."""
    return _memory(settings().data / "memory", settings().memory_mb * 2**20)


@cache
def _memory(folder: Path, most_bytes: int) -> Memory:
    return Memory(folder, most_bytes)
