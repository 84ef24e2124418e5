"""The metals that can be simulated: lattice and radius."""

from dataclasses import dataclass


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
