"""A whole data folder looked over: rows without files, damaged files, files without rows, half-finished ones."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from antema.domain import AntemaError
from antema.private import private_folder_in
from antema.storage import schema
from antema.storage.store import Store
from antema.storage.verification import DAMAGED, Verification

ORPHANS = "orphaned"
# What is younger may be at work, where other processes have the folder open.
_SETTLED_AFTER_S = 3600.0


@dataclass(frozen=True)
class Finding:
    """Something in a data folder that is not as it should be.

    Parameters
    ----------
    what : str
        A sentence on it.
    done : str
        What the repair made of it; empty where nothing was, or could be, done.
    is_mended : bool
        Whether it is as it should be now.
    """

    what: str
    done: str = ""
    is_mended: bool = False


@dataclass(frozen=True)
class Named:
    """A file that rows name.

    Parameters
    ----------
    path, sha256
        Where it lies, and its digest as the rows have it.
    words : str
        Whose it is.
    kind : str
        ``upload``, ``picture``, ``particles`` or ``segmentation``.
    micrograph_id, data_index
        Of which image of which micrograph.
    """

    path: Path
    sha256: str
    words: str
    kind: str
    micrograph_id: int
    data_index: int | None = None

    @property
    def kind_words(self) -> str:
        """What it is, in words."""
        return _WORDS[self.kind]


def check(
    store: Store, *, repair: bool = False, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> list[Finding]:
    """Look over the data folder of a store.

    Parameters
    ----------
    store : Store
        Its files are all read and hashed, whatever is known of them already.
    repair : bool
        Whether to mend what can be: pictures are drawn anew; damaged particle files (the next analysis computes them)
        and files that no row names are moved into the folder ``orphaned``; half-finished ones are removed. While other
        processes have the folder open, files of the last hour are left alone: they may be at work.
    progress : callable
        Told how many files are done, of how many.

    Returns
    -------
    list of Finding
        Empty where all is as it should be.
    """
    # First the files, then the rows: a row's files are there before it is.
    on_disk = [*_files(store.data_dir / "blobs"), *_files(store.particles_dir)]
    unfinished = list(store.incoming_dir.iterdir())
    findings = [Finding(f"database: {fault}") for fault in store.database_faults()]
    named = list(named_files(store))
    verification = Verification()
    for done, file in enumerate(named):
        progress(done, len(named))
        fault = verification.fault(file.path, file.sha256)
        if fault:
            findings.append(_mend(store, file, fault) if repair else Finding(_sentence(file, fault)))
    progress(len(named), len(named))
    known = {file.path for file in named_files(store)} | {file.path for file in named}
    settled = None if not store.in_use.is_by_others() else time.time() - _SETTLED_AFTER_S
    for path in sorted(set(on_disk) - known):
        found = f"{_short(store, path)}: no row names this file"
        findings.append(_put_aside(store, path, found, settled) if repair else Finding(found))
    for path in sorted(unfinished):
        if path.exists():
            found = f"{_short(store, path)}: a half-finished upload or write"
            findings.append(_remove(path, found, settled) if repair else Finding(found))
    return findings


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _short(store: Store, path: Path) -> str:
    return str(path.relative_to(store.data_dir))


def named_files(store: Store) -> Iterator[Named]:
    """Return the files that rows name, each once."""
    seen: set[Path] = set()
    with store.reading() as session:
        for file in (*_of_micrographs(store, session), *_of_results(store, session)):
            if file.path not in seen:
                seen.add(file.path)
                yield file


def _of_micrographs(store: Store, session: Session) -> Iterator[Named]:
    for row in session.scalars(select(schema.Micrograph).order_by(schema.Micrograph.id)):
        words = f"{row.filename} of the sample {row.sample.name}"
        yield Named(store.blob_path(row.sha256), row.sha256, words, "upload", row.id)
        for sha256 in (row.thumbnail_sha256, row.display_sha256):
            yield Named(store.blob_path(sha256), sha256, words, "picture", row.id, row.data_index)
        for image in session.scalars(select(schema.FileImage).where(schema.FileImage.micrograph_id == row.id)):
            if image.display_sha256:
                path = store.blob_path(image.display_sha256)
                yield Named(path, image.display_sha256, words, "picture", row.id, image.data_index)


def _of_results(store: Store, session: Session) -> Iterator[Named]:
    results = select(schema.ImageResult, schema.Micrograph).join(
        schema.Micrograph, schema.Micrograph.id == schema.ImageResult.micrograph_id
    )
    for row, micrograph in session.execute(results.order_by(schema.ImageResult.key)):
        words = f"{micrograph.filename} of the sample {micrograph.sample.name}"
        path, digest = store.parquet_path(row.key), row.particles_sha256 or ""
        yield Named(path, digest, words, "particles", micrograph.id)
        segmentation = row.segmentation_sha256
        yield Named(store.blob_path(segmentation), segmentation, words, "segmentation", micrograph.id)
        if row.maps_sha256:
            yield Named(store.blob_path(row.maps_sha256), row.maps_sha256, words, "maps", micrograph.id)
        # an earlier version stored the outlines as a picture; nothing reads it, and it is no orphan
        overlay = store.blob_path(row.overlay_sha256) if row.overlay_sha256 else None
        if overlay is not None and overlay.is_file():
            yield Named(overlay, row.overlay_sha256, words, "segmentation", micrograph.id)


_WORDS = {
    "upload": "the uploaded file",
    "picture": "a picture",
    "particles": "the particle file of a result",
    "segmentation": "the segmentation of a result",
    "maps": "the network's map of a result",
}


def _sentence(file: Named, fault: str) -> str:
    advice = {
        "upload": "upload it again, it takes the other's place",
        "picture": "--repair draws it anew",
        "particles": "analyse the sample again, and it is computed anew",
        "segmentation": "analyse the sample again, and it is computed anew",
        "maps": "analyse the sample again, and it is computed anew",
    }[file.kind]
    return f"{file.words}: {file.kind_words} is {fault}; {advice}"


def _mend(store: Store, file: Named, fault: str) -> Finding:
    found = f"{file.words}: {file.kind_words} is {fault}"
    if file.kind == "picture":
        try:
            store.draw_again(file.micrograph_id, file.data_index)
        except AntemaError as error:
            return Finding(found, f"it could not be drawn anew: {error}")
        return Finding(found, "drawn anew", is_mended=True)
    if file.kind == "upload":
        return Finding(found, "nothing can be done here: upload it again, it takes the other's place")
    advice = "analyse the sample again, and it is computed anew"
    if fault == DAMAGED:
        # where a model has changed since nothing computes it anew, and one bit is not all of it
        advice = f"{_put_aside(store, file.path, found, None).done}; {advice}"
    return Finding(found, advice)


def _put_aside(store: Store, path: Path, found: str, settled: float | None) -> Finding:
    if _may_be_at_work(path, settled):
        return Finding(found, "left alone: it is younger than an hour, and the folder is in use")
    place = store.data_dir / ORPHANS / f"{datetime.now(UTC):%Y-%m-%d}" / path.relative_to(store.data_dir)
    private_folder_in(store.data_dir, place.parent)
    path.replace(place)
    return Finding(found, f"moved to {_short(store, place)}", is_mended=True)


def _remove(path: Path, found: str, settled: float | None) -> Finding:
    if _may_be_at_work(path, settled):
        return Finding(found, "left alone: it is younger than an hour, and the folder is in use")
    with suppress(FileNotFoundError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Finding(found, "removed", is_mended=True)


def _may_be_at_work(path: Path, settled: float | None) -> bool:
    if settled is None:
        return False
    try:
        # a file that was moved to its place has its time from before
        return max(path.stat().st_mtime, path.stat().st_ctime) > settled
    except FileNotFoundError:
        return False
