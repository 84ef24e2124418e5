import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from pypdf import PdfReader

from antema import batch
from antema.analysis.classification import NO_MODEL
from antema.batch import Outcome, analyse_paths, measure_masks
from antema.domain import (
    CRYSTALLINITIES,
    PARTICLE_COLUMNS,
    Annotations,
    AntemaError,
    Box,
    Recipe,
    ScaleBar,
    View,
)
from antema.imaging import file_sha256
from antema.imaging.palette import CRYSTALLINITY_COLOURS, rgb
from tests.strategies.classifying import DrawsClasses
from tests.strategies.judging import KNOWN, STRANGE, Judge
from tests.strategies.micrograph_files import RobustSegmenter, write_bare, write_micrograph
from tests.strategies.stored import NM, discs


def run(paths, out: Path, **options) -> Outcome:
    return analyse_paths(
        [Path(path) for path in paths], out, **{"recipe": Recipe(), "segmenter": RobustSegmenter(), **options}
    )


def rows(out: Path, table: str = "particles.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((out / table).read_text("utf-8"))))


def record(out: Path) -> dict:
    return json.loads((out / "run.json").read_text("utf-8"))


def files(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results" / "of today"


@pytest.fixture
def folder(tmp_path):
    """Two micrographs: three discs, and two with a third that the edge cuts."""
    folder = tmp_path / "batch A"
    write_micrograph(folder / "first.tif", 1)
    pixels = discs(2, 2)
    rows, columns = np.mgrid[:96, :96]
    pixels[np.hypot(rows - 80, columns) < 8] = 200
    pixels[90, 90] = 200  # one pixel, which cleaning removes
    tifffile.imwrite(folder / "second.tif", pixels, imagej=True, resolution=(1 / NM, 1 / NM), metadata={"unit": "nm"})
    return folder


def test_what_a_network_says_of_each_image_is_told_everywhere(folder, out):
    outcome = run([folder], out, segmenter=Judge(trusts=[STRANGE, KNOWN]))
    assert outcome.remarks == [f"first.tif: {STRANGE.warning}"]
    first, second = rows(out, "images.csv")
    assert (first["trust"], float(first["trust_score"]), first["polarity"]) == ("outside", STRANGE.score, "bright")
    assert (first["trust_reasons"], first["working_scales"]) == (" ".join(STRANGE.reasons), "1; 0.5")
    assert (second["trust"], second["trust_reasons"]) == ("within", "")
    inputs = record(out)["inputs"]
    assert [given["trust"]["verdict"] for given in inputs] == ["outside", "within"]
    assert (inputs[0]["polarity"], inputs[0]["working_scales"]) == ("bright", [1.0, 0.5])
    told = json.loads((out / "summary.json").read_text("utf-8"))["trust"]
    assert {name: told[name] for name in ("within", "doubtful", "outside", "unknown")} == {
        "within": 1,
        "doubtful": 0,
        "outside": 1,
        "unknown": 0,
    }
    assert told["warnings"] == {"first.tif": STRANGE.to_dict()}
    report = " ".join(PdfReader(out / "report.pdf").pages[0].extract_text().split())
    note = report.index("1 of 2 micrographs is not of the kind that the network knows well")
    assert note < report.index("Particles measured")
    assert STRANGE.reasons[0] in report


def test_crystallinity_is_told_everywhere(folder, out):
    view = View(crystallinity_certainty=0.95)
    run([folder], out, classifier=DrawsClasses(certainties=(0.9, 0.99)), view=view)
    table = [row for row in rows(out) if row["status"] == "measured"]
    assert {row["crystallinity_certainty"] for row in table} == {"0.95"}
    for row in table:
        sure = float(row["confidence"]) >= 0.95
        assert (row["crystallinity"] == "unknown") == (not sure)
        assert row["crystallinity_reason"] == ("" if sure else "uncertain")
        assert sum(float(row[f"p_{name}"]) for name in CRYSTALLINITIES) == pytest.approx(1)
    assert {row["crystallinity"] for row in rows(out) if row["status"] == "dropped"} == {""}
    told = json.loads((out / "summary.json").read_text("utf-8"))
    unknown = sum(row["crystallinity"] == "unknown" for row in table)
    assert 0 < unknown < len(table)
    assert told["crystallinity"]["certainty"] == 0.95
    assert told["crystallinity"]["unknown"]["uncertain"]["n"] == unknown
    assert sum(int(image["n_unknown"]) for image in rows(out, "images.csv")) == unknown
    model = {"name": "drawn-classes", "sha256": "c" * 64}
    assert told["crystallinity_model"] == record(out)["crystallinity_model"] == model
    report = " ".join(" ".join(page.extract_text().split()) for page in PdfReader(out / "report.pdf").pages)
    assert "Below a certainty of 0.95" in report
    assert "drawn-classes" in report
    assert "c" * 8 in report
    pictured = np.asarray(Image.open(out / "overlays" / "first.png")).reshape(-1, 3)
    shown = {name for row in table if row["image"] == "first.tif" and (name := row["crystallinity"])}
    assert shown
    for name in shown:
        assert (pictured == rgb(CRYSTALLINITY_COLOURS[name])).all(axis=1).any()


def test_without_a_crystallinity_model_the_images_say_so(folder, out):
    run([folder], out)
    assert all(NO_MODEL in image["notes"] for image in rows(out, "images.csv"))
    assert {image["n_unknown"] for image in rows(out, "images.csv")} == {""}
    assert record(out)["crystallinity_model"] is None
    assert "crystallinity_certainty" not in rows(out)[0]


def test_of_masks_no_network_says_anything(out, tmp_path):
    Image.fromarray(discs(1) > 100).save(tmp_path / "mask.png")
    measure_masks([tmp_path / "mask.png"], out, recipe=Recipe(), pixel_size_nm=NM)
    (row,) = rows(out, "images.csv")
    assert [row[name] for name in ("trust", "trust_score", "polarity", "working_scales")] == [""] * 4
    assert "trust" not in record(out)["inputs"][0]


def test_every_file_of_the_layout(folder, out):
    outcome = run([folder], out)
    assert files(out) == {
        "particles.csv",
        "images.csv",
        "summary.json",
        "report.pdf",
        "run.json",
        *(f"overlays/{stem}.png" for stem in ("first", "second")),
        *(f"masks/{stem}_segmentation.png" for stem in ("first", "second")),
        *(f"masks/{stem}_instances.tif" for stem in ("first", "second")),
    }
    assert (outcome.done, outcome.failed, outcome.skipped) == (["first.tif", "second.tif"], [], [])
    assert outcome.particles == 5
    assert outcome.sentence == f"5 particles in 2 images: {out}"
    assert tuple((out / "particles.csv").read_text().splitlines()[0].split(",")) == PARTICLE_COLUMNS
    assert {row["sample"] for row in rows(out)} == {"batch A"}, "the folder names the sample"
    images = {row["image"]: row for row in rows(out, "images.csv")}
    assert (images["second.tif"]["n_measured"], images["second.tif"]["n_dropped"]) == ("2", "2")
    assert images["second.tif"]["sha256"] == file_sha256(folder / "second.tif")
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["n_measured"], summary["n_images"], summary["model"]["name"]) == (5, 2, "threshold")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")


def test_masks_are_those_of_the_table(folder, out):
    run([folder], out)
    raw = np.asarray(Image.open(out / "masks/second_segmentation.png"))
    pixels = tifffile.imread(folder / "second.tif")
    assert raw.dtype == np.uint8
    np.testing.assert_array_equal(raw, np.where(pixels > 100, 255, 0), err_msg="the map before any cleaning")
    pages = tifffile.imread(out / "masks/second_instances.tif")
    assert pages.dtype == np.uint16
    table = [row for row in rows(out) if row["image"] == "second.tif"]
    assert sorted(np.unique(pages[pages > 0])) == sorted(int(row["particle"]) for row in table)
    assert {row["drop_reason"] for row in table} == {"", "touches_border", "too_small"}, "dropped ones are in it too"
    for row in table:
        y, x = np.nonzero(np.atleast_3d(pages.T).T.reshape(-1, 96, 96).max(axis=0) == int(row["particle"]))
        box = (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        assert box == tuple(int(row[f"bbox_{name}_px"]) for name in "xywh")
    overlay = np.asarray(Image.open(out / "overlays/second.png"))
    assert overlay.shape == (96, 96, 3)
    assert np.ptp(overlay.astype(int), axis=2).any(), "the outlines have a colour"


def test_overlapping_particles_are_whole_on_one_page_each(tmp_path, out):
    side = 160
    y, x = np.mgrid[:side, :side]
    pixels = np.zeros((side, side), np.uint8)
    for place in (62, 98):
        pixels[np.hypot(y - 80, x - place) < 24] = 200
    path = write_bare(tmp_path / "pair.tif", pixels)
    run([path], out, pixel_size_nm=NM)
    table = rows(out)
    assert [row["separated"] for row in table] == ["true", "true"]
    with tifffile.TiffFile(out / "masks/pair_instances.tif") as file:
        pages = [page.asarray() for page in file.pages]
    for number in (1, 2):
        on = [page for page in pages if (page == number).any()]
        assert len(on) == 1
        area_nm2 = np.count_nonzero(on[0] == number) * NM**2
        assert area_nm2 == pytest.approx(float(table[number - 1]["area_nm2"]), rel=0.03)


def test_a_run_can_be_done_again_from_its_record_alone(folder, out, tmp_path):
    (folder / "notes.txt").write_text("Tuesday")
    recipe = Recipe(separation="watershed", min_diameter_nm=0.7)
    run([folder], out, recipe=recipe, sample="Au", pixel_size_nm=0.2, override_scale=True)
    told = record(out)
    assert told["model"]["sha256"] == RobustSegmenter.sha256
    assert told["recipe_fingerprint"] == recipe.fingerprint()
    assert {"jax", "numpy", "scipy", "scikit-image", "tifffile"} <= set(told["libraries"])
    assert told["software_version"]
    assert told["algorithm_version"]
    assert [Path(entry["path"]).name for entry in told["inputs"]] == ["first.tif", "notes.txt", "second.tif"]
    for entry in told["inputs"]:
        assert entry["sha256"] == file_sha256(Path(entry["path"]))
        if entry["status"] == "done":
            assert (entry["pixel_size_nm"], entry["pixel_size_source"]) == (0.2, "command line")
    assert told["outputs"].keys() == files(out) - {"run.json", "summary.json", "report.pdf"}

    again = tmp_path / "again"
    options = dict(told["options"])
    run(options.pop("paths"), again, recipe=Recipe.from_dict(told["recipe"]), **options)
    assert record(again)["outputs"] == told["outputs"]
    for name, sha256 in told["outputs"].items():
        assert file_sha256(again / name) == sha256
    assert {**record(again), "date": ""} == {**told, "date": ""}


def test_inputs_of_one_stem_stay_apart(tmp_path, out):
    paths = [
        write_micrograph(tmp_path / "a" / "x.tif", 1),
        write_micrograph(tmp_path / "b" / "x.tif", 2),
        write_micrograph(tmp_path / "b" / "X.tiff", 3),
        write_micrograph(tmp_path / "c" / "x-2.tif", 4),
    ]
    outcome = run(paths, out)
    assert outcome.done == ["x.tif", "x-2.tif", "X-3.tiff", "x-2-2.tif"]
    assert [entry["stem"] for entry in record(out)["inputs"]] == ["x", "x-2", "X-3", "x-2-2"]
    assert {path for path in files(out) if path.startswith("overlays")} == {
        "overlays/x.png",
        "overlays/x-2.png",
        "overlays/X-3.png",
        "overlays/x-2-2.png",
    }
    assert {row["image"] for row in rows(out)} == set(outcome.done)
    assert outcome.remarks == []


def test_the_same_bytes_twice_are_remarked_on(tmp_path, out):
    paths = [write_micrograph(tmp_path / name, 1) for name in ("x.tif", "y.tif")]
    outcome = run(paths, out)
    assert outcome.remarks == ["y.tif holds the same bytes as x.tif: its particles count twice."]
    assert outcome.failed == []
    assert outcome.remarks[0] in rows(out, "images.csv")[1]["notes"]


def test_what_else_lies_in_a_folder_is_skipped_and_a_broken_image_is_not(folder, out):
    (folder / "notes.txt").write_text("Tuesday")
    (folder / "empty.log").touch()
    (folder / ".hidden.tif").write_bytes(b"?")
    (folder / "below").mkdir()
    np.save(folder / "profile.npy", np.arange(9.0))
    (folder / "broken.tif").write_bytes((folder / "first.tif").read_bytes()[:3000])
    outcome = run([folder], out)
    assert outcome.done == ["first.tif", "second.tif"]
    assert [sentence.split()[0] for sentence in outcome.skipped] == ["empty.log", "notes.txt", "profile.npy"]
    (failed,) = outcome.failed
    assert failed.startswith("broken.tif cannot be read: ")
    assert outcome.sentence == f"5 particles in 2 images, 1 failed: {out}"
    table = rows(out, "images.csv")
    assert [(row["image"], row["status"]) for row in table] == [
        ("broken.tif", "failed"),
        ("first.tif", "done"),
        ("second.tif", "done"),
    ]
    assert table[0]["error"] == failed
    assert table[0]["sha256"] == file_sha256(folder / "broken.tif")
    assert {entry["status"] for entry in record(out)["inputs"]} == {"done", "failed", "skipped"}


@pytest.mark.parametrize("content", [(), ("notes.txt",)], ids=["empty", "no image"])
def test_a_folder_without_images_fails(tmp_path, out, content):
    folder = tmp_path / "nothing"
    folder.mkdir()
    for name in content:
        (folder / name).write_text("Tuesday")
    outcome = run([folder, write_micrograph(tmp_path / "a" / "x.tif", 1)], out)
    assert outcome.failed == [f"{folder}: expected a folder of micrographs, found none in it"]
    assert outcome.done == ["x.tif"]


def test_all_files_are_there_when_nothing_could_be_analysed(tmp_path, out):
    outcome = run([tmp_path / "absent.tif"], out)
    assert outcome.failed == ["absent.tif cannot be read: there is no such file."]
    assert files(out) == {"particles.csv", "images.csv", "summary.json", "report.pdf", "run.json"}
    assert rows(out) == []
    assert record(out)["inputs"][0]["sha256"] is None


def test_a_pixel_size_serves_files_without_one_and_replaces_others_on_demand(tmp_path, out):
    paths = [write_micrograph(tmp_path / "own.tif", 1, nm=0.25), write_bare(tmp_path / "bare.tif", discs(2))]
    outcome = run(paths, out)
    assert outcome.done == ["own.tif"]
    (sentence,) = outcome.failed
    assert sentence.startswith("bare.tif: expected a pixel size in nm, found none")
    assert "--pixel-size" in sentence

    def sizes(**options):
        run(paths, out, pixel_size_nm=0.5, **options)
        return {
            row["image"]: (float(row["pixel_size_nm"]), row["pixel_size_source"]) for row in rows(out, "images.csv")
        }

    assert sizes()["bare.tif"] == (0.5, "command line")
    nm, source = sizes()["own.tif"]
    assert nm == pytest.approx(0.25)
    assert source.startswith("file: ")
    assert set(sizes(override_scale=True).values()) == {(0.5, "command line")}


def found_in(monkeypatch, bar):
    monkeypatch.setattr(batch, "find_annotations", lambda _: Annotations(bar, ()))


def test_a_scale_bar_is_offered_and_never_taken(tmp_path, out, monkeypatch):
    found_in(monkeypatch, ScaleBar(51.0, Box(20, 80, 51, 4), "20 nm", 20.0))
    outcome = run([write_bare(tmp_path / "bare.tif", discs(2))], out)
    (sentence,) = outcome.failed
    assert sentence.startswith("bare.tif: expected a pixel size in nm, found none")
    assert sentence.endswith("its scale bar (51 px, labelled “20 nm”) offers --pixel-size 0.3922")
    (row,) = rows(out, "images.csv")
    assert (row["status"], row["pixel_size_nm"]) == ("failed", "")
    assert float(row["bar_pixel_size_nm"]) == pytest.approx(20 / 51)


def test_a_scale_bar_that_disagrees_is_told_everywhere(tmp_path, out, monkeypatch):
    found_in(monkeypatch, ScaleBar(50.0, Box(20, 80, 50, 4), "6 nm", 6.0))
    path = write_micrograph(tmp_path / "a.tif", 1)
    outcome = run([path], out)
    words = "gives 0.12 nm/px, 20.0 % more than the file's 0.1 nm/px"
    (remark,) = outcome.remarks
    assert remark.startswith("a.tif: The scale bar (50 px, labelled “6 nm”)")
    assert words in remark
    assert (outcome.done, outcome.failed) == (["a.tif"], [])
    (row,) = rows(out, "images.csv")
    assert words in row["notes"]
    assert (float(row["pixel_size_nm"]), float(row["bar_pixel_size_nm"])) == (pytest.approx(0.1), 0.12)
    assert words in json.loads((out / "summary.json").read_text())["scale_warnings"][0]
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(out / "report.pdf").pages).split())
    assert text.count("20.0 % more than the file's") >= 2, "on the cover, and beside the picture"
    assert "file: ImageJ" in text

    outcome = run([path], out, pixel_size_nm=0.12, override_scale=True)
    assert outcome.remarks == ["a.tif: The given 0.12 nm/px is 20.0 % more than the file's 0.1 nm/px."]


