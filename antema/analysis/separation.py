"""Regions into detected objects: kept whole, separated, or dropped with a reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.analysis.antema_uecs import antema_objects
from antema.analysis.morphology import components, depth, parts
from antema.analysis.outline import outline
from antema.analysis.polygon import Polygon, convex_hull, polygon_perimeter
from antema.analysis.regions import Region, close_holes, least_area_px, least_marker_px, touches_border
from antema.analysis.uecs import Piece, uecs
from antema.analysis.watershed import watershed
from antema.domain import Instance, Recipe


@dataclass(frozen=True, eq=False)
class ProbabilityMap:
    """A whole image's probability that a pixel is particle, and the level at which particles end.

    Parameters
    ----------
    values : ndarray, shape (h, w)
        Probabilities.
    threshold : float
        Level of the outline.
    """

    values: NDArray[np.floating]
    threshold: float

    def around(self, x: int, y: int, mask: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Return the values in a mask's bounding box and one pixel more on every side, 0 outside the image."""
        h, w = mask.shape
        result = np.zeros((h + 2, w + 2), dtype=self.values.dtype)
        top, left = max(y - 1, 0), max(x - 1, 0)
        part = self.values[top : y + h + 1, left : x + w + 1]
        result[top - y + 1 :, left - x + 1 :][: part.shape[0], : part.shape[1]] = part
        return result


@dataclass(frozen=True, eq=False)
class Detected:
    """A detected object with its outline where that is already known.

    Parameters
    ----------
    instance : Instance
        Its mask and status.
    polygon : ndarray, shape (n, 2), or None
        Its outline in pixels of the image, as `antema.analysis.outline.outline` gives it.
    """

    instance: Instance
    polygon: Polygon | None = None


def image_outline(x: int, y: int, mask: NDArray[np.bool_], probability: ProbabilityMap | None) -> Polygon:
    """Return the outline, in pixels of the image, of a mask whose bounding box begins at `x`, `y`."""
    if probability is None:
        return outline(mask) + (x, y)
    return outline(mask, probability.around(x, y, mask), probability.threshold) + (x, y)


def separate(
    regions: list[Region],
    shape: tuple[int, int],
    pixel_size_nm: float,
    recipe: Recipe,
    probability: ProbabilityMap | None = None,
) -> list[Detected]:
    """Turn regions into detected objects.

    A region whose convexity is above the recipe's threshold is one particle. The others are separated as the recipe
    says; what comes out and is not convex, and a region out of which nothing comes, is dropped as ``not_separable``.
    Every region gives at least one object.

    Parameters
    ----------
    regions : list of Region
        From `antema.analysis.clean`.
    shape : (int, int)
        Height and width of the image.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        Separation, convention and their parameters.
    probability : ProbabilityMap, optional
        Map that outlines are drawn on.

    Returns
    -------
    list of Detected
        In the order of the regions.
    """
    if recipe.convention == "antema":
        return [Detected(instance) for instance in antema_objects(regions, shape, pixel_size_nm, recipe)]
    found: list[Detected] = []
    for region in regions:
        found.extend(_objects_of(region, shape, pixel_size_nm, recipe, probability))
    return found


def _objects_of(
    region: Region,
    shape: tuple[int, int],
    pixel_size_nm: float,
    recipe: Recipe,
    probability: ProbabilityMap | None,
) -> list[Detected]:
    at_border = "touches_border" if region.touches_border and recipe.drop_border else ""
    if region.reason:
        return [_whole(region, at_border or region.reason)]
    polygon = image_outline(region.x, region.y, region.filled, probability)
    convexity = _convexity(polygon)
    if recipe.separation == "none" or convexity > recipe.convexity_threshold:
        return [_whole(region, at_border, polygon)]
    if convexity < recipe.convexity_lower_bound:
        return [_whole(region, at_border or "convexity_too_low", polygon)]
    least = least_area_px(recipe, pixel_size_nm)
    solid = close_holes(region.mask, least)[0]
    if recipe.separation == "watershed":
        pieces = watershed(solid, depth_px=recipe.watershed_depth_px)
        if len(pieces) == 1:
            return [_whole(region, at_border, polygon)]
        rest: list[Piece] = []
    else:
        pieces = uecs(
            solid,
            convexity_threshold=recipe.convexity_threshold,
            least_marker_px=least_marker_px(recipe, pixel_size_nm),
        )
        if not pieces:
            return [_whole(region, at_border or "not_separable", polygon)]
        rest = _left_over(solid, pieces, least)
    separated = len(pieces) + len(rest) > 1
    found: list[Detected] = []
    for is_rest, piece in [*((False, p) for p in pieces), *((True, p) for p in rest)]:
        x, y, mask = region.x + piece[0], region.y + piece[1], close_holes(piece[2], np.inf)[1]
        piece_polygon = image_outline(x, y, mask, probability)
        if recipe.drop_border and touches_border((x, y), mask.shape, shape):
            reason = "touches_border"
        elif np.count_nonzero(mask) < least:
            reason = "too_small"
        elif is_rest or (recipe.separation == "uecs" and _convexity(piece_polygon) <= recipe.convexity_threshold):
            reason = "not_separable"
        else:
            reason = ""
        found.append(Detected(_instance(x, y, mask, reason, separated=separated), piece_polygon))
    return found


def _whole(region: Region, reason: str, polygon: Polygon | None = None) -> Detected:
    return Detected(_instance(region.x, region.y, region.filled, reason, separated=False), polygon)


def _instance(x: int, y: int, mask: NDArray[np.bool_], reason: str, *, separated: bool) -> Instance:
    return Instance(x, y, mask, "dropped" if reason else "measured", reason, separated)


def _left_over(region: NDArray[np.bool_], pieces: list[Piece], least_px: int) -> list[Piece]:
    """Return what no piece covers, as far as a smallest particle would fit into it: slivers between discs do not."""
    uncovered = region.copy()
    for x, y, mask in pieces:
        uncovered[y : y + mask.shape[0], x : x + mask.shape[1]] &= ~mask
    labels, _ = components(uncovered)
    return [
        (x, y, mask)
        for x, y, mask in parts(labels)
        if np.count_nonzero(mask) >= least_px and np.pi * float(depth(mask).max()) ** 2 >= least_px
    ]


def _convexity(polygon: Polygon) -> float:
    return polygon_perimeter(convex_hull(polygon)) / polygon_perimeter(polygon)
