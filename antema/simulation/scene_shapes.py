"""Particles that are not round: rods, plates, cubes, hollow, layered and branched ones."""

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import bodies
from antema.simulation.exposures import Look
from antema.simulation.packings import relaxed
from antema.simulation.scene_draws import Rng, Scene, Shape, fringe, grains, log_even, polygons, sometimes, spread, wavy

_SPECIES = ("rod", "bent", "plate", "triangle", "cube", "octahedron", "capsule", "ring", "core", "spindle", "branched")


_SPECIES_SHARES = np.array([6, 2, 1.5, 1.5, 1.5, 1.5, 1.5, 1, 1.5, 1, 1.2]) / 20.2


def _species(rng: Rng, name: str, n: int) -> tuple[str, str, NDArray[np.float64], NDArray[np.float64]]:
    """Return outline, profile and proportions of both of n bodies of one species."""
    rise = np.full((n, 1), rng.uniform(0.15, 0.6))
    bevel = np.full((n, 1), rng.uniform(0.03, 0.4))
    shell = np.stack([np.full(n, rng.uniform(0.15, 0.6)), rng.uniform(0.2, 0.6) * spread(rng, n, 0.08)], axis=1)
    if name == "rod":
        aspect = np.clip(log_even(rng, 1.6, 9) * spread(rng, n, rng.uniform(0.03, 0.25)), 1.2, 10.5)
        rounding = np.full(n, 1.0 if rng.random() < 0.55 else rng.uniform(0.1, 0.7))
        return "box", str(rng.choice(["ball", "flat"])), np.stack([aspect, rounding], axis=1), bevel
    if name == "bent":
        length = np.clip(log_even(rng, 3, 10) * spread(rng, n, 0.2), 2, 11)
        return "bent", "ball", np.stack([length, rng.uniform(0.15, rng.uniform(0.3, 2.2), n)], axis=1), bevel
    if name in ("plate", "triangle"):
        form = polygons(rng, n, 3 if name == "triangle" else 6)
        form[:, 1] *= 0.8 if name == "triangle" else 1
        return "polygon", "flat", form, bevel
    if name == "cube":
        aspect = spread(rng, n, rng.choice([0.0, 0.1]))
        return "box", "flat", np.stack([aspect, np.full(n, rng.uniform(0.05, 0.5))], axis=1), bevel
    if name == "octahedron":
        return "polygon", "pyramid", polygons(rng, n, int(rng.choice([4, 6]))), rise
    if name == "capsule":
        aspect = 1 + np.abs(rng.normal(0, 0.7, n))
        wall = np.stack([np.full(n, rng.uniform(0.2, 0.75)), rng.uniform(0.12, 0.5) * spread(rng, n, 0.1)], axis=1)
        return "box", "hollow", np.stack([aspect, np.full(n, 1.0)], axis=1), wall
    if name == "ring":
        wall = np.stack([np.full(n, rng.uniform(0.2, 0.8)), rng.uniform(0.12, 0.5) * spread(rng, n, 0.1)], axis=1)
        return "wavy", "hollow", wavy(rng, n, 0.02), wall
    if name == "core":
        return "wavy", "core", wavy(rng, n, rng.uniform(0, 0.04)), shell
    if name == "spindle":
        return "spindle", "ball", np.clip(rng.uniform(1.6, 4) * spread(rng, n, 0.1), 1.3, 5)[:, None], bevel
    arms = int(rng.integers(3, 5))
    lengths = np.where(np.arange(4) < arms, rng.uniform(0.5, 1, (n, 4)), 0)
    turns = np.stack([rng.uniform(0, 0.5, n), rng.uniform(0, 6, n)], axis=1)
    return "branched", "ball", np.concatenate([np.full((n, 1), log_even(rng, 2, 7)), lengths, turns], axis=1), bevel


def shapes(rng: Rng, shape: Shape) -> Scene:
    """Rods to 10 : 1, plates, cubes, hollow, layered and branched bodies, apart, side by side and crossing."""
    groups = []
    count = int(rng.choice([1, 2, 3], p=(0.6, 0.25, 0.15)))
    opacity, cover = log_even(rng, 0.2, 3), rng.uniform(0.08, 0.5) / count
    overlapping = rng.random() < 0.4
    size = log_even(rng, 12, 90)
    for name in rng.choice(_SPECIES, count, p=_SPECIES_SHARES):
        outline, profile, form, proportions = _species(rng, str(name), 400)
        extent = float(np.median(_long(outline, form)))
        inner_px = max(size / 2 * rng.uniform(0.7, 1.3) / np.sqrt(extent), 3.0)
        n = int(np.clip(cover * shape[0] * shape[1] / (3.2 * inner_px**2 * extent), 2, 400))
        inner = inner_px * spread(rng, n, rng.uniform(0.03, 0.25))
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
                opacity=opacity * spread(rng, n, rng.uniform(0.05, 0.4)),
                bands=np.abs(rng.normal(0, sometimes(rng, 0.6, 0.02, 0.3), n)),
                facets=np.where(rng.random(n) < sometimes(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.25, n), 0),
                said=str(name),
            )
        )
    smallest = min(float(np.median(one.inner)) for one in groups)
    look = Look(
        blur_px=rng.uniform(0.5, min(2.0, 0.1 * smallest + 0.5)),
        contrast_to_noise=log_even(rng, 1, 20),
        fringe_px=fringe(rng, 0.4, smallest),
        grain_px=grains(rng, 0.4, 0.4, 1.5),
        film=rng.uniform(0, 0.8),
        film_px=rng.uniform(1.5, 4),
        inelastic=sometimes(rng, 0.5, 0, 0.3),
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
