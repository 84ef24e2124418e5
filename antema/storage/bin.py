"""The bin: samples, micrographs and results that people deleted, for a while, and then their end for good.

What lies in the bin is shown nowhere else and can be taken back. A deleted micrograph counts as left out, with who
deleted it for the reason. When it ends for good its rows go (a sample keeps an empty one, for the edits name it), and
those files that no other row names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from antema.domain import AntemaError, NotFound
from antema.private import FILE_MODE
from antema.storage import schema
from antema.storage.analyses import get_analysis
from antema.storage.base import found, now, record, who
from antema.storage.erasing import Doomed, erase, files_of
from antema.storage.hidden import hidden_ids, is_hidden
from antema.storage.job_rows import ACTIVE
from antema.storage.micrographs import get_micrograph
from antema.storage.results import Results
from antema.storage.samples import get_sample

DAYS_IN_BIN = 30
BACKUP_LOCK = "backup.lock"
_PROGRAM = "antema"
_FILES_AT_A_TIME = 500


@dataclass(frozen=True, kw_only=True)
class BinEntry:
    """Something in the bin.

    Parameters
    ----------
    target, target_id
        Kind (``sample``, ``micrograph``, ``analysis``) and id.
    name, sample_name : str
        What it was called, and its sample.
    by, at, why
        Who deleted it, when, and for what reason, if one was given.
    n_bytes : int
        Size of the files that go when it ends for good, as it was when it was deleted.
    """

    id: int
    target: str
    target_id: int
    name: str
    sample_name: str
    by: str
    at: datetime
    why: str
    n_bytes: int

    @property
    def ends_at(self) -> datetime:
        """When it ends for good."""
        return self.at + timedelta(days=DAYS_IN_BIN)


class Bin(Results):
    """The store's part for what people delete."""

    def delete(self, target: str, target_id: int, *, by: str, why: str = "") -> BinEntry:
        """Put a sample, a micrograph or a result into the bin.

        Parameters
        ----------
        target : str
            ``sample``, ``micrograph`` or ``analysis``.
        target_id : int
            Which.
        by, why : str
            Who, and the reason if there is one.

        Raises
        ------
        NotFound
            When there is no such thing, or it is in the bin already.
        AntemaError
            When a job is at work on it.
        """
        with self._database.writing() as session:
            user = who(session, by)
            name, sample, before = _take_out(session, target, target_id, user)
            row = schema.Binned(
                target=target,
                target_id=int(target_id),
                sample_id=sample.id,
                name=name,
                before=before,
                n_bytes=self._size(session, target, int(target_id), user),
                binned_by=user,
                binned_at=now(),
                why=why.strip(),
                emptied_at=None,
            )
            session.add(row)
            session.flush()
            what, gone = f"delete {_word(target)}", {"name": name}
            record(session, user, what, target, row.target_id, sample_id=sample.id, before=gone, why=why)
            return _to_entry(session, row)

    def bin(self) -> list[BinEntry]:
        """Return what lies in the bin, newest first."""
        row = schema.Binned
        with self._database.reading() as session:
            query = select(row).where(row.emptied_at.is_(None)).order_by(row.binned_at.desc(), row.id.desc())
            return [_to_entry(session, entry) for entry in session.scalars(query)]

    def take_out_of_bin(self, entry_id: int, *, by: str) -> BinEntry:
        """Put something back to where it was deleted from.

        Raises
        ------
        NotFound
            When it is not in the bin any more.
        AntemaError
            When its sample is in the bin too.
        """
        with self._database.writing() as session:
            row = _entry(session, entry_id)
            user = who(session, by)
            if row.target != "sample" and is_hidden(session, "sample", _sample_id(session, row)):
                msg = f"{row.name}: expected that its sample is not in the bin, found that it is: take the sample back"
                raise AntemaError(msg)
            _put_back(session, row)
            entry = _to_entry(session, row)
            session.delete(row)
            what = f"take {_word(row.target)} out of bin"
            record(session, user, what, row.target, row.target_id, sample_id=row.sample_id, after={"name": row.name})
            return entry

    def empty_bin(self, entry_ids: Sequence[int] | None = None, *, by: str) -> int:
        """Let things in the bin end for good; return how many bytes that freed.

        Parameters
        ----------
        entry_ids : sequence of int, optional
            Which; all by default.
        by : str
            Who empties it.

        Raises
        ------
        AntemaError
            While a backup is being made, for it copies files that would go, or somebody else empties the bin.
        """
        lock = FileLock(self.locks_dir / BACKUP_LOCK, mode=FILE_MODE)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            msg = (
                "Bin: expected that nobody else makes a backup or empties the bin, found that somebody does: "
                "empty it when that is done"
            )
            raise AntemaError(msg) from None
        try:
            return self._empty(entry_ids, by)
        finally:
            lock.release()

    def empty_expired(self) -> int:
        """Let end for good what has lain in the bin for its time; return how many bytes that freed."""
        row = schema.Binned
        with self._database.reading() as session:
            old = row.binned_at < now() - timedelta(days=DAYS_IN_BIN)
            expired = list(session.scalars(select(row.id).where(row.emptied_at.is_(None), old)))
        if not expired:
            return 0
        try:
            return self.empty_bin(expired, by=_PROGRAM)
        except AntemaError:
            # a backup is being made; the next who opens the store comes round to it
            return 0

    def restart_bin(self) -> None:
        """Let what lies in the bin lie there for its whole time from now on, as in a backup that is put back."""
        row = schema.Binned
        with self._database.writing() as session:
            session.execute(update(row).where(row.emptied_at.is_(None)).values(binned_at=now()))

    def _empty(self, entry_ids: Sequence[int] | None, by: str) -> int:
        doomed = Doomed()
        with self._database.writing() as session:
            row = schema.Binned
            query = select(row).where(row.emptied_at.is_(None)).order_by(row.id)
            if entry_ids is not None:
                query = query.where(row.id.in_([int(entry) for entry in entry_ids]))
            user = who(session, by)
            for entry in list(session.scalars(query)):
                if entry.emptied_at is not None:
                    continue  # it went with its sample
                doomed |= erase(session, entry.target, entry.target_id, user)
                entry.emptied_at = now()
                what = f"delete {_word(entry.target)} for good"
                record(session, user, what, entry.target, entry.target_id, sample_id=entry.sample_id)
                session.flush()
        return self._remove_files(doomed)

    def _remove_files(self, doomed: Doomed) -> int:
        """Remove the files among the doomed that no row names; return their bytes."""
        freed = 0
        for piece in doomed.pieces(_FILES_AT_A_TIME):
            # In a transaction that writes: whoever adds a row looks, in one of his own, whether its files are there.
            with self._database.writing() as session:
                for path in files_of(session, piece, self):
                    freed += path.stat().st_size
                    path.unlink()
        return freed

    def _size(self, session: Session, target: str, target_id: int, by: str) -> int:
        """Return the bytes of the files that would go with something: it is erased on trial."""
        session.flush()
        trial = session.begin_nested()
        doomed = erase(session, target, target_id, by)
        size = sum(
            path.stat().st_size for piece in doomed.pieces(_FILES_AT_A_TIME) for path in files_of(session, piece, self)
        )
        trial.rollback()
        session.expire_all()
        return size


