"""What the Bragg spots of a particle say of its crystallinity: one lattice, several, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from antema.analysis.orientations import near_any, spots_of_pair
from antema.domain import MONOCRYSTALLINE, POLYCRYSTALLINE, UNKNOWN
from antema.domain.lattices import Lattice

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_ASIDE = 0.08
"""How far from its particle's middle the middle of a crystal's fringes may lie, in diameters, where it fills it."""
_MIDDLE_ERROR = 0.3
"""Uncertainty of that middle in diameters, times the root of the spot's strength."""
_LEAST_SHARE = 0.05
"""Of the strongest spot's strength, which a spot needs that tells of another crystal."""
_LEAST_CHANCE = 1e-3
_STRAIN = 0.02
"""By which spots may lie off their lattice's, relative to their frequency."""
_RESOLVED = 0.4
"""By which they may, in independent frequencies: a thin crystal's spots are wide, and its tilt moves them."""
_DEPTH = 2.0
"""How far from the plane across the beam reflections show, in independent frequencies."""
_ON_LINE = 0.2
"""Sine of the angle at the zero frequency up to which two spots count as one direction."""
_ANGLE_RAD = np.radians(2.5)
_TRIED = 6
"""Of the strongest spots, of which pairs are tried as two of one lattice."""
_SPLIT = 1.6
"""Independent frequencies within which two spots may be one that is distorted."""


class Placed(Protocol):
    """What is asked of a spot: see `antema.analysis.lattice.Spot`."""

    @property
    def x_per_nm(self) -> float: ...  # noqa: D102
    @property
    def y_per_nm(self) -> float: ...  # noqa: D102
    @property
    def spacing_nm(self) -> float: ...  # noqa: D102
    @property
    def tolerance_nm(self) -> float: ...  # noqa: D102
    @property
    def angle_error_deg(self) -> float: ...  # noqa: D102
    @property
    def strength(self) -> float: ...  # noqa: D102
    @property
    def reflection(self) -> str: ...  # noqa: D102
    @property
    def chance(self) -> float: ...  # noqa: D102


class Located(Protocol):
    """What is asked of where a spot's fringes lie: see `antema.analysis.spot_maps.Spread`."""

    @property
    def x(self) -> float: ...  # noqa: D102
    @property
    def y(self) -> float: ...  # noqa: D102


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
    spots: Sequence[Placed], located: Sequence[Located], material: Lattice | None, resolution_per_nm: float
) -> tuple[Opinion, list[int]]:
    """Return what spots say of a particle, and the number of the lattice that each belongs to.

    Spots belong to one crystal if they lie where one zone axis of the material has them or, of an unknown material,
    on one plane lattice, and if their fringes lie in about the same part of the particle.

    Parameters
    ----------
    spots : sequence of Spot
        By falling strength.
    located : sequence of Spread
        Where their fringes lie.
    material : Lattice or None
        What the particle may be made of.
    resolution_per_nm : float
        Edge of the cell of one independent frequency.

    Returns
    -------
    (Opinion, list of int)
        The opinion; 1 for the spots of the crystal that explains most, 2 and on for others, 0 for those that no
        reflection of the material explains and that decide nothing.
    """
    if not spots:
        return Opinion(UNKNOWN, "No spot stands out of the particle's noise."), []
    places = np.array([[one.x_per_nm, one.y_per_nm] for one in spots])
    lengths = np.linalg.norm(places, axis=1)
    tolerances = np.hypot(_STRAIN * lengths, _RESOLVED * resolution_per_nm)
    domains = np.zeros(len(spots), np.int64)
    number = 0
    while not domains.all():
        left = np.flatnonzero(domains == 0)
        number += 1
        members = _largest_crystal(spots, places, tolerances, left, material, resolution_per_nm)
        domains[left[members]] = number
    counts = [_counts(k, spots, places, domains, resolution_per_nm, material) for k in range(1, number + 1)]
    numbers = np.cumsum(counts)
    final = [int(numbers[k - 1]) if counts[k - 1] else 0 for k in domains]
    crystals = int(numbers[-1])
    if crystals > 1:
        words = "no single crystal of the material gives" if material else "no single lattice gives"
        return Opinion(POLYCRYSTALLINE, f"Spots lie at angles that {words}: {crystals} lattices explain them."), final
    own = np.array(final) == 1
    clear = [k for k, mine in enumerate(final) if mine == 1 and spots[k].strength >= _LEAST_SHARE * spots[0].strength]
    for k in clear:
        uncertain = _MIDDLE_ERROR / np.sqrt(spots[k].strength)
        if np.hypot(located[k].x, located[k].y) > np.hypot(_ASIDE, 2 * uncertain):
            words = "The fringes fill one side of the particle: what is on the other is not the same crystal."
            return Opinion(POLYCRYSTALLINE, words), final
    if not own.any():
        return Opinion(UNKNOWN, "Spots stand out of the noise that no reflection of the material explains."), final
    families = "one family of planes" if _on_one_line(places[own]) else "one crystal"
    return Opinion(MONOCRYSTALLINE, f"All spots are those of {families}."), final


