"""Shares of classes in two samples side by side: difference, effect size and a test, all by whole images."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.comparison import holm
from antema.stats.estimate import Estimate
from antema.stats.permutation import assignments, how_tested, least_p_note
from antema.stats.quantiles import TIE
from antema.stats.shares import Shares, share_interval
from antema.stats.summary import MANY_IMAGES


@dataclass(frozen=True)
class ShareDifference:
    """What tells the share of one class apart in two samples.

    Parameters
    ----------
    share_a, share_b : Estimate
        The shares as fractions.
    difference : Estimate
        Share in a minus share in b.
    cohens_h : Estimate
        2 arcsin sqrt(share in a) - 2 arcsin sqrt(share in b), from -pi to pi: an effect size that counts 1 % against
        3 % for more than 50 % against 52 %.
    p_value : float or None
        Of the permutation test; None without one.
    corrected_p : float or None
        Corrected (Holm) for the number of classes.
    """

    share_a: Estimate
    share_b: Estimate
    difference: Estimate
    cohens_h: Estimate
    p_value: float | None
    corrected_p: float | None

    @property
    def effect_text(self) -> str:
        """The effect size in words.

        The borders 0.2, 0.5 and 0.8 are those of J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd
        ed., 1988, section 6.2.
        """
        if not self.cohens_h.has_value:
            return "no effect size"
        size = abs(self.cohens_h.value)
        for border, words in ((0.2, "a negligible effect"), (0.5, "a small effect"), (0.8, "a medium effect")):
            if size < border:
                return words
        return "a large effect"

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "share_a": self.share_a.to_dict(),
            "share_b": self.share_b.to_dict(),
            "difference": self.difference.to_dict(),
            "cohens_h": self.cohens_h.to_dict(),
            "effect": self.effect_text,
            "p_value": self.p_value,
            "corrected_p": self.corrected_p,
        }


@dataclass(frozen=True)
class ShareComparison:
    """The shares of all classes in two samples.

    Parameters
    ----------
    classes : tuple of ShareDifference
        One for each class, in the order of the columns.
    shares_a, shares_b : Shares
        The samples' own.
    least_p : float or None
        The smallest p-value that so many images can give.
    permutations : int
        Permutations looked at; 0 without a test.
    exact : bool
        Whether these were all there are.
    level : float
        Confidence level of the intervals.
    method : str
        One sentence on intervals and test.
    note : str
        What limits the comparison, in plain sentences; empty where nothing does.
    """

    classes: tuple[ShareDifference, ...]
    shares_a: Shares
    shares_b: Shares
    least_p: float | None
    permutations: int
    exact: bool
    level: float
    method: str
    note: str

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "n_a": self.shares_a.n,
            "n_b": self.shares_b.n,
            "n_images_a": self.shares_a.n_images,
            "n_images_b": self.shares_b.n_images,
            "least_p": self.least_p,
            "permutations": self.permutations,
            "exact": self.exact,
            "level": self.level,
            "method": self.method,
            "note": self.note,
            "classes": [one.to_dict() for one in self.classes],
        }


def compare_shares(
    counts_a: ArrayLike,
    counts_b: ArrayLike,
    *,
    weight_sums_a: ArrayLike | None = None,
    weight_sums_b: ArrayLike | None = None,
    worth_a: float | None = None,
    worth_b: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> ShareComparison:
    """Compare the shares of classes in two samples.

    Parameters
    ----------
    counts_a, counts_b : array_like of int, shape (n_images_a, n_classes) and (n_images_b, n_classes)
        Particles of each class in each image.
    weight_sums_a, weight_sums_b, worth_a, worth_b
        As in `antema.stats.share_interval`.
    level : float
        Confidence level.
    seed : int
        Seed of the permutations: the same data give the same p-values.

    Returns
    -------
    ShareComparison
        The intervals of difference and effect size combine those of both shares, which know how much the images differ
        (the method of variance estimates recovery: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008) 1693-1702).
        The test moves whole images between the samples and looks at the absolute difference of the pooled shares; it
        needs three images of each sample. P-values are corrected for the number of classes by Holm's method.

    Raises
    ------
    ValueError
        For tables of different classes, and where `antema.stats.share_interval` raises it.

    Examples
    --------
    >>> found = compare_shares([[8, 2], [9, 1], [7, 3]], [[3, 7], [4, 6], [2, 8]])
    >>> round(found.classes[0].difference.value, 3), found.classes[0].p_value, found.classes[0].effect_text
    (0.5, 0.1, 'a large effect')
    """
    a, sums_a = _table(counts_a, weight_sums_a)
    b, sums_b = _table(counts_b, weight_sums_b)
    if a.shape[1:] != b.shape[1:]:
        msg = f"counts: expected two tables of the same classes, found {a.shape[1:]} and {b.shape[1:]} of them"
        raise ValueError(msg)
    shares_a = share_interval(a, weight_sums=sums_a, worth=worth_a, level=level)
    shares_b = share_interval(b, weight_sums=sums_b, worth=worth_b, level=level)
    found = assignments(shares_a.n_images, shares_b.n_images, np.random.default_rng(seed))
    p_values: list[float | None] = [None] * a.shape[1]
    if found is not None:
        pooled = np.concatenate([_filled(sums_a), _filled(sums_b)])
        gaps = np.abs(_pooled(found.sides, pooled) - _pooled(1 - found.sides, pooled))
        # sums in another order differ in their last digits: what is no difference stays none
        gaps[gaps < TIE] = 0.0
        p_values = [found.p_value(gaps[:, place]) for place in range(a.shape[1])]
    classes = [_difference(*both) for both in zip(shares_a.shares, shares_b.shares, strict=True)]
    permutations, exact = (0, False) if found is None else (found.permutations, found.exact)
    return ShareComparison(
        classes=tuple(
            replace(one, p_value=p, corrected_p=corrected)
            for one, p, corrected in zip(classes, p_values, holm(p_values), strict=True)
        ),
        shares_a=shares_a,
        shares_b=shares_b,
        least_p=None if found is None else found.least_p,
        permutations=permutations,
        exact=exact,
        level=level,
        method=_method(shares_a, shares_b, level, how_tested(permutations, exact=exact)),
        note=_note(shares_a, shares_b, None if found is None else found.least_p),
    )


def _table(counts: ArrayLike, sums: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2:
        msg = f"counts: expected a table of images x classes, found shape {table.shape}"
        raise ValueError(msg)
    return table, table if sums is None else np.asarray(sums, dtype=np.float64)


def _filled(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the images with particles in an order of their content, on which random permutations then depend."""
    filled = sums[sums.sum(axis=1) > 0]
    return filled[np.lexsort(filled.T)]


