"""Separation of overlapping particles by ultimate erosion of convex shapes, on exact distances.

A region that is not convex is eroded until its pieces are; each piece is a marker and is grown back by as far as it
had been eroded, inside the region (Park, Huang, Ji and Ding, IEEE Trans. Pattern Anal. Mach. Intell. 35, 2013, 669;
Gumbiowski et al., Nanoscale Adv. 5, 2023, 2318). Here erosion and growth use the Euclidean distance, so that they act
alike in every direction, and the region counts as surrounded by background.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from antema.analysis.morphology import Mask, components, depth, distance_to, hull_image, largest_component, parts, tight
from antema.analysis.outline import outline
from antema.analysis.polygon import convex_hull, polygon_perimeter

Piece = tuple[int, int, Mask]
"""x and y of the bounding box in the region, and the mask in it."""

_MOST_STEPS = 64
# Where two grown markers claim the same pixels each keeps what a disc of this share of its own inradius can reach
# from inside: growth through the neck between two particles would else carry each into the other.
_CORE_SHARE = 0.85


def convexity(mask: Mask) -> float:
    """Return hull perimeter / perimeter of the outline of a connected mask."""
    polygon = outline(mask)
    return polygon_perimeter(convex_hull(polygon)) / polygon_perimeter(polygon)


def uecs(region: Mask, *, convexity_threshold: float, least_marker_px: int) -> list[Piece]:
    """Separate a region into the particles that it consists of.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region that is not convex.
    convexity_threshold : float
        A piece above this convexity is a marker.
    least_marker_px : int
        Pieces of fewer pixels are no markers.

    Returns
    -------
    list of (x, y, mask)
        One mask for each marker, in its bounding box; masks may share pixels. Empty where there is no marker.
    """
    depths = depth(region)
    markers = list(_markers(depths, convexity_threshold, least_marker_px))
    return _grown(region, depths, markers)


def _markers(
    depths: NDArray[np.float64], convexity_threshold: float, least_marker_px: int
) -> Iterator[tuple[int, int, Mask, float]]:
    """Yield x, y, mask and the erosion in pixels of every marker of a region with these depths."""
    step = max(1.0, float(depths.max()) / _MOST_STEPS)
    pending = [(0, 0, depths, step)]
    while pending:
        x0, y0, inner, eroded = pending.pop()
        labels, _ = components(inner > eroded)
        for dx, dy, mask in parts(labels):
            if np.count_nonzero(mask) < least_marker_px:
                continue
            x, y = x0 + dx, y0 + dy
            if convexity(mask) > convexity_threshold:
                yield x, y, mask, eroded
            else:
                pending.append(
                    (x, y, np.where(mask, inner[dy:, dx:][: mask.shape[0], : mask.shape[1]], 0.0), eroded + step)
                )


def _grown(region: Mask, depths: NDArray[np.float64], markers: list[tuple[int, int, Mask, float]]) -> list[Piece]:
    claims = np.zeros(region.shape, dtype=np.uint16)
    grown: list[tuple[tuple[slice, slice], Mask, Mask]] = []
    for x, y, mask, eroded in markers:
        box = _wider_box((x, y), mask.shape, eroded + 2, region.shape)
        marker = np.zeros(region[box].shape, dtype=np.bool_)
        marker[y - box[0].start :, x - box[1].start :][: mask.shape[0], : mask.shape[1]] = mask
        inner = np.where(marker, depths[box], 0.0)
        reach = max(eroded, _CORE_SHARE * float(inner.max()))
        whole = _dilated(marker, eroded) & region[box]
        core = _dilated(inner > reach, reach) & whole if reach > eroded else whole
        claims[box] += whole
        grown.append((box, whole, core))
    pieces: list[Piece] = []
    for box, whole, core in grown:
        own = whole & (claims[box] == 1)
        kept = own | core
        if own.any():
            kept |= whole & hull_image(own)
        x, y, mask = tight(largest_component(kept))
        pieces.append((box[1].start + x, box[0].start + y, mask))
    return sorted(pieces, key=lambda piece: piece[:2])


def _dilated(mask: Mask, distance_px: float) -> Mask:
    """Return the pixels within `distance_px` (and the half pixel from a centre to its edge) of a mask."""
    return distance_to(mask) <= distance_px + 0.5


def _wider_box(
    corner: tuple[int, int], size: tuple[int, ...], margin: float, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    x, y = corner
    wide = int(np.ceil(margin))
    return (
        slice(max(y - wide, 0), min(y + size[0] + wide, shape[0])),
        slice(max(x - wide, 0), min(x + size[1] + wide, shape[1])),
    )
