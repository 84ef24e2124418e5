"""Quick drawn scenes of what real micrographs show and slow simulation lacks: many bodies, overlaps, poor pictures."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import Bodies, bodies, drawn_together
from antema.simulation.exposures import Look, exposed
from antema.simulation.field import SimulatedField, field_contrast_to_noise
from antema.simulation.fourier import long_waves
from antema.simulation.packings import grown, heaped, island, raft, relaxed, within

LEAST_SIGNAL = 4.0
"""Contrast of a whole particle by the noise of as many pixels, below which nothing of it is seen: A. Rose asks for 5
(J. Opt. Soc. Am. 38 (1948) 196)."""
Rng = np.random.Generator
Shape = tuple[int, int]
Scene = tuple[list[Bodies], Look]


def scene_field(seed: int, *, shape: Shape = (512, 512), pixel_size_nm: float | None = None) -> SimulatedField:
    """Return a drawn scene of one of `SCENES`, chosen by `seed`.

    Bodies absorb as their thickness, overlap adds; the picture is defocused, blurred, lies on uneven ground, has film
    texture and correlated noise. The truth is that of the blurred body alone (``instances``: half of its contrast just
    inside its rim) and of its geometric outline (``atoms``); both are whole where others cover them.

    Parameters
    ----------
    seed : int
        The same seed gives the same scene.
    shape : tuple of int
        Height and width in pixels.
    pixel_size_nm : float or None
        Edge of a pixel, if the scene shall have a length; lengths in pixels do not depend on it.
    """
    rng = np.random.default_rng((seed, 91))
    kind = str(rng.choice(list(SCENES)))
    groups, look = SCENES[kind](rng, shape)
    drawing = drawn_together(groups, shape, look.blur_px, rng)
    contrasts = [float(one["contrast"]) for one in drawing.particles]
    absorbed = drawing.absorbed
    if kind == "junk":
        absorbed = absorbed + _litter(rng, absorbed.shape)
    typical = float(np.median(contrasts)) if contrasts else 0.2
    pixels, spread = exposed(rng, absorbed, typical, look)
    cell_px = max(1.0, 4 * np.pi * look.grain_px[0] * look.grain_px[1])  # of noise that is alike
    particles = []
    for said, instance in zip(drawing.particles, drawing.instances, strict=True):
        ratio = float(said["contrast"]) / spread
        told = ratio * np.sqrt(instance.area_px / cell_px) >= LEAST_SIGNAL
        particles.append(said | {"contrast_to_noise": ratio, "seen": said["seen"] if told else 0.0})
    conditions = {
        "seed": seed,
        "kind": f"scene: {kind}",
        "blur_px": look.blur_px,
        "fringe_px": look.fringe_px,
        "contrast_to_noise": field_contrast_to_noise([float(one["contrast_to_noise"]) for one in particles]),
    }
    return SimulatedField(pixels, pixel_size_nm, drawing.instances, particles, conditions, atoms=drawing.atoms)


def _log(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))


def _maybe(rng: Rng, probability: float, low: float, high: float) -> float:
    return float(rng.uniform(low, high)) if rng.random() < probability else 0.0


def _spread(rng: Rng, n: int, sigma: float) -> NDArray[np.float64]:
    """Return lognormal factors about 1."""
    return np.exp(rng.normal(0, sigma, n))


def _wavy(rng: Rng, n: int, strength: float) -> NDArray[np.float64]:
    """Return proportions of rough discs."""
    amplitudes = strength * np.abs(rng.normal(0, 1, (n, 4))) / np.array([1, 1.5, 2, 2.5])
    return np.concatenate([np.minimum(amplitudes, 0.12), rng.uniform(0, 2 * np.pi, (n, 4))], axis=1)


def _polygons(rng: Rng, n: int, corners: int | None = None) -> NDArray[np.float64]:
    """Return proportions of rounded polygons."""
    count = np.full(n, corners) if corners else rng.integers(4, 9, n)
    return np.stack([count, np.clip(rng.uniform(0.1, 0.6) + rng.normal(0, 0.05, n), 0.05, 0.9), np.ones(n)], axis=1)


def _apothem(radius: NDArray[np.float64], form: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half widths of polygons that are as large as discs of `radius`."""
    return radius * np.sqrt(np.pi / (form[:, 0] * np.tan(np.pi / form[:, 0])))


