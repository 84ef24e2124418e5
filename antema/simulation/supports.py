"""Support films: amorphous carbon or silicon of uneven thickness, with holes, folds and contamination."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.simulation.amorphous import CARBON, SILICON, AmorphousSolid, amorphous_shift, mean_shift_per_nm
from antema.simulation.fourier import long_waves
from antema.simulation.materials import cross_section_nm2
from antema.simulation.optics import Optics

Image = NDArray[np.float32]
FILMS: dict[str, AmorphousSolid] = {"carbon": CARBON, "silicon": SILICON}
COARSE_NM = 0.13
"""Pixels above show no lattice."""
_STEEPEST = 1.2
"""Phase in rad that may lie between two pixels; steeper ones would alias."""


@dataclass(frozen=True, kw_only=True)
class Support:
    """What particles lie on.

    Parameters
    ----------
    film : str
        One of `FILMS`.
    thickness_nm : float
        Mean thickness; 0: particles hang free.
    gradient : float
        Relative change of the thickness across the field, in a random direction.
    roughness : float
        Relative standard deviation of the thickness over tenths of the field.
    holes : float
        Share of the field that has no film.
    folds : float
        By how many thicknesses a fold rises; 0: none.
    contamination_nm : float
        Thickness of patches of hydrocarbon.
    """

    film: str = "carbon"
    thickness_nm: float = 4.0
    gradient: float = 0.0
    roughness: float = 0.0
    holes: float = 0.0
    folds: float = 0.0
    contamination_nm: float = 0.0

    def thickness(self, rng: np.random.Generator, shape: tuple[int, int]) -> Image:
        """Return the thickness in nm at each pixel of a field of `shape`, never negative."""
        film = np.ones(shape, np.float32)
        if self.gradient:
            angle = rng.uniform(0, 2 * np.pi)
            y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
            film += self.gradient * (np.cos(angle) * x[None] + np.sin(angle) * y[:, None]).astype(np.float32)
        if self.roughness:
            film += self.roughness * long_waves(rng, shape, waves=rng.uniform(3, 12))
        if self.folds:
            ridge = np.abs(long_waves(rng, shape, waves=rng.uniform(1, 3)))
            film += self.folds * np.exp(-((ridge / rng.uniform(0.01, 0.06)) ** 2)) * (rng.uniform(0, 1) + 0.2)
        film = np.maximum(film, 0.05) * self.thickness_nm
        if self.contamination_nm:
            pattern = long_waves(rng, shape, waves=rng.uniform(1, 5))
            film += self.contamination_nm * _step(pattern - rng.uniform(0.3, 1.5), rng.uniform(0.02, 0.6))
        if self.holes:
            pattern = long_waves(rng, shape, waves=rng.uniform(0.7, 3))
            depth = pattern - np.quantile(pattern, 1 - self.holes)
            sharp = rng.uniform(0.002, 0.03)
            rim = rng.uniform(0, 1) * np.exp(-((depth / (4 * sharp)) ** 2))
            film *= (1 + rim) * _step(-depth, sharp)
        return film.astype(np.float32)


def film_shift(
    rng: np.random.Generator, support: Support, thickness_nm: Image, pixel_size_nm: float, optics: Optics
) -> NDArray[np.complex64]:
    """Return phase + 1j * loss of a film, shape (h, w).

    Parameters
    ----------
    rng : Generator
        Source of where its atoms lie.
    support : Support
        What the film is.
    thickness_nm : ndarray, shape (h, w)
        `Support.thickness`.
    pixel_size_nm : float
        Edge of a pixel.
    optics : Optics
        Its voltage and its aperture (30 mrad where it has none: the lens's own).
    """
    solid = FILMS[support.film]
    shape = (thickness_nm.shape[0], thickness_nm.shape[1])
    mean = mean_shift_per_nm(solid, optics, pixel_size_nm) * thickness_nm
    uneven = amorphous_shift(rng, shape, pixel_size_nm, thickness_nm, optics, solid) - mean
    loss = mean.imag + uneven.imag
    if pixel_size_nm > COARSE_NM:
        # the grid ends far below the aperture: most of what is scattered beyond the grid still reaches the camera
        past = cross_section_nm2(solid.z, optics.voltage_kv, optics.aperture_mrad or 30.0)
        loss = 0.5 * solid.atoms_per_nm3 * past * thickness_nm
    return (gentle(mean.real) + uneven.real + 1j * loss).astype(np.complex64)


def gentle(phase: Image) -> Image:
    """Return a projected phase, scaled down as a whole if neighbouring pixels differ by more than a grid can carry.

    What is refracted so far that the sampling has no place for it passes the aperture in no microscope of that
    magnification; the fringe along the edge stays.
    """
    steepest = max(float(np.abs(np.diff(phase, axis=k)).max(initial=0)) for k in (0, 1))
    return phase if steepest <= _STEEPEST else phase * np.float32(_STEEPEST / steepest)


def _step(values: Image, width: float) -> Image:
    return (1 / (1 + np.exp(-np.clip(values / width, -40, 40)))).astype(np.float32)
