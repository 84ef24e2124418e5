"""Samples of drawn particles with the fringes of one set of planes, measured and classified without networks."""

import zlib
from pathlib import Path

import numpy as np
import tifffile

from antema.domain import Recipe
from antema.imaging import read
from antema.storage import Sample, Store
from tests.strategies.drawn_samples import analyse_drawn

NM = 0.03
SPACING_NM = 0.2355
_CENTRES = [(90, 90), (90, 230), (230, 90), (230, 230)]


def draw_fringed(path: Path, seed: int) -> None:
    """Write four bright discs of about 3 nm whose planes are those of gold's {111}, each in a direction of its own."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:320, :320]
    pixels = rng.normal(200, 40, rows.shape)
    for y, x in _CENTRES:
        inside = np.hypot(rows - y, columns - x) < rng.uniform(42, 58)
        angle = rng.uniform(0, np.pi)
        phase = 2 * np.pi * NM / SPACING_NM * (columns * np.cos(angle) + rows * np.sin(angle))
        pixels[inside] = (1000 + 90 * np.cos(phase) + rng.normal(0, 40, rows.shape))[inside]
    resolution = (1 / NM, 1 / NM)
    tifffile.imwrite(
        path, pixels.clip(0).astype(np.uint16), imagej=True, resolution=resolution, metadata={"unit": "nm"}
    )


def fringed_sample(
    store: Store, folder: Path, name: str, images: int, *, material: str = "gold", classes: tuple[str, ...] = ()
) -> Sample:
    """Make an analysed sample; its particles are classified by chance where `classes` are given."""
    sample = store.create_sample(name, material=material, by="Ann")
    for number in range(images):
        path = folder / f"{name}-{number}.tif"
        # no two files are the same
        draw_fringed(path, zlib.crc32(path.name.encode()))
        store.add_micrograph(sample.id, read(path), path, by="Ann")
    analyse_drawn(store, sample.id, Recipe(), classes=classes)
    return store.sample(sample.id)
