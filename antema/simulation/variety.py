"""Distributions of micrographs, one micrograph per seed: what networks are taught and tried on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CRYSTALLINITIES, Instance
from antema.simulation.atoms import mask_hull
from antema.simulation.camera import ANTEMA_BLUR_PX, Camera, antema_blur
from antema.simulation.contrast import Contrast
from antema.simulation.drawn import drawn_field
from antema.simulation.edges import diameter_px
from antema.simulation.field import SimulatedField, particle_contrast_to_noise, touches_border, with_pixels
from antema.simulation.figures import annotated, as_printed
from antema.simulation.materials import COMPOUNDS, MATERIALS
from antema.simulation.optics import Optics
from antema.simulation.particles import Population
from antema.simulation.resolved import Batch, resolved_field
from antema.simulation.scenes import scene_field
from antema.simulation.shapes import TWINNED_SHAPES, feret
from antema.simulation.specimens import specimen_field
from antema.simulation.supports import Support

Rng = np.random.Generator
_ROUNDISH = {
    "sphere": 3.0,
    "ellipsoid": 2.0,
    "irregular": 1.0,
    "truncated octahedron": 1.5,
    "cuboctahedron": 1.0,
    "icosahedron": 1.0,
    "decahedron": 1.0,
    "octahedron": 0.3,
    "tetrahedron": 0.2,
    "rod": 0.2,
}
"""Shares of shapes of small metal particles from solution."""


def metal_field(
    seed: int,
    *,
    shape: tuple[int, int] = (1024, 1024),
    pixel_size_nm: float | None = None,
    later_blur_px: float = 0.0,
) -> SimulatedField:
    """Return a field of metal particles of 1 to 10 nm, as those that the first ANTEMA paper learned from and tried.

    High-resolution bright field at 300 kV without correction of the objective lens (the paper's microscope corrects
    the probe), particles drop-cast on an ultrathin carbon film, all metals but mostly gold, 1 to 10 nm, a fifth of the
    area particle, from clear images to noisy ones of low dose.

    Parameters
    ----------
    seed : int
        The same seed gives the same field.
    shape : tuple of int
        Height and width in pixels; the paper's images had 1024 x 1024, or 2048 x 2048 halved.
    pixel_size_nm : float or None
        Edge of a pixel; None: so that particles are 16 to 110 px wide.
    later_blur_px : float
        Of a blur that the caller gives the picture (`antema.simulation.specimen_field`).

    References
    ----------
    .. [1] The paper's sections "Electron microscopy" and "Machine learning": FEI Titan, 300 kV, ultrathin amorphous
       carbon, 128 images of different metals and sizes, 1 to 10 nm, 80 % background.
    """
    rng = np.random.default_rng((seed, 11))
    diameter_nm, pixel_size_nm = _scale(rng, (1.2, 8.5), (16, 110), pixel_size_nm, (0.025, 0.13))
    width_px = diameter_nm / pixel_size_nm
    population = Population(
        material=_weighted(rng, {"Au": 5, "Pt": 1.5, "Ag": 1.5, "Pd": 1, "Cu": 0.7}),
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.06, 0.35),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 1}),
        shapes=_ROUNDISH,
        amorphous=rng.uniform(0, 0.2),
        twins=rng.uniform(0.1, 0.5),
        rounding=rng.uniform(0, 0.6),
        arrangement=_weighted(rng, {"separate": 5, "overlapping": 4, "clusters": 1}),
        overlap=rng.uniform(0.02, 0.3),
        cover=_cover(rng, (0.05, 0.4), width_px, shape),
    )
    dose_e_px = _log(rng, max(10.0, 400.0 / width_px), 3000)
    return specimen_field(
        (seed, 12),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        populations=[population],
        support=Support(
            thickness_nm=rng.uniform(2, 6),
            gradient=rng.uniform(0, 0.3),
            roughness=rng.uniform(0, 0.15),
            contamination_nm=_sometimes(rng, 0.1, 0.5, 4),
        ),
        optics=Optics(
            voltage_kv=300.0,
            cs_mm=1.2,
            defocus_nm=rng.uniform(10, 120),
            focal_spread_nm=rng.uniform(2.5, 5),
            convergence_mrad=rng.uniform(0.05, 0.4),
            **_aberrations(rng, 0.5),
        ),
        camera=_camera(rng, dose_e_px),
        absorption=_log(rng, 0.06, 0.4),
        later_blur_px=later_blur_px,
    )


def semiconductor_field(
    seed: int,
    *,
    shape: tuple[int, int] = (1024, 1024),
    pixel_size_nm: float | None = None,
    later_blur_px: float = 0.0,
) -> SimulatedField:
    """Return a field of semiconductor or oxide particles of 2 to 12 nm: weak contrast, mostly seen by their lattice.

    Parameters
    ----------
    seed, shape, pixel_size_nm, later_blur_px
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 21))
    diameter_nm, pixel_size_nm = _scale(rng, (2.0, 11.0), (24, 160), pixel_size_nm, (0.02, 0.11))
    name = _weighted(rng, {"CdSe": 4, "ZnO": 1.5, "TiO2": 1.5, "Fe3O4": 2})
    corrected = rng.random() < 0.6
    population = Population(
        material=name,
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.05, 0.25),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 1}),
        shapes={shape: 2.0 if shape in ("sphere", "ellipsoid") else 0.7 for shape in COMPOUNDS[name].shapes},
        amorphous=rng.uniform(0, 0.08),
        rounding=rng.uniform(0, 0.6),
        arrangement=_weighted(rng, {"separate": 4, "overlapping": 3, "clusters": 2, "raft": 1}),
        overlap=rng.uniform(0.02, 0.3),
        cover=_cover(rng, (0.05, 0.5), diameter_nm / pixel_size_nm, shape),
    )
    return specimen_field(
        (seed, 22),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        populations=[population],
        support=Support(thickness_nm=rng.uniform(1, 5), **_unevenness(rng)),
        optics=Optics(
            voltage_kv=float(rng.choice([80, 200, 300], p=(0.1, 0.3, 0.6))),
            cs_mm=rng.uniform(-0.02, 0.02) if corrected else rng.uniform(0.5, 1.4),
            defocus_nm=rng.normal(0, 25) if corrected else rng.uniform(10, 120),
            focal_spread_nm=rng.uniform(2, 6),
            convergence_mrad=rng.uniform(0.05, 0.4),
            **_aberrations(rng, 0.5),
        ),
        camera=_camera(rng, _log(rng, 60, 4000)),
        absorption=_log(rng, 0.06, 0.4),
        later_blur_px=later_blur_px,
    )


