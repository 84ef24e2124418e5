import argparse
import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import antema.nets.card
import antema.simulation
import antema.training
import antema.web.serve
from antema import cli
from antema.cli import main
from antema.domain import AntemaError, Recipe
from antema.training.cases import Rules
from tests.strategies.classifying import DrawsClasses
from tests.strategies.em_files import particle_image, write_dm3, write_hspy
from tests.strategies.judging import STRANGE, Judge
from tests.strategies.micrograph_files import without_network, write_bare, write_micrograph, write_tiny_model
from tests.strategies.published_files import groschner_layers, write_keras
from tests.strategies.stored import NM, discs

PATIENCE_S = 120.0


@pytest.fixture
def segmenter(monkeypatch):
    return without_network(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "batch"
    for seed in (1, 2):
        write_micrograph(folder / f"image-{seed}.tif", seed)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def program(*arguments: str, prefix=(sys.executable, "-m", "antema"), **environment: str):
    return subprocess.run(
        [*prefix, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=os.environ | environment,
    )


# --- the package and the program ----------------------------------------------------------------------------------


def test_importing_costs_next_to_nothing_and_gives_the_functions():
    code = """
import sys, time
before = time.process_time()
import antema
spent = time.process_time() - before
heavy = {"jax", "dash", "flask", "pandas", "matplotlib", "rsciio", "scipy", "sqlalchemy"} & set(sys.modules)
assert not heavy, heavy
assert spent < 1, spent
assert set(antema.__all__) <= set(dir(antema))
for name in antema.__all__:
    getattr(antema, name)
assert "jax" not in sys.modules
try:
    antema.no_such_thing
except AttributeError as error:
    print(error)
"""
    found = program("-c", code, prefix=(sys.executable,))
    assert (found.returncode, found.stdout) == (0, "module 'antema' has no attribute 'no_such_thing'\n"), found.stderr


def test_the_module_is_the_program():
    script = str(Path(sys.executable).with_name("antema"))
    by_module, by_script = program("analyse", "--help"), program("analyse", "--help", prefix=(script,))
    assert by_module.returncode == by_script.returncode == 0
    assert by_module.stdout == by_script.stdout
    for option in (
        "--out",
        "--pixel-size",
        "--override-scale",
        "--sample",
        "--separation",
        "--convention",
        "--outline",
        "--model",
        "--no-crystallinity",
        "--crystallinity-model",
        "--certainty",
        "--material",
        "--recipe",
        "--device",
    ):
        assert option in by_module.stdout


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("antema ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["analyse", "x.tif"],
        ["analyse", "--out", "o"],
        ["analyse", "x.tif", "--out", "o", "--pixel-size", "0"],
        ["analyse", "x.tif", "--out", "o", "--pixel-size", "nan"],
        ["analyse", "x.tif", "--out", "o", "--pixel-size", "0.1nm"],
        ["analyse", "x.tif", "--out", "o", "--separation", "scissors"],
        ["analyse", "x.tif", "--out", "o", "--outline", "drawn"],
        ["analyse", "x.tif", "--out", "o", "--device", "abacus"],
        ["measure", "x.png", "--out", "o"],
        ["evaluate"],
        ["simulate", "micrographs", "--out", "o", "--count", "0", "--seed", "1"],
        ["simulate", "crystallinity", "--out", "o", "--count", "1", "--seed", "1", "--set", "real"],
        ["train", "segmentation", "--data", "d", "--out", "o", "--minutes", "-1"],
        ["models"],
        ["serve", "--port", "eighty"],
    ],
)
def test_wrong_usage_is_told_by_the_parser(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == cli.USAGE
    assert "usage: antema" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--override-scale"], "--override-scale: expected --pixel-size beside it, found none"),
        (["--model", "no-such"], "no model 'no-such' for segmentation; installed are: "),
        (["--recipe", "absent.json"], "--recipe absent.json: expected a JSON file with recipe parameters, found none"),
        (["--recipe", "list.json"], "--recipe list.json: expected a JSON object with recipe parameters, found list"),
        (["--recipe", "typo.json"], "recipe: unknown parameter minimum_nm; known are "),
        (["--recipe", "range.json"], "Convexity threshold: expected a number from 0.5 to 1, found 7"),
        (["--recipe", "kept.json", "--border-weighted"], "--border-weighted: expected a recipe that drops border part"),
    ],
)
def test_options_that_cannot_be_are_wrong_usage(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[1]")
    Path("typo.json").write_text('{"minimum_nm": 1}')
    Path("range.json").write_text('{"convexity_threshold": 7}')
    Path("kept.json").write_text('{"drop_border": false}')
    assert main(["analyse", "x.tif", "--out", "o", *arguments]) == cli.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"antema: {sentence}")
    assert not Path("o").exists()


