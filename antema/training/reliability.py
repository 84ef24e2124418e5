"""Whether probabilities mean what they say: reliability diagram and expected calibration error."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_BINS = 20


def reliability_counts(
    probability: NDArray[np.floating], true: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None
) -> Floats:
    """Return per bin of probability the pixels, the sum of their probabilities, and those truly particle.

    Parameters
    ----------
    probability : ndarray, shape (h, w)
        Probability of "particle".
    true : ndarray of bool, shape (h, w)
        Which pixels are particle.
    counted : ndarray of bool, shape (h, w), optional
        Which pixels count; all unless given.

    Returns
    -------
    ndarray, shape (3, 20)
        For bins of equal width from 0 to 1. Counts of several images may be added.
    """
    given, positive = (probability, true) if counted is None else (probability[counted], true[counted])
    p = np.ravel(given).astype(np.float64)
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    return np.stack(
        [
            np.bincount(bins, weights=weights, minlength=N_BINS).astype(np.float64)
            for weights in (None, p, np.ravel(positive).astype(np.float64))
        ]
    )


def calibration(counts: Floats) -> dict[str, Any]:
    """Return ``ece`` and ``bins`` of `reliability_counts`.

    The expected calibration error is the mean over all pixels of |share truly particle - mean probability| of their
    bin (Guo et al., "On calibration of modern neural networks", ICML 2017). Most pixels are ground that nobody could
    mistake, which makes it small: ``ece_unsure`` is the same over the pixels with a probability of 0.05 to 0.95.
    """
    n, total, positive = counts
    gap = np.abs(positive - total)
    inner = slice(1, N_BINS - 1)
    edges = np.linspace(0, 1, N_BINS + 1)
    bins = [
        {
            "low": round(float(edges[k]), 6),
            "high": round(float(edges[k + 1]), 6),
            "pixels": int(n[k]),
            "mean_probability": float(total[k] / n[k]) if n[k] else float("nan"),
            "share_particle": float(positive[k] / n[k]) if n[k] else float("nan"),
        }
        for k in range(N_BINS)
    ]
    return {
        "ece": float(gap.sum() / n.sum()) if n.sum() else float("nan"),
        "ece_unsure": float(gap[inner].sum() / n[inner].sum()) if n[inner].sum() else float("nan"),
        "bins": bins,
    }


def write_reliability_diagram(calibrations: Sequence[tuple[str, Mapping[str, Any]]], path: Path) -> None:
    """Draw what share of the pixels of a probability is particle, for each named `calibration`, into a PNG."""
    from matplotlib.figure import Figure

    from antema.imaging.palette import GREY, sample_colour

    figure = Figure(figsize=(4.6, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    for k, (name, found) in enumerate(calibrations):
        bins = [each for each in found["bins"] if each["pixels"]]
        means = [each["mean_probability"] for each in bins]
        label = f"{name}, ECE {found['ece']:.4f}"
        upper.plot(
            means, [each["share_particle"] for each in bins], "o-", color=sample_colour(k), markersize=3, label=label
        )
        lower.plot(means, [each["pixels"] for each in bins], "o-", color=sample_colour(k), markersize=3)
    upper.set(ylabel="share truly particle", xlim=(0, 1), ylim=(0, 1))
    lower.set(xlabel="probability", ylabel="pixels", yscale="log")
    upper.legend(fontsize="small", loc="upper left")
    figure.savefig(path, dpi=120)