def large_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return a field of solids of 8 to 100 nm: mass-thickness and diffraction contrast, chains, clusters and rafts.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 31))
    most_px = 0.4 * min(shape)
    diameter_nm, pixel_size_nm = _scale(rng, (8.0, 100.0), (14, most_px), pixel_size_nm, (0.08, 2.0))
    name = _weighted(rng, {"Au": 3, "Ag": 2, "Pt": 1, "Pd": 1.5, "Cu": 2, "Fe3O4": 2, "CdSe": 0.7, "ZnO": 1, "TiO2": 1})
    kind = _weighted(rng, {"one shape": 3, "mixed": 2, "glassy": 0.7})
    possible = (*MATERIALS[name].shapes, "irregular")
    if kind == "one shape":
        main = str(rng.choice(possible))
        shapes = {str(rng.choice(possible)): float(rng.choice([0.0, 0.1]))} | {main: 1.0}
    elif kind == "mixed":
        shapes = {one: float(rng.exponential()) for one in possible}
    else:
        shapes = {"sphere": 1.0}
    orientation = _weighted(rng, {"lying": 5, "random": 3})
    arrangement = _weighted(rng, {"separate": 3, "overlapping": 2, "chains": 2, "clusters": 2, "raft": 2.5})
    if arrangement == "raft" and "cube" in shapes:
        orientation = "aligned"
    population = Population(
        material=name,
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.02, 0.12) if arrangement == "raft" else rng.uniform(0.03, 0.35),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 1}),
        shapes=shapes,
        amorphous=1.0 if kind == "glassy" else 0.0,
        twins=rng.uniform(0, 0.5),
        orientation=orientation,
        rounding=rng.uniform(0.02, 0.7),
        arrangement=arrangement,
        overlap=rng.choice([0.0, rng.uniform(0, 0.5)]),
        cover=_cover(rng, (0.15, 0.8) if arrangement == "raft" else (0.04, 0.45), diameter_nm / pixel_size_nm, shape),
        ligand_nm=_sometimes(rng, 0.3, 0.5, 3),
    )
    populations = [population]
    if rng.random() < 0.12:  # a few of another size among them
        other = max(_log(rng, 0.2, 0.6) * diameter_nm, 8 * pixel_size_nm)
        scattered = {"arrangement": "overlapping", "orientation": "random", "cover": rng.uniform(0.01, 0.05)}
        populations.append(replace(population, diameter_nm=other, **scattered))
    return specimen_field(
        (seed, 32),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        populations=populations,
        support=_support(rng, 3, 30),
        optics=_low_magnification(rng, pixel_size_nm),
        camera=_camera(rng, _log(rng, 30, 5000)),
        contrast=Contrast(
            diffraction=rng.uniform(0.1, 0.95),
            deviation=_log(rng, 1.5, 8),
            bending=_log(rng, 0.05, 2.0),
            texture=_sometimes(rng, 0.6, 0.02, 0.4),
            fringes=_sometimes(rng, 0.7, 0.01, 0.12),
        ),
    )


