"""How well particles of real micrographs are found, told apart and outlined: several models beside one another.

Run it as ``python -m benchmarks.real_micrographs DATA_DIR --model default --model classical``. DATA_DIR holds the
labelled sets by name; one that is absent is left out. The recipe is the default one for every set, nothing is tuned to
any. Of sets that may be learned from only the images are taken that were held out, by name and seed. ``--inverted``
tries every set inverted, too; ``--overlays`` writes a picture of each image with true and found outlines; ``--json``
keeps every number; ``--page`` writes the table between its markers.
"""

import argparse
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antema.analysis import Segmenter
from antema.analysis.measures import measure_pixels
from antema.domain import AntemaError, Instance, PixelSize, Recipe
from antema.domain.trust import VERDICTS
from antema.imaging import find_annotations, read_safely
from antema.training.baselines import segmenter_named
from antema.training.cases import Case, Found, Rules, at_half_contrast, found_in, truth_of
from antema.training.evaluate import overlay_words, plain, read_case
from antema.training.instance_quality import POOR_F1
from antema.training.overlays import overlay
from antema.training.scoring import Scores, scores_of, summary, trust_of
from antema.training.sources import coco_instances, image_pairs, is_held_out
from antema.training.tables import as_markdown, as_text, confidence_bins, number, per_cent, put, share
from benchmarks.segmentation_quality import gold

ROD_ASPECT_RATIO = 2.0

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RealSet:
    """Labelled micrographs.

    Parameters
    ----------
    name : str
        Words for the table.
    cases : callable
        Gives each `Case` with the shape of each of its particles, empty where labels tell none.
    rules : Rules
        What of an image counts.
    has_rods : bool
        Whether rods among the particles have a row of their own.
    """

    name: str
    cases: Callable[[], Iterable[tuple[Case, list[str]]]]
    rules: Rules = field(default_factory=Rules)
    has_rods: bool = False


def sets(data: Path, split_seed: int) -> list[RealSet]:
    """Return the sets that are at hand."""
    found = [
        (
            "emps-bf-train",
            RealSet("printed figures", partial(_pairs, data / "emps-bf-train", split_seed), has_rods=True),
        ),
        (
            "cs433-nanoshapes-train",
            RealSet("cubes, overlaps", partial(_coco, data / "cs433-nanoshapes-train", split_seed)),
        ),
        ("kaur-dev", RealSet("dense layer", partial(_pairs, data / "kaur-dev", None))),
        ("msaem-dev", RealSet("noisy series", partial(_pairs, data / "msaem-dev", None), Rules(band_px=3.0))),
        (
            "sage-train",
            RealSet("aggregates", partial(_pairs, data / "sage-train", split_seed), Rules(unlabelled_is_ground=False)),
        ),
        ("antema-au", RealSet("2 nm gold, ANTEMA's map", lambda: ((case, []) for case in gold(data / "antema-au")))),
    ]
    return [each for folder, each in found if (data / folder).is_dir()]


def _pairs(folder: Path, split_seed: int | None) -> Iterator[tuple[Case, list[str]]]:
    """Give the images of a set, of one that is learned from those held out with `split_seed`."""
    for image, instances in image_pairs(folder):
        if split_seed is None or is_held_out(f"{folder.name}/{image.stem}", seed=split_seed):
            yield read_case(image, instances), []


def _coco(folder: Path, split_seed: int) -> Iterator[tuple[Case, list[str]]]:
    for path, labelled in coco_instances(folder):
        if is_held_out(f"{folder.name}/{path.stem}", seed=split_seed):
            micrograph = read_safely(path)
            if not micrograph.pixel_size.is_known:
                micrograph = micrograph.with_pixel_size(PixelSize(1.0, "none: lengths in px"))
            instances, shapes = [each for each, _ in labelled], [shape.lower() for _, shape in labelled]
            yield Case(micrograph, instances, find_annotations(micrograph.pixels)), shapes


