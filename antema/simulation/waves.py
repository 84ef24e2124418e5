"""Electron waves on a grid: atoms projected, waves transmitted, propagated and imaged.

All functions are compiled by JAX for each shape of their arrays, in single precision. Phases and losses come as one
complex array, phase + 1j * loss: the wave behind the object is exp(1j * that). Grids are periodic.
"""

from dataclasses import fields
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from antema.simulation.optics import Optics
from antema.simulation.scattering import AtomFactors

# the numbers of a microscope are arguments, so that another one needs no compilation
jax.tree_util.register_dataclass(Optics, [field.name for field in fields(Optics)], [])

_APERTURE_EDGE = 0.02
"""Softness of the objective aperture, relative to its radius."""


def axes_per_nm(shape: tuple[int, int], pixel_size_nm: Array | float) -> tuple[Array, Array]:
    """Return the frequencies along y, shape (h, 1), and x, shape (1, w), in 1/nm."""
    return jnp.fft.fftfreq(shape[0])[:, None] / pixel_size_nm, jnp.fft.fftfreq(shape[1])[None] / pixel_size_nm


@partial(jax.jit, static_argnames="shape")
def transfer(optics: Optics, shape: tuple[int, int], pixel_size_nm: float) -> Array:
    """Return the wave transfer function, complex64 of `shape`: aberrations, coherence envelopes, aperture.

    References
    ----------
    .. [1] E. J. Kirkland, Advanced Computing in Electron Microscopy, chapters 2, 3: quasi-coherent envelopes.
    """
    lens, damping = _lens(optics, shape, pixel_size_nm)
    return lens * jnp.exp(-damping)


def _lens(optics: Optics, shape: tuple[int, int], pixel_size_nm: Array | float) -> tuple[Array, Array]:
    """Return aperture and aberrations, complex64 of `shape`, and minus the logarithm of the coherence envelopes."""
    gy, gx = axes_per_nm(shape, pixel_size_nm)
    wavelength = optics.wavelength_nm
    x, y = wavelength * gx, wavelength * gy  # angle of scattering
    square = x**2 + y**2
    astigmatism, twice = optics.astigmatism_nm, 2 * optics.astigmatism_angle_rad
    coma, once = optics.coma_nm, optics.coma_angle_rad
    threefold, thrice = optics.threefold_nm, 3 * optics.threefold_angle_rad
    cs_nm = optics.cs_mm * 1e6
    cos2, sin2 = astigmatism * jnp.cos(twice), astigmatism * jnp.sin(twice)
    cos1, sin1 = coma * jnp.cos(once), coma * jnp.sin(once)
    cos3, sin3 = threefold * jnp.cos(thrice), threefold * jnp.sin(thrice)
    tilt = x * cos1 + y * sin1
    path_nm = (
        0.5 * square * (0.5 * cs_nm * square - optics.defocus_nm)
        + 0.5 * ((x**2 - y**2) * cos2 + 2 * x * y * sin2)
        + square * tilt / 3
        + ((x**3 - 3 * x * y**2) * cos3 + (3 * x**2 * y - y**3) * sin3) / 3
    )
    round_nm = cs_nm * square - optics.defocus_nm
    slope_x = round_nm * x + x * cos2 + y * sin2 + (2 * x * tilt + square * cos1) / 3
    slope_y = round_nm * y - y * cos2 + x * sin2 + (2 * y * tilt + square * sin1) / 3
    slope_x += (x**2 - y**2) * cos3 + 2 * x * y * sin3
    slope_y += (x**2 - y**2) * sin3 - 2 * x * y * cos3
    temporal = 0.5 * (jnp.pi / wavelength * optics.focal_spread_nm * square) ** 2
    spatial = (jnp.pi * optics.convergence_mrad * 1e-3 / wavelength) ** 2 * (slope_x**2 + slope_y**2)
    aperture = optics.aperture_mrad * 1e-3
    beyond = (jnp.sqrt(square) / jnp.where(aperture > 0, aperture, 1.0) - 1) / _APERTURE_EDGE
    passed = jnp.where(aperture > 0, jax.nn.sigmoid(-beyond), 1.0)
    return passed * jnp.exp(-2j * jnp.pi / wavelength * path_nm), temporal + spatial


