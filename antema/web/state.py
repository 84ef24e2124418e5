"""What every request shares: the settings and the store."""

from functools import cache

from antema.settings import Settings, get_settings
from antema.storage import Store, open_store


def settings() -> Settings:
    """Return the program's settings."""
    return get_settings()


@cache
def store() -> Store:
    """Return the store of this process, opened at its first use."""
    return open_store(settings().data)
