"""Groups of overlapping particles, and single ones, whose outlines are known: the truth for separation.

A particle is a smooth closed curve. Particles are put together by sliding one towards another until it overlaps by a
given share of the smaller one's diameter. What a segmentation would make of the group is drawn from the signed
distance to the outline of their union: notches a little filled, the outline shifted by a correlated random field, the
edge soft. The true instances know nothing of that noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree
from scipy.special import ndtr

from antema.domain import Instance
from antema.simulation.field import in_image, union

Curve = NDArray[np.float64]
"""Corners (x, y) of a closed curve, shape (n, 2), counter-clockwise where y points up."""

CONVEX_KINDS = ("disc", "ellipse", "polygon")
NON_CONVEX_KINDS = ("star", "bent rod", "tripod", "dumbbell")
ARRANGEMENTS = ("chain", "cluster")

_CORNERS = 720
_MARGIN_PX = 8
_NOTCH_PX = 1.5  # two edges nearer than this to each other are filled up between, as a network does
_LEAST_FREE_SHARE = 0.25
_TRIES = 60


@dataclass(frozen=True, eq=False)
class Overlap:
    """A picture of some particles with what is known of them.

    Parameters
    ----------
    probability : ndarray of float32, shape (h, w)
        What a segmentation would give; 0.5 on the outline.
    instances : list of Instance
        The whole particles, without noise; masks share pixels where particles overlap.
    curves : list of ndarray, shape (n, 2)
        Their outlines (x, y) in px, where the centre of the first pixel is (0.5, 0.5).
    diameters_px : ndarray, shape (particles,)
        Equivalent diameters of the curves.
    overlap : float
        Share of the smaller one's equivalent diameter by which neighbours overlap.
    noise : float
        Root mean square of the outline's shift as a share of the mean radius.
    """

    probability: NDArray[np.float32]
    instances: list[Instance]
    curves: list[Curve]
    diameters_px: NDArray[np.float64]
    overlap: float
    noise: float

    @property
    def foreground(self) -> NDArray[np.bool_]:
        """Where the probability is above one half, bool (h, w)."""
        return self.probability > 0.5


def overlapping_particles(
    seed: int,
    *,
    kind: str = "disc",
    n: int = 2,
    overlap: float = 0.2,
    arrangement: str = "chain",
    diameters_px: tuple[float, float] = (15.0, 120.0),
    least_ratio: float = 0.5,
    noise: float | None = None,
    edge_px: float | None = None,
) -> Overlap:
    """Return a group of convex particles that overlap, the same for the same arguments.

    Parameters
    ----------
    seed : int
        Of the random numbers.
    kind : str
        One of `CONVEX_KINDS`, or ``mixed``.
    n : int
        Number of particles.
    overlap : float
        Share of the smaller one's equivalent diameter by which each particle has slid into its neighbour beyond the
        first touch, 0 to 0.7.
    arrangement : str
        ``chain``: each at the end of the one before; ``cluster``: each at any of those before.
    diameters_px : (float, float)
        Range of the largest possible diameter of the group (log-uniform); each particle has `least_ratio` to 1 of it.
    least_ratio : float
        Size of the smallest particle to the largest, 0.5 to 1.
    noise : float, optional
        Root mean square of the outline's shift as a share of the mean radius; 0 to 0.03 at random unless given.
    edge_px : float, optional
        Standard deviation of the soft edge; 0.7 to 1.5 px at random unless given.

    Returns
    -------
    Overlap
        Every particle shows at least a quarter of its outline.

    Raises
    ------
    ValueError
        For an unknown kind or arrangement, or a group that cannot be put together.
    """
    if kind not in (*CONVEX_KINDS, "mixed") or arrangement not in ARRANGEMENTS:
        msg = f"expected one of {CONVEX_KINDS} or mixed, and one of {ARRANGEMENTS}, found {kind!r} and {arrangement!r}"
        raise ValueError(msg)
    rng = np.random.default_rng(seed)
    for _ in range(_TRIES):
        largest = math.exp(rng.uniform(*np.log(diameters_px)))
        shapes = [
            convex_curve(kind if kind != "mixed" else str(rng.choice(CONVEX_KINDS)), largest * size, rng)
            for size in rng.uniform(least_ratio, 1.0, n)
        ]
        curves = _put_together(shapes, overlap, arrangement, rng)
        if curves is not None:
            return _drawn(curves, overlap, noise, edge_px, rng)
    msg = f"expected {n} particles to fit together at an overlap of {overlap:g}, found no way"
    raise ValueError(msg)


def single_particle(
    seed: int,
    *,
    kind: str = "disc",
    diameters_px: tuple[float, float] = (15.0, 120.0),
    noise: float | None = None,
    edge_px: float | None = None,
) -> Overlap:
    """Return one particle alone: one of `CONVEX_KINDS` (ellipses to 3:1) or of `NON_CONVEX_KINDS`.

    Parameters are those of `overlapping_particles`.
    """
    rng = np.random.default_rng(seed)
    diameter = math.exp(rng.uniform(*np.log(diameters_px)))
    if kind in CONVEX_KINDS:
        curve = convex_curve(kind, diameter, rng, most_elongated=3.0)
    elif kind in NON_CONVEX_KINDS:
        curve = non_convex_curve(kind, diameter, rng)
    else:
        msg = f"expected one of {(*CONVEX_KINDS, *NON_CONVEX_KINDS)}, found {kind!r}"
        raise ValueError(msg)
    return _drawn([curve], 0.0, noise, edge_px, rng)


def convex_curve(kind: str, diameter: float, rng: np.random.Generator, *, most_elongated: float = 2.0) -> Curve:
    """Return a disc, an ellipse up to `most_elongated` : 1 or a rounded polygon of this equivalent diameter."""
    t = _even_angles(_CORNERS)
    if kind == "disc":
        curve = np.stack([np.cos(t), np.sin(t)], axis=1)
    elif kind == "ellipse":
        ratio = rng.uniform(1.1, most_elongated)
        curve = np.stack([ratio * np.cos(t), np.sin(t)], axis=1)
    else:
        corners = (_regular(6), _regular(4), _truncated_triangle(rng.uniform(0.15, 0.4)))[rng.integers(3)]
        curve = _rounded(corners, rng.uniform(0.15, 0.4))
    return _turned(_of_diameter(curve, diameter), rng.uniform(0, 2 * np.pi))


def non_convex_curve(kind: str, diameter: float, rng: np.random.Generator) -> Curve:
    """Return a star of 4 to 6 rays, a bent rod, a tripod or a dumbbell with a shallow neck of this diameter."""
    t = _even_angles(_CORNERS)
    if kind == "star":
        curve = _polar(t, 1.0 + rng.uniform(0.15, 0.3) * np.cos(rng.integers(4, 7) * t))
    elif kind == "tripod":
        curve = _polar(t, 0.45 + rng.uniform(0.6, 1.0) * ((1 + np.cos(3 * t)) / 2) ** 1.5)
    elif kind == "bent rod":
        curve = _bent_rod(rng.uniform(3.0, 6.0), rng.uniform(0.9, 2.2))
    else:
        x, y = rng.uniform(1.5, 2.5) * np.cos(t), np.sin(t)
        curve = np.stack([x, y * (1 - rng.uniform(0.08, 0.2) * np.exp(-((x / 0.9) ** 2)))], axis=1)
    return _turned(_of_diameter(curve, diameter), rng.uniform(0, 2 * np.pi))


def curve_area(curve: Curve) -> float:
    """Return the area that a closed curve encloses."""
    following = np.roll(curve, -1, axis=0)
    return 0.5 * float((curve[:, 0] * following[:, 1] - following[:, 0] * curve[:, 1]).sum())


def _even_angles(n: int) -> NDArray[np.float64]:
    return np.arange(n, dtype=np.float64) * (2 * np.pi / n)


def _polar(angles: NDArray[np.float64], radii: NDArray[Any]) -> Curve:
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _of_diameter(curve: Curve, diameter: float) -> Curve:
    dense = _evenly(curve)
    area = curve_area(dense)
    following = np.roll(dense, -1, axis=0)
    cross = dense[:, 0] * following[:, 1] - following[:, 0] * dense[:, 1]
    centroid = ((dense + following) * cross[:, None]).sum(axis=0) / (6 * area)
    return (dense - centroid) * (diameter / math.sqrt(4 * area / math.pi))


def _evenly(curve: Curve) -> Curve:
    """Return the curve at `_CORNERS` places evenly along it."""
    closed = np.concatenate([curve, curve[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    places = np.arange(_CORNERS) * (length[-1] / _CORNERS)
    return np.stack([np.interp(places, length, closed[:, axis]) for axis in (0, 1)], axis=1)


def _turned(curve: Curve, angle: float) -> Curve:
    c, s = math.cos(angle), math.sin(angle)
    return curve @ np.array([[c, s], [-s, c]])


def _regular(n: int) -> Curve:
    return _polar(_even_angles(n), np.ones(n))


def _truncated_triangle(cut: float) -> Curve:
    corners = _regular(3)
    after, before = np.roll(corners, -1, axis=0), np.roll(corners, 1, axis=0)
    return np.stack([corners + cut * (before - corners), corners + cut * (after - corners)], axis=1).reshape(-1, 2)


def _rounded(corners: Curve, radius: float) -> Curve:
    """Return a convex polygon with a disc of `radius` rolled round it."""
    edges = np.roll(corners, -1, axis=0) - corners
    outward = np.arctan2(-edges[:, 0], edges[:, 1])
    arcs = []
    for corner, first, last in zip(corners, np.roll(outward, 1), outward, strict=True):
        angles = first + np.linspace(0, (last - first) % (2 * np.pi), 60)
        arcs.append(corner + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return np.concatenate(arcs)


def _bent_rod(length: float, bend: float) -> Curve:
    """Return a rod of half width 1 and this length to half width, bent along an arc by `bend` radians."""
    radius = max(length / bend, 1.6)
    angles = np.linspace(-bend / 2, bend / 2, 240)
    cap = np.linspace(0, np.pi, 120)[1:-1]
    inner, outer = radius - 1, radius + 1

    def end(angle: float, around: NDArray[np.float64]) -> Curve:
        return radius * np.array([math.cos(angle), math.sin(angle)]) + _polar(around, np.ones_like(around))

    return np.concatenate(
        [
            _polar(angles, np.full(240, outer)),
            end(bend / 2, bend / 2 + cap),
            _polar(angles[::-1], np.full(240, inner)),
            end(-bend / 2, np.pi - bend / 2 + cap),
        ]
    )


def _put_together(
    shapes: Sequence[Curve], overlap: float, arrangement: str, rng: np.random.Generator
) -> list[Curve] | None:
    """Return the shapes in their places; None where one finds none."""
    sizes = [math.sqrt(4 * curve_area(shape) / math.pi) for shape in shapes]
    centres = [np.zeros(2)]
    heading = float(rng.uniform(0, 2 * np.pi))
    for k in range(1, len(shapes)):
        for _ in range(_TRIES):
            chained = arrangement == "chain"
            to = k - 1 if chained else int(rng.integers(k))
            angle = heading + float(rng.uniform(-0.8, 0.8)) if chained else float(rng.uniform(0, 2 * np.pi))
            direction = np.array([math.cos(angle), math.sin(angle)])
            distance = _touch(shapes[to], shapes[k], direction) - overlap * min(sizes[to], sizes[k])
            centre = centres[to] + distance * direction
            others = [j for j in range(k) if j != to]
            if all(_clear(shapes, sizes, centres, j, k, centre, overlap) for j in others):
                break
        else:
            return None
        centres.append(centre)
        heading = angle
    curves = [shape + centre for shape, centre in zip(shapes, centres, strict=True)]
    return curves if all(share >= _LEAST_FREE_SHARE for share in _free_shares(curves)) else None


def _clear(
    shapes: Sequence[Curve],
    sizes: Sequence[float],
    centres: Sequence[NDArray[np.float64]],
    j: int,
    k: int,
    centre: NDArray[np.float64],
    overlap: float,
) -> bool:
    """Return whether particle k at `centre` overlaps particle j by no more than `overlap`."""
    gap = centre - centres[j]
    distance = float(np.hypot(*gap))
    return distance > 0 and distance >= _touch(shapes[j], shapes[k], gap / distance) - overlap * min(sizes[j], sizes[k])


def _touch(one: Curve, other: Curve, direction: NDArray[np.float64]) -> float:
    """Return how far along `direction` the centre of `other` is where it first touches `one` (both convex)."""
    axes = np.stack([direction, [-direction[1], direction[0]]], axis=1)
    front, back = one @ axes, other @ axes
    lateral = np.linspace(max(front[:, 1].min(), back[:, 1].min()), min(front[:, 1].max(), back[:, 1].max()), 400)
    return float((_reach(front, lateral, 1.0) + _reach(back, lateral, -1.0)).max())


def _reach(points: NDArray[np.float64], lateral: NDArray[np.float64], sign: float) -> NDArray[np.float64]:
    """Return how far a convex curve reaches forward (1) or backward (-1) at each lateral place."""
    first, last = int(points[:, 1].argmin()), int(points[:, 1].argmax())
    chains = []
    for begin, end in ((first, last), (last, first)):
        chain = np.take(points, np.arange(begin, begin + (end - begin) % len(points) + 1), axis=0, mode="wrap")
        chains.append(chain[np.argsort(chain[:, 1], kind="stable")])
    along = [np.interp(lateral, chain[:, 1], sign * chain[:, 0]) for chain in chains]
    return np.maximum(*along)


def _free_shares(curves: Sequence[Curve]) -> list[float]:
    """Return the share of each curve that lies in no other."""
    shares = []
    for i, curve in enumerate(curves):
        covered = np.zeros(len(curve), bool)
        for j, other in enumerate(curves):
            if j != i:
                covered |= _depth(other, curve) > 0
        shares.append(float(1 - covered.mean()))
    return shares


def _depth(curve: Curve, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how deep `points`, shape (n, 2), lie inside a smooth curve; negative outside."""
    following, before = np.roll(curve, -1, axis=0), np.roll(curve, 1, axis=0)
    along = following - before
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.hypot(along[:, 0], along[:, 1])[:, None]
    distance, nearest = cast("tuple[NDArray[np.float64], NDArray[np.intp]]", KDTree(curve).query(points))
    gap = ((points - curve[nearest]) * outward[nearest]).sum(axis=1)
    # near the curve the distance along its normal is exact, far from it the distance to its nearest point
    near = distance < np.hypot(along[:, 0], along[:, 1])[nearest]
    return -np.where(near, gap, np.copysign(distance, gap))


