"""Separation of overlapping particles by the arcs of their common outline.

Where two convex particles overlap, the outline of both has a notch on either side. The outline is cut at its notches
into arcs. Arcs that one convex particle can have to itself are put together, as long as that makes the whole more
likely; what a particle hides behind others is completed by the ellipse through its arcs, so that its size is not
biased. A region that is no union of convex particles is not cut.

Notches, grouping and ellipses follow Zafari et al., IEEE Trans. Image Process. 24, 2015, 5942. Here arcs may also be
of any convex form (crystals are no ellipses), and one rule stands for most of theirs: a convex particle lies inside the
region, so that no point of the region's outline can lie inside the convex hull of the particle's arcs.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antema.analysis.arc_fitting import (
    deepest_in_ellipse,
    deepest_inside,
    depth_in_star,
    fit_ellipse,
    hull,
    least_sweep,
    least_width,
    length,
    may_join,
    seen_from,
    star_pixels,
)
from antema.analysis.morphology import Floats, Mask, largest_component, ndimage, parts_of, tight
from antema.analysis.outline import outline
from antema.analysis.polygon import Polygon
from antema.analysis.runs import close_holes
from antema.analysis.uecs import Piece

Indices = NDArray[np.int64]

# Lengths are shares of the region's scale, 2 area / perimeter: the radius of its particles, were they discs.
_STEP = 0.05
_LEAST_STEP_PX = 0.4
_SMOOTHING = 0.06
_LEAST_SMOOTHING_PX = 0.8
_COARSE = 0.2  # an outline smoothed by this has lost its roughness
_LEAST_HOLE_PX = 12
_LEAST_HOLE = 0.25  # radius of a hole between particles
# A notch turns the outline inward by at least this; near it the outline is rounded and belongs to neither arc.
_LEAST_TURN = math.radians(14)
_TRIM = 0.072
_TRIM_PX = 1.2
_LEAST_SHARPNESS = 2.0  # curvature times scale of a notch without a second one
_MOST_ARCS = 400  # the time grows with their square
_MOST_POINTS = 40_000

# The neck of a convex particle: by how much its outline may lie inside its convex hull and still be rough, not
# notched. Costs (see `_judged`) are negative logarithms of likelihoods.
_NECK = 0.08
_NECK_OF_RODS = 0.06
_LEAST_NECK_PX = 0.8
_NECK_NOISE = 2.0
_MOST_NECK = 2.0
_MOST_JOINT_NECK = 1.5
_NECK_COST = 5.0
# Particles differ from ellipses by this (rms); outlines are alike over the length of correlation.
_MISFIT = 0.03
_LEAST_MISFIT_PX = 0.25
_CORRELATION = 0.3
_ROUNDNESS = 0.03
_ELONGATION = 0.5  # standard deviation of the logarithm of the ratio of axes
_PARTICLE_COST = 4.0
_ANY_FORM_COST = 9.0
_HIDDEN_COST = 3.0
_NOTCH_COST = 8.0

# What is found must explain the region: what share of it may lie in no particle, how far the outline may lie outside
# all particles and inside one of them, and how near centres may be to each other (share of the smaller one's width)
# unless the particles hide little of each other, as crossed rods do.
_MOST_REST = 0.25
_MOST_GAP = 0.06
_MOST_GAP_PX = 1.3
_GAP_NOISE = 2.5
_MOST_INTRUSION = 0.15
_MOST_INTRUSION_PX = 1.5
_LEAST_CENTRE_DISTANCE = 0.3
_CROSSING_SHARE = 0.45
_RAYS = 180
_FEW = 6


@dataclass(frozen=True, eq=False)
class _Contour:
    """All of a region's outline, evenly sampled and smoothed, and the arcs between its notches.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (x, y), loop after loop; the region is always on the same side.
    inward : ndarray, shape (n,)
        Curvature in 1 / px, positive in a notch.
    arcs : list of ndarray
        Indices into `points` of each arc, in order, without what is near a notch.
    following : list of int
        The arc beyond each one's last notch.
    step, scale, noise : float
        Distance of the points, 2 area / perimeter, and the roughness (rms), in px.
    """

    points: Floats
    inward: Floats
    arcs: list[Indices]
    following: list[int]
    step: float
    scale: float
    noise: float

    def tolerance(self, corners: Floats, *, notches: int = 0) -> float:
        """Return the depth in px of a neck that roughness can make in a convex particle with this hull.

        Where its halves meet at two notches it may be the deeper the longer the particle: two discs as long as this
        would have a far deeper neck, and two rods are seldom in line.
        """
        width = max(least_width(corners), 1e-9)
        elongation = (length(corners) / width - (math.pi - 2)) / 2  # of a rod with round ends
        longer = min(max((elongation - 1.4) / 0.5, 0.0), 1.0) if notches > 1 else 0.0
        share = (_NECK + _NECK_OF_RODS * longer) * min(max(width / 2, 0.6 * self.scale), self.scale)
        return max(_LEAST_NECK_PX, share, _NECK_NOISE * self.noise)

    @property
    def most_tolerance(self) -> float:
        """The tolerance of a hull for which it is greatest."""
        return max(_LEAST_NECK_PX, (_NECK + _NECK_OF_RODS) * self.scale, _NECK_NOISE * self.noise)

    @property
    def most_gap(self) -> float:
        """By how much in px the outline may lie outside the particles."""
        return max(_MOST_GAP_PX, _MOST_GAP * self.scale, _GAP_NOISE * self.noise)


@dataclass(frozen=True, eq=False)
class _Group:
    """Arcs of one particle.

    Parameters
    ----------
    arcs : tuple of int
        Which.
    points : ndarray, shape (n, 2)
        Theirs.
    corners : ndarray, shape (m, 2)
        Convex hull of the points.
    ellipse : ndarray, shape (5,), or None
        Through the points (see `antema.analysis.arc_fitting`); None where it reaches out of the region.
    neck : float
        Greatest depth of the region's outline inside the hull, over what is tolerable; of one too deep only that it is.
    cost : float
        Negative logarithm of the likelihood, up to a constant; infinite where no particle can be so.
    """

    arcs: tuple[int, ...]
    points: Floats
    corners: Floats
    ellipse: Floats | None
    neck: float
    cost: float
    few: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Take some of the corners, always as many, for a quick look."""
        object.__setattr__(self, "few", self.corners[np.arange(_FEW) * (len(self.corners) - 1) // (_FEW - 1)])


def arcs(region: Mask, polygon: Polygon) -> tuple[list[Piece], str]:
    """Separate a region into the convex particles that it is the union of.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region.
    polygon : ndarray, shape (n, 2)
        Its outer outline, in pixels of the region, as `antema.analysis.outline.outline` gives it.

    Returns
    -------
    pieces : list of (x, y, mask)
        The particles in their bounding boxes; masks share pixels where particles overlap. Empty where the region is
        one particle, or no union of convex ones.
    reason : str
        In the second case what does not fit; else empty.
    """
    contour = _cut([polygon, *_holes(region)])
    if len(contour.arcs) > _MOST_ARCS or len(contour.points) > _MOST_POINTS:
        return [], f"it is too tangled: {len(contour.arcs)} notches on an outline of {len(contour.points)} points"
    contour = _across(contour)
    groups = _grouped(contour)
    if len(groups) < 2:
        corners = hull(contour.points)
        neck = deepest_inside(corners, contour.points)[0]
        return [], "" if neck <= _MOST_NECK * contour.tolerance(corners) else "it is not convex and has no notch"
    if not all(math.isfinite(group.cost) for group in groups):
        return [], "an arc belongs to no convex particle"
    stars = _told_apart(region, contour, groups)
    if isinstance(stars, str):
        return [], stars
    depth = np.max([star.depth(contour.points) for star in stars], axis=0)
    if len(stars) < 2 or -float(depth.min()) > contour.most_gap:
        return [], "a stretch of the outline belongs to no convex particle"
    pieces = _pieces(region, stars)
    return pieces, "" if pieces else "too much of it belongs to no convex particle"


def _holes(region: Mask) -> list[Polygon]:
    """Return the outlines of the region's holes."""
    holes = parts_of(close_holes(region, math.inf)[1] & ~region)
    return [outline(mask) + (x, y) for x, y, mask in holes if np.count_nonzero(mask) >= _LEAST_HOLE_PX]


def _cut(loops: list[Polygon]) -> _Contour:
    """Sample a region's loops evenly and cut them at their notches; the first one is the outer."""
    loops = [loop if (_signed_area(loop) > 0) == (k == 0) else loop[::-1] for k, loop in enumerate(loops)]
    scale = 2 * sum(map(_signed_area, loops)) / sum(map(length, loops))
    step = max(_LEAST_STEP_PX, _STEP * scale)
    sigma = max(_LEAST_SMOOTHING_PX, _SMOOTHING * scale)
    points: list[Floats] = []
    inward: list[Floats] = []
    found: list[Indices] = []
    following: list[int] = []
    rough: list[Floats] = []
    begin = 0
    for k, loop in enumerate(loops):
        if k and abs(_signed_area(loop)) < math.pi * (_LEAST_HOLE * scale) ** 2:
            continue
        raw, spacing = _evenly(loop, step)
        smooth = _smoothed(raw, sigma / spacing)
        along = np.roll(smooth, -1, axis=0) - np.roll(smooth, 1, axis=0)
        along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
        after = np.roll(along, -1, axis=0)
        turn = np.arctan2(along[:, 0] * after[:, 1] - along[:, 1] * after[:, 0], (along * after).sum(axis=1))
        notches = _notches(turn)
        if k and len(notches) < 2:
            continue  # a hole in a particle, not between particles
        offset = raw - _smoothed(raw, _COARSE * scale / spacing)
        rough.append(offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0])
        points.append(smooth)
        inward.append(-turn / spacing)
        trim = max(1, round(max(_TRIM_PX, _TRIM * scale) / spacing))
        n, first_arc = len(smooth), len(found)
        for first, last in zip(notches.tolist(), np.roll(notches, -1).tolist(), strict=True):
            steps = (last - first) % n or n
            cut = max(0, min(trim, (steps - 3) // 2))
            found.append(begin + (first + np.arange(cut, steps - cut + 1)) % n)
        following += [*range(first_arc + 1, len(found)), first_arc][: len(notches)]
        begin += n
    offsets = np.concatenate(rough)
    noise = 1.4826 * float(np.median(np.abs(offsets - np.median(offsets))))
    return _Contour(np.concatenate(points), np.concatenate(inward), found, following, step, scale, noise)


def _notches(turn: Floats) -> Indices:
    """Return where a loop that turns by these angles (outward, from point to point) turns inward by enough."""
    outward = np.flatnonzero(turn >= 0)
    if len(outward) in (0, len(turn)):
        return np.empty(0, np.int64)
    turn = np.roll(turn, -outward[0])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (turn < 0).astype(np.int8), [0]])))
    found: list[int] = []
    pending: list[list[int]] = edges.reshape(-1, 2).tolist()
    while pending:
        first, last = pending.pop()
        inward = -turn[first:last]
        if inward.sum() < _LEAST_TURN:
            continue
        valley = _valley(inward)
        if valley:
            pending += [[first, first + valley], [first + valley, last]]
            continue
        middle = float((inward**2 * np.arange(len(inward))).sum() / (inward**2).sum())
        found.append(first + round(middle))
    return np.sort(np.array([(place + int(outward[0])) % len(turn) for place in found], np.int64))


