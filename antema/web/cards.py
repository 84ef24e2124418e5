"""A micrograph of a sample as a card."""

from typing import Any

from dash import dcc, html

from antema.storage import ImageResult, StoredMicrograph
from antema.web.format import count, pixel_size


def micrograph_card(
    micrograph: StoredMicrograph, result: ImageResult | None, *, checked: bool, analysis_id: int | None, version: int
) -> html.Div:
    """Return the card: picture, name, scale and its origin, what became of it."""
    if result is not None and result.status == "done":
        picture = f"/media/preview/{analysis_id}/{micrograph.id}.png?size=360&v={result.result_key}-{version}"
    else:
        picture = f"/media/blob/{micrograph.thumbnail_sha256}.png"
    classes = "card-micrograph" + (" left-out" if micrograph.left_out_reason else "")
    return html.Div(
        [
            dcc.Checklist(
                [{"label": "", "value": "on"}],
                ["on"] if checked else [],
                id={"type": "micrograph-check", "micrograph": micrograph.id},
                className="card-check",
            ),
            dcc.Link(
                html.Img(src=picture, alt=micrograph.filename, className="card-picture"),
                href=f"/images/{micrograph.id}",
            ),
            html.Div(
                [
                    html.Div(micrograph.filename, className="card-name", title=micrograph.filename),
                    _scale(micrograph),
                    _state(micrograph, result),
                ],
                className="card-text",
            ),
        ],
        className=classes,
        key=str(micrograph.id),
    )


def _scale(micrograph: StoredMicrograph) -> html.Div:
    size = micrograph.pixel_size
    if not size.is_known:
        reason = size.source.removeprefix("none: ")
        return html.Div(
            [html.I(className="bi bi-exclamation-triangle"), " needs a pixel size"],
            className="card-scale missing",
            title=f"No usable scale: {reason}. Tick the card and set it.",
        )
    return html.Div(
        [pixel_size(size.nm), html.Span(f" · {size.source}", className="quiet")],
        className="card-scale",
        title=f"{micrograph.width} × {micrograph.height} px; scale from {size.source}",
    )


def _state(micrograph: StoredMicrograph, result: ImageResult | None) -> html.Div:
    if micrograph.left_out_reason:
        return html.Div(f"left out: {micrograph.left_out_reason}", className="card-state warning")
    if result is None:
        return html.Div("not analysed", className="card-state quiet")
    if result.status == "failed":
        return html.Div(result.error, className="card-state danger", title=result.error)
    particles = "1 particle" if result.n_measured == 1 else f"{count(result.n_measured)} particles"
    words: list[Any] = [f"{particles}, {count(result.n_dropped)} left out"]
    if result.stale:
        words.append(html.Span(" · scale changed since: analyse again", className="warning"))
    elif result.notes:
        words.append(html.Span(f" · {result.notes[0]}", className="quiet"))
    return html.Div(words, className="card-state", title=" ".join(result.notes))
