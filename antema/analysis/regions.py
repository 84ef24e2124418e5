"""Cleaning: a foreground mask into regions, with the reason for each that is not to be measured."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.analysis.runs import close_holes, connected, with_holes
from antema.domain import Recipe


@dataclass(frozen=True, eq=False)
class Region:
    """One connected foreground component.

    Parameters
    ----------
    x, y : int
        Column and row of the upper left pixel of its bounding box.
    mask : ndarray of bool, shape (h, w)
        Its pixels, small holes closed, larger ones open.
    filled : ndarray of bool, shape (h, w)
        Its pixels, all holes closed.
    found : ndarray of bool, shape (h, w)
        Its pixels as they were found, all holes open.
    touches_border : bool
        Whether one of its pixels lies on the image's edge.
    reason : str
        ``too_small``, ``too_many_holes`` or empty.
    """

    x: int
    y: int
    mask: NDArray[np.bool_]
    filled: NDArray[np.bool_]
    found: NDArray[np.bool_]
    touches_border: bool
    reason: str

    @property
    def has_holes(self) -> bool:
        """Whether a hole stayed open."""
        return self.mask is not self.filled and not np.array_equal(self.mask, self.filled)


def least_area_px(recipe: Recipe, pixel_size_nm: float) -> int:
    """Return the least number of pixels of a particle: the recipe's, and those of its smallest diameter."""
    return max(recipe.min_area_px, _disc_area_px(recipe.min_diameter_nm, pixel_size_nm))


def least_marker_px(recipe: Recipe, pixel_size_nm: float) -> int:
    """Return the least number of pixels of a marker: the recipe's, and those of its smallest diameter."""
    return max(recipe.marker_area_px, _disc_area_px(recipe.marker_diameter_nm, pixel_size_nm))


def clean(foreground: NDArray[np.bool_], pixel_size_nm: float, recipe: Recipe) -> list[Region]:
    """Take a foreground mask apart into its 8-connected regions.

    Holes (4-connected background that does not reach the outside) below the recipe's diameter are closed; regions
    that are too small or have too many holes left are marked, none is thrown away.

    Parameters
    ----------
    foreground : ndarray of bool, shape (h, w)
        Whether a pixel is particle.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        ``min_diameter_nm``, ``min_area_px``, ``hole_diameter_nm`` and ``max_holes`` are used.

    Returns
    -------
    list of Region
        In the order of their first pixels, row by row.
    """
    least = least_area_px(recipe, pixel_size_nm)
    hole_limit_px = math.pi / 4 * (recipe.hole_diameter_nm / pixel_size_nm) ** 2
    found = connected(foreground)
    holed = with_holes(foreground, found).tolist()
    regions: list[Region] = []
    for mask, (y, x, _, _), area, has_holes in zip(
        found.masks(), found.boxes.tolist(), found.areas.tolist(), holed, strict=True
    ):
        closed, filled, n_holes = close_holes(mask, hole_limit_px) if has_holes else (mask, mask, 0)
        if (np.count_nonzero(filled) if has_holes else area) < least:
            reason = "too_small"
        elif n_holes > recipe.max_holes:
            reason = "too_many_holes"
        else:
            reason = ""
        at_edge = touches_border((x, y), mask.shape, foreground.shape)
        regions.append(Region(x, y, closed, filled, mask, at_edge, reason))
    return regions


def touches_border(corner: tuple[int, int], size: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Return whether a tight bounding box with `corner` (x, y) and `size` (h, w) lies on the edge of an image."""
    x, y = corner
    return x <= 0 or y <= 0 or x + size[1] >= shape[1] or y + size[0] >= shape[0]


def _disc_area_px(diameter_nm: float, pixel_size_nm: float) -> int:
    return math.ceil(math.pi / 4 * (diameter_nm / pixel_size_nm) ** 2)
