"""Tiles to learn from: scaled, cut out, turned and disturbed, the k-th batch always the same for a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.nets.normalisation import finite, standardised
from antema.training.sources import LabelledImage

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How tiles are made of images.

    Parameters
    ----------
    widths_px : tuple of float
        Least and greatest typical width of particles in tiles, after scaling; between them the logarithm is uniform.
    blurred : float
        Share of the tiles that are blurred.
    """

    widths_px: tuple[float, float] = (9.0, 180.0)
    blurred: float = 0.15


@dataclass(frozen=True, eq=False)
class Batch:
    """Tiles, each (n, side, side) float32.

    Parameters
    ----------
    pixels, particle : ndarray
        Grey values, and share of each pixel that is particle.
    weight : ndarray
        How far that is believed.
    contact, contact_weight : ndarray
        Seams between particles (0 or 1), and how far they are believed: not at all where instances are not told apart.
    """

    pixels: Array
    particle: Array
    weight: Array
    contact: Array
    contact_weight: Array


def batch_of(
    sets: Sequence[Sequence[LabelledImage]],
    step: int,
    *,
    seed: int,
    n: int = 16,
    side: int = 256,
    disturb: bool = True,
    tiling: Tiling | None = None,
) -> Batch:
    """Return the batch of one step.

    Parameters
    ----------
    sets : sequence of sequences of LabelledImage
        A set is drawn in proportion to the square root of its size, so that few real images count beside many
        simulated ones.
    step : int
        Number of the batch.
    seed : int
        With `step` it decides everything, so that a run taken up again sees what it would have seen.
    n, side : int
        Tiles and their side in pixels.
    disturb : bool
        Whether grey values are disturbed (contrast, offset, noise, blur).
    tiling : Tiling or None
        At what scales tiles are cut out, and how many are blurred; None: as `Tiling` has it.
    """
    tiling = tiling or Tiling()
    rng = np.random.default_rng((seed, step))
    chances = np.sqrt([len(images) for images in sets])
    tiles: list[tuple[Array, ...]] = []
    while len(tiles) < n:
        images = sets[int(rng.choice(len(sets), p=chances / chances.sum()))]
        scaled = _scaled(images[int(rng.integers(len(images)))], rng, side, tiling.widths_px)
        for _ in range(min(2, n - len(tiles))):
            pixels, *labels = _cut(scaled, rng, side)
            tiles.append((disturbed(pixels, rng, tiling.blurred) if disturb else pixels, *labels))
    return Batch(*(np.stack(part) for part in zip(*tiles, strict=True)))


def _scaled(
    image: LabelledImage, rng: np.random.Generator, side: int, widths_px: tuple[float, float]
) -> tuple[Array, ...]:
    wanted = np.exp(rng.uniform(*np.log(widths_px)))
    zoom = wanted / image.width_px if image.width_px else 1.0
    least = 0.4 * side / min(image.pixels.shape)
    zoom = float(np.clip(zoom, min(least, 1.0), 1.4))
    trusted = np.ones(image.pixels.shape, bool) if image.trusted is None else image.trusted
    pixels = standardised(resized(finite(image.pixels), zoom))
    particle = resized(image.particle.astype(np.float32), zoom)
    weight = resized(trusted.astype(np.float32), zoom)
    if image.contact is None:
        return pixels, particle, weight, np.zeros_like(weight), np.zeros_like(weight)
    return pixels, particle, weight, _scaled_seams(image.contact, particle, zoom), weight


def _scaled_seams(contact: NDArray[np.bool_], particle: Array, zoom: float) -> Array:
    """Return seams at another scale, there too a band of about 3 px inside the particles."""
    share = resized(contact.astype(np.float32), zoom)
    if zoom > 0.7:
        return ((share > 0.5) & (particle > 0)).astype(np.float32)
    line = share > 0.3 * min(1.0, 3 * zoom)
    return (np.asarray(ndimage.binary_dilation(line), bool) & (particle > 0.3)).astype(np.float32)


def resized(values: Array, zoom: float) -> Array:
    """Return `values` (h, w) enlarged by `zoom`: means over areas, so that shares of a mask stay shares."""
    from PIL import Image

    h, w = values.shape
    size = (max(1, round(w * zoom)), max(1, round(h * zoom)))
    if size == (w, h):
        return values
    method = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(values).resize(size, method))


def _cut(scaled: tuple[Array, ...], rng: np.random.Generator, side: int) -> tuple[Array, ...]:
    h, w = scaled[0].shape
    y, x = int(rng.integers(max(h - side, 0) + 1)), int(rng.integers(max(w - side, 0) + 1))
    turns, flip = int(rng.integers(4)), bool(rng.random() < 0.5)
    parts = []
    for values in scaled:
        part = values[y : y + side, x : x + side]
        if part.shape != (side, side):
            part = np.pad(part, ((0, side - part.shape[0]), (0, side - part.shape[1])), mode="symmetric")
        part = np.rot90(part, turns)
        parts.append(np.ascontiguousarray(part[:, ::-1] if flip else part))
    return tuple(parts)


def disturbed(pixels: Array, rng: np.random.Generator, blurred: float) -> Array:
    """Return grey values as other microscopes, cameras and printers might have shown them, some of them blurred."""
    if rng.random() < blurred:
        pixels = np.asarray(ndimage.gaussian_filter(pixels, rng.uniform(0.4, 1.8)), np.float32)
    if rng.random() < 0.3:
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        if rng.random() < 0.3:
            noise = 2 * np.asarray(ndimage.gaussian_filter(noise, rng.uniform(0.4, 1.0)), np.float32)
        strength = np.float32(np.exp(rng.uniform(np.log(0.05), np.log(0.8))))
        pixels = np.asarray(pixels + strength * noise, np.float32)
    if rng.random() < 0.3:  # the grey scale bent, as contrast settings do
        bend = np.float32(rng.uniform(-0.25, 0.25))
        pixels = np.asarray(pixels + bend * (np.clip(pixels, -3, 3) ** 2 - 1), np.float32)
    if rng.random() < 0.3:  # uneven light
        coarse = rng.normal(0, rng.uniform(0.05, 0.4), (3, 3)).astype(np.float32)
        light = ndimage.zoom(coarse, [n / 3 for n in pixels.shape], order=1, grid_mode=True, mode="nearest")
        pixels = np.asarray(pixels + np.asarray(light), np.float32)
    gain, offset = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.3)
    return (pixels * np.float32(gain) + np.float32(offset)).astype(np.float32)
