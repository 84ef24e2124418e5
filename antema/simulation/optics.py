"""From projected phase and absorption to electrons counted: lens, support film and camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.simulation.elements import CARBON_ATOMS_PER_NM3, CARBON_Z, scattering_factor_nm
from antema.simulation.fourier import forward, inverse

Image = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Optics:
    """The microscope.

    Parameters
    ----------
    voltage_kv : float
        Accelerating voltage.
    defocus_nm : float
        Underfocus is positive.
    cs_mm : float
        Spherical aberration.
    focal_spread_nm : float
        Standard deviation of the focus (temporal coherence).
    convergence_mrad : float
        Half-angle of illumination (spatial coherence).
    """

    voltage_kv: float = 300.0
    defocus_nm: float = 60.0
    cs_mm: float = 1.2
    focal_spread_nm: float = 4.0
    convergence_mrad: float = 0.15

    @property
    def wavelength_nm(self) -> float:
        """Relativistic electron wavelength."""
        energy_ev = self.voltage_kv * 1e3
        return 1.226426 / np.sqrt(energy_ev * (1 + 0.97846e-6 * energy_ev))

    @property
    def lorentz_factor(self) -> float:
        """Electron mass over its rest mass."""
        return 1 + self.voltage_kv / 510.999

    def transfer(self, g_per_nm: Image) -> NDArray[np.complex64]:
        """Return the wave transfer function with both coherence envelopes."""
        wavelength, cs_nm = self.wavelength_nm, self.cs_mm * 1e6
        g2 = g_per_nm.astype(np.float64) ** 2
        aberration = np.pi * wavelength * g2 * (0.5 * cs_nm * wavelength**2 * g2 - self.defocus_nm)
        temporal = np.exp(-0.5 * (np.pi * wavelength * self.focal_spread_nm * g2) ** 2)
        slope = cs_nm * wavelength**3 * g2 * g_per_nm - self.defocus_nm * wavelength * g_per_nm
        spatial = np.exp(-((np.pi * self.convergence_mrad * 1e-3 / wavelength * slope) ** 2))
        return (np.exp(-1j * aberration) * temporal * spatial).astype(np.complex64)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """The camera.

    Parameters
    ----------
    dose_e_px : float
        Electrons a pixel where the beam passes freely.
    signal_mtf_px : float
        Gaussian blur of the image, sigma in pixels.
    noise_mtf_px : float
        Gaussian blur of the counting noise; weaker than that of the signal in a real scintillator.
    gain, offset : float
        Grey values per electron and at no electron.
    """

    dose_e_px: float = 200.0
    signal_mtf_px: float = 0.7
    noise_mtf_px: float = 0.4
    gain: float = 20.0
    offset: float = 100.0

    def record(self, rng: np.random.Generator, intensity: Image) -> NDArray[np.uint16]:
        """Return the grey values of a relative `intensity` (1 in the free beam), with counting noise."""
        expected = np.maximum(gaussian(intensity, self.signal_mtf_px), 0) * self.dose_e_px
        noise = (rng.poisson(expected) - expected).astype(np.float32)
        counted = expected + gaussian(noise, self.noise_mtf_px)
        return np.clip(np.rint(counted * self.gain + self.offset), 0, 65535).astype(np.uint16)


def frequencies_per_nm(shape: tuple[int, int], pixel_size_nm: float) -> Image:
    """Return the absolute spatial frequency of each coefficient of a two-dimensional FFT, in 1/nm."""
    y, x = (np.fft.fftfreq(n, pixel_size_nm) for n in shape)
    return np.hypot(y[:, None], x[None, :]).astype(np.float32)


def gaussian(image: Image, sigma_px: float) -> Image:
    """Return `image` after a Gaussian blur."""
    from scipy import ndimage

    if sigma_px <= 0:
        return image
    return np.asarray(ndimage.gaussian_filter(image.astype(np.float32), sigma_px, mode="nearest"), np.float32)


def carbon_phase(
    rng: np.random.Generator, g_per_nm: Image, pixel_size_nm: float, thickness_nm: float, optics: Optics
) -> Image:
    """Return the phase shift of an amorphous carbon film, without its mean.

    A Gaussian random field whose spectrum is that of independent carbon atoms times a structure factor: little
    density variation at long waves, and the hump of the first neighbour shells at 5 per nm.
    """
    structure = 0.25 + 0.85 / (1 + np.exp(-(g_per_nm - 2.6) / 0.5)) + 0.15 * np.exp(-(((g_per_nm - 5.0) / 0.9) ** 2))
    atom = optics.lorentz_factor * optics.wavelength_nm * scattering_factor_nm(CARBON_Z, g_per_nm)
    atoms_per_px = CARBON_ATOMS_PER_NM3 * thickness_nm * pixel_size_nm**2
    white = rng.standard_normal(g_per_nm.shape, dtype=np.float32)
    amplitude = (atom * np.sqrt(structure * atoms_per_px) / pixel_size_nm**2).astype(np.float32)
    return inverse(forward(white) * amplitude).real


def long_waves(rng: np.random.Generator, shape: tuple[int, int], *, waves: float = 3.0) -> Image:
    """Return a smooth random field of mean 0 and standard deviation 1 with about `waves` waves across the image."""
    y, x = (np.minimum(np.arange(n), n - np.arange(n)) for n in shape)
    g = np.hypot(y[:, None], x[None, :])
    white = rng.standard_normal(shape, dtype=np.float32)
    field = inverse(forward(white) * np.exp(-((g / waves) ** 2))).real
    field -= field.mean()
    return (field / field.std()).astype(np.float32)
