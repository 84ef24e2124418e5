"""Bare arrays of NumPy."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.imaging.dataset import Axis, DataSet, check_size


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a .npy file."""
    return head.startswith(b"\x93NUMPY")


def datasets(path: Path) -> list[DataSet]:
    """Return the one data set of a .npy file; it has no scale. A last axis of 3 or 4 is taken for colours."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    shape = array.shape
    if array.ndim == 3 and shape[2] in (3, 4) and shape[0] > 4 and array.dtype == np.uint8:
        shape = shape[:2]
    check_size(array.shape, array.dtype.itemsize, path.stat().st_size)
    return [DataSet(shape, array.dtype, partial(_frame, array, shape), (Axis(),) * len(shape), "")]


def _frame(array: NDArray[np.generic], shape: tuple[int, ...], number: int) -> NDArray[np.generic]:
    return np.array(array if len(shape) == 2 else array[number])
