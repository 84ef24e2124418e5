"""The power spectrum of one particle, and what in it stands out of its own noise.

The noise of a particle's spectrum is speckle: the power at a frequency is exponentially distributed about a mean that
falls smoothly with frequency. The mean is taken from the weaker half of each ring, so that spots do not count in it
[1]_, and the chance that noise is as strong anywhere in a band follows from the theory of random fields [2]_.

References
----------
.. [1] B. Epstein, M. Sobel, J. Am. Stat. Assoc. 48 (1953) 486: the mean of an exponential distribution from its lowest
       values follows a gamma distribution.
.. [2] K. J. Worsley, Adv. Appl. Probab. 26 (1994) 13: maxima of chi-squared fields.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, optimize

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RAMP_SHARE, _LEAST_RAMP_PX = 0.35, 2.0
"""Width of the window's soft edge: share of the particle's radius, and at least this."""
_CENSORED = 0.5
"""Share of a ring's samples that its noise is taken from."""
_LEAST_CELLS = 12
"""Least number of independent samples that tell the mean of noise."""
_SIDELOBE = 0.12
"""Of the power of a stronger spot, which its surroundings may have without being spots."""
_SIDELOBES_REACH = 2.5
_RING = 0.1
_GAP_PX = 2.0
"""Between a particle and what counts as its surroundings."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The Fourier transform of one particle.

    Parameters
    ----------
    values : ndarray of complex64, shape (n, n)
        The transform with the zero frequency at [n // 2, n // 2], n odd.
    step_per_nm : float
        Distance of its samples.
    place : tuple of int
        Row and column of the window within the pixels.
    window : ndarray, shape (h, w)
        By which the pixels were weighted, 0 outside of the particle.
    pixel_size_nm : float
        Edge of a pixel.
    cells_nm2 : float
        Independent frequencies per unit of the frequency plane's area (1/nm²).
    curvature_nm2 : float
        2 pi times the window's second moments sx sy, by which maxima of noise are counted.
    """

    values: NDArray[np.complex64]
    step_per_nm: float
    place: tuple[int, int]
    window: Floats
    pixel_size_nm: float
    cells_nm2: float
    curvature_nm2: float

    @property
    def frequencies_per_nm(self) -> Floats:
        """Of columns and rows."""
        n = len(self.values) // 2
        return np.arange(-n, n + 1, dtype=np.float64) * np.float64(self.step_per_nm)

    @property
    def resolution_per_nm(self) -> float:
        """Edge of the cell of one independent frequency: about one over the particle's diameter."""
        return float(1 / np.sqrt(self.cells_nm2))


@dataclass(frozen=True, eq=False)
class Peaks:
    """Local maxima that stand out of a spectrum's noise, by falling strength.

    Parameters
    ----------
    places_per_nm : ndarray, shape (n, 2)
        x and y of one of each pair of opposite ones.
    strengths : ndarray, shape (n,)
        Power over the mean of noise.
    chances : ndarray, shape (n,)
        That noise has such a peak anywhere in the band.
    """

    places_per_nm: Floats
    strengths: Floats
    chances: Floats


