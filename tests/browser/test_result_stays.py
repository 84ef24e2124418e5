"""A result stays what was computed; what people took out acts until it is switched off."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from antema.storage import open_store
from tests.browser.conftest import Dashboard
from tests.strategies.drawn_samples import sample_maker

pytestmark = pytest.mark.browser


def test_what_was_taken_out_can_be_switched_on_again(page: Page, dashboard: Dashboard, tmp_path: Path):
    store = open_store(dashboard.data)
    sample = sample_maker(store, tmp_path)("taken out", 4.0, 3)
    first, second, _ = store.micrographs(sample.id)
    table = store.particles(sample.current_analysis_id)
    n = int((table["status"] == "measured").sum())
    rest = int(((table["status"] == "measured") & (table["micrograph_id"] != first.id)).sum())
    page.goto(f"{dashboard.url}/samples/{sample.id}")
    particles = page.locator(".tile", has_text="Particles").locator(".tile-value")
    switch = page.locator("#sample-exclusions")
    expect(particles).to_have_text(str(n))
    expect(switch).to_be_hidden()

    store.leave_out(first.id, "blurred", "Ann")
    page.reload()
    expect(particles).to_have_text(str(rest))
    said = page.locator("#sample-exclusions-words")
    expect(said).to_contain_text("1 of 3 micrographs (taken out-0.tif: blurred) was taken out by people")
    expect(said).to_contain_text("the numbers are without that")
    switch.uncheck()
    expect(particles).to_have_text(str(n))
    expect(said).to_contain_text("exclusions are switched off")
    page.wait_for_url("**exclusions=0**")

    page.reload()
    expect(particles).to_have_text(str(n))
    switch.check()
    expect(particles).to_have_text(str(rest))

    store.move_micrograph(second.id, store.create_sample("elsewhere", by="Ann").id, "Ann")
    page.reload()
    expect(particles).to_have_text(str(rest))
    failures = page.locator("#sample-failures")
    expect(failures).to_contain_text("1 of 3 micrographs has since been moved to elsewhere")
    store.close()
