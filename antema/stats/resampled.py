"""Where the quantiles of resamples of whole images lie, compiled: the loop that every interval runs through."""

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled


@compiled
def places_of_shares(
    weights: NDArray[np.float64],
    image: NDArray[np.intp],
    at_ends: NDArray[np.float64],
    length: int,
    drawn: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> NDArray[np.intp]:
    """Return the place of the first value up to which each share of a resample's weight lies.

    Parameters
    ----------
    weights, image : ndarray, shape (n,)
        Weights of ascending values, and the image of each.
    at_ends : ndarray, shape (blocks, n_images)
        Weight of each image up to the end of each block of `length` values.
    length : int
        Values in a block; the last one may be shorter.
    drawn : ndarray, shape (resamples, n_images)
        How often each image was drawn.
    shares : ndarray, shape (k, 2)
        Shares between 0 and 1, ascending in each row and hardly apart.

    Returns
    -------
    ndarray of int, shape (resamples, k, 2)
        Places from 0 to n - 1; n for a resample without weight.
    """
    n, (blocks, n_images) = weights.size, at_ends.shape
    places = np.full((drawn.shape[0], shares.shape[0], 2), n, np.intp)
    for row in range(drawn.shape[0]):
        total = 0.0
        for k in range(n_images):
            total += drawn[row, k] * at_ends[blocks - 1, k]
        if not total > 0:
            continue
        for column in range(shares.shape[0]):
            reached = 0.0
            for side in range(2):
                target = shares[column, side] * total
                if side == 1 and reached >= target:
                    # no tie: the value that reaches the one share reaches the other too
                    places[row, column, 1] = places[row, column, 0]
                    continue
                low, high, before = 0, blocks - 1, 0.0
                # the first block whose end reaches the target, the last one where rounding lets none
                while low < high:
                    middle = (low + high) // 2
                    end = 0.0
                    for k in range(n_images):
                        end += drawn[row, k] * at_ends[middle, k]
                    if end < target:
                        low = middle + 1
                    else:
                        high = middle
                if low > 0:
                    for k in range(n_images):
                        before += drawn[row, k] * at_ends[low - 1, k]
                start, stop = low * length, min((low + 1) * length, n)
                inside = 0.0
                for place in range(start, stop):
                    inside += weights[place] * drawn[row, image[place]]
                # the same sum in another order may fall short of the block's end by a rounding error
                wanted = min(target, before + inside)
                inside, place = weights[start] * drawn[row, image[start]], start
                while place < stop - 1 and inside + before < wanted:
                    place += 1
                    inside += weights[place] * drawn[row, image[place]]
                places[row, column, side] = place
                reached = before + inside
    return places
