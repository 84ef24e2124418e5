"""What the store hands out: plain frozen dataclasses, free of any session."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from antema.domain import (
    Annotations,
    Disagreement,
    PixelSize,
    Recipe,
    ScaleBar,
    Trust,
    View,
    disagree,
    scale_disagreements,
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one synthesis batch gave. All times are UTC."""

    id: int
    name: str
    material: str
    batch: str
    synthesis_date: date | None
    operator: str
    notes: str
    properties: Mapping[str, str]
    archived: bool
    created_by: str
    created_at: datetime
    current_analysis_id: int | None


@dataclass(frozen=True, kw_only=True)
class SampleSummary:
    """A sample with its counts, for lists.

    Parameters
    ----------
    sample : Sample
        The sample itself.
    n_micrographs : int
        Micrographs in the sample, those left out included.
    n_left_out : int
        Micrographs that a person left out.
    n_without_scale : int
        Micrographs in use whose pixel size is not known.
    n_particles : int
        Measured particles of the current analysis; particles excluded by a person do not count.
    last_analysed : datetime or None
        When the current analysis ended.
    thumbnail_sha256 : str or None
        Picture of the first micrograph in use.
    """

    sample: Sample
    n_micrographs: int
    n_left_out: int
    n_without_scale: int
    n_particles: int
    last_analysed: datetime | None
    thumbnail_sha256: str | None

    @property
    def current_analysis_id(self) -> int | None:
        """The analysis that the sample shows."""
        return self.sample.current_analysis_id


