"""The outline that atoms have in projection, and rotations of them."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from antema.simulation.shapes import Shadow, convex_hull, feret

Positions = NDArray[np.float64]
_BEYOND_EDGE = 0.3
"""In samples; gives discs their area within 0.3 samples of their diameter."""


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a rotation matrix, uniform over all rotations."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] *= -1
    return q


def outlined(
    xy_nm: Positions, radii_nm: NDArray[np.float64], pixel_size_nm: float, *, most_samples: int = 60_000
) -> tuple[int, int, NDArray[np.bool_], Shadow]:
    """Return the outline of a particle: the union of discs around its projected atoms, closed and filled.

    Parameters
    ----------
    xy_nm : ndarray, shape (n, 2 or 3)
        Atom positions in the field; the centre of pixel (row i, column j) lies at ((j + 0.5), (i + 0.5)) pixels.
    radii_nm : ndarray, shape (n,)
        Radii of their discs; a disc of the largest closes the gaps between them.
    pixel_size_nm : float
        Edge of a pixel.
    most_samples : int
        About how many samples the finer grid has at most that the union is drawn on.

    Returns
    -------
    x, y : int
        Column and row of the upper left pixel of the mask; may lie outside the field.
    mask : ndarray of bool, shape (h, w)
        Pixels of which at least half is covered, tight.
    shadow : Shadow
        Measures of the outline, from the finer grid.
    """
    closing_nm = float(radii_nm.max())
    reach = 2 * closing_nm + pixel_size_nm
    low = np.floor((xy_nm[:, :2].min(axis=0) - reach) / pixel_size_nm).astype(int)
    high = np.ceil((xy_nm[:, :2].max(axis=0) + reach) / pixel_size_nm).astype(int)
    w, h = (high - low).tolist()
    fine = int(np.clip(np.sqrt(most_samples / (w * h)), 1, np.ceil(pixel_size_nm / closing_nm * 8)))
    fine = fine // 2 * 2 + 1  # odd: no pixel is covered by exactly a half, which would widen the mask
    step_nm = pixel_size_nm / fine
    cell = np.floor((xy_nm[:, :2] - low * pixel_size_nm) / step_nm).astype(int)
    widened = np.zeros((h * fine, w * fine), bool)
    for radius_nm in np.unique(radii_nm):
        empty = np.ones(widened.shape, bool)
        empty[tuple(cell[radii_nm == radius_nm, ::-1].T)] = False
        widened |= np.asarray(ndimage.distance_transform_edt(empty)) * step_nm <= radius_nm + closing_nm
    # distances are to the nearest empty sample, which lies a little beyond the edge
    closed = (np.asarray(ndimage.distance_transform_edt(widened)) - _BEYOND_EDGE) * step_nm > closing_nm
    # most have no hole, which is sooner seen than filled
    holed = int(ndimage.label(~closed)[1]) > 1  # type: ignore[arg-type]
    covered = np.asarray(ndimage.binary_fill_holes(closed), bool) if holed else closed
    mask = covered.reshape(h, fine, w, fine).mean(axis=(1, 3), dtype=np.float32) >= 0.5
    x, y, mask = tight(int(low[0]), int(low[1]), mask)
    return x, y, mask, Shadow(float(np.count_nonzero(covered) * step_nm**2), *feret(mask_hull(covered, step_nm)))


def mask_hull(mask: NDArray[np.bool_], step_nm: float) -> Positions:
    """Return the convex hull of the samples of a mask, as far as the middles of their sides, in nm."""
    around = np.pad(mask, 1)
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    rows, columns = np.nonzero(mask & ~inner)
    sides = np.array([(1, 0.5), (0, 0.5), (0.5, 1), (0.5, 0)])
    corners = np.stack([columns, rows], axis=1)[:, None] + sides
    return convex_hull(np.asarray(corners.reshape(-1, 2) * step_nm, np.float64))


def tight(x: int, y: int, mask: NDArray[np.bool_]) -> tuple[int, int, NDArray[np.bool_]]:
    """Return `mask` at (x, y) without empty rows and columns around it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return x, y, mask[:0, :0]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return x + int(left), y + int(top), mask[top:bottom, left:right].copy()
