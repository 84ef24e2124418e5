"""What a particle's diameter would be if it ended at another level of the network's map.

How far an outline moves with the level tells how well its place is known: along a sharp edge hardly, along a faint one
by pixels.
"""

# pyright: reportMissingTypeStubs=false
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from antema.compiled import compiled
from antema.domain import Instance

LEVEL_SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""By which the logit of the threshold is shifted: with a threshold of 0.5 the levels 0.27, 0.38, 0.5, 0.62, 0.73."""

_REACH_PX = 6
"""Beyond a particle's own pixels its outline is not followed further."""
_LEAST_SLOPE, _STEEPEST = 0.05, 8.0
"""Of the logit per pixel; beyond the last value the map is saturated and tells no place inside a pixel."""


def level_diameters(
    instances: Sequence[Instance],
    areas_px: NDArray[np.floating],
    probability: NDArray[np.floating],
    threshold: float,
) -> NDArray[np.float32]:
    """Return the equivalent diameters of particles at five levels of a probability map.

    Parameters
    ----------
    instances : sequence of Instance
        Only those that are ``measured`` are asked of.
    areas_px : ndarray, shape (n,)
        Their areas at the threshold, in square pixels.
    probability : ndarray, shape (h, w)
        The map that their outlines are drawn on.
    threshold : float
        Level of these outlines.

    Returns
    -------
    ndarray of float32, shape (n, 5)
        In pixels, for each of `LEVEL_SHIFTS`; NaN for particles that are not measured. A particle's share of each pixel
        is taken from the map's height above the level and its slope there; where another particle covers or touches
        it, nothing moves. An outline moves by at most 6 px.
    """
    result = np.full((len(instances), len(LEVEL_SHIFTS)), np.nan, np.float32)
    is_measured = np.array([instance.status == "measured" for instance in instances], bool)
    if not is_measured.any():
        return result
    owner = np.zeros(probability.shape, np.int32)
    # what is measured over what is not: of what others cover nothing moves
    for k, one in sorted(enumerate(instances), key=lambda each: each[1].status == "measured"):
        owner[one.y : one.y + one.h, one.x : one.x + one.w][one.mask] = k + 1
    heights = np.clip(np.asarray(probability, np.float32), 1e-4, 1 - 1e-4)
    logit(heights, out=heights)
    heights -= np.float32(logit(threshold))
    levels = np.array(LEVEL_SHIFTS)
    _grow(owner, _REACH_PX)
    areas = np.asarray(areas_px, np.float64)[:, None] + _gained(owner, heights, levels, len(instances))
    diameters = 2 * np.sqrt(np.maximum(areas, 0) / math.pi)
    result[is_measured] = diameters[is_measured]
    return result


@compiled
def _grow(owner: NDArray[np.int32], reach: int) -> None:
    """Give ground to the particles next to it, one pixel after the other up to `reach` px; in place."""
    h, w = owner.shape
    places = np.empty(h * w, np.int64)
    begin, size = 0, 0
    for i in range(h):
        for j in range(w):
            # inner ones have nowhere to grow: of what is left empty here nothing takes memory
            if owner[i, j] > 0 and (
                (i > 0 and owner[i - 1, j] == 0)
                or (i < h - 1 and owner[i + 1, j] == 0)
                or (j > 0 and owner[i, j - 1] == 0)
                or (j < w - 1 and owner[i, j + 1] == 0)
            ):
                places[size] = i * w + j
                size += 1
    for _ in range(reach):
        end = size
        for k in range(begin, end):
            i, j = places[k] // w, places[k] % w
            for side in range(4):
                v, u = i + (side == 0) - (side == 1), j + (side == 2) - (side == 3)
                if 0 <= v < h and 0 <= u < w and owner[v, u] == 0:
                    owner[v, u] = owner[i, j]
                    places[size] = v * w + u
                    size += 1
        begin = end


@compiled
def _gained(
    owner: NDArray[np.int32], heights: NDArray[np.float32], levels: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Return by how many square pixels each particle is larger at each level than at 0."""
    h, w = owner.shape
    result = np.zeros((n, len(levels)))
    for i in range(h):
        for j in range(w):
            if owner[i, j] == 0:
                continue
            z = heights[i, j]
            dx = (heights[i, min(j + 1, w - 1)] - heights[i, max(j - 1, 0)]) / 2
            dy = (heights[min(i + 1, h - 1), j] - heights[max(i - 1, 0), j]) / 2
            slope = min(max(math.sqrt(dx * dx + dy * dy), _LEAST_SLOPE), _STEEPEST)
            here = min(max(0.5 + z / slope, 0.0), 1.0)
            for place in range(len(levels)):
                there = min(max(0.5 + (z - levels[place]) / slope, 0.0), 1.0)
                result[owner[i, j] - 1, place] += there - here
    return result
