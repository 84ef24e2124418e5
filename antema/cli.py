"""The command line: the same engine without the browser.

Exit code 0 when all was done, 1 when some input failed (each with one line on stderr; the rest is done), 2 for wrong
usage.
"""

import argparse
import json
import logging
import math
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from antema.data_folder_commands import add_commands
from antema.domain import AntemaError, CannotImport, CannotRead, NotAnImage, NotFound, Recipe, View
from antema.domain.recipe import CONVENTIONS, OUTLINES, POLARITIES, SEPARATIONS
from antema.logs import LOG_FORMAT
from antema.terminal import INTERRUPTED, OK, SOME_FAILED, USAGE, progress_bar

_DEVICES = ("auto", "cpu", "gpu")
_CROP_SETS = ("pattern", "simulation-c", "simulation-c-si", "poly", "realistic", "copper", "60-kv", "thick-support")
_FIELD_KINDS = ("mixed", "metal", "semiconductor", "large", "dense", "annular", "solids", "crystallinity", "scenes")


class _WrongUsageError(AntemaError):
    """Options that cannot be, beyond what the parser sees."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    options.command_line = shlex.join(["antema", *arguments])
    if os.environ.get("ANTEMA_LOG_LEVEL", "").lower() == "debug":
        logging.basicConfig(level=logging.DEBUG, format=LOG_FORMAT)
    try:
        _choose_device(getattr(options, "device", "auto"))
        return options.run(options)
    except AntemaError as error:
        _complain(str(error))
        return USAGE if isinstance(error, _WrongUsageError) else SOME_FAILED
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="antema", description="Nanoparticle sizes from electron micrographs.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    analyse = commands.add_parser("analyse", help="micrographs in, tables, pictures and a report out")
    analyse.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a micrograph or a folder of them")
    analyse.add_argument("--out", type=Path, required=True, metavar="DIR")
    analyse.add_argument("--pixel-size", type=_above_0, metavar="NM", help="nm per pixel for files without a scale")
    analyse.add_argument("--override-scale", action="store_true", help="--pixel-size goes before the files' own scale")
    analyse.add_argument("--sample", default="", metavar="NAME", help="name of the sample in tables and report")
    analyse.add_argument("--model", metavar="NAME", help="segmentation model (see antema models list)")
    analyse.add_argument(
        "--polarity", choices=POLARITIES, help="whether particles are dark or bright; found out by default"
    )
    analyse.add_argument(
        "--outline", choices=OUTLINES, help="where particles end: at the visible edge, or at the atoms"
    )
    crystallinity = analyse.add_mutually_exclusive_group()
    crystallinity.add_argument("--no-crystallinity", action="store_true", help="do not classify crystallinity")
    crystallinity.add_argument(
        "--crystallinity-model", metavar="NAME", help="crystallinity model (see antema models list)"
    )
    analyse.add_argument(
        "--certainty",
        type=_share,
        default=View().crystallinity_certainty,
        metavar="P",
        help="probability from which on a particle is called by its class; below it is unknown (default: %(default)s)",
    )
    analyse.add_argument(
        "--material", default="", metavar="NAME", help="what the particles are made of, for the report"
    )
    analyse.add_argument("--device", choices=_DEVICES, default="auto", help="what networks run on")
    _add_recipe(analyse)
    analyse.set_defaults(run=_analyse)

    measure = commands.add_parser("measure", help="separate and measure masks of your own")
    measure.add_argument("masks", nargs="+", type=Path, metavar="MASK", help="PNG or TIFF: binary, or uint16 instances")
    measure.add_argument("--pixel-size", type=_above_0, required=True, metavar="NM", help="nm per pixel of the masks")
    measure.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_recipe(measure)
    measure.set_defaults(run=_measure)

    read = commands.add_parser("read", help="what is in a file and what its scale is")
    read.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files, folders or quoted patterns")
    read.add_argument("--json", action="store_true", help="a list of objects, one for each image or failed file")
    read.set_defaults(run=_read)

    evaluate = commands.add_parser("evaluate", help="compare a model with labelled images")
    kinds = evaluate.add_subparsers(dest="kind", required=True, metavar="KIND")
    segmentation = kinds.add_parser("segmentation", help="against instance maps of the same names")
    segmentation.add_argument("--images", type=Path, required=True, metavar="DIR")
    segmentation.add_argument("--instances", type=Path, required=True, metavar="DIR")
    segmentation.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    segmentation.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="an installed model, classical or bragg; given several times they are compared",
    )
    segmentation.add_argument("--overlays", type=Path, metavar="DIR", help="pictures of the ten worst images")
    segmentation.add_argument("--page", type=Path, metavar="FILE.md", help="the tables as Markdown")
    segmentation.add_argument("--device", choices=_DEVICES, default="auto", help="what networks run on")
    segmentation.add_argument(
        "--pixel-size",
        type=_above_0,
        metavar="NM",
        help="nm per pixel; without it the files' own, 1 where they have none",
    )
    segmentation.add_argument("--separation", choices=SEPARATIONS, help="how touching particles are told apart")
    segmentation.add_argument(
        "--band",
        type=_above_0,
        default=1.0,
        metavar="PX",
        help="pixels this near to a true outline are left out of the Dice outside the band (1)",
    )
    segmentation.add_argument(
        "--half-contrast",
        action="store_true",
        help="compare with labels moved to the half-contrast level of their picture, too",
    )
    segmentation.add_argument(
        "--unlabelled",
        choices=("ground", "unknown"),
        default="ground",
        help="what is not labelled: ground, or unknown, so that what is found there counts for nothing",
    )
    segmentation.set_defaults(run=_evaluate_segmentation)
    crystallinity = kinds.add_parser("crystallinity", help="against particles whose class is known")
    crystallinity.add_argument("--crops", type=Path, required=True, metavar="DIR", help="a crop set")
    crystallinity.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    crystallinity.add_argument("--model", default="default", metavar="NAME")
    crystallinity.add_argument("--pixel-size", type=_above_0, metavar="NM", help="of crops without a scale")
    crystallinity.add_argument(
        "--own-masks", action="store_true", help="cut particles out by the segmentation model, not by the set's masks"
    )
    crystallinity.set_defaults(run=_evaluate_crystallinity)

    simulate = commands.add_parser("simulate", help="micrographs and particles with known truth")
    kinds = simulate.add_subparsers(dest="kind", required=True, metavar="KIND")
    micrographs = kinds.add_parser("micrographs", help="fields of particles with instance maps of both outlines")
    micrographs.add_argument("--out", type=Path, required=True, metavar="DIR")
    micrographs.add_argument("--count", type=_whole_above_0, required=True, metavar="N")
    micrographs.add_argument("--seed", type=int, required=True, metavar="S")
    micrographs.add_argument("--size", type=_whole_above_0, default=1024, metavar="PX", help="edge of a field")
    micrographs.add_argument(
        "--kind",
        choices=_FIELD_KINDS,
        default="mixed",
        help="what lies in the fields; scenes: drawn layers, lumps, aggregates, rods, noisy and faint ones, litter",
    )
    micrographs.add_argument(
        "--pixel-size", type=_above_0, metavar="NM", help="nm per pixel; without it as the kind has it"
    )
    micrographs.add_argument("--processes", type=_whole_above_0, default=1, metavar="N", help="fields made at a time")
    micrographs.set_defaults(run=_simulate_micrographs)
    crystallinity = kinds.add_parser("crystallinity", help="crops of particles with their classes")
    crystallinity.add_argument("--out", type=Path, required=True, metavar="DIR")
    crystallinity.add_argument("--count", type=_whole_above_0, metavar="N")
    crystallinity.add_argument("--seed", type=int, metavar="S")
    crystallinity.add_argument(
        "--cut-from", type=Path, metavar="DIR", help="cut particles out of simulated micrographs as an analysis does"
    )
    crystallinity.add_argument(
        "--set", choices=_CROP_SETS, default="realistic", dest="crop_set", help="which particles"
    )
    crystallinity.add_argument("--processes", type=_whole_above_0, default=1, metavar="N", help="crops made at a time")
    crystallinity.set_defaults(run=_simulate_crystallinity)

    train = commands.add_parser("train", help="train a network; the same command goes on where it was stopped")
    kinds = train.add_subparsers(dest="kind", required=True, metavar="KIND")
    segmentation = kinds.add_parser("segmentation", help="particle against background")
    segmentation.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="micrograph sets")
    segmentation.add_argument("--out", type=Path, required=True, metavar="models/NAME")
    segmentation.add_argument("--minutes", type=_above_0, default=60.0, metavar="M")
    segmentation.add_argument("--seed", type=int, default=0, metavar="S")
    segmentation.add_argument("--device", choices=_DEVICES, default="auto", help="what networks run on")
    segmentation.add_argument(
        "--architecture",
        default="unet-outlines",
        metavar="KIND",
        help="unet-outlines, unet-stride2, unet-stride2-wide or deeplabv3plus-resnet18",
    )
    segmentation.add_argument("--start-from", metavar="MODEL", help="an installed model to go on from")
    segmentation.add_argument(
        "--partly-labelled",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="those of the sets in which not every particle has its label",
    )
    segmentation.add_argument(
        "--shares", type=_above_0, nargs="+", metavar="S", help="how often each set is drawn; else by its size"
    )
    segmentation.add_argument("--rate", type=_above_0, metavar="R", help="highest learning rate")
    segmentation.add_argument("--batch", type=_whole_above_0, metavar="N", help="tiles a step")
    segmentation.set_defaults(run=_train_segmentation)
    crystallinity = kinds.add_parser("crystallinity", help="amorphous, monocrystalline or polycrystalline")
    crystallinity.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="crop sets")
    crystallinity.add_argument("--out", type=Path, required=True, metavar="models/NAME")
    crystallinity.add_argument("--minutes", type=_above_0, default=45.0, metavar="M")
    crystallinity.add_argument("--seed", type=int, default=0, metavar="S")
    crystallinity.add_argument("--device", choices=_DEVICES, default="auto", help="what networks run on")
    crystallinity.add_argument(
        "--architecture", default="resnet18", metavar="KIND", help="resnet18, resnet50 or resnet101"
    )
    crystallinity.add_argument("--start-from", metavar="MODEL", help="an installed model to go on from")
    crystallinity.add_argument("--rate", type=_above_0, default=2e-3, metavar="R", help="highest learning rate")
    crystallinity.set_defaults(run=_train_crystallinity)

    models = commands.add_parser("models", help="the installed models")
    kinds = models.add_subparsers(dest="kind", required=True, metavar="KIND")
    kinds.add_parser("list", help="every model with what it is for").set_defaults(run=_models_list)
    kinds.add_parser("verify", help="weights against the cards' sha256").set_defaults(run=_models_verify)

    calibrated = kinds.add_parser("calibrate", help="measure what a model's answers are worth, on held-out images")
    calibrated.add_argument("model", metavar="NAME")
    calibrated.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="micrograph sets")
    calibrated.add_argument(
        "--partly-labelled",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="those of them without a label for each particle",
    )
    calibrated.add_argument("--seed", type=int, default=0, metavar="S", help="that of the training")
    calibrated.add_argument(
        "--at-most", type=_whole_above_0, default=120, metavar="N", help="images of each set, of either kind (120)"
    )
    calibrated.add_argument("--device", choices=_DEVICES, default="auto", help="what networks run on")
    calibrated.set_defaults(run=_models_calibrate)

    imported = kinds.add_parser("import", help="published weights: Groschner's U-Net, ANTEMA's exported network")
    imported.add_argument("files", nargs="+", type=Path, metavar="FILE", help="HDF5 file of weights")
    imported.add_argument("--name", metavar="NAME", help="what to call the model, of one file")
    imported.set_defaults(run=_models_import)

    serve = commands.add_parser("serve", help="the dashboard")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.set_defaults(run=_serve)
    add_commands(commands)
    return parser


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--border-weighted",
        action="store_true",
        help="correct the statistics for particles that the image's edge cuts, large ones more often than small ones",
    )
    parser.add_argument("--separation", choices=SEPARATIONS)
    parser.add_argument("--convention", choices=CONVENTIONS)
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="recipe.json",
        help="parameters, or a run.json of before; single options go first",
    )


class _Version(argparse.Action):
    """Prints the version; looking it up takes longer than a command that is not asked for it should wait."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"antema {version('antema')}")
        parser.exit()


