"""TIFF of any kind, through tifffile; where its scale comes from is in `antema.imaging.formats.tiff_scale`."""

import math
import struct
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import DataSet, check_size
from antema.imaging.formats.compressed import check_unpacked
from antema.imaging.formats.sidecar import beside
from antema.imaging.formats.tiff_scale import OLYMPUS_TAGS, calibration

_UNCOMPRESSED = 1

#: More pages than any series of micrographs has, and more tags than any of its pages.
_MOST_PAGES = 20_000
_MOST_TAGS = 4096

#: An Olympus SIS file has a thumbnail and an image; longer ones are not looked through.
_MOST_SIS_PAGES = 8


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a TIFF or BigTIFF."""
    return head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"))


def datasets(path: Path) -> list[DataSet]:
    """Return the images of a TIFF, without the reduced copies that it may carry."""
    file_bytes = path.stat().st_size
    with path.open("rb") as stream:
        _check_chain(stream, file_bytes)
    with _open(path) as file:
        found = _series(file)
        full = [(number, one) for number, one in found if not one.keyframe.is_reduced] or found
        if not full:
            msg = "it is a TIFF without an image"
            raise CannotRead(msg)
        return [_dataset(path, file, file_bytes, number, one) for number, one in full]


def _open(path: Path) -> tifffile.TiffFile:
    # OME-XML may name other files as the place of its pages; they are not looked for
    return tifffile.TiffFile(path, _multifile=False)


def _series(file: tifffile.TiffFile) -> list[tuple[int, tifffile.TiffPageSeries]]:
    """Return the numbered series of pages; of an Olympus SIS file without its thumbnail."""
    if not _sis_pages(file):
        return [(number, one) for number, one in enumerate(file.series) if one.pages]
    # the first page may be a thumbnail of another size, and tifffile takes all pages for one series all the same
    pages: list[Any] = list(file.pages)
    largest = max(_area(page) for page in pages)
    return [
        (number, tifffile.TiffPageSeries([page], page.shape, page.dtype, page.axes))
        for number, page in enumerate(pages)
        if _area(page) == largest
    ]


def _area(page: Any) -> int:  # noqa: ANN401 - tifffile's page or frame
    return int(page.imagelength) * int(page.imagewidth)


def _sis_pages(file: tifffile.TiffFile) -> list[Any]:
    """Return the pages with a tag of Olympus SIS; it may be on the thumbnail or on the image."""
    if len(file.pages) > _MOST_SIS_PAGES:
        return []
    pages = [file.pages[number] for number in range(len(file.pages))]
    # of a series in a known layout, OME's for one, tifffile gives frames without tags after the first page
    whole: list[Any] = [page for page in pages if isinstance(page, tifffile.TiffPage)]
    return [page for page in whole if any(code in page.tags for code in OLYMPUS_TAGS)]


def _check_chain(stream: BinaryIO, file_bytes: int) -> None:
    """Follow the chain of pages before a library does: whether it ends, and how much each of them announces."""
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:3] == b"+" or head[3:4] == b"+"
    offset_form, count_form, entry_bytes = (order + "Q", order + "Q", 20) if is_big else (order + "I", order + "H", 12)
    (at,) = struct.unpack_from(offset_form, head, 8 if is_big else 4)
    seen: set[int] = set()
    while at:
        if at in seen:
            msg = "the chain of its pages runs in a circle"
            raise CannotRead(msg)
        if len(seen) == _MOST_PAGES:
            msg = f"it has more than {_MOST_PAGES:,} pages"
            raise CannotRead(msg)
        seen.add(at)
        stream.seek(at)
        count_bytes = stream.read(struct.calcsize(count_form))
        if len(count_bytes) < struct.calcsize(count_form):
            msg = f"its page {len(seen)} would be at byte {at:,}, and the file has {file_bytes:,}"
            raise CannotRead(msg)
        (count,) = struct.unpack(count_form, count_bytes)
        if count > _MOST_TAGS:
            msg = f"its page {len(seen)} announces {count:,} tags, more than {_MOST_TAGS:,}"
            raise CannotRead(msg)
        stream.seek(count * entry_bytes, 1)
        # programs that leave the last offset out end the chain
        following = stream.read(struct.calcsize(offset_form)).ljust(struct.calcsize(offset_form), b"\x00")
        (at,) = struct.unpack(offset_form, following)


def _dataset(
    path: Path, file: tifffile.TiffFile, file_bytes: int, number: int, series: tifffile.TiffPageSeries
) -> DataSet:
    page = series.keyframe
    dtype: np.dtype[Any] | None = page.dtype
    if dtype is None:
        msg = f"its values have {page.bitspersample} bits of sample format {page.sampleformat}, which is not readable"
        raise CannotRead(msg)
    samples = int(page.samplesperpixel)
    frame_shape = (int(page.imagelength), int(page.imagewidth))
    check_size(frame_shape, 0, file_bytes)
    n_frames = max(1, math.prod(series.shape) // (math.prod(frame_shape) * samples))
    shape = frame_shape if n_frames == 1 else (n_frames, *frame_shape)
    itemsize = dtype.itemsize * samples
    by_page = len(series.pages) == n_frames
    if page.compression == _UNCOMPRESSED:
        # values of other than whole bytes are packed in the file: eight switches in one, two values of 12 bits in three
        bits: Any = page.bitspersample  # a tuple where the colours differ in it
        check_size(shape, itemsize if isinstance(bits, int) and bits % 8 == 0 else 0, file_bytes)
    else:
        # what one page stores is what one frame unpacks from
        stored = min(sum(page.databytecounts), file_bytes)
        check_unpacked(frame_shape if by_page else shape, itemsize, stored)
    pages = _page_numbers(series) if by_page else []
    sis_pages = _sis_pages(file)
    found = calibration(file, sis_pages[-1] if sis_pages else page)
    if found.is_generic:
        found = beside(path, frame_shape) or found
    return DataSet(
        shape=shape,
        dtype=dtype,
        frame=partial(_page, path, pages, page.shape, dtype)
        if pages
        else partial(_frame, path, number, by_page=by_page),
        axes=(*(found.vertical,) * (len(shape) - 2), found.vertical, found.horizontal),
        scale_tag=found.tag,
        title=series.name if len(file.series) > 1 else "",
        no_image=found.no_image,
        no_scale=found.no_scale,
        metadata=found.metadata,
        sidecar=found.sidecar,
        channels=3 if page.photometric == tifffile.PHOTOMETRIC.PALETTE else samples,
    )


def _page_numbers(series: tifffile.TiffPageSeries) -> list[int]:
    """Return the places of a series' pages in the file; none where some of them are not in its chain of pages."""
    places: list[Any] = [None if page is None else page.index for page in series.pages]
    return places if all(isinstance(place, int) for place in places) else []


