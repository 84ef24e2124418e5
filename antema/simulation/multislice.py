"""Exit waves and images of atoms, thin or thick: what `antema.simulation.waves` computes, for atoms in nm."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antema.simulation.fourier import Image, fast_length
from antema.simulation.optics import Optics
from antema.simulation.scattering import atom_factors

Wave = NDArray[np.complex64]
_ANY = 6
"""The element of no atoms."""
_WITHIN_A_FOCUS = 0.6
"""Part of the focal spread that damps the image of each focus; without it, far frequencies need hundreds of foci."""


def thin_shift(
    atoms: NDArray[np.floating],
    z: NDArray[np.integer] | int,
    *,
    pixel_size_nm: float,
    shape: tuple[int, int],
    optics: Optics,
    absorption: NDArray[np.floating] | float = 0.0,
) -> Wave:
    """Return phase + 1j * loss of atoms projected into one slice.

    Parameters
    ----------
    atoms : ndarray, shape (n, 2 or 3)
        x, y (and z, without effect) in nm; the centre of pixel (row i, column j) lies at (j + 0.5, i + 0.5) pixels.
        Atoms outside of the field are left out; potentials reach over its edges to the other side.
    z : ndarray of int, shape (n,), or int
        Atomic numbers.
    pixel_size_nm : float
        Edge of a pixel.
    shape : tuple of int
        Height and width; `antema.simulation.fourier.fast_length` gives lengths that save compiling.
    optics : Optics
        For its voltage.
    absorption : ndarray, shape (n,), or float
        Ratio of lost to shifted amplitude, of each atom or of all, besides what is scattered beyond the grid's
        frequencies (`antema.simulation.scattering.atom_factors`).

    Returns
    -------
    ndarray of complex64, shape (h, w)
        The wave behind is exp(1j * this).
    """
    from antema.simulation import waves

    atoms = np.asarray(atoms)
    numbers, element = np.unique(np.broadcast_to(z, len(atoms)), return_inverse=True)
    if len(numbers) == 0:
        return np.zeros(shape, np.complex64)
    weights = 1 + 1j * np.broadcast_to(absorption, len(atoms))
    arrays = _filled(atoms / pixel_size_nm, weights.astype(np.complex64), element, fast_length(len(atoms)))
    factors = atom_factors(numbers.tolist(), optics, pixel_size_nm)
    return np.asarray(waves.shift(waves.deposited(*arrays, shape, len(numbers)), factors, optics, pixel_size_nm))


def thin_image(shift: NDArray[np.complexfloating], optics: Optics, pixel_size_nm: float) -> Image:
    """Return the image intensity (1 in the free beam) of a thin object with phase + 1j * loss `shift`."""
    from antema.simulation import waves

    return np.asarray(waves.thin_image(np.asarray(shift, np.complex64), optics, pixel_size_nm))


def exit_wave(
    atoms: NDArray[np.floating],
    z: NDArray[np.integer] | int,
    *,
    pixel_size_nm: float,
    shape: tuple[int, int],
    slice_nm: float,
    optics: Optics,
    absorption: float = 0.0,
    plane_nm: float | None = None,
    thin_atoms: bool = False,
) -> Wave:
    """Return a plane wave behind atoms, by multislice.

    Slices have their atoms projected whole into their middle plane; the stack of slices lies evenly around the atoms.

    Parameters
    ----------
    atoms : ndarray, shape (n, 3)
        x, y and z in nm, the beam runs to greater z; else as in `thin_shift`.
    z, pixel_size_nm, shape, optics
        As in `thin_shift`. For lattice images that compare with exact ones: at most 0.024 nm a pixel.
    slice_nm : float
        Thickness of a slice; at most 0.4 nm where the detail inside particles matters.
    absorption : float
        As in `thin_shift`, of all atoms.
    plane_nm : float or None
        Height of the plane where the wave is given, propagated back to it as a lens does; defocus counts from there.
        None: the middle of the atoms.
    thin_atoms : bool
        As in `antema.simulation.scattering.atom_factors`; without absorption the wave then keeps its energy.

    Returns
    -------
    ndarray of complex64, shape (h, w)
        1 in the free beam.
    """
    return exit_waves(
        [(atoms, z)],
        pixel_size_nm=pixel_size_nm,
        shape=shape,
        slice_nm=slice_nm,
        optics=optics,
        absorption=absorption,
        plane_nm=plane_nm,
        thin_atoms=thin_atoms,
    )[0]


def exit_waves(
    specimens: Sequence[tuple[NDArray[np.floating], NDArray[np.integer] | int]],
    *,
    pixel_size_nm: float,
    shape: tuple[int, int],
    slice_nm: float,
    optics: Optics,
    absorption: float = 0.0,
    plane_nm: float | None = None,
    thin_atoms: bool = False,
) -> Wave:
    """Return the waves behind several specimens (atoms, atomic numbers) at once, complex64 (n, h, w): `exit_wave`."""
    from antema.simulation import waves

    places = [np.asarray(atoms, np.float64).reshape(-1, 3) for atoms, _ in specimens]
    elements = [np.broadcast_to(np.asarray(z), len(atoms)) for atoms, (_, z) in zip(places, specimens, strict=True)]
    numbers = np.unique(np.concatenate(elements)).tolist() or [_ANY]
    # the stack of slices lies evenly around the atoms
    ends = [(atoms[:, 2].min(), atoms[:, 2].max()) if len(atoms) else (0.0, 0.0) for atoms in places]
    needed = [max(int(np.ceil((high - low) / slice_nm)), 1) for low, high in ends]
    middle = np.array([(low + high) / 2 for low, high in ends])
    top = middle - np.array(needed) * slice_nm / 2
    which = [
        np.clip(((atoms[:, 2] - first) / slice_nm).astype(int), 0, n - 1)
        for atoms, first, n in zip(places, top, needed, strict=True)
    ]
    counts = [np.bincount(k, minlength=1) for k in which]
    slices, most = _few(max(needed)), _many(max(int(count.max()) for count in counts))
    rows = [
        _filled(
            atoms[k == one] / pixel_size_nm,
            np.full(np.count_nonzero(k == one), 1 + 1j * absorption, np.complex64),
            np.searchsorted(numbers, z[k == one]),
            most,
        )
        for atoms, z, k in zip(places, elements, which, strict=True)
        for one in range(slices)
    ]
    arrays = [np.stack(column).reshape(len(places), slices, most) for column in zip(*rows, strict=True)]
    # the projection of a slice stands in its middle, half a slice before the wave has run through it
    behind = top + slice_nm * (slices + 0.5)
    last_nm = ((middle if plane_nm is None else plane_nm) - behind).astype(np.float32)
    factors = atom_factors(numbers, optics, pixel_size_nm, thin_atoms=thin_atoms)
    return np.asarray(waves.exit_waves(*arrays, factors, optics, pixel_size_nm, slice_nm, last_nm, shape))


def image(wave: Wave, optics: Optics, pixel_size_nm: float, *, foci: int = 1) -> Image:
    """Return the image intensity (1 in the free beam) of an exit wave.

    Parameters
    ----------
    wave : ndarray of complex64, shape (..., h, w)
        `exit_wave`.
    optics : Optics
        The lens.
    pixel_size_nm : float
        Edge of a pixel.
    foci : int
        1: the focal spread damps the transfer, which is right for beams that interfere with the undiffracted one. More:
        intensities are summed over so many foci, nearer to the truth where diffracted beams interfere with each other.

    Returns
    -------
    ndarray of float32, shape (..., h, w)
        Mean 1 but for electrons that the aperture or the specimen took.
    """
    from antema.simulation import waves

    if foci == 1:
        return np.asarray(waves.image(wave, optics, pixel_size_nm))
    places, weights = np.polynomial.hermite_e.hermegauss(foci)
    between = optics.focal_spread_nm * _WITHIN_A_FOCUS
    among = optics.focal_spread_nm * (1 - _WITHIN_A_FOCUS**2) ** 0.5
    total = np.zeros(wave.shape, np.float32)
    for place, weight in zip(places, weights / weights.sum(), strict=True):
        one = replace(optics, defocus_nm=optics.defocus_nm + float(place) * among, focal_spread_nm=between)
        total += np.float32(weight) * np.asarray(waves.image(wave, one, pixel_size_nm))
    return total


def _few(slices: int) -> int:
    """Return a number of slices from `slices` on, one of few: each number is compiled for itself."""
    return slices if slices <= 8 else fast_length(slices)


def _many(atoms: int) -> int:
    """Return a number of atoms in a slice from `atoms` on: a power of two, as atoms cost less than compiling does."""
    return max(1 << (atoms - 1).bit_length(), 8)


def _filled(
    atoms_px: NDArray[np.floating], weights: NDArray[np.generic], element: NDArray[np.integer], n: int
) -> tuple[NDArray[np.generic], ...]:
    """Return x, y, weights and elements as `waves.deposited` takes them, filled up to `n` atoms that weigh nothing."""
    more = (0, n - len(atoms_px))
    columns: Sequence[NDArray[np.generic]] = (
        atoms_px[:, 0].astype(np.float32),
        atoms_px[:, 1].astype(np.float32),
        weights,
        element.astype(np.int32),
    )
    return tuple(np.pad(column, more) for column in columns)
