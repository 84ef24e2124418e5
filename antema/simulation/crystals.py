"""Atoms of nanocrystals, twins, multiply twinned particles and glassy particles, cut out of what has no end."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antema.simulation.materials import Material
from antema.simulation.shapes import TWINNED_SHAPES, Body, Vectors, icosahedron

STRUCTURES = ("crystal", "twin", "multiply twinned", "amorphous")
THERMAL_NM = 0.007
"""Standard deviation of an atom's place along each axis at room temperature."""
_DISORDER = 0.17
"""Displacement of the atoms of a glassy particle, relative to the shortest edge of the cell."""


@dataclass(frozen=True, eq=False)
class Atoms:
    """Atoms.

    Parameters
    ----------
    places_nm : ndarray, shape (n, 3)
        x, y and z, the latter along the beam.
    z : ndarray of int, shape (n,)
        Atomic numbers.
    radii_nm : ndarray, shape (n,)
        Radii of the discs that belong to the particle.
    domain : ndarray of int, shape (n,), or None
        Which of its crystals each belongs to, from 0; None where that is not told.
    """

    places_nm: Vectors
    z: NDArray[np.int64]
    radii_nm: Vectors
    domain: NDArray[np.int64] | None = None


def filled(
    rng: np.random.Generator, body: Body, reach_nm: float, material: Material, shape: str, structure: str
) -> Atoms:
    """Return the atoms of `material` inside of a body in its crystal's frame, at rest.

    Parameters
    ----------
    rng : Generator
        Source of where the body lies in the lattice, of twin planes and of disorder.
    body : Body
        In the crystal's frame, holding the atoms' centres.
    reach_nm : float
        Radius of a sphere around the body.
    material : Material
        What it is made of.
    shape : str
        ``decahedron`` or ``icosahedron`` where `structure` is ``multiply twinned``.
    structure : str
        One of `STRUCTURES`.
    """
    if structure == "multiply twinned":
        grown = icosahedral if shape == "icosahedron" else decahedral
        places = grown(material.lattice_nm / np.sqrt(2), reach_nm)
        kind = np.zeros(len(places), np.int64)
    else:
        places, kind, distance = _around_origin(material, _steps(reach_nm))
        most = np.searchsorted(distance, reach_nm + material.cell_nm.sum(axis=0).max())
        places, kind = places[:most] + rng.uniform(-0.5, 0.5, 3) @ material.cell_nm, kind[:most]
    domain = None
    if structure == "twin":
        places, kind, domain = _mirrored(rng, places, kind)
    elif structure == "amorphous":
        places = places + rng.normal(0, _DISORDER * material.lattice_nm, places.shape)
    inside = body.holds(places)
    if not inside.any():
        inside[np.argmin((places**2).sum(axis=1))] = True
    places, kind = places[inside], kind[inside]
    z = np.array([one.z for one in material.species])[kind]
    radii = np.array([one.radius_nm for one in material.species])[kind]
    return Atoms(places, z, radii, None if domain is None else domain[inside])


def possible_structures(material: Material, shape: str) -> tuple[str, ...]:
    """Return the structures that a shape of a material can have."""
    if shape in TWINNED_SHAPES:
        return ("multiply twinned",) if material.is_fcc_metal else ()
    return ("crystal", "twin", "amorphous") if material.is_fcc_metal else ("crystal", "amorphous")


def decahedral(neighbours_nm: float, reach_nm: float) -> Vectors:
    """Return five fcc crystals around a common [110] axis along z, each twinned with the next on a {111} plane.

    Each is widened from 70.5 to 72 degrees across the axis: 1.8 % for one of its six pairs of neighbours.

    Parameters
    ----------
    neighbours_nm : float
        Distance of two atoms.
    reach_nm : float
        Radius of the sphere to fill.
    """
    row_nm = neighbours_nm * np.sqrt(3) / 2
    n, rows = int(np.ceil(reach_nm / neighbours_nm)) + 1, int(np.ceil(1.3 * reach_nm / row_nm)) + 1
    i, j, k = np.mgrid[1 : rows + 1, 0 : rows + 1, -n - rows : n + rows + 1].reshape(3, -1)
    height = (k + (i + j) % 2 / 2) * neighbours_nm
    crystals = [np.stack([np.zeros(4 * n + 1), np.zeros(4 * n + 1), np.arange(-2 * n, 2 * n + 1) * neighbours_nm], 1)]
    for wedge in range(5):
        angle = 2 * np.pi / 5 * np.array([wedge, wedge + 1])
        (x1, x2), (y1, y2) = row_nm * np.cos(angle), row_nm * np.sin(angle)
        crystals.append(np.stack([i * x1 + j * x2, i * y1 + j * y2, height], axis=1))
    places = np.concatenate(crystals, dtype=np.float64)
    return places[(places**2).sum(axis=1) <= (reach_nm + neighbours_nm) ** 2]


