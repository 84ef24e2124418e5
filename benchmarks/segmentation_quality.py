"""How good a segmentation model is beside the classical filter, on simulated and real micrographs it never saw.

Run it as ``python benchmarks/segmentation_quality.py --model NAME [--real DIR] [--card]``. DIR holds ``emps-bf-train``
(of which the images held out from training, by name and seed, are taken) and ``antema-au`` (one micrograph with
ANTEMA's own segmentation, never learned from). ``--card`` writes the printed numbers into the model's card.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.nets import Segmenter, load
from antema.simulation import varied_field
from antema.training.classical import classical_baseline
from antema.training.models import add_metrics
from antema.training.pixel_counts import confusion, pixel_metrics
from antema.training.sources import is_held_out, read_set

Mask = NDArray[np.bool_]
Case = tuple[str, NDArray[np.generic], Mask]
HELD_OUT_SEEDS = range(10_000_000, 10_000_120)
BANDS = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, np.inf))


def compared(cases: Iterable[Case], segmenter: Segmenter) -> dict[str, dict[str, float]]:
    """Return per group of cases the pixel metrics of the model, and the Dice of the classical filter."""
    counts: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
    for group, pixels, truth in cases:
        found = segmenter.probability(pixels) > segmenter.threshold
        counts.setdefault(group, []).append((confusion(found, truth), confusion(classical_baseline(pixels), truth)))
    result: dict[str, dict[str, float]] = {}
    for group, pairs in sorted(counts.items()):
        ours, theirs = (pixel_metrics(np.sum([pair[k] for pair in pairs], axis=0)) for k in (0, 1))
        result[group] = {
            "images": len(pairs),
            "iou": round(ours["iou_particle"], 4),
            "dice": round(ours["dice_particle"], 4),
            "classical_dice": round(theirs["dice_particle"], 4),
        }
    return result


def simulated(seeds: Iterable[int]) -> Iterator[Case]:
    """Give fields of seeds that training never used, grouped by contrast-to-noise, and all of them together."""
    for seed in seeds:
        field = varied_field(seed)
        truth = field.particle_mask()
        contrast = field.conditions["contrast_to_noise"]
        yield "simulated, all", field.pixels, truth
        for low, high in BANDS:
            if low <= contrast < high:
                yield f"simulated, contrast-to-noise {low:g} to {high:g}", field.pixels, truth


def figures(folder: Path, seed: int) -> Iterator[Case]:
    """Give the real micrographs of a set that were held out from training with `seed`."""
    for image in read_set(folder):
        if is_held_out(image.name, seed=seed):
            yield "held-out figures (EMPS)", image.pixels, image.particle


def gold(folder: Path) -> Iterator[Case]:
    """Give the left half of the real 2 nm gold micrograph with ANTEMA's own segmentation of it."""
    from PIL import Image

    pixels = np.asarray(Image.open(folder / "micrograph_left_half.png"))
    truth = np.asarray(Image.open(folder / "class_map.png"))[:, : pixels.shape[1]] > 0
    yield "2 nm gold, against ANTEMA's map", pixels, truth


def main() -> None:
    parser = argparse.ArgumentParser(description="A segmentation model beside the classical filter.")
    parser.add_argument("--model", default="default")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--split-seed", type=int, default=0)
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args()
    segmenter = load(options.model)
    cases: list[Iterator[Case]] = [simulated(HELD_OUT_SEEDS)]
    if options.real:
        cases += [figures(options.real / "emps-bf-train", options.split_seed), gold(options.real / "antema-au")]
    results: dict[str, dict[str, float]] = {}
    for source in cases:
        results |= compared(source, segmenter)
    print(json.dumps({"model": segmenter.name, "sha256": segmenter.sha256, "results": results}, indent=1))
    if options.card:
        folder = Path(__file__).parents[1] / "models" / segmenter.name
        for name, numbers in results.items():
            command = f"python benchmarks/segmentation_quality.py --model {segmenter.name}"
            add_metrics(folder, name, numbers, command=command if "simulated" in name else f"{command} --real DIR")


if __name__ == "__main__":
    main()
