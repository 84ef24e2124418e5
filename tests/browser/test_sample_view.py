"""How a sample is looked at, in a browser: it stands in the address, and is kept for others only when asked."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.domain import View
from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import sample_maker

pytestmark = pytest.mark.browser


def test_a_view_is_shared_by_its_address_and_kept_only_when_asked(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("looked at", 4.0, 3)
    edits = len(store.edits())
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    expect(page.locator("#sample-headline")).to_contain_text("number-weighted", timeout=30_000)
    page.get_by_label("Volume").click()
    page.get_by_label("correct for border loss").click()
    expect(page).to_have_url(re.compile(r"weighting=volume&border=1"), timeout=30_000)
    expect(page.locator("#sample-headline")).to_contain_text("volume-weighted, corrected for border loss")
    assert len(store.edits()) == edits

    page.goto(page.url)
    expect(page.locator("#sample-headline")).to_contain_text("corrected for border loss", timeout=30_000)
    expect(page.locator("#sample-border")).to_be_checked()
    page.click("#sample-view-keep")
    expect(page).to_have_url(f"{dashboard.url}/samples/{sample.id}", timeout=30_000)
    expect(page.locator("#sample-view-keep")).to_be_hidden()
    assert sample.current_analysis_id is not None
    assert store.analysis(sample.current_analysis_id).view == View(weighting="volume", border_weighted=True)
    assert len(store.edits()) == edits + 1
    store.close()
