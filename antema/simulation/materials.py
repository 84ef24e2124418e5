"""What particles and supports are made of: crystal structures, and what follows from them for electrons."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antema.domain.lattices import LATTICES
from antema.simulation.elements import SPECIES, Species
from antema.simulation.optics import Optics
from antema.simulation.scattering import scattering_factor_nm
from antema.simulation.shapes import SHAPES

Vectors = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Material:
    """A crystal, or a glass of the same composition and density.

    Parameters
    ----------
    name : str
        Formula.
    cell_nm : ndarray, shape (3, 3)
        Edges of the cell, one a row; cubic axes, or c along z.
    basis : ndarray, shape (n, 3)
        Fractional coordinates of the atoms of one cell.
    species : tuple of Species, length n
        What sits at each of them.
    inner_potential_v : float
        Mean inner potential, which shifts the phase of the electron wave.
    extinction_nm : float
        Extinction distance of the strongest reflection at 100 kV.
    shapes : tuple of str
        Shapes that its particles have, of `antema.simulation.shapes.SHAPES`.
    """

    name: str
    cell_nm: Vectors
    basis: Vectors
    species: tuple[Species, ...]
    inner_potential_v: float
    extinction_nm: float
    shapes: tuple[str, ...]

    @property
    def lattice_nm(self) -> float:
        """Shortest edge of the cell."""
        return float(np.linalg.norm(self.cell_nm, axis=1).min())

    @property
    def radius_nm(self) -> float:
        """Radius of the largest of its atoms or ions."""
        return max(one.radius_nm for one in self.species)

    @property
    def is_fcc_metal(self) -> bool:
        """Whether it can make the multiply twinned particles of a face-centred cubic metal."""
        return len(set(self.species)) == 1 and len(self.basis) == 4

    @property
    def atoms_per_nm3(self) -> dict[Species, float]:
        """Number density by species."""
        volume = abs(np.linalg.det(self.cell_nm))
        return {one: self.species.count(one) / volume for one in dict.fromkeys(self.species)}


_METAL_SHAPES = tuple(shape for shape in SHAPES if shape not in ("hexagonal prism", "bipyramid", "irregular"))


def _made_of(
    formula: str, species: tuple[str, ...], inner_potential_v: float, extinction_nm: float, shapes: tuple[str, ...]
) -> Material:
    """Return a material with the lattice of its formula and a species on each kind of site."""
    lattice = LATTICES[formula]
    on_sites = [SPECIES[name] for name, sites in zip(species, lattice.sites, strict=True) for _ in sites]
    return Material(formula, lattice.cell_nm, lattice.basis, tuple(on_sites), inner_potential_v, extinction_nm, shapes)


_ROUNDED = ("sphere", "ellipsoid")
METALS: dict[str, Material] = {
    symbol: _made_of(symbol, (symbol,), inner_potential_v, extinction_nm, _METAL_SHAPES)
    for symbol, inner_potential_v, extinction_nm in (
        ("Au", 28.0, 15.9),
        ("Pt", 30.0, 14.7),
        ("Ag", 23.0, 22.4),
        ("Pd", 25.0, 20.0),
        ("Cu", 21.0, 28.6),
    )
}
COMPOUNDS: dict[str, Material] = {
    one.name: one
    for one in (
        _made_of(
            "CdSe",
            ("Cd tetrahedral", "Se tetrahedral"),
            15.0,
            60.0,
            (*_ROUNDED, "hexagonal prism", "tetrahedron", "rod"),
        ),
        _made_of("TiO2", ("Ti4+ 6", "O2- 3"), 19.0, 60.0, (*_ROUNDED, "bipyramid", "rod", "plate")),
        _made_of(
            "Fe3O4",
            ("Fe3+ 4", "Fe2.5+ 6", "O2- 4"),
            17.0,
            50.0,
            (*_ROUNDED, "cube", "octahedron", "truncated octahedron", "cuboctahedron"),
        ),
        _made_of("ZnO", ("Zn2+ 4", "O2- 4"), 15.5, 50.0, (*_ROUNDED, "hexagonal prism", "plate", "rod")),
    )
}
MATERIALS: dict[str, Material] = METALS | COMPOUNDS
"""By formula, with the lattices of `antema.domain.lattices`. Extinction distances: P. B. Hirsch et al., Electron
Microscopy of Thin Crystals (1965), table 4.3 (metals; compounds about as their density)."""


@lru_cache(maxsize=256)
def absorption_per_nm(material: Material, voltage_kv: float, aperture_mrad: float) -> float:
    """Return the mass-thickness contrast of a material: which share of the electrons a nm scatters past the aperture.

    Parameters
    ----------
    material : Material
        What is crossed, in no particular orientation.
    voltage_kv : float
        Accelerating voltage.
    aperture_mrad : float
        Half-angle of the objective aperture.

    Returns
    -------
    float
        1/nm; the intensity falls as exp(-thickness * this).
    """
    return sum(
        density * cross_section_nm2(one.z, voltage_kv, aperture_mrad) for one, density in material.atoms_per_nm3.items()
    )


@lru_cache(maxsize=256)
def cross_section_nm2(z: int, voltage_kv: float, aperture_mrad: float) -> float:
    """Return the cross section of one atom for elastic scattering past a half-angle, in nm²."""
    beam = Optics(voltage_kv=voltage_kv)
    angle = np.geomspace(aperture_mrad * 1e-3, np.pi / 2, 400)
    amplitude = beam.lorentz_factor * scattering_factor_nm(z, angle / beam.wavelength_nm)
    return float(np.trapezoid(2 * np.pi * angle * amplitude**2, angle))
