"""Two samples side by side: difference of medians, effect size and a test, all by whole images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.clusters import Clustered, cluster, draw_images, resampled_quantiles
from antema.stats.estimate import Estimate, count_text, format_number
from antema.stats.intervals import Interval, around, bootstrap_error, image_level_error, t_quantile
from antema.stats.permutation import assignments, how_tested, least_p_note
from antema.stats.quantiles import TIE
from antema.stats.summary import BOOTSTRAP, FEW_IMAGES, MANY_IMAGES, NO_INTERVAL, ONE_IMAGE, summarise


@dataclass(frozen=True)
class Comparison:
    """What tells two samples apart.

    Parameters
    ----------
    n_a, n_b : int
        Particles of each sample.
    n_images_a, n_images_b : int
        Images with particles of each sample.
    median_a, median_b : float
        Weighted medians.
    difference : Estimate
        Median of a minus median of b.
    cliffs_delta : Estimate
        Chance that a particle of a is larger than one of b, minus the chance that it is smaller: -1 to 1. Weighted as
        the medians are.
    p_value : float or None
        Of the permutation test on the difference of medians; None with fewer than three images in either sample.
    least_p : float or None
        The smallest p-value that so many images can give.
    permutations : int
        Permutations looked at; 0 without a test.
    exact : bool
        Whether these were all there are.
    level : float
        Confidence level of the intervals.
    interval_method : str
        `BOOTSTRAP`, `FEW_IMAGES`, `ONE_IMAGE` or `NO_INTERVAL`.
    weighting : str
        Name of the weighting, for the sentences.
    border_weighted : bool
        Whether the weights hold the factors for border loss.
    method : str
        One sentence on intervals and test.
    note : str
        What limits the comparison, in plain sentences; empty where nothing does.
    """

    n_a: int
    n_b: int
    n_images_a: int
    n_images_b: int
    median_a: float
    median_b: float
    difference: Estimate
    cliffs_delta: Estimate
    p_value: float | None
    least_p: float | None
    permutations: int
    exact: bool
    level: float
    interval_method: str
    weighting: str
    border_weighted: bool
    method: str
    note: str

    @property
    def p_text(self) -> str:
        """The p-value as it is printed, as ``p = 0.013``; a dash without a test."""
        if self.p_value is None:
            return "–"
        return f"p = {format_number(self.p_value, 2)}"

    @property
    def effect_text(self) -> str:
        """The effect size in words."""
        return effect_words(self.cliffs_delta.value)

    def statement(self, name_a: str, name_b: str, label: str, unit: str = "") -> str:
        """Return the comparison as a sentence.

        Parameters
        ----------
        name_a, name_b : str
            Names of the samples.
        label : str
            The quantity, as ``equivalent diameter``.
        unit : str
            Its unit, empty for a ratio.
        """
        if not self.difference.has_value:
            return f"{name_a} and {name_b}: nothing to compare, {self.note[:1].lower()}{self.note[1:]}"
        test = f", {self.p_text}" if self.p_value is not None else ""
        return (
            f"{label}: median of {name_a} minus median of {name_b} is {self.difference.text(unit, self.level)}; "
            f"Cliff's delta {self.cliffs_delta.text(level=self.level)}, {self.effect_text}{test}."
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        plain: dict[str, object] = {
            name: getattr(self, name)
            for name in (
                "n_a", "n_b", "n_images_a", "n_images_b", "p_value", "least_p", "permutations", "exact", "level",
                "interval_method", "weighting", "border_weighted", "method", "note",
            )
        }  # fmt: skip
        medians = {"median_a": self.median_a, "median_b": self.median_b}
        plain |= {name: value if math.isfinite(value) else None for name, value in medians.items()}
        return plain | {"difference": self.difference.to_dict(), "cliffs_delta": self.cliffs_delta.to_dict()}


def effect_words(delta: float) -> str:
    """Return what the size of a Cliff's delta is usually called.

    The borders 0.147, 0.33 and 0.474 are those of J. Romano et al., annual meeting of the Florida Association of
    Institutional Research, 2006.
    """
    if not math.isfinite(delta):
        return "no effect size"
    size = abs(delta)
    for border, words in ((0.147, "a negligible effect"), (0.33, "a small effect"), (0.474, "a medium effect")):
        if size < border:
            return words
    return "a large effect"


def compare(
    values_a: ArrayLike,
    images_a: ArrayLike,
    values_b: ArrayLike,
    images_b: ArrayLike,
    *,
    weights_a: ArrayLike | None = None,
    weights_b: ArrayLike | None = None,
    weighting: str = "number",
    border_weighted: bool = False,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> Comparison:
    """Compare one quantity of two samples.

    Parameters
    ----------
    values_a, values_b : array_like, shape (n_a,) and (n_b,)
        The quantity in one unit; values that are not finite are left out.
    images_a, images_b : array_like, shape (n_a,) and (n_b,)
        Identity of the image of each value. The two samples never share an image, even where names agree.
    weights_a, weights_b : array_like, optional
        Weights of the particles; equal where absent.
    weighting : str
        What those weights are, for the sentences.
    border_weighted : bool
        Whether they hold the factors of `antema.stats.border_correction`.
    level, seed, resamples
        As in `antema.stats.summarise`.

    Returns
    -------
    Comparison
        With six images or more in both samples the interval of the difference is a Welch-type t interval with the
        standard error of a bootstrap that draws whole images within each sample. With fewer in either it combines the
        intervals of both medians (the method of variance estimates recovery: G. Y. Zou, A. Donner, Statistics in
        Medicine 27 (2008) 1693-1702). Cliff's delta has a Welch-type t interval, on the inverse hyperbolic tangent,
        from the images' own values; none where the samples do not overlap at all. With one image in either sample both
        rest on particles and are labelled "within this image only".

        The test moves whole images between the samples and looks at the absolute difference of medians. It takes all
        distinct assignments where there are at most 10,000, and as many random ones otherwise.

    Raises
    ------
    ValueError
        For arrays of different lengths or negative weights.
    """
    a, b = cluster(values_a, images_a, weights_a), cluster(values_b, images_b, weights_b)
    median_a, median_b = _median(a), _median(b)
    delta = _dominance(a, b)
    method_name, difference, interval = NO_INTERVAL, None, None
    rng = np.random.default_rng(seed)
    if a.n > 1 and b.n > 1:
        if min(a.n_images, b.n_images) >= MANY_IMAGES:
            method_name = BOOTSTRAP
            difference = _bootstrap(a, b, median_a - median_b, level, resamples, rng)
        else:
            method_name = FEW_IMAGES if min(a.n_images, b.n_images) > 1 else ONE_IMAGE
            difference = _combined(a, b, median_a - median_b, level)
        interval = _delta_interval(a, b, delta, level)
    p_value, least, permutations, exact = _permutation_test(a, b, rng)
    return Comparison(
        n_a=a.n,
        n_b=b.n,
        n_images_a=a.n_images,
        n_images_b=b.n_images,
        median_a=median_a,
        median_b=median_b,
        difference=Estimate(median_a - median_b, *(difference or (None, None))),
        cliffs_delta=Estimate(delta, *(interval or (None, None))),
        p_value=p_value,
        least_p=least,
        permutations=permutations,
        exact=exact,
        level=level,
        interval_method=method_name,
        weighting=weighting,
        border_weighted=border_weighted,
        method=_method_text(method_name, level, permutations, exact=exact),
        note=_note(a, b, least, method_name),
    )


def cliffs_delta(
    values_a: ArrayLike, values_b: ArrayLike, weights_a: ArrayLike | None = None, weights_b: ArrayLike | None = None
) -> float:
    """Return the chance that a value of a is larger than one of b, minus the chance that it is smaller.

    Parameters
    ----------
    values_a, values_b : array_like
        Values; those that are not finite are left out.
    weights_a, weights_b : array_like, optional
        Weights; equal where absent.

    Returns
    -------
    float
        From -1 to 1; NaN where either has no value. The time is that of sorting.

    References
    ----------
    .. [1] N. Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions", Psychological Bulletin 114
           (1993)
       494-509.

    Examples
    --------
    >>> cliffs_delta([2.0, 3.0], [1.0, 2.0])
    0.75
    """
    zeros_a, zeros_b = (np.zeros(np.size(np.asarray(v)), dtype=np.intp) for v in (values_a, values_b))
    return _dominance(cluster(values_a, zeros_a, weights_a), cluster(values_b, zeros_b, weights_b))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (S. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70).

    Parameters
    ----------
    p_values : sequence of float or None
        None (no test) stays None and does not count.

    Examples
    --------
    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min((len(tested) - rank) * p, 1.0))
        found[place] = largest
    return found


def _median(data: Clustered) -> float:
    return float(resampled_quantiles(data, [0.5], np.ones((1, data.n_images)))[0, 0]) if data.n else math.nan


def _placements(data: Clustered, other: Clustered) -> NDArray[np.float64]:
    """Return, for each value, the share of the other sample below it minus the share above it."""
    cumulative = np.concatenate([[0.0], np.cumsum(other.weights)])
    below = cumulative[np.searchsorted(other.values, data.values, side="left")]
    up_to = cumulative[np.searchsorted(other.values, data.values, side="right")]
    return (below + up_to - cumulative[-1]) / cumulative[-1]


def _dominance(a: Clustered, b: Clustered) -> float:
    if not a.n or not b.n:
        return math.nan
    return float(np.average(_placements(a, b), weights=a.weights))


def _bootstrap(
    a: Clustered, b: Clustered, difference: float, level: float, resamples: int, rng: np.random.Generator
) -> Interval:
    """Return the difference of medians plus and minus a Welch-type t times its bootstrap standard error."""
    variances: list[tuple[float, int]] = []
    for data in (a, b):
        medians = resampled_quantiles(data, [0.5], draw_images(data.n_images, resamples, rng))[:, 0]
        error = bootstrap_error(medians, data.n_images)
        if error is None:
            return None
        variances.append((error**2, data.n_images - 1))
    return around(difference, _welch_reach(variances, level))


def _welch_reach(variances: list[tuple[float, int]], level: float) -> float:
    """Return t times the error of a sum of two parts, given the variance and the degrees of freedom of each."""
    total = sum(variance for variance, _ in variances)
    if not total > 0:
        return 0.0
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in variances)
    return t_quantile(level, freedom) * math.sqrt(total)


def _combined(a: Clustered, b: Clustered, difference: float, level: float) -> Interval:
    of_a = summarise(a.values, a.image, weights=a.weights, level=level).median
    of_b = summarise(b.values, b.image, weights=b.weights, level=level).median
    if of_a.low is None or of_a.high is None or of_b.low is None or of_b.high is None:
        return None
    down = math.hypot(of_a.value - of_a.low, of_b.high - of_b.value)
    up = math.hypot(of_a.high - of_a.value, of_b.value - of_b.low)
    return difference - down, difference + up


def _delta_interval(a: Clustered, b: Clustered, delta: float, level: float) -> Interval:
    """Return a t interval of Cliff's delta on the inverse hyperbolic tangent; None where the samples do not overlap."""
    variances: list[tuple[float, int]] = []
    within = min(a.n_images, b.n_images) == 1
    for data, placement in ((a, _placements(a, b)), (b, -_placements(b, a))):
        if within:  # each particle is its own unit
            share, of_unit = data.weights / data.weights.sum(), placement
        else:
            total = data.image_sums(data.weights)
            share, of_unit = total / total.sum(), data.image_sums(data.weights * placement) / total
        variances.append((image_level_error(share, of_unit, delta) ** 2, share.size - 1))
    reach = _welch_reach(variances, level)
    if not reach > 0 or abs(delta) >= 1 - TIE:
        return None
    reach /= 1 - delta**2
    return math.tanh(math.atanh(delta) - reach), math.tanh(math.atanh(delta) + reach)


