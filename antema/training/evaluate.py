"""How good segmentation models are, against instance maps."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from antema.analysis import Segmenter
from antema.domain import AntemaError, PixelSize, Recipe
from antema.imaging import contents_safely, find_annotations, read_safely
from antema.training.baselines import segmenter_named
from antema.training.cases import DEFAULT_RULES, Case, Rules, at_half_contrast, found_in, truth_of
from antema.training.overlays import WorstImages
from antema.training.reliability import write_reliability_diagram
from antema.training.scoring import Scores, groups, reliability_of, scores_of, summary, trust_of
from antema.training.sources import paired, true_instances


def evaluate_segmentation(
    images_dir: Path,
    instances_dir: Path,
    out_json: Path,
    *,
    model: str | Sequence[str] = "default",
    pixel_size_nm: float | None = None,
    recipe: Recipe | None = None,
    overlays_dir: Path | None = None,
    rules: Rules = DEFAULT_RULES,
    half_contrast: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """Compare models with instance maps, write the result as JSON and return it.

    Parameters
    ----------
    images_dir, instances_dir : Path
        Images and instance maps (0 = background; further pages where instances overlap) of the same names.
    out_json : Path
        Where the result goes.
    model : str or sequence of str
        A model's name, ``classical`` for the difference-of-Gaussians filter or ``bragg`` for Bragg filtering; several
        are compared on the same images.
    pixel_size_nm : float or None
        Edge of a pixel; None: the file's own, 1 where it has none.
    recipe : Recipe or None
        How particles are made of the map; None: the defaults.
    overlays_dir : Path or None
        Folder for pictures of the ten worst images and the reliability diagram; of several models a folder each.
    rules : Rules
        What of an image counts.
    half_contrast : bool
        Whether what was found is compared with labels moved to the half-contrast level of their picture, too.
    progress : callable or None
        Called with (done, all) after each image.

    Returns
    -------
    dict or list of dict
        The `evaluation` of the model, or one for each of a sequence of names. ``failed`` says which images could not
        be read, a sentence each; they count for nothing.

    Raises
    ------
    NotFound
        For a model that is not installed.
    AntemaError
        Where there is no image, an image has no map, or none could be read.
    """
    names = [model] if isinstance(model, str) else list(model)
    segmenters = [segmenter_named(name) for name in names]
    pairs = paired(Path(images_dir), Path(instances_dir))
    failed: list[str] = []

    def cases() -> Iterator[Case]:
        for number, (image, truth) in enumerate(pairs, start=1):
            try:
                yield read_case(image, truth, pixel_size_nm)
            except AntemaError as error:
                failed.append(str(error))
            if progress:
                progress(number, len(pairs))

    results = evaluations(
        cases(), segmenters, recipe=recipe, overlays_dir=overlays_dir, rules=rules, half_contrast=half_contrast
    )
    if len(failed) == len(pairs):
        msg = f"expected images that can be compared with their instance maps, found none: {failed[0]}"
        raise AntemaError(msg)
    content = plain([{**result, "failed": failed} for result in results])
    content = content[0] if isinstance(model, str) else content
    Path(out_json).parent.mkdir(parents=True, exist_ok=True)
    Path(out_json).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")
    return content


def evaluations(
    cases: Iterable[Case],
    segmenters: Sequence[Segmenter],
    *,
    recipe: Recipe | None = None,
    overlays_dir: Path | None = None,
    rules: Rules = DEFAULT_RULES,
    half_contrast: bool = False,
) -> list[dict[str, Any]]:
    """Return the `evaluation` of each segmenter on the same cases, which are taken one after the other.

    Parameters
    ----------
    cases : iterable of Case
        Micrographs with their truth.
    segmenters : sequence of Segmenter
        From `segmenter_named`.
    recipe : Recipe or None
        How particles are made of the map; None: the defaults.
    overlays_dir, rules, half_contrast
        As in `evaluate_segmentation`.
    """
    recipe = recipe or Recipe()
    scores: list[list[Scores]] = [[] for _ in segmenters]
    moved_scores: list[list[Scores]] = [[] for _ in segmenters]
    worst = [WorstImages() for _ in segmenters]
    for case in cases:
        truth = truth_of(case)
        moved = truth_of(at_half_contrast(case)) if half_contrast else None
        for k, segmenter in enumerate(segmenters):
            found = found_in(case, segmenter, recipe)
            scores[k].append(scores_of(truth, found, rules))
            if moved is not None:
                moved_scores[k].append(scores_of(moved, found, rules))
            if overlays_dir is not None:
                numbers = summary(scores[k][-1:])
                ranked = numbers["instance"]["f1_50"]
                words = overlay_words(segmenter.name, numbers)
                name = case.micrograph.name
                worst[k].offer(ranked, name, words, case.micrograph.pixels, case.instances, found.instances)
    results = [evaluation(segmenter, kept) for segmenter, kept in zip(segmenters, scores, strict=True)]
    if half_contrast:
        results = [{**each, "half_contrast": summary(kept)} for each, kept in zip(results, moved_scores, strict=True)]
    if overlays_dir is not None:
        _write_pictures(overlays_dir, results, worst)
    return results


def evaluation(segmenter: Segmenter, scores: Sequence[Scores]) -> dict[str, Any]:
    """Return what the scores of images say of a segmenter; fractions, not per cent, and NaN where one cannot be formed.

    ``pixel`` is over all pixels of all images together, ``dice_outside_band`` over those that are not near a true
    outline (see `Rules`); ``classes`` has class accuracies and the confusion matrix (rows true, columns found,
    background first, in pixels); ``instance`` has average precision at IoU 0.5, 0.75, 0.9
    of particles ranked by their mean probability, and F1 at 0.5. ``count_error`` is the sum over images of the
    absolute difference of counts, over the true count. ``diameter_bias_mean`` and ``diameter_bias_median`` are the
    relative errors of mean and median equivalent diameter of the particles that don't touch the border,
    ``diameter_bias_matched`` is the mean relative error of those found at IoU 0.5; of these are ``outline_bias_px``
    (positive: found outlines lie outside the true ones) and ``outline_distance_px``. Intervals are at 95 %, from whole
    images. ``by_contrast_to_noise`` and ``by_diameter_px`` have all that for the particles of each bin (see
    `Scores.restricted`). ``f1_uncut``, at IoU 0.5, ``n_found_uncut``, ``n_true_uncut`` and ``diameter_median_error``,
    the median relative error of matched ones, are of particles that neither the border nor something burned in cuts.
    ``clumps`` tells of what was given up as ``unresolved`` (its share of the area of all that was found) and of lumps,
    found particles that hold most of several true ones (their share of the area of those that nothing cuts).
    ``outline_confidence`` is the `confidence_calibration`, ``trust`` the `trust_report`, ``calibration`` that of the
    pixels' probabilities.
    """
    return {
        "model": segmenter.name,
        "model_sha256": segmenter.sha256 or None,
        "threshold": float(segmenter.threshold),
        "images": len(scores),
        **summary(scores),
        "seconds_per_image": float(np.median([s.seconds for s in scores])) if scores else float("nan"),
        "calibration": reliability_of(scores),
        "trust": trust_of(scores),
        "by_contrast_to_noise": groups(scores, "contrast"),
        "by_diameter_px": groups(scores, "diameter_px"),
        "per_image": [_of_image(s) for s in scores],
    }


def read_case(image: Path, instances: Path, pixel_size_nm: float | None = None) -> Case:
    """Return an image with the particles of its instance map, both read as strangers' files are.

    Raises
    ------
    AntemaError
        For a file that cannot be read, and for a map of another size than the image.
    """
    micrograph = read_safely(image)
    if pixel_size_nm is not None or not micrograph.pixel_size.is_known:
        micrograph = micrograph.with_pixel_size(PixelSize(pixel_size_nm or 1.0, "command line"))
    pages = [read_safely(instances, data=entry.index).pixels for entry in contents_safely(instances)]
    for page in pages:
        if page.shape != micrograph.shape or page.dtype.kind not in "iu":
            expected = f"whole numbers on {micrograph.shape[1]} x {micrograph.shape[0]} px as {image.name} has them"
            msg = f"{instances.name}: expected {expected}, found {page.dtype} {page.shape[1]} x {page.shape[0]} px"
            raise AntemaError(msg)
    return Case(micrograph, true_instances(np.stack(pages)), find_annotations(micrograph.pixels))


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """Return `value` as JSON has it: None for what is not a finite number."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _of_image(score: Scores) -> dict[str, Any]:
    contrast = score.true.contrast[np.isfinite(score.true.contrast)]
    return {
        "image": score.name,
        **summary([score]),
        "contrast_to_noise": float(np.median(contrast)) if contrast.size else float("nan"),
        "trust_score": float("nan") if score.trust is None else score.trust.score,
        "seconds": score.seconds,
    }


def overlay_words(model: str, numbers: dict[str, Any]) -> str:
    """Return a line on how well an image was segmented, from its `summary`."""
    outline = numbers["outline_bias_px"]
    wrong = math.isfinite(outline) and abs(outline) >= 0.05
    side = f", outlines {abs(outline):.1f} px too {'wide' if outline > 0 else 'narrow'}" if wrong else ""
    return (
        f"{model}: F1 {numbers['instance']['f1_50']:.2f}, Dice {numbers['pixel']['dice_particle']:.2f}, "
        f"{numbers['n_found']} found, {numbers['n_true']} true{side}"
    )


def _write_pictures(folder: Path, results: Sequence[dict[str, Any]], worst: Sequence[WorstImages]) -> None:
    for result, pictures in zip(results, worst, strict=True):
        pictures.write(folder / result["model"] if len(results) > 1 else folder)
    calibrated = [(result["model"], result["calibration"]) for result in results if result["calibration"]]
    if calibrated:
        folder.mkdir(parents=True, exist_ok=True)
        write_reliability_diagram(calibrated, folder / "reliability.png")
