"""A micrograph of a sample as a card."""

from typing import Any

from dash import dcc, html

from antema.stats import count_text
from antema.storage import ImageResult, StoredMicrograph
from antema.web.scale_view import drawn_bar, scale_lines
from antema.web.trust_view import trust_badge


def micrograph_card(
    micrograph: StoredMicrograph, result: ImageResult | None, *, checked: bool, analysis_id: int | None, version: int
) -> html.Div:
    """Return the card: picture, name, scale and its origin, what became of it."""
    if result is not None and result.status == "done":
        picture = f"/media/preview/{analysis_id}/{micrograph.id}.png?size=360&bar=no&v={result.result_key}-{version}"
        bar = drawn_bar(result.shape[1], result.shape[0], result.pixel_size.nm)
    else:
        picture = f"/media/blob/{micrograph.thumbnail_sha256}.png"
        bar = drawn_bar(micrograph.width, micrograph.height, micrograph.pixel_size.nm)
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
                html.Div(
                    [html.Img(src=picture, alt=micrograph.filename, className="card-picture"), *bar],
                    className="card-frame",
                ),
                href=f"/images/{micrograph.id}",
            ),
            html.Div(
                [
                    html.Div(micrograph.filename, className="card-name", title=micrograph.filename),
                    *scale_lines(micrograph),
                    *trust_badge(None if result is None else result.trust),
                    _state(micrograph, result),
                ],
                className="card-text",
            ),
        ],
        className=classes,
        key=str(micrograph.id),
    )


def _state(micrograph: StoredMicrograph, result: ImageResult | None) -> html.Div:
    if micrograph.left_out_reason:
        return html.Div(f"left out: {micrograph.left_out_reason}", className="card-state warning")
    if result is None:
        return html.Div("not analysed", className="card-state quiet")
    if result.status == "failed":
        return html.Div(result.error, className="card-state danger", title=result.error)
    words: list[Any] = [f"{count_text(result.n_measured, 'particle')}, {result.n_dropped:,} left out"]
    if result.stale:
        words.append(html.Span(f" · {result.stale_reason}: analyse again", className="warning"))
    elif result.notes:
        words.append(html.Span(f" · {result.notes[0]}", className="quiet"))
    return html.Div(words, className="card-state", title=" ".join(result.notes))
