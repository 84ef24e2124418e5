"""What analyses gave: results of images, their particles, and particles that a person takes out."""

import io
import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from antema.domain import DROP_REASONS, AntemaError, Instance, NotFound, PixelSize, Trust
from antema.storage import schema
from antema.storage.analyses import get_analysis, to_analysis
from antema.storage.base import StoreBase, now, number, record, required, who
from antema.storage.blobs import replacing
from antema.storage.database import Database
from antema.storage.file_images import image_of, is_same_image
from antema.storage.hidden import hidden_ids
from antema.storage.kept import Kept
from antema.storage.micrographs import get_micrograph, to_micrograph
from antema.storage.records import AnalysisRow, ImageResult, StoredMicrograph
from antema.storage.verification import digest_of

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import pandas as pd

    from antema.analysis import Analysis
    from antema.nets.classified import EvidenceMap
    from antema.storage.particle_files import ParticleFile

_TABLES_KEPT = 8
_TABLES_OF_ONE_KEPT = 64
_LISTS_KEPT = 32
_OVERLAYS_KEPT = 16
_PNG_LEVEL = 3  # half the time of the usual 6, for a few per cent more bytes


class Results(StoreBase):
    """The store's part for results and particles."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        super().__init__(data_dir, database)
        self._tables: Kept[pd.DataFrame] = Kept(_TABLES_KEPT)
        self._tables_of_one: Kept[pd.DataFrame] = Kept(_TABLES_OF_ONE_KEPT)
        self._image_results: Kept[tuple[list[ImageResult], Hashable]] = Kept(_LISTS_KEPT)
        self._lists_of_now: dict[Hashable, tuple[Hashable, list[ImageResult]]] = {}
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

    def micrographs_to_analyse(self, analysis_id: int) -> list[StoredMicrograph]:
        """Return the micrographs that an analysis is of, in the order they were added: those it was started with.

        What came into the sample later is not among them; what was moved or left out since is.
        """
        with self._database.reading() as session:
            analysis = get_analysis(session, analysis_id)
            return [to_micrograph(link.micrograph) for link in session.scalars(_links_of(analysis.id))]

    def analyses_of(self, micrograph_id: int) -> list[AnalysisRow]:
        """Return the analyses that hold a result of a micrograph, newest first, of any sample; none in the bin."""
        link, analysis = schema.AnalysisImage, schema.Analysis
        with self._database.reading() as session:
            micrograph = get_micrograph(session, micrograph_id)
            query = select(analysis).join(link, link.analysis_id == analysis.id)
            query = query.where(link.micrograph_id == micrograph.id, link.status == "done")
            query = query.where(analysis.id.not_in(hidden_ids("analysis")))
            query = query.where(analysis.sample_id.not_in(hidden_ids("sample")))
            return [to_analysis(row) for row in session.scalars(query.order_by(analysis.id.desc()))]

    def begin_image(self, analysis_id: int, micrograph_id: int) -> int:
        """Write down that work on an image begins; return how often it has begun now without coming to an end."""
        with self._database.writing() as session:
            link = _link(session, analysis_id, micrograph_id)
            if link.result_key is None:
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
        segmentation = self.put_blob(_png(analysis.segmentation))
        maps = None if analysis.maps is None else self.put_blob(_png(analysis.maps))
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
            write_particles(
                temporary,
                analysis.table,
                analysis.instances,
                provenance,
                analysis.evidence,
                analysis.level_diameters_nm,
            )
            particles = digest_of(temporary)
        self._verification.note(self.parquet_path(result_key), particles)
        measured = int(np.count_nonzero(analysis.table["status"] == "measured"))
        with self._database.writing() as session:
            link = _link(session, analysis_id, micrograph_id)
            lost = any(self.blob_fault(sha256) for sha256 in (segmentation, maps) if sha256)
            if lost or not self.parquet_path(result_key).is_file():
                msg = f"{analysis.name}: its files were deleted from the bin at this very moment: analyse again"
                raise AntemaError(msg)
            row = session.get(schema.ImageResult, result_key)
            if row is not None:
                row.segmentation_sha256, row.maps_sha256, row.particles_sha256 = segmentation, maps, particles
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
                        maps_sha256=maps,
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
        """Keep that an image could not be analysed, and why; a result that it has stays."""
        self._save_without_result(analysis_id, micrograph_id, "failed", reason)

    def save_skipped(self, analysis_id: int, micrograph_id: int, reason: str) -> None:
        """Keep that an image was not tried, and why."""
        self._save_without_result(analysis_id, micrograph_id, "skipped", reason)

    def image_results(
        self, analysis_id: int, *, with_skipped: bool = False, exclusions: bool = True
    ) -> list[ImageResult]:
        """Return what an analysis gave for each micrograph it tried, in the order the micrographs were added.

        Parameters
        ----------
        analysis_id : int
            The analysis.
        with_skipped : bool
            Whether micrographs that could not be tried for want of a pixel size are listed too.
        exclusions : bool
            Whether what people excluded stays out (`antema.domain.View`); all counts as it was computed otherwise.
        """
        wanted = ("done", "failed", "skipped") if with_skipped else ("done", "failed")
        link = schema.AnalysisImage
        version = self._database.version()
        key = (analysis_id, wanted, exclusions)
        known = self._lists_of_now.get(key)
        if known is not None and known[0] == (version, _stamps(known[1])):
            return list(known[1])
        with self._database.reading() as session:
            analysis_id = number(analysis_id, "analysis")

            def read() -> list[ImageResult]:
                analysis = get_analysis(session, analysis_id)
                query = select(link).where(link.analysis_id == analysis.id, link.status.in_(wanted))
                return [self._of_link(session, row) for row in session.scalars(query.order_by(link.micrograph_id))]

            def read_with_stamps() -> tuple[list[ImageResult], Hashable]:
                listed = read()
                return listed, _stamps(listed)

            state = (analysis_id, wanted, self._state_of(session, analysis_id))
            found, stamps = self._image_results.get(state, read_with_stamps)
            if stamps != _stamps(found):  # a file has changed under the rows
                found = read()
        results = list(found) if exclusions else [one.as_computed for one in found]
        if len(self._lists_of_now) >= _LISTS_KEPT:
            self._lists_of_now.clear()
        self._lists_of_now[key] = (version, _stamps(results)), results
        return list(results)

    @staticmethod
    def _state_of(session: Session, analysis_id: int) -> Hashable:
        """Return all that the list of an analysis' results is made of, read without making objects of it."""
        link, micrograph, sample = schema.AnalysisImage, schema.Micrograph, schema.Sample
        query = (
            select(*link.__table__.columns, *micrograph.__table__.columns, sample.name)
            .select_from(link)
            .join(micrograph, micrograph.id == link.micrograph_id)
            .join(sample, sample.id == micrograph.sample_id)
            .where(link.analysis_id == analysis_id)
            .order_by(link.micrograph_id)
        )
        rows = repr([tuple(row) for row in session.execute(query)])
        image = schema.FileImage
        looked_at = (
            select(image.micrograph_id, image.data_index, image.display_sha256)
            .join(link, link.micrograph_id == image.micrograph_id)
            .where(link.analysis_id == analysis_id, image.display_sha256.is_not(None))
        )
        pictures = tuple(tuple(row) for row in session.execute(looked_at))
        return rows, pictures, _exclusions(session, analysis_id)

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
        return (
            self._particles_fault(row)
            or self.blob_fault(row.segmentation_sha256)
            or (self.blob_fault(row.maps_sha256) if row.maps_sha256 else "")
        )

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

    def particles(
        self, analysis_id: int, *, exclusions: bool = True, images: Sequence[ImageResult] | None = None
    ) -> "pd.DataFrame":
        """Return every detected object of an analysis.

        Parameters
        ----------
        analysis_id : int
            The analysis.
        exclusions : bool
            Whether what people excluded stays out; all is as it was computed otherwise.
        images : sequence of ImageResult, optional
            What `image_results` gave: the table is of that moment then, whatever was excluded since.

        Returns
        -------
        DataFrame
            `antema.domain.PARTICLE_COLUMNS`, ``micrograph_id``, ``exclusion_reason``, then what else the analysis
            measured. Sample and image carry their present names. Objects that a person excluded are ``dropped`` with
            the reason ``excluded_by_user``. Micrographs that people left out are not in it, nor are those whose
            particle file is lost or damaged: `image_results` has them as failed. Micrographs that were moved or scaled
            otherwise since are in it as they were computed. Rows are in the order of micrographs and particle numbers.

        Raises
        ------
        AntemaError
            When the particle files of all its micrographs are lost or damaged.
        """
        from antema.storage.particle_files import read_particles

        if images is None:
            images = self.image_results(analysis_id, exclusions=exclusions)
        files = self._particle_files(analysis_id, images)
        # Copy on write makes this cheap and keeps what the caller does to his table out of the next one's.
        return self._tables.get(files, lambda: read_particles(files)).copy(deep=False)

    def particles_of(self, analysis_id: int, micrograph_id: int, *, exclusions: bool = True) -> "pd.DataFrame":
        """Return the rows of `particles` that are of one micrograph, without reading the others."""
        from antema.storage.particle_files import read_particles

        with self._database.reading() as session:
            links = session.scalars(_links_of(get_analysis(session, analysis_id).id, micrograph_id))
            images = [self._of_link(session, link) for link in links]
        files = self._particle_files(analysis_id, images if exclusions else [one.as_computed for one in images])
        return self._tables_of_one.get(files, lambda: read_particles(files)).copy(deep=False)

    def columns(
        self, analysis_id: int, images: Sequence[ImageResult]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, int], dict[str, float]]:
        """Return what the numbers of results are made of (`antema.storage.particle_files.read_columns`)."""
        from antema.storage.particle_files import read_columns

        return read_columns(self._particle_files(analysis_id, images))

    def _particle_files(self, analysis_id: int, images: Sequence[ImageResult]) -> "tuple[ParticleFile, ...]":
        """Return the particle files of results that count; an error where all of them are lost or damaged."""
        from antema.storage.particle_files import ParticleFile

        with self._database.reading() as session:
            sample = get_analysis(session, analysis_id).sample.name
        counting = [one for one in images if one.result_key and one.counts]
        files = tuple(
            ParticleFile(
                path=self.parquet_path(one.result_key),
                sample=sample,
                image=one.filename,
                micrograph_id=one.micrograph_id,
                exclusions=tuple(zip(one.excluded, one.exclusion_reasons, strict=True)),
            )
            for one in counting
            if one.result_key and one.status == "done"
        )
        if counting and not files:
            msg = f"{counting[0].filename}: {counting[0].error}"
            raise AntemaError(msg)
        return files

    def instances(self, analysis_id: int, micrograph_id: int, *, exclusions: bool = True) -> list[Instance]:
        """Return the masks of one result in the order of its particle numbers, exclusions by people applied if asked.

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
            excluded = {row.particle: row.reason for row in result.exclusions if exclusions}
        return apply_exclusions(read_instances(path), list(read_statuses(path)), excluded)

    def maps(self, analysis_id: int, micrograph_id: int) -> NDArray[np.uint8] | None:
        """Return what the network said of a micrograph (`antema.analysis.Analysis.maps`); None where it is not kept.

        Results of earlier versions have none.

        Raises
        ------
        NotFound
            When there is no such result, or its file is lost.
        """
        from PIL import Image

        with self._database.reading() as session:
            sha256 = _result_of(session, analysis_id, micrograph_id).maps_sha256
            filename = get_micrograph(session, micrograph_id).filename
        if sha256 is None:
            return None
        if fault := self.blob_fault(sha256):
            msg = f"{filename}: the network's map of this result is {fault}: analyse again"
            raise NotFound(msg)
        with Image.open(self.blob_path(sha256)) as picture:
            return np.asarray(picture)

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

    def overlay_png(
        self,
        analysis_id: int,
        micrograph_id: int,
        classes: Mapping[int, str] | None = None,
        *,
        exclusions: bool = True,
    ) -> bytes:
        """Return the outlines of one result as a transparent PNG of the micrograph's size.

        Parameters
        ----------
        analysis_id, micrograph_id : int
            Which result.
        classes : mapping, optional
            Crystallinity by particle number, to colour the outlines by it; a particle that is not in it has none.
        exclusions : bool
            Whether particles that people excluded are drawn as such.

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
            excluded = tuple(row.particle for row in result.exclusions if exclusions)
            key = result.key

        def draw() -> bytes:
            instances = self.instances(analysis_id, micrograph_id, exclusions=exclusions)
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
            link.attempts = 0
            # a result whose file was lost is known by its key still, and may come back
            if link.result_key is None:
                link.status = status
                link.error = reason
                link.updated_at = now()

    def _of_link(self, session: Session, link: schema.AnalysisImage) -> ImageResult:
        analysis = get_analysis(session, link.analysis_id)
        if link.result is not None:
            fault = self._particles_fault(link.result)
            found = self._to_result(session, link.result, link.micrograph, analysis, link)
            if not fault:
                return found
            # what it was of is known still, and is needed to compute it anew
            nothing = {"n_measured": 0, "n_dropped": 0, "n_excluded": 0, "excluded": (), "exclusion_reasons": ()}
            return replace(found, status="failed", error=_fault_words(fault), **nothing)
        reason = _why_not_counted(link.micrograph)
        moved_to = _moved_to(link.micrograph, analysis)
        return ImageResult(
            analysis_id=link.analysis_id,
            micrograph_id=link.micrograph_id,
            filename=link.micrograph.filename,
            status=link.status,
            error=link.error,
            changes=("moved",) if moved_to else (),
            moved_to=moved_to,
            counts=not reason,
            not_counted_reason=reason,
            left_out_reason=link.micrograph.left_out_reason or "",
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
        reason = "" if analysis is None else _why_not_counted(micrograph)
        shape, display = image_of(session, micrograph, row.data_index)
        is_present = is_same_image(session, micrograph, row.data_index)
        moved_to = "" if analysis is None else _moved_to(micrograph, analysis)
        return ImageResult(
            analysis_id=None if analysis is None else analysis.id,
            micrograph_id=micrograph.id,
            filename=micrograph.filename,
            status="done",
            result_key=row.key,
            n_measured=row.n_measured - n_excluded,
            n_dropped=row.n_dropped + n_excluded,
            n_excluded=n_excluded,
            excluded=tuple(one.particle for one in row.exclusions),
            exclusion_reasons=tuple(one.reason for one in row.exclusions),
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
            data_index=row.data_index,
            changes=_changes(micrograph, row, moved=bool(moved_to), is_present=is_present),
            moved_to=moved_to,
            counts=not reason,
            not_counted_reason=reason,
            left_out_reason=micrograph.left_out_reason or "",
            reused=link is not None and link.reused,
            finished_at=row.created_at if link is None else link.updated_at,
        )


def _stamps(results: Sequence[ImageResult]) -> Hashable:
    """Return size and time of the particle files of results: what is known of a file that changed is true no more."""

    def stamp(path: Path | None) -> tuple[int, int] | None:
        try:
            found = None if path is None else path.stat()
        except OSError:
            return -1, -1
        return None if found is None else (found.st_size, found.st_mtime_ns)

    return tuple(stamp(one.parquet) for one in results)


def _fault_words(fault: str) -> str:
    return f"its particle file is {fault}; analyse the sample again to have it computed anew"


def _links_of(analysis_id: int, micrograph_id: int | None = None) -> Select[schema.AnalysisImage]:
    link = schema.AnalysisImage
    query = select(link).where(link.analysis_id == analysis_id).order_by(link.micrograph_id)
    return query if micrograph_id is None else query.where(link.micrograph_id == micrograph_id)


def _exclusions(session: Session, analysis_id: int) -> tuple[tuple[str, int, str], ...]:
    link, exclusion = schema.AnalysisImage, schema.Exclusion
    query = (
        select(exclusion.result_key, exclusion.particle, exclusion.reason)
        .join(link, link.result_key == exclusion.result_key)
        .where(link.analysis_id == number(analysis_id, "analysis"))
        .order_by(exclusion.result_key, exclusion.particle)
    )
    return tuple((key, particle, reason) for key, particle, reason in session.execute(query))


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


def _why_not_counted(micrograph: schema.Micrograph) -> str:
    return "" if micrograph.left_out_reason is None else f"left out: {micrograph.left_out_reason}"


def _moved_to(micrograph: schema.Micrograph, analysis: schema.Analysis) -> str:
    return "" if micrograph.sample_id == analysis.sample_id else micrograph.sample.name


def _changes(
    micrograph: schema.Micrograph, result: schema.ImageResult, *, moved: bool, is_present: bool
) -> tuple[str, ...]:
    """Return what of a micrograph changed after a result; the pixel size of another image tells nothing."""
    found = {
        "moved": moved,
        "scale": is_present and micrograph.pixel_size_nm != result.pixel_size_nm,
        "image": not is_present,
    }
    return tuple(change for change, is_so in found.items() if is_so)


def _total(seconds: Mapping[str, float]) -> float:
    return float(seconds.get("total", sum(seconds.values())))


def _png(values: NDArray[np.bool_] | NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()
