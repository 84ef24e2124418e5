"""Regions into detected objects: kept whole, separated, or dropped with a reason."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from antema.analysis.antema_uecs import antema_objects
from antema.analysis.arcs import arcs
from antema.analysis.distances import depth
from antema.analysis.erosion import mask_convexity
from antema.analysis.hulls import hull_image
from antema.analysis.morphology import SQUARE_3, dilated, parts_of
from antema.analysis.outline import MARGIN_PX, outline
from antema.analysis.polygon import Polygon
from antema.analysis.proposed import ProposedParticles, proposed_particles
from antema.analysis.regions import Region, least_area_px, least_marker_px, touches_border
from antema.analysis.runs import close_holes
from antema.analysis.seams import along_seams
from antema.analysis.uecs import Piece, convexity_and_solidity, necked_lobes, uecs
from antema.analysis.watershed import watershed
from antema.domain import Instance, Recipe

# A region of a higher solidity has no neck worth looking for.
_NECK_SOLIDITY = 0.98
# The least share of a region with too many holes that its particles cover, for it to be a layer of them and no network.
_LAYER_SHARE = 0.75
# Holes of fewer pixels are no gaps between the particles of a layer.
_PINHOLE_PX = 4
# A gap deeper inside a piece of a layer than this share of its inradius says that it is several particles.
_CORE = 0.5
# Of a particle so much may lie under a label and it is measured all the same: 0.5 % of its diameter.
_GRAZED = 0.01


@dataclass(frozen=True, eq=False)
class ProbabilityMap:
    """A whole image's probability that a pixel is particle, and the level at which particles end.

    Parameters
    ----------
    values : ndarray, shape (h, w)
        Probabilities; what is not a number counts as background.
    threshold : float
        Level of the outline.
    """

    values: NDArray[np.floating]
    threshold: float

    def __post_init__(self) -> None:
        """Take any kind of floating-point numbers: compiled loops know none of half precision or foreign byte order."""
        values = self.values.astype(np.float64 if self.values.dtype.itemsize > 4 else np.float32, copy=False)
        if not np.isfinite(values).all():
            values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
        object.__setattr__(self, "values", values)

    def around(self, x: int, y: int, mask: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Return the values in a mask's bounding box and `MARGIN_PX` more on every side, 0 outside the image."""
        h, w = mask.shape
        result = np.zeros((h + 2 * MARGIN_PX, w + 2 * MARGIN_PX), dtype=self.values.dtype)
        top, left = max(y - MARGIN_PX, 0), max(x - MARGIN_PX, 0)
        part = self.values[top : y + h + MARGIN_PX, left : x + w + MARGIN_PX]
        result[top - y + MARGIN_PX :, left - x + MARGIN_PX :][: part.shape[0], : part.shape[1]] = part
        return result


@dataclass(frozen=True, eq=False)
class Detected:
    """A detected object with its outline where that is already known.

    Parameters
    ----------
    instance : Instance
        Its mask and status.
    polygon : ndarray, shape (n, 2), or None
        Its outline in pixels of the image, as `antema.analysis.outline.outline` gives it.
    inferred_fraction : float
        Share of its outline that lies under other particles and was inferred.
    confidence : float
        How sure a network is of its outline, 0 to 1; NaN where none was asked.
    """

    instance: Instance
    polygon: Polygon | None = None
    inferred_fraction: float = 0.0
    confidence: float = math.nan


def image_outline(x: int, y: int, mask: NDArray[np.bool_], probability: ProbabilityMap | None) -> Polygon:
    """Return the outline, in pixels of the image, of a mask whose bounding box begins at `x`, `y`."""
    if probability is None:
        return outline(mask) + (x, y)
    return outline(mask, probability.around(x, y, mask), probability.threshold) + (x, y)


