"""How large a compressed array may become."""

import math

from antema.domain import CannotRead
from antema.imaging.dataset import check_size

#: Up to here a compressed file may unpack to whatever it says: a blank 4096 x 4096 image of 4 bytes a pixel.
_ALWAYS_BYTES = 64 << 20

#: Above it, to so many times its own size. Micrographs carry noise and compress 2 to 20 times.
_RATIO = 200


def check_unpacked(shape: tuple[int, ...], itemsize: int, stored_bytes: int, what: str = "an image") -> None:
    """Check that a compressed array does not unpack to a multiple of its file that no micrograph reaches.

    Parameters
    ----------
    shape : tuple of int
        The array's shape by the file's header.
    itemsize : int
        Bytes of one value.
    stored_bytes : int
        Bytes of the compressed array, or of its whole file.
    what : str
        Name of the array for the message.

    Raises
    ------
    CannotRead
        For an empty shape, a frame that is too large, or an implausible ratio.
    """
    check_size(shape, itemsize, 1 << 62, what)
    check_ratio(shape, itemsize, stored_bytes, what)


def check_ratio(shape: tuple[int, ...], itemsize: int, stored_bytes: int, what: str = "an image") -> None:
    """Check the ratio alone, as `check_unpacked` does, of an array that may be empty or have frames of any size."""
    unpacked = math.prod(shape) * itemsize
    if unpacked > max(_ALWAYS_BYTES, _RATIO * stored_bytes):
        size = " × ".join(str(length) for length in shape)
        msg = (
            f"its {stored_bytes:,} bytes would unpack to {what} of {size} values ({unpacked:,} bytes), "
            "which no micrograph does"
        )
        raise CannotRead(msg)
