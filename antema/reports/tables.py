"""Tables and numbers as text: CSV and JSON.

Floating-point numbers are written with the digits that read back as the same number. In CSV, text that a spreadsheet
would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break) gets an apostrophe in front:
file names and notes come from anybody. The workbook holds such text unchanged, as text.
"""

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from antema import stats
from antema.domain import COLUMN_MEANINGS, DROP_REASONS, PARTICLE_COLUMNS, QUANTITIES, UNKNOWN_REASONS
from antema.domain.trust import VERDICTS
from antema.reports import numbers
from antema.reports.contents import SampleReport
from antema.results.clumps import clump_note, clump_share_of

if TYPE_CHECKING:
    import pandas as pd

WHOLE_NUMBERS = ("particle", "bbox_x_px", "bbox_y_px", "bbox_w_px", "bbox_h_px")

_FURTHER_MEANINGS = {
    "crystallinity_certainty": "probability from which on a particle is called by its class in this file; absent where "
    "no particle was classified",
}

# the wide forms are what some spreadsheets take for the narrow ones
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")

# keys of the database, which no other program can use
_INTERNAL = ("micrograph_id",)


def particle_rows(table: "pd.DataFrame") -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of the particle table as plain values: int, float, bool, str, None where nothing applies.

    Parameters
    ----------
    table : DataFrame
        With all of `PARTICLE_COLUMNS`, in any order; further columns follow them unless they are empty throughout.

    Returns
    -------
    header : list of str
        Column names, `PARTICLE_COLUMNS` first.
    rows : list of list
        One per object, ordered by sample, image and particle whatever the order of the table.

    Raises
    ------
    ValueError
        For a table that lacks one of the columns.
    """
    missing = [name for name in PARTICLE_COLUMNS if name not in table.columns]
    if missing:
        msg = f"particle table: expected the columns {', '.join(PARTICLE_COLUMNS)}; {', '.join(missing)} not found"
        raise ValueError(msg)
    further = [str(name) for name in table.columns if name not in PARTICLE_COLUMNS and name not in _INTERNAL]
    columns = {name: _plain(table[name].astype(object).to_numpy(), name) for name in (*PARTICLE_COLUMNS, *further)}
    header = [
        name for name, values in columns.items() if name in PARTICLE_COLUMNS or any(v not in (None, "") for v in values)
    ]
    rows = [list(row) for row in zip(*(columns[name] for name in header), strict=True)]
    rows.sort(key=lambda row: (row[0] or "", row[1] or "", -1 if row[2] is None else row[2]))
    return header, rows


def particles_csv(table: "pd.DataFrame") -> bytes:
    """Return the particle table as CSV (UTF-8, commas, a line feed after each row).

    Columns are `PARTICLE_COLUMNS` in their order, then any others that hold something. Booleans are ``true`` and
    ``false``, what does not apply is empty.
    """
    header, rows = particle_rows(table)
    return _csv(header, rows)


def image_rows(report: SampleReport) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of the table of images, in their order.

    ``trust`` is the verdict, with ``trust_score`` from 0 to 1 and ``trust_reasons``; ``working_scales`` are those at
    which the model saw the image, 1 for its own pixels; ``n_amorphous`` and so on count measured particles at the
    certainty that stands beside them, and are empty where none was classified; ``changed_since`` tells what of an image
    has changed since the result was computed.
    """
    header = [
        "image",
        "status",
        "error",
        "pixel_size_nm",
        "pixel_size_source",
        "n_measured",
        "n_dropped",
        "notes",
        "sha256",
        "bar_pixel_size_nm",
        "trust",
        "trust_score",
        "trust_reasons",
        "polarity",
        "working_scales",
        *(f"n_{name}" for name in numbers.CLASSES),
        "crystallinity_certainty",
        "changed_since",
    ]
    certainty = report.view.crystallinity_certainty
    rows = [
        [
            image.name,
            image.status,
            image.error,
            image.pixel_size_nm,
            image.pixel_size_source,
            image.n_measured,
            image.n_dropped,
            "; ".join((*image.scale_warnings, *image.notes)),
            image.sha256,
            image.bar_pixel_size_nm,
            image.trust.verdict if image.trust else None,
            image.trust.score if image.trust else None,
            " ".join(image.trust.reasons) if image.trust else None,
            image.polarity or None,
            "; ".join(f"{scale:g}" for scale in image.scales) or None,
            *(counts.get(name) for name in numbers.CLASSES),
            certainty if counts else None,
            image.changes or None,
        ]
        for image, counts in zip(report.images, numbers.class_counts_of_images(report), strict=True)
    ]
    return header, rows


def images_csv(report: SampleReport) -> bytes:
    """Return one row per image as CSV: whether it could be analysed, its scale and where that came from, its counts."""
    return _csv(*image_rows(report))


