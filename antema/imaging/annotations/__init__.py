"""What is burned into an image: the scale bar and its label, letters, instrument strips."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antema.domain import Annotations, Box, ScaleBar
from antema.imaging.annotations.bars import Bar, find_bars, find_flat_bars, whole_bars
from antema.imaging.annotations.flat import has_graphics
from antema.imaging.annotations.labels import readings_in
from antema.imaging.annotations.panels import backing_box, find_strips
from antema.imaging.annotations.text import Line, find_lines, is_drawn
from antema.imaging.annotations.votes import read_length
from antema.imaging.intensity import to_8bit

__all__ = ["find_annotations"]

#: A line of text covers at most this share of an image.
_GREATEST_TEXT = 0.12

#: Share of an image's edges that its corners reach, where letters name panels.
_CORNER = 0.2

#: Characters that discs, rings, rods and crossings of them are taken for.
_LIKE_PARTICLES = frozenset("0O°o8QX×x1lI4.")

#: A bar without a label must be this exact, a dark one (which may be a rod) more so; one beside its label may be less.
_EXACT_ALONE = 0.6
_EXACT_ALONE_DARK = 0.75
_DARK = 100
_LEAST_ALONE_PX = 25
_EXACT_BESIDE_LABEL = 0.15

#: Labels are looked for closely beside so many bars, if they are this exact.
_EXACT_TO_LOOK_BESIDE = 0.35
_MOST_LOOKED_BESIDE = 3
_CLOSE_EDGES_PX = (320,)

#: Grey values of two parts of a bar differ by less than this, and so many pixels of a second one show that it is there.
_SAME_GREY = 30
_LEAST_BEHIND_PX = 4

#: The length of a shorter bar is not known to 4 %, which is too little to offer a scale.
_LEAST_OFFERED_PX = 25

#: Nothing can be told of smaller images.
_LEAST_EDGE_PX = 48


def find_annotations(pixels: NDArray[np.generic]) -> Annotations:
    """Find what a program has burned into an image.

    Parameters
    ----------
    pixels : ndarray, shape (h, w)
        Grey values of any real type.

    Returns
    -------
    Annotations
        The scale bar, with the length its label says where that was read with certainty, and the boxes of all that is
        no part of the specimen's image.
    """
    if min(pixels.shape) < _LEAST_EDGE_PX or not has_graphics(pixels):
        return Annotations()
    grey = pixels.astype(np.uint8, copy=False) if pixels.dtype == np.uint8 else to_8bit(pixels)
    strips = find_strips(grey)
    lines = [line for line in find_lines(grey) if is_text(grey, line)]
    bars = [bar for bar in (*whole_bars(find_bars(grey)), *find_flat_bars(grey)) if not _is_stroke(bar, lines)]
    bar, labels = _choose(grey, bars, lines, strips)
    if not labels:
        lines += _lines_beside(grey, bars, lines)
        bar, labels = _choose(grey, bars, lines, strips)
    boxes = [*strips, *(line.box for line in lines)]
    boxes += [box for line in lines if (box := backing_box(grey, line.box)) is not None]
    scale_bar = None
    if bar is not None:
        label, length = _read_label(grey, labels, bar) if labels else ("", None)
        if bar.length < _LEAST_OFFERED_PX:
            length = None
        scale_bar = ScaleBar(round(bar.length, 2), bar.box, label, length)
        boxes.append(_grown(bar.box, 3, grey.shape))
    if pixels.dtype.kind == "f":
        # rows without values are no instrument's strip
        boxes = [box for box in boxes if np.isfinite(pixels[box.y : box.y + box.h, box.x : box.x + box.w]).any()]
    boxes = list(dict.fromkeys(boxes))
    return Annotations(scale_bar, tuple(box for box in boxes if not any(_within(box, other) for other in boxes)))


def is_text(grey: NDArray[np.uint8], line: Line) -> bool:
    """Return whether a line that was read is drawn text rather than something in the micrograph that looks like it."""
    if readings_in(line.text) and line.confidence >= 0.7:
        return True
    characters = [character for character in line.text if character.isalnum()]
    if not characters or line.box.w * line.box.h > _GREATEST_TEXT * grey.size:
        return False
    if re.fullmatch(r"\(?[a-zA-Z0-9]{1,2}\)", line.text) or sum(map(str.isalpha, characters)) >= 3:
        return line.confidence >= 0.9
    if set(characters) <= _LIKE_PARTICLES:
        return False
    if len(characters) > 1:
        return line.confidence >= 0.8 and is_drawn(grey, line.box)
    is_of_letter_shape = line.box.w < 2.0 * line.box.h and line.box.h < 2.2 * line.box.w
    return (
        is_of_letter_shape
        and line.confidence >= 0.9
        and (_is_in_corner(line.box, grey.shape) or (line.confidence >= 0.97 and is_drawn(grey, line.box)))
    )


def _is_in_corner(box: Box, shape: tuple[int, ...]) -> bool:
    x, y = (box.x + 0.5 * box.w) / shape[1], (box.y + 0.5 * box.h) / shape[0]
    return min(x, 1 - x) < _CORNER and min(y, 1 - y) < _CORNER


def _is_stroke(bar: Bar, lines: list[Line]) -> bool:
    """Return whether a bar is a stroke of a letter: inside a text, and no longer than its characters are wide."""
    return any(
        _within(bar.box, line.box, 3) and bar.length < 0.9 * line.box.w / max(1, len(line.text.replace(" ", "")))
        for line in lines
    )


def _choose(
    grey: NDArray[np.uint8], bars: list[Bar], lines: list[Line], strips: tuple[Box, ...]
) -> tuple[Bar | None, list[Line]]:
    """Return the scale bar and the lines beside it that name a length; a bar without such lines must be exact."""
    labels = [line for line in lines if readings_in(line.text)]
    best: tuple[float, Bar | None, list[Line]] = (0.0, None, [])
    for bar in bars:
        if bar.exactness < _EXACT_BESIDE_LABEL:
            continue
        near = [line for line in labels if _distance(bar, line) < 1.0 and not _holds(bar, line)]
        if not near or any(_is_frame_of(bar, other, line) for other in bars for line in near):
            continue
        closest = min(near, key=lambda line: _distance(bar, line))
        score = bar.exactness * (1.3 - _distance(bar, closest))
        if score <= best[0]:
            continue
        whole = bar
        if _is_inline(bar, closest):
            partners = [other for other in bars if _is_other_half(bar, other, closest)]
            if partners:
                whole = _both_halves(bar, max(partners, key=lambda other: other.exactness))
            elif any(_within(closest.box, strip) for strip in strips) and _goes_on(grey, bar, closest):
                # instruments write the label between two halves: one alone would give half the length
                continue
        best = (score, whole, near)
    if best[1] is not None:
        return best[1], best[2]
    alone = [
        bar
        for bar in bars
        if bar.exactness >= (_EXACT_ALONE_DARK if bar.grey < _DARK else _EXACT_ALONE) and bar.length >= _LEAST_ALONE_PX
    ]
    return max(alone, key=lambda bar: (bar.exactness, bar.length), default=None), []


def _is_inline(bar: Bar, line: Line) -> bool:
    """Return whether a label continues the line of a bar."""
    box = line.box
    is_beside = box.x + 0.3 * box.w > bar.right or box.x + 0.7 * box.w < bar.left
    return is_beside and box.y <= 0.5 * (bar.top + bar.bottom) <= box.y + box.h


def _goes_on(grey: NDArray[np.uint8], bar: Bar, line: Line) -> bool:
    """Return whether something of a bar's grey value is behind its label, on the line of the bar."""
    box = line.box
    reach = 2 * box.h
    behind = box.x + box.w if box.x > bar.left else box.x - reach
    rows = grey[bar.top : bar.bottom, max(behind, 0) : max(behind + reach, 0)]
    return rows.size > 0 and bool((np.abs(np.median(rows, axis=0) - bar.grey) < _SAME_GREY).sum() >= _LEAST_BEHIND_PX)


