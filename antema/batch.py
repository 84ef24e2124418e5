"""A folder of micrographs analysed without the dashboard: files in, tables, pictures and a report out.

What it writes is what the dashboard's downloads hold, made by the same functions.
"""

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from antema.analysis import (
    Analysis,
    Classifier,
    Segmenter,
    analyse,
    analyse_mask,
    called,
    instances_tiff,
    load_classifier,
)
from antema.domain import (
    PARTICLE_COLUMNS,
    Annotations,
    AntemaError,
    CannotRead,
    Micrograph,
    NoScale,
    NotAnImage,
    PixelSize,
    Recipe,
    ScaleBar,
    View,
    scale_bar_words,
    scale_disagreements,
)
from antema.imaging import (
    annotated_png,
    contents_safely,
    file_sha256,
    find_annotations,
    read_safely,
    supported_suffixes,
)
from antema.provenance import provenance, surroundings
from antema.reports import (
    ReportImage,
    SampleReport,
    images_csv,
    particles_csv,
    sample_report_pdf,
    summary_json,
    unique_stems,
)
from antema.results.clumps import clump_note, clump_share_of
from antema.stats import count_text

Progress = Callable[[str, int, int], None]
_REPORT_PICTURE_PX = 1400
_BY_COMMAND_LINE = "command line"
_VIEW = View()
_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """How a batch went.

    Parameters
    ----------
    out : Path
        Where the files are.
    done : list of str
        Names of the images that were analysed, as the table has them.
    skipped, failed : list of str
        One sentence each: files of a folder that are no images, and inputs that could not be analysed.
    remarks : list of str
        Sentences on images that were analysed and that a reader should look at.
    particles : int
        Measured particles.
    """

    out: Path
    done: list[str] = field(default_factory=list[str])
    skipped: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])
    particles: int = 0

    @property
    def sentence(self) -> str:
        """One line for the terminal."""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        done = f"{count_text(self.particles, 'particle')} in {count_text(len(self.done), 'image')}"
        return f"{done}{failed}: {self.out}"


