"""High-resolution micrographs of metal particles on amorphous carbon, atom by atom, with known outlines."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.simulation.atoms import Positions, nanoparticle, outline_mask
from antema.simulation.elements import METALS, Metal, scattering_factor_nm
from antema.simulation.field import SimulatedField, contrast_to_noise, union, visible
from antema.simulation.fourier import fast_length, forward, inverse
from antema.simulation.optics import Camera, Optics, carbon_phase, frequencies_per_nm, gaussian, long_waves


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
        One of `antema.simulation.elements.METALS`.
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

    phase = np.zeros(full, np.float32)
    absorbing = np.zeros(full, np.float32)
    instances, particles = [], []
    for diameter, centre in zip(diameters, centres, strict=True):
        if centre is None:
            continue
        kind = _kind(rng, amorphous_share, rod_share)
        atoms = nanoparticle(rng, metal, float(diameter), **kind)
        atoms[:, :2] += np.asarray(centre) * pixel_size_nm
        strength = absorption * rng.lognormal(0, 0.35)
        deposit(phase, atoms, pixel_size_nm, 1.0)
        deposit(absorbing, atoms, pixel_size_nm, strength)
        x, y, mask = outline_mask(atoms, metal.radius_nm, pixel_size_nm)
        instance = visible(x - margin, y - margin, mask, shape)
        if instance is not None:
            instances.append(instance)
            particles.append({"diameter_nm": float(diameter), "element": element, "atoms": len(atoms), **kind})

    intensity = _intensity(rng, phase, absorbing, metal, pixel_size_nm, optics, carbon_nm)
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
        "contrast_to_noise": contrast_to_noise(pixels, union(instances, shape)),
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


def deposit(grid: NDArray[np.float32], atoms: Positions, pixel_size_nm: float, weight: float) -> None:
    """Add `weight` for each atom to `grid`, shared linearly among the four nearest pixel centres."""
    at = atoms[:, :2] / pixel_size_nm - 0.5
    low = np.floor(at).astype(int)
    share = at - low
    h, w = grid.shape
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = low[:, 0] + dx, low[:, 1] + dy
            value = weight * np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
            inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
            np.add.at(grid, (y[inside], x[inside]), value[inside].astype(np.float32))


def _intensity(
    rng: np.random.Generator,
    atoms: NDArray[np.float32],
    absorbing: NDArray[np.float32],
    metal: Metal,
    pixel_size_nm: float,
    optics: Optics,
    carbon_nm: float,
) -> NDArray[np.float32]:
    shape = (atoms.shape[0], atoms.shape[1])
    g = frequencies_per_nm(shape, pixel_size_nm)
    per_atom = optics.lorentz_factor * optics.wavelength_nm * scattering_factor_nm(metal.z, g) / pixel_size_nm**2
    # both real fields in one complex transform
    fields = inverse(forward(atoms + 1j * absorbing) * per_atom.astype(np.float32))
    phase, loss = fields.real, fields.imag
    carbon = carbon_phase(rng, g, pixel_size_nm, carbon_nm, optics)
    wave = np.exp(1j * (phase + carbon) - loss - 0.04 * carbon).astype(np.complex64)
    wave = inverse(forward(wave) * optics.transfer(g))
    return (wave.real**2 + wave.imag**2).astype(np.float32)
