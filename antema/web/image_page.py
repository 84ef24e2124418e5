"""What the image page shows: one micrograph, its particles, and what people changed."""

from typing import Any

import numpy as np
import pandas as pd
from dash import html

from antema.domain import DROP_REASONS, QUANTITIES
from antema.stats import format_number
from antema.storage import Edit, ImageResult, StoredMicrograph
from antema.web.format import count, pixel_size
from antema.web.state import store

_FURTHER_NUMBERS = (
    ("Orientation", "orientation_deg", "°"),
    ("Mean grey value", "mean_grey", ""),
    ("Counts for, with border loss", "border_weight", " particles"),
)
EXCLUSION_REASONS = ("not a particle", "wrong outline", "several particles", "dirt or support", "out of focus")


def results_of(micrograph: StoredMicrograph) -> list[dict[str, Any]]:
    """Return the analyses that hold a result for this micrograph, newest first, as options."""
    from antema.web.sample_page import analysis_label

    return [
        {"label": analysis_label(analysis), "value": analysis.id}
        for analysis in store().analyses(micrograph.sample_id)
        if any(r.micrograph_id == micrograph.id and r.status == "done" for r in store().image_results(analysis.id))
    ]


def facts(micrograph: StoredMicrograph) -> list[Any]:
    """Return what is known of the micrograph: size, scale and its origin, microscope."""
    size = micrograph.pixel_size
    rows: list[tuple[str, Any]] = [
        ("Size", f"{micrograph.width} × {micrograph.height} px, {micrograph.dtype}"),
        ("Pixel size", f"{pixel_size(size.nm)} ({size.source})"),
    ]
    if micrograph.user_pixel_size_nm is not None and micrograph.file_pixel_size_nm is not None:
        differs = abs(micrograph.user_pixel_size_nm / micrograph.file_pixel_size_nm - 1)
        words = f"{pixel_size(micrograph.file_pixel_size_nm)} ({100 * differs:.1f} % off)"
        rows.append(("The file says", html.Span(words, className="warning" if differs > 0.01 else "")))
    if size.nm is not None:
        rows.append(
            ("Field", f"{format_number(micrograph.width * size.nm)} × {format_number(micrograph.height * size.nm)} nm")
        )
    rows += [(key.replace("_", " "), str(value)) for key, value in micrograph.metadata.items()]
    rows.append(("Added", f"{micrograph.added_at:%Y-%m-%d %H:%M} UTC by {micrograph.added_by}"))
    rows.append(("sha256", html.Code(micrograph.sha256[:16] + "…", title=micrograph.sha256)))
    if micrograph.left_out_reason:
        rows.append(("Left out", micrograph.left_out_reason))
    return [html.Dl([part for label, value in rows for part in (html.Dt(label), html.Dd(value))], className="facts")]


def counts(table: pd.DataFrame, result: ImageResult | None) -> str:
    """Return what was found, in one sentence."""
    if result is None:
        return "This micrograph has no result yet."
    if not result.counts:
        return f"This micrograph does not count: {result.not_counted_reason}."
    measured = table[table["status"] == "measured"]
    n_dropped = len(table) - len(measured)
    words = f"{count(len(measured))} particles measured, {count(n_dropped)} left out"
    if len(measured):
        diameters = measured["equivalent_diameter_nm"].to_numpy(float)
        words += f"; median equivalent diameter {format_number(float(np.median(diameters)))} nm in this image"
    return ". ".join([words, *result.notes]) + "."


def particle_numbers(row: pd.Series) -> list[Any]:
    """Return the numbers of one particle."""
    state = (
        "counts"
        if row["status"] == "measured"
        else f"left out: {DROP_REASONS.get(row['drop_reason'], row['drop_reason'])}"
    )
    rows: list[tuple[str, str]] = [("State", state)]
    if row["drop_reason"] == "excluded_by_user" and row.get("exclusion_reason"):
        rows.append(("Why", str(row["exclusion_reason"])))
    rows.append(("Separated", "yes" if row["separated"] else "no"))
    for quantity in QUANTITIES:
        value = float(row[quantity.column])
        if np.isfinite(value):
            rows.append((quantity.label, f"{format_number(value)} {quantity.unit}".strip()))
    for label, column, unit in _FURTHER_NUMBERS:
        value = float(row[column])
        if np.isfinite(value):
            rows.append((label, f"{format_number(value)}{unit}"))
    rows.append(("Convention", str(row["convention"])))
    return [html.Dl([part for label, value in rows for part in (html.Dt(label), html.Dd(value))], className="facts")]


def step(analysis_id: int, micrograph_id: int, picked: int | None, by: int) -> int | None:
    """Return the number of the next (or previous) particle that counts; the first one where none is picked."""
    table = store().particles(analysis_id)
    rows = table[(table["micrograph_id"] == micrograph_id) & (table["status"] == "measured")]
    numbers = sorted(int(number) for number in rows["particle"])
    if not numbers:
        return None
    if picked is None:
        return numbers[0] if by > 0 else numbers[-1]
    further = [n for n in numbers if n > picked] if by > 0 else [n for n in reversed(numbers) if n < picked]
    return further[0] if further else picked


def neighbours(micrograph: StoredMicrograph) -> tuple[int | None, int | None]:
    """Return the ids of the previous and the next micrograph of the sample."""
    ids = [other.id for other in store().micrographs(micrograph.sample_id)]
    place = ids.index(micrograph.id)
    return (ids[place - 1] if place else None), (ids[place + 1] if place + 1 < len(ids) else None)


def edit_trail(micrograph_id: int) -> list[Any]:
    """Return every change made to this micrograph and its particles, newest first."""
    edits = [e for target in ("micrograph", "particle") for e in store().edits(target=target, target_id=micrograph_id)]
    if not edits:
        return [html.P("Nobody changed anything yet.", className="quiet")]
    return [
        html.Ol([html.Li(_edit_words(edit)) for edit in sorted(edits, key=lambda edit: -edit.id)], className="trail")
    ]


def _edit_words(edit: Edit) -> list[Any]:
    particle = edit.after.get("particle")
    changed = [
        f"{key.replace('_', ' ')} {_value(edit.before.get(key))} → {_value(value)}"
        for key, value in edit.after.items()
        if key != "sha256" and value != edit.before.get(key)
    ]
    words: list[Any] = [html.B(edit.who), f" {edit.what}", f" {particle}" if particle is not None else ""]
    if changed:
        words.append(f": {', '.join(changed)}")
    if edit.why:
        words.append(html.I(f" “{edit.why}”"))
    words.append(html.Span(f" · {edit.at:%Y-%m-%d %H:%M} UTC", className="quiet"))
    return words


def _value(value: object) -> str:
    return "–" if value is None or value == "" else str(value)
