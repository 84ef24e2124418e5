"""What no list shows, because it is in the bin or was there and has ended for good."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from antema.storage import schema


def hidden_ids(target: str) -> Select[int]:
    """Return the query of the ids of a kind (``sample``, ``micrograph``, ``analysis``) that no list shows."""
    return select(schema.Binned.target_id).where(schema.Binned.target == target)


def is_hidden(session: Session, target: str, target_id: int) -> bool:
    """Return whether this very thing is, or was, in the bin."""
    query = select(func.count()).select_from(schema.Binned)
    return bool(session.scalar(query.where(schema.Binned.target == target, schema.Binned.target_id == target_id)))


def unused_id(session: Session, table: type[schema.Analysis | schema.Micrograph | schema.Job], target: str) -> int:
    """Return an id for a new row that none ever had: the edits still tell of those that are gone."""
    highest = session.scalar(select(func.max(table.id))) or 0
    named = session.scalar(select(func.max(schema.Edit.target_id)).where(schema.Edit.target == target)) or 0
    return max(highest, named) + 1
