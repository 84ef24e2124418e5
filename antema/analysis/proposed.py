"""Particles out of what a network proposes: visible pixels shared out by votes, hidden parts told by rays.

A proposal is a middle with rays. Each pixel of particle votes for the middle of its particle; it goes to the proposal
whose middle its vote hits best. What rays say of a particle beyond its own pixels, under others, belongs to it too.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

from antema.analysis.hulls import hull_image
from antema.analysis.morphology import tight
from antema.compiled import compiled
from antema.nets.proposals import OFFSET_STRIDE, OFFSET_UNIT_PX, directions

Mask = NDArray[np.bool_]

_FAR_VOTE = 0.6
"""Radii by which the vote of a pixel outside a polygon may miss the middle."""
_OUTSIDE = 0.25
"""Radii that a pixel outside a polygon counts as further away."""
_REACH = 1.3
"""Beyond the rays so many times as far pixels may belong to a particle."""
_BY_RAYS = 0.2, 1.0
"""What a pixel's way to the polygon's edge counts beside its vote, for elongated particles and for others."""
_LEAST_HIDDEN = 0.06
"""Of a polygon under others, for it to be more than an inexact edge."""
_ELONGATED = 2.0
"""Aspect ratio from which on rays are too coarse to tell hidden parts."""
_NO_SEAM = 0.3
"""Mean probability of a seam along the border of two parts below which they may be one particle."""
_NO_SEAM_IN_REGION = 0.4
"""The same along all borders of a region that is convex as a whole."""
_CONVEX = 0.95
"""Share of its convex hull that they must fill together for it."""
_LEAST_BORDER_PX = 2
_LEAST_SEEN = 0.25
"""Of a polygon, that its own pixels must fill."""


class ProposedParticles(Protocol):
    """Centres with rays; `antema.nets.proposals.Proposals` is one."""

    @property
    def centres(self) -> NDArray[np.float32]:
        """Columns and rows, shape (n, 2)."""
        ...

    @property
    def rays(self) -> NDArray[np.float32]:
        """Lengths in pixels in evenly spaced directions, shape (n, directions)."""
        ...

    @property
    def confidence(self) -> NDArray[np.float32]:
        """How sure each is: that a person would have drawn it so, shape (n,)."""
        ...

    @property
    def scale(self) -> NDArray[np.int64]:
        """Index of the scale that proposed each, shape (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class FoundParticle:
    """A particle in its bounding box.

    Parameters
    ----------
    x, y : int
        Column and row of the bounding box.
    mask : ndarray of bool, shape (h, w)
        Its pixels, hidden ones too.
    inferred_fraction : float
        Share of its outline that lies under others.
    confidence : float
        How sure it is that a person would have drawn it so; 0 where the network proposed none.
    is_clump : bool
        Whether it is what could not be taken apart.
    has_neighbours : bool
        Whether it touches or overlaps others.
    """

    x: int
    y: int
    mask: Mask
    inferred_fraction: float = 0.0
    confidence: float = 0.0
    is_clump: bool = False
    has_neighbours: bool = False


def proposed_particles(
    proposals: ProposedParticles,
    offsets: Sequence[tuple[float, NDArray[np.float32]]],
    particle: Mask,
    *,
    least_area_px: int,
    contact: NDArray[np.floating] | None = None,
) -> list[FoundParticle]:
    """Return particles, and what of the foreground belongs to none.

    Neighbours between which no seam is seen and which are convex together are one: of a long particle the network may
    propose parts.

    Parameters
    ----------
    proposals : ProposedParticles
        Each particle once.
    offsets : sequence of (float, ndarray)
        Scales, by the proposals' indices, and the votes at each: float32 (h scale / 2, w scale / 2, 2), columns and
        rows to the middle in units of 16 px of that scale.
    particle : ndarray of bool, shape (h, w)
        Foreground.
    least_area_px : int
        What belongs to none and has fewer pixels is left to the smallest regions.
    contact : ndarray, shape (h, w), optional
        Probability that a pixel lies on the seam between two particles.
    """
    centres, rays = proposals.centres.astype(np.float64), proposals.rays.astype(np.float64)
    shape = particle.shape
    owner = np.full(shape, -1, np.int32)
    cost = np.full(shape, np.inf, np.float32)
    turns = directions(rays.shape[1])
    middles, radii, aspects = _moments(centres, rays)
    by_rays = np.where(aspects > _ELONGATED, *_BY_RAYS)
    for index, (scale, votes) in enumerate(offsets):
        own = np.flatnonzero(proposals.scale == index)
        if own.size:
            _vote(own, centres, rays, turns, middles, radii, by_rays, votes, scale, particle, owner, cost)
    _grow(owner, particle, radii)
    confidence = proposals.confidence.astype(np.float64)
    parts = np.zeros(len(radii), np.bool_) if contact is None else _join_parts(owner, particle, contact, confidence)
    found: list[FoundParticle] = []
    boxes = ndimage.find_objects(owner + 1, max_label=len(radii))
    for k, box in enumerate(boxes):
        if box is None:
            continue
        one = _one(
            k, box, owner, centres[k], rays[k], turns, radii[k], is_long=bool(aspects[k] > _ELONGATED or parts[k])
        )
        if one is not None:
            found.append(FoundParticle(*one[:4], confidence=float(confidence[k]), has_neighbours=one[4]))
    return found + _rest(found, particle, float(np.median(radii)) if len(radii) else 0.0, least_area_px)


def _moments(
    centres: NDArray[np.float64], rays: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return centres of mass, equivalent radii and aspect ratios of polygons."""
    turn = 2 * np.pi * np.arange(rays.shape[1]) / rays.shape[1]
    ax, ay = rays * np.cos(turn), rays * np.sin(turn)
    bx, by = np.roll(ax, -1, axis=1), np.roll(ay, -1, axis=1)
    double = ax * by - bx * ay
    area = np.maximum(double.sum(1) / 2, 1e-6)
    cx, cy = ((double * (a + b)).sum(1) / (6 * area) for a, b in ((ax, bx), (ay, by)))
    xx = (double * (ax**2 + ax * bx + bx**2)).sum(1) / (12 * area) - cx**2
    yy = (double * (ay**2 + ay * by + by**2)).sum(1) / (12 * area) - cy**2
    xy = (double * (ax * by + 2 * ax * ay + 2 * bx * by + bx * ay)).sum(1) / (24 * area) - cx * cy
    half, rest = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    aspects = np.sqrt((half + rest) / np.maximum(half - rest, 1e-6))
    return centres + np.stack([cx, cy], axis=1), np.sqrt(area / np.pi), aspects


@compiled
def _share_of_reach(rays: NDArray[np.float64], turns: NDArray[np.float64], dx: float, dy: float) -> float:
    """Return what `antema.nets.proposals.share_of_reach` does; compiled loops call those of their own module alone."""
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
def _vote(
    own: NDArray[np.int64],
    centres: NDArray[np.float64],
    rays: NDArray[np.float64],
    turns: NDArray[np.float64],
    middles: NDArray[np.float64],
    radii: NDArray[np.float64],
    by_rays: NDArray[np.float64],
    votes: NDArray[np.float32],
    scale: float,
    particle: Mask,
    owner: NDArray[np.int32],
    cost: NDArray[np.float32],
) -> None:
    """Give each pixel of particle to the proposal among `own` that it suits best, unless another suits it better."""
    h, w = particle.shape
    for k in own:
        x, y, r = centres[k, 0], centres[k, 1], radii[k]
        reach = rays[k].max() * _REACH + 1.0
        furthest = _REACH + 1.5 / max(r, 1.0)
        for i in range(max(int(y - reach), 0), min(int(y + reach) + 1, h)):
            for j in range(max(int(x - reach), 0), min(int(x + reach) + 1, w)):
                if not particle[i, j]:
                    continue
                ratio = _share_of_reach(rays[k], turns, j + 0.5 - x, i + 0.5 - y)
                if ratio > furthest:
                    continue
                v = min(int((i + 0.5) * scale / OFFSET_STRIDE), votes.shape[0] - 1)
                u = min(int((j + 0.5) * scale / OFFSET_STRIDE), votes.shape[1] - 1)
                mx = j + 0.5 + votes[v, u, 0] * OFFSET_UNIT_PX / scale - middles[k, 0]
                my = i + 0.5 + votes[v, u, 1] * OFFSET_UNIT_PX / scale - middles[k, 1]
                away = min(np.sqrt(mx * mx + my * my) / r, 1.5)
                if ratio > 1:
                    if away > _FAR_VOTE:
                        continue
                    away += _OUTSIDE
                away += by_rays[k] * ratio
                if away < cost[i, j]:
                    cost[i, j] = away
                    owner[i, j] = k


def _join_parts(
    owner: NDArray[np.int32], particle: Mask, contact: NDArray[np.floating], confidence: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Make one of neighbours that no seam parts and that are convex together, in place; return which are such.

    First all of a region that is convex as a whole, its holes filled: a rod or a capsule of which parts were proposed;
    then two by two, those first between which least is seen. The joined one is as sure as the least sure of its parts:
    `confidence` is lowered.
    """
    n = len(confidence)
    is_joined = np.zeros(n, np.bool_)
    first, second, lengths, means = _borders(owner, contact, n)
    for parts, box in _convex_regions(owner, particle, first, lengths, means, n):
        kept = parts[0]
        owner[box][np.isin(owner[box], parts)] = kept
        confidence[kept] = confidence[parts].min()
        is_joined[kept] = True
    if is_joined.any():
        first, second, lengths, means = _borders(owner, contact, n)
    roots = np.arange(n)
    boxes = ndimage.find_objects(owner + 1, max_label=n)
    for place in np.argsort(means, kind="stable"):
        if means[place] >= _NO_SEAM:
            break
        one, other = int(roots[first[place]]), int(roots[second[place]])
        if one == other or lengths[place] < _LEAST_BORDER_PX:
            continue
        box = _around(boxes[one], boxes[other])
        both = (owner[box] == one) | (owner[box] == other)
        if np.count_nonzero(both) < _CONVEX * np.count_nonzero(hull_image(both)):
            continue
        owner[box][both] = one
        roots[roots == other] = one
        boxes[one], boxes[other] = box, None
        confidence[one] = min(confidence[one], confidence[other])
        is_joined[one] = True
    return is_joined


def _borders(
    owner: NDArray[np.int32], contact: NDArray[np.floating], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return which of `n` owners are neighbours: first, second, length of their border, mean of the seam along it."""
    first, second, seams = [], [], []
    for a, b, c, d in (
        (owner[:, :-1], owner[:, 1:], contact[:, :-1], contact[:, 1:]),
        (owner[:-1], owner[1:], contact[:-1], contact[1:]),
    ):
        border = (a != b) & (a >= 0) & (b >= 0)
        first.append(np.minimum(a[border], b[border]))
        second.append(np.maximum(a[border], b[border]))
        seams.append(np.maximum(c[border], d[border]))
    pairs, index = np.unique(np.concatenate(first).astype(np.int64) * n + np.concatenate(second), return_inverse=True)
    lengths = np.bincount(index, minlength=len(pairs))
    means = np.bincount(index, np.concatenate(seams), minlength=len(pairs)) / np.maximum(lengths, 1)
    return pairs // max(n, 1), pairs % max(n, 1), lengths, means


def _convex_regions(
    owner: NDArray[np.int32],
    particle: Mask,
    first: NDArray[np.int64],
    lengths: NDArray[np.int64],
    means: NDArray[np.float64],
    n: int,
) -> Iterator[tuple[NDArray[np.int64], tuple[slice, slice]]]:
    """Yield the owners of each region that is convex and without seams though it has several, and the region's box."""
    if not len(first):
        return
    regions = np.asarray(label(particle, connectivity=2), np.int32)
    region_of = np.zeros(n, np.int32)
    owned = owner >= 0
    region_of[owner[owned]] = regions[owned]
    length = np.bincount(region_of[first], lengths)
    seam = np.bincount(region_of[first], lengths * means) / np.maximum(length, 1)
    boxes = ndimage.find_objects(regions)
    for region in np.flatnonzero((length > 0) & (seam < _NO_SEAM_IN_REGION)).tolist():
        box = boxes[region - 1]
        mask = _filled(np.ascontiguousarray(regions[box] == region))
        if np.count_nonzero(mask) >= _CONVEX * np.count_nonzero(hull_image(mask)):
            yield np.flatnonzero(region_of == region), box


def _around(one: tuple[slice, slice], other: tuple[slice, slice]) -> tuple[slice, slice]:
    rows, columns = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
    return rows, columns


def _to_nearest(mask: Mask) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how far each pixel is from a mask, and row and column of the nearest of its pixels."""
    return cast(
        "tuple[NDArray[np.float64], NDArray[np.int32]]",
        ndimage.distance_transform_edt(~mask, return_indices=True),
    )


def _grow(owner: NDArray[np.int32], particle: Mask, radii: NDArray[np.float64]) -> None:
    """Give pixels of particle that nobody got to the nearest owner, where it is near; in place."""
    free = particle & (owner < 0)
    if not free.any() or not len(radii):
        return
    distance, nearest = _to_nearest(owner >= 0)
    at = nearest[0][free], nearest[1][free]
    owners = owner[at]
    near = distance[free] <= np.maximum(2.0, 0.2 * radii[np.maximum(owners, 0)])
    owner[free] = np.where(near & (owners >= 0), owners, -1)


def _one(
    k: int,
    box: tuple[slice, slice],
    owner: NDArray[np.int32],
    centre: NDArray[np.float64],
    rays: NDArray[np.float64],
    turns: NDArray[np.float64],
    radius: float,
    *,
    is_long: bool,
) -> tuple[int, int, Mask, float, bool] | None:
    """Return corner, mask, inferred share of the outline and whether others touch; None where little is its own."""
    h, w = owner.shape
    (top, bottom), (left, right) = ((max(part.start - 1, 0), part.stop + 1) for part in box)
    if not is_long:
        reach = float(rays.max()) + 2
        top, left = max(min(top, int(centre[1] - reach)), 0), max(min(left, int(centre[0] - reach)), 0)
        bottom, right = max(bottom, int(centre[1] + reach)), max(right, int(centre[0] + reach))
    here = owner[top : min(bottom, h), left : min(right, w)]
    area = math.pi * radius**2 if not is_long else float(np.count_nonzero(here == k))
    mask, edge, under, touches = _cut_out(
        here,
        k,
        rays,
        turns,
        centre[0] - left,
        centre[1] - top,
        _LEAST_SEEN * area,
        np.inf if is_long else _LEAST_HIDDEN * area,
    )
    if edge == 0:
        return None
    x, y, mask = tight(mask)
    return left + x, top + y, mask, under / edge, touches


@compiled
def _cut_out(
    here: NDArray[np.int32],
    k: int,
    rays: NDArray[np.float64],
    turns: NDArray[np.float64],
    x: float,
    y: float,
    least_own: float,
    least_hidden: float,
) -> tuple[Mask, int, int, bool]:
    """Return a particle's mask, the pixels of its outline, those of them under others, and whether others touch."""
    h, w = here.shape
    own = here == k
    mask = _largest(own)
    if np.count_nonzero(mask) < least_own:
        return mask, 0, 0, False
    mask = _filled(mask)
    if least_hidden < np.inf:
        hidden = np.zeros((h, w), np.bool_)
        for i in range(h):
            for j in range(w):
                if here[i, j] >= 0 and here[i, j] != k:
                    hidden[i, j] = _share_of_reach(rays, turns, j + 0.5 - x, i + 0.5 - y) <= 1
        if np.count_nonzero(hidden) >= least_hidden:
            mask = _filled(_largest(mask | hidden))
    edge, under, touches = 0, 0, False
    for i in range(h):
        for j in range(w):
            if not mask[i, j]:
                continue
            is_edge = False
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                v, u = i + dy, j + dx
                if v < 0 or u < 0 or v >= h or u >= w or not mask[v, u]:
                    is_edge = True
                    if 0 <= v < h and 0 <= u < w and here[v, u] >= 0 and here[v, u] != k:
                        touches = True
            if is_edge:
                edge += 1
                if here[i, j] >= 0 and here[i, j] != k:
                    under += 1
                    touches = True
    return mask, edge, under, touches


@compiled
def _largest(mask: Mask) -> Mask:
    """Return the largest 8-connected part."""
    h, w = mask.shape
    labels = np.zeros((h, w), np.int32)
    stack = np.empty((h * w, 2), np.int32)
    best, best_area, n = 0, 0, 0
    for i in range(h):
        for j in range(w):
            if not mask[i, j] or labels[i, j] > 0:
                continue
            n += 1
            labels[i, j] = n
            stack[0, 0], stack[0, 1] = i, j
            size, area = 1, 0
            while size:
                size -= 1
                y, x = stack[size, 0], stack[size, 1]
                area += 1
                for v in range(max(y - 1, 0), min(y + 2, h)):
                    for u in range(max(x - 1, 0), min(x + 2, w)):
                        if mask[v, u] and labels[v, u] == 0:
                            labels[v, u] = n
                            stack[size, 0], stack[size, 1] = v, u
                            size += 1
            if area > best_area:
                best, best_area = n, area
    return labels == best if best else mask.copy()


@compiled
def _filled(mask: Mask) -> Mask:
    """Return a mask with its holes closed: ground that is not 4-connected with the window's edge."""
    h, w = mask.shape
    outside = np.zeros((h, w), np.bool_)
    stack = np.empty((h * w, 2), np.int32)
    size = 0
    for i in range(h):
        for j in range(w):
            if (i in (0, h - 1) or j in (0, w - 1)) and not mask[i, j]:
                outside[i, j] = True
                stack[size, 0], stack[size, 1] = i, j
                size += 1
    while size:
        size -= 1
        y, x = stack[size, 0], stack[size, 1]
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            v, u = y + dy, x + dx
            if 0 <= v < h and 0 <= u < w and not mask[v, u] and not outside[v, u]:
                outside[v, u] = True
                stack[size, 0], stack[size, 1] = v, u
                size += 1
    return ~outside


def _rest(
    found: Sequence[FoundParticle], particle: Mask, typical_radius: float, least_area_px: int
) -> list[FoundParticle]:
    """Return what of the foreground belongs to no particle: regions apart from all, and what is more than a rim."""
    taken = np.zeros(particle.shape, bool)
    for one in found:
        taken[one.y : one.y + one.mask.shape[0], one.x : one.x + one.mask.shape[1]] |= one.mask
    labels = np.asarray(label(particle & ~taken, connectivity=2))
    near = np.asarray(ndimage.binary_dilation(taken, np.ones((3, 3), bool)), bool) if found else taken
    result = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        mask = np.asarray(labels[box] == number)
        touches = bool((mask & near[box]).any())
        if touches:
            depth = float(np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1))).max())
            if np.count_nonzero(mask) < least_area_px or depth < max(2.0, 0.35 * typical_radius):
                continue  # a rim whose votes went astray
        rows, columns = box
        result.append(FoundParticle(columns.start, rows.start, mask, is_clump=touches, has_neighbours=touches))
    return result
