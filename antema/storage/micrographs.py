"""Micrographs: taken in, calibrated, moved, left out."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from antema.domain import AlreadyThere, Annotations, AntemaError, Micrograph, PixelSize, scale_bar_words
from antema.storage import schema
from antema.storage.base import StoreBase, found, now, number, record, required, who
from antema.storage.file_images import Examined, images_of, keep_contents, number_of
from antema.storage.hidden import hidden_ids, is_hidden, unused_id
from antema.storage.records import StoredMicrograph
from antema.storage.samples import get_sample

if TYPE_CHECKING:
    from antema.imaging import ContentEntry

_SMALLEST_PIXEL_NM = 1e-4
_LARGEST_PIXEL_NM = 1e5


class Micrographs(StoreBase):
    """The store's part for micrographs."""

    def add_micrograph(
        self,
        sample_id: int,
        micrograph: Micrograph,
        file: Path,
        *,
        filename: str | None = None,
        examined: Examined | None = None,
        is_hashed: bool = False,
        by: str,
    ) -> StoredMicrograph:
        """Take a micrograph into a sample.

        Parameters
        ----------
        sample_id : int
            The sample.
        micrograph : Micrograph
            What was read from the file.
        file : Path
            The file itself, best in `incoming_dir`. It moves into the store; that of a refused micrograph stays.
        filename : str, optional
            Name to show; the micrograph's own by default. It is never used as a path.
        examined : Examined, optional
            What else is known of the file.
        is_hashed : bool
            Whether the micrograph's digest was made of this very file just now, so that it need not be hashed again.
        by : str
            Who adds it.

        Raises
        ------
        AlreadyThere
            When the same bytes are in a sample already; ``micrograph_id`` and ``sample_id`` of the error tell where.
        NotFound
            When there is no such sample.
        ValueError
            When `file` does not hold the bytes that `micrograph` was read from.
        """
        examined = examined or Examined()
        shown = (filename or micrograph.name).strip() or micrograph.name
        with self._database.reading() as session:
            get_sample(session, sample_id)
            known = _known(session, micrograph.sha256, shown, sample_id)
        if known is not None:
            if self.blob_fault(micrograph.sha256):
                self.adopt_file(file, micrograph.sha256, is_hashed=is_hashed)
                known.args = (f"{known}; the stored file was lost or damaged, this one has taken its place",)
            raise known
        # Pictures and files are made before the row that names them: a row never names what is not there.
        pictures = self._pictures(micrograph)
        self.adopt_file(file, micrograph.sha256, is_hashed=is_hashed)
        with self._database.writing() as session:
            sample = get_sample(session, sample_id)
            # Another upload may have been faster.
            if known := _known(session, micrograph.sha256, shown, sample_id):
                raise known
            user = who(session, by)
            self._refuse_gone(micrograph.sha256, *pictures.values(), name=shown)
            row = schema.Micrograph(
                id=unused_id(session, schema.Micrograph, "micrograph"),
                sample=sample,
                filename=shown,
                sha256=micrograph.sha256,
                **_image_values(micrograph, examined, pictures),
                user_pixel_size_nm=None,
                user_pixel_size_by=None,
                user_pixel_size_at=None,
                left_out_reason=None,
                added_by=user,
                added_at=now(),
            )
            session.add(row)
            session.flush()
            keep_contents(session, row, examined)
            after = {"filename": shown, "sha256": row.sha256, "file_pixel_size_nm": row.file_pixel_size_nm}
            record(session, user, "add micrograph", "micrograph", row.id, sample_id=sample.id, after=after)
            return to_micrograph(row)

    def micrographs(self, sample_id: int) -> list[StoredMicrograph]:
        """Return the micrographs of a sample, those left out too, in the order they were added."""
        table = schema.Micrograph
        with self._database.reading() as session:
            sample = get_sample(session, sample_id)
            shown = (table.sample_id == sample.id) & table.id.not_in(hidden_ids("micrograph"))
            rows = session.scalars(select(table).where(shown).order_by(table.id))
            return [to_micrograph(row) for row in rows]

    def count_micrographs(self, sample_id: int) -> int:
        """Return how many micrographs a sample has, those left out too."""
        table = schema.Micrograph
        with self._database.reading() as session:
            sample = get_sample(session, sample_id)
            shown = (table.sample_id == sample.id) & table.id.not_in(hidden_ids("micrograph"))
            return session.scalar(select(func.count()).where(shown)) or 0

    def micrograph(self, micrograph_id: int) -> StoredMicrograph:
        """Return one micrograph. NotFound when there is none."""
        with self._database.reading() as session:
            return to_micrograph(get_micrograph(session, micrograph_id))

    def set_pixel_size(self, micrograph_ids: Iterable[int], nm: float | None, *, by: str, why: str = "") -> None:
        """Type the pixel size of some micrographs; None goes back to what their files say.

        Raises
        ------
        AntemaError
            For a pixel size that no electron microscope gives.
        NotFound
            For a micrograph that does not exist; none is changed then.
        """
        if nm is not None:
            _check_pixel_size(nm)
        with self._database.writing() as session:
            user = who(session, by)
            for micrograph_id in micrograph_ids:
                _set_pixel_size(session, get_micrograph(session, micrograph_id), nm, user, why)

    def use_scale_bars(self, micrograph_ids: Iterable[int], *, by: str) -> int:
        """Take the pixel size that each micrograph's burned-in scale bar gives; return how many were changed.

        Those without a bar that was read are left as they are.

        Raises
        ------
        AntemaError
            For a pixel size that no electron microscope gives.
        NotFound
            For a micrograph that does not exist; none is changed then.
        """
        changed = 0
        with self._database.writing() as session:
            user = who(session, by)
            for micrograph_id in micrograph_ids:
                row = get_micrograph(session, micrograph_id)
                bar = None if row.annotations is None else Annotations.from_dict(row.annotations).scale_bar
                if bar is None or bar.pixel_size_nm is None:
                    continue
                _check_pixel_size(bar.pixel_size_nm)
                why = f"scale bar: {scale_bar_words(bar)}"
                changed += _set_pixel_size(session, row, bar.pixel_size_nm, user, why)
        return changed

    def file_images(self, micrograph_id: int) -> "list[ContentEntry]":
        """Return the images of a micrograph's file; empty where an earlier version took it in without looking."""
        from antema.imaging import ContentEntry

        with self._database.reading() as session:
            return [
                ContentEntry(
                    index=row.data_index,
                    title=row.title,
                    shape=(row.height, row.width),
                    dtype=row.dtype,
                    pixel_size=PixelSize(row.pixel_size_nm, row.pixel_size_source),
                    format=row.format,
                    is_default=row.is_default,
                )
                for row in session.scalars(images_of(get_micrograph(session, micrograph_id)))
            ]

    def keep_examination(self, micrograph_id: int, examined: Examined) -> StoredMicrograph:
        """Keep what was found out about a micrograph that an earlier version had taken in without looking."""
        with self._database.writing() as session:
            row = get_micrograph(session, micrograph_id)
            keep_contents(session, row, examined)
            for name, value in _annotation_values(examined).items():
                setattr(row, name, value)
            return to_micrograph(row)

    def choose_image(
        self, micrograph_id: int, micrograph: Micrograph, examined: Examined, *, by: str
    ) -> StoredMicrograph:
        """Let a micrograph be another image of its file. Results of the present one stay in their analyses.

        A pixel size that a person gave stays only where the other image has the same size and file's scale, as frames
        of a series do.

        Parameters
        ----------
        micrograph_id : int
            Which.
        micrograph : Micrograph
            The other image, as it was read.
        examined : Examined
            With its number in `data_index`.
        by : str
            Who chooses.

        Raises
        ------
        ValueError
            When `micrograph` was read from another file.
        """
        pictures = self._pictures(micrograph)
        with self._database.writing() as session:
            row = get_micrograph(session, micrograph_id)
            if row.sha256 != micrograph.sha256:
                msg = f"expected an image of the file {row.sha256}, found one of {micrograph.sha256}"
                raise ValueError(msg)
            keep_contents(session, row, examined)
            before = _image_words(session, row)
            is_alike = (
                row.height,
                row.width,
            ) == micrograph.shape and row.file_pixel_size_nm == micrograph.pixel_size.nm
            for name, value in _image_values(micrograph, examined, pictures).items():
                setattr(row, name, value)
            if not is_alike:
                row.user_pixel_size_nm = row.user_pixel_size_by = row.user_pixel_size_at = None
            image = found(session.get(schema.FileImage, (row.id, examined.data_index)), "image", examined.data_index)
            image.display_sha256 = row.display_sha256
            after = _image_words(session, row)
            if after != before:
                user = who(session, by)
                record(
                    session,
                    user,
                    "choose image",
                    "micrograph",
                    row.id,
                    sample_id=row.sample_id,
                    before=before,
                    after=after,
                )
            return to_micrograph(row)

    def _refuse_gone(self, *blobs: str, name: str) -> None:
        """Raise where a blob is not there any more: the bin was emptied of the same bytes at this very moment."""
        if any(self.blob_fault(sha256) for sha256 in blobs):
            msg = f"{name}: expected to find its files stored, found them just deleted from the bin: try again"
            raise AntemaError(msg)

    def _pictures(self, micrograph: Micrograph) -> dict[str, str]:
        """Keep thumbnail and full-resolution picture; return their columns."""
        from antema.imaging import display_png, thumbnail_png

        return {
            "thumbnail_sha256": self.put_blob(thumbnail_png(micrograph.pixels)),
            "display_sha256": self.put_blob(display_png(micrograph.pixels)),
        }

    def draw_again(self, micrograph_id: int, data_index: int | None) -> None:
        """Make the pictures of one of a micrograph's images anew, from its file.

        Raises
        ------
        AntemaError
            When the file itself is gone, damaged or cannot be read any more.
        """
        from antema.imaging import display_png, read_safely

        stored = self.micrograph(micrograph_id)
        path = self.whole_blob(stored.sha256, stored.filename)
        read = read_safely(path, data=data_index, name=stored.filename, sha256=stored.sha256)
        if data_index == stored.data_index:
            pictures = self._pictures(read)
        else:
            pictures = {"display_sha256": self.put_blob(display_png(read.pixels))}
        with self._database.writing() as session:
            row = get_micrograph(session, stored.id)
            if data_index == row.data_index:
                for name, value in pictures.items():
                    setattr(row, name, value)
            number = number_of(session, row, data_index)
            image = None if number is None else session.get(schema.FileImage, (row.id, number))
            if image is not None:
                image.display_sha256 = pictures["display_sha256"]

    def move_micrograph(self, micrograph_id: int, sample_id: int, by: str, *, why: str = "") -> StoredMicrograph:
        """Put a micrograph into another sample; results of the old one stay as they are and say that it was moved."""
        with self._database.writing() as session:
            row = get_micrograph(session, micrograph_id)
            target = get_sample(session, sample_id)
            if row.sample_id != target.id:
                before = {"sample_id": row.sample_id, "sample": row.sample.name}
                after = {"sample_id": target.id, "sample": target.name}
                user = who(session, by)
                # Both samples' histories tell of it.
                for sample in (row.sample, target):
                    record(
                        session,
                        user,
                        "move micrograph",
                        "micrograph",
                        row.id,
                        sample_id=sample.id,
                        before=before,
                        after=after,
                        why=why,
                    )
                row.sample = target
                session.flush()
            return to_micrograph(row)

    def leave_out(self, micrograph_id: int, reason: str, by: str) -> StoredMicrograph:
        """Take a micrograph out of analyses and results, with the reason; the file is kept.

        Raises
        ------
        AntemaError
            For an empty reason.
        """
        reason = required(reason, "Reason", "out of focus")
        with self._database.writing() as session:
            return _set_left_out(session, micrograph_id, reason, by)

    def take_back(self, micrograph_id: int, by: str) -> StoredMicrograph:
        """Take back a micrograph that had been left out."""
        with self._database.writing() as session:
            return _set_left_out(session, micrograph_id, None, by)


