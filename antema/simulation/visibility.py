"""Whether the lattice of a crystal can be seen in its image."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import AMORPHOUS
from antema.simulation.camera import Camera, mtf
from antema.simulation.fourier import Image, frequencies_per_nm
from antema.simulation.materials import Material

VISIBLE = 25.0
"""Least contrast of a visible lattice: five times the amplitude of what hides it, as A. Rose asks of any signal
(J. Opt. Soc. Am. 38 (1948) 196)."""
FAMILIES = ((1, 1, 1), (2, 0, 0), (2, 2, 0))
"""Reflections of a face-centred cubic lattice that count, by falling spacing."""
_STRAIN = 0.03
"""How far spacings may lie from those of the bulk: icosahedra are strained by 2.6 %."""
_QUARTILE = 0.2877
"""Lower quartile of the power of noise, relative to its mean."""


def spacings_nm(material: Material) -> list[float]:
    """Return the spacings of `FAMILIES` in a cubic material."""
    return [material.lattice_nm / float(np.linalg.norm(hkl)) for hkl in FAMILIES]


def noise_power(camera: Camera) -> Callable[[float], float]:
    """Return the power of a camera's noise by frequency in cycles a pixel: variance a pixel, in units of the beam."""

    def power(cycles_per_px: float) -> float:
        at = np.array([cycles_per_px])
        passed = float(mtf(at, camera.noise_mtf_px, camera.noise_tail, camera.tail_px)[0])
        return passed**2 / camera.dose_e_px + (camera.read_noise_e / camera.dose_e_px) ** 2

    return power


def shown(kind: str, contrast: tuple[float, float], best: float | None) -> dict[str, Any]:
    """Return what is said of a particle's lattice.

    Parameters
    ----------
    kind : str
        One of `antema.domain.CRYSTALLINITIES`.
    contrast : (float, float)
        `lattice_contrast` of a crystal alone; (0, nan) where there is none.
    best : float or None
        The same of a ball of as many atoms with [110] along the beam in its place; needed for a particle without
        crystal, and for a crystal that does not reach `VISIBLE`.

    Returns
    -------
    dict
        ``lattice_visible``: whether the contrast reaches `VISIBLE`; of a particle without crystal whether that of the
        ball does: whether the image can tell that there is none. ``hidden_by``: ``orientation`` where the ball would
        show its lattice, else ``conditions``; empty where the lattice is visible. ``lattice_contrast``,
        ``clearest_spacing_nm``: `contrast`.

    Raises
    ------
    ValueError
        Where `best` is needed and missing.
    """
    visible = contrast[0] >= VISIBLE
    hidden_by = ""
    if kind == AMORPHOUS or not visible:
        if best is None:
            msg = "the contrast of a ball in its place is expected for a particle that shows no lattice; found none"
            raise ValueError(msg)
        told = best >= VISIBLE
        visible = kind == AMORPHOUS and told
        hidden_by = "" if visible else "orientation" if told else "conditions"
    return {
        "lattice_visible": visible,
        "lattice_contrast": contrast[0],
        "clearest_spacing_nm": contrast[1],
        "hidden_by": hidden_by,
    }


def lattice_contrast(
    alone: Image,
    around: Image,
    mask: NDArray[np.bool_],
    pixel_size_nm: float,
    spacings: list[float],
    noise: Callable[[float], float],
    *,
    apart: bool = False,
) -> tuple[float, float]:
    """Return how far a lattice stands out of what hides it, and the spacing where it does so most.

    The power of the strongest frequency of `alone` that a known reflection has, over the mean power there of counting
    noise, of everything around the particle, and of the particle's own scattering between its reflections. Frequencies
    beyond Nyquist's do not count.

    Parameters
    ----------
    alone : ndarray, shape (h, w)
        Image of the crystal alone as the camera expects it (blurred, without noise), 1 in the free beam.
    around : ndarray, shape (h, w)
        What everything else adds to it: support, neighbours.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    spacings : list of float
        Of the known reflections in nm.
    noise : callable
        `noise_power`.
    apart : bool
        Whether the reflection must be the crystal's own: where everything else is strong at the same frequency in the
        same direction, this hides it too. A twin's second crystal shares some reflections with the first.

    Returns
    -------
    (float, float)
        The contrast (`VISIBLE` or more: the lattice can be seen) and the spacing in nm; (0, nan) if no reflection is
        within Nyquist's frequency.
    """
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1)))[1:-1, 1:-1] * pixel_size_nm
    diameter = 2 * np.sqrt(np.count_nonzero(mask) / np.pi) * pixel_size_nm
    # without its edge, whose fringes have all frequencies
    soft = min(0.15, 0.1 * diameter)
    window = np.asarray(ndimage.gaussian_filter((depth > soft).astype(np.float64), soft / pixel_size_nm))
    shape = (2 * mask.shape[0], 2 * mask.shape[1])
    powers = [_power(image, window, shape) for image in (alone, around)]
    g = frequencies_per_nm(shape, pixel_size_nm)
    # over a fourth of the width of a reflection: speckle has holes
    width_px = 0.25 / diameter * shape[0] * pixel_size_nm
    there = np.asarray(ndimage.gaussian_filter(powers[1], width_px, mode="wrap")) if apart else powers[1]
    best = (0.0, float("nan"))
    for spacing in spacings:
        place = 1 / spacing
        if place >= 0.5 / pixel_size_nm:
            continue
        away = np.abs(g - place)
        ring, wide = away <= 0.25 / diameter + _STRAIN * place, away <= 1 / diameter + 0.05 * place
        own, others = (float(np.quantile(power[wide], 0.25)) / _QUARTILE for power in powers)
        hiding = noise(place * pixel_size_nm) + own + (np.maximum(others, there[ring]) if apart else others)
        best = max(best, (float((powers[0][ring] / hiding).max()), spacing))
    return best


def _power(image: Image, window: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    rest = (image - np.average(image, weights=window)) * window
    return np.abs(np.fft.fft2(rest, s=shape)) ** 2 / (window**2).sum()
