"""TIFF of any kind, through tifffile; where its scale comes from is in `antema.imaging.formats.tiff_scale`."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import DataSet, check_size
from antema.imaging.formats.compressed import check_unpacked
from antema.imaging.formats.tiff_scale import calibration

_UNCOMPRESSED = 1


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a TIFF or BigTIFF."""
    return head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"))


def datasets(path: Path) -> list[DataSet]:
    """Return the images of a TIFF, without the reduced copies that it may carry."""
    with tifffile.TiffFile(path) as file:
        file_bytes = path.stat().st_size
        series = [(number, one) for number, one in enumerate(file.series) if one.pages]
        full = [(number, one) for number, one in series if not one.keyframe.is_reduced]
        if not full:
            full = series
        if not full:
            msg = "it is a TIFF without an image"
            raise CannotRead(msg)
        return [_dataset(path, file, file_bytes, number, one) for number, one in full]


def _dataset(
    path: Path, file: tifffile.TiffFile, file_bytes: int, number: int, series: tifffile.TiffPageSeries
) -> DataSet:
    page = series.keyframe
    dtype: np.dtype[Any] | None = page.dtype
    if dtype is None:
        msg = f"its values have {page.bitspersample} bits of sample format {page.sampleformat}, which is not readable"
        raise CannotRead(msg)
    frame_shape = (int(page.imagelength), int(page.imagewidth))
    n_frames = max(1, math.prod(series.shape) // (math.prod(frame_shape) * int(page.samplesperpixel)))
    shape = frame_shape if n_frames == 1 else (n_frames, *frame_shape)
    itemsize = dtype.itemsize * int(page.samplesperpixel)
    if page.compression == _UNCOMPRESSED:
        # bits are packed in the file, eight switches a byte
        stored = itemsize if page.bitspersample >= 8 else 0
        check_size(shape, stored, file_bytes)
    else:
        check_unpacked(shape, itemsize, file_bytes)
    found = calibration(file, page)
    by_page = len(series.pages) == n_frames
    return DataSet(
        shape=shape,
        dtype=dtype,
        frame=partial(_frame, path, number, by_page=by_page),
        axes=(*(found.vertical,) * (len(shape) - 2), found.vertical, found.horizontal),
        scale_tag=found.tag,
        title=series.name if len(file.series) > 1 else "",
        no_image=found.no_image,
        no_scale=found.no_scale,
        metadata=found.metadata,
    )


def _frame(path: Path, series_number: int, number: int, *, by_page: bool) -> NDArray[np.generic]:
    with tifffile.TiffFile(path) as file:
        series = file.series[series_number]
        page = series.keyframe
        if by_page:
            one: Any = series.pages[number]
            array: NDArray[np.generic] = one.asarray(maxworkers=1)
        else:
            array = series.asarray(maxworkers=1)
        samples = int(page.samplesperpixel)
        planar_first = samples > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        height, width = int(page.imagelength), int(page.imagewidth)
        frame_shape = (samples, height, width) if planar_first else (height, width, samples)
        array = array.reshape(-1, *frame_shape)[0 if by_page else number]
        if planar_first:
            array = np.moveaxis(array, 0, -1)
        if samples == 1:
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
