"""Real labels moved, each as a whole, to the half-contrast level of their own picture.

People draw an outline now nearly at the foot of the edge, now at half of it. The ``visible`` definition puts it where
the particle's own contrast against its local ground has fallen to one half of what it is just inside its rim. One
signed distance for each label keeps the shape that a person saw and takes away where they tend to put the pen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree
from skimage.measure import label

from antema.analysis.morphology import largest_component, tight
from antema.analysis.outline import outline
from antema.domain import Instance
from antema.simulation.edges import rim_px_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST_SHIFT = 0.25
"""Of the inradius."""
_MOST_SHIFT_PX = 8.0
_DEEPEST_PX = 12.0
"""Deepest place at which the particle's grey is taken, just inside its rim (`antema.simulation.edges.rim_px_of`)."""
_SEARCHED = 0.6
"""Share of the inradius as deep as which the edge is looked for."""
_LEAST_FREE_SHARE = 0.2
_LEAST_CONTRAST = 0.25
"""Of the standard deviation of the ground, per pixel."""
_LEAST_STANDARD_ERRORS = 6.0
"""Noise of micrographs is correlated over a few pixels: this is as 2 to 3 of independent ones."""
_STEP_PX, _BIN_PX, _SMOOTH_PX = 0.25, 0.1, 0.6
_POINT_PX, _BORDER_PX = 0.25, 1.0
_LEAST_GROUND_PX = 8
_PASSES = 3


@dataclass(frozen=True, eq=False)
class _Window:
    """A label in a window of the picture, distances in px, above 0 outside of it."""

    x: int
    y: int
    pixels: Floats
    mask: Mask
    distance: Floats
    inradius: float
    is_free: Mask
    """Pixels whose way to the outline, and on to the ground, is clear of other particles."""
    free_share: float
    """Of the outline."""
    allowed: Mask
    """Where the label may grow."""


def moved_to_half_contrast(
    pixels: NDArray[np.generic],
    instances: Sequence[Instance],
    *,
    trusted: Mask | None = None,
    most_shift: float = _MOST_SHIFT,
) -> list[Instance]:
    """Return labels with their outlines at half of their own contrast.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of the picture.
    instances : sequence of Instance
        Labels, each a whole particle; they may share pixels.
    trusted : ndarray of bool, shape (h, w), optional
        Where the picture shows specimen: not under burned-in text. Everywhere unless given.
    most_shift : float
        Of a label's inradius: no label is moved further.

    Returns
    -------
    list of Instance
        In the same order. A label whose own profile is not conclusive (less than a fifth of its outline faces free
        ground, or its contrast drowns in noise) moves by the median of the others, relative to size; without any
        others it stays.
    """
    values = np.asarray(pixels, np.float64)
    windows = [_window(values, instances, number, trusted) for number in range(len(instances))]
    most = [most_shift * window.inradius for window in windows]
    shifts = np.clip(_shifts(windows), np.negative(most), most)
    return [
        _moved(instance, window, shift) if shift else instance
        for instance, window, shift in zip(instances, windows, shifts.tolist(), strict=True)
    ]


def half_contrast_shifts(
    pixels: NDArray[np.generic], instances: Sequence[Instance], *, trusted: Mask | None = None
) -> Floats:
    """Return by how many px each label has to grow to end at half of its contrast, shape (n,); see above."""
    values = np.asarray(pixels, np.float64)
    return _shifts([_window(values, instances, number, trusted) for number in range(len(instances))])


def _shifts(windows: Sequence[_Window]) -> Floats:
    radius = np.array([window.inradius for window in windows], float)
    own, contrast = np.array([_shift_and_contrast(window) for window in windows], float).reshape(-1, 2).T
    sign = np.sign(np.nansum(np.sign(contrast)))
    # one that is bright where all others are dark is no evidence of where edges lie
    own = own.copy()
    own[np.sign(contrast) != sign] = math.nan
    relative = own / radius
    typical = float(np.nanmedian(relative)) if np.isfinite(relative).any() else 0.0
    limit = np.minimum(_MOST_SHIFT * radius, _MOST_SHIFT_PX)
    return np.clip(np.where(np.isfinite(own), own, typical * radius), -limit, limit)


