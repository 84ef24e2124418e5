"""Controls that no story of the other tests passes by, each with what it does."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from antema.domain import CRYSTALLINITIES, Recipe
from antema.storage import Sample, Store, open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import analyse_drawn, sample_maker
from tests.strategies.fringed import fringed_sample
from tests.strategies.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store(dashboard: Dashboard) -> Iterator[Store]:
    opened = open_store(dashboard.data)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def classed(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A sample with classes and two results, the second one current."""
    sample = fringed_sample(store, tmp_path_factory.mktemp("classed"), "classed", 3, classes=CRYSTALLINITIES)
    rng = np.random.default_rng(5)
    analyse_drawn(store, sample.id, Recipe(separation="none"), classes=CRYSTALLINITIES, rng=rng)
    return store.sample(sample.id)


@pytest.fixture(scope="module")
def beside(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return fringed_sample(store, tmp_path_factory.mktemp("beside"), "beside", 3, classes=CRYSTALLINITIES)


def _choose(page: Page, dropdown: str, words: str) -> None:
    page.click(dropdown)
    page.locator(".dash-dropdown-option", has_text=words).first.click()


def _saved(page: Page, button: Locator) -> bytes:
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def _opened(page: Page, dashboard: Dashboard, sample: Sample) -> None:
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("#sample-headline")).to_contain_text("Median diameter")
    page.wait_for_load_state("networkidle")


def test_the_shell_has_two_themes_and_leads_everywhere(page: Page, dashboard: Dashboard):
    page.goto(dashboard.url)
    theme = "document.documentElement.dataset.bsTheme"
    expect(page.locator("#home-samples")).not_to_be_empty()
    assert page.evaluate(theme) == "light"
    page.click("#theme-toggle")
    wait_until(page, f"{theme} === 'dark'")
    page.click("#nav-models")
    expect(page.locator("#models-cards")).not_to_contain_text("Checking the weight files")
    expect(page.locator(".model-card").first).to_be_visible()
    page.click("#nav-help")
    expect(page.locator("#help-root h2").first).to_be_visible()
    page.reload()
    wait_until(page, f"{theme} === 'dark'")
    page.click("#theme-toggle")
    wait_until(page, f"{theme} === 'light'")


def test_the_distribution_is_of_what_is_chosen_and_can_be_taken_along(
    page: Page, dashboard: Dashboard, store: Store, classed: Sample
):
    _opened(page, dashboard, classed)
    axis = page.locator("#sample-histogram .g-xtitle")
    expect(axis).to_contain_text("diameter")
    _choose(page, "#sample-quantity", "Circularity")
    expect(axis).to_contain_text("ircularity")
    page.get_by_label("log axis").click()
    # bars are as wide as they are in the logarithm, whose ticks are set
    wait_until(page, "document.querySelector('#sample-histogram .js-plotly-plot').layout.xaxis.tickvals !== undefined")
    expect(page).to_have_url(re.compile("log=1"))
    saves = page.locator(".saves")
    assert _saved(page, saves.get_by_text("SVG")).startswith(b"<svg")
    table = _saved(page, saves.get_by_text("CSV")).decode()
    assert table.startswith("circularity_from,")
    counted = store.particles(classed.current_analysis_id)["status"].eq("measured").sum()
    assert sum(int(float(line.split(",")[2])) for line in table.splitlines()[1:]) == counted

    shares = page.locator("#sample-classes .panel").first.locator(".compare-save")
    assert _saved(page, shares.get_by_text("PNG")).startswith(b"\x89PNG")
    assert b"amorphous" in _saved(page, shares.get_by_text("CSV"))


def test_the_certainty_is_followed_while_it_is_dragged(page: Page, dashboard: Dashboard, classed: Sample):
    _opened(page, dashboard, classed)
    said = page.locator("#sample-words-coverage")
    expect(said).to_contain_text("At 80 %")
    handle = page.locator("#sample-classes .certainty [role=slider]")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=8)
    # not let go yet: only the browser can have said it
    expect(said).not_to_contain_text("At 80 %")
    assert "certainty=" not in page.url
    page.mouse.up()
    expect(page).to_have_url(re.compile("certainty="))


