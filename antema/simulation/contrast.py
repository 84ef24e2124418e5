"""Bright-field contrast of solids too large to be built of atoms: phase, mass-thickness and diffraction contrast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.simulation.fourier import long_waves
from antema.simulation.materials import Material, absorption_per_nm
from antema.simulation.optics import Optics
from antema.simulation.particles import Particle
from antema.simulation.shapes import TWINNED_SHAPES, cut, domain_planes

Image = NDArray[np.float32]
_EXTINCTION_KV = 100.0
_BLUNT = 0.02
"""Share of the beam that no diffraction takes away."""


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How strongly solids diffract, and how uneven they are.

    Parameters
    ----------
    diffraction : float
        Share of the diffracted beams that the aperture stops, 0 to 1.
    deviation : float
        Typical distance of a crystal from the Bragg condition, in units of the reflection's width; the smaller, the
        more particles are dark.
    bending : float
        Change of that distance across a particle.
    texture : float
        Relative standard deviation of the thickness inside amorphous particles.
    fringes : float
        Relative strength of lattice fringes where the sampling shows them.
    """

    diffraction: float = 0.6
    deviation: float = 3.0
    bending: float = 1.0
    texture: float = 0.0
    fringes: float = 0.1


def interaction_per_v_nm(voltage_kv: float) -> float:
    """Return the phase that 1 V over 1 nm gives to an electron wave, in rad."""
    beam = Optics(voltage_kv=voltage_kv)
    return 2 * np.pi / (beam.wavelength_nm * voltage_kv * 1e3) * beam.lorentz_factor / (1 + beam.lorentz_factor)


def solid_shift(
    rng: np.random.Generator,
    particle: Particle,
    x_nm: Image,
    y_nm: Image,
    optics: Optics,
    contrast: Contrast,
    pixel_size_nm: float,
) -> tuple[NDArray[np.bool_], Image, Image, Image]:
    """Return where a solid is, its projected thickness in nm, the phase and the loss of amplitude.

    An uneven thickness may come to 0 inside of it, too.

    Parameters
    ----------
    rng : Generator
        Source of how its crystals diffract.
    particle : Particle
        The solid, around the origin.
    x_nm, y_nm : ndarray, shape (h, w)
        Places where lines along z cross it.
    optics : Optics
        Its voltage and its aperture (30 mrad where it has none).
    contrast : Contrast
        Diffraction contrast.
    pixel_size_nm : float
        Distance of those places; lattice fringes below two of them are left out.
    """
    low, high = particle.body.chord(x_nm, y_nm)
    inside, thickness = high > low, np.maximum(high - low, 0)
    if particle.structure == "amorphous" and contrast.texture:
        uneven = long_waves(rng, (thickness.shape[0], thickness.shape[1]), waves=rng.uniform(3, 30))
        thickness = thickness * np.maximum(1 + contrast.texture * uneven, 0)
    material = particle.material
    phase = interaction_per_v_nm(optics.voltage_kv) * material.inner_potential_v * thickness
    loss = 0.5 * absorption_per_nm(material, optics.voltage_kv, optics.aperture_mrad or 30.0) * thickness
    if particle.structure != "amorphous":
        extinction = extinction_nm(material, optics.voltage_kv)
        reach = max(particle.reach_nm, 1e-6)
        for depth in _crystals(rng, particle, low, high, x_nm, y_nm):
            beam = direct_beam(rng, depth, x_nm / reach, y_nm / reach, extinction, contrast)
            loss = loss - 0.5 * np.log(np.maximum(1 - contrast.diffraction * (1 - beam), _BLUNT))
        if contrast.fringes:
            phase = phase * (1 + _lattice(rng, material, x_nm, y_nm, pixel_size_nm, contrast.fringes))
    return inside, thickness, phase.astype(np.float32), loss.astype(np.float32)


def direct_beam(
    rng: np.random.Generator, depth_nm: Image, u: Image, v: Image, extinction_nm: float, contrast: Contrast
) -> Image:
    """Return the intensity that a crystal leaves in the direct beam, 1 where it is not.

    The two-beam dynamical theory with the oscillations damped by absorption: thickness fringes where a crystal lies
    near the Bragg condition, bend contours where it is bent through it.

    Parameters
    ----------
    rng : Generator
        Source of the distance from the Bragg condition.
    depth_nm : ndarray, shape (h, w)
        Thickness of the crystal.
    u, v : ndarray, shape (h, w)
        Places relative to its size.
    extinction_nm : float
        Extinction distance.
    contrast : Contrast
        Distribution of the distance from the Bragg condition.

    References
    ----------
    .. [1] P. B. Hirsch et al., Electron Microscopy of Thin Crystals (1965), chapters 8 and 9.
    """
    beam = np.ones(depth_nm.shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        bend = contrast.bending * rng.normal(size=2)
        away = contrast.deviation * np.tan(1.45 * rng.uniform(-1, 1)) + bend[0] * u + bend[1] * v
        effective = extinction_nm * rng.uniform(1.0, 2.0) / np.sqrt(1 + away**2)
        damped = np.exp(-depth_nm / (4 * extinction_nm))
        beam *= 1 - (1 - np.cos(2 * np.pi * depth_nm / effective) * damped) / (2 * (1 + away**2))
    return beam


def extinction_nm(material: Material, voltage_kv: float) -> float:
    """Return the extinction distance at a voltage: it grows as the electron's speed."""

    def speed(kv: float) -> float:
        return float(np.sqrt(1 - 1 / Optics(voltage_kv=kv).lorentz_factor ** 2))

    return material.extinction_nm * speed(voltage_kv) / speed(_EXTINCTION_KV)


def _crystals(rng: np.random.Generator, particle: Particle, low: Image, high: Image, x: Image, y: Image) -> list[Image]:
    """Return the thickness of each crystal of a particle."""
    if particle.structure == "multiply twinned" and particle.shape in TWINNED_SHAPES:
        planes = [(normals, np.zeros(len(normals))) for normals in domain_planes(particle.shape)]
    elif particle.structure == "twin":
        normal = np.array([[1, 1, 1]]) / np.sqrt(3)
        off = rng.uniform(-0.3, 0.3, 1) * particle.reach_nm
        planes = [(normal, off), (-normal, -off)]
    else:
        return [np.maximum(high - low, 0)]
    parts = [cut(low, high, x, y, normals @ particle.rotation.T, distances) for normals, distances in planes]
    return [np.maximum(last - first, 0) for first, last in parts]


def _lattice(
    rng: np.random.Generator, material: Material, x: Image, y: Image, pixel_size_nm: float, strength: float
) -> Image:
    """Return lattice fringes of up to two sets of planes, where they are coarse enough for the sampling."""
    fringes = np.zeros(x.shape, np.float32)
    angle = rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(0, 3))):
        spacing = material.lattice_nm * float(rng.choice([1 / np.sqrt(3), 1 / 2]))
        if spacing > 2.5 * pixel_size_nm:
            wave = (np.cos(angle) * x + np.sin(angle) * y) / spacing
            fringes += rng.uniform(0.2, 1) * strength * np.cos(2 * np.pi * wave + rng.uniform(0, 2 * np.pi))
        angle += rng.uniform(0.9, 1.3)
    return fringes
