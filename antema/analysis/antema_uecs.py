"""The original's cleaning and separation, artefacts included, so that a group can continue its old series.

Erosion by turns with a 2 x 2 square, whose origin is its upper left pixel, and a plus; each followed by an opening
with the plus. What lies outside the region's bounding box counts as particle in an erosion, as it does in MATLAB.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.analysis.pixel_counting import pixel_convexity
from antema.analysis.regions import Region, close_holes, least_area_px, least_marker_px, touches_border
from antema.analysis.uecs import Piece, tight
from antema.analysis.watershed import watershed
from antema.domain import Instance, Recipe

Mask = NDArray[np.bool_]

_EIGHT = np.ones((3, 3), dtype=np.int8)
_PLUS = ndimage.generate_binary_structure(2, 1)
_SQUARE = np.ones((2, 2), dtype=np.bool_)


def antema_objects(
    regions: list[Region], shape: tuple[int, int], pixel_size_nm: float, recipe: Recipe
) -> list[Instance]:
    """Return the detected objects of regions as the original would find them, with those that it threw away."""
    found: list[Instance] = []
    marker_px = least_marker_px(recipe, pixel_size_nm)
    least_px = least_area_px(recipe, pixel_size_nm)
    for region in regions:
        at_border = "touches_border" if region.touches_border and recipe.drop_border else ""
        if region.reason:
            found.append(_instance(region, (0, 0, region.filled), at_border or region.reason))
            continue
        convexity = pixel_convexity(region.mask)
        if recipe.separation == "none" or convexity > recipe.convexity_threshold:
            found.append(_instance(region, (0, 0, region.filled), at_border))
            continue
        if at_border or convexity < recipe.convexity_lower_bound:
            found.append(_instance(region, (0, 0, region.filled), at_border or "convexity_too_low"))
            continue
        if recipe.separation == "watershed":
            pieces = watershed(region.filled, depth_px=recipe.watershed_depth_px)
            if len(pieces) == 1:
                found.append(_instance(region, (0, 0, region.filled), ""))
                continue
        else:
            pieces = antema_uecs(region.filled, recipe.convexity_threshold, marker_px)
        if not pieces:
            found.append(_instance(region, (0, 0, region.filled), "not_separable"))
        for piece in pieces:
            mask = piece[2]
            corner = (region.x + piece[0], region.y + piece[1])
            if recipe.drop_border and touches_border(corner, mask.shape, shape):
                reason = "touches_border"
            elif np.count_nonzero(mask) < least_px:
                reason = "too_small"
            elif recipe.separation == "uecs" and not pixel_convexity(mask) > recipe.convexity_threshold:
                reason = "not_separable"
            else:
                reason = ""
            found.append(_instance(region, piece, reason, separated=True))
    return found


def antema_uecs(region: Mask, convexity_threshold: float, least_marker_px: int) -> list[Piece]:
    """Separate a region as the original does.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected, filled region.
    convexity_threshold : float
        A marker's convexity, and its area / convex area, must be above it.
    least_marker_px : int
        Least number of pixels of a marker.

    Returns
    -------
    list of (x, y, mask)
        One regrown mask for each marker.
    """
    pieces: list[Piece] = []
    pending: list[tuple[Mask, int]] = [(region, 0)]
    while pending:
        mask, step = pending.pop()
        eroded = _open(_erode(mask, step))
        labels, n = ndimage.label(eroded, structure=_EIGHT)
        for index in range(1, n + 1):
            part = labels == index
            if np.count_nonzero(part) < least_marker_px:
                continue
            _, _, cropped = tight(part)
            if pixel_convexity(cropped) > convexity_threshold:
                pieces.append(tight(close_holes(_regrow(part, step + 1, region), np.inf)[1]))
            else:
                pending.append((part, step + 1))
    return sorted(pieces, key=lambda piece: piece[:2])


def _erode(mask: Mask, step: int) -> Mask:
    if step % 2 == 0:
        return ndimage.binary_erosion(mask, _SQUARE, origin=-1, border_value=1)
    return ndimage.binary_erosion(mask, _PLUS, border_value=1)


def _open(mask: Mask) -> Mask:
    return ndimage.binary_dilation(ndimage.binary_erosion(mask, _PLUS, border_value=1), _PLUS)


def _regrow(marker: Mask, n_steps: int, region: Mask) -> Mask:
    grown = marker
    for step in reversed(range(n_steps)):
        if step % 2 == 0:
            wider = ndimage.binary_dilation(grown, _SQUARE)
            new = wider & ~grown
            if np.count_nonzero(new & region) < 0.25 * np.count_nonzero(new):
                break
        else:
            wider = ndimage.binary_dilation(grown, _PLUS)
        wider = ndimage.binary_erosion(ndimage.binary_dilation(wider, _PLUS), _PLUS, border_value=1)
        grown = wider & region
    return grown


def _instance(region: Region, piece: Piece, reason: str, *, separated: bool = False) -> Instance:
    x, y, mask = piece
    return Instance(region.x + x, region.y + y, mask, "dropped" if reason else "measured", reason, separated)