def separate(
    regions: list[Region],
    shape: tuple[int, int],
    pixel_size_nm: float,
    recipe: Recipe,
    probability: ProbabilityMap | None = None,
    contact: NDArray[np.floating] | None = None,
) -> list[Detected]:
    """Turn regions into detected objects.

    A region whose convexity is above the recipe's threshold is one particle. The others are separated as the recipe
    says; what comes out and is not convex, and a region out of which nothing comes, is dropped as ``not_separable``.
    Every region gives at least one object. In the ``contour`` convention UECS takes a region above the threshold
    apart too where it has a clear neck: two overlapping discs are above it from an overlap of a fifth of their
    diameter on. There a region with more holes than allowed is taken apart too, whose convex pieces make up most of it:
    a dense layer, whose holes are the gaps between its particles. ``arcs`` judges every region by its outline's notches
    instead, whatever its convexity; the threshold only says which of those that it cannot explain is dropped.
    ``network`` cuts regions of any convexity along the seams of `contact`; pieces that are not convex then, and regions
    without a seam, are left to UECS.

    Parameters
    ----------
    regions : list of Region
        From `antema.analysis.clean`.
    shape : (int, int)
        Height and width of the image.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        Separation, convention and their parameters.
    probability : ProbabilityMap, optional
        Map that outlines are drawn on.
    contact : ndarray, shape (h, w), optional
        Probability that a pixel lies on the seam between two particles; without it ``network`` is UECS.

    Returns
    -------
    list of Detected
        In the order of the regions.
    """
    if recipe.convention == "antema":
        return [Detected(instance) for instance in antema_objects(regions, shape, pixel_size_nm, recipe)]
    separator = _Separator(
        shape,
        recipe,
        probability,
        contact,
        least_area_px(recipe, pixel_size_nm),
        least_marker_px(recipe, pixel_size_nm),
    )
    return [detected for region in regions for detected in separator.objects_of(region)]


def of_proposals(
    proposals: ProposedParticles,
    offsets: Sequence[tuple[float, NDArray[np.float32]]],
    foreground: NDArray[np.bool_],
    pixel_size_nm: float,
    recipe: Recipe,
    contact: NDArray[np.floating] | None = None,
) -> list[Detected]:
    """Turn what a network proposes into detected objects.

    What of the foreground belongs to no proposal is an object too: ``unresolved`` where it hangs on particles or is not
    convex, a particle like others where it lies apart and is convex.

    Parameters
    ----------
    proposals, offsets
        See `antema.analysis.proposed.proposed_particles`.
    foreground : ndarray of bool, shape (h, w)
        Whether a pixel is particle.
    pixel_size_nm : float
        Edge of a pixel in nm.
    recipe : Recipe
        ``min_diameter_nm``, ``min_area_px``, ``drop_border``, ``convexity_threshold`` and ``least_seen`` are used.
    contact : ndarray, shape (h, w), optional
        Probability that a pixel lies on the seam between two particles.
    """
    least = least_area_px(recipe, pixel_size_nm)
    result: list[Detected] = []
    for one in proposed_particles(proposals, offsets, foreground, least_area_px=least, contact=contact):
        mask = close_holes(one.mask, math.inf)[1]
        reason = ""
        if np.count_nonzero(mask) < least:
            reason = "too_small"
        elif recipe.drop_border and touches_border((one.x, one.y), mask.shape, foreground.shape):
            reason = "touches_border"
        elif one.is_clump or (one.confidence == 0 and mask_convexity(mask) < recipe.convexity_threshold):
            reason = "unresolved"
        elif 1 - one.inferred_fraction < recipe.least_seen:
            reason = "mostly_hidden"
        status = "dropped" if reason else "measured"
        instance = Instance(one.x, one.y, mask, status, reason, separated=one.has_neighbours)
        result.append(Detected(instance, inferred_fraction=one.inferred_fraction, confidence=one.confidence))
    return result


def without_covered(found: list[Detected], covered: NDArray[np.bool_]) -> list[Detected]:
    """Drop, as ``in_annotation``, the measured objects of which something burned into the image hides a part.

    A particle that a label only grazes is kept: less than a hundredth of its area is missing (see `_hidden_share`).

    Parameters
    ----------
    found : list of Detected
        From `separate`.
    covered : ndarray of bool, shape (h, w)
        Where the image is covered.
    """

    def checked(detected: Detected) -> Detected:
        instance = detected.instance
        if instance.status != "measured" or _hidden_share(instance, covered) < _GRAZED:
            return detected
        return replace(detected, instance=replace(instance, status="dropped", drop_reason="in_annotation"))

    return [checked(detected) for detected in found]


