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
from antema.analysis.distances import distance_to
from antema.analysis.regions import least_area_px
from antema.domain import Annotations, Instance, Micrograph, Recipe, Trust
from antema.nets import expected_polarity
from antema.stats import summarise
from antema.training.baselines import BASELINES
from antema.training.diameter_bias import diameter_bias
from antema.training.half_contrast import moved_to_half_contrast
from antema.training.matching import Match, average_precision, common_pixels, f1, iou_of, matched, owners
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
    contrast : ndarray, shape (n,)
        Contrast-to-noise of the particles.
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
    """Pixels on either side of a true outline, (h, w)."""


@dataclass(frozen=True, eq=False)
class Scores:
    """How well one image was segmented.

    Parameters
    ----------
    name : str
        The image's name.
    counts : ndarray, shape (4,)
        `confusion` of its pixels.
    counts_outside_band : ndarray, shape (4,)
        `confusion` of its pixels that are not near a true outline (see `Rules`).
    counts_of_true : ndarray, shape (n_true, 4)
        `confusion` of the pixels nearest to each true particle.
    found, true : Particles
        The particles of both kinds.
    match : Match
        How the found lie on the true ones.
    owner : ndarray, shape (n_found,)
        The true particle that more than half of a found one lies in; -1 for none.
    outline_px : ndarray, shape (n, 2)
        Signed and absolute mean distance of the outlines of each pair at IoU 0.5.
    reliability : ndarray, shape (3, bins), or None
        `reliability_counts`; None of a filter without probabilities.
    seconds : float
        Time of the segmentation, without separation and measuring.
    trust : Trust or None
        What the model says of the image.
    """

    name: str
    counts: Counts
    counts_outside_band: Counts
    counts_of_true: Counts
    found: Particles
    true: Particles
    match: Match
    owner: NDArray[np.int64]
    outline_px: Floats
    reliability: Floats | None
    seconds: float
    trust: Trust | None = None

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
        return self._of(found, true)

    def of_true(self, true: Mask) -> "Scores":
        """Return the scores of some true particles, (n_true,), alone.

        A found particle belongs to the true one that it is, at IoU 0.5, or else to the one that it lies in for the
        most part. One that belongs to none is left out, and the pixels near no true outline are not told apart.
        """
        owner = self.owner.copy()
        pairs = self.match.pairs[0.5]
        owner[pairs[:, 0]] = pairs[:, 1]
        return self._of((owner >= 0) & np.append(true, False)[owner], true)

    def _of(self, found: Mask, true: Mask) -> "Scores":
        number = np.where(true, np.cumsum(true) - 1, -1)
        return replace(
            self,
            counts=self.counts_of_true[true].sum(axis=0),
            counts_outside_band=np.zeros(4, np.int64),
            counts_of_true=self.counts_of_true[true],
            found=self.found.restricted(found),
            true=self.true.restricted(true),
            match=self.match.restricted(found, true),
            owner=np.append(number, -1)[self.owner[found]],
            outline_px=self.outline_px[true[self.match.pairs[0.5][:, 1]]],
            reliability=None,
        )


