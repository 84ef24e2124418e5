"""Loops behind the outline: level lines of a picture, the picture of a polygon, the polygon of a picture."""

import math

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A sharp edge has a slope of 1 per px across it, or less by the smoothing; slivers have none.
_SAME_PX = 1e-9
_LEAST_SLOPE = 0.25
_MOST_SHIFT_PX = 1.0


@compiled
def largest_level_line(values: Floats, level: float) -> Floats:
    """Return the closed level line of `values` that encloses the largest area (marching squares).

    Parameters
    ----------
    values : ndarray, shape (h, w)
        Picture with no value above the level in its outermost rows and columns.
    level : float
        Pixels above it are enclosed; those of them that meet in a corner are on the same side of a line.

    Returns
    -------
    ndarray, shape (n, 2)
        (x, y), where the centre of the first pixel is (0.5, 0.5); empty where nothing is above the level.
    """
    h, w = values.shape
    crossings = 0
    for i in range(h):
        for j in range(w):
            if values[i, j] > level:
                # a pixel above has at most four crossings with neighbours below
                crossings += (values[i - 1, j] <= level) + (values[i + 1, j] <= level)
                crossings += (values[i, j - 1] <= level) + (values[i, j + 1] <= level)
    points = np.empty((crossings, 2))
    seen = np.zeros((h, w), np.bool_)
    begin, most_area, best, best_end = 0, 0.0, 0, 0
    for si in range(h - 1):
        for sj in range(w - 1):
            # every line goes down somewhere between a low pixel to the left and a high one to the right
            if seen[si, sj] or values[si, sj] > level or values[si, sj + 1] <= level:
                continue
            i, j, edge, n = si, sj, 0, begin
            while True:
                # cell of the pixels (i, j) to (i + 1, j + 1), entered through its edge 0 top, 1 right, 2 bottom, 3 left
                a, b = values[i, j], values[i, j + 1]
                c, d = values[i + 1, j], values[i + 1, j + 1]
                if edge == 0:
                    if a <= level:
                        if seen[i, j]:
                            break  # round once
                        seen[i, j] = True
                    points[n, 0], points[n, 1] = j + 0.5 + (level - a) / (b - a), i + 0.5
                elif edge == 1:
                    points[n, 0], points[n, 1] = j + 1.5, i + 0.5 + (level - b) / (d - b)
                elif edge == 2:
                    # upwards a line has its high side to the left
                    points[n, 0], points[n, 1] = j + 0.5 + (level - c) / (d - c), i + 1.5
                else:
                    points[n, 0], points[n, 1] = j + 0.5, i + 0.5 + (level - a) / (c - a)
                n += 1
                top, right = (a > level) != (b > level), (b > level) != (d > level)
                bottom, left = (c > level) != (d > level), (a > level) != (c > level)
                if top and right and bottom and left:
                    # round each of the two low pixels
                    out = (1, 0, 3, 2)[edge] if a > level else (3, 2, 1, 0)[edge]
                elif top and edge != 0:
                    out = 0
                elif right and edge != 1:
                    out = 1
                elif bottom and edge != 2:
                    out = 2
                else:
                    out = 3
                if out == 0:
                    i, edge = i - 1, 2
                elif out == 1:
                    j, edge = j + 1, 3
                elif out == 2:
                    i, edge = i + 1, 0
                else:
                    j, edge = j - 1, 1
            area = 0.0
            x0, y0 = points[begin]
            for k in range(begin + 1, n - 1):
                area += (points[k, 0] - x0) * (points[k + 1, 1] - y0) - (points[k + 1, 0] - x0) * (points[k, 1] - y0)
            if abs(area) > most_area:
                most_area, best, best_end = abs(area), begin, n
            begin = n
    return points[best:best_end].copy()


@compiled
def drawn(polygon: Floats, h: int, w: int) -> Floats:
    """Return the share of each pixel of an (h, w) picture that a polygon inside it covers."""
    cover = np.zeros((h, w + 1))
    n = len(polygon)
    for k in range(n):
        x0, y0 = float(polygon[k, 0]), float(polygon[k, 1])
        x1, y1 = float(polygon[(k + 1) % n, 0]), float(polygon[(k + 1) % n, 1])
        if y0 == y1:
            continue
        sign = 1.0
        if y0 > y1:
            x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
        slope = (x1 - x0) / (y1 - y0)
        for i in range(max(0, int(y0)), min(h, int(math.ceil(y1)))):
            top, end = max(y0, float(i)), min(y1, i + 1.0)
            xa, xb = x0 + (top - y0) * slope, x0 + (end - y0) * slope
            height = sign * (end - top)
            if xa > xb:
                xa, xb = xb, xa
            # what lies right of the edge, as differences along the row
            first, last = int(xa), int(xb)
            if first == last:
                middle = 0.5 * (xa + xb) - first
                cover[i, first] += height * (1 - middle)
                cover[i, first + 1] += height * middle
            else:
                per_px = height / (xb - xa)
                before = 0.0
                for j in range(first, last + 1):
                    # area right of the edge within columns up to j, less what the columns before have
                    u, v = max(xa, float(j)), min(xb, j + 1.0)
                    done = (v - xa) * per_px  # height passed by the end of this column
                    here = (u - xa) * per_px * 1.0 + (v - u) * per_px * (j + 1.0 - 0.5 * (u + v))
                    cover[i, j] += here - before
                    before = here
                    if j == last:
                        cover[i, j + 1] += done - here
    for i in range(h):
        total = 0.0
        for j in range(w):
            total += cover[i, j]
            cover[i, j] = abs(total)
    return cover[:, :w]


