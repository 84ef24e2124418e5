"""Images of single particles of known crystallinity: atoms, a support and neighbours through multislice and camera."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.domain import AMORPHOUS, POLYCRYSTALLINE
from antema.simulation.amorphous import AmorphousSolid, slab
from antema.simulation.atoms import outlined
from antema.simulation.camera import Camera, blurred, drifted
from antema.simulation.crystals import Atoms
from antema.simulation.domains import Grown, along_beam, grown
from antema.simulation.fourier import Image, long_waves
from antema.simulation.materials import Material
from antema.simulation.multislice import exit_waves, image
from antema.simulation.optics import Optics
from antema.simulation.shapes import Ellipsoid, Vectors
from antema.simulation.visibility import VISIBLE, lattice_contrast, noise_power, shown, spacings_nm

FINEST_NM, FINE_NM = 0.01, 0.025
"""Least pixel size of a crop; largest one of the waves, which are binned to the crop's."""
EDGES_PX = (128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1600)
_SLICES = (4, 8, 12, 16, 24, 32, 48, 64, 96)
_SLICE_NM = 0.4
FOCI = 5
GAP_NM = 0.2
"""Between a particle's lowest atoms and its support."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a particle is seen.

    Parameters
    ----------
    pixel_size_nm : float
        Edge of a pixel of the crop.
    optics : Optics
        The microscope; defocus counts from the particle's middle.
    camera : Camera
        What records it; 16 bits.
    support : AmorphousSolid or None
        What it lies on, packed atom by atom.
    support_nm : float
        Its thickness.
    margin_nm : float
        Surroundings of the particle in the crop.
    outline_nm : float
        Standard deviation of the error of the mask's outline.
    outline_bias_nm : float
        How far the mask is too wide.
    """

    pixel_size_nm: float
    optics: Optics
    camera: Camera
    support: AmorphousSolid | None
    support_nm: float
    margin_nm: float = 1.0
    outline_nm: float = 0.0
    outline_bias_nm: float = 0.0


@dataclass(frozen=True, eq=False)
class Crop:
    """A particle with its surroundings.

    Parameters
    ----------
    pixels : ndarray of uint16, shape (h, w)
        Grey values.
    mask : ndarray of bool, shape (h, w)
        The particle.
    pixel_size_nm : float
        Edge of a pixel.
    label : dict
        ``class`` and what else is known, by the names of the columns of ``labels.csv``.
    """

    pixels: NDArray[np.uint16]
    mask: NDArray[np.bool_]
    pixel_size_nm: float
    label: dict[str, Any]