def _is_other_half(bar: Bar, other: Bar, label: Line) -> bool:
    """Return whether two bars are one that is interrupted by its label."""
    first, second = sorted((bar, other), key=lambda half: half.left)
    box = label.box
    return (
        abs(first.top - second.top) <= 2
        and abs(first.bottom - second.bottom) <= 2
        and abs(first.grey - second.grey) < _SAME_GREY
        and first.right < box.x + 0.5 * box.w < second.left
        and box.x - first.right < 1.5 * box.h
        and second.left - (box.x + box.w) < 1.5 * box.h
    )


def _both_halves(bar: Bar, other: Bar) -> Bar:
    return replace(
        bar,
        left=min(bar.left, other.left),
        right=max(bar.right, other.right),
        top=min(bar.top, other.top),
        bottom=max(bar.bottom, other.bottom),
    )


def _is_frame_of(bar: Bar, other: Bar, line: Line) -> bool:
    """Return whether two bars are the upper and the lower edge of a frame around a label."""
    first, second = sorted((bar, other), key=lambda edge: edge.top)
    middle = line.box.y + 0.5 * line.box.h
    return (
        abs(bar.left - other.left) + abs(bar.right - other.right) <= 4
        and first.bottom < middle < second.top
        and bar.left < line.box.x + 0.5 * line.box.w < bar.right
    )