def phases_nm2(factors: AtomFactors, optics: Optics, g_per_nm: Array) -> Array:
    """Return the transforms of the atoms' complex phases in rad nm², complex64 (elements, h, w)."""
    g2 = g_per_nm**2
    amplitudes, widths = (jnp.asarray(factors.terms)[:, k, :, None, None] for k in (0, 1))
    born = jnp.zeros(())
    for k in range(amplitudes.shape[1]):
        born += amplitudes[:, k] * (2 + widths[:, k] * g2) / (1 + widths[:, k] * g2) ** 2
    at = g_per_nm / factors.step_per_nm
    low = jnp.floor(at).astype(jnp.int32)
    beyond = jnp.asarray(factors.beyond)
    table = beyond[:, low] + (at - low) * (beyond[:, low + 1] - beyond[:, low])
    return optics.lorentz_factor * optics.wavelength_nm * born + table


@partial(jax.jit, static_argnames=("shape", "elements"))
def deposited(x_px: Array, y_px: Array, weights: Array, element: Array, shape: tuple[int, int], elements: int) -> Array:
    """Return the atoms on a grid, one for each element: each shared among 4 x 4 pixels by cubic B-splines.

    Parameters
    ----------
    x_px, y_px : Array, shape (n,)
        Positions; 0.5 is the centre of the first pixel. Atoms outside of the grid are left out.
    weights : Array, shape (n,), real or complex
        What each atom counts.
    element : Array of int, shape (n,)
        Which grid it belongs to.
    shape : tuple of int
        Height and width.
    elements : int
        How many grids.

    Returns
    -------
    Array, shape (elements, h, w)
        `shift` takes the splines out again.
    """
    h, w = shape
    inside = (x_px >= 0) & (x_px < w) & (y_px >= 0) & (y_px < h)
    weights = jnp.where(inside, weights, 0)
    (column, share_x), (row, share_y) = _splines(x_px - 0.5), _splines(y_px - 0.5)
    columns, rows = (column[:, None] + jnp.arange(4)) % w, (row[:, None] + jnp.arange(4)) % h
    values = weights[:, None, None] * share_y[:, :, None] * share_x[:, None, :]
    at = (element[:, None, None] * h + rows[:, :, None]) * w + columns[:, None, :]
    grid = jnp.zeros(elements * h * w, values.dtype).at[at.ravel()].add(values.ravel())
    return grid.reshape(elements, h, w)


def _splines(at: Array) -> tuple[Array, Array]:
    """Return the first of the four samples that each place touches, (n,), and their shares, (n, 4)."""
    low = jnp.floor(at)
    t = at - low
    rest = 1 - t
    shares = (rest**3, 3 * t**3 - 6 * t**2 + 4, 3 * rest**3 - 6 * rest**2 + 4, t**3)
    return low.astype(jnp.int32) - 1, jnp.stack(shares, axis=-1) / 6


@jax.jit
def shift(grids: Array, factors: AtomFactors, optics: Optics, pixel_size_nm: float) -> Array:
    """Return phase + 1j * loss of deposited atoms in one slice, complex64 (h, w).

    Parameters
    ----------
    grids : Array, shape (elements, h, w)
        `deposited`.
    factors : AtomFactors
        Of the elements, at this voltage and pixel size.
    optics : Optics
        For its voltage.
    pixel_size_nm : float
        Edge of a pixel.
    """
    gy, gx = axes_per_nm((grids.shape[1], grids.shape[2]), pixel_size_nm)
    spread = pixel_size_nm**2 * (jnp.sinc(gy * pixel_size_nm) * jnp.sinc(gx * pixel_size_nm)) ** 4  # of the splines
    phases = phases_nm2(factors, optics, jnp.hypot(gx, gy))
    return jnp.fft.ifft2((jnp.fft.fft2(grids) * phases).sum(axis=0) / spread)


@jax.jit
def thin_image(behind: Array, optics: Optics, pixel_size_nm: float) -> Array:
    """Return the image intensity, float32 (h, w), of a thin object with phase + 1j * loss `behind`."""
    return image(jnp.exp(1j * behind), optics, pixel_size_nm)


@jax.jit
def image(wave: Array, optics: Optics, pixel_size_nm: float) -> Array:
    """Return the image intensity, float32 (..., h, w), of an exit wave.

    The envelopes say how much of each frequency still interferes with the undiffracted beam; what no longer does
    is added as an intensity of its own, so that partial coherence loses no electrons. Of the transmission cross
    coefficient this keeps the values for pairs with the undiffracted beam, and those of each frequency with itself.
    Electrons missing in the exit wave come back as haze where the optics say so.
    """
    h, w = wave.shape[-2:]
    lens, damping = _lens(optics, (h, w), pixel_size_nm)
    spectrum = jnp.fft.fft2(wave) * lens
    envelope = jnp.exp(-damping)
    total = _intensity(jnp.fft.ifft2(spectrum * envelope))
    total += _intensity(jnp.fft.ifft2(spectrum * jnp.sqrt(jnp.maximum(1 - envelope**2, 0))))
    return jax.lax.cond(optics.haze_nm > 0, lambda: total + _haze(wave, optics, pixel_size_nm), lambda: total)


