"""Whose turn it is: jobs of several people take turns from image to image.

Of the jobs in line the one goes first whose person was served longest ago; of one person's jobs the one that has begun,
then the oldest. So four images of one person wait for four of another's five thousand, not for all of them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from antema.storage import schema
from antema.storage.base import StoreBase, now
from antema.storage.job_rows import ACTIVE, get_job

_ALIVE_S = 15.0
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class InLine:
    """A job that is at work or waits, with a living process.

    Parameters
    ----------
    job_id : int
        Which.
    person : str
        Who started it.
    waits : bool
        Whether it waits for its turn; it is at work on an image otherwise.
    has_begun : bool
        Whether it has had a turn.
    """

    job_id: int
    person: str
    waits: bool
    has_begun: bool = False


def in_order(line: Sequence[InLine], served: dict[str, datetime | None]) -> list[InLine]:
    """Return the jobs in the order of their turns.

    Parameters
    ----------
    line : sequence of InLine
        The jobs.
    served : dict
        When each person's last turn began.

    Examples
    --------
    >>> line = [InLine(1, "Ann", False), InLine(2, "Ann", True), InLine(3, "Bob", True)]
    >>> [job.job_id for job in in_order(line, {"Ann": datetime(2026, 1, 1, tzinfo=UTC)})]
    [3, 1, 2]
    """
    before: Counter[str] = Counter()
    ranked: list[tuple[int, datetime, int, InLine]] = []
    for job in sorted(line, key=lambda job: (not job.has_begun, job.job_id)):
        ranked.append((before[job.person], served.get(job.person) or _NEVER, job.job_id, job))
        before[job.person] += 1
    return [job for *_, job in sorted(ranked, key=lambda entry: entry[:3])]


class Turns(StoreBase):
    """The store's part for the order of jobs at work."""

    def wait_for_turn(self, job_id: int) -> None:
        """Write down that a job waits for its turn."""
        with self._database.writing() as session:
            get_job(session, job_id).waits_for_turn = True

    def take_turn(self, job_id: int) -> None:
        """Write down that a job's turn begins."""
        with self._database.writing() as session:
            row = get_job(session, job_id)
            row.waits_for_turn = False
            row.turn_at = now()

    def goes_first(self, job_id: int) -> bool:
        """Return whether no job that waits goes before this one."""
        with self._database.reading() as session:
            line = [job for job in _in_line(session) if job.waits or job.job_id == job_id]
            order = in_order(line, _served(session))
        return not order or order[0].job_id == job_id

    def line(self) -> list[InLine]:
        """Return the jobs at work and those that wait, these in the order of their turns.

        Also those wait that have never had a turn: of a row of jobs that one process does, all but the first.
        """
        with self._database.reading() as session:
            line, served = _in_line(session), _served(session)
        return sorted(in_order(line, served), key=lambda job: job.waits or not job.has_begun)


def _in_line(session: Session) -> list[InLine]:
    row = schema.Job
    alive = now() - timedelta(seconds=_ALIVE_S)
    query = select(row).where(row.status.in_(ACTIVE), row.heartbeat_at > alive)
    jobs = session.scalars(query)
    return [InLine(job.id, job.created_by, job.waits_for_turn, job.turn_at is not None) for job in jobs]


def _served(session: Session) -> dict[str, datetime | None]:
    row = schema.Job
    people = select(row.created_by).where(row.status.in_(ACTIVE))
    query = select(row.created_by, func.max(row.turn_at)).where(row.created_by.in_(people)).group_by(row.created_by)
    return {person: at for person, at in session.execute(query)}
