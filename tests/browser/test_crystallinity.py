"""Crystallinity in a browser: the certainty acts at once, a class is picked, and a particle shows its evidence."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.domain import CRYSTALLINITIES
from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.fringed import fringed_sample

pytestmark = pytest.mark.browser


def test_from_the_shares_to_the_lattice_of_one_particle(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = fringed_sample(store, tmp_path, "crystals", 2, classes=CRYSTALLINITIES)
    analysis = sample.current_analysis_id
    assert analysis is not None
    confidence = store.particles(analysis)["confidence"].to_numpy(float)

    page.goto(f"{dashboard.url}/samples/{sample.id}")
    said = page.locator("#sample-words-coverage")
    expect(said).to_contain_text(f"At 80 %: {100 * (confidence >= 0.8).mean():.1f} % of the particles have a class")
    number = page.locator("#sample-classes .certainty input")
    number.fill("95")
    number.press("Enter")
    expect(said).to_contain_text(f"At 95 %: {100 * (confidence >= 0.95).mean():.1f} %")
    expect(page).to_have_url(re.compile("certainty=95"))
    unknown = int((confidence < 0.95).sum())
    assert unknown > 0
    page.locator("#sample-plot-shares").scroll_into_view_if_needed()
    bar = page.locator("#sample-plot-shares .point path").last.bounding_box()
    # at a quarter of its length, beside the whisker
    page.mouse.click(bar["x"] + bar["width"] / 4, bar["y"] + bar["height"] / 4)
    expect(page.locator("#sample-selection-words")).to_contain_text(f"{unknown} particle")
    expect(page.locator("#sample-grid .ag-center-cols-container .ag-row")).to_have_count(unknown)
    page.get_by_label("by class").click()
    expect(page.locator("#sample-viewer-keys")).to_contain_text("polycrystalline")

    page.click("#sample-image-link")
    expect(page).to_have_url(re.compile("certainty=95&classes=1"))
    expect(page.locator("#image-outline-keys")).to_contain_text("polycrystalline")
    expect(page.locator("#image-particle-numbers")).to_contain_text("press N")
    page.keyboard.press("n")
    expect(page.locator("#image-particle-numbers .class-badge")).to_be_visible()
    expect(page.locator("#image-particle-numbers")).to_contain_text("at a certainty of 95 %")
    expect(page.locator("#image-spots")).to_contain_text("{111}")
    page.keyboard.press("e")
    expect(page.locator("#image-crop .heatmaplayer image")).to_be_visible()
    store.close()


def test_without_classes_the_pages_say_so(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = fringed_sample(store, tmp_path, "plain", 1, material="")
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("#sample-unclassified")).to_contain_text("classif")
    expect(page.locator("#sample-classes")).to_be_hidden()
    page.click("#sample-image-link")
    expect(page.locator("#image-particle-numbers")).to_contain_text("press N")
    page.keyboard.press("n")
    expect(page.locator("#image-spots")).to_contain_text("the sample has no material")
    expect(page.locator("#image-evidence-box")).to_be_hidden()
    expect(page.locator("#image-particle-numbers")).to_contain_text("classif")
    store.close()
