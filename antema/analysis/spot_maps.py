"""Where in a particle the fringes of a spot lie: the transform around the spot alone, turned back."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from antema.analysis.spectrum import Spectrum, fast_length

Floats = NDArray[np.float64]

_APERTURE = 1.25
"""Radius of what is kept around a spot, in independent frequencies."""


@dataclass(frozen=True)
class Spread:
    """Where the fringes of a spot lie.

    Parameters
    ----------
    x, y : float
        Middle of their power, in diameters of the particle from the particle's own middle.
    share : float
        Of the particle's area, over which they have at least half of their greatest amplitude.
    """

    x: float
    y: float
    share: float


def amplitude_maps(of: Spectrum, places_per_nm: Sequence[tuple[float, float]]) -> list[Floats]:
    """Return the amplitude of the fringes of each spot over the window, (m, m) values over the padded square.

    Parameters
    ----------
    of : Spectrum
        The particle's.
    places_per_nm : sequence of (float, float)
        x and y of the spots.
    """
    reach = _APERTURE * of.resolution_per_nm / of.step_per_nm
    half = int(np.ceil(reach))
    m = fast_length(4 * half)
    steps = np.arange(-half, half + 1)
    padded = np.pad(of.values, half)
    middle = len(of.values) // 2 + half
    maps: list[Floats] = []
    for x, y in places_per_nm:
        column, row = x / of.step_per_nm + middle, y / of.step_per_nm + middle
        r, c = int(np.rint(row)), int(np.rint(column))
        distance = np.hypot((steps + r - row)[:, None], steps + c - column) / reach
        aperture = np.where(distance < 1, np.cos(np.pi / 2 * np.minimum(distance, 1)) ** 2, 0)
        block = np.zeros((m, m), np.complex128)
        block[: 2 * half + 1, : 2 * half + 1] = padded[r - half : r + half + 1, c - half : c + half + 1] * aperture
        maps.append(np.abs(np.asarray(fft.ifft2(block))))
    return maps


def spread_of(amplitude: Floats, of: Spectrum) -> Spread:
    """Return where the fringes of one of `amplitude_maps` lie in the particle."""
    inside = _window_over(amplitude, of)
    diameter = 2 * np.sqrt(inside.sum() / np.pi)
    y, x = np.indices(inside.shape)
    power = amplitude**2 * (inside > 0.05)
    middle = [float((axis * inside).sum() / inside.sum()) for axis in (x, y)]
    at = [float((axis * power).sum() / power.sum()) for axis in (x, y)]
    strong = inside[amplitude >= 0.5 * amplitude[inside > 0.5 * inside.max()].max()].sum() / inside.sum()
    return Spread((at[0] - middle[0]) / diameter, (at[1] - middle[1]) / diameter, float(strong))


def _window_over(amplitude: Floats, of: Spectrum) -> Floats:
    """Return the window on the grid of an amplitude map."""
    m = len(amplitude)
    side = 1 / (of.step_per_nm * of.pixel_size_nm)
    h, w = of.window.shape
    along = np.arange(m) * side / m
    grid = np.meshgrid(along, along, indexing="ij")
    smooth = np.asarray(
        ndimage.uniform_filter(np.pad(of.window > 0, 1).astype(np.float64), max(1, int(side / m))), np.float64
    )
    values = np.asarray(ndimage.map_coordinates(smooth[1:-1, 1:-1], grid, order=1, mode="constant"))
    return np.where((grid[0] < h) & (grid[1] < w), values, 0.0)
