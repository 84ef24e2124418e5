"""Elements: how large an atom counts in a particle's outline."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Species:
    """An atom or ion as it is met in a material.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    z : int
        Atomic number.
    radius_nm : float
        Radius of the disc around a projected atom that belongs to the particle.
    """

    symbol: str
    z: int
    radius_nm: float


SPECIES: dict[str, Species] = {
    name: Species(symbol, z, radius_nm)
    for name, symbol, z, radius_nm in (
        # metallic radii, twelve neighbours [1]
        ("Au", "Au", 79, 0.144),
        ("Pt", "Pt", 78, 0.139),
        ("Ag", "Ag", 47, 0.144),
        ("Pd", "Pd", 46, 0.137),
        ("Cu", "Cu", 29, 0.128),
        # tetrahedral covalent radii [2]
        ("Cd tetrahedral", "Cd", 48, 0.148),
        ("Se tetrahedral", "Se", 34, 0.114),
        # effective ionic radii by charge and number of neighbours [3]
        ("Ti4+ 6", "Ti", 22, 0.0605),
        ("Fe3+ 4", "Fe", 26, 0.049),
        ("Fe2.5+ 6", "Fe", 26, 0.0713),  # mean of Fe2+ and Fe3+, high spin
        ("Zn2+ 4", "Zn", 30, 0.060),
        ("O2- 3", "O", 8, 0.136),
        ("O2- 4", "O", 8, 0.138),
    )
}
"""Radii by which truth is drawn.

.. [1] A. F. Wells, Structural Inorganic Chemistry, 5th ed. (1984), table 29.2.
.. [2] L. Pauling, The Nature of the Chemical Bond, 3rd ed. (1960), table 7-13.
.. [3] R. D. Shannon, Acta Cryst. A 32 (1976) 751.
"""
