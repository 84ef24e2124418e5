"""Layers of particles side by side: monolayers of small ones, rafts of nanocrystals."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import Bodies, bodies
from antema.simulation.exposures import Look
from antema.simulation.packings import island, raft, relaxed
from antema.simulation.scene_draws import (
    Rng,
    Scene,
    Shape,
    apothem,
    fringe,
    grains,
    log_even,
    polygons,
    sometimes,
    spread,
    wavy,
)


def _small_bodies(rng: Rng, places: NDArray[np.float64], inner: NDArray[np.float64]) -> Bodies:
    """Return small roundish particles, some of which diffract strongly."""
    n = len(places)
    opacity = log_even(rng, 0.1, 1.3) * spread(rng, n, rng.uniform(0.05, 0.4))
    opacity *= np.where(rng.random(n) < sometimes(rng, 0.6, 0.01, 0.15), rng.uniform(1.5, 3), 1)
    kind = rng.random()
    if kind < 0.6:
        return bodies("wavy", "ball", places, inner, rng=rng, form=wavy(rng, n, rng.uniform(0, 0.04)), opacity=opacity)
    if kind < 0.8:
        aspect = 1 + np.abs(rng.normal(0, rng.uniform(0.02, 0.2), (n, 1)))
        return bodies("ellipse", "ball", places, inner / np.sqrt(aspect[:, 0]), rng=rng, form=aspect, opacity=opacity)
    bevel = np.full((n, 1), rng.uniform(0.1, 0.5))
    form = polygons(rng, n)
    inner = apothem(inner, form)
    return bodies("polygon", "flat", places, inner, rng=rng, form=form, proportions=bevel, opacity=opacity)


def monolayer(rng: Rng, shape: Shape) -> Scene:
    """Thousands of particles of 5 to 20 px in rafts and random packings, often in few grey levels."""
    width = log_even(rng, 5, 20)
    gap = rng.uniform(-0.5, 1) if rng.random() < 0.3 else min(log_even(rng, 1, 12), 1.5 * width)
    sigma = rng.uniform(0.03, 0.12)
    if rng.random() < 0.6:
        pitch = width + gap
        places, _ = raft(rng, shape, pitch, square=bool(rng.random() < 0.1), grains=int(rng.integers(1, 5)))
        places = places + rng.normal(0, rng.uniform(0.02, 0.1) * pitch, places.shape)
        inner = width / 2 * spread(rng, len(places), sigma)
        if gap > 0:
            places = relaxed(places, inner, 0.3 * gap, steps=3)
    else:
        sigma = rng.uniform(0.05, 0.25)
        share = rng.uniform(0.25, 0.8)
        n = int(share * (shape[0] + 2 * width) * (shape[1] + 2 * width) / (width + max(gap, 0)) ** 2 / 0.785)
        places = rng.uniform(-width, (shape[1] + width, shape[0] + width), (n, 2))
        inner = width / 2 * spread(rng, n, sigma)
        places = relaxed(places, inner, max(gap, 0), steps=12)
    kept = island(rng, places, shape, 1.0 if rng.random() < 0.5 else rng.uniform(0.3, 0.95))
    kept &= rng.random(len(places)) > sometimes(rng, 0.6, 0.01, 0.25)
    groups = [_small_bodies(rng, places[kept], inner[kept])]
    if rng.random() < 0.2:  # a few of a second layer
        above = places[kept][rng.random(int(kept.sum())) < rng.uniform(0.02, 0.3)]
        above = above + rng.normal(0, 0.5 * width, above.shape)
        if len(above):
            alike = groups[0].some(rng.integers(len(groups[0]), size=len(above)))
            groups.append(replace(alike, x=above[:, 0].astype(np.float32), y=above[:, 1].astype(np.float32)))
    look = Look(
        blur_px=rng.uniform(0.45, max(0.5, min(1.6, 0.1 * width))),
        contrast_to_noise=log_even(rng, 1.2, 10),
        fringe_px=fringe(rng, 0.4, width / 2),
        grain_px=grains(rng, 0.3, 0.4, 0.9),
        film=rng.uniform(0, 0.7),
        film_px=rng.uniform(1.5, 3),
        inelastic=sometimes(rng, 0.5, 0, 0.5),
        narrow=bool(rng.random() < 0.5),
    )
    return groups, look


def crystals(rng: Rng, shape: Shape) -> Scene:
    """Rafts of nanocrystals of 15 to 60 px, touching or little apart, of diffraction contrast."""
    width = log_even(rng, 15, 60)
    kind = str(rng.choice(["round", "polygon", "cube", "octahedron"], p=(0.35, 0.25, 0.3, 0.1)))
    gap = rng.uniform(2, 12) if rng.random() < 0.6 else rng.uniform(-0.12 * width, 2)
    square = kind == "cube" or (kind != "round" and rng.random() < 0.2)
    places, angle = raft(rng, shape, width + gap, square=square, grains=int(rng.integers(1, 4)))
    places = places + rng.normal(0, rng.uniform(0.01, 0.05 if kind == "cube" else 0.12) * width, places.shape)
    n = len(places)
    inner = width / 2 * spread(rng, n, rng.uniform(0.02, 0.05 if kind == "cube" else 0.12))
    places = relaxed(places, inner, min(gap, 0.3 * gap), steps=3)
    kept = island(rng, places, shape, 1.0 if rng.random() < 0.4 else rng.uniform(0.3, 0.9))
    kept &= rng.random(n) > sometimes(rng, 0.5, 0.01, 0.25)
    places, inner, angle = places[kept], inner[kept], angle[kept]
    n = len(places)
    given = {
        "opacity": log_even(rng, 0.25, 1.6) * spread(rng, n, rng.uniform(0.1, 0.6)),
        "bands": np.abs(rng.normal(0, rng.uniform(0.02, 0.35), n)),
        "facets": np.where(rng.random(n) < rng.uniform(0, 0.5), rng.uniform(0, 0.3, n), 0),
        "rng": rng,
    }
    bevel = {"proportions": np.full((n, 1), rng.uniform(0.03, 0.3))}
    if kind == "round":
        group = bodies("wavy", "ball", places, inner, form=wavy(rng, n, rng.uniform(0.005, 0.06)), **given)
    elif kind == "cube":
        form = np.stack([spread(rng, n, rng.uniform(0, 0.05)), np.full(n, rng.uniform(0.05, 0.5))], axis=1)
        turned = angle + rng.normal(0, rng.uniform(0.01, 0.15), n)
        group = bodies("box", "flat", places, inner, form=form, angle=turned, **bevel, **given)
    elif kind == "octahedron":
        rise = np.full((n, 1), rng.uniform(0.2, 0.6))
        form = polygons(rng, n, 4)
        group = bodies("polygon", "pyramid", places, apothem(inner, form), form=form, proportions=rise, **given)
    else:
        form = polygons(rng, n)
        group = bodies("polygon", "flat", places, apothem(inner, form), form=form, **bevel, **given)
    look = Look(
        blur_px=rng.uniform(0.5, min(2.0, 0.06 * width + 0.4)),
        contrast_to_noise=log_even(rng, 1, 12),
        fringe_px=fringe(rng, 0.5, width / 2),
        grain_px=grains(rng, 0.4, 0.4, 1.5),
        film=rng.uniform(0, 0.7),
        film_px=rng.uniform(1.5, 4),
        inelastic=sometimes(rng, 0.5, 0, 0.4),
        narrow=bool(rng.random() < 0.2),
    )
    return [group], look
