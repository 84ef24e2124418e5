"""A micrograph's pixels into the probability that each is particle, burned-in text and bars left out."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from antema.analysis.proposed import ProposedParticles
from antema.domain import Annotations, CannotAnalyse, Trust
from antema.imaging import fill_boxes, find_annotations

_log = logging.getLogger(__name__)

Progress = Callable[[float], None]
"""Called with the share of an image that is done, from 0 to 1."""


class Segmenter(Protocol):
    """What tells particle from background; `antema.nets.load` gives one."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def sha256(self) -> str:
        """Digest that identifies the model."""
        ...

    @property
    def threshold(self) -> float:
        """Probability above which a pixel is particle."""
        ...

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the probability, float32 (h, w), that each of `pixels` (h, w) is particle."""
        ...


class Segmented(Protocol):
    """A probability map with what a reader should know of it."""

    @property
    def probability(self) -> NDArray[np.float32]:
        """Probabilities, float32 (h, w)."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Plain sentences."""
        ...

    @property
    def contact(self) -> NDArray[np.float32] | None:
        """Probabilities of a seam between particles, float32 (h, w)."""
        ...

    @property
    def trust(self) -> Trust | None:
        """Whether the image is of the kind that the segmenter knows."""
        ...

    @property
    def polarity(self) -> str:
        """``dark`` or ``bright``."""
        ...

    @property
    def scales(self) -> tuple[float, ...]:
        """Scales at which the image was seen, finest first."""
        ...


@runtime_checkable
class SegmentedOneByOne(Protocol):
    """What a segmenter says that also finds particles one by one."""

    @property
    def atoms(self) -> NDArray[np.float32] | None:
        """Probabilities of being particle as far as atoms reach, float32 (h, w)."""
        ...

    @property
    def proposals(self) -> ProposedParticles | None:
        """Particles one by one."""
        ...

    @property
    def outline(self) -> str:
        """Where particles of the map end, ``visible`` or ``atoms``."""
        ...

    @property
    def offsets(self) -> Sequence[tuple[float, NDArray[np.float32]]]:
        """Scales and votes for the middles of particles, see `antema.analysis.proposed.proposed_particles`."""
        ...


@runtime_checkable
class NotingSegmenter(Protocol):
    """A segmenter that also says how it worked."""

    def segment(
        self,
        pixels: NDArray[np.generic],
        *,
        polarity: str = "auto",
        expected: str = "dark",
        progress: Progress | None = None,
    ) -> Segmented:
        """Return the probability map of `pixels` (h, w) with notes; the other arguments are those of `segment`."""
        ...


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a segmenter says of an image.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        What it saw: the image with burned-in text and bars painted over.
    probability : ndarray of float32, shape (h, w)
        Probability that a pixel is particle; 0 where the image is covered.
    covered : ndarray of bool, shape (h, w)
        Where something is burned in.
    notes : tuple of str
        What a reader of the result should know, in plain sentences.
    contact : ndarray of float32, shape (h, w), or None
        Probability that a pixel lies on the seam between two particles that touch or overlap; None where the
        segmenter does not say.
    trust : Trust or None
        Whether the image is of the kind that the segmenter knows; None where it does not say.
    polarity : str
        ``dark`` or ``bright``: what the particles were taken to be on their ground.
    scales : tuple of float
        Scales at which the segmenter saw the image, finest first.
    atoms : ndarray of float32, shape (h, w), or None
        Probability that a pixel is particle as far as its atoms reach; None where the segmenter does not say.
    proposals : ProposedParticles or None
        Particles one by one; None where the segmenter does not say.
    offsets : sequence of (float, ndarray)
        Scales and votes for the middles of particles, see `antema.analysis.proposed.proposed_particles`.
    outline : str
        Where particles of `probability` end, ``visible`` or ``atoms``; empty where the segmenter does not say.
    """

    pixels: NDArray[np.generic]
    probability: NDArray[np.float32]
    covered: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    contact: NDArray[np.float32] | None = None
    trust: Trust | None = None
    polarity: str = "dark"
    scales: tuple[float, ...] = (1.0,)
    atoms: NDArray[np.float32] | None = None
    proposals: ProposedParticles | None = None
    offsets: Sequence[tuple[float, NDArray[np.float32]]] = ()
    outline: str = ""


def segment(
    pixels: NDArray[np.generic],
    segmenter: Segmenter,
    *,
    polarity: str = "auto",
    expected: str = "dark",
    leave_out_annotations: bool = True,
    annotations: Annotations | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Segment an image.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values.
    segmenter : Segmenter
        What tells particle from background.
    polarity : str
        Whether particles are ``dark`` or ``bright`` on their ground; ``auto`` leaves it to the segmenter.
    expected : str
        What it should be taken for where ``auto`` finds little evidence.
    leave_out_annotations : bool
        Whether burned-in bars, labels and data bars are looked for and left out.
    annotations : Annotations, optional
        What `antema.imaging.find_annotations` found in these pixels, where that was asked before.
    progress : callable, optional
        Told the share that is done, by a segmenter that tells it.

    Raises
    ------
    CannotAnalyse
        Where the segmenter's map has another shape, or where it cannot be told the polarity that is asked for.
    """
    if not leave_out_annotations:
        annotations = Annotations()
    said: tuple[str, ...] = ()
    if annotations is None:
        annotations, said = _burned_in(pixels)
    shape = cast("tuple[int, int]", pixels.shape)
    covered = annotations.mask(shape)
    # also for the sake of the rest: a white data bar would shift the grey values that the network goes by
    seen = fill_boxes(pixels, annotations.boxes)
    segmented = None
    if isinstance(segmenter, NotingSegmenter):
        segmented = segmenter.segment(seen, polarity=polarity, expected=expected, progress=progress)
    elif polarity != "auto":
        msg = f"segmentation: expected a model that can be told that particles are {polarity}, found {segmenter.name}"
        raise CannotAnalyse(msg)
    probability = segmented.probability if segmented else segmenter.probability(seen)
    notes = (*segmented.notes, *said) if segmented else said
    if probability.shape != shape:
        msg = f"segmentation: expected a map of {shape} pixels, found {probability.shape}"
        raise CannotAnalyse(msg)
    if annotations.boxes:
        probability = np.where(covered, np.float32(0), probability)
        notes += (f"Burned-in text and bars, {100 * covered.mean():.1f} % of the image, were left out.",)
    found = Segmentation(seen, probability, covered, notes)
    if segmented is None:
        return found
    if isinstance(segmented, SegmentedOneByOne):
        atoms = segmented.atoms
        if atoms is not None and annotations.boxes:
            atoms = np.where(covered, np.float32(0), atoms)
        found = replace(
            found,
            atoms=atoms,
            proposals=segmented.proposals,
            offsets=segmented.offsets,
            outline=segmented.outline,
        )
    return replace(
        found,
        contact=segmented.contact,
        trust=segmented.trust,
        polarity=segmented.polarity,
        scales=segmented.scales,
    )


def _burned_in(pixels: NDArray[np.generic]) -> tuple[Annotations, tuple[str, ...]]:
    """Return what is burned in; where looking for it fails, nothing and a sentence: particles can be measured still."""
    try:
        return find_annotations(pixels), ()
    except Exception as error:
        _log.exception("the search for burned-in text failed")
        what = f"{type(error).__name__}: {error}"
        return Annotations(), (f"The search for burned-in text and bars failed ({what}); they may count as particles.",)
