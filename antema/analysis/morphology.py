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

SQUARE_3: Mask = np.ones((3, 3), dtype=np.bool_)


def components(mask: Mask) -> tuple[Labels, int]:
    """Return the labels 1 to n of the 8-connected components of `mask`, in reading order, and n."""
    labels, n = ndimage.label(mask, structure=SQUARE_3)
    return labels, int(n)


def boxes(labels: NDArray[np.integer]) -> list[Box | None]:
    """Return the bounding box of each label from 1 up; None for a number that does not occur."""
    return ndimage.find_objects(labels)


def dilated(mask: Mask, element: Mask, *, times: int = 1) -> Mask:
    """Return `mask` dilated by `element`, `times` times."""
    return ndimage.binary_dilation(mask, element, iterations=times)


def eroded(mask: Mask, element: Mask) -> Mask:
    """Return `mask` eroded by `element`; what lies beyond the array is background."""
    return ndimage.binary_erosion(mask, element)


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
