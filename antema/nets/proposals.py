"""What a network proposes as particles: centres with rays, at the scales where it can tell, each particle once.

Every scale proposes on its own, and is silent about particles that are too small or too large for it. A proposal counts
by the overlap that the network foretells for it, by how near to a middle it lies, and by how comfortable its size is at
its scale; the best is taken, and what mostly lies on what was taken is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from antema.compiled import compiled

Floats = NDArray[np.float32]

KIND = "unet-outlines"
"""The architecture of the network, in cards and commands."""
N_RAYS = 32
"""Directions, from that of growing columns on towards growing rows."""
OBJECT_STRIDE = 4
"""Pixels from one answer about objects to the next."""
OFFSET_STRIDE = 2
"""Pixels from one offset to the next."""
OFFSET_UNIT_PX = 16.0
"""Pixels that an offset of 1 stands for."""
OUTPUTS = ("particle", "contact", "atoms")
"""The maps: particle as it is seen, seams between particles, particle as far as its atoms reach."""

COMFORTABLE_PX = (11.0, 70.0)
"""Equivalent diameters at a scale for which its proposals count fully; less beyond, half as much at twice as far."""
_MAPPED_PX, _MAPPED_OCTAVES = 40.0, 1.5
"""Equivalent diameter at which maps are best, and how far from it they count nothing any more."""
_LEAST_SHARE = 0.02
_LEAST_MIDDLE = 0.25
_LEAST_OVERLAP = 0.3
_MOST_CLAIMED = 0.5
"""Share of a polygon that may already belong to others."""
_MOST_INTERSECTION = 0.65
"""Of the smaller of two polygons, that may lie in the other."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """Particles as centres with rays, in pixels of the image, best first.

    Parameters
    ----------
    centres : ndarray of float32, shape (n, 2)
        Columns and rows, (0, 0) being the corner of the first pixel.
    rays : ndarray of float32, shape (n, 32)
        Lengths; see `antema.nets.outlines`.
    score : ndarray of float32, shape (n,)
        What they were ranked by, 0 to 1.
    overlap : ndarray of float32, shape (n,)
        Intersection over union with the particle, as the network foretells it.
    scale : ndarray of int, shape (n,)
        Index of the scale that proposed it.
    confidence : ndarray of float32, shape (n,)
        How sure it is that a person would have drawn it so: that the intersection over union would be above 0.5. The
        foretold overlap itself where that was never measured.
    """

    centres: Floats
    rays: Floats
    score: Floats
    overlap: Floats
    scale: NDArray[np.int64]
    confidence: Floats

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.score)

    @property
    def areas(self) -> NDArray[np.floating]:
        """Areas of the polygons in square pixels, shape (n,)."""
        return polygon_areas(self.rays)

    @property
    def diameters(self) -> Floats:
        """Equivalent diameters of the polygons, shape (n,)."""
        return (2 * np.sqrt(self.areas / np.pi)).astype(np.float32)

    def kept(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Proposals":
        """Return some of them, by index or mask."""
        return Proposals(*(getattr(self, part.name)[which] for part in fields(self)))


def polygon_areas(rays: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the areas of star-convex polygons from their rays (..., n)."""
    return 0.5 * np.sin(2 * np.pi / rays.shape[-1]) * (rays * np.roll(rays, -1, axis=-1)).sum(-1)


def peaks(objects: Floats, scale: float, index: int) -> Proposals:
    """Return what one scale proposes.

    Parameters
    ----------
    objects : ndarray of float32, shape (h / 4, w / 4, 2 + 32)
        Of `antema.nets.outlines.Answers`, of one image.
    scale : float
        Of that scale to the image: 2 where it was enlarged twice.
    index : int
        Of the scale, kept with the proposals.
    """
    middle = expit(objects[..., 0])
    highest = np.asarray(ndimage.maximum_filter(middle, 3, mode="constant"))
    rows, columns = np.nonzero((middle >= highest) & (middle > _LEAST_MIDDLE))
    found = objects[rows, columns]
    rays = np.exp(np.clip(found[:, 2:], -1, 6))
    diameter = 2 * np.sqrt(polygon_areas(rays) / np.pi)
    overlap = expit(found[:, 1])
    # a cell's centre misses the middle of a particle by up to 2.8 px
    height = np.minimum(middle[rows, columns] / np.maximum(1 - 2.0 / np.maximum(diameter / 2, 2.5), 0.3), 1)
    low, high = COMFORTABLE_PX
    octaves = np.maximum(np.maximum(np.log2(low / diameter), np.log2(diameter / high)), 0)
    score = np.sqrt(height * overlap) * 0.5**octaves
    centres = (np.stack([columns, rows], axis=1) + 0.5) * OBJECT_STRIDE
    kept = overlap > _LEAST_OVERLAP
    return Proposals(
        (centres / scale).astype(np.float32)[kept],
        (rays / scale).astype(np.float32)[kept],
        score.astype(np.float32)[kept],
        overlap.astype(np.float32)[kept],
        np.full(int(kept.sum()), index),
        overlap.astype(np.float32)[kept],
    )


def joined(parts: Sequence[Proposals]) -> Proposals:
    """Return all of several, best first."""
    whole = Proposals(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Proposals)))
    return whole.kept(np.argsort(-whole.score, kind="stable"))


