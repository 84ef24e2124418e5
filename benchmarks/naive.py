"""Cleaning, separation and measuring as one would write them with scikit-image and SciPy: what the package is held to.

One region after another (`regionprops`), one erosion at a time on its crop, every outline by `find_contours`, every
hull by Qhull. It takes nothing from the package's own loops but the fit of circles and ellipses, and it must find the
same objects.
"""

# pyright: reportMissingTypeStubs=false
import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from skimage.measure import find_contours, label, regionprops
from skimage.morphology import convex_hull_image

from antema.analysis.contours import unrounded
from antema.analysis.ellipse import fit_circle, fit_ellipse
from antema.domain import Recipe

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_PLUS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)
_SQUARE_2, _SQUARE_3 = np.ones((2, 2), dtype=bool), np.ones((3, 3), dtype=bool)
# A Gaussian of half a pixel, from the middle on, for `unrounded`, which both implementations share.
_HALF_PIXEL_TAPS = np.exp(-2.0 * np.arange(3) ** 2) / np.exp(-2.0 * np.arange(-2, 3) ** 2).sum()


@dataclass(frozen=True, eq=False)
class Found:
    """One object: its mask in its box, why it was dropped, and by how much it had been eroded as a marker."""

    x: int
    y: int
    mask: Mask
    reason: str = ""
    separated: bool = False
    eroded_px: float = 0.0


# Cleaning


def clean(foreground: Mask, pixel_size_nm: float, recipe: Recipe) -> list[tuple[Found, Mask]]:
    """Return each region filled, and its mask with small holes closed and large ones open."""
    limit = math.pi / 4 * (recipe.hole_diameter_nm / pixel_size_nm) ** 2
    regions: list[tuple[Found, Mask]] = []
    for region in regionprops(label(foreground, connectivity=2)):
        mask = region.image
        filled = ndi.binary_fill_holes(mask)
        closed, n_open = mask.copy(), 0
        for hole in regionprops(label(filled & ~mask, connectivity=1)):
            if hole.area < limit:
                closed[hole.slice] |= hole.image
            else:
                n_open += 1
        if np.count_nonzero(filled) < _least(recipe.min_area_px, recipe.min_diameter_nm, pixel_size_nm):
            reason = "too_small"
        else:
            reason = "too_many_holes" if n_open > recipe.max_holes else ""
        regions.append((Found(region.bbox[1], region.bbox[0], filled, reason), closed))
    return regions


def _least(pixels: int, diameter_nm: float, pixel_size_nm: float) -> int:
    return max(pixels, math.ceil(math.pi / 4 * (diameter_nm / pixel_size_nm) ** 2))


def _at_border(found: Found, shape: tuple[int, ...]) -> bool:
    h, w = found.mask.shape
    return found.x <= 0 or found.y <= 0 or found.x + w >= shape[1] or found.y + h >= shape[0]


def _pieces(mask: Mask) -> list[Found]:
    return [Found(r.bbox[1], r.bbox[0], r.image) for r in regionprops(label(mask, connectivity=2))]


