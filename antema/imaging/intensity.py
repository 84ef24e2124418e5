"""Grey values mapped for the eye (8 bits) and for networks (robustly centred and scaled)."""

import numpy as np
from numpy.typing import NDArray

#: Statistics of larger images are taken from a regular grid of about this many pixels: percentiles of 4096 x 4096
#: values cost half a second, of this many 20 ms, and differ by less than their own sampling error.
_STATISTICS_PIXELS = 1_000_000

#: Half the distance of the 0.5 and 99.5 percentiles of a normal distribution, in standard deviations.
_NORMAL_HALF_SPREAD = 2.5758293


def to_8bit(pixels: NDArray[np.generic], *, low: float = 0.1, high: float = 99.9) -> NDArray[np.uint8]:
    """Map grey values to 8 bits for display.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type. Values that are not finite are shown as black.
    low, high : float
        Percentiles of the finite values that become 0 and 255; what lies outside is clipped.

    Returns
    -------
    ndarray of uint8, shape (h, w)
        A constant image becomes mid-grey.
    """
    sample = _finite_sample(pixels)
    if sample.size == 0:
        return np.zeros(pixels.shape, np.uint8)
    darkest, brightest = (float(value) for value in np.percentile(sample, (low, high)))
    if brightest <= darkest:
        # fewer pixels than the percentiles cut off may carry all the contrast there is
        darkest, brightest = float(sample.min()), float(sample.max())
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    if brightest <= darkest:
        return np.where(finite, np.uint8(128), np.uint8(0))
    values -= np.float32(darkest)
    values *= np.float32(255.0 / (brightest - darkest))
    values[~finite] = 0.0
    np.clip(values, 0.0, 255.0, out=values)
    np.rint(values, out=values)
    return values.astype(np.uint8)


def normalise(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return grey values with median 0 and a robust spread of 1, as networks want them.

    The spread is half the distance of the 0.5 and 99.5 percentiles in units of a normal distribution's standard
    deviation, so that a hot pixel or a beam stop moves nothing, which min-max scaling does not give. The local
    background is kept.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type. Values that are not finite become 0, the median.

    Returns
    -------
    ndarray of float32, shape (h, w)
        All zeros for a constant image.
    """
    sample = _finite_sample(pixels)
    if sample.size == 0:
        return np.zeros(pixels.shape, np.float32)
    low, median, high = (float(value) for value in np.percentile(sample, (0.5, 50.0, 99.5)))
    spread = (high - low) / (2.0 * _NORMAL_HALF_SPREAD)
    if spread <= 0:
        spread = float(sample.std())
    if spread <= 0:
        return np.zeros(pixels.shape, np.float32)
    # the median is taken off in double where single precision would round the contrast away
    wide = pixels.dtype.kind in "iu" and pixels.dtype.itemsize >= 4 or pixels.dtype == np.float64
    if wide:
        values = ((pixels.astype(np.float64) - median) / spread).astype(np.float32)
    else:
        values = pixels.astype(np.float32)
        values -= np.float32(median)
        values /= np.float32(spread)
    values[~np.isfinite(values)] = 0.0
    return values


def _finite_sample(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    step = max(1, int(np.ceil(np.sqrt(pixels.size / _STATISTICS_PIXELS))))
    sample = pixels[::step, ::step].astype(np.float64).ravel()
    sample = sample[np.isfinite(sample)]
    if sample.size == 0 and step > 1:
        sample = pixels.astype(np.float64).ravel()
        sample = sample[np.isfinite(sample)]
    return sample
