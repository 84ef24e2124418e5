"""Crystals that nanoparticles are made of: their lattices at room temperature, and which planes one may see."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from antema.domain import structures
from antema.domain.structures import Sites, Vectors, cubic, hexagonal, tetragonal

WYCKOFF = "R. W. G. Wyckoff, Crystal Structures, 2nd ed., vol. 1 (1963)"
SWANSON = "H. E. Swanson et al., Standard X-ray Diffraction Powder Patterns, NBS Circular 539 (1953-1960)"
FLEET = "M. E. Fleet, Acta Cryst. B 37 (1981) 917"
BLAKE = "R. L. Blake et al., Am. Mineral. 51 (1966) 123"
SHMAKOV = "A. N. Shmakov et al., J. Appl. Cryst. 28 (1995) 141"
VEGARD = "between those of its metals (L. Vegard, Z. Phys. 5 (1921) 17)"

_LEAST_STRENGTH = 2e-3
"""Of a reflection, relative to the strongest, that counts as allowed."""
_FINEST_NM = 0.09
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi"
)
ATOMIC_NUMBERS: dict[str, int] = {symbol: z for z, symbol in enumerate(_SYMBOLS.split(), start=1)}


@dataclass(frozen=True)
class Reflection:
    """A family of lattice planes that diffracts.

    Parameters
    ----------
    name : str
        Its indices in braces, e.g. ``{111}``; families of equal spacing are named together, ``{511}/{333}``.
    spacing_nm : float
        Distance of two planes.
    indices : tuple of (int, int, int)
        Every (h, k, l) of it, opposite ones too.
    strength : float
        Squared structure factor relative to the strongest family's, with atomic numbers for scattering factors: which
        of them are strong, not how strong they are in an image.
    """

    name: str
    spacing_nm: float
    indices: tuple[tuple[int, int, int], ...]
    strength: float


@dataclass(frozen=True, eq=False)
class Lattice:
    """A crystal.

    Parameters
    ----------
    name : str
        As one writes it in English, with the structure where a substance has several.
    formula : str
        In symbols.
    structure : str
        Its type.
    cell_nm : ndarray, shape (3, 3)
        Edges of the cell at room temperature, one a row; cubic or tetragonal axes, or hexagonal ones with c along z.
    sites : tuple of ndarray, each of shape (n, 3)
        Fractional coordinates of the atoms of one cell, by kind.
    elements : tuple of str
        Symbol of each kind.
    source : str
        Of the lattice constants.

    Examples
    --------
    >>> gold = LATTICES["Au"]
    >>> [(one.name, round(one.spacing_nm, 4)) for one in gold.reflections()[:3]]
    [('{111}', 0.2355), ('{200}', 0.2039), ('{220}', 0.1442)]
    """

    name: str
    formula: str
    structure: str
    cell_nm: Vectors
    sites: Sites
    elements: tuple[str, ...]
    source: str

    @property
    def basis(self) -> Vectors:
        """Fractional coordinates of all atoms of a cell, (n, 3), one kind after the other."""
        return np.concatenate(self.sites)

    @property
    def largest_spacing_nm(self) -> float:
        """Spacing of the widest planes that diffract: pixels of half of it or more can show no lattice."""
        return self.reflections()[0].spacing_nm

    def reflections(self, finest_nm: float = _FINEST_NM) -> tuple[Reflection, ...]:
        """Return the families that diffract, by falling spacing, down to `finest_nm`."""
        return _reflections(self, finest_nm)

    def places_per_nm(self, indices: Vectors) -> Vectors:
        """Return the reciprocal vectors (n, 3) of indices (n, 3), in 1/nm."""
        return np.asarray(indices, np.float64) @ np.linalg.inv(self.cell_nm).T


def finest_sampling_needed_nm(lattice: Lattice | None) -> float:
    """Return the pixel size from which on no lattice can be seen: half of the widest planes' spacing (Nyquist).

    Parameters
    ----------
    lattice : Lattice or None
        None: an unknown material, taken for gold, whose {111} planes are about the widest of the dense metals.
    """
    return (LATTICES["Au"] if lattice is None else lattice).largest_spacing_nm / 2


def alloy(shares: dict[str, float]) -> Lattice:
    """Return a solid solution of metals of one structure.

    Parameters
    ----------
    shares : dict
        Amount of substance by formula of the metals, of any sum.

    Raises
    ------
    ValueError
        For metals of different structures.
    """
    parts = [LATTICES[formula] for formula in shares]
    if len({part.structure for part in parts}) > 1:
        msg = f"metals of one structure are expected, found {', '.join(f'{p.name} ({p.structure})' for p in parts)}"
        raise ValueError(msg)
    total = sum(shares.values())
    edges = sum(amount / total * part.cell_nm for part, amount in zip(parts, shares.values(), strict=True))
    name = "-".join(part.name for part in parts)
    percents = " ".join(f"{formula} {100 * amount / total:.0f} %" for formula, amount in shares.items())
    return Lattice(
        f"{name} alloy ({percents})",
        "".join(shares),
        parts[0].structure,
        np.asarray(edges, np.float64),
        parts[0].sites,
        (parts[0].elements[0],),
        VEGARD,
    )


def _metal(name: str, formula: str, cell_nm: Vectors, source: str, structure: str = "face-centred cubic") -> Lattice:
    sites = {
        "face-centred cubic": structures.face_centred,
        "body-centred cubic": structures.body_centred,
        "hexagonal close-packed": structures.hexagonal_close_packed,
    }[structure]()
    return Lattice(name, formula, structure, cell_nm, sites, (formula,), source)


_SPINEL = structures.spinel(0.2549)
_TABLE = (
    _metal("gold", "Au", cubic(0.40782), WYCKOFF),
    _metal("silver", "Ag", cubic(0.40853), WYCKOFF),
    _metal("platinum", "Pt", cubic(0.39242), WYCKOFF),
    _metal("palladium", "Pd", cubic(0.38907), WYCKOFF),
    _metal("copper", "Cu", cubic(0.36149), WYCKOFF),
    _metal("nickel", "Ni", cubic(0.35238), SWANSON),
    _metal("aluminium", "Al", cubic(0.40494), SWANSON),
    _metal("rhodium", "Rh", cubic(0.38031), SWANSON),
    _metal("iridium", "Ir", cubic(0.38394), SWANSON),
    _metal("iron", "Fe", cubic(0.28664), SWANSON, "body-centred cubic"),
    _metal("cobalt", "Co", hexagonal(0.2507, 0.4069), WYCKOFF, "hexagonal close-packed"),
    _metal("ruthenium", "Ru", hexagonal(0.27058, 0.42819), SWANSON, "hexagonal close-packed"),
    Lattice("silicon", "Si", "diamond", cubic(0.54309), structures.diamond(), ("Si",), WYCKOFF),
    Lattice("germanium", "Ge", "diamond", cubic(0.56575), structures.diamond(), ("Ge",), WYCKOFF),
    Lattice(
        "CdSe (wurtzite)",
        "CdSe",
        "wurtzite",
        hexagonal(0.4299, 0.7010),
        structures.wurtzite(0.376),
        ("Cd", "Se"),
        WYCKOFF,
    ),
    Lattice("CdSe (zinc blende)", "CdSe", "zinc blende", cubic(0.605), structures.zinc_blende(), ("Cd", "Se"), WYCKOFF),
    Lattice(
        "CdS (wurtzite)", "CdS", "wurtzite", hexagonal(0.4136, 0.6713), structures.wurtzite(0.377), ("Cd", "S"), SWANSON
    ),
    Lattice("CdS (zinc blende)", "CdS", "zinc blende", cubic(0.5818), structures.zinc_blende(), ("Cd", "S"), WYCKOFF),
    Lattice("CdTe", "CdTe", "zinc blende", cubic(0.6480), structures.zinc_blende(), ("Cd", "Te"), WYCKOFF),
    Lattice("ZnS (zinc blende)", "ZnS", "zinc blende", cubic(0.54093), structures.zinc_blende(), ("Zn", "S"), WYCKOFF),
    Lattice(
        "ZnS (wurtzite)", "ZnS", "wurtzite", hexagonal(0.3811, 0.6234), structures.wurtzite(0.375), ("Zn", "S"), WYCKOFF
    ),
    Lattice("ZnSe", "ZnSe", "zinc blende", cubic(0.56676), structures.zinc_blende(), ("Zn", "Se"), WYCKOFF),
    Lattice("InP", "InP", "zinc blende", cubic(0.58687), structures.zinc_blende(), ("In", "P"), WYCKOFF),
    Lattice("InAs", "InAs", "zinc blende", cubic(0.6058), structures.zinc_blende(), ("In", "As"), WYCKOFF),
    Lattice("GaAs", "GaAs", "zinc blende", cubic(0.56533), structures.zinc_blende(), ("Ga", "As"), WYCKOFF),
    Lattice("PbS", "PbS", "rock salt", cubic(0.5936), structures.rock_salt(), ("Pb", "S"), SWANSON),
    Lattice("PbSe", "PbSe", "rock salt", cubic(0.6124), structures.rock_salt(), ("Pb", "Se"), WYCKOFF),
    Lattice("PbTe", "PbTe", "rock salt", cubic(0.6454), structures.rock_salt(), ("Pb", "Te"), WYCKOFF),
    Lattice("magnesium oxide", "MgO", "rock salt", cubic(0.4213), structures.rock_salt(), ("Mg", "O"), SWANSON),
    Lattice("nickel oxide", "NiO", "rock salt", cubic(0.4177), structures.rock_salt(), ("Ni", "O"), SWANSON),
    Lattice("cobalt(II) oxide", "CoO", "rock salt", cubic(0.4260), structures.rock_salt(), ("Co", "O"), SWANSON),
    Lattice("ceria", "CeO2", "fluorite", cubic(0.5411), structures.fluorite(), ("Ce", "O"), SWANSON),
    Lattice("copper(I) oxide", "Cu2O", "cuprite", cubic(0.42696), structures.cuprite(), ("Cu", "O"), WYCKOFF),
    Lattice(
        "zinc oxide", "ZnO", "wurtzite", hexagonal(0.32495, 0.52069), structures.wurtzite(0.382), ("Zn", "O"), WYCKOFF
    ),
    Lattice(
        "titania (anatase)",
        "TiO2",
        "anatase",
        tetragonal(0.3785, 0.9514),
        structures.anatase(0.2081),
        ("Ti", "O"),
        WYCKOFF,
    ),
    Lattice(
        "titania (rutile)",
        "TiO2",
        "rutile",
        tetragonal(0.45937, 0.29581),
        structures.rutile(0.3053),
        ("Ti", "O"),
        WYCKOFF,
    ),
    Lattice(
        "tin dioxide", "SnO2", "rutile", tetragonal(0.4738, 0.3188), structures.rutile(0.307), ("Sn", "O"), SWANSON
    ),
    Lattice("magnetite", "Fe3O4", "spinel", cubic(0.8396), _SPINEL, ("Fe", "Fe", "O"), FLEET),
    # its vacancies leave the reflections of the spinel where they are and add weak ones, which are left out
    Lattice("maghemite", "Fe2O3", "spinel", cubic(0.8347), _SPINEL, ("Fe", "Fe", "O"), SHMAKOV),
    Lattice(
        "hematite",
        "Fe2O3",
        "corundum",
        hexagonal(0.5038, 1.3772),
        structures.corundum(0.3553, 0.3059),
        ("Fe", "O"),
        BLAKE,
    ),
    Lattice(
        "cobalt(II,III) oxide", "Co3O4", "spinel", cubic(0.8084), structures.spinel(0.263), ("Co", "Co", "O"), SWANSON
    ),
    Lattice("cobalt ferrite", "CoFe2O4", "spinel", cubic(0.8392), _SPINEL, ("Fe", "Fe", "O"), WYCKOFF),
    Lattice(
        "strontium titanate", "SrTiO3", "perovskite", cubic(0.3905), structures.perovskite(), ("Sr", "Ti", "O"), SWANSON
    ),
)
LATTICES: dict[str, Lattice] = {}
"""By formula; of several structures of a substance by formula and structure, and the commonest in nanoparticles by
its formula alone."""
for _one in _TABLE:
    LATTICES.setdefault(_one.formula, _one)
    if sum(other.formula == _one.formula for other in _TABLE) > 1:
        LATTICES[f"{_one.formula} {'maghemite' if _one.name == 'maghemite' else _one.structure}"] = _one


@cache
def _reflections(lattice: Lattice, finest_nm: float) -> tuple[Reflection, ...]:
    most = [int(n) for n in np.ceil(np.linalg.norm(lattice.cell_nm, axis=1) / finest_nm)]
    grid = np.indices([2 * n + 1 for n in most]).reshape(3, -1).T - most
    length = np.linalg.norm(lattice.places_per_nm(grid.astype(np.float64)), axis=1)
    kept = (length > 0) & (length <= 1 / finest_nm * (1 + 1e-9))
    grid, length = grid[kept], length[kept]
    weights = np.repeat([ATOMIC_NUMBERS[one] for one in lattice.elements], [len(sites) for sites in lattice.sites])
    factor = np.exp(2j * np.pi * (grid @ lattice.basis.T)) @ weights
    strength = np.abs(factor) ** 2 / weights.sum() ** 2
    strength /= strength.max()
    kept = strength > _LEAST_STRENGTH
    grid, length, strength = grid[kept], length[kept], strength[kept]
    # families of equal spacing cannot be told apart
    order = np.argsort(length, kind="stable")
    grid, length, strength = grid[order], length[order], strength[order]
    starts = np.flatnonzero(np.diff(length, prepend=-1.0) > 1e-6 * length)
    found: list[Reflection] = []
    for part in np.split(np.arange(len(length)), starts[1:]):
        members = [(int(one[0]), int(one[1]), int(one[2])) for one in grid[part]]
        families = {_family(lattice, one): "" for one in members}
        for one in sorted(members):
            if min(one) >= 0:
                separator = " " if max(one) > 9 else ""
                families[_family(lattice, one)] = "{" + separator.join(map(str, one)) + "}"
        names = sorted(filter(None, families.values()), reverse=True)
        found.append(
            Reflection("/".join(names), float(1 / length[part[0]]), tuple(members), float(strength[part].max()))
        )
    return tuple(found)


def _family(lattice: Lattice, indices: tuple[int, int, int]) -> tuple[int, ...]:
    """Return what the indices of equivalent planes have in common."""
    h, k, along_c = indices
    if lattice.structure in ("wurtzite", "corundum", "hexagonal close-packed"):
        return *sorted((abs(h), abs(k), abs(h + k))), abs(along_c)
    if lattice.structure in ("anatase", "rutile"):
        return *sorted((abs(h), abs(k))), abs(along_c)
    return tuple(sorted((abs(h), abs(k), abs(along_c))))
