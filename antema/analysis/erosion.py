"""Erosion by depth, step by step, and how convex what is left is: what UECS asks of every piece, compiled."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_PAD = 3
# The weights of a Gaussian of 0.9 px, which takes the staircase out of a mask's edge and leaves its notches.
_HALF = np.exp(-0.5 * (np.arange(_PAD + 1) / 0.9) ** 2)
_WEIGHTS = _HALF / (_HALF[0] + 2 * _HALF[1:].sum())


def mask_convexity(mask: Mask) -> float:
    """Return hull perimeter / perimeter of the outer outline of a mask with at least one pixel.

    The outline is the level line of the smoothed mask at one half, or at half its maximum where it is all too thin.
    """
    return _convexity(np.ascontiguousarray(mask))


@compiled
def next_event(inner: Floats, eroded_px: float, step: float, least_px: int, threshold: float) -> float:
    """Return the first depth from `eroded_px` on, by `step`, at which not one piece that is not convex is left.

    There it is convex, smaller than `least_px` pixels, gone, or has come apart.

    Parameters
    ----------
    inner : ndarray of float64, shape (h, w)
        Depths of the piece in pixels, 0 outside it.
    eroded_px, step : float
        First depth, and how far it is to the next.
    least_px : int
        Least number of pixels.
    threshold : float
        Convexity above which a piece is convex.
    """
    while True:
        deeper = inner > eroded_px
        if deeper.sum() < least_px or not _is_connected(deeper) or _convexity(deeper) > threshold:
            return eroded_px
        eroded_px += step


@compiled
def next_split(inner: Floats, eroded_px: float, step: float, deepest: float) -> float:
    """Return the first depth from `eroded_px` on, by `step`, with more than one piece left, `deepest` if none."""
    while eroded_px < deepest:
        if not _is_connected(inner > eroded_px):
            return eroded_px
        eroded_px += step
    return deepest


@compiled
def _is_connected(mask: Mask) -> bool:
    """Return whether a mask is one 8-connected piece, or none."""
    h, w = mask.shape
    n_left = mask.sum()
    if n_left == 0:
        return True
    left = mask.copy()
    ys, xs = np.empty(n_left, np.int32), np.empty(n_left, np.int32)
    y, x = 0, 0
    while not left[y, x]:
        x += 1
        if x == w:
            y, x = y + 1, 0
    left[y, x] = False
    ys[0], xs[0], n = y, x, 1
    while n > 0:
        n -= 1
        n_left -= 1
        y, x = ys[n], xs[n]
        for v in range(max(y - 1, 0), min(y + 2, h)):
            for u in range(max(x - 1, 0), min(x + 2, w)):
                if left[v, u]:
                    left[v, u] = False
                    ys[n], xs[n] = v, u
                    n += 1
    return n_left == 0


@compiled
def _convexity(mask: Mask) -> float:
    smooth = _smoothed(mask)
    x, y = _longest_line(smooth, min(0.5, smooth.max() / 2))
    return _length(*_hull(x, y)) / _length(x, y)


@compiled
def _smoothed(mask: Mask) -> Floats:
    """Return a mask as 0 and 1, padded and blurred."""
    h, w = mask.shape
    across = np.zeros((h, w + 2 * _PAD))
    for y in range(h):
        for x in range(w):
            if mask[y, x]:
                for k in range(-_PAD, _PAD + 1):
                    across[y, x + _PAD + k] += _WEIGHTS[abs(k)]
    result = np.zeros((h + 2 * _PAD, w + 2 * _PAD))
    for y in range(h):
        for k in range(-_PAD, _PAD + 1):
            for x in range(w + 2 * _PAD):
                result[y + _PAD + k, x] += _WEIGHTS[abs(k)] * across[y, x]
    return result


@compiled
def _longest_line(values: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the corners of the longest closed level line: x and y of its crossings with the lines of the grid.

    The line is walked with what is above the level on its left; such pixels that meet in a corner are connected.
    """
    h, w = values.shape
    begun = np.zeros((h, w), np.bool_)
    longest_x, longest_y = np.empty(0), np.empty(0)
    longest = -1.0
    for y0 in range(h - 1):
        for x0 in range(w):
            if not (values[y0, x0] > level and values[y0 + 1, x0] <= level) or begun[y0, x0]:
                continue
            xs, ys = np.empty(2 * (h + w)), np.empty(2 * (h + w))
            n = 0
            # two neighbours, above the level on the left and not above it on the right of the way
            left_y, left_x, right_y, right_x = y0, x0, y0 + 1, x0
            while True:
                if n == len(xs):
                    xs, ys = np.concatenate((xs, np.empty(n))), np.concatenate((ys, np.empty(n)))
                high, low = values[left_y, left_x], values[right_y, right_x]
                share = (high - level) / (high - low)
                xs[n], ys[n] = left_x + share * (right_x - left_x), left_y + share * (right_y - left_y)
                n += 1
                if right_y > left_y:
                    begun[left_y, left_x] = True
                # one pixel on, in the direction of the way
                dy, dx = -(right_x - left_x), right_y - left_y
                if values[right_y + dy, right_x + dx] > level:
                    left_y, left_x = right_y + dy, right_x + dx
                elif values[left_y + dy, left_x + dx] > level:
                    left_y, left_x, right_y, right_x = left_y + dy, left_x + dx, right_y + dy, right_x + dx
                else:
                    right_y, right_x = left_y + dy, left_x + dx
                if left_y == y0 and left_x == x0 and right_y == y0 + 1 and right_x == x0:
                    break
            length = _length(xs[:n], ys[:n])
            if length > longest:
                longest, longest_x, longest_y = length, xs[:n], ys[:n]
    return longest_x, longest_y


@compiled
def _length(x: Floats, y: Floats) -> float:
    """Return the length of a closed polygon."""
    total = 0.0
    for k in range(len(x)):
        total += math.hypot(x[k] - x[k - 1], y[k] - y[k - 1])
    return total


@compiled
def _hull(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the corners of the convex hull of a simple closed polygon, in one walk along it (Melkman 1987)."""
    n = len(x)
    deque = np.empty(2 * n + 3, np.int64)
    bottom, top = n, n + 1
    # the first corner, and the first one away from it
    deque[bottom], deque[top] = 0, 1
    begun = False
    for k in range(2, n):
        a, b = deque[bottom], deque[top]
        if not begun:
            turn = _turn(x, y, a, b, k)
            if turn == 0:
                deque[top] = k
                continue
            if turn < 0:
                deque[bottom], deque[top] = b, a
            deque[top + 1] = deque[bottom]
            # the deque begins and ends with the newest corner: k, a, b, k
            deque[bottom - 1] = k
            deque[top + 1] = k
            bottom -= 1
            top += 1
            begun = True
            continue
        if _turn(x, y, deque[bottom], deque[bottom + 1], k) > 0 and _turn(x, y, deque[top - 1], deque[top], k) > 0:
            continue
        while top - bottom > 1 and _turn(x, y, deque[bottom], deque[bottom + 1], k) <= 0:
            bottom += 1
        bottom -= 1
        deque[bottom] = k
        while top - bottom > 1 and _turn(x, y, deque[top - 1], deque[top], k) <= 0:
            top -= 1
        top += 1
        deque[top] = k
    if not begun:
        return x, y
    corners = deque[bottom:top]
    return x[corners], y[corners]


@compiled
def _turn(x: Floats, y: Floats, a: int, b: int, c: int) -> float:
    """Return twice the signed area of a triangle of corners."""
    return (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a])
