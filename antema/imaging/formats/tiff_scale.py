"""Where a TIFF keeps the size of a pixel: one way for each maker of microscopes, cameras and programs.

Each ``_...`` function below looks for one maker's tags and returns None where they are absent. The first that finds
its tags decides, also when it decides that there is no scale: a maker's own tag is never overruled by the resolution
tags, which are mostly a printer's or a screen's.
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import tifffile

from antema.domain import CannotRead
from antema.imaging.dataset import Axis
from antema.imaging.formats.metadata import number, put, text

NM_PER_INCH = 2.54e7
_NM_PER_RESOLUTION_UNIT = {2: NM_PER_INCH, 3: 1e7}  # inch, centimetre

#: The resolution tags are believed for pixels up to this size: the finest printers and scanners have 5 µm.
MAX_RESOLUTION_TAG_NM = 1000.0

#: Zeiss's software notes the pixel size of a 1024 pixels wide image whatever the width is.
_ZEISS_WIDTH_PX = 1024

_TVIPS_DIFFRACTION = 3

#: The structure and the text that Olympus SIS writes.
OLYMPUS_TAGS = (33560, 33471)


@dataclass(frozen=True)
class Calibration:
    """What a TIFF's tags say of its pixels.

    Parameters
    ----------
    horizontal, vertical : Axis
        Edges of a pixel.
    tag : str
        Where they come from.
    no_image, no_scale : str
        As in `antema.imaging.dataset.DataSet`.
    metadata : dict
        As in `antema.domain.Micrograph`.
    sidecar : bool
        Whether it comes from a file beside the TIFF.
    is_generic : bool
        Whether it is from tags that any program may write, so that a maker's text beside the file knows better.
    """

    horizontal: Axis = Axis()
    vertical: Axis = Axis()
    tag: str = ""
    no_image: str = ""
    no_scale: str = ""
    metadata: dict[str, str | float] = field(default_factory=dict[str, str | float])
    sidecar: bool = False
    is_generic: bool = False


def calibration(file: tifffile.TiffFile, page: Any) -> Calibration:  # noqa: ANN401 - tifffile's page or frame
    """Return what is known of a TIFF's pixels.

    Parameters
    ----------
    file : tifffile.TiffFile
        The open file.
    page : tifffile.TiffPage
        The page (of a series its first) whose tags are meant.
    """
    found = next(result for maker in MAKERS if (result := maker.find(file, page)) is not None)
    put_if_absent = {key: value for key, value in _general(page).items() if key not in found.metadata}
    found.metadata.update(put_if_absent)
    return found


def _tag(page: Any, key: int | str) -> Any:  # noqa: ANN401
    """Return the value of a tag, which may be anything; None where it is absent."""
    tag = page.tags.get(key)
    return None if tag is None else tag.value


def _table(page: Any, *keys: int) -> dict[str, Any] | None:  # noqa: ANN401
    """Return the first of these tags that tifffile made a dictionary of; None where there is none."""
    for key in keys:
        value = _tag(page, key)
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
    return None


def _general(page: Any) -> dict[str, str | float]:  # noqa: ANN401 - tifffile's page
    metadata: dict[str, str | float] = {}
    put(metadata, "date", text(_tag(page, "DateTime")))
    put(metadata, "instrument", " ".join(filter(None, (text(_tag(page, "Make")), text(_tag(page, "Model"))))))
    return metadata


def _fei(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """FEI and Thermo Fisher: sections of ``key=value`` in tags 34680 (SFEG) and 34682 (Helios), lengths in metres."""
    sections = _table(page, 34680, 34682)
    if not sections:
        return None
    beam = _section(sections, "Beam")
    metadata: dict[str, str | float] = {}
    volts = number(beam.get("HV"))
    put(metadata, "voltage_kv", abs(volts) / 1000.0 if volts else None)
    user, system = _section(sections, "User"), _section(sections, "System")
    put(metadata, "date", " ".join(filter(None, (text(user.get("Date")), text(user.get("Time"))))))
    put(metadata, "instrument", text(system.get("SystemType")))
    put(metadata, "detector", text(_section(sections, "Detectors").get("Name")))
    scanned = _section(sections, "Scan")
    put(metadata, "exposure_s", number(scanned.get("FrameTime")))
    put(metadata, "dwell_time_s", number(scanned.get("Dwelltime") or scanned.get("Dwell")))
    for name in dict.fromkeys(("Scan", text(beam.get("Scan")))):
        scan = _section(sections, name)
        width, height = number(scan.get("PixelWidth")), number(scan.get("PixelHeight"))
        if width is not None:
            vertical = width if height is None else height
            return Calibration(Axis(width, "m"), Axis(vertical, "m"), f"FEI {name}.PixelWidth", metadata=metadata)
    # a navigation camera has no scan, but a field of view
    view = _section(sections, text(beam.get("Beam")))
    hfw, vfw = number(view.get("HFW")), number(view.get("VFW"))
    image = _section(sections, "Image")
    columns, rows = number(image.get("ResolutionX")), number(image.get("ResolutionY"))
    if hfw and vfw and columns and rows and columns == page.imagewidth:
        return Calibration(
            Axis(hfw / columns, "m"), Axis(vfw / rows, "m"), "FEI HFW / Image.ResolutionX", metadata=metadata
        )
    return Calibration(no_scale="the FEI tag has no pixel size", metadata=metadata)


def _section(sections: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = sections.get(name)
    return cast("dict[str, Any]", section) if isinstance(section, dict) else {}


def _thermo_xml(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """Thermo Fisher: XML in tag 34683 (FEI_TITAN), ``<PixelSize><X unit="m" unitPrefixPower="1">``."""
    value = _tag(page, 34683)
    if not value:
        return None
    root = _xml(text(value))
    if root is None:
        return Calibration(no_scale="the Thermo Fisher XML of tag 34683 is damaged")
    metadata: dict[str, str | float] = {}
    volts = number(root.findtext(".//{*}Optics/{*}AccelerationVoltage"))
    put(metadata, "voltage_kv", abs(volts) / 1000.0 if volts else None)
    put(metadata, "instrument", text(root.findtext(".//{*}Instrument/{*}InstrumentClass")))
    put(metadata, "date", text(root.findtext(".//{*}Acquisition/{*}AcquisitionDatetime")))
    axes: list[Axis] = []
    for name in ("X", "Y"):
        element = root.find(f".//{{*}}PixelSize/{{*}}{name}")
        scale = None if element is None else number(element.text)
        if element is None or scale is None:
            return Calibration(no_scale="the Thermo Fisher XML of tag 34683 has no pixel size", metadata=metadata)
        # the power is that of the unit: -1 would be reciprocal metres
        power, unit = element.get("unitPrefixPower", "1"), element.get("unit", "m")
        axes.append(Axis(scale, unit if power == "1" else f"{unit}^{power}"))
    horizontal, vertical = axes
    return Calibration(horizontal, vertical, "Thermo Fisher XML PixelSize (tag 34683)", metadata=metadata)


def _zeiss(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """Zeiss: tag 34118 (CZ_SEM), unnamed numbers in metres first, then named values with their unit."""
    values = _table(page, 34118)
    if values is None:
        return None
    metadata: dict[str, str | float] = {}
    put(metadata, "voltage_kv", _zeiss_number(values, "ap_actualkv"))
    put(metadata, "instrument", _zeiss_text(values, "sv_serial_number"))
    detector = _zeiss_text(values, "dp_detector_type") or _zeiss_text(values, "dp_detector_channel")
    put(metadata, "detector", detector)
    put(metadata, "date", f"{_zeiss_text(values, 'ap_date')} {_zeiss_text(values, 'ap_time')}".strip())
    put(metadata, "magnification", _zeiss_magnification(values))
    unnamed = values.get("", ())
    noted = number(unnamed[3]) if len(unnamed) > 3 else None
    if noted:
        edge = Axis(noted * _ZEISS_WIDTH_PX / page.imagewidth, "m")
        return Calibration(edge, edge, "Zeiss CZ_SEM pixel size × 1024 / width", metadata=metadata)
    named = values.get("ap_image_pixel_size") or values.get("ap_pixel_size")
    if named is not None and len(named) == 3:
        scale = number(named[1])
        if scale is not None:
            scale *= 1.0 if "ap_image_pixel_size" in values else _ZEISS_WIDTH_PX / page.imagewidth
            edge = Axis(scale, text(named[2]))
            return Calibration(edge, edge, "Zeiss CZ_SEM pixel size", metadata=metadata)
    return Calibration(no_scale="the Zeiss tag CZ_SEM has no pixel size", metadata=metadata)


def _zeiss_number(values: Mapping[str, Any], key: str) -> float | None:
    entry = values.get(key, ())
    return number(entry[1]) if len(entry) > 1 else None


def _zeiss_text(values: Mapping[str, Any], key: str) -> str:
    entry = values.get(key, ())
    return text(entry[1]) if len(entry) > 1 else ""


def _zeiss_magnification(values: Mapping[str, Any]) -> float | None:
    """Return the magnification of ``Mag = 4.53 K X``, which is 4530."""
    match = re.match(r"\s*([\d.]+)\s*(K?)", _zeiss_text(values, "ap_mag"))
    magnification = number(match[1]) if match else None
    return magnification * 1000.0 if magnification and match and match[2] else magnification


def _jeol(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """JEOL SightX: XML in ImageDescription.

    The camera's pixels are in the resolution tags, and the magnification divides them.
    """
    description = text(_tag(page, "ImageDescription"))
    if "<TemReporter" not in description:
        return None
    root = _xml(description)
    if root is None:
        return Calibration(no_scale="the JEOL XML in ImageDescription is damaged")
    metadata: dict[str, str | float] = {}
    volts = number(root.findtext("ElectronGun/AccelerationVoltage"))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "instrument", " ".join(filter(None, (root.findtext("Manufacturer"), root.findtext("Instruments")))))
    put(metadata, "date", text(root.findtext("DateTime")))
    put(metadata, "detector", text(root.findtext("JemBaumerCamera/Modelname")))
    microseconds = number(root.findtext("JemBaumerCamera/Parameter/ExposureTimeValue"))
    put(metadata, "exposure_s", microseconds / 1e6 if microseconds else None)
    mode = text(root.findtext("ImageFormingSystem/ImageFormingMode"))
    if mode == "modeDIFF":
        return Calibration(no_image="a diffraction pattern (JEOL mode DIFF)", metadata=metadata)
    if text(root.findtext("Eos/EosMode")) == "eosASID" and text(root.findtext("ImageSourceDetector")).endswith(
        "Camera"
    ):
        return Calibration(
            no_image="a camera's picture taken in scanning mode (a ronchigram or a diffraction pattern)",
            metadata=metadata,
        )
    if text(root.findtext("Eos/EosMode")) != "eosTEM":
        # a scanned image's pixels are not the camera's
        return Calibration(no_scale="the JEOL XML says the pixel size of camera images alone", metadata=metadata)
    magnification = number(root.findtext("ImageFormingSystem/SelectorValue"))
    camera_nm = _resolution_nm(page)
    if (
        not magnification
        or camera_nm is None
        or text(root.findtext("ImageFormingSystem/SelectorUnitString")).upper() != "X"
    ):
        return Calibration(no_scale="the JEOL XML has no magnification", metadata=metadata)
    metadata["magnification"] = magnification
    width, height = camera_nm
    return Calibration(
        Axis(width / magnification, "nm"),
        Axis(height / magnification, "nm"),
        "JEOL magnification and camera resolution",
        metadata=metadata,
    )


def _tvips(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """TVIPS EM-MENU: tag 37706, pixel sizes in nanometres."""
    values = _table(page, 37706)
    if values is None:
        return None
    metadata: dict[str, str | float] = {}
    volts = number(values.get("TemHighTension"))
    put(metadata, "voltage_kv", volts / 1000.0 if volts else None)
    put(metadata, "magnification", number(values.get("TemMagnification")))
    exposure_ms = number(values.get("ExposureTime"))
    put(metadata, "exposure_s", exposure_ms / 1000.0 if exposure_ms else None)
    put(metadata, "instrument", text(values.get("TemType")))
    put(metadata, "detector", text(values.get("CameraType")))
    put(metadata, "date", _tvips_date(values.get("Date"), values.get("Time")))
    if values.get("TemMode") == _TVIPS_DIFFRACTION:
        return Calibration(no_image="a diffraction pattern (the microscope was in diffraction mode)", metadata=metadata)
    width, height = number(values.get("PixelSizeX")), number(values.get("PixelSizeY"))
    if not width:
        return Calibration(no_scale="the TVIPS tag has no pixel size", metadata=metadata)
    return Calibration(
        Axis(width, "nm"), Axis(height if height else width, "nm"), "TVIPS PixelSizeX", metadata=metadata
    )


def _tvips_date(day: Any, second: Any) -> str:  # noqa: ANN401 - tags
    """Return the date of a TVIPS tag: year × 65536 + month × 256 + day, and the seconds of that day."""
    if not isinstance(day, int) or not isinstance(second, int) or day <= 0:
        return ""
    date = f"{day >> 16}-{day >> 8 & 255:02}-{day & 255:02}"
    return f"{date} {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


def _gatan(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """Gatan DigitalMicrograph: units in tags 65003 and 65004, steps in 65009 and 65010."""
    width, height = number(_tag(page, 65009)), number(_tag(page, 65010))
    units = text(_tag(page, 65003)), text(_tag(page, 65004))
    if width is None or not any(units):
        return None
    return Calibration(
        Axis(width, units[0]), Axis(width if height is None else height, units[1] or units[0]), "Gatan tag 65009"
    )


def _olympus(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """Olympus SIS: tags 33471 and 33560, metres."""
    values = _table(page, *OLYMPUS_TAGS)
    if values is None:
        return None
    metadata: dict[str, str | float] = {}
    put(metadata, "magnification", number(values.get("magnification")))
    put(metadata, "detector", text(values.get("cameraname")))
    put(metadata, "date", text(values.get("datetime")))
    width, height = number(values.get("pixelsizex")), number(values.get("pixelsizey"))
    if not width:
        return Calibration(no_scale="the Olympus SIS tag has no pixel size", metadata=metadata)
    return Calibration(
        Axis(width, "m"), Axis(height if height else width, "m"), "Olympus SIS pixelsizex", metadata=metadata
    )


def _hamamatsu(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """Recognise a streak camera of Hamamatsu, whose pictures show wavelength against time."""
    if not text(_tag(page, "Artist")).startswith("Copyright Hamamatsu"):
        return None
    if not text(_tag(page, "Software")).startswith("HPD-TA"):
        return None
    return Calibration(no_image="a streak camera's picture (wavelength against time)")


def _ome(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """OME-TIFF: PhysicalSizeX with its unit, micrometres where none is given."""
    description = file.ome_metadata
    if not description:
        return None
    root = _xml(description)
    if root is None:
        return Calibration(no_scale="the OME-XML is damaged")
    pixels = next((element for element in root.iter() if element.tag.rsplit("}", 1)[-1] == "Pixels"), None)
    width = None if pixels is None else number(pixels.get("PhysicalSizeX"))
    if pixels is None or width is None:
        return Calibration(no_scale="the OME-XML has no PhysicalSizeX")
    height = number(pixels.get("PhysicalSizeY"))
    return Calibration(
        Axis(width, pixels.get("PhysicalSizeXUnit", "µm")),
        Axis(width if height is None else height, pixels.get("PhysicalSizeYUnit", "µm")),
        "OME PhysicalSizeX",
    )


def _imagej(file: tifffile.TiffFile, page: Any) -> Calibration | None:  # noqa: ANN401
    """ImageJ, and what this program writes: ``unit=`` in the description, pixels per unit in the resolution tags."""
    values = file.imagej_metadata
    if not values:
        return None
    unit = text(values.get("unit")).replace("\\u00B5", "µ")
    if not unit or unit.lower() in ("pixel", "pixels"):
        return Calibration(no_scale="ImageJ's description has no unit")
    if unit.lower() in ("inch", "inches"):
        return Calibration(no_scale="ImageJ's unit is the inch of a printer or a screen")
    steps = [_per_unit(_tag(page, key)) for key in ("XResolution", "YResolution")]
    if steps[0] is None or steps[1] is None:
        return Calibration(no_scale="ImageJ's description has a unit, but the resolution tags are empty")
    return Calibration(Axis(steps[0], unit), Axis(steps[1], unit), "ImageJ unit and XResolution")


def _resolution_tags(file: tifffile.TiffFile, page: Any) -> Calibration:  # noqa: ANN401
    """Take the resolution tags of any TIFF, where they can only be a microscope's."""
    edges = _resolution_nm(page)
    if edges is None:
        return Calibration(no_scale="the file gives no pixel size", is_generic=True)
    width, height = edges
    if max(width, height) > MAX_RESOLUTION_TAG_NM:
        dpi = NM_PER_INCH / width
        no_scale = f"its {dpi:.4g} dpi are a screen's or a printer's, not a microscope's"
        return Calibration(no_scale=no_scale, is_generic=True)
    return Calibration(Axis(width, "nm"), Axis(height, "nm"), "TIFF XResolution", is_generic=True)


