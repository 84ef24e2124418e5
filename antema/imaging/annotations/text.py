"""Text in images, read with PP-OCR's networks on ONNX Runtime."""

import logging
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import PIL.Image
import skimage.filters
from numpy.typing import NDArray

from antema.domain import Box

#: scikit-image's functions carry partial types
filters: Any = skimage.filters

#: Cores that reading may use: analyses run beside each other.
_THREADS = 1

#: What the reader is less sure of is no text.
_LEAST_CONFIDENCE = 0.5

#: Shorter edges that an image is scaled to before text is looked for: what is large in the one is found in the first,
#: what is small in the second. Long images are bounded by their longer edge.
_SHORT_EDGES_PX = (512, 736)
_LONG_EDGE_PX = 1200

#: Text that touches the image's border is found when there is something beyond.
_MARGIN_PX = 40

#: So many places that may hold text are read whatever they look like, of more only those that look drawn.
_FEW = 12
_MOST = 24

#: Lower text is not legible.
_LEAST_HEIGHT_PX = 5

#: Drawn strokes differ by no more than this in grey away from their edges, which are less than the rest.
_ONE_GREY = 12
_LEAST_PLAIN_INK = 0.35

#: The networks' state is not guarded against two threads.
_reading = threading.Lock()


@dataclass(frozen=True)
class Line:
    """A line of text found in an image.

    Parameters
    ----------
    text : str
        What it says.
    confidence : float
        How sure the reader is, from 0 to 1.
    box : Box
        Where it is, with a margin of about a fifth of its height.
    """

    text: str
    confidence: float
    box: Box


@cache
def _reader() -> Any:  # noqa: ANN401 - its results carry no types
    # the import alone takes a second
    from rapidocr import RapidOCR

    reader = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            # micrographs are not enlarged, which finds the large letters of panels too
            "Det.limit_side_len": 512,
            "Det.box_thresh": 0.3,
            "Det.thresh": 0.25,
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": _THREADS,
        }
    )
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return reader


def find_lines(grey: NDArray[np.uint8], short_edges: tuple[int, ...] = _SHORT_EDGES_PX) -> tuple[Line, ...]:
    """Find the lines of text in an image and read them.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.
    short_edges : tuple of int
        Lengths that the shorter edge is scaled to, in pixels; text is looked for in each of these images.

    Returns
    -------
    tuple of Line
        From top to bottom; words that stand beside each other make one line.
    """
    boxes = [box for edge in short_edges for box in _text_boxes(grey, edge)]
    if len(boxes) > _FEW:
        boxes = [box for box in boxes if is_drawn(grey, box)][:_MOST]
    lines: list[Line] = []
    for box in boxes:
        text, confidence = read_line(grey[box.y : box.y + box.h, box.x : box.x + box.w])
        if text and confidence >= _LEAST_CONFIDENCE:
            lines.append(Line(text, confidence, box))
    return _joined(_surest(lines))


def read_line(grey: NDArray[np.uint8]) -> tuple[str, float]:
    """Read an image that holds one line of text; return the text and how sure the reader is."""
    with _reading:
        found = _reader()(_three_channels(grey), use_det=False, use_rec=True)
    if not found.txts:
        return "", 0.0
    return str(found.txts[0]).strip(), float(found.scores[0])


def _text_boxes(grey: NDArray[np.uint8], short_edge: int) -> list[Box]:
    """Return where text may be, the likeliest first, looked for in the image scaled to a shorter edge."""
    scale = min(short_edge / min(grey.shape), _LONG_EDGE_PX / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    scaled = np.asarray(PIL.Image.fromarray(grey).resize(size, PIL.Image.Resampling.BILINEAR))
    padded = np.pad(scaled, _MARGIN_PX, constant_values=int(np.median(scaled)))
    with _reading:
        found = _reader()(_three_channels(padded), use_det=True, use_rec=False)
    if found.boxes is None:
        return []
    order = np.argsort(-np.asarray(found.scores), kind="stable")
    boxes = (_bounding_box((found.boxes[place] - _MARGIN_PX) / scale, grey.shape) for place in order)
    return [box for box in boxes if min(box.w, box.h) >= _LEAST_HEIGHT_PX]


def _surest(lines: list[Line]) -> list[Line]:
    """Return of readings of the same place the one that says most with certainty."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.confidence * min(len(line.text), 6) ** 0.25):
        if not any(_shared(line.box, other.box) > 0.5 for other in kept):
            kept.append(line)
    return kept


def _shared(one: Box, other: Box) -> float:
    """Return the share of the smaller box that lies in the other one."""
    w = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    h = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return max(0, w) * max(0, h) / min(one.w * one.h, other.w * other.h)


def _joined(lines: list[Line]) -> tuple[Line, ...]:
    """Join words that stand beside each other, and sort from top to bottom."""
    joined: list[Line] = []
    for line in sorted(lines, key=lambda line: line.box.x):
        for place, other in enumerate(joined):
            box, before = line.box, other.box
            overlap = min(box.y + box.h, before.y + before.h) - max(box.y, before.y)
            gap = box.x - (before.x + before.w)
            if overlap > 0.6 * max(box.h, before.h) and abs(gap) < 0.6 * min(box.h, before.h):
                top = min(box.y, before.y)
                bottom = max(box.y + box.h, before.y + before.h)
                whole = Box(before.x, top, max(box.x + box.w, before.x + before.w) - before.x, bottom - top)
                joined[place] = Line(f"{other.text} {line.text}", min(line.confidence, other.confidence), whole)
                break
        else:
            joined.append(line)
    return tuple(sorted(joined, key=lambda line: (line.box.y, line.box.x)))


def _three_channels(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _bounding_box(corners: NDArray[np.float32], shape: tuple[int, ...]) -> Box:
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)), (shape[1], shape[0])).astype(int)
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def is_drawn(grey: NDArray[np.uint8], box: Box) -> bool:
    """Return whether what lies in a box has the one grey value that a program draws its strokes in.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.
    box : Box
        A text.
    """
    crop = grey[box.y : box.y + box.h, box.x : box.x + box.w].astype(np.int16)
    if crop.size < 16 or crop.min() == crop.max():
        return False
    bright: NDArray[np.bool_] = crop > filters.threshold_otsu(crop)
    # the ground is what most of the border shows
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    ink = crop[bright != (border.mean() > 0.5)]
    if ink.size < 8:
        return False
    level = np.percentile(ink, 10 if border.mean() > 0.5 else 90)
    return float((np.abs(ink - level) <= _ONE_GREY).mean()) >= _LEAST_PLAIN_INK
