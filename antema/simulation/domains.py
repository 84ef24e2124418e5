"""Particles whose crystal domains are known: single crystals, twins, crystals stitched together, and glasses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from antema.domain import AMORPHOUS, CRYSTALLINITIES, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.simulation.amorphous import AmorphousSolid, packed
from antema.simulation.atoms import random_rotation
from antema.simulation.crystals import THERMAL_NM, Atoms, filled
from antema.simulation.materials import METALS, Material
from antema.simulation.shapes import TWINNED_SHAPES, Body, Vectors, body_of

STRUCTURES = ("crystal", "twin", "multiply twinned", "stitched", "packed", "glass")
POLYHEDRA = ("cube", "octahedron", "truncated octahedron", "cuboctahedron", "tetrahedron")
_SINGLE_SHAPES = ("sphere", "ellipsoid", *POLYHEDRA, "rod", "plate", "irregular")
_ZONES = ((1, 1, 0), (1, 0, 0), (1, 1, 1), (1, 1, 2))
LEAST_OF_NEIGHBOURS = 0.248 / 0.28837
"""Closest distance of two atoms without order, relative to that of neighbours in the crystal; 0.248 nm for gold."""
PACKED_SHARE, GLASS_SHARE = 0.62, 0.95
"""Number density of packed atoms and of a glass, relative to the crystal's."""
_GLASS = (GLASS_SHARE * 4 / METALS["Au"].lattice_nm ** 3, 0.248)
"""Number density and least distance of a glass of gold; others are scaled from it."""
_FRESH_NM = 4.0
"""Cubes of glass up to this edge are made anew."""
_SEAM = 0.75
"""Atoms of a domain nearer to another's than this, relative to neighbours in the crystal, are left out."""
_LEAST_SHARE = 0.05
"""Of the atoms, in each domain that counts."""
_DOMAINS = {"decahedron": 5, "icosahedron": 20}


@dataclass(frozen=True, eq=False)
class Grown:
    """A particle and what it is.

    Parameters
    ----------
    atoms : Atoms
        Around the origin, as they lie in the microscope.
    structure : str
        One of `STRUCTURES`.
    domains : int
        How many crystals it consists of; 0: none.
    """

    atoms: Atoms
    structure: str
    domains: int

    @property
    def crystallinity(self) -> str:
        """One of `CRYSTALLINITIES`; more than one domain, twins included, is polycrystalline."""
        return CRYSTALLINITIES[min(self.domains, 2)]


def grown(
    rng: np.random.Generator,
    material: Material,
    body: Body,
    shape: str,
    structure: str,
    *,
    rotation: Vectors | None = None,
) -> Grown:
    """Return a particle of a structure, its atoms displaced as at room temperature.

    Parameters
    ----------
    rng : Generator
        Source of all that is random.
    material : Material
        A face-centred cubic metal.
    body : Body
        In the crystal's frame, holding the atoms' centres.
    shape : str
        What the body is; ``decahedron`` and ``icosahedron`` are multiply twinned and nothing else.
    structure : str
        One of `STRUCTURES`.
    rotation : ndarray, shape (3, 3), or None
        From the crystal's frame to the microscope's; None: any.

    Raises
    ------
    ValueError
        For an unknown structure, or one that the shape has not.
    """
    if structure not in STRUCTURES:
        msg = f"expected a structure out of {', '.join(STRUCTURES)}, found {structure!r}"
        raise ValueError(msg)
    if structure in ("crystal", "twin") and shape in TWINNED_SHAPES:
        msg = f"a shape that single crystals have is expected, found {shape!r}"
        raise ValueError(msg)
    if structure == "multiply twinned" and shape not in TWINNED_SHAPES:
        msg = f"expected one of {', '.join(TWINNED_SHAPES)}, found {shape!r}"
        raise ValueError(msg)
    if structure == "stitched":
        atoms, domains = stitched(rng, material, body)
    elif structure in ("packed", "glass"):
        atoms, domains = disordered(rng, material, body, dense=structure == "glass"), 0
    else:
        atoms = filled(rng, body, body.reach_nm, material, shape, structure)
        domains = {"crystal": 1, "twin": 2}.get(structure) or _DOMAINS[shape]
        if atoms.domain is not None and len(np.unique(atoms.domain)) == 1:
            # a plate thinner than the distance of its twin plane holds one half alone
            structure, domains, atoms = "crystal", 1, replace(atoms, domain=None)
    rotation = random_rotation(rng) if rotation is None else rotation
    places = (atoms.places_nm - atoms.places_nm.mean(axis=0)) @ rotation.T
    if domains:  # atoms without order have been placed at random already
        places = places + rng.normal(0, THERMAL_NM, places.shape)
    return Grown(replace(atoms, places_nm=places), structure, domains)


