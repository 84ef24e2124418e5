"""Exact Euclidean distances on a grid of pixels (Meijster, Roerdink and Hesselink 2000), in linear time."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def depth(mask: Mask) -> Floats:
    """Return the distance in pixels of every pixel of `mask` to the nearest background; outside is background."""
    return _distances(np.ascontiguousarray(mask), 1)


def distance_to(mask: Mask) -> Floats:
    """Return the distance in pixels of every pixel to the nearest one of `mask`, which has at least one."""
    return _distances(~mask, 0)


def dilated_by(mask: Mask, distance_px: float) -> Mask:
    """Return the pixels within `distance_px` (and the half pixel from a centre to its edge) of a mask."""
    return distance_to(mask) <= distance_px + 0.5


@compiled
def _distances(inside: Mask, outside: int) -> Floats:
    """Return the distance of every pixel to the nearest that is not `inside`, nor, with `outside`, in the array."""
    h, w = inside.shape
    far = h + w + 2
    # along the columns, to the nearest such pixel of the own column
    column = np.empty((h, w), np.int64)
    for x in range(w):
        column[0, x] = (1 if outside else far) if inside[0, x] else 0
    for y in range(1, h):
        for x in range(w):
            column[y, x] = min(column[y - 1, x] + 1, far) if inside[y, x] else 0
    if outside:
        for x in range(w):
            column[h - 1, x] = min(column[h - 1, x], 1)
    for y in range(h - 2, -1, -1):
        for x in range(w):
            column[y, x] = min(column[y, x], column[y + 1, x] + 1)
    # along the rows, the lower envelope of the columns' parabolas; with `outside` there is one more at either end
    result = np.empty((h, w))
    height = np.zeros(w + 2, np.int64)
    apex = np.empty(w + 2, np.int64)
    begin = np.empty(w + 2, np.int64)
    first, last = (0, w + 2) if outside else (1, w + 1)
    for y in range(h):
        for x in range(w):
            height[x + 1] = column[y, x] ** 2
        n = 0
        for u in range(first, last):
            start = first
            while n > 0:
                v = apex[n - 1]
                # from here on the new parabola is the lower one
                start = (u * u - v * v + height[u] - height[v]) // (2 * (u - v)) + 1
                if start > begin[n - 1]:
                    break
                n -= 1
                start = first
            if start < last:
                apex[n], begin[n] = u, start
                n += 1
        for u in range(last - 1, first - 1, -1):
            if 0 < u <= w:
                result[y, u - 1] = math.sqrt(height[apex[n - 1]] + (u - apex[n - 1]) ** 2)
            if u == begin[n - 1]:
                n -= 1
    return result
