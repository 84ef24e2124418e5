"""The store put together, and opened."""

import logging
import shutil
import time
from contextlib import suppress
from pathlib import Path

from antema.private import private_folder
from antema.storage.analyses import Analyses
from antema.storage.bin import Bin
from antema.storage.database import Database
from antema.storage.digests import learn_digests
from antema.storage.job_rows import JobRows
from antema.storage.micrographs import Micrographs
from antema.storage.samples import Samples
from antema.storage.turns import Turns

_log = logging.getLogger(__name__)

DATABASE = "antema.sqlite"
_FORGOTTEN_AFTER_S = 24 * 3600.0


class Store(Samples, Micrographs, Analyses, Bin, JobRows, Turns):
    """Samples, micrographs, analyses, results and jobs of one data folder.

    Any number of threads may share one, any number of processes may open the same folder. Times are UTC; ids are whole
    numbers, and what comes out of an address as text will do. Every change that a person makes takes who makes it and
    leaves a row among the edits.
    """


def open_store(data_dir: Path, *, tidy: bool = True) -> Store:
    """Open the store of a data folder; folder and tables are made or brought up to date.

    Parameters
    ----------
    data_dir : Path
        The folder. It is made with mode 0700, what lies in it with 0600.
    tidy : bool
        Whether what is due is done: the remains of killed uploads go, and what has lain in the bin for its time.

    Raises
    ------
    AntemaError
        When a newer version of the program has written the folder.
    """
    folder = Path(data_dir).absolute()
    private_folder(folder)
    database = Database(folder / DATABASE)
    database.migrate()
    store = Store(folder, database)
    for needed in (store.incoming_dir, store.particles_dir, store.locks_dir, folder / "blobs"):
        private_folder(needed)
    if tidy:
        learn_digests(database, store.parquet_path)
        try:
            _remove_forgotten(store.incoming_dir)
            store.empty_expired()
        except Exception:
            _log.exception("%s could not be tidied up; it is tried again when it is next opened", folder)
    return store


def _remove_forgotten(incoming: Path) -> None:
    """Remove what uploads and writes that were killed have left behind."""
    oldest = time.time() - _FORGOTTEN_AFTER_S
    for path in incoming.iterdir():
        # Another process may be doing the same.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