def _pooled(sides: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each class among the images of one side: shape (permutations, n_classes)."""
    of_side = sides @ sums
    return of_side / of_side.sum(axis=1, keepdims=True)


def _difference(a: Estimate, b: Estimate) -> ShareDifference:
    return ShareDifference(a, b, _gap(a, b), _gap(_on_arcsine(a), _on_arcsine(b)), None, None)


def _gap(a: Estimate, b: Estimate) -> Estimate:
    difference = a.value - b.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Estimate(difference)
    down, up = math.hypot(a.value - a.low, b.high - b.value), math.hypot(a.high - a.value, b.value - b.low)
    return Estimate(difference, difference - down, difference + up)


def _on_arcsine(share: Estimate) -> Estimate:
    low, high = (None if end is None else 2 * math.asin(math.sqrt(end)) for end in (share.low, share.high))
    return Estimate(2 * math.asin(math.sqrt(share.value)) if share.has_value else math.nan, low, high)


def _method(a: Shares, b: Shares, level: float, test: str) -> str:
    percent = f"{level * 100:g} %"
    if not a.n or not b.n:
        return "No intervals and no test."
    if min(a.n_images, b.n_images) == 1:
        intervals = f"{percent} intervals describe these images only: one sample has a single image"
    else:
        intervals = f"{percent} intervals from the effective number of particles, by the spread between images"
    return f"{intervals}; {test}."


def _note(a: Shares, b: Shares, least_p: float | None) -> str:
    if not a.n or not b.n:
        return "A sample has no classified particle."
    sentences: list[str] = []
    if min(a.n_images, b.n_images) == 1:
        sentences.append("How much images differ is not known for a sample of one image: the intervals are too narrow.")
    elif min(a.n_images, b.n_images) < MANY_IMAGES:
        sentences.append(f"The images are few ({a.n_images} and {b.n_images}); the intervals are wide.")
    sentences.append(least_p_note(a.n_images, b.n_images, least_p))
    return " ".join(filter(None, sentences))
