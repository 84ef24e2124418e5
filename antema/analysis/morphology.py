"""The few operations of scipy.ndimage and scikit-image that the analysis uses, with types, which those lack.

A box is a pair of slices (rows, columns).
"""

# pyright: reportMissingTypeStubs=false
from typing import Any

import numpy as np
import scipy.ndimage
import skimage.measure
import skimage.morphology
import skimage.segmentation
from numpy.typing import NDArray

from antema.analysis.compiled import compiled
from antema.analysis.runs import connected

# Their inferred types are wrong in places (a label count of "Literal[0, 1]"): they are typed here, by hand.
ndimage: Any = scipy.ndimage
measure: Any = skimage.measure
morphology: Any = skimage.morphology
segmentation: Any = skimage.segmentation

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Box = tuple[slice, slice]

PLUS: Mask = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=np.bool_)
SQUARE_3: Mask = np.ones((3, 3), dtype=np.bool_)
SQUARE_2: Mask = np.ones((2, 2), dtype=np.bool_)


def components(mask: Mask) -> tuple[Labels, int]:
    """Return the labels 1 to n of the 8-connected components of `mask`, in reading order, and n."""
    labels, n = ndimage.label(mask, structure=SQUARE_3)
    return labels, int(n)


def boxes(labels: NDArray[np.integer]) -> list[Box | None]:
    """Return the bounding box of each label from 1 up; None for a number that does not occur."""
    return ndimage.find_objects(labels)


def dilated(mask: Mask, element: Mask, *, times: int = 1, origin: int = 0) -> Mask:
    """Return `mask` dilated by `element`, `times` times."""
    return ndimage.binary_dilation(mask, element, iterations=times, origin=origin)


def eroded(mask: Mask, element: Mask, *, outside: bool = False, origin: int = 0) -> Mask:
    """Return `mask` eroded by `element`; `outside` says whether what lies beyond the array is foreground."""
    return ndimage.binary_erosion(mask, element, border_value=int(outside), origin=origin)


def gaussian(mask: Mask, sigma_px: float) -> Floats:
    """Return `mask` as 0 and 1, blurred by a Gaussian; beyond the array is 0."""
    return ndimage.gaussian_filter(mask.astype(np.float64), sigma_px, mode="constant", truncate=3.0)


def level_lines(values: Floats, level: float) -> list[Floats]:
    """Return the closed level lines (row, column) of `values`, the first point not repeated.

    Pixels above the level that meet in a corner are on the same side of a line. Lines that leave the array are
    left out.
    """
    lines = measure.find_contours(values, level, fully_connected="high")
    return [line[:-1] for line in lines if (line[0] == line[-1]).all()]


def hull_image(mask: Mask) -> Mask:
    """Return the pixels with centres in the convex hull of the pixel centres of `mask`, which has at least one."""
    return _hull_image(np.ascontiguousarray(mask))


def summits(values: Floats, height: float) -> Mask:
    """Return the maxima of `values` that rise at least `height` above the saddle to a higher one."""
    return morphology.h_maxima(values, height).astype(np.bool_)


def flooded(values: Floats, seeds: Labels, mask: Mask) -> Labels:
    """Return the basins of `values` inside `mask` that grow from `seeds` (watershed by flooding)."""
    return segmentation.watershed(values, seeds, mask=mask).astype(np.int32)


def largest_component(mask: Mask) -> Mask:
    """Return the largest 8-connected component of `mask`."""
    found = connected(mask)
    if len(found) <= 1:
        return mask
    largest = int(np.argmax(found.areas))
    y, x, h, w = found.boxes[largest].tolist()
    result = np.zeros_like(mask)
    result[y : y + h, x : x + w] = found.mask(largest)
    return result


def tight(mask: Mask) -> tuple[int, int, Mask]:
    """Return x, y and the part of `mask` in the bounding box of its true pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return x, y, np.ascontiguousarray(mask[y : rows[-1] + 1, x : columns[-1] + 1])


def parts(labels: NDArray[np.integer]) -> list[tuple[int, int, Mask]]:
    """Return x, y of the bounding box and the mask of each label from 1 up that occurs."""
    return [
        (box[1].start, box[0].start, labels[box] == index)
        for index, box in enumerate(boxes(labels), start=1)
        if box is not None
    ]


def parts_of(mask: Mask) -> list[tuple[int, int, Mask]]:
    """Return x, y of the bounding box and the mask of each 8-connected component of `mask`, in reading order."""
    found = connected(mask)
    return [(box[1], box[0], part) for box, part in zip(found.boxes.tolist(), found.masks(), strict=True)]


@compiled
def _hull_image(mask: Mask) -> Mask:
    h, w = mask.shape
    left, right = np.full(h, w), np.full(h, -1)
    for y in range(h):
        for x in range(w):
            if mask[y, x]:
                left[y] = min(left[y], x)
                right[y] = max(right[y], x)
    hull = mask.copy()
    left_y, left_x, n = envelope(left, w, 1)
    right_y, right_x, _ = envelope(right, -1, -1)
    one, other = 0, 0
    for y in range(left_y[0] + 1, left_y[n - 1]):
        while left_y[one + 1] < y:
            one += 1
        while right_y[other + 1] < y:
            other += 1
        dy = left_y[one + 1] - left_y[one]
        start = -((left_x[one] * -dy + (left_x[one + 1] - left_x[one]) * (left_y[one] - y)) // dy)
        dy = right_y[other + 1] - right_y[other]
        end = (right_x[other] * dy + (right_x[other + 1] - right_x[other]) * (y - right_y[other])) // dy
        hull[y, start : end + 1] = True
    for y in (left_y[0], left_y[n - 1]):
        hull[y, left[y] : right[y] + 1] = True
    return hull


@compiled
def envelope(ends: NDArray[np.int64], nothing: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return y, x and number of the corners of one chain of a convex hull, from the top down.

    Parameters
    ----------
    ends : ndarray of int64, shape (h,)
        x of the outermost point at each y; `nothing` where there is none.
    nothing : int
        No x.
    side : int
        1 for the left chain, -1 for the right one.
    """
    ys, xs = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64)
    n = 0
    for y in range(len(ends)):
        x = ends[y]
        if x == nothing:
            continue
        while (
            n > 1
            and side * ((xs[n - 1] - xs[n - 2]) * (y - ys[n - 2]) - (x - xs[n - 2]) * (ys[n - 1] - ys[n - 2])) >= 0
        ):
            n -= 1
        ys[n], xs[n] = y, x
        n += 1
    return ys, xs, n
