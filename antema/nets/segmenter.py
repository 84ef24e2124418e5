"""A trained network on whole micrographs of any size."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from antema.domain import AntemaError, Trust
from antema.nets.card import ModelCard, find, verify
from antema.nets.normalisation import NORMALISATIONS, Normalisation, finite, standardised
from antema.nets.scales import (
    candidate_factors,
    enlarged,
    estimated_width_px,
    reduced,
    typical_width_px,
    working_factors,
)

_BUCKET_PX = 256

SCALES = ("by particle width", "native")
"""At what scales a card may say that its network sees a micrograph; the first one unless it says so."""

Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a network says of a micrograph.

    Parameters
    ----------
    probability : ndarray of float32, shape (h, w)
        Probability that a pixel is particle.
    scales : tuple of float
        Scales at which the network saw the micrograph, finest first: 1 for its own pixels, 0.25 for a quarter of
        its width. Of several the mean of the logits was taken.
    width_px : float
        Typical width of a particle in the micrograph's pixels; 0 where none was found.
    notes : tuple of str
        What a reader of the result should know.
    contact : ndarray of float32, shape (h, w), or None
        Probability that a pixel lies on the seam between two particles that touch or overlap, seen at the finest of
        the scales; None where the network does not say.
    trust : Trust or None
        Whether the micrograph is of the kind that the network knows; None where that was never measured.
    polarity : str
        ``dark`` or ``bright``: what the particles were taken to be on their ground.
    """

    probability: NDArray[np.float32]
    scales: tuple[float, ...]
    width_px: float
    notes: tuple[str, ...] = ()
    contact: NDArray[np.float32] | None = None
    trust: Trust | None = None
    polarity: str = "dark"


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A segmentation network ready for use; `load` gives one.

    Parameters
    ----------
    name : str
        The model's name.
    sha256 : str
        Digest of its weight file.
    threshold : float
        Probability above which a pixel is particle.
    card : dict
        The model's card.
    logits : callable
        From normalised grey values (h, w) of any size to logits (h, w, n_outputs), those of "particle" first.
    normalised : callable
        From grey values (h, w) to what `logits` expects.
    native_scale : bool
        Whether the network sees every micrograph at its own pixels alone.
    """

    name: str
    sha256: str
    threshold: float
    card: dict[str, Any]
    logits: Logits = field(repr=False)
    normalised: Normalisation = field(default=standardised, repr=False)
    native_scale: bool = False

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the probability, float32 (h, w), that each of `pixels` (h, w), of any type, is particle."""
        return self.segment(pixels).probability

    def segment(self, pixels: NDArray[np.generic]) -> Segmentation:
        """Return the probability map of `pixels`, shape (h, w), computed at the scales that suit its particles."""
        values = finite(pixels)
        maps: dict[int, NDArray[np.float32]] = {}

        def map_at(factor: int) -> NDArray[np.float32]:
            if factor not in maps:
                maps[factor] = self.logits(self.normalised(reduced(values, factor)))
            return maps[factor]

        cut = float(np.log(self.threshold / (1 - self.threshold)))
        factors = [1] if self.native_scale else candidate_factors(pixels.shape)
        width_px = estimated_width_px(lambda factor: typical_width_px(map_at(factor)[..., 0] > cut), factors)
        used = working_factors(width_px, factors)
        total = np.zeros(pixels.shape, np.float32)
        for factor in used:
            total += enlarged(map_at(factor)[..., 0], factor, pixels.shape)
        probability = expit(total / np.float32(len(used)))
        finest = used[0]
        notes = (f"segmented at 1/{finest} of the image's width",) if finest > 1 else ()
        contact = None
        if map_at(finest).shape[-1] > 1:  # a seam is thin: coarser scales would only smear it
            contact = expit(enlarged(map_at(finest)[..., 1], finest, pixels.shape))
        return Segmentation(probability, tuple(1 / factor for factor in used), width_px, notes, contact)