def icosahedral(neighbours_nm: float, reach_nm: float) -> Vectors:
    """Return twenty fcc crystals around the origin in the shells of A. L. Mackay, Acta Cryst. 15 (1962) 916.

    Neighbours in a shell are 5.1 % further apart than those of two shells; `neighbours_nm` lies in the middle.

    Parameters
    ----------
    neighbours_nm : float
        Distance of two atoms.
    reach_nm : float
        Radius of the sphere to fill.
    """
    corners, triangles = icosahedron()
    shell_nm = neighbours_nm / np.sqrt(np.linalg.norm(corners[triangles[0][0]] - corners[triangles[0][1]]))
    n = int(np.ceil((reach_nm + neighbours_nm) / (0.79 * shell_nm)))  # a face lies at 0.795 of a corner's distance
    i, j, k = np.mgrid[0 : n + 1, 0 : n + 1, 0 : n + 1].reshape(3, -1)
    weights = np.stack([i, j, k], axis=1)[i + j + k <= n]
    places = shell_nm * np.concatenate([weights.astype(np.float64) @ corners[triangle] for triangle in triangles])
    places = places[(places**2).sum(axis=1) <= (reach_nm + neighbours_nm) ** 2]
    # atoms on the planes between crystals belong to several of them
    first = np.unique(np.round(places / (0.01 * neighbours_nm)).astype(np.int64), axis=0, return_index=True)[1]
    return places[np.sort(first)]


@lru_cache(maxsize=8)  # the largest take some 100 MB; a field has one material and few sizes
def _around_origin(material: Material, reach_nm: float) -> tuple[Vectors, NDArray[np.int64], Vectors]:
    """Return the lattice around the origin by distance: places, index of the species and distance."""
    reach_nm += 2 * float(np.linalg.norm(material.cell_nm.sum(axis=0)))
    inverse = np.linalg.inv(material.cell_nm)
    cells = np.ceil(reach_nm * np.linalg.norm(inverse, axis=0)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in cells), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    places = ((grid + material.basis).reshape(-1, 3)) @ material.cell_nm
    kind = np.tile(np.arange(len(material.basis)), len(grid))
    distance = np.sqrt((places**2).sum(axis=1))
    order = np.argsort(distance, kind="stable")
    order = order[: np.searchsorted(distance[order], reach_nm)]
    return places[order], kind[order], distance[order]


def _steps(reach_nm: float) -> float:
    """Return `reach_nm` rounded up to one of few values, so that lattices are made once."""
    return float(2 ** (np.ceil(np.log2(max(reach_nm, 0.5)) * 2) / 2))


def _mirrored(
    rng: np.random.Generator, places: Vectors, kind: NDArray[np.int64]
) -> tuple[Vectors, NDArray[np.int64], NDArray[np.int64]]:
    """Return places, species and domains of a twin; the plane between the two belongs to the first."""
    normal = rng.choice([-1, 1], 3) / np.sqrt(3)
    height = places @ normal
    places = places - height[height > 0].min() * normal  # a plane of atoms in the mirror
    height = places @ normal
    upper, plane = height > 1e-6, np.abs(height) <= 1e-6
    mirrored = places[upper] - 2 * height[upper, None] * normal
    domain = np.r_[np.zeros(np.count_nonzero(plane | upper), np.int64), np.ones(len(mirrored), np.int64)]
    places = np.concatenate([places[plane], places[upper], mirrored])
    return places, np.r_[kind[plane], kind[upper], kind[upper]], domain