def get_micrograph(session: Session, micrograph_id: int) -> schema.Micrograph:
    """Return the row of a micrograph. NotFound when there is none."""
    row = session.get(schema.Micrograph, number(micrograph_id, "micrograph"))
    return found(row, "micrograph", micrograph_id)


def pixel_size_of(row: schema.Micrograph) -> PixelSize:
    """Return the pixel size in force and its origin."""
    if row.user_pixel_size_nm is not None:
        bar = None if row.annotations is None else Annotations.from_dict(row.annotations).scale_bar
        is_bars = bar is not None and bar.pixel_size_nm == row.user_pixel_size_nm
        return PixelSize(row.user_pixel_size_nm, f"user: {row.user_pixel_size_by}{' (scale bar)' if is_bars else ''}")
    return PixelSize(row.file_pixel_size_nm, row.file_pixel_size_source)


def to_micrograph(row: schema.Micrograph) -> StoredMicrograph:
    """Return a row as it is handed out."""
    return StoredMicrograph(
        id=row.id,
        sample_id=row.sample_id,
        filename=row.filename,
        sha256=row.sha256,
        height=row.height,
        width=row.width,
        dtype=row.dtype,
        data_index=row.data_index,
        file_pixel_size=PixelSize(row.file_pixel_size_nm, row.file_pixel_size_source),
        user_pixel_size_nm=row.user_pixel_size_nm,
        user_pixel_size_by=row.user_pixel_size_by,
        user_pixel_size_at=row.user_pixel_size_at,
        pixel_size=pixel_size_of(row),
        annotations=None if row.annotations is None else Annotations.from_dict(row.annotations),
        annotations_error=row.annotations_error or "",
        metadata=dict(row.microscope),
        left_out_reason=row.left_out_reason,
        thumbnail_sha256=row.thumbnail_sha256,
        display_sha256=row.display_sha256,
        added_by=row.added_by,
        added_at=row.added_at,
    )


