"""The list of samples in a browser: several are ticked and analysed as one action."""

import pytest
from playwright.sync_api import Page, expect

from antema import jobs
from antema.domain import Recipe
from antema.storage import Store, open_store
from tests.browser.conftest import Dashboard
from tests.strategies.stored import add_micrograph, save_analysis

pytestmark = pytest.mark.browser

WAIT_MS = 120_000


@pytest.fixture
def store(dashboard: Dashboard):
    opened = open_store(dashboard.data)
    yield opened
    opened.close()


def _analysed(store: Store, name: str, seed: int, recipe: Recipe) -> int:
    sample = store.create_sample(name, by="Ann")
    stored = add_micrograph(store, sample.id, seed)
    job = jobs.start(store, sample.id, recipe, "Ann")
    store.claim_job(job.id)
    save_analysis(store, job.analysis_id, stored, recipe)
    store.update_job(job.id, status="done")
    return sample.id


def _tick(page: Page, name: str) -> None:
    page.locator(".ag-row", has_text=name).locator(".ag-checkbox-input").check()


def test_several_samples_are_analysed_again_as_one_action(page: Page, dashboard: Dashboard, store: Store):
    before = Recipe(separation="none", crystallinity=False, min_diameter_nm=1.5)
    ids = [_analysed(store, f"Again {number}", number, before) for number in (1, 2)]
    empty = store.create_sample("Without micrographs", by="Ann").id
    page.goto(f"{dashboard.url}/samples")
    expect(page.locator("#samples-analyse")).to_be_disabled()
    for name in ("Again 1", "Again 2", "Without micrographs"):
        _tick(page, name)
    expect(page.locator("#samples-analyse")).to_have_text("Analyse 3 samples")
    page.click("#samples-analyse")
    expect(page.locator("#samples-analyse-title")).to_have_text("Analyse 3 samples")
    expect(page.locator("#samples-analyse-words")).to_have_text("2 micrographs, as far as they have a pixel size.")
    page.get_by_label("Each with the recipe of the result that it shows now").check()
    expect(page.locator("#samples-analyse-words")).to_contain_text("with the default recipe: Without micrographs.")
    page.click("#samples-analyse-cancel")
    expect(page.locator("#samples-analyse-modal")).to_be_hidden()
    page.click("#samples-analyse")
    page.click("#samples-analyse-do")
    expect(page.locator("#toast")).to_contain_text("2 samples in line")
    expect(page.locator("#toast")).to_contain_text("Without micrographs: expected micrographs with a pixel size")
    expect(page.locator("#samples-analyse")).to_be_disabled()
    page.goto(f"{dashboard.url}/jobs")
    expect(page.locator("#jobs-list .badge", has_text="done")).to_have_count(4, timeout=WAIT_MS)
    for sample_id in ids:
        results = store.analyses(sample_id)
        assert len(results) == 2
        assert results[0].recipe == results[1].recipe == before
    assert store.analyses(empty) == []
