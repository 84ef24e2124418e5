"""How good a segmentation model is, against instance maps."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.analysis import Analysis, analyse_segmentation, segment
from antema.domain import Instance, PixelSize, Recipe
from antema.training.classical import classical_baseline
from antema.training.matching import Match, average_precision, f1, iou_matrix
from antema.training.sources import paired, read_pages

CLASSICAL = "classical"
"""Name under which `evaluate_segmentation` takes the classical filter for a model."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Classical:
    """The classical filter as a segmenter."""

    name: str = CLASSICAL
    sha256: str = ""
    threshold: float = 0.5

    def probability(self, pixels: NDArray[np.generic]) -> NDArray[np.float32]:
        return classical_baseline(pixels).astype(np.float32)


def evaluate_segmentation(
    images_dir: Path,
    instances_dir: Path,
    out_json: Path,
    *,
    model: str = "default",
    pixel_size_nm: float | None = None,
    recipe: Recipe | None = None,
    instances: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Compare a model with instance maps, write the result as JSON and return it.

    Parameters
    ----------
    images_dir, instances_dir : Path
        Images and instance maps (0 = background; further pages where instances overlap) of the same names.
    out_json : Path
        Where the result goes.
    model : str
        A model's name, or ``classical`` for the difference-of-Gaussians filter.
    pixel_size_nm : float or None
        Edge of a pixel; None: the file's own, 1 where it has none.
    recipe : Recipe or None
        How particles are made of the map; None: the defaults.
    instances : bool
        Whether particles are compared too, not pixels alone.
    progress : callable or None
        Called with (done, all) after each image.

    Returns
    -------
    dict
        ``pixel`` (over all pixels of all images together), ``instance`` (average precision at IoU 0.5, 0.75, 0.9 of
        particles ranked by their mean probability; F1 at 0.5), ``count_error`` (sum over images of the absolute
        difference of counts, over the true count), ``diameter_bias_mean`` and ``diameter_bias_median`` (relative
        error of mean and median equivalent diameter of the particles that don't touch the border), ``per_image``.
        Everything is a fraction; None where it cannot be formed.
    """
    from antema.imaging import read
    from antema.nets import load

    recipe = recipe or Recipe()
    segmenter = _Classical() if model == CLASSICAL else load(model)
    pairs = paired(Path(images_dir), Path(instances_dir))
    counts: list[NDArray[np.int64]] = []
    matches: list[Match] = []
    inner: list[tuple[list[float], list[float]]] = []
    per_image: list[dict[str, Any]] = []
    for number, (image, truth) in enumerate(pairs, start=1):
        micrograph = read(image)
        if pixel_size_nm is not None or not micrograph.pixel_size.is_known:
            micrograph = micrograph.with_pixel_size(PixelSize(pixel_size_nm or 1.0, "command line"))
        pages = read_pages(truth)
        segmentation = segment(micrograph.pixels, segmenter, leave_out_annotations=recipe.leave_out_annotations)
        probability = segmentation.probability
        threshold = segmenter.threshold if recipe.threshold is None else recipe.threshold
        counts.append(confusion(probability > threshold, np.asarray(pages.astype(bool).any(axis=0))))
        entry: dict[str, Any] = {"image": image.name, "pixel": pixel_metrics(counts[-1])}
        if instances:
            used = {"name": segmenter.name, "sha256": segmenter.sha256, "threshold": segmenter.threshold}
            found = _found(analyse_segmentation(micrograph, segmentation, used, recipe))
            true = true_instances(pages)
            match = matched(found, true, probability)
            matches.append(match)
            inner.append((_inner_diameters(found, probability.shape), _inner_diameters(true, probability.shape)))
            entry |= _instance_metrics([match], [inner[-1]])
            entry |= {"n_found": len(found), "n_true": len(true)}
        per_image.append(entry)
        if progress:
            progress(number, len(pairs))
    result = {
        "model": segmenter.name,
        "model_sha256": segmenter.sha256 or None,
        "images": len(pairs),
        "pixel": pixel_metrics(np.sum(counts, axis=0)),
        **_instance_metrics(matches, inner),
        "per_image": per_image,
    }
    result = _plain(result)
    Path(out_json).parent.mkdir(parents=True, exist_ok=True)
    Path(out_json).write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    return result


def confusion(found: Mask, true: Mask) -> NDArray[np.int64]:
    """Return the numbers of pixels: particle in both, only found, only true, in neither."""
    return np.array(
        [(found & true).sum(), (found & ~true).sum(), (~found & true).sum(), (~found & ~true).sum()], np.int64
    )


def pixel_metrics(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return accuracy, IoU and Dice of `confusion` counts."""
    both, wrong, missed, neither = counts.tolist()

    def ratio(part: float, whole: float) -> float:
        return part / whole if whole else float("nan")

    return {
        "accuracy": ratio(both + neither, sum(counts.tolist())),
        "iou_particle": ratio(both, both + wrong + missed),
        "iou_background": ratio(neither, neither + wrong + missed),
        "dice_particle": ratio(2 * both, 2 * both + wrong + missed),
        "dice_background": ratio(2 * neither, 2 * neither + wrong + missed),
    }


def true_instances(pages: NDArray[np.generic]) -> list[Instance]:
    """Return the instances of an instance map (pages, h, w)."""
    from scipy import ndimage

    result = []
    for page in pages.astype(np.int64):
        for value, window in enumerate(ndimage.find_objects(page), start=1):
            if window is not None:
                rows, columns = window
                result.append(Instance(columns.start, rows.start, page[window] == value))
    return result


def matched(found: Sequence[Instance], true: Sequence[Instance], probability: NDArray[np.float32]) -> Match:
    """Return how the found particles of an image lie on the true ones; a score is the mean probability in the mask."""
    scores = [probability[i.y : i.y + i.h, i.x : i.x + i.w][i.mask].mean() for i in found]
    return Match(
        iou_matrix(found, true),
        np.array(scores, float),
        np.array([i.area_px for i in found], float),
        np.array([i.area_px for i in true], float),
    )


def _found(analysis: Analysis) -> list[Instance]:
    # truth has the particles that the border cuts, too
    return [i for i in analysis.instances if i.status == "measured" or i.drop_reason == "touches_border"]


def _inner_diameters(instances: Sequence[Instance], shape: tuple[int, ...]) -> list[float]:
    return [
        math.sqrt(4 / math.pi * i.area_px)
        for i in instances
        if i.x > 0 and i.y > 0 and i.x + i.w < shape[1] and i.y + i.h < shape[0]
    ]


def _instance_metrics(
    matches: Sequence[Match], inner: Sequence[tuple[list[float], list[float]]]
) -> dict[str, dict[str, float] | float]:
    found = [diameter for image in inner for diameter in image[0]]
    true = [diameter for image in inner for diameter in image[1]]
    n_true = sum(len(match.true_px) for match in matches)
    wrong = sum(abs(len(match.scores) - len(match.true_px)) for match in matches)
    both = bool(found) and bool(true)
    return {
        "instance": {
            "ap50": average_precision(matches, 0.5),
            "ap75": average_precision(matches, 0.75),
            "ap90": average_precision(matches, 0.9),
            "f1_50": f1(matches, 0.5),
        },
        "count_error": wrong / n_true if n_true else float("nan"),
        "diameter_bias_mean": float(np.mean(found) / np.mean(true) - 1) if both else float("nan"),
        "diameter_bias_median": float(np.median(found) / np.median(true) - 1) if both else float("nan"),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """Return `value` with None for what is not a number."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
