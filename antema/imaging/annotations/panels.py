"""Plain areas that programs lay under text: instrument strips along an edge, and the boxes behind labels."""

# pyright: reportMissingTypeStubs=false
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from antema.domain import Box

#: SciPy's functions carry partial types
ndimage: Any = scipy.ndimage

#: Grey values of a plain area differ by no more than this after compression.
_PLAIN = 4

#: A strip has at least so many rows, and at most this share of the image's.
_LEAST_STRIP_PX = 8
_GREATEST_STRIP = 0.35

#: Share of a strip's rows that is its plain ground; text and rulers cover the rest.
_LEAST_GROUND = 0.4

#: Share of a row of the micrograph that may by chance have the strip's grey value.
_GREATEST_CHANCE = 0.2

#: A box behind a label covers at most this share of the image.
_GREATEST_BACKING = 0.2

#: Share of a box that is plain or enclosed by what is.
_LEAST_FILL = 0.93


def find_strips(grey: NDArray[np.uint8]) -> tuple[Box, ...]:
    """Find the strips at the bottom or the top where an instrument writes its settings.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.

    Returns
    -------
    tuple of Box
        Boxes as wide as the image.
    """
    h, w = grey.shape
    boxes: list[Box] = []
    bottom = _strip_rows(grey[::-1])
    if bottom:
        boxes.append(Box(0, h - bottom, w, bottom))
    top = _strip_rows(grey)
    if top and top + bottom < h:
        boxes.append(Box(0, 0, w, top))
    return tuple(boxes)


def _strip_rows(grey: NDArray[np.uint8]) -> int:
    """Return how many of the first rows are a strip; 0 where there is none."""
    h = grey.shape[0]
    most = int(_GREATEST_STRIP * h)
    head = grey[: most + 1]
    for level in _common_levels(head[: max(_LEAST_STRIP_PX, h // 50)]):
        ground = (np.abs(head.astype(np.int16) - level) <= _PLAIN).mean(axis=1)
        # a frame or a border of a few rows may run around the strip
        begins = np.flatnonzero(ground[: max(6, h // 80)] >= _LEAST_GROUND)
        if not begins.size:
            continue
        begin = int(begins[0])
        is_ground = ndimage.binary_closing(np.pad(ground[begin:] >= _LEAST_GROUND, 4), np.ones(7))[4:-4]
        ends = np.flatnonzero(~is_ground)
        if not ends.size:
            continue
        end = begin + int(ends[0])
        beyond = ground[end + 2 : end + 2 + max(8, h // 50)]
        inside = ground[begin:end]
        # a strip ends along one row, a clear stretch of the micrograph where its particles happen to begin
        fall = ground[max(end - 3, 0)] - ground[min(end + 2, most)]
        is_sharp = beyond.size > 0 and float(np.median(beyond)) <= _GREATEST_CHANCE and fall >= _LEAST_GROUND
        if end - begin >= _LEAST_STRIP_PX and is_sharp and float(np.median(inside)) >= 0.6:
            return end
    return 0


def _common_levels(rows: NDArray[np.uint8]) -> list[int]:
    """Return the grey values that may be a strip's ground: the most frequent of the first rows."""
    counts = np.bincount(rows.ravel(), minlength=256)
    smooth = np.convolve(counts, np.ones(2 * _PLAIN + 1, int), mode="same")
    level = int(smooth.argmax())
    near = counts[max(0, level - _PLAIN) : level + _PLAIN + 1]
    return [max(0, level - _PLAIN) + int(near.argmax())] if smooth[level] >= _LEAST_GROUND * rows.size else []


def backing_box(grey: NDArray[np.uint8], text: Box) -> Box | None:
    """Find the plain box behind a text.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.
    text : Box
        The text.

    Returns
    -------
    Box or None
        None where the text stands on the micrograph itself.
    """
    crop = grey[text.y : text.y + text.h, text.x : text.x + text.w]
    if crop.size == 0:
        return None
    values = np.bincount(crop.ravel(), minlength=256)
    level = int(values.argmax())
    is_plain = np.abs(grey.astype(np.int16) - level) <= _PLAIN
    if is_plain[text.y : text.y + text.h, text.x : text.x + text.w].mean() < 0.4:
        return None
    labels, _ = ndimage.label(is_plain)
    inside = np.bincount(labels[text.y : text.y + text.h, text.x : text.x + text.w].ravel())
    inside[0] = 0
    ground = int(inside.argmax())
    where = ndimage.find_objects((labels == ground).astype(np.uint8))[0]
    h, w = where[0].stop - where[0].start, where[1].stop - where[1].start
    if h * w > _GREATEST_BACKING * grey.size or h < 0.6 * text.h or w < 0.6 * text.w:
        return None
    filled = ndimage.binary_fill_holes(labels[where] == ground)
    if filled is None or filled.mean() < _LEAST_FILL:
        return None
    return Box(int(where[1].start), int(where[0].start), int(w), int(h))