def _valley(heights: Floats) -> int:
    """Return where heights are less than half of a summit on either side, 0 where nowhere: one summit."""
    before = np.maximum.accumulate(heights)
    after = np.maximum.accumulate(heights[::-1])[::-1]
    lowness = np.minimum(before, after) - 2 * heights
    lowest = int(np.argmax(lowness))
    return lowest if lowness[lowest] > 0 else 0


def _across(contour: _Contour) -> _Contour:
    """Cut arcs that have a neck across it, where the notch of two particles faces where their sides are flush."""
    arcs: list[Indices] = []
    chains: list[list[int]] = []
    for whole in contour.arcs:
        pending, chain = [(whole, 0)], list[int]()
        while pending:
            arc, times = pending.pop()
            place = _facing(contour, arc) if times < 3 else None
            if place is None:
                chain.append(len(arcs))
                arcs.append(arc)
            else:
                pending += [(arc[place + 1 :], times + 1), (arc[:place], times + 1)]
        chains.append(chain)
    following = [0] * len(arcs)
    for origin, chain in enumerate(chains):
        for number, after in zip(chain, [*chain[1:], chains[contour.following[origin]][0]], strict=True):
            following[number] = after
    return _Contour(contour.points, contour.inward, arcs, following, contour.step, contour.scale, contour.noise)


