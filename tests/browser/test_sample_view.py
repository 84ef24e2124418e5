"""How a sample is looked at, in a browser: it stands in the address, and is kept for others only when asked."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from antema.domain import Recipe, View
from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import analyse_drawn, sample_maker

pytestmark = pytest.mark.browser

_CALLBACKS = re.compile(r"/_dash-update-component")


def test_a_view_is_shared_by_its_address_and_kept_only_when_asked(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("looked at", 4.0, 3)
    edits = len(store.edits())
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("#sample-headline")).to_contain_text("number-weighted")
    page.get_by_label("Volume").click()
    page.get_by_label("correct for border loss").click()
    expect(page).to_have_url(re.compile(r"weighting=volume&border=1"))
    expect(page.locator("#sample-headline")).to_contain_text("volume-weighted, corrected for border loss")
    assert len(store.edits()) == edits

    page.goto(page.url)
    expect(page.locator("#sample-headline")).to_contain_text("corrected for border loss")
    expect(page.locator("#sample-border")).to_be_checked()
    page.click("#sample-view-keep")
    expect(page).to_have_url(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("#sample-view-keep")).to_be_hidden()
    assert sample.current_analysis_id is not None
    assert store.analysis(sample.current_analysis_id).view == View(weighting="volume", border_weighted=True)
    assert len(store.edits()) == edits + 1
    store.close()


def test_the_navigation_fits_a_narrow_window(page: Page, dashboard: Dashboard):
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto(f"{dashboard.url}/samples")
    expect(page.locator("#nav-help")).to_be_visible()
    for part in ("#nav-samples", "#nav-help", "#user-name", "#theme-toggle"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 420


def test_news_of_an_ended_job_does_not_take_back_what_was_chosen_meanwhile(
    page: Page, dashboard: Dashboard, tmp_path: Path
):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("raced", 4.0, 2)
    analyse_drawn(store, sample.id, Recipe(separation="none"))
    result, picture = page.locator("#sample-analysis"), page.locator("#sample-viewer-image")
    threshold = page.get_by_placeholder("the model's own")
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(result).to_contain_text("no separation")
    expect(picture).to_contain_text("raced-0.tif")

    def ended(separation: str) -> Callable[[], object]:
        return lambda: analyse_drawn(store, sample.id, Recipe(separation=separation))

    with _asked_meanwhile(page, "sample-offer.data", ended("watershed")):
        _choose(page, result, "network")
    _choose(page, result, "watershed", and_choose=False)
    expect(result).to_contain_text("network")

    page.click("#recipe-open")
    threshold.fill("0.7")
    page.locator(".recipe .btn-close").click()
    with _asked_meanwhile(page, "sample-viewer-offer.data", ended("arcs")):
        _choose(page, picture, "raced-1.tif")
    _choose(page, result, "arcs", and_choose=False)
    expect(result).to_contain_text("network")
    expect(picture).to_contain_text("raced-1.tif")
    page.click("#recipe-open")
    expect(threshold).to_have_value("0.7")
    store.close()


def test_the_shown_result_is_named_however_often_the_page_is_laid_out(page: Page, dashboard: Dashboard, tmp_path: Path):
    """A list whose options come after its value shows no words for it, more often than not."""
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("named", 4.0, 1)
    analyse_drawn(store, sample.id, Recipe(separation="none"))
    store.close()
    for _ in range(5):
        page.goto(f"{dashboard.url}/samples/{sample.id}")
        expect(page.locator("#sample-headline")).to_contain_text("nm")
        expect(page.locator("#sample-analysis")).to_contain_text("no separation")


@contextmanager
def _asked_meanwhile(page: Page, output: str, news: Callable[[], object]) -> Iterator[None]:
    """Let news reach the page, and the block act while what the page then asks of the server has no answer yet."""
    held: list[Route] = []

    def asks(request: Request) -> bool:
        return request.method == "POST" and output in (request.post_data_json or {}).get("output", "")

    def hold(route: Route) -> None:
        if asks(route.request):
            held.append(route)
        else:
            route.continue_()

    page.wait_for_load_state("networkidle")
    page.route(_CALLBACKS, hold)
    with page.expect_request(asks):
        news()
    yield
    assert held
    for route in held:
        route.continue_()
        assert route.request.response()
    page.unroute(_CALLBACKS, hold)


def _choose(page: Page, dropdown: Locator, words: str, *, and_choose: bool = True) -> None:
    dropdown.click()
    option = page.locator(".dash-dropdown-option", has_text=words)
    expect(option).to_be_visible()
    if and_choose:
        option.click()
    else:
        page.keyboard.press("Escape")