def test_a_failing_search_for_the_scale_bar_is_told(tmp_path, out, monkeypatch):
    def fail(_):
        msg = "no letters today"
        raise RuntimeError(msg)

    monkeypatch.setattr(batch, "find_annotations", fail)
    outcome = run([write_micrograph(tmp_path / "a.tif", 1)], out)
    assert outcome.done == ["a.tif"]
    assert outcome.remarks == ["a.tif: The search for a scale bar failed (RuntimeError: no letters today)."]


def test_an_image_that_breaks_the_program_fails_alone(folder, out):
    class Breaks(RobustSegmenter):
        def probability(self, pixels):
            if self.calls == 0:
                self.calls = 1
                msg = "index 7 is out of bounds"
                raise IndexError(msg)
            return super().probability(pixels)

    outcome = run([folder], out, segmenter=Breaks())
    assert outcome.failed == ["first.tif: unexpected error (IndexError: index 7 is out of bounds)"]
    assert outcome.done == ["second.tif"]


def test_the_data_of_an_emi_file_do_not_count_twice(folder, out):
    (folder / "series.emi").write_bytes(b"JK\x00\x02" + bytes(100))
    (folder / "series_1.ser").write_bytes(b"II\x97\x01")
    outcome = run([folder], out)
    assert outcome.skipped == ["series.emi holds no image of its own: it describes series_1.ser."]
    assert [sentence.split()[0] for sentence in outcome.failed] == ["series_1.ser"]


