"""Grey values as the networks expect them: what each one was trained with.

`NORMALISATIONS` has them by the name that a model's card gives.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Normalisation = Callable[[NDArray[np.float32]], NDArray[np.float32]]

ANTEMA_BLUR_PX = 2.0
"""Standard deviation of the Gaussian that the original puts over an image."""
ANTEMA_MEAN, ANTEMA_SPREAD = 114.2725, 58.9159
"""Mean and standard deviation of the 8-bit images that ANTEMA's network was trained on."""


def finite(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return `pixels` as float32 of their own, what is not finite replaced by the median of the rest."""
    values = np.array(pixels, np.float32)
    if pixels.dtype.kind not in "biu":
        bad = ~np.isfinite(values)
        if bad.any():
            values[bad] = np.median(values[~bad]) if not bad.all() else 0.0
    return values


def standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `values` clipped to their 0.1 and 99.9 percentiles, with mean 0 and standard deviation 1.

    Robust spreads do not serve here: on the flat ground of a printed figure they are nearly 0 and would blow the
    particles up to any contrast, while this keeps every contrast within a few units.
    """
    stride = int(np.ceil(np.sqrt(values.size / 2**20)))  # a million pixels tell the percentiles of any image
    low, high = np.percentile(values[::stride, ::stride], (0.1, 99.9))
    if low == high:  # a few odd pixels on a flat image: only they have contrast
        low, high = values.min(), values.max()
    clipped = np.asarray(np.clip(values, np.float32(low), np.float32(high)), np.float32)
    mean, spread = _mean_and_spread(clipped)
    if spread == 0:
        return np.zeros_like(clipped)
    clipped -= np.float32(mean)  # in place: images of 8192 x 8192 pixels take 256 MiB a copy
    clipped /= np.float32(spread)
    return clipped


def _mean_and_spread(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and standard deviation, summed in double precision without a copy of the whole."""
    parts = np.array_split(values, max(values.size // 2**20, 1))
    mean = sum(float(part.sum(dtype=np.float64)) for part in parts) / values.size
    variance = sum(float(np.square(part.astype(np.float64) - mean).sum()) for part in parts) / values.size
    return mean, float(np.sqrt(variance))


def antema_8_bit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `values` as the original ANTEMA gives them to its network.

    A Gaussian blur over 9 x 9 pixels with edge pixels repeated, the range from least to largest value in whole
    steps from 0 to 255, less the mean and divided by the standard deviation of the images that it was trained on.
    An image of one grey value is black.
    """
    blurred = ndimage.gaussian_filter(values.astype(np.float64), ANTEMA_BLUR_PX, mode="nearest", radius=4)
    low, high = blurred.min(), blurred.max()
    grey = np.floor((blurred - low) * (255 / (high - low)) + 0.5) if high > low else np.zeros_like(blurred)
    return ((grey - ANTEMA_MEAN) / ANTEMA_SPREAD).astype(np.float32)


def groschner_scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `values` as Groschner et al. give them to their networks: median of 3 x 3 pixels, divided by the maximum.

    Theirs is the maximum of a whole data set, here it is that of the image. Values that are nowhere above 0 are
    raised to begin there.
    """
    filtered = ndimage.median_filter(values, 3, mode="nearest")
    if filtered.max() <= 0:
        filtered = filtered - filtered.min()
    peak = filtered.max()
    return filtered / peak if peak > 0 else np.zeros_like(filtered)


NORMALISATIONS: Mapping[str, Normalisation] = MappingProxyType(
    {"percentiles": standardised, "antema-8-bit": antema_8_bit, "groschner-maximum": groschner_scaled}
)
