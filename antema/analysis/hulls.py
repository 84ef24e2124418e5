"""Convex hulls on the grid of pixels, in whole numbers."""

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Mask = NDArray[np.bool_]


def hull_image(mask: Mask) -> Mask:
    """Return the pixels with centres in the convex hull of the pixel centres of `mask`, which has at least one."""
    return _hull_image(np.ascontiguousarray(mask))


def convex_image(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of the convex hull of a mask, as MATLAB fills it.

    The hull is that of the midpoints of the pixels' edges. Of the pixel centres that lie exactly on it those on the
    right belong to it and those on the left do not, unless they are of the mask: ANTEMA's table is only met so.
    """
    return _convex_image(np.ascontiguousarray(mask))


@compiled
def _convex_image(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    h, w = mask.shape
    # Everything in half pixels, so that all is whole numbers: the row y at 2 y, its edges at 2 y - 1 and 2 y + 1.
    far = 4 * w
    left, right = np.full(2 * h + 1, far), np.full(2 * h + 1, -far)
    for y in range(h):
        for x in range(w):
            if mask[y, x]:
                left[2 * y + 1] = min(left[2 * y + 1], 2 * x - 1)
                right[2 * y + 1] = max(right[2 * y + 1], 2 * x + 1)
                for edge in (2 * y, 2 * y + 2):
                    left[edge] = min(left[edge], 2 * x)
                    right[edge] = max(right[edge], 2 * x)
    hull = mask.copy()
    left_y, left_x, n_left = _envelope(left, far, 1)
    right_y, right_x, _ = _envelope(right, -far, -1)
    one, other = 0, 0
    for y in range(left_y[0] // 2, left_y[n_left - 1] // 2):
        level = 2 * y + 1
        while left_y[one + 1] < level:
            one += 1
        while right_y[other + 1] < level:
            other += 1
        dy = left_y[one + 1] - left_y[one]
        start = (left_x[one] * dy + (left_x[one + 1] - left_x[one]) * (level - left_y[one])) // (2 * dy) + 1
        dy = right_y[other + 1] - right_y[other]
        end = (right_x[other] * dy + (right_x[other + 1] - right_x[other]) * (level - right_y[other])) // (2 * dy)
        hull[y, start : end + 1] = True
    return hull


@compiled
def _hull_image(mask: Mask) -> Mask:
    h, w = mask.shape
    left, right = np.full(h, w), np.full(h, -1)
    for y in range(h):
        for x in range(w):
            if mask[y, x]:
                left[y] = min(left[y], x)
                right[y] = max(right[y], x)
    hull = mask.copy()
    left_y, left_x, n = _envelope(left, w, 1)
    right_y, right_x, _ = _envelope(right, -1, -1)
    one, other = 0, 0
    for y in range(left_y[0] + 1, left_y[n - 1]):
        while left_y[one + 1] < y:
            one += 1
        while right_y[other + 1] < y:
            other += 1
        dy = left_y[one + 1] - left_y[one]
        start = -((left_x[one] * -dy + (left_x[one + 1] - left_x[one]) * (left_y[one] - y)) // dy)
        dy = right_y[other + 1] - right_y[other]
        end = (right_x[other] * dy + (right_x[other + 1] - right_x[other]) * (y - right_y[other])) // dy
        hull[y, start : end + 1] = True
    for y in (left_y[0], left_y[n - 1]):
        hull[y, left[y] : right[y] + 1] = True
    return hull


@compiled
def _envelope(ends: NDArray[np.int64], nothing: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return y, x and number of the corners of one chain of a convex hull, from the top down.

    Parameters
    ----------
    ends : ndarray of int64, shape (h,)
        x of the outermost point at each y; `nothing` where there is none.
    nothing : int
        No x.
    side : int
        1 for the left chain, -1 for the right one.
    """
    ys, xs = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64)
    n = 0
    for y in range(len(ends)):
        x = ends[y]
        if x == nothing:
            continue
        while (
            n > 1
            and side * ((xs[n - 1] - xs[n - 2]) * (y - ys[n - 2]) - (x - xs[n - 2]) * (ys[n - 1] - ys[n - 2])) >= 0
        ):
            n -= 1
        ys[n], xs[n] = y, x
        n += 1
    return ys, xs, n