def truth_of(case: Case) -> Truth:
    """Return the masks, contrasts and territories of a case's true particles."""
    shape = case.micrograph.shape
    mask = _union(case.instances, shape) if case.mask is None else case.mask
    return Truth(
        case,
        mask,
        _particles(case.instances, contrasts(case.instances, case.micrograph.pixels), shape),
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
        mask = (mask & ~_union(case.instances, shape)) | _union(moved, shape)
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
    return Found(
        instances=[i for i, kept in zip(analysis.instances, is_found, strict=True) if kept],
        mask=analysis.segmentation,
        covered=segmentation.covered,
        probability=segmentation.probability,
        contrast=analysis.table["contrast"].to_numpy(float)[is_found],
        has_probabilities=segmenter.name not in BASELINES,
        trust=analysis.trust,
        seconds=seconds,
    )


def scores_of(truth: Truth, found: Found, rules: Rules) -> Scores:
    """Return how well what was found agrees with what is true."""
    case = truth.case
    shape = case.micrograph.shape
    counted = np.ones(shape, bool) if rules.unlabelled_is_ground else _known(found.mask, truth.mask)
    is_counted = np.array([rules.unlabelled_is_ground or _share(i, truth.mask) > 0.5 for i in found.instances], bool)
    instances = [i for i, kept in zip(found.instances, is_counted, strict=True) if kept]
    probability = found.probability
    certainty = np.array([probability[i.y : i.y + i.h, i.x : i.x + i.w][i.mask].mean() for i in instances], float)
    common = common_pixels(instances, case.instances)
    match = matched(iou_of(common, instances, case.instances), certainty)
    outline = [outline_distances(instances[f], case.instances[t], shape) for f, t in match.pairs[0.5]]
    seen, true = found.mask[counted], truth.mask[counted]
    clear = counted & ~_within(truth.outlines, rules.band_px)
    reliability = None
    if found.has_probabilities:
        reliability = reliability_counts(probability, truth.mask, ~found.covered & counted)
    return Scores(
        name=case.micrograph.name,
        counts=confusion(seen, true),
        counts_outside_band=confusion(found.mask[clear], truth.mask[clear]),
        counts_of_true=confusion_by_label(seen, true, truth.nearest[counted], len(case.instances)),
        found=_particles(instances, found.contrast[is_counted], shape),
        true=truth.particles,
        match=match,
        owner=owners(common, instances),
        outline_px=np.array(outline, float).reshape(-1, 2),
        reliability=reliability,
        seconds=found.seconds,
        trust=found.trust,
    )


def summary(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what the scores of images say together: pixels and particles of all images in one pool.

    A number that cannot be formed is NaN.
    """
    counts = np.sum([np.zeros(4, np.int64), *(s.counts for s in scores)], axis=0)
    outside = np.sum([np.zeros(4, np.int64), *(s.counts_outside_band for s in scores)], axis=0)
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
        "dice_outside_band": pixel_metrics(outside)["dice_particle"],
        "n_found": n_found,
        "n_true": n_true,
        **_of_uncut(scores),
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


def _of_uncut(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what the particles show that nothing cuts.

    A true particle that is cut is left out, and a found one that is its match or is cut itself and matches no other.
    """
    matches = []
    for each in scores:
        pairs = each.match.pairs[0.5]
        kept = each.found.inner.copy()
        kept[pairs[:, 0]] = each.true.inner[pairs[:, 1]]
        matches.append(each.match.restricted(kept, each.true.inner))
    relative = np.concatenate([np.empty(0), *(_relative_differences(s) for s in scores)])
    relative = relative[np.isfinite(relative)]
    return {
        "f1_uncut": f1(matches, 0.5),
        "n_found_uncut": sum(len(match.scores) for match in matches),
        "n_true_uncut": sum(match.n_true for match in matches),
        "diameter_median_error": float(np.median(relative)) if relative.size else math.nan,
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


def _outlines(instances: Sequence[Instance], mask: Mask) -> Mask:
    """Return the pixels that have the edge of an instance, or of the mask, on one of their sides."""
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
    found = np.zeros_like(mask)
    across, along = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    found[1:] |= along
    found[:-1] |= along
    return found


def _within(outlines: Mask, band_px: float) -> Mask:
    """Return the pixels whose centres are nearer than `band_px` to an outline: those beside it lie 0.5 px from it."""
    if band_px <= 0.5 or not outlines.any():
        return np.zeros_like(outlines)
    return distance_to(outlines) < band_px - 0.5 + 1e-9


def _share(instance: Instance, mask: Mask) -> float:
    part = mask[instance.y : instance.y + instance.h, instance.x : instance.x + instance.w]
    return float(part[instance.mask].mean())


def _known(found: Mask, true: Mask) -> Mask:
    """Return where it is known what is true: not outside the labels in what was found mostly there."""
    from scipy import ndimage

    labels, n = ndimage.label(found, np.ones((3, 3), bool))
    share = np.zeros(n + 1)
    share[1:] = ndimage.mean(true, labels, np.arange(1, n + 1)) if n else 0
    share[0] = 1
    return true | (share > 0.5)[labels]


def _nearest(instances: Sequence[Instance], shape: tuple[int, int]) -> NDArray[np.int32]:
    from scipy import ndimage

    labels = np.full(shape, -1, np.int32)
    if not instances:
        return labels
    for number, i in enumerate(instances):
        labels[i.y : i.y + i.h, i.x : i.x + i.w][i.mask] = number
    at = np.asarray(ndimage.distance_transform_edt(labels < 0, return_distances=False, return_indices=True))
    return labels[at[0], at[1]]