def test_the_table_and_the_viewer_of_a_sample(page: Page, dashboard: Dashboard, classed: Sample):
    _opened(page, dashboard, classed)
    grid = page.locator("#sample-grid")
    page.locator(".more-columns summary").click()
    page.get_by_label("Mean grey value").check()
    expect(grid.locator(".ag-header")).to_contain_text("Reason")
    wait_until(page, "dash_ag_grid.getApi('sample-grid').getColumn('mean_grey') !== null")
    page.get_by_label("Mean grey value").uncheck()
    wait_until(page, "dash_ag_grid.getApi('sample-grid').getColumn('mean_grey') === null")

    viewer = page.locator("#sample-viewer")
    expect(viewer.locator(".imagelayer image")).to_have_count(2)
    page.get_by_label("outlines", exact=True).click()
    expect(viewer.locator(".imagelayer image")).to_have_count(1)
    viewer.scroll_into_view_if_needed()
    box = viewer.locator(".nsewdrag").bounding_box()
    page.mouse.click(box["x"] + 0.28 * box["width"], box["y"] + 0.28 * box["height"])
    expect(page.locator("#sample-selection-words")).to_have_text("1 particle picked")


def test_another_result_is_made_the_samples_and_the_recipe_goes_back(
    page: Page, dashboard: Dashboard, store: Store, classed: Sample
):
    _opened(page, dashboard, classed)
    expect(page.locator("#sample-analysis")).to_contain_text("no separation")
    expect(page.locator("#sample-make-current")).to_be_hidden()
    _choose(page, "#sample-analysis", "network")
    page.click("#sample-make-current")
    expect(page.locator("#toast")).to_contain_text("now use this result")
    expect(page.locator("#sample-make-current")).to_be_hidden()
    assert store.sample(classed.id).current_analysis_id != classed.current_analysis_id

    page.click("#recipe-open")
    threshold = page.get_by_placeholder("the model's own")
    threshold.fill("0.7")
    threshold.press("Tab")
    page.click("#recipe-reset")
    expect(threshold).to_have_value("")
    page.locator(".recipe .btn-close").click()

    # the page of an image shows either result as well
    page.click("#sample-image-link")
    shown = page.locator("#image-analysis")
    expect(shown).to_contain_text("network")
    page.keyboard.press("n")
    expect(page.locator("#image-particle-numbers h4")).to_be_visible()
    _choose(page, "#image-analysis", "no separation")
    expect(page.locator("#image-particle-numbers")).to_contain_text("press N")
    expect(page.locator("#image-save")).to_have_attribute("href", re.compile(f"/{classed.current_analysis_id}/"))


def test_samples_are_compared_as_chosen_and_new_results_are_offered(
    page: Page, dashboard: Dashboard, store: Store, classed: Sample, beside: Sample, tmp_path: Path
):
    page.goto(f"{dashboard.url}/compare?samples={classed.id},{beside.id}")
    expect(page.locator("#compare-statistics tbody tr")).to_have_count(2)
    _choose(page, "#compare-quantity", "Circularity")
    expect(page.locator("#compare-plot-histogram .g-xtitle")).to_contain_text("ircularity")
    page.get_by_label("correct for border loss").click()
    expect(page).to_have_url(re.compile("border=1"))
    number = page.locator("#compare-certainty-box input")
    number.fill("95")
    number.press("Enter")
    expect(page).to_have_url(re.compile("certainty=95"))
    expect(page.locator("#compare-words-crystallinity")).to_contain_text("95 %")
    page.wait_for_load_state("networkidle")
    sample_maker(store, tmp_path)("just done", 4.3, 1)
    page.click("#compare-samples")
    expect(page.get_by_role("option", name="just done")).to_be_visible()


def test_a_waiting_job_is_told_of_everywhere_and_cancelled(
    page: Page, dashboard: Dashboard, store: Store, tmp_path: Path
):
    sample = sample_maker(store, tmp_path)("waits", 4.0, 1)
    page.goto(dashboard.url)
    page.fill("#user-name", "Ada Lovelace")
    page.keyboard.press("Enter")
    card = page.locator("#home-samples .card-micrograph", has_text="waits")
    expect(card).to_contain_text(re.compile(r"1 micrograph · \d particles"))
    analysis = store.create_analysis(sample.id, Recipe(max_holes=3), by="Ann")
    store.update_sample(sample.id, name="waits now", by="Ann")
    store.create_job(analysis.id, by="Ann", images_total=1)
    expect(page.locator("#shell-jobs .job-line")).to_contain_text("starting")
    expect(page.locator("#home-samples .card-micrograph", has_text="waits now")).to_be_visible()
    page.locator("#shell-jobs button", has_text="Cancel").click()
    expect(page.locator("#toast")).to_contain_text("Cancelled before it began.")
    expect(page.locator("#shell-jobs .job-line")).to_have_count(0)
    page.click("#nav-jobs")
    expect(page.locator(".jobs tr", has_text="waits now").first).to_contain_text("cancelled")
