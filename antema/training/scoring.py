"""One segmented image against its truth, and what many of them say together."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from antema.analysis import Segmenter, analyse_segmentation, segment
from antema.analysis.descriptors import contrasts
from antema.analysis.regions import least_area_px
from antema.domain import Annotations, Instance, Micrograph, Recipe
from antema.nets import expected_polarity
from antema.stats import summarise
from antema.training.baselines import BASELINES
from antema.training.diameter_bias import diameter_bias
from antema.training.matching import Match, average_precision, f1, iou_matrix, matched
from antema.training.outline_distance import outline_distances
from antema.training.pixel_counts import Counts, class_metrics, confusion, confusion_by_label, pixel_metrics, ratio
from antema.training.reliability import calibration, reliability_counts

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Quantity = Literal["contrast", "diameter_px"]

CONTRAST_BINS = (0.0, 0.5, 1.0, 2.0, 4.0, math.inf)
"""Bins of contrast-to-noise."""
DIAMETER_BINS_PX = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, math.inf)
"""Bins of the equivalent diameter."""

_CUT = ("touches_border", "in_annotation")


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


@dataclass(frozen=True, eq=False)
class Scores:
    """How well one image was segmented.

    Parameters
    ----------
    name : str
        The image's name.
    counts : ndarray, shape (4,)
        `confusion` of its pixels.
    counts_of_true : ndarray, shape (n_true, 4)
        `confusion` of the pixels nearest to each true particle.
    found, true : Particles
        The particles of both kinds.
    match : Match
        How the found lie on the true ones.
    outline_px : ndarray, shape (n, 2)
        Signed and absolute mean distance of the outlines of each pair at IoU 0.5.
    reliability : ndarray, shape (3, bins), or None
        `reliability_counts`; None of a filter without probabilities.
    seconds : float
        Time of the segmentation, without separation and measuring.
    """

    name: str
    counts: Counts
    counts_of_true: Counts
    found: Particles
    true: Particles
    match: Match
    outline_px: Floats
    reliability: Floats | None
    seconds: float

    def restricted(self, quantity: Quantity, low: float, high: float) -> "Scores":
        """Return the scores of the particles whose quantity lies in [low, high), or is not known where `low` is NaN.

        A found particle has the quantity of the true one that it is, at IoU 0.5; one that is none has its own. A
        pixel belongs to the true particle nearest to it.
        """
        values = getattr(self.true, quantity)
        own = getattr(self.found, quantity).copy()
        pairs = self.match.pairs[0.5]
        own[pairs[:, 0]] = values[pairs[:, 1]]
        true, found = (np.isnan(v) if math.isnan(low) else (v >= low) & (v < high) for v in (values, own))
        return replace(
            self,
            counts=self.counts_of_true[true].sum(axis=0),
            counts_of_true=self.counts_of_true[true],
            found=self.found.restricted(found),
            true=self.true.restricted(true),
            match=self.match.restricted(found, true),
            outline_px=self.outline_px[true[pairs[:, 1]]],
            reliability=None,
        )


def truth_of(case: Case) -> Truth:
    """Return the masks, contrasts and territories of a case's true particles."""
    shape = case.micrograph.shape
    return Truth(
        case,
        _union(case.instances, shape) if case.mask is None else case.mask,
        _particles(case.instances, contrasts(case.instances, case.micrograph.pixels), shape),
        _nearest(case.instances, shape),
    )


def scores_of(truth: Truth, segmenter: Segmenter, recipe: Recipe) -> tuple[Scores, list[Instance]]:
    """Return how well a segmenter does on a case, and the particles that were found."""
    case = truth.case
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
    found = [i for i, kept in zip(analysis.instances, is_found, strict=True) if kept]
    shape, probability = case.micrograph.shape, segmentation.probability
    certainty = np.array([probability[i.y : i.y + i.h, i.x : i.x + i.w][i.mask].mean() for i in found], float)
    match = matched(iou_matrix(found, case.instances), certainty)
    outline = [outline_distances(found[f], case.instances[t], shape) for f, t in match.pairs[0.5]]
    has_probabilities = segmenter.name not in BASELINES
    scores = Scores(
        name=case.micrograph.name,
        counts=confusion(analysis.segmentation, truth.mask),
        counts_of_true=confusion_by_label(analysis.segmentation, truth.mask, truth.nearest, len(case.instances)),
        found=_particles(found, analysis.table["contrast"].to_numpy(float)[is_found], shape),
        true=truth.particles,
        match=match,
        outline_px=np.array(outline, float).reshape(-1, 2),
        reliability=reliability_counts(probability, truth.mask, ~segmentation.covered) if has_probabilities else None,
        seconds=seconds,
    )
    return scores, found


