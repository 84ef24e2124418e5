"""The first start: the demo is offered, made and analysed like an upload."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Dashboard

pytestmark = pytest.mark.browser

_MADE_MS = 400_000


def test_the_demo_is_offered_made_and_measured_right(page: Page, dashboard: Dashboard) -> None:
    page.goto(dashboard.url)
    expect(page.locator("#home-samples")).to_contain_text("no sample yet")
    page.click("#demo-start")
    expect(page.locator("#demo-progress")).to_contain_text("Demo:", timeout=60_000)
    expect(page.locator("#demo-start")).to_be_hidden()
    page.click("#nav-jobs")
    # the work is told of on every page
    expect(page.locator("#shell-jobs .job-line, #demo-progress:not(:empty)").first).to_be_visible(timeout=_MADE_MS)
    expect(page.locator(".jobs .bg-success")).to_have_count(2, timeout=_MADE_MS)
    page.click("#nav-samples")
    for name, truth_nm, least in (("Demo: gold, about 2 nm", 2.0, 150), ("Demo: gold, about 4 nm", 4.0, 60)):
        row = page.locator(".ag-row", has_text=name)
        expect(row).to_contain_text("analysed")
        median = float(row.locator("[col-id=median]").inner_text())
        assert median == pytest.approx(truth_nm, rel=0.06)
        assert int(row.locator("[col-id=particles]").inner_text()) > least
