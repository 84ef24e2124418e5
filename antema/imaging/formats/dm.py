# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
"""Gatan DigitalMicrograph, DM3 and DM4: through ncempy where it reads a file soundly, else through RosettaSciIO.

ncempy parses the tags, and takes frames of grey values out of the file one at a time. It has no reading of colours,
switches, packed transforms and files of the other byte order, and where the lists that it makes of a file's arrays do
not say what the tags say, it has lost count. All of these are RosettaSciIO's. Both build what a file says before they
look at how much that is, so a stranger's file belongs into the reader process (`antema.imaging.safe`).
"""

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import Axis, DataSet, check_size
from antema.imaging.formats.metadata import number, put, text
from antema.imaging.formats.rosetta import from_signal

#: Values of ImageData.DataType that ncempy reads, as DigitalMicrograph numbers them.
_DTYPES = {
    1: "<i2",
    2: "<f4",
    3: "<c8",
    6: "u1",
    7: "<i4",
    9: "i1",
    10: "<u2",
    11: "<u4",
    12: "<f8",
    13: "<c16",
}
_COLOUR = 23
#: Data types that store half of their values, so that the file may be shorter than they are.
_PACKED = (5, 27, 28)
_SCALE_TAG = "DM ImageData.Calibrations"
_NO_IMAGE_FORMATS = {"Spectrum": "a spectrum", "Spectrum image": "a spectrum image"}
#: What ncempy puts in the place of values that it leaves in the file or cannot show.
_UNREAD = ("Array unread", "Data unread", "(Not displayable)")