@lru_cache(maxsize=4)
def load(name: str = "default") -> Segmenter:
    """Return the segmentation network `name` from ``models/`` or ``$ANTEMA_DATA/models``, kept for this process.

    Raises
    ------
    NotFound
        Where there is no such model.
    AntemaError
        Where its weight file is not the one that the card describes.
    """
    card = verify(find(name).name)
    scale = card.content.get("scale", SCALES[0])
    normalisation = card.content.get("normalisation", "percentiles")
    if normalisation not in NORMALISATIONS or scale not in SCALES:
        msg = (
            f"model {card.name}: expected a normalisation of {', '.join(NORMALISATIONS)} and a scale of "
            f"{', '.join(SCALES)}, found {normalisation!r} and {scale!r}"
        )
        raise AntemaError(msg)
    return Segmenter(
        card.name,
        card.sha256,
        card.threshold,
        dict(card.content),
        network_logits(card),
        NORMALISATIONS[normalisation],
        native_scale=scale == "native",
    )


def network_logits(card: ModelCard) -> Logits:
    """Return the compiled network of `card` as a function on normalised images of any size."""
    import jax
    from flax import nnx

    from antema.nets.architectures import ARCHITECTURES
    from antema.nets.weights import read, set_weights

    entry = card.content.get("architecture", {})
    kind = entry.get("kind")
    classes = card.content.get("classes", ("background", "particle"))
    if kind not in ARCHITECTURES:
        msg = f"model {card.name}: expected an architecture of kind {', '.join(ARCHITECTURES)}, found {kind!r}"
        raise AntemaError(msg)
    architecture = ARCHITECTURES[kind]
    try:
        particle = classes.index("particle")
        network = nnx.eval_shape(lambda: architecture.build(entry))
        set_weights(network, read(card.weights_path))
    except (KeyError, TypeError, ValueError) as error:
        msg = f"model {card.name}: expected an architecture and weights that fit, found others ({error})"
        raise AntemaError(msg) from error
    graph, state = nnx.split(network)

    @jax.jit
    def run(state: nnx.State, x: jax.Array) -> jax.Array:
        return architecture.logits(nnx.merge(graph, state), x, particle)

    def logits(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return logits_anywhere(
            values,
            lambda x: np.asarray(run(state, x)),
            window_px=architecture.window_px,
            margin_px=architecture.margin_px,
        )

    return logits


def logits_anywhere(
    values: NDArray[np.float32], logits: Logits, *, window_px: int = 2048, margin_px: int = 256
) -> NDArray[np.float32]:
    """Return the logits of an image of any size.

    The image is mirrored up to multiples of 256 pixels, so that a folder of images of nearly equal size is compiled
    for once, and seen in windows that overlap by more than the network's reach: no seam can be.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
        Normalised grey values.
    logits : callable
        From normalised grey values (h, w), sides multiples of 256, to logits (h, w, n).
    window_px, margin_px : int
        Largest window, and what is thrown away on each inner side of it; multiples of 32.
    """
    h, w = values.shape
    padded = np.pad(values, ((0, -h % _BUCKET_PX), (0, -w % _BUCKET_PX)), mode="symmetric")
    if max(padded.shape) <= window_px:
        return logits(padded)[:h, :w]
    result: NDArray[np.float32] | None = None
    step = window_px - 2 * margin_px
    for y in range(0, padded.shape[0], step):
        for x in range(0, padded.shape[1], step):
            top, left = max(y - margin_px, 0), max(x - margin_px, 0)
            bottom = min(y + step + margin_px, padded.shape[0])
            right = min(x + step + margin_px, padded.shape[1])
            part = logits(np.ascontiguousarray(padded[top:bottom, left:right]))
            kept = part[y - top : y - top + step, x - left : x - left + step]
            if result is None:
                result = np.empty((*padded.shape, part.shape[-1]), np.float32)
            result[y : y + kept.shape[0], x : x + kept.shape[1]] = kept
    assert result is not None
    return result[:h, :w]