def _largest_crystal(
    spots: Sequence[Placed],
    places: Floats,
    tolerances: Floats,
    left: NDArray[np.int64],
    material: Lattice | None,
    resolution_per_nm: float,
) -> Mask:
    """Return which of the spots `left` the one crystal explains that explains most of them."""
    best = _multiples(places[left], tolerances[left], 0)
    for i, j in combinations(range(min(len(left), _TRIED)), 2):
        a, b = places[left[i]], places[left[j]]
        if best.all():
            break
        if _is_on_line(a, b):
            continue
        if material is None:
            candidates = [_on_lattice(places[left], tolerances[left], a, b)]
        else:
            pair = [spots[int(left[k])] for k in (i, j)]
            angle = _ANGLE_RAD + 2 * np.radians(np.hypot(pair[0].angle_error_deg, pair[1].angle_error_deg))
            near = [one.tolerance_nm / one.spacing_nm**2 for one in pair]
            depth = _DEPTH * resolution_per_nm
            expected = spots_of_pair(material, a, b, (near[0], near[1]), float(angle), depth)
            candidates = [near_any(places[left], one, tolerances[left]) for one in expected]
        for fits in candidates:
            if np.count_nonzero(fits) > np.count_nonzero(best):
                best = fits
    return best


def _multiples(places: Floats, tolerances: Floats, i: int) -> Mask:
    """Return which places are multiples of the i-th, or parts of it."""
    along = places @ places[i] / (places[i] @ places[i])
    across = np.linalg.norm(places - along[:, None] * places[i], axis=1)
    whole = np.where(np.abs(along) >= 0.75, along - np.rint(along), 0.5)
    fits = (np.abs(whole) * np.linalg.norm(places[i]) <= tolerances) & (across <= tolerances)
    for part in (1 / 2, 1 / 3, 2 / 3):
        fits |= (np.abs(np.abs(along) - part) * np.linalg.norm(places[i]) <= tolerances) & (across <= tolerances)
    fits[i] = True
    return fits


def _on_lattice(places: Floats, tolerances: Floats, a: Floats, b: Floats) -> Mask:
    """Return which places are small whole multiples of two added together."""
    base = np.stack([a, b])
    orders = places @ np.linalg.inv(base)
    away = np.linalg.norm((orders - np.rint(orders)) @ base, axis=1)
    return (away <= tolerances) & (np.abs(orders).max(axis=1) < 3.5)


def _counts(
    number: int,
    spots: Sequence[Placed],
    places: Floats,
    domains: NDArray[np.int64],
    resolution_per_nm: float,
    material: Lattice | None,
) -> bool:
    """Return whether the spots of a domain show a crystal beside those before it."""
    own = [int(k) for k in np.flatnonzero(domains == number)]
    if number > 1:
        least = _LEAST_SHARE * spots[0].strength
        own = [k for k in own if spots[k].strength >= least and spots[k].chance <= _LEAST_CHANCE]
        if not own:
            return False
    if material is not None and not any(spots[k].reflection for k in own):
        return False
    earlier = places[domains < number]
    if not len(earlier):
        return True
    both = np.concatenate([earlier, -earlier])
    clear = np.linalg.norm(places[own][:, None] - both, axis=2).min(axis=1) > _SPLIT * resolution_per_nm
    return bool(clear.any())


def _on_one_line(places: Floats) -> bool:
    return all(_is_on_line(places[0], place) for place in places)


def _is_on_line(a: Floats, b: Floats) -> bool:
    return abs(a[0] * b[1] - a[1] * b[0]) < _ON_LINE * float(np.linalg.norm(a) * np.linalg.norm(b))
