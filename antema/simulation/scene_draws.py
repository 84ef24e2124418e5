"""What the kinds of scenes draw alike: sizes, proportions, how noise and fringes look."""

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import Bodies
from antema.simulation.exposures import Look

Rng = np.random.Generator
Shape = tuple[int, int]
Scene = tuple[list[Bodies], Look]
Numbers = NDArray[np.float64]


def log_even(rng: Rng, low: float, high: float) -> float:
    """Return a number that lies between two others, even on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))


def sometimes(rng: Rng, probability: float, low: float, high: float) -> float:
    """Return a number between two others with some probability, else 0."""
    return float(rng.uniform(low, high)) if rng.random() < probability else 0.0


def spread(rng: Rng, n: int, sigma: float) -> NDArray[np.float64]:
    """Return lognormal factors about 1."""
    return np.exp(rng.normal(0, sigma, n))


def wavy(rng: Rng, n: int, strength: float) -> NDArray[np.float64]:
    """Return proportions of rough discs."""
    amplitudes = strength * np.abs(rng.normal(0, 1, (n, 4))) / np.array([1, 1.5, 2, 2.5])
    return np.concatenate([np.minimum(amplitudes, 0.12), rng.uniform(0, 2 * np.pi, (n, 4))], axis=1)


def polygons(rng: Rng, n: int, corners: int | None = None) -> NDArray[np.float64]:
    """Return proportions of rounded polygons."""
    count = np.full(n, float(corners)) if corners else rng.integers(4, 9, n).astype(float)
    return np.stack([count, np.clip(rng.uniform(0.1, 0.6) + rng.normal(0, 0.05, n), 0.05, 0.9), np.ones(n)], axis=1)


def apothem(radius: NDArray[np.float64], form: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half widths of polygons that are as large as discs of `radius`."""
    return radius * np.sqrt(np.pi / (form[:, 0] * np.tan(np.pi / form[:, 0])))


def grains(rng: Rng, probability: float, low: float, high: float) -> tuple[float, float]:
    """Return along how much noise is alike on two axes."""
    if rng.random() >= probability:
        return (0.0, 0.0)
    one = rng.uniform(low, high)
    return (one, one) if rng.random() < 0.6 else (one, one * rng.uniform(0.2, 1))


def fringe(rng: Rng, probability: float, inner_px: float) -> float:
    """Return the width of a Fresnel fringe that leaves something of particles of this half width, or none."""
    return sometimes(rng, probability, 0.6, max(min(4.5, 0.4 * inner_px), 0.8))
