"""Samples, micrographs, results and jobs on disk: rows in SQLite, particles in Parquet, files named by content."""

from antema.storage.bin import DAYS_IN_BIN, BinEntry
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
    state_of,
)
from antema.storage.store import Store, open_store
from antema.storage.turns import InLine
from antema.storage.verification import DAMAGED, MISSING

__all__ = [
    "DAMAGED",
    "DAYS_IN_BIN",
    "MISSING",
    "AnalysisRow",
    "BinEntry",
    "Edit",
    "Examined",
    "ImageResult",
    "InLine",
    "Job",
    "Kept",
    "Sample",
    "SampleSummary",
    "Store",
    "StoredMicrograph",
    "open_store",
    "state_of",
]
