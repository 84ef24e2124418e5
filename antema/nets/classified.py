"""What a classifier of crystallinity says of the particles of an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class EvidenceMap:
    """Where in a particle a classifier sees what speaks for each class.

    Parameters
    ----------
    x, y, w, h : float
        Frame of the map in pixels of the micrograph.
    values : ndarray of float16, shape (rows, columns, 3)
        By how much each place speaks for each class (logits); their mean over the places inside the particle is what
        the classifier goes by. NaN outside the particle.
    """

    x: float
    y: float
    w: float
    h: float
    values: NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Classified:
    """A classifier's answer, one row for each particle that it was asked about.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, 3)
        Calibrated, in the order of `antema.domain.CRYSTALLINITIES`; NaN where `hindrances` says why there are none.
    lattice : ndarray of float64, shape (n,)
        Probability that a lattice could be seen in the particle's place if it had one; NaN like the others.
    hindrances : tuple of str
        Key of `antema.domain.UNKNOWN_REASONS` where the particle could not be asked about, else nothing.
    evidence : tuple of EvidenceMap or None
        Where the classifier saw it.
    """

    probabilities: NDArray[np.float64]
    lattice: NDArray[np.float64]
    hindrances: tuple[str, ...]
    evidence: tuple[EvidenceMap | None, ...]
