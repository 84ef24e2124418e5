"""Shares of classes, as of crystallinity, with intervals that know of images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from antema.stats.estimate import Estimate, count_text
from antema.stats.intervals import image_level_error, t_quantile


@dataclass(frozen=True)
class Shares:
    """Share of each class among the particles.

    Parameters
    ----------
    shares : tuple of Estimate
        Share of each class as a fraction, in the order of the columns.
    counts : tuple of int
        Particles of each class.
    n, n_images : int
        Particles, and images with at least one.
    level : float
        Confidence level.
    interval_method : str
        How the intervals were found, in words.
    note : str
        What limits them; empty where nothing does.
    """

    shares: tuple[Estimate, ...]
    counts: tuple[int, ...]
    n: int
    n_images: int
    level: float
    interval_method: str
    note: str


def share_interval(
    counts: ArrayLike, *, weight_sums: ArrayLike | None = None, worth: float | None = None, level: float = 0.95
) -> Shares:
    """Return the share of each class with an interval.

    Parameters
    ----------
    counts : array_like of int, shape (n_images, n_classes)
        Particles of each class in each image.
    weight_sums : array_like of float, shape (n_images, n_classes), optional
        Sums of the particles' weights, where they do not count alike; zero where there is no particle.
    worth : float, optional
        How many particles of one weight they are worth (`antema.stats.BorderCorrection.worth`), at most so many count
        for the intervals; all of them where absent.
    level : float
        Confidence level.

    Returns
    -------
    Shares
        With two images or more, Clopper-Pearson intervals of the effective number of particles, which the spread of the
        shares between images gives (E. L. Korn, B. I. Graubard, Survey Methodology 24 (1998) 193-201). A class that no
        particle or every particle has shows no such spread: each image then counts once. With one image its particles
        are taken for independent and the method is labelled "within this image only".

    Raises
    ------
    ValueError
        For counts that are negative or not a table.

    Examples
    --------
    >>> share_interval([[3, 1], [2, 2]]).shares[0].value
    0.625
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or np.any(table < 0) or not np.all(np.isfinite(table)):
        msg = f"counts: expected a table of images x classes without negative numbers, found shape {table.shape}"
        raise ValueError(msg)
    sums = table if weight_sums is None else np.asarray(weight_sums, dtype=np.float64)
    if sums.shape != table.shape or np.any((sums > 0) != (table > 0)):
        msg = f"weights: expected sums above 0 where there are particles, shape {table.shape}, found {sums.shape}"
        raise ValueError(msg)
    filled = table.sum(axis=1) > 0
    table, sums = table[filled], sums[filled]
    # in an order of their content: a sum over images in another order may differ in its last digit
    sums = sums[np.lexsort(sums.T)]
    n, n_images, n_classes = int(table.sum()), int(table.shape[0]), table.shape[1]
    of_class = tuple(int(c) for c in table.sum(axis=0))
    if not n:
        nothing = tuple(Estimate(float("nan")) for _ in range(n_classes))
        return Shares(nothing, of_class, 0, 0, level, "no interval", "No particle was classified.")
    most = float(n) if worth is None else min(worth, float(n))
    estimates = tuple(_estimate(sums[:, k], sums.sum(axis=1), most, level) for k in range(n_classes))
    if n_images == 1:
        note = "All particles are from one image: the intervals describe this image only, not the sample."
        return Shares(estimates, of_class, n, 1, level, "within this image only", note)
    note = f"The images are few ({count_text(n_images, 'image')}); the intervals are wide." if n_images < 6 else ""
    method = "Clopper-Pearson with the effective number of particles from the spread between images"
    return Shares(estimates, of_class, n, n_images, level, method, note)


def _estimate(of_class: NDArray[np.float64], sizes: NDArray[np.float64], n: float, level: float) -> Estimate:
    total = float(sizes.sum())
    share = float(of_class.sum() / total)
    # a class that has everything, whatever the sums' last digits say
    share = 1.0 if np.array_equal(of_class, sizes) else share
    if sizes.size == 1:
        effective = n
    elif share in (0.0, 1.0):
        effective = float(sizes.size)
    else:
        error = image_level_error(sizes / total, of_class / sizes, share)
        independent = share * (1 - share)
        by_images = independent / error**2 if error > 0 else n
        # t of the images' degrees of freedom in place of the particles' own
        freedom = (t_quantile(level, max(n - 1, 1)) / t_quantile(level, sizes.size - 1)) ** 2
        effective = max(min(by_images * freedom, n), 1.0)
    tail, hits = (1 - level) / 2, share * effective
    low = 0.0 if share == 0 else float(special.betaincinv(hits, effective - hits + 1, tail))
    high = 1.0 if share == 1 else float(special.betaincinv(hits + 1, effective - hits, 1 - tail))
    return Estimate(share, low, high)
