"""Separation of touching particles by a watershed on the distance map."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed as flood

from antema.analysis.uecs import Piece, largest_component, tight


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
        The pieces in their bounding boxes, together all of the region.
    """
    distance = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    if depth_px > 0:
        summits = h_maxima(distance, depth_px)
    else:
        summits = (distance == ndimage.maximum_filter(distance, size=3)) & region
    seeds, n = ndimage.label(summits, structure=np.ones((3, 3), dtype=np.int8))
    if n <= 1:
        return [tight(region)]
    labels = np.asarray(flood(-distance, seeds, mask=region))
    pieces: list[Piece] = []
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        x, y, mask = tight(largest_component(labels[box] == index))
        pieces.append((box[1].start + x, box[0].start + y, mask))
    return pieces
