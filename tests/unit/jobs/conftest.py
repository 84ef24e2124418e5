import pytest

from antema.storage import open_store


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def sample(store):
    return store.create_sample("Au 2 nm", by="Ann")
