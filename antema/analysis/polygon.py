"""Closed polygons: area, perimeter, centroid, convex hull and Feret diameters.

A polygon is an array of shape (n, 2), one row (x, y) per corner, the first corner not repeated at the end.
"""

# pyright: reportMissingTypeStubs=false
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Polygon = NDArray[np.float64]


def polygon_area(polygon: Polygon) -> float:
    """Return the area that `polygon` encloses (shoelace formula), never negative."""
    return abs(_signed_area(polygon))


def polygon_perimeter(polygon: Polygon) -> float:
    """Return the length of the closed `polygon`."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    return float(np.hypot(edges[:, 0], edges[:, 1]).sum())


def polygon_centroid(polygon: Polygon) -> tuple[float, float]:
    """Return (x, y) of the centre of mass of the area that `polygon` encloses."""
    origin = polygon.mean(axis=0)  # near the polygon, so that products of far coordinates lose no digits
    p = polygon - origin
    following = np.roll(p, -1, axis=0)
    cross = p[:, 0] * following[:, 1] - following[:, 0] * p[:, 1]
    total = cross.sum()
    if total == 0:
        return float(origin[0]), float(origin[1])
    centre = ((p + following) * cross[:, None]).sum(axis=0) / (3 * total) + origin
    return float(centre[0]), float(centre[1])


def polygon_moments(polygon: Polygon) -> tuple[float, float, float]:
    """Return the second central moments xx, xy and yy of the area that `polygon` encloses, over that area."""
    p = polygon - polygon_centroid(polygon)
    q = np.roll(p, -1, axis=0)
    cross = p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]
    total = cross.sum()
    if total == 0:
        return 0.0, 0.0, 0.0
    x, y, u, v = p[:, 0], p[:, 1], q[:, 0], q[:, 1]
    xx = (cross * (x * x + x * u + u * u)).sum() / (6 * total)
    yy = (cross * (y * y + y * v + v * v)).sum() / (6 * total)
    xy = (cross * (2 * x * y + x * v + u * y + 2 * u * v)).sum() / (12 * total)
    return float(xx), float(xy), float(yy)


def convex_hull(points: Polygon) -> Polygon:
    """Return the corners of the convex hull of `points`, shape (n, 2), in order round it."""
    return points[ConvexHull(points).vertices]


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
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    keep = lengths > 0
    normals = np.stack([-edges[keep, 1], edges[keep, 0]], axis=1) / lengths[keep, None]
    along = normals @ hull.T
    smallest = float((along.max(axis=1) - along.min(axis=1)).min())
    gaps = hull[:, None, :] - hull[None, :, :]
    largest = float(np.sqrt((gaps**2).sum(axis=2).max()))
    return smallest, largest


def _signed_area(polygon: Polygon) -> float:
    p = polygon - polygon[0]
    following = np.roll(p, -1, axis=0)
    return 0.5 * float((p[:, 0] * following[:, 1] - following[:, 0] * p[:, 1]).sum())
