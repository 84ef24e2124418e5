"""Bragg filtering: what in an image has a lattice, from the bright spots of its Fourier transform."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.signal import windows
from skimage.measure import label
from skimage.morphology import disk

_MEDIAN_SHARE = 25 / 512
"""Edge of the median filter as a share of the transform's side: 25 of 512 in the authors' notebook."""
_MEDIAN_SAMPLES = 13
_LONGEST_PERIOD_PX, _SHORTEST_PERIOD_PX = 20.0, 2.5
_PEAK_SIGMAS = 5.0
_SPOT_RADIUS_PX = 3
_MOST_PEAKS = 48
_LEAST_SHARE = 0.1
"""Of a spot's map its own largest value, below which it says nothing (0.07 to 0.7 in the notebook, by hand)."""


def bragg_filter(pixels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where the image has a lattice, bool (h, w), by Bragg filtering as Groschner et al. did for comparison.

    A median-filtered copy of the logarithm of the Fourier intensity, which holds background and Thon rings, is
    subtracted from it; convolution with a small Gaussian and a threshold find the Bragg spots; each spot transformed
    back alone gives the strength of its fringes in the image; their sum is cut [1]_.

    The authors chose thresholds and the spots worth keeping by hand for each image. Here one rule serves all: spots
    stand out by five standard deviations, of their maps the least tenth is left out, and Otsu's threshold cuts the sum.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values. Lattice fringes must have a period of 2.5 to 20 px.

    References
    ----------
    .. [1] C. K. Groschner, C. Choi, M. C. Scott, "Methodologies for Successful Segmentation of HRTEM Images via Neural
       Network" (2021), section III, and the notebook ``bragg_filtering`` of their code (ScottLabUCB/HTTEM).
    """
    from skimage.filters import threshold_otsu

    values = pixels.astype(np.float32)
    values = values - values.mean()
    spots, n = _spots(values)
    if n == 0:
        return np.zeros(values.shape, bool)
    transform = np.asarray(fft.fft2(values))
    strength = np.zeros(values.shape, np.float32)
    for spot in range(1, n + 1):
        # one of a pair of opposite spots: the modulus of its transform has no fringes left
        fringes = np.abs(np.asarray(fft.ifft2(np.where(spots == spot, transform, 0))))
        share = fringes / fringes.max()
        strength += np.where(share >= _LEAST_SHARE, share, 0).astype(np.float32)
    return strength > threshold_otsu(strength)


def _spots(values: NDArray[np.float32]) -> tuple[NDArray[np.int32], int]:
    """Return the Bragg spots of one half of Fourier space, numbered from 1 as ``fft2`` lies, and how many there are."""
    h, w = values.shape
    # without the window the image's edges would draw a cross
    window = np.outer(windows.tukey(h, 0.2), windows.tukey(w, 0.2)).astype(np.float32)
    intensity = np.abs(np.asarray(fft.fft2(values * window))) ** 2
    if not intensity.any():
        return np.zeros(values.shape, np.int32), 0
    # a millionth of the mean keeps the logarithm finite
    log = np.asarray(fft.fftshift(np.log(intensity + 1e-6 * intensity.mean())), np.float32)
    excess = np.asarray(ndimage.gaussian_filter(log - _background(log), 1.0, mode="wrap"))
    spread = 1.4826 * float(np.median(np.abs(excess - np.median(excess))))
    y, x = np.meshgrid(*(fft.fftshift(fft.fftfreq(side)) for side in (h, w)), indexing="ij")
    frequency = np.hypot(y, x)
    sought = (frequency >= 1 / _LONGEST_PERIOD_PX) & (frequency <= 1 / _SHORTEST_PERIOD_PX)
    sought &= (y > 0) | ((y == 0) & (x > 0))
    if spread == 0:
        return np.zeros(values.shape, np.int32), 0
    # wider than its brightest part: the more of a spot is kept, the sharper its map is
    spots = ndimage.binary_dilation(sought & (excess > _PEAK_SIGMAS * spread), disk(_SPOT_RADIUS_PX))
    labels = np.asarray(label(spots, connectivity=1))
    n = int(labels.max())
    if n > _MOST_PEAKS:
        height = np.asarray(ndimage.sum_labels(excess, labels, np.arange(1, n + 1)))
        kept = np.argsort(-height, kind="stable")[:_MOST_PEAKS] + 1
        number = np.zeros(n + 1, np.int32)
        number[kept] = np.arange(1, _MOST_PEAKS + 1)
        labels, n = number[labels], _MOST_PEAKS
    return np.asarray(fft.ifftshift(labels), np.int32), n


def _background(log: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median over a neighbourhood, from a sample of it: the background is smooth, and all of it is slow."""
    step = tuple(max(1, round(_MEDIAN_SHARE * side / _MEDIAN_SAMPLES)) for side in log.shape)
    coarse = ndimage.median_filter(log[:: step[0], :: step[1]], _MEDIAN_SAMPLES, mode="wrap")
    zoom = tuple(side / part for side, part in zip(log.shape, coarse.shape, strict=True))
    return np.asarray(ndimage.zoom(coarse, zoom, order=1, grid_mode=True, mode="nearest"), np.float32)
