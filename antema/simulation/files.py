"""Simulated micrographs on disk: a micrograph set with its truth."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import Instance
from antema.simulation.field import SimulatedField
from antema.simulation.sets import made, write_calibrated
from antema.simulation.variety import KINDS


def write_field(field: SimulatedField, directory: Path, name: str) -> Path:
    """Write a field as ``images/NAME.tif``, ``instances/NAME.tif`` and ``NAME.json``; return the image's path.

    Where both outlines are known, ``atoms/NAME.tif`` has the other one, with the same numbers.

    The image carries its pixel size as ImageJ writes it. Each instance lies whole on one page of its uint16 file,
    numbered from 1 in the order of the truth; further pages hold those that overlap. The truth says the ``number`` and
    the ``page`` (from 1) of each.
    """
    import tifffile

    directory = Path(directory)
    truths = {"instances": field.instances} | ({"atoms": field.atoms} if field.atoms is not None else {})
    for folder in ("images", *truths):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    path = directory / "images" / f"{name}.tif"
    _write_image(field, path)
    for folder, instances in truths.items():
        tifffile.imwrite(
            directory / folder / f"{name}.tif",
            _pages_of(instances, field),
            photometric="minisblack",
            compression="zlib",
            metadata=None,
        )
    (directory / f"{name}.json").write_text(_lines(truth_of(field)), "utf-8")
    return path


def truth_of(field: SimulatedField) -> dict[str, Any]:
    """Return what is known of a field's particles and how it was made, as JSON values."""
    pages = _pages_of(field.instances, field)
    page_of = {number: page for page, values in enumerate(pages, start=1) for number in np.unique(values).tolist()}
    particles = [
        {"number": number, "page": page_of[number]} | said for number, said in enumerate(field.particles, start=1)
    ]
    return _finite({"pixel_size_nm": field.pixel_size_nm, "particles": particles, "conditions": field.conditions})


def _pages_of(instances: Iterable[Instance], field: SimulatedField) -> NDArray[np.uint16]:
    return instance_pages(instances, (field.pixels.shape[0], field.pixels.shape[1]))


def _lines(truth: dict[str, Any]) -> str:
    """Return JSON with a line for each particle: thousands of them, indented, take longer than their picture."""
    particles = ",\n".join(json.dumps(one, allow_nan=False) for one in truth["particles"])
    head, tail = (json.dumps(truth[key], allow_nan=False) for key in ("pixel_size_nm", "conditions"))
    return f'{{"pixel_size_nm": {head},\n"particles": [\n{particles}\n],\n"conditions": {tail}}}\n'


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return `value` with null in place of numbers that JSON has not."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _write_image(field: SimulatedField, path: Path) -> None:
    if field.pixel_size_nm is not None:
        write_calibrated(path, field.pixels, field.pixel_size_nm)
        return
    import tifffile

    tifffile.imwrite(path, field.pixels, photometric="minisblack", metadata=None)


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
    shape: tuple[int, int] = (1024, 1024),
    kind: str = "mixed",
    pixel_size_nm: float | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write `count` micrographs of 16 bits with their instance maps into `out`; return the images' paths.

    Parameters
    ----------
    out : Path
        Folder; it gets ``images/``, ``instances/`` and one JSON of truth each.
    count : int
        How many.
    seed : int
        The k-th field has the seed `seed` + k and is the same however many processes there are.
    shape : tuple of int
        Height and width in pixels.
    kind : str
        One of `antema.simulation.variety.KINDS`.
    pixel_size_nm : float or None
        Edge of a pixel; None: as the kind has it.
    processes : int
        How many fields to make at a time, each in its own process.
    progress : callable or None
        Called with (done, all) after each.

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    if kind not in KINDS:
        msg = f"expected a kind out of {', '.join(KINDS)}, found {kind!r}"
        raise ValueError(msg)
    seeds = range(seed, seed + count)
    write = partial(_write_one, Path(out), shape=shape, kind=kind, pixel_size_nm=pixel_size_nm)
    paths = []
    for path in made(write, seeds, processes):
        paths.append(path)
        if progress:
            progress(len(paths), count)
    return paths


def _write_one(out: Path, seed: int, *, shape: tuple[int, int], kind: str, pixel_size_nm: float | None) -> Path:
    field = KINDS[kind](seed, shape=shape, pixel_size_nm=pixel_size_nm)
    if field.pixels.dtype == np.uint8:
        field = replace(field, pixels=field.pixels.astype(np.uint16) * 257)  # 255 becomes 65535
    return write_field(field, out, f"field_{seed:06d}")