def each_once(proposals: Proposals, particle: NDArray[np.bool_], *, least_filled: float = 0.5) -> Proposals:
    """Return proposals without those that lie on better ones, or on ground.

    Parameters
    ----------
    proposals : Proposals
        Best first.
    particle : ndarray of bool, shape (h, w)
        Where the maps see particle.
    least_filled : float
        Share of a polygon that has to be particle.
    """
    areas = proposals.areas.astype(np.float64)
    kept = _each_once(
        proposals.centres.astype(np.float64),
        proposals.rays.astype(np.float64),
        directions(proposals.rays.shape[1]),
        areas,
        particle,
        least_filled,
        _MOST_CLAIMED,
        _MOST_INTERSECTION,
    )
    return proposals.kept(kept)


def directions(n: int) -> NDArray[np.float64]:
    """Return the cosines and sines of the directions of `n` rays, the first one again at the end, shape (n + 1, 2)."""
    turn = 2 * np.pi * np.arange(n + 1) / n
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


@compiled
def share_of_reach(rays: NDArray[np.float64], turns: NDArray[np.float64], dx: float, dy: float) -> float:
    """Return how far a point is from a polygon's centre, by how far the polygon reaches in its direction.

    Parameters
    ----------
    rays : ndarray, shape (n,)
        Of the polygon.
    turns : ndarray, shape (n + 1, 2)
        Their `directions`.
    dx, dy : float
        From the centre to the point.
    """
    n = len(rays)
    if dx * dx + dy * dy < 1e-12:
        return 0.0
    turn = np.arctan2(dy, dx) / (2 * np.pi) * n
    if turn < 0:
        turn += n
    k = min(int(turn), n - 1)
    a, b = rays[k], rays[(k + 1) % n]
    ax, ay, bx, by = a * turns[k, 0], a * turns[k, 1], b * turns[k + 1, 0], b * turns[k + 1, 1]
    return (dx * (by - ay) - dy * (bx - ax)) / (ax * by - ay * bx)


@compiled
def _each_once(
    centres: NDArray[np.float64],
    rays: NDArray[np.float64],
    turns: NDArray[np.float64],
    areas: NDArray[np.float64],
    particle: NDArray[np.bool_],
    least_filled: float,
    most_claimed: float,
    most_common: float,
) -> NDArray[np.bool_]:
    """Return which proposals, best first, are taken."""
    h, w = particle.shape
    n = len(areas)
    kept = np.zeros(n, np.bool_)
    claimed = np.full((h, w), -1, np.int32)
    common = np.zeros(n, np.int64)
    for k in range(n):
        reach = rays[k].max()
        # the circles through the nearest edge and the furthest corner decide for most pixels
        surely, hardly = (rays[k].min() * np.cos(np.pi / rays.shape[1])) ** 2, reach**2
        x, y = centres[k, 0], centres[k, 1]
        top, bottom = max(int(y - reach), 0), min(int(y + reach) + 1, h)
        left, right = max(int(x - reach), 0), min(int(x + reach) + 1, w)
        inside = np.zeros((max(bottom - top, 0), max(right - left, 0)), np.bool_)
        own, filled, taken = 0, 0, 0
        touched = [0][:0]
        for i in range(top, bottom):
            dy = i + 0.5 - y
            for j in range(left, right):
                dx = j + 0.5 - x
                away = dx * dx + dy * dy
                if away > hardly or (away > surely and share_of_reach(rays[k], turns, dx, dy) > 1):
                    continue
                inside[i - top, j - left] = True
                own += 1
                if particle[i, j]:
                    filled += 1
                other = claimed[i, j]
                if other >= 0:
                    taken += 1
                    if common[other] == 0:
                        touched.append(other)
                    common[other] += 1
        good = own > 0 and filled >= least_filled * own and taken <= most_claimed * own
        for other in touched:
            if common[other] > most_common * min(areas[k], areas[other]):
                good = False
            common[other] = 0
        if not good:
            continue
        kept[k] = True
        for i in range(top, bottom):
            for j in range(left, right):
                if inside[i - top, j - left] and claimed[i, j] < 0:
                    claimed[i, j] = k
    return kept


def shares_of_scales(diameters: Floats, scales: Sequence[float]) -> Mapping[int, float]:
    """Return what each scale counts in the maps, by index, from the particles that were found; shares sum to 1.

    A particle counts by its diameter, for each scale by how near it is there to the width at which outlines are seen
    best: coarser scales would only blur them.
    """
    if not len(diameters):
        return {}
    octaves = np.log2(diameters[None] * np.asarray(scales)[:, None] / _MAPPED_PX)
    suits = np.maximum(1 - np.abs(octaves) / _MAPPED_OCTAVES, 0)
    # what is too small at the finest and too large at the coarsest has no better one
    suits[np.abs(octaves).argmin(axis=0), np.arange(len(diameters))] += _LEAST_SHARE
    counts = (suits * diameters).sum(axis=1)
    fitting = {index: float(count) for index, count in enumerate(counts) if count >= 0.1 * counts.max()}
    return {index: count / sum(fitting.values()) for index, count in fitting.items()}
