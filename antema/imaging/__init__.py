"""Micrographs from files, and pictures of them."""

from antema.imaging.annotations import find_annotations
from antema.imaging.hashing import file_sha256
from antema.imaging.intensity import normalise, to_8bit
from antema.imaging.painting_over import fill_boxes
from antema.imaging.pictures import annotated_png, display_png, outline_overlay, thumbnail_png
from antema.imaging.reading import ContentEntry, contents, read, read_all, supported_suffixes
from antema.imaging.safe import contents_safely, read_safely

__all__ = [
    "ContentEntry",
    "annotated_png",
    "contents",
    "contents_safely",
    "display_png",
    "file_sha256",
    "fill_boxes",
    "find_annotations",
    "normalise",
    "outline_overlay",
    "read",
    "read_all",
    "read_safely",
    "supported_suffixes",
    "thumbnail_png",
    "to_8bit",
]
