"""Have I counted enough: what a wanted precision of the mean takes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from antema.stats.clusters import cluster
from antema.stats.estimate import count_text
from antema.stats.intervals import image_level_error, t_quantile


@dataclass(frozen=True)
class Enough:
    """How well the mean is known, and what it would take to know it to the precision that was asked for.

    Parameters
    ----------
    precision : float
        Half-width of the interval wanted, as a fraction of the mean.
    level : float
        Confidence level.
    n, n_images : int
        Particles and images now.
    relative_half_width : float or None
        Half-width of the mean's interval now, as a fraction of the mean; None where there is no interval.
    design_effect : float or None
        Variance of the mean as the images show it over the variance that as many independent particles would have;
        above 1 where images differ by more than their particles explain. None with one image.
    needed_particles, needed_images : int or None
        What the precision takes at the present number of particles per image. With one image, `needed_images` is None
        and `needed_particles` a lower limit.
    reached : bool or None
        Whether the precision is reached; None where the data cannot tell (one image, one particle).
    statement : str
        The same as a sentence.
    """

    precision: float
    level: float
    n: int
    n_images: int
    relative_half_width: float | None
    design_effect: float | None
    needed_particles: int | None
    needed_images: int | None
    reached: bool | None
    statement: str


def enough(
    values: ArrayLike,
    images: ArrayLike,
    precision: float = 0.05,
    *,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Enough:
    """Tell how many particles and images the mean takes.

    Parameters
    ----------
    values : array_like, shape (n,)
        The quantity, positive on average.
    images : array_like, shape (n,)
        Identity of the image of each value.
    precision : float
        Half-width of the interval wanted, as a fraction of the mean (0.05 for 5 %).
    weights : array_like, shape (n,), optional
        Weights; equal where absent.
    level : float
        Confidence level.

    Notes
    -----
    The error of the mean comes from the scatter of whole images, so a sample whose images differ asks for more images,
    not for more particles of the same image. The number of images n solves t(n - 1) s / sqrt(n) = precision x mean with
    Student's t. With one image only n = (z CV / precision)² is left, which takes particles for independent.
    """
    if not 0 < precision < 1:
        msg = f"precision: expected a fraction between 0 and 1, found {precision:g}"
        raise ValueError(msg)
    data = cluster(values, images, weights)
    percent = f"{precision * 100:g} %"
    if data.n < 2:
        found = "no particle" if not data.n else "one particle"
        text = f"There is {found} so far: too little to say how many are needed."
        return Enough(precision, level, data.n, data.n_images, None, None, None, None, None, text)
    share = data.weights / data.weights.sum()
    mean = float(share @ data.values)
    if not mean > 0:
        text = f"The mean is {mean:g}; a relative precision has no meaning."
        return Enough(precision, level, data.n, data.n_images, None, None, None, None, None, text)
    squares = float(np.sum((share * (data.values - mean)) ** 2)) * data.n / (data.n - 1)
    if data.n_images == 1:
        half_width = t_quantile(level, data.n - 1) * math.sqrt(squares) / mean
        z = float(special.ndtri(0.5 + level / 2))
        needed = max(math.ceil(data.n * squares * (z / (precision * mean)) ** 2), 2)
        text = (
            f"Within this one image the mean is known to ±{half_width * 100:.2g} %; how much images differ is unknown. "
            f"±{percent} takes at least {count_text(needed, 'particle')}, and several images to know it of the sample."
        )
        return Enough(precision, level, data.n, 1, half_width, None, needed, None, None, text)

    totals = data.image_sums(data.weights)
    means = data.image_sums(data.weights * data.values) / totals
    error = image_level_error(totals / totals.sum(), means, mean)
    half_width = t_quantile(level, data.n_images - 1) * error / mean
    scatter = error * math.sqrt(data.n_images)  # standard deviation of one image's contribution
    needed_images = _images_for(scatter / (precision * mean), level)
    needed_particles = math.ceil(needed_images * data.n / data.n_images)
    design_effect = error**2 / squares if squares > 0 else None
    reached = half_width <= precision
    known = f"The mean is known to ±{half_width * 100:.2g} % ({count_text(data.n, 'particle')}, {data.n_images} images)"
    if reached:
        text = f"{known}: ±{percent} is reached."
    else:
        text = (
            f"{known}: ±{percent} takes about {count_text(needed_particles, 'particle')} in {needed_images:,} images, "
            f"{count_text(max(needed_images - data.n_images, 1), 'image')} more."
        )
    if data.n_images < 6:
        text += " This rests on few images and is itself uncertain."
    return Enough(
        precision,
        level,
        data.n,
        data.n_images,
        half_width,
        design_effect,
        needed_particles,
        needed_images,
        reached,
        text,
    )


def _images_for(relative_scatter: float, level: float) -> int:
    """Return the least number of images, from 2 on, with t(n - 1) x relative_scatter / sqrt(n) <= 1."""
    low, high = 1, 2
    while t_quantile(level, high - 1) * relative_scatter > math.sqrt(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if t_quantile(level, middle - 1) * relative_scatter > math.sqrt(middle):
            low = middle
        else:
            high = middle
    return high