@compiled
def smoothed(values: Floats, taps: Floats) -> Floats:
    """Return `values` convolved along both axes with symmetric `taps`, the first the middle one; outside is 0."""
    h, w = values.shape
    reach = len(taps) - 1
    rows = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            v = values[i, j]
            if v != 0.0:
                rows[i, j] += v * taps[0]
                for k in range(1, reach + 1):
                    if i >= k:
                        rows[i - k, j] += v * taps[k]
                    if i + k < h:
                        rows[i + k, j] += v * taps[k]
    result = np.zeros((h, w))
    for i in range(h):
        for j in range(w):
            v = rows[i, j]
            if v != 0.0:
                result[i, j] += v * taps[0]
                for k in range(1, reach + 1):
                    if j >= k:
                        result[i, j - k] += v * taps[k]
                    if j + k < w:
                        result[i, j + k] += v * taps[k]
    return result


@compiled
def unrounded(line: Floats, level: float, h: int, w: int, taps: Floats) -> Floats:
    """Return the polygon whose own picture would have about `line` as its level line.

    Drawing a polygon with the coverage of each pixel, smoothing that by `taps` and interpolating it rounds corners off
    and pulls curves inwards. By as much as `line` would shift if it were drawn, its points are moved the other way
    ("twicing", Tukey 1977; one step of van Cittert's iteration). Further steps would bring back the grain of the
    pixels and the noise of the map.

    Parameters
    ----------
    line : ndarray, shape (n, 2)
        Level line (x, y) in an (h, w) picture, not on its outermost pixels.
    level : float
        Level, of a picture between 0 and 1.
    h, w : int
        Size of the picture.
    taps : ndarray
        As `smoothed` takes them.
    """
    n = len(line)
    picture = smoothed(drawn(line, h, w), taps)
    area = 0.0
    for k in range(n):
        area += line[k - 1, 0] * line[k, 1] - line[k, 0] * line[k - 1, 1]
    outwards = 1.0 if area > 0 else -1.0
    polygon = line.copy()
    for k in range(n):
        after = line[k + 1] if k + 1 < n else line[0]
        dx, dy = after[0] - line[k - 1, 0], after[1] - line[k - 1, 1]
        length = math.hypot(dx, dy)
        if length == 0:
            continue
        nx, ny = outwards * dy / length, -outwards * dx / length
        # a point of a level line lies between two pixels of a row or of a column, or on a pixel's centre; which, must
        # not hang on the last bit
        u, v = line[k, 0] - 0.5, line[k, 1] - 0.5
        on_column, on_row = abs(u - round(u)) < _SAME_PX, abs(v - round(v)) < _SAME_PX
        j = int(round(u)) if on_column else int(u)
        i = int(round(v)) if on_row else int(v)
        if on_column and on_row:
            value = picture[i, j]
            slope = -0.5 * nx * (picture[i, j + 1] - picture[i, j - 1])
            slope -= 0.5 * ny * (picture[i + 1, j] - picture[i - 1, j])
        else:
            along, across = (1, 0) if on_row else (0, 1)
            share = u - j if on_row else v - i
            one, other = picture[i, j], picture[i + across, j + along]
            value = one * (1 - share) + other * share
            side_one = picture[i + along, j + across] - picture[i - along, j - across]
            side_other = picture[i + 1, j + 1] - picture[i + across - along, j + along - across]
            forward, sideways = other - one, 0.5 * (side_one * (1 - share) + side_other * share)
            slope = -nx * (forward if along else sideways) - ny * (sideways if along else forward)
        shift = (level - value) / max(slope, _LEAST_SLOPE)
        shift = min(max(shift, -_MOST_SHIFT_PX), _MOST_SHIFT_PX)
        polygon[k, 0] += shift * nx
        polygon[k, 1] += shift * ny
    return polygon


@compiled
def restricted(inside: Mask, values: Floats, level: float) -> tuple[Floats, Mask]:
    """Return a map on one instance alone, and near which of its pixels the map does not tell where it ends.

    Parameters
    ----------
    inside : ndarray of bool, shape (h, w)
        The instance, three or more pixels off the edges.
    values : ndarray, shape (h, w)
        The map.
    level : float
        Above it the map is particle.

    Returns
    -------
    values : ndarray, shape (h, w)
        1 in closed holes, 0 where another particle is and farther than two pixels from the instance.
    cut : ndarray of bool, shape (h, w)
        Pixels up to two away from an edge that a separation cut.
    """
    h, w = inside.shape
    result = np.zeros((h, w))
    cut = np.zeros((h, w), np.bool_)
    for i in range(2, h - 2):
        for j in range(2, w - 2):
            here = inside[i, j]
            particle = values[i, j] > level
            if here and particle:
                result[i, j] = values[i, j]
                continue
            beside = at_edge = near = False
            for y in range(i - 2, i + 3):
                for x in range(j - 2, j + 3):
                    if inside[y, x]:
                        near = True
                        beside |= abs(y - i) < 2 and abs(x - j) < 2
                    else:
                        at_edge |= abs(y - i) < 2 and abs(x - j) < 2
            if here:
                result[i, j] = 1.0  # a closed hole, or what the separation added
            elif beside or (near and not particle):
                result[i, j] = values[i, j]
            if (here and at_edge) or (not here and beside and particle):
                cut[i - 2 : i + 3, j - 2 : j + 3] = True
    return result, cut
