"""How many particles a demanded certainty leaves with a class, and how many of those are to be expected right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Coverage:
    """What follows from demanding a certainty, for a row of certainties.

    Parameters
    ----------
    certainties : ndarray, shape (k,)
        Least confidence that gives a particle its class.
    share : ndarray, shape (k,)
        Share of all particles that have a class then.
    accuracy : ndarray, shape (k,)
        Share of those whose class is to be expected right; NaN where none has a class.
    n : int
        All particles.
    """

    certainties: NDArray[np.float64]
    share: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    n: int


def coverage(confidence: ArrayLike, certainties: ArrayLike, weights: ArrayLike | None = None) -> Coverage:
    """Return share and expected accuracy of the particles with a class, by the certainty demanded.

    Parameters
    ----------
    confidence : array_like, shape (n,)
        Calibrated probability of each particle's likeliest class; NaN where a particle could not be asked about, which
        is never given a class and counts among all.
    certainties : array_like, shape (k,)
        What may be demanded.
    weights : array_like, shape (n,), optional
        For how many each particle counts; once each where absent.

    Returns
    -------
    Coverage
        The expected accuracy is the mean confidence of those that have a class, which holds as far as the
        probabilities are calibrated (C. K. Chow, IEEE Transactions on Information Theory 16 (1970) 41-46).

    Raises
    ------
    ValueError
        For weights that are negative or of another number, and for confidences outside 0 to 1.

    Examples
    --------
    >>> found = coverage([0.5, 0.7, 0.9, float("nan")], [0.6])
    >>> float(found.share[0]), round(float(found.accuracy[0]), 3)
    (0.5, 0.8)
    """
    values = np.asarray(confidence, dtype=np.float64).ravel()
    weight = np.ones(values.size) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if weight.shape != values.shape or np.any(weight < 0):
        msg = f"weights: expected {values.size} that are not negative, found {weight.size}"
        raise ValueError(msg)
    asked = ~np.isnan(values)
    if np.any((values[asked] < 0) | (values[asked] > 1)):
        msg = "confidence: expected probabilities from 0 to 1"
        raise ValueError(msg)
    total = float(weight.sum())
    order = np.argsort(-values[asked], kind="stable")
    ranked, counted = values[asked][order], weight[asked][order]
    # of the k surest particles, for each k
    sums = np.concatenate([[0.0], np.cumsum(counted)])
    right = np.concatenate([[0.0], np.cumsum(counted * ranked)])
    demanded = np.asarray(certainties, dtype=np.float64).ravel()
    surest = np.searchsorted(-ranked, -demanded, side="right")
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = np.where(sums[surest] > 0, right[surest] / sums[surest], np.nan)
    share = sums[surest] / total if total > 0 else np.full(demanded.size, np.nan)
    return Coverage(demanded, share, accuracy, int(values.size))
