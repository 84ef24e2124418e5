"""Bragg spots of one particle: their spacings and names, and what they say of its crystallinity.

References
----------
.. [1] D. C. Rife, R. R. Boorstyn, IEEE Trans. Inf. Theory 20 (1974) 591: how well a frequency can be known.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from antema.analysis.lattice_domains import Opinion, opinion
from antema.analysis.spectrum import Peaks, Spectrum, excess_over_surroundings, peaks, spectrum
from antema.analysis.spot_maps import amplitude_maps, spread_of
from antema.domain import AMORPHOUS, UNKNOWN
from antema.domain.lattices import Lattice, Reflection, finest_sampling_needed_nm

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FALSE_ALARMS = 0.01
"""Greatest chance that a particle without any lattice gets a spot; in white noise it is smaller."""
TOLERANCE = 0.03
"""How far a spacing may lie from a known one: calibration of the pixel size, strain, alloying."""
FINEST_NM, WIDEST_NM = 0.1, 0.4
"""Spacings that are looked for where the material is not known."""
_LEAST_PERIODS = 3.0
"""Of a lattice within the particle; fewer are its shape."""
_NYQUIST_SHARE = 0.96
_MARGIN = 0.06
"""How far the searched band reaches beyond the material's reflections."""
_POSITION_FLOOR = 0.04
"""Least uncertainty of a spot's place, in units of one over the particle's diameter: shape and bending move spots."""
_LEAST_EXCESS = 1.3
"""Of a particle's power over that of its surroundings, from which on its atoms can be seen."""
_JPEG_PX = 8
_AS_STRONG_OUTSIDE, _BLOCKS_OUTSIDE = 0.5, 0.1
"""Power outside of the particle relative to that inside, from which a spot, and one of JPEG's, is not its own."""
_MOST_SPOTS = 40


@dataclass(frozen=True)
class Spot:
    """A pair of opposite spots.

    Parameters
    ----------
    x_per_nm, y_per_nm : float
        Its place, to the right and downwards as pixels lie; the other one of the pair lies opposite.
    spacing_nm, spacing_error_nm : float
        Distance of the planes and its standard deviation.
    angle_deg : float
        Of the planes' normal, from 0 (to the right) counter-clockwise to below 180.
    angle_error_deg : float
        Its standard deviation.
    strength : float
        Power over the mean power of noise at its frequency.
    chance : float
        That noise alone gives such a spot anywhere in the particle's searched band.
    reflection : str
        Name of the material's nearest reflection, e.g. ``{111}``; nothing where none is near enough or none is known.
    expected_nm : float
        That reflection's spacing; NaN without one.
    tolerance_nm : float
        How far from the spacing a reflection may lie to give its name.
    note : str
        What else is to be said of it, e.g. that it is twice another one.
    domain : int
        Number of the lattice that it belongs to, from 1; 0: none.
    share : float
        Of the particle's area, over which its fringes extend.
    """

    x_per_nm: float
    y_per_nm: float
    spacing_nm: float
    spacing_error_nm: float
    angle_deg: float
    angle_error_deg: float
    strength: float
    chance: float
    reflection: str = ""
    expected_nm: float = float("nan")
    tolerance_nm: float = float("nan")
    note: str = ""
    domain: int = 0
    share: float = float("nan")


@dataclass(frozen=True, eq=False)
class LatticeSpots:
    """What the Fourier transform of a particle shows.

    Parameters
    ----------
    spots : tuple of Spot
        By falling strength.
    artefacts : tuple of Spot
        What stands out as much and comes from the image, not from the particle's lattice; `Spot.note` says what.
    crystallinity : str
        One of `antema.domain.CRYSTALLINITIES`, or ``unknown``: an opinion from the spots alone.
    reason : str
        Why, in a sentence.
    log_power : ndarray of float32, shape (n, n)
        Common logarithm of the power with the zero frequency in the middle, for display.
    frequencies_per_nm : ndarray, shape (n,)
        Of its columns (to the right) and rows (downwards).
    searched_per_nm : (float, float)
        Least and largest frequency that was searched; (0, 0) where pixels or particle allow none.
    false_alarms : float
        Chance of a spot in a particle without lattice.
    reflections : tuple of Reflection
        Of the material, within the band: rings to draw.
    """

    spots: tuple[Spot, ...]
    artefacts: tuple[Spot, ...]
    crystallinity: str
    reason: str
    log_power: NDArray[np.float32]
    frequencies_per_nm: Floats
    searched_per_nm: tuple[float, float]
    false_alarms: float
    reflections: tuple[Reflection, ...]


