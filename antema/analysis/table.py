"""Detected objects into the particle table."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
import math
from dataclasses import replace

import numpy as np
import pandas as pd

from antema.analysis.descriptors import Descriptors
from antema.analysis.measures import Measures, count_pixels, measure_outline, measure_pixels
from antema.analysis.separation import Detected, ProbabilityMap, image_outline
from antema.domain import PARTICLE_COLUMNS, Instance, Recipe

_TEXT = ("sample", "image", "status", "drop_reason", "crystallinity", "convention", "crystallinity_reason", "outline")
_WHOLE_NUMBERS = ("particle", "bbox_x_px", "bbox_y_px", "bbox_w_px", "bbox_h_px")


def outlined(detected: Detected, recipe: Recipe, probability: ProbabilityMap | None = None) -> Detected:
    """Return an object with its outline, where that is needed: to measure it, or to tell how soft its edge is."""
    instance = detected.instance
    needed = recipe.convention == "contour" or probability is not None
    if detected.polygon is not None or not needed or instance.area_px < recipe.min_area_px:
        return detected
    return replace(detected, polygon=image_outline(instance.x, instance.y, instance.mask, probability))


def measure_detected(detected: Detected, recipe: Recipe, probability: ProbabilityMap | None = None) -> Measures:
    """Measure one object in the recipe's convention; one of fewer pixels than any particle is only counted."""
    instance = detected.instance
    corner = (instance.x, instance.y)
    if instance.area_px < recipe.min_area_px:
        return count_pixels(instance.mask, corner)
    if recipe.convention == "antema":
        return measure_pixels(instance.mask, corner)
    polygon = detected.polygon
    if polygon is None:
        polygon = image_outline(*corner, instance.mask, probability)
    return measure_outline(polygon)


def particle_table(
    instances: list[Instance],
    measures: list[Measures],
    descriptors: Descriptors,
    numbers: list[int],
    *,
    name: str,
    pixel_size_nm: float,
    recipe: Recipe,
    outline: str = "",
) -> pd.DataFrame:
    """Return the table of objects, one row each, in the order given.

    Parameters
    ----------
    instances, measures : list
        The objects and their measures in pixels.
    descriptors : Descriptors
        What else is said of them, in pixels.
    numbers : list of int
        Their ``particle`` numbers.
    name : str
        The image's name.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        For the name of the convention.
    outline : str
        Where particles end, one of `antema.domain.recipe.OUTLINES`; empty for a mask.

    Returns
    -------
    DataFrame
        `antema.domain.PARTICLE_COLUMNS`; text is empty and a number NaN where it does not apply.
    """
    n = len(instances)
    nm = pixel_size_nm
    area = _floats([m.area for m in measures])
    feret_min = _floats([m.feret_min for m in measures])
    feret_max = _floats([m.feret_max for m in measures])
    perimeter = _floats([m.perimeter for m in measures])
    nothing = np.full(n, math.nan)
    columns = {
        "sample": [""] * n,
        "image": [name] * n,
        "particle": numbers,
        "status": [i.status for i in instances],
        "drop_reason": [i.drop_reason for i in instances],
        "separated": np.array([i.separated for i in instances], dtype=np.bool_),
        "area_nm2": area * nm**2,
        "equivalent_diameter_nm": 2 * np.sqrt(area / math.pi) * nm,
        "feret_min_nm": feret_min * nm,
        "feret_max_nm": feret_max * nm,
        "aspect_ratio": feret_max / feret_min,
        "perimeter_nm": perimeter * nm,
        "circularity": 4 * math.pi * area / np.where(perimeter > 0, perimeter, math.nan) ** 2,
        "convexity": _floats([m.convexity for m in measures]),
        "solidity": _floats([m.solidity for m in measures]),
        "centroid_x_nm": _floats([m.centroid[0] for m in measures]) * nm,
        "centroid_y_nm": _floats([m.centroid[1] for m in measures]) * nm,
        "bbox_x_px": [i.x for i in instances],
        "bbox_y_px": [i.y for i in instances],
        "bbox_w_px": [i.w for i in instances],
        "bbox_h_px": [i.h for i in instances],
        "crystallinity": [""] * n,
        "p_amorphous": nothing,
        "p_monocrystalline": nothing,
        "p_polycrystalline": nothing,
        "confidence": nothing,
        "convention": [recipe.convention] * n,
        "eccentricity": descriptors.eccentricity,
        "orientation_deg": descriptors.orientation_deg,
        "mean_grey": descriptors.mean_grey,
        "contrast": descriptors.contrast,
        "nearest_neighbour_nm": descriptors.nearest_neighbour_px * nm,
        "overlap_fraction": descriptors.overlap_fraction,
        "edge_width_nm": descriptors.edge_width_px * nm,
        "border_weight": descriptors.border_weight,
        "p_lattice_visible": nothing,
        "crystallinity_reason": [""] * n,
        "inferred_fraction": descriptors.inferred_fraction,
        "outline_confidence": descriptors.outline_confidence,
        "outline": [outline] * n,
    }
    table = pd.DataFrame(columns, columns=pd.Index(PARTICLE_COLUMNS))
    return table.astype(dict.fromkeys(_TEXT, "str") | dict.fromkeys(_WHOLE_NUMBERS, "int64"))


def _floats(values: list[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array(values, dtype=np.float64)
