"""Connected components of a mask as runs of pixels: one pass over the image, memory for the components alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema.compiled import compiled

Mask = NDArray[np.bool_]
Integers = NDArray[np.int32]

_FOREGROUND, _BACKGROUND = 0, 1


@dataclass(frozen=True, eq=False)
class Components:
    """The connected components of a mask, numbered from 0 in the order of their first pixels, row by row.

    Parameters
    ----------
    rows, starts, stops : ndarray of int32, shape (runs,)
        Row, first column and column past the last one of each run of pixels, component after component, each in
        reading order.
    first : ndarray of int32, shape (components + 1,)
        Number of the first run of each component; the last one is the number of runs.
    boxes : ndarray of int32, shape (components, 4)
        y, x, height and width of the bounding boxes.
    areas : ndarray of int64, shape (components,)
        Numbers of pixels.
    """

    rows: Integers
    starts: Integers
    stops: Integers
    first: Integers
    boxes: Integers
    areas: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of components."""
        return len(self.areas)

    def masks(self) -> list[Mask]:
        """Return the mask of each component in its bounding box: parts of one array."""
        drawn, ends = _drawn(self.rows, self.starts, self.stops, self.first, self.boxes)
        shapes = self.boxes[:, 2:].tolist()
        return [drawn[end - h * w : end].reshape(h, w) for end, (h, w) in zip(ends.tolist(), shapes, strict=True)]

    def mask(self, number: int) -> Mask:
        """Return the mask of one component in its bounding box."""
        runs = slice(self.first[number], self.first[number + 1])
        box = self.boxes[number : number + 1]
        ends = np.array([0, runs.stop - runs.start], np.int32)
        drawn, _ = _drawn(self.rows[runs], self.starts[runs], self.stops[runs], ends, box)
        return drawn.reshape(int(box[0, 2]), int(box[0, 3]))


def connected(mask: Mask) -> Components:
    """Return the 8-connected components of `mask`, shape (h, w)."""
    return Components(*_grouped(*_labelled(np.ascontiguousarray(mask), _FOREGROUND)))


def with_holes(mask: Mask, of: Components) -> NDArray[np.bool_]:
    """Return which components of `mask` have holes: 4-connected background that does not reach the mask's edges."""
    background = _labelled(np.ascontiguousarray(mask), _BACKGROUND)
    return _parents_of_holes(*background, of.rows, of.starts, of.stops, of.first, mask.shape[0])


def close_holes(mask: Mask, limit_px: float) -> tuple[Mask, Mask, int]:
    """Return a mask with its holes below `limit_px` pixels closed, with all closed, and how many stayed open."""
    mask = np.ascontiguousarray(mask)
    return _closed(mask, float(limit_px), *_labelled(mask, _BACKGROUND))


@compiled
def _root(parents: Integers, run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


@compiled
def _labelled(mask: Mask, background: int) -> tuple[Integers, Integers, Integers, Integers, int]:
    """Return row, start, stop and component of each run of pixels, and the number of components.

    Runs of the foreground are connected by corners too. Of the background, which is not, all that reaches an edge of
    the mask is one component, number 0, whose first run is empty.
    """
    h, w = mask.shape
    value = background == 0
    n = background
    for y in range(h):
        before = not value
        for x in range(w):
            n += (mask[y, x] == value) & (before != value)
            before = mask[y, x]
    rows, starts, stops = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32)
    parents = np.arange(n).astype(np.int32)
    reach = 1 - background
    k = background
    above, above_end = k, k
    for y in range(h):
        begin = k
        other = above
        x = 0
        while x < w:
            if mask[y, x] != value:
                x += 1
                continue
            start = x
            while x < w and mask[y, x] == value:
                x += 1
            rows[k], starts[k], stops[k] = y, start, x
            if background and (y == 0 or y == h - 1 or start == 0 or x == w):
                parents[_root(parents, k)] = 0
            while other < above_end and stops[other] + reach <= start:
                other += 1
            each = other
            while each < above_end and starts[each] < x + reach:
                a, b = _root(parents, k), _root(parents, each)
                parents[max(a, b)] = min(a, b)
                each += 1
            k += 1
        above, above_end = begin, k
    labels = np.zeros(n, np.int32)
    found = 0
    for k in range(n):
        root = _root(parents, k)
        if root == k:
            labels[k] = found
            found += 1
        else:
            labels[k] = labels[root]
    return rows, starts, stops, labels, found


