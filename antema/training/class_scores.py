"""How well classes are told: accuracy, precision, recall, confusion, and accuracy against coverage."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CRYSTALLINITIES, UNKNOWN

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]

TWO_CLASSES = ("amorphous", "crystalline")
_COVERAGES = tuple(round(0.05 * k, 2) for k in range(1, 21))


def two_class(probabilities: Floats, classes: Classes) -> tuple[Floats, Classes]:
    """Return probabilities (n, 2) and classes with both kinds of crystals taken together."""
    return np.stack([probabilities[:, 0], probabilities[:, 1:].sum(axis=1)], axis=1), np.minimum(classes, 1)


def expected_calibration_error(probabilities: np.ndarray, classes: np.ndarray, *, n_bins: int = 15) -> float:
    """Return the mean over particles of |share right - mean confidence| of their bin of confidence.

    C. Guo et al., "On calibration of modern neural networks", ICML 2017; 15 bins of equal width, as there.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, right - confidence, n_bins)
    return float(np.abs(gaps).sum() / len(classes))


def class_scores(
    probabilities: Floats,
    classes: Classes,
    names: Sequence[str],
    *,
    certainty: float,
    nameable: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return the scores of a classifier.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        NaN in the rows of particles that were not asked about: these have no class, and count as not covered.
    classes : ndarray of int, shape (n,)
        What they are.
    names : sequence of str
        Of the k classes.
    certainty : float
        Least probability that gives a class its name.
    nameable : ndarray of bool, shape (n,), optional
        Which may be given a name at all; all unless given.

    Returns
    -------
    dict
        ``n``, ``asked`` and, of those asked about, ``accuracy`` (the likeliest class, whatever its probability),
        ``ece``, ``classes`` (``n``, ``precision``, ``recall`` and ``f1`` of each) and ``confusion`` (rows: what they
        are; columns: likeliest class); of all, ``coverage`` (share with a class at this certainty),
        ``accuracy_of_assigned`` and ``assigned`` (rows: what they are; columns: classes, then unknown);
        ``accuracy_at_coverage``: accuracy of the most certain share. What does not apply is None.
    """
    asked = np.isfinite(probabilities).all(axis=1)
    k = len(names)
    p, true = probabilities[asked], classes[asked]
    found, confidence = p.argmax(axis=1) if len(p) else np.zeros(0, np.int64), p.max(axis=1, initial=0)
    right = found == true
    confusion = np.zeros((k, k), np.int64)
    np.add.at(confusion, (true, found), 1)
    named = np.full(len(classes), k)
    sure = confidence >= certainty
    if nameable is not None:
        sure &= nameable[asked]
    named[np.flatnonzero(asked)[sure]] = found[sure]
    assigned = np.zeros((k, k + 1), np.int64)
    np.add.at(assigned, (classes, named), 1)
    order = np.argsort(-confidence, kind="stable")
    sums = np.cumsum(right[order])
    curve = []
    for coverage in _COVERAGES:
        n = max(round(coverage * len(true)), 1)
        if len(true):
            curve.append(
                {
                    "coverage": coverage,
                    "accuracy": float(sums[n - 1] / n),
                    "least_confidence": float(confidence[order[n - 1]]),
                }
            )
    covered = named < k
    return {
        "n": len(classes),
        "asked": len(true),
        "accuracy": _share(int(right.sum()), len(true)),
        "ece": expected_calibration_error(p, true) if len(true) else None,
        "certainty": certainty,
        "coverage": _share(int(covered.sum()), len(classes)),
        "accuracy_of_assigned": _share(int((named == classes)[covered].sum()), int(covered.sum())),
        "classes": {name: _of_class(confusion, j) for j, name in enumerate(names)},
        "confusion": confusion.tolist(),
        "assigned": assigned.tolist(),
        "accuracy_at_coverage": curve,
    }


def accuracy_at(scores: dict[str, Any], coverage: float) -> float | None:
    """Return the accuracy of the most certain share of particles, from `class_scores`."""
    return next(
        (each["accuracy"] for each in scores["accuracy_at_coverage"] if abs(each["coverage"] - coverage) < 1e-9), None
    )


def hidden_crystals(names: Sequence[str], classes: Classes, visible: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what crystals are called whose lattice cannot be seen: ``n`` and the share of each of `names`."""
    rows = np.flatnonzero((classes > 0) & ~visible)
    said = [names[row] for row in rows.tolist()]
    return {"n": len(rows)} | {
        f"called_{name}": _share(said.count(name), len(rows)) for name in (*CRYSTALLINITIES, UNKNOWN)
    }


def _of_class(confusion: NDArray[np.int64], j: int) -> dict[str, Any]:
    hits, there, said = int(confusion[j, j]), int(confusion[j].sum()), int(confusion[:, j].sum())
    return {
        "n": there,
        "precision": _share(hits, said),
        "recall": _share(hits, there),
        "f1": _share(2 * hits, there + said),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
