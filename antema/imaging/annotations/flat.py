"""Stretches of constant grey: what a program draws has them, what a noisy detector records has not."""

import numpy as np
from numpy.typing import NDArray

#: Neighbouring pixels of drawn graphics differ by at most this share of an image's range of grey after compression.
_TOLERANCE = 0.012

#: So many pixels of constant grey in a row or a column hardly happen by chance.
_RUN_PX = 12

#: The range of grey is taken from a grid of about this many pixels.
_SAMPLE_PIXELS = 250_000


def has_graphics(pixels: NDArray[np.generic]) -> bool:
    """Return whether an image may hold drawn graphics.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type, as they were recorded.

    Returns
    -------
    bool
        False only where no twelve pixels in a row or column have about the same grey value, as in most micrographs
        that come straight from a detector.
    """
    step = max(1, int(np.sqrt(pixels.size / _SAMPLE_PIXELS)))
    sample = pixels[::step, ::step].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return False
    low, high = np.percentile(sample, (0.5, 99.5))
    tolerance = _TOLERANCE * float(high - low)
    return any(bool(flat_runs(turned, tolerance, _RUN_PX).any()) for turned in (pixels, pixels.T))


def flat_runs(pixels: NDArray[np.generic], tolerance: float, length: int) -> NDArray[np.bool_]:
    """Return where runs of pixels begin along a row whose neighbours differ by no more than a tolerance.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type.
    tolerance : float
        Greatest difference of neighbours.
    length : int
        Least number of pixels in a run.

    Returns
    -------
    ndarray of bool, shape (h, w - length + 1)
        True at the first pixel of every stretch of this length; without columns where the image is narrower.
    """
    if pixels.shape[1] < length:
        return np.zeros((pixels.shape[0], 0), np.bool_)
    # differences of whole numbers below 2^53 are exact in their own type, widened by a bit
    wide = pixels.astype(np.float64) if pixels.dtype.itemsize > 4 else pixels.astype(_wider(pixels.dtype))
    with np.errstate(invalid="ignore"):
        runs: NDArray[np.bool_] = np.abs(np.diff(wide, axis=1)) <= tolerance
    # a run of n differences is two overlapping runs of half as many
    have, need = 1, length - 1
    while have < need:
        shift = min(have, need - have)
        runs = runs[:, :-shift] & runs[:, shift:]
        have += shift
    return runs


def _wider(dtype: np.dtype[np.generic]) -> type[np.generic]:
    if dtype.kind in "ub":
        return np.int16 if dtype.itemsize == 1 else np.int32 if dtype.itemsize == 2 else np.float64
    return np.int32 if dtype.kind == "i" and dtype.itemsize <= 2 else np.float64 if dtype.kind == "i" else np.float32