def _image_values(micrograph: Micrograph, examined: Examined, pictures: dict[str, str]) -> dict[str, Any]:
    """Return the columns that depend on which image of a file a micrograph is."""
    height, width = micrograph.shape
    return {
        "height": height,
        "width": width,
        "dtype": str(micrograph.pixels.dtype),
        "data_index": examined.data_index,
        "file_pixel_size_nm": micrograph.pixel_size.nm,
        "file_pixel_size_source": micrograph.pixel_size.source,
        "microscope": {
            name: value if isinstance(value, str) else float(value) for name, value in micrograph.metadata.items()
        },
        **_annotation_values(examined),
        **pictures,
    }


def _annotation_values(examined: Examined) -> dict[str, Any]:
    annotations = examined.annotations
    return {
        "annotations": None if annotations is None else annotations.to_dict(),
        "annotations_error": examined.annotations_error or None,
    }


def _image_words(session: Session, row: schema.Micrograph) -> dict[str, Any]:
    number = number_of(session, row, row.data_index)
    image = None if number is None else session.get(schema.FileImage, (row.id, number))
    title = "" if image is None else image.title
    return {"image": number, "title": title, **_pixel_size_values(row)}


def _check_pixel_size(nm: float) -> None:
    if not (math.isfinite(nm) and _SMALLEST_PIXEL_NM <= nm <= _LARGEST_PIXEL_NM):
        msg = (
            f"Pixel size: expected a length from {_SMALLEST_PIXEL_NM:g} to {_LARGEST_PIXEL_NM:g} nm per pixel, "
            f"found {nm:g}"
        )
        raise AntemaError(msg)