def summary(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what the scores of images say together: pixels and particles of all images in one pool.

    A number that cannot be formed is NaN.
    """
    counts = np.sum([np.zeros(4, np.int64), *(s.counts for s in scores)], axis=0)
    matches = [s.match for s in scores]
    n_found, n_true = sum(len(m.scores) for m in matches), sum(m.n_true for m in matches)
    wrong = sum(abs(len(m.scores) - m.n_true) for m in matches)
    found = [s.found.diameter_px[s.found.inner] for s in scores]
    true = [s.true.diameter_px[s.true.inner] for s in scores]
    population = diameter_bias(found, true)
    return {
        "pixel": pixel_metrics(counts),
        "classes": class_metrics(counts),
        "instance": {
            "ap50": average_precision(matches, 0.5),
            "ap75": average_precision(matches, 0.75),
            "ap90": average_precision(matches, 0.9),
            "f1_50": f1(matches, 0.5),
        },
        "n_found": n_found,
        "n_true": n_true,
        "count_error": ratio(wrong, n_true),
        "mean_diameter_px": {"found": _mean(found), "true": _mean(true)},
        "diameter_bias_mean": population["mean"].value,
        "diameter_bias_mean_interval": _interval(population["mean"]),
        "diameter_bias_median": population["median"].value,
        "diameter_bias_median_interval": _interval(population["median"]),
        **_of_pairs(scores),
    }


def groups(scores: Sequence[Scores], quantity: Quantity) -> list[dict[str, Any]]:
    """Return the `summary` of the particles in each bin of a quantity, and of those that have none."""
    edges = CONTRAST_BINS if quantity == "contrast" else DIAMETER_BINS_PX
    bins = [*zip(edges[:-1], edges[1:], strict=True), (math.nan, math.nan)]
    found = []
    for low, high in bins:
        part = [s.restricted(quantity, low, high) for s in scores]
        entry = {"low": low, "high": high, **summary(part)}
        if not math.isnan(low) or entry["n_true"] or entry["n_found"]:
            found.append(entry)
    return found


def reliability_of(scores: Sequence[Scores]) -> dict[str, Any] | None:
    """Return the `calibration` of all images together; None of a filter without probabilities."""
    counts = [s.reliability for s in scores if s.reliability is not None]
    return calibration(np.sum(counts, axis=0)) if counts else None


def _of_pairs(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what pairs of one particle, found and true, show: they are free of what was missed or invented."""
    image = np.repeat(np.arange(len(scores)), [len(s.outline_px) for s in scores])
    outline = np.concatenate([np.empty((0, 2)), *(s.outline_px for s in scores)])
    relative = np.concatenate([np.empty(0), *(_relative_differences(s) for s in scores)])
    signed, absolute, diameter = (summarise(v, image).mean for v in (outline[:, 0], outline[:, 1], relative))
    return {
        "n_matched": len(outline),
        "diameter_bias_matched": diameter.value,
        "diameter_bias_matched_interval": _interval(diameter),
        "outline_bias_px": signed.value,
        "outline_bias_px_interval": _interval(signed),
        "outline_distance_px": absolute.value,
    }


def _relative_differences(scores: Scores) -> Floats:
    found, true = scores.match.pairs[0.5].T
    relative = scores.found.diameter_px[found] / scores.true.diameter_px[true] - 1
    # a particle that the border cuts has no diameter
    return np.where(scores.found.inner[found] & scores.true.inner[true], relative, math.nan)


def _mean(diameters: Sequence[Floats]) -> float:
    pooled = np.concatenate([np.empty(0), *diameters])
    return float(pooled.mean()) if pooled.size else math.nan


def _interval(estimate: Any) -> list[float] | None:  # noqa: ANN401 - antema.stats.Estimate
    return [estimate.low, estimate.high] if estimate.has_interval else None


def _is_found(instance: Instance, least_px: int) -> bool:
    """Return whether an object counts as a particle that was found.

    Truth has the particles that the border or a label cuts, too: that they are not measured does not make them missed.
    """
    if instance.status == "measured":
        return True
    return instance.drop_reason in _CUT and instance.area_px >= least_px


def _particles(instances: Sequence[Instance], contrast: Floats, shape: tuple[int, int]) -> Particles:
    inner = [
        i.x > 0 and i.y > 0 and i.x + i.w < shape[1] and i.y + i.h < shape[0] and i.drop_reason not in _CUT
        for i in instances
    ]
    areas = np.array([i.area_px for i in instances], float)
    return Particles(np.sqrt(4 / math.pi * areas), np.asarray(contrast, float), np.array(inner, bool))


def _union(instances: Sequence[Instance], shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, bool)
    for i in instances:
        mask[i.y : i.y + i.h, i.x : i.x + i.w] |= i.mask
    return mask


def _nearest(instances: Sequence[Instance], shape: tuple[int, int]) -> NDArray[np.int32]:
    from scipy import ndimage

    labels = np.full(shape, -1, np.int32)
    if not instances:
        return labels
    for number, i in enumerate(instances):
        labels[i.y : i.y + i.h, i.x : i.x + i.w][i.mask] = number
    at = np.asarray(ndimage.distance_transform_edt(labels < 0, return_distances=False, return_indices=True))
    return labels[at[0], at[1]]
