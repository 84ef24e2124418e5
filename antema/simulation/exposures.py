"""From what bodies absorb to the picture that is kept: defocus, ground, noise, grey values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from antema.simulation.bodies import MARGIN_PX
from antema.simulation.camera import jpeg_coded
from antema.simulation.figures import annotated, as_printed, uneven_ground
from antema.simulation.fourier import gaussian

Image = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Look:
    """How a scene was taken.

    Parameters
    ----------
    blur_px : float
        Standard deviation of the image's blur.
    contrast_to_noise : float
        Contrast of a typical particle by the standard deviation of a pixel's noise.
    fringe_px : float
        Width of the Fresnel fringe: square root of wavelength times defocus.
    phase : float
        Shift of phase by absorption.
    grain_px : (float, float)
        Standard deviations of the blur of the noise along two axes; 0 for white noise.
    film : float
        Share of the noise's variance that is the film's own texture.
    film_px : float
        Its typical spacing.
    inelastic : float
        What is added to everything, by the brightness of the ground.
    narrow : bool
        Kept in 10 to 30 grey levels.
    annotated : float
        Probability of a scale bar and letters.
    """

    blur_px: float
    contrast_to_noise: float
    fringe_px: float = 0.0
    phase: float = 0.5
    grain_px: tuple[float, float] = (0.0, 0.0)
    film: float = 0.3
    film_px: float = 2.5
    inelastic: float = 0.05
    narrow: bool = False
    annotated: float = 0.12


def exposed(rng: Rng, absorbed: Image, contrast: float, look: Look) -> tuple[NDArray[np.generic], float]:
    """Return the picture of what bodies absorb, and the contrast of its ground in its own unit.

    Parameters
    ----------
    rng : Generator
        Source of ground and noise.
    absorbed : ndarray, shape (h + 2 MARGIN_PX, w + 2 MARGIN_PX)
        As of `antema.simulation.bodies.Drawing`.
    contrast : float
        Contrast of a typical particle, to which the noise is set.
    look : Look
        How it is taken.

    Returns
    -------
    ndarray of uint8 or uint16, shape (h, w)
        The picture.
    float
        Standard deviation of its noise, texture of the film included, by the brightness of the ground.
    """
    intensity = defocused(absorbed, look.fringe_px, look.phase) if look.fringe_px > 0.3 else np.exp(-absorbed)
    intensity = gaussian(intensity, look.blur_px)[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    shape = intensity.shape
    ground = np.log(np.maximum(uneven_ground(rng, shape), 0.05))
    ground *= min(1.0, contrast * rng.uniform(0.1, 0.7) / max(float(ground.std()), 1e-6))  # particles stand out of it
    intensity = np.exp(ground) * (intensity + look.inelastic)
    spread = contrast / look.contrast_to_noise
    noise = np.sqrt(1 - look.film) * _counted(rng, shape, look.grain_px)
    if look.film > 0.02:
        noise += np.sqrt(look.film) * film_texture(rng, shape, look.film_px)
    if rng.random() < 0.15:  # grain of photographic film: the same share of dark and bright
        intensity = intensity * np.exp(spread * noise)
    else:  # counted electrons: less of it where it is dark
        intensity = intensity + spread * noise * np.sqrt(np.maximum(intensity, 0.05))
    if rng.random() < 0.08:
        intensity = np.asarray(ndimage.median_filter(intensity, 3))
    return _kept(rng, intensity.astype(np.float32), look), float(spread)


def defocused(absorbed: Image, fringe_px: float, phase: float) -> Image:
    """Return the intensity of light that passed through absorbing and phase-shifting bodies, out of focus.

    Parameters
    ----------
    absorbed : ndarray, shape (h, w)
        Negative logarithm of the intensity in focus.
    fringe_px : float
        Square root of wavelength times defocus, in pixels: bright fringes around bodies.
    phase : float
        Shift of phase in rad by `absorbed`.
    """
    wave = np.exp(absorbed * np.complex64(-0.5 + 1j * phase))
    y, x = (np.fft.fftfreq(n).astype(np.float32) for n in wave.shape)
    zones = fringe_px**2 * (y[:, None] ** 2 + x[None] ** 2)
    passing = np.exp(np.complex64(-1j * np.pi) * zones - (zones / 1.7) ** 2)
    return np.asarray(np.abs(np.asarray(fft.ifft2(np.asarray(fft.fft2(wave)) * passing))) ** 2, np.float32)


def film_texture(rng: Rng, shape: tuple[int, int], spacing_px: float) -> Image:
    """Return the texture of an amorphous film, of mean 0 and standard deviation 1, mostly `spacing_px` apart."""
    y, x = np.fft.fftfreq(shape[0]).astype(np.float32), np.fft.rfftfreq(shape[1]).astype(np.float32)
    zones = spacing_px**2 * (y[:, None] ** 2 + x[None] ** 2)
    return _filtered(rng, shape, np.abs(np.sin(0.5 * np.pi * zones)) * np.exp(-0.5 * zones))


def _counted(rng: Rng, shape: tuple[int, int], grain_px: tuple[float, float]) -> Image:
    """Return noise of standard deviation 1, alike over `grain_px` along two axes in any direction."""
    if max(grain_px) < 0.2:
        return rng.standard_normal(shape, dtype=np.float32)
    if grain_px[0] == grain_px[1] and rng.random() < 0.25:  # of an enlarged image
        factor = 1 + 1.4 * grain_px[0]
        small = rng.standard_normal([int(n / factor) + 2 for n in shape], dtype=np.float32)
        order = int(rng.choice([0, 1, 3])) if factor < 2.5 else 3
        large = np.asarray(ndimage.zoom(small, factor, order=order))[: shape[0], : shape[1]]
        if large.shape == shape:
            return (large / large.std()).astype(np.float32)
    angle = rng.uniform(0, np.pi)
    y, x = np.fft.fftfreq(shape[0]).astype(np.float32)[:, None], np.fft.rfftfreq(shape[1]).astype(np.float32)[None]
    p, q = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return _filtered(rng, shape, np.exp(-2 * np.pi**2 * ((grain_px[0] * p) ** 2 + (grain_px[1] * q) ** 2)))


def _filtered(rng: Rng, shape: tuple[int, int], transfer: Image) -> Image:
    white = rng.standard_normal(shape, dtype=np.float32)
    field = np.asarray(fft.irfft2(np.asarray(fft.rfft2(white)) * transfer, s=shape), np.float32)
    return field / max(float(field.std()), 1e-12)


def _kept(rng: Rng, intensity: Image, look: Look) -> NDArray[np.generic]:
    if look.narrow:
        low, high = np.percentile(intensity, (0.1, 99.9))
        levels, floor = rng.uniform(10, 30), rng.uniform(5, 200)
        grey = np.rint(floor + levels * (intensity - low) / max(high - low, 1e-6))
        return np.clip(grey, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        return np.clip(np.rint(intensity * rng.uniform(800, 12000)), 0, 65535).astype(np.uint16)
    grey = as_printed(rng, intensity)
    if rng.random() < look.annotated:
        grey = annotated(rng, grey)
        if rng.random() < 0.3:
            grey = jpeg_coded(grey, int(rng.integers(40, 90)))
    return grey
