"""Rows erased, and the files that go with them: those that no other row names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Delete, Update, delete, select, update
from sqlalchemy.orm import Session

from antema.storage import schema
from antema.storage.base import now, record


class Places(Protocol):
    """Where files lie."""

    def blob_path(self, sha256: str) -> Path:
        """Return where a blob lies."""
        ...

    def parquet_path(self, result_key: str) -> Path:
        """Return where the particle file of a result lies."""
        ...


@dataclass(frozen=True)
class Doomed:
    """Digests of blobs and keys of results that erased rows named."""

    blobs: frozenset[str] = field(default_factory=frozenset[str])
    results: frozenset[str] = field(default_factory=frozenset[str])

    def __or__(self, other: "Doomed") -> "Doomed":
        return Doomed(self.blobs | other.blobs, self.results | other.results)

    def pieces(self, size: int) -> Iterator["Doomed"]:
        """Give the same in pieces of at most so many of each."""
        blobs, results = sorted(self.blobs), sorted(self.results)
        for start in range(0, max(len(blobs), len(results)), size):
            yield Doomed(frozenset(blobs[start : start + size]), frozenset(results[start : start + size]))


def files_of(session: Session, doomed: Doomed, places: Places) -> list[Path]:
    """Return the files that are there and that no row names any more."""
    blobs = doomed.blobs - _named(session, doomed.blobs)
    row = schema.ImageResult
    results = doomed.results - set(session.scalars(select(row.key).where(row.key.in_(doomed.results))))
    paths = [*map(places.blob_path, sorted(blobs)), *map(places.parquet_path, sorted(results))]
    return [path for path in paths if path.is_file()]


def erase(session: Session, target: str, target_id: int, by: str) -> Doomed:
    """Erase the rows of a sample, a micrograph or an analysis, in the caller's transaction; return what they named."""
    session.flush()
    if target == "sample":
        erased = _sample(session, target_id, by)
    elif target == "analysis":
        erased = _analysis(session, target_id, by)
    else:
        erased = _micrograph(session, target_id)
    session.expire_all()
    return erased


def _sample(session: Session, sample_id: int, by: str) -> Doomed:
    sample = session.get_one(schema.Sample, sample_id)
    sample.current_analysis_id = None
    session.flush()
    doomed = Doomed()
    analyses = list(session.scalars(select(schema.Analysis.id).where(schema.Analysis.sample_id == sample_id)))
    micrographs = list(session.scalars(select(schema.Micrograph.id).where(schema.Micrograph.sample_id == sample_id)))
    for analysis in analyses:
        doomed |= _analysis(session, analysis, by)
    for micrograph in micrographs:
        doomed |= _micrograph(session, micrograph)
    # what lay in the bin of it goes with it
    row = schema.Binned
    inside = (row.target == "analysis") & row.target_id.in_(analyses)
    inside |= (row.target == "micrograph") & row.target_id.in_(micrographs)
    _change(session, update(row).where(inside, row.emptied_at.is_(None)).values(emptied_at=now()))
    # The edits name the sample: an empty row of it stays, under the name that it has in the bin, which is no other's.
    session.refresh(sample)
    sample.material = sample.batch = sample.operator = sample.notes = ""
    sample.synthesis_date, sample.properties, sample.archived = None, {}, True
    session.flush()
    return doomed


def _analysis(session: Session, analysis_id: int, by: str) -> Doomed:
    row, link = session.get_one(schema.Analysis, analysis_id), schema.AnalysisImage
    # the id is not given to another one, for this row tells of it
    record(session, by, "erase result", "analysis", row.id, sample_id=row.sample_id)
    session.flush()
    keys = set(session.scalars(select(link.result_key).where(link.analysis_id == analysis_id))) - {None}
    sample = schema.Sample
    _change(session, update(sample).where(sample.current_analysis_id == analysis_id).values(current_analysis_id=None))
    for table, column in ((link, link.analysis_id), (schema.Job, schema.Job.analysis_id)):
        _change(session, delete(table).where(column == analysis_id))
    _change(session, delete(schema.Analysis).where(schema.Analysis.id == analysis_id))
    shared = set(session.scalars(select(link.result_key).where(link.result_key.in_(keys))))
    return _results(session, {key for key in keys if key is not None} - shared)


def _micrograph(session: Session, micrograph_id: int) -> Doomed:
    row, image, link = schema.Micrograph, schema.FileImage, schema.AnalysisImage
    named = session.execute(select(row.sha256, row.thumbnail_sha256, row.display_sha256).where(row.id == micrograph_id))
    pictures = session.scalars(select(image.display_sha256).where(image.micrograph_id == micrograph_id))
    blobs = {*named.one(), *(sha256 for sha256 in pictures if sha256)}
    result = schema.ImageResult
    keys = set(session.scalars(select(result.key).where(result.micrograph_id == micrograph_id)))
    _change(session, delete(link).where(link.micrograph_id == micrograph_id))
    doomed = _results(session, keys)
    _change(session, delete(image).where(image.micrograph_id == micrograph_id))
    _change(session, delete(row).where(row.id == micrograph_id))
    return doomed | Doomed(frozenset(blobs))


def _results(session: Session, keys: Iterable[str]) -> Doomed:
    keys = frozenset(keys)
    row = schema.ImageResult
    blobs: set[str] = set()
    named = (row.segmentation_sha256, row.maps_sha256, row.overlay_sha256)
    for digests in session.execute(select(*named).where(row.key.in_(keys))):
        blobs |= {sha256 for sha256 in digests if sha256}
    _change(session, delete(schema.Exclusion).where(schema.Exclusion.result_key.in_(keys)))
    _change(session, delete(row).where(row.key.in_(keys)))
    return Doomed(frozenset(blobs), keys)


def _change(session: Session, statement: Delete | Update) -> None:
    # What the session holds of these rows is thrown away by the caller.
    session.execute(statement, execution_options={"synchronize_session": False})


def _named(session: Session, blobs: frozenset[str]) -> set[str]:
    """Return those of the blobs that rows name."""
    micrograph, image, result = schema.Micrograph, schema.FileImage, schema.ImageResult
    columns = (
        micrograph.sha256,
        micrograph.thumbnail_sha256,
        micrograph.display_sha256,
        image.display_sha256,
        result.segmentation_sha256,
        result.maps_sha256,
        result.overlay_sha256,
    )
    named: set[str] = set()
    for column in columns:
        named |= {sha256 for sha256 in session.scalars(select(column).where(column.in_(blobs))) if sha256}
    return named
