"""Micrographs of particles on a support: atom by atom where a lattice is resolved, as solids where it is not."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.simulation.amorphous import AmorphousSolid
from antema.simulation.arrangements import arranged
from antema.simulation.atoms import outlined, tight
from antema.simulation.camera import Camera
from antema.simulation.contrast import Contrast, interaction_per_v_nm, solid_shift
from antema.simulation.crystals import THERMAL_NM, filled
from antema.simulation.edges import blur_of, both_shown, diameter_px, of_atoms, of_solid
from antema.simulation.field import (
    SimulatedField,
    cut,
    field_contrast_to_noise,
    particle_contrast_to_noise,
    touches_border,
)
from antema.simulation.fourier import fast_length, gaussian
from antema.simulation.materials import absorption_per_nm, cross_section_nm2
from antema.simulation.multislice import thin_image, thin_shift
from antema.simulation.optics import Optics
from antema.simulation.particles import Particle, Population, populated
from antema.simulation.shapes import Shadow, Vectors
from antema.simulation.supports import COARSE_NM, FILMS, Support, film_shift, gentle

Image = NDArray[np.float32]
MODES = ("bright", "dark")
_LARGEST_OF_ATOMS_NM = 12.0
_ANNULAR_POWER = 1.7
"""Of the atomic number, in the intensity of an annular dark-field image."""
_OUTLINE_SAMPLES = 25_000
_LIGAND_ATOMS_PER_NM3 = 40.0
_LIGAND_V = 4.0
_LINEAR = 1e-4
"""Loss a nm so small that contrast is as thickness."""


@dataclass(frozen=True, eq=False)
class _Outline:
    """Where a particle's matter ends and where half of its contrast does, the measures of the first, and its volume."""

    atoms: Instance
    visible: Instance
    shadow: Shadow
    volume_nm3: float


