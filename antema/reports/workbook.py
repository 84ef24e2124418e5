"""The results as a workbook."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from antema import stats
from antema.domain import DROP_REASONS, QUANTITIES, RECIPE_FIELDS, UNKNOWN_REASONS
from antema.reports import numbers
from antema.reports.contents import SampleReport
from antema.reports.tables import column_rows, image_rows, particle_rows
from antema.results.clumps import clump_note, clump_share_of

if TYPE_CHECKING:
    import pandas as pd
    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

_UNITS = {"nm2": "nm²", "nm": "nm", "px": "px", "deg": "°"}
_LONGEST_TEXT = 32_767  # of a cell, by the file format


def workbook_xlsx(report: SampleReport) -> bytes:
    """Return a workbook of the sheets summary, particles, images, recipe and columns.

    Units stand in the headers. Text is never taken for a formula or a link, whatever it begins with. Rows are written
    one after another without being held in memory.
    """
    buffer = io.BytesIO()
    book, formats = _open_book(buffer, report.name, report.date)
    _summary_sheet(book, formats, report)
    header, rows = particle_rows(report.called_table)
    _table_sheet(book, formats, "particles", header, rows)
    _table_sheet(book, formats, "images", *image_rows(report))
    _recipe_sheet(book, formats, report)
    _table_sheet(book, formats, "columns", *column_rows(), width=40)
    book.close()
    return buffer.getvalue()


def tables_xlsx(tables: "Mapping[str, pd.DataFrame]", title: str, date: datetime) -> bytes:
    """Return a workbook of one sheet for each table.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Name of the sheet to its table; ``particles`` as `antema.reports.particles_csv` takes it.
    title : str
        Title in the properties of the file.
    date : datetime
        When it was made.
    """
    buffer = io.BytesIO()
    book, formats = _open_book(buffer, title, date)
    for name, table in tables.items():
        header, rows = particle_rows(table) if name == "particles" else _plain_rows(table)
        _table_sheet(book, formats, name, header, rows)
    if "particles" in tables:
        _table_sheet(book, formats, "columns", *column_rows(), width=40)
    book.close()
    return buffer.getvalue()


def _open_book(buffer: io.BytesIO, title: str, date: datetime) -> "tuple[xlsxwriter.Workbook, dict[str, Any]]":
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": title[:200], "created": date.replace(tzinfo=None)})
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "section": book.add_format({"bold": True, "font_size": 11}),
    }
    return book, formats


def _plain_rows(table: "pd.DataFrame") -> tuple[list[str], list[list[Any]]]:
    plain = table.astype(object).where(table.notna(), None)
    return [str(column) for column in table.columns], plain.to_numpy().tolist()


def header_with_unit(column: str) -> str:
    """Return a column's name with its unit in brackets.

    Examples
    --------
    >>> header_with_unit("feret_max_nm"), header_with_unit("area_nm2"), header_with_unit("circularity")
    ('feret max (nm)', 'area (nm²)', 'circularity')
    """
    name, _, last = column.rpartition("_")
    if name and last in _UNITS:
        return f"{name.replace('_', ' ')} ({_UNITS[last]})"
    return column.replace("_", " ")


def _write(sheet: "Worksheet", row: int, column: int, value: Any, style: Any = None) -> None:  # noqa: ANN401
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, style)
    else:
        sheet.write_string(row, column, str(value)[:_LONGEST_TEXT], style)


def _table_sheet(
    book: "xlsxwriter.Workbook",
    formats: dict[str, Any],
    name: str,
    header: list[str],
    rows: list[list[Any]],
    width: int = 14,
) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, width)
    for column, title in enumerate(header):
        _write(sheet, 0, column, header_with_unit(title), formats["head"])
    for place, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write(sheet, place, column, value)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(header) - 1)


def _summary_sheet(book: "xlsxwriter.Workbook", formats: dict[str, Any], report: SampleReport) -> None:
    sheet = book.add_worksheet("summary")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 20, 13)
    view = numbers.view_of([report], report.view)
    found = numbers.summaries(report, view)
    first = found[QUANTITIES[0].column]
    lines: list[tuple[list[Any], Any]] = [([report.name], formats["title"])]
    for key in ("material", "batch", "synthesis_date", "operator", "notes"):
        if report.sample.get(key):
            lines.append(([key.replace("_", " "), str(report.sample[key])], None))
    lines += [([str(k), str(v)], None) for k, v in dict(report.sample.get("properties") or {}).items()]
    lines.append(([], None))
    columns = ["quantity", "unit", "n", "images"]
    for label in stats.STATISTICS.values():
        columns += [label, f"{label} low", f"{label} high"]
    lines.append(([f"{first.level * 100:g} % intervals, {numbers.words_of(view)}"], formats["section"]))
    lines.append((columns, formats["head"]))
    for quantity in QUANTITIES:
        summary = found[quantity.column]
        row: list[Any] = [quantity.label, quantity.unit or "1", summary.n, summary.n_images]
        for name in stats.STATISTICS:
            estimate: stats.Estimate = getattr(summary, name)
            row += [estimate.value if estimate.has_value else None, estimate.low, estimate.high]
        lines.append((row, None))
    border = numbers.border_note(report, asked=report.view.border_weighted, applied=view.border_weighted)
    clumps = clump_note(clump_share_of(report.table))
    sentences = (clumps, first.method_text, first.note, border, numbers.enough(report).statement, *report.remarks)
    lines += [([text], None) for text in sentences if text]
    lines += [([], None), (["Dropped", "", "n"], formats["head"])]
    dropped = numbers.dropped_counts(report.table)
    lines += [([DROP_REASONS.get(reason, reason), "", n], None) for reason, n in dropped.items()]
    lines.append((["all dropped objects", "", sum(dropped.values())], None))
    shares = numbers.crystallinity_shares(report)
    if shares is not None:
        lines += _crystallinity_lines(report, shares, formats)
    for place, (row, style) in enumerate(lines):
        for column, value in enumerate(row):
            _write(sheet, place, column, value, style)


def _crystallinity_lines(
    report: SampleReport, shares: stats.Shares, formats: dict[str, Any]
) -> list[tuple[list[Any], Any]]:
    """Return shares, reasons for unknown, and size against class."""
    certainty = f"at a certainty of {report.view.crystallinity_certainty:.2f}"
    lines: list[tuple[list[Any], Any]] = [
        ([], None),
        ([f"Crystallinity {certainty}", "", "n", "share", "low", "high"], formats["head"]),
    ]
    for name, n, share in zip(numbers.CLASSES, shares.counts, shares.shares, strict=True):
        lines.append(([name, "", n, share.value, share.low, share.high], None))
    lines += [([text], None) for text in (f"Intervals: {shares.interval_method}.", shares.note) if text]
    lines += [([], None), ([f"Unknown {certainty}, because", "", "n"], formats["head"])]
    lines += [([UNKNOWN_REASONS.get(why, why), "", n], None) for why, n in numbers.unknown_reasons(report).items()]
    quantity = QUANTITIES[0]
    columns = ["mean", "mean low", "mean high", "median", "median low", "median high"]
    lines += [([], None), ([f"{quantity.label} by class", "unit", "n", "images", *columns], formats["head"])]
    for name, summary in numbers.size_by_class(report, quantity).items():
        ends = [end for one in (summary.mean, summary.median) for end in (one.value, one.low, one.high)]
        lines.append(([name, quantity.unit, summary.n, summary.n_images, *ends], None))
    return lines


def _recipe_sheet(book: "xlsxwriter.Workbook", formats: dict[str, Any], report: SampleReport) -> None:
    sheet = book.add_worksheet("recipe")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 40)
    rows: list[tuple[list[Any], Any]] = [(["parameter", "value", "unit"], formats["head"])]
    values = report.recipe.to_dict()
    for field in RECIPE_FIELDS:
        value = values[field.name]
        rows.append(([field.label, "the model's own" if value is None else value, field.unit], None))
    rows.append((["recipe fingerprint", report.recipe.fingerprint()], None))
    rows.append((["weighting", numbers.words_of(numbers.view_of([report], report.view))], None))
    rows.append((["crystallinity certainty", report.view.crystallinity_certainty], None))
    said = {"model": report.model, "crystallinity model": report.crystallinity_model, "provenance": report.provenance}
    for heading, mapping in said.items():
        rows += [([], None), ([heading, "value"], formats["head"])]
        rows += [([str(key).replace("_", " "), _flat(value)], None) for key, value in mapping.items()]
    for place, (row, style) in enumerate(rows):
        for column, value in enumerate(row):
            _write(sheet, place, column, value, style)


def _flat(value: Any) -> Any:  # noqa: ANN401 - cards hold any JSON value
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
