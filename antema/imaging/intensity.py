"""Grey values mapped for the eye (8 bits) and for networks (robustly centred and scaled)."""

import numpy as np
from numpy.typing import NDArray

#: Statistics of larger images are taken from a regular grid of about this many pixels: percentiles of 4096 x 4096
#: values cost half a second, of this many 20 ms, and differ by less than their own sampling error.
_STATISTICS_PIXELS = 1_000_000

#: Grey values are mapped for display this many at a time.
_BAND_PIXELS = 4_000_000

#: Half the distance of the 0.5 and 99.5 percentiles of a normal distribution, in standard deviations.
_NORMAL_HALF_SPREAD = 2.5758293

#: Greater values count as not finite, smaller contrasts as none: single precision must not overflow in what follows.
_GREATEST = 1e30
_LEAST_CONTRAST = 1e-30

#: Normalised values are clipped to so many spreads; only the extremes of broken floating-point files reach them.
_GREATEST_NORMALISED = 1e6


def to_8bit(pixels: NDArray[np.generic], *, low: float = 0.1, high: float = 99.9) -> NDArray[np.uint8]:
    """Map grey values to 8 bits for display.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type. Values that are not finite (or beyond 1e30) are shown as black.
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
    if brightest - darkest < _LEAST_CONTRAST:
        # fewer pixels than the percentiles cut off may carry all the contrast there is
        darkest, brightest = float(sample.min()), float(sample.max())
    mapped = np.full(pixels.shape, 128, np.uint8)
    # in bands: the values between of a whole 16384 x 16384 image would take gigabytes
    rows = max(1, _BAND_PIXELS // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):
        band = pixels[top : top + rows]
        if brightest - darkest >= _LEAST_CONTRAST:
            values = _clipped_from(band, darkest, darkest, brightest)
            values *= np.float32(255.0 / (brightest - darkest))
            np.rint(values, out=values)
            # what is not a number is taken out before the cast, which has no value for it
            mapped[top : top + rows] = np.nan_to_num(values, copy=False, nan=0.0).astype(np.uint8)
        _fill_not_finite(band, mapped[top : top + rows])
    return mapped


def normalise(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return grey values with median 0 and a robust spread of 1, as networks want them.

    The spread is half the distance of the 0.5 and 99.5 percentiles in units of a normal distribution's standard
    deviation, so that a hot pixel or a beam stop moves nothing, which min-max scaling does not give. The local
    background is kept.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type. Values that are not finite (or beyond 1e30) become 0, the median.

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
    if spread < _LEAST_CONTRAST:
        spread = float(sample.std())
    if spread < _LEAST_CONTRAST:
        return np.zeros(pixels.shape, np.float32)
    reach = _GREATEST_NORMALISED * spread
    values = _clipped_from(pixels, median, median - reach, median + reach)
    values /= np.float32(spread)
    _fill_not_finite(pixels, values)
    return values


def _clipped_from(pixels: NDArray[np.generic], zero: float, low: float, high: float) -> NDArray[np.float32]:
    """Return grey values clipped to a range, minus `zero`.

    Long integers and doubles are shifted in double precision: single would round the contrast on a high pedestal away.
    """
    is_wide = pixels.dtype.itemsize >= 4 and pixels.dtype != np.float32
    values = pixels.astype(np.float64 if is_wide else np.float32)
    np.clip(values, low, high, out=values)
    values -= zero
    return values.astype(np.float32, copy=False)


def _fill_not_finite(pixels: NDArray[np.generic], mapped: NDArray[np.uint8] | NDArray[np.float32]) -> None:
    if pixels.dtype.kind == "f":
        mapped[~_is_finite(pixels)] = 0


def _is_finite(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    # a comparison with not-a-number is false
    return np.abs(values) <= np.float64(_GREATEST)


def _finite_sample(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    step = max(1, int(np.ceil(np.sqrt(pixels.size / _STATISTICS_PIXELS))))
    sample = pixels[::step, ::step].astype(np.float64).ravel()
    sample = sample[_is_finite(sample)]
    if sample.size == 0 and step > 1:
        sample = pixels.astype(np.float64).ravel()
        sample = sample[_is_finite(sample)]
    return sample
