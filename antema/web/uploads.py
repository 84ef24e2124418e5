"""The upload route: one micrograph a request, streamed to disk, hashed on the way."""

import errno
import hashlib
import http
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import flask

from antema.domain import AlreadyThere, AntemaError, NotFound
from antema.web.intake import take_in
from antema.web.state import settings, store
from antema.web.user import current_user

uploads = flask.Blueprint("uploads", __name__)

_PIECE_BYTES = 1 << 20
_LONGEST_FILENAME = 200


class _TooMuchError(AntemaError):
    """More bytes than the server takes for one file, or more files than it takes for one sample."""


class _NoSpaceError(AntemaError):
    """The server's disk is full."""


@uploads.put("/upload/<sample_id>")
def upload(sample_id: str) -> tuple[flask.Response, int]:
    """Take the request's body as one micrograph of the sample.

    The body is the file itself; its name comes percent-encoded in the header ``X-Filename`` and is only ever shown,
    never used as a path. Answers JSON: ``{"ok": true, "micrograph": id, "scale": nm or null, "offered": what the scale
    bar gives where that tells something, "images": in the file, ...}`` or ``{"ok": false, "error": sentence}``,
    with the ``micrograph`` and ``sample`` that hold the file already where that is why.
    """
    name = _shown_name(flask.request.headers.get("X-Filename", ""))
    temporary: Path | None = None
    try:
        _refuse_other_origins()
        sample = store().sample(sample_id)
        _refuse_full(sample.id, name)
        temporary, digest = _receive(name)
        stored = take_in(store(), sample.id, temporary, name, sha256=digest, by=current_user())
    except NotFound as error:
        return _refused(str(error), http.HTTPStatus.NOT_FOUND)
    except AlreadyThere as error:
        return _refused(str(error), http.HTTPStatus.CONFLICT, micrograph=error.micrograph_id, sample=error.sample_id)
    except _TooMuchError as error:
        return _refused(str(error), http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except _NoSpaceError as error:
        return _refused(str(error), http.HTTPStatus.INSUFFICIENT_STORAGE)
    except AntemaError as error:
        return _refused(str(error), http.HTTPStatus.UNPROCESSABLE_ENTITY)
    finally:
        if temporary is not None:
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


def _refuse_other_origins() -> None:
    # A page of another site may send a PUT with the visitor's cookies; browsers name themselves in Origin then.
    origin = flask.request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != flask.request.host:
        msg = f"upload refused: expected a request from {flask.request.host}, found one from {origin}"
        raise AntemaError(msg)


def _refuse_full(sample_id: int, name: str) -> None:
    most = settings().max_sample_micrographs
    if store().count_micrographs(sample_id) >= most:
        msg = f"{name}: the sample holds {most} micrographs, as many as this server takes for one"
        raise _TooMuchError(msg)


def _receive(name: str) -> tuple[Path, str]:
    limit = settings().max_upload_mb * 1_000_000
    announced = flask.request.content_length
    if announced is not None and announced > limit:
        raise _TooMuchError(_too_large(name, limit))
    digest = hashlib.sha256()
    received = 0
    with tempfile.NamedTemporaryFile(dir=store().incoming_dir, prefix="upload-", delete=False) as file:
        path = Path(file.name)
        try:
            while piece := flask.request.stream.read(_PIECE_BYTES):
                received += len(piece)
                if received > limit:
                    raise _TooMuchError(_too_large(name, limit))
                digest.update(piece)
                file.write(piece)
            if announced is not None and received != announced:
                msg = f"{name}: the upload broke off after {received} of {announced} bytes"
                raise AntemaError(msg)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                msg = f"{name}: there is no space left for it on this server"
                raise _NoSpaceError(msg) from error
            raise
    return path, digest.hexdigest()


def _too_large(name: str, limit: int) -> str:
    return f"{name}: larger than the {limit // 1_000_000} MB this server takes for one file"


def _refused(sentence: str, status: http.HTTPStatus, **further: object) -> tuple[flask.Response, int]:
    return flask.jsonify(ok=False, error=sentence, **further), status
