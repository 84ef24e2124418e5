"""Populations of particles: what they are made of, how large they are, what shape they have and how they lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antema.simulation.atoms import random_rotation
from antema.simulation.crystals import possible_structures
from antema.simulation.materials import MATERIALS, METALS, Material
from antema.simulation.shapes import Body, Vectors, body_of, lying

ORIENTATIONS = ("random", "lying", "aligned")
DISTRIBUTIONS = ("normal", "lognormal")
_BODIES = 8
"""Different proportions of one shape in a population; what else there is differs in size and orientation."""
_FIXED = ("sphere", "cube", "icosahedron")
"""Shapes of one proportion."""
_SQUARE = ("cube", "cuboctahedron", "truncated octahedron")


@dataclass(frozen=True, kw_only=True)
class Population:
    """What the particles of a field have in common.

    Parameters
    ----------
    material : str
        One of `antema.simulation.materials.MATERIALS`.
    diameter_nm, spread : float
        Of the diameters of spheres of the same volume: mean and relative standard deviation where `distribution` is
        ``normal`` (cut at a third of the mean), median and standard deviation of the logarithm where ``lognormal``.
    distribution : str
        One of `DISTRIBUTIONS`.
    shapes : mapping of str to float
        Shares of the shapes (`antema.simulation.shapes.SHAPES`); they need not add up to 1.
    amorphous, twins : float
        Shares of particles without lattice, and of single crystals that have a twin.
    orientation : str
        One of `ORIENTATIONS`: at random, on a face, or on a face and all turned the same way.
    rounding : float
        Radius of edges relative to half the thickness.
    arrangement : str
        One of `antema.simulation.arrangements.ARRANGEMENTS`.
    overlap : float
        Its share of overlapping particles.
    cover : float
        Share of the field that the particles' outlines would cover side by side; less where they find no room.
    ligand_nm : float
        Thickness of a shell of hydrocarbon, which is no particle.
    """

    material: str = "Au"
    diameter_nm: float = 2.0
    spread: float = 0.15
    distribution: str = "normal"
    shapes: Mapping[str, float] = field(default_factory=lambda: {"sphere": 1.0})
    amorphous: float = 0.0
    twins: float = 0.3
    orientation: str = "random"
    rounding: float = 0.0
    arrangement: str = "separate"
    overlap: float = 0.1
    cover: float = 0.15
    ligand_nm: float = 0.0


@dataclass(frozen=True, eq=False)
class Particle:
    """One particle around the origin.

    Parameters
    ----------
    material : Material
        What it is made of.
    shape, structure : str
        Of `antema.simulation.shapes.SHAPES` and `antema.simulation.crystals.STRUCTURES`.
    diameter_nm : float
        Diameter of the sphere of the same volume.
    upright : Body
        In its crystal's frame.
    rotation : ndarray, shape (3, 3)
        From there to the microscope's frame.
    """

    material: Material
    shape: str
    structure: str
    diameter_nm: float
    upright: Body
    rotation: Vectors

    @property
    def body(self) -> Body:
        """The body as it lies in the microscope."""
        return self.upright.turned(self.rotation)

    @property
    def reach_nm(self) -> float:
        """Radius of a sphere around it."""
        return self.upright.reach_nm


def diameters(rng: np.random.Generator, population: Population, n: int) -> NDArray[np.float64]:
    """Return `n` diameters of a population in nm.

    Raises
    ------
    ValueError
        For an unknown distribution.
    """
    if population.distribution == "normal":
        drawn = rng.normal(population.diameter_nm, population.spread * population.diameter_nm, n)
        return np.maximum(drawn, population.diameter_nm / 3)
    if population.distribution == "lognormal":
        return population.diameter_nm * np.exp(rng.normal(0, population.spread, n))
    msg = f"expected a distribution out of {', '.join(DISTRIBUTIONS)}, found {population.distribution!r}"
    raise ValueError(msg)


def populated(
    rng: np.random.Generator, population: Population, area_nm2: float, *, finest_nm: float = 0.0, most: int = 4000
) -> list[Particle]:
    """Return particles whose discs would cover their share of an area.

    Parameters
    ----------
    rng : Generator
        Source of sizes, shapes and orientations.
    population : Population
        What they have in common.
    area_nm2 : float
        The area of which they cover `population.cover`.
    finest_nm : float
        Edges with a smaller radius stay sharp.
    most : int
        Bound on their number.

    Raises
    ------
    ValueError
        For a shape that the material has not.
    """
    material = MATERIALS[population.material]
    names, shares = list(population.shapes), np.array(list(population.shapes.values()), float)
    impossible = [name for name in names if not possible_structures(material, name)]
    if impossible:
        msg = f"expected shapes that {material.name} can have, found {', '.join(impossible)}"
        raise ValueError(msg)
    n = int(np.clip(np.ceil(population.cover * area_nm2 / (np.pi / 4 * population.diameter_nm**2)), 1, most))
    cell = "" if material.name in METALS or material.name == "Fe3O4" else _cell(material)
    rounding = population.rounding if population.rounding * population.diameter_nm / 2 > finest_nm else 0.0
    common: Vectors | None = None
    bodies: dict[str, list[Body]] = {}
    result = []
    for diameter in diameters(rng, population, n):
        shape = str(rng.choice(names, p=shares / shares.sum()))
        made = bodies.setdefault(shape, [])
        if len(made) < (1 if shape in _FIXED else _BODIES):
            made.append(body_of(shape, 1.0, rng, rounding=rounding, cell=cell))
        body = made[int(rng.integers(len(made)))].scaled(float(diameter))
        if population.orientation == "random":
            rotation = random_rotation(rng)
        else:
            rotation = lying(body, rng)
            if population.orientation == "aligned" and shape in _SQUARE:
                if common is None:
                    common = random_turn(rng)
                rotation = common @ _tilted(rng)
        structure = _structure(rng, population, material, shape)
        result.append(Particle(material, shape, structure, float(diameter), body, rotation))
    return result


def random_turn(rng: np.random.Generator) -> Vectors:
    """Return a rotation about z by any angle."""
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def _tilted(rng: np.random.Generator) -> Vectors:
    x, y, z = rng.normal(0, (0.03, 0.03, 0.05))
    q, r = np.linalg.qr(np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]]))
    return q * np.sign(np.diag(r))


def _cell(material: Material) -> str:
    return "tetragonal" if np.allclose(material.cell_nm, np.diag(material.cell_nm.diagonal())) else "hexagonal"


def _structure(rng: np.random.Generator, population: Population, material: Material, shape: str) -> str:
    possible = possible_structures(material, shape)
    if len(possible) == 1:
        return possible[0]
    if rng.random() < population.amorphous:
        return "amorphous"
    return "twin" if "twin" in possible and rng.random() < population.twins else "crystal"
