"""One data set of a file, before it is known to be a micrograph: its axes, and what they say it is."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import CannotRead, PixelSize, length_in_nm

#: No single frame of more bytes is read: 16384 x 16384 pixels of 4 bytes.
MAX_FRAME_BYTES = 1 << 30

#: Pixels whose two edges differ by more than this fraction have no one size.
SQUARE_TOLERANCE = 1e-3

#: Outside of this range no electron micrograph's pixel lies. Reciprocal metres read as metres end up above it.
PLAUSIBLE_NM = (1e-4, 1e6)

_BAND_ROWS = 256

_ENERGIES = {"eV", "keV", "meV", "kV"}
_ANGLES = {"rad", "mrad", "deg", "°"}
_RECIPROCAL_SUFFIXES = ("^-1", "**-1", "-1", "⁻¹")


@dataclass(frozen=True)
class Axis:
    """One axis of a data set as the file calibrates it.

    Parameters
    ----------
    scale : float
        Step from one element to the next.
    unit : str
        The step's unit as the file has it; empty where it has none.
    """

    scale: float = 1.0
    unit: str = ""


@dataclass(frozen=True, eq=False)
class DataSet:
    """One array of a file.

    Parameters
    ----------
    shape : tuple of int
        Its shape, slowest axis first, without a colour axis.
    dtype : dtype
        Type of its values; of one channel for a colour image.
    frame : callable
        Returns the 2-D (or, for a colour image, 3-D with the channels last) array of a frame, given its number.
    axes : tuple of Axis
        One for each axis of `shape`.
    scale_tag : str
        Where in the file the calibration of the axes comes from.
    title : str
        The data set's name in the file; empty where it has none.
    no_image : str
        What it is where the reader knows that it is no micrograph, for example ``a spectrum``.
    no_scale : str
        Why there is no pixel size, where the reader knows better than the axes do.
    metadata : mapping
        As in `antema.domain.Micrograph`.
    sidecar : bool
        Whether the calibration, or its unit, comes from another file beside this one.
    channels : int
        Values of a pixel: 1 for grey values, more for colours.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    frame: Callable[[int], NDArray[np.generic]]
    axes: tuple[Axis, ...]
    scale_tag: str
    title: str = ""
    no_image: str = ""
    no_scale: str = ""
    metadata: Mapping[str, str | float] = field(default_factory=dict[str, str | float])
    sidecar: bool = False
    channels: int = 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame in memory."""
        return math.prod(self.shape[-2:]) * self.channels * self.dtype.itemsize

    @property
    def n_frames(self) -> int:
        """Number of images in it: 1 for a single one."""
        return self.shape[0] if len(self.shape) == 3 else 1


def refusal(dataset: DataSet) -> str:
    """Return what the data set is where it is no micrograph, for example ``a spectrum``; empty where it is one."""
    if dataset.no_image:
        return dataset.no_image
    units = [axis.unit.strip() for axis in dataset.axes]
    n_axes = len(dataset.shape)
    if any(unit in _ENERGIES for unit in units):
        return "a spectrum" if n_axes == 1 else "a line scan of spectra" if n_axes == 2 else "a spectrum image"
    if dataset.dtype.kind == "c":
        return "complex values (a Fourier transform or a wave), not grey values"
    if dataset.dtype.kind not in "biuf":
        return f"values of type {dataset.dtype}, not grey values"
    if n_axes < 2:
        return "a spectrum or a line profile"
    if n_axes > 3:
        return f"a data set of {n_axes} dimensions"
    if any(is_reciprocal(unit) for unit in units[-2:]):
        return "a diffraction pattern or a Fourier transform (its axes are reciprocal lengths or angles)"
    if min(dataset.shape[-2:]) < 2:
        return "a single line of values"
    return ""


def pixel_size(dataset: DataSet) -> PixelSize:
    """Return the pixel size that the last two axes give, or none with the reason."""
    if dataset.no_scale:
        return PixelSize.none(dataset.no_scale)
    vertical, horizontal = dataset.axes[-2:]
    units = {vertical.unit.strip(), horizontal.unit.strip()}
    if units <= {""}:
        return PixelSize.none("the file gives no pixel size")
    sizes: list[float] = []
    for axis in (horizontal, vertical):
        if not math.isfinite(axis.scale) or axis.scale <= 0:
            return PixelSize.none(f"the file's pixel size {axis.scale:g} {axis.unit} is not a positive number")
        size = length_in_nm(axis.scale, axis.unit)
        if size is None:
            return PixelSize.none(f"the unit {axis.unit!r} of the file's pixel size is no length")
        sizes.append(size)
    width, height = sizes
    if abs(width - height) > SQUARE_TOLERANCE * max(width, height):
        return PixelSize.none(f"the pixels are not square ({width:g} nm wide, {height:g} nm high)")
    if not PLAUSIBLE_NM[0] <= width <= PLAUSIBLE_NM[1]:
        return PixelSize.none(f"the file's pixel size {width:g} nm is none of a microscope")
    return PixelSize(width, f"{'sidecar' if dataset.sidecar else 'file'}: {dataset.scale_tag}")


def is_reciprocal(unit: str) -> bool:
    """Return whether a unit is a reciprocal length or an angle.

    Examples
    --------
    >>> [is_reciprocal(unit) for unit in ("1/nm", "1 / Å", "nm^-1", "mrad", "nm", "")]
    [True, True, True, True, False, False]
    """
    bare = unit.replace(" ", "")
    return bare.startswith("1/") or bare in _ANGLES or bare.endswith(_RECIPROCAL_SUFFIXES)


def check_size(shape: tuple[int, ...], itemsize: int, available_bytes: int, what: str = "an image") -> None:
    """Check that an array can be in a file, before it is allocated.

    Parameters
    ----------
    shape : tuple of int
        The array's shape by the file's header.
    itemsize : int
        Bytes of one value.
    available_bytes : int
        Bytes that the file has for it.
    what : str
        Name of the array for the message.

    Raises
    ------
    CannotRead
        For an empty shape, a frame above `MAX_FRAME_BYTES`, or more bytes than the file has.
    """
    size = " × ".join(str(length) for length in shape)
    if not shape or any(length < 1 for length in shape):
        msg = f"its header announces {what} of {size or 'no'} values"
        raise CannotRead(msg)
    if math.prod(shape[-2:]) * itemsize > MAX_FRAME_BYTES:
        msg = f"its header announces {what} of {size} values, more than {MAX_FRAME_BYTES >> 20} MiB a frame"
        raise CannotRead(msg)
    needed = math.prod(shape) * itemsize
    if needed > available_bytes:
        msg = (
            f"its header announces {what} of {size} values ({needed:,} bytes), "
            f"but the file has only {max(available_bytes, 0):,} bytes for it"
        )
        raise CannotRead(msg)


def grey(frame: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return a frame as grey values in its own type: colours by their luminance, switches as 0 and 255.

    Parameters
    ----------
    frame : ndarray, shape (h, w) or (h, w, channels)
        One channel is grey, two are grey and opacity, three and four red, green, blue (and opacity, which is ignored).

    Returns
    -------
    ndarray, shape (h, w)
        C-contiguous, in native byte order.
    """
    if frame.ndim == 3:
        frame = frame[..., 0] if frame.shape[2] < 3 else _luminance(frame)
    if frame.dtype.kind == "b":
        frame = frame.astype(np.uint8) * np.uint8(255)
    return np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("="))


def _luminance(frame: NDArray[Any]) -> NDArray[Any]:
    """Return the luminance of red, green and blue by the weights of ITU-R BT.601, in the colours' own type."""
    luminance = np.empty(frame.shape[:2], frame.dtype)
    # in bands, since the sum in single precision takes many times the memory of the picture
    for start in range(0, len(frame), _BAND_ROWS):
        band = slice(start, start + _BAND_ROWS)
        red, green, blue = frame[band, :, 0], frame[band, :, 1], frame[band, :, 2]
        if np.array_equal(red, green) and np.array_equal(green, blue):
            luminance[band] = red
            continue
        total = 0.299 * red.astype(np.float32) + 0.587 * green.astype(np.float32) + 0.114 * blue.astype(np.float32)
        luminance[band] = np.rint(total) if frame.dtype.kind in "iu" else total
    return luminance