def test_a_keyboard_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_read", interrupted)
    assert main(["read", "x"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "antema: interrupted\n"


# --- analyse ------------------------------------------------------------------------------------------------------


def test_analyse_says_what_it_did(folder, tmp_path, segmenter, capsys):
    (folder / "notes.txt").write_text("Tuesday")
    out = tmp_path / "out"
    assert main(["analyse", str(folder), "--out", str(out), "--sample", "Au 2 nm"]) == cli.OK
    told = capsys.readouterr()
    assert told.out == f"6 particles in 2 images: {out}\n"
    (line,) = told.err.splitlines()
    assert line.startswith("antema: skipped: notes.txt ")
    assert {row["sample"] for row in rows(out / "particles.csv")} == {"Au 2 nm"}
    command = json.loads((out / "run.json").read_text())["command"]
    assert command == f"antema analyse {folder} --out {out} --sample 'Au 2 nm'"


def test_analyse_fails_by_image_and_does_the_rest(folder, tmp_path, segmenter, capsys):
    broken = folder / "broken.tif"
    broken.write_bytes(b"II*\x00")
    out = tmp_path / "out"
    assert main(["analyse", str(tmp_path / "absent.dm3"), str(folder), "--out", str(out)]) == cli.SOME_FAILED
    told = capsys.readouterr()
    assert told.out == f"6 particles in 2 images, 2 failed: {out}\n"
    first, second = told.err.splitlines()
    assert first == "antema: absent.dm3 cannot be read: there is no such file."
    assert second.startswith("antema: broken.tif cannot be read: ")


def test_analyse_options_make_the_recipe(folder, tmp_path, segmenter):
    def recipe(*options: str) -> Recipe:
        out = tmp_path / "out"
        assert main(["analyse", str(folder), "--out", str(out), *options]) == cli.OK
        return Recipe.from_dict(json.loads((out / "run.json").read_text())["recipe"])

    assert recipe() == Recipe()
    assert recipe("--separation", "none", "--convention", "antema", "--no-crystallinity") == Recipe(
        separation="none", convention="antema", crystallinity=False
    )
    assert recipe("--outline", "atoms") == Recipe(outline="atoms")
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps({"separation": "watershed", "min_diameter_nm": 0.9}))
    assert recipe("--recipe", str(file)) == Recipe(separation="watershed", min_diameter_nm=0.9)
    assert recipe("--recipe", str(file), "--separation", "arcs") == Recipe(separation="arcs", min_diameter_nm=0.9)
    assert recipe("--recipe", str(file), "--separation", "none") == Recipe(separation="none", min_diameter_nm=0.9)
    before = tmp_path / "out" / "run.json"
    assert recipe("--recipe", str(before)) == Recipe(separation="none", min_diameter_nm=0.9)


def test_the_certainty_and_the_material_of_an_analysis(folder, tmp_path, segmenter, monkeypatch, capsys):
    monkeypatch.setattr("antema.batch.load_classifier", lambda recipe: DrawsClasses(certainties=(0.9,)))

    def analysed(*options: str) -> tuple[set[str], dict]:
        out = tmp_path / "out"
        assert main(["analyse", str(folder), "--out", str(out), *options]) == cli.OK
        found = {row["crystallinity"] for row in rows(out / "particles.csv") if row["status"] == "measured"}
        return found, json.loads((out / "run.json").read_text())

    found, told = analysed("--certainty", "0.95", "--material", "Au")
    assert found == {"unknown"}
    assert told["view"]["crystallinity_certainty"] == 0.95
    assert told["options"]["material"] == "Au"
    found, told = analysed()
    assert "unknown" not in found
    assert told["view"]["crystallinity_certainty"] == 0.8
    with pytest.raises(SystemExit):
        main(["analyse", str(folder), "--out", str(tmp_path / "out"), "--certainty", "80"])
    assert "expected a number from 0 to 1, found '80'" in capsys.readouterr().err


def test_a_crystallinity_model_must_be_one(folder, tmp_path, segmenter, capsys):
    arguments = ["analyse", str(folder), "--out", str(tmp_path / "out"), "--crystallinity-model"]
    assert main([*arguments, "unet-stride2"]) == cli.USAGE
    assert "model unet-stride2: expected one of crystallinity, found one of segmentation" in capsys.readouterr().err
    assert main([*arguments, "nowhere"]) == cli.USAGE
    assert "no model 'nowhere' for crystallinity" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "nowhere", "--no-crystallinity"])


