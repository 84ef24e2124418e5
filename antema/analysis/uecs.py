"""Separation of overlapping particles by ultimate erosion of convex shapes, on exact distances.

A region that is not convex is eroded until its pieces are; each piece is a marker and is grown back by as far as it
had been eroded, inside the region (Park, Huang, Ji and Ding, IEEE Trans. Pattern Anal. Mach. Intell. 35, 2013, 669;
Gumbiowski et al., Nanoscale Adv. 5, 2023, 2318). Here erosion and growth use the Euclidean distance, so that they act
alike in every direction, and the region counts as surrounded by background.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from antema.analysis.distances import depth, dilated_by
from antema.analysis.ellipse import fit_circle, fit_ellipse
from antema.analysis.erosion import mask_convexity, next_event, next_split
from antema.analysis.hulls import hull_image
from antema.analysis.morphology import Box, Floats, Mask, largest_component, parts_of, tight
from antema.analysis.polygon import Polygon, convex_hull, polygon_area, polygon_perimeter
from antema.analysis.runs import close_holes

Piece = tuple[int, int, Mask]
"""x and y of the bounding box in the region, and the mask in it."""

_MOST_STEPS = 64
# Of pixels that several grown markers claim: how near to a circle or an ellipse a free outline lies (rms, as a share
# of the particle's radius or in pixels) to be completed by it, how much larger than the grown marker that may be, and
# what share of its own inradius the disc has that is used otherwise.
_MISFIT_SHARE = 0.02
_LEAST_MISFIT_PX = 0.35
_MOST_COMPLETION = 1.2
_CORE_SHARE = 0.85
# A neck counts where it is at most this share of the width of either lobe, and by this much narrower to each side:
# less is the roughness of an outline.
_NECK_SHARE = 0.88
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

    A piece is a marker where its convexity is above the threshold and what it grows back to is convex too; one with a
    clear neck (`necked_lobes`) gives its lobes instead, where those grow convex. Another piece is eroded further, and
    one with holes too, which may be gaps between several particles; one that was convex itself is given as it is where
    nothing comes of that, or, with holes, no more than one.

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

    def grows_convex(marker: _Marker) -> bool:
        return mask_convexity(_grown(marker, region)[1]) > convexity_threshold

    def markers_in(x0: int, y0: int, inner: Floats, eroded_px: float) -> list[_Marker]:
        found: list[_Marker] = []
        eroded_px = next_event(inner, eroded_px, step, least_marker_px, convexity_threshold)
        for marker, rest in _eroded(x0, y0, inner, eroded_px):
            if np.count_nonzero(marker.mask) < least_marker_px:
                continue
            is_convex = mask_convexity(marker.mask) > convexity_threshold
            lobes = _shifted(_lobes(rest, eroded_px, least_marker_px), marker) if is_convex else []
            if lobes and all(grows_convex(each) for each in lobes):
                found.extend(lobes)
                continue
            good = is_convex and grows_convex(marker)
            deeper: list[_Marker] = []
            if not good or close_holes(marker.mask, 0)[2] > 0:
                deeper = markers_in(marker.x, marker.y, rest, eroded_px + step)
            if len(deeper) > 1 or (deeper and not good):
                found.extend(deeper)
            elif is_convex:
                found.append(marker)
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
    while (eroded_px := next_split(inner, eroded_px, step, deepest)) < deepest:
        lobes = [(marker, rest) for marker, rest in _eroded(0, 0, inner, eroded_px) if is_lobe(marker, rest)]
        if len(lobes) > 1:
            found: list[_Marker] = []
            for marker, rest in lobes:
                further = _lobes(rest, eroded_px + step, least_marker_px)
                found.extend(_shifted(further, marker) or [marker])
            return found
        eroded_px += step
    return []


def _shifted(markers: list[_Marker], origin: _Marker) -> list[_Marker]:
    """Return the markers of a marker's own box as markers of the region."""
    return [replace(marker, x=marker.x + origin.x, y=marker.y + origin.y) for marker in markers]


def _eroded(x0: int, y0: int, inner: Floats, eroded_px: float) -> list[tuple[_Marker, Floats]]:
    """Return the pieces deeper than `eroded_px`, each with its depths, of a part of a region that begins at x0, y0."""
    return [
        (
            _Marker(x0 + x, y0 + y, mask, eroded_px),
            np.where(mask, inner[y:, x:][: mask.shape[0], : mask.shape[1]], 0.0),
        )
        for x, y, mask in parts_of(inner > eroded_px)
    ]


