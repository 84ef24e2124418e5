"""What analyses gave: results of images, their particles, and particles that a person takes out."""

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from antema.domain import DROP_REASONS, AntemaError, Instance, NotFound, PixelSize, Trust
from antema.storage import schema
from antema.storage.analyses import get_analysis
from antema.storage.base import StoreBase, now, number, record, required, who
from antema.storage.blobs import replacing
from antema.storage.database import Database
from antema.storage.file_images import image_of, is_same_image
from antema.storage.kept import Kept
from antema.storage.micrographs import get_micrograph
from antema.storage.records import ImageResult
from antema.storage.verification import digest_of

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import pandas as pd

    from antema.analysis import Analysis
    from antema.nets.classified import EvidenceMap

_TABLES_KEPT = 8
_OVERLAYS_KEPT = 16


class Results(StoreBase):
    """The store's part for results and particles."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        super().__init__(data_dir, database)
        self._tables: Kept[pd.DataFrame] = Kept(_TABLES_KEPT)
        self._overlays: Kept[bytes] = Kept(_OVERLAYS_KEPT)

    def find_result(self, result_key: str) -> ImageResult | None:
        """Return the result of this very computation, whichever analysis it was done for.

        None when it was not done, and when a file of it is lost or damaged: then it has to be done again.
        """
        with self._database.reading() as session:
            row = session.get(schema.ImageResult, result_key)
            if row is None or self._fault(row):
                return None
            micrograph = get_micrograph(session, row.micrograph_id)
            return self._to_result(session, row, micrograph, None)

    def begin_image(self, analysis_id: int, micrograph_id: int) -> int:
        """Write down that work on an image begins; return how often it has begun now without coming to an end."""
        with self._database.writing() as session:
            link = _link(session, analysis_id, micrograph_id)
            link.status = "running"
            link.attempts += 1
            link.updated_at = now()
            return link.attempts

    def save_result(
        self,
        analysis_id: int,
        micrograph_id: int,
        result_key: str,
        analysis: "Analysis",
        *,
        data_index: int | None = None,
    ) -> ImageResult:
        """Keep what an image gave: particle file, pictures, rows. All of it is there afterwards, or nothing.

        Parameters
        ----------
        analysis_id, micrograph_id : int
            What it was done for.
        result_key : str
            Name of the computation (`antema.analysis.result_key`).
        analysis : antema.analysis.Analysis
            Its outcome.
        data_index : int, optional
            Which of the file's images was analysed, as the micrograph had it.
        """
        from antema.analysis import ALGORITHM_VERSION
        from antema.storage.particle_files import write_particles

        size = analysis.pixel_size
        if size.nm is None:
            msg = f"{analysis.name}: a result without pixel size cannot be kept"
            raise ValueError(msg)
        fault = self._known_fault(result_key)
        segmentation = self.put_blob(_bilevel_png(analysis.segmentation))
        provenance = {
            "image_sha256": analysis.sha256,
            "image": analysis.name,
            "data_index": data_index,
            "pixel_size_nm": size.nm,
            "pixel_size_source": size.source,
            "recipe": analysis.recipe.to_dict(),
            "model": dict(analysis.model),
            "crystallinity_model": dict(analysis.crystallinity_model) or None,
            "algorithm_version": ALGORITHM_VERSION,
            "result_key": result_key,
        }
        # Files come before the row that names them, under names made of their content's origin: what a killed process
        # leaves behind is overwritten or never looked at.
        with replacing(self.parquet_path(result_key), self.incoming_dir) as temporary:
            write_particles(temporary, analysis.table, analysis.instances, provenance, analysis.evidence)
            particles = digest_of(temporary)
        self._verification.note(self.parquet_path(result_key), particles)
        measured = int(np.count_nonzero(analysis.table["status"] == "measured"))
        with self._database.writing() as session:
            link = _link(session, analysis_id, micrograph_id)
            if self.blob_fault(segmentation) or not self.parquet_path(result_key).is_file():
                msg = f"{analysis.name}: its files were deleted from the bin at this very moment: analyse again"
                raise AntemaError(msg)
            row = session.get(schema.ImageResult, result_key)
            if row is not None:
                row.segmentation_sha256, row.particles_sha256 = segmentation, particles
                if fault:
                    said = f"A file of this result was {fault}; it was computed anew on {now():%Y-%m-%d}."
                    row.notes = [*row.notes, said]
                    _log.warning("%s: %s", analysis.name, said)
            else:
                session.add(
                    schema.ImageResult(
                        key=result_key,
                        micrograph_id=link.micrograph_id,
                        recipe_fingerprint=get_analysis(session, analysis_id).recipe_fingerprint,
                        image_sha256=analysis.sha256,
                        data_index=data_index,
                        pixel_size_nm=size.nm,
                        pixel_size_source=size.source,
                        model=dict(analysis.model),
                        algorithm_version=ALGORITHM_VERSION,
                        n_measured=measured,
                        n_dropped=len(analysis.table) - measured,
                        seconds={step: float(value) for step, value in analysis.seconds.items()},
                        notes=list(analysis.notes),
                        trust=None if analysis.trust is None else analysis.trust.to_dict(),
                        polarity=analysis.polarity or None,
                        scales=list(analysis.scales) or None,
                        crystallinity_model=dict(analysis.crystallinity_model) or None,
                        overlay_sha256="",
                        segmentation_sha256=segmentation,
                        particles_sha256=particles,
                        created_at=now(),
                        exclusions=[],
                    )
                )
                session.flush()
            _attach(link, result_key, reused=False)
            session.flush()
            session.refresh(link)
            return self._of_link(session, link)

    def link_result(self, analysis_id: int, micrograph_id: int, result_key: str) -> ImageResult:
        """Take a result that is there already into an analysis.

        Raises
        ------
        NotFound
            When it is not there.
        """
        with self._database.writing() as session:
            if session.get(schema.ImageResult, result_key) is None:
                msg = f"expected a stored result, found none named {result_key}"
                raise NotFound(msg)
            link = _link(session, analysis_id, micrograph_id)
            _attach(link, result_key, reused=True)
            session.flush()
            session.refresh(link)
            return self._of_link(session, link)

    def save_failure(self, analysis_id: int, micrograph_id: int, reason: str) -> None:
        """Keep that an image could not be analysed, and why."""
        self._save_without_result(analysis_id, micrograph_id, "failed", reason)

    def save_skipped(self, analysis_id: int, micrograph_id: int, reason: str) -> None:
        """Keep that an image was not tried, and why."""
        self._save_without_result(analysis_id, micrograph_id, "skipped", reason)

    def image_results(self, analysis_id: int, *, with_skipped: bool = False) -> list[ImageResult]:
        """Return what an analysis gave for each micrograph it tried, in the order the micrographs were added.

        Parameters
        ----------
        analysis_id : int
            The analysis.
        with_skipped : bool
            Whether micrographs that could not be tried for want of a pixel size are listed too.
        """
        wanted = ("done", "failed", "skipped") if with_skipped else ("done", "failed")
        link = schema.AnalysisImage
        with self._database.reading() as session:
            analysis = get_analysis(session, analysis_id)
            query = select(link).where(link.analysis_id == analysis.id, link.status.in_(wanted))
            return [self._of_link(session, row) for row in session.scalars(query.order_by(link.micrograph_id))]

    def image_result(self, analysis_id: int, micrograph_id: int) -> ImageResult:
        """Return what an analysis gave for one micrograph.

        Raises
        ------
        NotFound
            When the analysis has no result for the micrograph.
        AntemaError
            When its particle file is lost or damaged.
        """
        with self._database.reading() as session:
            row = _result_of(session, analysis_id, micrograph_id)
            self._whole_particles(row, get_micrograph(session, micrograph_id).filename)
            return self._of_link(session, _link(session, analysis_id, micrograph_id))

    def parquet_path(self, result_key: str) -> Path:
        """Return where the particle file of a result lies, or would lie."""
        # A key is a hex digest like a blob's; the check keeps anything else out of the path.
        self.blob_path(result_key)
        return self.particles_dir / result_key[:2] / f"{result_key}.parquet"

    def _fault(self, row: schema.ImageResult) -> str:
        """Return what is wrong with a file of a result: missing, damaged, or nothing."""
        return self._particles_fault(row) or self.blob_fault(row.segmentation_sha256)

    def _known_fault(self, result_key: str) -> str:
        """Return what is wrong with the files of a result that has a row; nothing where it has none."""
        with self._database.reading() as session:
            row = session.get(schema.ImageResult, result_key)
            return "" if row is None else self._fault(row)

    def _particles_fault(self, row: schema.ImageResult) -> str:
        """Return what is wrong with the particle file of a result: missing, damaged, or nothing."""
        return self._verification.fault(self.parquet_path(row.key), row.particles_sha256 or "")

    def _whole_particles(self, row: schema.ImageResult, image: str) -> Path:
        """Return where the particle file of a result lies. AntemaError where it is lost or damaged."""
        fault = self._particles_fault(row)
        if fault:
            msg = f"{image}: {_fault_words(fault)}"
            raise AntemaError(msg)
        return self.parquet_path(row.key)

    def particles(self, analysis_id: int) -> "pd.DataFrame":
        """Return every detected object of an analysis.

        Returns
        -------
        DataFrame
            `antema.domain.PARTICLE_COLUMNS`, ``micrograph_id``, ``exclusion_reason``, then what else the analysis
            measured. Sample and image carry their present names. Objects that a person excluded are ``dropped`` with
            the reason ``excluded_by_user``. Micrographs left out or moved to another sample since are not in it, nor
            are those whose particle file is lost or damaged: `image_results` has them as failed. Rows are in the order
            of micrographs and particle numbers.

        Raises
        ------
        AntemaError
            When the particle files of all its micrographs are lost or damaged.
        """
        from antema.storage.particle_files import ParticleFile, read_particles

        with self._database.reading() as session:
            analysis = get_analysis(session, analysis_id)
            links = [
                (link, link.result)
                for link in session.scalars(_links_of(analysis.id))
                if link.result is not None and not _why_not_counted(link.micrograph, analysis)
            ]
            files = tuple(
                ParticleFile(
                    path=self.parquet_path(result.key),
                    sample=analysis.sample.name,
                    image=link.micrograph.filename,
                    micrograph_id=link.micrograph_id,
                    exclusions=tuple((row.particle, row.reason) for row in result.exclusions),
                )
                for link, result in links
                if not self._particles_fault(result)
            )
            if links and not files:
                link, result = links[0]
                self._whole_particles(result, link.micrograph.filename)
        # Copy on write makes this cheap and keeps what the caller does to his table out of the next one's.
        return self._tables.get(files, lambda: read_particles(files)).copy(deep=False)

    def instances(self, analysis_id: int, micrograph_id: int) -> list[Instance]:
        """Return the masks of one result in the order of its particle numbers, exclusions by a person applied.

        Raises
        ------
        NotFound
            When the analysis has no result for the micrograph.
        AntemaError
            When its particle file is gone from the data folder.
        """
        from antema.storage.particle_files import apply_exclusions, read_instances, read_statuses

        with self._database.reading() as session:
            result = _result_of(session, analysis_id, micrograph_id)
            path = self._whole_particles(result, get_micrograph(session, micrograph_id).filename)
            exclusions = {row.particle: row.reason for row in result.exclusions}
        return apply_exclusions(read_instances(path), list(read_statuses(path)), exclusions)

    def evidence(self, analysis_id: int, micrograph_id: int, particle: int) -> "EvidenceMap | None":
        """Return where in a particle the model saw what speaks for each class of crystallinity.

        Returns
        -------
        EvidenceMap or None
            None where the particle was not classified.

        Raises
        ------
        NotFound
            When there is no such particle.
        AntemaError
            When its particle file is gone from the data folder.
        """
        from antema.storage.particle_files import read_evidence

        with self._database.reading() as session:
            image = get_micrograph(session, micrograph_id).filename
            path = self._whole_particles(_result_of(session, analysis_id, micrograph_id), image)
        return read_evidence(path, number(particle, "particle"))

    def overlay_png(self, analysis_id: int, micrograph_id: int, classes: Mapping[int, str] | None = None) -> bytes:
        """Return the outlines of one result as a transparent PNG of the micrograph's size, exclusions applied.

        Parameters
        ----------
        analysis_id, micrograph_id : int
            Which result.
        classes : mapping, optional
            Crystallinity by particle number, to colour the outlines by it; a particle that is not in it has none.

        Raises
        ------
        NotFound
            When the analysis has no result for the micrograph.
        """
        from antema.imaging import outline_overlay
        from antema.storage.particle_files import read_statuses

        with self._database.reading() as session:
            result = _result_of(session, analysis_id, micrograph_id)
            shape, _ = image_of(session, get_micrograph(session, micrograph_id), result.data_index)
            excluded = tuple(row.particle for row in result.exclusions)
            key = result.key

        def draw() -> bytes:
            instances = self.instances(analysis_id, micrograph_id)
            if classes is None:
                return outline_overlay(shape, instances)
            numbers = read_statuses(self.parquet_path(key))
            return outline_overlay(shape, instances, [classes.get(number, "") for number in numbers])

        # Drawn when asked for, in the colours of now: a stored picture would keep those of its day.
        coloured = None if classes is None else tuple(sorted(classes.items()))
        return self._overlays.get((key, excluded, coloured), draw)

    def exclude_particle(self, analysis_id: int, micrograph_id: int, particle: int, reason: str, by: str) -> None:
        """Take a measured particle out of the statistics, with a reason. It keeps its row.

        The exclusion hangs on the result: another analysis with the same recipe shares it.

        Raises
        ------
        NotFound
            When there is no such particle.
        AntemaError
            When it is dropped already, or for an empty reason.
        """
        reason = required(reason, "Reason", "two particles in one outline")
        status, drop_reason = self._status_of(analysis_id, micrograph_id, particle)
        if status != "measured":
            words = DROP_REASONS.get(drop_reason, drop_reason)
            msg = f"Particle {particle}: expected a measured particle, found one that does not count already: {words}"
            raise AntemaError(msg)
        with self._database.writing() as session:
            result = _result_of(session, analysis_id, micrograph_id)
            if any(row.particle == particle for row in result.exclusions):
                msg = f"Particle {particle}: expected one that counts, found that a person has excluded it already"
                raise AntemaError(msg)
            user = who(session, by)
            session.add(
                schema.Exclusion(
                    result_key=result.key, particle=particle, reason=reason, excluded_by=user, excluded_at=now()
                )
            )
            self._record_particle(session, user, "exclude particle", analysis_id, micrograph_id, particle, reason)

    def restore_particle(self, analysis_id: int, micrograph_id: int, particle: int, by: str, *, why: str = "") -> None:
        """Take a particle that a person excluded back into the statistics.

        Raises
        ------
        AntemaError
            When nobody had excluded it.
        """
        with self._database.writing() as session:
            result = _result_of(session, analysis_id, micrograph_id)
            row = session.get(schema.Exclusion, (result.key, number(particle, "particle")))
            if row is None:
                msg = f"Particle {particle}: expected one that a person excluded, found none"
                raise AntemaError(msg)
            session.delete(row)
            self._record_particle(
                session, who(session, by), "restore particle", analysis_id, micrograph_id, particle, why
            )

    def _record_particle(  # noqa: PLR0913 - one argument per column of the record
        self, session: Session, user: str, what: str, analysis_id: int, micrograph_id: int, particle: int, why: str
    ) -> None:
        statuses = ("measured", "excluded_by_user")
        before, after = statuses if what == "exclude particle" else statuses[::-1]
        record(
            session,
            user,
            what,
            "particle",
            micrograph_id,
            sample_id=get_analysis(session, analysis_id).sample_id,
            before={"analysis_id": analysis_id, "particle": particle, "status": before},
            after={"analysis_id": analysis_id, "particle": particle, "status": after},
            why=why,
        )

    def _status_of(self, analysis_id: int, micrograph_id: int, particle: int) -> tuple[str, str]:
        from antema.storage.particle_files import read_statuses

        with self._database.reading() as session:
            image = get_micrograph(session, micrograph_id).filename
            path = self._whole_particles(_result_of(session, analysis_id, micrograph_id), image)
        statuses = read_statuses(path)
        if particle in statuses:
            return statuses[particle]
        msg = f"expected a particle of this image, found none with the number {particle}"
        raise NotFound(msg)

    def _save_without_result(self, analysis_id: int, micrograph_id: int, status: str, reason: str) -> None:
        with self._database.writing() as session:
            link = _link(session, analysis_id, micrograph_id)
            link.result_key = None
            link.status = status
            link.error = reason
            link.attempts = 0
            link.reused = False
            link.updated_at = now()

    def _of_link(self, session: Session, link: schema.AnalysisImage) -> ImageResult:
        analysis = get_analysis(session, link.analysis_id)
        fault = "" if link.result is None else self._particles_fault(link.result)
        if link.result is not None and not fault:
            return self._to_result(session, link.result, link.micrograph, analysis, link)
        reason = _why_not_counted(link.micrograph, analysis)
        return ImageResult(
            analysis_id=link.analysis_id,
            micrograph_id=link.micrograph_id,
            filename=link.micrograph.filename,
            status="failed" if fault else link.status,
            error=_fault_words(fault) if fault else link.error,
            counts=not reason,
            not_counted_reason=reason,
            finished_at=link.updated_at,
        )

    def _to_result(
        self,
        session: Session,
        row: schema.ImageResult,
        micrograph: schema.Micrograph,
        analysis: schema.Analysis | None,
        link: schema.AnalysisImage | None = None,
    ) -> ImageResult:
        n_excluded = len(row.exclusions)
        reason = "" if analysis is None else _why_not_counted(micrograph, analysis)
        shape, display = image_of(session, micrograph, row.data_index)
        is_present = is_same_image(session, micrograph, row.data_index)
        return ImageResult(
            analysis_id=None if analysis is None else analysis.id,
            micrograph_id=micrograph.id,
            filename=micrograph.filename,
            status="done",
            result_key=row.key,
            n_measured=row.n_measured - n_excluded,
            n_dropped=row.n_dropped + n_excluded,
            n_excluded=n_excluded,
            pixel_size=PixelSize(row.pixel_size_nm, row.pixel_size_source),
            seconds=_total(row.seconds),
            seconds_by_step=dict(row.seconds),
            notes=tuple(row.notes),
            trust=None if row.trust is None else Trust.from_dict(row.trust),
            polarity=row.polarity or "",
            scales=tuple(row.scales or ()),
            model=dict(row.model),
            crystallinity_model=dict(row.crystallinity_model or {}),
            algorithm_version=row.algorithm_version,
            segmentation_sha256=row.segmentation_sha256,
            parquet=self.parquet_path(row.key),
            shape=shape,
            display_sha256=display,
            is_present_image=is_present,
            stale_reason=_why_stale(micrograph, row, is_present=is_present),
            counts=not reason,
            not_counted_reason=reason,
            reused=link is not None and link.reused,
            finished_at=row.created_at if link is None else link.updated_at,
        )


def _fault_words(fault: str) -> str:
    return f"its particle file is {fault}; analyse the sample again to have it computed anew"


def _links_of(analysis_id: int) -> Select[schema.AnalysisImage]:
    link = schema.AnalysisImage
    return select(link).where(link.analysis_id == analysis_id).order_by(link.micrograph_id)


def _link(session: Session, analysis_id: int, micrograph_id: int) -> schema.AnalysisImage:
    """Return the row that ties a micrograph to an analysis, made where it is absent."""
    analysis, micrograph = get_analysis(session, analysis_id), get_micrograph(session, micrograph_id)
    link = session.get(schema.AnalysisImage, (analysis.id, micrograph.id))
    if link is None:
        link = schema.AnalysisImage(
            analysis_id=analysis.id,
            micrograph=micrograph,
            result_key=None,
            status="running",
            error="",
            attempts=0,
            reused=False,
            updated_at=now(),
        )
        session.add(link)
    return link


def _attach(link: schema.AnalysisImage, result_key: str, *, reused: bool) -> None:
    link.result_key = result_key
    link.status = "done"
    link.error = ""
    link.attempts = 0
    link.reused = reused
    link.updated_at = now()


def _result_of(session: Session, analysis_id: int, micrograph_id: int) -> schema.ImageResult:
    analysis, micrograph = get_analysis(session, analysis_id), get_micrograph(session, micrograph_id)
    link = session.get(schema.AnalysisImage, (analysis.id, micrograph.id))
    if link is None or link.result is None:
        msg = f"{micrograph.filename}: expected a result of this analysis, found none"
        raise NotFound(msg)
    return link.result


def _why_not_counted(micrograph: schema.Micrograph, analysis: schema.Analysis) -> str:
    if micrograph.sample_id != analysis.sample_id:
        return f"moved to the sample {micrograph.sample.name}"
    if micrograph.left_out_reason is not None:
        return f"left out: {micrograph.left_out_reason}"
    return ""


def _why_stale(micrograph: schema.Micrograph, result: schema.ImageResult, *, is_present: bool) -> str:
    if not is_present:
        return "another image of the file chosen since"
    return "" if micrograph.pixel_size_nm == result.pixel_size_nm else "pixel size changed since"


def _total(seconds: Mapping[str, float]) -> float:
    return float(seconds.get("total", sum(seconds.values())))


def _bilevel_png(mask: NDArray[np.bool_]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()
