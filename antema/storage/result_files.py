"""A result in files of its own, apart from any store: what the demo's micrographs are shipped with.

``NAME.parquet`` holds the particles as `antema.storage.particle_files` writes them, and in its metadata what else the
result says; ``NAME.segmentation.png`` the segmentation. What the network said (`Analysis.maps`) is left out: it is as
large as the micrographs.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from antema.analysis import Analysis
from antema.domain import PixelSize, Recipe, Trust
from antema.storage.particle_files import (
    INSTANCE_COLUMNS,
    TEXT_COLUMNS,
    read_all_evidence,
    read_instances,
    read_level_diameters,
    read_provenance,
    write_particles,
)


def write_result(folder: Path, name: str, analysis: Analysis, *, key: str, version: str) -> None:
    """Write the result of an image.

    Parameters
    ----------
    folder : Path
        Where to.
    name : str
        How the files are to be called, without a suffix.
    analysis : Analysis
        The result.
    key : str
        What names the computation (`antema.analysis.result_key`).
    version : str
        What tells whether the result is still that of the program.
    """
    said = {
        "image": analysis.name,
        "image_sha256": analysis.sha256,
        "pixel_size_nm": analysis.pixel_size.nm,
        "pixel_size_source": analysis.pixel_size.source,
        "recipe": analysis.recipe.to_dict(),
        "model": dict(analysis.model),
        "crystallinity_model": dict(analysis.crystallinity_model),
        "seconds": {step: float(value) for step, value in analysis.seconds.items()},
        "notes": list(analysis.notes),
        "trust": None if analysis.trust is None else analysis.trust.to_dict(),
        "polarity": analysis.polarity,
        "scales": list(analysis.scales),
        "result_key": key,
        "version": version,
    }
    write_particles(
        folder / f"{name}.parquet",
        analysis.table,
        analysis.instances,
        said,
        analysis.evidence,
        analysis.level_diameters_nm,
    )
    Image.fromarray(analysis.segmentation).save(folder / f"{name}.segmentation.png", optimize=True)


def read_said(folder: Path, name: str) -> dict[str, Any]:
    """Return what a result says beside its particles: ``result_key``, ``version`` and the rest of `write_result`."""
    return read_provenance(folder / f"{name}.parquet")


def read_result(folder: Path, name: str) -> Analysis:
    """Return the result that `write_result` wrote."""
    path = folder / f"{name}.parquet"
    said = read_said(folder, name)
    stored = pq.ParquetFile(path)
    columns = [column for column in stored.schema_arrow.names if column not in INSTANCE_COLUMNS]
    table = stored.read(columns=columns).to_pandas()
    for column in TEXT_COLUMNS:
        table[column] = table[column].fillna("")
    with Image.open(folder / f"{name}.segmentation.png") as picture:
        segmentation = np.asarray(picture).astype(bool)
    return Analysis(
        name=said["image"],
        sha256=said["image_sha256"],
        pixel_size=PixelSize(said["pixel_size_nm"], said["pixel_size_source"]),
        recipe=Recipe.from_dict(said["recipe"]),
        model=said["model"],
        table=table,
        instances=read_instances(path),
        segmentation=segmentation,
        seconds=said["seconds"],
        notes=said["notes"],
        trust=None if said["trust"] is None else Trust.from_dict(said["trust"]),
        polarity=said["polarity"],
        scales=tuple(said["scales"]),
        crystallinity_model=said["crystallinity_model"],
        evidence=read_all_evidence(path),
        level_diameters_nm=read_level_diameters(path),
    )
