"""The original's separation, artefacts included, so that a group can continue its old series.

Erosion goes by turns with a 2 x 2 square, whose origin is its upper left pixel, and a plus, each followed by an
opening with the plus. Beyond the region's bounding box everything counts as particle in an erosion, as it does in
MATLAB. A piece is a marker where its convexity and its area / convex area are above the threshold. It grows, again by
turns and inside the region, for one step more than it was eroded; growth ends after a step with the square of whose
new pixels less than a quarter lie inside.
"""

import numpy as np

from antema.analysis.arcs import arcs
from antema.analysis.morphology import Mask, parts_of, tight
from antema.analysis.outline import outline
from antema.analysis.pixel_counting import chain_perimeter, convex_image, minor_axis_px, pixel_convexity
from antema.analysis.regions import Region, least_area_px, least_marker_px, touches_border
from antema.analysis.runs import close_holes
from antema.analysis.uecs import Piece
from antema.analysis.watershed import watershed
from antema.compiled import compiled
from antema.domain import Instance, Recipe

_INSIDE_SHARE = 0.25
# Bounding boxes are cut with so much room that no step reaches from the mask to the cut.
_ROOM_PX = 2


def antema_objects(
    regions: list[Region], shape: tuple[int, int], pixel_size_nm: float, recipe: Recipe
) -> list[Instance]:
    """Return the detected objects of regions as the original would find them, with those that it threw away.

    Parameters
    ----------
    regions : list of Region
        From `antema.analysis.clean`.
    shape : (int, int)
        Height and width of the image.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        Separation and its parameters.
    """
    return [instance for region in regions for instance in _objects_of(region, shape, pixel_size_nm, recipe)]


def antema_uecs(region: Mask, convexity_threshold: float, least_marker_px: int) -> list[Piece]:
    """Separate a region as the original does.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region in its tight bounding box.
    convexity_threshold : float
        A marker's convexity, and its area / convex area, must be above it.
    least_marker_px : int
        Least number of pixels of a marker; its minor axis must be above a tenth of this number, rounded down.

    Returns
    -------
    list of (x, y, mask)
        One regrown mask for each marker, in its bounding box; masks may share pixels.
    """
    pieces: list[Piece] = []
    pending: list[tuple[int, int, Mask, int]] = [(0, 0, region, 0)]
    while pending:
        x0, y0, mask, step = pending.pop()
        for dx, dy, part in parts_of(_eroded(mask, step)):
            if np.count_nonzero(part) < least_marker_px or minor_axis_px(part) <= least_marker_px // 10:
                continue
            x, y = x0 + dx, y0 + dy
            if _is_convex(part, convexity_threshold):
                pieces.append(_regrown(x, y, part, step + 2, region))
            else:
                pending.append((*_with_room(x, y, part, _ROOM_PX, region.shape), step + 1))
    return sorted(pieces, key=lambda piece: piece[:2])


def _objects_of(region: Region, shape: tuple[int, int], pixel_size_nm: float, recipe: Recipe) -> list[Instance]:
    at_border = "touches_border" if region.touches_border and recipe.drop_border else ""
    if region.reason:
        return [_whole(region, at_border or region.reason)]
    convexity = pixel_convexity(region.mask)
    is_one = recipe.separation == "none" or convexity > recipe.convexity_threshold
    pieces: list[Piece] = []
    if recipe.separation == "arcs":  # which the original has not: they go by the outline, as in the other convention
        pieces, unexplained = arcs(region.mask, outline(region.filled))
        is_one = not pieces and (is_one or not unexplained)
    if is_one:
        return [_whole(region, at_border)]
    if not pieces and convexity < recipe.convexity_lower_bound:
        return [_whole(region, at_border or "convexity_too_low")]
    if recipe.separation == "watershed":
        pieces = watershed(region.filled, depth_px=recipe.watershed_depth_px)
        if len(pieces) == 1:
            return [_whole(region, at_border)]
    elif recipe.separation == "uecs":
        pieces = antema_uecs(region.mask, recipe.convexity_threshold, least_marker_px(recipe, pixel_size_nm))
    if not pieces:
        return [_whole(region, at_border or "not_separable")]
    found: list[Instance] = []
    for x, y, piece in pieces:
        corner = (region.x + x, region.y + y)
        if recipe.drop_border and touches_border(corner, piece.shape, shape):
            reason = "touches_border"
        elif np.count_nonzero(piece) < least_area_px(recipe, pixel_size_nm):
            reason = "too_small"
        elif recipe.separation == "uecs" and pixel_convexity(piece) <= recipe.convexity_threshold:
            reason = "not_separable"
        else:
            reason = ""
        mask = close_holes(piece, np.inf)[1]
        found.append(Instance(*corner, mask, "dropped" if reason else "measured", reason, separated=True))
    return found