def spectrum(pixels: NDArray[np.generic], mask: Mask, pixel_size_nm: float, highest_per_nm: float) -> Spectrum:
    """Return the transform of a particle, weighted by a window that falls softly to nothing at its outline.

    A surface of second order is taken off first, which is the particle's thickness and not its lattice.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    highest_per_nm : float
        Largest frequency that is kept.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    window = _soft(mask[box])
    rest = _without_surface(pixels[box].astype(np.float64), window) * window
    n = fast_length(2 * max(rest.shape))
    step = 1 / (n * pixel_size_nm)
    half = np.asarray(fft.rfft2(rest.astype(np.float32), s=(n, n)), np.complex64)
    m = int(min(np.ceil(highest_per_nm / step), (n - 1) // 2))
    right = np.concatenate([half[-m:, : m + 1], half[: m + 1, : m + 1]])
    whole = np.concatenate([np.conj(right[::-1, :0:-1]), right], axis=1).astype(np.complex64)
    y, x = np.indices(window.shape)
    weight = window**2
    centre = [float((weight * axis).sum() / weight.sum()) for axis in (x, y)]
    xx, yy = (float((weight * (axis - at) ** 2).sum() / weight.sum()) for axis, at in zip((x, y), centre, strict=True))
    xy = float((weight * (x - centre[0]) * (y - centre[1])).sum() / weight.sum())
    return Spectrum(
        values=whole,
        step_per_nm=step,
        place=(int(rows[0]), int(columns[0])),
        window=window,
        pixel_size_nm=pixel_size_nm,
        cells_nm2=float(weight.sum() ** 2 / (weight**2).sum()) * pixel_size_nm**2,
        curvature_nm2=2 * np.pi * float(np.sqrt(max(xx * yy - xy**2, 0.0))) * pixel_size_nm**2,
    )


def fast_length(least: int) -> int:
    """Return the next length that is fast to transform."""
    return int(np.asarray(fft.next_fast_len(least, real=True)))


def peaks(of: Spectrum, band_per_nm: tuple[float, float], false_alarms: float) -> Peaks:
    """Return what stands out of the noise of a spectrum.

    Parameters
    ----------
    of : Spectrum
        The particle's.
    band_per_nm : (float, float)
        Frequencies to search, within the spectrum.
    false_alarms : float
        Chance that noise alone gives any.
    """
    low, high = band_per_nm
    g = of.frequencies_per_nm
    radius = np.hypot(g[:, None], g)
    power = np.abs(of.values.astype(np.complex128)) ** 2
    mean, independent = _noise(power, radius, of, low, high)
    ratio = power / mean
    kept = _CENSORED * independent
    # as improbable as `exponent` is where the mean is known exactly
    exponent = kept * np.log1p(ratio / kept)
    band = (radius >= low) & (radius <= high)
    area = np.pi / 2 * (high**2 - low**2)
    maxima = of.curvature_nm2 * area

    def expected(e: float) -> float:
        return maxima * (2 * e - 1) * np.exp(-e)

    def surplus(e: float) -> float:
        return expected(e) - false_alarms

    least = float(np.asarray(optimize.brentq(surplus, 1.5, 700))) if maxima > 0 else np.inf
    wide = 2 * int(np.ceil(0.6 * of.resolution_per_nm / of.step_per_nm)) + 1
    highest = np.asarray(ndimage.maximum_filter(exponent, wide, mode="nearest"))
    half = (g[:, None] > 0) | ((g[:, None] == 0) & (g > 0))
    y, x = np.nonzero(band & half & (exponent >= least) & (exponent == highest))
    order = np.argsort(-power[y, x], kind="stable")
    places: list[tuple[float, float]] = []
    chosen: list[tuple[int, int]] = []
    for i in order:
        row, column = int(y[i]), int(x[i])
        place = _between_samples(power, row, column, of)
        # sidelobes of what is stronger, of both of a pair
        hidden = any(
            power[row, column] < _SIDELOBE * power[other]
            and min(np.hypot(place[0] - s * at[0], place[1] - s * at[1]) for s in (1, -1))
            < _SIDELOBES_REACH * of.resolution_per_nm
            for at, other in zip(places, chosen, strict=True)
        )
        if not hidden:
            places.append(place)
            chosen.append((row, column))
    rows, columns = (np.array([one[k] for one in chosen], np.int64) for k in (0, 1))
    strengths, exponents = ratio[rows, columns], exponent[rows, columns]
    order = np.argsort(-strengths, kind="stable")
    return Peaks(
        np.array(places, np.float64).reshape(-1, 2)[order],
        strengths[order],
        np.array([min(1.0, expected(float(e))) for e in exponents[order]]),
    )


def excess_over_surroundings(
    pixels: NDArray[np.generic], mask: Mask, pixel_size_nm: float, place_per_nm: float
) -> tuple[float, float]:
    """Return the power of a particle's pixels around a frequency over that of its surroundings, and its relative error.

    What is well above 1 scatters there: where the atoms of a glass can be seen at the frequencies of a lattice, a
    lattice of as many atoms, whose power is not spread but in spots, could be seen all the more. The pixels are
    filtered before they are cut in two, so that strong long waves do not leak through a small particle's window.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    place_per_nm : float
        The frequency, in a band about it of 10 % standard deviation.

    Returns
    -------
    (float, float)
        NaN where the surroundings or the particle are too small to tell.
    """
    away = np.asarray(ndimage.distance_transform_edt(~mask), np.float64) > _GAP_PX
    wide = _RING * place_per_nm
    # independent frequencies of noise through the filter, of one half, per area
    density = np.pi * np.sqrt(2 * np.pi) * place_per_nm * wide * pixel_size_nm**2
    windows = [_soft(part) for part in (mask, away)]
    squares = [float((window**2).sum()) for window in windows]
    cells = [
        float(window.sum()) ** 2 / max(square, 1e-9) * density for window, square in zip(windows, squares, strict=True)
    ]
    if min(cells) < _LEAST_CELLS:
        return float("nan"), float("nan")
    # cosines mirror the pixels at their edges, where waves would see a step
    y, x = [np.arange(int(side), dtype=np.float64) / (2 * side * pixel_size_nm) for side in mask.shape[:2]]
    ring = np.exp(-0.5 * ((np.hypot(y[:, None], x) - place_per_nm) / wide) ** 2)
    own = np.asarray(fft.idctn(np.asarray(fft.dctn(pixels.astype(np.float64))) * ring), np.float64) ** 2
    inside, outside = (float((own * window).sum() / window.sum()) for window in windows)
    if outside <= 0:
        return float("nan"), float("nan")
    return inside / outside, float(np.sqrt(sum(1 / one for one in cells)))


def _soft(mask: Mask) -> Floats:
    """Return a window that rises from 0 at a mask's outline, and at the edge of the pixels, to 1."""
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1)), np.float64)[1:-1, 1:-1]
    ramp = min(max(_RAMP_SHARE * float(depth.max()), _LEAST_RAMP_PX), max(float(depth.max()), 1.0))
    return np.sin(np.pi / 2 * np.clip((depth - 0.5) / ramp, 0, 1)) ** 2


