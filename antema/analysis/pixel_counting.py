"""ANTEMA's definitions: pixels counted, chains of pixels walked."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.analysis.hulls import convex_image
from antema.analysis.polygon import Polygon, convex_hull
from antema.compiled import compiled

# Clockwise from east, rows downwards: dy and dx of the eight neighbours.
_DY = np.array([0, 1, 1, 1, 0, -1, -1, -1])
_DX = np.array([1, 1, 0, -1, -1, -1, 0, 1])
_AXIS, _DIAGONAL, _CORNER = 0.980, 1.406, 0.091


def boundary_chain(mask: NDArray[np.bool_]) -> list[int]:
    """Return the closed outer 8-connected boundary of a connected `mask` as directions 0 to 7, clockwise from east.

    Moore-neighbour tracing from the first pixel, with Jacob's stopping criterion; empty for a single pixel.
    """
    return _chain(np.ascontiguousarray(mask)).tolist()


def chain_perimeter(mask: NDArray[np.bool_]) -> float:
    """Return the perimeter in pixels along the outer boundary chain (Vossepoel and Smeulders 1982).

    0.980 for a step along an axis, 1.406 for a diagonal one, less 0.091 for every corner. As MATLAB's
    ``regionprops`` counts them, a corner is a change between horizontal, vertical and diagonal steps.
    """
    return _chain_length(_chain(np.ascontiguousarray(mask)))


def minor_axis_px(mask: NDArray[np.bool_]) -> float:
    """Return the minor axis of the ellipse with the second moments of a mask, each pixel a unit square."""
    return _minor_axis(np.ascontiguousarray(mask))


def pixel_corner_hull(mask: NDArray[np.bool_]) -> Polygon:
    """Return the convex hull of the corners of the mask's pixels, (x, y) in pixels from its upper left corner."""
    rows, first, last = _row_ends(mask)
    left, right = np.stack([first, rows], axis=1), np.stack([last + 1, rows], axis=1)
    corners = np.concatenate([left, right, left + (0, 1), right + (0, 1)])
    return convex_hull(corners.astype(np.float64))


def pixel_convexity(mask: NDArray[np.bool_]) -> float:
    """Return ANTEMA's convexity: chain perimeter of the convex image over that of the mask; 1 for a single pixel."""
    perimeter = chain_perimeter(mask)
    return chain_perimeter(convex_image(mask)) / perimeter if perimeter > 0 else 1.0


def _row_ends(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that have pixels, and the first and the last column in each: all that a hull depends on."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    return rows, first, last


@compiled
def _chain(mask: NDArray[np.bool_]) -> NDArray[np.int8]:
    h, w = mask.shape
    inside = np.zeros((h + 2, w + 2), np.bool_)
    inside[1:-1, 1:-1] = mask
    y, x = 1, 1
    while not inside[y, x]:
        x += 1
        if x > w:
            y, x = y + 1, 1
    chain = np.empty(4 * (h + w), np.int8)
    # The first pixel in reading order has nothing above it and nothing to its left: begin the search north-east.
    first = _next_step(inside, y, x, 7)
    if first < 0:
        return chain[:0]
    y0, x0, direction, n = y, x, first, 0
    while n == 0 or y != y0 or x != x0 or direction != first:
        if n == len(chain):
            longer = np.empty(2 * n, np.int8)
            longer[:n] = chain
            chain = longer
        chain[n] = direction
        n += 1
        y, x = y + _DY[direction], x + _DX[direction]
        # The neighbour just before this one was seen to be background: go on from there.
        direction = _next_step(inside, y, x, direction + (6 if direction % 2 else 7))
    return chain[:n]


@compiled
def _next_step(inside: NDArray[np.bool_], y: int, x: int, search_from: int) -> int:
    for turn in range(8):
        direction = (search_from + turn) % 8
        if inside[y + _DY[direction], x + _DX[direction]]:
            return direction
    return -1


@compiled
def _chain_length(chain: NDArray[np.int8]) -> float:
    n = len(chain)
    if n == 0:
        return 0.0
    n_diagonal, n_corners = 0, 0
    before = chain[n - 1] % 4  # 0 horizontal, 2 vertical, 1 and 3 diagonal
    for direction in chain:
        kind = direction % 4
        n_diagonal += kind % 2
        n_corners += kind != before and not (kind % 2 and before % 2)
        before = kind
    return _AXIS * (n - n_diagonal) + _DIAGONAL * n_diagonal - _CORNER * n_corners


@compiled
def _minor_axis(mask: NDArray[np.bool_]) -> float:
    n, sum_x, sum_y, sum_xx, sum_yy, sum_xy = 0, 0, 0, 0, 0, 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                n += 1
                sum_x += x
                sum_y += y
                sum_xx += x * x
                sum_yy += y * y
                sum_xy += x * y
    xx = (sum_xx - sum_x * sum_x / n) / n + 1 / 12
    yy = (sum_yy - sum_y * sum_y / n) / n + 1 / 12
    xy = (sum_xy - sum_x * sum_y / n) / n
    return 4 * math.sqrt((xx + yy) / 2 - math.hypot((xx - yy) / 2, xy))
