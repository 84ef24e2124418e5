"""What a person changed of a sample, put onto what the sample holds by now: nobody undoes another without knowing."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from antema.domain import ChangedMeanwhile
from antema.storage import schema

_PROPERTIES = "properties"
_Part = tuple[str, str]


def onto_present(
    session: Session, row: schema.Sample, changes: Mapping[str, Any], seen: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the changes as they are to be kept: where `seen` was left as it was, what the sample holds now.

    Parameters
    ----------
    session : Session
        For who made the other change.
    row : schema.Sample
        The sample as it is now.
    changes : mapping
        New values by field. Each of the properties counts by itself.
    seen : mapping
        What the person saw of these fields before changing them.

    Raises
    ------
    ChangedMeanwhile
        Where somebody else changed the same to something else.
    """
    mine, was = _parts(changes), _parts({field: seen[field] for field in changes})
    present = _parts({field: getattr(row, field) for field in changes})
    wanted = [part for part in {**was, **mine} if mine.get(part) != was.get(part)]
    taken = [part for part in wanted if present.get(part) not in (was.get(part), mine.get(part))]
    if taken:
        sentences = [_sentence(session, row.id, part, mine.get(part), present.get(part)) for part in taken]
        msg = f"{' '.join(sentences)} Nothing was saved. Save again to have yours, or cancel to keep what is there."
        raise ChangedMeanwhile(msg, present={field: getattr(row, field) for field, _ in taken})
    kept = present | {part: mine.get(part) for part in wanted}
    values: dict[str, Any] = {field: kept[field, ""] for field in changes if field != _PROPERTIES}
    if _PROPERTIES in changes:
        values[_PROPERTIES] = {
            name: value for (field, name), value in kept.items() if field == _PROPERTIES and value is not None
        }
    return values


def _parts(values: Mapping[str, Any]) -> dict[_Part, Any]:
    parts = {(field, ""): value for field, value in values.items() if field != _PROPERTIES}
    return parts | {(_PROPERTIES, name): value for name, value in (values.get(_PROPERTIES) or {}).items()}


def _sentence(session: Session, sample_id: int, part: _Part, mine: object, present: object) -> str:
    field, name = part
    label = name or field.replace("_", " ").capitalize()
    return f"{label}: {_who(session, sample_id, part)} has meanwhile made it {_words(present)}, you {_words(mine)}."


def _who(session: Session, sample_id: int, part: _Part) -> str:
    """Return who changed this part of the sample last."""
    field, name = part
    query = (
        select(schema.Edit)
        .where(schema.Edit.target == "sample", schema.Edit.target_id == sample_id)
        .order_by(schema.Edit.id.desc())
    )
    for edit in session.scalars(query):
        before, after = edit.before.get(field), edit.after.get(field)
        if name:
            before, after = (before or {}).get(name), (after or {}).get(name)
        if field in edit.after and before != after:
            return edit.who
    return "somebody"


def _words(value: object) -> str:
    if value is None or value == "":
        return "empty"
    return f"“{value.isoformat() if isinstance(value, date) else value}”"