class _Unsound(Exception):  # noqa: N818 - no error: the other library's turn
    """ncempy does not read this file as it is."""


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
        kind = f"DM{int.from_bytes(stream.read(4), 'big')}"
    try:
        return _by_ncempy(path, kind)
    except (CannotRead, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - whatever it stumbles over, the other library has its try, whose error is told
        return _by_rosettasciio(path, kind)


def _by_ncempy(path: Path, kind: str) -> list[DataSet]:
    file: Any = _opener()(path)
    tags: dict[str, Any] = file.allTags
    images = {int(match[1]) for tag in tags if (match := re.match(r"\.ImageList\.(-?\d+)\.ImageData\.DataType$", tag))}
    if not images:
        msg = "it holds DigitalMicrograph tags but no image"
        raise CannotRead(msg)
    thumbnails = _thumbnails(tags)
    full = [image for image in sorted(images) if image not in thumbnails] or sorted(images)
    if images != set(range(1, len(images) + 1)) or file.numObjects != len(images):
        raise _Unsound
    return [_dataset(file, image, kind, _under(tags, f".ImageList.{image}."), path.stat().st_size) for image in full]


@cache
def _opener() -> type[Any]:
    """Return ncempy's class of a file, which is imported late, for matplotlib comes with it."""
    from ncempy.io.dm import fileDM

    class File(fileDM):
        def __del__(self) -> None:
            # an array in the traceback of an error may outlive it; the map is closed with the last of these
            with suppress(BufferError):
                super().__del__()

    return File


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


def _dataset(file: Any, image: int, kind: str, tags: Mapping[str, Any], file_bytes: int) -> DataSet:  # noqa: ANN401
    lengths: list[int] = []
    while (key := f"ImageData.Dimensions.{len(lengths) + 1}") in tags:
        lengths.append(int(tags[key]))
    shape = tuple(reversed(lengths))
    code = int(tags["ImageData.DataType"])
    if code not in _DTYPES or not _is_counted_right(file, image - 1, code, lengths, tags):
        raise _Unsound
    dtype = np.dtype(_DTYPES[code])
    offset, stored_bytes = int(tags["ImageData.Data.arrayOffset"]), int(tags["ImageData.Data.arraySize"])
    check_size(shape, dtype.itemsize, min(stored_bytes, file_bytes - offset))
    axes = tuple(
        Axis(
            float(tags.get(f"ImageData.Calibrations.Dimension.{axis}.Scale", 1.0)),
            _words(tags.get(f"ImageData.Calibrations.Dimension.{axis}.Units")),
        )
        for axis in range(len(lengths), 0, -1)
    )
    return DataSet(
        shape=shape,
        dtype=dtype,
        # ncempy numbers from the one behind the thumbnail, which it takes every first of several for
        frame=partial(_frame, file, image - 1 if file.numObjects == 1 else image - 2),
        axes=axes,
        scale_tag=_SCALE_TAG,
        title=_words(tags.get("Name")),
        no_image=_no_image(tags, shape, axes),
        metadata={**_metadata(tags), "format": kind},
    )


def _is_counted_right(file: Any, place: int, code: int, lengths: list[int], tags: Mapping[str, Any]) -> bool:  # noqa: ANN401
    """Return whether ncempy's lists, by which it finds the values, say of an array what its tags say."""
    lists = (file.dataType, file.dataOffset, file.xSize, file.ySize, file.zSize, file.zSize2)
    if any(len(one) <= place for one in lists):
        return False
    expected = (code, int(tags["ImageData.Data.arrayOffset"]), *(*lengths, 1, 1, 1, 1)[:4])
    return expected == tuple(int(one[place]) for one in lists)


def _frame(file: Any, index: int, frame: int) -> NDArray[np.generic]:  # noqa: ANN401 - ncempy carries no types
    return file.getSlice(index, frame)["data"]


def _words(value: Any) -> str:  # noqa: ANN401 - whatever a tag holds
    """Return a tag's text; ncempy makes a letter of each 16-bit number, also of the halves of one outside of these."""
    words = text(value)
    if words.startswith(_UNREAD):
        return ""
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _by_rosettasciio(path: Path, kind: str) -> list[DataSet]:
    from rsciio import digitalmicrograph

    reader: Any = digitalmicrograph
    try:
        signals: list[dict[str, Any]] = reader.file_reader(str(path))
    except (struct.error, EOFError) as error:
        msg = "it ends inside of its tags"
        raise CannotRead(msg) from error
    except RecursionError as error:
        msg = "its tags are nested deeper than any microscope's are"
        raise CannotRead(msg) from error
    found: list[DataSet] = []
    for signal in signals:
        tree: Mapping[str, Any] = signal["original_metadata"]["ImageList"]["TagGroup0"]
        tags = dict(_flat(tree))
        dataset = from_signal(signal, _SCALE_TAG)
        if tags.get("ImageData.DataType") not in _PACKED:
            check_size(dataset.shape, dataset.dtype.itemsize * dataset.channels, path.stat().st_size)
        no_image = _no_image(tags, dataset.shape, dataset.axes) or dataset.no_image
        found.append(replace(dataset, no_image=no_image, metadata={**_metadata(tags), "format": kind}))
    if not found:
        msg = "it holds DigitalMicrograph tags but no image"
        raise CannotRead(msg)
    return found


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give RosettaSciIO's tree of tags with full names, as ncempy has them."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(cast("Mapping[str, Any]", value), f"{above}{name}.")
        else:
            yield above + name, value


def _no_image(tags: Mapping[str, Any], shape: tuple[int, ...], axes: tuple[Axis, ...]) -> str:
    meta_format = _words(tags.get("ImageTags.Meta Data.Format"))
    if meta_format in _NO_IMAGE_FORMATS:
        return "a line scan of spectra" if len(shape) == 2 else _NO_IMAGE_FORMATS[meta_format]
    # In STEM the imaging mode is always diffraction; the operation mode then says SCANNING.
    operation = _words(tags.get("ImageTags.Microscope Info.Operation Mode"))
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
    names = [_words(tags.get(key)) for key in ("ImageTags.Session Info.Microscope", info + "Name")]
    put(metadata, "instrument", next((name for name in names if name and name != "Unknown"), ""))
    when = (_words(tags.get(databar + "Acquisition Date")), _words(tags.get(databar + "Acquisition Time")))
    put(metadata, "date", " ".join(part for part in when if part))
    detectors = (_words(tags.get(key)) for key in ("ImageTags.Acquisition.Device.Name", databar + "Device Name"))
    put(metadata, "detector", next(filter(None, detectors), ""))
    exposure = number(tags.get("ImageTags.Acquisition.Parameters.High Level.Exposure (s)"))
    put(metadata, "exposure_s", exposure or number(tags.get(databar + "Exposure Time (s)")))
    microseconds = number(tags.get("ImageTags.DigiScan.Sample Time"))
    put(metadata, "dwell_time_s", microseconds / 1e6 if microseconds else None)
    return metadata
