"""What is said of an object beside its size: its equal-moment ellipse, its grey, its neighbours, its edge."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.spatial
from numpy.typing import NDArray

from antema.analysis.measures import Measures
from antema.analysis.polygon import Polygon
from antema.analysis.separation import Detected, ProbabilityMap
from antema.compiled import compiled
from antema.domain import Instance

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_spatial: Any = scipy.spatial

# The local background: a ring that begins this far from every object, so that no soft edge is in it, as wide as half
# the object's radius within these bounds.
_GAP_PX = 2.0
_LEAST_RING_PX, _MOST_RING_PX = 5.0, 32.0
_LEAST_BACKGROUND_PX = 16
_EDGE_LEVELS = (0.3, 0.7)
# Linear interpolation between pixels blurs a map by a variance of 1/6 px², which widens an edge between these levels
# by as much as it does a Gaussian's: (2 * 0.5244)² of the variance.
_INTERPOLATION_PX2 = 1.0488**2 / 6
# Share of an outline that must fall off freely for its softness to be told.
_LEAST_FREE_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Descriptors:
    """One value for each object, float64 (n,); NaN where it does not apply.

    Parameters
    ----------
    eccentricity, orientation_deg : ndarray
        Of the ellipse of the same second moments: 0 for a circle; angle of its long axis to the image's x axis, in
        [0, 180), counter-clockwise as seen.
    mean_grey : ndarray
        Mean of the native grey values inside.
    contrast : ndarray
        Absolute difference of the means inside and of the local background / standard deviation of that background,
        per native pixel.
    nearest_neighbour_px : ndarray
        Distance to the nearest other particle, centre to centre. What was dropped for another reason than the image's
        edge is no particle.
    overlap_fraction : ndarray
        Share of its area that other objects cover too.
    edge_width_px : ndarray
        Distance between the contours at 0.3 and 0.7 of the probability map.
    border_weight : ndarray
        1 / probability that an object of its extent lies wholly inside the image; 0 for one that does not.
    inferred_fraction : ndarray
        Share of its outline that lies under others and was inferred.
    outline_confidence : ndarray
        How sure a network is of its outline, 0 to 1; NaN where none was asked.
    """

    eccentricity: Floats
    orientation_deg: Floats
    mean_grey: Floats
    contrast: Floats
    nearest_neighbour_px: Floats
    overlap_fraction: Floats
    edge_width_px: Floats
    border_weight: Floats
    inferred_fraction: Floats
    outline_confidence: Floats


def describe(
    found: Sequence[Detected],
    measures: Sequence[Measures],
    foreground: Mask,
    *,
    pixels: NDArray[np.generic] | None = None,
    probability: ProbabilityMap | None = None,
) -> Descriptors:
    """Describe the objects of one image.

    Parameters
    ----------
    found : sequence of Detected
        The objects, with their outlines where their edge width is to be known.
    measures : sequence of Measures
        Their measures, aligned with them.
    foreground : ndarray of bool, shape (h, w)
        What is no background: the whole segmentation, and what is drawn over the image.
    pixels : ndarray, shape (h, w), optional
        Native grey values.
    probability : ProbabilityMap, optional
        Map that the outlines were drawn on.
    """
    moments = np.array([m.moments for m in measures], np.float64).reshape(-1, 3)
    eccentricity, orientation = _ellipses(moments)
    cover = coverage(found, foreground.shape)
    mean_grey, contrast = _greys(found, cover, foreground, pixels)
    edges = [
        math.nan if probability is None or each.polygon is None else edge_width(each.polygon, probability.values)
        for each in found
    ]
    return Descriptors(
        eccentricity=eccentricity,
        orientation_deg=orientation,
        mean_grey=mean_grey,
        contrast=contrast,
        nearest_neighbour_px=_nearest(found, measures),
        overlap_fraction=np.array([_shared(cover, i.instance.mask, i.instance.y, i.instance.x) for i in found], float),
        edge_width_px=np.array(edges, np.float64),
        border_weight=_border_weights(found, foreground.shape),
        inferred_fraction=np.array([each.inferred_fraction for each in found], np.float64),
        outline_confidence=np.array([each.confidence for each in found], np.float64),
    )


def contrasts(instances: Sequence[Instance], pixels: NDArray[np.generic]) -> Floats:
    """Return the contrast-to-noise of each of an image's particles in its `pixels` (h, w), as `Descriptors` has it."""
    found = [Detected(instance) for instance in instances]
    return _greys(found, coverage(found, pixels.shape), np.zeros(pixels.shape, np.bool_), pixels)[1]