def dense_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return a field of many small particles, faint on a thick support: as in-situ series and films show them.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 41))
    diameter_nm, pixel_size_nm = _scale(rng, (1.5, 20.0), (8, 36), pixel_size_nm, (0.131, 2.0))
    width_px = diameter_nm / pixel_size_nm
    arrangement = _weighted(rng, {"dense": 4, "raft": 3, "overlapping": 2, "clusters": 2})
    population = Population(
        material=_weighted(rng, {"Au": 3, "Pt": 2, "Ag": 1, "Pd": 1, "Cu": 0.5, "CdSe": 0.7, "Fe3O4": 1}),
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.03, 0.12) if arrangement == "raft" else rng.uniform(0.05, 0.4),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 2}),
        shapes={"sphere": 3, "ellipsoid": 2, "irregular": 1},
        rounding=0.3,
        arrangement=arrangement,
        overlap=rng.uniform(0, 0.3),
        cover=_cover(rng, (0.1, 0.7), width_px, shape),
        ligand_nm=_sometimes(rng, 0.3, 0.5, 2),
    )
    return specimen_field(
        (seed, 42),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        populations=[population],
        support=_support(rng, 5, 50),
        optics=_low_magnification(rng, pixel_size_nm),
        camera=_camera(rng, _log(rng, max(10.0, 2000 / width_px**1.5), 2000)),
        contrast=Contrast(diffraction=rng.uniform(0.05, 0.8), deviation=_log(rng, 2, 8), fringes=0.0),
    )


