# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
"""HDF5: Velox EMD, Berkeley (NCEM) EMD and HyperSpy's .hspy, through RosettaSciIO.

The data are opened lazily and read frame by frame; before that every array of the file is checked.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from antema.domain import CannotRead, NotAnImage
from antema.imaging.dataset import DataSet, check_size
from antema.imaging.formats.compressed import check_ratio
from antema.imaging.formats.metadata import number, put, text
from antema.imaging.formats.rosetta import from_signal

_MOST_OBJECTS = 20_000


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is an HDF5 file."""
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def datasets(path: Path) -> list[DataSet]:
    """Return the data sets of an EMD or .hspy file; of a Velox file its images alone."""
    import h5py
    import hdf5plugin  # noqa: F401  # pyright: ignore[reportUnusedImport] - enters its compressions into HDF5's list

    with h5py.File(path, "r") as opened:
        file: Any = opened
        _check_arrays(file)
        is_hspy = "Experiments" in file
        # RosettaSciIO reads a .hspy lazily only where its arrays are in chunks, as HyperSpy itself writes them
        lazy = is_hspy and all(one["data"].chunks for one in file["Experiments"].values() if "data" in one)
        is_velox = not is_hspy and _is_velox(file)
        described = _ncem_metadata(file)
        has_spectra = is_velox and any(name in file.get("Data", {}) for name in ("Spectrum", "SpectrumStream"))
    signals: list[dict[str, Any]]
    if is_hspy:
        from rsciio import hspy

        signals = hspy.file_reader(str(path), lazy=lazy)
        return [from_signal(signal, "HyperSpy axes", metadata={"format": "HyperSpy"}) for signal in signals]
    from rsciio import emd

    if not is_velox:
        return [from_signal(signal, "EMD dim vectors", metadata=described) for signal in _ncem(emd, path)]
    signals = emd.file_reader(str(path), lazy=True, select_type="images")
    if not signals:
        msg = "X-ray spectra without an image" if has_spectra else "a Velox file without an image"
        raise NotAnImage(msg)
    return [
        from_signal(signal, "Velox BinaryResult.PixelSize", metadata=_velox_metadata(signal.get("original_metadata")))
        for signal in signals
    ]


def _ncem(emd: Any, path: Path) -> list[dict[str, Any]]:  # noqa: ANN401 - a module
    try:
        signals: list[dict[str, Any]] = emd.file_reader(str(path), lazy=True)
    except OSError as error:
        if "not a supported EMD file" in str(error):
            msg = "it is an HDF5 file, but neither EMD (Velox or Berkeley) nor HyperSpy's"
            raise CannotRead(msg) from error
        raise
    return signals


def _ncem_metadata(file: Any) -> dict[str, str | float]:  # noqa: ANN401 - h5py's stubs are partial
    """Return what the group ``microscope`` of a Berkeley EMD file says; its voltage is in volts."""
    metadata: dict[str, str | float] = {"format": "EMD (Berkeley)"}
    group = file.get("microscope")
    if group is None:
        return metadata
    values: Mapping[str, Any] = group.attrs
    volts = number(values.get("high tension"))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "magnification", number(values.get("magnification")))
    put(metadata, "instrument", text(values.get("name")))
    put(metadata, "exposure_s", number(values.get("exposure time")))
    put(metadata, "dwell_time_s", number(values.get("dwell time")))
    return metadata


def _check_arrays(file: Any) -> None:  # noqa: ANN401 - h5py's stubs are partial
    """Refuse what makes a small file large or reads other files.

    Chunks that were never written are a few kilobytes that unpack to gigabytes of zeros, one chunk is unpacked as a
    whole, and an array or a link may name another file of the machine as the place of its values.
    """
    import h5py

    count = 0

    # what is found is returned, which ends the visit: an exception does not pass through HDF5's own code in order
    def check_link(name: str, link: Any) -> str | None:  # noqa: ANN401 - h5py's stubs are partial
        nonlocal count
        count += 1
        if count > _MOST_OBJECTS:
            return f"it has more than {_MOST_OBJECTS:,} groups and arrays"
        return f"its {name} is a link to another file" if isinstance(link, h5py.ExternalLink) else None

    def check_array(name: str, item: Any) -> str | None:  # noqa: ANN401 - h5py's stubs are partial
        if not isinstance(item, h5py.Dataset):
            return None
        array: Any = item
        if array.external or array.is_virtual:
            return f"the values of the array {name} are in another file"
        if array.dtype.kind == "O" and name.endswith("/data"):
            return f"the array {name} holds texts or objects, not grey values"
        if len(array.shape or ()) > 0 and array.dtype.kind in "biufcV":
            try:
                check_ratio(array.shape, array.dtype.itemsize, array.id.get_storage_size(), f"the array {name}")
                chunk = (1, math.prod(array.chunks or (1,)))
                check_size(chunk, array.dtype.itemsize, 1 << 62, f"a chunk of the array {name}")
            except CannotRead as error:
                return str(error)
        return None

    reason = file.visititems_links(check_link) or file.visititems(check_array)
    if reason:
        raise CannotRead(reason)


def _is_velox(file: Any) -> bool:  # noqa: ANN401 - h5py's stubs are partial
    if "Version" not in file:
        return False
    try:
        form: str = json.loads(file["Version"][0])["format"]
    except (KeyError, TypeError, ValueError, IndexError):
        return False
    return form in ("Velox", "DevelopersKit")


def _velox_metadata(original: Mapping[str, Any] | None) -> dict[str, str | float]:
    original = original or {}
    optics: Mapping[str, Any] = original.get("Optics", {})
    instrument: Mapping[str, Any] = original.get("Instrument", {})
    scan: Mapping[str, Any] = original.get("Scan", {})
    result: Mapping[str, Any] = original.get("BinaryResult", {})
    metadata: dict[str, str | float] = {"format": "EMD (Velox)"}
    volts = number(optics.get("AccelerationVoltage"))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "magnification", number(optics.get("NominalMagnification")))
    put(metadata, "instrument", text(instrument.get("InstrumentModel") or instrument.get("InstrumentClass")))
    put(metadata, "detector", text(result.get("Detector")))
    detectors: Mapping[str, Any] = original.get("Detectors", {})
    wanted = text(result.get("Detector"))
    for detector in detectors.values():
        if isinstance(detector, Mapping) and text(detector.get("DetectorName")) == wanted:
            put(metadata, "exposure_s", number(detector.get("ExposureTime")))
    put(metadata, "dwell_time_s", number(scan.get("DwellTime")))
    return metadata
