"""How good segmentation models are beside the classical filters, on simulated and real micrographs they never saw.

Run it as ``python -m benchmarks.segmentation_quality --real DIR --page docs/segmentation.md``. DIR holds
``emps-bf-train`` (of which the images held out from training, by name and seed, are taken) and ``antema-au`` (one
micrograph with ANTEMA's own segmentation, never learned from and never tuned on); without ``--real`` simulated fields
alone are looked at. ``--page`` writes the tables between the markers of the page, ``--card`` the numbers into the
models' cards, ``--overlays`` pictures of the worst images of each set. ``--quick`` takes fewer fields and leaves out
the slow network of the speed table.
"""

import argparse
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from antema.analysis import Segmenter, analyse_mask
from antema.analysis.descriptors import contrasts
from antema.domain import AntemaError, Micrograph, PixelSize, Recipe
from antema.domain.recipe import OUTLINES
from antema.imaging import read_safely
from antema.nets.card import find
from antema.simulation import metal_field
from antema.training.baselines import BASELINES, segmenter_named
from antema.training.cases import Case
from antema.training.evaluate import evaluations, read_case
from antema.training.models import replace_metrics
from antema.training.sources import image_pairs, is_held_out
from antema.training.tables import (
    as_markdown,
    as_text,
    by_bin,
    class_comparison,
    comparison,
    in_pixels,
    number,
    per_cent,
    put,
)
from benchmarks.network_speed import NETWORKS, seconds_of_a_pass

FIRST_SEED = 10_000_000
"""Training takes its seeds from elsewhere."""
BANDS = {"over 2": (2.0, np.inf), "1 to 2": (1.0, 2.0), "0.5 to 1": (0.5, 1.0)}
N_FIELDS, N_QUICK, MOST_TRIES = 8, 3, 500
SIDE_PX = 512
GOLD_NM = 0.06398699

Evaluation = dict[str, Any]


@dataclass(frozen=True)
class Set:
    """Labelled micrographs, what is demanded on them, and what others reached.

    ``cases`` gives them with the truth of a definition of an outline, ``visible`` or ``atoms``, where both are known.
    """

    name: str
    cases: Callable[[str], Iterable[Case]]
    demanded: str
    others: str = ""


def simulated(n: int) -> dict[str, dict[str, list[Case]]]:
    """Return `n` fields like those of the first ANTEMA paper for each band of the particles' median contrast-to-noise.

    Each of them with the truth by each definition of an outline. Seeds are taken one after the other, so that a band
    has the same fields for the same `n`.
    """
    found: dict[str, dict[str, list[Case]]] = {band: {outline: [] for outline in OUTLINES} for band in BANDS}
    for seed in range(FIRST_SEED, FIRST_SEED + MOST_TRIES):
        field = metal_field(seed, shape=(SIDE_PX, SIDE_PX))
        known = contrasts(field.instances, field.pixels)
        known = known[np.isfinite(known)]
        for band, (low, high) in BANDS.items():
            if known.size and low <= np.median(known) < high and len(found[band]["visible"]) < n:
                micrograph = Micrograph(field.pixels, PixelSize(field.pixel_size_nm, "simulated"), f"seed {seed}", "")
                found[band]["visible"].append(Case(micrograph, field.instances))
                found[band]["atoms"].append(Case(micrograph, field.atoms or field.instances))
        if all(len(cases["visible"]) == n for cases in found.values()):
            return found
    counts = ", ".join(f"{len(cases['visible'])} of {band}" for band, cases in found.items())
    msg = f"expected {n} fields for each band of contrast-to-noise among {MOST_TRIES}, found {counts}"
    raise AntemaError(msg)


def figures(folder: Path, split_seed: int) -> Iterator[Case]:
    """Give the real micrographs of a set that were held out from training with `split_seed`."""
    for image, instances in image_pairs(folder):
        if is_held_out(f"{folder.name}/{image.stem}", seed=split_seed):
            yield read_case(image, instances)