def _hidden_share(instance: Instance, covered: NDArray[np.bool_]) -> float:
    """Return what share of a particle's area is hidden, as far as its visible part tells.

    Hidden are covered pixels of its convex hull, and the segment beyond a straight cut: of a disc of diameter d a chord
    c takes about 2 / (3 pi) (c / d)^3 of the area. Covered pixels inside the particle's outline hide nothing of it.
    """
    top, left = max(instance.y - 1, 0), max(instance.x - 1, 0)
    around = covered[top : instance.y + instance.h + 1, left : instance.x + instance.w + 1]
    if not around.any():
        return 0.0
    mask = np.zeros(around.shape, np.bool_)
    mask[instance.y - top :, instance.x - left :][: instance.h, : instance.w] = instance.mask
    area = np.count_nonzero(mask)
    in_hull = np.count_nonzero(hull_image(mask) & around & ~mask) / area
    edge_rows, edge_columns = np.nonzero(dilated(around & ~mask, SQUARE_3) & mask)
    if not len(edge_rows):
        return in_hull
    chord_px = math.hypot(np.ptp(edge_rows) + 1, np.ptp(edge_columns) + 1)
    return in_hull + 2 / (3 * math.pi) * min(chord_px / math.sqrt(4 / math.pi * area), 1.0) ** 3


