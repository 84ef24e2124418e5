"""The metals that can be simulated: lattice, radius and how strongly an atom scatters electrons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BOHR_RADIUS_NM = 0.0529177
CARBON_Z = 6
CARBON_ATOMS_PER_NM3 = 100.0
"""Of amorphous carbon films, about 2.0 g/cm3."""


@dataclass(frozen=True)
class Metal:
    """A face-centred cubic metal.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    z : int
        Atomic number.
    lattice_nm : float
        Edge of the cubic cell.
    radius_nm : float
        Metallic radius: the disc around a projected atom that belongs to the particle.
    """

    symbol: str
    z: int
    lattice_nm: float
    radius_nm: float


METALS: dict[str, Metal] = {
    metal.symbol: metal
    for metal in (
        Metal("Au", 79, 0.40782, 0.144),
        Metal("Pt", 78, 0.39242, 0.139),
        Metal("Ag", 47, 0.40853, 0.144),
        Metal("Pd", 46, 0.38907, 0.137),
        Metal("Cu", 29, 0.36149, 0.128),
    )
}


def scattering_factor_nm(z: int, g_per_nm: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the electron scattering factor of a neutral atom in the first Born approximation.

    Parameters
    ----------
    z : int
        Atomic number.
    g_per_nm : ndarray
        Spatial frequency in 1/nm.

    Returns
    -------
    ndarray
        Scattering factor in nm, without the relativistic mass.

    References
    ----------
    .. [1] G. Molière, Z. Naturforsch. A 2 (1947) 133: three-term fit of the Thomas-Fermi potential.
    """
    screening_nm = 0.8853 * BOHR_RADIUS_NM * z ** (-1 / 3)
    q_squared = (2 * np.pi * g_per_nm) ** 2
    terms = ((0.10, 6.0), (0.55, 1.2), (0.35, 0.3))
    total = sum(share / (q_squared + (rate / screening_nm) ** 2) for share, rate in terms)
    return 2 * z / BOHR_RADIUS_NM * np.asarray(total)
