# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
"""FEI TIA (ES Vision): .ser with the data, .emi with what is known of them, through RosettaSciIO."""

import struct
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from antema.domain import CannotRead
from antema.imaging.dataset import DataSet, check_size
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
    _check_ser(path)
    emi = next(iter(own(path, companions(path))), None)
    return [_dataset(signal, described=emi is not None) for signal in _signals([path], emi)]


def datasets_emi(path: Path) -> list[DataSet]:
    """Return the data sets of the .ser files that lie beside an .emi file and belong to it."""
    series = own(path, companions(path))
    if not series:
        msg = f"an .emi file holds no image itself; its data are in {path.stem}_1.ser, which is not beside it"
        raise CannotRead(msg)
    for file in series:
        _check_ser(file)
    return [_dataset(signal, described=True) for signal in _signals(series, path)]


def _signals(series: list[Path], emi: Path | None) -> list[dict[str, Any]]:
    """Return RosettaSciIO's signals of some .ser files, with what the .emi file says of them.

    It goes by suffixes, and an .emi draws in every .ser beside it, so it gets a folder with these alone.
    """
    from rsciio import tia

    with tempfile.TemporaryDirectory(prefix="antema-tia-") as folder:
        entry = Path(folder, "data.ser" if emi is None else "data.emi")
        if emi is None:
            entry.symlink_to(series[0].resolve())
        else:
            entry.symlink_to(emi.resolve())
            for file in series:
                Path(folder, f"data_{file.stem.rpartition('_')[2]}.ser").symlink_to(file.resolve())
        return tia.file_reader(str(entry))


def _check_ser(path: Path) -> None:
    """Check the elements that the header announces against the file's size."""
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


def _dataset(signal: Mapping[str, Any], *, described: bool) -> DataSet:
    info: Mapping[str, Any] = signal.get("original_metadata", {}).get("ObjectInfo") or {}
    experiment: Mapping[str, Any] = info.get("ExperimentalDescription") or {}
    acquired: Mapping[str, Any] = info.get("AcquireInfo") or {}
    metadata: dict[str, str | float] = {}
    put(metadata, "voltage_kv", number(experiment.get("High tension_kV")))
    put(metadata, "magnification", number(experiment.get("Magnification_x")))
    put(metadata, "instrument", text(experiment.get("Microscope")))
    put(metadata, "detector", text(acquired.get("CameraNamePath")))
    put(metadata, "exposure_s", number(acquired.get("DwellTimePath")))
    put(metadata, "date", text(info.get("AcquireDate")))
    metadata["format"] = "TIA"
    tag = "TIA CalibrationDelta, its unit by the mode in the .emi" if described else "TIA CalibrationDelta"
    dataset = replace(from_signal(signal, tag, metadata=metadata), sidecar=described)
    if any(axis.unit == "nm" and abs(axis.scale) > _RECIPROCAL_NM for axis in dataset.axes[-2:]):
        return replace(dataset, no_image="a diffraction pattern (its lengths are reciprocal metres)")
    return dataset