def _resolution_nm(page: Any) -> tuple[float, float] | None:  # noqa: ANN401
    """Return the edges of a pixel by the resolution tags, where their unit is inch or centimetre."""
    unit = _tag(page, "ResolutionUnit")
    factor = _NM_PER_RESOLUTION_UNIT.get(2 if unit is None else int(unit))
    edges = [_per_unit(_tag(page, key)) for key in ("XResolution", "YResolution")]
    if factor is None or edges[0] is None or edges[1] is None:
        return None
    return edges[0] * factor, edges[1] * factor


def _per_unit(resolution: Any) -> float | None:  # noqa: ANN401 - a TIFF rational
    """Return the edge of a pixel in the unit of a resolution tag ``(pixels, units)``."""
    try:
        pixels, units = resolution
    except (TypeError, ValueError):
        return None
    if not pixels or not units or not math.isfinite(pixels) or not math.isfinite(units):
        return None
    return float(units) / float(pixels)


def _xml(source: str) -> ET.Element | None:
    """Parse XML from a tag; None where it is damaged.

    Entities are refused: a few lines of them expand to gigabytes.
    """
    if "<!ENTITY" in source or "<!DOCTYPE" in source:
        msg = "the XML in its tags declares entities, which no microscope's does"
        raise CannotRead(msg)
    source = "".join(letter for letter in source if letter >= " " or letter in "\t\r\n").strip()
    try:
        return ET.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", source))
    except ET.ParseError:
        return None