def test_strange_images_have_a_line_each(folder, tmp_path, monkeypatch, capsys):
    without_network(monkeypatch)
    monkeypatch.setattr(antema.nets, "load", lambda _: Judge())
    arguments = ["analyse", str(folder), "--out", str(tmp_path / "out"), "--polarity", "bright"]
    assert main(arguments) == cli.OK
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f": {STRANGE.warning}")
    assert json.loads((tmp_path / "out" / "run.json").read_text())["recipe"]["polarity"] == "bright"


def test_masks_are_separated_without_a_network(tmp_path, capsys):
    arguments = ["measure", str(tmp_path / "mask.png"), "--pixel-size", "0.1", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--separation", "network"]) == cli.USAGE
    assert capsys.readouterr().err == (
        "antema: --separation: expected another one than network for masks, which no network has seen\n"
    )


def test_analyse_pixel_size(tmp_path, segmenter, capsys):
    paths = [write_micrograph(tmp_path / "own.tif", 1), write_bare(tmp_path / "bare.tif", discs(2))]
    out = tmp_path / "out"

    def images(*options: str) -> dict[str, float]:
        assert main(["analyse", *map(str, paths), "--out", str(out), *options]) == cli.OK
        return {row["image"]: float(row["pixel_size_nm"]) for row in rows(out / "images.csv")}

    assert images("--pixel-size", "0.3") == {"own.tif": pytest.approx(NM), "bare.tif": 0.3}
    assert images("--pixel-size", "0.3", "--override-scale") == {"own.tif": 0.3, "bare.tif": 0.3}


def test_analyse_without_a_usable_model_says_so_once(folder, tmp_path, monkeypatch, capsys):
    def fails(_: str) -> None:
        msg = "model default: the weight file is not the one of the card"
        raise AntemaError(msg)

    monkeypatch.setattr(antema.nets, "load", fails)
    assert main(["analyse", str(folder), "--out", str(tmp_path / "out")]) == cli.SOME_FAILED
    assert capsys.readouterr().err == "antema: model default: the weight file is not the one of the card\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_progress_bar_on_a_terminal_alone(folder, tmp_path, segmenter, monkeypatch, capsys):
    arguments = ["analyse", str(folder), "--out", str(tmp_path / "out")]
    assert main(arguments) == cli.OK
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(arguments) == cli.OK
    assert "2/2" in terminal.getvalue()


def test_a_network_gives_the_same_bytes_again(folder, tmp_path):
    """Two processes of their own, each with the real network code on the CPU."""
    write_tiny_model(tmp_path / "data" / "models" / "tiny")
    outputs = []
    for name in ("one", "two"):
        out = tmp_path / name
        found = program(
            *("analyse", str(folder), "--out", str(out), "--model", "tiny", "--device", "cpu"),
            ANTEMA_DATA=str(tmp_path / "data"),
        )
        assert (found.returncode, found.stderr) == (0, "")
        run = json.loads((out / "run.json").read_text())
        assert run["device"] == "CPU"
        assert len(run["model"]["sha256"]) == 64
        assert len(rows(out / "particles.csv")) > 0
        outputs.append(run["outputs"])
    assert outputs[0] == outputs[1]


def test_a_gpu_that_is_not_there(tmp_path):
    found = program(*("analyse", "x.tif", "--out", str(tmp_path / "out"), "--device", "gpu"), CUDA_VISIBLE_DEVICES="")
    assert found.returncode == cli.SOME_FAILED
    (line,) = found.stderr.splitlines()[-1:]
    assert line.startswith("antema: device: expected a GPU that JAX can use, found none")
    assert "Traceback" not in found.stderr


# --- measure, read ------------------------------------------------------------------------------------------------


def test_measure(tmp_path, capsys):
    write_bare(tmp_path / "mask.tif", (discs(1) > 100).astype(np.uint8))
    out = tmp_path / "out"
    arguments = ["measure", str(tmp_path / "mask.tif"), str(tmp_path / "absent.png"), "--out", str(out)]
    assert main([*arguments, "--pixel-size", "0.1", "--separation", "none"]) == cli.SOME_FAILED
    told = capsys.readouterr()
    assert told.out == f"3 particles in 1 image, 1 failed: {out}\n"
    assert told.err == "antema: absent.png cannot be read: there is no such file.\n"
    assert json.loads((out / "run.json").read_text())["recipe"]["separation"] == "none"


def test_masks_are_separated_by_uecs_unless_told_otherwise(tmp_path, capsys):
    write_bare(tmp_path / "mask.tif", (discs(1) > 100).astype(np.uint8))
    arguments = ["measure", str(tmp_path / "mask.tif"), "--pixel-size", "0.1"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == cli.OK
    assert json.loads((tmp_path / "out" / "run.json").read_text())["recipe"]["separation"] == "uecs"
    capsys.readouterr()
    assert main([*arguments, "--out", str(tmp_path / "two"), "--separation", "network"]) == cli.USAGE
    assert "expected another one than network for masks" in capsys.readouterr().err


def test_statistics_are_corrected_for_border_loss_when_asked(folder, tmp_path, segmenter):
    found = {}
    for options in ([], ["--border-weighted"]):
        out = tmp_path / f"out{len(options)}"
        assert main(["analyse", str(folder), "--out", str(out), *options]) == cli.OK
        found[bool(options)] = json.loads((out / "summary.json").read_text())
        assert json.loads((out / "run.json").read_text())["view"]["border_weighted"] is bool(options)
    assert [found[on]["border_weighted"] for on in (False, True)] == [False, True]
    plain, corrected = (found[on]["quantities"]["equivalent_diameter_nm"]["mean"]["value"] for on in (False, True))
    assert corrected > plain


def test_read_says_what_is_in_a_file(tmp_path, capsys):
    one = write_micrograph(tmp_path / "one.tif", 1)
    series = write_hspy(tmp_path / "series.hspy", np.stack([particle_image(seed=k) for k in range(2)]), step=0.2)
    bare = write_bare(tmp_path / "bare.tif", discs(3))
    text = tmp_path / "text.dm3"
    text.write_text("no micrograph")
    paths = [str(path) for path in (one, series, bare, text)]
    assert main(["read", *paths]) == cli.SOME_FAILED
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith(f"{one}: TIFF, 96 x 96 uint8, 0.1 nm/px (file: ")
    assert [line.partition(": ")[0] for line in lines[1:3]] == [f"{series} [frame {k} of 2]" for k in (1, 2)]
    assert ": HyperSpy, 64 x 48 uint16, 0.2 nm/px (file: " in lines[1]
    assert lines[3].startswith(f"{bare}: TIFF, 96 x 96 uint8, no scale (none: ")
    assert len(lines) == 4
    (line,) = told.err.splitlines()
    assert line.startswith("antema: text.dm3 cannot be read: expected a micrograph ")
    assert line.endswith("found a text file.")

    assert main(["read", *paths, "--json"]) == cli.SOME_FAILED
    found = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in found] == [paths[0], paths[1], paths[1], paths[2], paths[3]]
    assert all(
        {"file", "kind", "shape", "dtype", "pixel_size_nm", "source", "error"} <= entry.keys() for entry in found
    )
    assert found[0]["pixel_size_nm"] == pytest.approx(0.1)
    assert (found[1]["shape"], found[1]["dtype"], found[1]["image"]) == ([48, 64], "uint16", "frame 1 of 2")
    assert found[3]["pixel_size_nm"] is None
    assert found[3]["source"].startswith("none: ")
    assert all(entry["kind"] == "image" and entry["metadata"]["format"] for entry in found[:4])
    assert (found[4]["kind"], found[4]["shape"], found[4]["error"]) == (
        "unreadable",
        None,
        line.removeprefix("antema: "),
    )


def test_read_says_what_else_is_in_a_file(tmp_path, capsys):
    pattern = write_dm3(tmp_path / "pattern.dm3", particle_image(), 0.1, "1/nm")
    spectra = write_hspy(tmp_path / "spectra.hspy", np.ones((3, 4, 20)), recorded=1)
    wave = tmp_path / "wave.npy"
    np.save(wave, np.ones((4, 5), np.complex64))

    assert main(["read", "--json", *map(str, (pattern, spectra, wave))]) == cli.SOME_FAILED

    kinds = [entry["kind"] for entry in json.loads(capsys.readouterr().out)]
    assert kinds == ["diffraction pattern or Fourier transform", "spectrum image", "complex values"]


def test_read_takes_folders_and_patterns_and_tells_damage_of_the_pixels(tmp_path, capsys):
    (tmp_path / "below").mkdir()
    one = write_micrograph(tmp_path / "below" / "one.tif", 1)
    (tmp_path / "below" / "notes.txt").write_text("no micrograph")
    pattern = write_dm3(tmp_path / "pattern.dm3", particle_image(), 0.1, "1/nm")
    # whole in its header, cut in its pixels
    write_bare(tmp_path / "whole.png", discs(3))
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-200])

    assert main(["read", str(tmp_path / "below")]) == cli.OK
    assert capsys.readouterr().out.startswith(f"{one}: TIFF, ")
    assert main(["read", "--json", str(tmp_path / "*.dm3"), str(tmp_path / "cut.png")]) == cli.SOME_FAILED
    told = capsys.readouterr()
    refused, cut = json.loads(told.out)
    assert (refused["file"], refused["kind"]) == (str(pattern), "diffraction pattern or Fourier transform")
    assert "diffraction pattern" in refused["error"]
    assert (cut["kind"], cut["shape"]) == ("unreadable", None)
    assert len(told.err.splitlines()) == 2
    (tmp_path / "empty").mkdir()
    assert main(["read", str(tmp_path / "empty")]) == cli.SOME_FAILED