def _tight(found: Found) -> Found:
    rows, columns = np.flatnonzero(found.mask.any(axis=1)), np.flatnonzero(found.mask.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return replace(found, x=found.x + int(columns[0]), y=found.y + int(rows[0]), mask=found.mask[box])


def _with_room(found: Found, room: int, shape: tuple[int, ...]) -> Found:
    left, top = min(room, found.x), min(room, found.y)
    right = min(room, shape[1] - found.x - found.mask.shape[1])
    bottom = min(room, shape[0] - found.y - found.mask.shape[0])
    mask = np.pad(found.mask, ((top, bottom), (left, right)))
    return replace(found, x=found.x - left, y=found.y - top, mask=mask)


# The convention ``antema``

_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def antema(foreground: Mask, pixel_size_nm: float, recipe: Recipe) -> list[Found]:
    """Return the objects in the ``antema`` convention."""
    found: list[Found] = []
    least = _least(recipe.min_area_px, recipe.min_diameter_nm, pixel_size_nm)
    least_marker = _least(recipe.marker_area_px, recipe.marker_diameter_nm, pixel_size_nm)
    for whole, closed in clean(foreground, pixel_size_nm, recipe):
        at_border = "touches_border" if recipe.drop_border and _at_border(whole, foreground.shape) else ""
        convexity = 1.0 if whole.reason else pixel_convexity(closed)
        if whole.reason or convexity > recipe.convexity_threshold:
            found.append(replace(whole, reason=at_border or whole.reason))
            continue
        if convexity < recipe.convexity_lower_bound:
            found.append(replace(whole, reason=at_border or "convexity_too_low"))
            continue
        pieces = antema_uecs(closed, recipe.convexity_threshold, least_marker)
        if not pieces:
            found.append(replace(whole, reason=at_border or "not_separable"))
        for piece in pieces:
            moved = replace(piece, x=piece.x + whole.x, y=piece.y + whole.y, separated=True)
            if recipe.drop_border and _at_border(moved, foreground.shape):
                reason = "touches_border"
            elif np.count_nonzero(piece.mask) < least:
                reason = "too_small"
            else:
                reason = "" if pixel_convexity(piece.mask) > recipe.convexity_threshold else "not_separable"
            found.append(replace(moved, mask=ndi.binary_fill_holes(piece.mask), reason=reason))
    return found


def antema_uecs(region: Mask, threshold: float, least_marker_px: int) -> list[Found]:
    """Return the pieces of a region, eroded, opened and grown with a square and a plus by turns."""
    pieces: list[Found] = []
    pending = [(Found(0, 0, region), 0)]
    while pending:
        within, step = pending.pop()
        element, origin = (_SQUARE_2, -1) if step % 2 == 0 else (_PLUS, 0)
        smaller = ndi.binary_erosion(within.mask, element, border_value=1, origin=origin)
        opened = ndi.binary_dilation(ndi.binary_erosion(smaller, _PLUS, border_value=1), _PLUS)
        for part in _pieces(opened):
            n = np.count_nonzero(part.mask)
            if n < least_marker_px or _minor_axis(part.mask) <= least_marker_px // 10:
                continue
            moved = replace(part, x=part.x + within.x, y=part.y + within.y)
            hull = convex_image(part.mask)
            if n / np.count_nonzero(hull) > threshold and chain_perimeter(hull) > threshold * chain_perimeter(
                part.mask
            ):
                pieces.append(_regrown(moved, step + 2, region))
            else:
                pending.append((_with_room(moved, 2, region.shape), step + 1))
    return sorted(pieces, key=lambda piece: (piece.x, piece.y))


def _regrown(marker: Found, n_steps: int, region: Mask) -> Found:
    marker = _with_room(marker, n_steps + 2, region.shape)
    grown = marker.mask
    inside = region[marker.y : marker.y + grown.shape[0], marker.x : marker.x + grown.shape[1]]
    for step in range(n_steps):
        square = step % 2 == 0
        wider = ndi.binary_dilation(grown, _SQUARE_2, origin=-1) if square else ndi.binary_dilation(grown, _PLUS)
        new = wider & ~grown
        grown = wider & inside
        if square and np.count_nonzero(new & inside) < 0.25 * np.count_nonzero(new):
            break
    return _tight(replace(marker, mask=grown))


def chain(mask: Mask) -> list[int]:
    """Return the outer boundary of a mask as directions 0 to 7."""
    w = mask.shape[1]
    width = w + 2
    flat = np.pad(mask, 1).ravel().tolist()
    offsets = [dy * width + dx for dy, dx in _STEPS]
    start = int(np.flatnonzero(mask)[0])
    position = (start // w + 1) * width + start % w + 1

    def next_step(search_from: int) -> int | None:
        turns = ((search_from + turn) % 8 for turn in range(8))
        return next((direction for direction in turns if flat[position + offsets[direction]]), None)

    first = direction = next_step(7)
    steps: list[int] = []
    origin = position
    while direction is not None:
        steps.append(direction)
        position += offsets[direction]
        direction = next_step(direction + (6 if direction % 2 else 7))
        if position == origin and direction == first:
            break
    return steps


def chain_perimeter(mask: Mask) -> float:
    """Return the perimeter along the chain."""
    steps = np.array(chain(mask), dtype=np.int64)
    if steps.size == 0:
        return 0.0
    kind = np.where(steps % 2 == 1, 1, np.where(steps % 4 == 0, 0, 2))
    n_diagonal = int(np.count_nonzero(kind == 1))
    return 0.980 * (steps.size - n_diagonal) + 1.406 * n_diagonal - 0.091 * np.count_nonzero(kind != np.roll(kind, 1))


def convex_image(mask: Mask) -> Mask:
    """Return the pixels of the convex hull of the midpoints of the pixels' edges."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last = mask[rows].argmax(axis=1), mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    points = [(first - 0.5, rows), (last + 0.5, rows)]
    points += [(end, rows + dy) for dy in (-0.5, 0.5) for end in (first, last)]
    corners = np.concatenate([np.stack(each, axis=1) for each in points]).astype(np.float64)
    hull = corners[ConvexHull(corners).vertices]
    hull = np.roll(hull, -int(hull[:, 1].argmin()), axis=0)
    turn = int(hull[:, 1].argmax())
    down, up = hull[: turn + 1], np.concatenate([hull[turn:], hull[:1]])[::-1]
    row = np.arange(mask.shape[0])
    one, other = np.interp(row, down[:, 1], down[:, 0]), np.interp(row, up[:, 1], up[:, 0])
    column = np.arange(mask.shape[1])
    left, right = np.minimum(one, other)[:, None], np.maximum(one, other)[:, None]
    return ((column > left + 1e-5) & (column < right + 1e-5)) | mask


def pixel_convexity(mask: Mask) -> float:
    """Return the chain perimeter of the convex image over that of the mask."""
    perimeter = chain_perimeter(mask)
    return chain_perimeter(convex_image(mask)) / perimeter if perimeter > 0 else 1.0


def _minor_axis(mask: Mask) -> float:
    rows, columns = np.nonzero(mask)
    moments = np.cov(np.stack([columns, rows]), bias=True) + np.eye(2) / 12
    return 4 * float(np.sqrt(np.linalg.eigvalsh(moments)[0]))


def measured_pixels(found: Found) -> dict[str, float]:
    """Return the measures of an object by counting pixels."""
    mask = found.mask
    rows, columns = np.nonzero(mask)
    corners = np.concatenate([np.stack([columns + dx, rows + dy], axis=1) for dx in (0, 1) for dy in (0, 1)])
    area, perimeter = float(rows.size), chain_perimeter(mask)
    return {
        "area_nm2": area,
        "perimeter_nm": perimeter,
        "convexity": pixel_convexity(mask),
        "solidity": area / np.count_nonzero(convex_image(mask)),
        "centroid_x_nm": found.x + 0.5 + columns.mean(),
        "centroid_y_nm": found.y + 0.5 + rows.mean(),
        **_feret(corners.astype(np.float64)),
    }


# The convention ``contour``


def contour(foreground: Mask, probability: Floats, pixel_size_nm: float, recipe: Recipe) -> list[tuple[Found, Floats]]:
    """Return the objects in the ``contour`` convention with their outlines, of a field without networks."""
    found: list[tuple[Found, Floats]] = []
    least = _least(recipe.min_area_px, recipe.min_diameter_nm, pixel_size_nm)
    least_marker = _least(recipe.marker_area_px, recipe.marker_diameter_nm, pixel_size_nm)
    threshold = recipe.convexity_threshold
    for whole, closed in clean(foreground, pixel_size_nm, recipe):
        at_border = "touches_border" if recipe.drop_border and _at_border(whole, foreground.shape) else ""
        line = outline(whole, probability)
        convexity, solidity = convexity_and_solidity(line)
        if whole.reason or convexity < recipe.convexity_lower_bound:
            found.append((replace(whole, reason=at_border or whole.reason or "convexity_too_low"), line))
            continue
        solid = closed | (ndi.binary_fill_holes(closed) & ~_large_holes(closed, least))
        pieces: list[tuple[Found, Floats]] = []
        if convexity <= threshold:
            pieces = _in_image(
                uecs(solid, threshold, least_marker), whole, foreground.shape, probability, least, recipe
            )
        rest = _left_over(solid, pieces, whole, least) if pieces else []
        lobes: list[tuple[Found, Floats]] = []
        if solidity < 0.98 and all(piece.reason == "not_separable" for piece, _ in pieces):
            lobes = _in_image(necked_lobes(solid, least_marker), whole, foreground.shape, probability, least, recipe)
            wrong = any(piece.reason not in ("", "touches_border") for piece, _ in lobes)
            if len(lobes) < 2 or wrong or _left_over(solid, lobes, whole, least):
                lobes = []
        if lobes:
            found.extend(lobes)
        elif convexity > threshold:
            found.append((replace(whole, reason=at_border), line))
        elif not pieces:
            found.append((replace(whole, reason=at_border or "not_separable"), line))
        else:
            alone = len(pieces) + len(rest) == 1
            found.extend((replace(piece, separated=not alone), each) for piece, each in pieces)
            found.extend(
                (replace(piece, reason=piece.reason or "not_separable"), each)
                for piece, each in _in_image(rest, whole, foreground.shape, probability, least, recipe)
            )
    return found


def _large_holes(mask: Mask, limit_px: int) -> Mask:
    holes = np.zeros_like(mask)
    for hole in regionprops(label(ndi.binary_fill_holes(mask) & ~mask, connectivity=1)):
        if hole.area >= limit_px:
            holes[hole.slice] |= hole.image
    return holes


def _in_image(
    pieces: list[Found], whole: Found, shape: tuple[int, ...], probability: Floats, least: int, recipe: Recipe
) -> list[tuple[Found, Floats]]:
    result: list[tuple[Found, Floats]] = []
    for piece in pieces:
        filled = ndi.binary_fill_holes(piece.mask)
        moved = replace(piece, x=piece.x + whole.x, y=piece.y + whole.y, mask=filled, separated=True)
        line = outline(moved, probability)
        if recipe.drop_border and _at_border(moved, shape):
            reason = "touches_border"
        elif np.count_nonzero(filled) < least:
            reason = "too_small"
        else:
            reason = "" if convexity_and_solidity(line)[0] > recipe.convexity_threshold else "not_separable"
        result.append((replace(moved, reason=reason), line))
    return result


def _left_over(region: Mask, pieces: list[tuple[Found, Floats]], whole: Found, least_px: int) -> list[Found]:
    uncovered = region.copy()
    for piece, _ in pieces:
        x, y, (h, w) = piece.x - whole.x, piece.y - whole.y, piece.mask.shape
        uncovered[y : y + h, x : x + w] &= ~piece.mask
    rest = [piece for piece in _pieces(uncovered) if np.count_nonzero(piece.mask) >= least_px]
    return [piece for piece in rest if math.pi * _depth(piece.mask).max() ** 2 >= least_px]


def uecs(region: Mask, threshold: float, least_marker_px: int) -> list[Found]:
    """Return the pieces of a region, eroded by Euclidean distance until they are convex, and grown again."""
    depths = _depth(region)
    step = max(1.0, float(depths.max()) / 64)

    def markers_in(within: Floats, eroded_px: float) -> list[Found]:
        found: list[Found] = []
        for marker, rest in _eroded(within, eroded_px):
            if np.count_nonzero(marker.mask) < least_marker_px:
                continue
            is_convex = mask_convexity(marker.mask) > threshold
            lobes = _lobes(rest, eroded_px, least_marker_px) if is_convex else []
            if lobes and all(mask_convexity(_grown(each, region)[2]) > threshold for each in lobes):
                found.extend(lobes)
                continue
            good = is_convex and mask_convexity(_grown(marker, region)[2]) > threshold
            has_holes = (ndi.binary_fill_holes(marker.mask) != marker.mask).any()
            deeper = markers_in(rest, eroded_px + step) if has_holes or not good else []
            if len(deeper) > 1 or (deeper and not good):
                found.extend(deeper)
            elif is_convex:
                found.append(marker)
        return found

    return _shared_out(region, depths, markers_in(depths, step))


def necked_lobes(region: Mask, least_marker_px: int) -> list[Found]:
    """Return the lobes of a region where it has clear necks."""
    depths = _depth(region)
    return _shared_out(region, depths, _lobes(depths, 0.0, least_marker_px))


def _lobes(inner: Floats, eroded_px: float, least_marker_px: int) -> list[Found]:
    step = max(0.5, float(inner.max()) / 64)
    deepest = 0.88 * float(inner.max())
    while eroded_px < deepest:
        lobes: list[tuple[Found, Floats]] = []
        for marker, rest in _eroded(inner, eroded_px):
            inradius = float(rest.max())
            is_clear = eroded_px <= 0.88 * inradius and inradius - eroded_px >= 1.5
            if is_clear and math.pi * inradius**2 >= least_marker_px:
                lobes.append((marker, rest))
        if len(lobes) > 1:
            further = [_lobes(rest, eroded_px + step, least_marker_px) or [marker] for marker, rest in lobes]
            return [marker for each in further for marker in each]
        eroded_px += step
    return []


def _depth(mask: Mask) -> Floats:
    return ndi.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]


def _eroded(inner: Floats, eroded_px: float) -> list[tuple[Found, Floats]]:
    """Return the pieces below a depth, each with the region's depths on it alone."""
    found: list[tuple[Found, Floats]] = []
    for part in regionprops(label(inner > eroded_px, connectivity=2)):
        rest = np.zeros_like(inner)
        rest[part.slice] = np.where(part.image, inner[part.slice], 0.0)
        found.append((Found(part.bbox[1], part.bbox[0], part.image, eroded_px=eroded_px), rest))
    return found


def _grown(marker: Found, region: Mask) -> tuple[tuple[slice, slice], Mask, Mask]:
    wider = _with_room(marker, math.ceil(marker.eroded_px) + 2, region.shape)
    box = slice(wider.y, wider.y + wider.mask.shape[0]), slice(wider.x, wider.x + wider.mask.shape[1])
    return box, wider.mask, _dilated(wider.mask, marker.eroded_px) & region[box]


def _dilated(mask: Mask, distance_px: float) -> Mask:
    return ndi.distance_transform_edt(~mask) <= distance_px + 0.5


def _shared_out(region: Mask, depths: Floats, markers: list[Found]) -> list[Found]:
    claims = np.zeros(region.shape, dtype=np.int64)
    for marker in markers:
        box, _, whole = _grown(marker, region)
        claims[box] += whole
    pieces: list[Found] = []
    for marker in markers:
        box, placed, whole = _grown(marker, region)
        own = whole & (claims[box] == 1)
        kept = whole
        if own.any() and (own != whole).any():
            kept = _completed(own, whole, region[box], depths[box])
            if kept is None:
                inner = np.where(placed, depths[box], 0.0)
                reach = max(marker.eroded_px, 0.85 * float(inner.max()))
                kept = own | (_dilated(inner > reach, reach) & whole)
            kept = kept | (convex_hull_image(own, offset_coordinates=False) & whole)
        largest = max(_pieces(kept), key=lambda piece: np.count_nonzero(piece.mask))
        pieces.append(replace(largest, x=largest.x + box[1].start, y=largest.y + box[0].start))
    return sorted(pieces, key=lambda piece: (piece.x, piece.y))


def _completed(own: Mask, whole: Mask, region: Mask, depths: Floats) -> Mask | None:
    points = np.argwhere(own & (depths <= 1))[:, ::-1].astype(np.float64)
    tolerance = max(0.35, 0.02 * math.sqrt(np.count_nonzero(whole) / math.pi))
    for fit in (fit_circle, fit_ellipse):
        fitted = fit(points)
        if fitted is not None and np.sqrt((fitted.distance(points) ** 2).mean()) <= tolerance:
            columns, rows = np.meshgrid(np.arange(own.shape[1]), np.arange(own.shape[0]))
            everywhere = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
            inside = fitted.distance(everywhere).reshape(own.shape) <= 0.5
            result = own | (inside & region)
            return result if np.count_nonzero(result) < 1.2 * np.count_nonzero(whole) else None
    return None


def mask_convexity(mask: Mask) -> float:
    """Return hull perimeter / perimeter of the level line of a smoothed mask."""
    smooth = ndi.gaussian_filter(np.pad(mask, 3).astype(np.float64), 0.9, mode="constant", truncate=3.0)
    lines = find_contours(smooth, min(0.5, smooth.max() / 2), fully_connected="high")
    line = max((each[:-1] for each in lines), key=_perimeter)
    return _perimeter(line[ConvexHull(line).vertices]) / _perimeter(line)


def outline(found: Found, probability: Floats) -> Floats:
    """Return the map's level line round an object; where a separation cut it, that of the smoothed mask.

    The line is found on the map smoothed by half a pixel, and moved by as much as drawing and smoothing would shift it.
    """
    h, w = found.mask.shape
    inside = np.pad(found.mask, 5)
    box = slice(found.y, found.y + h + 10), slice(found.x, found.x + w + 10)
    values = np.pad(probability, 5)[box].astype(np.float64)
    foreground = values > 0.5
    ring, core = ndi.binary_dilation(inside, _SQUARE_3), ndi.binary_erosion(inside, _SQUARE_3)
    near = ndi.binary_dilation(inside, _SQUARE_3, iterations=2)
    surface = np.where(ring | (near & ~foreground), values, 0.0)
    surface[inside & ~foreground] = 1.0
    cut = (ring & ~inside & foreground) | (inside & ~core & ~foreground)
    if cut.any():
        smooth = _blurred(inside.astype(np.float64), 0.9)
        n = np.count_nonzero(inside)
        ordered = np.sort(smooth.ravel())
        near = ndi.binary_dilation(cut, _SQUARE_3, iterations=2)
        surface[near] = smooth[near] + 0.5 - (ordered[-n - 1] + ordered[-n]) / 2
    line = _longest(_blurred(surface, 0.5))
    if len(line) == 0 or _area(line) < 0.75 * np.count_nonzero(inside):
        line = _longest(surface)
    else:
        line = unrounded(line, 0.5, *inside.shape, _HALF_PIXEL_TAPS)
    return line + (found.x - 5, found.y - 5)


def _blurred(values: Floats, sigma_px: float) -> Floats:
    return ndi.gaussian_filter(values, sigma_px, mode="constant", truncate=3.0)


def _longest(surface: Floats) -> Floats:
    lines = [line[:-1, ::-1] + 0.5 for line in find_contours(surface, 0.5, fully_connected="high")]
    return np.ascontiguousarray(max(lines, key=_area, default=np.empty((0, 2))))


def convexity_and_solidity(line: Floats) -> tuple[float, float]:
    """Return hull perimeter / perimeter and area / hull area of an outline."""
    hull = line[ConvexHull(line).vertices]
    return _perimeter(hull) / _perimeter(line), _area(line) / _area(hull)


def measured_outline(line: Floats) -> dict[str, float]:
    """Return the measures of an outline."""
    convexity, solidity = convexity_and_solidity(line)
    p = line - line.mean(axis=0)
    following = np.roll(p, -1, axis=0)
    cross = p[:, 0] * following[:, 1] - following[:, 0] * p[:, 1]
    x, y = ((p + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum()) + line.mean(axis=0)
    return {
        "area_nm2": _area(line),
        "perimeter_nm": _perimeter(line),
        "convexity": convexity,
        "solidity": solidity,
        "centroid_x_nm": float(x),
        "centroid_y_nm": float(y),
        **_feret(line),
    }


def _area(line: Floats) -> float:
    p = line - line[0]
    following = np.roll(p, -1, axis=0)
    return abs(0.5 * float((p[:, 0] * following[:, 1] - following[:, 0] * p[:, 1]).sum()))


def _perimeter(line: Floats) -> float:
    edges = np.roll(line, -1, axis=0) - line
    return float(np.hypot(edges[:, 0], edges[:, 1]).sum())


def _feret(points: Floats) -> dict[str, float]:
    hull = points[ConvexHull(points).vertices]
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.hypot(edges[:, 0], edges[:, 1])[:, None]
    along = normals @ hull.T
    gaps = hull[:, None, :] - hull[None, :, :]
    return {
        "feret_min_nm": float((along.max(axis=1) - along.min(axis=1)).min()),
        "feret_max_nm": float(np.sqrt((gaps**2).sum(axis=2).max())),
    }
