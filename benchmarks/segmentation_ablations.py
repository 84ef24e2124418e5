"""What training owes to its parts: short runs from nothing, alike but for one thing, tried on the same held-out images.

Run it as
``python -m benchmarks.segmentation_ablations --real DIR --simulated DIR --out DIR --page docs/segmentation.md``.
The first DIR holds ``emps-bf-train`` and ``cs433-nanoshapes-train``, the second ``sim_mixed`` and ``sim_metal`` as
``antema simulate micrographs --size 512 --kind mixed|metal`` writes them. What is finished in ``--out`` is not run
again, what was interrupted goes on from its checkpoint. Held-out images are told by name and seed 0 as in ``antema
train segmentation``; the seed of a run is that of its first weights and its tiles. The runs are far from the end of
learning: differences between them say what a part gives early, and those below what another seed makes say nothing.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.morphology import disk

from antema.domain import Recipe
from antema.imaging import find_annotations
from antema.nets import Segmenter
from antema.nets.card import read_card
from antema.nets.network import network_of
from antema.training.cases import DEFAULT_RULES, Case, Truth, found_in, truth_of
from antema.training.evaluate import evaluation, plain, read_case
from antema.training.loop import Schedule
from antema.training.models import write_model
from antema.training.scoring import scores_of
from antema.training.segmentation import learn
from antema.training.sources import DividedSet, LabelledImage, image_pairs, is_held_out, read_divided
from antema.training.tables import as_markdown, as_text, in_pixels, number, put
from antema.training.tiles import Tiling
from antema.training.train import TAUGHT

SPLIT_SEED = 0
REAL, SIMULATED = ("emps-bf-train", "cs433-nanoshapes-train"), ("sim_mixed", "sim_metal")
MOST_FIELDS = 8
"""Held-out fields of each simulated set that networks are tried on."""
BLUR_PX, BLUR_RADIUS_PX = 2.0, 4
"""The Gaussian that ANTEMA exports its images with."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A run that differs from the first one in one thing.

    Parameters
    ----------
    name : str
        What it is called in the table.
    sets : tuple of str
        What it learns from.
    tiling : Tiling
        How tiles are made of images.
    widened_px : int
        By how much labels are wider than they are, on all sides.
    outputs : tuple of str
        What the network answers.
    seed : int
        Of the first weights and the tiles.
    taught_as : str
        Name of the variant whose weights it has; without, it is taught by itself.
    native : bool
        Whether images are seen at their own pixels alone, not at the scales that suit their particles.
    """

    name: str
    sets: tuple[str, ...] = REAL + SIMULATED
    tiling: Tiling = Tiling()
    widened_px: int = 0
    outputs: tuple[str, ...] = ("particle", "contact")
    seed: int = 0
    taught_as: str = ""
    native: bool = False


VARIANTS = (
    Variant(name="as shipped networks are taught"),
    Variant(name="simulated fields alone", sets=SIMULATED),
    Variant(name="real images alone", sets=REAL),
    Variant(name="the first again, seen at one scale", taught_as="as shipped networks are taught", native=True),
    Variant(name="the first again, seed 1", seed=1),
    Variant(name="labels 2 px wider", widened_px=2),
    Variant(name="no tile blurred", tiling=Tiling(blurred=0.0)),
    Variant(name="particles 40 px wide in all tiles", tiling=Tiling(widths_px=(40.0, 40.0))),
    Variant(name="no seams", outputs=("particle",)),
)


@dataclass(frozen=True, eq=False)
class Trial:
    """Held-out images: those with instances, and those of which some pixels alone are to be believed."""

    cases: Mapping[str, Sequence[Truth]]
    partly: Mapping[str, Sequence[LabelledImage]]


def taught(variant: Variant, sets: Mapping[str, DividedSet], folder: Path, steps: int) -> Segmenter:
    """Return the network of a variant, taught where `folder` does not have it yet."""
    if not (folder / "card.json").is_file():
        used = [sets[name] for name in variant.sets]
        if variant.widened_px:
            used = [
                replace(each, learned=[widened(image, variant.widened_px) for image in each.learned]) for each in used
            ]
        entry = TAUGHT["unet-stride2"] | {"outputs": list(variant.outputs)}
        schedule = Schedule(steps=steps, batch=8)
        trained = learn(
            used, folder / "training", schedule=schedule, entry=entry, seed=variant.seed, tiling=variant.tiling
        )
        training = {
            "images": trained.learned_from,
            "held_out": trained.held_out,
            "steps": steps,
            "batch": schedule.batch,
            "minutes": round(trained.progress["seconds"] / 60, 1),
            "seed": variant.seed,
            "device": "CPU",
        }
        write_model(folder, trained.weights, architecture=entry, training=training)
    card = read_card(folder)
    return Segmenter(variant.name, card.sha256, 0.5, dict(card.content), network_of(card))


def widened(image: LabelledImage, by_px: int) -> LabelledImage:
    """Return the image with its label wider on all sides; seams stay where they are."""
    return replace(image, particle=np.asarray(ndimage.binary_dilation(image.particle, disk(by_px)), bool))


def trial(real: Path, simulated: Path, sets: Mapping[str, DividedSet]) -> Trial:
    """Return the images that every variant is tried on."""
    cases: dict[str, list[Case]] = {}
    for folder in (real / "emps-bf-train", simulated / "sim_metal", simulated / "sim_mixed"):
        pairs = [pair for pair in image_pairs(folder) if is_held_out(f"{folder.name}/{pair[0].stem}", seed=SPLIT_SEED)]
        if folder.name in SIMULATED:
            pairs = pairs[:MOST_FIELDS]
        cases[folder.name] = [read_case(*pair) for pair in pairs]
    cases["sim_metal, blurred"] = [blurred(case) for case in cases["sim_metal"]]
    truths = {name: [truth_of(case) for case in of_set] for name, of_set in cases.items()}
    return Trial(truths, {"cs433-nanoshapes-train": sets["cs433-nanoshapes-train"].held_out})


def blurred(case: Case) -> Case:
    """Return a case as ANTEMA would have exported it."""
    pixels = case.micrograph.pixels
    smooth = ndimage.gaussian_filter(pixels.astype(np.float32), BLUR_PX, radius=BLUR_RADIUS_PX)
    micrograph = replace(case.micrograph, pixels=smooth.round().astype(pixels.dtype))
    return replace(case, micrograph=micrograph, annotations=find_annotations(micrograph.pixels))


def tried(segmenter: Segmenter, images: Trial) -> dict[str, Any]:
    """Return the `evaluation` of a network on each set, and of images that are partly believed their Dice alone."""
    recipe = Recipe()
    results: dict[str, Any] = {
        name: evaluation(
            segmenter, [scores_of(truth, found_in(truth.case, segmenter, recipe), DEFAULT_RULES) for truth in truths]
        )
        for name, truths in images.cases.items()
    }
    for name, labelled in images.partly.items():
        counts = np.zeros(3, np.int64)
        for image in labelled:
            found = segmenter.segment(image.pixels, polarity="dark").probability > segmenter.threshold
            believed = np.ones(found.shape, bool) if image.trusted is None else image.trusted
            counts += [np.count_nonzero(mask & believed) for mask in (found & image.particle, found, image.particle)]
        results[name] = {
            "images": len(labelled),
            "pixel": {"dice_particle": float(2 * counts[0] / max(counts[1] + counts[2], 1))},
        }
    return plain(results)


def table(results: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Return a row for each variant below the headings."""
    short = {
        "emps-bf-train": "EMPS",
        "sim_metal": "metal",
        "sim_mixed": "mixed",
        "sim_metal, blurred": "metal, blurred",
    }
    head = ["taught", *(f"{words}: {what}" for words in short.values() for what in ("Dice", "F1", "outline"))]
    rows = []
    for name, result in results.items():
        row = [name]
        for key in short:
            of_set = result[key]
            row += [
                _number(of_set["pixel"]["dice_particle"]),
                _number(of_set["instance"]["f1_50"]),
                in_pixels(_nan(of_set["outline_bias_px"])),
            ]
        rows.append([*row, _number(result["cs433-nanoshapes-train"]["pixel"]["dice_particle"])])
    return [[*head, "cs433: Dice"], *rows]


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _number(value: float | None) -> str:
    return number(_nan(value))