def _intensity(wave: Array) -> Array:
    return wave.real**2 + wave.imag**2


def _haze(wave: Array, optics: Optics, pixel_size_nm: Array | float) -> Array:
    gy, gx = axes_per_nm((wave.shape[-2], wave.shape[-1]), pixel_size_nm)
    spread = jnp.exp(-2 * (jnp.pi * optics.haze_nm) ** 2 * (gx**2 + gy**2))
    return jnp.fft.ifft2(jnp.fft.fft2(1 - _intensity(wave)) * spread).real


def propagator(
    optics: Optics, shape: tuple[int, int], pixel_size_nm: Array | float, distance_nm: Array | float
) -> Array:
    """Return the Fresnel propagator over `distance_nm` (negative: back), complex64 of `shape`."""
    gy, gx = axes_per_nm(shape, pixel_size_nm)
    return jnp.exp(-1j * jnp.pi * optics.wavelength_nm * distance_nm * (gx**2 + gy**2))


@partial(jax.jit, static_argnames="shape")
def exit_waves(
    x_px: Array,
    y_px: Array,
    weights: Array,
    element: Array,
    factors: AtomFactors,
    optics: Optics,
    pixel_size_nm: float,
    slice_nm: float,
    last_nm: Array,
    shape: tuple[int, int],
) -> Array:
    """Return `exit_wave` of several specimens, (n, h, w); positions to elements have shape (n, slices, m)."""
    one = partial(
        exit_wave, factors=factors, optics=optics, pixel_size_nm=pixel_size_nm, slice_nm=slice_nm, shape=shape
    )
    return jax.vmap(lambda *atoms: one(*atoms[:4], last_nm=atoms[4]))(x_px, y_px, weights, element, last_nm)


def exit_wave(
    x_px: Array,
    y_px: Array,
    weights: Array,
    element: Array,
    factors: AtomFactors,
    optics: Optics,
    pixel_size_nm: float,
    slice_nm: float,
    last_nm: Array,
    shape: tuple[int, int],
) -> Array:
    """Return a plane wave after the slices, complex64 (h, w): multislice.

    Parameters
    ----------
    x_px, y_px, weights, element : Array, shape (slices, n)
        As `deposited` takes them, a row for each slice; fill up with weights of 0.
    factors, optics, pixel_size_nm, shape
        As in `shift`.
    slice_nm : float
        Propagated after each slice.
    last_nm : float
        Propagated at the end, mostly back to where the wave is wanted.

    References
    ----------
    .. [1] J. M. Cowley, A. F. Moodie, Acta Cryst. 10 (1957) 609.
    """
    through = propagator(optics, shape, pixel_size_nm, slice_nm)

    def one(wave: Array, atoms: tuple[Array, ...]) -> tuple[Array, None]:
        behind = shift(deposited(*atoms, shape, len(factors.terms)), factors, optics, pixel_size_nm)
        return jnp.fft.ifft2(jnp.fft.fft2(wave * jnp.exp(1j * behind)) * through), None

    wave, _ = jax.lax.scan(one, jnp.ones(shape, jnp.complex64), (x_px, y_px, weights, element))
    return jnp.fft.ifft2(jnp.fft.fft2(wave) * propagator(optics, shape, pixel_size_nm, last_nm))


@jax.jit
def amorphous_shift(
    white: Array, factors: AtomFactors, structure: Array, atoms_per_px: float, optics: Optics, pixel_size_nm: float
) -> Array:
    """Return phase + 1j * loss, less their means, of atoms that lie as a structure factor says: complex64 (h, w).

    Parameters
    ----------
    white : Array, shape (h, w)
        White noise of unit variance.
    factors : AtomFactors
        Of the one element.
    structure : Array, shape (m, 3)
        `antema.simulation.amorphous.AmorphousSolid.structure`.
    atoms_per_px : float
        Mean number.
    optics, pixel_size_nm
        As in `shift`.
    """
    gy, gx = axes_per_nm((white.shape[0], white.shape[1]), pixel_size_nm)
    g = jnp.hypot(gx, gy)
    order = jnp.ones(())
    for height, place, width in structure:  # summed as one array it takes a hundred times as long
        order += height * jnp.exp(-(((g - place) / width) ** 2))
    amplitude = jnp.where(g > 0, jnp.sqrt(jnp.maximum(order, 0) * atoms_per_px), 0)
    return jnp.fft.ifft2(jnp.fft.fft2(white) * amplitude * phases_nm2(factors, optics, g)[0] / pixel_size_nm**2)
