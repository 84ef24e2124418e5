"""What cannot be analysed, on the command line and in a job: one clear sentence, and the rest is done."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from antema import jobs
from antema.cli import main
from antema.domain import Micrograph, NotAnImage, PixelSize, Recipe
from antema.imaging import file_sha256, read, read_safely
from antema.storage import open_store
from tests.strategies.em_files import write_dm3
from tests.strategies.micrograph_files import RobustSegmenter, without_network, write_bare, write_micrograph
from tests.strategies.stored import NM, add_micrograph, discs


@pytest.fixture
def segmenter(monkeypatch) -> RobustSegmenter:
    return without_network(monkeypatch)


@dataclass(frozen=True)
class Bad:
    """A file that cannot be analysed: its name, how it is made, and what is said of it after the name."""

    name: str
    write: Callable[[Path], object]
    sentence: str


def truncated(path: Path) -> None:
    write_dm3(path, discs(1).astype(np.uint16))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


BAD = {
    "truncated": Bad(
        "cut.dm3",
        truncated,
        r" cannot be read: .*(damaged or truncated|but the file has only|it ends inside of its tags).*",
    ),
    "text": Bad(
        "text.dm3",
        lambda path: path.write_text("x,y\n1,2\n"),
        r" cannot be read: expected a micrograph \(DM3, .*\), found a text file\.",
    ),
    "empty": Bad("empty.tif", lambda path: path.touch(), r" cannot be read: the file is empty\."),
    "spectrum": Bad(
        "spectrum.dm3",
        lambda path: write_dm3(path, np.arange(64, dtype=np.float32), 0.5, "eV"),
        r" holds no micrograph: it is a spectrum.*\.",
    ),
    "diffraction": Bad(
        "diffraction.dm3",
        lambda path: write_dm3(path, discs(1).astype(np.int16), 0.1, "1/nm"),
        r" holds no micrograph: it is a diffraction pattern .*\.",
    ),
    "constant": Bad(
        "constant.tif",
        lambda path: write_bare(path, np.full((64, 64), 1234, np.uint16)),
        r": expected an image with contrast, found the one grey value 1234",
    ),
    "no number": Bad(
        "void.tif",
        lambda path: write_bare(path, np.full((64, 64), np.nan, np.float32)),
        r": expected grey values, found none that is finite",
    ),
    "tiny": Bad(
        "tiny.tif",
        lambda path: write_bare(path, discs(1)[:20, :90]),
        r": expected at least 32 x 32 pixels, found 90 x 20",
    ),
}


@pytest.fixture(params=BAD.values(), ids=BAD.keys())
def bad(request) -> Bad:
    return request.param


def test_a_bad_file_fails_alone_on_the_command_line(bad, tmp_path, segmenter, capsys):
    good = write_micrograph(tmp_path / "good.tif", 1)
    path = tmp_path / bad.name
    bad.write(path)
    out = tmp_path / "out"
    assert main(["analyse", str(path), str(good), "--out", str(out), "--pixel-size", str(NM)]) == 1
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert re.fullmatch(re.escape(f"antema: {bad.name}") + bad.sentence, line)
    assert told.out == f"3 particles in 1 image, 1 failed: {out}\n"
    table = list(csv.DictReader(io.StringIO((out / "images.csv").read_text())))
    assert [(row["image"], row["status"], f"antema: {row['error']}") for row in table[:1]] == [
        (bad.name, "failed", line)
    ]


def test_a_bad_file_fails_alone_in_a_job(bad, tmp_path, segmenter):
    store = open_store(tmp_path / "data")
    sample = store.create_sample("Au", by="Ann")
    path = store.incoming_dir / bad.name
    bad.write(path)
    # As if the reader had taken it at the time of the upload: what it says now is what the job must survive.
    taken = Micrograph(discs(9), PixelSize(NM, "file: a tag"), bad.name, file_sha256(path), {})
    stored = store.add_micrograph(sample.id, taken, path, by="Ann")
    add_micrograph(store, sample.id, 1)
    job = jobs.run(jobs.start(store, sample.id, Recipe(), "Ann").id, store.data_dir)
    assert (job.status, job.images_done, job.images_failed, job.particles) == ("done", 2, 1, 3)
    failed, done = store.image_results(job.analysis_id)
    assert (failed.micrograph_id, failed.status, done.status) == (stored.id, "failed", "done")
    assert re.fullmatch(re.escape(bad.name) + bad.sentence, failed.error)
    assert set(store.particles(job.analysis_id)["image"]) == {"image-1.tif"}
    store.close()


def write_rgb(path: Path) -> Path:
    Image.fromarray(np.stack([discs(1)] * 3, axis=-1)).save(path)
    return path


def test_a_colour_picture_without_scale(tmp_path, segmenter, capsys):
    rgb = write_rgb(tmp_path / "rgb.png")
    good = write_micrograph(tmp_path / "good.tif", 1)
    out = tmp_path / "out"
    assert main(["analyse", str(rgb), str(good), "--out", str(out)]) == 1
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("antema: rgb.png: expected a pixel size in nm, found none: ")
    assert line.endswith("; --pixel-size gives it one")
    assert told.out.startswith("3 particles in 1 image, 1 failed: ")
    assert main(["analyse", str(rgb), "--out", str(out), "--pixel-size", str(NM)]) == 0
    assert capsys.readouterr().out.startswith("3 particles in 1 image: ")

    store = open_store(tmp_path / "data")
    sample = store.create_sample("Au", by="Ann")
    copy = store.incoming_dir / "rgb.png"
    copy.write_bytes(rgb.read_bytes())
    stored = store.add_micrograph(sample.id, read_safely(copy), copy, by="Ann")
    add_micrograph(store, sample.id, 1)
    job = jobs.run(jobs.start(store, sample.id, Recipe(), "Ann").id, store.data_dir)
    assert (job.status, job.images_done, job.images_failed, job.images_skipped) == ("done", 1, 0, 1)
    skipped = next(r for r in store.image_results(job.analysis_id, with_skipped=True) if r.micrograph_id == stored.id)
    assert skipped.status == "skipped"
    assert skipped.error.startswith("rgb.png: expected a pixel size, found none (")
    store.close()


def nan_pixels() -> np.ndarray:
    pixels = discs(1).astype(np.float32)
    pixels[:8] = np.nan
    pixels[50, 50:54] = np.inf
    return pixels


ODD = {
    "no particle": (np.random.default_rng(0).integers(0, 20, (96, 96)).astype(np.uint8), 0, "No particle was found."),
    "all particle": (
        np.random.default_rng(0).integers(190, 210, (96, 96)).astype(np.uint16),
        0,
        "The image seems to be all particle: 100 % of it is foreground.",
    ),
    "NaN pixels": (nan_pixels(), 3, ""),
}


@pytest.mark.parametrize(("pixels", "particles", "note"), ODD.values(), ids=ODD.keys())
def test_an_odd_image_is_analysed_and_remarked_on(pixels, particles, note, tmp_path, segmenter, capsys):
    path = write_bare(tmp_path / "odd.tif", pixels)
    out = tmp_path / "out"
    plain = ["--no-crystallinity", "--separation", "uecs"]
    assert main(["analyse", str(path), "--out", str(out), "--pixel-size", str(NM), *plain]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out == f"{particles} particles in 1 image: {out}\n"
    (row,) = csv.DictReader(io.StringIO((out / "images.csv").read_text()))
    assert row["notes"] == note
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")

    store = open_store(tmp_path / "data")
    sample = store.create_sample("Au", by="Ann")
    stored = store.add_micrograph(sample.id, read_safely(path), path, by="Ann")
    store.set_pixel_size([stored.id], NM, by="Ann")
    recipe = Recipe(crystallinity=False, separation="uecs")
    job = jobs.run(jobs.start(store, sample.id, recipe, "Ann").id, store.data_dir)
    assert (job.status, job.images_failed, job.particles) == ("done", 0, particles)
    (result,) = store.image_results(job.analysis_id)
    assert result.notes == ((note,) if note else ())
    store.close()


REAL = {
    "truncated": ("malformed/stem_trunc_25pct.dm3", "cannot be read"),
    "empty": ("malformed/stem_trunc_0B.dm3", "cannot be read: the file is empty"),
    "spectrum": ("dm/1D_test-EELS_spectrum.dm3", "holds no micrograph: it is a spectrum"),
    "spectrum image": ("dm/3D_EELS_SI.dm4", "holds no micrograph: it is a spectrum image"),
    "diffraction": ("dm/2D_test_diffraction_pattern.dm3", "holds no micrograph: it is a diffraction pattern"),
    "Fourier transform": ("dm/2D_test_fft_packed_complex8.dm4", "holds no micrograph: it is complex values"),
}


@pytest.mark.parametrize(("file", "words"), REAL.values(), ids=REAL.keys())
def test_real_files_that_are_no_micrographs(file, words, tmp_path, shared_data, segmenter, capsys):
    path = shared_data / "formats" / file
    if not path.is_file():
        pytest.skip(f"no {path}")
    good = write_micrograph(tmp_path / "good.tif", 1)
    out = tmp_path / "out"
    assert main(["analyse", str(path), str(good), "--out", str(out), "--pixel-size", str(NM)]) == 1
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith(f"antema: {path.name} {words}")
    assert told.out == f"3 particles in 1 image, 1 failed: {out}\n"


def test_a_folder_with_a_spectrum_in_it_is_done(tmp_path, segmenter, capsys):
    write_micrograph(tmp_path / "batch" / "good.tif", 1)
    spectrum = write_dm3(tmp_path / "batch" / "spectrum.dm3", np.arange(64, dtype=np.float32), 0.5, "eV")
    with pytest.raises(NotAnImage):
        read(spectrum)
    assert main(["analyse", str(tmp_path / "batch"), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("antema: skipped: spectrum.dm3 holds no micrograph: it is a spectrum")


def test_a_job_whose_gpu_is_not_there(tmp_path, monkeypatch):
    for name, value in (("ANTEMA_DEVICE", "gpu"), ("CUDA_VISIBLE_DEVICES", "")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    store = open_store(tmp_path / "data")
    sample = store.create_sample("Au", by="Ann")
    add_micrograph(store, sample.id, 1)
    job = jobs.start(store, sample.id, Recipe(), "Ann")
    assert jobs.spawn(job.id, store.data_dir).wait(120) == 1
    found = store.job(job.id)
    assert found.status == "failed"
    assert found.error.startswith("device: expected a GPU that JAX can use, found none")
    store.close()
