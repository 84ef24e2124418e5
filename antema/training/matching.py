"""Found particles against true ones: overlaps, one-to-one matches, average precision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from antema.analysis import instance_pages
from antema.domain import Instance

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Pairs = NDArray[np.int64]

LEVELS = (0.5, 0.75, 0.9)
"""Least IoU at which a found particle may count as a true one."""


@dataclass(frozen=True, eq=False)
class Match:
    """How the found particles of one image lie on the true ones.

    Parameters
    ----------
    scores : ndarray, shape (n_found,)
        How sure each found particle is.
    n_true : int
        Number of true particles.
    pairs : mapping
        For each of `LEVELS` the one-to-one pairs (found, true), shape (n, 2).
    """

    scores: Numbers
    n_true: int
    pairs: Mapping[float, Pairs]

    def restricted(self, found: Mask, true: Mask) -> "Match":
        """Return the match of some particles alone: those where `found`, (n_found,), and `true`, (n_true,), hold.

        A pair with one end outside is no pair.
        """
        number = np.cumsum(found) - 1, np.cumsum(true) - 1
        pairs = {}
        for level, both in self.pairs.items():
            kept = both[found[both[:, 0]] & true[both[:, 1]]]
            pairs[level] = np.stack([number[0][kept[:, 0]], number[1][kept[:, 1]]], axis=1)
        return Match(self.scores[found], int(true.sum()), pairs)


def matched(iou: Numbers, scores: Numbers) -> Match:
    """Return the match that a matrix of IoU, shape (found, true), and the scores of the found particles give."""
    return Match(scores, iou.shape[1], {level: pairs(iou, level) for level in LEVELS})


def pairs(iou: Numbers, least_iou: float) -> Pairs:
    """Return the one-to-one pairs (found, true), shape (n, 2), that give the largest sum of IoU above a bound."""
    allowed = np.where(iou >= least_iou, iou, 0)
    # what overlaps with nothing need not be assigned
    rows, columns = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    found, true = linear_sum_assignment(allowed[np.ix_(rows, columns)], maximize=True)
    found, true = rows[found], columns[true]
    kept = allowed[found, true] > 0
    return np.stack([found[kept], true[kept]], axis=1).astype(np.int64)


def iou_matrix(found: Sequence[Instance], true: Sequence[Instance]) -> Numbers:
    """Return the intersection over union of each found with each true particle, shape (found, true)."""
    return iou_of(common_pixels(found, true), found, true)


def iou_of(common: Numbers, found: Sequence[Instance], true: Sequence[Instance]) -> Numbers:
    """Return the intersection over union from the pixels in common, shape (found, true)."""
    areas = np.array([i.area_px for i in found], float)[:, None] + np.array([i.area_px for i in true], float)[None, :]
    return common / (areas - common)


def common_pixels(found: Sequence[Instance], true: Sequence[Instance]) -> Numbers:
    """Return how many pixels each found has in common with each true particle, shape (found, true).

    Each kind is drawn as numbered pages, and pixels are counted by the two numbers they have: the time goes with the
    pixels, not with the pairs.
    """
    n, m = len(found), len(true)
    shape = (
        max((i.y + i.h for i in (*found, *true)), default=0),
        max((i.x + i.w for i in (*found, *true)), default=0),
    )
    common = np.zeros((n + 1) * (m + 1))
    other_pages = instance_pages(true, shape)
    for mine in instance_pages(found, shape):
        for yours in other_pages:
            both = (mine > 0) & (yours > 0)
            common += np.bincount(mine[both].astype(np.int64) * (m + 1) + yours[both], minlength=common.size)
    return common.reshape(n + 1, m + 1)[1:, 1:]


def owners(common: Numbers, found: Sequence[Instance]) -> Pairs:
    """Return the true particle that has more than half of each found one, shape (n_found,); -1 where none has."""
    if not common.size:
        return np.full(len(found), -1, np.int64)
    areas = np.array([i.area_px for i in found], float)
    return np.where(common.max(axis=1) > areas / 2, common.argmax(axis=1), -1).astype(np.int64)


def average_precision(matches: Sequence[Match], least_iou: float) -> float:
    """Return the area under the precision envelope over recall, found particles taken by falling score.

    A found particle is right where it is part of the best one-to-one pairing at `least_iou` in its image.
    """
    n_true = sum(match.n_true for match in matches)
    if n_true == 0:
        return float("nan")
    right = []
    for match in matches:
        hit = np.zeros(len(match.scores), bool)
        hit[match.pairs[least_iou][:, 0]] = True
        right.append(hit)
    order = np.argsort(-np.concatenate([match.scores for match in matches]), kind="stable")
    hits = np.cumsum(np.concatenate(right)[order])
    if not len(hits):
        return 0.0
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = np.concatenate([[0.0], hits / n_true])
    return float(np.sum(np.diff(recall) * envelope))


def f1(matches: Sequence[Match], least_iou: float) -> float:
    """Return the harmonic mean of precision and recall of the pairing at `least_iou`, over all images together."""
    both = sum(len(match.pairs[least_iou]) for match in matches)
    all_of_them = sum(len(match.scores) + match.n_true for match in matches)
    return 2 * both / all_of_them if all_of_them else float("nan")