def test_names_that_no_table_could_hold(tmp_path, out):
    path = write_micrograph(tmp_path / "x.tif", 1)
    odd = path.rename(tmp_path / "Gr\udcf6\udcdfe: 4, =1+1.tif")
    outcome = run([odd, tmp_path / "\udcff.tif"], out)
    assert outcome.done == ["Gr\ufffd\ufffde: 4, =1+1.tif"]
    assert outcome.failed == ["\ufffd.tif cannot be read: there is no such file."]
    assert {row["image"] for row in rows(out)} == set(outcome.done)
    assert "overlays/Gr\ufffd\ufffde_ 4, =1+1.png" in files(out)


def test_results_need_a_folder(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(AntemaError, match="file: expected a folder that results can be written to"):
        run([folder], tmp_path / "file")


# --- masks of the user's own --------------------------------------------------------------------------------------


def disc_mask() -> np.ndarray:
    return discs(1) > 100


def test_a_binary_mask_is_separated_and_measured(tmp_path, out):
    mask = disc_mask()
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "grey.png")
    Image.fromarray(mask).save(tmp_path / "bits.png")
    write_bare(tmp_path / "ones.tif", mask.astype(np.uint16))
    paths = [tmp_path / name for name in ("grey.png", "bits.png", "ones.tif")]
    outcome = measure_masks(paths, out, recipe=Recipe(), pixel_size_nm=NM)
    assert (outcome.particles, outcome.failed) == (9, [])
    assert files(out) == {
        "particles.csv",
        "images.csv",
        "summary.json",
        "run.json",
        *(f"masks/{stem}_instances.tif" for stem in ("grey", "bits", "ones")),
    }
    tables: dict[str, list] = {}
    for row in rows(out):
        tables.setdefault(row.pop("image"), []).append(row)
    assert tables["grey.png"] == tables["bits.png"] == tables["ones.tif"]
    assert record(out)["options"] == {"masks": [str(path) for path in paths], "pixel_size_nm": NM}


