"""Crystal structures: where the atoms of a cell lie, for the types that nanoparticles are made of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float64]
Sites = tuple[Vectors, ...]
"""Fractional coordinates (n, 3) of each kind of atom, in the order of the formula."""

FACE_CENTRING = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
BODY_CENTRING = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
_HEXAGONAL_CLOSE = np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])


def cubic(a_nm: float) -> Vectors:
    """Return the edges of a cubic cell, one a row."""
    return a_nm * np.eye(3)


def tetragonal(a_nm: float, c_nm: float) -> Vectors:
    """Return the edges of a tetragonal cell, one a row."""
    return np.diag([a_nm, a_nm, c_nm])


def hexagonal(a_nm: float, c_nm: float) -> Vectors:
    """Return the edges of a hexagonal cell, one a row, c along z."""
    return np.array([[a_nm, 0, 0], [-a_nm / 2, a_nm * np.sqrt(3) / 2, 0], [0, 0, c_nm]])


def face_centred() -> Sites:
    """Return copper's structure, Fm-3m."""
    return (FACE_CENTRING,)


def body_centred() -> Sites:
    """Return tungsten's structure, Im-3m."""
    return (BODY_CENTRING,)


def hexagonal_close_packed() -> Sites:
    """Return magnesium's structure, P6_3/mmc."""
    return (_HEXAGONAL_CLOSE,)


def diamond() -> Sites:
    """Return diamond's structure, Fd-3m."""
    return (_centred([(0, 0, 0), (0.25, 0.25, 0.25)]),)


def rock_salt() -> Sites:
    """Return halite's structure, Fm-3m."""
    return FACE_CENTRING, _centred([(0.5, 0.5, 0.5)])


def zinc_blende() -> Sites:
    """Return sphalerite's structure, F-43m."""
    return FACE_CENTRING, _centred([(0.25, 0.25, 0.25)])


def fluorite() -> Sites:
    """Return fluorite's structure, Fm-3m."""
    return FACE_CENTRING, _centred([(0.25, 0.25, 0.25), (0.75, 0.75, 0.75)])


def cuprite() -> Sites:
    """Return the structure of Cu2O, Pn-3m."""
    return _centred([(0.25, 0.25, 0.25)]), BODY_CENTRING


def perovskite() -> Sites:
    """Return the structure of a cubic perovskite, Pm-3m, in the order of its formula."""
    return np.zeros((1, 3)), np.full((1, 3), 0.5), np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def wurtzite(u: float) -> Sites:
    """Return wurtzite's structure, P6_3mc; `u` is the anion's height."""
    cation = np.array([[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5]])
    return cation, cation + (0, 0, u)


def anatase(u: float) -> Sites:
    """Return anatase's structure, I4_1/amd with its origin at -4m2."""
    titanium = np.array([[0, 0, 0], [0, 0.5, 0.25]])
    oxygen = np.concatenate([titanium + (0, 0, u), titanium - (0, 0, u)])
    return _centred(titanium, BODY_CENTRING), _centred(oxygen, BODY_CENTRING)


def rutile(u: float) -> Sites:
    """Return rutile's structure, P4_2/mnm."""
    oxygen = [(u, u, 0), (-u, -u, 0), (0.5 + u, 0.5 - u, 0.5), (0.5 - u, 0.5 + u, 0.5)]
    return BODY_CENTRING, np.array(oxygen) % 1


def spinel(u: float) -> Sites:
    """Return spinel's structure, Fd-3m with its origin at the centre of inversion: 8a, 16d and 32e."""
    tetrahedral = np.array([[1, 1, 1], [7, 3, 3]]) / 8
    octahedral = np.array([[2, 2, 2], [1, 3, 0], [3, 0, 1], [0, 1, 3]]) / 4
    oxygen = [
        (u, u, u),
        (-u + 1 / 4, -u + 1 / 4, u),
        (-u + 1 / 4, u, -u + 1 / 4),
        (u, -u + 1 / 4, -u + 1 / 4),
        (u + 3 / 4, u + 1 / 4, -u + 1 / 2),
        (-u, -u, -u),
        (u + 1 / 4, -u + 1 / 2, u + 3 / 4),
        (-u + 1 / 2, u + 3 / 4, u + 1 / 4),
    ]
    return _centred(tetrahedral), _centred(octahedral), _centred(oxygen)


def corundum(z: float, x: float) -> Sites:
    """Return the structure of Al2O3 and Fe2O3, R-3c in hexagonal axes: 12c at (0, 0, z) and 18e at (x, 0, 1/4)."""
    rhombohedral = np.array([[0, 0, 0], [2 / 3, 1 / 3, 1 / 3], [1 / 3, 2 / 3, 2 / 3]])
    metal = [(0, 0, z), (0, 0, 0.5 - z), (0, 0, -z), (0, 0, 0.5 + z)]
    anion = [(x, 0, 0.25), (0, x, 0.25), (-x, -x, 0.25), (-x, 0, 0.75), (0, -x, 0.75), (x, x, 0.75)]
    return _centred(metal, rhombohedral), _centred(anion, rhombohedral)


def _centred(sites: ArrayLike, centring: Vectors = FACE_CENTRING) -> Vectors:
    """Return the sites moved by each vector of a centring."""
    parts: Sequence[Vectors] = [np.asarray(sites, np.float64) + shift for shift in centring]
    return np.concatenate(parts) % 1
