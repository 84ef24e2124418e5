"""Compiled loops over outlines: convex hulls, what lies deep inside them, and ellipses through arcs.

An ellipse is the row (x, y, p, q, s): its centre and the symmetric matrix M = ((p, q), (q, s)) that takes it to the
unit circle. This form has no seam at the circle, where an angle between axes would mean nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Floats = NDArray[np.float64]

_STEPS = 25
_LEAST_GAIN = 1e-6


@compiled
def hull(points: Floats) -> Floats:
    """Return the corners of the convex hull of `points`, shape (n, 2), in order of rising angle (Andrew 1979)."""
    n = len(points)
    order = np.argsort(points[:, 0], kind="mergesort")
    # among equal x by y: few, so that an insertion is enough
    for i in range(1, n):
        j = i
        while (
            j > 0 and points[order[j], 0] == points[order[j - 1], 0] and points[order[j], 1] < points[order[j - 1], 1]
        ):
            order[j], order[j - 1] = order[j - 1], order[j]
            j -= 1
    kept = np.empty(2 * n + 1, np.int64)
    size = 0
    for turn in range(2):
        base = size + 1
        for position in range(n):
            k = order[position] if turn == 0 else order[n - 1 - position]
            while size > base:
                a, b = kept[size - 2], kept[size - 1]
                ax, ay = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
                bx, by = points[k, 0] - points[b, 0], points[k, 1] - points[b, 1]
                if ax * by - ay * bx > 0:
                    break
                size -= 1
            kept[size] = k
            size += 1
        size -= 1
    result = np.empty((size, 2))
    for i in range(size):
        result[i] = points[kept[i]]
    return result


@compiled
def length(corners: Floats) -> float:
    """Return the length of a closed polygon."""
    n = len(corners)
    total = 0.0
    for i in range(n):
        total += math.hypot(corners[i, 0] - corners[i - 1, 0], corners[i, 1] - corners[i - 1, 1])
    return total


@compiled
def least_width(corners: Floats) -> float:
    """Return the smallest distance of two parallel tangents of a convex polygon, corners in order."""
    n = len(corners)
    least = np.inf
    for i in range(n):
        j = (i + 1) % n
        ex, ey = corners[j, 0] - corners[i, 0], corners[j, 1] - corners[i, 1]
        length = math.hypot(ex, ey)
        if length == 0:
            continue
        widest = 0.0
        for k in range(n):
            widest = max(widest, (ex * (corners[k, 1] - corners[i, 1]) - ey * (corners[k, 0] - corners[i, 0])) / length)
        least = min(least, widest)
    return least if least < np.inf else 0.0


@compiled
def deepest_inside(corners: Floats, points: Floats, enough: float = np.inf) -> tuple[float, int]:
    """Return how deep the deepest of `points` lies inside a convex polygon, and which it is; 0 and -1 where none.

    The search ends at the first point deeper than `enough`.
    """
    n = len(corners)
    edges = np.empty((n, 3))
    low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
    for i in range(n):
        j = (i + 1) % n
        ex, ey = corners[j, 0] - corners[i, 0], corners[j, 1] - corners[i, 1]
        length = max(math.hypot(ex, ey), 1e-12)
        edges[i] = (-ey / length, ex / length, (ey * corners[i, 0] - ex * corners[i, 1]) / length)
        low_x, high_x = min(low_x, corners[i, 0]), max(high_x, corners[i, 0])
        low_y, high_y = min(low_y, corners[i, 1]), max(high_y, corners[i, 1])
    deepest, which = 0.0, -1
    for k in range(len(points)):
        x, y = points[k, 0], points[k, 1]
        depth = min(min(x - low_x, high_x - x), min(y - low_y, high_y - y))
        if depth <= deepest:
            continue
        for i in range(n):
            depth = min(depth, edges[i, 0] * x + edges[i, 1] * y + edges[i, 2])
            if depth <= deepest:
                break
        if depth > deepest:
            deepest, which = depth, k
            if deepest > enough:
                break
    return deepest, which


@compiled
def may_join(one: Floats, others: Floats, points: Floats, most: float) -> NDArray[np.bool_]:
    """Return with which of `others` some points have a convex hull that none of `points` lies deeper in than `most`.

    Parameters
    ----------
    one : ndarray, shape (m, 2)
        (x, y).
    others : ndarray, shape (k, m, 2)
        As many points of each other.
    points : ndarray, shape (n, 2)
        The whole outline.
    most : float
        Depth in px.
    """
    m = len(one)
    result = np.zeros(len(others), np.bool_)
    both = np.empty((2 * m, 2))
    both[:m] = one
    for k in range(len(others)):
        both[m:] = others[k]
        result[k] = deepest_inside(hull(both), points, most)[0] <= most
    return result


@compiled
def least_sweep(points: Floats, lengths: NDArray[np.int64], corners: Floats) -> float:
    """Return the least angle by which an arc runs round the middle of a convex polygon, in the polygon's sense.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (x, y), arc after arc.
    lengths : ndarray of int
        Number of points of each arc.
    corners : ndarray, shape (m, 2)
        Of the polygon.
    """
    x, y = corners[:, 0].mean(), corners[:, 1].mean()
    least = np.inf
    begin = 0
    for length in lengths:
        angle = 0.0
        for k in range(begin, begin + length - 1):
            ax, ay = points[k, 0] - x, points[k, 1] - y
            bx, by = points[k + 1, 0] - x, points[k + 1, 1] - y
            angle += math.atan2(ax * by - ay * bx, ax * bx + ay * by)
        least = min(least, angle)
        begin += length
    return least


@compiled
def deepest_in_ellipse(ellipse: Floats, points: Floats) -> float:
    """Return how deep (to first order) the deepest of `points` lies inside an ellipse, 0 where none does."""
    x, y, p, q, s = ellipse
    flattest = (p + s) / 2 - math.hypot((p - s) / 2, q)
    deepest = 0.0
    for k in range(len(points)):
        dx, dy = points[k, 0] - x, points[k, 1] - y
        a, b = p * dx + q * dy, q * dx + s * dy
        seen = math.hypot(a, b)
        if seen < 1:
            slope = math.hypot(p * a + q * b, q * a + s * b) / seen if seen > 0 else flattest
            deepest = max(deepest, (1 - seen) / slope)
    return deepest


@compiled
def fit_ellipse(points: Floats, roundness: float) -> tuple[Floats, float]:
    """Return the ellipse of least squared distance to `points`, and the root mean square of the distances.

    Levenberg-Marquardt on the distance to first order (Sampson), begun at the circle of least algebraic distance.
    The shorter an arc, the less it says about the axes: `roundness` is the pull towards a circle, as many points as
    each of the two elements of the ellipse's shape counts for at a misfit of one mean radius.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (x, y); at least three that are not on a line.
    roundness : float
        Weight of the pull.

    Returns
    -------
    ellipse : ndarray, shape (5,)
        Not finite where there is none.
    rms : float
        In the unit of the points.
    """
    n = len(points)
    mean_x, mean_y = points[:, 0].mean(), points[:, 1].mean()
    u, v = points[:, 0] - mean_x, points[:, 1] - mean_y
    scale = math.sqrt((u * u + v * v).mean())
    nothing = np.full(5, np.nan)
    if not scale > 0:
        return nothing, np.inf
    u, v = u / scale, v / scale
    # circle: least squares of u² + v² + d u + e v + f
    uu, uv, vv = (u * u).sum(), (u * v).sum(), (v * v).sum()
    square = u * u + v * v
    us, vs = (u * square).sum(), (v * square).sum()
    determinant = uu * vv - uv * uv
    if determinant <= 1e-9 * n * n:
        return nothing, np.inf
    centre_x, centre_y = (us * vv - vs * uv) / determinant / 2, (vs * uu - us * uv) / determinant / 2
    radius = math.sqrt(centre_x**2 + centre_y**2 + square.mean())
    state = np.array([centre_x, centre_y, 1 / radius, 0.0, 1 / radius])
    weight = math.sqrt(roundness)
    damping = 1e-3
    rows = n + 2
    jacobian = np.empty((rows, 5))
    residual = np.empty(rows)
    trial_residual = np.empty(rows)
    trial_jacobian = np.empty((rows, 5))
    cost = _distances(u, v, state, weight, residual, jacobian)
    for _ in range(_STEPS):
        normal = jacobian.T @ jacobian
        slope = jacobian.T @ residual
        improved = False
        trial, trial_cost = state, np.inf
        for _try in range(6):
            damped = normal.copy()
            for i in range(5):
                damped[i, i] += damping * (normal[i, i] + 1e-9)
            trial = (state - np.linalg.solve(damped, slope)).astype(np.float64)
            trial_cost = np.inf
            if trial[2] > 0 and trial[2] * trial[4] - trial[3] ** 2 > 1e-8:
                trial_cost = _distances(u, v, trial, weight, trial_residual, trial_jacobian)
            if trial_cost < cost:
                improved = True
                break
            damping *= 8
        if not improved:
            break
        gain = cost - trial_cost
        state, cost = trial, trial_cost
        residual, trial_residual = trial_residual, residual
        jacobian, trial_jacobian = trial_jacobian, jacobian
        damping = max(damping / 8, 1e-9)
        if gain < _LEAST_GAIN * cost:
            break
    rms = math.sqrt((residual[:n] ** 2).mean()) * scale
    result = np.array(
        [state[0] * scale + mean_x, state[1] * scale + mean_y, state[2] / scale, state[3] / scale, state[4] / scale]
    )
    return result, rms


@compiled
def _distances(u: Floats, v: Floats, state: Floats, weight: float, residual: Floats, jacobian: Floats) -> float:
    """Fill in distances to an ellipse and their derivatives, and return the sum of their squares."""
    x, y, p, q, s = state
    n = len(u)
    radius = 2 / (p + s)
    total = 0.0
    for k in range(n):
        dx, dy = u[k] - x, v[k] - y
        a, b = p * dx + q * dy, q * dx + s * dy
        seen = max(math.hypot(a, b), 1e-12)  # from the centre, where the ellipse is a unit circle
        ga, gb = (p * a + q * b) / seen, (q * a + s * b) / seen
        slope = max(math.hypot(ga, gb), 1e-12)  # of seen, taken for constant in the derivatives
        residual[k] = (seen - 1) / slope
        jacobian[k, 0], jacobian[k, 1] = -ga / slope, -gb / slope
        jacobian[k, 2] = a * dx / seen / slope
        jacobian[k, 3] = (a * dy + b * dx) / seen / slope
        jacobian[k, 4] = b * dy / seen / slope
        total += residual[k] ** 2
    unequal, skew = weight * (p - s) / (p + s) * radius, weight * 2 * q / (p + s) * radius
    residual[n], residual[n + 1] = unequal, skew
    jacobian[n], jacobian[n + 1] = 0.0, 0.0
    jacobian[n, 2], jacobian[n, 4] = weight * radius / (p + s), -weight * radius / (p + s)
    jacobian[n + 1, 3] = weight * 2 * radius / (p + s)
    return total + unequal**2 + skew**2


@compiled
def seen_from(ellipse: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return angle (0 to 2 pi) and distance of `points` from an ellipse's centre, were it a unit circle."""
    x, y, p, q, s = ellipse
    angles, distances = np.empty(len(points)), np.empty(len(points))
    for k in range(len(points)):
        dx, dy = points[k, 0] - x, points[k, 1] - y
        a, b = p * dx + q * dy, q * dx + s * dy
        angles[k] = math.atan2(b, a) % (2 * math.pi)
        distances[k] = math.hypot(a, b)
    return angles, distances