def test_an_instance_map_of_several_pages_keeps_its_numbers(tmp_path, out):
    y, x = np.mgrid[:96, :96]
    pages = np.zeros((2, 96, 96), np.uint16)
    pages[0][np.hypot(y - 40, x - 40) < 12] = 7
    pages[1][np.hypot(y - 48, x - 48) < 12] = 300
    tifffile.imwrite(tmp_path / "pages.tif", pages, photometric="minisblack")
    tifffile.imwrite(tmp_path / "page.tif", pages.max(axis=0))
    outcome = measure_masks([tmp_path / "pages.tif", tmp_path / "page.tif"], out, recipe=Recipe(), pixel_size_nm=NM)
    assert outcome.failed == []
    found = {(row["image"], int(row["particle"])): float(row["area_nm2"]) for row in rows(out)}
    assert found.keys() == {("pages.tif", 7), ("pages.tif", 300), ("page.tif", 7), ("page.tif", 300)}
    disc = np.count_nonzero(pages[0]) * NM**2
    assert found["pages.tif", 7] == pytest.approx(disc, rel=0.02), "whole, though another lies over it"
    assert found["pages.tif", 300] == pytest.approx(disc, rel=0.02)
    assert found["page.tif", 7] < 0.9 * disc
    assert not any(name.startswith("masks/") for name in files(out))


