"""Comparing samples in a browser: the choice lives in the address, plots and tables can be taken along."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from antema.storage import Sample, open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import sample_maker

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def samples(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sample]]:
    """Three analysed samples, made behind the server's back as a job makes them."""
    store = open_store(dashboard.data)
    make = sample_maker(store, tmp_path_factory.mktemp("drawn"))
    yield {"four": make("four", 4.0, 6), "five": make("five", 5.0, 6), "single": make("single", 4.4, 1)}
    store.close()


def test_a_choice_is_kept_in_the_address_and_comes_back(page: Page, dashboard: Dashboard, samples: dict[str, Sample]):
    page.goto(f"{dashboard.url}/compare")
    expect(page.locator("#compare-empty")).to_contain_text("Choose two samples or more")
    page.evaluate("window.notReloaded = true")
    page.click("#compare-samples")
    page.get_by_role("option", name="four").click()
    page.get_by_role("option", name="five").click()
    page.keyboard.press("Escape")
    expect(page.locator("#compare-statistics tbody tr")).to_have_count(2)
    page.get_by_label("Volume").click()
    page.click("#compare-log")
    wanted = f"samples={samples['four'].id},{samples['five'].id}&quantity=equivalent_diameter_nm&weighting=volume&log=1"
    expect(page).to_have_url(f"{dashboard.url}/compare?{wanted}")
    assert page.evaluate("window.notReloaded"), "the page was loaded anew"
    expect(page.locator("#compare-statistics")).to_contain_text("Volume-weighted")
    shown = page.locator("#compare-differences").inner_text()

    page.click("#nav-jobs")
    expect(page.locator("h1")).to_have_text("Jobs")
    page.go_back()
    expect(page.locator("#compare-statistics tbody tr")).to_have_count(2)
    page.goto(f"{dashboard.url}/compare?{wanted}")
    expect(page.locator("#compare-differences")).to_have_text(re.compile("Cliff"))
    expect(page.locator("#compare-log")).to_be_checked()
    expect(page.locator("#compare-differences")).to_have_text(shown, use_inner_text=True)


def test_a_single_image_is_compared_honestly(page: Page, dashboard: Dashboard, samples: dict[str, Sample]):
    page.goto(f"{dashboard.url}/compare?samples={samples['four'].id},{samples['single'].id}")
    differences = page.locator("#compare-differences")
    expect(differences).to_contain_text("no test")
    expect(differences).to_contain_text("the intervals are too narrow")
    expect(page.locator("#compare-words-crystallinity")).to_contain_text(re.compile("classif"))
    expect(page.locator("#compare-plot-crystallinity")).to_be_hidden()


def test_plots_and_their_data_can_be_taken_along(
    page: Page, dashboard: Dashboard, samples: dict[str, Sample], tmp_path: Path
):
    page.goto(f"{dashboard.url}/compare?samples={samples['four'].id},{samples['five'].id}")
    save = page.locator("#compare-save-histogram")
    expect(page.locator("#compare-plot-histogram .bars path").first).to_be_attached()
    beginnings = {"SVG": b"<svg", "PNG": b"\x89PNG"}
    for form, beginning in beginnings.items():
        with page.expect_download() as download:
            save.get_by_text(form).click()
        assert download.value.suggested_filename == f"comparison_histogram.{form.lower()}"
        assert Path(download.value.path()).read_bytes().startswith(beginning)
    with page.expect_download() as download:
        save.get_by_text("CSV").click()
    download.value.save_as(tmp_path / "histogram.csv")
    assert set(pd.read_csv(tmp_path / "histogram.csv")["sample"]) == {"four", "five"}
    page.click("#compare-downloads")
    with page.expect_download() as download:
        page.get_by_text("Report (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


def test_the_help_opens_at_the_section_of_its_address(page: Page, dashboard: Dashboard):
    page.goto(f"{dashboard.url}/help#weighting")
    expect(page.locator("#weighting h2")).to_be_in_viewport()
    expect(page.locator("#start h2")).not_to_be_in_viewport()


def test_the_models_page_tells_whether_the_weights_are_intact(page: Page, dashboard: Dashboard):
    page.goto(f"{dashboard.url}/models")
    cards = page.locator(".model-card")
    expect(cards.first.or_(page.get_by_text("No model is installed"))).to_be_visible()
    expect(page.locator(".model-intact")).to_have_count(cards.count())
