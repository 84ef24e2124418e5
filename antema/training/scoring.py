"""One segmented image against its truth, and what many of them say together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from antema.analysis.distances import distance_to
from antema.domain import Instance, Trust
from antema.stats import summarise
from antema.training.cases import Found, Particles, Rules, Truth, particles_of
from antema.training.diameter_bias import diameter_bias
from antema.training.instance_quality import confidence_calibration, lumps, trust_report
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
    confidence : ndarray, shape (n_found,)
        How sure the outline of each found one is; NaN where that is not told.
    is_lump : ndarray of bool, shape (n_found,)
        Which found ones hold most of several true ones (see `lumps`).
    unresolved_px : ndarray, shape (n,)
        Areas of the clumps that were not taken apart.
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
    confidence: Floats
    is_lump: Mask
    unresolved_px: Floats
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
            confidence=self.confidence[found],
            is_lump=self.is_lump[found],
            unresolved_px=np.zeros(0),
            outline_px=self.outline_px[true[self.match.pairs[0.5][:, 1]]],
            reliability=None,
        )


def scores_of(truth: Truth, found: Found, rules: Rules) -> Scores:
    """Return how well what was found agrees with what is true."""
    case = truth.case
    shape = case.micrograph.shape
    counted = np.ones(shape, bool) if rules.unlabelled_is_ground else _known(found.mask, truth.mask)
    is_counted, counted_clumps = (
        np.array([rules.unlabelled_is_ground or _share(i, truth.mask) > 0.5 for i in each], bool)
        for each in (found.instances, found.unresolved)
    )
    instances = [i for i, kept in zip(found.instances, is_counted, strict=True) if kept]
    unresolved = [i for i, kept in zip(found.unresolved, counted_clumps, strict=True) if kept]
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
        found=particles_of(instances, found.contrast[is_counted], shape),
        true=truth.particles,
        match=match,
        owner=owners(common, instances),
        confidence=found.confidence[is_counted],
        is_lump=lumps(common, case.instances),
        unresolved_px=np.array([i.area_px for i in unresolved], float),
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
        "clumps": _of_clumps(scores),
        "outline_confidence": _of_confidence(scores),
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


def trust_of(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return the `trust_report` on images, by the F1 of their particles that nothing cuts."""
    return trust_report([s.trust for s in scores], [_of_uncut([s])["f1_uncut"] for s in scores])


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


def _of_clumps(scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what was given up, as a share of the area of all that was found, and what was measured as one wrongly."""
    unresolved = np.concatenate([np.empty(0), *(s.unresolved_px for s in scores)])
    found = sum(float(s.found.area_px.sum()) for s in scores)
    measured = [(s.found.area_px[s.found.inner], s.is_lump[s.found.inner]) for s in scores]
    in_lumps = sum(float(area[is_lump].sum()) for area, is_lump in measured)
    return {
        "n_unresolved": int(unresolved.size),
        "unresolved_share": ratio(float(unresolved.sum()), float(unresolved.sum()) + found),
        "n_lumps": sum(int(is_lump.sum()) for _, is_lump in measured),
        "lump_share": ratio(in_lumps, sum(float(area.sum()) for area, _ in measured)),
    }


def _of_confidence(scores: Sequence[Scores]) -> dict[str, Any] | None:
    confidence, right = [np.empty(0)], [np.empty(0, bool)]
    for each in scores:
        is_right = np.zeros(len(each.confidence), bool)
        is_right[each.match.pairs[0.5][:, 0]] = True
        confidence.append(each.confidence[each.found.inner])
        right.append(is_right[each.found.inner])
    return confidence_calibration(np.concatenate(confidence), np.concatenate(right))


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
    from skimage.measure import label

    labels = np.asarray(label(found, connectivity=2))
    share = np.bincount(labels.ravel(), true.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    share[0] = 1
    return true | (share > 0.5)[labels]