def _grains(rng: Rng, probability: float, low: float, high: float) -> tuple[float, float]:
    """Return along how much noise is alike on two axes."""
    if rng.random() >= probability:
        return (0.0, 0.0)
    one = rng.uniform(low, high)
    return (one, one) if rng.random() < 0.6 else (one, one * rng.uniform(0.2, 1))


def _fringe(rng: Rng, probability: float, inner_px: float) -> float:
    return _maybe(rng, probability, 0.6, max(min(4.5, 0.4 * inner_px), 0.8))


def _small_bodies(rng: Rng, places: NDArray[np.float64], inner: NDArray[np.float64]) -> Bodies:
    """Return small roundish particles, some of which diffract strongly."""
    n = len(places)
    opacity = _log(rng, 0.1, 1.3) * _spread(rng, n, rng.uniform(0.05, 0.4))
    opacity *= np.where(rng.random(n) < _maybe(rng, 0.6, 0.01, 0.15), rng.uniform(1.5, 3), 1)
    kind = rng.random()
    if kind < 0.6:
        return bodies("wavy", "ball", places, inner, rng=rng, form=_wavy(rng, n, rng.uniform(0, 0.04)), opacity=opacity)
    if kind < 0.8:
        aspect = 1 + np.abs(rng.normal(0, rng.uniform(0.02, 0.2), (n, 1)))
        return bodies("ellipse", "ball", places, inner / np.sqrt(aspect[:, 0]), rng=rng, form=aspect, opacity=opacity)
    bevel = np.full((n, 1), rng.uniform(0.1, 0.5))
    form = _polygons(rng, n)
    inner = _apothem(inner, form)
    return bodies("polygon", "flat", places, inner, rng=rng, form=form, proportions=bevel, opacity=opacity)


def monolayer(rng: Rng, shape: Shape) -> Scene:
    """Thousands of particles of 5 to 20 px in rafts and random packings, often in few grey levels."""
    width = _log(rng, 5, 20)
    gap = rng.uniform(-0.5, 1) if rng.random() < 0.3 else min(_log(rng, 1, 12), 1.5 * width)
    sigma = rng.uniform(0.03, 0.12)
    if rng.random() < 0.6:
        pitch = width + gap
        places, _ = raft(rng, shape, pitch, square=bool(rng.random() < 0.1), grains=int(rng.integers(1, 5)))
        places = places + rng.normal(0, rng.uniform(0.02, 0.1) * pitch, places.shape)
        inner = width / 2 * _spread(rng, len(places), sigma)
        if gap > 0:
            places = relaxed(places, inner, 0.3 * gap, steps=3)
    else:
        sigma = rng.uniform(0.05, 0.25)
        share = rng.uniform(0.25, 0.8)
        n = int(share * (shape[0] + 2 * width) * (shape[1] + 2 * width) / (width + max(gap, 0)) ** 2 / 0.785)
        places = rng.uniform(-width, (shape[1] + width, shape[0] + width), (n, 2))
        inner = width / 2 * _spread(rng, n, sigma)
        places = relaxed(places, inner, max(gap, 0), steps=12)
    kept = island(rng, places, shape, 1.0 if rng.random() < 0.5 else rng.uniform(0.3, 0.95))
    kept &= rng.random(len(places)) > _maybe(rng, 0.6, 0.01, 0.25)
    groups = [_small_bodies(rng, places[kept], inner[kept])]
    if rng.random() < 0.2:  # a few of a second layer
        above = places[kept][rng.random(int(kept.sum())) < rng.uniform(0.02, 0.3)]
        above = above + rng.normal(0, 0.5 * width, above.shape)
        groups.append(groups[0].some(rng.integers(max(len(groups[0]), 1), size=len(above) if len(groups[0]) else 0)))
        groups[-1] = replace(
            groups[-1],
            x=above[: len(groups[-1]), 0].astype(np.float32),
            y=above[: len(groups[-1]), 1].astype(np.float32),
        )
    look = Look(
        blur_px=rng.uniform(0.45, max(0.5, min(1.6, 0.1 * width))),
        contrast_to_noise=_log(rng, 1.2, 10),
        fringe_px=_fringe(rng, 0.4, width / 2),
        grain_px=_grains(rng, 0.3, 0.4, 0.9),
        film=rng.uniform(0, 0.7),
        film_px=rng.uniform(1.5, 3),
        inelastic=_maybe(rng, 0.5, 0, 0.5),
        narrow=bool(rng.random() < 0.5),
    )
    return groups, look


