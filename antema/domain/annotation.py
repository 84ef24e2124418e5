"""What a program has burned into an image: scale bars, their labels, data bars, letters."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: its upper left corner, 0-based, and its size."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class ScaleBar:
    """A scale bar that was found in an image.

    Parameters
    ----------
    length_px : float
        Length of the bar in pixels, between its outer ends.
    box : Box
        The bar alone.
    label : str
        The label as it was read, ``10 nm``; empty where none was.
    length_nm : float or None
        The length that the label says; None where it could not be read with certainty.
    """

    length_px: float
    box: Box
    label: str = ""
    length_nm: float | None = None

    @property
    def pixel_size_nm(self) -> float | None:
        """Edge of a pixel in nm, as the bar says it."""
        return None if self.length_nm is None else self.length_nm / self.length_px


@dataclass(frozen=True)
class Annotations:
    """Everything burned into an image.

    Parameters
    ----------
    scale_bar : ScaleBar or None
        The scale bar, where one was found.
    boxes : tuple of Box
        What is no part of the specimen's image: the bar, labels, letters, data bars.
    """

    scale_bar: ScaleBar | None = None
    boxes: tuple[Box, ...] = ()

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return where an image of this shape (height, width) is covered."""
        covered = np.zeros(shape, dtype=np.bool_)
        for box in self.boxes:
            covered[max(box.y, 0) : max(box.y + box.h, 0), max(box.x, 0) : max(box.x + box.w, 0)] = True
        return covered

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Annotations":
        """Return the annotations that `to_dict` gave."""
        boxes = tuple(Box(**box) for box in values["boxes"])
        bar: dict[str, Any] | None = values["scale_bar"]
        if bar is None:
            return cls(boxes=boxes)
        return cls(ScaleBar(bar["length_px"], Box(**bar["box"]), bar["label"], bar["length_nm"]), boxes)
