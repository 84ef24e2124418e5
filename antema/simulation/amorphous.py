"""Amorphous supports, carbon and silicon: as a random field with the right structure factor, and atom by atom."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antema.simulation.fourier import Image, fast_length
from antema.simulation.optics import Optics
from antema.simulation.scattering import atom_factors


@dataclass(frozen=True)
class AmorphousSolid:
    """An amorphous element.

    Parameters
    ----------
    z : int
        Atomic number.
    atoms_per_nm3 : float
        Number density.
    least_distance_nm : float
        Closest distance of two atoms when packed at random.
    structure : tuple of (float, float, float)
        Terms (height, place in 1/nm, width in 1/nm) of the structure factor,
        S(g) = 1 + sum of height * exp(-((g - place) / width)²).
    """

    z: int
    atoms_per_nm3: float
    least_distance_nm: float
    structure: tuple[tuple[float, float, float], ...]


CARBON = AmorphousSolid(6, 100.0, 0.160, ((-0.8, 0.0, 2.6), (0.22, 4.7, 0.8), (-0.12, 6.6, 0.7), (0.15, 8.5, 0.8)))
"""Evaporated film of about 2.0 g/cm3. Maxima at 2 pi g of 30 and 53 per nm, as F. Li and J. S. Lannin measured,
Phys. Rev. Lett. 65 (1990) 1905."""
SILICON = AmorphousSolid(14, 49.0, 0.225, ((-0.95, 0.0, 1.9), (0.6, 3.2, 0.45), (0.45, 5.7, 0.6), (0.2, 9.0, 0.8)))
"""2.28 g/cm3. Maxima at 2 pi g of 20, 36 and 57 per nm, as K. Laaziri et al. measured, Phys. Rev. Lett. 82 (1999)
3460; packed at random it lacks the first of them, which its tetrahedral bonds make."""


def structure_factor(solid: AmorphousSolid, g_per_nm: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return S(g) of an amorphous solid: the spectrum of its atoms' places over that of independent atoms."""
    return np.asarray(1 + sum(h * np.exp(-(((g_per_nm - p) / w) ** 2)) for h, p, w in solid.structure))


def amorphous_shift(
    rng: np.random.Generator,
    shape: tuple[int, int],
    pixel_size_nm: float,
    thickness_nm: float | Image,
    optics: Optics,
    solid: AmorphousSolid = CARBON,
) -> NDArray[np.complex64]:
    """Return phase + 1j * loss of an amorphous film.

    The mean phase of the solid, and around it a Gaussian random field whose spectrum is that of independent atoms
    times the structure factor.

    Parameters
    ----------
    rng : Generator
        Source of the field.
    shape : tuple of int
        Height and width in pixels.
    pixel_size_nm : float
        Edge of a pixel.
    thickness_nm : float or ndarray, shape (h, w)
        Of the film, everywhere or at each pixel: the mean grows with it, the spread with its square root.
    optics : Optics
        For its voltage.
    solid : AmorphousSolid
        What it is made of.

    Returns
    -------
    ndarray of complex64, shape (h, w)
        The wave behind is exp(1j * this).
    """
    from antema.simulation import waves

    full = (fast_length(shape[0]), fast_length(shape[1]))
    white = rng.standard_normal(full, dtype=np.float32)
    factors = atom_factors([solid.z], optics, pixel_size_nm)
    structure = np.array(solid.structure, np.float32)
    per_px = solid.atoms_per_nm3 * pixel_size_nm**2
    film = np.asarray(waves.amorphous_shift(white, factors, structure, per_px, optics, pixel_size_nm))
    thickness = np.asarray(thickness_nm, np.float32)
    mean = np.complex64(mean_shift_per_nm(solid, optics, pixel_size_nm))
    return mean * thickness + film[: shape[0], : shape[1]] * np.sqrt(thickness)


def mean_shift_per_nm(solid: AmorphousSolid, optics: Optics, pixel_size_nm: float) -> complex:
    """Return phase + 1j * loss that each nm of a solid adds on average, in rad."""
    terms, beyond, _ = atom_factors([solid.z], optics, pixel_size_nm)
    at_rest = 2 * float(terms[0, 0].sum()) * optics.lorentz_factor * optics.wavelength_nm + complex(beyond[0, 0])
    return solid.atoms_per_nm3 * at_rest


