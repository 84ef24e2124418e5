"""The command line: the same engine without the browser.

Exit code 0 when all was done, 1 when some input failed (each with one line on stderr; the rest is done), 2 for wrong
usage.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from antema.domain import AntemaError, CannotRead, Recipe
from antema.domain.recipe import CONVENTIONS, SEPARATIONS

OK, SOME_FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if getattr(options, "device", None) == "cpu":
        # Read by JAX when it is first imported, which no command has done yet.
        os.environ["JAX_PLATFORMS"] = "cpu"
    try:
        return options.run(options)
    except AntemaError as error:
        print(f"antema: {error}", file=sys.stderr)
        return SOME_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="antema", description="Nanoparticle sizes from electron micrographs.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    analyse = commands.add_parser("analyse", help="micrographs in, tables, pictures and a report out")
    analyse.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a micrograph or a folder of them")
    analyse.add_argument("--out", type=Path, required=True, metavar="DIR")
    analyse.add_argument("--pixel-size", type=float, metavar="NM", help="nm per pixel for files without a scale")
    analyse.add_argument("--override-scale", action="store_true", help="--pixel-size goes before the files' own scale")
    analyse.add_argument("--sample", default="", metavar="NAME", help="name of the sample in tables and report")
    analyse.add_argument("--model", metavar="NAME", help="segmentation model (see antema models list)")
    analyse.add_argument("--no-crystallinity", action="store_true", help="do not classify crystallinity")
    analyse.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    _add_recipe(analyse)
    analyse.set_defaults(run=_analyse)

    measure = commands.add_parser("measure", help="separate and measure masks of your own")
    measure.add_argument("masks", nargs="+", type=Path, metavar="MASK", help="PNG or TIFF: binary, or uint16 instances")
    measure.add_argument("--pixel-size", type=float, required=True, metavar="NM")
    measure.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_recipe(measure)
    measure.set_defaults(run=_measure)

    read = commands.add_parser("read", help="what is in a file and what its scale is")
    read.add_argument("files", nargs="+", type=Path, metavar="FILE")
    read.add_argument("--json", action="store_true")
    read.set_defaults(run=_read)

    evaluate = commands.add_parser("evaluate", help="compare a model with labelled images")
    kinds = evaluate.add_subparsers(dest="kind", required=True, metavar="KIND")
    segmentation = kinds.add_parser("segmentation", help="against instance maps of the same names")
    segmentation.add_argument("--images", type=Path, required=True, metavar="DIR")
    segmentation.add_argument("--instances", type=Path, required=True, metavar="DIR")
    segmentation.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    segmentation.add_argument("--model", default="default", metavar="NAME")
    segmentation.add_argument("--pixel-size", type=float, default=1.0, metavar="NM", help="1 if unknown")
    segmentation.set_defaults(run=_evaluate_segmentation)

    simulate = commands.add_parser("simulate", help="micrographs with known truth")
    kinds = simulate.add_subparsers(dest="kind", required=True, metavar="KIND")
    micrographs = kinds.add_parser("micrographs", help="fields of particles with instance maps")
    micrographs.add_argument("--out", type=Path, required=True, metavar="DIR")
    micrographs.add_argument("--count", type=int, required=True, metavar="N")
    micrographs.add_argument("--seed", type=int, required=True, metavar="S")
    micrographs.add_argument("--size", type=int, default=1024, metavar="PX", help="edge of a field")
    micrographs.set_defaults(run=_simulate_micrographs)

    train = commands.add_parser("train", help="train a network; the same command goes on where it was stopped")
    kinds = train.add_subparsers(dest="kind", required=True, metavar="KIND")
    segmentation = kinds.add_parser("segmentation", help="particle against background")
    segmentation.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="micrograph sets")
    segmentation.add_argument("--out", type=Path, required=True, metavar="models/NAME")
    segmentation.add_argument("--minutes", type=float, default=60.0, metavar="M")
    segmentation.add_argument("--seed", type=int, default=0, metavar="S")
    segmentation.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    segmentation.set_defaults(run=_train_segmentation)

    models = commands.add_parser("models", help="the installed models")
    kinds = models.add_subparsers(dest="kind", required=True, metavar="KIND")
    kinds.add_parser("list", help="every model with what it is for").set_defaults(run=_models_list)
    kinds.add_parser("verify", help="weights against the cards' sha256").set_defaults(run=_models_verify)

    serve = commands.add_parser("serve", help="the dashboard")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.set_defaults(run=_serve)
    return parser


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--separation", choices=SEPARATIONS)
    parser.add_argument("--convention", choices=CONVENTIONS)
    parser.add_argument(
        "--recipe", type=Path, metavar="recipe.json", help="every parameter; single options go before it"
    )


def _recipe(options: argparse.Namespace) -> Recipe:
    values: dict[str, object] = {}
    if options.recipe is not None:
        try:
            values = json.loads(options.recipe.read_text())
        except (OSError, ValueError) as error:
            msg = f"{options.recipe}: expected a JSON file with recipe parameters ({error})"
            raise AntemaError(msg) from error
        if not isinstance(values, dict):
            msg = f"{options.recipe}: expected a JSON object with recipe parameters, found {type(values).__name__}"
            raise AntemaError(msg)
    for name in ("separation", "convention", "model"):
        if getattr(options, name, None) is not None:
            values[name] = getattr(options, name)
    if getattr(options, "no_crystallinity", False):
        values["crystallinity"] = False
    return Recipe.from_dict(values)


def _positive(value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        msg = f"--pixel-size: expected a number above 0 in nm, found {value:g}"
        raise AntemaError(msg)


def _report_failures(failures: Sequence[str]) -> int:
    for sentence in failures:
        print(f"antema: {sentence}", file=sys.stderr)
    return SOME_FAILED if failures else OK


def _progress() -> Callable[[str, int, int], None]:
    from tqdm import tqdm

    bar = tqdm(unit="image", disable=not sys.stderr.isatty())

    def step(name: str, done: int, total: int) -> None:
        bar.total = total
        bar.set_description(name)
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return step


def _analyse(options: argparse.Namespace) -> int:
    from antema.batch import analyse_paths

    _positive(options.pixel_size)
    if options.override_scale and options.pixel_size is None:
        msg = "--override-scale: expected --pixel-size beside it"
        raise AntemaError(msg)
    outcome = analyse_paths(
        options.paths,
        options.out,
        recipe=_recipe(options),
        sample=options.sample,
        pixel_size_nm=options.pixel_size,
        override_scale=options.override_scale,
        progress=_progress(),
    )
    for sentence in outcome.skipped:
        print(f"antema: skipped {sentence}", file=sys.stderr)
    print(outcome.sentence)
    return _report_failures(outcome.failed)


def _measure(options: argparse.Namespace) -> int:
    from antema.batch import measure_masks

    _positive(options.pixel_size)
    outcome = measure_masks(options.masks, options.out, recipe=_recipe(options), pixel_size_nm=options.pixel_size)
    print(outcome.sentence)
    return _report_failures(outcome.failed)


def _read(options: argparse.Namespace) -> int:
    from antema.imaging import read_all

    failures: list[str] = []
    found: list[dict[str, object]] = []
    for path in options.files:
        try:
            micrographs = read_all(path)
        except CannotRead as error:
            failures.append(str(error))
            continue
        for micrograph in micrographs:
            height, width = micrograph.shape
            found.append(
                {
                    "file": str(path),
                    "name": micrograph.name,
                    "width": width,
                    "height": height,
                    "dtype": str(micrograph.pixels.dtype),
                    "pixel_size_nm": micrograph.pixel_size.nm,
                    "pixel_size_source": micrograph.pixel_size.source,
                    "sha256": micrograph.sha256,
                    "metadata": dict(micrograph.metadata),
                }
            )
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for entry in found:
            scale = "no scale" if entry["pixel_size_nm"] is None else f"{entry['pixel_size_nm']:.6g} nm/px"
            size = f"{entry['width']} x {entry['height']} {entry['dtype']}"
            print(f"{entry['file']}: {size}, {scale} ({entry['pixel_size_source']})")
    return _report_failures(failures)


def _evaluate_segmentation(options: argparse.Namespace) -> int:
    from antema.training import evaluate_segmentation

    result = evaluate_segmentation(
        options.images, options.instances, options.out, model=options.model, pixel_size_nm=options.pixel_size
    )
    pixel, instance = result["pixel"], result["instance"]
    print(
        f"{result['images']} images: IoU {pixel['iou_particle']:.3f}, Dice {pixel['dice_particle']:.3f}, "
        f"accuracy {pixel['accuracy']:.3f}; instance AP50 {instance['ap50']:.3f}, F1 {instance['f1_50']:.3f}"
    )
    return OK


def _simulate_micrographs(options: argparse.Namespace) -> int:
    from antema.simulation import simulate_micrographs

    simulate_micrographs(options.out, count=options.count, seed=options.seed, shape=(options.size, options.size))
    return OK


def _train_segmentation(options: argparse.Namespace) -> int:
    from antema.training import train_segmentation

    train_segmentation(options.data, options.out, minutes=options.minutes, seed=options.seed)
    return OK


def _models_list(_: argparse.Namespace) -> int:
    from antema import nets

    for card in nets.models():
        print(f"{card.name:24} {card.task:14} {card.title}")
    return OK


def _models_verify(_: argparse.Namespace) -> int:
    from antema import nets

    failures: list[str] = []
    for card in nets.models():
        try:
            nets.verify(card.name)
        except AntemaError as error:
            failures.append(str(error))
        else:
            print(f"{card.name}: the weights are those of the card")
    return _report_failures(failures)


def _serve(options: argparse.Namespace) -> int:
    # Read by the settings when they are first asked for, in this process and in the server's.
    for name in ("host", "port"):
        if getattr(options, name) is not None:
            os.environ[f"ANTEMA_{name.upper()}"] = str(getattr(options, name))
    from antema.web.serve import serve

    serve()
    return OK
