"""Whole images moved between two samples: what a test that respects images looks at."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.stats.estimate import count_text, format_number
from antema.stats.quantiles import TIE

LEAST_IMAGES_FOR_A_TEST = 3

_EXACT_UP_TO = 10_000
_RANDOM_PERMUTATIONS = 9_999


@dataclass(frozen=True, eq=False)
class Assignments:
    """Ways to give the images of two samples to the two sides.

    Parameters
    ----------
    sides : ndarray of float, shape (permutations, n_images)
        1 where an image is on the first side; the first row is the data as they are.
    least_p : float
        The smallest p-value that so many images can give.
    permutations : int
        Assignments beside the data's own; all of them where `exact`.
    exact : bool
        Whether these are all there are.
    """

    sides: NDArray[np.float64]
    least_p: float
    permutations: int
    exact: bool

    def p_value(self, gap: NDArray[np.float64]) -> float:
        """Return the p-value of a statistic, shape (permutations,), whose large values speak against chance."""
        return int(np.count_nonzero(gap >= gap[0] * (1 - TIE))) / self.sides.shape[0]


def assignments(n_a: int, n_b: int, rng: np.random.Generator) -> Assignments | None:
    """Return the assignments of the images of two samples; None with fewer than three images in either.

    All distinct ones where there are at most 10,000, as many random ones otherwise.
    """
    if min(n_a, n_b) < LEAST_IMAGES_FOR_A_TEST:
        return None
    n_images, total = n_a + n_b, math.comb(n_a + n_b, n_a)
    if total <= _EXACT_UP_TO:
        sides = np.zeros((total, n_images))
        chosen = np.array(list(itertools.combinations(range(n_images), n_a)))
        np.put_along_axis(sides, chosen, 1.0, axis=1)  # the first row is the data as they are
        # with as many images on both sides, exchanging the samples altogether gives the same absolute difference
        return Assignments(sides, (2 if n_a == n_b else 1) / total, total, exact=True)
    sides = np.zeros((_RANDOM_PERMUTATIONS + 1, n_images))
    sides[:, :n_a] = 1.0
    sides[1:] = rng.permuted(sides[1:], axis=1)
    return Assignments(sides, 1 / sides.shape[0], _RANDOM_PERMUTATIONS, exact=False)


def how_tested(permutations: int, *, exact: bool) -> str:
    """Return how the p-values were found; that there is no test where there are no permutations."""
    if not permutations:
        return "no test"
    how = f"all {permutations:,} distinct assignments" if exact else f"{permutations:,} random permutations"
    return f"p from {how} of whole images to the two samples"


def least_p_note(n_a: int, n_b: int, least_p: float | None) -> str:
    """Return what so few images cannot show; empty where they can."""
    images = f"{count_text(n_a, 'image')} and {n_b}"
    if least_p is None:
        return f"No p-value: a test needs at least {LEAST_IMAGES_FOR_A_TEST} images of each sample, found {images}."
    if least_p <= 0.005:
        return ""
    sentence = f"With {images} images the smallest p-value possible is {format_number(least_p, 2)}"
    return f"{sentence}: the test cannot reach 0.05 whatever the particles are." if least_p > 0.05 else f"{sentence}."