@dataclass(frozen=True)
class Maker:
    """One maker or program, and where it keeps the size of a pixel.

    Parameters
    ----------
    name, tag, unit : str
        For the table in ``docs/formats.md``.
    find : callable
        Returns what its tags say, or None where they are absent.
    """

    name: str
    tag: str
    unit: str
    find: Callable[[tifffile.TiffFile, Any], Calibration | None]


#: In the order in which they are asked.
MAKERS: tuple[Maker, ...] = (
    Maker(
        "FEI, Thermo Fisher SEM and DualBeam",
        "34680, 34682: `Scan.PixelWidth`; for a navigation camera its field of view",
        "m",
        _fei,
    ),
    Maker("Thermo Fisher, XML", "34683: `PixelSize/X` with its `unit`", "as given", _thermo_xml),
    Maker("Zeiss", "34118 (CZ_SEM): the noted size × 1024 / width", "m", _zeiss),
    Maker("JEOL SightX", "XML in `ImageDescription`: camera resolution / magnification", "inch or cm", _jeol),
    Maker("TVIPS", "37706: `PixelSizeX`", "nm", _tvips),
    Maker("Gatan", "65009, 65010 with units in 65003, 65004", "as given", _gatan),
    Maker("Olympus SIS", "33560, 33471: `pixelsizex`", "m", _olympus),
    Maker("Hamamatsu streak camera", "refused: its axes are wavelength and time", "", _hamamatsu),
    Maker("OME", "`PhysicalSizeX` with its unit", "µm where none is given", _ome),
    Maker(
        "ImageJ, and this program",
        "`unit=` in the description, pixels per unit in the resolution tags",
        "as given",
        _imagej,
    ),
    Maker(
        "any other",
        "the text beside it (Hitachi `PixelSize`, JEOL `SM_MICRON_MARKER / SM_MICRON_BAR`); else the resolution tags, "
        "for pixels of at most 1 µm: a screen's or a printer's 72 to 2400 dpi are no calibration",
        "nm; inch or cm",
        _resolution_tags,
    ),
)
