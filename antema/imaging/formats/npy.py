"""Bare arrays of NumPy."""

import math
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import MAX_FRAME_BYTES, Axis, DataSet, check_size


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a .npy file."""
    return head.startswith(b"\x93NUMPY")


def datasets(path: Path) -> list[DataSet]:
    """Return the one data set of a .npy file; it has no scale. A last axis of 3 or 4 bytes is taken for colours."""
    with path.open("rb") as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        full_shape, by_columns, dtype = read_header(stream)
        offset = stream.tell()
    if dtype.hasobject or dtype.names:
        msg = "its values are Python objects or records, not numbers"
        raise CannotRead(msg)
    shape, channels = full_shape, 1
    if len(shape) == 3 and shape[2] in (3, 4) and shape[0] > 4 and dtype == np.uint8:
        shape, channels = shape[:2], shape[2]
    if len(shape) > 1:
        check_size(shape, dtype.itemsize * channels, path.stat().st_size - offset)
    if by_columns and math.prod(full_shape) * dtype.itemsize > MAX_FRAME_BYTES:
        msg = f"its values lie by columns and take more than {MAX_FRAME_BYTES >> 20} MiB"
        raise CannotRead(msg)
    frame = partial(_frame, path, dtype, offset, full_shape, is_series=len(shape) == 3, by_columns=by_columns)
    return [DataSet(shape, dtype, frame, (Axis(),) * len(shape), "", channels=channels)]


def _frame(
    path: Path,
    dtype: np.dtype[np.generic],
    offset: int,
    shape: tuple[int, ...],
    number: int,
    *,
    is_series: bool,
    by_columns: bool,
) -> NDArray[np.generic]:
    if by_columns:
        # the frames of a series lie interleaved then
        array = np.fromfile(path, dtype, math.prod(shape), offset=offset).reshape(shape, order="F")
        return array[number] if is_series else array
    frame_shape = shape[1:] if is_series else shape
    count = math.prod(frame_shape)
    return np.fromfile(path, dtype, count, offset=offset + number * count * dtype.itemsize).reshape(frame_shape)
