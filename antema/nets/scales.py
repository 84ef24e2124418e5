"""Working scales: the network knows particles of some tens of pixels, micrographs have them at any size."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

BELIEVED_WIDTH_PX = 14.0
"""Below this width on a coarse map a particle is too small there for its width to be believed."""
COMFORTABLE_PX = (12.0, 160.0)
"""The network is used at all scales at which the typical particle is this wide."""


def candidate_factors(shape: tuple[int, int], *, least_side_px: int = 96) -> list[int]:
    """Return by what factors an image of `shape` may be reduced: 1, 2, 4, 8, as far as it stays large enough."""
    return [factor for factor in (1, 2, 4, 8) if factor == 1 or min(shape) // factor >= least_side_px]


def reduced(pixels: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the mean over blocks of `factor` x `factor` pixels; edge pixels are repeated to fill the last blocks."""
    if factor == 1:
        return pixels
    h, w = pixels.shape
    padded = np.pad(pixels, ((0, -h % factor), (0, -w % factor)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def enlarged(values: NDArray[np.float32], factor: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return `values` of a reduced image on the pixels of the full one, by linear interpolation between centres."""
    if factor == 1:
        return values
    result = values
    for axis, size in enumerate(shape):
        centre = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, result.shape[axis] - 1)
        below = np.minimum(centre.astype(np.int64), max(result.shape[axis] - 2, 0))
        above = np.minimum(below + 1, result.shape[axis] - 1)
        share = (centre - below).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        result = np.asarray(result.take(below, axis) * (1 - share) + result.take(above, axis) * share, np.float32)
    return result


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


def estimated_width_px(width_px: Callable[[int], float], factors: Sequence[int]) -> float:
    """Return the typical width of a particle in pixels of the full image.

    The coarsest map whose particles are wide enough there to be believed tells it.

    Parameters
    ----------
    width_px : callable
        Gives `typical_width_px` of the map at a factor, in pixels of that map; asked from coarse to fine, and no
        further than needed.
    factors : sequence of int
        Increasing reduction factors.
    """
    width = 0.0
    for factor in reversed(factors):
        found = width_px(factor)
        width = found * factor
        if found >= BELIEVED_WIDTH_PX:
            break
    return width


def working_factors(width_px: float, factors: Sequence[int]) -> list[int]:
    """Return the factors at which particles of this width are comfortably wide; the nearest one where none is."""
    least, most = COMFORTABLE_PX
    fitting = [factor for factor in factors if least <= width_px / factor <= most]
    if fitting:
        return fitting
    return [factors[-1]] if width_px / factors[-1] > most else [factors[0]]
