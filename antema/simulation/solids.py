"""Outlines and thickness profiles of solids drawn without atoms, as signed distances."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
OUTLINES = ("disc", "ellipse", "polygon", "box", "rod", "triangle")
PROFILES = ("flat", "round", "pyramid", "core", "hollow")


def signed_distance(outline: str, x: Values, y: Values, radius: float, rng: np.random.Generator) -> Values:
    """Return the distance to the edge of an outline, negative inside, in the unit of `x` and `y`.

    Parameters
    ----------
    outline : str
        One of `OUTLINES`.
    x, y : ndarray
        Coordinates from the outline's centre.
    radius : float
        Radius of a circle of about the same area.
    rng : Generator
        Source of proportions and direction.
    """
    angle = rng.uniform(0, 2 * np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    if outline == "disc":
        distance = np.hypot(u, v) - radius
    elif outline == "ellipse":
        stretch = np.sqrt(rng.uniform(1.05, 2.2))
        a, b = radius * stretch, radius / stretch
        scaled = np.hypot(u / a, v / b)
        slope = np.hypot(u / a**2, v / b**2)
        distance = scaled * (scaled - 1) / np.maximum(slope, 1e-6)  # exact on the edge, close beside it
    elif outline == "rod":
        aspect = rng.uniform(1.5, 6.0)
        half_width = radius * np.sqrt(np.pi / (4 * (aspect - 1) + np.pi))
        distance = np.hypot(np.maximum(np.abs(u) - half_width * (aspect - 1), 0), v) - half_width
    elif outline == "box":
        aspect = rng.choice([1.0, rng.uniform(1.0, 1.4), rng.uniform(1.5, 4.0)])
        a, b = radius * np.sqrt(np.pi / 4 * aspect), radius * np.sqrt(np.pi / 4 / aspect)
        corner = min(a, b) * rng.uniform(0.03, 0.5)
        p, q = np.abs(u) - a + corner, np.abs(v) - b + corner
        distance = np.hypot(np.maximum(p, 0), np.maximum(q, 0)) + np.minimum(np.maximum(p, q), 0) - corner
    else:
        corners = 3 if outline == "triangle" else int(rng.integers(4, 9))
        irregular = 0.0 if rng.random() < 0.5 else rng.uniform(0, 0.15)
        normals = 2 * np.pi * (np.arange(corners) + rng.uniform(-irregular, irregular, corners)) / corners
        apothem = radius * np.sqrt(np.pi / (corners * np.tan(np.pi / corners)))
        corner = apothem * rng.uniform(0.05, 0.45)
        apothems = apothem * (1 + rng.uniform(-irregular, irregular, corners)) - corner
        distance = _rounded_polygon(u, v, normals, apothems) - corner
    return np.asarray(distance, np.float32)


def thickness(profile: str, distance: Values, radius: float, rng: np.random.Generator) -> tuple[Values, float | None]:
    """Return how thick the solid is above each point, 1 at its thickest, 0 outside, and how wide its shell or wall is.

    Parameters
    ----------
    profile : str
        One of `PROFILES`; ``core`` has a dense core in a light shell, ``hollow`` a thick wall.
    distance : ndarray
        `signed_distance`.
    radius : float
        As there.
    rng : Generator
        Source of the profile's proportions.
    """
    depth = np.clip(-distance / max(radius, 1e-6), 0, None)
    rim = None
    if profile == "flat":
        result = np.minimum(depth / rng.uniform(0.01, 0.12), 1)
    elif profile == "round":
        inner = np.clip(1 - depth, 0, 1)
        result = np.sqrt(1 - inner**2)
    elif profile == "pyramid":
        result = np.minimum(rng.uniform(0.15, 0.5) + depth, 1.0) * np.minimum(depth / 0.03, 1)
    elif profile == "core":
        shell, edge = rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.6)
        rim = edge * radius
        result = shell * np.minimum(depth / 0.05, 1) + (1 - shell) * np.clip((depth - edge) / 0.08, 0, 1)
    else:
        wall, floor = rng.uniform(0.1, 0.45), rng.uniform(0.45, 0.85)
        rim = wall * radius
        result = np.minimum(depth / 0.05, 1) * (1 - (1 - floor) * np.clip((depth - wall) / 0.1, 0, 1))
    return np.asarray(np.where(distance < 0, result, 0), np.float32), rim


def _rounded_polygon(x: Values, y: Values, normals: NDArray[np.float64], apothems: NDArray[np.float64]) -> Values:
    order = np.argsort(normals)
    normals, apothems = normals[order], apothems[order]
    following = np.roll(normals, -1)
    determinant = np.cos(normals) * np.sin(following) - np.sin(normals) * np.cos(following)
    corner_x = (apothems * np.sin(following) - np.roll(apothems, -1) * np.sin(normals)) / determinant
    corner_y = (np.roll(apothems, -1) * np.cos(normals) - apothems * np.cos(following)) / determinant
    inside = np.full(x.shape, -np.inf, np.float32)
    squared = np.full(x.shape, np.inf, np.float32)
    for i, (normal, apothem) in enumerate(zip(normals, apothems, strict=True)):
        inside = np.maximum(inside, x * np.cos(normal) + y * np.sin(normal) - apothem)
        ax, ay, bx, by = corner_x[i - 1], corner_y[i - 1], corner_x[i], corner_y[i]
        length2 = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2, 0, 1)
        squared = np.minimum(squared, (x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2)
    return np.where(inside > 0, np.sqrt(squared), inside)
