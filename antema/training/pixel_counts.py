"""Found pixels against true ones, by the formulas of Gumbiowski et al. 2023."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


def confusion(found: Mask, true: Mask) -> Counts:
    """Return the numbers of pixels: particle in both, only found, only true, in neither."""
    n_found, n_true, both = (int(np.count_nonzero(mask)) for mask in (found, true, found & true))
    return np.array([both, n_found - both, n_true - both, found.size - n_found - n_true + both], np.int64)


def confusion_by_label(found: Mask, true: Mask, labels: NDArray[np.integer], n: int) -> Counts:
    """Return the `confusion` of the pixels of each label from 0 to n - 1, shape (n, 4); other labels are left out."""
    code = np.where(found, np.where(true, 0, 1), np.where(true, 2, 3))
    inside = (labels >= 0) & (labels < n)
    flat = np.bincount(labels[inside].astype(np.int64) * 4 + code[inside], minlength=4 * n)
    return flat.reshape(n, 4).astype(np.int64)


def pixel_metrics(counts: Counts) -> dict[str, float]:
    """Return global accuracy, IoU and Dice of `confusion` counts (Gumbiowski et al. 2023, equations 1, 3, 4)."""
    both, wrong, missed, neither = counts.tolist()
    return {
        "accuracy": ratio(both + neither, both + wrong + missed + neither),
        "iou_particle": ratio(both, both + wrong + missed),
        "iou_background": ratio(neither, neither + wrong + missed),
        "dice_particle": ratio(2 * both, 2 * both + wrong + missed),
        "dice_background": ratio(2 * neither, 2 * neither + wrong + missed),
    }


def class_metrics(counts: Counts) -> dict[str, Any]:
    """Return class accuracies (equation 2: the share of a class's true pixels that was found), and the matrix.

    ``confusion`` has a row for each true and a column for each found class, background before particle, in pixels.
    """
    both, wrong, missed, neither = counts.tolist()
    return {
        "accuracy_particle": ratio(both, both + missed),
        "accuracy_background": ratio(neither, neither + wrong),
        "precision_particle": ratio(both, both + wrong),
        "confusion": [[neither, wrong], [missed, both]],
    }


def ratio(part: float, whole: float) -> float:
    """Return part / whole, NaN without a whole."""
    return part / whole if whole else float("nan")
