"""High-resolution micrographs of metal particles on amorphous carbon, atom by atom, with known outlines."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.simulation.amorphous import amorphous_shift
from antema.simulation.atoms import nanoparticle, outline_mask
from antema.simulation.camera import Camera
from antema.simulation.field import SimulatedField, field_contrast_to_noise, particle_contrast_to_noise, visible
from antema.simulation.fourier import fast_length, gaussian, long_waves
from antema.simulation.materials import METALS
from antema.simulation.multislice import thin_image, thin_shift
from antema.simulation.optics import Optics


def micrograph_field(
    seed: int,
    *,
    shape: tuple[int, int] = (1024, 1024),
    pixel_size_nm: float = 0.064,
    element: str = "Au",
    mean_diameter_nm: float = 2.0,
    sd_nm: float = 0.3,
    n: int = 100,
    overlaps: float = 0.05,
    optics: Optics | None = None,
    camera: Camera | None = None,
    carbon_nm: float = 4.0,
    absorption: float = 0.15,
    shading: float = 0.03,
    amorphous_share: float = 0.15,
    rod_share: float = 0.0,
    blur_px: float = 0.0,
) -> SimulatedField:
    """Return a simulated bright-field micrograph.

    The specimen is one slice (a phase object with absorption): mean contrast and its spread are right, the detail
    inside particles is that of a thin object.

    Parameters
    ----------
    seed : int
        The same seed gives the same field, whatever ran before.
    shape : tuple of int
        Height and width in pixels.
    pixel_size_nm : float
        Edge of a pixel.
    element : str
        One of `antema.simulation.materials.METALS`.
    mean_diameter_nm, sd_nm : float
        Of the normal distribution of volume-equivalent diameters, cut at a third of the mean.
    n : int
        Particles asked for in the field and a margin around it; fewer where they don't fit.
    overlaps : float
        Share of particles placed without regard to the others.
    optics, camera : Optics, Camera or None
        None: HRTEM at 300 kV on a scintillator camera.
    carbon_nm : float
        Thickness of the support.
    absorption : float
        Ratio of absorbed to shifted amplitude; each particle has its own around this (orientation contrast).
    shading : float
        Standard deviation of the uneven illumination.
    amorphous_share, rod_share : float
        Shares of particles without lattice and of rods.
    blur_px : float
        Gaussian blur after recording, as some programs export it.
    """
    rng = np.random.default_rng(seed)
    metal = METALS[element]
    optics, camera = optics or Optics(), camera or Camera()
    margin = int(np.ceil(min(1.0 * mean_diameter_nm / pixel_size_nm, 96) / 8)) * 8
    full = tuple(fast_length(side + 2 * margin) for side in shape)
    diameters = np.maximum(rng.normal(mean_diameter_nm, sd_nm, n), mean_diameter_nm / 3)
    centres = placed(rng, diameters / pixel_size_nm, (full[0], full[1]), overlaps=overlaps)

    instances, particles = [], []
    atoms_of_all, absorption_of_all = [np.empty((0, 3))], [np.empty(0)]
    for diameter, centre in zip(diameters, centres, strict=True):
        if centre is None:
            continue
        kind = _kind(rng, amorphous_share, rod_share)
        atoms = nanoparticle(rng, metal, float(diameter), **kind)
        atoms[:, :2] += np.asarray(centre) * pixel_size_nm
        strength = absorption * rng.lognormal(0, 0.35)
        atoms_of_all.append(atoms)
        absorption_of_all.append(np.full(len(atoms), strength))
        x, y, mask = outline_mask(atoms, metal.radius_nm, pixel_size_nm)
        instance = visible(x - margin, y - margin, mask, shape)
        if instance is not None:
            instances.append(instance)
            particles.append({"diameter_nm": float(diameter), "element": element, "atoms": len(atoms), **kind})

    shift = thin_shift(
        np.concatenate(atoms_of_all),
        metal.species[0].z,
        pixel_size_nm=pixel_size_nm,
        shape=(full[0], full[1]),
        optics=optics,
        absorption=np.concatenate(absorption_of_all),
    )
    shift = shift + amorphous_shift(rng, (full[0], full[1]), pixel_size_nm, carbon_nm, optics)
    intensity = thin_image(shift, optics, pixel_size_nm)
    intensity = intensity[margin : margin + shape[0], margin : margin + shape[1]]
    intensity = intensity * np.exp(shading * long_waves(rng, shape, waves=1.5))
    pixels = camera.record(rng, intensity)
    if blur_px:
        pixels = np.rint(gaussian(pixels.astype(np.float32), blur_px)).astype(np.uint16)
    conditions: dict[str, Any] = {
        "seed": seed,
        "element": element,
        "optics": asdict(optics),
        "camera": asdict(camera),
        "carbon_nm": carbon_nm,
        "absorption": absorption,
        "blur_px": blur_px,
        "contrast_to_noise": field_contrast_to_noise(particle_contrast_to_noise(pixels, instances)),
    }
    return SimulatedField(pixels, pixel_size_nm, instances, particles, conditions)


def _kind(rng: np.random.Generator, amorphous_share: float, rod_share: float) -> dict[str, str]:
    structure = "amorphous" if rng.random() < amorphous_share else str(rng.choice(["crystal", "twin"]))
    shape = "rod" if rng.random() < rod_share else str(rng.choice(["sphere", "polyhedron", "ellipsoid"]))
    return {"shape": shape, "structure": structure}


def placed(
    rng: np.random.Generator,
    widths_px: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    overlaps: float,
    tries: int = 40,
) -> list[tuple[float, float] | None]:
    """Return a centre (x, y) in pixels for each circle of these widths, None where it found no room.

    Circles keep apart, but for a share `overlaps` of them which lie partly over another one.
    """
    result: list[tuple[float, float] | None] = []
    centres = np.empty((0, 2))
    radii = np.empty(0)
    for width in widths_px:
        found = None
        if len(centres) and rng.random() < overlaps:
            other = int(rng.integers(len(centres)))
            angle = rng.uniform(0, 2 * np.pi)
            apart = (radii[other] + width / 2) * rng.uniform(0.55, 1.02)
            found = centres[other] + apart * np.array([np.cos(angle), np.sin(angle)])
        else:
            for _ in range(tries):
                candidate = rng.uniform(0, 1, 2) * (shape[1], shape[0])
                if not len(centres) or (np.hypot(*(centres - candidate).T) > (radii + width / 2) * 1.08).all():
                    found = candidate
                    break
        if found is None:
            result.append(None)
            continue
        centres, radii = np.vstack([centres, found]), np.append(radii, width / 2)
        result.append((float(found[0]), float(found[1])))
    return result
