"""Convex bodies in three dimensions: how thick they are along the beam, and their outline in projection.

Bodies are centred on the origin, lengths are in nm, z runs along the beam. A body in its crystal's frame has cubic
axes along x, y and z; hexagonal and tetragonal crystals have c along z; rods and multiply twinned particles have
their axis along z.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Image = NDArray[np.float32]

SHAPES = (
    "sphere",
    "ellipsoid",
    "cube",
    "octahedron",
    "truncated octahedron",
    "cuboctahedron",
    "decahedron",
    "icosahedron",
    "tetrahedron",
    "rod",
    "plate",
    "hexagonal prism",
    "bipyramid",
    "irregular",
)
TWINNED_SHAPES = ("decahedron", "icosahedron")
"""Shapes that only multiply twinned particles have."""

_ROUND_CORNERS = 96
"""Corners that stand for a smooth outline."""


@dataclass(frozen=True)
class Shadow:
    """Measures of a projection.

    Parameters
    ----------
    area_nm2 : float
        Its area.
    feret_max_nm, feret_min_nm : float
        Largest and smallest distance of two parallel tangents.
    """

    area_nm2: float
    feret_max_nm: float
    feret_min_nm: float

    @classmethod
    def of_polygon(cls, corners: Vectors) -> "Shadow":
        """Return the measures of a convex polygon, counter-clockwise where y points up."""
        return cls(polygon_area(corners), *feret(corners))


class Body(Protocol):
    """A convex body."""

    @property
    def volume(self) -> float:
        """Volume in nm³."""
        ...

    @property
    def reach_nm(self) -> float:
        """Radius of the sphere around the origin that holds it."""
        ...

    def scaled(self, factor: float) -> "Body":
        """Return it `factor` times as large."""
        ...

    def turned(self, rotation: Vectors) -> "Body":
        """Return the body after `rotation`, shape (3, 3)."""
        ...

    def grown(self, by_nm: float) -> "Body":
        """Return the body with its surface `by_nm` further out."""
        ...

    def outline(self) -> Vectors:
        """Return the corners (n, 2) of its projection along z, counter-clockwise where y points up."""
        ...

    def shadow(self) -> "Shadow":
        """Return the measures of its projection along z."""
        ...

    def chord(self, x: Image, y: Image) -> tuple[Image, Image]:
        """Return where lines along z enter and leave the body; they miss it where the second is not the greater."""
        ...

    def holds(self, points: Vectors) -> NDArray[np.bool_]:
        """Return which of `points`, shape (n, 3), lie inside."""
        ...


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """The points x with ``normals @ x <= distances``; made by `polyhedron`.

    Parameters
    ----------
    normals : ndarray, shape (m, 3)
        Of unit length.
    distances : ndarray, shape (m,)
        Of the faces from the origin, all positive.
    corners : ndarray, shape (n, 3)
        Where faces meet; the same place may be there more than once.
    """

    normals: Vectors
    distances: Vectors
    corners: Vectors

    @property
    def volume(self) -> float:
        """Volume in nm³."""
        from scipy.spatial import ConvexHull

        return float(ConvexHull(self.corners).volume)

    @property
    def reach_nm(self) -> float:
        """Radius of the sphere around the origin that holds it."""
        return float(np.sqrt((self.corners**2).sum(axis=1).max()))

    def scaled(self, factor: float) -> "Polyhedron":
        """Return it `factor` times as large."""
        return Polyhedron(self.normals, self.distances * factor, self.corners * factor)

    def turned(self, rotation: Vectors) -> "Polyhedron":
        """Return the body after `rotation`, shape (3, 3)."""
        return Polyhedron(self.normals @ rotation.T, self.distances, self.corners @ rotation.T)

    def grown(self, by_nm: float) -> "Polyhedron":
        """Return the body with its faces `by_nm` further out."""
        return polyhedron(self.normals, self.distances + by_nm)

    def outline(self) -> Vectors:
        """Return the corners (n, 2) of its projection along z, counter-clockwise where y points up."""
        return convex_hull(self.corners[:, :2])

    def shadow(self) -> Shadow:
        """Return the measures of its projection along z."""
        return Shadow.of_polygon(self.outline())

    def chord(self, x: Image, y: Image) -> tuple[Image, Image]:
        """Return where lines along z enter and leave the body; they miss it where the second is not the greater."""
        low, high = np.full(x.shape, -np.inf, np.float32), np.full(x.shape, np.inf, np.float32)
        return cut(low, high, x, y, self.normals, self.distances)

    def holds(self, points: Vectors) -> NDArray[np.bool_]:
        """Return which of `points`, shape (n, 3), lie inside."""
        inside = np.ones(len(points), bool)
        for normal, distance in zip(self.normals, self.distances, strict=True):
            inside &= points @ normal <= distance
        return inside


def polyhedron(normals: Vectors, distances: Vectors) -> Polyhedron:
    """Return the points x with ``normals @ x <= distances``; the distances are positive, the body has an end."""
    from scipy.spatial import HalfspaceIntersection

    # the dual's hull, taken at a scale of 1 whatever the size
    scale = float(np.median(distances))
    planes = np.column_stack([normals, -distances / scale])
    return Polyhedron(normals, distances, HalfspaceIntersection(planes, np.zeros(3)).intersections * scale)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """The image of the unit ball under `axes`.

    Parameters
    ----------
    axes : ndarray, shape (3, 3)
        A column for each half-axis.
    """

    axes: Vectors

    @property
    def volume(self) -> float:
        """Volume in nm³."""
        return float(4 / 3 * np.pi * abs(np.linalg.det(self.axes)))

    @property
    def reach_nm(self) -> float:
        """Radius of the sphere around the origin that holds it."""
        return float(np.linalg.norm(self.axes, axis=0).max())

    def scaled(self, factor: float) -> "Ellipsoid":
        """Return it `factor` times as large."""
        return Ellipsoid(self.axes * factor)

    def turned(self, rotation: Vectors) -> "Ellipsoid":
        """Return the body after `rotation`, shape (3, 3)."""
        return Ellipsoid(rotation @ self.axes)

    def grown(self, by_nm: float) -> "Ellipsoid":
        """Return the body with its half-axes `by_nm` longer."""
        lengths = np.linalg.norm(self.axes, axis=0)
        return Ellipsoid(self.axes * (lengths + by_nm) / lengths)

    def outline(self) -> Vectors:
        """Return corners (n, 2) on its projection along z, counter-clockwise where y points up."""
        angle = 2 * np.pi * np.arange(_ROUND_CORNERS) / _ROUND_CORNERS
        # the shadow of an ellipsoid: x' S x = 1 with S the inverse of the upper left block of axes axes'
        half = np.linalg.cholesky((self.axes @ self.axes.T)[:2, :2])
        return np.asarray(np.stack([np.cos(angle), np.sin(angle)], axis=1) @ half.T, np.float64)

    def shadow(self) -> Shadow:
        """Return the measures of its projection along z."""
        short, long = np.sqrt(np.linalg.eigvalsh((self.axes @ self.axes.T)[:2, :2])).tolist()
        return Shadow(np.pi * short * long, 2 * long, 2 * short)

    def chord(self, x: Image, y: Image) -> tuple[Image, Image]:
        """Return where lines along z enter and leave the body; they miss it where the second is not the greater."""
        form = np.linalg.inv(self.axes @ self.axes.T)
        middle = -(form[0, 2] * x + form[1, 2] * y) / form[2, 2]
        rest = 1 - (form[0, 0] * x**2 + 2 * form[0, 1] * x * y + form[1, 1] * y**2) + form[2, 2] * middle**2
        half = np.sqrt(np.maximum(rest, 0) / form[2, 2])
        return (middle - half).astype(np.float32), (middle + half).astype(np.float32)

    def holds(self, points: Vectors) -> NDArray[np.bool_]:
        """Return which of `points`, shape (n, 3), lie inside."""
        return ((points @ np.linalg.inv(self.axes).T) ** 2).sum(axis=1) <= 1


@dataclass(frozen=True, eq=False)
class Capsule:
    """The points within `radius_nm` of a stretch.

    Parameters
    ----------
    half : ndarray, shape (3,)
        From the origin to one end of the stretch, in nm.
    radius_nm : float
        Half the width.
    """

    half: Vectors
    radius_nm: float

    @property
    def volume(self) -> float:
        """Volume in nm³."""
        return float(np.pi * self.radius_nm**2 * (2 * np.linalg.norm(self.half) + 4 / 3 * self.radius_nm))

    @property
    def reach_nm(self) -> float:
        """Radius of the sphere around the origin that holds it."""
        return float(np.linalg.norm(self.half) + self.radius_nm)

    def scaled(self, factor: float) -> "Capsule":
        """Return it `factor` times as large."""
        return Capsule(self.half * factor, self.radius_nm * factor)

    def turned(self, rotation: Vectors) -> "Capsule":
        """Return the body after `rotation`, shape (3, 3)."""
        return Capsule(rotation @ self.half, self.radius_nm)

    def grown(self, by_nm: float) -> "Capsule":
        """Return the body with its surface `by_nm` further out."""
        return Capsule(self.half, self.radius_nm + by_nm)

    def outline(self) -> Vectors:
        """Return corners (n, 2) on its projection along z, counter-clockwise where y points up."""
        angle = np.arctan2(self.half[1], self.half[0]) + np.linspace(-np.pi / 2, np.pi / 2, _ROUND_CORNERS // 2)
        cap = self.half[:2] + self.radius_nm * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return np.concatenate([cap, -cap])

    def shadow(self) -> Shadow:
        """Return the measures of its projection along z."""
        length, width = 2 * float(np.hypot(self.half[0], self.half[1])), 2 * self.radius_nm
        return Shadow(np.pi / 4 * width**2 + width * length, length + width, width)

    def chord(self, x: Image, y: Image) -> tuple[Image, Image]:
        """Return where lines along z enter and leave the body; they miss it where the second is not the greater."""
        length = float(np.linalg.norm(self.half))
        low, high = np.full(x.shape, np.inf, np.float32), np.full(x.shape, -np.inf, np.float32)
        for end in (self.half, -self.half):
            rest = self.radius_nm**2 - (x - end[0]) ** 2 - (y - end[1]) ** 2
            root = np.sqrt(np.maximum(rest, 0))
            np.minimum(low, end[2] - root, out=low, where=rest > 0)
            np.maximum(high, end[2] + root, out=high, where=rest > 0)
        if length > 0:
            axis = self.half / length
            across = max(1 - axis[2] ** 2, 1e-9)
            along = axis[0] * x + axis[1] * y
            middle = axis[2] * along / across
            rest = middle**2 - (x**2 + y**2 - along**2 - self.radius_nm**2) / across
            root = np.sqrt(np.maximum(rest, 0))
            first, last = middle - root, middle + root
            slope = axis[2] if abs(axis[2]) > 1e-6 else 1e-6
            ends = (-length - along) / slope, (length - along) / slope
            first, last = np.maximum(first, np.minimum(*ends)), np.minimum(last, np.maximum(*ends))
            hit = (rest > 0) & (last > first)
            np.minimum(low, first, out=low, where=hit)
            np.maximum(high, last, out=high, where=hit)
        return low, high

    def holds(self, points: Vectors) -> NDArray[np.bool_]:
        """Return which of `points`, shape (n, 3), lie inside."""
        square = float(self.half @ self.half)
        share = np.clip(points @ self.half / square, -1, 1) if square else np.zeros(len(points))
        return ((points - share[:, None] * self.half) ** 2).sum(axis=1) <= self.radius_nm**2


def body_of(shape: str, diameter_nm: float, rng: np.random.Generator, *, rounding: float = 0.0, cell: str = "") -> Body:
    """Return a body of a shape in its crystal's frame.

    Parameters
    ----------
    shape : str
        One of `SHAPES`.
    diameter_nm : float
        Diameter of the sphere of the same volume.
    rng : Generator
        Source of proportions (truncations, aspect ratios).
    rounding : float
        Radius of its edges, relative to the distance of its nearest face, 0 to 0.9.
    cell : str
        ``hexagonal`` or ``tetragonal`` where plates lie across the z axis; else across a <111>.

    Raises
    ------
    ValueError
        For an unknown shape.
    """
    if shape not in SHAPES:
        msg = f"expected a shape out of {', '.join(SHAPES)}, found {shape!r}"
        raise ValueError(msg)
    radius = diameter_nm / 2
    if shape == "sphere":
        return Ellipsoid(radius * np.eye(3))
    if shape == "ellipsoid":
        lengths = np.exp(rng.uniform(-0.25, 0.25, 3))
        return Ellipsoid(np.diag(radius * lengths / np.cbrt(lengths.prod())))
    if shape == "rod":
        aspect = rng.uniform(1.5, 5.0)  # length over width
        width = diameter_nm * np.cbrt(2 / (3 * aspect - 1))
        return Capsule(np.array([0, 0, (aspect - 1) * width / 2]), width / 2)
    body = _faceted(shape, rng, cell)
    if rounding > 0:
        body = rounded(body, rounding * float(body.distances.min()))
    return body.scaled(diameter_nm / np.cbrt(6 / np.pi * body.volume))


def _faceted(shape: str, rng: np.random.Generator, cell: str) -> Polyhedron:
    if shape == "cube":
        return polyhedron(_FACES_100, np.ones(6))
    if shape == "octahedron":
        return _truncated(rng.uniform(1.45, 1.75))
    if shape == "truncated octahedron":
        return _truncated(rng.uniform(1.0, 1.45))
    if shape == "cuboctahedron":
        return _truncated(rng.uniform(0.75, 0.95))
    if shape == "icosahedron":
        return polyhedron(icosahedron_faces(), np.ones(20))
    if shape == "decahedron":
        sides, ends = decahedron_faces()
        # 1.0 would be the whole bipyramid, whose waist has corners but no side
        side = float(np.linalg.norm(_waist())) * rng.uniform(0.75, 1.0)
        return polyhedron(np.concatenate([ends, sides]), np.r_[np.full(10, _waist() @ ends[0]), np.full(5, side)])
    if shape == "tetrahedron":
        blunt = rng.uniform(1.6, 2.9)  # 3: sharp corners
        return polyhedron(_FACES_111, np.where(_FACES_111.prod(axis=1) > 0, 1.0, blunt))
    if shape == "plate":
        thick, corner = rng.uniform(0.12, 0.4), rng.uniform(1.0, 1.9)  # 1: hexagon, 2: triangle
        normal = np.array([1, 1, 1]) / np.sqrt(3) if not cell else np.array([0.0, 0, 1])
        side = np.array([1, 1, -2]) / np.sqrt(6) if not cell else np.array([0.0, 1, 0])
        n = 3 if cell != "tetragonal" else 2
        sides = np.array([_about(normal, 2 * np.pi * k / n + flip) @ side for flip in (0, np.pi) for k in range(n)])
        if n == 2:
            sides = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)], float)
            return polyhedron(np.concatenate([[normal, -normal], sides]), np.r_[thick, thick, 1, 1, 1, 1])
        return polyhedron(np.concatenate([[normal, -normal], sides]), np.r_[thick, thick, 1, 1, 1, [corner] * 3])
    if shape == "hexagonal prism":
        length = np.exp(rng.uniform(np.log(0.4), np.log(4)))
        angle = np.pi / 6 + np.pi / 3 * np.arange(6)
        sides = np.stack([np.cos(angle), np.sin(angle), np.zeros(6)], axis=1)
        return polyhedron(np.concatenate([[(0, 0, 1), (0, 0, -1)], sides]), np.r_[length, length, np.ones(6)])
    if shape == "bipyramid":
        steep = np.arctan2(0.9514, 0.3785)  # {101} of anatase against its base
        sides = np.array([(s, 0, 0) for s in (-1, 1)] + [(0, s, 0) for s in (-1, 1)]) * np.sin(steep)
        faces = np.concatenate([sides + (0, 0, s * np.cos(steep)) for s in (-1, 1)])
        base = rng.uniform(0.5, 0.95) / np.cos(steep)
        return polyhedron(np.concatenate([faces, [(0, 0, 1), (0, 0, -1)]]), np.r_[np.ones(8), base, base])
    directions = rng.normal(size=(int(rng.integers(10, 22)), 3))
    directions = np.concatenate([directions, _FACES_100])  # closed whatever was drawn
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return polyhedron(directions, np.r_[rng.uniform(0.75, 1.15, len(directions) - 6), np.full(6, 1.25)])


def rounded(body: Polyhedron, radius_nm: float, *, steps: int = 2) -> Polyhedron:
    """Return a polyhedron close around `body` with edges and corners of this radius (at most 0.9 of its nearest face).

    More faces stand for them: `steps` along each edge, and those around each corner.
    """
    radius_nm = min(radius_nm, 0.9 * float(body.distances.min()))
    core = polyhedron(body.normals, body.distances - radius_nm).corners
    faces = np.isclose(core @ body.normals.T, body.distances - radius_nm, atol=1e-6 * float(body.distances.max()))
    shared = faces.T.astype(int) @ faces.astype(int)
    kept = shared.diagonal() > 0  # a face may lose all its corners in the smaller core
    directions = [body.normals[kept]]
    one, other = np.nonzero(np.triu(shared >= 2, 1))
    for k in range(1, steps + 1):
        share = k / (steps + 1)
        directions.append((1 - share) * body.normals[one] + share * body.normals[other])
    directions.append(faces.astype(float) @ body.normals)
    found = np.concatenate(directions)
    length = np.linalg.norm(found, axis=1)
    found = found[length > 1e-6] / length[length > 1e-6, None]
    found = found[np.unique(np.round(found, 6), axis=0, return_index=True)[1]]
    return polyhedron(found, (found @ core.T).max(axis=1) + radius_nm)


def cut(low: Image, high: Image, x: Image, y: Image, normals: Vectors, distances: Vectors) -> tuple[Image, Image]:
    """Return the stretches along z from `low` to `high` as far as they lie in the half-spaces."""
    low, high = low.copy(), high.copy()
    for (nx, ny, nz), distance in zip(normals.tolist(), distances.tolist(), strict=True):
        if abs(nz) < 1e-6:
            high[nx * x + ny * y > distance] = -np.inf
            continue
        plane = x * np.float32(-nx / nz)
        plane += y * np.float32(-ny / nz)
        plane += np.float32(distance / nz)
        if nz > 0:
            np.minimum(high, plane, out=high)
        else:
            np.maximum(low, plane, out=low)
    return low, high


@lru_cache(maxsize=2)
def domain_planes(shape: str) -> tuple[Vectors, ...]:
    """Return for each crystal of a multiply twinned particle the normals of the planes through the origin around it.

    A point x belongs to it where all ``normals @ x`` are negative.
    """
    if shape == "decahedron":
        angle = 2 * np.pi * np.arange(6) / 5
        across = np.stack([-np.sin(angle), np.cos(angle), np.zeros(6)], axis=1)
        return tuple(np.stack([-across[k], across[k + 1]]) for k in range(5))
    corners, triangles = icosahedron()
    planes = []
    for triangle in triangles:
        a, b, c = corners[triangle]
        normals = np.stack([np.cross(a, b), np.cross(b, c), np.cross(c, a)])
        planes.append(-normals / np.linalg.norm(normals, axis=1, keepdims=True))
    return tuple(planes)


@lru_cache(maxsize=1)
def icosahedron() -> tuple[Vectors, NDArray[np.intp]]:
    """Return its 12 corners of unit length, and its 20 triangles as indices, counter-clockwise seen from outside."""
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([p for a, b in product((-1, 1), (-golden, golden)) for p in ((0, a, b), (a, b, 0), (b, 0, a))])
    corners = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    near = corners @ corners.T > 0.4
    triangles = []
    for a, b, c in combinations(range(12), 3):
        if near[a, b] and near[b, c] and near[a, c]:
            outward = np.linalg.det(corners[[a, b, c]]) > 0
            triangles.append((a, b, c) if outward else (a, c, b))
    return corners, np.array(triangles)


def icosahedron_faces() -> Vectors:
    """Return the normals of the 20 faces of an icosahedron."""
    corners, triangles = icosahedron()
    centres = corners[triangles].mean(axis=1)
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def decahedron_faces() -> tuple[Vectors, Vectors]:
    """Return the normals of the 5 {100} sides of a decahedron, and of its 10 {111} faces."""
    angle = 2 * np.pi * (np.arange(5) + 0.5) / 5
    sides = np.stack([np.cos(angle), np.sin(angle), np.zeros(5)], axis=1)
    # the five tetrahedra have their common edge of length 1 along z; the waist's edges lie across from it
    rise = np.arctan2(0.5, np.linalg.norm(_waist()))
    faces = [np.sin(rise) * sides + (0, 0, s * np.cos(rise)) for s in (-1, 1)]
    return sides, np.concatenate(faces)


def _waist() -> Vectors:
    """Return the middle of the edge opposite to the axis of a decahedron whose axis has length 1."""
    angle = np.pi / 5
    return np.sqrt(0.75) * np.cos(angle) * np.array([np.cos(angle), np.sin(angle), 0])


def convex_hull(points: Vectors) -> Vectors:
    """Return the corners of the convex hull of `points`, shape (n, 2), counter-clockwise where y points up."""
    from scipy.spatial import ConvexHull

    return points[ConvexHull(points).vertices]


def polygon_area(corners: Vectors) -> float:
    """Return the area of a polygon, positive where its corners run counter-clockwise."""
    x, y = corners.T
    return float(0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def feret(corners: Vectors) -> tuple[float, float]:
    """Return the largest and the smallest distance of two parallel tangents of a convex polygon."""
    x, y = corners.T
    largest = float(np.sqrt(((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2).max()))
    edges = np.roll(corners, -1, axis=0) - corners
    length = np.hypot(*edges.T)
    edges = edges[length > 1e-9 * largest] / length[length > 1e-9 * largest, None]
    across = np.stack([-edges[:, 1], edges[:, 0]], axis=1) @ corners.T
    return largest, float((across.max(axis=1) - across.min(axis=1)).min())


def lying(body: Body, rng: np.random.Generator, *, tilt_rad: float = 0.03) -> Vectors:
    """Return a rotation that lays a body on one of its larger faces (a rod on its side), turned at random about z.

    Parameters
    ----------
    body : Body
        In any orientation.
    rng : Generator
        Source of the face, the turn and the tilt.
    tilt_rad : float
        Standard deviation of what remains of a tilt.
    """
    if isinstance(body, Polyhedron):
        nearness = (body.distances.min() / body.distances) ** 8
        down = body.normals[rng.choice(len(body.normals), p=nearness / nearness.sum())]
    elif isinstance(body, Capsule):
        down = np.array([1.0, 0, 0])
    else:
        down = np.array([0, 0, 1.0])
    turn = _about(np.array([0, 0, 1.0]), rng.uniform(0, 2 * np.pi))
    shaky = _about(np.array([1.0, 0, 0]), rng.normal(0, tilt_rad)) @ _about(
        np.array([0, 1.0, 0]), rng.normal(0, tilt_rad)
    )
    return shaky @ turn @ _onto_z(down)


def _onto_z(direction: Vectors) -> Vectors:
    axis = np.array([direction[1], -direction[0], 0])
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        return np.eye(3) if direction[2] > 0 else np.diag([1.0, -1, -1])
    return _about(axis / sine, float(np.arctan2(sine, direction[2])))


def _about(axis: Vectors, angle: float) -> Vectors:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _truncated(ratio: float) -> Polyhedron:
    """Return an octahedron cut by a cube whose faces lie `ratio` times as far (1.73: not cut; 0.87: cuboctahedron)."""
    return polyhedron(np.concatenate([_FACES_111, _FACES_100]), np.r_[np.ones(8), np.full(6, ratio)])


_FACES_100 = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
_FACES_111 = np.array(list(product((-1, 1), repeat=3))) / np.sqrt(3)
