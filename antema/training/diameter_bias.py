"""Relative error of mean and median diameter, with an interval over whole images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antema.stats import MANY_IMAGES, Estimate
from antema.stats.clusters import Clustered, draw_images, resampled_means_sds, resampled_quantiles
from antema.stats.intervals import around, bootstrap_error, t_quantile

Floats = NDArray[np.float64]


def diameter_bias(
    found: Sequence[Floats], true: Sequence[Floats], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, Estimate]:
    """Return ``mean`` and ``median``: that of the found particles over that of the true ones, less 1.

    Parameters
    ----------
    found, true : sequence of ndarray
        Diameters, an array per image, in the same order of images.
    level : float
        Confidence level.
    resamples, seed : int
        Of the bootstrap, which draws whole images, found and true particles together.

    Returns
    -------
    dict of Estimate
        The interval is Student's t times the bootstrap's standard error; there is none under six images.
    """
    data = [_pooled(diameters) for diameters in (found, true)]
    if not all(each.n for each in data):
        return {"mean": Estimate(np.nan), "median": Estimate(np.nan)}
    n = len(found)
    everything = np.ones((1, n))
    drawn = draw_images(n, resamples, np.random.default_rng(seed)) if n >= MANY_IMAGES else None
    result = {}
    for name, statistic in (("mean", _means), ("median", _medians)):
        value = float((statistic(data[0], everything) / statistic(data[1], everything) - 1)[0])
        error = None
        if drawn is not None:
            error = bootstrap_error(statistic(data[0], drawn) / statistic(data[1], drawn) - 1, n)
        interval = around(value, None if error is None else t_quantile(level, n - 1) * error)
        result[name] = Estimate(value, *interval) if interval else Estimate(value)
    return result


def _pooled(diameters: Sequence[Floats]) -> Clustered:
    # `antema.stats.clusters.cluster` numbers images by their content, and found and true must have the same numbers
    values = np.concatenate([np.empty(0), *diameters])
    image = np.repeat(np.arange(len(diameters)), [len(each) for each in diameters])
    order = np.argsort(values, kind="stable")
    return Clustered(values[order], np.ones(values.size), image[order].astype(np.intp), len(diameters), 0)


def _means(data: Clustered, drawn: Floats) -> Floats:
    return resampled_means_sds(data, drawn)[0]


def _medians(data: Clustered, drawn: Floats) -> Floats:
    return resampled_quantiles(data, 0.5, drawn)[:, 0]