def column_rows() -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of the dictionary of the particle table: each column, its unit, what it holds."""
    units = {"nm": "nm", "nm2": "nm²", "px": "px", "deg": "°"}
    rows: list[list[Any]] = [
        [column, units.get(column.rpartition("_")[2], ""), COLUMN_MEANINGS[column]] for column in PARTICLE_COLUMNS
    ]
    rows += [[column, "", meaning] for column, meaning in _FURTHER_MEANINGS.items()]
    return ["column", "unit", "meaning"], rows


def columns_csv() -> bytes:
    """Return the dictionary of the particle table as CSV."""
    return _csv(*column_rows())


def summary_dict(report: SampleReport) -> dict[str, Any]:
    """Return every number of the report as plain JSON values; what does not exist is None."""
    enough = numbers.enough(report)
    shares = numbers.crystallinity_shares(report)
    dropped = numbers.dropped_counts(report.table)
    view = numbers.view_of([report], report.view)
    return {
        "sample": _jsonable(dict(report.sample)),
        "weighting": view.weighting,
        "border_weighted": view.border_weighted,
        "border_note": numbers.border_note(report, asked=report.view.border_weighted, applied=view.border_weighted),
        "n_measured": len(numbers.measured(report.table)),
        "n_dropped": sum(dropped.values()),
        "dropped": {reason: {"n": n, "meaning": DROP_REASONS.get(reason, "")} for reason, n in dropped.items()},
        "clump_share": clump_share_of(report.table),
        "clump_note": clump_note(clump_share_of(report.table)),
        "n_images": len(report.images),
        "n_images_analysed": report.n_images_done,
        "scale_warnings": report.scale_warnings,
        "exclusions": report.view.exclusions,
        "remarks": list(report.remarks),
        "trust": _trust(report),
        "quantities": {
            quantity.column: {
                "label": quantity.label,
                "unit": quantity.unit,
                **summary.to_dict(),
                "statement": summary.statement(quantity.label, quantity.unit),
            }
            for quantity, summary in zip(QUANTITIES, numbers.summaries(report, view).values(), strict=True)
        },
        "enough": {
            "precision": enough.precision,
            "relative_half_width": enough.relative_half_width,
            "design_effect": enough.design_effect,
            "needed_particles": enough.needed_particles,
            "needed_images": enough.needed_images,
            "reached": enough.reached,
            "statement": enough.statement,
        },
        "crystallinity": None if shares is None else _crystallinity(report, shares),
        "recipe": report.recipe.to_dict(),
        "recipe_fingerprint": report.recipe.fingerprint(),
        "model": _jsonable(dict(report.model)),
        "crystallinity_model": _jsonable(dict(report.crystallinity_model)) or None,
        "provenance": _jsonable(dict(report.provenance)),
    }


def _crystallinity(report: SampleReport, shares: stats.Shares) -> dict[str, Any]:
    """Return shares, reasons for unknown, and size against class."""
    sizes, quantity = numbers.size_by_class(report), QUANTITIES[0]
    return {
        "certainty": report.view.crystallinity_certainty,
        "n": shares.n,
        "interval_method": shares.interval_method,
        "note": shares.note,
        "classes": {
            name: {
                "n": n,
                **share.to_dict(),
                quantity.column: sizes[name].to_dict() if name in sizes else None,
            }
            for name, n, share in zip(numbers.CLASSES, shares.counts, shares.shares, strict=True)
        },
        "unknown": {
            reason: {"n": n, "meaning": UNKNOWN_REASONS.get(reason, "")}
            for reason, n in numbers.unknown_reasons(report).items()
        },
    }


def _trust(report: SampleReport) -> dict[str, Any]:
    """Return how many images have which verdict, and what speaks against those that are not within."""
    verdicts = [image.trust.verdict if image.trust else "unknown" for image in report.images if image.status == "done"]
    return {
        **{verdict: verdicts.count(verdict) for verdict in (*VERDICTS, "unknown")},
        "warnings": {image.name: image.trust.to_dict() for image in report.strange_images if image.trust},
    }


def summary_json(report: SampleReport) -> bytes:
    """Return `summary_dict` as JSON text (UTF-8, no NaN)."""
    return as_json(summary_dict(report))


def as_json(value: object) -> bytes:
    """Return plain values as readable JSON text."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _plain(values: Iterable[Any], name: str) -> list[Any]:
    from pandas import NA

    return [None if value is NA else _plain_value(value, whole=name in WHOLE_NUMBERS) for value in values]


def _plain_value(value: Any, *, whole: bool) -> Any:  # noqa: ANN401 - cells of any kind come in
    if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN and pandas' missing values
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if whole and float(value).is_integer() else float(value)
    return str(value)


def _csv(header: list[str], rows: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:  # noqa: ANN401 - cells of any kind come in
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return formula_safe(str(value))


def formula_safe(text: str) -> str:
    """Return text as a CSV cell may hold it: one that a spreadsheet would run gets an apostrophe in front."""
    # a carriage return alone would not be quoted, and what follows it taken for a cell of its own
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def frame_csv(table: "pd.DataFrame") -> bytes:
    """Return a table of numbers and names as CSV, floating-point numbers with all their digits."""
    names = [name for name in table.columns if table[name].dtype.kind not in "biuf"]
    safe = {name: [formula_safe(v) if isinstance(v, str) else v for v in table[name]] for name in names}
    return table.assign(**safe).to_csv(index=False, lineterminator="\n").encode()


def _jsonable(value: Any) -> Any:  # noqa: ANN401 - cards and provenance hold any JSON value
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
