"""Reports and archives: made once for a result and a view, two at a time, and kept while there is room for them."""

import http
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import flask
from filelock import FileLock, Timeout

from antema.domain import AntemaError
from antema.private import FILE_MODE, private_folder
from antema.results.changes import notes_of
from antema.results.memory import key_of
from antema.storage.blobs import replacing
from antema.web.answers import attachment
from antema.web.state import store

MOST_AT_A_TIME = 2
KEPT_BYTES = 500_000_000
_LONGEST_WAIT_S = 15.0
_POLL_S = 0.2
_ASK_AGAIN_S = 5
# A request that waits holds a thread of the server.
_may_wait = threading.BoundedSemaphore(2)


class TooManyError(AntemaError):
    """As many files as the server makes at a time are being made."""


def made_once(state: str, build: Callable[[], bytes], name: str, mimetype: str) -> flask.Response:
    """Answer a file to be saved that is made of results.

    Parameters
    ----------
    state : str
        All that the file's content depends on; see `state_of`.
    build : callable
        Makes it.
    name, mimetype : str
        What it is called and what it is.
    """
    try:
        path = _path(key_of(state), build)
    except TooManyError as error:
        response = flask.Response(f"{error}\n", http.HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain")
        response.headers["Retry-After"] = str(_ASK_AGAIN_S)
        response.headers["Refresh"] = str(_ASK_AGAIN_S)  # a browser then asks again by itself
        return response
    return attachment(path.read_bytes(), name, mimetype)


def state_of(analysis_id: int) -> str:
    """Return all that a report on a result depends on, but for how it is looked at."""
    analysis = store().analysis(analysis_id)
    results = store().image_results(analysis_id)
    sample = store().sample(analysis.sample_id)
    here = {micrograph.id: micrograph for micrograph in store().micrographs(sample.id)}
    # those of the result, some of which may lie in another sample now
    micrographs = [here.get(one.micrograph_id) or store().micrograph(one.micrograph_id) for one in results]
    # the reasons of exclusions are no part of the rows above
    last_edit = [edit.id for edit in store().edits(sample_id=sample.id, target="particle", limit=1)]
    return repr((sample, analysis, results, micrographs, notes_of(store(), analysis), last_edit))


def _path(digest: str, build: Callable[[], bytes]) -> Path:
    folder = private_folder(store().data_dir / "made")
    path = folder / digest
    # with whom the same file is asked for at the same time waits for the one who makes it
    alone = FileLock(store().locks_dir / f"making-{digest[:3]}.lock", mode=FILE_MODE)
    with ExitStack() as held:
        for _ in _turns():
            if path.is_file():
                path.touch()
                return path
            if _taken(alone):
                held.callback(alone.release)
                break
        for _ in _turns():
            if place := next(filter(_taken, _places()), None):
                held.callback(place.release)
                break
        if not path.is_file():
            with replacing(path, store().incoming_dir) as temporary:
                temporary.write_bytes(build())
            _make_room(folder)
    return path


def _places() -> list[FileLock]:
    folder = store().locks_dir
    return [FileLock(folder / f"making-{place}.lock", mode=FILE_MODE) for place in range(MOST_AT_A_TIME)]


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _turns() -> Iterator[None]:
    """Give turns to try: one at once, further ones for a while where not too many are waiting already.

    Raises
    ------
    TooManyError
        When the time is over.
    """
    yield
    with _waiting():
        end = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < end:
            time.sleep(_POLL_S)
            yield
    raise TooManyError(_too_many())


@contextmanager
def _waiting() -> Iterator[None]:
    if not _may_wait.acquire(blocking=False):
        raise TooManyError(_too_many())
    try:
        yield
    finally:
        _may_wait.release()


def _too_many() -> str:
    return (
        f"This server makes {MOST_AT_A_TIME} reports or archives at a time, and others are being made. "
        f"This page asks again every {_ASK_AGAIN_S} seconds until it is the turn of yours."
    )


def _make_room(folder: Path) -> None:
    """Remove what was not asked for for longest until the rest is small enough."""
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    kept = 0
    for file in files:
        kept += file.stat().st_size
        if kept > KEPT_BYTES and file != files[0]:
            file.unlink(missing_ok=True)