def _facing(contour: _Contour, arc: Indices) -> int | None:
    """Return which point of an arc is nearest, across the region, to what makes its neck; None without a neck."""
    points = contour.points[arc]
    corners = hull(points)
    depth, deepest = deepest_inside(corners, contour.points)
    if depth <= _MOST_NECK * contour.tolerance(corners):
        return None
    near = max(2, round(_TRIM * contour.scale / contour.step))
    if contour.inward[max(0, deepest - near) : deepest + near + 1].max() * contour.scale < _LEAST_SHARPNESS:
        return None  # a bend, not a notch
    gap = points - contour.points[deepest]
    distance = np.hypot(gap[:, 0], gap[:, 1])
    margin = max(4, round(0.3 * contour.scale / contour.step))
    inner = distance[margin : len(distance) - margin]
    if len(inner) < 3:
        return None
    # across, not along: a local least of the distance
    least = np.flatnonzero((inner[1:-1] <= inner[:-2]) & (inner[1:-1] <= inner[2:])) + 1
    least = least[inner[least] > 0.3 * contour.scale]
    return margin + int(least[np.argmin(inner[least])]) if len(least) else None


def _grouped(contour: _Contour) -> list[_Group]:
    """Put arcs together, the best pair of groups first, as long as that makes the whole more likely."""
    groups = {k: _judged(contour, (k,)) for k in range(len(contour.arcs))}
    joint: dict[tuple[int, int], tuple[float, _Group]] = {}
    most = _MOST_JOINT_NECK * contour.most_tolerance

    def consider(i: int, others: list[int]) -> None:
        if not others:
            return
        # a quick look first: what is deep inside the hull of some corners is deep inside that of all
        possible = may_join(groups[i].few, np.stack([groups[j].few for j in others]), contour.points, most)
        for j in np.array(others)[possible].tolist():
            joined = _joined(contour, groups[i], groups[j])
            if joined is not None:
                joint[i, j] = joined

    for i in groups:
        consider(i, [j for j in groups if j < i])
    while joint:
        i, j = max(joint, key=lambda pair: joint[pair][0])
        number = max(groups) + 1
        groups[number] = joint[i, j][1]
        del groups[i], groups[j]
        joint = {pair: value for pair, value in joint.items() if i not in pair and j not in pair}
        consider(number, [k for k in groups if k != number])
    return list(groups.values())


