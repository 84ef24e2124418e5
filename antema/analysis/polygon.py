"""Closed polygons: area, perimeter, centroid, second moments, convex hull and Feret diameters.

A polygon is an array of shape (n, 2), one row (x, y) per corner, the first corner not repeated at the end.
"""

import math

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Polygon = NDArray[np.float64]


def polygon_area(polygon: Polygon) -> float:
    """Return the area that `polygon` encloses (shoelace formula), never negative."""
    return _moments(_plain(polygon))[0]


def polygon_perimeter(polygon: Polygon) -> float:
    """Return the length of the closed `polygon`."""
    return _perimeter(_plain(polygon))


def polygon_centroid(polygon: Polygon) -> tuple[float, float]:
    """Return (x, y) of the centre of mass of the area that `polygon` encloses."""
    return _moments(_plain(polygon))[1:3]


def polygon_moments(polygon: Polygon) -> tuple[float, tuple[float, float], tuple[float, float, float]]:
    """Return area, centroid (x, y) and the second central moments xx, xy and yy over the area, of `polygon`."""
    area, x, y, xx, xy, yy = _moments(_plain(polygon))
    return area, (x, y), (xx, xy, yy)


def convex_hull(points: Polygon) -> Polygon:
    """Return the corners of the convex hull of `points`, shape (n, 2), in order round it (Andrew 1979)."""
    return _hull(_plain(points))


def feret_diameters(hull: Polygon) -> tuple[float, float]:
    """Return the smallest and the largest distance of two parallel tangents of a convex polygon.

    The smallest is taken where one tangent lies along an edge, the largest joins two corners (Shamos 1978).

    Parameters
    ----------
    hull : ndarray, shape (n, 2)
        Corners of a convex polygon, in order.

    Returns
    -------
    smallest, largest : float
    """
    return _ferets(_plain(hull))


def _plain(polygon: Polygon) -> Polygon:
    return np.ascontiguousarray(polygon, np.float64)


@compiled
def _perimeter(polygon: Polygon) -> float:
    total = 0.0
    for k in range(len(polygon)):
        total += math.hypot(polygon[k, 0] - polygon[k - 1, 0], polygon[k, 1] - polygon[k - 1, 1])
    return total


@compiled
def _moments(polygon: Polygon) -> tuple[float, float, float, float, float, float]:
    """Return area, centroid x and y, and the second central moments xx, xy, yy over the area."""
    n = len(polygon)
    # about the mean of the corners, so that products of far coordinates lose no digits
    ox, oy = 0.0, 0.0
    for k in range(n):
        ox += polygon[k, 0] / n
        oy += polygon[k, 1] / n
    total, sx, sy, sxx, sxy, syy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        x, y = polygon[k - 1, 0] - ox, polygon[k - 1, 1] - oy
        u, v = polygon[k, 0] - ox, polygon[k, 1] - oy
        cross = x * v - u * y
        total += cross
        sx += cross * (x + u)
        sy += cross * (y + v)
        sxx += cross * (x * x + x * u + u * u)
        syy += cross * (y * y + y * v + v * v)
        sxy += cross * (2 * x * y + x * v + u * y + 2 * u * v)
    if total == 0:
        return 0.0, ox, oy, 0.0, 0.0, 0.0
    cx, cy = sx / (3 * total), sy / (3 * total)
    xx, xy, yy = sxx / (6 * total) - cx * cx, sxy / (12 * total) - cx * cy, syy / (6 * total) - cy * cy
    return abs(total) / 2, ox + cx, oy + cy, xx, xy, yy


@compiled
def _hull(points: Polygon) -> Polygon:
    order = np.argsort(points[:, 0])
    for k in range(1, len(order)):  # points one above the other go by y
        m = k
        while m > 0 and (
            points[order[m - 1], 0] == points[order[m], 0] and points[order[m - 1], 1] > points[order[m], 1]
        ):
            order[m - 1], order[m] = order[m], order[m - 1]
            m -= 1
    chain = np.empty((2 * len(order) + 1, 2))
    n = 0
    for lower in (True, False):
        begin = n
        for k in range(len(order)):
            p = points[order[k if lower else len(order) - 1 - k]]
            while n - begin > 1 and (
                (chain[n - 1, 0] - chain[n - 2, 0]) * (p[1] - chain[n - 2, 1])
                <= (chain[n - 1, 1] - chain[n - 2, 1]) * (p[0] - chain[n - 2, 0])
            ):
                n -= 1
            chain[n] = p
            n += 1
        n -= 1  # the last point begins the other chain
    return chain[:n].copy()


@compiled
def _ferets(hull: Polygon) -> tuple[float, float]:
    n = len(hull)
    smallest, largest = np.inf, 0.0
    for k in range(n):
        ex, ey = hull[k, 0] - hull[k - 1, 0], hull[k, 1] - hull[k - 1, 1]
        length = math.hypot(ex, ey)
        low, high = 0.0, 0.0
        for m in range(n):
            dx, dy = hull[m, 0] - hull[k, 0], hull[m, 1] - hull[k, 1]
            largest = max(largest, dx * dx + dy * dy)
            height = ex * dy - ey * dx
            low, high = min(low, height), max(high, height)
        if length > 0:
            smallest = min(smallest, (high - low) / length)
    return smallest, math.sqrt(largest)
