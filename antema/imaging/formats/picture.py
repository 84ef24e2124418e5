"""PNG and JPEG, through Pillow. Neither has a place for the size of a pixel of the specimen."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from antema.imaging.dataset import Axis, DataSet
from antema.imaging.formats.compressed import check_unpacked
from antema.imaging.formats.sidecar import beside
from antema.imaging.formats.tiff_scale import MAX_RESOLUTION_TAG_NM, NM_PER_INCH, Calibration

#: Pillow's modes whose arrays are grey values or colours as they are; others are turned into one of these first.
_PLAIN_MODES = {"L", "I;16", "I;16B", "I", "F", "RGB", "RGBA", "LA"}
_CONVERTED_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "La": "LA", "RGBa": "RGBA"}
_FORMATS = ("PNG", "JPEG")


def matches(head: bytes) -> bool:
    """Return whether a file that starts so is a PNG or a JPEG."""
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def datasets(path: Path) -> list[DataSet]:
    """Return the one image of a PNG or JPEG file."""
    with Image.open(path, formats=_FORMATS) as image:
        width, height = image.size
        mode = image.mode
        kind = image.format or "picture"
        resolution = image.info.get("dpi")
    dtype = np.dtype({"I": "i4", "F": "f4"}.get(mode, "u2" if mode.startswith("I;16") else "u1"))
    channels = {"LA": 2, "RGB": 3, "RGBA": 4}.get(_CONVERTED_MODES.get(mode, mode), 1)
    check_unpacked((height, width), dtype.itemsize * channels, path.stat().st_size)
    found = beside(path, (height, width)) or _by_resolution(kind, resolution)
    return [
        DataSet(
            shape=(height, width),
            dtype=dtype,
            frame=partial(_frame, path),
            axes=(found.vertical, found.horizontal),
            scale_tag=found.tag,
            no_scale=found.no_scale,
            metadata={**found.metadata, "format": kind},
            sidecar=found.sidecar,
            channels=channels,
        )
    ]


def _by_resolution(kind: str, resolution: tuple[float, float] | None) -> Calibration:
    """Take the dots per inch of a picture, where they can only be a microscope's."""
    if not resolution or min(resolution) <= 0:
        return Calibration(no_scale=f"a {kind} has no pixel size of a specimen")
    width, height = (NM_PER_INCH / float(dots) for dots in resolution)
    if max(width, height) > MAX_RESOLUTION_TAG_NM:
        dots = f"{resolution[0]:.4g}"
        return Calibration(no_scale=f"a {kind} has no pixel size of a specimen, its {dots} dpi are a screen's")
    tag = f"{kind} {'pHYs' if kind == 'PNG' else 'density'}"
    return Calibration(Axis(width, "nm"), Axis(height, "nm"), tag)


def _frame(path: Path, number: int) -> NDArray[np.generic]:
    assert number == 0
    with Image.open(path, formats=_FORMATS) as image:
        plain = image if image.mode in _PLAIN_MODES else image.convert(_CONVERTED_MODES.get(image.mode, "RGB"))
        return np.array(plain)
