"""Sets of crops for the classification of crystallinity: those of the literature, and a realistic one.

References
----------
.. [1] N. Gumbiowski, J. Barthel, K. Loza, M. Heggen, M. Epple, Nanoscale Adv. 6 (2024) 4196: `pattern`,
       `simulation-c`, `simulation-c-si` and `poly`. Where it is silent: crystals lie in any orientation, the lens has
       no spherical aberration, the focal spread is a standard deviation, pixels are 0.024 nm, there is no noise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from antema.domain import AMORPHOUS, CRYSTALLINITIES, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.simulation.amorphous import CARBON, SILICON
from antema.simulation.camera import Camera
from antema.simulation.crops import FINEST_NM, Conditions, Crop, particle_crop
from antema.simulation.crystals import Atoms
from antema.simulation.domains import POLYHEDRA, any_particle, grown, structure_of
from antema.simulation.elements import SPECIES
from antema.simulation.materials import METALS, Material
from antema.simulation.optics import Optics
from antema.simulation.shapes import TWINNED_SHAPES, Body, body_of

SIMULATED_PAPER_PX_NM = 0.024
PATTERN_PX = 128
PATTERN_PX_NM = 0.02
"""Patterns have no scale; at this one their shortest period is that of gold's {111} planes."""
_SILICON_AS_CARBON = replace(CARBON, z=SILICON.z)
"""Silicon in the places of carbon's atoms."""
_ELEMENTS = {"Au": 0.35, "Pt": 0.15, "Ag": 0.2, "Pd": 0.15, "AgPt": 0.15}


def _alloy(platinum: float) -> Material:
    """Return AgPt with this share of platinum; its lattice lies between the metals' (Vegard)."""
    cell = (1 - platinum) * METALS["Ag"].cell_nm + platinum * METALS["Pt"].cell_nm
    return replace(METALS["Ag"], name="AgPt", cell_nm=cell)


_ALLOYS = {share: _alloy(share) for share in (0.25, 0.5, 0.75)}

Set = Callable[[int], Crop]


def pattern_crop(seed: int) -> Crop:
    """Return a pattern: dots or sine waves with salt and pepper on half of the pixels; all of it is particle.

    Periods are 2 pi over 0.05 to 0.55 pixels; of more than one domain all have the same two.
    """
    rng = np.random.default_rng((seed, 61))
    kind = CRYSTALLINITIES[rng.integers(3)]
    n, domains = PATTERN_PX, {AMORPHOUS: 0, MONOCRYSTALLINE: 1}.get(kind, 2 + int(rng.integers(2)))
    grey = np.full((n, n), 0.5)
    if domains == 0:
        for value in (0.0, 1.0):
            grey[rng.random((n, n)) < rng.uniform(0.02, 0.15)] = value
    else:
        frequencies = rng.uniform(0.05, 0.55, 2)
        y, x = np.mgrid[:n, :n] - n / 2
        waves = []
        for _ in range(domains):
            angles, phases = rng.uniform(0, np.pi, 2), rng.uniform(0, 2 * np.pi, 2)
            parts = zip(frequencies, angles, phases, strict=True)
            waves.append(0.5 + 0.25 * sum(np.sin(f * (x * np.cos(a) + y * np.sin(a)) + p) for f, a, p in parts))
        grey = waves[0]
        for wave in waves[1:]:
            angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0, n / 4)
            grey = np.where(x * np.cos(angle) + y * np.sin(angle) > distance, wave, grey)
    hit = rng.random((n, n)) < 0.5
    grey = np.where(hit, rng.integers(0, 2, (n, n)), grey)
    label = {
        "class": kind,
        "lattice_visible": True,
        "structure": "pattern",
        "domains": domains,
        "pixel_size_nm": PATTERN_PX_NM,
        "seed": seed,
    }
    pixels = np.rint(np.clip(grey, 0, 1) * 65535).astype(np.uint16)
    return Crop(pixels, np.ones((n, n), bool), PATTERN_PX_NM, label)


