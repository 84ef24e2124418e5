"""A store of their own for tests of the pages, with samples in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from antema.domain import Recipe
from antema.storage import Sample, Store
from tests.strategies.drawn_samples import MakeSample, sample_maker
from tests.strategies.pages_store import pages_store


@pytest.fixture
def web_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store that the pages see, empty."""
    yield from pages_store(tmp_path / "data", monkeypatch)


@pytest.fixture
def make_sample(web_store: Store, tmp_path: Path) -> MakeSample:
    """Make a sample of so many images in the store that the pages see."""
    return sample_maker(web_store, tmp_path)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sample]]:
    """Samples to compare, made once for a module of tests that only read."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        for opened in pages_store(folder / "data", patch):
            make = sample_maker(opened, folder)
            yield {
                "small": make("small", 4.0, 7),
                "large": make("large <b>one</b>", 5.0, 6),
                "few": make("few", 4.5, 3),
                "one": make("one", 4.4, 1, pixel_size_nm=0.5),
                "old": make("old series", 4.2, 3, recipe=Recipe(convention="antema", min_diameter_nm=1.5)),
                "classed": make("classed", 4.1, 6, classes=("amorphous", "monocrystalline")),
                "empty": make("nothing measured", 3.9, 2, recipe=Recipe(min_diameter_nm=50.0)),
                "bare": opened.create_sample("bare", by="Ann"),
            }
