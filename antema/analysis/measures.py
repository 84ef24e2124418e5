"""What is measured on one particle, in pixels, in either convention."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.analysis.pixel_counting import chain_perimeter, convex_image, pixel_corner_hull
from antema.analysis.polygon import (
    Polygon,
    convex_hull,
    feret_diameters,
    polygon_area,
    polygon_moments,
    polygon_perimeter,
)


@dataclass(frozen=True)
class Measures:
    """Size and shape of one particle in pixels; NaN for what was not measured.

    Parameters
    ----------
    area : float
        Area in px².
    centroid : (float, float)
        x and y of the centre of mass in px from the image's upper left corner (the centre of the first pixel is
        (0.5, 0.5)).
    feret_min, feret_max : float
        Smallest and largest distance of two parallel tangents in px.
    perimeter : float
        In px.
    convexity : float
        Perimeter of the convex hull / perimeter.
    solidity : float
        Area / area of the convex hull.
    moments : (float, float, float)
        Second central moments xx, xy and yy of the area over the area, in px².
    """

    area: float
    centroid: tuple[float, float]
    feret_min: float = math.nan
    feret_max: float = math.nan
    perimeter: float = math.nan
    convexity: float = math.nan
    solidity: float = math.nan
    moments: tuple[float, float, float] = (math.nan, math.nan, math.nan)


def measure_outline(polygon: Polygon) -> Measures:
    """Measure the closed `polygon`, corners (x, y) in px of the image: everything from the one contour."""
    hull = convex_hull(polygon)
    feret_min, feret_max = feret_diameters(hull)
    area, centroid, moments = polygon_moments(polygon)
    perimeter = polygon_perimeter(polygon)
    return Measures(
        area=area,
        centroid=centroid,
        feret_min=feret_min,
        feret_max=feret_max,
        perimeter=perimeter,
        convexity=polygon_perimeter(hull) / perimeter,
        solidity=area / polygon_area(hull),
        moments=moments,
    )


def measure_pixels(mask: NDArray[np.bool_], corner: tuple[int, int] = (0, 0)) -> Measures:
    """Measure a filled `mask` whose bounding box begins at `corner` (x, y), by ANTEMA's definitions."""
    hull_image = convex_image(mask)
    feret_min, feret_max = feret_diameters(pixel_corner_hull(mask))
    counted = count_pixels(mask, corner)
    perimeter = chain_perimeter(mask)
    return Measures(
        area=counted.area,
        centroid=counted.centroid,
        feret_min=feret_min,
        feret_max=feret_max,
        perimeter=perimeter,
        convexity=chain_perimeter(hull_image) / perimeter if perimeter > 0 else 1.0,
        solidity=counted.area / float(np.count_nonzero(hull_image)),
        moments=_pixel_moments(mask),
    )


def count_pixels(mask: NDArray[np.bool_], corner: tuple[int, int] = (0, 0)) -> Measures:
    """Return area and centroid alone, of an object too small to have an outline worth the name."""
    rows, columns = np.nonzero(mask)
    centroid = (corner[0] + 0.5 + float(columns.mean()), corner[1] + 0.5 + float(rows.mean()))
    return Measures(area=float(rows.size), centroid=centroid)


def _pixel_moments(mask: NDArray[np.bool_]) -> tuple[float, float, float]:
    rows, columns = np.nonzero(mask)
    x, y = columns - columns.mean(), rows - rows.mean()
    own = 1 / 12  # a pixel is a square, not a point
    return float((x * x).mean()) + own, float((x * y).mean()), float((y * y).mean()) + own