def paper_crop(seed: int, *, counts: dict[tuple[str, str], tuple[int, int]]) -> Crop:
    """Return a gold particle of 1 to 3 nm at 300 kV as the reference simulates them.

    Parameters
    ----------
    seed : int
        The same gives the same crop.
    counts : dict
        By class and structure how many particles there are on carbon and on silicon, which gives the odds.
    """
    rng = np.random.default_rng((seed, 62))
    kinds = [(kind, structure, film) for kind, structure in counts for film in (0, 1)]
    odds = np.array([counts[kind, structure][film] for kind, structure, film in kinds], float)
    kind, structure, film = kinds[rng.choice(len(kinds), p=odds / odds.sum())]
    gold = METALS["Au"]
    shape = "sphere"
    if structure == "model":
        # models of other structures than ball-shaped cuts: polyhedra, or twins
        shape = str(rng.choice(POLYHEDRA if kind == MONOCRYSTALLINE else (*TWINNED_SHAPES, "cuboctahedron")))
        structure = structure_of(kind, shape)
    body = body_of(shape, rng.uniform(1, 3), rng)
    particle = grown(rng, gold, body, shape, structure)
    x_nm, y_nm = rng.uniform(-3, 3, 2)
    optics = Optics(
        voltage_kv=300.0,
        defocus_nm=-rng.uniform(-4, 5),  # the reference counts overfocus as positive
        cs_mm=0.0,
        astigmatism_nm=float(np.hypot(x_nm, y_nm)),
        astigmatism_angle_rad=float(np.arctan2(y_nm, x_nm) / 2),
        focal_spread_nm=rng.uniform(4.5, 5.5),
    )
    exact = Camera(dose_e_px=1e6, signal_mtf_px=0.0, noise_mtf_px=0.0, gain=0.016, offset=0.0)
    conditions = Conditions(
        pixel_size_nm=SIMULATED_PAPER_PX_NM,
        optics=optics,
        camera=exact,
        support=(CARBON, _SILICON_AS_CARBON)[film],
        support_nm=rng.uniform(1, 3),
        outline_nm=0.04,
    )
    return _described(particle_crop(rng, particle, gold, conditions), conditions, shape, seed)


_MODELS_OF_SINGLE = 0.25
"""Share of the single crystals that are models, not cuts; the reference names 16 models and no number of images."""


def _paper_counts(*, silicon: bool, stitched: bool) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many particles the reference has of each kind on carbon and on silicon (its table 5)."""
    single = (1806, 824 if silicon else 0)
    models = (round(_MODELS_OF_SINGLE * single[0]), round(_MODELS_OF_SINGLE * single[1]))
    counts = {
        (AMORPHOUS, "packed"): (1252, 746 if silicon else 0),
        (MONOCRYSTALLINE, "crystal"): (single[0] - models[0], single[1] - models[1]),
        (MONOCRYSTALLINE, "model"): models,
        (POLYCRYSTALLINE, "model"): (507, 0),
    }
    if stitched:
        counts[POLYCRYSTALLINE, "stitched"] = (1374, 1374)
    return counts


def simulation_c_crop(seed: int) -> Crop:
    """Return a crop of the reference's first set: on carbon; polycrystalline ones are twins."""
    return paper_crop(seed, counts=_paper_counts(silicon=False, stitched=False))


def simulation_c_si_crop(seed: int) -> Crop:
    """Return a crop of the reference's second set: on carbon or silicon; polycrystalline ones are twins."""
    return paper_crop(seed, counts=_paper_counts(silicon=True, stitched=False))


def poly_crop(seed: int) -> Crop:
    """Return a crop of the reference's third set: on carbon or silicon; polycrystalline ones are twins or stitched."""
    return paper_crop(seed, counts=_paper_counts(silicon=True, stitched=True))


