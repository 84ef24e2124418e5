"""How far a found outline lies from the true one, and on which side."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from antema.domain import Instance

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def outline_distances(found: Instance, true: Instance, shape: tuple[int, int]) -> tuple[float, float]:
    """Return the mean signed and the mean absolute distance of two outlines in px.

    An outline is the edges between a pixel inside and one outside; the image's border is none. The distance is asked
    of each outline's edges from the other outline, and the two means are averaged. Edges run in steps, and the nearest
    ones lie nearer than the curves that they stand for: of discs whose radii differ by 1 to 3 px the result is 5 to
    11 % less than the difference.

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
    of_found, of_true = _distances(mine, yours), -_distances(yours, mine)
    signed = (of_found.mean() + of_true.mean()) / 2
    absolute = (np.abs(of_found).mean() + np.abs(of_true).mean()) / 2
    return float(signed), float(absolute)


def _within(instance: Instance, top: int, left: int, bottom: int, right: int) -> Mask:
    window = np.zeros((bottom - top, right - left), bool)
    y, x = instance.y - top, instance.x - left
    window[y : y + instance.h, x : x + instance.w] = instance.mask
    return window


def _distances(mask: Mask, other: Mask) -> Floats:
    """Return how far the middle of each edge of `mask` is from the next one of `other`; above 0 outside of that."""
    (own, first, second), (others, _, _) = _edges(mask), _edges(other)
    distance = np.asarray(KDTree(others).query(own)[0], float)
    # of an edge that both have one pixel is inside; it is 0 away
    inside = other[tuple(first.T)].astype(np.int64) + other[tuple(second.T)]
    return np.where(inside > 0, -distance, distance)


def _edges(mask: Mask) -> tuple[Floats, Indices, Indices]:
    """Return the middles (row, column) of the edges of `mask`, and the two pixels that each parts; all (n, 2)."""
    across, along = np.argwhere(mask[:, 1:] != mask[:, :-1]), np.argwhere(mask[1:] != mask[:-1])
    first = np.concatenate([across, along])
    second = np.concatenate([across + (0, 1), along + (1, 0)])
    return (first + second) / 2, first, second
