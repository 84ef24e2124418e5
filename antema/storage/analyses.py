"""Analyses: one recipe over one sample, and how its result is looked at."""

import dataclasses

from sqlalchemy import select
from sqlalchemy.orm import Session

from antema.domain import AntemaError, Recipe, View
from antema.storage import schema
from antema.storage.base import ANONYMOUS, StoreBase, found, now, number, record, who
from antema.storage.hidden import hidden_ids, is_hidden, unused_id
from antema.storage.records import AnalysisRow
from antema.storage.samples import get_sample


class Analyses(StoreBase):
    """The store's part for analyses."""

    def create_analysis(self, sample_id: int, recipe: Recipe, by: str) -> AnalysisRow:
        """Make an analysis; its results are made by a job."""
        with self._database.writing() as session:
            return to_analysis(add_analysis(session, sample_id, recipe, by))

    def analyses(self, sample_id: int) -> list[AnalysisRow]:
        """Return the analyses of a sample, newest first."""
        table = schema.Analysis
        with self._database.reading() as session:
            sample = get_sample(session, sample_id)
            shown = (table.sample_id == sample.id) & table.id.not_in(hidden_ids("analysis"))
            rows = session.scalars(select(table).where(shown).order_by(table.id.desc()))
            return [to_analysis(row) for row in rows]

    def analysis(self, analysis_id: int) -> AnalysisRow:
        """Return one analysis. NotFound when there is none."""
        with self._database.reading() as session:
            return to_analysis(get_analysis(session, analysis_id))

    def current_analysis(self, sample_id: int) -> AnalysisRow | None:
        """Return the analysis that the sample shows; None when it has none yet."""
        with self._database.reading() as session:
            current = get_sample(session, sample_id).current_analysis_id
            return None if current is None else to_analysis(get_analysis(session, current))

    def set_current_analysis(self, sample_id: int, analysis_id: int, by: str, *, why: str = "") -> None:
        """Let the sample show this analysis; the others are kept.

        Raises
        ------
        AntemaError
            For an analysis of another sample, and one in the bin.
        """
        with self._database.writing() as session:
            row = get_analysis(session, analysis_id)
            refuse_deleted(session, row)
            make_current(session, row, sample_id, by, why)

    def set_view(self, analysis_id: int, view: View, *, by: str = ANONYMOUS, why: str = "") -> AnalysisRow:
        """Change how the result of an analysis is looked at; the result itself stays."""
        with self._database.writing() as session:
            row = get_analysis(session, analysis_id)
            # what earlier versions did not keep was the usual
            before, after = dataclasses.asdict(View(**row.view)), dataclasses.asdict(view)
            changed = {name: value for name, value in after.items() if before.get(name) != value}
            if changed:
                row.view = after
                record(
                    session,
                    who(session, by),
                    "change view",
                    "analysis",
                    row.id,
                    sample_id=row.sample_id,
                    before={name: before.get(name) for name in changed},
                    after=changed,
                    why=why,
                )
            return to_analysis(row)


def get_analysis(session: Session, analysis_id: int) -> schema.Analysis:
    """Return the row of an analysis. NotFound when there is none."""
    return found(session.get(schema.Analysis, number(analysis_id, "analysis")), "analysis", analysis_id)


def refuse_deleted(session: Session, row: schema.Analysis) -> None:
    """Raise AntemaError for an analysis that is in the bin, by itself or with its sample."""
    get_sample(session, row.sample_id)
    if is_hidden(session, "analysis", row.id):
        msg = f"{row.sample.name}: expected a result that is not in the bin, found that it is: take it back first"
        raise AntemaError(msg)


def add_analysis(session: Session, sample_id: int, recipe: Recipe, by: str) -> schema.Analysis:
    """Return the row of a new analysis."""
    sample = get_sample(session, sample_id)
    row = schema.Analysis(
        id=unused_id(session, schema.Analysis, "analysis"),
        sample=sample,
        recipe=_keep_recipe(session, recipe),
        status="queued",
        view=dataclasses.asdict(View()),
        created_by=who(session, by),
        created_at=now(),
        finished_at=None,
    )
    session.add(row)
    session.flush()
    return row


def make_current(session: Session, row: schema.Analysis, sample_id: int, by: str, why: str) -> None:
    """Let the sample of an analysis show it, in the caller's transaction."""
    sample = get_sample(session, sample_id)
    if row.sample_id != sample.id:
        msg = f"expected an analysis of the sample {sample.name}, found one of {row.sample.name}"
        raise AntemaError(msg)
    if sample.current_analysis_id == row.id:
        return
    before = {"current_analysis_id": sample.current_analysis_id}
    sample.current_analysis_id = row.id
    record(
        session,
        who(session, by),
        "show analysis",
        "analysis",
        row.id,
        sample_id=sample.id,
        before=before,
        after={"current_analysis_id": row.id},
        why=why,
    )


def to_analysis(row: schema.Analysis) -> AnalysisRow:
    """Return a row as it is handed out."""
    return AnalysisRow(
        id=row.id,
        sample_id=row.sample_id,
        recipe=Recipe.from_dict(row.recipe.parameters),
        created_by=row.created_by,
        created_at=row.created_at,
        status=row.status,
        view=View(**row.view),
        is_current=row.sample.current_analysis_id == row.id,
        finished_at=row.finished_at,
    )


def _keep_recipe(session: Session, recipe: Recipe) -> schema.Recipe:
    fingerprint = recipe.fingerprint()
    row = session.get(schema.Recipe, fingerprint)
    if row is None:
        row = schema.Recipe(fingerprint=fingerprint, parameters=recipe.to_dict(), first_used_at=now())
        session.add(row)
    return row
