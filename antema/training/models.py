"""A trained network as a model folder: weights, card and README."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from antema.domain import CRYSTALLINITIES
from antema.nets.card import WEIGHTS_FILE
from antema.nets.particle_views import MARGIN_NM, SAMPLING_NM
from antema.nets.proposals import KIND as ONE_BY_ONE
from antema.nets.scales import BEARABLE_PX, COMFORTABLE_PX
from antema.nets.weights import save

_PACKAGES = ("jax", "flax", "optax", "numpy", "scipy", "safetensors")

_ANSWERS = (
    "a logit a pixel for each of the outputs; for every second pixel the way to the middle of its particle; for every "
    "fourth how near a middle is, how well the polygon will fit, and the logarithms of 32 rays"
)
_CARD_ONE_BY_ONE: dict[str, Any] = {
    "outlines": ["visible", "atoms"],
    "outline": "visible: where a particle's own contrast has fallen to one half of what it is just inside its rim; "
    "atoms (the other map): union of discs of the metallic radius around the projected atoms; ligands are not particle",
    "input": (
        "grey values clipped to their 0.1 and 99.9 percentiles, mean 0, standard deviation 1; whole image at the "
        "scales 1, 1/2, 1/4 and 1/8, and enlarged twice where particles are narrower than 13 px; a scale speaks of "
        "particles of 9 to 80 px"
    ),
}

_SHOWN = {
    "dice": ("Dice", "{:.3f}"),
    "iou": ("IoU", "{:.3f}"),
    "accuracy": ("accuracy", "{:.3f}"),
    "f1_50": ("instance F1", "{:.3f}"),
    "ap50": ("AP50", "{:.3f}"),
    "diameter_bias_mean": ("mean diameter", "{:+.1%}"),
    "outline_bias_px": ("outline, px", "{:+.2f}"),
    "ece": ("ECE", "{:.4f}"),
}
"""Metrics of a card that its README shows, with their headings and formats."""


def write_model(
    folder: Path,
    weights: dict[str, np.ndarray],
    *,
    architecture: Mapping[str, Any],
    training: dict[str, Any],
    licence: str = "GPL-3.0-or-later",
) -> dict[str, Any]:
    """Write ``weights.safetensors`` (float16) and ``card.json`` into `folder`; return the card.

    A network that finds particles one by one (``unet-outlines``) knows both definitions of an outline.

    What an older card there says of `default`, `threshold`, `description`, `title` and `licence` is kept; its
    metrics are not, since they were of other weights.
    """
    one_by_one = architecture["kind"] == ONE_BY_ONE
    card = {
        "title": _title(architecture),
        "description": "Finds nanoparticles, dark on a bright ground, in bright-field TEM micrographs.",
        "licence": licence,
        "default": False,
        "threshold": 0.5,
        "task": "segmentation",
        "architecture": {**architecture, "output": "one logit a pixel for each of the outputs; above 0 is yes"},
        "classes": ["background", "particle"],
        "input": (
            "grey values clipped to their 0.1 and 99.9 percentiles, mean 0, standard deviation 1; whole image, "
            f"at those of the scales 1, 1/2, 1/4 and 1/8 that make its particles {BEARABLE_PX[0]:g} to "
            f"{BEARABLE_PX[1]:g} px wide, weighted fully from {COMFORTABLE_PX[0]:g} to {COMFORTABLE_PX[1]:g} px"
        ),
        "outline": "union of discs of the metallic radius around the projected atoms; ligands are not particle",
        "training": training,
        "metrics": {},
    }
    if one_by_one:
        card |= _CARD_ONE_BY_ONE
        card["architecture"]["output"] = _ANSWERS
    return _write(folder, weights, card)


def write_classifier(
    folder: Path,
    weights: dict[str, np.ndarray],
    *,
    architecture: Mapping[str, Any],
    training: dict[str, Any],
    probabilities: dict[str, Any],
    knows: dict[str, float],
    metrics: dict[str, Any],
    licence: str = "GPL-3.0-or-later",
) -> dict[str, Any]:
    """Write a classifier of crystallinity into `folder` as `write_model` writes a segmenting network.

    Parameters
    ----------
    folder, weights, architecture, training, licence
        As there.
    probabilities : dict
        `Certainty.to_dict`, and the expected calibration error before and after.
    knows : dict
        ``least_nm`` and ``most_nm``, equivalent diameters of particles that it may be asked about, and ``coarsest_nm``,
        the pixel size from which on it may not.
    metrics : dict
        What was measured, by name, each with its command.
    """
    card = {
        "title": f"ResNet-{architecture['depth']} for particles, {architecture['features'][-1]} features",
        "description": "Tells amorphous, monocrystalline and polycrystalline metal particles apart in bright-field "
        "TEM micrographs that resolve the lattice.",
        "licence": licence,
        "default": False,
        "task": "crystallinity",
        "architecture": {**architecture, "output": "a logit for each class, and one for a visible lattice"},
        "classes": list(CRYSTALLINITIES),
        "input": (
            f"each particle with its mask and {MARGIN_NM:g} nm around it, sampled at {SAMPLING_NM:g} nm; "
            "grey values with mean 0 and standard deviation 1 inside the particle"
        ),
        "knows": knows,
        "probabilities": probabilities,
        "training": training,
        "metrics": metrics,
    }
    return _write(folder, weights, card)


def _write(folder: Path, weights: dict[str, np.ndarray], card: dict[str, Any]) -> dict[str, Any]:
    """Write weights and card; what an older card says of choices and words stays."""
    folder.mkdir(parents=True, exist_ok=True)
    save(weights, folder / WEIGHTS_FILE)
    path = folder / "card.json"
    older = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    kept = ("title", "description", "licence", "default", "threshold")
    card = card | {key: older[key] for key in kept if key in card and key in older}
    card["architecture"]["parameters"] = int(sum(array.size for array in weights.values()))
    card |= {
        "sha256": hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest(),
        "software": {"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in _PACKAGES},
    }
    write_card(folder, card)
    return card


def _title(architecture: Mapping[str, Any]) -> str:
    if "features" in architecture:
        least, most = min(architecture["features"]), max(architecture["features"])
        what = "U-Net for particles one by one" if architecture["kind"] == ONE_BY_ONE else "U-Net at half resolution"
        return f"{what}, {least} to {most} features"
    return f"DeepLabv3+ on ResNet-18 of width {architecture['width']}"


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write ``card.json`` and the README that says the same to people."""
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "README.md").write_text(_readme(folder.name, card), "utf-8")