def realistic_crop(
    seed: int,
    *,
    elements: Mapping[str, float] = _ELEMENTS,
    voltages_kv: Sequence[float] | None = None,
    support_nm: tuple[float, float] = (0.7, 6.0),
) -> Crop:
    """Return a particle of 1 to 10 nm under conditions as wide as those of real microscopes.

    Gold, platinum, silver, palladium or silver-platinum; 80 to 300 kV, with and without a corrector, 0.01 to 0.1 nm a
    pixel, 100 to 30,000 electrons per square ångström; crystals in any orientation or near a zone axis; on carbon,
    silicon or nothing; some with neighbours that touch them or lie above or below; masks with imperfect outlines.

    Parameters
    ----------
    seed : int
        The same gives the same crop.
    elements : mapping
        Odds of the materials.
    voltages_kv : sequence of float, optional
        One of them is taken; the usual ones, or any from 80 to 300, unless given.
    support_nm : (float, float)
        Least and largest thickness of a support.
    """
    rng = np.random.default_rng((seed, 63))
    name = str(rng.choice(list(elements), p=list(elements.values())))
    platinum = float(rng.choice(list(_ALLOYS)))
    material = _ALLOYS[platinum] if name == "AgPt" else METALS[name]
    kind = CRYSTALLINITIES[rng.integers(3)]
    particle, body, shape = any_particle(rng, material, kind, _log_uniform(rng, 1, 10))
    neighbours: list[Atoms] = []
    if rng.random() < 0.3:
        reach = _radius(body)
        for _ in range(int(rng.integers(1, 3))):
            diameter = float(np.clip(2 * reach * np.exp(rng.normal(0, 0.25)), 1, 10))
            other, other_body, _ = any_particle(rng, material, CRYSTALLINITIES[rng.integers(3)], diameter)
            neighbours.append(_beside(rng, particle.atoms, other.atoms, reach + _radius(other_body)))
    if name == "AgPt":
        particle = replace(particle, atoms=_mixed(rng, particle.atoms, platinum))
        neighbours = [_mixed(rng, one, platinum) for one in neighbours]
    reach_nm = float(np.abs(particle.atoms.places_nm[:, :2]).max())
    conditions = _any_conditions(rng, reach_nm, voltages_kv, support_nm)
    crop = particle_crop(rng, particle, material, conditions, neighbours)
    return _described(crop, conditions, shape, seed)


def _any_conditions(
    rng: np.random.Generator,
    reach_nm: float,
    voltages_kv: Sequence[float] | None,
    support_nm: tuple[float, float],
) -> Conditions:
    margin_nm = rng.uniform(0.8, 2.0)
    finest_nm = max(FINEST_NM, 2 * (reach_nm + margin_nm + 0.2) / 1000)  # for crops of at most about 1000 pixels
    pixel_nm = _log_uniform(rng, finest_nm, 0.1)
    corrected = rng.random() < 0.5
    spherical = rng.uniform(-0.015, 0.015) if corrected else rng.uniform(0.5, 1.4)
    defocus = (
        rng.uniform(-12, 20) if corrected else rng.choice((rng.uniform(20, 130), rng.uniform(-40, 20)), p=(0.8, 0.2))
    )
    optics = Optics(
        voltage_kv=float(rng.choice(voltages_kv or (80.0, 120.0, 200.0, 300.0, rng.uniform(80, 300)))),
        defocus_nm=float(defocus),
        cs_mm=spherical,
        astigmatism_nm=rng.uniform(0, 4) if corrected else rng.uniform(0, 10),
        astigmatism_angle_rad=rng.uniform(0, np.pi),
        coma_nm=rng.uniform(0, 60) if corrected else rng.uniform(0, 300),
        coma_angle_rad=rng.uniform(0, 2 * np.pi),
        threefold_nm=rng.uniform(0, 60) if corrected else rng.uniform(0, 500),
        threefold_angle_rad=rng.uniform(0, 2 * np.pi),
        focal_spread_nm=rng.uniform(1.5, 5) if corrected else rng.uniform(3, 7),
        convergence_mrad=rng.uniform(0.05, 0.4),
    )
    per_px = _log_uniform(rng, 1e4, 3e6) * pixel_nm**2
    signal_px = rng.uniform(0.2, 0.8)
    camera = Camera(
        dose_e_px=per_px,
        signal_mtf_px=signal_px,
        noise_mtf_px=signal_px * rng.uniform(0.3, 1),
        signal_tail=rng.uniform(0, 0.15),
        noise_tail=rng.uniform(0, 0.1),
        read_noise_e=rng.uniform(0, 1) * np.sqrt(0.1 * per_px),
        drift_px=tuple(rng.normal(0, 0.03 / pixel_nm, 2)) if rng.random() < 0.5 else (0.0, 0.0),
        gain=12_000 / per_px,
        offset=400.0,
    )
    film = (CARBON, SILICON, None)[rng.choice(3, p=(0.75, 0.1, 0.15))]
    return Conditions(
        pixel_size_nm=pixel_nm,
        optics=optics,
        camera=camera,
        support=film,
        support_nm=_log_uniform(rng, *support_nm) if film else 0.0,
        margin_nm=margin_nm,
        outline_nm=rng.uniform(0.02, 0.1),
        outline_bias_nm=rng.normal(0, 0.05),
    )