def crystals(rng: Rng, shape: Shape) -> Scene:
    """Rafts of nanocrystals of 15 to 60 px, touching or little apart, of diffraction contrast."""
    width = _log(rng, 15, 60)
    kind = str(rng.choice(["round", "polygon", "cube", "octahedron"], p=(0.35, 0.25, 0.3, 0.1)))
    gap = rng.uniform(2, 12) if rng.random() < 0.6 else rng.uniform(-0.12 * width, 2)
    square = kind == "cube" or (kind != "round" and rng.random() < 0.2)
    places, angle = raft(rng, shape, width + gap, square=square, grains=int(rng.integers(1, 4)))
    places = places + rng.normal(0, rng.uniform(0.01, 0.05 if kind == "cube" else 0.12) * width, places.shape)
    n = len(places)
    inner = width / 2 * _spread(rng, n, rng.uniform(0.02, 0.05 if kind == "cube" else 0.12))
    places = relaxed(places, inner, min(gap, 0.3 * gap), steps=3)
    kept = island(rng, places, shape, 1.0 if rng.random() < 0.4 else rng.uniform(0.3, 0.9))
    kept &= rng.random(n) > _maybe(rng, 0.5, 0.01, 0.25)
    places, inner, angle = places[kept], inner[kept], angle[kept]
    n = len(places)
    given = {
        "opacity": _log(rng, 0.25, 1.6) * _spread(rng, n, rng.uniform(0.1, 0.6)),
        "bands": np.abs(rng.normal(0, rng.uniform(0.02, 0.35), n)),
        "facets": np.where(rng.random(n) < rng.uniform(0, 0.5), rng.uniform(0, 0.3, n), 0),
        "rng": rng,
    }
    bevel = {"proportions": np.full((n, 1), rng.uniform(0.03, 0.3))}
    if kind == "round":
        group = bodies("wavy", "ball", places, inner, form=_wavy(rng, n, rng.uniform(0.005, 0.06)), **given)
    elif kind == "cube":
        form = np.stack([_spread(rng, n, rng.uniform(0, 0.05)), np.full(n, rng.uniform(0.05, 0.5))], axis=1)
        turned = angle + rng.normal(0, rng.uniform(0.01, 0.15), n)
        group = bodies("box", "flat", places, inner, form=form, angle=turned, **bevel, **given)
    elif kind == "octahedron":
        rise = np.full((n, 1), rng.uniform(0.2, 0.6))
        form = _polygons(rng, n, 4)
        group = bodies("polygon", "pyramid", places, _apothem(inner, form), form=form, proportions=rise, **given)
    else:
        form = _polygons(rng, n)
        group = bodies("polygon", "flat", places, _apothem(inner, form), form=form, **bevel, **given)
    look = Look(
        blur_px=rng.uniform(0.5, min(2.0, 0.06 * width + 0.4)),
        contrast_to_noise=_log(rng, 1, 12),
        fringe_px=_fringe(rng, 0.5, width / 2),
        grain_px=_grains(rng, 0.4, 0.4, 1.5),
        film=rng.uniform(0, 0.7),
        film_px=rng.uniform(1.5, 4),
        inelastic=_maybe(rng, 0.5, 0, 0.4),
        narrow=bool(rng.random() < 0.2),
    )
    return [group], look


