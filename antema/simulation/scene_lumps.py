"""Particles in lumps: clusters of spheres, translucent aggregates, agglomerates of oxides."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import bodies
from antema.simulation.exposures import Look
from antema.simulation.packings import grown, heaped, within
from antema.simulation.scene_draws import Rng, Scene, Shape, fringe, grains, log_even, polygons, sometimes, spread, wavy


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
        n = int(min(log_even(rng, *sizes), most))
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
    width = log_even(rng, 20, min(120, 0.3 * min(shape)))
    sigma, ratio = rng.uniform(0.02, 0.15), rng.uniform(0.25, 0.5)
    minor = sometimes(rng, 0.35, 0.3, 0.9)

    def widths(n: int) -> NDArray[np.float64]:
        return width * spread(rng, n, sigma) * np.where(rng.random(n) < minor, max(ratio, 10 / width), 1)

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
    opacity = log_even(rng, 0.5, 4) * np.minimum(inner / width * 2, 1.5) * spread(rng, n, rng.uniform(0, 0.25))
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=wavy(rng, n, rng.uniform(0, 0.03)),
        opacity=opacity,
        bands=np.abs(rng.normal(0, sometimes(rng, 0.5, 0.02, 0.3), n)),
        facets=np.where(rng.random(n) < sometimes(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.3, n), 0),
    )
    look = Look(
        blur_px=rng.uniform(0.6, min(3.0, 0.05 * width + 0.6)),
        contrast_to_noise=log_even(rng, 2, 30),
        fringe_px=fringe(rng, 0.6, width / 2),
        phase=rng.uniform(0.2, 1.0),
        grain_px=grains(rng, 0.5, 0.4, 2),
        film=rng.uniform(0.1, 0.9),
        film_px=rng.uniform(1.5, 6),
        inelastic=sometimes(rng, 0.6, 0, 0.3),
        narrow=bool(rng.random() < 0.08),
    )
    return [group], look


def aggregates(rng: Rng, shape: Shape) -> Scene:
    """Translucent aggregates as of soot: primary particles of 15 to 90 px, sintered, several above each other."""
    width = log_even(rng, 15, min(90, 0.2 * min(shape)))
    sigma = float(np.log(rng.uniform(1.0, 1.4)))
    contact, flat = rng.uniform(0.72, 1.0), rng.uniform(0.5, 1.0)
    places, inner = _lumps(
        rng,
        shape,
        lambda n: width * spread(rng, n, sigma),
        (15, 150),
        rng.uniform(0.25, 0.8),
        most=220,
        chains=0.85,
        contact=contact,
        flat=flat,
    )
    n = len(places)
    opacity = log_even(rng, 0.12, 0.6) * inner / width * 2
    profile = "flat" if rng.random() < 0.5 else "ball"
    group = bodies(
        "wavy",
        profile,
        places,
        inner,
        rng=rng,
        form=wavy(rng, n, rng.uniform(0.01, 0.06)),
        opacity=opacity,
        proportions=np.full((n, 1), rng.uniform(0.1, 0.6)),
        bands=np.abs(rng.normal(0, sometimes(rng, 0.4, 0.02, 0.1), n)),
    )
    look = Look(
        blur_px=rng.uniform(0.6, 2.0),
        contrast_to_noise=log_even(rng, 1.2, 10),
        fringe_px=fringe(rng, 0.85, width / 2),
        phase=rng.uniform(0.6, 2.5),
        grain_px=grains(rng, 0.5, 0.4, 1.2),
        film=rng.uniform(0.2, 0.9),
        film_px=rng.uniform(1.5, 4),
        inelastic=sometimes(rng, 0.5, 0, 0.3),
        narrow=bool(rng.random() < 0.08),
    )
    return [group], look


def oxides(rng: Rng, shape: Shape) -> Scene:
    """Agglomerates of rounded and faceted particles of many sizes, of high contrast."""
    width, sigma = log_even(rng, 12, min(60, 0.2 * min(shape))), rng.uniform(0.15, 0.5)

    def widths(n: int) -> NDArray[np.float64]:
        return np.clip(width * spread(rng, n, sigma), 6, 3 * width)

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
        log_even(rng, 0.6, 2.5) * spread(rng, n, rng.uniform(0.05, 0.4)) * (inner / inner.mean()) ** 0.5 if n else 1.0
    )
    given = {
        "opacity": opacity,
        "bands": np.abs(rng.normal(0, rng.uniform(0.02, 0.25), n)),
        "facets": np.where(rng.random(n) < 0.3, rng.uniform(0, 0.3, n), 0),
    }
    angles, bevel = polygons(rng, n), np.full((n, 1), rng.uniform(0.1, 0.6))
    round_ones = bodies("wavy", "ball", places, inner, rng=rng, form=wavy(rng, n, rng.uniform(0.01, 0.07)), **given)
    angular = bodies("polygon", "flat", places, inner * 0.93, rng=rng, form=angles, proportions=bevel, **given)
    look = Look(
        blur_px=rng.uniform(0.5, 1.4),
        contrast_to_noise=log_even(rng, 3, 30),
        fringe_px=fringe(rng, 0.35, width / 2),
        grain_px=grains(rng, 0.3, 0.4, 1.0),
        film=rng.uniform(0, 0.8),
        film_px=rng.uniform(1.5, 4),
        inelastic=sometimes(rng, 0.4, 0, 0.2),
    )
    return [round_ones.some(~faceted), angular.some(faceted)], look
