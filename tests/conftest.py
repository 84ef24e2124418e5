"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from antema.domain import NotFound
from antema.nets.card import find
from antema.storage import Sample, Store, open_store
from tests.browser.callback_net import CallbackNet

# How long an example takes says nothing on a machine that does other things too.
settings.register_profile("antema", deadline=None)
settings.load_profile("antema")

# Folders of tests come and go: JAX keeps nothing in them.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", "")


def pytest_configure(config: pytest.Config) -> None:
    # from here, for the process that only distributes the tests loads no conftest below
    config.pluginmanager.register(CallbackNet(), CallbackNet.__name__)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that is not part of the project; the test skips where it is absent."""
    folder = Path(os.environ.get("ANTEMA_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of the test's own, empty."""
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def sample(store: Store) -> Sample:
    """An empty sample in the test's own store."""
    return store.create_sample("Au 2 nm", by="Ann")


@pytest.fixture(scope="session", autouse=True)
def no_crystallinity_model() -> Iterator[None]:
    """Leave crystallinity out where a test gives no classifier of its own: a network takes seconds to load."""
    with pytest.MonkeyPatch.context() as patch:
        # processes that a test starts find what is installed
        patch.setattr("antema.analysis.classification.find", _without_crystallinity)
        yield


def _without_crystallinity(name: str = "default", *, task: str = "segmentation") -> object:
    if task == "crystallinity":
        msg = "no crystallinity model in tests"
        raise NotFound(msg)
    return find(name, task=task)
