# pyright: reportMissingTypeStubs=false
"""The length on a scale bar's label, by a vote of many readings of it."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
import scipy.ndimage
from numpy.typing import NDArray

from antema.domain import Box
from antema.imaging.annotations.bars import Bar
from antema.imaging.annotations.labels import is_length_alone, readings_in
from antema.imaging.annotations.text import Line, read_line

#: SciPy's functions carry partial types
ndimage: Any = scipy.ndimage

#: Pixels that a bar is offered for, in nm. Micrographs in papers are made smaller: 2 µm on a hundred pixels.
PLAUSIBLE_PIXEL_NM = (0.001, 50.0)

#: A reading that its reader is less sure of has no vote, and one at least is to be as sure as this.
_LEAST_CONFIDENCE = 0.5
_LEAST_BEST_CONFIDENCE = 0.85
_LEAST_BEST_CONFIDENCE_OF_MICRO = 0.7

#: Margins around a label, as shares of its height, that it is cut out with as it is.
_MARGINS = (0.05, 0.15, 0.3)
_MARGIN = 0.2

#: What is painted over around a bar: its frame, and what compression leaves beside it.
_EDGE_PX = 3

#: So many of the first views decide where they all say the same; else all views are asked.
_FIRST = 5

#: Of the votes so many must be for the length, as a share of the votes and of the views, and in number, and so many
#: without a doubt of the unit.
_LEAST_SHARE = 0.75
_LEAST_SHARE_OF_VIEWS = 0.5
_LEAST_VOTES = 4
_LEAST_SURE = 2


def read_length(grey: NDArray[np.uint8], line: Line, bar: Bar) -> tuple[str, float | None]:
    """Read the label of a bar in many ways, and return what it says and the length that these agree on.

    The bar itself is painted over, whose end is taken for a 1 or an l. A length is one of a usual kind that makes
    pixels of a size that electron micrographs have, so that a unit that was read as another can be told.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.
    line : Line
        The label.
    bar : Bar
        The bar that it belongs to.

    Returns
    -------
    text : str
        The label as it was read best.
    length_nm : float or None
        None where the readings do not agree.
    """
    votes: Counter[float] = Counter()
    sure: Counter[float] = Counter()
    best: dict[float, tuple[bool, float, str]] = {}
    seen = 0
    for seen, view in enumerate(_views(grey, line.box, bar), start=1):
        text, confidence = read_line(view)
        length, is_sure = _vote(text, bar) if confidence >= _LEAST_CONFIDENCE else (None, False)
        if length is not None:
            votes[length] += 1
            sure[length] += is_sure
            best[length] = max(best.get(length, (False, 0.0, "")), (is_sure, confidence, text))
        if seen == _FIRST and len(votes) == 1 and max(sure.values()) == _FIRST:
            break
    if not votes:
        return line.text, None
    length, count = votes.most_common(1)[0]
    _, confidence, text = best[length]
    least = _LEAST_BEST_CONFIDENCE_OF_MICRO if re.search("[\u00b5\u03bc]", text) else _LEAST_BEST_CONFIDENCE
    is_agreed = (
        count >= _LEAST_VOTES
        and count >= _LEAST_SHARE * votes.total()
        and count >= _LEAST_SHARE_OF_VIEWS * seen
        and sure[length] >= _LEAST_SURE
        and confidence >= least
    )
    return (text, length) if is_agreed else (line.text, None)


def _vote(text: str, bar: Bar) -> tuple[float | None, bool]:
    """Return the length that a reading is for, or None, and whether its unit is read without a doubt."""
    readings = readings_in(text)
    if len(readings) != 1 or not is_length_alone(text):
        return None, False
    least, most = PLAUSIBLE_PIXEL_NM
    lengths = [length for length in readings[0].lengths_nm if least <= length / bar.length <= most]
    return (lengths[0], readings[0].is_sure) if len(lengths) == 1 else (None, False)


def _views(grey: NDArray[np.uint8], box: Box, bar: Bar) -> Iterator[NDArray[np.uint8]]:
    """Give pictures of a label: as it is in several margins, negative, smoothed, in relief, wider, smaller, larger."""
    height = box.h
    near = _without_bar(grey, box, bar)
    for margin in _MARGINS:
        yield near(margin)
    plain = near(_MARGIN)
    yield 255 - plain
    smooth = ndimage.gaussian_filter(plain.astype(np.float32), max(0.6, height / 40))
    yield _stretched(smooth)
    yield _stretched(ndimage.gaussian_filter(plain.astype(np.float32), max(0.9, height / 22)))
    # letters with a shadow are bright and dark on a grey between
    yield _stretched(np.abs(smooth - np.median(smooth)))
    yield _resized(plain, 1.25, 1.0)
    yield _resized(plain, 28 / height, 28 / height)
    yield _resized(plain, 96 / height, 96 / height)
    yield _stretched(ndimage.median_filter(plain.astype(np.float32), 3))


def _without_bar(grey: NDArray[np.uint8], box: Box, bar: Bar) -> Any:  # noqa: ANN401 - a function
    """Return what cuts a box out with a margin of so many of its heights, with the bar painted over."""
    reach = math.ceil(_MARGINS[-1] * box.h)
    top, left = max(box.y - reach, 0), max(box.x - reach, 0)
    patch = grey[top : box.y + box.h + reach, left : box.x + box.w + reach].copy()
    covered = np.zeros(patch.shape, np.bool_)
    bar_box = bar.box
    covered[
        max(bar_box.y - _EDGE_PX - top, 0) : max(bar_box.y + bar_box.h + _EDGE_PX - top, 0),
        max(bar_box.x - 2 * _EDGE_PX - left, 0) : max(bar_box.x + bar_box.w + 2 * _EDGE_PX - left, 0),
    ] = True
    is_between = bar_box.x < box.x and box.x + box.w < bar_box.x + bar_box.w
    if is_between and box.y < bar_box.y + bar_box.h // 2 < box.y + box.h:
        # the label stands between the halves of its bar, and nothing of that is behind it
        covered[:, box.x - left : box.x + box.w - left] = False
    if covered.any() and not covered.all():
        # the grey that most of the rest has is the ground
        patch[covered] = np.median(patch[~covered])

    def cut(margin: float) -> NDArray[np.uint8]:
        m = round(margin * box.h)
        y, x = max(box.y - m // 2, 0) - top, max(box.x - m, 0) - left
        return patch[y : box.y + box.h + m // 2 - top, x : box.x + box.w + m - left]

    return cut


def _stretched(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.percentile(values, (1, 99))
    return (255 * np.clip((values - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)


def _resized(values: NDArray[np.uint8], across: float, down: float) -> NDArray[np.uint8]:
    size = (max(8, round(values.shape[1] * across)), max(8, round(values.shape[0] * down)))
    return np.asarray(PIL.Image.fromarray(values).resize(size, PIL.Image.Resampling.LANCZOS))
