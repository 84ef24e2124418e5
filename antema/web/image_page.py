"""What the image page shows: one micrograph, its particles, and what people changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from dash import html

from antema.domain import DROP_REASONS, QUANTITIES, PixelSize, scale_bar_words
from antema.imaging import ContentEntry
from antema.stats import count_text, format_number
from antema.storage import ImageResult, StoredMicrograph
from antema.web.edit_words import edit_words
from antema.web.format import pixel_size
from antema.web.particle_view import class_statement, difference_statement, differences
from antema.web.state import store
from antema.web.trust_view import seen_words

_FURTHER_NUMBERS = (
    ("Orientation", "orientation_deg", "°"),
    ("Mean grey value", "mean_grey", ""),
    ("Counts for, with border loss", "border_weight", " particles"),
)
EXCLUSION_REASONS = ("not a particle", "wrong outline", "several particles", "dirt or support", "out of focus")

#: What files tell of the microscope, in the order it is shown: label and unit.
_METADATA = {
    "instrument": ("Microscope", ""),
    "voltage_kv": ("Voltage", "kV"),
    "magnification": ("Magnification", "×"),
    "date": ("Taken", ""),
    "detector": ("Detector", ""),
    "exposure_s": ("Exposure", "s"),
    "format": ("Format", ""),
}

_UNITS = {"s": "s", "kv": "kV", "nm": "nm", "um": "µm", "mm": "mm", "pa": "pA", "deg": "°"}

_MOST_LISTED = 100


def results_of(micrograph: StoredMicrograph) -> list[dict[str, Any]]:
    """Return the analyses that hold a result for this micrograph, newest first, as options."""
    from antema.web.sample_page import analysis_label

    return [
        {"label": analysis_label(analysis), "value": analysis.id} for analysis in store().analyses_of(micrograph.id)
    ]


def scale_facts(micrograph: StoredMicrograph) -> list[Any]:
    """Return the pixel size in force with its origin, what else is known of the scale, and what disagrees."""
    size = micrograph.pixel_size
    rows: list[tuple[str, Any]] = [("Pixel size", _size_words(size))]
    if micrograph.user_pixel_size_nm is not None:
        if micrograph.user_pixel_size_at is not None:
            rows.append(("Given", _when(micrograph.user_pixel_size_at, micrograph.user_pixel_size_by)))
        rows.append(("The file says", _size_words(micrograph.file_pixel_size)))
    rows.append(("Scale bar", _bar_words(micrograph)))
    if size.nm is not None:
        field = f"{format_number(micrograph.width * size.nm)} × {format_number(micrograph.height * size.nm)} nm"
        rows.append(("Field", field))
    warnings = [html.P(found.sentence, className="warning scale-warning") for found in micrograph.disagreements]
    return [_facts(rows), *warnings]


def _size_words(size: PixelSize) -> str:
    return f"{pixel_size(size.nm)} · {size.source.removeprefix('none: ')}"


def _bar_words(micrograph: StoredMicrograph) -> str:
    bar = micrograph.scale_bar
    if bar is None:
        error = micrograph.annotations_error
        return f"the search failed: {error}" if error else "none found"
    says = "" if bar.pixel_size_nm is None else f": {bar.pixel_size_nm:.4g} nm/px"
    return f"{scale_bar_words(bar)}{says}"


def _when(at: datetime, by: str | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC by {by}"


def facts(micrograph: StoredMicrograph, images: Sequence[ContentEntry]) -> list[Any]:
    """Return what is known of the micrograph: microscope, size, type, origin, and every image in its file.

    Parameters
    ----------
    micrograph : StoredMicrograph
        Which.
    images : sequence of ContentEntry
        What its file holds.
    """
    known = dict(micrograph.metadata)
    rows: list[tuple[str, Any]] = []
    for key, (label, unit) in _METADATA.items():
        if key in known:
            rows.append((label, f"{_plain_value(known.pop(key))} {unit}".strip()))
    for key, value in known.items():
        name, _, last = key.rpartition("_")
        label, unit = (name, _UNITS[last]) if name and last in _UNITS else (key, "")
        rows.append((label.replace("_", " ").capitalize(), f"{_plain_value(value)} {unit}".strip()))
    rows.append(("Size", f"{micrograph.width} × {micrograph.height} px"))
    rows.append(("Grey values", _bits(micrograph.dtype)))
    rows.append(("Added", _when(micrograph.added_at, micrograph.added_by)))
    rows.append(("sha256", html.Code(micrograph.sha256)))
    if micrograph.left_out_reason:
        rows.append(("Left out", micrograph.left_out_reason))
    return [_facts(rows), *(_contents(micrograph, images) if len(images) > 1 else [])]


def _facts(rows: Sequence[tuple[str, Any]]) -> html.Dl:
    return html.Dl([part for label, value in rows for part in (html.Dt(label), html.Dd(value))], className="facts")


def _plain_value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _bits(dtype: str) -> str:
    """Return the type of the grey values in words.

    Examples
    --------
    >>> _bits("uint16")
    '16 bits, whole numbers without sign (uint16)'
    """
    kind = np.dtype(dtype)
    words = {"u": "whole numbers without sign", "i": "whole numbers with sign", "f": "floating point"}
    return f"{8 * kind.itemsize} bits, {words.get(kind.kind, 'other values')} ({dtype})"


def _contents(micrograph: StoredMicrograph, images: Sequence[ContentEntry]) -> list[Any]:
    number = chosen_image(micrograph, images)
    rows = [
        html.Tr(
            [
                html.Td(image.index + 1),
                html.Td(image.title),
                html.Td(f"{image.shape[1]} × {image.shape[0]}"),
                html.Td(image.dtype),
                html.Td(pixel_size(image.pixel_size.nm), title=image.pixel_size.source),
            ],
            className="chosen" if image.index == number else "",
        )
        for image in images[:_MOST_LISTED]
    ]
    more = len(images) - len(rows)
    table = html.Table(
        [html.Thead(html.Tr([html.Th(text) for text in ("", "Image", "px", "Type", "Scale")])), html.Tbody(rows)],
        className="numbers",
    )
    end = [html.P(f"and {more} more", className="quiet")] if more > 0 else []
    return [
        html.H3(f"{len(images)} images in the file", className="mt-3"),
        html.Div([table, *end], className="contents"),
    ]


def chosen_image(micrograph: StoredMicrograph, images: Sequence[ContentEntry]) -> int | None:
    """Return the number of the image that a micrograph is among those of its file."""
    if micrograph.data_index is not None:
        return micrograph.data_index
    return next((image.index for image in images if image.is_default), None)


def image_options(images: Sequence[ContentEntry]) -> list[dict[str, Any]]:
    """Return the images of a file as options."""

    def label(image: ContentEntry) -> str:
        return f"{image.title or f'image {image.index + 1}'} · {image.shape[1]} × {image.shape[0]}"

    return [{"label": label(image), "value": image.index} for image in images]


def counts(table: pd.DataFrame, result: ImageResult | None) -> str:
    """Return what was found, in one sentence."""
    if result is None:
        return "This micrograph has no result yet."
    if not result.counts:
        return f"This micrograph does not count: {result.not_counted_reason}."
    measured = table[table["status"] == "measured"]
    n_dropped = len(table) - len(measured)
    words = f"{count_text(len(measured), 'particle')} measured, {n_dropped:,} left out"
    if len(measured):
        diameters = measured["equivalent_diameter_nm"].to_numpy(float)
        words += f"; median equivalent diameter {format_number(float(np.median(diameters)))} nm in this image"
    stale = [f"{result.stale_reason.capitalize()}: analyse again"] if result.stale_reason else []
    sentences = (words, *stale, seen_words(result), *result.notes)
    return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


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


def particle_class(analysis_id: int, row: pd.Series, certainty: float | None) -> list[Any]:
    """Return what one particle of a result is called at a certainty, or why it is not called anything."""
    recipe = store().analysis(analysis_id).recipe
    return class_statement(row, store().particles(analysis_id), recipe, certainty_of(analysis_id, certainty))


def particle_differences(analysis_id: int, row: pd.Series, spots: str, certainty: float | None) -> list[Any]:
    """Return why what the spots of a particle say is not its class, where that is so."""
    return difference_statement(differences(row, spots, certainty_of(analysis_id, certainty)))


def certainty_of(analysis_id: int, asked: float | None) -> float:
    """Return the certainty that was asked for, or the one that is kept with the result."""
    return store().analysis(analysis_id).view.crystallinity_certainty if asked is None else asked


def address_query(analysis_id: int, certainty: float | None, *, by_class: bool) -> str:
    """Return how the address of another micrograph asks for the same result seen alike."""
    parts: dict[str, Any] = {"analysis": analysis_id}
    if certainty is not None:
        parts["certainty"] = f"{100 * certainty:.10g}"
    return urlencode(parts | ({"classes": "1"} if by_class else {}))


def no_particles(micrograph: StoredMicrograph) -> str:
    """Return why no particle of a micrograph can be looked at."""
    if not micrograph.pixel_size.is_known:
        return "No particle to look at: without a pixel size the micrograph cannot be analysed. Set it below."
    return "No particle to look at: this micrograph has no result yet. Analyse its sample."


def step(analysis_id: int, micrograph_id: int, picked: int | None, by: int) -> int | None:
    """Return the number of the next (or previous) particle that counts; the first one where none is picked."""
    table = store().particles_of(analysis_id, micrograph_id)
    rows = table[table["status"] == "measured"]
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
        html.Ol([html.Li(edit_words(edit)) for edit in sorted(edits, key=lambda edit: -edit.id)], className="trail")
    ]
