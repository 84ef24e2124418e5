"""Particles as a classifier sees them: at one sampling, whatever the micrograph's, with their mask."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SAMPLING_NM = 0.06
"""Edge of a pixel of every view: fringes of one spacing look the same in all. Spacings down to 0.12 nm are resolved."""
MARGIN_NM = 0.5
"""Surroundings of a particle in its view."""
SIDES_PX = (48, 64, 80, 96, 128, 160, 192, 224, 256, 320)
"""Sides of views: the least that holds a particle; few, since a network is compiled for each."""
_SMOOTH = 0.4
"""Standard deviation, in pixels of the view, of the filter that keeps finer detail from folding onto coarser."""
_CLIP = 6.0


@dataclass(frozen=True, eq=False)
class Cut:
    """A particle cut out with surroundings, not sampled anew yet, nor finer than it needs to be.

    Parameters
    ----------
    pixels : ndarray of float32, shape (h, w)
        Grey values.
    mask : ndarray of float32, shape (h, w)
        The particle, from 0 to 1.
    pixel_size_nm : float
        Edge of a pixel.
    centre : (float, float)
        Row and column of the middle of the particle's bounding box.
    extent_nm : float
        Longer side of its bounding box.
    """

    pixels: NDArray[np.float32]
    mask: NDArray[np.float32]
    pixel_size_nm: float
    centre: tuple[float, float]
    extent_nm: float

    @property
    def side_px(self) -> int | None:
        """Side of the view that holds the particle; None where it is too large for any."""
        least = (self.extent_nm + 2 * MARGIN_NM) / SAMPLING_NM
        return next((side for side in SIDES_PX if side >= least), None)


def reach_px(extent_px: int, pixel_size_nm: float) -> int:
    """Return how far around the middle of a particle of that extent its view may reach, however it is turned."""
    return int(np.ceil((extent_px / 2 + 2 * MARGIN_NM / pixel_size_nm) * np.sqrt(2))) + 2


def cut_out(pixels: NDArray[np.generic], mask: NDArray[np.bool_], x: int, y: int, pixel_size_nm: float) -> Cut:
    """Return a particle with what its view may need of its surroundings, however it is turned.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of the micrograph, of any type; what is not finite counts as their mean.
    mask : ndarray of bool, shape (mask_h, mask_w)
        The particle in its bounding box.
    x, y : int
        Column and row of the bounding box in the micrograph.
    pixel_size_nm : float
        Edge of a pixel.
    """
    height, width = mask.shape
    extent_px = max(height, width)
    reach = reach_px(extent_px, pixel_size_nm)
    middle_y, middle_x = y + (height - 1) / 2, x + (width - 1) / 2
    top, left = max(int(middle_y) - reach, 0), max(int(middle_x) - reach, 0)
    window = np.asarray(pixels[top : int(middle_y) + reach + 1, left : int(middle_x) + reach + 1], np.float32)
    finite = np.isfinite(window)
    if not finite.all():
        window = np.where(finite, window, window[finite].mean() if finite.any() else 0).astype(np.float32)
    inside = np.zeros(window.shape, np.float32)
    inside[y - top : y - top + height, x - left : x - left + width] = mask
    bins = max(int(SAMPLING_NM / pixel_size_nm), 1)
    if bins > 1:
        # what is left over at the end of a side is far from the particle
        window, inside = (_binned(np.pad(each, ((0, bins), (0, bins)), "edge"), bins) for each in (window, inside))
    return Cut(
        window,
        inside,
        pixel_size_nm * bins,
        ((middle_y - top + 0.5) / bins - 0.5, (middle_x - left + 0.5) / bins - 0.5),
        extent_px * pixel_size_nm,
    )


def view(
    cut: Cut, side_px: int, *, turn_rad: float = 0.0, mirrored: bool = False, stretch: float = 1.0
) -> NDArray[np.float32]:
    """Return a particle as the network sees it.

    Parameters
    ----------
    cut : Cut
        The particle.
    side_px : int
        Side of the view.
    turn_rad : float
        Angle by which it is turned.
    mirrored : bool
        Whether it is mirrored.
    stretch : float
        By how much it is enlarged.

    Returns
    -------
    ndarray of float32, shape (side_px, side_px, 2)
        Grey values with mean 0 and standard deviation 1 inside the particle, clipped at 6, and the mask from 0 to 1.
    """
    step = SAMPLING_NM / cut.pixel_size_nm / stretch
    matrix = step * np.array([[np.cos(turn_rad), -np.sin(turn_rad)], [np.sin(turn_rad), np.cos(turn_rad)]])
    if mirrored:
        matrix[:, 1] *= -1
    offset = tuple(np.array(cut.centre) - matrix @ np.full(2, (side_px - 1) / 2))
    image = cut.pixels
    if step > 1:
        image = ndimage.gaussian_filter(image, _SMOOTH * np.sqrt(step**2 - 1))
    shape = (side_px, side_px)
    grey = _sampled(image, matrix, offset, shape, order=3, mode="mirror")
    mask = _sampled(cut.mask, matrix, offset, shape, order=1, mode="constant")
    return np.stack([normalised(grey, mask), mask], axis=-1, dtype=np.float32)


def _sampled(
    image: Any,  # noqa: ANN401 - SciPy's stubs know no array of offsets
    matrix: NDArray[np.float64],
    offset: Any,  # noqa: ANN401
    shape: tuple[int, int],
    *,
    order: int,
    mode: Any,  # noqa: ANN401
) -> NDArray[np.float32]:
    return np.asarray(
        ndimage.affine_transform(image, matrix, offset, shape, order=order, mode=mode, output=np.float32), np.float32
    )


def normalised(grey: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `grey` with mean 0 and standard deviation 1 over `mask`, clipped at 6."""
    total = max(float(mask.sum()), 1e-6)
    grey = grey - float((grey * mask).sum() / total)
    spread = np.sqrt(float((grey**2 * mask).sum() / total))
    return np.clip(grey / max(spread, 1e-6), -_CLIP, _CLIP).astype(np.float32)


def _binned(image: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    h, w = (n // bins * bins for n in image.shape)
    return image[:h, :w].reshape(h // bins, bins, w // bins, bins).mean(axis=(1, 3))
