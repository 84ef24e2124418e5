"""Poor pictures: noisy series, faint particles, and what is no particle."""

import numpy as np
from numpy.typing import NDArray

from antema.simulation.bodies import bodies
from antema.simulation.exposures import Look
from antema.simulation.fourier import long_waves
from antema.simulation.packings import relaxed
from antema.simulation.scene_draws import Rng, Scene, Shape, grains, log_even, sometimes, spread, wavy


def noisy(rng: Rng, shape: Shape) -> Scene:
    """Frames of noisy series: particles of 40 to 100 px in much correlated noise, with a bright fringe."""
    width = log_even(rng, 40, min(100, 0.25 * min(shape)))
    n = max(int(rng.uniform(0.06, 0.4) * shape[0] * shape[1] / (0.785 * width**2)), 3)
    inner = width / 2 * spread(rng, n, rng.uniform(0.03, 0.35))
    places = rng.uniform(0, 1, (n, 2)) * (shape[1], shape[0])
    places = relaxed(places, inner * rng.uniform(0.9, 1.0), float(rng.choice([0.0, rng.uniform(0, 10)])), steps=12)
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=wavy(rng, n, rng.uniform(0.005, 0.08)),
        opacity=log_even(rng, 0.15, 0.9) * inner / width * 2 * spread(rng, n, rng.uniform(0.05, 0.35)),
        bands=np.abs(rng.normal(0, sometimes(rng, 0.6, 0.02, 0.3), n)),
        facets=np.where(rng.random(n) < sometimes(rng, 0.4, 0.1, 0.5), rng.uniform(0, 0.3, n), 0),
    )
    grain = grains(rng, 0.85, 0.5, 3)
    look = Look(
        blur_px=rng.uniform(0.8, 3.0),
        contrast_to_noise=log_even(rng, 0.45 + 0.25 * sum(grain), 3.0),
        fringe_px=sometimes(rng, 0.8, 2, 6),
        phase=rng.uniform(0.5, 2.0),
        grain_px=grain,
        film=rng.uniform(0, 0.6),
        film_px=rng.uniform(2, 6),
        inelastic=sometimes(rng, 0.5, 0, 0.3),
    )
    return [group], look


def faint(rng: Rng, shape: Shape) -> Scene:
    """Small faint particles of 20 to 45 px whose rims drown in the ground, of very different contrast."""
    width = log_even(rng, 18, 45)
    n = int(np.clip(rng.uniform(0.05, 0.4) * shape[0] * shape[1] / (0.785 * width**2), 3, 400))
    inner = width / 2 * np.clip(spread(rng, n, rng.uniform(0.08, 0.3)), 0.4, 2)
    places = rng.uniform(-0.03, 1.03, (n, 2)) * (shape[1], shape[0])
    places = relaxed(places, inner * rng.uniform(0.85, 1.05), rng.uniform(0, 3), steps=int(rng.integers(2, 12)))
    opacity = log_even(rng, 0.05, 0.3) * inner / width * 2 * spread(rng, n, rng.uniform(0.1, 0.6))
    group = bodies(
        "wavy",
        "ball",
        places,
        inner,
        rng=rng,
        form=wavy(rng, n, rng.uniform(0.01, 0.1)),
        opacity=opacity,
        bands=np.abs(rng.normal(0, rng.uniform(0.05, 0.4), n)),
    )
    grain = grains(rng, 0.9, 0.7, 2.8)
    look = Look(
        blur_px=rng.uniform(1.2, 0.08 * width + 0.6),
        contrast_to_noise=log_even(rng, 0.6 + 0.25 * sum(grain), 2.8),
        fringe_px=sometimes(rng, 0.5, 1, 5),
        phase=rng.uniform(0.5, 2.0),
        grain_px=grain,
        film=rng.uniform(0.1, 0.7),
        film_px=rng.uniform(2, 8),
        inelastic=sometimes(rng, 0.3, 0, 0.3),
        narrow=bool(rng.random() < 0.1),
    )
    return [group], look


def junk(rng: Rng, shape: Shape) -> Scene:
    """Films, folds, holes, dirt and letters, and no or few particles."""
    n = int(rng.choice([0, int(rng.integers(1, 8))]))
    places = rng.uniform(0, 1, (n, 2)) * (shape[1], shape[0])
    inner = log_even(rng, 8, 40) / 2 * spread(rng, n, 0.15)
    form = wavy(rng, n, 0.03)
    group = bodies("wavy", "ball", places, inner, rng=rng, form=form, opacity=log_even(rng, 0.5, 2.5))
    look = Look(
        blur_px=rng.uniform(0.5, 2.0),
        contrast_to_noise=log_even(rng, 1, 20),
        fringe_px=sometimes(rng, 0.6, 1, 5),
        grain_px=grains(rng, 0.4, 0.4, 2),
        film=rng.uniform(0.1, 0.9),
        film_px=rng.uniform(1.5, 8),
        inelastic=sometimes(rng, 0.4, 0, 0.3),
        narrow=bool(rng.random() < 0.15),
        annotated=0.7,
    )
    return [group], look


def litter(rng: Rng, shape: Shape) -> NDArray[np.float32]:
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