def annular_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return an annular dark-field image: bright particles, contrast by atomic number and thickness.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 51))
    diameter_nm, pixel_size_nm = _scale(rng, (1.5, 80.0), (10, 0.35 * min(shape)), pixel_size_nm, (0.03, 2.0))
    name = str(rng.choice(list(MATERIALS)))
    chosen = rng.permutation(MATERIALS[name].shapes)[: int(rng.integers(1, 5))]
    population = Population(
        material=name,
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.03, 0.35),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 1}),
        shapes={str(one): 1.0 for one in chosen},
        orientation=_weighted(rng, {"random": 1, "lying": 1}),
        rounding=rng.uniform(0.02, 0.6),
        arrangement=_weighted(rng, {"separate": 3, "overlapping": 3, "chains": 1, "clusters": 2, "raft": 1}),
        overlap=rng.uniform(0, 0.4),
        cover=_cover(rng, (0.03, 0.4), diameter_nm / pixel_size_nm, shape),
    )
    return specimen_field(
        (seed, 52),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        populations=[population],
        support=_support(rng, 2, 20),
        optics=Optics(voltage_kv=float(rng.choice([80, 200, 300]))),
        camera=replace(_camera(rng, _log(rng, 20, 2000)), shading=0.0),
        mode="dark",
    )


def solids_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return drawn solids (`antema.simulation.drawn_field`) with a length: particles of 5 to 200 nm.

    They have neither material nor volume; the truth measures their outlines.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 61))
    field = drawn_field(seed, shape=shape)
    edge_nm = pixel_size_nm or _log(rng, 5, 200) / float(field.conditions["width_px"])
    assert field.atoms is not None
    ratios = particle_contrast_to_noise(field.pixels, field.instances, field.atoms)
    particles = [
        _measured(matter, edge_nm, shape)
        | {"visible_diameter_nm": diameter_px(edge) * edge_nm}
        | {"shape": said["outline"], "contrast_to_noise": ratio}
        for matter, edge, said, ratio in zip(field.atoms, field.instances, field.particles, ratios, strict=True)
    ]
    return replace(field, pixel_size_nm=edge_nm, particles=particles)


def crystallinity_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return a field of metal particles of 1.3 to 8 nm whose lattices are resolved: amorphous, one crystal, several.

    Every particle by multislice (`antema.simulation.resolved_field`), the truth has its class. As much of each class
    as chance gives, the lens corrected or not.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 81))
    widest_px = min(180.0, 0.35 * min(shape))
    diameter_nm, pixel_size_nm = _scale(rng, (1.3, 8.0), (26, widest_px), pixel_size_nm, (0.02, 0.1))
    corrected = rng.random() < 0.4
    batch = Batch(
        material=_weighted(rng, {"Au": 5, "Pt": 2, "Ag": 2, "Pd": 1.5}),
        diameter_nm=diameter_nm,
        spread=rng.uniform(0.06, 0.25),
        distribution=_weighted(rng, {"normal": 1, "lognormal": 1}),
        classes=dict(zip(CRYSTALLINITIES, rng.dirichlet((2, 2, 2)).tolist(), strict=True)),
        shapes={one: share for one, share in _ROUNDISH.items() if one not in TWINNED_SHAPES},
        overlap=rng.uniform(0, 0.12),
        cover=_cover(rng, (0.06, 0.2), diameter_nm / pixel_size_nm, shape),
    )
    dose_e_px = _log(rng, 1e5, 1e6) * pixel_size_nm**2
    return resolved_field(
        (seed, 82),
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        batch=batch,
        support=Support(thickness_nm=rng.uniform(1.5, 5), gradient=rng.uniform(0, 0.3), roughness=rng.uniform(0, 0.1)),
        optics=Optics(
            voltage_kv=float(rng.choice([200.0, 300.0], p=(0.4, 0.6))),
            cs_mm=rng.uniform(-0.01, 0.01) if corrected else rng.uniform(0.5, 1.3),
            defocus_nm=rng.uniform(2, 15) if corrected else rng.uniform(30, 80),
            focal_spread_nm=rng.uniform(2, 5),
            convergence_mrad=rng.uniform(0.05, 0.3),
            aperture_mrad=rng.uniform(14, 22) if corrected else 0.0,  # without it, hardly any contrast so near focus
            **_aberrations(rng, 0.1 if corrected else 0.3),
        ),
        camera=_camera(rng, dose_e_px),
    )