def _set_pixel_size(session: Session, row: schema.Micrograph, nm: float | None, user: str, why: str) -> bool:
    """Type the pixel size of one micrograph; return whether that changed anything."""
    if row.user_pixel_size_nm == nm:
        return False
    before = _pixel_size_values(row)
    row.user_pixel_size_nm = nm
    row.user_pixel_size_by = None if nm is None else user
    row.user_pixel_size_at = None if nm is None else now()
    record(
        session,
        user,
        "set pixel size",
        "micrograph",
        row.id,
        sample_id=row.sample_id,
        before=before,
        after=_pixel_size_values(row),
        why=why,
    )
    return True


def _known(session: Session, sha256: str, filename: str, sample_id: int) -> AlreadyThere | None:
    """Return the error that says where the same bytes are already; None where they are nowhere."""
    row = session.scalar(select(schema.Micrograph).where(schema.Micrograph.sha256 == sha256))
    if row is None:
        return None
    same = row.sample_id == number(sample_id, "sample")
    where = "this sample" if same else f"the sample {row.sample.name}"
    called = "" if row.filename == filename else f", as {row.filename}"
    state = f", left out ({row.left_out_reason})" if row.left_out_reason else ""
    if is_hidden(session, "micrograph", row.id) or is_hidden(session, "sample", row.sample_id):
        where, state = "the bin", ": take it back from there, or empty the bin"
    msg = f"{filename}: the same file is in {where} already{called}{state}."
    return AlreadyThere(msg, micrograph_id=row.id, sample_id=row.sample_id)


def _set_left_out(session: Session, micrograph_id: int, reason: str | None, by: str) -> StoredMicrograph:
    row = get_micrograph(session, micrograph_id)
    if is_hidden(session, "micrograph", row.id):
        msg = f"{row.filename}: expected a micrograph in use, found it in the bin: take it back from there first"
        raise AntemaError(msg)
    if row.left_out_reason != reason:
        before: dict[str, Any] = {"left_out_reason": row.left_out_reason}
        row.left_out_reason = reason
        record(
            session,
            who(session, by),
            "take micrograph back" if reason is None else "leave micrograph out",
            "micrograph",
            row.id,
            sample_id=row.sample_id,
            before=before,
            after={"left_out_reason": reason},
            why=reason or "",
        )
    return to_micrograph(row)


def _pixel_size_values(row: schema.Micrograph) -> dict[str, Any]:
    size = pixel_size_of(row)
    return {"pixel_size_nm": size.nm, "source": size.source}