def _above_0(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        msg = f"expected a number above 0, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        msg = f"expected a number from 0 to 1, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _whole_above_0(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        msg = f"expected a whole number above 0, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _choose_device(device: str) -> None:
    if device != "auto":
        from antema.nets import choose_device

        choose_device(device)


def _recipe(options: argparse.Namespace) -> Recipe:
    values = {} if options.recipe is None else _recipe_values(options.recipe)
    for name in ("separation", "convention", "outline", "model", "polarity", "crystallinity_model"):
        if getattr(options, name, None) is not None:
            values[name] = getattr(options, name)
    if getattr(options, "no_crystallinity", False):
        values["crystallinity"] = False
    elif getattr(options, "crystallinity_model", None) is not None:
        values["crystallinity"] = True
    try:
        return Recipe.from_dict(values)
    except AntemaError as error:
        raise _WrongUsageError(str(error)) from error


def _view(options: argparse.Namespace, recipe: Recipe) -> View:
    if options.border_weighted and not recipe.drop_border:
        msg = "--border-weighted: expected a recipe that drops border particles, found one that keeps them"
        raise _WrongUsageError(msg)
    certainty = getattr(options, "certainty", View().crystallinity_certainty)
    return View(border_weighted=options.border_weighted, crystallinity_certainty=certainty)


def _recipe_values(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        msg = f"--recipe {path}: expected a JSON file with recipe parameters, found none ({error})"
        raise _WrongUsageError(msg) from error
    if not isinstance(values, dict):
        msg = f"--recipe {path}: expected a JSON object with recipe parameters, found {type(values).__name__}"
        raise _WrongUsageError(msg)
    # What a run leaves behind (run.json, summary.json) holds its recipe.
    inner = values.get("recipe")
    return dict(inner) if isinstance(inner, dict) else values


def _complain(sentence: str) -> None:
    # One line each, whatever a library put into its message.
    print(f"antema: {' '.join(sentence.split())}", file=sys.stderr)


def _report_failures(failures: Sequence[str]) -> int:
    for sentence in failures:
        _complain(sentence)
    return SOME_FAILED if failures else OK


def _analyse(options: argparse.Namespace) -> int:
    if options.override_scale and options.pixel_size is None:
        msg = "--override-scale: expected --pixel-size beside it, found none"
        raise _WrongUsageError(msg)
    recipe = _recipe(options)
    view = _view(options, recipe)
    _check_models(recipe)

    from antema.batch import analyse_paths

    outcome = analyse_paths(
        options.paths,
        options.out,
        recipe=recipe,
        view=view,
        sample=options.sample,
        material=options.material,
        pixel_size_nm=options.pixel_size,
        override_scale=options.override_scale,
        command=options.command_line,
        progress=progress_bar("image"),
    )
    for sentence in outcome.skipped:
        _complain(f"skipped: {sentence}")
    for sentence in outcome.remarks:
        _complain(sentence)
    print(outcome.sentence)
    return _report_failures(outcome.failed)


def _check_models(recipe: Recipe) -> None:
    """Refuse a model that was asked for by name and is not installed, or not one of its task."""
    from antema.nets.card import find

    asked = {"segmentation": recipe.model}
    if recipe.crystallinity:
        asked["crystallinity"] = recipe.crystallinity_model
    for task, name in asked.items():
        if name == "default":
            continue
        try:
            card = find(name, task=task)
        except NotFound as error:
            raise _WrongUsageError(str(error)) from error
        if card.task != task:
            msg = f"model {name}: expected one of {task}, found one of {card.task}"
            raise _WrongUsageError(msg)


def _measure(options: argparse.Namespace) -> int:
    recipe = _recipe(options)
    if options.separation == "network":
        msg = "--separation: expected another one than network for masks, which no network has seen"
        raise _WrongUsageError(msg)
    if recipe.separation == "network":
        recipe = replace(recipe, separation="uecs")
    view = _view(options, recipe)

    from antema.batch import measure_masks

    outcome = measure_masks(
        options.masks,
        options.out,
        recipe=recipe,
        view=view,
        pixel_size_nm=options.pixel_size,
        command=options.command_line,
    )
    for sentence in outcome.remarks:
        _complain(sentence)
    print(outcome.sentence)
    return _report_failures(outcome.failed)


def _read(options: argparse.Namespace) -> int:
    """Print a line for every image of every file, or one JSON list; files that hold none are told of on stderr."""
    failures: list[str] = []
    found: list[dict[str, Any]] = []
    for path in _files(options.files):
        entries = _described(path)
        failures += [entry["error"] for entry in entries if entry["error"] is not None]
        found += entries
        if not options.json:
            for entry in entries:
                _print_entry(entry)
    if options.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    return _report_failures(failures)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, of a folder those that have a suffix of micrographs, of a pattern what it matches."""
    from antema.imaging import supported_suffixes

    for path in paths:
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.suffix.lower() in supported_suffixes and one.is_file())
            yield from files
            if not files:
                yield path
        else:
            # a shell has done this already, except where the name was quoted or the shell is Windows'
            yield from [path] if path.exists() else sorted(path.parent.glob(path.name)) or [path]


def _described(path: Path) -> list[dict[str, Any]]:
    """Return what `read` prints of a file: an entry for each image, or one with the error."""
    from antema.imaging import contents_safely

    try:
        images = contents_safely(path, check=True)
    except CannotRead as error:
        kind = error.kind if isinstance(error, NotAnImage) else "unreadable"
        unknown = dict.fromkeys(("image", "format", "shape", "dtype", "pixel_size_nm", "source", "metadata"))
        return [{"file": str(path), "kind": kind, **unknown, "error": str(error)}]
    return [
        {
            "file": str(path),
            "kind": "image",
            "image": image.title,
            "format": image.format,
            "shape": list(image.shape),
            "dtype": image.dtype,
            "pixel_size_nm": image.pixel_size.nm,
            "source": image.pixel_size.source,
            # JSON knows no NaN
            "metadata": {k: v for k, v in image.metadata.items() if isinstance(v, str) or math.isfinite(v)},
            "error": None,
        }
        for image in images
    ]


def _print_entry(entry: dict[str, Any]) -> None:
    if entry["error"] is not None:
        return
    label = f"{entry['file']} [{entry['image']}]" if entry["image"] else entry["file"]
    scale = "no scale" if entry["pixel_size_nm"] is None else f"{entry['pixel_size_nm']:.6g} nm/px"
    height, width = entry["shape"]
    print(f"{label}: {entry['format']}, {width} x {height} {entry['dtype']}, {scale} ({entry['source']})")


def _evaluate_segmentation(options: argparse.Namespace) -> int:
    from antema.training import evaluate_segmentation
    from antema.training.cases import Rules

    names = options.model or ["default"]
    step = progress_bar("image")
    result = evaluate_segmentation(
        options.images,
        options.instances,
        options.out,
        model=names[0] if len(names) == 1 else names,
        pixel_size_nm=options.pixel_size,
        recipe=Recipe(separation=options.separation) if options.separation else None,
        overlays_dir=options.overlays,
        rules=Rules(options.band, options.unlabelled == "ground"),
        half_contrast=options.half_contrast,
        progress=lambda done, total: step("", done, total),
    )
    results = [result] if len(names) == 1 else result
    if options.page is not None:
        from antema.training.tables import page

        options.page.parent.mkdir(parents=True, exist_ok=True)
        options.page.write_text(page(results, options.command_line), "utf-8")
    if len(results) == 1:
        print(_evaluation_line(result))
    else:
        from antema.training.tables import as_text, comparison, uncut_comparison

        print(f"{results[0]['images']} images, {results[0]['n_true']} true particles")
        print(f"{as_text(comparison(results))}\n{as_text(uncut_comparison(results))}")
    return _report_failures(results[0].get("failed", []))


def _evaluate_crystallinity(options: argparse.Namespace) -> int:
    from antema.training import evaluate_crystallinity
    from antema.training.evaluate_crystallinity import line

    step = progress_bar("crop")
    result = evaluate_crystallinity(
        options.crops,
        options.out,
        model=options.model,
        pixel_size_nm=options.pixel_size,
        own_masks=options.own_masks,
        progress=lambda done, total: step("", done, total),
    )
    print(line(result))
    return OK


def _evaluation_line(result: dict[str, Any]) -> str:
    pixel, instance = result["pixel"], result["instance"]
    numbers = {
        "IoU": pixel["iou_particle"],
        "Dice": pixel["dice_particle"],
        "accuracy": pixel["accuracy"],
        "instance AP50": instance["ap50"],
        "F1": instance["f1_50"],
        "F1 of uncut particles": result["f1_uncut"],
        "Dice outside the band": result["dice_outside_band"],
    }
    words = [f"{name} {'unknown' if value is None else f'{value:.3f}'}" for name, value in numbers.items()]
    error = result["diameter_median_error"]
    words.append(f"median diameter error {'unknown' if error is None else f'{100 * error:+.1f} %'}")
    return f"{result['images']} images: {', '.join(words)}"


def _simulate_micrographs(options: argparse.Namespace) -> int:
    from antema.simulation import simulate_micrographs

    step = progress_bar("field")
    simulate_micrographs(
        options.out,
        count=options.count,
        seed=options.seed,
        shape=(options.size, options.size),
        kind=options.kind,
        pixel_size_nm=options.pixel_size,
        processes=options.processes,
        progress=lambda done, total: step("", done, total),
    )
    return OK


def _simulate_crystallinity(options: argparse.Namespace) -> int:
    from antema.simulation import simulate_crystallinity

    if options.cut_from and (options.count is not None or options.seed is not None):
        msg = "expected --cut-from alone, or --count and --seed; found both"
        raise _WrongUsageError(msg)
    if options.cut_from:
        from antema.training import crops_of_fields

        step = progress_bar("micrograph")
        crops_of_fields(options.cut_from, options.out, progress=lambda done, total: step("", done, total))
        return OK
    if options.count is None or options.seed is None:
        missing = " and ".join(f"no --{name}" for name in ("count", "seed") if getattr(options, name) is None)
        msg = f"expected --count and --seed, or --cut-from with simulated micrographs; found {missing}"
        raise _WrongUsageError(msg)
    step = progress_bar("crop")
    simulate_crystallinity(
        options.out,
        count=options.count,
        seed=options.seed,
        kind=options.crop_set,
        processes=options.processes,
        progress=lambda done, total: step("", done, total),
    )
    return OK


def _train_segmentation(options: argparse.Namespace) -> int:
    from antema.training import train_segmentation

    step = progress_bar("%")
    train_segmentation(
        options.data,
        options.out,
        minutes=options.minutes,
        seed=options.seed,
        device=options.device,
        architecture=options.architecture,
        start_from=options.start_from,
        partly_labelled=options.partly_labelled,
        shares=options.shares,
        rate=options.rate,
        batch=options.batch,
        progress=lambda share, words: step(words, round(100 * share, 1), 100.0),
    )
    return OK


def _train_crystallinity(options: argparse.Namespace) -> int:
    from antema.training import train_crystallinity

    step = progress_bar("%")
    train_crystallinity(
        options.data,
        options.out,
        minutes=options.minutes,
        seed=options.seed,
        device=options.device,
        architecture=options.architecture,
        start_from=options.start_from,
        rate=options.rate,
        progress=lambda share, words: step(words, round(100 * share, 1), 100.0),
    )
    return OK


def _models_list(_: argparse.Namespace) -> int:
    from antema import nets

    cards, broken = nets.models(), nets.broken_models()
    if not (cards or broken):
        print("no model is installed")
    for card in cards:
        print(f"{card.name:24} {card.task:14} {card.title}")
    for model in broken:
        print(f"{model.name:24} {'broken':14} {' '.join(model.reason.split())}")
    return OK


def _models_verify(_: argparse.Namespace) -> int:
    from antema import nets
    from antema.nets.calibration import read_calibration

    cards = nets.models()
    failures = [model.reason for model in nets.broken_models()]
    if not (cards or failures):
        failures = ["expected installed models, found none"]
    for card in cards:
        try:
            nets.verify(card.name)
            calibration = read_calibration(card) if card.task == "segmentation" else None
        except AntemaError as error:
            failures.append(str(error))
        else:
            print(f"{card.name}: the weights are those of the card")
            if calibration is not None:
                print(
                    f"{card.name}: calibrated; in results and reports its sha256 is {calibration.digest(card.sha256)}"
                )
    return _report_failures(failures)


def _models_calibrate(options: argparse.Namespace) -> int:
    from antema.training.calibrate import calibrate

    step = progress_bar("image")
    found = calibrate(
        options.model,
        options.data,
        seed=options.seed,
        at_most=options.at_most,
        partly_labelled=options.partly_labelled,
        progress=lambda done, total: step("", done, total),
    )
    print(json.dumps(found, indent=1))
    return OK


def _models_import(options: argparse.Namespace) -> int:
    if options.name is not None and len(options.files) > 1:
        msg = f"--name: expected it with one file, found {len(options.files)}"
        raise _WrongUsageError(msg)

    from antema.nets.imports import import_model

    failures: list[str] = []
    for path in options.files:
        try:
            card = import_model(path, name=options.name)
        except CannotImport as error:
            failures.append(str(error))
        else:
            print(f"{card.name}: {card.title}, in {card.folder}")
    return _report_failures(failures)


def _serve(options: argparse.Namespace) -> int:
    # Read by the settings when they are first asked for, in this process and in the server's.
    for name in ("host", "port"):
        if getattr(options, name) is not None:
            os.environ[f"ANTEMA_{name.upper()}"] = str(getattr(options, name))
    from antema.web.serve import serve

    serve()
    return OK
