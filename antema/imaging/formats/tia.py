# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
"""FEI TIA (ES Vision): .ser with the data, .emi with what is known of them.

Images are read by ncempy. It calls every length metres, also those of a diffraction pattern: which they are, the mode
says that the .emi notes, or their size. Spectra, and files that ncempy gives up on, are left to RosettaSciIO.
"""

import math
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead
from antema.imaging.dataset import Axis, DataSet, check_size
from antema.imaging.formats.metadata import number, put, text
from antema.imaging.formats.rosetta import from_signal
from antema.imaging.formats.sidecar import own

_SPECTRA, _IMAGES = 0x4120, 0x4122
#: A .ser calls every length metres. Pixels of more than a metre are those of a diffraction pattern, in 1/m.
_RECIPROCAL_NM = 1e9

_ITEM_BYTES = {1: 1, 2: 2, 3: 4, 4: 1, 5: 2, 6: 4, 7: 4, 8: 8, 9: 8, 10: 16}


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a .ser file."""
    return head.startswith(b"II\x97\x01")


def matches_emi(head: bytes) -> bool:
    """Return whether a file that starts so is an .emi file."""
    return head.startswith(b"JK\x00\x02")


def companions(path: Path) -> list[Path]:
    """Return the files that belong to a .ser or an .emi file by their names."""
    if path.suffix.lower() == ".emi":
        # by name, since the process that reads may look up names in the folder but not list it
        named = [path.with_name(f"{path.stem}_{number}.ser") for number in range(10)]
        return [file for file in named if file.is_file()]
    stem, _, index = path.stem.rpartition("_")
    return [path.with_name(f"{stem}.emi")] if index.isdecimal() and len(index) == 1 else []


def datasets(path: Path) -> list[DataSet]:
    """Return the data set of a .ser file, with the units of the .emi file beside it where there is one."""
    return _read([path], next(iter(own(path, companions(path))), None))


def datasets_emi(path: Path) -> list[DataSet]:
    """Return the data sets of the .ser files that lie beside an .emi file and belong to it."""
    series = own(path, companions(path))
    if not series:
        msg = f"an .emi file holds no image itself; its data are in {path.stem}_1.ser, which is not beside it"
        raise CannotRead(msg)
    return _read(series, path)


def _read(series: list[Path], emi: Path | None) -> list[DataSet]:
    """Return the data sets of some .ser files, with what the .emi file says of them.

    Both libraries look for an .emi by its name, and RosettaSciIO draws in every .ser beside it, so they get a folder
    with these alone.
    """
    only_images = all([_check_ser(file) == _IMAGES for file in series])
    with tempfile.TemporaryDirectory(prefix="antema-tia-") as folder:
        links = [Path(folder, f"data_{number}.ser") for number in range(len(series))]
        for link, file in zip(links, series, strict=True):
            link.symlink_to(file.resolve())
        entry = Path(folder, "data.emi") if emi is not None else links[0]
        if emi is not None:
            entry.symlink_to(emi.resolve())
        try:
            if only_images:
                return [_images(link) for link in links]
        except (CannotRead, MemoryError):
            raise
        except Exception:  # noqa: BLE001, S110 - whatever ncempy stumbles over: the other library's error is told
            pass
        from rsciio import tia

        reader: Any = tia
        signals: list[dict[str, Any]] = reader.file_reader(str(entry))
        return [_dataset(signal, described=emi is not None) for signal in signals]


def _images(path: Path) -> DataSet:
    """Return the images of a .ser file, by ncempy; the first is read, the others when they are asked for."""
    from ncempy.io.ser import fileSER

    file: Any = fileSER(path)
    notes: Mapping[str, Any] = file._emi or {}  # noqa: SLF001 - no other way to what the .emi says of a .ser's images
    first, described = file.getDataset(0)
    count = int(file.head["ValidNumberElements"])
    dimensions: list[Mapping[str, Any]] = list(reversed(file.head["Dimensions"]))
    lengths = [int(dimension["DimensionSize"]) for dimension in dimensions]
    # images at the points of a scan have a dimension for each of its directions
    series = lengths if len(lengths) > 1 and math.prod(lengths) == count else [count] if count > 1 else []
    is_scan = any(length > 1 and dimension["Units"] for length, dimension in zip(lengths, dimensions, strict=True))
    unit, factor = ("1/nm", 1e-9) if _is_diffraction(notes, is_scan=is_scan) else ("nm", 1e9)
    axes = [Axis(float(axis["CalibrationDelta"]) * factor, unit) for axis in reversed(described["Calibration"])]
    return _told(
        DataSet(
            shape=(*series, *first.shape),
            dtype=first.dtype,
            frame=partial(_frame, file),
            axes=(*(Axis() for _ in series), *axes),
            scale_tag="",
            metadata=_metadata(notes, {"High tension": " [kV]", "Magnification": " [x]", "Microscope": " []"}, notes),
        ),
        described=bool(notes),
    )


def _frame(file: Any, number: int) -> NDArray[np.generic]:  # noqa: ANN401 - ncempy carries no types
    return file.getDataset(number)[0]


def _is_diffraction(notes: Mapping[str, Any], *, is_scan: bool) -> bool:
    """Return whether the lengths of images are reciprocal, by RosettaSciIO's rule for what an .emi says."""
    mode = text(notes.get("Mode []"))
    # scanning, a camera sees patterns and the other detectors images, though the mode then is diffraction
    return ("CameraNamePath" in notes or is_scan) if "STEM" in mode else "Diffraction" in mode