def _joined(contour: _Contour, one: _Group, other: _Group) -> tuple[float, _Group] | None:
    """Return by how much two groups are likelier to be one, and that one; None where they are not."""
    notches = sum(contour.following[k] in other.arcs for k in one.arcs)
    notches += sum(contour.following[k] in one.arcs for k in other.arcs)
    both = _judged(contour, one.arcs + other.arcs, notches=notches)
    if both.neck > _MOST_JOINT_NECK or not math.isfinite(both.cost):
        return None
    gain = one.cost + other.cost + _PARTICLE_COST - both.cost
    if notches:
        gain += _NOTCH_COST * max(0.0, 1 - both.neck**2)  # a notch so shallow is none
    return (gain, both) if gain > 0 else None


def _judged(contour: _Contour, arcs: tuple[int, ...], *, notches: int = 0) -> _Group:
    """Return some arcs as one particle's, with the likelier of two models: an ellipse, or any convex form."""
    points = contour.points[np.concatenate([contour.arcs[k] for k in arcs])]
    corners = hull(points)
    tolerance = contour.tolerance(corners, notches=notches)
    neck = deepest_inside(corners, contour.points, _MOST_NECK * tolerance)[0] / tolerance
    backward = least_sweep(points, np.array([len(contour.arcs[k]) for k in arcs]), corners) <= 0
    if neck > _MOST_NECK or (backward and len(arcs) > 1):  # backward: the polygon lies outside the region
        return _Group(arcs, points, corners, None, neck, math.inf)
    seen = len(points) * contour.step
    any_form = _ANY_FORM_COST + _hidden_cost(seen, length(corners))
    ellipse, misfit = fit_ellipse(points, _ROUNDNESS)
    as_ellipse, completion = math.inf, None
    if np.isfinite(ellipse).all():
        sigma = math.hypot(max(_LEAST_MISFIT_PX, _MISFIT * contour.scale), contour.noise)
        independent = seen / (_CORRELATION * contour.scale)
        first, second = _semi_axes(ellipse)
        around = math.pi * (3 * (first + second) - math.sqrt((3 * first + second) * (first + 3 * second)))
        outside = deepest_in_ellipse(ellipse, contour.points) / tolerance
        as_ellipse = (
            independent * misfit**2 / (2 * sigma**2)
            + (math.log(first / second) / _ELONGATION) ** 2 / 2
            + _NECK_COST * max(0.0, outside - 0.5) ** 2
            + _hidden_cost(seen, around)
        )
        completion = ellipse if outside <= _MOST_NECK else None
    cost = min(any_form, as_ellipse) + _NECK_COST * neck**2 + (_NOTCH_COST if backward else 0.0)
    return _Group(arcs, points, corners, completion, neck, cost)


