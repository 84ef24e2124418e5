"""Intervals from resamples, from a few images, and from the particles of one image."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from antema.stats.clusters import Clustered
from antema.stats.quantiles import TIE, weighted_quantiles

Interval = tuple[float, float] | None


def t_quantile(level: float, freedom: float) -> float:
    """Return the two-sided quantile of Student's t for a confidence level."""
    return float(special.stdtrit(freedom, 0.5 + level / 2))


def bootstrap_error(resampled: NDArray[np.float64], n_images: int) -> float | None:
    """Return the standard error that resampled statistics, shape (resamples,), show; None where they do not exist.

    Drawing n of n images gives the variance of n - 1, which is put right here.
    """
    existing = resampled[np.isfinite(resampled)]
    # a statistic missing from more than one resample in fifty (the spread of next to no particles) has no interval
    if existing.size < 2 or existing.size < 0.98 * resampled.size:
        return None
    return float(existing.std()) * math.sqrt(n_images / (n_images - 1))


def around(value: float, reach: float | None) -> Interval:
    """Return the symmetric interval."""
    return None if reach is None else (value - reach, value + reach)


def around_on_log(value: float, reach: float | None) -> Interval:
    """Return the interval that is symmetric on the logarithm: for a spread, whose errors are, and never negative."""
    if reach is None or not value > 0:
        return None
    factor = math.exp(min(reach / value, 50.0))  # 50: beyond any use, short of overflow
    return value / factor, value * factor


def image_level_error(share: NDArray[np.float64], statistic: NDArray[np.float64], pooled: float) -> float:
    """Return the standard error of a pooled statistic from the same statistic of each image.

    Parameters
    ----------
    share : ndarray, shape (n_images,)
        Share of the total weight in each image.
    statistic : ndarray, shape (n_images,)
        The statistic of each image.
    pooled : float
        The statistic of all images together.

    Notes
    -----
    For the mean this is the usual variance of a ratio of cluster totals (W. G. Cochran, Sampling Techniques, 3rd ed.,
    1977, section 9A.1).
    """
    n_images = share.size
    return math.sqrt(n_images / (n_images - 1) * float(np.sum((share * (statistic - pooled)) ** 2)))


def within_mean(data: Clustered, level: float) -> Interval:
    """Return the t interval of the mean with every particle taken for independent."""
    n, w = data.n, data.weights
    if n < 2:
        return None
    share = w / w.sum()
    mean = float(share @ data.values)
    error = math.sqrt(n / (n - 1) * float(np.sum((share * (data.values - mean)) ** 2)))
    reach = t_quantile(level, n - 1) * error
    return mean - reach, mean + reach


def within_sd(data: Clustered, sd: float, level: float) -> Interval:
    """Return the interval of the standard deviation with every particle taken for independent.

    The logarithm of the standard deviation is taken for t-distributed, so that no end is below zero.
    """
    n, w = data.n, data.weights
    if n < 3 or not sd > 0:
        return None
    share = w / w.sum()
    squares = (data.values - float(share @ data.values)) ** 2
    mean_square = float(share @ squares)
    error = math.sqrt(n / (n - 1) * float(np.sum((share * (squares - mean_square)) ** 2)))
    # the error of a square root, relative to it, is half the error of the square
    return around_on_log(sd, t_quantile(level, n - 1) * error / (2 * mean_square) * sd)


def within_quantiles(data: Clustered, p: ArrayLike, level: float) -> list[Interval]:
    """Return intervals of quantiles with every particle taken for independent.

    The distribution function at the quantile has a binomial variance (of the effective number of particles); its
    interval is carried back to the values [1]_. None where it would reach beyond the smallest or largest particle: such
    an interval has no end in the data.

    References
    ----------
    .. [1] R. S. Woodruff, "Confidence intervals for medians and other position measures", Journal of the American
       Statistical Association 47 (1952) 635-646.
    """
    probabilities = np.atleast_1d(np.asarray(p, dtype=np.float64))
    found: list[Interval] = []
    if data.n < 2:
        return [None] * probabilities.size
    share = data.weights / data.weights.sum()
    quantiles = weighted_quantiles(data.values, probabilities, data.weights)
    for probability, quantile in zip(probabilities, quantiles, strict=True):
        below = data.values <= quantile
        error = math.sqrt(float(np.sum((share * (below - probability)) ** 2)))
        reach = t_quantile(level, data.n - 1) * error
        low, high = probability - reach, probability + reach
        # one particle's share: beyond it the quantile would be the extreme value itself
        if low <= float(share[0]) * (1 - TIE) or high >= 1 - float(share[-1]) * (1 - TIE):
            found.append(None)
            continue
        ends = weighted_quantiles(data.values, [low, high], data.weights)
        found.append((float(ends[0]), float(ends[1])))
    return found
