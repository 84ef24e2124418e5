"""Particles grouped by image, and statistics over whole images that are drawn again.

A resample is a row of multiplicities, how often each image was drawn (a bootstrap) or on which side it fell (a
permutation). Means, spreads and quantiles of all resamples come from matrix products with per-image sums; no particle
is copied.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.quantiles import TIE

_ROWS_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Clustered:
    """Finite values of positive weight in ascending order, with the image of each.

    Parameters
    ----------
    values, weights : ndarray of float, shape (n,)
        Ascending values and their weights (the mean weight is 1).
    image : ndarray of int, shape (n,)
        Index of the image, 0 to `n_images` - 1.
    n_images : int
        Images with at least one such value.
    n_missing : int
        Rows left out because their value is not finite or their weight 0.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    image: NDArray[np.intp]
    n_images: int
    n_missing: int

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.values.size)

    def image_sums(self, per_value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of `per_value`, shape (n,), over each image: shape (n_images,)."""
        return np.bincount(self.image, weights=per_value, minlength=self.n_images).astype(np.float64)


def cluster(values: ArrayLike, images: ArrayLike, weights: ArrayLike | None = None) -> Clustered:
    """Group values by image.

    Neither the order of the rows nor what the images are called has any influence: the images are numbered by their
    content. A resample therefore draws the same images, and every sum runs in the same order, whoever labels them.

    Parameters
    ----------
    values : array_like, shape (n,)
        Values; those that are not finite are left out and counted.
    images : array_like, shape (n,)
        Any identity of the image of each value (names or numbers).
    weights : array_like, shape (n,), optional
        Weights, none negative; equal where absent.

    Raises
    ------
    ValueError
        For lengths that differ or a weight that is negative or not finite beside a finite value.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    ids = np.asarray(images).ravel()
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if ids.size != x.size:
        msg = f"images: expected {x.size}, one for each value, found {ids.size}"
        raise ValueError(msg)
    if w.size != x.size:
        msg = f"weights: expected {x.size}, one for each value, found {w.size}"
        raise ValueError(msg)
    finite = np.isfinite(x)
    if np.any(~np.isfinite(w[finite])) or np.any(w[finite] < 0):
        msg = "weights: expected finite numbers, none below 0"
        raise ValueError(msg)
    kept = finite & (w > 0)
    x, w, ids = x[kept], w[kept], ids[kept]
    names, labels = np.unique(ids.astype(str), return_inverse=True)
    image = _numbers_by_content(x, w, labels.ravel().astype(np.intp), int(names.size))
    order = np.lexsort((image, w, x))
    x, w, image = x[order], w[order], image[order]
    # the mean, too, is of the ordered weights: a sum in another order may differ in its last digit
    w = w / w.mean() if w.size else w
    return Clustered(x, w, image, int(names.size), int(np.count_nonzero(~kept)))


def _numbers_by_content(
    values: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.intp], n_images: int
) -> NDArray[np.intp]:
    """Return the image of each value, numbered by the values and weights that images hold; equal ones are alike.

    The numbering survives another unit of the values: it goes by their order.
    """
    order = np.lexsort((weights, values, labels))
    ends = np.cumsum(np.bincount(labels, minlength=n_images))[:-1]
    columns = (np.split(column[order], ends) for column in (values, weights))
    keys = [(x.tolist(), w.tolist()) for x, w in zip(*columns, strict=True)]
    number = np.empty(n_images, dtype=np.intp)
    number[sorted(range(n_images), key=keys.__getitem__)] = np.arange(n_images)
    return number[labels]


def draw_images(n_images: int, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how often each image is drawn in each bootstrap resample: shape (resamples, n_images)."""
    return rng.multinomial(n_images, np.full(n_images, 1.0 / n_images), size=resamples).astype(np.float64)


def resampled_means_sds(
    data: Clustered, multiplicity: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of every resample, each of shape (resamples,).

    A resample without values, or of one value, gives NaN.
    """
    centre = float(np.average(data.values, weights=data.weights))
    deviation = data.values - centre  # centred, so that the squares lose no digits
    w = data.weights
    sums = np.stack([data.image_sums(v) for v in (w, w * deviation, w * deviation**2, w**2)])
    total, first, second, squared = (multiplicity @ sums.T).T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first / total
        freedom = total - squared / total
        freedom[freedom <= TIE * total] = np.nan
        variance = (second - total * mean**2) / freedom
    return centre + mean, np.sqrt(np.maximum(variance, 0.0))


def resampled_quantiles(data: Clustered, p: ArrayLike, multiplicity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted quantiles of every resample: shape (resamples, k). Empty resamples give NaN.

    The sorted values are cut into about sqrt(n) blocks. Cumulative weights at the block ends come from one matrix
    product; only the block in which a quantile falls is summed value by value.
    """
    probabilities = np.atleast_1d(np.asarray(p, dtype=np.float64))
    n = data.n
    length = max(int(np.ceil(np.sqrt(n))), 1)
    blocks = -(-n // length)
    flat = data.image * blocks + np.arange(n) // length
    sums = np.bincount(flat, weights=data.weights, minlength=data.n_images * blocks)
    at_ends = np.cumsum(sums.reshape(data.n_images, blocks), axis=1)
    # padded to whole blocks: the padding weighs nothing and is never reached
    padding = blocks * length - n
    values = np.append(data.values, np.full(padding, np.nan)).reshape(blocks, length)
    weights = np.append(data.weights, np.zeros(padding)).reshape(blocks, length)
    image = np.append(data.image, np.zeros(padding, dtype=np.intp)).reshape(blocks, length)

    result = np.full((multiplicity.shape[0], probabilities.size), np.nan)
    for start in range(0, multiplicity.shape[0], _ROWS_AT_ONCE):
        drawn = multiplicity[start : start + _ROWS_AT_ONCE]
        ends = drawn @ at_ends
        total = ends[:, -1]
        filled = np.flatnonzero(total > 0)
        drawn, ends, total = drawn[filled], ends[filled], total[filled]
        rows = np.arange(filled.size)
        for column, probability in enumerate(probabilities):
            found = np.zeros(filled.size)
            for slack in (-TIE, TIE):
                target = np.clip(probability + slack, TIE, 1 - TIE) * total
                block = np.minimum(np.count_nonzero(ends < target[:, None], axis=1), blocks - 1)
                before = np.where(block > 0, ends[rows, np.maximum(block - 1, 0)], 0.0)
                inside = np.cumsum(weights[block] * drawn[rows[:, None], image[block]], axis=1)
                # the same sum in another order may fall short of the block's end by a rounding error
                short = (inside + before[:, None]) < np.minimum(target, before + inside[:, -1])[:, None]
                found += 0.5 * values[block, np.minimum(np.count_nonzero(short, axis=1), length - 1)]
            result[start + filled, column] = found
    return result
