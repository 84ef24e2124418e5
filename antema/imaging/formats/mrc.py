# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
"""MRC and CCP4 maps, as cameras and tomography programs write them.

The header is that of the MRC2014 format (Cheng et al., J. Struct. Biol. 192, 146, 2015,
https://www.ccpem.ac.uk/mrc_format/mrc2014.php). Its numbers are checked here against the file's size, and the scale is
taken from it here: ncempy has 1/N Å for a cell that is empty, and takes every extended header for FEI's. The values are
read by ncempy where it has their type; unsigned bytes, half floats and the other byte order are RosettaSciIO's. Half
bytes are nobody's, and taken apart here.
"""

import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import Axis, DataSet, check_size
from antema.imaging.formats.metadata import number, put, text
from antema.imaging.formats.rosetta import from_signal

_HEADER_BYTES = 1024
#: Modes that ncempy reads, of files in the order of today's machines; bytes only where they are signed.
_BY_NCEMPY = (0, 1, 2, 6)
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 3: "c8", 4: "c8", 6: "u2", 12: "f2", 101: "u1"}
_HALF_BYTES = 101  # two values a byte, the first in the lower half, each row in whole bytes
_RECORD_BYTES = 512
_FEI_BYTES = 1024 * 128  # the extended header of FEI's tomography software: 1024 records of 128 bytes


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is an MRC file: by its mark, or by a header that makes sense."""
    if len(head) < _HEADER_BYTES:
        return False
    if head[208:212] == b"MAP ":
        return True
    # programs before MRC2014 left the mark out
    for order in "<>":
        nx, ny, nz, mode = struct.unpack_from(order + "4i", head)
        axes = struct.unpack_from(order + "3i", head, 64)
        if mode in _DTYPES and 0 < nx < 2**20 and 0 < ny < 2**20 and 0 < nz < 2**20 and sorted(axes) == [1, 2, 3]:
            return True
    return False


def datasets(path: Path) -> list[DataSet]:
    """Return the one data set of an MRC file."""
    file_bytes = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            msg = f"its MRC header ends after {len(head)} of {_HEADER_BYTES} bytes"
            raise CannotRead(msg)
        order = _byte_order(head)
        nx, ny, nz, mode = struct.unpack_from(order + "4i", head)
        extended_bytes: int = struct.unpack_from(order + "i", head, 92)[0]
        record = stream.read(_RECORD_BYTES) if extended_bytes >= 128 else b""
    if mode not in _DTYPES:
        msg = f"it has MRC mode {mode}; readable are {', '.join(str(known) for known in _DTYPES)}"
        raise CannotRead(msg)
    dtype = np.dtype(order + _DTYPES[mode])
    if mode == 0 and _is_unsigned(head, order):
        dtype = np.dtype("u1")
    offset = _HEADER_BYTES + extended_bytes
    if extended_bytes < 0 or offset > file_bytes:
        msg = f"its header announces {extended_bytes} bytes of extended header, more than the file has"
        raise CannotRead(msg)
    shape = (nz, ny, nx) if nz != 1 else (ny, nx)
    packed = mode == _HALF_BYTES
    by_ncempy = mode in _BY_NCEMPY and dtype != np.uint8 and order == "<"
    frame = _half_bytes if packed else _by_ncempy if by_ncempy else _by_rosettasciio
    # transforms are refused by their type later
    check_size((*shape[:-1], (nx + 1) // 2 if packed else nx), 4 if mode == 3 else dtype.itemsize, file_bytes - offset)
    axes, tag, no_scale = _calibration(head, order, record, extended_bytes)
    return [
        DataSet(
            shape=shape,
            dtype=dtype,
            frame=partial(frame, path, dtype, shape, offset) if packed else partial(frame, path, dtype),
            axes=axes[-len(shape) :],
            scale_tag=tag,
            no_scale=no_scale,
            metadata=_fei_metadata(head, order, record, extended_bytes),
        )
    ]


def _by_ncempy(path: Path, _: np.dtype[np.generic], number: int) -> NDArray[np.generic]:
    from ncempy.io.mrc import fileMRC

    opened: Any = fileMRC(path)
    with opened as file:
        return file.getSlice(number)


def _by_rosettasciio(path: Path, dtype: np.dtype[np.generic], number: int) -> NDArray[np.generic]:
    from rsciio import mrc

    reader: Any = mrc
    order = dtype.str[0] if dtype.itemsize > 1 else "<"
    # by itself it looks for other files by the name; what it gives is mapped, and one frame of it is read
    signal: dict[str, Any] = reader.file_reader(str(path), lazy=True, metadata_file=None, endianness=order)[0]
    # it takes the header's byte order and leaves the values in the machine's, and every byte for unsigned
    return from_signal(signal, "").frame(number).view(dtype)


def _half_bytes(
    path: Path, _: np.dtype[np.generic], shape: tuple[int, ...], offset: int, number: int
) -> NDArray[np.generic]:
    height, width = shape[-2:]
    row_bytes = (width + 1) // 2
    start = offset + number * height * row_bytes
    packed = np.fromfile(path, np.uint8, height * row_bytes, offset=start).reshape(height, row_bytes)
    return np.stack([packed & 15, packed >> 4], axis=-1).reshape(height, -1)[:, :width]


def _byte_order(head: bytes) -> str:
    stamp = head[212:214]
    if stamp == b"\x11\x11":
        return ">"
    if stamp in (b"DD", b"DA"):
        return "<"
    little = struct.unpack_from("<i", head, 12)[0]
    return "<" if little in _DTYPES else ">"


def _is_unsigned(head: bytes, order: str) -> bool:
    """Return whether mode 0 holds unsigned bytes: IMOD says so in bit 0 of its flags, others by a maximum over 127."""
    if head[152:156] == b"IMOD":
        return not struct.unpack_from(order + "i", head, 156)[0] & 1
    greatest: float = struct.unpack_from(order + "f", head, 80)[0]
    return greatest > 127


def _calibration(head: bytes, order: str, record: bytes, extended_bytes: int) -> tuple[tuple[Axis, ...], str, str]:
    fei = _fei_record(order, record, extended_bytes)
    if fei is not None and 0 < fei[11] < 1e-3:
        metres = Axis(fei[11], "m")
        return (Axis(), metres, metres), "FEI extended header, pixel size", ""
    newer = _newer_fei_record(head, order, record)
    if newer is not None and 0 < newer["pixel"] < 1e-3:
        metres = Axis(newer["pixel"], "m")
        return (Axis(), metres, metres), "FEI1 extended header, pixel size", ""
    grid = struct.unpack_from(order + "3i", head, 28)
    cell = struct.unpack_from(order + "3f", head, 40)
    if min(grid[:2]) <= 0 or cell[0] == 0 or cell[1] == 0:
        return (Axis(),) * 3, "", "the MRC header's cell is empty"
    steps = [length / count if count > 0 else 0.0 for length, count in zip(cell, grid, strict=True)]
    x, y, z = (Axis(step, "Å") for step in steps)
    no_scale = ""
    if steps[0] == 1.0 and steps[1] == 1.0:
        # many programs write 1 Å a pixel when they know no pixel size
        no_scale = "the MRC header's cell is exactly 1 Å a pixel, which is what programs write that know no pixel size"
    elif steps[0] < 0 or steps[1] < 0:
        no_scale = f"the MRC header's pixel size {steps[0]:g} Å is not a positive number"
    return (z, y, x), "MRC header, cell / grid", no_scale


def _fei_record(order: str, record: bytes, extended_bytes: int) -> tuple[float, ...] | None:
    """Return the 13 numbers of the first FEI record, where the extended header is FEI's."""
    if extended_bytes != _FEI_BYTES or len(record) < 52:
        return None
    return struct.unpack_from(order + "13f", record)