def add_metrics(folder: Path, key: str, values: dict[str, Any], *, command: str) -> None:
    """Record measured numbers in the card of the model in `folder`, with the command that gives them again."""
    card = json.loads((folder / "card.json").read_text("utf-8"))
    card["metrics"][key] = {"command": command, **values}
    write_card(folder, card)


def replace_metrics(folder: Path, entries: dict[str, dict[str, Any]], *, command: str) -> None:
    """Record the numbers of `entries`, and drop what an earlier run of the same program left.

    Runs of a program are told by the words of its command before the first option.
    """

    def program(words: str) -> str:
        return words.split(" --")[0]

    card = json.loads((folder / "card.json").read_text("utf-8"))
    kept = {key: each for key, each in card["metrics"].items() if program(each.get("command", "")) != program(command)}
    card["metrics"] = kept | {key: {"command": command, **each} for key, each in entries.items()}
    write_card(folder, card)


def _readme(name: str, card: dict[str, Any]) -> str:
    training = card["training"]
    lines = [
        f"# {name}",
        "",
        f"{card['title']}. {card['description']}",
        "",
        f"- Architecture: {card['architecture']['kind']}, {card['architecture']['parameters']:,} numbers in float16.",
        f"- Input: {card['input']}.",
        *_meaning(card),
        f"- Learned from: {', '.join(f'{count} images of {data}' for data, count in training['images'].items())}; "
        f"held out: {', '.join(f'{count} of {data}' for data, count in training['held_out'].items())}.",
        f"- Training: {training['steps']} steps{_of_tiles(training)}, {training['minutes']:.0f} minutes on "
        f"{training['device']}, seed {training['seed']}{_before(training)}.",
        f"- Licence: {card['licence']}. sha256 of the weights: `{card['sha256']}`.",
        *_calibrated(card.get("calibration")),
        "",
        "Measured numbers, each with its command, are in `card.json`.",
        "",
    ]
    shown = {key: words for key, words in _SHOWN.items() if any(key in each for each in card["metrics"].values())}
    if shown:
        lines += [f"| what | {' | '.join(words for words, _ in shown.values())} |", "|---" * (len(shown) + 1) + "|"]
        for what, values in card["metrics"].items():
            numbers = [form.format(values[key]) if key in values else "" for key, (_, form) in shown.items()]
            lines.append(f"| {' | '.join([what, *numbers])} |")
        lines.append("")
    return "\n".join(lines)


def _meaning(card: dict[str, Any]) -> list[str]:
    if card["task"] == "segmentation":
        return [f"- A pixel is particle above probability {card['threshold']:g}. Outline: {card['outline']}."]
    knows, p = card["knows"], card["probabilities"]
    return [
        f"- Particles of {knows['least_nm']:g} to {knows['most_nm']:g} nm; from {knows['coarsest_nm']:g} nm a pixel on "
        "every one is unknown, since no lattice of a metal can be resolved.",
        f"- Calibrated: temperature {p['temperature']:g}, offsets {', '.join(f'{each:g}' for each in p['offsets'])}; "
        f"expected calibration error {p['ece_before']:.4f} before, {p['ece_after']:.4f} after.",
    ]


def _of_tiles(training: dict[str, Any]) -> str:
    return f" of {training['batch']} tiles" if "batch" in training else ""


def _before(training: dict[str, Any]) -> str:
    start = training.get("started_from")
    if start is None:
        return ""
    return (
        f"; on from the weights `{start['sha256'][:12]}` of {start['model']}, themselves taught for "
        f"{start['training']['minutes']:.0f} minutes{_before(start['training'])}"
    )


def _calibrated(entry: dict[str, Any] | None) -> list[str]:
    if entry is None:
        return []
    return [
        f"- Calibrated: temperature {entry['temperature']:g}, offset {entry['offset']:g}; expected calibration error "
        f"{entry['ece_before']:.4f} before, {entry['ece_after']:.4f} after. Results and reports name the network with "
        f"its calibration: `{entry['results_sha256']}`."
    ]
