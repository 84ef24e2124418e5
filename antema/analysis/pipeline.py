"""From a micrograph, or a mask, to the particle table."""

# pyright: reportMissingTypeStubs=false
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from antema.analysis.classification import NO_MODEL, Classifier, classify_rows, identity, load_classifier
from antema.analysis.descriptors import describe
from antema.analysis.instance_maps import MOST_INSTANCES, numbered_instances
from antema.analysis.level_diameters import level_diameters
from antema.analysis.measures import Measures
from antema.analysis.morphology import largest_component, tight
from antema.analysis.proposed import ProposedParticles
from antema.analysis.regions import clean, least_area_px, touches_border
from antema.analysis.runs import close_holes
from antema.analysis.segmentation import Progress, Segmentation, Segmenter, segment
from antema.analysis.separation import Detected, ProbabilityMap, of_proposals, separate, without_covered
from antema.analysis.table import measure_detected, outlined, particle_table
from antema.domain import (
    Annotations,
    AntemaError,
    CannotAnalyse,
    Instance,
    Micrograph,
    NoScale,
    PixelSize,
    Recipe,
    Trust,
)
from antema.nets.classified import EvidenceMap

LEAST_SIDE_PX = 32
_ALL_PARTICLE_SHARE = 0.95
# of an image's progress where its particles are classified, too
_SEGMENTATION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Analysis:
    """One micrograph analysed.

    Parameters
    ----------
    name, sha256 : str
        The micrograph's file name and digest.
    pixel_size : PixelSize
        Edge of a pixel and where it came from.
    recipe : Recipe
        What was done.
    model : dict
        ``name``, ``sha256`` and ``threshold`` of the segmentation model; empty for a mask of the user's own.
    table : DataFrame
        One row for every detected object, columns `antema.domain.PARTICLE_COLUMNS`.
    instances : list of Instance
        The objects' masks, aligned with the table's rows.
    segmentation : ndarray of bool, shape (h, w)
        The map above its threshold, before any cleaning.
    seconds : dict
        Time of each step.
    notes : list of str
        What a reader of the result should know, in plain sentences.
    trust : Trust or None
        Whether the micrograph is of the kind that the model knows; None where that is not told.
    polarity : str
        ``dark`` or ``bright``: what the particles were taken to be on their ground; empty for a mask.
    scales : tuple of float
        Scales at which the model saw the micrograph, finest first: 1 for its own pixels; empty for a mask.
    crystallinity_model : dict
        ``name`` and ``sha256`` of the model that classified the particles; empty where none did.
    evidence : list of EvidenceMap or None
        Where that model saw it, aligned with the table's rows; empty where none did.
    maps : ndarray of uint8, shape (h, w) or (h, w, 3), or None
        What the segmentation model said, in 255ths: the probability of particle that outlines are drawn on; of a
        network that tells particles one by one also those of a seam between particles, and of particle by the other
        definition of an outline. None for a mask.
    level_diameters_nm : ndarray of float32, shape (n, 5), or None
        Equivalent diameters at other levels of the map, see `antema.analysis.level_diameters`, aligned with the table's
        rows; None without a map.
    """

    name: str
    sha256: str
    pixel_size: PixelSize
    recipe: Recipe
    model: dict[str, Any]
    table: pd.DataFrame
    instances: list[Instance]
    segmentation: NDArray[np.bool_]
    seconds: dict[str, float]
    notes: list[str]
    trust: Trust | None = None
    polarity: str = ""
    scales: tuple[float, ...] = ()
    crystallinity_model: dict[str, Any] = field(default_factory=dict[str, Any])
    evidence: list[EvidenceMap | None] = field(default_factory=list[EvidenceMap | None])
    maps: NDArray[np.uint8] | None = None
    level_diameters_nm: NDArray[np.float32] | None = None


