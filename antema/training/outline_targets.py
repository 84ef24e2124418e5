"""What a network that finds particles one by one is to answer on a tile: middles, rays, offsets, seams.

Loops over pixels of label pages, compiled by Numba.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled
from antema.nets.proposals import N_RAYS, OBJECT_STRIDE, OFFSET_STRIDE

SPOKEN_PX = (9.0, 80.0)
"""Equivalent diameters of the particles that a scale speaks of; beyond `SILENT_PX` it is silent."""
SILENT_PX = (7.0, 110.0)
_OFFSET_PX = (4.0, 160.0)
_LEAST_MIDDLE = 0.02
_RAYS_FROM = 0.1
"""How near to the middle a place must be for rays to be learned from there."""


@dataclass(frozen=True, eq=False)
class Targets:
    """What is true of a tile of side s; weights are 0 where something is not known.

    Parameters
    ----------
    contact : ndarray of float32, shape (s, s)
        Seams: rims of particles inside others, and where two touch.
    offsets : ndarray of float32, shape (s / 2, s / 2, 2)
        Columns and rows in pixels to the middle of the particle.
    offset_weight : ndarray of float32, shape (s / 2, s / 2)
        One over the particle's radius, where there is exactly one.
    middle, middle_weight : ndarray of float32, shape (s / 4, s / 4)
        1 in the middle of a particle, falling to 0 at its outline.
    rays, ray_weight : ndarray of float32, shape (s / 4, s / 4, 32)
        Lengths in pixels.
    """

    contact: NDArray[np.float32]
    offsets: NDArray[np.float32]
    offset_weight: NDArray[np.float32]
    middle: NDArray[np.float32]
    middle_weight: NDArray[np.float32]
    rays: NDArray[np.float32]
    ray_weight: NDArray[np.float32]


def targets_of(pages: NDArray[np.int32], pad: int, is_seen: NDArray[np.bool_] | None = None) -> Targets:
    """Return the targets of the middle of some label pages.

    Parameters
    ----------
    pages : ndarray of int32, shape (pages, s + 2 pad, s + 2 pad)
        Numbers of particles from 1, each on one page, 0 for none; -1 beyond the picture.
    pad : int
        How much of the surroundings is shown, for rays to go there.
    is_seen : ndarray of bool, shape (numbers + 1,), optional
        By number, whether enough is seen of a particle; where only others lie nothing is believed of middles.
    """
    side = pages.shape[1] - 2 * pad
    n = int(pages.max()) + 1
    middles, diameters = _middles(pages, max(n, 1))
    coarse, half = side // OBJECT_STRIDE, side // OFFSET_STRIDE
    middle, middle_weight = np.zeros((coarse, coarse), np.float32), np.ones((coarse, coarse), np.float32)
    rays, ray_weight = np.ones((coarse, coarse, N_RAYS), np.float32), np.zeros((coarse, coarse, N_RAYS), np.float32)
    if is_seen is None:
        is_seen = np.ones(max(n, 1), np.bool_)
    _fill_objects(pages, pad, middles, diameters, is_seen, middle, middle_weight, rays, ray_weight)
    offsets, offset_weight = np.zeros((half, half, 2), np.float32), np.zeros((half, half), np.float32)
    _fill_offsets(pages, pad, middles, diameters, offsets, offset_weight)
    contact = np.zeros((side, side), np.float32)
    _fill_seams(pages, pad, contact)
    return Targets(contact, offsets, offset_weight, middle, middle_weight, rays, ray_weight)


@compiled
def _middles(pages, n):  # noqa: ANN001, ANN202
    """Return the middle (x, y) and the equivalent diameter of each number.

    The middle is the pixel of the particle nearest to its centre of mass.
    """
    area = np.zeros(n)
    x_sum, y_sum = np.zeros(n), np.zeros(n)
    for p in range(pages.shape[0]):
        for y in range(pages.shape[1]):
            for x in range(pages.shape[2]):
                k = pages[p, y, x]
                if k > 0:
                    area[k] += 1
                    x_sum[k] += x + 0.5
                    y_sum[k] += y + 0.5
    best = np.full(n, np.inf)
    middles = np.zeros((n, 2))
    for p in range(pages.shape[0]):
        for y in range(pages.shape[1]):
            for x in range(pages.shape[2]):
                k = pages[p, y, x]
                if k > 0:
                    dx, dy = x + 0.5 - x_sum[k] / area[k], y + 0.5 - y_sum[k] / area[k]
                    d = dx * dx + dy * dy
                    if d < best[k]:
                        best[k] = d
                        if d < 1.0:
                            middles[k, 0], middles[k, 1] = x_sum[k] / area[k], y_sum[k] / area[k]
                        else:
                            middles[k, 0], middles[k, 1] = x + 0.5, y + 0.5
    return middles, 2 * np.sqrt(area / np.pi)


@compiled
def _reach(page, k, x, y, dx, dy):  # noqa: ANN001, ANN202
    """Return how far particle k reaches from (x, y) in a direction, and what ends it: 0, -1 or another number."""
    h, w = page.shape
    step, r = 0.5, 0.0
    while True:
        r += step
        px, py = x + r * dx, y + r * dy
        column, row = int(np.floor(px)), int(np.floor(py))
        if column < 0 or row < 0 or column >= w or row >= h:
            return r, -1
        found = page[row, column]
        if found != k:
            return r - 0.5 * step, found


@compiled
def _fill_objects(pages, pad, middles, diameters, is_seen, middle, middle_weight, rays, ray_weight):  # noqa: ANN001, ANN202
    stride, n_rays = OBJECT_STRIDE, rays.shape[2]
    low, high = SPOKEN_PX
    least, most = SILENT_PX
    for i in range(middle.shape[0]):
        for j in range(middle.shape[1]):
            x, y = pad + stride * (j + 0.5), pad + stride * (i + 0.5)
            best, page = -1.0, -1
            unsure = False
            for p in range(pages.shape[0]):
                k = pages[p, int(y), int(x)]
                if k <= 0:
                    continue
                d = diameters[k]
                if d < least or d > most:
                    continue
                if not is_seen[k]:
                    unsure = True
                    continue
                if d < low or d > high:
                    unsure = True
                dx, dy = x - middles[k, 0], y - middles[k, 1]
                away = np.sqrt(dx * dx + dy * dy)
                s = 1.0
                if away > 1e-3:
                    reach, _ = _reach(pages[p], k, middles[k, 0], middles[k, 1], dx / away, dy / away)
                    s = max(1.0 - away / max(reach, 0.5), _LEAST_MIDDLE)
                if s > best:
                    best, page = s, p
            if page < 0:
                if unsure:
                    middle_weight[i, j] = 0.0
                continue
            middle[i, j] = best
            if unsure:
                middle_weight[i, j] = 0.0
            if best < _RAYS_FROM:
                continue
            k = pages[page, int(y), int(x)]
            for t in range(n_rays):
                angle = 2 * np.pi * t / n_rays
                reach, end = _reach(pages[page], k, x, y, np.cos(angle), np.sin(angle))
                rays[i, j, t] = reach
                ray_weight[i, j, t] = 0.0 if end == -1 else best


@compiled
def _fill_offsets(pages, pad, middles, diameters, offsets, weight):  # noqa: ANN001, ANN202
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            x, y = pad + OFFSET_STRIDE * (j + 0.5), pad + OFFSET_STRIDE * (i + 0.5)
            found, k = 0, 0
            for p in range(pages.shape[0]):
                here = pages[p, int(y), int(x)]
                if here > 0:
                    found += 1
                    k = here
            if found != 1 or diameters[k] < _OFFSET_PX[0] or diameters[k] > _OFFSET_PX[1]:
                continue
            offsets[i, j, 0] = middles[k, 0] - x
            offsets[i, j, 1] = middles[k, 1] - y
            weight[i, j] = 1.0 / (0.5 * diameters[k] + 2.0)


@compiled
def _fill_seams(pages, pad, contact):  # noqa: ANN001, ANN202
    """Mark pixels of particles beside which the set of particles is another one that is not empty."""
    n = pages.shape[0]
    for i in range(contact.shape[0]):
        for j in range(contact.shape[1]):
            y, x = pad + i, pad + j
            any_here = False
            for p in range(n):
                if pages[p, y, x] > 0:
                    any_here = True
            if not any_here:
                continue
            for dy in range(-2, 3):
                if contact[i, j] > 0:
                    break
                for dx in range(-2, 3):
                    if dx * dx + dy * dy > 4:
                        continue
                    any_there, different = False, False
                    for p in range(n):
                        there = pages[p, y + dy, x + dx]
                        if there > 0:
                            any_there = True
                        if max(there, 0) != max(pages[p, y, x], 0):
                            different = True
                    # from one particle to two an edge lies inside, whichever pixel asks
                    near = dx * dx + dy * dy <= 2
                    if any_there and different and (near or _disjoint(pages, y, x, y + dy, x + dx)):
                        contact[i, j] = 1.0


@compiled
def _disjoint(pages, y, x, v, u):  # noqa: ANN001, ANN202
    for p in range(pages.shape[0]):  # noqa: SIM110
        if pages[p, y, x] > 0 and pages[p, y, x] == pages[p, v, u]:
            return False
    return True
