"""Samples of drawn discs in a store of their own, analysed for real with a segmenter that cannot err."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from antema.analysis import analyse, result_key
from antema.domain import Recipe
from antema.imaging import read
from antema.settings import get_settings
from antema.storage import Sample, Store
from antema.web import state

PIXEL_SIZE_NM = 0.2
SIDE_PX = 160
_CENTRES = [(x, y) for y in (30, 80, 130) for x in (30, 80, 130)]


class BrightIsParticle:
    """Takes the bright pixels of a drawn image for particle."""

    name = "drawn"
    sha256 = "d" * 64
    threshold = 0.5

    def probability(self, pixels: np.ndarray) -> np.ndarray:
        return (pixels > 500).astype(np.float32)


def draw(path: Path, diameters_nm: np.ndarray, pixel_size_nm: float) -> None:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    pixels = np.full((SIDE_PX, SIDE_PX), 100, np.uint16)
    for (cx, cy), diameter in zip(_CENTRES, diameters_nm, strict=False):
        pixels[np.hypot(x - cx, y - cy) < diameter / pixel_size_nm / 2] = 1000
    pixels[0, 0] = np.uint16(round(float(diameters_nm.sum()) * 10) % 400)  # no two files are the same
    resolution = (1 / pixel_size_nm, 1 / pixel_size_nm)
    tifffile.imwrite(path, pixels, imagej=True, resolution=resolution, metadata={"unit": "nm"})


MakeSample = Callable[..., Sample]


def _maker(store: Store, folder: Path) -> MakeSample:
    def make(
        name: str,
        mean_nm: float,
        images: int,
        *,
        recipe: Recipe | None = None,
        classes: tuple[str, ...] = (),
        pixel_size_nm: float = PIXEL_SIZE_NM,
    ) -> Sample:
        recipe, segmenter = recipe or Recipe(), BrightIsParticle()
        rng = np.random.default_rng(round(1000 * mean_nm) + images)
        sample = store.create_sample(name, by="Ann")
        stored = []
        for number in range(images):
            path = folder / f"{name}-{number}.tif".replace("/", "_")
            draw(path, rng.normal(mean_nm, 0.15 * mean_nm, len(_CENTRES)), pixel_size_nm)
            micrograph = read(path)
            stored.append((micrograph, store.add_micrograph(sample.id, micrograph, path, by="Ann")))
        analysis = store.create_analysis(sample.id, recipe, by="Ann")
        job = store.create_job(analysis.id, by="Ann", images_total=images)
        store.claim_job(job.id)
        for micrograph, row in stored:
            found = analyse(micrograph, recipe, segmenter=segmenter)
            if classes:
                table = found.table.copy()
                table["crystallinity"] = rng.choice(classes, len(table))
                table["confidence"] = rng.choice([0.7, 0.9, 0.99], len(table))
                found = replace(found, table=table)
            key = result_key(micrograph.sha256, micrograph.pixel_size.nm, recipe, segmenter.sha256)
            store.save_result(analysis.id, row.id, key, found)
        store.update_job(job.id, status="done")
        return store.sample(sample.id)

    return make


@pytest.fixture
def web_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store that the pages see, empty."""
    yield from _opened(tmp_path / "data", monkeypatch)


@pytest.fixture
def make_sample(web_store: Store, tmp_path: Path) -> MakeSample:
    """Make a sample of so many images in the store that the pages see."""
    return _maker(web_store, tmp_path)


def _opened(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("ANTEMA_DATA", str(data))
    get_settings.cache_clear()
    state.store.cache_clear()
    opened = state.store()
    yield opened
    opened.close()
    state.store().close()  # another one where a test in between had a store of its own
    get_settings.cache_clear()
    state.store.cache_clear()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sample]]:
    """Samples to compare, made once for a module of tests that only read."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        for opened in _opened(folder / "data", patch):
            make = _maker(opened, folder)
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