def lattice_spots(
    pixels: NDArray[np.generic],
    mask: Mask,
    pixel_size_nm: float,
    material: Lattice | None = None,
    *,
    false_alarms: float = FALSE_ALARMS,
) -> LatticeSpots:
    """Return the Bragg spots of a particle, named by its material's reflections, and an opinion from them alone.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of the particle with its surroundings.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    material : Lattice or None
        What it may be made of; None: spots stay without names.
    false_alarms : float
        Chance that a particle without lattice gets a spot.

    Raises
    ------
    ValueError
        For a mask of another shape, or without pixels.
    """
    if pixels.shape != mask.shape:
        msg = f"a mask of the pixels' shape is expected: {pixels.shape}, found {mask.shape}"
        raise ValueError(msg)
    area = int(np.count_nonzero(mask))
    if area == 0:
        msg = "a particle of at least one pixel is expected, found none"
        raise ValueError(msg)
    diameter = 2 * float(np.sqrt(area / np.pi)) * pixel_size_nm
    band = _band(material, pixel_size_nm, diameter)
    known = () if material is None else material.reflections(FINEST_NM)
    rings = tuple(one for one in known if 1 / one.spacing_nm < 0.5 / pixel_size_nm)
    shown = min(1.15 * max(band[1], 1 / WIDEST_NM), 0.5 / pixel_size_nm)
    transform = spectrum(pixels, mask, pixel_size_nm, shown)
    spots: tuple[Spot, ...] = ()
    artefacts: tuple[Spot, ...] = ()
    if band[1] > band[0]:
        found = peaks(transform, band, false_alarms)
        every = [_spot(found, k, transform, diameter, known) for k in range(min(len(found.strengths), _MOST_SPOTS))]
        notes = [_artefact(one, pixels, mask, transform) for one in every]
        artefacts = tuple(replace(one, note=note) for one, note in zip(every, notes, strict=True) if note)
        spots = _with_harmonics([one for one, note in zip(every, notes, strict=True) if not note], transform)
        maps = amplitude_maps(transform, [(one.x_per_nm, one.y_per_nm) for one in spots])
        spreads = [spread_of(one, transform) for one in maps]
        spots = tuple(replace(one, share=at.share) for one, at in zip(spots, spreads, strict=True))
        verdict, domains = opinion(spots, spreads, material, transform.resolution_per_nm)
        if not spots:
            verdict = _without_spots(pixels, mask, pixel_size_nm, material)
        spots = tuple(replace(one, domain=number) for one, number in zip(spots, domains, strict=True))
    elif 0.5 / pixel_size_nm <= 0.5 / finest_sampling_needed_nm(material):
        verdict = Opinion(UNKNOWN, "The pixels are too coarse for any lattice of the material.")
    else:
        verdict = Opinion(UNKNOWN, "The particle is too small to hold three planes of a lattice.")
    power = np.abs(transform.values.astype(np.complex128)) ** 2
    floor = float(np.median(power)) * 1e-3
    return LatticeSpots(
        spots=spots,
        artefacts=artefacts,
        crystallinity=verdict.crystallinity,
        reason=verdict.reason,
        log_power=np.log10(np.maximum(power, max(floor, 1e-30))).astype(np.float32),
        frequencies_per_nm=transform.frequencies_per_nm,
        searched_per_nm=band if band[1] > band[0] else (0.0, 0.0),
        false_alarms=false_alarms,
        reflections=rings,
    )


def _without_spots(pixels: NDArray[np.generic], mask: Mask, pixel_size_nm: float, material: Lattice | None) -> Opinion:
    """Return what it means that a particle has no spots: it does not show where its atoms do not show either."""
    place = 0.5 / finest_sampling_needed_nm(material)
    excess, error = excess_over_surroundings(pixels, mask, pixel_size_nm, place)
    if excess > _LEAST_EXCESS * (1 + 2 * error):
        return Opinion(
            AMORPHOUS,
            "No spot stands out of the noise, though the particle's atoms show at a lattice's frequencies: "
            f"{excess:.1f} times the power of its surroundings.",
        )
    if np.isnan(excess):
        return Opinion(UNKNOWN, "No spot stands out of the noise; the surroundings are too small to tell what could.")
    return Opinion(
        UNKNOWN,
        f"No spot stands out of the noise, and nothing of the particle shows at a lattice's frequencies: {excess:.1f} "
        "times the power of its surroundings. Whether it has a lattice cannot be told.",
    )


