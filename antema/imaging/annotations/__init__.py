"""What is burned into an image: the scale bar and its label, letters, instrument strips."""

import numpy as np
from numpy.typing import NDArray

from antema.domain import Annotations, Box, ScaleBar
from antema.imaging.annotations.bars import Bar, find_bars
from antema.imaging.annotations.labels import is_length_alone, lengths_in
from antema.imaging.annotations.panels import backing_box, find_strips
from antema.imaging.annotations.text import Line, find_lines, is_drawn, read_line
from antema.imaging.intensity import to_8bit

__all__ = ["find_annotations"]

#: Labels that the reader is less sure of give no length.
_LEAST_CONFIDENCE = 0.85

#: A line of text covers at most this share of an image.
_GREATEST_TEXT = 0.12

#: Characters that discs, rings, rods and crossings of them are taken for.
_LIKE_PARTICLES = frozenset("0O°o8QX×x1lI4.")

#: A bar without a label must be this exact; one beside its label may be less.
_EXACT_ALONE = 0.8
_EXACT_BESIDE_LABEL = 0.15


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
    grey = pixels.astype(np.uint8, copy=False) if pixels.dtype == np.uint8 else to_8bit(pixels)
    strips = find_strips(grey)
    lines = [line for line in find_lines(grey) if is_text(grey, line)]
    bars = [bar for bar in find_bars(grey) if not _is_stroke(bar, lines)]
    chosen = _choose(bars, lines, grey.shape)
    boxes = list(strips)
    boxes += [line.box for line in lines]
    boxes += [box for line in lines if (box := backing_box(grey, line.box)) is not None]
    scale_bar = None
    if chosen is not None:
        bar, near = chosen
        label, length = _read_label(grey, near)
        scale_bar = ScaleBar(round(bar.length, 2), bar.box, label, length)
        boxes.append(_grown(bar.box, 2, grey.shape))
    return Annotations(scale_bar, tuple(box for box in boxes if not any(_within(box, other) for other in boxes)))


def is_text(grey: NDArray[np.uint8], line: Line) -> bool:
    """Return whether a line that was read is drawn text rather than something in the micrograph that looks like it."""
    if lengths_in(line.text) and line.confidence >= 0.7:
        return True
    characters = [character for character in line.text if character.isalnum()]
    if not characters or line.confidence < 0.8 or line.box.w * line.box.h > _GREATEST_TEXT * grey.size:
        return False
    if set(characters) <= _LIKE_PARTICLES and not line.text.startswith("("):
        return False
    if len(characters) == 1 and not (line.box.w < 2.5 * line.box.h and line.box.h < 2.2 * line.box.w):
        return False
    return is_drawn(grey, line.box)


def _is_stroke(bar: Bar, lines: list[Line]) -> bool:
    """Return whether a bar is a stroke of a letter: inside a text, and no longer than its characters are wide."""
    return any(
        _within(bar.box, line.box, 3) and bar.length < 0.9 * line.box.w / max(1, len(line.text.replace(" ", "")))
        for line in lines
    )


def _choose(bars: list[Bar], lines: list[Line], shape: tuple[int, int]) -> tuple[Bar, list[Line]] | None:
    """Return the scale bar and the lines that name a length beside it; None where no bar is certain enough."""
    labels = [line for line in lines if lengths_in(line.text)]
    best: tuple[float, Bar, list[Line]] | None = None
    for bar in bars:
        if bar.exactness < _EXACT_BESIDE_LABEL:
            continue
        near = [line for line in labels if _distance(bar, line) < 1.0]
        if not near:
            continue
        closeness = max(1.0 - _distance(bar, line) for line in near)
        score = bar.exactness * (0.3 + closeness) * (1.0 + 0.3 * bar.bottom / shape[0])
        if best is None or score > best[0]:
            best = (score, bar, near)
    if best is not None:
        return best[1], best[2]
    return None


def _distance(bar: Bar, line: Line) -> float:
    """Return how far a label is from a bar, 0 for touching, 1 for too far to belong to it, in units of its height."""
    box = line.box
    gap_x = max(box.x - bar.right, bar.left - (box.x + box.w), 0.0)
    gap_y = max(box.y - bar.bottom, bar.top - (box.y + box.h), 0.0)
    centre = abs(box.x + 0.5 * box.w - 0.5 * (bar.left + bar.right)) if gap_x == 0 else 0.0
    off_centre = 0.3 * centre / max(box.w, bar.length)
    return (gap_y / 1.5 + gap_x) / (1.2 * box.h) + off_centre


def _read_label(grey: NDArray[np.uint8], lines: list[Line]) -> tuple[str, float | None]:
    """Return the label of a bar and its length; None where two readings of it, or two labels, differ."""
    surest = max(lines, key=lambda line: line.confidence)
    found: set[float] = set()
    for line in lines:
        if line.confidence < _LEAST_CONFIDENCE:
            continue
        again, confidence = read_line(_crop(grey, line.box, 0.25))
        if confidence < _LEAST_CONFIDENCE or lengths_in(again) != lengths_in(line.text):
            return surest.text, None
        found.update(lengths_in(line.text))
    return surest.text, found.pop() if len(found) == 1 and all(is_length_alone(line.text) for line in lines) else None


def _crop(grey: NDArray[np.uint8], box: Box, margin: float) -> NDArray[np.uint8]:
    m = round(margin * box.h)
    return grey[max(box.y - m // 2, 0) : box.y + box.h + m // 2, max(box.x - m, 0) : box.x + box.w + m]


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
