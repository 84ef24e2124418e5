"""Samples: created, described, archived, listed with their counts."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from antema.domain import AntemaError, NotFound
from antema.domain.texts import LONGEST_NAME, LONGEST_NOTES, limited, limited_properties
from antema.storage import schema
from antema.storage.base import StoreBase, found, now, number, record, required, who
from antema.storage.hidden import hidden_ids, is_hidden
from antema.storage.records import Sample, SampleSummary
from antema.storage.sample_changes import onto_present

_LONGEST = {
    "name": ("Name", LONGEST_NAME),
    "material": ("Material", LONGEST_NAME),
    "batch": ("Batch", LONGEST_NAME),
    "operator": ("Operator", LONGEST_NAME),
    "notes": ("Notes", LONGEST_NOTES),
}
_CHANGEABLE = ("name", "material", "batch", "synthesis_date", "operator", "notes", "properties")


class Samples(StoreBase):
    """The store's part for samples."""

    def create_sample(
        self,
        name: str,
        *,
        material: str = "",
        batch: str = "",
        synthesis_date: date | None = None,
        operator: str = "",
        notes: str = "",
        properties: Mapping[str, str] | None = None,
        by: str,
    ) -> Sample:
        """Make a sample.

        Raises
        ------
        AntemaError
            For an empty name, or one that another sample has; for a text that is too long.
        """
        given = {"name": name, "material": material, "batch": batch, "operator": operator, "notes": notes}
        _check_length({**given, "properties": properties})
        with self._database.writing() as session:
            user = who(session, by)
            row = schema.Sample(
                name=_free_name(session, name),
                material=material.strip(),
                batch=batch.strip(),
                synthesis_date=synthesis_date,
                operator=operator.strip(),
                notes=notes.strip(),
                properties=dict(properties or {}),
                archived=False,
                created_by=user,
                created_at=now(),
                current_analysis_id=None,
            )
            session.add(row)
            session.flush()
            after = {field: getattr(row, field) for field in _CHANGEABLE}
            record(session, user, "create sample", "sample", row.id, sample_id=row.id, after=after)
            return to_sample(row)

    def update_sample(
        self,
        sample_id: int,
        *,
        by: str,
        why: str = "",
        seen: Mapping[str, Any] | None = None,
        **changes: Any,  # noqa: ANN401
    ) -> Sample:
        """Change what is known of a sample; what is not named stays.

        Parameters
        ----------
        sample_id : int
            Which.
        by, why : str
            Who, and the reason if there is one.
        seen : mapping, optional
            What the person saw of these fields before changing them. With it, what somebody else has changed since is
            never undone without a word; without it the changes go over whatever is there.
        **changes
            ``name``, ``material``, ``batch``, ``synthesis_date``, ``operator``, ``notes``, ``properties``.

        Raises
        ------
        NotFound, AntemaError
            For a sample that does not exist; for a name that is empty or taken; for a text that is too long.
        ChangedMeanwhile
            Where somebody else has changed the same field since it was seen.
        """
        _check_length(changes)
        unknown = sorted(set(changes) - set(_CHANGEABLE))
        if unknown:
            msg = f"a sample has no {', '.join(unknown)}"
            raise TypeError(msg)
        with self._database.writing() as session:
            row = get_sample(session, sample_id)
            if seen is not None:
                changes = onto_present(session, row, changes, seen)
            if "name" in changes:
                changes["name"] = _free_name(session, changes["name"], but=row.id)
            if "properties" in changes:
                changes["properties"] = dict(changes["properties"] or {})
            for field, value in changes.items():
                changes[field] = value.strip() if isinstance(value, str) else value
            changed = {field: value for field, value in changes.items() if value != getattr(row, field)}
            if changed:
                before = {field: getattr(row, field) for field in changed}
                for field, value in changed.items():
                    setattr(row, field, value)
                what = "rename sample" if set(changed) == {"name"} else "update sample"
                user = who(session, by)
                record(session, user, what, "sample", row.id, sample_id=row.id, before=before, after=changed, why=why)
            return to_sample(row)

    def archive_sample(self, sample_id: int, *, by: str, archived: bool = True, why: str = "") -> Sample:
        """Put a sample out of the lists, or back into them; nothing of it is removed."""
        with self._database.writing() as session:
            row = get_sample(session, sample_id)
            if row.archived != archived:
                row.archived = archived
                record(
                    session,
                    who(session, by),
                    "archive sample" if archived else "bring sample back",
                    "sample",
                    row.id,
                    sample_id=row.id,
                    before={"archived": not archived},
                    after={"archived": archived},
                    why=why,
                )
            return to_sample(row)

    def sample(self, sample_id: int) -> Sample:
        """Return one sample. NotFound when there is none."""
        with self._database.reading() as session:
            return to_sample(get_sample(session, sample_id))

    def samples(self, *, archived: bool = False) -> list[SampleSummary]:
        """Return the samples with their counts, newest first.

        Parameters
        ----------
        archived : bool
            Whether those put away are listed too.
        """
        query = select(schema.Sample).order_by(schema.Sample.created_at.desc(), schema.Sample.id.desc())
        query = query.where(schema.Sample.id.not_in(hidden_ids("sample")))
        if not archived:
            query = query.where(~schema.Sample.archived)
        with self._database.reading() as session:
            micrographs = _micrograph_counts(session)
            particles = _particle_counts(session)
            thumbnails = _thumbnails(session)
            finished: dict[int, Any] = dict(
                session.execute(select(schema.Analysis.id, schema.Analysis.finished_at)).all()
            )
            summaries: list[SampleSummary] = []
            for row in session.scalars(query):
                n, n_left_out, n_without_scale = micrographs.get(row.id, (0, 0, 0))
                current = row.current_analysis_id
                summaries.append(
                    SampleSummary(
                        sample=to_sample(row),
                        n_micrographs=n,
                        n_left_out=n_left_out,
                        n_without_scale=n_without_scale,
                        n_particles=particles.get(row.id, 0),
                        last_analysed=None if current is None else finished[current],
                        thumbnail_sha256=thumbnails.get(row.id),
                    )
                )
            return summaries


