"""One particle's own mask. Masks of overlapping particles may share pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Instance:
    """The mask of one detected object in its bounding box.

    Parameters
    ----------
    x, y : int
        Column and row of the upper left pixel of the bounding box, 0-based.
    mask : ndarray of bool, shape (h, w)
        The object's pixels, tight in its bounding box.
    status : str
        ``measured`` or ``dropped``.
    drop_reason : str
        One of `antema.domain.DROP_REASONS`; empty for a measured object.
    separated : bool
        Whether it came out of a region of several particles.
    """

    x: int
    y: int
    mask: NDArray[np.bool_]
    status: str = "measured"
    drop_reason: str = ""
    separated: bool = False

    @property
    def w(self) -> int:
        """Width of the bounding box in pixels."""
        return int(self.mask.shape[1])

    @property
    def h(self) -> int:
        """Height of the bounding box in pixels."""
        return int(self.mask.shape[0])

    @property
    def area_px(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))
