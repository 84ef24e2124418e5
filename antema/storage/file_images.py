"""The images of a micrograph's file: a series, or data sets beside each other. A micrograph is one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from antema.domain import Annotations
from antema.storage import schema
from antema.storage.base import found

if TYPE_CHECKING:
    from antema.imaging import ContentEntry


@dataclass(frozen=True)
class Examined:
    """What was found out about a file beside the grey values of one image.

    Parameters
    ----------
    contents : sequence of ContentEntry
        The file's images (`antema.imaging.contents`); empty where they were not looked for.
    data_index : int or None
        Which of them the micrograph is; None for the only one.
    annotations : Annotations or None
        What is burned into it; None where it was not looked for, or not found out.
    annotations_error : str
        Why it could not be found out.
    """

    contents: Sequence["ContentEntry"] = field(default=())
    data_index: int | None = None
    annotations: Annotations | None = None
    annotations_error: str = ""


def image_of(session: Session, row: schema.Micrograph, data_index: int | None) -> tuple[tuple[int, int], str]:
    """Return shape (height, width) and full-resolution picture of the image of this number in the micrograph's file."""
    if is_same_image(session, row, data_index):
        return (row.height, row.width), row.display_sha256
    image = found(session.get(schema.FileImage, (row.id, number_of(session, row, data_index))), "image", data_index)
    return (image.height, image.width), image.display_sha256 or ""


def is_same_image(session: Session, row: schema.Micrograph, data_index: int | None) -> bool:
    """Return whether an image of this number is the one that the micrograph is now."""
    if data_index == row.data_index:
        return True
    return number_of(session, row, data_index) == number_of(session, row, row.data_index)


def number_of(session: Session, row: schema.Micrograph, data_index: int | None) -> int | None:
    """Return the number of an image in the file; of none, that of the best, which is what earlier versions took."""
    if data_index is not None:
        return data_index
    table = schema.FileImage
    return session.scalar(select(table.data_index).where(table.micrograph_id == row.id, table.is_default))


def images_of(row: schema.Micrograph) -> Select[schema.FileImage]:
    """Return the query of all images of a micrograph's file."""
    table = schema.FileImage
    return select(table).where(table.micrograph_id == row.id).order_by(table.data_index)


def keep_contents(session: Session, row: schema.Micrograph, examined: Examined) -> None:
    """Write down the file's images, unless that was done, and which one the row's picture shows."""
    if session.scalar(images_of(row).limit(1)) is not None:
        return
    for entry in examined.contents:
        is_shown = entry.is_default if row.data_index is None else entry.index == row.data_index
        session.add(
            schema.FileImage(
                micrograph_id=row.id,
                data_index=entry.index,
                title=entry.title,
                height=entry.shape[0],
                width=entry.shape[1],
                dtype=entry.dtype,
                pixel_size_nm=entry.pixel_size.nm,
                pixel_size_source=entry.pixel_size.source,
                format=entry.format,
                is_default=entry.is_default,
                display_sha256=row.display_sha256 if is_shown else None,
            )
        )
    session.flush()