def get_sample(session: Session, sample_id: int) -> schema.Sample:
    """Return the row of a sample. NotFound when there is none, or it is in the bin."""
    row = found(session.get(schema.Sample, number(sample_id, "sample")), "sample", sample_id)
    if is_hidden(session, "sample", row.id):
        msg = f"expected a sample that is in use, found that sample {sample_id} was deleted"
        raise NotFound(msg)
    return row


def to_sample(row: schema.Sample) -> Sample:
    """Return a row as it is handed out."""
    return Sample(
        id=row.id,
        name=row.name,
        material=row.material,
        batch=row.batch,
        synthesis_date=row.synthesis_date,
        operator=row.operator,
        notes=row.notes,
        properties=dict(row.properties),
        archived=row.archived,
        created_by=row.created_by,
        created_at=row.created_at,
        current_analysis_id=row.current_analysis_id,
    )


def _check_length(values: Mapping[str, Any]) -> None:
    for field, (label, most) in _LONGEST.items():
        if isinstance(value := values.get(field), str):
            limited(value.strip(), label, most)
    limited_properties(values.get("properties") or {}, "More")


def _free_name(session: Session, name: str, but: int | None = None) -> str:
    name = " ".join(required(name, "Sample name", "Au 2 nm batch 7").split())
    other = session.scalar(select(schema.Sample).where(func.lower(schema.Sample.name) == name.lower()))
    if other is not None and other.id != but:
        where = " among the archived ones" if other.archived else ""
        msg = f"Sample name: expected one that is free, found that there is a sample {other.name} already{where}"
        raise AntemaError(msg)
    return name


def _micrograph_counts(session: Session) -> dict[int, tuple[int, int, int]]:
    table = schema.Micrograph
    left_out = table.left_out_reason.is_not(None)
    without = table.left_out_reason.is_(None) & table.file_pixel_size_nm.is_(None) & table.user_pixel_size_nm.is_(None)
    counts = (func.count(), func.count().filter(left_out), func.count().filter(without))
    shown = table.id.not_in(hidden_ids("micrograph"))
    query = select(table.sample_id, *counts).where(shown).group_by(table.sample_id)
    return {sample: (n, n_out, n_without) for sample, n, n_out, n_without in session.execute(query)}


def _particle_counts(session: Session) -> dict[int, int]:
    excluded = (
        select(func.count())
        .select_from(schema.Exclusion)
        .where(schema.Exclusion.result_key == schema.ImageResult.key)
        .correlate(schema.ImageResult)
        .scalar_subquery()
    )
    link = schema.AnalysisImage
    query = (
        select(schema.Sample.id, func.sum(schema.ImageResult.n_measured - excluded))
        .select_from(schema.Sample)
        .join(link, link.analysis_id == schema.Sample.current_analysis_id)
        .join(schema.ImageResult, schema.ImageResult.key == link.result_key)
        .join(schema.Micrograph, schema.Micrograph.id == link.micrograph_id)
        .where(schema.Micrograph.left_out_reason.is_(None))
        .group_by(schema.Sample.id)
    )
    return {sample: int(n) for sample, n in session.execute(query)}


def _thumbnails(session: Session) -> dict[int, str]:
    table = schema.Micrograph
    first = (
        select(func.min(table.id)).where(table.left_out_reason.is_(None)).group_by(table.sample_id).scalar_subquery()
    )
    query = select(table.sample_id, table.thumbnail_sha256).where(table.id.in_(first))
    return dict(session.execute(query).all())
