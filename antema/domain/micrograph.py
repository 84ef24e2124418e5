"""One image with its pixel size and where that size came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PixelSize:
    """The edge of one pixel, and its origin.

    Parameters
    ----------
    nm : float or None
        Edge length in nanometres; None where no usable scale is known.
    source : str
        ``file: <which tag>``, ``sidecar: <which tag>`` (of a file beside it), ``user: <name>``, ``command line`` or
        ``none: <reason>``.
    """

    nm: float | None
    source: str

    @classmethod
    def none(cls, reason: str) -> "PixelSize":
        """Return the pixel size of an image that has none, with the reason."""
        return cls(nm=None, source=f"none: {reason}")

    @property
    def is_known(self) -> bool:
        """Whether there is a usable scale."""
        return self.nm is not None


@dataclass(frozen=True)
class Micrograph:
    """One micrograph.

    Parameters
    ----------
    pixels : ndarray, shape (height, width)
        Grey values in the file's own type; never squeezed to 8 bits here.
    pixel_size : PixelSize
        Edge of a pixel and where it came from.
    name : str
        The file's name (or the data set's, in a file of several).
    sha256 : str
        Hex digest of the file's bytes.
    metadata : mapping
        What the file tells of the microscope: ``voltage_kv``, ``magnification``, ``date``, ``instrument``,
        ``detector``, ``exposure_s``, ``dwell_time_s`` and the ``format``; absent keys are not known.
    """

    pixels: NDArray[np.generic]
    pixel_size: PixelSize
    name: str
    sha256: str
    metadata: Mapping[str, str | float] = field(default_factory=dict[str, str | float])

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.pixels.shape
        return height, width

    def with_pixel_size(self, pixel_size: PixelSize) -> "Micrograph":
        """Return the same micrograph with another pixel size."""
        return replace(self, pixel_size=pixel_size)