def mixed_field(
    seed: int, *, shape: tuple[int, int] = (1024, 1024), pixel_size_nm: float | None = None
) -> SimulatedField:
    """Return a field of any kind, a third of them as figures show them: 8 bits, stretched, coded and annotated.

    Parameters
    ----------
    seed, shape, pixel_size_nm
        As of `metal_field`.
    """
    rng = np.random.default_rng((seed, 71))
    kind = _weighted(rng, _MIXTURE)
    exported: list[str] = []
    softened = kind in ("metal", "semiconductor") and rng.random() < 0.2
    later = {"later_blur_px": ANTEMA_BLUR_PX} if softened else {}
    field = KINDS[kind](seed, shape=shape, pixel_size_nm=pixel_size_nm, **later)
    pixels: NDArray[np.generic] = field.pixels
    if softened:
        pixels = antema_blur(pixels)
        exported.append("ANTEMA's blur")
    if kind != "solids" and rng.random() < _PRINTED[kind]:
        grey = as_printed(rng, pixels.astype(np.float32))
        pixels = annotated(rng, grey) if rng.random() < 0.7 else grey
        exported.append("figure")
    return with_pixels(field, pixels, {"kind": kind, "exported": exported})


_MIXTURE = {"metal": 0.3, "semiconductor": 0.12, "large": 0.28, "dense": 0.12, "solids": 0.1, "annular": 0.08}
_PRINTED = {"metal": 0.2, "semiconductor": 0.2, "large": 0.5, "dense": 0.3, "annular": 0.3}
KINDS: dict[str, Callable[..., SimulatedField]] = {
    "mixed": mixed_field,
    "metal": metal_field,
    "semiconductor": semiconductor_field,
    "large": large_field,
    "dense": dense_field,
    "annular": annular_field,
    "solids": solids_field,
    "crystallinity": crystallinity_field,
    "scenes": scene_field,
}
"""What `antema simulate micrographs --kind` knows: functions of (seed, shape=, pixel_size_nm=)."""


def varied_field(seed: int, *, shape: tuple[int, int] = (512, 512)) -> SimulatedField:
    """Return the micrograph of `seed`, of any kind (`mixed_field`)."""
    return mixed_field(seed, shape=shape)


def _measured(instance: Instance, pixel_size_nm: float, shape: tuple[int, int]) -> dict[str, Any]:
    """Return the measures of a mask: of what the field shows of it."""
    area_nm2 = instance.area_px * pixel_size_nm**2
    rows, columns = np.nonzero(instance.mask)
    longest, shortest = feret(mask_hull(instance.mask, pixel_size_nm))
    return {
        "projected_area_nm2": area_nm2,
        "equivalent_diameter_nm": float(2 * np.sqrt(area_nm2 / np.pi)),
        "feret_max_nm": longest,
        "feret_min_nm": shortest,
        "x_nm": float((instance.x + columns.mean() + 0.5) * pixel_size_nm),
        "y_nm": float((instance.y + rows.mean() + 0.5) * pixel_size_nm),
        "touches_border": touches_border(instance, shape),
    }


def _log(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))


def _sometimes(rng: Rng, probability: float, low: float, high: float) -> float:
    return rng.uniform(low, high) if rng.random() < probability else 0.0


def _weighted(rng: Rng, shares: dict[str, float]) -> str:
    values = np.array(list(shares.values()), float)
    return str(rng.choice(list(shares), p=values / values.sum()))


def _scale(
    rng: Rng,
    diameters_nm: tuple[float, float],
    widths_px: tuple[float, float],
    pixel_size_nm: float | None,
    pixels_nm: tuple[float, float],
) -> tuple[float, float]:
    """Return a diameter and a pixel size within these bounds, both even on a logarithmic scale."""
    width_px = _log(rng, *widths_px)
    if pixel_size_nm is not None:
        return float(np.clip(width_px * pixel_size_nm, *diameters_nm)), pixel_size_nm
    low, high = max(diameters_nm[0], width_px * pixels_nm[0]), min(diameters_nm[1], width_px * pixels_nm[1])
    diameter_nm = _log(rng, low, high)
    return diameter_nm, float(np.clip(diameter_nm / width_px, *pixels_nm))