# --- what the other commands hand on ------------------------------------------------------------------------------


def test_evaluate_takes_the_files_own_scale_unless_told(monkeypatch, capsys):
    asked: list[dict] = []

    def evaluate(images: Path, instances: Path, out: Path, **options) -> dict:
        asked.append({"images": images, "instances": instances, "out": out, **options})
        options["progress"](1, 1)
        return {
            "images": 1,
            "pixel": {"iou_particle": 0.5, "dice_particle": 0.66, "accuracy": 0.9},
            "instance": {"ap50": None, "f1_50": 0.25},
            "f1_uncut": 0.4,
            "dice_outside_band": 0.7,
            "diameter_median_error": 0.175,
        }

    monkeypatch.setattr(antema.training, "evaluate_segmentation", evaluate)
    arguments = ["evaluate", "segmentation", "--images", "i", "--instances", "m", "--out", "o.json"]
    assert main(arguments) == cli.OK
    assert main([*arguments, "--pixel-size", "0.2", "--model", "classical"]) == cli.OK
    assert [(call["pixel_size_nm"], call["model"]) for call in asked] == [(None, "default"), (0.2, "classical")]
    assert (asked[0]["images"], asked[0]["instances"], asked[0]["out"]) == (Path("i"), Path("m"), Path("o.json"))
    line = (
        "1 images: IoU 0.500, Dice 0.660, accuracy 0.900, instance AP50 unknown, F1 0.250, "
        "F1 of uncut particles 0.400, Dice outside the band 0.700, median diameter error +17.5 %"
    )
    assert capsys.readouterr().out.splitlines() == [line, line]
    assert main([*arguments, "--separation", "network"]) == cli.OK
    assert (asked[0]["recipe"], asked[-1]["recipe"].separation) == (None, "network")
    assert (asked[0]["rules"], asked[0]["half_contrast"]) == (Rules(1.0, unlabelled_is_ground=True), False)
    assert main([*arguments, "--band", "3", "--half-contrast", "--unlabelled", "unknown"]) == cli.OK
    assert (asked[-1]["rules"], asked[-1]["half_contrast"]) == (Rules(3.0, unlabelled_is_ground=False), True)


