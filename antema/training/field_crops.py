"""What an analysis finds in simulated fields of known crystallinity, beside the truth, and crops cut out of it."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import AntemaError, CannotAnalyse, Instance, Micrograph, Recipe
from antema.nets.particle_views import reach_px
from antema.simulation.crop_files import COLUMNS, as_text, write_crop
from antema.simulation.crops import Crop
from antema.training.matching import iou_matrix, pairs

if TYPE_CHECKING:
    from antema.analysis import Analysis

_LEAST_IOU = 0.5
"""Of a measured particle with the true one that it is taken for."""
_TOLD = ("class", "lattice_visible", "element", "hidden_by", "lattice_contrast", "clearest_spacing_nm", "structure",
         "shape", "domains")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Compared:
    """An analysed field and its truth.

    Parameters
    ----------
    name : str
        Of the micrograph.
    micrograph : Micrograph
        What was analysed.
    analysis : Analysis
        What was found.
    measured : ndarray of int
        Which of the analysis' instances are measured.
    truth : list of dict
        What the true particles are.
    pairs : ndarray of int, shape (n, 2)
        Places in `measured` and in `truth` of particles that are the same.
    ious : ndarray, shape (n,)
        Intersection over union of each pair.
    """

    name: str
    micrograph: Micrograph
    analysis: "Analysis"
    measured: NDArray[np.int64]
    truth: list[dict[str, Any]]
    pairs: NDArray[np.int64]
    ious: NDArray[np.float64]


def truths(fields: Path) -> dict[Path, list[dict[str, Any]]]:
    """Return the micrographs of a set of the kind ``crystallinity`` with what their particles are.

    Raises
    ------
    AntemaError
        Where there is no image, or the truth is missing or of another kind of fields.
    """
    found: dict[Path, list[dict[str, Any]]] = {}
    for path in sorted((Path(fields) / "images").glob("*.tif")):
        truth_path = Path(fields) / f"{path.stem}.json"
        particles = json.loads(truth_path.read_text("utf-8")).get("particles") if truth_path.is_file() else None
        if particles is None or not all("lattice_visible" in one for one in particles):
            what = "another" if truth_path.is_file() else f"no {truth_path.name}"
            msg = f"{path.name}: expected the truth of micrographs of the kind crystallinity, found {what}"
            raise AntemaError(msg)
        found[path] = particles
    if not found:
        msg = f"{fields}: expected a set of micrographs with images/, instances/ and their truth, found no image"
        raise AntemaError(msg)
    return found


def compared(path: Path, truth: list[dict[str, Any]], recipe: Recipe) -> Compared | None:
    """Analyse a micrograph of a set and return it with its truth; None where it cannot be analysed."""
    from antema.analysis import analyse
    from antema.analysis.instance_maps import read_instances
    from antema.imaging import read

    micrograph = read(path)
    try:
        analysis = analyse(micrograph, recipe)
    except CannotAnalyse:
        return None
    measured = np.flatnonzero(analysis.table["status"] == "measured")
    true = read_instances(path.parents[1] / "instances" / path.name)
    iou = iou_matrix([analysis.instances[k] for k in measured], true)
    same = pairs(iou, _LEAST_IOU)
    return Compared(path.stem, micrograph, analysis, measured, truth, same, iou[same[:, 0], same[:, 1]])


def crops_of_fields(fields: Path, out: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write a crop set of the particles that an analysis measures; return the path of its ``labels.csv``.

    Masks are those of an analysis by default; what the particles are is the truth of the ones they share most with.
    Particles that the analysis leaves out, or that are none, have no crop.

    Parameters
    ----------
    fields : Path
        A set of micrographs of the kind ``crystallinity`` (`antema.simulation.simulate_micrographs`).
    out : Path
        Folder; gets ``crops/``, ``masks/`` and, at the end, ``labels.csv``, whose column ``field`` names the
        micrograph.
    progress : callable or None
        Called with micrographs done and in all.

    Raises
    ------
    AntemaError
        Where `fields` is no such set, or nothing was found in any of them.
    """
    fields, out = Path(fields), Path(out)
    known = truths(fields)
    for folder in ("crops", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    for done, (path, truth) in enumerate(known.items(), start=1):
        field = compared(path, truth, Recipe(crystallinity=False))
        for number, crop in enumerate(_crops_of(field) if field else ()):
            name = f"{path.stem}_{number:03d}"
            write_crop(crop, out, name)
            rows.append({"name": name} | {key: as_text(value) for key, value in crop.label.items()})
        if progress:
            progress(done, len(known))
    if not rows:
        msg = f"{fields}: expected particles that an analysis finds, found none in {len(known)} micrographs"
        raise AntemaError(msg)
    table_path = out / "labels.csv"
    with table_path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    return table_path


def _crops_of(field: Compared) -> Iterator[Crop]:
    for (found, real), iou in zip(field.pairs, field.ious, strict=True):
        one = field.analysis.instances[field.measured[found]]
        yield _cut(field.micrograph, one, field.truth[real], field.name, float(iou))


def _cut(micrograph: Micrograph, one: Instance, truth: Mapping[str, Any], field: str, mask_iou: float) -> Crop:
    nm = micrograph.pixel_size.nm
    if nm is None:
        msg = f"{field}: expected a calibrated micrograph, found one without a pixel size"
        raise AntemaError(msg)
    h, w = micrograph.pixels.shape
    reach = reach_px(max(one.w, one.h), nm)
    y, x = one.y + one.h // 2, one.x + one.w // 2
    top, left = max(y - reach, 0), max(x - reach, 0)
    pixels = micrograph.pixels[top : min(y + reach + 1, h), left : min(x + reach + 1, w)]
    mask = np.zeros(pixels.shape, bool)
    mask[one.y - top : one.y - top + one.h, one.x - left : one.x - left + one.w] = one.mask
    label = {key: truth[key] for key in _TOLD} | {
        "diameter_nm": truth["equivalent_diameter_nm"],
        "pixel_size_nm": nm,
        "mask_iou": mask_iou,
        "field": field,
    }
    return Crop(pixels.astype(np.uint16), mask, nm, label)
