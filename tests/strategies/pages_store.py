"""The store that the pages' functions see, in a folder of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from antema.settings import get_settings
from antema.storage import Store
from antema.web import state


def pages_store(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Let the settings and the pages point at a data folder while the generator lives."""
    monkeypatch.setenv("ANTEMA_DATA", str(data))
    get_settings.cache_clear()
    state.store.cache_clear()
    opened = state.store()
    yield opened
    opened.close()
    state.store().close()  # another one where a test in between had a store of its own
    get_settings.cache_clear()
    state.store.cache_clear()
