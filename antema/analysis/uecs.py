"""Separation of overlapping particles by ultimate erosion of convex shapes, on exact distances.

A region that is not convex is eroded until its pieces are; each piece is a marker and is grown back by as far as it
had been eroded, inside the region (Park, Huang, Ji and Ding, IEEE Trans. Pattern Anal. Mach. Intell. 35, 2013, 669;
Gumbiowski et al., Nanoscale Adv. 5, 2023, 2318). Here erosion and growth use the Euclidean distance, so that they act
alike in every direction, and the region counts as surrounded by background.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from antema.analysis.morphology import (
    Box,
    Floats,
    Mask,
    components,
    depth,
    distance_to,
    hull_image,
    largest_component,
    parts,
    tight,
)
from antema.analysis.outline import outline
from antema.analysis.polygon import Polygon, convex_hull, polygon_area, polygon_perimeter

Piece = tuple[int, int, Mask]
"""x and y of the bounding box in the region, and the mask in it."""

_MOST_STEPS = 64
# Where two grown markers claim the same pixels each keeps what a disc of this share of its own inradius can reach
# from inside: growth through the neck between two particles would else carry each into the other.
_CORE_SHARE = 0.85
# A neck counts where it is at most this share of the width of either lobe, and by this much narrower to each side:
# less is the roughness of an outline.
_NECK_SHARE = 0.82
_LEAST_NECK_PX = 1.5


@dataclass(frozen=True, eq=False)
class _Marker:
    """An eroded piece at `x`, `y` of the region, and by how many pixels it was eroded."""

    x: int
    y: int
    mask: Mask
    eroded_px: float


def uecs(region: Mask, *, convexity_threshold: float, least_marker_px: int) -> list[Piece]:
    """Separate a region into the particles that it consists of.

    A piece is a marker where its convexity is above the threshold, it has no clear neck (`necked_lobes`) and it grows
    back to something convex; another is eroded further, and a convex one given as it is where nothing comes of that.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region that is not convex.
    convexity_threshold : float
        Above this a piece is convex.
    least_marker_px : int
        Pieces of fewer pixels are no markers.

    Returns
    -------
    list of (x, y, mask)
        One mask for each marker, in its bounding box; masks may share pixels. Empty where there is no marker.
    """
    depths = depth(region)
    step = max(1.0, float(depths.max()) / _MOST_STEPS)

    def convexity(mask: Mask) -> float:
        return convexity_and_solidity(outline(mask))[0]

    def markers_in(x0: int, y0: int, inner: Floats, eroded_px: float) -> list[_Marker]:
        found: list[_Marker] = []
        for marker, rest in _eroded(x0, y0, inner, eroded_px):
            if np.count_nonzero(marker.mask) < least_marker_px:
                continue
            is_convex = convexity(marker.mask) > convexity_threshold
            is_whole = is_convex and not _lobes(rest, eroded_px, least_marker_px)
            if is_whole and convexity(_grown(marker, region)[1]) > convexity_threshold:
                found.append(marker)
                continue
            further = markers_in(marker.x, marker.y, rest, eroded_px + step)
            found.extend(further or ([marker] if is_convex else []))
        return found

    return _shared_out(region, depths, markers_in(0, 0, depths, step))


def necked_lobes(region: Mask, *, least_marker_px: int) -> list[Piece]:
    """Take a region apart where a neck is clearly narrower than what it joins.

    Two discs that overlap by a fifth of their diameter or more have a convexity above 0.95, and yet a neck.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region.
    least_marker_px : int
        A lobe whose inscribed disc has fewer pixels is none.

    Returns
    -------
    list of (x, y, mask)
        As from `uecs`; one piece or none where the region has no neck.
    """
    depths = depth(region)
    return _shared_out(region, depths, _lobes(depths, 0.0, least_marker_px))


def _lobes(inner: Floats, eroded_px: float, least_marker_px: int) -> list[_Marker]:
    """Return what is left of each lobe of a region with these depths where its neck is gone; none without a neck."""
    step = max(0.5, float(inner.max()) / _MOST_STEPS)

    def is_lobe(marker: _Marker, rest: Floats) -> bool:
        inradius, neck = float(rest.max()), marker.eroded_px
        is_clear = neck <= _NECK_SHARE * inradius and inradius - neck >= _LEAST_NECK_PX
        return is_clear and math.pi * inradius**2 >= least_marker_px

    deepest = float(inner.max()) * _NECK_SHARE
    while eroded_px < deepest:
        pieces = _eroded(0, 0, inner, eroded_px)
        lobes = [(marker, rest) for marker, rest in pieces if is_lobe(marker, rest)] if len(pieces) > 1 else []
        if len(lobes) > 1:
            found: list[_Marker] = []
            for marker, rest in lobes:
                further = _lobes(rest, eroded_px + step, least_marker_px)
                shifted = [replace(lobe, x=lobe.x + marker.x, y=lobe.y + marker.y) for lobe in further]
                found.extend(shifted or [marker])
            return found
        eroded_px += step
    return []


def _eroded(x0: int, y0: int, inner: Floats, eroded_px: float) -> list[tuple[_Marker, Floats]]:
    """Return the pieces deeper than `eroded_px`, each with its depths, of a part of a region that begins at x0, y0."""
    labels, _ = components(inner > eroded_px)
    return [
        (
            _Marker(x0 + x, y0 + y, mask, eroded_px),
            np.where(mask, inner[y:, x:][: mask.shape[0], : mask.shape[1]], 0.0),
        )
        for x, y, mask in parts(labels)
    ]


def convexity_and_solidity(polygon: Polygon) -> tuple[float, float]:
    """Return hull perimeter / perimeter and area / hull area of an outline."""
    hull = convex_hull(polygon)
    return polygon_perimeter(hull) / polygon_perimeter(polygon), polygon_area(polygon) / polygon_area(hull)


def _shared_out(region: Mask, depths: Floats, markers: list[_Marker]) -> list[Piece]:
    """Grow the markers, and settle what several of them claim."""
    claims = np.zeros(region.shape, dtype=np.uint16)
    grown: list[tuple[Box, Mask, Mask]] = []
    for marker in markers:
        box, whole = _grown(marker, region)
        inner = np.where(_placed(marker, box), depths[box], 0.0)
        reach = max(marker.eroded_px, _CORE_SHARE * float(inner.max()))
        core = _dilated(inner > reach, reach) & whole if reach > marker.eroded_px else whole
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


def _grown(marker: _Marker, region: Mask) -> tuple[Box, Mask]:
    """Return a box and, in it, what a marker grows to inside the region."""
    wide = int(np.ceil(marker.eroded_px)) + 2
    h, w = marker.mask.shape
    box = (
        slice(max(marker.y - wide, 0), min(marker.y + h + wide, region.shape[0])),
        slice(max(marker.x - wide, 0), min(marker.x + w + wide, region.shape[1])),
    )
    return box, _dilated(_placed(marker, box), marker.eroded_px) & region[box]


def _placed(marker: _Marker, box: Box) -> Mask:
    """Return the marker's mask in a box of the region."""
    result = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=np.bool_)
    h, w = marker.mask.shape
    result[marker.y - box[0].start :, marker.x - box[1].start :][:h, :w] = marker.mask
    return result


def _dilated(mask: Mask, distance_px: float) -> Mask:
    """Return the pixels within `distance_px` (and the half pixel from a centre to its edge) of a mask."""
    return distance_to(mask) <= distance_px + 0.5