def coverage(found: Sequence[Detected], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return how many of the objects cover each pixel of an image of `shape` (h, w); 255 stands for more as well."""
    cover = np.zeros(shape, np.uint8)
    for each in found:
        _stamp(cover, each.instance.mask, each.instance.y, each.instance.x)
    return cover


def edge_width(polygon: Polygon, probability: NDArray[np.floating]) -> float:
    """Return the distance in px between the contours at 0.3 and 0.7 of a probability map along an outline.

    The map is followed along the outline's normals to both levels, no further than the outline's equivalent radius.
    Where it does not get there (a neighbour, a cut) the outline is left out; the mean is taken over the middle half of
    the widths, so that a few spots of doubt inside a particle do not matter. NaN where less than a quarter of the
    outline is free.

    Parameters
    ----------
    polygon : ndarray, shape (n, 2)
        Outline (x, y) in px of the map.
    probability : ndarray, shape (h, w)
        The whole map.
    """
    low, high = _EDGE_LEVELS
    widths = _widths_along(polygon, probability, low, high)
    free = np.sort(widths[np.isfinite(widths)])
    if len(free) == 0 or len(free) < _LEAST_FREE_SHARE * len(widths):
        return math.nan
    quarter = len(free) // 4
    width = float(free[quarter : len(free) - quarter].mean())
    return math.sqrt(max(width**2 - _INTERPOLATION_PX2, 0.0))


def _ellipses(moments: Floats) -> tuple[Floats, Floats]:
    """Return eccentricity and orientation in degrees of second central moments (xx, xy, yy), shape (n, 3)."""
    xx, xy, yy = moments.T
    spread = np.hypot(xx - yy, 2 * xy)
    long = xx + yy + spread
    ratio = np.divide(2 * spread, long, out=np.full(len(long), math.nan), where=long > 0)
    # y grows downwards in the image, so the angle as seen is the negative one
    angle = np.degrees(0.5 * np.arctan2(-2 * xy, xx - yy)) % 180
    return np.sqrt(ratio), np.where(angle >= 180, 0.0, angle)  # -1e-17 % 180 is 180


def _nearest(found: Sequence[Detected], measures: Sequence[Measures]) -> Floats:
    """Return the distance from each object's centre to the nearest centre of another particle.

    What the image's edge cuts is one as well, but for specks too small to be measured, there as anywhere else.
    """
    centres = np.array([m.centroid for m in measures], np.float64).reshape(-1, 2)
    reasons = [each.instance.drop_reason for each in found]
    cut = [
        reason == "touches_border" and not math.isnan(m.feret_max) for reason, m in zip(reasons, measures, strict=True)
    ]
    real = np.array([not reason for reason in reasons], np.bool_) | np.array(cut, np.bool_)
    if not real.any():
        return np.full(len(found), math.nan)
    distances: Floats = _spatial.cKDTree(centres[real]).query(centres, k=2)[0]
    nearest = np.where(real, distances[:, 1], distances[:, 0])  # a particle's own centre comes first
    return np.where(np.isfinite(nearest), nearest, math.nan)


def _border_weights(found: Sequence[Detected], shape: tuple[int, ...]) -> Floats:
    """Return the Horvitz-Thompson factors of a rectangular window, 0 for what is on its edge.

    An object counts as inside when it leaves the outermost pixels free, so one of w x h pixels has
    (W - w - 1) x (H - h - 1) places in an image of W x H (Miles 1974, Lantuejoul 1980).
    """
    boxes = np.array([(i.instance.x, i.instance.y, i.instance.w, i.instance.h) for i in found], np.int64)
    boxes = boxes.reshape(-1, 4)
    x, y, w, h = boxes.T
    height, width = shape
    inside = (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    weights = np.zeros(len(boxes))
    weights[inside] = height * width / ((width - w - 1) * (height - h - 1))[inside]
    return weights


def _greys(
    found: Sequence[Detected], cover: NDArray[np.uint8], foreground: Mask, pixels: NDArray[np.generic] | None
) -> tuple[Floats, Floats]:
    """Return mean grey value and contrast of each object."""
    result = np.full((len(found), 2), math.nan)
    if pixels is None:
        return result[:, 0], result[:, 1]
    for row, each in zip(result, found, strict=True):
        instance = each.instance
        radius = math.sqrt(instance.area_px / math.pi)
        reach = _GAP_PX + min(max(radius / 2, _LEAST_RING_PX), _MOST_RING_PX)
        margin = math.ceil(reach + _GAP_PX)
        top, left = max(instance.y - margin, 0), max(instance.x - margin, 0)
        box = slice(top, instance.y + instance.h + margin), slice(left, instance.x + instance.w + margin)
        occupied = foreground[box] | (cover[box] > 0)
        grey = pixels[box].astype(np.float64)
        row[:] = _grey_and_contrast(grey, occupied, instance.mask, instance.y - top, instance.x - left, reach)
    return result[:, 0], result[:, 1]


@compiled
def _stamp(cover: NDArray[np.uint8], mask: Mask, y: int, x: int) -> None:
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[i, j] and cover[y + i, x + j] < 255:
                cover[y + i, x + j] += 1


@compiled
def _shared(cover: NDArray[np.uint8], mask: Mask, y: int, x: int) -> float:
    """Return the share of a mask's pixels that more than one object covers."""
    n = shared = 0
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[i, j]:
                n += 1
                shared += cover[y + i, x + j] > 1
    return shared / n


@compiled
def _spread_distance(distance: NDArray[np.float32]) -> None:
    """Turn 0 on an object and a large value elsewhere into distances, within 8 % (3-4 chamfer, Borgefors 1986)."""
    h, w = distance.shape
    straight, diagonal = np.float32(0.9604), np.float32(1.2806)
    for i in range(h):
        for j in range(w):
            d = distance[i, j]
            if j > 0:
                d = min(d, distance[i, j - 1] + straight)
            if i > 0:
                d = min(d, distance[i - 1, j] + straight)
                if j > 0:
                    d = min(d, distance[i - 1, j - 1] + diagonal)
                if j + 1 < w:
                    d = min(d, distance[i - 1, j + 1] + diagonal)
            distance[i, j] = d
    for i in range(h - 1, -1, -1):
        for j in range(w - 1, -1, -1):
            d = distance[i, j]
            if j + 1 < w:
                d = min(d, distance[i, j + 1] + straight)
            if i + 1 < h:
                d = min(d, distance[i + 1, j] + straight)
                if j > 0:
                    d = min(d, distance[i + 1, j - 1] + diagonal)
                if j + 1 < w:
                    d = min(d, distance[i + 1, j + 1] + diagonal)
            distance[i, j] = d


@compiled
def _grey_and_contrast(grey: Floats, occupied: Mask, mask: Mask, y: int, x: int, reach: float) -> tuple[float, float]:
    """Return mean inside and contrast of the `mask` at (y, x) of a crop; the ring ends at `reach` px."""
    h, w = grey.shape
    own = np.full((h, w), np.float32(1e6))
    any_object = np.full((h, w), np.float32(1e6))
    total, n = 0.0, 0
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[i, j]:
                own[y + i, x + j] = 0
                if np.isfinite(grey[y + i, x + j]):
                    total += grey[y + i, x + j]
                    n += 1
    if n == 0:
        return np.nan, np.nan
    inside = total / n
    for i in range(h):
        for j in range(w):
            if occupied[i, j]:
                any_object[i, j] = 0
    _spread_distance(own)
    _spread_distance(any_object)
    around, squares, m = 0.0, 0.0, 0
    for i in range(h):
        for j in range(w):
            if own[i, j] <= reach and any_object[i, j] > _GAP_PX and np.isfinite(grey[i, j]):
                # about the mean inside, so that squares of large grey values lose no digits
                around += grey[i, j] - inside
                squares += (grey[i, j] - inside) ** 2
                m += 1
    if m < _LEAST_BACKGROUND_PX:
        return inside, np.nan
    difference = around / m
    variance = (squares - m * difference**2) / (m - 1)
    if variance <= 0:
        return inside, np.nan
    return inside, abs(difference) / math.sqrt(variance)


@compiled
def _value_at(values: NDArray[np.floating], x: float, y: float) -> float:
    """Return the map between pixel centres, (0.5, 0.5) being the first one; the outermost pixels reach outwards."""
    h, w = values.shape
    u = min(max(x - 0.5, 0.0), w - 1.0)
    v = min(max(y - 0.5, 0.0), h - 1.0)
    j, i = min(int(u), w - 2), min(int(v), h - 2)
    s, t = u - j, v - i
    upper = values[i, j] * (1 - s) + values[i, j + 1] * s
    lower = values[i + 1, j] * (1 - s) + values[i + 1, j + 1] * s
    return upper * (1 - t) + lower * t


@compiled
def _crossing(
    values: NDArray[np.floating], x: float, y: float, nx: float, ny: float, level: float, reach: float
) -> float:
    """Return how far outwards along the normal (nx, ny) the map falls to `level`, NaN where it does not in `reach`."""
    before = _value_at(values, x, y)
    step = 0.25 if before >= level else -0.25
    for k in range(1, int(reach / 0.25) + 1):
        value = _value_at(values, x + k * step * nx, y + k * step * ny)
        if (value < level) == (step > 0):
            return step * (k - 1 + (before - level) / (before - value))
        before = value
    return np.nan


@compiled
def _widths_along(polygon: Floats, values: NDArray[np.floating], low: float, high: float) -> Floats:
    """Return the distance of the two levels across the outline, at places about a pixel apart all along it."""
    n = len(polygon)
    area = 0.0
    places = 0
    for k in range(n):
        x0, y0 = polygon[k]
        x1, y1 = polygon[(k + 1) % n]
        area += (x0 - polygon[0, 0]) * (y1 - polygon[0, 1]) - (x1 - polygon[0, 0]) * (y0 - polygon[0, 1])
        places += max(1, int(round(math.hypot(x1 - x0, y1 - y0))))
    outwards = 1.0 if area > 0 else -1.0
    reach = math.sqrt(abs(area) / (2 * math.pi))
    result = np.empty(places)
    at = 0
    for k in range(n):
        x0, y0 = polygon[k]
        x1, y1 = polygon[(k + 1) % n]
        length = math.hypot(x1 - x0, y1 - y0)
        here = max(1, int(round(length)))
        for part in range(here):
            if length == 0:
                result[at] = np.nan
            else:
                share = (part + 0.5) / here
                x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
                nx, ny = outwards * (y1 - y0) / length, -outwards * (x1 - x0) / length
                outer = _crossing(values, x, y, nx, ny, low, reach)
                inner = _crossing(values, x, y, nx, ny, high, reach)
                result[at] = outer - inner
            at += 1
    return result