def test_evaluate_compares_models_in_a_table_and_on_a_page(tmp_path, capsys):
    out = tmp_path / "set"
    assert (
        main(["simulate", "micrographs", "--out", str(out), "--count", "1", "--seed", "3", "--size", "128"]) == cli.OK
    )
    arguments = ["evaluate", "segmentation", "--images", str(out / "images"), "--instances", str(out / "instances")]
    arguments += ["--out", str(tmp_path / "e.json"), "--model", "classical", "--model", "bragg"]
    arguments += ["--page", str(tmp_path / "docs" / "page.md"), "--overlays", str(tmp_path / "overlays")]
    assert main(arguments) == cli.OK
    first, head, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("1 images")
    assert head.split()[:3] == ["model", "IoU", "Dice"]
    assert [row.split()[0] for row in rows] == ["classical", "bragg", "model", "classical", "bragg"]
    page = (tmp_path / "docs" / "page.md").read_text()
    assert f"`{shlex.join(['antema', *arguments])}`" in page
    assert "| classical | " in page
    assert len(list((tmp_path / "overlays" / "bragg").glob("*.png"))) == 1


def test_simulate_writes_particles_with_their_classes(tmp_path):
    out = tmp_path / "set"
    assert (
        main(["simulate", "crystallinity", "--out", str(out), "--count", "2", "--seed", "3", "--set", "pattern"])
        == cli.OK
    )
    crops, masks = ({one.stem for one in (out / folder).iterdir()} for folder in ("crops", "masks"))
    assert crops == masks == {"crop_000003", "crop_000004"}
    assert (out / "labels.csv").read_text().startswith("name,class,lattice_visible,")


