"""Labelled micrographs, what is true of them, and what a segmenter finds there."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from antema.analysis import Segmenter, analyse_segmentation, segment
from antema.analysis.descriptors import contrasts
from antema.analysis.morphology import SQUARE_3, dilated
from antema.analysis.regions import least_area_px
from antema.domain import Annotations, Instance, Micrograph, Recipe, Trust
from antema.nets import expected_polarity
from antema.simulation.field import union
from antema.training.baselines import BASELINES
from antema.training.half_contrast import moved_to_half_contrast

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_CUT = ("touches_border", "in_annotation")
_FOUND = (*_CUT, "mostly_hidden")
_CONFIDENCE = "outline_confidence"


@dataclass(frozen=True, eq=False)
class Case:
    """A micrograph whose particles are known.

    Parameters
    ----------
    micrograph : Micrograph
        With a pixel size.
    instances : list of Instance
        Its true particles; they may overlap.
    annotations : Annotations or None
        What is burned in; None: it is looked for.
    mask : ndarray of bool, shape (h, w), or None
        Which pixels are particle; None: those of the instances.
    """

    micrograph: Micrograph
    instances: list[Instance]
    annotations: Annotations | None = None
    mask: Mask | None = None


@dataclass(frozen=True)
class Rules:
    """What of an image counts.

    Parameters
    ----------
    band_px : float
        Pixels nearer than this to a true outline are left out of ``dice_outside_band``: on which side of an edge they
        are is a matter of half a pixel.
    unlabelled_is_ground : bool
        Whether what no label covers is ground. Where it is unknown, particles that were found mostly there count for
        nothing, and neither do pixels there of a piece of foreground that lies mostly there.
    """

    band_px: float = 1.0
    unlabelled_is_ground: bool = True


DEFAULT_RULES = Rules()


@dataclass(frozen=True, eq=False)
class Found:
    """What a segmenter found in a case.

    Parameters
    ----------
    instances : list of Instance
        The particles, those that the border or something burned in cuts among them.
    mask : ndarray of bool, shape (h, w)
        Which pixels it takes for particle.
    covered : ndarray of bool, shape (h, w)
        What it did not look at.
    probability : ndarray, shape (h, w)
        Of being particle.
    contrast, confidence : ndarray, shape (n,)
        Contrast-to-noise of the particles, and how sure their outlines are; NaN where that is not told.
    unresolved : list of Instance
        Clumps that were not taken apart, and are no particles.
    has_probabilities : bool
        Whether the probabilities mean what they say: not those of a filter.
    trust : Trust or None
        Whether the image is of the kind that the model knows.
    seconds : float
        Time of the segmentation, without separation and measuring.
    """

    instances: list[Instance]
    mask: Mask
    covered: Mask
    probability: NDArray[np.floating]
    contrast: Floats
    confidence: Floats
    unresolved: list[Instance]
    has_probabilities: bool
    trust: Trust | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Particles:
    """The particles of one image, each array of shape (n,).

    Parameters
    ----------
    diameter_px : ndarray
        Equivalent diameter of the mask.
    contrast : ndarray
        Contrast-to-noise in the native image; NaN where no local background is there to compare with.
    inner : ndarray of bool
        Whether neither the image's border nor something burned in cuts it.
    """

    diameter_px: Floats
    contrast: Floats
    inner: Mask

    @property
    def area_px(self) -> Floats:
        """Pixels of each, (n,)."""
        return math.pi / 4 * self.diameter_px**2

    def restricted(self, kept: Mask) -> "Particles":
        """Return those that are `kept`."""
        return Particles(self.diameter_px[kept], self.contrast[kept], self.inner[kept])


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a case and does not depend on who segments it."""

    case: Case
    mask: Mask
    particles: Particles
    nearest: NDArray[np.int32]
    """Index of the true particle nearest to each pixel, (h, w); -1 without any."""
    outlines: Mask
    """Pixels that touch a true outline, (h, w)."""


def truth_of(case: Case) -> Truth:
    """Return the masks, contrasts and territories of a case's true particles."""
    shape = case.micrograph.shape
    mask = union(case.instances, shape) if case.mask is None else case.mask
    return Truth(
        case,
        mask,
        particles_of(case.instances, contrasts(case.instances, case.micrograph.pixels), shape),
        _nearest(case.instances, shape),
        _outlines(case.instances, mask),
    )