def convexity_and_solidity(polygon: Polygon) -> tuple[float, float]:
    """Return hull perimeter / perimeter and area / hull area of an outline."""
    hull = convex_hull(polygon)
    return polygon_perimeter(hull) / polygon_perimeter(polygon), polygon_area(polygon) / polygon_area(hull)


def _shared_out(region: Mask, depths: Floats, markers: list[_Marker]) -> list[Piece]:
    """Grow the markers, and settle what several of them claim.

    Growth through a neck carries each particle into the other. A particle keeps what it alone claims, the convex hull
    of that, and of the rest what lies in the circle or ellipse through its free outline. Where that outline is neither
    it keeps what a disc nearly as large as it has room for can reach from inside.
    """
    claims = np.zeros(region.shape, dtype=np.uint16)
    grown: list[tuple[_Marker, Box, Mask]] = []
    for marker in markers:
        box, whole = _grown(marker, region)
        claims[box] += whole
        grown.append((marker, box, whole))
    pieces: list[Piece] = []
    for marker, box, whole in grown:
        own = whole & (claims[box] == 1)
        kept = whole
        if own.any() and np.count_nonzero(own) < np.count_nonzero(whole):
            kept = completed(own, whole, region[box], depths[box])
            if kept is None:
                kept = own | _core(marker, box, depths) & whole
            kept = kept | hull_image(own) & whole
        x, y, mask = tight(largest_component(kept))
        pieces.append((box[1].start + x, box[0].start + y, mask))
    return sorted(pieces, key=lambda piece: piece[:2])


def completed(own: Mask, whole: Mask, region: Mask, depths: Floats, *, most: float = _MOST_COMPLETION) -> Mask | None:
    """Return a particle with the pixels of its region in the circle or ellipse through its free outline.

    Parameters
    ----------
    own : ndarray of bool, shape (h, w)
        What it alone claims.
    whole : ndarray of bool, shape (h, w)
        What it claims.
    region : ndarray of bool, shape (h, w)
        The region that it lies in.
    depths : ndarray, shape (h, w)
        Distances to the region's background: where they are least the outline is free.
    most : float
        How many times the area of `whole` it may have.

    Returns
    -------
    ndarray of bool, shape (h, w), or None
        None where the free outline is neither a circle nor an ellipse, or where it would grow too much.
    """
    rows, columns = np.nonzero(own & (depths <= 1))
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    radius = math.sqrt(np.count_nonzero(whole) / math.pi)
    tolerance = max(_LEAST_MISFIT_PX, _MISFIT_SHARE * radius)
    for fit in (fit_circle, fit_ellipse):  # the circle first: short arcs say little about an ellipse's axes
        fitted = fit(points)
        if fitted is not None and float(np.sqrt((fitted.distance(points) ** 2).mean())) <= tolerance:
            break
    else:
        return None
    rows, columns = np.nonzero(region)
    # the outline's points are centres of edge pixels, half a pixel inside
    inside = fitted.distance(np.stack([columns, rows], axis=1).astype(np.float64)) <= 0.5
    result = own.copy()
    result[rows[inside], columns[inside]] = True
    return result if np.count_nonzero(result) < most * np.count_nonzero(whole) else None


def _core(marker: _Marker, box: Box, depths: Floats) -> Mask:
    """Return what a disc of nearly the marker's own inradius can reach from inside."""
    inner = np.where(_placed(marker, box), depths[box], 0.0)
    reach = max(marker.eroded_px, _CORE_SHARE * float(inner.max()))
    return dilated_by(inner > reach, reach)


def _grown(marker: _Marker, region: Mask) -> tuple[Box, Mask]:
    """Return a box and, in it, what a marker grows to inside the region."""
    wide = int(np.ceil(marker.eroded_px)) + 2
    h, w = marker.mask.shape
    box = (
        slice(max(marker.y - wide, 0), min(marker.y + h + wide, region.shape[0])),
        slice(max(marker.x - wide, 0), min(marker.x + w + wide, region.shape[1])),
    )
    return box, dilated_by(_placed(marker, box), marker.eroded_px) & region[box]


def _placed(marker: _Marker, box: Box) -> Mask:
    """Return the marker's mask in a box of the region."""
    result = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=np.bool_)
    h, w = marker.mask.shape
    result[marker.y - box[0].start :, marker.x - box[1].start :][:h, :w] = marker.mask
    return result