def _window(values: Floats, instances: Sequence[Instance], number: int, trusted: Mask | None) -> _Window:
    instance = instances[number]
    height, width = values.shape
    reach = math.ceil(_MOST_SHIFT_PX + _ground_px(min(instance.w, instance.h) / 2)[1]) + 2
    top, left = max(instance.y - reach, 0), max(instance.x - reach, 0)
    bottom, right = min(instance.y + instance.h + reach, height), min(instance.x + instance.w + reach, width)
    box = (slice(top, bottom), slice(left, right))
    mask = np.zeros((bottom - top, right - left), bool)
    mask[instance.y - top : instance.y - top + instance.h, instance.x - left : instance.x - left + instance.w] = (
        instance.mask
    )
    others, apart = _others(instances, number, box, mask)
    line = _outline(mask, (left, top), (width, height))
    outward, nearest = _distances(line, mask)
    inradius = float(-outward.min())
    unseen = others if trusted is None else others | ~trusted[box]
    is_free, free_share = _free(line, outward, nearest, unseen, _ground_px(inradius))
    allowed = ~apart
    if apart.any():
        allowed &= np.asarray(ndimage.distance_transform_edt(~apart)) > outward
    return _Window(left, top, values[box], mask, outward, inradius, is_free, free_share, allowed)


def _others(instances: Sequence[Instance], number: int, box: tuple[slice, slice], mask: Mask) -> tuple[Mask, Mask]:
    """Return where other labels are in a window, and where those are that share no pixel with this one."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in box)
    all_of_them, apart = np.zeros_like(mask), np.zeros_like(mask)
    for k, other in enumerate(instances):
        if k == number or other.x >= right or other.y >= bottom or other.x + other.w <= left:
            continue
        if other.y + other.h <= top:
            continue
        here = np.zeros_like(mask)
        y0, x0 = max(other.y, top), max(other.x, left)
        y1, x1 = min(other.y + other.h, bottom), min(other.x + other.w, right)
        here[y0 - top : y1 - top, x0 - left : x1 - left] = other.mask[
            y0 - other.y : y1 - other.y, x0 - other.x : x1 - other.x
        ]
        all_of_them |= here
        if not (here & mask).any():
            apart |= here
    return all_of_them, apart


def _outline(mask: Mask, corner: tuple[int, int], size: tuple[int, int]) -> Floats:
    """Return points (x, y) of a label's outline every quarter of a pixel, without what lies on the picture's border."""
    x, y, part = tight(np.asarray(ndimage.binary_fill_holes(mask), bool))
    # pixel centres at whole numbers
    polygon = outline(largest_component(part)) + (x - 0.5, y - 0.5)
    closed = np.concatenate([polygon, polygon[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.arange(0, along[-1], _POINT_PX)
    points = np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], axis=1)
    in_picture = points + corner
    return points[((in_picture > _BORDER_PX) & (in_picture < np.array(size) - 1 - _BORDER_PX)).all(axis=1)]


def _distances(line: Floats, mask: Mask) -> tuple[Floats, NDArray[np.intp]]:
    """Return the signed distance of each pixel to an outline, and the number of its nearest point."""
    height, width = mask.shape
    if not len(line):  # the label fills the picture
        return np.full(mask.shape, -float(max(mask.shape))), np.zeros(mask.shape, np.intp)
    filled = np.asarray(ndimage.binary_fill_holes(mask), bool)
    distance = np.asarray(ndimage.distance_transform_edt(filled)) - 0.5
    nearest = np.zeros(mask.shape, np.intp)
    # nothing is looked at so deep inside
    rows, columns = np.nonzero(distance <= _DEEPEST_PX + _MOST_SHIFT_PX + 1)
    near, which = KDTree(line).query(np.stack([columns, rows], axis=1))
    distance[rows, columns], nearest[rows, columns] = near, which
    return np.where(filled, -distance, distance), nearest


def _ground_px(radius: float) -> tuple[float, float]:
    """Return at which distances from the edge the ground is looked at."""
    return min(max(0.25 * radius, 1.5), 8.0), min(max(0.5 * radius, 4.0), 16.0)


def _free(
    line: Floats, distance: Floats, nearest: NDArray[np.intp], unseen: Mask, ground_px: tuple[float, float]
) -> tuple[Mask, float]:
    """Return which pixels belong to parts of the outline that face free ground, and the share of these parts."""
    if not len(line):
        return np.zeros_like(unseen), 0.0
    # what belongs to a neighbour's soft edge is not seen freely either
    near = np.asarray(ndimage.binary_dilation(unseen, np.ones((3, 3), bool)), bool)
    clear_px = min(ground_px[0] + 2, ground_px[1])
    is_blocked = np.zeros(len(line), bool)
    is_blocked[nearest[near & (distance <= clear_px) & (distance > -1)]] = True
    is_blocked = np.asarray(ndimage.binary_dilation(is_blocked, iterations=round(1 / _POINT_PX)), bool)
    return ~is_blocked[nearest] & ~near, 1 - float(is_blocked.mean())


def _shift_and_contrast(window: _Window) -> tuple[float, float]:
    """Return the shift that a label's own profile tells, NaN where it tells none, and its signed contrast."""
    limit = min(_MOST_SHIFT * window.inradius, _MOST_SHIFT_PX)
    if window.free_share < _LEAST_FREE_SHARE or limit <= 0:
        return math.nan, math.nan
    shift, contrast = 0.0, math.nan
    for _ in range(_PASSES):
        radius = window.inradius + shift
        distance = window.distance - shift
        level, contrast = _half_level(window, distance, radius)
        if not math.isfinite(level):
            return math.nan, math.nan
        crossing = _crossing(window, level, contrast, (-min(_SEARCHED * window.inradius, _DEEPEST_PX), limit + 1))
        if not math.isfinite(crossing):
            return math.nan, math.nan
        shift = float(np.clip(crossing, -limit, limit))
    return shift, contrast


