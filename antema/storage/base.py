"""What all parts of the store share: its folder, its database, its blobs, and the record of who changed what."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from antema.domain import AntemaError, NotFound
from antema.domain.texts import LONGEST_REASON, limited
from antema.private import private_folder
from antema.storage import schema
from antema.storage.blobs import Blobs
from antema.storage.database import Database
from antema.storage.in_use import InUse
from antema.storage.records import Edit
from antema.storage.verification import DAMAGED, Verification

ANONYMOUS = "anonymous"
_LONGEST_NAME = 200
_BEYOND_IDS = 2**63


class StoreBase:
    """Folder, database and blobs of one installation."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        self.data_dir = data_dir
        self.incoming_dir = data_dir / "incoming"
        self.particles_dir = data_dir / "particles"
        self.locks_dir = data_dir / "locks"
        self._database = database
        self._verification = Verification()
        self._blobs = Blobs(data_dir / "blobs", self.incoming_dir, self._verification)
        private_folder(self.locks_dir)
        self.in_use = InUse(self.locks_dir / "in-use.lock")

    def version(self) -> tuple[int, int]:
        """Return what changes whenever anybody has written into the database; it costs next to nothing to ask."""
        return self._database.version()

    def close(self) -> None:
        """Close the connections to the database, and take the sign away that this process has the folder open."""
        self._database.close()
        self.in_use.close()

    def reading(self) -> AbstractContextManager[Session]:
        """Give a session that sees one state of the database, to the modules of this package."""
        return self._database.reading()

    def database_faults(self) -> list[str]:
        """Return what SQLite finds wrong with the database's file, and rows that name others which are not there."""
        return self._database.faults()

    def blob_path(self, sha256: str) -> Path:
        """Return where the blob of this digest lies. ValueError for what is no digest."""
        return self._blobs.path(sha256)

    def whole_blob(self, sha256: str, what: str) -> Path:
        """Return where a blob lies, after a look at whether it is what was stored.

        Parameters
        ----------
        sha256 : str
            Its digest.
        what : str
            What it is, for the sentence.

        Raises
        ------
        AntemaError
            When it is gone or damaged.
        """
        fault = self._blobs.fault(sha256)
        if fault:
            found = "a damaged one" if fault == DAMAGED else "none"
            msg = f"{what}: expected the stored file, found {found} (`antema check` says more)"
            raise AntemaError(msg)
        return self.blob_path(sha256)

    def blob_fault(self, sha256: str) -> str:
        """Return what is wrong with a blob (``missing``, ``damaged``), or nothing."""
        return self._blobs.fault(sha256)

    def put_blob(self, content: bytes) -> str:
        """Keep `content` and return its sha256."""
        return self._blobs.put(content)

    def adopt_file(self, file: Path, sha256: str, *, is_hashed: bool = False) -> Path:
        """Move `file` into the blobs and return its new place. ValueError when its digest is another one.

        `is_hashed` says that the digest was made of this very file just now.
        """
        return self._blobs.adopt(file, sha256, is_hashed=is_hashed)

    def edits(
        self,
        *,
        sample_id: int | None = None,
        target: str | None = None,
        target_id: int | None = None,
        limit: int | None = None,
    ) -> list[Edit]:
        """Return what was changed, newest first.

        Parameters
        ----------
        sample_id : int, optional
            Only of this sample, its micrographs, analyses and jobs.
        target, target_id : optional
            Only of this kind (``sample``, ``micrograph``, ``particle``, ``analysis``, ``job``), or this very one.
        limit : int, optional
            At most so many.
        """
        query = select(schema.Edit).order_by(schema.Edit.id.desc())
        if sample_id is not None:
            query = query.where(schema.Edit.sample_id == sample_id)
        if target is not None:
            query = query.where(schema.Edit.target == target)
        if target_id is not None:
            query = query.where(schema.Edit.target_id == target_id)
        if limit is not None:
            query = query.limit(limit)
        with self._database.reading() as session:
            return [
                Edit(
                    id=row.id,
                    at=row.at,
                    who=row.who,
                    what=row.what,
                    target=row.target,
                    target_id=row.target_id,
                    sample_id=row.sample_id,
                    before=row.before,
                    after=row.after,
                    why=row.why,
                )
                for row in session.scalars(query)
            ]


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def who(session: Session, by: str) -> str:
    """Return the user's name as it is kept, and keep that he was here."""
    name = " ".join(by.split())[:_LONGEST_NAME] or ANONYMOUS
    user = session.get(schema.User, name)
    if user is None:
        session.add(schema.User(name=name, first_seen=now(), last_seen=now()))
        # Other rows refer to the name; the unit of work does not know that they do.
        session.flush()
    else:
        user.last_seen = now()
    return name


def record(
    session: Session,
    by: str,
    what: str,
    target: str,
    target_id: int,
    *,
    sample_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> None:
    """Write down one change, in the transaction that makes it.

    Raises
    ------
    AntemaError
        For a reason that is too long.
    """
    session.add(
        schema.Edit(
            at=now(),
            who=by,
            what=what,
            target=target,
            target_id=target_id,
            sample_id=sample_id,
            before=_plain(before or {}),
            after=_plain(after or {}),
            why=limited(why.strip(), "Reason", LONGEST_REASON),
        )
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(values), default=_iso))


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    msg = f"a {type(value).__name__} cannot be kept as JSON"
    raise TypeError(msg)


def found(row: Any, kind: str, identity: object) -> Any:  # noqa: ANN401 - a row of any table
    """Return `row`, or raise that there is no such thing."""
    if row is None:
        msg = f"expected a {kind} that is stored, found none with the number {identity}"
        raise NotFound(msg)
    return row


def number(identity: object, kind: str) -> int:
    """Return an id as it comes out of an address.

    Raises
    ------
    NotFound
        When it is no number, or one that the database cannot hold: there can be no such row.
    """
    if isinstance(identity, int) and not isinstance(identity, bool) and abs(identity) < _BEYOND_IDS:
        return identity
    text = str(identity)
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return found(None, kind, repr(text[:40]))


def required(text: str, what: str, example: str) -> str:
    """Return `text` without blanks around it.

    Raises
    ------
    AntemaError
        When nothing is left.
    """
    kept = text.strip()
    if not kept:
        msg = f"{what}: expected some words, such as {example!r}, found none"
        raise AntemaError(msg)
    return kept
