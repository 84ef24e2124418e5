"""Text in images, read with PP-OCR's networks on ONNX Runtime."""

import logging
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import skimage.filters
from numpy.typing import NDArray

from antema.domain import Box

#: scikit-image's functions carry partial types
filters: Any = skimage.filters

#: Cores that reading may use: analyses run beside each other.
_THREADS = 1

#: Lines that the reader is less sure of are often no text at all.
_LEAST_CONFIDENCE = 0.6

#: Larger images are reduced to this edge before text is looked for.
_GREATEST_EDGE_PX = 1280

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
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": _THREADS,
        }
    )
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return reader


def find_lines(grey: NDArray[np.uint8]) -> tuple[Line, ...]:
    """Find the lines of text in an image and read them.

    Parameters
    ----------
    grey : ndarray of uint8, shape (h, w)
        The image.

    Returns
    -------
    tuple of Line
        From top to bottom.
    """
    step = -(-max(grey.shape) // _GREATEST_EDGE_PX)
    with _reading:
        found = _reader()(_three_channels(_reduced(grey, step)), use_det=True, use_rec=True)
    if getattr(found, "boxes", None) is None or found.txts is None:
        return ()
    lines: list[Line] = []
    for text, confidence, corners in zip(found.txts, found.scores, found.boxes, strict=True):
        if confidence >= _LEAST_CONFIDENCE:
            lines.append(Line(text.strip(), float(confidence), _bounding_box(corners * step, grey.shape)))
    return tuple(lines)


def read_line(grey: NDArray[np.uint8]) -> tuple[str, float]:
    """Read an image that holds one line of text; return the text and how sure the reader is."""
    with _reading:
        found = _reader()(_three_channels(grey), use_det=False, use_rec=True)
    if not found.txts:
        return "", 0.0
    return found.txts[0].strip(), float(found.scores[0])


def _reduced(grey: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    if step == 1:
        return grey
    h, w = (size // step * step for size in grey.shape)
    blocks = grey[:h, :w].reshape(h // step, step, w // step, step)
    return blocks.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8)


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
