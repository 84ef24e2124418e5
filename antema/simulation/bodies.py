"""Bodies drawn together: what they absorb, and where each of them ends by both definitions."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import Instance
from antema.simulation.edges import LEVEL, rim_px_of
from antema.simulation.silhouettes import FORM, reach, rim, signed_distance, thickness

Values = NDArray[np.floating[Any]]
EDGE_SEEN = 0.25
"""An edge is seen where what lies over it leaves at least this share of its contrast."""
MARGIN_PX = 24
_CHUNK_PX = 1_000_000


@dataclass(frozen=True, eq=False)
class Bodies:
    """Bodies of one outline and one profile.

    Parameters
    ----------
    outline, profile : str
        Of `antema.simulation.silhouettes`.
    x, y : ndarray, shape (n,)
        Centres in pixels of the image.
    inner : ndarray, shape (n,)
        Half of the smallest width in pixels.
    angle : ndarray, shape (n,)
        Direction of the long axis.
    opacity : ndarray, shape (n,)
        What the thickest part absorbs: exp(-opacity) of the light passes.
    form : ndarray, shape (n, FORM)
        Proportions of the outline.
    proportions : ndarray, shape (n, 2)
        Proportions of the profile.
    bands, facets : ndarray, shape (n,)
        Strength of smooth bands and of a step across a straight line inside: diffraction contrast.
    said : str
        What to call them.
    """

    outline: str
    profile: str
    x: Values
    y: Values
    inner: Values
    angle: Values
    opacity: Values
    form: Values
    proportions: Values
    bands: Values
    facets: Values
    said: str = ""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)

    def some(self, which: NDArray[Any]) -> "Bodies":
        """Return those at `which`, an index array or mask."""
        names = ("x", "y", "inner", "angle", "opacity", "form", "proportions", "bands", "facets")
        return replace(self, **{name: getattr(self, name)[which] for name in names})


def bodies(
    outline: str,
    profile: str,
    places: NDArray[np.float64],
    inner: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    **others: Any,  # noqa: ANN401 - arrays or numbers, one kind per name
) -> Bodies:
    """Return `Bodies` at places (n, 2), with numbers in `others` taken for all of them and random directions."""
    n = len(places)

    def each(name: str, default: float | NDArray[np.float64]) -> Values:
        return np.broadcast_to(np.asarray(others.get(name, default), np.float32), (n,)).copy()

    tables = {}
    for name, columns in (("form", FORM), ("proportions", 2)):
        table = np.zeros((n, columns), np.float32)
        given = np.asarray(others.get(name, np.ones((n, 1))), np.float32)
        table[:, : given.shape[-1]] = given
        tables[name] = table
    return Bodies(
        outline,
        profile,
        places[:, 0].astype(np.float32),
        places[:, 1].astype(np.float32),
        np.broadcast_to(np.asarray(inner, np.float32), (n,)).copy(),
        each("angle", rng.uniform(0, 2 * np.pi, n)),
        each("opacity", 1.0),
        tables["form"],
        tables["proportions"],
        each("bands", 0.0),
        each("facets", 0.0),
        str(others.get("said", outline)),
    )


@dataclass(eq=False)
class Drawing:
    """What was drawn, `MARGIN_PX` wider than the image on each side, and its truth.

    Parameters
    ----------
    absorbed : ndarray, shape (h + 2 MARGIN_PX, w + 2 MARGIN_PX)
        Sum of what all bodies absorb: exp(-absorbed) of the light passes.
    instances, atoms : list of Instance
        Where each body ends at half of its own contrast, and its geometric outline; in the same order.
    particles : list of dict
        What each is.
    """

    absorbed: Values
    instances: list[Instance] = field(default_factory=list)
    atoms: list[Instance] = field(default_factory=list)
    particles: list[dict[str, Any]] = field(default_factory=list)


def drawn_together(groups: list[Bodies], shape: tuple[int, int], blur_px: float, rng: np.random.Generator) -> Drawing:
    """Return what bodies in an image of `shape` absorb together, and the truth of each that is at least partly in it.

    Parameters
    ----------
    groups : list of Bodies
        The bodies.
    shape : tuple of int
        Height and width of the image.
    blur_px : float
        Standard deviation of the image's blur.
    rng : Generator
        Source of the bands and steps inside bodies.
    """
    drawing = Drawing(np.zeros((shape[0] + 2 * MARGIN_PX, shape[1] + 2 * MARGIN_PX), np.float32))
    edges: list[tuple[int, Values, NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]] = []
    for group in groups:
        for some, half in _windows(group, shape, blur_px):
            edges.append(_drawn(drawing, some, half, shape, blur_px, rng))
    for first, own, which, row, column in edges:
        passed = np.exp(np.minimum(own - drawing.absorbed[row + MARGIN_PX, column + MARGIN_PX], 0))
        n = int(which.max(initial=-1)) + 1
        seen = np.bincount(which, passed >= EDGE_SEEN, n) / np.maximum(np.bincount(which, minlength=n), 1)
        for k, share in enumerate(seen.tolist()):
            drawing.particles[first + k]["seen"] = round(share, 3)
    return drawing


def _windows(group: Bodies, shape: tuple[int, int], blur_px: float) -> Iterator[tuple[Bodies, int]]:
    """Yield bodies of like size, few enough to be worked on at once, with half the side of their windows."""
    half = np.ceil(reach(group.outline, group.inner, group.form) + 3.5 * blur_px + 2).astype(int)
    half = np.where(half > 16, -(-half // 8) * 8, -(-half // 2) * 2)
    near = (group.x > -half) & (group.y > -half) & (group.x < shape[1] + half) & (group.y < shape[0] + half)
    for size in np.unique(half[near]).tolist():
        which = np.flatnonzero(near & (half == size))
        step = max(_CHUNK_PX // (4 * size * size), 1)
        for first in range(0, len(which), step):
            yield group.some(which[first : first + step]), size


def _drawn(
    drawing: Drawing, some: Bodies, half: int, shape: tuple[int, int], blur_px: float, rng: np.random.Generator
) -> tuple[int, Values, NDArray[np.int_], NDArray[np.int_], NDArray[np.int_]]:
    """Draw bodies and add their truth; return the first one's number and their edges."""
    left, top = np.floor(some.x).astype(int) - half, np.floor(some.y).astype(int) - half
    along = np.arange(2 * half, dtype=np.float32) + 0.5
    x = (along[None] + left[:, None] - some.x[:, None])[:, None, :]
    y = (along[None] + top[:, None] - some.y[:, None])[:, :, None]
    c, s = np.cos(some.angle)[:, None, None], np.sin(some.angle)[:, None, None]
    u, v = x * c + y * s, y * c - x * s
    distance = signed_distance(some.outline, u, v, some.inner, some.form).astype(np.float32)
    depth = np.maximum(-distance, 0)
    plain = thickness(some.profile, np.maximum(0.25 - distance, 0), some.inner, some.proportions)
    plain = plain * np.clip(0.5 - distance, 0, 1) * some.opacity[:, None, None]
    own = plain * _inside(some, u, v, rng) if some.bands.any() or some.facets.any() else plain
    _add(drawing.absorbed, own, left + MARGIN_PX, top + MARGIN_PX)

    alone = 1 - np.exp(-plain)
    alone = ndimage.gaussian_filter(alone, (0, blur_px, blur_px), truncate=3.0, mode="constant")
    width = rim(some.profile, some.inner, some.proportions)[:, None, None]
    shallow, deep = rim_px_of(width)
    band = (depth >= shallow) & (depth <= deep)
    count = band.sum(axis=(1, 2))
    inside = np.where(count > 0, (alone * band).sum(axis=(1, 2)) / np.maximum(count, 1), alone.max(axis=(1, 2)))
    mask = (alone >= LEVEL * inside[:, None, None]) | (depth > deep)
    edge = mask.copy()
    edge[:, 1:-1, 1:-1] &= ~(mask[:, :-2, 1:-1] & mask[:, 2:, 1:-1] & mask[:, 1:-1, :-2] & mask[:, 1:-1, 2:])
    rows, columns = top[:, None] + np.arange(2 * half), left[:, None] + np.arange(2 * half)
    shown = ((rows >= 0) & (rows < shape[0]))[:, :, None] & ((columns >= 0) & (columns < shape[1]))[:, None, :]
    mask &= shown
    outline = (distance < 0) & shown
    contrast = (alone * mask).sum(axis=(1, 2)) / np.maximum(mask.sum(axis=(1, 2)), 1)

    kept = np.flatnonzero(mask.any(axis=(1, 2)) & outline.any(axis=(1, 2)))
    first = len(drawing.instances)
    drawing.instances += _instances(mask, left, top, kept)
    drawing.atoms += _instances(outline, left, top, kept)
    for k in kept.tolist():
        drawing.particles.append(
            {
                "shape": some.said,
                "profile": some.profile,
                "width_px": round(2 * float(some.inner[k]), 2),
                "contrast": round(float(contrast[k]), 5),
            }
        )
    which, row, column = np.nonzero((edge & shown)[kept])
    at = kept[which]
    return first, own[at, row, column], which, row + top[at], column + left[at]


