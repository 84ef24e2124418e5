"""Separation along the seams that a network sees between particles."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.analysis.distances import depth
from antema.analysis.erosion import mask_convexity
from antema.analysis.morphology import Mask, flooded, largest_component, parts, parts_of, tight
from antema.analysis.runs import close_holes
from antema.analysis.uecs import Piece, completed, uecs

SEAM_LEVEL = 0.5
"""Probability of a seam from which on a pixel is part of no seed."""
# A piece cut off along a seam may be completed by what its neighbour covers up to so many times its own area.
_MOST_COMPLETION = 1.5


def along_seams(
    region: Mask, contact: NDArray[np.floating], *, convexity_threshold: float, least_marker_px: int
) -> list[Piece]:
    """Cut a region along the seams that a network sees in it.

    What lies between seams is the seed of a particle; where it is not convex, because a seam has a gap or is missing,
    erosion takes it apart (`antema.analysis.uecs.uecs`). Seeds share the seams' pixels out among them.

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

    Returns
    -------
    list of (x, y, mask)
        The pieces in their bounding boxes; a piece whose free outline is a circle or an ellipse is completed by it, and
        shares the pixels that it gains. Empty where no seam cuts the region.
    """
    seam = region & (contact >= SEAM_LEVEL)
    if not seam.any():
        return []
    seeds = [
        seed
        for component in parts_of(region & ~seam)
        if np.count_nonzero(component[2]) >= least_marker_px
        for seed in _seeds(component, region, convexity_threshold, least_marker_px)
    ]
    if len(seeds) < 2:
        return []
    labels = np.zeros(region.shape, np.int32)
    for number, (x, y, mask) in enumerate(seeds, start=1):
        labels[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = number
    basins = flooded(contact.astype(np.float64), labels, region)
    depths = depth(region)
    found: list[Piece] = []
    for x, y, mask in parts(basins):
        dx, dy, own = tight(largest_component(mask))
        found.append(_completed((x + dx, y + dy, own), region, depths))
    return found


def _seeds(component: Piece, region: Mask, convexity_threshold: float, least_marker_px: int) -> list[Piece]:
    """Return what lies between seams, taken apart by erosion where it is not convex."""
    x, y, mask = component
    # a seam that does not reach the outline cuts nothing
    mask = close_holes(mask, math.inf)[1] & region[y : y + mask.shape[0], x : x + mask.shape[1]]
    if mask_convexity(mask) > convexity_threshold:
        return [(x, y, mask)]
    pieces = uecs(mask, convexity_threshold=convexity_threshold, least_marker_px=least_marker_px)
    return [(x + dx, y + dy, piece) for dx, dy, piece in pieces] or [(x, y, mask)]


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