def at_half_contrast(case: Case) -> Case:
    """Return a case whose true particles end at half of their own contrast (see `moved_to_half_contrast`).

    A mask of its own, beside its particles, is left as it is where no particle is.
    """
    shape, pixels = case.micrograph.shape, case.micrograph.pixels
    trusted = None if case.annotations is None else ~case.annotations.mask(shape)
    moved = moved_to_half_contrast(pixels, case.instances, trusted=trusted)
    mask = case.mask
    if mask is not None:
        mask = (mask & ~union(case.instances, shape)) | union(moved, shape)
    return replace(case, instances=moved, mask=mask)


def found_in(case: Case, segmenter: Segmenter, recipe: Recipe) -> Found:
    """Return what a segmenter finds in a case, whatever is true there."""
    began = time.perf_counter()
    segmentation = segment(
        case.micrograph.pixels,
        segmenter,
        polarity=recipe.polarity,
        expected=expected_polarity(case.micrograph.metadata),
        leave_out_annotations=recipe.leave_out_annotations,
        annotations=case.annotations,
    )
    seconds = time.perf_counter() - began
    used = {"name": segmenter.name, "sha256": segmenter.sha256, "threshold": segmenter.threshold}
    analysis = analyse_segmentation(case.micrograph, segmentation, used, recipe)
    least_px = least_area_px(recipe, float(analysis.pixel_size.nm or 1.0))
    is_found = np.array([_is_found(i, least_px) for i in analysis.instances], bool)
    table = analysis.table
    told = table[_CONFIDENCE].to_numpy(float) if _CONFIDENCE in table else np.full(len(table), math.nan)
    return Found(
        instances=[i for i, kept in zip(analysis.instances, is_found, strict=True) if kept],
        mask=analysis.segmentation,
        covered=segmentation.covered,
        probability=segmentation.probability,
        contrast=table["contrast"].to_numpy(float)[is_found],
        confidence=told[is_found],
        unresolved=[i for i in analysis.instances if i.drop_reason == "unresolved"],
        has_probabilities=segmenter.name not in BASELINES,
        trust=analysis.trust,
        seconds=seconds,
    )


def _is_found(instance: Instance, least_px: int) -> bool:
    """Return whether an object counts as a particle that was found.

    Truth has the particles that the border or a label cuts, too: that they are not measured does not make them missed.
    """
    if instance.status == "measured":
        return True
    return instance.drop_reason in _FOUND and instance.area_px >= least_px


def particles_of(instances: Sequence[Instance], contrast: Floats, shape: tuple[int, int]) -> Particles:
    """Return what instances, with their contrasts, are as particles of an image of that shape."""
    inner = [
        i.x > 0 and i.y > 0 and i.x + i.w < shape[1] and i.y + i.h < shape[0] and i.drop_reason not in _CUT
        for i in instances
    ]
    areas = np.array([i.area_px for i in instances], float)
    return Particles(np.sqrt(4 / math.pi * areas), np.asarray(contrast, float), np.array(inner, bool))


def _outlines(instances: Sequence[Instance], mask: Mask) -> Mask:
    """Return the pixels that the edge of an instance, or of the mask, runs along or past a corner of."""
    lines = _sides(mask)
    for i in instances:
        padded = np.pad(i.mask, 1)
        top, left = max(i.y - 1, 0), max(i.x - 1, 0)
        box = (slice(top, min(i.y + i.h + 1, mask.shape[0])), slice(left, min(i.x + i.w + 1, mask.shape[1])))
        dy, dx = top - (i.y - 1), left - (i.x - 1)
        window = padded[dy : dy + box[0].stop - top, dx : dx + box[1].stop - left]
        lines[box] |= _sides(window)
    return lines


def _sides(mask: Mask) -> Mask:
    return (dilated(mask, SQUARE_3) & ~mask) | (dilated(~mask, SQUARE_3) & mask)


def _nearest(instances: Sequence[Instance], shape: tuple[int, int]) -> NDArray[np.int32]:
    from scipy import ndimage

    labels = np.full(shape, -1, np.int32)
    if not instances:
        return labels
    for number, i in enumerate(instances):
        labels[i.y : i.y + i.h, i.x : i.x + i.w][i.mask] = number
    at = np.asarray(ndimage.distance_transform_edt(labels < 0, return_distances=False, return_indices=True))
    return labels[at[0], at[1]]