def particle_crop(
    rng: np.random.Generator,
    particle: Grown,
    material: Material,
    conditions: Conditions,
    neighbours: Sequence[Atoms] = (),
) -> Crop:
    """Return the crop of a particle.

    What its label says of its lattice: `antema.simulation.visibility.shown`. ``domains_visible`` says how many of its
    crystals show a lattice of their own, one that nothing else has as strongly in the same direction; it is not told
    of multiply twinned particles.

    Parameters
    ----------
    rng : Generator
        Source of its place, of the support, of noise and of the outline's error.
    particle : Grown
        Around the origin.
    material : Material
        What it is made of.
    conditions : Conditions
        How it is seen.
    neighbours : sequence of Atoms
        Other particles, in the same frame, not in its place.
    """
    pixel_nm = conditions.pixel_size_nm
    bins = binning(pixel_nm)
    fine_nm = pixel_nm / bins
    atoms = particle.atoms
    reach = float(np.abs(atoms.places_nm[:, :2]).max()) + material.radius_nm
    side_px = int(np.ceil(2 * (reach + conditions.margin_nm) / pixel_nm)) + 1
    edge_px = next((n for n in EDGES_PX if n >= side_px * bins), None)
    if edge_px is None:
        msg = f"a particle with surroundings of at most {EDGES_PX[-1] * fine_nm:.1f} nm is expected at {pixel_nm:g} nm"
        raise ValueError(f"{msg} a pixel; found {side_px * pixel_nm:.1f} nm")
    middle = np.array([*(edge_px * fine_nm / 2 + rng.uniform(-0.5, 0.5, 2) * pixel_nm), 0.0])
    others = [(one.places_nm + middle, one.z) for one in neighbours]
    target = (atoms.places_nm + middle, atoms.z)
    film = _film(rng, conditions, edge_px * fine_nm, [target, *others])

    def expected(specimens: Sequence[list[tuple[Vectors, NDArray[np.int64]]]]) -> list[Image]:
        return _expected(specimens, conditions, fine_nm, edge_px, bins)

    n = edge_px // bins
    low = (n - side_px) // 2
    window = (slice(low, low + side_px), slice(low, low + side_px))
    x, y, mask, shadow = outlined(target[0], atoms.radii_nm, pixel_nm)
    exact = np.zeros((n, n), bool)
    exact[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    exact = exact[window]

    def contrast_of(crystal: Image, everything_else: Image, *, apart: bool = False) -> tuple[float, float]:
        noise = noise_power(conditions.camera)
        lattice = spacings_nm(material)
        return lattice_contrast(crystal[window], everything_else[window], exact, pixel_nm, lattice, noise, apart=apart)

    diameter_nm = float(np.cbrt(6 / np.pi * len(atoms.z) / sum(material.atoms_per_nm3.values())))
    ball = reference_ball(rng, material, diameter_nm)
    reference = (ball + middle, rng.choice(atoms.z, len(ball)))
    contrast, best = (0.0, float("nan")), None
    if particle.crystallinity == AMORPHOUS:
        seen, ball_alone = expected([[target, *others, *film], [reference]])
        best = contrast_of(ball_alone, seen)[0]
    else:
        seen, alone = expected([[target, *others, *film], [target]])
        contrast = contrast_of(alone, seen - alone)
        if contrast[0] < VISIBLE:
            (ball_alone,) = expected([[reference]])
            best = contrast_of(ball_alone, seen - alone)[0]

    domains_visible: int | None = min(particle.domains, int(contrast[0] >= VISIBLE))
    if particle.crystallinity == POLYCRYSTALLINE:
        owner, domains_visible = atoms.domain, None
        if owner is not None:
            parts = [(target[0][owner == k], target[1][owner == k]) for k in range(particle.domains)]
            rests = [[*parts[:k], *parts[k + 1 :], *others, *film] for k in range(len(parts))]
            # not what is left when its image is taken off: of fringes that the rest dims, a part would remain
            each, without = expected([[part] for part in parts]), expected(rests)
            domains_visible = sum(
                contrast_of(one, rest, apart=True)[0] >= VISIBLE for one, rest in zip(each, without, strict=True)
            )

    pixels = recorded(rng, seen, conditions.camera)[window].astype(np.uint16)
    mask = imperfect(rng, exact, conditions.outline_nm / pixel_nm, conditions.outline_bias_nm / pixel_nm)
    label = {
        "class": particle.crystallinity,
        "element": material.name,
        "diameter_nm": 2 * np.sqrt(shadow.area_nm2 / np.pi),
        "pixel_size_nm": pixel_nm,
        "structure": particle.structure,
        "domains": particle.domains,
        **({} if domains_visible is None else {"domains_visible": domains_visible}),
        "atoms": len(atoms.z),
        **shown(particle.crystallinity, contrast, best),
        "neighbours": len(neighbours),
        "mask_iou": np.count_nonzero(mask & exact) / np.count_nonzero(mask | exact),
    }
    return Crop(pixels, mask, pixel_nm, label)


def binning(pixel_size_nm: float) -> int:
    """Return how many samples of the wave a pixel needs along each edge: a power of two, at most `FINE_NM` each."""
    bins = 1
    while pixel_size_nm / bins > FINE_NM:
        bins *= 2
    return bins


def slice_nm(depth_nm: float) -> float:
    """Return how thick slices are that make up a depth: at most 0.4 nm, and as thin as makes one of few numbers.

    Each number of slices is compiled for itself.
    """
    least = int(np.ceil(depth_nm / _SLICE_NM))
    return depth_nm / next((n for n in _SLICES if n >= least), least)


def without_noise(intensity: Image, camera: Camera, bins: int) -> Image:
    """Return what a camera expects of an intensity with `bins` samples along each edge of a pixel, drift included."""
    h, w = intensity.shape[0] // bins, intensity.shape[1] // bins
    binned = intensity.reshape(h, bins, w, bins).mean(axis=(1, 3))
    moved = drifted(binned, camera.drift_px)
    return np.maximum(blurred(moved, camera.signal_mtf_px, camera.signal_tail, camera.tail_px), 0)


def recorded(rng: np.random.Generator, expected: Image, camera: Camera) -> NDArray[np.generic]:
    """Return the grey values of what `without_noise` gives: drift and the camera's blur are in it already."""
    return replace(camera, signal_mtf_px=0.0, signal_tail=0.0, drift_px=(0.0, 0.0)).record(rng, expected)


def imperfect(rng: np.random.Generator, mask: NDArray[np.bool_], sd_px: float, bias_px: float) -> NDArray[np.bool_]:
    """Return `mask` with its outline moved outwards by `bias_px` and, unevenly, by `sd_px`; one piece, never empty."""
    if sd_px == 0 and bias_px == 0:
        return mask
    depth = np.asarray(ndimage.distance_transform_edt(mask)) - np.asarray(ndimage.distance_transform_edt(~mask))
    diameter_px = 2 * np.sqrt(np.count_nonzero(mask) / np.pi)
    waves = rng.uniform(0.6, 2.0) * max(mask.shape) / diameter_px
    moved = depth + bias_px + sd_px * long_waves(rng, (mask.shape[0], mask.shape[1]), waves=waves) > 0
    labels, n = ndimage.label(moved)  # type: ignore[misc]
    if n == 0:
        return mask
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(ndimage.binary_fill_holes(largest), bool)


def _film(
    rng: np.random.Generator, conditions: Conditions, edge_nm: float, above: list[tuple[Vectors, NDArray[np.int64]]]
) -> list[tuple[Vectors, NDArray[np.int64]]]:
    solid = conditions.support
    if solid is None:
        return []
    places = slab(rng, (edge_nm, edge_nm, conditions.support_nm), solid)
    places[:, 2] += max(float(places_nm[:, 2].max()) for places_nm, _ in above) + GAP_NM
    return [(places, np.full(len(places), solid.z))]


def _expected(
    specimens: Sequence[list[tuple[Vectors, NDArray[np.int64]]]],
    conditions: Conditions,
    fine_nm: float,
    edge_px: int,
    bins: int,
) -> list[Image]:
    """Return what the camera expects of each specimen, (n, n) pixels of the crop, without noise."""
    whole = [(np.concatenate([p for p, _ in parts]), np.concatenate([z for _, z in parts])) for parts in specimens]
    depth = max(float(np.ptp(places[:, 2])) for places, _ in whole) + 1e-3
    waves = exit_waves(
        whole,
        pixel_size_nm=fine_nm,
        shape=(edge_px, edge_px),
        slice_nm=slice_nm(depth),
        optics=conditions.optics,
        plane_nm=0.0,
    )
    intensity = image(waves, conditions.optics, fine_nm, foci=FOCI)
    return [without_noise(one, conditions.camera, bins) for one in intensity]


def reference_ball(rng: np.random.Generator, material: Material, diameter_nm: float) -> Vectors:
    """Return the atoms (n, 3) of a ball of one crystal with [110] along the beam, which shows its lattice if any does.

    Parameters
    ----------
    rng : Generator
        Source of its turn about the beam.
    material : Material
        A face-centred cubic metal.
    diameter_nm : float
        Its diameter.
    """
    body = Ellipsoid(diameter_nm / 2 * np.eye(3))
    rotation = along_beam(rng, np.array([1.0, 1, 0]))
    return grown(rng, material, body, "sphere", "crystal", rotation=rotation).atoms.places_nm
