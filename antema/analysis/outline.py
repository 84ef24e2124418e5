"""The sub-pixel outline of one particle."""

import numpy as np
from numpy.typing import NDArray

from antema.analysis.morphology import SQUARE_3, dilated, eroded, gaussian, level_lines
from antema.analysis.polygon import Polygon, polygon_area, polygon_centroid

_PAD_PX = 3
# A Gaussian of nearly one pixel takes the staircase out of a binary edge (a raw level contour of a mask is 5 % too
# long) and rounds corners by less than a pixel; benchmarks/measurement_bias.py prints what is left.
_SIGMA_PX = 0.9


def outline(
    mask: NDArray[np.bool_],
    probability: NDArray[np.floating] | None = None,
    threshold: float = 0.5,
) -> Polygon:
    """Return the outer outline of an instance.

    Where the instance ends because the probability falls to the threshold, the outline is the map's level line. Where
    a separation cut it, and where there is no map, it is the level line of the smoothed mask; a whole outline of a
    mask encloses as many pixels as the mask has.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
        The instance, connected, with at least one pixel.
    probability : ndarray, shape (h + 2, w + 2), optional
        Probability map on the mask's bounding box and one pixel more on every side; 0 outside the image.
    threshold : float
        Level of the outline on the map.

    Returns
    -------
    ndarray, shape (n, 2)
        Corners (x, y) in pixels, where (0, 0) is the upper left corner of the mask's bounding box and the centre of
        its first pixel is (0.5, 0.5).
    """
    inside = np.pad(mask, _PAD_PX)
    if probability is None:
        smooth, level = _smoothed(inside)
        polygon = _largest_contour(smooth, level)
        polygon = _scaled(polygon, float(np.sqrt(np.count_nonzero(mask) / polygon_area(polygon))))
    else:
        values = np.pad(probability.astype(np.float64), _PAD_PX - 1)
        polygon = _largest_contour(_restricted(inside, values, threshold), threshold)
    return polygon[:, ::-1] + (0.5 - _PAD_PX)


def _restricted(inside: NDArray[np.bool_], values: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return the map on an instance alone: other particles taken away, cut edges as the smoothed mask has them."""
    foreground = values > threshold
    ring = dilated(inside, SQUARE_3)
    edge = inside & ~eroded(inside, SQUARE_3)
    result = np.where(ring, values, 0.0)
    result[inside & ~foreground] = 1.0  # closed holes
    cut = (ring & ~inside & foreground) | (edge & ~foreground)
    if cut.any():
        smooth, level = _smoothed(inside)
        near = dilated(cut, SQUARE_3, times=2)
        result[near] = smooth[near] + (threshold - level)
    return result


def _smoothed(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Return the smoothed mask and the level above which it has as many pixels as the mask."""
    smooth = gaussian(inside, _SIGMA_PX)
    n = int(np.count_nonzero(inside))
    ordered = np.partition(smooth.ravel(), (smooth.size - n - 1, smooth.size - n))
    return smooth, float(ordered[smooth.size - n - 1] + ordered[smooth.size - n]) / 2


def _largest_contour(values: NDArray[np.float64], level: float) -> Polygon:
    return max(level_lines(values, level), key=polygon_area)


def _scaled(polygon: Polygon, factor: float) -> Polygon:
    centre = np.array(polygon_centroid(polygon))
    return (polygon - centre) * factor + centre