def gold(folder: Path) -> Iterator[Case]:
    """Give the left half of the real 2 nm gold micrograph with ANTEMA's own segmentation of it.

    Its pixels are ANTEMA's map as it is, its particles what the default recipe makes of that map.
    """
    size = PixelSize(GOLD_NM, "ANTEMA")
    pixels = read_safely(folder / "micrograph_left_half.png").pixels
    mask = read_safely(folder / "class_map.png").pixels[:, : pixels.shape[1]] > 0
    made = analyse_mask(mask, size, Recipe())
    kept = [i for i in made.instances if i.status == "measured" or i.drop_reason == "touches_border"]
    yield Case(Micrograph(pixels, size, "2 nm gold, left half", ""), kept, mask=mask)


def sets(real: Path | None, n: int, split_seed: int) -> list[Set]:
    """Return everything that the models are tried on."""
    demanded = {
        "over 2": (
            "IoU 0.90, Dice 0.945, accuracy 0.98, mean diameter within 1 %",
            "IoU 0.83, Dice 0.907, accuracy 0.963",
        ),
        "1 to 2": ("IoU 0.75", ""),
        "0.5 to 1": ("IoU 0.50", ""),
    }
    found = [
        Set(f"simulated metal, contrast-to-noise {band}", cases.__getitem__, *demanded[band])
        for band, cases in simulated(n).items()
    ]
    if real is not None:
        found += [
            Set(
                "figures held out (EMPS)",
                lambda _: figures(real / "emps-bf-train", split_seed),
                "Dice 0.93, F1 0.85",
            ),
            Set(
                "2 nm gold, ANTEMA's map",
                lambda _: gold(real / "antema-au"),
                "Dice 0.88, mean diameter within 5 %",
            ),
        ]
    return found


def judged(each: Set, segmenters: Sequence[Segmenter], overlays_dir: Path | None) -> list[Evaluation]:
    """Return what each model gives on a set, against the truth of the outlines that it draws."""
    found: dict[str, Evaluation] = {}
    for outline in OUTLINES:
        some = [one for one in segmenters if getattr(one, "outlines", OUTLINES)[0] == outline]
        if some:
            found |= {
                result["model"]: result for result in evaluations(each.cases(outline), some, overlays_dir=overlays_dir)
            }
    return [found[one.name] for one in segmenters]


def bars(tried: Sequence[tuple[Set, list[Evaluation]]]) -> list[list[str]]:
    """Return a row for each set and model: what was demanded and what came out."""
    table = [
        ["on", "images", "at least", "others", "model", "IoU", "Dice", "accuracy", "F1", "mean diameter", "outline"]
    ]
    for each, results in tried:
        told = [each.name, str(results[0]["images"]), each.demanded, each.others]
        for result in results:
            pixel = result["pixel"]
            table.append(
                [
                    *told,
                    result["model"],
                    number(pixel["iou_particle"]),
                    number(pixel["dice_particle"]),
                    number(pixel["accuracy"]),
                    number(result["instance"]["f1_50"]),
                    per_cent(result["diameter_bias_mean"], result["diameter_bias_mean_interval"]),
                    in_pixels(result["outline_bias_px"]),
                ]
            )
            told = [""] * len(told)
    return table


def diameters(results: Sequence[Evaluation]) -> list[list[str]]:
    """Return the mean equivalent diameters on the gold micrograph, found and in ANTEMA's map."""
    table = [["model", "particles found", "in ANTEMA's map", "mean diameter found", "in ANTEMA's map"]]
    for result in results:
        found, true = (result["mean_diameter_px"][kind] for kind in ("found", "true"))
        lengths = ["–" if np.isnan(value) else f"{value * GOLD_NM:.2f} nm" for value in (found, true)]
        table.append([result["model"], str(result["n_found"]), str(result["n_true"]), *lengths])
    return table


