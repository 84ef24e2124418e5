"""The sub-pixel outline of one particle."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.analysis.contours import largest_level_line, restricted, smoothed, unrounded
from antema.analysis.polygon import Polygon, polygon_area, polygon_centroid

MARGIN_PX = 2
"""How much of a probability map around a mask's bounding box `outline` looks at."""


def _gaussian(sigma_px: float) -> NDArray[np.float64]:
    """Return the middle and one half of a Gaussian's weights."""
    weights = np.exp(-0.5 * (np.arange(math.ceil(3 * sigma_px) + 1) / sigma_px) ** 2)
    return weights / (2 * weights.sum() - weights[0])


# A Gaussian of a good pixel takes the staircase out of a binary edge (a raw level contour of a mask is 5 % too long);
# one of half a pixel does as much for a map as its noise grows when corners are sharpened again. What is left of
# either: benchmarks/measurement_bias.py.
_MASK_TAPS = _gaussian(1.2)
_CUT_TAPS = _gaussian(0.9)
_MAP_TAPS = _gaussian(0.5)
_PAD_PX = 5  # the widest of them, and a pixel
# A thread that smoothing takes apart leaves less than this share of the instance.
_LEAST_KEPT = 0.75
_LEAST_SMOOTHED_PX = 12  # of fewer pixels a level line never has the area
# A map with fewer pixels between these values, as a share of the outline's length, is a mask by another name: it has a
# mask's staircase, and what makes up for a soft edge would sharpen it.
_SOFT = (0.05, 0.95)
_LEAST_SOFT = 0.3


def outline(
    mask: NDArray[np.bool_],
    probability: NDArray[np.floating] | None = None,
    threshold: float = 0.5,
) -> Polygon:
    """Return the outer outline of an instance.

    Where the instance ends because the probability falls to the threshold, the outline is the map's level line. Where
    a separation cut it, and where there is no map, or one of 0 and 1 alone, it is the level line of the smoothed mask;
    a whole outline of a mask encloses as many pixels as the mask has. What pixels and smoothing take off corners and
    curves is made up for (`antema.analysis.contours.unrounded`).

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)
        The instance, connected, with at least one pixel.
    probability : ndarray, shape (h + 2 m, w + 2 m), optional
        Probability map on the mask's bounding box and m = `MARGIN_PX` pixels more on every side; 0 outside the image.
    threshold : float
        Level of the outline on the map.

    Returns
    -------
    ndarray, shape (n, 2)
        Corners (x, y) in pixels, where (0, 0) is the upper left corner of the mask's bounding box and the centre of
        its first pixel is (0.5, 0.5).
    """
    h, w = mask.shape
    shape = h + 2 * _PAD_PX, w + 2 * _PAD_PX
    inside = np.zeros(shape, np.bool_)
    inside[_PAD_PX : _PAD_PX + h, _PAD_PX : _PAD_PX + w] = mask
    if probability is None:
        polygon = _of_mask(inside)
    else:
        values = np.zeros(shape)
        rest = _PAD_PX - MARGIN_PX
        values[rest : shape[0] - rest, rest : shape[1] - rest] = probability
        polygon = _of_map(inside, values, threshold)
    return polygon - _PAD_PX


def _of_mask(inside: NDArray[np.bool_]) -> Polygon:
    n = int(np.count_nonzero(inside))
    smooth, level = _smoothed(inside, n, _MASK_TAPS)
    line = largest_level_line(smooth, level)
    if polygon_area(line) < _LEAST_KEPT * n and n >= _LEAST_SMOOTHED_PX:
        polygon = largest_level_line(inside.astype(np.float64), 0.5)
    else:
        polygon = unrounded(line, level, inside.shape[0], inside.shape[1], _MASK_TAPS)
    centre = np.array(polygon_centroid(polygon))
    return (polygon - centre) * math.sqrt(n / polygon_area(polygon)) + centre


def _of_map(inside: NDArray[np.bool_], values: NDArray[np.float64], threshold: float) -> Polygon:
    n = int(np.count_nonzero(inside))
    values, cut = restricted(inside, values, threshold)
    soft = np.count_nonzero((values > _SOFT[0]) & (values < _SOFT[1]))
    if soft < _LEAST_SOFT * 2 * math.sqrt(math.pi * n):
        return _of_mask(inside)
    if cut.any():
        smooth, level = _smoothed(inside, n, _CUT_TAPS)
        values[cut] = smooth[cut] + (threshold - level)
    line = largest_level_line(smoothed(values, _MAP_TAPS), threshold)
    if len(line) == 0 or polygon_area(line) < _LEAST_KEPT * n:
        return largest_level_line(values, threshold)
    return unrounded(line, 0.5, inside.shape[0], inside.shape[1], _MAP_TAPS)


def _smoothed(inside: NDArray[np.bool_], n: int, taps: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the smoothed mask and the level above which it has as many pixels, `n`, as the mask."""
    smooth = smoothed(inside.astype(np.float64), taps)
    ordered = np.partition(smooth.ravel(), (smooth.size - n - 1, smooth.size - n))
    return smooth, float(ordered[smooth.size - n - 1] + ordered[smooth.size - n]) / 2
