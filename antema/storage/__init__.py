"""Samples, micrographs, results and jobs on disk: rows in SQLite, particles in Parquet, files named by content."""

from antema.storage.file_images import Examined
from antema.storage.kept import Kept
from antema.storage.records import (
    AnalysisRow,
    Edit,
    ImageResult,
    Job,
    Sample,
    SampleSummary,
    StoredMicrograph,
)
from antema.storage.store import Store, open_store

__all__ = [
    "AnalysisRow",
    "Edit",
    "Examined",
    "ImageResult",
    "Job",
    "Kept",
    "Sample",
    "SampleSummary",
    "Store",
    "StoredMicrograph",
    "open_store",
]
