"""Found particles against true ones: overlaps, one-to-one matches, average precision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from antema.domain import Instance

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Match:
    """The particles of one image, found and true.

    Parameters
    ----------
    iou : ndarray, shape (found, true)
        Intersection over union of each pair.
    scores : ndarray, shape (found,)
        How sure each found particle is.
    found_px, true_px : ndarray
        Areas in pixels.
    """

    iou: Numbers
    scores: Numbers
    found_px: Numbers
    true_px: Numbers

    def pairs(self, least_iou: float) -> NDArray[np.int64]:
        """Return the one-to-one pairs (found, true), shape (n, 2), that give the largest sum of IoU above a bound."""
        if not self.iou.size:
            return np.empty((0, 2), np.int64)
        found, true = linear_sum_assignment(np.where(self.iou >= least_iou, self.iou, 0), maximize=True)
        kept = self.iou[found, true] >= least_iou
        return np.stack([found[kept], true[kept]], axis=1)


def iou_matrix(found: Sequence[Instance], true: Sequence[Instance]) -> Numbers:
    """Return the intersection over union of each found with each true particle, shape (found, true)."""
    result = np.zeros((len(found), len(true)))
    for i, one in enumerate(found):
        for j, other in enumerate(true):
            left, top = max(one.x, other.x), max(one.y, other.y)
            right, bottom = min(one.x + one.w, other.x + other.w), min(one.y + one.h, other.y + other.h)
            if right <= left or bottom <= top:
                continue
            mine = one.mask[top - one.y : bottom - one.y, left - one.x : right - one.x]
            yours = other.mask[top - other.y : bottom - other.y, left - other.x : right - other.x]
            common = np.count_nonzero(mine & yours)
            result[i, j] = common / (one.area_px + other.area_px - common)
    return result


def average_precision(matches: Sequence[Match], least_iou: float) -> float:
    """Return the area under the precision envelope over recall, found particles taken by falling score.

    A found particle is right where it is part of the best one-to-one pairing at `least_iou` in its image.
    """
    scores, right, n_true = [], [], 0
    for match in matches:
        hit = np.zeros(len(match.scores), bool)
        hit[match.pairs(least_iou)[:, 0]] = True
        scores.append(match.scores)
        right.append(hit)
        n_true += len(match.true_px)
    if n_true == 0 or not scores:
        return float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = np.cumsum(np.concatenate(right)[order])
    if not len(hits):
        return 0.0
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = np.concatenate([[0.0], hits / n_true])
    return float(np.sum(np.diff(recall) * envelope))


def f1(matches: Sequence[Match], least_iou: float) -> float:
    """Return the harmonic mean of precision and recall of the pairing at `least_iou`, over all images together."""
    both = sum(len(match.pairs(least_iou)) for match in matches)
    all_of_them = sum(len(match.scores) + len(match.true_px) for match in matches)
    return 2 * both / all_of_them if all_of_them else float("nan")
