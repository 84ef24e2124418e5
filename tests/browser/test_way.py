"""The way of a new user, in a browser: sample, micrographs, analysis, distribution, review, comparison, downloads."""

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pypdf
import pypdfium2
import pytest
from playwright.sync_api import Locator, Page, expect

from antema.simulation import Camera, Optics, specimen_field, write_field
from antema.simulation.particles import Population
from antema.simulation.supports import Support
from tests.browser.conftest import Dashboard

pytestmark = pytest.mark.browser

_JOB_MS = 240_000


def gold_field(seed: int, folder: Path, size: int = 512) -> Path:
    """Write a calibrated field of gold, about 3 nm, and return the micrograph."""
    field = specimen_field(
        seed,
        shape=(size, size),
        pixel_size_nm=0.08,
        populations=[Population(diameter_nm=3.0, cover=0.12, arrangement="overlapping", overlap=0.05)],
        support=Support(thickness_nm=4.0),
        optics=Optics(),
        camera=Camera(shading=0.03),
    )
    return write_field(field, folder, f"field_{seed}")


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small calibrated fields of gold."""
    folder = tmp_path_factory.mktemp("fields")
    return [gold_field(seed, folder) for seed in (11, 12, 13)]


def new_sample(page: Page, dashboard: Dashboard, name: str) -> int:
    """Make a sample as a user does and return its id."""
    page.goto(dashboard.url)
    page.fill("#user-name", "Ada Lovelace")
    page.keyboard.press("Enter")
    page.click("text=New sample")
    page.fill("#sample-create-name", name)
    page.fill("#sample-create-material", "gold")
    page.fill("#sample-create-batch", "B-7")
    page.fill("#sample-create-synthesis_date", "2026-11-02")
    page.fill("#sample-create-operator", "Ada")
    page.fill("#sample-create-properties", "ligand: glutathione")
    page.click("#sample-create-save")
    expect(page.locator("#sample-name")).to_have_text(name)
    return int(page.url.rsplit("/", 1)[-1])


def upload(page: Page, files: list[Path]) -> None:
    """Choose files on the drop zone and wait until each was answered."""
    # what failed before stays on the page, what worked makes room
    before = page.locator(".upload-failed").count()
    with page.expect_file_chooser() as chooser:
        page.click(".drop-zone")
    chooser.value.set_files(files)
    expect(page.locator(".upload-done, .upload-failed")).to_have_count(before + len(files), timeout=120_000)


def analyse(page: Page, images: int) -> None:
    """Press Analyse and wait for the result of so many images."""
    page.click("#sample-analyse")
    expect(page.locator("#shell-jobs .job-line")).to_be_visible(timeout=30_000)
    expect(page.locator("#shell-jobs .job-line")).to_have_count(0, timeout=_JOB_MS)
    expect(tile(page, "Images")).to_have_text(str(images))
    expect(page.locator("#sample-analysis")).not_to_contain_text("running")
    page.wait_for_load_state("networkidle")


def tile(page: Page, label: str) -> Locator:
    """Return the value of one tile of the headline."""
    return page.locator(".tile", has=page.locator(f".tile-label:text-is('{label}')")).locator(".tile-value")


def download(page: Page, entry: str) -> bytes:
    """Return what an entry of the download menu gives."""
    page.click("#sample-downloads >> role=button")
    with page.expect_download(timeout=120_000) as started:
        page.click(f"#sample-downloads >> text={entry}")
    return Path(started.value.path()).read_bytes()


@pytest.mark.expects_errors("422 PUT", "409 PUT")
def test_from_micrographs_to_every_download(
    page: Page, dashboard: Dashboard, micrographs: list[Path], tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1500, "height": 950})
    sample = new_sample(page, dashboard, "Way")
    broken = tmp_path / "broken.dm3"
    broken.write_bytes(b"")
    text = tmp_path / "notes.dm4"
    text.write_text("no micrograph")
    copy = tmp_path / "copy.tif"
    copy.write_bytes(micrographs[0].read_bytes())

    upload(page, [*micrographs, broken, text])
    assert page.locator(".upload-failed").count() == 2
    assert "empty" in page.locator(".upload-failed", has_text="broken.dm3").inner_text()
    expect(page.locator("#sample-cards .card-micrograph")).to_have_count(3)
    assert "0.08 nm/px" in page.locator(".card-scale").first.inner_text()
    assert "file:" in page.locator(".card-scale").first.inner_text()
    upload(page, [copy])
    assert "field_11.tif" in page.locator(".upload-failed", has_text="copy.tif").inner_text()

    analyse(page, images=3)
    n_particles = int(tile(page, "Particles").inner_text())
    assert n_particles > 20
    assert "few" in page.locator(".statement").inner_text()
    median = tile(page, "Median diameter").inner_text().split()[0]
    assert float(median) == pytest.approx(3.0, abs=0.45)

    csv = pd.read_csv(io.BytesIO(download(page, "Particles (CSV)")))
    measured = csv[csv["status"] == "measured"]
    assert len(measured) == n_particles
    half_a_digit = 0.5 * 10.0 ** -len(median.partition(".")[2])
    assert measured["equivalent_diameter_nm"].median() == pytest.approx(float(median), abs=1.01 * half_a_digit)
    row = page.locator("#sample-grid .ag-center-cols-container .ag-row").first
    expect(row.locator("[col-id=particle]")).to_have_text(re.compile(r"\d"))
    # the browser renders no text that is out of sight
    shown = {c.get_attribute("col-id"): c.text_content() for c in row.locator(".ag-cell").all()}
    match = csv[(csv["image"] == shown["image"]) & (csv["particle"] == int(shown["particle"]))].iloc[0]
    assert float(shown["equivalent_diameter_nm"]) == pytest.approx(match["equivalent_diameter_nm"], rel=1e-3)

    pdf = download(page, "Report (PDF)")
    words = " ".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "Way" in words
    assert str(n_particles) in words
    assert "field_13.tif" in words
    first = pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_numpy()
    assert first.std() > 5, "the first page is blank"

    book = openpyxl.load_workbook(io.BytesIO(download(page, "Workbook (XLSX)")))
    particles = list(book["particles"].iter_rows(values_only=True))
    assert len(particles) == len(csv) + 1
    archive = zipfile.ZipFile(io.BytesIO(download(page, "Everything (ZIP)")))
    assert archive.testzip() is None
    assert {"report.pdf", "particles.csv", "overlays/field_11.png"} <= set(archive.namelist())
    assert pd.read_csv(archive.open("particles.csv")).equals(csv)

    _pick_a_bin(page, csv)
    _second_recipe(page)
    _exclude_and_restore(page, dashboard, n_particles, sample)


def _pick_a_bin(page: Page, csv: pd.DataFrame) -> None:
    bars = page.locator("#sample-histogram .bars .point path")
    boxes = [box for bar in bars.all() if (box := bar.bounding_box())]
    highest = max(boxes, key=lambda box: box["height"])
    page.mouse.click(highest["x"] + highest["width"] / 2, highest["y"] + highest["height"] / 2)
    expect(page.locator("#sample-selection-bar")).to_be_visible()
    words = page.locator("#sample-selection-words").inner_text()
    found = re.search(r"(\d+) particles .* ([\d.]+) – ([\d.]+) nm", words)
    assert found, words
    n, low, high = int(found[1]), float(found[2]), float(found[3])
    diameters = csv.loc[csv["status"] == "measured", "equivalent_diameter_nm"]
    assert ((diameters >= low) & (diameters < high)).sum() == n
    expect(page.locator("#sample-grid .ag-center-cols-container .ag-row")).to_have_count(n)
    page.locator("#sample-grid .ag-center-cols-container .ag-row").first.click()
    expect(page.locator("#sample-selection-words")).to_have_text("1 particle picked")
    page.click("#sample-selection-clear")
    expect(page.locator("#sample-selection-bar")).to_be_hidden()


def _second_recipe(page: Page) -> None:
    first = page.locator("#sample-analysis").inner_text()
    page.click("#recipe-open")
    page.locator(".recipe label", has_text="None").click()
    page.locator(".recipe .btn-close").click()
    analyse(page, images=3)
    expect(page.locator("#sample-analysis")).to_contain_text("no separation")
    page.click("#sample-analysis")
    page.locator(".dash-dropdown-option", has_text="network").first.click()
    expect(page.locator("#sample-analysis")).to_have_text(first)


def _exclude_and_restore(page: Page, dashboard: Dashboard, n_particles: int, sample: int) -> None:
    page.click("#sample-image-link")
    page.wait_for_selector("#image-viewer .imagelayer image")
    expect(page.locator("#image-counts")).to_contain_text("particles measured")
    analysis = re.search(r"analysis=(\d+)", page.url)
    assert analysis
    answer = page.request.get(f"{dashboard.url}/download/analysis/{analysis[1]}/particles.csv")
    table = pd.read_csv(io.BytesIO(answer.body()))
    name = page.locator("h1").inner_text()
    rows = table[(table["image"] == name) & (table["status"] == "measured")]
    target = rows.sort_values("area_nm2").iloc[-1]
    box = page.locator("#image-viewer .nsewdrag").bounding_box()
    assert box
    x = (target["bbox_x_px"] + target["bbox_w_px"] / 2) / 512
    y = (target["bbox_y_px"] + target["bbox_h_px"] / 2) / 512
    page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    expect(page.locator("#image-viewer .hoverlayer")).to_contain_text(f"Particle {target['particle']}")
    page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    expect(page.locator("#image-particle-numbers h4")).to_have_text(f"No. {target['particle']}")
    page.click("#image-exclude")
    expect(page.locator("#toast")).to_contain_text("expected a reason")
    page.fill("#image-reason", "a crumb of dust")
    page.click("#image-exclude")
    expect(page.locator("#image-trail")).to_contain_text("a crumb of dust")
    expect(page.locator("#image-trail")).to_contain_text("Ada Lovelace")
    page.goto(f"{dashboard.url}/samples/{sample}")
    page.click("#sample-analysis")
    page.locator(".dash-dropdown-option", has_text="network").first.click()
    expect(page.locator("#sample-left-out")).to_contain_text("excluded by a person")
    expect(tile(page, "Particles")).to_have_text(str(n_particles - 1))


def test_a_micrograph_without_scale_asks_for_it(
    page: Page, dashboard: Dashboard, micrographs: list[Path], tmp_path: Path
) -> None:
    from PIL import Image

    from antema.imaging import read, to_8bit

    picture = tmp_path / "picture.png"
    Image.fromarray(to_8bit(read(micrographs[1]).pixels)).save(picture)
    new_sample(page, dashboard, "No scale")
    upload(page, [picture])
    expect(page.locator(".card-scale")).to_contain_text("needs a pixel size")
    page.click("#sample-analyse")
    expect(page.locator("#toast")).to_contain_text("pixel size")
    page.locator(".card-check input").check()
    page.locator("button", has_text="Set pixel size").first.click()
    page.fill(".modal.show input[type=number]", "0.08")
    page.locator(".modal.show .btn-primary").click()
    expect(page.locator(".card-scale")).to_contain_text("user: Ada Lovelace")
    analyse(page, images=1)
    assert "this one image only" in page.locator(".statement").inner_text()


def test_micrographs_are_left_out_taken_back_and_moved(
    page: Page, dashboard: Dashboard, micrographs: list[Path], tmp_path: Path
) -> None:
    path = gold_field(77, tmp_path, size=256)
    new_sample(page, dashboard, "Source")
    upload(page, [path])
    page.locator(".card-check input").check()
    page.locator(".actions button", has_text="Leave out").click()
    page.locator(".modal.show input").fill("out of focus")
    page.locator(".modal.show .btn-primary").click()
    expect(page.locator(".card-state")).to_contain_text("left out: out of focus")
    page.locator(".card-check input").check()
    page.locator(".actions button", has_text="Take back").click()
    page.locator(".modal.show .btn-primary").click()
    expect(page.locator(".card-state")).to_contain_text("not analysed")
    new_sample(page, dashboard, "Target")
    page.go_back()
    page.goto(f"{dashboard.url}/samples")
    page.locator("a", has_text="Source").click()
    page.locator(".card-check input").check()
    page.locator(".actions button", has_text="Move").click()
    page.locator(".modal.show .dash-dropdown").click()
    page.locator(".dash-dropdown-option", has_text="Target").click()
    page.locator(".modal.show .btn-primary").click()
    expect(page.locator("#sample-cards .card-micrograph")).to_have_count(0)


# what the page asks of the killed server fails
@pytest.mark.expects_errors("net::ERR_")
def test_a_killed_server_finds_its_job_and_goes_on(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    # large enough that the job lasts for several looks of the page
    files = [gold_field(seed, tmp_path, size=1024) for seed in range(40, 48)]
    sample = new_sample(page, dashboard, "Killed")
    upload(page, files)
    page.click("#sample-analyse")
    expect(page.locator("#shell-jobs .job-text")).to_contain_text(re.compile(r"[0-7] of 8 images"), timeout=_JOB_MS)
    dashboard.kill()
    dashboard.start()
    page.goto(f"{dashboard.url}/jobs")
    row = page.locator(".jobs tr", has_text="Killed")
    expect(row).to_contain_text("interrupted", timeout=60_000)
    row.locator("button", has_text="Go on").click()
    expect(row).to_contain_text("done", timeout=_JOB_MS)
    expect(row).to_contain_text("8 of 8 images")
    page.goto(f"{dashboard.url}/samples/{sample}")
    expect(tile(page, "Images")).to_have_text("8")


def test_a_second_analysis_of_one_tab_does_not_end_the_first(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    page.goto(dashboard.url)
    for name, seeds in (("First", range(60, 76)), ("Second", range(76, 77))):
        page.click("#nav-samples")
        page.click("#sample-new")
        page.fill("#sample-create-name", name)
        page.click("#sample-create-save")
        expect(page.locator("#sample-name")).to_have_text(name)
        upload(page, [gold_field(seed, tmp_path, size=1024) for seed in seeds])
        page.click("#sample-analyse")
        expect(page.locator("#shell-jobs .job-line", has_text=name)).to_be_visible(timeout=30_000)
        expect(page.locator("#shell-jobs .job-line", has_text="First")).to_be_visible()
        # by links, so that the tab keeps the page it has
        page.click("#nav-jobs")
    for name, images in (("First", 16), ("Second", 1)):
        row = page.locator(".jobs tr", has=page.get_by_text(name, exact=True))
        expect(row).to_contain_text("done", timeout=_JOB_MS)
        expect(row).to_contain_text(f"{images} of {images} image")