def _page(
    path: Path, pages: list[int], shape: tuple[int, ...], dtype: np.dtype[Any], number: int
) -> NDArray[np.generic]:
    """Read one page by its place: looking at every page for each of them takes seconds of a series of a thousand."""
    with _open(path) as file:
        page: Any = file.pages[pages[number]]
        if (page.shape, page.dtype) != (shape, dtype):
            msg = f"page {pages[number] + 1} of its series is {page.shape} {page.dtype}, and the first {shape} {dtype}"
            raise CannotRead(msg)
        return _shaped(page.asarray(maxworkers=1), page)


def _frame(path: Path, series_number: int, number: int, *, by_page: bool) -> NDArray[np.generic]:
    with _open(path) as file:
        series = dict(_series(file))[series_number]
        page = series.keyframe
        frame_shape = _stored_shape(page)
        array: NDArray[np.generic]
        if by_page:
            one: Any = series.pages[number]
            array = one.asarray(maxworkers=1)
        elif series.dataoffset is not None and page.dtype is not None:
            # a series without pages of its own lies in one piece, as ImageJ writes large stacks
            dtype = page.dtype.newbyteorder(file.byteorder)
            count = math.prod(frame_shape)
            array = np.fromfile(path, dtype, count, offset=series.dataoffset + number * count * dtype.itemsize)
        else:
            array = series.asarray(maxworkers=1).reshape(-1, *frame_shape)[number]
        return _shaped(array, page)


def _stored_shape(page: Any) -> tuple[int, int, int]:  # noqa: ANN401 - tifffile's page or frame
    """Return the shape of a page in the file: its colours come last, or first where they lie in planes."""
    samples, height, width = int(page.samplesperpixel), int(page.imagelength), int(page.imagewidth)
    return (samples, height, width) if _in_planes(page) else (height, width, samples)


def _in_planes(page: Any) -> bool:  # noqa: ANN401 - tifffile's page or frame
    return page.samplesperpixel > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE


def _shaped(array: NDArray[Any], page: Any) -> NDArray[Any]:  # noqa: ANN401 - tifffile's page or frame
    """Return the values of a page as (h, w), or (h, w, channels) where it has colours."""
    array = array.reshape(_stored_shape(page))
    if _in_planes(page):
        array = np.moveaxis(array, 0, -1)
    if page.samplesperpixel == 1:
        array = array[..., 0]
    return _as_seen(array, page)


def _as_seen(array: NDArray[Any], page: Any) -> NDArray[Any]:  # noqa: ANN401 - tifffile's page or frame
    """Apply a colour table, and turn values around that count from white."""
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8)
        return np.moveaxis(colours[:, array.astype(np.intp)], 0, -1)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and array.dtype.kind == "u":
        return ~array  # the greatest value minus the value
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and array.dtype.kind == "b":
        return ~array.astype(np.bool_)
    return array