def _permutation_test(
    a: Clustered, b: Clustered, rng: np.random.Generator
) -> tuple[float | None, float | None, int, bool]:
    found = assignments(a.n_images, b.n_images, rng)
    if found is None:
        return None, None, 0, False
    values = np.concatenate([a.values, b.values])
    order = np.argsort(values, kind="stable")
    # weights are brought to one scale per sample only (mean 1), which is what each median sees
    weights = np.concatenate([a.weights, b.weights])[order]
    image = np.concatenate([a.image, b.image + a.n_images])[order]
    pooled = Clustered(values[order], weights, image, a.n_images + b.n_images, 0)
    sides = found.sides
    gap = np.abs(resampled_quantiles(pooled, [0.5], sides) - resampled_quantiles(pooled, [0.5], 1 - sides))[:, 0]
    return found.p_value(gap), found.least_p, found.permutations, found.exact


def _method_text(method: str, level: float, permutations: int, *, exact: bool) -> str:
    percent = f"{level * 100:g} %"
    intervals = {
        BOOTSTRAP: f"{percent} intervals from a bootstrap that draws whole images within each sample",
        FEW_IMAGES: f"{percent} intervals from Student's t on the statistics of whole images (few images)",
        ONE_IMAGE: f"{percent} intervals describe these images only: one sample has a single image",
        NO_INTERVAL: "no intervals: too few particles",
    }[method]
    return f"{intervals[:1].upper()}{intervals[1:]}; {how_tested(permutations, exact=exact)}."


def _note(a: Clustered, b: Clustered, least: float | None, method: str) -> str:
    if not a.n or not b.n:
        return "A sample has no measured particle."
    images = f"{count_text(a.n_images, 'image')} and {b.n_images}"
    sentences: list[str] = []
    if method == NO_INTERVAL:
        sentences.append("One particle gives no interval.")
    elif method == ONE_IMAGE:
        sentences.append("How much images differ is not known for a sample of one image: the intervals are too narrow.")
    elif method == FEW_IMAGES:
        sentences.append(f"The images are few ({images}); the intervals are wide.")
    sentences.append(least_p_note(a.n_images, b.n_images, least))
    return " ".join(filter(None, sentences))
