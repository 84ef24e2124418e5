"""How far a found outline lies from the true one, and on which side."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import Instance

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def outline_distances(found: Instance, true: Instance, shape: tuple[int, int]) -> tuple[float, float]:
    """Return the mean signed and the mean absolute distance of two outlines in px.

    An outline is the edges between a pixel inside and one outside; the image's border is none. The distance is asked
    of each outline's edges from the other outline, and the two means are averaged.

    Parameters
    ----------
    found, true : Instance
        The particle twice.
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    signed : float
        Positive where the found outline lies outside the true one. NaN where an outline has no edge in the image.
    absolute : float
        The mean (symmetric) surface distance.
    """
    top, left = max(min(found.y, true.y) - 1, 0), max(min(found.x, true.x) - 1, 0)
    bottom = min(max(found.y + found.h, true.y + true.h) + 1, shape[0])
    right = min(max(found.x + found.w, true.x + true.w) + 1, shape[1])
    mine, yours = (_within(each, top, left, bottom, right) for each in (found, true))
    if mine.all() or yours.all():
        return float("nan"), float("nan")
    of_found = _at_edges(_signed_distance(yours), mine)
    of_true = -_at_edges(_signed_distance(mine), yours)
    signed = (of_found.mean() + of_true.mean()) / 2
    absolute = (np.abs(of_found).mean() + np.abs(of_true).mean()) / 2
    return float(signed), float(absolute)


def _within(instance: Instance, top: int, left: int, bottom: int, right: int) -> Mask:
    window = np.zeros((bottom - top, right - left), bool)
    y, x = instance.y - top, instance.x - left
    window[y : y + instance.h, x : x + instance.w] = instance.mask
    return window


def _signed_distance(mask: Mask) -> Floats:
    """Return the distance of each pixel's centre from the outline: above 0 outside, half a pixel beside an edge."""
    outside = np.asarray(ndimage.distance_transform_edt(~mask), float)
    inside = np.asarray(ndimage.distance_transform_edt(mask), float)
    return np.where(mask, 0.5 - inside, outside - 0.5)


def _at_edges(values: Floats, mask: Mask) -> Floats:
    """Return `values` on the edges of `mask`: the mean of the two pixels that an edge parts."""
    across, along = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    return np.concatenate(
        [((values[:, 1:] + values[:, :-1]) / 2)[across], ((values[1:] + values[:-1]) / 2)[along]],
    )
