"""Where many bodies lie: rafts, packings, scattered ones, aggregates that grew out of clusters, heaps."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from antema.simulation.fourier import long_waves

Places = NDArray[np.float64]
Rng = np.random.Generator


def raft(
    rng: Rng, shape: tuple[int, int], pitch: float, *, square: bool = False, grains: int = 1
) -> tuple[Places, Places]:
    """Return the places (n, 2), as (x, y), of a lattice over an image of `shape`, and its direction at each (n,).

    Parameters
    ----------
    rng : Generator
        Source of directions and grain boundaries.
    shape : tuple of int
        Height and width of what is covered.
    pitch : float
        Distance of neighbours.
    square : bool
        A square lattice; else a hexagonal one.
    grains : int
        How many crystals there are.
    """
    seeds = rng.uniform(0, 1, (grains, 2)) * (shape[1], shape[0])
    half = int(np.hypot(*shape) / pitch / (1 if square else 0.86) / 2) + 2
    i, j = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    x, y = (i, j) if square else (i + 0.5 * (j % 2), j * np.sqrt(0.75))
    lattice = pitch * np.stack([x.ravel(), y.ravel()], axis=1)
    found, angles = [], []
    for k in range(grains):
        angle = rng.uniform(0, 2 * np.pi)
        c, s = np.cos(angle), np.sin(angle)
        places = lattice @ np.array([[c, s], [-s, c]]) + (shape[1] / 2, shape[0] / 2) + rng.uniform(0, pitch, 2)
        if grains > 1:
            places = places[KDTree(seeds).query(places)[1] == k]
        places = places[within(places, shape, pitch)]
        found.append(places)
        angles.append(np.full(len(places), angle))
    return np.concatenate(found), np.concatenate(angles)


def within(places: Places, shape: tuple[int, int], margin: float) -> NDArray[np.bool_]:
    """Return which places lie in an image of `shape` or at most `margin` beside it, bool (n,)."""
    x, y = places[:, 0], places[:, 1]
    return (x > -margin) & (y > -margin) & (x < shape[1] + margin) & (y < shape[0] + margin)


def island(rng: Rng, places: Places, shape: tuple[int, int], share: float) -> NDArray[np.bool_]:
    """Return which places belong to islands that cover `share` of an image, bool (n,)."""
    if share >= 1:
        return np.ones(len(places), bool)
    pattern = long_waves(rng, (64, 64), waves=rng.uniform(0.8, 3))
    row = np.clip(places[:, 1] / shape[0] * 64, 0, 63).astype(int)
    column = np.clip(places[:, 0] / shape[1] * 64, 0, 63).astype(int)
    return pattern[row, column] <= np.quantile(pattern, share)


def relaxed(places: Places, radii: Places, gap: float, *, steps: int = 8) -> Places:
    """Return the places after circles closer than `gap` have pushed each other apart, `steps` times."""
    places = places.copy()
    if len(places) < 2:
        return places
    for _ in range(steps):
        pairs = KDTree(places).query_pairs(2 * float(radii.max()) + gap, output_type="ndarray")
        if len(pairs) == 0:
            break
        i, j = pairs.T
        apart = places[j] - places[i]
        distance = np.maximum(np.hypot(*apart.T), 1e-6)
        lacking = np.maximum(radii[i] + radii[j] + gap - distance, 0)
        push = apart * (0.5 * lacking / distance)[:, None]
        for axis in (0, 1):
            moved = np.bincount(j, push[:, axis], len(places)) - np.bincount(i, push[:, axis], len(places))
            places[:, axis] += moved
    return places


def grown(rng: Rng, radii: Places, *, contact: float = 1.0, flat: float = 1.0) -> Places:
    """Return the places (n, 3) of spheres of an aggregate that grew by clusters meeting clusters.

    Parameters
    ----------
    rng : Generator
        Source of directions.
    radii : ndarray, shape (n,)
        Of the spheres.
    contact : float
        Distance of touching spheres by the sum of their radii: below 1 they are sintered.
    flat : float
        How far directions leave the plane: 1 as in space, 0 not at all.
    """
    clusters = [(np.array([k]), np.zeros((1, 3))) for k in range(len(radii))]
    while len(clusters) > 1:
        merged = []
        for a, b in zip(clusters[::2], clusters[1::2], strict=False):
            merged.append(_met(rng, a, b, radii, contact, flat))
        if len(clusters) % 2:
            merged.append(clusters[-1])
        clusters = merged
    order, places = clusters[0]
    result = np.empty_like(places)
    result[order] = places
    return result - result.mean(axis=0)


def heaped(rng: Rng, radii: Places, *, contact: float = 1.0, flat: float = 0.3) -> Places:
    """Return the places (n, 3) of spheres put one by one beside one that is there: compact heaps and lumps.

    Parameters
    ----------
    rng, radii, contact, flat
        As of `grown`.
    """
    places = np.zeros((len(radii), 3))
    for k in range(1, len(radii)):
        tried = 12
        others = rng.integers(k, size=tried)
        directions = _directions(rng, tried, flat)
        candidates = places[others] + directions * (contact * (radii[others] + radii[k]))[:, None]
        gaps = np.linalg.norm(candidates[:, None] - places[None, :k], axis=2) - contact * (radii[:k] + radii[k])
        overlap = np.minimum(gaps.min(axis=1), 0)
        near = np.linalg.norm(candidates - places[:k].mean(axis=0), axis=1)
        places[k] = candidates[np.lexsort((near, overlap < -0.1 * radii[k]))[0]]
    return places - places.mean(axis=0)


def _directions(rng: Rng, n: int, flat: float) -> Places:
    directions = rng.standard_normal((n, 3)) * (1, 1, flat)
    return directions / np.maximum(np.linalg.norm(directions, axis=1), 1e-9)[:, None]


Cluster = tuple[NDArray[np.int_], Places]


def _met(rng: Rng, a: Cluster, b: Cluster, radii: Places, contact: float, flat: float) -> Cluster:
    tried = 10
    (first, here), (second, there) = a, b
    i, j = rng.integers(len(first), size=tried), rng.integers(len(second), size=tried)
    offsets = here[i] - there[j]
    offsets += _directions(rng, tried, flat) * (contact * (radii[first[i]] + radii[second[j]]))[:, None]
    worst = np.empty(tried)
    sums = contact * (radii[first][:, None] + radii[second][None])
    for k, offset in enumerate(offsets):
        gaps = np.linalg.norm(here[:, None] - (there + offset)[None], axis=2) - sums
        worst[k] = gaps.min()
        if worst[k] > -1e-6:
            break
    best = int(np.argmax(worst[: k + 1]))
    return np.concatenate([first, second]), np.concatenate([here, there + offsets[best]])