def test_simulate_writes_a_set_that_evaluate_reads(tmp_path):
    out = tmp_path / "set"
    assert (
        main(["simulate", "micrographs", "--out", str(out), "--count", "1", "--seed", "3", "--size", "128"]) == cli.OK
    )
    (image,), (instances,) = ([*(out / name).iterdir()] for name in ("images", "instances"))
    assert image.stem == instances.stem
    assert tifffile.imread(image).shape == (128, 128)


def test_train_hands_on_what_it_was_told(monkeypatch):
    asked: dict = {}

    def train(data: list[Path], out: Path, **options) -> None:
        options.pop("progress")(0.5, "half")
        asked.update(data=data, out=out, **options)

    monkeypatch.setattr(antema.training, "train_segmentation", train)
    arguments = ["train", "segmentation", "--data", "a", "b", "--out", "models/x", "--minutes", "2", "--seed", "5"]
    assert main(arguments) == cli.OK
    assert asked == {
        "data": [Path("a"), Path("b")],
        "out": Path("models/x"),
        "minutes": 2.0,
        "seed": 5,
        "device": "auto",
        "architecture": "unet-outlines",
        "start_from": None,
        "partly_labelled": [],
        "shares": None,
        "rate": None,
        "batch": None,
    }


def test_serve_hands_on_address_and_port(monkeypatch):
    for name in ("ANTEMA_HOST", "ANTEMA_PORT"):
        monkeypatch.setenv(name, "before")
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        antema.web.serve, "serve", lambda: asked.append((os.environ["ANTEMA_HOST"], os.environ["ANTEMA_PORT"]))
    )
    assert main(["serve", "--host", "0.0.0.0", "--port", "8123"]) == cli.OK
    assert asked == [("0.0.0.0", "8123")]


def test_models_are_listed_and_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(antema.nets.card, "_SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path / "data"))
    assert main(["models", "list"]) == cli.OK
    assert capsys.readouterr().out == "no model is installed\n"
    assert main(["models", "verify"]) == cli.SOME_FAILED
    assert capsys.readouterr().err == "antema: expected installed models, found none\n"

    write_tiny_model(tmp_path / "shipped" / "tiny")
    other = write_tiny_model(tmp_path / "data" / "models" / "other")
    assert main(["models", "list"]) == cli.OK
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["tiny", "segmentation", "Tiny"],
        ["other", "segmentation", "Tiny"],
    ]
    assert main(["models", "verify"]) == cli.OK
    assert len(capsys.readouterr().out.splitlines()) == 2
    weights = other / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert main(["models", "verify"]) == cli.SOME_FAILED
    told = capsys.readouterr()
    assert told.out == "tiny: the weights are those of the card\n"
    assert told.err.startswith("antema: model other: the weight file is not the one of the card")


def test_models_are_imported_listed_and_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(antema.nets.card, "_SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("ANTEMA_DATA", str(tmp_path / "data"))
    good = write_keras(tmp_path / "good.h5", groschner_layers())
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"\x08\x07")
    assert main(["models", "import", str(bad), str(good)]) == cli.SOME_FAILED
    told = capsys.readouterr()
    assert told.out.startswith("groschner-unet: U-Net of Groschner et al., in ")
    assert told.err.startswith("antema: bad.onnx: expected an HDF5 file with the weights of ")
    assert len(told.err.splitlines()) == 1
    assert main(["models", "import", str(good), "--name", "second"]) == cli.OK
    assert main(["models", "import", str(good), str(good), "--name", "x"]) == cli.USAGE

    (tmp_path / "data" / "models" / "second" / "card.json").write_text("{")
    capsys.readouterr()
    assert main(["models", "list"]) == cli.OK
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines] == [["groschner-unet", "segmentation"], ["second", "broken"]]
    assert main(["models", "verify"]) == cli.SOME_FAILED
    told = capsys.readouterr()
    assert told.out == "groschner-unet: the weights are those of the card\n"
    assert told.err.startswith("antema: model second: expected a card with ")