def _hidden_cost(seen: float, around: float) -> float:
    """Return the cost of a particle with this length of its outline in sight; none from one half on."""
    return _HIDDEN_COST * max(0.0, math.log(0.5 * around / max(seen, 1e-9)))


def _semi_axes(ellipse: Floats) -> tuple[float, float]:
    _, _, p, q, s = ellipse.tolist()
    mean, half = (p + s) / 2, math.hypot((p - s) / 2, q)
    return 1 / max(mean - half, 1e-9), 1 / (mean + half)


@dataclass(frozen=True, eq=False)
class _Star:
    """A particle's whole outline: its distances from a centre in a frame in which it is nearly a unit circle.

    Parameters
    ----------
    frame : ndarray, shape (5,)
        An ellipse (see `antema.analysis.arc_fitting`).
    radii : ndarray, shape (m,)
        At even angles.
    """

    frame: Floats
    radii: Floats

    def depth(self, points: Floats) -> Floats:
        """Return how far inside `points`, shape (n, 2), lie; negative outside."""
        return depth_in_star(self.frame, self.radii, points)

    def on(self, region: Mask) -> Mask:
        """Return its pixels on a region of this size."""
        result = np.zeros_like(region)
        x, y, mask = star_pixels(self.frame, self.radii, *region.shape)
        result[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        return result & region

    def has_centre_of(self, other: "_Star") -> bool:
        """Return whether the two centres are nearer to each other than particles may be."""
        width = 2 * min(_semi_axes(self.frame)[1], _semi_axes(other.frame)[1])
        return float(np.hypot(*(self.frame[:2] - other.frame[:2]))) < _LEAST_CENTRE_DISTANCE * width


def _star(contour: _Contour, group: _Group) -> _Star:
    """Return a particle's own arcs, and between them its ellipse, drawn to meet their ends, or its convex hull."""
    if group.ellipse is not None:
        star = _star_through(group.ellipse, group.points)
        if not _reaches_out(contour, star):
            return star
    corners = hull(np.concatenate([group.points, *_extended(contour, group)]))
    dense, _ = _evenly(corners, length(corners) / (4 * _RAYS))
    return _star_through(_equal_moments(dense), dense)


def _star_through(frame: Floats, points: Floats) -> _Star:
    angles, distances = seen_from(frame, points)
    order = np.argsort(angles)
    even = np.arange(_RAYS) * (2 * np.pi / _RAYS)
    return _Star(frame, np.interp(even, angles[order], distances[order], period=2 * np.pi))


def _equal_moments(points: Floats) -> Floats:
    """Return the ellipse with the centre and the second moments of a closed line."""
    centre = points.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov((points - centre).T))
    root = (axes / np.sqrt(2 * np.maximum(variances, 1e-6))) @ axes.T
    return np.array([centre[0], centre[1], root[0, 0], root[0, 1], root[1, 1]])


def _reaches_out(contour: _Contour, star: _Star) -> bool:
    limit = max(_MOST_INTRUSION_PX, _MOST_INTRUSION * contour.scale, _GAP_NOISE * contour.noise)
    return float(star.depth(contour.points).max()) > limit


def _extended(contour: _Contour, group: _Group) -> list[Floats]:
    """Return where the group's arcs would end were they drawn on, straight, to their notches."""
    further = 1.3 * max(_TRIM_PX, _TRIM * contour.scale)
    found: list[Floats] = []
    for k in group.arcs:
        arc = contour.points[contour.arcs[k]]
        back = min(3, len(arc) - 1)
        for end, before in ((arc[:1], arc[back : back + 1]), (arc[-1:], arc[-1 - back : len(arc) - back])):
            gap = end - before
            found.append(end + gap * (further / max(float(np.hypot(*gap[0])), 1e-9)))
    return found


