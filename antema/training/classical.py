"""The classical filter that a network must beat."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def classical_baseline(
    pixels: NDArray[np.generic], *, fine_px: float = 4.0, coarse_px: float = 40.0
) -> NDArray[np.bool_]:
    """Return the particles, bool (h, w): what a difference of Gaussian blurs makes dark, cut by Otsu's threshold.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values; particles are darker than the ground.
    fine_px, coarse_px : float
        Standard deviations of the two blurs.
    """
    from skimage.filters import threshold_otsu

    values = pixels.astype(np.float32)
    band = ndimage.gaussian_filter(values, fine_px) - ndimage.gaussian_filter(values, coarse_px)
    if band.min() == band.max():
        return np.zeros(band.shape, bool)
    return band < threshold_otsu(band)