def _check_ser(path: Path) -> int:
    """Check the elements that the header announces against the file's size; return what they are."""
    file_bytes = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(34)
        if len(head) < 34:
            msg = f"its header ends after {len(head)} bytes"
            raise CannotRead(msg)
        version, kind, _, total, valid = struct.unpack_from("<HIIII", head, 4)
        wide = version > 0x210
        table_at: int = struct.unpack_from("<Q" if wide else "<I", head, 22)[0]
        entry = 8 if wide else 4
        check_size((1, total), 2 * entry, file_bytes - table_at, "a table of elements")
        if valid < 1 or valid > total:
            msg = f"its header announces {valid} valid elements of {total}"
            raise CannotRead(msg)
        stream.seek(table_at)
        first = int.from_bytes(stream.read(entry), "little")
        stream.seek(first + (40 if kind == _IMAGES else 20))
        element = stream.read(10 if kind == _IMAGES else 6)
        if len(element) < (10 if kind == _IMAGES else 6):
            msg = "it ends before its first image"
            raise CannotRead(msg)
    if kind == _IMAGES:
        item, width, height = struct.unpack("<HII", element)
        shape = (valid, height, width)
    elif kind == _SPECTRA:
        item, length = struct.unpack("<HI", element)
        shape = (1, valid, length)
    else:
        msg = f"its data are of TIA type {kind:#x}, which is not known"
        raise CannotRead(msg)
    if item not in _ITEM_BYTES:
        msg = f"its values are of TIA type {item}, which is not known"
        raise CannotRead(msg)
    check_size(shape, _ITEM_BYTES[item], file_bytes - first)
    return kind


def _dataset(signal: Mapping[str, Any], *, described: bool) -> DataSet:
    """Return the data set of one of RosettaSciIO's signals."""
    info: Mapping[str, Any] = signal.get("original_metadata", {}).get("ObjectInfo") or {}
    experiment: Mapping[str, Any] = info.get("ExperimentalDescription") or {}
    acquired: dict[str, Any] = {"AcquireDate": info.get("AcquireDate"), **(info.get("AcquireInfo") or {})}
    units = {"High tension": "_kV", "Magnification": "_x", "Microscope": ""}
    return _told(from_signal(signal, "", metadata=_metadata(experiment, units, acquired)), described=described)


def _told(dataset: DataSet, *, described: bool) -> DataSet:
    """Return a data set with where its scale comes from, and with what it is where its scale betrays that."""
    tag = "TIA CalibrationDelta, its unit by the mode in the .emi" if described else "TIA CalibrationDelta"
    told = replace(dataset, scale_tag=tag, sidecar=described)
    if any(axis.unit == "nm" and abs(axis.scale) > _RECIPROCAL_NM for axis in dataset.axes[-2:]):
        return replace(told, no_image="a diffraction pattern (its lengths are reciprocal metres)")
    return told


def _metadata(
    experiment: Mapping[str, Any], units: Mapping[str, str], acquired: Mapping[str, Any]
) -> dict[str, str | float]:
    """Return what an .emi says of the microscope; its labels have their units behind them in each library's way."""
    metadata: dict[str, str | float] = {}
    put(metadata, "voltage_kv", number(experiment.get("High tension" + units["High tension"])))
    put(metadata, "magnification", number(experiment.get("Magnification" + units["Magnification"])))
    put(metadata, "instrument", text(experiment.get("Microscope" + units["Microscope"])))
    put(metadata, "detector", text(acquired.get("CameraNamePath")))
    put(metadata, "exposure_s", number(acquired.get("DwellTimePath")))
    put(metadata, "date", text(acquired.get("AcquireDate")))
    metadata["format"] = "TIA"
    return metadata