@compiled
def _grouped(
    rows: Integers, starts: Integers, stops: Integers, labels: Integers, n: int
) -> tuple[Integers, Integers, Integers, Integers, Integers, NDArray[np.int64]]:
    """Return the fields of `Components` of labelled runs."""
    first = np.zeros(n + 1, np.int32)
    for label in labels:
        first[label + 1] += 1
    first = np.cumsum(first).astype(np.int32)
    place = first[:-1].copy()
    new_rows, new_starts, new_stops = np.empty_like(rows), np.empty_like(starts), np.empty_like(stops)
    boxes, areas = np.zeros((n, 4), np.int32), np.zeros(n, np.int64)
    for k in range(len(labels)):
        label = labels[k]
        at = place[label]
        new_rows[at], new_starts[at], new_stops[at] = rows[k], starts[k], stops[k]
        if at == first[label]:
            boxes[label, 0], boxes[label, 1], boxes[label, 3] = rows[k], starts[k], stops[k]
        boxes[label, 1] = min(boxes[label, 1], starts[k])
        boxes[label, 2] = rows[k] + 1 - boxes[label, 0]
        boxes[label, 3] = max(boxes[label, 3], stops[k])
        areas[label] += stops[k] - starts[k]
        place[label] += 1
    boxes[:, 3] -= boxes[:, 1]
    return new_rows, new_starts, new_stops, first, boxes, areas


@compiled
def _drawn(
    rows: Integers, starts: Integers, stops: Integers, first: Integers, boxes: Integers
) -> tuple[Mask, NDArray[np.int64]]:
    """Return the masks of components in their boxes, one behind the other, and where each ends."""
    n = len(boxes)
    ends = np.empty(n, np.int64)
    end = 0
    for number in range(n):
        end += np.int64(boxes[number, 2]) * boxes[number, 3]
        ends[number] = end
    drawn = np.zeros(end, np.bool_)
    for number in range(n):
        y, x, h, w = boxes[number]
        for k in range(first[number], first[number + 1]):
            row = ends[number] - (h - rows[k] + y) * w - x
            drawn[row + starts[k] : row + stops[k]] = True
    return drawn, ends


@compiled
def _parents_of_holes(
    hole_rows: Integers,
    hole_starts: Integers,
    hole_stops: Integers,
    hole_labels: Integers,
    n_holes: int,
    rows: Integers,
    starts: Integers,
    stops: Integers,
    first: Integers,
    height: int,
) -> Mask:
    """Return whether each component has holes, which are labelled runs of background with the outside as number 0."""
    result = np.zeros(len(first) - 1, np.bool_)
    if n_holes <= 1:
        return result
    # Above the first pixel of a hole lies the component around it. Find it among the runs of that row.
    above = np.zeros((n_holes, 2), np.int32)
    n_in_row = np.zeros(height + 1, np.int32)
    seen = 0
    for k in range(len(hole_labels)):
        if hole_labels[k] > seen:
            seen = hole_labels[k]
            above[seen, 0] = hole_rows[k] - 1
            above[seen, 1] = hole_starts[k]
            n_in_row[hole_rows[k]] += 1
    ends = np.cumsum(n_in_row)  # holes are in the order of their first rows: those of row r end at ends[r + 1]
    for number in range(len(first) - 1):
        for k in range(first[number], first[number + 1]):
            row = rows[k]
            low = ends[row] + 1
            high = ends[row + 1] + 1
            # the first hole of that row that begins at or right of the run's start
            while low < high:
                middle = (low + high) // 2
                if above[middle, 1] < starts[k]:
                    low = middle + 1
                else:
                    high = middle
            if low < ends[row + 1] + 1 and above[low, 1] < stops[k]:
                result[number] = True
                break
    return result


@compiled
def _closed(
    mask: Mask,
    limit_px: float,
    rows: Integers,
    starts: Integers,
    stops: Integers,
    labels: Integers,
    n: int,
) -> tuple[Mask, Mask, int]:
    if n <= 1:
        return mask, mask, 0
    areas = np.zeros(n, np.int64)
    for k in range(len(labels)):
        areas[labels[k]] += stops[k] - starts[k]
    closed, filled = mask.copy(), mask.copy()
    n_open = 0
    for area in areas[1:]:
        n_open += area >= limit_px
    for k in range(len(labels)):
        if labels[k] > 0:
            filled[rows[k], starts[k] : stops[k]] = True
            if areas[labels[k]] < limit_px:
                closed[rows[k], starts[k] : stops[k]] = True
    return closed, filled, n_open