def _newer_fei_record(head: bytes, order: str, record: bytes) -> dict[str, Any] | None:
    """Return what matters of the extended header that Thermo Fisher marks FEI1 or FEI2.

    The places are those of "MRC2014 file image format specification of Thermo Fisher Scientific", as mrcfile has them.
    """
    if head[104:108] not in (b"FEI1", b"FEI2") or len(record) < 297:
        return None
    volts, pixel, magnification = (struct.unpack_from(order + "d", record, place)[0] for place in (84, 156, 289))
    return {"volts": volts, "pixel": pixel, "magnification": magnification, "instrument": text(record[20:36])}


def _fei_metadata(head: bytes, order: str, record: bytes, extended_bytes: int) -> dict[str, str | float]:
    metadata: dict[str, str | float] = {}
    newer = _newer_fei_record(head, order, record)
    if newer is not None:
        put(metadata, "voltage_kv", number(newer["volts"] / 1000.0))
        put(metadata, "magnification", number(newer["magnification"]))
        put(metadata, "instrument", newer["instrument"])
    fei = _fei_record(order, record, extended_bytes)
    if fei is not None and 0 < fei[11] < 1e-3:
        if fei[8] > 0:
            metadata["exposure_s"] = fei[8]
        if fei[12] > 0:
            metadata["magnification"] = fei[12]
    return metadata