def _word(target: str) -> str:
    return {"analysis": "result"}.get(target, target)


def _take_out(session: Session, target: str, target_id: int, user: str) -> tuple[str, schema.Sample, dict[str, Any]]:
    """Take something out of all lists; return its name, its sample and what it takes to put it back."""
    if target == "sample":
        sample = get_sample(session, target_id)
        _refuse_at_work(session, sample.name, schema.Analysis.sample_id == sample.id)
        name = sample.name
        # the name is free for another sample meanwhile
        sample.name = f"{name[:150]} (deleted {now():%Y-%m-%d %H:%M:%S}, {sample.id})"
        return name, sample, {"name": name}
    if target == "micrograph":
        row = get_micrograph(session, target_id)
        _refuse_hidden(session, target, row.id, row.filename)
        link = schema.AnalysisImage
        of_it = select(link.analysis_id).where(link.micrograph_id == row.id)
        _refuse_at_work(session, row.filename, schema.Analysis.id.in_(of_it))
        before = {"left_out_reason": row.left_out_reason}
        row.left_out_reason = f"deleted by {user}"
        return row.filename, row.sample, before
    if target == "analysis":
        analysis = get_analysis(session, target_id)
        name = f"result of {analysis.created_at:%Y-%m-%d %H:%M} UTC"
        _refuse_hidden(session, target, analysis.id, name)
        _refuse_at_work(session, name, schema.Analysis.id == analysis.id)
        return name, analysis.sample, {"was_current": _show_another(session, analysis)}
    msg = f"a {target} cannot be deleted"
    raise ValueError(msg)