def _band(material: Lattice | None, pixel_size_nm: float, diameter_nm: float) -> tuple[float, float]:
    widest = WIDEST_NM if material is None else material.largest_spacing_nm
    low = max((1 - _MARGIN) / widest - 0.3 / diameter_nm, _LEAST_PERIODS / diameter_nm)
    return low, min(1 / FINEST_NM, _NYQUIST_SHARE * 0.5 / pixel_size_nm)


def _spot(found: Peaks, k: int, transform: Spectrum, diameter_nm: float, known: tuple[Reflection, ...]) -> Spot:
    x, y = (float(one) for one in found.places_per_nm[k])
    g = float(np.hypot(x, y))
    strength = float(found.strengths[k])
    # the window's second moment is that of its curvature: 2 pi s²
    moment = transform.curvature_nm2 / (2 * np.pi)
    error = float(np.hypot(1 / np.sqrt(8 * np.pi**2 * strength * moment), _POSITION_FLOOR / diameter_nm))
    tolerance = float(np.hypot(TOLERANCE * g, 2 * error))
    angle = float(np.degrees(np.arctan2(-y, x)) % 180)
    near = min(known, key=lambda one: abs(1 / one.spacing_nm - g), default=None)
    named = near is not None and abs(1 / near.spacing_nm - g) <= tolerance
    return Spot(
        x_per_nm=x,
        y_per_nm=y,
        spacing_nm=1 / g,
        spacing_error_nm=error / g**2,
        angle_deg=angle,
        angle_error_deg=float(np.degrees(error / g)),
        strength=strength,
        chance=float(found.chances[k]),
        reflection=near.name if near is not None and named else "",
        expected_nm=near.spacing_nm if near is not None and named else float("nan"),
        tolerance_nm=tolerance / g**2,
    )


def _artefact(spot: Spot, pixels: NDArray[np.generic], mask: Mask, transform: Spectrum) -> str:
    """Return what else than the particle's lattice makes the spot; nothing where it is the particle's own."""
    size = transform.pixel_size_nm
    cycles = np.array([spot.x_per_nm * size, spot.y_per_nm * size], np.float64)
    cell = transform.resolution_per_nm * size
    off = np.abs(cycles * _JPEG_PX - np.rint(cycles * _JPEG_PX)) / _JPEG_PX
    blocks = np.abs(cycles).min() < 0.5 * cell and off.max() < 0.25 * cell
    outside = ~mask
    n = np.count_nonzero(outside)
    inside = float(transform.window.sum())
    share = float("nan")
    if n >= inside:
        middle = len(transform.values) // 2
        row, column = (int(np.rint(one / transform.step_per_nm)) + middle for one in (spot.y_per_nm, spot.x_per_nm))
        amplitude = float(np.abs(transform.values[row, column])) / inside
        grey = pixels.astype(np.float64)
        values = np.where(outside, grey - float(grey[outside].mean()), 0.0)
        wave_y = np.exp(-2j * np.pi * cycles[1] * np.arange(mask.shape[0], dtype=np.float64))
        wave_x = np.exp(-2j * np.pi * cycles[0] * np.arange(mask.shape[1], dtype=np.float64))
        share = (float(np.abs(wave_y @ values @ wave_x)) / n / amplitude) ** 2
    if blocks and not share < _BLOCKS_OUTSIDE:
        return f"on an axis at a multiple of 1/{_JPEG_PX} of a pixel's frequency, as compression to JPEG makes it"
    return "as strong around the particle as in it" if share > _AS_STRONG_OUTSIDE else ""


def _with_harmonics(spots: list[Spot], transform: Spectrum) -> tuple[Spot, ...]:
    """Return the spots with a note on those that are a multiple of a stronger one."""
    noted: list[Spot] = []
    for spot in spots:
        place = np.array([spot.x_per_nm, spot.y_per_nm])
        note = ""
        for other in spots:
            base = np.array([other.x_per_nm, other.y_per_nm])
            for n in (2, 3):
                away = min(float(np.linalg.norm(place - sign * n * base)) for sign in (1, -1))
                if other.strength > spot.strength and away < 0.3 * transform.resolution_per_nm:
                    note = f"{n} times the frequency of the spot of {other.spacing_nm:.3f} nm: of the same planes"
        noted.append(replace(spot, note=note))
    return tuple(noted)