def inverted(case: Case) -> Case:
    """Return a case with dark for bright."""
    pixels = case.micrograph.pixels
    turned = pixels.max() - pixels if pixels.dtype.kind == "f" else np.asarray(pixels.max() - pixels, pixels.dtype)
    return replace(case, micrograph=replace(case.micrograph, pixels=turned))


def kinds_of(instances: Sequence[Instance], shapes: Sequence[str], *, has_rods: bool) -> list[str]:
    """Return the row that each true particle has beside that of its set, empty for none."""
    if not has_rods:
        return list(shapes) or [""] * len(instances)
    return ["rods" if aspect_ratio(i) > ROD_ASPECT_RATIO else "compact" for i in instances]


def aspect_ratio(instance: Instance) -> float:
    """Return max Feret / min Feret."""
    measures = measure_pixels(instance.mask)
    return measures.feret_max / measures.feret_min


@dataclass(frozen=True, eq=False)
class Tried:
    """One image tried: how well what was found agrees with labels as drawn and as moved, and the particles' kinds."""

    drawn: Scores
    moved: Scores
    kinds: list[str]


def tried(
    each: RealSet, segmenters: Sequence[Segmenter], *, overlays: Path | None, turned: bool
) -> Iterator[tuple[Segmenter, list[Tried]]]:
    """Give what each segmenter reaches on the images of a set."""
    recipe = Recipe(crystallinity=False)
    scores: list[list[Tried]] = [[] for _ in segmenters]
    for upright, shapes in each.cases():
        case = inverted(upright) if turned else upright
        kinds = kinds_of(case.instances, shapes, has_rods=each.has_rods)
        truth, moved = truth_of(case), truth_of(at_half_contrast(case))
        for segmenter, kept in zip(segmenters, scores, strict=True):
            found = found_in(case, segmenter, recipe)
            kept.append(Tried(scores_of(truth, found, each.rules), scores_of(moved, found, each.rules), kinds))
            if overlays is not None:
                _draw(overlays / _plain(each.name) / segmenter.name, case, found, segmenter.name, kept[-1].drawn)
    yield from zip(segmenters, scores, strict=True)


def by_kind(images: Sequence[Tried]) -> dict[str, dict[str, Any]]:
    """Return the numbers of images, and beside them (with the name "") those of each kind of particle alone."""
    rows = {"": _numbers([each.drawn for each in images], [each.moved for each in images])}
    for kind in sorted({kind for each in images for kind in each.kinds} - {""}):
        pairs = [(each, np.array([one == kind for one in each.kinds], bool)) for each in images]
        held = [(each.drawn.of_true(mask), each.moved.of_true(mask)) for each, mask in pairs if mask.any()]
        rows[kind] = _numbers([drawn for drawn, _ in held], [moved for _, moved in held])
    return rows


def _numbers(scores: Sequence[Scores], moved: Sequence[Scores]) -> dict[str, Any]:
    return {
        "images": len(scores),
        **summary(scores),
        "half_contrast": summary(moved),
        "trust": trust_of(scores),
        "seconds_per_image": float(np.median([s.seconds for s in scores])) if scores else math.nan,
        "per_image": [
            {"image": s.name, "trust": None if s.trust is None else s.trust.score, **summary([s])} for s in scores
        ],
    }


HEADINGS = [
    *("set", "model", "images", "Dice", "F1", "found / true", "diameter"),
    *(
        "unresolved",
        "in lumps",
        "F1, half contrast",
        "diameter, half contrast",
        "trust: " + " / ".join(VERDICTS),
        "s an image",
    ),
]


def over_all(images: Mapping[str, Sequence[Tried]]) -> str:
    """Return what trust and outline confidence are worth over the images of all sets, for each model by name."""
    parts, confident = [], []
    for model, tried_on in images.items():
        scores = [each.drawn for each in tried_on]
        trust, confidence = trust_of(scores), summary(scores)["outline_confidence"]
        confident.append({"model": model, "outline_confidence": confidence})
        parts.append(
            f"{model}: over {trust['images']} images the trust score has a rank correlation of "
            f"{number(trust['rank_correlation'], 2)} with F1; {trust['poor_but_within']} with an F1 under {POOR_F1:g} "
            f"are said to be within. ECE of the outlines' confidence: "
            f"{number(confidence['ece'] if confidence else None)}."
        )
    table = confidence_bins(confident)
    return "\n\n".join([*parts, *([as_markdown(table)] if len(table) > 1 else [])])


