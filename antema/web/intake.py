"""A user's file taken in: read within limits, its images listed, what is burned into it found."""

import logging
from pathlib import Path
from typing import Any

from antema.domain import Annotations, Micrograph
from antema.imaging import ContentEntry, contents_safely, find_annotations, read_safely
from antema.settings import get_settings
from antema.storage import Examined, Store, StoredMicrograph

_log = logging.getLogger(__name__)


def take_in(
    store: Store, sample_id: int, path: Path, name: str, *, sha256: str | None = None, by: str
) -> StoredMicrograph:
    """Take a file into a sample as a micrograph: of several images in it the best, until somebody chooses another.

    Parameters
    ----------
    store : Store
        Where to.
    sample_id : int
        Which sample.
    path : Path
        The file, best in the store's `incoming_dir`; it moves into the store.
    name : str
        What to call it; never used as a path.
    sha256 : str, optional
        Digest that was made while the file came in: it is not hashed again then.
    by : str
        Who adds it.

    Raises
    ------
    CannotRead, NotAnImage
        As `antema.imaging.read_safely` does.
    AlreadyThere, NotFound
        As `Store.add_micrograph` does.
    """
    contents = contents_safely(path, name=name, **_limits())
    number = next((entry.index for entry in contents if entry.is_default), 0) if len(contents) > 1 else None
    micrograph = read_safely(path, data=number, name=name, sha256=sha256, **_limits())
    examined = _examined(micrograph, contents, number, name)
    return store.add_micrograph(sample_id, micrograph, path, filename=name, examined=examined, is_hashed=True, by=by)


def choose_image(store: Store, micrograph_id: int, number: int, *, by: str) -> bool:
    """Let a micrograph be another image of its file, which is read for that; return whether it was not that one before.

    Raises
    ------
    CannotRead, NotFound
        Where the file has no such image.
    """
    examine_if_needed(store, micrograph_id)
    stored, images = store.micrograph(micrograph_id), store.file_images(micrograph_id)
    best = next((image.index for image in images if image.is_default), None)
    if number == (best if stored.data_index is None else stored.data_index):
        return False
    micrograph = read_again(store, stored, number)
    store.choose_image(stored.id, micrograph, _examined(micrograph, images, number, stored.filename), by=by)
    return True


def examine_if_needed(store: Store, micrograph_id: int) -> bool:
    """List the images and find the scale bar of a file where an earlier version did not; return whether that was so."""
    if store.file_images(micrograph_id):
        return False
    stored = store.micrograph(micrograph_id)
    contents = contents_safely(store.whole_blob(stored.sha256, stored.filename), name=stored.filename, **_limits())
    micrograph = read_again(store, stored, stored.data_index)
    store.keep_examination(stored.id, _examined(micrograph, contents, stored.data_index, stored.filename))
    return True


def read_again(store: Store, stored: StoredMicrograph, number: int | None) -> Micrograph:
    """Return the image of this number of a stored file, None for the only one, read within limits.

    Raises
    ------
    AntemaError
        Where the stored file is gone, damaged, or cannot be read any more.
    """
    path = store.whole_blob(stored.sha256, stored.filename)
    return read_safely(path, data=number, name=stored.filename, sha256=stored.sha256, **_limits())


def _examined(micrograph: Micrograph, contents: list[ContentEntry], number: int | None, name: str) -> Examined:
    annotations, error = _annotations(micrograph, name)
    return Examined(contents, number, annotations, error)


def _annotations(micrograph: Micrograph, name: str) -> tuple[Annotations | None, str]:
    """Return what is burned into an image, or None and why that could not be found out: no micrograph is lost by it."""
    try:
        return find_annotations(micrograph.pixels), ""
    except Exception as error:
        _log.exception("%s: the search for a scale bar failed", name)
        return None, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _limits() -> dict[str, Any]:
    settings = get_settings()
    return {"timeout_s": settings.reader_timeout_s, "memory_bytes": settings.reader_memory_mb * 2**20}