def any_particle(
    rng: np.random.Generator,
    material: Material,
    kind: str,
    diameter_nm: float,
    shapes: Mapping[str, float] | None = None,
) -> tuple[Grown, Body, str]:
    """Return a particle of a class, its body in the crystal's frame, and its shape.

    A third of the polycrystalline ones are multiply twinned, the others twins or stitched; half of all lie with a low
    zone axis within 3 to 100 mrad of the beam, the others in any orientation.

    Parameters
    ----------
    rng : Generator
        Source of all that is random.
    material : Material
        A face-centred cubic metal.
    kind : str
        One of `CRYSTALLINITIES`.
    diameter_nm : float
        Diameter of the sphere of the same volume; plates and rods are made at least 1.8 nm and at most 14 nm long.
    shapes : mapping of str to float or None
        Shares of the shapes that are not multiply twinned; None: any, each as often.
    """
    if kind == POLYCRYSTALLINE and rng.random() < 0.35:
        shape = str(rng.choice(TWINNED_SHAPES))
        structure = "multiply twinned"
    else:
        shape = str(rng.choice(_SINGLE_SHAPES)) if shapes is None else _drawn(rng, shapes)
        structure = structure_of(kind, shape)
        if kind == AMORPHOUS:
            structure = str(rng.choice(("packed", "glass")))
        elif kind == POLYCRYSTALLINE:
            structure = str(rng.choice(("twin", "stitched"), p=(0.4, 0.6)))
    flat = shape in ("plate", "rod")
    # flat ones need their volume to hold more than one layer of crystals
    diameter_nm = max(diameter_nm, 1.8) if flat else diameter_nm
    rounding = rng.uniform(0, 0.5) if shape not in ("sphere", "ellipsoid", "rod") and rng.random() < 0.6 else 0.0
    body = body_of(shape, diameter_nm, rng, rounding=rounding)
    if flat and body.reach_nm > 7:
        body = body.scaled(7 / body.reach_nm)
    rotation = None
    if rng.random() < 0.5:
        zone = np.array(_ZONES[rng.integers(len(_ZONES))], float)
        rotation = along_beam(rng, zone, tilt_rad=float(np.exp(rng.uniform(np.log(3e-3), np.log(0.1)))))
    return grown(rng, material, body, shape, structure, rotation=rotation), body, shape


def structure_of(kind: str, shape: str) -> str:
    """Return a structure that a shape of a class can have."""
    if kind == AMORPHOUS:
        return "packed"
    if kind == MONOCRYSTALLINE:
        return "crystal"
    return "multiply twinned" if shape in TWINNED_SHAPES else "twin"