def _show_another(session: Session, analysis: schema.Analysis) -> bool:
    """Let the sample show the newest other result where it shows this one; return whether it did."""
    sample = analysis.sample
    if sample.current_analysis_id != analysis.id:
        return False
    row = schema.Analysis
    others = select(row.id).where(row.sample_id == sample.id, row.id != analysis.id, row.status == "done")
    others = others.where(row.id.not_in(hidden_ids("analysis"))).order_by(row.id.desc())
    sample.current_analysis_id = session.scalar(others.limit(1))
    return True


def _put_back(session: Session, entry: schema.Binned) -> None:
    if entry.target == "sample":
        sample = session.get_one(schema.Sample, entry.target_id)
        taken = session.scalar(select(schema.Sample.id).where(func.lower(schema.Sample.name) == entry.name.lower()))
        if taken is None:
            sample.name = entry.name
        else:
            sample.name = f"{entry.name[:180]} (taken back {sample.id})"
    elif entry.target == "micrograph":
        get_micrograph(session, entry.target_id).left_out_reason = entry.before["left_out_reason"]
    else:
        analysis = get_analysis(session, entry.target_id)
        if entry.before["was_current"] and analysis.sample.current_analysis_id is None:
            analysis.sample.current_analysis_id = analysis.id


def _sample_id(session: Session, entry: schema.Binned) -> int:
    """Return the sample that something in the bin is in now."""
    if entry.target == "micrograph":
        return get_micrograph(session, entry.target_id).sample_id
    return entry.sample_id


def _entry(session: Session, entry_id: int) -> schema.Binned:
    row = session.get(schema.Binned, int(entry_id))
    return found(None if row is None or row.emptied_at is not None else row, "thing in the bin", entry_id)


def _refuse_hidden(session: Session, target: str, target_id: int, name: str) -> None:
    if is_hidden(session, target, target_id):
        msg = f"{name}: expected a {_word(target)}, found that it is in the bin already"
        raise NotFound(msg)


def _refuse_at_work(session: Session, name: str, condition: Any) -> None:  # noqa: ANN401 - an SQL expression
    query = select(schema.Job.id).join(schema.Analysis).where(schema.Job.status.in_(ACTIVE), condition)
    job = session.scalar(query.limit(1))
    if job is not None:
        msg = f"{name}: expected that no job is at work on it, found job {job}: cancel it first"
        raise AntemaError(msg)


def _to_entry(session: Session, row: schema.Binned) -> BinEntry:
    sample = session.get_one(schema.Sample, row.sample_id)
    return BinEntry(
        id=row.id,
        target=row.target,
        target_id=row.target_id,
        name=row.name,
        sample_name=row.name if row.target == "sample" else sample.name,
        by=row.binned_by,
        at=row.binned_at,
        why=row.why,
        n_bytes=row.n_bytes,
    )
