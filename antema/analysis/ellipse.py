"""A circle or an ellipse through the free part of an outline."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST_POINTS = 8
_MOST_CONDITION = 1e6  # beyond it the points lie on one line


@dataclass(frozen=True, eq=False)
class Ellipse:
    """An ellipse as a conic a u² + b u v + c v² + d u + e v + f = 0, negative inside, in scaled coordinates.

    Parameters
    ----------
    conic : ndarray, shape (6,)
        a to f.
    centre : ndarray, shape (2,)
        x and y where u = v = 0.
    scale : float
        Length of a unit of u and v.
    """

    conic: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: float

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance of `points`, shape (n, 2), to the ellipse to first order (Sampson), negative inside."""
        a, b, c, d, e, f = self.conic
        u, v = ((points - self.centre) / self.scale).T
        value = a * u * u + b * u * v + c * v * v + d * u + e * v + f
        slope = np.hypot(2 * a * u + b * v + d, b * u + 2 * c * v + e)
        return value / np.maximum(slope, 1e-12) * self.scale


def fit_circle(points: NDArray[np.float64]) -> Ellipse | None:
    """Return the circle of least algebraic distance to `points`, shape (n, 2), None where there is none (Kåsa 1976)."""
    scaled = _scaled(points)
    if scaled is None:
        return None
    (u, v), centre, scale = scaled
    uu, vv, uv = float(u @ u), float(v @ v), float(u @ v)
    # About their centre and at unit size the points decouple the constant term, and the condition is that of two axes.
    spread = math.hypot(uu - vv, 2 * uv)
    if uu + vv + spread > _MOST_CONDITION**2 * (uu + vv - spread):
        return None
    w = u * u + v * v
    uw, vw, determinant = float(u @ w), float(v @ w), uu * vv - uv * uv
    d, e = (uv * vw - vv * uw) / determinant, (uv * uw - uu * vw) / determinant
    return Ellipse(np.array([1.0, 0.0, 1.0, d, e, -float(w.mean())]), centre, scale)


def fit_ellipse(points: NDArray[np.float64]) -> Ellipse | None:
    """Return the ellipse of least algebraic distance to `points`, None where there is none.

    Direct fit under the constraint 4ac - b² = 1 (Fitzgibbon, Pilu and Fisher 1999), in the numerically stable form of
    Halir and Flusser (1998).

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (x, y); at least eight.
    """
    scaled = _scaled(points)
    if scaled is None:
        return None
    (u, v), centre, scale = scaled
    quadratic = np.stack([u * u, u * v, v * v], axis=1)
    linear = np.stack([u, v, np.ones_like(u)], axis=1)
    scatter = linear.T @ linear
    if np.linalg.cond(linear) > _MOST_CONDITION:
        return None
    to_linear = -np.linalg.solve(scatter, linear.T @ quadratic)
    reduced = quadratic.T @ quadratic + (quadratic.T @ linear) @ to_linear
    constrained = np.stack([reduced[2] / 2, -reduced[1], reduced[0] / 2])
    _, vectors = np.linalg.eig(constrained)
    vectors = np.real(vectors)
    discriminants = 4 * vectors[0] * vectors[2] - vectors[1] ** 2
    if not (discriminants > 0).any():
        return None
    first = vectors[:, int(np.argmax(discriminants))]
    conic = np.concatenate([first, to_linear @ first])
    return Ellipse(conic * np.sign(first[0]), centre, scale)


def _scaled(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float] | None:
    """Return points about their centre and at unit size, shape (2, n), with that centre and size."""
    if len(points) < _LEAST_POINTS:
        return None
    centre = points.mean(axis=0)
    scale = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    return (((points - centre) / scale).T, centre, scale) if scale > 0 else None