def _holds(bar: Bar, line: Line) -> bool:
    """Return whether a text stands inside a bar, which is the box behind the text then."""
    x, y = line.box.x + 0.5 * line.box.w, line.box.y + 0.5 * line.box.h
    return bar.left <= x <= bar.right and bar.top <= y <= bar.bottom


def _lines_beside(grey: NDArray[np.uint8], bars: list[Bar], known: list[Line]) -> list[Line]:
    """Look closely for labels beside the most exact bars: small or faint ones are missed in the whole image."""
    found: list[Line] = []
    candidates = [bar for bar in bars if bar.exactness >= _EXACT_TO_LOOK_BESIDE][:_MOST_LOOKED_BESIDE]
    for bar in candidates:
        box = bar.box
        reach_x = max(box.w // 2, grey.shape[1] // 8)
        reach_y = max(4 * box.h, grey.shape[0] // 10)
        left, top = max(box.x - reach_x, 0), max(box.y - reach_y, 0)
        for line in find_lines(grey[top : box.y + box.h + reach_y, left : box.x + box.w + reach_x], _CLOSE_EDGES_PX):
            moved = Line(line.text, line.confidence, replace(line.box, x=line.box.x + left, y=line.box.y + top))
            if readings_in(line.text) and _distance(bar, moved) < 1.0 and moved not in (*found, *known):
                found.append(moved)
        if found:
            break
    return found


def _distance(bar: Bar, line: Line) -> float:
    """Return how far a label is from a bar, 0 for touching, 1 for too far to belong to it, in units of its height."""
    box = line.box
    gap_x = max(box.x - bar.right, bar.left - (box.x + box.w), 0.0)
    gap_y = max(box.y - bar.bottom, bar.top - (box.y + box.h), 0.0)
    centre = abs(box.x + 0.5 * box.w - 0.5 * (bar.left + bar.right)) if gap_x == 0 else 0.0
    off_centre = 0.3 * centre / max(box.w, bar.length)
    return (gap_y / 1.5 + gap_x) / (1.2 * box.h) + off_centre


def _read_label(grey: NDArray[np.uint8], lines: list[Line], bar: Bar) -> tuple[str, float | None]:
    """Return the label of a bar and its length; None where readings of it, or two labels of the bar, differ."""
    readings = [read_length(grey, line, bar) for line in sorted(lines, key=lambda line: -line.confidence)]
    lengths = {length for _, length in readings}
    return readings[0][0], lengths.pop() if len(lengths) == 1 else None


def _grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    left, top = max(box.x - margin, 0), max(box.y - margin, 0)
    right, bottom = min(box.x + box.w + margin, shape[1]), min(box.y + box.h + margin, shape[0])
    return Box(left, top, right - left, bottom - top)


def _within(box: Box, other: Box, slack: int = 0) -> bool:
    """Return whether a box lies inside another one that is larger."""
    return (
        (box.w * box.h < other.w * other.h or slack > 0)
        and other.x - slack <= box.x
        and other.y - slack <= box.y
        and box.x + box.w <= other.x + other.w + slack
        and box.y + box.h <= other.y + other.h + slack
    )
