"""Crops of the particles of simulated micrographs, cut out as an analysis does."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import AntemaError, CannotAnalyse, Instance, Micrograph, Recipe
from antema.simulation.crop_files import COLUMNS, as_text, write_crop
from antema.simulation.crops import Crop
from antema.training.matching import iou_matrix, pairs

LEAST_IOU = 0.5
"""Of a found particle with the true one that it is taken for."""
_MARGIN_NM = 1.0
"""Surroundings of a particle in its crop."""
_TOLD = ("class", "lattice_visible", "element", "hidden_by", "lattice_contrast", "clearest_spacing_nm", "structure",
         "shape", "domains")  # fmt: skip


def crops_of_fields(
    fields: Path, out: Path, *, model: str = "default", progress: Callable[[int, int], None] | None = None
) -> Path:
    """Write a crop set of the particles that an analysis measures; return the path of its ``labels.csv``.

    Masks are those of the analysis; what the particles are is the truth of the ones they share most with. Particles
    that the analysis leaves out, or that are none, have no crop.

    Parameters
    ----------
    fields : Path
        A set of micrographs of the kind ``crystallinity`` (`antema.simulation.simulate_micrographs`).
    out : Path
        Folder; gets ``crops/``, ``masks/`` and ``labels.csv``, whose column ``field`` names the micrograph.
    model : str
        Which segmentation model cuts out.
    progress : callable or None
        Called with micrographs done and in all.

    Raises
    ------
    AntemaError
        Where `fields` is no such set, or nothing was found in any of them.
    """
    from antema.imaging import read

    fields, out = Path(fields), Path(out)
    paths = sorted((fields / "images").glob("*.tif"))
    if not paths:
        msg = f"{fields}: expected a set of micrographs with images/, instances/ and their truth, found no image"
        raise AntemaError(msg)
    for folder in ("crops", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    recipe = Recipe(model=model, crystallinity=False)
    rows = 0
    table_path = out / "labels.csv"
    with table_path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for done, path in enumerate(paths, start=1):
            for number, crop in enumerate(_crops_of(read(path), recipe, fields, path)):
                name = f"{path.stem}_{number:03d}"
                write_crop(crop, out, name)
                table.writerow({"name": name} | {key: as_text(value) for key, value in crop.label.items()})
                rows += 1
            if progress:
                progress(done, len(paths))
    if not rows:
        msg = f"{fields}: expected particles that an analysis finds, found none in {len(paths)} micrographs"
        raise AntemaError(msg)
    return table_path


def _crops_of(micrograph: Micrograph, recipe: Recipe, fields: Path, path: Path) -> Iterator[Crop]:
    from antema.analysis import analyse
    from antema.analysis.instance_maps import read_instances

    truth = json.loads((fields / f"{path.stem}.json").read_text("utf-8"))["particles"]
    if not all("lattice_visible" in one for one in truth):
        msg = f"{path.name}: expected the truth of micrographs of the kind crystallinity, found one of another"
        raise AntemaError(msg)
    true = read_instances(fields / "instances" / path.name)
    try:
        analysis = analyse(micrograph, recipe)
    except CannotAnalyse:
        return
    measured = [analysis.instances[k] for k in np.flatnonzero(analysis.table["status"] == "measured")]
    nm = micrograph.pixel_size.nm
    if not (measured and true and nm):
        return
    iou = iou_matrix(measured, true)
    for found, real in pairs(iou, LEAST_IOU):
        yield _cut(micrograph, measured[found], truth[real], nm, path.stem, float(iou[found, real]))


def _cut(
    micrograph: Micrograph, one: Instance, truth: Mapping[str, Any], nm: float, field: str, mask_iou: float
) -> Crop:
    margin = int(np.ceil((_MARGIN_NM + 0.25 * max(one.w, one.h) * nm) / nm))
    h, w = micrograph.pixels.shape
    top, left = max(one.y - margin, 0), max(one.x - margin, 0)
    pixels = micrograph.pixels[top : min(one.y + one.h + margin, h), left : min(one.x + one.w + margin, w)]
    mask = np.zeros(pixels.shape, bool)
    mask[one.y - top : one.y - top + one.h, one.x - left : one.x - left + one.w] = one.mask
    label = {key: truth[key] for key in _TOLD} | {
        "diameter_nm": truth["equivalent_diameter_nm"],
        "pixel_size_nm": nm,
        "mask_iou": mask_iou,
        "field": field,
    }
    return Crop(pixels.astype(np.uint16), mask, nm, label)