@compiled
def depth_in_star(ellipse: Floats, radii: Floats, points: Floats) -> Floats:
    """Return how far inside a star-shaped outline `points` lie, to first order; negative outside.

    Parameters
    ----------
    ellipse : ndarray, shape (5,)
        The frame: where the ellipse is a unit circle.
    radii : ndarray, shape (m,)
        Distance in the frame from the centre to the outline at the angles 2 pi k / m.
    points : ndarray, shape (n, 2)
        (x, y).
    """
    x, y, p, q, s = ellipse
    m = len(radii)
    flattest = (p + s) / 2 - math.hypot((p - s) / 2, q)
    result = np.empty(len(points))
    for k in range(len(points)):
        dx, dy = points[k, 0] - x, points[k, 1] - y
        a, b = p * dx + q * dy, q * dx + s * dy
        seen = math.hypot(a, b)
        place = (math.atan2(b, a) / (2 * math.pi) * m) % m
        i = int(place)
        share = place - i
        radius = (1 - share) * radii[i % m] + share * radii[(i + 1) % m]
        slope = math.hypot(p * a + q * b, q * a + s * b) / seen if seen > 0 else flattest
        result[k] = (radius - seen) / slope
    return result


@compiled
def star_pixels(ellipse: Floats, radii: Floats, h: int, w: int) -> tuple[int, int, NDArray[np.bool_]]:
    """Return the pixels of an image of h x w whose centres lie in a star-shaped outline; see `depth_in_star`.

    Returns
    -------
    x, y : int
        Column and row of the first pixel of a box around them.
    mask : ndarray of bool
        The pixels in that box; of no size where the outline lies outside the image.
    """
    x, y, p, q, s = ellipse
    m = len(radii)
    widest = radii.max()
    determinant = p * s - q * q
    reach_x = widest * math.hypot(s, q) / determinant
    reach_y = widest * math.hypot(p, q) / determinant
    left, right = max(0, int(x - reach_x) - 1), min(w, int(x + reach_x) + 2)
    top, bottom = max(0, int(y - reach_y) - 1), min(h, int(y + reach_y) + 2)
    result = np.zeros((max(0, bottom - top), max(0, right - left)), np.bool_)
    for row in range(top, bottom):
        for column in range(left, right):
            dx, dy = column + 0.5 - x, row + 0.5 - y
            a, b = p * dx + q * dy, q * dx + s * dy
            square = a * a + b * b
            if square > widest * widest:
                continue
            place = (math.atan2(b, a) / (2 * math.pi) * m) % m
            i = int(place)
            share = place - i
            radius = (1 - share) * radii[i % m] + share * radii[(i + 1) % m]
            result[row - top, column - left] = square <= radius * radius
    return left, top, result
