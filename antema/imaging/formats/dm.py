"""Gatan DigitalMicrograph, DM3 and DM4: the arrays that the tags of `antema.imaging.formats.dm_tags` describe."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import Axis, DataSet, check_size
from antema.imaging.formats.dm_tags import read_tags
from antema.imaging.formats.metadata import number, put, text

#: Values of ImageData.DataType, as DigitalMicrograph numbers them.
_DTYPES = {
    1: "i2",
    2: "f4",
    3: "c8",
    5: "c8",  # packed: half of a Fourier transform
    6: "u1",
    7: "i4",
    9: "i1",
    10: "u2",
    11: "u4",
    12: "f8",
    13: "c16",
    14: "?",
    27: "c8",  # packed
    28: "c16",  # packed
    39: "i8",
    40: "u8",
}
_COLOUR = 23  # four bytes a pixel: blue, green, red, opacity
_NO_IMAGE_FORMATS = {"Spectrum": "a spectrum", "Spectrum image": "a spectrum image"}


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a DM3 or DM4 file."""
    if len(head) < 16:
        return False
    version = int.from_bytes(head[:4], "big")
    order_at = 8 if version == 3 else 12
    return version in (3, 4) and int.from_bytes(head[order_at : order_at + 4], "big") in (0, 1)


def datasets(path: Path) -> list[DataSet]:
    """Return the data sets of a DM3 or DM4 file, without its thumbnail."""
    with path.open("rb") as stream:
        tags = read_tags(stream)
        stream.seek(0)
        version = int.from_bytes(stream.read(4), "big")
        stream.seek(8 if version == 3 else 12)
        order = "<" if int.from_bytes(stream.read(4), "big") == 1 else ">"
    numbers = sorted(
        int(match[1]) for tag in tags if (match := re.fullmatch(r"\.ImageList\.(\d+)\.ImageData\.DataType", tag))
    )
    if not numbers:
        msg = "it holds DigitalMicrograph tags but no image"
        raise CannotRead(msg)
    thumbnails = _thumbnails(tags)
    full = [image for image in numbers if image not in thumbnails] or numbers
    return [_dataset(path, f"DM{version}", order, _under(tags, f".ImageList.{image}.")) for image in full]


def _thumbnails(tags: Mapping[str, Any]) -> set[int]:
    """Return the numbers of the images that are reduced copies of others for a list of files."""
    named = {
        int(index) + 1
        for tag, value in tags.items()
        if re.fullmatch(r"\.Thumbnails\.\d+\.ImageIndex", tag) and (index := number(value)) is not None
    }
    if named:
        return named
    # an older or foreign file: the first image is one where it is in colours and more follow
    is_flat = ".ImageList.1.ImageData.Dimensions.3" not in tags
    return {1} if tags.get(".ImageList.1.ImageData.DataType") == _COLOUR and is_flat else set()


def _under(tags: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {tag.removeprefix(prefix): value for tag, value in tags.items() if tag.startswith(prefix)}


def _dataset(path: Path, kind: str, order: str, tags: Mapping[str, Any]) -> DataSet:
    file_bytes = path.stat().st_size
    lengths: list[int] = []
    while (key := f"ImageData.Dimensions.{len(lengths) + 1}") in tags:
        lengths.append(int(tags[key]))
    shape = tuple(reversed(lengths))
    code = int(tags["ImageData.DataType"])
    colour = code == _COLOUR
    if not colour and code not in _DTYPES:
        msg = f"it has DigitalMicrograph data type {code}, which is not known"
        raise CannotRead(msg)
    dtype = np.dtype("u1" if colour else order + _DTYPES[code])
    try:
        offset, stored_bytes = int(tags["ImageData.Data.arrayOffset"]), int(tags["ImageData.Data.arraySize"])
    except KeyError:
        msg = "its image has a header but no data"
        raise CannotRead(msg) from None
    # a packed transform stores half of its values; it is refused later by its type, so only grey values are checked
    if dtype.kind != "c":
        check_size(shape, 4 if colour else dtype.itemsize, min(stored_bytes, file_bytes - offset))
    axes = tuple(
        Axis(
            float(tags.get(f"ImageData.Calibrations.Dimension.{axis}.Scale", 1.0)),
            text(tags.get(f"ImageData.Calibrations.Dimension.{axis}.Units", "")),
        )
        for axis in range(len(lengths), 0, -1)
    )
    return DataSet(
        shape=shape,
        dtype=dtype,
        frame=partial(_frame, path, dtype, offset, shape, colour=colour),
        axes=axes,
        scale_tag="DM ImageData.Calibrations",
        title=text(tags.get("Name", "")),
        no_image=_no_image(tags, shape, axes),
        metadata={**_metadata(tags), "format": kind},
        channels=4 if colour else 1,
    )


def _frame(
    path: Path, dtype: np.dtype[np.generic], offset: int, shape: tuple[int, ...], frame: int, *, colour: bool
) -> NDArray[np.generic]:
    height, width = shape[-2:]
    count = height * width * (4 if colour else 1)
    values = np.fromfile(path, dtype, count, offset=offset + frame * count * dtype.itemsize)
    if colour:
        return values.reshape(height, width, 4)[..., 2::-1]
    return values.reshape(height, width)


def _no_image(tags: Mapping[str, Any], shape: tuple[int, ...], axes: tuple[Axis, ...]) -> str:
    meta_format = text(tags.get("ImageTags.Meta Data.Format", ""))
    if meta_format in _NO_IMAGE_FORMATS:
        return "a line scan of spectra" if len(shape) == 2 else _NO_IMAGE_FORMATS[meta_format]
    # In STEM the imaging mode is always diffraction; the operation mode then says SCANNING.
    operation = text(tags.get("ImageTags.Microscope Info.Operation Mode", ""))
    if operation == "DIFFRACTION" and not any(axis.unit for axis in axes):
        return "a diffraction pattern (the microscope was in diffraction mode)"
    return ""


def _metadata(tags: Mapping[str, Any]) -> dict[str, str | float]:
    info, databar = "ImageTags.Microscope Info.", "ImageTags.DataBar."
    metadata: dict[str, str | float] = {}
    volts = number(tags.get(info + "Voltage"))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "magnification", number(tags.get(info + "Indicated Magnification")))
    # the name of the microscope's driver ("FEI Tecnai Remote") is for want of one that a person gave
    names = [text(tags.get(key, "")) for key in ("ImageTags.Session Info.Microscope", info + "Name")]
    put(metadata, "instrument", next((name for name in names if name and name != "Unknown"), ""))
    when = (text(tags.get(databar + "Acquisition Date", "")), text(tags.get(databar + "Acquisition Time", "")))
    put(metadata, "date", " ".join(part for part in when if part))
    detector = tags.get("ImageTags.Acquisition.Device.Name") or tags.get(databar + "Device Name", "")
    put(metadata, "detector", text(detector))
    exposure = number(tags.get("ImageTags.Acquisition.Parameters.High Level.Exposure (s)"))
    put(metadata, "exposure_s", exposure or number(tags.get(databar + "Exposure Time (s)")))
    microseconds = number(tags.get("ImageTags.DigiScan.Sample Time"))
    put(metadata, "dwell_time_s", microseconds / 1e6 if microseconds else None)
    return metadata
