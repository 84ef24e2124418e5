"""Mean, spread and quantiles of one quantity, with intervals that know which image each particle came from."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.clusters import Clustered, cluster, draw_images, resampled_means_sds, resampled_quantiles
from antema.stats.estimate import Estimate, count_text, estimate_of
from antema.stats.intervals import (
    Interval,
    around,
    around_on_log,
    bootstrap_error,
    image_level_error,
    t_quantile,
    within_mean,
    within_quantiles,
    within_sd,
)
from antema.stats.quantiles import weighted_quantiles
from antema.stats.weighting import WEIGHTINGS, weighting_words

BOOTSTRAP = "bootstrap of whole images"
FEW_IMAGES = "t on image-level statistics (few images)"
ONE_IMAGE = "within this image only"
NO_INTERVAL = "no interval"

MANY_IMAGES = 6
"""From so many images on, whole images are resampled."""

STATISTICS: dict[str, str] = {
    "mean": "Mean",
    "sd": "Standard deviation",
    "d10": "D10",
    "median": "Median",
    "d90": "D90",
}
"""Attributes of `Summary` that are estimates, in the order of tables, with their labels."""

_PROBABILITIES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Summary:
    """The distribution of one quantity in numbers.

    Parameters
    ----------
    n : int
        Particles with a value.
    n_images : int
        Images with at least one of them.
    n_images_total : int
        Images that were analysed, those without particles included.
    mean, sd, median, d10, d50, d90 : Estimate
        Weighted statistics with their intervals; `d50` is the median. The standard deviation is that of the particles
        (the width of the distribution), not of the mean.
    level : float
        Confidence level of the intervals.
    interval_method : str
        `BOOTSTRAP`, `FEW_IMAGES`, `ONE_IMAGE` or `NO_INTERVAL`.
    weighting : str
        Name of the weighting, for the sentences.
    note : str
        One or more plain sentences on what limits the intervals; empty where nothing does.
    n_missing : int
        Rows without a finite value.
    border_weighted : bool
        Whether the weights hold the factors of `antema.stats.border_correction`, for the sentences.
    """

    n: int
    n_images: int
    n_images_total: int
    mean: Estimate
    sd: Estimate
    median: Estimate
    d10: Estimate
    d50: Estimate
    d90: Estimate
    level: float
    interval_method: str
    weighting: str
    note: str
    n_missing: int = 0
    border_weighted: bool = False

    @property
    def method_text(self) -> str:
        """One sentence on how the intervals were found."""
        return _METHOD_TEXT[self.interval_method].format(level=f"{self.level * 100:g} %", images=self.n_images)

    @property
    def counts_text(self) -> str:
        """What was measured, as ``412 particles in 8 images (number-weighted)``."""
        images = count_text(self.n_images, "image")
        if self.n_images_total > self.n_images:
            images = f"{self.n_images:,} of {count_text(self.n_images_total, 'image')}"
        words = weighting_words(self.weighting, border_weighted=self.border_weighted)
        return f"{count_text(self.n, 'particle')} in {images} ({words})"

    def statement(self, label: str, unit: str = "") -> str:
        """Return the sentence for a page or a report.

        Parameters
        ----------
        label : str
            The quantity, as ``Equivalent diameter``.
        unit : str
            Its unit, empty for a ratio.
        """
        if not self.n:
            return f"{label}: no particle was measured."
        if self.n == 1:
            return f"{label}: {self.mean.value_text(unit)}, one particle; there is no spread and no interval."
        interval = f", {self.interval_method}" if self.mean.has_interval else ""
        return (
            f"{label}: mean {self.mean.text(unit, self.level)}, SD {self.sd.value_text(unit)}, "
            f"median {self.median.value_text(unit)}; {self.counts_text}{interval}."
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        numbers: dict[str, object] = {
            name: getattr(self, name).to_dict() for name in ("mean", "sd", "median", "d10", "d50", "d90")
        }
        return {
            "n": self.n,
            "n_images": self.n_images,
            "n_images_total": self.n_images_total,
            "n_missing": self.n_missing,
            "weighting": self.weighting,
            "border_weighted": self.border_weighted,
            "level": self.level,
            "interval_method": self.interval_method,
            "note": self.note,
            **numbers,
        }


def summary_of(values: dict[str, Any]) -> Summary:
    """Return the summary that `Summary.to_dict` gave these values of."""
    estimates: dict[str, Any] = {
        name: estimate_of(values[name]) for name in ("mean", "sd", "median", "d10", "d50", "d90")
    }
    return Summary(**values | estimates)


_METHOD_TEXT = {
    BOOTSTRAP: "{level} intervals from a bootstrap of whole images ({images} drawn anew each time), with Student's t.",
    FEW_IMAGES: "{level} intervals from Student's t on the statistics of {images} images.",
    ONE_IMAGE: "{level} intervals describe this one image only; they say nothing about the rest of the sample.",
    NO_INTERVAL: "There are too few particles for intervals.",
}


def summarise(
    values: ArrayLike,
    images: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    weighting: str = "number",
    border_weighted: bool = False,
    n_images_total: int | None = None,
    upper: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> Summary:
    """Summarise one quantity of a sample's particles.

    Parameters
    ----------
    values : array_like, shape (n,)
        The quantity, in any unit. Values that are not finite are left out and counted.
    images : array_like, shape (n,)
        Identity of the image of each value.
    weights : array_like, shape (n,), optional
        Weight of each particle, see `antema.stats.weights`; 1 where absent.
    weighting : str
        What those weights are (``number``, ``area``, ``volume``), for the sentences.
    border_weighted : bool
        Whether they hold the factors for border loss, for the sentences.
    n_images_total : int, optional
        Images analysed, those without particles included; they are mentioned in the note.
    upper : float, optional
        What the quantity cannot pass, as 1 for a circularity; intervals of its mean and quantiles end there.
    level : float
        Confidence level.
    seed : int
        Seed of the bootstrap: the same data give the same intervals.
    resamples : int
        Bootstrap resamples.

    Returns
    -------
    Summary
        From six images on, intervals are Student's t times the standard error of a bootstrap that draws whole images.
        With two to five they are t intervals from the spread of the images' own statistics about the pooled one. With
        one image they rest on its particles and are labelled so. Intervals of the standard deviation are symmetric on
        the logarithm. Quantiles are defined in `antema.stats.weighted_quantiles`; the weighted variance is the sum of
        w (x - mean)² over (sum w - sum w² / sum w), which is the usual one for equal weights.

    Notes
    -----
    Percentile and BCa intervals of the same bootstrap were measured to cover less of the truth for six to twelve
    images; how these cover is checked in the tests.

    Raises
    ------
    ValueError
        For arrays of different lengths, negative weights, an unknown weighting or a level outside 0 to 1.

    Examples
    --------
    >>> summary = summarise([2.0, 2.2, 1.9, 2.1], ["a", "a", "b", "b"])
    >>> summary.interval_method
    't on image-level statistics (few images)'
    """
    if weighting not in WEIGHTINGS:
        msg = f"weighting: expected one of {', '.join(WEIGHTINGS)}, found {weighting!r}"
        raise ValueError(msg)
    if not 0 < level < 1:
        msg = f"level: expected a number between 0 and 1, found {level:g}"
        raise ValueError(msg)
    data = cluster(values, images, weights)
    total_images = max(data.n_images, n_images_total or 0)
    centre = _point_estimates(data)
    method, intervals = _intervals(data, centre, level, seed, resamples)
    if data.n and method != NO_INTERVAL and float(data.values[0]) >= 0:
        # a length or a ratio is never negative, whatever a symmetric interval says
        intervals = {k: None if v is None else (max(v[0], 0.0), v[1]) for k, v in intervals.items()}
    if upper is not None:
        for name in ("mean", "d10", "median", "d90"):
            found = intervals.get(name)
            if found is not None:
                # values themselves may pass the bound, by the uncertainty of an outline
                intervals[name] = (found[0], max(min(found[1], upper), centre[name]))
    numbers = {name: _estimate(centre[name], intervals.get(name)) for name in centre}
    return Summary(
        n=data.n,
        n_images=data.n_images,
        n_images_total=total_images,
        d50=numbers["median"],
        **numbers,
        level=level,
        interval_method=method,
        weighting=weighting,
        note=_note(data, total_images, method),
        n_missing=data.n_missing,
        border_weighted=border_weighted,
    )


def _point_estimates(data: Clustered) -> dict[str, float]:
    if not data.n:
        return dict.fromkeys(STATISTICS, math.nan)
    mean, sd = resampled_means_sds(data, np.ones((1, data.n_images)))
    d10, median, d90 = weighted_quantiles(data.values, _PROBABILITIES, data.weights)
    return {
        "mean": float(mean[0]),
        "sd": float(sd[0]) if data.n > 1 else math.nan,
        "d10": float(d10),
        "median": float(median),
        "d90": float(d90),
    }


def _intervals(
    data: Clustered, centre: dict[str, float], level: float, seed: int, resamples: int
) -> tuple[str, dict[str, Interval]]:
    if data.n < 2:
        return NO_INTERVAL, {}
    if data.n_images == 1:
        d10, median, d90 = within_quantiles(data, _PROBABILITIES, level)
        mean, sd = within_mean(data, level), within_sd(data, centre["sd"], level)
        return ONE_IMAGE, {"mean": mean, "sd": sd, "d10": d10, "median": median, "d90": d90}
    if data.n_images < MANY_IMAGES:
        return FEW_IMAGES, _few_images(data, centre, level)
    drawn = _drawn(data.n_images, resamples, seed)
    means, sds = resampled_means_sds(data, drawn)
    quantiles = resampled_quantiles(data, _PROBABILITIES, drawn)
    resampled = {"mean": means, "sd": sds, "d10": quantiles[:, 0], "median": quantiles[:, 1], "d90": quantiles[:, 2]}
    t = t_quantile(level, data.n_images - 1)
    found: dict[str, Interval] = {}
    for name, array in resampled.items():
        error = bootstrap_error(array, data.n_images)
        interval = around_on_log if name == "sd" else around
        found[name] = interval(centre[name], None if error is None else t * error)
    return BOOTSTRAP, found


@lru_cache(maxsize=2)
def _drawn(n_images: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the resamples of so many images: the same for every quantity of a sample. Of 5,000 they are 80 MB."""
    drawn = draw_images(n_images, resamples, np.random.default_rng(seed))
    drawn.flags.writeable = False
    return drawn