def _told_apart(region: Mask, contour: _Contour, groups: list[_Group]) -> "list[_Star] | str":
    """Return the groups' outlines, without groups that another one explains; or what two of them contradict."""
    while True:
        stars = [_star(contour, group) for group in groups]
        pair = _concentric(region, stars)
        if pair is None:
            break
        both = _judged(contour, groups[pair[0]].arcs + groups[pair[1]].arcs)
        if not math.isfinite(both.cost) or len(groups) == 2:
            return "two particles would have one centre"
        groups = [group for k, group in enumerate(groups) if k not in pair]
        groups.append(both)
    kept = list(range(len(groups)))
    for k in sorted(kept, key=lambda k: len(groups[k].points)):
        others = [star for i, star in enumerate(stars) if i in kept and i != k]
        if others:
            depth = np.max([star.depth(groups[k].points) for star in others], axis=0)
            if -float(depth.min()) <= contour.most_gap:
                kept.remove(k)
    return [stars[k] for k in kept]


def _concentric(region: Mask, stars: list[_Star]) -> tuple[int, int] | None:
    """Return two particles that would have one centre and hide much of each other, None where there are none."""
    for j, other in enumerate(stars):
        for i, star in enumerate(stars[:j]):
            if star.has_centre_of(other):
                one, two = star.on(region), other.on(region)
                if np.count_nonzero(one & two) > _CROSSING_SHARE * min(np.count_nonzero(one), np.count_nonzero(two)):
                    return i, j
    return None


def _pieces(region: Mask, stars: list[_Star]) -> list[Piece]:
    """Return the particles' pixels; what lies between them and the region's edge goes to the nearest.

    No pieces where the particles leave too much of the region: in a dense layer most have no outline of their own.
    """
    h, w = region.shape
    boxes = [star_pixels(star.frame, star.radii, h, w) for star in stars]
    rest = region.copy()
    for x, y, mask in boxes:
        rest[y : y + mask.shape[0], x : x + mask.shape[1]] &= ~mask
    if np.count_nonzero(rest) > _MOST_REST * np.count_nonzero(region):
        return []
    rows, columns = np.nonzero(rest)
    nearest, most = np.zeros(len(rows), np.int64), np.full(len(rows), -np.inf)
    centres = np.stack([columns, rows], axis=1).astype(np.float64) + 0.5
    for k, star in enumerate(stars):
        depth = star.depth(centres)
        nearest[depth > most] = k
        most = np.maximum(most, depth)
    pieces: list[Piece] = []
    for k, (x, y, mask) in enumerate(boxes):
        own = nearest == k
        left, right = min([x, *columns[own]]), max([x + mask.shape[1], *(columns[own] + 1)])
        top, bottom = min([y, *rows[own]]), max([y + mask.shape[0], *(rows[own] + 1)])
        whole = np.zeros((bottom - top, right - left), np.bool_)
        whole[y - top :, x - left :][: mask.shape[0], : mask.shape[1]] = mask
        whole &= region[top:bottom, left:right]
        whole[rows[own] - top, columns[own] - left] = True
        if whole.any():
            dx, dy, piece = tight(largest_component(whole))
            pieces.append((int(left) + dx, int(top) + dy, piece))
    return pieces


def _smoothed(loop: Floats, sigma: float) -> Floats:
    return ndimage.gaussian_filter1d(loop, sigma, axis=0, mode="wrap")


def _evenly(loop: Polygon, step: float) -> tuple[Floats, float]:
    """Return a closed polygon at even places along it, about `step` apart, and their exact distance."""
    closed = np.concatenate([loop, loop[:1]])
    gaps = np.diff(closed, axis=0)
    places = np.concatenate([[0.0], np.cumsum(np.hypot(gaps[:, 0], gaps[:, 1]))])
    n = max(12, round(float(places[-1]) / step))
    spacing = float(places[-1]) / n
    at = np.arange(n) * spacing
    return np.stack([np.interp(at, places, closed[:, 0]), np.interp(at, places, closed[:, 1])], axis=1), spacing


def _signed_area(loop: Polygon) -> float:
    p = loop - loop[0]
    after = np.roll(p, -1, axis=0)
    return 0.5 * float((p[:, 0] * after[:, 1] - after[:, 0] * p[:, 1]).sum())
