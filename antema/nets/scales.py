"""Working scales: the network knows particles of some tens of pixels, micrographs have them at any size."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

BELIEVED_WIDTH_PX = 14.0
"""Below this width on a coarse map a particle is too small there for its width to be believed."""
COMFORTABLE_PX = (18.0, 160.0)
"""A scale counts fully where the typical particle is this wide there."""
BEARABLE_PX = (9.0, 240.0)
"""And not at all where it is narrower or wider than this; between them in proportion to the logarithm."""

_BAND_PX = 256
_LEAST_WEIGHT = 0.1
"""A scale that counts less is not worth its time."""


def candidate_factors(shape: tuple[int, int], *, least_side_px: int = 96) -> list[int]:
    """Return by what factors an image of `shape` may be reduced: 1, 2, 4, 8, as far as it stays large enough."""
    return [factor for factor in (1, 2, 4, 8) if factor == 1 or min(shape) // factor >= least_side_px]


def doubled(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image (h, w) enlarged twice, by linear interpolation between the centres of pixels."""
    from PIL import Image

    h, w = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((2 * w, 2 * h), Image.Resampling.BILINEAR))


def reduced(pixels: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the mean over blocks of `factor` x `factor` pixels; edge pixels are repeated to fill the last blocks."""
    if factor == 1:
        return pixels
    h, w = pixels.shape
    padded = np.pad(pixels, ((0, -h % factor), (0, -w % factor)), mode="edge") if h % factor or w % factor else pixels
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def enlarged(values: NDArray[np.float32], factor: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return `values` of a reduced image on the pixels of the full one, by linear interpolation between centres."""
    if factor == 1:
        return values
    result = np.zeros(shape, np.float32)
    add_enlarged(result, values, factor)
    return result


def add_enlarged(total: NDArray[np.float32], values: NDArray[np.float32], factor: int) -> None:
    """Add `values` of an image reduced by `factor`, interpolated, to `total` (h, w), in place and a band at a time."""
    h, w = total.shape
    left, right, across = _neighbours(w, factor, values.shape[1])
    upper, lower, down = _neighbours(h, factor, values.shape[0])
    for start in range(0, h, _BAND_PX):
        rows = slice(start, min(start + _BAND_PX, h))
        first, last = upper[rows].min(), lower[rows].max() + 1
        wide = values[first:last].take(left, 1) * (1 - across) + values[first:last].take(right, 1) * across
        share = down[rows, None]
        total[rows] += wide.take(upper[rows] - first, 0) * (1 - share) + wide.take(lower[rows] - first, 0) * share


def _neighbours(
    size: int, factor: int, coarse: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return for each of `size` pixels the coarse ones around its centre, and the share of the second."""
    centre = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, coarse - 1)
    below = np.minimum(centre.astype(np.int64), max(coarse - 2, 0))
    return below, np.minimum(below + 1, coarse - 1), (centre - below).astype(np.float32)


def middle(values: NDArray[Any], most_px: int = 2048) -> NDArray[Any]:
    """Return `values` (h, w), cut down to the middle where a side is longer than it takes to measure widths."""
    top, left = (max(side - most_px, 0) // 2 for side in values.shape)
    return values[top : top + most_px, left : left + most_px]


def typical_width_px(particle: NDArray[np.bool_]) -> float:
    """Return the width that half of the particle area lies below, in pixels; 0 without particles.

    The width of a region is twice its largest distance to the background, so that a row of touching particles is
    as wide as one of them.
    """
    if not particle.any():
        return 0.0
    if particle.all():
        return float(max(particle.shape))
    labels = np.asarray(label(particle), np.int64)
    n = int(labels.max())
    distance = np.asarray(ndimage.distance_transform_edt(particle))
    index = np.arange(1, n + 1)
    width = 2 * np.asarray(ndimage.maximum(distance, labels, index))
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    order = np.argsort(width)
    share = np.cumsum(area[order]) / area.sum()
    return float(width[order][np.searchsorted(share, 0.5)])


def estimated_width_px(width_px: Callable[[int], float], factors: Sequence[int]) -> tuple[float, int]:
    """Return the typical width of a particle in pixels of the full image, and the factor whose map told it.

    The coarsest map whose particles are wide enough there to be believed tells it.

    Parameters
    ----------
    width_px : callable
        Gives `typical_width_px` of the map at a factor, in pixels of that map; asked from coarse to fine, and no
        further than needed.
    factors : sequence of int
        Increasing reduction factors.
    """
    width, at = 0.0, factors[-1]
    for at in reversed(factors):
        found = width_px(at)
        width = found * at
        if found >= BELIEVED_WIDTH_PX:
            break
    return width, at


def working_weights(width_px: float, factors: Sequence[int]) -> dict[int, float]:
    """Return at which factors particles of this width are seen well, and what each counts: the shares sum to 1.

    Where no factor suits, the nearest one is taken. A scale comes and goes gradually as particles grow, so that an
    image that is a little larger or smaller is not suddenly seen otherwise.
    """

    def weight(factor: int) -> float:
        if width_px <= 0:
            return 0.0
        size = np.log(width_px / factor)
        (least, low), (high, most) = (
            np.log((BEARABLE_PX[0], COMFORTABLE_PX[0])),
            np.log((COMFORTABLE_PX[1], BEARABLE_PX[1])),
        )
        return float(np.clip(min((size - least) / (low - least), (most - size) / (most - high)), 0, 1))

    weights = {factor: weight(factor) for factor in factors}
    fitting = {factor: each for factor, each in weights.items() if each >= _LEAST_WEIGHT}
    if not fitting:
        return {factors[-1] if width_px / factors[-1] > COMFORTABLE_PX[1] else factors[0]: 1.0}
    return {factor: each / sum(fitting.values()) for factor, each in fitting.items()}
