"""Tiles for a network that finds particles one by one: scaled, cut out, turned and disturbed, with their targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled
from antema.nets.normalisation import finite, standardised
from antema.training.outline_targets import targets_of
from antema.training.sources import LabelledImage
from antema.training.tiles import disturbed, resized

Array = NDArray[np.float32]
Values = Any
"""NumPy's arrays, or JAX's on their way through the network."""

PAD_PX = 96
"""What is known of the particles around a tile."""
WIDTHS_PX = (5.0, 130.0)
"""Least and greatest typical width of particles in tiles; between them the logarithm is uniform."""
_MOST_ENLARGED = 2.2
_TILES_AN_IMAGE = 4
_ON_PARTICLES, _LEAST_COVERED = 0.9, 0.05
_LEAST_SEEN = 0.35
"""Share of an outline that is seen, for a network to be taught that the particle is there, and not that it is not."""


@dataclass(frozen=True, eq=False)
class OutlineBatch:
    """Tiles of side s, each array (n, ...); see `antema.training.outline_targets.Targets`.

    Parameters
    ----------
    pixels : ndarray of float32, shape (n, s, s)
        Normalised grey values.
    particle, weight, atoms, atoms_weight, contact, contact_weight : ndarray of float32, shape (n, s, s)
        Maps, and how far each is believed.
    offsets, offset_weight, middle, middle_weight, rays, ray_weight : ndarray of float32
        As of `Targets`.
    """

    pixels: Values
    particle: Values
    weight: Values
    atoms: Values
    atoms_weight: Values
    contact: Values
    contact_weight: Values
    offsets: Values
    offset_weight: Values
    middle: Values
    middle_weight: Values
    rays: Values
    ray_weight: Values


def outline_batch_of(
    sets: Sequence[Sequence[LabelledImage]],
    step: int,
    *,
    seed: int,
    n: int = 8,
    side: int = 256,
    shares: Sequence[float] | None = None,
    disturb: bool = True,
) -> OutlineBatch:
    """Return the batch of one step.

    Parameters
    ----------
    sets : sequence of sequences of LabelledImage
        Read one by one (`antema.training.sources.read_set`).
    step : int
        Number of the batch.
    seed : int
        With `step` it decides everything.
    n, side : int
        Tiles and their side in pixels.
    shares : sequence of float or None
        How often each set is drawn; None: in proportion to the square root of its size.
    disturb : bool
        Whether grey values are disturbed.
    """
    rng = np.random.default_rng((seed, step, 3))
    chances = np.sqrt([len(images) for images in sets]) if shares is None else np.asarray(shares, float)
    tiles: list[Mapping[str, Array]] = []
    while len(tiles) < n:
        images = sets[int(rng.choice(len(sets), p=chances / chances.sum()))]
        scaled = _scaled(images[int(rng.integers(len(images)))], rng, side)
        tiles.extend(_cut(scaled, rng, side, disturb=disturb) for _ in range(min(_TILES_AN_IMAGE, n - len(tiles))))
    return OutlineBatch(**{part.name: np.stack([tile[part.name] for tile in tiles]) for part in fields(OutlineBatch)})


@dataclass(frozen=True, eq=False)
class _Scaled:
    image: LabelledImage
    zoom: float
    pixels: Array
    particle: Array
    weight: Array
    atoms: Array | None
    largest_number: int


def _scaled(image: LabelledImage, rng: np.random.Generator, side: int) -> _Scaled:
    widths = WIDTHS_PX
    wanted = float(np.exp(rng.uniform(*np.log(widths))))
    # of objects of several sizes in an image now the one, now the other is of the wanted width
    zoom = wanted / image.width_px if image.width_px else float(np.exp(rng.uniform(np.log(0.25), 0.5)))
    least = 0.4 * side / min(image.pixels.shape)
    zoom = float(np.clip(zoom, min(least, 1.0), _MOST_ENLARGED))
    trusted = np.ones(image.pixels.shape, bool) if image.trusted is None else image.trusted

    def at_scale(values: NDArray[np.generic]) -> Array:
        return resized(values.astype(np.float32), zoom)

    return _Scaled(
        image,
        zoom,
        standardised(resized(finite(image.pixels), zoom)),
        at_scale(image.particle),
        at_scale(trusted),
        None if image.atoms is None else at_scale(image.atoms),
        int(image.pages.max()) if image.pages is not None else 0,
    )


def _cut(scaled: _Scaled, rng: np.random.Generator, side: int, *, disturb: bool) -> dict[str, Array]:
    h, w = scaled.pixels.shape
    # a picture without its surroundings is mirrored when it is looked at whole; here it is moved into the tile
    y, x = _corner(scaled, rng, side)
    turns, flip = int(rng.integers(4)), bool(rng.random() < 0.5)

    def turned(values: NDArray) -> NDArray:
        values = np.rot90(values, turns, (-2, -1))
        return np.ascontiguousarray(values[..., ::-1] if flip else values)

    def part(values: Array, *, mirrored: bool = False) -> Array:
        rows, columns = np.arange(y, y + side), np.arange(x, x + side)
        if mirrored:
            return values[np.ix_(_mirrored(rows, h), _mirrored(columns, w))]
        result = np.zeros((side, side), np.float32)
        inside = values[max(y, 0) : y + side, max(x, 0) : x + side]
        result[max(-y, 0) : max(-y, 0) + inside.shape[0], max(-x, 0) : max(-x, 0) + inside.shape[1]] = inside
        return result

    pages, is_seen = _pages(scaled, y, x, side)
    targets = targets_of(turned(pages), PAD_PX, is_seen)
    pixels = turned(part(scaled.pixels, mirrored=True))
    weight = turned(part(scaled.weight))
    quarter = weight.reshape(side // 4, 4, side // 4, 4).min(axis=(1, 3)) > 0.5
    half = weight[1::2, 1::2] > 0.5
    if disturb:
        pixels = disturbed(pixels, rng, 0.2)
    atoms = scaled.atoms
    return {
        "pixels": pixels,
        "particle": turned(part(scaled.particle)),
        "weight": weight,
        "atoms": np.zeros_like(weight) if atoms is None else turned(part(atoms)),
        "atoms_weight": np.zeros_like(weight) if atoms is None else weight,
        "contact": targets.contact,
        "contact_weight": weight,
        "offsets": targets.offsets,
        "offset_weight": targets.offset_weight * half,
        "middle": targets.middle,
        "middle_weight": targets.middle_weight * quarter,
        "rays": targets.rays,
        "ray_weight": targets.ray_weight * quarter[..., None],
    }


def _corner(scaled: _Scaled, rng: np.random.Generator, side: int) -> tuple[int, int]:
    """Return where a tile begins: mostly such that a particle lies somewhere in it."""
    ends = [(min(0, n - side), max(n - side, 0)) for n in scaled.pixels.shape]
    for _ in range(6 if rng.random() < _ON_PARTICLES else 1):
        y, x = (int(rng.integers(low, high + 1)) for low, high in ends)
        if scaled.particle[max(y, 0) : y + side : 8, max(x, 0) : x + side : 8].mean() > _LEAST_COVERED:
            break
    return y, x


def _mirrored(index: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    index = index % (2 * n)
    return np.where(index < n, index, 2 * n - 1 - index)


def _pages(scaled: _Scaled, y: int, x: int, side: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the label pages of a tile with `PAD_PX` around it, numbered anew from 1, and which numbers are seen.

    Beyond the picture pages are -1.
    """
    pages = scaled.image.pages
    assert pages is not None
    n, h, w = pages.shape
    rows, columns = (
        np.floor((np.arange(start - PAD_PX, start + side + PAD_PX) + 0.5) / scaled.zoom).astype(np.int64)
        for start in (y, x)
    )
    numbers = np.zeros(scaled.largest_number + 1, np.int32)
    found, n_used = _gathered(pages, rows, columns, numbers)
    is_seen = np.ones(int(numbers.max()) + 1, bool)
    seen = scaled.image.seen
    if seen is not None:
        here = np.flatnonzero(numbers)
        is_seen[numbers[here]] = seen[here - 1] >= _LEAST_SEEN
    return found[: max(n_used, 1)], is_seen


@compiled
def _gathered(
    pages: NDArray[np.integer], rows: NDArray[np.int64], columns: NDArray[np.int64], numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int32], int]:
    """Return the pages at `rows` and `columns`, those with particles first, and how many these are."""
    result = np.empty((pages.shape[0], len(rows), len(columns)), np.int32)
    used, next_number = 0, 0
    for p in range(pages.shape[0]):
        is_used = False
        for i in range(len(rows)):
            row = rows[i]
            for j in range(len(columns)):
                column = columns[j]
                if row < 0 or column < 0 or row >= pages.shape[1] or column >= pages.shape[2]:
                    result[used, i, j] = -1
                    continue
                k = pages[p, row, column]
                if k > 0:
                    is_used = True
                    if numbers[k] == 0:
                        next_number += 1
                        numbers[k] = next_number
                    k = numbers[k]
                result[used, i, j] = k
        if is_used:
            used += 1
        elif used == 0 and p == pages.shape[0] - 1:
            break
    return result, used