def _drawn(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    odds = np.array(list(shares.values()), float)
    return str(rng.choice(list(shares), p=odds / odds.sum()))


def neighbours_nm(material: Material) -> float:
    """Return the distance of two neighbours in a face-centred cubic metal."""
    return material.lattice_nm / np.sqrt(2)


def along_beam(rng: np.random.Generator, direction: Vectors, *, tilt_rad: float = 0.0) -> Vectors:
    """Return a rotation (3, 3) that brings a crystal's direction along the beam (z), turned about it at random.

    Parameters
    ----------
    rng : Generator
        Source of the turn and of where it is tilted to.
    direction : ndarray, shape (3,)
        In the crystal's frame, of any length.
    tilt_rad : float
        Standard deviation of the tilt about each of x and y.
    """
    from scipy.spatial.transform import Rotation

    onto = Rotation.align_vectors([[0.0, 0.0, 1.0]], [np.asarray(direction, float)])[0]
    turn = Rotation.from_rotvec([0, 0, rng.uniform(0, 2 * np.pi)])
    tilt = Rotation.from_rotvec([*rng.normal(0, tilt_rad, 2), 0]) if tilt_rad else Rotation.identity()
    return np.asarray((tilt * turn * onto).as_matrix())


def stitched(rng: np.random.Generator, material: Material, body: Body) -> tuple[Atoms, int]:
    """Return atoms of two or, as often, three crystals of any orientation in one body, and how many these are.

    Each cut runs in any direction, from the middle to half of the radius away from it. Where two crystals meet, atoms
    that would lie in each other are left out.

    References
    ----------
    .. [1] N. Gumbiowski et al., Nanoscale Adv. 6 (2024) 4196: the cuts (there all atoms stay).
    """
    wanted = 2 + int(rng.random() < 0.5)
    radius = np.cbrt(0.75 / np.pi * body.volume)
    for _ in range(100):
        normals = rng.normal(size=(wanted - 1, 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        distances = rng.uniform(0, radius / 2, wanted - 1)
        parts: list[Atoms] = []
        for domain in range(wanted):
            turn = random_rotation(rng)
            atoms = filled(rng, body.turned(turn.T), body.reach_nm, material, "sphere", "crystal")
            places = atoms.places_nm @ turn.T
            beyond = places @ normals.T > distances
            # the last cut that an atom lies beyond says whose it is
            owner = np.where(beyond.any(axis=1), wanted - 1 - np.argmax(beyond[:, ::-1], axis=1), 0)
            own = owner == domain
            if parts:
                others = np.concatenate([part.places_nm for part in parts])
                own &= KDTree(others).query(places)[0] > _SEAM * neighbours_nm(material)
            parts.append(Atoms(places[own], atoms.z[own], atoms.radii_nm[own]))
            if not own.any():
                break
        counts = [len(part.z) for part in parts]
        if len(counts) == wanted and min(counts) >= max(_LEAST_SHARE * sum(counts), 3):
            places, z, radii = (
                np.concatenate([getattr(part, name) for part in parts]) for name in ("places_nm", "z", "radii_nm")
            )
            return Atoms(places, z, radii, np.repeat(np.arange(wanted), counts)), wanted
    msg = f"a body with room for {wanted} crystals is expected; found one of {2 * radius:.2f} nm"
    raise ValueError(msg)


def disordered(rng: np.random.Generator, material: Material, body: Body, *, dense: bool) -> Atoms:
    """Return atoms without order in a body, none nearer to another than `LEAST_OF_NEIGHBOURS` says.

    Parameters
    ----------
    rng : Generator
        Source of the places.
    material : Material
        A metal, for its density and the distance of its neighbours.
    body : Body
        Holds the atoms' centres.
    dense : bool
        Whether to push atoms apart until nearly as many fit as in the crystal (a glass); else they are added one after
        another where there is room, which leaves 0.62 of the crystal's density.

    References
    ----------
    .. [1] F. D. Novaes et al., Phys. Rev. Lett. 90 (2003) 036101: the least distance for gold.
    """
    least = LEAST_OF_NEIGHBOURS * neighbours_nm(material)
    density = sum(material.atoms_per_nm3.values())
    edge = 2 * body.reach_nm + 2 * least
    if dense:
        places, edge = _glass(rng, edge, material)
    else:
        # a box that repeats needs no edges
        solid = AmorphousSolid(material.species[0].z, PACKED_SHARE * density, least, ())
        places = packed(rng, (edge, edge, edge), solid)
    places = places - edge / 2
    inside = body.holds(places)
    if not inside.any():
        inside[np.argmin((places**2).sum(axis=1))] = True
    n = int(inside.sum())
    return Atoms(places[inside], np.full(n, material.species[0].z), np.full(n, material.species[0].radius_nm))


def _glass(rng: np.random.Generator, edge_nm: float, material: Material) -> tuple[NDArray[np.float64], float]:
    """Return a glass that repeats in a cube, and the cube's edge: at least `edge_nm`.

    Large ones are the same glass, moved at random.
    """
    gold = METALS["Au"]
    scale = neighbours_nm(material) / neighbours_nm(gold)
    if edge_nm <= _FRESH_NM:
        return scale * pushed_apart(rng, edge_nm / scale, *_GLASS), edge_nm
    block = float(4 * np.ceil(edge_nm / scale / 4))
    return scale * ((_glass_block(block) + rng.uniform(0, block, 3)) % block), scale * block


@lru_cache(maxsize=4)
def _glass_block(edge_nm: float) -> NDArray[np.float64]:
    return pushed_apart(np.random.default_rng(16), edge_nm, *_GLASS)


def pushed_apart(
    rng: np.random.Generator, edge_nm: float, atoms_per_nm3: float, least_nm: float, *, steps: int = 2000
) -> NDArray[np.float64]:
    """Return atoms (n, 3) in a cube that repeats, placed at random and pushed apart until all are `least_nm` apart.

    Raises
    ------
    ValueError
        If they do not come apart.
    """
    n = max(int(round(atoms_per_nm3 * edge_nm**3)), 1)
    places = rng.uniform(0, edge_nm, (n, 3))
    for _ in range(steps):
        pairs = KDTree(places, boxsize=edge_nm).query_pairs(least_nm, output_type="ndarray")
        if len(pairs) == 0:
            return places
        apart = places[pairs[:, 0]] - places[pairs[:, 1]]
        apart -= edge_nm * np.round(apart / edge_nm)
        distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-9)
        push = (0.51 * (1.02 * least_nm - distance) / distance)[:, None] * apart
        for k, sign in ((0, 1), (1, -1)):
            for axis in range(3):
                places[:, axis] += sign * np.bincount(pairs[:, k], push[:, axis], minlength=n)
        places %= edge_nm
        places[places >= edge_nm] = 0.0  # what rounding leaves at the edge
    msg = f"{n} atoms in {edge_nm:.2f} nm are expected to come {least_nm:g} nm apart; they do not in {steps} steps"
    raise ValueError(msg)