def _without_surface(values: Floats, weight: Floats) -> Floats:
    """Return values less the surface of second order that fits them best."""
    h, w = values.shape
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    weighted = (terms * weight).reshape(len(terms), -1)
    normal = weighted @ terms.reshape(len(terms), -1).T
    solution = np.linalg.lstsq(normal, weighted @ values.ravel(), rcond=None)[0]
    return values - np.tensordot(solution, terms, axes=1)


def _noise(power: Floats, radius: Floats, of: Spectrum, low: float, high: float) -> tuple[Floats, Floats]:
    """Return the mean power of noise at each sample, and from how many independent samples it is known."""
    centres, means, counts = _by_radius(power, radius, of, low)
    shaped = np.clip(radius, centres[0], centres[-1]).ravel()
    mean = np.exp(np.interp(shaped, centres, np.log(means))).reshape(radius.shape)
    turned = _by_direction(power / mean, radius, of, low, high)
    centres, means, counts = _by_radius(power / turned, radius, of, low)
    mean = turned * np.exp(np.interp(shaped, centres, np.log(means))).reshape(radius.shape)
    mean *= _along_axes(power / mean, of, low, high)
    return mean, np.interp(shaped, centres, counts).reshape(radius.shape)


def _by_radius(power: Floats, radius: Floats, of: Spectrum, low: float) -> tuple[Floats, Floats, Floats]:
    """Return frequencies, the mean power of noise at each of them, and how many independent samples tell it."""
    cell = of.resolution_per_nm
    top = len(power) // 2
    inner = max(low - 1.5 * cell, 0.5 * cell)
    outer = float(radius[top, -1])
    # one half is the other again
    r, p = radius[top:].ravel(), power[top:].ravel()
    order = np.argsort(r)
    r, p = r[order], p[order]
    centres = np.linspace(inner, outer, max(2, int(np.ceil((outer - inner) / (0.5 * cell)))))
    means, counts = np.empty_like(centres), np.empty_like(centres)
    log_means = np.zeros_like(centres)
    # twice: the second time the slope of the first is taken out, which would count as noise's spread
    for _ in range(2):
        level = np.interp(r, centres, log_means)
        flat = p * np.exp(-level)
        for k, centre in enumerate(centres):
            width = max(0.75 * cell, _LEAST_CELLS / (2 * np.pi * centre * of.cells_nm2))
            start, stop = np.searchsorted(r, (centre - width, centre + width))
            part = flat[start:stop]
            n = len(part)
            least = max(1, int(_CENSORED * n))
            lowest = np.partition(part, least - 1)[:least]
            means[k] = (lowest.sum() + (n - least) * lowest.max()) / least * np.exp(log_means[k])
            counts[k] = n * of.step_per_nm**2 * of.cells_nm2
        log_means = np.log(np.maximum(means, 1e-30 + 1e-12 * means.max()))
    return centres, np.exp(log_means), counts


