"""Text files that scanning microscopes write beside a picture: Hitachi's and JEOL's ``NAME.txt``.

Both makers save TIFF, BMP and JPEG files without any calibration and put it into a text of the same name. The keys
are those that the makers' own files show and that Bio-Formats' HitachiReader and ImageJ macros for both go by.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from antema.imaging.dataset import Axis
from antema.imaging.formats.metadata import number, put, text
from antema.imaging.formats.tiff_scale import Calibration

_LONGEST_BYTES = 1 << 16


def companions(path: Path) -> list[Path]:
    """Return the names that such a text has beside a picture."""
    return [path.with_suffix(".txt"), path.with_suffix(".TXT")]


def beside(path: Path, shape: tuple[int, int]) -> Calibration | None:
    """Return what the text beside a picture says of it; None where there is none of these makers.

    Parameters
    ----------
    path : Path
        The picture.
    shape : tuple of int
        Its height and width: a text that describes another size gives no scale.
    """
    for file in own(path, companions(path)):
        with file.open("rb") as stream:
            head = stream.read(_LONGEST_BYTES)
        words = head.decode("utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1", errors="replace")
        if "[SemImageFile]" in words:
            return _hitachi(dict(re.findall(r"^(\w+)=(.*?)\s*$", words, re.MULTILINE)), shape)
        if re.search(r"^\$CM_FORMAT\s+JEOL", words, re.MULTILINE):
            return _jeol(dict(re.findall(r"^\$+(\w+)[ \t]+(.*?)\s*$", words, re.MULTILINE)), shape)
    return None


def own(path: Path, candidates: list[Path]) -> list[Path]:
    """Return those of a file's companions that are there; a link out of its folder is none of them."""
    folder = path.resolve().parent
    return [one for one in candidates if one != path and one.is_file() and one.resolve().parent == folder]


def _hitachi(values: Mapping[str, str], shape: tuple[int, int]) -> Calibration:
    """Hitachi: ``PixelSize=`` in nanometres."""
    metadata: dict[str, str | float] = {}
    volts = number(_leading_number(values.get("AcceleratingVoltage", "")))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "magnification", number(_leading_number(values.get("Magnification", ""))))
    put(metadata, "instrument", text(values.get("InstructName")))
    put(metadata, "detector", text(values.get("SignalName")))
    put(metadata, "date", f"{values.get('Date', '')} {values.get('Time', '')}".strip())
    if (other := _other_size(values.get("DataSize", ""), shape)) is not None:
        return Calibration(no_scale=other, metadata=metadata, sidecar=True)
    edge = number(_leading_number(values.get("PixelSize", "")))
    if edge is None:
        return Calibration(no_scale="Hitachi's text beside it has no PixelSize", metadata=metadata, sidecar=True)
    return Calibration(Axis(edge, "nm"), Axis(edge, "nm"), "Hitachi PixelSize (.txt)", metadata=metadata, sidecar=True)


def _jeol(values: Mapping[str, str], shape: tuple[int, int]) -> Calibration:
    """JEOL: the length of the scale bar, and how many pixels it has."""
    metadata: dict[str, str | float] = {}
    put(metadata, "voltage_kv", number(_leading_number(values.get("CM_ACCEL_VOLT", ""))))
    put(metadata, "magnification", number(_leading_number(values.get("CM_MAG", ""))))
    put(metadata, "instrument", text(values.get("CM_INSTRUMENT")))
    put(metadata, "detector", text(values.get("CM_SIGNAL_NAME") or values.get("CM_SIGNAL")))
    put(metadata, "date", f"{values.get('CM_DATE', '')} {values.get('CM_TIME', '')}".strip())
    if (other := _other_size(values.get("CM_FULL_SIZE", ""), shape)) is not None:
        return Calibration(no_scale=other, metadata=metadata, sidecar=True)
    bar_px = number(values.get("SM_MICRON_BAR"))
    marker = re.match(r"([\d.]+)\s*(\S+)", values.get("SM_MICRON_MARKER", ""))
    length = number(marker[1]) if marker else None
    if not bar_px or marker is None or length is None:
        return Calibration(no_scale="JEOL's text beside it has no scale bar", metadata=metadata, sidecar=True)
    edge = Axis(length / bar_px, marker[2])
    return Calibration(edge, edge, "JEOL SM_MICRON_MARKER / SM_MICRON_BAR (.txt)", metadata=metadata, sidecar=True)


def _leading_number(words: str) -> str:
    match = re.match(r"\s*[xX]?\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)", words)
    return match[1] if match else ""


def _other_size(words: str, shape: tuple[int, int]) -> str | None:
    """Return the reason why a text does not fit the picture; None where it does, or says no size."""
    sizes = [int(digits) for digits in re.findall(r"\d{1,9}", words)]
    # the data bar below the picture is counted by some programs and not by others
    if len(sizes) == 2 and sizes[0] != shape[1]:
        return (
            f"the text beside it describes {sizes[0]} × {sizes[1]} pixels, and the picture has {shape[1]} × {shape[0]}"
        )
    return None