def _cover(rng: Rng, shares: tuple[float, float], width_px: float, shape: tuple[int, int]) -> float:
    """Return a share of the field between `shares`, more where that would be fewer than four particles."""
    return min(max(_log(rng, *shares), 4 * np.pi / 4 * width_px**2 / (shape[0] * shape[1])), 0.7)


def _aberrations(rng: Rng, strength: float) -> dict[str, Any]:
    angles = rng.uniform(0, 2 * np.pi, 3)
    return {
        "astigmatism_nm": strength * abs(rng.normal(0, 8)),
        "astigmatism_angle_rad": float(angles[0]),
        "coma_nm": strength * abs(rng.normal(0, 200)),
        "coma_angle_rad": float(angles[1]),
        "threefold_nm": strength * abs(rng.normal(0, 200)),
        "threefold_angle_rad": float(angles[2]),
    }


def _low_magnification(rng: Rng, pixel_size_nm: float) -> Optics:
    """Return optics whose Fresnel fringe is as wide as people focus at such a pixel size, mostly underfocused."""
    voltage_kv = float(rng.choice([80, 100, 120, 200, 300], p=(0.1, 0.15, 0.2, 0.4, 0.15)))
    fringe_nm = _log(rng, 0.2, 2.5) * max(pixel_size_nm, 0.25)
    defocus_nm = min(fringe_nm**2 / Optics(voltage_kv=voltage_kv).wavelength_nm, 5000.0)
    return Optics(
        voltage_kv=voltage_kv,
        cs_mm=rng.uniform(0.5, 2.7),
        defocus_nm=defocus_nm * float(rng.choice([1, -1], p=(0.8, 0.2))),
        focal_spread_nm=rng.uniform(3, 10),
        convergence_mrad=rng.uniform(0.05, 0.5),
        aperture_mrad=float(rng.choice([0.0, rng.uniform(5, 25)], p=(0.3, 0.7))),
        **_aberrations(rng, 1.0),
    )


def _camera(rng: Rng, dose_e_px: float) -> Camera:
    core_px, tail = rng.uniform(0.2, 1.1), _sometimes(rng, 0.5, 0.02, 0.3)
    weaker = rng.uniform(0.3, 0.9)
    return Camera(
        dose_e_px=dose_e_px,
        signal_mtf_px=core_px,
        signal_tail=tail,
        noise_mtf_px=core_px * weaker,
        noise_tail=tail * weaker,
        tail_px=rng.uniform(1, 5),
        read_noise_e=_sometimes(rng, 0.4, 0.3, 3),
        shading=_sometimes(rng, 0.7, 0, 0.05),
        streaks=_sometimes(rng, 0.2, 0.001, 0.008),
        dead_share=_sometimes(rng, 0.2, 0, 3e-5),
        hot_share=_sometimes(rng, 0.2, 0, 3e-5),
        drift_px=(rng.normal(0, 1), rng.normal(0, 1)) if rng.random() < 0.1 else (0.0, 0.0),
        gain=float(np.clip(20000 / dose_e_px, 1, 200)),
    )


def _unevenness(rng: Rng) -> dict[str, Any]:
    return {
        "gradient": rng.uniform(0, 0.5),
        "roughness": _sometimes(rng, 0.5, 0, 0.2),
        "holes": _sometimes(rng, 0.12, 0.03, 0.6),
        "contamination_nm": _sometimes(rng, 0.15, 0.5, 8),
    }


def _support(rng: Rng, thinnest_nm: float, thickest_nm: float) -> Support:
    return Support(
        film=_weighted(rng, {"carbon": 0.8, "silicon": 0.2}),
        thickness_nm=_log(rng, thinnest_nm, thickest_nm),
        folds=_sometimes(rng, 0.12, 0.3, 3),
        **_unevenness(rng),
    )
