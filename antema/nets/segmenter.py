"""A trained network on whole micrographs of any size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from antema.domain import AntemaError, Trust
from antema.domain.recipe import POLARITIES
from antema.nets.calibration import Calibration, read_calibration
from antema.nets.card import find, verify
from antema.nets.network import Network, Progress, network_of
from antema.nets.normalisation import NORMALISATIONS, Normalisation, finite, standardised
from antema.nets.polarity import evidence
from antema.nets.proposals import OUTPUTS, Proposals, each_once, joined, peaks, shares_of_scales
from antema.nets.scales import (
    add_enlarged,
    candidate_factors,
    doubled,
    enlarged,
    estimated_width_px,
    middle,
    reduced,
    typical_width_px,
    working_weights,
)
from antema.nets.trust import SAMPLE_PX, indicators, proposal_indicators

SCALES = ("by particle width", "native")
"""At what scales a card may say that its network sees a micrograph; the first one unless it says so."""

SMALL_PX = 13.0
"""Particles narrower than this are seen in an image that is enlarged twice."""

_LEAST_SIDE_PX = 40
"""Least side to which an image is reduced where particles are found one by one."""

_LEAST_SEEN_SHARE = 0.005
"""Of the middle of an enlarged image, that has to be particle for all of it to be enlarged."""

_SAMPLE_PX = 1024
"""Side of the middle of an image that is enough to tell its polarity by."""


@dataclass(frozen=True, eq=False)
class NetworkMaps:
    """What a network says of a micrograph.

    Parameters
    ----------
    probability : ndarray of float32, shape (h, w)
        Probability that a pixel is particle.
    scales : tuple of float
        Scales at which the network saw the micrograph, finest first: 1 for its own pixels, 0.25 for a quarter of
        its width. Of several a weighted mean of the logits was taken.
    width_px : float
        Typical width of a particle in the micrograph's pixels; 0 where none was found.
    notes : tuple of str
        What a reader of the result should know beside the rest, in plain sentences.
    contact : ndarray of float32, shape (h, w), or None
        Probability that a pixel lies on the seam between two particles that touch or overlap, seen at the finest of
        the scales; None where the network does not say.
    trust : Trust or None
        Whether the micrograph is of the kind that the network knows; None where that was never measured.
    polarity : str
        ``dark`` or ``bright``: what the particles were taken to be on their ground.
    atoms : ndarray of float32, shape (h, w), or None
        Probability that a pixel is particle as far as its atoms reach; None where the network does not say.
    proposals : Proposals or None
        Particles one by one; None where the network does not say.
    offsets : tuple of (float, ndarray)
        Scales, in the order of the proposals' indices, and what is said at each of the way to the middle of a pixel's
        particle: float32 (h scale / 2, w scale / 2, 2), in units of `antema.nets.outlines.OFFSET_UNIT_PX` at that
        scale.
    outline : str
        Where particles of `probability` end, ``visible`` or ``atoms``.
    """

    probability: NDArray[np.float32]
    scales: tuple[float, ...]
    width_px: float
    notes: tuple[str, ...] = ()
    contact: NDArray[np.float32] | None = None
    trust: Trust | None = None
    polarity: str = "dark"
    atoms: NDArray[np.float32] | None = None
    proposals: Proposals | None = None
    offsets: tuple[tuple[float, NDArray[np.float32]], ...] = ()
    outline: str = ""


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A segmentation network ready for use; `load` gives one.

    Parameters
    ----------
    name : str
        The model's name.
    sha256 : str
        Digest of its weight file, and of what was measured of it where that is used.
    threshold : float
        Probability above which a pixel is particle.
    card : dict
        The model's card.
    network : Network
        What gives logits.
    normalised : callable
        From grey values (h, w) to what the network expects.
    native_scale : bool
        Whether the network sees every micrograph at its own pixels alone.
    calibration : Calibration or None
        What was measured of it; without, particles are dark unless said otherwise, and trust is not told.
    """

    name: str
    sha256: str
    threshold: float
    card: dict[str, Any]
    network: Network = field(repr=False)
    normalised: Normalisation = field(default=standardised, repr=False)
    native_scale: bool = False
    calibration: Calibration | None = field(default=None, repr=False)

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the probability, float32 (h, w), that each of `pixels` (h, w), of any type, is particle."""
        return self.segment(pixels).probability

    def segment(
        self,
        pixels: NDArray[np.generic],
        *,
        polarity: str = "auto",
        expected: str = "dark",
        progress: Progress | None = None,
    ) -> NetworkMaps:
        """Return the probability map of an image, computed at the scales that suit its particles.

        Parameters
        ----------
        pixels : ndarray, shape (h, w)
            Grey values of any type.
        polarity : str
            Whether particles are ``dark`` or ``bright`` on their ground; ``auto`` lets the image tell, which it must do
            strongly to be taken for other than `expected`.
        expected : str
            ``dark``, or ``bright`` where the detector makes them so (`antema.nets.expected_polarity`).
        progress : callable, optional
            Called with the share of the work that is done, from 0 to 1.

        Raises
        ------
        AntemaError
            Where `polarity` is none of these.
        """
        if polarity not in POLARITIES:
            msg = f"polarity: expected one of {', '.join(POLARITIES)}, found {polarity!r}"
            raise AntemaError(msg)
        # one particle may fill the image, and has to be seen small enough to be spoken of
        least_side_px = 96 if self.network.answers is None else _LEAST_SIDE_PX
        factors = [1] if self.native_scale else candidate_factors(pixels.shape, least_side_px=least_side_px)
        told = _Told(progress, sum(1 / factor**2 for factor in factors))
        levels = _Levels(pixels)
        passes = _Passes(self, levels, bright=(expected if polarity == "auto" else polarity) == "bright", told=told)
        width_px, at = estimated_width_px(passes.width_px, factors)
        if polarity == "auto" and self.calibration is not None:
            other = _Passes(self, levels, bright=not passes.bright, told=told, cropped=True)
            seen = self._evidence(passes, width_px, at)
            otherwise = self._evidence(other, *estimated_width_px(other.width_px, factors))
            dark, bright = (otherwise, seen) if passes.bright else (seen, otherwise)
            if (self.calibration.polarity(dark, bright, expected) == "bright") != passes.bright:
                passes = _Passes(self, levels, bright=not passes.bright, told=told)
                width_px, at = estimated_width_px(passes.width_px, factors)
        if self.network.answers is None:
            return self._fused(passes, width_px, working_weights(width_px, factors), told)
        return self._one_by_one(passes, width_px, factors, told)

    def _one_by_one(self, passes: "_Passes", width_px: float, factors: Sequence[int], told: "_Told") -> NetworkMaps:
        """Return the maps with the particles that the network proposes; `passes` are spent afterwards."""
        scales: list[float] = [1 / factor for factor in factors]
        proposed = joined([peaks(passes.objects(factor), 1 / factor, k) for k, factor in enumerate(factors)])
        weights: dict[float, float] = {**working_weights(width_px, factors)}
        rough = self._map(passes, weights, 0) > self.cut
        found = each_once(proposed, rough)
        if _are_small(found, width_px) or (not len(found) and self._shows_small(passes)):
            scales.append(2.0)
            proposed = joined([proposed, peaks(passes.objects(0.5), 2.0, len(factors))])
            rough = self._map(passes, {0.5: 1.0}, 0) > self.cut
            found = each_once(proposed, rough)
        shares = shares_of_scales(found.diameters, scales)
        if shares:
            weights = {1 / scales[k]: share for k, share in shares.items()}
        maps = [self._map(passes, weights, k) for k in range(len(OUTPUTS))]
        probability = self.calibrated(maps[0])
        found = each_once(proposed, probability > self.threshold)
        others = [np.asarray(expit(each, out=each), np.float32) for each in maps[1:]]
        if len(found):
            width_px = float(np.median(found.diameters))
        trust = None
        used = sorted(max(1, round(factor)) for factor in weights)
        if self.calibration is not None and self.calibration.trust is not None:
            trust = self.calibration.trust.of(*self._measured(passes, probability, width_px, used, found))
        if self.calibration is not None:
            found = replace(found, confidence=self.calibration.confidence_of(found.overlap))
        told.all()
        return NetworkMaps(
            probability,
            tuple(sorted((1 / factor for factor in weights), reverse=True)),
            width_px,
            contact=others[0],
            trust=trust,
            polarity="bright" if passes.bright else "dark",
            atoms=others[1],
            proposals=found,
            offsets=tuple((scale, passes.offsets(1 / scale)) for scale in scales),
            outline=self.outlines[0],
        )

    def _shows_small(self, passes: "_Passes") -> bool:
        """Return whether the middle of an image shows particles once it is enlarged.

        Those of a few pixels in a dense layer are not seen at all at their own size. A whole image without any is not
        enlarged: it would take four times its time and memory.
        """
        seen = passes.of_the_middle().at(0.5)[0] > self.cut
        return bool(np.count_nonzero(seen) > _LEAST_SEEN_SHARE * seen.size)

    def _map(self, passes: "_Passes", weights: Mapping[float, float], k: int) -> NDArray[np.float32]:
        """Return the mean of one output over some factors by their weights, on the image's own pixels."""
        height, width = passes.levels.pixels.shape
        total = np.zeros((height, width), np.float32)
        for factor, weight in weights.items():
            values = passes.at(factor)[k]
            if factor < 1:
                values = reduced(values, round(1 / factor))[:height, :width]
            add_enlarged(total, np.float32(weight) * values, max(round(factor), 1))
        return total

    def _fused(self, passes: "_Passes", width_px: float, weights: dict[int, float], told: "_Told") -> NetworkMaps:
        """Return the mean of what the network says at some factors, by their weights; `passes` are spent afterwards."""
        used = list(weights)
        finest = used[0]
        shape = passes.levels.pixels.shape
        planes = passes.taken(finest)
        logits = enlarged(planes[0], finest, shape)
        logits *= np.float32(weights[finest])
        for factor in used[1:]:
            add_enlarged(logits, np.float32(weights[factor]) * passes.at(factor)[0], factor)
        probability = self.calibrated(logits)
        contact = None
        if len(planes) > 1:  # a seam is thin: coarser scales would only smear it
            contact = enlarged(planes[1], finest, shape)
            expit(contact, out=contact)
        polarity = "bright" if passes.bright else "dark"
        trust = None
        if self.calibration is not None and self.calibration.trust is not None:
            trust = self.calibration.trust.of(*self._measured(passes, probability, width_px, used))
        told.all()
        scales = tuple(1 / factor for factor in used)
        return NetworkMaps(
            probability,
            scales,
            width_px,
            contact=contact,
            trust=trust,
            polarity=polarity,
            outline=self.outlines[0],
        )

    def _measured(
        self,
        passes: "_Passes",
        probability: NDArray[np.float32],
        width_px: float,
        used: list[int],
        proposals: Proposals | None = None,
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float32]]:
        """Return what trust goes by: `antema.nets.trust.indicators`, those of proposals, and the network's features."""
        finest, coarsest = used[0], used[-1]
        pixels = finite(middle(passes.levels.pixels, SAMPLE_PX))
        seen = pixels if finest == 1 else middle(passes.levels.at(finest), SAMPLE_PX)
        sign = np.float32(-1 if passes.bright else 1)
        measured = indicators(
            sign * pixels,
            middle(probability, SAMPLE_PX),
            sign * seen,
            reduced(middle(probability, SAMPLE_PX * finest), finest),
            threshold=self.threshold,
            width_px=width_px / finest,
        )
        if measured is not None and proposals is not None:
            area_px = int(np.count_nonzero(probability > self.threshold))
            measured = np.append(measured, proposal_indicators(proposals.overlap, proposals.areas, area_px))
        assert self.network.features is not None
        return measured, self.network.features(passes.values(coarsest))

    def views(self, pixels: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the evidence that particles in `pixels` (h, w) are dark, and that they are bright."""
        factors, levels, told = candidate_factors(pixels.shape), _Levels(pixels), _Told(None, 1.0)
        both = [_Passes(self, levels, bright=bright, told=told, cropped=True) for bright in (False, True)]
        dark, bright = (self._evidence(one, *estimated_width_px(one.width_px, factors)) for one in both)
        return dark, bright

    def _evidence(self, passes: "_Passes", width_px: float, factor: int) -> NDArray[np.float64]:
        """Return how much speaks for the polarity of some passes, where they saw particles of that width.

        A network that finds particles one by one sees those of a few pixels enlarged alone.
        """
        if self.network.answers is None or width_px >= SMALL_PX:
            return passes.evidence(factor)
        return passes.of_the_middle().evidence(0.5)

    def measured(
        self, pixels: NDArray[np.generic], *, polarity: str = "dark"
    ) -> tuple[NetworkMaps, NDArray[np.float64] | None, NDArray[np.float32]]:
        """Return the segmentation of `pixels` (h, w) with what trust goes by: the indicators and the features."""
        found = self.segment(pixels, polarity=polarity)
        passes = _Passes(self, _Levels(pixels), bright=found.polarity == "bright", told=_Told(None, 1.0))
        used = [max(1, round(1 / scale)) for scale in found.scales]
        return found, *self._measured(passes, found.probability, found.width_px, used, found.proposals)

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn fused logits of "particle" into probabilities, in place."""
        if self.calibration is not None:
            logits /= np.float32(self.calibration.temperature)
            logits += np.float32(self.calibration.offset)
        return expit(logits, out=logits)

    @property
    def outlines(self) -> tuple[str, ...]:
        """The definitions of an outline that the network knows, that of its map first."""
        # of networks of the time before there were two, own ones were taught atoms, published ones what people drew
        older = ("atoms",) if "union of discs" in str(self.card.get("outline", "")) else ("visible",)
        return tuple(self.card.get("outlines", older))

    @property
    def cut(self) -> float:
        """The logit above which a pixel is particle."""
        logit = float(np.log(self.threshold / (1 - self.threshold)))
        return logit if self.calibration is None else (logit - self.calibration.offset) * self.calibration.temperature


def _are_small(found: Proposals, width_px: float) -> bool:
    """Return whether particles are so small that the image has to be enlarged for the network to tell them apart."""
    if 0 < width_px < SMALL_PX:
        return True
    if not len(found):
        return False
    diameters = np.sort(found.diameters)
    share = np.cumsum(diameters) / diameters.sum()
    return bool(diameters[np.searchsorted(share, 0.5)] < SMALL_PX)


class _Levels:
    """An image at its own size and reduced by powers of 2, each made when it is first asked for."""

    def __init__(self, pixels: NDArray[np.generic]) -> None:
        self.pixels = pixels
        self._kept: dict[int, NDArray[np.float32]] = {}

    def at(self, factor: float) -> NDArray[np.float32]:
        if factor == 0.5:
            return doubled(finite(self.pixels))
        if factor == 1:
            return finite(self.pixels)  # not kept: 256 MiB of an image of 8192 x 8192 pixels
        factor = round(factor)
        if factor not in self._kept:
            self._kept[factor] = reduced(self.at(factor // 2), 2)
        return self._kept[factor]


class _Told:
    """Tells the share of the work that is done, ever growing; how much there will be shows only on the way."""

    def __init__(self, progress: Progress | None, work: float) -> None:
        self._progress, self._work, self._done = progress, work, 0.0

    def during(self, work: float) -> Progress | None:
        """Return what is to be called in a pass over that much (1 is the image's own pixels) with its share done."""
        if self._progress is None:
            return None
        before = self._done
        self._done = min(before + work / self._work, 0.99)
        progress, room = self._progress, self._done - before
        return lambda share: progress(before + share * room)

    def all(self) -> None:
        if self._progress:
            self._progress(1.0)


class _Passes:
    """What the network says of an image in one polarity, each factor seen when it is first asked for.

    Parameters
    ----------
    segmenter : Segmenter
        Whose network it is.
    levels : _Levels
        The image.
    bright : bool
        Whether it is shown inverted.
    told : _Told
        Hears of every pass.
    cropped : bool
        Whether the middle is enough where there is much.
    """

    def __init__(
        self, segmenter: Segmenter, levels: _Levels, *, bright: bool, told: _Told, cropped: bool = False
    ) -> None:
        self.levels, self.bright = levels, bright
        self._segmenter, self._told, self._cropped = segmenter, told, cropped
        self._maps: dict[float, list[NDArray[np.float32]]] = {}
        self._offsets: dict[float, NDArray[np.float32]] = {}
        self._objects: dict[float, NDArray[np.float32]] = {}

    def of_the_middle(self) -> "_Passes":
        """Return passes in the same polarity over the middle of the image alone."""
        if self._cropped:
            return self
        return _Passes(self._segmenter, self.levels, bright=self.bright, told=self._told, cropped=True)

    def values(self, factor: float) -> NDArray[np.float32]:
        """Return the grey values as the network is shown them."""
        values = self.levels.at(factor)
        return self._segmenter.normalised(-values if self.bright else values)

    def at(self, factor: float) -> list[NDArray[np.float32]]:
        """Return the logits, an array for each output."""
        if factor not in self._maps:
            values = self.values(factor)
            values = middle(values, _SAMPLE_PX) if self._cropped else values
            progress = self._told.during(values.size / self.levels.pixels.size)
            network = self._segmenter.network
            if network.answers is None or self._cropped:
                self._maps[factor] = network.logits(values, progress)
            else:
                logits, self._offsets[factor], self._objects[factor] = network.answers(values, progress)
                self._maps[factor] = list(np.moveaxis(logits, -1, 0))
        return self._maps[factor]

    def objects(self, factor: float) -> NDArray[np.float32]:
        """Return what the network says of particles, as `antema.nets.outlines.Answers` has it."""
        self.at(factor)
        return self._objects[factor]

    def offsets(self, factor: float) -> NDArray[np.float32]:
        """Return the offsets to the middles of particles, as `antema.nets.outlines.Answers` has them."""
        self.at(factor)
        return self._offsets[factor]

    def taken(self, factor: int) -> list[NDArray[np.float32]]:
        """Return `at` once and for all: the arrays are the caller's."""
        planes = self.at(factor)
        del self._maps[factor]
        return planes

    def width_px(self, factor: int) -> float:
        """Return the typical width of a particle on the map at that factor."""
        return typical_width_px(middle(self.at(factor)[0]) > self._segmenter.cut)

    def evidence(self, factor: float) -> NDArray[np.float64]:
        """Return how much speaks for the image being seen the right way round at that factor."""
        probability = self._segmenter.calibrated(middle(self.at(factor)[0], _SAMPLE_PX).copy())
        return evidence(middle(self.values(factor), _SAMPLE_PX), probability, self._segmenter.threshold)


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
    calibration = read_calibration(card)
    return Segmenter(
        card.name,
        card.sha256 if calibration is None else calibration.digest(card.sha256),
        card.threshold,
        dict(card.content),
        network_of(card),
        NORMALISATIONS[normalisation],
        native_scale=scale == "native",
        calibration=calibration,
    )
