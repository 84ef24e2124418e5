"""The demonstration samples: two batches of gold whose sizes and crystallinity are known."""

from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import AMORPHOUS, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.simulation.camera import Camera
from antema.simulation.field import SimulatedField
from antema.simulation.files import write_field
from antema.simulation.optics import Optics
from antema.simulation.resolved import Batch, resolved_field
from antema.simulation.supports import Support

SHAPE = (1024, 1024)
_IMAGES = 4
_NOTES = (
    "Simulated micrographs. In truth {diameter} nm on average and {amorphous:.0%} amorphous, "
    "{monocrystalline:.0%} monocrystalline, {polycrystalline:.0%} polycrystalline, give or take what chance does."
)
_DEMO: tuple[tuple[str, float, Batch], ...] = (
    (
        "2",
        0.045,
        Batch(
            diameter_nm=1.92,
            spread=0.15,
            classes={AMORPHOUS: 0.3, MONOCRYSTALLINE: 0.45, POLYCRYSTALLINE: 0.25},
            shapes={"sphere": 3, "ellipsoid": 2, "truncated octahedron": 1},
            cover=0.08,
        ),
    ),
    (
        "4",
        0.05,
        Batch(
            diameter_nm=3.85,
            spread=0.12,
            classes={AMORPHOUS: 0.05, MONOCRYSTALLINE: 0.35, POLYCRYSTALLINE: 0.6},
            shapes={"sphere": 2, "ellipsoid": 2, "truncated octahedron": 2, "cuboctahedron": 1, "cube": 1},
            cover=0.14,
        ),
    ),
)
"""Of each batch its mean diameter in nm, the edge of a pixel and the particles. `Batch.diameter_nm` is that of the body
which holds the atoms' centres; their outlines are wider."""


def demo_files() -> list[tuple[dict[str, Any], list[str]]]:
    """Return what the demo consists of: per batch what `write_demo` says of the sample, and its images' names."""
    found = []
    for diameter, _, batch in _DEMO:
        sample = {
            "name": f"Demo: gold, about {diameter} nm",
            "material": batch.material,
            "batch": f"simulated-{diameter}nm",
            "notes": _NOTES.format(diameter=diameter, **batch.classes),
        }
        found.append((sample, [f"{sample['batch']}_{k + 1:02d}.tif" for k in range(_IMAGES)]))
    return found


def demo_field(seed: int, batch: int, *, shape: tuple[int, int] = SHAPE) -> SimulatedField:
    """Return a micrograph of a batch (0 or 1): 300 kV, an uncorrected lens a little under focus, thin carbon."""
    rng = np.random.default_rng((seed, 7))
    _, pixel_size_nm, particles = _DEMO[batch]
    dose_e_px = rng.uniform(2e5, 4e5) * pixel_size_nm**2
    return resolved_field(
        seed,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        batch=particles,
        support=Support(thickness_nm=rng.uniform(2, 3.5), gradient=0.15, roughness=0.05),
        optics=Optics(
            voltage_kv=300.0,
            cs_mm=1.2,
            defocus_nm=rng.uniform(45, 70),
            astigmatism_nm=rng.uniform(0, 4),
            astigmatism_angle_rad=rng.uniform(0, np.pi),
            focal_spread_nm=3.5,
        ),
        camera=Camera(dose_e_px=dose_e_px, signal_mtf_px=0.5, noise_mtf_px=0.3, shading=0.02, gain=12_000 / dose_e_px),
    )


def write_demo(
    directory: Path,
    seed: int = 2023,
    *,
    but: Container[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[dict[str, Any], list[Path]]]:
    """Write two simulated batches of gold particles, calibrated micrographs with their truth.

    Parameters
    ----------
    directory : Path
        Where the batches' folders are made; each is laid out as `antema.simulation.write_field` does.
    seed : int
        The same seed gives the same pixels.
    but : container of str
        Names of images that are not needed.
    progress : callable or None
        Called with (done, all) after each micrograph.

    Returns
    -------
    list of (dict, list of Path)
        Per batch the sample's ``name``, ``material``, ``batch`` and ``notes``, and its images.
    """
    result = []
    total = sum(name not in but for _, names in demo_files() for name in names)
    done = 0
    for batch, (sample, names) in enumerate(demo_files()):
        paths = []
        for k, name in enumerate(names):
            if name in but:
                continue
            field = demo_field(seed * 100 + batch * 10 + k, batch)
            paths.append(write_field(field, Path(directory) / sample["batch"], Path(name).stem))
            done += 1
            if progress:
                progress(done, total)
        result.append((sample, paths))
    return result
