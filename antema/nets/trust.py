"""Whether a micrograph is of the kind that a network knows, and how good its answer can be expected to be.

Two things are asked. Whether the network's features look like those of the micrographs that it learned from, or
rather like those of pictures that are none (`antema.training.strangers`); beside that the Mahalanobis distance
from the former. And how good its answer was on labelled micrographs of the same contrast, sampling, blur, density and
decidedness (`antema.training.calibrate`): the overlap with the truth, and of a network that finds particles one by one
their F1, if that is less; it goes by two more indicators.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from antema.domain import Trust

Array = NDArray[np.float64]

INDICATORS = ("contrast", "sampling", "blur", "density", "decided", "distance")
"""What the expected quality goes by, see `indicators`; the last one is the logarithm of `TrustModel.distance`. Those of
`proposal_indicators` stand before it where particles are found one by one."""

SAMPLE_PX = 1024
"""Side of the middle of an image that the indicators are measured on."""

_N_OF_MAPS = 5
"""Indicators that maps alone give."""
_LEAST_LEFT = 0.01
"""Share of the particle area that no proposal claims, below which it is all the same."""

_STRANGE = 2.0
"""Logarithm of the odds at which a picture counts as none of the micrographs that the network knows."""
WITHIN, _OUTSIDE = 0.7, 0.45
"""Scores from which on an image is within what the network knows, and below which it is outside."""


@dataclass(frozen=True, eq=False)
class TrustModel:
    """What the images that a network learned from and was tried on were like.

    Parameters
    ----------
    mean, deviation : ndarray, shape (f,)
        Of the features of the images that were learned from.
    whitening : ndarray, shape (f, k)
        Turns standardised features into k numbers of variance 1, along which these images differ most.
    held_out : ndarray, shape (100,)
        Percentiles 0.5 to 99.5 of the distance of images that were held out.
    known : ndarray, shape (n - 1 + f + 1,)
        Weights of standardised indicators and features in the logarithm of the odds that this is a micrograph of
        particles and no other picture; the last one stands alone.
    centre, spread : ndarray, shape (n,)
        Of each of `INDICATORS`, with those of proposals where there are such.
    low, high : ndarray, shape (n,)
        Percentiles 2 and 98 of each, of images that were held out.
    weights : ndarray, shape (n + 1,)
        Of the standardised indicators in the logit of the expected quality; the last one stands alone.
    """

    mean: Array
    deviation: Array
    whitening: Array
    held_out: Array
    known: Array
    centre: Array
    spread: Array
    low: Array
    high: Array
    weights: Array

    def distance(self, features: NDArray[np.floating]) -> float:
        """Return the Mahalanobis distance of `features`, over the root of their number: about 1 where all is known."""
        white = self.standard_features(features) @ self.whitening
        return float(np.sqrt(np.mean(white**2)))

    def standard_features(self, features: NDArray[np.floating]) -> Array:
        """Return features in units of their spread over the images that were learned from."""
        return np.clip((np.asarray(features, float) - self.mean) / self.deviation, -8, 8)

    def familiarity(self, measured: Array | None, features: NDArray[np.floating]) -> float:
        """Return the logarithm of the odds that an image is a micrograph of particles and no other picture."""
        return float(self.appearance(measured, features) @ self.known)

    def appearance(self, measured: Array | None, features: NDArray[np.floating]) -> Array:
        """Return what `known` weighs."""
        usual = np.zeros(len(self.centre) - 1)
        if measured is not None:
            usual = self.standardised(np.append(measured, self.centre[-1]))[:-1]
        return np.concatenate([usual, self.standard_features(features), [1.0]])

    def expected_quality(self, measured: Array) -> float:
        """Return the overlap with the truth, or the F1 of the particles, to be expected with these `INDICATORS`."""
        return float(expit(np.append(self.standardised(measured), 1.0) @ self.weights))

    def standardised(self, measured: Array) -> Array:
        """Return the indicators in units of their spread, none further out than was ever tried."""
        return np.clip((measured - self.centre) / self.spread, -4, 4)

    def of(self, measured: Array | None, features: NDArray[np.floating]) -> Trust:
        """Return what is to be thought of an image.

        Parameters
        ----------
        measured : ndarray or None
            `indicators` of the image; None where there are none.
        features : ndarray, shape (f,)
            What the network's deepest layer says of it.
        """
        distance = self.distance(features)
        far = distance / self.held_out[97]  # of 100 held-out images 97 are nearer
        known = float(np.clip(1 + self.familiarity(measured, features) / _STRANGE, 0, 1))
        known *= float(np.clip(3 - far, 0, 1))
        reasons: list[tuple[float, str]] = []
        if known < 1:
            text = "The image looks more like pictures that are no micrographs than like those the network learned from"
            text += (
                f", and is {far:.1f} times as far from these as nearly all that it was tried on." if far > 1 else "."
            )
            reasons.append((10 * (1 - known), text))
        if measured is None:
            score = 0.6 * known
            reasons.append((1.0, "There is no outline in the middle of the image to judge it by."))
        else:
            score = self.expected_quality(np.append(measured, np.log(distance))) * known
            reasons += self._unusual(measured)
        verdict = "within" if score >= WITHIN else "doubtful" if score >= _OUTSIDE else "outside"
        if verdict != "within" and not reasons:
            reasons.append((0.0, f"On labelled micrographs like this one the agreement with people was {score:.2f}."))
        return Trust(round(score, 3), verdict, tuple(text for _, text in sorted(reasons, reverse=True)))

    def _unusual(self, measured: Array) -> list[tuple[float, str]]:
        """Return sentences on indicators beyond nearly all that the network was tried on, with their weight."""
        contrast, width_px, blur, density = (float(np.exp(value)) for value in measured[:4])
        sure = 100 * max(1 - float(np.exp(-measured[4])), 0.0)
        low, high, spread = self.low, self.high, self.spread
        sentences = {
            (0, -1): f"The particles hardly stand out of the ground: contrast-to-noise {contrast:.2g}.",
            (1, -1): f"The particles are small: {width_px:.0f} px wide at the scale at which the network saw them.",
            (1, 1): f"The particles are large: {width_px:.0f} px wide at the scale at which the network saw them.",
            (2, 1): f"The outlines are blurred: they are {blur:.2g} of a particle's width wide.",
            (3, -1): f"There is little particle in the image: {100 * density:.2g} % of its area.",
            (3, 1): f"There is hardly any ground between the particles: they cover {100 * density:.0f} % of the area.",
            (4, -1): f"The network is undecided: it is sure of {sure:.0f} % of the particle area.",
        }
        if len(measured) > _N_OF_MAPS:
            fit, left = float(measured[5]), 100 * max(float(np.exp(-measured[6])) - _LEAST_LEFT, 0)
            sentences |= {
                (5, -1): f"The network expects its outlines to fit badly: to overlap with the particles by {fit:.2f}.",
                (6, -1): f"{left:.0f} % of the particle area is of no particle that the network could tell apart.",
            }
        found = []
        for (k, side), text in sentences.items():
            beyond = (low[k] - measured[k] if side < 0 else measured[k] - high[k]) / spread[k]
            if beyond > 0:
                found.append((1 + min(float(beyond), 8.0), text))
        return found


def indicators(
    pixels: NDArray[np.float32],
    probability: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_probability: NDArray[np.float32],
    *,
    threshold: float,
    width_px: float,
) -> Array | None:
    """Return what the quality of a segmentation can be told by without the truth; None without an outline.

    Parameters
    ----------
    pixels, probability : ndarray of float32, shape (h, w)
        A part of the image at its own size, particles dark, and what the network said of it.
    seen, seen_probability : ndarray of float32, shape (h', w')
        The same at the finest scale that the network saw it.
    threshold : float
        Probability above which a pixel is particle.
    width_px : float
        Typical width of a particle at that scale.

    Returns
    -------
    ndarray, shape (5,), or None
        Logarithms of the contrast-to-noise of a native pixel, of the width of a particle at the network's scale, of
        that of its edge (contrast over slope across the outline) in widths of a particle and of the share
        of the area that is particle; minus the logarithm of the share of the particle area that is undecided.
    """
    particle, also = probability > threshold, seen_probability > threshold
    if not particle.any() or not also.any() or particle.all() or also.all():
        return None
    unit = float(pixels.std(dtype=np.float64)) or 1.0  # grey values may be of any size: amperes, or counts
    pixels, seen = pixels / np.float32(unit), seen / np.float32(unit)
    ground = ~np.asarray(ndimage.binary_dilation(particle, iterations=2), bool)
    ground = ground if ground.any() else ~particle
    contrast = abs(float(pixels[particle].mean()) - float(pixels[ground].mean()))
    noise = _noise(pixels, ground)
    undecided = np.sum(4 * seen_probability * (1 - seen_probability)) / np.count_nonzero(also)
    logs = np.log(
        [
            max(contrast / noise, 1e-2),
            max(width_px, 1.0),
            np.clip(_edge_px(seen, seen_probability, also) / max(width_px, 1.0), 1e-2, 1e2),
            also.mean(),
        ]
    )
    return np.append(logs, -np.log(undecided + 1e-3))


def proposal_indicators(overlap: NDArray[np.floating], areas: NDArray[np.floating], particle_px: int) -> Array:
    """Return what can be told from particles that are proposed one by one, without the truth, shape (2,).

    Parameters
    ----------
    overlap, areas : ndarray, shape (n,)
        Intersection over union with the particle that the network foretells for each, and their areas in pixels.
    particle_px : int
        Pixels of particle in the image.

    Returns
    -------
    ndarray, shape (2,)
        Mean of the former; minus the logarithm of the share of the particle area that no proposal claims.
    """
    left = max(particle_px - float(areas.sum()), 0.0) / max(particle_px, 1)
    return np.array([float(overlap.mean()) if len(overlap) else 0.0, -np.log(left + _LEAST_LEFT)])


def _noise(pixels: NDArray[np.float32], ground: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the ground without its slow changes of grey."""
    share = ndimage.uniform_filter(ground.astype(np.float32), 65, mode="nearest")
    mean = ndimage.uniform_filter(np.where(ground, pixels, np.float32(0)), 65, mode="nearest")
    left = pixels[ground] - mean[ground] / np.maximum(share[ground], 1e-6)
    return float(left.std()) + 1e-6


def _edge_px(seen: NDArray[np.float32], probability: NDArray[np.float32], particle: NDArray[np.bool_]) -> float:
    """Return the contrast over the mean slope of the grey values across the outlines: noise has no part in it."""
    contrast = float(seen[~particle].mean()) - float(seen[particle].mean())
    smooth = np.asarray(ndimage.gaussian_filter(probability, 1.0), np.float32)
    outline = particle ^ np.asarray(ndimage.binary_erosion(particle, border_value=1), bool)
    if not outline.any():
        return float(max(particle.shape))
    along = [np.asarray(np.gradient(smooth, axis=axis))[outline] for axis in (0, 1)]
    slope = [np.asarray(np.gradient(seen, axis=axis))[outline] for axis in (0, 1)]
    length = np.hypot(*along) + 1e-6
    fall = -float(np.mean((along[0] * slope[0] + along[1] * slope[1]) / length))
    return contrast / fall if fall > 0 and contrast > 0 else float(max(particle.shape))
