"""Bars in images: horizontal, exactly rectangular, of one grey value, set off from what is around them."""

# pyright: reportMissingTypeStubs=false
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from antema.domain import Box
from antema.imaging.annotations.flat import flat_runs

#: SciPy's functions carry partial types
ndimage: Any = scipy.ndimage

#: A bar is at least so long, in pixels and as a share of the image's width, and so many times as long as thick.
_LEAST_LENGTH_PX = 14
_LEAST_SHARE_OF_WIDTH = 0.025
_LEAST_ELONGATION = 2.0

#: Longer lines are frames and edges.
_GREATEST_SHARE_OF_WIDTH = 0.9

#: Longer images are searched on a grid of their pixels; the bars are measured on all.
_SEARCHED_EDGE_PX = 1280

#: So many lines of each kind are measured, the strongest, and so many bars returned.
_MOST_LINES = 150
_MOST_BARS = 40
_MOST_PARTS = 4

#: A bar is at most so thick, as a share of the image's height.
_GREATEST_THICKNESS = 0.08

#: Least difference of grey (of 255) between a bar and what is above and below it.
_LEAST_CONTRAST = 18

#: Neighbours in a bar without noise differ by no more than this, those around it by so many times half as much.
_FLAT = 3
_LEAST_NOISE = 3.0
_LEAST_FLAT_ROWS = 4

#: How exact a bar is taken for that only its lack of noise shows.
_EXACT_FLAT = 0.6

#: Pixels over which an edge that was resampled or compressed is spread.
_EDGE_PX = 3


@dataclass(frozen=True)
class Bar:
    """A candidate for a scale bar.

    Parameters
    ----------
    left, right : float
        Where it begins and ends, in pixels from the image's left edge.
    top, bottom : int
        Its first row and the row after its last.
    grey : float
        Its grey value.
    exactness : float
        1 for a rectangle of one grey value with sharp ends; 0 where nothing speaks for a drawn bar.
    """

    left: float
    right: float
    top: int
    bottom: int
    grey: float
    exactness: float

    @property
    def length(self) -> float:
        """Length in pixels."""
        return self.right - self.left

    @property
    def box(self) -> Box:
        """The pixels that the bar covers, edges included."""
        left, right = int(np.floor(self.left)), int(np.ceil(self.right))
        return Box(left, self.top, right - left, self.bottom - self.top)


