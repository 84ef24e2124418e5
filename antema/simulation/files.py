"""Simulated micrographs on disk: a micrograph set with its truth, and the demonstration samples."""

import json
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.simulation.camera import Camera
from antema.simulation.field import SimulatedField
from antema.simulation.micrographs import micrograph_field
from antema.simulation.optics import Optics
from antema.simulation.variety import faint_field, varied_field


def write_field(field: SimulatedField, directory: Path, name: str) -> Path:
    """Write a field as ``images/NAME.tif``, ``instances/NAME.tif`` and ``NAME.json``; return the image's path.

    The image carries its pixel size as ImageJ writes it. Each instance lies whole on one page of its uint16 file,
    numbered from 1 in the order of the truth; further pages hold those that overlap.
    """
    import tifffile

    directory = Path(directory)
    for folder in ("images", "instances"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    path = directory / "images" / f"{name}.tif"
    _write_image(field, path)
    pages = instance_pages(field.instances, (field.pixels.shape[0], field.pixels.shape[1]))
    tifffile.imwrite(
        directory / "instances" / f"{name}.tif", pages, photometric="minisblack", compression="zlib", metadata=None
    )
    truth = {"pixel_size_nm": field.pixel_size_nm, "particles": field.particles, "conditions": field.conditions}
    (directory / f"{name}.json").write_text(json.dumps(truth, indent=1), "utf-8")
    return path


def _write_image(field: SimulatedField, path: Path) -> None:
    import tifffile

    if field.pixel_size_nm is None:
        tifffile.imwrite(path, field.pixels, photometric="minisblack", metadata=None)
        return
    per_nm = 1 / field.pixel_size_nm
    tifffile.imwrite(path, field.pixels, imagej=True, resolution=(per_nm, per_nm), metadata={"unit": "nm"})


def instance_pages(instances: Iterable[Instance], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Return uint16 pages (n, h, w) with the k-th instance as value k on exactly one page, 0 elsewhere."""
    pages = [np.zeros(shape, np.uint16)]
    for number, instance in enumerate(instances, start=1):
        window = (slice(instance.y, instance.y + instance.h), slice(instance.x, instance.x + instance.w))
        free = next((page for page in pages if not page[window][instance.mask].any()), None)
        if free is None:
            free = np.zeros(shape, np.uint16)
            pages.append(free)
        free[window][instance.mask] = number
    return np.stack(pages)


def simulate_micrographs(
    out: Path,
    *,
    count: int,
    seed: int = 0,
    shape: tuple[int, int] = (512, 512),
    atomic_share: float = 0.5,
    faint: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write `count` micrographs of all kinds with their instance maps into `out`; return the images' paths.

    Parameters
    ----------
    out : Path
        Folder; it gets ``images/``, ``instances/`` and one JSON of truth each.
    count : int
        How many.
    seed : int
        The k-th field has the seed `seed` + k.
    shape : tuple of int
        Height and width in pixels.
    atomic_share : float
        Share of fields made of atoms; the rest are larger solids.
    faint : bool
        Whether all are of small particles of low contrast instead (`antema.simulation.faint_field`).
    progress : callable or None
        Called with (done, all) after each.
    """
    paths = []
    for k in range(count):
        number = seed + k
        field = (
            faint_field(number, shape=shape) if faint else varied_field(number, shape=shape, atomic_share=atomic_share)
        )
        paths.append(write_field(field, Path(out), f"field_{seed + k:06d}"))
        if progress:
            progress(k + 1, count)
    return paths


_DEMO: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {
            "name": "Demo: gold, about 2 nm",
            "material": "Au",
            "batch": "simulated-2nm",
            "notes": "Simulated micrographs: true mean diameter 2.0 nm, standard deviation 0.3 nm.",
        },
        {"mean_diameter_nm": 2.0, "sd_nm": 0.3, "pixel_size_nm": 0.06, "n": 165},
    ),
    (
        {
            "name": "Demo: gold, about 4 nm",
            "material": "Au",
            "batch": "simulated-4nm",
            "notes": "Simulated micrographs: true mean diameter 4.0 nm, standard deviation 0.5 nm.",
        },
        {"mean_diameter_nm": 4.0, "sd_nm": 0.5, "pixel_size_nm": 0.1, "n": 125},
    ),
)

_DEMO_IMAGES = 6


def demo_files() -> list[tuple[dict[str, Any], list[str]]]:
    """Return what the demo consists of: per batch what `write_demo` says of the sample, and its images' names."""
    return [(dict(sample), [f"{sample['batch']}_{k + 1:02d}.tif" for k in range(_DEMO_IMAGES)]) for sample, _ in _DEMO]


def write_demo(
    directory: Path,
    seed: int = 2023,
    *,
    but: Container[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[dict[str, Any], list[Path]]]:
    """Write two simulated batches of gold particles of six calibrated micrographs each.

    Parameters
    ----------
    directory : Path
        Where the batches' folders are made.
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
        folder = Path(directory) / sample["batch"]
        paths = []
        for k, name in enumerate(names):
            if name in but:
                continue
            number = seed * 100 + batch * 10 + k
            rng = np.random.default_rng((number, 7))
            field = micrograph_field(
                number,
                overlaps=0.06,
                optics=Optics(defocus_nm=rng.uniform(35, 75)),
                camera=Camera(dose_e_px=rng.uniform(250, 500)),
                carbon_nm=rng.uniform(3, 5),
                absorption=0.2,
                **_DEMO[batch][1],
            )
            paths.append(write_field(field, folder, Path(name).stem))
            done += 1
            if progress:
                progress(done, total)
        result.append((sample, paths))
    return result
