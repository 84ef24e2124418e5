"""Particles grouped by image, and statistics over whole images that are drawn again.

A resample is a row of multiplicities, how often each image was drawn (a bootstrap) or on which side it fell (a
permutation). Means, spreads and quantiles of all resamples come from matrix products with per-image sums; no particle
is copied.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.quantiles import TIE
from antema.stats.resampled import places_of_shares


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
    n_missing = int(np.count_nonzero(~kept))
    if n_missing:
        x, w, ids = x[kept], w[kept], ids[kept]
    labels, n_images = factorise(ids)
    order = np.argsort(x)
    x, w, labels = x[order], w[order], labels[order]
    image = _numbers_by_content(x, w, labels, n_images)[labels]
    x, w, image = _order_ties(x, w, image)
    # the mean, too, is of the ordered weights: a sum in another order may differ in its last digit
    w = w / w.mean() if w.size else w
    return Clustered(x, w, image, n_images, n_missing)


def factorise(identities: NDArray[np.generic]) -> tuple[NDArray[np.intp], int]:
    """Return a number from 0 on for each identity, shape (n,), the same for the same one, and how many there are.

    Names are told apart as text, so that 1 and "1" are the same.
    """
    if not identities.size:
        return np.zeros(0, dtype=np.intp), 0
    if identities.dtype.kind in "iu":
        lowest, highest = int(identities.min()), int(identities.max())
        if highest - lowest < 4 * identities.size + 1024:
            # ids lie close together: counted, nothing has to be sorted
            place = identities.astype(np.intp) - lowest
            there = np.bincount(place) > 0
            return (np.cumsum(there) - 1)[place], int(np.count_nonzero(there))
    numbers: dict[object, int] = {}
    codes = np.fromiter((numbers.setdefault(one, len(numbers)) for one in identities.tolist()), np.intp)
    names: dict[str, int] = {}
    same = np.array([names.setdefault(str(one), len(names)) for one in numbers], dtype=np.intp)
    return same[codes], len(names)


def _numbers_by_content(
    values: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.intp], n_images: int
) -> NDArray[np.intp]:
    """Return the number of each image, shape (n_images,), by the values and weights that images hold.

    Images are in the order of their smallest values, then of the next ones, then of the weights; equal ones are alike.
    The numbering survives another unit of the values: it goes by their order. Values come in ascending order.
    """
    first = np.empty(n_images, dtype=np.intp)
    # written from the last to the first: what stays is the place of each image's smallest value
    first[labels[::-1]] = np.arange(labels.size - 1, -1, -1)
    smallest = values[first]
    rank = np.argsort(smallest, kind="stable")
    alike = np.flatnonzero(np.diff(smallest[rank]) == 0)
    if alike.size:
        some = np.unique(np.concatenate([rank[alike], rank[alike + 1]]))
        later = np.zeros(n_images, dtype=np.intp)
        later[some] = _order_of_contents(values, weights, labels, some)
        rank = np.lexsort((later, smallest))
    number = np.empty(n_images, dtype=np.intp)
    number[rank] = np.arange(n_images)
    return number


def _order_of_contents(
    values: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.intp], images: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the place of some images in the order of all of their values, then of all of their weights."""
    chosen = np.isin(labels, images)
    x, w, of = values[chosen], weights[chosen], np.searchsorted(images, labels[chosen])
    order = np.lexsort((w, x, of))
    ends = np.cumsum(np.bincount(of, minlength=images.size))[:-1]
    columns = (np.split(column[order], ends) for column in (x, w))
    keys = [(one.tolist(), weight.tolist()) for one, weight in zip(*columns, strict=True)]
    place = np.empty(images.size, dtype=np.intp)
    place[sorted(range(images.size), key=keys.__getitem__)] = np.arange(images.size)
    return place


def _order_ties(
    values: NDArray[np.float64], weights: NDArray[np.float64], image: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return ascending values with equal ones in the order of weight and image."""
    same = np.flatnonzero(values[1:] == values[:-1])
    if not same.size:
        return values, weights, image
    tied = np.zeros(values.size, dtype=np.bool_)
    tied[same] = tied[same + 1] = True
    places = np.flatnonzero(tied)
    order = places[np.lexsort((image[places], weights[places], values[places]))]
    weights, image = weights.copy(), image.copy()
    weights[places], image[places] = weights[order], image[order]
    return values, weights, image


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

    The sorted values are cut into about sqrt(n) blocks, whose weights are summed image by image once. The block in
    which a quantile of a resample falls is found by halving; only that one is summed value by value.
    """
    probabilities = np.atleast_1d(np.asarray(p, dtype=np.float64))
    n = data.n
    length = max(int(np.ceil(np.sqrt(n))), 1)
    blocks = -(-n // length)
    flat = (np.arange(n) // length) * data.n_images + data.image
    sums = np.bincount(flat, weights=data.weights, minlength=data.n_images * blocks)
    at_ends = np.cumsum(sums.astype(np.float64).reshape(blocks, data.n_images), axis=0)
    # quantiles of both sides of a tie: their mean is the quantile
    shares = np.clip(np.stack([probabilities - TIE, probabilities + TIE], axis=1), TIE, 1 - TIE)
    drawn = np.ascontiguousarray(multiplicity, dtype=np.float64)
    places = places_of_shares(data.weights, data.image, at_ends, length, drawn, shares)
    # a place for resamples without weight, whose value is none
    values = np.append(data.values, np.nan)
    return 0.5 * (values[places[..., 0]] + values[places[..., 1]])