def find_bars(grey: NDArray[np.uint8]) -> tuple[Bar, ...]:
    """Find what may be a scale bar.

    A bar stays when an image is opened with a horizontal line (it is longer) and goes when that is opened with a
    vertical one (it is thinner); noise, letters and most particles don't outlast the first. What is left is measured
    and tested on the grey values.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.

    Returns
    -------
    tuple of Bar
        The most exact first; of bars that overlap only the most exact.
    """
    # a bar of a large image is as thick as the step is wide
    step = -(-max(grey.shape) // _SEARCHED_EDGE_PX)
    searched = grey[::step, ::step]
    length = max(_LEAST_LENGTH_PX // step, round(_LEAST_SHARE_OF_WIDTH * searched.shape[1]), 3)
    thickness = max(9, round(_GREATEST_THICKNESS * searched.shape[0])) | 1
    candidates: list[Bar] = []
    for is_dark in (False, True):
        values = 255 - grey if is_dark else grey
        lines = _opened(values[::step, ::step], length, axis=1)
        lines -= _opened(lines, thickness, axis=0)
        for where in _strongest(lines):
            for rows, columns in _parts(lines[where], where):
                bar = _measured(values, _scaled(rows, step), _scaled(columns, step))
                if bar is not None:
                    candidates.append(replace(bar, grey=255 - bar.grey) if is_dark else bar)
    return _apart(candidates)[:_MOST_BARS]


def _strongest(lines: NDArray[np.uint8]) -> list[tuple[slice, slice]]:
    """Return the rows and columns of the connected lines that stand out most: noise makes thousands of weak ones."""
    labels, n = ndimage.label(lines >= _LEAST_CONTRAST)
    places: list[tuple[slice, slice]] = ndimage.find_objects(labels)
    if n <= _MOST_LINES:
        return places
    heights = ndimage.maximum(lines, labels, np.arange(1, n + 1)).astype(np.float64)
    strengths = heights * np.sqrt([place[1].stop - place[1].start for place in places])
    return [places[place] for place in np.argsort(-strengths, kind="stable")[:_MOST_LINES]]


def _scaled(part: slice, step: int) -> slice:
    return slice(part.start * step, part.stop * step)


def whole_bars(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """Leave out the links of bars that are drawn as a chain between two lines, and frames and boxes around bars.

    Parameters
    ----------
    bars : tuple of Bar
        Candidates; the two lines are among them.

    Returns
    -------
    tuple of Bar
        Those that are no part of another.
    """
    unlinked = [bar for bar in bars if not any(_is_link(bar, one, other) for one in bars for other in bars)]
    return tuple(
        bar for bar in unlinked if not any(_is_frame(bar, other) or _is_of_box(bar, other) for other in unlinked)
    )


def _is_frame(line: Bar, bar: Bar) -> bool:
    """Return whether a line is no bar, but belongs to one: an edge of its frame, or what an empty frame encloses."""
    adjoins = min(abs(line.bottom - bar.top), abs(bar.bottom - line.top)) <= 1
    if not adjoins or abs(line.grey - bar.grey) < _LEAST_CONTRAST or line.bottom - line.top > _EDGE_PX:
        return False
    if bar.bottom - bar.top <= 2:
        # both are thin: the shorter is what the frame encloses
        return bar.left - 1 < line.left and line.right < bar.right + 1 and line.length < bar.length - 1
    return (
        line.bottom - line.top <= bar.bottom - bar.top
        and abs(line.left - bar.left) + abs(line.right - bar.right) <= 4 * _EDGE_PX
        and bar.exactness > 0.3 * line.exactness
    )


def _is_of_box(strip: Bar, bar: Bar) -> bool:
    """Return whether a strip is what a box leaves above or below the bar in its middle."""
    adjoins = min(abs(strip.bottom - bar.top), abs(bar.bottom - strip.top)) <= 1
    left, right = bar.left - strip.left, strip.right - bar.right
    return (
        adjoins
        and abs(strip.grey - bar.grey) >= _LEAST_CONTRAST
        and min(left, right) > _EDGE_PX
        and abs(left - right) <= _EDGE_PX
    )


def _is_link(bar: Bar, above: Bar, below: Bar) -> bool:
    return (
        -_EDGE_PX <= bar.top - above.bottom <= _EDGE_PX
        and -_EDGE_PX <= below.top - bar.bottom <= _EDGE_PX
        and above.top < bar.top < below.top
        and abs(above.left - below.left) + abs(above.right - below.right) <= 2 * _EDGE_PX
        and min(above.length, below.length) > 1.3 * bar.length
        and above.left - _EDGE_PX <= bar.left
        and bar.right <= above.right + _EDGE_PX
    )


def find_flat_bars(grey: NDArray[np.uint8]) -> tuple[Bar, ...]:
    """Find bars of the same mean grey as what is around them, set off by having no noise: a colour turned to grey.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.

    Returns
    -------
    tuple of Bar
        From top to bottom.
    """
    length = max(_LEAST_LENGTH_PX, round(_LEAST_SHARE_OF_WIDTH * grey.shape[1]))
    starts = flat_runs(grey, _FLAT, length)
    if not starts.size:
        return ()
    is_flat = _covered(starts, length, grey.shape)
    bars: list[Bar] = []
    labels, _ = ndimage.label(is_flat)
    for index, where in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = where
        h, w = rows.stop - rows.start, columns.stop - columns.start
        if h < _LEAST_FLAT_ROWS or w < _LEAST_ELONGATION * h or (labels[where] == index).mean() < 0.9:
            continue
        margin = max(4, h // 2)
        around = grey[
            max(0, rows.start - margin) : rows.stop + margin, max(0, columns.start - margin) : columns.stop + margin
        ]
        inside = grey[where][1:-1, 2:-2]
        level = float(np.median(inside))
        # noise alone sets it off
        if np.abs(np.diff(around.astype(np.int16), axis=1)).mean() < _LEAST_NOISE * (_FLAT + inside.std()) / 2:
            continue
        # it ends where the columns begin to scatter about its level as they do around it
        scatter = np.abs(grey[rows.start + 1 : rows.stop - 1].astype(np.float32) - level).mean(axis=0)
        threshold = 0.3 * float(np.abs(around - level).mean())
        centre = (columns.start + columns.stop) // 2
        right = np.flatnonzero(scatter[centre:] > threshold)
        left = np.flatnonzero(scatter[centre::-1] > threshold)
        if right.size and left.size:
            start, stop = centre + 1 - float(left[0]), centre + float(right[0])
            bars.append(Bar(start - 0.5, stop + 0.5, rows.start, rows.stop, level, _EXACT_FLAT))
    return tuple(bars)


def _covered(starts: NDArray[np.bool_], length: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of the runs of a length that begin where it says."""
    changes = np.zeros((shape[0], shape[1] + 1), np.int32)
    changes[:, : starts.shape[1]] += starts
    changes[:, length : length + starts.shape[1]] -= starts
    return np.cumsum(changes, axis=1)[:, :-1] > 0


def _opened(values: NDArray[np.uint8], length: int, *, axis: int) -> NDArray[np.uint8]:
    """Return the opening with a line, beyond the border the border's own values (a bar may touch it)."""
    least = ndimage.minimum_filter1d(values, length, axis=axis, mode="nearest")
    # an even line's centre moves by one when it is reflected
    return ndimage.maximum_filter1d(least, length, axis=axis, mode="nearest", origin=-1 if length % 2 == 0 else 0)


def _parts(lines: NDArray[np.uint8], where: tuple[slice, slice]) -> list[tuple[slice, slice]]:
    """Return the rows and columns of the strongest line in a component, and of the component as a whole."""
    parts = [where]
    strongest: list[tuple[slice, slice]] = ndimage.find_objects(ndimage.label(lines >= 0.6 * float(lines.max()))[0])
    strongest.sort(key=lambda part: part[1].start - part[1].stop)
    for rows, columns in strongest[:_MOST_PARTS]:
        part = (
            slice(where[0].start + rows.start, where[0].start + rows.stop),
            slice(where[1].start + columns.start, where[1].start + columns.stop),
        )
        if part != where:
            parts.append(part)
    return parts


def _measured(values: NDArray[np.uint8], rows: slice, columns: slice) -> Bar | None:
    """Measure a bright bar that lies about in these rows and columns; None where it is none."""
    w = values.shape[1]
    if columns.stop - columns.start < max(8, _LEAST_ELONGATION * (rows.stop - rows.start)):
        return None
    # the rows that the bar fills, without its soft upper and lower edge
    inner = slice(columns.start + 2, columns.stop - 2)
    levels = np.median(values[rows, inner].astype(np.float32), axis=1)
    sides = [
        float(np.median(beside))
        for first, last in ((rows.start - _EDGE_PX - 2, rows.start - 1), (rows.stop + 1, rows.stop + _EDGE_PX + 2))
        if (beside := values[max(first, 0) : max(last, 0), inner]).size
    ]
    if not sides or levels.max() - max(sides) < _LEAST_CONTRAST:
        return None
    core = np.flatnonzero(levels >= levels.max() - 0.25 * (levels.max() - max(sides)))
    top, bottom = rows.start + int(core[0]), rows.start + int(core[-1]) + 1
    plateau = float(np.median(levels[core]))

    strip = values[top:bottom].astype(np.float32)
    profile = np.median(strip, axis=0) if bottom - top > 3 else strip.mean(axis=0)
    centre = (columns.start + columns.stop) // 2
    drop = 0.5 * max(_LEAST_CONTRAST, 0.5 * (plateau - max(sides)))
    right = _end(profile[centre:], plateau, drop)
    left = _end(profile[centre::-1], plateau, drop)
    if right is None or left is None:
        return None
    start, stop = centre + 1 - left.position, centre + right.position
    if left.outline and right.outline and _is_framed(values, top, bottom, inner, left, right):
        start, stop = start - left.outline, stop + right.outline
    if not max(_LEAST_ELONGATION * (bottom - top), _LEAST_LENGTH_PX) <= stop - start <= _GREATEST_SHARE_OF_WIDTH * w:
        return None
    # what touches the border may go on beyond
    if start < 0.5 or stop > w - 0.5:
        return None

    contrast = plateau - _surroundings(values, top, bottom, int(start), int(np.ceil(stop)))
    if contrast < _LEAST_CONTRAST:
        return None
    inside = strip[:, int(np.ceil(start)) + 2 : int(stop) - 2]
    if not inside.size:
        return None
    unevenness = float(np.percentile(np.abs(inside - plateau), 80)) / contrast
    columns = slice(int(np.ceil(start)) + 2, int(stop) - 2)
    set_off = _share_set_off(values, top, bottom, columns, plateau - 0.3 * contrast)
    ragged = _raggedness(strip > plateau - 0.5 * contrast, centre, left.position, right.position)
    exactness = (
        max(0.0, 1.0 - 3.0 * unevenness)
        * min(1.0, max(0.0, set_off - 0.4) / 0.4)
        * min(left.sharpness, right.sharpness)
        * max(0.0, 1.0 - ragged / 3.0)
    )
    return Bar(start, stop, top, bottom, plateau, exactness) if exactness > 0 else None


@dataclass(frozen=True)
class _End:
    """Where a profile ends, in pixels from its start; how sharply, 0 to 1; and what an outline adds to the bar."""

    position: float
    sharpness: float
    outline: float = 0.0
    outline_width: float = 0.0
    #: grey half between the outline and what lies behind it
    beyond: float = 0.0


def _end(profile: NDArray[np.floating], plateau: float, drop: float) -> _End | None:
    """Find the end of a bar on the profile from its middle outwards.

    The end is where the profile passes half between the bar and what comes after it, which also finds the end of a
    resampled or anti-aliased bar to a tenth of a pixel.
    """
    beyond = np.flatnonzero(profile < plateau - drop)
    if not beyond.size:
        # it runs into the image's border
        return _End(float(len(profile)), 0.7)
    edge = int(beyond[0])
    after = profile[edge : edge + 3 * _EDGE_PX]
    behind = float(np.median(after[_EDGE_PX:])) if len(after) > _EDGE_PX else float(after[-1])
    least = float(after[: _EDGE_PX + 1].min())
    # darker than both the bar and what lies behind: an outline
    is_outlined = behind - least > 0.3 * (plateau - least)
    ground = least if is_outlined else behind
    half = 0.5 * (plateau + ground)
    falls = np.flatnonzero(profile < half)
    if not falls.size or falls[0] == 0:
        return None
    fall = int(falls[0])
    upper, lower = float(profile[fall - 1]), float(profile[fall])
    position = fall - 0.5 + (upper - half) / max(upper - lower, 1e-6)
    # a drawn end falls by most of its height within three pixels
    around = profile[max(0, fall - 2) : fall + 2]
    sharpness = float(around.max() - around.min()) / max(plateau - ground, 1e-6)
    outline = width = 0.0
    if is_outlined:
        dip = fall - 1 + int(profile[fall - 1 : fall + _EDGE_PX + 1].argmin())
        back = np.flatnonzero(profile[dip : dip + 2 * _EDGE_PX] > 0.5 * (least + behind))
        if back.size:
            rise = dip + max(int(back[0]), 1)
            lower, upper = float(profile[rise - 1]), float(profile[rise])
            width = rise - 0.5 + (0.5 * (least + behind) - lower) / max(upper - lower, 1e-6) - position
            # a contrasting frame belongs half to the bar; the strokes of an empty one are the bar
            outline = width if plateau - behind < 0.5 * (behind - least) else 0.5 * width
    sharpness = min(1.0, max(0.0, sharpness / 0.75))
    return _End(position, sharpness, outline, width, 0.5 * (least + behind))


def _is_framed(values: NDArray[np.uint8], top: int, bottom: int, columns: slice, left: _End, right: _End) -> bool:
    """Return whether the outlines at a bar's ends also run above and below it, and end there as soon."""
    reach = round(max(left.outline_width, right.outline_width))
    beyond = 0.5 * (left.beyond + right.beyond)
    for first, last in ((top - reach - 4, top - reach - 1), (bottom + reach + 1, bottom + reach + 4)):
        beside = values[max(first, 0) : max(last, 0), columns]
        if beside.size and float(np.median(beside)) < beyond:
            return False
    return True


def _surroundings(values: NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> float:
    """Return the median grey of a frame around a bar, as wide as the bar is thick, but for its soft edge."""
    reach = max(2 * _EDGE_PX, bottom - top)
    y, x = max(0, top - reach), max(0, left - reach)
    frame = np.ones(values[y : bottom + reach, x : right + reach].shape, np.bool_)
    frame[max(0, top - 2 - y) : bottom + 2 - y, max(0, left - 2 - x) : right + 2 - x] = False
    around = values[y : bottom + reach, x : right + reach][frame]
    return float(np.median(around)) if around.size else 255.0


def _share_set_off(values: NDArray[np.uint8], top: int, bottom: int, columns: slice, least: float) -> float:
    """Return the share of a bar's columns that are darker both above and below."""
    shares: list[NDArray[np.bool_]] = []
    for first, last in ((top - _EDGE_PX, top), (bottom, bottom + _EDGE_PX)):
        beside = values[max(first, 0) : max(last, 0), columns]
        if beside.size:
            shares.append(beside.min(axis=0) < least)
    return float(np.all(shares, axis=0).mean()) if shares else 0.0


def _raggedness(is_bar: NDArray[np.bool_], centre: int, left: float, right: float) -> float:
    """Return by how many pixels the ends of a bar's rows scatter about its own."""
    rightward = np.argmin(np.pad(is_bar[:, centre:], ((0, 0), (0, 1))), axis=1)
    leftward = np.argmin(np.pad(is_bar[:, centre::-1], ((0, 0), (0, 1))), axis=1)
    return 0.5 * float(np.abs(rightward - right).mean() + np.abs(leftward - left).mean())


def _apart(bars: list[Bar]) -> tuple[Bar, ...]:
    kept: list[Bar] = []
    for bar in sorted(bars, key=lambda bar: -bar.exactness):
        if not any(_overlap(bar, other) for other in kept):
            kept.append(bar)
    return tuple(kept)


def _overlap(one: Bar, other: Bar) -> bool:
    return min(one.right, other.right) > max(one.left, other.left) and min(one.bottom, other.bottom) > max(
        one.top, other.top
    )