def row(name: str, model: str, numbers: dict[str, Any], *, is_whole: bool) -> list[str]:
    """Return the row of a set, or of one kind of its particles, which has no Dice, trust and time of its own."""
    half = numbers["half_contrast"]
    return [
        name,
        model,
        str(numbers["images"]),
        number(numbers["dice_outside_band"]) if is_whole else "–",
        number(numbers["f1_uncut"]),
        f"{numbers['n_found_uncut']} / {numbers['n_true_uncut']}",
        per_cent(numbers["diameter_median_error"]),
        share(numbers["clumps"]["unresolved_share"]) if is_whole else "–",
        share(numbers["clumps"]["lump_share"]),
        number(half["f1_uncut"]),
        per_cent(half["diameter_median_error"]),
        " / ".join(str(numbers["trust"]["verdicts"][verdict]) for verdict in VERDICTS) if is_whole else "–",
        number(numbers["seconds_per_image"], 2) if is_whole else "–",
    ]


def _draw(folder: Path, case: Case, found: Found, model: str, score: Scores) -> None:
    numbers = summary([score])
    words = overlay_words(model, numbers)
    picture = overlay(case.micrograph.pixels, case.instances, found.instances, case.micrograph.name, words)
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"{_plain(Path(case.micrograph.name).stem)}.png", "PNG", compress_level=6)


def _plain(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-")


def main() -> None:
    parser = argparse.ArgumentParser(description="Particles of labelled real micrographs, by one default recipe.")
    parser.add_argument("data", type=Path, metavar="DATA_DIR")
    parser.add_argument("--model", action="append", metavar="NAME", help="several are compared; the default one")
    parser.add_argument("--set", action="append", metavar="NAME", help="some sets alone, by the table's words")
    parser.add_argument("--inverted", action="store_true", help="each set inverted, too")
    parser.add_argument("--split-seed", type=int, default=0)
    parser.add_argument("--overlays", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE.json")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    options = parser.parse_args()
    segmenters = [segmenter_named(name) for name in options.model or ["default"]]
    chosen = [each for each in sets(options.data, options.split_seed) if not options.set or each.name in options.set]
    if not chosen:
        msg = f"{options.data}: expected labelled sets by their names (emps-bf-train, ...), found none of them"
        raise AntemaError(msg)
    table, content = [HEADINGS], []
    images: dict[str, list[Tried]] = {each.name: [] for each in segmenters}
    for each in chosen:
        for turned in (False, True) if options.inverted else (False,):
            name, overlays = (f"{each.name}, inverted", None) if turned else (each.name, options.overlays)
            for segmenter, kept in tried(each, segmenters, overlays=overlays, turned=turned):
                images[segmenter.name] += [] if turned else kept
                for kind, numbers in by_kind(kept).items():
                    table.append(row(f"{name}: {kind}" if kind else name, segmenter.name, numbers, is_whole=not kind))
                    content.append({"set": name, "kind": kind, "model": segmenter.name, **numbers})
                    print("  ".join(table[-1]), flush=True)
    words = over_all(images)
    print(f"{as_text(table)}\n\n{words}")
    if options.json:
        options.json.write_text(json.dumps(plain(content), indent=1, allow_nan=False) + "\n", "utf-8")
    if options.page:
        put(options.page, "real", f"```\n{_command(options)}\n```\n\n{as_markdown(table)}\n\n{words}")


def _command(options: argparse.Namespace) -> str:
    parts = ["python -m benchmarks.real_micrographs DATA_DIR"]
    parts += [f"--model {name}" for name in options.model or []]
    parts += [f'--set "{name}"' for name in options.set or []]
    parts += [f"--split-seed {options.split_seed}"] if options.split_seed else []
    parts += ["--inverted"] if options.inverted else []
    return " ".join([*parts, f"--page {options.page}"])


if __name__ == "__main__":
    main()
