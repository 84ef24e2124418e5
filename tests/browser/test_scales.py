"""Scales in a browser: what a scale bar offers is used, a scale is typed and taken back, another image is chosen."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect

from antema.imaging import read, to_8bit
from tests.browser.conftest import Dashboard
from tests.browser.test_way import analyse, gold_field, new_sample, upload

pytestmark = pytest.mark.browser

_NM = 0.08


def with_bar(path: Path, seed: int, *, label: str = "10 nm", length_px: int = 125) -> Path:
    """Write a PNG, which knows no scale, of a field of gold with a scale bar burned in."""
    grey = to_8bit(read(gold_field(seed, path.parent)).pixels)
    picture = Image.fromarray(grey)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((340, 440, 511, 511), fill=0)
    draw.rectangle((360, 490, 360 + length_px - 1, 497), fill=255)
    draw.text((360 + length_px / 2, 466), label, fill=255, font=ImageFont.load_default(30), anchor="mm")
    picture.save(path)
    return path


def test_what_scale_bars_offer_is_used_on_a_click(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    files = [with_bar(tmp_path / f"bar-{seed}.png", seed) for seed in (81, 82)]
    new_sample(page, dashboard, "Bars")
    upload(page, files)
    expect(page.locator("#upload-list")).to_contain_text("its scale bar says 0.08 nm/px")
    expect(page.locator("#scale-words")).to_contain_text("2 of 2 micrographs have no pixel size")
    # one on its card, the other with all that are left
    page.locator(".card-use").first.click()
    expect(page.locator(".card-scale", has_text="user: Ada Lovelace (scale bar)")).to_have_count(1)
    expect(page.locator(".card-frame .drawn-bar")).to_have_text("10 nm")
    page.click("#scale-bars-use")
    expect(page.locator(".card-scale", has_text="user: Ada Lovelace (scale bar)")).to_have_count(2)
    expect(page.locator("#scale-banner")).to_be_hidden()
    analyse(page, images=2)

    page.locator(".card-micrograph a").first.click()
    page.wait_for_selector("#image-viewer .imagelayer image")
    expect(page.locator("#image-viewer .shapelayer path")).not_to_have_count(0)
    expect(page.locator("#image-viewer .drawn-bar span")).to_have_text("10 nm")
    # at one moment: what the page still fills in moves both
    box, bar = page.locator("#image-viewer").evaluate(
        """(viewer) => [".nsewdrag", ".drawn-bar-line"]
            .map((name) => viewer.querySelector(name).getBoundingClientRect())
            .map(({x, y, width, height}) => ({x, y, width, height}))"""
    )
    assert bar["width"] / box["width"] == pytest.approx(10 / (512 * _NM), rel=0.03)
    assert box["x"] < bar["x"] < bar["x"] + bar["width"] < box["x"] + box["width"]
    assert box["y"] + box["height"] / 2 < bar["y"] < box["y"] + box["height"]
    page.keyboard.press("b")
    expect(page.locator("#image-viewer .shapelayer path")).to_have_count(0)


def test_a_wrong_scale_is_seen_corrected_and_taken_back(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    from tests.strategies.em_files import write_imagej

    burned = np.asarray(Image.open(with_bar(tmp_path / "x.png", 83)))
    path = write_imagej(tmp_path / "wrong.tif", burned, step=0.09)
    new_sample(page, dashboard, "Wrong scale")
    upload(page, [path])
    expect(page.locator(".card-warning")).to_contain_text("11.")
    expect(page.locator(".card-warning")).to_contain_text("% less")
    expect(page.locator("#scale-words")).to_contain_text("disagree by more than 1 %: wrong.tif")
    page.locator(".card-micrograph a").click()
    expect(page.locator(".scale-warning")).to_contain_text("less than the file's 0.09 nm/px")
    page.click("#image-use-bar")
    expect(page.locator("#image-scale")).to_contain_text("user: Ada Lovelace (scale bar)")
    expect(page.locator("#image-scale")).to_contain_text("UTC by Ada Lovelace")
    expect(page.locator("#image-trail")).to_contain_text(re.compile("scale bar: 125 px, labelled “10 ?nm”"))
    page.fill("#image-nm", "0.085")
    page.click("#image-set-nm")
    expect(page.locator("#image-scale")).to_contain_text("0.085 nm/px · user: Ada Lovelace")
    page.click("#image-file-nm")
    expect(page.locator("#image-scale")).to_contain_text("0.09 nm/px · file: ")
    expect(page.locator("#image-file-nm")).to_be_hidden()


def test_one_scale_is_typed_for_many(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    files = []
    for seed in (84, 85, 86):
        grey = to_8bit(read(gold_field(seed, tmp_path, size=128)).pixels)
        Image.fromarray(grey).save(tmp_path / f"{seed}.png")
        files.append(tmp_path / f"{seed}.png")
    new_sample(page, dashboard, "Many")
    upload(page, files)
    page.click("#micrographs-bare")
    expect(page.locator(".card-check input:checked")).to_have_count(3)
    page.locator(".actions button", has_text="Set pixel size").click()
    expect(page.locator(".modal.show")).to_contain_text("3 micrographs ticked; no scale bar could be read in them.")
    page.locator(".modal.show button", has_text="Use their scale bars").click()
    expect(page.locator("#toast")).to_contain_text("Scale bars: expected one that was read")
    page.fill(".modal.show input[type=number]", "0.08")
    page.locator(".modal.show .btn-primary").click()
    expect(page.locator(".card-scale", has_text="0.08 nm/px · user: Ada Lovelace")).to_have_count(3)
    expect(page.locator("#micrographs-bare")).to_be_hidden()


def test_a_size_that_can_hardly_be_meant_is_asked_about(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    grey = to_8bit(read(gold_field(89, tmp_path, size=128)).pixels)
    Image.fromarray(grey).save(tmp_path / "bare.png")
    new_sample(page, dashboard, "Doubt")
    upload(page, [gold_field(90, tmp_path, size=128), tmp_path / "bare.png"])
    bare = page.locator(".card-micrograph", has_text="bare.png")
    page.click("#micrographs-all")
    expect(page.locator(".card-check input:checked")).to_have_count(2)
    page.click("#micrographs-all")
    expect(page.locator(".card-check input:checked")).to_have_count(0)
    bare.locator(".card-check input").check()
    page.locator(".actions button", has_text="Set pixel size").click()
    dialog, question = page.locator(".modal.show", has_text="nm per pixel"), page.locator("#sample-scale-question")
    dialog.locator("input[type=number]").fill("-3")
    dialog.locator(".btn-primary").click()
    expect(page.locator("#toast")).to_contain_text("expected a number above 0, the nm that one pixel is long, found -3")
    dialog.locator("input[type=number]").fill("640")
    dialog.locator(".btn-primary").click()
    expect(question).to_contain_text("640 nm/px beside 0.08 nm/px of the sample's other micrograph: really?")
    page.click("#sample-scale-no")
    expect(question).to_be_hidden()
    expect(bare).to_contain_text("needs a pixel size")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()

    bare.locator("a").click()
    page.fill("#image-nm", "640")
    page.press("#image-nm", "Enter")
    expect(page.locator("#image-scale-question")).to_contain_text("640 nm/px beside 0.08 nm/px")
    page.click("#image-scale-no")
    expect(page.locator("#image-scale-question")).to_be_hidden()
    expect(page.locator("#image-scale")).not_to_contain_text("640")
    expect(page.locator("#image-nm")).to_have_value("640")
    page.press("#image-nm", "Enter")
    page.click("#image-scale-yes")
    expect(page.locator("#image-scale")).to_contain_text("640 nm/px · user: Ada Lovelace")
    expect(page.locator("#image-nm")).to_have_value("")
    page.locator(".crumb").click()
    expect(bare).to_contain_text("640 nm/px")
    bare.locator(".card-check input").check()
    page.locator(".actions button", has_text="Set pixel size").click()
    dialog.locator("input[type=number]").fill("20.5")
    dialog.locator(".btn-primary").click()
    page.click("#sample-scale-yes")
    expect(bare).to_contain_text("20.5 nm/px")
    expect(dialog).to_be_hidden()


def test_another_image_of_a_file_is_chosen(page: Page, dashboard: Dashboard, tmp_path: Path) -> None:
    frames = [read(gold_field(seed, tmp_path, size=256)).pixels for seed in (87, 88)]
    path = tmp_path / "series.tif"
    tifffile.imwrite(path, np.stack(frames), imagej=True, resolution=(1 / _NM, 1 / _NM), metadata={"unit": "nm"})
    new_sample(page, dashboard, "Series")
    upload(page, [path])
    expect(page.locator("#upload-list")).to_contain_text("2 images in the file")
    analyse(page, images=1)
    page.locator(".card-micrograph a").click()
    page.wait_for_selector("#image-viewer .imagelayer image")
    before = page.locator("#image-counts").inner_text()
    assert "particles measured" in before
    page.click("#image-data")
    page.locator(".dash-dropdown-option", has_text="frame 2 of 2").click()
    expect(page.locator("#toast")).to_contain_text("Results of the one before stay with it")
    expect(page.locator("#image-counts")).to_contain_text("Another image of the file chosen since: analyse again.")
    expect(page.locator("#image-facts .chosen")).to_contain_text("frame 2 of 2")
    expect(page.locator("#image-trail")).to_contain_text("chose another image of the file, ")
    page.locator(".crumb").click()
    expect(page.locator(".card-state")).to_contain_text("another image of the file chosen since: analyse again")
    page.click("#sample-analyse")
    expect(page.locator(".card-state")).not_to_contain_text("analyse again", timeout=240_000)
    expect(page.locator(".card-state")).to_contain_text("particle")
