"""Digests of particle files that an earlier version wrote without one."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select, update

from antema.storage import schema
from antema.storage.database import Database
from antema.storage.verification import DAMAGED, digest_of


def learn_digests(database: Database, path_of: Callable[[str], Path]) -> int:
    """Write down the digest of each particle file that has none in the database; return how many were written down.

    A file that cannot be read as a table any more is written down as damaged and counts as absent from then on. One
    that is not there, which may come back, is looked for again.

    Parameters
    ----------
    database : Database
        The database.
    path_of : callable
        Where the particle file of a result key lies.
    """
    row = schema.ImageResult
    with database.reading() as session:
        keys = list(session.scalars(select(row.key).where(row.particles_sha256.is_(None))))
    there = [key for key in keys if path_of(key).is_file()]
    for key in there:
        learned = _digest(path_of(key))
        with database.writing() as session:
            unknown = (row.key == key) & row.particles_sha256.is_(None)
            session.execute(update(row).where(unknown).values(particles_sha256=learned))
    return len(there)


def _digest(path: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        digest = digest_of(path)
        pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException):
        return DAMAGED
    return digest
