"""Windows over images of any size: seamless, in bounded memory, in few different shapes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Batch = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From normalised grey values (n, h, w) to logits (n, h, w, n_outputs)."""

_BUCKET_PX = 256
_ALIGNED_PX = 32


@dataclass(frozen=True)
class Windows:
    """How a network is shown an image that is larger than it takes at once.

    Parameters
    ----------
    largest_px : int
        Largest side of a window.
    margin_px : int
        What is thrown away of a window at each side that is not the image's: no less than the network's reach. A
        multiple of 32, so that every window lies on the network's grid of halved pixels.
    at_once : int
        Windows in one call.
    """

    largest_px: int
    margin_px: int
    at_once: int = 1


def padded_side(side_px: int) -> int:
    """Return the side to which an image is mirrored: few sides, so that a folder of images is compiled for once.

    Up to 1024 pixels a multiple of 256, above of 512 while that adds less than a quarter, then of 256 again where
    windows take over.
    """
    step = _BUCKET_PX if side_px <= 4 * _BUCKET_PX or side_px > 8 * _BUCKET_PX else 2 * _BUCKET_PX
    return -(-side_px // step) * step


def window_starts(side_px: int, windows: Windows) -> tuple[int, list[int]]:
    """Return the side of the windows along one axis and where they start: all of one size, no more than it takes.

    Parameters
    ----------
    side_px : int
        Of the image along this axis, a multiple of 32.
    windows : Windows
        How large they may be and how far they overlap.
    """
    if side_px <= windows.largest_px:
        return side_px, [0]
    twice = 2 * windows.margin_px
    n = -(-(side_px - twice) // (windows.largest_px - twice))
    step = -(-(side_px - twice) // (n * _ALIGNED_PX)) * _ALIGNED_PX
    side = step + twice
    return side, [min(k * step, side_px - side) for k in range(n)]


def logits_anywhere(
    values: NDArray[np.float32],
    logits: Batch,
    windows: Windows,
    progress: Callable[[float], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Return the logits of an image of any size, an array (h, w) for each output; see `answers_anywhere`."""
    return list(np.moveaxis(answers_anywhere(values, lambda batch: [logits(batch)], windows, progress)[0], -1, 0))


def answers_anywhere(
    values: NDArray[np.float32],
    answers: Callable[[NDArray[np.float32]], Sequence[NDArray[np.float32]]],
    windows: Windows,
    progress: Callable[[float], None] | None = None,
) -> list[NDArray[np.float32]]:
    """Return what a network says of an image of any size.

    The image is mirrored at its lower and right edge up to `padded_side` and seen in windows that overlap by more than
    the network's reach: no seam can be.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
        Normalised grey values.
    answers : callable
        From normalised grey values (n, h, w), sides multiples of 32, to arrays (n, h / stride, w / stride, c), each
        with a stride of its own that divides 32.
    windows : Windows
        How an image is cut.
    progress : callable or None
        Called with the share of the windows that are done.

    Returns
    -------
    list of ndarray of float32, shape (ceil(h / stride), ceil(w / stride), c)
        Each a view of planes (c, ...) that lie one after another.
    """
    h, w = values.shape
    height, width = padded_side(h), padded_side(w)
    (tall, tops), (wide, lefts) = window_starts(height, windows), window_starts(width, windows)
    corners = [(top, left) for top in tops for left in lefts]
    at_once = min(windows.at_once, len(corners))
    result: list[NDArray[np.float32]] = []
    for first in range(0, len(corners), at_once):
        group = corners[first : first + at_once]
        # the last call has as many windows as the others, for it would be compiled for otherwise
        shown = group + group[-1:] * (at_once - len(group))
        batch = np.stack([_mirrored(values, top, left, tall, wide) for top, left in shown])
        parts = answers(batch)
        strides = [tall // part.shape[1] for part in parts]
        if not result:
            result = [
                np.empty((part.shape[-1], -(-h // stride), -(-w // stride)), np.float32)
                for part, stride in zip(parts, strides, strict=True)
            ]
        for k, (top, left) in enumerate(group):
            y, x = (start + (windows.margin_px if start else 0) for start in (top, left))
            bottom = top + tall - (windows.margin_px if top + tall < height else 0)
            right = left + wide - (windows.margin_px if left + wide < width else 0)
            for planes, part, stride in zip(result, parts, strides, strict=True):
                place = planes[:, y // stride : bottom // stride, x // stride : right // stride]
                rows, columns = (
                    slice((start - corner) // stride, (start - corner) // stride + n)
                    for start, corner, n in ((y, top, place.shape[1]), (x, left, place.shape[2]))
                )
                place[...] = np.moveaxis(part[k, rows, columns], -1, 0)
        if progress:
            progress(min(first + at_once, len(corners)) / len(corners))
    return [np.moveaxis(planes, 0, -1) for planes in result]


def _mirrored(values: NDArray[np.float32], top: int, left: int, tall: int, wide: int) -> NDArray[np.float32]:
    """Return the window of `values` from (top, left), mirrored where it reaches beyond the lower and right edge."""
    h, w = values.shape
    if top + tall <= h and left + wide <= w:
        return values[top : top + tall, left : left + wide]
    return values[np.ix_(_mirrored_index(top, tall, h), _mirrored_index(left, wide, w))]


def _mirrored_index(start: int, count: int, side: int) -> NDArray[np.int64]:
    index = np.arange(start, start + count) % (2 * side)
    return np.where(index < side, index, 2 * side - 1 - index)
