"""A folder of micrographs analysed without the dashboard: files in, tables, pictures and a report out.

What it writes is what the dashboard's downloads hold, made by the same functions.
"""

import json
import logging
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from antema.analysis import ALGORITHM_VERSION, Analysis, Segmenter, analyse, instances_tiff, measure
from antema.domain import AntemaError, CannotRead, Micrograph, NotAnImage, PixelSize, Recipe, View
from antema.imaging import annotated_png, read, read_all, supported_suffixes
from antema.reports import (
    ReportImage,
    SampleReport,
    images_csv,
    particles_csv,
    sample_report_pdf,
    summary_json,
    unique_stems,
)

Progress = Callable[[str, int, int], None]
_REPORT_PICTURE_PX = 1400
_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """How a batch went.

    Parameters
    ----------
    out : Path
        Where the files are.
    done : list of str
        Names of what was analysed.
    skipped, failed : list of str
        One sentence each: files of a folder that are no images, and inputs that could not be analysed.
    particles : int
        Measured particles.
    """

    out: Path
    done: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    particles: int = 0

    @property
    def sentence(self) -> str:
        """One line for the terminal."""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{self.particles} particles in {len(self.done)} images{failed}: {self.out}"


def analyse_paths(
    paths: Sequence[Path],
    out: Path,
    *,
    recipe: Recipe,
    sample: str = "",
    pixel_size_nm: float | None = None,
    override_scale: bool = False,
    segmenter: Segmenter | None = None,
    progress: Progress = lambda *_: None,
) -> Outcome:
    """Analyse files and folders of micrographs.

    Parameters
    ----------
    paths : sequence of Path
        Micrographs, or folders of them. Files in a folder that are no images are named and skipped.
    out : Path
        Folder for the results, made where absent; the layout is that of the documentation.
    recipe : Recipe
        What to do.
    sample : str
        Name of the sample for tables and report; the first folder's name where empty.
    pixel_size_nm : float, optional
        For files without a scale; for all of them with `override_scale`.
    override_scale : bool
        Whether `pixel_size_nm` goes before the files' own scale.
    segmenter : Segmenter, optional
        The recipe's model where absent.
    progress : callable
        Called with the current file's name, how many are done, and of how many.

    Returns
    -------
    Outcome
        A failed image fails alone; its sentence is in there.
    """
    inputs = list(_inputs(paths))
    outcome = Outcome(out)
    for folder in (out, out / "overlays", out / "masks"):
        folder.mkdir(parents=True, exist_ok=True)
    name = sample or _sample_name(paths)
    names: list[str] = []
    tables: list[pd.DataFrame] = []
    images: list[ReportImage] = []
    model: dict[str, str] = {}
    for place, (path, from_folder) in enumerate(inputs):
        progress(path.name, place, len(inputs))
        try:
            micrograph = _scaled(read(path), pixel_size_nm, override=override_scale)
            analysis = analyse(micrograph, recipe, segmenter=segmenter)
        except NotAnImage as error:
            (outcome.skipped if from_folder else outcome.failed).append(str(error))
            continue
        except Exception as error:
            # One image fails alone, whatever it is; what was no plain sentence is logged in full.
            if not isinstance(error, AntemaError):
                _log.exception("%s could not be analysed", path.name)
                error = AntemaError(f"{path.name}: unexpected error ({type(error).__name__}: {error})")
            if from_folder and isinstance(error, CannotRead) and path.suffix.lower() not in supported_suffixes:
                outcome.skipped.append(str(error))
            else:
                outcome.failed.append(str(error))
                images.append(_failed_image(path, error))
            continue
        names.append(path.name)
        stem = unique_stems(names)[-1]
        # Two inputs of one name must stay two images in the table.
        micrograph = replace(micrograph, name=stem + path.suffix)
        picture = annotated_png(
            micrograph.pixels, analysis.instances, micrograph.pixel_size.nm, max_px=_REPORT_PICTURE_PX
        )
        _write_pictures(out, stem, micrograph, analysis)
        tables.append(analysis.table.assign(sample=name, image=micrograph.name))
        images.append(_done_image(micrograph, analysis, picture))
        outcome.done.append(path.name)
        model = dict(analysis.model)
    progress("", len(inputs), len(inputs))
    table = pd.concat(tables, ignore_index=True) if tables else _no_rows()
    outcome.particles = int((table["status"] == "measured").sum())
    report = SampleReport(
        sample={"name": name},
        table=table,
        images=images,
        recipe=recipe,
        view=View(),
        model=_card(recipe) | model,
        provenance=_provenance(),
    )
    (out / "particles.csv").write_bytes(particles_csv(table))
    (out / "images.csv").write_bytes(images_csv(images))
    (out / "summary.json").write_bytes(summary_json(report))
    (out / "report.pdf").write_bytes(sample_report_pdf(report))
    (out / "run.json").write_text(json.dumps(_run(report, inputs, pixel_size_nm, override=override_scale), indent=2))
    return outcome