def specimen_field(
    seed: int | Sequence[int],
    *,
    shape: tuple[int, int],
    pixel_size_nm: float,
    populations: Sequence[Population],
    support: Support,
    optics: Optics,
    camera: Camera,
    contrast: Contrast | None = None,
    absorption: float = 0.15,
    mode: str = "bright",
    later_blur_px: float = 0.0,
) -> SimulatedField:
    """Return the micrograph of some populations of particles on one support.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same field, whatever ran before.
    shape : tuple of int
        Height and width in pixels.
    pixel_size_nm : float
        Edge of a pixel.
    populations : sequence of Population
        The particles; each population is arranged without regard to the others.
    support : Support
        What they lie on.
    optics, camera : Optics, Camera
        The microscope.
    contrast : Contrast or None
        Diffraction contrast of solids.
    absorption : float
        Ratio of absorbed to shifted amplitude of particles made of atoms; each has its own around this.
    mode : str
        ``bright`` (bright field) or ``dark`` (annular dark field: intensity as thickness times Z to the 1.7).
    later_blur_px : float
        Standard deviation of a blur that the caller gives the picture: the truth is that of the blurred picture.

    Returns
    -------
    SimulatedField
        Its particles say what each is: ``element``, ``shape``, ``structure``, ``diameter_nm`` of the sphere of the
        same volume, ``projected_area_nm2``, ``equivalent_diameter_nm``, ``feret_max_nm`` and ``feret_min_nm`` of the
        whole outline of its matter, ``visible_diameter_nm`` of the whole visible one, ``x_nm`` and ``y_nm`` of its
        centre, ``touches_border``, ``contrast_to_noise``.

    Raises
    ------
    ValueError
        For an unknown mode.
    """
    if mode not in MODES:
        msg = f"expected a mode out of {', '.join(MODES)}, found {mode!r}"
        raise ValueError(msg)
    rng = np.random.default_rng(seed)
    pad = max(16, min(shape) // 32)
    full = (fast_length(shape[0] + 2 * pad), fast_length(shape[1] + 2 * pad))
    blur_px = blur_of(optics, camera, pixel_size_nm, later_px=later_blur_px)
    canvas = _Canvas(full, pixel_size_nm, optics, contrast or Contrast(), mode, blur_px)
    outlines: list[_Outline] = []
    truth: list[dict[str, Any]] = []
    for population in populations:
        of_atoms = pixel_size_nm <= COARSE_NM and population.diameter_nm <= _LARGEST_OF_ATOMS_NM
        for particle, centre in _placed(rng, population, shape, pixel_size_nm):
            at = centre + pad * pixel_size_nm
            strength = absorption * rng.lognormal(0, 0.35)
            one = canvas.add_atoms(rng, particle, at, strength) if of_atoms else canvas.add_solid(rng, particle, at)
            if population.ligand_nm:
                canvas.add_ligands(particle, at, population.ligand_nm)
            outlines.append(one)
            truth.append(_described(particle, one, centre, pixel_size_nm))

    instances, atoms, particles = [], [], []
    for one, said in zip(outlines, truth, strict=True):
        shown = both_shown(one.atoms, one.visible, (pad, pad), shape)
        if shown is not None:
            atoms.append(shown[0])
            instances.append(shown[1])
            particles.append(said | {"touches_border": touches_border(shown[0], shape)})
    inner = (slice(pad, pad + shape[0]), slice(pad, pad + shape[1]))
    pixels = camera.record(rng, canvas.image(rng, support)[inner])
    ratios = particle_contrast_to_noise(pixels, instances, atoms)
    for said, ratio in zip(particles, ratios, strict=True):
        said["contrast_to_noise"] = ratio
    conditions: dict[str, Any] = {
        "seed": seed if isinstance(seed, int) else list(seed),
        "mode": mode,
        "populations": [asdict(population) for population in populations],
        "support": asdict(support),
        "optics": asdict(optics),
        "camera": asdict(camera),
        "contrast": asdict(contrast or Contrast()),
        "absorption": absorption,
        "contrast_to_noise": field_contrast_to_noise(ratios),
    }
    return SimulatedField(pixels, pixel_size_nm, instances, particles, conditions, atoms)


def _placed(
    rng: np.random.Generator, population: Population, shape: tuple[int, int], pixel_size_nm: float
) -> list[tuple[Particle, Vectors]]:
    """Return the particles of a population that reach into the field, with their centres from its corner in nm."""
    margin = 1.0 * population.diameter_nm
    width, height = (shape[1] * pixel_size_nm + 2 * margin, shape[0] * pixel_size_nm + 2 * margin)
    particles = populated(rng, population, width * height, finest_nm=0.7 * pixel_size_nm)
    corners = [particle.body.outline() for particle in particles]
    square = (
        population.orientation == "aligned" and max(population.shapes, key=lambda s: population.shapes[s]) == "cube"
    )
    centres = arranged(rng, corners, (width, height), population.arrangement, overlap=population.overlap, square=square)
    turn = 0.0
    if square and population.arrangement == "raft":
        # rows run along the cubes' sides
        side = particles[0].rotation[:, 0]
        turn = float(np.arctan2(side[1], side[0]))
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.array([width, height]) / 2
        centres = (centres - middle) @ rotation.T + middle
    found = []
    for particle, centre, corner in zip(particles, centres - margin, corners, strict=True):
        low, high = corner.min(axis=0) + centre, corner.max(axis=0) + centre
        if (high > 0).all() and (low < np.array(shape[::-1]) * pixel_size_nm).all():
            found.append((particle, centre))
    return found


def _described(particle: Particle, outline: _Outline, centre: Vectors, pixel_size_nm: float) -> dict[str, Any]:
    return {
        "element": particle.material.name,
        "shape": particle.shape,
        "structure": particle.structure,
        "diameter_nm": float(np.cbrt(6 / np.pi * outline.volume_nm3)),
        "projected_area_nm2": outline.shadow.area_nm2,
        "equivalent_diameter_nm": float(2 * np.sqrt(outline.shadow.area_nm2 / np.pi)),
        "visible_diameter_nm": diameter_px(outline.visible) * pixel_size_nm,
        "feret_max_nm": outline.shadow.feret_max_nm,
        "feret_min_nm": outline.shadow.feret_min_nm,
        "x_nm": float(centre[0]),
        "y_nm": float(centre[1]),
    }


class _Canvas:
    """What particles do to the beam, added up on a grid."""

    def __init__(
        self,
        shape: tuple[int, int],
        pixel_size_nm: float,
        optics: Optics,
        contrast: Contrast,
        mode: str,
        blur_px: float,
    ) -> None:
        self.shape, self.pixel_size_nm = shape, pixel_size_nm
        self.optics, self.contrast, self.mode, self.blur_px = optics, contrast, mode, blur_px
        self.phase, self.loss = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.annular = np.zeros(shape, np.float32)
        self.places: list[Vectors] = []
        self.numbers: list[NDArray[np.int64]] = []
        self.absorption: list[Vectors] = []

    def add_atoms(self, rng: np.random.Generator, particle: Particle, at: Vectors, absorption: float) -> _Outline:
        """Add a particle atom by atom."""
        material = particle.material
        atoms = filled(rng, particle.upright, particle.reach_nm, material, particle.shape, particle.structure)
        places = atoms.places_nm @ particle.rotation.T + rng.normal(0, THERMAL_NM, atoms.places_nm.shape)
        places[:, :2] += at
        self.places.append(places)
        self.numbers.append(atoms.z)
        self.absorption.append(np.full(len(places), absorption))
        nm3_per_atom = 1 / sum(material.atoms_per_nm3.values())
        x, y, mask, shadow = outlined(places, atoms.radii_nm, self.pixel_size_nm, most_samples=_OUTLINE_SAMPLES)
        matter, edge = Instance(x, y, mask), self._loss_per_nm(particle)
        edge += 2 * absorption * interaction_per_v_nm(self.optics.voltage_kv) * material.inner_potential_v
        if self.mode == "dark":
            edge = _LINEAR
        places_px = places[:, :2] / self.pixel_size_nm
        visible = of_atoms(places_px, nm3_per_atom, matter, self.pixel_size_nm, self.blur_px, edge)
        return _Outline(matter, visible, shadow, len(places) * nm3_per_atom)

    def add_solid(self, rng: np.random.Generator, particle: Particle, at: Vectors) -> _Outline:
        """Add a particle as a solid."""
        body = particle.body
        x0, y0, x, y = self._window(body.outline(), at, 2)
        mask, thickness, phase, loss = solid_shift(rng, particle, x, y, self.optics, self.contrast, self.pixel_size_nm)
        window, inside = cut(x0, y0, mask.shape, self.shape)
        plain_nm = thickness
        if particle.structure == "amorphous" and self.contrast.texture:
            low, high = body.chord(x, y)
            plain_nm = np.maximum(high - low, 0)
        per_nm = _LINEAR if self.mode == "dark" else self._loss_per_nm(particle)
        visible = of_solid(x0, y0, 1 - np.exp(-per_nm * plain_nm), mask, self.blur_px)
        if self.mode == "dark":
            weight = sum(n * one.z**_ANNULAR_POWER for one, n in particle.material.atoms_per_nm3.items())
            self.annular[window] += weight * thickness[inside]
        else:
            self.phase[window] += phase[inside]
            self.loss[window] += loss[inside]
        matter = Instance(*tight(x0, y0, mask))
        return _Outline(matter, visible, body.shadow(), np.pi / 6 * particle.diameter_nm**3)

    def add_ligands(self, particle: Particle, at: Vectors, shell_nm: float) -> None:
        """Add a shell of hydrocarbon around a particle."""
        outer = particle.body.grown(shell_nm)
        x0, y0, x, y = self._window(outer.outline(), at, 1)
        (low, high), (own_low, own_high) = outer.chord(x, y), particle.body.chord(x, y)
        shell = np.maximum(high - low, 0) - np.maximum(own_high - own_low, 0)
        window, inside = cut(x0, y0, shell.shape, self.shape)
        if self.mode == "dark":
            self.annular[window] += _LIGAND_ATOMS_PER_NM3 * 6**_ANNULAR_POWER * shell[inside]
            return
        per_nm = _LIGAND_ATOMS_PER_NM3 * cross_section_nm2(6, self.optics.voltage_kv, self.optics.aperture_mrad or 30.0)
        self.phase[window] += interaction_per_v_nm(self.optics.voltage_kv) * _LIGAND_V * shell[inside]
        self.loss[window] += 0.5 * per_nm * shell[inside]

    def image(self, rng: np.random.Generator, support: Support) -> Image:
        """Return the image intensity on the whole grid."""
        thickness = support.thickness(rng, self.shape)
        if self.mode == "dark":
            return self._annular_image(rng, FILMS[support.film], thickness)
        shift = gentle(self.phase) + 1j * self.loss
        if self.places:
            shift += thin_shift(
                np.concatenate(self.places),
                np.concatenate(self.numbers),
                pixel_size_nm=self.pixel_size_nm,
                shape=self.shape,
                optics=self.optics,
                absorption=np.concatenate(self.absorption),
            )
        if support.thickness_nm:
            shift += film_shift(rng, support, thickness, self.pixel_size_nm, self.optics)
        return thin_image(shift, self.optics, self.pixel_size_nm)

    def _annular_image(self, rng: np.random.Generator, film: AmorphousSolid, thickness_nm: Image) -> Image:
        annular = self.annular + film.atoms_per_nm3 * film.z**_ANNULAR_POWER * thickness_nm
        if self.places:
            at = (np.concatenate(self.places)[:, :2] / self.pixel_size_nm).astype(int)
            inside = ((at >= 0) & (at < self.shape[::-1])).all(axis=1)
            weights = np.concatenate(self.numbers)[inside] ** _ANNULAR_POWER / self.pixel_size_nm**2
            flat = at[inside, 1] * self.shape[1] + at[inside, 0]
            annular += np.bincount(flat, weights, minlength=annular.size).reshape(self.shape).astype(np.float32)
        probe_px = max(0.5, rng.uniform(0.06, 0.12) / self.pixel_size_nm)
        return gaussian(annular, probe_px) / np.float32(np.percentile(annular, 99.5))

    def _loss_per_nm(self, particle: Particle) -> float:
        """Return which share of the intensity a nm of a particle takes, by mass-thickness alone."""
        return absorption_per_nm(particle.material, self.optics.voltage_kv, self.optics.aperture_mrad or 30.0)

    def _window(self, corners: Vectors, at: Vectors, margin: int) -> tuple[int, int, Image, Image]:
        """Return the first column and row of the pixels around `corners` at `at`, and their places from there in nm."""
        low = np.floor((corners.min(axis=0) + at) / self.pixel_size_nm).astype(int) - margin
        high = np.ceil((corners.max(axis=0) + at) / self.pixel_size_nm).astype(int) + margin
        columns = (np.arange(low[0], high[0]) + 0.5) * self.pixel_size_nm - at[0]
        rows = (np.arange(low[1], high[1]) + 0.5) * self.pixel_size_nm - at[1]
        x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        return int(low[0]), int(low[1]), x, y