def packed(
    rng: np.random.Generator, size_nm: tuple[float, float, float], solid: AmorphousSolid = CARBON
) -> NDArray[np.float64]:
    """Return atoms packed at random in a box, none nearer to another than `solid.least_distance_nm`.

    Atoms are added one after another where there is room (random sequential addition), the box repeats in x and y.

    Parameters
    ----------
    rng : Generator
        Source of the places.
    size_nm : tuple of float
        Edges of the box along x, y and z.
    solid : AmorphousSolid
        Its density and least distance.

    Returns
    -------
    ndarray, shape (n, 3)
        x, y and z in nm, in [0, size).

    Raises
    ------
    ValueError
        If the box has no room for as many atoms at this distance.
    """
    from scipy.spatial import KDTree

    size = np.asarray(size_nm, np.float64)
    wanted = int(round(solid.atoms_per_nm3 * float(size.prod())))
    if (size[:2] < 2 * solid.least_distance_nm).any():
        msg = f"A box of at least {2 * solid.least_distance_nm:g} nm along x and y is expected; found {size_nm} nm."
        raise ValueError(msg)
    box = np.array([size[0], size[1], size[2] + 2 * solid.least_distance_nm])  # no neighbours across z
    atoms = np.empty((0, 3))
    for _ in range(400):
        fresh = rng.uniform(0, 1, (min(max(2 * (wanted - len(atoms)), wanted // 4, 64), 200_000), 3)) * size
        if len(atoms):
            near, _ = KDTree(atoms, boxsize=box).query(fresh, distance_upper_bound=solid.least_distance_nm)
            fresh = fresh[np.isinf(near)]
        pairs = KDTree(fresh, boxsize=box).query_pairs(solid.least_distance_nm, output_type="ndarray")
        fresh = fresh[_first_come(len(fresh), pairs)]
        atoms = np.concatenate([atoms, fresh[: wanted - len(atoms)]])
        if len(atoms) == wanted:
            return atoms
    msg = (
        f"{wanted} atoms at least {solid.least_distance_nm:g} nm apart are expected to fit into "
        f"{' x '.join(f'{edge:g}' for edge in size_nm)} nm; found room for {len(atoms)}."
    )
    raise ValueError(msg)


def slab(
    rng: np.random.Generator, size_nm: tuple[float, float, float], solid: AmorphousSolid, *, most_atoms: int = 20_000
) -> NDArray[np.float64]:
    """Return atoms packed at random as `packed` does; many are cut at random out of a larger block, made once.

    Parameters
    ----------
    rng : Generator
        Source of the places, or of where the block is cut and which way it lies.
    size_nm : tuple of float
        Edges of the box along x, y and z; it repeats in x and y where it has at most `most_atoms`.
    solid : AmorphousSolid
        Its density and least distance.
    most_atoms : int
        From here on a block is cut.

    Returns
    -------
    ndarray, shape (n, 3)
        x, y and z in nm, in [0, size).
    """
    x, y, z = size_nm
    if solid.atoms_per_nm3 * x * y * z <= most_atoms:
        return packed(rng, size_nm, solid)
    edge, depth = float(16 * np.ceil(max(x, y) / 16)), float(6 * np.ceil(z / 6))
    atoms = _block(solid, edge, depth) + (*rng.uniform(0, edge, 2), -rng.uniform(0, depth - z))
    atoms[:, :2] %= edge
    if rng.random() < 0.5:
        atoms[:, :2] = atoms[:, 1::-1]
    if rng.random() < 0.5:
        atoms[:, 2] = z - atoms[:, 2]
    return atoms[((atoms >= 0) & (atoms < size_nm)).all(axis=1)]


@lru_cache(maxsize=4)
def _block(solid: AmorphousSolid, edge_nm: float, depth_nm: float) -> NDArray[np.float64]:
    return packed(np.random.default_rng(16), (edge_nm, edge_nm, depth_nm), solid)


def _first_come(n: int, pairs: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of `n` candidates stay if each in turn is refused that is too near to an earlier one that stayed."""
    stays = np.ones(n, bool)
    for early, late in pairs[np.argsort(pairs[:, 1], kind="stable")]:  # query_pairs gives early < late
        if stays[early]:
            stays[late] = False
    return stays
