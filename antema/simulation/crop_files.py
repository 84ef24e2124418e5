"""Crop sets on disk: ``crops/NAME.tif``, ``masks/NAME.png`` and ``labels.csv``."""

import csv
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from antema.simulation.crop_sets import SETS
from antema.simulation.crops import Crop
from antema.simulation.sets import made, write_calibrated

COLUMNS: tuple[str, ...] = (
    "name",
    "class",
    "lattice_visible",
    "element",
    "diameter_nm",
    "pixel_size_nm",
    "hidden_by",
    "lattice_contrast",
    "clearest_spacing_nm",
    "structure",
    "shape",
    "domains",
    "domains_visible",
    "atoms",
    "neighbours",
    "support",
    "support_nm",
    "voltage_kv",
    "defocus_nm",
    "cs_mm",
    "astigmatism_nm",
    "focal_spread_nm",
    "convergence_mrad",
    "dose_e_nm2",
    "mask_iou",
    "seed",
    "field",
)
"""Of ``labels.csv``; what is not known is empty."""


def simulate_crystallinity(
    out: Path,
    *,
    count: int,
    seed: int = 0,
    kind: str = "realistic",
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a set of `count` particles with their classes into `out`; return the path of its ``labels.csv``.

    Parameters
    ----------
    out : Path
        Folder; it gets ``crops/`` (16 bits, calibrated in nm), ``masks/`` (255: particle) and ``labels.csv``.
    count : int
        How many.
    seed : int
        The k-th crop has the seed `seed` + k and is the same however many processes there are.
    kind : str
        One of `antema.simulation.crop_sets.SETS`.
    processes : int
        How many crops to make at a time, each in its own process.
    progress : callable or None
        Called with (done, all) after each.

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    if kind not in SETS:
        msg = f"expected a set out of {', '.join(SETS)}, found {kind!r}"
        raise ValueError(msg)
    out = Path(out)
    for folder in ("crops", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    write = partial(_write_one, out, kind)
    seeds = range(seed, seed + count)
    path = out / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for done, row in enumerate(made(write, seeds, processes), start=1):
            table.writerow(row)
            if progress:
                progress(done, count)
    return path


def _write_one(out: Path, kind: str, seed: int) -> dict[str, Any]:
    name = f"crop_{seed:06d}"
    crop = SETS[kind](seed)
    write_crop(crop, out, name)
    return {"name": name} | {key: as_text(value) for key, value in crop.label.items()}


def write_crop(crop: Crop, directory: Path, name: str) -> None:
    """Write a crop as ``crops/NAME.tif`` with its pixel size as ImageJ writes it, and ``masks/NAME.png``."""
    from PIL import Image

    write_calibrated(directory / "crops" / f"{name}.tif", crop.pixels, crop.pixel_size_nm)
    Image.fromarray(crop.mask.astype(np.uint8) * 255).save(directory / "masks" / f"{name}.png")


def as_text(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    """Return a value as ``labels.csv`` has it; what is not finite is empty."""
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else ""
    return str(value)
