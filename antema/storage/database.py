"""The SQLite database: opened, brought up to date, and read or written in transactions."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from filelock import FileLock
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from antema.domain import AntemaError
from antema.private import FILE_MODE, private_file

_BUSY_MS = 30_000
# Alembic keeps the migration at work in a module-wide place.
_alembic = Lock()


class Database:
    """An engine over one SQLite file, for any number of threads and processes.

    Parameters
    ----------
    path : Path
        The file; made when absent.
    """

    def __init__(self, path: Path) -> None:
        # SQLite gives the files beside it the same rights
        self.path = private_file(path)
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_MS / 1000})
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        # A transaction that reads first and writes later fails at once when another one wrote in between, whatever
        # the busy timeout; one that will write therefore takes the lock at its start.
        self._for_writing = self._engine.execution_options(immediate=True)
        self._watcher: tuple[int, sqlite3.Connection] | None = None
        self._watching = Lock()
        # A connection must not be used on both sides of a fork (gunicorn's workers).
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: self._engine.dispose(close=False))

    def migrate(self) -> None:
        """Bring the tables to the state this version of the program expects.

        Raises
        ------
        AntemaError
            When a newer version has written the file, or it is damaged.
        """
        try:
            self._upgrade()
        except (DatabaseError, sqlite3.DatabaseError) as error:
            cause = error.orig if isinstance(error, DatabaseError) else error
            # its subclasses are other things: a locked file, a full disk
            if type(cause) is not sqlite3.DatabaseError:
                raise
            msg = f"{self.path}: expected a database, found a damaged file ({cause}): restore a backup"
            raise AntemaError(msg) from error

    def _upgrade(self) -> None:
        with _alembic, FileLock(self.path.with_name("migrate.lock"), mode=FILE_MODE):
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.set_main_option("path_separator", "os")
            script = ScriptDirectory.from_config(config)
            self._use_wal()
            with self._for_writing.begin() as connection:
                if _revision(connection) == script.get_current_head():
                    return
                config.attributes["connection"] = connection
                try:
                    command.upgrade(config, "head")
                except CommandError as error:
                    msg = f"{self.path}: expected a database of this version or an older one, found: {error}"
                    raise AntemaError(msg) from error

    def _use_wal(self) -> None:
        # Outside any transaction; the file remembers it.
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that only reads: it sees one state of the database."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are kept together when the block ends, or not at all when it raises."""
        with Session(self._for_writing) as session, session.begin():
            yield session

    def faults(self) -> list[str]:
        """Return what is wrong with the file: damaged pages, and rows that name others which are not there."""
        with self._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        strays = [f"row {row[1]} of {row[0]} names one of {row[2]} that is not there" for row in rows]
        return [*(page for page in pages if page != "ok"), *strays]

    def version(self) -> tuple[int, int]:
        """Return what changes whenever anybody has written, in this process or another; costs next to nothing."""
        with self._watching:
            if self._watcher is None or self._watcher[0] != os.getpid():
                # never written through: what others write, and this process's own connections, changes its number
                connection = sqlite3.connect(self.path, timeout=_BUSY_MS / 1000, check_same_thread=False)
                self._watcher = os.getpid(), connection
            pid, connection = self._watcher
            return pid, int(connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
        with self._watching:
            if self._watcher is not None and self._watcher[0] == os.getpid():
                self._watcher[1].close()
            self._watcher = None

    @property
    def engine(self) -> Engine:
        """The engine, for tests of the schema."""
        return self._engine


def _revision(connection: Connection) -> str | None:
    # Alembic would tell the log of every time that somebody asks.
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def _prepare(connection: sqlite3.Connection, _: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record
    # Transactions are begun below, not by the driver, whose own mode starts them too late for consistent reads.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")