def main() -> None:
    parser = argparse.ArgumentParser(description="Short trainings that differ in one thing.")
    parser.add_argument("--real", type=Path, required=True, metavar="DIR")
    parser.add_argument("--simulated", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--first", type=int, default=len(VARIANTS), metavar="N", help="only the first N of them")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    options = parser.parse_args()
    remembered = options.out / "training" / "annotations.json"
    remembered.parent.mkdir(parents=True, exist_ok=True)
    folders = [options.real / name for name in REAL] + [options.simulated / name for name in SIMULATED]

    @cache
    def sets() -> dict[str, DividedSet]:
        return {folder.name: read_divided(folder, seed=SPLIT_SEED, remembered=remembered) for folder in folders}

    @cache
    def images() -> Trial:
        return trial(options.real, options.simulated, sets())

    results: dict[str, Any] = {}
    for variant in VARIANTS[: options.first]:
        folder = options.out / f"{options.steps} steps" / _slug(variant.name)
        known = folder / "evaluation.json"
        if not known.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            of_weights = folder.parent / _slug(variant.taught_as) if variant.taught_as else folder
            segmenter = taught(variant, sets(), of_weights, options.steps)
            result = tried(replace(segmenter, native_scale=variant.native), images())
            known.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        results[variant.name] = json.loads(known.read_text("utf-8"))
        print(f"{as_text(table(results))}\n", flush=True)
    if options.page:
        counts = ", ".join(f"{of_set['images']} of {name}" for name, of_set in results[VARIANTS[0].name].items())
        words = f"{options.steps} steps of 8 tiles each; held-out images: {counts}."
        put(options.page, "ablations", f"{words}\n\n{as_markdown(table(results))}")


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)


if __name__ == "__main__":
    main()
