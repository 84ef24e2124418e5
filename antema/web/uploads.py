"""The upload route: one micrograph a request, streamed to disk, hashed on the way."""

import errno
import hashlib
import http
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import flask

from antema.domain import AlreadyThere, AntemaError, NotFound
from antema.web import room, upload_slots
from antema.web.answers import hang_up
from antema.web.intake import take_in
from antema.web.pace import Pace, paced
from antema.web.state import settings, store
from antema.web.user import current_user

uploads = flask.Blueprint("uploads", __name__)

_PIECE_BYTES = 1 << 14
_ROOM_EVERY_BYTES = 64 << 20
_LONGEST_FILENAME = 200


class _TooMuchError(AntemaError):
    """More bytes than the server takes for one file, or more files than it takes for one sample."""


class _TooSlowError(AntemaError):
    """The sender was slower than the server waits for."""


_STATUS = {
    NotFound: http.HTTPStatus.NOT_FOUND,
    AlreadyThere: http.HTTPStatus.CONFLICT,
    _TooMuchError: http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    _TooSlowError: http.HTTPStatus.REQUEST_TIMEOUT,
    room.NoRoomError: http.HTTPStatus.INSUFFICIENT_STORAGE,
    upload_slots.NoPlaceError: http.HTTPStatus.SERVICE_UNAVAILABLE,
}


@uploads.errorhandler(AntemaError)
def refused_with(error: AntemaError) -> flask.Response:
    """Answer why an upload is not taken, where the file is already, and when it may be tried again."""
    there = {}
    if isinstance(error, AlreadyThere):
        there = {"micrograph": error.micrograph_id, "sample": error.sample_id}
    answer = flask.jsonify(ok=False, error=str(error), **there)
    answer.status_code = _STATUS.get(type(error), http.HTTPStatus.UNPROCESSABLE_ENTITY)
    if isinstance(error, upload_slots.NoPlaceError):
        answer.headers["Retry-After"] = str(upload_slots.RETRY_AFTER_S)
    return answer if flask.request.method == "GET" else hang_up(answer)


@uploads.get("/upload/<sample_id>")
def ask(sample_id: str) -> flask.Response:
    """Answer whether a file of ``bytes`` would be taken now, before it is sent; else as `upload` would."""
    name = _shown_name(flask.request.headers.get("X-Filename", ""))
    _refuse_full(store().sample(sample_id).id, name)
    _refuse_size(name, flask.request.args.get("bytes", 0, type=int))
    upload_slots.require_free()
    return flask.jsonify(ok=True)


@uploads.put("/upload/<sample_id>")
def upload(sample_id: str) -> tuple[flask.Response, int]:
    """Take the request's body as one micrograph of the sample.

    The body is the file itself; its name comes percent-encoded in the header ``X-Filename`` and is only ever shown,
    never used as a path. Answers JSON: ``{"ok": true, "micrograph": id, "scale": nm or null, "offered": what the scale
    bar gives where that tells something, "images": in the file, ...}`` or ``{"ok": false, "error": sentence}``, with
    ``Retry-After`` where all places for uploads are taken, with the ``micrograph`` and ``sample`` that hold the file
    already where that is why.
    """
    # this route has a limit of its own, and says so in its own words
    flask.request.max_content_length = 2 * _most_bytes()
    name = _shown_name(flask.request.headers.get("X-Filename", ""))
    with upload_slots.taken():
        sample = store().sample(sample_id)
        _refuse_full(sample.id, name)
        temporary, digest = _receive(name)
        try:
            size = temporary.stat().st_size
            stored = take_in(store(), sample.id, temporary, name, sha256=digest, by=current_user())
            room.came_in(size)
        finally:
            temporary.unlink(missing_ok=True)
    answer = {
        "ok": True,
        "micrograph": stored.id,
        "scale": stored.pixel_size.nm,
        "source": stored.pixel_size.source,
        "offered": stored.offered_nm,
        "images": len(store().file_images(stored.id)),
        "remark": f"the search for a scale bar failed ({stored.annotations_error})" if stored.annotations_error else "",
    }
    return flask.jsonify(answer), http.HTTPStatus.CREATED


def _shown_name(header: str) -> str:
    name = unquote(header).replace("\\", "/").rsplit("/", 1)[-1].strip()
    printable = "".join(character for character in name if character.isprintable())
    return printable[:_LONGEST_FILENAME] or "unnamed"


def _refuse_full(sample_id: int, name: str) -> None:
    most = settings().max_sample_micrographs
    if store().count_micrographs(sample_id) >= most:
        msg = f"{name}: the sample holds {most} micrographs, as many as this server takes for one"
        raise _TooMuchError(msg)


def _refuse_size(name: str, size: int) -> None:
    if size > _most_bytes():
        raise _TooMuchError(_too_large(name, _most_bytes()))
    room.require_room(name, size)


def _receive(name: str) -> tuple[Path, str]:
    announced = flask.request.content_length
    _refuse_size(name, announced or 0)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=store().incoming_dir, prefix="upload-", delete=False) as file:
        path = Path(file.name)
        try:
            with paced(
                flask.request.environ,
                timeout_s=settings().upload_timeout_s,
                least_bytes_s=settings().upload_least_kb_s * 1000,
            ) as pace:
                for piece in _pieces(name, pace):
                    digest.update(piece)
                    file.write(piece)
        except OSError as error:
            path.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                msg = f"{name}: there is no space left for it on this server"
                raise room.NoRoomError(msg) from error
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path, digest.hexdigest()


def _pieces(name: str, pace: Pace) -> Iterator[bytes]:
    """Give what comes in until all has come.

    Raises
    ------
    AntemaError
        Where it is too much, comes too slowly, or breaks off.
    """
    announced, limit = flask.request.content_length, _most_bytes()
    checked = 0
    while piece := _next_piece(pace):
        pace.received += len(piece)
        if pace.received > limit:
            raise _TooMuchError(_too_large(name, limit))
        if announced is None and pace.received - checked > _ROOM_EVERY_BYTES:
            checked = pace.received
            # what has come lies on the disk already
            room.require_room(name, _ROOM_EVERY_BYTES)
        yield piece
    if pace.broken_off:
        msg = f"{name}: the upload was broken off, because {pace.broken_off}; nothing of it was kept"
        raise _TooSlowError(msg)
    if announced is not None and pace.received != announced:
        msg = f"{name}: the upload broke off after {pace.received} of {announced} bytes"
        raise AntemaError(msg)


def _next_piece(pace: Pace) -> bytes:
    try:
        return flask.request.stream.read(_PIECE_BYTES)
    except Exception:
        # a body of unknown length has no end where its sender was cut off
        if pace.broken_off:
            return b""
        raise


def _most_bytes() -> int:
    return settings().max_upload_mb * 1_000_000


def _too_large(name: str, limit: int) -> str:
    return f"{name}: larger than the {limit // 1_000_000} MB this server takes for one file"