@dataclass(frozen=True, eq=False)
class _Separator:
    """What the separation of every region of an image needs."""

    shape: tuple[int, int]
    recipe: Recipe
    probability: ProbabilityMap | None
    contact: NDArray[np.floating] | None
    least_px: int
    least_marker_px: int

    @property
    def erodes(self) -> bool:
        """Whether what is not convex is left to UECS."""
        return self.recipe.separation in ("uecs", "network")

    def objects_of(self, region: Region) -> list[Detected]:
        """Return the objects of one region, at least one."""
        at_border = "touches_border" if region.touches_border and self.recipe.drop_border else ""
        if region.reason == "too_many_holes":
            # said at the border too, for it is why nothing in it was measured, and can be allowed
            return self._layer(region) or [_whole(region, region.reason)]
        if region.reason:
            return [_whole(region, at_border or region.reason)]
        polygon = image_outline(region.x, region.y, region.filled, self.probability)
        convexity, solidity = convexity_and_solidity(polygon)
        threshold = self.recipe.convexity_threshold
        if self.recipe.separation == "none":
            return [_whole(region, at_border, polygon)]
        if self.recipe.separation == "arcs":
            return self._arcs(region, polygon, at_border)
        # a patch of touching particles is convex once the gaps between them are filled
        has_neck = solidity < _NECK_SOLIDITY or region.has_holes
        if self.recipe.separation == "network":
            looks_single = convexity > threshold and not has_neck
            if found := self._along_seams(region, looks_single=looks_single):
                return found
        if convexity > threshold:
            lobes = self._lobes(region) if self.erodes and has_neck else []
            return lobes or [_whole(region, at_border, polygon)]
        if convexity < self.recipe.convexity_lower_bound:
            return [_whole(region, at_border or "convexity_too_low", polygon)]
        if self.recipe.separation == "watershed":
            pieces = watershed(self._solid(region), depth_px=self.recipe.watershed_depth_px)
            if len(pieces) == 1:
                return [_whole(region, at_border, polygon)]
            return [self._piece(region, piece, separated=True) for piece in pieces]
        return self._uecs(region) or [_whole(region, at_border or "not_separable", polygon)]

    def _arcs(self, region: Region, polygon: Polygon, at_border: str) -> list[Detected]:
        """Return the particles of a region, or the region itself with a reason where it is not convex."""
        pieces, unexplained = arcs(self._solid(region), polygon - (region.x, region.y))
        if pieces:
            return [self._piece(region, piece, separated=True) for piece in pieces]
        convexity = convexity_and_solidity(polygon)[0]
        if not unexplained or convexity > self.recipe.convexity_threshold:
            return [_whole(region, at_border, polygon)]
        tangled = convexity < self.recipe.convexity_lower_bound
        return [_whole(region, at_border or ("convexity_too_low" if tangled else "not_separable"), polygon)]

    def _uecs(self, region: Region) -> list[Detected]:
        solid = self._solid(region)
        pieces = uecs(solid, convexity_threshold=self.recipe.convexity_threshold, least_marker_px=self.least_marker_px)
        if not pieces:
            return self._lobes(region)
        pieces, rest = self._with_corners(region, pieces, _left_over(solid, pieces, self.least_px))
        separated = len(pieces) + len(rest) > 1
        found = [self._piece(region, piece, separated=separated) for piece in pieces]
        if all(detected.instance.drop_reason == "not_separable" for detected in found):
            found = self._lobes(region) or found
            if len(found) != len(pieces):
                return found
        return found + [self._piece(region, piece, separated=separated, reason="not_separable") for piece in rest]

    def _with_corners(self, region: Region, pieces: list[Piece], rest: list[Piece]) -> tuple[list[Piece], list[Piece]]:
        """Return `pieces` with the corners that they lack at the image's edge, and what is left of `rest`.

        Erosion and growth round off the corner between an outline and the edge; alone it would pass for a particle.
        """
        kept: list[Piece] = []
        pieces = list(pieces)
        for x, y, mask in rest:
            if not touches_border((region.x + x, region.y + y), mask.shape, self.shape):
                kept.append((x, y, mask))
                continue
            whole = np.zeros(region.mask.shape, np.bool_)
            whole[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
            around = dilated(whole, SQUARE_3)
            common = [
                np.count_nonzero(around[py : py + m.shape[0], px : px + m.shape[1]] & m)
                if touches_border((region.x + px, region.y + py), m.shape, self.shape)
                else 0
                for px, py, m in pieces
            ]
            if not any(common):
                kept.append((x, y, mask))
                continue
            nearest = common.index(max(common))
            px, py, m = pieces[nearest]
            whole[py : py + m.shape[0], px : px + m.shape[1]] |= m
            pieces[nearest] = parts_of(whole)[0]
        return pieces, kept

    def _layer(self, region: Region) -> list[Detected]:
        """Return the particles of a dense layer, whose holes are gaps between them; none of a network or of dirt.

        A layer is a region that convex pieces make up most of; a piece with a gap inside is several particles.
        """
        if self.recipe.separation == "none":
            return []
        # the gaps between three particles that overlap a little are as small as holes that are closed elsewhere
        solid = close_holes(region.found, _PINHOLE_PX)[0]
        if self.recipe.separation == "watershed":
            return self._in_layer(region, solid, watershed(solid, depth_px=self.recipe.watershed_depth_px))
        if self.recipe.separation == "arcs":
            found = self._in_layer(region, solid, arcs(solid, outline(region.filled))[0])
            if found:
                return found
            # a layer too tangled, or too dense, for its outlines to say much still erodes
        if self.recipe.separation == "network":
            found = self._in_layer(region, solid, self._between_seams(region, solid))
            if found:
                return found
        threshold = self.recipe.convexity_threshold
        pieces = uecs(solid, convexity_threshold=threshold, least_marker_px=self.least_marker_px)
        return self._in_layer(region, solid, pieces)

    def _in_layer(self, region: Region, solid: NDArray[np.bool_], pieces: list[Piece]) -> list[Detected]:
        """Return the pieces of a dense layer and what they leave; none where they do not make a layer."""
        covered = np.zeros_like(solid)
        found: list[Detected] = []
        for piece in pieces:
            detected = self._piece(region, piece, separated=True)
            x, y, mask = piece
            box = slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])
            depths = depth(close_holes(mask, math.inf)[1])
            if (~region.found[box] & (depths > _CORE * depths.max())).any():
                reason = detected.instance.drop_reason or "not_separable"
                detected = replace(detected, instance=replace(detected.instance, status="dropped", drop_reason=reason))
            elif detected.polygon is not None and _is_convex(detected.polygon, self.recipe):
                covered[box] |= mask
            found.append(detected)
        if np.count_nonzero(covered) < _LAYER_SHARE * np.count_nonzero(solid):
            return []
        rest = _left_over(solid, pieces, self.least_px)
        return found + [self._piece(region, piece, separated=True, reason="not_separable") for piece in rest]

    def _along_seams(self, region: Region, *, looks_single: bool) -> list[Detected]:
        """Return the particles of a region that the network sees seams in; none where it sees none."""
        solid = self._solid(region)
        pieces = self._between_seams(region, solid, looks_single=looks_single)
        rest = _left_over(solid, pieces, self.least_px) if pieces else []
        found = [self._piece(region, piece, separated=True) for piece in pieces]
        return found + [self._piece(region, piece, separated=True, reason="not_separable") for piece in rest]

    def _between_seams(self, region: Region, solid: NDArray[np.bool_], *, looks_single: bool = False) -> list[Piece]:
        if self.contact is None:
            return []
        h, w = solid.shape
        return along_seams(
            solid,
            self.contact[region.y : region.y + h, region.x : region.x + w],
            convexity_threshold=self.recipe.convexity_threshold,
            least_marker_px=self.least_marker_px,
            looks_single=looks_single,
        )

    def _lobes(self, region: Region) -> list[Detected]:
        """Return the lobes of a region with necks; none unless they are convex and together all of it."""
        solid = self._solid(region)
        pieces = necked_lobes(solid, least_marker_px=self.least_marker_px)
        if len(pieces) < 2 or _left_over(solid, pieces, self.least_px):
            return []
        found = [self._piece(region, piece, separated=True) for piece in pieces]
        good = all(detected.instance.drop_reason in ("", "touches_border") for detected in found)
        return found if good else []

    def _solid(self, region: Region) -> NDArray[np.bool_]:
        """Return the region without pinholes, which would tear it apart; large holes stay: a ring is no disc."""
        return close_holes(region.mask, self.least_px)[0]

    def _piece(self, region: Region, piece: Piece, *, separated: bool, reason: str = "") -> Detected:
        x, y, mask = region.x + piece[0], region.y + piece[1], close_holes(piece[2], np.inf)[1]
        polygon = image_outline(x, y, mask, self.probability)
        if self.recipe.drop_border and touches_border((x, y), mask.shape, self.shape):
            reason = "touches_border"
        elif np.count_nonzero(mask) < self.least_px:
            reason = "too_small"
        elif self.erodes:
            reason = reason if _is_convex(polygon, self.recipe) else "not_separable"
        return Detected(_instance(x, y, mask, reason, separated=separated), polygon)


def _is_convex(polygon: Polygon, recipe: Recipe) -> bool:
    return convexity_and_solidity(polygon)[0] > recipe.convexity_threshold


def _whole(region: Region, reason: str, polygon: Polygon | None = None) -> Detected:
    return Detected(_instance(region.x, region.y, region.filled, reason, separated=False), polygon)


def _instance(x: int, y: int, mask: NDArray[np.bool_], reason: str, *, separated: bool) -> Instance:
    return Instance(x, y, mask, "dropped" if reason else "measured", reason, separated)


def _left_over(region: NDArray[np.bool_], pieces: list[Piece], least_px: int) -> list[Piece]:
    """Return what no piece covers, as far as a smallest particle would fit into it: slivers between discs do not."""
    uncovered = region.copy()
    for x, y, mask in pieces:
        uncovered[y : y + mask.shape[0], x : x + mask.shape[1]] &= ~mask
    return [
        (x, y, mask)
        for x, y, mask in parts_of(uncovered)
        if np.count_nonzero(mask) >= least_px and np.pi * float(depth(mask).max()) ** 2 >= least_px
    ]
