"""Whether particles are dark or bright on their ground.

The networks are taught dark particles; bright ones are shown to them inverted. Which it is, a network is asked itself:
it sees a micrograph both ways in its coarse passes, and where it sees it the right way round it is sure of what it
says and finds compact particles, while the gaps between particles, taken for particles, are ragged, run out of the
image and are hardly distinct.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

EVIDENCE = ("decided", "firm", "compact", "inside", "textured", "distinct")
"""What `evidence` measures: shares and logarithms, all larger where the image is seen the right way round."""

_SECONDARY = frozenset(("ETD", "TLD", "INLENS"))
"""Detectors of secondary electrons whose names do not say so."""

STRONG = 3.0
"""Logarithm of the odds that it takes to believe in other than the expected polarity: 20 to 1."""


def expected_polarity(metadata: Mapping[str, object]) -> str:
    """Return what grey particles have to be expected in, by the detector in a micrograph's metadata.

    ``bright`` for annular and other dark-field detectors and for secondary electrons, ``dark`` for all else.
    """
    name = str(metadata.get("detector", "")).upper().replace("-", " ").replace("_", " ")
    words = name.split()
    dark_field = "ADF" in name or any(word.startswith("DF") and len(word) <= 4 for word in words)
    secondary = "".join(words) in _SECONDARY or any(word.startswith("SE") and len(word) <= 4 for word in words)
    return "bright" if dark_field or secondary else "dark"


def evidence(values: NDArray[np.float32], probability: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """Return how much speaks for a map being of an image seen the right way round, shape (6,): see `EVIDENCE`.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
        Grey values as the network saw them, particles dark.
    probability : ndarray of float32, shape (h, w)
        What it said of them.
    threshold : float
        Probability above which a pixel is particle.
    """
    particle = probability > threshold
    n = int(np.count_nonzero(particle))
    unsure = float(np.mean(4 * probability * (1 - probability)))
    decided = -np.log(unsure + 1e-3)
    if n in (0, particle.size):
        return np.array([decided, 0.0, -3.0, 0.0, 0.0, 0.0])
    firm = np.count_nonzero(probability > 0.9) / np.count_nonzero(probability > 0.1)
    edge = np.concatenate([particle[0], particle[-1], particle[1:-1, 0], particle[1:-1, -1]])
    inside, outside = values[particle], values[~particle]
    spread = float(outside.std()) + 1e-6
    distinct = (float(np.median(outside)) - float(np.median(inside))) / spread
    textured = np.log((float(inside.std()) + 1e-6) / spread)
    return np.array(
        [decided, firm, np.log(_compactness(particle)), 1 - edge.mean(), textured, np.clip(distinct, -2, 6)], float
    )


def _compactness(particle: NDArray[np.bool_]) -> float:
    """Return 4 pi area / perimeter² of the regions, mean by area: about 1 for discs, whatever their size."""
    labels = np.asarray(label(particle), np.int64)
    n = int(labels.max())
    inner = np.asarray(ndimage.binary_erosion(particle, border_value=1), bool)
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    edge = np.bincount(labels[particle & ~inner], minlength=n + 1)[1:]
    return float(np.sum(4 * np.pi * area**2 / np.maximum(edge, 1) ** 2) / area.sum())


def chosen_polarity(log_odds: float, expected: str = "dark") -> str:
    """Return ``dark`` or ``bright``: what is expected, unless there is strong evidence for the other.

    Parameters
    ----------
    log_odds : float
        Logarithm of the odds that particles are dark.
    expected : str
        What to take them for otherwise.
    """
    if expected == "bright":
        return "dark" if log_odds > STRONG else "bright"
    return "bright" if log_odds < -STRONG else "dark"
