"""ANTEMA's definitions: pixels counted, chains of pixels walked."""

import numpy as np
from numpy.typing import NDArray

from antema.analysis.polygon import Polygon, convex_hull

# Clockwise from east, rows downwards: (dy, dx) of the eight neighbours.
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
_AXIS, _DIAGONAL, _CORNER = 0.980, 1.406, 0.091
_ON_EDGE = 1e-5  # a centre that is nearer than this to an edge lies on it: corners lie on half pixels


def boundary_chain(mask: NDArray[np.bool_]) -> list[int]:
    """Return the closed outer 8-connected boundary of a connected `mask` as directions 0 to 7, clockwise from east.

    Moore-neighbour tracing from the first pixel, with Jacob's stopping criterion; empty for a single pixel.
    """
    w = mask.shape[1]
    width = w + 2
    flat = np.pad(mask, 1).ravel().tolist()
    offsets = [dy * width + dx for dy, dx in _STEPS]
    start = int(np.flatnonzero(mask)[0])
    position = (start // w + 1) * width + start % w + 1
    # The first pixel in reading order has nothing above it and nothing to its left: begin the search north-east.
    first = _next_step(flat, position, offsets, 7)
    if first is None:
        return []
    chain: list[int] = []
    origin, direction = position, first
    while True:
        chain.append(direction)
        position += offsets[direction]
        # The neighbour just before this one was seen to be background: go on from there.
        step = _next_step(flat, position, offsets, direction + (6 if direction % 2 else 7))
        assert step is not None  # the pixel we came from is a neighbour
        direction = step
        if position == origin and direction == first:
            return chain


def chain_perimeter(mask: NDArray[np.bool_]) -> float:
    """Return the perimeter in pixels along the outer boundary chain (Vossepoel and Smeulders 1982).

    0.980 for a step along an axis, 1.406 for a diagonal one, less 0.091 for every corner. As MATLAB's
    ``regionprops`` counts them, a corner is a change between horizontal, vertical and diagonal steps.
    """
    chain = np.array(boundary_chain(mask), dtype=np.int64)
    if chain.size == 0:
        return 0.0
    kind = np.where(chain % 2 == 1, 1, np.where(chain % 4 == 0, 0, 2))
    n_diagonal = int(np.count_nonzero(kind == 1))
    n_corners = int(np.count_nonzero(kind != np.roll(kind, 1)))
    return _AXIS * (chain.size - n_diagonal) + _DIAGONAL * n_diagonal - _CORNER * n_corners


def convex_image(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of the convex hull of a mask, as MATLAB fills it.

    The hull is that of the midpoints of the pixels' edges. Of the pixel centres that lie exactly on it those on the
    right belong to it and those on the left do not, unless they are of the mask: ANTEMA's table is only met so.
    """
    rows, first, last = _row_ends(mask)
    points = np.concatenate(
        [
            np.stack([first - 0.5, rows], axis=1),
            np.stack([last + 0.5, rows], axis=1),
            *(np.stack([end, rows + dy], axis=1) for dy in (-0.5, 0.5) for end in (first, last)),
        ]
    )
    hull = convex_hull(points.astype(np.float64))
    # Two chains of corners lead from the top to the bottom; both ends lie on half pixels, so no row meets a flat one.
    hull = np.roll(hull, -int(hull[:, 1].argmin()), axis=0)
    turn = int(hull[:, 1].argmax())
    row = np.arange(mask.shape[0], dtype=np.float64)
    down, up = hull[: turn + 1], np.concatenate([hull[turn:], hull[:1]])[::-1]
    one = np.asarray(np.interp(row, down[:, 1], down[:, 0]), np.float64)
    other = np.asarray(np.interp(row, up[:, 1], up[:, 0]), np.float64)
    column = np.arange(mask.shape[1], dtype=np.float64)
    left, right = np.minimum(one, other)[:, None], np.maximum(one, other)[:, None]
    return ((column > left + _ON_EDGE) & (column < right + _ON_EDGE)) | mask


def minor_axis_px(mask: NDArray[np.bool_]) -> float:
    """Return the minor axis of the ellipse with the second moments of a mask, each pixel a unit square."""
    rows, columns = np.nonzero(mask)
    moments = np.cov(np.stack([columns, rows]), bias=True) + np.eye(2) / 12
    return 4 * float(np.sqrt(np.linalg.eigvalsh(moments)[0]))


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


def _next_step(flat: list[bool], position: int, offsets: list[int], search_from: int) -> int | None:
    for turn in range(8):
        direction = (search_from + turn) % 8
        if flat[position + offsets[direction]]:
            return direction
    return None


def _row_ends(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that have pixels, and the first and the last column in each: all that a hull depends on."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    return rows, first, last