def _inside(some: Bodies, u: Values, v: Values, rng: np.random.Generator) -> Values:
    """Return a factor about 1 on what bodies absorb: bands of bent planes, a step across a twin boundary."""
    n = len(some)
    angle, phase = rng.uniform(0, 2 * np.pi, (2, n, 1, 1)).astype(np.float32)
    size = some.inner[:, None, None]
    line = (u * np.cos(angle) + v * np.sin(angle)) / size
    turn = rng.uniform(0.5, 3.5, (n, 1, 1)).astype(np.float32) * line
    bent = rng.uniform(0, 1.5, (n, 1, 1)).astype(np.float32) * (u * u + v * v) / size**2
    factor = 1 + some.bands[:, None, None] * np.cos(turn + bent + phase)
    offset = rng.uniform(-0.5, 0.5, (n, 1, 1)).astype(np.float32)
    return np.maximum(factor + some.facets[:, None, None] * np.where(line > offset, 1, -1), 0.1).astype(np.float32)


def _add(image: Values, windows: Values, left: NDArray[np.int_], top: NDArray[np.int_]) -> None:
    h, w = windows.shape[1:]
    for one, x, y in zip(windows, left.tolist(), top.tolist(), strict=True):
        if x >= 0 and y >= 0 and x + w <= image.shape[1] and y + h <= image.shape[0]:
            image[y : y + h, x : x + w] += one
            continue
        a, b = max(-x, 0), max(-y, 0)
        there = image[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)]
        there += one[b : b + there.shape[0], a : a + there.shape[1]]


def _instances(
    masks: NDArray[np.bool_], left: NDArray[np.int_], top: NDArray[np.int_], kept: NDArray[np.int_]
) -> list[Instance]:
    rows, columns = np.asarray(masks.any(axis=2)), np.asarray(masks.any(axis=1))
    size = masks.shape[1]
    y0, y1 = rows.argmax(axis=1), size - rows[:, ::-1].argmax(axis=1)
    x0, x1 = columns.argmax(axis=1), size - columns[:, ::-1].argmax(axis=1)
    return [
        Instance(int(left[k] + x0[k]), int(top[k] + y0[k]), masks[k, y0[k] : y1[k], x0[k] : x1[k]].copy())
        for k in kept.tolist()
    ]
