"""The microscope's optics: what the objective lens makes of an electron wave."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Optics:
    """The microscope.

    The aberrations are the polar coefficients of Krivanek's notation: a phase of 2 pi / wavelength times
    1/2 C12 a² cos 2(f - f12), 1/3 C21 a³ cos(f - f21) and 1/3 C23 a³ cos 3(f - f23) at the angle of scattering a and
    the azimuth f, which runs from the image's x axis to its y axis (rows).

    Parameters
    ----------
    voltage_kv : float
        Accelerating voltage.
    defocus_nm : float
        Underfocus is positive.
    cs_mm : float
        Spherical aberration (C30).
    astigmatism_nm, astigmatism_angle_rad : float
        Twofold astigmatism (C12).
    coma_nm, coma_angle_rad : float
        Axial coma (C21).
    threefold_nm, threefold_angle_rad : float
        Threefold astigmatism (C23).
    focal_spread_nm : float
        Standard deviation of the focus (temporal coherence).
    convergence_mrad : float
        Half-angle of illumination, at 1/e (spatial coherence).
    aperture_mrad : float
        Half-angle of the objective aperture; 0: none.
    haze_nm : float
        How far (standard deviation) from their atoms electrons are imaged that were scattered beyond the grid's
        frequencies or inelastically; 0: an aperture or filter stops them. Without either they all arrive, displaced by
        Cs times the cube of their angle: some 10 nm uncorrected.
    """

    voltage_kv: float = 300.0
    defocus_nm: float = 60.0
    cs_mm: float = 1.2
    astigmatism_nm: float = 0.0
    astigmatism_angle_rad: float = 0.0
    coma_nm: float = 0.0
    coma_angle_rad: float = 0.0
    threefold_nm: float = 0.0
    threefold_angle_rad: float = 0.0
    focal_spread_nm: float = 4.0
    convergence_mrad: float = 0.15
    aperture_mrad: float = 0.0
    haze_nm: float = 0.0

    @property
    def wavelength_nm(self) -> float:
        """Relativistic electron wavelength."""
        energy_ev = self.voltage_kv * 1e3
        return 1.226426 * (energy_ev * (1 + 0.97846e-6 * energy_ev)) ** -0.5

    @property
    def lorentz_factor(self) -> float:
        """Electron mass over its rest mass."""
        return 1 + self.voltage_kv / 510.999

    def transfer(self, shape: tuple[int, int], pixel_size_nm: float) -> NDArray[np.complex64]:
        """Return the wave transfer function with both coherence envelopes, one value for each FFT coefficient."""
        from antema.simulation import waves

        return np.asarray(waves.transfer(self, shape, pixel_size_nm))