def _beside(rng: np.random.Generator, atoms: Atoms, other: Atoms, distance_nm: float) -> Atoms:
    """Return `other` moved in a random direction, from `distance_nm` on until no atoms are neighbours too near."""
    from scipy.spatial import KDTree

    height = rng.uniform(-0.95, 0.95)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.sqrt(1 - height**2)
    direction = np.array([across * np.cos(angle), across * np.sin(angle), height])
    tree, least = KDTree(atoms.places_nm), 2 * atoms.radii_nm.max()
    distance = 0.8 * distance_nm
    while True:
        moved = other.places_nm + distance * direction
        if tree.query(moved, distance_upper_bound=least)[0].min() >= least:
            return replace(other, places_nm=moved)
        distance += 0.1


def _mixed(rng: np.random.Generator, atoms: Atoms, platinum: float) -> Atoms:
    other = rng.random(len(atoms.z)) < platinum
    silver, pt = SPECIES["Ag"], SPECIES["Pt"]
    z, radii = np.where(other, pt.z, silver.z), np.where(other, pt.radius_nm, silver.radius_nm)
    return replace(atoms, z=z, radii_nm=radii)


def _described(crop: Crop, conditions: Conditions, shape: str, seed: int) -> Crop:
    optics, film = conditions.optics, conditions.support
    crop.label.update(
        shape=shape,
        support="none" if film is None else "silicon" if film.z == SILICON.z else "carbon",
        support_nm=conditions.support_nm,
        voltage_kv=optics.voltage_kv,
        defocus_nm=optics.defocus_nm,
        cs_mm=optics.cs_mm,
        astigmatism_nm=optics.astigmatism_nm,
        focal_spread_nm=optics.focal_spread_nm,
        convergence_mrad=optics.convergence_mrad,
        dose_e_nm2=conditions.camera.dose_e_px / conditions.pixel_size_nm**2,
        seed=seed,
    )
    return crop


def _radius(body: Body) -> float:
    return float(np.cbrt(0.75 / np.pi * body.volume))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


SETS: dict[str, Set] = {
    "pattern": pattern_crop,
    "simulation-c": simulation_c_crop,
    "simulation-c-si": simulation_c_si_crop,
    "poly": poly_crop,
    "realistic": realistic_crop,
    "copper": partial(realistic_crop, elements={"Cu": 1.0}),
    "60-kv": partial(realistic_crop, voltages_kv=(60.0,)),
    "thick-support": partial(realistic_crop, support_nm=(8.0, 12.0)),
}
"""By name: a crop from a seed. The last three differ from ``realistic`` each in one thing that it never has."""
