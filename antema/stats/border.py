"""Border loss: a large particle is cut by the image's edge, and dropped, more often than a small one.

What is left over favours small particles. A particle of bounding box b_w x b_h that meets the image anywhere is wholly
inside a W x H one with a probability that goes as (W - b_w)(H - b_h) / (W H). Counting it by the inverse puts the
distribution right [1]_, [2]_. That factor is the column ``border_weight`` of the particle table.

References
----------
.. [1] R. E. Miles, "On the elimination of edge effects in planar sampling", in: E. F. Harding, D. G. Kendall (eds.),
       Stochastic Geometry, Wiley 1974, 228-247; C. Lantuejoul, "On the estimation of mean values in individual analysis
       of particles", Microscopica Acta Suppl. 4 (1980) 266-273.
.. [2] D. G. Horvitz, D. J. Thompson, "A generalization of sampling without replacement from a finite universe", Journal
       of the American Statistical Association 47 (1952) 663-685.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from antema.stats.estimate import count_text, format_number

MOST_FACTOR = 16.0
"""A particle stands for at most so many: its box is then as long as three quarters of the image both ways."""

# below this share of the particles the correction's cost in precision is worth a sentence
_WORTH_SAYING = 0.95

CUT_KEPT = "Particles that the image's edge cuts were kept: they are measured too small."
_KEPT = f"{CUT_KEPT} The correction for border loss needs them dropped: analyse again so."
_NOT_MEASURED = "This result was made before the factor for border loss was measured: analyse again to have it."


@dataclass(frozen=True, eq=False)
class BorderCorrection:
    """The factors by which particles count, or why there are none.

    Parameters
    ----------
    factors : ndarray of float, shape (n,), or None
        For how many particles each one stands, from 1 to `MOST_FACTOR`; None where no correction is possible.
    n_bounded : int
        Particles that reach so far that their own factor is larger than `MOST_FACTOR`.
    reason : str
        Sentence on why there is no correction; empty where there is one.
    """

    factors: NDArray[np.float64] | None
    n_bounded: int = 0
    reason: str = ""

    @property
    def is_possible(self) -> bool:
        """Whether there are factors."""
        return self.factors is not None

    @property
    def worth(self) -> float:
        """How many particles of one factor would be as good: (sum f)² / sum f² (L. Kish, Survey Sampling, 1965)."""
        if self.factors is None or not self.factors.size:
            return 0.0
        return float(self.factors.sum()) ** 2 / float(np.sum(self.factors**2))

    @property
    def note(self) -> str:
        """Sentences on what the correction does to this result; the reason where there is none."""
        if self.factors is None:
            return self.reason
        sentences = [
            "Corrected for border loss: each particle counts by the inverse of the chance that one of its extent lies "
            "wholly inside its image"
        ]
        n = self.factors.size
        if n:
            sentences[0] += f" (up to {format_number(float(self.factors.max()))} times here)"
        sentences[0] += "."
        if n and self.worth < _WORTH_SAYING * n:
            sentences.append(
                f"{count_text(n, 'particle')} {'is' if n == 1 else 'are'} worth {self.worth:.0f} that count alike."
            )
        if self.n_bounded:
            count = "counts" if self.n_bounded == 1 else "count"
            sentences.append(
                f"{count_text(self.n_bounded, 'particle')} so large beside the image as to stand for more than "
                f"{MOST_FACTOR:g} {count} as {MOST_FACTOR:g}, and what is larger still was hardly ever inside: take "
                "images of a larger field."
            )
        return " ".join(sentences)


def border_correction(border_weight: ArrayLike, *, border_dropped: bool) -> BorderCorrection:
    """Return the factors by which particles count once those that the image's edge cuts have been dropped.

    Parameters
    ----------
    border_weight : array_like, shape (n,)
        Inverse of the probability that a particle of this extent lies wholly inside its image, 1 or more; NaN where it
        was not measured.
    border_dropped : bool
        Whether cut particles were dropped. Where they were kept there is nothing to correct for, and no correction.

    Examples
    --------
    >>> border_correction([1.0, 1.25], border_dropped=True).factors.tolist()
    [1.0, 1.25]
    >>> border_correction([1.0, 1.25], border_dropped=False).is_possible
    False
    """
    weight = np.asarray(border_weight, dtype=np.float64).ravel()
    if not border_dropped:
        return BorderCorrection(None, reason=_KEPT)
    if np.any(np.isnan(weight)):
        return BorderCorrection(None, reason=_NOT_MEASURED)
    if np.any(weight < 1):
        msg = f"border weight: expected 1 or more, found {weight.min():g}"
        raise ValueError(msg)
    return BorderCorrection(np.minimum(weight, MOST_FACTOR), int(np.count_nonzero(weight > MOST_FACTOR)))
