"""Separation along the seams that a network sees between particles."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.analysis.distances import depth
from antema.analysis.erosion import mask_convexity
from antema.analysis.hulls import hull_image
from antema.analysis.morphology import Labels, Mask, boxes, flooded, largest_component, parts_of, tight
from antema.analysis.runs import close_holes
from antema.analysis.uecs import Piece, completed, uecs

SEAM_LEVEL = 0.5
"""Probability of a seam from which on a pixel is part of no seed."""
# Gaps in a seam of up to 3 px, in which no pixel is deeper than this, are none.
_GAP_DEPTH_PX = 2.0
# What two particles have in common: at most this share of its edge is outline, and each of them has at least that.
_MOST_FREE = 0.2
_LEAST_SIDE = 0.15
# Of what a particle's convex hull gains this share at least is no seam where others dent it.
_DENT_SHARE = 0.25
# Of the convex hull of one particle less than this share is background.
_NOTCH_SHARE = 0.03
# Where a seam is seen along less than this share of the cuts, what was seen is texture of one particle: a core in its
# shell, dark spots. More is asked of a region that its outline tells to be one.
_LEAST_SEEN, _LEAST_SEEN_IN_ONE = 0.75, 0.9
# A piece cut off along a seam may be completed by what its neighbour covers up to so many times its own area.
_MOST_COMPLETION = 1.5


def along_seams(
    region: Mask,
    contact: NDArray[np.floating],
    *,
    convexity_threshold: float,
    least_marker_px: int,
    looks_single: bool = False,
) -> list[Piece]:
    """Cut a region along the seams that a network sees in it.

    What lies between seams is the seed of a particle; where it is not convex, because a seam has a gap or is missing,
    erosion takes it apart (`antema.analysis.uecs.uecs`). Seeds share the seams' pixels out among them. What lies
    between the rims of two particles that overlap belongs to both.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region.
    contact : ndarray, shape (h, w)
        Probability that a pixel lies on the seam between two particles.
    convexity_threshold : float
        Seeds of a lower convexity are eroded.
    least_marker_px : int
        What lies between seams and has fewer pixels is no seed.
    looks_single : bool
        Whether the region's outline is that of one particle.

    Returns
    -------
    list of (x, y, mask)
        The pieces in their bounding boxes; a piece whose free outline is a circle or an ellipse is completed by it, and
        shares the pixels that it gains. Empty where no seam cuts the region from outline to outline.
    """
    seam = region & (contact >= SEAM_LEVEL)
    if not seam.any():
        return []
    inner = depth(region & ~seam) > _GAP_DEPTH_PX
    seeds = [
        seed
        for component in parts_of(inner)
        if _regrown_area(component[2]) >= least_marker_px
        for seed in _seeds(component, region, inner, convexity_threshold, least_marker_px)
    ]
    if len(seeds) < 2:
        return []
    labels = np.zeros(region.shape, np.int32)
    for number, (x, y, mask) in enumerate(seeds, start=1):
        labels[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = number
    basins = flooded(contact.astype(np.float64), labels, region)
    if _seen_share(basins, seam) < (_LEAST_SEEN_IN_ONE if looks_single else _LEAST_SEEN):
        return []
    overlaps = _overlaps(basins)
    members = {number: [number] for number in range(1, len(seeds) + 1) if number not in overlaps}
    for number, pair in overlaps.items():
        for one in pair:
            members[one].append(number)
    where, depths = boxes(basins), depth(region)
    found: list[Piece] = []
    for numbers in members.values():
        parts = [box for number in numbers if (box := where[number - 1]) is not None]
        if parts:
            rows = slice(min(box[0].start for box in parts), max(box[0].stop for box in parts))
            columns = slice(min(box[1].start for box in parts), max(box[1].stop for box in parts))
            x, y, own = tight(largest_component(np.isin(basins[rows, columns], numbers)))
            whole = _completed((columns.start + x, rows.start + y, own), region, depths)
            found.append(_undented(whole, region, convexity_threshold))
    return found


def _seen_share(basins: Labels, seam: Mask) -> float:
    """Return along how much of the borders between basins a seam was seen: real ones run from outline to outline."""
    seen = total = 0
    for one, other, beside, beyond in (
        (basins[:, :-1], basins[:, 1:], seam[:, :-1], seam[:, 1:]),
        (basins[:-1], basins[1:], seam[:-1], seam[1:]),
    ):
        border = (one != other) & (one > 0) & (other > 0)
        total += np.count_nonzero(border)
        seen += np.count_nonzero(border & (beside | beyond))
    return seen / total if total else 1.0


def _regrown_area(mask: Mask) -> float:
    """Return about how many pixels a mask had before the width of a gap was taken off its edge."""
    return math.pi * (math.sqrt(np.count_nonzero(mask) / math.pi) + _GAP_DEPTH_PX) ** 2


def _overlaps(basins: Labels) -> dict[int, tuple[int, int]]:
    """Return which basins are what two others have in common, and which two.

    The rims of two particles that overlap are both seams, and cut out what the particles share: it lies between two
    others and has hardly any outline of its own.
    """
    padded = np.pad(basins, 1)
    pairs = np.concatenate(
        [
            np.stack([one.ravel(), other.ravel()])
            for one, other in ((padded[:, :-1], padded[:, 1:]), (padded[:-1], padded[1:]))
        ],
        axis=1,
    )
    pairs = pairs[:, pairs[0] != pairs[1]]
    sides, lengths = np.unique(np.concatenate([pairs, pairs[::-1]], axis=1), axis=1, return_counts=True)
    found: dict[int, tuple[int, int]] = {}
    owners: set[int] = set()
    for number in range(1, int(basins.max()) + 1):
        own = sides[0] == number
        beside, shares = sides[1][own], lengths[own] / max(1, int(lengths[own].sum()))
        neighbours = beside[(beside > 0) & (shares >= _LEAST_SIDE)].tolist()
        is_between = len(neighbours) == 2 and shares[beside == 0].sum() <= _MOST_FREE
        if is_between and number not in owners and not found.keys() & set(neighbours):
            found[number] = (neighbours[0], neighbours[1])
            owners.update(neighbours)
    return found


def _seeds(
    component: Piece, region: Mask, inner: Mask, convexity_threshold: float, least_marker_px: int
) -> list[Piece]:
    """Return what lies between seams, taken apart by erosion where it is not convex."""
    x, y, mask = component
    inside = region[y : y + mask.shape[0], x : x + mask.shape[1]]
    of_any = inner[y : y + mask.shape[0], x : x + mask.shape[1]]
    # a seam that does not reach the outline and encloses nothing cuts nothing
    for hx, hy, hole in parts_of(close_holes(mask, math.inf)[1] & inside & ~mask):
        window = slice(hy, hy + hole.shape[0]), slice(hx, hx + hole.shape[1])
        if np.count_nonzero(hole & of_any[window]) < least_marker_px:
            mask[window] |= hole
    hull = hull_image(mask)
    # the outline that convexity goes by leaves out what hangs on by a pixel; the hull does not
    if min(mask_convexity(mask), np.count_nonzero(mask) / np.count_nonzero(hull)) > convexity_threshold:
        return [(x, y, mask)]
    gained = hull & inside & ~mask
    of_others = np.count_nonzero(gained & of_any) > _DENT_SHARE * np.count_nonzero(gained)
    if of_others and np.count_nonzero(hull & ~inside) < _NOTCH_SHARE * np.count_nonzero(hull):
        return [(x, y, mask)]  # a particle that others dent, and no two that a gap in their seam joins
    pieces = uecs(mask, convexity_threshold=convexity_threshold, least_marker_px=least_marker_px)
    return [(x + dx, y + dy, piece) for dx, dy, piece in pieces] or [(x, y, mask)]


def _undented(piece: Piece, region: Mask, convexity_threshold: float) -> Piece:
    """Return a piece with the dents filled that others make in it, where that makes it convex."""
    x, y, mask = piece
    if mask_convexity(mask) > convexity_threshold:
        return piece
    filled = mask | hull_image(mask) & region[y : y + mask.shape[0], x : x + mask.shape[1]]
    return (x, y, filled) if mask_convexity(filled) > convexity_threshold else piece


def _completed(piece: Piece, region: Mask, depths: NDArray[np.float64]) -> Piece:
    """Return a piece with what its neighbours cover of it, as far as its free outline tells."""
    x, y, own = piece
    h, w = own.shape
    room = math.ceil(math.sqrt(np.count_nonzero(own)))
    top, left = max(y - room, 0), max(x - room, 0)
    box = slice(top, y + h + room), slice(left, x + w + room)
    placed = np.zeros_like(region[box])
    placed[y - top : y - top + h, x - left : x - left + w] = own
    whole = completed(placed, placed, region[box], depths[box], most=_MOST_COMPLETION)
    if whole is None:
        return piece
    dx, dy, mask = tight(largest_component(whole))
    return left + dx, top + dy, mask
