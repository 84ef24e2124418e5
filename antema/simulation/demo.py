"""The demonstration samples: two batches of gold whose sizes and crystallinity are known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from antema.domain import AMORPHOUS, MONOCRYSTALLINE, POLYCRYSTALLINE
from antema.simulation.camera import Camera
from antema.simulation.field import SimulatedField
from antema.simulation.files import truth_of
from antema.simulation.optics import Optics
from antema.simulation.resolved import Batch, resolved_field
from antema.simulation.supports import Support

DEMO_SEED = 2023
SHAPE = (1024, 1024)
_IMAGES = 4
_GAIN = 12_000.0
_NOTES = (
    "Simulated micrographs. In truth {diameter} nm on average as far as atoms reach and {seen} nm at half of the "
    "particles' contrast, where they are outlined; {amorphous:.0%} amorphous, {monocrystalline:.0%} monocrystalline, "
    "{polycrystalline:.0%} polycrystalline, give or take what chance does."
)
_DEMO: tuple[tuple[str, str, float, Batch], ...] = (
    (
        "2",
        "1.9",
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
        "3.7",
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
"""Of each batch its mean diameters in nm as far as atoms reach and at half contrast, the edge of a pixel and the
particles. `Batch.diameter_nm` is that of the body which holds the atoms' centres; their outlines are wider."""


def demo_samples() -> list[dict[str, Any]]:
    """Return what the demo consists of: of each sample what is written on it, its images' names and pixel size."""
    return [
        {
            "name": f"Demo: gold, about {diameter} nm",
            "material": batch.material,
            "batch": f"simulated-{diameter}nm",
            "notes": _NOTES.format(diameter=diameter, seen=seen, **batch.classes),
            "pixel_size_nm": pixel_size_nm,
            "images": [f"simulated-{diameter}nm_{number:02d}.png" for number in range(1, _IMAGES + 1)],
        }
        for diameter, seen, pixel_size_nm, batch in _DEMO
    ]


def demo_field(seed: int, batch: int, *, shape: tuple[int, int] = SHAPE) -> SimulatedField:
    """Return a micrograph of a batch (0 or 1): 300 kV, an uncorrected lens a little under focus, thin carbon."""
    rng = np.random.default_rng((seed, 7))
    *_, pixel_size_nm, particles = _DEMO[batch]
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
        camera=Camera(dose_e_px=dose_e_px, signal_mtf_px=0.5, noise_mtf_px=0.3, shading=0.02, gain=_GAIN / dose_e_px),
    )


def write_demo(
    directory: Path, seed: int = DEMO_SEED, *, progress: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Write two simulated batches of gold particles: ``NAME.png``, 8-bit, each with its truth, ``NAME.json``.

    What `demo_samples` says goes into ``demo.json``. The grey values are proportional to the electrons, half of 255
    where the beam meets nothing.

    Parameters
    ----------
    directory : Path
        Where to.
    seed : int
        The same seed gives the same pixels.
    progress : callable or None
        Called with (done, all) after each micrograph.

    Returns
    -------
    list of Path
        The images.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "demo.json").write_text(json.dumps(demo_samples(), indent=1) + "\n", "utf-8")
    todo = [(k, n, name) for k, sample in enumerate(demo_samples()) for n, name in enumerate(sample["images"])]
    for done, (batch, number, name) in enumerate(todo, start=1):
        field = demo_field(seed * 100 + batch * 10 + number, batch)
        Image.fromarray(_bytes(field.pixels)).save(directory / name, optimize=True)
        (directory / name).with_suffix(".json").write_text(json.dumps(truth_of(field), separators=(",", ":")), "utf-8")
        if progress:
            progress(done, len(todo))
    return [directory / name for _, _, name in todo]


def _bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    return np.clip(np.rint(pixels * (127.5 / _GAIN)), 0, 255).astype(np.uint8)
