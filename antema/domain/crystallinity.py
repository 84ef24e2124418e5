"""What a particle's inner order may be called, and when it is honest to call it anything."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

AMORPHOUS, MONOCRYSTALLINE, POLYCRYSTALLINE = CRYSTALLINITIES = ("amorphous", "monocrystalline", "polycrystalline")
"""The classes, in the order of all probabilities. More than one domain, twins included, is polycrystalline."""
UNKNOWN = "unknown"

UNKNOWN_REASONS: dict[str, str] = {
    "sampling_too_coarse": "the pixels are too coarse for any lattice of the material",
    "too_small": "smaller than the particles that the model knows",
    "too_large": "larger than the particles that the model knows",
    "no_lattice_visible": "no lattice can be seen, and the image does not tell whether there is one",
    "uncertain": "the model is less certain than asked for",
}
"""Why a particle is unknown: by a property of the image or the particle, or by the model's own doubt."""
LEAST_LATTICE = 0.5
"""Least probability of a visible lattice with which a particle is called anything."""
DOUBTS = ("no_lattice_visible", "uncertain")
"""Those of `UNKNOWN_REASONS` that depend on the certainty asked for; the others hold at any."""


def crystallinities(
    probabilities: ArrayLike, lattice: ArrayLike, hindrances: Sequence[str], certainty: float
) -> tuple[list[str], list[str]]:
    """Return what each particle is called at a certainty, and why where it is called unknown.

    A particle in whose place no lattice could be seen is called nothing, however certain its probabilities: what has
    neither fringes nor the conditions for them is judged by its shape and shade alone.

    Parameters
    ----------
    probabilities : array_like, shape (n, 3)
        Calibrated, in the order of `CRYSTALLINITIES`; NaN where a particle was not classified.
    lattice : array_like, shape (n,)
        Probability that a lattice could be seen in its place if there was one; NaN where that is not told. Below
        `LEAST_LATTICE` nothing is named.
    hindrances : sequence of str
        What keeps a particle from being classified at all: a key of `UNKNOWN_REASONS`, or nothing.
    certainty : float
        Least probability that gives a class its name.

    Returns
    -------
    (list of str, list of str)
        Class or `UNKNOWN`, empty where a particle was not asked about; key of `UNKNOWN_REASONS`, empty where it is not
        unknown.

    Examples
    --------
    >>> crystallinities([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2]], [0.9, 0.1], ["", ""], 0.8)
    (['amorphous', 'unknown'], ['', 'no_lattice_visible'])
    """
    hindered = np.array([bool(hindrance) for hindrance in hindrances], dtype=np.bool_)
    classes, doubts = crystallinity_codes(probabilities, lattice, hindered, certainty)
    names = np.array((*CRYSTALLINITIES, UNKNOWN, ""))[classes]
    reasons = np.where(hindered, np.array(hindrances, dtype=str), np.array((*DOUBTS, ""))[doubts])
    return names.tolist(), reasons.tolist()


def crystallinity_codes(
    probabilities: ArrayLike, lattice: ArrayLike, hindered: NDArray[np.bool_], certainty: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return what each particle is called, and the model's own doubt, as numbers.

    Parameters
    ----------
    probabilities, lattice, certainty
        As in `crystallinities`.
    hindered : ndarray of bool, shape (n,)
        Whether something keeps a particle from being classified at all.

    Returns
    -------
    classes : ndarray of int, shape (n,)
        Places in `CRYSTALLINITIES`, 3 for `UNKNOWN`, -1 where a particle was not asked about.
    doubts : ndarray of int, shape (n,)
        Places in `DOUBTS`, -1 where there is none.
    """
    table = np.asarray(probabilities, dtype=np.float64).reshape(-1, 3)
    unseen = np.asarray(lattice, dtype=np.float64) < LEAST_LATTICE
    asked = ~hindered & ~np.isnan(table).any(axis=1)
    # where something is NaN nothing compares, and argmax is not used
    sure = asked & ~unseen & (table.max(axis=1, initial=0.0) >= certainty)
    unsure = asked & ~sure
    classes = np.where(sure, table.argmax(axis=1), np.where(unsure | hindered, len(CRYSTALLINITIES), -1))
    doubts = np.where(unsure, np.where(unseen, 0, 1), -1)
    return classes, doubts