def measure_masks(masks: Sequence[Path], out: Path, *, recipe: Recipe, pixel_size_nm: float) -> Outcome:
    """Separate and measure masks of the user's own.

    Parameters
    ----------
    masks : sequence of Path
        PNG or TIFF: binary (anything above 0 is particle), or uint16 instance maps.
    out : Path
        Folder for ``particles.csv`` and ``run.json``.
    recipe : Recipe
        Separation, cleaning and convention are used.
    pixel_size_nm : float
        Edge of a pixel.
    """
    out.mkdir(parents=True, exist_ok=True)
    outcome = Outcome(out)
    tables: list[pd.DataFrame] = []
    for path in masks:
        try:
            table = measure(_read_mask(path), pixel_size_nm, recipe=recipe, name=path.name)
        except AntemaError as error:
            outcome.failed.append(str(error))
            continue
        tables.append(table.assign(image=path.name))
        outcome.done.append(path.name)
    table = pd.concat(tables, ignore_index=True) if tables else _no_rows()
    outcome.particles = int((table["status"] == "measured").sum())
    (out / "particles.csv").write_bytes(particles_csv(table))
    run = _provenance() | {"recipe": recipe.to_dict(), "pixel_size_nm": pixel_size_nm, "masks": outcome.done}
    (out / "run.json").write_text(json.dumps(run, indent=2))
    return outcome


def _inputs(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    for path in paths:
        if path.is_dir():
            entries = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
            yield from ((entry, True) for entry in entries)
        else:
            yield path, False


def _sample_name(paths: Sequence[Path]) -> str:
    first = paths[0].resolve()
    return first.name if first.is_dir() else first.parent.name


def _scaled(micrograph: Micrograph, nm: float | None, *, override: bool) -> Micrograph:
    if nm is None or (micrograph.pixel_size.is_known and not override):
        return micrograph
    return micrograph.with_pixel_size(PixelSize(nm, "command line"))


def _write_pictures(out: Path, stem: str, micrograph: Micrograph, analysis: Analysis) -> None:
    overlay = annotated_png(micrograph.pixels, analysis.instances, micrograph.pixel_size.nm)
    (out / "overlays" / f"{stem}.png").write_bytes(overlay)
    mask = Image.fromarray(np.where(analysis.segmentation, np.uint8(255), np.uint8(0)))
    mask.save(out / "masks" / f"{stem}_segmentation.png")
    instances_tiff(analysis.instances, micrograph.shape, out / "masks" / f"{stem}_instances.tif")


def _done_image(micrograph: Micrograph, analysis: Analysis, picture: bytes) -> ReportImage:
    n_measured = int((analysis.table["status"] == "measured").sum())
    return ReportImage(
        name=micrograph.name,
        sha256=micrograph.sha256,
        pixel_size_nm=micrograph.pixel_size.nm,
        pixel_size_source=micrograph.pixel_size.source,
        png=picture,
        n_measured=n_measured,
        n_dropped=len(analysis.table) - n_measured,
        status="done",
        error="",
        notes=tuple(analysis.notes),
    )


def _failed_image(path: Path, error: AntemaError) -> ReportImage:
    return ReportImage(
        name=path.name,
        sha256="",
        pixel_size_nm=None,
        pixel_size_source="",
        png=b"",
        n_measured=0,
        n_dropped=0,
        status="failed",
        error=str(error),
    )


def _read_mask(path: Path) -> NDArray[np.generic]:
    pages = [np.asarray(page.pixels) for page in read_all(path)]
    if pages[0].dtype == np.uint16 and len(np.unique(pages[0])) > 2:
        return np.stack(pages)
    return np.not_equal(pages[0], 0)


def _card(recipe: Recipe) -> dict[str, object]:
    from antema import nets

    return next((dict(card.content) for card in nets.models() if card.name == recipe.model), {})


def _provenance() -> dict[str, object]:
    return {
        "software_version": version("antema"),
        "algorithm_version": ALGORITHM_VERSION,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("jax", "flax", "numpy", "scipy", "scikit-image")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv[1:]),
    }


def _run(
    report: SampleReport, inputs: Sequence[tuple[Path, bool]], nm: float | None, *, override: bool
) -> dict[str, object]:
    return dict(report.provenance) | {
        "recipe": report.recipe.to_dict(),
        "recipe_fingerprint": report.recipe.fingerprint(),
        "model": report.model,
        "pixel_size_nm": nm,
        "override_scale": override,
        "inputs": [str(path) for path, _ in inputs],
        "images": [
            {
                "name": image.name,
                "sha256": image.sha256,
                "pixel_size_nm": image.pixel_size_nm,
                "pixel_size_source": image.pixel_size_source,
                "status": image.status,
                "error": image.error,
            }
            for image in report.images
        ],
    }


def _no_rows() -> pd.DataFrame:
    from antema.domain import PARTICLE_COLUMNS

    return pd.DataFrame(columns=list(PARTICLE_COLUMNS))
