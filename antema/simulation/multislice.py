"""Exit waves and images of atoms, thin or thick: what `antema.simulation.waves` computes, for atoms in nm."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antema.simulation.fourier import Image, fast_length
from antema.simulation.optics import Optics
from antema.simulation.scattering import lobato_terms

Wave = NDArray[np.complex64]


def thin_phase(
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
        Ratio of lost to shifted amplitude, of each atom or of all.

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
    grids = waves.deposited(*arrays, shape, len(numbers))
    return np.asarray(waves.potential(grids, lobato_terms(numbers.tolist()), optics, pixel_size_nm))


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
    absorption: NDArray[np.floating] | float = 0.0,
    plane_nm: float | None = None,
) -> Wave:
    """Return a plane wave behind atoms, by multislice.

    Slices have their atoms projected whole into their middle plane; the first begins at the atom of least z.

    Parameters
    ----------
    atoms : ndarray, shape (n, 3)
        x, y and z in nm, the beam runs to greater z; else as in `thin_phase`.
    z, pixel_size_nm, shape, optics, absorption
        As in `thin_phase`. For lattice images that compare with exact ones: at most 0.012 nm a pixel.
    slice_nm : float
        Thickness of a slice; at most 0.4 nm where the detail inside particles matters.
    plane_nm : float or None
        Height of the plane where the wave is given, propagated back to it as a lens does; defocus counts from there.
        None: the middle of the atoms.

    Returns
    -------
    ndarray of complex64, shape (h, w)
        1 in the free beam. Frequencies beyond 2/3 of the Nyquist frequency are empty.
    """
    from antema.simulation import waves

    arrays, terms, last_nm = _sliced(atoms, z, pixel_size_nm, slice_nm, absorption, plane_nm)
    return np.asarray(waves.exit_wave(*arrays, terms, optics, pixel_size_nm, slice_nm, last_nm, shape))


def image(wave: Wave, optics: Optics, pixel_size_nm: float) -> Image:
    """Return the image intensity (1 in the free beam) of an exit wave, shape (h, w) or (n, h, w)."""
    from antema.simulation import waves

    return np.asarray(waves.image(np.asarray(wave, np.complex64), optics, pixel_size_nm))


def _sliced(
    atoms: NDArray[np.floating],
    z: NDArray[np.integer] | int,
    pixel_size_nm: float,
    slice_nm: float,
    absorption: NDArray[np.floating] | float,
    plane_nm: float | None,
) -> tuple[tuple[NDArray[np.generic], ...], NDArray[np.float32], float]:
    """Return the rows of `waves.exit_wave`, the elements' terms and the last distance."""
    atoms = np.asarray(atoms, np.float64)
    numbers, element = np.unique(np.broadcast_to(z, len(atoms)), return_inverse=True)
    top, bottom = (atoms[:, 2].min(), atoms[:, 2].max()) if len(atoms) else (0.0, 0.0)
    which = ((atoms[:, 2] - top) / slice_nm).astype(int)
    counts = np.bincount(which, minlength=1)
    slices, most = fast_length(len(counts)), fast_length(int(counts.max(initial=1)))  # few shapes: few compilations
    weights = np.broadcast_to(absorption, len(atoms)) * 1j + 1
    if not weights.imag.any():
        weights = weights.real
    weights = weights.astype(np.complex64 if np.iscomplexobj(weights) else np.float32)
    rows = [
        _filled(atoms[which == k] / pixel_size_nm, weights[which == k], element[which == k], most)
        for k in range(slices)
    ]
    arrays = tuple(np.stack(column) for column in zip(*rows, strict=True))
    plane = float(top + bottom) / 2 if plane_nm is None else plane_nm
    # the projection of a slice stands in its middle, half a slice before the wave has run through it
    behind = top + slice_nm / 2 + slices * slice_nm
    return arrays, lobato_terms(numbers.tolist() or [6]), float(plane - behind)


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