def _few_images(data: Clustered, centre: dict[str, float], level: float) -> dict[str, Interval]:
    t = t_quantile(level, data.n_images - 1)
    total = data.image_sums(data.weights)
    share = total / total.sum()
    deviation = data.values - centre["mean"]
    means = centre["mean"] + data.image_sums(data.weights * deviation) / total
    squares = data.image_sums(data.weights * deviation**2) / total
    of_image = resampled_quantiles(data, _PROBABILITIES, np.eye(data.n_images))
    reach = {"mean": t * image_level_error(share, means, centre["mean"])}
    for column, name in enumerate(("d10", "median", "d90")):
        reach[name] = t * image_level_error(share, of_image[:, column], centre[name])
    found = {name: around(centre[name], r) for name, r in reach.items()}
    mean_square = float(share @ squares)
    if mean_square > 0:
        relative = image_level_error(share, squares, mean_square) / (2 * mean_square)
        found["sd"] = around_on_log(centre["sd"], t * relative * centre["sd"])
    return found


def _estimate(value: float, interval: Interval) -> Estimate:
    if interval is None or not math.isfinite(value):
        return Estimate(value)
    return Estimate(value, *interval)


def _note(data: Clustered, total_images: int, method: str) -> str:
    sentences: list[str] = []
    if not data.n:
        sentences.append("No particle was measured.")
    elif method == NO_INTERVAL:
        sentences.append("One particle gives no interval.")
    elif method == ONE_IMAGE:
        sentences.append(
            "All particles are from one image: the intervals describe this image only, not the sample. "
            f"Analyse at least {MANY_IMAGES} images for intervals that speak for the sample."
        )
    elif method == FEW_IMAGES:
        sentences.append(
            f"The images are few ({data.n_images}): the intervals rest on the spread between {data.n_images} images "
            f"and are wide; from {MANY_IMAGES} images on, whole images are resampled."
        )
    if data.n_images > 1:
        total = data.image_sums(data.weights)
        largest = float(total.max() / total.sum())
        if largest > max(0.5, 1.5 / data.n_images):
            sentences.append(f"One image holds {largest * 100:.0f} % of the weight; the intervals hang on it.")
    without = total_images - data.n_images
    if data.n and without:
        sentences.append(f"{count_text(without, 'analysed image')} gave no measured particle.")
    return " ".join(sentences)
