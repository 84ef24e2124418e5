"""Where a particle ends by the contrast of its own image: at half of what it has just inside its rim."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import Instance
from antema.simulation.atoms import tight
from antema.simulation.camera import Camera
from antema.simulation.field import in_image
from antema.simulation.optics import Optics

RIM, LEAST_RIM_PX, MOST_RIM = (0.1, 0.3), (1.5, 3.0), (0.3, 0.6)
"""Where a particle counts as just inside its rim: depths by half of its width (by its shell or wall), but out of the
edge's own blur, that many pixels, as far as the width leaves room for that."""
LEVEL = 0.5
"""Of the contrast there; thresholds and people set the edge about here."""
_SMOOTH_NM = 0.1
"""Standard deviation that takes projected columns of atoms out: a spacing of 0.2 nm keeps 1 % of its amplitude."""
_AIRY = 0.21
"""Standard deviation of a Gaussian like the disc of Airy, by wavelength over half-angle."""
_WIDEST_MRAD = 25.0


def rim_px_of(width_px: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a number or an array of them, and so back
    """Return between which depths in pixels a particle, by half of its width in pixels, is just inside its rim."""
    shallow, deep = (
        np.maximum(share * width_px, np.minimum(least, most * width_px))
        for share, least, most in zip(RIM, LEAST_RIM_PX, MOST_RIM, strict=True)
    )
    return shallow, deep


def half_contrast(
    contrast: NDArray[np.floating], matter: NDArray[np.bool_], *, rim_px: float | None = None
) -> NDArray[np.bool_]:
    """Return where a particle alone has at least half of the contrast that it has just inside its rim.

    Parameters
    ----------
    contrast : ndarray, shape (h, w)
        Of its image against the ground, blurred as the image is, without noise, lattice and texture; not negative.
    matter : ndarray of bool, shape (h, w)
        Its projected matter, whole, with empty pixels around it.
    rim_px : float or None
        Width of its shell or wall, from whose contrast the level is taken; None: it has none.

    Returns
    -------
    ndarray of bool, shape (h, w)
        Without holes. Empty where nothing has contrast.
    """
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(matter, 1)))[1:-1, 1:-1] - 0.5
    inner = float(depth.max())
    width = inner if rim_px is None else min(max(rim_px, 1.0), inner)
    shallow, deep = rim_px_of(width)
    band = (depth >= shallow) & (depth <= deep)
    if not band.any():  # a few pixels
        band = depth >= inner
    level = LEVEL * float(np.median(contrast[band]))
    if level <= 0:
        return np.zeros(matter.shape, bool)
    found = (contrast >= level) | (depth > deep)
    return np.asarray(ndimage.binary_fill_holes(found), bool)


def of_atoms(
    xy_px: NDArray[np.float64],
    nm3_per_atom: float,
    matter: Instance,
    pixel_size_nm: float,
    blur_px: float,
    per_nm: float,
) -> Instance:
    """Return the visible outline of a particle made of atoms, in the frame of `matter`.

    Parameters
    ----------
    xy_px : ndarray, shape (n, 2)
        Its atoms.
    nm3_per_atom : float
        Volume that each of them takes.
    matter : Instance
        The outline of the atoms (`antema.simulation.atoms.outlined`); may lie outside of any image.
    pixel_size_nm : float
        Edge of a pixel.
    blur_px : float
        Standard deviation of the image's blur (`blur_of`).
    per_nm : float
        Which share of the intensity a nm of the material takes.
    """
    smooth_px = _SMOOTH_NM / pixel_size_nm
    margin = int(np.ceil(3.5 * float(np.hypot(blur_px, smooth_px)))) + 2
    mask = np.pad(matter.mask, margin)
    x, y = matter.x - margin, matter.y - margin
    at = np.clip(np.floor(xy_px - (x, y)).astype(int), 0, (mask.shape[1] - 1, mask.shape[0] - 1))
    number = np.bincount(at[:, 1] * mask.shape[1] + at[:, 0], minlength=mask.size).reshape(mask.shape)
    thickness_nm = ndimage.gaussian_filter(number * (nm3_per_atom / pixel_size_nm**2), smooth_px)
    return _edge(x, y, 1 - np.exp(-per_nm * thickness_nm), mask, blur_px)


def of_solid(x: int, y: int, contrast: NDArray[np.floating], matter: NDArray[np.bool_], blur_px: float) -> Instance:
    """Return the visible outline of a solid whose unblurred contrast and matter lie in a window at (x, y)."""
    margin = int(np.ceil(3.5 * blur_px)) + 2
    return _edge(x - margin, y - margin, np.pad(contrast, margin), np.pad(matter, margin), blur_px)


def blur_of(optics: Optics, camera: Camera, pixel_size_nm: float, *, later_px: float = 0.0) -> float:
    """Return the standard deviation in pixels of the blur of an image by aperture or aberrations, camera and drift.

    Parameters
    ----------
    optics, camera : Optics, Camera
        The microscope; of the camera's blur only the core counts, its long tail moves no edge.
    pixel_size_nm : float
        Edge of a pixel.
    later_px : float
        Of a blur after the camera.
    """
    wavelength = optics.wavelength_nm
    angle = optics.aperture_mrad * 1e-3 or _WIDEST_MRAD * 1e-3
    if optics.cs_mm:
        angle = min(angle, 1.41 * (wavelength / abs(optics.cs_mm * 1e6)) ** 0.25)  # as far as one phase is kept
    lens_px = _AIRY * wavelength / angle / pixel_size_nm
    drift = float(np.hypot(*camera.drift_px)) / np.sqrt(12) / np.sqrt(2)  # along one of two axes
    return float(np.sqrt(lens_px**2 + camera.signal_mtf_px**2 + drift**2 + later_px**2))


def both_shown(
    outer: Instance, inner: Instance, corner: tuple[int, int], shape: tuple[int, int]
) -> tuple[Instance, Instance] | None:
    """Return the parts of two outlines of a particle that lie in an image whose upper left pixel is at `corner` (x, y).

    None unless both have some.
    """
    parts = [in_image(one.x - corner[0], one.y - corner[1], one.mask, shape) for one in (outer, inner)]
    return None if parts[0] is None or parts[1] is None else (parts[0], parts[1])


def diameter_px(instance: Instance) -> float:
    """Return the equivalent diameter of a mask in pixels."""
    return float(2 * np.sqrt(instance.area_px / np.pi))


def _edge(x: int, y: int, contrast: NDArray[np.floating], matter: NDArray[np.bool_], blur_px: float) -> Instance:
    blurred = ndimage.gaussian_filter(np.asarray(contrast, np.float32), blur_px, truncate=3.5)
    x, y, mask = tight(x, y, half_contrast(blurred, matter))
    return Instance(x, y, mask)
