"""The same micrographs on the command line, in the dashboard and in a notebook give the same numbers."""

import json
from pathlib import Path

import pandas as pd
import pytest

import antema
from antema import jobs
from antema.batch import analyse_paths
from antema.domain import Recipe, View
from antema.imaging import read_safely
from antema.reports import images_csv, particles_csv, summary_json
from antema.storage import Store
from antema.web import report_data
from tests.strategies.micrograph_files import RobustSegmenter, without_network, write_bare, write_micrograph
from tests.strategies.pages_store import pages_store
from tests.strategies.stored import discs

SAMPLE = "Au 2 nm"
BARE_NM = 0.125


@pytest.fixture
def store(tmp_path, monkeypatch):
    yield from pages_store(tmp_path / "data", monkeypatch)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A dozen images whose order by name is another one than by number, and one without a scale."""
    folder = tmp_path / "images"
    for seed in range(11):
        write_micrograph(folder / f"image {seed}.tif", seed, n=1 + seed % 4)
    write_bare(folder / "bare.tif", discs(77))
    return folder


def in_the_dashboard(store: Store, folder: Path, order: list[int], recipe: Recipe) -> int:
    """Upload the files of the folder in this order, analyse them, and return the analysis."""
    sample = store.create_sample(SAMPLE, by="Ann")
    paths = sorted(folder.iterdir())
    for place in order:
        upload = store.incoming_dir / f"upload-{place}"
        upload.write_bytes(paths[place].read_bytes())
        read = read_safely(upload, name=paths[place].name)
        stored = store.add_micrograph(sample.id, read, upload, filename=paths[place].name, by="Ann")
        if not stored.pixel_size.is_known:
            store.set_pixel_size([stored.id], BARE_NM, by="Ann")
    job = jobs.run(jobs.start(store, sample.id, recipe, "Ann").id, store.data_dir)
    assert (job.status, job.images_done, job.images_failed) == ("done", len(paths), 0)
    return job.analysis_id


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(convention="antema", separation="watershed")], ids=["ours", "old"])
def test_command_line_and_dashboard_agree_to_the_last_digit(recipe, store, folder, tmp_path, monkeypatch):
    without_network(monkeypatch)
    out = tmp_path / "out"
    outcome = analyse_paths([folder], out, recipe=recipe, sample=SAMPLE, pixel_size_nm=BARE_NM)
    assert (len(outcome.done), outcome.failed) == (12, [])
    by_name = [7, 11, 0, 3, 9, 1, 5, 10, 2, 8, 6, 4]
    analysis_id = in_the_dashboard(store, folder, by_name, recipe)
    report = report_data.sample_report(analysis_id, View(), by="Ann", pictures=False)
    assert [image.name for image in report.images] != outcome.done, "they were uploaded in another order"

    assert particles_csv(report.table) == (out / "particles.csv").read_bytes()

    here = json.loads((out / "summary.json").read_text())
    there = json.loads(summary_json(report))
    for summary in (here, there):
        del summary["sample"], summary["provenance"]
    assert here["quantities"]["equivalent_diameter_nm"]["interval_method"] == "bootstrap of whole images"
    assert here["quantities"]["equivalent_diameter_nm"]["mean"]["low"] is not None
    assert here == there

    def by_image(table: bytes) -> list[str]:
        # who gave the scale is not the same: a person in a browser, an option on the command line
        return sorted(
            table.decode().replace(f"{BARE_NM},user: Ann", "").replace(f"{BARE_NM},command line", "").splitlines()
        )

    assert by_image(images_csv(report)) == by_image((out / "images.csv").read_bytes())


def test_a_notebook_gives_the_same_table(folder, tmp_path):
    segmenter = RobustSegmenter()
    out = tmp_path / "out"
    analyse_paths([folder], out, recipe=Recipe(), sample=SAMPLE, segmenter=segmenter)
    tables = []
    for path in sorted(folder.glob("image*.tif")):
        analysis = antema.analyse(antema.read(path), antema.Recipe(), segmenter=segmenter)
        assert set(analysis.table["image"]) == {path.name}
        tables.append(analysis.table.assign(sample=SAMPLE))
    assert particles_csv(pd.concat(tables)) == (out / "particles.csv").read_bytes()


def test_a_mask_in_a_notebook_gives_the_same_table(tmp_path):
    from antema.batch import measure_masks

    mask = discs(3) > 100
    path = write_bare(tmp_path / "mask.tif", mask.astype("uint8"))
    measure_masks([path], tmp_path / "out", recipe=Recipe(), pixel_size_nm=0.1)
    table = antema.measure(mask, 0.1, name="mask.tif").assign(sample=tmp_path.name)
    assert particles_csv(table) == (tmp_path / "out" / "particles.csv").read_bytes()
