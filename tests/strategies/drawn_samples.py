"""Samples of drawn discs, analysed for real with a segmenter that cannot err."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import tifffile

from antema.analysis import analyse, result_key
from antema.domain import Recipe, Trust
from antema.imaging import read
from antema.storage import Sample, Store
from tests.strategies.classifying import DrawsClasses

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


def sample_maker(store: Store, folder: Path) -> MakeSample:
    """Return a function that makes an analysed sample: name, mean diameter in nm, number of images."""

    def make(
        name: str,
        mean_nm: float,
        images: int,
        *,
        recipe: Recipe | None = None,
        classes: tuple[str, ...] = (),
        pixel_size_nm: float = PIXEL_SIZE_NM,
        trusts: Sequence[Trust | None] = (),
    ) -> Sample:
        rng = np.random.default_rng(round(1000 * mean_nm) + images)
        sample = store.create_sample(name, by="Ann")
        for number in range(images):
            path = folder / f"{name}-{number}.tif".replace("/", "_")
            draw(path, rng.normal(mean_nm, 0.15 * mean_nm, len(_CENTRES)), pixel_size_nm)
            store.add_micrograph(sample.id, read(path), path, by="Ann")
        analyse_drawn(store, sample.id, recipe or Recipe(), classes=classes, trusts=trusts, rng=rng)
        return store.sample(sample.id)

    return make


def analyse_drawn(
    store: Store,
    sample_id: int,
    recipe: Recipe,
    *,
    classes: tuple[str, ...] = (),
    trusts: Sequence[Trust | None] = (),
    rng: np.random.Generator | None = None,
) -> int:
    """Analyse every micrograph of a sample, let the result be the sample's, and return its id.

    Classes of crystallinity, where any are given, are drawn with `rng`; `trusts` is what a network
    would say of one image after the other.
    """
    segmenter = BrightIsParticle()
    classifier = DrawsClasses(classes, rng=rng or np.random.default_rng(0)) if classes else None
    micrographs = store.micrographs(sample_id)
    analysis = store.create_analysis(sample_id, recipe, by="Ann")
    job = store.create_job(analysis.id, by="Ann", images_total=len(micrographs))
    store.claim_job(job.id)
    for row, trust in zip_longest(micrographs, trusts):
        micrograph = read(store.blob_path(row.sha256))
        found = replace(analyse(micrograph, recipe, segmenter=segmenter, classifier=classifier), trust=trust)
        key = result_key(
            micrograph.sha256,
            micrograph.pixel_size.nm,
            recipe,
            segmenter.sha256,
            crystallinity_sha256=classifier.sha256 if classifier else None,
        )
        store.save_result(analysis.id, row.id, key, found)
    store.update_job(job.id, status="done")
    return analysis.id