def analyse(
    micrograph: Micrograph,
    recipe: Recipe | None = None,
    *,
    segmenter: Segmenter | None = None,
    classifier: Classifier | None = None,
    annotations: Annotations | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Find, measure and classify the particles of a micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        With a pixel size.
    recipe : Recipe, optional
        What to do; the defaults are ANTEMA's.
    segmenter : Segmenter, optional
        The recipe's model unless given.
    classifier : Classifier, optional
        The recipe's crystallinity model unless given; not used where the recipe asks for no crystallinity.
    annotations : Annotations, optional
        What `antema.imaging.find_annotations` found in the micrograph, where that was asked before.
    progress : callable, optional
        Told the share that is done, from 0 to 1: of the segmentation, then of the classification.

    Returns
    -------
    Analysis

    Raises
    ------
    NoScale
        Where the pixel size is not known.
    CannotAnalyse
        For an image of one grey value, without a finite one, or smaller than 32 pixels.
    NotFound
        Where a model of the recipe is not installed; without a default one for crystallinity a note says so.
    """
    recipe = recipe or Recipe()
    _usable_pixel_size(micrograph)
    _check_pixels(micrograph)
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    from antema.nets import expected_polarity, load

    if segmenter is None:
        segmenter = load(recipe.model)
    if classifier is None:
        classifier = load_classifier(recipe)
    is_classified = recipe.crystallinity and classifier is not None
    seconds["model"] = time.perf_counter() - began

    began = time.perf_counter()
    segmentation = segment(
        micrograph.pixels,
        segmenter,
        polarity=recipe.polarity,
        expected=expected_polarity(micrograph.metadata),
        leave_out_annotations=recipe.leave_out_annotations,
        annotations=annotations,
        progress=_part(progress, 0.0, _SEGMENTATION_SHARE) if is_classified else progress,
    )
    seconds["segmentation"] = time.perf_counter() - began
    model = {"name": segmenter.name, "sha256": segmenter.sha256, "threshold": float(segmenter.threshold)}
    measured = analyse_segmentation(micrograph, segmentation, model, recipe, seconds)
    if not recipe.crystallinity:
        return measured
    if classifier is None:
        return replace(measured, notes=[*measured.notes, NO_MODEL])
    return _classified(measured, micrograph, classifier, _part(progress, _SEGMENTATION_SHARE, 1.0))


def analyse_segmentation(
    micrograph: Micrograph,
    segmentation: Segmentation,
    model: dict[str, Any],
    recipe: Recipe,
    seconds: Mapping[str, float] | None = None,
) -> Analysis:
    """Clean, separate and measure what a segmenter found in a micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        With a pixel size.
    segmentation : Segmentation
        From `segment`.
    model : dict
        ``name``, ``sha256`` and ``threshold`` of the segmenter; the recipe's threshold goes before it.
    recipe : Recipe
        What to do.
    seconds : mapping, optional
        Time of the steps before.

    Raises
    ------
    NoScale
        Where the pixel size is not known.
    """
    pixel_size_nm = _usable_pixel_size(micrograph)
    threshold = model["threshold"] if recipe.threshold is None else recipe.threshold
    times, notes = dict(seconds or {}), list(segmentation.notes)
    values, outline = _outlined_by(segmentation, recipe.outline)
    if outline not in ("", recipe.outline):
        notes.append(f"The model knows outlines by {outline} alone; {recipe.outline} was asked for.")
    foreground = values > threshold
    probability = ProbabilityMap(values, threshold)
    table, instances = _measured(
        foreground,
        probability,
        pixel_size_nm,
        recipe,
        micrograph.name,
        times,
        notes,
        pixels=micrograph.pixels,
        covered=segmentation.covered,
        contact=segmentation.contact,
        proposals=segmentation.proposals,
        offsets=segmentation.offsets,
        outline=outline,
    )
    return Analysis(
        name=micrograph.name,
        sha256=micrograph.sha256,
        pixel_size=micrograph.pixel_size,
        recipe=recipe,
        model={**model, "threshold": float(threshold)},
        table=table,
        instances=instances,
        segmentation=foreground,
        seconds=times,
        notes=notes,
        trust=segmentation.trust,
        polarity=segmentation.polarity,
        scales=segmentation.scales,
        maps=_maps(values, segmentation),
        level_diameters_nm=pixel_size_nm
        * level_diameters(
            instances, table["area_nm2"].to_numpy(float) / pixel_size_nm**2, probability.values, threshold
        ),
    )


def analyse_mask(
    mask: NDArray[np.generic],
    pixel_size: PixelSize,
    recipe: Recipe | None = None,
    *,
    probability: NDArray[np.floating] | None = None,
    contact: NDArray[np.floating] | None = None,
    pixels: NDArray[np.generic] | None = None,
    name: str = "mask",
    sha256: str = "",
) -> Analysis:
    """Separate and measure a mask of the user's own.

    Parameters
    ----------
    mask : ndarray, shape (h, w) or (pages, h, w)
        bool, or whole numbers with one value beside 0, (h, w): cleaned and separated by the recipe.
        Whole numbers with more values, or pages: instances, which are measured as they are and keep their numbers;
        of one in several pieces the largest is taken.
    pixel_size : PixelSize
        Edge of a pixel.
    recipe : Recipe, optional
        What to do; without a map of contacts the separation ``network`` is ``uecs``.
    probability : ndarray, shape (h, w), optional
        Map to draw the outlines on, at the recipe's threshold or else 0.5.
    contact : ndarray, shape (h, w), optional
        Probability of a seam between particles, for the separation ``network``.
    pixels : ndarray, shape (h, w), optional
        The micrograph's grey values, for the mean grey value and the contrast of each particle.
    name, sha256 : str
        Of the file that the mask came from.

    Raises
    ------
    NoScale
        Where the pixel size is not known.
    AntemaError
        For an array that is no mask.
    """
    recipe = recipe or Recipe()
    if recipe.separation == "network" and contact is None:
        recipe = replace(recipe, separation="uecs")  # no network has seen a mask
    if pixel_size.nm is None or not (math.isfinite(pixel_size.nm) and pixel_size.nm > 0):
        msg = f"{name}: expected a pixel size in nm above 0, found {pixel_size.nm} ({pixel_size.source})"
        raise NoScale(msg)
    shape = cast("tuple[int, int]", mask.shape[-2:])
    if (
        mask.dtype.kind not in "biu"
        or mask.ndim not in (2, 3)
        or 0 in mask.shape
        or (mask.dtype == bool and mask.ndim == 3)
    ):
        msg = (
            f"{name}: expected a binary mask (h, w) or instance numbers (h, w) or (pages, h, w), "
            f"found {mask.dtype} {mask.shape}"
        )
        raise AntemaError(msg)
    for given, what in ((probability, "a probability map"), (contact, "a map of contacts"), (pixels, "grey values")):
        if given is not None and given.shape != shape:
            msg = f"{name}: expected {what} of {shape}, found {given.shape}"
            raise AntemaError(msg)
    level = 0.5 if recipe.threshold is None else recipe.threshold
    surface = None if probability is None else ProbabilityMap(probability, level)
    seconds: dict[str, float] = {}
    notes: list[str] = []
    if mask.ndim == 2 and _is_binary(mask):
        foreground = mask != 0
        table, instances = _measured(
            foreground, surface, pixel_size.nm, recipe, name, seconds, notes, pixels=pixels, contact=contact
        )
    else:
        foreground = (mask != 0) if mask.ndim == 2 else (mask != 0).any(axis=0)
        began = time.perf_counter()
        given = _given_instances(cast("NDArray[np.integer]", mask), shape, pixel_size.nm, recipe)
        instances = list(given.values())
        found = [outlined(Detected(instance), recipe, surface) for instance in instances]
        measures = [measure_detected(detected, recipe, surface) for detected in found]
        descriptors = describe(found, measures, foreground, pixels=pixels, probability=surface)
        table = particle_table(
            instances, measures, descriptors, list(given), name=name, pixel_size_nm=pixel_size.nm, recipe=recipe
        )
        seconds["measuring"] = time.perf_counter() - began
    return Analysis(
        name=name,
        sha256=sha256,
        pixel_size=pixel_size,
        recipe=recipe,
        model={},
        table=table,
        instances=instances,
        segmentation=foreground,
        seconds=seconds,
        notes=notes,
    )


def measure(
    mask: NDArray[np.generic],
    pixel_size_nm: float,
    *,
    recipe: Recipe | None = None,
    probability: NDArray[np.floating] | None = None,
    pixels: NDArray[np.generic] | None = None,
    name: str = "mask",
) -> pd.DataFrame:
    """Return the particle table of a mask of the user's own; see `analyse_mask`.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:64, :64]
    >>> table = measure(np.hypot(x - 32, y - 32) < 20, 0.1)
    >>> float(table["equivalent_diameter_nm"].iloc[0].round(1))
    4.0
    """
    pixel_size = PixelSize(pixel_size_nm, "given")
    return analyse_mask(mask, pixel_size, recipe, probability=probability, pixels=pixels, name=name).table


def _measured(
    foreground: NDArray[np.bool_],
    probability: ProbabilityMap | None,
    pixel_size_nm: float,
    recipe: Recipe,
    name: str,
    seconds: dict[str, float],
    notes: list[str],
    *,
    pixels: NDArray[np.generic] | None,
    covered: NDArray[np.bool_] | None = None,
    contact: NDArray[np.floating] | None = None,
    proposals: ProposedParticles | None = None,
    offsets: Sequence[tuple[float, NDArray[np.float32]]] = (),
    outline: str = "",
) -> tuple[pd.DataFrame, list[Instance]]:
    """Clean, separate and measure a foreground; adds to `seconds` and `notes`."""
    shape = cast("tuple[int, int]", foreground.shape)
    began = time.perf_counter()
    if recipe.separation == "network" and proposals is not None:
        found = of_proposals(proposals, offsets, foreground, pixel_size_nm, recipe, contact)
    else:
        regions = clean(foreground, pixel_size_nm, recipe)
        seconds["cleaning"] = time.perf_counter() - began
        began = time.perf_counter()
        if recipe.separation == "network" and contact is None:
            notes.append("The model tells of no seams between particles: they were separated by UECS instead.")
        found = separate(regions, shape, pixel_size_nm, recipe, probability, contact)
    if covered is not None and covered.any():
        found = without_covered(found, covered)
    seconds["separation"] = time.perf_counter() - began

    began = time.perf_counter()
    if len(found) > MOST_INSTANCES:
        # Only noise falls into so many pieces, and 16 bits cannot number more.
        found.sort(key=lambda detected: -detected.instance.area_px)
        notes.append(
            f"The segmentation fell into {len(found)} pieces; "
            f"the {len(found) - MOST_INSTANCES} smallest are not in the table."
        )
        found = found[:MOST_INSTANCES]
    found = [outlined(detected, recipe, probability) for detected in found]
    rows = [(detected, measure_detected(detected, recipe, probability)) for detected in found]
    rows.sort(key=_reading_order)
    found, measures = [detected for detected, _ in rows], [measures for _, measures in rows]
    instances = [detected.instance for detected in found]
    no_background = foreground if covered is None else foreground | covered
    table = particle_table(
        instances,
        measures,
        describe(found, measures, no_background, pixels=pixels, probability=probability),
        list(range(1, len(rows) + 1)),
        name=name,
        pixel_size_nm=pixel_size_nm,
        recipe=recipe,
        outline=outline,
    )
    seconds["measuring"] = time.perf_counter() - began
    if not rows:
        notes.append("No particle was found.")
    share = float(foreground.mean())
    if share > _ALL_PARTICLE_SHARE:
        notes.append(f"The image seems to be all particle: {100 * share:.0f} % of it is foreground.")
    return table, instances


def _classified(
    analysis: Analysis, micrograph: Micrograph, classifier: Classifier, progress: Progress | None
) -> Analysis:
    """Return an analysis with the crystallinity of its measured particles."""
    began = time.perf_counter()
    table, evidence = classify_rows(
        analysis.table,
        analysis.instances,
        micrograph.pixels,
        _usable_pixel_size(micrograph),
        classifier,
        progress=progress,
    )
    seconds = {**analysis.seconds, "crystallinity": time.perf_counter() - began}
    return replace(analysis, table=table, evidence=evidence, crystallinity_model=identity(classifier), seconds=seconds)


def _outlined_by(segmentation: Segmentation, asked: str) -> tuple[NDArray[np.float32], str]:
    """Return the map of the definition of an outline that is asked for, or else the one there is, and its name."""
    if asked == "atoms" and segmentation.outline == "visible" and segmentation.atoms is not None:
        return segmentation.atoms, "atoms"
    return segmentation.probability, segmentation.outline


def _maps(values: NDArray[np.float32], segmentation: Segmentation) -> NDArray[np.uint8]:
    """Return what a segmenter said, in 255ths, as `Analysis.maps` has it."""
    if segmentation.atoms is None or segmentation.contact is None:
        return _in_255ths(values)
    other = segmentation.probability if values is segmentation.atoms else segmentation.atoms
    return np.stack([_in_255ths(each) for each in (values, segmentation.contact, other)], axis=-1)


def _in_255ths(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    scaled = np.nan_to_num(values)
    np.clip(scaled, 0, 1, out=scaled)
    scaled *= 255
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _part(progress: Progress | None, begin: float, end: float) -> Progress | None:
    """Return what tells `progress` of a part of the work."""
    return None if progress is None else lambda share: progress(begin + (end - begin) * share)


def _reading_order(row: tuple[Detected, Measures]) -> tuple[float, float, int, int]:
    detected, measures = row
    return measures.centroid[1], measures.centroid[0], detected.instance.y, detected.instance.x


def _given_instances(
    mask: NDArray[np.integer], shape: tuple[int, int], pixel_size_nm: float, recipe: Recipe
) -> dict[int, Instance]:
    least = least_area_px(recipe, pixel_size_nm)
    result: dict[int, Instance] = {}
    for number, given in numbered_instances(mask).items():
        x, y, part = tight(largest_component(given.mask))
        filled = close_holes(part, np.inf)[1]
        corner = (given.x + x, given.y + y)
        if recipe.drop_border and touches_border(corner, filled.shape, shape):
            reason = "touches_border"
        elif np.count_nonzero(filled) < least:
            reason = "too_small"
        else:
            reason = ""
        result[number] = Instance(*corner, filled, "dropped" if reason else "measured", reason)
    return result


def _is_binary(mask: NDArray[np.generic]) -> bool:
    if mask.dtype == bool:
        return True
    values = mask[mask != 0]
    return values.size == 0 or bool((values == values[0]).all())


def _usable_pixel_size(micrograph: Micrograph) -> float:
    nm = micrograph.pixel_size.nm
    if nm is None or not (math.isfinite(nm) and nm > 0):
        msg = f"{micrograph.name}: expected a pixel size in nm, found {micrograph.pixel_size.source}"
        raise NoScale(msg)
    return nm


def _check_pixels(micrograph: Micrograph) -> None:
    h, w = micrograph.shape
    if min(h, w) < LEAST_SIDE_PX:
        msg = f"{micrograph.name}: expected at least {LEAST_SIDE_PX} x {LEAST_SIDE_PX} pixels, found {w} x {h}"
        raise CannotAnalyse(msg)
    pixels = micrograph.pixels
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
    if finite.size == 0:
        msg = f"{micrograph.name}: expected grey values, found none that is finite"
        raise CannotAnalyse(msg)
    if finite.min() == finite.max():
        msg = f"{micrograph.name}: expected an image with contrast, found the one grey value {finite.min():g}"
        raise CannotAnalyse(msg)