def _by_direction(ratio: Floats, radius: Floats, of: Spectrum, low: float, high: float) -> Floats:
    """Return by how much noise is stronger in some directions: astigmatism and drift, or a filter of rows and columns.

    An exponential of second and fourth harmonics of the angle that change linearly with frequency, fitted to the
    logarithms with Huber's weights, to which a few spots do not matter. Small particles have the second ones alone.
    """
    every = max(1, int(0.7 * of.resolution_per_nm / of.step_per_nm))
    g = of.frequencies_per_nm
    top = len(g) // 2
    sparse = slice(top, None, every), slice(None, None, every)
    r = radius[sparse]
    kept = (r >= low) & (r <= high)

    def terms(x: Floats, y: Floats, r: Floats) -> list[Floats]:
        cosine, sine = (x * x - y * y) / (r * r), 2 * x * y / (r * r)
        harmonics = cosine, sine, cosine**2 - sine**2, 2 * cosine * sine
        along = 2 * (np.clip(r, low, high) - low) / (high - low) - 1
        return [term for one in harmonics for term in (one, one * along)]

    y, x = np.broadcast_arrays(g[sparse[0], None], g[sparse[1]])
    design = np.stack([np.ones(np.count_nonzero(kept)), *terms(x[kept], y[kept], r[kept])], axis=1)
    values = np.log(np.maximum(ratio[sparse][kept], 1e-12))
    independent = np.pi / 2 * (high**2 - low**2) * of.cells_nm2
    known = next((n for n in (9, 5) if independent >= _LEAST_CELLS * n), 1)
    design = design[:, :known]
    # from above more strictly: there are the spots
    weights = np.ones_like(values)
    solution = np.zeros(known)
    for _ in range(8):
        weighted = (design * weights[:, None]).T
        solution = np.linalg.solve(weighted @ design, weighted @ values)
        off = values - design @ solution
        weights = np.where(off > 0, 1, 1.5) / np.maximum(np.abs(off), 1.0)
    y, x = np.broadcast_arrays(g[:, None], g)
    total = np.zeros_like(ratio)
    for weight, term in zip(solution[1:], terms(x, y, np.maximum(radius, 1e-9)), strict=False):
        total += weight * term
    return np.exp(total)


def _along_axes(ratio: Floats, of: Spectrum, low: float, high: float) -> Floats:
    """Return by how much noise is stronger on the axes than elsewhere: lines of pixels differ in gain."""
    g = of.frequencies_per_nm
    near = np.abs(g) < 0.5 * of.resolution_per_nm
    along = (np.abs(g) >= low) & (np.abs(g) <= high)
    factor = np.ones_like(ratio)
    for strip, of_ratio in ((factor, ratio), (factor.T, ratio.T)):
        if np.count_nonzero(along) >= 8:
            excess = float(np.median(of_ratio[np.ix_(along, near)])) / np.log(2)
            if excess > 2:
                strip[:, near] *= excess
    return factor


def _between_samples(power: Floats, row: int, column: int, of: Spectrum) -> tuple[float, float]:
    """Return x and y of the maximum of the parabola through the logarithms around a sample."""
    middle = len(power) // 2
    if not (0 < row < len(power) - 1 and 0 < column < len(power) - 1):
        return (column - middle) * of.step_per_nm, (row - middle) * of.step_per_nm
    log = np.log(np.maximum(power[row - 1 : row + 2, column - 1 : column + 2], 1e-300))
    shift: list[float] = []
    for line in (log[1], log[:, 1]):
        bend = float(line[0] - 2 * line[1] + line[2])
        shift.append(float(np.clip(0.5 * (line[0] - line[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0)
    return (column - middle + shift[0]) * of.step_per_nm, (row - middle + shift[1]) * of.step_per_nm
