"""Quick drawn scenes of what real micrographs show and slow simulation lacks: many bodies, overlaps, poor pictures."""

from collections.abc import Callable

import numpy as np

from antema.simulation.bodies import drawn_together
from antema.simulation.exposures import exposed
from antema.simulation.field import SimulatedField, field_contrast_to_noise
from antema.simulation.scene_draws import Rng, Scene, Shape
from antema.simulation.scene_layers import crystals, monolayer
from antema.simulation.scene_lumps import aggregates, oxides, spheres
from antema.simulation.scene_poor import faint, junk, litter, noisy
from antema.simulation.scene_shapes import shapes

LEAST_SIGNAL = 4.0
"""Contrast of a whole particle by the noise of as many pixels, below which nothing of it is seen: A. Rose asks for 5
(J. Opt. Soc. Am. 38 (1948) 196)."""


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
        absorbed = absorbed + litter(rng, absorbed.shape)
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
