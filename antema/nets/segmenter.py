"""A trained network on whole micrographs of any size."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from antema.domain import AntemaError
from antema.nets.card import ModelCard, find, verify
from antema.nets.scales import (
    candidate_factors,
    enlarged,
    estimated_width_px,
    reduced,
    typical_width_px,
    working_factors,
)

_BUCKET_PX = 256
_WINDOW_PX = 2048
_MARGIN_PX = 256

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
    """

    probability: NDArray[np.float32]
    scales: tuple[float, ...]
    width_px: float
    notes: tuple[str, ...] = ()


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
        From normalised grey values (h, w), sides multiples of 256, to logits of the same shape.
    """

    name: str
    sha256: str
    threshold: float
    card: dict[str, Any]
    logits: Logits = field(repr=False)

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the probability, float32 (h, w), that each of `pixels` (h, w), of any type, is particle."""
        return self.segment(pixels).probability

    def segment(self, pixels: NDArray[np.generic]) -> Segmentation:
        """Return the probability map of `pixels`, shape (h, w), computed at the scales that suit its particles."""
        values = finite(pixels)
        maps: dict[int, NDArray[np.float32]] = {}

        def map_at(factor: int) -> NDArray[np.float32]:
            if factor not in maps:
                maps[factor] = logits_anywhere(standardised(reduced(values, factor)), self.logits)
            return maps[factor]

        cut = float(np.log(self.threshold / (1 - self.threshold)))
        factors = candidate_factors(pixels.shape)
        width_px = estimated_width_px(lambda factor: typical_width_px(map_at(factor) > cut), factors)
        used = working_factors(width_px, factors)
        total = np.zeros(pixels.shape, np.float32)
        for factor in used:
            total += enlarged(map_at(factor), factor, pixels.shape)
        probability = expit(total / np.float32(len(used)))
        finest = used[0]
        notes = (f"segmented at 1/{finest} of the image's width",) if finest > 1 else ()
        return Segmentation(probability, tuple(1 / factor for factor in used), width_px, notes)


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
    return Segmenter(card.name, card.sha256, card.threshold, dict(card.content), network_logits(card))


def network_logits(card: ModelCard) -> Logits:
    """Return the compiled network of `card` as a function on arrays."""
    import jax
    from flax import nnx

    from antema.nets.unet import UNet
    from antema.nets.weights import read, set_weights

    features = tuple(card.content["architecture"]["features"])
    # the shapes alone: running the initialisers one by one takes many seconds
    network = nnx.eval_shape(lambda: UNet(features=features, rngs=nnx.Rngs(0)))
    try:
        set_weights(network, read(card.weights_path))
    except ValueError as error:
        msg = f"model {card.name}: {error}"
        raise AntemaError(msg) from error
    graph, state = nnx.split(network)

    @jax.jit
    def run(state: nnx.State, x: jax.Array) -> jax.Array:
        return nnx.merge(graph, state)(x[None])[0]

    return lambda x: np.asarray(run(state, x))


def finite(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return `pixels` as float32, what is not finite replaced by the median of the rest."""
    values = np.asarray(pixels).astype(np.float32)
    bad = ~np.isfinite(values)
    if bad.any():
        values[bad] = np.median(values[~bad]) if not bad.all() else 0.0
    return values


def standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `values` clipped to their 0.1 and 99.9 percentiles, with mean 0 and standard deviation 1.

    Robust spreads do not serve here: on the flat ground of a printed figure they are nearly 0 and would blow the
    particles up to any contrast, while this keeps every contrast within a few units.
    """
    stride = int(np.ceil(np.sqrt(values.size / 2**20)))  # a million pixels tell the percentiles of any image
    low, high = np.percentile(values[::stride, ::stride], (0.1, 99.9))
    if low == high:  # a few odd pixels on a flat image: only they have contrast
        low, high = values.min(), values.max()
    clipped = np.clip(values, np.float32(low), np.float32(high))
    spread = clipped.std(dtype=np.float64)
    if spread == 0:
        return np.zeros_like(clipped)
    return ((clipped - clipped.mean(dtype=np.float64)) / spread).astype(np.float32)


def logits_anywhere(
    values: NDArray[np.float32], logits: Logits, *, window_px: int = _WINDOW_PX, margin_px: int = _MARGIN_PX
) -> NDArray[np.float32]:
    """Return the logits of an image of any size.

    The image is mirrored up to multiples of 256 pixels, so that a folder of images of nearly equal size is compiled
    for once, and seen in windows that overlap by more than the network's reach: no seam can be.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
        Normalised grey values.
    logits : callable
        As in `Segmenter`.
    window_px, margin_px : int
        Largest window, and what is thrown away on each inner side of it; multiples of 32.
    """
    h, w = values.shape
    padded = np.pad(values, ((0, -h % _BUCKET_PX), (0, -w % _BUCKET_PX)), mode="symmetric")
    if max(padded.shape) <= window_px:
        return logits(padded)[:h, :w]
    result = np.empty_like(padded)
    step = window_px - 2 * margin_px
    for y in range(0, padded.shape[0], step):
        for x in range(0, padded.shape[1], step):
            top, left = max(y - margin_px, 0), max(x - margin_px, 0)
            bottom = min(y + step + margin_px, padded.shape[0])
            right = min(x + step + margin_px, padded.shape[1])
            part = logits(np.ascontiguousarray(padded[top:bottom, left:right]))
            kept = part[y - top : y - top + step, x - left : x - left + step]
            result[y : y + kept.shape[0], x : x + kept.shape[1]] = kept
    return result[:h, :w]