def _whole(region: Region, reason: str) -> Instance:
    return Instance(region.x, region.y, region.filled, "dropped" if reason else "measured", reason)


def _is_convex(mask: Mask, threshold: float) -> bool:
    hull = convex_image(mask)
    solidity = np.count_nonzero(mask) / np.count_nonzero(hull)
    return bool(solidity > threshold) and chain_perimeter(hull) > threshold * chain_perimeter(mask)


def _regrown(x: int, y: int, marker: Mask, n_steps: int, region: Mask) -> Piece:
    x, y, start = _with_room(x, y, marker, n_steps + _ROOM_PX, region.shape)
    inside = np.ascontiguousarray(region[y : y + start.shape[0], x : x + start.shape[1]])
    dx, dy, mask = tight(_grown(start, inside, n_steps))
    return x + dx, y + dy, mask


def _with_room(x: int, y: int, mask: Mask, room: int, shape: tuple[int, ...]) -> Piece:
    """Return a mask in its box widened by `room`, as far as the region's own box allows."""
    h, w = mask.shape
    left, top = min(room, x), min(room, y)
    right, bottom = min(room, shape[1] - x - w), min(room, shape[0] - y - h)
    wider = np.zeros((top + h + bottom, left + w + right), dtype=np.bool_)
    wider[top : top + h, left : left + w] = mask
    return x - left, y - top, wider


@compiled
def _eroded(mask: Mask, step: int) -> Mask:
    """Return `mask` eroded by the square (even `step`) or the plus (odd) and opened by the plus."""
    h, w = mask.shape
    smaller = np.ones((h + 2, w + 2), np.bool_)  # beyond the box all is particle
    for y in range(h):
        for x in range(w):
            if step % 2 == 0:
                smaller[y + 1, x + 1] = (
                    mask[y, x]
                    and (x == w - 1 or mask[y, x + 1])
                    and (y == h - 1 or (mask[y + 1, x] and (x == w - 1 or mask[y + 1, x + 1])))
                )
            else:
                smaller[y + 1, x + 1] = (
                    mask[y, x]
                    and (x == w - 1 or mask[y, x + 1])
                    and (x == 0 or mask[y, x - 1])
                    and (y == h - 1 or mask[y + 1, x])
                    and (y == 0 or mask[y - 1, x])
                )
    opened = np.zeros((h, w), np.bool_)
    for y in range(h):
        for x in range(w):
            v, u = y + 1, x + 1
            if smaller[v, u] and smaller[v, u - 1] and smaller[v, u + 1] and smaller[v - 1, u] and smaller[v + 1, u]:
                opened[y, x] = True
                opened[max(y - 1, 0), x] = True
                opened[min(y + 1, h - 1), x] = True
                opened[y, max(x - 1, 0)] = True
                opened[y, min(x + 1, w - 1)] = True
    return opened


@compiled
def _grown(marker: Mask, inside: Mask, n_steps: int) -> Mask:
    """Return `marker` grown by turns by the square and the plus, as long as it grows where it may."""
    h, w = marker.shape
    grown = marker.copy()
    for step in range(n_steps):
        square = step % 2 == 0
        wider = grown.copy()
        for y in range(h):
            for x in range(w):
                if not grown[y, x]:
                    continue
                if y < h - 1:
                    wider[y + 1, x] = True
                if x < w - 1:
                    wider[y, x + 1] = True
                if square:
                    if y < h - 1 and x < w - 1:
                        wider[y + 1, x + 1] = True
                else:
                    if y > 0:
                        wider[y - 1, x] = True
                    if x > 0:
                        wider[y, x - 1] = True
        n_new, n_inside = 0, 0
        for y in range(h):
            for x in range(w):
                if wider[y, x] and not grown[y, x]:
                    n_new += 1
                    n_inside += inside[y, x]
                grown[y, x] = wider[y, x] and inside[y, x]
        if square and n_inside < _INSIDE_SHARE * n_new:
            break
    return grown
