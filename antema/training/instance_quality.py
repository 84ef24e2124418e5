"""Whether particles are as surely outlined as they are said to be, several taken for one, and trust where it is due."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.domain.trust import VERDICTS, Trust

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

N_BINS = 10
LUMP_SHARE = 0.6
"""Of each of two true particles that has to be in one found one for it to be a lump."""
POOR_F1 = 0.6
"""An image with less should never be within what a network knows."""
_LEAST_IMAGES = 3


def confidence_calibration(confidence: Floats, is_right: Mask) -> dict[str, Any] | None:
    """Return how often particles of a confidence are right.

    Parameters
    ----------
    confidence : ndarray, shape (n,)
        ``outline_confidence`` of particles; NaN for one that has none.
    is_right : ndarray of bool, shape (n,)
        Whether each matches a true one at IoU 0.5.

    Returns
    -------
    dict or None
        ``n``; ``ece``, the expected calibration error over all of them; ``bins`` with ``low``, ``high``, ``particles``,
        ``mean_confidence`` and ``share_right``, those without particles left out. None where none has a confidence.
    """
    told = np.isfinite(confidence)
    confidence, right = confidence[told], is_right[told].astype(np.float64)
    if not confidence.size:
        return None
    which = np.clip((confidence * N_BINS).astype(np.int64), 0, N_BINS - 1)
    n, said, hits = (np.bincount(which, weights, N_BINS) for weights in (np.ones_like(right), confidence, right))
    bins = [
        {
            "low": k / N_BINS,
            "high": (k + 1) / N_BINS,
            "particles": int(n[k]),
            "mean_confidence": float(said[k] / n[k]),
            "share_right": float(hits[k] / n[k]),
        }
        for k in np.flatnonzero(n).tolist()
    ]
    return {"n": int(confidence.size), "ece": float(np.abs(hits - said).sum() / confidence.size), "bins": bins}


def lumps(common: Floats, true: Sequence[Instance]) -> Mask:
    """Return which found particles hold most of two or more true ones, shape (n_found,).

    Parameters
    ----------
    common : ndarray, shape (n_found, n_true)
        Pixels in common.
    true : sequence of Instance
        The true particles.
    """
    areas = np.array([i.area_px for i in true], float)
    return (common > LUMP_SHARE * areas).sum(axis=1) >= 2


def trust_report(trust: Sequence[Trust | None], f1: Sequence[float]) -> dict[str, Any]:
    """Return whether a model's trust in images tells how well their particles are found.

    Parameters
    ----------
    trust : sequence of Trust or None
        What the model says of each image.
    f1 : sequence of float
        F1 of the particles of each; NaN where there are none.

    Returns
    -------
    dict
        ``verdicts``, how many images have each; ``rank_correlation`` of score and F1 (Spearman), NaN under three
        images or where all of one kind are equal; ``poor_but_within``, the images with an F1 under 0.6 that are said
        to be within what the model knows.
    """
    from scipy.stats import spearmanr

    told = [(each, value) for each, value in zip(trust, f1, strict=True) if each is not None and np.isfinite(value)]
    scores, values = (np.array(column, float) for column in ([t.score for t, _ in told], [v for _, v in told]))
    varied = len(told) >= _LEAST_IMAGES and np.ptp(scores) > 0 and np.ptp(values) > 0
    verdicts = [each.verdict for each in trust if each is not None]
    return {
        "verdicts": {verdict: verdicts.count(verdict) for verdict in VERDICTS},
        "rank_correlation": float(np.asarray(spearmanr(scores, values))[0]) if varied else float("nan"),
        "images": len(told),
        "poor_but_within": sum(each.verdict == VERDICTS[0] and value < POOR_F1 for each, value in told),
    }
