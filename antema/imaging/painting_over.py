"""Painting over what is burned into an image."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from antema.domain import Box

_LEAST_RING_PX = 4


def fill_boxes(pixels: NDArray[np.generic], boxes: Iterable[Box]) -> NDArray[np.generic]:
    """Return the image with each box filled by the median of what surrounds it.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values.
    boxes : iterable of Box
        What to paint over.

    Returns
    -------
    ndarray, shape (h, w)
        Of the same type; the image itself where there is nothing to paint over. A box is surrounded by a ring of a
        quarter of its height, without the other boxes; where nothing is left of that, by the rest of the image.
    """
    boxes = tuple(boxes)
    if not boxes:
        return pixels
    h, w = pixels.shape
    covered = np.zeros((h, w), dtype=np.bool_)
    windows: list[tuple[slice, slice]] = []
    for box in boxes:
        windows.append((slice(max(box.y, 0), max(box.y + box.h, 0)), slice(max(box.x, 0), max(box.x + box.w, 0))))
        covered[windows[-1]] = True
    result = pixels.copy()
    for box, window in zip(boxes, windows, strict=True):
        reach = max(_LEAST_RING_PX, box.h // 4)
        ring = (
            slice(max(box.y - reach, 0), max(box.y + box.h + reach, 0)),
            slice(max(box.x - reach, 0), max(box.x + box.w + reach, 0)),
        )
        around = pixels[ring][~covered[ring]]
        if around.size == 0:
            around = pixels[~covered]
        if around.size:
            # a value that occurs, so that whole numbers stay whole
            result[window] = np.partition(around, around.size // 2)[around.size // 2]
    return result
