"""Small micrographs of bright discs, and stores that hold them."""

import hashlib
import time
from pathlib import Path

import numpy as np
import tifffile

from antema.analysis import analyse, result_key
from antema.domain import Instance, Micrograph, PixelSize, Recipe
from antema.storage import ImageResult, Store, StoredMicrograph

NM = 0.1


class ThresholdSegmenter:
    """Takes bright for particle, at half the discs' brightness; counts what it is asked."""

    name = "threshold"
    sha256 = "5" * 64
    threshold = 0.5

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.calls = 0

    def probability(self, pixels):
        self.calls += 1
        time.sleep(self.delay_s)
        return np.clip(np.asarray(pixels, np.float32) / 200, 0, 1)


def discs(seed: int, n: int = 3, side: int = 96) -> np.ndarray:
    """Return an image, uint8 (side, side), of `n` discs that touch neither each other nor the edge.

    Their edges are two pixels soft, as a network's probability is; a hard edge has a longer outline than a disc.
    """
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0, 20, (side, side))
    places = [(24, 24), (24, 70), (70, 24), (70, 70)]
    rows, columns = np.mgrid[:side, :side]
    for y, x in places[:n]:
        inside = rng.uniform(8, 12) - np.hypot(rows - y, columns - x)
        pixels = np.maximum(pixels, 200 * np.clip(0.5 + inside / 2, 0, 1))
    return pixels.round().astype(np.uint8)


def write_tiff(folder: Path, pixels: np.ndarray, name: str = "upload.tif") -> tuple[Path, str]:
    """Return a file of `pixels` in `folder` and its digest."""
    path = folder / name
    tifffile.imwrite(path, pixels)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def add_micrograph(
    store: Store, sample_id: int, seed: int, *, name: str | None = None, nm: float | None = NM, n: int = 3, by="Ann"
) -> StoredMicrograph:
    """Store an image of `n` discs."""
    pixels = discs(seed, n)
    path, sha256 = write_tiff(store.incoming_dir, pixels, f"upload-{seed}.tif")
    size = PixelSize.none("no tag") if nm is None else PixelSize(nm, "file: a tag")
    micrograph = Micrograph(pixels, size, path.name, sha256, {"voltage_kv": 200.0})
    return store.add_micrograph(sample_id, micrograph, path, filename=name or f"image-{seed}.tif", by=by)


def save_analysis(
    store: Store, analysis_id: int, stored: StoredMicrograph, recipe: Recipe | None = None
) -> ImageResult:
    """Analyse a stored micrograph here and now, and store the result."""
    recipe = recipe or Recipe()
    segmenter = ThresholdSegmenter()
    pixels = tifffile.imread(store.blob_path(stored.sha256))
    micrograph = Micrograph(pixels, stored.pixel_size, stored.filename, stored.sha256, {})
    key = result_key(stored.sha256, stored.pixel_size.nm, recipe, segmenter.sha256)
    return store.save_result(analysis_id, stored.id, key, analyse(micrograph, recipe, segmenter=segmenter))


def random_instance(rng: np.random.Generator, height: int, width: int) -> Instance:
    """Return an instance with a random mask."""
    return Instance(int(rng.integers(100)), int(rng.integers(100)), rng.random((height, width)) > 0.5)
