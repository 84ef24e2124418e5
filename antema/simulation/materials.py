"""What particles and supports are made of: crystal structures, and what follows from them for electrons."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

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


_FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
_METAL_SHAPES = tuple(shape for shape in SHAPES if shape not in ("hexagonal prism", "bipyramid", "irregular"))


def _metal(symbol: str, lattice_nm: float, inner_potential_v: float, extinction_nm: float) -> Material:
    cell = lattice_nm * np.eye(3)
    return Material(symbol, cell, _FCC, (SPECIES[symbol],) * 4, inner_potential_v, extinction_nm, _METAL_SHAPES)


def _hexagonal(a_nm: float, c_nm: float) -> Vectors:
    return np.array([[a_nm, 0, 0], [-a_nm / 2, a_nm * np.sqrt(3) / 2, 0], [0, 0, c_nm]])


def _wurtzite(u: float) -> Vectors:
    return np.array([[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, u], [2 / 3, 1 / 3, 0.5 + u]])


def _anatase(u: float) -> Vectors:
    titanium = np.array([[0, 0, 0], [0, 0.5, 0.25]])  # I4_1/amd, origin at -4m2
    sites = np.concatenate([titanium, titanium + (0, 0, u), titanium - (0, 0, u)])
    return np.concatenate([sites, sites + 0.5]) % 1


def _spinel(u: float) -> tuple[Vectors, int, int]:
    # Fd-3m, origin at the centre of inversion: 8a, 16d and 32e before the face centring
    tetrahedral = np.array([[1, 1, 1], [7, 3, 3]]) / 8
    octahedral = np.array([[2, 2, 2], [1, 3, 0], [3, 0, 1], [0, 1, 3]]) / 4
    oxygen = np.array(
        [
            (u, u, u),
            (-u + 1 / 4, -u + 1 / 4, u),
            (-u + 1 / 4, u, -u + 1 / 4),
            (u, -u + 1 / 4, -u + 1 / 4),
            (u + 3 / 4, u + 1 / 4, -u + 1 / 2),
            (-u, -u, -u),
            (u + 1 / 4, -u + 1 / 2, u + 3 / 4),
            (-u + 1 / 2, u + 3 / 4, u + 1 / 4),
        ]
    )
    sites = [np.concatenate([part + shift for shift in _FCC]) % 1 for part in (tetrahedral, octahedral, oxygen)]
    return np.concatenate(sites), len(sites[0]), len(sites[1])


def _compounds() -> tuple[Material, ...]:
    spinel, tetrahedral, octahedral = _spinel(0.2549)
    oxygen = len(spinel) - tetrahedral - octahedral
    ions = (SPECIES["Fe3+ 4"],) * tetrahedral + (SPECIES["Fe2.5+ 6"],) * octahedral + (SPECIES["O2- 4"],) * oxygen
    cd, se, zn, o = (SPECIES[name] for name in ("Cd tetrahedral", "Se tetrahedral", "Zn2+ 4", "O2- 4"))
    titania = (SPECIES["Ti4+ 6"],) * 2 + (SPECIES["O2- 3"],) * 4
    rounded = ("sphere", "ellipsoid")
    return (
        Material(
            "CdSe",
            _hexagonal(0.4299, 0.7010),
            _wurtzite(0.376),
            (cd, cd, se, se),
            15.0,
            60.0,
            (*rounded, "hexagonal prism", "tetrahedron", "rod"),
        ),
        Material(
            "TiO2",
            np.diag([0.3785, 0.3785, 0.9514]),
            _anatase(0.2081),
            titania * 2,
            19.0,
            60.0,
            (*rounded, "bipyramid", "rod", "plate"),
        ),
        Material(
            "Fe3O4",
            0.8396 * np.eye(3),
            spinel,
            ions,
            17.0,
            50.0,
            (*rounded, "cube", "octahedron", "truncated octahedron", "cuboctahedron"),
        ),
        Material(
            "ZnO",
            _hexagonal(0.32495, 0.52069),
            _wurtzite(0.382),
            (zn, zn, o, o),
            15.5,
            50.0,
            (*rounded, "hexagonal prism", "plate", "rod"),
        ),
    )


METALS: dict[str, Material] = {
    one.name: one
    for one in (
        _metal("Au", 0.40782, 28.0, 15.9),
        _metal("Pt", 0.39242, 30.0, 14.7),
        _metal("Ag", 0.40853, 23.0, 22.4),
        _metal("Pd", 0.38907, 25.0, 20.0),
        _metal("Cu", 0.36149, 21.0, 28.6),
    )
}
COMPOUNDS: dict[str, Material] = {one.name: one for one in _compounds()}
MATERIALS: dict[str, Material] = METALS | COMPOUNDS
"""By formula. Lattices: R. W. G. Wyckoff, Crystal Structures, 2nd ed. (1963), magnetite after Fleet, Acta Cryst. B 37
(1981) 917; extinction distances: P. B. Hirsch et al., Electron Microscopy of Thin Crystals (1965), table 4.3 (metals;
compounds about as their density)."""


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