def _half_level(window: _Window, distance: Floats, radius: float) -> tuple[float, float]:
    """Return the grey half way from the ground to the particle, and the particle's grey less the ground's."""
    first, last = _ground_px(radius)
    shallow, deep = rim_px_of(radius)
    shallow, deep = min(shallow, 0.7 * _DEEPEST_PX), min(deep, _DEEPEST_PX)
    ground = window.pixels[window.is_free & (distance >= first) & (distance <= last)]
    inside = window.pixels[window.is_free & (distance <= -shallow) & (distance >= -deep)]
    if not inside.size:  # of a particle a few pixels wide
        inside = window.pixels[window.is_free & (distance <= -shallow)]
    if ground.size < _LEAST_GROUND_PX or not inside.size:
        return math.nan, math.nan
    outer, inner = float(np.median(ground)), float(np.median(inside))
    noise = float(np.std(ground))
    band = np.count_nonzero(window.is_free & (np.abs(distance) <= 0.5))
    least = max(_LEAST_CONTRAST * noise, _LEAST_STANDARD_ERRORS * noise / math.sqrt(max(band, 1)))
    if abs(inner - outer) <= least:
        return math.nan, math.nan
    return (outer + inner) / 2, inner - outer


def _crossing(window: _Window, level: float, contrast: float, between: tuple[float, float]) -> float:
    """Return where the mean grey passes a level on its way out, nearest to the label; NaN where it does not."""
    at = np.arange(between[0], between[1] + _STEP_PX / 2, _STEP_PX)
    used = window.is_free & (window.distance >= at[0] - 2) & (window.distance <= at[-1] + 2)
    where, grey = window.distance[used], window.pixels[used]
    bins = np.round((where - where.min()) / _BIN_PX).astype(np.int64) if where.size else np.zeros(0, np.int64)
    pixels = np.bincount(bins)
    held = pixels > 0
    pixels = pixels[held]
    where, grey = (np.bincount(bins, each)[held] / pixels for each in (where, grey))
    weight = pixels * np.exp(-0.5 * ((at[:, None] - where[None, :]) / _SMOOTH_PX) ** 2)
    total = weight.sum(axis=1)
    if (total <= 0).any():
        return math.nan
    # a weighted straight line at each place: a plain mean would draw the ends of the profile together
    centre = (weight * where).sum(axis=1) / total
    mean = (weight * grey).sum(axis=1) / total
    spread = (weight * (where - centre[:, None]) ** 2).sum(axis=1)
    slope = (weight * (where - centre[:, None]) * (grey - mean[:, None])).sum(axis=1) / np.maximum(spread, 1e-9)
    profile = (mean + slope * (at - centre) - level) * np.sign(contrast)
    falls = np.flatnonzero((profile[:-1] > 0) & (profile[1:] <= 0))
    if not falls.size:
        return math.nan
    crossings = at[falls] + _STEP_PX * profile[falls] / (profile[falls] - profile[falls + 1])
    return float(crossings[np.argmin(np.abs(crossings))])


def _moved(instance: Instance, window: _Window, shift: float) -> Instance:
    mask = window.distance <= shift
    mask &= window.mask | window.allowed
    hole = ~window.mask & (window.distance <= 0)
    mask &= ~hole
    if not mask.any():
        return instance
    labels = np.asarray(label(mask, connectivity=2))
    mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    return replace(instance, x=window.x + columns.start, y=window.y + rows.start, mask=mask[rows, columns])
