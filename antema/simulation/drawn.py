"""Micrographs of larger particles, drawn as solids: absorption, diffraction contrast, Fresnel fringes, noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.simulation.atoms import tight
from antema.simulation.edges import both_shown, half_contrast
from antema.simulation.field import SimulatedField, field_contrast_to_noise, particle_contrast_to_noise
from antema.simulation.figures import annotated, as_printed, uneven_ground
from antema.simulation.fourier import gaussian, long_waves
from antema.simulation.solids import OUTLINES, PROFILES, signed_distance, thickness

Image = NDArray[np.float32]


def drawn_field(seed: int, *, shape: tuple[int, int] = (512, 512), width_px: float | None = None) -> SimulatedField:
    """Return a micrograph of solids of one kind, with everything else drawn at random.

    Parameters
    ----------
    seed : int
        The same seed gives the same field.
    shape : tuple of int
        Height and width in pixels.
    width_px : float or None
        Typical diameter of a particle; None: any from 10 px to most of the image.
    """
    rng = np.random.default_rng(seed)
    side = min(shape)
    if width_px is None:
        width_px = float(np.exp(rng.uniform(np.log(10), np.log(0.45 * side))))
    outline = str(rng.choice(OUTLINES, p=(0.3, 0.12, 0.16, 0.22, 0.14, 0.06)))
    profile = str(rng.choice(PROFILES, p=(0.38, 0.3, 0.12, 0.1, 0.1)))
    margin = int(width_px)
    full = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    room = full[0] * full[1] / width_px**2
    n = int(np.clip(room * np.exp(rng.uniform(np.log(0.08), np.log(1.0))), 2, 500))
    widths = width_px * np.exp(rng.normal(0, rng.uniform(0.02, 0.3), n))
    centres = _placed(rng, widths, full)

    opacity = rng.uniform(0.15, 2.5) if rng.random() < 0.75 else rng.uniform(0.05, 0.3)
    spread, texture = rng.uniform(0, 0.5), rng.choice([0.0, rng.uniform(0.02, 0.4)])
    fringe, reach_px = rng.uniform(0, 0.25) * (rng.random() < 0.6), rng.uniform(0.8, 3.5)
    absorbed = np.zeros(full, np.float32)
    rim = np.zeros(full, np.float32)
    drawn: list[_Solid] = []
    for width, centre in zip(widths, centres, strict=True):
        if centre is None:
            continue
        radius = width / 2
        box = int(radius * 2.7 + 8)
        x0, y0 = int(centre[0]) - box, int(centre[1]) - box
        top, left = max(y0, 0), max(x0, 0)
        bottom, right = min(y0 + 2 * box, full[0]), min(x0 + 2 * box, full[1])
        if bottom <= top or right <= left:
            continue
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
        distance = signed_distance(outline, x + 0.5 - centre[0], y + 0.5 - centre[1], radius, rng)
        depth, wall_px = thickness(profile, distance - 0.5, radius, rng)
        plain = np.maximum(depth, 0)
        if texture and depth.size > 64:
            depth *= 1 + texture * long_waves(rng, depth.shape, waves=rng.uniform(2, 25))
        own_opacity = opacity * np.exp(rng.normal(0, spread))
        absorbed[top:bottom, left:right] += own_opacity * np.maximum(depth, 0)
        rim[top:bottom, left:right] += np.exp(-(((distance - reach_px) / reach_px) ** 2)) * (distance > 0)
        drawn.append(_Solid(left, top, distance < 0, 1 - np.exp(-own_opacity * plain), wall_px, float(width)))

    inner = (slice(margin, margin + shape[0]), slice(margin, margin + shape[1]))
    intensity = uneven_ground(rng, shape) * np.exp(-absorbed[inner])
    intensity *= 1 + fringe * np.minimum(rim[inner], 1)
    blur_px = rng.uniform(0.3, 1.4)
    intensity = gaussian(intensity, blur_px) + rng.uniform(0, 0.25)  # inelastic ground
    instances, atoms, particles = [], [], []
    for one in drawn:
        shown = both_shown(*one.outlines(blur_px), (margin, margin), shape)
        if shown is not None:
            atoms.append(shown[0])
            instances.append(shown[1])
            particles.append({"width_px": one.width_px, "outline": outline, "profile": profile})
    # noise that leaves something to be seen: more of it can be borne on a larger particle
    contrast = 1 - np.exp(-opacity)
    intensity *= 1 + _grain(rng, shape, most=contrast * min(1.5, 0.04 * width_px))
    pixels: NDArray[np.generic]
    if rng.random() < 0.65:
        pixels = as_printed(rng, intensity)
        if rng.random() < 0.7:
            pixels = annotated(rng, np.asarray(pixels, np.uint8))
    else:
        pixels = np.clip(np.rint(intensity * rng.uniform(800, 12000)), 0, 65535).astype(np.uint16)
    conditions: dict[str, Any] = {
        "seed": seed,
        "width_px": width_px,
        "contrast_to_noise": field_contrast_to_noise(particle_contrast_to_noise(pixels, instances, atoms)),
    }
    return SimulatedField(pixels, None, instances, particles, conditions, atoms)


@dataclass(frozen=True, eq=False)
class _Solid:
    """One solid: a window at (x, y), where its matter is, its contrast without texture, its wall, its width."""

    x: int
    y: int
    matter: NDArray[np.bool_]
    contrast: Image
    wall_px: float | None
    width_px: float

    def outlines(self, blur_px: float) -> tuple[Instance, Instance]:
        """Return where its matter ends and where half of its contrast does in an image blurred so much."""
        edge = half_contrast(gaussian(self.contrast, blur_px), self.matter, rim_px=self.wall_px)
        return Instance(*tight(self.x, self.y, self.matter)), Instance(*tight(self.x, self.y, edge))


def placed(
    rng: np.random.Generator,
    widths_px: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    overlaps: float,
    tries: int = 40,
) -> list[tuple[float, float] | None]:
    """Return a centre (x, y) in pixels for each circle of these widths, None where it found no room.

    Circles keep apart, but for a share `overlaps` of them which lie partly over another one.
    """
    result: list[tuple[float, float] | None] = []
    centres = np.empty((0, 2))
    radii = np.empty(0)
    for width in widths_px:
        found = None
        if len(centres) and rng.random() < overlaps:
            other = int(rng.integers(len(centres)))
            angle = rng.uniform(0, 2 * np.pi)
            apart = (radii[other] + width / 2) * rng.uniform(0.55, 1.02)
            found = centres[other] + apart * np.array([np.cos(angle), np.sin(angle)])
        else:
            for _ in range(tries):
                candidate = rng.uniform(0, 1, 2) * (shape[1], shape[0])
                if not len(centres) or (np.hypot(*(centres - candidate).T) > (radii + width / 2) * 1.08).all():
                    found = candidate
                    break
        if found is None:
            result.append(None)
            continue
        centres, radii = np.vstack([centres, found]), np.append(radii, width / 2)
        result.append((float(found[0]), float(found[1])))
    return result


def _placed(
    rng: np.random.Generator, widths: NDArray[np.float64], shape: tuple[int, int]
) -> list[tuple[float, float] | None]:
    kind = rng.random()
    if kind < 0.55:
        return placed(rng, widths, shape, overlaps=float(rng.choice([0.0, rng.uniform(0, 0.3)])))
    if kind < 0.85:  # aggregates: nearly all touch or overlap another
        return placed(rng, widths, shape, overlaps=float(rng.uniform(0.6, 0.97)))
    # a dense raft
    pitch = float(np.mean(widths)) * rng.uniform(0.98, 1.25)
    rows, columns = np.mgrid[0 : shape[0] : pitch * 0.87, 0 : shape[1] : pitch]
    x = columns + pitch / 2 * (np.arange(len(columns))[:, None] % 2)
    points = np.stack([x.ravel(), rows.ravel()], axis=1) + rng.normal(0, 0.05 * pitch, (x.size, 2))
    centre = rng.uniform(0, 1, 2) * (shape[1], shape[0])
    nearest = points[np.argsort(np.hypot(*(points - centre).T))][: len(widths)]
    found: list[tuple[float, float] | None] = [(float(px), float(py)) for px, py in nearest]
    return found + [None] * (len(widths) - len(found))


def _grain(rng: np.random.Generator, shape: tuple[int, int], *, most: float) -> Image:
    strength = min(float(np.exp(rng.uniform(np.log(0.004), np.log(0.3)))), most)
    white = rng.standard_normal(shape, dtype=np.float32)
    sigma = float(rng.choice([0.0, rng.uniform(0.4, 2.0)]))
    noise = gaussian(white, sigma)
    return strength * noise / noise.std()
