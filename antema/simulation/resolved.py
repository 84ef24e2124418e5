"""Micrographs that resolve lattices: every particle by multislice, its crystallinity known and whether it shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import AMORPHOUS, Instance
from antema.simulation.arrangements import arranged
from antema.simulation.atoms import outlined
from antema.simulation.camera import Camera
from antema.simulation.crops import (
    EDGES_PX,
    FOCI,
    GAP_NM,
    binning,
    recorded,
    reference_ball,
    slice_nm,
    without_noise,
)
from antema.simulation.domains import Grown, any_particle
from antema.simulation.edges import blur_of, both_shown, diameter_px, of_atoms
from antema.simulation.field import (
    SimulatedField,
    cut,
    field_contrast_to_noise,
    particle_contrast_to_noise,
    touches_border,
)
from antema.simulation.fourier import Image, fast_length
from antema.simulation.materials import METALS, Material, absorption_per_nm
from antema.simulation.multislice import Wave, exit_waves, image
from antema.simulation.optics import Optics
from antema.simulation.particles import Population, diameters
from antema.simulation.shapes import Shadow, Vectors, convex_hull
from antema.simulation.supports import Support, film_shift
from antema.simulation.visibility import VISIBLE, lattice_contrast, noise_power, shown, spacings_nm

_MARGIN_NM = 0.6
"""Around a particle's atoms where its wave is computed: there a gold atom shifts the phase by 0.2 mrad."""
_SAME_SIZE = 0.1
"""Step of the logarithm of the diameter."""
_TOGETHER = 8
"""Particles whose waves are computed at once."""
_OUTLINE_SAMPLES = 25_000


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the particles of a field have in common.

    Parameters
    ----------
    material : str
        One of `antema.simulation.materials.METALS`.
    diameter_nm, spread, distribution : float, float, str
        As of `antema.simulation.particles.Population`.
    classes : mapping of str to float
        Shares of the classes of `antema.domain.CRYSTALLINITIES`; they need not add up to 1.
    shapes : mapping of str to float
        Shares of the shapes of the particles that are not multiply twinned.
    overlap : float
        Share of the particles that touch another one or lie partly over it.
    cover : float
        Share of the field that the particles would cover side by side.
    """

    material: str = "Au"
    diameter_nm: float = 3.0
    spread: float = 0.15
    distribution: str = "normal"
    classes: Mapping[str, float]
    shapes: Mapping[str, float] = field(default_factory=lambda: {"sphere": 1.0})
    overlap: float = 0.05
    cover: float = 0.15


@dataclass(frozen=True, eq=False)
class _Placed:
    """A particle in a field, and the square of the wave's grid around it.

    Parameters
    ----------
    grown : Grown
        Around the origin.
    shape : str
        What its body is.
    centre_nm : ndarray, shape (2,)
        From the upper left corner of the wave's grid.
    at_px, edge_px : (int, int), int
        x, y and edge of its square, in samples of that grid.
    places_nm : ndarray, shape (n, 3)
        Its atoms, x and y from its square's corner; the film's upper face lies at z = 0.
    outline : int, int, ndarray of bool, Shadow
        `antema.simulation.atoms.outlined`, in pixels of the camera from its square's corner.
    """

    grown: Grown
    shape: str
    centre_nm: Vectors
    at_px: tuple[int, int]
    edge_px: int
    places_nm: Vectors
    outline: tuple[int, int, NDArray[np.bool_], Shadow]


def resolved_field(
    seed: int | Sequence[int],
    *,
    shape: tuple[int, int],
    pixel_size_nm: float,
    batch: Batch,
    support: Support,
    optics: Optics,
    camera: Camera,
) -> SimulatedField:
    """Return the micrograph of a batch on a support, with the crystallinity of each particle.

    The wave behind each particle is computed by multislice (`antema.simulation.multislice`: at most 0.025 nm a sample,
    slices of at most 0.4 nm) on a grid of its own and brought to the middle of the film; there all of them and the film
    are multiplied. So particles that lie over each other act as if both lay on the film. The lens's image is summed
    over five foci and binned.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same field, whatever ran before.
    shape : tuple of int
        Height and width in pixels.
    pixel_size_nm : float
        Edge of a pixel.
    batch : Batch
        The particles.
    support : Support
        What they lie on.
    optics, camera : Optics, Camera
        The microscope; defocus counts from the middle of the film.

    Returns
    -------
    SimulatedField
        Its particles say what those of `antema.simulation.specimen_field` say, and ``class``, ``domains`` and what
        `antema.simulation.visibility.shown` says of their lattices.
    """
    rng = np.random.default_rng(seed)
    material = METALS[batch.material]
    bins = binning(pixel_size_nm)
    fine_nm = pixel_size_nm / bins
    margin = max(16, min(shape) // 32)
    full = (fast_length((shape[0] + 2 * margin) * bins), fast_length((shape[1] + 2 * margin) * bins))
    pad_px = ((full[1] // bins - shape[1]) // 2, (full[0] // bins - shape[0]) // 2)
    placed = _placed(rng, batch, material, shape, np.array(pad_px), bins, pixel_size_nm)

    lens = _Lens(optics, camera, fine_nm, bins, plane_nm=GAP_NM + support.thickness_nm / 2)
    exits = lens.exits([(one.places_nm, one.grown.atoms.z, one.edge_px) for one in placed])
    behind = np.ones(full, np.complex64)
    for one, wave in zip(placed, exits, strict=True):
        window, inside = cut(*one.at_px, wave.shape, full)
        behind[window] *= wave[inside]
    if support.thickness_nm:
        behind *= np.exp(1j * film_shift(rng, support, support.thickness(rng, full), fine_nm, optics))
    expected = lens.expected(behind)
    pixels = recorded(rng, expected, camera)[pad_px[1] : pad_px[1] + shape[0], pad_px[0] : pad_px[0] + shape[1]]

    instances, atoms, particles = [], [], []
    blur_px = blur_of(optics, camera, pixel_size_nm)
    per_nm = absorption_per_nm(material, optics.voltage_kv, optics.aperture_mrad or 30.0)
    lattices = _lattices(rng, placed, exits, expected, material, lens)
    for one, lattice in zip(placed, lattices, strict=True):
        x, y, mask, shadow = one.outline
        matter = Instance(x, y, mask)
        places_px = one.places_nm[:, :2] / pixel_size_nm
        nm3_per_atom = 1 / sum(material.atoms_per_nm3.values())
        edge = of_atoms(places_px, nm3_per_atom, matter, pixel_size_nm, blur_px, per_nm)
        corner = (pad_px[0] - one.at_px[0] // bins, pad_px[1] - one.at_px[1] // bins)
        seen = both_shown(matter, edge, corner, shape)
        if seen is not None:
            atoms.append(seen[0])
            instances.append(seen[1])
            centre = one.centre_nm - np.array(pad_px) * pixel_size_nm
            particles.append(
                _described(one, material, shadow, centre)
                | lattice
                | {"visible_diameter_nm": diameter_px(edge) * pixel_size_nm}
                | {"touches_border": touches_border(seen[0], shape)}
            )
    ratios = particle_contrast_to_noise(pixels, instances, atoms)
    for said, ratio in zip(particles, ratios, strict=True):
        said["contrast_to_noise"] = ratio
    conditions: dict[str, Any] = {
        "seed": seed if isinstance(seed, int) else list(seed),
        "batch": asdict(batch),
        "support": asdict(support),
        "optics": asdict(optics),
        "camera": asdict(camera),
        "contrast_to_noise": field_contrast_to_noise(ratios),
    }
    return SimulatedField(pixels, pixel_size_nm, instances, particles, conditions, atoms)


class _Lens:
    """Waves of atoms, and what the camera expects of them."""

    def __init__(self, optics: Optics, camera: Camera, fine_nm: float, bins: int, *, plane_nm: float) -> None:
        self.optics, self.camera, self.fine_nm, self.bins, self.plane_nm = optics, camera, fine_nm, bins, plane_nm

    def exits(self, specimens: Sequence[tuple[Vectors, NDArray[np.int64], int]]) -> list[Wave]:
        """Return the waves in the middle of the film, 1 in the free beam, of atoms, numbers and the grid's edge."""
        depth = [float(np.ptp(places[:, 2])) + 1e-3 for places, _, _ in specimens]
        waves: dict[int, Wave] = {}
        for edge, some in _alike(specimens, depth):
            atoms = [specimens[k][:2] for k in some]
            # empty ones fill up, for each number of specimens would be compiled for itself
            atoms += [(np.empty((0, 3)), np.empty(0, np.int64))] * (_TOGETHER - len(some))
            computed = exit_waves(
                atoms,
                pixel_size_nm=self.fine_nm,
                shape=(edge, edge),
                slice_nm=slice_nm(max(depth[k] for k in some)),
                optics=self.optics,
                plane_nm=self.plane_nm,
            )
            waves.update(zip(some, computed, strict=False))
        return [waves[k] for k in range(len(specimens))]

    def expected(self, wave: Wave) -> Image:
        """Return what the camera expects of a wave, without noise."""
        return without_noise(image(wave, self.optics, self.fine_nm, foci=FOCI), self.camera, self.bins)

    def alone(self, wave: Wave) -> Image:
        """Return the same of one particle's wave, with room for what the lens moves out of its square."""
        around = len(wave) // 8 // self.bins * self.bins
        inner = slice(around // self.bins, (around + len(wave)) // self.bins)
        return self.expected(np.pad(wave, around, constant_values=1))[inner, inner]


def _alike(
    specimens: Sequence[tuple[Vectors, NDArray[np.int64], int]], depth: Sequence[float]
) -> Iterator[tuple[int, list[int]]]:
    """Yield the edge of a grid and the numbers of at most `_TOGETHER` specimens on such grids, of similar depth."""
    order = sorted(range(len(specimens)), key=lambda k: (specimens[k][2], depth[k]))
    for edge, group in groupby(order, key=lambda k: specimens[k][2]):
        same = list(group)
        yield from ((edge, same[k : k + _TOGETHER]) for k in range(0, len(same), _TOGETHER))


def _placed(
    rng: np.random.Generator,
    batch: Batch,
    material: Material,
    shape: tuple[int, int],
    pad_px: NDArray[np.int64],
    bins: int,
    pixel_size_nm: float,
) -> list[_Placed]:
    """Return the particles that reach into the field."""
    size = np.array(shape[::-1]) * pixel_size_nm
    around = size + 2 * batch.diameter_nm
    n = int(np.ceil(batch.cover * around.prod() / (np.pi / 4 * batch.diameter_nm**2)))
    population = Population(diameter_nm=batch.diameter_nm, spread=batch.spread, distribution=batch.distribution)
    kinds, shares = list(batch.classes), np.array(list(batch.classes.values()), float)
    drawn = []
    for diameter in diameters(rng, population, n):
        kind = str(rng.choice(kinds, p=shares / shares.sum()))
        drawn.append(any_particle(rng, material, kind, float(diameter), batch.shapes))
    corners = [_hull(grown, material.radius_nm) for grown, _, _ in drawn]
    arrangement = "overlapping" if batch.overlap else "separate"
    centres = arranged(rng, corners, (around[0], around[1]), arrangement, overlap=batch.overlap) - batch.diameter_nm
    found = []
    fine_nm = pixel_size_nm / bins
    for (grown, _, name), centre, corner in zip(drawn, centres, corners, strict=True):
        low, high = corner.min(axis=0) + centre, corner.max(axis=0) + centre
        if not ((high > 0).all() and (low < size).all()):  # nor where it found no room
            continue
        at = centre + pad_px * pixel_size_nm
        reach = float(np.abs(grown.atoms.places_nm[:, :2]).max()) + _MARGIN_NM
        needed = 2 * reach / fine_nm + bins
        edge = next((n for n in EDGES_PX if n >= needed), None)
        if edge is None:
            msg = f"a particle of at most {EDGES_PX[-1] * fine_nm:.1f} nm with its surroundings is expected, at"
            raise ValueError(f"{msg} {pixel_size_nm:g} nm a pixel; found {needed * fine_nm:.1f} nm")
        corner_px = np.round((at / fine_nm - edge / 2) / bins).astype(int) * bins
        places = grown.atoms.places_nm + (*(at - corner_px * fine_nm), 0.0)
        places[:, 2] -= places[:, 2].max()
        outline = outlined(places, grown.atoms.radii_nm, pixel_size_nm, most_samples=_OUTLINE_SAMPLES)
        found.append(_Placed(grown, name, at, (int(corner_px[0]), int(corner_px[1])), edge, places, outline))
    return found


def _hull(grown: Grown, radius_nm: float) -> Vectors:
    hull = convex_hull(grown.atoms.places_nm[:, :2])
    return hull * (1 + radius_nm / np.linalg.norm(hull, axis=1, keepdims=True))


def _lattices(
    rng: np.random.Generator,
    placed: Sequence[_Placed],
    exits: Sequence[Wave],
    expected: Image,
    material: Material,
    lens: _Lens,
) -> list[dict[str, Any]]:
    """Return what `shown` says of each particle."""
    noise, spacings, pixel_nm = noise_power(lens.camera), spacings_nm(material), lens.fine_nm * lens.bins

    def contrast_of(one: _Placed, crystal: Image, own_image: Image | None) -> tuple[float, float]:
        """Return the contrast of a crystal in a particle's place against all that is there but the particle."""
        x, y = one.at_px[0] // lens.bins, one.at_px[1] // lens.bins
        column, row, mask, _ = one.outline
        own = np.zeros(crystal.shape, bool)
        target, source = cut(column, row, mask.shape, own.shape)
        own[target] = mask[source]
        window, inside = cut(x, y, own.shape, expected.shape)
        around = expected[window] - (0 if own_image is None else own_image[inside])
        return lattice_contrast(crystal[inside], around, own[inside], pixel_nm, spacings, noise)

    alone = [
        None if one.grown.crystallinity == AMORPHOUS else lens.alone(wave)
        for one, wave in zip(placed, exits, strict=True)
    ]
    found = [
        (0.0, float("nan")) if own_image is None else contrast_of(one, own_image, own_image)
        for one, own_image in zip(placed, alone, strict=True)
    ]
    # one ball serves all particles of about its size
    sizes = {
        k: (one.edge_px, round(np.log(_diameter_nm(one, material)) / _SAME_SIZE))
        for k, one in enumerate(placed)
        if found[k][0] < VISIBLE
    }
    balls: dict[tuple[int, int], tuple[Vectors, NDArray[np.int64], int]] = {}
    for edge, size in sorted(set(sizes.values())):
        ball = reference_ball(rng, material, float(np.exp(size * _SAME_SIZE)))
        places = ball + (edge * lens.fine_nm / 2, edge * lens.fine_nm / 2, -float(ball[:, 2].max()))
        balls[edge, size] = (places, np.full(len(ball), material.species[0].z), edge)
    shows = {size: lens.alone(wave) for size, wave in zip(balls, lens.exits(list(balls.values())), strict=True)}
    best = {k: contrast_of(placed[k], shows[size], alone[k])[0] for k, size in sizes.items()}
    return [shown(one.grown.crystallinity, found[k], best.get(k)) for k, one in enumerate(placed)]


def _diameter_nm(one: _Placed, material: Material) -> float:
    """Return the diameter of the ball of as many atoms in the crystal."""
    return float(np.cbrt(6 / np.pi * len(one.grown.atoms.z) / sum(material.atoms_per_nm3.values())))


def _described(one: _Placed, material: Material, shadow: Shadow, centre_nm: Vectors) -> dict[str, Any]:
    return {
        "element": material.name,
        "shape": one.shape,
        "structure": one.grown.structure,
        "class": one.grown.crystallinity,
        "domains": one.grown.domains,
        "diameter_nm": _diameter_nm(one, material),
        "projected_area_nm2": shadow.area_nm2,
        "equivalent_diameter_nm": float(2 * np.sqrt(shadow.area_nm2 / np.pi)),
        "feret_max_nm": shadow.feret_max_nm,
        "feret_min_nm": shadow.feret_min_nm,
        "x_nm": float(centre_nm[0]),
        "y_nm": float(centre_nm[1]),
    }
