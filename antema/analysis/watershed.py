"""Separation of touching particles by a watershed on the distance map."""

import numpy as np
from numpy.typing import NDArray

from antema.analysis.distances import depth
from antema.analysis.morphology import components, flooded, largest_component, parts, summits, tight
from antema.analysis.uecs import Piece


def watershed(region: NDArray[np.bool_], *, depth_px: float) -> list[Piece]:
    """Cut a region along the watershed lines of its distance map; the pieces share no pixels.

    Parameters
    ----------
    region : ndarray of bool, shape (h, w)
        A connected region.
    depth_px : float
        Two hills of the distance map stay one particle where the saddle between them is less than this below the
        lower summit.

    Returns
    -------
    list of (x, y, mask)
        The pieces in their bounding boxes.
    """
    distance = depth(region)
    # A height of 0 would make every pixel a summit of its own: the least step between two distances stands for it.
    seeds, n = components(summits(distance, max(depth_px, 1e-6)))
    if n <= 1:
        return [tight(region)]
    pieces: list[Piece] = []
    for x, y, mask in parts(flooded(-distance, seeds, region)):
        dx, dy, piece = tight(largest_component(mask))
        pieces.append((x + dx, y + dy, piece))
    return pieces
