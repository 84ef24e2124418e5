"""A data folder copied while the server works on it, and put back.

First the database is copied as it stands at one moment, then every file that it names: rows only ever name files that
are there, files keep their content, and while a backup is made the bin is not emptied. So the copy is of one moment,
whatever is written meanwhile.
"""

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from antema.domain import AntemaError
from antema.private import FILE_MODE, private_file, private_folder, private_folder_in
from antema.storage.bin import BACKUP_LOCK
from antema.storage.check import Named, named_files
from antema.storage.store import DATABASE, Store, open_store
from antema.storage.verification import DAMAGED, digest_of

MANIFEST = "backup.json"
#: Folders that are copied as they are: imported models, and the truth of the demo's micrographs.
_WHOLE = ("models", "demo")
#: Folders of the files that the database names.
_NAMED = ("blobs", "particles")
#: Folders of what is unfinished.
_MAKING = "making"
_RESTORING = "restoring"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Copied:
    """What a backup, or putting one back, copied.

    Parameters
    ----------
    files, n_bytes : int
        Files that the database names, those that were there already included, and their bytes.
    problems : tuple of str
        A sentence on each file that could not be copied as the database has it.
    """

    files: int
    n_bytes: int
    problems: tuple[str, ...]


def back_up(store: Store, target: Path, *, progress: Progress = lambda _done, _total: None) -> Copied:
    """Copy the data folder of a store, which may be at work, into a folder.

    Parameters
    ----------
    store : Store
        What to copy. It may be read and written meanwhile, by any number of processes.
    target : Path
        An empty folder, one that is made, or an earlier backup: what is there already and whole is not copied again.
    progress : callable
        Told how many files are done, of how many.

    Raises
    ------
    AntemaError
        For a folder that holds something else, or that lies in the data folder, and while another backup is being made.
    """
    target = Path(target).absolute()
    _check_target(store.data_dir, target)
    lock = FileLock(store.locks_dir / BACKUP_LOCK, mode=FILE_MODE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        msg = (
            f"{target}: expected that nobody else makes a backup or empties the bin, found that somebody does: "
            "make it when that is done"
        )
        raise AntemaError(msg) from None
    try:
        _make_private(target)
        manifest = target / MANIFEST
        if not manifest.exists():
            # until it is whole it is no backup, but the folder of one
            private_file(manifest).write_text("{}\n")
        # Beside the earlier backup, which stays as it is until all files are there.
        unfinished = _begin(target / _MAKING)
        _copy_database(store.data_dir / DATABASE, unfinished / DATABASE)
        with closing(open_store(unfinished, tidy=False)) as copy:
            named = list(named_files(copy))
            copied = _copy_named(named, target, store.data_dir, progress)
        for name in _WHOLE:
            _copy_whole(store.data_dir / name, target / name)
        _fold_log(unfinished / DATABASE)
        facts = {"made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "version": version("antema")}
        facts |= {"database_sha256": digest_of(unfinished / DATABASE), "files": copied.files, "bytes": copied.n_bytes}
        facts |= {"problems": copied.problems}
        private_file(unfinished / MANIFEST).write_text(json.dumps(facts, indent=1) + "\n")
        for name in ("-wal", "-shm"):
            (target / (DATABASE + name)).unlink(missing_ok=True)
        for name in (DATABASE, MANIFEST):
            (unfinished / name).replace(target / name)
        shutil.rmtree(unfinished)
        _drop_others(target, named)
    finally:
        lock.release()
    return copied


def restore(backup: Path, data_dir: Path, *, progress: Progress = lambda _done, _total: None) -> Copied:
    """Put a backup back as a data folder. What it holds is verified on the way.

    Parameters
    ----------
    backup : Path
        A folder that `back_up` made.
    data_dir : Path
        Where to: a folder that is empty or absent, or what a killed `restore` left.
    progress : callable
        Told how many files are done, of how many.

    Raises
    ------
    AntemaError
        For a folder that is no whole backup, a damaged one, and a data folder that holds something.
    """
    backup, data_dir = Path(backup).absolute(), Path(data_dir).absolute()
    facts = _manifest(backup)
    _check_empty(data_dir)
    if digest_of(backup / DATABASE) != facts["database_sha256"]:
        msg = f"{backup}: expected the database as it was copied, found a damaged one: take another backup"
        raise AntemaError(msg)
    _make_private(data_dir)
    # Under another name until all its files are there: a folder without a database is no data folder yet.
    unfinished = _begin(data_dir / _RESTORING)
    for name in _WHOLE:
        _copy_whole(backup / name, data_dir / name)
    shutil.copyfile(backup / DATABASE, private_file(unfinished / DATABASE))
    with closing(open_store(unfinished, tidy=False)) as copy:
        copied = _copy_named(list(named_files(copy)), data_dir, backup, progress)
        copy.restart_bin()
        for job in copy.jobs(active=True):
            copy.interrupt_job(job.id, "it was at work when the backup was made", was_told=True)
    _fold_log(unfinished / DATABASE)
    (unfinished / DATABASE).replace(data_dir / DATABASE)
    shutil.rmtree(unfinished)
    return copied


def _check_target(data_dir: Path, target: Path) -> None:
    if target.is_relative_to(data_dir):
        msg = f"{target}: expected a folder outside of the data folder, found one in it"
        raise AntemaError(msg)
    if target.exists() and not target.is_dir():
        msg = f"{target}: expected a folder, found a file"
        raise AntemaError(msg)
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).exists():
        found = ", ".join(sorted(path.name for path in target.iterdir())[:3])
        msg = f"{target}: expected an empty folder or an earlier backup, found {found} in it"
        raise AntemaError(msg)


def _check_empty(data_dir: Path) -> None:
    found = {path.name for path in data_dir.iterdir()} if data_dir.is_dir() else set[str]()
    if DATABASE in found:
        msg = f"{data_dir}: expected an empty data folder, found one in use: move it away first, nothing is overwritten"
        raise AntemaError(msg)
    if found and not (_RESTORING in found and found <= {_RESTORING, *_NAMED, *_WHOLE}):
        names = ", ".join(sorted(found)[:3])
        msg = f"{data_dir}: expected an empty data folder, found {names} in it: move that away first"
        raise AntemaError(msg)


def _make_private(folder: Path) -> None:
    private_folder(folder)
    folder.chmod(stat.S_IRWXU)


def _begin(folder: Path) -> Path:
    """Return an empty folder for what is unfinished, without what a killed process has left there."""
    shutil.rmtree(folder, ignore_errors=True)
    return private_folder(folder)


def _copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database that others write to, as it stands at one moment."""
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(private_file(target))) as copy:
        # in one step: in several it would begin anew whenever somebody writes in between
        live.backup(copy, pages=-1)


def _fold_log(database: Path) -> None:
    """Fold the write-ahead log into the database's file, which is whole without those beside it then."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _copy_named(named: list[Named], to: Path, source: Path, progress: Progress) -> Copied:
    """Copy files that a database names from one folder to another, as it has their digests."""
    problems: list[str] = []
    files = n_bytes = 0
    for done, file in enumerate(named):
        progress(done, len(named))
        # the database that names it may lie elsewhere than its files go
        short = Path(*file.path.parts[-3:])
        target, original = to / short, source / short
        if not (target.is_file() and digest_of(target) == file.sha256):
            private_folder_in(to, target.parent)
            fault = _copy_file(original, target, file.sha256)
            if fault:
                problems.append(f"{file.words}: {file.kind_words} is {fault}")
                continue
        files += 1
        n_bytes += target.stat().st_size
    progress(len(named), len(named))
    return Copied(files, n_bytes, tuple(problems))


def _copy_file(source: Path, target: Path, sha256: str) -> str:
    """Copy one file; return what was wrong with it, or nothing."""
    if not source.is_file():
        return "missing"
    unfinished = private_file(target.with_name(f"{target.name}.part"))
    shutil.copyfile(source, unfinished)
    if digest_of(unfinished) != sha256:
        unfinished.unlink()
        return DAMAGED
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(target)
    return ""


def _copy_whole(source: Path, target: Path) -> None:
    """Copy a folder as it is; what is there already of the same size and time stays."""
    for path in _files(source):
        place = target / path.relative_to(source)
        known = path.stat()
        if place.is_file() and (place.stat().st_size, place.stat().st_mtime) == (known.st_size, known.st_mtime):
            continue
        private_folder_in(target.parent, place.parent)
        shutil.copy2(path, place)
        place.chmod(FILE_MODE)


def _drop_others(target: Path, named: list[Named]) -> None:
    """Remove from an earlier backup what the database does not name any more."""
    kept = {Path(*file.path.parts[-3:]) for file in named}
    for folder in _NAMED:
        for path in list(_files(target / folder)):
            if path.relative_to(target) not in kept:
                path.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _manifest(backup: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((backup / MANIFEST).read_text())
    except FileNotFoundError:
        msg = f"{backup}: expected a backup, found no {MANIFEST} in it"
        raise AntemaError(msg) from None
    except json.JSONDecodeError as error:
        msg = f"{backup / MANIFEST}: expected JSON, found: {error}"
        raise AntemaError(msg) from error
    if "database_sha256" not in facts:
        msg = f"{backup}: expected a whole backup, found one that broke off: make it again into the same folder"
        raise AntemaError(msg)
    return facts