def _lumps(
    rng: Rng,
    shape: Shape,
    widths: Callable[[int], NDArray[np.float64]],
    sizes: tuple[int, int],
    cover: float,
    *,
    most: int = 500,
    chains: float = 0.35,
    **kind: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places and half widths of spheres that lie in lumps of `sizes`, until they would cover `cover`."""
    places, inner = [np.empty((0, 2))], [np.empty(0)]
    area = count = 0.0
    while area < cover * shape[0] * shape[1] and count < most:
        n = int(min(_log(rng, *sizes), most))
        radii = widths(n) / 2
        lump = (grown if rng.random() < chains else heaped)(rng, radii, **kind)[:, :2]
        lump = lump + rng.uniform(0, 1, 2) * (shape[1], shape[0])
        near = within(lump, shape, float(radii.max()))
        places.append(lump[near])
        inner.append(radii[near])
        area += 0.8 * np.pi * float((radii[near] ** 2).sum()) + 1e-4 * shape[0] * shape[1]
        count += int(near.sum())
    return np.concatenate(places), np.concatenate(inner)


def spheres(rng: Rng, shape: Shape) -> Scene:
    """Clusters and chains of touching and overlapping spheres of 20 to 120 px, also of two sizes."""
    width = _log(rng, 20, min(120, 0.3 * min(shape)))
    sigma, ratio = rng.uniform(0.02, 0.15), rng.uniform(0.25, 0.5)
    minor = _maybe(rng, 0.35, 0.3, 0.9)

    def widths(n: int) -> NDArray[np.float64]:
        return width * _spread(rng, n, sigma) * np.where(rng.random(n) < minor, max(ratio, 10 / width), 1)

    places, inner = _lumps(
        rng,
        shape,
        widths,
        (1, 80),
        rng.uniform(0.1, 0.6),
        contact=rng.uniform(0.9, 1.03),
        flat=float(rng.choice([0.0, rng.uniform(0, 0.8)])),
    )
    n = len(places)
    opacity = _log(rng, 0.5, 4) * np.minimum(inner / width * 2, 1.5) * _spread(rng, n, rng.uniform(0, 0.25))
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=_wavy(rng, n, rng.uniform(0, 0.03)),
        opacity=opacity,
        bands=np.abs(rng.normal(0, _maybe(rng, 0.5, 0.02, 0.3), n)),
        facets=np.where(rng.random(n) < _maybe(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.3, n), 0),
    )
    look = Look(
        blur_px=rng.uniform(0.6, min(3.0, 0.05 * width + 0.6)),
        contrast_to_noise=_log(rng, 2, 30),
        fringe_px=_fringe(rng, 0.6, width / 2),
        phase=rng.uniform(0.2, 1.0),
        grain_px=_grains(rng, 0.5, 0.4, 2),
        film=rng.uniform(0.1, 0.9),
        film_px=rng.uniform(1.5, 6),
        inelastic=_maybe(rng, 0.6, 0, 0.3),
        narrow=bool(rng.random() < 0.08),
    )
    return [group], look


def aggregates(rng: Rng, shape: Shape) -> Scene:
    """Translucent aggregates as of soot: primary particles of 15 to 90 px, sintered, several above each other."""
    width = _log(rng, 15, min(90, 0.2 * min(shape)))
    sigma = float(np.log(rng.uniform(1.0, 1.4)))
    contact, flat = rng.uniform(0.72, 1.0), rng.uniform(0.5, 1.0)
    places, inner = _lumps(
        rng,
        shape,
        lambda n: width * _spread(rng, n, sigma),
        (15, 150),
        rng.uniform(0.25, 0.8),
        most=220,
        chains=0.85,
        contact=contact,
        flat=flat,
    )
    n = len(places)
    opacity = _log(rng, 0.12, 0.6) * inner / width * 2
    profile = "flat" if rng.random() < 0.5 else "ball"
    group = bodies(
        "wavy",
        profile,
        places,
        inner,
        rng=rng,
        form=_wavy(rng, n, rng.uniform(0.01, 0.06)),
        opacity=opacity,
        proportions=np.full((n, 1), rng.uniform(0.1, 0.6)),
        bands=np.abs(rng.normal(0, _maybe(rng, 0.4, 0.02, 0.1), n)),
    )
    look = Look(
        blur_px=rng.uniform(0.6, 2.0),
        contrast_to_noise=_log(rng, 1.2, 10),
        fringe_px=_fringe(rng, 0.85, width / 2),
        phase=rng.uniform(0.6, 2.5),
        grain_px=_grains(rng, 0.5, 0.4, 1.2),
        film=rng.uniform(0.2, 0.9),
        film_px=rng.uniform(1.5, 4),
        inelastic=_maybe(rng, 0.5, 0, 0.3),
        narrow=bool(rng.random() < 0.08),
    )
    return [group], look


def oxides(rng: Rng, shape: Shape) -> Scene:
    """Agglomerates of rounded and faceted particles of many sizes, of high contrast."""
    width, sigma = _log(rng, 12, min(60, 0.2 * min(shape))), rng.uniform(0.15, 0.5)

    def widths(n: int) -> NDArray[np.float64]:
        return np.clip(width * _spread(rng, n, sigma), 6, 3 * width)

    places, inner = _lumps(
        rng,
        shape,
        widths,
        (2, 60),
        rng.uniform(0.15, 0.65),
        contact=rng.uniform(0.85, 1.0),
        flat=rng.uniform(0.1, 0.5),
    )
    n = len(places)
    faceted = rng.random(n) < rng.uniform(0, 1)
    opacity = (
        _log(rng, 0.6, 2.5) * _spread(rng, n, rng.uniform(0.05, 0.4)) * (inner / inner.mean()) ** 0.5 if n else 1.0
    )
    given = {
        "opacity": opacity,
        "bands": np.abs(rng.normal(0, rng.uniform(0.02, 0.25), n)),
        "facets": np.where(rng.random(n) < 0.3, rng.uniform(0, 0.3, n), 0),
    }
    polygons, bevel = _polygons(rng, n), np.full((n, 1), rng.uniform(0.1, 0.6))
    round_ones = bodies("wavy", "ball", places, inner, rng=rng, form=_wavy(rng, n, rng.uniform(0.01, 0.07)), **given)
    angular = bodies("polygon", "flat", places, inner * 0.93, rng=rng, form=polygons, proportions=bevel, **given)
    look = Look(
        blur_px=rng.uniform(0.5, 1.4),
        contrast_to_noise=_log(rng, 3, 30),
        fringe_px=_fringe(rng, 0.35, width / 2),
        grain_px=_grains(rng, 0.3, 0.4, 1.0),
        film=rng.uniform(0, 0.8),
        film_px=rng.uniform(1.5, 4),
        inelastic=_maybe(rng, 0.4, 0, 0.2),
    )
    return [round_ones.some(~faceted), angular.some(faceted)], look


_SPECIES = ("rod", "bent", "plate", "triangle", "cube", "octahedron", "capsule", "ring", "core", "spindle", "branched")
_SPECIES_SHARES = np.array([6, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1, 1.5, 1, 1.2]) / 20.2


def _species(rng: Rng, name: str, n: int) -> tuple[str, str, NDArray[np.float64], NDArray[np.float64]]:
    """Return outline, profile and proportions of both of n bodies of one species."""
    rise = np.full((n, 1), rng.uniform(0.15, 0.6))
    bevel = np.full((n, 1), rng.uniform(0.03, 0.4))
    shell = np.stack([np.full(n, rng.uniform(0.15, 0.6)), rng.uniform(0.2, 0.6) * _spread(rng, n, 0.08)], axis=1)
    if name == "rod":
        aspect = np.clip(_log(rng, 1.6, 9) * _spread(rng, n, rng.uniform(0.03, 0.25)), 1.2, 10.5)
        rounding = np.full(n, 1.0 if rng.random() < 0.55 else rng.uniform(0.1, 0.7))
        return "box", str(rng.choice(["ball", "flat"])), np.stack([aspect, rounding], axis=1), bevel
    if name == "bent":
        length = np.clip(_log(rng, 3, 10) * _spread(rng, n, 0.2), 2, 11)
        return "bent", "ball", np.stack([length, rng.uniform(0.15, rng.uniform(0.3, 2.2), n)], axis=1), bevel
    if name in ("plate", "triangle"):
        form = _polygons(rng, n, 3 if name == "triangle" else 6)
        form[:, 1] *= 0.8 if name == "triangle" else 1
        return "polygon", "flat", form, bevel
    if name == "cube":
        aspect = _spread(rng, n, rng.choice([0.0, 0.1]))
        return "box", "flat", np.stack([aspect, np.full(n, rng.uniform(0.05, 0.5))], axis=1), bevel
    if name == "octahedron":
        return "polygon", "pyramid", _polygons(rng, n, int(rng.choice([4, 6]))), rise
    if name == "capsule":
        aspect = 1 + np.abs(rng.normal(0, 0.7, n))
        wall = np.stack([np.full(n, rng.uniform(0.2, 0.75)), rng.uniform(0.12, 0.5) * _spread(rng, n, 0.1)], axis=1)
        return "box", "hollow", np.stack([aspect, np.full(n, 1.0)], axis=1), wall
    if name == "ring":
        wall = np.stack([np.full(n, rng.uniform(0.2, 0.8)), rng.uniform(0.12, 0.5) * _spread(rng, n, 0.1)], axis=1)
        return "wavy", "hollow", _wavy(rng, n, 0.02), wall
    if name == "core":
        return "wavy", "core", _wavy(rng, n, rng.uniform(0, 0.04)), shell
    if name == "spindle":
        return "spindle", "ball", np.clip(rng.uniform(1.6, 4) * _spread(rng, n, 0.1), 1.3, 5)[:, None], bevel
    arms = int(rng.integers(3, 5))
    lengths = np.where(np.arange(4) < arms, rng.uniform(0.5, 1, (n, 4)), 0)
    turns = np.stack([rng.uniform(0, 0.5, n), rng.uniform(0, 6, n)], axis=1)
    return "branched", "ball", np.concatenate([np.full((n, 1), _log(rng, 2, 7)), lengths, turns], axis=1), bevel


def shapes(rng: Rng, shape: Shape) -> Scene:
    """Rods to 10 : 1, plates, cubes, hollow, layered and branched bodies, apart, side by side and crossing."""
    groups = []
    count = int(rng.choice([1, 2, 3], p=(0.6, 0.25, 0.15)))
    opacity, cover = _log(rng, 0.2, 3), rng.uniform(0.08, 0.5) / count
    overlapping = rng.random() < 0.4
    size = _log(rng, 12, 90)
    for name in rng.choice(_SPECIES, count, p=_SPECIES_SHARES):
        outline, profile, form, proportions = _species(rng, str(name), 400)
        extent = float(np.median(_long(outline, form)))
        inner_px = max(size / 2 * rng.uniform(0.7, 1.3) / np.sqrt(extent), 3.0)
        n = int(np.clip(cover * shape[0] * shape[1] / (3.2 * inner_px**2 * extent), 2, 400))
        inner = inner_px * _spread(rng, n, rng.uniform(0.03, 0.25))
        places = rng.uniform(-0.05, 1.05, (n, 2)) * (shape[1], shape[0])
        angle = rng.uniform(0, 2 * np.pi, n)
        if outline in ("box", "spindle") and extent > 1.5 and rng.random() < 0.5:
            places, angle = _side_by_side(rng, places, inner, angle)
        if not overlapping:
            around = inner * (np.sqrt(extent) if extent < 3 else 1 + 0.5 * extent)
            places = relaxed(places, around, rng.uniform(0, 4), steps=12) if angle.ndim else places
        groups.append(
            bodies(
                outline,
                profile,
                places,
                inner,
                rng=rng,
                form=form[:n],
                proportions=proportions[:n],
                angle=angle,
                opacity=opacity * _spread(rng, n, rng.uniform(0.05, 0.4)),
                bands=np.abs(rng.normal(0, _maybe(rng, 0.6, 0.02, 0.3), n)),
                facets=np.where(rng.random(n) < _maybe(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.25, n), 0),
                said=str(name),
            )
        )
    smallest = min(float(np.median(one.inner)) for one in groups)
    look = Look(
        blur_px=rng.uniform(0.5, min(2.0, 0.1 * smallest + 0.5)),
        contrast_to_noise=_log(rng, 1, 20),
        fringe_px=_fringe(rng, 0.4, smallest),
        grain_px=_grains(rng, 0.4, 0.4, 1.5),
        film=rng.uniform(0, 0.8),
        film_px=rng.uniform(1.5, 4),
        inelastic=_maybe(rng, 0.5, 0, 0.3),
        narrow=bool(rng.random() < 0.1),
    )
    return groups, look


def _long(outline: str, form: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return about how much longer than wide bodies are."""
    if outline in ("box", "spindle", "bent"):
        return np.maximum(form[:, 0], 1)
    if outline == "branched":
        return np.maximum(1 + 0.5 * form[:, 0] * form[:, 1:5].mean(axis=1), 1)
    return np.ones(len(form))


def _side_by_side(
    rng: Rng, places: NDArray[np.float64], inner: NDArray[np.float64], angle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places and directions of elongated bodies in bundles of about five."""
    n, bundle = len(places), int(rng.integers(2, 8))
    first = np.arange(n) // bundle * bundle
    step = np.arange(n) - first
    across = np.stack([-np.sin(angle[first]), np.cos(angle[first])], axis=1)
    pitch = 2 * float(np.median(inner)) * rng.uniform(0.98, 1.3)
    along = rng.normal(0, rng.uniform(0.05, 1.0) * pitch, n)[:, None] * across[:, ::-1] * (1, -1)
    return places[first] + across * (step * pitch)[:, None] + along, angle[first] + rng.normal(0, 0.06, n)


def noisy(rng: Rng, shape: Shape) -> Scene:
    """Frames of noisy series: particles of 40 to 100 px in much correlated noise, with a bright fringe."""
    width = _log(rng, 40, min(100, 0.25 * min(shape)))
    n = max(int(rng.uniform(0.06, 0.4) * shape[0] * shape[1] / (0.785 * width**2)), 3)
    inner = width / 2 * _spread(rng, n, rng.uniform(0.03, 0.35))
    places = rng.uniform(0, 1, (n, 2)) * (shape[1], shape[0])
    places = relaxed(places, inner * rng.uniform(0.9, 1.0), float(rng.choice([0.0, rng.uniform(0, 10)])), steps=12)
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=_wavy(rng, n, rng.uniform(0.005, 0.08)),
        opacity=_log(rng, 0.15, 0.9) * inner / width * 2 * _spread(rng, n, rng.uniform(0.05, 0.35)),
        bands=np.abs(rng.normal(0, _maybe(rng, 0.6, 0.02, 0.3), n)),
        facets=np.where(rng.random(n) < _maybe(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.3, n), 0),
    )
    grain = _grains(rng, 0.85, 0.5, 3)
    look = Look(
        blur_px=rng.uniform(0.8, 3.0),
        contrast_to_noise=_log(rng, 0.45 + 0.25 * sum(grain), 3.0),
        fringe_px=_maybe(rng, 0.8, 2, 6),
        phase=rng.uniform(0.5, 2.0),
        grain_px=grain,
        film=rng.uniform(0, 0.6),
        film_px=rng.uniform(2, 6),
        inelastic=_maybe(rng, 0.5, 0, 0.3),
    )
    return [group], look


def faint(rng: Rng, shape: Shape) -> Scene:
    """Small faint particles of 20 to 45 px whose rims drown in the ground, of very different contrast."""
    width = _log(rng, 18, 45)
    n = int(np.clip(rng.uniform(0.05, 0.4) * shape[0] * shape[1] / (0.785 * width**2), 3, 400))
    inner = width / 2 * np.clip(_spread(rng, n, rng.uniform(0.08, 0.3)), 0.4, 2)
    places = rng.uniform(-0.03, 1.03, (n, 2)) * (shape[1], shape[0])
    places = relaxed(places, inner * rng.uniform(0.85, 1.05), rng.uniform(0, 3), steps=int(rng.integers(2, 12)))
    opacity = _log(rng, 0.05, 0.3) * inner / width * 2 * _spread(rng, n, rng.uniform(0.1, 0.6))
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=_wavy(rng, n, rng.uniform(0.01, 0.1)),
        opacity=opacity,
        bands=np.abs(rng.normal(0, rng.uniform(0.05, 0.4), n)),
    )
    grain = _grains(rng, 0.9, 0.7, 2.8)
    look = Look(
        blur_px=rng.uniform(1.2, 0.08 * width + 0.6),
        contrast_to_noise=_log(rng, 0.6 + 0.25 * sum(grain), 2.8),
        fringe_px=_maybe(rng, 0.5, 1, 5),
        phase=rng.uniform(0.5, 2.0),
        grain_px=grain,
        film=rng.uniform(0.1, 0.7),
        film_px=rng.uniform(2, 8),
        inelastic=_maybe(rng, 0.3, 0, 0.3),
        narrow=bool(rng.random() < 0.1),
    )
    return [group], look


def junk(rng: Rng, shape: Shape) -> Scene:
    """Films, folds, holes, dirt and letters, and no or few particles."""
    n = int(rng.choice([0, rng.integers(1, 8)]))
    places = rng.uniform(0, 1, (n, 2)) * (shape[1], shape[0])
    inner = _log(rng, 8, 40) / 2 * _spread(rng, n, 0.15)
    form = _wavy(rng, n, 0.03)
    group = bodies("wavy", "ball", places, inner, rng=rng, form=form, opacity=_log(rng, 0.5, 2.5))
    look = Look(
        blur_px=rng.uniform(0.5, 2.0),
        contrast_to_noise=_log(rng, 1, 20),
        fringe_px=_maybe(rng, 0.6, 1, 5),
        grain_px=_grains(rng, 0.4, 0.4, 2),
        film=rng.uniform(0.1, 0.9),
        film_px=rng.uniform(1.5, 8),
        inelastic=_maybe(rng, 0.4, 0, 0.3),
        narrow=bool(rng.random() < 0.15),
        annotated=0.7,
    )
    return [group], look


def _litter(rng: Rng, shape: Shape) -> NDArray[np.float32]:
    """Return what films, holes, folds, dirt and smears absorb."""
    absorbed = np.zeros(shape, np.float32)
    chosen = rng.random(5) < (0.45, 0.35, 0.35, 0.35, 0.3)
    if not chosen.any():
        chosen[rng.integers(5)] = True
    if chosen[0]:  # a film with holes, or its edge
        pattern = long_waves(rng, shape, waves=rng.uniform(0.6, 4))
        rest = np.clip((pattern - rng.uniform(0.2, 1.8)) / rng.uniform(0.003, 0.05), 0, 1)
        absorbed += rng.uniform(0.1, 1.2) * (1 - rest)
    if chosen[1]:  # folds and filaments
        pattern = np.abs(long_waves(rng, shape, waves=rng.uniform(0.8, 4)))
        absorbed += rng.uniform(0.1, 0.9) * np.exp(-((pattern / rng.uniform(0.01, 0.1)) ** 2))
    if chosen[2]:  # ragged matter
        pattern = long_waves(rng, shape, waves=rng.uniform(1, 3))
        pattern += 0.35 * long_waves(rng, shape, waves=rng.uniform(8, 40))
        absorbed += rng.uniform(0.1, 0.8) * np.clip((pattern - rng.uniform(0.6, 1.8)) / rng.uniform(0.5, 2.0), 0, 1)
    if chosen[3]:  # contamination, mottled film
        absorbed += rng.uniform(0.02, 0.15) * long_waves(rng, shape, waves=rng.uniform(2, 30))
    if chosen[4]:  # wrinkles all one way
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(6, 60)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        bent = 4 * long_waves(rng, shape, waves=2)
        turn = (x * np.cos(angle) + y * np.sin(angle) + bent) * (2 * np.pi / pitch)
        envelope = np.clip(long_waves(rng, shape, waves=1.5), 0, 1)
        absorbed += rng.uniform(0.05, 0.4) * envelope * np.maximum(np.cos(turn), 0) ** 2
    return absorbed


SCENES: dict[str, Callable[[Rng, Shape], Scene]] = {
    "monolayer": monolayer,
    "crystals": crystals,
    "spheres": spheres,
    "aggregates": aggregates,
    "oxides": oxides,
    "shapes": shapes,
    "noisy": noisy,
    "faint": faint,
    "junk": junk,
}
"""What a scene shows, each as likely as the others."""