def test_what_is_no_mask(tmp_path, out):
    Image.fromarray(discs(1)).save(tmp_path / "picture.png")
    write_bare(tmp_path / "float.tif", np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64))
    (tmp_path / "text.png").write_text("mask")
    write_bare(tmp_path / "good.tif", disc_mask().astype(np.uint8))
    with tifffile.TiffWriter(tmp_path / "sizes.tif") as writer:
        for side in (64, 65):
            writer.write(np.ones((side, side), np.uint16), metadata=None, contiguous=False)
    names = ["picture.png", "float.tif", "text.png", "sizes.tif", "good.tif", "absent.png"]
    outcome = measure_masks([tmp_path / name for name in names], out, recipe=Recipe(), pixel_size_nm=NM)
    assert outcome.done == ["good.tif"]
    expected = "expected a binary mask (one value beside 0) or instance numbers of 16 bits, found 1 page of "
    assert outcome.failed[0].startswith(f"picture.png: {expected}uint8 with ")
    assert outcome.failed[1].startswith(f"float.tif: {expected}float32 with ")
    assert outcome.failed[2].startswith("text.png cannot be read: ")
    assert outcome.failed[3] == (
        "sizes.tif: expected the pages of an instance map to have one size, found 64 x 64, 65 x 65"
    )
    assert outcome.failed[4] == "absent.png cannot be read: there is no such file."


def test_an_empty_mask_holds_nothing(tmp_path, out):
    write_bare(tmp_path / "empty.tif", np.zeros((64, 64), np.uint16))
    outcome = measure_masks([tmp_path / "empty.tif"], out, recipe=Recipe(), pixel_size_nm=NM)
    assert (outcome.particles, outcome.failed) == (0, [])
    assert rows(out) == []
    assert rows(out, "images.csv")[0]["notes"] == "No particle was found."