@dataclass(frozen=True, kw_only=True)
class StoredMicrograph:
    """One micrograph of a sample.

    Parameters
    ----------
    data_index : int or None
        Which of the file's images it is (`antema.imaging.read_all`); None for the only one.
    file_pixel_size : PixelSize
        What the file says.
    user_pixel_size_nm : float or None
        What a person gave; it goes before the file's.
    user_pixel_size_by, user_pixel_size_at
        Who gave it, and when.
    pixel_size : PixelSize
        The one in force.
    annotations : Annotations or None
        What is burned into the image; None where it is not known.
    annotations_error : str
        Why it is not, where looking for it failed.
    left_out_reason : str or None
        Why a person left the micrograph out; None while it is in use.
    thumbnail_sha256, display_sha256 : str
        Blobs: a small and a full-resolution 8-bit PNG.
    """

    id: int
    sample_id: int
    filename: str
    sha256: str
    height: int
    width: int
    dtype: str
    data_index: int | None
    file_pixel_size: PixelSize
    user_pixel_size_nm: float | None
    user_pixel_size_by: str | None
    user_pixel_size_at: datetime | None
    pixel_size: PixelSize
    annotations: Annotations | None
    annotations_error: str
    metadata: Mapping[str, str | float]
    left_out_reason: str | None
    thumbnail_sha256: str
    display_sha256: str
    added_by: str
    added_at: datetime

    @property
    def is_left_out(self) -> bool:
        """Whether a person left it out."""
        return self.left_out_reason is not None

    @property
    def is_analysable(self) -> bool:
        """Whether it is in use and has a pixel size."""
        return self.left_out_reason is None and self.pixel_size.is_known

    @property
    def file_pixel_size_nm(self) -> float | None:
        """What the file says, in nm per pixel."""
        return self.file_pixel_size.nm

    @property
    def scale_bar(self) -> ScaleBar | None:
        """The scale bar burned into the image, where one was found."""
        return None if self.annotations is None else self.annotations.scale_bar

    @property
    def offered_nm(self) -> float | None:
        """The scale bar's pixel size where it would tell something: there is no scale, or another one is in force."""
        nm = None if self.scale_bar is None else self.scale_bar.pixel_size_nm
        if nm is None or self.pixel_size.nm is None:
            return nm
        return nm if disagree(nm, self.pixel_size.nm) else None

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where the file, a person and the scale bar disagree on the pixel size."""
        return scale_disagreements(self.pixel_size, file_nm=self.file_pixel_size.nm, bar=self.scale_bar)


@dataclass(frozen=True, kw_only=True)
class AnalysisRow:
    """One run of one recipe over one sample.

    Parameters
    ----------
    status : str
        The status of its job: ``queued``, ``running``, ``done``, ``failed``, ``cancelled`` or ``interrupted``.
    is_current : bool
        Whether the sample shows this analysis.
    finished_at : datetime or None
        When its job ended.
    """

    id: int
    sample_id: int
    recipe: Recipe
    created_by: str
    created_at: datetime
    status: str
    view: View
    is_current: bool
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ImageResult:
    """What an analysis gave for one micrograph.

    Parameters
    ----------
    analysis_id : int or None
        None where a result was looked up by its key alone.
    status : str
        ``done``, ``failed`` (it was tried) or ``skipped`` (it could not be tried: no scale).
    error : str
        Why it failed or was skipped; empty when done.
    n_measured, n_dropped : int
        Rows of the particle table, exclusions by a person applied.
    n_excluded : int
        How many of the dropped ones a person excluded.
    excluded : tuple of int
        Their numbers.
    exclusion_reasons : tuple of str
        Why, in the same order.
    pixel_size : PixelSize
        The one the result was computed with.
    seconds : float
        Time the computation took.
    seconds_by_step : mapping
        The same, by step.
    notes : tuple of str
        What the analysis remarked, one sentence each.
    trust : Trust or None
        Whether the image is of the kind that the model knows; None where that is not known.
    polarity : str
        ``dark`` or ``bright``: what the particles were taken to be; empty where that is not known.
    scales : tuple of float
        Scales at which the model saw the image, finest first; empty where they are not known.
    model : mapping
        ``name``, ``sha256`` and ``threshold`` of the segmentation model.
    crystallinity_model : mapping
        ``name`` and ``sha256`` of the model that classified the particles; empty where none did.
    segmentation_sha256, parquet
        Blob of the network's map at its threshold, and the particle file.
    shape, display_sha256
        Height and width, and full-resolution picture, of the image that was analysed: not the micrograph's present one
        where another image of its file was chosen since.
    is_present_image : bool
        Whether the micrograph still is the image that was analysed.
    data_index : int or None
        Which of the file's images was analysed; None for the only one.
    changes : tuple of str
        What of the micrograph changed after the result, which itself stays as it is: ``moved`` to another sample,
        ``scale`` (another pixel size is in force), ``image`` (another image of the file was chosen).
    moved_to : str
        The sample that the micrograph is in now; empty where it is still in the one that was analysed.
    counts : bool
        Whether the particles count; False where the micrograph was left out, which can be taken back.
    not_counted_reason : str
        Why they do not; empty otherwise.
    left_out_reason : str
        Why a person left the micrograph out, whether or not that acts on what is looked at; empty where nobody did.
    reused : bool
        The same computation had been done for another analysis.
    """

    analysis_id: int | None
    micrograph_id: int
    filename: str
    status: str
    error: str = ""
    result_key: str | None = None
    n_measured: int = 0
    n_dropped: int = 0
    n_excluded: int = 0
    excluded: tuple[int, ...] = ()
    exclusion_reasons: tuple[str, ...] = ()
    pixel_size: PixelSize = field(default_factory=lambda: PixelSize.none("not analysed"))
    seconds: float = 0.0
    seconds_by_step: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    trust: Trust | None = None
    polarity: str = ""
    scales: tuple[float, ...] = ()
    model: Mapping[str, Any] = field(default_factory=dict[str, Any])
    crystallinity_model: Mapping[str, Any] = field(default_factory=dict[str, Any])
    algorithm_version: str = ""
    segmentation_sha256: str | None = None
    parquet: Path | None = None
    shape: tuple[int, int] = (0, 0)
    display_sha256: str = ""
    is_present_image: bool = True
    data_index: int | None = None
    changes: tuple[str, ...] = ()
    moved_to: str = ""
    counts: bool = True
    not_counted_reason: str = ""
    left_out_reason: str = ""
    reused: bool = False
    finished_at: datetime | None = None

    @property
    def stale(self) -> bool:
        """Whether the sample should be analysed again."""
        return bool(self.changes)

    @property
    def stale_reason(self) -> str:
        """What changed after the result, in words; empty where nothing did."""
        words = {
            "moved": f"moved to the sample {self.moved_to} since",
            "scale": "pixel size changed since",
            "image": "another image of the file chosen since",
        }
        return "; ".join(words[change] for change in self.changes)

    @property
    def contributes(self) -> bool:
        """Whether particles of it are in the numbers."""
        return self.status == "done" and self.counts and self.n_measured > 0

    @property
    def as_computed(self) -> "ImageResult":
        """The same without what people excluded: every particle and every micrograph counts."""
        return replace(
            self,
            n_measured=self.n_measured + self.n_excluded,
            n_dropped=self.n_dropped - self.n_excluded,
            n_excluded=0,
            excluded=(),
            exclusion_reasons=(),
            counts=True,
            not_counted_reason="",
        )


def state_of(images: Iterable[ImageResult]) -> list[Any]:
    """Return what the numbers of results depend on, as plain values: their keys and what is excluded."""
    return [[one.micrograph_id, one.status, one.result_key, list(one.excluded)] for one in images if one.counts]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One analysis at work, and how far it is.

    Parameters
    ----------
    status : str
        ``queued``, ``running``, ``done``, ``failed``, ``cancelled`` or ``interrupted``.
    images_done : int
        Images that are through, failed ones included.
    images_failed, images_reused : int
        Those of them that failed, and whose result was there already.
    images_skipped : int
        Images without scale: no part of `images_total`.
    waits_for_turn : bool
        Whether it waits, with a living process, until other people's jobs have had their turn.
    particles : int
        Measured particles so far.
    current_share : float or None
        How much of the current image is done, as far as its network tells.
    seconds_per_image, eta_s : float or None
        Median over the images computed in this run, and the estimated time left.
    error : str
        Why the job failed or was interrupted.
    """

    id: int
    analysis_id: int
    sample_id: int
    sample_name: str
    status: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat_at: datetime | None
    waits_for_turn: bool
    pid: int | None
    host: str | None
    device: str
    cancel_requested: bool
    images_total: int
    images_done: int
    images_failed: int
    images_reused: int
    images_skipped: int
    particles: int
    current_image: str
    current_share: float | None
    seconds_per_image: float | None
    error: str

    @property
    def is_active(self) -> bool:
        """Whether it waits or works."""
        return self.status in ("queued", "running")

    @property
    def can_resume(self) -> bool:
        """Whether `antema.jobs.resume` would take it up again."""
        return self.status in ("interrupted", "cancelled", "failed") or (
            self.status == "done" and self.images_failed > 0
        )

    @property
    def share_done(self) -> float:
        """How much of the job is done, from 0 to 1."""
        if not self.images_total:
            return 0.0
        return min(1.0, (self.images_done + (self.current_share or 0.0)) / self.images_total)

    @property
    def eta_s(self) -> float | None:
        """Estimated time left in seconds; None while it cannot be told."""
        if self.seconds_per_image is None or self.status != "running":
            return None
        return self.seconds_per_image * max(0, self.images_total - self.images_done)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change that a person made. Never changed afterwards.

    Parameters
    ----------
    at : datetime
        UTC.
    who, what, why : str
        The person, the kind of change (for example ``set pixel size``), and the reason given, if any.
    target, target_id
        Kind (``sample``, ``micrograph``, ``analysis``, ``particle``, ``job``) and id of what was changed. Of a particle
        the id is its micrograph's; `after` and `before` name the particle.
    sample_id : int or None
        The sample it belongs to.
    before, after : mapping
        The changed values.
    """

    id: int
    at: datetime
    who: str
    what: str
    target: str
    target_id: int
    sample_id: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str
