"""Weighted quantiles.

The definition is the averaged inverse of the weighted distribution function: with F(x) the share of the total weight at
values up to x, the p-quantile is the smallest value with F(x) >= p; where F(x) = p exactly, it is the mean of that
value and the next larger one. Integer weights give the same quantiles as repeating each value so often, equal weights
give the usual median, and the result never depends on the scale of the weights.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# F(x) = p is decided up to rounding of the cumulative sums
TIE = 1e-9


def weighted_quantiles(values: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the weighted quantiles of a sample.

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite values in any order.
    p : array_like, shape (k,)
        Probabilities from 0 to 1.
    weights : array_like, shape (n,), optional
        Weights, none negative; equal where absent. Values of weight 0 do not exist.

    Returns
    -------
    ndarray of float, shape (k,)
        Quantiles; NaN where there is no value of positive weight.

    Examples
    --------
    >>> weighted_quantiles([3.0, 1.0, 2.0, 4.0], [0.1, 0.5]).tolist()
    [1.0, 2.5]
    >>> weighted_quantiles([1.0, 2.0], [0.5], [1, 3]).tolist()
    [2.0]
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    probabilities = np.atleast_1d(np.asarray(p, dtype=np.float64))
    if x.size != w.size:
        msg = f"weights: expected {x.size}, one for each value, found {w.size}"
        raise ValueError(msg)
    if np.any(w < 0):
        msg = f"weights: expected none below 0, found {w.min():g}"
        raise ValueError(msg)
    if np.any((probabilities < 0) | (probabilities > 1)):
        msg = f"quantiles: expected probabilities from 0 to 1, found {probabilities.tolist()}"
        raise ValueError(msg)
    x, w = x[w > 0], w[w > 0]
    if not x.size:
        return np.full(probabilities.shape, np.nan)
    order = np.argsort(x, kind="stable")
    x = x[order]
    cumulative = np.cumsum(w[order])
    total = float(cumulative[-1])
    targets, slack = probabilities * total, TIE * total
    lower = np.searchsorted(cumulative, targets - slack, side="left")
    upper = np.searchsorted(cumulative, targets + slack, side="left")
    last = x.size - 1
    return 0.5 * (x[np.minimum(lower, last)] + x[np.minimum(upper, last)])