def analyse_paths(
    paths: Sequence[Path],
    out: Path,
    *,
    recipe: Recipe,
    view: View = _VIEW,
    sample: str = "",
    pixel_size_nm: float | None = None,
    override_scale: bool = False,
    material: str = "",
    segmenter: Segmenter | None = None,
    classifier: Classifier | None = None,
    command: str = "",
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
    view : View
        How the statistics are weighted.
    sample : str
        Name of the sample for tables and report; the first folder's name where empty.
    pixel_size_nm : float, optional
        For files without a scale; for all of them with `override_scale`.
    override_scale : bool
        Whether `pixel_size_nm` goes before the files' own scale.
    material : str
        What the particles are made of, for the report.
    segmenter : Segmenter, optional
        The recipe's model where absent.
    classifier : Classifier, optional
        The recipe's crystallinity model where absent, if it asks for one and one is installed.
    command : str
        The command line, for the record.
    progress : callable
        Called with the current file's name, how many are done, and of how many.

    Returns
    -------
    Outcome
        A failed image fails alone; its sentence is in there.

    Raises
    ------
    AntemaError
        Where nothing can be done at all: the model cannot be loaded, or the folder for the results cannot be made.
    """
    device = ""
    if segmenter is None:
        from antema import nets

        segmenter = nets.load(recipe.model)
        device = nets.device_name()
    if classifier is None:
        classifier = load_classifier(recipe)
    _make_folders(out, "overlays", "masks")
    name = sample or _sample_name(paths)
    batch = _Batch(out, name, material, view)
    inputs = list(_inputs(paths))

    def analysed(given: _Input) -> _Result:
        return _analysed(given, recipe, segmenter, classifier, pixel_size_nm, override=override_scale)

    for place, given in enumerate(inputs):
        progress(given.name, place, len(inputs))
        batch.take(given, analysed)
    progress("", len(inputs), len(inputs))
    batch.complain_of_folders_without_images(paths)
    model = _card(segmenter.name) | batch.model
    crystallinity_model = _card(batch.crystallinity_model.get("name", "")) | batch.crystallinity_model
    report = batch.report(recipe, model, crystallinity_model, provenance(command))
    (out / "report.pdf").write_bytes(sample_report_pdf(report))
    options = {"sample": name, "material": material, "pixel_size_nm": pixel_size_nm, "override_scale": override_scale}
    batch.write_tables(report, {"paths": [str(path) for path in paths], **options}, device)
    return batch.outcome


def measure_masks(
    masks: Sequence[Path],
    out: Path,
    *,
    recipe: Recipe,
    pixel_size_nm: float,
    view: View = _VIEW,
    command: str = "",
) -> Outcome:
    """Separate and measure masks of the user's own.

    Parameters
    ----------
    masks : sequence of Path
        PNG or TIFF: binary (one value beside 0 is particle) or instance maps of 16 bits, of several pages where
        instances overlap.
    out : Path
        Folder for ``particles.csv``, ``images.csv``, ``summary.json``, ``run.json`` and, of binary masks, the separated
        instances in ``masks/STEM_instances.tif``.
    recipe : Recipe
        Separation, cleaning and convention are used.
    pixel_size_nm : float
        Edge of a pixel.
    view : View
        How the statistics are weighted.
    command : str
        The command line, for the record.
    """
    _make_folders(out, "masks")
    batch = _Batch(out, _sample_name(masks), "", view)
    for path in masks:
        batch.take(_Input(path), lambda given: _measured(given, recipe, pixel_size_nm))
    report = batch.report(recipe, {}, {}, provenance(command))
    options = {"masks": [str(path) for path in masks], "pixel_size_nm": pixel_size_nm}
    batch.write_tables(report, options, device="")
    return batch.outcome


@dataclass(frozen=True)
class _Input:
    """A file to be analysed."""

    path: Path
    from_folder: bool = False

    @property
    def name(self) -> str:
        """Its name as text: bytes that are none, which a file system allows, are replaced."""
        return self.path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(frozen=True)
class _Result:
    """What one file gave, before it has its name among the others."""

    analysis: Analysis
    pixels: NDArray[np.generic] | None = None
    write_instances: bool = True
    bar: ScaleBar | None = None
    scale_warnings: tuple[str, ...] = ()


class _NoScaleButBarError(NoScale):
    """A file without a scale that shows a scale bar."""

    def __init__(self, message: str, bar_nm: float) -> None:
        super().__init__(message)
        self.bar_nm = bar_nm


class _Batch:
    """Files done one after the other, what they gave, and what is written of it."""

    def __init__(self, out: Path, sample: str, material: str, view: View) -> None:
        self.outcome = Outcome(out)
        self.model: dict[str, Any] = {}
        self.crystallinity_model: dict[str, Any] = {}
        self._out = out
        self._sample = sample
        self._material = material
        self._view = view
        self._names: list[str] = []
        self._tables: list[pd.DataFrame] = []
        self._images: list[ReportImage] = []
        self._inputs: list[dict[str, Any]] = []
        self._seen: dict[str, str] = {}

    def take(self, given: _Input, work: Callable[[_Input], _Result]) -> None:
        """Do one file. Whatever happens, only this one fails, and its sentence is kept."""
        try:
            self._done(given, work(given))
        except Exception as error:
            # One image fails alone, whatever it is; what was no plain sentence is logged in full.
            if not isinstance(error, AntemaError):
                _log.debug("%s could not be analysed", given.name, exc_info=True)
                error = AntemaError(f"{given.name}: unexpected error ({type(error).__name__}: {error})")
            self._failed(given, error)

    def _done(self, given: _Input, result: _Result) -> None:
        stem = unique_stems([*self._names, given.name])[-1]
        # Two inputs of one name must stay two images in the table.
        image = given.name if stem == unique_stems([given.name])[0] else stem + Path(given.name).suffix
        analysis = result.analysis
        picture = b""
        if result.pixels is not None:
            picture = self._write_pictures(stem, result.pixels, analysis)
        if result.write_instances:
            shape = analysis.segmentation.shape
            instances_tiff(analysis.instances, shape, self._out / "masks" / f"{stem}_instances.tif")
        self._names.append(given.name)
        self._tables.append(analysis.table.assign(sample=self._sample, image=image))
        self.model = dict(analysis.model)
        self.crystallinity_model = dict(analysis.crystallinity_model)
        notes = [*analysis.notes, *self._remark_on_twins(image, analysis.sha256)]
        clumps = clump_note(clump_share_of(analysis.table))
        warnings = [*result.scale_warnings, *([analysis.trust.warning] if analysis.trust else []), clumps]
        self.outcome.remarks += [f"{image}: {sentence}" for sentence in warnings if sentence]
        self._images.append(_done_image(image, result, picture, notes))
        self.outcome.done.append(image)
        self._record(given, "done", image=image, stem=stem, **_scale(analysis.pixel_size), **_said(analysis))

    def _write_pictures(self, stem: str, pixels: NDArray[np.generic], analysis: Analysis) -> bytes:
        nm = analysis.pixel_size.nm
        classes = None
        if analysis.crystallinity_model:
            classes = called(analysis.table, self._view.crystallinity_certainty)["crystallinity"].tolist()
        overlay = annotated_png(pixels, analysis.instances, nm, classes=classes, with_legend=True)
        (self._out / "overlays" / f"{stem}.png").write_bytes(overlay)
        mask = Image.fromarray(np.where(analysis.segmentation, np.uint8(255), np.uint8(0)))
        mask.save(self._out / "masks" / f"{stem}_segmentation.png")
        return annotated_png(pixels, analysis.instances, nm, classes=classes, max_px=_REPORT_PICTURE_PX)

    def _remark_on_twins(self, image: str, sha256: str) -> list[str]:
        twin = self._seen.setdefault(sha256, image)
        if twin == image:
            return []
        sentence = f"{image} holds the same bytes as {twin}: its particles count twice."
        self.outcome.remarks.append(sentence)
        return [sentence]

    def _failed(self, given: _Input, error: AntemaError) -> None:
        sentence = str(error)
        if isinstance(error, NoScale) and not isinstance(error, _NoScaleButBarError):
            sentence = f"{sentence}; --pixel-size gives it one"
        # What else lies in a folder of micrographs is not asked for.
        is_no_image = isinstance(error, NotAnImage)
        is_unknown = isinstance(error, CannotRead) and given.path.suffix.lower() not in supported_suffixes
        if given.from_folder and (is_no_image or is_unknown):
            self.outcome.skipped.append(sentence)
            self._record(given, "skipped", error=sentence)
            return
        self.outcome.failed.append(sentence)
        self._record(given, "failed", error=sentence)
        sha256 = self._inputs[-1]["sha256"] or ""
        bar_nm = error.bar_nm if isinstance(error, _NoScaleButBarError) else None
        self._images.append(
            ReportImage(name=given.name, sha256=sha256, status="failed", error=sentence, bar_pixel_size_nm=bar_nm)
        )

    def _record(self, given: _Input, status: str, **more: object) -> None:
        path = given.path
        try:
            sha256 = file_sha256(path) if path.is_file() else None
        except OSError:
            # That it cannot be read is what the sentence of its failure says.
            sha256 = None
        self._inputs.append({"path": str(path), "sha256": sha256, "status": status, **more})

    def complain_of_folders_without_images(self, paths: Sequence[Path]) -> None:
        """Count a folder among the failures in which nothing was an image."""
        tried = {Path(entry["path"]).parent for entry in self._inputs if entry["status"] != "skipped"}
        for path in paths:
            if path.is_dir() and path not in tried:
                self.outcome.failed.append(f"{path}: expected a folder of micrographs, found none in it")

    def report(
        self,
        recipe: Recipe,
        model: Mapping[str, Any],
        crystallinity_model: Mapping[str, Any],
        said: Mapping[str, Any],
    ) -> SampleReport:
        """Return everything that was done as a report."""
        filled = [table for table in self._tables if len(table)]
        table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(PARTICLE_COLUMNS))
        self.outcome.particles = int((table["status"] == "measured").sum())
        return SampleReport(
            sample={"name": self._sample, **({"material": self._material} if self._material else {})},
            table=table,
            images=self._images,
            recipe=recipe,
            view=self._view,
            model=model,
            provenance=said,
            crystallinity_model=crystallinity_model,
        )

    def write_tables(self, report: SampleReport, options: Mapping[str, Any], device: str) -> None:
        """Write tables and summary, and last what it takes to get them again."""
        out = self._out
        (out / "particles.csv").write_bytes(particles_csv(report.called_table))
        (out / "images.csv").write_bytes(images_csv(report))
        (out / "summary.json").write_bytes(summary_json(report))
        run = {
            **report.provenance,
            "directory": str(Path.cwd()),
            "options": options,
            "recipe": report.recipe.to_dict(),
            "recipe_fingerprint": report.recipe.fingerprint(),
            "view": dataclasses.asdict(report.view),
            "model": dict(report.model),
            "crystallinity_model": dict(report.crystallinity_model) or None,
            "inputs": self._inputs,
            "outputs": self._outputs(),
            **surroundings(device),
        }
        (out / "run.json").write_bytes((json.dumps(run, indent=2) + "\n").encode())

    def _outputs(self) -> dict[str, str]:
        """Return the sha256 of each file that a re-run must give again bit for bit."""
        files = [Path("particles.csv"), Path("images.csv")]
        for entry in self._inputs:
            if stem := entry.get("stem"):
                files += [
                    Path("overlays", f"{stem}.png"),
                    Path("masks", f"{stem}_segmentation.png"),
                    Path("masks", f"{stem}_instances.tif"),
                ]
        return {file.as_posix(): file_sha256(self._out / file) for file in files if (self._out / file).is_file()}


def _inputs(paths: Sequence[Path]) -> Iterator[_Input]:
    for path in paths:
        if path.is_dir():
            entries = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
            yield from (_Input(entry, from_folder=True) for entry in entries)
        else:
            yield _Input(path)


def _sample_name(paths: Sequence[Path]) -> str:
    first = paths[0].resolve()
    return first.name if first.is_dir() else first.parent.name


def _analysed(
    given: _Input,
    recipe: Recipe,
    segmenter: Segmenter,
    classifier: Classifier | None,
    pixel_size_nm: float | None,
    *,
    override: bool,
) -> _Result:
    if given.from_folder and given.path.suffix.lower() == ".emi":
        _refuse_emi_beside_its_data(given)
    own = read_safely(given.path, name=given.name)
    micrograph = _scaled(own, pixel_size_nm, override=override)
    annotations, failure = _annotations(micrograph)
    bar = None if annotations is None else annotations.scale_bar
    if not micrograph.pixel_size.is_known and bar is not None and bar.pixel_size_nm is not None:
        msg = (
            f"{micrograph.name}: expected a pixel size in nm, found {micrograph.pixel_size.source}; its scale bar "
            f"({scale_bar_words(bar)}) offers --pixel-size {bar.pixel_size_nm:.4g}"
        )
        raise _NoScaleButBarError(msg, bar.pixel_size_nm)
    analysis = analyse(micrograph, recipe, segmenter=segmenter, classifier=classifier, annotations=annotations)
    found = scale_disagreements(micrograph.pixel_size, file_nm=own.pixel_size.nm, bar=bar)
    warnings = (*(disagreement.sentence for disagreement in found), *failure)
    return _Result(analysis, micrograph.pixels, bar=bar, scale_warnings=warnings)


def _annotations(micrograph: Micrograph) -> tuple[Annotations | None, list[str]]:
    """Return what is burned into an image; where looking for it fails, None and a sentence, and the rest goes on."""
    try:
        return find_annotations(micrograph.pixels), []
    except Exception as error:
        _log.debug("%s: the search for a scale bar failed", micrograph.name, exc_info=True)
        return None, [f"The search for a scale bar failed ({type(error).__name__}: {error})."]


def _refuse_emi_beside_its_data(given: _Input) -> None:
    """Raise NotAnImage for an .emi whose images are in .ser files of the same folder, which would count twice."""
    data = sorted(given.path.parent.glob("*.ser"))
    own = [file.name for file in data if file.stem.rpartition("_")[0] == given.path.stem]
    if own:
        msg = f"{given.name} holds no image of its own: it describes {', '.join(own)}."
        raise NotAnImage(msg)


def _scaled(micrograph: Micrograph, nm: float | None, *, override: bool) -> Micrograph:
    if nm is None or (micrograph.pixel_size.is_known and not override):
        return micrograph
    return micrograph.with_pixel_size(PixelSize(nm, _BY_COMMAND_LINE))


def _measured(given: _Input, recipe: Recipe, pixel_size_nm: float) -> _Result:
    mask = _read_mask(given)
    sha256 = file_sha256(given.path)
    size = PixelSize(pixel_size_nm, _BY_COMMAND_LINE)
    analysis = analyse_mask(mask, size, recipe, name=given.name, sha256=sha256)
    # An instance map keeps its own numbers; written again it would get new ones.
    return _Result(analysis, write_instances=mask.dtype == bool)


def _read_mask(given: _Input) -> NDArray[np.generic]:
    """Return bool (h, w) of a binary mask, whole numbers (pages, h, w) of an instance map."""
    entries = contents_safely(given.path, name=given.name)
    pages = [read_safely(given.path, data=entry.index, name=given.name).pixels for entry in entries]
    if len({page.shape for page in pages}) > 1:
        sizes = ", ".join(f"{page.shape[1]} x {page.shape[0]}" for page in pages)
        msg = f"{given.name}: expected the pages of an instance map to have one size, found {sizes}"
        raise AntemaError(msg)
    stack = np.stack(pages)
    values = np.unique(stack[stack != 0])
    if len(pages) == 1 and values.size <= 1 and np.all(np.isfinite(values)):
        return np.not_equal(stack[0], 0)
    if stack.dtype.kind in "iu" and stack.dtype.itemsize > 1 and values[-1] <= np.iinfo(np.uint16).max:
        return stack
    found = f"{count_text(len(pages), 'page')} of {stack.dtype} with {count_text(int(values.size), 'value')} beside 0"
    msg = f"{given.name}: expected a binary mask (one value beside 0) or instance numbers of 16 bits, found {found}"
    raise AntemaError(msg)


def _done_image(image: str, result: _Result, picture: bytes, notes: Sequence[str]) -> ReportImage:
    analysis = result.analysis
    n_measured = int((analysis.table["status"] == "measured").sum())
    return ReportImage(
        name=image,
        sha256=analysis.sha256,
        pixel_size_nm=analysis.pixel_size.nm,
        pixel_size_source=analysis.pixel_size.source,
        png=picture,
        n_measured=n_measured,
        n_dropped=len(analysis.table) - n_measured,
        notes=tuple(notes),
        bar_pixel_size_nm=None if result.bar is None else result.bar.pixel_size_nm,
        scale_warnings=result.scale_warnings,
        trust=analysis.trust,
        polarity=analysis.polarity,
        scales=analysis.scales,
        is_coloured_by_class=bool(picture and (analysis.table["crystallinity"] != "").any()),
    )


def _scale(size: PixelSize) -> dict[str, object]:
    return {"pixel_size_nm": size.nm, "pixel_size_source": size.source}


def _said(analysis: Analysis) -> dict[str, object]:
    """Return what the network said beside its map; nothing of a mask."""
    if not analysis.polarity:
        return {}
    trust = None if analysis.trust is None else analysis.trust.to_dict()
    return {"trust": trust, "polarity": analysis.polarity, "working_scales": list(analysis.scales)}


def _card(name: str) -> dict[str, Any]:
    from antema import nets

    return next((dict(card.content) for card in nets.models() if card.name == name), {})


def _make_folders(out: Path, *inner: str) -> None:
    try:
        for folder in (out, *(out / name for name in inner)):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{out}: expected a folder that results can be written to, found that it cannot be ({error.strerror})"
        raise AntemaError(msg) from error
