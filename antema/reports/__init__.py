"""What leaves the program: PDF reports, CSV, XLSX, JSON and an archive of all of them.

Everything is made from the plain dataclasses `SampleReport` and `ComparisonReport`, with no clock and no randomness of
its own: the same content gives the same bytes, from the command line and from the dashboard.
"""

from antema.reports.archive import archive_zip, unique_stems, zip_files
from antema.reports.contents import ComparisonReport, ReportImage, SampleReport
from antema.reports.documents import comparison_report_pdf, sample_report_pdf
from antema.reports.numbers import (
    CLASSES,
    Pair,
    SharePair,
    crystallinity_labels,
    crystallinity_shares,
    dropped_counts,
    pairs_of,
    share_pairs_of,
    size_by_class,
    summaries,
    unknown_note,
    unknown_reasons,
)
from antema.reports.tables import columns_csv, formula_safe, frame_csv, images_csv, particles_csv, summary_json
from antema.reports.workbook import tables_xlsx, workbook_xlsx

__all__ = [
    "CLASSES",
    "ComparisonReport",
    "Pair",
    "ReportImage",
    "SampleReport",
    "SharePair",
    "archive_zip",
    "columns_csv",
    "comparison_report_pdf",
    "crystallinity_labels",
    "crystallinity_shares",
    "dropped_counts",
    "formula_safe",
    "frame_csv",
    "images_csv",
    "pairs_of",
    "particles_csv",
    "sample_report_pdf",
    "share_pairs_of",
    "size_by_class",
    "summaries",
    "summary_json",
    "tables_xlsx",
    "unique_stems",
    "unknown_note",
    "unknown_reasons",
    "workbook_xlsx",
    "zip_files",
]
