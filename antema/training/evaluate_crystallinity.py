"""A classifier of crystallinity against particles whose class is known."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.domain import (
    CRYSTALLINITIES,
    LEAST_LATTICE,
    POLYCRYSTALLINE,
    AntemaError,
    Instance,
    Recipe,
    View,
    crystallinities,
)
from antema.training.class_scores import TWO_CLASSES, accuracy_at, class_scores, hidden_crystals, two_class
from antema.training.crop_sets import LabelledCrop, box_of, read_crop_set

_BINS: Mapping[str, tuple[float, ...]] = {
    "diameter_nm": (0, 1.5, 2, 3, 5, 7, 10, 1000),
    "dose_e_nm2": (0, 2e4, 5e4, 2e5, 1e6, 1e12),
    "pixel_size_nm": (0, 0.02, 0.03, 0.05, 0.07, 0.1, 1),
    "voltage_kv": (0, 100, 150, 250, 400),
    "support_nm": (0, 1, 3, 6, 1000),
    "mask_iou": (0, 0.8, 0.9, 0.95, 1.01),
}
_SIDES_PX = (128, 192, 256, 384, 512, 768, 1024)
"""Of the squares in which the segmentation network sees crops."""
_NAMES = ("element", "structure", "shape", "support", "hidden_by")


def evaluate_crystallinity(
    crops: Path,
    out: Path | None = None,
    *,
    model: str = "default",
    pixel_size_nm: float | None = None,
    certainty: float | None = None,
    own_masks: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Compare a classifier with particles of known class.

    Parameters
    ----------
    crops : Path
        A crop set.
    out : Path, optional
        JSON file to write.
    model : str
        A classifier's name.
    pixel_size_nm : float, optional
        Edge of a pixel where neither crop nor table says it.
    certainty : float, optional
        Least probability that gives a class its name; 0.80 unless given.
    own_masks : bool
        Whether particles are cut out by the default segmentation model, as in an analysis, not by the set's masks;
        where it does not find the particle the set's mask is taken and counted.
    progress : callable, optional
        Called with crops done and in all.

    Returns
    -------
    dict
        ``model``, ``crops``, what `class_scores` has, ``lattice_visible`` (the same of the particles whose lattice can
        be seen or could be), ``two_class``, ``hidden_crystals``, ``polycrystals`` (by how many of their crystals show
        a lattice of their own), ``groups`` (by what the table tells) and ``predictions``.

    Raises
    ------
    AntemaError
        Where `crops` is no crop set or the model none of crystallinity.
    """
    from antema.nets import load_classifier

    at = View().crystallinity_certainty if certainty is None else certainty
    labelled = read_crop_set(Path(crops), pixel_size_nm=pixel_size_nm)
    classifier = load_classifier(model)
    find = _own_mask() if own_masks else None
    probabilities, lattice = np.full((len(labelled), 3), np.nan), np.full(len(labelled), np.nan)
    hindrances: list[str] = []
    missed = 0
    for k, crop in enumerate(labelled):
        mask = crop.mask
        if find is not None:
            own = find(crop)
            missed += own is None
            mask = crop.mask if own is None else own
        x, y, part = box_of(mask)
        found = classifier.classify(crop.pixels, [Instance(x, y, part)], crop.pixel_size_nm)
        probabilities[k], lattice[k] = found.probabilities[0], found.lattice[0]
        hindrances.append(found.hindrances[0])
        if progress:
            progress(k + 1, len(labelled))
    classes = np.array([CRYSTALLINITIES.index(crop.crystallinity) for crop in labelled])
    names, reasons = crystallinities(probabilities, lattice, hindrances, at)
    nameable = lattice >= LEAST_LATTICE
    result = {
        "model": classifier.name,
        "sha256": classifier.sha256,
        "crops": len(labelled),
        **class_scores(probabilities, classes, CRYSTALLINITIES, certainty=at, nameable=nameable),
        "two_class": class_scores(*two_class(probabilities, classes), TWO_CLASSES, certainty=at, nameable=nameable),
        **_of_visible(labelled, probabilities, lattice, classes, names, at),
        "polycrystals": _polycrystals(labelled, probabilities),
        "groups": _groups(labelled, probabilities, classes, nameable, at),
        "predictions": [
            {
                "name": crop.name.partition("/")[2],
                "label": crop.crystallinity,
                "crystallinity": name,
                **{f"p_{name}": _number(value) for name, value in zip(CRYSTALLINITIES, p, strict=True)},
                "p_lattice_visible": _number(visible),
                "crystallinity_reason": reason,
            }
            for crop, name, p, visible, reason in zip(labelled, names, probabilities, lattice, reasons, strict=True)
        ],
    }
    if own_masks:
        result["own_masks"] = {"missed": missed}
    if out is not None:
        out = Path(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    return result


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _of_visible(
    labelled: Sequence[LabelledCrop],
    probabilities: NDArray[np.float64],
    lattice: NDArray[np.float64],
    classes: NDArray[np.int64],
    names: Sequence[str],
    certainty: float,
) -> dict[str, Any]:
    if any(crop.visible is None for crop in labelled):
        return {}
    visible = np.array([bool(crop.visible) for crop in labelled])
    asked = np.isfinite(lattice)
    right = (lattice[asked] >= LEAST_LATTICE) == visible[asked]
    nameable = lattice[visible] >= LEAST_LATTICE
    scores = class_scores(
        probabilities[visible], classes[visible], CRYSTALLINITIES, certainty=certainty, nameable=nameable
    )
    return {
        "lattice_visible": scores | {"accuracy_at_85": accuracy_at(scores, 0.85)},
        "hidden_crystals": hidden_crystals(names, classes, visible),
        "visibility_accuracy": float(right.mean()) if len(right) else None,
    }


def _polycrystals(labelled: Sequence[LabelledCrop], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Return how many polycrystals are called by their name, by how many of their crystals show a lattice of their own.

    Those of which the table does not tell, as multiply twinned ones, are in neither. ``others`` has the accuracy over
    all particles but polycrystals that show at most one lattice, which look like single crystals; None where the table
    tells of no polycrystal.
    """
    asked = np.isfinite(probabilities).all(axis=1)
    likeliest = np.where(asked, np.nan_to_num(probabilities).argmax(axis=1), -1)
    classes = np.array([CRYSTALLINITIES.index(crop.crystallinity) for crop in labelled])
    told = [crop.facts.get("domains_visible") if crop.crystallinity == POLYCRYSTALLINE else "" for crop in labelled]
    shown = np.array([int(each) if each else -1 for each in told])
    result: dict[str, Any] = {}
    for name, members in (("several", shown > 1), ("at most one", (shown >= 0) & (shown < 2))):  # noqa: PLR2004
        called = likeliest[members]
        result[name] = {"n": len(called)} | {
            f"called_{kind}": float(np.mean(called == k)) if len(called) else None
            for k, kind in enumerate(CRYSTALLINITIES)
        }
    others = asked & ((shown < 0) | (shown > 1))
    right = likeliest[others] == classes[others]
    result["others"] = {"n": len(right), "accuracy": float(right.mean()) if (shown >= 0).any() else None}
    return result


def _groups(
    labelled: Sequence[LabelledCrop],
    probabilities: NDArray[np.float64],
    classes: NDArray[np.int64],
    nameable: NDArray[np.bool_],
    certainty: float,
) -> dict[str, list[dict[str, Any]]]:
    """Return coverage and accuracies by every fact that the table tells of all crops."""
    members: dict[str, dict[str, list[int]]] = {}
    for key, ends in _BINS.items():
        values = [crop.facts.get(key, "") for crop in labelled]
        if not all(values):
            continue
        for k, value in enumerate(values):
            j = int(np.clip(np.searchsorted(ends, float(value), side="right") - 1, 0, len(ends) - 2))
            members.setdefault(key, {}).setdefault(f"{ends[j]:g} to {ends[j + 1]:g}", []).append(k)
        order = [f"{low:g} to {high:g}" for low, high in zip(ends[:-1], ends[1:], strict=True)]
        members[key] = {name: members[key][name] for name in order if name in members[key]}
    for key in _NAMES:
        values = [crop.facts.get(key, "") for crop in labelled]
        if any(values):
            for value in sorted(set(values)):
                members.setdefault(key, {})[value or "-"] = [k for k, each in enumerate(values) if each == value]
    return {
        key: [
            {"group": name}
            | {what: scores[what] for what in ("n", "accuracy", "coverage", "accuracy_of_assigned", "ece")}
            for name, rows in groups.items()
            for scores in [
                class_scores(
                    probabilities[rows], classes[rows], CRYSTALLINITIES, certainty=certainty, nameable=nameable[rows]
                )
            ]
        ]
        for key, groups in members.items()
    }


def _own_mask() -> Callable[[LabelledCrop], NDArray[np.bool_] | None]:
    """Return what finds the particle of a crop as an analysis does: the object that shares most with its mask."""
    from antema.analysis import analyse
    from antema.domain import CannotAnalyse, Micrograph, PixelSize

    recipe = Recipe(drop_border=False, leave_out_annotations=False, crystallinity=False)

    def find(crop: LabelledCrop) -> NDArray[np.bool_] | None:
        # of few shapes, since the network is compiled for each; what is added mirrors the surroundings
        side = next((n for n in _SIDES_PX if n >= max(crop.pixels.shape)), max(crop.pixels.shape))
        around = [(0, side - n) for n in crop.pixels.shape]
        pixels, mask = np.pad(crop.pixels, around, "symmetric"), np.pad(crop.mask, around)
        micrograph = Micrograph(
            name=crop.name, sha256="", pixels=pixels, pixel_size=PixelSize(crop.pixel_size_nm, "given")
        )
        try:
            found = analyse(micrograph, recipe)
        except CannotAnalyse:
            return None
        best, most = None, 0.5
        for one in found.instances:
            window = (slice(one.y, one.y + one.h), slice(one.x, one.x + one.w))
            common = np.count_nonzero(mask[window] & one.mask)
            iou = common / (np.count_nonzero(mask) + one.area_px - common)
            if iou > most:
                best, most = np.zeros(mask.shape, bool), iou
                best[window] = one.mask
        return None if best is None else best[: crop.mask.shape[0], : crop.mask.shape[1]]

    return find


def line(result: Mapping[str, Any]) -> str:
    """Return an evaluation in one line."""
    if result["accuracy"] is None:
        msg = "expected crops of sizes and samplings that the model may be asked about, found none"
        raise AntemaError(msg)
    assigned = result["accuracy_of_assigned"]
    words = [
        f"{result['crops']} crops: accuracy {result['accuracy']:.3f}",
        f"two classes {result['two_class']['accuracy']:.3f}",
        f"at certainty {result['certainty']:g} coverage {result['coverage']:.3f}",
        f"accuracy of these {'-' if assigned is None else f'{assigned:.3f}'}",
        f"ECE {result['ece']:.4f}",
    ]
    if "lattice_visible" in result:
        seen, hidden = result["lattice_visible"], result["hidden_crystals"]
        words.append(f"lattice visible {seen['accuracy']:.3f}, {seen['accuracy_at_85']:.3f} at 85 % coverage")
        if hidden["n"]:
            words.append(
                f"of {hidden['n']} crystals without visible lattice called amorphous {hidden['called_amorphous']:.3f}"
            )
    return ", ".join(words)
