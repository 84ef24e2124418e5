"""What the Bragg spots of a particle say of its crystallinity: one lattice, several, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antema.domain import AMORPHOUS, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.domain.lattices import Lattice

Floats = NDArray[np.float64]

_APART = 0.22
"""Distance of the middles of two lattices' fringes, in diameters of the particle, from which they are two places."""


class _Placed(Protocol):
    @property
    def x_per_nm(self) -> float: ...
    @property
    def y_per_nm(self) -> float: ...
    @property
    def spacing_nm(self) -> float: ...
    @property
    def strength(self) -> float: ...
    @property
    def reflection(self) -> str: ...


class _Spread(Protocol):
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def share(self) -> float: ...


@dataclass(frozen=True)
class Opinion:
    """A class and why.

    Parameters
    ----------
    crystallinity : str
        One of `antema.domain.CRYSTALLINITIES`, or ``unknown``.
    reason : str
        A sentence.
    """

    crystallinity: str
    reason: str


def opinion(
    spots: Sequence[_Placed], spreads: Sequence[_Spread], material: Lattice | None, resolution_per_nm: float
) -> tuple[Opinion, list[int]]:
    """Return what spots say of a particle, and the number of the lattice that each belongs to.

    Parameters
    ----------
    spots : sequence of Spot
        By falling strength.
    spreads : sequence of Spread
        Where their fringes lie.
    material : Lattice or None
        What the particle may be made of.
    resolution_per_nm : float
        Edge of the cell of one independent frequency.
    """
    if not spots:
        return Opinion(AMORPHOUS, "No spot stands out of the particle's noise: there is no evidence of a lattice."), []
    n = len(spots)
    if n == 1:
        return Opinion(MONOCRYSTALLINE, "One family of fringes, which one crystal explains."), [1]
    domains = _fitted(spots, resolution_per_nm)
    if max(domains) > 1:
        return Opinion(POLYCRYSTALLINE, "The spots lie at angles that no single lattice gives."), domains
    return Opinion(MONOCRYSTALLINE, "All spots fit one lattice."), domains


def _fitted(spots: Sequence[_Placed], resolution_per_nm: float) -> list[int]:
    places = np.array([[one.x_per_nm, one.y_per_nm] for one in spots])
    best = np.ones(len(spots), bool) & False
    for i in range(min(len(spots), 6)):
        for j in range(i + 1, min(len(spots), 6)):
            base = places[[i, j]]
            sine = abs(np.linalg.det(base)) / np.prod(np.linalg.norm(base, axis=1))
            if sine < 0.3:
                continue
            orders = places @ np.linalg.inv(base)
            off = np.linalg.norm((orders - np.rint(orders)) @ base, axis=1)
            fits = (off < 0.35 * resolution_per_nm + 0.02 / np.array([s.spacing_nm for s in spots])) & (
                np.abs(orders).max(axis=1) < 3.5
            )
            if fits.sum() > best.sum():
                best = fits
    return [1 if one else 2 for one in best]
