"""Micrographs of every kind, one per seed: what a network is taught and tried on."""

import numpy as np

from antema.simulation.camera import Camera
from antema.simulation.drawn import drawn_field
from antema.simulation.materials import METALS
from antema.simulation.field import SimulatedField, contrast_to_noise
from antema.simulation.figures import annotated, as_printed
from antema.simulation.micrographs import micrograph_field
from antema.simulation.optics import Optics


def varied_field(seed: int, *, shape: tuple[int, int] = (512, 512), atomic_share: float = 0.5) -> SimulatedField:
    """Return the micrograph of `seed`: metal particles atom by atom, or solids of any kind.

    Parameters
    ----------
    seed : int
        The same seed gives the same field.
    shape : tuple of int
        Height and width in pixels.
    atomic_share : float
        Probability of the first kind.
    """
    rng = np.random.default_rng((seed, 1))
    if rng.random() >= atomic_share:
        return drawn_field(seed, shape=shape)
    diameter_nm = float(np.clip(np.exp(rng.normal(np.log(2.8), 0.5)), 1.0, 10.0))
    width_px = float(np.exp(rng.uniform(np.log(14), np.log(110))))
    pixel_size_nm = float(np.clip(diameter_nm / width_px, 0.02, 0.25))
    width_px = diameter_nm / pixel_size_nm
    room = shape[0] * shape[1] / width_px**2
    n = int(np.clip(1.6 * room * np.exp(rng.uniform(np.log(0.05), np.log(0.5))), 3, 250))
    least_dose = max(5.0, 700.0 / width_px)  # below, nobody could see the smaller particles
    dose_e_px = float(np.exp(rng.uniform(np.log(least_dose), np.log(4000))))
    corrected = rng.random() < 0.3
    signal_mtf_px = rng.uniform(0.2, 1.2)
    field = micrograph_field(
        seed,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        element=str(rng.choice(list(METALS), p=(0.5, 0.15, 0.15, 0.1, 0.1))),
        mean_diameter_nm=diameter_nm,
        sd_nm=diameter_nm * rng.uniform(0.03, 0.35),
        n=n,
        overlaps=rng.choice([0.0, rng.uniform(0, 0.2), rng.uniform(0.2, 0.8)]),
        optics=Optics(
            voltage_kv=float(rng.choice([80, 120, 200, 300])),
            defocus_nm=rng.uniform(-40, 130),
            cs_mm=0.005 if corrected else rng.uniform(0.5, 1.5),
            focal_spread_nm=rng.uniform(2, 8),
            convergence_mrad=rng.uniform(0.05, 0.5),
        ),
        camera=Camera(
            dose_e_px=dose_e_px,
            signal_mtf_px=signal_mtf_px,
            noise_mtf_px=signal_mtf_px * rng.uniform(0.3, 0.9),
            gain=float(np.clip(20000 / dose_e_px, 1, 200)),
        ),
        carbon_nm=rng.uniform(0.5, 10),
        absorption=float(np.exp(rng.uniform(np.log(0.06), np.log(0.5)))),
        shading=rng.uniform(0, 0.08),
        amorphous_share=rng.uniform(0, 0.3),
        rod_share=0.5 if rng.random() < 0.1 else 0.0,
        blur_px=2.0 if rng.random() < 0.25 else 0.0,
    )
    if rng.random() >= 0.3:
        return field
    grey = as_printed(rng, field.pixels.astype(np.float32))
    if rng.random() < 0.7:
        grey = annotated(rng, grey)
    conditions = field.conditions | {"contrast_to_noise": contrast_to_noise(grey, field.particle_mask())}
    return SimulatedField(grey, field.pixel_size_nm, field.instances, field.particles, conditions)


def faint_field(seed: int, *, shape: tuple[int, int] = (512, 512)) -> SimulatedField:
    """Return the micrograph of `seed` with small particles that hardly absorb, on a thicker film and at a low dose.

    So are many micrographs of particles of about 2 nm: a contrast-to-noise of 0.2 to 2 a pixel.

    Parameters
    ----------
    seed : int
        The same seed gives the same field.
    shape : tuple of int
        Height and width in pixels.
    """
    rng = np.random.default_rng((seed, 2))
    diameter_nm = float(np.clip(np.exp(rng.normal(np.log(2.2), 0.35)), 1.0, 5.0))
    width_px = float(np.exp(rng.uniform(np.log(20), np.log(70))))
    pixel_size_nm = diameter_nm / width_px
    n = int(np.clip(1.6 * shape[0] * shape[1] / width_px**2 * rng.uniform(0.1, 0.45), 3, 250))
    dose_e_px = float(np.exp(rng.uniform(np.log(300 / width_px), np.log(6000 / width_px))))
    signal_mtf_px = rng.uniform(0.3, 1.2)
    return micrograph_field(
        seed,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        element=str(rng.choice(["Au", "Pt", "Ag"], p=(0.6, 0.2, 0.2))),
        mean_diameter_nm=diameter_nm,
        sd_nm=diameter_nm * rng.uniform(0.1, 0.4),
        n=n,
        overlaps=rng.uniform(0, 0.25),
        optics=Optics(
            voltage_kv=float(rng.choice([200, 300])),
            defocus_nm=rng.uniform(20, 120),
            cs_mm=float(rng.choice([0.005, 1.2])),
            focal_spread_nm=rng.uniform(2, 6),
            convergence_mrad=rng.uniform(0.05, 0.4),
        ),
        camera=Camera(
            dose_e_px=dose_e_px,
            signal_mtf_px=signal_mtf_px,
            noise_mtf_px=signal_mtf_px * rng.uniform(0.3, 0.9),
            gain=float(np.clip(20000 / dose_e_px, 1, 200)),
        ),
        carbon_nm=rng.uniform(3, 12),
        absorption=float(np.exp(rng.uniform(np.log(0.02), np.log(0.1)))),
        shading=rng.uniform(0, 0.02),
        amorphous_share=rng.uniform(0, 0.3),
        blur_px=2.0 if rng.random() < 0.5 else 0.0,
    )