def speed(models: Sequence[str], *, quick: bool) -> list[list[str]]:
    """Return the seconds that one pass over 2048 x 2048 px takes for the architecture of each model."""
    entries = {name: find(name).content["architecture"] for name in models}
    if not quick:
        entries["deeplabv3plus-resnet18, full width"] = NETWORKS["deeplabv3plus-resnet18"]
    table = [["network", "parameters", "2048 x 2048 px", "at most"]]
    for name, entry in entries.items():
        seconds, parameters = seconds_of_a_pass(entry, 2048, 3)
        table.append([name, f"{parameters / 1e6:.2f} M", f"{seconds:.2f} s", "1 s" if name in models else "–"])
    return table


def for_card(result: Evaluation) -> dict[str, Any]:
    """Return what a model's card has of an evaluation."""
    numbers = {
        "iou": result["pixel"]["iou_particle"],
        "dice": result["pixel"]["dice_particle"],
        "accuracy": result["pixel"]["accuracy"],
        **result["instance"],
        "count_error": result["count_error"],
        "diameter_bias_mean": result["diameter_bias_mean"],
        "diameter_bias_median": result["diameter_bias_median"],
        "outline_bias_px": result["outline_bias_px"],
        "ece": result["calibration"]["ece"],
    }
    return {"images": result["images"]} | {k: round(float(v), 4) for k, v in numbers.items() if np.isfinite(v)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Segmentation models beside the classical filters.")
    parser.add_argument("--model", action="append", help="several are compared; the default one and both filters")
    parser.add_argument("--real", type=Path, metavar="DIR")
    parser.add_argument("--split-seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    parser.add_argument("--overlays", type=Path, metavar="DIR")
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args()
    if options.page and not options.real:
        parser.error("--page: expected --real DIR beside it, for the page has tables of real micrographs")
    segmenters = [segmenter_named(name) for name in options.model or ["default", *BASELINES]]
    networks = [each.name for each in segmenters if each.name not in BASELINES]
    tried: list[tuple[Set, list[Evaluation]]] = []
    for each in sets(options.real, N_QUICK if options.quick else N_FIELDS, options.split_seed):
        overlays = options.overlays / re.sub(r"\W+", "-", each.name) if options.overlays else None
        tried.append((each, judged(each, segmenters, overlays)))
        print(f"{each.name}: {tried[-1][1][0]['images']} images\n{as_text(comparison(tried[-1][1]))}\n", flush=True)
    passes = speed(networks, quick=options.quick)
    print(f"{_machine()}\n{as_text(passes)}")
    command = _command(options)
    if options.page:
        _write_page(options.page, tried, passes, command)
    if options.card:
        for k, segmenter in enumerate(segmenters):
            if segmenter.name in networks:
                entries = {each.name: for_card(results[k]) for each, results in tried}
                replace_metrics(find(segmenter.name).folder, entries, command=command)


def _machine() -> str:
    """Return what the times were measured on; other work on the machine makes them longer."""
    return f"On {os.cpu_count()} CPU cores, with a load average of {os.getloadavg()[0]:.1f} meanwhile"


def _command(options: argparse.Namespace) -> str:
    parts = ["python -m benchmarks.segmentation_quality"]
    parts += [f"--model {name}" for name in options.model or []]
    parts += ["--real DIR"] if options.real else []
    parts += ["--quick"] if options.quick else []
    return " ".join([*parts, "--page docs/segmentation.md"] if options.page else parts)


def _write_page(
    page: Path, tried: Sequence[tuple[Set, list[Evaluation]]], passes: list[list[str]], command: str
) -> None:
    put(page, "command", f"```\n{command}\n```")
    put(page, "bars", as_markdown(bars(tried)))
    put(page, "speed", f"{_machine()}:\n\n{as_markdown(passes)}")
    *_, (_, figures_results), (_, gold_results) = tried
    put(page, "figures", _in_full(figures_results))
    put(page, "gold", as_markdown(diameters(gold_results)))


def _in_full(results: Sequence[Evaluation]) -> str:
    tables = [
        comparison(results),
        class_comparison(results),
        by_bin(results, "by_contrast_to_noise", "contrast-to-noise"),
        by_bin(results, "by_diameter_px", "px"),
    ]
    return "\n\n".join(as_markdown(table) for table in tables)


if __name__ == "__main__":
    main()
