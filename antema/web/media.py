"""Pictures of stored micrographs, named by content so that a browser may keep them."""

from collections.abc import Sequence
from typing import Any

import flask

from antema.analysis import called
from antema.domain import AntemaError
from antema.imaging import annotated_png
from antema.storage import MISSING, ImageResult
from antema.web.answers import plain_error
from antema.web.state import memory, store

media = flask.Blueprint("media", __name__, url_prefix="/media")

_LARGEST_PREVIEW_PX = 2048
_FOR_EVER = "private, max-age=31536000, immutable"
_FOR_A_DAY = "private, max-age=86400"

media.register_error_handler(AntemaError, plain_error)


@media.get("/blob/<sha256>.png")
def blob(sha256: str) -> flask.Response:
    """Answer a stored picture (thumbnail or full resolution)."""
    if len(sha256) != 64 or not all(character in "0123456789abcdef" for character in sha256):
        flask.abort(404)
    if store().blob_fault(sha256) == MISSING:
        flask.abort(404)
    response = flask.send_file(store().whole_blob(sha256, "Picture"), mimetype="image/png")
    response.headers["Cache-Control"] = _FOR_EVER
    return response


@media.get("/overlay/<int:analysis_id>/<int:micrograph_id>.png")
def overlay(analysis_id: int, micrograph_id: int) -> flask.Response:
    """Answer the outlines of one result as a transparent picture of the micrograph's size, exclusions applied.

    With a ``certainty`` (a fraction) they are coloured by the classes at it.
    """
    exclusions = flask.request.args.get("exclusions") != "0"
    certainty = _certainty_for(store().image_result(analysis_id, micrograph_id), _asked_certainty())

    def draw() -> bytes:
        classes = _classes(analysis_id, micrograph_id, certainty, exclusions=exclusions)
        return store().overlay_png(analysis_id, micrograph_id, classes, exclusions=exclusions)

    def key() -> list[Any]:
        return ["overlay", *what_counts(analysis_id, micrograph_id, exclusions=exclusions), certainty]

    return _png(memory().content(key, draw))


def what_counts(analysis_id: int, micrograph_id: int, *, exclusions: bool) -> list[Any]:
    """Return what the particles of one result depend on, as a key to what is remembered of them."""
    result = store().image_result(analysis_id, micrograph_id)
    return [result.result_key, list(result.excluded) if exclusions else []]


@media.get("/preview/<int:analysis_id>/<int:micrograph_id>.png")
def preview(analysis_id: int, micrograph_id: int) -> flask.Response:
    """Answer the micrograph with its outlines, at most ``size`` pixels wide; with a scale bar unless ``bar`` is no.

    With a ``certainty`` (a fraction) the outlines are coloured by the classes at it.
    """
    size = min(max(flask.request.args.get("size", 480, type=int), 64), _LARGEST_PREVIEW_PX)
    scale_bar = flask.request.args.get("bar") != "no"
    certainty = _asked_certainty()
    return _png(preview_png(analysis_id, micrograph_id, max_px=size, scale_bar=scale_bar, certainty=certainty))


def _classes(
    analysis_id: int, micrograph_id: int, certainty: float | None, *, exclusions: bool
) -> dict[int, str] | None:
    """Return the crystallinity by particle number, in their order, at a certainty; None without one."""
    if certainty is None:
        return None
    rows = called(store().particles_of(analysis_id, micrograph_id, exclusions=exclusions), certainty)
    return {int(number): str(name) for number, name in zip(rows["particle"], rows["crystallinity"], strict=True)}


def _asked_certainty() -> float | None:
    return flask.request.args.get("certainty", type=float)


def _certainty_for(result: ImageResult, certainty: float | None) -> float | None:
    """Return the certainty that the colours of a result depend on; None where no model classified its particles."""
    return certainty if result.crystallinity_model else None


def picture_versions(sample_id: int) -> dict[int, int]:
    """Return the last edit of a particle, by micrograph: outlines drawn before it are out of date."""
    versions: dict[int, int] = {}
    for edit in store().edits(sample_id=sample_id, target="particle"):
        versions.setdefault(edit.target_id, edit.id)
    return versions


def preview_png(
    analysis_id: int,
    micrograph_id: int,
    *,
    max_px: int | None,
    scale_bar: bool = True,
    certainty: float | None = None,
    with_legend: bool = False,
    exclusions: bool = True,
) -> bytes:
    """Return the annotated picture of one result (for pages, reports and archives).

    With a `certainty` the outlines are coloured by the classes of the particles at it; a legend names the colours.
    """
    # The picture and the scale bar are of this result, even if another image or pixel size was chosen since.
    result = store().image_result(analysis_id, micrograph_id)
    certainty = _certainty_for(result, certainty)
    look = [max_px, scale_bar, with_legend, certainty]

    def draw() -> bytes:
        by_number = _classes(analysis_id, micrograph_id, certainty, exclusions=exclusions)
        classes = None if by_number is None else list(by_number.values())
        return _annotated(result, max_px, scale_bar, classes, with_legend=with_legend, exclusions=exclusions)

    def key() -> list[Any]:
        counts = what_counts(analysis_id, micrograph_id, exclusions=exclusions)
        return ["preview", *counts, result.display_sha256, look]

    return memory().content(key, draw)


def _annotated(
    result: ImageResult,
    max_px: int | None,
    scale_bar: bool,  # noqa: FBT001 - private
    classes: Sequence[str] | None,
    *,
    with_legend: bool,
    exclusions: bool,
) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    assert result.analysis_id is not None
    path = store().whole_blob(result.display_sha256, f"Picture of {result.filename}")
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        pixels = np.asarray(picture.convert("L"))
    instances = store().instances(result.analysis_id, result.micrograph_id, exclusions=exclusions)
    nm = result.pixel_size.nm if scale_bar else None
    return annotated_png(pixels, instances, nm, classes=classes, with_legend=with_legend, max_px=max_px)


def _png(content: bytes) -> flask.Response:
    response = flask.Response(content, mimetype="image/png")
    if "v" in flask.request.args:
        # the page names the version it wants (`picture_versions`), so this answer stays good while its colours do
        response.headers["Cache-Control"] = _FOR_A_DAY
        return response
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(flask.request)
    return response
