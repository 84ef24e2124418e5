"""Orientations of a crystal that bring two of its reflections to two spots, and the spots that it then has."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antema.domain.lattices import Lattice

Floats = NDArray[np.float64]

_FINEST_NM = 0.095


def spots_of_pair(
    lattice: Lattice,
    first: Floats,
    second: Floats,
    tolerances_per_nm: tuple[float, float],
    angle_rad: float,
    depth_per_nm: float,
) -> list[Floats]:
    """Return where a crystal has spots in each orientation in which it has two given ones.

    A particle is so thin that its reflections are rods along the beam: all show that lie within `depth_per_nm` of the
    plane across the beam, not those of one zone axis alone.

    Parameters
    ----------
    lattice : Lattice
        The crystal.
    first, second : ndarray, shape (2,)
        Places of two spots in 1/nm that are not on one line with the zero frequency.
    tolerances_per_nm : (float, float)
        How far their frequencies may lie from those of reflections.
    angle_rad : float
        How far the angle between them may lie from that of reflections.
    depth_per_nm : float
        About one over the particle's thickness.

    Returns
    -------
    list of ndarray, each of shape (n, 2)
        Places of spots in 1/nm; opposite ones are both there.
    """
    starts, vectors, lengths = _reflections(lattice)
    found = np.linalg.norm([first, second], axis=1)
    cosine = np.clip(first @ second / found.prod(), -1, 1)
    partners = np.flatnonzero(np.abs(lengths - found[1]) <= tolerances_per_nm[1])
    results: list[Floats] = []
    for a in starts[np.abs(lengths[starts] - found[0]) <= tolerances_per_nm[0]]:
        cosines = vectors[partners] @ vectors[a] / (lengths[partners] * lengths[a])
        near = np.abs(np.arccos(np.clip(cosines, -1, 1)) - np.arccos(cosine)) <= angle_rad
        for b in partners[near]:
            turned = vectors @ _rotation(vectors[a], vectors[b], first, second).T
            shown = turned[np.abs(turned[:, 2]) <= depth_per_nm, :2]
            # sums and differences of the two show as well, though their planes alone do not diffract
            results.append(np.concatenate([shown, [first + second, first - second, second - first, -first - second]]))
    return results


def near_any(places: Floats, spots: Floats, tolerances_per_nm: Floats) -> NDArray[np.bool_]:
    """Return which places (n, 2) have one of the spots (m, 2) within their tolerance."""
    return np.linalg.norm(places[:, None] - spots, axis=2).min(axis=1) <= tolerances_per_nm


def _rotation(a: Floats, b: Floats, first: Floats, second: Floats) -> Floats:
    """Return the rotation (3, 3) that brings a and b nearest to the directions of two places across the beam."""
    sources = np.stack([a / np.linalg.norm(a), b / np.linalg.norm(b)])
    targets = np.zeros((2, 3))
    targets[:, :2] = first / np.linalg.norm(first), second / np.linalg.norm(second)
    left, _, right = np.linalg.svd(targets.T @ sources)
    handed = np.diag([1.0, 1.0, np.linalg.det(left) * np.linalg.det(right)])
    return left @ handed @ right


@lru_cache(maxsize=16)
def _reflections(lattice: Lattice) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the first of each family, and the reciprocal vectors of all reflections and their lengths."""
    families = lattice.reflections(_FINEST_NM)
    starts = np.cumsum([0, *(len(one.indices) for one in families[:-1])])
    indices = np.array([each for one in families for each in one.indices], np.float64)
    vectors = lattice.places_per_nm(indices)
    return starts, vectors, np.linalg.norm(vectors, axis=1)