def _drawn(
    curves: Sequence[Curve], overlap: float, noise: float | None, edge_px: float | None, rng: np.random.Generator
) -> Overlap:
    noise = float(rng.uniform(0, 0.03)) if noise is None else noise
    edge_px = float(rng.uniform(0.7, 1.5)) if edge_px is None else edge_px
    everything = np.concatenate(list(curves))
    shift = _MARGIN_PX - everything.min(axis=0) + rng.uniform(0, 1, 2)
    curves = [curve + shift for curve in curves]
    w, h = (np.ceil(everything.max(axis=0) + shift).astype(int) + _MARGIN_PX).tolist()
    centres = np.stack(np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5), axis=-1)
    depth = np.full((h, w), -1e3)
    instances: list[Instance] = []
    for curve in curves:
        low = np.maximum(np.floor(curve.min(axis=0)).astype(int) - _MARGIN_PX, 0)
        high = np.ceil(curve.max(axis=0)).astype(int) + _MARGIN_PX
        box = (slice(low[1], high[1]), slice(low[0], high[0]))
        pixels = centres[box]
        own = _depth(curve, pixels.reshape(-1, 2)).reshape(pixels.shape[:2])
        depth[box] = _filled_notch(depth[box], own)
        instance = in_image(int(low[0]), int(low[1]), own > 0, (h, w))
        assert instance is not None
        instances.append(instance)
    areas = np.array([curve_area(curve) for curve in curves])
    diameters = np.sqrt(4 * areas / np.pi)
    radius = float(diameters.mean()) / 2
    depth += noise * radius * _random_field((h, w), max(1.5, float(rng.uniform(0.1, 0.35)) * radius), rng)
    probability = ndtr(depth / edge_px).astype(np.float32)
    assert union(instances, (h, w)).any()
    return Overlap(probability, instances, list(curves), diameters, overlap, noise)


def _filled_notch(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the greater of two depths, with the notch between two edges rounded (a polynomial smooth maximum)."""
    near = np.maximum(_NOTCH_PX - np.abs(one - other), 0)
    return np.maximum(one, other) + near**2 / (4 * _NOTCH_PX)


def _random_field(shape: tuple[int, int], length_px: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a Gaussian random field of unit variance that is alike over about `length_px`."""
    white = rng.standard_normal(shape)
    field = gaussian_filter(white, length_px / math.sqrt(2), mode="wrap")
    return field / max(float(field.std()), 1e-12)
